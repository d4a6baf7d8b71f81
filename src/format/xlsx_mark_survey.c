/* SPDX-License-Identifier: Apache-2.0 */
/* What a workbook holds, before anything is written: which part is what, what refers to the sheet that nobody here can move along, and so
 * where the column goes. */
#include "format/xlsx_mark_private.h"

#include "base/text.h"
#include "format/reader.h"

#include <string.h>

#define MOST_SEARCHED ((size_t)64 * 1024 * 1024)

void px_mark_complain(GString *reason, const char *what) {
  if (reason->len == 0)
    g_string_append(reason, what);
}

const PxPart *px_mark_part(const PxMark *mark, const char *name) {
  g_autofree char *lower = g_ascii_strdown(name, -1);
  return g_hash_table_lookup(mark->parts, lower);
}

/* ---- the sheet */

static bool is_one_of(const char *name, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (g_ascii_strcasecmp(name, names[i]) == 0)
      return true;
  return false;
}

/* Children of a worksheet (ECMA-376 part 1, 18.3.1.99) that the rules know, or that refer to no cell. */
static void check_element(PxMark *mark, const PxEdit *edit) {
  static const char *const known[] = {"sheetPr",
                                      "dimension",
                                      "sheetViews",
                                      "sheetFormatPr",
                                      "cols",
                                      "sheetData",
                                      "sheetCalcPr",
                                      "sheetProtection",
                                      "protectedRanges",
                                      "scenarios",
                                      "autoFilter",
                                      "sortState",
                                      "customSheetViews",
                                      "mergeCells",
                                      "phoneticPr",
                                      "conditionalFormatting",
                                      "dataValidations",
                                      "hyperlinks",
                                      "printOptions",
                                      "pageMargins",
                                      "pageSetup",
                                      "headerFooter",
                                      "rowBreaks",
                                      "colBreaks",
                                      "customProperties",
                                      "cellWatches",
                                      "ignoredErrors",
                                      "smartTags",
                                      "drawing",
                                      "legacyDrawing",
                                      "legacyDrawingHF",
                                      "drawingHF",
                                      "picture",
                                      "tableParts",
                                      "extLst"};
  static const struct {
    const char *name, *what;
  } others[] = {{"controls", "form controls"}, {"AlternateContent", "form controls"}, {"oleObjects", "embedded objects"}};
  g_autofree char *name = g_strndup(edit->token.ptr, edit->token.len);
  if (is_one_of(name, known, G_N_ELEMENTS(known)))
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
    if (strcmp(others[i].name, name) == 0)
      px_mark_complain(mark->end_reason, others[i].what);
  px_mark_complain(mark->end_reason, "a part that this program does not know");
}

/* Extensions (18.2.7) whose references are f and sqref elements: conditional formats, validations, sparklines of Excel 2010. */
static void check_extension(PxMark *mark, const PxEdit *edit) {
  static const char *const known[] = {"{78C0D931-6437-407d-A8EE-F0AAD7539E65}", "{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"};
  g_autofree char *uri = px_edit_attribute(edit, "uri");
  if (uri && g_ascii_strcasecmp(uri, "{05C60535-1F16-4fd2-B633-F4F36F0B64E0}") == 0)
    px_mark_complain(mark->rows_reason, "sparklines, which stand in single rows");
  else if (!uri || !is_one_of(uri, known, G_N_ELEMENTS(known)))
    px_mark_complain(mark->end_reason, "an extension that this program does not know");
}

/* An extension may not be left without anything in it. */
static void check_ranges(PxMark *mark) {
  for (guint i = 0; i < mark->ranges->len; i++) {
    const char *ranges = mark->ranges->pdata[i];
    g_autoptr(GString) to = g_string_new(NULL);
    if (!px_shift_sqref(&mark->shift, ranges, strlen(ranges), to))
      px_mark_complain(mark->rows_reason, "a conditional format or a validation of which no row would be left");
  }
}

typedef struct {
  PxMark *mark;
  uint32_t column;
} Survey;

static bool is_full(const PxMark *mark, uint32_t column) {
  return mark->full[(column - 1) / 8] >> ((column - 1) % 8) & 1;
}

static void fill(PxMark *mark, uint32_t from, uint32_t to) {
  to = MIN(to, PX_SHEET_COLUMNS);
  for (uint32_t column = MAX(from, 1); column <= to; column++)
    mark->full[(column - 1) / 8] |= (uint8_t)(1U << ((column - 1) % 8));
  mark->last_full = MAX(mark->last_full, to);
}

