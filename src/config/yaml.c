/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

#include <libfyaml.h>
#include <string.h>

#define STANDARD_TAG "tag:yaml.org,2002:"

/* A map or sequence whose end has not come yet. */
typedef struct {
  PxConfigNode *node;
  GPtrArray *items;
  GPtrArray *keys;   /* NULL for a sequence */
  GHashTable *lines; /* key -> the line it stands on, for duplicates; NULL for a sequence */
  const char *key;   /* of the value that comes next; NULL when a key is due */
  unsigned key_line;
} Frame;

typedef struct {
  PxConfig *config;
  const char *file;
  PxComplaints *complaints;
  GArray *frames;      /* Frame */
  GHashTable *anchors; /* name -> PxConfigNode */
  PxConfigNode *root;
  unsigned line; /* where the event at hand begins */
  bool ended;    /* the document is complete */
} Builder;

static void frame_clear(void *data) {
  Frame *frame = data;
  g_clear_pointer(&frame->items, g_ptr_array_unref);
  g_clear_pointer(&frame->keys, g_ptr_array_unref);
  g_clear_pointer(&frame->lines, g_hash_table_unref);
}

static Frame *top(const Builder *builder) {
  return builder->frames->len > 0 ? &g_array_index(builder->frames, Frame, builder->frames->len - 1) : NULL;
}

static PxConfigNode *new_node(Builder *builder, PxNodeType type) {
  if (++builder->config->n_nodes > PX_CONFIG_MAX_NODES) {
    px_complain_at(builder->complaints, builder->file, builder->line, "more than %zu values, aliases counted as often as they are used",
                   PX_CONFIG_MAX_NODES);
    return NULL;
  }
  PxConfigNode *node = px_arena_new_array(builder->config->arena, PxConfigNode, 1);
  node->type = type;
  node->file = builder->file;
  node->line = builder->line;
  return node;
}

/* Text of a token in the arena; NULL, with a complaint, when it has a NUL byte. A missing token is an empty text. */
static const char *token_text(Builder *builder, struct fy_token *token) {
  size_t len = 0;
  const char *text = token ? fy_token_get_text(token, &len) : NULL;
  if (!text)
    return "";
  if (memchr(text, 0, len)) {
    px_complain_at(builder->complaints, builder->file, builder->line, "a NUL character in a text");
    return NULL;
  }
  return px_arena_strndup(builder->config->arena, text, len);
}

static bool is_null_word(const char *text) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
  return g_strv_contains(words, text);
}

static bool set_key(Builder *builder, Frame *frame, const char *key) {
  void *line = g_hash_table_lookup(frame->lines, key);
  if (line)
    px_complain_at(builder->complaints, builder->file, builder->line, "the key \"%s\" stands here and on line %u already; remove one", key,
                   GPOINTER_TO_UINT(line));
  else
    g_hash_table_insert(frame->lines, (void *)(uintptr_t)key, GUINT_TO_POINTER(builder->line));
  frame->key = key;
  frame->key_line = builder->line;
  return true;
}

/* Puts a finished or just opened node where it belongs. */
static void add_node(Builder *builder, PxConfigNode *node) {
  Frame *frame = top(builder);
  if (!frame) {
    builder->root = node;
    return;
  }
  g_ptr_array_add(frame->items, node);
  if (frame->keys)
    g_ptr_array_add(frame->keys, (void *)(uintptr_t)frame->key);
  frame->key = NULL;
}

static bool key_is_due(const Builder *builder) {
  const Frame *frame = top(builder);
  return frame && frame->keys && !frame->key;
}

static bool set_anchor(Builder *builder, struct fy_token *anchor, PxConfigNode *node) {
  if (!anchor)
    return true;
  const char *name = token_text(builder, anchor);
  if (name)
    g_hash_table_insert(builder->anchors, (void *)(uintptr_t)name, node);
  return name != NULL;
}

/* Complains of a tag that means nothing to us. *ret_text: whether it makes a scalar text. */
static bool check_tag(Builder *builder, struct fy_token *token, bool *ret_text) {
  static const char *const known[] = {"!",
                                      STANDARD_TAG "str",
                                      STANDARD_TAG "int",
                                      STANDARD_TAG "float",
                                      STANDARD_TAG "bool",
                                      STANDARD_TAG "null",
                                      STANDARD_TAG "map",
                                      STANDARD_TAG "seq",
                                      NULL};
  const char *tag = token ? token_text(builder, token) : STANDARD_TAG "null";
  if (!tag)
    return false;
  *ret_text = strcmp(tag, "!") == 0 || strcmp(tag, STANDARD_TAG "str") == 0;
  if (g_strv_contains(known, tag))
    return true;
  px_complain_at(builder->complaints, builder->file, builder->line, "the tag %s means nothing here; remove it", tag);
  return false;
}

