/* SPDX-License-Identifier: Apache-2.0 */
/* References and keys -> ids, asked of the database in batches: distinct values, one call a reference. */
#include "load/load_private.h"

/* Never of nothing, so that a pointer to it can be kept. */
#define NEW_ARRAY(arena, type, n) px_arena_new_array(arena, type, (n) + 1)

/* ---- external ids */

typedef struct {
  size_t *rows; /* indexes into the chunk */
  PxValue *names;
  PxId *ids;
  const char **tables;
  size_t n;
} Externals;

/* Looks up the external ids that rows [first, end) have in column's slot. */
static bool find_externals(PxLoader *loader, const PxLoadColumn *column, size_t first, size_t end, Externals *ret, GError **error) {
  PxArena *arena = loader->wave_arena;
  *ret = (Externals){.rows = NEW_ARRAY(arena, size_t, end - first), .names = NEW_ARRAY(arena, PxValue, end - first)};
  for (size_t row = first; row < end; row++) {
    PxValue value = px_loader_values(loader, row)[column->slot];
    if (value.kind != PX_TEXT || px_loader_row(loader, row)->dead)
      continue;
    ret->rows[ret->n] = row;
    ret->names[ret->n++] = value;
  }
  ret->ids = NEW_ARRAY(arena, PxId, ret->n);
  ret->tables = NEW_ARRAY(arena, const char *, ret->n);
  return px_records_find_external(loader->records, ret->names, ret->n, arena, ret->ids, ret->tables, error);
}

static void complain_other_model(PxLoader *loader, size_t row, const PxLoadColumn *column, const PxValue *name, const char *table, PxStage stage) {
  px_row_complain(loader, px_loader_row(loader, row), stage, column->column, NULL, "not_found", "the external id %s belongs to a record of %s",
                  px_load_describe(loader->wave_arena, name), table);
}

/* ---- references */

/* The values that a reference's cells look for, row after row; an external id has become the id of its record. */
typedef struct {
  PxValue *values;  /* n_parts a row */
  PxTuple *tuples;  /* one a row; bytes NULL: it looks for nothing, or for something that cannot be */
  bool *unknown;    /* the external id is not known */
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
  Externals externals;
  if (!find_externals(loader, column, first, end, &externals, error))
    return false;
  const PxModel *model = reference->fields[part]->model;
  for (size_t i = 0; i < externals.n; i++) {
    size_t at = externals.rows[i] - first;
    sought->values[at * n_parts + part] = px_id_to_value(externals.ids[i]);
    if (externals.tables[i] && strcmp(externals.tables[i], model->table) != 0) {
      complain_other_model(loader, externals.rows[i], column, &externals.names[i], externals.tables[i], stage);
      sought->values[at * n_parts + part].kind = PX_SLOT_BAD;
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
    canonical[part] = px_field_canonical(reference->fields[part], arena, values[part]);
  }
  sought->tuples[at] = px_tuple_encode(arena, canonical, reference->n_parts);
}

static bool collect(PxLoader *loader, const PxLoadReference *reference, size_t first, size_t end, PxStage stage, Sought *sought, GError **error) {
  PxArena *arena = loader->wave_arena;
  size_t index = (size_t)(reference - loader->plan.references);
  sought->values = NEW_ARRAY(arena, PxValue, (end - first) * reference->n_parts);
  sought->tuples = NEW_ARRAY(arena, PxTuple, end - first);
  sought->unknown = NEW_ARRAY(arena, bool, end - first);
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
  PxValue *distinct = NEW_ARRAY(arena, PxValue, n * n_parts);
  uint32_t *which = NEW_ARRAY(arena, uint32_t, n);
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
  PxFound *found = NEW_ARRAY(arena, PxFound, n_distinct);
  if (!px_records_find(loader->records, reference->lookup, distinct, n_distinct, arena, found, error))
    return false;
  for (size_t at = 0; at < n; at++)
    if (sought->tuples[at].bytes && !sought->unknown[at])
      answers[at] = found[which[at]];
  return true;
}

void px_load_complain_reference(PxLoader *loader, size_t row, const PxLoadReference *reference, bool too_many, PxStage stage) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t part = 0; part < reference->n_parts; part++) {
    const PxLoadColumn *column = reference->parts[part];
    const PxValue *value = &px_loader_values(loader, row)[column->slot];
    g_string_append_printf(text, "%s%s %s", part ? ", " : "", column->field ? column->field->label : "external id",
                           px_load_describe(loader->wave_arena, value));
  }
  const PxHeaderNode *node = reference->node;
  px_row_complain(loader, px_loader_row(loader, row), stage, node->first, node->field->label, too_many ? "too_many" : "not_found",
                  too_many ? "more than one %s has %s" : "no %s has %s", node->model->label, text->str);
}

