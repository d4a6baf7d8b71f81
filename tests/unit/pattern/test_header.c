/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/shop_fixture.h"
#include "pattern/header.h"

static ShopFixture shop;

static void show_column(const PxHeaderColumn *column, GString *out) {
  g_string_append_printf(out, " %u:%s%s%s", column->column,
                         column->kind == PX_COLUMN_DB_ID    ? ".id"
                         : column->kind == PX_COLUMN_EXT_ID ? "id"
                                                            : column->field->name,
                         column->key ? "#key" : "", column->in_key ? "(in key)" : "");
}

static void show_node(const PxHeaderNode *node, GString *out) {
  static const char *const kinds[] = {"record", "many2one", "one2many", "many2many"};
  g_string_append(out, kinds[node->kind]);
  if (node->field)
    g_string_append_printf(out, " %s", node->field->name);
  if (node->item)
    g_string_append_printf(out, " %u", node->item);
  if (node->key)
    g_string_append(out, "#key");
  g_string_append_c(out, '{');
  for (size_t i = 0; i < node->n_columns; i++)
    show_column(&node->columns[i], out);
  for (size_t i = 0; i < node->n_children; i++) {
    g_string_append_c(out, ' ');
    show_node(node->children[i], out);
  }
  g_string_append(out, " }");
}

static PxHeader *compile(const char *text, GPtrArray *messages) {
  g_auto(GStrv) headers = g_strsplit(text, ",", 0);
  return px_header_compile(shop_model(&shop, "partner"), (const char *const *)headers, g_strv_length(headers), 1, messages);
}

static GPtrArray *new_messages(void) {
  return g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
}

static void check(const char *text, const char *expected) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = compile(text, messages);
  g_autoptr(GString) shown = g_string_new(NULL);
  if (messages->len)
    g_error("%s: %s", text, ((PxMessage *)messages->pdata[0])->message);
  show_node(px_header_root(header), shown);
  g_assert_cmpstr(shown->str, ==, expected);
}

static void check_compiles(const char *text) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = compile(text, messages);
  g_assert_nonnull(header);
}

/* One message on column, that says what behind the cell. */
static void check_refused(const char *text, const char *column, const char *what) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = compile(text, messages);
  g_assert_null(header);
  g_assert_cmpuint(messages->len, ==, 1);
  const PxMessage *message = messages->pdata[0];
  g_assert_cmpuint(message->row, ==, 1);
  g_assert_cmpstr(message->column, ==, column);
  g_assert_cmpstr(message->type, ==, "header");
  const char *behind = column ? strstr(message->message, "1: ") : NULL;
  g_assert_cmpstr(behind ? behind + 3 : message->message, ==, what);
}

static void test_scalars(void) {
  check("name,email#key,street", "record{ 0:name 1:email#key 2:street }");
  check(".id,id,color", "record{ 0:.id 1:id 2:color }");
  check(" name , email #key ", "record{ 0:name 1:email#key }");
}

static void test_ignored_columns(void) {
  check("#note,name,, #Error,email", "record{ 1:name 4:email }");
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = compile("#note, name ,", messages);
  g_assert_cmpuint(px_header_width(header), ==, 3);
  check("#a,#b", "record{ }");
}

static void test_key_and_plain(void) {
  check("email#key,email", "record{ 0:email#key 1:email }");
  check("country_id|code,country_id#key|code", "record{ many2one country_id{ 0:code } many2one country_id#key{ 1:code(in key) } }");
}

static void test_many2one(void) {
  check("country_id|code,name,country_id|name", "record{ 1:name many2one country_id{ 0:code 2:name } }");
  check("country_id|.id,parent_id|id", "record{ many2one country_id{ 0:.id } many2one parent_id{ 1:id } }");
  check("country_id|currency_id|name,country_id|code", "record{ many2one country_id{ 1:code many2one currency_id{ 0:name } } }");
}

