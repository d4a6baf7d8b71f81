/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs of a worker, as `run` and the workers of `serve` do them: claim, run, tell. A step that left nothing in the database does not end its job
 * itself (px_work_ends_later()): the end is written with the next claim, in one transaction, for all jobs of the batch. Nothing is run in between. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "queue/ends.h"

/* A job and what its step found. */
typedef struct {
  PxJob *job;
  PxWork work;
} Unit;

struct PxRunner {
  PxProject *project;
  const PxWorker *worker;
  PxRunOptions options;
  GPtrArray *ending; /* Unit *: to be ended */
  GPtrArray *alone;  /* PxJob *: there is something to be done for them, or they could not be ended together; the next one last */
};

static void free_unit(gpointer data) {
  Unit *unit = data;
  px_work_done(&unit->work);
  px_job_free(unit->job);
  g_free(unit);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Unit, free_unit)

PxRunner *px_runner_new(PxProject *project, const PxWorker *worker, const PxRunOptions *options) {
  PxRunner *runner = g_new0(PxRunner, 1);
  runner->project = project;
  runner->worker = worker;
  runner->options = *options;
  runner->ending = g_ptr_array_new_with_free_func(free_unit);
  runner->alone = g_ptr_array_new_with_free_func(px_free_job_row);
  return runner;
}

void px_runner_free(PxRunner *runner) {
  if (!runner)
    return;
  g_ptr_array_unref(runner->ending);
  g_ptr_array_unref(runner->alone);
  g_free(runner);
}

static Unit *new_unit(const PxRunner *runner, PxJob *job) {
  Unit *unit = g_new0(Unit, 1);
  unit->job = job;
  unit->work = (PxWork){.project = runner->project,
                        .worker = runner->worker,
                        .job = job,
                        .lists_again = runner->options.lists_again,
                        .progress = runner->options.progress,
                        .data = runner->options.data};
  return unit;
}

static void tell_begin(const PxRunner *runner, const PxJob *job) {
  if (runner->options.claimed)
    runner->options.claimed(job, runner->options.data);
}

static void tell(const PxRunner *runner, PxWork *work, PxState state, const GError *problem) {
  PxJobReport *report = &work->report;
  report->job = work->job;
  report->kind = work->job->kind;
  report->task = work->job->task;
  report->state = state;
  report->error = problem ? problem->message : NULL;
  report->summary = work->summary;
  report->name = work->name;
  report->note = work->note;
  if (runner->options.report)
    runner->options.report(report, runner->options.data);
}

static void tell_given_back(const PxRunner *runner) {
  g_autoptr(GPtrArray) jobs = px_worker_take_given_back(runner->worker);
  for (guint i = 0; runner->options.given_back && i < jobs->len; i++)
    runner->options.given_back(jobs->pdata[i], runner->options.data);
}

/* ---- ends that were put off */

/* In their transaction. */
static bool may_end(PxDb *db, PxEnd *ends, size_t n, void *data, GError **error) {
  for (size_t i = 0; i < n; i++) {
    const PxWorkKind *kind = px_work_kind(ends[i].job->kind);
    bool first = i == 0 || strcmp(ends[i].job->kind, ends[i - 1].job->kind) != 0;
    if (first && kind->may_end && !kind->may_end(db, ends, n, NULL, error))
      return false;
  }
  return true;
}

/* Each for itself, from its step on: nothing that it found counts any more. */
static void run_alone(PxRunner *runner, Unit *unit) {
  g_ptr_array_insert(runner->alone, 0, g_steal_pointer(&unit->job));
}

static void take_ends(PxRunner *runner, const PxEnd *ends) {
  for (guint i = 0; i < runner->ending->len; i++) {
    Unit *unit = runner->ending->pdata[i];
    if (ends[i].state == PX_END_NOT_YET)
      run_alone(runner, unit);
    else
      tell(runner, &unit->work, ends[i].state == PX_END_DONE ? PX_STATE_DONE : PX_STATE_STARTED, NULL);
  }
}

/* What cannot be ended now is run again, each job with a transaction of its own, where failures are seen to. */
static bool write_ends(PxRunner *runner, bool claims, GError **error) {
  const PxEndOptions options = {.may_end = may_end, .claims = claims, .tasks = runner->options.tasks};
  guint n = runner->ending->len;
  g_autofree PxEnd *ends = g_new0(PxEnd, n);
  g_autoptr(GError) problem = NULL;
  bool in_doubt;
  for (guint i = 0; i < n; i++) {
    const Unit *unit = runner->ending->pdata[i];
    ends[i] = (PxEnd){.job = unit->job, .of_task = unit->work.ran_task};
  }
  px_hook("ends-gathered");
  bool ended = px_jobs_end(runner->project->db, runner->worker, ends, n, &options, px_project_now(runner->project), &in_doubt, &problem);
  if (ended)
    px_hook("ends-committed");
  if (in_doubt) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  for (guint i = 0; !ended && i < n; i++)
    ends[i].state = PX_END_NOT_YET;
  take_ends(runner, ends);
  g_ptr_array_set_size(runner->ending, 0);
  return true;
}

