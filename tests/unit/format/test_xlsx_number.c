/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and dates as text. */
#include "format/xlsx_read_private.h"
#include "rows.h"
#include "xlsx_suites.h"
#include "zip_make.h"

#include <string.h>

static char *number(const char *text) {
  char to[PX_XLSX_SHORT];
  uint32_t len = 0;
  switch (px_xlsx_number(text, strlen(text), to, &len)) {
  case PX_XLSX_AS_IT_IS:
    return g_strdup(text);
  case PX_XLSX_WRITTEN:
    return g_strndup(to, len);
  case PX_XLSX_NO_NUMBER:
    break;
  }
  return g_strdup("none");
}

static void shortest_text(void) {
  static const char *const cases[][2] = {
    {"0", "0"},
    {"-0", "0"},
    {"0.0", "0"},
    {"-0.0", "0"},
    {"12.0", "12"},
    {"12.50", "12.5"},
    {"0.070", "0.07"},
    {"0.0700000000000000000003", "0.07"},
    {"2384.1857910156252", "2384.185791015625"},
    {"5", "5"},
    {"-5", "-5"},
    {"+5", "5"},
    {"007", "7"},
    {"75001.0", "75001"},
    {"75001", "75001"},
    {"0.1", "0.1"},
    {"0.10000000000000001", "0.1"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"1.50", "1.5"},
    {".5", "0.5"},
    {"5.", "5"},
    {"5678.7799999999997", "5678.78"},
    {"-5678.7799999999997", "-5678.78"},
    {"0.99999999999999989", "0.9999999999999999"},
    {"999999999999999.99", "1000000000000000"},
    {"1E5", "100000"},
    {"1.2345678901234568E+19", "12345678901234567000"},
    {"1E+20", "100000000000000000000"},
    {"1E+21", "1E+21"},
    {"1E+22", "1E+22"},
    {"1.5e300", "1.5E+300"},
    {"1e-6", "0.000001"},
    {"1e-7", "0.0000001"},
    {"1e-8", "1E-8"},
    {"0.0000001", "0.0000001"},
    {"0.00000001", "1E-8"},
    {"1.25e-10", "1.25E-10"},
    {"123456789012345678", "123456789012345678"},
    {"9007199254740993", "9007199254740993"},
    {"1234567890123456789", "1234567890123456800"},
    {"3.1415926535897931", "3.141592653589793"},
    {"4.9406564584124654E-324", "5E-324"},
    {"1.7976931348623157E+308", "1.7976931348623157E+308"},
    {"1E999", "none"},
    {"abc", "none"},
    {"", "none"},
    {"nan", "none"},
    {"inf", "none"},
    {"0x10", "none"},
    {"1,5", "none"},
    {"1 2", "none"},
    {"--5", "none"},
    {"-", "none"},
    {"1e", "none"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *got = number(cases[i][0]);
    g_assert_cmpstr(got, ==, cases[i][1]);
  }
}

/* 17 digits of any double come back as the shortest text of it. */
static void shortest_text_of_many(void) {
  GRand *random = g_rand_new_with_seed(7);
  for (int i = 0; i < 20000; i++) {
    double value = i % 2 ? g_rand_double_range(random, -1e6, 1e6) : g_rand_int_range(random, -1000000, 1000000) / 1000.0;
    char long_text[64];
    char short_text[64];
    g_ascii_formatd(long_text, sizeof long_text, "%.17g", value);
    for (int precision = 1; precision <= 17; precision++) {
      char format[16];
      g_snprintf(format, sizeof format, "%%.%dg", precision);
      g_ascii_formatd(short_text, sizeof short_text, format, value);
      if (g_ascii_strtod(short_text, NULL) == value)
        break;
    }
    g_autofree char *got = number(long_text);
    g_assert_true(g_ascii_strtod(got, NULL) == value);
    if (!strchr(short_text, 'e'))
      g_assert_cmpstr(got, ==, short_text);
  }
  g_rand_free(random);
}

/* The division gives the double that strtod gives, of digits of any length and at the edge between two doubles. */
static void decimals_are_nearest(void) {
  static const char *const edges[] = {"0",
                                      "0.000",
                                      "-0.5",
                                      "9007199254740993",
                                      "9007199254740993.0",
                                      "9007199254740992.5",
                                      "0.0700000000000000000003",
                                      "5708990770823839.5",
                                      "18446744073709551615",
                                      "0.500000000000000166533453693773481063544750213623046875",
                                      "9223372036854775807",
                                      "0.00000000000000000000000001",
                                      "1.7976931348623157",
                                      "9999999999999999999"};
  GRand *random = g_rand_new_with_seed(11);
  size_t told = 0;
  for (size_t i = 0; i < 200000 + G_N_ELEMENTS(edges); i++) {
    char text[80];
    double value = 0;
    if (i < G_N_ELEMENTS(edges)) {
      g_strlcpy(text, edges[i], sizeof text);
    } else {
      uint64_t digits = ((uint64_t)g_rand_int(random) << 32 | g_rand_int(random)) >> g_rand_int_range(random, 0, 64);
      int whole = g_rand_int_range(random, 1, 12);
      g_snprintf(text, sizeof text, "%s%.*s.%s%" G_GUINT64_FORMAT, i % 3 ? "" : "-", whole, "123456789012", i % 5 ? "" : "00", digits);
    }
    if (!px_xlsx_decimal(text, strlen(text), &value))
      continue;
    told++;
    g_assert_true(value == g_ascii_strtod(text, NULL));
  }
  g_assert_cmpuint(told, >, 100000);
  g_rand_free(random);
}

static void formats(void) {
  static const struct {
    const char *code;
    PxXlsxStyle style;
  } cases[] = {
    {"General", PX_XLSX_NUMBER},
    {"0.00", PX_XLSX_NUMBER},
    {"0.00E+00", PX_XLSX_NUMBER},
    {"#,##0.00 \"days\"", PX_XLSX_NUMBER},
    {"#,##0\\ \\d", PX_XLSX_NUMBER},
    {"[Red]0.00", PX_XLSX_NUMBER},
    {"#,##0.00_d", PX_XLSX_NUMBER},
    {"[$EUR] 0", PX_XLSX_NUMBER},
    {"@", PX_XLSX_NUMBER},
    {"G/標準", PX_XLSX_NUMBER},
    {"0.0;[Red]d", PX_XLSX_NUMBER},
    {"", PX_XLSX_NUMBER},
    {"\"", PX_XLSX_NUMBER},
    {"\\", PX_XLSX_NUMBER},
    {"[", PX_XLSX_NUMBER},
    {"yyyy-mm-dd", PX_XLSX_DATE},
    {"YYYY\\-MM\\-DD", PX_XLSX_DATE},
    {"dd/mm/yyyy", PX_XLSX_DATE},
    {"d-mmm", PX_XLSX_DATE},
    {"mmm-yy", PX_XLSX_DATE},
    {"mmmm", PX_XLSX_DATE},
    {"m", PX_XLSX_DATE},
    {"[$-409]d-mmm-yy;@", PX_XLSX_DATE},
    {"[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", PX_XLSX_DATE},
    {"aaaa", PX_XLSX_DATE},
    {"yyyy\"年\"m\"月\"d\"日\"", PX_XLSX_DATE},
    {"ggge\"年\"", PX_XLSX_DATE},
    {"yyyy-mm-dd hh:mm:ss", PX_XLSX_DATETIME},
    {"m/d/yy h:mm", PX_XLSX_DATETIME},
    {"dd.mm.yyyy\\ hh:mm:ss.000", PX_XLSX_DATETIME},
    {"h:mm", PX_XLSX_TIME},
    {"hh:mm:ss", PX_XLSX_TIME},
    {"mm:ss", PX_XLSX_TIME},
    {"mm:ss.0", PX_XLSX_TIME},
    {"h:mm AM/PM", PX_XLSX_TIME},
    {"[$-F400]h:mm:ss\\ AM/PM", PX_XLSX_TIME},
    {"h\"h\" mm", PX_XLSX_TIME},
    {"[h]:mm:ss", PX_XLSX_ELAPSED},
    {"[hh]:mm", PX_XLSX_ELAPSED},
    {"[mm]:ss", PX_XLSX_ELAPSED},
    {"[s]", PX_XLSX_ELAPSED},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("%s", cases[i].code);
    g_assert_cmpint(px_xlsx_style(0, cases[i].code), ==, cases[i].style);
  }
  g_assert_cmpint(px_xlsx_style(14, NULL), ==, PX_XLSX_DATE);
  g_assert_cmpint(px_xlsx_style(22, NULL), ==, PX_XLSX_DATETIME);
  g_assert_cmpint(px_xlsx_style(20, NULL), ==, PX_XLSX_TIME);
  g_assert_cmpint(px_xlsx_style(46, NULL), ==, PX_XLSX_ELAPSED);
  g_assert_cmpint(px_xlsx_style(31, NULL), ==, PX_XLSX_DATE);
  g_assert_cmpint(px_xlsx_style(0, NULL), ==, PX_XLSX_NUMBER);
  g_assert_cmpint(px_xlsx_style(4, NULL), ==, PX_XLSX_NUMBER);
  g_assert_cmpint(px_xlsx_style(164, NULL), ==, PX_XLSX_NUMBER);
}

static void dates(void) {
  static const struct {
    double serial;
    PxXlsxStyle style;
    bool from_1904;
    char kind;
    const char *text;
  } cases[] = {
    {43835, PX_XLSX_DATE, false, 'D', "2020-01-05"},
    {43835, PX_XLSX_DATETIME, false, 'M', "2020-01-05 00:00:00"},
    {43835.5, PX_XLSX_DATETIME, false, 'M', "2020-01-05 12:00:00"},
    {43835.5, PX_XLSX_DATE, false, 'M', "2020-01-05 12:00:00"},
    {43835.520833333336, PX_XLSX_DATETIME, false, 'M', "2020-01-05 12:30:00"},
    {43835.999999999, PX_XLSX_DATETIME, false, 'M', "2020-01-06 00:00:00"},
    {43835.00000144676, PX_XLSX_DATETIME, false, 'M', "2020-01-05 00:00:00.125"},
    {1, PX_XLSX_DATE, false, 'D', "1900-01-01"},
    {59, PX_XLSX_DATE, false, 'D', "1900-02-28"},
    {60, PX_XLSX_DATE, false, 'D', "1900-02-29"},
    {61, PX_XLSX_DATE, false, 'D', "1900-03-01"},
    {0, PX_XLSX_DATE, false, 'D', "1900-01-00"},
    {2958465, PX_XLSX_DATE, false, 'D', "9999-12-31"},
    {2958466, PX_XLSX_DATE, false, 'N', ""},
    {-1, PX_XLSX_DATE, false, 'N', ""},
    {36585, PX_XLSX_DATE, false, 'D', "2000-02-29"},
    {0, PX_XLSX_DATE, true, 'D', "1904-01-01"},
    {42373, PX_XLSX_DATE, true, 'D', "2020-01-05"},
    {2957003, PX_XLSX_DATE, true, 'D', "9999-12-31"},
    {2957004, PX_XLSX_DATE, true, 'N', ""},
    {0.5, PX_XLSX_TIME, false, 'T', "12:00:00"},
    {0, PX_XLSX_TIME, false, 'T', "00:00:00"},
    {43835.5, PX_XLSX_TIME, false, 'M', "2020-01-05 12:00:00"},
    {1.5, PX_XLSX_ELAPSED, false, 'T', "36:00:00"},
    {-0.25, PX_XLSX_ELAPSED, false, 'T', "-06:00:00"},
    {100, PX_XLSX_ELAPSED, false, 'T', "002400:00:00"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    char to[PX_XLSX_SHORT];
    uint32_t len;
    PxCellKind kind = px_xlsx_date(cases[i].serial, cases[i].style, cases[i].from_1904, to, &len);
    g_autofree char *got = g_strdup_printf("%c:%.*s", ".TNBDMEF"[kind], (int)len, to);
    g_autofree char *want = g_strdup_printf("%c:%s", cases[i].kind, cases[i].text);
    g_assert_cmpstr(got, ==, want);
  }
}

static void iso_dates(void) {
  static const char *const cases[][2] = {
    {"2020-01-05", "D:2020-01-05"},
    {"2020-01-05T10:30:00", "M:2020-01-05 10:30:00"},
    {"2020-01-05T10:30:00Z", "M:2020-01-05 10:30:00"},
    {"2020-01-05T10:30", "M:2020-01-05 10:30:00"},
    {"2020-01-05T10:30:00.000", "M:2020-01-05 10:30:00"},
    {"2020-01-05T10:30:00.250", "M:2020-01-05 10:30:00.250"},
    {"T10:30:00", "T:"},
    {"5 January", "T:"},
    {"Z", "T:"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    char to[PX_XLSX_SHORT];
    uint32_t len = 0;
    PxCellKind kind = px_xlsx_iso_date(cases[i][0], strlen(cases[i][0]), to, &len);
    g_autofree char *got = g_strdup_printf("%c:%.*s", ".TNBDMEF"[kind], (int)len, to);
    g_assert_cmpstr(got, ==, cases[i][1]);
  }
}

static void styles_of_a_workbook(void) {
  TestBook book = {
    .sheet =
      "<row><c s=\"0\"><v>43835</v></c><c s=\"1\"><v>43835</v></c><c s=\"2\"><v>43835.5</v></c><c s=\"3\"><v>43835</v></c><c s=\"9\"><v>1</v></c>"
      "<c s=\"1\"><v>-1</v></c><c s=\"1\"><v>soon</v></c><c s=\"1\" t=\"str\"><v>text</v></c></row>",
    .styles = "<styleSheet><numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm\"/></numFmts>"
              "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
              "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"2\"/></cellXfs></styleSheet>",
  };
  g_autoptr(GByteArray) bytes = test_book(&book);
  g_autofree char *got = test_book_rows(bytes, NULL);
  g_assert_cmpstr(got, ==, "1 N:43835|D:2020-01-05|M:2020-01-05 12:00:00|N:43835|N:1|N:-1|T:soon|T:text\n");
  book.workbook = "<workbook><workbookPr date1904=\"true\"/><sheets><sheet name=\"One\" sheetId=\"1\" id=\"rId1\"/></sheets></workbook>";
  book.sheet = "<row><c s=\"1\"><v>42373</v></c></row>";
  g_autoptr(GByteArray) old = test_book(&book);
  g_autofree char *from_1904 = test_book_rows(old, NULL);
  g_assert_cmpstr(from_1904, ==, "1 D:2020-01-05\n");
}

void add_xlsx_number_tests(void) {
  g_test_add_func("/format/xlsx/shortest_text", shortest_text);
  g_test_add_func("/format/xlsx/shortest_text_of_many", shortest_text_of_many);
  g_test_add_func("/format/xlsx/decimals_are_nearest", decimals_are_nearest);
  g_test_add_func("/format/xlsx/formats", formats);
  g_test_add_func("/format/xlsx/dates", dates);
  g_test_add_func("/format/xlsx/iso_dates", iso_dates);
  g_test_add_func("/format/xlsx/styles_of_a_workbook", styles_of_a_workbook);
}
