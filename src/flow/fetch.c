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

static PxState new_state(const PxTask *task) {
  return task->pattern ? PX_STATE_PENDING : PX_STATE_DONE;
}

PxAttachment *px_fetch_attachment(const PxTask *task, const char *path, const char *name, const PxBlob *blob) {
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->task = g_strdup(task->name);
  attachment->pattern = task->pattern ? g_strdup(task->pattern->name) : NULL;
  attachment->storage = g_strdup(task->storage);
  attachment->path = g_strdup(path);
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  attachment->state = new_state(task);
  return attachment;
}

const char *px_fetch_scope(const PxTask *task) {
  return task->scope == PX_SCOPE_TASK ? task->name : NULL;
}

/* ---- into the queue, in the caller's transaction */

/* The partner hears of a file that is not imported again, as of any other. */
static bool enqueue_receipts(const PxWork *work, const PxTask *task, const GPtrArray *duplicates, int64_t now, GError **error) {
  g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(px_free_job_row);
  for (guint i = 0; i < duplicates->len; i++) {
    const PxAttachment *attachment = duplicates->pdata[i];
    g_autofree char *subject = g_strdup_printf("attachment %" G_GINT64_FORMAT, attachment->id);
    PxJob *job = px_work_new_job(work->project, "receipt", task->name, subject);
    job->attachment_id = attachment->id;
    g_ptr_array_add(jobs, job);
  }
  return px_jobs_enqueue(work->project->db, (PxJob *const *)jobs->pdata, jobs->len, now, error);
}

/* The row keeps the file from being read again; the file itself is left where it is, unless it has our name by now. */
static void make_duplicate(PxAttachment *attachment, int64_t of) {
  attachment->state = PX_STATE_DUPLICATE;
  if (!attachment->remote_held)
    attachment->remote_action = PX_REMOTE_NONE;
  g_free(attachment->error);
  attachment->error = g_strdup_printf("the same content as attachment %" G_GINT64_FORMAT, of);
}

/* Those whose content is known, as duplicates, and of each other content the first one; what is left has the content of one of them. */
static GPtrArray *add_new_contents(PxDb *db, const PxTask *task, const GPtrArray *attachments, int64_t now, GError **error) {
  g_autoptr(GPtrArray) added = g_ptr_array_new();
  g_autoptr(GPtrArray) left = g_ptr_array_new();
  g_autoptr(GHashTable) new = g_hash_table_new(g_str_hash, g_str_equal);
  g_autofree const char **contents = g_new(const char *, attachments->len);
  g_autofree int64_t *firsts = g_new(int64_t, attachments->len);
  for (guint i = 0; i < attachments->len; i++)
    contents[i] = ((const PxAttachment *)attachments->pdata[i])->sha256;
  if (!px_attachments_find_content(db, contents, attachments->len, px_fetch_scope(task), firsts, error))
    return NULL;
  for (guint i = 0; i < attachments->len; i++) {
    PxAttachment *attachment = attachments->pdata[i];
    if (firsts[i])
      make_duplicate(attachment, firsts[i]);
    g_ptr_array_add(firsts[i] || g_hash_table_add(new, attachment->sha256) ? added : left, attachment);
  }
  return px_attachments_add(db, (PxAttachment *const *)added->pdata, added->len, now, error) ? g_steal_pointer(&left) : NULL;
}

static bool add_rows(PxDb *db, const PxTask *task, GPtrArray *attachments, int64_t now, GError **error) {
  if (task->avoid_duplicates != PX_DUPLICATES_CONTENT)
    return px_attachments_add(db, (PxAttachment *const *)attachments->pdata, attachments->len, now, error);
  g_autoptr(GPtrArray) left = g_ptr_array_ref(attachments);
  while (left->len > 0) {
    GPtrArray *still_left = add_new_contents(db, task, left, now, error);
    if (!still_left)
      return false;
    g_ptr_array_unref(left);
    left = still_left;
  }
  return true;
}

static bool forget_sightings(PxDb *db, const PxTask *task, const GPtrArray *attachments, GError **error) {
  g_auto(GStrv) places = g_new0(char *, attachments->len + 1);
  for (guint i = 0; i < attachments->len; i++) {
    const PxAttachment *attachment = attachments->pdata[i];
    places[i] = px_pick_place(attachment->path, attachment->name);
  }
  return px_sightings_forget(db, task->name, (const char *const *)places, attachments->len, error);
}

