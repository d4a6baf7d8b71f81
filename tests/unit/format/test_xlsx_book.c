/* SPDX-License-Identifier: Apache-2.0 */
/* Which sheet, which strings, and what is no workbook. */
#include "format/parser.h"
#include "format/xlsx_read_private.h"
#include "rows.h"
#include "xlsx_suites.h"
#include "zip_make.h"

#include <string.h>
#include <unistd.h>

#define RELATIONS(all) "<Relationships>" all "</Relationships>"
#define SHEET(n) "<Relationship Id=\"r" n "\" Type=\"urn:x/worksheet\" Target=\"sheet" n ".xml\"/>"
#define ROWS(text) "<worksheet><sheetData><row><c t=\"str\"><v>" text "</v></c></row></sheetData></worksheet>"

static const TestMember three_sheets[] = {
  {.name = "_rels/.rels", .text = RELATIONS("<Relationship Id=\"a\" Type=\"urn:x/officeDocument\" Target=\"/Book/Main.xml\"/>")},
  {.name = "book/main.xml",
   .text = "<workbook><sheets><sheet name=\"Chart\" id=\"r0\"/><sheet name=\"Hidden\" id=\"r1\" state=\"hidden\"/>"
           "<sheet name=\"Partner &amp; co\" id=\"r2\"/><sheet name=\"Été\" id=\"r3\"/></sheets></workbook>"},
  {.name = "book/_rels/main.xml.rels",
   .text = RELATIONS("<Relationship Id=\"r0\" Type=\"urn:x/chartsheet\" Target=\"chart.xml\"/>" SHEET("1") SHEET("2") SHEET("3"))},
  {.name = "book/sheet1.xml", .text = ROWS("one")},
  {.name = "book/sheet2.xml", .text = ROWS("two")},
  {.name = "book/sheet3.xml", .text = ROWS("three")},
};

static char *rows_of(const GByteArray *bytes, const char *sheet) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  options.sheet = g_strdup(sheet);
  int fd = test_file((const char *)bytes->data, bytes->len);
  char *rows = test_fd_rows(fd, &options, 0, 0, false);
  close(fd);
  px_format_options_done(&options);
  return rows;
}

static void choice_of_the_sheet(void) {
  static const char *const cases[][2] = {
    {NULL, "1 T:two\n"},
    {"partner & CO ", "1 T:two\n"},
    {" été", "1 T:three\n"},
    {"ÉTÉ", "1 T:three\n"},
    {"hidden", "1 T:one\n"},
    {"chart", "! the workbook has no sheet called \"chart\"; it has \"Hidden\", \"Partner & co\", \"Été\": rename the sheet, or change sheet or "
              "tab_to_import of the pattern"},
  };
  g_autoptr(GByteArray) bytes = test_zip(three_sheets, G_N_ELEMENTS(three_sheets));
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *got = rows_of(bytes, cases[i][0]);
    g_assert_cmpstr(got, ==, cases[i][1]);
  }
}

static void check_bytes(const char *bytes, size_t len, const char *want) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  int fd = test_file(bytes, len);
  g_autofree char *got = test_fd_rows(fd, &options, 0, 0, false);
  close(fd);
  px_format_options_done(&options);
  if (!strstr(got, want))
    g_assert_cmpstr(got, ==, want);
}

/* A compound file whose directory, in its second sector, names stream. */
static void check_compound(const char *stream, const char *want) {
  char bytes[4096] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
  bytes[30] = 9;
  bytes[48] = 1;
  for (size_t i = 0; i < strlen(stream); i++)
    bytes[1024 + 2 * i] = stream[i];
  check_bytes(bytes, sizeof bytes, want);
}

static void other_files_are_named(void) {
  check_compound("EncryptedPackage", "it is one that is protected by a password: open it with its password and save it without one");
  check_compound("Workbook", "it is an XLS workbook of Excel 97-2003: open it in a spreadsheet program and save it as XLSX");
  check_compound("WordDocument", "it is an old Office document");
  check_bytes("", 0, "it is empty");
  check_bytes("a;b\n1;2\n", 8, "it is a text: import it with a pattern of format csv");
  check_bytes("<html><table>", 13, "it is a web page");
  check_bytes("%PDF-1.4", 8, "it is a PDF document");
  check_bytes("\x01\x02\x03\x04", 4, "it is no zip archive");
  check_bytes("PK\3\4", 4, "broken zip archive: its directory is missing");
  check_bytes("P", 1, "it is a text");
}

