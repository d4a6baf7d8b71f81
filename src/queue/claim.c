/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the next job. What dead workers leave is given back by the next claim. */
#include "queue/slots_private.h"

static GPtrArray *dead_owners(PxDb *db, const PxWorker *worker, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_owners", &binder, error))
    return NULL;
  px_bind_text(&binder, px_worker_name(worker));
  GPtrArray *owners = px_read_rows(&binder, px_read_text, g_free, error);
  for (guint i = 0; owners && i < owners->len;) {
    if (px_worker_is_dead(db, owners->pdata[i]))
      i++;
    else
      g_ptr_array_remove_index(owners, i);
  }
  return owners;
}

static char *death_text(const PxJob *job, const PxLastWords *words) {
  g_autofree char *how = words->signal ? g_strdup_printf(" (signal %d)", words->signal) : g_strdup("");
  if (*words->doing)
    return g_strdup_printf("worker died%s while %s", how, words->doing);
  return g_strdup_printf("worker died%s while at this job (%s)", how, job->kind);
}

/* Told behind the commit. */
static void remember(const PxWorker *worker, const PxJob *job, PxState state, const char *why) {
  PxJob *told = px_job_new(job->kind, job->channel, job->task);
  told->id = job->id;
  told->attachment_id = job->attachment_id;
  told->file_id = job->file_id;
  told->state = state;
  told->error = g_strdup(why);
  g_ptr_array_add(px_worker_given_back(worker), told);
}

