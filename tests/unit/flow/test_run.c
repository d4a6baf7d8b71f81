/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and jobs to the end. */
#include "suites.h"

static const char both[] = "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: delete, error_path: errors}}\n"
                           "export_tasks: {out: {storage: drop, path: out, pattern: partner}}\n";
static const char one_broken[] = "import_tasks:\n"
                                 "  a: {storage: gone, path: in, pattern: partner}\n"
                                 "  b: {storage: drop, path: in, pattern: partner, after_import: delete}\n";
static const char in_parts[] = "import_tasks: {in: {storage: drop, path: in, pattern: in_parts, after_import: delete}}\n";
static const char held[] = "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: delete, process: manual}}\n";

static void file_in_errors_back_and_export_out(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", "email#key,name\nb@x.test,B\nc@x.test,\n", 60);
  PxRunResult result = fixture_run(f);
  g_assert_cmpint(px_run_exit_status(&result), ==, 1);
  g_assert_cmpuint(result.files_failed, ==, 1);
  g_assert_cmpuint(result.rows_failed, ==, 1);
  g_autofree char *errors = fixture_read(f, "drop/errors/a.csv");
  g_assert_true(g_str_has_prefix(errors, "#Error,email#key,name"));
  g_autofree char *out = fixture_read(f, "drop/out/partner.csv");
  g_assert_cmpstr(out, ==, "email#key,name\r\nalice@x.test,Alice\r\nb@x.test,B\r\n");
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE state <> 'done'"), ==, 0);
}

static void refused_file_comes_back_as_a_text(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", "email#key,nmae\nb@x.test,B\n", 60);
  PxRunResult result = fixture_run(f);
  g_assert_cmpuint(result.files_refused, ==, 1);
  g_autofree char *why = fixture_read(f, "drop/errors/a.csv.txt");
  g_assert_nonnull(strstr(why, "nmae"));
}

static void broken_task_never_stops_another(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", "email#key,name\nb@x.test,B\n", 60);
  PxRunResult result = fixture_run(f);
  g_assert_cmpuint(result.files_done, ==, 1);
  g_assert_cmpuint(result.jobs_left, ==, 1);
  g_assert_cmpint(px_run_exit_status(&result), ==, 3);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE task = 'a' AND state = 'pending' AND retries = 1"), ==, 1);
}

static void out_of_reach_again_and_again_fails_at_last(Fixture *f, gconstpointer data) {
  for (unsigned i = 0; i < PX_RETRY_TRIES; i++) {
    (void)fixture_run(f);
    f->now += 2 * G_TIME_SPAN_HOUR;
  }
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE task = 'a' AND state = 'failed'"), ==, 1);
}

static void held_attachments_wait_for_a_person(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  fixture_write(f, "drop/in/a.csv", "email#key,name\nb@x.test,B\n", 60);
  fixture_write(f, "drop/in/b.csv", "email#key,name\nc@x.test,C\n", 60);
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
  uint64_t queued;
  g_assert_true(px_attachments_queue(f->project, NULL, 0, 1, &queued, &error));
  g_assert_cmpuint(queued, ==, 1);
  PxRunResult result;
  const PxRunOptions options = {0};
  g_assert_true(px_run_jobs(f->project, &options, &result, &error));
  g_assert_cmpuint(result.files_done, ==, 1);
  g_assert_true(px_cancel(f->project, PX_SUBJECT_ATTACHMENT, 2, &error));
  g_assert_true(px_attachments_queue(f->project, NULL, 0, 0, &queued, &error));
  g_assert_cmpuint(queued, ==, 0);
}

static void file_given_by_hand_goes_through_the_task(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  int64_t id;
  fixture_write(f, "hand.csv", "email#key,name\nb@x.test,B\n", 0);
  g_autofree char *path = fixture_path(f, "hand.csv");
  g_assert_true(px_attachment_add_by_hand(f->project, "in", path, &id, &error));
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name = 'B'"), ==, 1);
  g_assert_true(fixture_exists(f, "hand.csv"));
}

static void disabled_task_runs_only_by_name(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", "email#key,name\nb@x.test,B\n", 60);
  g_assert_true(px_task_enable(f->project, "in", PX_ENABLED_NO, NULL));
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/in/a.csv"));
  const char *const tasks[] = {"in", NULL};
  const PxRunOptions options = {.tasks = tasks};
  PxRunResult result;
  g_assert_true(px_run(f->project, &options, &result, NULL));
  g_assert_false(fixture_exists(f, "drop/in/a.csv"));
}

static void export_by_hand_is_whole_or_not_at_all(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = fixture_path(f, "out.csv");
  PxExportByHand options = {.pattern = "partner", .output = path, .filter = "[('nmae', '=', 'x')]"};
  g_assert_null(px_export_by_hand(f->project, &options, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  g_clear_error(&error);
  g_assert_false(fixture_exists(f, "out.csv"));
  options.filter = NULL;
  g_autoptr(PxSummary) summary = px_export_by_hand(f->project, &options, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(summary->counts.rows, ==, 1);
  g_autofree char *text = fixture_read(f, "out.csv");
  g_assert_cmpstr(text, ==, "email#key,name\r\nalice@x.test,Alice\r\n");
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_file WHERE kind = 'export' AND state = 'done'"), ==, 1);
}

static void chunk_ends_when_its_rows_are_loaded(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", "email#key,name\nb@x.test,B\nc@x.test,C\nd@x.test,D\ne@x.test,E\n", 60);
  f->work_takes_time = true;
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE kind = 'chunk' AND state = 'done'"), >, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT min(ended - started) FROM pattimpex_job WHERE kind = 'chunk'"), >=, G_USEC_PER_SEC);
  g_assert_cmpint(fixture_ask(f, "SELECT max(ended) FROM pattimpex_job WHERE kind = 'chunk'"), ==, f->now + 5 * G_USEC_PER_SEC);
}

void add_run_tests(void) {
#define ADD(tasks, function) g_test_add("/flow/run/" #function, Fixture, tasks, fixture_set_up, function, fixture_tear_down)
  ADD(both, file_in_errors_back_and_export_out);
  ADD(both, refused_file_comes_back_as_a_text);
  ADD(both, file_given_by_hand_goes_through_the_task);
  ADD(both, disabled_task_runs_only_by_name);
  ADD(both, export_by_hand_is_whole_or_not_at_all);
  ADD(in_parts, chunk_ends_when_its_rows_are_loaded);
  ADD(one_broken, broken_task_never_stops_another);
  ADD(one_broken, out_of_reach_again_and_again_fails_at_last);
  ADD(held, held_attachments_wait_for_a_person);
#undef ADD
}
