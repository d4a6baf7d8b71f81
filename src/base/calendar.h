/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Dates as numbers, in the Gregorian calendar of all times (ISO 8601). */
#include <stdint.h>

/* n digits as a number, or -1. */
static inline int px_calendar_digits(const char *text, unsigned n) {
  int sum = 0;
  for (unsigned i = 0; i < n; i++) {
    unsigned digit = (unsigned char)text[i] - (unsigned)'0';
    if (digit > 9)
      return -1;
    sum = sum * 10 + (int)digit;
  }
  return sum;
}
/* month: 1 to 12. */
int px_calendar_month_days(int year, int month);
/* Days from 1970-01-01 to that day. */
int64_t px_calendar_days(int year, int month, int day);
