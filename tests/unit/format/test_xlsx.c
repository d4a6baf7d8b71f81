/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a sheet. */
#include "format/parser.h"
#include "rows.h"
#include "xlsx_suites.h"
#include "zip_make.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return px_parser_main(argc, argv);
  g_test_init(&argc, &argv, NULL);
  add_zip_tests();
  add_xlsx_tests();
  add_xlsx_book_tests();
  add_xlsx_number_tests();
  add_xlsx_sample_tests();
  return g_test_run();
}

static void check_book(const TestBook *book, const char *want) {
  g_autoptr(GByteArray) bytes = test_book(book);
  g_autofree char *got = test_book_rows(bytes, NULL);
  g_assert_cmpstr(got, ==, want);
}

static void check(const char *sheet, const char *want) {
  const TestBook book = {.sheet = sheet};
  check_book(&book, want);
}

static void check_refused(const char *sheet, const char *want) {
  const TestBook book = {.sheet = sheet};
  g_autoptr(GByteArray) bytes = test_book(&book);
  g_autofree char *got = test_book_rows(bytes, NULL);
  if (!strstr(got, want))
    g_assert_cmpstr(got, ==, want);
}

static void cells_of_every_type(void) {
  check("<row r=\"1\"><c r=\"A1\"><v>5</v></c><c r=\"B1\" t=\"n\"><v>1.5</v></c><c r=\"C1\" t=\"b\"><v>1</v></c><c r=\"D1\" t=\"b\"><v>0</v></c>"
        "<c r=\"E1\" t=\"e\"><v>#N/A</v></c><c r=\"F1\" t=\"str\"><v>text</v></c><c r=\"G1\" t=\"inlineStr\"><is><t>in</t></is></c>"
        "<c r=\"H1\" t=\"d\"><v>2020-01-05T10:30:00</v></c></row>",
        "1 N:5|N:1.5|B:true|B:false|E:#N/A|T:text|T:in|M:2020-01-05 10:30:00\n");
}

static void formulas(void) {
  check("<row><c><f>1+2</f><v>3</v></c><c t=\"str\"><f>\"a\"&amp;\"b\"</f><v>ab</v></c><c t=\"b\"><f>TRUE()</f><v>1</v></c>"
        "<c><f>TRUE()</f></c><c><f>A1&amp;B1</f><v></v></c><c t=\"str\"><f>\"\"</f><v></v></c><c><f t=\"shared\" si=\"0\"/><v/></c>"
        "<c t=\"e\"><f>1/0</f><v>#DIV/0!</v></c></row>",
        "1 N:3|T:ab|B:true|F:=TRUE()|F:=A1&B1||F:=|E:#DIV/0!\n");
}

static void shared_strings(void) {
  const TestBook book = {
    .sheet = "<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c><c t=\"s\"><v>3</v></c><c t=\"s\"><v>4</v></c></row>",
    .strings =
      "<?xml version=\"1.0\"?><sst><si><t>plain</t></si><si><r><rPr><b/></rPr><t>rich</t></r><r><t xml:space=\"preserve\"> text</t></r></si>"
      "<si/><si><t>東京</t><rPh sb=\"0\" eb=\"2\"><t>トウキョウ</t></rPh><phoneticPr fontId=\"1\"/></si><si><t>a_x000D_b_x005F_c &lt;</t></si></sst>",
  };
  check_book(&book, "1 T:plain|T:rich text||T:東京|T:a\rb_c <\n");
}

static void unknown_shared_string(void) {
  check_refused("<row><c t=\"s\"><v>0</v></c></row>", "! row 1: cell A1: it means the shared string \"0\", but there are 0 of them");
  check_refused("<row r=\"7\"><c r=\"C7\" t=\"s\"><v>x</v></c></row>", "cell C7: it means the shared string \"x\"");
  check_refused("<row><c t=\"s\"><v>99999999999999999999999</v></c></row>", "it means the shared string");
}

