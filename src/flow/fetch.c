/* SPDX-License-Identifier: Apache-2.0 */
/* Storage -> attachments. The bytes are in the filestore before a row names them; the remote file is touched only after that row is committed. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "queue/counters.h"

#define CLOCKS_DIFFER G_TIME_SPAN_MINUTE /* a file may be so much younger than now */

/* A file of the listing; strings owned. */
typedef struct {
  char *name;
  char *identity;
  uint64_t size;
  int64_t mtime_ns;
  int64_t mtime_precision_ns;
} Found;

static void clear_found(gpointer data) {
  Found *found = data;
  g_free(found->name);
  g_free(found->identity);
}

typedef struct {
  PxWork *work;
  const PxTask *task;
  GArray *found;
} Listing;

char *px_remote_key(const char *path, const PxFileInfo *info) {
  return g_strdup_printf("%s/%s\n%" G_GUINT64_FORMAT "\n%" G_GINT64_FORMAT "\n%s", path, info->name, info->size, info->mtime_ns, info->identity);
}

/* When a file may be taken: its last change is long enough ago, also for a clock that is coarse. Microseconds. */
static int64_t stable_at(const PxTask *task, const PxFileInfo *info) {
  return info->mtime_ns / 1000 + MAX(task->stable_for, info->mtime_precision_ns / 1000);
}

/* Nobody can say by the clock whether such a file is still written to. */
static void tell_future(PxWork *work, const PxFileInfo *info) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(info->mtime_ns / (1000 * G_USEC_PER_SEC));
  g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, work->project->timezone) : NULL;
  g_autofree char *when = local ? g_date_time_format(local, "%Y-%m-%d %H:%M:%S") : g_strdup("far away");
  px_work_problem(work, info->name,
                  "not taken: its last change lies in the future (%s): correct the clock, there or here, and change the file's time (touch)", when);
}

static bool must_wait(PxWork *work, const PxTask *task, const PxFileInfo *info) {
  int64_t now = px_project_now(work->project);
  int64_t when = stable_at(task, info);
  if (when <= now)
    return false;
  if (info->mtime_ns / 1000 - now > CLOCKS_DIFFER) {
    tell_future(work, info);
    return true;
  }
  work->report.waiting++;
  work->report.stable_at = MAX(work->report.stable_at, when);
  return true;
}

static bool collect(const PxFileInfo *info, void *data) {
  Listing *listing = data;
  if (!px_task_takes(listing->task, info->name))
    return true;
  if (info->refused) {
    g_autofree char *shown = g_strescape(info->name, NULL);
    px_work_problem(listing->work, shown, "not taken: %s", info->refused);
    return true;
  }
  if (must_wait(listing->work, listing->task, info))
    return true;
  Found found = {g_strdup(info->name), g_strdup(info->identity), info->size, info->mtime_ns, info->mtime_precision_ns};
  g_array_append_val(listing->found, found);
  return true;
}

/* ---- one file */

PxAttachment *px_fetch_attachment(const PxTask *task, const char *name, const PxBlob *blob) {
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->task = g_strdup(task->name);
  attachment->pattern = task->pattern ? g_strdup(task->pattern->name) : NULL;
  attachment->storage = g_strdup(task->storage);
  attachment->path = g_strdup(task->path);
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  attachment->state = task->pattern ? PX_STATE_PENDING : PX_STATE_DONE;
  return attachment;
}

static const char *scope_of(const PxTask *task) {
  return task->scope == PX_SCOPE_TASK ? task->name : NULL;
}

