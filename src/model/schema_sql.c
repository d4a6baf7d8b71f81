/* SPDX-License-Identifier: Apache-2.0 */
/* What only the text of CREATE TABLE says: a few shapes that are looked for in its tokens. */
#include "model/schema_private.h"
#include "model/schema_token.h"

/* ---- CHECK (column IN (...)) */

static PxTokens without_parentheses(PxTokens tokens) {
  while (tokens.n >= 2 && px_tokens_is_sign(tokens, 0, '(') && px_tokens_closing(tokens, 0) == tokens.n - 1)
    tokens = px_tokens_slice(tokens, 1, tokens.n - 1);
  return tokens;
}

/* "column IS NULL" at i: nullable columns are often written so. */
static bool is_null_test(PxTokens tokens, size_t i) {
  return px_tokens_is_name(tokens, i) && px_tokens_is_word(tokens, i + 1, "is") && px_tokens_is_word(tokens, i + 2, "null");
}

/* Cuts "column IS NULL OR" before and "OR column IS NULL" behind. *ret_nullable: the column that was cut, or NULL. */
static PxTokens without_null_test(PxTokens tokens, const char **ret_nullable) {
  *ret_nullable = NULL;
  if (is_null_test(tokens, 0) && px_tokens_is_word(tokens, 3, "or")) {
    *ret_nullable = tokens.at[0].text;
    return without_parentheses(px_tokens_slice(tokens, 4, tokens.n));
  }
  if (tokens.n > 4 && px_tokens_is_word(tokens, tokens.n - 4, "or") && is_null_test(tokens, tokens.n - 3)) {
    *ret_nullable = tokens.at[tokens.n - 3].text;
    return without_parentheses(px_tokens_slice(tokens, 0, tokens.n - 4));
  }
  return tokens;
}

/* A literal at *i, which goes behind it; NULL: it is none. */
static const char *take_literal(PxTokens tokens, size_t *i, PxArena *arena) {
  bool negative = px_tokens_is_sign(tokens, *i, '-');
  if (negative || px_tokens_is_sign(tokens, *i, '+'))
    ++*i;
  if (*i >= tokens.n)
    return NULL;
  const PxToken *token = &tokens.at[(*i)++];
  if (token->kind == PX_TOKEN_NUMBER)
    return negative ? px_arena_printf(arena, "-%s", token->text) : token->text;
  return token->kind == PX_TOKEN_STRING && !negative ? token->text : NULL;
}

static GPtrArray *take_list(PxTokens tokens, PxArena *arena) {
  g_autoptr(GPtrArray) values = g_ptr_array_new();
  for (size_t i = 0; i < tokens.n; i++) {
    const char *value = take_literal(tokens, &i, arena);
    if (!value || (i < tokens.n && !px_tokens_is_sign(tokens, i, ',')))
      return NULL;
    g_ptr_array_add(values, px_arena_strndup(arena, value, strlen(value)));
  }
  return values->len ? g_steal_pointer(&values) : NULL;
}

/* tokens: what stands between the parentheses of a CHECK. */
static PxTableChoice *parse_choice(PxTokens tokens, PxArena *arena) {
  const char *nullable;
  tokens = without_null_test(without_parentheses(tokens), &nullable);
  if (tokens.n < 5 || !px_tokens_is_name(tokens, 0) || !px_tokens_is_word(tokens, 1, "in") || !px_tokens_is_sign(tokens, 2, '(') ||
      px_tokens_closing(tokens, 2) != tokens.n - 1 || (nullable && g_ascii_strcasecmp(nullable, tokens.at[0].text) != 0))
    return NULL;
  GPtrArray *values = take_list(px_tokens_slice(tokens, 3, tokens.n - 1), arena);
  if (!values)
    return NULL;
  PxTableChoice *choice = px_arena_new_array(arena, PxTableChoice, 1);
  choice->column = tokens.at[0].text;
  choice->values = values;
  return choice;
}

/* ---- rules */

