/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "suites.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MORE_THAN_A_PIPE_HOLDS ((size_t)1 << 20)

static gpointer read_to_the_end(gpointer fd) {
  char buffer[4096];
  size_t sum = 0;
  ssize_t n;
  while ((n = read(GPOINTER_TO_INT(fd), buffer, sizeof buffer)) > 0)
    sum += (size_t)n;
  return GSIZE_TO_POINTER(sum);
}

static void test_what_a_pipe_takes_in_parts_is_written_whole(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *bytes = g_malloc0(MORE_THAN_A_PIPE_HOLDS);
  int ends[2];
  g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
  GThread *reader = g_thread_new("reader", read_to_the_end, GINT_TO_POINTER(ends[0]));
  g_assert_true(px_write_all(ends[1], bytes, MORE_THAN_A_PIPE_HOLDS, "the file", &error));
  (void)close(ends[1]);
  g_assert_cmpuint(GPOINTER_TO_SIZE(g_thread_join(reader)), ==, MORE_THAN_A_PIPE_HOLDS);
  (void)close(ends[0]);
}

static void test_a_full_disk_is_told_with_what_to_do(void) {
  g_autoptr(GError) error = NULL;
  int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  g_assert_cmpint(full, >=, 0);
  g_assert_false(px_write_all(full, "x", 1, "the receipt", &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_TRANSIENT);
  g_assert_cmpstr(error->message, ==, "cannot write the receipt: No space left on device; make room and run again");
  (void)close(full);
}

static void test_a_temporary_file_has_no_name(void) {
  g_autoptr(GError) error = NULL;
  int fd = px_temporary_file(&error);
  g_assert_no_error(error);
  struct stat status;
  g_assert_cmpint(fstat(fd, &status), ==, 0);
  g_assert_cmpuint(status.st_nlink, ==, 0);
  g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
  (void)close(fd);
}

/* The directory is found out once in a process. */
static void test_a_temporary_file_nowhere_says_where(void) {
  if (g_test_subprocess()) {
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(px_temporary_file(&error), ==, -1);
    g_assert_error(error, PX_ERROR, PX_ERROR_TRANSIENT);
    g_assert_true(g_str_has_prefix(error->message, "/nowhere/at/all: cannot make a temporary file (set TMPDIR"));
    return;
  }
  g_autofree char *before = g_strdup(g_getenv("TMPDIR"));
  g_setenv("TMPDIR", "/nowhere/at/all", TRUE);
  g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  if (before)
    g_setenv("TMPDIR", before, TRUE);
  else
    g_unsetenv("TMPDIR");
  g_test_trap_assert_passed();
}

void add_file_tests(void) {
  g_test_add_func("/base/file/what a pipe takes in parts is written whole", test_what_a_pipe_takes_in_parts_is_written_whole);
  g_test_add_func("/base/file/a full disk is told with what to do", test_a_full_disk_is_told_with_what_to_do);
  g_test_add_func("/base/file/a temporary file has no name", test_a_temporary_file_has_no_name);
  g_test_add_func("/base/file/a temporary file nowhere says where", test_a_temporary_file_nowhere_says_where);
}
