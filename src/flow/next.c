/* SPDX-License-Identifier: Apache-2.0 */
/* One job of the queue, as `run` and the workers of `serve` do it: claim, run, tell. */
#include "flow/flow_private.h"

#include "base/hook.h"

static void tell(const PxRunOptions *options, PxWork *work, PxState state, const GError *problem) {
  PxJobReport *report = &work->report;
  report->job = work->job;
  report->kind = work->job->kind;
  report->task = work->job->task;
  report->state = state;
  report->error = problem ? problem->message : NULL;
  report->summary = work->summary;
  report->name = work->name;
  report->note = work->note;
  if (options->report)
    options->report(report, options->data);
}

static void tell_given_back(const PxWorker *worker, const PxRunOptions *options) {
  g_autoptr(GPtrArray) jobs = px_worker_take_given_back(worker);
  for (guint i = 0; options->given_back && i < jobs->len; i++)
    options->given_back(jobs->pdata[i], options->data);
}

bool px_run_next(PxProject *project, const PxWorker *worker, const PxRunOptions *options, bool *ret_ran, GError **error) {
  g_autoptr(PxJob) job = NULL;
  g_autoptr(GError) problem = NULL;
  if (!px_job_claim(project->db, worker, options->tasks, px_project_now(project), &job, error))
    return false;
  tell_given_back(worker, options);
  *ret_ran = job != NULL;
  if (!job) {
    px_project_rest(project);
    return true;
  }
  if (options->claimed)
    options->claimed(job, options->data);
  px_hook("job-claimed");
  g_auto(PxWork) work = {
    .project = project, .worker = worker, .job = job, .lists_again = options->lists_again, .progress = options->progress, .data = options->data};
  PxState state;
  if (!px_run_job(&work, true, &state, &problem, error))
    return false;
  tell(options, &work, state, problem);
  return true;
}