static bool resolve_fixed(PxLoader *loader, const PxLoadReference *reference, GError **error) {
  size_t n = loader->rows->len;
  Sought sought;
  PxFound *answers = NEW_ARRAY(loader->wave_arena, PxFound, n);
  if (!collect(loader, reference, 0, n, PX_STAGE_CHUNK, &sought, error) || !find_distinct(loader, reference, n, &sought, answers, error))
    return false;
  size_t index = (size_t)(reference - loader->plan.references);
  for (size_t row = 0; row < n; row++) {
    PxValue *slot = &px_loader_values(loader, row)[reference->slot];
    *slot = px_id_to_value(answers[row].id);
    if (px_loader_states(loader, row)[index] == PX_REFERENCE_EMPTY || slot->kind != PX_NULL)
      continue;
    slot->kind = PX_SLOT_BAD;
    if (sought.tuples[row].bytes)
      px_load_complain_reference(loader, row, reference, answers[row].too_many, PX_STAGE_CHUNK);
  }
  return true;
}

bool px_load_resolve_fixed(PxLoader *loader, GError **error) {
  for (size_t i = 0; i < loader->plan.n_references; i++) {
    px_arena_reset(loader->wave_arena);
    if (!loader->plan.references[i].self && !resolve_fixed(loader, &loader->plan.references[i], error))
      return false;
  }
  return true;
}

/* The answers of the database; the wave's overlay may change them when the row's turn comes. */
static bool resolve_self(PxLoader *loader, const PxLoadReference *reference, GError **error) {
  PxWave *wave = &loader->wave;
  size_t n = wave->end - wave->first;
  size_t index = (size_t)(reference - loader->plan.references);
  Sought sought;
  PxFound *answers = NEW_ARRAY(loader->wave_arena, PxFound, n);
  if (!collect(loader, reference, wave->first, wave->end, PX_STAGE_ATTEMPT, &sought, error) ||
      !find_distinct(loader, reference, n, &sought, answers, error))
    return false;
  for (size_t at = 0; at < n; at++) {
    wave->facts[at].references[index] = answers[at];
    wave->facts[at].reference_tuples[index] = sought.tuples[at];
    PxValue *slot = &px_loader_values(loader, wave->first + at)[reference->slot];
    *slot = px_id_to_value(answers[at].id);
    if (slot->kind == PX_NULL && px_loader_states(loader, wave->first + at)[index] != PX_REFERENCE_EMPTY)
      slot->kind = PX_SLOT_BAD;
  }
  return true;
}

/* ---- the row's own record */

typedef struct {
  PxValue *tuples;
  size_t *rows; /* offsets from wave->first */
  size_t n;
} Asked;

static bool find_for(PxLoader *loader, const PxLookup *lookup, const Asked *asked, GError **error) {
  PxFound *found = NEW_ARRAY(loader->wave_arena, PxFound, asked->n);
  if (!px_records_find(loader->records, lookup, asked->tuples, asked->n, loader->wave_arena, found, error))
    return false;
  for (size_t i = 0; i < asked->n; i++) {
    PxRowFacts *facts = &loader->wave.facts[asked->rows[i]];
    facts->record = found[i];
    facts->sought = true;
  }
  return true;
}

