/* SPDX-License-Identifier: Apache-2.0 */
/* Declared types, defaults and selections. SQLite takes any words for a type, so this follows what people write, in SQLite and in the
 * databases that they come from. */
#include "model/convert.h"
#include "model/schema_private.h"

static const char *const type_names[] = {
  [PX_TYPE_INTEGER] = "integer",   [PX_TYPE_DECIMAL] = "decimal",   [PX_TYPE_BOOLEAN] = "boolean",     [PX_TYPE_DATE] = "date",
  [PX_TYPE_DATETIME] = "datetime", [PX_TYPE_TEXT] = "text",         [PX_TYPE_BINARY] = "binary",       [PX_TYPE_JSON] = "json",
  [PX_TYPE_MANY2ONE] = "many2one", [PX_TYPE_ONE2MANY] = "one2many", [PX_TYPE_MANY2MANY] = "many2many",
};

const char *px_type_name(PxType type) {
  return type_names[type];
}

/* ---- declared types */

typedef struct {
  const char *part;
  bool whole; /* the type is exactly this; else the word is somewhere in it */
  PxType type;
} TypeWord;

/* The first that fits. "point" and "interval" come before "int", "datetime" before "date". */
static const TypeWord type_words[] = {
  {"bool", false, PX_TYPE_BOOLEAN},       {"bit", true, PX_TYPE_BOOLEAN},
  {"timestamp", false, PX_TYPE_DATETIME}, {"datetime", false, PX_TYPE_DATETIME},
  {"date", true, PX_TYPE_DATE},           {"json", false, PX_TYPE_JSON},
  {"blob", false, PX_TYPE_BINARY},        {"binary", false, PX_TYPE_BINARY},
  {"bytea", true, PX_TYPE_BINARY},        {"char", false, PX_TYPE_TEXT},
  {"text", false, PX_TYPE_TEXT},          {"clob", false, PX_TYPE_TEXT},
  {"interval", false, PX_TYPE_TEXT},      {"floating point", true, PX_TYPE_DECIMAL},
  {"point", false, PX_TYPE_TEXT},         {"numeric", false, PX_TYPE_DECIMAL},
  {"decimal", false, PX_TYPE_DECIMAL},    {"number", true, PX_TYPE_DECIMAL},
  {"real", false, PX_TYPE_DECIMAL},       {"doub", false, PX_TYPE_DECIMAL},
  {"floa", false, PX_TYPE_DECIMAL},       {"money", false, PX_TYPE_DECIMAL},
  {"dec", true, PX_TYPE_DECIMAL},         {"int", false, PX_TYPE_INTEGER},
  {"serial", false, PX_TYPE_INTEGER},     {"year", true, PX_TYPE_INTEGER},
};

static PxType type_of(const char *base) {
  for (size_t i = 0; i < G_N_ELEMENTS(type_words); i++) {
    const TypeWord *word = &type_words[i];
    if (word->whole ? g_str_equal(base, word->part) : strstr(base, word->part) != NULL)
      return word->type;
  }
  return PX_TYPE_TEXT;
}

/* https://www.sqlite.org/datatype3.html, 3.1, on the whole text in lower case. */
static PxStorageClass storage_of(const char *declared, bool strict) {
  if (strstr(declared, "int"))
    return PX_STORE_INTEGER;
  if (strstr(declared, "char") || strstr(declared, "clob") || strstr(declared, "text"))
    return PX_STORE_TEXT;
  if (!*declared || strstr(declared, "blob") || (strict && g_str_equal(declared, "any")))
    return PX_STORE_AS_IS;
  if (strstr(declared, "real") || strstr(declared, "floa") || strstr(declared, "doub"))
    return PX_STORE_REAL;
  return PX_STORE_NUMERIC;
}

/* The numbers in "numeric(10, 2)"; how many there are. */
static unsigned read_arguments(const char *open, unsigned arguments[2]) {
  unsigned n = 0;
  for (const char *p = open; p && n < 2; p = strchr(p + 1, ',')) {
    char *end;
    guint64 number = g_ascii_strtoull(p + 1, &end, 10);
    if (end == p + 1 || number > G_MAXINT32)
      break;
    arguments[n++] = (unsigned)number;
  }
  return n;
}

void px_field_set_type(PxField *field, const char *declared, bool strict) {
  g_autofree char *lower = g_ascii_strdown(declared, -1);
  field->storage = storage_of(lower, strict);
  const char *open = strchr(lower, '(');
  g_autofree char *base = g_strstrip(g_strndup(lower, open ? (gsize)(open - lower) : strlen(lower)));
  field->type = type_of(base);
  field->with_zone = field->type == PX_TYPE_DATETIME &&
                     (strstr(lower, "with time zone") || strstr(lower, "with timezone") || strstr(lower, "timestamptz") || strstr(lower, "offset"));
  unsigned arguments[2] = {0, 0};
  unsigned n = read_arguments(open, arguments);
  if (n > 0 && field->type == PX_TYPE_TEXT && strstr(base, "char"))
    field->max_chars = arguments[0];
  if (n > 0 && field->type == PX_TYPE_DECIMAL && field->storage == PX_STORE_NUMERIC) {
    field->precision = arguments[0];
    field->scale = arguments[1];
  }
}

/* ---- defaults */

/* value as the column stores it, which is not yet its form for comparing text. */
static PxValue stored_form(const PxField *field, PxArena *arena, PxValue value) {
  PxField plain = *field;
  plain.collation = PX_COLLATE_BINARY;
  value = px_field_canonical(&plain, arena, value);
  if (value.kind == PX_TEXT)
    value.text = px_arena_strndup(arena, value.text, value.len);
  else if (value.kind == PX_BLOB && value.len)
    value.text = memcpy(px_arena_alloc(arena, value.len), value.text, value.len);
  return value;
}

bool px_field_set_default(PxField *field, PxDb *db, PxArena *arena, const char *default_text, GError **error) {
  g_autofree char *word = NULL;
  field->has_default = default_text != NULL;
  field->default_value = px_value_null();
  bool is_postgres = px_db_dialect(db) == PX_DIALECT_POSTGRES;
  field->default_is_constant = default_text && (is_postgres ? px_pg_is_constant(default_text) : px_sql_is_constant(default_text, &word));
  if (!field->default_is_constant)
    return true;
  if (word) {
    field->default_value = stored_form(field, arena, px_value_string(word));
    return true;
  }
  g_autofree char *sql = g_strdup_printf("SELECT %s", default_text);
  PxStmt *stmt = px_db_prepare(db, sql, error);
  if (!stmt || px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  field->default_value = stored_form(field, arena, px_stmt_value(stmt, 0));
  px_stmt_reset(stmt);
  px_db_forget(db, stmt);
  return true;
}

/* ---- selections */

void px_field_set_choices(PxField *field, PxArena *arena, const PxTable *table) {
  if (field->type != PX_TYPE_TEXT && field->type != PX_TYPE_INTEGER && field->type != PX_TYPE_DECIMAL)
    return; /* of a boolean it says what is known */
  for (guint i = 0; i < table->choices->len && !field->selection; i++) {
    const PxTableChoice *choice = table->choices->pdata[i];
    if (g_ascii_strcasecmp(choice->column, field->column) != 0)
      continue;
    PxSelection *selection = px_arena_new_array(arena, PxSelection, choice->values->len);
    for (guint v = 0; v < choice->values->len; v++)
      selection[v] = (PxSelection){.value = choice->values->pdata[v], .label = choice->values->pdata[v]};
    field->selection = selection;
    field->n_selection = choice->values->len;
  }
}
