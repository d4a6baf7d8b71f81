/* SPDX-License-Identifier: Apache-2.0 */
#include "format/json_write_private.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32 /* parts of a header; what is longer stays one key */

typedef struct Node Node;
struct Node {
  const char *name;
  const char *key; /* "name": */
  int column;      /* -1: a group or list */
  bool is_list;
  GPtrArray *children; /* Node *; NULL: none */
};

struct PxJsonTree {
  PxArena *arena;
  GPtrArray *nodes; /* all of them, for their lists of children */
  Node *root;
};

/* ---- from the header */

static Node *add_node(PxJsonTree *tree, Node *parent, const char *name, int column) {
  g_autoptr(GString) key = g_string_new(NULL);
  Node *node = px_arena_new_array(tree->arena, Node, 1);
  px_json_put_string(key, name, strlen(name));
  g_string_append(key, ": ");
  node->name = name;
  node->key = px_arena_strndup(tree->arena, key->str, key->len);
  node->column = column;
  g_ptr_array_add(tree->nodes, node);
  if (!parent)
    return node;
  if (!parent->children)
    parent->children = g_ptr_array_new();
  g_ptr_array_add(parent->children, node);
  return node;
}

static Node *find_child(const Node *node, const char *name) {
  for (guint i = 0; node->children && i < node->children->len; i++) {
    Node *child = node->children->pdata[i];
    if (strcmp(child->name, name) == 0)
      return child;
  }
  return NULL;
}

/* False: another column stands where the path would go through, or the other way round. */
static bool add_path(PxJsonTree *tree, const char *text, int column) {
  g_auto(GStrv) parts = g_strsplit(text, "|", -1);
  guint n = g_strv_length(parts);
  Node *node = tree->root;
  guint i = 0;
  for (Node *next; i + 1 < n && (next = find_child(node, parts[i])); i++) {
    if (next->column >= 0)
      return false;
    node = next;
  }
  if (n > MAX_DEPTH || (i + 1 == n && find_child(node, parts[i])))
    return false;
  for (; i < n; i++)
    node = add_node(tree, node, px_arena_strndup(tree->arena, parts[i], strlen(parts[i])), i + 1 == n ? column : -1);
  return true;
}

static int compare_items(const void *a, const void *b) {
  unsigned long left = strtoul((*(Node *const *)a)->name, NULL, 10);
  unsigned long right = strtoul((*(Node *const *)b)->name, NULL, 10);
  return left < right ? -1 : left > right;
}

/* A list is what has numbered groups and nothing else. */
static bool looks_like_list(const Node *node) {
  for (guint i = 0; node->children && i < node->children->len; i++) {
    const Node *child = node->children->pdata[i];
    size_t digits = strspn(child->name, "0123456789");
    if (child->column >= 0 || digits == 0 || digits > 9 || child->name[digits])
      return false;
  }
  return node->children != NULL;
}

PxJsonTree *px_json_tree_new(const PxCell *header, size_t n_columns) {
  PxJsonTree *tree = g_new0(PxJsonTree, 1);
  tree->arena = px_arena_new();
  tree->nodes = g_ptr_array_new();
  tree->root = add_node(tree, NULL, "", -1);
  for (size_t i = 0; i < n_columns; i++) {
    const char *text = px_arena_strndup(tree->arena, header[i].ptr, header[i].len);
    if (*text && !add_path(tree, text, (int)i))
      add_node(tree, tree->root, text, (int)i);
  }
  for (guint i = 1; i < tree->nodes->len; i++) {
    Node *node = tree->nodes->pdata[i];
    node->is_list = looks_like_list(node);
    if (node->is_list)
      g_ptr_array_sort(node->children, compare_items);
  }
  return tree;
}

void px_json_tree_free(PxJsonTree *tree) {
  if (!tree)
    return;
  for (guint i = 0; i < tree->nodes->len; i++) {
    Node *node = tree->nodes->pdata[i];
    g_clear_pointer(&node->children, g_ptr_array_unref);
  }
  g_ptr_array_unref(tree->nodes);
  px_arena_free(tree->arena);
  g_free(tree);
}

/* ---- to text */

typedef enum { NOT_THERE, EMPTY, VALUE } Content;

static Content content_of(const Node *node, const PxCell *cells, size_t n_cells) {
  if (node->column >= 0) {
    const PxCell *cell = (size_t)node->column < n_cells ? &cells[node->column] : NULL;
    return !cell || cell->len == 0 ? (cell && cell->kind == PX_CELL_ABSENT ? NOT_THERE : EMPTY) : VALUE;
  }
  Content most = NOT_THERE;
  for (guint i = 0; node->children && i < node->children->len && most < VALUE; i++)
    most = MAX(most, content_of(node->children->pdata[i], cells, n_cells));
  return most;
}

/* The depth is that of a header, MAX_DEPTH at most. */
static void put_node(const Node *node, GString *out, const PxCell *cells, size_t n_cells) {
  static const PxCell empty = {.ptr = "", .kind = PX_CELL_EMPTY};
  if (node->column >= 0) {
    px_json_put_cell(out, (size_t)node->column < n_cells ? &cells[node->column] : &empty);
    return;
  }
  const Content least = node->is_list ? VALUE : EMPTY;
  bool any = false;
  g_string_append_c(out, node->is_list ? '[' : '{');
  for (guint i = 0; node->children && i < node->children->len; i++) {
    const Node *child = node->children->pdata[i];
    if (content_of(child, cells, n_cells) < least)
      continue;
    if (any)
      g_string_append_len(out, ", ", 2);
    if (!node->is_list)
      g_string_append(out, child->key);
    put_node(child, out, cells, n_cells);
    any = true;
  }
  g_string_append_c(out, node->is_list ? ']' : '}');
}

void px_json_tree_put(const PxJsonTree *tree, GString *out, const PxCell *cells, size_t n_cells) {
  put_node(tree->root, out, cells, n_cells);
}
