/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of patterns come to: the columns of a row, and the tree of what is read for them. */
#include "pattern/pattern_private.h"

#define MAX_COLUMNS 16384 /* of a sheet; other formats have no use for more */

typedef struct {
  const PxPatternReader *reader;
  GPtrArray *patterns;
  GPtrArray *open; /* PxPattern *: whose columns are being made, each the item of the one before */
} Maker;

/* The columns and tabs of one pattern on their way into it. */
typedef struct {
  Maker *maker;
  PxPattern *pattern;
  PxExportField *field; /* at hand */
  GArray *columns;      /* PxExportColumn */
  GPtrArray *tabs;      /* const PxPatternTab * */
  GArray *limits;       /* PxPatternLimit */
  GHashTable *names;    /* of columns, as shown */
} Columns;

static const PxPattern *make_columns(Maker *maker, PxPattern *pattern);

static bool complain(const Columns *c, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool complain(const Columns *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  const PxPatternReader *reader = c->maker->reader;
  const PxField *first = c->field->n_path ? c->field->path[0] : NULL;
  px_complain(reader->complaints, g_hash_table_lookup(reader->nodes, c->field), "pattern %s: field %s: %s", c->pattern->name,
              first                ? first->name
              : c->field->n_path   ? "id"
              : c->field->computed ? c->field->computed->name
                                   : c->field->custom,
              text);
  return false;
}

/* ---- names */

static const char *segment_name(const PxModel *model, const PxField *field, bool label) {
  if (!field)
    return label ? "External ID" : "id";
  if (label)
    return field->label;
  return field == model->id ? ".id" : field->name;
}

/* The segments of the field's path from one on: "country_id#key|code". */
static void append_path(GString *text, const Columns *c, size_t from, bool label) {
  const PxExportField *field = c->field;
  const PxModel *model = c->pattern->model;
  for (size_t i = 0; i < field->n_path; i++) {
    if (i >= from)
      g_string_append_printf(text, "%s%s%s", i > from ? "|" : "", segment_name(model, field->path[i], label), i == 0 && field->key ? "#key" : "");
    if (i + 1 < field->n_path)
      model = field->path[i]->target;
  }
}

static const char *keep(const Columns *c, const GString *text) {
  return px_arena_strndup(c->maker->reader->arena, text->str, text->len);
}

static const char *path_name(const Columns *c, bool label) {
  g_autoptr(GString) text = g_string_new(NULL);
  append_path(text, c, 0, label);
  return keep(c, text);
}

/* "child_ids|2|" and what stands behind it: the column of the item's own pattern, or the rest of the path. */
static const char *item_name(const Columns *c, unsigned item, const char *behind, bool label) {
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "%s|%u|", segment_name(c->pattern->model, c->field->path[0], label), item);
  if (behind)
    g_string_append(text, behind);
  else
    append_path(text, c, 1, label);
  return keep(c, text);
}

/* The own name of a column of an item: "Tag", "Tag 2", "Contact 2 Name"; NULL: technical. */
static const char *item_custom(const Columns *c, unsigned item, const PxExportColumn *sub) {
  const char *own = c->field->custom;
  const char *behind = sub ? (sub->custom ? sub->custom : sub->header) : NULL;
  PxArena *arena = c->maker->reader->arena;
  if (own && behind)
    return px_arena_printf(arena, "%s %u %s", own, item, behind);
  if (own)
    return c->field->occurrences == 1 ? own : px_arena_printf(arena, "%s %u", own, item);
  if (c->pattern->header == PX_HEADER_CUSTOM && sub && sub->custom)
    return item_name(c, item, sub->custom, false);
  return NULL;
}

/* ---- columns and tabs */

static const PxPatternTab *add_tab(const Columns *c, const PxPatternTab *tab) {
  for (guint i = 0; tab && i < c->tabs->len; i++) {
    const PxPatternTab *other = c->tabs->pdata[i];
    if (other->field == tab->field && other->model == tab->model && other->convert == tab->convert && g_strcmp0(other->filter, tab->filter) == 0)
      return other;
  }
  if (tab)
    g_ptr_array_add(c->tabs, (gpointer)(uintptr_t)tab);
  return tab;
}

static bool add_column(const Columns *c, PxExportColumn column) {
  const PxPatternName *name = *column.header ? px_pattern_name(c->pattern, column.header) : NULL;
  column.custom = name ? name->names[0] : column.custom;
  const char *shown = column.custom ? column.custom : column.header;
  if (c->columns->len == MAX_COLUMNS)
    return complain(c, "with it there are more than %d columns: there may be fewer occurrences", MAX_COLUMNS);
  if (!g_hash_table_add(c->names, (gpointer)(uintptr_t)shown))
    return complain(c, "another column is called %s too", shown);
  column.tab = add_tab(c, column.tab);
  g_array_append_val(c->columns, column);
  return true;
}

