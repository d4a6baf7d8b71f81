/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the xlsx_read_*.c files share: archive -> book (which parts, which formats) -> strings -> sheet (XML -> cells) -> reader.
 * Source of the format: ECMA-376 part 1 (SpreadsheetML) and part 2 (packages).
 */
#include "base/arena.h"
#include "format/format.h"
#include "format/reader.h"
#include "format/xlsx_read_xml.h"
#include "format/zip_private.h"

/* What a test has in its hands. */
typedef struct {
  size_t window; /* the first size of the windows; 0: the usual one */
  bool general;  /* no short cuts for the usual forms */
} PxXlsxKnobs;

/* ---- number formats and dates */

typedef enum {
  PX_XLSX_NUMBER,
  PX_XLSX_DATE,     /* a day; where the value has a time too, both */
  PX_XLSX_DATETIME, /* both */
  PX_XLSX_TIME,     /* a time of day; from 1 on there is a day too */
  PX_XLSX_ELAPSED,  /* [h]:mm:ss, a duration */
} PxXlsxStyle;

/* What a number format makes of a number. id: of a built-in one (18.8.30), when code is NULL. */
PxXlsxStyle px_xlsx_style(unsigned id, const char *code);

#define PX_XLSX_SHORT 40 /* no number and no date is longer */

/* The text of a serial number and the kind of cell it makes; to has room for PX_XLSX_SHORT bytes. */
PxCellKind px_xlsx_date(double serial, PxXlsxStyle style, bool from_1904, char *to, uint32_t *ret_len);
/* Whether the text is an ISO 8601 date or date and time (of a cell of type d); to as above. */
PxCellKind px_xlsx_iso_date(const char *text, size_t len, char *to, uint32_t *ret_len);

typedef enum {
  PX_XLSX_AS_IT_IS, /* the text is the shortest one already */
  PX_XLSX_WRITTEN,  /* to holds it */
  PX_XLSX_NO_NUMBER,
} PxXlsxNumber;

/* The shortest decimal text that reads back as the same number (whole numbers of up to 18 digits keep all of them). */
PxXlsxNumber px_xlsx_number(const char *text, size_t len, char *to, uint32_t *ret_len);
/* [-]digits[.digits] as the nearest double; false: it is of another form, or too long to be told this way. */
bool px_xlsx_decimal(const char *text, size_t len, double *ret_value);
/* The value of a number's text; false: it is none. */
bool px_xlsx_value(const char *text, size_t len, double *ret_value);

/* ---- the small parts */

typedef struct {
  char *sheet;        /* its name as the workbook has it */
  char *sheet_part;   /* the member */
  char *strings_part; /* NULL: there is none */
  bool from_1904;
  uint8_t *styles; /* PxXlsxStyle of a cell's style index */
  size_t n_styles;
} PxXlsxBook;

/* Finds the sheet that wanted (NULL: the first one) names. PX_ERROR_REFUSED: there is none, or it is another kind of file. */
bool px_xlsx_book_read(PxXlsxBook *book, const PxZip *zip, const char *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_xlsx_book_done(PxXlsxBook *book);

/* When the file at fd is none of which an XLSX is made: says what it is instead. true: it may be one. */
bool px_xlsx_check_kind(int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Feeds a small part to expat. The names that reach the handlers have no prefix. */
typedef struct {
  void (*start)(void *data, const char *name, const char **attributes);
  void (*end)(void *data, const char *name);
} PxXlsxHandlers;
bool px_xlsx_small_part(const PxZip *zip, const char *part, const PxXlsxHandlers *handlers, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The value of an attribute, its prefix aside; NULL: there is none. */
const char *px_xlsx_small_attribute(const char **attributes, const char *name);

typedef struct {
  char *id, *type, *target; /* target: a member's name; NULL: outside */
} PxXlsxRelation;

/* The relations of a part ("": of the package), PxXlsxRelation in an array that the caller unrefs; none when no part says them. */
GArray *px_xlsx_relations(const PxZip *zip, const char *part, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- shared strings */

typedef struct PxXlsxStrings PxXlsxStrings;

/* Up to memory bytes stay in memory, the others go to spill_fd (-1: a file of its own that has no name). */
PxXlsxStrings *px_xlsx_strings_new(size_t memory, int spill_fd);
void px_xlsx_strings_free(PxXlsxStrings *strings);
bool px_xlsx_strings_add(PxXlsxStrings *strings, const char *text, size_t len, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After the last add. */
bool px_xlsx_strings_seal(PxXlsxStrings *strings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
uint64_t px_xlsx_strings_count(const PxXlsxStrings *strings);
/* String i of those there are: a view that lives as long as the strings or the arena. */
bool px_xlsx_strings_get(PxXlsxStrings *strings, uint64_t i, PxArena *arena, const char **ret_text, uint32_t *ret_len, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* ---- text of the large parts */

/* Text that comes in pieces: a view as long as it is one, a copy from the second piece on. */
typedef struct {
  const char *ptr;
  size_t len;
  GString *copy;
  bool copied;
  bool underscore; /* there may be one in it */
} PxXlsxText;

void px_xlsx_text_clear(PxXlsxText *text);
bool px_xlsx_text_add(PxXlsxText *text, const PxXmlToken *token, PxXmlKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Behind the start of an element: all text in it, up to its end. PX_XML_END: done. */
PxXmlKind px_xlsx_text_of(PxXml *xml, PxXlsxText *text, GError **error);
/* Behind the start of si or is: the text of its t and of its runs, without the phonetic ones (18.4.8). */
PxXmlKind px_xlsx_rich_text(PxXml *xml, PxXlsxText *text, GError **error);
/* Behind the start of an element: passes over it. */
PxXmlKind px_xlsx_skip(PxXml *xml, GError **error);
/* The same, with what _xHHHH_ stands for (22.9.2.19). */
void px_xlsx_text_unescape(PxXlsxText *text);

/* Reads all of a sharedStrings part. */
bool px_xlsx_strings_read(PxXlsxStrings *strings, const PxZip *zip, const char *part, const PxFormatOptions *options, const PxXlsxKnobs *knobs,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- the sheet */

typedef struct PxXlsxSheet PxXlsxSheet;

/* book, strings and zip must outlive it. */
PxXlsxSheet *px_xlsx_sheet_open(const PxZip *zip, const PxXlsxBook *book, PxXlsxStrings *strings, const PxFormatOptions *options,
                                const PxXlsxKnobs *knobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_xlsx_sheet_close(PxXlsxSheet *sheet);
/* As px_reader_next(), but rows that the sheet does not have are left out. */
PxReadResult px_xlsx_sheet_next(PxXlsxSheet *sheet, PxRow *ret_row, GError **error);
/* px_reader_keep_columns() */
void px_xlsx_sheet_keep_columns(PxXlsxSheet *sheet, const uint32_t *columns, size_t n);
uint64_t px_xlsx_sheet_used(const PxXlsxSheet *sheet);

/* px_xlsx_reader.open with the knobs. */
void *px_xlsx_reader_open_with(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, const PxXlsxKnobs *knobs, GError **error);
