/* SPDX-License-Identifier: Apache-2.0 */
/* What loading does to records, rule by rule. */
#include "fixture.h"

#define SCHEMA                                                                                                                                       \
  "CREATE TABLE country (id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT NOT NULL);"                                                             \
  "CREATE TABLE partner (id INTEGER PRIMARY KEY, email TEXT, name TEXT, city TEXT, color INTEGER DEFAULT 7, "                                        \
  " kind TEXT NOT NULL DEFAULT 'contact', barcode TEXT UNIQUE, country_id INTEGER REFERENCES country (id), "                                         \
  " parent_id INTEGER REFERENCES partner (id), active BOOLEAN DEFAULT TRUE, CONSTRAINT sane CHECK (name <> 'refuse me'));"                           \
  "INSERT INTO country VALUES (1, 'FR', 'France'), (2, 'BE', 'Belgium');"                                                                            \
  "INSERT INTO partner (id, email, name, city, country_id) VALUES (10, 'a@x', 'Alice', 'Old', 1), (11, 'b@x', 'Bob', 'Old', 2), "                    \
  " (12, 'dup@x', 'D1', NULL, NULL), (13, 'dup@x', 'D2', NULL, NULL);"

static void test_case(const void *data) {
  fixture_check(SCHEMA, "partner", data);
}

static const FixtureCase key_updates_and_creates = {
  .lines = {"email#key;name;city", "a@x;Alice;New", "new@x;New;Town", "b@x;Bob;Old"},
  .messages = "",
  .query = "SELECT id, name, city FROM partner WHERE id IN (10, 11) OR id > 13",
  .rows = "10|Alice|New\n11|Bob|Old\n14|New|Town\n",
  .counts = {.created = 1, .updated = 1, .unchanged = 1},
};

static const FixtureCase same_new_key_twice = {
  .lines = {"email#key;name", "n@x;First", "n@x;Second", "n@x;Second"},
  .messages = "",
  .query = "SELECT id, name FROM partner WHERE email = 'n@x'",
  .rows = "14|Second\n",
  .counts = {.created = 1, .updated = 1, .unchanged = 1},
};

static const FixtureCase key_renamed_then_looked_for = {
  /* Row 2 gives Alice another address; row 3 must not find her by the old one, row 4 must by the new one. */
  .lines = {"email#key;email;name", "a@x;z@x;Alice", "a@x;;Nobody", "z@x;z@x;Zoe"},
  .messages = "",
  .query = "SELECT id, email, name FROM partner WHERE id = 10 OR id > 13",
  .rows = "10|z@x|Zoe\n14||Nobody\n",
  .counts = {.created = 1, .updated = 2},
};

static const FixtureCase reference_to_an_earlier_row = {
  .lines = {"email#key;name;parent_id|email", "root@x;Root;", "kid@x;Kid;root@x", "early@x;Early;late@x", "late@x;Late;kid@x"},
  .messages = "4 parent_id|email not_found Parent: no Partner has Email \"late@x\"\n",
  .query = "SELECT p.name, q.name FROM partner p LEFT JOIN partner q ON q.id = p.parent_id WHERE p.id > 13 ORDER BY p.id",
  .rows = "Root|\nKid|Root\nLate|Kid\n",
  .counts = {.created = 3, .failed = 1},
};

static const FixtureCase reference_to_two_earlier_rows = {
  .lines = {"email#key;name;parent_id|name", "r1@x;Root;", "r2@x;Root;", "kid@x;Kid;Root"},
  .messages = "4 parent_id|name too_many Parent: more than one Partner has Name \"Root\"\n",
  .query = "SELECT count(*) FROM partner WHERE name = 'Kid'",
  .rows = "0\n",
  .counts = {.created = 2, .failed = 1},
};

static const FixtureCase unique_value_freed_and_taken = {
  .lines = {".id;email#key;name;barcode", ";1@x;One;111", ";2@x;Two;111", ";1@x;One;222", ";2@x;Two;111"},
  .messages = "3 barcode unique Barcode: \"111\" is used by another Partner already\n",
  .query = "SELECT name, barcode FROM partner WHERE id > 13 ORDER BY id",
  .rows = "One|222\nTwo|111\n",
  .counts = {.created = 2, .updated = 1, .failed = 1},
};

