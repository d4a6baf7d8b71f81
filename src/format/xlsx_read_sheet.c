/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a sheet (18.3.1.73). A row is read in one go out of the window: when it does not end there, the window is filled and the row begun
 * again, so that nothing has to be remembered half-way. */
#include "format/xlsx_read_fast.h"
#include "format/xlsx_read_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define MAX_ROW_NUMBER UINT32_C(1000000000) /* Excel has 1,048,576 rows, other programs more */

typedef enum { BEFORE_ROWS, IN_ROWS, BEHIND_ROWS } Phase;

struct PxXlsxSheet {
  PxXml xml;
  const PxXlsxBook *book;
  PxXlsxStrings *strings;
  PxArena *arena; /* what is no view, of the row */
  PxXlsxText value, formula;
  PxCell *cells;
  size_t n_cells, cells_room, max_cells;
  uint64_t bytes; /* of the row's cells */
  uint64_t max_row_bytes, max_text_bytes;
  uint64_t row;           /* the last one that was begun */
  const char *row_digits; /* of its number, as the row or own_digits have them */
  size_t row_len;
  char own_digits[24];
  Phase phase;
  bool general;    /* no short cuts */
  uint32_t *slots; /* of a column: where its cells go; NULL: to the column */
  size_t n_slots;
  uint8_t *column_styles; /* PxXlsxStyle of cells that name none */
  size_t n_column_styles;
  bool gnumeric; /* wrote it */
};

#define NO_SLOT UINT32_MAX
#define NO_STYLE SIZE_MAX

/* What a c element says of itself, and what was in it. */
typedef struct {
  size_t column; /* from 0 on */
  PxXlsxCellType type;
  size_t style; /* index; NO_STYLE: it says none */
  bool has_value, has_formula;
} Cell;

/* ---- complaints */

