/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the conversion share. The way: convert.c takes a cell to the function of its type, those of dates are in convert_date.c;
 * convert_pg.c
 * has what PostgreSQL alone has; convert_number.c, convert_time.c and convert_format.c are about numbers and times as text and know no field;
 * convert_cell.c is the way back. */
#include "base/number.h"
#include "model/convert.h"

/* ---- a conversion (convert.c) */

/* What a conversion needs besides the cell, and where its complaint goes. */
typedef struct {
  const PxField *field;
  const PxConvertOptions *options;
  PxArena *arena;
  const char **type;
  const char **problem;
} PxConversion;

/* All return false. */
bool px_conversion_fail(const PxConversion *c, const char *type, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* "abc" WHAT */
bool px_conversion_fail_cell(const PxConversion *c, const char *type, PxCell cell, const char *what);
/* The kind of the cell is none for the field. */
bool px_conversion_fail_kind(const PxConversion *c, PxCell cell);

/* The cell is stripped and not empty (convert_date.c). */
bool px_convert_date(const PxConversion *c, PxCell cell, PxValue *ret_value);
bool px_convert_datetime(const PxConversion *c, PxCell cell, PxValue *ret_value);
/* A stored date or datetime as text of the first of formats, in arena; false: it cannot be said so that it is read back. */
bool px_date_print(const PxConvertOptions *options, const char *const *formats, const PxField *field, PxArena *arena, PxValue value,
                   PxValue *ret_text);

/* ---- numbers (convert_number.c) */

typedef enum { PX_NUMBER_OK, PX_NUMBER_SYNTAX, PX_NUMBER_RANGE } PxNumberResult;

/* A decimal as written: (-1)^negative * mantissa * 10^exponent, the mantissa without trailing zeros. */
typedef struct {
  uint64_t mantissa;
  int exponent;
  bool negative;
  bool cut; /* there were more digits than a mantissa holds */
} PxDecimal;

/* Digits with a sign, the whole text. */
PxNumberResult px_number_integer(const char *text, size_t len, int64_t *ret_integer);
/* Digits with a sign, mark ('.' or ',') and exponent, the whole text: an integer where the value is whole and has 64 bits, else
 * the nearest double. ret_decimal may be NULL. */
PxNumberResult px_number_decimal(const char *text, size_t len, char mark, PxValue *ret_value, PxDecimal *ret_decimal);
/* Whether value (an integer or a double) is what was written: the shortest text of a double has the digits of decimal. */
bool px_number_is_exact(const PxValue *value, const PxDecimal *decimal);
/* A double that is a whole number of 64 bits as an integer, as SQLite's sqlite3VdbeIntegerAffinity(); else itself. */
PxValue px_number_whole(PxValue value);

/* ---- types of PostgreSQL (convert_pg.c) */

/* A number for a column PX_STORE_EXACT: decimal and read are what px_number_decimal() made of the cell. */
bool px_convert_exact(const PxConversion *c, PxCell cell, char mark, const PxDecimal *decimal, PxValue read, PxValue *ret_value);
/* The one form of a number; text that is none stays. */
PxValue px_exact_canonical(PxArena *arena, PxValue value);
bool px_exact_same(PxValue a, PxValue b);
/* Text as the database shows it: field->form. */
bool px_convert_form(const PxConversion *c, PxCell cell, PxValue *ret_value);
/* Whether both are the same to jsonb; in doubt not. */
bool px_jsonb_same(PxValue a, PxValue b);

/* ---- dates and times (convert_time.c) */

typedef enum {
  PX_TIME_OK,
  PX_TIME_SYNTAX,
  PX_TIME_NO_DAY,   /* 2020-02-30, 25:00:00 */
  PX_TIME_GAP,      /* the hour that is left out when the clocks go forward */
  PX_TIME_TWICE,    /* the hour that comes twice when they go back */
  PX_TIME_TOO_FINE, /* more than microseconds, and exact is asked for */
} PxTimeResult;

#define PX_FRACTION_DIGITS 6

/* A day and a time of day as a calendar and a clock show them. */
typedef struct {
  int year, month, day, hour, minute, second;
  char fraction[PX_FRACTION_DIGITS]; /* without trailing zeros */
  unsigned n_fraction;
  bool too_fine; /* there was more behind the sixth digit than zeros */
  bool has_offset;
  int offset; /* seconds east of UTC */
} PxMoment;

/* Exactly YYYY-MM-DD. */
PxTimeResult px_time_check_date(const char *text, size_t len);
/* ISO 8601: a date, or a date and a time with blank or T between, and maybe an offset. */
PxTimeResult px_moment_parse(const char *text, size_t len, PxMoment *ret_moment);
/* Whether the calendar has the day and the clock the time. */
PxTimeResult px_moment_check(const PxMoment *moment);
/* Z, +HH, +HHMM or +HH:MM, the whole text. */
bool px_moment_parse_offset(const char *p, const char *end, PxMoment *moment);
/* 0: Sunday. */
int px_moment_weekday(const PxMoment *moment);
/* The day (and time, to the millisecond) that a spreadsheet means by a number: 1 is 1900-01-01, or 0 is 1904-01-01. PX_TIME_NO_DAY: 29 February
 * 1900, which spreadsheets alone know; PX_TIME_SYNTAX: before or behind the days that they know. */
PxTimeResult px_moment_from_serial(double serial, bool from_1904, PxMoment *ret_moment);
/* "YYYY-MM-DD", in arena. */
PxValue px_moment_date(const PxMoment *moment, PxArena *arena);
/* The stored form of a datetime; text (NULL: none) is what the moment was read from, a view of which is returned where that is the form. */
PxTimeResult px_moment_store(PxMoment *moment, const char *text, size_t len, GTimeZone *zone, bool with_zone, bool exact, PxArena *arena,
                             PxValue *ret_value);
/* The other way: a stored datetime as a clock in zone shows it, with its offset. *ret_ambiguous: only the offset tells which of two hours it is.
 * False: the text is no datetime of ours. */
bool px_moment_show(const char *text, size_t len, GTimeZone *zone, bool with_zone, PxMoment *ret_moment, bool *ret_ambiguous);
/* The form in which a datetime is stored: "YYYY-MM-DD HH:MM:SS[.ffffff]", in a column with a zone in UTC with "+00:00" behind. A
 * view of text where that is the form already, else in arena. zone NULL: UTC. */
PxTimeResult px_time_store(const char *text, size_t len, GTimeZone *zone, bool with_zone, bool exact, PxArena *arena, PxValue *ret_value);
/* The other way: a stored datetime as people read it, in zone where the column has a zone. False: the text is no datetime of ours
 * (left as it is). *ret_naive: it has no offset. */
bool px_time_show(const char *text, size_t len, GTimeZone *zone, bool with_zone, PxArena *arena, PxValue *ret_value, bool *ret_naive);

/* ---- dates and times by a format (convert_format.c) */

/* Reads the whole text by a format as strptime has them: %Y %y %m %d %e %b %B %a %A %H %I %p %M %S %f %z %T %R %F %D %%, %-d and the like
 * for numbers without zeros in front. A blank stands for one or more. The format has passed px_time_format_check(). */
PxTimeResult px_moment_parse_by(const char *format, const char *text, size_t len, PxMoment *ret_moment);
/* Writes the moment by a format. False: it cannot be said so that it is read back (a year of two digits before 1969). */
bool px_moment_print(const char *format, const PxMoment *moment, GString *out);
