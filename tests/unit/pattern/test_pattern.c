/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/shop_fixture.h"
#include "pattern/pattern.h"

static ShopFixture shop;

typedef struct {
  PxConfig *config;
  PxComplaints *complaints;
  PxPatterns *patterns;
} Read;

static void read_done(Read *read) {
  px_patterns_free(read->patterns);
  px_complaints_free(read->complaints);
  px_config_free(read->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Read, read_done)

static Read read_text(const char *text) {
  g_autoptr(GError) error = NULL;
  Read read = {.complaints = px_complaints_new()};
  read.config = px_config_parse(text, "conf.yaml", &error);
  g_assert_no_error(error);
  read.patterns = px_patterns_read(read.config, shop.schema, NULL, read.complaints);
  return read;
}

/* One pattern called "p" with these lines. */
static Read read_pattern(const char *lines) {
  g_autofree char *text = g_strdup_printf("patterns:\n  p:\n    model: partner\n%s", lines);
  return read_text(text);
}

static const PxPattern *only(const Read *read) {
  g_autoptr(GError) error = NULL;
  px_complaints_to_error(read->complaints, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(px_patterns_count(read->patterns), ==, 1);
  return px_patterns_at(read->patterns, 0);
}

static void check_complaint(const char *lines, const char *what) {
  g_auto(Read) read = read_pattern(lines);
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 1);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==, what);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->file, ==, "conf.yaml");
}

static void test_defaults(void) {
  g_auto(Read) read = read_pattern("");
  const PxPattern *pattern = only(&read);
  g_assert_cmpstr(pattern->name, ==, "p");
  g_assert_true(pattern->model == shop_model(&shop, "partner"));
  g_assert_cmpint(pattern->format.format, ==, PX_FORMAT_CSV);
  g_assert_cmpint(pattern->format.line_end, ==, PX_LINE_CRLF);
  g_assert_cmpint(pattern->header, ==, PX_HEADER_TECHNICAL);
  g_assert_true(pattern->create && pattern->update && !pattern->abort && !pattern->error_rows_all);
  g_assert_cmpuint(pattern->n_fields, ==, 0);
  g_assert_cmpuint(px_pattern_header_rows(pattern), ==, 1);
  g_assert_cmpstr(pattern->export_problem, ==, "pattern p has no fields: an export needs the list of its columns");
}

static void test_options(void) {
  g_auto(Read) read = read_pattern(
    "    format: csv\n    header: description_and_tech\n    create: false\n    on_error: abort\n    error_file: all\n"
    "    chunk_size: 3\n    max_errors: 10\n    exact: true\n    decimal_comma: true\n    renamed_from: old\n"
    "    update_many2many: true\n    purge_one2many: yes\n    limits: {row_bytes: 1MiB, cells: 50}\n    order: [-name, country_id, .id]\n"
    "    csv: {delimiter: tab, quote: \"'\", encoding: ISO-8859-1, bom: true, line_end: lf, quote_all: true, booleans: [oui, non], escape_formulas: "
    "true}\n");
  const PxPattern *pattern = only(&read);
  const PxFormatOptions *format = &pattern->format;
  g_assert_cmpuint(px_pattern_header_rows(pattern), ==, 2);
  g_assert_true(!pattern->create && pattern->update && pattern->abort && pattern->error_rows_all && pattern->update_many2many);
  g_assert_cmpint(pattern->purge_one2many, ==, PX_PURGE_DETACH);
  g_assert_true(pattern->convert.exact && pattern->convert.decimal_comma);
  g_assert_cmpuint(pattern->chunk_size, ==, 3);
  g_assert_cmpuint(pattern->max_errors, ==, 10);
  g_assert_cmpstr(pattern->renamed_from, ==, "old");
  g_assert_cmpstr(format->delimiter, ==, "\t");
  g_assert_cmpstr(format->quote, ==, "'");
  g_assert_cmpstr(format->encoding, ==, "ISO-8859-1");
  g_assert_true(format->bom && format->quote_all);
  g_assert_cmpint(format->line_end, ==, PX_LINE_LF);
  g_assert_cmpint(format->formula_guard, ==, PX_FORMULA_ESCAPE);
  g_assert_cmpstr(format->true_word, ==, "oui");
  g_assert_cmpstr(format->false_word, ==, "non");
  g_assert_cmpuint(format->max_row_bytes, ==, 1024 * 1024);
  g_assert_cmpuint(format->max_cells, ==, 50);
  g_assert_cmpuint(pattern->n_order, ==, 3);
  g_assert_cmpstr(pattern->order[0]->name, ==, "name");
  g_assert_true(pattern->order_descending[0] && !pattern->order_descending[1]);
  g_assert_true(pattern->order[2] == pattern->model->id);
}

