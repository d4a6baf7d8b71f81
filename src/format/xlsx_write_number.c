/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and dates as a workbook holds them: doubles. What one cannot hold is left to be written as text, so that nothing is lost. */
#include "format/xlsx_write_private.h"

#include <float.h>
#include <math.h>

#define SURE_DIGITS 15                /* every decimal of so many digits survives a double, and a spreadsheet shows so many */
#define MOST_DIGITS 17                /* no double needs more */
#define LARGEST 9.99999999999999E+307 /* Excel specifications and limits */

#define EPOCH_SERIAL 25569 /* 1970-01-01 */
#define FIRST_SERIAL 61    /* 1900-03-01: what comes before is a day off in Excel, or in the others */
#define DAY_DIGITS 12      /* of a fraction of a day: finer than the double of a date of today */

/* ---- numbers */

typedef struct {
  char digits[MOST_DIGITS + 1]; /* the significant ones, as many as there is room for */
  unsigned n;                   /* significant digits, also those for which there is none */
  bool whole;                   /* neither point nor exponent */
  bool exponent;
} Number;

static const char *take_digits(const char *at, const char *end, Number *number) {
  for (; at < end && g_ascii_isdigit(*at); at++) {
    if (number->n == 0 && *at == '0')
      continue;
    if (number->n < sizeof(number->digits))
      number->digits[number->n] = *at;
    number->n++;
  }
  return at;
}

static void drop_zeros(Number *number) {
  while (number->n > 0 && number->n <= sizeof(number->digits) && number->digits[number->n - 1] == '0')
    number->n--;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool take_number(const char *text, size_t len, Number *ret_number) {
  const char *end = text + len;
  const char *at = text + (*text == '-');
  const char *start = at;
  *ret_number = (Number){.whole = true};
  at = take_digits(at, end, ret_number);
  if (at == start || (*start == '0' && at > start + 1))
    return false;
  if (at < end && *at == '.') {
    ret_number->whole = false;
    start = ++at;
    at = take_digits(at, end, ret_number);
    if (at == start)
      return false;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ret_number->whole = false;
    ret_number->exponent = true;
    at++;
    at += at < end && (*at == '+' || *at == '-');
    start = at;
    while (at < end && g_ascii_isdigit(*at))
      at++;
    if (at == start)
      return false;
  }
  return at == end;
}

/* Whether the text is the shortest one of its double, which is what every reader makes of the double again. */
static bool is_shortest(double value, const Number *number) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  char format[] = "%.15e";
  for (unsigned precision = SURE_DIGITS; precision <= number->n; precision++) {
    format[3] = (char)('0' + precision - 1 - 10);
    g_ascii_formatd(text, sizeof(text), format, value);
    double back = g_ascii_strtod(text, NULL);
    if (back < value || back > value)
      continue;
    Number shortest;
    return take_number(text, strlen(text), &shortest) && (drop_zeros(&shortest), shortest.n == number->n) &&
           memcmp(shortest.digits, number->digits, number->n) == 0;
  }
  return false;
}

bool px_xlsx_number_fits(const char *text, size_t len) {
  Number number;
  if (len == 0 || len > 400 || !take_number(text, len, &number))
    return false;
  if (G_LIKELY(!number.exponent && number.n <= SURE_DIGITS && len < 300))
    return true;
  drop_zeros(&number);
  if (number.n > MOST_DIGITS || (number.whole && number.n > SURE_DIGITS))
    return false;
  char copy[401];
  memcpy(copy, text, len);
  copy[len] = '\0';
  double value = g_ascii_strtod(copy, NULL);
  bool in_range = fabs(value) <= LARGEST && (fabs(value) >= DBL_MIN || number.n == 0);
  return in_range && (number.n <= SURE_DIGITS || is_shortest(value, &number));
}

/* ---- dates */

/* n digits; -1: they are none. */
static int take_int(const char *text, size_t n) {
  int value = 0;
  for (size_t i = 0; i < n; i++) {
    if (!g_ascii_isdigit(text[i]))
      return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar; years begin in March, so that a leap day is the last. */
static int days_of(int year, int month, int day) {
  int y = month <= 2 ? year - 1 : year;
  int era = y / 400;
  int year_of_era = y - era * 400;
  int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int month_days(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : days[month - 1];
}

/* 0: the text is no date that has a serial. */
static int take_date(const char *text) {
  int year = take_int(text, 4);
  int month = take_int(text + 5, 2);
  int day = take_int(text + 8, 2);
  if (year < 1900 || text[4] != '-' || text[7] != '-' || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
    return 0;
  int serial = days_of(year, month, day) + EPOCH_SERIAL;
  return serial >= FIRST_SERIAL ? serial : 0;
}

/* Milliseconds of ".5", ".123000"; -1: it is none, or finer. */
static int take_fraction(const char *text, size_t len) {
  int ms = 0;
  if (len < 2 || text[0] != '.')
    return -1;
  for (size_t i = 1; i < len; i++) {
    if (!g_ascii_isdigit(text[i]) || (i > 3 && text[i] != '0'))
      return -1;
    if (i <= 3)
      ms += (text[i] - '0') * (i == 1 ? 100 : i == 2 ? 10 : 1);
  }
  return ms;
}

/* Milliseconds of "HH:MM:SS" and a fraction, -1: it is none. */
static int take_time(const char *text, size_t len) {
  int hours = take_int(text, 2);
  int minutes = take_int(text + 3, 2);
  int seconds = take_int(text + 6, 2);
  int ms = len > 8 ? take_fraction(text + 8, len - 8) : 0;
  if (hours < 0 || hours > 23 || text[2] != ':' || minutes < 0 || minutes > 59 || text[5] != ':' || seconds < 0 || seconds > 59 || ms < 0)
    return -1;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/* At least so many digits, zeros in front. */
static size_t put_int(char *to, uint64_t value, size_t digits) {
  char reversed[20];
  size_t n = 0;
  for (; value > 0 || n < digits; value /= 10)
    reversed[n++] = (char)('0' + value % 10);
  for (size_t i = 0; i < n; i++)
    to[i] = reversed[n - 1 - i];
  return n;
}

size_t px_xlsx_serial(const char *text, size_t len, char serial[32], PxXlsxStyle *ret_style) {
  int day = len == 10 || len >= 19 ? take_date(text) : 0;
  if (!day)
    return 0;
  if (len == 10) {
    *ret_style = PX_XLSX_DATE;
    return put_int(serial, (uint64_t)day, 1);
  }
  int ms = text[10] == ' ' ? take_time(text + 11, len - 11) : -1;
  if (ms < 0)
    return 0;
  *ret_style = ms % 1000 ? PX_XLSX_DATETIME_MS : PX_XLSX_DATETIME;
  size_t n = put_int(serial, (uint64_t)day, 1);
  if (ms == 0)
    return n;
  serial[n++] = '.';
  n += put_int(serial + n, ((uint64_t)ms * 10000000 + 432) / 864, DAY_DIGITS);
  while (serial[n - 1] == '0')
    n--;
  return n;
}
