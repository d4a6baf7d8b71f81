/* SPDX-License-Identifier: Apache-2.0 */
#include "format/csv_private.h"
#include "rows.h"
#include "suites.h"

#include <string.h>
#include <unistd.h>

typedef struct {
  const char *delimiter, *quote, *encoding;
  uint64_t max_row_bytes, max_cells;
} Choice;

static void set(char **option, const char *value) {
  if (value) {
    g_free(*option);
    *option = g_strdup(value);
  }
}

static PxFormatOptions options_of(Choice choice) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  set(&options.delimiter, choice.delimiter);
  set(&options.quote, choice.quote);
  set(&options.encoding, choice.encoding);
  options.max_row_bytes = choice.max_row_bytes ? choice.max_row_bytes : options.max_row_bytes;
  options.max_cells = choice.max_cells ? choice.max_cells : options.max_cells;
  return options;
}

static void check_bytes(Choice choice, const char *bytes, size_t len, const char *want) {
  PxFormatOptions options = options_of(choice);
  g_autofree char *rows = test_rows(bytes, len, &options);
  g_assert_cmpstr(rows, ==, want);
  px_format_options_done(&options);
}

#define check(choice, text, want) check_bytes((choice), (text), sizeof(text) - 1, (want))
#define PLAIN ((Choice){0})

static void simple(void) {
  check(PLAIN, "a,b\nc,d\n", "1@0 a|b\n2@4 c|d\n");
  check(PLAIN, "a,b\nc,d", "1@0 a|b\n2@4 c|d\n");
  check(PLAIN, "a,,\n,,c\n", "1@0 a||\n2@4 ||c\n");
  check(PLAIN, "", "");
  check(PLAIN, "a,", "1@0 a|\n");
  check(PLAIN, " a , b ", "1@0  a | b \n");
}

static void line_ends(void) {
  check(PLAIN, "a,b\r\nc\r\n", "1@0 a|b\n2@5 c\n");
  check(PLAIN, "a,b\rc\r", "1@0 a|b\n2@4 c\n");
  check(PLAIN, "a\nb\r\nc\rd", "1@0 a\n2@2 b\n3@5 c\n4@7 d\n");
  check(PLAIN, "a\r\r\nb", "1@0 a\n2@2\n3@4 b\n");
}

static void blank_line_is_a_row(void) {
  check(PLAIN, "a\n\n\nb\n", "1@0 a\n2@2\n3@3\n4@4 b\n");
  check(PLAIN, "\r\n\r\na", "1@0\n2@2\n3@4 a\n");
  check(PLAIN, "\"\"\na", "1@0 \n2@3 a\n");
  check(PLAIN, "\n", "1@0\n");
}

static void newline_in_quotes(void) {
  check(PLAIN, "a,\"b\nc\"\nd,e\n", "1@0 a|b\nc\n2@8 d|e\n");
  check(PLAIN, "\"a\r\n\r\nb\",c\r\nd", "1@0 a\r\n\r\nb|c\n2@12 d\n");
}

static void doubled_quotes(void) {
  check(PLAIN, "\"a\"\"b\",\"\"\"\",\"\"\"x\"\"\"\n", "1@0 a\"b|\"|\"x\"\n");
  check(PLAIN, "\"\"\"\"\"\"", "1@0 \"\"\n");
  check(PLAIN, "\"a,\"\"b\"\"\n\",c", "1@0 a,\"b\"\n|c\n");
}

static void quote_in_unquoted_cell_is_text(void) {
  check(PLAIN, "5\" pipe,x\"\"y\nb", "1@0 5\" pipe|x\"\"y\n2@13 b\n");
}

static void blanks_around_quotes(void) {
  check(PLAIN, "a, \"b, c\" ,d\n", "1@0 a|b, c|d\n");
  check(PLAIN, "\"a\" \t\n\"b\"\t", "1@0 a\n2@6 b\n");
  check(((Choice){.delimiter = "\t"}), "\"a\"\t\"b\"\n", "1@0 a|b\n");
}