static void test_items_of_what_is_looked_for(void) {
  check("country_id|partner_ids|name", "record{ many2one country_id{ one2many partner_ids{ 0:name } } }");
  check("category_ids|1|partner_ids|country_id|code", "record{ many2many category_ids 1{ many2many partner_ids{ many2one country_id{ 0:code } } } }");
}

static void test_key_in_many2one(void) {
  check("country_id#key|code", "record{ many2one country_id#key{ 0:code(in key) } }");
  check("country_id|code#key,country_id#key|name", "record{ many2one country_id#key{ 0:code(in key) 1:name(in key) } }");
  check("country_id|currency_id#key|name", "record{ many2one country_id#key{ many2one currency_id{ 0:name(in key) } } }");
  check("country_id#key|.id", "record{ many2one country_id#key{ 0:.id(in key) } }");
}

static void test_key_on_an_id_is_the_id(void) {
  check(".id#key,id#key", "record{ 0:.id 1:id }");
}

static void test_x2many(void) {
  check("child_ids|2|name,child_ids|1|email#key,child_ids|02|country_id|code",
        "record{ one2many child_ids 2{ 0:name many2one country_id{ 2:code } } one2many child_ids 1{ 1:email#key } }");
  check("child_ids|1|.id,child_ids|1|child_ids|3|name", "record{ one2many child_ids 1{ 0:.id one2many child_ids 3{ 1:name } } }");
  check("child_ids|1|country_id|code#key", "record{ one2many child_ids 1{ many2one country_id#key{ 0:code(in key) } } }");
  check("category_ids|1|name,category_ids|1|color,category_ids|3|id",
        "record{ many2many category_ids 1{ 0:name 1:color } many2many category_ids 3{ 2:id } }");
}

static void test_first_column_of_a_node(void) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = compile("#x,country_id|currency_id|name,name,country_id|code", messages);
  const PxHeaderNode *root = px_header_root(header);
  g_assert_cmpuint(root->first->column, ==, 1);
  g_assert_cmpstr(root->first->header, ==, "country_id|currency_id|name");
  g_assert_cmpuint(root->children[0]->first->column, ==, 1);
}

static void test_unknown_columns(void) {
  check_refused("email#key,foo_bar", "foo_bar", "partner has no field \"foo_bar\"");
  check_refused("nme", "nme", "partner has no field \"nme\" (did you mean name?)");
  check_refused("name,country_id/code", "country_id/code", "partner has no field \"country_id/code\" (did you mean country_id|code?)");
  check_refused("Address Type,name", "Address Type", "partner has no field \"Address Type\" (did you mean type?)");
  check_refused("Adress Type,name", "Adress Type", "partner has no field \"Adress Type\" (did you mean type?)");
  check_refused("name,1", "1", "\"1\" stands where partner has a field: only a one2many or many2many is followed by the number of an item");
  check_refused("email#key,country_id|foo", "country_id|foo", "country has no field \"foo\"");
  check_refused("name|x", "name|x", "name is no relation: nothing can follow it");
  check_refused("id|x", "id|x", "id is no relation: nothing can follow it");
  check_refused("name||x", "name||x", "a part of the path is empty");
  check_refused("email#kye", "email#kye", "\"#kye\" is no mark of a column: there is only #key");
}

/* As a spreadsheet calls it, where there are rows. */
static void check_cell(unsigned n_before, uint64_t row, const char *expected) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autofree const char **headers = g_new(const char *, n_before + 1);
  for (unsigned i = 0; i < n_before; i++)
    headers[i] = "";
  headers[n_before] = "emial";
  g_assert_null(px_header_compile(shop_model(&shop, "partner"), headers, n_before + 1, row, messages));
  g_assert_cmpstr(((const PxMessage *)messages->pdata[0])->message, ==, expected);
}

static void test_cells(void) {
  check_cell(5, 1, "F1: partner has no field \"emial\" (did you mean email?)");
  check_cell(0, 2, "A2: partner has no field \"emial\" (did you mean email?)");
  check_cell(26, 1, "AA1: partner has no field \"emial\" (did you mean email?)");
  check_cell(16383, 1, "XFD1: partner has no field \"emial\" (did you mean email?)");
  check_cell(5, 0, "partner has no field \"emial\" (did you mean email?)");
}

