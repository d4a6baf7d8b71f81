/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are small trees: items of one2many and many2many. */
#include "fixture.h"

#define SCHEMA                                                                                                                                       \
  "CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT);"                                                                                            \
  "CREATE TABLE partner (id INTEGER PRIMARY KEY, email TEXT, name TEXT, job TEXT, parent_id INTEGER REFERENCES partner (id));"                       \
  "CREATE TABLE line (id INTEGER PRIMARY KEY, partner_id INTEGER NOT NULL REFERENCES partner (id), name TEXT NOT NULL, quantity INTEGER,"            \
  " UNIQUE (partner_id, name), CHECK (quantity >= 0));"                                                                                              \
  "CREATE TABLE partner_tag (partner_id INTEGER REFERENCES partner (id), tag_id INTEGER REFERENCES tag (id), PRIMARY KEY (partner_id, tag_id));"     \
  "INSERT INTO tag VALUES (1, 'Gold'), (2, 'Silver'), (3, 'Twin'), (4, 'Twin');"                                                                     \
  "INSERT INTO partner VALUES (1, 'acme@x', 'ACME', NULL, NULL), (2, 'carl@x', 'Carl', 'Buyer', 1), (3, 'sara@x', 'Sara', 'Seller', 1),"             \
  " (4, 'other@x', 'Other', NULL, NULL);"                                                                                                            \
  "INSERT INTO line VALUES (1, 1, 'Widget', 1), (2, 1, 'Gadget', 2); INSERT INTO partner_tag VALUES (1, 1);"

static void test_case(const void *data) {
  fixture_check(SCHEMA, "partner", data);
}

static const FixtureCase new_parent_with_children = {
  .lines = {"email#key;name;partner_ids|1|name;partner_ids|3|name;partner_ids|3|partner_ids|1|name", "n@x;New;Kid A;Kid B;Grandkid", "m@x;Mum;;;"},
  .messages = "",
  .query = "SELECT c.name, p.name FROM partner c LEFT JOIN partner p ON p.id = c.parent_id WHERE c.id > 4 ORDER BY c.id",
  .rows = "New|\nKid A|New\nKid B|New\nGrandkid|Kid B\nMum|\n",
  .counts = {.created = 2},
};

static const FixtureCase children_by_key = {
  /* Other's Buyer is not ACME's: a key looks among the parent's own children. */
  .lines = {"email#key;partner_ids|1|job#key;partner_ids|1|name", "acme@x;Buyer;Carla", "other@x;Buyer;Olga", "acme@x;Buyer;Carla"},
  .messages = "",
  .query = "SELECT id, name, job, parent_id FROM partner WHERE job = 'Buyer'",
  .rows = "2|Carla|Buyer|1\n5|Olga|Buyer|4\n",
  .counts = {.updated = 2, .unchanged = 1},
};

static const FixtureCase same_item_twice_in_a_row = {
  .lines = {"email#key;line_ids|1|name#key;line_ids|1|quantity;line_ids|2|name#key;line_ids|2|quantity", "acme@x;New;5;New;6", "other@x;A;1;A;1"},
  .messages = "",
  .query = "SELECT partner_id, name, quantity FROM line WHERE id > 2",
  .rows = "1|New|6\n4|A|1\n",
  .counts = {.updated = 2},
};

static const FixtureCase bad_item_fails_its_row = {
  .lines = {"email#key;name;line_ids|1|name;line_ids|1|quantity", "n@x;New;A;bad", "m@x;Mum;;2", "k@x;Kim;A;-1", "l@x;Lea;A;1"},
  .messages = "2 line_ids|1|quantity conversion Quantity: \"bad\" is no integer\n3 line_ids|1|name required Name: must not be empty\n"
              "4 - check Quantity: -1 breaks the rule quantity >= 0 of the database\n",
  .query = "SELECT p.name, l.name FROM partner p LEFT JOIN line l ON l.partner_id = p.id WHERE p.id > 4",
  .rows = "Lea|A\n",
  .counts = {.created = 1, .failed = 3},
};

static const FixtureCase unique_among_items = {
  .lines = {"email#key;line_ids|1|name;line_ids|1|quantity", "acme@x;Widget;1", "other@x;Widget;1"},
  .messages = "2 line_ids|1|name unique Partner 1, Name \"Widget\" together are used by another Line already\n",
  .query = "SELECT partner_id, name FROM line ORDER BY id",
  .rows = "1|Widget\n1|Gadget\n4|Widget\n",
  .counts = {.updated = 1, .failed = 1},
};

