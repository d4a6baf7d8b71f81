/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one job after the other, until it is told to end. The notifier is one that only tells people. */
#include "daemon/daemon_private.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How long an idle worker sleeps at most when nobody wakes it: what other programs put into the queue is seen then, and jobs of dead workers. */
#define NAP_MIN (20 * G_TIME_SPAN_MILLISECOND)
#define NAP_MAX (500 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  const PxDaemonProcess *process;
  PxProject *project;
  char *name; /* "worker 2" */
  int64_t nap;
  PxOutage outage;
  /* of the job at work; 0: idle */
  int64_t job;
  char *kind;
  char *task;
  char *file;  /* that it works on; NULL: none */
  char *about; /* what its steps tell of: a file, or a pattern */
} Worker;

static void forget_job(Worker *worker) {
  worker->job = 0;
  g_clear_pointer(&worker->kind, g_free);
  g_clear_pointer(&worker->task, g_free);
  g_clear_pointer(&worker->file, g_free);
  g_clear_pointer(&worker->about, g_free);
}

static PxLogSubject subject_of(const Worker *worker) {
  return (PxLogSubject){.job = worker->job, .task = worker->task, .file = worker->file};
}

static void worker_clear(Worker *worker) {
  forget_job(worker);
  px_project_close(worker->project);
  g_free(worker->name);
  px_outage_clear(&worker->outage);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Worker, worker_clear)

static void say(const Worker *worker) {
  if (!worker->job) {
    px_process_says(worker->process, PX_LIFE_IDLE, worker->name, "idle", NULL);
    return;
  }
  const char *about = worker->about ? worker->about : worker->file ? worker->file : worker->task;
  g_autofree char *doing = g_strdup_printf("%s %s", worker->kind, about ? about : "by hand");
  const PxLogSubject subject = subject_of(worker);
  px_process_says(worker->process, PX_LIFE_BUSY, worker->name, doing, &subject);
}

/* ---- what the loop over jobs tells */

static void job_claimed(const PxJob *job, void *data) {
  Worker *worker = data;
  forget_job(worker); /* the one before has no end yet */
  worker->job = job->id;
  worker->kind = g_strdup(job->kind);
  worker->task = g_strdup(job->task);
  worker->file = px_job_file_name(worker->project->db, job);
  say(worker);
  px_log_claimed(job, worker->file);
}

static void job_ended(const PxJobReport *report, void *data) {
  Worker *worker = data;
  bool at_work = report->job->id == worker->job; /* else others have been begun since: it works on no file */
  px_log_job(worker->project, report, at_work ? worker->file : NULL);
  if (at_work)
    forget_job(worker);
}

static void job_given_back(const PxJob *job, void *data) {
  const Worker *worker = data;
  g_autofree char *file = px_job_file_name(worker->project->db, job);
  px_log_given_back(job, file);
}

static void job_goes_on(const PxProgress *progress, void *data) {
  Worker *worker = data;
  if (g_strcmp0(worker->about, progress->name) != 0) {
    g_free(worker->about);
    worker->about = g_strdup(progress->name);
    say(worker);
  }
  px_process_beats(worker->process);
}

/* ---- the loop */

/* Until something may be due, somebody puts something into the queue, or the worker is told to end. */
static bool wait_for_work(Worker *worker, int wake, GError **error) {
  PxJobsLeft left;
  if (!px_jobs_left(worker->project->db, NULL, G_MAXINT64, &left, error))
    return false;
  int64_t until_due = left.next_eta ? left.next_eta - px_project_now(worker->project) : NAP_MAX;
  px_process_beats(worker->process);
  px_stop_wait(wake, until_due > 0 ? MIN(worker->nap, until_due) : worker->nap);
  worker->nap = MIN(worker->nap * 2, NAP_MAX);
  px_db_heard(worker->project->db);
  return true;
}

/* Bytes that are really in memory; 0: not known. proc(5), statm. */
static uint64_t resident_memory(void) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
    return 0;
  const char *second = strchr(text, ' ');
  return second ? g_ascii_strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* What a job needed may stay with the process for ever. */
