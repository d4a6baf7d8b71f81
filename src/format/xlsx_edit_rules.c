/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the parts of a workbook references stand, and what becomes of the element when nothing of one is left. Names of elements and attributes
 * are those of ECMA-376 part 1, 18 and 20.5; they mean the same in every part that has them. */
#include "format/xlsx_edit.h"

#include <string.h>

typedef enum {
  CELLS,     /* a range: without it the element goes */
  LIST,      /* ranges: without any the element goes */
  NEAR,      /* a cell to look at: when it goes, the next one */
  CORNER,    /* the first cell that is seen: in the first column it stays there, so that the new one is seen */
  NEAR_LIST, /* ranges to look at: when they go, the first cell */
  FORMULA,   /* on whatever sheet */
  LEFT,      /* a number of columns from the first one on */
  TOP,       /* a number of rows */
} Kind;

static const struct {
  const char *element, *attribute;
  Kind kind;
} rules[] = {
  {"sheetPr", "syncRef", NEAR},
  {"sheetView", "topLeftCell", CORNER},
  {"pane", "topLeftCell", CORNER},
  {"pane", "xSplit", LEFT},
  {"pane", "ySplit", TOP},
  {"selection", "activeCell", NEAR},
  {"selection", "sqref", NEAR_LIST},
  {"scenarios", "sqref", NEAR_LIST},
  {"customSheetView", "topLeftCell", CORNER},
  {"protectedRange", "sqref", LIST},
  {"inputCells", "r", CELLS},
  {"autoFilter", "ref", CELLS},
  {"sortState", "ref", CELLS},
  {"sortCondition", "ref", CELLS},
  {"mergeCell", "ref", CELLS},
  {"conditionalFormatting", "sqref", LIST},
  {"cfvo", "val", FORMULA},
  {"dataValidation", "sqref", LIST},
  {"hyperlink", "ref", CELLS},
  {"hyperlink", "location", FORMULA},
  {"cellWatch", "r", CELLS},
  {"ignoredError", "sqref", LIST},
  {"cellSmartTags", "r", CELLS},
  {"table", "ref", CELLS},
  {"comment", "ref", CELLS},
  {"threadedComment", "ref", CELLS},
  {"sp", "textlink", FORMULA},
};

typedef enum { TEXT_FORMULA, TEXT_LIST, TEXT_COLUMN, TEXT_ROW } TextKind;

static const struct {
  const char *element;
  TextKind kind;
} texts[] = {
  {"f", TEXT_FORMULA},
  {"formula", TEXT_FORMULA},
  {"formula1", TEXT_FORMULA},
  {"formula2", TEXT_FORMULA},
  {"calculatedColumnFormula", TEXT_FORMULA},
  {"totalsRowFormula", TEXT_FORMULA},
  {"definedName", TEXT_FORMULA},
  {"sqref", TEXT_LIST},
  {"col", TEXT_COLUMN},
  {"row", TEXT_ROW},
};

/* ---- attributes */

/* The cell that is there instead; of one that is gone the next one. */
static void near_cell(const PxShift *shift, Kind kind, const char *text, size_t len, GString *to) {
  PxRangeRef range;
  if (!px_range_ref_read(text, len, &range)) {
    g_string_append_len(to, text, (gssize)len);
    return;
  }
  range.from.row = px_shift_row(shift, range.from.row);
  if (kind != CORNER || range.from.column > 1)
    range.from.column = MIN(px_shift_column(shift, range.from.column), PX_SHEET_COLUMNS);
  px_cell_ref_write(&range.from, to);
}

static void count(const PxShift *shift, Kind kind, const char *text, GString *to) {
  uint64_t number = 0;
  bool whole = g_ascii_string_to_unsigned(text, 10, 1, PX_SHEET_ROWS, &number, NULL);
  if (!whole) /* not cells but points: the pane is not frozen */
    g_string_append(to, text);
  else
    g_string_append_printf(
      to, "%u", kind == LEFT ? MIN(px_shift_column(shift, (uint32_t)number), PX_SHEET_COLUMNS) : px_shift_row_back(shift, (uint32_t)number));
}

