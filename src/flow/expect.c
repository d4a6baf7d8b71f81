/* SPDX-License-Identifier: Apache-2.0 */
/* People are told when a file that a task expects has not come in time, or is much smaller than usual. When it is due is a row of the scheduler, like
 * the times of schedules; with it the folder is looked at once more, and a job behind that look decides. */
#include "flow/flow_private.h"

#define LONGEST_LOOK (10 * G_TIME_SPAN_MINUTE)
#define LONGEST_PAUSE (40 * G_TIME_SPAN_DAY) /* between two days of the week, and more */
#define USUAL_OF 10
#define USUAL_FROM 5 /* files; what fewer had is no custom */

/* ---- in time */

static char *identity_of_look(const PxTask *task) {
  return g_strdup_printf("%s:%s", px_work_task_kind(task), task->name);
}

bool px_expect_enqueue(const PxProject *project, const PxTask *task, int64_t now, GError **error) {
  g_autoptr(PxJob) look = px_work_new_job(project, px_work_task_kind(task), task->name, task->name);
  g_autoptr(PxJob) job = px_work_new_job(project, "expect", task->name, task->name);
  return px_job_enqueue(project->db, look, now, error) && px_job_enqueue(project->db, job, now, error);
}

/* A file may be on its way into the filestore: it is waited for, but not for ever. */
static bool is_looked_at(const PxWork *work, const PxTask *task, bool *ret_is, GError **error) {
  g_autofree char *identity = identity_of_look(task);
  int64_t id;
  if (!px_job_of_identity(work->project->db, identity, &id, error))
    return false;
  *ret_is = id && px_project_now(work->project) < work->job->created + LONGEST_LOOK;
  return true;
}

static bool tell_late(const PxWork *work, const PxTask *task, int64_t due, int64_t now, GError **error) {
  const PxProject *project = work->project;
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(due / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, project->timezone);
  g_autofree char *day = g_date_time_format(local, "%Y-%m-%d");
  g_autofree char *why = g_strdup_printf("no file had come by %s on %s; it is looked for in %s%s%s", px_expect_by(task->expect), day, task->storage,
                                         *task->path ? ", " : "", task->path);
  g_autoptr(PxNotice) notice = px_notice_new("late", task->name, why);
  return px_notice_tell(project, notice, now, error);
}

/* Whether no file has come though one was due. */
static bool find_late(const PxWork *work, const PxTask *task, int64_t *ret_due, bool *ret_late, GError **error) {
  const PxProject *project = work->project;
  int64_t created = work->job->created;
  int64_t found = 0;
  *ret_due = px_schedule_latest(px_expect_schedule(task->expect), project->timezone, created - LONGEST_PAUSE, created);
  if (*ret_due && !px_attachment_since(project->db, task->name, px_expect_since(task->expect, project->timezone, *ret_due), &found, error))
    return false;
  *ret_late = *ret_due && !found;
  return true;
}

/* In the transaction. */
static bool decide(const PxWork *work, const PxTask *task, int64_t now, GError **error) {
  int64_t due;
  bool is_late;
  if (!find_late(work, task, &due, &is_late, error))
    return false;
  return !is_late || tell_late(work, task, due, now, error);
}

bool px_expect_step(PxWork *work, GError **error) {
  const PxProject *project = work->project;
  const PxTask *task = px_tasks_get(project->tasks, work->job->task);
  bool expects = task && task->expect && px_expect_schedule(task->expect); /* else the configuration has changed */
  bool waits = false;
  if (expects && !is_looked_at(work, task, &waits, error))
    return false;
  if (waits) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the folder is still being looked at");
    return false;
  }
  int64_t now = px_project_now(project);
  int64_t due;
  bool is_late = false;
  if (expects && !find_late(work, task, &due, &is_late, error))
    return false;
  if (!is_late && px_work_ends_later(work, false)) /* a file that has come stays so */
    return true;
  if (!px_work_begin(work, error))
    return false;
  bool ok = (!expects || decide(work, task, now, error)) && px_job_done(project->db, work->job, now, error);
  return px_transaction_end(project->db, ok, error);
}

/* ---- large enough */

static int by_size(gconstpointer a, gconstpointer b) {
  int64_t one = **(const int64_t *const *)a;
  int64_t other = **(const int64_t *const *)b;
  return (one > other) - (one < other);
}

/* The median of the last files; *ret_n of how many. */
static bool find_usual(const PxProject *project, const PxPatternFile *file, int64_t *ret_usual, guint *ret_n, GError **error) {
  g_autoptr(GPtrArray) rows = px_file_last_rows(project->db, file->task, file->id, USUAL_OF, error);
  if (!rows)
    return false;
  *ret_n = rows->len;
  if (rows->len == 0)
    return true;
  g_ptr_array_sort(rows, by_size);
  const int64_t *low = rows->pdata[(rows->len - 1) / 2];
  const int64_t *high = rows->pdata[rows->len / 2];
  *ret_usual = (*low + *high) / 2;
  return true;
}

/* *ret_why NULL: it is. Caller frees. */
static bool why_small(const PxProject *project, const PxTask *task, const PxPatternFile *file, char **ret_why, GError **error) {
  uint64_t rows = file->counts.rows;
  uint64_t least;
  *ret_why = NULL;
  if (px_expect_min_rows(task->expect, &least)) {
    if (rows < least)
      *ret_why = g_strdup_printf("only %" G_GUINT64_FORMAT " rows, expected are %" G_GUINT64_FORMAT " or more", rows, least);
    return true;
  }
  int64_t usual = 0;
  guint n = 0;
  if (!find_usual(project, file, &usual, &n, error))
    return false;
  if (n >= USUAL_FROM && 2 * rows < (uint64_t)usual)
    *ret_why = g_strdup_printf("only %" G_GUINT64_FORMAT " rows, usual are about %" G_GINT64_FORMAT " (of the last %u files)", rows, usual, n);
  return true;
}

bool px_expect_check_size(const PxProject *project, const PxPatternFile *file, int64_t now, GError **error) {
  const PxTask *task = file->task ? px_tasks_get(project->tasks, file->task) : NULL;
  if (!task || !task->expect || file->state == PX_STATE_REFUSED || file->previous_id)
    return true;
  g_autofree char *why = NULL;
  if (!why_small(project, task, file, &why, error))
    return false;
  if (!why)
    return true;
  g_autoptr(PxNotice) notice = px_notice_new("small", task->name, why);
  notice->attachment_id = file->attachment_id;
  notice->file_id = file->id;
  return px_notice_tell(project, notice, now, error);
}
