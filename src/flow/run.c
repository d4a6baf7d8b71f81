/* SPDX-License-Identifier: Apache-2.0 */
/* `run`: a job for each task, then all that follows from them, until nothing is left. */
#include "flow/flow_private.h"

#include "base/hook.h"

#define NAP (50 * 1000) /* microseconds between looks at what another program does */
#define LISTINGS 3      /* of a folder whose files may still be written to */

typedef struct {
  PxProject *project;
  const PxRunOptions *options;
  PxRunResult *result;
  PxRunner *runner;
  int64_t began;
  int64_t waited;       /* microseconds, of wait_limit */
  GHashTable *unstable; /* task (char *) -> when its youngest file may be taken (gint64 *) */
} Run;

static void count_summary(PxRunResult *result, const PxSummary *summary) {
  if (!summary || summary->kind != PX_FILE_IMPORT)
    return;
  result->files_done += summary->state == PX_STATE_DONE;
  result->files_failed += summary->state == PX_STATE_FAILED;
  result->files_refused += summary->state == PX_STATE_REFUSED;
  result->rows_failed += summary->counts.failed;
}

static void remember_unstable(Run *run, const PxJobReport *report) {
  if (!report->stable_at || !report->task)
    return;
  int64_t *when = g_new(int64_t, 1);
  *when = report->stable_at;
  g_hash_table_replace(run->unstable, g_strdup(report->task), when);
}

/* The report of PxRunOptions: counts, then tells who called. */
static void count_job(const PxJobReport *report, void *data) {
  Run *run = data;
  PxRunResult *result = run->result;
  if (report->state == PX_STATE_STARTED)
    return;
  remember_unstable(run, report);
  if (strcmp(report->kind, "notice") == 0) { /* whether people hear of it changes nothing of what happened */
    if (run->options->report)
      run->options->report(report, run->options->data);
    return;
  }
  result->jobs_done += report->state == PX_STATE_DONE;
  result->jobs_failed += report->state == PX_STATE_FAILED;
  result->problems += report->problems ? report->problems->len : 0;
  count_summary(result, report->summary);
  if (run->options->report)
    run->options->report(report, run->options->data);
}

static void pass_progress(const PxProgress *progress, void *data) {
  const Run *run = data;
  if (run->options->progress)
    run->options->progress(progress, run->options->data);
}

/* ---- what is left when no job is due */

/* Waits, when that is allowed for so long; whether it did. */
static bool wait_for(Run *run, int64_t span) {
  if (span < 0)
    span = 0;
  if (run->waited + span > run->options->wait_limit)
    return false;
  run->waited += span;
  g_usleep((gulong)span);
  return true;
}

static bool enqueue_task(PxProject *project, const PxTask *task, GError **error) {
  g_autoptr(PxJob) job = px_work_new_job(project, px_work_task_kind(task), task->name, task->name);
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool done = px_transaction_end(project->db, px_job_enqueue(project->db, job, px_project_now(project), error), error);
  px_hook("task-enqueued");
  return done;
}

/* Lists the folders again whose files were too young; *ret_again whether there is one. */
static bool list_unstable(Run *run, bool *ret_again, GError **error) {
  GHashTableIter tasks;
  gpointer name;
  gpointer when;
  int64_t latest = 0;
  *ret_again = false;
  g_hash_table_iter_init(&tasks, run->unstable);
  while (g_hash_table_iter_next(&tasks, NULL, &when))
    latest = MAX(latest, *(int64_t *)when);
  if (!latest || !wait_for(run, latest - px_project_now(run->project) + 1))
    return true;
  g_hash_table_iter_init(&tasks, run->unstable);
  while (g_hash_table_iter_next(&tasks, &name, NULL)) {
    const PxTask *task = px_tasks_get(run->project->tasks, name);
    if (task && !enqueue_task(run->project, task, error))
      return false;
    g_hash_table_iter_remove(&tasks);
    *ret_again = true;
  }
  return true;
}

/* *ret_again: go on with the loop. */
static bool wait_for_rest(Run *run, unsigned *listings, bool *ret_again, GError **error) {
  PxProject *project = run->project;
  PxJobsLeft left;
  if (!px_jobs_left(project->db, run->options->tasks, run->began, &left, error))
    return false;
  run->result->jobs_failed = MAX(run->result->jobs_failed, left.failed); /* those too that fail when they are claimed: their workers died */
  run->result->jobs_left = left.pending + left.waiting;                  /* what another worker is at is not left */
  *ret_again = false;
  int64_t until_due = left.next_eta - px_project_now(project) + 1;
  if (left.pending) /* what is due and was not claimed waits for its channel */
    *ret_again = wait_for(run, until_due > 0 ? until_due : NAP);
  else if (left.started)
    *ret_again = run->options->wait_limit > 0 && wait_for(run, NAP);
  else if (*listings < LISTINGS) {
    ++*listings;
    return list_unstable(run, ret_again, error);
  }
  return true;
}

static bool loop(Run *run, GError **error) {
  unsigned listings = 0;
  for (bool again = true; again;) {
    if (!px_runner_next(run->runner, &again, error))
      return false;
    if (!again && !wait_for_rest(run, &listings, &again, error))
      return false;
  }
  return true;
}

bool px_run_jobs(PxProject *project, const PxRunOptions *options, PxRunResult *ret_result, GError **error) {
  *ret_result = (PxRunResult){0};
  g_autoptr(PxWorker) worker = px_worker_open(project->db, error);
  if (!worker)
    return false;
  px_worker_heed(worker, project->channels);
  px_worker_batch(worker, px_work_batch_of);
  px_notices_watch(project, worker);
  g_autoptr(GHashTable) unstable = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  Run run = {.project = project, .options = options, .result = ret_result, .began = px_project_now(project), .unstable = unstable};
  const PxRunOptions counting = {.tasks = options->tasks, .report = count_job, .progress = pass_progress, .data = &run};
  g_autoptr(PxRunner) runner = px_runner_new(project, worker, &counting);
  run.runner = runner;
  if (loop(&run, error) && px_runner_end(runner, error))
    return true;
  px_worker_leave(g_steal_pointer(&worker));
  return false;
}

bool px_run(PxProject *project, const PxRunOptions *options, PxRunResult *ret_result, GError **error) {
  for (const char *const *name = options->tasks; name && *name; name++) {
    const PxTask *task = px_project_task(project, *name, error);
    if (!task)
      return false;
  }
  for (size_t i = 0; i < px_tasks_count(project->tasks); i++) {
    const PxTask *task = px_tasks_at(project->tasks, i);
    g_auto(PxTaskStatus) status = {0};
    if (!px_task_status(project, task, &status, error))
      return false;
    bool wanted = options->tasks ? g_strv_contains(options->tasks, task->name) : status.runs;
    if (wanted && !enqueue_task(project, task, error))
      return false;
  }
  return px_run_jobs(project, options, ret_result, error);
}

int px_run_exit_status(const PxRunResult *result) {
  if (result->jobs_failed || result->files_failed || result->files_refused || result->problems)
    return 1;
  return result->jobs_left ? 3 : 0;
}
