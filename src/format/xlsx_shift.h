/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where the cells of a sheet are after a first column was put in and rows were taken out, and what becomes of references to them. What a
 * spreadsheet program does is done: references move with their cells, relative and absolute ones alike; ranges shrink with their rows.
 * Text of references is that of ECMA-376 part 1, 18.17.2 (A1 style), without XML entities. */
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PX_SHEET_COLUMNS 16384
#define PX_SHEET_ROWS 1048576

typedef struct {
  const char *sheet; /* the name of the sheet whose cells move */
  unsigned columns;  /* put in front of its column A */
  bool drops;        /* of the rows behind header_rows up to last_row only kept ones stay */
  uint32_t header_rows, last_row;
  const uint32_t *kept; /* ascending, each > header_rows and <= last_row */
  size_t n_kept;
} PxShift;

/* Whether the row is there afterwards. */
bool px_shift_stays(const PxShift *shift, uint32_t row);
/* Where the row is afterwards; of one that is gone: where the next one is that stays. */
uint32_t px_shift_row(const PxShift *shift, uint32_t row);
/* The row itself or the next one that stays. */
uint32_t px_shift_next_staying(const PxShift *shift, uint32_t row);
/* Where the last row up to this one is afterwards; 0: none of them stays. */
uint32_t px_shift_row_back(const PxShift *shift, uint32_t row);
uint32_t px_shift_column(const PxShift *shift, uint32_t column);

/* ---- references */

typedef struct {
  uint32_t column, row; /* from 1; 0: a whole row, a whole column */
  bool fixed_column, fixed_row;
} PxCellRef;

/* What begins like a reference ends behind it; NULL: it does not. Whole rows and columns are not taken. */
const char *px_cell_ref_read(const char *text, const char *end, PxCellRef *ret_ref);
void px_cell_ref_write(const PxCellRef *ref, GString *to);
/* Letters of a column; to has room for 4 bytes. Returns how many. */
size_t px_column_letters(uint32_t column, char *to);

typedef struct {
  PxCellRef from, to;
  bool single; /* written as one cell */
} PxRangeRef;

/* All of the text is a cell or a range: A1, A1:B2, A:B, 1:2. */
bool px_range_ref_read(const char *text, size_t len, PxRangeRef *ret_range);
void px_range_ref_write(const PxRangeRef *range, GString *to);
/* false: nothing of it is left. */
bool px_shift_range(const PxShift *shift, PxRangeRef *range) G_GNUC_WARN_UNUSED_RESULT;

/* ---- text */

/* Appends what becomes of a cell or range; text that is none of them as it is. false: nothing of it is left, nothing was appended. */
bool px_shift_ref(const PxShift *shift, const char *text, size_t len, GString *to) G_GNUC_WARN_UNUSED_RESULT;
/* The same with a list of them, separated by blanks. */
bool px_shift_sqref(const PxShift *shift, const char *text, size_t len, GString *to) G_GNUC_WARN_UNUSED_RESULT;

#define PX_SHIFT_MOVED 1U /* some reference is another one now */
#define PX_SHIFT_LOST 2U  /* some reference is #REF! now */
#define PX_SHIFT_MET 4U   /* some reference is one to the sheet */

/* Where a formula stands and is copied from: relative references are first moved by so many rows and columns, as a copy would. */
typedef struct {
  bool own; /* on the sheet whose cells move: references without a sheet are its own */
  int64_t rows, columns;
} PxFormulaPlace;

/* Appends the formula as it is afterwards. Returns PX_SHIFT_... */
unsigned px_shift_formula(const PxShift *shift, const PxFormulaPlace *place, const char *text, size_t len, GString *to);
