/* SPDX-License-Identifier: Apache-2.0 */
/* Header -> places: which cell goes to which slot, and by which slots records are looked for. */
#include "load/load_private.h"

typedef struct {
  PxLoadPlan *plan;
  PxRecords *records;
  PxArena *arena;
  GError **error;
} Maker;

static bool is_place(const PxHeaderNode *node) {
  return node->kind == PX_NODE_RECORD || node->kind == PX_NODE_ONE2MANY;
}

size_t px_load_count_columns(const PxHeaderNode *node) {
  size_t n = node->n_columns;
  for (size_t i = 0; i < node->n_children; i++)
    n += px_load_count_columns(node->children[i]);
  return n;
}

static size_t count_nodes(const PxHeaderNode *node, bool places) {
  size_t n = is_place(node) == places;
  /* What lies beneath a reference is part of it. */
  for (size_t i = 0; is_place(node) && i < node->n_children; i++)
    n += count_nodes(node->children[i], places);
  return n;
}

static bool check_node(const PxHeaderNode *node, GError **error) {
  if (is_place(node) && node->model->read_only) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s is a view: its records are exported, not imported; import into the tables that it is made of",
                node->model->name);
    return false;
  }
  if (!is_place(node) && px_load_count_columns(node) > PX_LOOKUP_MAX_PATHS) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "column %s: more than %d columns look for one record", node->first->header, PX_LOOKUP_MAX_PATHS);
    return false;
  }
  for (size_t i = 0; is_place(node) && i < node->n_children; i++)
    if (!check_node(node->children[i], error))
      return false;
  return true;
}

static unsigned find_model(PxLoadPlan *plan, const PxModel *model) {
  for (unsigned i = 0; i < plan->n_models; i++)
    if (plan->models[i].model == model)
      return i;
  plan->models[plan->n_models].model = model;
  return (unsigned)plan->n_models++;
}

/* ---- writes and slots */

/* Whether a plain column of the place writes field, so that a key of the same field only finds. */
static bool written_plainly(const PxHeaderNode *node, const PxField *field) {
  for (size_t i = 0; i < node->n_columns; i++)
    if (node->columns[i].kind == PX_COLUMN_FIELD && !node->columns[i].key && node->columns[i].field == field)
      return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (node->children[i]->kind == PX_NODE_MANY2ONE && !node->children[i]->key && node->children[i]->field == field)
      return true;
  return false;
}

/* The slot of a value that is written to field, or -1 when it is not. */
static int write_slot(PxLoadPlace *place, const PxField *field, const PxHeaderColumn *column, bool key) {
  /* A generated column can be looked for, not written. */
  if (field->read_only || (key && written_plainly(place->node, field)))
    return -1;
  size_t w = place->n_writes++;
  place->writes[w] = field;
  place->write_columns[w] = column;
  place->write_is_key[w] = key;
  return (int)(place->first_slot + w);
}

static unsigned slot_or_next(PxLoadPlan *plan, int slot) {
  return slot >= 0 ? (unsigned)slot : (unsigned)plan->n_slots++;
}

static const PxConvertOptions *column_convert(const PxLoadPlan *plan, const PxHeaderColumn *column, PxArena *arena) {
  const PxConvertOwn *own = px_pattern_convert(plan->pattern, column->path);
  if (!own)
    return &plan->pattern->convert;
  PxConvertOptions *options = PX_LOAD_ARRAY(arena, PxConvertOptions, 1);
  *options = px_convert_options_with(&plan->pattern->convert, own);
  return options;
}

static void add_column(PxLoadPlan *plan, const PxLoadPlace *place, const PxHeaderColumn *column, int slot, int reference, bool key, PxArena *arena) {
  plan->columns[plan->n_columns++] = (PxLoadColumn){
    .column = column,
    .field = column->kind == PX_COLUMN_EXT_ID ? NULL : column->field,
    .slot = slot_or_next(plan, slot),
    .place = place->index,
    .reference = reference,
    .key = key,
    .convert = column_convert(plan, column, arena),
  };
}

static void add_parts(PxLoadPlan *plan, const PxLoadPlace *place, const PxHeaderNode *node, int reference, bool key, PxArena *arena) {
  for (size_t i = 0; i < node->n_columns; i++)
    add_column(plan, place, &node->columns[i], -1, reference, key, arena);
  for (size_t i = 0; i < node->n_children; i++)
    add_parts(plan, place, node->children[i], reference, key, arena);
}

