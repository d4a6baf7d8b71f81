/* SPDX-License-Identifier: Apache-2.0 */
#include "model/domain_private.h"

#include "base/text.h"
#include "model/convert_private.h"

#include <stdarg.h>

#define MAX_DEPTH 20 /* lists within lists; a domain needs three */

typedef struct {
  PxArena *arena;
  const char *text;
  const char *at;
  GError **error;
} Scanner;

static bool scan(Scanner *s, unsigned depth, PxLiteral *ret_literal);

/* Characters are counted from 1. */
static size_t character(const char *text, size_t offset) {
  return px_text_chars(text, offset) + 1;
}

static bool fail(Scanner *s, const char *at, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool fail(Scanner *s, const char *at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(s->error, PX_ERROR, PX_ERROR_CONFIG, "character %zu: %s", character(s->text, (size_t)(at - s->text)), text);
  return false;
}

void px_literal_complain(const PxLiteral *literal, GError **error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  if (literal->node)
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s:%u: %s", px_node_file(literal->node), px_node_line(literal->node), text);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "character %zu: %s", character(literal->source, literal->offset), text);
}

static void skip_blanks(Scanner *s) {
  while (g_ascii_isspace(*s->at))
    s->at++;
}

/* ---- Python's writing */

/* The character of n hexadecimal digits behind the escape at s->at. */
static bool scan_hex(Scanner *s, unsigned n, GString *text) {
  const char *escape = s->at;
  gunichar sum = 0;
  for (unsigned i = 0; i < n; i++) {
    int digit = g_ascii_xdigit_value(escape[2 + i]);
    if (digit < 0)
      return fail(s, escape, "\\%c is followed by %u hexadecimal digits", escape[1], n);
    sum = sum * 16 + (gunichar)digit;
  }
  if (sum == 0 || !g_unichar_validate(sum))
    return fail(s, escape, "this escape is no character");
  g_string_append_unichar(text, sum);
  s->at += 2 + n;
  return true;
}

static bool scan_escape(Scanner *s, GString *text) {
  static const char codes[] = "\\'\"ntr";
  static const char meant[] = "\\'\"\n\t\r";
  char code = s->at[1];
  if (code == 'x' || code == 'u')
    return scan_hex(s, code == 'x' ? 2 : 4, text);
  const char *known = code ? strchr(codes, code) : NULL;
  if (known) {
    g_string_append_c(text, meant[known - codes]);
    s->at += 2;
  } else {
    g_string_append_c(text, *s->at++);
  }
  return true;
}

static bool scan_string(Scanner *s, PxLiteral *ret_literal) {
  const char *start = s->at;
  char quote = *s->at++;
  g_autoptr(GString) text = g_string_new(NULL);
  while (*s->at != quote) {
    if (!*s->at)
      return fail(s, start, "this text has no closing %c", quote);
    if (*s->at == '\\') {
      if (!scan_escape(s, text))
        return false;
    } else {
      g_string_append_c(text, *s->at++);
    }
  }
  s->at++;
  ret_literal->kind = PX_LITERAL_TEXT;
  ret_literal->text = px_arena_strndup(s->arena, text->str, text->len);
  ret_literal->len = text->len;
  return true;
}

static bool scan_list(Scanner *s, unsigned depth, PxLiteral *ret_literal) {
  const char *start = s->at;
  char closing = *s->at++ == '[' ? ']' : ')';
  g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(PxLiteral));
  if (depth == MAX_DEPTH)
    return fail(s, start, "lists are too deep");
  for (;;) {
    skip_blanks(s);
    if (*s->at == closing)
      break;
    PxLiteral item;
    if (!scan(s, depth + 1, &item))
      return false;
    g_array_append_val(items, item);
    skip_blanks(s);
    if (*s->at == ',')
      s->at++;
    else if (*s->at != closing)
      return *s->at ? fail(s, s->at, "a comma or %c is missing", closing) : fail(s, start, "this list has no closing %c", closing);
  }
  s->at++;
  PxLiteral *copy = px_arena_new_array(s->arena, PxLiteral, items->len);
  if (items->len)
    memcpy(copy, items->data, items->len * sizeof(PxLiteral));
  ret_literal->kind = PX_LITERAL_LIST;
  ret_literal->items = copy;
  ret_literal->n_items = items->len;
  return true;
}

