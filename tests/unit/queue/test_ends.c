/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that end together. */
#include "fixture.h"
#include "suites.h"

#include "queue/counters.h"
#include "queue/ends.h"

#define MOST 60

static unsigned most_at_once(const char *kind) {
  return MOST;
}

static int64_t enqueue_in(Fixture *f, const char *channel, const char *task, int64_t priority) {
  g_autoptr(PxJob) job = px_job_new("fetch", channel, task);
  job->priority = priority;
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  commit(f);
  return job->id;
}

static void free_job(gpointer job) {
  px_job_free(job);
}

/* What the worker gets without another transaction. */
static GPtrArray *claim_batch(PxDb *db, const PxWorker *worker, guint n) {
  g_autoptr(GError) error = NULL;
  GPtrArray *jobs = g_ptr_array_new_with_free_func(free_job);
  while (jobs->len < n) {
    PxJob *job = NULL;
    g_assert_true(px_job_claim(db, worker, NULL, NOW, &job, &error));
    g_assert_nonnull(job);
    g_ptr_array_add(jobs, job);
  }
  return jobs;
}

static PxEnd *ends_of(const GPtrArray *jobs) {
  PxEnd *ends = g_new0(PxEnd, jobs->len);
  for (guint i = 0; i < jobs->len; i++)
    ends[i] = (PxEnd){.job = jobs->pdata[i], .of_task = ((const PxJob *)jobs->pdata[i])->task != NULL};
  return ends;
}

static PxEnd *end_jobs(PxDb *db, const PxWorker *worker, const GPtrArray *jobs, PxMayEnd may_end, void *data) {
  g_autoptr(GError) error = NULL;
  PxEnd *ends = ends_of(jobs);
  bool in_doubt;
  const PxEndOptions options = {.may_end = may_end, .data = data, .claims = true};
  bool ended = px_jobs_end(db, worker, ends, jobs->len, &options, NOW + G_TIME_SPAN_SECOND, &in_doubt, &error);
  g_assert_no_error(error);
  g_assert_true(ended && !in_doubt);
  return ends;
}

static PxState state_of(Fixture *f, int64_t id) {
  g_autoptr(PxJob) job = px_job_get(f->db, id, NULL);
  return job->state;
}

static void exec(PxDb *db, const char *sql) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_exec(db, sql, &error));
  g_assert_no_error(error);
}

/* ---- what ends */

static void all_end_and_their_tasks_have_run(Fixture *f, gconstpointer data) {
  px_worker_batch(f->worker, most_at_once);
  for (int i = 0; i < 5; i++)
    (void)enqueue_in(f, "root.a", i % 2 ? "odd" : "even", 10);
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, 5);
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, jobs, NULL, NULL);
  for (guint i = 0; i < jobs->len; i++) {
    g_assert_cmpint(ends[i].state, ==, PX_END_DONE);
    g_autoptr(PxJob) job = px_job_get(f->db, ends[i].job->id, NULL);
    g_assert_cmpint(job->state, ==, PX_STATE_DONE);
    g_assert_cmpint(job->ended, ==, NOW + G_TIME_SPAN_SECOND);
  }
  g_auto(PxTaskState) state = {0};
  g_assert_true(px_task_state_get(f->db, "odd", &state, NULL));
  g_assert_cmpint(state.last_state, ==, PX_STATE_DONE);
  g_assert_cmpint(state.last_run, ==, NOW);
  g_assert_null(claim(f, NULL, NOW));
}

/* As if each had ended alone. */
static void all_are_counted(Fixture *f, gconstpointer data) {
  px_worker_batch(f->worker, most_at_once);
  for (int i = 0; i < 6; i++)
    (void)enqueue_in(f, "root.a", i % 2 ? "odd" : NULL, 10);
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, 6);
  begin(f);
  for (guint i = 0; i < 2; i++) {
    g_assert_true(px_job_fence(f->db, jobs->pdata[0], NULL));
    g_assert_true(px_job_done(f->db, jobs->pdata[0], NOW + G_TIME_SPAN_SECOND, NULL));
    g_ptr_array_remove_index(jobs, 0);
  }
  commit(f);
  g_autoptr(GPtrArray) alone = px_counter_list(f->db, NULL);
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, jobs, NULL, NULL);
  g_autoptr(GPtrArray) all = px_counter_list(f->db, NULL);
  g_assert_cmpuint(all->len, ==, alone->len);
  for (guint i = 0; i < all->len; i++) {
    const PxCount *few = alone->pdata[i];
    const PxCount *many = all->pdata[i];
    g_assert_cmpint(many->what, ==, few->what);
    g_assert_cmpstr(many->outcome, ==, few->outcome);
    g_assert_cmpuint(many->n, ==, few->n * 3);
    g_assert_cmpuint(many->amount, ==, few->amount * 3);
  }
}

