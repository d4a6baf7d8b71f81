/* SPDX-License-Identifier: Apache-2.0 */
/* Row after row: what it does, what is wrong with it, or that it must wait until the wave before it is written. */
#include "load/load_private.h"

/* ---- what a row writes */

static bool writes_null(const PxField *field, const PxValue *value) {
  return value->kind == PX_NULL && field->required;
}

/* An empty cell of a new record: in a NOT NULL column the default, in any other NULL. */
static void mask_new(PxLoader *loader, const PxValue *values, uint64_t *mask) {
  const PxLoadPlan *plan = &loader->plan;
  for (size_t w = 0; w < plan->n_writes; w++)
    if (values[w].kind != PX_SLOT_BAD && !writes_null(plan->writes[w], &values[w]))
      px_mask_set(mask, w);
}

static bool same(const PxField *field, const PxValue *stored, const PxValue *value) {
  if (field->type == PX_TYPE_MANY2ONE)
    return px_value_equal(stored, value);
  return px_field_unchanged(field, *stored, *value);
}

void px_load_mask(PxLoader *loader, size_t row, bool by_key, const PxValue *old, uint64_t *mask) {
  const PxLoadPlan *plan = &loader->plan;
  const PxValue *values = px_loader_values(loader, row);
  memset(mask, 0, plan->words * sizeof *mask);
  if (!old) {
    mask_new(loader, values, mask);
    return;
  }
  for (size_t w = 0; w < plan->n_writes; w++) {
    if (values[w].kind == PX_SLOT_BAD || (by_key && plan->write_is_key[w]) || writes_null(plan->writes[w], &values[w]))
      continue;
    if (!same(plan->writes[w], &old[w], &values[w]))
      px_mask_set(mask, w);
  }
}

/* What a new record has in a field that is not written; false when only the database knows. */
static bool default_of(const PxField *field, PxValue *ret_value) {
  *ret_value = field->default_is_constant ? field->default_value : px_value_null();
  return !field->read_only && (!field->has_default || field->default_is_constant);
}

bool px_load_tuple_after(PxLoader *loader, const PxLoadWatch *watch, size_t row, const uint64_t *mask, const PxValue *old, PxId id,
                         PxValue *values) {
  const PxValue *slots = px_loader_values(loader, row);
  for (size_t i = 0; i < watch->n; i++) {
    int w = watch->writes[i];
    PxValue value;
    if (watch->fields[i] == loader->plan.model->id)
      value = px_id_to_value(id);
    else if (w >= 0 && slots[w].kind == PX_SLOT_BAD)
      return false;
    else if (w >= 0 && px_mask_has(mask, (size_t)w))
      value = slots[w];
    else if (old)
      value = old[watch->reads[i]];
    else if (!default_of(watch->fields[i], &value))
      return false;
    values[i] = px_field_canonical(watch->fields[i], loader->wave_arena, value);
  }
  return true;
}

/* ---- looking back at the wave */

/* Whether the record of the row is, or may be, one that the wave writes. */
static bool record_waits(PxLoader *loader, size_t row, const PxRowFacts *facts) {
  const PxLoadPlan *plan = &loader->plan;
  const PxOverlay *overlay = &loader->wave.overlay;
  const PxValue *values = px_loader_values(loader, row);
  size_t create;
  if (facts->by_key && (overlay->unknown[plan->key_watch] ||
                        px_overlay_look(overlay, (size_t)plan->key_watch, facts->key, &create) != PX_SEEN_NOTHING))
    return true;
  if (!px_id_is_none(facts->record.id) && px_overlay_writes(overlay, loader->wave_arena, facts->record.id))
    return true;
  if (plan->db_id && values[plan->db_id->slot].kind == PX_INTEGER &&
      px_overlay_writes(overlay, loader->wave_arena, px_id_from_value(values[plan->db_id->slot])))
    return true;
  return false;
}

/* Whether an external id in column's slot is one that the wave makes. */
static bool external_waits(PxLoader *loader, size_t row, const PxLoadColumn *column) {
  const PxOverlay *overlay = &loader->wave.overlay;
  const PxValue *value = &px_loader_values(loader, row)[column->slot];
  return overlay->externals.used && value->kind == PX_TEXT &&
         px_tuple_map_find(&overlay->externals, px_tuple_encode(loader->wave_arena, value, 1));
}

static bool reference_waits(PxLoader *loader, size_t row, const PxRowFacts *facts, const PxLoadReference *reference) {
  const PxOverlay *overlay = &loader->wave.overlay;
  size_t index = (size_t)(reference - loader->plan.references);
  size_t create;
  for (size_t part = 0; part < reference->n_parts; part++)
    if (!reference->parts[part]->field && external_waits(loader, row, reference->parts[part]))
      return true;
  if (!facts->reference_tuples[index].bytes)
    return false;
  if (reference->watch < 0)
    return overlay->n_effects > 0;
  if (overlay->unknown[reference->watch])
    return true;
  PxSeen seen = px_overlay_look(overlay, (size_t)reference->watch, facts->reference_tuples[index], &create);
  /* A key is looked for by the answer, so it cannot change behind that search. */
  return seen == PX_SEEN_CHANGED || (reference->key && seen != PX_SEEN_NOTHING);
}

