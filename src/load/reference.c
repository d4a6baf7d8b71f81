/* SPDX-License-Identifier: Apache-2.0 */
/* References -> ids, asked of the database in batches: distinct values, one call a reference. */
#include "load/load_private.h"

/* ---- external ids */

bool px_load_find_externals(PxLoader *loader, const PxLoadColumn *column, size_t first, size_t end, PxExternals *ret, GError **error) {
  PxArena *arena = loader->wave_arena;
  *ret = (PxExternals){.rows = PX_LOAD_ARRAY(arena, size_t, end - first), .names = PX_LOAD_ARRAY(arena, PxValue, end - first)};
  for (size_t row = first; row < end; row++) {
    PxValue value = px_loader_values(loader, row)[column->slot];
    if (value.kind != PX_TEXT || px_loader_row(loader, row)->dead)
      continue;
    ret->rows[ret->n] = row;
    ret->names[ret->n++] = value;
  }
  ret->ids = PX_LOAD_ARRAY(arena, PxId, ret->n);
  ret->tables = PX_LOAD_ARRAY(arena, const char *, ret->n);
  return px_records_find_external(loader->records, ret->names, ret->n, arena, ret->ids, ret->tables, error);
}

void px_load_complain_other_model(PxLoader *loader, size_t row, const PxLoadColumn *column, const PxValue *name, const char *table, PxStage stage) {
  px_row_complain(loader, px_loader_row(loader, row), stage, column->column, NULL, "not_found", "the external id %s belongs to a record of %s",
                  px_load_describe(loader->wave_arena, name), table);
}

/* ---- what is looked for */

/* The values that a reference's cells look for, row after row; an external id has become the id of its record. */
typedef struct {
  PxValue *values; /* n_parts a row */
  PxTuple *tuples; /* one a row; bytes NULL: it looks for nothing, or for something that cannot be */
  bool *unknown;   /* the external id is not known */
} Sought;

static bool collect_part(PxLoader *loader, const PxLoadReference *reference, size_t part, size_t first, size_t end, Sought *sought, PxStage stage,
                         GError **error) {
  const PxLoadColumn *column = reference->parts[part];
  size_t n_parts = reference->n_parts;
  if (column->field) {
    for (size_t row = first; row < end; row++)
      sought->values[(row - first) * n_parts + part] = px_loader_values(loader, row)[column->slot];
    return true;
  }
  PxExternals externals;
  if (!px_load_find_externals(loader, column, first, end, &externals, error))
    return false;
  const PxModel *model = reference->fields[part]->model;
  for (size_t i = 0; i < externals.n; i++) {
    size_t at = externals.rows[i] - first;
    PxValue *value = &sought->values[at * n_parts + part];
    *value = px_id_to_value(loader->wave_arena, externals.ids[i]);
    if (externals.tables[i] && strcmp(externals.tables[i], model->table) != 0) {
      px_load_complain_other_model(loader, externals.rows[i], column, &externals.names[i], externals.tables[i], stage);
      value->kind = PX_SLOT_BAD;
    } else if (px_id_is_none(externals.ids[i])) {
      sought->unknown[at] = true;
    }
  }
  return true;
}

/* A tuple with a bad part looks for nothing: its message is there already. */
static void make_tuple(PxLoader *loader, const PxLoadReference *reference, Sought *sought, size_t at) {
  PxArena *arena = loader->wave_arena;
  PxValue *values = sought->values + at * reference->n_parts;
  PxValue *canonical = px_arena_alloc(arena, reference->n_parts * sizeof *canonical);
  for (size_t part = 0; part < reference->n_parts; part++) {
    if (values[part].kind == PX_SLOT_BAD)
      return;
    canonical[part] = values[part].kind == PX_SLOT_ABSENT ? values[part] : px_field_canonical(reference->fields[part], arena, values[part]);
  }
  sought->tuples[at] = px_tuple_encode(arena, canonical, reference->n_parts);
}

