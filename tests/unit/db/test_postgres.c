/* SPDX-License-Identifier: Apache-2.0 */
/* What is PostgreSQL's alone: its URLs, its types, its errors, connections that are lost. */
#include "db/pg_private.h"
#include "fixture.h"
#include "tests.h"

#include <gio/gio.h>
#include <poll.h>

static char *with_parameter(const Fixture *f, const char *parameter) {
  return g_strconcat(f->url, "?", parameter, NULL);
}

/* ---- opening */

static void open_fails(const char *url, PxError code, const char *words) {
  g_autoptr(GError) error = NULL;
  g_assert_null(px_db_open(&(PxDbOptions){.url = url}, &error));
  g_assert_nonnull(strstr(error->message, words));
  g_assert_null(strstr(error->message, "s3cret"));
  assert_code(error, (int)code);
}

static void cannot_open(Fixture *f, gconstpointer data) {
  const char *host = strchr(f->url, '@') + 1;
  g_autofree char *missing = g_strconcat(f->url, "_missing", NULL);
  g_autofree char *mistyped = with_parameter(f, "sslmod=require&password=s3cret");
  g_autofree char *wrong_password = g_strconcat("postgresql://locked:s3cret@", host, NULL);
  open_fails(missing, PX_ERROR_UNREACHABLE, "_missing");
  open_fails(mistyped, PX_ERROR_CONFIG, "\"sslmod\"");
  exec(f->db, "CREATE ROLE locked LOGIN PASSWORD 'another'");
  open_fails(wrong_password, PX_ERROR_UNREACHABLE, "password authentication failed");
  exec(f->db, "DROP ROLE locked");
  open_fails("postgresql://", PX_ERROR_UNREACHABLE, "cannot open");
  open_fails("postgresql:nonsense", PX_ERROR_CONFIG, "postgresql://user@host");
  open_fails("postgresql://127.0.0.1:1/db", PX_ERROR_UNREACHABLE, "127.0.0.1");
}

/* What is left of a password that was not written with % codes must not be told either. */
static void broken_password_is_not_told(Fixture *f, gconstpointer data) {
  static const char *const urls[] = {
    "postgresql://user:pass/s3cret@host/db", "postgresql://user:pass@s3cret@host.invalid/db",
    "postgresql://user:12?s3cret@host/db",   "postgresql://user:%zzs3cret@host/db",
    "postgresql://user:s3cret#x@host/db",    "postgresql://user:1/s3cret@host/db",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(px_db_open(&(PxDbOptions){.url = urls[i]}, &error));
    g_assert_null(strstr(error->message, "s3cret"));
  }
}

static char *one_text(PxDb *db, const char *sql) {
  PxStmt *stmt = prepare(db, sql);
  g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
  char *text = px_stmt_dup_text(stmt, 0);
  px_stmt_reset(stmt);
  return text;
}

static void transaction_in_which_nothing_is_said_is_given_up(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer); INSERT INTO t VALUES (1)");
  g_autoptr(PxDb) slow = open_url(f->url, false);
  px_db_limit_idle(slow, 50);
  begin(slow, PX_TX_WRITE);
  exec(slow, "UPDATE t SET a = 2");
  exec(f->db, "UPDATE t SET a = 3"); /* has its turn when the server has ended the other one */
  g_assert_false(px_db_commit(slow, &error));
  assert_code(error, PX_ERROR_TRANSIENT);
  px_db_rollback(slow);
  begin(slow, PX_TX_WRITE);
  commit(slow);
  g_assert_cmpint(one_integer(f->db, "SELECT a FROM t"), ==, 3);
}

static gpointer sleep_long(gpointer data) {
  GError *error = NULL;
  PxDb *db = data;
  PxStmt *stmt = px_db_prepare(db, "SELECT pg_sleep(60)", NULL);
  g_assert_false(px_stmt_run(stmt, &error));
  return error;
}

static void cut_connection_is_lost_and_made_again(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  PxDbWait before, wait;
  px_db_wait(other, &before);
  g_assert_cmpuint(before.number, ==, 0);
  GThread *thread = g_thread_new("sleeper", sleep_long, other);
  while (
    one_integer(
      f->db, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active' AND datname = current_database()") ==
    0)
    g_thread_yield();
  px_db_wait(other, &wait);
  g_assert_cmpuint(wait.number, >, 0);
  g_assert_cmpuint(wait.moved, >, before.moved);
  px_db_cut(other);
  GError *error = g_thread_join(thread);
  g_assert_nonnull(strstr(error->message, "nothing more came over the connection"));
  assert_code(error, PX_ERROR_TRANSIENT);
  g_assert_cmpint(one_integer(other, "SELECT pg_backend_pid()"), !=, wait.process);
  px_db_wait(other, &wait);
  g_assert_cmpint(wait.process, ==, one_integer(other, "SELECT pg_backend_pid()"));
}

static void server_that_does_not_answer_is_given_up(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) patient = px_db_open_other(f->db, 100, &error);
  g_assert_no_error(error);
  g_assert_cmpint(one_integer(patient, "SELECT 1"), ==, 1);
  PxStmt *stmt = px_db_prepare(patient, "SELECT pg_sleep(60)", NULL);
  g_assert_false(px_stmt_run(stmt, &error));
  assert_code(error, PX_ERROR_TRANSIENT);
}

