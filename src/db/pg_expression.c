/* SPDX-License-Identifier: Apache-2.0 */
/* What PostgreSQL itself says of an expression: it is made the CHECK of a temporary table that is like the one it is about, in a transaction that is
 * rolled back. A CHECK holds no sub-query, aggregate or window and names no other table ("5.4.1. Check Constraints"); which columns it reads and
 * what it calls is in the catalogue then. */
#include "base/text.h"
#include "db/pg_private.h"

#include <string.h>

/* ALTER TABLE ... ADD CONSTRAINT would not say what place of the expression it blames. */
#define MAKE_TABLE "CREATE TEMP TABLE px_record (LIKE %s, CONSTRAINT px_value CHECK ((%s) IS NULL))"

static bool deny(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool deny(GError **error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error_literal(error, PX_ERROR, PX_ERROR_CONFIG, text);
  return false;
}

/* Texts in which a quote does not end what '' and "" end: who looks for the end of the expression would be misled. */
static bool check_quotes(const char *expression, GError **error) {
  for (const char *c = expression; *c; c++) {
    bool begins_word = c == expression || !(g_ascii_isalnum(c[-1]) || c[-1] == '_' || (unsigned char)c[-1] >= 0x80);
    if (begins_word && (*c == 'e' || *c == 'E') && c[1] == '\'')
      return deny(error, "texts with escapes (E'...') may not stand in it: write '...'");
    if (*c == '$')
      return deny(error, "texts between dollars and parameters may not stand in it: write '...'");
    if (*c == '\'' || *c == '"')
      c = strchr(c + 1, *c); /* they are balanced */
  }
  return true;
}

#define FEATURE_NOT_SUPPORTED "0A000"
#define INSUFFICIENT_PRIVILEGE "42501"
#define UNDEFINED_COLUMN "42703"
#define GROUPING_ERROR "42803"
#define WINDOWING_ERROR "42P20"

/* "no such column: prise (did you mean price?)" */
static bool deny_column(const char *message, const char *const *columns, GError **error) {
  g_auto(GStrv) parts = g_strsplit(message, "\"", 3);
  if (g_strv_length(parts) != 3)
    return deny(error, "%s", message);
  g_autofree char *meant = px_text_did_you_mean(parts[1], columns, g_strv_length((char **)(uintptr_t)columns));
  return deny(error, "no such column: %s%s", parts[1], meant);
}

/* The name of a function at the place in the statement that PostgreSQL blames; NULL: none. Caller frees. */
static char *blamed_function(const PGresult *result, const char *sql) {
  const char *place = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
  int64_t position = place ? g_ascii_strtoll(place, NULL, 10) : 0; /* in characters, from 1 */
  if (position < 1 || position > g_utf8_strlen(sql, -1))
    return NULL;
  const char *name = g_utf8_offset_to_pointer(sql, position - 1);
  size_t len = 0;
  while (g_ascii_isalnum(name[len]) || name[len] == '_' || name[len] == '.')
    len++;
  return len > 0 ? g_ascii_strdown(name, (gssize)len) : NULL;
}

/* What PostgreSQL says of a CHECK is told of a value. */
static bool deny_compiled(const PGresult *result, const char *sql, const char *const *columns, GError **error) {
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (g_str_equal(state, UNDEFINED_COLUMN))
    return deny_column(message, columns, error);
  bool unsupported = g_str_equal(state, FEATURE_NOT_SUPPORTED);
  if (unsupported && g_regex_match_simple("\\b(select|table|values)\\b", strstr(sql, "CHECK"), G_REGEX_CASELESS, 0))
    return deny(error, "it may not read other records: there is a SELECT or a table in it");
  bool no_value = unsupported || g_str_equal(state, GROUPING_ERROR) || g_str_equal(state, WINDOWING_ERROR);
  g_autofree char *function = no_value ? blamed_function(result, sql) : NULL;
  return function ? deny(error, "%s() is no function that works out a value of one record", function) : deny(error, "%s", message);
}

/* As one statement, whatever is in it. */
static bool compile(PxPg *pg, const char *table, const char *const *columns, const char *expression, GError **error) {
  g_autofree char *sql = g_strdup_printf(MAKE_TABLE, table, expression);
  PGresult *result = PQexecParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  if (!done && state && !g_str_equal(state, INSUFFICIENT_PRIVILEGE) &&
      (g_str_has_prefix(state, "42") || g_str_has_prefix(state, "22") || g_str_has_prefix(state, "0A")))
    (void)deny_compiled(result, sql, columns, error);
  else if (!done)
    px_pg_result_error(pg, result, sql, error);
  PQclear(result);
  return done;
}

/* One text: what is wrong with the CHECK; no row: nothing. */
static bool judge(PxDb *db, const char *const *columns, GError **error) {
  PxStmt *stmt = px_db_named(db, "expression_facts", error);
  PxStep step = PX_STEP_ERROR;
  bool good = true;
  while (stmt && good && (step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    g_autofree char *what = px_stmt_dup_text(stmt, 0);
    g_autofree char *name = px_stmt_dup_text(stmt, 1);
    if (g_str_equal(what, "function"))
      good = deny(error, "%s() is no function that works out a value of one record", name);
    else if (g_str_equal(what, "row"))
      good = deny(error, "it is more than one value");
    else if (!g_strv_contains(columns, name))
      good = deny(error, "%s is no field of the model", name);
  }
  if (stmt)
    px_stmt_reset(stmt);
  return good && step == PX_STEP_DONE;
}

bool px_pg_check_expression(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error) {
  unsigned n_parameters;
  g_autofree char *numbered = px_pg_number_parameters(expression, &n_parameters);
  if (n_parameters)
    return deny(error, "it has a parameter, and there is nothing to put there");
  if (!check_quotes(expression, error))
    return false;
  bool inside = px_db_in_transaction(db);
  if (!(inside ? px_db_savepoint(db, error) : px_db_begin(db, PX_TX_WRITE, error)))
    return false;
  bool good = compile((PxPg *)db, table, columns, expression, error) && judge(db, columns, error);
  if (!inside)
    px_db_rollback(db);
  else if (!px_db_rollback_to(db, good ? error : NULL))
    return false;
  return good;
}
