/* SPDX-License-Identifier: Apache-2.0 */
/* Attachment -> storage. It happens at least once; a target that has our bytes already is left as it is. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "queue/counters.h"

#include <unistd.h>

static const char *path_of(const PxAttachment *attachment) {
  return attachment->path ? attachment->path : "";
}

static void tell_begin(const PxWork *work, const PxAttachment *attachment) {
  PxProgress progress = {.name = attachment->name, .step = "upload", .bytes_total = attachment->size};
  px_work_progress(work, &progress);
}

static bool put(PxWork *work, const PxAttachment *attachment, char **ret_name, GError **error) {
  PxProject *project = work->project;
  PxStorage *storage = px_project_storage(project, attachment->storage, error);
  int blob = storage ? px_filestore_read(project->filestore, attachment->sha256, error) : -1;
  if (blob < 0)
    return false;
  tell_begin(work, attachment);
  bool done = px_storage_put(storage, path_of(attachment), attachment->name, blob, attachment->size, attachment->sha256,
                             (PxOnExists)attachment->on_exists, ret_name, error);
  (void)close(blob);
  return done;
}

static void begin(PxWork *work, const PxAttachment *attachment) {
  work->name = g_strdup(attachment->name);
  work->storage = g_intern_string(attachment->storage);
  work->at_storage = true;
}

/* In the transaction: it is at the storage, called name there. */
static bool store_end(const PxWork *work, const PxAttachment *attachment, const char *name, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  g_autofree char *place = g_strconcat(path_of(attachment), *path_of(attachment) ? "/" : "", name, NULL);
  return px_counter_add(db, PX_COUNT_SENT, attachment->storage, work->job->task, NULL, 1, attachment->size, error) &&
         px_attachment_set_state(db, attachment->id, PX_STATE_DONE, NULL, place, now, error) && px_job_done(db, work->job, now, error);
}

bool px_upload_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  g_autoptr(PxAttachment) attachment = px_attachment_get(project->db, work->job->attachment_id, error);
  if (!attachment)
    return false;
  if (!attachment->storage) {
    work->name = g_strdup(attachment->name);
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s: no storage says where it goes", attachment->name);
    return false;
  }
  g_autofree char *name = NULL;
  px_work_doing(work, "sending %s to %s", attachment->name, attachment->storage);
  begin(work, attachment);
  if (!put(work, attachment, &name, error))
    return false;
  work->at_storage = false;
  px_hook("upload-put");
  if (!px_work_begin(work, error))
    return false;
  bool done = px_transaction_end(project->db, store_end(work, attachment, name, error), error);
  px_hook("upload-committed");
  return done;
}

/* ---- several at once */

#define MOST_BYTES ((uint64_t)4 * 1024 * 1024) /* of them together: others may take the rest meanwhile */

struct PxUploads {
  PxProject *project;
  GPtrArray *attachments; /* PxAttachment * */
  uint64_t bytes;
};

PxUploads *px_uploads_new(PxProject *project) {
  PxUploads *uploads = g_new(PxUploads, 1);
  *uploads = (PxUploads){.project = project, .attachments = g_ptr_array_new_with_free_func(px_free_attachment_row)};
  return uploads;
}

void px_uploads_free(PxUploads *uploads) {
  if (!uploads)
    return;
  g_ptr_array_unref(uploads->attachments);
  g_free(uploads);
}

/* A job whose worker died goes alone, so that it is known which one a worker dies of. */
bool px_uploads_add(PxUploads *uploads, const PxJob *job) {
  const PxAttachment *first = uploads->attachments->len ? uploads->attachments->pdata[0] : NULL;
  g_autoptr(PxAttachment) attachment = job->deaths ? NULL : px_attachment_get(uploads->project->db, job->attachment_id, NULL);
  if (!attachment || !attachment->storage || attachment->size > MOST_BYTES - uploads->bytes ||
      (first && strcmp(first->storage, attachment->storage) != 0))
    return false;
  uploads->bytes += attachment->size;
  g_ptr_array_add(uploads->attachments, g_steal_pointer(&attachment));
  return true;
}

/* A file of the batch. */
typedef struct {
  PxWork *work;
  const PxAttachment *attachment;
  PxUpload upload;
  PxUploadEnd *end;
} Sent;

