/* SPDX-License-Identifier: Apache-2.0 */
#include "format/format.h"
#include "suites.h"

static void defaults(void) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  g_assert_cmpstr(options.delimiter, ==, ",");
  g_assert_cmpstr(options.quote, ==, "\"");
  g_assert_null(options.encoding);
  g_assert_true(options.line_end == PX_LINE_CRLF && options.formula_guard == PX_FORMULA_KEEP && !options.bom && !options.quote_all);
  g_assert_cmpuint(options.max_row_bytes, ==, 16 * 1024 * 1024);
  g_assert_cmpuint(options.max_cells, ==, 16384);
  px_format_options_done(&options);
}

static void copy_has_its_own_strings(void) {
  PxFormatOptions options;
  PxFormatOptions copy;
  px_format_options_init(&options, PX_FORMAT_CSV);
  options.encoding = g_strdup("CP1252");
  options.max_cells = 7;
  px_format_options_copy(&options, &copy);
  px_format_options_done(&options);
  g_assert_cmpstr(copy.encoding, ==, "CP1252");
  g_assert_cmpstr(copy.true_word, ==, "true");
  g_assert_cmpuint(copy.max_cells, ==, 7);
  px_format_options_done(&copy);
  px_format_options_done(&copy); /* empty by now */
}

static void names(void) {
  PxFormat format;
  g_assert_true(px_format_from_name("json", &format) && format == PX_FORMAT_JSON);
  g_assert_cmpstr(px_format_name(PX_FORMAT_XLSX), ==, "xlsx");
  g_assert_false(px_format_from_name("CSV ", &format));
}

void add_options_tests(void) {
  g_test_add_func("/format/options/defaults", defaults);
  g_test_add_func("/format/options/copy_has_its_own_strings", copy_has_its_own_strings);
  g_test_add_func("/format/options/names", names);
}
