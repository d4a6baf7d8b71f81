/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern/header.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdarg.h>

#define MAX_SEGMENTS 32   /* of one header cell */
#define MAX_ITEM_DIGITS 5 /* of the number of an item */

/* A node while columns are still coming: the lists become arrays at the end. */
typedef struct Branch Branch;
struct Branch {
  PxHeaderNode node;
  GQueue columns;  /* PxHeaderColumn * */
  GQueue children; /* Branch * */
  bool in_key;     /* it, or a node above it, is part of a key */
};

struct PxHeader {
  PxArena *arena;
  const PxHeaderNode *root;
  size_t width;
};

typedef struct {
  const char *name;
  bool key;
} Segment;

/* One header cell on its way into the tree. */
typedef struct {
  PxArena *arena;
  GHashTable *branches; /* path up to the node, in its normal form -> Branch */
  GHashTable *seen;     /* path of a column, in its normal form -> PxHeaderColumn */
  GPtrArray *messages;
  uint64_t row;
  size_t width;
  char *header; /* of the column at hand, stripped, as the file has it */
  unsigned column;
  Segment segments[MAX_SEGMENTS];
  size_t n_segments;
} Compiler;

static bool complain(Compiler *c, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool complain(Compiler *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *cell = c->row && c->header ? px_text_cell_name(c->column, c->row) : NULL;
  g_autofree char *placed = cell ? g_strdup_printf("%s: %s", cell, text) : g_steal_pointer(&text);
  PxMessage message = {.row = c->row, .column = c->header, .type = "header", .message = placed};
  g_ptr_array_add(c->messages, px_message_copy(&message));
  return false;
}

/* ---- the text of a header */

static bool add_segment(Compiler *c, const char *text, size_t len) {
  px_text_strip(&text, &len);
  const char *mark = memchr(text, '#', len);
  size_t name_len = mark ? (size_t)(mark - text) : len;
  const char *name = text;
  if (c->n_segments == MAX_SEGMENTS)
    return complain(c, "the path is too long: it has more than %d parts", MAX_SEGMENTS);
  if (mark && (len - name_len != 4 || memcmp(mark, "#key", 4) != 0)) {
    g_autofree char *quoted = px_text_quote(mark, len - name_len);
    return complain(c, "%s is no mark of a column: there is only #key%s", quoted,
                    c->width == 1 && strpbrk(mark, ";,\t") ? "; is this the delimiter of the file?" : "");
  }
  px_text_strip(&name, &name_len);
  if (name_len == 0)
    return complain(c, mark ? "#key stands behind the name of a field, and here is none" : "a part of the path is empty");
  c->segments[c->n_segments++] = (Segment){.name = px_arena_strndup(c->arena, name, name_len), .key = mark != NULL};
  return true;
}

static bool split(Compiler *c, const char *header) {
  c->n_segments = 0;
  for (const char *start = header;;) {
    const char *end = strchrnul(start, '|');
    if (!add_segment(c, start, (size_t)(end - start)))
      return false;
    if (!*end)
      return true;
    start = end + 1;
  }
}

/* Whether segment i or one behind it has the mark: #key may stand anywhere in its path. */
static bool marked_from(const Compiler *c, size_t i) {
  for (; i < c->n_segments; i++)
    if (c->segments[i].key)
      return true;
  return false;
}

static bool is_item(const char *name) {
  return name[strspn(name, "0123456789")] == '\0';
}

/* ---- what a segment names */

/* A field that people would know a record of model by, for advice. */
static const char *naming_field(const PxModel *model) {
  for (size_t i = 0; i < model->n_uniques; i++) {
    const PxField *field = model->uniques[i].fields[0];
    if (model->uniques[i].n_fields == 1 && field->type == PX_TYPE_TEXT && !field->hidden)
      return field->name;
  }
  return px_model_field(model, "name") ? "name" : ".id";
}

/* "country_id/code", as the configuration has it; NULL: it is nothing like that. */
static char *path_with_bars(const PxModel *model, const char *name) {
  g_auto(GStrv) parts = g_strsplit(name, "/", -1);
  const PxField *field = parts[0] && parts[1] ? px_model_field(model, parts[0]) : NULL;
  g_autofree char *path = field && field->target ? g_strjoinv("|", parts) : NULL;
  return path ? g_strdup_printf(" (did you mean %s?)", path) : NULL;
}

/* The nearest name, or else the name whose label is the nearest: people take what they see for what is written. */
static char *did_you_mean(const PxModel *model, const char *name) {
  char *path = path_with_bars(model, name);
  if (path)
    return path;
  g_autofree const char **labels = g_new(const char *, model->n_fields + 1);
  g_autofree char *lower = g_utf8_strdown(name, -1);
  g_autoptr(GHashTable) fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  size_t n = 0;
  for (size_t i = 0; i < model->n_fields; i++) {
    const PxField *field = model->fields[i];
    if (field->hidden)
      continue;
    char *label = g_utf8_strdown(field->label, -1);
    labels[n++] = label;
    g_hash_table_replace(fields, label, (gpointer)(uintptr_t)field);
  }
  const PxField *same = g_hash_table_lookup(fields, lower);
  char *meant = same ? NULL : px_model_did_you_mean(model, name);
  if (meant && *meant)
    return meant;
  g_free(meant);
  const char *nearest = same ? lower : px_text_nearest(lower, labels, n);
  const PxField *field = nearest ? g_hash_table_lookup(fields, nearest) : NULL;
  return field ? g_strdup_printf(" (did you mean %s?)", field->name) : g_strdup("");
}

/* " (did you mean country_id|code?)": the path without the segment at. */
static char *path_without(const Compiler *c, size_t at) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < c->n_segments; i++)
    if (i != at)
      g_string_append_printf(text, "%s%s%s", text->len ? "|" : "", c->segments[i].name, c->segments[i].key ? "#key" : "");
  return text->len ? g_strdup_printf(" (did you mean %s?)", text->str) : g_strdup("");
}

