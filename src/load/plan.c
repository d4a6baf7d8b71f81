/* SPDX-License-Identifier: Apache-2.0 */
/* Header -> plan: which cell goes to which slot, what is looked up by which slots, what later rows may see of a row. */
#include "load/load_private.h"

#include <string.h>

/* Never of nothing, so that a pointer to it can be kept. */
#define ARRAY(arena, type, n) px_arena_new_array(arena, type, (n) + 1)

typedef struct {
  PxLoadPlan *plan;
  PxRecords *records;
  PxArena *arena;
  const PxHeaderNode *root;
  GError **error;
} Maker;

static size_t count_columns(const PxHeaderNode *node) {
  size_t n = node->n_columns;
  for (size_t i = 0; i < node->n_children; i++)
    n += count_columns(node->children[i]);
  return n;
}

static bool check_node(const PxHeaderNode *node, GError **error) {
  if (node->kind == PX_NODE_ONE2MANY || node->kind == PX_NODE_MANY2MANY) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "column %s: columns of a %s cannot be imported yet; take it out or put # before its name",
                node->first->header, px_type_name(node->field->type));
    return false;
  }
  if (count_columns(node) > PX_LOOKUP_MAX_PATHS && node->kind == PX_NODE_MANY2ONE) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "column %s: more than %d columns look for one record", node->first->header, PX_LOOKUP_MAX_PATHS);
    return false;
  }
  for (size_t i = 0; i < node->n_children; i++)
    if (!check_node(node->children[i], error))
      return false;
  return true;
}

/* ---- writes and slots */

/* Whether a plain column of the file writes field, so that a key of the same field only finds. */
static bool written_plainly(const PxHeaderNode *root, const PxField *field) {
  for (size_t i = 0; i < root->n_columns; i++)
    if (root->columns[i].kind == PX_COLUMN_FIELD && !root->columns[i].key && root->columns[i].field == field)
      return true;
  for (size_t i = 0; i < root->n_children; i++)
    if (!root->children[i]->key && root->children[i]->field == field)
      return true;
  return false;
}

static int add_write(PxLoadPlan *plan, const PxField *field, const PxHeaderColumn *column, bool key) {
  plan->writes[plan->n_writes] = field;
  plan->write_columns[plan->n_writes] = column;
  plan->write_is_key[plan->n_writes] = key;
  return (int)plan->n_writes++;
}

/* The slot of a value that is written to field, or -1 when it is not. */
static int write_slot(Maker *maker, const PxField *field, const PxHeaderColumn *column, bool key) {
  if (key && written_plainly(maker->root, field))
    return -1;
  return add_write(maker->plan, field, column, key);
}

static void add_column(PxLoadPlan *plan, const PxHeaderColumn *column, int slot, int reference, bool key) {
  plan->columns[plan->n_columns++] = (PxLoadColumn){
      .column = column,
      .field = column->kind == PX_COLUMN_EXT_ID ? NULL : column->field,
      .slot = slot >= 0 ? (unsigned)slot : (unsigned)plan->n_slots++,
      .reference = reference,
      .key = key,
  };
}

static void add_parts(PxLoadPlan *plan, const PxHeaderNode *node, int reference, bool key) {
  for (size_t i = 0; i < node->n_columns; i++)
    add_column(plan, &node->columns[i], -1, reference, key);
  for (size_t i = 0; i < node->n_children; i++)
    add_parts(plan, node->children[i], reference, key);
}