/* What follows from rows that are there. */
static bool add_followers(const PxWork *work, const PxTask *task, const GPtrArray *added, int64_t now, GError **error) {
  g_autoptr(GPtrArray) duplicates = g_ptr_array_new();
  g_autoptr(GPtrArray) run = g_ptr_array_new();
  for (guint i = 0; i < added->len; i++) {
    const PxAttachment *attachment = added->pdata[i];
    if (attachment->state == PX_STATE_DUPLICATE && task->receipt_path)
      g_ptr_array_add(duplicates, added->pdata[i]);
    if (attachment->state == PX_STATE_PENDING && task->process == PX_PROCESS_NOW)
      g_ptr_array_add(run, added->pdata[i]);
  }
  return forget_sightings(work->project->db, task, added, error) && enqueue_receipts(work, task, duplicates, now, error) &&
         px_work_enqueue_attachments(work->project, run, now, error);
}

/* Of one for which another worker was faster the id is 0 then. */
static bool add_files(const PxWork *work, const PxTask *task, GPtrArray *attachments, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  g_autoptr(GPtrArray) added = g_ptr_array_new();
  uint64_t bytes = 0;
  if (!add_rows(db, task, attachments, now, error))
    return false;
  for (guint i = 0; i < attachments->len; i++) {
    PxAttachment *attachment = attachments->pdata[i];
    if (!attachment->id)
      continue;
    g_ptr_array_add(added, attachment);
    bytes += attachment->size;
  }
  return add_followers(work, task, added, now, error) &&
         px_counter_add(db, PX_COUNT_FETCHED, task->storage, task->name, NULL, added->len, bytes, error);
}

bool px_fetch_add(PxWork *work, const PxTask *task, PxAttachment *attachment, GError **error) {
  g_autoptr(GPtrArray) one = g_ptr_array_new();
  g_ptr_array_add(one, attachment);
  if (!add_files(work, task, one, error))
    return false;
  if (!attachment->id)
    g_set_error(error, PX_ERROR, PX_ERROR_EXISTS, "%s: this very file is in the queue already", attachment->name);
  return attachment->id != 0;
}

/* ---- files that are taken together */

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
  bool passing = g_error_matches(*problem, PX_ERROR, PX_ERROR_TRANSIENT);
  if (px_db_in_transaction(work->project->db) || (!passing && !g_error_matches(*problem, PX_ERROR, PX_ERROR_OUR_DISK))) {
    g_propagate_error(error, g_steal_pointer(problem));
    return false;
  }
  px_work_problem(work, name, "%s", (*problem)->message)->passing = passing;
  work->storage_errors += work->at_storage && passing;
  work->at_storage = false;
  return true;
}

/* Not yet in the queue, or no more. */
static void set_as_new(const Batch *batch, PxAttachment *attachment) {
  attachment->id = 0;
  attachment->state = new_state(batch->task);
  attachment->remote_action = batch->task->after_import == PX_AFTER_KEEP ? PX_REMOTE_NONE : PX_REMOTE_PENDING;
  g_clear_pointer(&attachment->error, g_free);
}

/* Whether it is only this file that is not taken: gone since the listing, or one that may not be read. */
static bool is_left(PxWork *work, const char *name, GError **problem, GError **error) {
  bool gone = g_error_matches(*problem, PX_ERROR, PX_ERROR_NOT_FOUND);
  if (!gone && !g_error_matches(*problem, PX_ERROR, PX_ERROR_REFUSED)) {
    g_propagate_error(error, g_steal_pointer(problem));
    return false;
  }
  if (!gone)
    px_work_problem(work, name, "not taken: %s", (*problem)->message);
  return true;
}

/* The bytes into the batch, unless the file is not to be taken this time. */
static bool read_file(Batch *batch, const PxPicked *file, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  PxWork *work = batch->work;
  const char *name = file->info.name;
  g_autoptr(PxReading) reading = px_storage_open_read(batch->storage, file->path, name, &info, &problem);
  if (!reading)
    return is_left(work, name, &problem, error);
  PxBlob blob;
  if (!px_pick_is_as_listed(work, batch->task, file, &info))
    return true;
  if (!batch->blobs) {
    batch->blobs = px_filestore_batch_begin(work->project->filestore);
    batch->begun = g_get_monotonic_time();
  }
  g_autofree char *key = px_remote_key(file->path, &info); /* what info has may be gone once the file is read */
  if (!px_filestore_batch_add(batch->blobs, reading, &blob, &problem))
    return is_left(work, name, &problem, error);
  PxAttachment *attachment = px_fetch_attachment(batch->task, file->path, name, &blob);
  attachment->remote_key = g_steal_pointer(&key);
  set_as_new(batch, attachment);
  g_ptr_array_add(batch->attachments, attachment);
  batch->bytes += blob.size;
  return true;
}