static void entities(void) {
  check("<row><c t=\"str\"><v>&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#x1F600;</v></c><c t=\"str\"><v>a<![CDATA[<b>&amp;]]>c</v></c>"
        "<c t=\"str\"><v>a<!-- <v> -->b</v></c><c t=\"inlineStr\"><is><t>x&#10;y\r\nz\rw</t></is></c></row>",
        "1 T:&<>\"'AB\xF0\x9F\x98\x80|T:a<b>&amp;c|T:ab|T:x\ny\nz\nw\n");
  check_refused("<row><c t=\"str\"><v>&foo;</v></c></row>", "broken XML: \"&foo;\" is no character");
  check_refused("<row><c t=\"str\"><v>&#0;</v></c></row>", "\"&#0;\" is no character");
  check_refused("<row><c t=\"str\"><v>&#xD800;</v></c></row>", "is no character");
  check_refused("<row><c t=\"str\"><v>a & b</v></c></row>", "is no character");
}

static void escapes(void) {
  check("<row><c t=\"str\"><v>_x0041_</v></c><c t=\"str\"><v>_xD83D__xDE00_</v></c><c t=\"str\"><v>_x0000_|_xD83D_|_x00_|_X0041_|_x0041</v></c>"
        "<c t=\"str\"><v>&#95;x0041_</v></c><c t=\"inlineStr\"><is><t>a_b</t></is></c></row>",
        "1 T:A|T:\xF0\x9F\x98\x80|T:_x0000_|_xD83D_|_x00_|_X0041_|_x0041|T:A|T:a_b\n");
}

static void sparse_rows_and_cells(void) {
  check("<row r=\"1\"><c r=\"B1\"><v>1</v></c><c><v>2</v></c><c r=\"F1\"><v>3</v></c></row><row r=\"5\"/><row r=\"7\"><c r=\"AA7\"><v>4</v></c></row>"
        "<row><c><v>5</v></c></row>",
        "1 |N:1|N:2|||N:3\n2\n5\n7 ||||||||||||||||||||||||||N:4\n8 N:5\n");
}

static void rows_of_the_header_are_never_missing(void) {
  check("<row r=\"4\"><c><v>1</v></c></row>", "1\n2\n4 N:1\n");
  check("<row r=\"1\"><c><v>1</v></c></row><row r=\"3\"><c><v>2</v></c></row>", "1 N:1\n2\n3 N:2\n");
  check("", "");
}

static void coloured_cells_are_none(void) {
  check("<row><c s=\"1\"/><c><v>1</v></c><c s=\"1\"/><c r=\"XFD1\" s=\"1\"></c></row>", "1 |N:1\n");
}

static void cells_in_any_order(void) {
  check("<row r=\"1\"><c r=\"C1\"><v>3</v></c><c r=\"A1\"><v>1</v></c><c><v>2</v></c></row>", "1 N:1|N:2|N:3\n");
  check_refused("<row r=\"1\"><c r=\"A1\"><v>3</v></c><c r=\"A1\"><v>1</v></c></row>", "! row 1: cell A1: the sheet has it twice");
}

static void attributes_in_any_order(void) {
  check("<row spans='1:2' r='2' ht=\"3\"><c t='str' s=\"0\"  r = 'B2' ><v >x</v ></c ></row >", "1\n2 |T:x\n");
}

static void any_namespace_prefix(void) {
  check("<x:worksheet xmlns:x=\"urn:x\"><x:sheetPr/><x:sheetData><x:row r=\"1\"><x:c r=\"A1\" t=\"inlineStr\"><x:is><x:t>a</x:t></x:is></x:c>"
        "</x:row></x:sheetData><x:pageMargins/></x:worksheet>",
        "1 T:a\n");
}