static const FixtureCase refused_by_the_database = {
  .lines = {"email#key;name;parent_id|email", "1@x;One;", "2@x;refuse me;", "3@x;Three;2@x", "4@x;Four;1@x"},
  .messages = "3 - check Name: \"refuse me\" breaks the rule sane (name <> 'refuse me') of the database\n4 parent_id|email not_found Parent: no "
              "Partner has Email \"2@x\"\n",
  .query = "SELECT id, name FROM partner WHERE id > 13",
  .rows = "14|One\n15|Four\n",
  .counts = {.created = 2, .failed = 2},
};

static const FixtureCase all_messages_of_a_row = {
  .lines = {"email#key;name;color;country_id|code;active", "dup@x;X;abc;ZZ;maybe"},
  .query = "SELECT count(*) FROM partner WHERE name = 'X'",
  .rows = "0\n",
  .counts = {.failed = 1},
};

static const FixtureCase empty_cells = {
  /* Updating clears; creating gives a NOT NULL column its default and any other NULL, whatever its default. */
  .lines = {"email#key;name;city;color;kind", "a@x;Alice;;;contact", "n@x;New;;;", ";;;;"},
  .messages = "",
  .query = "SELECT email, city, color, kind FROM partner WHERE id = 10 OR id > 13",
  .rows = "a@x|||contact\nn@x|||contact\n",
  .counts = {.created = 1, .updated = 1, .skipped = 1},
};

static const FixtureCase required_on_update = {
  .lines = {"email#key;kind", "a@x;"},
  .messages = "2 kind required Kind: must not be empty\n",
  .query = "SELECT kind FROM partner WHERE id = 10",
  .rows = "contact\n",
  .counts = {.failed = 1},
};

static const FixtureCase database_id = {
  .lines = {".id;email#key;name", "11;a@x;Renamed", "999;q@x;Ghost", ";;NoKey", "abc;c@x;Bad"},
  .query = "SELECT id, email, name FROM partner WHERE id = 11",
  .rows = "11|a@x|Renamed\n",
  .counts = {.updated = 1, .failed = 3},
};

static const FixtureCase database_id_of_a_new_record = {
  .lines = {".id;email#key;name", ";n@x;New", "14;n2@x;Newer", "15;;Nobody"},
  .query = "SELECT id, email, name FROM partner WHERE id > 13",
  .rows = "14|n2@x|Newer\n",
  .counts = {.created = 1, .updated = 1, .failed = 1},
};

static const FixtureCase external_ids = {
  .lines = {"id;name;parent_id|id", "shop.one;One;", "two;Two;shop.one", "shop.one;One again;", "four;Four;nowhere"},
  .query = "SELECT x.module, x.name, p.name, p.parent_id FROM pattimpex_external_id x JOIN partner p ON p.id = x.res_id ORDER BY p.id",
  .rows = "shop|one|One again|\n__import__|two|Two|14\n",
  .counts = {.created = 2, .updated = 1, .failed = 1},
};

static const FixtureCase key_of_a_reference = {
  .lines = {"name#key;country_id#key|code;city", "Alice;FR;New", "Alice;BE;Other", "Alice;ZZ;None"},
  .messages = "4 country_id#key|code not_found Country: no Country has Code \"ZZ\"\n",
  .query = "SELECT id, city, country_id FROM partner WHERE name = 'Alice'",
  .rows = "10|New|1\n14|Other|2\n",
  .counts = {.created = 1, .updated = 1, .failed = 1},
};

static const FixtureCase null_matches_null = {
  .lines = {"name#key;city#key;color", "D1;;1", "Alice;;2"},
  .messages = "",
  .query = "SELECT id, name, city, color FROM partner WHERE color < 7",
  .rows = "12|D1||1\n14|Alice||2\n",
  .counts = {.created = 1, .updated = 1},
};

