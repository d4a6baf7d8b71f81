/* SPDX-License-Identifier: Apache-2.0 */
#include "model/convert.h"

#include "base/text.h"
#include "model/convert_private.h"

#include <jansson.h>
#include <stdarg.h>

#define SHOWN_CHOICES 10 /* allowed values that a message lists */

/* What a conversion needs besides the cell, and where its complaint goes. */
typedef struct {
  const PxField *field;
  const PxConvertOptions *options;
  PxArena *arena;
  const char **type;
  const char **problem;
} Conversion;

typedef bool (*Convert)(const Conversion *c, PxCell cell, PxValue *ret_value);

static bool fail(const Conversion *c, const char *type, const char *format, ...) G_GNUC_PRINTF(3, 4) G_GNUC_WARN_UNUSED_RESULT;

static bool fail(const Conversion *c, const char *type, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  *c->type = type;
  *c->problem = px_arena_strndup(c->arena, text, strlen(text));
  return false;
}

/* "abc" WHAT */
static bool fail_cell(const Conversion *c, const char *type, PxCell cell, const char *what) {
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  return fail(c, type, "%s %s", quoted, what);
}

static bool fail_kind(const Conversion *c, PxCell cell) {
  switch ((PxCellKind)cell.kind) {
  case PX_CELL_ERROR:
    return fail_cell(c, "conversion", cell, "is an error of the spreadsheet: correct its formula");
  case PX_CELL_FORMULA:
    return fail_cell(c, "conversion", cell, "is a formula without a result: open and save the file in a spreadsheet program, or write the value");
  case PX_CELL_BOOLEAN:
    return fail_cell(c, "conversion", cell, "is a boolean, which does not fit here");
  case PX_CELL_DATE:
  case PX_CELL_DATETIME:
    return fail_cell(c, "conversion", cell, "is a date cell, which does not fit here");
  case PX_CELL_NUMBER:
    return fail_cell(c, "conversion", cell, "is a number cell, which does not fit here");
  case PX_CELL_EMPTY:
  case PX_CELL_TEXT:
  case PX_CELL_ABSENT:
  case PX_CELL_KINDS:
    break;
  }
  return fail_cell(c, "conversion", cell, "does not fit here");
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
  if (storage != PX_STORE_REAL)
    return px_number_whole(value);
  return value.kind == PX_INTEGER ? px_value_real((double)value.integer) : value;
}

static PxValue stored(const Conversion *c, PxValue value) {
  if (c->field->storage == PX_STORE_AS_IS || (value.kind == PX_TEXT && c->field->storage == PX_STORE_TEXT) ||
      (value.kind == PX_INTEGER && c->field->storage != PX_STORE_TEXT && c->field->storage != PX_STORE_REAL))
    return value;
  char buffer[PX_NUMBER_TEXT_SIZE];
  value = apply_affinity(c->field->storage, value, buffer);
  if (value.kind == PX_TEXT && value.text == buffer)
    value.text = px_arena_strndup(c->arena, buffer, value.len);
  return value;
}

/* ---- cell -> value, a function a type; the cell is stripped and not empty */

static bool convert_integer(const Conversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_NUMBER)
    return fail_kind(c, cell);
  int64_t integer = 0;
  PxNumberResult result = px_number_integer(cell.ptr, cell.len, &integer);
  *ret_value = px_value_integer(integer);
  if (result == PX_NUMBER_SYNTAX && cell.kind == PX_CELL_NUMBER) {
    result = px_number_decimal(cell.ptr, cell.len, '.', ret_value, NULL);
    *ret_value = px_number_whole(*ret_value);
    if (result == PX_NUMBER_OK && ret_value->kind == PX_REAL)
      return fail_cell(c, "conversion", cell, "is no whole number");
  }
  if (result == PX_NUMBER_SYNTAX)
    return fail_cell(c, "conversion", cell, "is no integer");
  if (result == PX_NUMBER_RANGE)
    return fail_cell(c, "range", cell, "is too large: an integer has 64 bits");
  *ret_value = stored(c, *ret_value);
  return true;
}

