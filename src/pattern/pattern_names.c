/* SPDX-License-Identifier: Apache-2.0 */
/* Names of one's own for columns: headers: of a pattern, by column, so that they outlive changes of its fields. */
#include "base/text.h"
#include "pattern/pattern_private.h"

#include <string.h>

/* A column without #key, parted by "|": the same one whether it is part of the key or not. */
static char *path_of(const char *column) {
  g_auto(GStrv) parts = g_strsplit_set(column, "|/", 0);
  for (char **part = parts; *part; part++) {
    char *mark = strstr(*part, "#key");
    if (mark && mark[4] == '\0')
      *mark = '\0';
    g_strstrip(*part);
  }
  return g_strjoinv("|", parts);
}

static const char *keep(const PxPatternReader *reader, const char *text) {
  return px_arena_strndup(reader->arena, text, strlen(text));
}

/* ---- reading */

static bool is_of_model(const PxPattern *pattern, const char *column) {
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  g_autoptr(PxHeader) header = px_header_compile(pattern->model, &column, 1, 0, messages);
  return header != NULL;
}

static const char *const *read_names(const PxPatternReader *reader, const PxConfigNode *node, const PxPattern *pattern, const char *column) {
  bool is_list = px_node_type(node) == PX_NODE_SEQUENCE;
  size_t n = is_list ? px_node_count(node) : 1;
  const char **names = px_arena_new_array(reader->arena, const char *, n + 1);
  size_t made = 0;
  for (size_t i = 0; i < n; i++) {
    const char *text = px_node_text(is_list ? px_node_at(node, i) : node);
    g_autofree char *name = text ? g_strstrip(g_strdup(text)) : NULL;
    if (name && *name && *name != '#')
      names[made++] = keep(reader, name);
    else
      px_complain(reader->complaints, node, "pattern %s: headers: %s: a name is expected, or a list of them; none begins with #", pattern->name,
                  column);
  }
  return made ? names : NULL;
}

static void check_names(const PxPatternReader *reader, const PxConfigNode *node, const PxPattern *pattern) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < pattern->n_names; i++) {
    const PxPatternName *name = &pattern->names[i];
    for (const char *const *own = name->names; *own; own++) {
      const char *other = g_hash_table_lookup(seen, *own);
      if (other && !g_str_equal(other, name->column))
        px_complain(reader->complaints, node, "pattern %s: headers: %s and %s are both called %s", pattern->name, other, name->column, *own);
      g_hash_table_insert(seen, (gpointer)(uintptr_t)*own, (gpointer)(uintptr_t)name->column);
    }
  }
}

void px_pattern_read_names(const PxPatternReader *reader, const PxConfigNode *node, PxPattern *pattern) {
  if (px_node_type(node) == PX_NODE_NULL)
    return;
  if (px_node_type(node) != PX_NODE_MAP) {
    px_complain(reader->complaints, node, "pattern %s: headers: a map of columns and names is expected", pattern->name);
    return;
  }
  if (pattern->header != PX_HEADER_CUSTOM) {
    px_warn(reader->complaints, node, "pattern %s: headers has no effect without header: custom", pattern->name);
    return;
  }
  PxPatternName *names = px_arena_new_array(reader->arena, PxPatternName, px_node_count(node));
  for (size_t i = 0; i < px_node_count(node); i++) {
    g_autofree char *column = g_strdelimit(g_strdup(px_node_key_at(node, i)), "/", '|');
    g_autofree char *path = path_of(column);
    const PxConfigNode *at = px_node_at(node, i);
    const char *const *own = read_names(reader, at, pattern, column);
    if (!own)
      continue;
    if (!is_of_model(pattern, column))
      g_hash_table_insert(reader->nodes, &names[pattern->n_names], (gpointer)(uintptr_t)at);
    names[pattern->n_names++] = (PxPatternName){.column = keep(reader, column), .path = keep(reader, path), .names = own};
  }
  pattern->names = names;
  check_names(reader, node, pattern);
}

static bool is_computed(const PxPattern *pattern, const char *column);

void px_pattern_warn_names(const PxPatternReader *reader, const PxPattern *pattern) {
  for (size_t i = 0; i < pattern->n_names; i++) {
    const PxPatternName *name = &pattern->names[i];
    const PxConfigNode *node = g_hash_table_lookup(reader->nodes, name);
    if (node && !is_computed(pattern, name->column))
      px_warn(reader->complaints, node, "pattern %s: headers: %s is no column of the model %s (any more): nothing is called %s", pattern->name,
              name->column, pattern->model->name, name->names[0]);
  }
}