/* A merged range of which one cell is left is none. */
static bool is_lone_merge(const PxEdit *edit, const GString *ref) {
  PxRangeRef range;
  return px_edit_is(edit, "mergeCell") && px_range_ref_read(ref->str, ref->len, &range) && range.from.column == range.to.column &&
         range.from.row == range.to.row;
}

/* false: the element goes. */
static bool new_value(const PxEdit *edit, Kind kind, const char *text, GString *to) {
  const PxShift *shift = edit->shift;
  size_t len = strlen(text);
  PxFormulaPlace place = {.own = edit->own};
  switch (kind) {
  case CELLS:
    return px_shift_ref(shift, text, len, to) && !is_lone_merge(edit, to);
  case LIST:
    return px_shift_sqref(shift, text, len, to);
  case NEAR:
  case CORNER:
    near_cell(shift, kind, text, len, to);
    return true;
  case NEAR_LIST:
    if (!px_shift_sqref(shift, text, len, to))
      g_string_assign(to, "A1");
    return true;
  case FORMULA:
    if (px_shift_formula(shift, &place, text, len, to) & PX_SHIFT_LOST)
      g_string_assign(to, text);
    return true;
  case LEFT:
  case TOP:
    count(shift, kind, text, to);
    return true;
  }
  return true;
}

#define MOST_RULES 3 /* of an element */

typedef struct {
  PxNewAttribute new[MOST_RULES];
  char *values[MOST_RULES];
  size_t n;
} Changes;

