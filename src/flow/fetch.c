/* SPDX-License-Identifier: Apache-2.0 */
/* Storage -> attachments. The bytes are in the filestore before a row names them; the remote file is touched only after that row is committed. Small
 * files go this way some at a time: what makes them safe, and the commit, cost more than the files. */
#include "base/hook.h"
#include "flow/pick.h"
#include "queue/counters.h"
#include "queue/sightings.h"

char *px_remote_key(const char *path, const PxFileInfo *info) {
  return g_strdup_printf("%s/%s\n%" G_GUINT64_FORMAT "\n%" G_GINT64_FORMAT "\n%s", path, info->name, info->size, info->mtime_ns, info->identity);
}

#define MOST_FILES 128 /* of a batch; each has a descriptor */
#define MOST_BYTES (UINT64_C(64) * 1024 * 1024)
#define MOST_TIME G_TIME_SPAN_SECOND
#define MOST_EXPECTED 1000u               /* files that the storage is told of at once */
#define LARGE (UINT64_C(8) * 1024 * 1024) /* others do not wait for a file like this */

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

/* The partner hears of a file that is not imported again, as of any other. */
static bool enqueue_receipt(const PxWork *work, const PxTask *task, const PxAttachment *attachment, int64_t now, GError **error) {
  g_autofree char *subject = g_strdup_printf("attachment %" G_GINT64_FORMAT, attachment->id);
  g_autoptr(PxJob) job = px_work_new_job(work->project, "receipt", task->name, subject);
  job->attachment_id = attachment->id;
  return px_job_enqueue(work->project->db, job, now, error);
}

/* In the caller's transaction. PX_ERROR_EXISTS: another worker was faster; nothing was written. */
static bool add_file(PxWork *work, const PxTask *task, PxAttachment *attachment, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  int64_t first = 0;
  if (task->avoid_duplicates == PX_DUPLICATES_CONTENT && !px_attachment_find_content(db, attachment->sha256, px_fetch_scope(task), &first, error))
    return false;
  if (first) { /* the row keeps the file from being read again; the file itself is left where it is, unless it has our name by now */
    attachment->state = PX_STATE_DUPLICATE;
    if (!attachment->remote_held)
      attachment->remote_action = PX_REMOTE_NONE;
    g_free(attachment->error);
    attachment->error = g_strdup_printf("the same content as attachment %" G_GINT64_FORMAT, first);
  }
  g_autofree char *place = px_pick_place(attachment->path, attachment->name);
  if (!px_attachment_add(db, attachment, now, error) || !px_sighting_forget(db, task->name, place, error))
    return false;
  if (first && task->receipt_path && !enqueue_receipt(work, task, attachment, now, error))
    return false;
  bool runs = attachment->state == PX_STATE_PENDING && task->process == PX_PROCESS_NOW;
  return !runs || px_work_enqueue_attachment(work->project, attachment, now, error);
}

bool px_fetch_add(PxWork *work, const PxTask *task, PxAttachment *attachment, GError **error) {
  return add_file(work, task, attachment, error) &&
         px_counter_add(work->project->db, PX_COUNT_FETCHED, task->storage, task->name, NULL, 1, attachment->size, error);
}

/* ---- files that are taken together */

static void free_attachment(gpointer attachment) {
  px_attachment_free(attachment);
}

typedef struct {
  PxWork *work;
  PxStorage *storage;
  const PxTask *task;
  PxBlobBatch *blobs;     /* NULL: none is waiting */
  GPtrArray *attachments; /* PxAttachment: of those blobs */
  uint64_t bytes;
  int64_t begun; /* by the monotonic clock */
} Batch;

/* A file that waits for the next listing, while the others are taken; false: it is more than that. */
static bool tell(PxWork *work, const char *name, GError **problem, GError **error) {
  if (px_db_in_transaction(work->project->db) || !g_error_matches(*problem, PX_ERROR, PX_ERROR_TRANSIENT)) {
    g_propagate_error(error, g_steal_pointer(problem));
    return false;
  }
  px_work_problem(work, name, "%s", (*problem)->message)->passing = true;
  work->storage_errors += work->at_storage;
  work->at_storage = false;
  return true;
}