static void text_after_closing_quote(void) {
  check(PLAIN, "h\na,\"b\"c,d\n", "1@0 h\n! row 2, column 2: text after the closing quote \": a quote inside a quoted cell is written twice");
  check(PLAIN, "\"a\" \"b\"\n", "! row 1, column 1: text after the closing quote \": a quote inside a quoted cell is written twice");
}

static void unclosed_quote(void) {
  check(PLAIN, "h\na,\"b\nc,d\n", "1@0 h\n! row 2, column 2: the quote \" is opened and the file ends before it is closed");
  check(PLAIN, "\"", "! row 1, column 1: the quote \" is opened and the file ends before it is closed");
  check(PLAIN, "\"a\"\"", "! row 1, column 1: the quote \" is opened and the file ends before it is closed");
}

static void other_delimiters(void) {
  check(((Choice){.delimiter = ";", .quote = "'"}), "a;'b;''c''';\"d\"\n", "1@0 a|b;'c'|\"d\"\n");
  check(((Choice){.delimiter = "²"}), "a²b³²\"c²d\"²\né²", "1@0 a|b³|c²d|\n2@17 é|\n");
  check(((Choice){.delimiter = "²", .quote = "ò"}), "aò²òb²òòòòò²c\n²ò\nò", "1@0 aò|b²òò|c\n2@24 |\n\n");
  check(((Choice){.delimiter = "€", .quote = "𝄞"}), "a€𝄞b€𝄞𝄞𝄞€₭c\n", "1@0 a|b€𝄞|₭c\n");
  check(((Choice){.delimiter = "|", .quote = "«"}), "«a«|b«c\n", "1@0 a|b«c\n");
  check(((Choice){.quote = ""}), "\"a,b\"\n", "1@0 \"a|b\"\n");
}

static void byte_order_mark(void) {
  check(PLAIN,
        "\xEF\xBB\xBF"
        "a,b\nc\n",
        "1@3 a|b\n2@7 c\n");
  check(PLAIN, "\xEF\xBB\xBF\"a\",b", "1@3 a|b\n");
  check(PLAIN, "\xEF\xBB\xBF", "");
  check(PLAIN, "a\xEF\xBB\xBF", "1@0 a\xEF\xBB\xBF\n");
}

static void utf16(void) {
  check(PLAIN,
        "\xFF\xFE"
        "a\0,\0\xE9\0\n\0=\xD8\x4D\xDC\r\0\n\0"
        "b\0",
        "1@2 a|é\n2@10 \xF0\x9F\x91\x8D\n3@18 b\n");
  check(PLAIN,
        "\xFE\xFF"
        "\0a\0,\0\xE9\0\n",
        "1@2 a|é\n");
  check(((Choice){.encoding = "UTF-16LE"}), "a\0,\0b\0", "1@0 a|b\n");
  check(PLAIN,
        "\xFF\xFE"
        "a\0\n\0\0\0b\0",
        "1@2 a\n! row 2, column 1: a NUL character: this is no text, or its encoding is not UTF-16LE");
  check(PLAIN,
        "\xFF\xFE"
        "a\0\n\0b",
        "1@2 a\n! row 2, column 1: the file ends in the middle of a character");
  check(PLAIN,
        "\xFF\xFE"
        "a\0\n\0\x3D\xD8x\0",
        "1@2 a\n! row 2, column 1: byte 0x3D is not UTF-16LE: save the file in that encoding, or say which one it has (csv: encoding)");
}

