/* SPDX-License-Identifier: Apache-2.0 */
/* Finding many records where the database has no index for it: the table is read once and each record is looked up among the tuples. */
#include "base/tuple_map.h"
#include "records/records_private.h"

static PxStmt *prepare_scan(PxLookup *lookup, GError **error) {
  PxDb *db = lookup->records->db;
  g_autoptr(PxJoins) joins = px_joins_new(db, lookup->model);
  g_autoptr(GString) sql = g_string_new(px_lookup_meets_twice(lookup) ? "SELECT DISTINCT " : "SELECT ");
  px_joins_column(joins, sql, &lookup->model->id, 1);
  for (size_t i = 0; i < lookup->n_paths; i++) {
    g_string_append(sql, ", ");
    px_joins_column(joins, sql, lookup->paths[i].path, lookup->paths[i].n_path);
  }
  for (size_t i = 0; i < lookup->n_read; i++) {
    g_string_append(sql, ", ");
    px_joins_column(joins, sql, &lookup->read[i], 1);
  }
  g_autoptr(GString) where = g_string_new(NULL);
  px_lookup_limits_sql(lookup, joins, where, " WHERE ");
  px_joins_from(joins, sql);
  g_string_append(sql, where->str);
  return px_db_prepare(db, sql->str, error);
}

/* The tuples by their canonical values; of equal ones the first stands for all. */
static void map_tuples(const PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxTupleMap *map, uint32_t *first_of) {
  PxValue *canonical = px_arena_alloc(arena, lookup->n_paths * sizeof *canonical);
  for (size_t i = 0; i < n; i++) {
    for (size_t p = 0; p < lookup->n_paths; p++)
      canonical[p] = px_field_canonical(lookup->paths[p].path[lookup->paths[p].n_path - 1], arena, tuples[i * lookup->n_paths + p]);
    bool is_new;
    first_of[i] = px_tuple_map_add(map, px_tuple_encode(arena, canonical, lookup->n_paths), (uint32_t)i, &is_new)->value;
  }
}

static void meet_record(const PxLookup *lookup, PxStmt *stmt, PxFound *found, PxArena *arena) {
  PxId id = px_id_from_value(px_stmt_value(stmt, 0));
  if (found->too_many || px_id_equal(found->id, id))
    return;
  if (!px_id_is_none(found->id)) {
    *found = (PxFound){.too_many = true};
    return;
  }
  found->id = id;
  if (lookup->n_read)
    found->values = px_lookup_copy_row(lookup, stmt, 1 + (unsigned)lookup->n_paths, arena);
}

static bool read_table(PxLookup *lookup, const PxTupleMap *map, PxArena *arena, PxFound *found, GError **error) {
  g_autoptr(PxArena) passing = px_arena_new();
  PxStep step;
  px_lookup_bind_limits(lookup, lookup->scan, 0);
  while ((step = px_stmt_step(lookup->scan, error)) == PX_STEP_ROW) {
    px_arena_reset(passing);
    PxValue *values = px_arena_alloc(passing, lookup->n_paths * sizeof *values);
    for (size_t p = 0; p < lookup->n_paths; p++)
      values[p] = px_field_canonical(lookup->paths[p].path[lookup->paths[p].n_path - 1], passing, px_stmt_value(lookup->scan, 1 + (unsigned)p));
    const PxTupleEntry *entry = px_tuple_map_find(map, px_tuple_encode(passing, values, lookup->n_paths));
    if (entry)
      meet_record(lookup, lookup->scan, &found[entry->value], arena);
  }
  return step == PX_STEP_DONE;
}

bool px_lookup_scan(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *ret_found, GError **error) {
  if (!lookup->scan && !(lookup->scan = prepare_scan(lookup, error)))
    return false;
  PxTupleMap map;
  px_tuple_map_init(&map);
  uint32_t *first_of = px_arena_alloc(arena, n * sizeof *first_of);
  map_tuples(lookup, tuples, n, arena, &map, first_of);
  bool done = read_table(lookup, &map, arena, ret_found, error);
  px_tuple_map_done(&map);
  for (size_t i = 0; done && i < n; i++)
    ret_found[i] = ret_found[first_of[i]];
  return done;
}
