/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Everything at a glance, as `status` shows it: tasks, workers, the queue, what has failed. Works whether or not anything runs. */
#include "flow/flow.h"
#include "queue/overview.h"

typedef struct {
  const PxTask *task; /* the project's */
  PxTaskStatus status;
  uint64_t pending, failed, done; /* files: PxFileTally */
  int64_t late;                   /* microseconds since a time that was due by its schedule and that nobody has begun; 0: none */
} PxTaskOverview;

typedef enum { PX_WORKER_IDLE, PX_WORKER_BUSY, PX_WORKER_DEAD } PxWorkerState;
const char *px_worker_state_name(PxWorkerState state);

typedef struct {
  char *what; /* "worker 2", "scheduler", "command" */
  char *name; /* as jobs call their owner */
  char *host; /* the machine that it is on; NULL: this one, or not known */
  int64_t pid;
  PxWorkerState state;
  char *doing;     /* "importing orders.csv, rows 2001-3000"; NULL: nothing to tell */
  bool serves;     /* a worker of serve, or worker alone: a command ends with what it was called for */
  uint64_t n_jobs; /* that it has claimed; it is at one of them */
  /* the job that it is at; 0 and NULL: none */
  int64_t job, since;
  char *kind, *task, *file;
} PxWorkerOverview;

typedef struct {
  int64_t now;
  GPtrArray *tasks;     /* PxTaskOverview * */
  GPtrArray *workers;   /* PxWorkerOverview * */
  GPtrArray *channels;  /* PxChannelTally *: those with jobs that have not ended well */
  GPtrArray *failures;  /* PxFailure *: the newest ones */
  uint64_t failed;      /* jobs, files and attachments that failed and wait for a person */
  uint64_t failed_jobs; /* how many of these are jobs */
  unsigned workers_alive, workers_busy;
  bool scheduler_alive;
  bool scheduler_wanted; /* a task that runs has a schedule */
} PxOverview;

typedef struct {
  int64_t since;     /* failures before are not looked at; 0: all */
  uint64_t failures; /* how many at most are listed; 0: all */
} PxOverviewOptions;

/* One snapshot of the database. Not while a transaction is open. */
PxOverview *px_overview_read(const PxProject *project, const PxOverviewOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_overview_free(PxOverview *overview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxOverview, px_overview_free)
/* What a person should look at, a sentence each (char *): something has failed, nobody works, nobody starts tasks. Empty: all is well. Caller
 * frees. */
GPtrArray *px_overview_problems(const PxOverview *overview);
