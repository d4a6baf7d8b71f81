/* SPDX-License-Identifier: Apache-2.0 */
/* What a recorder is told. */
#include "fixture.h"

#define SCHEMA                                                                                                                                       \
  "CREATE TABLE country (id INTEGER PRIMARY KEY, code TEXT);"                                                                                        \
  "CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT);"                                                                                            \
  "CREATE TABLE partner (id INTEGER PRIMARY KEY, email TEXT, name TEXT, country_id INTEGER REFERENCES country (id),"                                 \
  " parent_id INTEGER REFERENCES partner (id));"                                                                                                     \
  "CREATE TABLE line (id INTEGER PRIMARY KEY, partner_id INTEGER NOT NULL REFERENCES partner (id), name TEXT NOT NULL);"                             \
  "CREATE TABLE partner_tag (partner_id INTEGER REFERENCES partner (id), tag_id INTEGER REFERENCES tag (id), PRIMARY KEY (partner_id, tag_id));"     \
  "INSERT INTO country VALUES (1, 'FR'), (2, 'BE'); INSERT INTO tag VALUES (1, 'Gold'), (2, 'Silver');"                                              \
  "INSERT INTO partner VALUES (1, 'acme@x', 'ACME', 1, NULL), (2, 'carl@x', 'Carl', NULL, 1); INSERT INTO line VALUES (1, 1, 'Widget');"             \
  "INSERT INTO partner_tag VALUES (1, 1);"

static void append_value(GString *text, const PxValue *value) {
  if (value->kind == PX_INTEGER)
    g_string_append_printf(text, "%" G_GINT64_FORMAT, value->integer);
  else if (value->kind == PX_TEXT)
    g_string_append_len(text, value->text, value->len);
  else
    g_string_append_c(text, '-');
}

static bool keep(void *data, const PxChange *change, GError **error) {
  static const char *const kinds[] = {"find", "create", "update", "detach", "delete", "link", "unlink", "name"};
  GString *text = data;
  g_string_append_printf(text, "%" G_GUINT64_FORMAT " %s %s %" G_GINT64_FORMAT " %s:", change->row, kinds[change->kind], change->model->name,
                         px_id_to_value(NULL, change->id).integer, change->name ? change->name : "");
  for (size_t i = 0; i < change->n_fields; i++) {
    const PxFieldChange *field = &change->fields[i];
    g_string_append(text, " ");
    for (size_t p = 0; p < field->n_path; p++)
      g_string_append_printf(text, "%s%s", p ? "/" : "", field->path[p] ? field->path[p]->name : "(external id)");
    g_string_append(text, " ");
    append_value(text, &field->old_value);
    g_string_append(text, ">");
    append_value(text, &field->new_value);
    if (field->said)
      g_string_append_printf(text, "(%s)", field->said);
  }
  g_string_append(text, "\n");
  return true;
}

static void check(const char *const *lines, size_t n, bool purge, const char *told) {
  Fixture fixture;
  g_autoptr(GString) text = g_string_new(NULL);
  fixture_open(&fixture, SCHEMA, "partner");
  fixture.pattern.purge_one2many = purge;
  fixture.recorder = keep;
  fixture.recorder_data = text;
  Outcome outcome = fixture_load(&fixture, lines, n, 0, false);
  g_assert_cmpstr(outcome.error, ==, NULL);
  g_assert_cmpstr(outcome.messages, ==, "");
  g_assert_cmpstr(text->str, ==, told);
  outcome_done(&outcome);
  fixture_close(&fixture);
}

static void test_records_references_and_links(void) {
  static const char *const lines[] = {"id;email#key;name;country_id|code;tag_ids|1|name;line_ids|1|name", ";acme@x;Acme;BE;Silver;",
                                      "my.new;new@x;New;FR;;Gadget", ";carl@x;Carl;;;"};
  check(lines, G_N_ELEMENTS(lines), false,
        "2 find partner 1 : email ->acme@x\n"
        "2 find country 2 : code ->BE\n"
        "2 find tag 2 : name ->Silver\n"
        "3 find partner 0 : (external id) ->my.new\n"
        "3 find country 1 : code ->FR\n"
        "3 create partner 3 new@x: email ->new@x name ->New country_id ->1(FR)\n"
        "3 create line 2 Gadget: partner_id ->3 name ->Gadget\n"
        "2 update partner 1 acme@x: name ACME>Acme country_id 1>2(BE)\n"
        "2 unlink partner 1 acme@x: tag_ids 1>-\n"
        "2 link partner 1 acme@x: tag_ids ->2(Silver)\n"
        "3 name partner 3 new@x: (external id) ->my.new\n");
}

static void test_purges(void) {
  static const char *const lines[] = {"email#key;line_ids|1|name#key;partner_ids|1|email#key", "acme@x;Gadget;dora@x"};
  check(lines, G_N_ELEMENTS(lines), true,
        "2 find partner 1 : email ->acme@x\n"
        "2 find line 0 : partner_id ->1 name ->Gadget\n"
        "2 find partner 0 : email ->dora@x parent_id ->1\n"
        "2 delete line 1 Widget: partner_id 1>- name Widget>-\n"
        "2 detach partner 2 Carl: parent_id 1>-\n"
        "2 create line 2 Gadget: partner_id ->1 name ->Gadget\n"
        "2 create partner 3 dora@x: parent_id ->1 email ->dora@x\n");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/load/tell/records_references_and_links", test_records_references_and_links);
  g_test_add_func("/load/tell/purges", test_purges);
  return g_test_run();
}
