/* SPDX-License-Identifier: Apache-2.0 */
/* What PostgreSQL itself says of an expression: it is made the CHECK of a temporary table that is like the one it is about, in a transaction that is
 * rolled back. A CHECK holds no sub-query, aggregate or window and names no other table ("5.4.1. Check Constraints"); which columns it reads and
 * what it calls is in the catalogue then. */
#include "base/text.h"
#include "db/pg_private.h"

#include <string.h>

#define MAKE_TABLE "CREATE TEMP TABLE px_record (LIKE "
#define ADD_CHECK "ALTER TABLE pg_temp.px_record ADD CONSTRAINT px_value CHECK ((%s) IS NULL)"

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

/* "column "prise" does not exist (did you mean price?)" */
static bool deny_compiled(const PGresult *result, const char *const *columns, GError **error) {
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  g_auto(GStrv) parts = g_strsplit(message, "\"", 3);
  bool unknown = g_str_equal(state, "42703") && g_strv_length(parts) == 3;
  g_autofree char *meant = unknown ? px_text_did_you_mean(parts[1], columns, g_strv_length((char **)(uintptr_t)columns)) : g_strdup("");
  return deny(error, "%s%s", message, meant);
}

/* As one statement, whatever is in it. */
static bool compile(PxPg *pg, const char *const *columns, const char *expression, GError **error) {
  g_autofree char *sql = g_strdup_printf(ADD_CHECK, expression);
  PGresult *result = PQexecParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  if (!done && state && (g_str_has_prefix(state, "42") || g_str_has_prefix(state, "22") || g_str_has_prefix(state, "0A")))
    (void)deny_compiled(result, columns, error);
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
  g_autofree char *make = g_strconcat(MAKE_TABLE, table, ")", NULL);
  bool inside = px_db_in_transaction(db);
  if (!(inside ? px_db_savepoint(db, error) : px_db_begin(db, PX_TX_WRITE, error)))
    return false;
  bool good = px_db_exec(db, make, error) && compile((PxPg *)db, columns, expression, error) && judge(db, columns, error);
  if (!inside)
    px_db_rollback(db);
  else if (!px_db_rollback_to(db, good ? error : NULL))
    return false;
  return good;
}
