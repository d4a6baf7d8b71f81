/* SPDX-License-Identifier: Apache-2.0 */
/* When a schedule is due. A time by the local clock exists once, twice (the clock was put back) or never (it was put forward); what then happens is
 * what cron does (Debian's cron(8), "daylight saving time"): a run at a fixed time happens once, at the first of two times or when the gap ends; one
 * with * in its minutes or hours happens whenever the clock shows its time.
 *
 * Local times are seconds since 1970-01-01 00:00 by the local clock, as if that were UTC; moments are seconds since the epoch. */
#include "task/schedule_private.h"

#define DAY INT64_C(86400)
#define SEARCH_DAYS 15000 /* a 29 February that is a Sunday can be 40 years away */
#define MOST_SPANS 40     /* doublings of a window that begins with a minute: more than all time */

/* ---- local times and moments */

static int64_t offset_at(GTimeZone *timezone, int64_t moment) {
  int interval = g_time_zone_find_interval(timezone, G_TIME_TYPE_UNIVERSAL, moment);
  return interval < 0 ? 0 : g_time_zone_get_offset(timezone, interval);
}

/* The moments at which the clock shows this; how many there are. No clock is put forward or back twice within two days. */
static unsigned moments_of(GTimeZone *timezone, int64_t local, int64_t ret_moments[2]) {
  const int64_t offsets[] = {offset_at(timezone, local - 2 * DAY), offset_at(timezone, local + 2 * DAY)};
  unsigned n = 0;
  for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++)
    if (offset_at(timezone, local - offsets[i]) == offsets[i] && (n == 0 || ret_moments[0] != local - offsets[i]))
      ret_moments[n++] = local - offsets[i];
  if (n == 2 && ret_moments[0] > ret_moments[1]) {
    int64_t first = ret_moments[1];
    ret_moments[1] = ret_moments[0];
    ret_moments[0] = first;
  }
  return n;
}

/* The first of them; of a time that the clock leaves out: when it goes on. */
static int64_t moment_of(GTimeZone *timezone, int64_t local) {
  int64_t moments[2];
  if (moments_of(timezone, local, moments))
    return moments[0];
  int64_t after = offset_at(timezone, local + 2 * DAY);
  int64_t first = local - after;
  int64_t last = local - offset_at(timezone, local - 2 * DAY);
  while (first < last) {
    int64_t middle = first + (last - first) / 2;
    if (offset_at(timezone, middle) == after)
      last = middle;
    else
      first = middle + 1;
  }
  return last;
}

/* ---- every N of something */

/* The local time of the i-th run. */
static int64_t local_of_run(const PxSchedule *schedule, int64_t i) {
  if (schedule->every == PX_EVERY_DAYS)
    return schedule->start + i * schedule->count * DAY;
  g_autoptr(GDateTime) start = g_date_time_new_from_unix_utc(schedule->start);
  g_autoptr(GDateTime) time = g_date_time_add_months(start, (int)(i * schedule->count)); /* of a shorter month the last day */
  return time ? g_date_time_to_unix(time) : G_MAXINT64 / 4;
}

/* A run that is not after a moment: the last one or the one before. */
static int64_t run_before(const PxSchedule *schedule, int64_t local) {
  int64_t i;
  if (schedule->every == PX_EVERY_DAYS) {
    i = (local - schedule->start) / (schedule->count * DAY);
  } else {
    g_autoptr(GDateTime) start = g_date_time_new_from_unix_utc(schedule->start);
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(local);
    int months = (g_date_time_get_year(now) - g_date_time_get_year(start)) * 12 + g_date_time_get_month(now) - g_date_time_get_month(start);
    i = months / schedule->count;
  }
  return MAX(i - 2, 0);
}

static int64_t next_of_every(const PxSchedule *schedule, GTimeZone *timezone, int64_t after) {
  if (schedule->every == PX_EVERY_SPAN) {
    int64_t start = schedule->has_start ? moment_of(timezone, schedule->start) : 0;
    return after < start ? start : start + ((after - start) / schedule->count + 1) * schedule->count;
  }
  int64_t i = run_before(schedule, after + offset_at(timezone, after));
  int64_t moment;
  do
    moment = moment_of(timezone, local_of_run(schedule, i++));
  while (moment <= after);
  return moment;
}

/* ---- cron */

static bool is_due(uint64_t bits, unsigned value) {
  return bits >> value & 1;
}

static bool day_is_due(const PxSchedule *schedule, const GDate *day) {
  if (!is_due(schedule->months, g_date_get_month(day)))
    return false;
  bool by_date = is_due(schedule->days, g_date_get_day(day));
  bool by_weekday = is_due(schedule->weekdays, g_date_get_weekday(day) % 7);
  return schedule->both_days ? by_date || by_weekday : by_date && by_weekday;
}

