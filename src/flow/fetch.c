/* SPDX-License-Identifier: Apache-2.0 */
/* Storage -> attachments. The bytes are in the filestore before a row names them; the remote file is touched only after that row is committed. */
#include "base/hook.h"
#include "flow/pick.h"
#include "queue/counters.h"
#include "queue/sightings.h"

char *px_remote_key(const char *path, const PxFileInfo *info) {
  return g_strdup_printf("%s/%s\n%" G_GUINT64_FORMAT "\n%" G_GINT64_FORMAT "\n%s", path, info->name, info->size, info->mtime_ns, info->identity);
}

/* ---- one file */

PxAttachment *px_fetch_attachment(const PxTask *task, const char *path, const char *name, const PxBlob *blob) {
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->task = g_strdup(task->name);
  attachment->pattern = task->pattern ? g_strdup(task->pattern->name) : NULL;
  attachment->storage = g_strdup(task->storage);
  attachment->path = g_strdup(path);
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  attachment->state = task->pattern ? PX_STATE_PENDING : PX_STATE_DONE;
  return attachment;
}

const char *px_fetch_scope(const PxTask *task) {
  return task->scope == PX_SCOPE_TASK ? task->name : NULL;
}

bool px_fetch_add(PxWork *work, const PxTask *task, PxAttachment *attachment, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  int64_t first = 0;
  if (task->avoid_duplicates == PX_DUPLICATES_CONTENT && !px_attachment_find_content(db, attachment->sha256, px_fetch_scope(task), &first, error))
    return false;
  if (first) { /* the row keeps the file from being read again; the file itself is left where it is, unless it has our name by now */
    attachment->state = PX_STATE_DUPLICATE;
    if (!attachment->remote_held)
      attachment->remote_action = PX_REMOTE_NONE;
    attachment->error = g_strdup_printf("the same content as attachment %" G_GINT64_FORMAT, first);
  }
  g_autofree char *place = px_pick_place(attachment->path, attachment->name);
  if (!px_attachment_add(db, attachment, now, error) || !px_sighting_forget(db, task->name, place, error) ||
      !px_counter_add(db, PX_COUNT_FETCHED, task->storage, task->name, NULL, 1, attachment->size, error))
    return false;
  bool runs = attachment->state == PX_STATE_PENDING && task->process == PX_PROCESS_NOW;
  return !runs || px_work_enqueue_attachment(work->project, attachment, now, error);
}

