/* SPDX-License-Identifier: Apache-2.0 */
#include "format/json_private.h"
#include "format/parser.h"
#include "format/reader.h"
#include "json_rows.h"
#include "json_suites.h"
#include "rows.h"

#include <unistd.h>

static void check_with(const PxFormatOptions *options, const char *bytes, const char *expected) {
  g_autofree char *rows = test_json_rows(bytes, strlen(bytes), options);
  g_assert_cmpstr(rows, ==, expected);
}

static void check(const char *bytes, const char *expected) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  check_with(&options, bytes, expected);
  px_format_options_done(&options);
}

/* ---- rows */

static void list_of_objects(void) {
  check("[{\"a\": 1, \"b\": \"x\"},\n {\"a\": null, \"b\": true}\n]\n", "0 'a'|'b'\n1 1|'x'\n2 ~|true\n");
  check("[]", "0 '.id'\n");
  check(" [ { } , {} ] ", "0 '.id'\n1 .\n2 .\n");
}

static void one_object_a_line(void) {
  check("{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}", "0 'a'\n1 1\n2 2\n3 3\n");
  check("{\n \"a\": 1\n}\n", "0 'a'\n1 1\n");
}

static void byte_order_mark(void) {
  check("\xEF\xBB\xBF[{\"a\":1}]", "0 'a'\n1 1\n");
  check("\xEF\xBB\xBF{\"a\":1}\n{\"a\":2}", "0 'a'\n1 1\n2 2\n");
}

static void header_is_every_key(void) {
  check("[{\"email#key\": \"a\", \"city\": \"X\"}, {\"email#key\": \"b\", \"name\": \"J\"}, {\"name\": null}]",
        "0 'email#key'|'city'|'name'\n1 'a'|'X'|.\n2 'b'|.|'J'\n3 .|.|~\n");
}

/* What only ever is null may be a field or a relation: it is not shown as a text. */
static void header_of_nulls(void) {
  check("[{\"a\": null, \"b\": 1}, {\"a\": null, \"c\": {\"d\": null}, \"b\": null}]", "0 a|'b'|c|d\n1 ~|1|.\n2 ~|~|~\n");
}

static void empty_text_is_empty(void) {
  check("[{\"a\": \"\", \"b\": \" \"}]", "0 'a'|'b'\n1 ~|' '\n");
}

static void empty_file(void) {
  check("", "! byte 0: the file is empty: a list without objects is []");
  check("\n ", "! byte 2: the file is empty: a list without objects is []");
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  options.json_lines = true;
  check_with(&options, "", "0 '.id'\n");
  px_format_options_done(&options);
}

/* ---- within one another */

static void groups_are_paths(void) {
  check("[{\"country_id\": {\"code\": \"FR\"}}, {\"country_id|code\": \"BE\"}, {\"country_id\": {\"currency_id\": {\"name\": \"EUR\"}}}]",
        "0 'country_id|code'|'country_id|currency_id|name'\n1 'FR'|.\n2 'BE'|.\n3 .|'EUR'\n");
  check("{\"country_id#key\": {\"code\": \"FR\"}}", "0 'country_id#key|code'\n1 'FR'\n");
}

static void lists_are_items(void) {
  check("[{\"child_ids\": [{\"name\": \"A\"}, {\"name\": \"B\", \"email#key\": \"b\"}]}, {\"child_ids\": [null, {\"name\": \"C\"}]}]",
        "0 'child_ids|1|name'|'child_ids|2|name'|'child_ids|2|email#key'\n1 'A'|'B'|'b'\n2 ~|'C'|.\n");
  check("[{\"a\": [{\"b\": [{\"c\": 1}]}]}]", "0 'a|1|b|1|c'\n1 1\n");
}

static void nothing_empties_what_is_below(void) {
  check("[{\"a\": {\"b\": 1, \"c\": 2}}, {\"a\": null}, {\"a\": {}}, {\"a\": []}, {\"b\": 0}]",
        "0 'a|b'|'a|c'|'b'\n1 1|2|.\n2 ~|~|.\n3 ~|~|.\n4 ~|~|.\n5 .|.|0\n");
  check("[{\"a\": null, \"a|b\": 1}, {\"a|b\": 2, \"a\": null}]", "0 'a|b'\n1 1\n2 2\n");
}

static void nothing_of_which_no_more_is_known(void) {
  check("[{\"tags\": []}, {\"country_id\": {}}, {\"x\": null}]", "0 'tags|1|.id'|'country_id|.id'|x\n1 ~|.|.\n2 .|~|.\n3 .|.|~\n");
  check("[{\"a\": [{}]}, {\"a\": [{\"b\": []}]}]", "0 'a|1|b|1|.id'\n1 ~\n2 ~\n");
}