/* Written slots come first, so that a row's values from its first slot on are what a statement binds. */
static void make_columns(Maker *maker) {
  PxLoadPlan *plan = maker->plan;
  const PxHeaderNode *root = maker->root;
  g_autofree int *column_slots = g_new(int, root->n_columns + 1);
  g_autofree int *node_slots = g_new(int, root->n_children + 1);
  for (size_t i = 0; i < root->n_columns; i++) {
    const PxHeaderColumn *column = &root->columns[i];
    column_slots[i] = column->kind == PX_COLUMN_FIELD ? write_slot(maker, column->field, column, column->key) : -1;
  }
  for (size_t i = 0; i < root->n_children; i++)
    node_slots[i] = write_slot(maker, root->children[i]->field, root->children[i]->first, root->children[i]->key);
  plan->n_slots = plan->n_writes;
  for (size_t i = 0; i < root->n_columns; i++)
    add_column(plan, &root->columns[i], column_slots[i], -1, root->columns[i].key);
  for (size_t i = 0; i < root->n_children; i++) {
    PxLoadReference *reference = &plan->references[plan->n_references];
    reference->node = root->children[i];
    reference->key = root->children[i]->key;
    reference->slot = node_slots[i] >= 0 ? (unsigned)node_slots[i] : (unsigned)plan->n_slots++;
    add_parts(plan, root->children[i], (int)plan->n_references++, root->children[i]->key);
  }
}

/* ---- watches */

static int compare_fields(const void *a, const void *b) {
  const PxField *const *left = a;
  const PxField *const *right = b;
  return (*left)->index < (*right)->index ? -1 : (*left)->index > (*right)->index;
}

static int find_write(const PxLoadPlan *plan, const PxField *field) {
  for (size_t i = 0; i < plan->n_writes; i++)
    if (plan->writes[i] == field)
      return (int)i;
  return -1;
}

static int read_index(PxLoadPlan *plan, const PxField *field) {
  for (size_t i = 0; i < plan->n_reads; i++)
    if (plan->reads[i] == field)
      return (int)i;
  plan->reads[plan->n_reads] = field;
  return (int)plan->n_reads++;
}

static int find_watch(const PxLoadPlan *plan, const PxField *const *sorted, size_t n) {
  for (size_t i = 0; i < plan->n_watches; i++)
    if (plan->watches[i].n == n && memcmp(plan->watches[i].fields, sorted, n * sizeof *sorted) == 0)
      return (int)i;
  return -1;
}

static const PxHeaderColumn *first_column(const PxLoadPlan *plan, const PxLoadWatch *watch) {
  const PxHeaderColumn *first = NULL;
  for (size_t i = 0; i < watch->n; i++) {
    const PxHeaderColumn *column = watch->writes[i] >= 0 ? plan->write_columns[watch->writes[i]] : NULL;
    if (column && (!first || column->column < first->column))
      first = column;
  }
  return first;
}

/* The watch over these fields, made when there is none yet. */
static int add_watch(Maker *maker, const PxField *const *fields, size_t n) {
  PxLoadPlan *plan = maker->plan;
  const PxField **sorted = ARRAY(maker->arena, const PxField *, n);
  memcpy(sorted, fields, n * sizeof *fields);
  qsort(sorted, n, sizeof *sorted, compare_fields);
  int known = find_watch(plan, sorted, n);
  if (known >= 0)
    return known;
  PxLoadWatch *watch = &plan->watches[plan->n_watches];
  watch->fields = sorted;
  watch->n = n;
  watch->writes = ARRAY(maker->arena, int, n);
  watch->reads = ARRAY(maker->arena, int, n);
  for (size_t i = 0; i < n; i++) {
    watch->writes[i] = find_write(plan, sorted[i]);
    watch->reads[i] = read_index(plan, sorted[i]);
    watch->computed |= sorted[i]->read_only;
  }
  watch->column = first_column(plan, watch);
  return (int)plan->n_watches++;
}

static void watch_uniques(Maker *maker) {
  const PxModel *model = maker->plan->model;
  for (size_t i = 0; i < model->n_uniques; i++) {
    const PxUnique *unique = &model->uniques[i];
    if (unique->n_fields > PX_LOOKUP_MAX_PATHS)
      continue;
    PxLoadWatch *watch = &maker->plan->watches[add_watch(maker, unique->fields, unique->n_fields)];
    /* What a generated column will hold is the database's to say, and so is whether it is unique. */
    watch->unique = !watch->computed;
  }
}

/* ---- lookups */

static bool reads_model(const PxHeaderNode *node, const PxModel *model) {
  if (node->model == model)
    return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (reads_model(node->children[i], model))
      return true;
  return false;
}

