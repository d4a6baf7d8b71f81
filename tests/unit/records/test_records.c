/* SPDX-License-Identifier: Apache-2.0 */
#include "records/records.h"

#include "postgres.h"

#define SCHEMA                                                                                                                                       \
  "CREATE TABLE country (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT);"                                                                      \
  "CREATE TABLE partner (id INTEGER PRIMARY KEY, email TEXT, name TEXT, number INTEGER UNIQUE, active BOOLEAN, "                                     \
  " country_id INTEGER REFERENCES country (id), parent_id INTEGER REFERENCES partner (id), born DATE, seen TIMESTAMP WITH TIME ZONE);"               \
  "CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN);"                                                                            \
  "CREATE TABLE partner_tag (partner_id INTEGER REFERENCES partner (id), tag_id INTEGER REFERENCES tag (id), PRIMARY KEY (partner_id, tag_id));"     \
  "INSERT INTO tag VALUES (1, 'Gold', TRUE), (2, 'Silver', TRUE), (3, 'Sleepy', FALSE);"                                                             \
  "INSERT INTO country VALUES (1, 'FR', 'France'), (2, 'BE', 'Belgium'), (3, NULL, 'Nowhere');"                                                      \
  "INSERT INTO partner (id, email, name, number, active, country_id, parent_id) VALUES (1, 'a@x', 'Alice', 10, TRUE, 1, NULL), (2, 'b@x', 'Bob', "   \
  "20, "                                                                                                                                             \
  "TRUE, 2, 1), (3, NULL, 'Bob', 30, FALSE, NULL, 1), "                                                                                              \
  " (4, 'd@x', 'dup', 40, TRUE, 3, 2), (5, 'd@x', 'dup', 50, NULL, 2, NULL), (6, 'e*x', '50% off', 60, TRUE, 2, NULL);"                              \
  "INSERT INTO partner_tag VALUES (1, 1), (1, 3), (2, 2), (4, 3);"

#define DATES "UPDATE partner SET born = '2026-02-2' || id, seen = '2026-03-01 0' || id || ':00:00+00:00' WHERE id <> 6;"
#define POSTGRES_DATES                                                                                                                               \
  "UPDATE partner SET born = CAST('2026-02-2' || id AS date), seen = CAST('2026-03-01 0' || id || ':00:00+00:00' AS timestamptz) WHERE id <> 6;"

#define OVER_SQLITE NULL
#define OVER_POSTGRES ""

typedef struct {
  char *url; /* of a database of the PostgreSQL server; NULL: SQLite, in memory */
  PxDb *db;
  PxSchema *schema;
  PxRecords *records;
  const PxModel *partner;
  PxArena *arena;
} Fixture;

static void set_up(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  fixture->url = data ? px_test_postgres_new() : NULL;
  PxDbOptions options = {.url = fixture->url ? fixture->url : "sqlite::memory:", .create = true};
  fixture->db = px_db_open(&options, &error);
  g_assert_no_error(error);
  g_assert_true(px_db_migrate(fixture->db, &error));
  g_assert_true(px_db_exec(fixture->db, fixture->url ? SCHEMA POSTGRES_DATES : SCHEMA DATES, &error));
  fixture->schema = px_schema_read(fixture->db, NULL, complaints, &error);
  g_assert_no_error(error);
  fixture->records = px_records_new(fixture->db, fixture->schema);
  fixture->partner = px_schema_model(fixture->schema, "partner");
  fixture->arena = px_arena_new();
}

static void tear_down(Fixture *fixture, const void *data) {
  px_arena_free(fixture->arena);
  px_records_free(fixture->records);
  px_schema_free(fixture->schema);
  px_db_close(fixture->db);
  px_test_postgres_drop(fixture->url);
}

static const PxField *field(const Fixture *fixture, const char *name) {
  return px_model_field(fixture->partner, name);
}

static void find(Fixture *fixture, const PxLookupPath *paths, size_t n_paths, const PxValue *tuples, size_t n, PxFound *found) {
  g_autoptr(GError) error = NULL;
  const PxField *read[] = {field(fixture, "name")};
  const PxLookup *lookup = px_records_lookup(fixture->records, fixture->partner, paths, n_paths, read, 1);
  g_assert_true(px_records_find(fixture->records, lookup, tuples, n, fixture->arena, found, &error));
  g_assert_no_error(error);
}

