/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of PostgreSQL as models. */
#include "model/id.h"
#include "postgres.h"
#include "schema_fixture.h"

static char *url;

static Read read_postgres(const char *sql, const char *yaml) {
  static unsigned counter;
  g_autofree char *own = g_strdup_printf("CREATE SCHEMA s%u; SET search_path = s%u, public; %s", counter, counter, sql);
  counter++;
  return read_schema_of(url, own, yaml);
}

/* ---- the same records in both databases are the same models */

static char *file_text(const char *name) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(PX_REFERENCE, name, NULL);
  char *text = NULL;
  g_file_get_contents(path, &text, NULL, &error);
  g_assert_no_error(error);
  return text;
}

static void dump_value(GString *out, const PxValue *value) {
  if (value->kind == PX_INTEGER)
    g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
  else if (value->kind == PX_REAL)
    g_string_append_printf(out, "%g", value->real);
  else if (value->kind == PX_TEXT)
    g_string_append_printf(out, "'%.*s'", (int)value->len, value->text);
  else
    g_string_append(out, "null");
}

static void dump_field(GString *out, const PxField *field) {
  g_string_append_printf(out, "  %s %s \"%s\"%s%s chars %u numeric %u,%u zone %d collation %d", field->name, px_type_name(field->type), field->label,
                         field->required ? " required" : "", field->read_only ? " read only" : "", field->max_chars, field->precision, field->scale,
                         field->with_zone, (int)field->collation);
  if (field->has_default) {
    g_string_append(out, " default ");
    if (field->default_is_constant)
      dump_value(out, &field->default_value);
  }
  for (size_t i = 0; i < field->n_selection; i++)
    g_string_append_printf(out, " %s=%s", field->selection[i].value, field->selection[i].label);
  if (field->target)
    g_string_append_printf(out, " -> %s %s %s %s %s", field->target->name, field->inverse ? field->inverse->name : "-",
                           field->through ? field->through : "-", field->from ? field->from : "-", field->to ? field->to : "-");
  g_string_append(out, "\n");
}