static void test_purge(void) {
  g_auto(Read) read = read_pattern("    purge_one2many: delete\n");
  g_assert_cmpint(only(&read)->purge_one2many, ==, PX_PURGE_DELETE);
  g_auto(Read) no = read_pattern("    purge_one2many: false\n");
  g_assert_cmpint(only(&no)->purge_one2many, ==, PX_PURGE_NO);
  check_complaint("    purge_one2many: remove\n", "pattern p: purge_one2many: false, true or delete is expected, not \"remove\"");
  check_complaint("    purge_one2many: [delete]\n", "pattern p: purge_one2many: false, true or delete is expected, not a list");
}

static void test_formats_of_later_versions_load(void) {
  g_auto(Read) xlsx = read_pattern("    format: xlsx\n    tab_to_import: match_name\n    fields: [name, {field: country_id/code, tab: true, "
                                   "tab_filter: \"[('code', '=', 'FR')]\"}]\n");
  g_assert_cmpint(only(&xlsx)->format.format, ==, PX_FORMAT_XLSX);
  g_assert_cmpstr(only(&xlsx)->format.sheet, ==, "p");
  g_auto(Read) json = read_pattern("    format: json\n");
  g_assert_cmpint(only(&json)->format.format, ==, PX_FORMAT_JSON);
  g_assert_false(only(&json)->format.json_lines);
  g_assert_false(only(&json)->format.json_nested);
}

static void test_json(void) {
  g_auto(Read) read = read_pattern("    format: json\n    json: {lines: true}\n    json_style: nested\n    header: description_and_tech\n");
  g_assert_true(only(&read)->format.json_lines);
  g_assert_true(only(&read)->format.json_nested);
  g_assert_cmpuint(px_pattern_header_rows(only(&read)), ==, 1);
}

static void test_tabs_of_values(void) {
  g_auto(Read) read = read_pattern("    fields:\n      - name\n      - {field: country_id/code, tab: true}\n"
                                   "      - {field: parent_id/country_id/code, tab: true}\n      - {field: country_id/name, tab: true}\n"
                                   "      - {field: parent_id/country_id/name, tab: true, tab_filter: \"[('code', '=', 'FR')]\"}\n"
                                   "      - {field: type, tab: true}\n");
  const PxPattern *pattern = only(&read);
  const PxExportColumn *fields = pattern->columns;
  g_assert_cmpuint(pattern->n_tabs, ==, 4);
  g_assert_null(fields[0].tab);
  g_assert_true(fields[1].tab == fields[2].tab && fields[1].tab == pattern->tabs[0]);
  g_assert_cmpstr(fields[1].tab->name, ==, "Country Code");
  g_assert_true(fields[1].tab->model == shop_model(&shop, "country"));
  g_assert_null(fields[1].tab->domain);
  g_assert_true(fields[3].tab == pattern->tabs[1]);
  g_assert_cmpstr(fields[3].tab->name, ==, "Country Name");
  g_assert_true(fields[4].tab == pattern->tabs[2] && fields[4].tab->domain);
  g_assert_true(fields[5].tab == pattern->tabs[3]);
  g_assert_true(fields[5].tab->field == shop_field(&shop, "partner", "type") && !fields[5].tab->model);
}

static void check_field(const PxPattern *pattern, size_t i, const char *header, const char *label) {
  g_assert_cmpstr(pattern->columns[i].header, ==, header);
  g_assert_cmpstr(pattern->columns[i].label, ==, label);
}

static void test_fields(void) {
  g_auto(Read) read =
    read_pattern("    fields:\n      - .id\n      - name\n      - {field: email, key: true}\n      - {field: country_id/code, key: true}\n"
                 "      - country_id/currency_id/name\n      - country_id/.id\n");
  const PxPattern *pattern = only(&read);
  g_assert_cmpuint(pattern->n_fields, ==, 6);
  check_field(pattern, 0, ".id", "ID");
  check_field(pattern, 1, "name", "Name");
  check_field(pattern, 2, "email#key", "Email#key");
  check_field(pattern, 3, "country_id#key|code", "Country#key|Country Code");
  g_assert_cmpstr(pattern->columns[4].header, ==, "country_id|currency_id|name");
  g_assert_cmpstr(pattern->columns[5].header, ==, "country_id|.id");
  g_assert_cmpuint(pattern->fields[4].n_path, ==, 3);
  g_assert_true(pattern->fields[4].path[0] == shop_field(&shop, "partner", "country_id"));
  g_assert_true(pattern->fields[4].path[2] == shop_field(&shop, "currency", "name"));
  g_assert_true(pattern->fields[5].path[1] == shop_model(&shop, "country")->id);
  g_assert_null(pattern->export_problem);
}

