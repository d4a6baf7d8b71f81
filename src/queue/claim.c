/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the next job. What dead workers leave is given back by the next claim. */
#include "queue/slots_private.h"

/* Another worker that has jobs. */
typedef struct {
  char *name;
  PxLease lease;
} Owner;

static gpointer read_owner(PxColumns *columns) {
  Owner *owner = g_new(Owner, 1);
  owner->name = px_column_text(columns);
  owner->lease = (PxLease)px_column_integer(columns);
  return owner;
}

static void free_owner(gpointer data) {
  Owner *owner = data;
  g_free(owner->name);
  g_free(owner);
}

/* The names (char *) of those that are dead. */
static bool find_dead(PxDb *db, const PxWorker *worker, GPtrArray *dead, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "job_owners", &binder, error))
    return false;
  px_bind_text(&binder, px_worker_name(worker));
  g_autoptr(GPtrArray) owners = px_read_rows(&binder, read_owner, free_owner, error);
  for (guint i = 0; owners && i < owners->len; i++) {
    Owner *owner = owners->pdata[i];
    if (px_worker_is_dead(db, owner->name, owner->lease))
      g_ptr_array_add(dead, g_steal_pointer(&owner->name));
  }
  return owners != NULL;
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

/* That very job. */
static bool bind_one(PxDb *db, const PxWorker *worker, const PxTurn *turn, int64_t now, PxBinder *binder, GError **error) {
  if (!px_queue_statement(db, "job_claim", binder, error))
    return false;
  px_bind_text(binder, px_worker_name(worker));
  px_bind_integer(binder, now);
  px_bind_integer(binder, turn->id);
  return true;
}

/* It and others like it. */
static bool bind_batch(PxDb *db, const PxWorker *worker, const PxTurn *turn, int64_t now, PxBinder *binder, GError **error) {
  if (!px_queue_statement(db, "job_claim_like", binder, error))
    return false;
  px_bind_text(binder, px_worker_name(worker));
  px_bind_integer(binder, now);
  px_bind_text(binder, turn->channel);
  px_bind_integer(binder, turn->priority);
  px_bind_text(binder, turn->kind);
  px_bind_integer(binder, now);
  px_bind_integer(binder, turn->eta);
  px_bind_integer(binder, turn->id);
  px_bind_limit(binder, px_worker_batch_of(worker, turn->kind));
  return true;
}

static int last_first(gconstpointer a, gconstpointer b) {
  const PxJob *one = *(const PxJob *const *)a;
  const PxJob *other = *(const PxJob *const *)b;
  return one->eta != other->eta ? (one->eta < other->eta) - (one->eta > other->eta) : (one->id < other->id) - (one->id > other->id);
}

/* The worker holds what it claims, to be handed out. Where rows are locked one by one, another one may have come first: then it is nothing. */
static bool claim_turn(PxDb *db, const PxWorker *worker, const PxTurn *turn, bool alone, int64_t now, GError **error) {
  PxBinder binder;
  if (!(alone ? bind_one : bind_batch)(db, worker, turn, now, &binder, error))
    return false;
  GPtrArray *jobs = px_read_rows(&binder, px_read_job, NULL, error);
  if (!jobs)
    return false;
  g_ptr_array_extend_and_steal(px_worker_held(worker), jobs);
  g_ptr_array_sort(px_worker_held(worker), last_first);
  return true;
}

#define RACES 4 /* that may be lost before the worker takes a nap */

typedef struct {
  PxSlotsQuery query;
  const PxWorker *worker;
  bool waits;  /* for others who claim in the same channels; else what is contended is left to the next claim */
  bool locked; /* some channels: who waits for more may wait for one who waits */
} Claim;

/* *ret_sure: nobody can take the room that was found. What was locked just now is to be looked at anew. */
static bool make_sure(Claim *claim, const PxTurn *turn, bool *ret_sure, bool *ret_again, GError **error) {
  const PxSlotsQuery *query = &claim->query;
  *ret_again = false;
  *ret_sure = !turn->contended || px_db_dialect(query->db) != PX_DIALECT_POSTGRES;
  if (*ret_sure || !claim->waits)
    return true;
  bool waits = !claim->locked;
  claim->locked = true;
  return px_slots_lock(query->db, query->channels, turn->channel, waits, ret_again, error);
}

static bool is_same(const char *channel, const PxTurn *turn) {
  return channel && strcmp(channel, turn->channel) == 0;
}

static bool claim_next(Claim *claim, GError **error) {
  const PxSlotsQuery *query = &claim->query;
  GPtrArray *held = px_worker_held(claim->worker);
  g_autofree char *locked = NULL; /* the channel whose limits are */
  g_auto(PxTurn) turn = {0};
  for (unsigned i = 0; i < RACES && held->len == 0; i++) {
    bool sure;
    bool again;
    if (!px_slots_next(query, &turn, error))
      return false;
    if (!turn.id)
      return true;
    if (!is_same(locked, &turn)) {
      if (!make_sure(claim, &turn, &sure, &again, error))
        return false;
      if (!sure && !again)
        return true;
      g_free(locked);
      locked = again ? g_strdup(turn.channel) : NULL;
      if (again)
        continue;
    }
    bool alone = query->tasks || px_slots_are_paced(query->channels, turn.channel);
    if (!claim_turn(query->db, claim->worker, &turn, alone, query->now, error))
      return false;
  }
  return held->len == 0 || px_slots_started(query->db, query->channels, held->pdata[0], query->now, error);
}

