/* SPDX-License-Identifier: Apache-2.0 */
/* How many statements a chunk of nested records comes to. */
#include "fixture.h"

static const char tables[] =
  "CREATE TABLE country (id integer PRIMARY KEY, code text NOT NULL UNIQUE);"
  "INSERT INTO country (code) VALUES ('FR'), ('BE');"
  "CREATE TABLE tag (id integer PRIMARY KEY, name text NOT NULL UNIQUE);"
  "INSERT INTO tag (name) VALUES ('Gold'), ('Silver'), ('Bronze');"
  "CREATE TABLE partner (id integer PRIMARY KEY, name text, email text UNIQUE, parent_id integer REFERENCES partner (id),"
  " country_id integer REFERENCES country (id));"
  "CREATE INDEX partner_parent ON partner (parent_id, name);"
  "CREATE TABLE partner_tag (partner_id integer NOT NULL REFERENCES partner (id), tag_id integer NOT NULL REFERENCES tag (id),"
  " PRIMARY KEY (partner_id, tag_id));";

static const char header[] = "email#key;name;country_id|code;partner_ids|1|name#key;partner_ids|1|country_id|code;partner_ids|2|name#key;"
                             "partner_ids|2|country_id|code;tag_ids|1|name;tag_ids|2|name;tag_ids|3|name";

typedef struct {
  uint64_t prepared, run;
} Came;

/* Loads rows [from, from + n) as one chunk. */
static Came load(Fixture *fixture, size_t from, size_t n, const char *name) {
  g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(lines, g_strdup(header));
  for (size_t i = from; i < from + n; i++)
    g_ptr_array_add(lines, g_strdup_printf("p%zu@x;%s;FR;A%zu;BE;B%zu;FR;Gold;Silver;Bronze", i, name, i, i));
  PxDbCounts before = px_db_counts(fixture->db);
  Outcome outcome = fixture_load(fixture, (const char *const *)lines->pdata, lines->len, 0, false);
  PxDbCounts after = px_db_counts(fixture->db);
  g_assert_cmpstr(outcome.messages, ==, "");
  g_assert_cmpuint(outcome.counts.created + outcome.counts.updated + outcome.counts.unchanged, ==, n);
  outcome_done(&outcome);
  return (Came){after.prepared - before.prepared, after.run - before.run};
}

/* What a row more runs, of statements that are there already: a key and two keys of children; then three records and three links, or what its
 * record is linked to. Countries and tags are asked for once a chunk, however many rows name them. */
enum { KEYS = 3, NEW = KEYS + 3 + 3, UNCHANGED = KEYS + 1, RENAMED = UNCHANGED + 1 };

static void check_growth(Fixture *fixture, size_t from, const char *name, unsigned runs_a_row) {
  Came few = load(fixture, from, 100, name);
  Came many = load(fixture, from + 100, 1000, name);
  g_assert_cmpuint(many.prepared, <=, few.prepared);
  g_assert_cmpuint(many.run - few.run, <=, (uint64_t)900 * runs_a_row);
}

static void test_statements_of_a_chunk(void) {
  Fixture fixture;
  fixture_open(&fixture, tables, "partner");
  check_growth(&fixture, 0, "New", NEW);
  check_growth(&fixture, 0, "New", UNCHANGED);
  check_growth(&fixture, 0, "Other", RENAMED);
  g_autofree char *rows = fixture_query(&fixture, "SELECT (SELECT count(*) FROM partner), (SELECT count(*) FROM partner_tag)");
  g_assert_cmpstr(rows, ==, "3300|3300\n");
  fixture_close(&fixture);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/load/counts/statements_of_a_chunk", test_statements_of_a_chunk);
  return g_test_run();
}
