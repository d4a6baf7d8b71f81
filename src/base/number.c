/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static size_t integer_text(uint64_t integer, bool negative, char *buffer) {
  char digits[24];
  size_t n = 0;
  do {
    digits[n++] = (char)('0' + integer % 10);
    integer /= 10;
  } while (integer);
  size_t len = 0;
  if (negative)
    buffer[len++] = '-';
  while (n)
    buffer[len++] = digits[--n];
  buffer[len] = '\0';
  return len;
}

/* Money and the like: few digits behind the point. Within the limits below, mantissa / 10^k is rounded correctly, so the first k that gives
 * the number back has the shortest text. */
static size_t short_fraction_text(double real, char *buffer) {
  double size = fabs(real);
  if (size >= 1e9)
    return 0;
  static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  for (int k = 0; k <= 6; k++) {
    double power = powers[k];
    double mantissa = nearbyint(size * power);
    if (mantissa / power < size || mantissa / power > size)
      continue;
    char digits[24];
    size_t n = integer_text((uint64_t)mantissa, false, digits);
    size_t zeros = n > (size_t)k ? 0 : (size_t)k + 1 - n;
    size_t len = 0;
    if (real < 0)
      buffer[len++] = '-';
    memset(buffer + len, '0', zeros);
    memcpy(buffer + len + zeros, digits, n);
    len += zeros + n;
    if (k) {
      memmove(buffer + len - k + 1, buffer + len - k, (size_t)k);
      buffer[len - (size_t)k] = '.';
      len++;
    }
    buffer[len] = '\0';
    return len;
  }
  return 0;
}

size_t px_number_text(const PxValue *value, char buffer[PX_NUMBER_TEXT_SIZE]) {
  if (value->kind == PX_INTEGER) {
    uint64_t size = value->integer < 0 ? 0 - (uint64_t)value->integer : (uint64_t)value->integer;
    return integer_text(size, value->integer < 0, buffer);
  }
  double real = value->real;
  size_t len = short_fraction_text(real, buffer);
  if (len)
    return len;
  static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
  for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
    g_ascii_formatd(buffer, PX_NUMBER_TEXT_SIZE, formats[i], real);
    double back = g_ascii_strtod(buffer, NULL);
    if (!(back < real) && !(back > real))
      break;
  }
  return strlen(buffer);
}
