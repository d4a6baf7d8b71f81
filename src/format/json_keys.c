/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of one file need not have the same keys, rows of one header do: the header has every key that some object has. */
#include "format/json_private.h"

#include <string.h>
#include <xxhash.h>

static guint hash_path(gconstpointer key) {
  const PxJsonPath *path = key;
  return (guint)XXH3_64bits(path->text, path->len);
}

static gboolean same_path(gconstpointer a, gconstpointer b) {
  const PxJsonPath *left = a;
  const PxJsonPath *right = b;
  return left->len == right->len && memcmp(left->text, right->text, left->len) == 0;
}

static void free_path(gpointer data) {
  PxJsonPath *path = data;
  if (path->below)
    g_array_unref(path->below);
}

void px_json_keys_init(PxJsonKeys *keys, const PxFormatOptions *options) {
  *keys = (PxJsonKeys){
    .arena = px_arena_new(),
    .by_text = g_hash_table_new(hash_path, same_path),
    .paths = g_ptr_array_new_with_free_func(free_path),
    .text = g_string_new(NULL),
    .root = {.text = "", .column = -1},
    /* Each column may lie in a group or list of its own. */
    .max_paths = 2 * (size_t)MIN(options->max_cells, G_MAXINT / 4),
    .max_bytes = (size_t)MIN(options->max_row_bytes, PX_JSON_MAX_ITEM_BYTES),
    .columns = g_array_new(FALSE, FALSE, sizeof(PxCell)),
  };
}

void px_json_keys_done(PxJsonKeys *keys) {
  if (!keys->arena)
    return;
  g_hash_table_unref(keys->by_text);
  g_ptr_array_unref(keys->paths);
  g_array_unref(keys->columns);
  g_string_free(keys->text, TRUE);
  px_arena_free(keys->arena);
}

static PxJsonPath *look_up(const PxJsonKeys *keys, const char *text, size_t len) {
  const PxJsonPath wanted = {.text = text, .len = len};
  return g_hash_table_lookup(keys->by_text, &wanted);
}

PxJsonPath *px_json_keys_path(PxJsonKeys *keys, const PxJsonPath *parent, const char *key, size_t len) {
  GString *text = keys->text;
  g_string_truncate(text, 0);
  if (parent->len) {
    g_string_append_len(text, parent->text, (gssize)parent->len);
    g_string_append_c(text, '|');
  }
  g_string_append_len(text, key, (gssize)len);
  PxJsonPath *path = look_up(keys, text->str, text->len);
  if (path)
    return path;
  keys->n_bytes += text->len;
  if (keys->paths->len >= keys->max_paths || keys->n_bytes > keys->max_bytes)
    return NULL;
  path = px_arena_new_array(keys->arena, PxJsonPath, 1);
  path->text = px_arena_strndup(keys->arena, text->str, text->len);
  path->len = text->len;
  path->column = -1;
  path->index = keys->paths->len;
  g_hash_table_add(keys->by_text, path);
  g_ptr_array_add(keys->paths, path);
  return path;
}

/* ---- columns */

static bool holds_nothing(const PxJsonPath *path) {
  return path->is_null || path->is_empty_list || path->is_empty_group;
}

typedef void (*Visit)(PxJsonPath *group, void *data);

/* Visits the paths with which this one begins. */
static void for_groups(const PxJsonKeys *keys, const char *text, Visit visit, void *data) {
  for (const char *mark = strchr(text, '|'); mark; mark = strchr(mark + 1, '|')) {
    PxJsonPath *group = look_up(keys, text, (size_t)(mark - text));
    if (group)
      visit(group, data);
  }
}

static void note_goes_on(PxJsonPath *group, void *data) {
  group->goes_on = true;
}

static void note_below(PxJsonPath *group, void *data) {
  if (!holds_nothing(group))
    return;
  if (!group->below)
    group->below = g_array_new(FALSE, FALSE, sizeof(int));
  g_array_append_vals(group->below, data, 1);
}

static int add_column(PxJsonKeys *keys, const char *text, size_t len, PxCellKind kind) {
  const PxCell cell = {.ptr = text, .len = (uint32_t)len, .kind = (uint8_t)(len ? kind : PX_CELL_EMPTY)};
  int column = (int)keys->columns->len;
  g_array_append_val(keys->columns, cell);
  for_groups(keys, text, note_below, &column);
  return column;
}

/* An empty list or group of which nothing more is known is a relation to nothing, and every model has an .id. */
static void add_empty(PxJsonKeys *keys, const PxJsonPath *path) {
  const char *text = px_arena_printf(keys->arena, "%s|%s.id", path->text, path->is_empty_list ? "1|" : "");
  add_column(keys, text, strlen(text), PX_CELL_TEXT);
}

void px_json_keys_number(PxJsonKeys *keys) {
  for (guint i = 0; i < keys->paths->len; i++) {
    const PxJsonPath *path = keys->paths->pdata[i];
    if (path->is_value || holds_nothing(path))
      for_groups(keys, path->text, note_goes_on, NULL);
  }
  for (guint i = 0; i < keys->paths->len; i++) {
    PxJsonPath *path = keys->paths->pdata[i];
    bool is_empty = path->is_empty_list || path->is_empty_group;
    if (path->is_value || (path->is_null && !path->goes_on && !is_empty))
      path->column = add_column(keys, path->text, path->len, path->is_value ? PX_CELL_TEXT : PX_CELL_NULLS);
    else if (is_empty && !path->goes_on)
      add_empty(keys, path);
  }
  if (keys->columns->len == 0)
    add_column(keys, ".id", strlen(".id"), PX_CELL_TEXT); /* a header without a column is none */
}
