/* SPDX-License-Identifier: Apache-2.0 */
/* What a wave writes, told to a recorder just before it is written. */
#include "load/load_private.h"

void px_loader_set_recorder(PxLoader *loader, PxRecorder recorder, void *data) {
  loader->recorder = recorder;
  loader->recorder_data = data;
}

static bool tell(PxLoader *loader, const PxChange *change, GError **error) {
  return loader->recorder(loader->recorder_data, change, error);
}

static uint64_t row_number(PxLoader *loader, size_t row) {
  return px_loader_row(loader, row)->number;
}

/* Rows that the wave writes: one that failed, or was left for the next wave, has decided nothing that counts. */
static bool is_written(PxLoader *loader, size_t row) {
  const PxLoadRow *of = px_loader_row(loader, row);
  return !of->messages && !of->dead && of->outcome != PX_OUTCOME_UNCHANGED;
}

static bool is_decided(PxLoader *loader, size_t row, const PxLoadPlace *place) {
  return !px_id_is_none(px_wave_item(loader, row, place)->id);
}

/* A default means something for new records only. */
static bool is_heeded(PxLoader *loader, size_t row, const PxLoadReference *reference) {
  const PxLoadPlace *place = &loader->plan.places[reference->place];
  return is_decided(loader, row, place) && (!reference->is_default || px_id_is_none(px_wave_item(loader, row, place)->record.id));
}

/* ---- words for people */

static void append_value(GString *text, const PxValue *value) {
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append(text, text->len ? ", " : "");
  switch ((PxValueKind)value->kind) {
  case PX_INTEGER:
    g_string_append_printf(text, "%" G_GINT64_FORMAT, value->integer);
    break;
  case PX_REAL:
    g_string_append(text, g_ascii_dtostr(number, sizeof number, value->real));
    break;
  case PX_TEXT:
    g_string_append_len(text, value->text, value->len);
    break;
  case PX_NULL:
  case PX_BLOB:
    break;
  }
}

/* What the cells of a reference say: "FR". */
static const char *reference_said(PxLoader *loader, size_t row, const PxLoadReference *reference) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < reference->n_parts; i++) {
    const PxValue *value = &px_loader_values(loader, row)[reference->parts[i]->slot];
    if (value->kind <= PX_BLOB)
      append_value(text, value);
  }
  return px_arena_strndup(loader->wave_arena, text->str, text->len);
}

static const char *said_of_slot(PxLoader *loader, size_t row, unsigned slot) {
  for (size_t i = 0; i < loader->plan.n_references; i++)
    if (loader->plan.references[i].slot == slot)
      return reference_said(loader, row, &loader->plan.references[i]);
  return NULL;
}

const char *px_load_describe_written(PxLoader *loader, size_t row, const PxLoadPlace *place, const PxField *field, const PxValue *value) {
  for (size_t w = 0; field->type == PX_TYPE_MANY2ONE && w < place->n_writes; w++) {
    const char *said = place->writes[w] == field ? said_of_slot(loader, row, place->first_slot + (unsigned)w) : NULL;
    if (said && *said) {
      const PxValue text = {.kind = PX_TEXT, .text = said, .len = (unsigned)strlen(said)};
      return px_load_describe(loader->wave_arena, &text);
    }
  }
  return px_load_describe(loader->wave_arena, value);
}

/* The key of an item as the row has it, its name, or its external id. */
static const char *item_name(PxLoader *loader, size_t row, const PxLoadPlace *place) {
  g_autoptr(GString) text = g_string_new(NULL);
  const PxLoadPlan *plan = &loader->plan;
  const PxValue *values = px_loader_values(loader, row);
  for (size_t i = 0; i < plan->n_columns; i++)
    if (plan->columns[i].place == place->index && plan->columns[i].key && values[plan->columns[i].slot].kind <= PX_BLOB)
      append_value(text, &values[plan->columns[i].slot]);
  for (size_t w = 0; w < place->n_writes && !text->len; w++)
    if (g_str_equal(place->writes[w]->name, "name") && values[place->first_slot + w].kind <= PX_BLOB)
      append_value(text, &values[place->first_slot + w]);
  if (!text->len && px_loader_gives(loader, place->ext_id, row))
    append_value(text, &values[place->ext_id->slot]);
  return text->len ? px_arena_strndup(loader->wave_arena, text->str, text->len) : NULL;
}

