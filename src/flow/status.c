/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks as people see them: what the configuration says, what the database says over it, when they run. */
#include "flow/flow_private.h"

void px_task_status_done(PxTaskStatus *status) {
  g_clear_pointer(&status->last_error, g_free);
}

bool px_task_runs(const PxTask *task, const PxTaskState *state) {
  return state->enabled == PX_ENABLED_AS_CONFIGURED ? task->active : state->enabled == PX_ENABLED_YES;
}

bool px_task_status(const PxProject *project, const PxTask *task, PxTaskStatus *ret_status, GError **error) {
  PxTaskState state = {0};
  if (!px_task_state_get(project->db, task->name, &state, error))
    return false;
  *ret_status = (PxTaskStatus){.configured = task->active,
                               .enabled = state.enabled,
                               .runs = px_task_runs(task, &state),
                               .last_run = state.last_run,
                               .last_state = state.last_state,
                               .last_error = state.last_error};
  int64_t now = px_project_now(project);
  const PxSchedule *held = task->process_schedule ? task->process_schedule : task->upload_schedule;
  if (ret_status->runs && task->schedule)
    ret_status->next_run = px_schedule_next(task->schedule, project->timezone, now);
  if (ret_status->runs && held)
    ret_status->next_held = px_schedule_next(held, project->timezone, now);
  if (ret_status->runs && task->expect && px_expect_schedule(task->expect))
    ret_status->next_expected = px_schedule_next(px_expect_schedule(task->expect), project->timezone, now);
  g_auto(PxDue) due = {0};
  if (!px_due_last(project->db, task->name, px_work_task_kind(task), now, &due, error))
    return false;
  ret_status->last_due = due.state == PX_DUE_BEGIN ? 0 : due.due;
  ret_status->last_due_state = due.state;
  return true;
}

bool px_task_enable(PxProject *project, const char *name, PxEnabled enabled, GError **error) {
  const PxTask *task = px_project_task(project, name, error);
  g_auto(PxTaskState) state = {0};
  if (!task || !px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool ok = px_task_state_get(project->db, name, &state, error) && px_task_state_enable(project->db, name, enabled, error);
  bool ran = ok && px_task_runs(task, &state); /* what was due while it did not run is not caught up */
  return px_transaction_end(project->db, ok && (ran || px_schedule_forget(project, task, error)), error);
}