static void test_limits(void) {
  g_auto(Read) read =
    read_text("filters:\n  tagged: {model: category, domain: [[color, '>', 0]]}\n"
              "patterns:\n"
              "  p: {model: partner, fields: [{field: country_id/code, domain: \"[('code', '!=', 'FR')]\", tab: true},"
              " {field: parent_id/country_id/currency_id/name, domain: \"[('symbol', '=', '$')]\"},"
              " {field: category_ids/name, occurrences: 2, domain: tagged, tab: true}, {field: child_ids, pattern: q}]}\n"
              "  q: {model: partner, fields: [{field: country_id/name, domain: \"[('name', 'like', 'x')]\", tab: true, tab_filter: \"[]\"}]}\n");
  g_autoptr(GError) error = NULL;
  px_complaints_to_error(read.complaints, &error);
  g_assert_no_error(error);
  const PxPattern *pattern = px_patterns_get(read.patterns, "p");
  static const char *const paths[] = {"country_id", "parent_id.country_id.currency_id", "category_ids", "child_ids.country_id"};
  g_assert_cmpuint(pattern->n_limits, ==, G_N_ELEMENTS(paths));
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(GString) path = g_string_new(NULL);
    for (size_t f = 0; f < pattern->limits[i].n_path; f++)
      g_string_append_printf(path, "%s%s", f ? "." : "", pattern->limits[i].path[f]->name);
    g_assert_cmpstr(path->str, ==, paths[i]);
    g_assert_nonnull(pattern->limits[i].domain);
  }
  g_assert_true(pattern->columns[0].tab->domain == pattern->limits[0].domain);
  g_assert_cmpstr(pattern->columns[0].tab->name, ==, "Country Code");
  g_assert_true(pattern->columns[2].tab->domain == pattern->limits[2].domain);
  g_assert_cmpstr(pattern->columns[2].tab->name, ==, "(tagged)");
  g_assert_true(pattern->columns[4].tab->domain && pattern->columns[4].tab->domain != pattern->limits[3].domain);
}

static void test_limits_that_are_wrong(void) {
  check_complaint("    fields:\n      - {field: country_id/code, domain: \"[('cod', '=', 'FR')]\"}\n",
                  "pattern p: field country_id/code: domain: character 3: country has no field \"cod\" (did you mean code?)");
  check_complaint("    fields:\n      - {field: name, domain: \"[]\"}\n",
                  "pattern p: field name: domain limits which records a relation may refer to, and this field is none");
  check_complaint("    fields:\n      - {field: country_id/code, domain: [[code, '=', 'FR'], [5]]}\n",
                  "pattern p: field country_id/code: domain: conf.yaml:5: a condition has three parts: field, operator, value");
  check_complaint(
    "    fields:\n      - {field: country_id/code, domain: french}\n",
    "pattern p: field country_id/code: domain: there is no filter \"french\"; a domain is a list of conditions: [('field', '=', 'value')]");
  check_complaint("    fields:\n      - {field: category_ids, pattern: q}\n  q: {model: category, fields: [name]}\n",
                  "pattern p: field category_ids: pattern is for the records of a one2many, and a many2many only refers to records: say by which of "
                  "their fields, as in {field: category_ids/name, occurrences: 3}");
}

static void test_own_headers(void) {
  g_auto(Read) read = read_pattern(
    "    header: custom\n    fields:\n      - .id\n      - {field: name, header: Full Name}\n      - {field: country_id/code, header: Country}\n");
  const PxPattern *pattern = only(&read);
  g_assert_null(pattern->columns[0].custom);
  g_assert_cmpstr(pattern->columns[1].custom, ==, "Full Name");
  const char *headers[] = {" Country ", "Full Name", ".id", "email#key"};
  px_pattern_translate_header(pattern, headers, 4);
  g_assert_cmpstr(headers[0], ==, "country_id|code");
  g_assert_cmpstr(headers[1], ==, "name");
  g_assert_cmpstr(headers[2], ==, ".id");
  g_assert_cmpstr(headers[3], ==, "email#key");
  static const char *const file[] = {"Full Name", "Nope"};
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  g_autoptr(PxHeader) header = px_pattern_compile_header(pattern, file, NULL, 1, 1, messages);
  g_assert_cmpstr(px_header_root(header)->columns[0].header, ==, "Full Name");
  g_assert_null(px_pattern_compile_header(pattern, file, NULL, 2, 1, messages));
  g_assert_cmpstr(((PxMessage *)messages->pdata[0])->column, ==, "Nope");
}