/* ---- what the wave relies on */

static bool tell_external(PxLoader *loader, size_t row, const PxModel *model, const PxValue *name, GError **error) {
  static const PxField *const external[] = {NULL};
  const char *table;
  PxId id;
  if (!px_records_find_external(loader->records, name, 1, loader->wave_arena, &id, &table, error))
    return false;
  const PxFieldChange field = {.path = external, .n_path = 1, .new_value = *name};
  const PxChange find = {.kind = PX_CHANGE_FIND, .row = row_number(loader, row), .model = model, .id = id, .fields = &field, .n_fields = 1};
  return tell(loader, &find, error);
}

static bool tell_key(PxLoader *loader, size_t row, const PxLoadPlace *place, GError **error) {
  const PxItemFacts *facts = px_wave_item(loader, row, place);
  if (px_loader_gives(loader, place->ext_id, row) &&
      !tell_external(loader, row, px_place_model(&loader->plan, place), &px_loader_values(loader, row)[place->ext_id->slot], error))
    return false;
  if (!facts->by_key)
    return true;
  const PxLoadWatch *watch = &loader->plan.models[place->model].watches[place->key_watch];
  PxFieldChange *fields = PX_LOAD_ARRAY(loader->wave_arena, PxFieldChange, watch->n);
  PxChange find = {
    .kind = PX_CHANGE_FIND, .row = row_number(loader, row), .model = px_place_model(&loader->plan, place), .id = facts->record.id, .fields = fields};
  for (size_t i = 0; i < watch->n; i++) {
    PxValue value = px_loader_values(loader, row)[place->key_slots[i]];
    if (value.kind <= PX_BLOB)
      fields[find.n_fields++] = (PxFieldChange){.path = &watch->fields[i], .n_path = 1, .new_value = value};
  }
  return tell(loader, &find, error);
}

/* A path to an external id instead of to the id that was compared. */
static PxLookupPath external_path(PxArena *arena, const PxLookupPath *path) {
  const PxField **fields = PX_LOAD_ARRAY(arena, const PxField *, path->n_path);
  memcpy(fields, path->path, path->n_path * sizeof(const PxField *));
  fields[path->n_path - 1] = NULL;
  return (PxLookupPath){.path = fields, .n_path = path->n_path};
}

static bool tell_reference(PxLoader *loader, size_t row, const PxLoadReference *reference, GError **error) {
  size_t index = (size_t)(reference - loader->plan.references);
  const PxValue *values = px_loader_values(loader, row);
  if (px_loader_states(loader, row)[index] != PX_REFERENCE_GIVEN)
    return true;
  /* Of a record that the same wave makes the database knows nothing yet: that is what was relied on. */
  PxId id = reference->live ? loader->wave.facts[row - loader->wave.first].references[index].id : px_id_from_value(values[reference->slot]);
  PxFieldChange *fields = PX_LOAD_ARRAY(loader->wave_arena, PxFieldChange, reference->n_parts + 1);
  PxChange find = {.kind = PX_CHANGE_FIND, .row = row_number(loader, row), .model = reference->node->model, .id = id, .fields = fields};
  /* The values alone may mean others that the pattern's domain leaves out. */
  if (reference->limited)
    fields[find.n_fields++] = (PxFieldChange){.path = &reference->node->model->id, .n_path = 1, .new_value = px_id_to_value(loader->wave_arena, id)};
  for (size_t i = 0; i < reference->n_parts; i++) {
    const PxLoadColumn *part = reference->parts[i];
    PxLookupPath path = part->field ? reference->paths[i] : external_path(loader->wave_arena, &reference->paths[i]);
    if (values[part->slot].kind <= PX_BLOB)
      fields[find.n_fields++] = (PxFieldChange){.path = path.path, .n_path = path.n_path, .new_value = values[part->slot]};
  }
  return tell(loader, &find, error);
}