static void opens_with_our_settings(Fixture *f, gconstpointer data) {
  g_autofree char *name = one_text(f->db, "SELECT current_setting('application_name')");
  g_autofree char *moment = one_text(f->db, "SELECT timestamptz '2024-03-01 12:00:00.5+02'");
  g_autofree char *commit = one_text(f->db, "SHOW synchronous_commit");
  g_assert_cmpstr(name, ==, "pattimpex");
  g_assert_cmpstr(moment, ==, "2024-03-01 10:00:00.5+00");
  g_assert_cmpstr(commit, ==, "on");
  g_autoptr(PxDb) same = open_url(f->url, false);
  g_assert_cmpstr(px_db_path(f->db), ==, px_db_path(same));
  g_assert_cmpint(px_db_dialect(f->db), ==, PX_DIALECT_POSTGRES);
  g_autofree char *named = with_parameter(f, "application_name=shop&options=-csearch_path%3Dother");
  g_autoptr(PxDb) other = open_url(named, false);
  g_autofree char *other_name = one_text(other, "SELECT current_setting('application_name') || ' ' || current_setting('search_path')");
  g_assert_cmpstr(other_name, ==, "shop other");
  g_autofree char *short_url = g_strconcat("postgres", strchr(f->url, ':'), NULL);
  g_autoptr(PxDb) by_other_scheme = open_url(short_url, false);
  g_assert_cmpint(one_integer(by_other_scheme, "SELECT 1"), ==, 1);
}

static void server_sees_lost_connections(Fixture *f, gconstpointer data) {
  static const char settings[] = "SELECT current_setting('tcp_keepalives_idle') || ' ' || current_setting('tcp_keepalives_interval') || ' ' ||"
                                 " current_setting('tcp_keepalives_count') || ' ' || current_setting('tcp_user_timeout')";
  g_autofree char *ours = one_text(f->db, settings);
  g_assert_cmpstr(ours, ==, "30 10 3 60000");
  g_autofree char *told = with_parameter(f, "options=-ctcp_keepalives_idle%3D77%20-ctcp_user_timeout%3D5000");
  g_autoptr(PxDb) other = open_url(told, false);
  g_autofree char *theirs = one_text(other, settings);
  g_assert_cmpstr(theirs, ==, "77 10 3 5000");
}

static void service_file_and_environment_are_heard(Fixture *f, gconstpointer data) {
  g_autofree char *folder = g_dir_make_tmp("px-db-XXXXXX", NULL);
  g_autofree char *services = g_build_filename(folder, "services", NULL);
  const char *port = strrchr(f->url, ':') + 1;
  g_autofree char *text = g_strdup_printf("[shop]\nhost=127.0.0.1\nport=%.*s\nuser=tester\n", (int)strcspn(port, "/"), port);
  g_assert_true(g_file_set_contents(services, text, -1, NULL));
  g_setenv("PGSERVICEFILE", services, TRUE);
  g_setenv("PGDATABASE", strrchr(f->url, '/') + 1, TRUE);
  g_autoptr(PxDb) db = open_url("postgresql://?service=shop", false);
  g_assert_cmpint(one_integer(db, "SELECT 1"), ==, 1);
  g_unsetenv("PGSERVICEFILE");
  g_unsetenv("PGDATABASE");
  g_remove(services);
  g_rmdir(folder);
}

/* ---- SQL and values */

