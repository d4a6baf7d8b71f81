/* SPDX-License-Identifier: Apache-2.0 */
#include "format/writer.h"
#include "json_rows.h"
#include "json_suites.h"
#include "rows.h"

#include <string.h>
#include <unistd.h>

#define MOST 8

typedef struct {
  bool lines, nested;
} Style;

static PxCell cell_of(PxCellKind kind, const char *text) {
  return (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = (uint8_t)kind};
}

static int write_file(Style style, const char *const *header, size_t n, const PxCell (*rows)[MOST], size_t n_rows) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  options.json_lines = style.lines;
  options.json_nested = style.nested;
  int fd = test_file("", 0);
  g_autoptr(GError) error = NULL;
  g_autoptr(PxWriter) writer = px_writer_open(fd, &options, "x", &error);
  g_assert_no_error(error);
  PxCell names[MOST];
  for (size_t i = 0; i < n; i++)
    names[i] = cell_of(*header[i] ? PX_CELL_TEXT : PX_CELL_EMPTY, header[i]);
  const PxCell *headers[] = {names};
  g_assert_true(px_writer_begin(writer, headers, 1, n, NULL, 0, &error));
  for (size_t i = 0; i < n_rows; i++)
    g_assert_true(px_writer_row(writer, rows[i], n, &error));
  g_assert_true(px_writer_end(writer, &error));
  px_format_options_done(&options);
  return fd;
}

static void check(Style style, const char *const *header, size_t n, const PxCell (*rows)[MOST], size_t n_rows, const char *expected) {
  int fd = write_file(style, header, n, rows, n_rows);
  size_t len;
  g_autofree char *text = test_contents(fd, &len);
  g_assert_cmpstr(text, ==, expected);
  close(fd);
}

#define TEXT(text)                                                                                                                                   \
  { .ptr = text, .len = sizeof(text) - 1, .kind = PX_CELL_TEXT }
#define CELL(cell_kind, text)                                                                                                                        \
  { .ptr = text, .len = sizeof(text) - 1, .kind = cell_kind }
#define NOTHING                                                                                                                                      \
  { .ptr = "", .kind = PX_CELL_EMPTY }
#define ABSENT                                                                                                                                       \
  { .ptr = "", .kind = PX_CELL_ABSENT }

static void kinds(void) {
  static const char *const header[] = {".id", "name", "ok", "day", "none", "gone", "", "odd"};
  static const PxCell rows[][MOST] = {
    {CELL(PX_CELL_NUMBER, "41"), TEXT("Alice"), CELL(PX_CELL_BOOLEAN, "true"), CELL(PX_CELL_DATE, "2026-01-31"), NOTHING, ABSENT, TEXT("x"),
     CELL(PX_CELL_NUMBER, "Infinity")},
  };
  check((Style){0}, header, 8, rows, 1,
        "[\n{\".id\": 41, \"name\": \"Alice\", \"ok\": true, \"day\": \"2026-01-31\", \"none\": null, \"odd\": \"Infinity\"}\n]\n");
}

static void lists_and_lines(void) {
  static const char *const header[] = {"a"};
  static const PxCell rows[][MOST] = {{TEXT("x")}, {NOTHING}};
  check((Style){0}, header, 1, rows, 2, "[\n{\"a\": \"x\"},\n{\"a\": null}\n]\n");
  check((Style){.lines = true}, header, 1, rows, 2, "{\"a\": \"x\"}\n{\"a\": null}\n");
  check((Style){0}, header, 1, rows, 0, "[]\n");
  check((Style){.lines = true}, header, 1, rows, 0, "");
}

static void escapes(void) {
  static const char *const header[] = {"a\"b"};
  static const PxCell rows[][MOST] = {{TEXT("\"\\/\n\r\t\x01 é𝄞")}};
  check((Style){.lines = true}, header, 1, rows, 1, "{\"a\\\"b\": \"\\\"\\\\/\\n\\r\\t\\u0001 é𝄞\"}\n");
}

static void nested(void) {
  static const char *const header[] = {
    "name", "country_id|code", "country_id|name", "child_ids|2|name", "child_ids|1|name", "child_ids|1|tag_ids|1|name"};
  static const PxCell rows[][MOST] = {
    {TEXT("A"), TEXT("FR"), TEXT("France"), TEXT("second"), TEXT("first"), TEXT("t")},
    {TEXT("B"), NOTHING, NOTHING, TEXT("second"), NOTHING, NOTHING},
    {ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, NOTHING},
  };
  check((Style){.lines = true, .nested = true}, header, 6, rows, 3,
        "{\"name\": \"A\", \"country_id\": {\"code\": \"FR\", \"name\": \"France\"}, \"child_ids\": [{\"name\": \"first\", \"tag_ids\": [{\"name\": "
        "\"t\"}]}, {\"name\": \"second\"}]}\n"
        "{\"name\": \"B\", \"country_id\": {\"code\": null, \"name\": null}, \"child_ids\": [{\"name\": \"second\"}]}\n"
        "{\"child_ids\": []}\n");
}

static void nested_names_that_do_not_fit(void) {
  static const char *const header[] = {"a", "a|b", "c|1", "d|x|y", "d|x"};
  static const PxCell rows[][MOST] = {{TEXT("1"), TEXT("2"), TEXT("3"), TEXT("4"), TEXT("5")}};
  check((Style){.lines = true, .nested = true}, header, 5, rows, 1,
        "{\"a\": \"1\", \"a|b\": \"2\", \"c\": {\"1\": \"3\"}, \"d\": {\"x\": {\"y\": \"4\"}}, \"d|x\": \"5\"}\n");
}

static void reads_back(void) {
  static const char *const header[] = {"name", "country_id|code", "child_ids|1|name", "child_ids|2|name"};
  static const PxCell rows[][MOST] = {
    {TEXT("A\"\\\n"), TEXT("FR"), TEXT("x"), TEXT("y")},
    {CELL(PX_CELL_NUMBER, "12.5"), NOTHING, NOTHING, NOTHING},
  };
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  for (int i = 0; i < 4; i++) {
    Style style = {.lines = i & 1, .nested = i & 2};
    int fd = write_file(style, header, 4, rows, 2);
    g_autofree char *text = test_json_rows_at(fd, &options, 0, UINT64_MAX, 4096, false);
    g_assert_cmpstr(text, ==, "0 'name'|'country_id|code'|'child_ids|1|name'|'child_ids|2|name'\n1 'A\"\\\n'|'FR'|'x'|'y'\n2 12.5|~|~|~\n");
    close(fd);
  }
  px_format_options_done(&options);
}

void add_json_write_tests(void) {
  g_test_add_func("/format/json_write/kinds", kinds);
  g_test_add_func("/format/json_write/lists_and_lines", lists_and_lines);
  g_test_add_func("/format/json_write/escapes", escapes);
  g_test_add_func("/format/json_write/nested", nested);
  g_test_add_func("/format/json_write/nested_names_that_do_not_fit", nested_names_that_do_not_fit);
  g_test_add_func("/format/json_write/reads_back", reads_back);
}