static void one_that_is_not_ours_holds_back_no_other(Fixture *f, gconstpointer data) {
  px_worker_batch(f->worker, most_at_once);
  for (int i = 0; i < 4; i++)
    (void)enqueue_in(f, "root.a", i == 1 ? "lost" : NULL, 10);
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, 4);
  g_autofree char *claimed_again =
    g_strdup_printf("UPDATE pattimpex_job SET attempt = attempt + 1 WHERE id = %" G_GINT64_FORMAT, ((PxJob *)jobs->pdata[2])->id);
  exec(f->db, "UPDATE pattimpex_job SET owner = 'another' WHERE task = 'lost'");
  exec(f->db, claimed_again);
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, jobs, NULL, NULL);
  static const PxEndState expected[] = {PX_END_DONE, PX_END_NOT_OURS, PX_END_NOT_OURS, PX_END_DONE};
  for (guint i = 0; i < jobs->len; i++) {
    g_assert_cmpint(ends[i].state, ==, expected[i]);
    g_assert_cmpint(state_of(f, ends[i].job->id), ==, expected[i] == PX_END_DONE ? PX_STATE_DONE : PX_STATE_STARTED);
  }
  g_auto(PxTaskState) state = {0};
  g_assert_true(px_task_state_get(f->db, "lost", &state, NULL));
  g_assert_cmpint(state.last_run, ==, 0);
}

static bool second_may_not(PxDb *db, PxEnd *ends, size_t n, void *data, GError **error) {
  *(size_t *)data = n;
  ends[1].state = PX_END_NOT_YET;
  return true;
}

static void one_with_something_to_do_stays_as_it_was(Fixture *f, gconstpointer data) {
  px_worker_batch(f->worker, most_at_once);
  for (int i = 0; i < 4; i++)
    (void)enqueue_in(f, "root.a", "a", 10);
  exec(f->db, "UPDATE pattimpex_job SET error = 'out of reach'");
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, 3);
  size_t asked = 0;
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, jobs, second_may_not, &asked);
  g_assert_cmpuint(asked, ==, 3);
  g_assert_cmpint(ends[0].state, ==, PX_END_DONE);
  g_assert_cmpint(ends[1].state, ==, PX_END_NOT_YET);
  g_autoptr(PxJob) stays = px_job_get(f->db, ends[1].job->id, NULL);
  g_assert_cmpint(stays->state, ==, PX_STATE_STARTED);
  g_assert_cmpint(stays->ended, ==, 0);
  g_assert_cmpstr(stays->error, ==, "out of reach");
  begin(f);
  g_assert_true(px_job_fence(f->db, ends[1].job, NULL));
  g_assert_true(px_job_done(f->db, ends[1].job, NOW, NULL));
  commit(f);
  g_autoptr(PxJob) other = claim(f, NULL, NOW);
  g_assert_nonnull(other);
}

static bool says_no(PxDb *db, PxEnd *ends, size_t n, void *data, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "not now");
  return false;
}

static void nothing_ends_after_an_error(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  px_worker_batch(f->worker, most_at_once);
  for (int i = 0; i < 3; i++)
    (void)enqueue_in(f, "root.a", "a", 10);
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, 2);
  g_autofree PxEnd *ends = ends_of(jobs);
  bool in_doubt;
  g_assert_false(px_jobs_end(f->db, f->worker, ends, jobs->len, &(PxEndOptions){.may_end = says_no}, NOW, &in_doubt, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_TRANSIENT);
  g_assert_false(in_doubt);
  for (guint i = 0; i < jobs->len; i++)
    g_assert_cmpint(state_of(f, ends[i].job->id), ==, PX_STATE_STARTED);
  g_autoptr(PxJob) held = claim(f, NULL, NOW); /* of the batch that it has anyway */
  g_assert_nonnull(held);
}

