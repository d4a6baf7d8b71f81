/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the items of records: one statement for a list, run for each record that has it. */
#include "records/records_private.h"

static void quote(PxDb *db, GString *sql, const char *before, const char *name) {
  g_string_append(sql, before);
  px_db_quote(db, sql, name);
}

static void where_sql(PxDb *db, GString *sql, const PxField *field, bool with_inactive) {
  const PxModel *model = field->target;
  if (field->type == PX_TYPE_MANY2MANY) {
    quote(db, sql, " WHERE t0.", model->id->column);
    quote(db, sql, " IN (SELECT ", field->to);
    quote(db, sql, " FROM ", field->through);
    quote(db, sql, " WHERE ", field->from);
    g_string_append(sql, " = ?)");
  } else {
    quote(db, sql, " WHERE t0.", field->inverse->column);
    g_string_append(sql, " = ?");
  }
  if (model->active && !with_inactive) {
    quote(db, sql, " AND t0.", model->active->column);
    g_string_append(sql, " = ?");
  }
}

/* Parameters: the record, whether items are active (where that is asked), how many. */
static PxStmt *prepare(PxRecords *records, const PxField *field, const PxItemQuery *query, GError **error) {
  g_autoptr(PxJoins) joins = px_joins_new(records->db, field->target);
  g_autoptr(GString) sql = g_string_new("SELECT ");
  g_autoptr(GString) order = g_string_new(NULL);
  for (size_t i = 0; i < query->n_paths; i++) {
    g_string_append(sql, i ? ", " : "");
    px_joins_value(joins, sql, &query->paths[i]);
  }
  px_joins_order(joins, order, NULL, NULL, 0);
  px_joins_from(joins, sql);
  where_sql(records->db, sql, field, query->with_inactive);
  g_string_append_printf(sql, "%s LIMIT ?", order->str);
  PxStmt *stmt = px_db_prepare(records->db, sql->str, error);
  if (!stmt)
    return NULL;
  bool asks_active = field->target->active && !query->with_inactive;
  if (asks_active)
    px_stmt_bind_integer(stmt, 1, 1);
  px_stmt_bind_integer(stmt, asks_active ? 2 : 1, (int64_t)query->limit);
  return stmt;
}

static bool read_items(PxStmt *stmt, const PxItemQuery *query, PxArena *arena, GArray *values, size_t *ret_count, GError **error) {
  PxStep step;
  *ret_count = 0;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    for (size_t i = 0; i < query->n_paths; i++) {
      PxValue value = px_value_copy(arena, px_stmt_value(stmt, (unsigned)i));
      g_array_append_val(values, value);
    }
    ++*ret_count;
  }
  return step == PX_STEP_DONE;
}

bool px_records_items(PxRecords *records, const PxField *field, const PxItemQuery *query, const PxId *ids, size_t n, PxArena *arena, GArray *values,
                      size_t *ret_counts, GError **error) {
  PxStmt *stmt = prepare(records, field, query, error);
  if (!stmt)
    return false;
  for (size_t i = 0; i < n; i++) {
    PxValue id = px_id_to_value(ids[i]);
    ret_counts[i] = 0;
    if (px_id_is_none(ids[i]))
      continue;
    px_stmt_bind(stmt, 0, &id);
    if (!read_items(stmt, query, arena, values, &ret_counts[i], error))
      return false;
  }
  return true;
}
