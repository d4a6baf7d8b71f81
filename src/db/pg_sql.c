/* SPDX-License-Identifier: Apache-2.0 */
/* As much of PostgreSQL's SQL as the driver has to read ("4.1. Lexical Structure"): where strings, names and comments end, which words and
 * parameters there are besides. */
#include "db/pg_private.h"

#include <string.h>

typedef enum { PIECE_WORD, PIECE_PARAMETER, PIECE_SEMICOLON, PIECE_BLANK, PIECE_OTHER } PieceKind;

typedef struct {
  PieceKind kind;
  const char *start;
  size_t len;
} Piece;

static bool is_word_char(char c) {
  return g_ascii_isalnum(c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Behind the quote that ends what begins at p; a doubled quote begins it again. */
static const char *skip_quoted(const char *p, bool backslashes) {
  char quote = *p++;
  while (*p && *p != quote)
    p += *p == '\\' && backslashes && p[1] ? 2 : 1;
  return *p ? p + 1 : p;
}

/* Comments nest. */
static const char *skip_comment(const char *p) {
  unsigned depth = 0;
  while (*p) {
    bool opens = p[0] == '/' && p[1] == '*';
    bool closes = p[0] == '*' && p[1] == '/';
    p += opens || closes ? 2 : 1;
    depth = depth + opens - closes;
    if (depth == 0)
      break;
  }
  return p;
}

/* $tag$ ... $tag$; p itself where there is no such string. */
static const char *skip_dollars(const char *p) {
  const char *end = p + 1;
  while (is_word_char(*end) && *end != '$')
    end++;
  if (*end != '$' || g_ascii_isdigit(p[1]))
    return p;
  g_autofree char *tag = g_strndup(p, (gsize)(end + 1 - p));
  const char *close = strstr(end + 1, tag);
  return close ? close + strlen(tag) : p + strlen(p);
}

static const char *skip_word(const char *p) {
  const char *start = p;
  while (is_word_char(*p))
    p++;
  bool is_escape_string = *p == '\'' && p == start + 1 && g_ascii_tolower(*start) == 'e';
  return is_escape_string ? skip_quoted(p, true) : p;
}

static bool next_piece(const char *p, Piece *ret) {
  const char *end = p + 1;
  *ret = (Piece){.kind = PIECE_OTHER, .start = p};
  if (!*p)
    return false;
  if (g_ascii_isspace(*p)) {
    ret->kind = PIECE_BLANK;
  } else if (p[0] == '-' && p[1] == '-') {
    ret->kind = PIECE_BLANK;
    end = p + strcspn(p, "\n");
  } else if (p[0] == '/' && p[1] == '*') {
    ret->kind = PIECE_BLANK;
    end = skip_comment(p);
  } else if (*p == '\'' || *p == '"') {
    end = skip_quoted(p, false);
  } else if (*p == '$' && skip_dollars(p) > p) {
    end = skip_dollars(p);
  } else if (*p == '?') {
    ret->kind = PIECE_PARAMETER;
  } else if (*p == ';') {
    ret->kind = PIECE_SEMICOLON;
  } else if (is_word_char(*p)) {
    end = skip_word(p);
    ret->kind = end[-1] == '\'' ? PIECE_OTHER : PIECE_WORD;
  }
  ret->len = (size_t)(end - p);
  return true;
}

static bool is_word(const Piece *piece, const char *word) {
  return piece->kind == PIECE_WORD && piece->len == strlen(word) && g_ascii_strncasecmp(piece->start, word, piece->len) == 0;
}

static bool is_one_of(const Piece *piece, const char *const *words) {
  for (; *words; words++)
    if (is_word(piece, *words))
      return true;
  return false;
}

/* The first piece at p or behind that is no blank. */
static bool next_solid(const char *p, Piece *ret) {
  while (next_piece(p, ret)) {
    if (ret->kind != PIECE_BLANK)
      return true;
    p += ret->len;
  }
  return false;
}

/* ---- what a statement does */

static bool is_commit(const Piece *first) {
  static const char *const words[] = {"commit", "end", NULL};
  Piece second;
  return is_one_of(first, words) || (is_word(first, "prepare") && next_solid(first->start + first->len, &second) && is_word(&second, "transaction"));
}

static bool with_writes(const char *p) {
  static const char *const words[] = {"insert", "update", "delete", "merge", NULL};
  for (Piece piece; next_piece(p, &piece) && piece.kind != PIECE_SEMICOLON; p += piece.len)
    if (is_one_of(&piece, words))
      return true;
  return false;
}

PxPgKind px_pg_kind(const char *sql) {
  static const char *const transaction[] = {"begin", "start", "savepoint", "release", "rollback", "abort", NULL};
  static const char *const reads[] = {"select", "values", "table", "show", "explain", "fetch", "close", "set", "listen", NULL};
  Piece first;
  if (!next_solid(sql, &first) || *first.start == '(')
    return PX_PG_READS;
  if (is_commit(&first))
    return PX_PG_COMMITS;
  if (is_one_of(&first, transaction))
    return PX_PG_TRANSACTION;
  if (is_one_of(&first, reads))
    return PX_PG_READS;
  return is_word(&first, "with") && !with_writes(sql) ? PX_PG_READS : PX_PG_WRITES;
}

bool px_pg_commits(const char *sql) {
  bool begins = true;
  for (Piece piece; next_piece(sql, &piece); sql += piece.len) {
    if (begins && is_commit(&piece))
      return true;
    if (piece.kind != PIECE_BLANK)
      begins = piece.kind == PIECE_SEMICOLON;
  }
  return false;
}

char *px_pg_number_parameters(const char *sql, unsigned *ret_n) {
  GString *out = g_string_sized_new(strlen(sql) + 16);
  *ret_n = 0;
  for (Piece piece; next_piece(sql, &piece); sql += piece.len) {
    if (piece.kind == PIECE_PARAMETER)
      g_string_append_printf(out, "$%u", ++*ret_n);
    else
      g_string_append_len(out, piece.start, (gssize)piece.len);
  }
  return g_string_free(out, FALSE);
}