static unsigned add_reference(PxLoadPlan *plan, const PxLoadPlace *place, const PxHeaderNode *node, int slot, PxArena *arena) {
  unsigned index = (unsigned)plan->n_references++;
  plan->references[index] = (PxLoadReference){.node = node, .place = place->index, .key = node->key, .slot = slot_or_next(plan, slot)};
  add_parts(plan, place, node, (int)index, node->key, arena);
  return index;
}

static void add_link(PxLoadPlan *plan, PxLoadPlace *place, const PxHeaderNode *node, PxArena *arena) {
  PxLoadLinks *links = NULL;
  for (size_t i = 0; i < place->n_links && !links; i++)
    if (place->links[i].field == node->field)
      links = &place->links[i];
  if (!links) {
    links = &place->links[place->n_links++];
    *links = (PxLoadLinks){.field = node->field, .references = PX_LOAD_ARRAY(arena, unsigned, place->node->n_children)};
  }
  links->references[links->n_references++] = add_reference(plan, place, node, -1, arena);
}

/* Written slots come first, so that the values of an item from the place's first slot on are what a statement binds. */
static void make_columns(Maker *maker, PxLoadPlace *place) {
  PxLoadPlan *plan = maker->plan;
  const PxHeaderNode *node = place->node;
  g_autofree int *column_slots = g_new0(int, node->n_columns + 1);
  g_autofree int *node_slots = g_new0(int, node->n_children + 1);
  place->first_slot = (unsigned)plan->n_slots;
  place->parent_write = -1;
  if (place->parent)
    place->parent_write = write_slot(place, node->field->inverse, NULL, false) - (int)place->first_slot;
  for (size_t i = 0; i < node->n_columns; i++) {
    const PxHeaderColumn *column = &node->columns[i];
    column_slots[i] = column->kind == PX_COLUMN_FIELD ? write_slot(place, column->field, column, column->key) : -1;
  }
  for (size_t i = 0; i < node->n_children; i++) {
    const PxHeaderNode *child = node->children[i];
    node_slots[i] = child->kind == PX_NODE_MANY2ONE ? write_slot(place, child->field, child->first, child->key) : -1;
  }
  px_load_add_default_writes(plan, place, maker->arena);
  plan->n_slots += place->n_writes;
  for (size_t i = 0; i < node->n_columns; i++)
    add_column(plan, place, &node->columns[i], column_slots[i], -1, node->columns[i].key, maker->arena);
  for (size_t i = 0; i < node->n_children; i++) {
    const PxHeaderNode *child = node->children[i];
    if (child->kind == PX_NODE_MANY2ONE)
      (void)add_reference(plan, place, child, node_slots[i], maker->arena);
    else if (child->kind == PX_NODE_MANY2MANY)
      add_link(plan, place, child, maker->arena);
  }
  px_load_add_defaults(plan, place, maker->arena);
}

static void find_ids(PxLoadPlan *plan, PxLoadPlace *place) {
  for (size_t i = 0; i < plan->n_columns; i++) {
    const PxLoadColumn *column = &plan->columns[i];
    if (column->place != place->index || column->reference >= 0)
      continue;
    if (column->column->kind == PX_COLUMN_DB_ID)
      place->db_id = column;
    if (column->column->kind == PX_COLUMN_EXT_ID)
      place->ext_id = column;
  }
}

static void add_child(Maker *maker, PxLoadPlace *place, const PxLoadPlace *child) {
  PxLoadChildren *children = NULL;
  for (size_t i = 0; i < place->n_children && !children; i++)
    if (place->children[i].field == child->node->field)
      children = &place->children[i];
  if (!children) {
    children = &place->children[place->n_children++];
    *children = (PxLoadChildren){
      .field = child->node->field, .places = PX_LOAD_ARRAY(maker->arena, unsigned, place->node->n_children), .model = child->model, .watch = -1};
  }
  children->places[children->n_places++] = child->index;
}