static PxSlotsQuery query_of(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now) {
  return (PxSlotsQuery){.db = db, .channels = px_worker_channels(worker), .claims = px_worker_claims_which(worker), .tasks = tasks, .now = now};
}

/* A claim that is lost with a machine that crashes was never made: its jobs are pending again, and the worker's fence finds them so. */
static bool claim_in_transaction(PxDb *db, const PxWorker *worker, const GPtrArray *dead, const char *const *tasks, int64_t now, GError **error) {
  Claim claim = {.query = query_of(db, worker, tasks, now), .worker = worker, .waits = true};
  return px_db_keep_plans(db, error) && give_back_all(db, worker, dead, now, error) && claim_next(&claim, error) && px_db_commit(db, error);
}

bool px_job_claim_along(PxDb *db, const PxWorker *worker, const GPtrArray *kept, const char *const *tasks, int64_t now, GError **error) {
  Claim claim = {.query = query_of(db, worker, tasks, now), .worker = worker};
  claim.query.kept = kept;
  return px_worker_held(worker)->len > 0 || claim_next(&claim, error);
}

void px_job_claim_failed(const PxWorker *worker) {
  g_ptr_array_set_size(px_worker_held(worker), 0);
  g_ptr_array_set_size(px_worker_given_back(worker), 0);
}

/* With the plans of the claim. */
static bool look_for_turn(const PxSlotsQuery *query, PxTurn *turn, GError **error) {
  if (!px_db_begin(query->db, PX_TX_READ, error))
    return false;
  bool looked = px_db_keep_plans(query->db, error) && px_slots_next(query, turn, error);
  px_db_rollback(query->db);
  return looked;
}

/* Whether a claim is worth a transaction that writes. */
static bool may_claim(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, bool *ret_may, GError **error) {
  PxBinder binder;
  int64_t id;
  g_auto(PxTurn) turn = {0};
  if (!px_queue_statement(db, "job_due", &binder, error))
    return false;
  PxSlotsQuery query = query_of(db, worker, tasks, now);
  px_bind_integer(&binder, now);
  px_bind_filter(&binder, query.claims == PX_CLAIMS_NOTICES ? PX_CHANNEL_NOTICE : NULL);
  px_bind_filter(&binder, query.claims == PX_CLAIMS_WORK ? PX_CHANNEL_NOTICE : NULL);
  if (!px_run_for_id(&binder, &id, error))
    return false;
  bool limited = px_channels_count(query.channels) > 0;
  if (id && limited && !look_for_turn(&query, &turn, error))
    return false;
  *ret_may = limited ? turn.id != 0 : id != 0;
  return true;
}

/* The dead are looked for from time to time, and whenever there is nothing else to be done. */
static bool look(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, GPtrArray *dead, bool *ret_may, GError **error) {
  bool looks = px_worker_looks_around(worker);
  if (looks && !find_dead(db, worker, dead, error))
    return false;
  *ret_may = dead->len > 0;
  if (!*ret_may && !may_claim(db, worker, tasks, now, ret_may, error))
    return false;
  if (*ret_may || looks)
    return true;
  if (!find_dead(db, worker, dead, error))
    return false;
  *ret_may = dead->len > 0;
  return true;
}

bool px_job_must_look(PxDb *db, const PxWorker *worker, bool *ret_must, GError **error) {
  g_autoptr(GPtrArray) dead = g_ptr_array_new_with_free_func(g_free);
  *ret_must = px_worker_must_look(worker);
  if (!*ret_must || px_db_dialect(db) == PX_DIALECT_POSTGRES)
    return true;
  if (!find_dead(db, worker, dead, error)) /* where that costs next to nothing, it is always time */
    return false;
  *ret_must = dead->len > 0;
  return true;
}

static PxJob *hand_out(const PxWorker *worker) {
  GPtrArray *held = px_worker_held(worker);
  return held->len ? g_ptr_array_steal_index(held, held->len - 1) : NULL;
}

bool px_job_is_held(const PxWorker *worker) {
  return px_worker_held(worker)->len > 0;
}

bool px_job_claim(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, PxJob **ret_job, GError **error) {
  g_autoptr(GPtrArray) dead = g_ptr_array_new_with_free_func(g_free);
  bool may;
  if ((*ret_job = hand_out(worker)))
    return true;
  if (!look(db, worker, tasks, now, dead, &may, error))
    return false;
  if (!may)
    return true;
  if (!px_worker_renew(worker, db, error) || !px_db_begin(db, PX_TX_WRITE_SOON, error))
    return false;
  if (!claim_in_transaction(db, worker, dead, tasks, now, error)) {
    px_job_claim_failed(worker);
    px_db_rollback(db);
    return false;
  }
  for (guint i = 0; i < dead->len; i++)
    px_worker_forget(db, dead->pdata[i]);
  *ret_job = hand_out(worker);
  return true;
}

bool px_jobs_release(PxDb *db, const GPtrArray *jobs, GError **error) {
  if (jobs->len == 0)
    return true;
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  bool ok = true;
  for (guint i = 0; ok && i < jobs->len; i++)
    ok = px_job_release(db, jobs->pdata[i], error);
  if (ok && px_db_commit(db, error))
    return true;
  px_db_rollback(db);
  return false;
}

bool px_job_release_held(PxDb *db, const PxWorker *worker, GError **error) {
  GPtrArray *held = px_worker_held(worker);
  if (!px_jobs_release(db, held, error))
    return false;
  g_ptr_array_set_size(held, 0);
  return true;
}
