/* SPDX-License-Identifier: Apache-2.0 */
/* One item: what it writes, what is wrong with it, or that it must wait until what stands before it is written. */
#include "load/load_private.h"

/* What decide works on. */
typedef struct {
  PxLoader *loader;
  const PxLoadPlace *place;
  size_t row;
  PxItemFacts *facts;
  const PxValue *values; /* of the row's slots */
  const PxValue *old;    /* the stored values of place.reads; NULL: a new record */
  uint64_t *mask;
} Item;

static const PxModel *model_of(const Item *item) {
  return px_place_model(&item->loader->plan, item->place);
}

static PxLoadRow *row_of(const Item *item) {
  return px_loader_row(item->loader, item->row);
}

/* ---- what an item writes */

static bool writes_null(const PxField *field, const PxValue *value) {
  return value->kind == PX_NULL && field->required;
}

/* Whether an item leaves a field empty that must not be: what is absent only in a new record. */
static bool lacks(const PxField *field, const PxValue *value, bool is_new) {
  bool empty = value->kind == PX_NULL || (is_new && value->kind == PX_SLOT_ABSENT);
  return empty && field->required && !(is_new && field->has_default);
}

static bool same(const PxField *field, const PxValue *stored, const PxValue *value) {
  if (field->type == PX_TYPE_MANY2ONE)
    return px_value_equal(stored, value);
  return px_field_unchanged(field, *stored, *value);
}

/* An empty cell of a new record is, in a NOT NULL column, the default, in any other NULL. */
void px_load_mask(PxLoader *loader, const PxLoadPlace *place, size_t row, bool by_key, const PxValue *old, uint64_t *mask) {
  memset(mask, 0, place->words * sizeof *mask);
  for (size_t w = 0; w < place->n_writes; w++) {
    PxValue value = px_load_value(loader, place, row, w, !old);
    if (value.kind == PX_SLOT_BAD || value.kind == PX_SLOT_ABSENT || writes_null(place->writes[w], &value))
      continue;
    if (!old || (!(by_key && place->write_is_key[w]) && !same(place->writes[w], &old[w], &value)))
      px_mask_set(mask, w);
  }
}

/* What a new record has in a field that is not written; false when only the database knows. */
static bool default_of(const PxField *field, PxValue *ret_value) {
  *ret_value = field->default_is_constant ? field->default_value : px_value_null();
  return !field->read_only && (!field->has_default || field->default_is_constant);
}

bool px_load_tuple_after(PxLoader *loader, const PxLoadPlace *place, int index, size_t row, const uint64_t *mask, const PxValue *old, PxId id,
                         PxValue *values) {
  const PxLoadModel *written = &loader->plan.models[place->model];
  const PxLoadWatch *watch = &written->watches[index];
  const PxPlaceWatch *map = &place->watches[index];
  for (size_t i = 0; i < watch->n; i++) {
    int w = map->writes[i];
    PxValue given = w < 0 ? px_value_null() : px_load_value(loader, place, row, (size_t)w, !old);
    PxValue value;
    if (watch->fields[i] == written->model->id)
      value = px_id_to_value(loader->wave_arena, id);
    else if (given.kind == PX_SLOT_BAD)
      return false;
    else if (w >= 0 && px_mask_has(mask, (size_t)w))
      value = given;
    else if (old)
      value = old[map->reads[i]];
    else if (!default_of(watch->fields[i], &value))
      return false;
    if (!px_field_has_canonical(watch->fields[i], value))
      return false;
    values[i] = px_field_canonical(watch->fields[i], loader->wave_arena, value);
  }
  return true;
}

bool px_load_touches(const PxPlaceWatch *watch, size_t n, const uint64_t *mask, const PxValue *old) {
  for (size_t f = 0; old && f < n; f++)
    if (watch->writes[f] >= 0 && px_mask_has(mask, (size_t)watch->writes[f]))
      return true;
  return !old;
}

/* ---- looking back at the wave */

static PxTuple external_tuple(const Item *item, PxValue name) {
  const PxValue canonical = px_external_canonical(item->loader->wave_arena, name);
  return px_tuple_encode(item->loader->wave_arena, &canonical, 1);
}

