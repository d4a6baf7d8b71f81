/* SPDX-License-Identifier: Apache-2.0 */
/* The smaller parts: styles, legacy drawings, lists of parts. */
#include "format/xlsx_mark_private.h"

#include <string.h>

#define RED "FFC00000"

/* ---- styles (ECMA-376 part 1, 18.8) */

typedef struct {
  PxMark *mark;
  unsigned fonts, formats; /* so many there are */
  size_t list;             /* level of fonts or cellXfs; 0: neither */
  bool is_fonts;
  gsize place; /* in out where the number of the list goes */
  bool in_first_font;
  char *size, *name, *family, *scheme; /* of the first font: what the workbook looks like */
} Styles;

static void styles_done(Styles *styles) {
  g_free(styles->size);
  g_free(styles->name);
  g_free(styles->family);
  g_free(styles->scheme);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Styles, styles_done)

static void put_font_value(GString *out, const char *prefix, const char *element, const char *value) {
  if (!value)
    return;
  g_string_append_printf(out, "<%s%s val=\"", prefix, element);
  px_edit_escape(out, value, strlen(value));
  g_string_append(out, "\"/>");
}

static void put_font(const Styles *styles, GString *out, const char *prefix, bool bold) {
  g_string_append_printf(out, "<%sfont>", prefix);
  if (bold)
    g_string_append_printf(out, "<%sb/>", prefix);
  put_font_value(out, prefix, "sz", styles->size);
  g_string_append_printf(out, "<%scolor rgb=\"" RED "\"/>", prefix);
  put_font_value(out, prefix, "name", styles->name);
  put_font_value(out, prefix, "family", styles->family);
  put_font_value(out, prefix, "scheme", styles->scheme);
  g_string_append_printf(out, "</%sfont>", prefix);
}

static void put_format(GString *out, const char *prefix, unsigned font) {
  g_string_append_printf(out,
                         "<%sxf numFmtId=\"0\" fontId=\"%u\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\" applyAlignment=\"1\">"
                         "<%salignment vertical=\"top\" wrapText=\"1\"/></%sxf>",
                         prefix, font, prefix, prefix);
}

static void end_list(Styles *styles, PxEdit *edit) {
  g_autofree char *prefix = px_edit_prefix(edit);
  unsigned *count = styles->is_fonts ? &styles->fonts : &styles->formats;
  if (styles->is_fonts) {
    put_font(styles, edit->out, prefix, false);
    put_font(styles, edit->out, prefix, true);
  } else {
    put_format(edit->out, prefix, styles->fonts);
    put_format(edit->out, prefix, styles->fonts + 1);
    styles->mark->style = styles->formats;
    styles->mark->header_style = styles->formats + 1;
  }
  g_autofree char *number = g_strdup_printf(" count=\"%u\"", *count + 2);
  g_string_insert(edit->out, (gssize)styles->place, number);
  styles->list = 0;
  edit->marks--;
}

static void start_list(Styles *styles, PxEdit *edit, bool is_fonts) {
  const PxNewAttribute none[] = {{.name = "count"}};
  styles->is_fonts = is_fonts;
  styles->list = edit->level;
  edit->marks++;
  px_edit_tag(edit, none, G_N_ELEMENTS(none));
  styles->place = edit->out->len - 1;
}

static void take_font_value(Styles *styles, const PxEdit *edit) {
  const struct {
    const char *element;
    char **value;
  } values[] = {{"sz", &styles->size}, {"name", &styles->name}, {"family", &styles->family}, {"scheme", &styles->scheme}};
  for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
    if (px_edit_is(edit, values[i].element) && !*values[i].value)
      *values[i].value = px_edit_attribute(edit, "val");
}

static bool on_style(PxEdit *edit, PxXmlKind kind, GError **error) {
  Styles *styles = edit->data;
  bool starts = kind == PX_XML_START;
  if (starts && edit->level == 2 && !edit->token.empty && (px_edit_is(edit, "fonts") || px_edit_is(edit, "cellXfs"))) {
    start_list(styles, edit, px_edit_is(edit, "fonts"));
    return true;
  }
  if (kind == PX_XML_END && styles->list && edit->level == styles->list)
    end_list(styles, edit);
  bool is_child = starts && styles->list && edit->level == styles->list + 1;
  if (is_child && styles->is_fonts)
    styles->in_first_font = styles->fonts++ == 0;
  else if (is_child)
    styles->formats++;
  else if (starts && styles->list && styles->in_first_font && edit->level == styles->list + 2)
    take_font_value(styles, edit);
  px_edit_keep(edit);
  return true;
}