static bool complain_unknown(Compiler *c, const PxModel *model, size_t at) {
  const char *name = c->segments[at].name;
  g_autofree char *quoted = px_text_quote(name, strlen(name));
  if (is_item(name)) {
    g_autofree char *without = path_without(c, at);
    return complain(c, "%s stands where %s has a field: only a one2many or many2many is followed by the number of an item%s", quoted, model->name,
                    without);
  }
  g_autofree char *meant = did_you_mean(model, name);
  return complain(c, "%s has no field %s%s%s", model->name, quoted, meant,
                  c->width == 1 && strpbrk(name, ";,\t") ? "; is this the delimiter of the file?" : "");
}

/* Whether the file writes the record, not only looks for it: the items of a one2many that is only looked through have no number. */
static bool is_record(const Branch *branch) {
  return branch->node.kind == PX_NODE_RECORD || (branch->node.kind == PX_NODE_ONE2MANY && branch->node.item);
}

static bool check_writable(Compiler *c, const Branch *branch, const PxField *field, bool key) {
  if (!field->read_only || key || !is_record(branch) || field->model->read_only) /* a whole view is refused by who writes */
    return true;
  return complain(c, "%s is computed by the database and cannot be written: leave the column out, or begin its name with #", field->name);
}

/* The branch beneath parent at path, made when it is new. */
static Branch *enter(Compiler *c, Branch *parent, const char *path, const PxField *field, PxHeaderNodeKind kind, unsigned item, bool key) {
  Branch *branch = g_hash_table_lookup(c->branches, path);
  if (branch)
    return branch;
  branch = px_arena_new_array(c->arena, Branch, 1);
  branch->node = (PxHeaderNode){.kind = kind, .model = field->target, .field = field, .item = item, .key = key};
  branch->in_key = key || parent->in_key;
  g_queue_push_tail(&parent->children, branch);
  g_hash_table_insert(c->branches, px_arena_strndup(c->arena, path, strlen(path)), branch);
  return branch;
}

static Branch *enter_many2one(Compiler *c, Branch *parent, GString *path, const PxField *field, size_t i) {
  if (i + 1 == c->n_segments) {
    complain(c, "%s is a relation: say by which of its fields a record is found, as in %s|%s", field->name, field->name, naming_field(field->target));
    return NULL;
  }
  bool key = is_record(parent) && marked_from(c, i);
  if (!check_writable(c, parent, field, key))
    return NULL;
  if (is_record(parent) && parent->node.field && field == parent->node.field->inverse) {
    complain(c, "the %s of an item is the record it stands in: leave the column out, or begin its name with #", field->label);
    return NULL;
  }
  g_string_append_printf(path, "%s%s|", field->name, key ? "#key" : "");
  return enter(c, parent, path->str, field, PX_NODE_MANY2ONE, 0, key);
}

