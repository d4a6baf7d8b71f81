/* SPDX-License-Identifier: Apache-2.0 */
#include "model/convert_private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define MANTISSA_DIGITS 19          /* any of so many digits fits 64 bits */
#define EXACT_MANTISSA (1ULL << 53) /* a double holds every integer up to this */
#define EXACT_POWER 22              /* and every power of ten up to this: one division rounds correctly */
#define EXPONENT_LIMIT 100000       /* beyond it is zero or infinity whatever the mantissa */

static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(char c) {
  return (unsigned char)(c - '0') < 10;
}

PxNumberResult px_number_integer(const char *text, size_t len, int64_t *ret_integer) {
  const char *p = text;
  const char *end = text + len;
  bool negative = false;
  if (p < end && (*p == '-' || *p == '+'))
    negative = *p++ == '-';
  if (p == end)
    return PX_NUMBER_SYNTAX;
  uint64_t sum = 0;
  bool overflow = false;
  for (; p < end; p++) {
    if (!is_digit(*p))
      return PX_NUMBER_SYNTAX;
    overflow = overflow || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, (uint64_t)(*p - '0'), &sum);
  }
  uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
  if (overflow || sum > limit)
    return PX_NUMBER_RANGE;
  *ret_integer = (int64_t)(negative ? 0 - sum : sum);
  return PX_NUMBER_OK;
}

/* The digits of a mantissa with its mark, into decimal. The exponent counts the digits behind the mark and those dropped. */
static const char *scan_mantissa(const char *p, const char *end, char mark, PxDecimal *decimal, bool *ret_any) {
  unsigned digits = 0;
  bool behind_mark = false;
  for (; p < end; p++) {
    if (*p == mark && !behind_mark) {
      behind_mark = true;
      continue;
    }
    if (!is_digit(*p))
      break;
    *ret_any = true;
    if (digits == MANTISSA_DIGITS) {
      decimal->cut = decimal->cut || *p != '0';
      decimal->exponent += !behind_mark;
      continue;
    }
    decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*p - '0');
    digits += decimal->mantissa != 0;
    decimal->exponent -= behind_mark;
  }
  return p;
}

static const char *scan_exponent(const char *p, const char *end, PxDecimal *decimal, bool *ret_valid) {
  if (p == end || (*p != 'e' && *p != 'E'))
    return p;
  p++;
  bool negative = false;
  if (p < end && (*p == '-' || *p == '+'))
    negative = *p++ == '-';
  *ret_valid = p < end && is_digit(*p);
  int exponent = 0;
  for (; p < end && is_digit(*p); p++)
    exponent = MIN(exponent * 10 + (*p - '0'), EXPONENT_LIMIT);
  decimal->exponent += negative ? -exponent : exponent;
  return p;
}

static bool scan_decimal(const char *text, size_t len, char mark, PxDecimal *decimal) {
  const char *p = text;
  const char *end = text + len;
  bool any = false;
  bool valid = true;
  *decimal = (PxDecimal){0};
  if (p < end && (*p == '-' || *p == '+'))
    decimal->negative = *p++ == '-';
  p = scan_mantissa(p, end, mark, decimal, &any);
  if (!any)
    return false;
  p = scan_exponent(p, end, decimal, &valid);
  if (p != end || !valid)
    return false;
  if (decimal->mantissa == 0)
    decimal->exponent = 0;
  else
    for (; decimal->mantissa % 10 == 0; decimal->exponent++)
      decimal->mantissa /= 10;
  return true;
}

static bool decimal_to_integer(const PxDecimal *decimal, int64_t *ret_integer) {
  if (decimal->cut || decimal->exponent < 0 || decimal->exponent > MANTISSA_DIGITS)
    return false;
  uint64_t sum = decimal->mantissa;
  for (int i = 0; i < decimal->exponent; i++)
    if (__builtin_mul_overflow(sum, 10, &sum))
      return false;
  if (sum > (uint64_t)INT64_MAX + (decimal->negative ? 1 : 0))
    return false;
  *ret_integer = (int64_t)(decimal->negative ? 0 - sum : sum);
  return true;
}

/* Correctly rounded, for what one operation of doubles cannot do. */
static double slow_double(const char *text, size_t len, char mark) {
  char small[128];
  g_autofree char *large = len < sizeof(small) ? NULL : g_malloc(len + 1);
  char *copy = large ? large : small;
  memcpy(copy, text, len);
  copy[len] = '\0';
  char *comma = mark == '.' ? NULL : memchr(copy, mark, len);
  if (comma)
    *comma = '.';
  return g_ascii_strtod(copy, NULL);
}

PxNumberResult px_number_decimal(const char *text, size_t len, char mark, PxValue *ret_value, PxDecimal *ret_decimal) {
  PxDecimal decimal;
  if (!scan_decimal(text, len, mark, &decimal))
    return PX_NUMBER_SYNTAX;
  int64_t integer = 0;
  double real;
  if (ret_decimal)
    *ret_decimal = decimal;
  if (decimal_to_integer(&decimal, &integer)) {
    *ret_value = px_value_integer(integer);
    return PX_NUMBER_OK;
  }
  if (!decimal.cut && decimal.mantissa <= EXACT_MANTISSA && ABS(decimal.exponent) <= EXACT_POWER) {
    double mantissa = (double)decimal.mantissa;
    real = decimal.exponent < 0 ? mantissa / powers[-decimal.exponent] : mantissa * powers[decimal.exponent];
    real = decimal.negative ? -real : real;
  } else {
    real = slow_double(text, len, mark);
  }
  if (!isfinite(real))
    return PX_NUMBER_RANGE;
  *ret_value = px_value_real(real);
  return PX_NUMBER_OK;
}

bool px_number_is_exact(const PxValue *value, const PxDecimal *decimal) {
  if (decimal->cut)
    return false;
  if (value->kind == PX_INTEGER)
    return decimal->exponent >= 0;
  char text[PX_NUMBER_TEXT_SIZE];
  size_t len = px_number_text(value, text);
  PxDecimal shortest;
  return scan_decimal(text, len, '.', &shortest) && shortest.mantissa == decimal->mantissa && shortest.exponent == decimal->exponent;
}

PxValue px_number_whole(PxValue value) {
  /* 2^63 as a double; the smallest and the largest 64-bit integer stay doubles, as in SQLite. */
  if (value.kind != PX_REAL || !(value.real > -9223372036854775808.0 && value.real < 9223372036854775808.0))
    return value;
  int64_t integer = (int64_t)value.real;
  double back = (double)integer;
  return back < value.real || back > value.real ? value : px_value_integer(integer);
}
