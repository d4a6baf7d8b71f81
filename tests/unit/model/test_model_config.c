/* SPDX-License-Identifier: Apache-2.0 */
/* What the section models: makes of the schema. */
#include "schema_fixture.h"

#define SHOP                                                                                                                                         \
  "CREATE TABLE res_country (id integer PRIMARY KEY, code varchar(2), name text);"                                                                   \
  "CREATE TABLE res_partner (id integer PRIMARY KEY, name text, type text CHECK (type IN ('contact', 'other')), is_company integer,"                 \
  "  parent_id integer REFERENCES res_partner, country_id integer REFERENCES res_country, state text);"                                              \
  "CREATE TABLE res_tag (id integer PRIMARY KEY, name text);"                                                                                        \
  "CREATE TABLE partner_tag (partner_id integer REFERENCES res_partner, tag_id integer REFERENCES res_tag);"                                         \
  "CREATE TABLE loose_link (one integer, two integer, since date)"

static void renames_models_and_fields(void) {
  g_auto(Read) read = read_schema(SHOP, "models:\n"
                                        "  partner:\n"
                                        "    table: res_partner\n"
                                        "    fields:\n"
                                        "      company: {column: is_company, type: boolean}\n"
                                        "      id: {label: Number}\n");
  assert_complaints(&read, "");
  g_assert_null(px_schema_model(read.schema, "res_partner"));
  const PxModel *model = model_of(&read, "partner");
  g_assert_cmpstr(model->table, ==, "res_partner");
  g_assert_cmpstr(model->label, ==, "Partner");
  g_assert_true(px_model_is_table(model, NULL, "res_partner"));
  const PxField *company = field_of(&read, "partner", "company");
  g_assert_cmpstr(company->column, ==, "is_company");
  g_assert_cmpstr(company->label, ==, "Company");
  g_assert_cmpint(company->type, ==, PX_TYPE_BOOLEAN);
  g_assert_cmpint(company->storage, ==, PX_STORE_INTEGER);
  g_assert_null(px_model_field(model, "is_company"));
  g_assert_true(px_model_column(model, "is_company") == company);
  g_assert_cmpstr(model->id->label, ==, "Number");
  field_of(&read, "partner", "partner_ids"); /* default names follow the model's */
}

static void names_may_be_exchanged(void) {
  g_auto(Read) read = read_schema(SHOP, "models: {res_country: {fields: {name: {column: code}, code: {column: name}}}}");
  assert_complaints(&read, "");
  g_assert_cmpstr(field_of(&read, "res_country", "name")->column, ==, "code");
  g_assert_cmpstr(field_of(&read, "res_country", "code")->column, ==, "name");
}

static void labels_and_selections(void) {
  g_auto(Read) read = read_schema(SHOP, "models:\n"
                                        "  res_partner:\n"
                                        "    label: Contact\n"
                                        "    fields:\n"
                                        "      type: {selection: {contact: Contact}}\n"
                                        "      state: {label: Status, selection: [new, old]}\n");
  assert_complaints(&read, "");
  g_assert_cmpstr(model_of(&read, "res_partner")->label, ==, "Contact");
  const PxField *type = field_of(&read, "res_partner", "type");
  g_assert_cmpuint(type->n_selection, ==, 2);
  g_assert_cmpstr(type->selection[0].label, ==, "Contact");
  g_assert_cmpstr(type->selection[1].label, ==, "other");
  const PxField *state = field_of(&read, "res_partner", "state");
  g_assert_cmpstr(state->label, ==, "Status");
  g_assert_cmpuint(state->n_selection, ==, 2);
  g_assert_cmpstr(state->selection[1].value, ==, "old");
  g_assert_cmpstr(state->selection[1].label, ==, "old");
}

