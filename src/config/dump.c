/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

#include <jansson.h>
#include <string.h>

#define KEY_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static void append_json_string(GString *out, const char *text) {
  json_t *string = json_string(text);
  char *quoted = json_dumps(string, JSON_ENCODE_ANY);
  g_string_append(out, quoted);
  free(quoted);
  json_decref(string);
}

/* ---- YAML */

/* A value that is a URL with a password, or a connection string with one, shows all but that. */
static char *without_password(const char *text) {
  if (strcasestr(text, "password="))
    return NULL;
  const char *host = strstr(text, "://");
  size_t authority = host ? strcspn(host + 3, "/?#") : 0;
  const char *at = host ? memrchr(host + 3, '@', authority) : NULL;
  const char *colon = at ? memchr(host + 3, ':', (size_t)(at - host - 3)) : NULL;
  return colon ? g_strdup_printf("%.*s:***%s", (int)(colon - text), text, at) : g_strdup(text);
}

/* What may be shown of a value; NULL: nothing. Caller frees. */
static char *shown_text(const PxConfigNode *node) {
  g_autofree char *shown = node->secret ? NULL : without_password(node->text);
  return shown ? px_secrets_escape(shown) : NULL;
}

static bool is_printable_line(const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c < 0x20 || *c == 0x7F)
      return false;
  }
  return true;
}

static void append_scalar(GString *out, const PxConfigNode *node) {
  g_autofree char *text = shown_text(node);
  if (!text) {
    g_string_append(out, "\"***\"");
    return;
  }
  /* What was written without quotes can be so again, once it is on one line. */
  if (!node->quoted && is_printable_line(text))
    g_string_append(out, text);
  else
    append_json_string(out, text);
}

static void append_key(GString *out, const char *key) {
  if (*key && strspn(key, KEY_CHARS "-.") == strlen(key) && strchr(KEY_CHARS, *key))
    g_string_append(out, key);
  else
    append_json_string(out, key);
}

static void append_indent(GString *out, unsigned indent) {
  for (unsigned i = 0; i < indent; i++)
    g_string_append_c(out, ' ');
}

static void append_origin(GString *out, const PxConfigNode *node) {
  if (node->file)
    g_string_append_printf(out, "  # %s:%u", node->file, node->line);
  g_string_append_c(out, '\n');
}

/* The node from the place on where its first line is to begin; the lines below are indented. */
static void dump_node(GString *out, const PxConfigNode *node, unsigned indent) {
  if (node->n == 0) {
    if (node->type == PX_NODE_SCALAR)
      append_scalar(out, node);
    else
      g_string_append(out, node->type == PX_NODE_MAP ? "{}" : node->type == PX_NODE_SEQUENCE ? "[]" : "null");
    append_origin(out, node);
    return;
  }
  for (size_t i = 0; i < node->n; i++) {
    const PxConfigNode *item = node->items[i];
    if (i > 0)
      append_indent(out, indent);
    if (node->type == PX_NODE_SEQUENCE) {
      g_string_append(out, "- ");
      dump_node(out, item, indent + 2);
      continue;
    }
    append_key(out, node->keys[i]);
    g_string_append_c(out, ':');
    if (item->n > 0) {
      g_string_append_c(out, '\n');
      append_indent(out, indent + 2);
    } else {
      g_string_append_c(out, ' ');
    }
    dump_node(out, item, indent + 2);
  }
}

char *px_config_dump(const PxConfig *config) {
  GString *out = g_string_new(NULL);
  dump_node(out, config->root, 0);
  return g_string_free(out, FALSE);
}

/* ---- JSON */

