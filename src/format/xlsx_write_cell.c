/* SPDX-License-Identifier: Apache-2.0 */
/* One cell. Text stands in the cell itself (t="inlineStr"): it is never a formula, and no table of strings grows with the file. */
#include "base/utf8.h"
#include "format/xlsx_write_private.h"

#define MAX_BYTES_CHAR 3    /* of a UTF-16 unit */
#define MAX_BYTES_ESCAPED 7 /* "_x0007_" */
#define ROOM 160            /* for the tags of a cell and a number */

void px_xlsx_xml_grow(PxXlsxXml *xml, size_t room) {
  xml->size = MAX(xml->len + room, 2 * xml->size);
  xml->bytes = g_realloc(xml->bytes, xml->size);
}

uint8_t px_xlsx_column_name(size_t column, char name[3]) {
  char letters[3];
  uint8_t len = 0;
  for (size_t rest = column + 1; rest > 0; rest = (rest - 1) / 26)
    letters[len++] = (char)('A' + (rest - 1) % 26);
  for (uint8_t i = 0; i < len; i++)
    name[i] = letters[len - 1 - i];
  return len;
}

unsigned px_xlsx_cell_width(const PxCell *cell) {
  unsigned widest = 0;
  unsigned width = 0;
  for (const char *at = cell->ptr; at < cell->ptr + cell->len; at += px_utf8_char_len(*at)) {
    gunichar c = g_utf8_get_char(at);
    width = c == '\n' ? 0 : width + (g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1);
    widest = MAX(widest, width);
  }
  return widest;
}

/* ---- text */

typedef enum { SAFE, MARKUP, CONTROL, UNDERSCORE, NONCHARACTER } Special;

/* By the first byte; what XML 1.0 2.2 has no place for is written _xHHHH_ (ECMA-376 22.9.2.19), and so a text that looks like that. */
static const uint8_t special[256] = {
  [0x00 ... 0x08] = CONTROL, [0x0B ... 0x1F] = CONTROL, ['&'] = MARKUP, ['<'] = MARKUP, ['>'] = MARKUP, ['_'] = UNDERSCORE, [0xEF] = NONCHARACTER,
};

static bool looks_escaped(const char *at, size_t left) {
  return left >= 7 && at[1] == 'x' && g_ascii_isxdigit(at[2]) && g_ascii_isxdigit(at[3]) && g_ascii_isxdigit(at[4]) && g_ascii_isxdigit(at[5]) &&
         at[6] == '_';
}

static char *put_escape(char *to, unsigned c) {
  static const char digits[] = "0123456789ABCDEF";
  *to++ = '_';
  *to++ = 'x';
  for (int shift = 12; shift >= 0; shift -= 4)
    *to++ = digits[c >> shift & 15];
  *to++ = '_';
  return to;
}

static char *put(char *to, const char *text, size_t len) {
  memcpy(to, text, len);
  return to + len;
}
#define PUT(to, literal) put((to), (literal), sizeof(literal) - 1)

/* One special character at *at; passes over it. */
static char *put_special(char *to, const char **at, size_t left) {
  const char *from = *at;
  *at += 1;
  switch ((Special)special[(unsigned char)*from]) {
  case MARKUP:
    return *from == '&' ? PUT(to, "&amp;") : *from == '<' ? PUT(to, "&lt;") : PUT(to, "&gt;");
  case CONTROL:
    return put_escape(to, (unsigned char)*from);
  case UNDERSCORE:
    if (looks_escaped(from, left))
      return put_escape(to, '_');
    break;
  case NONCHARACTER: /* U+FFFE and U+FFFF are EF BF BE and EF BF BF */
    if (left >= 3 && from[1] == '\xBF' && (from[2] == '\xBE' || from[2] == '\xBF')) {
      *at += 2;
      return put_escape(to, from[2] == '\xBE' ? 0xFFFE : 0xFFFF);
    }
    break;
  case SAFE:
    break;
  }
  *to = *from;
  return to + 1;
}

static char *put_escaped(char *to, const char *text, size_t len) {
  const char *end = text + len;
  while (text < end) {
    char c = *text;
    if (G_LIKELY(!special[(unsigned char)c])) {
      *to++ = c;
      text++;
    } else {
      to = put_special(to, &text, (size_t)(end - text));
    }
  }
  return to;
}

