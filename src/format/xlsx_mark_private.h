/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the xlsx_mark*.c files share: a workbook that goes back to whoever sent it, with a column #Error.
 * survey (what is in the way) -> plan (PxMark: which column, which rows) -> members, each copied, edited or left out. */
#include "format/format.h"
#include "format/xlsx_edit.h"
#include "format/xlsx_mark.h"
#include "format/xlsx_read_private.h"

/* The texts of the rows, one at a time. */
typedef struct {
  FILE *file;
  uint32_t row; /* of the one at hand; 0: there is no more */
  GString *text;
} PxMarkTexts;

bool px_mark_texts_open(PxMarkTexts *texts, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT; /* at the first one; fd stays the caller's */
void px_mark_texts_close(PxMarkTexts *texts);
bool px_mark_texts_next(PxMarkTexts *texts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a member is to us. */
typedef enum {
  PX_PART_FOREIGN, /* not known: may refer to the sheet */
  PX_PART_KEPT,    /* known, and refers to no cells of a sheet */
  PX_PART_SHEET,
  PX_PART_REFERENCES, /* the rules for references are all it takes */
  PX_PART_DRAWING,
  PX_PART_NOTES, /* legacy drawing */
  PX_PART_STYLES,
  PX_PART_TYPES,
  PX_PART_BOOK_RELATIONS,
  PX_PART_CHAIN, /* of calculation: goes */
} PxPartKind;

typedef struct {
  PxPartKind kind;
  bool own; /* of the sheet that was imported */
  bool table;
} PxPart;

typedef struct {
  const PxFormatOptions *options;
  PxZip *zip;
  PxXlsxBook book;
  GHashTable *parts; /* lower-case name of a member -> PxPart */
  char *chain;       /* the member of the order of calculation; NULL: there is none */
  PxMarkTexts texts;
  unsigned header_rows;

  PxShift shift;
  GArray *kept;         /* uint32_t: rows with a text */
  uint32_t column;      /* where #Error stands afterwards, from 1 */
  GPtrArray *ranges;    /* char *: of the sheet's extensions, see PxEdit */
  GArray *replaced;     /* uint32_t: columns #Error of before */
  GString *end_reason;  /* why the column does not stand first; empty: it does, or one was there */
  GString *rows_reason; /* why the good rows stay though they were not asked for; empty: they do not */
  uint32_t last_row, last_column;
  uint32_t last_full;                       /* column with something in it, not only a style */
  uint32_t header_columns;                  /* up to the last one that the header names */
  uint8_t full[(PX_SHEET_COLUMNS + 7) / 8]; /* a bit a column, from A on: there is something in it */
  bool squeezed;                            /* #Error stands in a free column, as the last one is in use and nothing can move to the right */
  unsigned style, header_style;             /* of the cells; 0: none */
  uint64_t rows;                            /* written */
} PxMark;

/* Finds the parts, what is in the way, where the column goes. */
bool px_mark_survey(PxMark *mark, bool all_rows, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const PxPart *px_mark_part(const PxMark *mark, const char *name);

/* The sheet itself, or another one whose formulas may refer to it. changed may be NULL. */
bool px_mark_sheet(PxMark *mark, const PxZipMember *member, bool own, PxZipWriter *to, bool *ret_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Counts rows and columns; complains of what is not known. */
bool px_mark_survey_sheet(PxMark *mark, const PxZipMember *member, GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool px_mark_styles(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes the chain out of content types and relations. */
bool px_mark_unlist(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_mark_notes(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What is not known in a drawing or a legacy drawing of the sheet: into end_reason. */
bool px_mark_survey_drawing(PxMark *mark, const PxZipMember *member, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_mark_complain(GString *reason, const char *what);
