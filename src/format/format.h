/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a format room's caller chooses: the format and its options. */
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum { PX_FORMAT_CSV, PX_FORMAT_XLSX, PX_FORMAT_JSON } PxFormat;

typedef enum { PX_LINE_CRLF, PX_LINE_LF, PX_LINE_CR } PxLineEnd;

/* What to do with text that a spreadsheet would run as a formula (leading = + - @ TAB CR). */
typedef enum { PX_FORMULA_KEEP, PX_FORMULA_ESCAPE /* a ' in front */ } PxFormulaGuard;

#define PX_SPILL_NONE (-2)

/* All strings are owned by the struct. px_format_options_init() sets the defaults. */
typedef struct {
  PxFormat format;
  /* CSV */
  char *delimiter; /* one character, UTF-8; default "," */
  char *quote;     /* one character, UTF-8; default "\"" ; "" : no quoting */
  char *encoding;  /* an iconv name; NULL: UTF-8, or UTF-16 where a byte order mark says so */
  bool bom;        /* written */
  PxLineEnd line_end;
  bool quote_all;
  char *true_word, *false_word; /* how booleans are written; default "true", "false" */
  PxFormulaGuard formula_guard;
  /* JSON */
  bool json_lines;  /* written one object a line, without [ and ]; both are read, but only then may a file be empty */
  bool json_nested; /* written as objects within objects: "country_id|code" is {"country_id": {"code": ...}}; both are read */
  bool all_columns; /* of a workbook: also those that the header does not name, which are left out otherwise */
  /* which sheet of a workbook: by name (case and blanks ignored), or the first one when NULL */
  char *sheet;
  /* limits, checked before decoding */
  uint64_t max_row_bytes; /* default 16 MiB */
  uint64_t max_cells;     /* of a row; default 16384 */
  /* limits of workbooks */
  uint64_t max_members;      /* of the zip archive; default 10,000 */
  uint64_t max_member_bytes; /* inflated; default 4 GiB */
  uint64_t max_ratio;        /* inflated bytes a packed byte, of members of more than 64 MiB inflated; default 400 */
  uint64_t max_text_bytes;   /* of a cell; default 4 * 32767, what Excel allows */
  uint64_t max_depth;        /* XML elements or JSON values within one another; default and at most 64 */
  uint64_t string_memory;    /* shared strings beyond go to a temporary file; default 16 MiB */
  int spill_fd;              /* that file, which stays the caller's; -1 (default): one is made when there is need; PX_SPILL_NONE: none may be */
} PxFormatOptions;

void px_format_options_init(PxFormatOptions *options, PxFormat format);
void px_format_options_done(PxFormatOptions *options);
void px_format_options_copy(const PxFormatOptions *options, PxFormatOptions *ret_copy);

/* "csv", "xlsx", "json" */
const char *px_format_name(PxFormat format);
bool px_format_from_name(const char *name, PxFormat *ret_format);
