/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the records are there that the defaults of a pattern refer to. */
#include "load/load_private.h"

typedef struct {
  PxRecords *records;
  PxArena *arena;
  const PxPatternDefaults *defaults;
  GString *said; /* "Country Code FR" */
  PxValue *values;
  size_t n;
} Sought;

/* The values in the order of the paths; an external id becomes that of its record, or none. */
static bool add_values(Sought *sought, const PxHeaderNode *node, GError **error) {
  for (size_t i = 0; i < node->n_columns; i++) {
    const PxHeaderColumn *column = &node->columns[i];
    PxValue value = sought->defaults->values[column->column];
    g_string_append_printf(sought->said, "%s%s %s", sought->n ? ", " : "", column->field ? column->field->label : "external id",
                           px_load_describe(sought->arena, &value));
    if (column->kind == PX_COLUMN_EXT_ID) {
      PxId id = PX_ID_NONE;
      const char *table = NULL;
      if (!px_records_find_external(sought->records, &value, 1, sought->arena, &id, &table, error))
        return false;
      value = px_id_to_value(sought->arena, g_strcmp0(table, node->model->table) == 0 ? id : PX_ID_NONE);
    }
    sought->values[sought->n++] = value;
  }
  for (size_t i = 0; i < node->n_children; i++)
    if (!add_values(sought, node->children[i], error))
      return false;
  return true;
}

static bool check(Sought *sought, const PxHeaderNode *node, GPtrArray *missing, GError **error) {
  size_t n = px_load_count_columns(node);
  PxLookupPath *paths = PX_LOAD_ARRAY(sought->arena, PxLookupPath, n);
  size_t made = 0;
  px_load_collect_paths(sought->arena, node, NULL, 0, paths, &made);
  sought->values = PX_LOAD_ARRAY(sought->arena, PxValue, n);
  sought->n = 0;
  g_string_truncate(sought->said, 0);
  if (n > PX_LOOKUP_MAX_PATHS)
    return true;
  if (!add_values(sought, node, error))
    return false;
  PxFound found = {0};
  const PxLookup *lookup = px_records_lookup(sought->records, node->model, paths, n, NULL, 0);
  if (!px_records_find(sought->records, lookup, sought->values, 1, sought->arena, &found, error))
    return false;
  if (px_id_is_none(found.id))
    g_ptr_array_add(missing, g_strdup_printf("%s: %s %s has %s", node->first->header, found.too_many ? "more than one" : "no", node->model->label,
                                             sought->said->str));
  return true;
}

GPtrArray *px_load_missing_defaults(PxDb *db, const PxSchema *schema, const PxPattern *pattern, GError **error) {
  g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
  if (!pattern->defaults)
    return g_steal_pointer(&missing);
  g_autoptr(PxRecords) records = px_records_new(db, schema);
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(GString) said = g_string_new(NULL);
  Sought sought = {.records = records, .arena = arena, .defaults = pattern->defaults, .said = said};
  for (size_t i = 0; i < pattern->defaults->root->n_children; i++)
    if (!check(&sought, pattern->defaults->root->children[i], missing, error))
      return NULL;
  return g_steal_pointer(&missing);
}