static bool check_x2many(Compiler *c, const Branch *parent, const PxField *field, size_t i) {
  const char *kind = px_type_name(field->type);
  bool has_item = i + 1 < c->n_segments && is_item(c->segments[i + 1].name);
  const char *item = has_item ? c->segments[i + 1].name : "1";
  if (!is_record(parent) && (has_item || i + 1 == c->n_segments))
    return complain(c, "%s is a %s of a record that is only looked for: say by which field of its items, as in %s|%s", field->name, kind, field->name,
                    naming_field(field->target));
  if (!is_record(parent))
    return true;
  if (!has_item || i + 2 == c->n_segments)
    return complain(c, "%s is a %s: say which item and which of its fields, as in %s|%s|%s", field->name, kind, field->name, item,
                    naming_field(field->target));
  if (strlen(item) > MAX_ITEM_DIGITS)
    return complain(c, "the item %s is too large", item);
  if (g_ascii_strtoull(item, NULL, 10) == 0)
    return complain(c, "the items of %s are counted from 1", field->name);
  if (field->type == PX_TYPE_MANY2MANY && marked_from(c, i))
    return complain(c, "%s is a many2many, which cannot be part of a key", field->name);
  if (c->segments[i].key || c->segments[i + 1].key)
    return complain(c, "#key marks a field of the item, as in %s|%s|%s#key", field->name, item, naming_field(field->target));
  return true;
}

/* Beneath a record its items have numbers, which *i is moved behind; a record that is only looked for is found by any item. */
static Branch *enter_x2many(Compiler *c, Branch *parent, GString *path, const PxField *field, size_t *i) {
  if (!check_x2many(c, parent, field, *i))
    return NULL;
  PxHeaderNodeKind kind = field->type == PX_TYPE_ONE2MANY ? PX_NODE_ONE2MANY : PX_NODE_MANY2MANY;
  if (!is_record(parent)) {
    g_string_append_printf(path, "%s|", field->name);
    return enter(c, parent, path->str, field, kind, 0, false);
  }
  (*i)++;
  unsigned item = (unsigned)g_ascii_strtoull(c->segments[*i].name, NULL, 10);
  g_string_append_printf(path, "%s|%u|", field->name, item);
  return enter(c, parent, path->str, field, kind, item, false);
}

static const char *fields_path(const Compiler *c) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < c->n_segments; i++)
    if (!is_item(c->segments[i].name))
      g_string_append_printf(text, "%s%s", i ? "|" : "", c->segments[i].name);
  return px_arena_strndup(c->arena, text->str, text->len);
}

static bool complain_twice(Compiler *c, const PxHeaderColumn *before) {
  g_autofree char *cell = c->row ? px_text_cell_name(before->column, c->row) : NULL;
  bool same = g_str_equal(before->header, c->header);
  return complain(c, "%s%s%s%s", same ? "the column is there twice" : "the column means the same as ", same ? "" : before->header,
                  cell ? (same ? ", first in " : " in ") : "", cell ? cell : "");
}

static bool add_column(Compiler *c, Branch *branch, GString *path, PxColumnKind kind, const PxField *field) {
  /* An id finds its record alone, so .id#key is .id. */
  bool key = kind == PX_COLUMN_FIELD && is_record(branch) && marked_from(c, 0);
  if (kind == PX_COLUMN_FIELD && !check_writable(c, branch, field, key))
    return false;
  g_string_append_printf(path, "%s%s", kind == PX_COLUMN_DB_ID ? ".id" : kind == PX_COLUMN_EXT_ID ? "id" : field->name, key ? "#key" : "");
  const PxHeaderColumn *before = g_hash_table_lookup(c->seen, path->str);
  if (before)
    return complain_twice(c, before);
  PxHeaderColumn *column = px_arena_new_array(c->arena, PxHeaderColumn, 1);
  *column = (PxHeaderColumn){
    .column = c->column, .header = c->header, .path = fields_path(c), .kind = kind, .field = field, .key = key, .in_key = branch->in_key};
  g_queue_push_tail(&branch->columns, column);
  g_hash_table_insert(c->seen, px_arena_strndup(c->arena, path->str, path->len), column);
  return true;
}

/* Follows the segments from root. */
static bool place(Compiler *c, Branch *root) {
  g_autoptr(GString) path = g_string_new(NULL);
  Branch *branch = root;
  for (size_t i = 0; branch; i++) {
    const char *name = c->segments[i].name;
    const PxModel *model = branch->node.model;
    bool last = i + 1 == c->n_segments;
    const PxField *field = g_str_equal(name, ".id") ? model->id : g_str_equal(name, "id") ? NULL : px_model_field(model, name);
    if (!field && !g_str_equal(name, "id"))
      return complain_unknown(c, model, i);
    if (field && field->type == PX_TYPE_MANY2ONE && field != model->id) {
      branch = enter_many2one(c, branch, path, field, i);
    } else if (field && px_field_is_x2many(field)) {
      branch = enter_x2many(c, branch, path, field, &i);
    } else if (!last) {
      return complain(c, "%s is no relation: nothing can follow it", name);
    } else {
      return add_column(c, branch, path, !field ? PX_COLUMN_EXT_ID : field == model->id ? PX_COLUMN_DB_ID : PX_COLUMN_FIELD, field);
    }
  }
  return false;
}