static bool take_place(Survey *survey, const PxEdit *edit, GError **error) {
  PxMark *mark = survey->mark;
  const PxXmlAttribute *r = px_xml_attribute(&edit->xml, "r");
  PxCellRef ref = {.column = survey->column + 1};
  if (r && !px_cell_ref_read(r->value, r->value + r->value_len, &ref))
    return px_edit_refuse(error, "row %u: a cell with a wrong place: the workbook is broken", mark->last_row);
  survey->column = ref.column;
  mark->last_column = MAX(mark->last_column, ref.column);
  return true;
}

static bool on_sheet_token(PxEdit *edit, PxXmlKind kind, GError **error) {
  Survey *survey = edit->data;
  PxMark *mark = survey->mark;
  bool whole = false;
  if (edit->text_level && !px_edit_take_text(edit, kind, &whole, error))
    return false;
  if (whole)
    g_ptr_array_add(mark->ranges, g_strdup(edit->text->str));
  if (kind != PX_XML_START)
    return true;
  if (px_edit_is(edit, "sqref") && !edit->token.empty)
    px_edit_start_text(edit);
  else if (edit->level == 4 && px_edit_is(edit, "c"))
    return take_place(survey, edit, error);
  else if (edit->level == 5 && (px_edit_is(edit, "v") || px_edit_is(edit, "f") || px_edit_is(edit, "is"))) {
    if (survey->column > 0 && survey->column <= PX_SHEET_COLUMNS && !is_full(mark, survey->column))
      fill(mark, survey->column, survey->column);
  } else if (edit->level == 3 && px_edit_is(edit, "row")) {
    survey->column = 0;
    uint32_t number = px_edit_number(edit, "r");
    mark->last_row = number > 0 ? MAX(number, mark->last_row) : mark->last_row + 1;
  } else if (edit->level == 3 && px_edit_is(edit, "ext")) {
    check_extension(mark, edit);
  } else if (edit->level == 2) {
    check_element(mark, edit);
  } else if (px_edit_is(edit, "mergeCell")) {
    g_autofree char *ref = px_edit_attribute(edit, "ref");
    PxRangeRef range;
    if (ref && px_range_ref_read(ref, strlen(ref), &range)) {
      mark->last_column = MAX(mark->last_column, range.to.column);
      fill(mark, range.from.column, range.to.column);
    }
  }
  return true;
}

bool px_mark_survey_sheet(PxMark *mark, const PxZipMember *member, GError **error) {
  Survey survey = {.mark = mark};
  g_auto(PxEdit) edit;
  px_edit_init(&edit, on_sheet_token, &survey, &mark->shift, true);
  return px_edit_run(&edit, mark->zip, member, NULL, error);
}

/* ---- drawings */

static bool on_drawing_token(PxEdit *edit, PxXmlKind kind, GError **error) {
  static const char *const unknown[] = {"graphicFrame", "AlternateContent", "contentPart"};
  PxMark *mark = edit->data;
  if (kind != PX_XML_START)
    return true;
  g_autofree char *name = g_strndup(edit->token.ptr, edit->token.len);
  if (is_one_of(name, unknown, G_N_ELEMENTS(unknown)))
    px_mark_complain(mark->end_reason, strcmp(name, "graphicFrame") == 0 ? "a chart" : "a drawing that this program does not know");
  if (strcmp(name, "ClientData") == 0) {
    g_autofree char *type = px_edit_attribute(edit, "ObjectType");
    if (type && strcmp(type, "Note") != 0)
      px_mark_complain(mark->end_reason, "form controls");
  }
  return true;
}

bool px_mark_survey_drawing(PxMark *mark, const PxZipMember *member, GError **error) {
  g_auto(PxEdit) edit;
  g_autoptr(GError) broken = NULL;
  px_edit_init(&edit, on_drawing_token, mark, &mark->shift, true);
  if (px_edit_run(&edit, mark->zip, member, NULL, &broken))
    return true;
  if (!g_error_matches(broken, PX_ERROR, PX_ERROR_REFUSED)) {
    g_propagate_error(error, g_steal_pointer(&broken));
    return false;
  }
  px_mark_complain(mark->end_reason, "a drawing that cannot be read"); /* legacy ones need not be good XML */
  return true;
}

/* ---- tables: one cannot be without rows */

typedef struct {
  const PxMark *mark;
  bool whole;
} Table;

