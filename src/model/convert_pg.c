/* SPDX-License-Identifier: Apache-2.0 */
/* Types that only PostgreSQL has: numeric, of which each digit counts; uuid, time and jsonb, that come back in a form of their own ("Chapter 8. Data
 * Types"). */
#include "model/convert_private.h"

#include <jansson.h>
#include <string.h>

/* ---- numeric */

#define INTEGER_DIGITS 18 /* that a number may have to be held as an integer, and so many as a double: as the driver reads them */
#define REAL_DIGITS 15
#define REAL_POINT 300    /* a double ends not far behind */
#define MOST_POINT 131072 /* digits in front of the point, and behind it ("8.1.2. Arbitrary Precision Numbers") */
#define MOST_BEHIND 16383

/* 0.DIGITS * 10^point; no zero at either end. */
typedef struct {
  bool negative;
  char *digits; /* in an arena */
  size_t n;
  int64_t point;
} Exact;

static void strip_zeros(Exact *exact) {
  while (exact->n && exact->digits[exact->n - 1] == '0')
    exact->n--;
  while (exact->n && *exact->digits == '0') {
    exact->digits++;
    exact->n--;
    exact->point--;
  }
}

/* The text of a number that px_number_decimal() takes. */
static Exact read_exact(PxArena *arena, const char *text, size_t len, char mark) {
  Exact exact = {.negative = len && *text == '-', .digits = px_arena_alloc(arena, len + 1)};
  bool behind = false;
  size_t i = 0;
  for (; i < len && text[i] != 'e' && text[i] != 'E'; i++) {
    behind |= text[i] == mark;
    if (!g_ascii_isdigit(text[i]))
      continue;
    exact.digits[exact.n++] = text[i];
    exact.point += !behind;
  }
  if (i < len) {
    g_autofree char *exponent = g_strndup(text + i + 1, len - i - 1);
    exact.point += CLAMP(g_ascii_strtoll(exponent, NULL, 10), -10 * MOST_POINT, 10 * MOST_POINT);
  }
  strip_zeros(&exact);
  return exact;
}

/* To so many digits behind the point; a half goes away from zero. */
static void round_exact(Exact *exact, unsigned scale) {
  int64_t keep = exact->point + scale;
  if (keep >= (int64_t)exact->n)
    return;
  bool up = keep >= 0 && exact->digits[keep] >= '5';
  exact->n = keep > 0 ? (size_t)keep : 0;
  size_t i = exact->n;
  while (up && i > 0 && exact->digits[i - 1] == '9')
    i--;
  if (up && i > 0) {
    exact->digits[i - 1]++;
    exact->n = i;
  } else if (up) { /* 9.99 is 10, and 0.5 is 1 */
    exact->digits[0] = '1';
    exact->n = 1;
    exact->point = MAX(exact->point, -(int64_t)scale) + 1;
  }
  strip_zeros(exact);
}

static PxValue plain_text(PxArena *arena, const Exact *exact) {
  size_t before = exact->point > 0 ? (size_t)exact->point : 0;
  size_t zeros = exact->point < 0 ? (size_t)-exact->point : 0;
  GString *text = g_string_new(exact->negative ? "-" : "");
  if (!before)
    g_string_append_c(text, '0');
  for (size_t i = 0; i < before; i++)
    g_string_append_c(text, i < exact->n ? exact->digits[i] : '0');
  if (exact->n > before)
    g_string_append_c(text, '.');
  for (size_t i = 0; exact->n > before && i < zeros; i++)
    g_string_append_c(text, '0');
  if (exact->n > before)
    g_string_append_len(text, exact->digits + before, (gssize)(exact->n - before));
  PxValue value = px_value_text(px_arena_strndup(arena, text->str, text->len), text->len);
  g_string_free(text, TRUE);
  return value;
}

/* The one form of a number, as the driver reads it but for zeros at the end. */
static PxValue exact_value(PxArena *arena, const Exact *exact) {
  if (exact->n == 0)
    return px_value_integer(0);
  if ((int64_t)exact->n <= exact->point && exact->point <= INTEGER_DIGITS) {
    int64_t integer = 0;
    for (int64_t i = 0; i < exact->point; i++)
      integer = integer * 10 + (i < (int64_t)exact->n ? exact->digits[i] - '0' : 0);
    return px_value_integer(exact->negative ? -integer : integer);
  }
  if (exact->n > REAL_DIGITS || ABS(exact->point) > REAL_POINT)
    return plain_text(arena, exact);
  char number[64];
  g_snprintf(number, sizeof number, "%s.%.*se%" G_GINT64_FORMAT, exact->negative ? "-" : "", (int)exact->n, exact->digits, exact->point);
  return px_value_real(g_ascii_strtod(number, NULL));
}

PxValue px_exact_canonical(PxArena *arena, PxValue value) {
  char buffer[PX_NUMBER_TEXT_SIZE];
  PxValue number;
  if (value.kind == PX_NULL || value.kind == PX_BLOB)
    return value;
  if (value.kind != PX_TEXT)
    value = px_value_text(buffer, px_number_text(&value, buffer));
  if (px_number_decimal(value.text, value.len, '.', &number, NULL) == PX_NUMBER_SYNTAX) { /* NaN, Infinity */
    value.text = px_arena_strndup(arena, value.text, value.len);
    return value;
  }
  Exact exact = read_exact(arena, value.text, value.len, '.');
  return exact_value(arena, &exact);
}

bool px_exact_same(PxValue a, PxValue b) {
  g_autoptr(PxArena) arena = px_arena_new();
  a = px_exact_canonical(arena, a);
  b = px_exact_canonical(arena, b);
  return px_value_equal(&a, &b);
}