/* Whether an external id in column's slot is one that the wave makes. */
static bool external_waits(const Item *item, const PxLoadColumn *column) {
  const PxValue *value = &item->values[column->slot];
  return value->kind == PX_TEXT && px_overlay_makes_external(&item->loader->wave.overlay, external_tuple(item, *value));
}

/* Values that are no condition: no tuple can stand for what is looked for. */
static bool any_absent(const Item *item, const unsigned *slots, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (item->values[slots[i]].kind == PX_SLOT_ABSENT)
      return true;
  return false;
}

static PxTuple key_tuple(const Item *item) {
  const PxLoadWatch *watch = &item->loader->plan.models[item->place->model].watches[item->place->key_watch];
  PxValue canonical[PX_LOOKUP_MAX_PATHS];
  for (size_t i = 0; i < watch->n; i++)
    canonical[i] = px_field_canonical(watch->fields[i], item->loader->wave_arena, item->values[item->place->key_slots[i]]);
  return px_tuple_encode(item->loader->wave_arena, canonical, watch->n);
}

/* Only the database knows what equals the key. */
static bool key_is_opaque(const Item *item) {
  const PxLoadWatch *watch = &item->loader->plan.models[item->place->model].watches[item->place->key_watch];
  for (size_t i = 0; i < watch->n; i++)
    if (!px_field_has_canonical(watch->fields[i], item->values[item->place->key_slots[i]]))
      return true;
  return false;
}

/* Whether the record of the item is, or may be, one that the wave writes. */
static bool record_waits(const Item *item) {
  const PxLoadPlace *place = item->place;
  const PxOverlay *overlay = &item->loader->wave.overlay;
  PxArena *arena = item->loader->wave_arena;
  size_t n_key = place->key_watch < 0 ? 0 : item->loader->plan.models[place->model].watches[place->key_watch].n;
  uint32_t record;
  /* The tuple costs more than the question whether anybody could have noted one. */
  if (item->facts->by_key && !px_overlay_is_empty(overlay, place->model, place->key_watch) &&
      (px_overlay_is_unknown(overlay, place->model, place->key_watch) || any_absent(item, place->key_slots, n_key) || key_is_opaque(item) ||
       px_overlay_look(overlay, place->model, place->key_watch, key_tuple(item), &record) != PX_SEEN_NOTHING))
    return true;
  if (!px_id_is_none(item->facts->record.id) && px_overlay_writes(overlay, arena, place->model, item->facts->record.id))
    return true;
  PxId given = place->db_id ? px_id_from_value(item->values[place->db_id->slot]) : PX_ID_NONE;
  return !px_id_is_none(given) && px_overlay_writes(overlay, arena, place->model, given);
}

static bool reference_is_partial(const Item *item, const PxLoadReference *reference) {
  for (size_t part = 0; part < reference->n_parts; part++)
    if (any_absent(item, &reference->parts[part]->slot, 1))
      return true;
  return false;
}

/* Only the database knows what equals the values that it looks for. */
static bool reference_is_opaque(const Item *item, const PxLoadReference *reference) {
  for (size_t part = 0; part < reference->n_parts; part++)
    if (!px_field_has_canonical(reference->fields[part], item->values[reference->parts[part]->slot]))
      return true;
  return false;
}