static int by_text(gconstpointer a, gconstpointer b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keys and rules in the order of their fields; the databases name and write them differently. */
static void dump_fields_of(GString *out, const char *what, const PxField *const *fields, size_t n) {
  g_string_append_printf(out, "  %s", what);
  for (size_t i = 0; i < n; i++)
    g_string_append_printf(out, " %s", fields[i]->name);
  g_string_append(out, "\n");
}

static void dump_model(GString *out, const PxModel *model) {
  g_string_append_printf(out, "%s \"%s\" id %s active %d triggers %d hidden uniques %d\n", model->name, model->label, model->id->name,
                         model->active != NULL, model->has_triggers, model->has_hidden_uniques);
  for (size_t i = 0; i < model->n_fields; i++)
    dump_field(out, model->fields[i]);
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  for (size_t i = 0; i < model->n_uniques; i++) {
    GString *line = g_string_new(NULL);
    dump_fields_of(line, "unique", model->uniques[i].fields, model->uniques[i].n_fields);
    g_ptr_array_add(lines, g_string_free(line, FALSE));
  }
  for (size_t i = 0; i < model->n_rules; i++) {
    GString *line = g_string_new(NULL);
    dump_fields_of(line, "rule", model->rules[i].fields, model->rules[i].n_fields);
    g_ptr_array_add(lines, g_string_free(line, FALSE));
  }
  g_ptr_array_sort(lines, by_text);
  for (guint i = 0; i < lines->len; i++)
    g_string_append(out, lines->pdata[i]);
}

static char *dump(const Read *read) {
  GString *out = g_string_new(NULL);
  assert_complaints(read, "");
  for (size_t i = 0; i < px_schema_count(read->schema); i++)
    dump_model(out, px_schema_at(read->schema, i));
  for (size_t i = 0; i < px_schema_left_out_count(read->schema); i++) {
    const char *reason;
    const char *table = px_schema_left_out(read->schema, i, &reason);
    g_string_append_printf(out, "%s: %s\n", table, reason);
  }
  return g_string_free(out, FALSE);
}

static void reference_schema_is_that_of_sqlite(void) {
  g_autofree char *sqlite_sql = file_text("schema.sqlite.sql");
  g_autofree char *postgres_sql = file_text("schema.postgres.sql");
  g_autofree char *yaml = file_text("pattimpex.yaml");
  g_auto(Read) sqlite = read_schema(sqlite_sql, yaml);
  g_auto(Read) postgres = read_postgres(postgres_sql, yaml);
  g_autofree char *expected = dump(&sqlite);
  g_autofree char *found = dump(&postgres);
  g_assert_cmpuint(px_schema_count(postgres.schema), >, 10);
  g_assert_cmpstr(found, ==, expected);
}

/* ---- types */

typedef struct {
  const char *declared;
  PxType type;
  PxStorageClass storage;
  unsigned max_chars, precision, scale;
  bool with_zone;
  PxCollation collation;
} TypeCase;

static const TypeCase type_cases[] = {
  {"smallint", PX_TYPE_INTEGER, PX_STORE_INTEGER, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"bigserial", PX_TYPE_INTEGER, PX_STORE_INTEGER, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"numeric", PX_TYPE_DECIMAL, PX_STORE_EXACT, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"numeric(10, 2)", PX_TYPE_DECIMAL, PX_STORE_EXACT, 0, 10, 2, false, PX_COLLATE_BINARY},
  {"real", PX_TYPE_DECIMAL, PX_STORE_FLOAT, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"float", PX_TYPE_DECIMAL, PX_STORE_REAL, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"boolean", PX_TYPE_BOOLEAN, PX_STORE_NUMERIC, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"date", PX_TYPE_DATE, PX_STORE_NUMERIC, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"timestamp(3)", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"timestamptz(3)", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, true, PX_COLLATE_BINARY},
  {"time", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"interval", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"text", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"text COLLATE \"C\"", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"varchar(20)", PX_TYPE_TEXT, PX_STORE_TEXT, 20, 0, 0, false, PX_COLLATE_BINARY},
  {"char(2)", PX_TYPE_TEXT, PX_STORE_TEXT, 2, 0, 0, false, PX_COLLATE_RTRIM},
  {"citext", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_CITEXT},
  {"uuid", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_NOCASE},
  {"jsonb", PX_TYPE_JSON, PX_STORE_AS_IS, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"bytea", PX_TYPE_BINARY, PX_STORE_AS_IS, 0, 0, 0, false, PX_COLLATE_BINARY},
  {"inet", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"int4range", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"bit(1)", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"folded", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false, PX_COLLATE_OTHER},
  {"price", PX_TYPE_DECIMAL, PX_STORE_EXACT, 0, 8, 3, false, PX_COLLATE_BINARY},
};

static void declared_types(void) {
  g_autoptr(GString) sql = g_string_new("CREATE EXTENSION citext SCHEMA public; CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2',"
                                        "deterministic = false); CREATE DOMAIN folded AS text COLLATE folding; CREATE DOMAIN amount AS numeric(8, 3);"
                                        "CREATE DOMAIN price AS amount; CREATE TABLE t (id integer PRIMARY KEY");
  for (size_t i = 0; i < G_N_ELEMENTS(type_cases); i++)
    g_string_append_printf(sql, ", c%zu %s", i, type_cases[i].declared);
  g_string_append(sql, ")");
  g_auto(Read) read = read_postgres(sql->str, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(type_cases); i++) {
    const TypeCase *c = &type_cases[i];
    g_autofree char *name = g_strdup_printf("c%zu", i);
    const PxField *field = field_of(&read, "t", name);
    g_test_message("%s", c->declared);
    g_assert_cmpstr(px_type_name(field->type), ==, px_type_name(c->type));
    g_assert_cmpint(field->storage, ==, c->storage);
    g_assert_cmpuint(field->max_chars, ==, c->max_chars);
    g_assert_cmpuint(field->precision, ==, c->precision);
    g_assert_cmpuint(field->scale, ==, c->scale);
    g_assert_cmpint(field->with_zone, ==, c->with_zone);
    g_assert_cmpint(field->collation, ==, c->collation);
  }
}

/* ---- columns */

static char *selection_of(const Read *read, const char *name) {
  const PxField *field = field_of(read, "t", name);
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < field->n_selection; i++)
    g_string_append_printf(out, "%s%s", i ? "/" : "", field->selection[i].value);
  return g_string_free(out, FALSE);
}

