/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: enqueue, claim, fence, end. What dead workers leave is given back by the next claim. */
#include "queue/queue_private.h"

PxJob *px_job_new(const char *kind, const char *channel, const char *task) {
  PxJob *job = g_new0(PxJob, 1);
  job->kind = g_strdup(kind);
  job->channel = g_strdup(channel);
  job->task = g_strdup(task);
  job->priority = 10;
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
  g_free(job);
}

static void free_row(gpointer row) {
  px_job_free(row);
}

static gpointer read_job(PxColumns *columns) {
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
  return job;
}

/* ---- putting in */

static bool insert(PxDb *db, PxJob *job, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_add", &binder, error))
    return false;
  job->created = now;
  if (!job->eta)
    job->eta = now;
  px_bind_text(&binder, job->kind);
  px_bind_text(&binder, job->channel);
  px_bind_integer(&binder, job->priority);
  px_bind_integer(&binder, job->eta);
  px_bind_integer(&binder, job->attempt);
  px_bind_text(&binder, job->identity);
  px_bind_text(&binder, px_state_name(job->state));
  px_bind_text(&binder, job->task);
  px_bind_id(&binder, job->attachment_id);
  px_bind_id(&binder, job->file_id);
  px_bind_text(&binder, job->owner);
  px_bind_integer(&binder, job->created);
  px_bind_integer(&binder, job->started);
  return px_run_for_id(&binder, &job->id, error);
}

static bool find_identity(PxDb *db, const char *identity, int64_t *ret_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_of_identity", &binder, error))
    return false;
  px_bind_text(&binder, identity);
  return px_run_for_id(&binder, ret_id, error);
}

bool px_job_enqueue(PxDb *db, PxJob *job, int64_t now, GError **error) {
  job->state = PX_STATE_PENDING;
  if (!insert(db, job, now, error))
    return false;
  if (job->id)
    return true;
  PxBinder binder;
  if (!find_identity(db, job->identity, &job->id, error) || !px_queue_statement(db, "job_sooner", &binder, error))
    return false;
  px_bind_integer(&binder, job->eta);
  px_bind_integer(&binder, job->id);
  px_bind_integer(&binder, job->eta);
  return px_run_bound(&binder, error);
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

/* ---- claiming */

static bool store_end(PxDb *db, int64_t id, PxState state, const char *why, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_end", &binder, error))
    return false;
  px_bind_text(&binder, px_state_name(state));
  px_bind_text(&binder, why);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
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

bool px_job_fail(PxDb *db, const PxJob *job, const char *why, int64_t now, GError **error) {
  return store_end(db, job->id, PX_STATE_FAILED, why, now, error) && fail_subject(db, "file_fail_of_job", job->file_id, why, now, error) &&
         fail_subject(db, "attachment_fail_of_job", job->attachment_id, why, now, error);
}

static GPtrArray *dead_owners(PxDb *db, const PxWorker *worker, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_owners", &binder, error))
    return NULL;
  px_bind_text(&binder, px_worker_name(worker));
  GPtrArray *owners = px_read_rows(&binder, px_read_text, g_free, error);
  for (guint i = 0; owners && i < owners->len;) {
    if (px_worker_is_dead(db, owners->pdata[i]))
      i++;
    else
      g_ptr_array_remove_index(owners, i);
  }
  return owners;
}

static bool give_back(PxDb *db, const PxJob *job, int64_t now, GError **error) {
  if (job->deaths + 1 >= PX_JOB_MAX_DEATHS) {
    g_autofree char *why =
      g_strdup_printf("the program died %d times while it did this (%s, attempt %" G_GINT64_FORMAT ")", PX_JOB_MAX_DEATHS, job->kind, job->attempt);
    return px_job_fail(db, job, why, now, error);
  }
  PxBinder binder;
  if (!px_queue_statement(db, "job_died", &binder, error))
    return false;
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

static bool give_back_all(PxDb *db, const GPtrArray *owners, int64_t now, GError **error) {
  for (guint i = 0; i < owners->len; i++) {
    PxBinder binder;
    if (!px_queue_statement(db, "job_of_owner", &binder, error))
      return false;
    px_bind_text(&binder, owners->pdata[i]);
    g_autoptr(GPtrArray) jobs = px_read_rows(&binder, read_job, free_row, error);
    if (!jobs)
      return false;
    for (guint k = 0; k < jobs->len; k++)
      if (!give_back(db, jobs->pdata[k], now, error))
        return false;
  }
  return true;
}

/* task NULL: any. */
static bool claim_one(PxDb *db, const PxWorker *worker, const char *task, int64_t now, PxJob **ret_job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, task ? "job_claim_task" : "job_claim", &binder, error))
    return false;
  px_bind_text(&binder, px_worker_name(worker));
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, now);
  if (task)
    px_bind_text(&binder, task);
  g_autoptr(GPtrArray) jobs = px_read_rows(&binder, read_job, NULL, error);
  if (!jobs)
    return false;
  *ret_job = jobs->len ? jobs->pdata[0] : NULL;
  return true;
}

