/* SPDX-License-Identifier: Apache-2.0 */
/* What only the text of CREATE TABLE says. A tokenizer of SQLite's SQL and a few shapes that are looked for in its tokens; the text has
 * been accepted by SQLite, so nothing here complains. */
#include "model/schema_private.h"

typedef enum {
  WORD,   /* a keyword or a name */
  QUOTED, /* a name in quotes */
  STRING,
  NUMBER,
  BLOB,
  SIGN, /* one character of punctuation */
} TokenKind;

typedef struct {
  TokenKind kind;
  char sign;
  const char *text;  /* without quotes; in arena */
  const char *start; /* in the SQL */
} Token;

typedef struct {
  const Token *at;
  size_t n;
} Tokens;

/* ---- tokens */

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

static const char *take_token(const char *p, PxArena *arena, Token *ret) {
  const char *start = p;
  if (*p == '\'') {
    ret->kind = STRING;
    return take_quoted(p, '\'', arena, &ret->text);
  }
  if (*p == '"' || *p == '`' || *p == '[') {
    ret->kind = QUOTED;
    char end = *p;
    if (end == '[')
      end = ']';
    return take_quoted(p, end, arena, &ret->text);
  }
  if (g_ascii_tolower(*p) == 'x' && p[1] == '\'') {
    ret->kind = BLOB;
    return take_quoted(p + 1, '\'', arena, &ret->text);
  }
  if (g_ascii_isdigit(*p) || (*p == '.' && g_ascii_isdigit(p[1]))) {
    ret->kind = NUMBER;
    p = take_number(p);
  } else if (is_word_char(*p)) {
    ret->kind = WORD;
    while (is_word_char(*p))
      p++;
  } else {
    ret->kind = SIGN;
    ret->sign = *p++;
  }
  ret->text = px_arena_strndup(arena, start, (size_t)(p - start));
  return p;
}

static GArray *tokenize(const char *sql, PxArena *arena) {
  GArray *tokens = g_array_new(FALSE, FALSE, sizeof(Token));
  for (const char *p = skip_blanks(sql); *p; p = skip_blanks(p)) {
    Token token = {.kind = SIGN, .start = p};
    p = take_token(p, arena, &token);
    g_array_append_val(tokens, token);
  }
  return tokens;
}

static Tokens all_of(const GArray *tokens) {
  return (Tokens){.at = (const Token *)(const void *)tokens->data, .n = tokens->len};
}

static Tokens slice(Tokens tokens, size_t start, size_t end) {
  return (Tokens){.at = tokens.at + start, .n = end - start};
}

static bool is_sign(Tokens tokens, size_t i, char sign) {
  return i < tokens.n && tokens.at[i].kind == SIGN && tokens.at[i].sign == sign;
}

static bool is_word(Tokens tokens, size_t i, const char *word) {
  return i < tokens.n && tokens.at[i].kind == WORD && g_ascii_strcasecmp(tokens.at[i].text, word) == 0;
}

static bool is_name(Tokens tokens, size_t i) {
  return i < tokens.n && (tokens.at[i].kind == WORD || tokens.at[i].kind == QUOTED);
}

/* The index of the ) that closes the ( at i; n when there is none. */
static size_t closing(Tokens tokens, size_t i) {
  size_t depth = 0;
  for (; i < tokens.n; i++) {
    if (is_sign(tokens, i, '('))
      depth++;
    else if (is_sign(tokens, i, ')') && --depth == 0)
      return i;
  }
  return tokens.n;
}

/* ---- CHECK (column IN (...)) */

static Tokens without_parentheses(Tokens tokens) {
  while (tokens.n >= 2 && is_sign(tokens, 0, '(') && closing(tokens, 0) == tokens.n - 1)
    tokens = slice(tokens, 1, tokens.n - 1);
  return tokens;
}

/* "column IS NULL" at i: nullable columns are often written so. */
static bool is_null_test(Tokens tokens, size_t i) {
  return is_name(tokens, i) && is_word(tokens, i + 1, "is") && is_word(tokens, i + 2, "null");
}

/* Cuts "column IS NULL OR" before and "OR column IS NULL" behind. *ret_nullable: the column that was cut, or NULL. */
static Tokens without_null_test(Tokens tokens, const char **ret_nullable) {
  *ret_nullable = NULL;
  if (is_null_test(tokens, 0) && is_word(tokens, 3, "or")) {
    *ret_nullable = tokens.at[0].text;
    return without_parentheses(slice(tokens, 4, tokens.n));
  }
  if (tokens.n > 4 && is_word(tokens, tokens.n - 4, "or") && is_null_test(tokens, tokens.n - 3)) {
    *ret_nullable = tokens.at[tokens.n - 3].text;
    return without_parentheses(slice(tokens, 0, tokens.n - 4));
  }
  return tokens;
}