/* ---- use */

const PxPatternName *px_pattern_name(const PxPattern *pattern, const char *column) {
  if (!pattern->n_names)
    return NULL;
  g_autofree char *path = path_of(column);
  for (size_t i = 0; i < pattern->n_names; i++)
    if (g_str_equal(pattern->names[i].path, path))
      return &pattern->names[i];
  return NULL;
}

static void add(GHashTable *technical, const char *name, const char *column) {
  if (!g_hash_table_contains(technical, name))
    g_hash_table_insert(technical, (gpointer)(uintptr_t)name, (gpointer)(uintptr_t)column);
}

/* What is written comes before names that are only read. */
static GHashTable *technical_names(const PxPattern *pattern) {
  GHashTable *technical = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < pattern->n_columns; i++)
    if (pattern->columns[i].custom)
      add(technical, pattern->columns[i].custom, pattern->columns[i].header);
  for (size_t i = 0; i < pattern->n_columns; i++) {
    const PxPatternName *name = *pattern->columns[i].header ? px_pattern_name(pattern, pattern->columns[i].header) : NULL;
    for (const char *const *own = name ? name->names : NULL; own && *own; own++)
      add(technical, *own, pattern->columns[i].header);
  }
  for (size_t i = 0; i < pattern->n_names; i++)
    for (const char *const *own = pattern->names[i].names; *own; own++)
      add(technical, *own, pattern->names[i].column);
  return technical;
}

static void translate_custom(const PxPattern *pattern, const char **headers, size_t n) {
  g_autoptr(GHashTable) technical = technical_names(pattern);
  for (size_t i = 0; i < n; i++) {
    const char *text = headers[i];
    size_t len = strlen(text);
    px_text_strip(&text, &len);
    g_autofree char *stripped = g_strndup(text, len);
    const char *known = g_hash_table_lookup(technical, stripped);
    if (known)
      headers[i] = known;
  }
}

/* The column without the numbers of items: a file may have more of them than an export writes. */
static char *without_items(const char *column) {
  g_auto(GStrv) parts = g_strsplit(column, "|", 0);
  g_autoptr(GString) text = g_string_new(NULL);
  for (char **part = parts; *part; part++) {
    g_strstrip(*part);
    if ((*part)[strspn(*part, "0123456789")] != '\0')
      g_string_append_printf(text, "%s%s", text->len ? "|" : "", *part);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool is_computed(const PxPattern *pattern, const char *column) {
  g_autofree char *path = pattern->computes ? without_items(column) : NULL;
  for (size_t i = 0; path && i < pattern->n_columns; i++) {
    g_autofree char *own = pattern->columns[i].computed ? without_items(pattern->columns[i].header) : NULL;
    if (own && g_str_equal(own, path))
      return true;
  }
  return false;
}

void px_pattern_translate_header(const PxPattern *pattern, const char **headers, size_t n) {
  if (pattern->header == PX_HEADER_CUSTOM)
    translate_custom(pattern, headers, n);
  for (size_t i = 0; i < n; i++)
    if (is_computed(pattern, headers[i]))
      headers[i] = "#";
}

static bool finds_records(const PxHeaderNode *node) {
  for (size_t i = 0; i < node->n_columns; i++)
    if (node->columns[i].key || node->columns[i].kind != PX_COLUMN_FIELD)
      return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (node->children[i]->key)
      return true;
  return false;
}

static bool is_key(const PxPattern *pattern, const PxField *field) {
  for (size_t i = 0; i < pattern->n_fields; i++)
    if (pattern->fields[i].key && pattern->fields[i].n_path > 0 && pattern->fields[i].path[0] == field)
      return true;
  return false;
}

const PxHeaderColumn *px_pattern_unmarked_key(const PxPattern *pattern, const PxHeader *header) {
  const PxHeaderNode *root = px_header_root(header);
  if (finds_records(root))
    return NULL;
  for (size_t i = 0; i < root->n_columns; i++)
    if (is_key(pattern, root->columns[i].field))
      return &root->columns[i];
  for (size_t i = 0; i < root->n_children; i++)
    if (is_key(pattern, root->children[i]->field))
      return root->children[i]->first;
  return NULL;
}
