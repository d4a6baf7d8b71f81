/* SPDX-License-Identifier: Apache-2.0 */
/* What a job said each time that it failed: an array of [message, how often, first time, last time] beside it. */
#include "queue/queue_private.h"

#include <jansson.h>

#define MOST_MESSAGES 20 /* different ones; the oldest but the first is forgotten */

static json_t *parse(const char *tries) {
  json_t *all = tries ? json_loads(tries, 0, NULL) : NULL;
  return all ? all : json_array();
}

void px_job_tried(PxJob *job, const char *why, int64_t now) {
  json_t *all = parse(job->tries);
  g_autofree char *valid = g_utf8_make_valid(why, -1);
  json_t *one = NULL;
  size_t i;
  json_array_foreach(all, i, one) {
    if (g_strcmp0(json_string_value(json_array_get(one, 0)), valid) == 0) {
      json_array_set_new(one, 1, json_integer(json_integer_value(json_array_get(one, 1)) + 1));
      json_array_set_new(one, 3, json_integer(now));
      break;
    }
  }
  if (!one || i == json_array_size(all)) {
    if (json_array_size(all) == MOST_MESSAGES)
      json_array_remove(all, 1);
    json_array_append_new(all, json_pack("[s, i, I, I]", valid, 1, (json_int_t)now, (json_int_t)now));
  }
  char *text = json_dumps(all, JSON_COMPACT);
  g_free(job->tries);
  job->tries = g_strdup(text);
  free(text);
  json_decref(all);
}

char *px_job_tries_text(const PxJob *job) {
  json_t *all = parse(job->tries);
  GString *text = g_string_new(NULL);
  size_t i;
  json_t *one;
  json_array_foreach(all, i, one) {
    const char *why = json_string_value(json_array_get(one, 0));
    json_int_t times = json_integer_value(json_array_get(one, 1));
    g_string_append_printf(text, "%s%s", i ? "\n" : "", why ? why : "");
    if (times > 1)
      g_string_append_printf(text, " (%" JSON_INTEGER_FORMAT " times)", times);
  }
  json_decref(all);
  return g_string_free(text, FALSE);
}

PxJobTry *px_job_tries(const PxJob *job, size_t *ret_n) {
  json_t *all = parse(job->tries);
  size_t i;
  json_t *one;
  *ret_n = json_array_size(all);
  PxJobTry *tries = g_new0(PxJobTry, *ret_n + 1);
  json_array_foreach(all, i, one) tries[i] = (PxJobTry){
    .error = g_strdup(json_string_value(json_array_get(one, 0))),
    .times = (uint64_t)json_integer_value(json_array_get(one, 1)),
    .first = json_integer_value(json_array_get(one, 2)),
    .last = json_integer_value(json_array_get(one, 3)),
  };
  json_decref(all);
  return tries;
}

void px_job_tries_free(PxJobTry *tries) {
  for (PxJobTry *one = tries; one && one->error; one++)
    g_free(one->error);
  g_free(tries);
}