static bool on_scalar(Builder *builder, struct fy_event *event) {
  const char *text = token_text(builder, event->scalar.value);
  bool tagged_text;
  if (!text || !check_tag(builder, event->scalar.tag, &tagged_text))
    return false;
  if (key_is_due(builder))
    return set_key(builder, top(builder), text);
  bool plain = !event->scalar.value || fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
  bool quoted = !plain || tagged_text;
  PxConfigNode *node = new_node(builder, !quoted && is_null_word(text) ? PX_NODE_NULL : PX_NODE_SCALAR);
  if (!node)
    return false;
  if (node->type == PX_NODE_SCALAR)
    node->text = text;
  node->quoted = quoted;
  add_node(builder, node);
  return set_anchor(builder, event->scalar.anchor, node);
}

static bool on_start(Builder *builder, PxNodeType type, struct fy_token *anchor, struct fy_token *tag) {
  if (key_is_due(builder)) {
    px_complain_at(builder->complaints, builder->file, builder->line, "a key must be a plain word; put quotes around it if it begins with { or [");
    return false;
  }
  if (builder->frames->len >= PX_CONFIG_MAX_DEPTH) {
    px_complain_at(builder->complaints, builder->file, builder->line, "nested deeper than %u levels", PX_CONFIG_MAX_DEPTH);
    return false;
  }
  bool tagged_text;
  PxConfigNode *node = check_tag(builder, tag, &tagged_text) ? new_node(builder, type) : NULL;
  if (!node || !set_anchor(builder, anchor, node))
    return false;
  add_node(builder, node);
  Frame frame = {.node = node, .items = g_ptr_array_new()};
  if (type == PX_NODE_MAP) {
    frame.keys = g_ptr_array_new();
    frame.lines = g_hash_table_new(g_str_hash, g_str_equal);
  }
  g_array_append_val(builder->frames, frame);
  return true;
}

static void on_end(Builder *builder) {
  Frame *frame = top(builder);
  PxConfigNode *node = frame->node;
  PxArena *arena = builder->config->arena;
  node->n = frame->items->len;
  node->items = px_arena_new_array(arena, PxConfigNode *, MAX(node->n, 1));
  if (node->n > 0)
    memcpy(node->items, frame->items->pdata, node->n * sizeof *node->items);
  if (frame->keys) {
    node->keys = px_arena_new_array(arena, const char *, MAX(node->n, 1));
    for (size_t i = 0; i < node->n; i++)
      node->keys[i] = g_ptr_array_index(frame->keys, i);
  }
  g_array_set_size(builder->frames, builder->frames->len - 1);
}

/* A copy, so that each use can be merged and filled in by itself. Its places are those of the original. */
static PxConfigNode *copy_node(Builder *builder, const PxConfigNode *from, unsigned depth) {
  if (depth > PX_CONFIG_MAX_DEPTH) {
    px_complain_at(builder->complaints, builder->file, builder->line, "nested deeper than %u levels", PX_CONFIG_MAX_DEPTH);
    return NULL;
  }
  PxConfigNode *node = new_node(builder, from->type);
  if (!node)
    return NULL;
  *node = *from;
  if (from->n == 0)
    return node;
  node->items = px_arena_new_array(builder->config->arena, PxConfigNode *, from->n);
  for (size_t i = 0; i < from->n; i++) {
    node->items[i] = copy_node(builder, from->items[i], depth + 1);
    if (!node->items[i])
      return NULL;
  }
  return node;
}

static bool on_alias(Builder *builder, struct fy_token *anchor) {
  const char *name = token_text(builder, anchor);
  if (!name)
    return false;
  const PxConfigNode *from = g_hash_table_lookup(builder->anchors, name);
  for (unsigned i = 0; from && i < builder->frames->len; i++) {
    if (g_array_index(builder->frames, Frame, i).node == from) {
      px_complain_at(builder->complaints, builder->file, builder->line, "the alias *%s stands inside what it names", name);
      return false;
    }
  }
  if (!from) {
    px_complain_at(builder->complaints, builder->file, builder->line,
                   "*%s is an alias, but nothing above has its name; put quotes around \"*%s\" where it is a text", name, name);
    return false;
  }
  if (key_is_due(builder)) {
    px_complain_at(builder->complaints, builder->file, builder->line, "the alias *%s cannot be a key", name);
    return false;
  }
  PxConfigNode *node = copy_node(builder, from, builder->frames->len);
  if (node)
    add_node(builder, node);
  return node != NULL;
}