static void parameters_are_numbered(void) {
  static const char *const cases[][2] = {
    {"SELECT ?, '?', \"?\" -- ?\n, ? /* ? /* ? */ ? */, ?", "SELECT $1, '?', \"?\" -- ?\n, $2 /* ? /* ? */ ? */, $3"},
    {"SELECT 'it''s ?', E'\\'?', ?", "SELECT 'it''s ?', E'\\'?', $1"},
    {"SELECT $$?$$, $a$ $$ ? $a$, ?, a$1", "SELECT $$?$$, $a$ $$ ? $a$, $1, a$1"},
    {"SELECT name'?', ?", "SELECT name'?', $1"},
    {"SELECT '?", "SELECT '?"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    unsigned n;
    g_autofree char *sql = px_pg_number_parameters(cases[i][0], &n);
    g_assert_cmpstr(sql, ==, cases[i][1]);
  }
}

static void statements_are_told_apart(void) {
  static const struct {
    const char *sql;
    PxPgKind kind;
    bool commits;
  } cases[] = {
    {" -- x\n select 1", PX_PG_READS, false},
    {"WITH a AS (SELECT 'delete') SELECT 1", PX_PG_READS, false},
    {"WITH a AS (DELETE FROM t RETURNING 1) SELECT 1", PX_PG_WRITES, false},
    {"INSERT INTO t VALUES ('; commit')", PX_PG_WRITES, false},
    {"/* a */ COMMIT", PX_PG_COMMITS, true},
    {"DELETE FROM t; end", PX_PG_WRITES, true},
    {"PREPARE TRANSACTION 'x'", PX_PG_COMMITS, true},
    {"PREPARE x AS SELECT 1", PX_PG_WRITES, false},
    {"ROLLBACK TO px_0", PX_PG_TRANSACTION, false},
    {"CREATE TABLE commit_t (a integer)", PX_PG_WRITES, false},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpint(px_pg_kind(cases[i].sql), ==, cases[i].kind);
    g_assert_cmpint(px_pg_commits(cases[i].sql), ==, cases[i].commits);
  }
}

typedef struct {
  const char *sql;
  PxValueKind kind;
  const char *text; /* as px_stmt_dup_text() gives it */
} TypeCase;

static const TypeCase types[] = {
  {"true", PX_INTEGER, "1"},
  {"(-32768)::smallint", PX_INTEGER, "-32768"},
  {"(-9223372036854775808)::bigint", PX_INTEGER, "-9223372036854775808"},
  {"0.1::real", PX_REAL, "0.1"},
  {"1e300::float", PX_REAL, "1e+300"},
  {"12.50::numeric(10, 2)", PX_REAL, "12.5"},
  {"(-12.00)::numeric", PX_INTEGER, "-12"},
  {"123456789012345678::numeric", PX_INTEGER, "123456789012345678"},
  {"1234567890123456789012::numeric", PX_TEXT, "1234567890123456789012"},
  {"123456789012345.67::numeric", PX_TEXT, "123456789012345.67"},
  {"'NaN'::numeric", PX_TEXT, "NaN"},
  {"date '2024-02-29'", PX_TEXT, "2024-02-29"},
  {"timestamp '2024-02-29 12:00:00.25'", PX_TEXT, "2024-02-29 12:00:00.25"},
  {"interval '1 day 2 hours'", PX_TEXT, "1 day 02:00:00"},
  {"'ab '::char(5)", PX_TEXT, "ab"},
  {"'{\"a\": 1}'::jsonb", PX_TEXT, "{\"a\": 1}"},
  {"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid", PX_TEXT, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
  {"'\\x00ff'::bytea", PX_BLOB, ""},
};

static void types_become_values(Fixture *f, gconstpointer data) {
  for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
    g_autofree char *sql = g_strconcat("SELECT ", types[i].sql, NULL);
    PxStmt *stmt = prepare(f->db, sql);
    g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
    g_autofree char *text = px_stmt_dup_text(stmt, 0);
    g_assert_cmpint(px_stmt_value(stmt, 0).kind, ==, types[i].kind);
    g_assert_cmpstr(text, ==, types[i].text);
    px_stmt_reset(stmt);
  }
}

static void values_become_types(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a boolean, b numeric, c date, d bytea, e text, f smallint)");
  PxStmt *stmt = prepare(f->db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)");
  const PxValue values[] = {px_value_integer(1),           px_value_real(0.1),       px_value_string("2024-02-29"),
                            px_value_blob("\0'\\\xff", 4), px_value_string("a'\\b"), px_value_null()};
  for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
    px_stmt_bind(stmt, i, &values[i]);
  g_assert_true(px_stmt_run(stmt, &error));
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM t WHERE a AND b = 0.1 AND c = '2024-02-29' AND d = '\\x00275cff' AND e = E'a\\'\\\\b'"
                                     " AND f IS NULL"),
                  ==, 1);
  PxValue nul = px_value_text("a\0b", 3);
  px_stmt_bind(stmt, 4, &nul);
  g_assert_false(px_stmt_run(stmt, &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  PxValue word = px_value_string("x");
  px_stmt_bind(stmt, 4, &word);
  px_stmt_bind(stmt, 2, &word);
  g_assert_false(px_stmt_run(stmt, &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  g_assert_cmpint(px_db_refusal(f->db)->kind, ==, PX_REFUSED_OTHER);
}

/* ---- every statement of ours */

static void our_statements_are_good(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_migrate(f->db, &error));
  g_auto(GStrv) names = g_resources_enumerate_children("/pattimpex/sql", G_RESOURCE_LOOKUP_FLAGS_NONE, &error);
  g_assert_no_error(error);
  for (char **name = names; *name; name++) {
    if (!g_str_has_suffix(*name, ".sql") || g_str_has_prefix(*name, "sqlite_") || g_str_equal(*name, "schema_version_create.sql"))
      continue;
    g_autofree char *bare = g_strndup(*name, strlen(*name) - 4);
    g_assert_nonnull(px_db_named(f->db, bare, &error));
    g_assert_no_error(error);
  }
}

/* "integer PRIMARY KEY" gives numbers on SQLite alone. */
static void our_tables_number_their_rows(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_migrate(f->db, &error));
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM pg_attribute WHERE attname = 'id' AND attidentity = ''"
                                     " AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relname LIKE 'pattimpex%')"),
                  ==, 0);
}

/* ---- errors */

static void statement_fails(PxDb *db, const char *sql, PxError code, const char *words) {
  g_autoptr(GError) error = NULL;
  g_assert_false(px_stmt_run(prepare(db, sql), &error));
  g_assert_nonnull(strstr(error->message, words));
  assert_code(error, (int)code);
}

