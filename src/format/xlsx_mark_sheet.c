/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and cells of a sheet as they go out (ECMA-376 part 1, 18.3.1). */
#include "format/xlsx_mark_private.h"

#include <string.h>

#define WIDTH "60"
#define MOST_CHARACTERS 32767 /* of a cell */

/* The first cell of a shared formula (18.3.1.40): the others are told only that they are like it. */
typedef struct {
  char *text;
  uint32_t row, column;
  bool met; /* it refers to the sheet whose cells move */
} Master;

typedef struct {
  PxEdit edit;
  PxMark *mark; /* NULL: this is another sheet */
  bool in_rows, in_cols, cols_done;
  uint32_t row, new_row; /* the one at hand, and where it goes */
  uint32_t column;       /* the last cell */
  bool gone;             /* the row goes */
  bool due;              /* the row waits for its error cell */
  GHashTable *masters;   /* si -> Master */
  char *type, *ref, *si; /* of the formula at hand */
} Sheet;

static void master_free(void *data) {
  Master *master = data;
  g_free(master->text);
  g_free(master);
}

static void sheet_done(Sheet *sheet) {
  px_edit_done(&sheet->edit);
  g_hash_table_unref(sheet->masters);
  g_free(sheet->type);
  g_free(sheet->ref);
  g_free(sheet->si);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sheet, sheet_done)

static bool moves(const PxEdit *edit) {
  return edit->shift->columns > 0 || edit->shift->drops;
}

/* ---- the column's width */

static void put_col(const Sheet *sheet, const char *prefix) {
  g_string_append_printf(sheet->edit.out, "<%scol min=\"%u\" max=\"%u\" width=\"" WIDTH "\" customWidth=\"1\"/>", prefix, sheet->mark->column,
                         sheet->mark->column);
}

static void put_col_part(Sheet *sheet, uint32_t from, uint32_t to) {
  g_autofree char *min = g_strdup_printf("%u", from);
  g_autofree char *max = g_strdup_printf("%u", MIN(to, PX_SHEET_COLUMNS));
  const PxNewAttribute new[] = {{.name = "min", .value = min}, {.name = "max", .value = max}};
  if (from <= PX_SHEET_COLUMNS && from <= to)
    px_edit_tag(&sheet->edit, new, G_N_ELEMENTS(new));
}

/* Columns that were described together with the new one are described apart from it. */
static void take_col(Sheet *sheet) {
  g_autofree char *prefix = px_edit_prefix(&sheet->edit);
  uint32_t column = sheet->mark->column;
  uint32_t from = px_shift_column(sheet->edit.shift, px_edit_number(&sheet->edit, "min"));
  uint32_t to = px_shift_column(sheet->edit.shift, px_edit_number(&sheet->edit, "max"));
  if (sheet->cols_done || to < column) {
    put_col_part(sheet, from, to);
    return;
  }
  sheet->cols_done = true;
  if (from < column)
    put_col_part(sheet, from, column - 1);
  put_col(sheet, prefix);
  put_col_part(sheet, MAX(from, column + 1), to);
}

/* false: it is none of the columns' tokens. */
static bool take_cols(Sheet *sheet, PxXmlKind kind) {
  PxEdit *edit = &sheet->edit;
  if (!sheet->mark || sheet->mark->replaced->len > 0)
    return false;
  if (kind == PX_XML_START && edit->level == 2 && px_edit_is(edit, "cols") && !edit->token.empty) {
    sheet->in_cols = true;
    px_edit_keep(edit);
  } else if (kind == PX_XML_START && sheet->in_cols && px_edit_is(edit, "col")) {
    take_col(sheet);
  } else if (kind == PX_XML_END && sheet->in_cols && edit->level == 2) {
    g_autofree char *prefix = px_edit_prefix(edit);
    if (!sheet->cols_done)
      put_col(sheet, prefix);
    sheet->in_cols = false;
    sheet->cols_done = true;
    px_edit_keep(edit);
  } else
    return false;
  return true;
}