static void other_encodings(void) {
  check(((Choice){.encoding = "ISO-8859-1"}), "\xE9,b\n\xB2\n", "1@0 é|b\n2@4 ²\n");
  check(((Choice){.encoding = "windows-1252", .delimiter = "€"}),
        "a\x80"
        "b\n",
        "1@0 a|b\n");
  check(((Choice){.encoding = "UTF-8"}), "é,b\n", "1@0 é|b\n");
  check(((Choice){.encoding = "SHIFT_JIS"}), "\x83\x65\x83\x58\x83\x67,b\n", "1 テスト|b\n");
  check(((Choice){.encoding = "CP1258"}), "a\xEC\n", "1 á\n");
  check(((Choice){.encoding = "ASCII"}), "a\nb,\xE9\n",
        "1@0 a\n! row 2, column 2: byte 0xE9 is not ASCII: save the file in that encoding, or say which one it has (csv: encoding)");
}

static void unknown_encoding(void) {
  check(((Choice){.encoding = "latin-klingon"}), "a", "! csv: encoding: \"latin-klingon\" is not known here; `iconv -l` lists the names");
  check(((Choice){.encoding = "UTF-16//IGNORE"}), "a", "! csv: encoding: \"UTF-16//IGNORE\" is not known here; `iconv -l` lists the names");
  check(((Choice){.encoding = ""}), "a", "! csv: encoding: \"\" is not known here; `iconv -l` lists the names");
}

#define NOT_UTF8 " is not UTF-8: save the file in that encoding, or say which one it has (csv: encoding)"

static void invalid_bytes(void) {
  check(PLAIN, "a,b\nc,Li\xE8ge\n", "1@0 a|b\n! row 2, column 2: byte 0xE8" NOT_UTF8);
  check(PLAIN, "\xC0\x80", "! row 1, column 1: byte 0xC0" NOT_UTF8);
  check(PLAIN, "a\n\xED\xA0\x80\n", "1@0 a\n! row 2, column 1: byte 0xED" NOT_UTF8);
  check(PLAIN, "a,\"b\nc\xFF\"", "! row 1, column 2: byte 0xFF" NOT_UTF8);
  check(PLAIN, "a\nb,\xE2\x82", "1@0 a\n! row 2, column 2: the file ends in the middle of a character");
  check(PLAIN, "a\nb,\xF0\x9F\x91\x8Dx\x9F", "1@0 a\n! row 2, column 2: byte 0x9F" NOT_UTF8);
}

static void nul_byte(void) {
  check(PLAIN, "a\nb,c\0d\n", "1@0 a\n! row 2, column 2: a NUL byte: this is no text, or its encoding has to be said (csv: encoding: UTF-16LE)");
}

static void row_too_long(void) {
  Choice choice = {.max_row_bytes = 5};
#define TOO_LONG ": longer than 5 bytes: a quote that is not closed, or no line ends, or max_row_bytes is too small"
  check(choice, "a,bcd\r\n\"abc\"\n12345", "1@0 a|bcd\n2@7 abc\n3@13 12345\n");
  check(choice, "a\n123456\n", "1@0 a\n! row 2" TOO_LONG);
  check(choice, "a\n1234567890", "1@0 a\n! row 2" TOO_LONG);
  check(choice, "a\n\"23\n5\n7\n", "1@0 a\n! row 2" TOO_LONG);
  check(choice, "a\n\"2345\"x\n", "1@0 a\n! row 2" TOO_LONG);
  check(choice, "a\n\"34\"x67,\n", "1@0 a\n! row 2" TOO_LONG);
  check(choice, "a\n12345\r", "1@0 a\n2@2 12345\n");
  check(choice, "123456\xFF", "! row 1, column 1: byte 0xFF" NOT_UTF8);
  check(choice, "1234567\xFF", "! row 1" TOO_LONG);
}

static void too_many_cells(void) {
  Choice choice = {.max_cells = 3};
#define TOO_MANY ": more than 3 cells: is the delimiter right? Else raise max_cells"
  check(choice, "a,b,c\n,,\n", "1@0 a|b|c\n2@6 ||\n");
  check(choice, "a\n1,2,3,4\n", "1@0 a\n! row 2" TOO_MANY);
  check(choice, "a\n1,2,3,\"4\"\n", "1@0 a\n! row 2" TOO_MANY);
  check(choice, "1,2,3,", "! row 1" TOO_MANY);
}