static bool reference_waits(const Item *item, const PxLoadReference *reference) {
  const PxOverlay *overlay = &item->loader->wave.overlay;
  const PxRowFacts *facts = &item->loader->wave.facts[item->row - item->loader->wave.first];
  PxTuple tuple = facts->reference_tuples[reference - item->loader->plan.references];
  for (size_t part = 0; part < reference->n_parts; part++)
    if (!reference->parts[part]->field && external_waits(item, reference->parts[part]))
      return true;
  if (!tuple.bytes)
    return false;
  if (reference->model < 0 || reference_is_partial(item, reference))
    return overlay->n_effects > 0 || overlay->notes->len > 0;
  if (px_overlay_is_unknown(overlay, (unsigned)reference->model, reference->watch))
    return true;
  if (!px_overlay_is_empty(overlay, (unsigned)reference->model, reference->watch) && reference_is_opaque(item, reference))
    return true;
  uint32_t record;
  switch (px_overlay_look(overlay, (unsigned)reference->model, reference->watch, tuple, &record)) {
  case PX_SEEN_NOTHING:
    return false;
  case PX_SEEN_CHANGED:
    return true;
  case PX_SEEN_NEW_TWICE:
    return reference->key;
  case PX_SEEN_NEW:
    break;
  }
  /* A key is looked for by the answer, so it cannot change behind that search; and places are written one after the other. */
  return reference->key || g_array_index(item->loader->wave.new_records, PxNewRecord, record).place > item->place->index;
}

/* Whether the wave changes which children the record has, of those that may have to be purged. */
static bool children_wait(const Item *item) {
  const PxOverlay *overlay = &item->loader->wave.overlay;
  PxValue id = px_id_to_value(item->loader->wave_arena, item->facts->record.id);
  uint32_t record;
  for (size_t i = 0; id.kind != PX_NULL && i < item->place->n_children; i++) {
    const PxLoadChildren *children = &item->place->children[i];
    if (children->watch < 0)
      continue;
    PxValue parent = px_field_canonical(children->field->inverse, item->loader->wave_arena, id);
    if (px_overlay_is_unknown(overlay, children->model, children->watch) ||
        px_overlay_look(overlay, children->model, children->watch, px_tuple_encode(item->loader->wave_arena, &parent, 1), &record) != PX_SEEN_NOTHING)
      return true;
  }
  return false;
}

/* Whether the wave writes a record that the item's is linked to, or that is its child to purge: it may become active, or cease to be. */
static bool related_wait(const Item *item) {
  const PxLoadPlan *plan = &item->loader->plan;
  const PxLoadPlace *place = item->place;
  for (size_t i = 0; item->facts->related && i < place->n_links + place->n_children; i++) {
    const PxIdList *list = &item->facts->related[i];
    const PxModel *model = i < place->n_links ? place->links[i].field->target : place->children[i - place->n_links].field->target;
    for (unsigned m = 0; list->hidden && m < plan->n_models; m++)
      for (size_t id = 0; plan->models[m].model == model && id < list->n; id++)
        if (px_overlay_writes(&item->loader->wave.overlay, item->loader->wave_arena, m, list->ids[id]))
          return true;
  }
  return false;
}

static bool must_wait(const Item *item) {
  const PxLoadPlan *plan = &item->loader->plan;
  for (size_t i = 0; i < plan->n_references; i++) {
    const PxLoadReference *reference = &plan->references[i];
    if (reference->live && reference->place == item->place->index && reference_waits(item, reference))
      return true;
  }
  return record_waits(item) || children_wait(item) || related_wait(item) || (item->place->ext_id && external_waits(item, item->place->ext_id));
}

/* ---- finding faults */

/* The answers of live references, with the new records of the wave. */
static void settle_reference(const Item *item, const PxLoadReference *reference) {
  PxLoader *loader = item->loader;
  size_t index = (size_t)(reference - loader->plan.references);
  const PxRowFacts *facts = &loader->wave.facts[item->row - loader->wave.first];
  PxTuple tuple = facts->reference_tuples[index];
  if (!tuple.bytes)
    return;
  uint32_t record = 0;
  PxFound found = facts->references[index];
  PxSeen seen =
    reference->model < 0 ? PX_SEEN_NOTHING : px_overlay_look(&loader->wave.overlay, (unsigned)reference->model, reference->watch, tuple, &record);
  if (seen != PX_SEEN_NOTHING) {
    bool alone = seen == PX_SEEN_NEW && !found.too_many && px_id_is_none(found.id);
    found.too_many = !alone;
    found.id = alone ? g_array_index(loader->wave.new_records, PxNewRecord, record).id : PX_ID_NONE;
  }
  PxValue *slot = &px_loader_values(loader, item->row)[reference->slot];
  *slot = px_id_to_value(loader->wave_arena, found.id);
  if (!px_id_is_none(found.id))
    return;
  slot->kind = PX_SLOT_BAD;
  if (!reference->is_default)
    px_load_complain_reference(loader, item->row, reference, &found, PX_STAGE_ATTEMPT);
}

