/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers stay the decimals that the file has: no double stands between, so whole numbers beyond 2^53 and long fractions keep all their digits. */
#include "format/json_private.h"

#include <string.h>

#define MAX_DIGITS 24 /* of a number that is written anew */
#define MOST_ZEROS 6  /* behind the point */

static const char *digits_end(const char *at) {
  while (g_ascii_isdigit(*at))
    at++;
  return at;
}

const char *px_json_number_end(const char *text) {
  const char *at = text + (*text == '-');
  const char *end = digits_end(at);
  if (end == at || (*at == '0' && end - at > 1))
    return NULL;
  if (*end == '.') {
    at = end + 1;
    end = digits_end(at);
    if (end == at)
      return NULL;
  }
  if (*end == 'e' || *end == 'E') {
    at = end + 1;
    at += *at == '+' || *at == '-';
    end = digits_end(at);
    if (end == at)
      return NULL;
  }
  return end;
}

/* Programs that print 17 digits of a double mean the short number that reads back as the same double: 0.1, not 0.10000000000000001. */
static bool shorten_double(const char *text, size_t len, char *to, uint32_t *ret_len) {
  char copy[PX_JSON_NUMBER];
  char shorter[PX_JSON_NUMBER];
  memcpy(copy, text, len);
  copy[len] = '\0';
  double value = g_ascii_strtod(copy, NULL);
  g_ascii_formatd(shorter, sizeof shorter, "%.15g", value);
  double again = g_ascii_strtod(shorter, NULL);
  if (again < value || again > value || strchr(shorter, 'e'))
    return false;
  *ret_len = (uint32_t)strlen(shorter);
  memcpy(to, shorter, *ret_len);
  return true;
}

typedef struct {
  bool negative;
  char digits[MAX_DIGITS]; /* the first and the last are not 0 */
  int n;
  int point; /* stands behind so many of them */
} Decimal;

/* False: it has more digits than that. */
static bool take_apart(const char *text, size_t len, Decimal *ret) {
  const char *end = text + len;
  int whole = 0;
  int zeros = 0; /* that may be the last ones */
  bool fraction = false;
  *ret = (Decimal){.negative = *text == '-'};
  for (text += ret->negative; text < end && *text != 'e' && *text != 'E'; text++) {
    if (*text == '.') {
      fraction = true;
      continue;
    }
    if (*text == '0' && ret->n == 0) {
      whole -= fraction;
      continue;
    }
    whole += !fraction;
    if (whole > MAX_DIGITS || whole < -MAX_DIGITS)
      return false;
    if (*text == '0') {
      zeros++;
      continue;
    }
    if (ret->n + zeros + 1 > MAX_DIGITS)
      return false;
    for (; zeros > 0; zeros--)
      ret->digits[ret->n++] = '0';
    ret->digits[ret->n++] = *text;
  }
  gint64 exponent = text < end ? g_ascii_strtoll(text + 1, NULL, 10) : 0;
  ret->point = whole + (int)CLAMP(exponent, -1000, 1000);
  return true;
}

static bool write_plain(const Decimal *decimal, char *to, uint32_t *ret_len) {
  char *out = to;
  if (decimal->n > 0 && (decimal->point > MAX_DIGITS || decimal->point < -MOST_ZEROS))
    return false;
  if (decimal->negative && decimal->n > 0)
    *out++ = '-';
  if (decimal->n == 0 || decimal->point <= 0)
    *out++ = '0';
  if (decimal->n > 0 && decimal->point <= 0) {
    if (-decimal->point + decimal->n > MAX_DIGITS)
      return false;
    *out++ = '.';
    for (int i = decimal->point; i < 0; i++)
      *out++ = '0';
  }
  for (int i = 0; i < decimal->n; i++) {
    if (i > 0 && i == decimal->point)
      *out++ = '.';
    *out++ = decimal->digits[i];
  }
  for (int i = decimal->n; decimal->n > 0 && i < decimal->point; i++)
    *out++ = '0';
  *ret_len = (uint32_t)(out - to);
  return true;
}

static bool is_long_double(const char *text, size_t len) {
  size_t digits = 0; /* that count */
  for (size_t i = 0; i < len; i++)
    digits += g_ascii_isdigit(text[i]) && (digits > 0 || text[i] != '0');
  return memchr(text, '.', len) && (digits == 16 || digits == 17) && len < PX_JSON_NUMBER;
}

bool px_json_number(const char *text, size_t len, char *to, uint32_t *ret_len) {
  bool fraction = false;
  bool exponent = false;
  for (size_t i = 0; i < len; i++) {
    fraction |= text[i] == '.';
    exponent |= text[i] == 'e' || text[i] == 'E';
  }
  bool is_zero = len == 2 && text[0] == '-' && text[1] == '0';
  if (!exponent && !is_zero && (!fraction || text[len - 1] != '0'))
    return fraction && is_long_double(text, len) && shorten_double(text, len, to, ret_len);
  Decimal decimal;
  if (!take_apart(text, len, &decimal) || !write_plain(&decimal, to, ret_len))
    return false;
  if (is_long_double(to, *ret_len))
    (void)shorten_double(to, *ret_len, to, ret_len);
  return true;
}