/* Short numbers, which are almost all, are what they were read as. */
static bool is_short(const PxField *field, const PxDecimal *decimal) {
  if (decimal->cut || decimal->mantissa >= 1000000000000000 || ABS(decimal->exponent) > REAL_DIGITS)
    return false;
  unsigned digits = 0;
  for (uint64_t rest = decimal->mantissa; rest; rest /= 10)
    digits++;
  if ((int)digits + decimal->exponent > INTEGER_DIGITS)
    return false;
  return !field->precision || (-decimal->exponent <= (int)field->scale && (int)digits + decimal->exponent <= (int)(field->precision - field->scale));
}

bool px_convert_exact(const PxConversion *c, PxCell cell, char mark, const PxDecimal *decimal, PxValue read, PxValue *ret_value) {
  const PxField *field = c->field;
  *ret_value = read;
  if (is_short(field, decimal))
    return true;
  Exact exact = read_exact(c->arena, cell.ptr, cell.len, mark);
  size_t n = exact.n;
  if (field->precision)
    round_exact(&exact, field->scale);
  if (c->options->exact && exact.n < n)
    return px_conversion_fail_cell(c, "range", cell, "has more digits than the column holds");
  if (exact.point > MOST_POINT || (int64_t)exact.n - exact.point > MOST_BEHIND)
    return px_conversion_fail_cell(c, "range", cell, "has more digits than a number of PostgreSQL");
  if (field->precision && exact.point > (int64_t)(field->precision - field->scale)) {
    const char *what =
      px_arena_printf(c->arena, "is too large: the column holds %u digits before the decimal point", field->precision - field->scale);
    return px_conversion_fail_cell(c, "range", cell, what);
  }
  *ret_value = exact_value(c->arena, &exact);
  return true;
}

/* ---- forms of text */

/* 32 hexadecimal digits, a hyphen behind any four of them, perhaps in braces ("8.12. UUID Type"). */
static bool read_uuid(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  char *uuid = px_arena_alloc(c->arena, 37);
  bool braces = cell.len > 2 && cell.ptr[0] == '{' && cell.ptr[cell.len - 1] == '}';
  const char *end = cell.ptr + cell.len - braces;
  unsigned digits = 0;
  size_t n = 0;
  for (const char *p = cell.ptr + braces; p < end; p++) {
    if (*p == '-' && digits && digits % 4 == 0 && digits < 32 && p[-1] != '-')
      continue;
    if (!g_ascii_isxdigit(*p) || digits == 32)
      return px_conversion_fail_cell(c, "conversion", cell, "is no UUID");
    if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
      uuid[n++] = '-';
    uuid[n++] = g_ascii_tolower(*p);
    digits++;
  }
  if (digits < 32)
    return px_conversion_fail_cell(c, "conversion", cell, "is no UUID");
  *ret_value = px_value_text(uuid, n);
  return true;
}

/* HH:MM, perhaps with seconds and a fraction, as the database shows it; any other form is for the database to read. */
static bool read_time(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  unsigned parts[3] = {0};
  const char *p = cell.ptr;
  const char *end = cell.ptr + cell.len;
  unsigned n = 0;
  *ret_value = px_value_text(cell.ptr, cell.len);
  for (; n < 3 && p < end; n++) {
    if (n && *p++ != ':')
      return true;
    const char *first = p;
    for (; p < end && g_ascii_isdigit(*p) && p - first < 2; p++)
      parts[n] = parts[n] * 10 + (unsigned)(*p - '0');
    if (p - first < (n ? 2 : 1))
      return true;
  }
  const char *fraction = p;
  size_t n_fraction = (size_t)(end - p);
  bool good = n >= 2 && (!n_fraction || (*p == '.' && n_fraction <= 1 + PX_FRACTION_DIGITS));
  for (size_t i = 1; i < n_fraction; i++)
    good &= g_ascii_isdigit(fraction[i]);
  if (!good || parts[0] > 23 || parts[1] > 59 || parts[2] > 59)
    return true;
  while (n_fraction && (fraction[n_fraction - 1] == '0' || fraction[n_fraction - 1] == '.'))
    n_fraction--;
  char *text = px_arena_printf(c->arena, "%02u:%02u:%02u%.*s", parts[0], parts[1], parts[2], (int)n_fraction, fraction);
  *ret_value = px_value_text(text, strlen(text));
  return true;
}

bool px_convert_form(const PxConversion *c, PxCell cell, PxValue *ret_value) {
  if (memchr(cell.ptr, '\0', cell.len))
    return px_conversion_fail_cell(c, "conversion", cell, "holds the character of number 0, which PostgreSQL does not store");
  *ret_value = px_value_text(cell.ptr, cell.len);
  switch (c->field->form) {
  case PX_FORM_UUID:
    return read_uuid(c, cell, ret_value);
  case PX_FORM_TIME:
    return read_time(c, cell, ret_value);
  case PX_FORM_FREE:
    break;
  }
  return true;
}

/* ---- jsonb */

/* Some number has more digits than a double tells apart. */
static bool has_long_number(PxValue json) {
  size_t digits = 0;
  for (size_t i = 0; i < json.len && digits <= REAL_DIGITS; i++)
    digits = g_ascii_isdigit(json.text[i]) ? digits + 1 : json.text[i] == '.' ? digits : 0;
  return digits > REAL_DIGITS;
}

bool px_jsonb_same(PxValue a, PxValue b) {
  if (a.kind != PX_TEXT || b.kind != PX_TEXT || has_long_number(a) || has_long_number(b))
    return false;
  size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
  json_t *one = json_loadb(a.text, a.len, flags, NULL);
  json_t *other = json_loadb(b.text, b.len, flags, NULL);
  bool same = one && other && json_equal(one, other);
  json_decref(one);
  json_decref(other);
  return same;
}