/* The bytes into the batch, unless the file is not to be taken this time. */
static bool read_file(Batch *batch, const PxPicked *file, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  PxWork *work = batch->work;
  const char *name = file->info.name;
  g_autoptr(PxReading) reading = px_storage_open_read(batch->storage, file->path, name, &info, &problem);
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
  if (!px_pick_is_as_listed(work, batch->task, file, &info))
    return true;
  if (!batch->blobs) {
    batch->blobs = px_filestore_batch_begin(work->project->filestore);
    batch->begun = g_get_monotonic_time();
  }
  g_autofree char *key = px_remote_key(file->path, &info); /* what info has may be gone once the file is read */
  if (!px_filestore_batch_add(batch->blobs, reading, &blob, error))
    return false;
  PxAttachment *attachment = px_fetch_attachment(batch->task, file->path, name, &blob);
  attachment->remote_key = g_steal_pointer(&key);
  attachment->remote_action = batch->task->after_import == PX_AFTER_KEEP ? PX_REMOTE_NONE : PX_REMOTE_PENDING;
  g_ptr_array_add(batch->attachments, attachment);
  batch->bytes += blob.size;
  return true;
}

/* In a transaction: the rows and jobs of n attachments. Of one for which another worker was faster the id stays 0. */
static bool add_rows(const Batch *batch, guint from, guint n, GError **error) {
  uint64_t files = 0;
  uint64_t bytes = 0;
  for (guint i = from; i < from + n; i++) {
    g_autoptr(GError) problem = NULL;
    PxAttachment *attachment = batch->attachments->pdata[i];
    bool added = add_file(batch->work, batch->task, attachment, &problem);
    if (!added && !g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    files += added;
    bytes += added ? attachment->size : 0;
  }
  return px_counter_add(batch->work->project->db, PX_COUNT_FETCHED, batch->task->storage, batch->task->name, NULL, files, bytes, error);
}

static void count_added(const Batch *batch, guint from, guint n) {
  for (guint i = from; i < from + n; i++) {
    const PxAttachment *attachment = batch->attachments->pdata[i];
    if (!attachment->id)
      continue;
    batch->work->report.fetched += attachment->state != PX_STATE_DUPLICATE;
    batch->work->report.duplicates += attachment->state == PX_STATE_DUPLICATE;
  }
}

static bool commit_rows(const Batch *batch, guint from, guint n, GError **error) {
  if (!px_work_begin(batch->work, error) || !px_transaction_end(batch->work->project->db, add_rows(batch, from, n, error), error))
    return false;
  count_added(batch, from, n);
  px_hook("fetch-committed");
  return true;
}

/* What the database does not take all at once it is given one by one, so that a file it refuses keeps back no other. */
static bool commit_all(const Batch *batch, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (commit_rows(batch, 0, batch->attachments->len, &problem))
    return true;
  bool ok = g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT);
  for (guint i = 0; ok && i < batch->attachments->len; i++) {
    PxAttachment *attachment = batch->attachments->pdata[i];
    attachment->id = 0;
    g_clear_error(&problem);
    ok = commit_rows(batch, i, 1, &problem);
    if (ok || !g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT))
      continue;
    ok = true;
    attachment->id = 0;
    px_work_problem(batch->work, attachment->name, "not taken: %s", problem->message);
  }
  if (!ok)
    g_propagate_error(error, g_steal_pointer(&problem));
  return ok;
}

static void empty(Batch *batch) {
  g_ptr_array_set_size(batch->attachments, 0);
  batch->bytes = 0;
}

/* What was read is in our care: on the disk, then in the database. */
static bool keep(Batch *batch, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (!batch->blobs)
    return true;
  if (batch->attachments->len == 0) {
    g_clear_pointer(&batch->blobs, px_filestore_batch_abandon);
    return true;
  }
  if (px_filestore_batch_commit(g_steal_pointer(&batch->blobs), &problem)) {
    px_hook("fetch-stored");
    return commit_all(batch, error);
  }
  bool ok = true;
  for (guint i = 0; ok && i < batch->attachments->len; i++) {
    g_autoptr(GError) same = g_error_copy(problem);
    ok = tell(batch->work, ((const PxAttachment *)batch->attachments->pdata[i])->name, &same, error);
  }
  empty(batch);
  return ok;
}

/* Puts the remote files of attachments away. */
static bool settle(PxWork *work, PxStorage *storage, const PxTask *task, const GPtrArray *attachments, GError **error) {
  work->at_storage = true;
  if (!px_remote_actions(work, storage, task, attachments, error))
    return false;
  work->at_storage = false;
  return true;
}

/* Keeps what the batch has, and only then puts the remote files away. */
static bool end_batch(Batch *batch, GError **error) {
  g_autoptr(GPtrArray) unsettled = g_ptr_array_new();
  if (!keep(batch, error))
    return false;
  for (guint i = 0; i < batch->attachments->len; i++) {
    PxAttachment *attachment = batch->attachments->pdata[i];
    if (attachment->id && attachment->remote_action != PX_REMOTE_NONE)
      g_ptr_array_add(unsettled, attachment);
  }
  if (!settle(batch->work, batch->storage, batch->task, unsettled, error))
    return false;
  empty(batch);
  return true;
}

