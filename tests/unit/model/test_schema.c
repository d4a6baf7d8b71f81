/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as models, without a configuration. */
#include "schema_fixture.h"

static void every_column_in_order_id_first(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (b text, id integer PRIMARY KEY, a text)", NULL);
  const PxModel *model = model_of(&read, "t");
  g_assert_cmpuint(model->n_fields, ==, 3);
  g_assert_cmpstr(model->fields[0]->name, ==, "id");
  g_assert_cmpstr(model->fields[1]->name, ==, "b");
  g_assert_cmpstr(model->fields[2]->name, ==, "a");
  for (unsigned i = 0; i < 3; i++)
    g_assert_cmpuint(model->fields[i]->index, ==, i);
  g_assert_true(model->id == model->fields[0]);
  g_assert_true(model->fields[2]->model == model);
}

typedef struct {
  const char *declared;
  PxType type;
  PxStorageClass storage;
  unsigned max_chars, precision, scale;
  bool with_zone;
} TypeCase;

static const TypeCase type_cases[] = {
  {"integer", PX_TYPE_INTEGER, PX_STORE_INTEGER, 0, 0, 0, false},
  {"BIGINT", PX_TYPE_INTEGER, PX_STORE_INTEGER, 0, 0, 0, false},
  {"serial", PX_TYPE_INTEGER, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"numeric", PX_TYPE_DECIMAL, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"decimal(10, 2)", PX_TYPE_DECIMAL, PX_STORE_NUMERIC, 0, 10, 2, false},
  {"NUMERIC(5)", PX_TYPE_DECIMAL, PX_STORE_NUMERIC, 0, 5, 0, false},
  {"real", PX_TYPE_DECIMAL, PX_STORE_REAL, 0, 0, 0, false},
  {"double precision", PX_TYPE_DECIMAL, PX_STORE_REAL, 0, 0, 0, false},
  {"float(24)", PX_TYPE_DECIMAL, PX_STORE_REAL, 0, 0, 0, false},
  {"boolean", PX_TYPE_BOOLEAN, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"date", PX_TYPE_DATE, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"datetime", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"timestamp", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"timestamp with time zone", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, true},
  {"timestamptz", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, true},
  {"timestamp without time zone", PX_TYPE_DATETIME, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"text", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false},
  {"varchar(20)", PX_TYPE_TEXT, PX_STORE_TEXT, 20, 0, 0, false},
  {"character varying (20)", PX_TYPE_TEXT, PX_STORE_TEXT, 20, 0, 0, false},
  {"char(2)", PX_TYPE_TEXT, PX_STORE_TEXT, 2, 0, 0, false},
  {"clob", PX_TYPE_TEXT, PX_STORE_TEXT, 0, 0, 0, false},
  {"point", PX_TYPE_TEXT, PX_STORE_INTEGER, 0, 0, 0, false},
  {"uuid", PX_TYPE_TEXT, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"time", PX_TYPE_TEXT, PX_STORE_NUMERIC, 0, 0, 0, false},
  {"", PX_TYPE_TEXT, PX_STORE_AS_IS, 0, 0, 0, false},
  {"blob", PX_TYPE_BINARY, PX_STORE_AS_IS, 0, 0, 0, false},
  {"json", PX_TYPE_JSON, PX_STORE_NUMERIC, 0, 0, 0, false},
};

static void declared_type(gconstpointer data) {
  const TypeCase *c = data;
  g_autofree char *sql = g_strdup_printf("CREATE TABLE t (id integer PRIMARY KEY, a %s)", c->declared);
  g_auto(Read) read = read_schema(sql, NULL);
  const PxField *field = field_of(&read, "t", "a");
  g_assert_cmpstr(px_type_name(field->type), ==, px_type_name(c->type));
  g_assert_cmpint(field->storage, ==, c->storage);
  g_assert_cmpuint(field->max_chars, ==, c->max_chars);
  g_assert_cmpuint(field->precision, ==, c->precision);
  g_assert_cmpuint(field->scale, ==, c->scale);
  g_assert_cmpint(field->with_zone, ==, c->with_zone);
}

static void strict_any_stores_as_it_is(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY, a any) STRICT", NULL);
  g_assert_cmpint(field_of(&read, "t", "a")->storage, ==, PX_STORE_AS_IS);
}

/* ---- columns */