static bool on_table_token(PxEdit *edit, PxXmlKind kind, GError **error) {
  Table *table = edit->data;
  if (kind != PX_XML_START || edit->level != 1)
    return true;
  g_autofree char *ref = px_edit_attribute(edit, "ref");
  g_autofree char *header = px_edit_attribute(edit, "headerRowCount");
  uint32_t header_rows = header ? px_edit_number(edit, "headerRowCount") : 1;
  PxRangeRef range;
  table->whole = ref && px_range_ref_read(ref, strlen(ref), &range) && (!header_rows || px_shift_stays(edit->shift, range.from.row)) &&
                 (!px_edit_number(edit, "totalsRowCount") || px_shift_stays(edit->shift, range.to.row));
  uint32_t above = header_rows;
  uint32_t height = table->whole ? px_shift_row_back(edit->shift, range.to.row) + 1 - px_shift_row(edit->shift, range.from.row) : 0;
  table->whole = table->whole && height > above + px_edit_number(edit, "totalsRowCount");
  return true;
}

static bool check_table(PxMark *mark, const PxZipMember *member, GError **error) {
  Table table = {.mark = mark};
  g_auto(PxEdit) edit;
  px_edit_init(&edit, on_table_token, &table, &mark->shift, true);
  if (!px_edit_run(&edit, mark->zip, member, NULL, error))
    return false;
  if (!table.whole)
    px_mark_complain(mark->rows_reason, "a table of which no row would be left");
  return true;
}

/* ---- which part is what */

static void know(PxMark *mark, const char *name, PxPartKind kind, bool own, bool table) {
  PxPart *part = g_new(PxPart, 1);
  *part = (PxPart){.kind = kind, .own = own, .table = table};
  g_hash_table_replace(mark->parts, g_ascii_strdown(name, -1), part);
}

static const char *last_word(const char *type) {
  const char *slash = type ? strrchr(type, '/') : NULL;
  return slash ? slash + 1 : "";
}

typedef struct {
  const char *type;
  PxPartKind kind;
  bool only_own; /* on other sheets they hold no reference to this one */
} Known;

/* Relations of a worksheet. */
static const Known of_sheets[] = {
  {"table", PX_PART_REFERENCES, false}, {"comments", PX_PART_REFERENCES, true}, {"threadedComment", PX_PART_REFERENCES, true},
  {"drawing", PX_PART_DRAWING, true},   {"vmlDrawing", PX_PART_NOTES, true},    {"printerSettings", PX_PART_KEPT, false},
  {"image", PX_PART_KEPT, false},       {"hyperlink", PX_PART_KEPT, false},     {"customProperty", PX_PART_KEPT, false},
};

/* Relations of the workbook. */
static const Known of_books[] = {
  {"worksheet", PX_PART_SHEET, false},    {"styles", PX_PART_STYLES, false},   {"sharedStrings", PX_PART_KEPT, false},
  {"theme", PX_PART_KEPT, false},         {"calcChain", PX_PART_CHAIN, false}, {"externalLink", PX_PART_KEPT, false},
  {"sheetMetadata", PX_PART_KEPT, false}, {"person", PX_PART_KEPT, false},     {"vbaProject", PX_PART_KEPT, false},
};

static const Known *find_known(const Known *known, size_t n, const char *type) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(known[i].type, last_word(type)) == 0)
      return &known[i];
  return NULL;
}

static bool take_sheet_parts(PxMark *mark, const char *sheet, bool own, GError **error) {
  g_autoptr(GArray) relations = px_xlsx_relations(mark->zip, sheet, error);
  for (guint i = 0; relations && i < relations->len; i++) {
    const PxXlsxRelation *relation = &g_array_index(relations, PxXlsxRelation, i);
    const Known *known = find_known(of_sheets, G_N_ELEMENTS(of_sheets), relation->type);
    if (!known && own) {
      bool pivot = strcmp(last_word(relation->type), "pivotTable") == 0;
      px_mark_complain(mark->end_reason, pivot ? "a pivot table" : "a part that this program does not know");
    }
    if (!known || !relation->target || !px_zip_find(mark->zip, relation->target) || (known->only_own && !own))
      continue;
    know(mark, relation->target, known->kind, own, strcmp(known->type, "table") == 0);
    if (own && (known->kind == PX_PART_DRAWING || known->kind == PX_PART_NOTES) &&
        !px_mark_survey_drawing(mark, px_zip_find(mark->zip, relation->target), error))
      return false;
  }
  return relations != NULL;
}