static PxLoadPlace *make_place(Maker *maker, const PxHeaderNode *node, const PxLoadPlace *parent, const PxPattern *pattern) {
  PxLoadPlan *plan = maker->plan;
  PxLoadPlace *place = &plan->places[plan->n_places];
  size_t n_defaults = px_load_room_for_defaults(pattern);
  size_t n_writes = node->n_columns + node->n_children + n_defaults + 1;
  place->index = (unsigned)plan->n_places++;
  place->node = node;
  place->parent = parent;
  place->pattern = pattern;
  place->model = find_model(plan, node->model);
  place->writes = PX_LOAD_ARRAY(maker->arena, const PxField *, n_writes);
  place->write_columns = PX_LOAD_ARRAY(maker->arena, const PxHeaderColumn *, n_writes);
  place->write_is_key = PX_LOAD_ARRAY(maker->arena, bool, n_writes);
  place->proved = PX_LOAD_ARRAY(maker->arena, bool, n_writes);
  place->links = PX_LOAD_ARRAY(maker->arena, PxLoadLinks, node->n_children + n_defaults);
  place->children = PX_LOAD_ARRAY(maker->arena, PxLoadChildren, node->n_children);
  make_columns(maker, place);
  place->words = px_mask_words(place->n_writes);
  find_ids(plan, place);
  for (size_t i = 0; i < node->n_children; i++)
    if (node->children[i]->kind == PX_NODE_ONE2MANY)
      add_child(maker, place, make_place(maker, node->children[i], place, px_load_items_pattern(pattern, node->children[i]->field)));
  return place;
}

/* ---- references */

static bool reads_written(const PxLoadPlan *plan, const PxHeaderNode *node) {
  for (size_t i = 0; i < plan->n_models; i++)
    if (plan->models[i].model == node->model)
      return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (reads_written(plan, node->children[i]))
      return true;
  return false;
}

void px_load_collect_paths(PxArena *arena, const PxHeaderNode *node, const PxField *const *prefix, size_t depth, PxLookupPath *paths, size_t *n) {
  for (size_t i = 0; i < node->n_columns + node->n_children; i++) {
    const PxField **path = PX_LOAD_ARRAY(arena, const PxField *, depth + 1);
    if (depth)
      memcpy(path, prefix, depth * sizeof *prefix);
    if (i < node->n_columns) {
      /* An external id is looked up first; its record's id is what is compared. */
      path[depth] = node->columns[i].kind == PX_COLUMN_FIELD ? node->columns[i].field : node->model->id;
      paths[(*n)++] = (PxLookupPath){.path = path, .n_path = depth + 1};
    } else {
      const PxHeaderNode *child = node->children[i - node->n_columns];
      path[depth] = child->field;
      px_load_collect_paths(arena, child, path, depth + 1, paths, n);
    }
  }
}

static void make_reference(Maker *maker, unsigned index) {
  PxLoadPlan *plan = maker->plan;
  PxLoadReference *reference = &plan->references[index];
  const PxHeaderNode *node = reference->node;
  size_t n = px_load_count_columns(node);
  PxLookupPath *paths = PX_LOAD_ARRAY(maker->arena, PxLookupPath, n);
  size_t made = 0;
  px_load_collect_paths(maker->arena, node, NULL, 0, paths, &made);
  g_assert(made == n);
  reference->n_parts = n;
  reference->parts = PX_LOAD_ARRAY(maker->arena, const PxLoadColumn *, n);
  reference->fields = PX_LOAD_ARRAY(maker->arena, const PxField *, n);
  reference->paths = paths;
  size_t part = 0;
  for (size_t i = 0; i < plan->n_columns; i++)
    if (plan->columns[i].reference == (int)index)
      reference->parts[part++] = &plan->columns[i];
  for (size_t i = 0; i < plan->n_constants; i++)
    if (plan->constants[i].column.reference == (int)index)
      reference->parts[part++] = &plan->constants[i].column;
  for (size_t i = 0; i < n; i++)
    reference->fields[i] = paths[i].path[paths[i].n_path - 1];
  size_t n_limits;
  const PxLookupLimit *limits = px_load_limits(plan, reference, maker->arena, &n_limits);
  reference->limited = n_limits > 0;
  reference->lookup = px_records_limited_lookup(maker->records, node->model, paths, n, limits, n_limits);
  /* Nobody can say what a trigger changes. */
  reference->live = plan->opaque || reads_written(plan, node);
  for (size_t i = 0; i < n_limits; i++)
    reference->live |= px_load_domain_reads_written(plan, limits[i].domain);
  reference->model = -1;
  if (!reference->live || reference->limited || node->n_children > 0)
    return;
  for (unsigned m = 0; m < plan->n_models; m++) {
    if (plan->models[m].model != node->model)
      continue;
    reference->model = (int)m;
    reference->watch = px_load_add_watch(plan, maker->arena, m, reference->fields, n);
  }
}