static void collect_paths(Maker *maker, const PxHeaderNode *node, const PxField *const *prefix, size_t depth, PxLookupPath *paths, size_t *n) {
  for (size_t i = 0; i < node->n_columns + node->n_children; i++) {
    const PxField **path = ARRAY(maker->arena, const PxField *, depth + 1);
    if (depth)
      memcpy(path, prefix, depth * sizeof *prefix);
    if (i < node->n_columns) {
      /* An external id is looked up first; its record's id is what is compared. */
      path[depth] = node->columns[i].kind == PX_COLUMN_FIELD ? node->columns[i].field : node->model->id;
      paths[(*n)++] = (PxLookupPath){.path = path, .n_path = depth + 1};
    } else {
      const PxHeaderNode *child = node->children[i - node->n_columns];
      path[depth] = child->field;
      collect_paths(maker, child, path, depth + 1, paths, n);
    }
  }
}

static void make_reference(Maker *maker, unsigned index) {
  PxLoadPlan *plan = maker->plan;
  PxLoadReference *reference = &plan->references[index];
  size_t n = count_columns(reference->node);
  PxLookupPath *paths = ARRAY(maker->arena, PxLookupPath, n);
  size_t made = 0;
  collect_paths(maker, reference->node, NULL, 0, paths, &made);
  g_assert(made == n);
  reference->n_parts = n;
  reference->parts = ARRAY(maker->arena, const PxLoadColumn *, n);
  reference->fields = ARRAY(maker->arena, const PxField *, n);
  size_t part = 0;
  for (size_t i = 0; i < plan->n_columns; i++)
    if (plan->columns[i].reference == (int)index)
      reference->parts[part++] = &plan->columns[i];
  for (size_t i = 0; i < n; i++)
    reference->fields[i] = paths[i].path[paths[i].n_path - 1];
  reference->lookup = px_records_lookup(maker->records, reference->node->model, paths, n, NULL, 0);
  /* Nobody can say what a trigger changes. */
  reference->self = reads_model(reference->node, plan->model) || plan->model->has_triggers;
  reference->watch = -1;
  bool simple = reference->node->model == plan->model && reference->node->n_children == 0;
  if (simple)
    reference->watch = add_watch(maker, reference->fields, n);
}

static const PxLookup *lookup_by_fields(Maker *maker, const PxField *const *fields, size_t n, const PxField *const *reads, size_t n_reads) {
  g_autofree PxLookupPath *paths = g_new(PxLookupPath, n);
  for (size_t i = 0; i < n; i++)
    paths[i] = (PxLookupPath){.path = &fields[i], .n_path = 1};
  return px_records_lookup(maker->records, maker->plan->model, paths, n, reads, n_reads);
}

/* The fields of the natural key: its scalar columns and the many2one that are part of it. */
static bool make_key(Maker *maker, GPtrArray *ret_fields) {
  PxLoadPlan *plan = maker->plan;
  for (size_t i = 0; i < plan->n_columns; i++) {
    const PxLoadColumn *column = &plan->columns[i];
    if (!column->key)
      continue;
    if (!plan->key_column || column->column->column < plan->key_column->column)
      plan->key_column = column->column;
    if (column->reference < 0)
      g_ptr_array_add(ret_fields, (void *)(uintptr_t)column->field);
  }
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].key)
      g_ptr_array_add(ret_fields, (void *)(uintptr_t)plan->references[i].node->field);
  if (ret_fields->len > PX_LOOKUP_MAX_PATHS) {
    g_set_error(maker->error, PX_ERROR, PX_ERROR_REFUSED, "column %s: more than %d columns are marked #key", plan->key_column->header,
                PX_LOOKUP_MAX_PATHS);
    return false;
  }
  return true;
}

/* The slot that holds the key's value for field. */
static unsigned key_slot(const PxLoadPlan *plan, const PxField *field) {
  for (size_t i = 0; i < plan->n_columns; i++)
    if (plan->columns[i].key && plan->columns[i].reference < 0 && plan->columns[i].field == field)
      return plan->columns[i].slot;
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].key && plan->references[i].node->field == field)
      return plan->references[i].slot;
  g_assert_not_reached();
}