static bool on_event(Builder *builder, struct fy_event *event) {
  const struct fy_mark *mark = fy_event_start_mark(event);
  const Frame *frame = top(builder);
  if (mark && mark->line >= 0 && event->type != FYET_STREAM_END && event->type != FYET_DOCUMENT_END)
    builder->line = (unsigned)mark->line + 1;
  if (event->type == FYET_SCALAR && !event->scalar.value && frame && frame->key)
    builder->line = frame->key_line;
  switch (event->type) {
  case FYET_DOCUMENT_START:
    if (builder->ended)
      px_complain_at(builder->complaints, builder->file, builder->line, "a second document begins here; a configuration is one");
    return !builder->ended;
  case FYET_DOCUMENT_END:
    builder->ended = true;
    return true;
  case FYET_SCALAR:
    return on_scalar(builder, event);
  case FYET_MAPPING_START:
    return on_start(builder, PX_NODE_MAP, event->mapping_start.anchor, event->mapping_start.tag);
  case FYET_SEQUENCE_START:
    return on_start(builder, PX_NODE_SEQUENCE, event->sequence_start.anchor, event->sequence_start.tag);
  case FYET_MAPPING_END:
  case FYET_SEQUENCE_END:
    on_end(builder);
    return true;
  case FYET_ALIAS:
    return on_alias(builder, event->alias.anchor);
  case FYET_NONE:
  case FYET_STREAM_START:
  case FYET_STREAM_END:
    break;
  }
  return true;
}

static void discard(struct fy_diag *diag, void *user, const char *text, size_t len) {
  /* libfyaml would print to standard error; its errors are collected instead. */
}

/* What people most often mean where libfyaml stops. */
static const char *syntax_hint(const char *text, unsigned line, const char *message) {
  for (unsigned i = 1; i < line && text; i++) {
    text = strchr(text, '\n');
    text += text != NULL;
  }
  const char *reference = text ? strstr(text, "${") : NULL;
  if (reference && reference < text + strcspn(text, "\n"))
    return "; inside of { } or [ ] put quotes around a text with ${...}";
  return strstr(message, "cannot start with") ? "; put quotes around the text" : "";
}

static void complain_of_syntax(const Builder *builder, struct fy_diag *diag, const char *text) {
  void *iterator = NULL;
  const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);
  unsigned line = first && first->line > 0 ? (unsigned)first->line : builder->line;
  if (!first)
    px_complain_at(builder->complaints, builder->file, line, "no YAML");
  else
    px_complain_at(builder->complaints, builder->file, line, "no YAML: %s (column %d)%s", first->msg, first->column,
                   syntax_hint(text, line, first->msg));
}

/* Directives say nothing here, and libfyaml 0.7.12 never comes back from some that it does not know. */
static bool has_directive(Builder *builder, const char *text) {
  unsigned line = 1;
  for (const char *at = text; at; at = strchr(at, '\n')) {
    line += *at == '\n';
    at += *at == '\n';
    if (*at != '%')
      continue;
    px_complain_at(builder->complaints, builder->file, line, "a line that begins with %% is a YAML directive; remove it, a configuration needs none");
    return true;
  }
  return false;
}

static bool parse_events(Builder *builder, const char *text, size_t len) {
  struct fy_diag_cfg diag_config;
  fy_diag_cfg_default(&diag_config);
  diag_config.fp = NULL;
  diag_config.output_fn = discard;
  struct fy_diag *diag = fy_diag_create(&diag_config);
  fy_diag_set_collect_errors(diag, true);
  struct fy_parse_cfg parse_config = {.flags = FYPCF_DEFAULT_PARSE, .diag = diag};
  struct fy_parser *parser = fy_parser_create(&parse_config);
  bool ok = fy_parser_set_string(parser, text, len) == 0;
  struct fy_event *event;
  while (ok && (event = fy_parser_parse(parser))) {
    ok = on_event(builder, event);
    fy_parser_event_free(parser, event);
  }
  if (ok && fy_parser_get_stream_error(parser)) {
    ok = false;
    complain_of_syntax(builder, diag, text);
  }
  fy_parser_destroy(parser);
  fy_diag_destroy(diag);
  return ok;
}

PxConfigNode *px_yaml_parse(PxConfig *config, const char *text, size_t len, const char *file, PxComplaints *complaints) {
  Builder builder = {.config = config, .file = file, .complaints = complaints, .line = 1};
  builder.frames = g_array_new(FALSE, TRUE, sizeof(Frame));
  g_array_set_clear_func(builder.frames, frame_clear);
  builder.anchors = g_hash_table_new(g_str_hash, g_str_equal);
  bool ok = !has_directive(&builder, text) && parse_events(&builder, text, len);
  g_array_unref(builder.frames);
  g_hash_table_unref(builder.anchors);
  if (ok && !builder.root) {
    builder.line = 1;
    builder.root = new_node(&builder, PX_NODE_NULL);
  }
  return ok ? builder.root : NULL;
}