char *px_header_relation_by_id(const PxModel *model, const char *header) {
  g_auto(GStrv) names = g_strsplit(header, "|", 0);
  bool record = true; /* it is written, so that its items have numbers */
  bool list = false;  /* such a number may be next */
  for (char **name = names; *name; name++) {
    char *mark = strchr(*name, '#');
    if (mark)
      *mark = '\0';
    g_strstrip(*name);
    if (list && is_item(*name)) {
      list = false;
      continue;
    }
    const PxField *field = model && !g_str_equal(*name, "id") ? px_model_field(model, *name) : NULL;
    if (!field || field == model->id || !(field->type == PX_TYPE_MANY2ONE || px_field_is_x2many(field)))
      return NULL;
    model = field->target;
    list = record && px_field_is_x2many(field);
    record = record && field->type == PX_TYPE_ONE2MANY;
  }
  return *names ? g_strconcat(header, list ? "|1|.id" : "|.id", NULL) : NULL;
}

/* ---- the finished tree */

static void sooner(const PxHeaderColumn **first, const PxHeaderColumn *column) {
  if (column && (!*first || column->column < (*first)->column))
    *first = column;
}

static const PxHeaderNode *finish(PxArena *arena, Branch *branch) {
  PxHeaderNode *node = &branch->node;
  PxHeaderColumn *columns = px_arena_new_array(arena, PxHeaderColumn, branch->columns.length);
  const PxHeaderNode **children = px_arena_new_array(arena, const PxHeaderNode *, branch->children.length);
  for (const PxHeaderColumn *column; (column = g_queue_pop_head(&branch->columns));)
    columns[node->n_columns++] = *column;
  for (Branch *child; (child = g_queue_pop_head(&branch->children));)
    children[node->n_children++] = finish(arena, child);
  node->columns = columns;
  node->children = children;
  sooner(&node->first, node->n_columns ? &columns[0] : NULL);
  for (size_t i = 0; i < node->n_children; i++)
    sooner(&node->first, children[i]->first);
  return node;
}

static void drop(Branch *branch) {
  g_queue_clear(&branch->columns);
  for (Branch *child; (child = g_queue_pop_head(&branch->children));)
    drop(child);
}

static bool compile_columns(Compiler *c, PxHeader *header, Branch *root, const char *const *headers, const char *const *names) {
  bool ok = true;
  bool any = false;
  for (size_t i = 0; i < header->width; i++) {
    const char *text = headers[i];
    const char *name = names[i];
    size_t len = strlen(text);
    size_t name_len = strlen(name);
    px_text_strip(&text, &len);
    px_text_strip(&name, &name_len);
    any = any || len;
    bool is_mark = len == strlen("#key") && memcmp(text, "#key", len) == 0;
    if (len == 0 || (*text == '#' && !is_mark))
      continue;
    c->header = px_arena_strndup(header->arena, name, name_len);
    c->column = (unsigned)i;
    ok = split(c, px_arena_strndup(header->arena, text, len)) && place(c, root) && ok;
  }
  if (any)
    return ok;
  c->header = NULL;
  return complain(c, "the file has no header: its first row must name the columns");
}

PxHeader *px_header_compile_named(const PxModel *model, const char *const *headers, const char *const *names, size_t n, uint64_t row,
                                  GPtrArray *messages) {
  g_autoptr(PxHeader) header = g_new0(PxHeader, 1);
  header->arena = px_arena_new();
  header->width = n;
  g_autoptr(GHashTable) branches = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  Compiler compiler = {.arena = header->arena, .branches = branches, .seen = seen, .messages = messages, .row = row, .width = n};
  Branch *root = px_arena_new_array(header->arena, Branch, 1);
  root->node = (PxHeaderNode){.kind = PX_NODE_RECORD, .model = model};
  if (!compile_columns(&compiler, header, root, headers, names)) {
    drop(root);
    return NULL;
  }
  header->root = finish(header->arena, root);
  return g_steal_pointer(&header);
}

PxHeader *px_header_compile(const PxModel *model, const char *const *headers, size_t n, uint64_t row, GPtrArray *messages) {
  return px_header_compile_named(model, headers, headers, n, row, messages);
}

void px_header_free(PxHeader *header) {
  if (!header)
    return;
  px_arena_free(header->arena);
  g_free(header);
}

const PxHeaderNode *px_header_root(const PxHeader *header) {
  return header->root;
}

size_t px_header_width(const PxHeader *header) {
  return header->width;
}