bool px_load_tell_finds(PxLoader *loader, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  for (size_t row = loader->wave.first; loader->recorder && row < loader->wave.end; row++) {
    for (size_t p = 0; p < plan->n_places && is_written(loader, row); p++)
      if (is_decided(loader, row, &plan->places[p]) && !tell_key(loader, row, &plan->places[p], error))
        return false;
    for (size_t i = 0; i < plan->n_references && is_written(loader, row); i++)
      if (is_heeded(loader, row, &plan->references[i]) && !tell_reference(loader, row, &plan->references[i], error))
        return false;
  }
  return true;
}

/* ---- purges */

/* Reads all that a record of a model has. */
static const PxLookup *reader_of(PxLoader *loader, const PxModel *model, const PxField *const **ret_fields, size_t *ret_n) {
  const PxField **fields = PX_LOAD_ARRAY(loader->wave_arena, const PxField *, model->n_fields);
  *ret_n = 0;
  for (size_t i = 0; i < model->n_fields; i++)
    if (model->fields[i]->column)
      fields[(*ret_n)++] = model->fields[i];
  *ret_fields = fields;
  if (!loader->readers)
    loader->readers = g_hash_table_new(g_direct_hash, g_direct_equal);
  const PxLookup *reader = g_hash_table_lookup(loader->readers, model);
  if (!reader) {
    reader = px_load_lookup(loader->records, model, &model->id, 1, fields, *ret_n);
    g_hash_table_insert(loader->readers, (void *)(uintptr_t)model, (void *)(uintptr_t)reader);
  }
  return reader;
}

bool px_load_tell_purge(PxLoader *loader, PxChangeKind kind, const PxField *one2many, PxId child, GError **error) {
  if (!loader->recorder)
    return true;
  const PxField *const *stored;
  size_t n;
  const PxLookup *reader = reader_of(loader, one2many->target, &stored, &n);
  PxValue id = px_id_to_value(loader->wave_arena, child);
  PxFound found;
  if (!px_records_find(loader->records, reader, &id, 1, loader->wave_arena, &found, error))
    return false;
  if (px_id_is_none(found.id)) /* it went with one that was purged before */
    return true;
  PxFieldChange *fields = PX_LOAD_ARRAY(loader->wave_arena, PxFieldChange, n);
  /* A row that purges has a wave of its own. */
  PxChange change = {.kind = kind, .row = row_number(loader, loader->wave.first), .model = one2many->target, .id = child, .fields = fields};
  for (size_t i = 0; i < n; i++) {
    if (g_str_equal(stored[i]->name, "name") && found.values[i].kind == PX_TEXT)
      change.name = px_arena_strndup(loader->wave_arena, found.values[i].text, found.values[i].len);
    if (kind == PX_CHANGE_DELETE ? stored[i] != one2many->target->id : stored[i] == one2many->inverse)
      fields[change.n_fields++] = (PxFieldChange){.path = &stored[i], .n_path = 1, .old_value = found.values[i]};
  }
  return tell(loader, &change, error);
}

/* ---- creates and updates */

static bool tell_item(PxLoader *loader, const PxLoadPlace *place, const PxWriteList *list, size_t i, PxChangeKind kind, GError **error) {
  size_t row = list->rows[i];
  const uint64_t *mask = list->masks + i * place->words;
  const PxValue *old = kind == PX_CHANGE_UPDATE ? px_wave_item(loader, row, place)->record.values : NULL;
  PxFieldChange *fields = PX_LOAD_ARRAY(loader->wave_arena, PxFieldChange, place->n_writes);
  PxChange change = {.kind = kind,
                     .row = row_number(loader, row),
                     .model = px_place_model(&loader->plan, place),
                     .id = list->ids[i],
                     .name = item_name(loader, row, place),
                     .fields = fields};
  for (size_t w = 0; w < place->n_writes; w++)
    if (px_mask_has(mask, w))
      fields[change.n_fields++] = (PxFieldChange){
        .path = &place->writes[w],
        .n_path = 1,
        .old_value = old ? old[w] : px_value_null(),
        .new_value = list->values[i][w],
        .said = place->writes[w]->type == PX_TYPE_MANY2ONE ? said_of_slot(loader, row, place->first_slot + (unsigned)w) : NULL,
      };
  return tell(loader, &change, error);
}

