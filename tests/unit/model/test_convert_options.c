/* SPDX-License-Identifier: Apache-2.0 */
/* Words, formats and marks of one's own. */
#include "convert_fixture.h"

#define LIST(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}

static void check_written(const PxField *field, const PxConvertOptions *options, const char *stored, PxCellKind kind, const char *expected) {
  PxCell cell = px_field_format(field, options, arena, px_value_string(stored));
  check_text(cell.ptr, cell.len, expected);
  g_assert_cmpint(cell.kind, ==, kind);
}

/* ---- booleans */

static void test_words(void) {
  LIST(yes, "ja", "j", "да", "2");
  LIST(no, "nein", "");
  PxField field = make_field(PX_TYPE_BOOLEAN, PX_STORE_NUMERIC);
  PxConvertOptions options = {.true_words = yes, .false_words = no, .own_booleans = true};
  CHECK_WITH(&field, &options, {"ja", "i1"}, {"J", "i1"}, {"ДА", "i1"}, {"Nein", "i0"}, {"", "i0"}, {"TRUE", "i1"}, {"no", "i0"}, {"0", "i0"},
             {"2", "i1"}, {"2", "i1", PX_CELL_NUMBER}, {"0", "i0", PX_CELL_NUMBER}, {"false", "i0", PX_CELL_BOOLEAN}, {"jaja", NULL}, {"нет", NULL});
  PxValue value;
  g_assert_false(convert(&field, &options, PX_CELL_TEXT, "oui", &value));
  g_assert_cmpstr(why, ==, "\"oui\" is no boolean: write ja or nein");
}

static void test_words_win_over_the_usual_ones(void) {
  LIST(yes, "0");
  LIST(no, "1");
  PxField field = make_field(PX_TYPE_BOOLEAN, PX_STORE_NUMERIC);
  PxConvertOptions options = {.true_words = yes, .false_words = no, .own_booleans = true};
  CHECK_WITH(&field, &options, {"0", "i1"}, {"1", "i0"}, {"0", "i1", PX_CELL_NUMBER}, {"true", "i1", PX_CELL_BOOLEAN});
}

static void test_words_are_written(void) {
  LIST(yes, "x");
  LIST(no, "");
  PxField field = make_field(PX_TYPE_BOOLEAN, PX_STORE_NUMERIC);
  PxConvertOptions options = {.true_words = yes, .false_words = no, .own_booleans = true, .sheet = true};
  PxCell cell = px_field_format(&field, &options, arena, px_value_integer(1));
  check_text(cell.ptr, cell.len, "x");
  g_assert_cmpint(cell.kind, ==, PX_CELL_TEXT);
  cell = px_field_format(&field, &options, arena, px_value_integer(0));
  g_assert_cmpint(cell.kind, ==, PX_CELL_EMPTY);
  options.own_booleans = false; /* those of csv: are the writer's */
  cell = px_field_format(&field, &options, arena, px_value_integer(1));
  g_assert_cmpint(cell.kind, ==, PX_CELL_BOOLEAN);
}

/* ---- dates */

static void test_date_formats(void) {
  LIST(formats, "%d.%m.%Y", "%d/%m/%y", "%d %B %Y");
  PxField field = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  PxConvertOptions options = {.date_formats = formats};
  CHECK_WITH(&field, &options, {"31.12.2024", "2024-12-31"}, {" 1.2.2024 ", "2024-02-01"}, {"01/02/68", "2068-02-01"}, {"01/02/69", "1969-02-01"},
             {"3 march 2024", "2024-03-03"}, {"3  Mar.  2024", "2024-03-03"}, {"29.02.2024", "2024-02-29"}, {"2024-12-31", "2024-12-31"},
             {"", "NULL"}, {"2024-12-31", "2024-12-31", PX_CELL_DATE}, {"2024-12-31 00:00:00", "2024-12-31", PX_CELL_DATETIME});
  CHECK_WITH(&field, &options, {"29.02.2023", NULL}, {"12/31/24", NULL}, {"31.12.24", NULL}, {"31.12.2024 ", "2024-12-31"}, {"31.12.2024x", NULL},
             {"31. 12.2024", NULL}, {"3 Marz 2024", NULL}, {"45657", NULL}, {"45657", NULL, PX_CELL_NUMBER}, {"31.12.02024", NULL});
  PxValue value;
  g_assert_false(convert(&field, &options, PX_CELL_TEXT, "tomorrow", &value));
  g_assert_cmpstr(why, ==, "\"tomorrow\" is no date: write it as 31.12.2024 or 31/12/24 or 31 December 2024");
  g_assert_false(convert(&field, &options, PX_CELL_TEXT, "31.02.2024", &value));
  g_assert_cmpstr(why, ==, "\"31.02.2024\" is no day of the calendar; write it as 31.12.2024 or 31/12/24 or 31 December 2024");
}

