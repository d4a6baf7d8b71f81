/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes in the expressions that PostgreSQL writes for defaults and checks: with the casts and parentheses that it adds. */
#include "model/schema_private.h"
#include "model/schema_token.h"

/* Behind the type of a cast, i standing on the first colon: ::character varying(20)[]. */
static size_t skip_cast(PxTokens tokens, size_t i) {
  i += 2;
  while (px_tokens_is_name(tokens, i) || px_tokens_is_sign(tokens, i, '.'))
    i++;
  if (px_tokens_is_sign(tokens, i, '(') && i + 1 < tokens.n && tokens.at[i + 1].kind == PX_TOKEN_NUMBER)
    i = px_tokens_closing(tokens, i) + 1;
  while (px_tokens_is_sign(tokens, i, '[') && px_tokens_is_sign(tokens, i + 1, ']'))
    i += 2;
  return i;
}

/* The tokens without casts and parentheses. */
static GArray *bare_tokens(const char *text, PxArena *arena) {
  g_autoptr(GArray) array = px_tokenize(text, PX_DIALECT_POSTGRES, arena);
  PxTokens tokens = px_tokens_all_of(array);
  GArray *bare = g_array_new(FALSE, FALSE, sizeof(PxToken));
  for (size_t i = 0; i < tokens.n;) {
    if (px_tokens_is_sign(tokens, i, ':') && px_tokens_is_sign(tokens, i + 1, ':')) {
      i = skip_cast(tokens, i);
      continue;
    }
    if (!px_tokens_is_sign(tokens, i, '(') && !px_tokens_is_sign(tokens, i, ')'))
      g_array_append_val(bare, tokens.at[i]);
    i++;
  }
  return bare;
}

/* ---- CHECK (column IN (...)), which is written column = ANY (ARRAY[...]) */

static bool is_null_test(PxTokens tokens, const char *column) {
  return tokens.n > 4 && px_tokens_is_name(tokens, 0) && g_str_equal(tokens.at[0].text, column) && px_tokens_is_word(tokens, 1, "is") &&
         px_tokens_is_word(tokens, 2, "null") && px_tokens_is_word(tokens, 3, "or");
}

static GPtrArray *take_list(PxTokens tokens) {
  g_autoptr(GPtrArray) values = g_ptr_array_new();
  for (size_t i = 0; i < tokens.n; i += 2) {
    PxTokenKind kind = tokens.at[i].kind;
    if ((kind != PX_TOKEN_STRING && kind != PX_TOKEN_NUMBER) || (i + 1 < tokens.n && !px_tokens_is_sign(tokens, i + 1, ',')))
      return NULL;
    g_ptr_array_add(values, (gpointer)(uintptr_t)tokens.at[i].text);
  }
  return values->len ? g_steal_pointer(&values) : NULL;
}

/* Behind "column = ANY ARRAY[", or 0. */
static size_t list_start(PxTokens tokens) {
  bool fits = px_tokens_is_name(tokens, 0) && px_tokens_is_sign(tokens, 1, '=') && px_tokens_is_word(tokens, 2, "any") &&
              px_tokens_is_word(tokens, 3, "array") && px_tokens_is_sign(tokens, 4, '[') && px_tokens_is_sign(tokens, tokens.n - 1, ']');
  return fits ? 5 : 0;
}

void px_pg_add_choice(PxTable *table, PxArena *arena, const char *column, const char *text) {
  g_autoptr(GArray) array = bare_tokens(text, arena);
  PxTokens tokens = px_tokens_all_of(array);
  if (tokens.n > 4 && is_null_test(tokens, tokens.at[4].text))
    tokens = px_tokens_slice(tokens, 4, tokens.n);
  size_t start = list_start(tokens);
  const char *named = start ? column ? column : px_table_column(table, tokens.at[0].text) : NULL;
  GPtrArray *values = named ? take_list(px_tokens_slice(tokens, start, tokens.n - 1)) : NULL;
  if (!values)
    return;
  PxTableChoice *choice = px_arena_new_array(arena, PxTableChoice, 1);
  *choice = (PxTableChoice){.column = named, .values = values};
  g_ptr_array_add(table->choices, choice);
}

/* ---- defaults */

/* Words that are another moment each time that they are read as one. */
static bool is_moving(const PxToken *token) {
  static const char *const words[] = {"now", "today", "tomorrow", "yesterday", NULL};
  return g_strv_contains(words, token->text);
}

bool px_pg_is_constant(const char *text) {
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(GArray) array = bare_tokens(text, arena);
  PxTokens tokens = px_tokens_all_of(array);
  if (tokens.n == 2 && px_tokens_is_sign(tokens, 0, '-'))
    tokens = px_tokens_slice(tokens, 1, 2);
  if (tokens.n != 1)
    return false;
  const PxToken *token = &tokens.at[0];
  if (token->kind == PX_TOKEN_STRING)
    return !is_moving(token);
  return token->kind == PX_TOKEN_NUMBER || px_tokens_is_word(tokens, 0, "true") || px_tokens_is_word(tokens, 0, "false") ||
         px_tokens_is_word(tokens, 0, "null");
}
