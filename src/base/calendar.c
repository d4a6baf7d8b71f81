/* SPDX-License-Identifier: Apache-2.0 */
#include "base/calendar.h"

#include <stdbool.h>

int px_calendar_month_days(int year, int month) {
  static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* Years are counted from March so that the leap day is the last. */
int64_t px_calendar_days(int year, int month, int day) {
  int64_t y = month > 2 ? year : year - 1;
  int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}