static void start_rows(Sheet *sheet) {
  PxEdit *edit = &sheet->edit;
  g_autofree char *prefix = px_edit_prefix(edit);
  sheet->in_rows = !edit->token.empty;
  if (sheet->mark && sheet->mark->replaced->len == 0 && !sheet->cols_done) {
    g_string_append_printf(edit->out, "<%scols>", prefix);
    put_col(sheet, prefix);
    g_string_append_printf(edit->out, "</%scols>", prefix);
  }
  px_edit_keep(edit);
}

/* ---- the error cell */

/* What XML cannot hold becomes a blank; _x0041_ would be read as A (22.9.2.19). */
static void put_cell_text(GString *out, const char *text, size_t len) {
  const char *end = text + len;
  for (const char *p = text; p < end;) {
    const char *next = p + g_utf8_skip[(unsigned char)*p];
    gunichar c = g_utf8_get_char(p);
    if ((c < ' ' && c != '\n' && c != '\t') || c == 0xFFFE || c == 0xFFFF)
      g_string_append_c(out, ' ');
    else if (c == '_' && end - p >= 7 && p[1] == 'x' && p[6] == '_')
      g_string_append(out, "_x005F_");
    else
      px_edit_escape(out, p, (size_t)(next - p));
    p = next;
  }
}

static void put_error_cell(Sheet *sheet) {
  PxMark *mark = sheet->mark;
  GString *out = sheet->edit.out;
  g_autofree char *prefix = sheet->edit.token.ptr ? px_edit_prefix(&sheet->edit) : g_strdup("");
  bool is_header = sheet->row <= mark->header_rows;
  const char *text = !is_header ? mark->texts.text->str : sheet->row == mark->header_rows ? "#Error" : "Error";
  size_t len = strlen(text);
  glong characters = g_utf8_strlen(text, (gssize)len);
  if (characters > MOST_CHARACTERS)
    len = (size_t)(g_utf8_offset_to_pointer(text, MOST_CHARACTERS) - text);
  char letters[4];
  unsigned style = is_header ? mark->header_style : mark->style;
  g_string_append_printf(out, "<%sc r=\"%.*s%u\"", prefix, (int)px_column_letters(mark->column, letters), letters, sheet->new_row);
  if (style > 0)
    g_string_append_printf(out, " s=\"%u\"", style);
  g_string_append_printf(out, " t=\"inlineStr\"><%sis><%st xml:space=\"preserve\">", prefix, prefix);
  put_cell_text(out, text, len);
  g_string_append_printf(out, "</%st></%sis></%sc>", prefix, prefix, prefix);
  mark->rows += !is_header;
  sheet->due = false;
}

/* ---- rows */

static char *new_spans(const Sheet *sheet) {
  g_autofree char *old = px_edit_attribute(&sheet->edit, "spans");
  uint32_t column = sheet->mark->column;
  char *rest = NULL;
  guint64 from = old ? g_ascii_strtoull(old, &rest, 10) : 0;
  guint64 to = rest && *rest == ':' ? g_ascii_strtoull(rest + 1, &rest, 10) : 0;
  if (!rest || *rest || from == 0 || to < from || to > PX_SHEET_COLUMNS)
    return NULL;
  return g_strdup_printf("%u:%u", MIN((uint32_t)from + sheet->edit.shift->columns, column), MAX((uint32_t)to + sheet->edit.shift->columns, column));
}

static bool find_text(Sheet *sheet, GError **error) {
  PxMarkTexts *texts = &sheet->mark->texts;
  while (texts->row > 0 && texts->row < sheet->row)
    if (!px_mark_texts_next(texts, error))
      return false;
  sheet->due = !sheet->gone && (sheet->row <= sheet->mark->header_rows || texts->row == sheet->row);
  return true;
}

