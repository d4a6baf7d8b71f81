/* SPDX-License-Identifier: Apache-2.0 */
#include "model/convert_private.h"

#include "base/calendar.h"

#include <math.h>
#include <string.h>

#define DAY_SECONDS 86400
#define STORED_LEN 19       /* YYYY-MM-DD HH:MM:SS */
#define FIRST_1904 1462     /* the days between both beginnings */
#define LAST_SERIAL 2958466 /* 10000-01-01 */
#define DAY_MS 86400000.0

PxTimeResult px_moment_check(const PxMoment *moment) {
  bool day = moment->year > 0 && moment->month >= 1 && moment->month <= 12 && moment->day >= 1 &&
             moment->day <= px_calendar_month_days(moment->year, moment->month);
  return day && moment->hour <= 23 && moment->minute <= 59 && moment->second <= 59 ? PX_TIME_OK : PX_TIME_NO_DAY;
}

static PxTimeResult parse_date(const char *text, PxMoment *moment) {
  if (text[4] != '-' || text[7] != '-')
    return PX_TIME_SYNTAX;
  moment->year = px_calendar_digits(text, 4);
  moment->month = px_calendar_digits(text + 5, 2);
  moment->day = px_calendar_digits(text + 8, 2);
  if (moment->year < 0 || moment->month < 0 || moment->day < 0)
    return PX_TIME_SYNTAX;
  return px_moment_check(moment);
}

PxTimeResult px_time_check_date(const char *text, size_t len) {
  PxMoment moment = {0};
  return len == 10 ? parse_date(text, &moment) : PX_TIME_SYNTAX;
}

/* Digits behind the seconds' point; where they end, NULL when there is none. */
static const char *parse_fraction(const char *p, const char *end, PxMoment *moment) {
  const char *start = p;
  for (; p < end && px_calendar_digits(p, 1) >= 0; p++) {
    if (p - start >= PX_FRACTION_DIGITS)
      moment->too_fine = moment->too_fine || *p != '0';
    else
      moment->fraction[moment->n_fraction++] = *p;
  }
  while (moment->n_fraction && moment->fraction[moment->n_fraction - 1] == '0')
    moment->n_fraction--;
  return p > start ? p : NULL;
}

bool px_moment_parse_offset(const char *p, const char *end, PxMoment *moment) {
  moment->has_offset = true;
  if (end - p == 1 && (*p == 'Z' || *p == 'z'))
    return true;
  if (*p != '+' && *p != '-')
    return false;
  size_t len = (size_t)(end - p);
  bool colon = len == 6 && p[3] == ':';
  if (len != 3 && len != 5 && !colon)
    return false;
  int hours = px_calendar_digits(p + 1, 2);
  int minutes = len == 3 ? 0 : px_calendar_digits(end - 2, 2);
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59)
    return false;
  moment->offset = (hours * 60 + minutes) * 60 * (*p == '-' ? -1 : 1);
  return true;
}

PxTimeResult px_moment_parse(const char *text, size_t len, PxMoment *moment) {
  *moment = (PxMoment){0};
  if (len < 10)
    return PX_TIME_SYNTAX;
  PxTimeResult result = parse_date(text, moment);
  if (result != PX_TIME_OK || len == 10)
    return result;
  const char *p = text + 10;
  const char *end = text + len;
  if ((*p != ' ' && *p != 'T') || end - p < 6 || p[3] != ':')
    return PX_TIME_SYNTAX;
  moment->hour = px_calendar_digits(p + 1, 2);
  moment->minute = px_calendar_digits(p + 4, 2);
  p += 6;
  if (end - p >= 3 && *p == ':') {
    moment->second = px_calendar_digits(p + 1, 2);
    p += 3;
    if (p < end && *p == '.' && !(p = parse_fraction(p + 1, end, moment)))
      return PX_TIME_SYNTAX;
  }
  if (moment->hour < 0 || moment->minute < 0 || moment->second < 0)
    return PX_TIME_SYNTAX;
  if (p < end && !px_moment_parse_offset(p, end, moment))
    return PX_TIME_SYNTAX;
  return px_moment_check(moment);
}

