/* SPDX-License-Identifier: Apache-2.0 */
#include "format/parser.h"
#include "report/report.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  const PxMessage *messages;
  size_t n;
  size_t next;
} Source;

static bool next_message(const PxMessage **ret_message, void *data) {
  Source *source = data;
  if (source->next == source->n)
    return false;
  *ret_message = &source->messages[source->next++];
  return true;
}

typedef struct {
  const char *file;
  size_t len; /* 0: it is text */
  const char *delimiter, *quote, *encoding;
  unsigned header_rows; /* 0: 1 */
  bool all_rows;
} Input;

/* The report's bytes as text. */
static char *report(const Input *input, const PxMessage *messages, size_t n, uint64_t *ret_rows, GError **error) {
  Source source = {.messages = messages, .n = n};
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  if (input->delimiter) {
    g_free(options.delimiter);
    options.delimiter = g_strdup(input->delimiter);
  }
  if (input->quote) {
    g_free(options.quote);
    options.quote = g_strdup(input->quote);
  }
  options.encoding = g_strdup(input->encoding);
  options.formula_guard = PX_FORMULA_ESCAPE;
  size_t len = input->len ? input->len : strlen(input->file);
  int blob = memfd_create("blob", MFD_CLOEXEC);
  int out = memfd_create("out", MFD_CLOEXEC);
  g_assert_cmpint(write(blob, input->file, len), ==, (ssize_t)len);
  char *note = NULL;
  bool ok = px_report_error_file(blob, &options, input->header_rows ? input->header_rows : 1, input->all_rows, next_message, &source, out, ret_rows,
                                 &note, error);
  g_assert_null(note);
  off_t size = lseek(out, 0, SEEK_END);
  char *text = ok ? g_malloc0((size_t)size + 1) : NULL;
  if (ok)
    g_assert_cmpint(pread(out, text, (size_t)size, 0), ==, size);
  close(blob);
  close(out);
  px_format_options_done(&options);
  return text;
}

