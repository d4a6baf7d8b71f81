/* SPDX-License-Identifier: Apache-2.0 */
/* External ids: stable text names of records, kept in our own table. */
#include "records/records_private.h"

#include <string.h>

#define OWN_MODULE "__import__"

/* "module.name" or "name": the first dot parts them, as in the Odoo modules. */
static void split_name(const PxValue *value, PxValue *ret_module, PxValue *ret_name) {
  const char *dot = memchr(value->text, '.', value->len);
  if (!dot) {
    *ret_module = px_value_string(OWN_MODULE);
    *ret_name = *value;
    return;
  }
  size_t before = (size_t)(dot - value->text);
  *ret_module = px_value_text(value->text, before);
  *ret_name = px_value_text(dot + 1, value->len - before - 1);
}

bool px_external_is_name(const char *text, size_t len) {
  const char *dot = memchr(text, '.', len);
  return len && dot != text && (!dot || dot + 1 < text + len);
}

PxValue px_external_canonical(PxArena *arena, PxValue name) {
  if (memchr(name.text, '.', name.len))
    return name;
  size_t len = strlen(OWN_MODULE ".") + name.len;
  char *text = px_arena_alloc(arena, len);
  memcpy(text, OWN_MODULE ".", strlen(OWN_MODULE "."));
  memcpy(text + strlen(OWN_MODULE "."), name.text, name.len);
  return px_value_text(text, len);
}

bool px_records_find_external(PxRecords *records, const PxValue *names, size_t n, PxArena *arena, PxId *ret_ids, const char **ret_tables,
                              GError **error) {
  PxStmt *stmt = px_db_prepare(records->db, "SELECT res_id, model FROM pattimpex_external_id WHERE module = ? AND name = ?", error);
  if (!stmt)
    return false;
  for (size_t i = 0; i < n; i++) {
    PxValue module;
    PxValue name;
    split_name(&names[i], &module, &name);
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

bool px_records_add_external(PxRecords *records, const PxModel *model, const PxValue *names, const PxId *ids, size_t n, GError **error) {
  PxStmt *stmt = px_db_prepare(records->db, "INSERT INTO pattimpex_external_id (module, name, model, res_id) VALUES (?, ?, ?, ?)", error);
  if (!stmt)
    return false;
  for (size_t i = 0; i < n; i++) {
    PxValue module;
    PxValue name;
    PxValue id = px_id_to_value(ids[i]);
    split_name(&names[i], &module, &name);
    px_stmt_bind(stmt, 0, &module);
    px_stmt_bind(stmt, 1, &name);
    px_stmt_bind_text(stmt, 2, model->table);
    px_stmt_bind(stmt, 3, &id);
    if (!px_stmt_run(stmt, error))
      return false;
  }
  return true;
}
