/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The tokens of SQL as a schema has it: on SQLite as people wrote it, on PostgreSQL as that writes expressions. The database has accepted the
 * text, so nothing here complains. */
#include "base/arena.h"
#include "db/db.h"

typedef enum {
  PX_TOKEN_WORD,   /* a keyword or a name */
  PX_TOKEN_QUOTED, /* a name in quotes */
  PX_TOKEN_STRING,
  PX_TOKEN_NUMBER,
  PX_TOKEN_BLOB,
  PX_TOKEN_SIGN, /* one character of punctuation */
} PxTokenKind;

typedef struct {
  PxTokenKind kind;
  char sign;
  const char *text;  /* without quotes; in arena */
  const char *start; /* in the SQL */
} PxToken;

typedef struct {
  const PxToken *at;
  size_t n;
} PxTokens;

/* The tokens of sql, comments aside (of PxToken; their text in arena). Caller unrefs. */
GArray *px_tokenize(const char *sql, PxDialect dialect, PxArena *arena);
/* All of them; valid as long as the array is. */
PxTokens px_tokens_all_of(const GArray *tokens);
PxTokens px_tokens_slice(PxTokens tokens, size_t start, size_t end);
/* Whether there is a token i and it is this. */
bool px_tokens_is_sign(PxTokens tokens, size_t i, char sign);
bool px_tokens_is_word(PxTokens tokens, size_t i, const char *word);
bool px_tokens_is_name(PxTokens tokens, size_t i);
/* The index of the ) that closes the ( at i; n when there is none. */
size_t px_tokens_closing(PxTokens tokens, size_t i);
