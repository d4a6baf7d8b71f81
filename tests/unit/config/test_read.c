/* SPDX-License-Identifier: Apache-2.0 */
#include "test_config.h"

typedef struct {
  char *name;
  bool active;
  uint64_t count;
  uint64_t size;
  int64_t wait;
  int mode;
  char **files;
  const PxConfigNode *rest;
} Target;

static const char *const modes[] = {"keep", "move", "delete", NULL};
static const PxKey keys[] = {
  {.name = "name", .type = PX_KEY_STRING, .offset = offsetof(Target, name), .required = true},
  {.name = "active", .type = PX_KEY_BOOLEAN, .offset = offsetof(Target, active)},
  {.name = "count", .type = PX_KEY_UNSIGNED, .offset = offsetof(Target, count), .min = 1, .max = 10},
  {.name = "size", .type = PX_KEY_SIZE, .offset = offsetof(Target, size)},
  {.name = "wait", .type = PX_KEY_DURATION, .offset = offsetof(Target, wait)},
  {.name = "mode", .type = PX_KEY_CHOICE, .offset = offsetof(Target, mode), .choices = modes},
  {.name = "files", .type = PX_KEY_STRINGS, .offset = offsetof(Target, files)},
  {.name = "rest", .type = PX_KEY_NODE, .offset = offsetof(Target, rest)},
};

static void target_clear(Target *target) {
  g_free(target->name);
  g_strfreev(target->files);
}

static PxComplaints *read_into(Target *target, PxConfig **ret_config, const char *text) {
  PxComplaints *complaints = px_complaints_new();
  *ret_config = parsed(text);
  px_config_read(px_config_root(*ret_config), keys, G_N_ELEMENTS(keys), target, "task x", complaints);
  return complaints;
}

static void good(void) {
  g_autoptr(PxConfig) config = NULL;
  Target target = {.name = g_strdup("default"), .active = true, .mode = 2};
  g_autoptr(PxComplaints) complaints =
    read_into(&target, &config, "name: n\nactive: no\ncount: 3\nsize: 64MiB\nwait: 1h30m\nfiles: ['*.csv', b]\nrest: {a: 1}\nmode:\n");
  g_assert_cmpuint(px_complaints_count(complaints), ==, 0);
  g_assert_cmpstr(target.name, ==, "n");
  g_assert_false(target.active);
  g_assert_cmpuint(target.count, ==, 3);
  g_assert_cmpuint(target.size, ==, 64 << 20);
  g_assert_cmpint(target.wait, ==, INT64_C(5400) * 1000000);
  g_assert_cmpint(target.mode, ==, 2);
  g_assert_cmpstr(target.files[1], ==, "b");
  g_assert_cmpint(px_node_type(target.rest), ==, PX_NODE_MAP);
  target_clear(&target);
}

static void assert_complains(const char *text, const char *part) {
  g_autoptr(PxConfig) config = NULL;
  Target target = {0};
  g_autoptr(PxComplaints) complaints = read_into(&target, &config, text);
  g_autoptr(GError) error = NULL;
  g_assert_false(px_complaints_to_error(complaints, &error));
  assert_contains(error->message, part);
  target_clear(&target);
}

static void bad(void) {
  assert_complains("name: n\nactiv: 1\n", "t:2: task x: unknown key \"activ\" (did you mean active?)");
  assert_complains("name: n\nzzzzzz: 1\n", "unknown key \"zzzzzz\" (known: name, active, ");
  assert_complains("active: true\n", "t:1: task x: \"name\" is missing");
  assert_complains("name:\n", "\"name\" is missing");
  assert_complains("name: [a]\n", "task x: name: a list, but a text is expected");
  assert_complains("name: n\nactive: 1\n", "t:2: task x: active: \"1\", but true or false is expected");
  assert_complains("name: n\ncount: 11\n", "a whole number from 1 to 10");
  assert_complains("name: n\ncount: 0\n", "a whole number from 1 to 10");
  assert_complains("name: n\ncount: -1\n", "a whole number from 1 to 10");
  assert_complains("name: n\nsize: 5 apples\n", "10 MB or 64MiB");
  assert_complains("name: n\nwait: 5\n", "1h30m");
  assert_complains("name: n\nmode: mov\n", "task x: mode: \"mov\" is none of keep, move, delete (did you mean move?)");
  assert_complains("name: n\nmode: [move]\n", "task x: mode: a list is none of keep, move, delete");
  assert_complains("name: n\nfiles: [a, [b]]\n", "a text or a list of texts");
  assert_complains("[a]", "t:1: task x: a list, but a map is expected");
}