static const FixtureCase purge_deletes_where_the_parent_is_required = {
  /* The new Gadget may take the name of the one that goes. */
  .lines = {"email#key;line_ids|1|name#key;line_ids|1|quantity;line_ids|2|name;line_ids|2|quantity", "acme@x;Widget;7;Gadget;3"},
  .purge = PX_PURGE_DETACH,
  .messages = "",
  .query = "SELECT name, quantity FROM line ORDER BY name",
  .rows = "Gadget|3\nWidget|7\n",
  .counts = {.updated = 1},
};

static const FixtureCase purge_detaches_where_it_may_be_empty = {
  .lines = {"email#key;partner_ids|1|job#key;partner_ids|1|name", "acme@x;Buyer;Carl"},
  .purge = PX_PURGE_DETACH,
  .messages = "",
  .query = "SELECT id, parent_id FROM partner WHERE id IN (2, 3)",
  .rows = "2|1\n3|\n",
  .counts = {.updated = 1},
};

static const FixtureCase purge_deletes_where_the_pattern_says_so = {
  /* With its links and its external id; the row that names it later does not find it. */
  .lines = {"email#key;tag_ids|1|name;partner_ids|1|job#key;partner_ids|1|name;partner_ids|2|.id", "sara@x;Gold;;;", "acme@x;~;Buyer;Carl;",
            "acme@x;~;Buyer;Carl;3"},
  .purge = PX_PURGE_DELETE,
  .messages = "4 partner_ids|2|.id not_found no Partner has the database id 3\n",
  .query = "SELECT id, parent_id, (SELECT count(*) FROM partner_tag WHERE partner_id = 3) FROM partner",
  .rows = "1||0\n2|1|0\n4||0\n",
  .counts = {.updated = 2, .failed = 1},
};

static const FixtureCase purge_does_not_delete_what_the_row_names_elsewhere = {
  .lines = {"email#key;partner_ids|1|job#key;partner_ids|1|name;partner_ids|1|partner_ids|1|.id;partner_ids|1|partner_ids|1|job",
            "acme@x;Buyer;Carl;3;Aide"},
  .purge = PX_PURGE_DELETE,
  .messages = "",
  .query = "SELECT id, parent_id, job FROM partner WHERE id IN (2, 3)",
  .rows = "2|1|Buyer\n3|2|Aide\n",
  .counts = {.updated = 1},
};

static const FixtureCase purge_of_what_others_refer_to = {
  .lines = {"email#key;name;partner_ids|1|job#key;partner_ids|1|name;partner_ids|1|partner_ids|1|name", "acme@x;ACME;Seller;Sara;",
            "acme@x;ACME;Buyer;Carl;Kid", "acme@x;ACME;Chief;Zoe;"},
  .purge = PX_PURGE_DELETE,
  .messages =
    "4 - foreign_key Partner ids: a Partner that the row does not name cannot be removed, because other records refer to it; name it in the "
    "row, or take these away first\n",
  .query = "SELECT name, job, parent_id FROM partner ORDER BY id",
  .rows = "ACME||\nOther||\nCarl|Buyer|1\nKid||5\n",
  .counts = {.updated = 2, .failed = 1},
};

static const FixtureCase no_purge_without_a_column = {
  .lines = {"email#key;name", "acme@x;ACME"},
  .purge = PX_PURGE_DETACH,
  .query = "SELECT count(*) FROM partner WHERE parent_id = 1",
  .rows = "2\n",
  .counts = {.unchanged = 1},
};

static const FixtureCase links_are_replaced = {
  .lines = {"email#key;tag_ids|1|name;tag_ids|4|name", "acme@x;Silver;Silver", "other@x;Gold;", "carl@x;Twin;", "sara@x;;"},
  .messages = "4 tag_ids|1|name too_many Tag ids: more than one Tag has Name \"Twin\"\n",
  .query = "SELECT * FROM partner_tag ORDER BY 1, 2",
  .rows = "1|2\n4|1\n",
  .counts = {.updated = 2, .unchanged = 1, .failed = 1},
};

static const FixtureCase links_are_added = {
  .lines = {"email#key;tag_ids|1|name", "acme@x;Silver", "acme@x;Gold", "acme@x;"},
  .update_links = true,
  .query = "SELECT * FROM partner_tag ORDER BY 1, 2",
  .rows = "1|1\n1|2\n",
  .counts = {.updated = 1, .unchanged = 2},
};

static const FixtureCase absent_items_are_left_alone = {
  .lines = {"email#key;tag_ids|1|name;partner_ids|1|job#key;partner_ids|1|name", "acme@x;~;~;~", "other@x;Silver;~;~", "acme@x;~;Buyer;~"},
  .purge = PX_PURGE_DETACH,
  .messages = "",
  .query = "SELECT id, parent_id, (SELECT group_concat(tag_id) FROM partner_tag WHERE partner_id = id) FROM partner",
  .rows = "1||1\n2|1|\n3||\n4||2\n",
  .counts = {.updated = 2, .unchanged = 1},
};