static void failed_transaction_only_rolls_back(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer CHECK (a > 0))");
  begin(f->db, PX_TX_WRITE);
  g_assert_false(px_db_exec(f->db, "INSERT INTO t VALUES (0)", &error));
  assert_code(error, PX_ERROR_CONSTRAINT);
  g_assert_true(px_db_in_transaction(f->db));
  g_assert_false(px_db_exec(f->db, "INSERT INTO t VALUES (1)", &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  g_assert_false(px_db_commit(f->db, &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  px_db_rollback(f->db);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM t"), ==, 0);
}

static void waiting_ends(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) other = px_db_open(&(PxDbOptions){.url = f->url, .busy_ms = 1}, &error);
  exec(f->db, "CREATE TABLE t (a integer); INSERT INTO t VALUES (1)");
  begin(f->db, PX_TX_WRITE);
  exec(f->db, "UPDATE t SET a = 2");
  statement_fails(other, "UPDATE t SET a = 3", PX_ERROR_TRANSIENT, "lock");
  commit(f->db);
  g_autoptr(PxDb) limited = open_url(f->url, false);
  exec(limited, "SET statement_timeout = 1");
  statement_fails(limited, "SELECT pg_sleep(20)", PX_ERROR_TRANSIENT, "statement timeout");
}

static void missing_right_is_told(Fixture *f, gconstpointer data) {
  exec(f->db, "CREATE TABLE t (a integer); CREATE ROLE no_rights; SET ROLE no_rights");
  g_autoptr(GError) error = NULL;
  g_assert_false(px_db_exec(f->db, "SELECT a FROM t", &error));
  g_assert_nonnull(strstr(error->message, "permission denied"));
  assert_code(error, PX_ERROR_CONFIG);
  exec(f->db, "RESET ROLE; DROP ROLE no_rights");
}

static gpointer interrupt_when_it_waits(gpointer data) {
  const Fixture *f = data;
  g_autoptr(PxDb) other = open_url(f->url, false);
  while (one_integer(other, WAITING) == 0)
    g_thread_yield();
  px_db_interrupt(f->db);
  return NULL;
}

static void interrupt_ends_a_statement(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) holder = open_url(f->url, false);
  begin(holder, PX_TX_WRITE);
  g_assert_true(px_stmt_run(prepare(holder, "SELECT pg_advisory_xact_lock(1)"), NULL));
  GThread *thread = g_thread_new("interrupt", interrupt_when_it_waits, f);
  statement_fails(f->db, "SELECT pg_advisory_lock(1)", PX_ERROR_STOPPED, "cancel");
  g_thread_join(thread);
  commit(holder);
  g_assert_cmpint(one_integer(f->db, "SELECT 1"), ==, 1); /* what begins later works */
}

static void changed_table_is_read_again(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer); INSERT INTO t VALUES (1)");
  PxStmt *stmt = prepare(f->db, "SELECT * FROM t");
  g_assert_true(px_stmt_run(stmt, &error));
  exec(f->db, "ALTER TABLE t ADD COLUMN b integer");
  g_assert_false(px_stmt_run(stmt, NULL));
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
  g_assert_cmpuint(px_stmt_n_columns(stmt), ==, 2);
  px_stmt_reset(stmt);
}

/* ---- lost connections */

#define BACKEND "SELECT pg_backend_pid()"

static void cut(const Fixture *f, PxDb *db) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  PxStmt *stmt = prepare(other, "SELECT pg_terminate_backend(CAST(? AS integer), 20000)");
  px_stmt_bind_integer(stmt, 0, one_integer(db, BACKEND));
  g_assert_true(px_stmt_run(stmt, NULL));
}

static void lost_connection_is_made_again(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer)");
  PxStmt *insert = prepare(f->db, "INSERT INTO t VALUES (1)");
  g_assert_true(px_stmt_run(insert, &error));
  cut(f, f->db);
  begin(f->db, PX_TX_WRITE); /* nothing was lost */
  g_assert_true(px_stmt_run(insert, &error));
  cut(f, f->db);
  g_assert_false(px_stmt_run(insert, &error));
  assert_code(error, PX_ERROR_TRANSIENT);
  g_assert_false(px_db_in_transaction(f->db));
  g_assert_false(px_stmt_run(insert, NULL)); /* not by itself, outside of what it belongs to */
  px_db_rollback(f->db);
  begin(f->db, PX_TX_WRITE);
  g_assert_true(px_stmt_run(insert, &error));
  commit(f->db);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM t"), ==, 2);
}

static void dry_run_tells_a_lost_transaction(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer)");
  g_autoptr(PxDb) dry = px_db_open(&(PxDbOptions){.url = f->url, .dry_run = true}, &error);
  begin(dry, PX_TX_WRITE);
  exec(dry, "INSERT INTO t VALUES (1)");
  commit(dry);
  cut(f, dry);
  g_assert_false(px_db_begin(dry, PX_TX_WRITE, &error));
  g_clear_error(&error);
  g_assert_true(px_db_lost_dry_run(dry));
  g_assert_false(px_db_begin(dry, PX_TX_WRITE, &error));
  assert_code(error, PX_ERROR_ROLLED_BACK);
  g_assert_true(px_db_again_dry_run(dry, &error));
  begin(dry, PX_TX_WRITE);
  exec(dry, "INSERT INTO t VALUES (1)");
  commit(dry);
  g_assert_cmpint(one_integer(dry, "SELECT count(*) FROM t"), ==, 1);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM t"), ==, 0);
}

/* The second lock: what begins outside the transaction of the dry run only reads. */
static void dry_run_writes_nothing_behind_a_rollback(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  exec(f->db, "CREATE TABLE t (a integer)");
  g_autoptr(PxDb) dry = px_db_open(&(PxDbOptions){.url = f->url, .dry_run = true}, &error);
  g_assert_false(px_db_exec(dry, "ROLLBACK; INSERT INTO t VALUES (1)", &error));
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM t"), ==, 0);
}