static int64_t days_of(const PxMoment *moment) {
  return px_calendar_days(moment->year, moment->month, moment->day);
}

int px_moment_weekday(const PxMoment *moment) {
  /* 1970-01-01 was a Thursday; no day of ours is 800,000 days before it. */
  return (int)((days_of(moment) + 4 + 7 * INT64_C(200000)) % 7);
}

static int64_t seconds_of(const PxMoment *moment) {
  return days_of(moment) * DAY_SECONDS + moment->hour * 3600 + moment->minute * 60 + moment->second;
}

/* The reading of the clock at these seconds; the fraction stays. False: before the year 1 or after 9999. */
static bool set_seconds(PxMoment *moment, int64_t seconds) {
  int64_t days = seconds / DAY_SECONDS;
  int rest = (int)(seconds % DAY_SECONDS);
  if (rest < 0) {
    rest += DAY_SECONDS;
    days--;
  }
  int64_t shifted = days + 719468; /* since 0000-03-01; no date of ours is before it */
  int64_t era = shifted / 146097;  /* of 400 years */
  int64_t day_of_era = shifted % 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t year = era * 400 + year_of_era;
  int64_t month = (5 * day_of_year + 2) / 153;
  moment->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
  moment->month = (int)(month < 10 ? month + 3 : month - 9);
  moment->year = (int)(year + (moment->month <= 2));
  moment->hour = rest / 3600;
  moment->minute = rest / 60 % 60;
  moment->second = rest % 60;
  return moment->year >= 1 && moment->year <= 9999;
}

static int offset_at(GTimeZone *zone, int64_t utc) {
  if (!zone)
    return 0;
  return g_time_zone_get_offset(zone, g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, utc));
}

/* The moments of UTC at which a clock of zone shows local: 0, 1 or 2 of them. The offsets of the day before and the day after are all that can
 * hold. */
static int local_to_utc(GTimeZone *zone, int64_t local, int64_t *ret_utc) {
  int before = offset_at(zone, local - DAY_SECONDS);
  int after = offset_at(zone, local + DAY_SECONDS);
  bool before_holds = offset_at(zone, local - before) == before;
  bool after_holds = after != before && offset_at(zone, local - after) == after;
  *ret_utc = before_holds ? local - before : local - after;
  return before_holds + after_holds;
}

static void put(char *text, int number, unsigned n) {
  for (unsigned i = n; i-- > 0; number /= 10)
    text[i] = (char)('0' + number % 10);
}

/* The stored form, with suffix behind. */
static PxValue moment_text(const PxMoment *moment, const char *suffix, PxArena *arena) {
  size_t suffix_len = strlen(suffix);
  char *text = px_arena_alloc(arena, STORED_LEN + 1 + PX_FRACTION_DIGITS + suffix_len);
  put(text, moment->year, 4);
  text[4] = '-';
  put(text + 5, moment->month, 2);
  text[7] = '-';
  put(text + 8, moment->day, 2);
  text[10] = ' ';
  put(text + 11, moment->hour, 2);
  text[13] = ':';
  put(text + 14, moment->minute, 2);
  text[16] = ':';
  put(text + 17, moment->second, 2);
  size_t len = STORED_LEN;
  if (moment->n_fraction) {
    text[len++] = '.';
    memcpy(text + len, moment->fraction, moment->n_fraction);
    len += moment->n_fraction;
  }
  memcpy(text + len, suffix, suffix_len);
  return px_value_text(text, len + suffix_len);
}

PxValue px_moment_date(const PxMoment *moment, PxArena *arena) {
  PxMoment day = {.year = moment->year, .month = moment->month, .day = moment->day};
  PxValue text = moment_text(&day, "", arena);
  return px_value_text(text.text, 10);
}