static void other_lists_are_text(void) {
  check("[{\"a\": [1, [\"x\", {\"b\": null}], []]}, {\"a\": []}]", "0 'a'\n1 '[1, [\"x\", {\"b\": null}], []]'\n2 '[]'\n");
}

/* ---- texts and numbers */

static void escapes(void) {
  check("[{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud834\\udd1e!\"}]", "0 'a'\n1 '\"\\/\b\f\n\r\té𝄞!'\n");
  check("[{\"\\u0061\": 1}, {\"a\": 2}]", "0 'a'\n1 1\n2 2\n");
}

static void long_text(void) {
  g_autoptr(GString) text = g_string_new("[{\"a\": \"");
  for (int i = 0; i < 1000; i++)
    g_string_append(text, "lorem ipsum €");
  g_autofree char *expected = g_strdup_printf("0 'a'\n1 '%s'\n", text->str + 8);
  g_string_append(text, "\"}]");
  check(text->str, expected);
}

static void numbers(void) {
  static const char *const cases[][2] = {
    {"75001.0", "75001"},
    {"1e3", "1000"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"0.10", "0.1"},
    {"1.50e-3", "0.0015"},
    {"-12.5E+1", "-125"},
    {"9007199254740993", "9007199254740993"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"123456789012345678901234567890.5", "123456789012345678901234567890.5"},
    {"1e23", "100000000000000000000000"},
    {"1e30", "1e30"},
    {"1E400", "1E400"},
    {"1e-400", "1e-400"},
    {"1e99999999999999999999", "1e99999999999999999999"},
    {"0.10000000000000001", "0.1"},
    {"0.100000000000000010", "0.1"},
    {"1.0000000000000001e-1", "0.1"},
    {"0.12345678901234567", "0.12345678901234567"},
    {"12345678901.234567", "12345678901.234567"},
    {"1.0000000000000000001", "1.0000000000000000001"},
    {"100", "100"},
    {"0e5", "0"},
    {"1000000.000", "1000000"},
    {"0.0000001", "0.0000001"},
    {"0.00000001", "0.00000001"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *file = g_strdup_printf("[{\"a\": %s}]", cases[i][0]);
    g_autofree char *expected = g_strdup_printf("0 'a'\n1 %s\n", cases[i][1]);
    check(file, expected);
  }
}

/* ---- what is refused */

static const char value_expected[] = "a value is expected: text in double quotes, a number, true, false, null, { or [";

static void broken_syntax(void) {
  g_autofree char *value = g_strdup_printf("! item 1, byte 6: %s", value_expected);
  g_autofree char *in_list = g_strdup_printf("! item 1, byte 8: %s", value_expected);
  check("{\"a\": ,}", value);
  check("{\"a\": [1,]}", "! item 1, byte 9: a value is expected: text in double quotes, a number, true, false, null, { or [");
  check("{\"a\": [1 +]}", "! item 1, byte 9: a comma or the end of the list is expected");
  check("{\"a\": n}", "! item 1, byte 7: a value is expected: text in double quotes, a number, true, false, null, { or [");
  check("{\"a\": [[}", in_list);
  check("{\"a\" 1}", "! item 1, byte 5: a colon is expected behind the key");
  check("{\"a\": 1,}", "! item 1, byte 8: a key in double quotes is expected");
  check("{a: 1}", "! item 1, byte 1: a key in double quotes is expected");
  check("{\"a\": 1 \"b\": 2}", "! item 1, byte 8: a comma or } is expected");
  check("[{\"a\": 1} {\"a\": 2}]", "! behind item 1, byte 10: a comma or the end of the list (]) is expected behind an item");
  check("[{\"a\": 1}, 2]", "! behind item 1, byte 11: an object is expected: a file is a list of objects, or one object a line");
  check("[{\"a\": 1},]", "! behind item 1, byte 10: an object is expected: a file is a list of objects, or one object a line");
  check("a,b\n1,2\n", "! byte 0: this is no JSON file: it begins with neither [ nor {");
  check("[{\"a\": [{}, 1]}]", "! item 1, byte 12: a list that begins with an object or null holds nothing else");
}

static void broken_numbers(void) {
  static const char *const numbers[] = {"01", "1.", ".5", "+1", "1e", "-", "--1", "0x10", "1.e5", "NaN", "Infinity"};
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
    g_autofree char *file = g_strdup_printf("[{\"a\": %s}]", numbers[i]);
    PxFormatOptions options;
    px_format_options_init(&options, PX_FORMAT_JSON);
    g_autofree char *rows = test_json_rows(file, strlen(file), &options);
    g_assert_true(g_str_has_prefix(rows, "! item 1, byte "));
    px_format_options_done(&options);
  }
}

