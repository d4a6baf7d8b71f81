/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern/independence.h"

typedef struct {
  const PxPattern *pattern;
  const PxHeaderNode *root;
  GPtrArray *places;  /* const PxHeaderNode *: the records that a row writes */
  GPtrArray *lookups; /* const PxHeaderNode *: the records that it looks for, and those on the way to them */
  GPtrArray *reasons; /* char * */
} Proof;

static void object(const Proof *proof, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void object(const Proof *proof, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *reason = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  for (guint i = 0; i < proof->reasons->len; i++)
    if (g_str_equal(proof->reasons->pdata[i], reason)) {
      g_free(reason);
      return;
    }
  g_ptr_array_add(proof->reasons, reason);
}

static bool is_place(const PxHeaderNode *node) {
  return node->kind == PX_NODE_RECORD || node->kind == PX_NODE_ONE2MANY;
}

static void collect(const Proof *proof, const PxHeaderNode *node, bool written) {
  written = written && is_place(node);
  g_ptr_array_add(written ? proof->places : proof->lookups, (gpointer)(uintptr_t)node);
  for (size_t i = 0; i < node->n_children; i++)
    collect(proof, node->children[i], written);
}

/* ---- the key */

/* Whether the pattern writes the field of its own accord, beside finding by it. */
static bool is_written_plainly(const PxHeaderNode *node, const PxField *field) {
  for (size_t i = 0; i < node->n_columns; i++)
    if (!node->columns[i].key && node->columns[i].field == field)
      return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (node->children[i]->kind == PX_NODE_MANY2ONE && !node->children[i]->key && node->children[i]->field == field)
      return true;
  return false;
}

static void check_key_field(const Proof *proof, const PxField *field, const char *header) {
  if (field->collation >= PX_COLLATE_CITEXT)
    object(proof, "only the database knows which values of column %s are equal", header);
  if (field->model == proof->root->model && field->read_only)
    object(proof, "the key %s is computed by the database from other columns", header);
  if (is_written_plainly(proof->root, field))
    object(proof, "the key %s is also written, so a record may change its key", header);
}

/* A record must have the same values here whatever row looks for it: one value a column, and always the same columns. */
static void check_key_lookup(const Proof *proof, const PxHeaderNode *node) {
  if (node->kind != PX_NODE_MANY2ONE)
    object(proof, "the key %s goes through a list of records", node->first->header);
  for (size_t i = 0; i < node->n_columns; i++) {
    const PxHeaderColumn *column = &node->columns[i];
    if (column->kind == PX_COLUMN_EXT_ID)
      object(proof, "the key %s is an external id, and a record may have several", column->header);
    else if (column->field->collation >= PX_COLLATE_CITEXT)
      object(proof, "only the database knows which values of column %s are equal", column->header);
  }
  for (size_t i = 0; i < node->n_children; i++)
    check_key_lookup(proof, node->children[i]);
}

static void check_key(const Proof *proof) {
  const PxHeaderNode *root = proof->root;
  bool any = false;
  for (size_t i = 0; i < root->n_columns; i++)
    if (root->columns[i].key) {
      any = true;
      check_key_field(proof, root->columns[i].field, root->columns[i].header);
    }
  for (size_t i = 0; i < root->n_children; i++)
    if (root->children[i]->key) {
      any = true;
      check_key_field(proof, root->children[i]->field, root->children[i]->first->header);
      check_key_lookup(proof, root->children[i]);
    }
  if (!any)
    object(proof, "no column is marked #key");
}

/* ---- what rows write */

static bool writes(const PxHeaderNode *node, const PxField *field) {
  if (node->field && node->field->inverse == field)
    return true;
  for (size_t i = 0; i < node->n_columns; i++)
    if (node->columns[i].field == field)
      return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (node->children[i]->kind == PX_NODE_MANY2ONE && node->children[i]->field == field)
      return true;
  return false;
}

static bool has_field(const PxUnique *unique, const PxField *field) {
  for (size_t i = 0; i < unique->n_fields; i++)
    if (unique->fields[i] == field)
      return true;
  return false;
}

/* Records that have the same values there have the same natural key, or belong to the same parent. */
static bool holds_key(const PxHeaderNode *node, const PxUnique *unique) {
  if (node->field)
    return has_field(unique, node->field->inverse);
  bool any = false;
  for (size_t i = 0; i < node->n_columns; i++) {
    any |= node->columns[i].key;
    if (node->columns[i].key && !has_field(unique, node->columns[i].field))
      return false;
  }
  for (size_t i = 0; i < node->n_children; i++) {
    any |= node->children[i]->key;
    if (node->children[i]->key && !has_field(unique, node->children[i]->field))
      return false;
  }
  return any;
}

/* Nothing of it is written, and a new record is empty there, which is never equal to anything. */
static bool is_left_alone(const PxHeaderNode *node, const PxUnique *unique) {
  bool empty = false;
  for (size_t i = 0; i < unique->n_fields; i++) {
    const PxField *field = unique->fields[i];
    if (field->read_only || writes(node, field))
      return false;
    empty |= !field->required && !field->has_default;
  }
  return empty;
}

static void check_uniques(const Proof *proof, const PxHeaderNode *node) {
  for (size_t i = 0; i < node->model->n_uniques; i++) {
    const PxUnique *unique = &node->model->uniques[i];
    if (holds_key(node, unique) || is_left_alone(node, unique))
      continue;
    g_autoptr(GString) fields = g_string_new(NULL);
    for (size_t k = 0; k < unique->n_fields; k++)
      g_string_append_printf(fields, "%s%s", k ? ", " : "", unique->fields[k]->name);
    object(proof, "%s of %s must be unique too, so rows with different keys may want the same", fields->str, node->model->name);
  }
  if (node->model->has_hidden_uniques)
    object(proof, "model %s has a UNIQUE that only the database can judge (a partial index, one of expressions or with another collation)",
           node->model->name);
}

static void check_links(const Proof *proof, const PxHeaderNode *node) {
  for (size_t i = 0; i < node->n_children; i++) {
    const PxField *field = node->children[i]->field;
    if (node->children[i]->kind == PX_NODE_MANY2MANY && field->through_shared)
      object(proof, "table %s, which links %s, has triggers or a UNIQUE between records", field->through, node->children[i]->first->header);
  }
}

static void check_place(const Proof *proof, const PxHeaderNode *node) {
  for (size_t i = 0; i < node->n_columns; i++)
    if (node->columns[i].kind != PX_COLUMN_FIELD)
      object(proof, "column %s finds a record by something else than the key", node->columns[i].header);
  for (guint i = 0; i < proof->places->len; i++) {
    const PxHeaderNode *other = proof->places->pdata[i];
    if (other->model == node->model && other->field != node->field)
      object(proof, "the records of %s are written in two places of a row, so two rows may write the same one", node->model->name);
  }
  if (node->model->has_triggers)
    object(proof, "model %s has triggers (or ON CONFLICT clauses): what a row changes is not known", node->model->name);
  if (node->kind == PX_NODE_ONE2MANY && proof->pattern->purge_one2many == PX_PURGE_DELETE)
    object(proof, "purge_one2many: delete removes records of %s, and what hangs on them", node->model->name);
  check_uniques(proof, node);
  check_links(proof, node);
}

/* ---- what rows read */

static bool is_written(const Proof *proof, const PxModel *model) {
  for (guint i = 0; i < proof->places->len; i++)
    if (((const PxHeaderNode *)proof->places->pdata[i])->model == model)
      return true;
  for (guint i = 0; i < proof->lookups->len; i++) {
    const PxField *field = ((const PxHeaderNode *)proof->lookups->pdata[i])->field;
    if (field->through && g_ascii_strcasecmp(field->through, model->table) == 0)
      return true;
  }
  return false;
}

static void check_lookup(const Proof *proof, const PxHeaderNode *node) {
  if (is_written(proof, node->model))
    object(proof, "column %s looks for a record of %s, which the file itself writes", node->first->header, node->model->name);
}

static bool reads_written(const Proof *proof, const PxDomain *domain) {
  for (size_t i = 0; i < domain->n_children; i++)
    if (reads_written(proof, domain->children[i]))
      return true;
  for (size_t i = 0; i < domain->n_path; i++)
    if (is_written(proof, domain->path[i]->model) || (domain->path[i]->target && is_written(proof, domain->path[i]->target)))
      return true;
  return false;
}

static void check_limits(const Proof *proof) {
  for (size_t i = 0; i < proof->pattern->n_limits; i++) {
    const PxPatternLimit *limit = &proof->pattern->limits[i];
    if (limit->domain && reads_written(proof, limit->domain))
      object(proof, "the domain of %s looks at records that the file itself writes", limit->path[limit->n_path - 1]->name);
  }
}

/* ---- what new records are given */

static void check_default_lookup(const Proof *proof, const PxHeaderNode *node) {
  if (is_written(proof, node->model))
    object(proof, "the default of %s looks for a record of %s, which the file itself writes", node->first->header, node->model->name);
  for (size_t i = 0; i < node->n_children; i++)
    check_default_lookup(proof, node->children[i]);
}

static void check_default_uniques(const Proof *proof, const PxHeaderNode *root) {
  for (size_t i = 0; i < root->model->n_uniques; i++) {
    const PxUnique *unique = &root->model->uniques[i];
    for (size_t k = 0; k < unique->n_fields; k++)
      if (writes(root, unique->fields[k]))
        object(proof, "the default of %s must be unique, so rows with different keys may want the same", unique->fields[k]->name);
  }
}

static void check_defaults(const Proof *proof, const PxPattern *pattern) {
  const PxHeaderNode *root = pattern->defaults ? pattern->defaults->root : NULL;
  if (root)
    check_default_uniques(proof, root);
  for (size_t i = 0; root && i < root->n_children; i++)
    check_default_lookup(proof, root->children[i]);
  for (size_t i = 0; i < pattern->n_fields; i++)
    if (pattern->fields[i].items)
      check_defaults(proof, pattern->fields[i].items);
}

/* ---- all */

static void check_options(const Proof *proof) {
  if (proof->pattern->abort)
    object(proof, "on_error: abort takes the whole file or nothing");
  if (proof->pattern->max_errors)
    object(proof, "max_errors counts the rows in the order of the file");
}

GPtrArray *px_pattern_obstacles(const PxPattern *pattern, const PxHeader *header) {
  g_autoptr(GPtrArray) places = g_ptr_array_new();
  g_autoptr(GPtrArray) lookups = g_ptr_array_new();
  const Proof proof = {
    .pattern = pattern, .root = px_header_root(header), .places = places, .lookups = lookups, .reasons = g_ptr_array_new_with_free_func(g_free)};
  collect(&proof, proof.root, true);
  check_options(&proof);
  check_key(&proof);
  for (guint i = 0; i < places->len; i++)
    check_place(&proof, places->pdata[i]);
  for (guint i = 0; i < lookups->len; i++)
    check_lookup(&proof, lookups->pdata[i]);
  check_limits(&proof);
  check_defaults(&proof, pattern);
  return proof.reasons;
}

static void free_message(gpointer message) {
  px_message_free(message);
}

GPtrArray *px_pattern_own_obstacles(const PxPattern *pattern) {
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(free_message);
  g_autofree const char **headers = g_new(const char *, pattern->n_columns + 1);
  for (size_t i = 0; i < pattern->n_columns; i++)
    headers[i] = pattern->columns[i].computed ? "#" : pattern->columns[i].header;
  g_autoptr(PxHeader) header = pattern->n_columns ? px_header_compile(pattern->model, headers, pattern->n_columns, 1, messages) : NULL;
  return header && px_header_root(header)->first ? px_pattern_obstacles(pattern, header) : NULL;
}
