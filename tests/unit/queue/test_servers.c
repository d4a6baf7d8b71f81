/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a server: several claim at once, and who lives is a matter of leases. */
#include "fixture.h"
#include "suites.h"

#include "queue/overview.h"
#include "queue/queue_private.h"

#include <unistd.h>

static void exec(PxDb *db, const char *sql) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_db_exec(db, sql, &error));
  g_assert_no_error(error);
}

static int64_t one_integer(PxDb *db, const char *sql) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = px_db_prepare(db, sql, &error);
  g_assert_no_error(error);
  g_assert_cmpint(px_stmt_step(stmt, &error), ==, PX_STEP_ROW);
  int64_t integer = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return integer;
}

/* ---- leases */

/* The server has heard nothing of a worker for too long; its process lives. */
static void expire(Fixture *f, const PxWorker *worker) {
  g_autofree char *sql = g_strdup_printf("UPDATE pattimpex_worker SET lease = 0 WHERE name = '%s'", px_worker_name(worker));
  exec(f->db, sql);
}

static void who_is_thought_dead_cannot_commit(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxDb) db = open_other(f);
  g_autoptr(PxWorker) slow = px_worker_open(db, NULL);
  g_autoptr(PxJob) lost = NULL;
  g_assert_true(px_job_claim(db, slow, NULL, NOW, &lost, NULL));
  g_assert_cmpint(lost->id, ==, id);
  expire(f, slow);
  g_autoptr(PxJob) taken = claim(f, NULL, NOW);
  g_assert_cmpint(taken->id, ==, id);
  g_assert_cmpint(taken->deaths, ==, 1);
  g_assert_true(px_db_begin(db, PX_TX_WRITE, NULL));
  g_assert_false(px_job_fence(db, lost, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_FENCED);
  px_db_rollback(db);
  begin(f);
  g_assert_true(px_job_fence(f->db, taken, NULL));
  commit(f);
}

/* A server that crashed has forgotten the claim, and another worker made one of the same number. */
static void same_attempt_of_another_is_fenced(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) forgotten = claim(f, NULL, NOW);
  exec(f->db, "UPDATE pattimpex_job SET owner = 'another'");
  begin(f);
  g_assert_false(px_job_fence(f->db, forgotten, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_FENCED);
  commit(f);
}

static void row_that_is_being_worked_on_is_left_alone(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxDb) db = open_other(f);
  g_autoptr(PxWorker) slow = px_worker_open(db, NULL);
  g_autoptr(PxJob) job = NULL;
  g_assert_true(px_job_claim(db, slow, NULL, NOW, &job, NULL));
  g_assert_true(px_db_begin(db, PX_TX_WRITE, NULL));
  g_assert_true(px_job_fence(db, job, NULL));
  expire(f, slow);
  g_assert_null(claim(f, NULL, NOW)); /* it does not wait either */
  g_assert_true(px_job_done(db, job, NOW, NULL));
  g_assert_true(px_db_commit(db, NULL));
  g_autoptr(PxJob) done = px_job_get(f->db, job->id, NULL);
  g_assert_cmpint(done->state, ==, PX_STATE_DONE);
}

/* How often this transaction has read an entry of the index of pending jobs. */
static int64_t entries_read(Fixture *f) {
  return one_integer(f->db, "SELECT pg_stat_get_xact_tuples_returned(CAST('pattimpex_job_next' AS regclass))");
}

/* Jobs that came and went stay in the index while somebody's transaction is older. */
static void entries_of_jobs_that_went_are_read_once(Fixture *f, gconstpointer data) {
  enum { WENT = 2000 };
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxDb) old = open_other(f);
  g_assert_true(px_db_begin(old, PX_TX_READ, NULL));
  (void)one_integer(old, "SELECT count(*) FROM pattimpex_job");
  g_autofree char *came =
    g_strdup_printf("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, created, started,"
                    " ended) SELECT kind, channel, priority, eta - 1, 0, 0, 0, 'pending', 0, 0, 0 FROM pattimpex_job,"
                    " generate_series(1, %d)",
                    WENT);
  exec(f->db, came);
  g_autofree char *went = g_strdup_printf("UPDATE pattimpex_job SET state = 'done' WHERE id <> %" G_GINT64_FORMAT, id);
  exec(f->db, went);
  begin(f);
  g_assert_true(px_db_keep_plans(f->db, NULL));
  g_assert_true(px_job_claim_along(f->db, f->worker, NULL, NULL, NOW, NULL));
  g_autoptr(PxJob) job = g_ptr_array_steal_index(px_worker_held(f->worker), 0);
  g_assert_cmpint(job->id, ==, id);
  g_assert_cmpint(entries_read(f), >=, WENT);
  g_assert_cmpint(entries_read(f), <, WENT + 100);
  commit(f);
  px_db_rollback(old);
}

