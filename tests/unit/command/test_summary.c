/* SPDX-License-Identifier: Apache-2.0 */
#include "command/summary.h"

static void check_line(const PxSummary *summary, const char *expected) {
  g_autofree char *line = px_summary_line(summary);
  g_assert_cmpstr(line, ==, expected);
}

static void import_leaves_out_what_is_zero(void) {
  PxSummary summary = {
    .kind = PX_FILE_IMPORT, .state = PX_STATE_DONE, .name = (char[]){"a.csv"}, .counts = {.rows = 1234, .created = 1230, .skipped = 4}};
  check_line(&summary, "a.csv: 1,230 created, 4 skipped (1,234 rows)");
}

static void import_of_no_rows(void) {
  PxSummary summary = {.kind = PX_FILE_IMPORT, .state = PX_STATE_DONE, .name = (char[]){"a.csv"}};
  check_line(&summary, "a.csv: no rows");
}

static void refusal_says_that_nothing_changed(void) {
  PxSummary summary = {.kind = PX_FILE_IMPORT, .state = PX_STATE_REFUSED, .name = (char[]){"a.csv"}, .error = (char[]){"it is empty"}};
  check_line(&summary, "a.csv: refused, nothing was changed");
}

static void what_ended_a_file_is_told(void) {
  PxSummary summary = {.kind = PX_FILE_IMPORT, .state = PX_STATE_FAILED, .name = (char[]){"a.csv"}, .error = (char[]){"the disk is full"}};
  check_line(&summary, "a.csv: no rows: the disk is full");
}

static void export_counts_records(void) {
  PxSummary summary = {.kind = PX_FILE_EXPORT, .state = PX_STATE_DONE, .name = (char[]){"a.csv"}, .counts = {.rows = 1}};
  check_line(&summary, "a.csv: 1 record exported");
}

static void check_message(const PxMessage *message, const char *expected) {
  g_autofree char *line = px_message_line(message);
  g_assert_cmpstr(line, ==, expected);
}

static void message_tells_its_place(void) {
  check_message(&(PxMessage){.row = 4, .column = "name", .message = "must not be empty"}, "row 4, name: must not be empty");
  check_message(&(PxMessage){.row = 4, .message = "too many cells"}, "row 4: too many cells");
  check_message(&(PxMessage){.message = "the file is empty"}, "the file is empty");
}

static void exit_status_follows_the_state(void) {
  g_assert_cmpint(px_summary_exit_status(&(PxSummary){.state = PX_STATE_DONE}), ==, 0);
  g_assert_cmpint(px_summary_exit_status(&(PxSummary){.state = PX_STATE_FAILED}), ==, 1);
  g_assert_cmpint(px_summary_exit_status(&(PxSummary){.state = PX_STATE_REFUSED}), ==, 2);
}

static void json_has_the_counts_of_an_import(void) {
  PxSummary summary = {.kind = PX_FILE_IMPORT, .state = PX_STATE_FAILED, .name = (char[]){"a.csv"}, .counts = {.rows = 3, .updated = 2, .failed = 1}};
  g_autoptr(json_t) object = px_summary_to_json(&summary);
  g_assert_cmpstr(json_string_value(json_object_get(object, "state")), ==, "failed");
  g_assert_cmpint(json_integer_value(json_object_get(object, "updated")), ==, 2);
  g_assert_cmpint(json_integer_value(json_object_get(object, "created")), ==, 0);
  g_assert_true(json_is_null(json_object_get(object, "file")));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/command/summary/import_leaves_out_what_is_zero", import_leaves_out_what_is_zero);
  g_test_add_func("/command/summary/import_of_no_rows", import_of_no_rows);
  g_test_add_func("/command/summary/refusal_says_that_nothing_changed", refusal_says_that_nothing_changed);
  g_test_add_func("/command/summary/what_ended_a_file_is_told", what_ended_a_file_is_told);
  g_test_add_func("/command/summary/export_counts_records", export_counts_records);
  g_test_add_func("/command/summary/message_tells_its_place", message_tells_its_place);
  g_test_add_func("/command/summary/exit_status_follows_the_state", exit_status_follows_the_state);
  g_test_add_func("/command/summary/json_has_the_counts_of_an_import", json_has_the_counts_of_an_import);
  return g_test_run();
}
