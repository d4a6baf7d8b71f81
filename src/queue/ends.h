/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Jobs that end together, in one transaction; on a server in a number of statements that does not depend on how many there are. For jobs whose work
 * left nothing in the database: one that did something ends in the very transaction that does it (px_job_done()). */
#include "queue/queue.h"

typedef enum {
  PX_END_DONE,
  PX_END_NOT_OURS, /* it is another worker's by now (px_job_fence()): nothing was written about it */
  PX_END_NOT_YET,  /* there is something to be done for it after all: it still is this worker's, at this attempt */
} PxEndState;

typedef struct {
  const PxJob *job; /* as it was claimed; borrowed */
  bool of_task;     /* by it its task has run, and well: px_task_state_ran() */
  PxEndState state; /* out */
} PxEnd;

/* In the transaction, behind the fence, so that who queues something now either sees the jobs as ended or is seen: makes PX_END_NOT_YET of those
 * that are PX_END_DONE and must not end. */
typedef bool (*PxMayEnd)(PxDb *db, PxEnd *ends, size_t n, void *data, GError **error);

typedef struct {
  PxMayEnd may_end; /* NULL: all may */
  void *data;       /* of may_end */
  /* When the worker holds no other job, what is next is claimed in the same transaction, where that needs no look at other workers: the next
   * px_job_claim() hands it out. */
  bool claims;
  const char *const *tasks; /* as px_job_claim() has them */
} PxEndOptions;

/* Ends jobs that a worker has claimed as done; a transaction of its own, which is not committed when none ends. On an error nothing has ended, unless
 * *ret_in_doubt: the answer to the commit got lost, and with it what was claimed; the worker cannot go on. */
bool px_jobs_end(PxDb *db, const PxWorker *worker, PxEnd *ends, size_t n, const PxEndOptions *options, int64_t now, bool *ret_in_doubt,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