static void enums_domains_and_checks_are_selections(void) {
  g_auto(Read) read =
    read_postgres("CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy'); CREATE DOMAIN size AS varchar(10) NOT NULL CHECK (VALUE IN ('S', 'M'));"
                  "CREATE DOMAIN shirt AS size DEFAULT 'M'; CREATE TABLE t (id integer PRIMARY KEY, a mood, b shirt,"
                  "c varchar(9) CHECK (c IN ('x', E'y\\\\''z')), d integer CHECK (d IS NULL OR d IN (1, -2)), e text CHECK (e <> 'a'),"
                  "f text CHECK (f IN ('a', 'b') AND id > 0), \"G h\" text CHECK (\"G h\" IN ('a', 'b')))",
                  NULL);
  static const char *const expected[][2] = {
    {"a", "sad/it's ok/happy"}, {"b", "S/M"}, {"c", "x/y\\'z"}, {"d", "1/-2"}, {"e", ""}, {"f", ""}, {"G h", "a/b"}};
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autofree char *selection = selection_of(&read, expected[i][0]);
    g_assert_cmpstr(selection, ==, expected[i][1]);
  }
  const PxField *shirt = field_of(&read, "t", "b");
  g_assert_true(shirt->required);
  g_assert_true(shirt->default_is_constant);
  g_assert_cmpuint(shirt->max_chars, ==, 10);
}

static void defaults(void) {
  g_auto(Read) read =
    read_postgres("CREATE TABLE t (id integer PRIMARY KEY, a boolean DEFAULT true, b varchar DEFAULT 'it''s', c numeric DEFAULT -0.01, d date DEFAULT"
                  " '2024-02-29', e timestamp DEFAULT now(), f date DEFAULT CURRENT_DATE, g integer DEFAULT (1 + 1), h text DEFAULT lower('X'),"
                  "i text DEFAULT NULL, j text, k date DEFAULT ('now'::text)::date, l jsonb DEFAULT '{}')",
                  NULL);
  static const struct {
    const char *name, *value; /* NULL: no default; "": the database's */
  } expected[] = {{"a", "1"}, {"b", "'it's'"}, {"c", "-0.01"}, {"d", "'2024-02-29'"}, {"e", ""}, {"f", ""},
                  {"g", ""},  {"h", ""},       {"i", NULL},    {"j", NULL},           {"k", ""}, {"l", "'{}'"}};
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    const PxField *field = field_of(&read, "t", expected[i].name);
    g_autoptr(GString) value = g_string_new(NULL);
    g_test_message("%s", expected[i].name);
    if (field->default_is_constant)
      dump_value(value, &field->default_value);
    g_assert_cmpint(field->has_default, ==, expected[i].value != NULL);
    g_assert_cmpstr(value->str, ==, expected[i].value ? expected[i].value : "");
  }
}

static void generated_identity_and_serial(void) {
  g_auto(Read) read = read_postgres("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS"
                                    " (a * 2) STORED, c integer GENERATED ALWAYS AS IDENTITY);"
                                    "CREATE TABLE u (key serial PRIMARY KEY); CREATE TABLE v (id integer PRIMARY KEY)",
                                    NULL);
  g_assert_false(field_of(&read, "t", "a")->read_only);
  g_assert_true(field_of(&read, "t", "b")->read_only);
  g_assert_true(field_of(&read, "t", "c")->read_only);
  g_assert_nonnull(strstr(model_of(&read, "t")->sequence, "t_id_seq"));
  g_assert_nonnull(strstr(model_of(&read, "u")->sequence, "u_key_seq"));
  g_assert_true(model_of(&read, "u")->autoincrement);
  g_assert_null(model_of(&read, "v")->sequence);
  g_assert_cmpstr(model_of(&read, "u")->id->name, ==, "key");
}

static void comments_are_labels(void) {
  g_auto(Read) read = read_postgres("CREATE TABLE t (id integer PRIMARY KEY, a text, t_id integer REFERENCES t, u_id integer REFERENCES t);"
                                    "COMMENT ON TABLE t IS E'Customer\\nand more about it'; COMMENT ON COLUMN t.a IS 'Last name';"
                                    "COMMENT ON COLUMN t.t_id IS 'Belongs to'",
                                    "models: {t: {fields: {u_id: {label: Invoice to}}}}");
  g_assert_cmpstr(model_of(&read, "t")->label, ==, "Customer");
  g_assert_cmpstr(field_of(&read, "t", "a")->label, ==, "Last name");
  g_assert_cmpstr(field_of(&read, "t", "t_id")->label, ==, "Belongs to");
  g_assert_cmpstr(field_of(&read, "t", "u_id")->label, ==, "Invoice to");
}