static void test_fields_that_are_wrong(void) {
  check_complaint("    fields: [nme]\n", "pattern p: field nme: partner has no field nme (did you mean name?)");
  check_complaint("    fields: [country_id]\n",
                  "pattern p: field country_id: country_id is a relation: say which field of its records is meant, as in country_id/name");
  check_complaint("    fields: [category_ids]\n",
                  "pattern p: field category_ids: category_ids is a relation: say which field of its records is meant, as in category_ids/name");
  check_complaint("    fields: [{field: category_ids/name, occurrences: 0}]\n",
                  "pattern p: fields: occurrences: \"0\", but a whole number from 1 to 1000 is expected");
  check_complaint(
    "    fields: [child_ids]\n",
    "pattern p: field child_ids: child_ids is a one2many: say by which pattern its records are written, {field: child_ids, pattern: NAME}");
  check_complaint("    fields: [{field: child_ids, pattern: nobody}]\n", "pattern p: field child_ids: there is no pattern nobody");
  check_complaint("    fields: [child_ids/name]\n",
                  "pattern p: field child_ids/name: a one2many is written by a pattern of its records: {field: child_ids, pattern: NAME}");
  check_complaint("    fields: [name/x]\n", "pattern p: field name/x: name is no relation: nothing can follow it");
  check_complaint("    fields: ['email#key']\n", "pattern p: field email#key: a key is written {field: NAME, key: true}");
  check_complaint("    fields: [name, name]\n", "pattern p: field name: another column is called name too");
  check_complaint("    fields: [{field: name, occurrences: 2}]\n",
                  "pattern p: field name: occurrences are of a one2many or many2many that the path begins with");
  check_complaint("    fields: [{field: category_ids/name, key: true}]\n", "pattern p: field category_ids/name: a many2many cannot be part of a key");
  check_complaint("    header: custom\n    fields: [{field: name, header: '#N'}]\n",
                  "pattern p: field name: header: a column without a name, or with a name that begins with #, is ignored when the file comes back");
  check_complaint("    header: custom\n    fields: [street, {field: name, header: street}]\n",
                  "pattern p: field name: another column is called street too");
  check_complaint("    fields: [{field: country_id/code, tab: true, tab_filter: \"[('cod', '=', 1)]\"}]\n",
                  "pattern p: field country_id/code: tab_filter: character 3: country has no field \"cod\" (did you mean code?)");
  check_complaint("    fields: [{field: category_ids/name, tab: true, tab_filter: \"[('nam', '=', 1)]\"}]\n",
                  "pattern p: field category_ids/name: tab_filter: character 3: category has no field \"nam\" (did you mean name?)");
  check_complaint("    fields: [{field: name, tab: true}]\n",
                  "pattern p: field name: tab lists the allowed values of a relation's field or of a selection, and name is neither");
}

static void test_options_that_are_wrong(void) {
  check_complaint("    formt: csv\n", "pattern p: unknown key \"formt\" (did you mean format?)");
  check_complaint("    csv: {delimiter: ';;'}\n", "pattern p: csv: delimiter: one character is expected (or tab)");
  check_complaint("    csv: {delimiter: '\"'}\n", "pattern p: csv: delimiter and quote are the same");
  check_complaint("    csv: {encoding: klingon}\n", "pattern p: csv: encoding: klingon is not known (iconv -l lists the names)");
  check_complaint("    csv: {booleans: [x]}\n", "pattern p: csv: booleans: two words are expected, as in [yes, no]");
  check_complaint("    order: [nme]\n", "pattern p: order: nme is no field of the model (did you mean name?)");
  check_complaint("    order: [child_ids]\n", "pattern p: order: child_ids is a list of records, which has no order");
  check_complaint("    create: false\n    update: false\n", "pattern p: create: false and update: false together leave nothing to do");
  check_complaint("    sheet: x\n    tab_to_import: match_name\n", "pattern p: sheet and tab_to_import: match_name say two things: leave one out");
}

static void test_unknown_model(void) {
  g_auto(Read) read = read_text("patterns:\n  p: {model: partnr}\n");
  g_assert_cmpuint(px_patterns_count(read.patterns), ==, 0);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==, "pattern p: the database has no model partnr (did you mean partner?)");
  g_assert_cmpuint(px_complaints_at(read.complaints, 0)->line, ==, 2);
}