static bool check_exact(const Conversion *c, PxCell cell, const PxDecimal *decimal, const PxValue *value) {
  const PxField *field = c->field;
  if (field->precision && decimal->exponent < 0 && (unsigned)-decimal->exponent > field->scale) {
    g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
    return fail(c, "range", "%s has more than %u digits behind the decimal point", quoted, field->scale);
  }
  if (value->kind != PX_TEXT && !px_number_is_exact(value, decimal))
    return fail_cell(c, "range", cell, "has more digits than the column holds");
  return true;
}

static bool convert_decimal(const Conversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_NUMBER)
    return fail_kind(c, cell);
  bool comma = c->options->decimal_comma && cell.kind == PX_CELL_TEXT;
  PxDecimal decimal;
  PxValue value;
  PxNumberResult result = px_number_decimal(cell.ptr, cell.len, comma ? ',' : '.', &value, &decimal);
  if (result == PX_NUMBER_SYNTAX)
    return fail_cell(c, "conversion", cell,
                     comma ? "is no number (the decimal mark is a comma, nothing stands between thousands)"
                           : "is no number (the decimal mark is a point, nothing stands between thousands)");
  if (result == PX_NUMBER_RANGE)
    return fail_cell(c, "range", cell, "is too large");
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
  return word && strlen(word) == cell.len && g_ascii_strncasecmp(word, cell.ptr, cell.len) == 0;
}

static bool convert_boolean(const Conversion *c, PxCell cell, PxValue *ret_value) {
  static const struct {
    const char *word;
    bool value;
  } words[] = {{"1", true}, {"0", false}, {"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"=true()", true}, {"=false()", false}};
  if (cell.kind == PX_CELL_NUMBER) {
    PxValue number;
    if (px_number_decimal(cell.ptr, cell.len, '.', &number, NULL) != PX_NUMBER_OK)
      return fail_cell(c, "conversion", cell, "is no boolean");
    *ret_value = stored(c, px_value_integer(number.kind == PX_INTEGER ? number.integer != 0 : true));
    return true;
  }
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_BOOLEAN && cell.kind != PX_CELL_FORMULA)
    return fail_kind(c, cell);
  bool is_true = is_word(c->options->true_word, cell);
  if (is_true || is_word(c->options->false_word, cell)) {
    *ret_value = stored(c, px_value_integer(is_true));
    return true;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (is_word(words[i].word, cell)) {
      *ret_value = stored(c, px_value_integer(words[i].value));
      return true;
    }
  }
  if (cell.kind == PX_CELL_FORMULA)
    return fail_kind(c, cell);
  return fail_cell(c, "conversion", cell, "is no boolean: write TRUE or FALSE, yes or no, 1 or 0");
}

static bool convert_date(const Conversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind == PX_CELL_DATETIME) {
    PxValue moment;
    bool naive = px_time_store(cell.ptr, cell.len, NULL, false, false, c->arena, &moment) == PX_TIME_OK;
    if (!naive || moment.len != 19 || memcmp(moment.text + 10, " 00:00:00", 9) != 0)
      return fail_cell(c, "conversion", cell, "has a time, but this is a date");
    cell.len = 10;
  } else if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_DATE) {
    return fail_kind(c, cell);
  }
  PxTimeResult result = px_time_check_date(cell.ptr, cell.len);
  if (result == PX_TIME_NO_DAY)
    return fail_cell(c, "conversion", cell, "is no day of the calendar");
  if (result != PX_TIME_OK)
    return fail_cell(c, "conversion", cell, "is no date: write YYYY-MM-DD");
  *ret_value = px_value_text(cell.ptr, cell.len);
  return true;
}

