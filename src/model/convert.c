/* SPDX-License-Identifier: Apache-2.0 */
#include "model/convert.h"

#include "base/text.h"
#include "model/convert_private.h"

#include <jansson.h>
#include <stdarg.h>

#define SHOWN_CHOICES 10 /* allowed values that a message lists */
#define SHOWN_DIGITS 15  /* of a number of a spreadsheet */
#define NOISE_DIGITS 3   /* so many digits less, and those that went meant nothing */

typedef bool (*Convert)(const PxConversion *c, PxCell cell, PxValue *ret_value);

bool px_conversion_fail(const PxConversion *c, const char *type, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  *c->type = type;
  *c->problem = px_arena_strndup(c->arena, text, strlen(text));
  return false;
}

bool px_conversion_fail_cell(const PxConversion *c, const char *type, PxCell cell, const char *what) {
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  return px_conversion_fail(c, type, "%s %s", quoted, what);
}

bool px_conversion_fail_kind(const PxConversion *c, PxCell cell) {
  switch ((PxCellKind)cell.kind) {
  case PX_CELL_ERROR:
    return px_conversion_fail_cell(c, "conversion", cell, "is an error of the spreadsheet: correct its formula");
  case PX_CELL_FORMULA:
    return px_conversion_fail_cell(c, "conversion", cell,
                                   "is a formula without a result: open and save the file in a spreadsheet program, or write the value");
  case PX_CELL_BOOLEAN:
    return px_conversion_fail_cell(c, "conversion", cell, "is a boolean, which does not fit here");
  case PX_CELL_DATE:
  case PX_CELL_DATETIME:
    return px_conversion_fail_cell(c, "conversion", cell, "is a date cell, which does not fit here");
  case PX_CELL_NUMBER:
    return px_conversion_fail_cell(c, "conversion", cell, "is a number cell, which does not fit here");
  case PX_CELL_EMPTY:
  case PX_CELL_TEXT:
  case PX_CELL_ABSENT:
  case PX_CELL_NULLS:
  case PX_CELL_KINDS:
    break;
  }
  return px_conversion_fail_cell(c, "conversion", cell, "does not fit here");
}

/* ---- what a column does to what is stored in it */

/* A value with the affinity of a column applied (https://www.sqlite.org/datatype3.html, 3). buffer: for the text of a number; the result
 * may point into it. */
static PxValue apply_affinity(PxStorageClass storage, PxValue value, char buffer[PX_NUMBER_TEXT_SIZE]) {
  if (storage == PX_STORE_AS_IS || value.kind == PX_NULL || value.kind == PX_BLOB)
    return value;
  if (storage == PX_STORE_TEXT) {
    if (value.kind == PX_TEXT)
      return value;
    size_t len = px_number_text(&value, buffer);
    /* SQLite writes a double with a point: 5.0. */
    if (value.kind == PX_REAL && strspn(buffer, "-0123456789") == len) {
      memcpy(buffer + len, ".0", 2);
      len += 2;
    }
    return px_value_text(buffer, len);
  }
  if (value.kind == PX_TEXT) {
    const char *text = value.text;
    size_t len = value.len;
    for (; len && g_ascii_isspace(*text); len--)
      text++;
    while (len && g_ascii_isspace(text[len - 1]))
      len--;
    PxValue number;
    if (px_number_decimal(text, len, '.', &number, NULL) != PX_NUMBER_OK)
      return value;
    value = number;
  }
  if (storage != PX_STORE_REAL && storage != PX_STORE_FLOAT)
    return px_number_whole(value);
  double real = value.kind == PX_INTEGER ? (double)value.integer : value.real;
  return px_value_real(storage == PX_STORE_FLOAT ? (double)(float)real : real);
}

static PxValue stored(const PxConversion *c, PxValue value) {
  if (c->field->storage == PX_STORE_AS_IS || (value.kind == PX_TEXT && c->field->storage == PX_STORE_TEXT) ||
      (value.kind == PX_INTEGER && c->field->storage != PX_STORE_TEXT && c->field->storage != PX_STORE_REAL && c->field->storage != PX_STORE_FLOAT))
    return value;
  char buffer[PX_NUMBER_TEXT_SIZE];
  value = apply_affinity(c->field->storage, value, buffer);
  if (value.kind == PX_TEXT && value.text == buffer)
    value.text = px_arena_strndup(c->arena, buffer, value.len);
  return value;
}