static void arrays_are_refused(void) {
  g_auto(Read) read = read_postgres("CREATE TABLE t (id integer PRIMARY KEY, tags text[] NOT NULL, other varchar(3))", NULL);
  const PxModel *model = model_of(&read, "t");
  g_assert_null(px_model_field(model, "tags"));
  g_autofree char *why = px_model_did_you_mean(model, "tags");
  g_assert_cmpstr(why, ==, " that a pattern could use: it is an array (text[])");
  const char *reason;
  g_assert_cmpuint(px_schema_left_out_count(read.schema), ==, 1);
  g_assert_cmpstr(px_schema_left_out(read.schema, 0, &reason), ==, "t.tags");
  g_assert_cmpstr(reason, ==, "it is an array (text[])");
}

/* ---- keys and rules */

static char *uniques_of(const PxModel *model) {
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < model->n_uniques; i++)
    dump_fields_of(out, model->uniques[i].name, model->uniques[i].fields, model->uniques[i].n_fields);
  return g_string_free(out, FALSE);
}

static void unique_keys_and_rules(void) {
  g_auto(Read) read = read_postgres(
    "CREATE TABLE t (id integer PRIMARY KEY, a integer, b text, r int4range, d boolean, CONSTRAINT two UNIQUE (b, a), CONSTRAINT low CHECK (a < 9),"
    "EXCLUDE USING gist (r WITH &&)); CREATE UNIQUE INDEX one ON t (a) INCLUDE (b); CREATE UNIQUE INDEX part ON t (b) WHERE d;"
    "CREATE UNIQUE INDEX expr ON t (a, lower(b)); CREATE UNIQUE INDEX nulls ON t (d) NULLS NOT DISTINCT; CREATE INDEX plain ON t (b);"
    "CREATE UNIQUE INDEX other ON t (b COLLATE \"C\")",
    NULL);
  const PxModel *model = model_of(&read, "t");
  g_autofree char *uniques = uniques_of(model);
  g_assert_cmpstr(uniques, ==, "  two b a\n  one a\n");
  g_assert_true(model->has_hidden_uniques);
  g_autoptr(GString) rules = g_string_new(NULL);
  for (size_t i = 0; i < model->n_rules; i++) {
    g_string_append_printf(rules, "%s %s:", model->rules[i].name, model->rules[i].text);
    dump_fields_of(rules, "", model->rules[i].fields, model->rules[i].n_fields);
  }
  g_assert_cmpstr(rules->str, ==,
                  "t_r_excl (r WITH &&):   r\npart (b) WHERE d:   b d\nexpr (a, lower(b)):   a b\nnulls (d) NULLS NOT DISTINCT:   d\n"
                  "other (b COLLATE \"C\"):   b\nlow (a < 9):   a\n");
}

static void rules_of_domains_name_the_column(void) {
  g_auto(Read) read = read_postgres("CREATE DOMAIN positive AS integer CONSTRAINT above_zero CHECK (VALUE > 0);"
                                    "CREATE TABLE t (id integer PRIMARY KEY, a positive, b positive)",
                                    NULL);
  const PxModel *model = model_of(&read, "t");
  g_assert_cmpuint(model->n_rules, ==, 2);
  for (size_t i = 0; i < 2; i++) {
    g_assert_cmpstr(model->rules[i].name, ==, "above_zero");
    g_assert_cmpuint(model->rules[i].n_fields, ==, 1);
  }
  g_assert_true(model->rules[0].fields[0] != model->rules[1].fields[0]);
}

static void foreign_keys_to_ids_and_to_other_columns(void) {
  g_auto(Read) read = read_postgres("CREATE TABLE p (id integer PRIMARY KEY, code text UNIQUE, x integer, y integer, UNIQUE (x, y));"
                                    "CREATE TABLE t (id integer PRIMARY KEY, p_id integer REFERENCES p, p_code text REFERENCES p (code), x integer,"
                                    "y integer, FOREIGN KEY (x, y) REFERENCES p (x, y)); CREATE TABLE link (p integer REFERENCES p, t integer"
                                    " REFERENCES t, PRIMARY KEY (p, t))",
                                    NULL);
  g_assert_true(field_of(&read, "t", "p_id")->target == model_of(&read, "p"));
  const PxModel *t = model_of(&read, "t");
  g_assert_cmpuint(t->n_foreign_keys, ==, 2);
  const PxForeignKey *both = &t->foreign_keys[t->foreign_keys[0].n_fields == 2 ? 0 : 1];
  const PxForeignKey *one = &t->foreign_keys[t->foreign_keys[0].n_fields == 2 ? 1 : 0];
  g_assert_true(one->fields[0] == field_of(&read, "t", "p_code") && one->to[0] == field_of(&read, "p", "code"));
  g_assert_true(both->fields[1] == field_of(&read, "t", "y") && both->to[1] == field_of(&read, "p", "y"));
  g_assert_cmpint(field_of(&read, "t", "x")->type, ==, PX_TYPE_INTEGER);
  g_assert_true(field_of(&read, "p", "t_ids")->inverse == field_of(&read, "t", "p_id"));
  g_assert_cmpstr(field_of(&read, "p", "t_link_ids")->through, ==, "link");
}

