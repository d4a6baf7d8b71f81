/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite itself says of an expression: it compiles it under an authorizer ("Compile-Time Authorization Callbacks"), and never runs it. */
#include "base/text.h"
#include "db/sqlite_private.h"

/* pragma_function_list: a function says the same of the same values, or is declared harmless. */
#define HARMLESS_FUNCTIONS "SELECT DISTINCT name FROM pragma_function_list WHERE type = 's' AND flags & ?"

typedef struct {
  const PxDb *db;
  const char *table; /* quoted */
  const char *const *columns;
  GHashTable *functions; /* names of those that may be called, in lower case */
  unsigned selects;
  char *problem; /* the first one; NULL: none */
} Judge;

static void judge_done(Judge *judge) {
  g_clear_pointer(&judge->functions, g_hash_table_unref);
  g_free(judge->problem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judge, judge_done)

static int deny(Judge *judge, char *problem) {
  if (judge->problem)
    g_free(problem);
  else
    judge->problem = problem;
  return SQLITE_DENY;
}

static bool is_own_column(const Judge *judge, const char *column) {
  for (const char *const *own = judge->columns; *own; own++)
    if (g_ascii_strcasecmp(*own, column) == 0)
      return true;
  return *column == '\0'; /* the table is named, none of its columns */
}

static int deny_others(Judge *judge) {
  return deny(judge, g_strdup("it may not read other records: there is a SELECT or a table in it"));
}

static int judge_read(Judge *judge, const char *table, const char *column) {
  g_autoptr(GString) quoted = g_string_new(NULL);
  px_db_quote(judge->db, quoted, table);
  if (g_ascii_strcasecmp(quoted->str, judge->table) != 0)
    return deny_others(judge);
  return is_own_column(judge, column) ? SQLITE_OK : deny(judge, g_strdup_printf("%s is no field of the model", column));
}

static int judge_function(Judge *judge, const char *name) {
  g_autofree char *lower = g_ascii_strdown(name, -1);
  if (g_hash_table_contains(judge->functions, lower))
    return SQLITE_OK;
  return deny(judge, g_strdup_printf("%s() is no function that works out a value of one record", name));
}

static int authorize(void *data, int action, const char *first, const char *second, const char *database, const char *trigger) {
  Judge *judge = data;
  switch (action) {
  case SQLITE_SELECT:
    return ++judge->selects == 1 ? SQLITE_OK : deny_others(judge);
  case SQLITE_READ:
    return judge_read(judge, first, second);
  case SQLITE_FUNCTION:
    return judge_function(judge, second);
  default:
    return deny(judge, g_strdup("it does more than work out a value"));
  }
}

static GHashTable *harmless_functions(PxDb *db, GError **error) {
  PxStmt *stmt = px_db_prepare(db, HARMLESS_FUNCTIONS, error);
  if (!stmt)
    return NULL;
  px_stmt_bind_integer(stmt, 0, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS);
  g_autoptr(GHashTable) functions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    g_hash_table_add(functions, px_stmt_dup_text(stmt, 0));
  return step == PX_STEP_DONE ? g_steal_pointer(&functions) : NULL;
}

/* "no such column: prise (did you mean price?)" */
static char *compile_problem(const Judge *judge, const char *message) {
  static const char unknown[] = "no such column: ";
  g_autofree char *meant = g_str_has_prefix(message, unknown)
                             ? px_text_did_you_mean(message + strlen(unknown), judge->columns, g_strv_length((char **)(uintptr_t)judge->columns))
                             : NULL;
  return g_strconcat(message, meant, NULL);
}

/* In a WHERE there is one value, and neither aggregates nor windows. A name in double quotes that is no column is else taken for a text. */
static void compile(sqlite3 *handle, Judge *judge, const char *sql) {
  sqlite3_stmt *raw = NULL;
  int quotes = 1;
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, -1, &quotes);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  sqlite3_set_authorizer(handle, authorize, judge);
  int code = sqlite3_prepare_v2(handle, sql, -1, &raw, NULL);
  sqlite3_set_authorizer(handle, NULL, NULL);
  if (code != SQLITE_OK)
    deny(judge, compile_problem(judge, sqlite3_errmsg(handle)));
  else if (sqlite3_bind_parameter_count(raw) > 0)
    deny(judge, g_strdup("it has a parameter, and there is nothing to put there"));
  sqlite3_finalize(raw);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, quotes, NULL);
}

bool px_sqlite_check_expression(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error) {
  g_auto(Judge) judge = {.db = db, .table = table, .columns = columns, .functions = harmless_functions(db, error)};
  if (!judge.functions)
    return false;
  g_autofree char *sql = g_strdup_printf("SELECT 1 FROM %s AS px_record WHERE (%s) IS NULL", table, expression);
  compile(((PxSqlite *)db)->handle, &judge, sql);
  if (judge.problem)
    g_set_error_literal(error, PX_ERROR, PX_ERROR_CONFIG, judge.problem);
  return !judge.problem;
}