static bool convert_datetime(const Conversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_DATE && cell.kind != PX_CELL_DATETIME)
    return fail_kind(c, cell);
  GTimeZone *zone = c->options->timezone;
  switch (px_time_store(cell.ptr, cell.len, zone, c->field->with_zone, c->options->exact, c->arena, ret_value)) {
  case PX_TIME_OK:
    return true;
  case PX_TIME_SYNTAX:
    return fail_cell(c, "conversion", cell, "is no date and time: write YYYY-MM-DD HH:MM:SS");
  case PX_TIME_NO_DAY:
    return fail_cell(c, "conversion", cell, "is no day of the calendar or no time of day");
  case PX_TIME_TOO_FINE:
    return fail_cell(c, "range", cell, "has more than 6 digits of a second");
  case PX_TIME_GAP:
  case PX_TIME_TWICE:
    break;
  }
  g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
  bool gap = px_time_store(cell.ptr, cell.len, zone, true, false, c->arena, ret_value) == PX_TIME_GAP;
  return fail(c, "conversion", "%s %s in the time zone %s, where the clocks are changed: add the offset, as in +01:00", quoted,
              gap ? "does not exist" : "exists twice", g_time_zone_get_identifier(zone));
}

static bool convert_text(const Conversion *c, PxCell cell, PxValue *ret_value) {
  const PxField *field = c->field;
  if (cell.kind == PX_CELL_ERROR || cell.kind == PX_CELL_FORMULA)
    return fail_kind(c, cell);
  if (field->max_chars && cell.len > field->max_chars) {
    size_t chars = px_text_chars(cell.ptr, cell.len);
    if (chars > field->max_chars) {
      g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
      return fail(c, "length", "%s has %zu characters, at most %u are allowed", quoted, chars, field->max_chars);
    }
  }
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

static bool convert_binary(const Conversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT)
    return fail_kind(c, cell);
  size_t len = 0;
  void *bytes = decode_base64(c->arena, cell, &len);
  if (!bytes)
    return fail_cell(c, "conversion", cell, "is no base64");
  *ret_value = px_value_blob(bytes, len);
  return true;
}

static bool convert_json(const Conversion *c, PxCell cell, PxValue *ret_value) {
  if (cell.kind != PX_CELL_TEXT && cell.kind != PX_CELL_NUMBER && cell.kind != PX_CELL_BOOLEAN)
    return fail_kind(c, cell);
  json_error_t problem;
  json_t *json = json_loadb(cell.ptr, cell.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &problem);
  if (!json) {
    g_autofree char *quoted = px_text_quote(cell.ptr, cell.len);
    return fail(c, "conversion", "%s is no JSON (line %d, column %d: %s)", quoted, problem.line, problem.column, problem.text);
  }
  json_decref(json);
  *ret_value = stored(c, px_value_text(cell.ptr, cell.len));
  return true;
}

static bool convert_relation(const Conversion *c, PxCell cell, PxValue *ret_value) {
  return fail(c, "conversion", "a list of records has no value of its own");
}

static const Convert converters[] = {
  [PX_TYPE_INTEGER] = convert_integer,   [PX_TYPE_DECIMAL] = convert_decimal,   [PX_TYPE_BOOLEAN] = convert_boolean,    [PX_TYPE_DATE] = convert_date,
  [PX_TYPE_DATETIME] = convert_datetime, [PX_TYPE_TEXT] = convert_text,         [PX_TYPE_BINARY] = convert_binary,      [PX_TYPE_JSON] = convert_json,
  [PX_TYPE_MANY2ONE] = convert_integer,  [PX_TYPE_ONE2MANY] = convert_relation, [PX_TYPE_MANY2MANY] = convert_relation,
};

static bool is_text(const char *text, PxCell cell) {
  return strncmp(text, cell.ptr, cell.len) == 0 && text[cell.len] == '\0';
}

static bool fail_selection(const Conversion *c, PxCell cell) {
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
  return fail(c, "selection", "%s is none of the allowed values: %s", quoted, allowed->str);
}

