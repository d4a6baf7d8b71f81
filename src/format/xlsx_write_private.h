/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files that write workbooks share. The way: xlsx_write.c takes the calls and makes the sheets, xlsx_write_cell.c a cell,
 * xlsx_write_parts.c the small parts of the package. Source of the layout: ECMA-376 part 1, 5th edition.
 */
#include "format/writer_driver.h"

#include <string.h>

/* Limits of a sheet (Excel specifications and limits, Microsoft). */
#define PX_XLSX_ROWS 1048576
#define PX_XLSX_COLUMNS 16384
#define PX_XLSX_CHARS 32767   /* of a cell, in UTF-16 */
#define PX_XLSX_NAME_CHARS 31 /* of a sheet's name, in UTF-16 */

#define PX_XLSX_REF_SIZE 16 /* of "XFD1048576" and its NUL */

/* The cell formats of styles.xml, by their index. */
typedef enum { PX_XLSX_PLAIN, PX_XLSX_HEADER, PX_XLSX_DATE, PX_XLSX_DATETIME, PX_XLSX_DATETIME_MS, PX_XLSX_TEXT } PxXlsxStyle;

/* XML on its way into a member. */
typedef struct {
  char *bytes;
  size_t len, size;
} PxXlsxXml;

void px_xlsx_xml_grow(PxXlsxXml *xml, size_t room);

/* Makes room for so many more bytes; where they go. */
static inline char *px_xlsx_reserve(PxXlsxXml *xml, size_t room) {
  if (G_UNLIKELY(xml->size - xml->len < room))
    px_xlsx_xml_grow(xml, room);
  return xml->bytes + xml->len;
}

/* ---- cells */

/* Where a cell stands; the row's digits are made once a row, the column's letters once a file. */
typedef struct {
  const char *column, *row;
  uint8_t column_len, row_len;
} PxXlsxPlace;

/* Appends the cell; one without text is left out. False: its text is longer than a cell may be, and nothing was appended. */
bool px_xlsx_put_cell(PxXlsxXml *xml, PxXlsxPlace place, const PxCell *cell, bool header);

/* The letters of a column counted from 0: "A", "XFD"; their number. */
uint8_t px_xlsx_column_name(size_t column, char name[3]);
/* How many columns of the default font the widest line of a cell takes on a screen. */
unsigned px_xlsx_cell_width(const PxCell *cell);

/* ---- dates: the 1900 system, where 1900-02-29 is a day */

/* The serial number of "YYYY-MM-DD", or of "YYYY-MM-DD HH:MM:SS" with a fraction down to milliseconds, as text; *ret_style tells which it
 * was. 0: a workbook cannot hold it exactly; else the length. */
size_t px_xlsx_serial(const char *text, size_t len, char serial[32], PxXlsxStyle *ret_style);
/* Whether a cell of a number gives this text back: a double has it exactly, and a spreadsheet shows an integer in full. */
bool px_xlsx_number_fits(const char *text, size_t len);

/* ---- the package */

typedef struct {
  char *name;              /* of the sheet, as Excel takes it */
  const unsigned *columns; /* of the main sheet, whose list it is */
  size_t n_columns, n_values;
} PxXlsxTab;

/* The name of a sheet made of text: what Excel refuses replaced, and unlike the n names before it. Caller frees. */
char *px_xlsx_sheet_name(const char *text, char *const *before, size_t n);

/* The parts besides the sheets, in the order in which they stand in the package; NULL-terminated by name. names: of the sheets, which are
 * sheet1.xml, sheet2.xml and so on. */
typedef struct {
  const char *name;
  char *(*make)(char *const *names, size_t n); /* caller frees */
} PxXlsxPart;
extern const PxXlsxPart px_xlsx_parts[];

/* <dataValidations> for the rows first to last of the main sheet; "" when no tab has a value. Caller frees. */
char *px_xlsx_validations(const PxXlsxTab *tabs, size_t n, uint64_t first, uint64_t last);