static void test_find(Fixture *fixture, const void *data) {
  const PxField *email[] = {field(fixture, "email")};
  const PxField *name[] = {field(fixture, "name")};
  PxLookupPath paths[] = {{email, 1}, {name, 1}};
  PxValue tuples[] = {px_value_string("a@x"), px_value_string("Alice"), px_value_null(),        px_value_string("Bob"),
                      px_value_string("d@x"), px_value_string("dup"),   px_value_string("a@x"), px_value_null()};
  PxFound found[4];
  find(fixture, paths, 2, tuples, 4, found);
  g_assert_true(px_id_equal(found[0].id, px_id_from_integer(1)));
  PxValue alice = px_value_string("Alice");
  g_assert_true(px_value_equal(&found[0].values[0], &alice));
  g_assert_true(px_id_equal(found[1].id, px_id_from_integer(3)));
  g_assert_true(found[2].too_many);
  g_assert_true(px_id_is_none(found[2].id));
  g_assert_true(px_id_is_none(found[3].id) && !found[3].too_many);
}

static void test_find_over_relations(Fixture *fixture, const void *data) {
  const PxField *country = field(fixture, "country_id");
  const PxField *path[] = {field(fixture, "parent_id"), country, px_model_field(country->target, "code")};
  PxLookupPath paths[] = {{path, 3}};
  PxValue tuples[] = {px_value_string("BE"), px_value_string("FR"), px_value_string("XX")};
  PxFound found[3];
  find(fixture, paths, 1, tuples, 3, found);
  g_assert_true(px_id_equal(found[0].id, px_id_from_integer(4)));
  g_assert_true(found[1].too_many);
  g_assert_true(px_id_is_none(found[2].id));
}

/* Of the items any may match, and a record with two that do is one record. */
static void test_find_over_items(Fixture *fixture, const void *data) {
  const PxField *path[] = {px_model_field(fixture->partner, "partner_ids"), field(fixture, "name")};
  PxLookupPath paths[] = {{path, 2}};
  PxValue tuples[] = {px_value_string("Bob"), px_value_string("dup"), px_value_string("Alice")};
  PxFound found[3];
  find(fixture, paths, 1, tuples, 3, found);
  g_assert_true(px_id_equal(found[0].id, px_id_from_integer(1)));
  g_assert_true(px_id_equal(found[1].id, px_id_from_integer(2)));
  g_assert_true(px_id_is_none(found[2].id) && !found[2].too_many);
}

static void test_find_among_none_between(Fixture *fixture, const void *data) {
  const PxField *number[] = {field(fixture, "number")};
  PxLookupPath paths[] = {{number, 1}};
  PxValue tuples[9];
  PxFound found[9];
  for (int i = 0; i < 9; i++)
    tuples[i] = px_value_integer(41 + i);
  find(fixture, paths, 1, tuples, 9, found);
  for (int i = 0; i < 9; i++)
    g_assert_true(px_id_is_none(found[i].id));
  tuples[4] = px_value_integer(50);
  find(fixture, paths, 1, tuples, 9, found);
  g_assert_true(px_id_equal(found[4].id, px_id_from_integer(5)));
  g_assert_true(px_id_is_none(found[5].id));
}

static void test_find_in_runs_with_gaps(Fixture *fixture, const void *data) {
  enum { N = 1000, THERE = 700 };
  const PxField *number[] = {field(fixture, "number")};
  PxLookupPath paths[] = {{number, 1}};
  g_autofree PxValue *tuples = g_new(PxValue, N);
  g_autofree PxFound *found = g_new(PxFound, N);
  for (int i = 0; i < N; i++)
    tuples[i] = px_value_integer(i < THERE ? i - N : i + N); /* the record with 50 lies between */
  tuples[THERE] = px_value_integer(50);
  find(fixture, paths, 1, tuples, N, found);
  for (int i = 0; i < N; i++)
    g_assert_true(i == THERE ? px_id_equal(found[i].id, px_id_from_integer(5)) : px_id_is_none(found[i].id));
}

