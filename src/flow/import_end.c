/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an import: in one transaction the file, the attachment, the job and the next job. */
#include "flow/flow_private.h"
#include "queue/counters.h"

static bool wants_report(const PxImport *import, PxState state) {
  const PxProject *project = import->work->project;
  const PxTask *task = import->attachment->task ? px_tasks_get(project->tasks, import->attachment->task) : NULL;
  return task && task->error_path && task->storage && (state == PX_STATE_REFUSED || import->file->counts.failed > 0);
}

static bool wants_receipt(const PxImport *import) {
  const PxProject *project = import->work->project;
  const PxTask *task = import->attachment->task ? px_tasks_get(project->tasks, import->attachment->task) : NULL;
  return task && task->receipt_path && task->storage;
}

static bool enqueue(const PxImport *import, const char *kind, GError **error) {
  PxProject *project = import->work->project;
  g_autofree char *subject = g_strdup_printf("%" G_GINT64_FORMAT, import->file->id);
  g_autoptr(PxJob) job = px_work_new_job(project, kind, import->attachment->task, subject);
  job->file_id = import->file->id;
  return px_job_enqueue(project->db, job, px_project_now(project), error);
}

bool px_import_end(PxImport *import, PxState state, GError **error) {
  PxWork *work = import->work;
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  import->file->state = state;
  /* The attachment is dealt with even when rows of it failed; its pattern file tells that. */
  PxState of_attachment = state == PX_STATE_REFUSED ? PX_STATE_REFUSED : PX_STATE_DONE;
  if (!px_file_store(db, import->file, now, error) || !px_counter_file_ended(db, import->file->id, error) ||
      !px_attachment_set_state(db, import->attachment->id, of_attachment, import->file->error, NULL, now, error))
    return false;
  if (wants_report(import, state) && !enqueue(import, "report", error))
    return false;
  if (wants_receipt(import) && !enqueue(import, "receipt", error))
    return false;
  if (state != PX_STATE_DONE && !px_notice_of_file(work->project, import->file, now, error))
    return false;
  /* How many rows are expected is said of the files in an archive, not of the archive. */
  return (import->wrapping || px_expect_check_size(work->project, import->file, now, error)) && px_job_done(db, work->job, now, error);
}
