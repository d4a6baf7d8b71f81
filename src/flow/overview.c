/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/overview.h"

#include "base/text.h"
#include "flow/flow_private.h"

static const char *const state_names[] = {"idle", "busy", "dead"};

const char *px_worker_state_name(PxWorkerState state) {
  return state_names[state];
}

/* ---- tasks */

static void free_task(gpointer row) {
  PxTaskOverview *overview = row;
  px_task_status_done(&overview->status);
  g_free(overview);
}

static void take_files(PxTaskOverview *overview, const GPtrArray *tallies) {
  for (guint i = 0; i < tallies->len; i++) {
    const PxFileTally *tally = tallies->pdata[i];
    if (strcmp(tally->task, overview->task->name) != 0)
      continue;
    overview->pending = tally->pending;
    overview->failed = tally->failed;
    overview->done = tally->done;
  }
}

static bool read_tasks(const PxProject *project, PxOverview *overview, GError **error) {
  g_autoptr(GPtrArray) tallies = px_file_tallies(project->db, error);
  for (size_t i = 0; tallies && i < px_tasks_count(project->tasks); i++) {
    PxTaskOverview *one = g_new0(PxTaskOverview, 1);
    one->task = px_tasks_at(project->tasks, i);
    g_ptr_array_add(overview->tasks, one);
    if (!px_task_status(project, one->task, &one->status, error) ||
        (one->status.runs && !px_schedule_late(project, one->task, overview->now, &one->late, error)))
      return false;
    take_files(one, tallies);
    overview->scheduler_wanted |= one->status.next_run != 0 || one->status.next_held != 0;
  }
  return tallies != NULL;
}

/* ---- workers */

static void free_worker(gpointer row) {
  PxWorkerOverview *worker = row;
  g_free(worker->what);
  g_free(worker->name);
  g_free(worker->host);
  g_free(worker->doing);
  g_free(worker->kind);
  g_free(worker->task);
  g_free(worker->file);
  g_free(worker);
}

/* The job that it is at: of those that it has claimed the one that it says, else the first. */
static void take_jobs(PxWorkerOverview *worker, const PxWorkerSeen *seen, const GPtrArray *jobs) {
  const PxStartedJob *at = NULL;
  for (guint i = 0; i < jobs->len; i++) {
    const PxStartedJob *job = jobs->pdata[i];
    if (g_strcmp0(job->owner, worker->name) != 0)
      continue;
    worker->n_jobs++;
    if (!at || (seen && job->id == seen->job))
      at = job;
  }
  if (!at)
    return;
  worker->job = at->id;
  worker->since = at->started;
  worker->kind = g_strdup(at->kind);
  worker->task = g_strdup(at->task);
  worker->file = g_strdup(at->file);
  if (seen && seen->job == at->id && *seen->doing)
    worker->doing = g_strdup(seen->doing);
  if (worker->state == PX_WORKER_IDLE)
    worker->state = PX_WORKER_BUSY;
}

static void add_seen(PxOverview *overview, const PxWorkerSeen *seen, const GPtrArray *jobs) {
  PxWorkerOverview *worker = g_new0(PxWorkerOverview, 1);
  worker->what = g_strdup(seen->what);
  worker->name = g_strdup(seen->name);
  worker->host = g_strdup(seen->host);
  worker->pid = seen->pid;
  worker->state = seen->lives ? PX_WORKER_IDLE : PX_WORKER_DEAD;
  take_jobs(worker, seen, jobs);
  if (worker->state == PX_WORKER_DEAD && worker->n_jobs == 0) { /* nothing is missing */
    free_worker(worker);
    return;
  }
  worker->serves = g_str_has_prefix(seen->what, "worker");
  overview->workers_alive += worker->serves && seen->lives;
  overview->workers_busy += worker->serves && worker->state == PX_WORKER_BUSY;
  overview->scheduler_alive |= seen->lives && strcmp(seen->what, "scheduler") == 0;
  g_ptr_array_add(overview->workers, worker);
}

static bool is_listed(const PxOverview *overview, const char *owner) {
  for (guint i = 0; i < overview->workers->len; i++)
    if (g_strcmp0(((const PxWorkerOverview *)overview->workers->pdata[i])->name, owner) == 0)
      return true;
  return false;
}