static char *ids_of(Fixture *fixture, const char *text, bool descending) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDomain) domain = text ? px_domain_parse(fixture->partner, text, NULL, &error) : NULL;
  g_assert_no_error(error);
  const PxField *id[] = {fixture->partner->id};
  const PxField *number[] = {field(fixture, "number")};
  PxLookupPath paths[] = {{id, 1}};
  PxRecordQuery query = {.paths = paths, .n_paths = 1, .domain = domain, .order = number, .order_descending = &descending, .n_order = 1};
  g_autoptr(PxRecordCursor) cursor = px_records_open(fixture->records, fixture->partner, &query, &error);
  g_assert_no_error(error);
  GString *ids = g_string_new(NULL);
  const PxValue *values;
  while (px_record_cursor_next(cursor, &values, &error) > 0)
    g_string_append_printf(ids, "%s%" G_GINT64_FORMAT, ids->len ? " " : "", values[0].integer);
  g_assert_no_error(error);
  uint64_t count;
  g_assert_true(px_records_count(fixture->records, fixture->partner, &query, &count, &error));
  g_auto(GStrv) words = g_strsplit(ids->str, " ", -1);
  g_assert_cmpuint(count, ==, ids->len ? g_strv_length(words) : 0);
  return g_string_free(ids, FALSE);
}

