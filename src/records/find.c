/* SPDX-License-Identifier: Apache-2.0 */
/* Finding records by values: one statement for each set of NULL cells, never OR or IS NOT DISTINCT FROM, so that the database can always use
 * an index (design section 6, step 4). */
#include "records/records_private.h"

#include <string.h>

const PxLookup *px_records_lookup(PxRecords *records, const PxModel *model, const PxLookupPath *paths, size_t n_paths, const PxField *const *read,
                                  size_t n_read) {
  g_assert(n_paths > 0 && n_paths <= PX_LOOKUP_MAX_PATHS);
  PxLookup *lookup = g_new0(PxLookup, 1);
  lookup->records = records;
  lookup->index = records->lookups->len;
  lookup->model = model;
  lookup->paths = g_new(PxLookupPath, n_paths);
  lookup->n_paths = n_paths;
  for (size_t i = 0; i < n_paths; i++) {
    lookup->paths[i].path = g_memdup2(paths[i].path, paths[i].n_path * sizeof *paths[i].path);
    lookup->paths[i].n_path = paths[i].n_path;
  }
  lookup->read = g_memdup2(read, n_read * sizeof *read);
  lookup->n_read = n_read;
  lookup->statements = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  g_ptr_array_add(records->lookups, lookup);
  return lookup;
}

const PxLookup *px_records_limited_lookup(PxRecords *records, const PxModel *model, const PxLookupPath *paths, size_t n_paths,
                                          const PxLookupLimit *limits, size_t n_limits) {
  const PxLookup *unlimited = px_records_lookup(records, model, paths, n_paths, NULL, 0);
  if (n_limits == 0)
    return unlimited;
  const PxLookup *made = px_records_lookup(records, model, paths, n_paths, NULL, 0);
  PxLookup *lookup = g_ptr_array_index(records->lookups, made->index);
  lookup->unlimited = unlimited;
  lookup->limits = g_new(PxLookupLimit, n_limits);
  lookup->n_limits = n_limits;
  for (size_t i = 0; i < n_limits; i++) {
    lookup->limits[i] = limits[i];
    lookup->limits[i].path = g_memdup2(limits[i].path, limits[i].n_path * sizeof *limits[i].path);
  }
  lookup->limit_values = g_array_new(FALSE, FALSE, sizeof(PxValue));
  lookup->limit_texts = g_ptr_array_new_with_free_func(g_free);
  return lookup;
}

void px_lookup_free(PxLookup *lookup) {
  if (!lookup)
    return;
  for (size_t i = 0; i < lookup->n_paths; i++)
    g_free((void *)(uintptr_t)lookup->paths[i].path);
  g_free(lookup->paths);
  for (size_t i = 0; i < lookup->n_limits; i++)
    g_free((void *)(uintptr_t)lookup->limits[i].path);
  g_free(lookup->limits);
  g_clear_pointer(&lookup->limit_values, g_array_unref);
  g_clear_pointer(&lookup->limit_texts, g_ptr_array_unref);
  g_free(lookup->read);
  g_hash_table_unref(lookup->statements);
  g_free(lookup);
}

/* A path over a one2many or many2many meets a record as often as it has items that match. */
bool px_lookup_meets_twice(const PxLookup *lookup) {
  for (size_t i = 0; i < lookup->n_paths; i++)
    for (size_t f = 0; f < lookup->paths[i].n_path; f++)
      if (px_field_is_x2many(lookup->paths[i].path[f]))
        return true;
  return false;
}

uint64_t px_lookup_mask(const PxLookup *lookup, const PxValue *tuple, uint64_t *ret_any) {
  uint64_t mask = 0;
  *ret_any = 0;
  for (size_t i = 0; i < lookup->n_paths; i++) {
    mask |= (uint64_t)(tuple[i].kind == PX_NULL) << i;
    *ret_any |= (uint64_t)(tuple[i].kind == PX_RECORDS_ANY) << i;
  }
  return mask;
}

void px_lookup_limits_sql(PxLookup *lookup, PxJoins *joins, GString *sql, const char *separator) {
  if (!lookup->n_limits)
    return;
  g_array_set_size(lookup->limit_values, 0);
  g_ptr_array_set_size(lookup->limit_texts, 0);
  for (size_t i = 0; i < lookup->n_limits; i++) {
    const PxLookupLimit *limit = &lookup->limits[i];
    g_autofree char *alias = g_strdup_printf("t%u", px_joins_table(joins, limit->path, limit->n_path));
    g_string_append(sql, i ? " AND " : separator);
    px_domain_sql(lookup->records, sql, alias, limit->domain, lookup->limit_values, lookup->limit_texts);
  }
}

void px_lookup_bind_limits(const PxLookup *lookup, PxStmt *stmt, unsigned first) {
  for (guint i = 0; lookup->limit_values && i < lookup->limit_values->len; i++)
    px_stmt_bind(stmt, first + i, &g_array_index(lookup->limit_values, PxValue, i));
}

PxValue *px_lookup_copy_row(const PxLookup *lookup, PxStmt *stmt, unsigned first, PxArena *arena) {
  PxValue *values = px_arena_alloc(arena, lookup->n_read * sizeof *values);
  size_t size = 0;
  for (size_t i = 0; i < lookup->n_read; i++) {
    values[i] = px_stmt_value(stmt, first + (unsigned)i);
    size += values[i].kind == PX_TEXT || values[i].kind == PX_BLOB ? values[i].len : 0;
  }
  char *bytes = px_arena_alloc(arena, size);
  for (size_t i = 0; i < lookup->n_read; i++) {
    if (values[i].kind != PX_TEXT && values[i].kind != PX_BLOB)
      continue;
    memcpy(bytes, values[i].text, values[i].len);
    values[i].text = bytes;
    bytes += values[i].len;
  }
  return values;
}

/* Which of those that were not found are there without the limits. */
static bool find_excluded(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) {
  size_t width = lookup->n_paths;
  PxValue *missing = px_arena_alloc(arena, n * width * sizeof *missing);
  PxFound *there = px_arena_alloc(arena, n * sizeof *there);
  size_t n_missing = 0;
  for (size_t i = 0; i < n; i++)
    if (px_id_is_none(found[i].id) && !found[i].too_many)
      memcpy(missing + n_missing++ * width, tuples + i * width, width * sizeof *missing);
  if (n_missing == 0)
    return true;
  if (!px_records_find(lookup->records, lookup->unlimited, missing, n_missing, arena, there, error))
    return false;
  n_missing = 0;
  for (size_t i = 0; i < n; i++) {
    if (!px_id_is_none(found[i].id) || found[i].too_many)
      continue;
    found[i].excluded = there[n_missing].too_many || !px_id_is_none(there[n_missing].id);
    n_missing++;
  }
  return true;
}

bool px_records_find(PxRecords *records, const PxLookup *asked, const PxValue *tuples, size_t n, PxArena *arena, PxFound *ret_found, GError **error) {
  PxLookup *lookup = g_ptr_array_index(records->lookups, asked->index);
  memset(ret_found, 0, n * sizeof *ret_found);
  if (n == 0)
    return true;
  return records->batches->find(lookup, tuples, n, arena, ret_found, error) &&
         (!lookup->unlimited || find_excluded(lookup, tuples, n, arena, ret_found, error));
}