/* ---- cell -> value, a function a type; the cell is stripped and not empty */

/* Characters that stand for one another between thousands: blanks and apostrophes of any width. */
static size_t separator_len(const char *thousands, const char *p, const char *end) {
  static const char *const alike[2][5] = {{" ", "\u00A0", "\u202F", "\u2009", NULL}, {"'", "\u2019", NULL}};
  const char *const own[] = {thousands, NULL};
  const char *const *set = own;
  for (size_t i = 0; i < G_N_ELEMENTS(alike); i++)
    if (g_strv_contains(alike[i], thousands))
      set = alike[i];
  for (; *set; set++) {
    size_t len = strlen(*set);
    if ((size_t)(end - p) >= len && memcmp(p, *set, len) == 0)
      return len;
  }
  return 0;
}

/* The cell of a number without what stands between its thousands, where that stands behind each third digit and nowhere else; else as it is. */
static PxCell without_thousands(const PxConversion *c, PxCell cell) {
  const char *thousands = c->options->thousands;
  if (!thousands || cell.kind != PX_CELL_TEXT)
    return cell;
  const char *end = cell.ptr + cell.len;
  const char *p = cell.ptr + (*cell.ptr == '-' || *cell.ptr == '+');
  char *text = px_arena_alloc(c->arena, cell.len);
  uint32_t len = (uint32_t)(p - cell.ptr);
  memcpy(text, cell.ptr, len);
  unsigned digits = 0;
  bool grouped = false;
  while (p < end) {
    size_t separator = separator_len(thousands, p, end);
    if (!separator && !g_ascii_isdigit(*p))
      break;
    if (separator && (grouped ? digits != 3 : digits < 1 || digits > 3))
      return cell;
    grouped |= separator > 0;
    digits = separator ? 0 : digits + 1;
    if (!separator)
      text[len++] = *p;
    p += separator ? separator : 1;
  }
  if (!grouped || digits != 3)
    return cell;
  memcpy(text + len, p, (size_t)(end - p));
  return (PxCell){.ptr = text, .len = len + (uint32_t)(end - p), .kind = PX_CELL_TEXT};
}

/* A number of a workbook that was computed, as 0.1 + 0.2, has digits that no spreadsheet shows: without them, where little is left (else the
 * number is what it is). */
static PxCell without_noise(const PxConversion *c, PxCell cell) {
  if (!c->options->sheet || cell.kind != PX_CELL_NUMBER || cell.len <= SHOWN_DIGITS || memchr(cell.ptr, 'E', cell.len))
    return cell;
  PxValue value;
  char text[PX_NUMBER_TEXT_SIZE];
  if (px_number_decimal(cell.ptr, cell.len, '.', &value, NULL) != PX_NUMBER_OK || value.kind != PX_REAL)
    return cell;
  g_ascii_formatd(text, sizeof(text), "%.15g", value.real);
  size_t len = strlen(text);
  if (strchr(text, 'e') || len + NOISE_DIGITS > cell.len)
    return cell;
  return (PxCell){.ptr = px_arena_strndup(c->arena, text, len), .len = (uint32_t)len, .kind = cell.kind};
}

static const char *between_thousands(const PxConversion *c) {
  const char *thousands = c->options->thousands;
  if (!thousands)
    return "nothing stands between thousands";
  return px_arena_printf(c->arena, "%s may stand between thousands", g_str_equal(thousands, " ") ? "a blank" : thousands);
}

/* Ids are looked for, whatever their size. */
static bool fits_bytes(const PxConversion *c, PxValue value) {
  const PxField *field = c->field;
  if (!field->bytes || value.kind != PX_INTEGER || field->type != PX_TYPE_INTEGER || (field->model && field == field->model->id))
    return true;
  int64_t limit = field->bytes == 2 ? INT16_MAX : INT32_MAX;
  return value.integer <= limit && value.integer >= -limit - 1;
}