static void named_relations_replace_the_default_ones(void) {
  g_auto(Read) read = read_schema(SHOP, "models:\n"
                                        "  res_partner:\n"
                                        "    fields:\n"
                                        "      child_ids: {label: Contacts, one2many: res_partner.parent_id}\n"
                                        "      tags: {many2many: res_tag}\n"
                                        "      links: {many2many: res_country, through: loose_link, from: one, to: two}\n"
                                        "  res_country:\n"
                                        "    fields:\n"
                                        "      res_partner_ids: {label: Inhabitants}\n");
  assert_complaints(&read, "");
  const PxModel *partner = model_of(&read, "res_partner");
  g_assert_null(px_model_field(partner, "res_partner_ids"));
  g_assert_null(px_model_field(partner, "res_tag_ids"));
  g_assert_true(field_of(&read, "res_partner", "child_ids")->inverse == field_of(&read, "res_partner", "parent_id"));
  g_assert_cmpstr(field_of(&read, "res_partner", "tags")->through, ==, "partner_tag");
  g_assert_cmpstr(field_of(&read, "res_partner", "tags")->to, ==, "tag_id");
  g_assert_cmpstr(field_of(&read, "res_partner", "links")->from, ==, "one");
  g_assert_cmpstr(field_of(&read, "res_country", "res_partner_ids")->label, ==, "Inhabitants");
  field_of(&read, "res_tag", "res_partner_ids"); /* the other side keeps its own */
}

static void hidden_models_and_fields(void) {
  g_auto(Read) read = read_schema(SHOP, "models: {res_country: {hide: true},"
                                        " res_partner: {fields: {state: {hide: true}, res_tag_ids: {hide: true}}}}");
  assert_complaints(&read, "");
  g_assert_true(model_of(&read, "res_country")->hidden);
  const PxModel *partner = model_of(&read, "res_partner");
  g_assert_true(px_model_field(partner, "country_id")->target->hidden);
  g_assert_null(px_model_field(partner, "state"));
  g_assert_null(px_model_field(partner, "res_tag_ids"));
  g_assert_true(px_model_column(partner, "state")->hidden);
}

static void order(void) {
  g_auto(Read) read = read_schema(SHOP, "models: {res_partner: {order: [-name, country_id]}, res_tag: {order: name}}");
  assert_complaints(&read, "");
  const PxModel *partner = model_of(&read, "res_partner");
  g_assert_cmpuint(partner->n_order, ==, 2);
  g_assert_true(partner->order[0] == px_model_field(partner, "name"));
  g_assert_true(partner->order_descending[0]);
  g_assert_true(partner->order[1] == px_model_field(partner, "country_id"));
  g_assert_false(partner->order_descending[1]);
  g_assert_cmpuint(model_of(&read, "res_tag")->n_order, ==, 1);
  g_assert_cmpuint(model_of(&read, "res_country")->n_order, ==, 0);
}

static void an_empty_entry_says_nothing(void) {
  g_auto(Read) read = read_schema(SHOP, "models:\n  res_partner:\n  res_tag: {fields: {name: }}\n");
  assert_complaints(&read, "");
}

typedef struct {
  const char *name;
  const char *yaml;
  const char *complaint;
} ComplaintCase;

