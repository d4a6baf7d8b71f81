/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "tests.h"

static void values_round_trip(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = prepare(f->db, is_postgres(f) ? "SELECT ?::bigint, ?::float, ?, ?::bytea, ?, ?, ?::bytea" : "SELECT ?, ?, ?, ?, ?, ?, ?");
  const PxValue values[] = {
    px_value_integer(INT64_MIN), px_value_real(0.1),     px_value_text("caf\xc3\xa9", 5), px_value_blob("\0\1", 2), px_value_null(),
    px_value_text(NULL, 0),      px_value_blob(NULL, 0),
  };
  for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
    px_stmt_bind(stmt, i, &values[i]);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
  g_assert_cmpuint(px_stmt_n_columns(stmt), ==, G_N_ELEMENTS(values));
  for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
    PxValue value = px_stmt_value(stmt, i);
    g_assert_true(px_value_equal(&values[i], &value));
  }
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_DONE);
}

static void dup_text_of_every_kind(Fixture *f, gconstpointer data) {
  PxStmt *stmt = prepare(f->db, "SELECT 12, 0.5, 'a', NULL");
  px_stmt_step(stmt, NULL);
  g_autofree char *integer = px_stmt_dup_text(stmt, 0);
  g_autofree char *real = px_stmt_dup_text(stmt, 1);
  g_autofree char *text = px_stmt_dup_text(stmt, 2);
  g_assert_cmpstr(integer, ==, "12");
  g_assert_cmpstr(real, ==, "0.5");
  g_assert_cmpstr(text, ==, "a");
  g_assert_null(px_stmt_dup_text(stmt, 3));
  px_stmt_reset(stmt);
}

static void same_text_same_statement_reset(Fixture *f, gconstpointer data) {
  PxStmt *first = prepare(f->db, "SELECT 1 UNION ALL SELECT 2");
  g_assert_cmpint(px_stmt_step(first, NULL), ==, PX_STEP_ROW);
  PxStmt *second = prepare(f->db, "SELECT 1 UNION ALL SELECT 2");
  g_assert_true(first == second);
  g_assert_cmpint(px_stmt_step(second, NULL), ==, PX_STEP_ROW);
  g_assert_cmpint(px_stmt_integer(second, 0), ==, 1);
  px_stmt_reset(second);
}

static void run_counts_changes(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2), (3)");
  g_assert_true(px_stmt_run(prepare(f->db, "UPDATE t SET a = a + 1 WHERE a > 1"), &error));
  g_assert_cmpuint(px_db_changes(f->db), ==, 2);
}

static void wrong_sql_is_internal_and_shown(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_null(px_db_prepare(f->db, "SELECT nothing FROM nowhere", &error));
  g_assert_nonnull(strstr(error->message, "SELECT nothing FROM nowhere"));
  assert_code(error, PX_ERROR_INTERNAL);
  g_assert_null(px_db_named(f->db, "no_such_file", &error));
  assert_code(error, PX_ERROR_INTERNAL);
}

static void missing_parameter_fails_the_step(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = prepare(f->db, "SELECT CAST(? AS integer)");
  px_stmt_bind_integer(stmt, 1, 1);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ERROR);
  assert_code(error, PX_ERROR_INTERNAL);
  px_stmt_bind_integer(stmt, 0, 1);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
  px_stmt_reset(stmt);
}

static void names_are_quoted(Fixture *f, gconstpointer data) {
  g_autoptr(GString) sql = g_string_new("SELECT 1 AS ");
  px_db_quote(f->db, sql, "a \"strange\" name");
  g_assert_cmpstr(sql->str, ==, "SELECT 1 AS \"a \"\"strange\"\" name\"");
  g_assert_cmpint(one_integer(f->db, sql->str), ==, 1);
}

static void collation_of_a_column(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a text COLLATE NOCASE, b)");
  const char *collation = NULL;
  g_assert_true(px_sqlite_column_collation(f->db, "t", "a", &collation, &error));
  g_assert_cmpstr(collation, ==, "NOCASE");
  g_assert_true(px_sqlite_column_collation(f->db, "t", "b", &collation, &error));
  g_assert_cmpstr(collation, ==, "BINARY");
  g_assert_false(px_sqlite_column_collation(f->db, "t", "c", &collation, &error));
  assert_code(error, PX_ERROR_INTERNAL);
}

/* Between the rows of one statement others run. */
static void statements_run_between_the_rows_of_another(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2), (3)");
  PxStmt *rows = prepare(f->db, "SELECT a FROM t ORDER BY a");
  for (int64_t i = 1; i <= 3; i++) {
    g_assert_cmpint(px_stmt_step(rows, &error), ==, PX_STEP_ROW);
    g_assert_cmpint(one_integer(f->db, "SELECT max(a) FROM t"), ==, 3);
    g_assert_cmpint(px_stmt_integer(rows, 0), ==, i);
  }
  g_assert_cmpint(px_stmt_step(rows, &error), ==, PX_STEP_DONE);
}

static void streamed_rows_are_all_there_in_order(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = prepare(f->db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(? AS integer)) SELECT i FROM n");
  px_stmt_stream(stmt);
  begin(f->db, PX_TX_READ);
  for (int64_t most = 3999; most <= 4001; most++) { /* portions of 2000 */
    px_stmt_bind_integer(stmt, 0, most);
    for (int64_t i = 1; i <= most; i++) {
      g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
      g_assert_cmpint(px_stmt_integer(stmt, 0), ==, i);
      if (i % 1999 == 0)
        g_assert_cmpint(one_integer(f->db, "SELECT 5"), ==, 5);
    }
    g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_DONE);
  }
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW); /* given up before its last row */
  px_stmt_reset(stmt);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
  g_assert_cmpint(px_stmt_integer(stmt, 0), ==, 1);
  px_stmt_reset(stmt);
  commit(f->db);
}