static const char *column_called(const PxTable *table, const char *name) {
  for (guint i = 0; i < table->columns->len; i++) {
    const PxTableColumn *column = table->columns->pdata[i];
    if (g_ascii_strcasecmp(column->name, name) == 0)
      return column->name;
  }
  return NULL;
}

void px_table_add_rule(PxTable *table, PxArena *arena, const char *name, const char *text) {
  g_autoptr(GArray) array = px_tokenize(text, PX_DIALECT_SQLITE, arena);
  PxTokens tokens = px_tokens_all_of(array);
  PxTableRule *rule = px_arena_new_array(arena, PxTableRule, 1);
  *rule = (PxTableRule){.name = name, .text = text, .columns = g_ptr_array_new()};
  for (size_t i = 0; i < tokens.n; i++) {
    const char *column = px_tokens_is_name(tokens, i) ? column_called(table, tokens.at[i].text) : NULL;
    if (column && !g_ptr_array_find(rule->columns, column, NULL))
      g_ptr_array_add(rule->columns, (gpointer)(uintptr_t)column);
  }
  g_ptr_array_add(table->rules, rule);
}

/* The CHECK at i, its parentheses ending at end. */
static void add_check(PxTable *table, PxArena *arena, PxTokens tokens, size_t i, size_t end) {
  const char *from = tokens.at[i + 1].start + 1;
  const char *to = end < tokens.n ? tokens.at[end].start : from + strlen(from);
  g_autofree char *text = g_strstrip(g_strndup(from, (gsize)(to - from)));
  bool named = i >= 2 && px_tokens_is_word(tokens, i - 2, "constraint");
  px_table_add_rule(table, arena, named ? tokens.at[i - 1].text : NULL, px_arena_strndup(arena, text, strlen(text)));
}

void px_table_read_sql(PxTable *table, PxArena *arena) {
  g_autoptr(GArray) array = px_tokenize(table->sql, PX_DIALECT_SQLITE, arena);
  PxTokens tokens = px_tokens_all_of(array);
  size_t i = 0;
  while (i < tokens.n && !px_tokens_is_sign(tokens, i, '('))
    i++;
  for (i++; i < tokens.n; i++) {
    if (px_tokens_is_word(tokens, i, "check") && px_tokens_is_sign(tokens, i + 1, '(')) {
      size_t end = px_tokens_closing(tokens, i + 1);
      PxTableChoice *choice = parse_choice(px_tokens_slice(tokens, i + 2, MIN(end, tokens.n)), arena);
      if (choice)
        g_ptr_array_add(table->choices, choice);
      add_check(table, arena, tokens, i, end);
      i = end;
    } else if (px_tokens_is_sign(tokens, i, '(')) {
      i = px_tokens_closing(tokens, i);
    } else if (px_tokens_is_word(tokens, i, "autoincrement")) {
      table->autoincrement = true;
    } else if (px_tokens_is_word(tokens, i, "conflict") &&
               (px_tokens_is_word(tokens, i + 1, "replace") || px_tokens_is_word(tokens, i + 1, "ignore"))) {
      table->has_triggers = true; /* a row may take another one away, or not come */
    }
  }
}

/* ---- defaults */

bool px_sql_is_constant(const char *text, char **ret_word) {
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(GArray) array = px_tokenize(text, PX_DIALECT_SQLITE, arena);
  PxTokens tokens = px_tokens_all_of(array);
  *ret_word = NULL;
  bool has_names = false;
  for (size_t i = 0; i < tokens.n; i++)
    if (px_tokens_is_name(tokens, i) && !px_tokens_is_word(tokens, i, "true") && !px_tokens_is_word(tokens, i, "false") &&
        !px_tokens_is_word(tokens, i, "null"))
      has_names = true;
  if (!has_names)
    return tokens.n > 0;
  if (tokens.n > 1 || (tokens.at[0].kind == PX_TOKEN_WORD && g_ascii_strncasecmp(tokens.at[0].text, "current_", 8) == 0))
    return false;
  *ret_word = g_strdup(tokens.at[0].text);
  return true;
}
