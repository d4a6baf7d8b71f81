/* SPDX-License-Identifier: Apache-2.0 */
/* Which records a reference may find: the domains of the pattern's relations. */
#include "load/load_private.h"

/* The relations from the root of the file to a node, outermost first. */
static void add_way(GPtrArray *way, const PxLoadPlace *place) {
  if (!place->parent)
    return;
  add_way(way, place->parent);
  g_ptr_array_add(way, (gpointer)(uintptr_t)place->node->field);
}

static bool is_at(const PxPatternLimit *limit, const GPtrArray *way) {
  return limit->n_path == way->len && memcmp(limit->path, way->pdata, way->len * sizeof *limit->path) == 0;
}

/* Those of the node at the end of way and of what is beneath it; the way to the reference has n_outer relations. */
static void collect(const PxPattern *pattern, const PxHeaderNode *node, GPtrArray *way, size_t n_outer, PxArena *arena, GArray *limits) {
  for (size_t i = 0; i < pattern->n_limits; i++) {
    if (!is_at(&pattern->limits[i], way))
      continue;
    size_t n_path = way->len - n_outer;
    const PxField **path = PX_LOAD_ARRAY(arena, const PxField *, n_path);
    for (size_t f = 0; f < n_path; f++)
      path[f] = way->pdata[n_outer + f];
    PxLookupLimit limit = {.path = path, .n_path = n_path, .domain = pattern->limits[i].domain};
    g_array_append_val(limits, limit);
  }
  for (size_t i = 0; i < node->n_children; i++) {
    g_ptr_array_add(way, (gpointer)(uintptr_t)node->children[i]->field);
    collect(pattern, node->children[i], way, n_outer, arena, limits);
    g_ptr_array_set_size(way, (gint)way->len - 1);
  }
}

const PxLookupLimit *px_load_limits(const PxLoadPlan *plan, const PxLoadReference *reference, PxArena *arena, size_t *ret_n) {
  g_autoptr(GPtrArray) way = g_ptr_array_new();
  g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(PxLookupLimit));
  add_way(way, &plan->places[reference->place]);
  g_ptr_array_add(way, (gpointer)(uintptr_t)reference->node->field);
  collect(plan->pattern, reference->node, way, way->len, arena, found);
  PxLookupLimit *limits = PX_LOAD_ARRAY(arena, PxLookupLimit, found->len);
  for (guint i = 0; i < found->len; i++)
    limits[i] = g_array_index(found, PxLookupLimit, i);
  *ret_n = found->len;
  return limits;
}

static bool is_written(const PxLoadPlan *plan, const PxModel *model) {
  for (size_t i = 0; i < plan->n_models; i++)
    if (plan->models[i].model == model)
      return true;
  return false;
}

bool px_load_domain_reads_written(const PxLoadPlan *plan, const PxDomain *domain) {
  for (size_t i = 0; i < domain->n_children; i++)
    if (px_load_domain_reads_written(plan, domain->children[i]))
      return true;
  for (size_t i = 0; i < domain->n_path; i++)
    if (is_written(plan, domain->path[i]->model) || (domain->path[i]->target && is_written(plan, domain->path[i]->target)))
      return true;
  return false;
}
