/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as sets: one statement for all rows, whose values go as arrays. For a server, where each statement costs a way there and back. */
#include "records/records_private.h"

void px_sets_array(GString *sql, const PxField *field, bool compared) {
  g_string_append_printf(sql, "CAST(? AS %s[])", compared && px_field_holds_integers(field) ? "bigint" : field->sql_type);
}

bool px_sets_run(PxRecords *records, PxStmt *stmt, GError **error) {
  bool done = px_stmt_run(stmt, error);
  px_db_forget(records->db, stmt);
  return done;
}

/* ---- external ids */

static void split_names(const PxValue *names, size_t n, PxValue *modules, PxValue *rests) {
  for (size_t i = 0; i < n; i++)
    px_external_split(&names[i], &modules[i], &rests[i]);
}

static bool find_external(PxRecords *records, const PxValue *names, size_t n, PxArena *arena, PxId *ret_ids, const char **ret_tables,
                          GError **error) {
  g_autofree PxValue *modules = g_new(PxValue, n);
  g_autofree PxValue *rests = g_new(PxValue, n);
  PxStmt *stmt = px_db_named(records->db, "external_find_all", error);
  if (!stmt)
    return false;
  split_names(names, n, modules, rests);
  px_stmt_bind_array(stmt, 0, modules, n);
  px_stmt_bind_array(stmt, 1, rests, n);
  for (size_t i = 0; i < n; i++) {
    ret_ids[i] = PX_ID_NONE;
    ret_tables[i] = NULL;
  }
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    size_t i = (size_t)px_stmt_integer(stmt, 0) - 1;
    PxValue table = px_stmt_value(stmt, 2);
    PxValue key = px_stmt_value(stmt, 3);
    ret_ids[i] = px_id_from_value(key.kind == PX_NULL ? px_stmt_value(stmt, 1) : key);
    ret_tables[i] = px_arena_strndup(arena, table.text, table.len);
  }
  return step == PX_STEP_DONE;
}

/* Caller frees. */
static PxValue *id_values(PxArena *arena, const PxId *ids, size_t n) {
  PxValue *values = g_new(PxValue, n);
  for (size_t i = 0; i < n; i++)
    values[i] = px_id_to_value(arena, ids[i]);
  return values;
}

static bool add_external(PxRecords *records, const PxModel *model, const PxValue *names, const PxId *ids, size_t n, GError **error) {
  g_autofree PxValue *modules = g_new(PxValue, n);
  g_autofree PxValue *rests = g_new(PxValue, n);
  g_autofree PxValue *nulls = g_new0(PxValue, n);
  g_autoptr(PxArena) arena = px_arena_new();
  g_autofree PxValue *values = id_values(arena, ids, n);
  bool uuids = px_model_has_uuids(model);
  PxStmt *stmt = px_db_named(records->db, "external_add_all", error);
  if (!stmt)
    return false;
  split_names(names, n, modules, rests);
  px_stmt_bind_text(stmt, 0, model->table);
  px_stmt_bind_array(stmt, 1, modules, n);
  px_stmt_bind_array(stmt, 2, rests, n);
  px_stmt_bind_array(stmt, 3, uuids ? nulls : values, n);
  px_stmt_bind_array(stmt, 4, uuids ? values : nulls, n);
  return px_stmt_run(stmt, error);
}

/* ---- links */

static PxStmt *prepare_link(PxRecords *records, const PxField *field, bool link) {
  PxDb *db = records->db;
  g_autofree char *pairs =
    g_strdup_printf("unnest(CAST(? AS %s[]), CAST(? AS %s[])) AS pair (a, b)", px_ids_type(field->model), px_ids_type(field->target));
  g_autoptr(GString) sql = g_string_new(link ? "INSERT INTO " : "DELETE FROM ");
  g_string_append(sql, field->sql_through);
  g_string_append(sql, link ? " (" : " USING ");
  if (!link)
    g_string_append_printf(sql, "%s WHERE ", pairs);
  px_db_quote(db, sql, field->from);
  g_string_append(sql, link ? ", " : " = pair.a AND ");
  px_db_quote(db, sql, field->to);
  if (link)
    g_string_append_printf(sql, ") SELECT a, b FROM %s", pairs);
  else
    g_string_append(sql, " = pair.b");
  return px_db_prepare_batch(db, sql->str);
}

/* All changes of one field, wherever they stand. */
static bool link_field(PxRecords *records, const PxLinkChange *changes, size_t n, const PxField *field, bool link, GError **error) {
  g_autofree PxValue *from = g_new(PxValue, n);
  g_autofree PxValue *to = g_new(PxValue, n);
  g_autoptr(PxArena) arena = px_arena_new();
  size_t n_pairs = 0;
  for (size_t i = 0; i < n; i++) {
    if (changes[i].field != field)
      continue;
    from[n_pairs] = px_id_to_value(arena, changes[i].from);
    to[n_pairs++] = px_id_to_value(arena, changes[i].to);
  }
  PxStmt *stmt = prepare_link(records, field, link);
  px_stmt_bind_array(stmt, 0, from, n_pairs);
  px_stmt_bind_array(stmt, 1, to, n_pairs);
  return px_sets_run(records, stmt, error);
}

static bool link_sets(PxRecords *records, const PxLinkChange *changes, size_t n, bool link, GError **error) {
  g_autoptr(GPtrArray) fields = g_ptr_array_new();
  for (size_t i = 0; i < n; i++)
    if (!g_ptr_array_find(fields, changes[i].field, NULL))
      g_ptr_array_add(fields, (void *)(uintptr_t)changes[i].field);
  for (guint i = 0; i < fields->len; i++)
    if (!link_field(records, changes, n, g_ptr_array_index(fields, i), link, error))
      return false;
  return true;
}

static bool for_ids(PxRecords *records, const char *sql, const char *first, const char *type, const PxId *ids, size_t n, GError **error) {
  if (n == 0)
    return true;
  g_autofree char *all = g_strconcat(sql, " = ANY (CAST(? AS ", type, "[]))", NULL);
  g_autoptr(PxArena) arena = px_arena_new();
  g_autofree PxValue *values = id_values(arena, ids, n);
  PxStmt *stmt = px_db_prepare_batch(records->db, all);
  if (first)
    px_stmt_bind_text(stmt, 0, first);
  px_stmt_bind_array(stmt, first ? 1 : 0, values, n);
  return px_sets_run(records, stmt, error);
}

const PxBatches px_batches_sets = {
  .find = px_sets_find,
  .find_external = find_external,
  .add_external = add_external,
  .take_ids = px_sets_take_ids,
  .create = px_sets_create,
  .update = px_sets_update,
  .link = link_sets,
  .for_ids = for_ids,
  .update_verb = "UPDATE ",
};
