/* SPDX-License-Identifier: Apache-2.0 */
#include "format/writer.h"
#include "format/xlsx_write_private.h"
#include "format/zip_private.h"
#include "format/zip_write.h"
#include "rows.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define HEAD                                                                                                                                         \
  "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"                                                                                  \
  "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetViews><sheetView"
#define SELECTED " tabSelected=\"1\" workbookViewId=\"0\">"
#define PANE                                                                                                                                         \
  "<pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/><selection pane=\"bottomLeft\" activeCell=\"A2\" "              \
  "sqref=\"A2\"/>"
#define VIEWED "</sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/>"

static PxCell T(const char *text) {
  size_t len = strlen(text);
  return (PxCell){.ptr = text, .len = (uint32_t)len, .kind = len ? PX_CELL_TEXT : PX_CELL_EMPTY};
}

static PxCell K(PxCellKind kind, const char *text) {
  return (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = (uint8_t)kind};
}

/* ---- whole files */

/* A part of the package, as text. Caller frees. */
static char *part_of(int fd, const char *name) {
  const PxZipLimits limits = {.max_members = 100, .max_member_bytes = UINT64_MAX, .max_ratio = UINT64_MAX};
  g_autoptr(GError) error = NULL;
  g_autoptr(PxZip) zip = px_zip_open(fd, &limits, &error);
  g_assert_no_error(error);
  const PxZipMember *member = px_zip_find(zip, name);
  g_assert_nonnull(member);
  g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, &error);
  g_assert_no_error(error);
  GString *text = g_string_new(NULL);
  char piece[4096];
  size_t len;
  do {
    g_assert_true(px_zip_stream_read(stream, piece, sizeof(piece), &len, &error));
    g_string_append_len(text, piece, (gssize)len);
  } while (len > 0);
  return g_string_free(text, FALSE);
}

static PxWriter *writer_at(int fd, const char *title) {
  g_autoptr(GError) error = NULL;
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  PxWriter *writer = px_writer_open(fd, &options, title, &error);
  px_format_options_done(&options);
  g_assert_no_error(error);
  return writer;
}

