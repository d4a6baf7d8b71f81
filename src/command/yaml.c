/* SPDX-License-Identifier: Apache-2.0 */
#include "command/yaml.h"

#include <string.h>

static bool is_plain(const char *text) {
  if (!g_ascii_isalnum(*text) && !strchr("./_", *text))
    return false;
  for (const char *p = text; *p; p++) {
    if (!g_ascii_isalnum(*p) && !strchr(" ./_-+*@", *p))
      return false;
  }
  return !g_str_has_suffix(text, " ");
}

/* YAML 1.2.2, 7.3.1: in double quotes only the quote, the backslash and control characters need an escape. */
static void append_quoted(GString *out, const char *text) {
  g_string_append_c(out, '"');
  for (const char *p = text; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf(out, "\\%c", *p);
    else if (*p == '\n')
      g_string_append(out, "\\n");
    else if ((unsigned char)*p < 0x20)
      g_string_append_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
    else
      g_string_append_c(out, *p);
  }
  g_string_append_c(out, '"');
}

static void append_scalar(GString *out, const PxConfigNode *node) {
  const char *text = px_node_text(node);
  if (px_node_is_secret(node))
    g_string_append(out, "\"***\" # a secret: write ${VARIABLE} or {file: PATH} as the original does");
  else if (!text)
    g_string_append(out, "null");
  else if (px_node_is_quoted(node) || !is_plain(text))
    append_quoted(out, text);
  else
    g_string_append(out, text);
}

/* What follows "key:" or "-": on the same line where it is short. */
static void append_value(GString *out, const PxConfigNode *node, unsigned indent) {
  PxNodeType type = px_node_type(node);
  if ((type == PX_NODE_MAP || type == PX_NODE_SEQUENCE) && px_node_count(node) > 0) {
    g_string_append_c(out, '\n');
    px_yaml_append(out, node, indent);
    return;
  }
  g_string_append_c(out, ' ');
  if (type == PX_NODE_MAP || type == PX_NODE_SEQUENCE)
    g_string_append(out, type == PX_NODE_MAP ? "{}" : "[]");
  else
    append_scalar(out, node);
  g_string_append_c(out, '\n');
}

void px_yaml_append_pair(GString *out, const char *key, const PxConfigNode *node, unsigned indent) {
  g_string_append_printf(out, "%*s", (int)indent, "");
  if (is_plain(key))
    g_string_append(out, key);
  else
    append_quoted(out, key);
  g_string_append_c(out, ':');
  append_value(out, node, indent + 2);
}

void px_yaml_append(GString *out, const PxConfigNode *node, unsigned indent) {
  for (size_t i = 0; i < px_node_count(node); i++) {
    if (px_node_type(node) == PX_NODE_MAP) {
      px_yaml_append_pair(out, px_node_key_at(node, i), px_node_at(node, i), indent);
      continue;
    }
    g_string_append_printf(out, "%*s-", (int)indent, "");
    append_value(out, px_node_at(node, i), indent + 2);
  }
}
