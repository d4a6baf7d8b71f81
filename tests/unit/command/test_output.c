/* SPDX-License-Identifier: Apache-2.0 */
#include "command/output.h"

static const PxColumn COLUMNS[] = {{"id", "ID"}, {"name", "NAME"}, {"state", "STATE"}};

static void check_table(const char *rows, const char *expected) {
  g_autoptr(json_t) array = json_loads(rows, 0, NULL);
  g_assert_nonnull(array);
  g_autofree char *text = px_output_table(array, COLUMNS, G_N_ELEMENTS(COLUMNS), "no jobs");
  g_assert_cmpstr(text, ==, expected);
}

static void columns_are_aligned(void) {
  check_table("[{\"id\": 7, \"name\": \"partners.csv\", \"state\": \"done\"}, {\"id\": 123, \"name\": \"a\", \"state\": \"failed\"}]",
              " ID  NAME          STATE\n  7  partners.csv  done\n123  a             failed\n");
}

static void width_is_of_characters(void) {
  check_table("[{\"id\": 1, \"name\": \"Größe\", \"state\": \"x\"}, {\"id\": 2, \"name\": \"漢字\", \"state\": \"y\"}]",
              "ID  NAME   STATE\n 1  Größe  x\n 2  漢字   y\n");
}

static void no_rows_are_said(void) {
  check_table("[]", "no jobs\n");
}

static void null_and_missing_are_blank(void) {
  check_table("[{\"id\": 1, \"name\": null}]", "ID  NAME  STATE\n 1\n");
}

static void true_and_lists_read_well(void) {
  check_table("[{\"id\": true, \"name\": [\"a\", 2], \"state\": false}]", "ID   NAME  STATE\nyes  a, 2\n");
}

static void control_characters_do_not_reach_the_terminal(void) {
  check_table("[{\"id\": 1, \"name\": \"a\\u001b[31m\\nb\", \"state\": \"\"}]", "ID  NAME         STATE\n 1  a\\x1b[31m b\n");
}

static void object_is_a_line_a_value(void) {
  g_autoptr(json_t) object = json_pack("{s:i, s:s, s:n}", "id", 3, "state", "done", "name");
  g_autofree char *text = px_output_object(object, COLUMNS, G_N_ELEMENTS(COLUMNS));
  g_assert_cmpstr(text, ==, "ID     3\nSTATE  done\n");
}

static void times_are_local_and_short(void) {
  g_autoptr(GTimeZone) timezone = g_time_zone_new_offset(3600);
  g_autoptr(json_t) object = json_object();
  json_object_set_new(object, "at", px_json_time((int64_t)86400 * G_USEC_PER_SEC, timezone));
  json_object_set_new(object, "never", px_json_time(0, timezone));
  g_assert_cmpstr(json_string_value(json_object_get(object, "at")), ==, "1970-01-02T01:00:00+01:00");
  static const PxColumn times[] = {{"at", "AT", true}, {"never", "NEVER", true}};
  g_autofree char *text = px_output_object(object, times, 2);
  g_assert_cmpstr(text, ==, "AT     1970-01-02 01:00:00\n");
}

static void bad_bytes_become_valid_json(void) {
  g_autoptr(json_t) value = px_json_text("a\xff");
  g_assert_cmpstr(json_string_value(value), ==, "a\xef\xbf\xbd");
}

static void digits_are_grouped(void) {
  g_autofree char *small = px_group_digits(999);
  g_autofree char *large = px_group_digits(1234567);
  g_assert_cmpstr(small, ==, "999");
  g_assert_cmpstr(large, ==, "1,234,567");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/command/output/columns_are_aligned", columns_are_aligned);
  g_test_add_func("/command/output/width_is_of_characters", width_is_of_characters);
  g_test_add_func("/command/output/no_rows_are_said", no_rows_are_said);
  g_test_add_func("/command/output/null_and_missing_are_blank", null_and_missing_are_blank);
  g_test_add_func("/command/output/true_and_lists_read_well", true_and_lists_read_well);
  g_test_add_func("/command/output/control_characters_do_not_reach_the_terminal", control_characters_do_not_reach_the_terminal);
  g_test_add_func("/command/output/object_is_a_line_a_value", object_is_a_line_a_value);
  g_test_add_func("/command/output/times_are_local_and_short", times_are_local_and_short);
  g_test_add_func("/command/output/bad_bytes_become_valid_json", bad_bytes_become_valid_json);
  g_test_add_func("/command/output/digits_are_grouped", digits_are_grouped);
  return g_test_run();
}
