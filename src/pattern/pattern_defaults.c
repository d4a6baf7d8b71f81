/* SPDX-License-Identifier: Apache-2.0 */
/* The map defaults: of a pattern: what new records have in columns that the file lacks. Its keys are compiled as the header of a file is. */
#include "pattern/pattern_private.h"

#include <string.h>

typedef struct {
  const PxPatternReader *reader;
  const PxPattern *pattern;
  GPtrArray *headers; /* char *: of each value */
  GPtrArray *nodes;   /* const PxConfigNode *: its place */
  size_t complaints;  /* how many there were before */
} Defaults;

static void complain(const Defaults *d, const PxConfigNode *node, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void complain(const Defaults *d, const PxConfigNode *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  px_complain(d->reader->complaints, node, "pattern %s: defaults: %s", d->pattern->name, text);
}

/* ---- keys -> headers */

static void add(const Defaults *d, char *header, const PxConfigNode *node) {
  if (px_node_type(node) != PX_NODE_SCALAR)
    complain(d, node, "%s: a value is expected", header);
  g_ptr_array_add(d->headers, header);
  g_ptr_array_add(d->nodes, (gpointer)(uintptr_t)node);
}

/* A many2many has a number for each item: "category_ids/name: [A, B]" is category_ids|1|name and category_ids|2|name. */
static void add_items(const Defaults *d, const char *relation, const char *rest, const PxConfigNode *node) {
  bool is_list = px_node_type(node) == PX_NODE_SEQUENCE;
  size_t n = is_list ? px_node_count(node) : 1;
  for (size_t i = 0; i < n; i++)
    add(d, g_strdup_printf("%s|%zu|%s", relation, i + 1, rest), is_list ? px_node_at(node, i) : node);
}

static void read_key(const Defaults *d, const char *key, const PxConfigNode *node) {
  g_autofree char *path = g_strdelimit(g_strdup(key), "/", '|');
  if (strchr(path, '#')) {
    complain(d, node, "%s: a default finds no record, so it is no key", key);
    return;
  }
  char *bar = strchr(path, '|');
  g_autofree char *first = bar ? g_strndup(path, (gsize)(bar - path)) : g_strdup(path);
  const PxField *field = px_model_field(d->pattern->model, first);
  if (field && field->type == PX_TYPE_ONE2MANY)
    complain(d, node, "%s: children have the defaults of the pattern that writes them: {field: %s, pattern: NAME}", key, first);
  else if (field && field->type == PX_TYPE_MANY2MANY && bar && !g_ascii_isdigit(bar[1]))
    add_items(d, first, bar + 1, node);
  else
    add(d, g_steal_pointer(&path), node);
}

static const PxConfigNode *node_of(const Defaults *d, const char *header) {
  for (guint i = 0; header && i < d->headers->len; i++)
    if (g_str_equal(d->headers->pdata[i], header))
      return d->nodes->pdata[i];
  return NULL;
}

static PxHeader *compile(const Defaults *d) {
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  PxHeader *header = px_header_compile(d->pattern->model, (const char *const *)(const void *)d->headers->pdata, d->headers->len, 0, messages);
  for (guint i = 0; i < messages->len; i++) {
    const PxMessage *message = messages->pdata[i];
    complain(d, node_of(d, message->column), "%s", message->message);
  }
  return header;
}

/* ---- texts -> values */

static void convert(const Defaults *d, const PxHeaderColumn *column, PxValue *ret_value) {
  const PxConfigNode *node = d->nodes->pdata[column->column];
  PxArena *arena = d->reader->arena;
  const char *text = px_node_text(node);
  const char *type;
  const char *problem;
  if (!text)
    return;
  PxCell cell = {.ptr = px_arena_strndup(arena, text, strlen(text)), .len = (uint32_t)strlen(text), .kind = PX_CELL_TEXT};
  const PxConvertOptions plain = {.timezone = d->reader->timezone};
  if (!column->field)
    *ret_value = px_value_text(cell.ptr, cell.len);
  else if (!px_field_convert(column->field, &plain, arena, cell, ret_value, &type, &problem))
    complain(d, node, "%s: %s", column->header, problem);
  if (ret_value->kind == PX_NULL)
    complain(d, node, "%s: an empty value is no default", column->header);
}

static void convert_node(const Defaults *d, const PxHeaderNode *node, PxValue *values) {
  for (size_t i = 0; i < node->n_columns; i++)
    convert(d, &node->columns[i], &values[node->columns[i].column]);
  for (size_t i = 0; i < node->n_children; i++)
    convert_node(d, node->children[i], values);
}

static void check_root(const Defaults *d, const PxHeaderNode *root) {
  for (size_t i = 0; i < root->n_columns; i++)
    if (root->columns[i].kind != PX_COLUMN_FIELD)
      complain(d, d->nodes->pdata[root->columns[i].column], "%s: each record has an id of its own", root->columns[i].header);
}

static PxPatternDefaults *make(const Defaults *d) {
  PxHeader *header = d->headers->len ? compile(d) : NULL;
  if (!header)
    return NULL;
  g_ptr_array_add(d->reader->headers, header);
  PxPatternDefaults *defaults = px_arena_new_array(d->reader->arena, PxPatternDefaults, 1);
  PxValue *values = px_arena_new_array(d->reader->arena, PxValue, d->headers->len);
  check_root(d, px_header_root(header));
  convert_node(d, px_header_root(header), values);
  *defaults = (PxPatternDefaults){.root = px_header_root(header), .values = values};
  return defaults;
}

void px_pattern_read_defaults(const PxPatternReader *reader, const PxConfigNode *node, PxPattern *pattern) {
  g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) nodes = g_ptr_array_new();
  const Defaults d = {.reader = reader, .pattern = pattern, .headers = headers, .nodes = nodes};
  if (px_node_type(node) == PX_NODE_NULL)
    return;
  if (px_node_type(node) != PX_NODE_MAP) {
    complain(&d, node, "a map of fields and values is expected");
    return;
  }
  size_t before = px_complaints_errors(reader->complaints);
  for (size_t i = 0; i < px_node_count(node); i++)
    read_key(&d, px_node_key_at(node, i), px_node_at(node, i));
  PxPatternDefaults *defaults = make(&d);
  pattern->defaults = px_complaints_errors(reader->complaints) == before ? defaults : NULL;
}