static void other_elements_are_passed_over(void) {
  check("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<worksheet><sheetViews><sheetView><row><c><v>9</v></c></row></sheetView></sheetViews>"
        "<sheetData><row><c><v>1</v><extLst><ext><v>8</v></ext></extLst></c><extLst><c><v>7</v></c></extLst></row></sheetData>"
        "<extLst><row><c><v>6</v></c></row></extLst></worksheet><!-- end -->\n",
        "1 N:1\n");
}

static void byte_order_mark(void) {
  check("\xEF\xBB\xBF<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>", "1 N:1\n");
}

static void no_rows(void) {
  check("<worksheet><sheetData/></worksheet>", "");
  check("<worksheet><cols/><!-- <sheetData> --></worksheet>", "");
}

static void broken_xml(void) {
  check_refused("<worksheet><sheetData><row><c><v>1</v></c></row>", "it ends before its elements are closed");
  check_refused("<worksheet><sheetData><row><c><v>1</v></c></row></sheetData>", "! row 2: broken XML: it ends before its elements are closed");
  check_refused("<row><c><v>1</c></v></row>", "a closing tag \"c\" that closes nothing");
  check_refused("<row><c><v>1</v></c></row></sheetData></worksheet><worksheet>", "more than one root element");
  check_refused("<row><c r=A1><v>1</v></c></row>", "an attribute without quotes");
  check_refused("<row><c r=\"A1\"t=\"n\"><v>1</v></c></row>", "something that is no attribute");
  check_refused("<row><c r=\"A<\"><v>1</v></c></row>", "an attribute without an end");
  check_refused("<row><c><v>\x01\xFF</v></c></row>", "a byte that is not UTF-8");
  check_refused("<row><c><v>1</v></c></row>\xC3", "a byte that is not UTF-8");
  check_refused("<row></row><", "broken XML");
  check_refused("<worksheet><sheetData><row/></sheetData><sheetData/></worksheet>", "the sheet has its rows twice");
  check_refused("<chartsheet><sheetData/></chartsheet>", "this part is no worksheet");
  check_refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><worksheet><sheetData/></worksheet>", "is written in \"ISO-8859-1\", not UTF-8");
}

static void bombs_of_xml(void) {
  check_refused("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><worksheet><sheetData><row/></sheetData></worksheet>", "it has a DOCTYPE");
  g_autoptr(GString) deep = g_string_new("<row><c>");
  for (int i = 0; i < 70; i++)
    g_string_append(deep, "<v>");
  check_refused(deep->str, "more than 64 elements within one another");
  g_autoptr(GString) many = g_string_new("<row><c");
  for (int i = 0; i < 70; i++)
    g_string_append_printf(many, " a%d=\"1\"", i);
  g_string_append(many, "/></row>");
  check_refused(many->str, "a tag of more than 64 attributes");
}

static void rows_that_go_back(void) {
  check_refused("<row r=\"3\"/><row r=\"2\"/>", "! row 4: a row with the number \"2\" follows: the workbook is broken");
  check_refused("<row r=\"0\"/>", "a row with the number \"0\" follows");
  check_refused("<row r=\"x\"/>", "a row with the number \"x\" follows");
  check_refused("<row r=\"99999999999999999999\"/>", "follows: the workbook is broken");
}

static void cells_of_other_rows(void) {
  check_refused("<row r=\"1\"><c r=\"A2\"><v>1</v></c></row>", "a cell with the place \"A2\"");
  check_refused("<row r=\"1\"><c r=\"1\"><v>1</v></c></row>", "a cell with the place \"1\"");
  check_refused("<row r=\"1\"><c r=\"a1\"><v>1</v></c></row>", "a cell with the place \"a1\"");
  check_refused("<row r=\"1\"><c t=\"x\"><v>1</v></c></row>", "a cell with the type \"x\"");
}

static void blanks_in_values(void) {
  check("<row>\n <c>\n  <v> 5 </v>\n </c>\n <c t=\"str\"><v> 5 </v></c></row>", "1 N:5|T: 5 \n");
}