static PxXmlKind refuse(const PxXlsxSheet *sheet, const Cell *cell, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* The reader puts the row in front. */
static PxXmlKind refuse(const PxXlsxSheet *sheet, const Cell *cell, GError **error, const char *format, ...) {
  g_autoptr(GString) what = g_string_new(NULL);
  if (cell) {
    g_autofree char *name = px_text_cell_name(cell->column, sheet->row);
    g_string_append_printf(what, "cell %s: ", name);
  }
  va_list arguments;
  va_start(arguments, format);
  g_string_append_vprintf(what, format, arguments);
  va_end(arguments);
  g_set_error_literal(error, PX_ERROR, PX_ERROR_REFUSED, what->str);
  return PX_XML_BAD;
}

/* ---- the row's cells */

static void make_room(PxXlsxSheet *sheet, size_t n) {
  if (n > sheet->cells_room) {
    sheet->cells_room = MAX(n, sheet->cells_room * 2 + 32);
    sheet->cells = g_renew(PxCell, sheet->cells, sheet->cells_room);
  }
  for (; sheet->n_cells < n; sheet->n_cells++) /* a ptr of NULL: no cell stood there */
    sheet->cells[sheet->n_cells] = (PxCell){0};
}

static inline PxXmlKind put(PxXlsxSheet *sheet, const Cell *cell, PxCellKind kind, const char *text, size_t len, GError **error) {
  if (G_UNLIKELY(cell->column >= sheet->max_cells))
    return refuse(sheet, cell, error, "more than %zu columns: raise cells of the pattern's limits when it is meant so", sheet->max_cells);
  if (G_UNLIKELY(len > sheet->max_text_bytes))
    return refuse(sheet, cell, error,
                  "a text of %zu bytes, at most %" PRIu64 " are allowed: raise text_bytes of the pattern's limits when it is meant so", len,
                  sheet->max_text_bytes);
  sheet->bytes += len;
  if (G_UNLIKELY(sheet->bytes > sheet->max_row_bytes))
    return refuse(sheet, cell, error, "the row has more than %" PRIu64 " bytes: raise row_bytes of the pattern's limits when it is meant so",
                  sheet->max_row_bytes);
  size_t at = sheet->slots ? sheet->slots[cell->column] : cell->column;
  make_room(sheet, at + 1);
  PxCell *slot = &sheet->cells[at];
  if (G_UNLIKELY(slot->ptr))
    return refuse(sheet, cell, error, "the sheet has it twice");
  *slot = (PxCell){.ptr = text, .len = (uint32_t)len, .kind = (uint8_t)(len ? kind : PX_CELL_EMPTY)};
  return PX_XML_END;
}

/* Text that came in one piece is a view of the window; any other must be kept until the row has been taken. */
static const char *keep(PxXlsxSheet *sheet, const PxXlsxText *text) {
  return text->copied ? px_arena_strndup(sheet->arena, text->ptr, text->len) : text->ptr;
}

static PxXmlKind put_text(PxXlsxSheet *sheet, const Cell *cell, PxCellKind kind, GError **error) {
  if (kind == PX_CELL_TEXT)
    px_xlsx_text_unescape(&sheet->value);
  return put(sheet, cell, kind, keep(sheet, &sheet->value), sheet->value.len, error);
}

static PxXmlKind put_shared(PxXlsxSheet *sheet, const Cell *cell, const char *digits, size_t len, GError **error) {
  uint64_t count = sheet->strings ? px_xlsx_strings_count(sheet->strings) : 0;
  uint64_t index = 0;
  for (size_t i = 0; i < len; i++) {
    if (!g_ascii_isdigit(digits[i]) || index >= count)
      index = count;
    else
      index = index * 10 + (uint64_t)(digits[i] - '0');
  }
  if (len == 0 || index >= count) {
    g_autofree char *shown = px_text_quote(digits, len);
    return refuse(sheet, cell, error, "it means the shared string %s, but there are %" PRIu64 " of them: the workbook is broken", shown, count);
  }
  const char *text;
  uint32_t text_len;
  if (!px_xlsx_strings_get(sheet->strings, index, sheet->arena, &text, &text_len, error))
    return PX_XML_BAD;
  return put(sheet, cell, PX_CELL_TEXT, text, text_len, error);
}

static PxXlsxStyle style_of(const PxXlsxSheet *sheet, const Cell *cell) {
  size_t index = cell->style == NO_STYLE ? 0 : cell->style;
  if (cell->style == NO_STYLE && cell->column < sheet->n_column_styles)
    return (PxXlsxStyle)sheet->column_styles[cell->column];
  return index < sheet->book->n_styles ? (PxXlsxStyle)sheet->book->styles[index] : PX_XLSX_NUMBER;
}

static PxXmlKind put_number(PxXlsxSheet *sheet, const Cell *cell, const char *digits, size_t len, GError **error) {
  char text[PX_XLSX_SHORT];
  uint32_t text_len = 0;
  PxCellKind kind = PX_CELL_NUMBER;
  PxXlsxStyle style = style_of(sheet, cell);
  double serial;
  if (style != PX_XLSX_NUMBER && px_xlsx_value(digits, len, &serial))
    kind = px_xlsx_date(serial, style, sheet->book->from_1904, text, &text_len);
  if (kind == PX_CELL_NUMBER) {
    switch (px_xlsx_number(digits, len, text, &text_len)) {
    case PX_XLSX_AS_IT_IS:
      return put(sheet, cell, kind, digits, len, error);
    case PX_XLSX_NO_NUMBER: /* what makes of it an error is the field that it goes to */
      return put_text(sheet, cell, PX_CELL_TEXT, error);
    case PX_XLSX_WRITTEN:
      break;
    }
  }
  return put(sheet, cell, kind, px_arena_strndup(sheet->arena, text, text_len), text_len, error);
}

static PxXmlKind put_boolean(PxXlsxSheet *sheet, const Cell *cell, const char *word, size_t len, GError **error) {
  if ((len == 1 && *word == '1') || (len == 4 && memcmp(word, "true", 4) == 0))
    return put(sheet, cell, PX_CELL_BOOLEAN, "true", 4, error);
  if ((len == 1 && *word == '0') || (len == 5 && memcmp(word, "false", 5) == 0))
    return put(sheet, cell, PX_CELL_BOOLEAN, "false", 5, error);
  return put_text(sheet, cell, PX_CELL_TEXT, error);
}

static PxXmlKind put_date(PxXlsxSheet *sheet, const Cell *cell, const char *text, size_t len, GError **error) {
  char written[PX_XLSX_SHORT];
  uint32_t written_len = 0;
  PxCellKind kind = px_xlsx_iso_date(text, len, written, &written_len);
  if (kind == PX_CELL_TEXT)
    return put_text(sheet, cell, PX_CELL_TEXT, error);
  return put(sheet, cell, kind, px_arena_strndup(sheet->arena, written, written_len), written_len, error);
}

static PxXmlKind put_formula(PxXlsxSheet *sheet, const Cell *cell, GError **error) {
  const PxXlsxText *formula = &sheet->formula;
  char *text = px_arena_alloc(sheet->arena, formula->len + 1);
  text[0] = '=';
  memcpy(text + 1, formula->ptr, formula->len);
  return put(sheet, cell, PX_CELL_FORMULA, text, formula->len + 1, error);
}

static PxXmlKind put_cell(PxXlsxSheet *sheet, const Cell *cell, GError **error) {
  const char *text = sheet->value.ptr;
  size_t len = sheet->value.len;
  if (sheet->slots && (cell->column >= sheet->n_slots || sheet->slots[cell->column] == NO_SLOT))
    return PX_XML_END;
  bool is_text = cell->type == PX_XLSX_CELL_TEXT || cell->type == PX_XLSX_CELL_INLINE;
  if (len == 0) /* a formula of type str may have the empty text for a result */
    return cell->has_formula && !(is_text && cell->has_value) ? put_formula(sheet, cell, error) : put(sheet, cell, PX_CELL_EMPTY, "", 0, error);
  if (is_text)
    return put_text(sheet, cell, PX_CELL_TEXT, error);
  if (G_UNLIKELY((unsigned char)text[0] <= ' ' || (unsigned char)text[len - 1] <= ' '))
    px_text_strip(&text, &len);
  switch (cell->type) {
  case PX_XLSX_CELL_SHARED:
    return put_shared(sheet, cell, text, len, error);
  case PX_XLSX_CELL_BOOLEAN:
    return put_boolean(sheet, cell, text, len, error);
  case PX_XLSX_CELL_ERROR:
    return put_text(sheet, cell, PX_CELL_ERROR, error);
  case PX_XLSX_CELL_DATE:
    return put_date(sheet, cell, text, len, error);
  case PX_XLSX_CELL_NUMBER:
  case PX_XLSX_CELL_TEXT:
  case PX_XLSX_CELL_INLINE:
    break;
  }
  return put_number(sheet, cell, text, len, error);
}

/* ---- what a cell says of itself */

/* "BC23" -> column 54; false: it is no reference to a cell of this row. */
static bool take_reference(const PxXlsxSheet *sheet, const PxXmlAttribute *value, Cell *cell) {
  size_t column = 0;
  uint64_t row = 0;
  uint32_t i = 0;
  for (; i < value->value_len && value->value[i] >= 'A' && value->value[i] <= 'Z' && i < 6; i++)
    column = column * 26 + (size_t)(value->value[i] - 'A' + 1);
  uint32_t letters = i;
  for (; i < value->value_len && g_ascii_isdigit(value->value[i]) && i < 20; i++)
    row = row * 10 + (uint64_t)(value->value[i] - '0');
  if (letters == 0 || i == letters || i < value->value_len || row != sheet->row)
    return false;
  cell->column = column - 1;
  return true;
}

static bool take_type(const PxXmlAttribute *value, PxXlsxCellType *ret_type) {
  static const struct {
    const char *word;
    uint32_t len;
    PxXlsxCellType type;
  } types[] = {{"s", 1, PX_XLSX_CELL_SHARED},  {"n", 1, PX_XLSX_CELL_NUMBER}, {"str", 3, PX_XLSX_CELL_TEXT}, {"inlineStr", 9, PX_XLSX_CELL_INLINE},
               {"b", 1, PX_XLSX_CELL_BOOLEAN}, {"e", 1, PX_XLSX_CELL_ERROR},  {"d", 1, PX_XLSX_CELL_DATE}};
  for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
    if (types[i].len == value->value_len && memcmp(types[i].word, value->value, value->value_len) == 0) {
      *ret_type = types[i].type;
      return true;
    }
  return false;
}

static size_t take_style(const PxXmlAttribute *value) {
  size_t index = 0;
  for (uint32_t i = 0; i < value->value_len && g_ascii_isdigit(value->value[i]) && i < 9; i++)
    index = index * 10 + (size_t)(value->value[i] - '0');
  return index;
}

static PxXmlKind take_attributes(const PxXlsxSheet *sheet, Cell *cell, GError **error) {
  for (size_t i = 0; i < sheet->xml.n_attributes; i++) {
    const PxXmlAttribute *attribute = &sheet->xml.attributes[i];
    if (attribute->name_len != 1)
      continue;
    bool ok = true;
    if (*attribute->name == 'r')
      ok = take_reference(sheet, attribute, cell);
    else if (*attribute->name == 't')
      ok = take_type(attribute, &cell->type);
    else if (*attribute->name == 's')
      cell->style = take_style(attribute);
    if (G_UNLIKELY(!ok)) {
      g_autofree char *shown = px_text_quote(attribute->value, attribute->value_len);
      return refuse(sheet, NULL, error, "a cell with the %s %s: the workbook is broken", *attribute->name == 'r' ? "place" : "type", shown);
    }
  }
  return PX_XML_START;
}

/* ---- rows */

static PxXmlKind read_content(PxXlsxSheet *sheet, Cell *cell, GError **error) {
  PxXml *xml = &sheet->xml;
  for (;;) {
    PxXmlToken token;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    if (kind == PX_XML_TEXT || kind == PX_XML_CDATA)
      continue;
    if (kind != PX_XML_START)
      return kind;
    bool is_value = px_xml_is(&token, "v", 1);
    bool is_formula = !is_value && px_xml_is(&token, "f", 1);
    bool is_inline = !is_value && !is_formula && px_xml_is(&token, "is", 2);
    cell->has_value |= is_value | is_inline;
    cell->has_formula |= is_formula;
    if (token.empty)
      continue;
    if (is_value)
      kind = px_xlsx_text_of(xml, &sheet->value, error);
    else if (is_formula)
      kind = px_xlsx_text_of(xml, &sheet->formula, error);
    else
      kind = is_inline ? px_xlsx_rich_text(xml, &sheet->value, error) : px_xlsx_skip(xml, error);
    if (kind != PX_XML_END)
      return kind;
  }
}

/* column: of the cell before; is that of this one when it has been read. */
static PxXmlKind read_cell(PxXlsxSheet *sheet, bool empty, size_t *column, GError **error) {
  Cell cell = {.column = *column + 1, .style = NO_STYLE};
  PxXmlKind kind = take_attributes(sheet, &cell, error);
  if (kind == PX_XML_BAD)
    return kind;
  *column = cell.column;
  px_xlsx_text_clear(&sheet->value);
  px_xlsx_text_clear(&sheet->formula);
  kind = empty ? PX_XML_END : read_content(sheet, &cell, error);
  return kind == PX_XML_END ? put_cell(sheet, &cell, error) : kind;
}

/* Cells of the usual forms, up to the first other one. */
static PxXmlKind read_fast(PxXlsxSheet *sheet, size_t *column, GError **error) {
  for (;;) {
    PxXlsxFastCell fast = {.column = *column};
    const char *p = px_xlsx_fast_blanks(sheet->xml.at);
    if (p[0] != '<' || p[1] != 'c')
      break;
    p = px_xlsx_fast_cell(p + 2, sheet->row_digits, sheet->row_len, &fast);
    if (!p)
      break;
    const Cell cell = {.column = fast.column, .type = fast.type, .style = fast.style, .has_value = true};
    sheet->value = (PxXlsxText){.ptr = fast.text, .len = fast.len, .copy = sheet->value.copy, .underscore = fast.underscore};
    if (put_cell(sheet, &cell, error) == PX_XML_BAD)
      return PX_XML_BAD;
    *column = fast.column;
    sheet->xml.at = p;
  }
  return PX_XML_START;
}

static PxXmlKind read_cells(PxXlsxSheet *sheet, GError **error) {
  PxXml *xml = &sheet->xml;
  size_t column = SIZE_MAX;
  for (;;) {
    if (!sheet->general && read_fast(sheet, &column, error) == PX_XML_BAD)
      return PX_XML_BAD;
    PxXmlToken token;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    if (kind == PX_XML_TEXT || kind == PX_XML_CDATA)
      continue;
    if (kind != PX_XML_START)
      return kind;
    if (px_xml_is(&token, "c", 1))
      kind = read_cell(sheet, token.empty, &column, error);
    else
      kind = token.empty ? PX_XML_END : px_xlsx_skip(xml, error);
    if (kind != PX_XML_END)
      return kind;
  }
}

/* The number that the row says it has, or the next one. */
static PxXmlKind take_number(PxXlsxSheet *sheet, uint64_t before, GError **error) {
  const PxXmlAttribute *said = px_xml_attribute(&sheet->xml, "r");
  uint64_t number = before + 1;
  if (said) {
    number = 0;
    for (uint32_t i = 0; i < said->value_len; i++)
      number = g_ascii_isdigit(said->value[i]) && number <= MAX_ROW_NUMBER ? number * 10 + (uint64_t)(said->value[i] - '0') : MAX_ROW_NUMBER + 1;
    if (number <= before || number > MAX_ROW_NUMBER) {
      g_autofree char *shown = px_text_quote(said->value, said->value_len);
      return refuse(sheet, NULL, error, "a row with the number %s follows: the workbook is broken", shown);
    }
  }
  sheet->row = number;
  sheet->row_digits = said ? said->value : sheet->own_digits;
  sheet->row_len = said ? said->value_len : (size_t)g_snprintf(sheet->own_digits, sizeof sheet->own_digits, "%" PRIu64, number);
  return PX_XML_START;
}

/* A row, behind whose start the reader is. */
static PxXmlKind read_row(PxXlsxSheet *sheet, bool empty, uint64_t before, GError **error) {
  sheet->n_cells = 0;
  sheet->bytes = 0;
  px_arena_reset(sheet->arena);
  PxXmlKind kind = take_number(sheet, before, error);
  if (kind == PX_XML_START)
    kind = empty ? PX_XML_END : read_cells(sheet, error);
  while (sheet->n_cells > 0 && sheet->cells[sheet->n_cells - 1].kind == PX_CELL_EMPTY) /* cells that are only coloured */
    sheet->n_cells--;
  return kind;
}

/* ---- the sheet */

/* Gnumeric writes no style in a cell that has the one of its column (18.3.1.13), where every other program means the first style of all. */
static bool is_gnumeric(const PxXml *xml) {
  const PxXmlAttribute *name = px_xml_attribute(xml, "gnmx");
  return name && px_xml_value_is(name, "http://www.gnumeric.org/ext/spreadsheetml");
}

static size_t number_of(const PxXml *xml, const char *name, size_t otherwise) {
  const PxXmlAttribute *attribute = px_xml_attribute(xml, name);
  size_t number = 0;
  for (uint32_t i = 0; attribute && i < attribute->value_len && g_ascii_isdigit(attribute->value[i]) && i < 9; i++)
    number = number * 10 + (size_t)(attribute->value[i] - '0');
  return attribute ? number : otherwise;
}

/* A col element: its style, where it is one of dates. */
static void take_column(PxXlsxSheet *sheet) {
  size_t first = number_of(&sheet->xml, "min", 1);
  size_t last = MIN(number_of(&sheet->xml, "max", first), sheet->max_cells);
  size_t index = number_of(&sheet->xml, "style", 0);
  if (first < 1 || first > last || index >= sheet->book->n_styles || sheet->book->styles[index] == PX_XLSX_NUMBER)
    return;
  if (last > sheet->n_column_styles) {
    sheet->column_styles = g_realloc(sheet->column_styles, last);
    memset(sheet->column_styles + sheet->n_column_styles, PX_XLSX_NUMBER, last - sheet->n_column_styles);
    sheet->n_column_styles = last;
  }
  memset(sheet->column_styles + first - 1, sheet->book->styles[index], last - first + 1);
}

static PxXmlKind next_row(PxXlsxSheet *sheet, GError **error) {
  PxXml *xml = &sheet->xml;
  size_t depth = xml->depth;
  uint64_t before = sheet->row;
  for (;;) {
    PxXmlToken token;
    const char *start = xml->at;
    PxXmlKind kind = px_xml_next(xml, &token, error);
    bool is_row = kind == PX_XML_START && px_xml_is(&token, "row", 3);
    if (is_row)
      kind = read_row(sheet, token.empty, before, error);
    else if (kind == PX_XML_START)
      kind = token.empty ? PX_XML_TEXT : px_xlsx_skip(xml, error);
    else if (kind == PX_XML_END)
      return PX_XML_EOF; /* of the rows */
    if (kind == PX_XML_BAD || (kind == PX_XML_END && is_row))
      return kind;
    if (kind == PX_XML_MORE) {
      xml->depth = depth;
      sheet->row = before;
      if (!px_xml_fill(xml, start, error))
        return PX_XML_BAD;
    }
  }
}

/* Up to the start of the rows, or the end of the part: what stands between is no row, but has to be whole. */
static bool pass(PxXlsxSheet *sheet, GError **error) {
  PxXml *xml = &sheet->xml;
  for (;;) {
    PxXmlToken token;
    PxXmlKind kind = px_xml_next_filled(xml, &token, error);
    if (kind == PX_XML_BAD || kind == PX_XML_EOF)
      return kind == PX_XML_EOF;
    if (kind != PX_XML_START)
      continue;
    size_t level = xml->depth + token.empty;
    if (level == 1)
      sheet->gnumeric = is_gnumeric(xml);
    else if (level == 3 && sheet->gnumeric && px_xml_is(&token, "col", 3))
      take_column(sheet);
    if (level == 1 && !px_xml_is(&token, "worksheet", 9)) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "this part is no worksheet");
      return false;
    }
    if (level != 2 || !px_xml_is(&token, "sheetData", 9))
      continue;
    if (sheet->phase == BEHIND_ROWS) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the sheet has its rows twice");
      return false;
    }
    sheet->phase = token.empty ? BEHIND_ROWS : IN_ROWS;
    if (!token.empty)
      return true;
  }
}

