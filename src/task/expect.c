/* SPDX-License-Identifier: Apache-2.0 */
#include "task/expect.h"

#include "task/task.h"

typedef struct {
  int hour, minute;
} Clock;

struct PxExpect {
  char *by, *after, *days; /* as written; NULL: not said */
  uint64_t min_rows;
  bool says_min_rows;
  Clock by_clock, after_clock;
  PxSchedule *schedule;
};

static const PxKey keys[] = {
  {.name = "by", .type = PX_KEY_STRING, .offset = offsetof(PxExpect, by)},
  {.name = "after", .type = PX_KEY_STRING, .offset = offsetof(PxExpect, after)},
  {.name = "days", .type = PX_KEY_STRING, .offset = offsetof(PxExpect, days)},
  {.name = "min_rows", .type = PX_KEY_UNSIGNED, .offset = offsetof(PxExpect, min_rows)},
};

/* What reading needs. */
typedef struct {
  const PxConfigNode *node;
  const char *what;
  PxComplaints *complaints;
} Reader;

static void complain(const Reader *reader, const char *key, const char *why) {
  const PxConfigNode *node = px_node_get(reader->node, key);
  px_complain(reader->complaints, node ? node : reader->node, "%s: expect: %s", reader->what, why);
}

static bool is_number(const char *text, size_t len, int most, int *ret_number) {
  *ret_number = 0;
  for (size_t i = 0; i < len; i++) {
    if (!g_ascii_isdigit(text[i]))
      return false;
    *ret_number = *ret_number * 10 + (text[i] - '0');
  }
  return len >= 1 && len <= 2 && *ret_number <= most;
}

static void read_clock(const Reader *reader, const char *key, const char *text, Clock *ret_clock) {
  const char *colon = text ? strchr(text, ':') : NULL;
  if (!text || (colon && is_number(text, (size_t)(colon - text), 23, &ret_clock->hour) && strlen(colon + 1) == 2 &&
                is_number(colon + 1, 2, 59, &ret_clock->minute)))
    return;
  g_autofree char *why = g_strdup_printf("%s: \"%s\" is no time: write hours and minutes in quotes: \"07:00\"", key, text);
  complain(reader, key, why);
}

static void read_schedule(const Reader *reader, PxExpect *expect) {
  g_autoptr(GError) error = NULL;
  const char *days = expect->days ? expect->days : "*";
  g_autofree char *cron = g_strdup_printf("%d %d * * %s", expect->by_clock.minute, expect->by_clock.hour, days);
  if (!*days || strpbrk(days, " \t")) {
    complain(reader, "days", "days: write days of the week as in a cron expression: mon-fri, or mon,thu");
    return;
  }
  expect->schedule = px_schedule_parse(cron, &error);
  if (!expect->schedule)
    px_complain(reader->complaints, px_node_get(reader->node, "days"), "%s: expect: days: %s", reader->what, error->message);
}

PxExpect *px_expect_read(const PxConfigNode *node, const char *what, PxComplaints *complaints) {
  if (px_node_type(node) == PX_NODE_NULL)
    return NULL;
  const Reader reader = {.node = node, .what = what, .complaints = complaints};
  g_autofree char *section = g_strdup_printf("%s: expect", what);
  g_autoptr(PxExpect) expect = g_new0(PxExpect, 1);
  px_config_read(node, keys, G_N_ELEMENTS(keys), expect, section, complaints);
  if (px_node_type(node) != PX_NODE_MAP)
    return NULL;
  expect->says_min_rows = px_node_type(px_node_get(node, "min_rows")) != PX_NODE_NULL;
  if (!expect->by && !expect->says_min_rows)
    complain(&reader, "by", "write by: when a file is there at the latest, or min_rows: how many rows it has at least");
  if (!expect->by && (expect->after || expect->days))
    complain(&reader, expect->after ? "after" : "days", "after and days have no meaning without by: when a file is there at the latest");
  read_clock(&reader, "by", expect->by, &expect->by_clock);
  read_clock(&reader, "after", expect->after, &expect->after_clock);
  if (expect->by)
    read_schedule(&reader, expect);
  return g_steal_pointer(&expect);
}

void px_expect_free(PxExpect *expect) {
  if (!expect)
    return;
  g_free(expect->by);
  g_free(expect->after);
  g_free(expect->days);
  px_schedule_free(expect->schedule);
  g_free(expect);
}

const PxSchedule *px_expect_schedule(const PxExpect *expect) {
  return expect->schedule;
}

int64_t px_expect_since(const PxExpect *expect, GTimeZone *timezone, int64_t due) {
  const Clock *by = &expect->by_clock;
  const Clock *after = &expect->after_clock;
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(due / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, timezone);
  bool day_before = after->hour * 60 + after->minute >= by->hour * 60 + by->minute && expect->after;
  g_autoptr(GDateTime) day = g_date_time_add_days(local, day_before ? -1 : 0);
  g_autoptr(GDateTime) since = g_date_time_new(timezone, g_date_time_get_year(day), g_date_time_get_month(day), g_date_time_get_day_of_month(day),
                                               after->hour, after->minute, 0);
  return g_date_time_to_unix(since) * G_USEC_PER_SEC;
}

bool px_expect_min_rows(const PxExpect *expect, uint64_t *ret_rows) {
  *ret_rows = expect->min_rows;
  return expect->says_min_rows;
}

const char *px_expect_by(const PxExpect *expect) {
  return expect->by;
}

char *px_expect_text(const PxExpect *expect) {
  GString *text = g_string_new(NULL);
  if (expect->by)
    g_string_append_printf(text, "by %s%s%s%s%s, ", expect->by, expect->after ? ", not before " : "", expect->after ? expect->after : "",
                           expect->days ? " on " : "", expect->days ? expect->days : "");
  if (expect->says_min_rows)
    g_string_append_printf(text, "%" G_GUINT64_FORMAT " rows or more", expect->min_rows);
  else
    g_string_append(text, "half of the usual rows or more");
  return g_string_free(text, FALSE);
}
