/* SPDX-License-Identifier: Apache-2.0 */
#include "command/list.h"

#include "base/text.h"

#define DEFAULT_LIMIT 50

static char *state;
static char *task;
static char *kind;
static char *channel;
static char *text_of_error;
static char *since;
static int limit = -1; /* not given */

const GOptionEntry px_list_options[] = {
  {"state", 's', 0, G_OPTION_ARG_FILENAME, &state, "Only those in this state", "STATE"},
  {"task", 't', 0, G_OPTION_ARG_FILENAME, &task, "Only those of this task", "TASK"},
  {"kind", 'k', 0, G_OPTION_ARG_FILENAME, &kind, "Only those of this kind (import, export, ...)", "KIND"},
  {"channel", 0, 0, G_OPTION_ARG_FILENAME, &channel, "Only jobs of this channel and those beneath it", "CHANNEL"},
  {"error", 'e', 0, G_OPTION_ARG_FILENAME, &text_of_error, "Only those whose error has this text", "TEXT"},
  {"since", 0, 0, G_OPTION_ARG_FILENAME, &since, "Only those that ended (or were queued) since then: 2h, 2026-11-23, \"2026-11-23 08:30\"", "TIME"},
  {"limit", 'l', 0, G_OPTION_ARG_INT, &limit, "How many at most, newest first (default of lists 50; 0: all)", "N"},
  {NULL},
};

static bool check_state(GError **error) {
  PxState known;
  if (!state || px_state_from_name(state, &known))
    return true;
  const char *names[PX_N_STATES];
  for (int i = 0; i < PX_N_STATES; i++)
    names[i] = px_state_name((PxState)i);
  g_autofree char *hint = px_text_did_you_mean(state, names, G_N_ELEMENTS(names));
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: no state is called %s%s", state, hint);
  return false;
}

bool px_list_limit(uint64_t otherwise, uint64_t *ret_limit, GError **error) {
  if (limit < -1) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: --limit %d is less than none", limit);
    return false;
  }
  *ret_limit = limit == -1 ? otherwise : (uint64_t)limit;
  return true;
}

bool px_list_since(const PxProject *project, const char *said, int64_t *ret_since, GError **error) {
  int64_t span;
  if (px_config_parse_duration(said, &span)) {
    *ret_since = px_project_now(project) - span;
    return true;
  }
  size_t len = strlen(said);
  g_autofree char *text = g_strconcat(said, len == 10 ? "T00:00:00" : len == 16 ? ":00" : "", NULL);
  if (len > 10 && text[10] == ' ')
    text[10] = 'T';
  g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(text, project->timezone);
  if (!when) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: --since %s is no time: write 2h, 3 days, 2026-11-23 or \"2026-11-23 08:30\"", said);
    return false;
  }
  *ret_since = g_date_time_to_unix(when) * G_USEC_PER_SEC;
  return true;
}

/* The option under its whole name; NULL: there is none, or it is wrong. */
static const char *whole_channel(void) {
  static char *whole;
  if (!whole && channel)
    whole = px_config_parse_channel(channel);
  return whole;
}

static bool check_channel(bool has_channels, GError **error) {
  if (!channel || (has_channels && whole_channel()))
    return true;
  if (has_channels)
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: --channel %s is no name of a channel: write one such as root.upload", channel);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: --channel is for jobs: only they have one");
  return false;
}

bool px_list_check(bool has_channels, GError **error) {
  uint64_t any;
  return px_list_limit(0, &any, error) && check_state(error) && check_channel(has_channels, error);
}

bool px_list_filter(const PxProject *project, PxListFilter *ret_filter, GError **error) {
  *ret_filter = (PxListFilter){.state = state, .task = task, .kind = kind, .channel = whole_channel(), .error = text_of_error};
  return px_list_limit(DEFAULT_LIMIT, &ret_filter->limit, error) && (!since || px_list_since(project, since, &ret_filter->since, error));
}

bool px_list_is_filtered(void) {
  return state || task || kind || channel || text_of_error || since;
}

int px_list_print(const PxCommandLine *line, const PxProject *project, const PxListing *listing, GError **error) {
  PxListFilter filter;
  if (!px_list_filter(project, &filter, error))
    return 2;
  g_autoptr(GPtrArray) rows = listing->list(project->db, &filter, error);
  if (!rows)
    return 2;
  g_autoptr(json_t) array = json_array();
  for (guint i = 0; i < rows->len; i++)
    json_array_append_new(array, listing->to_json(rows->pdata[i], project->timezone));
  px_print_rows(line->json, array, listing->columns, listing->n_columns, listing->empty);
  return 0;
}