/* The earlier of two moments after a third; *best 0: none yet. */
static void take_earlier(int64_t *best, int64_t moment, int64_t after) {
  if (moment > after && (!*best || moment < *best))
    *best = moment;
}

/* The clock is put forward or back around this day. */
static int64_t next_on_odd_day(const PxSchedule *schedule, GTimeZone *timezone, int64_t midnight, int64_t after) {
  int64_t best = 0;
  for (unsigned hour = 0; hour < 24; hour++)
    for (unsigned minute = 0; is_due(schedule->hours, hour) && minute < 60; minute++) {
      if (!is_due(schedule->minutes, minute))
        continue;
      int64_t local = midnight + hour * 3600 + minute * 60;
      int64_t moments[2];
      unsigned n = schedule->by_clock ? moments_of(timezone, local, moments) : 0;
      for (unsigned i = 0; i < n; i++)
        take_earlier(&best, moments[i], after);
      if (!schedule->by_clock)
        take_earlier(&best, moment_of(timezone, local), after);
    }
  return best;
}

static int64_t next_on_plain_day(const PxSchedule *schedule, int64_t midnight, int64_t after) {
  for (unsigned hour = 0; hour < 24; hour++)
    for (unsigned minute = 0; is_due(schedule->hours, hour) && minute < 60; minute++)
      if (is_due(schedule->minutes, minute) && midnight + hour * 3600 + minute * 60 > after)
        return midnight + hour * 3600 + minute * 60;
  return 0;
}

static bool is_odd_day(GTimeZone *timezone, int64_t midnight) {
  return offset_at(timezone, midnight - 2 * DAY) != offset_at(timezone, midnight + 3 * DAY);
}

/* The first moment on that day, by the local clock, that is due after another; 0: none. */
static int64_t next_on_day(const PxSchedule *schedule, GTimeZone *timezone, const GDate *day, int64_t after) {
  int64_t midnight = ((int64_t)g_date_get_julian(day) - (int64_t)719163) * DAY; /* GDate's day 719163 is 1970-01-01 */
  if (is_odd_day(timezone, midnight))
    return next_on_odd_day(schedule, timezone, midnight, after);
  return next_on_plain_day(schedule, midnight - offset_at(timezone, midnight), after);
}

static int64_t next_of_cron(const PxSchedule *schedule, GTimeZone *timezone, int64_t after) {
  if (schedule->has_start)
    after = MAX(after, moment_of(timezone, schedule->start) - 1);
  g_autoptr(GDateTime) begin = g_date_time_new_from_unix_utc(after + offset_at(timezone, after) - 2 * DAY);
  if (!begin)
    return 0;
  GDate day;
  g_date_clear(&day, 1);
  g_date_set_dmy(&day, (GDateDay)g_date_time_get_day_of_month(begin), (GDateMonth)g_date_time_get_month(begin),
                 (GDateYear)g_date_time_get_year(begin));
  for (unsigned i = 0; i < SEARCH_DAYS; i++, g_date_add_days(&day, 1)) {
    int64_t best = day_is_due(schedule, &day) ? next_on_day(schedule, timezone, &day, after) : 0;
    if (!best)
      continue;
    g_date_add_days(&day, 1); /* a clock that is put back at midnight shows the end of a day after the beginning of the next one */
    int64_t other = day_is_due(schedule, &day) ? next_on_day(schedule, timezone, &day, after) : 0;
    return other && other < best ? other : best;
  }
  return 0;
}

/* ---- both */

int64_t px_schedule_next(const PxSchedule *schedule, GTimeZone *timezone, int64_t after) {
  int64_t second = after / G_USEC_PER_SEC; /* what is due is due at a whole one */
  return G_USEC_PER_SEC * (schedule->every ? next_of_every(schedule, timezone, second) : next_of_cron(schedule, timezone, second));
}

int64_t px_schedule_latest(const PxSchedule *schedule, GTimeZone *timezone, int64_t after, int64_t until) {
  int64_t window = G_TIME_SPAN_MINUTE;
  for (unsigned i = 0; i < MOST_SPANS; i++, window *= 2) {
    int64_t from = window < until - after ? until - window : after;
    int64_t latest = 0;
    for (int64_t next = px_schedule_next(schedule, timezone, from); next && next <= until; next = px_schedule_next(schedule, timezone, next))
      latest = next;
    if (latest || from == after)
      return latest;
  }
  return 0;
}
