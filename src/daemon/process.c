/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of ours tells the supervisor and whoever looks at ps; a process alone. */
#include "daemon/daemon_private.h"

#include <unistd.h>

void px_process_says(const PxDaemonProcess *process, PxLife life, const char *what, const char *doing, const PxLogSubject *subject) {
  px_title_set("%s %s", what, doing);
  if (!process->slot)
    return;
  PxSlot *slot = process->slot;
  g_strlcpy(slot->doing, doing, PX_DOING);
  slot->job = subject ? subject->job : 0;
  g_strlcpy(slot->job_task, subject && subject->task ? subject->task : "", sizeof slot->job_task);
  g_strlcpy(slot->job_file, subject && subject->file ? subject->file : "", sizeof slot->job_file);
  int before = atomic_exchange(&slot->life, (int)life);
  px_process_beats(process);
  const uint64_t one = 1;
  if (before == PX_LIFE_STARTING && life != PX_LIFE_STARTING)
    (void)!write(process->bell, &one, sizeof one);
}

void px_process_beats(const PxDaemonProcess *process) {
  if (process->slot)
    atomic_store(&process->slot->beat, g_get_monotonic_time());
}

/* ---- alone */

static int live_alone(const PxDaemonOptions *options, int (*live)(const PxDaemonProcess *), const char *name, GError **error) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_load(options->paths, g_strv_length((char **)(uintptr_t)options->paths), error);
  if (!config)
    return 2;
  PxDaemonSettings settings;
  px_daemon_settings_read(options, config, &settings, complaints);
  if (!px_complaints_to_error(complaints, error))
    return 2;
  px_log_init(settings.log_format, settings.log_level);
  px_log_set_worker(name);
  px_stop_install(settings.stop_timeout);
  const PxDaemonProcess process = {.config = config, .settings = &settings, .bell = -1};
  return live(&process);
}

int px_daemon_worker(const PxDaemonOptions *options, GError **error) {
  return live_alone(options, px_worker_live, "worker", error);
}

int px_daemon_scheduler(const PxDaemonOptions *options, GError **error) {
  return live_alone(options, px_scheduler_live, "scheduler", error);
}
