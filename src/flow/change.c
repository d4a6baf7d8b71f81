/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to rows by hand: try again, cancel, set done, feed a task, run what is held. */
#include "flow/flow_private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool refuse(const char *what, int64_t id, PxState state, const char *why, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s %" G_GINT64_FORMAT " is %s: %s", what, id, px_state_name(state), why);
  return false;
}

/* ---- again */

static bool again_in_transaction(PxProject *project, const PxAttachment *attachment, GError **error) {
  int64_t now = px_project_now(project);
  return px_attachment_set_state(project->db, attachment->id, PX_STATE_PENDING, NULL, NULL, now, error) &&
         px_work_enqueue_attachment(project, attachment, now, error);
}

bool px_retry_attachment(PxProject *project, int64_t id, GError **error) {
  g_autoptr(PxAttachment) attachment = px_attachment_get(project->db, id, error);
  if (!attachment)
    return false;
  if (attachment->state == PX_STATE_DONE)
    return refuse("attachment", id, attachment->state,
                  attachment->direction == PX_DIRECTION_IMPORT ? "to import it again, retry its pattern file" : "it has been uploaded", error);
  if (attachment->direction == PX_DIRECTION_IMPORT && !attachment->pattern)
    return refuse("attachment", id, attachment->state, "its task has no pattern, there is nothing to do with it", error);
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, again_in_transaction(project, attachment, error), error);
}

/* Whether the job's end is that of its pattern file, one way or another. */
static bool works_on_file(const PxJob *job) {
  static const char *const kinds[] = {"import", "chunk", "finish", NULL};
  return job->file_id && g_strv_contains(kinds, job->kind);
}

static bool is_chunk(const PxJob *job) {
  return strcmp(job->kind, "chunk") == 0;
}

/* What failed with the job goes on with it: a pattern file behind its last chunk. */
static bool revive_subject(PxProject *project, const PxJob *job, GError **error) {
  int64_t now = px_project_now(project);
  bool is_receipt = strcmp(job->kind, "receipt") == 0; /* what it is about has its end */
  if (job->attachment_id && !is_receipt && !px_attachment_set_state(project->db, job->attachment_id, PX_STATE_PENDING, NULL, NULL, now, error))
    return false;
  if (!works_on_file(job))
    return true;
  g_autoptr(PxPatternFile) file = px_file_get(project->db, job->file_id, error);
  if (!file || (is_chunk(job) && !px_chunk_let_finish_wait(project, job, error)))
    return false;
  file->state = PX_STATE_STARTED;
  file->ended = 0;
  g_clear_pointer(&file->error, g_free);
  return px_file_store(project->db, file, now, error);
}

bool px_retry_job(PxProject *project, int64_t id, GError **error) {
  g_autoptr(PxJob) job = px_job_get(project->db, id, error);
  if (!job || !px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool ok = px_job_again(project->db, id, px_project_now(project), error) && revive_subject(project, job, error);
  return px_transaction_end(project->db, ok, error);
}

/* ---- cancel, set done */

/* Whether a row in this state can be ended by hand. */
static bool may_end(PxState state) {
  return state == PX_STATE_PENDING || state == PX_STATE_STARTED || state == PX_STATE_FAILED || state == PX_STATE_REFUSED;
}

/* *ret_file_id: the pattern file that they work on; 0: none. */
static bool end_jobs(PxProject *project, int64_t attachment_id, int64_t file_id, PxState state, int64_t *ret_file_id, GError **error) {
  int64_t now = px_project_now(project);
  g_autoptr(GPtrArray) jobs = px_job_active(project->db, attachment_id, file_id, error);
  *ret_file_id = file_id;
  for (guint i = 0; jobs && i < jobs->len; i++) {
    const PxJob *job = jobs->pdata[i];
    if (works_on_file(job))
      *ret_file_id = job->file_id;
    if (job->state == PX_STATE_STARTED && is_chunk(job)) /* it ends soon, and is the last of its part then */
      continue;
    if (job->state == PX_STATE_STARTED)
      return refuse("job", job->id, job->state, "a worker is at it; wait until it has ended", error);
    if (!(state == PX_STATE_DONE ? px_job_set_done(project->db, job->id, now, error) : px_job_cancel(project->db, job->id, now, error)))
      return false;
  }
  return jobs != NULL;
}

/* What is left of the file is not loaded any more. */
static bool store_file_end(PxProject *project, PxPatternFile *file, PxState state, GError **error) {
  file->state = state;
  return px_chunk_cancel(project->db, file->id, error) && px_file_store(project->db, file, px_project_now(project), error);
}

static bool end_started_file(PxProject *project, int64_t id, PxState state, GError **error) {
  g_autoptr(PxPatternFile) file = px_file_get(project->db, id, error);
  if (!file || file->state != PX_STATE_STARTED)
    return file != NULL;
  return store_file_end(project, file, state, error);
}

static bool end_attachment(PxProject *project, int64_t id, PxState state, GError **error) {
  g_autoptr(PxAttachment) attachment = px_attachment_get(project->db, id, error);
  if (!attachment)
    return false;
  if (!may_end(attachment->state))
    return refuse("attachment", id, attachment->state, "it has ended already", error);
  int64_t file_id;
  return end_jobs(project, id, 0, state, &file_id, error) && (!file_id || end_started_file(project, file_id, state, error)) &&
         px_attachment_set_state(project->db, id, state, attachment->error, NULL, px_project_now(project), error);
}

static bool end_file(PxProject *project, int64_t id, PxState state, GError **error) {
  g_autoptr(PxPatternFile) file = px_file_get(project->db, id, error);
  if (!file)
    return false;
  if (!may_end(file->state))
    return refuse("pattern file", id, file->state, "it has ended already", error);
  bool open = file->state == PX_STATE_PENDING || file->state == PX_STATE_STARTED;
  int64_t same_id;
  if (!end_jobs(project, 0, id, state, &same_id, error) || !store_file_end(project, file, state, error))
    return false;
  return !open || px_attachment_set_state(project->db, file->attachment_id, state, NULL, NULL, px_project_now(project), error);
}

/* Its rows are not loaded, those behind it are. */
static bool skip_chunk(PxProject *project, const PxJob *job, GError **error) {
  g_autoptr(PxPlannedChunk) planned = px_chunk_of_job(project->db, job->id, error);
  if (!planned)
    return false;
  planned->chunk.counts = (PxCounts){0};
  return px_chunk_done(project->db, planned, NULL, px_project_now(project), error) && px_chunk_enqueue_next(project, job, planned->part, error);
}

static bool end_job(PxProject *project, int64_t id, PxState state, GError **error) {
  int64_t now = px_project_now(project);
  g_autoptr(PxJob) job = px_job_get(project->db, id, error);
  if (!job || !(state == PX_STATE_DONE ? px_job_set_done(project->db, id, now, error) : px_job_cancel(project->db, id, now, error)))
    return false;
  if (!works_on_file(job))
    return true;
  if (is_chunk(job))
    return state != PX_STATE_DONE || skip_chunk(project, job, error);
  return end_started_file(project, job->file_id, state, error); /* it would hang otherwise: no job goes on with it */
}

static bool end(PxProject *project, PxSubject subject, int64_t id, PxState state, GError **error) {
  static bool (*const ends[])(PxProject *, int64_t, PxState,
                              GError **) = {[PX_SUBJECT_FILE] = end_file, [PX_SUBJECT_ATTACHMENT] = end_attachment, [PX_SUBJECT_JOB] = end_job};
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, ends[subject](project, id, state, error), error);
}

