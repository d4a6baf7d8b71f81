/* SPDX-License-Identifier: Apache-2.0 */
/* Finding records one by one, by a prepared statement for each set of NULL cells; where the database has no index for it, by one reading of the
 * table for all (find_scan.c). */
#include "records/records_private.h"

#include <string.h>

/* mask: the paths whose value is NULL; any: those that are no condition. */
static PxStmt *prepare_for_mask(PxLookup *lookup, uint64_t mask, uint64_t any, GError **error) {
  PxDb *db = lookup->records->db;
  g_autoptr(PxJoins) joins = px_joins_new(db, lookup->model);
  g_autoptr(GString) sql = g_string_new(px_lookup_meets_twice(lookup) ? "SELECT DISTINCT " : "SELECT ");
  px_joins_column(joins, sql, &lookup->model->id, 1);
  for (size_t i = 0; i < lookup->n_read; i++) {
    g_string_append(sql, ", ");
    px_joins_column(joins, sql, &lookup->read[i], 1);
  }
  g_autoptr(GString) where = g_string_new(NULL);
  for (size_t i = 0; i < lookup->n_paths; i++) {
    if (any >> i & 1)
      continue;
    g_string_append(where, where->len ? " AND " : " WHERE ");
    px_joins_column(joins, where, lookup->paths[i].path, lookup->paths[i].n_path);
    g_string_append(where, mask >> i & 1 ? " IS NULL" : " = ?");
  }
  px_lookup_limits_sql(lookup, joins, where, where->len ? " AND " : " WHERE ");
  px_joins_from(joins, sql);
  g_string_append_printf(sql, "%s LIMIT 2", where->str);
  return px_db_prepare(db, sql->str, error);
}

static PxStmt *statement_for_mask(PxLookup *lookup, uint64_t mask, uint64_t any, GError **error) {
  if (any)
    return prepare_for_mask(lookup, mask, any, error); /* too rare to be remembered here; the connection knows its text */
  if (mask == 0 && lookup->without_null)
    return lookup->without_null;
  PxStmt *stmt = g_hash_table_lookup(lookup->statements, &mask);
  if (stmt)
    return stmt;
  stmt = prepare_for_mask(lookup, mask, 0, error);
  if (!stmt)
    return NULL;
  g_hash_table_insert(lookup->statements, g_memdup2(&mask, sizeof mask), stmt);
  if (mask == 0)
    lookup->without_null = stmt;
  return stmt;
}

bool px_rows_find_one(PxLookup *lookup, const PxValue *tuple, PxArena *arena, PxFound *found, GError **error) {
  uint64_t any;
  uint64_t mask = px_lookup_mask(lookup, tuple, &any);
  PxStmt *stmt = statement_for_mask(lookup, mask, any, error);
  if (!stmt)
    return false;
  unsigned parameter = 0;
  for (size_t i = 0; i < lookup->n_paths; i++)
    if (tuple[i].kind != PX_NULL && tuple[i].kind != PX_RECORDS_ANY)
      px_stmt_bind(stmt, parameter++, &tuple[i]);
  px_lookup_bind_limits(lookup, stmt, parameter);
  PxStep step = px_stmt_step(stmt, error);
  if (step != PX_STEP_ROW)
    return step == PX_STEP_DONE;
  found->id = px_id_from_value(px_stmt_value(stmt, 0));
  if (lookup->n_read)
    found->values = px_lookup_copy_row(lookup, stmt, 1, arena);
  step = px_stmt_step(stmt, error);
  if (step == PX_STEP_ROW) {
    *found = (PxFound){.too_many = true};
    px_stmt_reset(stmt);
  }
  return step != PX_STEP_ERROR;
}

/* ---- the short cut for files of new records: when no record at all lies between the least and the greatest value looked for, none is found */

