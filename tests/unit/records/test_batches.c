/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that take batches, on each database: the same question has the same answer whether it is asked row by row or as a set. */
#include "postgres.h"
#include "records/records.h"

#define COMMON                                                                                                                                       \
  "CREATE TABLE country (id %s, code text UNIQUE, name text);"                                                                                       \
  "CREATE TABLE partner (id %s, email text, name varchar(12), number integer UNIQUE, credit numeric(9, 2), born date, active boolean, photo %s,"     \
  " country_id integer REFERENCES country (id), parent_id integer REFERENCES partner (id), CHECK (number < 1000));"                                  \
  "CREATE TABLE tag (id %s, name text);"                                                                                                             \
  "CREATE TABLE partner_tag (partner_id integer REFERENCES partner (id), tag_id integer REFERENCES tag (id), PRIMARY KEY (partner_id, tag_id));"     \
  "CREATE TABLE plain (id %s, name text);"                                                                                                           \
  "INSERT INTO country (code, name) VALUES ('FR', 'France'), ('BE', 'Belgium'), (NULL, 'Nowhere');"                                                  \
  "INSERT INTO tag (name) VALUES ('Gold'), ('Silver'), ('Gold');"                                                                                    \
  "INSERT INTO plain VALUES (7, 'seven');"

typedef struct {
  PxDb *db;
  char *url;
  PxSchema *schema;
  PxRecords *records;
  const PxModel *partner, *tag, *plain;
  PxArena *arena;
} Fixture;

static void set_up(Fixture *f, const void *data) {
  bool on_postgres = GPOINTER_TO_INT(data);
  const char *id = on_postgres ? "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY" : "INTEGER PRIMARY KEY";
  const char *plain = on_postgres ? "integer PRIMARY KEY" : id;
  g_autofree char *sql = g_strdup_printf(COMMON, id, id, on_postgres ? "bytea" : "blob", id, plain);
  g_autoptr(GError) error = NULL;
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  f->url = on_postgres ? px_test_postgres_new() : NULL;
  f->db = px_db_open(&(PxDbOptions){.url = f->url ? f->url : "sqlite::memory:", .create = true}, &error);
  g_assert_no_error(error);
  g_assert_true(px_db_migrate(f->db, &error));
  g_assert_true(px_db_exec(f->db, sql, &error));
  g_assert_no_error(error);
  f->schema = px_schema_read(f->db, NULL, complaints, &error);
  g_assert_no_error(error);
  f->records = px_records_new(f->db, f->schema);
  f->partner = px_schema_model(f->schema, "partner");
  f->tag = px_schema_model(f->schema, "tag");
  f->plain = px_schema_model(f->schema, "plain");
  f->arena = px_arena_new();
  g_assert_true(px_db_begin(f->db, PX_TX_WRITE, &error));
}

static void tear_down(Fixture *f, const void *data) {
  px_arena_free(f->arena);
  px_records_free(f->records);
  px_schema_free(f->schema);
  px_db_close(f->db);
  px_test_postgres_drop(f->url);
}

static int64_t number_of(PxId id) {
  return px_id_is_none(id) ? 0 : px_id_to_value(NULL, id).integer;
}

static PxId id_of(int64_t number) {
  return px_id_from_integer(number);
}

static int64_t ask(Fixture *f, const char *sql) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = px_db_prepare(f->db, sql, &error);
  g_assert_no_error(error);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
  int64_t answer = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return answer;
}

/* ---- writing */

enum { EMAIL, NAME, NUMBER, CREDIT, BORN, ACTIVE, PHOTO, COUNTRY, PARENT, N_FIELDS };

typedef struct {
  int64_t id;
  PxValue values[N_FIELDS];
  uint64_t mask;
} Row;