PxXlsxSheet *px_xlsx_sheet_open(const PxZip *zip, const PxXlsxBook *book, PxXlsxStrings *strings, const PxFormatOptions *options,
                                const PxXlsxKnobs *knobs, GError **error) {
  const PxZipMember *member = px_zip_find(zip, book->sheet_part);
  if (!member) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the workbook has no part %s, although it says so", book->sheet_part);
    return NULL;
  }
  PxXlsxSheet *sheet = g_new0(PxXlsxSheet, 1);
  sheet->book = book;
  sheet->strings = strings;
  sheet->arena = px_arena_new();
  sheet->max_cells = (size_t)CLAMP(options->max_cells, 1, G_MAXINT32);
  sheet->max_row_bytes = MIN(options->max_row_bytes, G_MAXINT32 / 8);
  sheet->max_text_bytes = MIN(options->max_text_bytes, sheet->max_row_bytes);
  sheet->general = knobs->general;
  if (!px_xml_open_sized(&sheet->xml, zip, member, knobs->window, (size_t)sheet->max_row_bytes, options->max_depth, error) || !pass(sheet, error)) {
    px_xlsx_sheet_close(sheet);
    return NULL;
  }
  return sheet;
}

void px_xlsx_sheet_close(PxXlsxSheet *sheet) {
  if (!sheet)
    return;
  px_xml_close(&sheet->xml);
  px_arena_free(sheet->arena);
  if (sheet->value.copy)
    g_string_free(sheet->value.copy, TRUE);
  if (sheet->formula.copy)
    g_string_free(sheet->formula.copy, TRUE);
  g_free(sheet->cells);
  g_free(sheet->slots);
  g_free(sheet->column_styles);
  g_free(sheet);
}

