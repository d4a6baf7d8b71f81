/* SPDX-License-Identifier: Apache-2.0 */
#include "task/task.h"

static int64_t at(GTimeZone *timezone, const char *text) {
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, timezone);
  g_assert_nonnull(time);
  return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

typedef struct {
  const char *schedule, *after, *expected; /* expected NULL: never */
} Case;

static void next_is(gconstpointer data) {
  const Case *c = data;
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  g_autoptr(GError) error = NULL;
  g_autoptr(PxSchedule) schedule = px_schedule_parse(c->schedule, &error);
  g_assert_no_error(error);
  int64_t next = px_schedule_next(schedule, paris, at(paris, c->after));
  g_assert_cmpint(next, ==, c->expected ? at(paris, c->expected) : 0);
}

static void wrong_ones_are_told(void) {
  static const char *const wrong[] = {
    "",           "soon",         "every",       "every 0 minutes", "every 5 fortnights", "every 5 minutess", "* * * *",
    "60 * * * *", "* 24 * * *",   "* * 0 * *",   "* * * 13 *",      "* * * * 8",          "1-0 * * * *",      "*/0 * * * *",
    "a * * * *",  "1,,2 * * * *", "* * * foo *", "@reboot",         "*/61 * * * *",       "1- * * * *",       "1/ * * * *"};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    PxSchedule *schedule = px_schedule_parse(wrong[i], &error);
    g_assert_null(schedule);
    g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "write"));
  }
}

static void every_is_counted_from_the_epoch(void) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(PxSchedule) schedule = px_schedule_parse("every 30 minutes", NULL);
  g_assert_cmpint(px_schedule_next(schedule, utc, at(utc, "2026-03-01T10:29:59Z")), ==, at(utc, "2026-03-01T10:30:00Z"));
  g_assert_cmpint(px_schedule_next(schedule, utc, at(utc, "2026-03-01T10:30:00Z")), ==, at(utc, "2026-03-01T11:00:00Z"));
}

static const Case cases[] = {
  {"0 6 * * *", "2026-03-01T05:59:00", "2026-03-01T06:00:00"},
  {"0 6 * * *", "2026-03-01T06:00:00", "2026-03-02T06:00:00"},
  {"*/15 9-17 * * mon-fri", "2026-03-06T17:45:00", "2026-03-09T09:00:00"}, /* a Friday */
  {"30 8 1 jan,JUL *", "2026-03-01T00:00:00", "2026-07-01T08:30:00"},
  {"0 0 13 * fri", "2026-03-01T00:00:00", "2026-03-06T00:00:00"}, /* either day */
  {"0 0 * * 7", "2026-03-02T00:00:00", "2026-03-08T00:00:00"},
  {"5/20 * * * *", "2026-03-01T00:05:00", "2026-03-01T00:25:00"},
  {"0 12 29 2 *", "2026-03-01T00:00:00", "2028-02-29T12:00:00"},
  {"0 12 31 2 *", "2026-03-01T00:00:00", NULL},
  {"@daily", "2026-12-31T23:59:59", "2027-01-01T00:00:00"},
  {"@monthly", "2026-02-01T00:00:00", "2026-03-01T00:00:00"},
  {"30 2 * * *", "2026-03-28T12:00:00", "2026-03-29T03:00:00"},       /* 02:30 does not exist */
  {"30 2 * * *", "2026-10-24T12:00:00", "2026-10-25T02:30:00+02:00"}, /* exists twice */
  {"30 2 * * *", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00"},
  {"every day", "2026-03-01T12:00:00", "2026-03-02T00:00:00"},
  {"every 2 weeks", "2026-03-01T12:00:00", "2026-03-02T00:00:00"}, /* Mondays */
  {"every 2 weeks", "2026-03-02T00:00:00", "2026-03-16T00:00:00"},
  {"every month", "2026-03-01T00:00:00", "2026-04-01T00:00:00"},
  {"0 0 29 2 */7", "2026-03-01T00:00:00", "2032-02-29T00:00:00"}, /* a Sunday */
  {"0 0 * * sat-sun", "2026-03-06T00:00:00", "2026-03-07T00:00:00"},
};

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/task/schedule/next/%02zu", i);
    g_test_add_data_func(path, &cases[i], next_is);
  }
  g_test_add_func("/task/schedule/wrong_ones_are_told", wrong_ones_are_told);
  g_test_add_func("/task/schedule/every_is_counted_from_the_epoch", every_is_counted_from_the_epoch);
  return g_test_run();
}
