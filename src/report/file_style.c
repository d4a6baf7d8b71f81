/* SPDX-License-Identifier: Apache-2.0 */
/* How a file is written, seen from its first bytes: the report goes back to programs that may read nothing else. */
#include "report/report_private.h"

#include <string.h>
#include <unistd.h>

#define LOOKED_AT ((size_t)64 * 1024)

typedef struct {
  const char *bytes;
  size_t len;
  const char *encoding; /* what the mark says */
} Mark;

static const Mark marks[] = {{"\xEF\xBB\xBF", 3, "UTF-8"}, {"\xFF\xFE", 2, "UTF-16LE"}, {"\xFE\xFF", 2, "UTF-16BE"}};

static bool is_unicode(const char *encoding) {
  return !encoding || g_ascii_strncasecmp(encoding, "UTF", 3) == 0;
}

static void take_mark(const char *bytes, size_t len, PxFormatOptions *options) {
  options->bom = false;
  if (!is_unicode(options->encoding))
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
    if (len < marks[i].len || memcmp(bytes, marks[i].bytes, marks[i].len) != 0)
      continue;
    options->bom = true;
    if (!options->encoding && i > 0)
      options->encoding = g_strdup(marks[i].encoding);
    return;
  }
}

/* The first line end outside quotes. The zero bytes of UTF-16 are passed over. */
static void take_line_end(const char *bytes, size_t len, PxFormatOptions *options) {
  char quote = strlen(options->quote) == 1 ? options->quote[0] : '\0';
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    if (quote && bytes[i] == quote)
      quoted = !quoted;
    if (quoted || (bytes[i] != '\n' && bytes[i] != '\r'))
      continue;
    size_t next = i + 1;
    while (next < len && bytes[next] == '\0')
      next++;
    bool pair = bytes[i] == '\r' && next < len && bytes[next] == '\n';
    options->line_end = pair ? PX_LINE_CRLF : bytes[i] == '\n' ? PX_LINE_LF : PX_LINE_CR;
    return;
  }
}

/* Items are given back flat: what they are within one another is the same then. */
static void take_json(const char *bytes, size_t len, PxFormatOptions *options) {
  size_t at = len >= 3 && memcmp(bytes, marks[0].bytes, 3) == 0 ? 3 : 0;
  while (at < len && strchr(" \t\r\n", bytes[at]))
    at++;
  options->json_lines = at < len && bytes[at] == '{';
  options->json_nested = false;
  g_clear_pointer(&options->encoding, g_free);
}

void px_report_options(int fd, const PxFormatOptions *options, PxFormatOptions *ret_options) {
  px_format_options_copy(options, ret_options);
  /* What came in goes back as it came: an escaped =TRUE() would be no boolean when the file is sent again. */
  ret_options->formula_guard = PX_FORMULA_KEEP;
  g_autofree char *bytes = g_malloc(LOOKED_AT);
  ssize_t len = pread(fd, bytes, LOOKED_AT, 0);
  if (len <= 0)
    return;
  if (options->format == PX_FORMAT_JSON) {
    take_json(bytes, (size_t)len, ret_options);
    return;
  }
  take_mark(bytes, (size_t)len, ret_options);
  take_line_end(bytes, (size_t)len, ret_options);
}

static void fit_encoding(const char *encoding, GString *text) {
  g_autofree char *there = g_convert(text->str, (gssize)text->len, encoding, "UTF-8", NULL, NULL, NULL);
  if (there)
    return;
  gsize len;
  g_autofree char *coarse = g_convert_with_fallback(text->str, (gssize)text->len, encoding, "UTF-8", "?", NULL, &len, NULL);
  g_autofree char *back = coarse ? g_convert(coarse, (gssize)len, "UTF-8", encoding, NULL, NULL, NULL) : NULL;
  g_string_assign(text, back ? back : "?");
}

void px_report_fit(const PxFormatOptions *options, GString *text) {
  if (!is_unicode(options->encoding))
    fit_encoding(options->encoding, text);
  if (*options->quote)
    return;
  g_string_replace(text, "\n", " / ", 0);
  g_string_replace(text, options->delimiter, " ", 0);
}
