/* SPDX-License-Identifier: Apache-2.0 */
#include "command/progress.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

static void check_text(const PxProgress *progress, int64_t elapsed_us, unsigned width, const char *expected) {
  g_autofree char *text = px_progress_text(progress, elapsed_us, width);
  g_assert_cmpstr(text, ==, expected);
}

static void text_tells_rows_rate_percent_and_time_left(void) {
  PxProgress progress = {.step = "import", .name = "partners.csv", .rows = 120000, .bytes = 25, .bytes_total = 100};
  check_text(&progress, 10 * G_USEC_PER_SEC, 200, "import partners.csv  [######------------------]  25 %  120,000 rows  12,000 rows/s  0:30 left");
}

static void text_without_a_total_has_no_bar(void) {
  PxProgress progress = {.step = "import", .name = "-", .rows = 5};
  check_text(&progress, 2 * G_USEC_PER_SEC, 200, "import -  5 rows  2 rows/s");
}

static void text_of_the_first_second_has_no_rate(void) {
  PxProgress progress = {.step = "export", .name = "a.csv", .rows = 5, .rows_total = 10};
  check_text(&progress, 5000, 200, "export a.csv  [############------------]  50 %  5 rows");
}

static void text_counts_hours(void) {
  PxProgress progress = {.step = "export", .name = "a.csv", .rows = 1, .bytes = 1, .bytes_total = 101};
  g_autofree char *text = px_progress_text(&progress, 100 * G_USEC_PER_SEC, 200);
  g_assert_true(g_str_has_suffix(text, "  2:46:40 left"));
}

static void text_never_passes_the_end(void) {
  PxProgress progress = {.step = "export", .name = "a.csv", .rows = 3, .bytes = 12, .bytes_total = 10};
  g_autofree char *text = px_progress_text(&progress, 0, 200);
  g_assert_nonnull(strstr(text, "] 100 %"));
}

static void text_of_what_has_no_rows_counts_none(void) {
  PxProgress progress = {.step = "upload", .name = "a.csv", .bytes = 50, .bytes_total = 100};
  check_text(&progress, 2 * G_USEC_PER_SEC, 200, "upload a.csv  [############------------]  50 %  0:02 left");
}

static void text_is_cut_at_characters(void) {
  PxProgress progress = {.step = "x", .name = "Größe.csv", .rows = 3};
  check_text(&progress, 0, 6, "x Größ");
}

static int64_t no_clock(void) {
  g_assert_not_reached();
}

static void bar_is_none_without_terminal(void) {
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp("px-XXXXXX", &path, NULL);
  g_assert_null(px_progress_bar_new(fd, true, no_clock));
  px_progress_bar_show(&(PxProgress){.step = "import", .name = "a"}, NULL);
  px_progress_bar_free(NULL);
  g_assert_cmpint(g_unlink(path), ==, 0);
  g_assert_true(g_close(fd, NULL));
}

static int64_t now_us;
static int64_t set_clock(void) {
  return now_us;
}

static void bar_draws_ten_times_a_second_and_wipes(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  g_assert_cmpint(master, >=, 0);
  g_assert_cmpint(grantpt(master) + unlockpt(master), ==, 0);
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  g_assert_cmpint(slave, >=, 0);
  now_us = 0;
  PxProgressBar *bar = px_progress_bar_new(slave, true, set_clock);
  g_assert_nonnull(bar);
  px_progress_bar_show(&(PxProgress){.step = "import", .name = "a", .rows = 1}, bar);
  now_us = 50 * 1000;
  px_progress_bar_show(&(PxProgress){.step = "import", .name = "a", .rows = 2}, bar);
  now_us = 150 * 1000;
  px_progress_bar_show(&(PxProgress){.step = "import", .name = "a", .rows = 3}, bar);
  px_progress_bar_free(bar);
  const char *expected = "\r\033[Kimport a  1 row\r\033[Kimport a  3 rows\r\033[K";
  char seen[200] = "";
  size_t n = 0;
  while (n < strlen(expected)) { /* a terminal hands over what it has so far */
    ssize_t more = read(master, seen + n, sizeof seen - 1 - n);
    g_assert_cmpint(more, >, 0);
    n += (size_t)more;
  }
  g_assert_cmpstr(seen, ==, expected);
  g_assert_true(g_close(slave, NULL) && g_close(master, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/command/progress/tells_rows_rate_percent_and_time_left", text_tells_rows_rate_percent_and_time_left);
  g_test_add_func("/command/progress/no_bar_without_total", text_without_a_total_has_no_bar);
  g_test_add_func("/command/progress/no_rate_in_the_first_second", text_of_the_first_second_has_no_rate);
  g_test_add_func("/command/progress/hours", text_counts_hours);
  g_test_add_func("/command/progress/never_passes_the_end", text_never_passes_the_end);
  g_test_add_func("/command/progress/no_rows_where_none_are_counted", text_of_what_has_no_rows_counts_none);
  g_test_add_func("/command/progress/cut_at_characters", text_is_cut_at_characters);
  g_test_add_func("/command/progress/nothing_without_terminal", bar_is_none_without_terminal);
  g_test_add_func("/command/progress/draws_ten_times_a_second_and_wipes", bar_draws_ten_times_a_second_and_wipes);
  return g_test_run();
}