static bool convert_integer(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_NUMBER)
    return px_conversion_fail_kind(c, cell);
  PxCell bare = without_thousands(c, cell);
  int64_t integer = 0;
  PxNumberResult result = px_number_integer(bare.ptr, bare.len, &integer);
  *ret_value = px_value_integer(integer);
  if (result == PX_NUMBER_SYNTAX && cell.kind == PX_CELL_NUMBER) {
    result = px_number_decimal(cell.ptr, cell.len, '.', ret_value, NULL);
    *ret_value = px_number_whole(*ret_value);
    if (result == PX_NUMBER_OK && ret_value->kind == PX_REAL)
      return px_conversion_fail_cell(c, "conversion", cell, "is no whole number");
  }
  if (result == PX_NUMBER_SYNTAX)
    return px_conversion_fail_cell(c, "conversion", cell, "is no integer");
  if (result == PX_NUMBER_RANGE)
    return px_conversion_fail_cell(c, "range", cell, "is too large: an integer has 64 bits");
  if (!fits_bytes(c, *ret_value))
    return px_conversion_fail_cell(c, "range", cell,
                                   c->field->bytes == 2 ? "is too large: the column holds -32768 to 32767"
                                                        : "is too large: the column holds -2147483648 to 2147483647");
  *ret_value = stored(c, *ret_value);
  return true;
}

static bool check_exact(const PxConversion *c, PxCell cell, const PxDecimal *decimal, const PxValue *value) {
  const PxField *field = c->field;
  if (field->precision && decimal->exponent < 0 && (unsigned)-decimal->exponent > field->scale) {
    g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
    return px_conversion_fail(c, "range", "%s has more than %u digits behind the decimal point", quoted, field->scale);
  }
  if (value->kind != PX_TEXT && !px_number_is_exact(value, decimal))
    return px_conversion_fail_cell(c, "range", cell, "has more digits than the column holds");
  return true;
}

static bool convert_decimal(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_NUMBER)
    return px_conversion_fail_kind(c, cell);
  bool comma = c->options->decimal_comma && cell.kind == PX_CELL_TEXT;
  PxCell whole = cell;
  PxDecimal decimal;
  PxValue value;
  cell = without_thousands(c, c->field->precision ? without_noise(c, cell) : cell);
  PxNumberResult result = px_number_decimal(cell.ptr, cell.len, comma ? ',' : '.', &value, &decimal);
  if (result == PX_NUMBER_SYNTAX) {
    g_autofree char *quoted = px_text_quote(whole.ptr, whole.len);
    return px_conversion_fail(c, "conversion", "%s is no number (the decimal mark is a %s, %s)", quoted, comma ? "comma" : "point",
                              between_thousands(c));
  }
  if (result == PX_NUMBER_RANGE && c->field->storage != PX_STORE_EXACT)
    return px_conversion_fail_cell(c, "range", cell, "is too large");
  if (c->field->storage == PX_STORE_EXACT)
    return px_convert_exact(c, cell, comma ? ',' : '.', &decimal, value, ret_value);
  if (c->field->storage == PX_STORE_TEXT) {
    /* As written: a decimal kept as text is kept for its digits. */
    char *point = comma ? memchr(cell.ptr, ',', cell.len) : NULL;
    char *copy = point ? px_arena_strndup(c->arena, cell.ptr, cell.len) : NULL;
    if (copy)
      copy[point - cell.ptr] = '.';
    value = px_value_text(copy ? copy : cell.ptr, cell.len);
  } else {
    value = stored(c, value);
  }
  if (c->options->exact && !check_exact(c, cell, &decimal, &value))
    return false;
  *ret_value = value;
  return true;
}

static bool is_word(const char *word, PxCell cell) {
  return strlen(word) == cell.len && g_ascii_strncasecmp(word, cell.ptr, cell.len) == 0;
}

/* One of words in any case, also of letters that ASCII does not have. */
static bool is_any_word(const char *const *words, PxCell cell) {
  g_autofree char *folded = NULL;
  for (; words && *words; words++) {
    if (is_word(*words, cell))
      return true;
    if (g_str_is_ascii(*words))
      continue;
    if (!folded)
      folded = g_utf8_casefold(cell.ptr, (gssize)cell.len);
    g_autofree char *word = g_utf8_casefold(*words, -1);
    if (g_str_equal(word, folded))
      return true;
  }
  return false;
}

static bool set_boolean(const PxConversion *c, bool boolean, PxValue *ret_value) {
  *ret_value = stored(c, px_value_integer(boolean));
  return true;
}