static bool collect(PxLoader *loader, const PxLoadReference *reference, size_t first, size_t end, PxStage stage, Sought *sought, GError **error) {
  PxArena *arena = loader->wave_arena;
  size_t index = (size_t)(reference - loader->plan.references);
  sought->values = PX_LOAD_ARRAY(arena, PxValue, (end - first) * reference->n_parts);
  sought->tuples = PX_LOAD_ARRAY(arena, PxTuple, end - first);
  sought->unknown = PX_LOAD_ARRAY(arena, bool, end - first);
  for (size_t part = 0; part < reference->n_parts; part++)
    if (!collect_part(loader, reference, part, first, end, sought, stage, error))
      return false;
  for (size_t row = first; row < end; row++)
    if (px_loader_states(loader, row)[index] == PX_REFERENCE_GIVEN && !px_loader_row(loader, row)->dead)
      make_tuple(loader, reference, sought, row - first);
  return true;
}

/* Asks for each distinct tuple once. */
static bool find_distinct(PxLoader *loader, const PxLoadReference *reference, size_t n, const Sought *sought, PxFound *answers, GError **error) {
  PxArena *arena = loader->wave_arena;
  size_t n_parts = reference->n_parts;
  PxValue *distinct = PX_LOAD_ARRAY(arena, PxValue, n * n_parts);
  uint32_t *which = PX_LOAD_ARRAY(arena, uint32_t, n);
  PxTupleMap map;
  px_tuple_map_init(&map);
  for (size_t at = 0; at < n; at++) {
    if (!sought->tuples[at].bytes || sought->unknown[at])
      continue;
    bool is_new;
    uint32_t next = (uint32_t)map.used;
    which[at] = px_tuple_map_add(&map, sought->tuples[at], next, &is_new)->value;
    if (is_new)
      memcpy(distinct + next * n_parts, sought->values + at * n_parts, n_parts * sizeof *distinct);
  }
  size_t n_distinct = map.used;
  px_tuple_map_done(&map);
  PxFound *found = PX_LOAD_ARRAY(arena, PxFound, n_distinct);
  if (!px_records_find(loader->records, reference->lookup, distinct, n_distinct, arena, found, error))
    return false;
  for (size_t at = 0; at < n; at++)
    if (sought->tuples[at].bytes && !sought->unknown[at])
      answers[at] = found[which[at]];
  return true;
}

/* "Country|Country Code": the way from the record that is looked for to what its cell is compared with. */
static void append_labels(GString *text, const PxLookupPath *path, const PxLoadColumn *column) {
  for (size_t i = 0; i + 1 < path->n_path; i++)
    g_string_append_printf(text, "%s|", path->path[i]->label);
  g_string_append(text, column->field ? column->field->label : "external id");
}

void px_load_complain_reference(PxLoader *loader, size_t row, const PxLoadReference *reference, const PxFound *found, PxStage stage) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t part = 0; part < reference->n_parts; part++) {
    const PxLoadColumn *column = reference->parts[part];
    const PxValue *value = &px_loader_values(loader, row)[column->slot];
    if (value->kind == PX_SLOT_ABSENT)
      continue;
    g_string_append(text, text->len ? ", " : "");
    append_labels(text, &reference->paths[part], column);
    g_string_append_printf(text, " %s", px_load_describe(loader->wave_arena, value));
  }
  const PxHeaderNode *node = reference->node;
  px_row_complain(loader, px_loader_row(loader, row), stage, node->first, node->field->label, found->too_many ? "too_many" : "not_found",
                  found->too_many   ? "more than one %s has %s"
                  : found->excluded ? "the %s that has %s is left out by the domain of the pattern"
                                    : "no %s has %s",
                  node->model->label, text->str);
}

/* ---- fixed and live references */

/* Sets the slot to the answer, or to what the cells are without one. arena: lives as long as the answer counts. */
static void settle_slot(PxLoader *loader, PxArena *arena, const PxLoadReference *reference, size_t row, PxId id) {
  PxValue *slot = &px_loader_values(loader, row)[reference->slot];
  *slot = px_id_to_value(arena, id);
  switch ((PxReferenceState)px_loader_states(loader, row)[reference - loader->plan.references]) {
  case PX_REFERENCE_ABSENT:
    slot->kind = PX_SLOT_ABSENT;
    return;
  case PX_REFERENCE_EMPTY:
    return;
  case PX_REFERENCE_GIVEN:
  case PX_REFERENCE_BAD:
    break;
  }
  if (slot->kind == PX_NULL)
    slot->kind = PX_SLOT_BAD;
}

