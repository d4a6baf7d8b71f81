/* SPDX-License-Identifier: Apache-2.0 */
/* Values read -> cells, a relation at a time: one question for all records of a page, whatever their number. */
#include "extract/extract_private.h"

/* ---- the plan */

/* The path to the id of the record at whose end a path of n many2one fields stands. */
static PxLookupPath id_path(PxArena *arena, const PxExportNode *node, const PxField *const *path, size_t n) {
  const PxField **fields = px_arena_new_array(arena, const PxField *, n + 1);
  const PxModel *model = node->model;
  for (size_t i = 0; i < n; i++) {
    fields[i] = path[i];
    model = path[i]->target;
  }
  fields[n] = model->id;
  return (PxLookupPath){.path = fields, .n_path = n + 1};
}

/* An external id, which does not stand in the record. */
static bool is_name(const PxExportValue *value) {
  return !value->computed && !value->path[value->n_path - 1];
}

const PxExtractPlan *px_extract_plan(PxArena *arena, const PxExportNode *node) {
  PxExtractPlan *plan = px_arena_new_array(arena, PxExtractPlan, 1);
  plan->node = node;
  plan->n_paths = node->n_values + node->n_lists;
  plan->paths = px_arena_new_array(arena, PxLookupPath, plan->n_paths);
  plan->items = px_arena_new_array(arena, const PxExtractPlan *, node->n_lists);
  for (size_t i = 0; i < node->n_values; i++) {
    const PxExportValue *value = &node->values[i];
    if (value->computed)
      plan->paths[i] = (PxLookupPath){.expression = value->computed->expression};
    else if (is_name(value))
      plan->paths[i] = id_path(arena, node, value->path, value->n_path - 1);
    else
      plan->paths[i] = (PxLookupPath){.path = value->path, .n_path = value->n_path};
  }
  for (size_t i = 0; i < node->n_lists; i++) {
    plan->paths[node->n_values + i] = id_path(arena, node, node->lists[i].path, node->lists[i].n_path - 1);
    plan->items[i] = px_extract_plan(arena, node->lists[i].item);
  }
  return plan;
}

/* ---- values */

static const PxModel *last_model(const PxExtractPlan *plan, const PxLookupPath *path) {
  return path->n_path > 1 ? path->path[path->n_path - 2]->target : plan->node->model;
}

/* The ids that stand in one column of the values. */
static PxId *ids_of(const PxExtractPage *page, const PxExtractPlan *plan, const PxValue *values, size_t path, size_t n) {
  PxId *ids = px_arena_new_array(page->arena, PxId, n);
  for (size_t i = 0; i < n; i++)
    ids[i] = px_id_from_value(values[i * plan->n_paths + path]);
  return ids;
}

static bool fill_names(const PxExtractPage *page, const PxExtractPlan *plan, const PxValue *values, size_t path, PxCell *const *cells, size_t n,
                       GError **error) {
  const PxId *ids = ids_of(page, plan, values, path, n);
  PxValue *names = px_arena_new_array(page->arena, PxValue, n);
  if (!px_records_names(page->records, last_model(plan, &plan->paths[path]), ids, n, page->arena, names, error))
    return false;
  for (size_t i = 0; i < n; i++)
    if (names[i].kind == PX_TEXT)
      cells[i][plan->node->values[path].column] = (PxCell){.ptr = names[i].text, .len = names[i].len, .kind = PX_CELL_TEXT};
  return true;
}

/* How a value that has no field is written: as what it is. */
static const PxField *as_it_is(PxValue value) {
  static const PxField fields[] = {
    [PX_NULL] = {.type = PX_TYPE_TEXT}, [PX_INTEGER] = {.type = PX_TYPE_INTEGER}, [PX_REAL] = {.type = PX_TYPE_DECIMAL},
    [PX_TEXT] = {.type = PX_TYPE_TEXT}, [PX_BLOB] = {.type = PX_TYPE_BINARY},
  };
  return &fields[value.kind];
}

static void fill_values(const PxExtractPage *page, const PxExtractPlan *plan, const PxValue *values, size_t path, PxCell *const *cells, size_t n) {
  const PxExportValue *value = &plan->node->values[path];
  const PxField *field = value->computed ? value->computed->as : value->path[value->n_path - 1];
  const PxConvertOptions convert = px_convert_options_with(page->convert, value->convert);
  for (size_t i = 0; i < n; i++) {
    PxValue read = values[i * plan->n_paths + path];
    cells[i][value->column] = px_field_format(field ? field : as_it_is(read), &convert, page->arena, read);
  }
}

/* ---- lists */

/* Where each item of the records begins in its row. */
static PxCell **item_cells(const PxExtractPage *page, const PxExportList *list, const size_t *counts, PxCell *const *cells, size_t n,
                           size_t n_items) {
  PxCell **items = px_arena_new_array(page->arena, PxCell *, n_items);
  size_t next = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < counts[i]; k++)
      items[next++] = cells[i] + list->column + k * list->item->width;
  return items;
}

static bool fill_list(const PxExtractPage *page, const PxExtractPlan *plan, const PxValue *values, size_t i, PxCell *const *cells, size_t n,
                      GError **error) {
  const PxExportList *list = &plan->node->lists[i];
  const PxExtractPlan *item = plan->items[i];
  const PxItemQuery query = {.paths = item->paths, .n_paths = item->n_paths, .with_inactive = page->with_inactive, .limit = list->occurrences};
  const PxId *ids = ids_of(page, plan, values, plan->node->n_values + i, n);
  size_t *counts = px_arena_new_array(page->arena, size_t, n);
  g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(PxValue));
  if (!px_records_items(page->records, list->path[list->n_path - 1], &query, ids, n, page->arena, found, counts, error))
    return false;
  size_t n_items = 0;
  for (size_t r = 0; r < n; r++)
    n_items += counts[r];
  PxCell **places = item_cells(page, list, counts, cells, n, n_items);
  return n_items == 0 || px_extract_fill(page, item, (const PxValue *)(void *)found->data, places, n_items, error);
}

bool px_extract_fill(const PxExtractPage *page, const PxExtractPlan *plan, const PxValue *values, PxCell *const *cells, size_t n, GError **error) {
  const PxExportNode *node = plan->node;
  for (size_t i = 0; i < node->n_values; i++) {
    if (!is_name(&node->values[i]))
      fill_values(page, plan, values, i, cells, n);
    else if (!fill_names(page, plan, values, i, cells, n, error))
      return false;
  }
  for (size_t i = 0; i < node->n_lists; i++)
    if (!fill_list(page, plan, values, i, cells, n, error))
      return false;
  return true;
}
