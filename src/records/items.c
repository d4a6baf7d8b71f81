/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the items of records. SQLite: one statement for a list, run for each record that has it. PostgreSQL: one question for all of them. */
#include "records/records_private.h"

#include <string.h>

static void quote(PxDb *db, GString *sql, const char *before, const char *name) {
  g_string_append(sql, before);
  px_db_quote(db, sql, name);
}

/* own: the record whose items they are, in SQL. */
static void where_sql(PxDb *db, GString *sql, const PxField *field, const char *own, bool with_inactive) {
  const PxModel *model = field->target;
  if (field->type == PX_TYPE_MANY2MANY) {
    quote(db, sql, " WHERE t0.", model->id->column);
    quote(db, sql, " IN (SELECT ", field->to);
    g_string_append_printf(sql, " FROM %s WHERE ", field->sql_through);
    px_db_quote(db, sql, field->from);
    g_string_append_printf(sql, " = %s)", own);
  } else {
    quote(db, sql, " WHERE t0.", field->inverse->column);
    g_string_append_printf(sql, " = %s", own);
  }
  if (model->active && !with_inactive) {
    quote(db, sql, " AND t0.", model->active->column);
    g_string_append(sql, " = ?");
  }
}

static void values_sql(PxJoins *joins, GString *sql, const PxItemQuery *query) {
  for (size_t i = 0; i < query->n_paths; i++) {
    g_string_append(sql, i ? ", " : "");
    px_joins_value(joins, sql, &query->paths[i]);
  }
}

/* numbered: the items have their place in the order behind what is read of them. */
static void items_sql(PxRecords *records, GString *sql, const PxField *field, const PxItemQuery *query, const char *own, bool numbered) {
  g_autoptr(PxJoins) joins = px_joins_new(records->db, field->target);
  g_autoptr(GString) order = g_string_new(NULL);
  g_string_append(sql, "SELECT ");
  values_sql(joins, sql, query);
  px_joins_order(joins, order, NULL, NULL, 0);
  if (numbered)
    g_string_append_printf(sql, ", row_number() OVER (%s) AS px_number", order->str);
  px_joins_from(joins, sql);
  where_sql(records->db, sql, field, own, query->with_inactive);
  g_string_append_printf(sql, "%s LIMIT ?", order->str);
}

/* Parameters: the record or the records, whether items are active (where that is asked), how many of each. */
static PxStmt *prepare(PxRecords *records, const PxField *field, const PxItemQuery *query, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  if (px_db_dialect(records->db) == PX_DIALECT_POSTGRES) {
    g_string_append_printf(sql, "SELECT own.place, item.* FROM unnest(CAST(? AS %s[])) WITH ORDINALITY AS own (id, place) CROSS JOIN LATERAL (",
                           px_ids_type(field->model));
    items_sql(records, sql, field, query, "own.id", true);
    g_string_append(sql, ") AS item ORDER BY own.place, item.px_number");
  } else {
    items_sql(records, sql, field, query, "?", false);
  }
  PxStmt *stmt = px_db_prepare(records->db, sql->str, error);
  if (!stmt)
    return NULL;
  bool asks_active = field->target->active && !query->with_inactive;
  if (asks_active)
    px_stmt_bind_integer(stmt, 1, 1);
  px_stmt_bind_integer(stmt, asks_active ? 2 : 1, (int64_t)query->limit);
  return stmt;
}

static void add_item(PxStmt *stmt, unsigned first, const PxItemQuery *query, PxArena *arena, GArray *values) {
  for (size_t i = 0; i < query->n_paths; i++) {
    PxValue value = px_value_copy(arena, px_stmt_value(stmt, first + (unsigned)i));
    g_array_append_val(values, value);
  }
}

static bool ask_for_all(PxRecords *records, PxStmt *stmt, const PxItemQuery *query, const PxId *ids, size_t n, PxArena *arena, GArray *values,
                        size_t *ret_counts, GError **error) {
  g_autofree char *list = px_ids_as_list(records->db, ids, n);
  px_stmt_bind_text(stmt, 0, list);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    add_item(stmt, 1, query, arena, values);
    ret_counts[px_stmt_integer(stmt, 0) - 1]++;
  }
  return step == PX_STEP_DONE;
}

static bool ask_for_each(PxStmt *stmt, const PxItemQuery *query, const PxId *ids, size_t n, PxArena *arena, GArray *values, size_t *ret_counts,
                         GError **error) {
  for (size_t i = 0; i < n; i++) {
    PxValue id = px_id_to_value(NULL, ids[i]);
    if (px_id_is_none(ids[i]))
      continue;
    px_stmt_bind(stmt, 0, &id);
    PxStep step;
    for (; (step = px_stmt_step(stmt, error)) == PX_STEP_ROW; ret_counts[i]++)
      add_item(stmt, 0, query, arena, values);
    if (step == PX_STEP_ERROR)
      return false;
  }
  return true;
}

bool px_records_items(PxRecords *records, const PxField *field, const PxItemQuery *query, const PxId *ids, size_t n, PxArena *arena, GArray *values,
                      size_t *ret_counts, GError **error) {
  PxStmt *stmt = prepare(records, field, query, error);
  if (!stmt)
    return false;
  memset(ret_counts, 0, n * sizeof *ret_counts);
  if (px_db_dialect(records->db) == PX_DIALECT_POSTGRES)
    return ask_for_all(records, stmt, query, ids, n, arena, values, ret_counts, error);
  return ask_for_each(stmt, query, ids, n, arena, values, ret_counts, error);
}
