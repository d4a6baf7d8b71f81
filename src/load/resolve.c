/* SPDX-License-Identifier: Apache-2.0 */
/* Items -> records: by database id, external id or natural key; and who has already what must be unique. */
#include "load/load_private.h"

/* What is asked of the database for some items of a place. */
typedef struct {
  PxValue *tuples;
  size_t *rows; /* indexes into the chunk */
  size_t n;
} Asked;

static Asked new_asked(PxLoader *loader, size_t width) {
  size_t n = loader->wave.end - loader->wave.first;
  return (Asked){.tuples = PX_LOAD_ARRAY(loader->wave_arena, PxValue, n * width), .rows = PX_LOAD_ARRAY(loader->wave_arena, size_t, n)};
}

static bool find_for(PxLoader *loader, const PxLoadPlace *place, const PxLookup *lookup, const Asked *asked, GError **error) {
  static PxValue nothing; /* the values of a record of which nothing is read: NULL would mean a new one */
  PxFound *found = PX_LOAD_ARRAY(loader->wave_arena, PxFound, asked->n);
  if (!px_records_find(loader->records, lookup, asked->tuples, asked->n, loader->wave_arena, found, error))
    return false;
  for (size_t i = 0; i < asked->n; i++) {
    PxItemFacts *facts = px_wave_item(loader, asked->rows[i], place);
    facts->record = found[i];
    if (!px_id_is_none(found[i].id) && !found[i].values)
      facts->record.values = &nothing;
    facts->sought = true;
  }
  return true;
}

/* ---- by id */

static void ask_db_ids(PxLoader *loader, const PxLoadPlace *place, Asked *asked) {
  for (size_t row = loader->wave.first; place->db_id && row < loader->wave.end; row++) {
    PxValue value = px_loader_values(loader, row)[place->db_id->slot];
    if (value.kind == PX_NULL || value.kind == PX_SLOT_BAD || value.kind == PX_SLOT_ABSENT)
      continue;
    asked->tuples[asked->n] = value;
    asked->rows[asked->n++] = row;
  }
}

static bool find_by_ids(PxLoader *loader, const PxLoadPlace *place, GError **error) {
  if (!place->by_id)
    return true;
  PxWave *wave = &loader->wave;
  Asked asked = new_asked(loader, 1);
  PxExternals externals = {0};
  ask_db_ids(loader, place, &asked);
  if (place->ext_id && !px_load_find_externals(loader, place->ext_id, wave->first, wave->end, &externals, error))
    return false;
  for (size_t i = 0; i < externals.n; i++) {
    size_t row = externals.rows[i];
    PxItemFacts *facts = px_wave_item(loader, row, place);
    facts->ext_known = externals.tables[i] != NULL;
    facts->ext_record = externals.ids[i];
    if (facts->ext_known && strcmp(externals.tables[i], px_place_model(&loader->plan, place)->table) != 0) {
      px_load_complain_other_model(loader, row, place->ext_id, &externals.names[i], externals.tables[i], PX_STAGE_ATTEMPT);
    } else if (!px_loader_gives(loader, place->db_id, row)) {
      asked.tuples[asked.n] = px_id_to_value(loader->wave_arena, externals.ids[i]);
      asked.rows[asked.n++] = row;
    }
  }
  return find_for(loader, place, place->by_id, &asked, error);
}

/* ---- by key */

/* A child is looked for among the children of its parent: the record that was found, or (when the parent has been decided on) that it is now. */
static PxId parent_id(PxLoader *loader, const PxLoadPlace *place, size_t row) {
  const PxItemFacts *parent = px_wave_item(loader, row, place->parent);
  return px_id_is_none(parent->id) ? parent->record.id : parent->id;
}

static void set_parents(PxLoader *loader, const PxLoadPlace *place) {
  for (size_t row = loader->wave.first; place->parent && row < loader->wave.end; row++)
    px_loader_values(loader, row)[place->first_slot + (unsigned)place->parent_write] =
      px_id_to_value(loader->wave_arena, parent_id(loader, place, row));
}

static bool find_by_key(PxLoader *loader, const PxLoadPlace *place, GError **error) {
  if (!place->by_key)
    return true;
  const PxLoadWatch *watch = &loader->plan.models[place->model].watches[place->key_watch];
  Asked asked = new_asked(loader, watch->n);
  bool assumed = px_load_assumes_new(loader, place);
  for (size_t row = loader->wave.first; row < loader->wave.end; row++) {
    const PxValue *values = px_loader_values(loader, row);
    PxItemFacts *facts = px_wave_item(loader, row, place);
    if (!px_loader_item(loader, row, place)->key_given || px_loader_gives(loader, place->db_id, row) || px_loader_gives(loader, place->ext_id, row))
      continue;
    PxValue *tuple = asked.tuples + asked.n * watch->n;
    bool bad = false;
    for (size_t i = 0; i < watch->n; i++) {
      tuple[i] = values[place->key_slots[i]];
      bad |= tuple[i].kind == PX_SLOT_BAD;
    }
    facts->by_key = facts->sought = !bad;
    /* A parent that is new has no children. */
    bool orphan = place->parent && px_id_is_none(parent_id(loader, place, row));
    if (!bad && !orphan && !assumed)
      asked.rows[asked.n++] = row;
  }
  return find_for(loader, place, place->by_key, &asked, error);
}

/* ---- what must be unique */

