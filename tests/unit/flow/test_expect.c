/* SPDX-License-Identifier: Apache-2.0 */
/* People are told of files that are late or small. */
#include "suites.h"

#define HOUR G_TIME_SPAN_HOUR
#define DUE (NOW + G_GINT64_CONSTANT(28000) * G_USEC_PER_SEC) /* NOW is 23:13:20 in Paris: 07:00 there */

#define IMPORT "storage: drop, path: in, pattern: partner, after_import: delete"
#define HOOK "webhook: {url: \"http://localhost:1\", secret: s}\n" /* nobody listens: notices stay */
static const char by_seven[] = HOOK "import_tasks: {in: {" IMPORT ", expect: {by: \"07:00\"}}}\n";
static const char since_evening[] = HOOK "import_tasks: {in: {" IMPORT ", expect: {by: \"07:00\", after: \"19:00\"}}}\n";
static const char on_thursdays[] = HOOK "import_tasks: {in: {" IMPORT ", expect: {by: \"07:00\", days: thu}}}\n"; /* DUE is a Wednesday */
static const char disabled[] = HOOK "import_tasks: {in: {" IMPORT ", active: false, expect: {by: \"07:00\"}}}\n";
static const char ten_rows[] = HOOK "import_tasks: {in: {" IMPORT ", expect: {min_rows: 10}}}\n";
static const char any_size[] = HOOK "import_tasks: {in: {" IMPORT ", expect: {by: \"07:00\", min_rows: 0}}}\n";

/* What a scheduler and a worker do at a time. */
static void work_at(Fixture *f, int64_t now) {
  g_autoptr(GError) error = NULL;
  int64_t next;
  PxRunResult result;
  const PxRunOptions options = {0};
  f->now = now;
  g_assert_true(px_schedules_tick(f->project, now, &next, &error));
  g_assert_true(px_run_jobs(f->project, &options, &result, &error));
  g_assert_no_error(error);
}

static int64_t told(Fixture *f, const char *event) {
  g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM pattimpex_notice WHERE event = '%s' AND task = 'in'", event);
  return fixture_ask(f, sql);
}

static void drop_rows(Fixture *f, const char *name, unsigned n) {
  g_autofree char *path = g_strconcat("drop/in/", name, NULL);
  GString *text = g_string_new("email#key,name\n");
  for (unsigned i = 0; i < n; i++)
    g_string_append_printf(text, "%u@x.test,%s\n", i, name);
  fixture_write(f, path, text->str, 60);
  g_string_free(text, TRUE);
}

