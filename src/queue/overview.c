/* SPDX-License-Identifier: Apache-2.0 */
/* Our tables, counted. */
#include "queue/overview.h"

#include "queue/queue_private.h"

/* ---- jobs at work */

static gpointer read_started(PxColumns *columns) {
  PxStartedJob *job = g_new0(PxStartedJob, 1);
  job->id = px_column_integer(columns);
  job->kind = px_column_text(columns);
  job->task = px_column_text(columns);
  job->owner = px_column_text(columns);
  job->started = px_column_integer(columns);
  job->file = px_column_text(columns);
  return job;
}

static void free_started(gpointer row) {
  PxStartedJob *job = row;
  g_free(job->kind);
  g_free(job->task);
  g_free(job->owner);
  g_free(job->file);
  g_free(job);
}

GPtrArray *px_started_jobs(PxDb *db, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "overview_started", &binder, error))
    return NULL;
  return px_read_rows(&binder, read_started, free_started, error);
}

/* ---- channels */

static gpointer read_channel(PxColumns *columns) {
  PxChannelTally *tally = g_new0(PxChannelTally, 1);
  tally->channel = px_column_text(columns);
  tally->started = (uint64_t)px_column_integer(columns);
  tally->due = (uint64_t)px_column_integer(columns);
  tally->later = (uint64_t)px_column_integer(columns);
  tally->waiting = (uint64_t)px_column_integer(columns);
  tally->failed = (uint64_t)px_column_integer(columns);
  tally->oldest_due = px_column_integer(columns);
  return tally;
}

static void free_channel(gpointer row) {
  PxChannelTally *tally = row;
  g_free(tally->channel);
  g_free(tally);
}

GPtrArray *px_channel_tallies(PxDb *db, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "overview_jobs", &binder, error))
    return NULL;
  for (int i = 0; i < 3; i++)
    px_bind_integer(&binder, now);
  return px_read_rows(&binder, read_channel, free_channel, error);
}

/* ---- files */

static gpointer read_files(PxColumns *columns) {
  PxFileTally *tally = g_new0(PxFileTally, 1);
  tally->task = px_column_text(columns);
  tally->pending = (uint64_t)px_column_integer(columns);
  tally->failed = (uint64_t)px_column_integer(columns);
  tally->done = (uint64_t)px_column_integer(columns);
  return tally;
}

static void free_files(gpointer row) {
  PxFileTally *tally = row;
  g_free(tally->task);
  g_free(tally);
}

GPtrArray *px_file_tallies(PxDb *db, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "overview_files", &binder, error))
    return NULL;
  return px_read_rows(&binder, read_files, free_files, error);
}

/* ---- failures */

void px_failure_free(PxFailure *failure) {
  if (!failure)
    return;
  g_free(failure->subject);
  g_free(failure->kind);
  g_free(failure->task);
  g_free(failure->name);
  g_free(failure->error);
  g_free(failure);
}

static void free_failure(gpointer row) {
  px_failure_free(row);
}

static PxFailure *read_failure(PxColumns *columns) {
  PxFailure *failure = g_new0(PxFailure, 1);
  failure->subject = px_column_text(columns);
  failure->id = px_column_integer(columns);
  failure->kind = px_column_text(columns);
  failure->state = px_column_state(columns);
  failure->task = px_column_text(columns);
  failure->name = px_column_text(columns);
  failure->error = px_column_text(columns);
  failure->rows = (uint64_t)px_column_integer(columns);
  failure->rows_failed = (uint64_t)px_column_integer(columns);
  failure->at = px_column_integer(columns);
  failure->eta = px_column_integer(columns);
  return failure;
}

GPtrArray *px_failure_list(PxDb *db, int64_t since, uint64_t limit, uint64_t *ret_failed, uint64_t *ret_jobs, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "overview_failures", &binder, error))
    return NULL;
  for (int i = 0; i < 3; i++)
    px_bind_integer(&binder, since);
  px_bind_limit(&binder, limit);
  g_autoptr(GPtrArray) failures = g_ptr_array_new_with_free_func(free_failure);
  uint64_t failed = 0;
  uint64_t jobs = 0;
  PxStep step;
  while ((step = px_stmt_step(binder.stmt, error)) == PX_STEP_ROW) {
    PxColumns columns = {.stmt = binder.stmt};
    g_ptr_array_add(failures, read_failure(&columns));
    failed = (uint64_t)px_column_integer(&columns); /* of all rows, in each */
    jobs = (uint64_t)px_column_integer(&columns);
  }
  if (step == PX_STEP_ERROR)
    return NULL;
  *ret_failed = failed;
  *ret_jobs = jobs;
  return g_steal_pointer(&failures);
}
