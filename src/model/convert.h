/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cells <-> values of a field: the types and their conversion. Hot: called for every cell. */
#include "base/arena.h"
#include "base/cell.h"
#include "model/model.h"

/* How cells are to be read and written, from the pattern, one of its fields, and the configuration. Lists end with NULL; a list that is NULL is not
 * given. */
typedef struct {
  GTimeZone *timezone; /* of naive datetimes; NULL: UTC */
  bool decimal_comma;
  const char *thousands;                              /* a character that may stand between groups of three digits in text; NULL: none */
  bool exact;                                         /* a decimal that the column cannot hold exactly fails */
  bool formulas_escaped;                              /* text that would be a formula has a ' in front, as csv: escape_formulas writes it */
  const char *const *true_words, *const *false_words; /* also read as booleans, in any case */
  bool own_booleans;                                  /* the first of them are written, in every format */
  const char *const *date_formats; /* as px_time_format_problem() takes them; tried in order, the first is written; ISO is always read */
  const char *const *datetime_formats;
  bool serials;        /* numbers in dates are days of a spreadsheet, also as text */
  bool sheet;          /* the file is a workbook: so are native numbers, whose 15 digits are all that people see; dates are written as cells */
  bool from_1904;      /* days of this file are counted from 1904 */
  bool native_numbers; /* numbers are written as such, with no decimal mark to choose */
} PxConvertOptions;

/* What one field has of its own: the members of options that are named in given. */
typedef enum {
  PX_OWN_BOOLEANS = 1,
  PX_OWN_DATE_FORMATS = 2,
  PX_OWN_DATETIME_FORMATS = 4,
  PX_OWN_SERIALS = 8,
  PX_OWN_DECIMAL_COMMA = 16,
  PX_OWN_THOUSANDS = 32,
} PxConvertGiven;
typedef struct {
  unsigned given; /* PxConvertGiven */
  PxConvertOptions options;
} PxConvertOwn;
/* options with what own has laid over; own may be NULL. */
PxConvertOptions px_convert_options_with(const PxConvertOptions *options, const PxConvertOwn *own);

/* What is wrong with a format of dates (with_time: of datetimes): it needs year, month and day, each part once. NULL: nothing. Caller frees. */
char *px_time_format_problem(const char *format, bool with_time);

/* The value of a cell for a scalar field, brought to the form in which the column stores it. The cell need not be stripped.
 * An empty cell (or one of blanks only) is NULL, false for a boolean. Text is a view of the cell where it can be, else it
 * lives in arena. False: *ret_problem says what does not fit, as half a sentence ("\"abc\" is no integer"), in arena; *ret_type a
 * word of PxMessage.type (conversion, length, range, selection). */
bool px_field_convert(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxCell cell, PxValue *ret_value, const char **ret_type,
                      const char **ret_problem);

/* The cell for a value that was read from the field's column: kind and text. Text is a view or lives in arena. Booleans are
 * PX_CELL_BOOLEAN, numbers PX_CELL_NUMBER with the shortest text that reads back the same, dates PX_CELL_DATE; in words and formats of one's own
 * they are text. What a format cannot say so that it reads back the same is written as without it. */
PxCell px_field_format(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxValue value);

/* value as the database compares it with = in this column (design section 6, step 4): ASCII fold for NOCASE, trailing blanks cut
 * for RTRIM, numbers by affinity. Two values are equal in the database exactly when px_value_equal() holds for their canonical
 * forms. Never fails: a value that does not fit the column stays as it is. */
PxValue px_field_canonical(const PxField *field, PxArena *arena, PxValue value);

/* Whether px_field_canonical() decides about a value; else nobody but the database knows what equals it. */
bool px_field_has_canonical(const PxField *field, PxValue value);

/* Whether writing value would leave the column as it is with stored in it. Unlike equality it minds case: a person who
 * corrects it wants it written. Blanks at the ends of a stored text no cell can have, so that a text which was exported comes back as it is. */
bool px_field_unchanged(const PxField *field, PxValue stored, PxValue value);