static void put_row_tag(Sheet *sheet) {
  PxEdit *edit = &sheet->edit;
  g_autofree char *number = g_strdup_printf("%u", sheet->new_row);
  g_autofree char *spans = new_spans(sheet);
  const PxNewAttribute new[] = {{.name = "r", .value = number, .add = edit->shift->drops}, {.name = "spans", .value = spans}};
  px_edit_tag(edit, new, G_N_ELEMENTS(new));
  if (!edit->token.empty || !sheet->due)
    return;
  /* A row without cells gets one. */
  g_autofree char *prefix = px_edit_prefix(edit);
  g_string_truncate(edit->out, edit->out->len - 2);
  g_string_append_c(edit->out, '>');
  put_error_cell(sheet);
  g_string_append_printf(edit->out, "</%srow>", prefix);
}

static bool start_row(Sheet *sheet, GError **error) {
  PxEdit *edit = &sheet->edit;
  bool numbered = px_xml_attribute(&edit->xml, "r") != NULL;
  uint32_t number = numbered ? px_edit_number(edit, "r") : sheet->row + 1;
  if (number <= sheet->row)
    return px_edit_refuse(error, "row %u follows row %u: the workbook is broken", number, sheet->row);
  sheet->row = number;
  sheet->column = 0;
  sheet->gone = sheet->mark && !px_shift_stays(edit->shift, number);
  sheet->new_row = sheet->mark ? px_shift_row(edit->shift, number) : number;
  if (!sheet->mark) {
    px_edit_keep(edit);
    return true;
  }
  if (!find_text(sheet, error))
    return false;
  if (!sheet->gone)
    put_row_tag(sheet);
  sheet->gone = sheet->gone && !edit->token.empty;
  return true;
}

static void end_row(Sheet *sheet) {
  if (sheet->due)
    put_error_cell(sheet);
  if (!sheet->gone)
    px_edit_keep(&sheet->edit);
  sheet->gone = false;
}

/* ---- cells */

static bool is_replaced(const PxMark *mark, uint32_t column) {
  for (guint i = 0; i < mark->replaced->len; i++)
    if (g_array_index(mark->replaced, uint32_t, i) == column)
      return true;
  return false;
}

static void put_cell_tag(Sheet *sheet, const PxXmlAttribute *reference) {
  PxEdit *edit = &sheet->edit;
  char place[16];
  size_t len = px_column_letters(px_shift_column(edit->shift, sheet->column), place);
  (void)g_snprintf(place + len, (gulong)(sizeof(place) - len), "%u", sheet->new_row);
  if (!reference) {
    const PxNewAttribute new[] = {{.name = "r", .value = place, .add = true}};
    px_edit_tag(edit, new, G_N_ELEMENTS(new));
    return;
  }
  const char *behind = reference->value + reference->value_len;
  edit->changed = true;
  g_string_append_len(edit->out, edit->raw, reference->value - edit->raw);
  g_string_append(edit->out, place);
  g_string_append_len(edit->out, behind, edit->raw + edit->raw_len - behind);
}

static bool start_cell(Sheet *sheet, GError **error) {
  PxEdit *edit = &sheet->edit;
  const PxXmlAttribute *reference = px_xml_attribute(&edit->xml, "r");
  PxCellRef ref = {.column = sheet->column + 1};
  if (reference && !px_cell_ref_read(reference->value, reference->value + reference->value_len, &ref))
    return px_edit_refuse(error, "row %u: a cell with a wrong place: the workbook is broken", sheet->row);
  sheet->column = ref.column;
  if (!sheet->mark) {
    px_edit_keep(edit);
    return true;
  }
  if (sheet->gone)
    return true;
  uint32_t column = px_shift_column(edit->shift, ref.column);
  bool replaced = is_replaced(sheet->mark, ref.column) || column > PX_SHEET_COLUMNS; /* one that is only coloured falls off, as it would by hand */
  if (sheet->due && column > sheet->mark->column)
    put_error_cell(sheet);
  if (replaced)
    px_edit_drop(edit);
  else if (moves(edit) || !reference)
    put_cell_tag(sheet, reference);
  else
    px_edit_keep(edit);
  return true;
}

/* ---- formulas */

