/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One cell of a file: a view. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  PX_CELL_EMPTY,    /* nothing there; len 0 */
  PX_CELL_TEXT,     /* UTF-8 as the file has it, not stripped */
  PX_CELL_NUMBER,   /* a native number: its shortest decimal text */
  PX_CELL_BOOLEAN,  /* a native boolean: "true" or "false" */
  PX_CELL_DATE,     /* a native date: "YYYY-MM-DD" */
  PX_CELL_DATETIME, /* a native date and time: "YYYY-MM-DD HH:MM:SS", with a fraction only where there is one */
  PX_CELL_ERROR,    /* an error of the spreadsheet: "#N/A" */
  PX_CELL_FORMULA,  /* a formula without a cached value: "=SUM(A1:A2)" */
  PX_CELL_ABSENT,   /* the row does not have this column (a JSON key that an item lacks); len 0 */
  PX_CELL_NULLS,    /* in the header of a JSON file alone: the name of a key that never has anything but null */
  PX_CELL_KINDS     /* how many kinds there are */
} PxCellKind;

/* Every kind carries its text, so a cell is three words whatever it was. The bytes are UTF-8 without NUL, not
 * terminated, and live as long as the row or the batch they came with. */
typedef struct {
  const char *ptr;
  uint32_t len;
  uint8_t kind; /* PxCellKind */
} PxCell;