static void wrong_options(void) {
  check(((Choice){.delimiter = ""}), "a", "! csv: delimiter: must be one character, and no line end");
  check(((Choice){.delimiter = "ab"}), "a", "! csv: delimiter: must be one character, and no line end");
  check(((Choice){.delimiter = "\n"}), "a", "! csv: delimiter: must be one character, and no line end");
  check(((Choice){.quote = "\xC2"}), "a", "! csv: quote: must be one character, and no line end");
  check(((Choice){.quote = ";", .delimiter = ";"}), "a", "! csv: delimiter and quote are both ;: choose two characters");
}

/* Rows of all shapes, longer than a block of the index. */
static GString *long_text(GRand *rand, const char *const *pieces, size_t n_pieces, size_t bytes) {
  GString *text = g_string_new(NULL);
  while (text->len < bytes)
    g_string_append(text, pieces[g_rand_int_range(rand, 0, (gint32)n_pieces)]);
  return text;
}

static void same_rows_from_every_scanner(void) {
  static const char *const pieces[] = {
    "a",
    "bcd",
    "é",
    "€",
    "𝄞",
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    "\r",
    ",\"x\"\n",
    ",\"\",",
    "\n\"y\n\",",
    " ",
    "²",
    "ò",
    "lorem ipsum dolor sit amet",
  };
  static const Choice choices[] = {
    {0}, {.delimiter = "²", .quote = "ò"}, {.delimiter = "€", .quote = "𝄞"}, {.quote = ""}, {.delimiter = "é"},
  };
  g_autoptr(GRand) rand = g_rand_new_with_seed(1);
  for (unsigned turn = 0; turn < 60; turn++) {
    size_t bytes = turn % 10 == 9 ? 70000 : 300;
    GString *text = long_text(rand, pieces, G_N_ELEMENTS(pieces), bytes);
    PxFormatOptions options = options_of(choices[turn % G_N_ELEMENTS(choices)]);
    int fd = test_file(text->str, text->len);
    g_autofree char *rows = test_rows_at(fd, &options, 0, UINT64_MAX, 1 << 18, true);
    for (size_t size = 1; size < 5000; size += size / 3 + 1) {
      if (bytes > 10000 && size < 500)
        continue;
      g_autofree char *vector = test_rows_at(fd, &options, 0, UINT64_MAX, size, false);
      g_assert_cmpstr(vector, ==, rows);
    }
    close(fd);
    px_format_options_done(&options);
    g_string_free(text, TRUE);
  }
}

static void check_resume(Choice choice, const char *text, size_t len) {
  PxFormatOptions options = options_of(choice);
  int fd = test_file(text, len);
  g_autofree char *rows = test_rows_at(fd, &options, 0, UINT64_MAX, 100, false);
  g_assert_null(strchr(rows, '!'));
  const char *rest = rows;
  for (uint64_t number = 1; *rest; number++) {
    const char *at = strchr(rest, '@');
    const char *line_end = strchr(rest, '\n');
    uint64_t place = at && at < line_end ? g_ascii_strtoull(at + 1, NULL, 10) : UINT64_MAX;
    g_autofree char *from_place = test_rows_at(fd, &options, number, place, 100, false);
    g_assert_cmpstr(from_place, ==, rest);
    g_autofree char *from_number = test_rows_at(fd, &options, number, UINT64_MAX, 100, false);
    g_assert_cmpstr(from_number, ==, rest);
    rest = line_end + 1;
  }
  close(fd);
  px_format_options_done(&options);
}

