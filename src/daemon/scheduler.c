/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: queues what is due, sleeps until the next thing is. */
#include "daemon/daemon_private.h"
#include "flow/clean.h"

#define NAME "scheduler"
/* Clocks are set, tasks are enabled and disabled: so often it looks again. */
#define NAP_MAX (10 * G_TIME_SPAN_SECOND)
#define NAP_MIN (100 * G_TIME_SPAN_MILLISECOND)

static bool schedule(const PxDaemonProcess *process, GError **error) {
  const PxProjectOptions options = {.config = process->config, .no_files = true, .stop = px_stop_flag()};
  g_autoptr(PxProject) project = px_project_open(&options, NULL, error);
  if (!project)
    return false;
  g_autoptr(PxWorker) presence = px_worker_open(project->db, error); /* claims nothing: others see that it lives */
  if (!presence)
    return false;
  px_worker_describe(presence, NAME);
  px_stop_watch(project->db, NULL);
  px_process_says(process, PX_LIFE_IDLE, NAME, "idle", NULL);
  while (px_stop_wanted() == PX_STOP_NOT) {
    int64_t next = 0;
    if (!px_schedules_tick(project, px_project_now(project), &next, error) || !px_clean_tick(project, px_project_now(project), error))
      return false;
    px_process_beats(process);
    int64_t nap = next ? next - px_project_now(project) : NAP_MAX;
    px_stop_wait(-1, CLAMP(nap, NAP_MIN, NAP_MAX));
  }
  px_stop_watch(NULL, NULL);
  return true;
}

int px_scheduler_live(const PxDaemonProcess *process) {
  g_autoptr(GError) error = NULL;
  px_process_says(process, PX_LIFE_STARTING, NAME, "starting", NULL);
  if (schedule(process, &error))
    return 0;
  px_log(PX_LOG_ERROR, NULL, "%s", error->message);
  return px_error_exit_status(error);
}