/* ---- lists of records */

static void check_headers(const PxPattern *pattern, const char *expected) {
  g_autoptr(GString) headers = g_string_new(NULL);
  for (size_t i = 0; i < pattern->n_columns; i++)
    g_string_append_printf(headers, "%s%s", i ? " " : "", pattern->columns[i].custom ? pattern->columns[i].custom : pattern->columns[i].header);
  g_assert_cmpstr(headers->str, ==, expected);
}

static void test_many2many(void) {
  g_auto(Read) read =
    read_pattern("    fields: [name, category_ids/name, {field: category_ids/color, occurrences: 2}, country_id/partner_ids/email]\n");
  const PxPattern *pattern = only(&read);
  check_headers(pattern, "name category_ids|1|name category_ids|1|color category_ids|2|color country_id|partner_ids|email");
  g_assert_cmpstr(pattern->columns[3].label, ==, "Tags|2|Color");
  g_assert_cmpuint(pattern->root->width, ==, 5);
  g_assert_cmpuint(pattern->root->n_lists, ==, 3);
  g_assert_cmpuint(pattern->root->lists[1].occurrences, ==, 2);
  g_assert_cmpuint(pattern->root->lists[1].column, ==, 2);
  g_assert_cmpuint(pattern->root->lists[2].n_path, ==, 2);
}

#define CONTACTS                                                                                                                                     \
  "  c: {model: partner, fields: [.id, {field: email, key: true}, {field: category_ids/name, occurrences: 2}]}\n"                                    \
  "  d: {model: partner, fields: [name, {field: child_ids, pattern: c, occurrences: 2}]}\n"

static void test_sub_patterns(void) {
  g_auto(Read) read =
    read_text("patterns:\n  p:\n    model: partner\n    fields: [{field: child_ids, pattern: c}, id, {field: child_ids, pattern: c}]\n" CONTACTS);
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 1);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==, "pattern p: field child_ids: another column is called child_ids|1|.id too");
  g_auto(Read) good = read_text("patterns:\n  p:\n    model: partner\n    fields: [{field: child_ids, pattern: d}, id]\n" CONTACTS);
  const PxPattern *pattern = px_patterns_get(good.patterns, "p");
  check_headers(pattern, "child_ids|1|name child_ids|1|child_ids|1|.id child_ids|1|child_ids|1|email#key child_ids|1|child_ids|1|category_ids|1|name "
                         "child_ids|1|child_ids|1|category_ids|2|name child_ids|1|child_ids|2|.id child_ids|1|child_ids|2|email#key "
                         "child_ids|1|child_ids|2|category_ids|1|name child_ids|1|child_ids|2|category_ids|2|name id");
  g_assert_cmpstr(pattern->columns[2].label, ==, "Children|1|Children|1|Email#key");
  g_assert_true(pattern->external_ids);
  g_assert_false(px_patterns_get(good.patterns, "d")->external_ids);
}

static void test_patterns_without_end(void) {
  g_auto(Read) read = read_text("patterns:\n"
                                "  a: {model: partner, fields: [name, {field: child_ids, pattern: b}]}\n"
                                "  b: {model: partner, fields: [name, {field: child_ids, pattern: c}]}\n"
                                "  c: {model: partner, fields: [name, {field: child_ids, pattern: b}]}\n"
                                "  d: {model: partner, fields: [name, {field: child_ids, pattern: none}]}\n"
                                "  none: {model: partner}\n");
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 2);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==,
                  "pattern c: field child_ids: the patterns contain one another without end: b -> c -> b");
  g_assert_cmpuint(px_complaints_at(read.complaints, 0)->line, ==, 4);
  g_assert_cmpstr(px_complaints_at(read.complaints, 1)->text, ==,
                  "pattern d: field child_ids: the pattern none has no fields to write the records by");
}

static void test_too_many_columns(void) {
  g_auto(Read) read = read_text("patterns:\n"
                                "  a: {model: partner, fields: [{field: child_ids, pattern: b, occurrences: 1000}]}\n"
                                "  b: {model: partner, fields: [{field: child_ids, pattern: c, occurrences: 1000}]}\n"
                                "  c: {model: partner, fields: [name]}\n");
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 1);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==,
                  "pattern a: field child_ids: with it there are more than 16384 columns: there may be fewer occurrences");
}

