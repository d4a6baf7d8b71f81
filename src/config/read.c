/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* Where a value goes and how to speak of it. */
typedef struct {
  const PxConfigNode *node;
  const PxKey *key;
  void *member;
  const char *what;
  PxComplaints *complaints;
} Slot;

static void complain_of_value(const Slot *slot, const char *expected) {
  g_autofree char *shown = px_node_shown(slot->node);
  px_complain(slot->complaints, slot->node, "%s: %s: %s, but %s is expected", slot->what, slot->key->name, shown, expected);
}

static void read_string(const Slot *slot) {
  char **member = slot->member;
  if (px_node_type(slot->node) != PX_NODE_SCALAR) {
    complain_of_value(slot, "a text");
    return;
  }
  g_free(*member);
  *member = g_strdup(px_node_text(slot->node));
}

static void read_boolean(const Slot *slot) {
  const char *text = px_node_text(slot->node);
  bool value;
  if (text && px_config_parse_boolean(text, &value))
    *(bool *)slot->member = value;
  else
    complain_of_value(slot, "true or false");
}

static void read_unsigned(const Slot *slot) {
  const char *text = px_node_text(slot->node);
  uint64_t max = slot->key->max ? slot->key->max : UINT64_MAX;
  guint64 value;
  if (text && g_ascii_string_to_unsigned(text, 10, slot->key->min, max, &value, NULL)) {
    *(uint64_t *)slot->member = value;
    return;
  }
  g_autofree char *expected = slot->key->max ? g_strdup_printf("a whole number from %" PRIu64 " to %" PRIu64, slot->key->min, max)
                                             : g_strdup_printf("a whole number from %" PRIu64 " on", slot->key->min);
  complain_of_value(slot, expected);
}

static void read_size(const Slot *slot) {
  const char *text = px_node_text(slot->node);
  if (!text || !px_config_parse_size(text, slot->member))
    complain_of_value(slot, "a number of bytes such as 1000, 10 MB or 64MiB");
}

static void read_duration(const Slot *slot) {
  const char *text = px_node_text(slot->node);
  if (!text || !px_config_parse_duration(text, slot->member))
    complain_of_value(slot, "a duration such as 2s, 30 seconds, 1h30m or 7 days");
}

static void read_choice(const Slot *slot) {
  const char *text = px_node_text(slot->node);
  size_t n = 0;
  for (; slot->key->choices[n]; n++) {
    if (text && strcmp(text, slot->key->choices[n]) == 0) {
      *(int *)slot->member = (int)n;
      return;
    }
  }
  g_autofree char *shown = px_node_shown(slot->node);
  g_autofree char *list = g_strjoinv(", ", (char **)(uintptr_t)slot->key->choices);
  g_autofree char *hint = text ? px_text_did_you_mean(text, slot->key->choices, n) : g_strdup("");
  px_complain(slot->complaints, slot->node, "%s: %s: %s is none of %s%s", slot->what, slot->key->name, shown, list, hint);
}

static void read_strings(const Slot *slot) {
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  bool one = px_node_type(slot->node) == PX_NODE_SCALAR;
  size_t n = one ? 1 : px_node_count(slot->node);
  bool ok = one || px_node_type(slot->node) == PX_NODE_SEQUENCE;
  for (size_t i = 0; ok && i < n; i++) {
    const char *text = px_node_text(one ? slot->node : px_node_at(slot->node, i));
    ok = text != NULL;
    if (ok)
      g_strv_builder_add(builder, text);
  }
  if (!ok) {
    complain_of_value(slot, "a text or a list of texts");
    return;
  }
  char ***member = slot->member;
  g_strfreev(*member);
  *member = g_strv_builder_end(builder);
}

static void read_node(const Slot *slot) {
  *(const PxConfigNode **)slot->member = slot->node;
}

static void (*const readers[])(const Slot *) = {
  [PX_KEY_STRING] = read_string,     [PX_KEY_BOOLEAN] = read_boolean, [PX_KEY_UNSIGNED] = read_unsigned, [PX_KEY_SIZE] = read_size,
  [PX_KEY_DURATION] = read_duration, [PX_KEY_CHOICE] = read_choice,   [PX_KEY_STRINGS] = read_strings,   [PX_KEY_NODE] = read_node,
};

static void complain_of_unknown(const PxConfigNode *map, size_t i, const PxKey *keys, size_t n_keys, const char *what, PxComplaints *complaints) {
  g_autofree const char **names = g_new(const char *, n_keys + 1);
  for (size_t k = 0; k < n_keys; k++)
    names[k] = keys[k].name;
  names[n_keys] = NULL;
  const char *word = px_node_key_at(map, i);
  g_autofree char *shown = px_text_quote(word, strlen(word));
  g_autofree char *hint = px_text_did_you_mean(word, names, n_keys);
  g_autofree char *known = *hint ? g_strdup("") : g_strjoinv(", ", (char **)(uintptr_t)names);
  px_complain(complaints, px_node_at(map, i), "%s: unknown key %s%s%s%s%s", what, shown, hint, *hint ? "" : " (known: ", known, *hint ? "" : ")");
}

static const PxKey *find_key(const PxKey *keys, size_t n_keys, const char *name) {
  for (size_t k = 0; k < n_keys; k++) {
    if (strcmp(keys[k].name, name) == 0)
      return &keys[k];
  }
  return NULL;
}

void px_config_read(const PxConfigNode *map, const PxKey *keys, size_t n_keys, void *target, const char *what, PxComplaints *complaints) {
  if (px_node_type(map) != PX_NODE_MAP && px_node_type(map) != PX_NODE_NULL) {
    g_autofree char *shown = px_node_shown(map);
    px_complain(complaints, map, "%s: %s, but a map is expected", what, shown);
    return;
  }
  for (size_t i = 0; i < px_node_count(map); i++) {
    const PxKey *key = find_key(keys, n_keys, px_node_key_at(map, i));
    Slot slot = {.node = px_node_at(map, i), .key = key, .what = what, .complaints = complaints};
    if (!key) {
      complain_of_unknown(map, i, keys, n_keys, what, complaints);
    } else if (px_node_type(slot.node) != PX_NODE_NULL || key->type == PX_KEY_NODE) {
      slot.member = (char *)target + key->offset;
      readers[key->type](&slot);
    }
  }
  for (size_t k = 0; k < n_keys; k++) {
    if (keys[k].required && px_node_type(px_node_get(map, keys[k].name)) == PX_NODE_NULL)
      px_complain(complaints, map, "%s: \"%s\" is missing", what, keys[k].name);
  }
}
