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

static const Case sqlite_cases[] = {
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

#define PARENT "CREATE TABLE p (id integer PRIMARY KEY); "
#define RAISES(what)                                                                                                                                 \
  "CREATE TABLE t (a integer); CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " what                                              \
  " RETURN new; END $$; CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()"

static const Case postgres_cases[] = {
  {"not_null", "CREATE TABLE t (a integer NOT NULL)", "INSERT INTO t VALUES (NULL)", PX_REFUSED_NOT_NULL, "t", "a", NULL, "not-null"},
  {"not_null_of_a_domain", "CREATE DOMAIN d AS text NOT NULL; CREATE TABLE t (a d)", "INSERT INTO t VALUES (NULL)", PX_REFUSED_NOT_NULL, NULL, "",
   NULL, "domain d"},
  {"unique", "CREATE TABLE t (a integer UNIQUE); INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)", PX_REFUSED_UNIQUE, "t", "a", "t_a_key",
   "Key (a)=(1) already exists"},
  {"unique_of_two", "CREATE TABLE t (a integer, b integer, UNIQUE (a, b)); INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (1, 2)",
   PX_REFUSED_UNIQUE, "t", "a/b", "t_a_b_key", "unique"},
  {"unique_with_strange_names",
   "CREATE TABLE \"t, u\" (\"a, )=(b\" integer, \"c\"\"d\" integer, CONSTRAINT k UNIQUE (\"a, )=(b\", \"c\"\"d\")); INSERT INTO \"t, u\" VALUES (1, "
   "2)",
   "INSERT INTO \"t, u\" VALUES (1, 2)", PX_REFUSED_UNIQUE, "t, u", "a, )=(b/c\"d", "k", "unique"},
  {"unique_expression", "CREATE TABLE t (a text); CREATE UNIQUE INDEX t_lower ON t (lower(a)); INSERT INTO t VALUES ('x')",
   "INSERT INTO t VALUES ('X')", PX_REFUSED_UNIQUE, "t", "", "t_lower", "unique"},
  {"exclusion", "CREATE TABLE t (a int4range, EXCLUDE USING gist (a WITH &&)); INSERT INTO t VALUES ('[1,5)')", "INSERT INTO t VALUES ('[2,3)')",
   PX_REFUSED_OTHER, "t", "", "t_a_excl", "exclusion"},
  {"check", "CREATE TABLE t (a integer CONSTRAINT positive CHECK (a > 0))", "INSERT INTO t VALUES (0)", PX_REFUSED_CHECK, "t", "", "positive",
   "positive"},
  {"check_of_a_domain", "CREATE DOMAIN d AS integer CONSTRAINT positive CHECK (VALUE > 0); CREATE TABLE t (a d)", "INSERT INTO t VALUES (0)",
   PX_REFUSED_CHECK, NULL, "", "positive", "positive"},
  {"foreign_key", PARENT "CREATE TABLE t (p integer REFERENCES p)", "INSERT INTO t VALUES (1)", PX_REFUSED_FOREIGN_KEY, "t", "p", "t_p_fkey",
   "not present"},
  {"foreign_key_of_others", PARENT "CREATE TABLE t (p integer REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)", "DELETE FROM p",
   PX_REFUSED_FOREIGN_KEY, "t", "", "t_p_fkey", "still referenced"},
  {"trigger", RAISES("RAISE EXCEPTION 'we said no' USING DETAIL = 'because';"), "INSERT INTO t VALUES (1)", PX_REFUSED_TRIGGER, NULL, "", NULL,
   "we said no: because"},
  {"trigger_with_a_state_of_its_own", RAISES("RAISE EXCEPTION 'we said no' USING ERRCODE = 'SHOP1';"), "INSERT INTO t VALUES (1)", PX_REFUSED_TRIGGER,
   NULL, "", NULL, "we said no"},
  {"trigger_that_divides_by_zero", RAISES("new.a := 1 / (new.a - 1);"), "INSERT INTO t VALUES (1)", PX_REFUSED_OTHER, NULL, "", NULL, "zero"},
  {"too_long", "CREATE TABLE t (a varchar(2))", "INSERT INTO t VALUES ('abc')", PX_REFUSED_OTHER, NULL, "", NULL, "too long"},
  {"out_of_range", "CREATE TABLE t (a smallint)", "INSERT INTO t VALUES (70000)", PX_REFUSED_OTHER, NULL, "", NULL, "out of range"},
  {"no_such_enum_value", "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (a e)", "INSERT INTO t SELECT CAST('b'::text AS e)", PX_REFUSED_OTHER, NULL, "",
   NULL, "enum"},
  {"row_level_security",
   "CREATE TABLE t (a integer); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t WITH CHECK (a > 0); CREATE ROLE plain_user;"
   "GRANT ALL ON t TO plain_user; GRANT USAGE ON SCHEMA case_row_level_security TO plain_user; SET ROLE plain_user",
   "INSERT INTO t VALUES (0)", PX_REFUSED_OTHER, NULL, "", NULL, "row-level security"},
  {"view_with_check_option", "CREATE TABLE u (a integer); CREATE VIEW t AS SELECT a FROM u WHERE a > 0 WITH CHECK OPTION", "INSERT INTO t VALUES (0)",
   PX_REFUSED_OTHER, NULL, "", NULL, "check option"},
};

static void assert_refused(PxDb *db, const Case *c) {
  g_autoptr(GError) error = NULL;
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

static void sqlite_refuses(gconstpointer data) {
  g_autoptr(PxDb) db = open_url("sqlite::memory:", false);
  assert_refused(db, data);
}

static void postgres_refuses(Fixture *f, gconstpointer data) {
  const Case *c = data;
  g_autofree char *own = g_strdup_printf("CREATE SCHEMA case_%s; SET search_path = case_%s", c->name, c->name);
  g_autoptr(PxDb) db = open_url(f->url, false);
  exec(db, own);
  assert_refused(db, c);
}

/* One database for all of them. */
static void postgres_refuses_all(Fixture *f, gconstpointer data) {
  for (size_t i = 0; i < G_N_ELEMENTS(postgres_cases); i++) {
    g_test_message("%s", postgres_cases[i].name);
    postgres_refuses(f, &postgres_cases[i]);
  }
  exec(f->db, "DROP OWNED BY plain_user; DROP ROLE plain_user");
}

void add_refusal_tests(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(sqlite_cases); i++) {
    g_autofree char *path = g_strconcat("/db/sqlite/refusal/", sqlite_cases[i].name, NULL);
    g_test_add_data_func(path, &sqlite_cases[i], sqlite_refuses);
  }
  g_test_add("/db/postgres/refusal", Fixture, OVER_POSTGRES, set_up, postgres_refuses_all, tear_down);
}