static const FixtureCase moved_by_its_id = {
  .lines = {"email#key;partner_ids|1|.id;partner_ids|1|name", "other@x;2;Carl", "acme@x;99;Ghost"},
  .messages = "3 partner_ids|1|.id not_found no Partner has the database id 99\n",
  .query = "SELECT parent_id FROM partner WHERE id = 2",
  .rows = "4\n",
  .counts = {.updated = 1, .failed = 1},
};

/* Nothing of the order itself is read or written: it still is a record that exists, whatever a new one would need. */
static void test_parent_by_its_id_alone(void) {
  static const FixtureCase order_by_id = {
    .lines = {".id;line_ids|1|name", "1;Widget", "9;Gadget"},
    .messages = "3 .id not_found no Bill has the database id 9\n",
    .query = "SELECT bill_id, name FROM line",
    .rows = "1|Widget\n",
    .counts = {.updated = 1, .failed = 1},
  };
  fixture_check("CREATE TABLE bill (id INTEGER PRIMARY KEY, number TEXT NOT NULL);"
                "CREATE TABLE line (id INTEGER PRIMARY KEY, bill_id INTEGER NOT NULL REFERENCES bill (id), name TEXT);"
                "INSERT INTO bill VALUES (1, 'B1');",
                "bill", &order_by_id);
}

#define WITH_INACTIVE                                                                                                                                \
  "ALTER TABLE tag ADD COLUMN active BOOLEAN; ALTER TABLE line ADD COLUMN active BOOLEAN; UPDATE tag SET active = id <> 2;"                          \
  "UPDATE line SET active = id = 1; INSERT INTO partner_tag VALUES (1, 2), (1, 3);"

/* They are in no export, so that a file which comes back cannot name them. */
static const FixtureCase inactive_items_are_left_alone = {
  .lines = {"email#key;tag_ids|1|name;line_ids|1|name#key;line_ids|1|quantity", "acme@x;Gold;New;1", "acme@x;Silver;New;1"},
  .purge = PX_PURGE_DELETE,
  .messages = "",
  .query = "SELECT 'tag', tag_id FROM partner_tag UNION ALL SELECT name, quantity FROM line",
  .rows = "tag|2\nGadget|2\nNew|1\n",
  .counts = {.updated = 2},
};

static void test_inactive(const void *data) {
  fixture_check(SCHEMA WITH_INACTIVE, "partner", data);
}

static const FixtureCase limited_items = {
  /* Of the twins one is allowed, so it is the one. */
  .lines = {"email#key;tag_ids|1|name;partner_ids|1|job#key;partner_ids|1|name;partner_ids|1|tag_ids|1|name", "acme@x;Twin;Buyer;Carl;Gold",
            "other@x;Gold;;;", "other@x;Twin;Aide;Ann;Twin", "other@x;Lead;;;"},
  .limits = {"tag_ids", "[('id', '>=', 4)]", "partner_ids.tag_ids", "[('name', '!=', 'Twin')]"},
  .messages = "3 tag_ids|1|name not_found Tag ids: the Tag that has Name \"Gold\" is left out by the domain of the pattern\n"
              "4 partner_ids|1|tag_ids|1|name not_found Tag ids: the Tag that has Name \"Twin\" is left out by the domain of the pattern\n"
              "5 tag_ids|1|name not_found Tag ids: no Tag has Name \"Lead\"\n",
  .query = "SELECT * FROM partner_tag ORDER BY 1, 2",
  .rows = "1|4\n2|1\n",
  .counts = {.updated = 1, .failed = 3},
};

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/load/nested/parent_by_its_id_alone", test_parent_by_its_id_alone);
#define ADD(name) g_test_add_data_func("/load/nested/" #name, &name, test_case)
  ADD(new_parent_with_children);
  ADD(children_by_key);
  ADD(same_item_twice_in_a_row);
  ADD(bad_item_fails_its_row);
  ADD(unique_among_items);
  ADD(purge_deletes_where_the_parent_is_required);
  ADD(purge_detaches_where_it_may_be_empty);
  ADD(purge_deletes_where_the_pattern_says_so);
  ADD(purge_does_not_delete_what_the_row_names_elsewhere);
  ADD(purge_of_what_others_refer_to);
  ADD(no_purge_without_a_column);
  ADD(links_are_replaced);
  ADD(links_are_added);
  ADD(absent_items_are_left_alone);
  ADD(moved_by_its_id);
  ADD(limited_items);
  g_test_add_data_func("/load/nested/inactive_items_are_left_alone", &inactive_items_are_left_alone, test_inactive);
  return g_test_run();
}