/* Whether the database has to be asked who has the tuple that the item would leave; if so values is that tuple. */
static bool wants_conflict(PxLoader *loader, const PxLoadPlace *place, int index, size_t row, uint64_t *mask, PxValue *values) {
  const PxLoadWatch *watch = &loader->plan.models[place->model].watches[index];
  const PxItemFacts *facts = px_wave_item(loader, row, place);
  const PxValue *old = px_id_is_none(facts->record.id) ? NULL : facts->record.values;
  /* It was looked for by these very fields: nobody has them, or this record has. */
  bool is_key = facts->by_key && place->key_writes_itself && index == place->key_watch;
  bool lost = !facts->sought && (place->by_key || px_loader_gives(loader, place->db_id, row));
  if (is_key || lost || facts->record.too_many || px_loader_row(loader, row)->dead || !px_loader_item(loader, row, place)->given)
    return false;
  px_load_mask(loader, place, row, facts->by_key, old, mask);
  if (!px_load_touches(&place->watches[index], watch->n, mask, old) ||
      !px_load_tuple_after(loader, place, index, row, mask, old, facts->record.id, values))
    return false;
  for (size_t i = 0; i < watch->n; i++)
    if (values[i].kind == PX_NULL)
      return false;
  return true;
}

static bool find_conflicts(PxLoader *loader, const PxLoadPlace *place, int index, GError **error) {
  const PxLoadWatch *watch = &loader->plan.models[place->model].watches[index];
  Asked asked = new_asked(loader, watch->n);
  uint64_t *mask = PX_LOAD_ARRAY(loader->wave_arena, uint64_t, place->words);
  for (size_t row = loader->wave.first; row < loader->wave.end; row++)
    if (wants_conflict(loader, place, index, row, mask, asked.tuples + asked.n * watch->n))
      asked.rows[asked.n++] = row;
  PxFound *found = PX_LOAD_ARRAY(loader->wave_arena, PxFound, asked.n);
  if (!px_records_find(loader->records, watch->lookup, asked.tuples, asked.n, loader->wave_arena, found, error))
    return false;
  for (size_t i = 0; i < asked.n; i++)
    px_wave_item(loader, asked.rows[i], place)->conflicts[index] = found[i];
  return true;
}

/* ---- a wave */

void px_wave_start(PxLoader *loader, size_t first, size_t end) {
  const PxLoadPlan *plan = &loader->plan;
  PxWave *wave = &loader->wave;
  PxArena *arena = loader->wave_arena;
  size_t n = end - first;
  px_arena_reset(arena);
  px_overlay_clear(&wave->overlay, plan);
  wave->first = first;
  wave->end = end;
  wave->facts = PX_LOAD_ARRAY(arena, PxRowFacts, n);
  PxFound *references = PX_LOAD_ARRAY(arena, PxFound, n * plan->n_references);
  PxTuple *tuples = PX_LOAD_ARRAY(arena, PxTuple, n * plan->n_references);
  PxItemFacts *items = PX_LOAD_ARRAY(arena, PxItemFacts, n * plan->n_places);
  for (size_t i = 0; i < n; i++) {
    wave->facts[i] = (PxRowFacts){
      .references = references + i * plan->n_references, .reference_tuples = tuples + i * plan->n_references, .items = items + i * plan->n_places};
    px_row_forget(px_loader_row(loader, first + i), PX_STAGE_ATTEMPT);
  }
}

/* In a row that is written step by step a place is asked for again, when the places before it are written. */
static void new_facts(PxLoader *loader, const PxLoadPlace *place) {
  PxWave *wave = &loader->wave;
  size_t n = wave->end - wave->first;
  size_t n_watches = loader->plan.models[place->model].n_watches;
  PxFound *conflicts = PX_LOAD_ARRAY(loader->wave_arena, PxFound, n * n_watches);
  for (size_t i = 0; i < n; i++)
    wave->facts[i].items[place->index] = (PxItemFacts){.conflicts = conflicts + i * n_watches};
}

bool px_load_resolve_place(PxLoader *loader, const PxLoadPlace *place, GError **error) {
  const PxLoadModel *written = &loader->plan.models[place->model];
  new_facts(loader, place);
  set_parents(loader, place);
  if (!px_load_resolve_live(loader, place, error) || !find_by_ids(loader, place, error) || !find_by_key(loader, place, error))
    return false;
  for (int i = 0; i < (int)written->n_watches; i++)
    if (written->watches[i].unique && !find_conflicts(loader, place, i, error))
      return false;
  return px_load_read_relations(loader, place, error);
}

bool px_load_take_ids(PxLoader *loader, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  PxWave *wave = &loader->wave;
  memset(wave->n_new_ids, 0, plan->n_models * sizeof *wave->n_new_ids);
  memset(wave->n_used_ids, 0, plan->n_models * sizeof *wave->n_used_ids);
  for (size_t row = wave->first; row < wave->end; row++)
    for (size_t p = 0; p < plan->n_places; p++) {
      const PxLoadPlace *place = &plan->places[p];
      wave->n_new_ids[place->model] += px_loader_item(loader, row, place)->given && px_id_is_none(px_wave_item(loader, row, place)->record.id);
    }
  for (size_t m = 0; m < plan->n_models; m++) {
    wave->new_ids[m] = PX_LOAD_ARRAY(loader->wave_arena, PxId, wave->n_new_ids[m]);
    bool needed = !loader->numbers_itself || loader->recorder;
    for (size_t i = 0; !needed && i < wave->n_new_ids[m]; i++)
      wave->new_ids[m][i] = px_id_from_integer(0); /* some record, whose number nobody asks for */
    if (needed && wave->n_new_ids[m] && !px_records_take_ids(loader->records, plan->models[m].model, wave->n_new_ids[m], wave->new_ids[m], error))
      return false;
  }
  return true;
}
