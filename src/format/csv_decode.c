/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file -> checked UTF-8 without NUL, a read at a time. UTF-8 is read straight into the window; anything else goes through
 * iconv. */
#include "base/text.h"
#include "base/utf8.h"
#include "format/csv_private.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <unistd.h>

#define RAW_ROOM ((size_t)64 * 1024)

/* What a character of the text takes in the source; where that is known, reading can begin anywhere. */
typedef enum {
  TAKES_ITS_BYTES, /* UTF-8 */
  TAKES_ONE_BYTE,
  TAKES_UTF16,
  TAKES_UNKNOWN,
} Takes;

struct PxCsvSource {
  int fd;
  uint64_t offset;  /* of the next read */
  uint64_t skipped; /* by the last fill */
  Takes takes;
  size_t read_size;
  bool start; /* a byte order mark may come */
  bool file_end;
  bool nul; /* what comes next is a NUL */
  /* conversion; NULL: the source is UTF-8 */
  iconv_t converter;
  char *encoding;
  char *raw; /* read and not yet converted */
  size_t raw_len;
};

/* ---- options */

static bool parse_mark(const char *what, const char *text, PxCsvMark *ret_mark, GError **error) {
  *ret_mark = (PxCsvMark){0};
  size_t len = text ? strlen(text) : 0;
  bool one = len > 0 && px_utf8_prefix(text, len) == len && px_utf8_char_len(text[0]) == len;
  if (!one || *text == '\n' || *text == '\r' || strcmp(text, "\xEF\xBB\xBF") == 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "csv: %s: must be one character, and no line end", what);
    return false;
  }
  memcpy(ret_mark->bytes, text, len);
  ret_mark->len = (uint8_t)len;
  return true;
}

bool px_csv_marks(const PxFormatOptions *options, PxCsvMark *ret_delimiter, PxCsvMark *ret_quote, GError **error) {
  PxCsvMark delimiter;
  PxCsvMark quote = {0};
  if (!parse_mark("delimiter", options->delimiter, &delimiter, error))
    return false;
  if (options->quote && *options->quote && !parse_mark("quote", options->quote, &quote, error))
    return false;
  if (quote.len == delimiter.len && memcmp(quote.bytes, delimiter.bytes, quote.len) == 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "csv: delimiter and quote are both %s: choose two characters", options->quote);
    return false;
  }
  *ret_delimiter = delimiter;
  *ret_quote = quote;
  return true;
}

bool px_csv_is_utf8(const char *encoding) {
  return !encoding || g_ascii_strcasecmp(encoding, "UTF-8") == 0 || g_ascii_strcasecmp(encoding, "UTF8") == 0;
}

static bool converts(const char *to, const char *from) {
  iconv_t converter = iconv_open(to, from);
  if (converter == (iconv_t)-1)
    return false;
  iconv_close(converter);
  return true;
}

bool px_csv_check_encoding(const char *encoding, GError **error) {
  if (px_csv_is_utf8(encoding))
    return true;
  if (*encoding && !strchr(encoding, '/') && converts("UTF-8", encoding) && converts(encoding, "UTF-8"))
    return true;
  g_autofree char *name = px_text_quote(encoding, strlen(encoding));
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "csv: encoding: %s is not known here; `iconv -l` lists the names", name);
  return false;
}

/* ---- open */

static ssize_t read_at(int fd, char *buffer, size_t size, uint64_t offset, GError **error) {
  ssize_t n;
  do
    n = pread(fd, buffer, size, (off_t)offset);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read the file at byte %" G_GUINT64_FORMAT ": %s", offset, g_strerror(errno));
  return n;
}

static const struct {
  const char *mark;
  size_t len;
  const char *encoding;
} order_marks[] = {
  {"\xFF\xFE\0\0", 4, "UTF-32LE"}, /* before UTF-16LE, which begins alike and where this would be a NUL */
  {"\0\0\xFE\xFF", 4, "UTF-32BE"},
  {"\xFF\xFE", 2, "UTF-16LE"},
  {"\xFE\xFF", 2, "UTF-16BE"},
};

