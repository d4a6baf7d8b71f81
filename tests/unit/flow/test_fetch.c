/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are fetched together. */
#include "suites.h"

#define TASK(more) "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done" more "}}\n"
#define ATTACHMENTS "SELECT count(*) FROM pattimpex_attachment"

static const char plain[] = TASK("");
static const char content[] = TASK(", avoid_duplicates: content");

/* in/NNN.csv, a partner each. */
static void write_files(const Fixture *f, unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf("drop/in/%03u.csv", i);
    g_autofree char *text = g_strdup_printf("email#key,name\np%u@x.test,P%u\n", i, i);
    fixture_write(f, path, text, 60);
  }
}

static bool fetch(Fixture *f, PxWork *ret_work, GError **error) {
  g_autoptr(PxWorker) worker = px_worker_open(f->project->db, NULL);
  g_autoptr(PxJob) job = fixture_job(f, worker, "fetch", "in", 0, 0);
  *ret_work = (PxWork){.project = f->project, .worker = worker, .job = job};
  return px_fetch_step(ret_work, error);
}

/* More than one batch, of which the last one is not full. */
static void many_files_are_taken_in_order(Fixture *f, gconstpointer data) {
  g_auto(PxWork) work = {0};
  write_files(f, 150);
  g_assert_true(fetch(f, &work, NULL));
  g_assert_cmpuint(work.report.fetched, ==, 150);
  g_assert_cmpint(fixture_ask(f, ATTACHMENTS " WHERE remote_action = 'done'"), ==, 150);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment AS a, pattimpex_attachment AS b WHERE a.id < b.id AND a.name > b.name"),
                  ==, 0);
  g_assert_cmpint(fixture_ask(f, "SELECT sum(n) FROM pattimpex_counter WHERE subject = 'fetched'"), ==, 150);
  g_assert_cmpint(
    fixture_ask(f, "SELECT sum(amount) = (SELECT sum(size) FROM pattimpex_attachment) FROM pattimpex_counter WHERE subject = 'fetched'"), ==, 1);
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 151);
  g_assert_true(fixture_exists(f, "drop/done/149.csv"));
  g_assert_false(fixture_exists(f, "drop/in/149.csv"));
}

static void same_content_in_one_batch_is_a_duplicate(Fixture *f, gconstpointer data) {
  g_auto(PxWork) work = {0};
  write_files(f, 5);
  fixture_write(f, "drop/in/002-again.csv", "email#key,name\np2@x.test,P2\n", 60);
  g_assert_true(fetch(f, &work, NULL));
  g_assert_cmpuint(work.report.fetched, ==, 5);
  g_assert_cmpuint(work.report.duplicates, ==, 1);
  g_assert_cmpint(fixture_ask(f, ATTACHMENTS " WHERE state = 'duplicate'"), ==, 1);
  g_assert_true(fixture_exists(f, "drop/done/004.csv"));
}

/* The database takes no attachment of that name. */
static void refuse(const Fixture *f, const char *name) {
  g_autofree char *trigger = g_strdup_printf(
    "CREATE TRIGGER no BEFORE INSERT ON pattimpex_attachment WHEN NEW.name = '%s' BEGIN SELECT RAISE(ABORT, 'not this one'); END", name);
  g_autofree char *constraint = g_strdup_printf("ALTER TABLE pattimpex_attachment ADD CONSTRAINT \"not this one\" CHECK (name <> '%s')", name);
  fixture_exec(f, f->url ? constraint : trigger);
}

static void refuse_no_more(const Fixture *f) {
  fixture_exec(f, f->url ? "ALTER TABLE pattimpex_attachment DROP CONSTRAINT \"not this one\"" : "DROP TRIGGER no");
}