void px_xlsx_sheet_keep_columns(PxXlsxSheet *sheet, const uint32_t *columns, size_t n) {
  sheet->n_slots = n ? columns[n - 1] + 1 : 0;
  sheet->slots = g_renew(uint32_t, sheet->slots, sheet->n_slots + 1);
  for (size_t i = 0; i < sheet->n_slots; i++)
    sheet->slots[i] = NO_SLOT;
  for (size_t i = 0; i < n; i++)
    sheet->slots[columns[i]] = (uint32_t)i;
}

uint64_t px_xlsx_sheet_used(const PxXlsxSheet *sheet) {
  return sheet->xml.consumed;
}

PxReadResult px_xlsx_sheet_next(PxXlsxSheet *sheet, PxRow *ret_row, GError **error) {
  if (sheet->phase != IN_ROWS)
    return PX_READ_END;
  PxXmlKind kind = next_row(sheet, error);
  if (kind == PX_XML_END) {
    *ret_row = (PxRow){.number = sheet->row, .place = UINT64_MAX, .cells = sheet->cells, .n_cells = sheet->n_cells};
    return PX_READ_ROW;
  }
  if (kind == PX_XML_EOF) {
    sheet->phase = BEHIND_ROWS;
    if (pass(sheet, error))
      return PX_READ_END;
  }
  return PX_READ_ERROR;
}
