/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks as people see them: what the configuration says, what the database says over it, when they run. */
#include "flow/flow_private.h"

void px_task_status_done(PxTaskStatus *status) {
  g_clear_pointer(&status->last_error, g_free);
}

bool px_task_status(const PxProject *project, const PxTask *task, PxTaskStatus *ret_status, GError **error) {
  PxTaskState state = {0};
  if (!px_task_state_get(project->db, task->name, &state, error))
    return false;
  *ret_status = (PxTaskStatus){.configured = task->active,
                               .enabled = state.enabled,
                               .runs = state.enabled == PX_ENABLED_AS_CONFIGURED ? task->active : state.enabled == PX_ENABLED_YES,
                               .last_run = state.last_run,
                               .last_state = state.last_state,
                               .last_error = state.last_error};
  if (ret_status->runs && task->schedule)
    ret_status->next_run = px_schedule_next(task->schedule, project->timezone, px_project_now(project));
  return true;
}

bool px_task_enable(PxProject *project, const char *task, PxEnabled enabled, GError **error) {
  if (!px_project_task(project, task, error) || !px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, px_task_state_enable(project->db, task, enabled, error), error);
}
