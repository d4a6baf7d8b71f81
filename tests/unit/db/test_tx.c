/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, savepoints, dry run. */
#include "fixture.h"
#include "tests.h"

#define COUNT "SELECT count(*) FROM t"

static void set_up_table(Fixture *f, gconstpointer data) {
  set_up(f, data);
  create_table(f, f->db, "t", "a integer UNIQUE");
}

static void rollback_forgets_commit_keeps(Fixture *f, gconstpointer data) {
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  px_db_rollback(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  commit(f->db);
  px_db_rollback(f->db); /* harmless */
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 1);
}

/* 2: a commit waits for the disk. */
static int64_t ask_durability(const Fixture *f) {
  bool is_sqlite = px_db_dialect(f->db) == PX_DIALECT_SQLITE;
  return one_integer(f->db, is_sqlite ? "PRAGMA synchronous" : "SELECT CASE current_setting('synchronous_commit') WHEN 'on' THEN 2 ELSE 1 END");
}

static void only_what_may_be_lost_does_not_wait_for_the_disk(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(ask_durability(f), ==, 2);
  begin(f->db, PX_TX_WRITE_SOON);
  g_assert_cmpint(ask_durability(f), ==, 1);
  g_assert_false(px_db_begin(f->db, PX_TX_WRITE, &error));
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  commit(f->db);
  g_assert_cmpint(ask_durability(f), ==, 2);
  begin(f->db, PX_TX_WRITE_SOON);
  exec(f->db, "INSERT INTO t (a) VALUES (2)");
  px_db_rollback(f->db);
  g_assert_cmpint(ask_durability(f), ==, 2);
  begin(f->db, PX_TX_WRITE);
  g_assert_cmpint(ask_durability(f), ==, 2);
  commit(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 1);
}

static void savepoints_nest(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  g_assert_true(px_db_savepoint(f->db, &error));
  exec(f->db, "INSERT INTO t (a) VALUES (2)");
  g_assert_true(px_db_savepoint(f->db, &error));
  exec(f->db, "INSERT INTO t (a) VALUES (3)");
  g_assert_true(px_db_rollback_to(f->db, &error));
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 2);
  g_assert_true(px_db_savepoint(f->db, &error));
  exec(f->db, "INSERT INTO t (a) VALUES (4)");
  g_assert_true(px_db_release(f->db, &error));
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 3);
  g_assert_true(px_db_rollback_to(f->db, &error));
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 1);
  commit(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 1);
}

