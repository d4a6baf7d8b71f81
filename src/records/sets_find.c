/* SPDX-License-Identifier: Apache-2.0 */
/* Finding records by one question for all tuples that have NULL in the same places: the tuples are a table that is joined. */
#include "records/records_private.h"

/* Which tuples a question is about. */
typedef struct {
  uint64_t mask, any;
  size_t *places; /* of its tuples among all */
  size_t n;
} Group;

static bool is_value(const Group *group, size_t path) {
  return !((group->mask | group->any) >> path & 1);
}

/* Types without an equality are compared as what they look like. */
static bool compares_as_text(const PxField *field) {
  static const char *const types[] = {"json", "xml", "point", "line", "polygon", "path", NULL};
  return g_strv_contains(types, field->sql_type);
}

static const PxField *compared_field(const PxLookup *lookup, size_t path) {
  return lookup->paths[path].path[lookup->paths[path].n_path - 1];
}

static void append_asked(const PxLookup *lookup, const Group *group, GString *sql) {
  g_autoptr(GString) names = g_string_new(NULL);
  g_string_append(sql, "unnest(");
  for (size_t i = 0; i < lookup->n_paths; i++) {
    if (!is_value(group, i))
      continue;
    g_string_append(sql, names->len ? ", " : "");
    if (compares_as_text(compared_field(lookup, i)))
      g_string_append(sql, "CAST(? AS text[])");
    else
      px_sets_array(sql, compared_field(lookup, i), true);
    g_string_append_printf(names, "v%zu, ", i);
  }
  g_string_append_printf(sql, ") WITH ORDINALITY AS asked (%splace)", names->str);
}

static void append_conditions(PxLookup *lookup, const Group *group, PxJoins *joins, GString *where) {
  for (size_t i = 0; i < lookup->n_paths; i++) {
    if (group->any >> i & 1)
      continue;
    g_string_append(where, where->len ? " AND " : " WHERE ");
    bool as_text = is_value(group, i) && compares_as_text(compared_field(lookup, i));
    g_string_append(where, as_text ? "CAST(" : "");
    px_joins_column(joins, where, lookup->paths[i].path, lookup->paths[i].n_path);
    g_string_append(where, as_text ? " AS text)" : "");
    if (is_value(group, i))
      g_string_append_printf(where, " = asked.v%zu", i);
    else
      g_string_append(where, " IS NULL");
  }
  px_lookup_limits_sql(lookup, joins, where, " AND ");
}

static bool asks_for(const PxLookup *lookup, const Group *group, const PxField *field) {
  for (size_t i = 0; i < lookup->n_paths; i++)
    if (is_value(group, i) && lookup->paths[i].n_path == 1 && lookup->paths[i].path[0] == field)
      return true;
  return false;
}

/* Whether the values are at least those of a unique key, which has an index. */
static bool is_unique(const PxLookup *lookup, const Group *group) {
  for (size_t u = 0; u < lookup->model->n_uniques; u++) {
    const PxUnique *unique = &lookup->model->uniques[u];
    size_t n = 0;
    while (n < unique->n_fields && asks_for(lookup, group, unique->fields[n]))
      n++;
    if (n == unique->n_fields)
      return true;
  }
  return asks_for(lookup, group, lookup->model->id);
}

/* The records and the tuples, joined. By an index each tuple is looked up for itself, which the OFFSET sees to: the planner thinks of pages that must
 * be read from a disk here and there, and would rather read the whole table for each batch. */
static void append_from(PxLookup *lookup, const Group *group, PxJoins *joins, GString *sql) {
  g_autoptr(GString) where = g_string_new(NULL);
  append_conditions(lookup, group, joins, where);
  if (px_joins_any(joins) || !is_unique(lookup, group)) {
    px_joins_from(joins, sql);
    g_string_append(sql, " CROSS JOIN ");
    append_asked(lookup, group, sql);
    g_string_append(sql, where->str);
    return;
  }
  g_string_append(sql, " FROM ");
  append_asked(lookup, group, sql);
  g_string_append(sql, " CROSS JOIN LATERAL (SELECT t0.*");
  px_joins_from(joins, sql);
  g_string_append_printf(sql, "%s OFFSET 0) AS t0", where->str);
}