static int compare_values(const PxValue *a, const PxValue *b) {
  if (a->kind == PX_INTEGER)
    return a->integer < b->integer ? -1 : a->integer > b->integer;
  int order = memcmp(a->text, b->text, MIN(a->len, b->len));
  return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

#define RUN 128        /* values that are asked for at once when not all can be */
#define MOST_IN_VAIN 4 /* runs that are asked for in a row; then no more is hoped for */

/* A single plain column that an index orders as we do. */
static bool can_ask_between(const PxLookup *lookup) {
  if (lookup->n_paths != 1 || lookup->paths[0].n_path != 1)
    return false;
  const PxField *field = lookup->paths[0].path[0];
  if (field == lookup->model->id)
    return true;
  if (field->collation != PX_COLLATE_BINARY)
    return false;
  for (size_t i = 0; i < lookup->model->n_uniques; i++)
    if (lookup->model->uniques[i].fields[0] == field)
      return true;
  return false;
}

static bool prepare_between(PxLookup *lookup, GError **error) {
  lookup->between_made = true;
  if (!can_ask_between(lookup))
    return true;
  PxDb *db = lookup->records->db;
  g_autoptr(GString) sql = g_string_new("SELECT 1 FROM ");
  g_string_append(sql, lookup->model->sql_table);
  g_string_append(sql, " WHERE ");
  px_db_quote(db, sql, lookup->paths[0].path[0]->column);
  g_string_append(sql, " BETWEEN ? AND ? LIMIT 1");
  lookup->between = px_db_prepare(db, sql->str, error);
  return lookup->between != NULL;
}

/* Sets *ret_none when it is certain that none of the values is there. */
static bool ask_between(PxLookup *lookup, const PxValue *values, size_t n, bool *ret_none, GError **error) {
  *ret_none = false;
  if (!lookup->between_made && !prepare_between(lookup, error))
    return false;
  if (!lookup->between || n < 8 || (values[0].kind != PX_INTEGER && values[0].kind != PX_TEXT))
    return true;
  const PxValue *least = values;
  const PxValue *greatest = values;
  for (size_t i = 1; i < n; i++) {
    if (values[i].kind != values[0].kind)
      return true;
    if (compare_values(&values[i], least) < 0)
      least = &values[i];
    else if (compare_values(&values[i], greatest) > 0)
      greatest = &values[i];
  }
  px_stmt_bind(lookup->between, 0, least);
  px_stmt_bind(lookup->between, 1, greatest);
  PxStep step = px_stmt_step(lookup->between, error);
  if (step == PX_STEP_ROW)
    px_stmt_reset(lookup->between);
  *ret_none = step == PX_STEP_DONE;
  return step != PX_STEP_ERROR;
}

/* ---- no index: a scan for each tuple would cost the square of the rows */

#define FEW 8 /* tuples, for which it is not asked */

static bool plan_scans(PxLookup *lookup, bool *ret_scans, GError **error) {
  /* The limits may scan other tables, which is of no account. */
  PxLookup *plain = lookup->unlimited ? g_ptr_array_index(lookup->records->lookups, lookup->unlimited->index) : lookup;
  PxStmt *asked = statement_for_mask(plain, 0, 0, error);
  if (!asked)
    return false;
  g_autofree char *sql = g_strdup_printf("EXPLAIN QUERY PLAN %s", px_stmt_text(asked));
  PxStmt *plan = px_db_prepare(lookup->records->db, sql, error);
  PxStep step = PX_STEP_ERROR;
  *ret_scans = false;
  while (plan && (step = px_stmt_step(plan, error)) == PX_STEP_ROW) {
    PxValue detail = px_stmt_value(plan, 3);
    *ret_scans |= detail.kind == PX_TEXT && detail.len >= 4 && memcmp(detail.text, "SCAN", 4) == 0;
  }
  return step == PX_STEP_DONE;
}

static bool should_scan(PxLookup *lookup, const PxValue *tuples, size_t n, bool *ret_scan, GError **error) {
  *ret_scan = false;
  if (n < FEW)
    return true;
  if (!lookup->scans_known) {
    if (!plan_scans(lookup, &lookup->scans, error))
      return false;
    lookup->scans_known = true;
    for (size_t i = 0; i < lookup->n_paths; i++)
      lookup->scans &= lookup->paths[i].path[lookup->paths[i].n_path - 1]->collation != PX_COLLATE_OTHER;
  }
  *ret_scan = lookup->scans;
  for (size_t i = 0; i < n * lookup->n_paths && *ret_scan; i++)
    *ret_scan = tuples[i].kind != PX_RECORDS_ANY;
  return true;
}

static bool find_each(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) {
  for (size_t i = 0; i < n; i++)
    if (!px_rows_find_one(lookup, tuples + i * lookup->n_paths, arena, &found[i], error))
      return false;
  return true;
}

/* Values that count up with gaps, such as those of one part of a file, have nothing between them run by run. */
static bool find_by_runs(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) {
  unsigned in_vain = 0;
  for (size_t i = 0; i < n; i += RUN) {
    size_t n_run = MIN(RUN, n - i);
    bool none = false;
    if (n > RUN && in_vain < MOST_IN_VAIN && lookup->between && !ask_between(lookup, tuples + i, n_run, &none, error))
      return false;
    in_vain = none ? 0 : in_vain + 1;
    if (!none && !find_each(lookup, tuples + i * lookup->n_paths, n_run, arena, found + i, error))
      return false;
  }
  return true;
}

bool px_rows_find(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) {
  bool none = false;
  bool scan = false;
  if (!ask_between(lookup, tuples, n, &none, error))
    return false;
  if (none)
    return true;
  if (!should_scan(lookup, tuples, n, &scan, error))
    return false;
  if (scan)
    return px_lookup_scan(lookup, tuples, n, arena, found, error);
  return find_by_runs(lookup, tuples, n, arena, found, error);
}