static const FixtureCase absent_cells_leave_their_fields_alone = {
  /* A row is loaded as if the file did not have the columns that the row lacks. */
  .lines = {"email#key;name#key;city;kind;country_id|code;country_id|name", "a@x;~;~;~;~;~", "b@x;Bob;New;~;FR;~", "n@x;~;~;~;~;Belgium",
            "~;~;Lost;~;~;~"},
  .messages = "5 email#key key_empty the key is empty, so no record can be found or made\n",
  .query = "SELECT id, email, name, city, color, kind, country_id FROM partner WHERE id IN (10, 11) OR id > 13",
  .rows = "10|a@x|Alice|Old|7|contact|1\n11|b@x|Bob|New|7|contact|1\n14|n@x|||7|contact|2\n",
  .counts = {.created = 1, .updated = 1, .unchanged = 1, .failed = 1},
};

static const FixtureCase deep_reference = {
  .lines = {"email#key;name;parent_id|country_id|code", "k1@x;K1;FR", "a@x;Alice;", "k2@x;K2;ZZ"},
  .query = "SELECT name, parent_id FROM partner WHERE id > 13",
  .rows = "K1|10\n",
  .counts = {.created = 1, .unchanged = 1, .failed = 1},
};

static const FixtureCase limited_reference = {
  .lines = {"email#key;name;country_id|code;parent_id|country_id|code", "a@x;Alice;FR;", "a@x;Alice;BE;", "b@x;Bob;FR;BE", "n@x;New;ZZ;",
            "m@x;Mo;FR;FR"},
  .limits = {"country_id", "[('name', 'like', 'ran')]", "parent_id.country_id", "[('code', '!=', 'BE')]"},
  .messages = "3 country_id|code not_found Country: the Country that has Code \"BE\" is left out by the domain of the pattern\n"
              "4 parent_id|country_id|code not_found Parent: the Partner that has Country|Code \"BE\" is left out by the domain of the pattern\n"
              "5 country_id|code not_found Country: no Country has Code \"ZZ\"\n",
  .query = "SELECT id, name, country_id, parent_id FROM partner WHERE id IN (10, 11) OR id > 13",
  .rows = "10|Alice|1|\n11|Bob|2|\n14|Mo|1|10\n",
  .counts = {.created = 1, .unchanged = 1, .failed = 3},
};

static const FixtureCase limited_reference_to_what_the_file_writes = {
  /* What the domain holds for is what earlier rows left. */
  .lines = {"email#key;name;city;parent_id|email", "r@x;Root;Paris;", "k@x;Kid;Lyon;r@x", "g@x;Grand;Paris;k@x", "r@x;Root;Rome;",
            "l@x;Late;Paris;r@x"},
  .limits = {"parent_id", "[('city', '=', 'Paris')]"},
  .messages = "4 parent_id|email not_found Parent: the Partner that has Email \"k@x\" is left out by the domain of the pattern\n"
              "6 parent_id|email not_found Parent: the Partner that has Email \"r@x\" is left out by the domain of the pattern\n",
  .query = "SELECT id, name, city, parent_id FROM partner WHERE id > 13",
  .rows = "14|Root|Rome|\n15|Kid|Lyon|14\n",
  .counts = {.created = 2, .updated = 1, .failed = 2},
};

static void only_allowed(bool create, bool update, guint64 created, guint64 updated, guint64 failed) {
  const char *lines[] = {"email#key;name", "a@x;Other", "b@x;Bob", "n@x;New"};
  Fixture fixture;
  fixture_open(&fixture, SCHEMA, "partner");
  fixture.pattern.create = create;
  fixture.pattern.update = update;
  Outcome outcome = fixture_load(&fixture, lines, G_N_ELEMENTS(lines), 0, false);
  g_assert_cmpuint(outcome.counts.created, ==, created);
  g_assert_cmpuint(outcome.counts.updated, ==, updated);
  g_assert_cmpuint(outcome.counts.unchanged, ==, 1);
  g_assert_cmpuint(outcome.counts.failed, ==, failed);
  outcome_done(&outcome);
  fixture_close(&fixture);
}

static void test_create_false(void) {
  only_allowed(false, true, 0, 1, 1);
}

static void test_update_false(void) {
  only_allowed(true, false, 1, 0, 1);
}

