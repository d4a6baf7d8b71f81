/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

#include <string.h>

#define SECRET_FILE_BYTES ((size_t)1024 * 1024)

/* At "{NAME}" with NAME of [A-Z_][A-Z0-9_]*: the length of NAME, else 0. Anything else in braces is somebody else's template. */
static size_t reference_length(const char *text) {
  if (text[0] != '{' || !(g_ascii_isupper(text[1]) || text[1] == '_'))
    return 0;
  size_t n = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  return text[1 + n] == '}' ? n : 0;
}

/* The next run of "$" in front of "{NAME}" from *text on: copies what stands before it to out, moves *text to the first "$"
 * and gives the number of them; 0 and the rest copied when there is none. */
static size_t next_reference(const char **text, GString *out) {
  for (;;) {
    size_t before = strcspn(*text, "$");
    g_string_append_len(out, *text, (gssize)before);
    *text += before;
    size_t dollars = strspn(*text, "$");
    if (dollars == 0 || reference_length(*text + dollars) > 0)
      return dollars;
    g_string_append_len(out, *text, (gssize)dollars);
    *text += dollars;
  }
}

const char *px_secrets_expand(PxConfig *config, const PxConfigNode *node, const char *text, PxComplaints *complaints) {
  if (!strchr(text, '$'))
    return text;
  g_autoptr(GString) out = g_string_new(NULL);
  const char *at = text;
  bool ok = true;
  size_t dollars;
  while ((dollars = next_reference(&at, out)) > 0) {
    size_t name_length = reference_length(at + dollars);
    size_t whole = name_length + 2;
    g_autofree char *name = g_strndup(at + dollars + 1, name_length);
    const char *value = g_getenv(name);
    if (dollars > 1) {
      g_string_append_len(out, at + 1, (gssize)(dollars - 1 + whole));
    } else if (!value || !g_utf8_validate(value, -1, NULL)) {
      px_complain(complaints, node, "the environment variable %s is %s; set it, or write $${%s} where the text itself is meant", name,
                  value ? "no UTF-8" : "not set", name);
      ok = false;
    } else {
      g_string_append(out, value);
    }
    at += dollars + whole;
  }
  return ok ? px_arena_strndup(config->arena, out->str, out->len) : NULL;
}

char *px_secrets_escape(const char *text) {
  GString *out = g_string_new(NULL);
  const char *at = text;
  size_t dollars;
  while ((dollars = next_reference(&at, out)) > 0) {
    size_t whole = dollars + reference_length(at + dollars) + 2;
    g_string_append_c(out, '$');
    g_string_append_len(out, at, (gssize)whole);
    at += whole;
  }
  return g_string_free(out, FALSE);
}

/* Whether text has a "${NAME}" that is replaced. */
static bool has_reference(const char *text) {
  g_autoptr(GString) before = g_string_new(NULL);
  size_t dollars;
  while ((dollars = next_reference(&text, before)) > 1)
    text += dollars;
  return dollars == 1;
}

bool px_secrets_is_file(const PxConfigNode *node) {
  return px_node_type(node) == PX_NODE_MAP && node->n == 1 && strcmp(node->keys[0], "file") == 0 && px_node_text(node->items[0]);
}

static void fill_scalar(PxConfig *config, PxConfigNode *node, PxComplaints *complaints) {
  bool secret = has_reference(node->text);
  const char *text = px_secrets_expand(config, node, node->text, complaints);
  if (!text)
    return;
  node->text = text;
  node->secret = node->secret || secret;
}

/* {file: PATH} becomes the scalar that the file holds. */
static void fill_file(PxConfig *config, PxConfigNode *node, PxComplaints *complaints) {
  PxConfigNode *path_node = node->items[0];
  const char *path = px_secrets_expand(config, path_node, path_node->text, complaints);
  if (!path)
    return;
  size_t len = 0;
  g_autofree char *problem = NULL;
  g_autofree char *target = px_config_resolve_path(config, path);
  g_autofree char *text = px_config_read_file(target, SECRET_FILE_BYTES, &len, &problem);
  if (!text) {
    px_complain(complaints, path_node, "file: cannot read %s: %s; put the value into this file", target, problem);
    return;
  }
  if (g_str_has_suffix(text, "\n"))
    len -= g_str_has_suffix(text, "\r\n") ? 2 : 1;
  *node = (PxConfigNode){.type = PX_NODE_SCALAR,
                         .quoted = true,
                         .secret = true,
                         .file = node->file,
                         .line = node->line,
                         .text = px_arena_strndup(config->arena, text, len)};
}

static bool key_is_secret(const char *key) {
  static const char *const words[] = {"password", "passwd", "passphrase", "secret", "token"};
  g_autofree char *lower = g_ascii_strdown(key, -1);
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (strstr(lower, words[i]))
      return true;
  }
  return false;
}

/* secret: the node is the value of a key that sounds like one. Maps below such a key describe something of that name. */
static void fill(PxConfig *config, PxConfigNode *node, bool secret, PxComplaints *complaints) {
  if (node->type == PX_NODE_SCALAR) {
    node->secret = secret;
    fill_scalar(config, node, complaints);
  } else if (px_secrets_is_file(node)) {
    fill_file(config, node, complaints);
  } else {
    for (size_t i = 0; i < node->n; i++)
      fill(config, node->items[i], node->type == PX_NODE_MAP ? key_is_secret(node->keys[i]) : secret, complaints);
  }
}

void px_secrets_apply(PxConfig *config, PxComplaints *complaints) {
  fill(config, config->root, false, complaints);
}
