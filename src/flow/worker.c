/* SPDX-License-Identifier: Apache-2.0 */
/* One job, from its claim to its end: its work, and what becomes of it when that fails. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "queue/counters.h"

static bool may_work_later(const GError *error) {
  return g_error_matches(error, PX_ERROR, PX_ERROR_TRANSIENT) || g_error_matches(error, PX_ERROR, PX_ERROR_UNREACHABLE) ||
         g_error_matches(error, PX_ERROR, PX_ERROR_ROLLED_BACK) || g_error_matches(error, PX_ERROR, PX_ERROR_OUR_DISK);
}

/* Jobs about what a task did: they are none of its runs, and its retry: is not for them. */
static bool is_beside_task(const PxJob *job) {
  return strcmp(job->kind, "notice") == 0 || strcmp(job->kind, "expect") == 0;
}

/* The task's own jobs tell how it fares; what follows from them does not. */
static bool is_of_task(const PxJob *job) {
  return job->task && !job->attachment_id && !job->file_id && !is_beside_task(job);
}

static const PxRetry *retry_of(const PxWork *work) {
  if (is_beside_task(work->job))
    return px_retry_patient();
  const PxTask *task = work->job->task ? px_tasks_get(work->project->tasks, work->job->task) : NULL;
  return task ? task->retry : NULL;
}

/* With this one. */
static uint64_t tries_of(const PxJob *job) {
  return (uint64_t)job->retries + 1;
}

/* The failure's transaction. */
static bool store_failure(PxWork *work, const GError *problem, bool later, PxState *ret_state, GError **error) {
  PxDb *db = work->project->db;
  PxJob *job = work->job;
  int64_t now = px_project_now(work->project);
  work->storage_errors += work->at_storage;
  if (!px_counter_add(db, PX_COUNT_STORAGE_ERROR, work->storage, job->task, NULL, work->storage_errors, 0, error))
    return false;
  *ret_state = later ? PX_STATE_PENDING : PX_STATE_FAILED;
  if (is_of_task(job) && !px_task_state_ran(db, job->task, job->started, *ret_state, problem->message, error))
    return false;
  if (later)
    return px_job_later(db, job, now + px_retry_pause(retry_of(work), tries_of(job)), problem->message, now, error);
  return px_job_fail(db, job, problem->message, now, error) && px_notice_of_job(work->project, job, now, error);
}

/* The process is to end: nobody is to blame, so the job goes back as it was. */
static bool is_stopped(const PxWork *work, const GError *error) {
  return px_project_stopped(work->project, NULL) && (may_work_later(error) || g_error_matches(error, PX_ERROR, PX_ERROR_STOPPED));
}

#define PAUSE_MIN (100 * G_TIME_SPAN_MILLISECOND)
#define PAUSE_MAX (2 * G_TIME_SPAN_SECOND)

/* Until the time is over, or the process is to end. */
static void wait_or_stop(const PxProject *project, int64_t span) {
  for (int64_t end = g_get_monotonic_time() + span; g_get_monotonic_time() < end && !px_project_stopped(project, NULL);)
    g_usleep(20 * 1000);
}

/* The transaction that tells of a failure. A server that is started again meanwhile is waited for: the try counts. */
static bool begin_when_back(const PxWork *work, GError **error) {
  const PxProject *project = work->project;
  bool server = px_db_dialect(project->db) == PX_DIALECT_POSTGRES;
  for (int64_t pause = PAUSE_MIN;; pause = MIN(pause * 2, PAUSE_MAX)) {
    g_autoptr(GError) problem = NULL;
    if (px_work_begin(work, &problem))
      return true;
    if (!server || !may_work_later(problem) || px_project_stopped(project, NULL)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    px_db_rollback(project->db);
    wait_or_stop(project, pause);
  }
}

bool px_fail_job(PxWork *work, GError *problem, bool may_try_later, PxState *ret_state, GError **ret_job_error, GError **error) {
  g_autoptr(GError) taken = problem;
  g_autoptr(GError) fenced = NULL;
  px_db_rollback(work->project->db); /* whatever the step was in */
  *ret_state = PX_STATE_STARTED;
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_FENCED))
    return true;
  if (px_db_lost_dry_run(work->project->db)) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONSTRAINT, "the database itself ended the dry run (%s): dry-run the file alone by import",
                problem->message);
    return false;
  }
  bool stopped = is_stopped(work, problem);
  bool later = may_try_later && may_work_later(problem) && px_retry_again(retry_of(work), tries_of(work->job));
  if (!begin_when_back(work, &fenced)) {
    if (g_error_matches(fenced, PX_ERROR, PX_ERROR_FENCED))
      return true;
    g_propagate_error(error, g_steal_pointer(&fenced));
    return false;
  }
  bool ok = stopped ? px_job_release(work->project->db, work->job, error) : store_failure(work, problem, later, ret_state, error);
  if (!px_transaction_end(work->project->db, ok, error))
    return false;
  if (stopped)
    *ret_state = PX_STATE_PENDING;
  px_hook(stopped ? "job-released" : "job-failed");
  *ret_job_error = g_steal_pointer(&taken);
  return true;
}

bool px_run_job(PxWork *work, bool may_try_later, PxState *ret_state, GError **ret_job_error, GError **error) {
  g_autoptr(GError) problem = NULL;
  const PxWorkKind *kind = px_work_kind(work->job->kind);
  if (kind)
    px_work_doing(work, "at this job (%s)", kind->kind);
  bool done = kind && kind->run(work, &problem);
  if (!kind)
    g_set_error(&problem, PX_ERROR, PX_ERROR_CONFIG, "this program knows no jobs of the kind %s", work->job->kind);
  *ret_state = PX_STATE_DONE;
  return done || px_fail_job(work, g_steal_pointer(&problem), may_try_later, ret_state, ret_job_error, error);
}