static bool claim_in_transaction(PxDb *db, const PxWorker *worker, const GPtrArray *dead, const char *const *tasks, int64_t now, PxJob **ret_job,
                                 GError **error) {
  g_autoptr(PxJob) job = NULL;
  if (!give_back_all(db, dead, now, error))
    return false;
  if (!tasks && !claim_one(db, worker, NULL, now, &job, error))
    return false;
  for (; tasks && *tasks && !job; tasks++)
    if (!claim_one(db, worker, *tasks, now, &job, error))
      return false;
  if (!px_db_commit(db, error))
    return false;
  *ret_job = g_steal_pointer(&job);
  return true;
}

bool px_job_claim(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, PxJob **ret_job, GError **error) {
  *ret_job = NULL;
  g_autoptr(GPtrArray) dead = dead_owners(db, worker, error);
  if (!dead)
    return false;
  PxBinder binder;
  int64_t due;
  if (!px_queue_statement(db, "job_due", &binder, error))
    return false;
  px_bind_integer(&binder, now);
  if (!px_run_for_id(&binder, &due, error))
    return false;
  if (!due && dead->len == 0)
    return true;
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  if (claim_in_transaction(db, worker, dead, tasks, now, ret_job, error))
    return true;
  px_db_rollback(db);
  return false;
}

/* ---- on the way */

bool px_job_fence(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_fence", &binder, error))
    return false;
  px_bind_integer(&binder, job->id);
  px_bind_integer(&binder, job->attempt);
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

bool px_job_progress(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_progress", &binder, error))
    return false;
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

bool px_job_done(PxDb *db, const PxJob *job, int64_t now, GError **error) {
  return store_end(db, job->id, PX_STATE_DONE, NULL, now, error);
}

bool px_job_later(PxDb *db, const PxJob *job, int64_t eta, const char *why, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_later", &binder, error))
    return false;
  px_bind_integer(&binder, eta);
  px_bind_text(&binder, why);
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

/* ---- looking */

PxJob *px_job_get(PxDb *db, int64_t id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_get", &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  return px_read_row(&binder, read_job, "job", id, error);
}

GPtrArray *px_job_list(PxDb *db, const PxListFilter *filter, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_list", &binder, error))
    return NULL;
  px_bind_filter(&binder, filter->state);
  px_bind_filter(&binder, filter->task);
  px_bind_filter(&binder, filter->kind);
  px_bind_limit(&binder, filter->limit);
  return px_read_rows(&binder, read_job, free_row, error);
}

GPtrArray *px_job_active(PxDb *db, int64_t attachment_id, int64_t file_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_active_of_subject", &binder, error))
    return NULL;
  px_bind_id(&binder, attachment_id);
  px_bind_id(&binder, file_id);
  return px_read_rows(&binder, read_job, free_row, error);
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

/* ---- by hand */

/* The job, when its state is one of two that allow what a person wants. */
static PxJob *get_in_state(PxDb *db, int64_t id, PxState one, PxState other, GError **error) {
  g_autoptr(PxJob) job = px_job_get(db, id, error);
  if (!job || job->state == one || job->state == other)
    return g_steal_pointer(&job);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "job %" G_GINT64_FORMAT " is %s; it must be %s or %s for this", id, px_state_name(job->state),
              px_state_name(one), px_state_name(other));
  return NULL;
}

bool px_job_cancel(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(PxJob) job = get_in_state(db, id, PX_STATE_PENDING, PX_STATE_FAILED, error);
  return job && store_end(db, id, PX_STATE_CANCELLED, job->error, now, error);
}

bool px_job_set_done(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(PxJob) job = get_in_state(db, id, PX_STATE_PENDING, PX_STATE_FAILED, error);
  return job && store_end(db, id, PX_STATE_DONE, NULL, now, error);
}

bool px_job_again(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(PxJob) job = get_in_state(db, id, PX_STATE_FAILED, PX_STATE_CANCELLED, error);
  if (!job)
    return false;
  int64_t other = 0;
  if (job->identity && !find_identity(db, job->identity, &other, error))
    return false;
  if (other) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "job %" G_GINT64_FORMAT " does the same already", other);
    return false;
  }
  PxBinder binder;
  if (!px_queue_statement(db, "job_again", &binder, error))
    return false;
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}