/* Jobs whose worker has left nothing, not even its file, or began after it was looked for. */
static void add_lost(const PxProject *project, PxOverview *overview, const GPtrArray *jobs) {
  g_autoptr(GPtrArray) seen = NULL;
  for (guint i = 0; i < jobs->len; i++) {
    const PxStartedJob *job = jobs->pdata[i];
    if (is_listed(overview, job->owner))
      continue;
    if (!seen)
      seen = px_worker_list(project->db);
    for (guint k = 0; k < seen->len; k++)
      if (g_strcmp0(((const PxWorkerSeen *)seen->pdata[k])->name, job->owner) == 0)
        add_seen(overview, seen->pdata[k], jobs);
    if (is_listed(overview, job->owner))
      continue;
    PxWorkerOverview *worker = g_new0(PxWorkerOverview, 1);
    worker->what = g_strdup("worker");
    worker->name = g_strdup(job->owner);
    worker->pid = job->owner ? g_ascii_strtoll(job->owner, NULL, 10) : 0;
    worker->state = PX_WORKER_DEAD;
    worker->serves = true;
    take_jobs(worker, NULL, jobs);
    g_ptr_array_add(overview->workers, worker);
  }
}

/* seen: from before the snapshot, so that one that ended in between has no job any more. */
static bool read_workers(const PxProject *project, const GPtrArray *seen, PxOverview *overview, GError **error) {
  g_autoptr(GPtrArray) jobs = px_started_jobs(project->db, error);
  if (!jobs)
    return false;
  for (guint i = 0; i < seen->len; i++)
    add_seen(overview, seen->pdata[i], jobs);
  add_lost(project, overview, jobs);
  return true;
}

/* ---- all of it */

static bool read_all(const PxProject *project, const PxOverviewOptions *options, const GPtrArray *seen, PxOverview *overview, GError **error) {
  if (!read_tasks(project, overview, error) || !read_workers(project, seen, overview, error))
    return false;
  overview->channels = px_channel_tallies(project->db, overview->now, error);
  if (overview->channels)
    overview->failures = px_failure_list(project->db, options->since, options->failures, &overview->failed, &overview->failed_jobs, error);
  return overview->failures != NULL;
}

PxOverview *px_overview_read(const PxProject *project, const PxOverviewOptions *options, GError **error) {
  g_autoptr(PxOverview) overview = g_new0(PxOverview, 1);
  g_autoptr(GPtrArray) seen = px_worker_list(project->db);
  overview->now = px_project_now(project);
  overview->tasks = g_ptr_array_new_with_free_func(free_task);
  overview->workers = g_ptr_array_new_with_free_func(free_worker);
  if (!px_db_begin(project->db, PX_TX_READ, error))
    return NULL;
  bool ok = px_transaction_end(project->db, read_all(project, options, seen, overview, error), error);
  return ok ? g_steal_pointer(&overview) : NULL;
}

void px_overview_free(PxOverview *overview) {
  if (!overview)
    return;
  g_clear_pointer(&overview->tasks, g_ptr_array_unref);
  g_clear_pointer(&overview->workers, g_ptr_array_unref);
  g_clear_pointer(&overview->channels, g_ptr_array_unref);
  g_clear_pointer(&overview->failures, g_ptr_array_unref);
  g_free(overview);
}

/* ---- is all well? */

static void add_count(GPtrArray *problems, uint64_t n, const char *one, const char *several) {
  g_autofree char *digits = px_group_digits(n);
  if (n > 0)
    g_ptr_array_add(problems, g_strdup_printf("%s %s", digits, n == 1 ? one : several));
}

GPtrArray *px_overview_problems(const PxOverview *overview) {
  GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
  add_count(problems, overview->failed_jobs, "job has failed", "jobs have failed");
  add_count(problems, overview->failed - overview->failed_jobs, "file has failed", "files have failed");
  if (overview->workers_alive == 0)
    g_ptr_array_add(problems, g_strdup("no worker lives: start pattimpex serve"));
  if (overview->scheduler_wanted && !overview->scheduler_alive)
    g_ptr_array_add(problems, g_strdup("no scheduler lives, so that no task starts by itself: start pattimpex serve"));
  return problems;
}