static bool write_rows(Fixture *f, bool create, const Row *rows, size_t n, GError **error) {
  static const char *const names[] = {"email", "name", "number", "credit", "born", "active", "photo", "country_id", "parent_id"};
  const PxField *fields[N_FIELDS];
  PxId ids[8];
  const PxValue *values[8];
  uint64_t masks[8];
  for (size_t i = 0; i < N_FIELDS; i++)
    g_assert_nonnull((fields[i] = px_model_field(f->partner, names[i])));
  for (size_t i = 0; i < n; i++) {
    ids[i] = id_of(rows[i].id);
    values[i] = rows[i].values;
    masks[i] = rows[i].mask;
  }
  PxWrites writes = {.model = f->partner, .fields = fields, .n_fields = N_FIELDS, .n_rows = n, .ids = ids, .values = values, .masks = masks};
  size_t bad = 0;
  return (create ? px_records_create : px_records_update)(f->records, &writes, &bad, error);
}

#define BIT(field) ((uint64_t)1 << (field))
#define ALL (BIT(N_FIELDS) - 1)

static void add_partners(Fixture *f) {
  g_autoptr(GError) error = NULL;
  const Row rows[] = {
    {1,
     {px_value_string("a@x"), px_value_string("Alice"), px_value_integer(10), px_value_real(12.5), px_value_string("2026-02-21"), px_value_integer(1),
      px_value_blob("\0\x01'\"\\", 5), px_value_integer(1), px_value_null()},
     ALL},
    {2, {[EMAIL] = px_value_string("b@x"), [NAME] = px_value_string("Bob"), [PARENT] = px_value_integer(1)}, BIT(EMAIL) | BIT(NAME) | BIT(PARENT)},
    {3, {[NAME] = px_value_string("Bob"), [NUMBER] = px_value_integer(30), [COUNTRY] = px_value_integer(2)}, ALL},
    {4,
     {[EMAIL] = px_value_string("d@x"), [NAME] = px_value_string("D, \"q\"\\"), [PARENT] = px_value_integer(2)},
     BIT(EMAIL) | BIT(NAME) | BIT(PARENT)},
  };
  bool done = write_rows(f, true, rows, G_N_ELEMENTS(rows), &error);
  g_assert_no_error(error);
  g_assert_true(done);
}

static void rows_with_different_columns_are_written(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner"), ==, 4);
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner WHERE id = 1 AND credit = 12.5 AND born = '2026-02-21' AND number = 10 AND country_id = 1"),
                  ==, 1);
  g_assert_cmpint(ask(f, "SELECT length(photo) FROM partner WHERE id = 1"), ==, 5);
  g_assert_cmpint(ask(f, "SELECT id FROM partner WHERE name = 'D, \"q\"\\' AND parent_id = 2 AND email = 'd@x'"), ==, 4);
  const Row changes[] = {
    {4, {[NAME] = px_value_string("Dora")}, BIT(NAME)},
    {1, {[EMAIL] = px_value_null(), [CREDIT] = px_value_string("3.10")}, BIT(EMAIL) | BIT(CREDIT)},
    {3, {[NAME] = px_value_string("Carl")}, BIT(NAME)},
  };
  g_assert_true(write_rows(f, false, changes, G_N_ELEMENTS(changes), &error));
  g_assert_cmpint(ask(f, "SELECT id FROM partner WHERE name = 'Dora' AND email = 'd@x'"), ==, 4);
  g_assert_cmpint(ask(f, "SELECT id FROM partner WHERE name = 'Alice' AND email IS NULL AND credit = 3.1"), ==, 1);
  g_assert_cmpint(ask(f, "SELECT number FROM partner WHERE name = 'Carl'"), ==, 30);
}

static void refusal_says_what_it_is_about(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  const Row twice = {5, {[NUMBER] = px_value_integer(10)}, BIT(NUMBER)};
  const Row over = {5, {[NUMBER] = px_value_integer(1000)}, BIT(NUMBER)};
  const Row nobody = {5, {[PARENT] = px_value_integer(99)}, BIT(PARENT)};
  const struct {
    const Row *row;
    PxRefusalKind kind;
  } cases[] = {{&twice, PX_REFUSED_UNIQUE}, {&over, PX_REFUSED_CHECK}, {&nobody, PX_REFUSED_FOREIGN_KEY}};
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_true(px_db_savepoint(f->db, &error));
    bool refused = !write_rows(f, true, cases[i].row, 1, &error) || !px_db_check_deferred(f->db, &error);
    g_assert_true(refused);
    g_assert_error(error, PX_ERROR, PX_ERROR_CONSTRAINT);
    g_clear_error(&error);
    g_assert_cmpint(px_db_refusal(f->db)->kind, ==, cases[i].kind);
    g_assert_true(px_db_rollback_to(f->db, &error));
  }
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner"), ==, 4);
}

