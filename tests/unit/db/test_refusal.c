/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "tests.h"

typedef struct {
  const char *name;
  const char *setup;
  const char *sql;
  PxRefusalKind kind;
  const char *table;
  const char *columns; /* separated by / */
  const char *constraint;
  const char *words; /* in the message */
} Case;

static const Case cases[] = {
  {"not_null", "CREATE TABLE t (a NOT NULL)", "INSERT INTO t VALUES (NULL)", PX_REFUSED_NOT_NULL, "t", "a", NULL, "NOT NULL"},
  {"unique", "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)", PX_REFUSED_UNIQUE, "t", "a", NULL, "UNIQUE"},
  {"unique_of_two", "CREATE TABLE t (a, b, UNIQUE (a, b)); INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (1, 2)", PX_REFUSED_UNIQUE, "t", "a/b",
   NULL, "UNIQUE"},
  {"unique_with_a_comma_in_names", "CREATE TABLE \"t, u\" (\"a, b\", c, UNIQUE (\"a, b\", c)); INSERT INTO \"t, u\" VALUES (1, 2)",
   "INSERT INTO \"t, u\" VALUES (1, 2)", PX_REFUSED_UNIQUE, "t, u", "a, b/c", NULL, "UNIQUE"},
  {"unique_expression", "CREATE TABLE t (a); CREATE UNIQUE INDEX t_a ON t (lower(a)); INSERT INTO t VALUES ('x')", "INSERT INTO t VALUES ('X')",
   PX_REFUSED_UNIQUE, NULL, "", "t_a", "UNIQUE"},
  {"primary_key", "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)", PX_REFUSED_UNIQUE, "t", "id", NULL,
   "UNIQUE"},
  {"check_with_a_name", "CREATE TABLE t (a CONSTRAINT positive CHECK (a > 0))", "INSERT INTO t VALUES (0)", PX_REFUSED_CHECK, NULL, "", "positive",
   "positive"},
  {"check_without_a_name", "CREATE TABLE t (a CHECK (a > 0))", "INSERT INTO t VALUES (0)", PX_REFUSED_CHECK, NULL, "", "a > 0", "a > 0"},
  {"foreign_key", "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t (p REFERENCES p)", "INSERT INTO t VALUES (1)", PX_REFUSED_FOREIGN_KEY,
   NULL, "", NULL, "FOREIGN KEY"},
  {"foreign_key_restrict",
   "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t (p REFERENCES p ON DELETE RESTRICT); INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
   "DELETE FROM p", PX_REFUSED_FOREIGN_KEY, NULL, "", NULL, "FOREIGN KEY"},
  {"trigger", "CREATE TABLE t (a); CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'we said no'); END", "INSERT INTO t VALUES (1)",
   PX_REFUSED_TRIGGER, NULL, "", NULL, "we said no"},
  {"text_as_rowid", "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES ('x')", PX_REFUSED_OTHER, NULL, "", NULL, "mismatch"},
  {"strict_type", "CREATE TABLE t (a integer) STRICT", "INSERT INTO t VALUES ('x')", PX_REFUSED_OTHER, "t", "a", NULL, "TEXT"},
  {"value_that_a_check_cannot_read", "CREATE TABLE t (a CHECK (json_extract(a, '$.b') > 0))", "INSERT INTO t VALUES ('{')", PX_REFUSED_OTHER, NULL,
   "", NULL, "malformed JSON"},
};

static void refused(gconstpointer data) {
  const Case *c = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) db = open_url("sqlite::memory:", false);
  exec(db, c->setup);
  begin(db, PX_TX_WRITE);
  g_assert_cmpint(px_stmt_step(prepare(db, c->sql), &error), ==, PX_STEP_ERROR);
  assert_code(error, PX_ERROR_CONSTRAINT);
  const PxRefusal *refusal = px_db_refusal(db);
  g_autoptr(GString) columns = g_string_new(NULL);
  for (size_t i = 0; refusal->columns[i]; i++)
    g_string_append_printf(columns, "%s%s", i ? "/" : "", refusal->columns[i]);
  g_assert_cmpint(refusal->kind, ==, c->kind);
  g_assert_cmpstr(refusal->table, ==, c->table);
  g_assert_cmpstr(columns->str, ==, c->columns);
  g_assert_cmpstr(refusal->constraint, ==, c->constraint);
  g_assert_nonnull(strstr(refusal->message, c->words));
  px_db_rollback(db);
}

void add_refusal_tests(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat("/db/refusal/", cases[i].name, NULL);
    g_test_add_data_func(path, &cases[i], refused);
  }
}