static void check_member(const char *name, const char *want) {
  const TestMember members[] = {{.name = name, .text = "x"}};
  g_autoptr(GByteArray) bytes = test_zip(members, 1);
  check_bytes((const char *)bytes->data, bytes->len, want);
}

static void other_archives_are_named(void) {
  check_member("xl/workbook.bin", "it is an XLSB workbook: open it in Excel and save it as XLSX");
  check_member("content.xml", "it is an OpenDocument file");
  check_member("word/document.xml", "it is a Word document");
  check_member("a.csv", "the zip archive holds no workbook: a file packed in an archive must be taken out of it first");
}

static void broken_small_parts(void) {
  TestBook book = {.sheet = "", .workbook = "<workbook><sheets></workbook>"};
  g_autoptr(GByteArray) bytes = test_book(&book);
  check_bytes((const char *)bytes->data, bytes->len, "xl/workbook.xml: broken XML in line 1: mismatched tag");
  book.workbook = "<!DOCTYPE workbook [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><workbook>&b;</workbook>";
  g_autoptr(GByteArray) bomb = test_book(&book);
  check_bytes((const char *)bomb->data, bomb->len, "xl/workbook.xml: it has a DOCTYPE");
  book.workbook = "<workbook><sheets/></workbook>";
  g_autoptr(GByteArray) empty = test_book(&book);
  check_bytes((const char *)empty->data, empty->len, "the workbook has no sheet with cells");
  book.workbook = "<workbook><sheets><sheet name=\"One\" id=\"r9\"/></sheets></workbook>";
  book.workbook_rels = RELATIONS("<Relationship Id=\"r9\" Type=\"x/worksheet\" Target=\"gone.xml\"/>");
  g_autoptr(GByteArray) gone = test_book(&book);
  check_bytes((const char *)gone->data, gone->len, "the workbook has no part xl/gone.xml, although it says so");
  book.workbook_rels = RELATIONS("<Relationship Id=\"r9\" Type=\"x/worksheet\" Target=\"http://x/y\" TargetMode=\"External\"/>");
  g_autoptr(GByteArray) outside = test_book(&book);
  check_bytes((const char *)outside->data, outside->len, "the workbook has no sheet with cells");
}

/* Strings 0 to n in an order that goes back and forth over the pages. */
static void check_store(size_t memory, uint64_t n) {
  PxXlsxStrings *strings = px_xlsx_strings_new(memory, -1);
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(GError) error = NULL;
  char want[64];
  for (uint64_t i = 0; i < n; i++) {
    g_snprintf(want, sizeof want, "string %" G_GUINT64_FORMAT "%s", i, i % 3 ? "" : " and some more text");
    g_assert_true(px_xlsx_strings_add(strings, i % 10 ? want : "", i % 10 ? strlen(want) : 0, &error));
  }
  g_assert_true(px_xlsx_strings_seal(strings, &error));
  g_assert_cmpuint(px_xlsx_strings_count(strings), ==, n);
  for (uint64_t k = 0; k < 2 * n; k++) {
    uint64_t i = k < n ? k : k * 7919 % n;
    const char *text;
    uint32_t len;
    g_assert_true(px_xlsx_strings_get(strings, i, arena, &text, &len, &error));
    g_snprintf(want, sizeof want, "string %" G_GUINT64_FORMAT "%s", i, i % 3 ? "" : " and some more text");
    g_assert_true(len == (i % 10 ? strlen(want) : 0) && memcmp(text, want, len) == 0);
    if (k % 100 == 0)
      px_arena_reset(arena);
  }
  px_xlsx_strings_free(strings);
}

static void strings_in_memory(void) {
  check_store(G_MAXINT32, 1);
  check_store(G_MAXINT32, 20000);
}

static void strings_in_a_file(void) {
  check_store(0, 100);
  check_store(0, 20000);
  check_store((size_t)200 * 1024, 20000);
}