static void required_generated_collation(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL COLLATE NOCASE, b text COLLATE RTRIM,"
                                  "c text AS (a || b), d text GENERATED ALWAYS AS (a) STORED)",
                                  NULL);
  g_assert_true(field_of(&read, "t", "a")->required);
  g_assert_false(field_of(&read, "t", "b")->required);
  g_assert_false(field_of(&read, "t", "id")->required);
  g_assert_cmpint(field_of(&read, "t", "a")->collation, ==, PX_COLLATE_NOCASE);
  g_assert_cmpint(field_of(&read, "t", "b")->collation, ==, PX_COLLATE_RTRIM);
  g_assert_cmpint(field_of(&read, "t", "c")->collation, ==, PX_COLLATE_BINARY);
  g_assert_false(field_of(&read, "t", "a")->read_only);
  g_assert_true(field_of(&read, "t", "c")->read_only);
  g_assert_true(field_of(&read, "t", "d")->read_only);
}

static const PxValue *default_of(const Read *read, const char *name) {
  const PxField *field = field_of(read, "t", name);
  g_assert_true(field->has_default);
  g_assert_true(field->default_is_constant);
  return &field->default_value;
}

static void assert_text(const PxValue *value, const char *expected) {
  g_assert_cmpint(value->kind, ==, PX_TEXT);
  g_autofree char *text = g_strndup(value->text, value->len);
  g_assert_cmpstr(text, ==, expected);
}

static void defaults(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY, a boolean DEFAULT TRUE, b text DEFAULT 'contact', c numeric DEFAULT 0.01,"
                                  "d timestamp DEFAULT CURRENT_TIMESTAMP, e integer DEFAULT '5', f text DEFAULT 5, g integer DEFAULT (2 + -3),"
                                  "h text DEFAULT (lower('X')), i text DEFAULT draft, j text DEFAULT \"due\", k text, l text DEFAULT NULL,"
                                  "m text DEFAULT 'it''s (max)')",
                                  NULL);
  g_assert_cmpint(default_of(&read, "a")->integer, ==, 1);
  assert_text(default_of(&read, "b"), "contact");
  g_assert_cmpfloat(default_of(&read, "c")->real, ==, 0.01);
  g_assert_cmpint(default_of(&read, "e")->kind, ==, PX_INTEGER);
  g_assert_cmpint(default_of(&read, "e")->integer, ==, 5);
  assert_text(default_of(&read, "f"), "5");
  g_assert_cmpint(default_of(&read, "g")->integer, ==, -1);
  assert_text(default_of(&read, "i"), "draft");
  assert_text(default_of(&read, "j"), "due");
  g_assert_cmpint(default_of(&read, "l")->kind, ==, PX_NULL);
  assert_text(default_of(&read, "m"), "it's (max)");
  for (const char *const *name = (const char *const[]){"d", "h", NULL}; *name; name++) {
    g_assert_true(field_of(&read, "t", *name)->has_default);
    g_assert_false(field_of(&read, "t", *name)->default_is_constant);
  }
  g_assert_false(field_of(&read, "t", "k")->has_default);
}

static void active_is_a_boolean(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY, active boolean);"
                                  "CREATE TABLE u (id integer PRIMARY KEY, active text)",
                                  NULL);
  g_assert_true(model_of(&read, "t")->active == field_of(&read, "t", "active"));
  g_assert_null(model_of(&read, "u")->active);
}

static void names_are_looked_up_as_people_write_them(void) {
  g_auto(Read) read = read_schema("CREATE TABLE Partner (key integer PRIMARY KEY, birth_day date)", NULL);
  const PxModel *model = model_of(&read, "Partner");
  g_assert_true(px_model_field(model, "id") == model->id);
  g_assert_true(px_model_field(model, "key") == model->id);
  g_assert_true(px_model_column(model, "BIRTH_DAY") == px_model_field(model, "birth_day"));
  g_assert_true(px_model_is_table(model, NULL, "partner"));
  g_assert_cmpstr(px_model_field(model, "birth_day")->label, ==, "Birth day");
  g_autofree char *field = px_model_did_you_mean(model, "birthday");
  g_autofree char *name = px_schema_did_you_mean(read.schema, "Partners");
  g_assert_cmpstr(field, ==, " (did you mean birth_day?)");
  g_assert_cmpstr(name, ==, " (did you mean Partner?)");
}

/* ---- selections */

typedef struct {
  const char *name;
  const char *columns;
  const char *values; /* of the field a, separated by / */
} ChoiceCase;