static bool fail_boolean(const PxConversion *c, PxCell cell) {
  const PxConvertOptions *options = c->options;
  if (!options->own_booleans)
    return px_conversion_fail_cell(c, "conversion", cell, "is no boolean: write TRUE or FALSE, yes or no, 1 or 0");
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  return px_conversion_fail(c, "conversion", "%s is no boolean: write %s or %s", quoted, options->true_words[0],
                            *options->false_words[0] ? options->false_words[0] : "nothing");
}

static bool convert_boolean(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  static const struct {
    const char *word;
    bool value;
  } words[] = {{"1", true}, {"0", false}, {"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"=true()", true}, {"=false()", false}};
  bool word = cell.kind == PX_CELL_TEXT || cell.kind == PX_CELL_BOOLEAN || cell.kind == PX_CELL_FORMULA;
  if (!word && cell.kind != PX_CELL_NUMBER)
    return px_conversion_fail_kind(c, cell);
  if (cell.kind != PX_CELL_BOOLEAN) {
    bool is_true = is_any_word(c->options->true_words, cell);
    if (is_true || is_any_word(c->options->false_words, cell))
      return set_boolean(c, is_true, ret_value);
  }
  if (!word) {
    PxValue number;
    if (px_number_decimal(cell.ptr, cell.len, '.', &number, NULL) != PX_NUMBER_OK)
      return px_conversion_fail_cell(c, "conversion", cell, "is no boolean");
    return set_boolean(c, number.kind == PX_INTEGER ? number.integer != 0 : true, ret_value);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    if (is_word(words[i].word, cell))
      return set_boolean(c, words[i].value, ret_value);
  return cell.kind == PX_CELL_FORMULA ? px_conversion_fail_kind(c, cell) : fail_boolean(c, cell);
}

static bool convert_text(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  const PxField *field = c->field;
  if (cell.kind == PX_CELL_ERROR || cell.kind == PX_CELL_FORMULA)
    return px_conversion_fail_kind(c, cell);
  cell = without_noise(c, cell);
  if (field->max_chars && cell.len > field->max_chars) {
    size_t chars = px_text_chars(cell.ptr, cell.len);
    if (chars > field->max_chars) {
      g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
      return px_conversion_fail(c, "length", "%s has %zu characters, at most %u are allowed", quoted, chars, field->max_chars);
    }
  }
  if (field->sql_type)
    return px_convert_form(c, cell, ret_value);
  *ret_value = stored(c, px_value_text(cell.ptr, cell.len));
  return true;
}

static inline int base64_digit(unsigned char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4, with line breaks and blanks between the digits as mail programs write them. NULL: it is not that. */
static void *decode_base64(PxArena *arena, PxCell cell, size_t *ret_len) {
  unsigned char *bytes = px_arena_alloc(arena, (size_t)cell.len / 4 * 3 + 3);
  size_t len = 0;
  unsigned digits = 0;
  unsigned padding = 0;
  uint32_t group = 0;
  for (size_t i = 0; i < cell.len; i++) {
    unsigned char ch = (unsigned char)cell.ptr[i];
    if (ch == '\r' || ch == '\n' || ch == ' ' || ch == '\t')
      continue;
    int digit = ch == '=' ? 0 : base64_digit(ch);
    if (digit < 0 || (padding && ch != '='))
      return NULL;
    padding += ch == '=';
    group = group << 6 | (uint32_t)digit;
    if (++digits % 4 != 0)
      continue;
    bytes[len++] = (unsigned char)(group >> 16);
    bytes[len++] = (unsigned char)(group >> 8);
    bytes[len++] = (unsigned char)group;
    group = 0;
  }
  if (digits % 4 != 0 || padding > 2 || padding > len)
    return NULL;
  for (size_t i = len - padding; i < len; i++)
    if (bytes[i] != 0)
      return NULL;
  *ret_len = len - padding;
  return bytes;
}

static bool convert_binary(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT)
    return px_conversion_fail_kind(c, cell);
  size_t len = 0;
  void *bytes = decode_base64(c->arena, cell, &len);
  if (!bytes)
    return px_conversion_fail_cell(c, "conversion", cell, "is no base64");
  *ret_value = px_value_blob(bytes, len);
  return true;
}

/* The id of a record. */
static bool convert_many2one(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  return (c->field->form == PX_FORM_UUID ? convert_text : convert_integer)(c, cell, ret_value);
}

static bool convert_json(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_NUMBER && cell.kind != PX_CELL_BOOLEAN)
    return px_conversion_fail_kind(c, cell);
  json_error_t problem;
  json_t *json = json_loadb(cell.ptr, cell.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &problem);
  if (!json) {
    g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
    return px_conversion_fail(c, "conversion", "%s is no JSON (line %d, column %d: %s)", quoted, problem.line, problem.column, problem.text);
  }
  json_decref(json);
  *ret_value = stored(c, px_value_text(cell.ptr, cell.len));
  return true;
}

static bool convert_relation(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  return px_conversion_fail(c, "conversion", "a list of records has no value of its own");
}

static const Convert converters[] = {
  [PX_TYPE_INTEGER] = convert_integer,      [PX_TYPE_DECIMAL] = convert_decimal,
  [PX_TYPE_BOOLEAN] = convert_boolean,      [PX_TYPE_DATE] = px_convert_date,
  [PX_TYPE_DATETIME] = px_convert_datetime, [PX_TYPE_TEXT] = convert_text,
  [PX_TYPE_BINARY] = convert_binary,        [PX_TYPE_JSON] = convert_json,
  [PX_TYPE_MANY2ONE] = convert_many2one,    [PX_TYPE_ONE2MANY] = convert_relation,
  [PX_TYPE_MANY2MANY] = convert_relation,
};

static bool is_text(const char *text, PxCell cell) {
  return strncmp(text, cell.ptr, cell.len) == 0 && text[cell.len] == '\0';
}

static bool fail_selection(const PxConversion *c, PxCell cell) {
  const PxField *field = c->field;
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  g_autoptr(GString) allowed = g_string_new(NULL);
  for (size_t i = 0; i < MIN(field->n_selection, SHOWN_CHOICES); i++) {
    const PxSelection *choice = &field->selection[i];
    g_string_append_printf(allowed, "%s%s", i ? ", " : "", choice->value);
    if (!g_str_equal(choice->value, choice->label))
      g_string_append_printf(allowed, " (%s)", choice->label);
  }
  if (field->n_selection > SHOWN_CHOICES)
    g_string_append_printf(allowed, " and %zu more", field->n_selection - SHOWN_CHOICES);
  return px_conversion_fail(c, "selection", "%s is none of the allowed values: %s", quoted, allowed->str);
}

/* Value or label, exactly: the cell becomes the value. */
static bool choose(const PxConversion *c, PxCell *cell) {
  const PxField *field = c->field;
  if (cell->kind == PX_CELL_ERROR || cell->kind == PX_CELL_FORMULA)
    return px_conversion_fail_kind(c, *cell);
  for (size_t i = 0; i < field->n_selection; i++)
    if (is_text(field->selection[i].value, *cell))
      return true;
  for (size_t i = 0; i < field->n_selection; i++) {
    const PxSelection *choice = &field->selection[i];
    if (is_text(choice->label, *cell)) {
      *cell = (PxCell){.ptr = choice->value, .len = (uint32_t)strlen(choice->value), .kind = PX_CELL_TEXT};
      return true;
    }
  }
  return fail_selection(c, *cell);
}

PxConvertOptions px_convert_options_with(const PxConvertOptions *options, const PxConvertOwn *own) {
  PxConvertOptions all = *options;
  unsigned given = own ? own->given : 0;
  if (given & PX_OWN_BOOLEANS) {
    all.true_words = own->options.true_words;
    all.false_words = own->options.false_words;
    all.own_booleans = true;
  }
  if (given & PX_OWN_DATE_FORMATS)
    all.date_formats = own->options.date_formats;
  if (given & PX_OWN_DATETIME_FORMATS)
    all.datetime_formats = own->options.datetime_formats;
  if (given & PX_OWN_SERIALS)
    all.serials = own->options.serials;
  if (given & PX_OWN_DECIMAL_COMMA)
    all.decimal_comma = own->options.decimal_comma;
  if (given & PX_OWN_THOUSANDS)
    all.thousands = own->options.thousands;
  return all;
}

static inline bool may_have_blanks(PxCell cell) {
  unsigned char first = (unsigned char)cell.ptr[0];
  unsigned char last = (unsigned char)cell.ptr[cell.len - 1];
  return first <= ' ' || last <= ' ' || first == 0xC2 || last == 0xA0;
}

bool px_field_convert(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxCell cell, PxValue *ret_value, const char **ret_type,
                      const char **ret_problem) {
  PxConversion c = {.field = field, .options = options, .arena = arena, .type = ret_type, .problem = ret_problem};
  if (cell.len && may_have_blanks(cell)) {
    size_t len = cell.len;
    px_text_strip(&cell.ptr, &len);
    cell.len = (uint32_t)len;
  }
  if (options->formulas_escaped && cell.len && cell.ptr[0] == '\'' && cell.kind == PX_CELL_TEXT && px_text_is_formula(cell.ptr, cell.len)) {
    cell.ptr++;
    cell.len--;
  }
  if (cell.len == 0) {
    *ret_value = field->type == PX_TYPE_BOOLEAN ? stored(&c, px_value_integer(0)) : px_value_null();
    return true;
  }
  if (field->selection && !choose(&c, &cell))
    return false;
  return converters[field->type](&c, cell, ret_value);
}

/* ---- equality */

static PxValue fold_nocase(PxArena *arena, PxValue value) {
  uint32_t i = 0;
  while (i < value.len && !g_ascii_isupper(value.text[i]))
    i++;
  if (i == value.len)
    return value;
  char *folded = px_arena_strndup(arena, value.text, value.len);
  for (; i < value.len; i++)
    folded[i] = g_ascii_tolower(folded[i]);
  return px_value_text(folded, value.len);
}

PxValue px_field_canonical(const PxField *field, PxArena *arena, PxValue value) {
  char buffer[PX_NUMBER_TEXT_SIZE];
  if (field->storage == PX_STORE_EXACT)
    return px_exact_canonical(arena, value);
  if (value.kind != PX_TEXT || field->storage != PX_STORE_TEXT)
    value = apply_affinity(field->storage, value, buffer);
  if (value.kind == PX_REAL)
    return px_number_whole(value);
  if (value.kind != PX_TEXT)
    return value;
  if (value.text == buffer)
    value.text = px_arena_strndup(arena, buffer, value.len);
  switch (field->collation) {
  case PX_COLLATE_NOCASE:
  case PX_COLLATE_CITEXT:
    return fold_nocase(arena, value);
  case PX_COLLATE_RTRIM:
    while (value.len && value.text[value.len - 1] == ' ')
      value.len--;
    return value;
  case PX_COLLATE_BINARY:
  case PX_COLLATE_OTHER:
    break;
  }
  return value;
}

bool px_field_has_canonical(const PxField *field, PxValue value) {
  if (value.kind != PX_TEXT || field->collation < PX_COLLATE_CITEXT)
    return value.kind == PX_NULL || field->collation != PX_COLLATE_OTHER;
  bool is_ascii = true;
  for (uint32_t i = 0; i < value.len; i++)
    is_ascii &= (unsigned char)value.text[i] < 0x80;
  return field->collation == PX_COLLATE_CITEXT && is_ascii;
}

bool px_field_unchanged(const PxField *field, PxValue stored_value, PxValue value) {
  if (px_value_equal(&stored_value, &value))
    return true;
  if (field->type == PX_TYPE_TEXT && stored_value.kind == PX_TEXT && (value.kind == PX_TEXT || value.kind == PX_NULL)) {
    const char *text = stored_value.text;
    size_t len = stored_value.len;
    px_text_strip(&text, &len);
    return value.kind == PX_NULL ? len == 0 : len == value.len && memcmp(text, value.text, len) == 0;
  }
  if (field->storage == PX_STORE_EXACT)
    return px_exact_same(stored_value, value);
  if (field->type == PX_TYPE_JSON && field->sql_type && g_str_equal(field->sql_type, "jsonb"))
    return px_jsonb_same(stored_value, value);
  if (stored_value.kind == value.kind && (value.kind == PX_INTEGER || field->storage == PX_STORE_TEXT))
    return false;
  char buffer[PX_NUMBER_TEXT_SIZE];
  char other[PX_NUMBER_TEXT_SIZE];
  PxValue written = px_number_whole(apply_affinity(field->storage, value, buffer));
  PxValue there = px_number_whole(field->storage == PX_STORE_FLOAT ? apply_affinity(field->storage, stored_value, other) : stored_value);
  return px_value_equal(&there, &written);
}
