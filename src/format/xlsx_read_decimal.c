/* SPDX-License-Identifier: Apache-2.0 */
/* Digits with a point to the nearest double, which strtod takes some ten times as long for: D / 10^k is an integer division whose remainder
 * says which way to round. Exponents and texts of other forms are left to strtod. */
#include "format/xlsx_read_private.h"

#include <math.h>

#define DOUBLE_BITS 53
#define EXACT_TENS 19  /* 10^k that are 64 bits and a double without rounding */
#define MOST_DIGITS 19 /* that 64 bits hold, whatever they are */

/* 5^k below 2^63. */
static const uint64_t fives[] = {
  1,
  5,
  25,
  125,
  625,
  3125,
  15625,
  78125,
  390625,
  1953125,
  9765625,
  48828125,
  244140625,
  1220703125,
  UINT64_C(6103515625),
  UINT64_C(30517578125),
  UINT64_C(152587890625),
  UINT64_C(762939453125),
  UINT64_C(3814697265625),
  UINT64_C(19073486328125),
  UINT64_C(95367431640625),
  UINT64_C(476837158203125),
  UINT64_C(2384185791015625),
  UINT64_C(11920928955078125),
  UINT64_C(59604644775390625),
  UINT64_C(298023223876953125),
  UINT64_C(1490116119384765625),
  UINT64_C(7450580596923828125),
};

__extension__ typedef unsigned __int128 Wide;

/* The double that is nearest to digits / 10^behind; of two the even one. */
static double divide(uint64_t digits, size_t behind) {
  if (digits >> DOUBLE_BITS == 0 && behind <= EXACT_TENS) /* one rounding of two numbers that are what they are */
    return (double)digits / (double)(fives[behind] << behind);
  int up = __builtin_clzll(digits);
  Wide dividend = (Wide)(digits << up) << 64;
  Wide quotient = dividend / fives[behind];
  int cut = 128 - __builtin_clzll((uint64_t)(quotient >> 64)) - DOUBLE_BITS; /* a divisor below 2^63 leaves more than 64 bits */
  uint64_t kept = (uint64_t)(quotient >> cut);
  Wide rest = quotient - ((Wide)kept << cut);
  Wide half = (Wide)1 << (cut - 1);
  if (rest > half || (rest == half && (kept & 1 || quotient * fives[behind] != dividend)))
    kept++;
  return ldexp((double)kept, cut - 64 - up - (int)behind);
}

bool px_xlsx_decimal(const char *text, size_t len, double *ret_value) {
  bool negative = len > 0 && text[0] == '-';
  uint64_t digits = 0;
  size_t n = 0;      /* digits that are counted in, from the first one that is no zero on */
  size_t behind = 0; /* those of them that stand behind the point, and zeros there */
  bool point = false;
  bool any = false;
  bool more = false; /* digits that are no zeros were not counted in */
  for (size_t i = negative; i < len; i++) {
    if (text[i] == '.' && !point) {
      point = true;
      continue;
    }
    if (!g_ascii_isdigit(text[i]) || (n == MOST_DIGITS && !point))
      return false;
    any = true;
    more |= n == MOST_DIGITS && text[i] != '0';
    if (n == MOST_DIGITS)
      continue;
    digits = digits * 10 + (uint64_t)(text[i] - '0');
    n += digits != 0;
    behind += point;
  }
  if (!any || behind >= G_N_ELEMENTS(fives))
    return false;
  double value = divide(digits, behind);
  if (more && divide(digits + 1, behind) != value)
    return false; /* what was left out decides */
  *ret_value = negative ? -value : value;
  return true;
}
