/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "format/csv_private.h"
#include "format/reader_driver.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int test_file(const char *bytes, size_t len) {
  int fd = memfd_create("test", MFD_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  for (size_t done = 0; done < len;) {
    ssize_t n = write(fd, bytes + done, len - done);
    g_assert_cmpint(n, >, 0);
    done += (size_t)n;
  }
  return fd;
}

char *test_contents(int fd, size_t *ret_len) {
  struct stat st;
  g_assert_cmpint(fstat(fd, &st), ==, 0);
  size_t len = (size_t)st.st_size;
  char *text = g_malloc0(len + 1);
  g_assert_cmpint(pread(fd, text, len, 0), ==, (ssize_t)len);
  *ret_len = len;
  return text;
}

static void append_row(GString *out, const PxRow *row) {
  g_string_append_printf(out, "%" PRIu64, row->number);
  if (row->place != UINT64_MAX)
    g_string_append_printf(out, "@%" PRIu64, row->place);
  for (size_t i = 0; i < row->n_cells; i++) {
    g_assert_true((row->cells[i].kind == PX_CELL_EMPTY) == (row->cells[i].len == 0));
    g_string_append_c(out, i == 0 ? ' ' : '|');
    g_string_append_len(out, row->cells[i].ptr, row->cells[i].len);
  }
  g_string_append_c(out, '\n');
}

char *test_rows_at(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, bool portable) {
  GString *out = g_string_new(NULL);
  g_autoptr(GError) error = NULL;
  void *reader = px_csv_reader_open_sized(fd, options, number, place, read_size, portable, &error);
  PxReadResult result = reader ? PX_READ_ROW : PX_READ_ERROR;
  while (result == PX_READ_ROW) {
    PxRow row;
    uint64_t tell = px_csv_reader.tell(reader);
    result = px_csv_reader.next(reader, &row, &error);
    if (result == PX_READ_ROW) {
      g_assert_cmpuint(row.place, ==, number > 1 || row.number > 1 ? tell : row.place);
      append_row(out, &row);
    }
  }
  if (result == PX_READ_ERROR)
    g_string_append_printf(out, "! %s", error->message);
  if (reader)
    px_csv_reader.close(reader);
  return g_string_free(out, FALSE);
}

char *test_rows(const char *bytes, size_t len, const PxFormatOptions *options) {
  int fd = test_file(bytes, len);
  char *rows = test_rows_at(fd, options, 0, UINT64_MAX, (size_t)256 * 1024, true);
  g_autofree char *vector = test_rows_at(fd, options, 0, UINT64_MAX, (size_t)256 * 1024, false);
  g_assert_cmpstr(vector, ==, rows);
  size_t most = MIN(len + 2, 70);
  for (size_t size = 1; size <= most; size++) {
    g_autofree char *small = test_rows_at(fd, options, 0, UINT64_MAX, size, size % 2);
    g_assert_cmpstr(small, ==, rows);
  }
  close(fd);
  return rows;
}
