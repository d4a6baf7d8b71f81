/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a JSON file. Every size of read gives the same rows and the same complaint, reading can go on at each row, what is accepted another
 * parser accepts too, and what is written from the rows reads back as the same rows.
 *
 * The first byte chooses the size of a read, the second the limits; the rest is the file.
 */
#include "fuzz.h"

#include "format/reader.h"
#include "format/writer.h"
#include "unit/format/json_rows.h"
#include "unit/format/rows.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#define WHOLE 8192 /* more than the fuzzer makes */
#define RESUMES 4

static void check_same(const char *one, const char *other) {
  if (strcmp(one, other) != 0)
    g_error("the rows differ:\n%s\n---- and\n%s", one, other);
}

static bool was_refused(const char *rows) {
  const char *last = strrchr(rows, '\n');
  return (last ? last[1] : rows[0]) == '!';
}

static void check_resume(int fd, const PxFormatOptions *options, size_t read_size) {
  g_autoptr(PxReader) reader = px_reader_open_at(fd, options, 1, UINT64_MAX, NULL);
  PxRow row;
  for (int i = 0; reader && i < RESUMES && px_reader_next(reader, &row, NULL) == PX_READ_ROW; i++) {
    g_autofree char *by_place = test_json_rows_at(fd, options, row.number, row.place, read_size, true);
    g_autofree char *by_number = test_json_rows_at(fd, options, row.number, UINT64_MAX, WHOLE, true);
    check_same(by_place, by_number);
  }
}

/* Of a list; numbers that no double can hold, and nesting, are matters of taste. */
static void check_other_parser(const char *bytes, size_t len) {
  size_t start = len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  size_t blanks = start;
  while (blanks < len && strchr(" \t\r\n", bytes[blanks]))
    blanks++;
  if (blanks == len || bytes[blanks] != '[')
    return;
  json_error_t problem;
  json_t *json = json_loadb(bytes + start, len - start, JSON_DECODE_INT_AS_REAL, &problem);
  if (!json && !strstr(problem.text, "overflow"))
    g_error("accepted, but jansson says: %s (line %d, column %d)", problem.text, problem.line, problem.column);
  json_decref(json);
}

/* Writes the rows; -1: some name would not come back as it was. */
static int rewrite(int fd, const PxFormatOptions *options) {
  g_autoptr(PxReader) reader = px_reader_open(fd, options, NULL);
  int copy = test_file("", 0);
  g_autoptr(PxWriter) writer = px_writer_open(copy, options, "x", NULL);
  PxRow row;
  bool ok = reader && px_reader_next(reader, &row, NULL) == PX_READ_ROW;
  bool all_named = true;
  for (size_t i = 0; ok && i < row.n_cells; i++)
    all_named = all_named && row.cells[i].len > 0;
  ok = ok && all_named && px_writer_begin(writer, &row.cells, 1, row.n_cells, NULL, 0, NULL);
  while (ok && px_reader_next(reader, &row, NULL) == PX_READ_ROW)
    ok = px_writer_row(writer, row.cells, row.n_cells, NULL);
  if (ok && px_writer_end(writer, NULL))
    return copy;
  close(copy);
  return -1;
}

/* The rows once more are the rows of the first time: keys may come in another order, and a key that only ever was [] or {} has become one that is
 * null, so what is compared is the second writing with the third. */
static void check_rewrite(int fd, PxFormatOptions *options) {
  options->max_row_bytes = G_MAXUINT64;
  options->max_cells = 16384;
  int copy = rewrite(fd, options);
  int again = copy < 0 ? -1 : rewrite(copy, options);
  if (again >= 0) {
    size_t len;
    g_autofree char *one = test_contents(copy, &len);
    g_autofree char *other = test_contents(again, &len);
    if (!options->json_nested)
      check_same(other, one);
    close(again);
  }
  if (copy >= 0)
    close(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  size_t small = (size_t)data[0] + 1;
  uint8_t limit = data[1];
  options.json_lines = limit & 1;
  options.json_nested = limit & 2;
  if (limit >= 16) {
    options.max_row_bytes = limit;
    options.max_cells = limit % 8 + 1;
    options.max_depth = limit % 5 + 1;
  }
  const char *bytes = (const char *)data + 2;
  int fd = test_file(bytes, size - 2);
  g_autofree char *rows = test_json_rows_at(fd, &options, 0, UINT64_MAX, WHOLE, true);
  g_autofree char *in_pieces = test_json_rows_at(fd, &options, 0, UINT64_MAX, small, true);
  check_same(in_pieces, rows);
  if (!was_refused(rows)) {
    check_resume(fd, &options, small);
    check_other_parser(bytes, size - 2);
    check_rewrite(fd, &options);
  }
  close(fd);
  px_format_options_done(&options);
  return 0;
}
