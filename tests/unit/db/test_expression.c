/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "tests.h"

static const char *const columns[] = {"id", "price", "select", "data", "half", NULL};

static void set_up_tables(Fixture *f, gconstpointer data) {
  set_up(f, data);
  exec(f->db, "CREATE TABLE thing (id integer PRIMARY KEY, price numeric, \"select\" text, secret text, data json, half AS (price / 2));"
              "CREATE TABLE other (id integer PRIMARY KEY, price numeric);");
}

static void good(Fixture *f, gconstpointer data) {
  static const char *const expressions[] = {
    "price * 1.2",
    "PRICE",
    "\"select\" || ')'",
    "CASE WHEN price > 1 THEN 'a -- b' ELSE 'it''s; /*' END",
    "round(max(price, 1), 2)",
    "half",
    "json_extract(data, '$.a')",
    "data ->> '$.a'",
    "\"select\" LIKE 'a%' COLLATE NOCASE",
    "price IN (1, 2)",
    "date('now')",
    "NULL",
    "1\n+ 1",
    "px_record.price",
    "rowid",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(expressions); i++) {
    g_autoptr(GError) error = NULL;
    bool ok = px_db_check_expression(f->db, "\"thing\"", columns, expressions[i], &error);
    g_assert_no_error(error);
    g_assert_true(ok);
  }
}

