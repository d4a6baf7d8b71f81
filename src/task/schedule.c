/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules as people write them: "every 30 minutes" and cron expressions (crontab(5)). When the next run is due says schedule_next.c. */
#include "task/schedule_private.h"

typedef struct {
  const char *what;
  unsigned min, max;
  const char *names; /* three letters each, from min on; NULL: only numbers */
  const char *hint;
} Field;

#define SUNDAY_AGAIN 7

static const Field fields[] = {
  {"minute", 0, 59, NULL, ""},
  {"hour", 0, 23, NULL, ""},
  {"day of month", 1, 31, NULL, ""},
  {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", ", or names: jan-mar"},
  {"day of week", 0, SUNDAY_AGAIN, "sunmontuewedthufrisat", ", or names: mon-fri"}, /* 0 and 7 are Sunday */
};

static const struct {
  const char *name;
  const char *cron;
} nicknames[] = {
  {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

#define DATE_LEN strlen("2026-01-31")
#define DAY 86400
#define MONDAY (4 * DAY) /* the first one since the epoch */

static const struct {
  const char *name;
  PxEvery every;
  int64_t count, start;
} units[] = {
  {"second", PX_EVERY_SPAN, 1, 0}, {"minute", PX_EVERY_SPAN, 60, 0},   {"hour", PX_EVERY_SPAN, 3600, 0},
  {"day", PX_EVERY_DAYS, 1, 0},    {"week", PX_EVERY_DAYS, 7, MONDAY}, {"month", PX_EVERY_MONTHS, 1, 0},
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
    if (range && last == 0 && first > 0 && field->max == SUNDAY_AGAIN) /* sat-sun */
      last = SUNDAY_AGAIN;
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
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" is no %s: write *, a number from %u to %u, a range 1-5, a list 1,3 or a step */10%s",
                  words[i], fields[i].what, fields[i].min, fields[i].max, fields[i].hint);
      return false;
    }
  if (schedule->weekdays & (1U << SUNDAY_AGAIN))
    schedule->weekdays |= 1;
  schedule->both_days = words[2][0] != '*' && words[4][0] != '*';
  schedule->by_clock = words[0][0] == '*' || words[1][0] == '*';
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
      schedule->every = units[i].every;
      schedule->count = (int64_t)count * units[i].count;
      schedule->start = units[i].start;
      return true;
    }
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" is no schedule: write every N seconds, minutes, hours, days, weeks or months",
              schedule->text);
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

bool px_schedule_start(PxSchedule *schedule, const char *text, GError **error) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autofree char *whole = g_strstrip(g_strdup(text));
  size_t len = strlen(whole);
  g_autoptr(GString) iso = g_string_new(whole);
  if (len > DATE_LEN && whole[DATE_LEN] == ' ')
    iso->str[DATE_LEN] = 'T';
  g_string_append(iso, len == DATE_LEN ? "T00:00:00" : len == DATE_LEN + strlen(" 06:00") ? ":00" : "");
  g_autoptr(GDateTime) time = len >= DATE_LEN && g_ascii_isdigit(iso->str[iso->len - 1]) ? g_date_time_new_from_iso8601(iso->str, utc) : NULL;
  if (!time || iso->len != DATE_LEN + strlen("T00:00:00") || iso->str[4] != '-') {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "\"%s\" is no date: write 2026-01-31, or with the time 2026-01-31 06:00", whole);
    return false;
  }
  schedule->start = g_date_time_to_unix(time);
  schedule->has_start = true;
  g_autofree char *before = schedule->text;
  schedule->text = g_strdup_printf("%s, starting %s", before, whole);
  return true;
}