static const struct {
  const char *domain, *ids;
} domains[] = {
  {NULL, "1 2 4 6"},
  {"[]", "1 2 4 6"},
  {"[('active', '=', False)]", "3 5"},
  {"[('active', 'in', [True, False])]", "1 2 3 4 5 6"},
  {"[('active', '!=', False), ('country_id.code', '=', 'BE')]", "2 6"},
  {"[('country_id.code', 'in', ['FR', 'BE'])]", "1 2 6"},
  {"[('country_id.code', '!=', 'FR')]", "2 4 6"},
  {"[('country_id.code', '=', False)]", "4"},
  {"[('country_id', '=', False), ('active', 'in', [True, False])]", "3"},
  {"[('email', '=', False), ('active', 'in', [True, False])]", "3"},
  {"[('email', '!=', 'a@x'), ('active', 'in', [True, False])]", "2 3 4 5 6"},
  {"[('email', 'not in', ['a@x', False]), ('active', 'in', [True, False])]", "2 4 5 6"},
  {"[('email', 'in', [])]", ""},
  {"[('email', 'not in', [])]", "1 2 4 6"},
  {"[('number', '>', 20), ('number', '<=', 60)]", "4 6"},
  {"['|', ('name', '=', 'Alice'), ('name', '=', 'dup')]", "1 4"},
  {"['!', ('email', '=', 'a@x')]", "2 4 6"},
  {"[('name', 'like', 'li')]", "1"},
  {"[('name', 'like', 'LI')]", ""},
  {"[('name', 'ilike', 'LI')]", "1"},
  {"[('name', 'not like', 'o')]", "1 4"},
  {"[('name', '=like', '%o%')]", "2 6"},
  {"[('name', 'like', '50\\\\%')]", "6"},
  {"[('email', 'like', '*')]", "6"},
  {"[('id', '=', 2)]", "2"},
  {"[('partner_ids.name', '=', 'Bob')]", "1"},
  {"['!', ('partner_ids.name', '=', 'Bob')]", "2 4 6"},
  {"[('partner_ids.active', '=', False)]", "1"},
  {"[('partner_ids', '=', False)]", "4 6"},
  {"[('partner_ids', '!=', False)]", "1 2"},
  {"[('partner_ids', 'in', [2, 4])]", "1 2"},
  {"[('partner_ids', '=', 4), ('name', '=', 'Bob')]", "2"},
  {"[('partner_ids', 'not in', [2])]", "2 4 6"},
  {"[('partner_ids', 'not in', [2, False])]", "2"},
  {"[('partner_ids', 'in', [4, False])]", "2 4 6"},
  {"[('partner_ids', 'in', [])]", ""},
  {"[('country_id.partner_ids.email', '=', 'b@x')]", "2 6"},
  {"[('partner_ids.country_id.code', '=', 'BE'), ('email', '=', 'a@x')]", "1"},
  {"[('id', 'child_of', 1)]", "1 2 4"},
  {"[('id', 'child_of', 'Alice')]", "1 2 4"},
  {"[('id', 'child_of', [2, 6])]", "2 4 6"},
  {"[('parent_id', 'child_of', [1])]", "1 2 4"},
  {"[('parent_id.parent_id', 'child_of', 2)]", "4"},
  {"[('country_id', '=', 'France')]", "1"},
  {"[('country_id', 'ilike', 'e')]", "1 2 4 6"},
  {"[('country_id', 'not ilike', 'fr'), ('active', 'in', [True, False])]", "2 3 4 5 6"},
  {"[('country_id', 'not in', ['France', 'Nowhere']), ('active', 'in', [True, False])]", "2 3 5 6"},
  {"[('country_id.code', 'not in', ['FR']), ('active', 'in', [True, False])]", "2 4 5 6"},
  {"[('country_id', 'not in', [1]), ('active', 'in', [True, False])]", "2 3 4 5 6"},
  {"[('country_id', 'not in', [1, False]), ('active', 'in', [True, False])]", "2 4 5 6"},
  {"[('tag_ids', '=', 'Gold')]", "1"},
  {"[('tag_ids', '!=', 'Gold')]", "2 4 6"},
  {"[('tag_ids', 'ilike', 'S')]", "2"},
  {"[('tag_ids', 'not ilike', 'S')]", "1 4 6"},
  {"[('tag_ids', '=', False)]", "6"},
  {"[('tag_ids', '!=', False)]", "1 2 4"},
  {"[('tag_ids', 'in', [3])]", "1 4"},
  {"[('tag_ids', 'not in', [3, False])]", "2"},
  {"[('tag_ids.name', 'in', ['Sleepy', 'Silver'])]", "2"},
  {"[('tag_ids.active', '=', False)]", "1 4"},
  {"[('tag_ids.partner_ids.name', '=', 'Alice')]", "1"},
  {"[('partner_ids.tag_ids', 'in', [2])]", "1"},
  {"[('partner_ids.tag_ids', '=', 'Silver')]", "1"},
  {"[('partner_ids.partner_ids.number', '>=', 40)]", "1"},
  {"[('partner_ids.partner_ids.number', '<', 40)]", ""},
  {"[('partner_ids', 'ilike', 'bo')]", "1"},
  {"[('partner_ids', 'not like', 'Bo')]", "2 4 6"},
  {"[('email', 'ilike', ''), ('active', 'in', [True, False])]", "1 2 3 4 5 6"},
  {"[('email', 'not ilike', ''), ('active', 'in', [True, False])]", "3"},
  {"[('name', '=ilike', 'ALI__')]", "1"},
  {"[('name', '=like', 'ALI__')]", ""},
  {"['!', ('name', '=ilike', 'b%')]", "1 4 6"},
  {"[('email', 'in', [False]), ('active', 'in', [True, False])]", "3"},
  {"[('parent_id', '!=', 1)]", "1 4 6"},
  {"[('parent_id', 'in', [1, False])]", "1 2 6"},
  {"['|', '&', ('name', '=', 'Bob'), ('id', '=', 2), '!', '|', ('id', '<', 5), ('name', 'like', 'x')]", "2 6"},
  {"['&', ('id', '>', 1), '|', ('id', '=', 2), ('id', '=', 4), ('name', '=', 'dup')]", "4"},
  {"[(1, '=', 1)]", "1 2 4 6"},
  {"['|', (0, '=', 1), ('id', '=', 4)]", "4"},
  {"['!', (0, '=', 1)]", "1 2 4 6"},
  {"[('born', '>=', today - 5d), ('active', 'in', [True, False])]", "4 5"},
  {"[('born', '=', 'today - 1w')]", "2"},
  {"[('born', '=', False)]", "6"},
  {"[('born', '!=', 'today - 1w')]", "1 4 6"},
  {"[('seen', '<', now)]", "1 2"},
  {"[('seen', '>=', now - 1h), ('seen', '<', 'now + 90 min')]", "4"},
  {"[('seen', '>', today)]", ""},
  {"[('seen', '<=', today)]", "1 2 4"},
  {"[('seen', '<=', '2026-03-01')]", "1 2 4"},
  {"[('partner_ids.born', '<', today - 6d)]", "1"},
  {"[('partner_ids', 'child_of', 2)]", "1 2"},
  {"['!', ('id', 'child_of', 2)]", "1 6"},
};

static void test_domains(Fixture *fixture, const void *data) {
  px_records_set_now(fixture->records, G_GINT64_CONSTANT(1772335800000000)); /* 2026-03-01 03:30 UTC */
  for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
    g_autofree char *ids = ids_of(fixture, domains[i].domain, false);
    g_test_message("%s", domains[i].domain ? domains[i].domain : "none");
    g_assert_cmpstr(ids, ==, domains[i].ids);
  }
  g_autofree char *backwards = ids_of(fixture, NULL, true);
  g_assert_cmpstr(backwards, ==, "6 4 2 1");
}

