/* SPDX-License-Identifier: Apache-2.0 */
#include "convert_fixture.h"

#include <math.h>

#define ROUNDS 20000 /* of the property tests */

static void test_integer(void) {
  PxField field = make_field(PX_TYPE_INTEGER, PX_STORE_INTEGER);
  CHECK(&field, {"3", "i3"}, {"  4\t", "i4"}, {"-1", "i-1"}, {"+5", "i5"}, {"007", "i7"}, {"", "NULL"}, {"  ", "NULL"}, {"0", "i0"});
  CHECK(&field, {"9223372036854775807", "i9223372036854775807"}, {"-9223372036854775808", "i-9223372036854775808"});
  CHECK(&field, {"3.0", NULL}, {"abc", NULL}, {"1e3", NULL}, {"1_0", NULL}, {"3.7", NULL}, {"-", NULL}, {"1 0", NULL}, {"0x10", NULL});
  CHECK(&field, {"3", "i3", PX_CELL_NUMBER}, {"3.0", "i3", PX_CELL_NUMBER}, {"1e3", "i1000", PX_CELL_NUMBER}, {"3.7", NULL, PX_CELL_NUMBER});
  CHECK(&field, {"true", NULL, PX_CELL_BOOLEAN}, {"#N/A", NULL, PX_CELL_ERROR}, {"=A1", NULL, PX_CELL_FORMULA}, {"2020-01-05", NULL, PX_CELL_DATE});
  PxValue value;
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "9223372036854775808", &value));
  g_assert_cmpstr(kind_of_problem, ==, "range");
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "99999999999999999999999", &value));
  g_assert_cmpstr(kind_of_problem, ==, "range");
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "abc", &value));
  g_assert_cmpstr(why, ==, "\"abc\" is no integer");
}

static void test_integer_in_other_columns(void) {
  PxField text = make_field(PX_TYPE_INTEGER, PX_STORE_TEXT);
  PxField real = make_field(PX_TYPE_INTEGER, PX_STORE_REAL);
  CHECK(&text, {"007", "7"}, {"-3", "-3"});
  CHECK(&real, {"7", "r7"});
}

static void test_decimal(void) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_REAL);
  CHECK(&field, {"1.5", "r1.5"}, {"1e3", "r1000"}, {"-2", "r-2"}, {".5", "r0.5"}, {"5.", "r5"}, {"0", "r0"}, {"", "NULL"},
        {"+1.25E-2", "r0.012500000000000001"});
  CHECK(&field, {"1,5", NULL}, {"1 000.5", NULL}, {"nan", NULL}, {"inf", NULL}, {"1_0", NULL}, {"abc", NULL}, {".", NULL}, {"1e", NULL},
        {"1.2.3", NULL}, {"-", NULL});
  CHECK(&field, {"1.5", "r1.5", PX_CELL_NUMBER}, {"true", NULL, PX_CELL_BOOLEAN});
  PxValue value;
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "1e400", &value));
  g_assert_cmpstr(kind_of_problem, ==, "range");
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "1e999999999999", &value));
  g_assert_cmpstr(kind_of_problem, ==, "range");
}

static void test_decimal_numeric_affinity(void) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  CHECK(&field, {"5", "i5"}, {"5.00", "i5"}, {"5.50", "r5.5"}, {"1e3", "i1000"}, {"-0", "i0"}, {"-0.0", "i0"}, {"1e20", "r1e+20"},
        {"9223372036854775807", "i9223372036854775807"}, {"9223372036854775808", "r9.2233720368547758e+18"}, {"100000000000000000000e-20", "i1"},
        {"0.1000000000000000000000000", "r0.10000000000000001"});
  PxField text = make_field(PX_TYPE_DECIMAL, PX_STORE_TEXT);
  CHECK(&text, {" 1.50 ", "1.50"}, {"x", NULL});
}