/* ---- waking */

static bool is_readable(int fd, int milliseconds) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, milliseconds) == 1;
}

static void wake(PxDb *db) {
  begin(db, PX_TX_WRITE);
  px_db_notify(db);
  commit(db);
}

/* A notification that arrives with the answer of a statement must not be lost. */
static void notification_beside_a_statement_wakes(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  int fd = px_db_listen(f->db);
  wake(other);
  g_assert_true(is_readable(fd, 20000));
  g_assert_cmpint(one_integer(f->db, "SELECT 1"), ==, 1); /* takes it from the socket */
  g_assert_true(is_readable(fd, 0));
  px_db_heard(f->db);
  g_assert_false(is_readable(fd, 0));
}

static void listens_on_after_the_connection_was_lost(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) other = open_url(f->url, false);
  int fd = px_db_listen(f->db);
  cut(f, f->db);
  g_assert_true(is_readable(fd, 20000));
  px_db_heard(f->db);
  begin(f->db, PX_TX_READ); /* looks, as after each waking */
  commit(f->db);
  g_assert_false(is_readable(fd, 0));
  wake(other);
  g_assert_true(is_readable(fd, 20000));
}

/* ---- arrays */

static void arrays_are_what_was_bound(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  const char *words[] = {"plain", "", "NULL", "with \"quotes\", commas", "back\\slash {brace}", "li\nne", "é€", NULL};
  PxValue texts[G_N_ELEMENTS(words)], numbers[G_N_ELEMENTS(words)], blobs[G_N_ELEMENTS(words)];
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    texts[i] = px_value_string(words[i]);
    numbers[i] = i == 3 ? px_value_real(0.1) : i == 4 ? px_value_null() : px_value_integer(i == 5 ? INT64_MIN : (int64_t)i);
    blobs[i] = words[i] ? px_value_blob(words[i], strlen(words[i]) + 1) : px_value_null();
  }
  PxStmt *stmt =
    prepare(f->db, "SELECT t, n, b FROM unnest(?::text[], ?::numeric[], ?::bytea[]) WITH ORDINALITY AS u (t, n, b, place) ORDER BY place");
  for (size_t n = 0; n <= G_N_ELEMENTS(words); n += G_N_ELEMENTS(words) / 2) {
    px_stmt_bind_array(stmt, 0, texts, n);
    px_stmt_bind_array(stmt, 1, numbers, n);
    px_stmt_bind_array(stmt, 2, blobs, n);
    for (size_t i = 0; i < n; i++) {
      g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
      PxValue row[] = {px_stmt_value(stmt, 0), px_stmt_value(stmt, 1), px_stmt_value(stmt, 2)};
      g_assert_true(px_value_equal(&row[0], &texts[i]));
      g_assert_true(i == 5 || px_value_equal(&row[1], &numbers[i])); /* has more digits than a decimal is read as a number with */
      g_assert_true(px_value_equal(&row[2], &blobs[i]));
    }
    g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_DONE);
    g_assert_no_error(error);
  }
}

static void array_item_that_does_not_fit_is_refused(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  PxValue values[] = {px_value_text("a\0b", 3), px_value_string("x")};
  PxStmt *stmt = px_db_prepare_batch(f->db, "SELECT unnest(?::text[])");
  px_stmt_bind_array(stmt, 0, values, 2);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ERROR);
  assert_code(error, PX_ERROR_CONSTRAINT);
  px_db_forget(f->db, stmt);
  stmt = px_db_prepare_batch(f->db, "SELECT unnest(?::integer[])");
  px_stmt_bind_array(stmt, 0, values + 1, 1);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ERROR);
  assert_code(error, PX_ERROR_CONSTRAINT);
  px_db_forget(f->db, stmt);
  g_assert_cmpint(one_integer(f->db, "SELECT 1"), ==, 1);
}

/* ---- copy */

static const char *const copied[] = {"plain", "", "\\N", "\\.", "tab\tand\\t", "li\nne\r", "é€", NULL};
enum { N_COPIED = G_N_ELEMENTS(copied), N_COPIES = 3000 * N_COPIED }; /* more than libpq is given at once */