static bool must_wait(PxLoader *loader, size_t row, const PxRowFacts *facts) {
  const PxLoadPlan *plan = &loader->plan;
  if (loader->row_by_row || plan->model->has_triggers)
    return true;
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].self && reference_waits(loader, row, facts, &plan->references[i]))
      return true;
  return record_waits(loader, row, facts) || (plan->ext_id && external_waits(loader, row, plan->ext_id));
}

/* Whether the wave has to do with the unique tuple that the row takes. */
static bool unique_waits(PxLoader *loader, const PxLoadWatch *watch, const PxValue *values) {
  size_t create;
  PxTuple tuple = px_tuple_encode(loader->wave_arena, values, watch->n);
  return px_overlay_look(&loader->wave.overlay, (size_t)(watch - loader->plan.watches), tuple, &create) != PX_SEEN_NOTHING;
}

/* NULL is different from every value, itself too, as far as UNIQUE goes. */
static bool any_null(const PxValue *values, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (values[i].kind == PX_NULL)
      return true;
  return false;
}

/* Whether a row written with mask gives the watch another tuple; old NULL: it is new. */
static bool touches(const PxLoadWatch *watch, const uint64_t *mask, const PxValue *old) {
  for (size_t f = 0; old && f < watch->n; f++)
    if (watch->writes[f] >= 0 && px_mask_has(mask, (size_t)watch->writes[f]))
      return true;
  return !old;
}

/* ---- deciding on a row */

/* The answers of self references, with the new records of the wave. */
static void settle_references(PxLoader *loader, size_t row, const PxRowFacts *facts) {
  const PxLoadPlan *plan = &loader->plan;
  for (size_t i = 0; i < plan->n_references; i++) {
    const PxLoadReference *reference = &plan->references[i];
    if (!reference->self || !facts->reference_tuples[i].bytes)
      continue;
    size_t create = 0;
    PxSeen seen = reference->watch < 0 ? PX_SEEN_NOTHING
                                       : px_overlay_look(&loader->wave.overlay, (size_t)reference->watch, facts->reference_tuples[i], &create);
    PxFound found = facts->references[i];
    if (seen != PX_SEEN_NOTHING) {
      bool alone = seen == PX_SEEN_NEW && !found.too_many && px_id_is_none(found.id);
      found.too_many = !alone;
      found.id = alone ? loader->wave.creates.ids[create] : PX_ID_NONE;
    }
    PxValue *slot = &px_loader_values(loader, row)[reference->slot];
    *slot = px_id_to_value(found.id);
    if (!px_id_is_none(found.id))
      continue;
    slot->kind = PX_SLOT_BAD;
    px_load_complain_reference(loader, row, reference, found.too_many, PX_STAGE_ATTEMPT);
  }
}

/* Whether it is known what the row is about: a record, or a new one. Complains when it is not. */
static bool locate(PxLoader *loader, size_t index, const PxRowFacts *facts) {
  const PxLoadPlan *plan = &loader->plan;
  PxLoadRow *row = px_loader_row(loader, index);
  const PxValue *values = px_loader_values(loader, index);
  const PxLoadColumn *id = plan->db_id && values[plan->db_id->slot].kind != PX_NULL ? plan->db_id : NULL;
  if (id && values[id->slot].kind == PX_SLOT_BAD)
    return false;
  if (id && px_id_is_none(facts->record.id)) {
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, id->column, NULL, "not_found", "no %s has the database id %s", plan->model->label,
                    px_load_describe(loader->wave_arena, &values[id->slot]));
    return false;
  }
  if (id && facts->ext_known && !px_id_equal(facts->ext_record, facts->record.id)) {
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, plan->ext_id->column, NULL, "not_found", "the external id %s belongs to another record",
                    px_load_describe(loader->wave_arena, &values[plan->ext_id->slot]));
    return false;
  }
  if (id)
    return true;
  if (plan->ext_id && values[plan->ext_id->slot].kind != PX_NULL) {
    if (facts->ext_known && facts->sought && px_id_is_none(facts->record.id))
      px_row_complain(loader, row, PX_STAGE_ATTEMPT, plan->ext_id->column, NULL, "not_found", "the record of the external id %s is gone",
                      px_load_describe(loader->wave_arena, &values[plan->ext_id->slot]));
    return facts->sought;
  }
  if (!plan->by_key)
    return true;
  if (!row->key_given)
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, plan->key_column, NULL, "key_empty", "the key is empty, so no record can be found or made");
  else if (facts->record.too_many)
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, plan->key_column, NULL, "too_many", "more than one %s has this key", plan->model->label);
  return row->key_given && facts->sought && !facts->record.too_many;
}