static void broken_text(void) {
  check("{\"a\": \"\\ud800\"}", "! item 1, byte 13: half of a surrogate pair: \\uD800 to \\uDBFF and \\uDC00 to \\uDFFF stand together");
  check("{\"a\": \"\\udc00\"}", "! item 1, byte 12: half of a surrogate pair: \\uD800 to \\uDBFF and \\uDC00 to \\uDFFF stand together");
  check("{\"a\": \"\\ud800\\u0041\"}", "! item 1, byte 18: half of a surrogate pair: \\uD800 to \\uDBFF and \\uDC00 to \\uDFFF stand together");
  check("{\"a\": \"\\u0000\"}", "! item 1, byte 12: a NUL character (\\u0000), which no field can hold");
  check("{\"a\": \"\\u00g0\"}", "! item 1, byte 11: four hexadecimal digits are expected behind \\u");
  check("{\"a\": \"\\x\"}", "! item 1, byte 8: an unknown escape: there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u");
  check("{\"a\": \"x\ny\"}", "! item 1, byte 8: a control character in a string: it is written as an escape, as \\n");
}

static void broken_bytes(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  check_with(&options, "[{\"a\": \"\xFF\"}]", "! item 1, byte 8: byte 0xFF is not UTF-8: JSON is written in that encoding");
  check_with(&options, "[{\"a\": \"\xE2\x82", "! item 1, byte 8: the file ends in the middle of a character");
  g_autofree char *nul = test_json_rows("[{\"a\": \0}]", 10, &options);
  g_assert_cmpstr(nul, ==, "! item 1, byte 7: a NUL byte: JSON is written in UTF-8");
  px_format_options_done(&options);
}

static void key_twice(void) {
  check("[{\"a\": 1}, {\"a\": 1, \"a\": 2}]", "! item 2, byte 20: the key \"a\" is there twice in one object");
  check("[{\"a\": {\"b\": 1}, \"a|b\": 2}]", "! item 1, byte 17: the key \"a|b\" is there twice in one object");
  check("[{\"a\": {\"b\": 1}, \"a\": {\"c\": 2}}]", "! item 1, byte 17: the key \"a\" is there twice in one object");
  check("[{\"a\": 1, \"\\u0061\": 2}]", "! item 1, byte 10: the key \"a\" is there twice in one object");
}

static void cut_off(void) {
  static const char file[] = "[{\"a\": \"x\\u00e9\", \"b\": {\"c\": [true, -1.5e3]}}, {\"a\": null}]";
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  for (size_t len = 1; len < sizeof file - 1; len++) {
    g_autofree char *rows = test_json_rows(file, len, &options);
    g_assert_true(rows[0] == '!');
    g_assert_true(g_str_has_suffix(rows, "it was cut off"));
  }
  px_format_options_done(&options);
}

static void trailing_garbage(void) {
  check("[{\"a\": 1}] x", "! behind item 1, byte 11: more behind the end of the list");
  check("[] []", "! byte 3: more behind the end of the list");
}

static void limits(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  options.max_cells = 2;
  check_with(&options, "[{\"a\": 1}, {\"b\": 2}]", "0 'a'|'b'\n1 1|.\n2 .|2\n");
  check_with(&options, "[{\"a\": 1}, {\"b\": 2}, {\"c\": 3}]",
             "! the items have 3 different keys (items of lists counted), more than a row may hold: raise limits: cells");
  check_with(&options, "[{\"a\": 1}, {\"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5}]",
             "! item 2, byte 36: the file has more different keys (items of lists counted) than one row can hold; raise limits: cells");
  options.max_cells = 100;
  options.max_row_bytes = 20;
  check_with(&options, "[{\"a\": \"0123456789\"}, {}]", "0 'a'\n1 '0123456789'\n2 .\n");
  check_with(&options, "[{}, {\"a\": \"01234567890123\"}]",
             "! item 2, byte 5: longer than 20 bytes: a quote that is not closed, or limits: row_bytes is too small");
  options.max_row_bytes = 1000;
  options.max_depth = 3;
  check_with(&options, "[{\"a\": [{\"b\": 1}]}]", "0 'a|1|b'\n1 1\n");
  check_with(&options, "[{\"a\": [{\"b\": {\"c\": 1}}]}]", "! item 1, byte 14: too many lists and objects within one another");
  check_with(&options, "[{\"a\": [[[1]]]}]", "! item 1, byte 9: too many lists and objects within one another");
  px_format_options_done(&options);
}

