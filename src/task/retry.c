/* SPDX-License-Identifier: Apache-2.0 */
#include "task/retry.h"

#include "base/text.h"

#define GROWTH 4 /* from pause to pause, until the cap */

/* A line of the table. */
typedef struct {
  uint64_t from; /* try */
  int64_t least, most;
} Step;

struct PxRetry {
  uint64_t tries; /* 0: endless */
  int64_t base, cap;
  GArray *steps; /* Step, by try; empty: base and cap */
};

static const PxRetry defaults = {.tries = PX_RETRY_TRIES, .base = 10 * G_TIME_SPAN_SECOND, .cap = G_TIME_SPAN_HOUR};

static const PxRetry patient = {.tries = 51, .base = 10 * G_TIME_SPAN_SECOND, .cap = G_TIME_SPAN_HOUR};

/* What reading needs. */
typedef struct {
  PxRetry *retry;
  const char *what;
  PxComplaints *complaints;
} Reader;

static void complain(const Reader *reader, const PxConfigNode *node, const char *why) {
  px_complain(reader->complaints, node, "%s: retry: %s", reader->what, why);
}

static bool read_pause(const PxConfigNode *node, int64_t *ret_pause) {
  const char *text = px_node_text(node);
  uint64_t seconds;
  if (text && g_ascii_string_to_unsigned(text, 10, 0, 1U << 30, &seconds, NULL)) {
    *ret_pause = (int64_t)seconds * G_TIME_SPAN_SECOND;
    return true;
  }
  return text && px_config_parse_duration(text, ret_pause);
}

static void read_step(const Reader *reader, uint64_t from, const PxConfigNode *node) {
  Step step = {.from = from};
  bool is_range = px_node_type(node) == PX_NODE_SEQUENCE;
  bool known = is_range ? px_node_count(node) == 2 && read_pause(px_node_at(node, 0), &step.least) && read_pause(px_node_at(node, 1), &step.most)
                        : read_pause(node, &step.most);
  if (!is_range)
    step.least = step.most;
  if (!known || step.least > step.most)
    complain(reader, node, "a pause is a time such as 10s, or two of them, the shorter first: [2m, 5m]");
  else
    g_array_append_val(reader->retry->steps, step);
}

static const PxKey options[] = {
  {.name = "tries", .type = PX_KEY_UNSIGNED, .offset = offsetof(PxRetry, tries)},
  {.name = "base", .type = PX_KEY_DURATION, .offset = offsetof(PxRetry, base)},
  {.name = "cap", .type = PX_KEY_DURATION, .offset = offsetof(PxRetry, cap)},
};

static void refuse_option(const Reader *reader, const char *key, const PxConfigNode *node) {
  const char *names[G_N_ELEMENTS(options)];
  for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
    names[i] = options[i].name;
  g_autofree char *hint = px_text_did_you_mean(key, names, G_N_ELEMENTS(names));
  g_autofree char *why = g_strdup_printf("there is no %s%s: write tries, base and cap, or numbers of tries with their pauses", key, hint);
  complain(reader, node, why);
}

static void read_option(const Reader *reader, const char *key, const PxConfigNode *node) {
  const char *text = px_node_text(node);
  for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
    void *member = (char *)reader->retry + options[i].offset;
    if (strcmp(options[i].name, key) != 0)
      continue;
    if (options[i].type == PX_KEY_DURATION && !read_pause(node, member))
      complain(reader, node, "base (the first pause) and cap (the longest) are times such as 10s and 1h");
    if (options[i].type == PX_KEY_UNSIGNED && !(text && g_ascii_string_to_unsigned(text, 10, 0, 1U << 30, member, NULL)))
      complain(reader, node, "tries is a number, 0 for no end");
    return;
  }
  refuse_option(reader, key, node);
}

static int by_try(gconstpointer a, gconstpointer b) {
  const Step *one = a;
  const Step *other = b;
  return (one->from > other->from) - (one->from < other->from);
}

static void check(const Reader *reader, const PxConfigNode *node) {
  const PxRetry *retry = reader->retry;
  bool has_pauses = px_node_get(node, "base") || px_node_get(node, "cap");
  if (retry->steps->len > 0 && has_pauses)
    complain(reader, node, "base and cap have no place beside a table of tries: its pauses are said already");
  if (retry->base > retry->cap)
    complain(reader, node, "base, the first pause, is longer than cap, the longest");
}

PxRetry *px_retry_read(const PxConfigNode *node, const char *what, PxComplaints *complaints) {
  if (px_node_type(node) == PX_NODE_NULL)
    return NULL;
  PxRetry *retry = g_memdup2(&defaults, sizeof defaults);
  retry->steps = g_array_new(FALSE, FALSE, sizeof(Step));
  const Reader reader = {.retry = retry, .what = what, .complaints = complaints};
  if (px_node_type(node) != PX_NODE_MAP)
    complain(&reader, node, "write {tries: 5, base: 10s, cap: 1h}, or a table such as {1: 10s, 5: 1m, 10: [2m, 5m]}");
  for (size_t i = 0; px_node_type(node) == PX_NODE_MAP && i < px_node_count(node); i++) {
    const char *key = px_node_key_at(node, i);
    uint64_t from;
    if (g_ascii_string_to_unsigned(key, 10, 1, 1U << 30, &from, NULL))
      read_step(&reader, from, px_node_at(node, i));
    else
      read_option(&reader, key, px_node_at(node, i));
  }
  check(&reader, node);
  g_array_sort(retry->steps, by_try);
  return retry;
}

void px_retry_free(PxRetry *retry) {
  if (!retry)
    return;
  g_array_unref(retry->steps);
  g_free(retry);
}

const PxRetry *px_retry_patient(void) {
  return &patient;
}

bool px_retry_again(const PxRetry *retry, uint64_t n) {
  uint64_t tries = retry ? retry->tries : defaults.tries;
  return tries == 0 || n < tries;
}

static int64_t at_random(int64_t least, int64_t most) {
  return most > least ? least + (int64_t)(g_random_double() * (double)(most - least + 1)) : least;
}

int64_t px_retry_pause(const PxRetry *retry, uint64_t n) {
  if (!retry)
    retry = &defaults;
  const Step *step = NULL;
  for (guint i = 0; retry->steps && i < retry->steps->len; i++)
    if (g_array_index(retry->steps, Step, i).from <= n)
      step = &g_array_index(retry->steps, Step, i);
  if (step && step->least < step->most)
    return at_random(step->least, step->most);
  int64_t pause = step ? step->most : retry->base;
  for (uint64_t i = 1; !step && i < n && pause < retry->cap; i++)
    pause *= GROWTH;
  pause = step ? pause : MIN(pause, retry->cap);
  return at_random(pause - pause / 4, pause);
}
