/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: "every 30 minutes" and cron expressions (crontab(5)); when the next run is due. */
#include "task/task.h"

#define SEARCH_DAYS 3000            /* 29 February can be eight years away (2096 to 2104) */
#define BACK (3 * G_TIME_SPAN_HOUR) /* more than any clock is ever put back */

struct PxSchedule {
  char *text;
  int64_t every;                                   /* microseconds; 0: cron */
  uint64_t minutes, hours, days, months, weekdays; /* a bit for each that is due */
  bool both_days;                                  /* day of month and day of week are both given: either will do */
};

typedef struct {
  const char *what;
  unsigned min, max;
  const char *names; /* three letters each, from min on; NULL: only numbers */
} Field;

static const Field fields[] = {
  {"minute", 0, 59, NULL},
  {"hour", 0, 23, NULL},
  {"day of month", 1, 31, NULL},
  {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
  {"day of week", 0, 7, "sunmontuewedthufrisat"}, /* 0 and 7 are Sunday */
};

static const struct {
  const char *name;
  const char *cron;
} nicknames[] = {
  {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

static const struct {
  const char *name;
  int64_t span;
} units[] = {
  {"second", G_TIME_SPAN_SECOND},
  {"minute", G_TIME_SPAN_MINUTE},
  {"hour", G_TIME_SPAN_HOUR},
  {"day", G_TIME_SPAN_DAY},
};

/* ---- parsing */

/* A number or a name at *text, which moves behind it. */
static bool parse_value(const Field *field, const char **text, unsigned *ret_value) {
  if (g_ascii_isdigit(**text)) {
    char *end;
    guint64 value = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    *ret_value = (unsigned)value;
    return value >= field->min && value <= field->max;
  }
  for (const char *name = field->names; name && *name; name += 3)
    if (g_ascii_strncasecmp(*text, name, 3) == 0) {
      *ret_value = field->min + (unsigned)(name - field->names) / 3;
      *text += 3;
      return true;
    }
  return false;
}

/* One item of a list: "*", "5", "1-5", each with "/step". */
static bool parse_item(const Field *field, const char *text, uint64_t *bits) {
  unsigned first = field->min;
  unsigned last = field->max;
  bool range = *text == '*';
  if (range) {
    text++;
  } else {
    if (!parse_value(field, &text, &first))
      return false;
    last = first;
    range = *text == '-';
    if (range && (text++, !parse_value(field, &text, &last)))
      return false;
  }
  uint64_t step = 1;
  if (*text == '/') {
    if (!g_ascii_isdigit(text[1]))
      return false;
    char *end;
    step = g_ascii_strtoull(text + 1, &end, 10);
    text = end;
    if (!range)
      last = field->max;
  }
  if (*text || first > last || step == 0 || step > field->max)
    return false;
  for (uint64_t value = first; value <= last; value += step)
    *bits |= UINT64_C(1) << value;
  return true;
}

static bool parse_field(const Field *field, const char *text, uint64_t *ret_bits) {
  g_auto(GStrv) items = g_strsplit(text, ",", -1);
  *ret_bits = 0;
  for (char **item = items; *item; item++)
    if (!parse_item(field, *item, ret_bits))
      return false;
  return *ret_bits != 0;
}

static char **split_blanks(const char *text) {
  g_auto(GStrv) all = g_strsplit_set(text, " \t\r\n", -1);
  g_autoptr(GStrvBuilder) words = g_strv_builder_new();
  for (char **word = all; *word; word++)
    if (**word)
      g_strv_builder_add(words, *word);
  return g_strv_builder_end(words);
}

static bool parse_cron(PxSchedule *schedule, char **words, GError **error) {
  uint64_t *const bits[] = {&schedule->minutes, &schedule->hours, &schedule->days, &schedule->months, &schedule->weekdays};
  for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
    if (!parse_field(&fields[i], words[i], bits[i])) {
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" is no %s: write *, a number from %u to %u, a range 1-5, a list 1,3 or a step */10",
                  words[i], fields[i].what, fields[i].min, fields[i].max);
      return false;
    }
  if (schedule->weekdays & (1U << 7))
    schedule->weekdays |= 1;
  schedule->both_days = words[2][0] != '*' && words[4][0] != '*';
  return true;
}

static bool parse_every(PxSchedule *schedule, char **words, size_t n, GError **error) {
  guint64 count = 1;
  const char *unit = words[n - 1];
  bool right = n == 2 || (n == 3 && g_ascii_string_to_unsigned(words[1], 10, 1, 100000, &count, NULL));
  size_t len = strlen(unit);
  for (size_t i = 0; right && i < G_N_ELEMENTS(units); i++)
    if (g_ascii_strncasecmp(unit, units[i].name, strlen(units[i].name)) == 0 &&
        (len == strlen(units[i].name) || (len == strlen(units[i].name) + 1 && (unit[len - 1] | 0x20) == 's'))) {
      schedule->every = (int64_t)count * units[i].span;
      return true;
    }
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" is no schedule: write every N seconds, minutes, hours or days", schedule->text);
  return false;
}

PxSchedule *px_schedule_parse(const char *text, GError **error) {
  g_autoptr(PxSchedule) schedule = g_new0(PxSchedule, 1);
  schedule->text = g_strstrip(g_strdup(text));
  const char *cron = schedule->text;
  for (size_t i = 0; i < G_N_ELEMENTS(nicknames); i++)
    if (g_ascii_strcasecmp(schedule->text, nicknames[i].name) == 0)
      cron = nicknames[i].cron;
  g_auto(GStrv) words = split_blanks(cron);
  size_t n = g_strv_length(words);
  bool right = false;
  if (n >= 2 && g_ascii_strcasecmp(words[0], "every") == 0)
    right = parse_every(schedule, words, n, error);
  else if (n == G_N_ELEMENTS(fields))
    right = parse_cron(schedule, words, error);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
                "\"%s\" is no schedule: write \"every 30 minutes\", @daily, or the five fields of a cron expression such as \"0 6 * * mon-fri\"",
                schedule->text);
  return right ? g_steal_pointer(&schedule) : NULL;
}