static void endless_nesting(void) {
  g_autoptr(GString) text = g_string_new("[{\"a\": ");
  for (int i = 0; i < 100000; i++)
    g_string_append_c(text, '[');
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  int fd = test_file(text->str, text->len);
  g_autofree char *rows = test_json_rows_at(fd, &options, 0, UINT64_MAX, 4096, false);
  g_assert_cmpstr(rows, ==, "! item 1, byte 70: too many lists and objects within one another");
  close(fd);
  px_format_options_done(&options);
}

/* ---- going on */

static void places(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  int fd = test_file("[{\"a\":1}, {\"a\":2}]", 18);
  g_autofree char *rows = test_json_rows_at(fd, &options, 0, UINT64_MAX, 64, true);
  g_assert_cmpstr(rows, ==, "0@0 'a'\n1@1 1\n2@8 2\n");
  g_autofree char *second = test_json_rows_at(fd, &options, 2, 8, 64, true);
  g_assert_cmpstr(second, ==, "2@8 2\n");
  g_autofree char *behind = test_json_rows_at(fd, &options, 3, UINT64_MAX, 64, true);
  g_assert_cmpstr(behind, ==, "");
  close(fd);
  px_format_options_done(&options);
}

/* The rows that come through a parser process from number on, as "NUMBER TEXT" of their first cells. */
static char *through_parser(int fd, uint64_t number, uint64_t place) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  g_autoptr(GError) error = NULL;
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, 1, number, place, &error);
  g_assert_no_error(error);
  GString *out = g_string_new(NULL);
  for (;;) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &error);
    g_assert_no_error(error);
    if (!batch)
      break;
    for (uint32_t i = 0; i < batch->n_rows; i++) {
      const PxBatchRow *row = &px_row_batch_rows(batch)[i];
      PxCell cell = px_row_batch_cell(batch, row, 0);
      g_string_append_printf(out, "%u %.*s%s\n", (unsigned)row->number, (int)cell.len, cell.ptr, cell.kind == PX_CELL_ABSENT ? "." : "");
    }
  }
  px_format_options_done(&options);
  return g_string_free(out, FALSE);
}

static void parser_process(void) {
  int fd = test_file("[{\"a\":1}, {\"a\":2}, {}]", 22);
  g_autofree char *all = through_parser(fd, 0, UINT64_MAX);
  g_assert_cmpstr(all, ==, "0 a\n1 1\n2 2\n3 .\n");
  g_autofree char *by_place = through_parser(fd, 2, 8);
  g_assert_cmpstr(by_place, ==, "0 a\n2 2\n3 .\n");
  g_autofree char *by_number = through_parser(fd, 3, UINT64_MAX);
  g_assert_cmpstr(by_number, ==, "0 a\n3 .\n");
  close(fd);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return px_parser_main(argc, argv);
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/format/json/list_of_objects", list_of_objects);
  g_test_add_func("/format/json/one_object_a_line", one_object_a_line);
  g_test_add_func("/format/json/byte_order_mark", byte_order_mark);
  g_test_add_func("/format/json/header_is_every_key", header_is_every_key);
  g_test_add_func("/format/json/header_of_nulls", header_of_nulls);
  g_test_add_func("/format/json/empty_text_is_empty", empty_text_is_empty);
  g_test_add_func("/format/json/empty_file", empty_file);
  g_test_add_func("/format/json/groups_are_paths", groups_are_paths);
  g_test_add_func("/format/json/lists_are_items", lists_are_items);
  g_test_add_func("/format/json/nothing_empties_what_is_below", nothing_empties_what_is_below);
  g_test_add_func("/format/json/nothing_of_which_no_more_is_known", nothing_of_which_no_more_is_known);
  g_test_add_func("/format/json/other_lists_are_text", other_lists_are_text);
  g_test_add_func("/format/json/escapes", escapes);
  g_test_add_func("/format/json/long_text", long_text);
  g_test_add_func("/format/json/numbers", numbers);
  g_test_add_func("/format/json/broken_syntax", broken_syntax);
  g_test_add_func("/format/json/broken_numbers", broken_numbers);
  g_test_add_func("/format/json/broken_text", broken_text);
  g_test_add_func("/format/json/broken_bytes", broken_bytes);
  g_test_add_func("/format/json/key_twice", key_twice);
  g_test_add_func("/format/json/cut_off", cut_off);
  g_test_add_func("/format/json/trailing_garbage", trailing_garbage);
  g_test_add_func("/format/json/limits", limits);
  g_test_add_func("/format/json/endless_nesting", endless_nesting);
  g_test_add_func("/format/json/places", places);
  g_test_add_func("/format/json/parser_process", parser_process);
  add_json_write_tests();
  return g_test_run();
}
