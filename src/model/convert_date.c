/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of dates and datetimes -> values: by formats of one's own, as ISO 8601, as days of a spreadsheet. */
#include "base/text.h"
#include "model/convert_private.h"

#include <string.h>

#define ISO_DAY 10 /* YYYY-MM-DD */

/* What the formats make of a text; PX_TIME_NO_DAY where one fits but for the calendar. */
static PxTimeResult parse_by_formats(const char *const *formats, PxCell cell, PxMoment *ret_moment) {
  PxTimeResult best = PX_TIME_SYNTAX;
  for (; formats && *formats; formats++) {
    PxTimeResult result = px_moment_parse_by(*formats, cell.ptr, cell.len, ret_moment);
    if (result == PX_TIME_OK)
      return result;
    best = result == PX_TIME_NO_DAY ? result : best;
  }
  return best;
}

/* A number as a day of a spreadsheet: a native one of a workbook, any one by option. */
static PxTimeResult parse_serial(const PxConversion *c, PxCell cell, PxMoment *ret_moment) {
  const PxConvertOptions *options = c->options;
  bool native = options->sheet && cell.kind == PX_CELL_NUMBER;
  bool comma = options->decimal_comma && cell.kind == PX_CELL_TEXT;
  PxValue number;
  if ((!native && !options->serials) || px_number_decimal(cell.ptr, cell.len, comma ? ',' : '.', &number, NULL) != PX_NUMBER_OK)
    return PX_TIME_SYNTAX;
  return px_moment_from_serial(number.kind == PX_INTEGER ? (double)number.integer : number.real, options->from_1904, ret_moment);
}

/* Formats come first, so that a file means what they say; what they write otherwise is ISO. */
static PxTimeResult parse_cell(const PxConversion *c, PxCell cell, PxMoment *ret_moment) {
  const PxConvertOptions *options = c->options;
  bool datetime = c->field->type == PX_TYPE_DATETIME;
  PxTimeResult result = PX_TIME_SYNTAX;
  if (cell.kind == PX_CELL_TEXT || cell.kind == PX_CELL_NUMBER) {
    result = parse_by_formats(datetime ? options->datetime_formats : options->date_formats, cell, ret_moment);
    if (result == PX_TIME_SYNTAX && datetime) /* a date alone is midnight */
      result = parse_by_formats(options->date_formats, cell, ret_moment);
  }
  if (result == PX_TIME_OK)
    return result;
  PxTimeResult other = PX_TIME_SYNTAX;
  if (cell.kind != PX_CELL_NUMBER && (datetime || cell.len == ISO_DAY))
    other = px_moment_parse(cell.ptr, cell.len, ret_moment);
  if (other == PX_TIME_SYNTAX)
    other = parse_serial(c, cell, ret_moment);
  return other == PX_TIME_SYNTAX ? result : other;
}

/* How cells of the field may be written: by an example of each format. */
static char *examples(const PxConversion *c) {
  const PxConvertOptions *options = c->options;
  bool datetime = c->field->type == PX_TYPE_DATETIME;
  const char *const *formats = datetime ? options->datetime_formats : options->date_formats;
  if (!formats)
    return g_strdup(datetime ? "write YYYY-MM-DD HH:MM:SS" : "write YYYY-MM-DD");
  const PxMoment example = {.year = 2024, .month = 12, .day = 31, .hour = 23, .minute = 59, .second = 30, .has_offset = true};
  GString *text = g_string_new("write it as");
  for (size_t i = 0; formats[i]; i++) {
    g_string_append(text, i ? " or " : " ");
    (void)px_moment_print(formats[i], &example, text);
  }
  return g_string_free(text, FALSE);
}

static bool fail_syntax(const PxConversion *c, PxCell cell, const char *what) {
  if (cell.kind == PX_CELL_NUMBER && c->options->sheet)
    return px_conversion_fail_cell(c, "conversion", cell, "is a number, and no day that a spreadsheet knows (day 1 is 1900-01-01)");
  if (cell.kind == PX_CELL_NUMBER && !c->options->date_formats && !c->options->datetime_formats && !c->options->serials)
    return px_conversion_fail_kind(c, cell);
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  g_autofree char *how = examples(c);
  return px_conversion_fail(c, "conversion", "%s is no %s: %s", quoted, what, how);
}

static bool fail_day(const PxConversion *c, PxCell cell, const char *what) {
  const PxConvertOptions *options = c->options;
  if (!(c->field->type == PX_TYPE_DATETIME ? options->datetime_formats : options->date_formats))
    return px_conversion_fail_cell(c, "conversion", cell, what);
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  g_autofree char *how = examples(c);
  return px_conversion_fail(c, "conversion", "%s %s; %s", quoted, what, how);
}