static void settle_references(const Item *item) {
  const PxLoadPlan *plan = &item->loader->plan;
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].live && plan->references[i].place == item->place->index)
      settle_reference(item, &plan->references[i]);
}

static void complain_id(const Item *item, const PxLoadColumn *column, const char *format) {
  g_autofree char *text = g_strdup_printf("%s %s", format, px_load_describe(item->loader->wave_arena, &item->values[column->slot]));
  px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, column->column, NULL, "not_found", "%s", text);
}

/* A uuid that nobody has is that of a new record. */
static bool locate_by_db_id(const Item *item) {
  const PxLoadPlace *place = item->place;
  if (item->values[place->db_id->slot].kind == PX_SLOT_BAD)
    return false;
  if (px_id_is_none(item->facts->record.id) && !px_model_has_uuids(model_of(item))) {
    g_autofree char *text = g_strdup_printf("no %s has the database id", model_of(item)->label);
    complain_id(item, place->db_id, text);
    return false;
  }
  if (!item->facts->ext_known || px_id_equal(item->facts->ext_record, item->facts->record.id))
    return true;
  complain_id(item, place->ext_id, "another record has the external id");
  return false;
}

/* Whether it is known what the item is about: a record, or a new one. Complains when it is not. */
static bool locate(const Item *item) {
  const PxLoadPlace *place = item->place;
  const PxItemFacts *facts = item->facts;
  if (px_loader_gives(item->loader, place->db_id, item->row))
    return locate_by_db_id(item);
  if (px_loader_gives(item->loader, place->ext_id, item->row)) {
    if (facts->ext_known && facts->sought && px_id_is_none(facts->record.id)) {
      complain_id(item, place->ext_id, "the record is gone that had the external id");
      return false;
    }
    return facts->sought;
  }
  if (!place->by_key)
    return true;
  bool given = px_loader_item(item->loader, item->row, place)->key_given;
  if (!given)
    px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, place->key_column, NULL, "key_empty",
                    "the key is empty, so no record can be found or made");
  else if (facts->record.too_many)
    px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, place->key_column, NULL, "too_many", "more than one %s has this key",
                    model_of(item)->label);
  return given && facts->sought && !facts->record.too_many;
}

static void check_required(const Item *item) {
  const PxLoadPlace *place = item->place;
  for (size_t w = 0; w < place->n_writes; w++) {
    PxValue value = px_load_value(item->loader, place, item->row, w, !item->old);
    if ((int)w != place->parent_write && lacks(place->writes[w], &value, !item->old) && !(item->old && same(place->writes[w], &item->old[w], &value)))
      px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, place->write_columns[w], place->writes[w]->label, "required",
                      "must not be empty");
  }
  for (size_t i = 0; !item->old && i < place->n_missing; i++)
    px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, NULL, place->missing[i]->label, "required",
                    "a new %s needs it, and the file has no column %s", model_of(item)->label, place->missing[i]->name);
}

static void complain_unique(const Item *item, int index, const PxValue *values) {
  const PxLoadWatch *watch = &item->loader->plan.models[item->place->model].watches[index];
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < watch->n; i++)
    g_string_append_printf(text, "%s%s%s%s", i ? ", " : "", watch->n > 1 ? watch->fields[i]->label : "", watch->n > 1 ? " " : "",
                           px_load_describe_written(item->loader, item->row, item->place, watch->fields[i], &values[i]));
  const char *label = watch->n == 1 ? watch->fields[0]->label : NULL;
  px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, item->place->watches[index].column, label, "unique",
                  watch->n == 1 ? "%s is used by another %s already" : "%s together are used by another %s already", text->str,
                  model_of(item)->label);
}

/* NULL is different from every value, itself too, as far as UNIQUE goes. */
static bool any_null(const PxValue *values, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (values[i].kind == PX_NULL)
      return true;
  return false;
}