static bool add_columns_of_sub(const Columns *c, unsigned item, const PxPattern *sub) {
  for (size_t i = 0; i < sub->n_columns; i++) {
    const PxExportColumn *column = &sub->columns[i];
    if (!add_column(c, (PxExportColumn){.header = *column->header ? item_name(c, item, column->header, false) : "",
                                        .label = item_name(c, item, column->label, true),
                                        .custom = item_custom(c, item, column),
                                        .tab = column->tab,
                                        .computed = column->computed}))
      return false;
  }
  return true;
}

static bool add_columns(const Columns *c, const PxPattern *sub) {
  const PxExportField *field = c->field;
  if (field->computed)
    return add_column(c, (PxExportColumn){.header = field->computed->name, .label = field->computed->name, .computed = true});
  if (!field->n_path)
    return add_column(c, (PxExportColumn){.header = "", .label = field->custom, .custom = field->custom});
  if (!field->path[0] || !px_field_is_x2many(field->path[0]))
    return add_column(c, (PxExportColumn){.header = path_name(c, false), .label = path_name(c, true), .custom = field->custom, .tab = field->tab});
  bool ok = true;
  for (unsigned item = 1; ok && item <= field->occurrences; item++)
    ok = sub ? add_columns_of_sub(c, item, sub)
             : add_column(c, (PxExportColumn){.header = item_name(c, item, NULL, false),
                                              .label = item_name(c, item, NULL, true),
                                              .custom = item_custom(c, item, NULL),
                                              .tab = field->tab});
  return ok;
}

/* ---- limits */

static void add_limits(const Columns *c, const PxPattern *sub) {
  const PxExportField *field = c->field;
  PxArena *arena = c->maker->reader->arena;
  PxPatternLimit own = {.path = field->path, .n_path = field->n_path - 1, .domain = field->domain};
  if (field->domain)
    g_array_append_val(c->limits, own);
  for (size_t i = 0; sub && i < sub->n_limits; i++) {
    const PxPatternLimit *limit = &sub->limits[i];
    const PxField **path = px_arena_new_array(arena, const PxField *, limit->n_path + 1);
    path[0] = field->path[0];
    memcpy(path + 1, limit->path, limit->n_path * sizeof *path);
    PxPatternLimit beneath = {.path = path, .n_path = limit->n_path + 1, .domain = limit->domain};
    g_array_append_val(c->limits, beneath);
  }
}

/* ---- what is read */

static void add_value(PxExportNode *node, const PxField *const *path, size_t n_path, const PxConvertOwn *convert) {
  node->values[node->n_values++] = (PxExportValue){.path = path, .n_path = n_path, .column = node->width++, .convert = convert};
}

static void add_list(PxArena *arena, PxExportNode *node, const PxField *const *path, size_t n_path, unsigned occurrences, const PxExportNode *item);

/* What a path comes to in the node whose record it begins at. */
static void add_path(PxArena *arena, PxExportNode *node, const PxField *const *path, size_t n_path, unsigned occurrences,
                     const PxConvertOwn *convert) {
  size_t list = 0;
  while (list < n_path && !(path[list] && px_field_is_x2many(path[list])))
    list++;
  if (list == n_path) {
    add_value(node, path, n_path, convert);
    return;
  }
  PxExportNode *item = px_arena_new_array(arena, PxExportNode, 1);
  item->model = path[list]->target;
  item->values = px_arena_new_array(arena, PxExportValue, 1);
  item->lists = px_arena_new_array(arena, PxExportList, 1);
  add_path(arena, item, path + list + 1, n_path - list - 1, 1, convert);
  add_list(arena, node, path, list + 1, occurrences, item);
}

static void add_list(PxArena *arena, PxExportNode *node, const PxField *const *path, size_t n_path, unsigned occurrences, const PxExportNode *item) {
  node->lists[node->n_lists++] = (PxExportList){.path = path, .n_path = n_path, .column = node->width, .occurrences = occurrences, .item = item};
  node->width += occurrences * item->width;
}

/* ---- patterns */

static PxPattern *find_pattern(const Maker *maker, const char *name) {
  for (guint i = 0; i < maker->patterns->len; i++) {
    PxPattern *pattern = maker->patterns->pdata[i];
    if (g_str_equal(pattern->name, name))
      return pattern;
  }
  return NULL;
}

/* Complains when the pattern is among those whose item it would be. */
static bool check_cycle(const Columns *c, const PxPattern *sub) {
  const GPtrArray *open = c->maker->open;
  guint first = 0;
  while (first < open->len && open->pdata[first] != sub)
    first++;
  if (first == open->len)
    return true;
  g_autoptr(GString) way = g_string_new(NULL);
  for (guint i = first; i < open->len; i++)
    g_string_append_printf(way, "%s -> ", ((const PxPattern *)open->pdata[i])->name);
  return complain(c, "the patterns contain one another without end: %s%s", way->str, sub->name);
}