static void test_decimal_comma(void) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxField text = make_field(PX_TYPE_DECIMAL, PX_STORE_TEXT);
  PxConvertOptions options = {.decimal_comma = true};
  CHECK_WITH(&field, &options, {"1,5", "r1.5"}, {"1.5", NULL}, {"1.234,5", NULL}, {"12345678901234567,25", "i12345678901234568"},
             {"1.5", "r1.5", PX_CELL_NUMBER});
  CHECK_WITH(&text, &options, {"1,50", "1.50"});
  PxCell cell = px_field_format(&field, &options, arena, px_value_real(1.25));
  check_text(cell.ptr, cell.len, "1,25");
  cell = px_field_format(&text, &options, arena, px_value_string("1.50"));
  check_text(cell.ptr, cell.len, "1,50");
}

static void test_exact(void) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxConvertOptions exact = {.exact = true};
  CHECK_WITH(&field, &exact, {"0.1", "r0.10000000000000001"}, {"123456789012345.5", "r123456789012345.5"},
             {"1234567890123456789", "i1234567890123456789"});
  CHECK_WITH(&field, &exact, {"0.12345678901234567891", NULL}, {"1234567890123456789.5", NULL}, {"1e-400", NULL});
  field.precision = 10;
  field.scale = 2;
  CHECK_WITH(&field, &exact, {"1.25", "r1.25"}, {"1.250", "r1.25"}, {"1.255", NULL});
  CHECK(&field, {"1.255", "r1.2549999999999999"});
}

static void test_boolean(void) {
  PxField field = make_field(PX_TYPE_BOOLEAN, PX_STORE_NUMERIC);
  CHECK(&field, {"TRUE", "i1"}, {"true", "i1"}, {"True", "i1"}, {"false", "i0"}, {"FALSE", "i0"}, {"1", "i1"}, {"0", "i0"}, {"yes", "i1"},
        {"No", "i0"}, {"=TRUE()", "i1"}, {"=false()", "i0"});
  CHECK(&field, {"", "i0"}, {" ", "i0"}, {"maybe", NULL}, {"2", NULL}, {"t", NULL}, {"on", NULL}, {"TRUE()", NULL});
  CHECK(&field, {"true", "i1", PX_CELL_BOOLEAN}, {"false", "i0", PX_CELL_BOOLEAN}, {"1", "i1", PX_CELL_NUMBER}, {"0", "i0", PX_CELL_NUMBER},
        {"2", "i1", PX_CELL_NUMBER}, {"0.5", "i1", PX_CELL_NUMBER});
  CHECK(&field, {"=TRUE()", "i1", PX_CELL_FORMULA}, {"=FALSE()", "i0", PX_CELL_FORMULA}, {"=A1", NULL, PX_CELL_FORMULA},
        {"#REF!", NULL, PX_CELL_ERROR});
}

static void test_own_words(void) {
  PxField boolean = make_field(PX_TYPE_BOOLEAN, PX_STORE_NUMERIC);
  static const char *const yes[] = {"ja", NULL};
  static const char *const no[] = {"nein", NULL};
  PxConvertOptions words = {.true_words = yes, .false_words = no};
  CHECK_WITH(&boolean, &words, {"ja", "i1"}, {"Nein", "i0"}, {"TRUE", "i1"}, {"0", "i0"}, {"j", NULL}, {"", "i0"});
  CHECK(&boolean, {"ja", NULL});
}

static void test_escaped_formulas(void) {
  PxField text = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  PxConvertOptions escaped = {.formulas_escaped = true};
  CHECK_WITH(&text, &escaped, {"'=1+1", "=1+1"}, {"''=1", "'=1"}, {"'-5", "-5"}, {"'n Hund", "'n Hund"}, {"'", "'"}, {"=1", "=1"});
  CHECK(&text, {"'=1+1", "'=1+1"});
}

static void test_date(void) {
  PxField field = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  CHECK(&field, {"2020-01-05", "2020-01-05"}, {" 2020-02-29 ", "2020-02-29"}, {"", "NULL"}, {"2020-01-05", "2020-01-05", PX_CELL_DATE});
  CHECK(&field, {"2020-01-05 00:00:00", "2020-01-05", PX_CELL_DATETIME}, {"2020-01-05 00:00:01", NULL, PX_CELL_DATETIME});
  CHECK(&field, {"2020-1-5", NULL}, {"2020-01-05 10:11:12", NULL}, {"2020-02-30", NULL}, {"05/01/2020", NULL}, {"20200105", NULL}, {"bad", NULL},
        {"2020-01-05T10:11:12", NULL}, {"43835", NULL}, {"2020-01-05junk", NULL}, {"2019-02-29", NULL}, {"1900-02-29", NULL}, {"0000-01-01", NULL},
        {"43835", NULL, PX_CELL_NUMBER});
}