static void changes_done(Changes *changes) {
  for (size_t i = 0; i < changes->n; i++)
    g_free(changes->values[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Changes, changes_done)

/* Panes are counted in cells only when they are frozen. */
static bool is_frozen(const PxEdit *edit) {
  g_autofree char *state = px_edit_attribute(edit, "state");
  return state && strncmp(state, "frozen", 6) == 0;
}

/* false: the element goes. */
static bool find_changes(const PxEdit *edit, Changes *changes) {
  for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
    Kind kind = rules[i].kind;
    if ((!edit->own && kind != FORMULA) || !px_edit_is(edit, rules[i].element) || changes->n == MOST_RULES)
      continue;
    g_autofree char *old = px_edit_attribute(edit, rules[i].attribute);
    if (!old || ((kind == LEFT || kind == TOP) && !is_frozen(edit)))
      continue;
    g_autoptr(GString) to = g_string_new(NULL);
    if (!new_value(edit, kind, old, to))
      return false;
    if (strcmp(old, to->str) == 0)
      continue;
    changes->values[changes->n] = g_strdup(to->str);
    changes->new[changes->n] = (PxNewAttribute){.name = rules[i].attribute, .value = changes->values[changes->n]};
    changes->n++;
  }
  return true;
}

/* ---- elements that must not be empty, and those that go with a formula */

static bool is_one_of(const PxEdit *edit, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (px_edit_is(edit, names[i]))
      return true;
  return false;
}

static bool is_container(const PxEdit *edit) {
  static const char *const names[] = {"mergeCells",    "hyperlinks",      "dataValidations", "cellWatches",
                                      "ignoredErrors", "protectedRanges", "cellSmartTags"};
  return edit->own && edit->shift->drops && !edit->token.empty && is_one_of(edit, names, G_N_ELEMENTS(names));
}

static void start_container(PxEdit *edit) {
  edit->container = edit->level;
  edit->container_mark = edit->out->len;
  edit->kept = 0;
  edit->marks++;
  /* Nobody needs the number, and a wrong one is an error. */
  const PxNewAttribute none[] = {{.name = "count"}};
  px_edit_tag(edit, none, G_N_ELEMENTS(none));
}

static void end_container(PxEdit *edit) {
  px_edit_keep(edit);
  if (edit->kept == 0)
    g_string_truncate(edit->out, edit->container_mark);
  edit->container = 0;
  edit->marks--;
}

/* Formulas of a rule are written for the first cell of its ranges: when that one goes, for the first one that stays. Those of Excel 2010 say
 * their ranges in an element behind the formulas. */
static void find_place(PxEdit *edit) {
  g_autofree char *sqref = px_edit_attribute(edit, "sqref");
  if (!sqref && edit->ranges && edit->next_range < edit->ranges->len)
    sqref = g_strdup(edit->ranges->pdata[edit->next_range]);
  if (!edit->own || !sqref || edit->token.empty)
    return;
  edit->place_level = edit->level;
  if (!edit->shift->drops)
    return;
  g_auto(GStrv) ranges = g_strsplit_set(sqref, " \t\n", -1);
  PxRangeRef first;
  PxRangeRef range;
  if (!ranges[0] || !px_range_ref_read(ranges[0], strlen(ranges[0]), &first))
    return;
  for (size_t i = 0; ranges[i]; i++) {
    if (!px_range_ref_read(ranges[i], strlen(ranges[i]), &range) || range.from.row == 0)
      continue;
    uint32_t row = px_shift_next_staying(edit->shift, range.from.row);
    if (row > range.to.row)
      continue;
    edit->place.rows = (int64_t)row - first.from.row;
    edit->place.columns = (int64_t)range.from.column - first.from.column;
    return;
  }
}

static void start_item(PxEdit *edit) {
  edit->item = edit->level;
  edit->item_mark = edit->out->len;
  edit->item_lost = false;
  edit->marks++;
}

static void end_item(PxEdit *edit) {
  px_edit_keep(edit);
  if (edit->item_lost) {
    g_string_truncate(edit->out, edit->item_mark);
    edit->kept--;
  }
  edit->item = 0;
  edit->marks--;
}

/* ---- breaks between pages */

/* A column's break stands behind it. With rows gone, nobody knows where pages end. */
static bool take_break(PxEdit *edit) {
  if (!edit->own)
    return false;
  if (px_edit_is(edit, "colBreaks"))
    edit->in_column_breaks = !edit->token.empty;
  if (px_edit_is(edit, "rowBreaks") && edit->shift->drops) {
    px_edit_drop(edit);
    return true;
  }
  if (!edit->in_column_breaks || !px_edit_is(edit, "brk"))
    return false;
  g_autofree char *id = g_strdup_printf("%u", px_shift_column(edit->shift, px_edit_number(edit, "id")));
  const PxNewAttribute new[] = {{.name = "id", .value = id}};
  px_edit_tag(edit, new, G_N_ELEMENTS(new));
  return true;
}

/* ---- text */

static bool text_kind(const PxEdit *edit, TextKind *ret_kind) {
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
    if (px_edit_is(edit, texts[i].element)) {
      *ret_kind = texts[i].kind;
      return edit->own || *ret_kind == TEXT_FORMULA;
    }
  return false;
}

static void end_formula(PxEdit *edit) {
  g_autoptr(GString) to = g_string_new(NULL);
  PxFormulaPlace place = edit->place;
  place.own = edit->own;
  unsigned done = px_shift_formula(edit->shift, &place, edit->text->str, edit->text->len, to);
  bool is_table = px_edit_is(edit, "calculatedColumnFormula") || px_edit_is(edit, "totalsRowFormula");
  edit->changed |= (done & PX_SHIFT_MOVED) != 0;
  if (edit->item && (done & PX_SHIFT_LOST))
    edit->item_lost = true;
  if (!is_table || !(done & PX_SHIFT_LOST))
    px_edit_put_text(edit, to->str, to->len);
}

/* Numbers of an anchor (20.5.2.5) count from 0. What it holds keeps its height when rows under it go. */
static void end_anchor(PxEdit *edit, TextKind kind) {
  uint64_t number;
  if (!g_ascii_string_to_unsigned(edit->text->str, 10, 0, PX_SHEET_ROWS, &number, NULL)) {
    px_edit_put_text(edit, edit->text->str, edit->text->len);
    return;
  }
  uint32_t old = (uint32_t)number;
  uint32_t new = px_shift_column(edit->shift, old);
  if (kind == TEXT_ROW && edit->from_row_before != UINT32_MAX) {
    new = edit->from_row + (old - MIN(old, edit->from_row_before));
    edit->from_row_before = UINT32_MAX;
  } else if (kind == TEXT_ROW) {
    new = px_shift_row(edit->shift, old + 1) - 1;
    edit->from_row = new;
    edit->from_row_before = old;
  }
  edit->changed |= new != old;
  g_autofree char *text = g_strdup_printf("%u", new);
  px_edit_put_text(edit, text, strlen(text));
}

static void end_text(PxEdit *edit) {
  TextKind kind;
  g_autoptr(GString) to = g_string_new(NULL);
  if (!text_kind(edit, &kind))
    px_edit_put_text(edit, edit->text->str, edit->text->len);
  else if (kind == TEXT_FORMULA)
    end_formula(edit);
  else if (kind != TEXT_LIST)
    end_anchor(edit, kind);
  else {
    if (!px_shift_sqref(edit->shift, edit->text->str, edit->text->len, to))
      g_string_assign(to, "A1");
    edit->changed = true;
    edit->next_range++;
    px_edit_put_text(edit, to->str, to->len);
  }
}

/* ---- tokens */

static void start(PxEdit *edit) {
  TextKind kind;
  g_auto(Changes) changes = {0};
  if (take_break(edit))
    return;
  if (is_container(edit)) {
    start_container(edit);
    return;
  }
  if (px_edit_is(edit, "twoCellAnchor") || px_edit_is(edit, "oneCellAnchor"))
    edit->from_row_before = UINT32_MAX;
  if (!edit->token.empty && text_kind(edit, &kind)) {
    px_edit_start_text(edit);
    return;
  }
  if (!find_changes(edit, &changes)) {
    px_edit_drop(edit);
    return;
  }
  if (px_edit_is(edit, "conditionalFormatting") || px_edit_is(edit, "dataValidation"))
    find_place(edit);
  if (edit->container && edit->level == edit->container + 1) {
    edit->kept++;
    if (!edit->token.empty)
      start_item(edit);
  }
  if (changes.n > 0)
    px_edit_tag(edit, changes.new, changes.n);
  else
    px_edit_keep(edit);
}

static void end(PxEdit *edit) {
  if (edit->level == edit->place_level) {
    edit->place = (PxFormulaPlace){0};
    edit->place_level = 0;
  }
  edit->in_column_breaks = edit->in_column_breaks && !px_edit_is(edit, "colBreaks");
  if (edit->item && edit->level == edit->item)
    end_item(edit);
  else if (edit->container && edit->level == edit->container)
    end_container(edit);
  else
    px_edit_keep(edit);
}

/* A formula1 of Excel 2010 holds an f, which holds the formula. */
static void give_up_text(PxEdit *edit) {
  g_string_append_len(edit->out, edit->tag->str, (gssize)edit->tag->len);
  px_edit_escape(edit->out, edit->text->str, edit->text->len);
  edit->text_level = 0;
}

bool px_edit_references(PxEdit *edit, PxXmlKind kind, GError **error) {
  bool whole;
  if (edit->text_level && kind == PX_XML_START)
    give_up_text(edit);
  if (edit->text_level) {
    if (!px_edit_take_text(edit, kind, &whole, error))
      return false;
    if (whole)
      end_text(edit);
  } else if (kind == PX_XML_START)
    start(edit);
  else if (kind == PX_XML_END)
    end(edit);
  else
    px_edit_keep(edit);
  return true;
}