static void file_that_the_database_refuses_keeps_back_no_other(Fixture *f, gconstpointer data) {
  g_auto(PxWork) work = {0};
  g_auto(PxWork) again = {0};
  write_files(f, 5);
  refuse(f, "002.csv");
  g_assert_true(fetch(f, &work, NULL));
  g_assert_cmpuint(work.report.fetched, ==, 4);
  g_assert_cmpuint(work.report.problems->len, ==, 1);
  const PxProblem *problem = work.report.problems->pdata[0];
  g_assert_true(g_str_has_prefix(problem->text, "002.csv: not taken: "));
  g_assert_nonnull(strstr(problem->text, "not this one"));
  g_assert_true(fixture_exists(f, "drop/in/002.csv"));
  g_assert_true(fixture_exists(f, "drop/done/004.csv"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE kind = 'import'"), ==, 4);
  refuse_no_more(f);
  g_assert_true(fetch(f, &again, NULL));
  g_assert_true(fixture_exists(f, "drop/done/002.csv"));
}

/* The second one is no duplicate of a file that is not in the queue. */
static void file_is_taken_whose_double_is_refused(Fixture *f, gconstpointer data) {
  g_auto(PxWork) work = {0};
  write_files(f, 3);
  fixture_write(f, "drop/in/001-again.csv", "email#key,name\np1@x.test,P1\n", 60);
  refuse(f, "001-again.csv"); /* the first of both by its name */
  g_assert_true(fetch(f, &work, NULL));
  g_assert_cmpuint(work.report.fetched, ==, 3);
  g_assert_cmpuint(work.report.duplicates, ==, 0);
  g_assert_cmpint(fixture_ask(f, ATTACHMENTS " WHERE state = 'pending' AND error IS NULL AND remote_action = 'done'"), ==, 3);
  g_assert_true(fixture_exists(f, "drop/done/001.csv"));
  g_assert_true(fixture_exists(f, "drop/in/001-again.csv"));
}

/* A batch may be cut by the time that it takes, so that there is more than one. */
static void more_files_are_not_more_statements(Fixture *f, gconstpointer data) {
  uint64_t run[3];
  static const unsigned n[] = {1, 10, 100};
  for (unsigned i = 0; i < 3; i++) {
    g_auto(PxWork) work = {0};
    write_files(f, n[i]);
    uint64_t before = px_db_counts(f->project->db).run;
    g_assert_true(fetch(f, &work, NULL));
    g_assert_cmpuint(work.report.fetched, ==, n[i]);
    run[i] = px_db_counts(f->project->db).run - before;
    fixture_exec(f, "UPDATE pattimpex_job SET state = 'cancelled'");
    fixture_exec(f, "UPDATE pattimpex_attachment SET sha256 = 'other' || id");
  }
  g_test_message("1 file: %" G_GUINT64_FORMAT " statements, 10: %" G_GUINT64_FORMAT ", 100: %" G_GUINT64_FORMAT, run[0], run[1], run[2]);
  g_assert_cmpuint(run[2], <, run[1] + 45);
}

/* Nothing was taken, and nothing was touched; the next run takes all. */
static void batch_that_cannot_be_stored_is_taken_by_the_next_run(Fixture *f, gconstpointer data) {
  g_auto(PxWork) work = {0};
  g_auto(PxWork) again = {0};
  g_autofree char *bytes = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "email#key,name\np2@x.test,P2\n", -1);
  g_autofree char *in_the_way = g_strdup_printf("store/%.2s", bytes);
  write_files(f, 5);
  fixture_write(f, in_the_way, "no directory", 60);
  g_assert_true(fetch(f, &work, NULL));
  g_assert_cmpuint(work.report.fetched, ==, 0);
  g_assert_cmpuint(work.report.problems->len, ==, 5);
  g_assert_cmpint(fixture_ask(f, ATTACHMENTS), ==, 0);
  g_assert_true(fixture_exists(f, "drop/in/004.csv"));
  g_autofree char *path = fixture_path(f, in_the_way);
  g_assert_cmpint(g_unlink(path), ==, 0);
  g_assert_true(fetch(f, &again, NULL));
  g_assert_cmpuint(again.report.fetched, ==, 5);
  g_assert_true(fixture_exists(f, "drop/done/004.csv"));
}

static volatile sig_atomic_t stop;

static void stop_at_third(const PxProgress *progress, void *data) {
  stop = progress->rows == 3;
}

/* What was read before the worker was told to stop is kept, and put away by the next run. */
static void stop_keeps_what_was_read(Fixture *f, gconstpointer data) {
  g_auto(PxWork) again = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(PxWorker) worker = px_worker_open(f->project->db, NULL);
  g_autoptr(PxJob) job = fixture_job(f, worker, "fetch", "in", 0, 0);
  g_auto(PxWork) work = {.project = f->project, .worker = worker, .job = job, .progress = stop_at_third};
  write_files(f, 5);
  f->project->stop = &stop;
  g_assert_false(px_fetch_step(&work, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_STOPPED);
  g_assert_cmpint(fixture_ask(f, ATTACHMENTS " WHERE remote_action = 'pending'"), ==, 3);
  g_assert_true(fixture_exists(f, "drop/in/000.csv"));
  f->project->stop = NULL;
  fixture_exec(f, "UPDATE pattimpex_job SET state = 'cancelled' WHERE kind = 'fetch'");
  g_assert_true(fetch(f, &again, NULL));
  g_assert_cmpuint(again.report.fetched, ==, 2);
  g_assert_cmpint(fixture_ask(f, ATTACHMENTS " WHERE remote_action = 'done'"), ==, 5);
}

void add_fetch_tests(void) {
#define ADD_SQLITE(path, tasks, function) g_test_add("/flow/fetch/sqlite/" path, Fixture, tasks, fixture_set_up, function, fixture_tear_down)
#define ADD_POSTGRES(path, tasks, function)                                                                                                          \
  g_test_add("/flow/fetch/postgres/" path, Fixture, tasks, fixture_set_up_postgres, function, fixture_tear_down)
#define ADD(path, tasks, function)                                                                                                                   \
  do {                                                                                                                                               \
    ADD_SQLITE(path, tasks, function);                                                                                                               \
    ADD_POSTGRES(path, tasks, function);                                                                                                             \
  } while (0)
  ADD("many_files_are_taken_in_order", plain, many_files_are_taken_in_order);
  ADD("same_content_in_one_batch_is_a_duplicate", content, same_content_in_one_batch_is_a_duplicate);
  ADD("file_that_the_database_refuses_keeps_back_no_other", plain, file_that_the_database_refuses_keeps_back_no_other);
  ADD("file_is_taken_whose_double_is_refused", content, file_is_taken_whose_double_is_refused);
  ADD_SQLITE("batch_that_cannot_be_stored_is_taken_by_the_next_run", plain, batch_that_cannot_be_stored_is_taken_by_the_next_run);
  ADD_SQLITE("stop_keeps_what_was_read", plain, stop_keeps_what_was_read);
  ADD_POSTGRES("more_files_are_not_more_statements", content, more_files_are_not_more_statements);
#undef ADD
#undef ADD_POSTGRES
#undef ADD_SQLITE
}