static void test_the_first_date_format_counts(void) {
  LIST(formats, "%m/%d/%Y", "%d/%m/%Y");
  PxField field = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  PxConvertOptions options = {.date_formats = formats};
  CHECK_WITH(&field, &options, {"02/03/2024", "2024-02-03"}, {"13/03/2024", "2024-03-13"}, {"13/13/2024", NULL});
  check_written(&field, &options, "2024-03-13", PX_CELL_TEXT, "03/13/2024");
}

static void test_compact_dates_as_numbers(void) {
  LIST(formats, "%Y%m%d");
  PxField field = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  PxConvertOptions options = {.date_formats = formats, .sheet = true};
  CHECK_WITH(&field, &options, {"20241231", "2024-12-31"}, {"20241231", "2024-12-31", PX_CELL_NUMBER}, {"45657", "2024-12-31", PX_CELL_NUMBER},
             {"45657", NULL});
}

static void test_dates_are_written(void) {
  LIST(long_year, "%-d.%-m.%Y");
  LIST(short_year, "%d/%m/%y");
  LIST(names, "%a, %d %b %Y");
  PxField field = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  check_written(&field, &(PxConvertOptions){.date_formats = long_year}, "2024-02-01", PX_CELL_TEXT, "1.2.2024");
  check_written(&field, &(PxConvertOptions){.date_formats = short_year}, "2024-02-01", PX_CELL_TEXT, "01/02/24");
  /* Two digits cannot say it. */
  check_written(&field, &(PxConvertOptions){.date_formats = short_year}, "1924-02-01", PX_CELL_DATE, "1924-02-01");
  check_written(&field, &(PxConvertOptions){.date_formats = names}, "2024-02-29", PX_CELL_TEXT, "Thu, 29 Feb 2024");
  check_written(&field, &(PxConvertOptions){.date_formats = names}, "0001-01-01", PX_CELL_TEXT, "Mon, 01 Jan 0001");
  check_written(&field, &(PxConvertOptions){.date_formats = names}, "no date", PX_CELL_TEXT, "no date");
  /* A workbook has cells of dates. */
  check_written(&field, &(PxConvertOptions){.date_formats = long_year, .sheet = true}, "2024-02-01", PX_CELL_DATE, "2024-02-01");
}

static void test_serials(void) {
  PxField date = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  PxField datetime = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  PxConvertOptions sheet = {.sheet = true};
  CHECK_WITH(&date, &sheet, {"45657", "2024-12-31", PX_CELL_NUMBER}, {"1", "1900-01-01", PX_CELL_NUMBER}, {"59", "1900-02-28", PX_CELL_NUMBER},
             {"61", "1900-03-01", PX_CELL_NUMBER}, {"2958465", "9999-12-31", PX_CELL_NUMBER});
  CHECK_WITH(&date, &sheet, {"60", NULL, PX_CELL_NUMBER}, {"0", NULL, PX_CELL_NUMBER}, {"-1", NULL, PX_CELL_NUMBER},
             {"2958466", NULL, PX_CELL_NUMBER}, {"45657.5", NULL, PX_CELL_NUMBER}, {"45657", NULL}, {"true", NULL, PX_CELL_BOOLEAN});
  CHECK_WITH(&datetime, &sheet, {"45657.5", "2024-12-31 12:00:00", PX_CELL_NUMBER}, {"45657", "2024-12-31 00:00:00", PX_CELL_NUMBER},
             {"1.25", "1900-01-01 06:00:00", PX_CELL_NUMBER}, {"45657.424444456", "2024-12-31 10:11:12.001", PX_CELL_NUMBER});
  PxConvertOptions texts = {.serials = true};
  CHECK_WITH(&date, &texts, {"45657", "2024-12-31"}, {"45657.0", "2024-12-31"}, {"45657", "2024-12-31", PX_CELL_NUMBER}, {"2024-12-31", "2024-12-31"},
             {"abc", NULL}, {"45657,0", NULL});
  PxConvertOptions commas = {.serials = true, .decimal_comma = true};
  CHECK_WITH(&datetime, &commas, {"45657,5", "2024-12-31 12:00:00"}, {"45657.5", NULL}, {"45657.5", "2024-12-31 12:00:00", PX_CELL_NUMBER});
  PxConvertOptions from_1904 = {.sheet = true, .from_1904 = true};
  CHECK_WITH(&date, &from_1904, {"44195", "2024-12-31", PX_CELL_NUMBER}, {"0", "1904-01-01", PX_CELL_NUMBER});
  PxValue value;
  g_assert_false(convert(&date, &sheet, PX_CELL_NUMBER, "-3", &value));
  g_assert_cmpstr(why, ==, "\"-3\" is a number, and no day that a spreadsheet knows (day 1 is 1900-01-01)");
  CHECK(&date, {"45657", NULL, PX_CELL_NUMBER});
}

