/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the conversion share: numbers and times as text. Nothing here knows a field. */
#include "base/arena.h"
#include "base/value.h"

#include <glib.h>

/* ---- numbers (convert_number.c) */

typedef enum { PX_NUMBER_OK, PX_NUMBER_SYNTAX, PX_NUMBER_RANGE } PxNumberResult;

/* A decimal as written: (-1)^negative * mantissa * 10^exponent, the mantissa without trailing zeros. */
typedef struct {
  uint64_t mantissa;
  int exponent;
  bool negative;
  bool cut; /* there were more digits than a mantissa holds */
} PxDecimal;

#define PX_NUMBER_TEXT_SIZE 40 /* room for the text of any number */

/* Digits with a sign, the whole text. */
PxNumberResult px_number_integer(const char *text, size_t len, int64_t *ret_integer);
/* Digits with a sign, mark ('.' or ',') and exponent, the whole text: an integer where the value is whole and has 64 bits, else
 * the nearest double. ret_decimal may be NULL. */
PxNumberResult px_number_decimal(const char *text, size_t len, char mark, PxValue *ret_value, PxDecimal *ret_decimal);
/* Whether value (an integer or a double) is what was written: the shortest text of a double has the digits of decimal. */
bool px_number_is_exact(const PxValue *value, const PxDecimal *decimal);
/* The shortest text that reads back the same; its length. */
size_t px_number_text(const PxValue *value, char buffer[PX_NUMBER_TEXT_SIZE]);
/* A double that is a whole number of 64 bits as an integer, as SQLite's sqlite3VdbeIntegerAffinity(); else itself. */
PxValue px_number_whole(PxValue value);

/* ---- dates and times (convert_time.c) */

typedef enum {
  PX_TIME_OK,
  PX_TIME_SYNTAX,
  PX_TIME_NO_DAY,   /* 2020-02-30, 25:00:00 */
  PX_TIME_GAP,      /* the hour that is left out when the clocks go forward */
  PX_TIME_TWICE,    /* the hour that comes twice when they go back */
  PX_TIME_TOO_FINE, /* more than microseconds, and exact is asked for */
} PxTimeResult;

/* Exactly YYYY-MM-DD. */
PxTimeResult px_time_check_date(const char *text, size_t len);
/* The form in which a datetime is stored: "YYYY-MM-DD HH:MM:SS[.ffffff]", in a column with a zone in UTC with "+00:00" behind. A
 * view of text where that is the form already, else in arena. zone NULL: UTC. */
PxTimeResult px_time_store(const char *text, size_t len, GTimeZone *zone, bool with_zone, bool exact, PxArena *arena, PxValue *ret_value);
/* The other way: a stored datetime as people read it, in zone where the column has a zone. False: the text is no datetime of ours
 * (left as it is). *ret_naive: it has no offset. */
bool px_time_show(const char *text, size_t len, GTimeZone *zone, bool with_zone, PxArena *arena, PxValue *ret_value, bool *ret_naive);