static const ChoiceCase choice_cases[] = {
  {"column_check", "a text CHECK (a IN ('x', 'it''s'))", "x/it's"},
  {"named", "a text CONSTRAINT a_values CHECK (a IN ('x', 'y')), b text", "x/y"},
  {"table_check", "a text, CHECK (a IN ('x'))", "x"},
  {"quoted_names_and_comments", "\"a\" text, /* CHECK (a IN ('no')) */ CHECK ([a] in ('x', -- , 'no'\n 'y'))", "x/y"},
  {"numbers", "a integer CHECK (a IN (1, -2, +3))", "1/-2/3"},
  {"null_allowed", "a text CHECK (a IN ('x', 'y') OR a IS NULL)", "x/y"},
  {"null_allowed_first", "a text CHECK (a IS NULL OR (a IN ('x', 'y')))", "x/y"},
  {"extra_parentheses", "a text CHECK (((A IN ('x'))))", "x"},
  {"more_than_a_list", "a text CHECK (a IN ('x', 'y') AND length(a) > 0)", ""},
  {"not_in", "a text CHECK (a NOT IN ('x'))", ""},
  {"other_column_null", "a text, b text CHECK (a IN ('x') OR b IS NULL)", ""},
  {"function", "a text CHECK (lower(a) IN ('x'))", ""},
  {"names_in_list", "a text, b text, CHECK (a IN ('x', b))", ""},
  {"of_a_boolean", "a boolean CHECK (a IN (0, 1))", ""},
};

static void choices(gconstpointer data) {
  const ChoiceCase *c = data;
  g_autofree char *sql = g_strdup_printf("CREATE TABLE t (id integer PRIMARY KEY, %s)", c->columns);
  g_auto(Read) read = read_schema(sql, NULL);
  const PxField *field = field_of(&read, "t", "a");
  g_autoptr(GString) values = g_string_new(NULL);
  for (size_t i = 0; i < field->n_selection; i++)
    g_string_append_printf(values, "%s%s", i ? "/" : "", field->selection[i].value);
  g_assert_cmpstr(values->str, ==, c->values);
}

/* ---- uniques, triggers */

static void uniques_of_whole_columns(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY, a text UNIQUE, b text, c text, UNIQUE (b, c));"
                                  "CREATE UNIQUE INDEX t_c ON t (c)",
                                  NULL);
  const PxModel *model = model_of(&read, "t");
  g_assert_cmpuint(model->n_uniques, ==, 3);
  g_assert_cmpuint(model->uniques[1].n_fields, ==, 2);
  g_assert_true(model->uniques[1].fields[0] == px_model_field(model, "b"));
  g_assert_true(model->uniques[1].fields[1] == px_model_field(model, "c"));
  g_assert_cmpstr(model->uniques[2].name, ==, "t_c");
  g_assert_false(model->has_hidden_uniques);
  g_assert_false(model->has_triggers);
}

static void hidden_unique(gconstpointer data) {
  g_autofree char *sql = g_strdup_printf("CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE UNIQUE INDEX t_a ON t %s", (const char *)data);
  g_auto(Read) read = read_schema(sql, NULL);
  g_assert_cmpuint(model_of(&read, "t")->n_uniques, ==, 0);
  g_assert_true(model_of(&read, "t")->has_hidden_uniques);
}

static void triggers_and_replacing_constraints(void) {
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY, a); CREATE TRIGGER t_a AFTER INSERT ON T BEGIN SELECT 1; END;"
                                  "CREATE TABLE u (id integer PRIMARY KEY, a UNIQUE ON CONFLICT REPLACE);"
                                  "CREATE TABLE v (id integer PRIMARY KEY AUTOINCREMENT, a UNIQUE ON CONFLICT ABORT)",
                                  NULL);
  g_assert_true(model_of(&read, "t")->has_triggers);
  g_assert_true(model_of(&read, "u")->has_triggers);
  g_assert_false(model_of(&read, "v")->has_triggers);
  g_assert_true(model_of(&read, "v")->autoincrement);
  g_assert_false(model_of(&read, "u")->autoincrement);
}

/* ---- which tables */