static bool take_book_parts(PxMark *mark, const char *book, GError **error) {
  g_autoptr(GArray) relations = px_xlsx_relations(mark->zip, book, error);
  for (guint i = 0; relations && i < relations->len; i++) {
    const PxXlsxRelation *relation = &g_array_index(relations, PxXlsxRelation, i);
    const Known *known = find_known(of_books, G_N_ELEMENTS(of_books), relation->type);
    if (!known || !relation->target || !px_zip_find(mark->zip, relation->target))
      continue;
    bool own = known->kind == PX_PART_SHEET && g_ascii_strcasecmp(relation->target, mark->book.sheet_part) == 0;
    know(mark, relation->target, known->kind, own, false);
    if (known->kind == PX_PART_CHAIN && !mark->chain)
      mark->chain = g_strdup(relation->target);
    if (known->kind == PX_PART_SHEET && !take_sheet_parts(mark, relation->target, own, error))
      return false;
  }
  return relations != NULL;
}

static bool take_parts(PxMark *mark, GError **error) {
  g_autoptr(GArray) top = px_xlsx_relations(mark->zip, "", error);
  if (!top)
    return false;
  for (guint i = 0; i < top->len; i++) {
    const PxXlsxRelation *relation = &g_array_index(top, PxXlsxRelation, i);
    if (!relation->target)
      continue;
    bool is_book = strcmp(last_word(relation->type), "officeDocument") == 0;
    know(mark, relation->target, is_book ? PX_PART_REFERENCES : PX_PART_KEPT, false, false);
    if (!is_book)
      continue;
    g_autofree char *folder = g_path_get_dirname(relation->target);
    g_autofree char *base = g_path_get_basename(relation->target);
    g_autofree char *path = g_strconcat(strcmp(folder, ".") == 0 ? "" : folder, strcmp(folder, ".") == 0 ? "" : "/", "_rels/", base, ".rels", NULL);
    know(mark, path, PX_PART_BOOK_RELATIONS, false, false);
    if (!take_book_parts(mark, relation->target, error))
      return false;
  }
  know(mark, "[Content_Types].xml", PX_PART_TYPES, false, false);
  return true;
}

/* ---- parts that are not known */

/* How a part may speak of the sheet: Data! or 'My Data'! in a formula, sheet="Data" in an attribute. */
static GPtrArray *mentions(const char *sheet) {
  GPtrArray *patterns = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *escaped = g_markup_escape_text(sheet, -1);
  g_auto(GStrv) pieces = g_strsplit(sheet, "'", -1);
  g_autofree char *doubled = g_strjoinv("''", pieces);
  g_autofree char *both = g_markup_escape_text(doubled, -1);
  g_autoptr(GString) plain = g_string_new(NULL);
  px_edit_escape(plain, doubled, strlen(doubled));
  g_ptr_array_add(patterns, g_strconcat(escaped, "!", NULL));
  g_ptr_array_add(patterns, g_strconcat(both, "'!", NULL));
  g_ptr_array_add(patterns, g_strconcat(both, "&apos;!", NULL));
  g_ptr_array_add(patterns, g_strconcat(plain->str, "'!", NULL));
  g_ptr_array_add(patterns, g_strconcat(" sheet=\"", escaped, "\"", NULL));
  return patterns;
}

static bool read_member(const PxZip *zip, const PxZipMember *member, GString *bytes, GError **error) {
  size_t got;
  g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, error);
  g_string_set_size(bytes, (gsize)member->size);
  return stream && px_zip_stream_read(stream, bytes->str, member->size, &got, error);
}

static bool may_refer(const PxMark *mark, const PxZipMember *member, bool *ret_may, GError **error) {
  const PxPart *part = px_mark_part(mark, member->name);
  g_autofree char *lower = g_ascii_strdown(member->name, -1);
  *ret_may = false;
  if (part || !g_str_has_suffix(lower, ".xml") || g_str_has_prefix(lower, "docprops/") || g_str_has_prefix(lower, "customxml/"))
    return true;
  *ret_may = true;
  if (member->size > MOST_SEARCHED)
    return true;
  g_autoptr(GString) bytes = g_string_new(NULL);
  if (!read_member(mark->zip, member, bytes, error))
    return false;
  g_autoptr(GPtrArray) patterns = mentions(mark->book.sheet);
  for (guint i = 0; i < patterns->len; i++)
    if (strstr(bytes->str, patterns->pdata[i]))
      return true;
  *ret_may = false;
  return true;
}

static bool check_foreign(PxMark *mark, GError **error) {
  for (size_t i = 0; i < px_zip_count(mark->zip); i++) {
    const PxZipMember *member = px_zip_member(mark->zip, i);
    bool may;
    if (!may_refer(mark, member, &may, error))
      return false;
    if (!may)
      continue;
    g_autofree char *lower = g_ascii_strdown(member->name, -1);
    px_mark_complain(mark->end_reason, strstr(lower, "chart")   ? "a chart"
                                       : strstr(lower, "pivot") ? "a pivot table"
                                                                : "a part that this program does not know");
  }
  return true;
}