/* Only the job that was running when its worker died is to blame. */
static bool give_back(PxDb *db, const PxWorker *worker, PxJob *job, const PxLastWords *words, int64_t now, GError **error) {
  if (words->stopped || (words->job && words->job != job->id))
    return px_job_release(db, job, error);
  g_autofree char *why = death_text(job, words);
  if (!px_counter_add(db, PX_COUNT_DEATH, job->kind, job->task, NULL, 1, 0, error))
    return false;
  bool fails = job->deaths + 1 >= PX_JOB_MAX_DEATHS;
  remember(worker, job, fails ? PX_STATE_FAILED : PX_STATE_PENDING, why);
  if (fails)
    return px_job_fail(db, job, why, now, error) && px_worker_tell_failure(worker, db, job, now, error);
  PxBinder binder;
  if (!px_queue_statement(db, "job_died", &binder, error))
    return false;
  px_job_tried(job, why, now);
  px_bind_text(&binder, why);
  px_bind_text(&binder, job->tries);
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

static bool give_back_all(PxDb *db, const PxWorker *worker, const GPtrArray *owners, int64_t now, GError **error) {
  for (guint i = 0; i < owners->len; i++) {
    PxBinder binder;
    if (!px_queue_statement(db, "job_of_owner", &binder, error))
      return false;
    px_bind_text(&binder, owners->pdata[i]);
    g_autoptr(GPtrArray) jobs = px_read_rows(&binder, px_read_job, px_free_job_row, error);
    if (!jobs)
      return false;
    PxLastWords words;
    px_worker_last_words(db, owners->pdata[i], &words);
    for (guint k = 0; k < jobs->len; k++)
      if (!give_back(db, worker, jobs->pdata[k], &words, now, error))
        return false;
  }
  return true;
}

/* The job may be gone by then where rows are locked one by one: *ret_job NULL. */
static bool claim_one(PxDb *db, const PxWorker *worker, int64_t id, int64_t now, PxJob **ret_job, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_claim", &binder, error))
    return false;
  px_bind_text(&binder, px_worker_name(worker));
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  g_autoptr(GPtrArray) jobs = px_read_rows(&binder, px_read_job, NULL, error);
  if (!jobs)
    return false;
  *ret_job = jobs->len ? jobs->pdata[0] : NULL;
  return true;
}

static int last_first(gconstpointer a, gconstpointer b) {
  const PxJob *one = *(const PxJob *const *)a;
  const PxJob *other = *(const PxJob *const *)b;
  return one->eta != other->eta ? (one->eta < other->eta) - (one->eta > other->eta) : (one->id < other->id) - (one->id > other->id);
}

/* More jobs like the one that was claimed, which the worker holds. */
static bool claim_more(PxDb *db, const PxWorker *worker, const PxJob *job, int64_t now, GError **error) {
  unsigned batch = px_slots_are_paced(px_worker_channels(worker), job->channel) ? 1 : px_worker_batch_of(worker, job->kind);
  PxBinder binder;
  if (batch < 2)
    return true;
  if (!px_queue_statement(db, "job_claim_more", &binder, error))
    return false;
  px_bind_text(&binder, px_worker_name(worker));
  px_bind_integer(&binder, now);
  px_bind_text(&binder, job->channel);
  px_bind_integer(&binder, job->priority);
  px_bind_text(&binder, job->kind);
  px_bind_integer(&binder, now);
  px_bind_limit(&binder, batch - 1);
  GPtrArray *more = px_read_rows(&binder, px_read_job, NULL, error);
  if (!more)
    return false;
  g_ptr_array_extend_and_steal(px_worker_held(worker), more);
  g_ptr_array_sort(px_worker_held(worker), last_first);
  return true;
}

static bool claim_in_transaction(PxDb *db, const PxWorker *worker, const GPtrArray *dead, const char *const *tasks, int64_t now, PxJob **ret_job,
                                 GError **error) {
  const PxChannels *channels = px_worker_channels(worker);
  g_autoptr(PxJob) job = NULL;
  int64_t id;
  if (!give_back_all(db, worker, dead, now, error) || !px_slots_next(db, channels, px_worker_claims_which(worker), tasks, now, &id, error))
    return false;
  if (id && !claim_one(db, worker, id, now, &job, error))
    return false;
  if (job && !px_slots_started(db, channels, job, now, error))
    return false;
  if (job && !tasks && !claim_more(db, worker, job, now, error))
    return false;
  if (!px_db_commit(db, error))
    return false;
  *ret_job = g_steal_pointer(&job);
  return true;
}

/* Whether a claim is worth a transaction that writes. */
static bool may_claim(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, bool *ret_may, GError **error) {
  PxBinder binder;
  int64_t id;
  if (!px_queue_statement(db, "job_due", &binder, error))
    return false;
  PxClaims claims = px_worker_claims_which(worker);
  px_bind_integer(&binder, now);
  px_bind_filter(&binder, claims == PX_CLAIMS_NOTICES ? PX_CHANNEL_NOTICE : NULL);
  px_bind_filter(&binder, claims == PX_CLAIMS_WORK ? PX_CHANNEL_NOTICE : NULL);
  if (!px_run_for_id(&binder, &id, error))
    return false;
  bool limited = px_channels_count(px_worker_channels(worker)) > 0;
  if (id && limited && !px_slots_next(db, px_worker_channels(worker), claims, tasks, now, &id, error))
    return false;
  *ret_may = id != 0;
  return true;
}

bool px_job_claim(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, PxJob **ret_job, GError **error) {
  GPtrArray *held = px_worker_held(worker);
  *ret_job = held->len ? g_ptr_array_steal_index(held, held->len - 1) : NULL;
  if (*ret_job)
    return true;
  g_autoptr(GPtrArray) dead = dead_owners(db, worker, error);
  if (!dead)
    return false;
  bool may = dead->len > 0;
  if (!may && !may_claim(db, worker, tasks, now, &may, error))
    return false;
  if (!may)
    return true;
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  if (!claim_in_transaction(db, worker, dead, tasks, now, ret_job, error)) {
    g_ptr_array_set_size(held, 0);
    g_ptr_array_set_size(px_worker_given_back(worker), 0);
    px_db_rollback(db);
    return false;
  }
  for (guint i = 0; i < dead->len; i++)
    px_worker_forget(db, dead->pdata[i]);
  return true;
}

bool px_job_release_held(PxDb *db, const PxWorker *worker, GError **error) {
  GPtrArray *held = px_worker_held(worker);
  if (held->len == 0)
    return true;
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  bool ok = true;
  for (guint i = 0; ok && i < held->len; i++)
    ok = px_job_release(db, held->pdata[i], error);
  if (ok && px_db_commit(db, error)) {
    g_ptr_array_set_size(held, 0);
    return true;
  }
  px_db_rollback(db);
  return false;
}