static bool is_purged(const PxLoader *loader, PxId id) {
  const GArray *purges = loader->wave.purges;
  for (guint i = 0; i < purges->len; i++)
    if (px_id_equal(g_array_index(purges, PxPurge, i).child, id))
      return true;
  return false;
}

/* Complains of tuples that others have. */
static PxDecision check_uniques(const Item *item, bool alone) {
  PxLoader *loader = item->loader;
  const PxLoadPlace *place = item->place;
  const PxLoadModel *written = &loader->plan.models[place->model];
  PxValue values[PX_LOOKUP_MAX_PATHS];
  uint32_t record;
  for (int i = 0; i < (int)written->n_watches; i++) {
    size_t n = written->watches[i].n;
    if (!written->watches[i].unique || !px_load_touches(&place->watches[i], n, item->mask, item->old) ||
        !px_load_tuple_after(loader, place, i, item->row, item->mask, item->old, item->facts->record.id, values) || any_null(values, n))
      continue;
    if (!alone && px_overlay_look(&loader->wave.overlay, place->model, i, px_tuple_encode(loader->wave_arena, values, n), &record) != PX_SEEN_NOTHING)
      return PX_MUST_WAIT;
    PxFound other = item->facts->conflicts[i];
    bool taken = !px_id_is_none(other.id) && !px_id_equal(other.id, item->facts->record.id) && !is_purged(loader, other.id);
    if (other.too_many || taken)
      complain_unique(item, i, values);
  }
  return PX_DECIDED;
}

static void check_allowed(const Item *item, bool changes) {
  const PxPattern *pattern = item->loader->plan.pattern;
  const PxLoadPlace *place = item->place;
  if (place->parent) /* the limits are those of the row's own record */
    return;
  if (!item->old && !pattern->create)
    px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, place->key_column, NULL, "not_allowed",
                    "no %s was found, and this pattern does not create (create: false)", model_of(item)->label);
  else if (item->old && changes && !pattern->update)
    px_row_complain(item->loader, row_of(item), PX_STAGE_ATTEMPT, place->key_column, NULL, "not_allowed",
                    "the %s exists, and this pattern does not update (update: false)", model_of(item)->label);
}

/* ---- what an item leaves for later ones */

static void note_tuple(const Item *item, int watch, const uint64_t *mask, PxId id, bool is_new, uint32_t record) {
  PxLoader *loader = item->loader;
  PxOverlay *overlay = &loader->wave.overlay;
  PxValue values[PX_LOOKUP_MAX_PATHS];
  if (!px_load_tuple_after(loader, item->place, watch, item->row, mask, item->old, id, values)) {
    px_overlay_note_unknown(overlay, item->place->model, watch);
    return;
  }
  PxTuple tuple = px_tuple_encode(loader->wave_arena, values, loader->plan.models[item->place->model].watches[watch].n);
  if (is_new)
    px_overlay_note_new(overlay, item->place->model, watch, tuple, record);
  else
    px_overlay_note_changed(overlay, item->place->model, watch, tuple);
}

static void note_new(const Item *item, PxId id) {
  PxLoader *loader = item->loader;
  PxNewRecord record = {.id = id, .place = item->place->index};
  uint32_t index = loader->wave.new_records->len;
  g_array_append_val(loader->wave.new_records, record);
  for (int i = 0; i < (int)loader->plan.models[item->place->model].n_watches; i++)
    note_tuple(item, i, item->mask, id, true, index);
  /* Who else may name it by its number: a .id, or the parent of an item. */
  if (item->place->db_id || loader->plan.n_places > 1)
    px_overlay_note_id(&loader->wave.overlay, loader->wave_arena, item->place->model, id);
}

