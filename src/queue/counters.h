/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What has happened, counted for monitoring. A count belongs to the transaction in which the thing happens, so that a crash neither loses nor doubles
 * it; it outlives the rows that it is about. Jobs, files and rows are counted by the calls that end them: callers add only what nobody else knows. */
#include "queue/queue.h"

typedef enum {
  PX_COUNT_DEATH,         /* kind of the job, task: a worker died at it */
  PX_COUNT_DUE,           /* kind of the job, task, outcome PxDueState: times that were due */
  PX_COUNT_FETCH_PROBLEM, /* task: files that could not be taken or put away */
  PX_COUNT_FETCHED,       /* kind: the storage, task; amount: bytes */
  PX_COUNT_FILE,          /* kind, task, outcome PxState; amount: microseconds from start to end */
  PX_COUNT_JOB,           /* kind, task, outcome PxState; amount: microseconds of the last try */
  PX_COUNT_JOB_TIME,      /* kind, outcome: px_counter_bounds; amount: microseconds */
  PX_COUNT_JOB_WAIT,      /* kind; amount: microseconds from being due to the start */
  PX_COUNT_RETRY,         /* kind of the job, task */
  PX_COUNT_ROWS,          /* kind of the file, task, outcome: created updated unchanged failed skipped, exported */
  PX_COUNT_SENT,          /* kind: the storage, task; amount: bytes */
  PX_COUNT_STORAGE_ERROR, /* kind: the storage, task */
} PxCounter;
#define PX_N_COUNTERS (PX_COUNT_STORAGE_ERROR + 1)

/* The upper bounds of the durations of jobs, in seconds as they are stored and shown; the last one is +Inf. */
#define PX_N_COUNTER_BOUNDS 7
extern const char *const px_counter_bounds[PX_N_COUNTER_BOUNDS];

/* kind, task, outcome NULL: none. Nothing is written when n is 0. */
bool px_counter_add(PxDb *db, PxCounter what, const char *kind, const char *task, const char *outcome, uint64_t n, uint64_t amount, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A pattern file has just got an end. */
bool px_counter_file_ended(PxDb *db, int64_t file_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  PxCounter what;
  char *kind, *task, *outcome; /* "": none */
  uint64_t n, amount;
} PxCount;
/* All of them (PxCount *, freed with the array), by what, kind, task, outcome. */
GPtrArray *px_counter_list(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
