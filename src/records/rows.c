/* SPDX-License-Identifier: Apache-2.0 */
/* Batches row by row, for SQLite: ids are integers. */
#include "records/records_private.h"

static bool find_external(PxRecords *records, const PxValue *names, size_t n, PxArena *arena, PxId *ret_ids, const char **ret_tables,
                          GError **error) {
  PxStmt *stmt = px_db_prepare(records->db, "SELECT res_id, model FROM pattimpex_external_id WHERE module = ? AND name = ?", error);
  if (!stmt)
    return false;
  for (size_t i = 0; i < n; i++) {
    PxValue module;
    PxValue name;
    px_external_split(&names[i], &module, &name);
    px_stmt_bind(stmt, 0, &module);
    px_stmt_bind(stmt, 1, &name);
    PxStep step = px_stmt_step(stmt, error);
    if (step == PX_STEP_ERROR)
      return false;
    ret_ids[i] = PX_ID_NONE;
    ret_tables[i] = NULL;
    if (step == PX_STEP_ROW) {
      PxValue table = px_stmt_value(stmt, 1);
      ret_ids[i] = px_id_from_value(px_stmt_value(stmt, 0));
      ret_tables[i] = px_arena_strndup(arena, table.text, table.len);
      px_stmt_reset(stmt);
    }
  }
  return true;
}

static bool add_external(PxRecords *records, const PxModel *model, const PxValue *names, const PxId *ids, size_t n, GError **error) {
  PxStmt *stmt = px_db_prepare(records->db, "INSERT INTO pattimpex_external_id (module, name, model, res_id) VALUES (?, ?, ?, ?)", error);
  if (!stmt)
    return false;
  for (size_t i = 0; i < n; i++) {
    PxValue module;
    PxValue name;
    PxValue id = px_id_to_value(NULL, ids[i]);
    px_external_split(&names[i], &module, &name);
    px_stmt_bind(stmt, 0, &module);
    px_stmt_bind(stmt, 1, &name);
    px_stmt_bind_text(stmt, 2, model->table);
    px_stmt_bind(stmt, 3, &id);
    if (!px_stmt_run(stmt, error))
      return false;
  }
  return true;
}

static PxStmt *prepare_link(PxRecords *records, const PxField *field, bool link, GError **error) {
  g_autoptr(GString) sql = g_string_new(link ? "INSERT OR ABORT INTO " : "DELETE FROM ");
  g_string_append(sql, field->sql_through);
  g_string_append(sql, link ? " (" : " WHERE ");
  px_db_quote(records->db, sql, field->from);
  g_string_append(sql, link ? ", " : " = ? AND ");
  px_db_quote(records->db, sql, field->to);
  g_string_append(sql, link ? ") VALUES (?, ?)" : " = ?");
  return px_db_prepare(records->db, sql->str, error);
}

static bool link_rows(PxRecords *records, const PxLinkChange *changes, size_t n, bool link, GError **error) {
  PxStmt *stmt = NULL;
  for (size_t i = 0; i < n; i++) {
    const PxLinkChange *change = &changes[i];
    if (i == 0 || change->field != changes[i - 1].field)
      stmt = prepare_link(records, change->field, link, error);
    if (!stmt)
      return false;
    PxValue values[] = {px_id_to_value(NULL, change->from), px_id_to_value(NULL, change->to)};
    px_stmt_bind(stmt, 0, &values[0]);
    px_stmt_bind(stmt, 1, &values[1]);
    if (!px_stmt_run(stmt, error))
      return false;
  }
  return true;
}

static bool for_ids(PxRecords *records, const char *sql, const char *first, const char *type, const PxId *ids, size_t n, GError **error) {
  g_autofree char *each = g_strconcat(sql, " = ?", NULL);
  PxStmt *stmt = px_db_prepare(records->db, each, error);
  for (size_t i = 0; stmt && i < n; i++) {
    PxValue id = px_id_to_value(NULL, ids[i]);
    if (first)
      px_stmt_bind_text(stmt, 0, first);
    px_stmt_bind(stmt, first ? 1 : 0, &id);
    if (!px_stmt_run(stmt, error))
      return false;
  }
  return stmt != NULL;
}

const PxBatches px_batches_rows = {
  .find = px_rows_find,
  .find_external = find_external,
  .add_external = add_external,
  .take_ids = px_rows_take_ids,
  .create = px_rows_create,
  .update = px_rows_update,
  .link = link_rows,
  .for_ids = for_ids,
  .update_verb = "UPDATE OR ABORT ",
};