/* ---- what is a model */

static const char *reason_of(const Read *read, const char *name) {
  for (size_t i = 0; i < px_schema_left_out_count(read->schema); i++) {
    const char *reason;
    if (g_str_equal(px_schema_left_out(read->schema, i, &reason), name))
      return reason;
  }
  return NULL;
}

static void views_are_models_to_read(void) {
  g_auto(Read) read = read_postgres("CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE VIEW v AS SELECT id, upper(a) AS big FROM t;"
                                    "CREATE MATERIALIZED VIEW m AS SELECT id FROM t; CREATE VIEW w AS SELECT a FROM t",
                                    NULL);
  g_assert_true(model_of(&read, "v")->read_only);
  g_assert_true(field_of(&read, "v", "big")->read_only);
  g_assert_true(model_of(&read, "m")->read_only);
  g_assert_false(model_of(&read, "t")->read_only);
  g_assert_cmpstr(reason_of(&read, "w"), ==, "it is a view without a column id of integers or uuids");
}

static void others_are_no_models(void) {
  g_auto(Read) read = read_postgres(
    "CREATE TABLE none (a text); CREATE TABLE two (a integer, b integer, c integer, PRIMARY KEY (a, b)); CREATE TABLE word (id text PRIMARY KEY);"
    "CREATE TABLE whole (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9);"
    "CREATE TABLE twin (id integer PRIMARY KEY); CREATE TABLE \"Twin\" (id integer PRIMARY KEY); CREATE TABLE pattimpex_x (id integer PRIMARY KEY)",
    NULL);
  g_assert_cmpuint(px_schema_count(read.schema), ==, 1);
  g_assert_nonnull(px_schema_model(read.schema, "whole"));
  g_assert_cmpstr(reason_of(&read, "none"), ==, "it has no primary key");
  g_assert_cmpstr(reason_of(&read, "two"), ==, "its primary key has 2 columns");
  g_assert_cmpstr(reason_of(&read, "word"), ==, "its primary key id is neither an integer nor a uuid (text)");
  g_assert_cmpstr(reason_of(&read, "part"), ==, "it is a partition of another table");
  g_assert_nonnull(strstr(reason_of(&read, "twin"), "but for capitals"));
  g_assert_null(reason_of(&read, "pattimpex_x"));
}

static void uuids_are_ids(void) {
  g_auto(Read) read = read_postgres("CREATE DOMAIN ref AS uuid; CREATE TABLE a (key ref PRIMARY KEY); CREATE VIEW v AS SELECT key AS id FROM a;"
                                    "CREATE TABLE b (id uuid PRIMARY KEY DEFAULT '00000000-0000-0000-0000-000000000001', a_id ref REFERENCES a)",
                                    NULL);
  const PxField *a_id = field_of(&read, "b", "a_id");
  g_assert_true(px_model_has_uuids(model_of(&read, "a")));
  g_assert_true(model_of(&read, "v")->read_only);
  g_assert_cmpstr(model_of(&read, "a")->new_uuid, ==, "gen_random_uuid()");
  g_assert_cmpstr(model_of(&read, "b")->new_uuid, ==, "'00000000-0000-0000-0000-000000000001'::uuid");
  g_assert_true(a_id->type == PX_TYPE_MANY2ONE && a_id->target == model_of(&read, "a") && !px_field_holds_integers(a_id));
}