static void who_waits_for_several_of_them_runs_once_all_have_ended(Fixture *f, gconstpointer data) {
  px_worker_batch(f->worker, most_at_once);
  const int64_t needs[] = {enqueue_in(f, "root.a", NULL, 10), enqueue_in(f, "root.a", NULL, 10), enqueue_in(f, "root.b", NULL, 90)};
  int64_t waits[2];
  for (size_t i = 0; i < G_N_ELEMENTS(waits); i++) {
    g_autoptr(PxJob) last = px_job_new("finish", "root.a", NULL);
    begin(f);
    g_assert_true(px_job_enqueue(f->db, last, NOW, NULL));
    for (size_t k = 0; k < (i ? G_N_ELEMENTS(needs) : 2); k++)
      g_assert_true(px_job_wait(f->db, last, needs[k], PX_WAIT_DONE, NOW, NULL));
    commit(f);
    waits[i] = last->id;
  }
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, 2);
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, jobs, NULL, NULL);
  g_assert_cmpint(state_of(f, waits[1]), ==, PX_STATE_WAITING);
  g_autoptr(PxJob) released = claim(f, NULL, NOW + G_TIME_SPAN_SECOND);
  g_assert_cmpint(released->id, ==, waits[0]);
}

/* ---- what is claimed along */

static unsigned batch_size;

static unsigned some_at_once(const char *kind) {
  return batch_size;
}

static PxJob *claim_without_a_statement(Fixture *f) {
  uint64_t run = px_db_counts(f->db).run;
  PxJob *job = claim(f, NULL, NOW);
  if (px_db_counts(f->db).run == run)
    return job;
  px_job_free(job);
  return NULL;
}

/* The statements of an end of n jobs with which n others were claimed; 0: nothing was, since it was time to look for dead workers. */
static uint64_t statements_for(Fixture *f, guint n) {
  exec(f->db, "UPDATE pattimpex_job SET state = 'done'");
  for (guint i = 0; i < 2 * n; i++)
    (void)enqueue_in(f, "root.a", "a", 10);
  batch_size = n;
  g_autoptr(GPtrArray) jobs = claim_batch(f->db, f->worker, n);
  uint64_t before = px_db_counts(f->db).run;
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, jobs, NULL, NULL);
  uint64_t run = px_db_counts(f->db).run - before;
  g_autoptr(PxJob) next = claim_without_a_statement(f);
  g_autoptr(GPtrArray) rest = claim_batch(f->db, f->worker, next ? n - 1 : 0);
  g_assert_true(px_job_release_held(f->db, f->worker, NULL));
  return next ? run : 0;
}

static uint64_t statements_with_a_claim(Fixture *f, guint n) {
  px_worker_batch(f->worker, some_at_once);
  uint64_t run = 0;
  for (int tries = 0; !run && tries < 100; tries++)
    run = statements_for(f, n);
  return run;
}

static void next_batch_is_claimed_in_the_same_transaction(Fixture *f, gconstpointer data) {
  g_assert_cmpuint(statements_with_a_claim(f, 2), >, 0);
}

static void statements_do_not_grow_with_jobs(Fixture *f, gconstpointer data) {
  uint64_t few = statements_with_a_claim(f, 3);
  g_assert_cmpuint(statements_with_a_claim(f, MOST), ==, few);
}

/* ---- several workers */

#define JOBS 400
#define CAPACITY 2

typedef struct {
  const Fixture *f;
  PxChannels *channels;
  int taken[JOBS + 1]; /* how often each job was */
} Crowd;

static int64_t one_integer(PxDb *db, const char *sql) {
  PxStmt *stmt = px_db_prepare(db, sql, NULL);
  g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
  int64_t integer = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return integer;
}

static gpointer work(gpointer data) {
  Crowd *crowd = data;
  g_autoptr(PxDb) db = open_other(crowd->f);
  g_autoptr(PxWorker) worker = px_worker_open(db, NULL);
  px_worker_heed(worker, crowd->channels);
  px_worker_batch(worker, some_at_once);
  px_worker_claims(worker, PX_CLAIMS_WORK);
  while (one_integer(db, "SELECT count(*) FROM pattimpex_job WHERE state <> 'done'")) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(free_job);
    PxJob *job = NULL;
    do {
      g_assert_true(px_job_claim(db, worker, NULL, NOW, &job, &error));
      if (job)
        g_ptr_array_add(jobs, job);
    } while (job && jobs->len < batch_size);
    if (jobs->len == 0)
      continue;
    g_assert_cmpint(one_integer(db, "SELECT count(DISTINCT owner) FROM pattimpex_job WHERE state = 'started'"), <=, CAPACITY);
    g_assert_cmpint(one_integer(db, "SELECT count(DISTINCT owner) FROM pattimpex_job WHERE state = 'started' AND channel = 'root.a'"), <=, 1);
    for (guint i = 0; i < jobs->len; i++)
      g_atomic_int_inc(&crowd->taken[((const PxJob *)jobs->pdata[i])->id]);
    g_autofree PxEnd *ends = end_jobs(db, worker, jobs, NULL, NULL);
    for (guint i = 0; i < jobs->len; i++)
      g_assert_cmpint(ends[i].state, ==, PX_END_DONE);
  }
  return NULL;
}