/* An export may say of an item whose it is, but a file with such a column is refused. */
static void warn_of_parent(const Columns *c, const PxPattern *sub) {
  const PxPatternReader *reader = c->maker->reader;
  const PxField *parent = c->field->path[0]->inverse;
  for (size_t i = 0; i < sub->n_fields; i++)
    if (sub->fields[i].n_path && sub->fields[i].path[0] == parent)
      px_warn(reader->complaints, g_hash_table_lookup(reader->nodes, c->field),
              "pattern %s: field %s: the pattern %s writes %s, which for an item is the record it stands in: no import will take the file",
              c->pattern->name, c->field->path[0]->name, sub->name, parent->name);
}

/* The pattern of the field's items. NULL: complained of. */
static const PxPattern *open_sub(const Columns *c) {
  PxPattern *sub = find_pattern(c->maker, c->field->sub);
  if (!sub || !check_cycle(c, sub)) /* one that is missing was complained of where it could not be read */
    return NULL;
  if (!sub->n_fields) {
    complain(c, "the pattern %s has no fields to write the records by", sub->name);
    return NULL;
  }
  warn_of_parent(c, sub);
  return make_columns(c->maker, sub);
}

static void add_field(Columns *c, PxExportNode *node) {
  PxArena *arena = c->maker->reader->arena;
  const PxExportField *field = c->field;
  const PxPattern *sub = field->sub ? open_sub(c) : NULL;
  c->field->items = sub;
  if ((field->sub && !sub) || !add_columns(c, sub))
    return;
  add_limits(c, sub);
  if (sub)
    add_list(arena, node, field->path, 1, (unsigned)field->occurrences, sub->root);
  else if (field->computed)
    node->values[node->n_values++] = (PxExportValue){.column = node->width++, .convert = field->convert, .computed = field->computed};
  else if (field->n_path)
    add_path(arena, node, field->path, field->n_path, (unsigned)field->occurrences, field->convert);
  else
    node->width++;
  c->pattern->computes |= sub ? sub->computes : field->computed != NULL;
  c->pattern->external_ids |= sub ? sub->external_ids : field->n_path && !field->path[field->n_path - 1];
}

static void take_columns(const Columns *c, PxPattern *pattern) {
  PxArena *arena = c->maker->reader->arena;
  PxExportColumn *columns = px_arena_new_array(arena, PxExportColumn, c->columns->len);
  const PxPatternTab **tabs = px_arena_new_array(arena, const PxPatternTab *, c->tabs->len);
  for (guint i = 0; i < c->columns->len; i++)
    columns[i] = g_array_index(c->columns, PxExportColumn, i);
  for (guint i = 0; i < c->tabs->len; i++)
    tabs[i] = c->tabs->pdata[i];
  pattern->columns = columns;
  pattern->n_columns = c->columns->len;
  pattern->tabs = tabs;
  pattern->n_tabs = c->tabs->len;
  PxPatternLimit *limits = px_arena_new_array(arena, PxPatternLimit, c->limits->len);
  for (guint i = 0; i < c->limits->len; i++)
    limits[i] = g_array_index(c->limits, PxPatternLimit, i);
  pattern->limits = limits;
  pattern->n_limits = c->limits->len;
}

static const PxPattern *make_columns(Maker *maker, PxPattern *pattern) {
  if (pattern->root || !pattern->n_fields)
    return pattern;
  PxArena *arena = maker->reader->arena;
  PxExportNode *node = px_arena_new_array(arena, PxExportNode, 1);
  node->model = pattern->model;
  node->values = px_arena_new_array(arena, PxExportValue, pattern->n_fields);
  node->lists = px_arena_new_array(arena, PxExportList, pattern->n_fields);
  g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(PxExportColumn));
  g_autoptr(GPtrArray) tabs = g_ptr_array_new();
  g_autoptr(GArray) limits = g_array_new(FALSE, FALSE, sizeof(PxPatternLimit));
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  Columns c = {.maker = maker, .pattern = pattern, .columns = columns, .tabs = tabs, .limits = limits, .names = names};
  g_ptr_array_add(maker->open, pattern);
  for (size_t i = 0; i < pattern->n_fields; i++) {
    c.field = &pattern->fields[i];
    add_field(&c, node);
  }
  g_ptr_array_set_size(maker->open, (gint)maker->open->len - 1);
  take_columns(&c, pattern);
  pattern->root = node;
  return pattern;
}

void px_patterns_make_columns(const PxPatternReader *reader, GPtrArray *patterns) {
  g_autoptr(GPtrArray) open = g_ptr_array_new();
  Maker maker = {.reader = reader, .patterns = patterns, .open = open};
  for (guint i = 0; i < patterns->len; i++) {
    make_columns(&maker, patterns->pdata[i]);
    px_pattern_warn_names(reader, patterns->pdata[i]);
  }
}