/* Gnumeric indents its sheets. */
static void indented(void) {
  const TestBook book = {
    .sheet =
      "\n    <row r=\"1\" spans=\"1:3\">\n      <c r=\"A1\" t=\"inlineStr\">\n        <is>\n          <t>in it</t>\n        </is>\n      </c>"
      "\r\n\t\t<c r=\"B1\" t=\"s\">\n                                        <v>0</v>\n      </c>\n      <c r=\"C1\"><v>7</v></c>\n    </row>\n"
      "    <row r=\"2\">\n    </row>\n  ",
    .strings = "<sst>\n  <si>\n    <t xml:space=\"preserve\"> shared </t>\n  </si>\n</sst>\n",
  };
  check_book(&book, "1 T:in it|T: shared |N:7\n2\n");
}

#define DATE_STYLES "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
#define STYLED_COLUMNS                                                                                                                               \
  "<cols><col min=\"1\" max=\"1\" style=\"0\"/><col min=\"2\" max=\"3\" style=\"1\"/><col min=\"4\" max=\"16384\" style=\"0\"/></cols><sheetData>"   \
  "<row r=\"1\"><c r=\"A1\"><v>46023</v></c><c r=\"B1\"><v>46023</v></c><c r=\"C1\" s=\"0\"><v>5</v></c><c r=\"D1\" s=\"1\"><v>46023</v></c></row>"  \
  "</sheetData></worksheet>"

static void gnumeric_leaves_the_column_s_style_out(void) {
  const TestBook gnumeric = {.sheet = "<worksheet xmlns:gnmx=\"http://www.gnumeric.org/ext/spreadsheetml\">" STYLED_COLUMNS, .styles = DATE_STYLES};
  const TestBook others = {.sheet = "<worksheet>" STYLED_COLUMNS, .styles = DATE_STYLES};
  check_book(&gnumeric, "1 N:46023|D:2026-01-01|N:5|D:2026-01-01\n");
  check_book(&others, "1 N:46023|N:46023|N:5|D:2026-01-01\n");
}

static void no_numbers(void) {
  check("<row><c><v>abc</v></c><c><v>NaN</v></c><c t=\"b\"><v>yes</v></c><c t=\"d\"><v>soon</v></c></row>", "1 T:abc|T:NaN|T:yes|T:soon\n");
}

static void limits(void) {
  static const struct {
    const char *sheet, *want;
    size_t cells, text, row;
  } cases[] = {
    {"<row><c r=\"C1\"><v>1</v></c></row>", "! row 1: cell C1: more than 2 columns", 2, 100, 1000},
    {"<row><c t=\"str\"><v>abcdef</v></c></row>", "! row 1: cell A1: a text of 6 bytes, at most 5 are allowed", 9, 5, 1000},
    {"<row><c t=\"str\"><v>abcd</v></c><c t=\"str\"><v>abcd</v></c></row>", "the row has more than 7 bytes", 9, 5, 7},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    PxFormatOptions options;
    px_format_options_init(&options, PX_FORMAT_XLSX);
    options.max_cells = cases[i].cells;
    options.max_text_bytes = cases[i].text;
    options.max_row_bytes = cases[i].row;
    const TestBook book = {.sheet = cases[i].sheet};
    g_autoptr(GByteArray) bytes = test_book(&book);
    int fd = test_file((const char *)bytes->data, bytes->len);
    g_autofree char *got = test_fd_rows(fd, &options, 0, 0, false);
    close(fd);
    if (!strstr(got, cases[i].want))
      g_assert_cmpstr(got, ==, cases[i].want);
    px_format_options_done(&options);
  }
}

