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

/* Clocks that change: what people expect, written down; times are UTC. */
typedef struct {
  const char *timezone, *schedule, *starting, *after, *expected;
} ClockCase;

static const ClockCase clocks[] = {
  /* 29 March 2026: 02:00 is 03:00 (01:00 UTC); 25 October: 03:00 is 02:00 (01:00 UTC) */
  {"Europe/Paris", "30 2 * * *", NULL, "2026-03-28T12:00", "2026-03-29T01:00"},
  {"Europe/Paris", "30 2 * * *", NULL, "2026-03-29T01:00", "2026-03-30T00:30"},
  {"Europe/Paris", "30 2 * * *", NULL, "2026-10-24T12:00", "2026-10-25T00:30"},
  {"Europe/Paris", "30 2 * * *", NULL, "2026-10-25T00:30", "2026-10-26T01:30"},
  {"Europe/Paris", "15 2-4 * * *", NULL, "2026-03-29T00:00", "2026-03-29T01:00"},
  {"Europe/Paris", "15 2-4 * * *", NULL, "2026-03-29T01:00", "2026-03-29T01:15"},
  {"Europe/Paris", "*/30 * * * *", NULL, "2026-10-25T00:30", "2026-10-25T01:00"},
  {"Europe/Paris", "@hourly", NULL, "2026-10-25T00:00", "2026-10-25T01:00"},
  {"Europe/Paris", "@hourly", NULL, "2026-03-29T00:00", "2026-03-29T01:00"},
  {"Europe/Paris", "*/15 2 * * *", NULL, "2026-03-28T12:00", "2026-03-30T00:00"},
  {"Europe/Paris", "@daily", NULL, "2026-10-24T23:00", "2026-10-25T23:00"},
  {"Europe/Paris", "30 2 * * *", NULL, "2045-03-25T12:00", "2045-03-26T01:00"},
  {"Europe/Paris", "every 2 hours", NULL, "2026-03-29T00:00", "2026-03-29T02:00"},
  {"Europe/Paris", "every 2 hours", "2026-03-28 23:00", "2026-03-28T22:00", "2026-03-29T00:00"},
  {"Europe/Paris", "every day", "2026-03-20 02:30", "2026-03-28T12:00", "2026-03-29T01:00"},
  {"Europe/Paris", "every day", "2026-03-20 02:30", "2026-03-29T01:00", "2026-03-30T00:30"},
  {"Europe/Paris", "every day", "2026-03-20 02:30", "2026-01-01T00:00", "2026-03-20T01:30"},
  {"Europe/Paris", "0 6 * * *", "2026-03-20", "2026-01-01T00:00", "2026-03-20T05:00"},
  /* 8 March 2026: 02:00 is 03:00 (07:00 UTC); 1 November: 02:00 is 01:00 (06:00 UTC) */
  {"America/New_York", "30 2 * * *", NULL, "2026-03-08T00:00", "2026-03-08T07:00"},
  {"America/New_York", "30 1 * * *", NULL, "2026-11-01T00:00", "2026-11-01T05:30"},
  {"America/New_York", "30 1 * * *", NULL, "2026-11-01T05:30", "2026-11-02T06:30"},
  /* half an hour; 5 April 2026: 02:00 is 01:30 (4 April 15:00 UTC); 4 October: 02:00 is 02:30 (3 October 15:30 UTC) */
  {"Australia/Lord_Howe", "45 1 * * *", NULL, "2026-04-04T00:00", "2026-04-04T14:45"},
  {"Australia/Lord_Howe", "45 1 * * *", NULL, "2026-04-04T14:45", "2026-04-05T15:15"},
  {"Australia/Lord_Howe", "15 2 * * *", NULL, "2026-10-03T00:00", "2026-10-03T15:30"},
  {"Australia/Lord_Howe", "15 2 * * *", NULL, "2026-10-03T15:30", "2026-10-04T15:15"},
  /* at midnight; 4 November 2018: 00:00 is 01:00 (03:00 UTC); 17 February 2019: 00:00 is 23:00 of the day before (02:00 UTC) */
  {"America/Sao_Paulo", "@daily", NULL, "2018-11-03T12:00", "2018-11-04T03:00"},
  {"America/Sao_Paulo", "30 0 * * *", NULL, "2018-11-03T12:00", "2018-11-04T03:00"},
  {"America/Sao_Paulo", "30 0 * * *", NULL, "2018-11-04T03:00", "2018-11-05T02:30"},
  {"America/Sao_Paulo", "every day", NULL, "2018-11-03T12:00", "2018-11-04T03:00"},
  {"America/Sao_Paulo", "30 23 * * *", NULL, "2019-02-16T12:00", "2019-02-17T01:30"},
  {"America/Sao_Paulo", "30 23 * * *", NULL, "2019-02-17T01:30", "2019-02-18T02:30"},
  {"America/Sao_Paulo", "@daily", NULL, "2019-02-16T12:00", "2019-02-17T03:00"},
  /* 7 November 2010: 00:01 is 23:01 of the day before (02:31 UTC) */
  {"America/St_Johns", "*/30 * * * *", NULL, "2010-11-07T02:00", "2010-11-07T02:30"},
  {"America/St_Johns", "*/30 * * * *", NULL, "2010-11-07T02:30", "2010-11-07T03:00"},
  /* no change at all */
  {"Asia/Tokyo", "0 6 * * *", NULL, "2026-03-01T00:00", "2026-03-01T21:00"},
  {"Asia/Kolkata", "0 6 * * *", NULL, "2026-03-01T00:00", "2026-03-01T00:30"},
  {"Etc/UTC", "30 2 * * *", NULL, "2026-03-28T12:00", "2026-03-29T02:30"},
  {"Etc/UTC", "every month", "2026-01-31 06:00", "2026-02-01T00:00", "2026-02-28T06:00"},
  {"Etc/UTC", "every month", "2026-01-31 06:00", "2026-02-28T06:00", "2026-03-31T06:00"},
  {"Etc/UTC", "every 2 weeks", "2026-01-07", "2026-01-10T00:00", "2026-01-21T00:00"},
};