static void bad(Fixture *f, gconstpointer data) {
  static const struct {
    const char *expression, *problem;
  } cases[] = {
    {"", "it is empty"},
    {" \n", "it is empty"},
    {"(price", "a parenthesis is not closed"},
    {"price) FROM other WHERE (1", "a parenthesis is closed that was not opened"},
    {"'a", "a quote is not closed"},
    {"price; DELETE FROM thing", "it is more than one expression"},
    {"price -- all", "comments may not stand in it"},
    {"price /* all", "comments may not stand in it"},
    {"price, half", "row value misused"},
    {"price AS p", "near \"AS\": syntax error"},
    {"prize", "no such column: prize (did you mean price?)"},
    {"\"prize\"", "no such column: prize (did you mean price?)"},
    {"other.price", "no such column: other.price"},
    {"secret", "secret is no field of the model"},
    {"(SELECT 1)", "it may not read other records: there is a SELECT or a table in it"},
    {"(SELECT price FROM thing)", "it may not read other records: there is a SELECT or a table in it"},
    {"EXISTS (SELECT 1 FROM other)", "it may not read other records: there is a SELECT or a table in it"},
    {"price + ?", "it has a parameter, and there is nothing to put there"},
    {"price + :p", "it has a parameter, and there is nothing to put there"},
    {"max(price)", "misuse of aggregate function max()"},
    {"sum(price)", "sum() is no function that works out a value of one record"},
    {"max(price) OVER ()", "misuse of window function max()"},
    {"row_number() OVER ()", "row_number() is no function that works out a value of one record"},
    {"load_extension('x')", "load_extension() is no function that works out a value of one record"},
    {"fts3_tokenizer('x', 'y')", "fts3_tokenizer() is no function that works out a value of one record"},
    {"no_such(price)", "no such function: no_such"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(px_db_check_expression(f->db, "\"thing\"", columns, cases[i].expression, &error));
    g_assert_cmpstr(error->message, ==, cases[i].problem);
    g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  }
}

/* ---- PostgreSQL */

static void set_up_postgres(Fixture *f, gconstpointer data) {
  set_up(f, data);
  exec(f->db, "CREATE TABLE thing (id integer PRIMARY KEY, price numeric, \"select\" text, secret text, data jsonb, half numeric GENERATED ALWAYS AS"
              " (price / 2) STORED); CREATE TABLE other (id integer PRIMARY KEY, price numeric);"
              "CREATE FUNCTION sells(numeric) RETURNS boolean LANGUAGE sql VOLATILE AS 'DELETE FROM thing; SELECT TRUE';"
              "CREATE OPERATOR !! (FUNCTION = sells, RIGHTARG = numeric)");
}

static void good_on_postgres(Fixture *f, gconstpointer data) {
  static const char *const expressions[] = {
    "price * 1.2",
    "PRICE",
    "\"select\" || ')'",
    "CASE WHEN price > 1 THEN 'a -- b' ELSE 'it''s; /*' END",
    "round(greatest(price, 1), 2)",
    "half",
    "data ->> 'a'",
    "CAST(data -> 'a' -> 0 AS text)",
    "price::text",
    "\"select\" ~ '\\d+$'",
    "price IN (1, 2)",
    "concat(now(), date'2024-01-01', to_char(price, '990.00'))",
    "NULL",
    "1\n+ 1",
    "px_record.price",
    "'what?'",
    "(price, half) = (1, 2)",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(expressions); i++) {
    g_autoptr(GError) error = NULL;
    bool ok = px_db_check_expression(f->db, "\"thing\"", columns, expressions[i], &error);
    g_assert_no_error(error);
    g_assert_true(ok);
  }
}

static void bad_on_postgres(Fixture *f, gconstpointer data) {
  static const struct {
    const char *expression, *problem;
  } cases[] = {
    {"", "it is empty"},
    {"price; DELETE FROM thing", "it is more than one expression"},
    {"price -- all", "comments may not stand in it"},
    {"price, half", "it is more than one value"},
    {"(price, half)", "it is more than one value"},
    {"price AS p", "syntax error at or near \"AS\""},
    {"prize", "no such column: prize (did you mean price?)"},
    {"other.price", "missing FROM-clause entry for table \"other\""},
    {"secret", "secret is no field of the model"},
    {"px_record", "the record as a whole is no field of the model"},
    {"px_record::text", "the record as a whole is no field of the model"},
    {"tableoid", "the record as a whole is no field of the model"},
    {"(SELECT 1)", "it may not read other records: there is a SELECT or a table in it"},
    {"EXISTS (SELECT 1 FROM other)", "it may not read other records: there is a SELECT or a table in it"},
    {"price = ANY (TABLE other)", "it may not read other records: there is a SELECT or a table in it"},
    {"price + ?", "it has a parameter, and there is nothing to put there"},
    {"data ? 'a'", "it has a parameter, and there is nothing to put there"},
    {"price + $1", "texts between dollars and parameters may not stand in it: write '...'"},
    {"$$'$$ ) ; DROP TABLE thing --'", "texts between dollars and parameters may not stand in it: write '...'"},
    {"E'\\'' ) ; DROP TABLE thing; SELECT ('", "texts with escapes (E'...') may not stand in it: write '...'"},
    {"max(price)", "max() is no function that works out a value of one record"},
    {"row_number() OVER ()", "row_number() is no function that works out a value of one record"},
    {"generate_series(1, 2)", "generate_series() is no function that works out a value of one record"},
    {"'é' || sum(price)", "sum() is no function that works out a value of one record"},
    {"pg_sleep(0)", "pg_sleep() is no function that works out a value of one record"},
    {"sells(price)", "sells() is no function that works out a value of one record"},
    {"!! price", "sells() is no function that works out a value of one record"},
    {"no_such(price)", "function no_such(numeric) does not exist"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(px_db_check_expression(f->db, "\"thing\"", columns, cases[i].expression, &error));
    g_assert_cmpstr(error->message, ==, cases[i].problem);
    g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  }
}

static void leaves_nothing_on_postgres(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_check_expression(f->db, "\"thing\"", columns, "price", &error));
  g_assert_true(px_db_begin(f->db, PX_TX_WRITE, &error));
  exec(f->db, "INSERT INTO other VALUES (1, 2)");
  g_assert_true(px_db_check_expression(f->db, "\"thing\"", columns, "price", &error));
  g_assert_false(px_db_check_expression(f->db, "\"thing\"", columns, "prize", &error));
  g_clear_error(&error);
  g_assert_true(px_db_commit(f->db, &error));
  PxStmt *stmt = prepare(f->db, "SELECT count(*), count(to_regclass('px_record')) FROM other");
  g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
  g_assert_cmpint(px_stmt_integer(stmt, 0), ==, 1);
  g_assert_cmpint(px_stmt_integer(stmt, 1), ==, 0);
  px_stmt_reset(stmt);
}

/* PRICE IN other is short for a SELECT. */
static void another_table(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_false(px_db_check_expression(f->db, "\"thing\"", columns, "price IN other", &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
}

static void leaves_the_connection_as_it_was(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_assert_false(px_db_check_expression(f->db, "\"thing\"", columns, "other.price", &error));
  exec(f->db, "INSERT INTO other (price) VALUES (1)");
  PxStmt *stmt = prepare(f->db, "SELECT \"a text\", sum(price) FROM other");
  g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
  px_stmt_reset(stmt);
}

#define ADD(path, function) g_test_add("/db/expression/" path, Fixture, OVER_SQLITE, set_up_tables, function, tear_down)

#define ADD_POSTGRES(path, function) g_test_add("/db/expression/" path, Fixture, OVER_POSTGRES, set_up_postgres, function, tear_down)

void add_expression_tests(void) {
  ADD("good", good);
  ADD("bad", bad);
  ADD("another_table", another_table);
  ADD("leaves_the_connection_as_it_was", leaves_the_connection_as_it_was);
  ADD_POSTGRES("good_on_postgres", good_on_postgres);
  ADD_POSTGRES("bad_on_postgres", bad_on_postgres);
  ADD_POSTGRES("leaves_nothing_on_postgres", leaves_nothing_on_postgres);
}