static void check(Input input, const PxMessage *messages, size_t n, uint64_t n_rows, const char *expected) {
  g_autoptr(GError) error = NULL;
  uint64_t rows = 0;
  g_autofree char *text = report(&input, messages, n, &rows, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(text, ==, expected);
  g_assert_cmpuint(rows, ==, n_rows);
}

static const PxMessage two_rows[] = {
  {.row = 3, .column = "country_id|code", .field = "Country", .message = "Country: no Country has code \"ZZ\""},
  {.row = 3, .column = "color", .field = "Color", .message = "Color: \"abc\" is no integer"},
  {.row = 5, .column = "email#key", .message = "more than one Contact has this key"},
};

static void test_bad_rows(void) {
  check((Input){.file = "email#key,country_id|code,color\r\na,FR,1\r\nb,ZZ,abc\r\nc,FR,1\r\nd,\"x, y\",1\r\ne,,\r\n"}, two_rows, 3, 2,
        "#Error,email#key,country_id|code,color\r\n"
        "\"Country: no Country has code \"\"ZZ\"\"\nColor: \"\"abc\"\" is no integer\",b,ZZ,abc\r\n"
        "email#key: more than one Contact has this key,d,\"x, y\",1\r\n");
}

static void test_all_rows(void) {
  check((Input){.file = "email#key,color\na,1\nb,2\n\nd,4\n", .all_rows = true}, two_rows + 2, 1, 1,
        "#Error,email#key,color\n,a,1\n,b,2\n\"\"\nemail#key: more than one Contact has this key,d,4\n");
}

static void test_error_column_of_before(void) {
  check((Input){.file = "#Error,name,#note\nold,a,x\nold,b,y\nnone,c,z\n"}, two_rows, 1, 1,
        "#Error,name,#note\n\"Country: no Country has code \"\"ZZ\"\"\",b,y\n");
  check((Input){.file = "name, #error \na,old\nb,old,extra\n"}, two_rows, 1, 1, "#Error,name\n\"Country: no Country has code \"\"ZZ\"\"\",b,extra\n");
}

static void test_labels_above(void) {
  static const PxMessage message = {.row = 4, .message = "bad"};
  check((Input){.file = "Name,Email\nname,email#key\na,b\nc,d\n", .header_rows = 2}, &message, 1, 1,
        "Error,Name,Email\n#Error,name,email#key\nbad,c,d\n");
  check((Input){.file = "Error,Name\n#Error,name,email\nx,a,b\ny,c,d\n", .header_rows = 2}, &message, 1, 1,
        "Error,Name,\n#Error,name,email\nbad,c,d\n");
}

static void test_style_of_the_file(void) {
  static const PxMessage message = {.row = 2, .message = "it's; bad"};
  check((Input){.file = "\xEF\xBB\xBFname;city\ra;'x;y'\r", .delimiter = ";", .quote = "'"}, &message, 1, 1,
        "\xEF\xBB\xBF#Error;name;city\r'it''s; bad';a;'x;y'\r");
  check((Input){.file = "name;city\na;b\n", .delimiter = ";", .quote = ""}, &message, 1, 1, "#Error;name;city\nit's  bad;a;b\n");
}

static void test_encoding(void) {
  static const PxMessage message = {.row = 2, .message = "\xe2\x80\xa6 is no \xc3\xa9"};
  check((Input){.file = "name\nLi\xe8ge\n", .encoding = "ISO-8859-1"}, &message, 1, 1, "#Error,name\n? is no \xe9,Li\xe8ge\n");
}

static void test_utf16(void) {
  static const char file[] = "\xFF\xFEn\0\r\0\n\0a\0\r\0\n\0";
  static const char expected[] = "\xFF\xFE#\0E\0r\0r\0o\0r\0,\0n\0\r\0\n\0b\0a\0d\0,\0a\0\r\0\n\0";
  static const PxMessage message = {.row = 2, .message = "bad"};
  g_autoptr(GError) error = NULL;
  uint64_t rows = 0;
  Input input = {.file = file, .len = sizeof(file) - 1};
  g_autofree char *text = report(&input, &message, 1, &rows, &error);
  g_assert_no_error(error);
  g_assert_cmpint(memcmp(text, expected, sizeof(expected) - 1), ==, 0);
}

/* An escaped =TRUE() would be no boolean when the file comes again. */
static void test_formulas_stay(void) {
  static const PxMessage message = {.row = 2, .message = "bad"};
  check((Input){.file = "is_company\n=TRUE()\n"}, &message, 1, 1, "#Error,is_company\nbad,=TRUE()\n");
}

static void test_messages_of_rows_that_are_not_there(void) {
  static const PxMessage messages[] = {
    {.row = 0, .message = "file"}, {.row = 1, .message = "header"}, {.row = 2, .message = "bad"}, {.row = 99, .message = "beyond"}};
  check((Input){.file = "name\na\nb\n"}, messages, 4, 1, "#Error,name\nbad,a\n");
}

static void test_nothing_bad(void) {
  check((Input){.file = "name\na\nb\n"}, NULL, 0, 0, "#Error,name\n");
}

static void test_unreadable_from_a_row_on(void) {
  static const PxMessage messages[] = {{.row = 2, .message = "bad"}, {.row = 5, .message = "bad too"}};
  g_autoptr(GError) error = NULL;
  uint64_t rows = 0;
  Input input = {.file = "name,city\na,b\nc,d\ne,\"f\n"};
  g_autofree char *text = report(&input, messages, 2, &rows, &error);
  g_assert_no_error(error);
  g_assert_true(g_str_has_prefix(text, "#Error,name,city\nbad,a,b\n"));
  g_assert_nonnull(strstr(text, "row 4"));
  g_assert_null(strstr(text, "c,d"));
  g_assert_null(strstr(text, "bad too"));
  g_assert_cmpuint(rows, ==, 1);
}

static void test_empty_file(void) {
  check((Input){.file = "", .len = 0}, NULL, 0, 0, "");
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return px_parser_main(argc, argv);
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/report/bad_rows", test_bad_rows);
  g_test_add_func("/report/all_rows", test_all_rows);
  g_test_add_func("/report/error_column_of_before", test_error_column_of_before);
  g_test_add_func("/report/labels_above", test_labels_above);
  g_test_add_func("/report/style_of_the_file", test_style_of_the_file);
  g_test_add_func("/report/encoding", test_encoding);
  g_test_add_func("/report/utf16", test_utf16);
  g_test_add_func("/report/formulas_stay", test_formulas_stay);
  g_test_add_func("/report/messages_of_rows_that_are_not_there", test_messages_of_rows_that_are_not_there);
  g_test_add_func("/report/nothing_bad", test_nothing_bad);
  g_test_add_func("/report/unreadable_from_a_row_on", test_unreadable_from_a_row_on);
  g_test_add_func("/report/empty_file", test_empty_file);
  return g_test_run();
}