static void note_changed(const Item *item) {
  PxLoader *loader = item->loader;
  const PxLoadModel *written = &loader->plan.models[item->place->model];
  PxId id = item->facts->record.id;
  uint64_t *nothing = PX_LOAD_ARRAY(loader->wave_arena, uint64_t, item->place->words);
  for (int i = 0; i < (int)written->n_watches; i++) {
    if (written->watches[i].computed)
      px_overlay_note_unknown(&loader->wave.overlay, item->place->model, i);
    if (!px_load_touches(&item->place->watches[i], written->watches[i].n, item->mask, item->old))
      continue;
    note_tuple(item, i, nothing, id, false, 0);
    note_tuple(item, i, item->mask, id, false, 0);
  }
  px_overlay_note_id(&loader->wave.overlay, loader->wave_arena, item->place->model, id);
}

static void add_external(const Item *item, PxId id) {
  const PxLoadColumn *column = item->place->ext_id;
  PxWave *wave = &item->loader->wave;
  if (!column || item->values[column->slot].kind != PX_TEXT || item->facts->ext_known)
    return;
  PxNewExternal external = {.name = item->values[column->slot], .id = id, .place = item->place->index};
  g_array_append_val(wave->externals, external);
  px_overlay_note_external(&wave->overlay, external_tuple(item, external.name));
}

static bool any_bit(const Item *item) {
  for (size_t i = 0; i < item->place->words; i++)
    if (item->mask[i])
      return true;
  return false;
}

static PxId new_id(const Item *item) {
  PxWave *wave = &item->loader->wave;
  const PxLoadPlace *place = item->place;
  if (px_loader_gives(item->loader, place->db_id, item->row))
    return px_id_from_value(item->values[place->db_id->slot]);
  return wave->new_ids[place->model][wave->n_used_ids[place->model]++];
}

static PxOutcome take_effect(const Item *item) {
  PxLoader *loader = item->loader;
  PxWave *wave = &loader->wave;
  const PxLoadPlace *place = item->place;
  bool is_new = !item->old;
  bool writes = is_new || any_bit(item);
  PxId id = is_new ? new_id(item) : item->facts->record.id;
  item->facts->id = id;
  add_external(item, id);
  if (is_new)
    note_new(item, id);
  bool relations = px_load_decide_links(loader, place, item->row);
  relations |= px_load_decide_purge(loader, place, item->row);
  if (!is_new && (writes || relations))
    note_changed(item);
  if (writes)
    px_wave_add_write(loader, place, is_new ? &wave->creates[place->index] : &wave->updates[place->index], item->row, id, item->mask);
  return is_new ? PX_OUTCOME_CREATED : writes || relations ? PX_OUTCOME_UPDATED : PX_OUTCOME_UNCHANGED;
}

PxDecision px_load_decide_item(PxLoader *loader, const PxLoadPlace *place, size_t row, bool alone, PxOutcome *ret_outcome) {
  Item item = {.loader = loader, .place = place, .row = row, .facts = px_wave_item(loader, row, place), .values = px_loader_values(loader, row)};
  *ret_outcome = PX_OUTCOME_UNCHANGED;
  if (!px_loader_item(loader, row, place)->given)
    return PX_DECIDED;
  const PxItemFacts *parent = place->parent ? px_wave_item(loader, row, place->parent) : NULL;
  if (parent)
    px_loader_values(loader, row)[place->first_slot + (unsigned)place->parent_write] = px_id_to_value(loader->wave_arena, parent->id);
  if (!alone && must_wait(&item))
    return PX_MUST_WAIT;
  settle_references(&item);
  *ret_outcome = PX_OUTCOME_FAILED;
  /* Of an item whose parent is not known only the references could be looked at. */
  if ((parent && px_id_is_none(parent->id)) || !locate(&item))
    return PX_DECIDED;
  item.old = px_id_is_none(item.facts->record.id) ? NULL : item.facts->record.values;
  item.mask = loader->wave.mask;
  px_load_mask(loader, place, row, item.facts->by_key, item.old, item.mask);
  check_required(&item);
  if (!item.old)
    px_load_complain_defaults(loader, place, row);
  if (check_uniques(&item, alone) == PX_MUST_WAIT)
    return PX_MUST_WAIT;
  check_allowed(&item, any_bit(&item));
  *ret_outcome = take_effect(&item);
  return PX_DECIDED;
}