static void who_was_thought_dead_claims_again(Fixture *f, gconstpointer data) {
  g_autoptr(PxWorker) other = px_worker_open(f->db, NULL);
  px_worker_describe(other, "slept"); /* there is something new to be told with the next claim */
  expire(f, other);
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) job = NULL;
  g_assert_true(px_job_claim(f->db, other, NULL, NOW, &job, NULL));
  g_assert_cmpint(job->id, ==, id);
  g_assert_null(claim(f, NULL, NOW)); /* its lease holds again */
}

static void lease_is_renewed_by_itself(Fixture *f, gconstpointer data) {
  static const char lease[] = "SELECT max(lease) FROM pattimpex_worker WHERE what = 'tested'";
  g_autoptr(PxDb) db = open_other(f);
  g_autoptr(PxWorker) worker = px_worker_open(db, NULL);
  px_worker_describe(worker, "tested");
  px_worker_lease(worker, 600 * G_TIME_SPAN_MILLISECOND);
  int64_t first = one_integer(f->db, lease);
  while (one_integer(f->db, lease) == first)
    g_thread_yield();
  int64_t second = one_integer(f->db, lease);
  while (one_integer(f->db, lease) == second)
    g_thread_yield();
}

static void connection_without_a_lease_is_cut(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxDb) db = open_other(f);
  g_autoptr(PxWorker) worker = px_worker_open(db, NULL);
  px_worker_lease(worker, 300 * G_TIME_SPAN_MILLISECOND);
  exec(f->db, "BEGIN; LOCK TABLE pattimpex_worker"); /* no sign of life gets through */
  PxStmt *stmt = px_db_prepare(db, "SELECT pg_sleep(60)", NULL);
  g_assert_false(px_stmt_run(stmt, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_TRANSIENT);
  exec(f->db, "ROLLBACK");
}

static void worker_of_another_machine_is_judged_by_its_lease(Fixture *f, gconstpointer data) {
  g_setenv("PATTIMPEX_HOST", "far", TRUE);
  g_autoptr(PxDb) db = open_other(f);
  PxWorker *far = px_worker_open(db, NULL);
  px_worker_describe(far, "worker 7");
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) job = NULL;
  g_assert_true(px_job_claim(db, far, NULL, NOW, &job, NULL));
  g_unsetenv("PATTIMPEX_HOST");
  g_autoptr(GPtrArray) all = px_worker_list(f->db);
  g_assert_cmpuint(all->len, ==, 2);
  const PxWorkerSeen *seen = all->pdata[0];
  const PxWorkerSeen *own = all->pdata[1];
  const PxWorkerSeen *there = strcmp(seen->host, "far") == 0 ? seen : own;
  g_assert_cmpstr(there->host, ==, "far");
  g_assert_cmpstr(there->what, ==, "worker 7");
  g_assert_true(there->lives);
  px_worker_leave(far); /* gone without a word to the server; its file is not looked at from here */
  g_assert_null(claim(f, NULL, NOW));
  exec(f->db, "UPDATE pattimpex_worker SET lease = 0 WHERE host = 'far'");
  g_autoptr(PxJob) again = claim(f, NULL, NOW);
  g_assert_cmpint(again->id, ==, job->id);
}

/* ---- several at once */

#define JOBS 120
#define CAPACITY 2

typedef struct {
  const Fixture *f;
  PxChannels *channels; /* NULL: no limits */
  int *taken;           /* how often each job was */
  int *at_work, *most;
} Crowd;

static void raise_to(int *most, int value) {
  for (int seen = g_atomic_int_get(most); value > seen; seen = g_atomic_int_get(most))
    if (g_atomic_int_compare_and_exchange(most, seen, value))
      return;
}

static unsigned five_at_once(const char *kind) {
  return 5;
}

static gpointer work(gpointer data) {
  Crowd *crowd = data;
  g_autoptr(PxDb) db = open_other(crowd->f);
  g_autoptr(PxWorker) worker = px_worker_open(db, NULL);
  px_worker_heed(worker, crowd->channels);
  px_worker_batch(worker, five_at_once);
  px_worker_claims(worker, PX_CLAIMS_WORK);
  while (one_integer(db, "SELECT count(*) FROM pattimpex_job WHERE state <> 'done'")) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PxJob) job = NULL;
    g_assert_true(px_job_claim(db, worker, NULL, NOW, &job, &error));
    if (!job)
      continue;
    raise_to(crowd->most, g_atomic_int_add(crowd->at_work, 1) + 1);
    g_assert_cmpint(job->id, <=, JOBS);
    g_atomic_int_inc(&crowd->taken[job->id]);
    g_assert_true(px_db_begin(db, PX_TX_WRITE, NULL));
    g_assert_true(px_job_fence(db, job, NULL));
    (void)g_atomic_int_add(crowd->at_work, -1); /* the place is free with the commit */
    g_assert_true(px_job_done(db, job, NOW, &error));
    g_assert_true(px_db_commit(db, &error));
  }
  return NULL;
}

