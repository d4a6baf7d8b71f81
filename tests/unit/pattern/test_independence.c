/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/schema_fixture.h"
#include "pattern/independence.h"

static const char tables[] =
  "CREATE TABLE country (id integer PRIMARY KEY, code text UNIQUE, name text);"
  "CREATE TABLE state (id integer PRIMARY KEY, country_id integer REFERENCES country (id), code text, name text,"
  " shown text GENERATED ALWAYS AS (name || code) VIRTUAL, UNIQUE (country_id, code));"
  "CREATE TABLE tag (id integer PRIMARY KEY, name text);"
  "CREATE TABLE partner (id integer PRIMARY KEY, name text, email text UNIQUE COLLATE NOCASE, ref text, vat text, number integer DEFAULT 0,"
  " country_id integer REFERENCES country (id), parent_id integer REFERENCES partner (id),"
  " UNIQUE (email, ref), UNIQUE (vat));"
  "CREATE TABLE address (id integer PRIMARY KEY, partner_id integer REFERENCES partner (id), bill_id integer REFERENCES partner (id),"
  " city text, place integer, UNIQUE (partner_id, place));"
  "CREATE TABLE badge (id integer PRIMARY KEY, partner_id integer REFERENCES partner (id), serial text UNIQUE, text text);"
  "CREATE TABLE partner_tag (partner_id integer NOT NULL REFERENCES partner (id), tag_id integer NOT NULL REFERENCES tag (id),"
  " PRIMARY KEY (partner_id, tag_id));"
  "CREATE TABLE owner_tag (partner_id integer NOT NULL REFERENCES partner (id), tag_id integer NOT NULL UNIQUE REFERENCES tag (id));"
  "CREATE TABLE watched_tag (partner_id integer NOT NULL REFERENCES partner (id), tag_id integer NOT NULL REFERENCES tag (id),"
  " PRIMARY KEY (partner_id, tag_id));"
  "CREATE TRIGGER watching AFTER INSERT ON watched_tag BEGIN UPDATE tag SET name = name; END;"
  "CREATE TABLE logged (id integer PRIMARY KEY, code text UNIQUE, name text);"
  "CREATE TRIGGER logging AFTER INSERT ON logged BEGIN UPDATE tag SET name = name; END;"
  "CREATE TABLE part (id integer PRIMARY KEY, code text UNIQUE, name text);"
  "CREATE UNIQUE INDEX part_name ON part (lower(name));"
  "CREATE TABLE kit (id integer PRIMARY KEY, code text UNIQUE, place integer NOT NULL DEFAULT 1, UNIQUE (place));";

static const char models[] = "models:\n"
                             "  partner:\n"
                             "    fields:\n"
                             "      child_ids: {one2many: partner.parent_id}\n"
                             "      address_ids: {one2many: address.partner_id}\n"
                             "      bill_ids: {one2many: address.bill_id}\n"
                             "      tag_ids: {many2many: tag, through: partner_tag}\n"
                             "      owned_ids: {many2many: tag, through: owner_tag, from: partner_id, to: tag_id}\n"
                             "      watched_ids: {many2many: tag, through: watched_tag}\n";

typedef struct {
  const char *name;
  const char *options; /* of the pattern */
  const char *model;
  const char *headers;
  const char *reasons; /* joined by "; " */
} Case;