static void missing_file_is_told_once_a_day(Fixture *f, gconstpointer data) {
  work_at(f, NOW);
  work_at(f, DUE - 1);
  g_assert_cmpint(told(f, "late"), ==, 0);
  work_at(f, DUE);
  g_assert_cmpint(told(f, "late"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT why LIKE 'no file had come by 07:00 on 2023-11-15;%' FROM pattimpex_notice"), ==, 1);
  fixture_reopen(f, false);
  work_at(f, DUE + 1);
  work_at(f, DUE + 23 * HOUR);
  g_assert_cmpint(told(f, "late"), ==, 1);
  work_at(f, DUE + 24 * HOUR);
  g_assert_cmpint(told(f, "late"), ==, 2);
}

static void file_of_the_day_is_in_time(Fixture *f, gconstpointer data) {
  work_at(f, NOW);
  f->now = DUE - HOUR;
  drop_rows(f, "a.csv", 1);
  (void)fixture_run(f);
  work_at(f, DUE);
  g_assert_cmpint(told(f, "late"), ==, 0);
}

static void file_that_nobody_has_looked_for_is_found_when_it_is_due(Fixture *f, gconstpointer data) {
  work_at(f, NOW);
  f->now = DUE + 2 * HOUR; /* nothing was running */
  drop_rows(f, "a.csv", 1);
  work_at(f, DUE + 2 * HOUR);
  g_assert_cmpint(told(f, "late"), ==, 0);
}

static void file_of_the_day_before_is_that_days(Fixture *f, gconstpointer data) {
  drop_rows(f, "a.csv", 1);
  (void)fixture_run(f);
  work_at(f, NOW);
  work_at(f, DUE);
  g_assert_cmpint(told(f, "late"), ==, 1);
}

static void file_of_the_evening_counts_where_that_is_said(Fixture *f, gconstpointer data) {
  drop_rows(f, "a.csv", 1);
  (void)fixture_run(f);
  work_at(f, NOW);
  work_at(f, DUE);
  g_assert_cmpint(told(f, "late"), ==, 0);
}

static void other_days_and_disabled_tasks_expect_nothing(Fixture *f, gconstpointer data) {
  work_at(f, NOW);
  work_at(f, DUE);
  g_assert_cmpint(told(f, "late"), ==, 0);
}

static void folder_that_is_being_looked_at_is_waited_for(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  int64_t next;
  work_at(f, NOW);
  f->now = DUE;
  g_assert_true(px_schedules_tick(f->project, DUE, &next, &error));
  fixture_exec(f, "UPDATE pattimpex_job SET state = 'waiting' WHERE kind = 'fetch'");
  work_at(f, DUE);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE kind = 'expect' AND state = 'pending'"), ==, 1);
  g_assert_cmpint(told(f, "late"), ==, 0);
  work_at(f, DUE + HOUR); /* not for ever */
  g_assert_cmpint(told(f, "late"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT last_run FROM pattimpex_task_state UNION ALL SELECT 0 LIMIT 1"), ==, 0);
}

static void import_rows(Fixture *f, const char *name, unsigned n) {
  drop_rows(f, name, n);
  (void)fixture_run(f);
}

static void file_with_too_few_rows_is_told(Fixture *f, gconstpointer data) {
  import_rows(f, "a.csv", 10);
  g_assert_cmpint(told(f, "small"), ==, 0);
  import_rows(f, "b.csv", 9);
  g_assert_cmpint(told(f, "small"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT why = 'only 9 rows, expected are 10 or more' FROM pattimpex_notice WHERE event = 'small'"), ==, 1);
}

static void usual_is_half_the_median_of_the_last_files(Fixture *f, gconstpointer data) {
  static const unsigned before[] = {10, 1000, 12, 9, 11};
  for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
    g_autofree char *name = g_strdup_printf("%zu.csv", i);
    g_assert_cmpint(told(f, "small"), ==, 0);
    import_rows(f, name, before[i]);
  }
  import_rows(f, "six.csv", 6);
  g_assert_cmpint(told(f, "small"), ==, 0);
  import_rows(f, "four.csv", 4); /* the median of six is 10.5 */
  g_assert_cmpint(told(f, "small"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT why = 'only 4 rows, usual are about 10 (of the last 6 files)' FROM pattimpex_notice WHERE event = 'small'"),
                  ==, 1);
}

static void any_number_of_rows_will_do_where_that_is_said(Fixture *f, gconstpointer data) {
  for (char name[] = "a.csv"; name[0] < 'h'; name[0]++)
    import_rows(f, name, 10);
  import_rows(f, "z.csv", 0);
  g_assert_cmpint(told(f, "small"), ==, 0);
}

#define ADD(path, config, function) g_test_add("/flow/expect/" path, Fixture, config, fixture_set_up, function, fixture_tear_down)

void add_expect_tests(void) {
  ADD("missing_file_is_told_once_a_day", by_seven, missing_file_is_told_once_a_day);
  ADD("file_of_the_day_is_in_time", by_seven, file_of_the_day_is_in_time);
  ADD("file_that_nobody_has_looked_for_is_found", by_seven, file_that_nobody_has_looked_for_is_found_when_it_is_due);
  ADD("file_of_the_day_before_is_that_days", by_seven, file_of_the_day_before_is_that_days);
  ADD("file_of_the_evening_counts_where_that_is_said", since_evening, file_of_the_evening_counts_where_that_is_said);
  ADD("other_days_expect_nothing", on_thursdays, other_days_and_disabled_tasks_expect_nothing);
  ADD("disabled_task_expects_nothing", disabled, other_days_and_disabled_tasks_expect_nothing);
  ADD("folder_that_is_being_looked_at_is_waited_for", by_seven, folder_that_is_being_looked_at_is_waited_for);
  ADD("file_with_too_few_rows_is_told", ten_rows, file_with_too_few_rows_is_told);
  ADD("usual_is_half_the_median_of_the_last_files", by_seven, usual_is_half_the_median_of_the_last_files);
  ADD("any_number_of_rows_will_do", any_size, any_number_of_rows_will_do_where_that_is_said);
}