static void clock_that_changes(gconstpointer data) {
  const ClockCase *c = data;
  g_autoptr(GTimeZone) timezone = g_time_zone_new_identifier(c->timezone);
  g_assert_nonnull(timezone);
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autofree char *after = g_strconcat(c->after, ":00", NULL);
  g_autofree char *expected = g_strconcat(c->expected, ":00", NULL);
  g_autoptr(PxSchedule) schedule = px_schedule_parse(c->schedule, NULL);
  g_assert_true(!c->starting || px_schedule_start(schedule, c->starting, NULL));
  g_assert_cmpint(px_schedule_next(schedule, timezone, at(utc, after)), ==, at(utc, expected));
}

static void wrong_start_is_told(void) {
  static const char *const wrong[] = {
    "", "soon", "2026-02-30", "2026-1-1", "20260101", "2026-01-01 25:00", "2026-01-01T06:00Z", "2026-01-01 06", "2026-01-01 06:00:00+01"};
  g_autoptr(PxSchedule) schedule = px_schedule_parse("every day", NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(px_schedule_start(schedule, wrong[i], &error));
    g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "2026-01-31 06:00"));
  }
}

static void latest_is_the_last_that_is_not_after(void) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(PxSchedule) often = px_schedule_parse("every second", NULL);
  g_autoptr(PxSchedule) rare = px_schedule_parse("0 0 29 2 *", NULL);
  int64_t from = at(utc, "2014-01-01T00:00:00");
  int64_t until = at(utc, "2026-03-01T10:29:59");
  g_assert_cmpint(px_schedule_latest(often, utc, from, until), ==, until);
  g_assert_cmpint(px_schedule_latest(often, utc, until, until), ==, 0);
  g_assert_cmpint(px_schedule_latest(rare, utc, from, until), ==, at(utc, "2024-02-29T00:00:00"));
  g_assert_cmpint(px_schedule_latest(rare, utc, at(utc, "2024-02-29T00:00:00"), until), ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/task/schedule/next/%02zu", i);
    g_test_add_data_func(path, &cases[i], next_is);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(clocks); i++) {
    g_autofree char *path = g_strdup_printf("/task/schedule/clock/%s/%02zu", clocks[i].timezone, i);
    g_test_add_data_func(path, &clocks[i], clock_that_changes);
  }
  g_test_add_func("/task/schedule/wrong_ones_are_told", wrong_ones_are_told);
  g_test_add_func("/task/schedule/wrong_start_is_told", wrong_start_is_told);
  g_test_add_func("/task/schedule/latest_is_the_last_that_is_not_after", latest_is_the_last_that_is_not_after);
  g_test_add_func("/task/schedule/every_is_counted_from_the_epoch", every_is_counted_from_the_epoch);
  return g_test_run();
}
