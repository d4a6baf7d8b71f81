/* SPDX-License-Identifier: Apache-2.0 */
#include "format/writer.h"
#include "rows.h"
#include "suites.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static PxCell cell_of(const char *text) {
  size_t len = strlen(text);
  return (PxCell){.ptr = text, .len = (uint32_t)len, .kind = len ? PX_CELL_TEXT : PX_CELL_EMPTY};
}

static PxCell kind_of(PxCell cell, PxCellKind kind) {
  cell.kind = (uint8_t)kind;
  return cell;
}

/* The file of a header and a row. */
static char *written(const PxFormatOptions *options, const PxCell *header, const PxCell *row, size_t n, size_t *ret_len, GError **error) {
  int fd = test_file("", 0);
  g_autoptr(PxWriter) writer = px_writer_open(fd, options, "sheet", error);
  bool ok = writer && px_writer_begin(writer, &header, header ? 1 : 0, n, NULL, 0, error) && px_writer_row(writer, row, n, error) &&
            px_writer_end(writer, error);
  char *text = ok ? test_contents(fd, ret_len) : NULL;
  close(fd);
  return text;
}

static void check_row(const PxFormatOptions *options, const PxCell *row, size_t n, const char *want, size_t want_len) {
  g_autoptr(GError) error = NULL;
  size_t len = 0;
  g_autofree char *text = written(options, NULL, row, n, &len, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(len, ==, want_len);
  g_assert_true(memcmp(text, want, len) == 0);
}

#define check(options, want, ...)                                                                                                                    \
  do {                                                                                                                                               \
    const PxCell row_[] = {__VA_ARGS__};                                                                                                             \
    check_row((options), row_, G_N_ELEMENTS(row_), (want), sizeof(want) - 1);                                                                        \
  } while (0)

#define T(text) cell_of(text)

static void quotes_where_needed(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  check(&options, "a,,5.5,x y\r\n", T("a"), T(""), kind_of(T("5.5"), PX_CELL_NUMBER), T("x y"));
  check(&options, "\"a,b\",\"c\"\"d\",\"e\nf\",\"g\rh\"\r\n", T("a,b"), T("c\"d"), T("e\nf"), T("g\rh"));
  check(&options, "\" a\",\"b \",c;'²\r\n", T(" a"), T("b "), T("c;'²"));
  check(&options, "\"\"\r\n", T(""));
  check(&options, ",\r\n", T(""), T(""));
  check(&options, "\"\xEF\xBB\xBFx\"\r\n", T("\xEF\xBB\xBFx"));
  px_format_options_done(&options);
}

static void options_of_the_dialect(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  g_free(options.delimiter);
  options.delimiter = g_strdup("²");
  g_free(options.quote);
  options.quote = g_strdup("'");
  options.line_end = PX_LINE_LF;
  options.bom = true;
  check(&options,
        "\xEF\xBB\xBF"
        "a,\"²'b²c'²'it''s'²³\n",
        T("a,\""), T("b²c"), T("it's"), T("³"));
  options.bom = false;
  options.line_end = PX_LINE_CR;
  options.quote_all = true;
  check(&options, "'a'²''²'1'\r", T("a"), T(""), kind_of(T("1"), PX_CELL_NUMBER));
  px_format_options_done(&options);
}

static void boolean_words(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  check(&options, "true,false\r\n", kind_of(T("true"), PX_CELL_BOOLEAN), kind_of(T("false"), PX_CELL_BOOLEAN));
  g_free(options.true_word);
  options.true_word = g_strdup("ja, klar");
  check(&options, "\"ja, klar\",false,true\r\n", kind_of(T("true"), PX_CELL_BOOLEAN), kind_of(T("false"), PX_CELL_BOOLEAN), T("true"));
  px_format_options_done(&options);
}

static void formula_guard(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  check(&options, "=1+1,-x\r\n", T("=1+1"), T("-x"));
  options.formula_guard = PX_FORMULA_ESCAPE;
  const PxCell header[] = {T("=h")};
  const PxCell row[] = {T("=1+1")};
  size_t len = 0;
  g_autofree char *text = written(&options, header, row, 1, &len, NULL);
  g_assert_cmpstr(text, ==, "=h\r\n'=1+1\r\n");
  const PxCell all[] = {T("+1"), T("-1"), kind_of(T("-1"), PX_CELL_NUMBER), T("@a"), T("\ta"), T("\ra"), T("a=b"), T("'=1"), T("'n")};
  const PxCell heads[G_N_ELEMENTS(all)] = {0};
  g_autofree char *more = written(&options, heads, all, G_N_ELEMENTS(all), &len, NULL);
  g_assert_cmpstr(more, ==, ",,,,,,,,\r\n'+1,'-1,-1,'@a,'\ta,\"'\ra\",a=b,''=1,'n\r\n");
  px_format_options_done(&options);
}

static void encodings(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  options.encoding = g_strdup("ISO-8859-1");
  check(&options, "\xE9,b\r\n", T("é"), T("b"));
  const PxCell row[] = {T("a"), T("5 €")};
  const PxCell header[] = {T("h"), T("i")};
  size_t len = 0;
  g_autoptr(GError) error = NULL;
  g_assert_null(written(&options, header, row, 2, &len, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  g_assert_cmpstr(error->message, ==, "row 2: ISO-8859-1 has no character € (U+20AC): choose another encoding, such as UTF-8");
  g_clear_error(&error);
  options.bom = true;
  g_assert_null(written(&options, header, row, 1, &len, &error));
  g_assert_cmpstr(error->message, ==, "csv: bom: ISO-8859-1 has no byte order mark");
  g_free(options.encoding);
  options.encoding = g_strdup("UTF-16LE");
  check(&options,
        "\xFF\xFE"
        "a\0\r\0\n\0",
        T("a"));
  g_free(options.encoding);
  options.encoding = g_strdup("UTF-16");
  check(&options,
        "\xFF\xFE"
        "a\0\r\0\n\0",
        T("a"));
  g_free(options.encoding);
  options.encoding = g_strdup("ISO-2022-JP");
  options.bom = false;
  check(&options, "\x1B$B$\"\x1B(B\r\n", T("あ"));
  px_format_options_done(&options);
}

static void no_quote(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  g_free(options.quote);
  options.quote = g_strdup("");
  check(&options, " a\",b\r\n", T(" a\""), T("b"));
  const PxCell row[] = {T("a,b")};
  size_t len = 0;
  g_autoptr(GError) error = NULL;
  g_assert_null(written(&options, NULL, row, 1, &len, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  px_format_options_done(&options);
}

static void full_disk_is_transient(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  g_autoptr(GError) error = NULL;
  g_autoptr(PxWriter) writer = px_writer_open(fd, &options, "x", &error);
  const PxCell row[] = {T("a")};
  g_assert_true(px_writer_row(writer, row, 1, &error));
  g_assert_false(px_writer_end(writer, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_TRANSIENT);
  close(fd);
  px_format_options_done(&options);
}

/* What is written is what is read, whatever the dialect. */
static void reads_back(void) {
  static const char *const pieces[] = {"a", "b c", ",", ";", "\"", "'", "\n", "\r", " ", "é", "²", "€", "\xEF\xBB\xBF", "\t"};
  static const char *const dialects[][3] = {
    {",", "\"", NULL}, {";", "'", "UTF-16LE"}, {"²", "€", NULL}, {"\t", "\"", "UTF-8"}, {" ", "'", "GB18030"}};
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);
  for (unsigned turn = 0; turn < 200; turn++) {
    PxFormatOptions options;
    px_format_options_init(&options, PX_FORMAT_CSV);
    const char *const *dialect = dialects[turn % G_N_ELEMENTS(dialects)];
    g_free(options.delimiter);
    g_free(options.quote);
    options.delimiter = g_strdup(dialect[0]);
    options.quote = g_strdup(dialect[1]);
    options.encoding = g_strdup(dialect[2]);
    options.quote_all = g_rand_boolean(rand);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) want = g_string_new(NULL);
    PxCell row[3];
    char *cells[3];
    for (size_t i = 0; i < 3; i++) {
      g_string_truncate(text, 0);
      for (int n = g_rand_int_range(rand, 0, 5); n > 0; n--)
        g_string_append(text, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
      cells[i] = g_strdup(text->str);
      row[i] = cell_of(cells[i]);
      g_string_append_printf(want, "%s%s", i ? "|" : " ", cells[i]);
    }
    g_autoptr(GError) error = NULL;
    size_t len = 0;
    g_autofree char *bytes = written(&options, NULL, row, 3, &len, &error);
    g_assert_no_error(error);
    g_autofree char *rows = test_rows(bytes, len, &options);
    g_assert_true(g_str_has_prefix(rows, "1"));
    g_string_append_c(want, '\n');
    g_assert_cmpstr(strchr(rows, ' '), ==, want->str);
    for (size_t i = 0; i < 3; i++)
      g_free(cells[i]);
    px_format_options_done(&options);
  }
}

void add_writer_tests(void) {
  g_test_add_func("/format/csv_writer/quotes_where_needed", quotes_where_needed);
  g_test_add_func("/format/csv_writer/options_of_the_dialect", options_of_the_dialect);
  g_test_add_func("/format/csv_writer/boolean_words", boolean_words);
  g_test_add_func("/format/csv_writer/formula_guard", formula_guard);
  g_test_add_func("/format/csv_writer/encodings", encodings);
  g_test_add_func("/format/csv_writer/no_quote", no_quote);
  g_test_add_func("/format/csv_writer/full_disk_is_transient", full_disk_is_transient);
  g_test_add_func("/format/csv_writer/reads_back", reads_back);
}