static bool scan_word(Scanner *s, PxLiteral *ret_literal) {
  static const struct {
    const char *word;
    PxLiteralKind kind;
  } words[] = {{"None", PX_LITERAL_NONE}, {"False", PX_LITERAL_FALSE}, {"True", PX_LITERAL_TRUE}};
  const char *start = s->at;
  size_t len = strcspn(start, " \t\r\n,()[]'\"");
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (strlen(words[i].word) == len && memcmp(words[i].word, start, len) == 0) {
      ret_literal->kind = words[i].kind;
      s->at += len;
      return true;
    }
  }
  PxValue value;
  if (px_number_decimal(start, len, '.', &value, NULL) != PX_NUMBER_OK) {
    g_autofree char *quoted = px_text_quote(start, MAX(len, *start ? 1 : 0));
    return *start ? fail(s, start, "%s is no value: texts stand in quotes, and there are numbers, True, False, None, today and now", quoted)
                  : fail(s, start, "the text ends where a value is expected");
  }
  ret_literal->kind = PX_LITERAL_NUMBER;
  ret_literal->text = px_arena_strndup(s->arena, start, len);
  ret_literal->len = len;
  s->at += len;
  return true;
}

/* today, now and what is added to them, up to where the value ends. */
static void scan_time(Scanner *s, PxLiteral *ret_literal) {
  size_t len = strcspn(s->at, ",()[]'\"");
  g_autofree char *text = g_strstrip(g_strndup(s->at, len));
  ret_literal->kind = PX_LITERAL_TIME;
  ret_literal->len = strlen(text);
  ret_literal->text = px_arena_strndup(s->arena, text, ret_literal->len);
  s->at += len;
}

static bool scan(Scanner *s, unsigned depth, PxLiteral *ret_literal) {
  skip_blanks(s);
  *ret_literal = (PxLiteral){.source = s->text, .offset = (size_t)(s->at - s->text)};
  if (*s->at == '[' || *s->at == '(')
    return scan_list(s, depth, ret_literal);
  if (*s->at == '\'' || *s->at == '"')
    return scan_string(s, ret_literal);
  if (!px_domain_time_begins(s->at))
    return scan_word(s, ret_literal);
  scan_time(s, ret_literal);
  return true;
}

const PxLiteral *px_literal_parse(PxArena *arena, const char *text, GError **error) {
  Scanner s = {.arena = arena, .text = text, .at = text, .error = error};
  PxLiteral *literal = px_arena_new_array(arena, PxLiteral, 1);
  skip_blanks(&s);
  if (!*s.at) {
    literal->kind = PX_LITERAL_LIST;
    return literal;
  }
  if (!scan(&s, 0, literal))
    return NULL;
  skip_blanks(&s);
  if (*s.at) {
    fail(&s, s.at, "nothing may stand behind the list");
    return NULL;
  }
  return literal;
}

/* ---- YAML */

/* The text is copied: a domain outlives the configuration. */
static void read_scalar(PxArena *arena, const PxConfigNode *node, PxLiteral *literal) {
  static const char *const yes[] = {"true", "True", "TRUE", NULL};
  static const char *const no[] = {"false", "False", "FALSE", NULL};
  PxValue value;
  literal->len = strlen(px_node_text(node));
  literal->text = px_arena_strndup(arena, px_node_text(node), literal->len);
  literal->kind = PX_LITERAL_TEXT;
  if (px_node_is_quoted(node))
    return;
  if (g_strv_contains(yes, literal->text))
    literal->kind = PX_LITERAL_TRUE;
  else if (g_strv_contains(no, literal->text))
    literal->kind = PX_LITERAL_FALSE;
  else if (px_number_decimal(literal->text, literal->len, '.', &value, NULL) == PX_NUMBER_OK)
    literal->kind = PX_LITERAL_NUMBER;
}

static bool read_node(PxArena *arena, const PxConfigNode *node, unsigned depth, PxLiteral *literal, GError **error) {
  *literal = (PxLiteral){.node = node};
  switch (px_node_type(node)) {
  case PX_NODE_NULL:
    literal->kind = PX_LITERAL_NONE;
    return true;
  case PX_NODE_SCALAR:
    read_scalar(arena, node, literal);
    return true;
  case PX_NODE_SEQUENCE:
    break;
  case PX_NODE_MAP:
    px_literal_complain(literal, error, "a map has no meaning in a domain");
    return false;
  }
  if (depth == MAX_DEPTH) {
    px_literal_complain(literal, error, "lists are too deep");
    return false;
  }
  size_t n = px_node_count(node);
  PxLiteral *items = px_arena_new_array(arena, PxLiteral, n);
  for (size_t i = 0; i < n; i++)
    if (!read_node(arena, px_node_at(node, i), depth + 1, &items[i], error))
      return false;
  literal->kind = PX_LITERAL_LIST;
  literal->items = items;
  literal->n_items = n;
  return true;
}

const PxLiteral *px_literal_from_node(PxArena *arena, const PxConfigNode *node, GError **error) {
  PxLiteral *literal = px_arena_new_array(arena, PxLiteral, 1);
  return read_node(arena, node, 0, literal, error) ? literal : NULL;
}
