/* SPDX-License-Identifier: Apache-2.0 */
/* many2many and one2many: what is linked, linking, detaching, deleting. */
#include "records/records_private.h"

static void quote(PxRecords *records, GString *sql, const char *before, const char *name) {
  g_string_append(sql, before);
  px_db_quote(records->db, sql, name);
}

/* One question for all records: the list is one parameter, so that the database uses an index where it has one and else reads the table once. */
static PxStmt *prepare_related(PxRecords *records, const PxField *field, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  bool links = field->type == PX_TYPE_MANY2MANY;
  const char *own = links ? field->from : field->inverse->column;
  const char *other = links ? field->to : field->target->id->column;
  const PxModel *target = field->target;
  quote(records, sql, "SELECT r.", own);
  quote(records, sql, ", r.", other);
  if (target->active)
    quote(records, sql, links ? ", t." : ", r.", target->active->column);
  g_string_append_printf(sql, " FROM %s r", links ? field->sql_through : target->sql_table);
  if (target->active && links) {
    g_string_append_printf(sql, " LEFT JOIN %s t ON t.", target->sql_table);
    px_db_quote(records->db, sql, target->id->column);
    quote(records, sql, " = r.", other);
  }
  quote(records, sql, " WHERE r.", own);
  px_ids_sql(records->db, sql, field->model);
  quote(records, sql, " ORDER BY r.", own);
  quote(records, sql, ", r.", other);
  return px_db_prepare(records->db, sql->str, error);
}

/* JSON on SQLite, a literal of an array on PostgreSQL. */
char *px_ids_as_list(const PxDb *db, const PxId *ids, size_t n) {
  bool is_sqlite = px_db_dialect(db) == PX_DIALECT_SQLITE;
  GString *list = g_string_new(is_sqlite ? "[" : "{");
  for (size_t i = 0; i < n; i++) {
    g_string_append(list, i ? "," : "");
    char text[PX_ID_TEXT_SIZE];
    px_id_write(ids[i], text);
    g_string_append(list, *text ? text : "null");
  }
  g_string_append_c(list, is_sqlite ? ']' : '}');
  return g_string_free(list, FALSE);
}

const char *px_ids_type(const PxModel *model) {
  return px_model_has_uuids(model) ? "uuid" : "bigint";
}

void px_ids_sql(const PxDb *db, GString *sql, const PxModel *model) {
  if (px_db_dialect(db) == PX_DIALECT_SQLITE)
    g_string_append(sql, " IN (SELECT value FROM json_each(?))");
  else
    g_string_append_printf(sql, " = ANY (CAST(? AS %s[]))", px_ids_type(model));
}

typedef struct {
  PxId own, other;
  bool hidden;
} Pair;

static bool read_pairs(PxStmt *stmt, GArray *pairs, bool has_active, GError **error) {
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    Pair pair = {.own = px_id_from_value(px_stmt_value(stmt, 0)), .other = px_id_from_value(px_stmt_value(stmt, 1))};
    pair.hidden = has_active && px_stmt_integer(stmt, 2) == 0;
    g_array_append_val(pairs, pair);
  }
  return step == PX_STEP_DONE;
}

/* The pairs of one record stand together, in the order of their ids. */
static PxIdList list_of(const GArray *pairs, PxId id, bool has_active, PxArena *arena) {
  guint low = 0;
  guint high = pairs->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (px_id_compare(g_array_index(pairs, Pair, middle).own, id) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  PxIdList list = {0};
  while (low + list.n < pairs->len && px_id_equal(g_array_index(pairs, Pair, low + list.n).own, id))
    list.n++;
  list.ids = px_arena_alloc(arena, list.n * sizeof(PxId));
  list.hidden = has_active ? px_arena_alloc(arena, list.n * sizeof(bool)) : NULL;
  for (size_t i = 0; i < list.n; i++) {
    list.ids[i] = g_array_index(pairs, Pair, low + i).other;
    if (has_active)
      list.hidden[i] = g_array_index(pairs, Pair, low + i).hidden;
  }
  return list;
}

bool px_records_related(PxRecords *records, const PxField *field, const PxId *ids, size_t n, PxArena *arena, PxIdList *ret_lists, GError **error) {
  if (n == 0)
    return true;
  g_autofree char *list = px_ids_as_list(records->db, ids, n);
  g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
  PxStmt *stmt = prepare_related(records, field, error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, list);
  if (!read_pairs(stmt, pairs, field->target->active, error))
    return false;
  for (size_t i = 0; i < n; i++)
    ret_lists[i] = list_of(pairs, ids[i], field->target->active, arena);
  return true;
}

bool px_records_detach(PxRecords *records, const PxField *many2one, const PxId *ids, size_t n, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  g_string_append_printf(sql, "%s%s SET ", records->batches->update_verb, many2one->model->sql_table);
  px_db_quote(records->db, sql, many2one->column);
  quote(records, sql, " = NULL WHERE ", many2one->model->id->column);
  return records->batches->for_ids(records, sql->str, NULL, px_ids_type(many2one->model), ids, n, error);
}

/* Rows of a table (as SQL has it) that have an id of model in column. */
static bool delete_where(PxRecords *records, const PxModel *model, const char *table, const char *column, const PxId *ids, size_t n, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  g_string_append_printf(sql, "DELETE FROM %s", table);
  quote(records, sql, " WHERE ", column);
  return records->batches->for_ids(records, sql->str, NULL, px_ids_type(model), ids, n, error);
}

static bool delete_externals(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, GError **error) {
  bool uuids = px_model_has_uuids(model);
  g_autofree char *sql = g_strconcat("DELETE FROM pattimpex_external_id WHERE model = ? AND ", uuids ? "res_key" : "res_id", NULL);
  return records->batches->for_ids(records, sql, model->table, uuids ? "text" : "bigint", ids, n, error);
}

/* A link is nothing without its record. */
bool px_records_delete(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, GError **error) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const PxField *field = model->fields[i];
    if (field->type == PX_TYPE_MANY2MANY && !delete_where(records, model, field->sql_through, field->from, ids, n, error))
      return false;
  }
  return delete_where(records, model, model->sql_table, model->id->column, ids, n, error) && delete_externals(records, model, ids, n, error);
}