/* ---- keys */

static bool collect_key(Maker *maker, PxLoadPlace *place, GPtrArray *ret_fields) {
  PxLoadPlan *plan = maker->plan;
  for (size_t i = 0; i < plan->n_columns; i++) {
    const PxLoadColumn *column = &plan->columns[i];
    if (!column->key || column->place != place->index)
      continue;
    if (!place->key_column || column->column->column < place->key_column->column)
      place->key_column = column->column;
    if (column->reference < 0)
      g_ptr_array_add(ret_fields, (void *)(uintptr_t)column->field);
  }
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].key && plan->references[i].place == place->index)
      g_ptr_array_add(ret_fields, (void *)(uintptr_t)plan->references[i].node->field);
  /* A child is looked for among the children of its parent. */
  if (ret_fields->len && place->parent)
    g_ptr_array_add(ret_fields, (void *)(uintptr_t)place->writes[place->parent_write]);
  if (ret_fields->len <= PX_LOOKUP_MAX_PATHS)
    return true;
  g_set_error(maker->error, PX_ERROR, PX_ERROR_REFUSED, "column %s: more than %d columns are marked #key", place->key_column->header,
              PX_LOOKUP_MAX_PATHS);
  return false;
}

/* The slot that holds the key's value for field. */
static unsigned key_slot(const PxLoadPlan *plan, const PxLoadPlace *place, const PxField *field) {
  for (size_t i = 0; i < plan->n_columns; i++) {
    const PxLoadColumn *column = &plan->columns[i];
    if (column->key && column->place == place->index && column->reference < 0 && column->field == field)
      return column->slot;
  }
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].key && plan->references[i].place == place->index && plan->references[i].node->field == field)
      return plan->references[i].slot;
  return place->first_slot + (unsigned)place->parent_write;
}

static void make_key_slots(Maker *maker, PxLoadPlace *place) {
  const PxLoadWatch *watch = &maker->plan->models[place->model].watches[place->key_watch];
  place->key_slots = PX_LOAD_ARRAY(maker->arena, unsigned, watch->n);
  place->key_writes_itself = true;
  for (size_t i = 0; i < watch->n; i++) {
    place->key_slots[i] = key_slot(maker->plan, place, watch->fields[i]);
    unsigned slot = place->key_slots[i];
    place->key_writes_itself &= slot >= place->first_slot && slot < place->first_slot + place->n_writes;
  }
}

static bool make_keys(Maker *maker) {
  PxLoadPlan *plan = maker->plan;
  for (size_t i = 0; i < plan->n_places; i++) {
    PxLoadPlace *place = &plan->places[i];
    g_autoptr(GPtrArray) key = g_ptr_array_new();
    if (!collect_key(maker, place, key))
      return false;
    place->key_watch = -1;
    if (!key->len)
      continue;
    place->key_watch = px_load_add_watch(plan, maker->arena, place->model, (const PxField *const *)key->pdata, key->len);
    make_key_slots(maker, place);
  }
  return true;
}

/* Only when all watches are known is it known what has to be read of a record that is found. */
static void make_finders(Maker *maker) {
  PxLoadPlan *plan = maker->plan;
  for (size_t i = 0; i < plan->n_places; i++) {
    PxLoadPlace *place = &plan->places[i];
    const PxModel *model = px_place_model(plan, place);
    if (place->key_watch >= 0) {
      const PxLoadWatch *watch = &plan->models[place->model].watches[place->key_watch];
      place->by_key = px_load_lookup(maker->records, model, watch->fields, watch->n, place->reads, place->n_reads);
    }
    if (place->db_id || place->ext_id)
      place->by_id = px_load_lookup(maker->records, model, &model->id, 1, place->reads, place->n_reads);
  }
}

/* Which children a record has is read before it is known what earlier rows of the wave do to them. */
static void watch_children(Maker *maker) {
  PxLoadPlan *plan = maker->plan;
  for (size_t p = 0; plan->pattern->purge_one2many && p < plan->n_places; p++)
    for (size_t i = 0; i < plan->places[p].n_children; i++) {
      PxLoadChildren *children = &plan->places[p].children[i];
      children->watch = px_load_add_watch(plan, maker->arena, children->model, &children->field->inverse, 1);
    }
}