/* ---- datetimes */

static void test_datetime_formats(void) {
  LIST(formats, "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y%m%dT%H%M%S.%f");
  LIST(dates, "%d.%m.%Y");
  PxField field = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  PxConvertOptions options = {.datetime_formats = formats, .date_formats = dates};
  CHECK_WITH(&field, &options, {"31.12.2024 23:59", "2024-12-31 23:59:00"}, {"12/31/2024 11:59:30 pm", "2024-12-31 23:59:30"},
             {"12/31/2024 12:00:00 AM", "2024-12-31 00:00:00"}, {"12/31/2024 12:00:00 PM", "2024-12-31 12:00:00"},
             {"20241231T101112.5", "2024-12-31 10:11:12.5"}, {"31.12.2024", "2024-12-31 00:00:00"}, {"2024-12-31T10:11:12", "2024-12-31 10:11:12"});
  CHECK_WITH(&field, &options, {"31.12.2024 24:00", NULL}, {"12/31/2024 13:00:00 PM", NULL}, {"12/31/2024 00:30:00 AM", NULL},
             {"12/31/2024 11:59:30", NULL}, {"31.12.2024 23:60", NULL}, {"31.12.2024  23:59", "2024-12-31 23:59:00"}, {"31.12.202423:59", NULL});
  check_written(&field, &options, "2024-12-31 23:59:00", PX_CELL_TEXT, "31.12.2024 23:59");
  /* The format has no seconds. */
  check_written(&field, &options, "2024-12-31 23:59:30", PX_CELL_DATETIME, "2024-12-31 23:59:30");
}

static void test_datetime_formats_in_a_zone(void) {
  LIST(with_offset, "%d/%m/%Y %H:%M:%S %z");
  LIST(without, "%d/%m/%Y %H:%M:%S");
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  PxField naive = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  PxField zoned = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  zoned.with_zone = true;
  PxConvertOptions options = {.timezone = paris, .datetime_formats = with_offset};
  CHECK_WITH(&naive, &options, {"05/07/2020 10:11:12 +0000", "2020-07-05 12:11:12"}, {"05/07/2020 10:11:12 Z", "2020-07-05 12:11:12"},
             {"05/07/2020 10:11:12", NULL});
  CHECK_WITH(&zoned, &options, {"31/10/2021 02:30:00 +01:00", "2021-10-31 01:30:00+00:00"});
  check_written(&naive, &options, "2020-07-05 12:11:12", PX_CELL_TEXT, "05/07/2020 12:11:12 +0200");
  check_written(&zoned, &options, "2021-10-31 01:30:00+00:00", PX_CELL_TEXT, "31/10/2021 02:30:00 +0100");
  options.datetime_formats = without;
  CHECK_WITH(&zoned, &options, {"05/07/2020 10:11:12", "2020-07-05 08:11:12+00:00"}, {"31/10/2021 02:30:00", NULL}, {"28/03/2021 02:30:00", NULL});
  check_written(&zoned, &options, "2020-07-05 08:11:12+00:00", PX_CELL_TEXT, "05/07/2020 10:11:12");
  check_written(&zoned, &options, "2021-10-31 01:30:00+00:00", PX_CELL_TEXT, "2021-10-31 02:30:00+01:00");
}

