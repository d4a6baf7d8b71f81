/* SPDX-License-Identifier: Apache-2.0 */
/* Types as format_type() of PostgreSQL writes them ("Chapter 8. Data Types"): domains are resolved before. */
#include "model/schema_private.h"

typedef struct {
  const char *name; /* without what stands in parentheses */
  PxType type;
  PxStorageClass storage;
  const char *collation; /* NULL: the column's own */
} KnownType;

/* All others are texts of which only the database knows what is equal. */
static const KnownType known_types[] = {
  {"smallint", PX_TYPE_INTEGER, PX_STORE_INTEGER, "BINARY"},
  {"integer", PX_TYPE_INTEGER, PX_STORE_INTEGER, "BINARY"},
  {"bigint", PX_TYPE_INTEGER, PX_STORE_INTEGER, "BINARY"},
  {"numeric", PX_TYPE_DECIMAL, PX_STORE_EXACT, "BINARY"},
  {"real", PX_TYPE_DECIMAL, PX_STORE_FLOAT, "BINARY"},
  {"double precision", PX_TYPE_DECIMAL, PX_STORE_REAL, "BINARY"},
  {"boolean", PX_TYPE_BOOLEAN, PX_STORE_NUMERIC, "BINARY"},
  {"date", PX_TYPE_DATE, PX_STORE_NUMERIC, "BINARY"},
  {"timestamp without time zone", PX_TYPE_DATETIME, PX_STORE_NUMERIC, "BINARY"},
  {"timestamp with time zone", PX_TYPE_DATETIME, PX_STORE_NUMERIC, "BINARY"},
  {"bytea", PX_TYPE_BINARY, PX_STORE_AS_IS, "BINARY"},
  {"json", PX_TYPE_JSON, PX_STORE_AS_IS, ""},
  {"jsonb", PX_TYPE_JSON, PX_STORE_AS_IS, ""},
  {"text", PX_TYPE_TEXT, PX_STORE_TEXT, NULL},
  {"character varying", PX_TYPE_TEXT, PX_STORE_TEXT, NULL},
  {"name", PX_TYPE_TEXT, PX_STORE_TEXT, NULL},
  {"character", PX_TYPE_TEXT, PX_STORE_TEXT, "RTRIM"},
  {"uuid", PX_TYPE_TEXT, PX_STORE_TEXT, "NOCASE"},
  {"citext", PX_TYPE_TEXT, PX_STORE_TEXT, "CITEXT"},
  {"time without time zone", PX_TYPE_TEXT, PX_STORE_TEXT, ""},
};

/* "timestamp(3) with time zone" is found as "timestamp with time zone". */
static const KnownType *find_type(const char *declared) {
  g_autoptr(GString) name = g_string_new(declared);
  const char *open = strchr(declared, '(');
  const char *close = open ? strchr(open, ')') : NULL;
  if (close)
    g_string_erase(name, open - declared, close + 1 - open);
  for (size_t i = 0; i < G_N_ELEMENTS(known_types); i++)
    if (g_str_equal(name->str, known_types[i].name))
      return &known_types[i];
  return NULL;
}

static unsigned number_behind(const char *sign) {
  return sign && g_ascii_isdigit(sign[1]) ? (unsigned)g_ascii_strtoull(sign + 1, NULL, 10) : 0;
}

/* Of "numeric(5,7)" and "numeric(5,-2)", which say what no message of ours says, the database alone judges. */
static void set_precision(PxField *field, const char *open) {
  const char *comma = strchr(open, ',');
  unsigned precision = number_behind(open);
  unsigned scale = number_behind(comma);
  if ((comma && comma[1] == '-') || scale > precision)
    return;
  field->precision = precision;
  field->scale = scale;
}

void px_field_set_type_postgres(PxField *field, const char *declared) {
  const KnownType *known = find_type(declared);
  const char *open = strchr(declared, '(');
  field->type = known ? known->type : PX_TYPE_TEXT;
  field->storage = known ? known->storage : PX_STORE_TEXT;
  field->sql_type = !known ? declared : g_str_equal(known->name, "character") ? "bpchar" : known->name; /* "character" alone is one character */
  field->with_zone = field->type == PX_TYPE_DATETIME && strstr(declared, "with time zone");
  field->bytes = g_str_equal(declared, "smallint") ? 2 : g_str_equal(declared, "integer") ? 4 : 0;
  field->form = g_str_equal(field->sql_type, "uuid") ? PX_FORM_UUID : g_str_has_prefix(field->sql_type, "time ") ? PX_FORM_TIME : PX_FORM_FREE;
  if (known && field->type == PX_TYPE_TEXT && field->form == PX_FORM_FREE)
    field->max_chars = number_behind(open);
  if (field->storage == PX_STORE_EXACT && open)
    set_precision(field, open);
}

const char *px_pg_collation_of(const char *declared, bool deterministic) {
  const KnownType *known = find_type(declared);
  if (!known || !deterministic)
    return "";
  return known->collation ? known->collation : "BINARY";
}
