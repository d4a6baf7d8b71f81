/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that wait for others. A need is a row; a job counts its open ones, so that the end of one of thousands costs the same as the end of one. */
#include "queue/queue_private.h"

/* Runs a statement with one id or two. */
static bool run_for(PxDb *db, const char *statement, int64_t one, int64_t other, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  px_bind_integer(&binder, one);
  if (other)
    px_bind_integer(&binder, other);
  return px_run_bound(&binder, error);
}

static bool add_need(PxDb *db, int64_t id, int64_t needs_id, PxJobWait when, int64_t *ret_open, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_need_add", &binder, error))
    return false;
  px_bind_integer(&binder, id);
  px_bind_integer(&binder, when);
  px_bind_integer(&binder, when);
  px_bind_integer(&binder, needs_id);
  return px_run_for_id(&binder, ret_open, error);
}

static bool refuse(PxError code, int64_t id, const char *why, GError **error) {
  g_set_error(error, PX_ERROR, code, "job %" G_GINT64_FORMAT " %s", id, why);
  return false;
}

static char *why_cancelled(int64_t needs_id) {
  return g_strdup_printf("job %" G_GINT64_FORMAT ", which it waited for, was cancelled", needs_id);
}

/* A need that was cancelled before it was one. */
static bool follow_cancelled(PxDb *db, PxJob *job, int64_t needs_id, PxJobWait when, int64_t now, GError **error) {
  g_autoptr(PxJob) needed = px_job_get(db, needs_id, error);
  if (!needed || needed->state != PX_STATE_CANCELLED || when != PX_WAIT_DONE || job->state == PX_STATE_CANCELLED)
    return needed != NULL;
  job->state = PX_STATE_CANCELLED;
  g_autofree char *why = why_cancelled(needs_id);
  return px_job_store_end(db, job->id, PX_STATE_CANCELLED, why, now, error) && px_job_cancel_held(db, job->id, now, error);
}

bool px_job_wait(PxDb *db, PxJob *job, int64_t needs_id, PxJobWait when, int64_t now, GError **error) {
  int64_t open;
  if (!run_for(db, "job_touch", needs_id, 0, error)) /* its end and this row come one after the other */
    return false;
  if (px_db_changes(db) == 0)
    return refuse(PX_ERROR_NOT_FOUND, needs_id, "is not there to be waited for", error);
  if (!add_need(db, job->id, needs_id, when, &open, error))
    return false;
  if (!open)
    return true;
  if (!run_for(db, "job_wait", job->id, 0, error))
    return false;
  if (px_db_changes(db) == 0)
    return refuse(PX_ERROR_REFUSED, job->id, "has begun: it can wait for nothing any more", error);
  if (job->state != PX_STATE_CANCELLED) /* by a need of before */
    job->state = PX_STATE_WAITING;
  job->waits++;
  return follow_cancelled(db, job, needs_id, when, now, error);
}

static GPtrArray *read_ids(PxBinder *binder, GError **error) {
  return px_read_rows(binder, px_read_id, g_free, error);
}

static GPtrArray *ids_of(PxDb *db, const char *statement, int64_t id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  return read_ids(&binder, error);
}

bool px_job_needs_met(PxDb *db, int64_t id, PxState state, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_need_met", &binder, error))
    return false;
  px_bind_integer(&binder, id);
  px_bind_text(&binder, px_state_name(state));
  g_autoptr(GPtrArray) waiting = read_ids(&binder, error);
  for (guint i = 0; waiting && i < waiting->len; i++)
    if (!run_for(db, "job_need_less", *(int64_t *)waiting->pdata[i], 0, error))
      return false;
  if (waiting && waiting->len)
    px_db_notify(db);
  return waiting != NULL;
}

/* A line of jobs may be long, so it is walked, not recursed into. */
bool px_job_cancel_held(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(GArray) cancelled = g_array_new(FALSE, FALSE, sizeof id);
  g_array_append_val(cancelled, id);
  for (guint i = 0; i < cancelled->len; i++) {
    int64_t needed = g_array_index(cancelled, int64_t, i);
    g_autofree char *why = why_cancelled(needed);
    g_autoptr(GPtrArray) held = ids_of(db, "job_need_held", needed, error);
    if (!held)
      return false;
    for (guint k = 0; k < held->len; k++) {
      int64_t one = *(int64_t *)held->pdata[k];
      if (!px_job_store_end(db, one, PX_STATE_CANCELLED, why, now, error))
        return false;
      g_array_append_val(cancelled, one);
    }
  }
  return true;
}

static bool wait_again(PxDb *db, int64_t id, int64_t needs_id, GError **error) {
  if (!run_for(db, "job_wait_again", id, 0, error))
    return false;
  if (px_db_changes(db) == 0)
    return refuse(PX_ERROR_REFUSED, id, "is running behind it; wait until that has ended", error);
  return run_for(db, "job_need_open", needs_id, id, error);
}

bool px_job_needs_again(PxDb *db, int64_t id, GError **error) {
  g_autoptr(GPtrArray) ended = ids_of(db, "job_need_ended", id, error);
  for (guint i = 0; ended && i < ended->len; i++)
    if (!wait_again(db, *(int64_t *)ended->pdata[i], id, error))
      return false;
  return ended != NULL;
}

GArray *px_job_needs(PxDb *db, int64_t id, uint64_t limit, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_needs", &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  px_bind_limit(&binder, limit);
  g_autoptr(GPtrArray) ids = read_ids(&binder, error);
  if (!ids)
    return NULL;
  GArray *needs = g_array_new(FALSE, FALSE, sizeof id);
  for (guint i = 0; i < ids->len; i++)
    g_array_append_val(needs, *(int64_t *)ids->pdata[i]);
  return needs;
}