static const Case cases[] = {
  {"plain", "", "partner", "email#key,name", ""},
  {"references", "", "partner", "email#key,name,country_id|code,tag_ids|1|name", ""},
  {"external_id_of_reference", "", "partner", "email#key,country_id|id", ""},
  {"key_in_reference", "", "state", "country_id#key|code,code#key,name", ""},
  {"children", "", "partner", "email#key,address_ids|1|city,address_ids|2|city,address_ids|2|place", ""},
  {"unique_with_key", "", "partner", "email#key,ref", ""},
  {"unique_left_alone", "", "partner", "email#key,name,number", ""},
  {"abort", ", on_error: abort", "partner", "email#key,name", "on_error: abort takes the whole file or nothing"},
  {"max_errors", ", max_errors: 3", "partner", "email#key,name", "max_errors counts the rows in the order of the file"},
  {"no_key", "", "country", "name", "no column is marked #key"},
  {"db_id", "", "partner", ".id,email#key,name", "column .id finds a record by something else than the key"},
  {"external_id", "", "partner", "id,email#key,name", "column id finds a record by something else than the key"},
  {"id_of_child", "", "partner", "email#key,address_ids|1|.id,address_ids|1|city",
   "column address_ids|1|.id finds a record by something else than the key"},
  {"key_written", "", "partner", "email#key,email", "the key email#key is also written, so a record may change its key"},
  {"reference_key_written", "", "state", "country_id#key|code,country_id|name,code#key",
   "the key country_id#key|code is also written, so a record may change its key"},
  {"computed_key", "", "state", "shown#key,name", "the key shown#key is computed by the database from other columns"},
  {"external_id_in_key", "", "state", "code#key,country_id#key|id", "the key country_id#key|id is an external id, and a record may have several"},
  {"other_unique", "", "partner", "email#key,vat", "vat of partner must be unique too, so rows with different keys may want the same"},
  {"part_of_key", "", "partner", "email#key,name#key,ref",
   "email of partner must be unique too, so rows with different keys may want the same; "
   "email, ref of partner must be unique too, so rows with different keys may want the same"},
  {"unique_of_child", "", "partner", "email#key,badge_ids|1|serial",
   "serial of badge must be unique too, so rows with different keys may want the same"},
  {"child_without_unique", "", "partner", "email#key,badge_ids|1|text", ""},
  {"default_is_unique", "", "kit", "code#key", "place of kit must be unique too, so rows with different keys may want the same"},
  {"hidden_unique", "", "part", "code#key,name",
   "model part has a UNIQUE that only the database can judge (a partial index, one of expressions or with another collation)"},
  {"triggers", "", "logged", "code#key,name", "model logged has triggers (or ON CONFLICT clauses): what a row changes is not known"},
  {"own_reference", "", "partner", "email#key,parent_id|email", "column parent_id|email looks for a record of partner, which the file itself writes"},
  {"reference_of_child", "", "partner", "email#key,address_ids|1|city,address_ids|1|bill_id|email",
   "column address_ids|1|bill_id|email looks for a record of partner, which the file itself writes"},
  {"domain_of_reference", ", fields: [{field: email, key: true}, {field: country_id/code, domain: \"[('partner_ids.name', '=', 'x')]\"}]", "partner",
   "email#key,country_id|code", "the domain of country_id looks at records that the file itself writes"},
  {"harmless_domain", ", fields: [{field: email, key: true}, {field: country_id/code, domain: \"[('code', '!=', 'XX')]\"}]", "partner",
   "email#key,country_id|code", ""},
  {"two_places", "", "partner", "email#key,address_ids|1|city,bill_ids|1|city",
   "the records of address are written in two places of a row, so two rows may write the same one"},
  {"own_children", "", "partner", "email#key,child_ids|1|name",
   "the records of partner are written in two places of a row, so two rows may write the same one"},
  {"purge", ", purge_one2many: delete", "partner", "email#key,address_ids|1|city",
   "purge_one2many: delete removes records of address, and what hangs on them"},
  {"purge_without_children", ", purge_one2many: delete", "partner", "email#key,name", ""},
  {"detach", ", purge_one2many: true", "partner", "email#key,address_ids|1|city", ""},
  {"harmless_defaults", ", defaults: {name: x, country_id/code: FR, tag_ids/name: new}", "partner", "email#key", ""},
  {"default_looks_up", ", defaults: {parent_id/email: x}", "partner", "email#key,name",
   "the default of parent_id|email looks for a record of partner, which the file itself writes"},
  {"default_that_is_unique", ", defaults: {vat: x}", "partner", "email#key,name",
   "the default of vat must be unique, so rows with different keys may want the same"},
  {"shared_links", "", "partner", "email#key,owned_ids|1|name",
   "table owner_tag, which links owned_ids|1|name, has triggers or a UNIQUE between records"},
  {"watched_links", "", "partner", "email#key,watched_ids|1|name",
   "table watched_tag, which links watched_ids|1|name, has triggers or a UNIQUE between records"},
};

static GPtrArray *obstacles(const PxPattern *pattern, const char *headers) {
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  g_auto(GStrv) names = g_strsplit(headers, ",", 0);
  g_autoptr(PxHeader) header = px_header_compile(pattern->model, (const char *const *)names, g_strv_length(names), 1, messages);
  if (!header)
    g_error("%s: %s", headers, ((PxMessage *)messages->pdata[0])->message);
  return px_pattern_obstacles(pattern, header);
}

static char *joined(GPtrArray *reasons) {
  g_ptr_array_add(reasons, NULL);
  return g_strjoinv("; ", (char **)reasons->pdata);
}

static void test_case(gconstpointer data) {
  const Case *item = data;
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_schema(tables, models);
  g_autofree char *yaml = g_strdup_printf("patterns: {p: {model: %s%s}}", item->model, item->options);
  g_autoptr(PxConfig) config = px_config_parse(yaml, "p.yaml", &error);
  g_autoptr(PxPatterns) patterns = px_patterns_read(config, read.schema, NULL, read.complaints);
  px_complaints_to_error(read.complaints, &error);
  g_assert_no_error(error);
  g_autoptr(GPtrArray) reasons = obstacles(px_patterns_get(patterns, "p"), item->headers);
  g_autofree char *text = joined(reasons);
  g_assert_cmpstr(text, ==, item->reasons);
}

static void own_columns(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_schema(tables, models);
  static const char yaml[] = "patterns:\n"
                             "  listed: {model: partner, process_multi: true, fields: [.id, {field: email, key: true}, name]}\n"
                             "  open: {model: partner, process_multi: 3}\n";
  g_autoptr(PxConfig) config = px_config_parse(yaml, "p.yaml", &error);
  g_autoptr(PxPatterns) patterns = px_patterns_read(config, read.schema, NULL, read.complaints);
  const PxPattern *listed = px_patterns_get(patterns, "listed");
  const PxPattern *open = px_patterns_get(patterns, "open");
  g_autoptr(GPtrArray) reasons = px_pattern_own_obstacles(listed);
  g_autofree char *text = joined(reasons);
  g_assert_cmpstr(text, ==, "column .id finds a record by something else than the key");
  g_assert_null(px_pattern_own_obstacles(open));
  g_assert_cmpuint(listed->partitions, ==, 8);
  g_assert_cmpuint(open->partitions, ==, 3);
}

static void wrong_number_of_parts(void) {
  g_auto(Read) read = read_schema(tables, models);
  g_autoptr(PxConfig) config = px_config_parse("patterns: {p: {model: partner, process_multi: 1}}", "p.yaml", NULL);
  g_autoptr(PxPatterns) patterns = px_patterns_read(config, read.schema, NULL, read.complaints);
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 1);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==,
                  "pattern p: process_multi: true, false or a number from 2 to 64 is expected, not \"1\"");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat("/pattern/independence/", cases[i].name, NULL);
    g_test_add_data_func(path, &cases[i], test_case);
  }
  g_test_add_func("/pattern/independence/own_columns", own_columns);
  g_test_add_func("/pattern/independence/wrong_number_of_parts", wrong_number_of_parts);
  return g_test_run();
}
