/* SPDX-License-Identifier: Apache-2.0 */
#include "command/list.h"

#include "base/text.h"

#define DEFAULT_LIMIT 50

static char *state;
static char *task;
static char *kind;
static int limit = -1; /* not given */

const GOptionEntry px_list_options[] = {
  {"state", 's', 0, G_OPTION_ARG_FILENAME, &state, "Only those in this state", "STATE"},
  {"task", 't', 0, G_OPTION_ARG_FILENAME, &task, "Only those of this task", "TASK"},
  {"kind", 'k', 0, G_OPTION_ARG_FILENAME, &kind, "Only those of this kind (import, export, ...)", "KIND"},
  {"limit", 'l', 0, G_OPTION_ARG_INT, &limit, "How many at most, newest first (default 50; 0: all)", "N"},
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

bool px_list_filter(PxListFilter *ret_filter, GError **error) {
  *ret_filter = (PxListFilter){.state = state, .task = task, .kind = kind};
  return px_list_limit(DEFAULT_LIMIT, &ret_filter->limit, error) && check_state(error);
}

json_t *px_list_to_json(const GPtrArray *rows, PxRowToJson to_json, GTimeZone *timezone) {
  json_t *array = json_array();
  for (guint i = 0; i < rows->len; i++)
    json_array_append_new(array, to_json(rows->pdata[i], timezone));
  return array;
}