/* The rows that come out of the parser process, "1 a|b"; header_rows: the last of them names the columns. */
static char *parsed(const TestBook *book, const PxFormatOptions *options, unsigned header_rows, size_t *ret_cells) {
  g_autoptr(GByteArray) bytes = test_book(book);
  g_autoptr(GError) error = NULL;
  GString *out = g_string_new(NULL);
  int fd = test_file((const char *)bytes->data, bytes->len);
  g_autoptr(PxParser) parser = px_parser_start(fd, options, header_rows, 0, 0, &error);
  g_assert_no_error(error);
  *ret_cells = 0;
  for (;;) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &error);
    g_assert_no_error(error);
    if (!batch)
      break;
    *ret_cells += batch->n_cells;
    for (uint32_t r = 0; r < batch->n_rows; r++) {
      const PxBatchRow *row = &px_row_batch_rows(batch)[r];
      g_string_append_printf(out, "%u ", (unsigned)row->number);
      for (uint32_t i = 0; i < row->n_cells; i++) {
        PxCell cell = px_row_batch_cell(batch, row, i);
        g_string_append_printf(out, "%s%.*s", i ? "|" : "", (int)cell.len, cell.ptr);
      }
      g_string_append_c(out, '\n');
    }
  }
  close(fd);
  return g_string_free(out, FALSE);
}

static void columns_without_a_name_are_left_out(void) {
  const TestBook book = {.sheet =
                           "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>label</v></c></row>"
                           "<row r=\"2\"><c r=\"B2\" t=\"str\"><v>name</v></c><c r=\"C2\" t=\"str\"><v> </v></c><c r=\"XFC2\"><v>7</v></c></row>"
                           "<row r=\"3\"><c r=\"A3\"><v>1</v></c><c r=\"B3\"><v>2</v></c><c r=\"C3\"><v>3</v></c><c r=\"XFC3\"><v>4</v></c></row>"
                           "<row r=\"4\"><c r=\"XFD4\"><v>5</v></c></row>"
                           "<row r=\"5\"><c r=\"XFC5\"><v>6</v></c><c r=\"XFD5\"><v>7</v></c></row>"};
  PxFormatOptions options;
  size_t n_cells;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  g_autofree char *named = parsed(&book, &options, 2, &n_cells);
  g_assert_cmpstr(named, ==, "1 label\n2 name|7\n3 2|4\n4 \n5 |6\n");
  options.all_columns = true;
  g_autofree char *all = parsed(&book, &options, 2, &n_cells);
  g_assert_cmpuint(n_cells, ==, 1 + 2 * 16383 + 2 * 16384);
  px_format_options_done(&options);
}

/* The parser process may open no file, so it must have been given one. */
static void strings_in_a_file_of_the_parser(void) {
  g_autoptr(GString) rows = g_string_new(NULL);
  g_autoptr(GString) strings = g_string_new("<sst>");
  for (int i = 0; i < 20000; i++) {
    g_string_append_printf(rows, "<row r=\"%d\"><c r=\"A%d\" t=\"s\"><v>%d</v></c></row>", i + 1, i + 1, i);
    g_string_append_printf(strings, "<si><t>string %d</t></si>", i);
  }
  g_string_append(strings, "</sst>");
  const TestBook book = {.sheet = rows->str, .strings = strings->str};
  g_autoptr(GByteArray) bytes = test_book(&book);
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  options.string_memory = (uint64_t)100 * 1024;
  g_autoptr(GError) error = NULL;
  int fd = test_file((const char *)bytes->data, bytes->len);
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, 1, 0, 0, &error);
  g_assert_no_error(error);
  uint64_t n = 0;
  for (;;) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &error);
    g_assert_no_error(error);
    if (!batch)
      break;
    for (uint32_t i = 0; i < batch->n_rows; i++, n++) {
      char want[32];
      g_snprintf(want, sizeof want, "string %u", (unsigned)n);
      PxCell cell = px_row_batch_cell(batch, &px_row_batch_rows(batch)[i], 0);
      g_assert_true(cell.len == strlen(want) && memcmp(cell.ptr, want, cell.len) == 0);
    }
  }
  g_assert_cmpuint(n, ==, 20000);
  close(fd);
  px_format_options_done(&options);
}

void add_xlsx_book_tests(void) {
  g_test_add_func("/format/xlsx/choice_of_the_sheet", choice_of_the_sheet);
  g_test_add_func("/format/xlsx/other_files_are_named", other_files_are_named);
  g_test_add_func("/format/xlsx/other_archives_are_named", other_archives_are_named);
  g_test_add_func("/format/xlsx/broken_small_parts", broken_small_parts);
  g_test_add_func("/format/xlsx/strings_in_memory", strings_in_memory);
  g_test_add_func("/format/xlsx/strings_in_a_file", strings_in_a_file);
  g_test_add_func("/format/xlsx/columns_without_a_name_are_left_out", columns_without_a_name_are_left_out);
  g_test_add_func("/format/xlsx/strings_in_a_file_of_the_parser", strings_in_a_file_of_the_parser);
}