static void test_long_list(Fixture *fixture, const void *data) {
  g_autoptr(GString) domain = g_string_new("[('number', 'in', [");
  for (int i = 0; i < 20000; i++)
    g_string_append_printf(domain, "%d, ", i * 10);
  g_string_append(domain, "])]");
  g_autofree char *ids = ids_of(fixture, domain->str, false);
  g_assert_cmpstr(ids, ==, "1 2 4 6");
}

static void test_external_ids(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxValue names[] = {px_value_string("shop.a.b"), px_value_string("plain"), px_value_string("shop.none")};
  PxId ids[] = {px_id_from_integer(1), px_id_from_integer(2), PX_ID_NONE};
  g_assert_true(px_records_add_external(fixture->records, fixture->partner, names, ids, 2, &error));
  PxId found[3];
  const char *tables[3];
  g_assert_true(px_records_find_external(fixture->records, names, 3, fixture->arena, found, tables, &error));
  g_assert_true(px_id_equal(found[0], ids[0]) && px_id_equal(found[1], ids[1]) && px_id_is_none(found[2]));
  g_assert_cmpstr(tables[0], ==, "partner");
  g_assert_null(tables[2]);
}

static void test_the_bad_row_is_told(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  const PxField *fields[] = {field(fixture, "name"), field(fixture, "number")};
  PxId ids[3];
  g_assert_true(px_records_take_ids(fixture->records, fixture->partner, 3, ids, &error));
  g_assert_true(px_id_equal(ids[0], px_id_from_integer(7)));
  PxValue rows[3][2] = {
    {px_value_string("x"), px_value_integer(1)}, {px_value_string("y"), px_value_null()}, {px_value_null(), px_value_integer(10)}};
  const PxValue *values[] = {rows[0], rows[1], rows[2]};
  uint64_t masks[] = {3, 1, 2};
  PxWrites writes = {.model = fixture->partner, .fields = fields, .n_fields = 2, .n_rows = 3, .ids = ids, .values = values, .masks = masks};
  size_t bad = SIZE_MAX;
  g_assert_false(px_records_create(fixture->records, &writes, &bad, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_CONSTRAINT);
  g_assert_cmpuint(bad, ==, 2);
}

static bool update_mask(Fixture *fixture, const PxField *const *fields, const PxValue *row, uint64_t mask) {
  g_autoptr(GError) error = NULL;
  PxId id = px_id_from_integer(1);
  PxWrites writes = {.model = fixture->partner, .fields = fields, .n_fields = 7, .n_rows = 1, .ids = &id, .values = &row, .masks = &mask};
  size_t bad;
  bool done = px_records_update(fixture->records, &writes, &bad, &error);
  g_assert_no_error(error);
  return done;
}

/* 127 sets of columns, each asked for twice: more than are kept prepared. */
static void test_any_set_of_columns_is_written(Fixture *fixture, const void *data) {
  const PxField *fields[] = {field(fixture, "email"),      field(fixture, "name"),      field(fixture, "number"), field(fixture, "active"),
                             field(fixture, "country_id"), field(fixture, "parent_id"), field(fixture, "name")};
  PxValue row[] = {px_value_string("n@x"), px_value_string("First"), px_value_integer(77),   px_value_integer(0),
                   px_value_integer(2),    px_value_null(),          px_value_string("Last")};
  for (int turn = 0; turn < 2; turn++)
    for (uint64_t mask = 1; mask < 128; mask++)
      if ((mask & 66) != 66)
        g_assert_true(update_mask(fixture, fields, row, mask));
  PxValue tuple = px_value_integer(77);
  const PxField *number[] = {field(fixture, "number")};
  PxLookupPath paths[] = {{number, 1}};
  PxFound found;
  find(fixture, paths, 1, &tuple, 1, &found);
  PxValue last = px_value_string("Last");
  g_assert_true(px_id_equal(found.id, px_id_from_integer(1)) && px_value_equal(&found.values[0], &last));
}

static void test_relations(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  const PxField *children = px_model_field(fixture->partner, "partner_ids");
  g_assert_nonnull(children);
  PxId ids[] = {px_id_from_integer(1), px_id_from_integer(2), px_id_from_integer(6)};
  PxIdList lists[3];
  g_assert_true(px_records_related(fixture->records, children, ids, 3, fixture->arena, lists, &error));
  g_assert_cmpuint(lists[0].n, ==, 2);
  g_assert_cmpuint(lists[1].n, ==, 1);
  g_assert_cmpuint(lists[2].n, ==, 0);
  g_assert_true(px_records_detach(fixture->records, children->inverse, lists[0].ids, 2, &error));
  g_assert_true(px_records_related(fixture->records, children, ids, 1, fixture->arena, lists, &error));
  g_assert_cmpuint(lists[0].n, ==, 0);
  g_assert_true(px_records_delete(fixture->records, fixture->partner, &ids[2], 1, &error));
  PxValue gone = px_value_integer(60);
  const PxField *number[] = {field(fixture, "number")};
  PxLookupPath paths[] = {{number, 1}};
  PxFound found;
  find(fixture, paths, 1, &gone, 1, &found);
  g_assert_true(px_id_is_none(found.id));
}

static void test_chosen_records(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxId ids[] = {px_id_from_integer(6), px_id_from_integer(9), px_id_from_integer(2), px_id_from_integer(9), px_id_from_integer(-1)};
  PxIdList only = {.ids = ids, .n = G_N_ELEMENTS(ids)};
  const PxField *id[] = {fixture->partner->id};
  PxLookupPath paths[] = {{id, 1}};
  PxRecordQuery query = {.paths = paths, .n_paths = 1, .only = &only};
  g_autoptr(PxRecordCursor) cursor = px_records_open(fixture->records, fixture->partner, &query, &error);
  g_assert_no_error(error);
  const PxValue *values;
  for (int64_t expected = 2; expected <= 6; expected += 4) {
    g_assert_cmpint(px_record_cursor_next(cursor, &values, &error), ==, 1);
    g_assert_cmpint(values[0].integer, ==, expected);
  }
  g_assert_cmpint(px_record_cursor_next(cursor, &values, &error), ==, 0);
  g_autoptr(GArray) unknown = g_array_new(FALSE, FALSE, sizeof(PxId));
  g_assert_true(px_records_unknown(fixture->records, fixture->partner, &only, unknown, &error));
  g_assert_cmpuint(unknown->len, ==, 2);
  g_assert_true(px_id_equal(g_array_index(unknown, PxId, 0), px_id_from_integer(9)));
  g_assert_true(px_id_equal(g_array_index(unknown, PxId, 1), px_id_from_integer(-1)));
}

static void test_items_and_names_in_a_snapshot(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxId ids[] = {px_id_from_integer(1), px_id_from_integer(2), PX_ID_NONE, px_id_from_integer(1)};
  PxIdList lists[2];
  const PxField *children = px_model_field(fixture->partner, "partner_ids");
  const PxField *email[] = {field(fixture, "email")};
  PxLookupPath paths[] = {{email, 1}};
  PxItemQuery query = {.paths = paths, .n_paths = 1, .limit = 5};
  g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(PxValue));
  size_t counts[4];
  PxValue names[3];
  g_assert_true(px_records_begin_names(fixture->db, &error));
  g_assert_true(px_db_begin(fixture->db, PX_TX_READ, &error));
  g_assert_true(px_records_related(fixture->records, children, ids, 2, fixture->arena, lists, &error));
  g_assert_cmpuint(lists[0].n, ==, 2);
  g_assert_cmpuint(lists[1].n, ==, 1);
  g_assert_true(px_records_items(fixture->records, children, &query, ids, 4, fixture->arena, values, counts, &error));
  static const size_t expected[] = {1 /* the other one is not active */, 1, 0, 1};
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
    g_assert_cmpuint(counts[i], ==, expected[i]);
  g_assert_cmpuint(values->len, ==, 3);
  PxValue second = px_value_string("d@x");
  g_assert_true(px_value_equal(&g_array_index(values, PxValue, 1), &second));
  g_assert_true(px_records_names(fixture->records, fixture->partner, ids, 3, fixture->arena, names, &error));
  g_assert_no_error(error);
  g_assert_true(px_db_commit(fixture->db, &error));
  g_assert_true(px_db_begin(fixture->db, PX_TX_WRITE, &error));
  g_assert_true(px_records_store_names(fixture->db, &error));
  g_assert_true(px_db_commit(fixture->db, &error));
  PxId found[2];
  const char *tables[2];
  g_assert_true(px_records_find_external(fixture->records, names, 2, fixture->arena, found, tables, &error));
  g_assert_true(px_id_equal(found[0], ids[0]) && px_id_equal(found[1], ids[1]));
  g_assert_cmpint(names[2].kind, ==, PX_NULL);
}