static bool tell_lists(PxLoader *loader, const PxWriteList *lists, PxChangeKind kind, GError **error) {
  for (size_t p = 0; p < loader->plan.n_places; p++)
    for (size_t i = 0; i < lists[p].n; i++)
      if (!tell_item(loader, &loader->plan.places[p], &lists[p], i, kind, error))
        return false;
  return true;
}

/* ---- links and external ids: whose they are */

/* The item that is a record, from *row on: a wave writes each record once, and its lists are in the order of the rows. NULL: none. */
static const PxLoadPlace *find_item(PxLoader *loader, const PxModel *model, PxId id, size_t *row) {
  for (size_t at = *row; at < loader->wave.end; at++)
    for (size_t p = 0; p < loader->plan.n_places && is_written(loader, at); p++)
      if (px_place_model(&loader->plan, &loader->plan.places[p]) == model && px_id_equal(px_wave_item(loader, at, &loader->plan.places[p])->id, id)) {
        *row = at;
        return &loader->plan.places[p];
      }
  return NULL;
}

/* What the row says of a record that it links. */
static const char *link_said(PxLoader *loader, size_t row, const PxLoadPlace *place, const PxLinkChange *link) {
  for (size_t i = 0; i < loader->plan.n_references; i++) {
    const PxLoadReference *reference = &loader->plan.references[i];
    if (reference->place == place->index && reference->node->field == link->field &&
        px_id_equal(px_id_from_value(px_loader_values(loader, row)[reference->slot]), link->to))
      return reference_said(loader, row, reference);
  }
  return NULL;
}

static bool tell_links(PxLoader *loader, const GArray *links, PxChangeKind kind, GError **error) {
  size_t row = loader->wave.first;
  for (guint i = 0; i < links->len; i++) {
    const PxLinkChange *link = &g_array_index(links, PxLinkChange, i);
    PxValue to = px_id_to_value(loader->wave_arena, link->to);
    PxFieldChange field = {.path = &link->field, .n_path = 1};
    PxChange change = {.kind = kind, .model = link->field->model, .id = link->from, .fields = &field, .n_fields = 1};
    const PxLoadPlace *place = find_item(loader, link->field->model, link->from, &row);
    if (place) {
      change.row = row_number(loader, row);
      change.name = item_name(loader, row, place);
      field.said = link_said(loader, row, place, link);
    }
    *(kind == PX_CHANGE_LINK ? &field.new_value : &field.old_value) = to;
    if (!tell(loader, &change, error))
      return false;
  }
  return true;
}

static bool tell_names(PxLoader *loader, GError **error) {
  static const PxField *const external[] = {NULL};
  const GArray *externals = loader->wave.externals;
  size_t row = loader->wave.first;
  for (guint i = 0; i < externals->len; i++) {
    const PxNewExternal *name = &g_array_index(externals, PxNewExternal, i);
    const PxModel *model = px_place_model(&loader->plan, &loader->plan.places[name->place]);
    const PxLoadPlace *place = find_item(loader, model, name->id, &row);
    const PxFieldChange field = {.path = external, .n_path = 1, .new_value = name->name};
    PxChange change = {.kind = PX_CHANGE_NAME, .model = model, .id = name->id, .fields = &field, .n_fields = 1};
    if (place) {
      change.row = row_number(loader, row);
      change.name = item_name(loader, row, place);
    }
    if (!tell(loader, &change, error))
      return false;
  }
  return true;
}

bool px_load_tell_writes(PxLoader *loader, GError **error) {
  const PxWave *wave = &loader->wave;
  return !loader->recorder ||
         (tell_lists(loader, wave->creates, PX_CHANGE_CREATE, error) && tell_lists(loader, wave->updates, PX_CHANGE_UPDATE, error) &&
          tell_links(loader, wave->unlinks, PX_CHANGE_UNLINK, error) && tell_links(loader, wave->links, PX_CHANGE_LINK, error) &&
          tell_names(loader, error));
}