static void resume_at_each_row(void) {
  const char text[] = "\xEF\xBB\xBFh1,h2\r\na,\"b\"\r\n\r\nc,d\re\n\"f\"\"\"\n,\nlast";
  check_resume(PLAIN, text, sizeof(text) - 1);
  const char latin[] = "h1,\xE9\r\na,\xE8\nb";
  check_resume((Choice){.encoding = "ISO-8859-1"}, latin, sizeof(latin) - 1);
  const char utf16le[] = "\xFF\xFE"
                         "a\0,\0\xE9\0\n\0\"\0\"\0\"\0=\xD8\x4D\xDC\"\0\r\0\n\0"
                         "b\0";
  check_resume(PLAIN, utf16le, sizeof(utf16le) - 1);
  check_resume((Choice){.encoding = "UTF-16"}, utf16le, sizeof(utf16le) - 1);
  const char japanese[] = "\x83\x65,b\nc\n\"\x83\x58\"\"\"\nd";
  check_resume((Choice){.encoding = "SHIFT_JIS"}, japanese, sizeof(japanese) - 1);
}

static void one_huge_row(void) {
  GString *text = g_string_new("h\n\"");
  for (unsigned i = 0; i < 100000; i++)
    g_string_append(text, "0123456789\n");
  g_string_append(text, "\",x\n");
  PxFormatOptions options = options_of(PLAIN);
  int fd = test_file(text->str, text->len);
  g_autofree char *rows = test_rows_at(fd, &options, 0, UINT64_MAX, 4096, false);
  g_assert_cmpuint(strlen(rows), ==, strlen("1@0 h\n2@2 |x\n") + 1100000);
  close(fd);
  px_format_options_done(&options);
  g_string_free(text, TRUE);
}

static void bytes_done_is_the_size_at_the_end(void) {
  PxFormatOptions options = options_of((Choice){.encoding = "ISO-8859-1"});
  int fd = test_file("a\nb\n", 4);
  g_autoptr(GError) error = NULL;
  PxReader *reader = px_reader_open(fd, &options, &error);
  g_assert_no_error(error);
  PxRow row;
  while (px_reader_next(reader, &row, &error) == PX_READ_ROW)
    ;
  g_assert_cmpuint(px_reader_bytes_done(reader), ==, 4);
  px_reader_close(reader);
  close(fd);
  px_format_options_done(&options);
}

void add_csv_tests(void) {
  g_test_add_func("/format/csv/simple", simple);
  g_test_add_func("/format/csv/line_ends", line_ends);
  g_test_add_func("/format/csv/blank_line_is_a_row", blank_line_is_a_row);
  g_test_add_func("/format/csv/newline_in_quotes", newline_in_quotes);
  g_test_add_func("/format/csv/doubled_quotes", doubled_quotes);
  g_test_add_func("/format/csv/quote_in_unquoted_cell_is_text", quote_in_unquoted_cell_is_text);
  g_test_add_func("/format/csv/blanks_around_quotes", blanks_around_quotes);
  g_test_add_func("/format/csv/text_after_closing_quote", text_after_closing_quote);
  g_test_add_func("/format/csv/unclosed_quote", unclosed_quote);
  g_test_add_func("/format/csv/other_delimiters", other_delimiters);
  g_test_add_func("/format/csv/byte_order_mark", byte_order_mark);
  g_test_add_func("/format/csv/utf16", utf16);
  g_test_add_func("/format/csv/other_encodings", other_encodings);
  g_test_add_func("/format/csv/unknown_encoding", unknown_encoding);
  g_test_add_func("/format/csv/invalid_bytes", invalid_bytes);
  g_test_add_func("/format/csv/nul_byte", nul_byte);
  g_test_add_func("/format/csv/row_too_long", row_too_long);
  g_test_add_func("/format/csv/too_many_cells", too_many_cells);
  g_test_add_func("/format/csv/wrong_options", wrong_options);
  g_test_add_func("/format/csv/same_rows_from_every_scanner", same_rows_from_every_scanner);
  g_test_add_func("/format/csv/resume_at_each_row", resume_at_each_row);
  g_test_add_func("/format/csv/one_huge_row", one_huge_row);
  g_test_add_func("/format/csv/bytes_done_is_the_size_at_the_end", bytes_done_is_the_size_at_the_end);
}
