/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

#include "base/text.h"

#include <string.h>

PxNodeType px_node_type(const PxConfigNode *node) {
  return node ? node->type : PX_NODE_NULL;
}

const PxConfigNode *px_node_get(const PxConfigNode *map, const char *key) {
  if (px_node_type(map) != PX_NODE_MAP)
    return NULL;
  for (size_t i = 0; i < map->n; i++) {
    if (strcmp(map->keys[i], key) == 0)
      return map->items[i];
  }
  return NULL;
}

size_t px_node_count(const PxConfigNode *node) {
  return node ? node->n : 0;
}

const PxConfigNode *px_node_at(const PxConfigNode *node, size_t i) {
  return i < px_node_count(node) ? node->items[i] : NULL;
}

const char *px_node_key_at(const PxConfigNode *map, size_t i) {
  return px_node_type(map) == PX_NODE_MAP && i < map->n ? map->keys[i] : NULL;
}

const char *px_node_text(const PxConfigNode *scalar) {
  return px_node_type(scalar) == PX_NODE_SCALAR ? scalar->text : NULL;
}

bool px_node_is_quoted(const PxConfigNode *scalar) {
  return scalar && scalar->quoted;
}

const char *px_node_file(const PxConfigNode *node) {
  return node ? node->file : NULL;
}

unsigned px_node_line(const PxConfigNode *node) {
  return node ? node->line : 0;
}

bool px_node_is_secret(const PxConfigNode *node) {
  return node && node->secret;
}

char *px_node_shown(const PxConfigNode *node) {
  if (px_node_is_secret(node))
    return g_strdup("the value (hidden)");
  switch (px_node_type(node)) {
  case PX_NODE_SCALAR:
    return px_text_quote(node->text, strlen(node->text));
  case PX_NODE_SEQUENCE:
    return g_strdup("a list");
  case PX_NODE_MAP:
    return g_strdup("a map");
  case PX_NODE_NULL:
    break;
  }
  return g_strdup("nothing");
}