/* Each job runs once, and never more workers have jobs of the channels at once than they take. */
static void capacity_holds_among_batches(Fixture *f, gconstpointer data) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_parse("channels: \"root:" G_STRINGIFY(CAPACITY) ",root.a:1\"\n", "test.yaml", NULL);
  g_autoptr(PxChannels) channels = px_channels_read(px_node_get(px_config_root(config), "channels"), complaints);
  Crowd crowd = {.f = f, .channels = channels};
  GThread *threads[4];
  begin(f);
  for (int i = 0; i < JOBS; i++) {
    g_autoptr(PxJob) job = px_job_new("fetch", i % 3 == 0 ? "root.a" : i % 3 == 1 ? "root.b" : "root.c", i % 2 ? "odd" : NULL);
    job->priority = i % 5;
    g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  }
  commit(f);
  batch_size = 5;
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("worker", work, &crowd);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  for (int id = 1; id <= JOBS; id++)
    g_assert_cmpint(crowd.taken[id], ==, 1);
}

/* A worker that ends its jobs keeps its place for the next ones, whoever else waits for it; one that leaves the channel gives it up. */
static void place_in_a_channel_is_kept(Fixture *f, gconstpointer data) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_parse("channels: \"root.a:1\"\n", "test.yaml", NULL);
  g_autoptr(PxChannels) channels = px_channels_read(px_node_get(px_config_root(config), "channels"), complaints);
  g_autoptr(PxDb) db = open_other(f);
  g_autoptr(PxWorker) other = px_worker_open(db, NULL);
  g_autoptr(PxJob) none = NULL;
  px_worker_heed(f->worker, channels);
  px_worker_heed(other, channels);
  px_worker_batch(f->worker, some_at_once);
  batch_size = 2;
  for (int i = 0; i < 4; i++)
    (void)enqueue_in(f, "root.a", NULL, 10);
  g_autoptr(GPtrArray) first = claim_batch(f->db, f->worker, 2);
  g_assert_true(px_job_claim(db, other, NULL, NOW, &none, NULL));
  g_assert_null(none);
  g_autofree PxEnd *ends = end_jobs(f->db, f->worker, first, NULL, NULL);
  g_autoptr(GPtrArray) second = claim_batch(f->db, f->worker, 2);
  g_assert_true(px_job_claim(db, other, NULL, NOW, &none, NULL));
  g_assert_null(none);
  int64_t last = enqueue_in(f, "root.a", NULL, 10);
  (void)enqueue_in(f, "root.b", NULL, 1);
  g_autofree PxEnd *more = end_jobs(f->db, f->worker, second, NULL, NULL);
  g_autoptr(GPtrArray) third = claim_batch(f->db, f->worker, 1);
  g_assert_cmpstr(((const PxJob *)third->pdata[0])->channel, ==, "root.b");
  g_autoptr(PxJob) its = NULL;
  g_assert_true(px_job_claim(db, other, NULL, NOW, &its, NULL));
  g_assert_cmpint(its->id, ==, last);
  px_worker_heed(f->worker, NULL);
}

void add_ends(void) {
  ADD("ends/all_end_and_their_tasks_have_run", all_end_and_their_tasks_have_run);
  ADD("ends/all_are_counted", all_are_counted);
  ADD("ends/one_that_is_not_ours_holds_back_no_other", one_that_is_not_ours_holds_back_no_other);
  ADD("ends/one_with_something_to_do_stays_as_it_was", one_with_something_to_do_stays_as_it_was);
  ADD("ends/nothing_ends_after_an_error", nothing_ends_after_an_error);
  ADD("ends/who_waits_runs_once_all_have_ended", who_waits_for_several_of_them_runs_once_all_have_ended);
  ADD("ends/next_batch_is_claimed_in_the_same_transaction", next_batch_is_claimed_in_the_same_transaction);
  ADD_POSTGRES("ends/statements_do_not_grow_with_jobs", statements_do_not_grow_with_jobs);
  ADD("ends/capacity_holds_among_batches", capacity_holds_among_batches);
  ADD("ends/place_in_a_channel_is_kept", place_in_a_channel_is_kept);
}