static void ids_are_taken_in_order(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  PxId ids[5];
  g_assert_true(px_records_take_ids(f->records, f->tag, 5, ids, &error));
  for (size_t i = 0; i < 5; i++)
    g_assert_cmpint(number_of(ids[i]), ==, 4 + (int64_t)i);
  g_assert_true(px_records_take_ids(f->records, f->plain, 2, ids, &error)); /* nothing numbers that table but us */
  g_assert_cmpint(number_of(ids[0]), ==, 8);
  g_assert_cmpint(number_of(ids[1]), ==, 9);
  g_assert_true(px_records_take_ids(f->records, f->plain, 0, ids, &error));
  if (!GPOINTER_TO_INT(data))
    return;
  g_assert_true(px_db_exec(f->db, "ALTER SEQUENCE tag_id_seq INCREMENT BY -3", &error));
  g_assert_true(px_records_take_ids(f->records, f->tag, 2, ids, &error));
  g_assert_cmpint(number_of(ids[0]), ==, 5);
  g_assert_cmpint(number_of(ids[1]), ==, 2);
}

/* ---- trust_references */

/* Creates a partner of a country that was looked up, says the caller. */
static bool add_trusted(Fixture *f, int64_t id, int64_t country, GError **error) {
  const PxField *fields[] = {px_model_field(f->partner, "name"), px_model_field(f->partner, "country_id")};
  const bool proved[] = {false, true};
  const PxValue row[] = {px_value_string("Zoe"), px_value_integer(country)};
  const PxValue *values = row;
  const PxId number = id_of(id);
  const uint64_t mask = 3;
  PxWrites writes = {
    .model = f->partner, .fields = fields, .n_fields = 2, .n_rows = 1, .ids = &number, .values = &values, .masks = &mask, .proved = proved};
  size_t bad;
  return px_records_create(f->records, &writes, &bad, error);
}

static void trust_ends_where_a_trigger_begins(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  if (!GPOINTER_TO_INT(data)) {
    g_assert_true(add_trusted(f, 5, 1, &error));
    return;
  }
  g_assert_true(px_db_exec(f->db, "ALTER TABLE partner ADD COLUMN played text DEFAULT current_setting('session_replication_role')", &error));
  g_assert_true(add_trusted(f, 5, 1, &error));
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner WHERE played = 'replica'"), ==, 1);
  g_assert_cmpint(ask(f, "SELECT count(*) WHERE current_setting('session_replication_role') = 'origin'"), ==, 1);
  g_assert_true(px_db_savepoint(f->db, &error));
  g_assert_false(add_trusted(f, 6, 99, &error)); /* it was looked up, and is gone */
  g_assert_error(error, PX_ERROR, PX_ERROR_CONSTRAINT);
  g_clear_error(&error);
  g_assert_cmpint(px_db_refusal(f->db)->kind, ==, PX_REFUSED_FOREIGN_KEY);
  g_assert_true(px_db_rollback_to(f->db, &error));
  g_assert_true(px_db_exec(f->db,
                           "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.number = 7; RETURN NEW; END';"
                           "CREATE TRIGGER mark BEFORE INSERT ON partner FOR EACH ROW EXECUTE FUNCTION mark()",
                           &error));
  g_assert_true(add_trusted(f, 7, 1, &error));
  g_assert_no_error(error);
  g_assert_cmpint(ask(f, "SELECT id FROM partner WHERE number = 7 AND played = 'origin'"), ==, 7);
}

/* ---- finding */

static const PxField *field(const Fixture *f, const char *name) {
  return px_model_field(f->partner, name);
}

static void assert_found(const PxFound *found, size_t n, const int64_t *expected) {
  for (size_t i = 0; i < n; i++)
    g_assert_cmpint(found[i].too_many ? -1 : number_of(found[i].id), ==, expected[i]);
}