static void test_format_problems(void) {
  static const struct {
    const char *format;
    bool with_time;
    const char *problem;
  } formats[] = {
    {"%d.%m.%Y", false, NULL},
    {"%F", false, NULL},
    {"%D %T", true, NULL},
    {"%d.%m.%Y", true, NULL},
    {"100%% %e %b %y", false, NULL},
    {"%Y-%m-%dT%H:%M:%S%z", true, NULL},
    {"%d.%m", false, "the year is missing"},
    {"%Y-%m", false, "the day is missing"},
    {"%d.%d.%m.%Y", false, "the day is there twice"},
    {"%Y-%m-%d %H", false, "a date has no hour"},
    {"%F %I:%M", true, "%I counts to 12: %p is missing"},
    {"%F %H %p", true, "%p says which half of the day %I means: %I is missing"},
    {"DD.MM.YYYY", false, "the year is missing"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
    g_autofree char *problem = px_time_format_problem(formats[i].format, formats[i].with_time);
    g_assert_cmpstr(problem, ==, formats[i].problem);
  }
  g_autofree char *unknown = px_time_format_problem("%d.%m.%Y %Q", false);
  g_assert_true(g_str_has_prefix(unknown, "%Q is none of "));
  g_autofree char *end = px_time_format_problem("%d.%m.%Y %", false);
  g_assert_true(g_str_has_prefix(end, "% is none of "));
}

/* What is written by a format is read back as the same, for every day and many moments. */
static void test_formats_round_trip(void) {
  LIST(dates, "%-d %B %y", "%Y%m%d");
  LIST(moments, "%a %b %e %Y %I:%M:%S %p", "%F");
  g_autoptr(GTimeZone) paris = g_time_zone_new_identifier("Europe/Paris");
  PxField date = make_field(PX_TYPE_DATE, PX_STORE_NUMERIC);
  PxField zoned = make_field(PX_TYPE_DATETIME, PX_STORE_NUMERIC);
  zoned.with_zone = true;
  PxConvertOptions options = {.timezone = paris, .date_formats = dates, .datetime_formats = moments};
  for (gint64 second = -5000000000; second < 5000000000; second += 86399 * 37 + 1) {
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_utc(second);
    g_autofree char *day = g_date_time_format(moment, "%Y-%m-%d");
    g_autofree char *time = g_date_time_format(moment, "%Y-%m-%d %H:%M:%S+00:00");
    PxValue value;
    PxCell cell = px_field_format(&date, &options, arena, px_value_string(day));
    g_assert_true(px_field_convert(&date, &options, arena, cell, &value, &kind_of_problem, &why));
    check_text(value.text, value.len, day);
    cell = px_field_format(&zoned, &options, arena, px_value_string(time));
    g_assert_true(px_field_convert(&zoned, &options, arena, cell, &value, &kind_of_problem, &why));
    check_text(value.text, value.len, time);
  }
}

/* ---- numbers */

static void test_thousands(void) {
  PxField decimal = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxField integer = make_field(PX_TYPE_INTEGER, PX_STORE_INTEGER);
  PxConvertOptions german = {.decimal_comma = true, .thousands = "."};
  CHECK_WITH(&decimal, &german, {"1.234,5", "r1234.5"}, {"1234,5", "r1234.5"}, {"-12.345.678", "i-12345678"}, {"+1.000", "i1000"},
             {"0,125", "r0.125"}, {"1.5", "r1.5", PX_CELL_NUMBER}, {",5", "r0.5"}, {"1.234e3", "i1234000"});
  CHECK_WITH(&decimal, &german, {"1.5", NULL}, {"12.50", NULL}, {"1.23.456", NULL}, {"1234.567", NULL}, {".123", NULL}, {"1.234.", NULL},
             {"1..234", NULL}, {"1,234.5", NULL}, {"1.2345", NULL});
  CHECK_WITH(&integer, &german, {"1.234", "i1234"}, {"12", "i12"}, {"1.23", NULL}, {"1.234,5", NULL}, {"3.0", "i3", PX_CELL_NUMBER});
  PxConvertOptions french = {.decimal_comma = true, .thousands = " "};
  CHECK_WITH(&decimal, &french, {"1 234,5", "r1234.5"}, {"1\u00A0234,5", "r1234.5"}, {"1\u202F234\u202F567,25", "r1234567.25"}, {"1 23", NULL});
  PxConvertOptions swiss = {.thousands = "'"};
  CHECK_WITH(&decimal, &swiss, {"1'234.5", "r1234.5"}, {"1\u2019234.5", "r1234.5"}, {"1 234.5", NULL});
  PxConvertOptions english = {.thousands = ","};
  CHECK_WITH(&decimal, &english, {"1,234.5", "r1234.5"}, {"1,5", NULL});
  PxField text = make_field(PX_TYPE_DECIMAL, PX_STORE_TEXT);
  CHECK_WITH(&text, &german, {"1.234,50", "1234.50"});
  PxValue value;
  g_assert_false(convert(&decimal, &german, PX_CELL_TEXT, "12.50", &value));
  g_assert_cmpstr(why, ==, "\"12.50\" is no number (the decimal mark is a comma, . may stand between thousands)");
}

static void test_numbers_of_sheets(void) {
  PxField text = make_field(PX_TYPE_TEXT, PX_STORE_TEXT);
  PxField real = make_field(PX_TYPE_DECIMAL, PX_STORE_REAL);
  PxField price = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  price.precision = 10;
  price.scale = 2;
  PxConvertOptions sheet = {.sheet = true, .exact = true};
  CHECK_WITH(&text, &sheet, {"0.30000000000000004", "0.3", PX_CELL_NUMBER}, {"1.1000000000000001", "1.1", PX_CELL_NUMBER},
             {"75001", "75001", PX_CELL_NUMBER}, {"007", "007"}, {"1e3", "1e3"}, {"0.3333333333333333", "0.3333333333333333", PX_CELL_NUMBER},
             {"123456789012345678", "123456789012345678", PX_CELL_NUMBER}, {"0.30000000000000004", "0.30000000000000004"});
  CHECK_WITH(&real, &sheet, {"0.30000000000000004", "r0.30000000000000004", PX_CELL_NUMBER});
  CHECK_WITH(&price, &sheet, {"0.30000000000000004", "r0.29999999999999999", PX_CELL_NUMBER},
             {"24.899999999999999", "r24.899999999999999", PX_CELL_NUMBER}, {"24.905", NULL, PX_CELL_NUMBER});
  PxConvertOptions plain_file = {0};
  CHECK_WITH(&text, &plain_file, {"0.30000000000000004", "0.30000000000000004", PX_CELL_NUMBER});
}

static void test_native_numbers_have_no_comma(void) {
  PxField field = make_field(PX_TYPE_DECIMAL, PX_STORE_NUMERIC);
  PxConvertOptions options = {.decimal_comma = true, .native_numbers = true};
  PxCell cell = px_field_format(&field, &options, arena, px_value_real(1.25));
  check_text(cell.ptr, cell.len, "1.25");
}

static void test_own_over_the_pattern(void) {
  LIST(yes, "x");
  LIST(no, "-");
  LIST(dates, "%d.%m.%Y");
  PxConvertOptions pattern = {.sheet = true, .decimal_comma = true, .thousands = ".", .date_formats = dates};
  PxConvertOwn own = {.given = PX_OWN_BOOLEANS | PX_OWN_DECIMAL_COMMA, .options = {.true_words = yes, .false_words = no}};
  PxConvertOptions all = px_convert_options_with(&pattern, &own);
  g_assert_true(all.sheet && !all.decimal_comma && all.own_booleans && all.true_words == yes && all.date_formats == dates);
  all = px_convert_options_with(&pattern, NULL);
  g_assert_true(all.decimal_comma && !all.own_booleans);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  arena = px_arena_new();
  g_test_add_func("/model/convert/options/words", test_words);
  g_test_add_func("/model/convert/options/words_win_over_the_usual_ones", test_words_win_over_the_usual_ones);
  g_test_add_func("/model/convert/options/words_are_written", test_words_are_written);
  g_test_add_func("/model/convert/options/date_formats", test_date_formats);
  g_test_add_func("/model/convert/options/the_first_date_format_counts", test_the_first_date_format_counts);
  g_test_add_func("/model/convert/options/compact_dates_as_numbers", test_compact_dates_as_numbers);
  g_test_add_func("/model/convert/options/dates_are_written", test_dates_are_written);
  g_test_add_func("/model/convert/options/serials", test_serials);
  g_test_add_func("/model/convert/options/datetime_formats", test_datetime_formats);
  g_test_add_func("/model/convert/options/datetime_formats_in_a_zone", test_datetime_formats_in_a_zone);
  g_test_add_func("/model/convert/options/format_problems", test_format_problems);
  g_test_add_func("/model/convert/options/formats_round_trip", test_formats_round_trip);
  g_test_add_func("/model/convert/options/thousands", test_thousands);
  g_test_add_func("/model/convert/options/numbers_of_sheets", test_numbers_of_sheets);
  g_test_add_func("/model/convert/options/native_numbers_have_no_comma", test_native_numbers_have_no_comma);
  g_test_add_func("/model/convert/options/own_over_the_pattern", test_own_over_the_pattern);
  int status = g_test_run();
  px_arena_free(arena);
  return status;
}
