/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to jobs: cancel, set done, run again. */
#include "queue/queue_private.h"

/* Sets of states. */
#define OPEN (1U << PX_STATE_WAITING | 1U << PX_STATE_PENDING | 1U << PX_STATE_FAILED)
#define ENDED (1U << PX_STATE_FAILED | 1U << PX_STATE_CANCELLED)

/* The job, when its state is one of those that allow what a person wants. */
static PxJob *get_in_state(PxDb *db, int64_t id, unsigned states, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_touch", &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  if (!px_run_bound(&binder, error)) /* nobody claims it meanwhile */
    return NULL;
  g_autoptr(PxJob) job = px_job_get(db, id, error);
  if (!job || states & 1U << job->state)
    return g_steal_pointer(&job);
  g_autoptr(GString) names = g_string_new(NULL);
  for (unsigned state = 0; state < PX_N_STATES; state++)
    if (states & 1U << state)
      g_string_append_printf(names, "%s%s", names->len ? " or " : "", px_state_name((PxState)state));
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "job %" G_GINT64_FORMAT " is %s; it must be %s for this", id, px_state_name(job->state), names->str);
  return NULL;
}

bool px_job_cancel(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(PxJob) job = get_in_state(db, id, OPEN, error);
  return job && px_job_store_end(db, id, PX_STATE_CANCELLED, job->error, now, error) && px_job_cancel_held(db, id, now, error);
}

bool px_job_set_done(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(PxJob) job = get_in_state(db, id, OPEN, error);
  return job && px_job_store_end(db, id, PX_STATE_DONE, NULL, now, error);
}

/* What it waits for may have been cancelled before it: then it would wait for ever. */
static bool check_needs(PxDb *db, int64_t id, GError **error) {
  PxBinder binder;
  int64_t needs_id;
  if (!px_queue_statement(db, "job_need_cancelled", &binder, error))
    return false;
  px_bind_integer(&binder, id);
  if (!px_run_for_id(&binder, &needs_id, error))
    return false;
  if (needs_id)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "job %" G_GINT64_FORMAT " waits for job %" G_GINT64_FORMAT ", which was cancelled: retry that one first", id, needs_id);
  return !needs_id;
}

bool px_job_again(PxDb *db, int64_t id, int64_t now, GError **error) {
  g_autoptr(PxJob) job = get_in_state(db, id, ENDED, error);
  if (!job || !check_needs(db, id, error))
    return false;
  int64_t other = 0;
  if (job->identity && !px_job_of_identity(db, job->identity, &other, error))
    return false;
  if (other) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "job %" G_GINT64_FORMAT " does the same already", other);
    return false;
  }
  PxBinder binder;
  if (!px_queue_statement(db, "job_again", &binder, error))
    return false;
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  px_db_notify(db);
  return px_run_bound(&binder, error) && px_job_needs_again(db, id, error);
}
