/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: what must be unique, and what later rows may see of a record. */
#include "load/load_private.h"

static int compare_fields(const void *a, const void *b) {
  const PxField *const *left = a;
  const PxField *const *right = b;
  return (*left)->index < (*right)->index ? -1 : (*left)->index > (*right)->index;
}

int px_load_add_watch(PxLoadPlan *plan, PxArena *arena, unsigned model, const PxField *const *fields, size_t n) {
  PxLoadModel *written = &plan->models[model];
  const PxField **sorted = PX_LOAD_ARRAY(arena, const PxField *, n);
  memcpy(sorted, fields, n * sizeof *fields);
  qsort(sorted, n, sizeof *sorted, compare_fields);
  for (size_t i = 0; i < written->n_watches; i++)
    if (written->watches[i].n == n && memcmp(written->watches[i].fields, sorted, n * sizeof *sorted) == 0)
      return (int)i;
  PxLoadWatch *watch = &written->watches[written->n_watches];
  *watch = (PxLoadWatch){.fields = sorted, .n = n};
  for (size_t i = 0; i < n; i++)
    watch->computed |= sorted[i]->read_only;
  return (int)written->n_watches++;
}

void px_load_watch_uniques(PxLoadPlan *plan, PxArena *arena) {
  for (unsigned m = 0; m < plan->n_models; m++) {
    const PxModel *model = plan->models[m].model;
    for (size_t i = 0; i < model->n_uniques; i++) {
      const PxUnique *unique = &model->uniques[i];
      if (unique->n_fields > PX_LOOKUP_MAX_PATHS)
        continue;
      PxLoadWatch *watch = &plan->models[m].watches[px_load_add_watch(plan, arena, m, unique->fields, unique->n_fields)];
      /* What a generated column will hold is the database's to say, and so is whether it is unique. */
      watch->unique = !watch->computed;
    }
  }
}

static int find_write(const PxLoadPlace *place, const PxField *field) {
  for (size_t i = 0; i < place->n_writes; i++)
    if (place->writes[i] == field)
      return (int)i;
  return -1;
}

static int read_index(PxLoadPlace *place, const PxField *field) {
  for (size_t i = 0; i < place->n_reads; i++)
    if (place->reads[i] == field)
      return (int)i;
  place->reads[place->n_reads] = field;
  return (int)place->n_reads++;
}

static void map_watch(PxLoadPlace *place, const PxLoadWatch *watch, PxPlaceWatch *map, PxArena *arena) {
  map->writes = PX_LOAD_ARRAY(arena, int, watch->n);
  map->reads = PX_LOAD_ARRAY(arena, int, watch->n);
  for (size_t i = 0; i < watch->n; i++) {
    map->writes[i] = find_write(place, watch->fields[i]);
    map->reads[i] = read_index(place, watch->fields[i]);
    const PxHeaderColumn *column = map->writes[i] >= 0 ? place->write_columns[map->writes[i]] : NULL;
    if (column && (!map->column || column->column < map->column->column))
      map->column = column;
  }
}

void px_load_place_watches(PxLoadPlan *plan, PxRecords *records, PxArena *arena) {
  for (size_t p = 0; p < plan->n_places; p++) {
    PxLoadPlace *place = &plan->places[p];
    const PxLoadModel *written = &plan->models[place->model];
    place->reads = PX_LOAD_ARRAY(arena, const PxField *, place->n_writes + written->model->n_fields);
    for (size_t i = 0; i < place->n_writes; i++)
      place->reads[place->n_reads++] = place->writes[i];
    place->watches = PX_LOAD_ARRAY(arena, PxPlaceWatch, written->n_watches);
    for (size_t i = 0; i < written->n_watches; i++)
      map_watch(place, &written->watches[i], &place->watches[i], arena);
  }
  for (size_t m = 0; m < plan->n_models; m++)
    for (size_t i = 0; i < plan->models[m].n_watches; i++) {
      PxLoadWatch *watch = &plan->models[m].watches[i];
      if (watch->unique)
        watch->lookup = px_load_lookup(records, plan->models[m].model, watch->fields, watch->n, NULL, 0);
    }
}

const PxLookup *px_load_lookup(PxRecords *records, const PxModel *model, const PxField *const *fields, size_t n, const PxField *const *reads,
                               size_t n_reads) {
  g_autofree PxLookupPath *paths = g_new(PxLookupPath, n);
  for (size_t i = 0; i < n; i++)
    paths[i] = (PxLookupPath){.path = &fields[i], .n_path = 1};
  return px_records_lookup(records, model, paths, n, reads, n_reads);
}
