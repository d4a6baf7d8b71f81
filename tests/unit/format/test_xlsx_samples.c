/* SPDX-License-Identifier: Apache-2.0 */
/* Workbooks that other programs made: tests/samples/xlsx/NAME.xlsx reads as NAME.txt beside it. */
#include "format/format.h"
#include "xlsx_suites.h"
#include "zip_make.h"

#include <fcntl.h>
#include <unistd.h>

static void check_sample(gconstpointer data) {
  const char *path = data;
  g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".xlsx"));
  g_autofree char *beside = g_strconcat(stem, ".txt", NULL);
  g_autofree char *want = NULL;
  g_autoptr(GError) error = NULL;
  g_file_get_contents(beside, &want, NULL, &error);
  g_assert_no_error(error);
  g_autofree char *bytes = NULL;
  gsize len;
  g_file_get_contents(path, &bytes, &len, &error);
  g_assert_no_error(error);
  g_autoptr(GByteArray) book = g_byte_array_new();
  g_byte_array_append(book, (const guint8 *)bytes, (guint)len);
  g_autofree char *got = test_book_rows(book, NULL);
  g_assert_cmpstr(got, ==, want);
}

void add_xlsx_sample_tests(void) {
  const char *folder = g_getenv("PX_SAMPLES");
  g_autoptr(GDir) directory = folder ? g_dir_open(folder, 0, NULL) : NULL;
  for (const char *name = directory ? g_dir_read_name(directory) : NULL; name; name = g_dir_read_name(directory)) {
    if (!g_str_has_suffix(name, ".xlsx"))
      continue;
    g_autofree char *test = g_strconcat("/format/xlsx/samples/", name, NULL);
    g_test_add_data_func_full(test, g_build_filename(folder, name, NULL), check_sample, g_free);
  }
}
