/* SPDX-License-Identifier: Apache-2.0 */
#include "../model/shop_fixture.h"
#include "extract/extract_private.h"

#include <sys/mman.h>
#include <unistd.h>

static ShopFixture shop;

static const char records[] =
  "INSERT INTO currency (id, name, symbol) VALUES (1, 'EUR', 'E'), (2, 'USD', '$');"
  "INSERT INTO country (id, code, name, currency_id) VALUES (20, 'BE', 'Belgium', 1), (75, 'FR', 'France', 1), (233, 'US', 'United States', 2);"
  "INSERT INTO partner (id, name, email, street, active, is_company, type, country_id, parent_id, color, date, visited, credit, photo, data) VALUES"
  " (41, 'Alice', 'alice@x.test', '1 Old; \"Street\"', 1, 0, 'contact', 20, 46, 0, '2026-02-15', '2026-01-15 10:00:00', 57.5, x'68656c6c6f', "
  "'{\"a\": 1}'),"
  " (42, 'Bob', 'bob@x.test', NULL, 1, NULL, NULL, 233, NULL, NULL, NULL, NULL, 1000, NULL, NULL),"
  " (45, 'Sleeper', 'sleep@x.test', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
  " (46, 'ACME', 'acme@x.test', NULL, 1, 1, 'invoice', NULL, NULL, 3, NULL, NULL, -0.25, NULL, NULL);";

typedef struct {
  const char *pattern; /* lines of YAML */
  const char *domain;
  bool header_only;
  bool by_name_descending;
} Wanted;

typedef struct {
  unsigned calls;
  uint64_t rows, total;
} Progress;

static void count_progress(uint64_t rows, uint64_t total, void *data) {
  Progress *progress = data;
  progress->calls++;
  progress->rows = rows;
  progress->total = total;
}

static char *read_back(int fd) {
  off_t size = lseek(fd, 0, SEEK_END);
  char *text = g_malloc0((size_t)size + 1);
  g_assert_cmpint(pread(fd, text, (size_t)size, 0), ==, size);
  return text;
}

/* The file, or NULL with error. */
static char *extract(const Wanted *wanted, Progress *progress, uint64_t *ret_rows, GError **error) {
  g_autofree char *text = g_strdup_printf("patterns:\n  p:\n    model: partner\n    csv: {line_end: lf}\n%s", wanted->pattern);
  g_autoptr(PxConfig) config = px_config_parse(text, "conf.yaml", error);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxPatterns) patterns = px_patterns_read(config, shop.schema, NULL, complaints);
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 0);
  const PxPattern *pattern = px_patterns_at(patterns, 0);
  g_autoptr(PxDomain) domain = wanted->domain ? px_domain_parse(pattern->model, wanted->domain, error) : NULL;
  const PxField *by_name = shop_field(&shop, "partner", "name");
  bool descending = true;
  PxExtractOptions options = {.domain = domain, .header_only = wanted->header_only, .progress = progress ? count_progress : NULL, .data = progress};
  if (wanted->by_name_descending) {
    options.order = &by_name;
    options.order_descending = &descending;
    options.n_order = 1;
  }
  int fd = memfd_create("export", MFD_CLOEXEC);
  g_assert_true(px_db_begin(shop.db, PX_TX_READ, error));
  bool ok = px_extract(shop.db, shop.schema, pattern, &options, fd, ret_rows, error);
  px_db_rollback(shop.db);
  char *file = ok ? read_back(fd) : NULL;
  close(fd);
  return file;
}