/* Whether the database may refuse a value that is only compared: it has a type of which we know nothing. */
static bool may_be_refused(const PxLoader *loader, const PxLoadReference *reference) {
  bool may = false;
  for (size_t part = 0; part < reference->n_parts; part++)
    may |= reference->fields[part]->type == PX_TYPE_TEXT && reference->fields[part]->collation == PX_COLLATE_OTHER;
  return may && px_db_dialect(loader->db) == PX_DIALECT_POSTGRES;
}

/* Under a savepoint; *ret_refused: nothing was found out. */
static bool try_find(PxLoader *loader, const PxLoadReference *reference, size_t n, const Sought *sought, PxFound *answers, bool *ret_refused,
                     GError **error) {
  g_autoptr(GError) problem = NULL;
  *ret_refused = false;
  if (!px_db_savepoint(loader->db, error))
    return false;
  if (find_distinct(loader, reference, n, sought, answers, &problem))
    return px_db_release(loader->db, error);
  *ret_refused = g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT);
  if (*ret_refused)
    return px_db_rollback_to(loader->db, error);
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* Row by row, where the database refuses to compare with some value. */
static bool find_each(PxLoader *loader, const PxLoadReference *reference, size_t n, const Sought *sought, PxFound *answers, GError **error) {
  for (size_t row = 0; row < n; row++) {
    const Sought one = {sought->values + row * reference->n_parts, sought->tuples + row, sought->unknown + row};
    bool refused;
    if (!try_find(loader, reference, 1, &one, answers + row, &refused, error))
      return false;
    if (!refused)
      continue;
    sought->tuples[row].bytes = NULL;
    px_row_complain(loader, px_loader_row(loader, row), PX_STAGE_CHUNK, reference->node->first, reference->node->field->label, "conversion", "%s",
                    px_db_refusal(loader->db)->message);
  }
  return true;
}

static bool find_fixed(PxLoader *loader, const PxLoadReference *reference, size_t n, const Sought *sought, PxFound *answers, GError **error) {
  bool refused;
  if (!may_be_refused(loader, reference))
    return find_distinct(loader, reference, n, sought, answers, error);
  return try_find(loader, reference, n, sought, answers, &refused, error) && (!refused || find_each(loader, reference, n, sought, answers, error));
}

static bool resolve_fixed(PxLoader *loader, const PxLoadReference *reference, GError **error) {
  size_t n = loader->rows->len;
  Sought sought;
  PxFound *answers = PX_LOAD_ARRAY(loader->wave_arena, PxFound, n);
  if (!collect(loader, reference, 0, n, PX_STAGE_CHUNK, &sought, error) || !find_fixed(loader, reference, n, &sought, answers, error))
    return false;
  for (size_t row = 0; row < n; row++) {
    settle_slot(loader, loader->chunk_arena, reference, row, answers[row].id);
    if (sought.tuples[row].bytes && px_id_is_none(answers[row].id) && !reference->is_default)
      px_load_complain_reference(loader, row, reference, &answers[row], PX_STAGE_CHUNK);
  }
  return true;
}

bool px_load_resolve_fixed(PxLoader *loader, GError **error) {
  for (size_t i = 0; i < loader->plan.n_references; i++) {
    px_arena_reset(loader->wave_arena);
    if (!loader->plan.references[i].live && !resolve_fixed(loader, &loader->plan.references[i], error))
      return false;
  }
  return true;
}

static bool resolve_live(PxLoader *loader, const PxLoadReference *reference, GError **error) {
  PxWave *wave = &loader->wave;
  size_t n = wave->end - wave->first;
  size_t index = (size_t)(reference - loader->plan.references);
  Sought sought;
  PxFound *answers = PX_LOAD_ARRAY(loader->wave_arena, PxFound, n);
  if (!collect(loader, reference, wave->first, wave->end, PX_STAGE_ATTEMPT, &sought, error) ||
      !find_distinct(loader, reference, n, &sought, answers, error))
    return false;
  for (size_t at = 0; at < n; at++) {
    wave->facts[at].references[index] = answers[at];
    wave->facts[at].reference_tuples[index] = sought.tuples[at];
    settle_slot(loader, loader->wave_arena, reference, wave->first + at, answers[at].id);
  }
  return true;
}

bool px_load_resolve_live(PxLoader *loader, const PxLoadPlace *place, GError **error) {
  for (size_t i = 0; i < loader->plan.n_references; i++) {
    const PxLoadReference *reference = &loader->plan.references[i];
    if (reference->live && reference->place == place->index && !resolve_live(loader, reference, error))
      return false;
  }
  return true;
}