/* A literal at *i, which goes behind it; NULL: it is none. */
static const char *take_literal(Tokens tokens, size_t *i, PxArena *arena) {
  bool negative = is_sign(tokens, *i, '-');
  if (negative || is_sign(tokens, *i, '+'))
    ++*i;
  if (*i >= tokens.n)
    return NULL;
  const Token *token = &tokens.at[(*i)++];
  if (token->kind == NUMBER)
    return negative ? px_arena_printf(arena, "-%s", token->text) : token->text;
  return token->kind == STRING && !negative ? token->text : NULL;
}

static GPtrArray *take_list(Tokens tokens, PxArena *arena) {
  g_autoptr(GPtrArray) values = g_ptr_array_new();
  for (size_t i = 0; i < tokens.n; i++) {
    const char *value = take_literal(tokens, &i, arena);
    if (!value || (i < tokens.n && !is_sign(tokens, i, ',')))
      return NULL;
    g_ptr_array_add(values, px_arena_strndup(arena, value, strlen(value)));
  }
  return values->len ? g_steal_pointer(&values) : NULL;
}

/* tokens: what stands between the parentheses of a CHECK. */
static PxTableChoice *parse_choice(Tokens tokens, PxArena *arena) {
  const char *nullable;
  tokens = without_null_test(without_parentheses(tokens), &nullable);
  if (tokens.n < 5 || !is_name(tokens, 0) || !is_word(tokens, 1, "in") || !is_sign(tokens, 2, '(') || closing(tokens, 2) != tokens.n - 1 ||
      (nullable && g_ascii_strcasecmp(nullable, tokens.at[0].text) != 0))
    return NULL;
  GPtrArray *values = take_list(slice(tokens, 3, tokens.n - 1), arena);
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
  g_autoptr(GArray) array = tokenize(text, arena);
  Tokens tokens = all_of(array);
  PxTableRule *rule = px_arena_new_array(arena, PxTableRule, 1);
  *rule = (PxTableRule){.name = name, .text = text, .columns = g_ptr_array_new()};
  for (size_t i = 0; i < tokens.n; i++) {
    const char *column = is_name(tokens, i) ? column_called(table, tokens.at[i].text) : NULL;
    if (column && !g_ptr_array_find(rule->columns, column, NULL))
      g_ptr_array_add(rule->columns, (gpointer)(uintptr_t)column);
  }
  g_ptr_array_add(table->rules, rule);
}

/* The CHECK at i, its parentheses ending at end. */
static void add_check(PxTable *table, PxArena *arena, Tokens tokens, size_t i, size_t end) {
  const char *from = tokens.at[i + 1].start + 1;
  const char *to = end < tokens.n ? tokens.at[end].start : from + strlen(from);
  g_autofree char *text = g_strstrip(g_strndup(from, (gsize)(to - from)));
  bool named = i >= 2 && is_word(tokens, i - 2, "constraint");
  px_table_add_rule(table, arena, named ? tokens.at[i - 1].text : NULL, px_arena_strndup(arena, text, strlen(text)));
}

void px_table_read_sql(PxTable *table, PxArena *arena) {
  g_autoptr(GArray) array = tokenize(table->sql, arena);
  Tokens tokens = all_of(array);
  size_t i = 0;
  while (i < tokens.n && !is_sign(tokens, i, '('))
    i++;
  for (i++; i < tokens.n; i++) {
    if (is_word(tokens, i, "check") && is_sign(tokens, i + 1, '(')) {
      size_t end = closing(tokens, i + 1);
      PxTableChoice *choice = parse_choice(slice(tokens, i + 2, MIN(end, tokens.n)), arena);
      if (choice)
        g_ptr_array_add(table->choices, choice);
      add_check(table, arena, tokens, i, end);
      i = end;
    } else if (is_sign(tokens, i, '(')) {
      i = closing(tokens, i);
    } else if (is_word(tokens, i, "autoincrement")) {
      table->autoincrement = true;
    } else if (is_word(tokens, i, "conflict") && (is_word(tokens, i + 1, "replace") || is_word(tokens, i + 1, "ignore"))) {
      table->has_triggers = true; /* a row may take another one away, or not come */
    }
  }
}

/* ---- defaults */

bool px_sql_is_constant(const char *text, char **ret_word) {
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(GArray) array = tokenize(text, arena);
  Tokens tokens = all_of(array);
  *ret_word = NULL;
  bool has_names = false;
  for (size_t i = 0; i < tokens.n; i++)
    if (is_name(tokens, i) && !is_word(tokens, i, "true") && !is_word(tokens, i, "false") && !is_word(tokens, i, "null"))
      has_names = true;
  if (!has_names)
    return tokens.n > 0;
  if (tokens.n > 1 || (tokens.at[0].kind == WORD && g_ascii_strncasecmp(tokens.at[0].text, "current_", 8) == 0))
    return false;
  *ret_word = g_strdup(tokens.at[0].text);
  return true;
}