static void test_names_that_others_have(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxId ids[] = {px_id_from_integer(1), px_id_from_integer(2), PX_ID_NONE, px_id_from_integer(3), px_id_from_integer(1), px_id_from_integer(4)};
  static const char *const expected[] = {"__export__.partner_1-2", "shop.bob", NULL, "__export__.partner_3", "__export__.partner_1-2", "b.dup"};
  PxValue names[G_N_ELEMENTS(ids)];
  g_assert_true(px_db_exec(
    fixture->db,
    "INSERT INTO pattimpex_external_id (module, name, model, res_id) VALUES ('__export__', 'partner_1', 'tag', 1), ('shop', 'bob', 'partner', 2),"
    "('__export__', 'x', 'partner', 2), ('c', 'dup', 'partner', 4), ('b', 'dup', 'partner', 4)",
    &error));
  g_assert_true(px_records_begin_names(fixture->db, &error));
  g_assert_true(px_db_begin(fixture->db, PX_TX_READ, &error));
  for (int again = 0; again < 2; again++) {
    g_assert_true(px_records_names(fixture->records, fixture->partner, ids, G_N_ELEMENTS(ids), fixture->arena, names, &error));
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
      g_autofree char *name = names[i].kind == PX_NULL ? NULL : g_strndup(names[i].text, names[i].len);
      g_assert_cmpstr(name, ==, expected[i]);
    }
  }
  g_assert_true(px_db_commit(fixture->db, &error));
  g_assert_true(px_db_begin(fixture->db, PX_TX_WRITE, &error));
  g_assert_true(px_records_store_names(fixture->db, &error));
  g_assert_true(px_db_commit(fixture->db, &error));
}

