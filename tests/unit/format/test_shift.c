/* SPDX-License-Identifier: Apache-2.0 */
#include "format/xlsx_shift.h"

#include <string.h>

static const PxShift first_column = {.sheet = "Data", .columns = 1};
/* Rows 2 to 10 without all but 4, 5 and 9. */
static const uint32_t kept[] = {4, 5, 9};
static const PxShift fewer_rows = {.sheet = "Data", .columns = 1, .drops = true, .header_rows = 1, .last_row = 10, .kept = kept, .n_kept = 3};
static const PxFormulaPlace own = {.own = true};
static const PxFormulaPlace other = {0};

typedef struct {
  const char *formula, *expected;
  unsigned done;
} Case;

static void check_all(const PxShift *shift, const PxFormulaPlace *place, const Case *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    g_autoptr(GString) to = g_string_new(NULL);
    unsigned done = px_shift_formula(shift, place, cases[i].formula, strlen(cases[i].formula), to);
    const char *expected = cases[i].expected ? cases[i].expected : cases[i].formula;
    g_assert_cmpstr(to->str, ==, expected);
    g_assert_cmpuint(done & ~PX_SHIFT_MET, ==, cases[i].done ? cases[i].done : cases[i].expected ? PX_SHIFT_MOVED : 0);
  }
}

static void test_references(void) {
  static const Case cases[] = {
    {"A1", "B1"},
    {"$A$1+A$1+$A1", "$B$1+B$1+$B1"},
    {"SUM(A1:C3)", "SUM(B1:D3)"},
    {"Z9", "AA9"},
    {"ZZ9*AZ1", "AAA9*BA1"},
    {"SUM(A:A,$C:$D)", "SUM(B:B,$D:$E)"},
    {"SUM(1:5)"},
    {"SUM($1:$5)"},
    {"A1:C3 B2:B9", "B1:D3 C2:C9"},
    {"-A1%", "-B1%"},
    {"(A1,B2)", "(B1,C2)"},
    {"A1:INDEX(B:B,3)", "B1:INDEX(C:C,3)"},
    {"@A1:A3", "@B1:B3"},
    {"a1", "B1"},
    {"IF(A1=\"\",B1,C1)", "IF(B1=\"\",C1,D1)"},
    {"{1,2;3,4}*A1", "{1,2;3,4}*B1"},
    {"A1&B1", "B1&C1"},
    {"_xlfn.ANCHORARRAY(A1)", "_xlfn.ANCHORARRAY(B1)"},
  };
  check_all(&first_column, &own, cases, G_N_ELEMENTS(cases));
}

static void test_what_is_no_reference(void) {
  static const Case cases[] = {
    {"LOG10(5)"},
    {"ATAN2(1,2)"},
    {"_xlfn.STDEV.S(1)"},
    {"\"A1\"&\"say \"\"B2\"\"\""},
    {"1.5E3+2e-4+.5"},
    {"TRUE"},
    {"my_name+name.1+\xc3\xa9t\xc3\xa9"
     "1"},
    {"R1C1"},
    {"XFE1"},
    {"A1048577"},
    {"A0"},
    {"#REF!"},
    {"Data!#REF!"},
    {"#N/A+#DIV/0!+#NAME?"},
    {"Sales[Amount]"},
    {"Sales[[#This Row],[A1]]*Sales[@[B2]]"},
    {"Sales[it's '[A1']]"},
    {"[1]Data!A1"},
    {"[1]!Total"},
    {"'[1]Data'!A1"},
    {"'C:\\in\\[b.xlsx]Data'!$A$1"},
    {"Jan:Mar!A1"},
    {"'Jan 1:Mar 1'!A1"},
    {"Other!A1"},
    {"Other!A1:B2+Other!$C:$C"},
    {"'An''other'!A1"},
    {"Database!A1"},
    {""},
  };
  check_all(&first_column, &own, cases, G_N_ELEMENTS(cases));
}

static void test_other_sheets(void) {
  static const Case cases[] = {
    {"A1"},
    {"Data!A1", "Data!B1"},
    {"DATA!A1", "DATA!B1"},
    {"'Data'!A1:B2+C3", "'Data'!B1:C2+C3"},
    {"SUM(Data!A:A)/Data!$B$2+B2", "SUM(Data!B:B)/Data!$C$2+B2"},
    {"Data!A1:Data!B2", "Data!B1:Data!C2"},
    {"Data!1:3"},
    {"Data!Total"},
    {"A1+Data!A1", "A1+Data!B1"},
    {"Data!A1,A1", "Data!B1,A1"},
    {"[2]Data!A1+Data!A1", "[2]Data!A1+Data!B1"},
  };
  check_all(&first_column, &other, cases, G_N_ELEMENTS(cases));
}