/* Where nothing is read of the records, the least and the greatest id say all: a value that many records have costs no memory. */
static PxStmt *prepare(PxLookup *lookup, const Group *group) {
  PxDb *db = lookup->records->db;
  g_autoptr(PxJoins) joins = px_joins_new(db, lookup->model);
  g_autoptr(GString) id = g_string_new(NULL);
  px_joins_column(joins, id, &lookup->model->id, 1);
  g_autoptr(GString) sql = g_string_new("SELECT ");
  if (lookup->n_read && px_lookup_meets_twice(lookup))
    g_string_append_printf(sql, "DISTINCT ON (asked.place, %s) ", id->str);
  if (lookup->n_read)
    g_string_append_printf(sql, "asked.place, %s, %s", id->str, id->str);
  else if (px_model_has_uuids(lookup->model)) /* of which there is no least and greatest before PostgreSQL 18 */
    g_string_append_printf(sql, "asked.place, min(CAST(%s AS text)), max(CAST(%s AS text))", id->str, id->str);
  else
    g_string_append_printf(sql, "asked.place, min(%s), max(%s)", id->str, id->str);
  for (size_t i = 0; i < lookup->n_read; i++) {
    g_string_append(sql, ", ");
    px_joins_column(joins, sql, &lookup->read[i], 1);
  }
  append_from(lookup, group, joins, sql);
  if (!lookup->n_read)
    g_string_append(sql, " GROUP BY asked.place");
  return px_db_prepare_batch(db, sql->str);
}

static void bind(const PxLookup *lookup, const Group *group, const PxValue *tuples, PxArena *arena, PxStmt *stmt) {
  unsigned parameter = 0;
  for (size_t i = 0; i < lookup->n_paths; i++) {
    if (!is_value(group, i))
      continue;
    PxValue *column = px_arena_new_array(arena, PxValue, group->n);
    for (size_t t = 0; t < group->n; t++)
      column[t] = tuples[group->places[t] * lookup->n_paths + i];
    px_stmt_bind_array(stmt, parameter++, column, group->n);
  }
  px_lookup_bind_limits(lookup, stmt, parameter);
}

static void take_row(const PxLookup *lookup, PxStmt *stmt, PxArena *arena, PxFound *found) {
  PxId first = px_id_from_value(px_stmt_value(stmt, 1));
  PxId last = px_id_from_value(px_stmt_value(stmt, 2));
  if (found->too_many)
    return;
  if (!px_id_is_none(found->id) || !px_id_equal(first, last)) {
    *found = (PxFound){.too_many = true};
    return;
  }
  found->id = first;
  if (lookup->n_read)
    found->values = px_lookup_copy_row(lookup, stmt, 3, arena);
}

static bool find_group(PxLookup *lookup, const Group *group, const PxValue *tuples, PxArena *arena, PxFound *found, GError **error) {
  PxStmt *stmt = prepare(lookup, group);
  bind(lookup, group, tuples, arena, stmt);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    take_row(lookup, stmt, arena, &found[group->places[px_stmt_integer(stmt, 0) - 1]]);
  px_db_forget(lookup->records->db, stmt);
  return step == PX_STEP_DONE;
}

/* All cells NULL, or no condition: one answer for all of them. */
static bool find_empty(PxLookup *lookup, const Group *group, const PxValue *tuples, PxArena *arena, PxFound *found, GError **error) {
  PxFound *first = &found[group->places[0]];
  if (!px_rows_find_one(lookup, tuples + group->places[0] * lookup->n_paths, arena, first, error))
    return false;
  for (size_t i = 1; i < group->n; i++)
    found[group->places[i]] = *first;
  return true;
}

bool px_sets_find(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) {
  uint64_t all = lookup->n_paths == 64 ? UINT64_MAX : ((uint64_t)1 << lookup->n_paths) - 1;
  bool *asked = px_arena_new_array(arena, bool, n);
  size_t *places = px_arena_new_array(arena, size_t, n);
  for (size_t first = 0; first < n; first++) {
    if (asked[first])
      continue;
    Group group = {.places = places};
    group.mask = px_lookup_mask(lookup, tuples + first * lookup->n_paths, &group.any);
    for (size_t i = first; i < n; i++) {
      uint64_t any;
      if (asked[i] || px_lookup_mask(lookup, tuples + i * lookup->n_paths, &any) != group.mask || any != group.any)
        continue;
      asked[i] = true;
      places[group.n++] = i;
    }
    bool empty = (group.mask | group.any) == all;
    if (!(empty ? find_empty : find_group)(lookup, &group, tuples, arena, found, error))
      return false;
  }
  return true;
}