static void left_out_with_the_reason(void) {
  g_auto(Read) read = read_schema("CREATE TABLE a (x text); CREATE TABLE b (x int, y int, z int, PRIMARY KEY (x, y));"
                                  "CREATE TABLE c (x text PRIMARY KEY);"
                                  "CREATE VIEW d AS SELECT 1; CREATE VIRTUAL TABLE e USING fts5(x); CREATE TABLE f (id INT PRIMARY KEY);"
                                  "CREATE TABLE g (id integer PRIMARY KEY) WITHOUT ROWID; CREATE TABLE pattimpex_x (id integer PRIMARY KEY)",
                                  NULL);
  g_autoptr(GString) all = g_string_new(NULL);
  for (size_t i = 0; i < px_schema_left_out_count(read.schema); i++) {
    const char *reason;
    const char *table = px_schema_left_out(read.schema, i, &reason);
    g_string_append_printf(all, "%s: %s\n", table, reason);
  }
  g_assert_cmpstr(all->str, ==,
                  "a: it has no primary key\nb: its primary key has 2 columns\nc: its primary key x is no integer (TEXT)\n"
                  "d: it is a view\ne: it is a virtual table\n");
  g_assert_cmpuint(px_schema_count(read.schema), ==, 2);
  model_of(&read, "f");
  model_of(&read, "g");
}

/* ---- relations */

static void foreign_key_is_many2one_with_its_inverse(void) {
  g_auto(Read) read = read_schema("CREATE TABLE country (id integer PRIMARY KEY);"
                                  "CREATE TABLE city (id integer PRIMARY KEY, country integer REFERENCES Country (ID),"
                                  "other integer REFERENCES country)",
                                  NULL);
  const PxField *field = field_of(&read, "city", "country");
  g_assert_cmpint(field->type, ==, PX_TYPE_MANY2ONE);
  g_assert_true(field->target == model_of(&read, "country"));
  const PxField *inverse = field_of(&read, "country", "city_country_ids");
  g_assert_cmpint(inverse->type, ==, PX_TYPE_ONE2MANY);
  g_assert_true(inverse->inverse == field);
  g_assert_true(inverse->target == model_of(&read, "city"));
  g_assert_null(inverse->column);
  field_of(&read, "country", "city_other_ids");
}

static void one_foreign_key_has_the_short_name(void) {
  g_auto(Read) read = read_schema("CREATE TABLE p (id integer PRIMARY KEY, parent integer REFERENCES p);"
                                  "CREATE TABLE c (id integer PRIMARY KEY, p REFERENCES p);"
                                  "CREATE TABLE d (id integer PRIMARY KEY, p REFERENCES p); ALTER TABLE p ADD COLUMN d_ids text",
                                  NULL);
  g_assert_true(field_of(&read, "p", "p_ids")->inverse == field_of(&read, "p", "parent"));
  g_assert_true(field_of(&read, "p", "c_ids")->inverse == field_of(&read, "c", "p"));
  g_assert_true(field_of(&read, "p", "d_p_ids")->inverse == field_of(&read, "d", "p"));
  g_assert_cmpint(field_of(&read, "p", "d_ids")->type, ==, PX_TYPE_TEXT);
}

static void other_foreign_keys_are_plain_columns(void) {
  g_auto(Read) read = read_schema("CREATE TABLE p (id integer PRIMARY KEY, code text UNIQUE, a int, b int, UNIQUE (a, b)); CREATE TABLE n (x text);"
                                  "CREATE TABLE c (id integer PRIMARY KEY REFERENCES p, code text REFERENCES p (code), a int, b int,"
                                  " n int REFERENCES n, m int REFERENCES missing,"
                                  "FOREIGN KEY (a, b) REFERENCES p (a, b))",
                                  NULL);
  const PxModel *model = model_of(&read, "c");
  for (size_t i = 0; i < model->n_fields; i++)
    g_assert_false(px_type_is_relation(model->fields[i]->type));
}