void px_schedule_free(PxSchedule *schedule) {
  if (!schedule)
    return;
  g_free(schedule->text);
  g_free(schedule);
}

const char *px_schedule_text(const PxSchedule *schedule) {
  return schedule->text;
}

/* ---- what is next */

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

/* The first time on that day, by the local clock, that is due after a moment; 0: none. */
static int64_t next_on_day(const PxSchedule *schedule, GTimeZone *timezone, const GDate *day, int64_t after) {
  for (int hour = 0; hour < 24; hour++)
    for (int minute = 0; is_due(schedule->hours, (unsigned)hour) && minute < 60; minute++) {
      if (!is_due(schedule->minutes, (unsigned)minute))
        continue;
      g_autoptr(GDateTime) local = g_date_time_new(timezone, g_date_get_year(day), (int)g_date_get_month(day), g_date_get_day(day), hour, minute, 0);
      int64_t when = local ? g_date_time_to_unix(local) * G_USEC_PER_SEC : 0;
      if (when > after)
        return when;
    }
  return 0;
}

int64_t px_schedule_next(const PxSchedule *schedule, GTimeZone *timezone, int64_t after) {
  if (schedule->every)
    return (after / schedule->every + 1) * schedule->every;
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc((after - BACK) / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, timezone) : NULL;
  if (!local)
    return 0;
  GDate day;
  g_date_clear(&day, 1);
  g_date_set_dmy(&day, (GDateDay)g_date_time_get_day_of_month(local), (GDateMonth)g_date_time_get_month(local),
                 (GDateYear)g_date_time_get_year(local));
  for (unsigned i = 0; i < SEARCH_DAYS; i++, g_date_add_days(&day, 1)) {
    int64_t when = day_is_due(schedule, &day) ? next_on_day(schedule, timezone, &day, after) : 0;
    if (when)
      return when;
  }
  return 0;
}