static void copy_writes_what_was_given(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree PxValue *cells = g_new0(PxValue, 4 * N_COPIES);
  for (size_t i = 0; i < N_COPIES; i++) {
    const char *text = copied[i % N_COPIED];
    PxValue *row = cells + 4 * i;
    row[0] = px_value_integer((int64_t)i);
    row[1] = px_value_string(text);
    row[2] = i % 2 ? px_value_real(-0.1) : px_value_integer(INT64_MIN);
    row[3] = text ? px_value_blob(text, strlen(text) + 1) : px_value_null();
  }
  g_assert_true(px_db_exec(f->db, "CREATE TEMP TABLE copied (id bigint, t text, n numeric, b bytea)", &error));
  begin(f->db, PX_TX_WRITE);
  g_assert_true(px_db_copy(f->db, "copied", "id, t, n, b", cells, 4, N_COPIES, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(px_db_changes(f->db), ==, N_COPIES);
  commit(f->db);
  PxStmt *stmt = prepare(f->db, "SELECT t, b, n = CASE WHEN id % 2 = 1 THEN -0.1 ELSE -9223372036854775808 END FROM copied ORDER BY id");
  for (size_t i = 0; i < N_COPIES; i++) {
    g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
    PxValue row[] = {px_stmt_value(stmt, 0), px_stmt_value(stmt, 1)};
    g_assert_true(px_value_equal(&row[0], &cells[4 * i + 1]) && px_value_equal(&row[1], &cells[4 * i + 3]));
    g_assert_cmpint(px_stmt_integer(stmt, 2), ==, 1);
  }
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_DONE);
}

/* Columns of these types, and values for them. */
static const struct {
  const char *type;
  PxValue values[10]; /* up to the first NULL */
} copied_types[] = {
  {"smallint", {{.kind = PX_INTEGER, .integer = INT16_MIN}, {.kind = PX_INTEGER, .integer = INT16_MAX}, {.kind = PX_INTEGER}}},
  {"whole", {{.kind = PX_INTEGER, .integer = INT32_MIN}, {.kind = PX_INTEGER, .integer = INT32_MAX}, {.kind = PX_INTEGER, .integer = 1}}},
  {"bigint", {{.kind = PX_INTEGER, .integer = INT64_MIN}, {.kind = PX_INTEGER, .integer = INT64_MAX}, {.kind = PX_INTEGER, .integer = -7}}},
  {"boolean", {{.kind = PX_INTEGER, .integer = 1}, {.kind = PX_INTEGER}}},
  {"double precision",

   {{.kind = PX_REAL, .real = 0.1},
    {.kind = PX_REAL, .real = -0.0},
    {.kind = PX_REAL, .real = 1e300},
    {.kind = PX_INTEGER, .integer = (1LL << 53) + 1}}},
  {"numeric",

   {{.kind = PX_REAL, .real = 1234.5},
    {.kind = PX_REAL, .real = -0.00012},
    {.kind = PX_INTEGER, .integer = 100000000},
    {.kind = PX_INTEGER, .integer = INT64_MIN},
    {.kind = PX_INTEGER},
    {.kind = PX_TEXT, .len = 7, .text = "0012.50"},
    {.kind = PX_TEXT, .len = 27, .text = "-98765432101234567.00010002"},
    {.kind = PX_TEXT, .len = 8, .text = "10000.10"},
    {.kind = PX_TEXT, .len = 9, .text = "-0.000000"}}},
  {"numeric(6, 2)",

   {{.kind = PX_REAL, .real = 1234.565}, {.kind = PX_TEXT, .len = 8, .text = "9999.994"}, {.kind = PX_INTEGER, .integer = -1}}},
  {"date",

   {{.kind = PX_TEXT, .len = 10, .text = "2000-02-29"},
    {.kind = PX_TEXT, .len = 10, .text = "1999-12-31"},
    {.kind = PX_TEXT, .len = 10, .text = "0001-01-01"},
    {.kind = PX_TEXT, .len = 10, .text = "9999-12-31"}}},
  {"timestamp(3)",

   {{.kind = PX_TEXT, .len = 19, .text = "2024-03-01 23:59:59"},
    {.kind = PX_TEXT, .len = 23, .text = "1969-12-31 00:00:00.001"},
    {.kind = PX_TEXT, .len = 26, .text = "2024-12-31 23:59:59.999500"}}},
  {"timestamptz",

   {{.kind = PX_TEXT, .len = 25, .text = "2024-03-01 23:59:59+00:00"}, {.kind = PX_TEXT, .len = 27, .text = "1899-12-31 12:00:00.5+00:00"}}},
  {"text", {{.kind = PX_TEXT, .text = ""}, {.kind = PX_TEXT, .len = 8, .text = "\t\\N\r\n\xc3\xa9\\"}}},
  {"varchar(2)", {{.kind = PX_TEXT, .len = 4, .text = "ab  "}}},
  {"character(3)", {{.kind = PX_TEXT, .len = 1, .text = "a"}, {.kind = PX_TEXT, .len = 5, .text = "abc  "}}},
  {"mood", {{.kind = PX_TEXT, .len = 2, .text = "so"}}},
  {"json", {{.kind = PX_TEXT, .len = 8, .text = "{\"a\": 1}"}}},
  {"jsonb", {{.kind = PX_TEXT, .len = 8, .text = "{\"a\": 1}"}, {.kind = PX_TEXT, .len = 4, .text = "null"}}},
  {"bytea", {{.kind = PX_BLOB, .len = 3, .text = "\\\0x"}, {.kind = PX_BLOB, .text = ""}}},
  {"uuid", {{.kind = PX_TEXT, .len = 36, .text = "0a1B2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}}},
  {"real",
   {{.kind = PX_REAL, .real = 0.25}, {.kind = PX_REAL, .real = (double)0.1f}, {.kind = PX_REAL, .real = -0.0}, {.kind = PX_REAL, .real = 0.1}}},
  {"time(2)",
   {{.kind = PX_TEXT, .len = 8, .text = "23:59:59"},
    {.kind = PX_TEXT, .len = 15, .text = "00:00:00.123456"},
    {.kind = PX_TEXT, .len = 5, .text = "12:30"},
    {.kind = PX_TEXT, .len = 8, .text = "24:00:00"}}},
  /* what the text alone says */
  {"numeric", {{.kind = PX_TEXT, .len = 3, .text = "NaN"}, {.kind = PX_TEXT, .len = 4, .text = "-1e5"}, {.kind = PX_REAL, .real = 1e30}}},
  {"numeric", {{.kind = PX_TEXT, .len = 2, .text = ".5"}}},
  {"date", {{.kind = PX_TEXT, .len = 8, .text = "infinity"}, {.kind = PX_TEXT, .len = 10, .text = "2024/05/04"}}},
  {"timestamp", {{.kind = PX_TEXT, .len = 25, .text = "2024-03-01 23:59:59+00:00"}}},
  {"timestamptz", {{.kind = PX_TEXT, .len = 25, .text = "2024-03-01 23:59:59+02:00"}}},
  {"integer", {{.kind = PX_TEXT, .len = 1, .text = "5"}, {.kind = PX_INTEGER, .integer = 5}}},
  {"double precision", {{.kind = PX_TEXT, .len = 3, .text = "NaN"}}},
  {"boolean", {{.kind = PX_TEXT, .len = 3, .text = "yes"}}},
  {"uuid", {{.kind = PX_TEXT, .len = 32, .text = "0a1B2c3d4e5f60718293a4b5c6d7e8f9"}}},
  {"bytea", {{.kind = PX_TEXT, .len = 4, .text = "a\\\\b"}}},
  {"text", {{.kind = PX_INTEGER, .integer = 12}}},
  {"smallint[]", {{.kind = PX_TEXT, .len = 5, .text = "{1,2}"}}},
};

enum { N_BINARY = 20 }; /* few rows go as text */

/* Each value by itself, since one that only its text says is what all beside it go as. */
static void copy_of_many_rows_is_that_of_few(Fixture *f, gconstpointer data) {
  exec(f->db, "CREATE DOMAIN pg_temp.whole AS integer CHECK (VALUE <> 0)");
  exec(f->db, "CREATE TYPE pg_temp.mood AS ENUM ('so')");
  exec(f->db, "SET search_path = pg_temp, public");
  begin(f->db, PX_TX_WRITE);
  for (size_t i = 0; i < G_N_ELEMENTS(copied_types); i++) {
    g_autofree char *make = g_strdup_printf("CREATE TEMP TABLE ways (n bigint, \"V\" %s)", copied_types[i].type);
    exec(f->db, make);
    for (size_t v = 0; copied_types[i].values[v].kind != PX_NULL; v++) {
      PxValue cells[2 * N_BINARY] = {px_value_integer(-1)};
      for (size_t row = 0; row < N_BINARY; row++)
        cells[2 * row + 1] = row % 2 ? px_value_null() : copied_types[i].values[v];
      for (size_t n = 2; n <= N_BINARY; n += N_BINARY - 2) {
        g_autoptr(GError) error = NULL;
        if (!px_db_copy(f->db, "ways", "n, \"V\"", cells, 2, n, &error))
          g_error("%s, value %zu, %zu rows: %s", copied_types[i].type, v, n, error->message);
      }
      if (one_integer(f->db, "SELECT CAST(count(DISTINCT \"V\"::text) * 100 + count(\"V\") + sum(n) * 1000 AS bigint) FROM ways") !=
          100 + 1 + N_BINARY / 2 - 2000)
        g_error("%s, value %zu: many rows say something else than few", copied_types[i].type, v);
      exec(f->db, "DELETE FROM ways");
    }
    exec(f->db, "DROP TABLE ways");
  }
  px_db_rollback(f->db);
}

/* The type that counts is the one that the column has now. */
static void copy_into_an_altered_table(Fixture *f, gconstpointer data) {
  PxValue cells[N_BINARY];
  for (int i = 0; i < N_BINARY; i++)
    cells[i] = px_value_integer(i);
  exec(f->db, "CREATE TEMP TABLE altered (v integer)");
  static const char *const later_types[] = {"bigint", "numeric", "double precision", "text"};
  for (size_t i = 0; i < G_N_ELEMENTS(later_types); i++) {
    g_autofree char *alter = g_strdup_printf("ALTER TABLE altered ALTER v TYPE %s", later_types[i]);
    begin(f->db, PX_TX_WRITE);
    g_assert_true(px_db_copy(f->db, "altered", "v", cells, 1, N_BINARY, NULL));
    commit(f->db);
    exec(f->db, alter);
  }
  g_assert_cmpint(one_integer(f->db, "SELECT sum(v::integer) FROM altered"), ==, (int)G_N_ELEMENTS(later_types) * N_BINARY * (N_BINARY - 1) / 2);
}

static void refused_copy_writes_nothing(Fixture *f, gconstpointer data) {
  const PxValue cells[] = {px_value_string("1"), px_value_string("two"), px_value_text("a\0b", 3)};
  g_assert_true(px_db_exec(f->db, "CREATE TEMP TABLE copied (id integer PRIMARY KEY)", NULL));
  begin(f->db, PX_TX_WRITE);
  for (size_t n = 2; n <= 3; n++) {
    g_autoptr(GError) error = NULL;
    g_assert_true(px_db_savepoint(f->db, NULL));
    g_assert_false(px_db_copy(f->db, "copied", "id", cells, 1, n, &error));
    assert_code(error, PX_ERROR_CONSTRAINT);
    g_assert_cmpuint(px_db_refusal(f->db)->row, ==, n == 2 ? 1 : SIZE_MAX);
    g_assert_true(px_db_rollback_to(f->db, NULL));
  }
  g_assert_true(px_db_copy(f->db, "copied", "id", cells, 1, 1, NULL));
  commit(f->db);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM copied"), ==, 1);
}

/* Of few rows and of many, of which the server says different things. */
static void refused_copy_tells_the_row(Fixture *f, gconstpointer data) {
  exec(f->db, "CREATE TEMP TABLE \"a, line 7 \"\"b\" (id integer UNIQUE CHECK (id <> 3))");
  for (size_t n = 4; n <= N_BINARY; n += N_BINARY - 4) {
    PxValue cells[N_BINARY];
    for (size_t i = 0; i < n; i++)
      cells[i] = px_value_integer((int64_t)i + 100);
    cells[n - 2] = px_value_integer(3);
    cells[n - 1] = cells[1];
    begin(f->db, PX_TX_WRITE);
    g_assert_true(px_db_savepoint(f->db, NULL));
    g_assert_false(px_db_copy(f->db, "\"a, line 7 \"\"b\"", "id", cells, 1, n - 1, NULL));
    g_assert_cmpint(px_db_refusal(f->db)->kind, ==, PX_REFUSED_CHECK);
    g_assert_cmpuint(px_db_refusal(f->db)->row, ==, n - 2);
    g_assert_true(px_db_rollback_to(f->db, NULL));
    exec(f->db, "ALTER TABLE \"a, line 7 \"\"b\" DROP CONSTRAINT \"a, line 7 \"\"b_id_check\"");
    g_assert_false(px_db_copy(f->db, "\"a, line 7 \"\"b\"", "id", cells, 1, n, NULL));
    g_assert_cmpint(px_db_refusal(f->db)->kind, ==, PX_REFUSED_UNIQUE);
    g_assert_cmpuint(px_db_refusal(f->db)->row, ==, n - 1);
    px_db_rollback(f->db);
  }
}

static void copy_is_a_write(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  const PxValue cell = px_value_integer(1);
  g_assert_true(px_db_exec(f->db, "CREATE TABLE copied (id integer)", NULL));
  begin(f->db, PX_TX_READ);
  g_assert_false(px_db_copy(f->db, "copied", "id", &cell, 1, 1, &error));
  assert_code(error, PX_ERROR_INTERNAL);
  px_db_rollback(f->db);
}

void add_postgres_tests(void) {
#define ADD(path, function) g_test_add("/db/postgres/" path, Fixture, OVER_POSTGRES, set_up, function, tear_down)
  g_test_add_func("/db/postgres/sql/parameters_are_numbered", parameters_are_numbered);
  g_test_add_func("/db/postgres/sql/statements_are_told_apart", statements_are_told_apart);
  ADD("open/cannot_open", cannot_open);
  ADD("connection/idle_transaction_is_given_up", transaction_in_which_nothing_is_said_is_given_up);
  ADD("connection/that_was_cut_is_made_again", cut_connection_is_lost_and_made_again);
  ADD("connection/server_that_does_not_answer_is_given_up", server_that_does_not_answer_is_given_up);
  ADD("open/broken_password_is_not_told", broken_password_is_not_told);
  ADD("open/opens_with_our_settings", opens_with_our_settings);
  ADD("open/server_sees_lost_connections", server_sees_lost_connections);
  ADD("open/service_file_and_environment_are_heard", service_file_and_environment_are_heard);
  ADD("statement/types_become_values", types_become_values);
  ADD("statement/values_become_types", values_become_types);
  ADD("statement/our_statements_are_good", our_statements_are_good);
  ADD("statement/our_tables_number_their_rows", our_tables_number_their_rows);
  ADD("statement/changed_table_is_read_again", changed_table_is_read_again);
  ADD("error/failed_transaction_only_rolls_back", failed_transaction_only_rolls_back);
  ADD("error/waiting_ends", waiting_ends);
  ADD("error/missing_right_is_told", missing_right_is_told);
  ADD("error/interrupt_ends_a_statement", interrupt_ends_a_statement);
  ADD("arrays/are_what_was_bound", arrays_are_what_was_bound);
  ADD("arrays/item_that_does_not_fit_is_refused", array_item_that_does_not_fit_is_refused);
  ADD("copy/writes_what_was_given", copy_writes_what_was_given);
  ADD("copy/of_many_rows_is_that_of_few", copy_of_many_rows_is_that_of_few);
  ADD("copy/knows_the_types_of_now", copy_into_an_altered_table);
  ADD("copy/refused_one_writes_nothing", refused_copy_writes_nothing);
  ADD("copy/refused_one_tells_the_row", refused_copy_tells_the_row);
  ADD("copy/is_a_write", copy_is_a_write);
  ADD("lost/connection_is_made_again", lost_connection_is_made_again);
  ADD("lost/dry_run_tells_a_lost_transaction", dry_run_tells_a_lost_transaction);
  ADD("dry_run/writes_nothing_behind_a_rollback", dry_run_writes_nothing_behind_a_rollback);
  ADD("wake/notification_beside_a_statement_wakes", notification_beside_a_statement_wakes);
  ADD("wake/listens_on_after_the_connection_was_lost", listens_on_after_the_connection_was_lost);
#undef ADD
}
