/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/clean.h"

#include "base/hook.h"
#include "flow/flow_private.h"
#include "queue/clean.h"

#define PORTION 200
#define FILES 20                    /* a portion of pattern files: each has many chunks */
#define UNNAMED_FOR G_TIME_SPAN_DAY /* a blob without a row may be one that is just being fetched */
#define DUE_NAME "(clean)"          /* no task can be called so */

typedef struct {
  const PxWork *work;
  PxCleaned *cleaned;
  int64_t now;
} Clean;

/* A portion in a transaction of its own; *ret_more false: that was the last. */
typedef bool (*Portion)(Clean *clean, int64_t before, int64_t *place, bool *ret_more, GError **error);

static bool clean_jobs(Clean *clean, int64_t before, int64_t *place, bool *ret_more, GError **error) {
  uint64_t n;
  if (!px_clean_jobs(clean->work->project->db, before, PORTION, &n, error))
    return false;
  clean->cleaned->jobs += n;
  *ret_more = n == PORTION;
  return *ret_more || px_clean_notices(clean->work->project->db, before, error);
}

static bool clean_files(Clean *clean, int64_t before, int64_t *place, bool *ret_more, GError **error) {
  uint64_t n;
  if (!px_clean_files(clean->work->project->db, before, FILES, &n, error))
    return false;
  clean->cleaned->files += n;
  *ret_more = n == FILES;
  return true;
}

/* avoid_duplicates looks at names and contents of what was imported: of the task, or (scope: all) of every one. */
static bool keeps_row(const char *name, PxDirection direction, void *data) {
  const PxTasks *tasks = data;
  if (direction != PX_DIRECTION_IMPORT)
    return false;
  for (size_t i = 0; i < px_tasks_count(tasks); i++) {
    const PxTask *task = px_tasks_at(tasks, i);
    bool looks = task->kind == PX_TASK_IMPORT && task->avoid_duplicates != PX_DUPLICATES_NO;
    if (looks && (task->scope == PX_SCOPE_ALL || g_strcmp0(task->name, name) == 0))
      return true;
  }
  return false;
}

static bool clean_attachments(Clean *clean, int64_t before, int64_t *place, bool *ret_more, GError **error) {
  PxProject *project = clean->work->project;
  PxCleanedAttachments some;
  if (!px_clean_attachments(project->db, *place, before, clean->now, PORTION, keeps_row, project->tasks, &some, error))
    return false;
  clean->cleaned->attachments += some.removed;
  clean->cleaned->stripped += some.stripped;
  *place = some.last;
  *ret_more = some.last != 0;
  return true;
}

static bool run_portions(Clean *clean, Portion portion, int64_t before, GError **error) {
  int64_t place = 0;
  for (bool more = true; more;) {
    if (!px_work_begin(clean->work, error))
      return false;
    if (!px_transaction_end(clean->work->project->db, portion(clean, before, &place, &more, error), error))
      return false;
    px_hook("portion-cleaned");
  }
  return true;
}

static bool blob_needed(const char *sha256, bool *ret_needed, void *data, GError **error) {
  return px_blob_is_needed(data, sha256, ret_needed, error);
}

static bool collect(Clean *clean, GError **error) {
  PxProject *project = clean->work->project;
  PxCollected collected;
  if (!px_filestore_collect(project->filestore, clean->now - UNNAMED_FOR, blob_needed, project->db, &collected, error))
    return false;
  clean->cleaned->blobs = collected.blobs;
  clean->cleaned->bytes = collected.bytes;
  return true;
}

static bool clean_all(const PxWork *work, PxCleaned *ret_cleaned, GError **error) {
  PxProject *project = work->project;
  *ret_cleaned = (PxCleaned){0};
  Clean clean = {.work = work, .cleaned = ret_cleaned, .now = px_project_now(project)};
  if (project->keep_jobs && !run_portions(&clean, clean_jobs, clean.now - project->keep_jobs, error))
    return false;
  int64_t before = clean.now - project->keep_files;
  if (project->keep_files && (!run_portions(&clean, clean_files, before, error) || !run_portions(&clean, clean_attachments, before, error)))
    return false;
  return collect(&clean, error);
}

bool px_clean(PxProject *project, PxCleaned *ret_cleaned, GError **error) {
  const PxWork work = {.project = project};
  return clean_all(&work, ret_cleaned, error);
}

bool px_clean_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  PxCleaned cleaned;
  if (!clean_all(work, &cleaned, error) || !px_work_begin(work, error))
    return false;
  return px_transaction_end(project->db, px_job_done(project->db, work->job, px_project_now(project), error), error);
}

/* ---- every day */

static bool enqueue(PxProject *project, const PxDue *due, int64_t now, GError **error) {
  bool added;
  if (!px_due_add(project->db, DUE_NAME, "clean", due, now, &added, error))
    return false;
  if (!added || due->state == PX_DUE_BEGIN)
    return true;
  g_autoptr(PxJob) job = px_work_new_job(project, "clean", NULL, "daily");
  return px_job_enqueue(project->db, job, now, error) && px_due_tidy(project->db, DUE_NAME, "clean", now, error);
}

bool px_clean_tick(PxProject *project, int64_t now, GError **error) {
  g_auto(PxDue) last = {0};
  g_auto(PxDue) due = {.due = now - now % G_TIME_SPAN_DAY, .state = PX_DUE_QUEUED, .schedule = g_strdup("daily")};
  if (!px_due_last(project->db, DUE_NAME, "clean", now, &last, error))
    return false;
  if (last.due >= due.due)
    return true;
  if (!last.due) /* a new database has nothing to be cleaned */
    due.state = PX_DUE_BEGIN;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, enqueue(project, &due, now, error), error);
}
