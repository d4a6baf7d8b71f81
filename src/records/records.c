/* SPDX-License-Identifier: Apache-2.0 */
#include "records/records_private.h"

static void free_lookup(void *lookup);

PxRecords *px_records_new(PxDb *db, const PxSchema *schema) {
  PxRecords *records = g_new0(PxRecords, 1);
  records->db = db;
  records->schema = schema;
  records->batches = px_db_dialect(db) == PX_DIALECT_SQLITE ? &px_batches_rows : &px_batches_sets;
  records->lookups = g_ptr_array_new_with_free_func(free_lookup);
  records->statements = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
  return records;
}

void px_records_set_now(PxRecords *records, int64_t now) {
  records->now = now;
}

void px_records_free(PxRecords *records) {
  if (!records)
    return;
  g_ptr_array_unref(records->lookups);
  g_hash_table_unref(records->statements);
  g_clear_pointer(&records->trusts, g_hash_table_unref);
  g_free(records);
}

bool px_records_in_sets(const PxRecords *records) {
  return records->batches == &px_batches_sets;
}

static void free_lookup(void *lookup) {
  px_lookup_free(lookup);
}

/* ---- batches */

bool px_records_find_external(PxRecords *records, const PxValue *names, size_t n, PxArena *arena, PxId *ret_ids, const char **ret_tables,
                              GError **error) {
  return records->batches->find_external(records, names, n, arena, ret_ids, ret_tables, error);
}

bool px_records_add_external(PxRecords *records, const PxModel *model, const PxValue *names, const PxId *ids, size_t n, GError **error) {
  return records->batches->add_external(records, model, names, ids, n, error);
}

bool px_records_take_ids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) {
  return records->batches->take_ids(records, model, n, ret_ids, error);
}

bool px_records_create(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) {
  return records->batches->create(records, writes, ret_bad_row, error);
}

bool px_records_update(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) {
  return records->batches->update(records, writes, ret_bad_row, error);
}

bool px_records_link(PxRecords *records, const PxLinkChange *changes, size_t n, bool link, GError **error) {
  return records->batches->link(records, changes, n, link, error);
}

/* ---- values */

static bool cast(PxRecords *records, const PxField *field, const PxValue *value, GError **error) {
  g_autofree char *sql = g_strdup_printf("SELECT CAST(CAST(? AS text) AS %s) IS NULL", field->sql_type);
  PxStmt *stmt = px_db_prepare(records->db, sql, error);
  if (!stmt)
    return false;
  px_stmt_bind(stmt, 0, value);
  return px_stmt_run(stmt, error);
}

bool px_records_takes(PxRecords *records, const PxField *field, const PxValue *value, PxArena *arena, bool *ret_takes, const char **ret_why,
                      GError **error) {
  g_autoptr(GError) problem = NULL;
  *ret_takes = true;
  if (!field->sql_type || value->kind == PX_NULL || value->kind == PX_BLOB)
    return true;
  if (!px_db_savepoint(records->db, error))
    return false;
  *ret_takes = cast(records, field, value, &problem);
  if (*ret_takes)
    return px_db_release(records->db, error);
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  *ret_why = px_arena_strndup(arena, problem->message, strlen(problem->message));
  return px_db_rollback_to(records->db, error);
}
