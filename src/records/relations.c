/* SPDX-License-Identifier: Apache-2.0 */
/* many2many and one2many: what is linked, linking, detaching, deleting. */
#include "records/records_private.h"

static void quote(PxRecords *records, GString *sql, const char *before, const char *name) {
  g_string_append(sql, before);
  px_db_quote(records->db, sql, name);
}

static PxStmt *prepare_related(PxRecords *records, const PxField *field, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  bool links = field->type == PX_TYPE_MANY2MANY;
  const char *other = links ? field->to : field->target->id->column;
  quote(records, sql, "SELECT ", other);
  quote(records, sql, " FROM ", links ? field->through : field->target->table);
  quote(records, sql, " WHERE ", links ? field->from : field->inverse->column);
  quote(records, sql, " = ? ORDER BY ", other);
  return px_db_prepare(records->db, sql->str, error);
}

bool px_records_related(PxRecords *records, const PxField *field, const PxId *ids, size_t n, PxArena *arena, PxIdList *ret_lists, GError **error) {
  PxStmt *stmt = prepare_related(records, field, error);
  g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(PxId));
  for (size_t i = 0; stmt && i < n; i++) {
    PxValue id = px_id_to_value(ids[i]);
    PxStep step;
    g_array_set_size(found, 0);
    px_stmt_bind(stmt, 0, &id);
    while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
      PxId related = px_id_from_value(px_stmt_value(stmt, 0));
      g_array_append_val(found, related);
    }
    if (step == PX_STEP_ERROR)
      return false;
    ret_lists[i] = (PxIdList){.ids = px_arena_alloc(arena, found->len * sizeof(PxId)), .n = found->len};
    if (found->len)
      memcpy(ret_lists[i].ids, found->data, found->len * sizeof(PxId));
  }
  return stmt != NULL;
}

bool px_records_link(PxRecords *records, const PxField *field, PxId from, PxId to, bool link, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  quote(records, sql, link ? "INSERT OR ABORT INTO " : "DELETE FROM ", field->through);
  quote(records, sql, link ? " (" : " WHERE ", field->from);
  quote(records, sql, link ? ", " : " = ? AND ", field->to);
  g_string_append(sql, link ? ") VALUES (?, ?)" : " = ?");
  PxStmt *stmt = px_db_prepare(records->db, sql->str, error);
  if (!stmt)
    return false;
  PxValue values[] = {px_id_to_value(from), px_id_to_value(to)};
  px_stmt_bind(stmt, 0, &values[0]);
  px_stmt_bind(stmt, 1, &values[1]);
  return px_stmt_run(stmt, error);
}

static bool run_for_each(PxStmt *stmt, const PxId *ids, size_t n, GError **error) {
  for (size_t i = 0; stmt && i < n; i++) {
    PxValue id = px_id_to_value(ids[i]);
    px_stmt_bind(stmt, 0, &id);
    if (!px_stmt_run(stmt, error))
      return false;
  }
  return stmt != NULL;
}

bool px_records_detach(PxRecords *records, const PxField *many2one, const PxId *ids, size_t n, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  quote(records, sql, "UPDATE OR ABORT ", many2one->model->table);
  quote(records, sql, " SET ", many2one->column);
  quote(records, sql, " = NULL WHERE ", many2one->model->id->column);
  g_string_append(sql, " = ?");
  return run_for_each(px_db_prepare(records->db, sql->str, error), ids, n, error);
}

bool px_records_delete(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  quote(records, sql, "DELETE FROM ", model->table);
  quote(records, sql, " WHERE ", model->id->column);
  g_string_append(sql, " = ?");
  if (!run_for_each(px_db_prepare(records->db, sql->str, error), ids, n, error))
    return false;
  PxStmt *stmt = px_db_prepare(records->db, "DELETE FROM pattimpex_external_id WHERE res_id = ? AND model = ?", error);
  if (stmt)
    px_stmt_bind_text(stmt, 1, model->table);
  return run_for_each(stmt, ids, n, error);
}
