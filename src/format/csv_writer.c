/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are put together as UTF-8, brought to the file's encoding where it has another one, and written when there are many. */
#include "base/file.h"
#include "base/text.h"
#include "base/utf8.h"
#include "format/csv_private.h"
#include "format/writer_driver.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)64 * 1024)
#define BOM "\xEF\xBB\xBF"

typedef struct {
  int fd;
  PxFormatOptions options;
  PxCsvMark delimiter, quote;
  const char *line_end;
  bool special[256]; /* first bytes of what makes quotes necessary */
  uint64_t row;      /* that is being written; the header is row 1 */
  bool is_data;      /* the header has been written */
  GString *rows;     /* UTF-8 */
  GString *encoded;  /* the same in the file's encoding; NULL: that is UTF-8 */
  iconv_t converter;
} CsvWriter;

/* ---- open */

/* Encodings that iconv itself begins with a byte order mark. */
static bool marks_itself(const char *encoding) {
  static const char *const names[] = {"UTF-16", "UTF16", "UTF-32", "UTF32", "UNICODE"};
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (g_ascii_strcasecmp(encoding, names[i]) == 0)
      return true;
  return false;
}

static void csv_close(void *self) {
  CsvWriter *writer = self;
  if (writer->encoded) {
    iconv_close(writer->converter);
    g_string_free(writer->encoded, TRUE);
  }
  g_string_free(writer->rows, TRUE);
  px_format_options_done(&writer->options);
  g_free(writer);
}

static void *csv_open(int fd, const PxFormatOptions *options, const char *title, GError **error) {
  static const char *const line_ends[] = {[PX_LINE_CRLF] = "\r\n", [PX_LINE_LF] = "\n", [PX_LINE_CR] = "\r"};
  PxCsvMark delimiter;
  PxCsvMark quote;
  if (!px_csv_marks(options, &delimiter, &quote, error) || !px_csv_check_encoding(options->encoding, error))
    return NULL;
  CsvWriter *writer = g_new0(CsvWriter, 1);
  writer->fd = fd;
  px_format_options_copy(options, &writer->options);
  writer->delimiter = delimiter;
  writer->quote = quote;
  writer->line_end = line_ends[options->line_end];
  writer->rows = g_string_sized_new(BUFFER_BYTES + BUFFER_BYTES / 4);
  writer->special['\r'] = writer->special['\n'] = true;
  writer->special[(unsigned char)delimiter.bytes[0]] = true;
  if (quote.len)
    writer->special[(unsigned char)quote.bytes[0]] = true;
  if (!px_csv_is_utf8(options->encoding)) {
    writer->converter = iconv_open(options->encoding, "UTF-8");
    g_assert(writer->converter != (iconv_t)-1); /* just checked */
    writer->encoded = g_string_sized_new(BUFFER_BYTES);
  }
  if (options->bom && !(options->encoding && marks_itself(options->encoding)))
    g_string_append(writer->rows, BOM);
  return writer;
}

/* ---- bytes to the file */

static void refuse_character(const CsvWriter *writer, const char *at, size_t left, GError **error) {
  if (left >= 3 && memcmp(at, BOM, 3) == 0 && writer->options.bom && writer->row <= 1)
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "csv: bom: %s has no byte order mark", writer->options.encoding);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "row %" PRIu64 ": %s has no character %.*s (U+%04X): choose another encoding, such as UTF-8",
                writer->row, writer->options.encoding, (int)MIN(px_utf8_char_len(*at), left), at, g_utf8_get_char_validated(at, (gssize)left));
}

static bool encode_rows(CsvWriter *writer, GError **error) {
  if (!writer->encoded)
    return true;
  char *in = writer->rows->str;
  size_t in_left = writer->rows->len;
  while (in_left > 0) {
    char out[8192];
    char *at = out;
    size_t room = sizeof(out);
    size_t result = iconv(writer->converter, &in, &in_left, &at, &room);
    g_string_append_len(writer->encoded, out, at - out);
    if (result == (size_t)-1 && errno != E2BIG) {
      refuse_character(writer, in, in_left, error);
      return false;
    }
  }
  g_string_truncate(writer->rows, 0);
  return true;
}

/* What a stateful encoding wants at the end. */
static void end_encoding(CsvWriter *writer) {
  char out[64];
  char *at = out;
  size_t room = sizeof(out);
  if (writer->encoded && iconv(writer->converter, NULL, NULL, &at, &room) != (size_t)-1)
    g_string_append_len(writer->encoded, out, at - out);
}

static bool flush(CsvWriter *writer, size_t at_least, GError **error) {
  GString *bytes = writer->encoded ? writer->encoded : writer->rows;
  if (bytes->len < at_least)
    return true;
  if (!px_write_all(writer->fd, bytes->str, bytes->len, "the file", error))
    return false;
  g_string_truncate(bytes, 0);
  return true;
}