static bool is_full(const Batch *batch) {
  return batch->blobs && (batch->attachments->len >= MOST_FILES || batch->bytes >= MOST_BYTES || g_get_monotonic_time() - batch->begun >= MOST_TIME);
}

/* ---- the step */

static bool settle_left(PxWork *work, PxStorage *storage, const PxTask *task, GError **error) {
  g_autoptr(GPtrArray) left = px_attachment_unsettled(work->project->db, task->name, error);
  return left && settle(work, storage, task, left, error);
}

static bool fetch_file(Batch *batch, const PxPicked *file, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxWork *work = batch->work;
  if (px_project_stopped(work->project, error) || (file->info.size >= LARGE && !end_batch(batch, error)))
    return false;
  px_work_doing(work, "fetching %s from %s", file->info.name, batch->task->storage);
  work->at_storage = true;
  if (read_file(batch, file, &problem))
    work->at_storage = false;
  else if (!tell(work, file->info.name, &problem, error))
    return false;
  return !is_full(batch) || end_batch(batch, error);
}

static void expect_next(PxStorage *storage, const GArray *picked, guint from) {
  guint n = MIN(picked->len - from, MOST_EXPECTED);
  g_autofree PxExpected *expected = g_new(PxExpected, n);
  for (guint i = 0; i < n; i++) {
    const PxPicked *file = &g_array_index(picked, PxPicked, from + i);
    expected[i] = (PxExpected){.path = file->path, .name = file->info.name, .size = file->info.size};
  }
  px_storage_expect(storage, expected, n);
}

/* A file that changes while it is read, a disk that is full: this file waits for the next listing, the others are taken. When it cannot go on, what
 * was read is kept nevertheless, and put away by the next run. */
static bool fetch_files(PxWork *work, PxStorage *storage, const PxTask *task, const GArray *picked, GError **error) {
  g_autoptr(GPtrArray) attachments = g_ptr_array_new_with_free_func(free_attachment);
  Batch batch = {.work = work, .storage = storage, .task = task, .attachments = attachments};
  bool ok = true;
  for (guint i = 0; ok && i < picked->len; i++) {
    const PxPicked *file = &g_array_index(picked, PxPicked, i);
    PxProgress progress = {.name = file->info.name, .step = "fetch", .rows = i, .rows_total = picked->len};
    px_work_progress(work, &progress);
    if (i % MOST_EXPECTED == 0)
      expect_next(storage, picked, i);
    ok = fetch_file(&batch, file, error);
  }
  px_storage_expect(storage, NULL, 0);
  if (ok)
    return end_batch(&batch, error);
  if (px_db_in_transaction(work->project->db) || !keep(&batch, NULL))
    g_clear_pointer(&batch.blobs, px_filestore_batch_abandon);
  return false;
}

static bool count(const PxWork *work, const PxTask *task, GError **error) {
  PxDb *db = work->project->db;
  uint64_t problems = work->report.problems ? work->report.problems->len : 0;
  return px_counter_add(db, PX_COUNT_FETCH_PROBLEM, NULL, task->name, NULL, problems, 0, error) &&
         px_counter_add(db, PX_COUNT_STORAGE_ERROR, task->storage, task->name, NULL, work->storage_errors, 0, error);
}

static bool found_nothing(const PxWork *work) {
  return !work->report.fetched && !work->report.duplicates && !work->report.problems && !work->storage_errors;
}

/* A file that was seen for the first time is looked at again as soon as it may be taken, not only when the task is due again. One that is written to
 * for long has to wait for that. */
static bool wants_list_again(const PxWork *work, const PxTask *task, int64_t now) {
  int64_t due = task->schedule ? px_schedule_next(task->schedule, work->project->timezone, now) : 0;
  return work->lists_again && work->report.again_at && (!due || due > work->report.again_at); /* a job in the queue would hold back what is due */
}

static bool list_again(const PxWork *work, const PxTask *task, int64_t now, GError **error) {
  if (!wants_list_again(work, task, now))
    return true;
  g_autoptr(PxJob) job = px_work_new_job(work->project, "fetch", task->name, task->name);
  job->eta = work->report.again_at + 1;
  return px_job_enqueue(work->project->db, job, now, error);
}

static bool end_step(PxWork *work, const PxTask *task, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  if (found_nothing(work) && !wants_list_again(work, task, now) && px_work_ends_later(work, true))
    return true;
  if (!px_work_begin(work, error))
    return false;
  bool ok = count(work, task, error) && px_task_state_ran(db, work->job->task, work->job->started, PX_STATE_DONE, NULL, error) &&
            px_notice_of_problems(work->project, task->name, work->report.problems, now, error) && px_job_done(db, work->job, now, error) &&
            list_again(work, task, now, error);
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