static void test_another_delimiter(void) {
  check_refused("email#key;city", "email#key;city", "\"#key;city\" is no mark of a column: there is only #key; is this the delimiter of the file?");
  check_refused("name;city", "name;city", "partner has no field \"name;city\"; is this the delimiter of the file?");
}

static void test_relations_without_a_field(void) {
  check_refused("email#key,country_id", "country_id",
                "country_id is a relation: say by which of its fields a record is found, as in country_id|code");
  check_refused("parent_id", "parent_id", "parent_id is a relation: say by which of its fields a record is found, as in parent_id|name");
  check_refused("category_ids", "category_ids", "category_ids is a many2many: say which item and which of its fields, as in category_ids|1|name");
  check_refused("category_ids|name", "category_ids|name",
                "category_ids is a many2many: say which item and which of its fields, as in category_ids|1|name");
  check_refused("child_ids|2", "child_ids|2", "child_ids is a one2many: say which item and which of its fields, as in child_ids|2|name");
  check_refused("child_ids|1|country_id", "child_ids|1|country_id",
                "country_id is a relation: say by which of its fields a record is found, as in country_id|code");
}

static void test_items(void) {
  check_refused("category_ids|0|name", "category_ids|0|name", "the items of category_ids are counted from 1");
  check_refused("category_ids|123456|name", "category_ids|123456|name", "the item 123456 is too large");
  check_refused("country_id|1|code", "country_id|1|code",
                "\"1\" stands where country has a field: only a one2many or many2many is followed by the number of an item "
                "(did you mean country_id|code?)");
  check_refused("country_id|partner_ids|1|name", "country_id|partner_ids|1|name",
                "partner_ids is a one2many of a record that is only looked for: say by which field of its items, as in partner_ids|name");
}

static void test_keys_that_are_none(void) {
  check_refused("category_ids|1|name#key", "category_ids|1|name#key", "category_ids is a many2many, which cannot be part of a key");
  check_refused("child_ids#key|1|name", "child_ids#key|1|name", "#key marks a field of the item, as in child_ids|1|name#key");
  check_refused("name, #key ", "#key", "#key stands behind the name of a field, and here is none");
  check_refused("country_id|#key", "country_id|#key", "#key stands behind the name of a field, and here is none");
}

static void test_the_same_twice(void) {
  check_refused("email#key,street, street", "street", "the column is there twice, first in B1");
  check_refused("country_id|code#key,country_id#key|code", "country_id#key|code", "the column means the same as country_id|code#key in A1");
  check_refused("child_ids|1|name,child_ids|01|name", "child_ids|01|name", "the column means the same as child_ids|1|name in A1");
  check_refused(".id,.id#key", ".id#key", "the column means the same as .id in A1");
}

static void test_read_only(void) {
  check_refused("name,shown", "shown", "shown is computed by the database and cannot be written: leave the column out, or begin its name with #");
  check("shown#key,parent_id|shown", "record{ 0:shown#key many2one parent_id{ 1:shown } }");
}

static void test_the_parent_of_an_item(void) {
  check_refused("child_ids|1|parent_id|name", "child_ids|1|parent_id|name",
                "the Parent of an item is the record it stands in: leave the column out, or begin its name with #");
}

/* Where nothing has a value, a relation needs no field. */
static void test_relation_by_id(void) {
  static const char *const known[][2] = {
    {"country_id", "country_id|.id"},
    {"country_id#key", "country_id#key|.id"},
    {"child_ids", "child_ids|1|.id"},
    {"child_ids|3", "child_ids|3|.id"},
    {"child_ids|1|category_ids", "child_ids|1|category_ids|1|.id"},
    {"category_ids|2|partner_ids", "category_ids|2|partner_ids|.id"},
    {"country_id|partner_ids", "country_id|partner_ids|.id"},
    {"name", NULL},
    {".id", NULL},
    {"id", NULL},
    {"country_id|code", NULL},
    {"country_id|id", NULL},
    {"country_id|nope", NULL},
    {"country_id|1", NULL},
    {"", NULL},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    g_autofree char *by_id = px_header_relation_by_id(shop_model(&shop, "partner"), known[i][0]);
    g_assert_cmpstr(by_id, ==, known[i][1]);
    if (by_id)
      check_compiles(by_id);
  }
}