/* The encoding that the file's first bytes tell; *ret_encoding is left as it is when they tell none. */
static bool detect_encoding(int fd, const char **ret_encoding, GError **error) {
  char head[4];
  ssize_t n = read_at(fd, head, sizeof(head), 0, error);
  if (n < 0)
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(order_marks); i++)
    if ((size_t)n >= order_marks[i].len && memcmp(head, order_marks[i].mark, order_marks[i].len) == 0) {
      *ret_encoding = order_marks[i].encoding;
      break;
    }
  return true;
}

/* Whether each byte, whatever stands before it, is one character or none. */
static bool is_one_byte_encoding(iconv_t converter) {
  for (unsigned byte = 1; byte < 256; byte++) {
    char in_byte = (char)byte;
    char *in = &in_byte;
    char out[16];
    char *end = out;
    size_t in_left = 1;
    size_t room = sizeof(out);
    size_t result = iconv(converter, &in, &in_left, &end, &room);
    bool unknown = result == (size_t)-1 && errno == EILSEQ;
    bool one = result != (size_t)-1 && end > out && px_utf8_char_len(out[0]) == (size_t)(end - out);
    (void)iconv(converter, NULL, NULL, NULL, NULL);
    if (!unknown && !one)
      return false;
  }
  return true;
}

static Takes what_it_takes(const char *encoding, iconv_t converter) {
  if (g_ascii_strcasecmp(encoding, "UTF-16LE") == 0 || g_ascii_strcasecmp(encoding, "UTF-16BE") == 0)
    return TAKES_UTF16;
  return is_one_byte_encoding(converter) ? TAKES_ONE_BYTE : TAKES_UNKNOWN;
}

PxCsvSource *px_csv_source_open(int fd, const char *encoding, size_t read_size, GError **error) {
  if (!px_csv_check_encoding(encoding, error))
    return NULL;
  if ((!encoding || g_ascii_strcasecmp(encoding, "UTF-16") == 0) && !detect_encoding(fd, &encoding, error))
    return NULL;
  PxCsvSource *source = g_new0(PxCsvSource, 1);
  source->fd = fd;
  source->read_size = read_size;
  source->start = true;
  if (!px_csv_is_utf8(encoding)) {
    source->encoding = g_strdup(encoding);
    source->converter = iconv_open("UTF-8", encoding);
    g_assert(source->converter != (iconv_t)-1); /* just checked */
    source->takes = what_it_takes(encoding, source->converter);
    source->raw = g_malloc(RAW_ROOM);
  }
  return source;
}

void px_csv_source_close(PxCsvSource *source) {
  if (!source)
    return;
  if (source->encoding)
    iconv_close(source->converter);
  g_free(source->encoding);
  g_free(source->raw);
  g_free(source);
}

bool px_csv_source_has_places(const PxCsvSource *source) {
  return source->takes != TAKES_UNKNOWN;
}

void px_csv_source_seek(PxCsvSource *source, uint64_t place) {
  source->offset = place;
  source->start = place == 0;
}

bool px_csv_source_is_plain(const PxCsvSource *source) {
  return source->takes == TAKES_ITS_BYTES;
}

uint64_t px_csv_source_skipped(const PxCsvSource *source) {
  return source->skipped;
}

uint64_t px_csv_source_span(const PxCsvSource *source, const char *text, size_t len) {
  if (source->takes == TAKES_ITS_BYTES)
    return len;
  uint64_t chars = 0;
  uint64_t long_ones = 0; /* that are two units of UTF-16 */
  for (size_t i = 0; i < len; i++) {
    chars += ((unsigned char)text[i] & 0xC0) != 0x80;
    long_ones += (unsigned char)text[i] >= 0xF0;
  }
  return source->takes == TAKES_UTF16 ? 2 * (chars + long_ones) : chars;
}

uint64_t px_csv_source_offset(const PxCsvSource *source) {
  return source->offset - source->raw_len;
}

/* ---- fill */

static PxCsvFill bad_bytes(const PxCsvSource *source, const char *bytes, size_t left, GError **error) {
  if (left == 0 || (!source->encoding && left < 4 && px_utf8_cut(bytes, left)))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the file ends in the middle of a character");
  else if (*bytes == '\0' && !source->encoding)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "a NUL byte: this is no text, or its encoding has to be said (csv: encoding: UTF-16LE)");
  else
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "byte 0x%02X is not %s: save the file in that encoding, or say which one it has (csv: encoding)",
                (unsigned char)*bytes, source->encoding ? source->encoding : "UTF-8");
  return PX_CSV_FILL_BAD;
}

