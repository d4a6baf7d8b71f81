/* SPDX-License-Identifier: Apache-2.0 */
/* Attachment -> storage. It happens at least once; a target that has our bytes already is left as it is. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "queue/counters.h"

#include <unistd.h>

static bool put(PxWork *work, const PxAttachment *attachment, char **ret_name, GError **error) {
  PxProject *project = work->project;
  PxStorage *storage = px_project_storage(project, attachment->storage, error);
  int blob = storage ? px_filestore_read(project->filestore, attachment->sha256, error) : -1;
  if (blob < 0)
    return false;
  PxProgress progress = {.name = attachment->name, .step = "upload", .bytes_total = attachment->size};
  px_work_progress(work, &progress);
  bool done = px_storage_put(storage, attachment->path ? attachment->path : "", attachment->name, blob, attachment->size, attachment->sha256,
                             (PxOnExists)attachment->on_exists, ret_name, error);
  (void)close(blob);
  return done;
}

bool px_upload_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  g_autoptr(PxAttachment) attachment = px_attachment_get(project->db, work->job->attachment_id, error);
  if (!attachment)
    return false;
  work->name = g_strdup(attachment->name);
  if (!attachment->storage) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s: no storage says where it goes", attachment->name);
    return false;
  }
  g_autofree char *name = NULL;
  px_work_doing(work, "sending %s to %s", attachment->name, attachment->storage);
  work->storage = g_intern_string(attachment->storage);
  work->at_storage = true;
  if (!put(work, attachment, &name, error))
    return false;
  work->at_storage = false;
  px_hook("upload-put");
  g_autofree char *place =
    g_strdup_printf("%s%s%s", attachment->path ? attachment->path : "", attachment->path && *attachment->path ? "/" : "", name);
  int64_t now = px_project_now(project);
  if (!px_work_begin(work, error))
    return false;
  bool ok = px_counter_add(project->db, PX_COUNT_SENT, attachment->storage, work->job->task, NULL, 1, attachment->size, error) &&
            px_attachment_set_state(project->db, attachment->id, PX_STATE_DONE, NULL, place, now, error) &&
            px_job_done(project->db, work->job, now, error);
  bool done = px_transaction_end(project->db, ok, error);
  px_hook("upload-committed");
  return done;
}

/* ---- attachments that were held until their own time: by an upload task, or an import task with process: SCHEDULE */

/* Nothing is to be done for most of these jobs, and only behind the fence that can be known: who queues an attachment may have counted on one of
 * them. So they are looked through when they are to end. */
bool px_process_may_end(PxDb *db, PxEnd *ends, size_t n, void *data, GError **error) {
  g_autofree const char **tasks = g_new(const char *, n);
  g_autofree PxEnd **asked = g_new(PxEnd *, n);
  g_autofree bool *waiting = g_new(bool, n);
  size_t n_asked = 0;
  for (size_t i = 0; i < n; i++)
    if (ends[i].state == PX_END_DONE && strcmp(ends[i].job->kind, "process") == 0) {
      tasks[n_asked] = ends[i].job->task;
      asked[n_asked++] = &ends[i];
    }
  if (n_asked > 0 && !px_attachment_tasks_waiting(db, tasks, n_asked, waiting, error))
    return false;
  for (size_t i = 0; i < n_asked; i++)
    if (waiting[i])
      asked[i]->state = PX_END_NOT_YET;
  return true;
}

bool px_process_step(PxWork *work, GError **error) {
  if (work->job->task && px_work_ends_later(work, true))
    return true;
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  if (!px_work_begin(work, error))
    return false;
  g_autoptr(GPtrArray) waiting = px_attachment_waiting(db, work->job->task, 0, error);
  bool ok = waiting && px_work_enqueue_attachments(work->project, waiting, now, error) &&
            px_task_state_ran(db, work->job->task, work->job->started, PX_STATE_DONE, NULL, error) && px_job_done(db, work->job, now, error);
  bool done = px_transaction_end(db, ok, error);
  px_hook("process-committed");
  return done;
}