static void count_added(const Batch *batch, const GPtrArray *attachments) {
  for (guint i = 0; i < attachments->len; i++) {
    const PxAttachment *attachment = attachments->pdata[i];
    if (!attachment->id)
      continue;
    batch->work->report.fetched += attachment->state != PX_STATE_DUPLICATE;
    batch->work->report.duplicates += attachment->state == PX_STATE_DUPLICATE;
  }
}

static bool commit_rows(const Batch *batch, GPtrArray *attachments, GError **error) {
  if (!px_work_begin(batch->work, error) ||
      !px_transaction_end(batch->work->project->db, add_files(batch->work, batch->task, attachments, error), error))
    return false;
  count_added(batch, attachments);
  px_hook("fetch-committed");
  return true;
}

static bool commit_one(const Batch *batch, PxAttachment *attachment, GError **error) {
  g_autoptr(GError) problem = NULL;
  g_autoptr(GPtrArray) one = g_ptr_array_new();
  g_ptr_array_add(one, attachment);
  if (commit_rows(batch, one, &problem))
    return true;
  set_as_new(batch, attachment);
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT)) {
    px_work_problem(batch->work, attachment->name, "not taken: %s", problem->message);
    return true;
  }
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* What the database does not take all at once it is given one by one, so that a file it refuses keeps back no other. */
static bool commit_all(const Batch *batch, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (commit_rows(batch, batch->attachments, &problem))
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  for (guint i = 0; i < batch->attachments->len; i++)
    set_as_new(batch, batch->attachments->pdata[i]);
  for (guint i = 0; i < batch->attachments->len; i++)
    if (!commit_one(batch, batch->attachments->pdata[i], error))
      return false;
  return true;
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
  g_autoptr(GPtrArray) attachments = g_ptr_array_new_with_free_func(px_free_attachment_row);
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

/* avoid_duplicates: name. They are not read; the row of each keeps it from being answered twice. */
static bool answer_some(PxWork *work, const PxTask *task, const GArray *named, guint from, guint n, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  g_autoptr(GPtrArray) attachments = g_ptr_array_new_with_free_func(px_free_attachment_row);
  for (guint i = from; i < from + n; i++) {
    const PxPicked *file = &g_array_index(named, PxPicked, i);
    const PxBlob unread = {.size = file->info.size};
    PxAttachment *attachment = px_fetch_attachment(task, file->path, file->info.name, &unread);
    attachment->state = PX_STATE_DUPLICATE;
    attachment->remote_key = px_remote_key(file->path, &file->info);
    attachment->error = g_strdup("a file of this name was imported before");
    g_ptr_array_add(attachments, attachment);
  }
  if (!px_work_begin(work, error))
    return false;
  g_autoptr(GPtrArray) added = g_ptr_array_new();
  bool ok = px_attachments_add(db, (PxAttachment *const *)attachments->pdata, n, now, error);
  for (guint i = 0; ok && i < n; i++)
    if (((const PxAttachment *)attachments->pdata[i])->id)
      g_ptr_array_add(added, attachments->pdata[i]);
  if (!px_transaction_end(db, ok && add_followers(work, task, added, now, error), error))
    return false;
  px_hook("fetch-answered");
  return true;
}

static bool answer_named(PxWork *work, const PxTask *task, const GArray *named, GError **error) {
  for (guint from = 0; from < named->len; from += MOST_FILES)
    if (!answer_some(work, task, named, from, MIN(MOST_FILES, named->len - from), error))
      return false;
  return true;
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
  g_autoptr(GArray) named = NULL;
  g_autoptr(GArray) picked = px_pick(work, storage, task, &named, error);
  if (!picked || !answer_named(work, task, named, error) || !fetch_files(work, storage, task, picked, error))
    return false;
  bool done = end_step(work, task, error);
  px_hook("fetch-ended");
  return done;
}
