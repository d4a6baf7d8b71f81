/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The log of processes that run by themselves: one line an event on standard error, written at once, so that lines of several processes do
 * not mix. Only the worker's loop, the scheduler and the supervisor log; all others return errors. */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum { PX_LOG_DEBUG, PX_LOG_INFO, PX_LOG_WARNING, PX_LOG_ERROR } PxLogLevel;
typedef enum { PX_LOG_TEXT, PX_LOG_JSON } PxLogFormat;
/* "debug", ... and "text", "json"; NULL-terminated, in the order of the enums. */
extern const char *const px_log_levels[];
extern const char *const px_log_formats[];

/* What a line is about; NULL and 0: nothing. */
typedef struct {
  const char *task;
  const char *file;
  int64_t job;
} PxLogSubject;

/* Of this process. Before: text, info. */
void px_log_init(PxLogFormat format, PxLogLevel level);
/* Who writes: "supervisor", "worker 2". Copied. */
void px_log_set_worker(const char *worker);
/* The text may be of several lines, which become one; control characters are shown as \xNN. subject may be NULL. */
void px_log(PxLogLevel level, const PxLogSubject *subject, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* ---- for tests: the line without its end. Caller frees. */
char *px_log_line(PxLogFormat format, PxLogLevel level, int64_t now, const char *worker, const PxLogSubject *subject, const char *text);
