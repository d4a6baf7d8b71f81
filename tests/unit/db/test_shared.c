/* SPDX-License-Identifier: Apache-2.0 */
/* Several connections to one database: waiting, being seen to wait, migrating at once. */
#include "fixture.h"
#include "tests.h"

#include <pthread.h>

static void gives_up_on_a_lock(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) other = px_db_open(&(PxDbOptions){.url = f->url, .busy_ms = 1}, &error);
  g_assert_no_error(error);
  begin(f->db, PX_TX_WRITE);
  g_assert_false(px_db_begin(other, PX_TX_WRITE, &error));
  assert_code(error, PX_ERROR_TRANSIENT);
  g_assert_false(px_db_in_transaction(other));
  g_assert_false(px_db_has_waiters(f->db));
  commit(f->db);
  begin(other, PX_TX_WRITE);
  commit(other);
}

static gpointer write_once(gpointer data) {
  const Fixture *f = data;
  g_autoptr(PxDb) db = open_url(f->url, false);
  begin(db, PX_TX_WRITE);
  exec(db, "INSERT INTO t VALUES (2)");
  commit(db);
  return NULL;
}

static void waiter_is_seen_and_has_its_turn(Fixture *f, gconstpointer data) {
  exec(f->db, "CREATE TABLE t (a)");
  g_assert_false(px_db_has_waiters(f->db));
  begin(f->db, PX_TX_WRITE);
  GThread *thread = g_thread_new("waiter", write_once, f);
  while (!px_db_has_waiters(f->db))
    g_thread_yield();
  commit(f->db);
  g_thread_join(thread);
  g_assert_false(px_db_has_waiters(f->db));
  g_assert_cmpint(one_integer(f->db, "SELECT a FROM t"), ==, 2);
}

static void nobody_waits_no_lock_file(Fixture *f, gconstpointer data) {
  g_autofree char *lock = g_strconcat(f->path, "-pattimpex-wait", NULL);
  begin(f->db, PX_TX_WRITE);
  g_assert_false(px_db_has_waiters(f->db));
  commit(f->db);
  g_assert_false(g_file_test(lock, G_FILE_TEST_EXISTS));
}

static void waits_unseen_without_a_lock_file(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *lock = g_strconcat(f->path, "-pattimpex-wait", NULL);
  g_assert_cmpint(g_mkdir(lock, 0700), ==, 0); /* root, too, cannot open it for writing */
  g_autoptr(PxDb) other = px_db_open(&(PxDbOptions){.url = f->url, .busy_ms = 1}, &error);
  begin(f->db, PX_TX_WRITE);
  g_assert_false(px_db_begin(other, PX_TX_WRITE, &error));
  assert_code(error, PX_ERROR_TRANSIENT);
  g_assert_false(px_db_has_waiters(f->db));
  commit(f->db);
  begin(other, PX_TX_WRITE);
  commit(other);
}

static pthread_barrier_t together;

static gpointer open_and_close(gpointer url) {
  pthread_barrier_wait(&together);
  g_autoptr(PxDb) db = open_url(url, false);
  g_assert_nonnull(db);
  return NULL;
}

static void many_open_a_database_of_another_journal_at_once(Fixture *f, gconstpointer data) {
  exec(f->db, "CREATE TABLE t (a)");
  g_clear_pointer(&f->db, px_db_close);
  GThread *threads[4];
  g_assert_cmpint(pthread_barrier_init(&together, NULL, G_N_ELEMENTS(threads)), ==, 0);
  for (size_t round = 0; round < 400; round++) {
    PxDb *first = open_url(f->url, false);
    exec(first, "PRAGMA journal_mode = DELETE");
    px_db_close(first);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
      threads[i] = g_thread_new("open", open_and_close, f->url);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
      g_thread_join(threads[i]);
  }
  pthread_barrier_destroy(&together);
}

/* ---- migrations */

static void migrates_once(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_migrate(f->db, &error));
  int64_t rows = one_integer(f->db, "SELECT count(*) FROM pattimpex_schema_version");
  g_assert_cmpint(rows, ==, one_integer(f->db, "SELECT max(version) FROM pattimpex_schema_version"));
  g_assert_true(px_db_migrate(f->db, &error));
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM pattimpex_schema_version"), ==, rows);
  exec(f->db, "INSERT INTO pattimpex_external_id (module, name, model, res_id) VALUES ('base', 'fr', 'res_country', 75)");
}

static void newer_tables_are_refused(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_migrate(f->db, &error));
  exec(f->db, "INSERT INTO pattimpex_schema_version VALUES (9999, CURRENT_TIMESTAMP)");
  g_assert_false(px_db_migrate(f->db, &error));
  g_assert_nonnull(strstr(error->message, "9999"));
  assert_code(error, PX_ERROR_CONFIG);
}

static gpointer migrate(gpointer data) {
  const Fixture *f = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) db = open_url(f->url, false);
  bool ok = px_db_migrate(db, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
  return NULL;
}

static void many_migrate_at_once(Fixture *f, gconstpointer data) {
  GThread *threads[6];
  begin(f->db, PX_TX_WRITE); /* all of them find the version missing, then wait */
  if (is_postgres(f))
    g_assert_true(px_stmt_run(px_db_named(f->db, "migrate_lock", NULL), NULL));
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("migrate", migrate, f);
  while (is_postgres(f) ? one_integer(f->db, WAITING) < (int64_t)G_N_ELEMENTS(threads) : !px_db_has_waiters(f->db))
    g_thread_yield();
  commit(f->db);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) - max(version) FROM pattimpex_schema_version"), ==, 0);
}

void add_shared_tests(void) {
#define ADD(path, function) g_test_add("/db/sqlite/" path, Fixture, OVER_SQLITE, set_up, function, tear_down)
  ADD("wait/gives_up_on_a_lock", gives_up_on_a_lock);
  ADD("wait/waiter_is_seen_and_has_its_turn", waiter_is_seen_and_has_its_turn);
  ADD("wait/nobody_waits_no_lock_file", nobody_waits_no_lock_file);
  ADD("wait/waits_unseen_without_a_lock_file", waits_unseen_without_a_lock_file);
  ADD("open/many_open_a_database_of_another_journal_at_once", many_open_a_database_of_another_journal_at_once);
  ADD_BOTH("migrate/migrates_once", set_up, migrates_once);
  ADD_BOTH("migrate/newer_tables_are_refused", set_up, newer_tables_are_refused);
  ADD_BOTH("migrate/many_migrate_at_once", set_up, many_migrate_at_once);
#undef ADD
}
