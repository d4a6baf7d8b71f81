/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text. Spreadsheet programs write 17 digits of a double, people want to see the fewest that mean the same one: 0.1 and not
 * 0.10000000000000001, 75001 and not 75001.0. */
#include "format/xlsx_read_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAX_TEXT 64     /* no program writes a longer number */
#define PLAIN_DIGITS 15 /* so many any double keeps, so they are the shortest text of theirs */
#define MOST_ZEROS 6    /* behind the point; smaller numbers have an exponent */
#define KEPT_DIGITS 18  /* of a whole number */

static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* The number's text taken apart: [-] digits [. digits] and nothing else. */
typedef struct {
  bool plain;
  size_t zeros;    /* behind the point of 0.00x, before the first other digit */
  size_t whole;    /* digits before the point, without leading zeros */
  size_t fraction; /* behind it, without trailing zeros */
  size_t digits;   /* significant ones */
} Shape;

static Shape shape_of(const char *text, size_t len) {
  Shape shape = {0};
  size_t i = len > 0 && text[0] == '-';
  size_t start = i;
  while (i < len && g_ascii_isdigit(text[i]))
    i++;
  shape.whole = i - start;
  if (shape.whole == 0 || (shape.whole > 1 && text[start] == '0'))
    return shape;
  if (i < len && text[i] == '.') {
    size_t point = i++;
    while (i < len && g_ascii_isdigit(text[i]))
      i++;
    shape.fraction = i - point - 1;
    if (shape.fraction == 0 || text[i - 1] == '0')
      return shape;
    if (text[start] == '0')
      while (text[point + 1 + shape.zeros] == '0')
        shape.zeros++;
  }
  shape.plain = i == len && !(start == 1 && len == 2 && text[1] == '0');
  shape.digits = (text[start] == '0' ? 0 : shape.whole) + shape.fraction - shape.zeros;
  return shape;
}

bool px_xlsx_value(const char *text, size_t len, double *ret_value) {
  char copy[MAX_TEXT + 1];
  char *end;
  if (px_xlsx_decimal(text, len, ret_value))
    return true;
  if (len == 0 || len > MAX_TEXT || !(g_ascii_isdigit(text[0]) || strchr("+-.", text[0])) || memchr(text, 'x', len) || memchr(text, 'X', len))
    return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  *ret_value = g_ascii_strtod(copy, &end);
  return *end == '\0' && isfinite(*ret_value);
}

static char *put(char *out, const char *digits, int n) {
  memcpy(out, digits, (size_t)n);
  return out + n;
}

static char *put_zeros(char *out, int n) {
  memset(out, '0', (size_t)n);
  return out + n;
}

/* digits x 10^exponent as people write it: with a point, and with an exponent only where there would be rows of zeros. */
static uint32_t write_digits(const char *digits, int n, int exponent, bool negative, char *to) {
  char *out = to;
  int point = n + exponent; /* where it stands, from the first digit on */
  if (negative)
    *out++ = '-';
  if (point > 21 || point < -MOST_ZEROS) {
    out += g_snprintf(out, PX_XLSX_SHORT, n > 1 ? "%c.%.*sE%+d" : "%c%.*sE%+d", digits[0], n - 1, digits + 1, point - 1);
  } else if (point <= 0) {
    out = put(put_zeros(put(out, "0.", 2), -point), digits, n);
  } else if (point >= n) {
    out = put_zeros(put(out, digits, n), point - n);
  } else {
    out = put(put(put(out, digits, point), ".", 1), digits + point, n - point);
  }
  return (uint32_t)(out - to);
}

static uint32_t write_shortest(double value, char *to) {
  char text[MAX_TEXT] = "";
  if (value == 0) {
    to[0] = '0';
    return 1;
  }
  /* Of a number with all its bits, 15 digits say as much as fewer ones would. */
  for (int precision = fabs(value) < DBL_MIN ? 1 : PLAIN_DIGITS; precision <= 17; precision++) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%de", precision - 1);
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, NULL) == value)
      break;
  }
  char digits[MAX_TEXT] = "0";
  int n = 0;
  const char *p = text;
  for (; *p && *p != 'e'; p++)
    if (g_ascii_isdigit(*p))
      digits[n++] = *p;
  int exponent = (int)g_ascii_strtoll(p + 1, NULL, 10) - (n - 1);
  for (; n > 1 && digits[n - 1] == '0'; n--)
    exponent++;
  return write_digits(digits, n, exponent, value < 0, to);
}

/* The first 15 digits of a longer [-]digits.digits, rounded, when these mean the same number: what 17 digits of a number that people wrote
 * come from. 0: they do not. */
static uint32_t write_rounded(const char *text, size_t len, double value, char *to) {
  bool negative = text[0] == '-';
  uint64_t digits = 0;
  int n = 0;
  int exponent = 0;
  bool point = false;
  bool up = false;
  for (size_t i = negative; i < len; i++) {
    bool is_digit = g_ascii_isdigit(text[i]);
    if (!is_digit && (text[i] != '.' || point))
      return 0;
    point |= !is_digit;
    if (!is_digit || (n == 0 && text[i] == '0' && !point))
      continue;
    if (n == PLAIN_DIGITS)
      up = text[i] >= '5';
    if (n < PLAIN_DIGITS && (n > 0 || text[i] != '0')) {
      digits = digits * 10 + (uint64_t)(text[i] - '0');
      n++;
      exponent -= point;
    } else if (n >= PLAIN_DIGITS) {
      n++;
      exponent += !point;
    } else {
      exponent -= point; /* zeros of 0.00x */
    }
  }
  if (n <= PLAIN_DIGITS || exponent > 0 || exponent < -15)
    return 0;
  digits += up;
  char shortest[24] = "";
  char *end = shortest + sizeof shortest;
  char *p = end;
  double rounded = (double)digits / tens[-exponent];
  if (rounded != fabs(value))
    return 0;
  for (; digits % 10 == 0 && digits > 0; exponent++)
    digits /= 10;
  for (; digits > 0; digits /= 10)
    *--p = (char)('0' + digits % 10);
  return write_digits(p, (int)(end - p), exponent, negative, to);
}

static bool is_shortest(const char *text, size_t len) {
  Shape shape = shape_of(text, len);
  return shape.plain && shape.zeros <= MOST_ZEROS && (shape.digits <= PLAIN_DIGITS || (shape.fraction == 0 && shape.digits <= KEPT_DIGITS));
}

/* The length without zeros at the end of a fraction, and without a point that nothing follows. */
static size_t without_zeros(const char *text, size_t len) {
  if (!memchr(text, '.', MIN(len, PLAIN_DIGITS)))
    return len;
  while (text[len - 1] == '0')
    len--;
  return text[len - 1] == '.' ? len - 1 : len;
}

PxXlsxNumber px_xlsx_number(const char *text, size_t len, char *to, uint32_t *ret_len) {
  if (is_shortest(text, len))
    return PX_XLSX_AS_IT_IS;
  size_t shorter = without_zeros(text, len);
  if (shorter < len && is_shortest(text, shorter)) {
    *ret_len = (uint32_t)(put(to, text, (int)shorter) - to);
    return PX_XLSX_WRITTEN;
  }
  double value;
  if (!px_xlsx_value(text, len, &value))
    return PX_XLSX_NO_NUMBER;
  *ret_len = write_rounded(text, len, value, to);
  if (*ret_len == 0)
    *ret_len = write_shortest(value, to);
  return PX_XLSX_WRITTEN;
}
