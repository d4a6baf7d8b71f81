/* SPDX-License-Identifier: Apache-2.0 */
#include "task/retry.h"

#define SECOND G_TIME_SPAN_SECOND

static PxRetry *read_retry(const char *text, PxComplaints *complaints) {
  g_autofree char *yaml = g_strdup_printf("retry: %s\n", text);
  g_autoptr(PxConfig) config = px_config_parse(yaml, "test.yaml", NULL);
  return px_retry_read(px_node_get(px_config_root(config), "retry"), "import task in", complaints);
}

static void assert_pause(const PxRetry *retry, uint64_t n, int64_t least, int64_t most) {
  for (int i = 0; i < 50; i++) {
    int64_t pause = px_retry_pause(retry, n);
    g_assert_cmpint(pause, >=, least);
    g_assert_cmpint(pause, <=, most);
  }
}

static void five_tries_with_growing_pauses(void) {
  g_assert_true(px_retry_again(NULL, 4));
  g_assert_false(px_retry_again(NULL, 5));
  assert_pause(NULL, 1, 75 * SECOND / 10, 10 * SECOND);
  assert_pause(NULL, 3, 120 * SECOND, 160 * SECOND);
  assert_pause(NULL, 1000, 45 * 60 * SECOND, 3600 * SECOND);
}

static void options_say_base_and_cap(void) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxRetry) retry = read_retry("{tries: 0, base: 1, cap: 5s}", complaints);
  g_assert_cmpuint(px_complaints_count(complaints), ==, 0);
  g_assert_true(px_retry_again(retry, 1000000));
  assert_pause(retry, 1, 75 * SECOND / 100, SECOND);
  assert_pause(retry, 9, 375 * SECOND / 100, 5 * SECOND);
}

static void table_says_the_pause_from_a_try_on(void) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxRetry) retry = read_retry("{10: [2m, 5m], 1: 10s, 5: 1m, tries: 12}", complaints);
  g_assert_cmpuint(px_complaints_count(complaints), ==, 0);
  assert_pause(retry, 1, 75 * SECOND / 10, 10 * SECOND);
  assert_pause(retry, 4, 75 * SECOND / 10, 10 * SECOND);
  assert_pause(retry, 5, 45 * SECOND, 60 * SECOND);
  assert_pause(retry, 11, 120 * SECOND, 300 * SECOND);
  g_assert_true(px_retry_again(retry, 11));
  g_assert_false(px_retry_again(retry, 12));
}

static void what_is_wrong_is_told(void) {
  static const struct {
    const char *text, *told;
  } cases[] = {
    {"5", "import task in: retry: write {tries: 5"}, {"{trie: 3}", "did you mean tries?"},
    {"{tries: some}", "tries is a number"},          {"{1: soon}", "a pause is a time"},
    {"{1: [5m, 2m]}", "the shorter first"},          {"{1: 5s, base: 3s}", "no place beside a table"},
    {"{base: 2h, cap: 1h}", "longer than cap"},      {"{base: x}", "are times such as"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(PxComplaints) complaints = px_complaints_new();
    g_autoptr(PxRetry) retry = read_retry(cases[i].text, complaints);
    g_assert_cmpuint(px_complaints_count(complaints), ==, 1);
    const PxComplaint *complaint = px_complaints_at(complaints, 0);
    g_assert_cmpuint(complaint->line, ==, 1);
    if (!strstr(complaint->text, cases[i].told))
      g_error("%s: told \"%s\"", cases[i].text, complaint->text);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/task/retry/five_tries_with_growing_pauses", five_tries_with_growing_pauses);
  g_test_add_func("/task/retry/options_say_base_and_cap", options_say_base_and_cap);
  g_test_add_func("/task/retry/table_says_the_pause_from_a_try_on", table_says_the_pause_from_a_try_on);
  g_test_add_func("/task/retry/what_is_wrong_is_told", what_is_wrong_is_told);
  return g_test_run();
}