static char *shifted(const PxEdit *edit, const char *name) {
  g_autofree char *old = px_edit_attribute(edit, name);
  g_autoptr(GString) to = g_string_new(NULL);
  if (!old || !edit->own || !px_shift_ref(edit->shift, old, strlen(old), to))
    return g_steal_pointer(&old);
  return g_strdup(to->str);
}

/* Into edit->tag, or out when to_out. */
static void put_formula_tag(Sheet *sheet, bool to_out) {
  static const char *const names[] = {"ref", "r1", "r2"};
  PxEdit *edit = &sheet->edit;
  char *values[G_N_ELEMENTS(names)];
  PxNewAttribute new[G_N_ELEMENTS(names)];
  gsize before = edit->out->len;
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    values[i] = shifted(edit, names[i]);
    new[i] = (PxNewAttribute){.name = names[i], .value = values[i]};
  }
  bool changed = edit->changed;
  px_edit_tag(edit, new, G_N_ELEMENTS(new));
  edit->changed = changed || edit->own;
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    g_free(values[i]);
  if (to_out)
    return;
  g_string_assign(edit->tag, edit->out->str + before);
  g_string_truncate(edit->out, before);
}

static void keep_master(Sheet *sheet, bool met) {
  Master *master = g_new(Master, 1);
  *master = (Master){.text = g_strdup(sheet->edit.text->str), .row = sheet->row, .column = sheet->column, .met = met};
  g_hash_table_replace(sheet->masters, g_strdup(sheet->si), master);
}

/* A formula of its own, for one that was shared: with rows gone the distances between its cells are others. */
static void put_plain(Sheet *sheet, const char *prefix, const char *text, size_t len) {
  GString *out = sheet->edit.out;
  sheet->edit.changed = true;
  g_string_append_printf(out, "<%sf>", prefix);
  px_edit_escape(out, text, len);
  g_string_append_printf(out, "</%sf>", prefix);
}

static bool is_follower(const Sheet *sheet) {
  return g_strcmp0(sheet->type, "shared") == 0 && sheet->si && !sheet->ref;
}

/* The formula of a cell that is told to be like another one. false: it stays as it is. */
static bool put_follower(Sheet *sheet) {
  PxEdit *edit = &sheet->edit;
  const Master *master = edit->shift->drops ? g_hash_table_lookup(sheet->masters, sheet->si) : NULL;
  if (!master || (!edit->own && !master->met))
    return false;
  g_autoptr(GString) to = g_string_new(NULL);
  g_autofree char *prefix = px_edit_prefix(edit);
  PxFormulaPlace place = {.own = edit->own, .rows = (int64_t)sheet->row - master->row, .columns = (int64_t)sheet->column - master->column};
  unsigned done = px_shift_formula(edit->shift, &place, master->text, strlen(master->text), to);
  edit->changed = true;
  if (!(done & PX_SHIFT_LOST))
    put_plain(sheet, prefix, to->str, to->len);
  return true;
}

/* A formula of which a reference was lost goes; its value stays. */
static void end_formula(Sheet *sheet) {
  PxEdit *edit = &sheet->edit;
  bool shared = g_strcmp0(sheet->type, "shared") == 0 && sheet->si;
  bool drops = edit->shift->drops;
  PxFormulaPlace place = {.own = edit->own};
  g_autoptr(GString) to = g_string_new(NULL);
  unsigned done = px_shift_formula(edit->shift, &place, edit->text->str, edit->text->len, to);
  bool met = done & PX_SHIFT_MET;
  if (shared && sheet->ref && drops)
    keep_master(sheet, met);
  edit->changed |= (done & PX_SHIFT_MOVED) != 0;
  if (sheet->gone || (drops && (done & PX_SHIFT_LOST)) || (edit->text->len == 0 && is_follower(sheet) && put_follower(sheet)))
    return;
  g_autofree char *prefix = px_edit_prefix(edit);
  if (shared && drops && (edit->own || met))
    put_plain(sheet, prefix, to->str, to->len);
  else
    px_edit_put_text(edit, to->str, to->len);
}

