/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cells and shared strings in the very forms in which programs write nearly all of them, recognised as a whole. Whatever is written
 * otherwise is left to the general reader, which gives the same for these forms too. None of these functions reads more than 32 bytes behind
 * a NUL.
 */
#include "format/xlsx_read_xml.h"

#include <string.h>

typedef enum {
  PX_XLSX_CELL_NUMBER,
  PX_XLSX_CELL_SHARED,
  PX_XLSX_CELL_TEXT,
  PX_XLSX_CELL_INLINE,
  PX_XLSX_CELL_BOOLEAN,
  PX_XLSX_CELL_ERROR,
  PX_XLSX_CELL_DATE,
} PxXlsxCellType;

typedef struct {
  size_t column; /* in: of the cell before; out: of this one */
  size_t style;  /* index; SIZE_MAX: it says none */
  PxXlsxCellType type;
  const char *text;
  size_t len;
  bool underscore;
} PxXlsxFastCell;

static inline const char *px_xlsx_fast_type(const char *p, PxXlsxCellType *ret_type) {
  if (p[1] == '"') {
    switch (p[0]) {
    case 's':
      *ret_type = PX_XLSX_CELL_SHARED;
      return p + 2;
    case 'n':
      *ret_type = PX_XLSX_CELL_NUMBER;
      return p + 2;
    case 'b':
      *ret_type = PX_XLSX_CELL_BOOLEAN;
      return p + 2;
    default:
      return NULL;
    }
  }
  if (memcmp(p, "str\"", 4) == 0) {
    *ret_type = PX_XLSX_CELL_TEXT;
    return p + 4;
  }
  if (memcmp(p, "inlineStr\"", 10) == 0) {
    *ret_type = PX_XLSX_CELL_INLINE;
    return p + 10;
  }
  return NULL;
}

/* p is behind r=" ; row: the digits that the row's number is written with. */
static inline const char *px_xlsx_fast_reference(const char *p, const char *row, size_t row_len, size_t *ret_column) {
  size_t column = 0;
  int letters = 0;
  for (; *p >= 'A' && *p <= 'Z' && letters < 4; p++, letters++)
    column = column * 26 + (size_t)(*p - 'A' + 1);
  if (letters == 0)
    return NULL;
  for (size_t i = 0; i < row_len; i++)
    if (*p++ != row[i])
      return NULL;
  if (*p != '"')
    return NULL;
  *ret_column = column - 1;
  return p + 1;
}

/* p is behind <c ; behind its > or / when all is well. */
static inline const char *px_xlsx_fast_attributes(const char *p, const char *row, size_t row_len, PxXlsxFastCell *cell) {
  while (*p == ' ') {
    if (p[1] == '\0' || p[2] != '=' || p[3] != '"')
      return NULL;
    char name = p[1];
    p += 4;
    if (name == 'r') {
      p = px_xlsx_fast_reference(p, row, row_len, &cell->column);
    } else if (name == 't') {
      p = px_xlsx_fast_type(p, &cell->type);
    } else if (name == 's') {
      size_t style = 0;
      int digits = 0;
      for (; *p >= '0' && *p <= '9' && digits < 8; p++, digits++)
        style = style * 10 + (size_t)(*p - '0');
      cell->style = style;
      p = digits > 0 && *p == '"' ? p + 1 : NULL;
    } else {
      return NULL;
    }
    if (!p)
      return NULL;
  }
  return *p == '>' || *p == '/' ? p + 1 : NULL;
}

/* Behind the blanks that indent the tag at p. */
static inline const char *px_xlsx_fast_blanks(const char *p) {
  if (__builtin_expect(*p == '<', 1))
    return p;
#ifdef __SSE2__
  for (;; p += 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\n')));
    blank = _mm_or_si128(blank, _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'))));
    unsigned others = ~(unsigned)_mm_movemask_epi8(blank) & 0xFFFF;
    if (others)
      return p + __builtin_ctz(others);
  }
#else
  while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
    p++;
  return p;
#endif
}

/* Behind the tag, when it stands at p; else NULL. */
static inline const char *px_xlsx_fast_tag(const char *p, const char *tag, size_t len) {
  return memcmp(p, tag, len) == 0 ? p + len : NULL;
}

/* Behind the start of a t. */
static inline const char *px_xlsx_fast_t(const char *p) {
  const char *text = px_xlsx_fast_tag(p, "<t>", 3);
  return text ? text : px_xlsx_fast_tag(p, "<t xml:space=\"preserve\">", 24);
}

/* Behind the end of a t, and of what it stands in. */
static inline const char *px_xlsx_fast_ends(const char *p, const char *tag, size_t len) {
  p = px_xlsx_fast_tag(p, "</t>", 4);
  return p ? px_xlsx_fast_tag(px_xlsx_fast_blanks(p), tag, len) : NULL;
}

/* The cell at p, which is behind "<c": what is behind the cell; NULL: it is of another form. */
static inline const char *px_xlsx_fast_cell(const char *p, const char *row, size_t row_len, PxXlsxFastCell *cell) {
  PxXmlMarks marks = {false, false};
  cell->column++;
  cell->type = PX_XLSX_CELL_NUMBER;
  cell->style = SIZE_MAX;
  cell->text = p;
  cell->len = 0;
  cell->underscore = false;
  p = px_xlsx_fast_attributes(p, row, row_len, cell);
  if (!p)
    return NULL;
  if (p[-1] == '/')
    return *p == '>' ? p + 1 : NULL;
  p = px_xlsx_fast_blanks(p);
  bool is_value = memcmp(p, "<v>", 3) == 0;
  p = is_value ? p + 3 : px_xlsx_fast_tag(p, "<is>", 4);
  if (p && !is_value)
    p = px_xlsx_fast_t(px_xlsx_fast_blanks(p));
  if (!p)
    return NULL;
  cell->text = p;
  p = px_xml_scan_text(p, &marks);
  cell->len = (size_t)(p - cell->text);
  cell->underscore = marks.underscore;
  if (marks.escaped)
    return NULL;
  p = is_value ? px_xlsx_fast_tag(p, "</v>", 4) : px_xlsx_fast_ends(p, "</is>", 5);
  return p ? px_xlsx_fast_tag(px_xlsx_fast_blanks(p), "</c>", 4) : NULL;
}

/* <si><t>text</t></si> at p: what is behind it; NULL: it is of another form. */
static inline const char *px_xlsx_fast_string(const char *p, PxXmlToken *ret_text) {
  PxXmlMarks marks = {false, false};
  p = px_xlsx_fast_tag(px_xlsx_fast_blanks(p), "<si>", 4);
  p = p ? px_xlsx_fast_t(px_xlsx_fast_blanks(p)) : NULL;
  if (!p)
    return NULL;
  const char *end = px_xml_scan_text(p, &marks);
  *ret_text = (PxXmlToken){.ptr = p, .len = (size_t)(end - p), .underscore = marks.underscore};
  return marks.escaped ? NULL : px_xlsx_fast_ends(end, "</si>", 5);
}
