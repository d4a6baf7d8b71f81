/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: enqueue, fence, end, look. */
#include "queue/queue_private.h"

PxJob *px_job_new(const char *kind, const char *channel, const char *task) {
  PxJob *job = g_new0(PxJob, 1);
  job->kind = g_strdup(kind);
  job->channel = g_strdup(channel);
  job->task = g_strdup(task);
  job->priority = 20;
  return job;
}

void px_job_free(PxJob *job) {
  if (!job)
    return;
  g_free(job->kind);
  g_free(job->channel);
  g_free(job->identity);
  g_free(job->task);
  g_free(job->owner);
  g_free(job->error);
  g_free(job->tries);
  g_free(job);
}

void px_free_job_row(gpointer job) {
  px_job_free(job);
}

gpointer px_read_job(PxColumns *columns) {
  PxJob *job = g_new0(PxJob, 1);
  job->id = px_column_integer(columns);
  job->kind = px_column_text(columns);
  job->channel = px_column_text(columns);
  job->priority = px_column_integer(columns);
  job->eta = px_column_integer(columns);
  job->attempt = px_column_integer(columns);
  job->retries = px_column_integer(columns);
  job->deaths = px_column_integer(columns);
  job->identity = px_column_text(columns);
  job->state = px_column_state(columns);
  job->task = px_column_text(columns);
  job->attachment_id = px_column_integer(columns);
  job->file_id = px_column_integer(columns);
  job->owner = px_column_text(columns);
  job->error = px_column_text(columns);
  job->created = px_column_integer(columns);
  job->started = px_column_integer(columns);
  job->ended = px_column_integer(columns);
  job->waits = px_column_integer(columns);
  job->tries = px_column_text(columns);
  return job;
}

/* ---- putting in */

#define ADDED_COLUMNS 13

/* Of job_add.sql. */
static void values_to_add(gconstpointer row, PxValue *ret_values) {
  const PxJob *job = row;
  const PxValue values[ADDED_COLUMNS] = {
    px_value_string(job->kind),
    px_value_string(job->channel),
    px_value_integer(job->priority),
    px_value_integer(job->eta),
    px_value_integer(job->attempt),
    px_value_string(job->identity),
    px_value_string(px_state_name(job->state)),
    px_value_string(job->task),
    px_id_value(job->attachment_id),
    px_id_value(job->file_id),
    px_value_string(job->owner),
    px_value_integer(job->created),
    px_value_integer(job->started),
  };
  memcpy(ret_values, values, sizeof values);
}

static void set_times(PxJob *job, int64_t now) {
  job->created = now;
  if (!job->eta)
    job->eta = now;
}

static bool insert(PxDb *db, PxJob *job, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_add", &binder, error))
    return false;
  set_times(job, now);
  px_bind_row(&binder, job, ADDED_COLUMNS, values_to_add);
  return px_run_for_id(&binder, &job->id, error);
}

bool px_job_of_identity(PxDb *db, const char *identity, int64_t *ret_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_of_identity", &binder, error))
    return false;
  px_bind_text(&binder, identity);
  return px_run_for_id(&binder, ret_id, error);
}

bool px_job_enqueue(PxDb *db, PxJob *job, int64_t now, GError **error) {
  PxBinder binder;
  job->state = PX_STATE_PENDING;
  px_db_notify(db);
  for (int64_t other = 0; !other;) { /* none: the job that was in the way has ended since */
    if (!insert(db, job, now, error))
      return false;
    if (job->id)
      return true;
    if (!px_job_of_identity(db, job->identity, &other, error))
      return false;
    job->id = other;
  }
  if (!px_queue_statement(db, "job_sooner", &binder, error))
    return false;
  px_bind_integer(&binder, job->eta);
  px_bind_integer(&binder, job->id);
  px_bind_integer(&binder, job->eta);
  return px_run_bound(&binder, error);
}

