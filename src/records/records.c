/* SPDX-License-Identifier: Apache-2.0 */
#include "records/records_private.h"

static void free_lookup(void *lookup);

PxRecords *px_records_new(PxDb *db, const PxSchema *schema) {
  PxRecords *records = g_new0(PxRecords, 1);
  records->db = db;
  records->schema = schema;
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
  g_free(records);
}

static void free_lookup(void *lookup) {
  px_lookup_free(lookup);
}