/* Whether text is a number by RFC 8259, so that it can stand without quotes and be read back as it was. */
static bool is_json_number(const char *text) {
  const char *c = text + (*text == '-');
  size_t digits = strspn(c, "0123456789");
  if (digits == 0 || (c[0] == '0' && digits > 1))
    return false;
  c += digits;
  if (*c == '.') {
    digits = strspn(++c, "0123456789");
    if (digits == 0)
      return false;
    c += digits;
  }
  if (*c == 'e' || *c == 'E') {
    c++;
    c += *c == '+' || *c == '-';
    digits = strspn(c, "0123456789");
    if (digits == 0)
      return false;
    c += digits;
  }
  return *c == 0;
}

/* text: of the node as it is to be shown, NULL: not at all. */
static void append_json_scalar(GString *out, const PxConfigNode *node, const char *text) {
  static const char *const yes[] = {"true", "True", "TRUE", NULL};
  static const char *const no[] = {"false", "False", "FALSE", NULL};
  if (!text)
    append_json_string(out, "***");
  else if (!node->quoted && g_strv_contains(yes, text))
    g_string_append(out, "true");
  else if (!node->quoted && g_strv_contains(no, text))
    g_string_append(out, "false");
  else if (!node->quoted && is_json_number(text))
    g_string_append(out, text);
  else
    append_json_string(out, text);
}

/* indent 0: on one line. */
static void append_json_line(GString *out, unsigned indent) {
  if (!indent)
    return;
  g_string_append_c(out, '\n');
  append_indent(out, indent - 2);
}

static void append_json(GString *out, const PxConfigNode *node, bool secrets, unsigned indent) {
  bool is_map = px_node_type(node) == PX_NODE_MAP;
  switch (px_node_type(node)) {
  case PX_NODE_NULL:
    g_string_append(out, "null");
    return;
  case PX_NODE_SCALAR: {
    g_autofree char *text = secrets ? px_secrets_escape(node->text) : shown_text(node);
    append_json_scalar(out, node, text);
    return;
  }
  case PX_NODE_SEQUENCE:
  case PX_NODE_MAP:
    break;
  }
  g_string_append_c(out, is_map ? '{' : '[');
  for (size_t i = 0; i < node->n; i++) {
    if (i > 0)
      g_string_append_c(out, ',');
    append_json_line(out, indent ? indent + 2 : 0);
    if (is_map) {
      append_json_string(out, node->keys[i]);
      g_string_append(out, indent ? ": " : ":");
    }
    append_json(out, node->items[i], secrets, indent ? indent + 2 : 0);
  }
  if (node->n)
    append_json_line(out, indent);
  g_string_append_c(out, is_map ? '}' : ']');
}

char *px_node_to_json(const PxConfigNode *node) {
  GString *out = g_string_new(NULL);
  append_json(out, node, true, 0);
  return g_string_free(out, FALSE);
}

/* "storages.drop.directory": file and line of each value beneath the node. */
static void append_origins(GString *out, const PxConfigNode *node, GString *path) {
  if (node->n == 0 && node->file) {
    g_string_append(out, out->str[out->len - 1] == '{' ? "\n    " : ",\n    ");
    append_json_string(out, path->str);
    g_string_append(out, ": {\"file\": ");
    append_json_string(out, node->file);
    g_string_append_printf(out, ", \"line\": %u}", node->line);
  }
  gsize length = path->len;
  for (size_t i = 0; i < node->n; i++) {
    g_string_append(path, length ? "." : "");
    if (node->type == PX_NODE_MAP)
      g_string_append(path, node->keys[i]);
    else
      g_string_append_printf(path, "%zu", i);
    append_origins(out, node->items[i], path);
    g_string_truncate(path, length);
  }
}

char *px_config_dump_json(const PxConfig *config) {
  GString *out = g_string_new("{\n  \"configuration\": ");
  g_autoptr(GString) path = g_string_new(NULL);
  append_json(out, config->root, false, 4);
  g_string_append(out, ",\n  \"origins\": {");
  append_origins(out, config->root, path);
  g_string_append(out, "\n  }\n}\n");
  return g_string_free(out, FALSE);
}