static void test_datetime(void) {
  PxField field = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  CHECK(&field, {"2020-01-05 10:11:12", "2020-01-05 10:11:12"}, {"2020-01-05", "2020-01-05 00:00:00"}, {"2020-01-05 10:11", "2020-01-05 10:11:00"},
        {"2020-01-05T10:11:12", "2020-01-05 10:11:12"}, {"2020-01-05 10:11:12.345", "2020-01-05 10:11:12.345"},
        {"2020-01-05 10:11:12.500000", "2020-01-05 10:11:12.5"}, {"2020-01-05 10:11:12.000", "2020-01-05 10:11:12"},
        {"2020-01-05 10:11:12.1234567", "2020-01-05 10:11:12.123456"}, {"", "NULL"}, {"2020-01-05", "2020-01-05 00:00:00", PX_CELL_DATE},
        {"2020-01-05 10:11:12", "2020-01-05 10:11:12", PX_CELL_DATETIME});
  CHECK(&field, {"2020-02-30 00:00:00", NULL}, {"bad", NULL}, {"2020-01-05 24:00:00", NULL}, {"2020-01-05 10:60:00", NULL}, {"2020-01-05 10", NULL},
        {"2020-01-05 10:11:", NULL}, {"2020-01-05  10:11", NULL}, {"2020-01-05 10:11:12.", NULL}, {"2020-01-05 10:11:12x", NULL},
        {"2020-01-05 1:11:12", NULL}, {"43835.5", NULL, PX_CELL_NUMBER});
  PxConvertOptions exact = {.exact = true};
  CHECK_WITH(&field, &exact, {"2020-01-05 10:11:12.1234567", NULL}, {"2020-01-05 10:11:12.1234560", "2020-01-05 10:11:12.123456"});
}

static void test_datetime_is_a_view(void) {
  PxField field = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  const char *text = "2020-01-05 10:11:12";
  PxValue value;
  g_assert_true(convert(&field, &plain, PX_CELL_TEXT, text, &value));
  g_assert_true(value.text == text);
}

static void test_datetime_zones(void) {
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  g_assert_nonnull(paris);
  PxConvertOptions options = {.timezone = paris};
  PxField naive = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  PxField zoned = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  zoned.with_zone = true;
  CHECK_WITH(&naive, &options, {"2020-01-05T10:11:12Z", "2020-01-05 11:11:12"}, {"2020-07-05 10:11:12+00", "2020-07-05 12:11:12"},
             {"2020-07-05 10:11:12.5-0530", "2020-07-05 17:41:12.5"}, {"2020-01-01 00:30+02:00", "2019-12-31 23:30:00"},
             {"2021-03-28 02:30:00", "2021-03-28 02:30:00"});
  CHECK_WITH(&naive, &options, {"2020-01-05 10:11:12+2", NULL}, {"2020-01-05 10:11:12+99:00", NULL}, {"2020-01-05 10:11:12 +02:00", NULL},
             {"2020-01-05Z", NULL});
  CHECK_WITH(&zoned, &options, {"2020-01-05 10:11:12", "2020-01-05 09:11:12+00:00"}, {"2020-07-05 10:11", "2020-07-05 08:11:00+00:00"},
             {"2020-07-05 10:11:12.25+02:00", "2020-07-05 08:11:12.25+00:00"}, {"2021-03-28 01:59:59", "2021-03-28 00:59:59+00:00"},
             {"2021-03-28 03:00:00", "2021-03-28 01:00:00+00:00"}, {"2021-10-31 02:30:00+02:00", "2021-10-31 00:30:00+00:00"},
             {"2021-10-31 02:30:00+01:00", "2021-10-31 01:30:00+00:00"}, {"2021-10-31 03:00:00", "2021-10-31 02:00:00+00:00"});
  PxValue value;
  g_assert_false(convert(&zoned, &options, PX_CELL_TEXT, "2021-03-28 02:30:00", &value));
  g_assert_nonnull(strstr(why, "does not exist in the time zone Europe/Paris"));
  g_assert_false(convert(&zoned, &options, PX_CELL_TEXT, "2021-10-31 02:30:00", &value));
  g_assert_nonnull(strstr(why, "exists twice"));
}