/* ---- the header */

static bool is_error_name(PxCell cell) {
  const char *text = cell.ptr;
  size_t len = cell.len;
  px_text_strip(&text, &len);
  return len == strlen("#Error") && g_ascii_strncasecmp(text, "#Error", len) == 0;
}

static bool find_error_columns(PxMark *mark, GError **error) {
  g_autoptr(PxReader) reader = px_reader_open(px_zip_fd(mark->zip), mark->options, error);
  PxRow row = {0};
  for (unsigned i = 0; i < mark->header_rows; i++) {
    PxReadResult result = reader ? px_reader_next(reader, &row, error) : PX_READ_ERROR;
    if (result != PX_READ_ROW)
      return result == PX_READ_END;
  }
  for (size_t i = 0; i < row.n_cells; i++) {
    uint32_t column = (uint32_t)i + 1;
    if (is_error_name(row.cells[i]))
      g_array_append_val(mark->replaced, column);
  }
  mark->header_columns = (uint32_t)row.n_cells;
  return true;
}

/* ---- all of it */

static bool take_kept_rows(PxMark *mark, GError **error) {
  while (mark->texts.row > 0) {
    if (mark->texts.row > mark->header_rows && mark->texts.row <= mark->last_row)
      g_array_append_val(mark->kept, mark->texts.row);
    if (!px_mark_texts_next(&mark->texts, error))
      return false;
  }
  mark->shift.header_rows = mark->header_rows;
  mark->shift.last_row = MAX(mark->last_row, mark->header_rows);
  mark->shift.kept = (const uint32_t *)(const void *)mark->kept->data;
  mark->shift.n_kept = mark->kept->len;
  return true;
}

static bool check_tables(PxMark *mark, GError **error) {
  for (size_t i = 0; i < px_zip_count(mark->zip); i++) {
    const PxZipMember *member = px_zip_member(mark->zip, i);
    const PxPart *part = px_mark_part(mark, member->name);
    if (part && part->table && part->own && !check_table(mark, member, error))
      return false;
  }
  return true;
}

static void decide(PxMark *mark, bool all_rows) {
  bool inserts = mark->replaced->len == 0;
  bool in_the_way = mark->end_reason->len > 0;
  mark->shift.columns = inserts && !in_the_way;
  mark->shift.drops = !all_rows && !in_the_way && mark->rows_reason->len == 0;
  mark->column = !inserts ? g_array_index(mark->replaced, uint32_t, 0) : in_the_way ? mark->last_column + 1 : 1;
  if (all_rows || in_the_way)
    g_string_truncate(mark->rows_reason, 0);
  if (!inserts && all_rows)
    g_string_truncate(mark->end_reason, 0);
}

/* A column in which nothing stands: the first one behind the header, or in it; 0: there is none. */
static uint32_t find_free(const PxMark *mark) {
  for (uint32_t column = mark->header_columns + 1; column <= PX_SHEET_COLUMNS; column++)
    if (!is_full(mark, column))
      return column;
  for (uint32_t column = 1; column <= mark->header_columns; column++)
    if (!is_full(mark, column))
      return column;
  return 0;
}

/* The last column of the sheet is in use: nothing can move to the right, and nothing stands behind it. */
static bool squeeze(PxMark *mark, GError **error) {
  uint32_t column = find_free(mark);
  if (column == 0)
    return px_edit_refuse(error, "sheet %s has something in each of its %d columns, so there is no room for #Error", mark->book.sheet,
                          PX_SHEET_COLUMNS);
  mark->squeezed = true;
  mark->shift.columns = 0;
  mark->column = column;
  g_array_append_val(mark->replaced, column); /* whatever style is in it */
  return true;
}

bool px_mark_survey(PxMark *mark, bool all_rows, GError **error) {
  const PxZipMember *sheet = px_zip_find(mark->zip, mark->book.sheet_part);
  mark->shift.sheet = mark->book.sheet;
  if (!find_error_columns(mark, error) || !take_parts(mark, error) || !px_mark_survey_sheet(mark, sheet, error) || !take_kept_rows(mark, error))
    return false;
  mark->shift.drops = !all_rows;
  if (!all_rows)
    check_ranges(mark);
  if (!all_rows && !check_tables(mark, error))
    return false;
  bool moves = !all_rows || mark->replaced->len == 0;
  if (moves && !check_foreign(mark, error))
    return false;
  decide(mark, all_rows);
  bool no_room = mark->column > PX_SHEET_COLUMNS || (mark->shift.columns && mark->last_full >= PX_SHEET_COLUMNS);
  return !no_room || squeeze(mark, error);
}
