/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A schedule as it was written, between its parser (schedule.c) and its reckoning (schedule_next.c). */
#include "task/task.h"

typedef enum { PX_EVERY_NOTHING /* it is cron */, PX_EVERY_SPAN, PX_EVERY_DAYS, PX_EVERY_MONTHS } PxEvery;

struct PxSchedule {
  char *text;
  PxEvery every;
  int64_t count;                                   /* seconds, days or months between two */
  uint64_t minutes, hours, days, months, weekdays; /* a bit for each that is due */
  bool both_days;                                  /* day of month and day of week are both given: either will do */
  bool by_clock;                                   /* the minute or the hour begins with *: every time that the clock shows */
  bool has_start;
  int64_t start; /* by the local clock, as if that were UTC: seconds; of "every", where nothing was said: when counting begins */
};