static Asked new_asked(PxLoader *loader, size_t width) {
  size_t n = loader->wave.end - loader->wave.first;
  return (Asked){.tuples = NEW_ARRAY(loader->wave_arena, PxValue, n * width), .rows = NEW_ARRAY(loader->wave_arena, size_t, n)};
}

/* Whether the slot of column holds something that identifies the record, good or bad. */
static bool gives(PxLoader *loader, const PxLoadColumn *column, size_t row) {
  return column && px_loader_values(loader, row)[column->slot].kind != PX_NULL;
}

static bool find_by_ids(PxLoader *loader, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  PxWave *wave = &loader->wave;
  if (!plan->by_id)
    return true;
  Asked asked = new_asked(loader, 1);
  for (size_t row = wave->first; plan->db_id && row < wave->end; row++) {
    PxValue value = px_loader_values(loader, row)[plan->db_id->slot];
    if (value.kind == PX_NULL || value.kind == PX_SLOT_BAD)
      continue;
    asked.tuples[asked.n] = value;
    asked.rows[asked.n++] = row - wave->first;
  }
  Externals externals = {0};
  if (plan->ext_id && !find_externals(loader, plan->ext_id, wave->first, wave->end, &externals, error))
    return false;
  for (size_t i = 0; i < externals.n; i++) {
    size_t row = externals.rows[i];
    PxRowFacts *facts = &wave->facts[row - wave->first];
    facts->ext_known = externals.tables[i] != NULL;
    facts->ext_record = externals.ids[i];
    if (facts->ext_known && strcmp(externals.tables[i], plan->model->table) != 0) {
      complain_other_model(loader, row, plan->ext_id, &externals.names[i], externals.tables[i], PX_STAGE_ATTEMPT);
    } else if (!gives(loader, plan->db_id, row)) {
      asked.tuples[asked.n] = px_id_to_value(externals.ids[i]);
      asked.rows[asked.n++] = row - wave->first;
    }
  }
  return find_for(loader, plan->by_id, &asked, error);
}

static bool find_by_key(PxLoader *loader, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  PxWave *wave = &loader->wave;
  if (!plan->by_key)
    return true;
  const PxLoadWatch *watch = &plan->watches[plan->key_watch];
  Asked asked = new_asked(loader, watch->n);
  PxValue *canonical = NEW_ARRAY(loader->wave_arena, PxValue, watch->n);
  for (size_t row = wave->first; row < wave->end; row++) {
    const PxValue *values = px_loader_values(loader, row);
    PxRowFacts *facts = &wave->facts[row - wave->first];
    if (!px_loader_row(loader, row)->key_given || gives(loader, plan->db_id, row) || gives(loader, plan->ext_id, row))
      continue;
    PxValue *tuple = asked.tuples + asked.n * watch->n;
    bool bad = false;
    for (size_t i = 0; i < watch->n; i++) {
      tuple[i] = values[plan->key_slots[i]];
      bad |= tuple[i].kind == PX_SLOT_BAD;
      if (!bad)
        canonical[i] = px_field_canonical(watch->fields[i], loader->wave_arena, tuple[i]);
    }
    if (bad)
      continue;
    facts->by_key = true;
    facts->key = px_tuple_encode(loader->wave_arena, canonical, watch->n);
    asked.rows[asked.n++] = row - wave->first;
  }
  return find_for(loader, plan->by_key, &asked, error);
}

/* ---- what must be unique */