static void check(Wanted wanted, uint64_t n, const char *expected) {
  g_autoptr(GError) error = NULL;
  uint64_t rows = 0;
  g_autofree char *file = extract(&wanted, NULL, &rows, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(file, ==, expected);
  g_assert_cmpuint(rows, ==, n);
}

static void test_columns(void) {
  check((Wanted){.pattern = "    fields: [.id, name, street, country_id/code]\n"}, 3,
        ".id,name,street,country_id|code\n41,Alice,\"1 Old; \"\"Street\"\"\",BE\n42,Bob,,US\n46,ACME,,\n");
}

static void test_keys_and_paths(void) {
  check((Wanted){.pattern =
                   "    fields: [{field: email, key: true}, {field: parent_id/email, key: true}, country_id/.id, country_id/currency_id/name]\n"},
        3,
        "email#key,parent_id#key|email,country_id|.id,country_id|currency_id|name\nalice@x.test,acme@x.test,20,EUR\nbob@x.test,,233,USD\nacme@x.test,"
        ",,\n");
}

static void test_types(void) {
  check((Wanted){.pattern = "    fields: [is_company, type, color, date, visited, credit, photo, data, shown]\n"}, 3,
        "is_company,type,color,date,visited,credit,photo,data,shown\n"
        "false,contact,0,2026-02-15,2026-01-15 10:00:00,57.5,aGVsbG8=,\"{\"\"a\"\": 1}\",Alice <alice@x.test>\n"
        ",,,,,1000,,,Bob <bob@x.test>\n"
        "true,invoice,3,,,-0.25,,,ACME <acme@x.test>\n");
}

static void test_decimal_comma(void) {
  check((Wanted){.pattern = "    decimal_comma: true\n    fields: [name, credit]\n"}, 3, "name,credit\nAlice,\"57,5\"\nBob,1000\nACME,\"-0,25\"\n");
}

static void test_labels_above(void) {
  check((Wanted){.pattern = "    header: description_and_tech\n    fields: [.id, {field: email, key: true}, country_id/code]\n",
                 .domain = "[('id', '=', 41)]"},
        1, "ID,Email#key,Country|Country Code\n.id,email#key,country_id|code\n41,alice@x.test,BE\n");
}

static void test_own_headers(void) {
  check((Wanted){.pattern = "    header: custom\n    fields: [.id, {field: name, header: Full Name}]\n", .domain = "[('id', '=', 41)]"}, 1,
        ".id,Full Name\n41,Alice\n");
}

static void test_inactive(void) {
  check((Wanted){.pattern = "    fields: [name]\n", .domain = "[('email', 'in', ['bob@x.test', 'sleep@x.test'])]"}, 1, "name\nBob\n");
  check((Wanted){.pattern = "    fields: [name]\n", .domain = "[('active', '=', False)]"}, 1, "name\nSleeper\n");
  check((Wanted){.pattern = "    fields: [name]\n", .domain = "['|', ('active', '=', False), ('name', '=', 'Bob')]"}, 2, "name\nBob\nSleeper\n");
}

static void test_order(void) {
  check((Wanted){.pattern = "    order: -credit\n    fields: [name]\n"}, 3, "name\nBob\nAlice\nACME\n");
  check((Wanted){.pattern = "    order: -credit\n    fields: [name]\n", .by_name_descending = true}, 3, "name\nBob\nAlice\nACME\n");
  check((Wanted){.pattern = "    order: credit\n    fields: [name]\n", .by_name_descending = true}, 3, "name\nBob\nAlice\nACME\n");
  check((Wanted){.pattern = "    order: credit\n    fields: [name]\n"}, 3, "name\nACME\nAlice\nBob\n");
}

static void test_no_records(void) {
  check((Wanted){.pattern = "    fields: [.id, name]\n", .domain = "[('name', '=', 'nobody')]"}, 0, ".id,name\n");
}

static void test_template(void) {
  check((Wanted){.pattern = "    fields: [.id, name]\n", .header_only = true}, 0, ".id,name\n");
}

static void test_progress(void) {
  g_autoptr(GError) error = NULL;
  uint64_t rows = 0;
  Progress progress = {0};
  Wanted wanted = {.pattern = "    fields: [name]\n"};
  g_autofree char *file = extract(&wanted, &progress, &rows, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(progress.calls, ==, 1);
  g_assert_cmpuint(progress.rows, ==, 3);
  g_assert_cmpuint(progress.total, ==, 3);
}

static void check_refused(const char *pattern, int code, const char *what) {
  g_autoptr(GError) error = NULL;
  uint64_t rows = 0;
  Wanted wanted = {.pattern = pattern};
  g_autofree char *file = extract(&wanted, NULL, &rows, &error);
  g_assert_null(file);
  g_assert_error(error, PX_ERROR, code);
  g_assert_nonnull(strstr(error->message, what));
}

/* "NAME columns: value value\n" of each tab. */
static char *tabs_of(const char *fields, GError **error) {
  g_autofree char *text = g_strdup_printf("patterns:\n  p:\n    model: partner\n    fields: [%s]\n", fields);
  g_autoptr(PxConfig) config = px_config_parse(text, "conf.yaml", error);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxPatterns) patterns = px_patterns_read(config, shop.schema, NULL, complaints);
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 0);
  const PxPattern *pattern = px_patterns_at(patterns, 0);
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(PxRecords) reader = px_records_new(shop.db, shop.schema);
  PxTab *tabs = NULL;
  g_assert_true(px_db_begin(shop.db, PX_TX_READ, error));
  bool ok = px_extract_tabs(reader, pattern, arena, &tabs, error);
  px_db_rollback(shop.db);
  GString *shown = g_string_new(NULL);
  for (size_t i = 0; ok && i < pattern->n_tabs; i++) {
    g_string_append(shown, tabs[i].name);
    for (size_t c = 0; c < tabs[i].n_columns; c++)
      g_string_append_printf(shown, " %u", tabs[i].columns[c]);
    g_string_append_c(shown, ':');
    for (size_t v = 0; v < tabs[i].n_values; v++)
      g_string_append_printf(shown, " %.*s", (int)tabs[i].values[v].len, tabs[i].values[v].ptr);
    g_string_append_c(shown, '\n');
  }
  return g_string_free(shown, FALSE);
}