static bool has_grown(const Worker *worker) {
  uint64_t limit = worker->process->settings->worker_memory;
  uint64_t resident = worker->process->slot && limit ? resident_memory() : 0;
  if (resident <= limit)
    return false;
  g_autofree char *has = g_format_size_full(resident, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *may = g_format_size_full(limit, G_FORMAT_SIZE_IEC_UNITS);
  px_log(PX_LOG_INFO, NULL, "has %s of memory after this job and is replaced (worker_memory: %s)", has, may);
  px_process_says(worker->process, PX_LIFE_LEAVING, worker->name, "replaced", NULL);
  return true;
}

static bool loop(Worker *worker, PxRunner *runner, GError **error) {
  int wake = px_db_listen(worker->project->db);
  say(worker);
  worker->nap = NAP_MIN;
  while (px_stop_wanted() == PX_STOP_NOT) {
    bool ran;
    if (!px_runner_next(runner, &ran, error))
      return false;
    px_outage_end(&worker->outage);
    if (ran) {
      worker->nap = NAP_MIN;
      if (has_grown(worker))
        return true;
      if (!worker->job) /* else it has no end yet, and that is not to wait */
        say(worker);
    } else if (!wait_for_work(worker, wake, error)) {
      return false;
    }
  }
  return true;
}

static bool work(Worker *worker, GError **error) {
  const PxProjectOptions options = {.config = worker->process->config, .stop = px_stop_flag()};
  g_clear_pointer(&worker->project, px_project_close);
  forget_job(worker);
  worker->project = px_project_open(&options, NULL, error);
  if (!worker->project)
    return false;
  g_autoptr(PxWorker) presence = px_worker_open(worker->project->db, error);
  if (!presence)
    return false;
  px_outage_return(&worker->outage, worker->project->db);
  px_worker_lease(presence, worker->process->settings->worker_lease);
  px_worker_describe(presence, worker->name);
  const char *file = px_worker_file(presence);
  if (worker->process->slot && file && strlen(file) < sizeof worker->process->slot->file)
    g_strlcpy(worker->process->slot->file, file, sizeof worker->process->slot->file);
  px_worker_heed(presence, worker->project->channels);
  px_worker_batch(presence, px_work_batch_of);
  px_worker_claims(presence, worker->process->claims);
  px_notices_watch(worker->project, presence);
  px_stop_watch(worker->project->db, presence);
  const PxRunOptions told = {
    .lists_again = true, .claimed = job_claimed, .report = job_ended, .given_back = job_given_back, .progress = job_goes_on, .data = worker};
  g_autoptr(PxRunner) runner = px_runner_new(worker->project, presence, &told);
  bool done = loop(worker, runner, error) && px_runner_end(runner, error);
  px_stop_watch(NULL, NULL);
  if (!done) /* the database failed, not the job */
    px_outage_leave(&worker->outage, g_steal_pointer(&presence));
  return done;
}

int px_worker_live(const PxDaemonProcess *process) {
  g_autoptr(GError) error = NULL;
  g_auto(Worker) worker = {.process = process};
  if (process->claims == PX_CLAIMS_NOTICES)
    worker.name = g_strdup("notifier");
  else
    worker.name = process->number ? g_strdup_printf("worker %u", process->number) : g_strdup("worker");
  px_process_says(process, PX_LIFE_STARTING, worker.name, "starting", NULL);
  bool done = work(&worker, &error);
  while (!done && px_outage_wait(&worker.outage, process, worker.name, worker.project ? worker.project->db : NULL, error)) {
    g_clear_error(&error);
    done = work(&worker, &error);
  }
  if (done || (worker.outage.pause && px_stop_wanted() != PX_STOP_NOT)) {
    px_log(PX_LOG_DEBUG, NULL, "ended as it was told to");
    return 0;
  }
  const PxLogSubject subject = subject_of(&worker);
  px_log(PX_LOG_ERROR, &subject, "%s", error->message);
  return px_error_exit_status(error);
}
