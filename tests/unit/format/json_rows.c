/* SPDX-License-Identifier: Apache-2.0 */
#include "json_rows.h"

#include "format/json_private.h"
#include "format/reader_driver.h"
#include "rows.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define WHOLE ((size_t)64 * 1024)
#define RESUMES 8

static void append_cell(GString *out, const PxCell *cell) {
  bool nothing = cell->kind == PX_CELL_EMPTY || cell->kind == PX_CELL_ABSENT;
  g_assert_true(nothing == (cell->len == 0));
  if (nothing)
    g_string_append_c(out, cell->kind == PX_CELL_EMPTY ? '~' : '.');
  else if (cell->kind == PX_CELL_TEXT)
    g_string_append_printf(out, "'%.*s'", (int)cell->len, cell->ptr);
  else
    g_string_append_printf(out, "%.*s", (int)cell->len, cell->ptr);
}

char *test_json_rows_at(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, bool places) {
  GString *out = g_string_new(NULL);
  g_autoptr(GError) error = NULL;
  void *reader = px_json_reader_open_sized(fd, options, number, place, read_size, &error);
  PxReadResult result = reader ? PX_READ_ROW : PX_READ_ERROR;
  while (result == PX_READ_ROW) {
    PxRow row;
    uint64_t tell = px_json_reader.tell(reader);
    result = px_json_reader.next(reader, &row, &error);
    if (result != PX_READ_ROW)
      break;
    g_assert_cmpuint(row.number ? tell : 0, ==, row.place);
    g_string_append_printf(out, "%" PRIu64, row.number);
    if (places)
      g_string_append_printf(out, "@%" PRIu64, row.place);
    for (size_t i = 0; i < row.n_cells; i++) {
      g_string_append_c(out, i == 0 ? ' ' : '|');
      append_cell(out, &row.cells[i]);
    }
    g_string_append_c(out, '\n');
  }
  if (result == PX_READ_ERROR) {
    g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
    g_string_append_printf(out, "! %s", error->message);
  }
  if (reader)
    px_json_reader.close(reader);
  return g_string_free(out, FALSE);
}

static void check_same(const char *one, const char *other) {
  if (strcmp(one, other) != 0)
    g_error("the rows differ:\n%s\n---- and\n%s", one, other);
}

/* Goes on at the first rows, by number and by place. Texts may hold line ends, so rows are counted by a reader. */
static void check_resume(int fd, const PxFormatOptions *options, const char *rows) {
  void *reader = px_json_reader_open_sized(fd, options, 1, UINT64_MAX, WHOLE, NULL);
  PxRow row;
  for (int i = 0; reader && i < RESUMES && px_json_reader.next(reader, &row, NULL) == PX_READ_ROW; i++) {
    g_autofree char *by_place = test_json_rows_at(fd, options, row.number, row.place, 7, false);
    g_autofree char *by_number = test_json_rows_at(fd, options, row.number, UINT64_MAX, WHOLE, false);
    check_same(by_place, by_number);
    g_assert_true(g_str_has_suffix(rows, by_number));
  }
  if (reader)
    px_json_reader.close(reader);
}

char *test_json_rows(const char *bytes, size_t len, const PxFormatOptions *options) {
  int fd = test_file(bytes, len);
  char *rows = test_json_rows_at(fd, options, 0, UINT64_MAX, WHOLE, false);
  size_t most = MIN(len + 2, 40);
  for (size_t size = 1; size <= most; size++) {
    g_autofree char *small = test_json_rows_at(fd, options, 0, UINT64_MAX, size, false);
    check_same(small, rows);
  }
  check_resume(fd, options, rows);
  close(fd);
  return rows;
}
