/* SPDX-License-Identifier: Apache-2.0 */
/* today and now in domains, with offsets: what they come to is known when the domain is asked, not when it is read. */
#include "model/convert_private.h"
#include "model/domain_private.h"

#define MAX_MONTHS 12000 /* a thousand years: no moment that is asked for leaves the calendar */
#define MAX_DAYS 365250
#define MAX_MINUTES (MAX_DAYS * 24 * 60)

typedef struct {
  const PxField *field;
  GTimeZone *zone; /* NULL: UTC */
  bool is_now;
  bool day_end; /* the last moment of the day */
  int months, days, minutes;
} Time;

typedef struct {
  const char *brief, *word;
  int months, days, minutes;
} Unit;

static const Unit units[] = {
  {"y", "year", 12, 0, 0}, {"m", "month", 1, 0, 0}, {"w", "week", 0, 7, 0},
  {"d", "day", 0, 1, 0},   {"h", "hour", 0, 0, 60}, {"min", "minute", 0, 0, 1},
};

static const char *skip_blanks(const char *at) {
  while (*at == ' ')
    at++;
  return at;
}

static bool take_word(const char **at, const char *word) {
  size_t len = strlen(word);
  if (strncmp(*at, word, len) != 0 || g_ascii_isalnum((*at)[len]) || (*at)[len] == '_')
    return false;
  *at = skip_blanks(*at + len);
  return true;
}

bool px_domain_time_begins(const char *text) {
  const char *at = skip_blanks(text);
  return take_word(&at, "today") || take_word(&at, "now");
}

static const Unit *take_unit(const char **at) {
  size_t len = 0;
  while (g_ascii_isalpha((*at)[len]))
    len++;
  g_autofree char *word = g_strndup(*at, len);
  for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
    g_autofree char *many = g_strconcat(units[i].word, "s", NULL);
    if (g_str_equal(word, units[i].brief) || g_str_equal(word, units[i].word) || g_str_equal(word, many)) {
      *at = skip_blanks(*at + len);
      return &units[i];
    }
  }
  return NULL;
}

/* One "- 7d". */
static bool take_offset(const char **at, Time *time) {
  int sign = **at == '-' ? -1 : 1;
  char *end;
  if (**at != '-' && **at != '+')
    return false;
  *at = skip_blanks(*at + 1);
  if (!g_ascii_isdigit(**at))
    return false;
  int64_t amount = (int64_t)MIN(g_ascii_strtoull(*at, &end, 10), 2 * MAX_MINUTES);
  *at = skip_blanks(end);
  const Unit *unit = take_unit(at);
  if (!unit)
    return false;
  int64_t months = time->months + sign * amount * unit->months;
  int64_t days = time->days + sign * amount * unit->days;
  int64_t minutes = time->minutes + sign * amount * unit->minutes;
  time->months = (int)CLAMP(months, -MAX_MONTHS - 1, MAX_MONTHS + 1);
  time->days = (int)CLAMP(days, -MAX_DAYS - 1, MAX_DAYS + 1);
  time->minutes = (int)CLAMP(minutes, -MAX_MINUTES - 1, MAX_MINUTES + 1);
  return true;
}

bool px_domain_time_read(PxArena *arena, const char *text, const PxField *field, GTimeZone *zone, bool day_end, PxValue *ret_value,
                         const char **ret_problem) {
  Time *time = px_arena_new_array(arena, Time, 1);
  const char *at = skip_blanks(text);
  time->field = field;
  time->zone = zone;
  time->is_now = !take_word(&at, "today");
  if (time->is_now && !take_word(&at, "now"))
    return false;
  while (*at)
    if (!take_offset(&at, time)) {
      *ret_problem = "what stands behind today or now is an offset such as - 7d or + 2h, of y, m, w, d, h or min";
      return false;
    }
  if (ABS(time->months) > MAX_MONTHS || ABS(time->days) > MAX_DAYS || ABS(time->minutes) > MAX_MINUTES) {
    *ret_problem = "this is more than a thousand years away";
    return false;
  }
  time->day_end = day_end && !time->is_now && time->minutes == 0;
  *ret_value = (PxValue){.kind = PX_DOMAIN_TIME, .len = sizeof *time, .text = (const char *)time};
  return true;
}

/* Months and days are those of the calendar, minutes go by the clock. */
static GDateTime *moment_of(const Time *time, GTimeZone *zone, int64_t now) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
  g_autoptr(GDateTime) midnight =
    g_date_time_new(zone, g_date_time_get_year(local), g_date_time_get_month(local), g_date_time_get_day_of_month(local), 0, 0, 0);
  g_autoptr(GDateTime) month = g_date_time_add_months(time->is_now ? local : midnight, time->months);
  g_autoptr(GDateTime) day = g_date_time_add_days(month, time->days + time->day_end);
  g_autoptr(GDateTime) minute = g_date_time_add_minutes(day, time->minutes);
  return g_date_time_add(minute, time->day_end ? -1 : 0);
}

char *px_domain_time_at(const PxValue *value, int64_t now) {
  const Time *time = (const Time *)(const void *)value->text;
  g_autoptr(GTimeZone) zone = time->zone ? g_time_zone_ref(time->zone) : g_time_zone_new_utc();
  g_autoptr(GDateTime) local = moment_of(time, zone, now);
  if (time->field->type == PX_TYPE_DATE)
    return g_strdup_printf("%04d-%02d-%02d", g_date_time_get_year(local), g_date_time_get_month(local), g_date_time_get_day_of_month(local));
  g_autoptr(GDateTime) utc = g_date_time_to_utc(local);
  g_autofree char *day = g_date_time_format(utc, "%m-%dT%H:%M:%S");
  g_autofree char *text = g_strdup_printf("%04d-%s.%06dZ", g_date_time_get_year(utc), day, g_date_time_get_microsecond(utc));
  g_autoptr(PxArena) arena = px_arena_new();
  PxValue stored = px_value_null();
  (void)px_time_store(text, strlen(text), zone, time->field->with_zone, false, arena, &stored);
  return g_strndup(stored.text, stored.len);
}