static void ids_are_told_apart_and_come_back_from_text(void) {
  static const char *const texts[] = {
    "-5", "0", "12", "00000000-0000-0000-0000-000000000000", "00000000-0000-0001-8000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"};
  g_autoptr(PxArena) arena = px_arena_new();
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    char text[PX_ID_TEXT_SIZE];
    PxId id = px_id_from_text(texts[i]);
    px_id_write(id, text);
    g_assert_cmpstr(text, ==, texts[i]);
    g_assert_true(px_id_equal(px_id_from_value(px_id_to_value(arena, id)), id));
    g_assert_false(px_id_is_none(id) || px_id_equal(id, PX_ID_NONE));
    for (size_t k = i / 3 * 3; k < i; k++)
      g_assert_true(px_id_compare(px_id_from_text(texts[k]), id) < 0 && px_id_compare(id, px_id_from_text(texts[k])) > 0);
    g_assert_cmpint(px_id_compare(id, id), ==, 0);
  }
  g_assert_true(px_id_is_none(px_id_from_text("00000000-0000-0000-0000-00000000000")));
  g_assert_true(px_id_is_none(px_id_from_text("00000000-0000-0000-00000-00000000000")));
  g_assert_true(px_id_is_none(px_id_from_text("0000000g-0000-0000-0000-000000000000")));
  g_assert_true(px_id_is_none(px_id_from_value(px_value_null())));
}

static void search_path_decides(void) {
  g_auto(Read) read = read_postgres("CREATE SCHEMA crm; CREATE SCHEMA attic; CREATE TABLE crm.t (id integer PRIMARY KEY, a text);"
                                    "CREATE TABLE t (id integer PRIMARY KEY, b text); CREATE TABLE crm.u (id integer PRIMARY KEY, t_id integer"
                                    " REFERENCES crm.t); CREATE TABLE attic.v (id integer PRIMARY KEY);"
                                    "SELECT set_config('search_path', current_schema() || ', crm', false)",
                                    NULL);
  g_assert_cmpuint(px_schema_count(read.schema), ==, 2);
  (void)field_of(&read, "t", "b");
  g_assert_cmpint(field_of(&read, "u", "t_id")->type, ==, PX_TYPE_INTEGER); /* what it refers to has no name without a schema */
}

static void triggers_rules_and_row_security_are_seen(void) {
  g_auto(Read) read = read_postgres(
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; CREATE TABLE a (id integer PRIMARY KEY);"
    "CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY); CREATE TABLE d (id integer PRIMARY KEY REFERENCES c);"
    "CREATE TRIGGER g BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE b ENABLE ROW LEVEL SECURITY;"
    "CREATE RULE r AS ON DELETE TO d DO INSTEAD NOTHING",
    NULL);
  g_assert_true(model_of(&read, "a")->has_triggers);
  g_assert_true(model_of(&read, "b")->has_triggers);
  g_assert_false(model_of(&read, "c")->has_triggers);
  g_assert_true(model_of(&read, "d")->has_triggers);
}

static void tables_that_may_not_be_read_are_told(void) {
  g_auto(Read) read = read_postgres("CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE u (id integer PRIMARY KEY); CREATE ROLE reader;"
                                    "GRANT SELECT ON t TO reader; SELECT set_config('px.schema', current_schema(), false);"
                                    "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO reader', current_schema()); END $$; SET ROLE reader",
                                    NULL);
  g_assert_nonnull(px_schema_model(read.schema, "t"));
  g_assert_cmpstr(reason_of(&read, "u"), ==, "the user of the database URL may not read it");
  g_assert_true(px_db_exec(read.db, "RESET ROLE; DROP OWNED BY reader; DROP ROLE reader", NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  url = px_test_postgres_new();
#define ADD(function) g_test_add_func("/model/schema_pg/" #function, function)
  ADD(reference_schema_is_that_of_sqlite);
  ADD(declared_types);
  ADD(enums_domains_and_checks_are_selections);
  ADD(defaults);
  ADD(generated_identity_and_serial);
  ADD(comments_are_labels);
  ADD(arrays_are_refused);
  ADD(unique_keys_and_rules);
  ADD(rules_of_domains_name_the_column);
  ADD(foreign_keys_to_ids_and_to_other_columns);
  ADD(views_are_models_to_read);
  ADD(others_are_no_models);
  ADD(uuids_are_ids);
  ADD(ids_are_told_apart_and_come_back_from_text);
  ADD(search_path_decides);
  ADD(triggers_rules_and_row_security_are_seen);
  ADD(tables_that_may_not_be_read_are_told);
#undef ADD
  int status = g_test_run();
  px_test_postgres_drop(url);
  return status;
}