bool px_mark_styles(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) {
  g_auto(Styles) styles = {.mark = mark};
  g_auto(PxEdit) edit;
  px_edit_init(&edit, on_style, &styles, &mark->shift, false);
  return px_edit_run(&edit, mark->zip, member, to, error);
}

/* ---- lists of parts (part 2, 6.5 and 7.2) */

static bool on_listed(PxEdit *edit, PxXmlKind kind, GError **error) {
  const PxMark *mark = edit->data;
  if (kind == PX_XML_START && (px_edit_is(edit, "Relationship") || px_edit_is(edit, "Override"))) {
    g_autofree char *type = px_edit_attribute(edit, "Type");
    g_autofree char *name = px_edit_attribute(edit, "PartName");
    bool is_chain = (type && g_str_has_suffix(type, "/calcChain")) || (name && *name == '/' && g_ascii_strcasecmp(name + 1, mark->chain) == 0);
    if (is_chain) {
      px_edit_drop(edit);
      return true;
    }
  }
  px_edit_keep(edit);
  return true;
}

bool px_mark_unlist(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) {
  g_auto(PxEdit) edit;
  px_edit_init(&edit, on_listed, mark, &mark->shift, false);
  return px_edit_run(&edit, mark->zip, member, to, error);
}

/* ---- legacy drawings of notes (part 4, 19.4.2) */

typedef struct {
  size_t shape; /* level of the shape at hand; 0: none */
  gsize place;  /* in out where it begins */
  bool gone;
} Notes;

static const char *const note_texts[] = {"Anchor", "Row", "Column"};

/* Column, pixels, row, pixels; then the same of the other corner. */
static void put_anchor(PxEdit *edit) {
  g_auto(GStrv) parts = g_strsplit(edit->text->str, ",", -1);
  g_autoptr(GString) to = g_string_new(NULL);
  uint32_t from[2] = {0};
  if (g_strv_length(parts) != 8) {
    px_edit_put_text(edit, edit->text->str, edit->text->len);
    return;
  }
  for (size_t i = 0; i < 8; i++) {
    uint32_t number = (uint32_t)MIN(g_ascii_strtoull(g_strstrip(parts[i]), NULL, 10), PX_SHEET_ROWS);
    if (i % 4 == 0)
      number = px_shift_column(edit->shift, number);
    if (i == 2) {
      from[0] = number;
      number = from[1] = px_shift_row(edit->shift, number + 1) - 1;
    }
    if (i == 6)
      number = from[1] + number - MIN(number, from[0]);
    g_string_append_printf(to, "%s%u", i ? ", " : "", number);
  }
  px_edit_put_text(edit, to->str, to->len);
}

static void end_note_text(Notes *notes, PxEdit *edit) {
  uint32_t number = (uint32_t)MIN(g_ascii_strtoull(edit->text->str, NULL, 10), PX_SHEET_ROWS - 1);
  if (px_edit_is(edit, "Anchor")) {
    put_anchor(edit);
    return;
  }
  bool is_row = px_edit_is(edit, "Row");
  notes->gone |= is_row && !px_shift_stays(edit->shift, number + 1);
  number = is_row ? px_shift_row(edit->shift, number + 1) - 1 : px_shift_column(edit->shift, number);
  g_autofree char *text = g_strdup_printf("%u", number);
  px_edit_put_text(edit, text, strlen(text));
}

static bool on_note(PxEdit *edit, PxXmlKind kind, GError **error) {
  Notes *notes = edit->data;
  bool whole;
  if (edit->text_level) {
    if (!px_edit_take_text(edit, kind, &whole, error))
      return false;
    if (whole)
      end_note_text(notes, edit);
    return true;
  }
  bool starts = kind == PX_XML_START && !edit->token.empty;
  if (starts && !notes->shape && px_edit_is(edit, "shape")) {
    *notes = (Notes){.shape = edit->level, .place = edit->out->len};
    edit->marks++;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(note_texts); i++)
    if (starts && notes->shape && px_edit_is(edit, note_texts[i])) {
      px_edit_start_text(edit);
      return true;
    }
  px_edit_keep(edit);
  if (kind == PX_XML_END && notes->shape && edit->level == notes->shape) {
    if (notes->gone)
      g_string_truncate(edit->out, notes->place);
    notes->shape = 0;
    edit->marks--;
  }
  return true;
}

bool px_mark_notes(PxMark *mark, const PxZipMember *member, PxZipWriter *to, GError **error) {
  Notes notes = {0};
  g_auto(PxEdit) edit;
  px_edit_init(&edit, on_note, &notes, &mark->shift, true);
  return px_edit_run(&edit, mark->zip, member, to, error);
}