static void no_transaction_in_a_transaction(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  begin(f->db, PX_TX_WRITE);
  g_assert_false(px_db_begin(f->db, PX_TX_WRITE, &error));
  assert_code(error, PX_ERROR_INTERNAL);
  px_db_rollback(f->db);
  g_assert_false(px_db_savepoint(f->db, &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  g_assert_false(px_db_commit(f->db, &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
}

static void read_transaction_refuses_writes(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  begin(f->db, PX_TX_READ);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
  g_assert_false(px_stmt_run(prepare(f->db, "INSERT INTO t (a) VALUES (1)"), &error));
  assert_code(error, PX_ERROR_INTERNAL);
  commit(f->db);
  g_assert_true(px_stmt_run(prepare(f->db, "INSERT INTO t (a) VALUES (1)"), &error));
}

static void read_transaction_is_one_snapshot(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  begin(f->db, PX_TX_READ);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
  exec(other, "INSERT INTO t (a) VALUES (1)");
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
  commit(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 1);
}

static void raise_rollback_ends_the_transaction(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TRIGGER t_no BEFORE INSERT ON t WHEN new.a = 13 BEGIN SELECT RAISE(ROLLBACK, 'not thirteen'); END");
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  g_assert_true(px_db_savepoint(f->db, &error));
  g_assert_false(px_stmt_run(prepare(f->db, "INSERT INTO t (a) VALUES (13)"), &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  g_assert_cmpint(px_db_refusal(f->db)->kind, ==, PX_REFUSED_TRIGGER);
  g_assert_cmpstr(px_db_refusal(f->db)->message, ==, "not thirteen");
  g_assert_false(px_db_in_transaction(f->db));
  g_assert_false(px_db_rollback_to(f->db, &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  px_db_rollback(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
  begin(f->db, PX_TX_WRITE);
  g_assert_true(px_db_in_transaction(f->db));
  commit(f->db);
}

static void refused_statement_leaves_what_was_before_its_savepoint(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  g_assert_true(px_db_savepoint(f->db, &error));
  g_assert_false(px_stmt_run(prepare(f->db, "INSERT INTO t (a) VALUES (2), (1)"), &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  g_assert_true(px_db_in_transaction(f->db));
  g_assert_true(px_db_rollback_to(f->db, &error));
  commit(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 1);
}

static void disk_full_is_transient(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(one_integer(f->db, "PRAGMA max_page_count = 8"), ==, 8);
  begin(f->db, PX_TX_WRITE);
  g_assert_false(px_stmt_run(prepare(f->db, "INSERT INTO t (a) VALUES (zeroblob(100000))"), &error));
  assert_code(error, PX_ERROR_TRANSIENT);
  px_db_rollback(f->db);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
}

static void deferred_key_speaks_before_the_commit(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE child (t_id integer REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)");
  begin(f->db, PX_TX_WRITE);
  g_assert_true(px_db_savepoint(f->db, &error));
  exec(f->db, "INSERT INTO child VALUES (7)");
  g_assert_false(px_db_check_deferred(f->db, &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  g_assert_cmpint(px_db_refusal(f->db)->kind, ==, PX_REFUSED_FOREIGN_KEY);
  g_assert_true(px_db_rollback_to(f->db, &error));
  g_assert_true(px_db_check_deferred(f->db, &error));
  exec(f->db, "INSERT INTO child VALUES (7)"); /* still deferred */
  exec(f->db, "INSERT INTO t (id) VALUES (7)");
  g_assert_true(px_db_check_deferred(f->db, &error));
  commit(f->db);
}

static void deferred_key_speaks_at_the_commit(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE child (t_id integer REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)");
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO child VALUES (7)");
  g_assert_false(px_db_commit(f->db, &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  px_db_rollback(f->db);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM child"), ==, 0);
}

/* ---- dry run */

static PxDb *open_dry(const Fixture *f) {
  g_autoptr(GError) error = NULL;
  PxDb *db = px_db_open(&(PxDbOptions){.url = f->url, .dry_run = true, .create = true, .busy_ms = 1}, &error);
  g_assert_no_error(error);
  return db;
}

/* The file as bytes, after the log has been taken into it; what a fresh connection to PostgreSQL sees. */
static GBytes *contents(Fixture *f) {
  px_db_close(f->db);
  f->db = NULL;
  if (is_postgres(f)) {
    g_autoptr(PxDb) db = open_url(f->url, false);
    int64_t seen[] = {one_integer(db, COUNT), one_integer(db, "SELECT count(*) FROM pg_class"), one_integer(db, LOCKS)};
    return g_bytes_new(seen, sizeof seen);
  }
  char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(f->path, &bytes, &len, NULL));
  return g_bytes_new_take(bytes, len);
}

static void dry_run_leaves_the_database(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "INSERT INTO t (a) VALUES (1)");
  g_autoptr(GBytes) before = contents(f);
  f->db = open_dry(f);
  g_assert_true(px_db_is_dry_run(f->db));
  g_assert_true(px_db_migrate(f->db, &error));
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "INSERT INTO t (a) VALUES (2)");
  commit(f->db);
  exec(f->db, "INSERT INTO t (a) VALUES (3)");
  g_assert_true(px_stmt_run(prepare(f->db, "INSERT INTO t (a) VALUES (4)"), &error));
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "DELETE FROM t");
  px_db_rollback(f->db);
  begin(f->db, PX_TX_READ);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 4);
  commit(f->db);
  g_assert_true(px_db_migrate(f->db, &error));
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM pattimpex_external_id"), ==, 0);
  g_autoptr(GBytes) after = contents(f);
  g_assert_true(g_bytes_equal(before, after));
}

static void dry_run_cannot_be_talked_into_a_commit(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) before = contents(f);
  f->db = open_dry(f);
  g_assert_false(px_db_exec(f->db, "INSERT INTO t (a) VALUES (2); COMMIT", &error));
  assert_code(error, PX_ERROR_INTERNAL);
  g_autoptr(GBytes) after = contents(f);
  g_assert_true(g_bytes_equal(before, after));
}

static void dry_run_only_reads_without_the_write_lock(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) dry = open_dry(f);
  begin(f->db, PX_TX_WRITE);
  begin(dry, PX_TX_READ);
  g_assert_cmpint(one_integer(dry, COUNT), ==, 0);
  commit(dry);
  commit(f->db);
}

static void dry_run_tells_deferred_keys(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE child (t_id integer REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)");
  g_autoptr(PxDb) dry = open_dry(f);
  begin(dry, PX_TX_WRITE);
  exec(dry, "INSERT INTO child VALUES (7)");
  g_assert_false(px_db_commit(dry, &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  px_db_rollback(dry);
  begin(dry, PX_TX_WRITE);
  commit(dry);
}

/* What a dry run did before is gone with its transaction: it must not go on as if nothing had happened, but can begin again. */
static void dry_run_tells_a_lost_transaction(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TRIGGER t_no BEFORE INSERT ON t WHEN new.a = 13 BEGIN SELECT RAISE(ROLLBACK, 'not thirteen'); END");
  g_autoptr(PxDb) dry = open_dry(f);
  begin(dry, PX_TX_WRITE);
  g_assert_false(px_stmt_run(prepare(dry, "INSERT INTO t (a) VALUES (13)"), &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  px_db_rollback(dry);
  g_assert_true(px_db_lost_dry_run(dry));
  g_clear_error(&error);
  g_assert_false(px_db_begin(dry, PX_TX_WRITE, &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  g_clear_error(&error);
  g_assert_true(px_db_again_dry_run(dry, &error));
  g_assert_false(px_db_lost_dry_run(dry));
  begin(dry, PX_TX_WRITE);
  exec(dry, "INSERT INTO t (a) VALUES (1)");
  commit(dry);
  g_assert_cmpint(one_integer(dry, COUNT), ==, 1);
  g_assert_cmpint(one_integer(f->db, COUNT), ==, 0);
}

static void dry_run_makes_no_database(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *url = g_strconcat(f->url, ".new", NULL);
  g_assert_null(px_db_open(&(PxDbOptions){.url = url, .dry_run = true, .create = true}, &error));
  assert_code(error, PX_ERROR_UNREACHABLE);
}

void add_tx_tests(void) {
#define ADD(path, function) g_test_add("/db/sqlite/" path, Fixture, OVER_SQLITE, set_up_table, function, tear_down)
#define BOTH(path, function) ADD_BOTH(path, set_up_table, function)
  BOTH("transaction/rollback_forgets_commit_keeps", rollback_forgets_commit_keeps);
  BOTH("transaction/only_what_may_be_lost_does_not_wait_for_the_disk", only_what_may_be_lost_does_not_wait_for_the_disk);
  BOTH("transaction/savepoints_nest", savepoints_nest);
  BOTH("transaction/no_transaction_in_a_transaction", no_transaction_in_a_transaction);
  BOTH("transaction/read_transaction_refuses_writes", read_transaction_refuses_writes);
  BOTH("transaction/read_transaction_is_one_snapshot", read_transaction_is_one_snapshot);
  ADD("transaction/raise_rollback_ends_the_transaction", raise_rollback_ends_the_transaction);
  BOTH("transaction/refused_statement_leaves_what_was_before_its_savepoint", refused_statement_leaves_what_was_before_its_savepoint);
  ADD("transaction/disk_full_is_transient", disk_full_is_transient);
  BOTH("transaction/deferred_key_speaks_before_the_commit", deferred_key_speaks_before_the_commit);
  BOTH("transaction/deferred_key_speaks_at_the_commit", deferred_key_speaks_at_the_commit);
  BOTH("dry_run/leaves_the_database", dry_run_leaves_the_database);
  BOTH("dry_run/cannot_be_talked_into_a_commit", dry_run_cannot_be_talked_into_a_commit);
  BOTH("dry_run/only_reads_without_the_write_lock", dry_run_only_reads_without_the_write_lock);
  BOTH("dry_run/tells_deferred_keys", dry_run_tells_deferred_keys);
  ADD("dry_run/tells_a_lost_transaction", dry_run_tells_a_lost_transaction);
  ADD("dry_run/makes_no_database", dry_run_makes_no_database);
#undef BOTH
#undef ADD
}
