/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

static const char schema[] = "CREATE TABLE country (id integer PRIMARY KEY, code text NOT NULL UNIQUE);"
                             "INSERT INTO country (code) VALUES ('FR'), ('BE');"
                             "CREATE TABLE partner (id integer PRIMARY KEY, name text NOT NULL, email text UNIQUE,"
                             " country_id integer REFERENCES country (id), active boolean NOT NULL DEFAULT TRUE);"
                             "INSERT INTO partner (name, email) VALUES ('Alice', 'alice@x.test');";

static const char base[] = "database: sqlite:shop.db\n"
                           "filestore: store\n"
                           "timezone: Europe/Paris\n"
                           "storages:\n"
                           "  drop: {type: file, directory: drop}\n"
                           "  gone: {type: file, directory: not/there}\n"
                           "patterns:\n"
                           "  partner: {model: partner, format: csv, chunk_size: 2, fields: [{field: email, key: true}, name]}\n"
                           "  all_or_none: {model: partner, format: csv, on_error: abort}\n"
                           "  all_or_few: {model: partner, format: csv, on_error: abort, chunk_size: 1, max_errors: 2}\n"
                           "  all_in_parts: {model: partner, format: csv, on_error: abort, chunk_size: 2}\n"
                           "  large: {model: partner, format: csv, chunk_size: 100000}\n"
                           "  named: {model: partner, format: csv, header: custom, fields: [{field: email, key: true, header: Mail},"
                           " {field: country_id/code, header: Land}, {field: name, header: Who}]}\n"
                           "  in_parts: {model: partner, format: csv, chunk_size: 2, process_multi: 2, fields: [{field: email, key: true}, name]}\n"
                           "  few_errors: {model: partner, format: csv, chunk_size: 1, max_errors: 2}\n";

static int64_t fixed_now(void *data) {
  const Fixture *f = data;
  return f->work_takes_time ? f->now + fixture_ask(f, "SELECT count(*) FROM partner") * G_USEC_PER_SEC : f->now;
}

char *fixture_path(const Fixture *f, const char *path) {
  return g_build_filename(f->directory, path, NULL);
}

static void make_database(const Fixture *f) {
  g_autofree char *path = fixture_path(f, "shop.db");
  g_autofree char *url = g_strconcat("sqlite:", path, NULL);
  const PxDbOptions options = {.url = url, .create = true};
  g_autoptr(PxDb) db = px_db_open(&options, NULL);
  g_assert_true(px_db_exec(db, schema, NULL));
}

void fixture_reopen(Fixture *f, bool dry_run) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = fixture_path(f, "pattimpex.yaml");
  const char *const paths[] = {path};
  const PxProjectOptions options = {.paths = paths, .n_paths = 1, .dry_run = dry_run, .now = fixed_now, .now_data = f};
  px_project_close(f->project);
  f->project = px_project_open(&options, NULL, &error);
  g_assert_no_error(error);
}

void fixture_set_up(Fixture *f, gconstpointer tasks) {
  f->directory = g_dir_make_tmp("px-flow-XXXXXX", NULL);
  f->now = NOW;
  make_database(f);
  g_autofree char *drop = fixture_path(f, "drop/in");
  g_assert_cmpint(g_mkdir_with_parents(drop, 0700), ==, 0);
  g_autofree char *config = fixture_path(f, "pattimpex.yaml");
  g_autofree char *text = g_strconcat(base, tasks ? (const char *)tasks : "", NULL);
  g_assert_true(g_file_set_contents(config, text, -1, NULL));
  fixture_reopen(f, false);
}

static void remove_tree(const char *path) {
  g_autoptr(GDir) entries = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
  const char *name;
  while (entries && (name = g_dir_read_name(entries))) {
    g_autofree char *below = g_build_filename(path, name, NULL);
    remove_tree(below);
  }
  (void)g_remove(path);
}

void fixture_tear_down(Fixture *f, gconstpointer data) {
  px_project_close(f->project);
  remove_tree(f->directory);
  g_free(f->directory);
}

void fixture_write(const Fixture *f, const char *path, const char *text, int64_t age) {
  g_autofree char *whole = fixture_path(f, path);
  g_assert_true(g_file_set_contents(whole, text, -1, NULL));
  int64_t changed = f->now / G_USEC_PER_SEC - age;
  const struct timespec times[2] = {{.tv_sec = (time_t)changed}, {.tv_sec = (time_t)changed}};
  g_assert_cmpint(utimensat(AT_FDCWD, whole, times, 0), ==, 0);
}

bool fixture_exists(const Fixture *f, const char *path) {
  g_autofree char *whole = fixture_path(f, path);
  return g_file_test(whole, G_FILE_TEST_EXISTS);
}

char *fixture_read(const Fixture *f, const char *path) {
  g_autofree char *whole = fixture_path(f, path);
  char *text = NULL;
  return g_file_get_contents(whole, &text, NULL, NULL) ? text : g_strdup("");
}

int64_t fixture_ask(const Fixture *f, const char *sql) {
  PxStmt *stmt = px_db_prepare(f->project->db, sql, NULL);
  g_assert_nonnull(stmt);
  g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
  int64_t value = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return value;
}

void fixture_exec(const Fixture *f, const char *sql) {
  g_autoptr(GError) error = NULL;
  bool done = px_db_exec(f->project->db, sql, &error);
  g_assert_no_error(error);
  g_assert_true(done);
}

PxRunResult fixture_run(const Fixture *f) {
  g_autoptr(GError) error = NULL;
  const PxRunOptions options = {0};
  PxRunResult result;
  bool done = px_run(f->project, &options, &result, &error);
  g_assert_no_error(error);
  g_assert_true(done);
  return result;
}

PxJob *fixture_job(const Fixture *f, const PxWorker *worker, const char *kind, const char *task, int64_t attachment_id, int64_t file_id) {
  PxDb *db = f->project->db;
  PxJob *job = px_job_new(kind, "root", task);
  job->attachment_id = attachment_id;
  job->file_id = file_id;
  g_assert_true(px_db_begin(db, PX_TX_WRITE, NULL));
  g_assert_true(px_job_enqueue_started(db, job, worker, f->now, NULL));
  g_assert_true(px_db_commit(db, NULL));
  return job;
}