static int run_crowd(Fixture *f, PxChannels *channels) {
  int taken[JOBS + 1] = {0};
  int at_work = 0;
  int most = 0;
  Crowd crowd = {f, channels, taken, &at_work, &most};
  GThread *threads[4];
  g_autofree char *sql =
    g_strdup_printf("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, created, started, ended)"
                    " SELECT 'fetch', 'root.a', 20, 0, 0, 0, 0, 'pending', 0, 0, 0 FROM generate_series(1, %d)",
                    JOBS);
  exec(f->db, sql);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    threads[i] = g_thread_new("worker", work, &crowd);
  for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
    g_thread_join(threads[i]);
  for (int id = 1; id <= JOBS; id++)
    g_assert_cmpint(taken[id], ==, 1);
  g_assert_cmpint(one_integer(f->db, "SELECT count(*) FROM pattimpex_job WHERE state = 'done' AND attempt = 1"), ==, JOBS);
  return most;
}

/* What the clocks of the workers say does not matter. */
static void throttle_goes_by_the_clock_of_the_server(Fixture *f, gconstpointer data) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_parse("channels: \"root.fetch:2:throttle=0.3\"\n", "test.yaml", NULL);
  g_autoptr(PxChannels) channels = px_channels_read(px_node_get(px_config_root(config), "channels"), complaints);
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 0);
  px_worker_heed(f->worker, channels);
  (void)enqueue(f, "a", NULL, 10, 0);
  (void)enqueue(f, "b", NULL, 10, 0);
  g_autoptr(PxJob) first = claim(f, NULL, NOW + G_TIME_SPAN_HOUR);
  int64_t claimed = g_get_monotonic_time();
  g_assert_nonnull(first);
  g_autoptr(PxJob) second = NULL;
  for (int64_t skew = G_TIME_SPAN_MINUTE; !second; skew = -skew)
    second = claim(f, NULL, NOW + G_TIME_SPAN_HOUR + skew);
  g_assert_cmpint(g_get_monotonic_time() - claimed, >, 200 * G_TIME_SPAN_MILLISECOND);
  px_worker_heed(f->worker, NULL);
}

/* ---- leaders */

static void one_leads_until_its_lease_is_over(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) db = open_other(f);
  g_autoptr(PxWorker) other = px_worker_open(db, NULL);
  bool leads;
  g_assert_true(px_worker_leads(f->worker, f->db, "scheduler", &leads, NULL));
  g_assert_true(leads);
  g_assert_true(px_worker_leads(other, db, "scheduler", &leads, NULL));
  g_assert_false(leads);
  g_assert_true(px_worker_leads(f->worker, f->db, "scheduler", &leads, NULL));
  g_assert_true(leads);
  expire(f, f->worker);
  g_assert_true(px_worker_leads(other, db, "scheduler", &leads, NULL));
  g_assert_true(leads);
  g_assert_true(px_worker_leads(f->worker, f->db, "scheduler", &leads, NULL));
  g_assert_false(leads);
}

static void each_job_is_claimed_once(Fixture *f, gconstpointer data) {
  (void)run_crowd(f, NULL);
}

static void capacity_holds_among_all(Fixture *f, gconstpointer data) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_parse("channels: \"root:" G_STRINGIFY(CAPACITY) "\"\n", "test.yaml", NULL);
  g_autoptr(PxChannels) channels = px_channels_read(px_node_get(px_config_root(config), "channels"), complaints);
  g_assert_cmpint(run_crowd(f, channels), <=, CAPACITY);
}

/* ---- the claim's cost */

/* All parameters are 1, which is a text and a number. */
static char *plan_of(PxDb *db, const char *statement) {
  g_autoptr(GError) error = NULL;
  PxStmt *named = px_db_named(db, statement, &error);
  g_assert_no_error(error);
  g_autofree char *sql = g_strconcat("EXPLAIN ", px_stmt_text(named), NULL);
  PxStmt *stmt = px_db_prepare(db, sql, &error);
  g_assert_no_error(error);
  unsigned n = 0;
  for (const char *c = sql; (c = strchr(c, '?')); c++)
    px_stmt_bind_integer(stmt, n++, 1);
  GString *plan = g_string_new(NULL);
  while (px_stmt_step(stmt, &error) == PX_STEP_ROW) {
    g_autofree char *line = px_stmt_dup_text(stmt, 0);
    g_string_append_printf(plan, "%s\n", line);
  }
  g_assert_no_error(error);
  return g_string_free(plan, FALSE);
}

