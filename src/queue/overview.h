/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What our tables hold, counted: for those who look at the whole from outside. Read only; one snapshot when the caller has begun a transaction. */
#include "queue/queue.h"

/* ---- workers */

/* A worker as others see it. */
typedef struct {
  char *name; /* what jobs call their owner */
  char *host; /* the machine it is on; NULL: this one, as the database is a file */
  char *what; /* px_worker_describe(): "worker 2", "scheduler", "command" */
  int64_t pid;
  bool lives;
  int64_t job; /* the last one that it began, which may have ended; 0: none */
  char *doing; /* with it: "importing orders.csv, rows 2001-3000"; may be "" */
} PxWorkerSeen;
void px_worker_seen_free(PxWorkerSeen *seen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxWorkerSeen, px_worker_seen_free)
/* All that there are, living or dead (PxWorkerSeen *, by what they are, freed with the array). A dead one is there until somebody opens a worker
 * or claims its jobs. Empty for a database without files. SQLite: the lock files beside the database. PostgreSQL: their rows; one of another machine
 * lives as long as its lease, which is renewed by signs of life. */
GPtrArray *px_worker_list(PxDb *db);

/* A job that a worker is at. */
typedef struct {
  int64_t id;
  char *kind, *task, *owner; /* task NULL: by hand */
  int64_t started;
  char *file; /* NULL: it works on none, or none is known yet */
} PxStartedJob;
/* Of PxStartedJob *, by id, freed with the array. */
GPtrArray *px_started_jobs(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- the queue */

typedef struct {
  char *channel;
  uint64_t started, due, later /* pending, but not yet due */, waiting, failed;
  int64_t oldest_due; /* since when the oldest one is due; 0: none is */
} PxChannelTally;
/* Channels with jobs that have not ended well (PxChannelTally *, by name, freed with the array). */
GPtrArray *px_channel_tallies(PxDb *db, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- files */

typedef struct {
  char *task; /* "": by hand */
  uint64_t pending, failed /* as a whole, or some rows, or refused; and not tried again */, done;
} PxFileTally;
/* Files in our care by task (PxFileTally *, freed with the array). */
GPtrArray *px_file_tallies(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- failures */

typedef struct {
  char *subject; /* job, file, attachment: what retry and set-done call it */
  int64_t id;
  char *kind;
  PxState state; /* failed, refused; pending: a job that is tried again by itself at eta */
  char *task;    /* NULL: by hand */
  char *name;    /* of the file; NULL: none */
  char *error;   /* NULL: rows tell it */
  uint64_t rows, rows_failed;
  int64_t at, eta;
} PxFailure;
void px_failure_free(PxFailure *failure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxFailure, px_failure_free)
/* What has failed at or after since and waits for a person, and jobs that are tried again; newest first (PxFailure *, freed with the array).
 * *ret_failed: how many have failed, *ret_jobs: how many of these are jobs, whatever limit (0: none) leaves. */
GPtrArray *px_failure_list(PxDb *db, int64_t since, uint64_t limit, uint64_t *ret_failed, uint64_t *ret_jobs, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