static bool is_stopped(void *data, GError **error) {
  return px_project_stopped(data, error);
}

static void fail(Sent *sent, GError *problem) {
  sent->end->state = PX_UPLOAD_FAILED;
  sent->end->problem = problem;
}

/* Those whose bytes are there, at the beginning. */
static guint open_blobs(const PxUploads *uploads, Sent *all, guint n, PxUpload *ret_uploads) {
  guint n_open = 0;
  for (guint i = 0; i < n; i++) {
    GError *problem = NULL;
    const PxAttachment *attachment = all[i].attachment;
    int blob = px_filestore_read(uploads->project->filestore, attachment->sha256, &problem);
    if (blob < 0) {
      fail(&all[i], problem);
      continue;
    }
    begin(all[i].work, attachment);
    tell_begin(all[i].work, attachment);
    all[n_open] = all[i];
    ret_uploads[n_open++] = (PxUpload){.path = path_of(attachment),
                                       .name = attachment->name,
                                       .fd = blob,
                                       .size = attachment->size,
                                       .sha256 = attachment->sha256,
                                       .on_exists = (PxOnExists)attachment->on_exists};
  }
  return n_open;
}

/* Those that were put, at the beginning. */
static guint put_all(const PxUploads *uploads, PxStorage *storage, Sent *all, guint n) {
  g_autofree PxUpload *files = g_new(PxUpload, n);
  guint n_open = open_blobs(uploads, all, n, files);
  guint n_put = 0;
  (void)px_storage_put_all(storage, files, n_open, is_stopped, uploads->project);
  for (guint i = 0; i < n_open; i++) {
    (void)close(files[i].fd);
    all[i].work->at_storage = files[i].error && !g_error_matches(files[i].error, PX_ERROR, PX_ERROR_STOPPED);
    all[i].upload = files[i];
    if (files[i].error)
      fail(&all[i], files[i].error);
    else
      all[n_put++] = all[i];
  }
  return n_put;
}

static int by_task(gconstpointer a, gconstpointer b) {
  return g_strcmp0(((const Sent *)a)->work->job->task, ((const Sent *)b)->work->job->task);
}

/* In the transaction; one that is another worker's by now is left out. */
static bool store_ends(PxDb *db, const Sent *all, guint n, GError **error) {
  for (guint i = 0; i < n; i++) {
    g_autoptr(GError) problem = NULL;
    bool ours = px_job_fence(db, all[i].work->job, &problem);
    all[i].end->state = ours ? PX_UPLOAD_DONE : PX_UPLOAD_NOT_OURS;
    if (!ours && !g_error_matches(problem, PX_ERROR, PX_ERROR_FENCED)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    if (ours && !store_end(all[i].work, all[i].attachment, all[i].upload.ret_name, error))
      return false;
  }
  return true;
}

/* What cannot be ended together is done again, each by itself: the files are there by now. */
static void end_all(PxDb *db, Sent *all, guint n) {
  qsort(all, n, sizeof *all, by_task);
  bool done = n == 0 || (px_db_begin(db, PX_TX_WRITE, NULL) && px_transaction_end(db, store_ends(db, all, n, NULL), NULL));
  for (guint i = 0; i < n; i++) {
    if (!done)
      all[i].end->state = PX_UPLOAD_AGAIN;
    g_free(all[i].upload.ret_name);
  }
}

void px_uploads_run(const PxUploads *uploads, PxWork *const *works, PxUploadEnd *ret_ends) {
  guint n = uploads->attachments->len;
  const PxAttachment *first = uploads->attachments->pdata[0];
  g_autofree Sent *all = g_new0(Sent, n);
  g_autoptr(GError) problem = NULL;
  PxStorage *storage = px_project_storage(uploads->project, first->storage, &problem);
  for (guint i = 0; i < n; i++) {
    all[i] = (Sent){.work = works[i], .attachment = uploads->attachments->pdata[i], .end = &ret_ends[i]};
    if (!storage)
      fail(&all[i], g_error_copy(problem));
  }
  if (!storage)
    return;
  px_work_doing(works[0], "sending %s and %u more files to %s", first->name, n - 1, first->storage);
  guint n_put = put_all(uploads, storage, all, n);
  px_hook("upload-put");
  end_all(uploads->project->db, all, n_put);
  px_hook("upload-committed");
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