/* Whether the database has to be asked who has the tuple that the row would leave; if so values is that tuple. */
static bool wants_conflict(PxLoader *loader, const PxLoadWatch *watch, size_t row, uint64_t *mask, PxValue *values) {
  const PxLoadPlan *plan = &loader->plan;
  const PxRowFacts *facts = &loader->wave.facts[row - loader->wave.first];
  const PxValue *old = px_id_is_none(facts->record.id) ? NULL : facts->record.values;
  /* It was looked for by these very fields: nobody has them, or this record has. */
  bool is_key = facts->by_key && plan->key_writes_itself && watch == &plan->watches[plan->key_watch];
  if (is_key || facts->record.too_many || (!facts->sought && (plan->by_key || gives(loader, plan->db_id, row))))
    return false;
  px_load_mask(loader, row, facts->by_key, old, mask);
  bool written = !old;
  for (size_t i = 0; i < watch->n && !written; i++)
    written = watch->writes[i] >= 0 && px_mask_has(mask, (size_t)watch->writes[i]);
  if (!written || !px_load_tuple_after(loader, watch, row, mask, old, facts->record.id, values))
    return false;
  for (size_t i = 0; i < watch->n; i++)
    if (values[i].kind == PX_NULL)
      return false;
  return true;
}

static bool find_conflicts(PxLoader *loader, size_t index, GError **error) {
  const PxLoadWatch *watch = &loader->plan.watches[index];
  PxWave *wave = &loader->wave;
  Asked asked = new_asked(loader, watch->n);
  uint64_t *mask = NEW_ARRAY(loader->wave_arena, uint64_t, loader->plan.words);
  for (size_t row = wave->first; row < wave->end; row++) {
    if (px_loader_row(loader, row)->dead || !wants_conflict(loader, watch, row, mask, asked.tuples + asked.n * watch->n))
      continue;
    asked.rows[asked.n++] = row - wave->first;
  }
  PxFound *found = NEW_ARRAY(loader->wave_arena, PxFound, asked.n);
  if (!px_records_find(loader->records, watch->lookup, asked.tuples, asked.n, loader->wave_arena, found, error))
    return false;
  for (size_t i = 0; i < asked.n; i++)
    wave->facts[asked.rows[i]].conflicts[index] = found[i];
  return true;
}

/* ---- all of it */

static void new_facts(PxLoader *loader, size_t first, size_t end) {
  const PxLoadPlan *plan = &loader->plan;
  PxWave *wave = &loader->wave;
  PxArena *arena = loader->wave_arena;
  size_t n = end - first;
  wave->first = first;
  wave->end = end;
  wave->facts = NEW_ARRAY(arena, PxRowFacts, n);
  PxFound *references = NEW_ARRAY(arena, PxFound, n * plan->n_references);
  PxTuple *tuples = NEW_ARRAY(arena, PxTuple, n * plan->n_references);
  PxFound *conflicts = NEW_ARRAY(arena, PxFound, n * plan->n_watches);
  for (size_t i = 0; i < n; i++) {
    wave->facts[i].references = references + i * plan->n_references;
    wave->facts[i].reference_tuples = tuples + i * plan->n_references;
    wave->facts[i].conflicts = conflicts + i * plan->n_watches;
  }
}

static bool take_ids(PxLoader *loader, GError **error) {
  PxWave *wave = &loader->wave;
  wave->n_new_ids = 0;
  for (size_t i = 0; i < wave->end - wave->first; i++)
    wave->n_new_ids += px_id_is_none(wave->facts[i].record.id);
  wave->new_ids = NEW_ARRAY(loader->wave_arena, PxId, wave->n_new_ids);
  return !wave->n_new_ids || px_records_take_ids(loader->records, loader->plan.model, wave->n_new_ids, wave->new_ids, error);
}

bool px_load_resolve_range(PxLoader *loader, size_t first, size_t end, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  px_arena_reset(loader->wave_arena);
  px_overlay_clear(&loader->wave.overlay, plan);
  new_facts(loader, first, end);
  for (size_t row = first; row < end; row++)
    px_row_forget(px_loader_row(loader, row), PX_STAGE_ATTEMPT);
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].self && !resolve_self(loader, &plan->references[i], error))
      return false;
  if (!find_by_ids(loader, error) || !find_by_key(loader, error))
    return false;
  for (size_t i = 0; i < plan->n_watches; i++)
    if (plan->watches[i].unique && !find_conflicts(loader, i, error))
      return false;
  return take_ids(loader, error);
}