static void test_own_headers_of_lists(void) {
  g_auto(Read) read =
    read_text("patterns:\n  p:\n    model: partner\n    header: custom\n"
              "    fields: [{field: category_ids/name, header: Tag, occurrences: 2}, {field: child_ids, pattern: c, header: Contact},\n"
              "             {header: Remarks}, {field: parent_id/email, header: Company}]\n"
              "  c: {model: partner, header: custom, fields: [{field: email, header: Mail}, name]}\n");
  const PxPattern *pattern = px_patterns_get(read.patterns, "p");
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 0);
  check_headers(pattern, "Tag 1 Tag 2 Contact 1 Mail Contact 1 name Remarks Company");
  const char *headers[] = {"Tag 2", "Contact 1 Mail", "Remarks"};
  px_pattern_translate_header(pattern, headers, 3);
  g_assert_cmpstr(headers[0], ==, "category_ids|2|name");
  g_assert_cmpstr(headers[1], ==, "child_ids|1|email");
  g_assert_cmpstr(headers[2], ==, "");
  check_complaint("    fields: [{header: Remarks}]\n", "pattern p: fields: field is missing");
}

static void test_tabs(void) {
  g_auto(Read) read =
    read_text("filters: {near: {model: country, domain: [[code, in, [FR, BE]]]}}\n"
              "patterns:\n  p:\n    model: partner\n"
              "    fields: [{field: country_id/code, tab: true}, {field: child_ids, pattern: c, occurrences: 2}, {field: parent_id/country_id/code, "
              "tab: true},\n"
              "             {field: type, tab: true}]\n"
              "  c: {model: partner, fields: [{field: country_id/code, tab: true}, {field: country_id/name, tab: true, tab_filter: near}]}\n");
  const PxPattern *pattern = px_patterns_get(read.patterns, "p");
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 0);
  g_assert_cmpuint(pattern->n_tabs, ==, 3);
  g_assert_cmpstr(pattern->tabs[0]->name, ==, "Country Code");
  g_assert_cmpstr(pattern->tabs[1]->name, ==, "(near)");
  g_assert_cmpstr(pattern->tabs[2]->name, ==, "Address Type");
  static const unsigned tabs[] = {0, 0, 1, 0, 1, 0, 2};
  for (size_t i = 0; i < G_N_ELEMENTS(tabs); i++)
    g_assert_true(pattern->columns[i].tab == pattern->tabs[tabs[i]]);
}

static void test_filters(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_text("filters:\n  near: {model: country, domain: \"[('code', 'in', ['FR', 'BE'])]\"}\n  far: {model: cuntry, domain: []}\n"
                                "  wrong: {model: country, domain: \"[('cod', '=', 'FR')]\"}\n");
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 2);
  g_assert_cmpstr(px_complaints_at(read.complaints, 0)->text, ==, "filter far: the database has no model cuntry (did you mean country?)");
  g_assert_cmpstr(px_complaints_at(read.complaints, 1)->text, ==, "filter wrong: character 3: country has no field \"cod\" (did you mean code?)");
  g_autoptr(PxDomain) named = px_patterns_domain(read.patterns, shop_model(&shop, "country"), " near ", &error);
  g_assert_no_error(error);
  g_assert_cmpuint(named->children[0]->n_values, ==, 2);
  g_autoptr(PxDomain) written = px_patterns_domain(read.patterns, shop_model(&shop, "country"), "[('code', '=', 'FR')]", &error);
  g_assert_no_error(error);
  g_assert_nonnull(written);
  g_assert_null(px_patterns_domain(read.patterns, shop_model(&shop, "partner"), "near", &error));
  g_assert_cmpstr(error->message, ==, "the filter near is of the model country, but the records are of partner");
  g_clear_error(&error);
  g_assert_null(px_patterns_domain(read.patterns, shop_model(&shop, "country"), "neer", &error));
  g_assert_cmpstr(error->message, ==,
                  "there is no filter \"neer\" (did you mean near?); a domain is a list of conditions: [('field', '=', 'value')]");
}

static void test_finding(void) {
  g_auto(Read) read = read_text("patterns:\n  partner: {model: partner}\n  country: {model: country}\n");
  g_assert_true(px_patterns_get(read.patterns, "country")->model == shop_model(&shop, "country"));
  g_assert_null(px_patterns_get(read.patterns, "contry"));
  g_autofree char *meant = px_patterns_did_you_mean(read.patterns, "contry");
  g_assert_cmpstr(meant, ==, " (did you mean country?)");
}