static void test_datetime_shown_in_zone(void) {
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  PxConvertOptions options = {.timezone = paris};
  PxField zoned = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  zoned.with_zone = true;
  PxCell cell = px_field_format(&zoned, &options, arena, px_value_string("2020-07-05 08:11:12+00:00"));
  check_text(cell.ptr, cell.len, "2020-07-05 10:11:12");
  g_assert_cmpint(cell.kind, ==, PX_CELL_DATETIME);
  cell = px_field_format(&zoned, &options, arena, px_value_string("2021-10-31 01:30:00+00:00"));
  check_text(cell.ptr, cell.len, "2021-10-31 02:30:00+01:00");
  g_assert_cmpint(cell.kind, ==, PX_CELL_TEXT);
}

static void test_selection(void) {
  static const PxSelection choices[] = {{"contact", "Contact"}, {"invoice", "Invoice Address"}};
  PxField field = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  field.selection = choices;
  field.n_selection = 2;
  CHECK(&field, {"contact", "contact"}, {"Contact", "contact"}, {"invoice", "invoice"}, {"Invoice Address", "invoice"}, {"", "NULL"},
        {"INVOICE", NULL}, {"contac", NULL}, {"contactx", NULL});
  PxValue value;
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "bad", &value));
  g_assert_cmpstr(kind_of_problem, ==, "selection");
  g_assert_cmpstr(why, ==, "\"bad\" is none of the allowed values: contact (Contact), invoice (Invoice Address)");
  static const PxSelection levels[] = {{"1", "Low"}, {"2", "High"}};
  PxField level = make_field(PX_TYPE_INTEGER, PX_STORE_INTEGER);
  level.selection = levels;
  level.n_selection = 2;
  CHECK(&level, {"1", "i1"}, {"High", "i2"}, {"2", "i2", PX_CELL_NUMBER}, {"3", NULL});
}

static void test_text(void) {
  PxField field = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  CHECK(&field, {"  a  b\t", "a  b"}, {"", "NULL"}, {" \t ", "NULL"}, {"\xc2\xa0x\xc2\xa0", "x"}, {"=SUM(1)", "=SUM(1)"},
        {"75001", "75001", PX_CELL_NUMBER}, {"1.25", "1.25", PX_CELL_NUMBER}, {"\xc3\xa0", "\xc3\xa0"}, {"=SUM(1)", NULL, PX_CELL_FORMULA},
        {"#N/A", NULL, PX_CELL_ERROR});
  field.max_chars = 3;
  CHECK(&field, {"abc", "abc"}, {"\xc3\xa9\xc3\xa9\xc3\xa9", "\xc3\xa9\xc3\xa9\xc3\xa9"}, {"abcd", NULL});
  PxValue value;
  g_assert_false(convert(&field, &plain, PX_CELL_TEXT, "abcd", &value));
  g_assert_cmpstr(kind_of_problem, ==, "length");
  g_assert_cmpstr(why, ==, "\"abcd\" has 4 characters, at most 3 are allowed");
  const char *text = " abc ";
  g_assert_true(convert(&field, &plain, PX_CELL_TEXT, text, &value));
  g_assert_true(value.text == text + 1);
}

static void test_binary(void) {
  PxField field = make_field(PX_TYPE_BINARY, PX_STORE_AS_IS);
  CHECK(&field, {"aGVsbG8=", "hello"}, {"aGVs\nbG8=", "hello"}, {"aGVsbG8h", "hello!"}, {"aGk=", "hi"}, {"aA==", "h"}, {"", "NULL"});
  CHECK(&field, {"aGVsbG8", NULL}, {"aGVs!G8=", NULL}, {"=aaa", NULL}, {"aG=k", NULL}, {"a===", NULL}, {"====", NULL}, {"aB==", NULL},
        {"1", NULL, PX_CELL_NUMBER});
  PxCell cell = px_field_format(&field, &plain, arena, px_value_blob("hello", 5));
  check_text(cell.ptr, cell.len, "aGVsbG8=");
}

