/* SPDX-License-Identifier: Apache-2.0 */
#include "model/schema_token.h"

#include <string.h>

static bool is_word_char(char c) {
  return g_ascii_isalnum(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Behind blanks and comments. */
static const char *skip_blanks(const char *p) {
  for (;;) {
    if (g_ascii_isspace(*p)) {
      p++;
    } else if (p[0] == '-' && p[1] == '-') {
      p += strcspn(p, "\n");
    } else if (p[0] == '/' && p[1] == '*') {
      const char *end = strstr(p + 2, "*/");
      p = end ? end + 2 : p + strlen(p);
    } else {
      return p;
    }
  }
}

/* From the quote at p to its end, a doubled quote standing for one. */
static const char *take_quoted(const char *p, char end, PxArena *arena, const char **ret_text) {
  char *text = px_arena_alloc(arena, strlen(p) + 1);
  size_t n = 0;
  for (p++; *p; p++) {
    if (*p == end) {
      if (end == ']' || p[1] != end)
        break;
      p++;
    }
    text[n++] = *p;
  }
  text[n] = '\0';
  *ret_text = text;
  return *p ? p + 1 : p;
}

static const char *take_number(const char *p) {
  bool is_hex = g_ascii_tolower(p[1]) == 'x';
  const char *start = p;
  while (is_word_char(*p) || *p == '.' || ((*p == '+' || *p == '-') && !is_hex && p > start && g_ascii_tolower(p[-1]) == 'e'))
    p++;
  return p;
}

/* E'...' with backslashes, as PostgreSQL writes texts that hold some: a doubled one stands for one. */
static const char *take_escaped(const char *p, PxArena *arena, const char **ret_text) {
  const char *doubled;
  const char *end = take_quoted(p, '\'', arena, &doubled);
  char *text = px_arena_strndup(arena, doubled, strlen(doubled));
  char *to = text;
  for (const char *from = doubled; *from; *to++ = *from++)
    from += from[0] == '\\' && from[1] == '\\';
  *to = '\0';
  *ret_text = text;
  return end;
}

static const char *take_token(const char *p, PxDialect dialect, PxArena *arena, PxToken *ret) {
  const char *start = p;
  bool is_sqlite = dialect == PX_DIALECT_SQLITE;
  if (*p == '\'') {
    ret->kind = PX_TOKEN_STRING;
    return take_quoted(p, '\'', arena, &ret->text);
  }
  if (!is_sqlite && *p == 'E' && p[1] == '\'') {
    ret->kind = PX_TOKEN_STRING;
    return take_escaped(p + 1, arena, &ret->text);
  }
  if (*p == '"' || (is_sqlite && (*p == '`' || *p == '['))) {
    ret->kind = PX_TOKEN_QUOTED;
    char end = *p;
    if (end == '[')
      end = ']';
    return take_quoted(p, end, arena, &ret->text);
  }
  if (is_sqlite && g_ascii_tolower(*p) == 'x' && p[1] == '\'') {
    ret->kind = PX_TOKEN_BLOB;
    return take_quoted(p + 1, '\'', arena, &ret->text);
  }
  if (g_ascii_isdigit(*p) || (*p == '.' && g_ascii_isdigit(p[1]))) {
    ret->kind = PX_TOKEN_NUMBER;
    p = take_number(p);
  } else if (is_word_char(*p)) {
    ret->kind = PX_TOKEN_WORD;
    while (is_word_char(*p))
      p++;
  } else {
    ret->kind = PX_TOKEN_SIGN;
    ret->sign = *p++;
  }
  ret->text = px_arena_strndup(arena, start, (size_t)(p - start));
  return p;
}

GArray *px_tokenize(const char *sql, PxDialect dialect, PxArena *arena) {
  GArray *tokens = g_array_new(FALSE, FALSE, sizeof(PxToken));
  for (const char *p = skip_blanks(sql); *p; p = skip_blanks(p)) {
    PxToken token = {.kind = PX_TOKEN_SIGN, .start = p};
    p = take_token(p, dialect, arena, &token);
    g_array_append_val(tokens, token);
  }
  return tokens;
}

PxTokens px_tokens_all_of(const GArray *tokens) {
  return (PxTokens){.at = (const PxToken *)(const void *)tokens->data, .n = tokens->len};
}

PxTokens px_tokens_slice(PxTokens tokens, size_t start, size_t end) {
  return (PxTokens){.at = tokens.at + start, .n = end - start};
}

bool px_tokens_is_sign(PxTokens tokens, size_t i, char sign) {
  return i < tokens.n && tokens.at[i].kind == PX_TOKEN_SIGN && tokens.at[i].sign == sign;
}

bool px_tokens_is_word(PxTokens tokens, size_t i, const char *word) {
  return i < tokens.n && tokens.at[i].kind == PX_TOKEN_WORD && g_ascii_strcasecmp(tokens.at[i].text, word) == 0;
}

bool px_tokens_is_name(PxTokens tokens, size_t i) {
  return i < tokens.n && (tokens.at[i].kind == PX_TOKEN_WORD || tokens.at[i].kind == PX_TOKEN_QUOTED);
}

/* The index of the ) that closes the ( at i; n when there is none. */
size_t px_tokens_closing(PxTokens tokens, size_t i) {
  size_t depth = 0;
  for (; i < tokens.n; i++) {
    if (px_tokens_is_sign(tokens, i, '('))
      depth++;
    else if (px_tokens_is_sign(tokens, i, ')') && --depth == 0)
      return i;
  }
  return tokens.n;
}
