/* SPDX-License-Identifier: Apache-2.0 */
#include "format/xlsx_shift.h"

#include <string.h>

/* ---- rows and columns */

/* Kept rows up to this one. */
static size_t kept_up_to(const PxShift *shift, uint32_t row) {
  size_t low = 0;
  size_t high = shift->n_kept;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (shift->kept[middle] <= row)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool px_shift_stays(const PxShift *shift, uint32_t row) {
  if (!shift->drops || row <= shift->header_rows || row > shift->last_row)
    return true;
  size_t n = kept_up_to(shift, row);
  return n > 0 && shift->kept[n - 1] == row;
}

uint32_t px_shift_row_back(const PxShift *shift, uint32_t row) {
  if (!shift->drops || row <= shift->header_rows)
    return row;
  uint32_t staying = shift->header_rows + (uint32_t)kept_up_to(shift, row);
  return row <= shift->last_row ? staying : staying + row - shift->last_row;
}

uint32_t px_shift_next_staying(const PxShift *shift, uint32_t row) {
  if (px_shift_stays(shift, row))
    return row;
  size_t n = kept_up_to(shift, row);
  return n < shift->n_kept ? shift->kept[n] : shift->last_row + 1;
}

uint32_t px_shift_row(const PxShift *shift, uint32_t row) {
  return row <= 1 ? row : px_shift_row_back(shift, row - 1) + 1;
}

uint32_t px_shift_column(const PxShift *shift, uint32_t column) {
  return column + shift->columns;
}

/* ---- references as text */

size_t px_column_letters(uint32_t column, char *to) {
  char letters[8];
  size_t n = 0;
  for (; column > 0 && n < 4; column = (column - 1) / 26)
    letters[n++] = (char)('A' + (column - 1) % 26);
  for (size_t i = 0; i < n; i++)
    to[i] = letters[n - 1 - i];
  return n;
}

static const char *read_column(const char *p, const char *end, uint32_t *ret_column, bool *ret_fixed) {
  uint32_t column = 0;
  *ret_fixed = p < end && *p == '$';
  p += *ret_fixed;
  const char *first = p;
  for (; p < end && g_ascii_isalpha(*p) && p - first < 4; p++)
    column = column * 26 + (uint32_t)(g_ascii_toupper(*p) - 'A' + 1);
  *ret_column = column;
  return p == first || column > PX_SHEET_COLUMNS ? NULL : p;
}

static const char *read_row(const char *p, const char *end, uint32_t *ret_row, bool *ret_fixed) {
  uint32_t row = 0;
  *ret_fixed = p < end && *p == '$';
  p += *ret_fixed;
  const char *first = p;
  for (; p < end && g_ascii_isdigit(*p) && p - first < 8; p++)
    row = row * 10 + (uint32_t)(*p - '0');
  *ret_row = row;
  return p == first || row == 0 || row > PX_SHEET_ROWS ? NULL : p;
}

const char *px_cell_ref_read(const char *text, const char *end, PxCellRef *ret_ref) {
  *ret_ref = (PxCellRef){0};
  const char *p = read_column(text, end, &ret_ref->column, &ret_ref->fixed_column);
  return p ? read_row(p, end, &ret_ref->row, &ret_ref->fixed_row) : NULL;
}

void px_cell_ref_write(const PxCellRef *ref, GString *to) {
  char letters[4];
  if (ref->column) {
    if (ref->fixed_column)
      g_string_append_c(to, '$');
    g_string_append_len(to, letters, (gssize)px_column_letters(ref->column, letters));
  }
  if (ref->row)
    g_string_append_printf(to, "%s%u", ref->fixed_row ? "$" : "", ref->row);
}

/* From p on as long as it goes: A1:B2, A:B, 1:2, A1. NULL: none of them. */
static const char *read_range(const char *p, const char *end, PxRangeRef *range) {
  *range = (PxRangeRef){0};
  const char *cell = px_cell_ref_read(p, end, &range->from);
  const char *next;
  if (cell) {
    next = cell < end && *cell == ':' ? px_cell_ref_read(cell + 1, end, &range->to) : NULL;
    range->single = !next;
    if (!next)
      range->to = range->from;
    return next ? next : cell;
  }
  range->from = (PxCellRef){0};
  next = read_column(p, end, &range->from.column, &range->from.fixed_column);
  if (next)
    return next < end && *next == ':' ? read_column(next + 1, end, &range->to.column, &range->to.fixed_column) : NULL;
  range->from = (PxCellRef){0};
  next = read_row(p, end, &range->from.row, &range->from.fixed_row);
  return next && next < end && *next == ':' ? read_row(next + 1, end, &range->to.row, &range->to.fixed_row) : NULL;
}

bool px_range_ref_read(const char *text, size_t len, PxRangeRef *ret_range) {
  return read_range(text, text + len, ret_range) == text + len;
}

void px_range_ref_write(const PxRangeRef *range, GString *to) {
  px_cell_ref_write(&range->from, to);
  if (range->single)
    return;
  g_string_append_c(to, ':');
  px_cell_ref_write(&range->to, to);
}

/* ---- what becomes of them */

static bool shift_columns(const PxShift *shift, PxRangeRef *range) {
  uint32_t first = MIN(range->from.column, range->to.column);
  uint32_t last = MAX(range->from.column, range->to.column);
  bool all = first == 1 && last == PX_SHEET_COLUMNS; /* the same as whole rows */
  if (first == 0 || all)
    return true;
  if (first + shift->columns > PX_SHEET_COLUMNS)
    return false;
  range->from.column = MIN(px_shift_column(shift, range->from.column), PX_SHEET_COLUMNS);
  range->to.column = MIN(px_shift_column(shift, range->to.column), PX_SHEET_COLUMNS);
  return true;
}

static bool shift_rows(const PxShift *shift, PxRangeRef *range) {
  PxCellRef *top = range->from.row <= range->to.row ? &range->from : &range->to;
  PxCellRef *bottom = top == &range->from ? &range->to : &range->from;
  if (!shift->drops || top->row == 0)
    return true;
  uint32_t first = px_shift_row(shift, top->row);
  uint32_t last = bottom->row == PX_SHEET_ROWS ? PX_SHEET_ROWS : px_shift_row_back(shift, bottom->row);
  if (first > last)
    return false;
  top->row = first;
  bottom->row = last;
  return true;
}

bool px_shift_range(const PxShift *shift, PxRangeRef *range) {
  return shift_columns(shift, range) && shift_rows(shift, range);
}

bool px_shift_ref(const PxShift *shift, const char *text, size_t len, GString *to) {
  PxRangeRef range;
  if (!px_range_ref_read(text, len, &range)) {
    g_string_append_len(to, text, (gssize)len);
    return true;
  }
  if (!px_shift_range(shift, &range))
    return false;
  px_range_ref_write(&range, to);
  return true;
}

bool px_shift_sqref(const PxShift *shift, const char *text, size_t len, GString *to) {
  const char *end = text + len;
  bool any = false;
  for (const char *p = text; p < end;) {
    const char *next = p;
    while (next < end && !g_ascii_isspace(*next))
      next++;
    gsize before = to->len;
    if (next > p) {
      if (any)
        g_string_append_c(to, ' ');
      if (px_shift_ref(shift, p, (size_t)(next - p), to))
        any = true;
      else
        g_string_truncate(to, before);
    }
    p = next + 1;
  }
  return any;
}

/* ---- formulas */

typedef enum { HERE, TARGET, ELSEWHERE } Sheet;

typedef struct {
  const PxShift *shift;
  const PxFormulaPlace *place;
  const char *at, *end;
  GString *to;
  Sheet sheet; /* of the reference that follows */
  unsigned done;
} Formula;

static void copy_to(Formula *formula, const char *next) {
  g_string_append_len(formula->to, formula->at, next - formula->at);
  formula->at = next;
}

static bool in_name(char c) {
  return g_ascii_isalnum(c) || c == '_' || c == '.' || c == '\\' || c == '?' || (unsigned char)c >= 0x80;
}

static const char *name_end(const char *p, const char *end) {
  while (p < end && in_name(*p))
    p++;
  return p;
}

/* Behind what quote closes; a doubled one is one of it. */
static const char *quoted_end(const char *p, const char *end) {
  char quote = *p++;
  for (; p < end; p++) {
    if (*p != quote)
      continue;
    if (p + 1 == end || p[1] != quote)
      return p + 1;
    p++;
  }
  return end;
}

/* Behind the ] of the [ at p; ' hides the character that follows (of a table's column). */
static const char *bracket_end(const char *p, const char *end) {
  unsigned depth = 0;
  for (; p < end; p++) {
    if (*p == '\'')
      p++;
    else if (*p == '[')
      depth++;
    else if (*p == ']' && --depth == 0)
      return p + 1;
  }
  return end;
}

static bool is_sheet(const PxShift *shift, const char *name, size_t len) {
  g_autofree char *left = g_utf8_casefold(name, (gssize)len);
  g_autofree char *right = g_utf8_casefold(shift->sheet, -1);
  return strcmp(left, right) == 0;
}

/* 'Sheet 1'! or 'C:\[book.xlsx]Sheet'! or 'Jan:Mar'! ; sheets of several are not those of one: no program moves them. */
static Sheet quoted_sheet(const Formula *formula, const char *from, const char *to) {
  g_autoptr(GString) name = g_string_new(NULL);
  for (const char *p = from; p < to; p++) {
    g_string_append_c(name, *p);
    if (*p == '\'')
      p++;
  }
  return is_sheet(formula->shift, name->str, name->len) ? TARGET : ELSEWHERE;
}

/* Moves a row or column number as a copy would; over the edge it comes in on the other side. */
static uint32_t move(uint32_t number, bool fixed, int64_t by, uint32_t most) {
  if (number == 0 || fixed || by == 0)
    return number;
  int64_t moved = ((int64_t)number - 1 + by) % (int64_t)most;
  return (uint32_t)(moved < 0 ? moved + most : moved) + 1;
}

static void move_cell(const PxFormulaPlace *place, PxCellRef *ref) {
  ref->row = move(ref->row, ref->fixed_row, place->rows, PX_SHEET_ROWS);
  ref->column = move(ref->column, ref->fixed_column, place->columns, PX_SHEET_COLUMNS);
}

/* A reference ends where no name and no function goes on. */
static const char *reference_end(const Formula *formula, PxRangeRef *range) {
  const char *next = read_range(formula->at, formula->end, range);
  if (next && next < formula->end && !range->single && (in_name(*next) || *next == '(' || *next == '!' || *next == '[')) {
    /* A1:INDEX(...), A1:B2C, A1:Sheet2!B2: the first cell may still be one */
    next = px_cell_ref_read(formula->at, formula->end, &range->from);
    range->to = range->from;
    range->single = true;
  }
  bool goes_on = next && next < formula->end && (in_name(*next) || *next == '(' || *next == '!' || *next == '[');
  return goes_on ? NULL : next;
}

static void put_range(Formula *formula, PxRangeRef *range, const char *next) {
  gsize before = formula->to->len;
  bool met = formula->sheet == TARGET || (formula->sheet == HERE && formula->place->own);
  formula->done |= met ? PX_SHIFT_MET : 0;
  if (!met && !formula->place->rows && !formula->place->columns) {
    copy_to(formula, next);
    return;
  }
  move_cell(formula->place, &range->from);
  move_cell(formula->place, &range->to);
  if (!met || px_shift_range(formula->shift, range)) {
    px_range_ref_write(range, formula->to);
  } else {
    g_string_append(formula->to, "#REF!");
    formula->done |= PX_SHIFT_LOST;
  }
  size_t len = (size_t)(next - formula->at);
  if (formula->to->len - before != len || g_ascii_strncasecmp(formula->to->str + before, formula->at, len) != 0)
    formula->done |= PX_SHIFT_MOVED;
  formula->at = next;
}

/* A name before ! is a sheet, two of them with : are several. Behind the !; NULL: it is no such thing. */
static const char *sheet_prefix(const Formula *formula, const char *after_name, Sheet *ret_sheet) {
  PxCellRef cell;
  const char *p = formula->at;
  const char *end = formula->end;
  if (after_name < end && *after_name == '!') {
    *ret_sheet = is_sheet(formula->shift, p, (size_t)(after_name - p)) ? TARGET : ELSEWHERE;
    return after_name + 1;
  }
  if (after_name == end || *after_name != ':' || px_cell_ref_read(p, after_name, &cell) == after_name)
    return NULL;
  const char *second = name_end(after_name + 1, end);
  *ret_sheet = ELSEWHERE;
  return second > after_name + 1 && second < end && *second == '!' ? second + 1 : NULL;
}

static void take_word(Formula *formula) {
  PxRangeRef range;
  const char *word_end = name_end(formula->at, formula->end);
  Sheet sheet = HERE;
  const char *prefix = formula->sheet == HERE ? sheet_prefix(formula, word_end, &sheet) : NULL;
  if (prefix) {
    copy_to(formula, prefix);
    formula->sheet = sheet;
    return;
  }
  const char *next = reference_end(formula, &range);
  if (next)
    put_range(formula, &range, next);
  else
    copy_to(formula, word_end > formula->at ? word_end : formula->at + 1);
  formula->sheet = HERE;
}

/* 1.5E+3 holds no cell E3; 1:5 are rows. */
static void take_number(Formula *formula) {
  PxRangeRef range;
  const char *next = reference_end(formula, &range);
  if (next) {
    put_range(formula, &range, next);
    formula->sheet = HERE;
    return;
  }
  const char *p = formula->at;
  while (p < formula->end && (g_ascii_isdigit(*p) || *p == '.'))
    p++;
  if (p < formula->end && (*p == 'E' || *p == 'e')) {
    p++;
    if (p < formula->end && (*p == '+' || *p == '-'))
      p++;
    while (p < formula->end && g_ascii_isdigit(*p))
      p++;
  }
  copy_to(formula, p);
}

/* 'Sheet 1'! */
static void take_apostrophe(Formula *formula) {
  const char *next = quoted_end(formula->at, formula->end);
  if (next < formula->end && *next == '!') {
    formula->sheet = quoted_sheet(formula, formula->at + 1, next - 1);
    next++;
  }
  copy_to(formula, next);
}

/* [1]Sheet!A1, [1]!Name: another workbook; any other bracket is of a table. */
static void take_bracket(Formula *formula) {
  const char *next = bracket_end(formula->at, formula->end);
  const char *after = name_end(next, formula->end);
  if (after < formula->end && *after == ':' && name_end(after + 1, formula->end) > after + 1)
    after = name_end(after + 1, formula->end);
  if (after < formula->end && *after == '!') {
    formula->sheet = ELSEWHERE;
    next = after + 1;
  }
  copy_to(formula, next);
}

/* #REF!, #N/A */
static void take_error(Formula *formula) {
  const char *p = formula->at + 1;
  while (p < formula->end && (g_ascii_isalnum(*p) || *p == '/' || *p == '_'))
    p++;
  if (p < formula->end && (*p == '!' || *p == '?'))
    p++;
  copy_to(formula, p);
  formula->sheet = HERE;
}

unsigned px_shift_formula(const PxShift *shift, const PxFormulaPlace *place, const char *text, size_t len, GString *to) {
  Formula formula = {.shift = shift, .place = place, .at = text, .end = text + len, .to = to};
  while (formula.at < formula.end) {
    char c = *formula.at;
    if (c == '"')
      copy_to(&formula, quoted_end(formula.at, formula.end));
    else if (c == '\'')
      take_apostrophe(&formula);
    else if (c == '[')
      take_bracket(&formula);
    else if (c == '#')
      take_error(&formula);
    else if (g_ascii_isdigit(c) || (c == '.' && formula.at + 1 < formula.end && g_ascii_isdigit(formula.at[1])))
      take_number(&formula);
    else if (c == '$' || in_name(c))
      take_word(&formula);
    else {
      copy_to(&formula, formula.at + 1);
      formula.sheet = HERE;
    }
  }
  return formula.done;
}