static void test_json(void) {
  PxField field = make_field(PX_TYPE_JSON, PX_STORE_TEXT);
  CHECK(&field, {" {\"a\": [1, 2.50]} ", "{\"a\": [1, 2.50]}"}, {"5", "5"}, {"null", "null"}, {"12345678901234567890123", "12345678901234567890123"},
        {"", "NULL"}, {"{a}", NULL}, {"[1,]", NULL}, {"x", NULL});
}

static void check_format(const PxField *field, PxValue value, PxCellKind kind, const char *expected) {
  PxCell cell = px_field_format(field, &plain, arena, value);
  check_text(cell.ptr, cell.len, expected);
  g_assert_cmpint(cell.kind, ==, kind);
}

static void test_format(void) {
  PxField integer = make_field(PX_TYPE_INTEGER, PX_STORE_INTEGER);
  PxField decimal = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxField boolean = make_field(PX_TYPE_BOOLEAN, PX_STORE_NUMERIC);
  PxField date = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  PxField moment = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  check_format(&integer, px_value_integer(INT64_MIN), PX_CELL_NUMBER, "-9223372036854775808");
  check_format(&integer, px_value_null(), PX_CELL_EMPTY, "");
  check_format(&decimal, px_value_real(57.5), PX_CELL_NUMBER, "57.5");
  check_format(&decimal, px_value_real(0.1), PX_CELL_NUMBER, "0.1");
  check_format(&decimal, px_value_real(-0.05), PX_CELL_NUMBER, "-0.05");
  check_format(&decimal, px_value_real(41), PX_CELL_NUMBER, "41");
  check_format(&decimal, px_value_real(1e-9), PX_CELL_NUMBER, "1e-09");
  check_format(&decimal, px_value_real(0.1 + 0.2), PX_CELL_NUMBER, "0.30000000000000004");
  check_format(&boolean, px_value_integer(1), PX_CELL_BOOLEAN, "true");
  check_format(&boolean, px_value_integer(0), PX_CELL_BOOLEAN, "false");
  check_format(&boolean, px_value_null(), PX_CELL_EMPTY, "");
  check_format(&date, px_value_string("2020-01-05"), PX_CELL_DATE, "2020-01-05");
  check_format(&date, px_value_string("5 Jan"), PX_CELL_TEXT, "5 Jan");
  check_format(&moment, px_value_string("2026-01-15 10:00:00"), PX_CELL_DATETIME, "2026-01-15 10:00:00");
  check_format(&moment, px_value_string("2026-01-15T10:00"), PX_CELL_DATETIME, "2026-01-15 10:00:00");
  check_format(&moment, px_value_string("2026-01-15T10:00:00Z"), PX_CELL_TEXT, "2026-01-15T10:00:00Z");
}

static void check_canonical(const PxField *field, PxValue value, const char *expected) {
  PxValue canonical = px_field_canonical(field, arena, value);
  check_value(&canonical, expected);
}

static void test_canonical(void) {
  PxField text = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  PxField decimal = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxField real = make_field(PX_TYPE_DECIMAL, PX_STORE_REAL);
  PxField raw = make_field(PX_TYPE_TEXT, PX_STORE_AS_IS);
  check_canonical(&text, px_value_string("AbC "), "AbC ");
  check_canonical(&text, px_value_integer(5), "5");
  check_canonical(&text, px_value_real(5), "5.0");
  check_canonical(&decimal, px_value_real(5), "i5");
  check_canonical(&decimal, px_value_string(" 5.50 "), "r5.5");
  check_canonical(&decimal, px_value_string("x"), "x");
  check_canonical(&decimal, px_value_real(-0.0), "i0");
  check_canonical(&decimal, px_value_real(1e300), "r1.0000000000000001e+300");
  check_canonical(&real, px_value_integer(5), "i5");
  check_canonical(&real, px_value_integer(9007199254740993), "i9007199254740992");
  check_canonical(&raw, px_value_string("5"), "5");
  check_canonical(&raw, px_value_real(5), "i5");
  text.collation = PX_COLLATE_NOCASE;
  check_canonical(&text, px_value_string("AbC\xc3\x89 "), "abc\xc3\x89 ");
  text.collation = PX_COLLATE_RTRIM;
  check_canonical(&text, px_value_string("AbC  "), "AbC");
}