/* Value or label, exactly: the cell becomes the value. */
static bool choose(const Conversion *c, PxCell *cell) {
  const PxField *field = c->field;
  if (cell->kind == PX_CELL_ERROR || cell->kind == PX_CELL_FORMULA)
    return fail_kind(c, *cell);
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

static inline bool may_have_blanks(PxCell cell) {
  unsigned char first = (unsigned char)cell.ptr[0];
  unsigned char last = (unsigned char)cell.ptr[cell.len - 1];
  return first <= ' ' || last <= ' ' || first == 0xC2 || last == 0xA0;
}

bool px_field_convert(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxCell cell, PxValue *ret_value, const char **ret_type,
                      const char **ret_problem) {
  Conversion c = {.field = field, .options = options, .arena = arena, .type = ret_type, .problem = ret_problem};
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

/* ---- value -> cell */

static PxCell text_cell(PxCellKind kind, const char *text, size_t len) {
  return (PxCell){.ptr = text, .len = (uint32_t)len, .kind = (uint8_t)kind};
}

static PxCell number_cell(const PxField *field, const PxConvertOptions *options, PxArena *arena, const PxValue *value) {
  char *text = px_arena_alloc(arena, PX_NUMBER_TEXT_SIZE);
  size_t len = px_number_text(value, text);
  char *point = options->decimal_comma && field->type == PX_TYPE_DECIMAL ? memchr(text, '.', len) : NULL;
  if (point)
    *point = ',';
  return text_cell(PX_CELL_NUMBER, text, len);
}

static PxCell format_text(const PxField *field, const PxConvertOptions *options, PxArena *arena, const PxValue *value) {
  bool naive = false;
  PxValue shown = *value;
  PxValue number;
  switch (field->type) {
  case PX_TYPE_DATE:
    return text_cell(px_time_check_date(value->text, value->len) == PX_TIME_OK ? PX_CELL_DATE : PX_CELL_TEXT, value->text, value->len);
  case PX_TYPE_DATETIME:
    if (!px_time_show(value->text, value->len, options->timezone, field->with_zone, arena, &shown, &naive))
      shown = *value;
    return text_cell(naive ? PX_CELL_DATETIME : PX_CELL_TEXT, shown.text, shown.len);
  case PX_TYPE_DECIMAL:
    if (px_number_decimal(value->text, value->len, '.', &number, NULL) != PX_NUMBER_OK)
      break;
    if (options->decimal_comma && memchr(value->text, '.', value->len)) {
      char *copy = px_arena_strndup(arena, value->text, value->len);
      *strchr(copy, '.') = ',';
      return text_cell(PX_CELL_NUMBER, copy, value->len);
    }
    return text_cell(PX_CELL_NUMBER, value->text, value->len);
  case PX_TYPE_BOOLEAN:
    if (value->len == 1 && (value->text[0] == '0' || value->text[0] == '1'))
      return value->text[0] == '1' ? text_cell(PX_CELL_BOOLEAN, "true", 4) : text_cell(PX_CELL_BOOLEAN, "false", 5);
    break;
  default:
    break;
  }
  return text_cell(PX_CELL_TEXT, value->text, value->len);
}

PxCell px_field_format(const PxField *field, const PxConvertOptions *options, PxArena *arena, PxValue value) {
  switch ((PxValueKind)value.kind) {
  case PX_NULL:
    return text_cell(PX_CELL_EMPTY, "", 0);
  case PX_INTEGER:
    if (field->type == PX_TYPE_BOOLEAN)
      return value.integer ? text_cell(PX_CELL_BOOLEAN, "true", 4) : text_cell(PX_CELL_BOOLEAN, "false", 5);
    return number_cell(field, options, arena, &value);
  case PX_REAL:
    return number_cell(field, options, arena, &value);
  case PX_TEXT:
    if (field->type == PX_TYPE_BINARY)
      break;
    return format_text(field, options, arena, &value);
  case PX_BLOB:
    break;
  }
  g_autofree char *text = g_base64_encode((const guchar *)value.text, value.len);
  size_t len = strlen(text);
  return text_cell(PX_CELL_TEXT, px_arena_strndup(arena, text, len), len);
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

bool px_field_unchanged(const PxField *field, PxValue stored_value, PxValue value) {
  if (px_value_equal(&stored_value, &value))
    return true;
  if (stored_value.kind == value.kind && (value.kind == PX_INTEGER || field->storage == PX_STORE_TEXT))
    return false;
  char buffer[PX_NUMBER_TEXT_SIZE];
  PxValue written = px_number_whole(apply_affinity(field->storage, value, buffer));
  PxValue there = px_number_whole(stored_value);
  return px_value_equal(&there, &written);
}