/* ---- cells */

static bool is_edge_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether a reader would take the text for something else without quotes. */
static bool is_special(const CsvWriter *writer, const char *text, size_t len) {
  const PxCsvMark *const marks[] = {&writer->delimiter, &writer->quote};
  for (size_t i = 0; i < len; i++) {
    if (G_LIKELY(!writer->special[(unsigned char)text[i]]))
      continue;
    if (text[i] == '\r' || text[i] == '\n')
      return true;
    for (size_t m = 0; m < G_N_ELEMENTS(marks); m++)
      if (marks[m]->len && marks[m]->len <= len - i && memcmp(text + i, marks[m]->bytes, marks[m]->len) == 0)
        return true;
  }
  return false;
}

static void append_quoted(CsvWriter *writer, const char *text, size_t len) {
  const PxCsvMark *quote = &writer->quote;
  g_string_append_len(writer->rows, quote->bytes, quote->len);
  const char *end = text + len;
  while (text < end) {
    const char *inner = memmem(text, (size_t)(end - text), quote->bytes, quote->len);
    const char *stop = inner ? inner + quote->len : end;
    g_string_append_len(writer->rows, text, stop - text);
    if (inner)
      g_string_append_len(writer->rows, quote->bytes, quote->len);
    text = stop;
  }
  g_string_append_len(writer->rows, quote->bytes, quote->len);
}

/* The text of a cell as this file writes it. Views into the cell, the options, or *ret_guarded, which the caller frees. */
static void text_of(const CsvWriter *writer, const PxCell *cell, const char **ret_text, size_t *ret_len, char **ret_guarded) {
  *ret_text = cell->ptr;
  *ret_len = cell->len;
  if (cell->kind == PX_CELL_BOOLEAN) {
    *ret_text = cell->len == 4 ? writer->options.true_word : writer->options.false_word;
    *ret_len = strlen(*ret_text);
  } else if (writer->options.formula_guard == PX_FORMULA_ESCAPE && writer->is_data && px_text_is_formula(cell->ptr, cell->len) &&
             (cell->kind == PX_CELL_TEXT || cell->kind == PX_CELL_FORMULA || cell->kind == PX_CELL_ERROR)) {
    *ret_guarded = g_strdup_printf("'%.*s", (int)cell->len, cell->ptr);
    *ret_text = *ret_guarded;
    *ret_len = cell->len + 1;
  }
}

static bool append_cell(CsvWriter *writer, const PxCell *cell, bool alone, GError **error) {
  g_autofree char *guarded = NULL;
  const char *text;
  size_t len;
  text_of(writer, cell, &text, &len, &guarded);
  bool special = len > 0 && is_special(writer, text, len);
  if (writer->quote.len == 0) {
    if (special) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                  "row %" PRIu64 ": a value holds the delimiter or a line end, which cannot be written without a quote (csv: quote)", writer->row);
      return false;
    }
  } else if (special || writer->options.quote_all || (alone && len == 0) || (len > 0 && (is_edge_blank(text[0]) || is_edge_blank(text[len - 1]))) ||
             (writer->row == 1 && len >= 3 && memcmp(text, BOM, 3) == 0)) {
    append_quoted(writer, text, len);
    return true;
  }
  g_string_append_len(writer->rows, text, (gssize)len);
  return true;
}

static bool csv_row(void *self, const PxCell *cells, size_t n_cells, GError **error) {
  CsvWriter *writer = self;
  writer->row++;
  for (size_t i = 0; i < n_cells; i++) {
    if (i > 0)
      g_string_append_len(writer->rows, writer->delimiter.bytes, writer->delimiter.len);
    if (!append_cell(writer, &cells[i], n_cells == 1, error))
      return false;
  }
  g_string_append(writer->rows, writer->line_end);
  return encode_rows(writer, error) && flush(writer, BUFFER_BYTES, error);
}

static bool csv_begin(void *self, const PxCell *const *headers, size_t n_headers, size_t n_columns, const PxTab *tabs, size_t n_tabs,
                      GError **error) {
  CsvWriter *writer = self;
  for (size_t i = 0; i < n_headers; i++)
    if (!csv_row(self, headers[i], n_columns, error))
      return false;
  writer->is_data = true;
  return true;
}

static bool csv_end(void *self, GError **error) {
  CsvWriter *writer = self;
  if (!encode_rows(writer, error))
    return false;
  end_encoding(writer);
  return flush(writer, 0, error);
}

const PxWriterDriver px_csv_writer = {
  .name = "csv",
  .open = csv_open,
  .close = csv_close,
  .begin = csv_begin,
  .row = csv_row,
  .end = csv_end,
};