static void test_unchanged(void) {
  PxField text = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  PxField decimal = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxField real = make_field(PX_TYPE_DECIMAL, PX_STORE_REAL);
  PxField date = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  text.collation = PX_COLLATE_NOCASE;
  g_assert_true(px_field_unchanged(&text, px_value_string("a"), px_value_string("a")));
  g_assert_false(px_field_unchanged(&text, px_value_string("a"), px_value_string("A")));
  g_assert_false(px_field_unchanged(&text, px_value_null(), px_value_string("A")));
  g_assert_true(px_field_unchanged(&text, px_value_string(" a\xc2\xa0"), px_value_string("a")));
  g_assert_false(px_field_unchanged(&text, px_value_string("a b"), px_value_string("ab")));
  g_assert_true(px_field_unchanged(&text, px_value_string(" "), px_value_null()));
  g_assert_false(px_field_unchanged(&text, px_value_string("a"), px_value_null()));
  g_assert_true(px_field_unchanged(&text, px_value_null(), px_value_null()));
  g_assert_true(px_field_unchanged(&text, px_value_string("5"), px_value_integer(5)));
  g_assert_true(px_field_unchanged(&decimal, px_value_integer(5), px_value_real(5)));
  g_assert_true(px_field_unchanged(&real, px_value_real(5), px_value_integer(5)));
  g_assert_false(px_field_unchanged(&decimal, px_value_string("5 "), px_value_integer(5)));
  g_assert_false(px_field_unchanged(&date, px_value_string("2020-01-05 00:00:00"), px_value_string("2020-01-05")));
  g_assert_true(px_field_unchanged(&date, px_value_string("2020-01-05"), px_value_string("2020-01-05")));
}

/* ---- properties: what is written is read back */

static void check_round_trip(const PxField *field, PxValue value) {
  PxCell cell = px_field_format(field, &plain, arena, value);
  PxValue back;
  if (!px_field_convert(field, &plain, arena, cell, &back, &kind_of_problem, &why))
    g_error("%.*s: %s", (int)cell.len, cell.ptr, why);
  if (!px_field_unchanged(field, value, back))
    g_error("%.*s does not read back", (int)cell.len, cell.ptr);
  cell.kind = PX_CELL_TEXT;
  g_assert_true(px_field_convert(field, &plain, arena, cell, &back, &kind_of_problem, &why));
  g_assert_true(px_field_unchanged(field, value, back));
  px_arena_reset(arena);
}

static uint64_t random_bits(void) {
  return (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
}

static void test_numbers_round_trip(void) {
  PxField integer = make_field(PX_TYPE_INTEGER, PX_STORE_INTEGER);
  PxField numeric = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxField real = make_field(PX_TYPE_DECIMAL, PX_STORE_REAL);
  for (unsigned i = 0; i < ROUNDS; i++) {
    unsigned shift = (unsigned)g_test_rand_int_range(0, 64);
    check_round_trip(&integer, px_value_integer((int64_t)(random_bits() >> shift)));
    union {
      uint64_t bits;
      double real;
    } any = {.bits = random_bits()};
    if (isfinite(any.real)) {
      check_round_trip(&real, px_value_real(any.real));
      check_round_trip(&numeric, px_field_canonical(&numeric, arena, px_value_real(any.real)));
    }
    check_round_trip(&real, px_value_real((double)(int64_t)(random_bits() >> shift) / 100));
  }
}

/* The fast way must round as strtod does. */
static void test_decimals_as_strtod(void) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_REAL);
  for (unsigned i = 0; i < ROUNDS; i++) {
    char text[64];
    snprintf(text, sizeof(text), "%llu.%0*llue%d", (unsigned long long)(random_bits() >> g_test_rand_int_range(0, 64)), g_test_rand_int_range(1, 20),
             (unsigned long long)(random_bits() >> g_test_rand_int_range(0, 64)), g_test_rand_int_range(-40, 40));
    PxValue value;
    g_assert_true(convert(&field, &plain, PX_CELL_TEXT, text, &value));
    double expected = g_ascii_strtod(text, NULL);
    if (value.real < expected || value.real > expected)
      g_error("%s: %.17g is not %.17g", text, value.real, expected);
    px_arena_reset(arena);
  }
}