bool px_fetch_add(PxWork *work, const PxTask *task, PxAttachment *attachment, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  int64_t first = 0;
  if (task->avoid_duplicates == PX_DUPLICATES_CONTENT && !px_attachment_find_content(db, attachment->sha256, scope_of(task), &first, error))
    return false;
  if (first) { /* the row keeps the file from being read again; the file itself is left where it is, unless it has our name by now */
    attachment->state = PX_STATE_DUPLICATE;
    if (!attachment->remote_held)
      attachment->remote_action = PX_REMOTE_NONE;
    attachment->error = g_strdup_printf("the same content as attachment %" G_GINT64_FORMAT, first);
  }
  if (!px_attachment_add(db, attachment, now, error) ||
      !px_counter_add(db, PX_COUNT_FETCHED, task->storage, task->name, NULL, 1, attachment->size, error))
    return false;
  bool runs = attachment->state == PX_STATE_PENDING && task->process == PX_PROCESS_NOW;
  return !runs || px_work_enqueue_attachment(work->project, attachment, now, error);
}

/* Whether the queue has it: this very file, or (avoid_duplicates: name) one of its name. */
static bool is_known(PxWork *work, const PxTask *task, const PxFileInfo *info, bool *ret_known, GError **error) {
  PxDb *db = work->project->db;
  g_autofree char *key = px_remote_key(task->path, info);
  if (!px_attachment_known(db, task->name, key, ret_known, error))
    return false;
  work->report.known += *ret_known;
  if (*ret_known || task->avoid_duplicates != PX_DUPLICATES_NAME)
    return true;
  int64_t first;
  if (!px_attachment_find_name(db, info->name, scope_of(task), &first, error))
    return false;
  *ret_known = first != 0;
  work->report.duplicates += first != 0;
  return true;
}

/* The bytes into the filestore; *ret_attachment NULL: the file was not taken this time. */
static bool read_file(PxWork *work, PxStorage *storage, const PxTask *task, const char *name, PxAttachment **ret_attachment, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  *ret_attachment = NULL;
  g_autoptr(PxReading) reading = px_storage_open_read(storage, task->path, name, &info, &problem);
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
  if (must_wait(work, task, &info))
    return true;
  if (!px_filestore_add_reading(work->project->filestore, reading, &blob, error))
    return false;
  *ret_attachment = px_fetch_attachment(task, name, &blob);
  (*ret_attachment)->remote_key = px_remote_key(task->path, &info);
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

static bool fetch_file(PxWork *work, PxStorage *storage, const PxTask *task, const Found *found, GError **error) {
  const PxFileInfo listed = {.name = found->name, .size = found->size, .mtime_ns = found->mtime_ns, .identity = found->identity};
  bool known;
  if (!is_known(work, task, &listed, &known, error))
    return false;
  if (known)
    return true;
  g_autoptr(PxAttachment) attachment = NULL;
  px_work_doing(work, "fetching %s from %s", found->name, task->storage);
  work->at_storage = true;
  if (!read_file(work, storage, task, found->name, &attachment, error))
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
static bool fetch_files(PxWork *work, PxStorage *storage, const PxTask *task, const GArray *found, GError **error) {
  for (guint i = 0; i < found->len; i++) {
    g_autoptr(GError) problem = NULL;
    const Found *file = &g_array_index(found, Found, i);
    PxProgress progress = {.name = file->name, .step = "fetch", .rows = i, .rows_total = found->len};
    px_work_progress(work, &progress);
    if (px_project_stopped(work->project, error))
      return false;
    if (fetch_file(work, storage, task, file, &problem))
      continue;
    if (px_db_in_transaction(work->project->db) || !g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    px_work_problem(work, file->name, "%s", problem->message);
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

static bool end_step(PxWork *work, const PxTask *task, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  if (!px_work_begin(work, error))
    return false;
  bool ok = count(work, task, error) && px_task_state_ran(db, work->job->task, work->job->started, PX_STATE_DONE, NULL, error) &&
            px_job_done(db, work->job, now, error);
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
  g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
  g_array_set_clear_func(found, clear_found);
  Listing listing = {.work = work, .task = task, .found = found};
  work->at_storage = true;
  if (!px_storage_list(storage, task->path, false, collect, &listing, error))
    return false;
  work->at_storage = false;
  if (!fetch_files(work, storage, task, found, error))
    return false;
  bool done = end_step(work, task, error);
  px_hook("fetch-ended");
  return done;
}