/* The id of one whose identity another job has is 0 then. */
static bool insert_all(PxDb *db, PxJob *const *jobs, size_t n, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "jobs_add", &binder, error))
    return false;
  for (size_t i = 0; i < n; i++) {
    jobs[i]->state = PX_STATE_PENDING;
    set_times(jobs[i], now);
  }
  g_autofree PxValue *values = px_bind_rows(&binder, (const gconstpointer *)jobs, n, ADDED_COLUMNS, values_to_add);
  g_autofree int64_t *ids = g_new(int64_t, n);
  bool done = px_run_for_ids(&binder, n, ids, error);
  for (size_t i = 0; i < n; i++)
    jobs[i]->id = done ? ids[i] : 0;
  px_db_notify(db);
  return done;
}

bool px_jobs_enqueue(PxDb *db, PxJob *const *jobs, size_t n, int64_t now, GError **error) {
  bool together = n > 0 && px_db_dialect(db) == PX_DIALECT_POSTGRES;
  if (together && !insert_all(db, jobs, n, now, error))
    return false;
  for (size_t i = 0; i < n; i++)
    if (!(together && jobs[i]->id) && !px_job_enqueue(db, jobs[i], now, error))
      return false;
  return true;
}

bool px_job_enqueue_started(PxDb *db, PxJob *job, const PxWorker *worker, int64_t now, GError **error) {
  job->state = PX_STATE_STARTED;
  job->attempt = 1;
  job->started = now;
  g_free(job->owner);
  job->owner = g_strdup(px_worker_name(worker));
  if (!insert(db, job, now, error))
    return false;
  if (job->id)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "another job does this already (%s)", job->identity);
  return false;
}

/* ---- their ends */

bool px_job_store_end(PxDb *db, int64_t id, PxState state, const char *why, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_counter_job_ended(db, id, state, now, error) || !px_queue_statement(db, "job_end", &binder, error))
    return false;
  px_bind_text(&binder, px_state_name(state));
  px_bind_text(&binder, why);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error) && px_job_needs_met(db, id, state, error);
}

static bool fail_subject(PxDb *db, const char *statement, int64_t id, const char *why, int64_t now, GError **error) {
  PxBinder binder;
  if (!id)
    return true;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  px_bind_text(&binder, why);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}

static bool store_tries(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_tried", &binder, error))
    return false;
  px_bind_text(&binder, job->tries);
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

static bool fail_file(PxDb *db, const PxJob *job, const char *why, int64_t now, GError **error) {
  if (!fail_subject(db, "file_fail_of_job", job->file_id, why, now, error))
    return false;
  bool ended = job->file_id && px_db_changes(db) == 1;
  return !ended || px_counter_file_ended(db, job->file_id, error);
}

bool px_job_fail(PxDb *db, PxJob *job, const char *last, int64_t now, GError **error) {
  px_job_tried(job, last, now);
  g_free(job->error);
  job->error = px_job_tries_text(job);
  const char *why = job->error;
  return px_job_store_end(db, job->id, PX_STATE_FAILED, why, now, error) && store_tries(db, job, error) && fail_file(db, job, why, now, error) &&
         fail_subject(db, "attachment_fail_of_job", job->attachment_id, why, now, error);
}

/* ---- on the way */

bool px_job_fence(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_fence", &binder, error))
    return false;
  px_bind_integer(&binder, job->id);
  px_bind_integer(&binder, job->attempt);
  px_bind_text(&binder, job->owner);
  if (!px_run_bound(&binder, error))
    return false;
  if (px_db_changes(db) == 1)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_FENCED, "job %" G_GINT64_FORMAT " (%s) is not this worker's any more", job->id, job->kind);
  return false;
}