static void test_ids_are_never_used_twice_with_autoincrement(void) {
  Fixture fixture = {0};
  g_autoptr(GError) error = NULL;
  set_up(&fixture, NULL);
  g_assert_true(px_db_exec(fixture.db,
                           "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT); INSERT INTO a VALUES (9, 'x'); DELETE FROM a;"
                           "CREATE TABLE b (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO b VALUES (-5, 'x')",
                           &error));
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxSchema) schema = px_schema_read(fixture.db, NULL, complaints, &error);
  PxId id;
  g_assert_true(px_records_take_ids(fixture.records, px_schema_model(schema, "a"), 1, &id, &error));
  g_assert_true(px_id_equal(id, px_id_from_integer(10)));
  g_assert_true(px_records_take_ids(fixture.records, px_schema_model(schema, "b"), 1, &id, &error));
  g_assert_true(px_id_equal(id, px_id_from_integer(1)));
  tear_down(&fixture, NULL);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/records/sqlite/" name, Fixture, OVER_SQLITE, set_up, function, tear_down)
#define ADD_POSTGRES(name, function) g_test_add("/records/postgres/" name, Fixture, OVER_POSTGRES, set_up, function, tear_down)
  ADD("find", test_find);
  ADD_POSTGRES("find", test_find);
  ADD("find_over_relations", test_find_over_relations);
  ADD_POSTGRES("find_over_relations", test_find_over_relations);
  ADD("find_over_items", test_find_over_items);
  ADD_POSTGRES("find_over_items", test_find_over_items);
  ADD("find_among_none_between", test_find_among_none_between);
  ADD("find_in_runs_with_gaps", test_find_in_runs_with_gaps);
  ADD("domains", test_domains);
  ADD_POSTGRES("domains", test_domains);
  ADD("domains/long_list", test_long_list);
  ADD_POSTGRES("domains/long_list", test_long_list);
  ADD("chosen_records", test_chosen_records);
  ADD_POSTGRES("chosen_records", test_chosen_records);
  ADD("items_and_names_in_a_snapshot", test_items_and_names_in_a_snapshot);
  ADD_POSTGRES("items_and_names_in_a_snapshot", test_items_and_names_in_a_snapshot);
  ADD("names_that_others_have", test_names_that_others_have);
  ADD_POSTGRES("names_that_others_have", test_names_that_others_have);
  ADD("external_ids", test_external_ids);
  ADD("the_bad_row_is_told", test_the_bad_row_is_told);
  ADD("any_set_of_columns_is_written", test_any_set_of_columns_is_written);
  ADD("relations", test_relations);
  g_test_add_func("/records/ids_are_never_used_twice_with_autoincrement", test_ids_are_never_used_twice_with_autoincrement);
  return g_test_run();
}