static void check_required(PxLoader *loader, size_t index, const PxValue *old) {
  const PxLoadPlan *plan = &loader->plan;
  PxLoadRow *row = px_loader_row(loader, index);
  const PxValue *values = px_loader_values(loader, index);
  for (size_t w = 0; w < plan->n_writes; w++)
    if (writes_null(plan->writes[w], &values[w]) && (old || !plan->writes[w]->has_default))
      px_row_complain(loader, row, PX_STAGE_ATTEMPT, plan->write_columns[w], plan->writes[w]->label, "required", "must not be empty");
  for (size_t i = 0; !old && i < plan->n_missing; i++)
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, NULL, plan->missing[i]->label, "required", "a new %s needs it, and the file has no column %s",
                    plan->model->label, plan->missing[i]->name);
}

static void complain_unique(PxLoader *loader, size_t row, const PxLoadWatch *watch, const PxValue *values) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < watch->n; i++)
    g_string_append_printf(text, "%s%s", i ? ", " : "", px_load_describe(loader->wave_arena, &values[i]));
  const char *label = watch->n == 1 ? watch->fields[0]->label : NULL;
  px_row_complain(loader, px_loader_row(loader, row), PX_STAGE_ATTEMPT, watch->column, label, "unique",
                  watch->n == 1 ? "%s is used by another %s already" : "%s together are used by another %s already", text->str,
                  loader->plan.model->label);
}

/* Complains of tuples that others have; false when the row must wait. */
static bool check_uniques(PxLoader *loader, size_t row, const PxRowFacts *facts, const uint64_t *mask, const PxValue *old) {
  const PxLoadPlan *plan = &loader->plan;
  PxValue values[PX_LOOKUP_MAX_PATHS];
  for (size_t i = 0; i < plan->n_watches; i++) {
    const PxLoadWatch *watch = &plan->watches[i];
    if (!watch->unique || !touches(watch, mask, old) || !px_load_tuple_after(loader, watch, row, mask, old, facts->record.id, values) ||
        any_null(values, watch->n))
      continue;
    if (unique_waits(loader, watch, values))
      return false;
    PxFound other = facts->conflicts[i];
    if (other.too_many || (!px_id_is_none(other.id) && !px_id_equal(other.id, facts->record.id)))
      complain_unique(loader, row, watch, values);
  }
  return true;
}

static void check_allowed(PxLoader *loader, PxLoadRow *row, bool is_new, bool changes) {
  const PxPattern *pattern = loader->plan.pattern;
  if (is_new && !pattern->create)
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, loader->plan.key_column, NULL, "not_allowed",
                    "no %s was found, and this pattern does not create (create: false)", loader->plan.model->label);
  else if (!is_new && changes && !pattern->update)
    px_row_complain(loader, row, PX_STAGE_ATTEMPT, loader->plan.key_column, NULL, "not_allowed",
                    "the %s exists, and this pattern does not update (update: false)", loader->plan.model->label);
}

/* ---- what a row leaves for later ones */

static void note_new(PxLoader *loader, size_t row, const uint64_t *mask, PxId id, size_t create) {
  const PxLoadPlan *plan = &loader->plan;
  PxOverlay *overlay = &loader->wave.overlay;
  PxValue values[PX_LOOKUP_MAX_PATHS];
  for (size_t i = 0; i < plan->n_watches; i++) {
    const PxLoadWatch *watch = &plan->watches[i];
    if (px_load_tuple_after(loader, watch, row, mask, NULL, id, values))
      px_overlay_note_new(overlay, i, px_tuple_encode(loader->wave_arena, values, watch->n), create);
    else
      overlay->unknown[i] = true;
  }
  if (plan->db_id)
    px_overlay_note_id(overlay, loader->wave_arena, id);
}

static void note_changed(PxLoader *loader, size_t row, const uint64_t *mask, const PxValue *old, PxId id) {
  const PxLoadPlan *plan = &loader->plan;
  PxOverlay *overlay = &loader->wave.overlay;
  PxValue values[PX_LOOKUP_MAX_PATHS];
  g_autofree uint64_t *nothing = g_new0(uint64_t, plan->words + 1);
  for (size_t i = 0; i < plan->n_watches; i++) {
    const PxLoadWatch *watch = &plan->watches[i];
    overlay->unknown[i] |= watch->computed;
    if (!touches(watch, mask, old))
      continue;
    if (px_load_tuple_after(loader, watch, row, nothing, old, id, values))
      px_overlay_note_changed(overlay, i, px_tuple_encode(loader->wave_arena, values, watch->n));
    if (px_load_tuple_after(loader, watch, row, mask, old, id, values))
      px_overlay_note_changed(overlay, i, px_tuple_encode(loader->wave_arena, values, watch->n));
  }
  px_overlay_note_id(overlay, loader->wave_arena, id);
}

