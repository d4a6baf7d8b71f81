/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The workbook that was imported, with a column #Error: the bytes are read and written anew as a stream, in the marker process (format/marker.h).
 *
 * The column is put in front of the others, and everything moves as in a spreadsheet program. An #Error column of before is written
 * again where it stands. Where something refers to the sheet that cannot be moved along (charts, pivot tables, form controls, extensions that
 * are not known) the column stands behind the last one, and all rows stay. */
#include "format/format.h"

typedef struct {
  unsigned header_rows; /* 1, or 2: then "Error" stands above "#Error" */
  bool all_rows;        /* else the rows with a text only, and those of the header */
} PxMarkOptions;

typedef struct {
  uint64_t rows; /* that got a text */
  char *note;    /* what a person should know; NULL: nothing. Caller frees */
} PxMarkResult;

/* texts: PxMarkText and its bytes, one behind the other, in the order of rows. Both descriptors are read from their beginning; out is
 * written from its present position on. PX_ERROR_REFUSED: the workbook is broken, or has no room for another column. */
bool px_xlsx_mark(int blob, int texts, int out, const PxFormatOptions *options, const PxMarkOptions *mark, PxMarkResult *ret_result, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  uint32_t row;
  uint32_t length; /* of the UTF-8 text that follows */
} PxMarkText;