/* A file of a header, the rows and the tabs; columns: of each row. Caller closes. */
static int write_file(const PxCell *header, const PxCell *rows, size_t n_rows, size_t columns, const PxTab *tabs, size_t n_tabs) {
  g_autoptr(GError) error = NULL;
  int fd = test_file("", 0);
  g_autoptr(PxWriter) writer = writer_at(fd, "p");
  bool ok = px_writer_begin(writer, &header, header ? 1 : 0, columns, tabs, n_tabs, &error);
  for (size_t i = 0; ok && i < n_rows; i++)
    ok = px_writer_row(writer, rows + i * columns, columns, &error);
  ok = ok && px_writer_end(writer, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
  return fd;
}

static void sheet_of_typed_cells(void) {
  const PxCell header[] = {T("name"), T("n")};
  const PxCell rows[] = {T("Ann"), K(PX_CELL_NUMBER, "1.50"), T(""), K(PX_CELL_BOOLEAN, "true"), K(PX_CELL_DATE, "2026-02-15"), T("")};
  int fd = write_file(header, rows, 3, 2, NULL, 0);
  g_autofree char *sheet = part_of(fd, "xl/worksheets/sheet1.xml");
  g_assert_cmpstr(
    sheet, ==,
    HEAD SELECTED PANE VIEWED
    "<cols><col min=\"1\" max=\"1\" width=\"12\" customWidth=\"1\"/><col min=\"2\" max=\"2\" width=\"9\" customWidth=\"1\"/></cols><sheetData>"
    "<row r=\"1\"><c r=\"A1\" s=\"1\" t=\"inlineStr\"><is><t>name</t></is></c><c r=\"B1\" s=\"1\" t=\"inlineStr\"><is><t>n</t></is></c></row>"
    "<row r=\"2\"><c r=\"A2\" s=\"5\" t=\"inlineStr\"><is><t>Ann</t></is></c><c r=\"B2\"><v>1.50</v></c></row>"
    "<row r=\"3\"><c r=\"B3\" t=\"b\"><v>1</v></c></row>"
    "<row r=\"4\"><c r=\"A4\" s=\"2\"><v>46068</v></c></row>"
    "</sheetData></worksheet>");
  close(fd);
}

static void sheet_without_rows(void) {
  int fd = write_file(NULL, NULL, 0, 0, NULL, 0);
  g_autofree char *sheet = part_of(fd, "xl/worksheets/sheet1.xml");
  g_assert_cmpstr(sheet, ==, HEAD SELECTED VIEWED "<sheetData></sheetData></worksheet>");
  g_autofree char *book = part_of(fd, "xl/workbook.xml");
  g_assert_nonnull(strstr(book, "<sheets><sheet name=\"p\" sheetId=\"1\" r:id=\"rId1\"/></sheets>"));
  close(fd);
}

static void tabs_and_validations(void) {
  const PxCell header[] = {T("a"), T("b"), T("c")};
  const PxCell row[] = {T("1"), T("2"), T("3")};
  const PxCell codes[] = {T("BE"), T("FR")};
  const unsigned columns[] = {0, 2};
  const PxTab tabs[] = {
    {.name = "Land's <code>", .values = codes, .n_values = 2, .columns = columns, .n_columns = 2},
    {.name = "none", .columns = columns, .n_columns = 1},
  };
  int fd = write_file(header, row, 1, 3, tabs, 2);
  g_autofree char *sheet = part_of(fd, "xl/worksheets/sheet1.xml");
  g_assert_true(g_str_has_suffix(sheet,
                                 "</row></sheetData><dataValidations count=\"1\"><dataValidation type=\"list\" allowBlank=\"1\" "
                                 "showInputMessage=\"1\" showErrorMessage=\"1\" sqref=\"A2:A1002 C2:C1002\" errorTitle=\"Not an allowed value\" "
                                 "error=\"The allowed values are in the sheet Land&apos;s &lt;code&gt;.\"><formula1>'Land&apos;&apos;s "
                                 "&lt;code&gt;'!$A$2:$A$3</formula1></dataValidation></dataValidations></worksheet>"));
  g_autofree char *tab = part_of(fd, "xl/worksheets/sheet2.xml");
  g_assert_true(g_str_has_prefix(tab, HEAD " workbookViewId=\"0\">" PANE VIEWED));
  g_assert_nonnull(strstr(tab, "<row r=\"1\"><c r=\"A1\" s=\"1\" t=\"inlineStr\"><is><t>Land's &lt;code&gt;</t></is></c></row>"
                               "<row r=\"2\"><c r=\"A2\" s=\"5\" t=\"inlineStr\"><is><t>BE</t></is></c></row>"
                               "<row r=\"3\"><c r=\"A3\" s=\"5\" t=\"inlineStr\"><is><t>FR</t></is></c></row></sheetData></worksheet>"));
  g_autofree char *book = part_of(fd, "xl/workbook.xml");
  g_assert_nonnull(strstr(book,
                          "<sheet name=\"p\" sheetId=\"1\" r:id=\"rId1\"/><sheet name=\"Land&apos;s &lt;code&gt;\" sheetId=\"2\" r:id=\"rId2\"/>"
                          "<sheet name=\"none\" sheetId=\"3\" r:id=\"rId3\"/>"));
  close(fd);
}

static void widths_of_the_first_rows(void) {
  const PxCell header[] = {T("a"), T("b"), T("c"), T("d")};
  PxCell rows[4 * 200];
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    rows[i] = T("");
  rows[0] = T("twelve signs");
  rows[1] = T("short\na longer line\nshort");
  rows[2] = T("日本語日本語");
  rows[4 * 150 + 3] = T("after the first hundred rows nobody looks");
  int fd = write_file(header, rows, 200, 4, NULL, 0);
  g_autofree char *sheet = part_of(fd, "xl/worksheets/sheet1.xml");
  g_assert_nonnull(
    strstr(sheet, "<col min=\"1\" max=\"1\" width=\"14\" customWidth=\"1\"/><col min=\"2\" max=\"2\" width=\"15\" customWidth=\"1\"/>"
                  "<col min=\"3\" max=\"3\" width=\"14\" customWidth=\"1\"/><col min=\"4\" max=\"4\" width=\"9\" customWidth=\"1\"/></cols>"));
  g_assert_nonnull(strstr(sheet, "<row r=\"201\"></row></sheetData>"));
  close(fd);
}

/* ---- cells */

static void check_cell(PxCell cell, const char *want) {
  PxXlsxXml xml = {0};
  char row[8] = "7";
  char name[3];
  const PxXlsxPlace place = {.column = name, .column_len = px_xlsx_column_name(1, name), .row = row, .row_len = 1};
  g_assert_true(px_xlsx_put_cell(&xml, place, &cell, false));
  g_autofree char *got = g_strndup(xml.bytes ? xml.bytes : "", xml.len);
  g_assert_cmpstr(got, ==, want);
  g_free(xml.bytes);
}

static void check_text(const char *text, const char *want) {
  g_autofree char *whole = g_strdup_printf("<c r=\"B7\" s=\"5\" t=\"inlineStr\"><is><t%s</t></is></c>", want);
  check_cell(T(text), whole);
}

static void text_is_escaped(void) {
  check_text("a & b <c> \"d\" 'e'", ">a &amp; b &lt;c&gt; \"d\" 'e'");
  check_text("Liège 日本 😀 _ __", ">Liège 日本 😀 _ __");
  check_text(" a", " xml:space=\"preserve\"> a");
  check_text("a\t", " xml:space=\"preserve\">a\t");
  check_text("a\nb\tc", ">a\nb\tc");
  check_text("\n", " xml:space=\"preserve\">\n");
  check_text("=1+1", ">=1+1");
  check_cell(K(PX_CELL_FORMULA, "=SUM(A1)"), "<c r=\"B7\" s=\"5\" t=\"inlineStr\"><is><t>=SUM(A1)</t></is></c>");
}

static void illegal_characters_as_excel_writes_them(void) {
  check_text("a\x01z\x1F", ">a_x0001_z_x001F_");
  check_text("a\r\nb", ">a_x000D_\nb");
  check_text("\x7F", ">\x7F");
  check_text("_x0041_ _x00e9_ _x004_ _x00411 _X0041_", ">_x005F_x0041_ _x005F_x00e9_ _x004_ _x00411 _X0041_");
  check_text("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD\xEF\xBB\xBF", ">_xFFFE__xFFFF_\xEF\xBF\xBD\xEF\xBB\xBF");
}

static void numbers_that_a_double_has(void) {
  static const char *const numbers[] = {"0", "-1", "1.50", "123456789012345", "0.000000123456789012345", "1e+20", "-1.5E-7"};
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
    g_assert_true(px_xlsx_number_fits(numbers[i], strlen(numbers[i])));
  /* the shortest texts of their doubles */
  g_assert_true(px_xlsx_number_fits("0.30000000000000004", 19));
  g_assert_true(px_xlsx_number_fits("-1234567.1234567892", 19));
  g_assert_true(px_xlsx_number_fits("1200000000000000", 16));
}

static void numbers_that_would_lose_something(void) {
  static const char *const numbers[] = {
    "1234567890123456",
    "12345678901234567890",
    "0.30000000000000001",
    "1234567890.12345678",
    "0.1234567890123456789",
    "1e400",
    "-1e400",
    "1e308",
    "1e-320",
    "007",
    "1.",
    ".5",
    "+1",
    "1e",
    "nan",
    "inf",
    "1 2",
    "1,5",
    "-",
    "0x10",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
    g_test_message("%s", numbers[i]);
    g_assert_false(px_xlsx_number_fits(numbers[i], strlen(numbers[i])));
  }
  check_cell(K(PX_CELL_NUMBER, "1234567890123456"), "<c r=\"B7\" s=\"5\" t=\"inlineStr\"><is><t>1234567890123456</t></is></c>");
  check_cell(K(PX_CELL_NUMBER, "-12.5"), "<c r=\"B7\"><v>-12.5</v></c>");
}

static void check_serial(const char *text, const char *want, PxXlsxStyle style) {
  char serial[32];
  PxXlsxStyle got = PX_XLSX_PLAIN;
  size_t len = px_xlsx_serial(text, strlen(text), serial, &got);
  g_autofree char *shown = g_strndup(serial, len);
  g_test_message("%s", text);
  g_assert_cmpstr(shown, ==, want);
  g_assert_cmpint(got, ==, style);
}

static void dates_are_serials(void) {
  check_serial("1900-03-01", "61", PX_XLSX_DATE);
  check_serial("1970-01-01", "25569", PX_XLSX_DATE);
  check_serial("2000-02-29", "36585", PX_XLSX_DATE);
  check_serial("2026-11-23", "46349", PX_XLSX_DATE);
  check_serial("9999-12-31", "2958465", PX_XLSX_DATE);
  check_serial("2026-11-23 00:00:00", "46349", PX_XLSX_DATETIME);
  check_serial("2026-11-23 12:00:00", "46349.5", PX_XLSX_DATETIME);
  check_serial("2026-11-23 23:59:59", "46349.999988425926", PX_XLSX_DATETIME);
  check_serial("2026-11-23 06:00:00.500", "46349.250005787037", PX_XLSX_DATETIME_MS);
  check_serial("2026-11-23 06:00:00.000000", "46349.25", PX_XLSX_DATETIME);
  check_cell(K(PX_CELL_DATETIME, "2026-11-23 12:00:00"), "<c r=\"B7\" s=\"3\"><v>46349.5</v></c>");
}

static void dates_that_a_workbook_cannot_hold(void) {
  static const char *const dates[] = {
    "1900-02-28",
    "1899-12-31",
    "0001-01-01",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "10000-01-01",
    "2026-1-1",
    "20260101",
    "2026-01-01T10:00:00",
    "2026-01-01 24:00:00",
    "2026-01-01 10:60:00",
    "2026-01-01 10:00:60",
    "2026-01-01 10:00",
    "2026-01-01 10:00:00.",
    "2026-01-01 10:00:00.1234",
    "2026-01-01 10:00:00+01",
    "1900-01-01 10:00:00",
    "",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(dates); i++)
    check_serial(dates[i], "", PX_XLSX_PLAIN);
  check_cell(K(PX_CELL_DATE, "1899-12-31"), "<c r=\"B7\" s=\"5\" t=\"inlineStr\"><is><t>1899-12-31</t></is></c>");
}

static void errors_of_a_spreadsheet(void) {
  check_cell(K(PX_CELL_ERROR, "#N/A"), "<c r=\"B7\" t=\"e\"><v>#N/A</v></c>");
  check_cell(K(PX_CELL_ERROR, "#<odd>"), "<c r=\"B7\" s=\"5\" t=\"inlineStr\"><is><t>#&lt;odd&gt;</t></is></c>");
}

/* ---- names */

static void check_column(size_t column, const char *want) {
  char name[3];
  uint8_t len = px_xlsx_column_name(column, name);
  g_assert_cmpuint(len, ==, strlen(want));
  g_assert_true(memcmp(name, want, len) == 0);
}

static void column_names(void) {
  check_column(0, "A");
  check_column(25, "Z");
  check_column(26, "AA");
  check_column(701, "ZZ");
  check_column(702, "AAA");
  check_column(PX_XLSX_COLUMNS - 1, "XFD");
}

static void check_sheet(const char *text, const char *want) {
  char *const before[] = {(char *)(uintptr_t) "Taken", (char *)(uintptr_t) "partner"};
  g_autofree char *name = px_xlsx_sheet_name(text, before, G_N_ELEMENTS(before));
  g_assert_cmpstr(name, ==, want);
}

static void sheet_names(void) {
  check_sheet("partners", "partners");
  check_sheet("a[b]c:d*e?f/g\\h|i", "a_b_c_d_e_f_g_h|i");
  check_sheet("'a'b'", "_a'b_");
  check_sheet("", "Sheet");
  check_sheet("  ", "Sheet");
  check_sheet("TAKEN", "TAKEN (2)");
  check_sheet("History", "History (2)");
  check_sheet("abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz01234");
  check_sheet("abcdefghijklmnopqrstuvwxyz0123'789", "abcdefghijklmnopqrstuvwxyz0123_");
  check_sheet("ééééééééééééééééééééééééééééé😀x", "ééééééééééééééééééééééééééééé😀");
  check_sheet("éééééééééééééééééééééééééééééé😀", "éééééééééééééééééééééééééééééé");
}

/* ---- limits */

static void check_refused(PxWriter *writer, const PxCell *row, size_t n, const char *want) {
  g_autoptr(GError) error = NULL;
  g_assert_false(px_writer_row(writer, row, n, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  g_assert_cmpstr(error->message, ==, want);
}

static void text_too_long_for_a_cell(void) {
  g_autoptr(GError) error = NULL;
  int fd = test_file("", 0);
  g_autoptr(PxWriter) writer = writer_at(fd, "p");
  const PxCell header[] = {T("name"), T("note")};
  const PxCell *headers = header;
  g_assert_true(px_writer_begin(writer, &headers, 1, 2, NULL, 0, &error));
  g_autoptr(GString) text = g_string_new(NULL);
  for (int i = 0; i < PX_XLSX_CHARS; i++)
    g_string_append(text, "é");
  const PxCell fits[] = {T("a"), T(text->str)};
  g_assert_true(px_writer_row(writer, fits, 2, &error));
  g_string_append_c(text, 'x');
  const PxCell too_long[] = {T("a"), T(text->str)};
  check_refused(writer, too_long, 2,
                "sheet p: row 3, column B (note): the text is longer than the 32767 characters that a cell of a workbook holds: leave the column "
                "out of the pattern, or choose the format CSV");
  g_string_truncate(text, 0);
  for (int i = 0; i <= PX_XLSX_CHARS / 2; i++) /* two units each */
    g_string_append(text, "😀");
  const PxCell surrogates[] = {T(text->str)};
  g_assert_false(px_writer_row(writer, surrogates, 1, &error));
  close(fd);
}

static void too_many_columns_and_rows(void) {
  g_autoptr(GError) error = NULL;
  int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  g_autoptr(PxWriter) writer = writer_at(fd, "p");
  g_autofree PxCell *row = g_new0(PxCell, PX_XLSX_COLUMNS + 1);
  g_assert_true(px_writer_begin(writer, NULL, 0, 0, NULL, 0, &error));
  row[PX_XLSX_COLUMNS - 1] = T("x");
  g_assert_true(px_writer_row(writer, row, PX_XLSX_COLUMNS, &error));
  check_refused(writer, row, PX_XLSX_COLUMNS + 1,
                "sheet p: row 2: 16385 cells: a sheet of a workbook has 16384 columns at most: leave columns out of the pattern, or choose the "
                "format CSV");
  for (unsigned i = 1; i < PX_XLSX_ROWS; i++)
    g_assert_true(px_writer_row(writer, row, 1, &error));
  check_refused(writer, row, 1,
                "sheet p: row 1048577: a sheet of a workbook has 1048576 rows at most: narrow the export by a filter, or choose the format CSV");
  close(fd);
}

/* ---- the archive */

static void through_a_pipe(void) {
  g_autoptr(GError) error = NULL;
  int ends[2];
  g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
  g_autoptr(PxWriter) writer = writer_at(ends[1], "p");
  const PxCell row[] = {T("x")};
  g_assert_true(px_writer_begin(writer, NULL, 0, 0, NULL, 0, &error) && px_writer_row(writer, row, 1, &error) && px_writer_end(writer, &error));
  close(ends[1]);
  char bytes[16384];
  ssize_t len = read(ends[0], bytes, sizeof(bytes));
  close(ends[0]);
  g_assert_cmpint(len, >, 0);
  int fd = test_file(bytes, (size_t)len);
  g_autofree char *sheet = part_of(fd, "xl/worksheets/sheet1.xml");
  g_assert_nonnull(strstr(sheet, "<row r=\"1\"><c r=\"A1\" s=\"5\" t=\"inlineStr\"><is><t>x</t></is></c></row>"));
  close(fd);
}

static void full_disk(void) {
  g_autoptr(GError) error = NULL;
  int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  g_autoptr(PxWriter) writer = writer_at(fd, "p");
  g_assert_false(px_writer_begin(writer, NULL, 0, 0, NULL, 0, &error) && px_writer_end(writer, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_TRANSIENT);
  close(fd);
}

/* A member of more than 4 GiB, and one that begins behind 4 GiB of the file. */
static void members_of_zip64(void) {
  const uint64_t pieces = 4200;
  g_autoptr(GError) error = NULL;
  g_autofree char *piece = g_malloc0(1024 * 1024);
  int fd = test_file("", 0);
  g_autoptr(PxZipWriter) writer = px_zip_writer_new(fd);
  g_assert_true(px_zip_writer_begin(writer, "large", true, &error));
  for (uint64_t i = 0; i < pieces; i++)
    g_assert_true(px_zip_writer_add(writer, piece, 1024 * 1024, &error));
  g_assert_true(px_zip_writer_end(writer, &error) && px_zip_writer_finish(writer, &error));
  const PxZipLimits limits = {.max_members = 100, .max_member_bytes = UINT64_MAX, .max_ratio = UINT64_MAX};
  g_autoptr(PxZip) zip = px_zip_open(fd, &limits, &error);
  g_assert_no_error(error);
  const PxZipMember *member = px_zip_find(zip, "large");
  g_assert_cmpuint(member->size, ==, pieces * 1024 * 1024);
  g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, &error);
  g_assert_no_error(error);
  uint64_t size = 0;
  for (size_t len = 1; len > 0; size += len)
    g_assert_true(px_zip_stream_read(stream, piece, 1024 * 1024, &len, &error));
  g_assert_cmpuint(size, ==, member->size);
  uint8_t version[2];
  g_assert_cmpint(pread(fd, version, 2, 4), ==, 2);
  g_assert_cmpuint(px_zip_u16(version), ==, 45);
  close(fd);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/format/xlsx_write/sheet_of_typed_cells", sheet_of_typed_cells);
  g_test_add_func("/format/xlsx_write/sheet_without_rows", sheet_without_rows);
  g_test_add_func("/format/xlsx_write/tabs_and_validations", tabs_and_validations);
  g_test_add_func("/format/xlsx_write/widths_of_the_first_rows", widths_of_the_first_rows);
  g_test_add_func("/format/xlsx_write/text_is_escaped", text_is_escaped);
  g_test_add_func("/format/xlsx_write/illegal_characters_as_excel_writes_them", illegal_characters_as_excel_writes_them);
  g_test_add_func("/format/xlsx_write/numbers_that_a_double_has", numbers_that_a_double_has);
  g_test_add_func("/format/xlsx_write/numbers_that_would_lose_something", numbers_that_would_lose_something);
  g_test_add_func("/format/xlsx_write/dates_are_serials", dates_are_serials);
  g_test_add_func("/format/xlsx_write/dates_that_a_workbook_cannot_hold", dates_that_a_workbook_cannot_hold);
  g_test_add_func("/format/xlsx_write/errors_of_a_spreadsheet", errors_of_a_spreadsheet);
  g_test_add_func("/format/xlsx_write/column_names", column_names);
  g_test_add_func("/format/xlsx_write/sheet_names", sheet_names);
  g_test_add_func("/format/xlsx_write/text_too_long_for_a_cell", text_too_long_for_a_cell);
  g_test_add_func("/format/xlsx_write/too_many_columns_and_rows", too_many_columns_and_rows);
  g_test_add_func("/format/xlsx_write/through_a_pipe", through_a_pipe);
  g_test_add_func("/format/xlsx_write/full_disk", full_disk);
  g_test_add_func("/format/xlsx_write/members_of_zip64", members_of_zip64);
  return g_test_run();
}