static bool make_lookups(Maker *maker) {
  PxLoadPlan *plan = maker->plan;
  g_autoptr(GPtrArray) key = g_ptr_array_new();
  if (!make_key(maker, key))
    return false;
  plan->key_watch = key->len ? add_watch(maker, (const PxField *const *)key->pdata, key->len) : -1;
  for (unsigned i = 0; i < plan->n_references; i++)
    make_reference(maker, i);
  watch_uniques(maker);
  /* Only now is it known what has to be read of a record that is found. */
  if (plan->key_watch >= 0) {
    const PxLoadWatch *watch = &plan->watches[plan->key_watch];
    plan->by_key = lookup_by_fields(maker, watch->fields, watch->n, plan->reads, plan->n_reads);
    plan->key_slots = ARRAY(maker->arena, unsigned, watch->n);
    plan->key_writes_itself = true;
    for (size_t i = 0; i < watch->n; i++) {
      plan->key_slots[i] = key_slot(plan, watch->fields[i]);
      plan->key_writes_itself &= watch->writes[i] == (int)plan->key_slots[i];
    }
  }
  if (plan->db_id || plan->ext_id)
    plan->by_id = lookup_by_fields(maker, &plan->model->id, 1, plan->reads, plan->n_reads);
  for (size_t i = 0; i < plan->n_watches; i++)
    if (plan->watches[i].unique)
      plan->watches[i].lookup = lookup_by_fields(maker, plan->watches[i].fields, plan->watches[i].n, NULL, 0);
  return true;
}

static void find_missing(Maker *maker) {
  PxLoadPlan *plan = maker->plan;
  for (size_t i = 0; i < plan->model->n_fields; i++) {
    const PxField *field = plan->model->fields[i];
    if (field->required && !field->has_default && !field->read_only && field->column && field != plan->model->id && find_write(plan, field) < 0)
      plan->missing[plan->n_missing++] = field;
  }
}

bool px_load_plan_init(PxLoadPlan *plan, PxRecords *records, const PxPattern *pattern, const PxHeader *header, PxArena *arena, GError **error) {
  const PxHeaderNode *root = px_header_root(header);
  Maker maker = {.plan = plan, .records = records, .arena = arena, .root = root, .error = error};
  if (!check_node(root, error))
    return false;
  size_t n_columns = count_columns(root);
  size_t n_fields = root->model->n_fields;
  *plan = (PxLoadPlan){.model = root->model, .pattern = pattern, .width = px_header_width(header)};
  plan->columns = ARRAY(arena, PxLoadColumn, n_columns);
  plan->references = ARRAY(arena, PxLoadReference, root->n_children);
  plan->writes = ARRAY(arena, const PxField *, n_columns);
  plan->write_columns = ARRAY(arena, const PxHeaderColumn *, n_columns);
  plan->write_is_key = ARRAY(arena, bool, n_columns);
  plan->reads = ARRAY(arena, const PxField *, n_fields + 1);
  plan->watches = ARRAY(arena, PxLoadWatch, root->n_children + root->model->n_uniques + 1);
  plan->missing = ARRAY(arena, const PxField *, n_fields);
  make_columns(&maker);
  plan->words = px_mask_words(plan->n_writes);
  for (size_t i = 0; i < plan->n_writes; i++)
    plan->reads[plan->n_reads++] = plan->writes[i];
  for (size_t i = 0; i < plan->n_columns; i++) {
    if (plan->columns[i].reference < 0 && plan->columns[i].column->kind == PX_COLUMN_DB_ID)
      plan->db_id = &plan->columns[i];
    if (plan->columns[i].reference < 0 && plan->columns[i].column->kind == PX_COLUMN_EXT_ID)
      plan->ext_id = &plan->columns[i];
  }
  if (!make_lookups(&maker))
    return false;
  find_missing(&maker);
  return true;
}