/* The window holds text from its beginning: a byte order mark in front of it is no text. */
static void skip_order_mark(PxCsvSource *source, PxCsvWindow *window) {
  if (window->len == 0)
    return;
  source->start = false;
  if (window->len < 3 || memcmp(window->bytes, "\xEF\xBB\xBF", 3) != 0)
    return;
  source->skipped = px_csv_source_span(source, window->bytes, 3);
  memmove(window->bytes, window->bytes + 3, window->filled - 3);
  window->len -= 3;
  window->filled -= 3;
}

static PxCsvFill fill_plain(PxCsvSource *source, PxCsvWindow *window, GError **error) {
  for (;;) {
    size_t room = MIN(window->capacity - window->filled, source->read_size);
    ssize_t n = source->file_end ? 0 : read_at(source->fd, window->bytes + window->filled, room, source->offset, error);
    if (n < 0)
      return PX_CSV_FILL_ERROR;
    source->file_end = n == 0;
    source->offset += (uint64_t)n;
    window->filled += (size_t)n;
    const char *fresh = window->bytes + window->len;
    size_t left = window->filled - window->len;
    size_t good = px_utf8_prefix(fresh, left);
    window->len += good;
    if (good > 0)
      return PX_CSV_FILL_MORE;
    if (left == 0) {
      window->at_end = true;
      return PX_CSV_FILL_MORE;
    }
    if (source->file_end || !px_utf8_cut(fresh, left))
      return bad_bytes(source, fresh, left, error);
  }
}

/* Converts what is in raw. *ret_written may be 0. errno of iconv, or 0. */
static int convert(PxCsvSource *source, PxCsvWindow *window, size_t *ret_written) {
  char *in = source->raw;
  size_t in_left = source->raw_len;
  char *out = window->bytes + window->len;
  size_t out_left = window->capacity - window->len;
  /* At the end of the file: what a stateful converter holds back. */
  bool flush = in_left == 0;
  size_t result = flush ? iconv(source->converter, NULL, NULL, &out, &out_left) : iconv(source->converter, &in, &in_left, &out, &out_left);
  int problem = result == (size_t)-1 ? errno : 0;
  memmove(source->raw, in, in_left);
  source->raw_len = in_left;
  *ret_written = (size_t)(out - (window->bytes + window->len));
  return problem;
}

static bool read_raw(PxCsvSource *source, GError **error) {
  size_t room = MIN(RAW_ROOM - source->raw_len, source->read_size);
  if (room == 0 || source->file_end)
    return true;
  ssize_t n = read_at(source->fd, source->raw + source->raw_len, room, source->offset, error);
  if (n < 0)
    return false;
  source->file_end = n == 0;
  source->offset += (uint64_t)n;
  source->raw_len += (size_t)n;
  return true;
}

static PxCsvFill fill_converted(PxCsvSource *source, PxCsvWindow *window, GError **error) {
  for (;;) {
    size_t written = 0;
    if (source->nul) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "a NUL character: this is no text, or its encoding is not %s", source->encoding);
      return PX_CSV_FILL_BAD;
    }
    if (!read_raw(source, error))
      return PX_CSV_FILL_ERROR;
    int problem = source->raw_len > 0 || source->file_end ? convert(source, window, &written) : 0;
    size_t good = px_utf8_prefix(window->bytes + window->len, written);
    window->len += good;
    window->filled = window->len;
    source->nul = good < written;
    if (source->nul && good == 0)
      continue;
    if (good > 0 || problem == E2BIG)
      return PX_CSV_FILL_MORE;
    if (problem == EILSEQ)
      return bad_bytes(source, source->raw, source->raw_len, error);
    if (source->file_end && source->raw_len > 0)
      return bad_bytes(source, source->raw, 0, error);
    if (source->file_end) {
      window->at_end = true;
      return PX_CSV_FILL_MORE;
    }
  }
}

PxCsvFill px_csv_source_fill(PxCsvSource *source, PxCsvWindow *window, GError **error) {
  g_assert(window->capacity - window->filled >= PX_CSV_MIN_ROOM);
  PxCsvFill result = source->encoding ? fill_converted(source, window, error) : fill_plain(source, window, error);
  source->skipped = 0;
  if (source->start)
    skip_order_mark(source, window);
  return result;
}