#define TRIGGERS                                                                                                                                     \
  SCHEMA "CREATE TRIGGER strict BEFORE INSERT ON partner WHEN new.name = 'end it' BEGIN SELECT RAISE(ROLLBACK, 'not that one'); END;"                \
         "CREATE TRIGGER loud BEFORE UPDATE ON partner WHEN new.name = 'no' BEGIN SELECT RAISE(ABORT, 'too quiet'); END;"

static void test_trigger_that_ends_the_transaction(void) {
  const char *lines[] = {"email#key;name", "1@x;One", "2@x;end it", "3@x;Three", "a@x;no"};
  Fixture fixture;
  fixture_open(&fixture, TRIGGERS, "partner");
  Outcome outcome = fixture_load(&fixture, lines, G_N_ELEMENTS(lines), 0, false);
  g_assert_cmpstr(outcome.error, ==, NULL);
  g_assert_cmpstr(outcome.messages, ==, "3 - trigger not that one\n5 - trigger too quiet\n");
  g_autofree char *rows = fixture_query(&fixture, "SELECT name FROM partner WHERE id > 13");
  g_assert_cmpstr(rows, ==, "One\nThree\n");
  outcome_done(&outcome);
  fixture_close(&fixture);
}

static void test_deferred_constraint_is_told_of_its_row(void) {
  const char *lines[] = {"name#key;other", "One;1", "Two;99", "Three;1"};
  Fixture fixture;
  fixture_open(&fixture,
               "CREATE TABLE b (code INTEGER UNIQUE, id INTEGER PRIMARY KEY); INSERT INTO b VALUES (1, 1);"
               "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT, other INTEGER REFERENCES b (code) DEFERRABLE INITIALLY DEFERRED);",
               "a");
  Outcome outcome = fixture_load(&fixture, lines, G_N_ELEMENTS(lines), 0, false);
  g_assert_cmpstr(outcome.error, ==, NULL);
  g_assert_cmpstr(outcome.messages, ==, "3 other foreign_key Other: no B has Code 99\n");
  g_autofree char *rows = fixture_query(&fixture, "SELECT name FROM a");
  g_assert_cmpstr(rows, ==, "One\nThree\n");
  outcome_done(&outcome);
  fixture_close(&fixture);
}

static void test_collations(void) {
  const char *lines[] = {"code#key;name", "ABC;First", "abc;Second", "ab ;Third"};
  Fixture fixture;
  fixture_open(&fixture, "CREATE TABLE a (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE UNIQUE, name TEXT);", "a");
  Outcome outcome = fixture_load(&fixture, lines, G_N_ELEMENTS(lines), 0, false);
  g_assert_cmpuint(outcome.counts.created, ==, 2);
  g_assert_cmpuint(outcome.counts.updated, ==, 1);
  g_autofree char *rows = fixture_query(&fixture, "SELECT code, name FROM a");
  g_assert_cmpstr(rows, ==, "ABC|Second\nab|Third\n");
  outcome_done(&outcome);
  fixture_close(&fixture);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_data_func("/load/" #name, &name, test_case)
  ADD(key_updates_and_creates);
  ADD(same_new_key_twice);
  ADD(key_renamed_then_looked_for);
  ADD(reference_to_an_earlier_row);
  ADD(reference_to_two_earlier_rows);
  ADD(unique_value_freed_and_taken);
  ADD(refused_by_the_database);
  ADD(all_messages_of_a_row);
  ADD(empty_cells);
  ADD(required_on_update);
  ADD(database_id);
  ADD(database_id_of_a_new_record);
  ADD(external_ids);
  ADD(key_of_a_reference);
  ADD(null_matches_null);
  ADD(absent_cells_leave_their_fields_alone);
  ADD(deep_reference);
  ADD(limited_reference);
  ADD(limited_reference_to_what_the_file_writes);
  g_test_add_func("/load/create_false", test_create_false);
  g_test_add_func("/load/update_false", test_update_false);
  g_test_add_func("/load/trigger_that_ends_the_transaction", test_trigger_that_ends_the_transaction);
  g_test_add_func("/load/deferred_constraint_is_told_of_its_row", test_deferred_constraint_is_told_of_its_row);
  g_test_add_func("/load/collations", test_collations);
  return g_test_run();
}