static bool has_time(const PxMoment *moment) {
  return moment->hour || moment->minute || moment->second || moment->n_fraction || moment->has_offset;
}

static bool is_of_kind(PxCell cell) {
  return cell.kind == PX_CELL_TEXT || cell.kind == PX_CELL_NUMBER || cell.kind == PX_CELL_DATE || cell.kind == PX_CELL_DATETIME;
}

bool px_convert_date(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (!is_of_kind(cell))
    return px_conversion_fail_kind(c, cell);
  PxMoment moment;
  PxTimeResult result = cell.kind == PX_CELL_DATETIME ? px_moment_parse(cell.ptr, cell.len, &moment) : parse_cell(c, cell, &moment);
  if (result == PX_TIME_NO_DAY)
    return fail_day(c, cell, "is no day of the calendar");
  if (result != PX_TIME_OK)
    return fail_syntax(c, cell, "date");
  if (has_time(&moment))
    return px_conversion_fail_cell(c, "conversion", cell, "has a time, but this is a date");
  bool iso = !c->options->date_formats && px_time_check_date(cell.ptr, cell.len) == PX_TIME_OK;
  *ret_value = iso ? px_value_text(cell.ptr, cell.len) : px_moment_date(&moment, c->arena);
  return true;
}

static bool fail_hour(const PxConversion *c, PxCell cell, bool gap) {
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  return px_conversion_fail(c, "conversion", "%s %s in the time zone %s, where the clocks are changed: add the offset, as in +01:00", quoted,
                            gap ? "does not exist" : "exists twice", g_time_zone_get_identifier(c->options->timezone));
}

bool px_convert_datetime(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (!is_of_kind(cell))
    return px_conversion_fail_kind(c, cell);
  const PxConvertOptions *options = c->options;
  PxMoment moment;
  PxTimeResult result = parse_cell(c, cell, &moment);
  /* Text that is in the stored form needs no copy; by formats of one's own it may mean something else. */
  const char *text = options->datetime_formats || options->date_formats || cell.kind == PX_CELL_NUMBER ? NULL : cell.ptr;
  if (result == PX_TIME_OK)
    result = px_moment_store(&moment, text, cell.len, options->timezone, c->field->with_zone, options->exact, c->arena, ret_value);
  switch (result) {
  case PX_TIME_OK:
    if (c->field->sql_type && c->field->with_zone)
      ret_value->len -= (uint32_t)strlen(":00"); /* PostgreSQL shows UTC as +00 */
    return true;
  case PX_TIME_SYNTAX:
    return fail_syntax(c, cell, "date and time");
  case PX_TIME_NO_DAY:
    return fail_day(c, cell, "is no day of the calendar or no time of day");
  case PX_TIME_TOO_FINE:
    return px_conversion_fail_cell(c, "range", cell, "has more than 6 digits of a second");
  case PX_TIME_GAP:
  case PX_TIME_TWICE:
    break;
  }
  return fail_hour(c, cell, result == PX_TIME_GAP);
}

/* ---- the way back */

/* Whether text is read as value: formats may be vague. */
static bool reads_back(const PxConvertOptions *options, const PxField *field, PxArena *arena, const GString *text, const PxValue *value) {
  const char *type;
  const char *problem;
  PxValue back;
  PxCell cell = {.ptr = text->str, .len = (uint32_t)text->len, .kind = PX_CELL_TEXT};
  return px_field_convert(field, options, arena, cell, &back, &type, &problem) && px_field_unchanged(field, *value, back);
}

static bool read_stored(const PxConvertOptions *options, const PxField *field, PxValue value, PxMoment *ret_moment) {
  bool ambiguous;
  if (field->type == PX_TYPE_DATETIME)
    return px_moment_show(value.text, value.len, options->timezone, field->with_zone, ret_moment, &ambiguous);
  return value.len == ISO_DAY && px_moment_parse(value.text, value.len, ret_moment) == PX_TIME_OK;
}

bool px_date_print(const PxConvertOptions *options, const char *const *formats, const PxField *field, PxArena *arena, PxValue value,
                   PxValue *ret_text) {
  PxMoment moment;
  if (!formats || options->sheet || !read_stored(options, field, value, &moment))
    return false;
  g_autoptr(GString) text = g_string_new(NULL);
  if (!px_moment_print(formats[0], &moment, text) || !reads_back(options, field, arena, text, &value))
    return false;
  *ret_text = px_value_text(px_arena_strndup(arena, text->str, text->len), text->len);
  return true;
}
