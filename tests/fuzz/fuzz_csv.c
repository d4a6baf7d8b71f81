/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CSV file. Both scanners and every size of read give the same rows and the same complaint, reading can go on at each row,
 * and what is written from the rows reads back as the same cells.
 *
 * The first byte chooses the dialect, the second the size of a read, the third a limit; the rest is the file.
 */
#include "fuzz.h"

#include "format/csv_private.h"
#include "format/reader_driver.h"
#include "format/writer.h"
#include "unit/format/rows.h"

#include <string.h>
#include <unistd.h>

#define WHOLE 8192 /* more than the fuzzer makes */

static const struct {
  const char *delimiter, *quote, *encoding;
} dialects[] = {
  {",", "\"", NULL},         {";", "'", NULL},     {"²", "\"", NULL},        {"²", "ò", NULL},
  {"€", "𝄞", NULL},          {"\t", "", NULL},     {" ", "\"", "UTF-8"},     {",", "\"", "UTF-16LE"},
  {",", "\"", "ISO-8859-1"}, {"|", "~", "CP1258"}, {",", "\"", "SHIFT_JIS"}, {",", "\"", "ISO-2022-JP"},
};

static void choose(PxFormatOptions *options, uint8_t dialect, uint8_t limit) {
  px_format_options_init(options, PX_FORMAT_CSV);
  g_free(options->delimiter);
  g_free(options->quote);
  options->delimiter = g_strdup(dialects[dialect % G_N_ELEMENTS(dialects)].delimiter);
  options->quote = g_strdup(dialects[dialect % G_N_ELEMENTS(dialects)].quote);
  options->encoding = g_strdup(dialects[dialect % G_N_ELEMENTS(dialects)].encoding);
  if (limit) {
    options->max_row_bytes = limit;
    options->max_cells = limit % 8 + 1;
  }
}

static void check_same(const char *one, const char *other) {
  if (strcmp(one, other) != 0)
    g_error("the rows differ:\n%s\n---- and\n%s", one, other);
}

/* The line of rows that begins with the last row but half of them, and where that row begins in the file. */
static void check_resume(int fd, const PxFormatOptions *options, const char *rows, size_t read_size) {
  const char *line = rows;
  for (const char *next = rows; next && *next != '!' && *next; next = strchr(next, '\n'), next = next ? next + 1 : NULL)
    line = (size_t)(next - rows) <= strlen(rows) / 2 && g_ascii_isdigit(*next) ? next : line;
  if (*line == '!' || !*line)
    return;
  /* A cell may hold what looks like a row; then it is none of the rows' beginnings and proves nothing. */
  char *rest;
  uint64_t number = g_ascii_strtoull(line, &rest, 10);
  uint64_t place = *rest == '@' ? g_ascii_strtoull(rest + 1, NULL, 10) : UINT64_MAX;
  if (number < 2)
    return;
  g_autofree char *by_number = test_rows_at(fd, options, number, UINT64_MAX, read_size, false);
  if (strcmp(by_number, line) != 0)
    return;
  g_autofree char *by_place = test_rows_at(fd, options, number, place, read_size, false);
  check_same(by_place, by_number);
}

/* Writes the rows up to the first complaint as UTF-8. -1: the dialect cannot. */
static int rewrite(int fd, const PxFormatOptions *options) {
  int copy = test_file("", 0);
  g_autoptr(PxReader) reader = px_reader_open(fd, options, NULL);
  PxFormatOptions plain;
  px_format_options_copy(options, &plain);
  g_clear_pointer(&plain.encoding, g_free);
  g_autoptr(PxWriter) writer = px_writer_open(copy, &plain, "x", NULL);
  px_format_options_done(&plain);
  PxRow row;
  bool ok = true;
  while (ok && reader && px_reader_next(reader, &row, NULL) == PX_READ_ROW)
    ok = px_writer_row(writer, row.cells, row.n_cells, NULL);
  if (ok && px_writer_end(writer, NULL))
    return copy;
  close(copy);
  return -1;
}

/* Rows without their places, which are those of another file, and without the complaint. */
static char *cells_only(int fd, const PxFormatOptions *options) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_autoptr(PxReader) reader = px_reader_open(fd, options, NULL);
  PxRow row;
  while (reader && px_reader_next(reader, &row, NULL) == PX_READ_ROW) {
    for (size_t i = 0; i < row.n_cells; i++)
      g_string_append_printf(out, "%u:%.*s,", row.cells[i].len, (int)row.cells[i].len, row.cells[i].ptr);
    g_string_append_c(out, '\n');
  }
  return g_strdup(out->str);
}

static void check_rewrite(int fd, PxFormatOptions *options) {
  int copy = rewrite(fd, options);
  if (copy < 0)
    return;
  g_autofree char *before = cells_only(fd, options);
  g_clear_pointer(&options->encoding, g_free);
  options->max_row_bytes = G_MAXUINT64; /* quotes make a row longer */
  g_autofree char *after = cells_only(copy, options);
  check_same(after, before);
  close(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3)
    return 0;
  PxFormatOptions options;
  choose(&options, data[0], data[2]);
  int fd = test_file((const char *)data + 3, size - 3);
  size_t small = (size_t)data[1] + 1;
  g_autofree char *rows = test_rows_at(fd, &options, 0, UINT64_MAX, WHOLE, true);
  g_autofree char *vector = test_rows_at(fd, &options, 0, UINT64_MAX, WHOLE, false);
  g_autofree char *in_pieces = test_rows_at(fd, &options, 0, UINT64_MAX, small, false);
  check_same(vector, rows);
  check_same(in_pieces, rows);
  check_resume(fd, &options, rows, small);
  check_rewrite(fd, &options);
  close(fd);
  px_format_options_done(&options);
  return 0;
}
