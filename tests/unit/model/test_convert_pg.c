/* SPDX-License-Identifier: Apache-2.0 */
/* Values of types that only PostgreSQL has. */
#include "convert_fixture.h"

static PxField numeric(unsigned precision, unsigned scale) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_EXACT);
  field.sql_type = "numeric";
  field.precision = precision;
  field.scale = scale;
  return field;
}

static PxField text_of(const char *sql_type, PxTextForm form) {
  PxField field = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  field.sql_type = sql_type;
  field.form = form;
  return field;
}

static void test_every_digit_counts(void) {
  PxField field = numeric(0, 0);
  CHECK(&field, {"12345678901234567890.123456789", "12345678901234567890.123456789"}, {"-0012345678901234567890.50", "-12345678901234567890.5"},
        {"123456789012345678", "i123456789012345678"}, {"1234567890123456789", "1234567890123456789"}, {"0.1", "r0.10000000000000001"},
        {"0.1234567890123456", "0.1234567890123456"}, {"-0.00012345678901234567", "-0.00012345678901234567"}, {"1e3", "i1000"}, {"1e20", "r1e+20"},
        {"1.234567890123456789e2", "123.4567890123456789"}, {"123456789012345678e5", "12345678901234567800000"}, {"-0.000", "i0"}, {"1.50", "r1.5"},
        {"1e200000", NULL}, {"1e-20000", NULL}, {"x", NULL});
}

static void test_rounded_as_the_column_does(void) {
  PxField field = numeric(6, 2);
  CHECK(&field, {"1.005", "r1.01"}, {"-1.005", "r-1.01"}, {"1.004999999999999999999", "i1"}, {"0.999", "i1"}, {"9999.994", "r9999.9899999999998"},
        {"9999.995", NULL}, {"10000", NULL}, {"0.004", "i0"}, {"0.005", "r0.01"}, {"-0.0049", "i0"}, {"9.999", "i10"},
        {"12.30", "r12.300000000000001"});
  PxField whole = numeric(20, 0);
  CHECK(&whole, {"12345678901234567890.5", "12345678901234567891"}, {"0.5", "i1"}, {"0.4", "i0"}, {"99999999999999999999.5", NULL});
  PxConvertOptions exact = {.exact = true};
  CHECK_WITH(&field, &exact, {"1.005", NULL}, {"1.01", "r1.01"}, {"1.0100000000000000000000", "r1.01"});
}

static void check_same(const PxField *field, const char *stored, const char *written, bool same) {
  PxValue value;
  g_assert_true(convert(field, &plain, PX_CELL_TEXT, written, &value));
  if (px_field_unchanged(field, px_value_string(stored), value) != same)
    g_error("%s over %s", written, stored);
}

static void test_unchanged(void) {
  PxField field = numeric(0, 0);
  check_same(&field, "12345678901234567890.1200", "12345678901234567890.12", true);
  check_same(&field, "12345678901234567890.1200", "12345678901234567890.1201", false);
  check_same(&field, "123456789012.50000000", "123456789012.5", true);
  check_same(&field, "100000000000000000000", "1e20", true);
  check_same(&field, "NaN", "1", false);
  PxField json = make_field(PX_TYPE_JSON, PX_STORE_AS_IS);
  json.sql_type = "jsonb";
  check_same(&json, "{\"a\": [1, 2.50], \"b\": null}", "{\"b\":null,\"a\":[1,2.5]}", true);
  check_same(&json, "{\"a\": 1}", "{\"a\": 2}", false);
  check_same(&json, "[12345678901234567890]", "[12345678901234567891]", false);
  json.sql_type = "json";
  check_same(&json, "{\"a\": 1}", "{\"a\":1}", false);
  PxField real = make_field(PX_TYPE_DECIMAL, PX_STORE_FLOAT);
  real.sql_type = "real";
  PxValue value;
  g_assert_true(convert(&real, &plain, PX_CELL_TEXT, "0.123456789", &value));
  g_assert_true(px_field_unchanged(&real, px_value_real(0.12345679), value));
  g_assert_false(px_field_unchanged(&real, px_value_real(0.1234567), value));
}