static void forgotten_statement_can_be_prepared_again(Fixture *f, gconstpointer data) {
  for (int i = 0; i < 3; i++) {
    PxStmt *stmt = prepare(f->db, "SELECT 7");
    g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
    px_stmt_reset(stmt);
    px_db_forget(f->db, stmt);
  }
}

/* ---- opening */

static void opens_with_our_settings(Fixture *f, gconstpointer data) {
  g_autofree char *mode = NULL;
  PxStmt *stmt = prepare(f->db, "PRAGMA journal_mode");
  px_stmt_step(stmt, NULL);
  mode = px_stmt_dup_text(stmt, 0);
  px_stmt_reset(stmt);
  g_assert_cmpstr(mode, ==, "wal");
  g_assert_cmpint(one_integer(f->db, "PRAGMA synchronous"), ==, 2);
  g_assert_cmpint(one_integer(f->db, "PRAGMA foreign_keys"), ==, 1);
  g_assert_cmpint(one_integer(f->db, "PRAGMA cache_size"), ==, -16384);
  g_assert_cmpstr(px_db_path(f->db), ==, f->path);
  g_assert_cmpint(px_db_dialect(f->db), ==, PX_DIALECT_SQLITE);
}

static void full_text_triggers_still_work(Fixture *f, gconstpointer data) {
  exec(f->db, "CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE VIRTUAL TABLE search USING fts5(a);"
              "CREATE TRIGGER t_search AFTER INSERT ON t BEGIN INSERT INTO search (a) VALUES (new.a); END;"
              "INSERT INTO t (a) VALUES ('one word')");
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM search WHERE search MATCH 'word'"), ==, 1);
}

static void open_fails(const char *url, PxError code, const char *words) {
  g_autoptr(GError) error = NULL;
  g_assert_null(px_db_open(&(PxDbOptions){.url = url}, &error));
  g_assert_nonnull(strstr(error->message, words));
  assert_code(error, (int)code);
}

static void cannot_open(Fixture *f, gconstpointer data) {
  g_autofree char *missing = g_strconcat(f->url, ".missing", NULL);
  open_fails(missing, PX_ERROR_UNREACHABLE, "test.db.missing");
  g_autofree char *folder = g_strconcat("sqlite:", f->folder, NULL);
  open_fails(folder, PX_ERROR_UNREACHABLE, f->folder);
  g_autofree char *text = g_build_filename(f->folder, "text.db", NULL);
  g_autofree char *text_url = g_strconcat("sqlite:", text, NULL);
  g_autofree char *words = g_strnfill(4096, 'x');
  g_assert_true(g_file_set_contents(text, words, -1, NULL));
  open_fails(text_url, PX_ERROR_UNREACHABLE, "text.db");
  open_fails("mysql://user:secret@host/db", PX_ERROR_CONFIG, "sqlite:shop.db");
  open_fails("sqlite:", PX_ERROR_CONFIG, "path");
}

static void corrupt_database_is_told_with_its_path(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  px_db_close(f->db);
  f->db = NULL;
  g_autofree char *bytes = NULL;
  gsize len;
  g_assert_true(g_file_get_contents(f->path, &bytes, &len, NULL));
  memset(bytes + 100, 0xff, len - 100); /* the header stays */
  g_assert_true(g_file_set_contents(f->path, bytes, (gssize)len, NULL));
  g_assert_null(px_db_open(&(PxDbOptions){.url = f->url}, &error));
  g_assert_nonnull(strstr(error->message, f->path));
  assert_code(error, PX_ERROR_UNREACHABLE);
}

void add_statement_tests(void) {
#define ADD(path, function) g_test_add("/db/sqlite/" path, Fixture, OVER_SQLITE, set_up, function, tear_down)
  ADD_BOTH("statement/values_round_trip", set_up, values_round_trip);
  ADD_BOTH("statement/dup_text_of_every_kind", set_up, dup_text_of_every_kind);
  ADD_BOTH("statement/same_text_same_statement_reset", set_up, same_text_same_statement_reset);
  ADD_BOTH("statement/run_counts_changes", set_up, run_counts_changes);
  ADD_BOTH("statement/wrong_sql_is_internal_and_shown", set_up, wrong_sql_is_internal_and_shown);
  ADD_BOTH("statement/missing_parameter_fails_the_step", set_up, missing_parameter_fails_the_step);
  ADD_BOTH("statement/statements_run_between_the_rows_of_another", set_up, statements_run_between_the_rows_of_another);
  ADD_BOTH("statement/streamed_rows_are_all_there_in_order", set_up, streamed_rows_are_all_there_in_order);
  ADD_BOTH("statement/forgotten_statement_can_be_prepared_again", set_up, forgotten_statement_can_be_prepared_again);
  ADD_BOTH("names_are_quoted", set_up, names_are_quoted);
  ADD("collation_of_a_column", collation_of_a_column);
  ADD("open/opens_with_our_settings", opens_with_our_settings);
  ADD("open/full_text_triggers_still_work", full_text_triggers_still_work);
  ADD("open/cannot_open", cannot_open);
  ADD("open/corrupt_database_is_told_with_its_path", corrupt_database_is_told_with_its_path);
#undef ADD
}