static void endless_tag(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  options.max_row_bytes = 1000;
  g_autofree char *blanks = g_strnfill(300000, ' ');
  g_autofree char *sheet = g_strconcat("<row><c", blanks, "><v>1</v></c></row>", NULL);
  const TestBook book = {.sheet = sheet};
  g_autoptr(GByteArray) bytes = test_book(&book);
  g_autofree char *got = test_book_rows(bytes, NULL);
  g_assert_cmpstr(got, ==, "1 N:1\n");
  int fd = test_file((const char *)bytes->data, bytes->len);
  g_autofree char *refused = test_fd_rows(fd, &options, 0, 64, false);
  g_assert_nonnull(strstr(refused, "a row, a tag or a text of more than"));
  close(fd);
  px_format_options_done(&options);
}

static void goes_on_at_a_row(void) {
  const TestBook book = {.sheet = "<row r=\"1\"><c><v>1</v></c></row><row r=\"5\"><c><v>5</v></c></row><row r=\"6\"><c><v>6</v></c></row>"};
  static const char *const want[] = {
    [1] = "1 N:1\n2\n5 N:5\n6 N:6\n", [2] = "2\n5 N:5\n6 N:6\n", [3] = "5 N:5\n6 N:6\n", [5] = "5 N:5\n6 N:6\n", [6] = "6 N:6\n", [7] = ""};
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  g_autoptr(GByteArray) bytes = test_book(&book);
  int fd = test_file((const char *)bytes->data, bytes->len);
  for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
    g_autofree char *got = test_fd_rows(fd, &options, i, 0, false);
    if (want[i])
      g_assert_cmpstr(got, ==, want[i]);
  }
  close(fd);
  px_format_options_done(&options);
}

void add_xlsx_tests(void) {
  g_test_add_func("/format/xlsx/cells_of_every_type", cells_of_every_type);
  g_test_add_func("/format/xlsx/formulas", formulas);
  g_test_add_func("/format/xlsx/shared_strings", shared_strings);
  g_test_add_func("/format/xlsx/unknown_shared_string", unknown_shared_string);
  g_test_add_func("/format/xlsx/entities", entities);
  g_test_add_func("/format/xlsx/escapes", escapes);
  g_test_add_func("/format/xlsx/sparse_rows_and_cells", sparse_rows_and_cells);
  g_test_add_func("/format/xlsx/rows_of_the_header_are_never_missing", rows_of_the_header_are_never_missing);
  g_test_add_func("/format/xlsx/coloured_cells_are_none", coloured_cells_are_none);
  g_test_add_func("/format/xlsx/cells_in_any_order", cells_in_any_order);
  g_test_add_func("/format/xlsx/attributes_in_any_order", attributes_in_any_order);
  g_test_add_func("/format/xlsx/any_namespace_prefix", any_namespace_prefix);
  g_test_add_func("/format/xlsx/other_elements_are_passed_over", other_elements_are_passed_over);
  g_test_add_func("/format/xlsx/byte_order_mark", byte_order_mark);
  g_test_add_func("/format/xlsx/no_rows", no_rows);
  g_test_add_func("/format/xlsx/broken_xml", broken_xml);
  g_test_add_func("/format/xlsx/bombs_of_xml", bombs_of_xml);
  g_test_add_func("/format/xlsx/rows_that_go_back", rows_that_go_back);
  g_test_add_func("/format/xlsx/cells_of_other_rows", cells_of_other_rows);
  g_test_add_func("/format/xlsx/blanks_in_values", blanks_in_values);
  g_test_add_func("/format/xlsx/indented", indented);
  g_test_add_func("/format/xlsx/gnumeric_leaves_the_column_s_style_out", gnumeric_leaves_the_column_s_style_out);
  g_test_add_func("/format/xlsx/no_numbers", no_numbers);
  g_test_add_func("/format/xlsx/limits", limits);
  g_test_add_func("/format/xlsx/endless_tag", endless_tag);
  g_test_add_func("/format/xlsx/goes_on_at_a_row", goes_on_at_a_row);
}