/* A junction table that is written from both its sides: what one side does cannot be seen from the other. */
static bool has_two_sided_links(const PxLoadPlan *plan) {
  GHashTable *fields = g_hash_table_new(g_str_hash, g_str_equal);
  bool two_sided = false;
  for (size_t p = 0; p < plan->n_places; p++)
    for (size_t i = 0; i < plan->places[p].n_links; i++) {
      const PxField *field = plan->places[p].links[i].field;
      const PxField *known = g_hash_table_lookup(fields, field->through);
      two_sided |= known && known != field;
      g_hash_table_insert(fields, (void *)(uintptr_t)field->through, (void *)(uintptr_t)field);
    }
  g_hash_table_unref(fields);
  return two_sided;
}

static void find_missing(Maker *maker, PxLoadPlace *place) {
  const PxModel *model = px_place_model(maker->plan, place);
  place->missing = PX_LOAD_ARRAY(maker->arena, const PxField *, model->n_fields);
  for (size_t i = 0; i < model->n_fields; i++) {
    const PxField *field = model->fields[i];
    bool written = false;
    for (size_t w = 0; w < place->n_writes; w++)
      written |= place->writes[w] == field;
    if (field->required && !field->has_default && !field->read_only && field->column && field != model->id && !written)
      place->missing[place->n_missing++] = field;
  }
}

/* Which writes of a place are ids of records that were looked for: by the file's references, or by those of its defaults. */
static void find_proved(const PxLoadPlan *plan, PxLoadPlace *place) {
  for (size_t i = 0; i < plan->n_references; i++) {
    const PxLoadReference *reference = &plan->references[i];
    if (reference->place == place->index && reference->slot >= place->first_slot && reference->slot < place->first_slot + place->n_writes)
      place->proved[reference->slot - place->first_slot] = true;
  }
  for (size_t w = 0; place->defaults && w < place->n_writes; w++) {
    bool by_file = place->write_columns[w] != NULL;
    if (place->defaults[w].given)
      place->proved[w] = place->defaults[w].reference >= 0 && (!by_file || place->proved[w]);
  }
  if (place->parent_write >= 0)
    place->proved[place->parent_write] = true;
}

bool px_load_plan_init(PxLoadPlan *plan, PxRecords *records, const PxPattern *pattern, const PxHeader *header, PxArena *arena, GError **error) {
  const PxHeaderNode *root = px_header_root(header);
  Maker maker = {.plan = plan, .records = records, .arena = arena, .error = error};
  if (!check_node(root, error))
    return false;
  *plan = (PxLoadPlan){.pattern = pattern, .width = px_header_width(header)};
  size_t n_places = count_nodes(root, true);
  plan->columns = PX_LOAD_ARRAY(arena, PxLoadColumn, px_load_count_columns(root));
  size_t n_constants = 0;
  size_t n_references = count_nodes(root, false);
  px_load_count_defaults(pattern, root, &n_constants, &n_references);
  plan->references = PX_LOAD_ARRAY(arena, PxLoadReference, n_references);
  plan->constants = PX_LOAD_ARRAY(arena, PxLoadConstant, n_constants);
  plan->absent = PX_LOAD_ARRAY(arena, unsigned, n_constants + n_references);
  plan->places = PX_LOAD_ARRAY(arena, PxLoadPlace, n_places);
  plan->models = PX_LOAD_ARRAY(arena, PxLoadModel, n_places);
  make_place(&maker, root, NULL, pattern);
  /* A server's triggers run behind all rows of a batch, as for any client that writes many: a query a row would cost a way there and back. */
  for (size_t i = 0; i < plan->n_models && !px_records_in_sets(records); i++)
    plan->opaque |= plan->models[i].model->has_triggers;
  plan->opaque |= has_two_sided_links(plan);
  for (size_t i = 0; i < plan->n_models; i++)
    plan->models[i].watches = PX_LOAD_ARRAY(arena, PxLoadWatch, plan->n_references + 2 * plan->n_places + plan->models[i].model->n_uniques);
  if (!make_keys(&maker))
    return false;
  for (unsigned i = 0; i < plan->n_references; i++)
    make_reference(&maker, i);
  watch_children(&maker);
  px_load_watch_uniques(plan, arena);
  px_load_place_watches(plan, records, arena);
  make_finders(&maker);
  for (size_t i = 0; i < plan->n_places; i++) {
    find_missing(&maker, &plan->places[i]);
    find_proved(plan, &plan->places[i]);
  }
  return true;
}