static const ComplaintCase complaint_cases[] = {
  {"unknown_table", "models:\n  res_partners: {label: X}\n",
   "2: model res_partners: the database has no table res_partners that is a model (did you mean res_partner?)\n"},
  {"table_that_is_no_model", "models:\n  partner_tag: {label: X}\n",
   "2: model partner_tag: the database has no table partner_tag that is a model: it is the many2many between res_partner and res_tag\n"},
  {"table_twice", "models:\n  res_tag: {}\n  tag: {table: res_tag}\n", "3: model tag: table res_tag is the model res_tag already\n"},
  {"name_of_another_table", "models:\n  res_tag: {table: res_country}\n",
   "2: model res_tag: the table res_tag has this name; give that one another name in models:\n"},
  {"unknown_field", "models:\n  res_tag:\n    fields:\n      nam: {label: X}\n",
   "4: model res_tag: field nam: the table res_tag has no such column (did you mean name?)\n"},
  {"unknown_column", "models:\n  res_tag:\n    fields:\n      x: {column: nam}\n",
   "4: model res_tag: field x: the table res_tag has no column nam (did you mean name?)\n"},
  {"two_columns_one_name", "models:\n  res_country:\n    fields:\n      name: {column: code}\n",
   "3: model res_country: field name: both the columns code and name have this name\n"},
  {"value_that_the_check_refuses", "models:\n  res_partner:\n    fields:\n      type: {selection: {contact: C, contract: D}}\n",
   "4: model res_partner: field type: selection: the database refuses contract: its CHECK allows contact, other\n"},
  {"selection_of_a_many2one", "models:\n  res_partner:\n    fields:\n      country_id: {selection: [a]}\n",
   "4: model res_partner: field country_id: selection: a many2one has none\n"},
  {"type_of_a_many2one", "models:\n  res_partner:\n    fields:\n      country_id: {type: text}\n",
   "4: model res_partner: field country_id: type: a many2one keeps its type\n"},
  {"one2many_without_field", "models:\n  res_partner:\n    fields:\n      x: {one2many: res_partner}\n",
   "4: model res_partner: field x: one2many: write MODEL.FIELD, the many2one of the other model that leads here\n"},
  {"one2many_of_unknown_model", "models:\n  res_partner:\n    fields:\n      x: {one2many: res_parner.parent_id}\n",
   "4: model res_partner: field x: one2many: there is no model res_parner (did you mean res_partner?)\n"},
  {"one2many_of_unknown_field", "models:\n  res_partner:\n    fields:\n      x: {one2many: res_partner.parentid}\n",
   "4: model res_partner: field x: one2many: model res_partner has no field parentid (did you mean parent_id?)\n"},
  {"one2many_that_leads_elsewhere", "models:\n  res_partner:\n    fields:\n      x: {one2many: res_partner.country_id}\n",
   "4: model res_partner: field x: one2many: res_partner.country_id is no many2one to res_partner\n"},
  {"many2many_without_table", "models:\n  res_partner:\n    fields:\n      x: {many2many: res_country}\n",
   "4: model res_partner: field x: many2many: say which table links res_partner and res_country: through: TABLE, from: COLUMN, to: COLUMN\n"},
  {"many2many_of_unknown_column",
   "models:\n  res_partner:\n    fields:\n"
   "      x: {many2many: res_country, through: loose_link, from: one, to: three}\n",
   "4: model res_partner: field x: to: the table loose_link has no column three\n"},
  {"relation_named_as_a_column", "models:\n  res_partner:\n    fields:\n      name: {one2many: res_partner.parent_id}\n",
   "4: model res_partner: field name: the table res_partner has a column of this name\n"},
  {"relation_and_column", "models:\n  res_partner:\n    fields:\n      x: {one2many: res_partner.parent_id, column: name}\n",
   "4: model res_partner: field x: a relation has label, hide and either one2many or many2many, through, from and to\n"},
  {"through_alone", "models:\n  res_partner:\n    fields:\n      name: {through: partner_tag}\n",
   "4: model res_partner: field name: through, from and to belong to many2many: MODEL\n"},
  {"order_by_unknown_field", "models:\n  res_tag:\n    order: [-nam]\n", "3: model res_tag: order: there is no field nam (did you mean name?)\n"},
  {"order_by_relation", "models:\n  res_tag:\n    order: res_partner_ids\n",
   "3: model res_tag: order: res_partner_ids is a many2many, which has no order\n"},
  {"models_is_no_map", "models: [res_tag]\n", "1: models: must be a map: NAME: {label: ...}\n"},
  {"fields_is_no_map", "models:\n  res_tag:\n    fields: [name]\n", "3: model res_tag: fields: must be a map: NAME: {label: ...}\n"},
};

static void complaint(gconstpointer data) {
  const ComplaintCase *c = data;
  g_auto(Read) read = read_schema(SHOP, c->yaml);
  assert_complaints(&read, c->complaint);
}

static void unknown_keys_are_told_once(void) {
  g_auto(Read) read = read_schema(SHOP, "models: {res_tag: {lable: X, fields: {name: {lable: X}}}}");
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/config/renames_models_and_fields", renames_models_and_fields);
  g_test_add_func("/model/config/names_may_be_exchanged", names_may_be_exchanged);
  g_test_add_func("/model/config/labels_and_selections", labels_and_selections);
  g_test_add_func("/model/config/named_relations_replace_the_default_ones", named_relations_replace_the_default_ones);
  g_test_add_func("/model/config/hidden_models_and_fields", hidden_models_and_fields);
  g_test_add_func("/model/config/order", order);
  g_test_add_func("/model/config/an_empty_entry_says_nothing", an_empty_entry_says_nothing);
  g_test_add_func("/model/config/unknown_keys_are_told_once", unknown_keys_are_told_once);
  for (size_t i = 0; i < G_N_ELEMENTS(complaint_cases); i++) {
    g_autofree char *path = g_strconcat("/model/config/complaint/", complaint_cases[i].name, NULL);
    g_test_add_data_func(path, &complaint_cases[i], complaint);
  }
  return g_test_run();
}