static void test_snapshot(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_pattern("    header: custom\n    csv: {delimiter: ';', booleans: [yes, no], bom: yes}\n    chunk_size: 7\n    create: no\n"
                                   "    fields: [{field: email, key: true, header: 'M: \"x\" ${y}'}, country_id/code]\n"
                                   "    order: -name\n");
  g_setenv("y", "why", TRUE);
  const PxPattern *pattern = only(&read);
  g_autoptr(PxPatterns) again = px_patterns_from_snapshot("q", pattern->snapshot, shop.schema, NULL, &error);
  g_assert_no_error(error);
  const PxPattern *copy = px_patterns_get(again, "q");
  g_assert_cmpuint(copy->chunk_size, ==, 7);
  g_assert_true(!copy->create && copy->format.bom);
  g_assert_cmpstr(copy->format.delimiter, ==, ";");
  g_assert_cmpstr(copy->format.true_word, ==, "yes");
  g_assert_cmpuint(copy->n_fields, ==, 2);
  g_assert_cmpstr(copy->fields[0].custom, ==, pattern->fields[0].custom);
  g_assert_cmpstr(copy->columns[1].header, ==, "country_id|code");
  g_assert_true(copy->order_descending[0]);
}

static void test_snapshot_with_other_patterns(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_text("filters: {near: {model: country, domain: []}}\n"
                                "patterns:\n"
                                "  p:\n    model: partner\n    header: custom\n    fields: [{field: child_ids, pattern: d, header: Contact}]\n"
                                "  other: {model: country, fields: [name]}\n"
                                "  d: {model: partner, fields: [{field: country_id/code, tab: true, tab_filter: near}]}\n");
  const PxPattern *pattern = px_patterns_get(read.patterns, "p");
  g_assert_nonnull(strstr(pattern->snapshot, "\"d\""));
  g_assert_null(strstr(pattern->snapshot, "other"));
  g_autoptr(PxPatterns) again = px_patterns_from_snapshot("p", pattern->snapshot, shop.schema, NULL, &error);
  g_assert_no_error(error);
  check_headers(px_patterns_get(again, "p"), "Contact 1 country_id|code");
}

/* ---- computed columns */

static void check_translated(const PxPattern *pattern, const char *header, const char *expected) {
  px_pattern_translate_header(pattern, &header, 1);
  g_assert_cmpstr(header, ==, expected);
}

static const char computes[] = "patterns:\n"
                               "  p:\n    model: partner\n    header: custom\n    headers: {margin: [Marge, Gain]}\n"
                               "    fields: [name, {value: credit * 2, header: margin}, {field: child_ids, pattern: d, header: Contact}]\n"
                               "  t:\n    model: partner\n    fields: [name, {field: child_ids, pattern: d, occurrences: 2}]\n"
                               "  d: {model: partner, fields: [name, {value: upper(name), header: Shout it, type: text}]}\n";