static void start_formula(Sheet *sheet) {
  PxEdit *edit = &sheet->edit;
  g_free(sheet->type);
  g_free(sheet->ref);
  g_free(sheet->si);
  sheet->type = px_edit_attribute(edit, "t");
  sheet->ref = px_edit_attribute(edit, "ref");
  sheet->si = px_edit_attribute(edit, "si");
  if (!edit->token.empty) {
    px_edit_start_text(edit);
    put_formula_tag(sheet, false);
  } else if (!sheet->gone && !(is_follower(sheet) && put_follower(sheet)))
    put_formula_tag(sheet, true);
}

/* ---- tokens */

static bool start_in_rows(Sheet *sheet, GError **error) {
  PxEdit *edit = &sheet->edit;
  if (edit->level == 3 && px_edit_is(edit, "row"))
    return start_row(sheet, error);
  if (edit->level == 4 && px_edit_is(edit, "c"))
    return start_cell(sheet, error);
  if (edit->level == 5 && px_edit_is(edit, "f") && moves(edit))
    start_formula(sheet);
  else if (!sheet->gone)
    px_edit_keep(edit);
  return true;
}

static bool take_in_rows(Sheet *sheet, PxXmlKind kind, GError **error) {
  PxEdit *edit = &sheet->edit;
  bool whole;
  if (edit->text_level) {
    if (!px_edit_take_text(edit, kind, &whole, error))
      return false;
    if (whole)
      end_formula(sheet);
    return true;
  }
  if (kind == PX_XML_START)
    return start_in_rows(sheet, error);
  if (kind == PX_XML_END && edit->level == 3) {
    end_row(sheet);
    return true;
  }
  if (kind == PX_XML_END && edit->level == 2)
    sheet->in_rows = false;
  if (!sheet->gone)
    px_edit_keep(edit);
  return true;
}

/* All that is used (18.3.1.35), the new column too. */
static void put_dimension(Sheet *sheet) {
  PxEdit *edit = &sheet->edit;
  g_autofree char *old = px_edit_attribute(edit, "ref");
  g_autoptr(GString) to = g_string_new(NULL);
  PxRangeRef range;
  if (old && px_range_ref_read(old, strlen(old), &range) && range.from.column && range.from.row && px_shift_range(edit->shift, &range)) {
    range.single = false;
    range.from.column = MIN(range.from.column, sheet->mark->column);
    range.to.column = MAX(range.to.column, sheet->mark->column);
    px_range_ref_write(&range, to);
  } else
    g_string_assign(to, "A1");
  const PxNewAttribute new[] = {{.name = "ref", .value = to->str}};
  px_edit_tag(edit, new, G_N_ELEMENTS(new));
}

static bool on_token(PxEdit *edit, PxXmlKind kind, GError **error) {
  Sheet *sheet = edit->data;
  if (sheet->in_rows)
    return take_in_rows(sheet, kind, error);
  if (take_cols(sheet, kind))
    return true;
  bool starts = kind == PX_XML_START && edit->level == 2;
  if (starts && px_edit_is(edit, "sheetData"))
    start_rows(sheet);
  else if (starts && sheet->mark && px_edit_is(edit, "dimension"))
    put_dimension(sheet);
  else if (moves(edit))
    return px_edit_references(edit, kind, error);
  else
    px_edit_keep(edit);
  return true;
}

bool px_mark_sheet(PxMark *mark, const PxZipMember *member, bool own, PxZipWriter *to, bool *ret_changed, GError **error) {
  g_auto(Sheet) sheet = {.mark = own ? mark : NULL};
  sheet.masters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, master_free);
  px_edit_init(&sheet.edit, on_token, &sheet, &mark->shift, own);
  sheet.edit.ranges = own ? mark->ranges : NULL;
  bool ok = px_edit_run(&sheet.edit, mark->zip, member, to, error);
  if (ret_changed)
    *ret_changed = sheet.edit.changed;
  return ok;
}
