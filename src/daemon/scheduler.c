/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: queues what is due, sleeps until the next thing is. */
#include "daemon/daemon_private.h"
#include "flow/clean.h"

#define NAME "scheduler"
/* Clocks are set, tasks are enabled and disabled: so often it looks again. */
#define NAP_MAX (10 * G_TIME_SPAN_SECOND)
#define NAP_MIN (100 * G_TIME_SPAN_MILLISECOND)
#define NAP_STANDING_BY (2 * G_TIME_SPAN_SECOND)

typedef struct {
  const PxDaemonProcess *process;
  PxProject *project;
  PxOutage outage;
} Scheduler;

/* Of several schedulers on a server one leads, the others stand by. */
static bool look(const Scheduler *scheduler, const PxWorker *presence, int64_t *ret_nap, GError **error) {
  PxProject *project = scheduler->project;
  bool leads;
  int64_t next = 0;
  *ret_nap = NAP_STANDING_BY;
  if (!px_worker_leads(presence, project->db, NAME, &leads, error))
    return false;
  px_process_says(scheduler->process, PX_LIFE_IDLE, NAME, leads ? "idle" : "standing by", NULL);
  if (!leads)
    return true;
  if (!px_schedules_tick(project, px_project_now(project), &next, error) || !px_clean_tick(project, px_project_now(project), error))
    return false;
  *ret_nap = next ? CLAMP(next - px_project_now(project), NAP_MIN, NAP_MAX) : NAP_MAX;
  return true;
}

static bool loop(Scheduler *scheduler, const PxWorker *presence, GError **error) {
  while (px_stop_wanted() == PX_STOP_NOT) {
    int64_t nap;
    if (!look(scheduler, presence, &nap, error))
      return false;
    px_outage_end(&scheduler->outage);
    px_stop_wait(-1, nap);
  }
  return true;
}

static bool schedule(Scheduler *scheduler, GError **error) {
  const PxProjectOptions options = {.config = scheduler->process->config, .no_files = true, .stop = px_stop_flag()};
  g_clear_pointer(&scheduler->project, px_project_close);
  scheduler->project = px_project_open(&options, NULL, error);
  if (!scheduler->project)
    return false;
  PxDb *db = scheduler->project->db;
  g_autoptr(PxWorker) presence = px_worker_open(db, error); /* claims nothing: others see that it lives */
  if (!presence)
    return false;
  px_outage_return(&scheduler->outage, db);
  px_worker_lease(presence, scheduler->process->settings->worker_lease);
  px_worker_describe(presence, NAME);
  px_stop_watch(db, NULL);
  bool done = loop(scheduler, presence, error);
  px_stop_watch(NULL, NULL);
  if (!done)
    px_outage_leave(&scheduler->outage, g_steal_pointer(&presence));
  return done;
}

int px_scheduler_live(const PxDaemonProcess *process) {
  g_autoptr(GError) error = NULL;
  Scheduler scheduler = {.process = process};
  px_process_says(process, PX_LIFE_STARTING, NAME, "starting", NULL);
  bool done = schedule(&scheduler, &error);
  while (!done && px_outage_wait(&scheduler.outage, process, NAME, scheduler.project ? scheduler.project->db : NULL, error)) {
    g_clear_error(&error);
    done = schedule(&scheduler, &error);
  }
  g_clear_pointer(&scheduler.project, px_project_close);
  px_outage_clear(&scheduler.outage);
  if (done || px_stop_wanted() != PX_STOP_NOT)
    return 0;
  px_log(PX_LOG_ERROR, NULL, "%s", error->message);
  return px_error_exit_status(error);
}
