/* SPDX-License-Identifier: Apache-2.0 */
#include "command/yaml.h"

/* The section "task" of text, written out again. */
static char *written(const char *text) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxConfig) config = px_config_parse(text, "test", &error);
  g_assert_no_error(error);
  GString *out = g_string_new(NULL);
  px_yaml_append(out, px_node_get(px_config_root(config), "task"), 2);
  return g_string_free(out, FALSE);
}

static void check_written(const char *text, const char *expected) {
  g_autofree char *actual = written(text);
  g_assert_cmpstr(actual, ==, expected);
}

static void plain_values_stay_plain(void) {
  check_written("task: {storage: drop, path: in/new, stable_for: 2s}", "  storage: drop\n  path: in/new\n  stable_for: 2s\n");
}

static void special_values_are_quoted(void) {
  check_written("task: {a: '*.csv', b: \"it's: \\\"x\\\"\", c: '', d: '[1', e: 'tab\there'}",
                "  a: \"*.csv\"\n  b: \"it's: \\\"x\\\"\"\n  c: \"\"\n  d: \"[1\"\n  e: \"tab\\x09here\"\n");
}

static void quoted_words_stay_text(void) {
  check_written("task: {a: 'yes', b: yes}", "  a: \"yes\"\n  b: yes\n");
}

static void lists_and_maps_nest(void) {
  check_written("task: {order: [name, -date], map: {x: {y: 1}}, none: [], nothing: }",
                "  order:\n    - name\n    - \"-date\"\n  map:\n    x:\n      y: 1\n  none: []\n  nothing: null\n");
}

static void secrets_are_not_written(void) {
  g_assert_true(g_setenv("PX_TEST_SECRET", "hush", TRUE));
  g_autofree char *text = written("task: {user: '${PX_TEST_SECRET}'}");
  g_assert_null(strstr(text, "hush"));
  g_assert_nonnull(strstr(text, "user: \"***\""));
}

static void copy_reads_back_the_same(void) {
  const char *text = "task: {a: '#no comment', b: '- no item', c: 'x: y', d: '@at', e: 'trailing ', f: '%p', g: '&a', h: '1.5', i: 'null'}";
  g_autoptr(GError) error = NULL;
  g_autofree char *copy = written(text);
  g_autofree char *section = g_strconcat("task:\n", copy, NULL);
  g_autofree char *again = written(section);
  g_assert_cmpstr(copy, ==, again);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/command/yaml/plain_values_stay_plain", plain_values_stay_plain);
  g_test_add_func("/command/yaml/special_values_are_quoted", special_values_are_quoted);
  g_test_add_func("/command/yaml/quoted_words_stay_text", quoted_words_stay_text);
  g_test_add_func("/command/yaml/lists_and_maps_nest", lists_and_maps_nest);
  g_test_add_func("/command/yaml/secrets_are_not_written", secrets_are_not_written);
  g_test_add_func("/command/yaml/copy_reads_back_the_same", copy_reads_back_the_same);
  return g_test_run();
}