static void secret_is_not_told(void) {
  (void)g_setenv("PX_TEST_SECRET", "hush", TRUE);
  assert_complains("name: n\ncount: ${PX_TEST_SECRET}\n", "task x: count: the value (hidden), but a whole number");
}

static void missing_map(void) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  Target target = {0};
  px_config_read(NULL, keys, G_N_ELEMENTS(keys), &target, "task x", complaints);
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 1);
  g_assert_null(px_complaints_at(complaints, 0)->file);
}

static void warnings(void) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  px_warn(complaints, NULL, "only %s", "this");
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 0);
  g_assert_cmpuint(px_complaints_count(complaints), ==, 1);
  g_assert_true(px_complaints_at(complaints, 0)->is_warning);
  g_assert_cmpstr(px_complaints_at(complaints, 0)->text, ==, "only this");
  g_assert_null(px_complaints_at(complaints, 1));
  g_assert_true(px_complaints_to_error(complaints, NULL));
}

static void sizes(void) {
  static const struct {
    const char *text;
    uint64_t bytes;
  } good_sizes[] = {
    {"0", 0}, {"1000", 1000}, {"10 MB", 10000000}, {"64MiB", 64 << 20}, {"1.5 KiB", 1536}, {" 2B ", 2}, {"3TB", UINT64_C(3000000000000)}};
  uint64_t bytes = 7;
  for (size_t i = 0; i < G_N_ELEMENTS(good_sizes); i++) {
    g_assert_true(px_config_parse_size(good_sizes[i].text, &bytes));
    g_assert_cmpuint(bytes, ==, good_sizes[i].bytes);
  }
  static const char *const bad_sizes[] = {"", "MB", "-1", "1M", "1 2", "1.MB", "99999999999999999999", "99999999999999 TiB", "1KB2"};
  for (size_t i = 0; i < G_N_ELEMENTS(bad_sizes); i++)
    g_assert_false(px_config_parse_size(bad_sizes[i], &bytes));
}

static void durations(void) {
  static const struct {
    const char *text;
    int64_t us;
  } good_durations[] = {{"0", 0},
                        {"2s", 2000000},
                        {"30 seconds", 30000000},
                        {"1h30m", INT64_C(5400000000)},
                        {"1 hour 30 minutes", INT64_C(5400000000)},
                        {"7d", INT64_C(604800000000)},
                        {"250ms", 250000},
                        {"0.5 s", 500000},
                        {"1w", INT64_C(604800000000)}};
  int64_t us = 7;
  for (size_t i = 0; i < G_N_ELEMENTS(good_durations); i++) {
    g_assert_true(px_config_parse_duration(good_durations[i].text, &us));
    g_assert_cmpint(us, ==, good_durations[i].us);
  }
  static const char *const bad_durations[] = {"", "5", "s", "-1s", "1h30", "1 fortnight", "99999999999999999w", "1h,2m"};
  for (size_t i = 0; i < G_N_ELEMENTS(bad_durations); i++)
    g_assert_false(px_config_parse_duration(bad_durations[i], &us));
}

void add_read_tests(void) {
  g_test_add_func("/config/read/good", good);
  g_test_add_func("/config/read/bad_values", bad);
  g_test_add_func("/config/read/secret_is_not_told", secret_is_not_told);
  g_test_add_func("/config/read/missing_map", missing_map);
  g_test_add_func("/config/read/warnings_are_no_errors", warnings);
  g_test_add_func("/config/read/sizes", sizes);
  g_test_add_func("/config/read/durations", durations);
}