static void tuples_with_null_and_any_are_found(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  const PxField *email[] = {field(f, "email")};
  const PxField *name[] = {field(f, "name")};
  const PxField *read[] = {field(f, "number"), field(f, "name")};
  const PxLookupPath paths[] = {{email, 1}, {name, 1}};
  const PxValue any = {.kind = PX_RECORDS_ANY};
  const PxValue tuples[] = {px_value_string("a@x"),
                            px_value_string("Alice"),
                            px_value_null(),
                            px_value_string("Bob"),
                            any,
                            px_value_string("Bob"),
                            px_value_string("a@x"),
                            px_value_null(),
                            px_value_null(),
                            px_value_null(),
                            px_value_string("a@x"),
                            any,
                            any,
                            any,
                            px_value_string("d@x"),
                            px_value_string("D, \"q\"\\")};
  const int64_t expected[] = {1, 3, -1, 0, 0, 1, -1, 4};
  PxFound found[8];
  for (unsigned reads = 0; reads <= 2; reads += 2) {
    const PxLookup *lookup = px_records_lookup(f->records, f->partner, paths, 2, read, reads);
    g_assert_true(px_records_find(f->records, lookup, tuples, 8, f->arena, found, &error));
    assert_found(found, 8, expected);
  }
  g_assert_cmpint(found[0].values[0].integer, ==, 10);
  g_assert_cmpint(found[1].values[0].integer, ==, 30);
  const PxValue bob = px_value_string("Bob");
  g_assert_true(px_value_equal(&found[1].values[1], &bob));
  g_assert_null(found[2].values);
}

static void numbers_beyond_the_column_are_not_found(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  const PxField *number[] = {field(f, "number")};
  const PxLookupPath path = {number, 1};
  const PxLookup *lookup = px_records_lookup(f->records, f->partner, &path, 1, NULL, 0);
  const PxValue tuples[] = {px_value_integer(INT64_MAX), px_value_integer(30), px_value_integer(-1)};
  const int64_t expected[] = {0, 3, 0};
  PxFound found[3];
  g_assert_true(px_records_find(f->records, lookup, tuples, 3, f->arena, found, &error));
  assert_found(found, 3, expected);
}

static void paths_lead_over_relations(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  const PxLinkChange links[] = {
    {field(f, "tag_ids"), id_of(1), id_of(1)}, {field(f, "tag_ids"), id_of(1), id_of(3)}, {field(f, "tag_ids"), id_of(2), id_of(2)}};
  g_assert_true(px_records_link(f->records, links, 3, true, &error));
  const PxField *up[] = {field(f, "parent_id"), field(f, "country_id"), px_model_field(field(f, "country_id")->target, "code")};
  const PxField *across[] = {field(f, "tag_ids"), px_model_field(f->tag, "name")};
  const PxField *down[] = {field(f, "partner_ids"), field(f, "name")};
  const PxField *read[] = {field(f, "name")};
  const PxValue tuples[] = {px_value_string("FR"), px_value_string("Gold"), px_value_string("Bob"), px_value_string("Silver")};
  const PxLookupPath paths[] = {{up, 3}, {across, 2}, {down, 2}};
  const int64_t expected[3][4] = {{2, 0, 0, 0}, {0, 1, 0, 2}, {0, 0, 1, 0}};
  for (size_t i = 0; i < 3; i++)
    for (unsigned reads = 0; reads <= 1; reads++) {
      PxFound found[4];
      const PxLookup *lookup = px_records_lookup(f->records, f->partner, &paths[i], 1, read, reads);
      g_assert_true(px_records_find(f->records, lookup, tuples, 4, f->arena, found, &error));
      assert_found(found, 4, expected[i]);
    }
}

static void limits_leave_records_out(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  g_autoptr(GTimeZone) zone = g_time_zone_new_utc();
  g_autoptr(PxDomain) domain = px_domain_parse(f->partner, "[('number', '=', 30)]", zone, &error);
  g_assert_no_error(error);
  const PxField *name[] = {field(f, "name")};
  const PxLookupPath path = {name, 1};
  const PxLookupLimit limit = {.domain = domain};
  const PxLookup *lookup = px_records_limited_lookup(f->records, f->partner, &path, 1, &limit, 1);
  const PxValue tuples[] = {px_value_string("Bob"), px_value_string("Alice"), px_value_string("Zoe")};
  PxFound found[3];
  g_assert_true(px_records_find(f->records, lookup, tuples, 3, f->arena, found, &error));
  g_assert_no_error(error);
  const int64_t expected[] = {3, 0, 0};
  assert_found(found, 3, expected);
  g_assert_true(found[1].excluded && !found[2].excluded);
}