static void test_no_header(void) {
  check_refused("", NULL, "the file has no header: its first row must name the columns");
  check_refused(",, ", NULL, "the file has no header: its first row must name the columns");
}

static void test_every_column_is_told(void) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = compile("foo,name,child_ids|1|bar,country_id", messages);
  g_assert_null(header);
  g_assert_cmpuint(messages->len, ==, 2 + 1);
}

static void test_hostile(void) {
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(GString) deep = g_string_new(NULL);
  for (unsigned i = 0; i < 100000; i++)
    g_string_append(deep, "parent_id|");
  g_string_append(deep, "name");
  g_autoptr(PxHeader) header = compile(deep->str, messages);
  g_assert_null(header);
  g_assert_cmpuint(messages->len, ==, 1);
}

static void test_names_of_the_file(void) {
  static const char *const technical[] = {"email#key", "nope"};
  static const char *const names[] = {" Mail ", "Nein"};
  g_autoptr(GPtrArray) messages = new_messages();
  g_autoptr(PxHeader) header = px_header_compile_named(shop_model(&shop, "partner"), technical, names, 1, 1, messages);
  g_assert_cmpstr(px_header_root(header)->columns[0].header, ==, "Mail");
  g_assert_null(px_header_compile_named(shop_model(&shop, "partner"), technical, names, 2, 1, messages));
  g_assert_cmpstr(((PxMessage *)messages->pdata[0])->column, ==, "Nein");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  shop_fixture_init(&shop, NULL);
  g_test_add_func("/pattern/header/scalars", test_scalars);
  g_test_add_func("/pattern/header/ignored_columns", test_ignored_columns);
  g_test_add_func("/pattern/header/key_and_plain", test_key_and_plain);
  g_test_add_func("/pattern/header/many2one", test_many2one);
  g_test_add_func("/pattern/header/items_of_what_is_looked_for", test_items_of_what_is_looked_for);
  g_test_add_func("/pattern/header/key_in_many2one", test_key_in_many2one);
  g_test_add_func("/pattern/header/key_on_an_id_is_the_id", test_key_on_an_id_is_the_id);
  g_test_add_func("/pattern/header/x2many", test_x2many);
  g_test_add_func("/pattern/header/first_column_of_a_node", test_first_column_of_a_node);
  g_test_add_func("/pattern/header/unknown_columns", test_unknown_columns);
  g_test_add_func("/pattern/header/cells", test_cells);
  g_test_add_func("/pattern/header/another_delimiter", test_another_delimiter);
  g_test_add_func("/pattern/header/relations_without_a_field", test_relations_without_a_field);
  g_test_add_func("/pattern/header/items", test_items);
  g_test_add_func("/pattern/header/keys_that_are_none", test_keys_that_are_none);
  g_test_add_func("/pattern/header/the_same_twice", test_the_same_twice);
  g_test_add_func("/pattern/header/read_only", test_read_only);
  g_test_add_func("/pattern/header/the_parent_of_an_item", test_the_parent_of_an_item);
  g_test_add_func("/pattern/header/relation_by_id", test_relation_by_id);
  g_test_add_func("/pattern/header/no_header", test_no_header);
  g_test_add_func("/pattern/header/every_column_is_told", test_every_column_is_told);
  g_test_add_func("/pattern/header/hostile", test_hostile);
  g_test_add_func("/pattern/header/names_of_the_file", test_names_of_the_file);
  int status = g_test_run();
  shop_fixture_done(&shop);
  return status;
}