static void test_moments_round_trip(void) {
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  PxConvertOptions options = {.timezone = paris};
  PxField zoned = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  zoned.with_zone = true;
  for (unsigned i = 0; i < ROUNDS; i++) {
    /* From 1970 to 2106. */
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_utc((int64_t)(uint32_t)g_test_rand_int());
    g_autofree char *text = g_date_time_format(moment, "%Y-%m-%d %H:%M:%S+00:00");
    PxCell cell = px_field_format(&zoned, &options, arena, px_value_string(text));
    PxValue back;
    if (!px_field_convert(&zoned, &options, arena, cell, &back, &kind_of_problem, &why))
      g_error("%s: %s", text, why);
    check_text(back.text, back.len, text);
    px_arena_reset(arena);
  }
}

/* Each day of 9,998 years, by way of an offset of a day's length less a minute. */
static void test_every_day(void) {
  PxField naive = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  g_autoptr(GDate) day = g_date_new_dmy(1, 1, 2);
  g_autoptr(GDate) last = g_date_new_dmy(1, 1, 9999);
  for (; g_date_compare(day, last) < 0; g_date_add_days(day, 1)) {
    char text[40];
    snprintf(text, sizeof(text), "%04d-%02d-%02d 23:59+00:01", g_date_get_year(day), g_date_get_month(day), g_date_get_day(day));
    PxValue value;
    g_assert_true(convert(&naive, &plain, PX_CELL_TEXT, text, &value));
    memcpy(text + 10, " 23:58:00", 10);
    check_text(value.text, value.len, text);
    px_arena_reset(arena);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_autoptr(PxArena) owner = px_arena_new();
  arena = owner;
  g_test_add_func("/model/convert/integer", test_integer);
  g_test_add_func("/model/convert/integer_in_other_columns", test_integer_in_other_columns);
  g_test_add_func("/model/convert/decimal", test_decimal);
  g_test_add_func("/model/convert/decimal_numeric_affinity", test_decimal_numeric_affinity);
  g_test_add_func("/model/convert/decimal_comma", test_decimal_comma);
  g_test_add_func("/model/convert/exact", test_exact);
  g_test_add_func("/model/convert/boolean", test_boolean);
  g_test_add_func("/model/convert/own_words", test_own_words);
  g_test_add_func("/model/convert/escaped_formulas", test_escaped_formulas);
  g_test_add_func("/model/convert/date", test_date);
  g_test_add_func("/model/convert/datetime", test_datetime);
  g_test_add_func("/model/convert/datetime_is_a_view", test_datetime_is_a_view);
  g_test_add_func("/model/convert/datetime_zones", test_datetime_zones);
  g_test_add_func("/model/convert/datetime_shown_in_zone", test_datetime_shown_in_zone);
  g_test_add_func("/model/convert/selection", test_selection);
  g_test_add_func("/model/convert/text", test_text);
  g_test_add_func("/model/convert/binary", test_binary);
  g_test_add_func("/model/convert/json", test_json);
  g_test_add_func("/model/convert/format", test_format);
  g_test_add_func("/model/convert/canonical", test_canonical);
  g_test_add_func("/model/convert/unchanged", test_unchanged);
  g_test_add_func("/model/convert/numbers_round_trip", test_numbers_round_trip);
  g_test_add_func("/model/convert/decimals_as_strtod", test_decimals_as_strtod);
  g_test_add_func("/model/convert/moments_round_trip", test_moments_round_trip);
  g_test_add_func("/model/convert/every_day", test_every_day);
  return g_test_run();
}