static bool is_too_long(const PxCell *cell) {
  if (G_LIKELY(cell->len <= PX_XLSX_CHARS))
    return false;
  if (cell->len > PX_XLSX_CHARS * MAX_BYTES_CHAR)
    return true;
  size_t units = 0;
  for (uint32_t i = 0; i < cell->len; i++) {
    unsigned char c = (unsigned char)cell->ptr[i];
    units += (c & 0xC0) == 0x80 ? 0 : c >= 0xF0 ? 2 : 1;
  }
  return units > PX_XLSX_CHARS;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/* ---- the cell */

/* <c r="C12" */
static char *put_start(char *to, PxXlsxPlace place) {
  to = PUT(to, "<c r=\"");
  memcpy(to, place.column, 3); /* longer than it may be, and so without a loop */
  to += place.column_len;
  memcpy(to, place.row, 8);
  to += place.row_len;
  *to++ = '"';
  return to;
}

static char *put_style(char *to, PxXlsxStyle style) {
  if (style == PX_XLSX_PLAIN)
    return to;
  to = PUT(to, " s=\"");
  *to++ = (char)('0' + style);
  *to++ = '"';
  return to;
}

static bool put_text(PxXlsxXml *xml, PxXlsxPlace place, const PxCell *cell, PxXlsxStyle style) {
  if (is_too_long(cell))
    return false;
  char *to = put_start(px_xlsx_reserve(xml, ROOM + (size_t)cell->len * MAX_BYTES_ESCAPED), place);
  to = PUT(put_style(to, style), " t=\"inlineStr\"><is><t");
  to = is_blank(cell->ptr[0]) || is_blank(cell->ptr[cell->len - 1]) ? PUT(to, " xml:space=\"preserve\">") : PUT(to, ">");
  to = PUT(put_escaped(to, cell->ptr, cell->len), "</t></is></c>");
  xml->len = (size_t)(to - xml->bytes);
  return true;
}

static void put_value(PxXlsxXml *xml, PxXlsxPlace place, const char *type, const char *text, size_t len, PxXlsxStyle style) {
  char *to = put_start(px_xlsx_reserve(xml, ROOM + len), place);
  to = put(put_style(to, style), type, strlen(type));
  to = PUT(to, "><v>");
  to = PUT(put(to, text, len), "</v></c>");
  xml->len = (size_t)(to - xml->bytes);
}

/* ECMA-376 18.17.3 */
static bool is_error_value(const PxCell *cell) {
  static const char *const values[] = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"};
  for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
    if (strlen(values[i]) == cell->len && memcmp(values[i], cell->ptr, cell->len) == 0)
      return true;
  return false;
}

bool px_xlsx_put_cell(PxXlsxXml *xml, PxXlsxPlace place, const PxCell *cell, bool header) {
  if (cell->len == 0)
    return true;
  PxXlsxStyle style = header ? PX_XLSX_HEADER : PX_XLSX_PLAIN;
  PxXlsxStyle date_style;
  char serial[32];
  size_t len;
  switch ((PxCellKind)cell->kind) {
  case PX_CELL_NUMBER:
    if (!px_xlsx_number_fits(cell->ptr, cell->len))
      break;
    put_value(xml, place, "", cell->ptr, cell->len, style);
    return true;
  case PX_CELL_BOOLEAN:
    put_value(xml, place, " t=\"b\"", cell->len == 4 ? "1" : "0", 1, style);
    return true;
  case PX_CELL_DATE:
  case PX_CELL_DATETIME:
    len = px_xlsx_serial(cell->ptr, cell->len, serial, &date_style);
    if (!len)
      break;
    put_value(xml, place, "", serial, len, date_style);
    return true;
  case PX_CELL_ERROR:
    if (!is_error_value(cell))
      break;
    put_value(xml, place, " t=\"e\"", cell->ptr, cell->len, style);
    return true;
  default:
    break;
  }
  return put_text(xml, place, cell, header ? PX_XLSX_HEADER : PX_XLSX_TEXT);
}