static void table_of_two_foreign_keys_is_many2many(void) {
  g_auto(Read) read = read_schema("CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY);"
                                  "CREATE TABLE a_b (a_id integer REFERENCES a, b_id integer REFERENCES b, PRIMARY KEY (b_id, a_id));"
                                  "CREATE TABLE own (x integer REFERENCES a, y integer REFERENCES a);"
                                  "CREATE TABLE more (a_id integer REFERENCES a, b_id integer REFERENCES b, n integer)",
                                  NULL);
  const PxField *field = field_of(&read, "a", "b_ids");
  g_assert_cmpint(field->type, ==, PX_TYPE_MANY2MANY);
  g_assert_true(field->target == model_of(&read, "b"));
  g_assert_cmpstr(field->through, ==, "a_b");
  g_assert_cmpstr(field->from, ==, "a_id");
  g_assert_cmpstr(field->to, ==, "b_id");
  g_assert_cmpstr(field_of(&read, "b", "a_ids")->from, ==, "b_id");
  g_assert_cmpstr(field_of(&read, "a", "a_own_y_ids")->from, ==, "x");
  g_assert_cmpstr(field_of(&read, "a", "a_own_x_ids")->from, ==, "y");
  g_assert_cmpuint(px_schema_count(read.schema), ==, 2);
  g_assert_cmpuint(px_schema_left_out_count(read.schema), ==, 3);
}

static void two_junctions_of_the_same_models(void) {
  g_auto(Read) read = read_schema("CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY);"
                                  "CREATE TABLE j (a integer REFERENCES a, b integer REFERENCES b);"
                                  "CREATE TABLE k (a integer REFERENCES a, b integer REFERENCES b)",
                                  NULL);
  g_assert_cmpstr(field_of(&read, "a", "b_j_ids")->through, ==, "j");
  g_assert_cmpstr(field_of(&read, "a", "b_k_ids")->through, ==, "k");
}

static void reading_takes_part_in_a_transaction(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_schema("CREATE TABLE t (id integer PRIMARY KEY)", NULL);
  g_assert_false(px_db_in_transaction(read.db));
  g_assert_true(px_db_begin(read.db, PX_TX_WRITE, &error));
  g_assert_true(px_db_exec(read.db, "CREATE TABLE u (id integer PRIMARY KEY)", &error));
  g_autoptr(PxSchema) schema = px_schema_read(read.db, NULL, read.complaints, &error);
  g_assert_cmpuint(px_schema_count(schema), ==, 2);
  g_assert_true(px_db_in_transaction(read.db));
}

static void add_tables(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(type_cases); i++) {
    g_autofree char *path = g_strdup_printf("/model/schema/type/%s", *type_cases[i].declared ? type_cases[i].declared : "none");
    g_test_add_data_func(path, &type_cases[i], declared_type);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(choice_cases); i++) {
    g_autofree char *path = g_strdup_printf("/model/schema/selection/%s", choice_cases[i].name);
    g_test_add_data_func(path, &choice_cases[i], choices);
  }
  g_test_add_data_func("/model/schema/hidden_unique/partial", "(a) WHERE a <> ''", hidden_unique);
  g_test_add_data_func("/model/schema/hidden_unique/expression", "(lower(a))", hidden_unique);
  g_test_add_data_func("/model/schema/hidden_unique/other_collation", "(a COLLATE NOCASE)", hidden_unique);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/schema/every_column_in_order_id_first", every_column_in_order_id_first);
  g_test_add_func("/model/schema/strict_any_stores_as_it_is", strict_any_stores_as_it_is);
  g_test_add_func("/model/schema/required_generated_collation", required_generated_collation);
  g_test_add_func("/model/schema/defaults", defaults);
  g_test_add_func("/model/schema/active_is_a_boolean", active_is_a_boolean);
  g_test_add_func("/model/schema/names_are_looked_up_as_people_write_them", names_are_looked_up_as_people_write_them);
  g_test_add_func("/model/schema/uniques_of_whole_columns", uniques_of_whole_columns);
  g_test_add_func("/model/schema/triggers_and_replacing_constraints", triggers_and_replacing_constraints);
  g_test_add_func("/model/schema/left_out_with_the_reason", left_out_with_the_reason);
  g_test_add_func("/model/schema/foreign_key_is_many2one_with_its_inverse", foreign_key_is_many2one_with_its_inverse);
  g_test_add_func("/model/schema/one_foreign_key_has_the_short_name", one_foreign_key_has_the_short_name);
  g_test_add_func("/model/schema/other_foreign_keys_are_plain_columns", other_foreign_keys_are_plain_columns);
  g_test_add_func("/model/schema/table_of_two_foreign_keys_is_many2many", table_of_two_foreign_keys_is_many2many);
  g_test_add_func("/model/schema/two_junctions_of_the_same_models", two_junctions_of_the_same_models);
  g_test_add_func("/model/schema/reading_takes_part_in_a_transaction", reading_takes_part_in_a_transaction);
  add_tables();
  return g_test_run();
}