/* ---- relations, external ids */

static void links_come_and_go(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  add_partners(f);
  const PxField *tags = field(f, "tag_ids");
  const PxLinkChange links[] = {{tags, id_of(1), id_of(1)}, {tags, id_of(2), id_of(2)}, {tags, id_of(1), id_of(3)}};
  g_assert_true(px_records_link(f->records, links, 3, true, &error));
  g_assert_cmpint(ask(f, "SELECT sum(partner_id * 10 + tag_id) FROM partner_tag"), ==, 11 + 22 + 13);
  g_assert_true(px_records_link(f->records, links, 2, false, &error));
  g_assert_cmpint(ask(f, "SELECT sum(partner_id * 10 + tag_id) FROM partner_tag"), ==, 13);
  g_assert_true(px_records_link(f->records, links, 0, true, &error));
  const PxId children[] = {id_of(2), id_of(4)};
  g_assert_true(px_records_detach(f->records, field(f, "parent_id"), children, 2, &error));
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner WHERE parent_id IS NOT NULL"), ==, 0);
  const PxValue names[] = {px_value_string("shop.alice"), px_value_string("bob"), px_value_string("shop.dora")};
  const PxId named[] = {id_of(1), id_of(2), id_of(4)};
  g_assert_true(px_records_add_external(f->records, f->partner, names, named, 3, &error));
  const PxId gone[] = {id_of(1), id_of(4)};
  g_assert_true(px_records_delete(f->records, f->partner, gone, 2, &error));
  g_assert_no_error(error);
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner"), ==, 2);
  g_assert_cmpint(ask(f, "SELECT count(*) FROM partner_tag"), ==, 0);
  g_assert_cmpint(ask(f, "SELECT count(*) FROM pattimpex_external_id"), ==, 1);
}

static void external_ids_are_found(Fixture *f, const void *data) {
  g_autoptr(GError) error = NULL;
  const PxValue names[] = {px_value_string("shop.a"), px_value_string("b"), px_value_string("__import__.b"), px_value_string("shop.b")};
  const PxId named[] = {id_of(5), id_of(6)};
  PxId ids[4];
  const char *tables[4];
  g_assert_true(px_records_add_external(f->records, f->partner, names, named, 2, &error));
  g_assert_true(px_records_find_external(f->records, names, 4, f->arena, ids, tables, &error));
  const int64_t expected[] = {5, 6, 6, 0};
  for (size_t i = 0; i < 4; i++) {
    g_assert_cmpint(number_of(ids[i]), ==, expected[i]);
    g_assert_cmpstr(tables[i], ==, expected[i] ? "partner" : NULL);
  }
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*test)(Fixture *f, const void *data);
  } tests[] = {
    {"rows_with_different_columns_are_written", rows_with_different_columns_are_written},
    {"refusal_says_what_it_is_about", refusal_says_what_it_is_about},
    {"ids_are_taken_in_order", ids_are_taken_in_order},
    {"trust_ends_where_a_trigger_begins", trust_ends_where_a_trigger_begins},
    {"tuples_with_null_and_any_are_found", tuples_with_null_and_any_are_found},
    {"numbers_beyond_the_column_are_not_found", numbers_beyond_the_column_are_not_found},
    {"paths_lead_over_relations", paths_lead_over_relations},
    {"limits_leave_records_out", limits_leave_records_out},
    {"links_come_and_go", links_come_and_go},
    {"external_ids_are_found", external_ids_are_found},
  };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
    for (int on_postgres = 0; on_postgres < 2; on_postgres++) {
      g_autofree char *path = g_strdup_printf("/records/batches/%s/%s", on_postgres ? "postgres" : "sqlite", tests[i].name);
      g_test_add(path, Fixture, GINT_TO_POINTER(on_postgres), set_up, tests[i].test, tear_down);
    }
  return g_test_run();
}