static void add_write(PxLoader *loader, PxWriteList *list, size_t row, PxId id, const uint64_t *mask) {
  size_t words = loader->plan.words;
  list->rows[list->n] = row;
  list->ids[list->n] = id;
  list->values[list->n] = px_loader_values(loader, row);
  memcpy(list->masks + list->n * words, mask, words * sizeof *mask);
  list->n++;
}

static void add_external(PxLoader *loader, size_t row, const PxRowFacts *facts, PxId id) {
  const PxLoadColumn *column = loader->plan.ext_id;
  PxWave *wave = &loader->wave;
  const PxValue *name = column ? &px_loader_values(loader, row)[column->slot] : NULL;
  if (!name || name->kind != PX_TEXT || facts->ext_known)
    return;
  bool is_new;
  px_tuple_map_add(&wave->overlay.externals, px_tuple_encode(loader->wave_arena, name, 1), 0, &is_new);
  wave->external_names[wave->n_externals] = *name;
  wave->external_ids[wave->n_externals++] = id;
}

static PxOutcome take_effect(PxLoader *loader, size_t row, const PxRowFacts *facts, const uint64_t *mask, const PxValue *old) {
  PxWave *wave = &loader->wave;
  bool any = false;
  for (size_t i = 0; i < loader->plan.words; i++)
    any |= mask[i] != 0;
  PxId id = old ? facts->record.id : wave->new_ids[wave->creates.n];
  add_external(loader, row, facts, id);
  if (old && !any)
    return PX_OUTCOME_UNCHANGED;
  wave->overlay.n_effects++;
  if (old) {
    note_changed(loader, row, mask, old, id);
    add_write(loader, &wave->updates, row, id, mask);
    return PX_OUTCOME_UPDATED;
  }
  note_new(loader, row, mask, id, wave->creates.n);
  add_write(loader, &wave->creates, row, id, mask);
  return PX_OUTCOME_CREATED;
}

/* False: the row must wait, and nothing is known of it yet. */
static bool decide(PxLoader *loader, size_t index, uint64_t *mask) {
  PxLoadRow *row = px_loader_row(loader, index);
  const PxRowFacts *facts = &loader->wave.facts[index - loader->wave.first];
  bool first = index == loader->wave.first;
  row->outcome = PX_OUTCOME_FAILED;
  if (row->dead)
    return true;
  if (!first && must_wait(loader, index, facts))
    return false;
  settle_references(loader, index, facts);
  if (!locate(loader, index, facts))
    return true;
  const PxValue *old = px_id_is_none(facts->record.id) ? NULL : facts->record.values;
  px_load_mask(loader, index, facts->by_key, old, mask);
  check_required(loader, index, old);
  if (!check_uniques(loader, index, facts, mask, old)) {
    px_row_forget(row, PX_STAGE_ATTEMPT);
    return false;
  }
  bool changes = false;
  for (size_t i = 0; i < loader->plan.words; i++)
    changes |= mask[i] != 0;
  check_allowed(loader, row, !old, changes);
  if (!row->messages)
    row->outcome = (uint8_t)take_effect(loader, index, facts, mask, old);
  return true;
}

static void new_list(PxLoader *loader, PxWriteList *list, size_t n) {
  PxArena *arena = loader->wave_arena;
  *list = (PxWriteList){
      .rows = px_arena_alloc(arena, n * sizeof *list->rows),
      .ids = px_arena_alloc(arena, n * sizeof *list->ids),
      .values = px_arena_alloc(arena, n * sizeof *list->values),
      .masks = px_arena_alloc(arena, n * loader->plan.words * sizeof *list->masks),
  };
}

void px_load_plan_wave(PxLoader *loader, size_t *ret_end) {
  PxWave *wave = &loader->wave;
  size_t n = wave->end - wave->first;
  new_list(loader, &wave->creates, wave->n_new_ids);
  new_list(loader, &wave->updates, n - wave->n_new_ids);
  wave->n_externals = 0;
  if (loader->plan.ext_id) {
    wave->external_names = px_arena_alloc(loader->wave_arena, n * sizeof *wave->external_names);
    wave->external_ids = px_arena_alloc(loader->wave_arena, n * sizeof *wave->external_ids);
  }
  uint64_t *mask = px_arena_new_array(loader->wave_arena, uint64_t, loader->plan.words + 1);
  size_t row = wave->first;
  while (row < wave->end && decide(loader, row, mask))
    row++;
  *ret_end = row;
}