/* ---- the next job */

static bool run(PxRunner *runner, PxJob *job, bool may_end_later, GError **error) {
  g_autoptr(Unit) unit = new_unit(runner, job);
  g_autoptr(GError) problem = NULL;
  PxState state;
  unit->work.may_end_later = may_end_later;
  if (!px_run_job(&unit->work, true, &state, &problem, error))
    return false;
  if (unit->work.ends_later)
    g_ptr_array_add(runner->ending, g_steal_pointer(&unit));
  else
    tell(runner, &unit->work, state, problem);
  return true;
}

static PxJob *take_alone(PxRunner *runner) {
  return runner->alone->len ? g_ptr_array_steal_index(runner->alone, runner->alone->len - 1) : NULL;
}

/* ---- uploads: those that were claimed together and go to one storage */

static bool end_upload(PxRunner *runner, Unit *unit, PxUploadEnd *end, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxState state = end->state == PX_UPLOAD_DONE ? PX_STATE_DONE : PX_STATE_STARTED;
  if (end->state == PX_UPLOAD_AGAIN) {
    run_alone(runner, unit);
    return true;
  }
  if (end->state == PX_UPLOAD_FAILED && !px_fail_job(&unit->work, g_steal_pointer(&end->problem), true, &state, &problem, error))
    return false;
  tell(runner, &unit->work, state, problem);
  return true;
}

static bool run_uploads(PxRunner *runner, const PxUploads *uploads, const GPtrArray *units, GError **error) {
  g_autofree PxWork **works = g_new(PxWork *, units->len);
  g_autofree PxUploadEnd *ends = g_new0(PxUploadEnd, units->len);
  bool ok = true;
  for (guint i = 0; i < units->len; i++)
    works[i] = &((Unit *)units->pdata[i])->work;
  px_uploads_run(uploads, works, ends);
  for (guint i = 0; i < units->len; i++) {
    ok = ok && end_upload(runner, units->pdata[i], &ends[i], error);
    g_clear_error(&ends[i].problem);
  }
  return ok;
}

/* Takes what was claimed with it; what does not go with it is given back, as others may have time for it. */
static bool gather_uploads(const PxRunner *runner, PxUploads *uploads, GPtrArray *units, GError **error) {
  g_autoptr(GPtrArray) others = g_ptr_array_new_with_free_func(px_free_job_row);
  while (px_job_is_held(runner->worker)) {
    PxJob *job;
    if (!px_job_claim(runner->project->db, runner->worker, runner->options.tasks, px_project_now(runner->project), &job, error))
      return false;
    bool goes = px_uploads_add(uploads, job);
    g_ptr_array_add(goes ? units : others, goes ? (gpointer)new_unit(runner, job) : job);
    if (goes)
      tell_begin(runner, job);
  }
  return px_jobs_release(runner->project->db, others, error);
}

/* *job NULL then: it was done with others. */
static bool try_uploads(PxRunner *runner, PxJob **job, GError **error) {
  if (strcmp((*job)->kind, "upload") != 0 || !px_job_is_held(runner->worker))
    return true;
  g_autoptr(PxUploads) uploads = px_uploads_new(runner->project);
  g_autoptr(GPtrArray) units = g_ptr_array_new_with_free_func(free_unit);
  if (!px_uploads_add(uploads, *job))
    return px_job_release_held(runner->project->db, runner->worker, error);
  if (!gather_uploads(runner, uploads, units, error))
    return false;
  if (units->len == 0)
    return true;
  g_ptr_array_insert(units, 0, new_unit(runner, g_steal_pointer(job)));
  return run_uploads(runner, uploads, units, error);
}

bool px_runner_next(PxRunner *runner, bool *ret_ran, GError **error) {
  *ret_ran = true;
  if (runner->ending->len && !px_job_is_held(runner->worker) && !write_ends(runner, true, error))
    return false;
  PxJob *job = take_alone(runner);
  if (job) {
    tell_begin(runner, job);
    return run(runner, job, false, error);
  }
  if (!px_job_claim(runner->project->db, runner->worker, runner->options.tasks, px_project_now(runner->project), &job, error))
    return false;
  tell_given_back(runner);
  *ret_ran = job != NULL;
  if (!job) {
    px_project_rest(runner->project);
    return true;
  }
  tell_begin(runner, job);
  px_hook("job-claimed");
  if (!try_uploads(runner, &job, error)) {
    px_job_free(job);
    return false;
  }
  return !job || run(runner, job, true, error);
}

bool px_runner_end(PxRunner *runner, GError **error) {
  if (runner->ending->len && !write_ends(runner, false, error))
    return false;
  return px_jobs_release(runner->project->db, runner->alone, error) && px_job_release_held(runner->project->db, runner->worker, error);
}