bool px_cancel(PxProject *project, PxSubject subject, int64_t id, GError **error) {
  return end(project, subject, id, PX_STATE_CANCELLED, error);
}

bool px_set_done(PxProject *project, PxSubject subject, int64_t id, GError **error) {
  return end(project, subject, id, PX_STATE_DONE, error);
}

/* ---- attachments */

bool px_attachment_add_by_hand(PxProject *project, const char *task_name, const char *file, int64_t *ret_id, GError **error) {
  const PxTask *task = px_project_task(project, task_name, error);
  if (!task)
    return false;
  if (task->kind != PX_TASK_IMPORT) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s is an %s task: only import tasks take files", task_name, px_task_kind_name(task->kind));
    return false;
  }
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "%s: cannot open: %s", file, g_strerror(errno));
    return false;
  }
  PxBlob blob;
  bool added = px_filestore_add(project->filestore, fd, &blob, error);
  (void)close(fd);
  if (!added)
    return false;
  g_autofree char *name = g_path_get_basename(file);
  g_autoptr(PxAttachment) attachment = px_fetch_attachment(task, task->path, name, &blob);
  int64_t now = px_project_now(project);
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool ok = px_attachment_add(project->db, attachment, now, error);
  if (ok && attachment->state == PX_STATE_PENDING && task->process == PX_PROCESS_NOW)
    ok = px_work_enqueue_attachment(project, attachment, now, error);
  *ret_id = attachment->id;
  return px_transaction_end(project->db, ok, error);
}

static bool queue_one(PxProject *project, int64_t id, GError **error) {
  g_autoptr(PxAttachment) attachment = px_attachment_get(project->db, id, error);
  if (!attachment)
    return false;
  if (attachment->state != PX_STATE_PENDING)
    return refuse("attachment", id, attachment->state, "only pending ones can be run; see retry", error);
  return px_work_enqueue_attachment(project, attachment, px_project_now(project), error);
}

static bool queue_waiting(PxProject *project, uint64_t limit, uint64_t *ret_queued, GError **error) {
  g_autoptr(GPtrArray) waiting = px_attachment_waiting(project->db, NULL, limit, error);
  *ret_queued = waiting ? waiting->len : 0;
  return waiting && px_work_enqueue_attachments(project, waiting, px_project_now(project), error);
}

bool px_attachments_queue(PxProject *project, const int64_t *ids, size_t n_ids, uint64_t limit, uint64_t *ret_queued, GError **error) {
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool ok = true;
  *ret_queued = n_ids;
  for (size_t i = 0; i < n_ids && ok; i++)
    ok = queue_one(project, ids[i], error);
  if (ok && n_ids == 0)
    ok = queue_waiting(project, limit, ret_queued, error);
  return px_transaction_end(project->db, ok, error);
}