PxTimeResult px_moment_from_serial(double serial, bool from_1904, PxMoment *ret_moment) {
  *ret_moment = (PxMoment){0};
  if (!(serial >= 0 && serial < LAST_SERIAL))
    return PX_TIME_SYNTAX;
  int64_t ms = llround(serial * DAY_MS) + (from_1904 ? (int64_t)(FIRST_1904 * DAY_MS) : 0);
  int64_t day = ms / (int64_t)DAY_MS;
  if (day < 1 || day >= LAST_SERIAL)
    return PX_TIME_SYNTAX;
  if (day == 60)
    return PX_TIME_NO_DAY;
  /* Day 25569 is 1970-01-01; before the day that is none, one less is right. */
  int64_t from_epoch = ms - (day > 60 ? 25569 : 25568) * (int64_t)DAY_MS;
  int64_t seconds = from_epoch / 1000;
  int rest = (int)(from_epoch % 1000);
  if (rest < 0) {
    rest += 1000;
    seconds--;
  }
  (void)set_seconds(ret_moment, seconds);
  put(ret_moment->fraction, rest, 3);
  for (ret_moment->n_fraction = 3; ret_moment->n_fraction && ret_moment->fraction[ret_moment->n_fraction - 1] == '0';)
    ret_moment->n_fraction--;
  return PX_TIME_OK;
}

PxTimeResult px_moment_store(PxMoment *moment, const char *text, size_t len, GTimeZone *zone, bool with_zone, bool exact, PxArena *arena,
                             PxValue *ret_value) {
  if (exact && moment->too_fine)
    return PX_TIME_TOO_FINE;
  if (!with_zone && !moment->has_offset) {
    *ret_value = text && len == STORED_LEN && text[10] == ' ' ? px_value_text(text, len) : moment_text(moment, "", arena);
    return PX_TIME_OK;
  }
  int64_t utc = seconds_of(moment) - moment->offset;
  if (!moment->has_offset) {
    int n = local_to_utc(zone, seconds_of(moment), &utc);
    if (n != 1)
      return n == 0 ? PX_TIME_GAP : PX_TIME_TWICE;
  }
  if (!set_seconds(moment, with_zone ? utc : utc + offset_at(zone, utc)))
    return PX_TIME_NO_DAY;
  *ret_value = moment_text(moment, with_zone ? "+00:00" : "", arena);
  return PX_TIME_OK;
}

PxTimeResult px_time_store(const char *text, size_t len, GTimeZone *zone, bool with_zone, bool exact, PxArena *arena, PxValue *ret_value) {
  PxMoment moment;
  PxTimeResult result = px_moment_parse(text, len, &moment);
  return result == PX_TIME_OK ? px_moment_store(&moment, text, len, zone, with_zone, exact, arena, ret_value) : result;
}

bool px_moment_show(const char *text, size_t len, GTimeZone *zone, bool with_zone, PxMoment *ret_moment, bool *ret_ambiguous) {
  PxMoment *moment = ret_moment;
  if (px_moment_parse(text, len, moment) != PX_TIME_OK || moment->too_fine || (moment->has_offset && !with_zone))
    return false;
  int64_t utc = seconds_of(moment) - moment->offset;
  int64_t back;
  if (with_zone && !set_seconds(moment, utc + offset_at(zone, utc)))
    return false;
  int n = local_to_utc(zone, seconds_of(moment), &back);
  *ret_ambiguous = with_zone && n != 1;
  moment->has_offset = with_zone || n == 1;
  moment->offset = with_zone ? offset_at(zone, utc) : n == 1 ? (int)(seconds_of(moment) - back) : 0;
  return true;
}

bool px_time_show(const char *text, size_t len, GTimeZone *zone, bool with_zone, PxArena *arena, PxValue *ret_value, bool *ret_naive) {
  if (!with_zone && len == STORED_LEN && text[10] == ' ') {
    PxMoment plain;
    *ret_naive = true;
    *ret_value = px_value_text(text, len);
    return px_moment_parse(text, len, &plain) == PX_TIME_OK && !plain.has_offset;
  }
  PxMoment moment;
  bool ambiguous;
  if (!px_moment_show(text, len, zone, with_zone, &moment, &ambiguous))
    return false;
  *ret_naive = !ambiguous;
  int minutes = ABS(moment.offset) / 60;
  const char *suffix = ambiguous ? px_arena_printf(arena, "%c%02d:%02d", moment.offset < 0 ? '-' : '+', minutes / 60, minutes % 60) : "";
  *ret_value = moment_text(&moment, suffix, arena);
  return true;
}
