/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cells <-> values of a field: the types and their conversion. Hot: called for every cell. */
#include "base/arena.h"
#include "base/cell.h"
#include "model/model.h"

/* How cells are to be read and written, from the pattern and the configuration. */
typedef struct {
  GTimeZone *timezone; /* of naive datetimes; NULL: UTC */
  bool decimal_comma;
  bool exact;                         /* a decimal that the column cannot hold exactly fails */
  bool formulas_escaped;              /* text that would be a formula has a ' in front, as csv: escape_formulas writes it */
  const char *true_word, *false_word; /* also read as booleans; NULL: only those that all files may have */
} PxConvertOptions;

/* The value of a cell for a scalar field, brought to the form in which the column stores it. The cell need not be stripped.
 * An empty cell (or one of blanks only) is NULL, false for a boolean. Text is a view of the cell where it can be, else it
 * lives in arena. False: *ret_problem says what does not fit, as half a sentence ("\"abc\" is no integer"), in arena; *ret_type a
 * word of PxMessage.type (conversion, length, range, selection). */
bool px_field_convert(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxCell cell, PxValue *ret_value, const char **ret_type,
                      const char **ret_problem);

/* The cell for a value that was read from the field's column: kind and text. Text is a view or lives in arena. Booleans are
 * PX_CELL_BOOLEAN, numbers PX_CELL_NUMBER with the shortest text that reads back the same, dates PX_CELL_DATE. */
PxCell px_field_format(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxValue value);

/* value as the database compares it with = in this column (design section 6, step 4): ASCII fold for NOCASE, trailing blanks cut
 * for RTRIM, numbers by affinity. Two values are equal in the database exactly when px_value_equal() holds for their canonical
 * forms. Never fails: a value that does not fit the column stays as it is. */
PxValue px_field_canonical(const PxField *field, PxArena *arena, PxValue value);

/* Whether writing value would leave the column as it is with stored in it. Unlike equality it minds case and trailing blanks:
 * a person who corrects them wants them written. */
bool px_field_unchanged(const PxField *field, PxValue stored, PxValue value);
