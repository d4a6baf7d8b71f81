/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Editing of a part of a workbook as a stream of its text: what nobody changes goes out as it came in, byte for byte. */
#include "format/xlsx_read_xml.h"
#include "format/xlsx_shift.h"
#include "format/zip_write.h"

typedef struct PxEdit PxEdit;

/* Says what goes out instead of the token, by appending to edit->out (px_edit_keep() for the token itself). */
typedef bool (*PxEditToken)(PxEdit *edit, PxXmlKind kind, GError **error);

struct PxEdit {
  PxEditToken on_token;
  void *data;
  const PxShift *shift;
  bool own;    /* the part is about the sheet whose cells move */
  size_t most; /* bytes of out that are held at most */
  PxXml xml;
  PxXmlToken token;
  const char *raw; /* the token as it stands in the part, with the comments in front of it */
  size_t raw_len;
  size_t level; /* of the element that the token starts or ends; the root is 1 */
  GString *out;
  unsigned marks; /* out is needed as long as there are any */
  bool changed;   /* something else went out than came in */

  /* what the rules for references remember */
  size_t dropped;          /* the level of the element that is being left out; 0: none */
  size_t text_level;       /* of the element whose text is being taken; 0: none */
  GString *tag, *text;     /* of that element */
  PxFormulaPlace place;    /* of the formulas that follow */
  size_t place_level;      /* of the element that says so; 0: none */
  const GPtrArray *ranges; /* char *: the sqref elements of the part, in their order; NULL: there are none */
  guint next_range;
  size_t item, item_mark; /* level and place in out of an element that goes when a formula of it does */
  bool item_lost;
  size_t container, container_mark; /* the same of one that may not be empty */
  unsigned kept;                    /* items in it */
  bool in_column_breaks;
  uint32_t from_row, from_row_before; /* of a drawing's anchor */
};

void px_edit_init(PxEdit *edit, PxEditToken on_token, void *data, const PxShift *shift, bool own);
void px_edit_done(PxEdit *edit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxEdit, px_edit_done)

/* Runs over the member. to NULL: nothing is written; edit->changed tells whether something would be. */
bool px_edit_run(PxEdit *edit, const PxZip *zip, const PxZipMember *member, PxZipWriter *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- what goes out */

void px_edit_keep(PxEdit *edit);
/* The element goes with all that is in it; for an element that starts. */
void px_edit_drop(PxEdit *edit);

typedef struct {
  const char *name;
  const char *value; /* as text; NULL: the attribute goes */
  bool add;          /* where it is not there yet */
} PxNewAttribute;

/* The tag at hand with other values of these attributes. */
void px_edit_tag(PxEdit *edit, const PxNewAttribute *attributes, size_t n);
/* text with entities for what markup is. */
void px_edit_escape(GString *to, const char *text, size_t len);
/* The prefix of the tag at hand with its colon, "" when it has none. Caller frees. */
char *px_edit_prefix(const PxEdit *edit);
bool px_edit_is(const PxEdit *edit, const char *name);
/* The value of an attribute of the tag at hand, entities resolved; NULL: it has none. Caller frees. */
char *px_edit_attribute(const PxEdit *edit, const char *name);
/* The value when it is a number; 0: it is none. */
uint32_t px_edit_number(const PxEdit *edit, const char *name);
bool px_edit_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Takes the text of the element at hand, whose tag is not written: tag and text are whole at its end, when px_edit_take_text() gives true. */
void px_edit_start_text(PxEdit *edit);
/* For every token while text_level is set. *ret_whole: this one was the end. */
bool px_edit_take_text(PxEdit *edit, PxXmlKind kind, bool *ret_whole, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes tag, text (escaped) and the end that is at hand. */
void px_edit_put_text(PxEdit *edit, const char *text, size_t len);

/* The rules for references wherever they stand: the PxEditToken of parts that have nothing else to be changed, and what others call
 * for the rest. */
bool px_edit_references(PxEdit *edit, PxXmlKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