bool px_job_store_subject(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_subject", &binder, error))
    return false;
  px_bind_id(&binder, job->attachment_id);
  px_bind_id(&binder, job->file_id);
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

bool px_job_progress(PxDb *db, PxJob *job, GError **error) {
  PxBinder binder;
  job->retries = job->deaths = 0;
  g_clear_pointer(&job->tries, g_free);
  if (!px_queue_statement(db, "job_progress", &binder, error))
    return false;
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

bool px_job_done(PxDb *db, const PxJob *job, int64_t now, GError **error) {
  return px_job_store_end(db, job->id, PX_STATE_DONE, NULL, now, error);
}

bool px_job_release(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_release", &binder, error))
    return false;
  px_bind_integer(&binder, job->id);
  px_bind_integer(&binder, job->attempt);
  px_db_notify(db);
  return px_run_bound(&binder, error);
}

bool px_job_later(PxDb *db, PxJob *job, int64_t eta, const char *why, int64_t now, GError **error) {
  PxBinder binder;
  px_job_tried(job, why, now);
  if (!px_queue_statement(db, "job_later", &binder, error))
    return false;
  px_bind_integer(&binder, eta);
  px_bind_text(&binder, why);
  px_bind_text(&binder, job->tries);
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error) && px_counter_add(db, PX_COUNT_RETRY, job->kind, job->task, NULL, 1, 0, error);
}

/* ---- looking */

static gpointer read_job_to_show(PxColumns *columns) {
  PxJob *job = px_read_job(columns);
  job->held_by = px_column_integer(columns);
  return job;
}

char *px_job_file_name(PxDb *db, const PxJob *job) {
  PxBinder binder;
  if (!(job->attachment_id || job->file_id) || !px_queue_statement(db, "job_file_name", &binder, NULL))
    return NULL;
  px_bind_id(&binder, job->attachment_id);
  px_bind_id(&binder, job->file_id);
  char *name = px_stmt_step(binder.stmt, NULL) == PX_STEP_ROW ? px_stmt_dup_text(binder.stmt, 0) : NULL;
  px_stmt_reset(binder.stmt);
  return name;
}

PxJob *px_job_get(PxDb *db, int64_t id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_get", &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  return px_read_row(&binder, read_job_to_show, "job", id, error);
}

GPtrArray *px_job_list(PxDb *db, const PxListFilter *filter, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_list", &binder, error))
    return NULL;
  px_bind_filter(&binder, filter->state);
  px_bind_filter(&binder, filter->task);
  px_bind_filter(&binder, filter->kind);
  px_bind_filter(&binder, filter->channel);
  px_bind_filter(&binder, filter->channel);
  g_autofree char *like = px_like_part(filter->error);
  px_bind_filter(&binder, like);
  px_bind_integer(&binder, filter->since);
  px_bind_limit(&binder, filter->limit);
  return px_read_rows(&binder, read_job_to_show, px_free_job_row, error);
}

GPtrArray *px_job_active(PxDb *db, int64_t attachment_id, int64_t file_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_active_of_subject", &binder, error))
    return NULL;
  px_bind_id(&binder, attachment_id);
  px_bind_id(&binder, file_id);
  return px_read_rows(&binder, px_read_job, px_free_job_row, error);
}

static bool count_left(PxDb *db, const char *task, int64_t since, PxJobsLeft *left, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_left", &binder, error))
    return false;
  px_bind_integer(&binder, since);
  px_bind_filter(&binder, task);
  if (px_stmt_step(binder.stmt, error) != PX_STEP_ROW)
    return false;
  PxColumns columns = {.stmt = binder.stmt};
  left->waiting += (uint64_t)px_column_integer(&columns);
  left->pending += (uint64_t)px_column_integer(&columns);
  left->started += (uint64_t)px_column_integer(&columns);
  left->failed += (uint64_t)px_column_integer(&columns);
  int64_t eta = px_column_integer(&columns);
  if (eta && (!left->next_eta || eta < left->next_eta))
    left->next_eta = eta;
  px_stmt_reset(binder.stmt);
  return true;
}

bool px_jobs_left(PxDb *db, const char *const *tasks, int64_t since, PxJobsLeft *ret_left, GError **error) {
  *ret_left = (PxJobsLeft){0};
  if (!tasks)
    return count_left(db, NULL, since, ret_left, error);
  for (; *tasks; tasks++)
    if (!count_left(db, *tasks, since, ret_left, error))
      return false;
  return true;
}