/* With many jobs that have ended, and somebody who still sees how they were, nothing that runs at every claim reads them. */
static void ended_jobs_are_not_looked_at(Fixture *f, gconstpointer data) {
  static const char *const statements[] = {"job_due",    "job_heads",       "job_failed_channels", "job_running",    "job_first",
                                           "job_owners", "job_of_owner",    "job_claim",           "job_claim_like", "job_need_met",
                                           "job_fence",  "job_of_identity", "worker_forget"};
  g_autoptr(PxDb) old = open_other(f);
  g_assert_true(px_db_begin(old, PX_TX_READ, NULL));
  (void)one_integer(old, "SELECT count(*) FROM pattimpex_job");
  exec(f->db, "INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, created, started, ended)"
              " SELECT 'fetch', 'root.a', 20, n, 1, 0, 0, CASE WHEN n % 2000 = 0 THEN 'pending' ELSE 'done' END, 0, 0, 1"
              " FROM generate_series(1, 200000) AS n;"
              "ANALYZE pattimpex_job");
  for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
    g_autofree char *plan = plan_of(f->db, statements[i]);
    if (strstr(plan, "Seq Scan on pattimpex_job"))
      g_error("%s: %s", statements[i], plan);
  }
  px_db_rollback(old);
}

/* While nobody has cleaned up, the index in which they are in their order is the larger one: the planner would rather sort those of another. */
static void few_pending_jobs_are_found_in_their_order(Fixture *f, gconstpointer data) {
  exec(f->db, "INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, created, started, ended)"
              " SELECT 'fetch', 'root.pattern.import', 20, n, 1, 0, 0, 'pending', 0, 0, 1 FROM generate_series(1, 40000) AS n;"
              "UPDATE pattimpex_job SET state = 'done' WHERE id % 20000 <> 0;"
              "ANALYZE pattimpex_job");
  begin(f);
  g_assert_true(px_db_keep_plans(f->db, NULL));
  g_autofree char *heads = plan_of(f->db, "job_heads");
  if (strstr(heads, "Sort") || strstr(heads, "Hash") || strstr(heads, "pattimpex_job_eta") || strstr(heads, "pattimpex_job_identity"))
    g_error("job_heads: %s", heads);
  g_autofree char *running = plan_of(f->db, "job_of_owner"); /* which are put into an order that no index has */
  if (!strstr(running, "pattimpex_job_started"))
    g_error("job_of_owner: %s", running);
  commit(f);
}

void add_servers(void) {
  ADD_POSTGRES("lease/who_is_thought_dead_cannot_commit", who_is_thought_dead_cannot_commit);
  ADD_POSTGRES("lease/same_attempt_of_another_is_fenced", same_attempt_of_another_is_fenced);
  ADD_POSTGRES("lease/row_that_is_being_worked_on_is_left_alone", row_that_is_being_worked_on_is_left_alone);
  ADD_POSTGRES("lease/who_was_thought_dead_claims_again", who_was_thought_dead_claims_again);
  ADD_POSTGRES("claim/entries_of_jobs_that_went_are_read_once", entries_of_jobs_that_went_are_read_once);
  ADD_POSTGRES("lease/is_renewed_by_itself", lease_is_renewed_by_itself);
  ADD_POSTGRES("lease/connection_without_one_is_cut", connection_without_a_lease_is_cut);
  ADD_POSTGRES("lease/judges_workers_of_other_machines", worker_of_another_machine_is_judged_by_its_lease);
  ADD_POSTGRES("job/each_is_claimed_once", each_job_is_claimed_once);
  ADD_POSTGRES("channels/capacity_holds_among_all", capacity_holds_among_all);
  ADD_POSTGRES("channels/throttle_goes_by_the_clock_of_the_server", throttle_goes_by_the_clock_of_the_server);
  ADD_POSTGRES("leader/is_one_until_its_lease_is_over", one_leads_until_its_lease_is_over);
  ADD_POSTGRES("job/ended_ones_are_not_looked_at", ended_jobs_are_not_looked_at);
  ADD_POSTGRES("job/few_pending_ones_are_found_in_their_order", few_pending_jobs_are_found_in_their_order);
}