/* The bytes into the filestore; *ret_attachment NULL: the file was not taken this time. */
static bool read_file(PxWork *work, PxStorage *storage, const PxTask *task, const PxPicked *file, PxAttachment **ret_attachment, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  const char *name = file->info.name;
  *ret_attachment = NULL;
  g_autoptr(PxReading) reading = px_storage_open_read(storage, file->path, name, &info, &problem);
  if (!reading) {
    if (g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) /* gone since the listing */
      return true;
    if (!g_error_matches(problem, PX_ERROR, PX_ERROR_REFUSED)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    px_work_problem(work, name, "not taken: %s", problem->message);
    return true;
  }
  PxBlob blob;
  if (!px_pick_is_as_listed(work, task, file, &info))
    return true;
  if (!px_filestore_add_reading(work->project->filestore, reading, &blob, error))
    return false;
  *ret_attachment = px_fetch_attachment(task, file->path, name, &blob);
  (*ret_attachment)->remote_key = px_remote_key(file->path, &info);
  (*ret_attachment)->remote_action = task->after_import == PX_AFTER_KEEP ? PX_REMOTE_NONE : PX_REMOTE_PENDING;
  return true;
}

/* The row and its job; *ret_added false: another worker was faster. */
static bool add_row(PxWork *work, const PxTask *task, PxAttachment *attachment, bool *ret_added, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (!px_work_begin(work, error))
    return false;
  *ret_added = px_transaction_end(work->project->db, px_fetch_add(work, task, attachment, &problem), &problem);
  if (*ret_added || g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* Puts the remote file of an attachment away. */
static bool settle(PxWork *work, PxStorage *storage, const PxTask *task, PxAttachment *attachment, GError **error) {
  work->at_storage = true;
  if (!px_remote_action(work, storage, task, attachment, error))
    return false;
  work->at_storage = false;
  return true;
}

static bool fetch_file(PxWork *work, PxStorage *storage, const PxTask *task, const PxPicked *file, GError **error) {
  g_autoptr(PxAttachment) attachment = NULL;
  px_work_doing(work, "fetching %s from %s", file->info.name, task->storage);
  work->at_storage = true;
  if (!read_file(work, storage, task, file, &attachment, error))
    return false;
  work->at_storage = false;
  if (!attachment)
    return true;
  px_hook("fetch-stored");
  bool added;
  if (!add_row(work, task, attachment, &added, error))
    return false;
  if (!added)
    return true;
  px_hook("fetch-committed");
  work->report.fetched += attachment->state != PX_STATE_DUPLICATE;
  work->report.duplicates += attachment->state == PX_STATE_DUPLICATE;
  return attachment->remote_action == PX_REMOTE_NONE || settle(work, storage, task, attachment, error);
}

/* ---- the step */

static bool settle_left(PxWork *work, PxStorage *storage, const PxTask *task, GError **error) {
  g_autoptr(GPtrArray) left = px_attachment_unsettled(work->project->db, task->name, error);
  if (!left)
    return false;
  for (guint i = 0; i < left->len; i++)
    if (!settle(work, storage, task, left->pdata[i], error))
      return false;
  return true;
}

/* A file that changes while it is read, a disk that is full: this file waits for the next listing, the others are taken. */
static bool fetch_files(PxWork *work, PxStorage *storage, const PxTask *task, const GArray *picked, GError **error) {
  for (guint i = 0; i < picked->len; i++) {
    g_autoptr(GError) problem = NULL;
    const PxPicked *file = &g_array_index(picked, PxPicked, i);
    PxProgress progress = {.name = file->info.name, .step = "fetch", .rows = i, .rows_total = picked->len};
    px_work_progress(work, &progress);
    if (px_project_stopped(work->project, error))
      return false;
    if (fetch_file(work, storage, task, file, &problem))
      continue;
    if (px_db_in_transaction(work->project->db) || !g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    px_work_problem(work, file->info.name, "%s", problem->message);
    work->storage_errors += work->at_storage;
    work->at_storage = false;
  }
  return true;
}

static bool count(const PxWork *work, const PxTask *task, GError **error) {
  PxDb *db = work->project->db;
  uint64_t problems = work->report.problems ? work->report.problems->len : 0;
  return px_counter_add(db, PX_COUNT_FETCH_PROBLEM, NULL, task->name, NULL, problems, 0, error) &&
         px_counter_add(db, PX_COUNT_STORAGE_ERROR, task->storage, task->name, NULL, work->storage_errors, 0, error);
}

/* A file that was seen for the first time is looked at again as soon as it may be taken, not only when the task is due again. One that is written to
 * for long has to wait for that. */
static bool list_again(const PxWork *work, const PxTask *task, int64_t now, GError **error) {
  int64_t due = task->schedule ? px_schedule_next(task->schedule, work->project->timezone, now) : 0;
  if (!work->lists_again || !work->report.again_at || (due && due <= work->report.again_at)) /* a job in the queue would hold back what is due */
    return true;
  g_autoptr(PxJob) job = px_work_new_job(work->project, "fetch", task->name, task->name);
  job->eta = work->report.again_at + 1;
  return px_job_enqueue(work->project->db, job, now, error);
}

static bool end_step(PxWork *work, const PxTask *task, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  if (!px_work_begin(work, error))
    return false;
  bool ok = count(work, task, error) && px_task_state_ran(db, work->job->task, work->job->started, PX_STATE_DONE, NULL, error) &&
            px_job_done(db, work->job, now, error) && list_again(work, task, now, error);
  return px_transaction_end(db, ok, error);
}

bool px_fetch_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  const PxTask *task = px_project_task(project, work->job->task, error);
  if (!task)
    return false;
  work->storage = task->storage;
  work->at_storage = true;
  PxStorage *storage = px_project_storage(project, task->storage, error);
  if (!storage || !settle_left(work, storage, task, error))
    return false;
  g_autoptr(GArray) picked = px_pick(work, storage, task, error);
  if (!picked || !fetch_files(work, storage, task, picked, error))
    return false;
  bool done = end_step(work, task, error);
  px_hook("fetch-ended");
  return done;
}
