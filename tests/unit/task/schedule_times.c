/* SPDX-License-Identifier: Apache-2.0 */
/* Prints when schedules are due, for tests that compare with others. Each line of standard input is TIMEZONE|SCHEDULE|AFTER|UNTIL, times in seconds
 * since the epoch; UNTIL 0: only the next one (0: never). Each answer is a line of seconds. */
#include "task/task.h"

#include <stdio.h>

static void answer(const char *line) {
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) words = g_strsplit(line, "|", 4);
  g_assert_cmpuint(g_strv_length(words), ==, 4);
  g_autoptr(GTimeZone) timezone = g_time_zone_new_identifier(words[0]);
  g_assert_nonnull(timezone);
  g_autoptr(PxSchedule) schedule = px_schedule_parse(words[1], &error);
  g_assert_no_error(error);
  int64_t after = g_ascii_strtoll(words[2], NULL, 10) * G_USEC_PER_SEC;
  int64_t until = g_ascii_strtoll(words[3], NULL, 10) * G_USEC_PER_SEC;
  int64_t next = px_schedule_next(schedule, timezone, after);
  if (!until)
    printf("%" G_GINT64_FORMAT, next / G_USEC_PER_SEC);
  for (; next && next <= until; next = px_schedule_next(schedule, timezone, next))
    printf("%" G_GINT64_FORMAT " ", next / G_USEC_PER_SEC);
  putchar('\n');
}

int main(void) {
  g_autoptr(GIOChannel) in = g_io_channel_unix_new(0);
  g_autofree char *line = NULL;
  while (g_io_channel_read_line(in, &line, NULL, NULL, NULL) == G_IO_STATUS_NORMAL) {
    answer(g_strchomp(line));
    g_clear_pointer(&line, g_free);
  }
  return 0;
}
