/* SPDX-License-Identifier: Apache-2.0 */
/* Reading records in order: one open cursor inside the caller's snapshot, never LIMIT/OFFSET. */
#include "records/records_private.h"

struct PxRecordCursor {
  PxStmt *stmt;
  PxValue *values;
  size_t n_values;
  GArray *parameters; /* PxValue: bound, so they live as long as the statement runs */
  GPtrArray *texts;
};

static void where_sql(PxRecords *records, GString *sql, const PxModel *model, const PxRecordQuery *query, PxRecordCursor *cursor) {
  const char *separator = " WHERE ";
  if (query->domain) {
    g_string_append(sql, separator);
    px_domain_sql(records, sql, "t0", query->domain, cursor->parameters, cursor->texts);
    separator = " AND ";
  }
  if (query->only) {
    char *ids = px_ids_as_list(records->db, query->only->ids, query->only->n);
    PxValue list = px_value_string(ids);
    g_ptr_array_add(cursor->texts, ids);
    g_array_append_val(cursor->parameters, list);
    g_string_append_printf(sql, "%st0.", separator);
    px_db_quote(records->db, sql, model->id->column);
    px_ids_sql(records->db, sql, model);
    separator = " AND ";
  }
  if (!query->with_inactive && model->active && !(query->domain && px_domain_names(query->domain, model->active))) {
    g_string_append_printf(sql, "%st0.", separator);
    px_db_quote(records->db, sql, model->active->column);
    g_string_append(sql, " = ?");
    PxValue one = px_value_integer(1);
    g_array_append_val(cursor->parameters, one);
  }
}

static PxRecordCursor *open_select(PxRecords *records, const PxModel *model, const PxRecordQuery *query, bool count, GError **error) {
  g_autoptr(PxRecordCursor) cursor = g_new0(PxRecordCursor, 1);
  g_autoptr(PxJoins) joins = px_joins_new(records->db, model);
  g_autoptr(GString) sql = g_string_new("SELECT ");
  g_autoptr(GString) order = g_string_new(NULL);
  cursor->parameters = g_array_new(FALSE, FALSE, sizeof(PxValue));
  cursor->texts = g_ptr_array_new_with_free_func(g_free);
  if (count)
    g_string_append(sql, "count(*)");
  for (size_t i = 0; !count && i < query->n_paths; i++) {
    g_string_append(sql, i ? ", " : "");
    px_joins_value(joins, sql, &query->paths[i]);
  }
  if (!count)
    px_joins_order(joins, order, query->order, query->order_descending, query->n_order);
  px_joins_from(joins, sql);
  where_sql(records, sql, model, query, cursor);
  g_string_append(sql, order->str);
  cursor->n_values = count ? 1 : query->n_paths;
  cursor->values = g_new(PxValue, cursor->n_values);
  cursor->stmt = px_db_prepare(records->db, sql->str, error);
  if (!cursor->stmt)
    return NULL;
  px_stmt_stream(cursor->stmt);
  for (unsigned i = 0; i < cursor->parameters->len; i++)
    px_stmt_bind(cursor->stmt, i, &g_array_index(cursor->parameters, PxValue, i));
  return g_steal_pointer(&cursor);
}

PxRecordCursor *px_records_open(PxRecords *records, const PxModel *model, const PxRecordQuery *query, GError **error) {
  return open_select(records, model, query, false, error);
}

int px_record_cursor_next(PxRecordCursor *cursor, const PxValue **ret_values, GError **error) {
  switch (px_stmt_step(cursor->stmt, error)) {
  case PX_STEP_ROW:
    for (size_t i = 0; i < cursor->n_values; i++)
      cursor->values[i] = px_stmt_value(cursor->stmt, (unsigned)i);
    *ret_values = cursor->values;
    return 1;
  case PX_STEP_DONE:
    return 0;
  case PX_STEP_ERROR:
    break;
  }
  return -1;
}

void px_record_cursor_close(PxRecordCursor *cursor) {
  if (!cursor)
    return;
  if (cursor->stmt)
    px_stmt_reset(cursor->stmt);
  g_free(cursor->values);
  g_array_unref(cursor->parameters);
  g_ptr_array_unref(cursor->texts);
  g_free(cursor);
}

bool px_records_count(PxRecords *records, const PxModel *model, const PxRecordQuery *query, uint64_t *ret_count, GError **error) {
  g_autoptr(PxRecordCursor) cursor = open_select(records, model, query, true, error);
  const PxValue *values = NULL;
  if (!cursor || px_record_cursor_next(cursor, &values, error) < 0)
    return false;
  *ret_count = values ? (uint64_t)values[0].integer : 0;
  return true;
}

bool px_records_unknown(PxRecords *records, const PxModel *model, const PxIdList *ids, GArray *unknown, GError **error) {
  g_autofree char *list = px_ids_as_list(records->db, ids->ids, ids->n);
  bool is_sqlite = px_db_dialect(records->db) == PX_DIALECT_SQLITE;
  g_autoptr(GString) sql = g_string_new("SELECT value FROM ");
  if (is_sqlite)
    g_string_append(sql, "json_each(?)");
  else
    g_string_append_printf(sql, "unnest(CAST(? AS %s[])) WITH ORDINALITY AS list (value, key)", px_ids_type(model));
  g_string_append(sql, " WHERE value NOT IN (SELECT ");
  px_db_quote(records->db, sql, model->id->column);
  g_string_append(sql, " FROM ");
  g_string_append(sql, model->sql_table);
  g_string_append(sql, ") GROUP BY value ORDER BY min(key)");
  PxStmt *stmt = px_db_prepare(records->db, sql->str, error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, list);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    PxId id = px_id_from_value(px_stmt_value(stmt, 0));
    g_array_append_val(unknown, id);
  }
  return step == PX_STEP_DONE;
}