static void test_integers_of_their_column(void) {
  PxField field = make_field(PX_TYPE_INTEGER, PX_STORE_INTEGER);
  field.bytes = 2;
  CHECK(&field, {"32767", "i32767"}, {"-32768", "i-32768"}, {"32768", NULL}, {"-32769", NULL});
  g_assert_cmpstr(kind_of_problem, ==, "range");
  field.bytes = 4;
  CHECK(&field, {"2147483647", "i2147483647"}, {"2147483648", NULL});
  field.bytes = 0;
  CHECK(&field, {"9223372036854775807", "i9223372036854775807"}, {"9223372036854775808", NULL});
}

static void test_forms(void) {
  PxField uuid = text_of("uuid", PX_FORM_UUID);
  CHECK(&uuid, {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        {"{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
        {"a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, {"a0eebc99", NULL},
        {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-", NULL}, {"a0eebc99--9c0b4ef8bb6d6bb9bd380a11", NULL}, {"a0e-ebc999c0b4ef8bb6d6bb9bd380a11", NULL},
        {"{a0eebc999c0b4ef8bb6d6bb9bd380a11", NULL}, {"g0eebc999c0b4ef8bb6d6bb9bd380a11", NULL});
  PxField time = text_of("time without time zone", PX_FORM_TIME);
  CHECK(&time, {"9:30", "09:30:00"}, {"23:59:59.120", "23:59:59.12"}, {"12:00:00.000", "12:00:00"}, {"24:00", "24:00"}, {"12:30 PM", "12:30 PM"},
        {"noon", "noon"}, {"12", "12"}, {"12:3", "12:3"}, {"1.5", "1.5"}, {"12:00.5", "12:00.5"}, {"12:30:", "12:30:"});
  PxField text = text_of("text", PX_FORM_FREE);
  PxValue value;
  PxCell zero = {.ptr = "a\0b", .len = 3, .kind = PX_CELL_TEXT};
  g_assert_false(px_field_convert(&text, &plain, arena, zero, &value, &kind_of_problem, &why));
}

static void test_what_only_the_database_knows(void) {
  PxField citext = text_of("citext", PX_FORM_FREE);
  citext.collation = PX_COLLATE_CITEXT;
  g_assert_true(px_field_has_canonical(&citext, px_value_string("Ab")));
  g_assert_true(px_field_has_canonical(&citext, px_value_null()));
  g_assert_false(px_field_has_canonical(&citext, px_value_string("\u00c9")));
  PxValue canonical = px_field_canonical(&citext, arena, px_value_string("Ab"));
  check_value(&canonical, "ab");
  PxField inet = text_of("inet", PX_FORM_FREE);
  inet.collation = PX_COLLATE_OTHER;
  g_assert_false(px_field_has_canonical(&inet, px_value_string("10.0.0.1")));
  g_assert_true(px_field_has_canonical(&inet, px_value_null()));
}

static void test_zone_is_shown_as_the_server_does(void) {
  PxField field = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  field.sql_type = "timestamp with time zone";
  field.with_zone = true;
  CHECK(&field, {"2024-07-01 12:00:00", "2024-07-01 12:00:00+00"}, {"2024-07-01T12:00:00.50+02:00", "2024-07-01 10:00:00.5+00"});
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  arena = px_arena_new();
  g_test_add_func("/model/convert/pg/every_digit_counts", test_every_digit_counts);
  g_test_add_func("/model/convert/pg/rounded_as_the_column_does", test_rounded_as_the_column_does);
  g_test_add_func("/model/convert/pg/unchanged", test_unchanged);
  g_test_add_func("/model/convert/pg/integers_of_their_column", test_integers_of_their_column);
  g_test_add_func("/model/convert/pg/forms", test_forms);
  g_test_add_func("/model/convert/pg/what_only_the_database_knows", test_what_only_the_database_knows);
  g_test_add_func("/model/convert/pg/zone_is_shown_as_the_server_does", test_zone_is_shown_as_the_server_does);
  int status = g_test_run();
  px_arena_free(arena);
  return status;
}