static void test_computed(void) {
  g_auto(Read) read = read_text(computes);
  g_autoptr(GError) error = NULL;
  px_complaints_to_error(read.complaints, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(px_complaints_count(read.complaints), ==, 0);
  const PxPattern *own = px_patterns_get(read.patterns, "p");
  const PxPattern *technical = px_patterns_get(read.patterns, "t");
  check_headers(own, "name Marge Contact 1 name Contact 1 Shout it");
  check_headers(technical, "name child_ids|1|name child_ids|1|Shout it child_ids|2|name child_ids|2|Shout it");
  check_translated(own, "Marge", "#");
  check_translated(own, " Gain ", "#");
  check_translated(own, "margin", "#");
  check_translated(own, "Contact 1 Shout it", "#");
  check_translated(own, "name", "name");
  check_translated(technical, "child_ids|1|Shout it", "#");
  check_translated(technical, " child_ids | 7 | Shout it ", "#");
  check_translated(technical, "Shout it", "Shout it");
}

/* What a pattern file kept may say no SQL; its column is recognised all the same. */
static void test_computed_in_snapshot(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_pattern("    fields: [name, {value: credit * 2, header: margin}]\n");
  const PxPattern *pattern = only(&read);
  g_assert_cmpstr(pattern->fields[1].computed->expression, ==, "credit * 2");
  g_assert_null(pattern->export_problem);
  g_autoptr(PxPatterns) again = px_patterns_from_snapshot("p", pattern->snapshot, shop.schema, NULL, &error);
  g_assert_no_error(error);
  const PxPattern *copy = px_patterns_get(again, "p");
  g_assert_null(copy->fields[1].computed->expression);
  g_assert_nonnull(copy->export_problem);
  check_translated(copy, "margin", "#");
}

static void check_value(const char *entry, const char *what) {
  g_autofree char *lines = g_strdup_printf("    fields: [name, %s]\n", entry);
  check_complaint(lines, what);
}

static void test_computed_that_are_wrong(void) {
  check_value("{value: credit}", "pattern p: fields: value: header is missing: the column needs a name, as in {value: credit, header: NAME}");
  check_value("{value: credit, header: x, field: name}",
              "pattern p: field name: value is computed: beside it there are header, type and how values are "
              "written, but no field, key, pattern, occurrences, tab or domain");
  check_value("{value: credit, header: email}",
              "pattern p: field email: header: email is a field of partner, which would be written when the file comes back: choose another name");
  check_value("{value: credit, header: a|b}",
              "pattern p: field a|b: header: the name of a computed column does not begin with #, has no | in it and is no number");
  check_value("{value: credit, header: x, type: decimel}",
              "pattern p: fields: type: \"decimel\" is none of text, integer, decimal, boolean, date, datetime "
              "(did you mean decimal?)");
  check_value("{value: credit, header: x, type: date, decimal_comma: true}", "pattern p: field x: decimal_comma is not for date");
  check_value("{field: email, type: text}", "pattern p: field email: type is for a value; a field has the type of its column");
  check_value("{value: credit, header: x}, {value: color, header: x}", "pattern p: field x: another column is called x too");
}

static void test_values_are_checked(void) {
  g_autoptr(GError) error = NULL;
  g_auto(Read) read = read_pattern("    fields:\n    - name\n    - {value: credit * 2, header: good}\n    - {value: credits * 2, header: bad}\n");
  g_assert_true(px_patterns_check_values(read.patterns, shop.db, read.complaints, &error));
  g_assert_cmpuint(px_complaints_errors(read.complaints), ==, 1);
  g_autofree char *text = px_complaint_text(px_complaints_at(read.complaints, 0));
  g_assert_cmpstr(text, ==, "conf.yaml:7: pattern p: value bad: no such column: credits (did you mean credit?)");
}

static void test_snapshot_of_another_schema(void) {
  g_autoptr(GError) error = NULL;
  g_assert_null(px_patterns_from_snapshot("q", "{\"pattern\": {\"model\": \"gone\"}}", shop.schema, NULL, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  g_assert_nonnull(strstr(error->message, "the database has no model gone"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_setenv("y", "why", TRUE);
  shop_fixture_init(&shop, NULL);
  g_test_add_func("/pattern/config/defaults", test_defaults);
  g_test_add_func("/pattern/config/options", test_options);
  g_test_add_func("/pattern/config/purge", test_purge);
  g_test_add_func("/pattern/config/formats_of_later_versions_load", test_formats_of_later_versions_load);
  g_test_add_func("/pattern/config/json", test_json);
  g_test_add_func("/pattern/config/tabs_of_values", test_tabs_of_values);
  g_test_add_func("/pattern/config/fields", test_fields);
  g_test_add_func("/pattern/config/limits", test_limits);
  g_test_add_func("/pattern/config/limits_that_are_wrong", test_limits_that_are_wrong);
  g_test_add_func("/pattern/config/own_headers", test_own_headers);
  g_test_add_func("/pattern/config/fields_that_are_wrong", test_fields_that_are_wrong);
  g_test_add_func("/pattern/config/options_that_are_wrong", test_options_that_are_wrong);
  g_test_add_func("/pattern/config/unknown_model", test_unknown_model);
  g_test_add_func("/pattern/config/many2many", test_many2many);
  g_test_add_func("/pattern/config/sub_patterns", test_sub_patterns);
  g_test_add_func("/pattern/config/patterns_without_end", test_patterns_without_end);
  g_test_add_func("/pattern/config/too_many_columns", test_too_many_columns);
  g_test_add_func("/pattern/config/own_headers_of_lists", test_own_headers_of_lists);
  g_test_add_func("/pattern/config/tabs", test_tabs);
  g_test_add_func("/pattern/config/filters", test_filters);
  g_test_add_func("/pattern/config/finding", test_finding);
  g_test_add_func("/pattern/config/snapshot", test_snapshot);
  g_test_add_func("/pattern/config/snapshot_with_other_patterns", test_snapshot_with_other_patterns);
  g_test_add_func("/pattern/config/computed", test_computed);
  g_test_add_func("/pattern/config/computed_in_snapshot", test_computed_in_snapshot);
  g_test_add_func("/pattern/config/computed_that_are_wrong", test_computed_that_are_wrong);
  g_test_add_func("/pattern/config/values_are_checked", test_values_are_checked);
  g_test_add_func("/pattern/config/snapshot_of_another_schema", test_snapshot_of_another_schema);
  int status = g_test_run();
  shop_fixture_done(&shop);
  return status;
}
