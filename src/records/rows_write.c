/* SPDX-License-Identifier: Apache-2.0 */
/* Writing records one by one: a prepared statement for each set of columns, looped over the rows in their order. */
#include "records/records_private.h"

#include <string.h>

/* ---- ids */

static bool query_integer(PxDb *db, const char *sql, const char *text, int64_t *ret_value, GError **error) {
  PxStmt *stmt = px_db_prepare(db, sql, error);
  if (!stmt)
    return false;
  if (text)
    px_stmt_bind_text(stmt, 0, text);
  PxStep step = px_stmt_step(stmt, error);
  if (step == PX_STEP_ERROR)
    return false;
  *ret_value = step == PX_STEP_ROW ? px_stmt_integer(stmt, 0) : 0;
  px_stmt_reset(stmt);
  return true;
}

bool px_rows_take_ids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) {
  g_autoptr(GString) sql = g_string_new("SELECT max(");
  px_db_quote(records->db, sql, model->id->column);
  g_string_append(sql, ") FROM ");
  g_string_append(sql, model->sql_table);
  int64_t last = 0;
  int64_t ever = 0;
  if (!query_integer(records->db, sql->str, NULL, &last, error))
    return false;
  if (model->autoincrement && !query_integer(records->db, "SELECT seq FROM sqlite_sequence WHERE name = ?", model->table, &ever, error))
    return false;
  /* SQLite gives a table without records the id 1, whatever was negative before. */
  last = MAX(MAX(last, ever), 0);
  if ((uint64_t)(INT64_MAX - last) < n) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "table %s: no ids are left above %" G_GINT64_FORMAT, model->table, last);
    return false;
  }
  for (size_t i = 0; i < n; i++)
    ret_ids[i] = px_id_from_integer(last + 1 + (int64_t)i);
  return true;
}

/* ---- statements */

/* Rows may write any set of a file's columns, 2^n of them: more than this are not kept prepared. */
#define MAX_STATEMENTS 64

typedef enum { VERB_INSERT, VERB_UPDATE } Verb;

static void forget_statements(PxRecords *records) {
  GHashTableIter iter;
  gpointer stmt;
  g_hash_table_iter_init(&iter, records->statements);
  while (g_hash_table_iter_next(&iter, NULL, &stmt))
    px_db_forget(records->db, stmt);
  g_hash_table_remove_all(records->statements);
}

static void insert_sql(PxDb *db, GString *sql, const PxWrites *writes, const uint64_t *mask) {
  g_autoptr(GString) values = g_string_new("?");
  g_string_append(sql, "INSERT OR ABORT INTO ");
  g_string_append(sql, writes->model->sql_table);
  g_string_append(sql, " (");
  px_db_quote(db, sql, writes->model->id->column);
  for (size_t f = 0; f < writes->n_fields; f++) {
    if (!px_mask_has(mask, f))
      continue;
    g_string_append(sql, ", ");
    px_db_quote(db, sql, writes->fields[f]->column);
    g_string_append(values, ", ?");
  }
  g_string_append_printf(sql, ") VALUES (%s)", values->str);
}

static void update_sql(PxDb *db, GString *sql, const PxWrites *writes, const uint64_t *mask) {
  g_string_append(sql, "UPDATE OR ABORT ");
  g_string_append(sql, writes->model->sql_table);
  const char *separator = " SET ";
  for (size_t f = 0; f < writes->n_fields; f++) {
    if (!px_mask_has(mask, f))
      continue;
    g_string_append(sql, separator);
    px_db_quote(db, sql, writes->fields[f]->column);
    g_string_append(sql, " = ?");
    separator = ", ";
  }
  g_string_append(sql, " WHERE ");
  px_db_quote(db, sql, writes->model->id->column);
  g_string_append(sql, " = ?");
}

/* The key under which a statement is remembered: what it does, to which fields. Equal exactly when the text of the statement is. */
static GBytes *statement_key(const PxWrites *writes, Verb verb, const uint64_t *mask) {
  GByteArray *key = g_byte_array_new();
  g_byte_array_append(key, (const guint8 *)&verb, sizeof verb);
  g_byte_array_append(key, (const guint8 *)&writes->model, sizeof writes->model);
  for (size_t f = 0; f < writes->n_fields; f++)
    if (px_mask_has(mask, f))
      g_byte_array_append(key, (const guint8 *)&writes->fields[f], sizeof *writes->fields);
  return g_byte_array_free_to_bytes(key);
}

static PxStmt *statement_for(PxRecords *records, const PxWrites *writes, Verb verb, const uint64_t *mask, GError **error) {
  g_autoptr(GBytes) key = statement_key(writes, verb, mask);
  PxStmt *stmt = g_hash_table_lookup(records->statements, key);
  if (stmt)
    return stmt;
  if (g_hash_table_size(records->statements) >= MAX_STATEMENTS)
    forget_statements(records);
  g_autoptr(GString) sql = g_string_new(NULL);
  (verb == VERB_INSERT ? insert_sql : update_sql)(records->db, sql, writes, mask);
  stmt = px_db_prepare(records->db, sql->str, error);
  if (stmt)
    g_hash_table_insert(records->statements, g_steal_pointer(&key), stmt);
  return stmt;
}

static bool run_row(PxStmt *stmt, const PxWrites *writes, Verb verb, size_t row, const uint64_t *mask, GError **error) {
  unsigned parameter = 0;
  PxValue id = px_id_to_value(NULL, writes->ids[row]);
  if (verb == VERB_INSERT)
    px_stmt_bind(stmt, parameter++, &id);
  for (size_t f = 0; f < writes->n_fields; f++)
    if (px_mask_has(mask, f))
      px_stmt_bind(stmt, parameter++, &writes->values[row][f]);
  if (verb == VERB_UPDATE)
    px_stmt_bind(stmt, parameter, &id);
  return px_stmt_run(stmt, error);
}

static bool run_rows(PxRecords *records, const PxWrites *writes, Verb verb, size_t *ret_bad_row, GError **error) {
  size_t words = px_mask_words(writes->n_fields);
  const uint64_t *last_mask = NULL;
  PxStmt *stmt = NULL;
  for (size_t i = 0; i < writes->n_rows; i++) {
    const uint64_t *mask = writes->masks + i * words;
    if (!last_mask || memcmp(mask, last_mask, words * sizeof *mask) != 0) {
      stmt = statement_for(records, writes, verb, mask, error);
      last_mask = mask;
    }
    if (!stmt || !run_row(stmt, writes, verb, i, mask, error)) {
      *ret_bad_row = i;
      return false;
    }
  }
  return true;
}

bool px_rows_create(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) {
  return run_rows(records, writes, VERB_INSERT, ret_bad_row, error);
}

bool px_rows_update(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) {
  return run_rows(records, writes, VERB_UPDATE, ret_bad_row, error);
}