static void test_quoted_sheet(void) {
  static const PxShift quoted = {.sheet = "Bob's \xc3\x89t\xc3\xa9", .columns = 1};
  static const Case cases[] = {
    {"'Bob''s \xc3\x89t\xc3\xa9'!A1", "'Bob''s \xc3\x89t\xc3\xa9'!B1"},
    {"'bob''s \xc3\xa9t\xc3\xa9'!A1", "'bob''s \xc3\xa9t\xc3\xa9'!B1"},
    {"'Bob''s'!A1"},
  };
  check_all(&quoted, &other, cases, G_N_ELEMENTS(cases));
}

static void test_edge_of_the_sheet(void) {
  static const Case cases[] = {
    {"XFD1", "#REF!", PX_SHIFT_LOST | PX_SHIFT_MOVED}, {"SUM(C1:XFD1)", "SUM(D1:XFD1)"}, {"SUM(A1:XFD3)"}, {"A:XFD"}, {"XFC1", "XFD1"},
  };
  check_all(&first_column, &own, cases, G_N_ELEMENTS(cases));
}

static void test_rows_taken_out(void) {
  static const Case cases[] = {
    {"A4", "B2"},
    {"A5+$A$9", "B3+$B$4"},
    {"A1", "B1"},
    {"A11", "B5"},
    {"A2", "#REF!", PX_SHIFT_LOST | PX_SHIFT_MOVED},
    {"SUM(A2:A10)", "SUM(B2:B4)"},
    {"SUM(A6:A8)", "SUM(#REF!)", PX_SHIFT_LOST | PX_SHIFT_MOVED},
    {"SUM(A1:A100)", "SUM(B1:B94)"},
    {"SUM(A1:A1048576)", "SUM(B1:B1048576)"},
    {"SUM(4:9)", "SUM(2:4)"},
    {"SUM(B:B)", "SUM(C:C)"},
    {"Data!$A$2:$A$4", "Data!$B$2:$B$2"},
  };
  check_all(&fewer_rows, &own, cases, G_N_ELEMENTS(cases));
}

static void test_copied_formula(void) {
  static const PxFormulaPlace copied = {.own = true, .rows = 5, .columns = 1};
  static const Case cases[] = {
    {"A4", "C4"}, {"A$4", "C$2"}, {"$A4", "$B4"}, {"Other!A4", "Other!B9"}, {"SUM(A$4:A4)", "SUM(C$2:C4)"}, {"XFD4", "B4"},
  };
  check_all(&fewer_rows, &copied, cases, G_N_ELEMENTS(cases));
}

static void test_rows(void) {
  static const uint32_t expected[] = {0, 1, 2, 2, 2, 3, 4, 4, 4, 4, 5, 5, 6};
  for (uint32_t row = 1; row < G_N_ELEMENTS(expected); row++)
    g_assert_cmpuint(px_shift_row(&fewer_rows, row), ==, expected[row]);
  g_assert_cmpuint(px_shift_next_staying(&fewer_rows, 2), ==, 4);
  g_assert_cmpuint(px_shift_next_staying(&fewer_rows, 4), ==, 4);
  g_assert_cmpuint(px_shift_next_staying(&fewer_rows, 10), ==, 11);
  g_assert_true(px_shift_stays(&fewer_rows, 1));
  g_assert_false(px_shift_stays(&fewer_rows, 2));
  g_assert_true(px_shift_stays(&fewer_rows, 9));
  g_assert_false(px_shift_stays(&fewer_rows, 10));
  g_assert_true(px_shift_stays(&fewer_rows, 11));
}

static void check_list(const PxShift *shift, const char *text, const char *expected) {
  g_autoptr(GString) to = g_string_new(NULL);
  bool left = px_shift_sqref(shift, text, strlen(text), to);
  g_assert_cmpint(left, ==, expected != NULL);
  g_assert_cmpstr(to->str, ==, expected ? expected : "");
}

static void test_lists(void) {
  check_list(&first_column, "A1", "B1");
  check_list(&first_column, "A1:B2 C3\tD:D 4:5", "B1:C2 D3 E:E 4:5");
  check_list(&first_column, "XFD1", NULL);
  check_list(&fewer_rows, "A2:A3 B3:B4 C10", "C2:C2");
  check_list(&fewer_rows, "A2 A3", NULL);
  check_list(&first_column, "nonsense", "nonsense");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/format/shift/references", test_references);
  g_test_add_func("/format/shift/what_is_no_reference", test_what_is_no_reference);
  g_test_add_func("/format/shift/other_sheets", test_other_sheets);
  g_test_add_func("/format/shift/quoted_sheet", test_quoted_sheet);
  g_test_add_func("/format/shift/edge_of_the_sheet", test_edge_of_the_sheet);
  g_test_add_func("/format/shift/rows_taken_out", test_rows_taken_out);
  g_test_add_func("/format/shift/copied_formula", test_copied_formula);
  g_test_add_func("/format/shift/rows", test_rows);
  g_test_add_func("/format/shift/lists", test_lists);
  return g_test_run();
}