static void check_tabs(const char *fields, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_autofree char *shown = tabs_of(fields, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(shown, ==, expected);
}

static void test_tabs(void) {
  check_tabs("name, {field: country_id/code, tab: true}, {field: parent_id/country_id/code, tab: true}", "Country Code 1 2: BE FR US\n");
  check_tabs("{field: country_id/name, tab: true, tab_filter: \"[('code', 'in', ['FR', 'US'])]\"}", "Country Name 0: France United States\n");
  check_tabs("{field: country_id/currency_id/name, tab: true}, {field: country_id/code, tab: true}",
             "Currency Name 0: EUR USD\nCountry Code 1: BE FR US\n");
  check_tabs("{field: type, tab: true}", "Address Type 0: contact invoice\n");
  /* distinct, not empty, active */
  check_tabs("{field: parent_id/type, tab: true}", "Contact Address Type 0: contact invoice\n");
  check_tabs("{field: parent_id/name, tab: true}", "Contact Name 0: Alice Bob ACME\n");
  check_tabs("{field: parent_id/name, tab: true, tab_filter: \"[('active', '=', False)]\"}", "Contact Name 0: Sleeper\n");
}

static void test_not_supported_yet(void) {
  check_refused("    fields: [category_ids/name]\n", PX_ERROR_CONFIG, "not supported yet");
  check_refused("    update: false\n", PX_ERROR_CONFIG, "has no fields");
}

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  g_test_init(&argc, &argv, NULL);
  shop_fixture_init(&shop, NULL);
  g_assert_true(px_db_exec(shop.db, records, &error));
  g_test_add_func("/extract/columns", test_columns);
  g_test_add_func("/extract/keys_and_paths", test_keys_and_paths);
  g_test_add_func("/extract/types", test_types);
  g_test_add_func("/extract/decimal_comma", test_decimal_comma);
  g_test_add_func("/extract/labels_above", test_labels_above);
  g_test_add_func("/extract/own_headers", test_own_headers);
  g_test_add_func("/extract/inactive", test_inactive);
  g_test_add_func("/extract/order", test_order);
  g_test_add_func("/extract/no_records", test_no_records);
  g_test_add_func("/extract/template", test_template);
  g_test_add_func("/extract/progress", test_progress);
  g_test_add_func("/extract/tabs", test_tabs);
  g_test_add_func("/extract/not_supported_yet", test_not_supported_yet);
  int status = g_test_run();
  shop_fixture_done(&shop);
  return status;
}
