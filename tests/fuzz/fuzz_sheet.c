/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the sheet of a workbook: whatever the window, and with and without the short cuts, the rows and the complaint are the same, and
 * reading can go on at each row.
 *
 * The first byte is the size of a small window, the second chooses limits; then the sheet, the shared strings and the styles, with a NUL
 * between.
 */
#include "fuzz.h"

#include "unit/format/rows.h"
#include "unit/format/zip_make.h"

#include <string.h>
#include <unistd.h>

static void check_same(const char *one, const char *other) {
  if (strcmp(one, other) != 0)
    g_error("the rows differ:\n%s\n---- and\n%s", one, other);
}

/* A reading that begins at the last row gives what the whole one ended with. */
static void check_resume(int fd, const PxFormatOptions *options) {
  for (uint64_t number = 2; number < 5; number++) {
    g_autofree char *all = test_fd_rows(fd, options, number, 0, true);
    g_autofree char *fast = test_fd_rows(fd, options, number, 16, false);
    check_same(fast, all);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3)
    return 0;
  g_auto(GStrv) parts = g_new0(char *, 4);
  const char *from = (const char *)data + 2;
  const char *end = (const char *)data + size;
  for (int i = 0; i < 3; i++) {
    const char *to = i < 2 && from < end ? memchr(from, 0, (size_t)(end - from)) : end;
    to = to ? to : end;
    parts[i] = g_strndup(from, from < end ? (size_t)(to - from) : 0);
    from = to < end ? to + 1 : end;
  }
  const TestBook book = {.sheet = parts[0], .strings = *parts[1] ? parts[1] : NULL, .styles = *parts[2] ? parts[2] : NULL};
  g_autoptr(GByteArray) bytes = test_book(&book);
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  if (data[1]) {
    options.max_cells = data[1] % 16 + 1;
    options.max_text_bytes = data[1];
  }
  int fd = test_file((const char *)bytes->data, bytes->len);
  g_autofree char *rows = test_fd_rows(fd, &options, 0, 0, true);
  g_autofree char *fast = test_fd_rows(fd, &options, 0, 0, false);
  g_autofree char *small = test_fd_rows(fd, &options, 0, (size_t)data[0] + 1, false);
  g_autofree char *small_general = test_fd_rows(fd, &options, 0, (size_t)data[0] + 1, true);
  check_same(fast, rows);
  check_same(small, rows);
  check_same(small_general, rows);
  check_resume(fd, &options);
  close(fd);
  px_format_options_done(&options);
  return 0;
}
