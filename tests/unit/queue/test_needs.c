/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "suites.h"

/* A job that waits for the others; n of them. */
static int64_t enqueue_behind(Fixture *f, const int64_t *needs, size_t n, PxJobWait when) {
  g_autoptr(PxJob) job = px_job_new("finish", "root.pattern.import", NULL);
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  for (size_t i = 0; i < n; i++)
    g_assert_true(px_job_wait(f->db, job, needs[i], when, NOW, NULL));
  commit(f);
  return job->id;
}

static PxState state_of(Fixture *f, int64_t id) {
  g_autoptr(PxJob) job = px_job_get(f->db, id, NULL);
  return job->state;
}

/* Claims what is next, which must be id, and ends it. */
static void run(Fixture *f, int64_t id, PxState end) {
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->id, ==, id);
  begin(f);
  g_assert_true(end == PX_STATE_DONE ? px_job_done(f->db, job, NOW, NULL) : px_job_fail(f->db, job, "broken", NOW, NULL));
  commit(f);
}

typedef bool (*ByHand)(PxDb *db, int64_t id, int64_t now, GError **error);

static void by_hand(Fixture *f, ByHand act, int64_t id) {
  g_autoptr(GError) error = NULL;
  begin(f);
  bool done = act(f->db, id, NOW, &error);
  g_assert_no_error(error);
  g_assert_true(done);
  commit(f);
}

static void runs_when_all_needs_are_done(Fixture *f, gconstpointer data) {
  const int64_t needs[] = {enqueue(f, NULL, NULL, 10, 0), enqueue(f, NULL, NULL, 10, 0)};
  int64_t last = enqueue_behind(f, needs, 2, PX_WAIT_DONE);
  g_assert_cmpint(state_of(f, last), ==, PX_STATE_WAITING);
  run(f, needs[0], PX_STATE_DONE);
  g_assert_cmpint(state_of(f, last), ==, PX_STATE_WAITING);
  g_autoptr(GArray) open = px_job_needs(f->db, last, 0, NULL);
  g_assert_cmpuint(open->len, ==, 1);
  g_assert_cmpint(g_array_index(open, int64_t, 0), ==, needs[1]);
  run(f, needs[1], PX_STATE_DONE);
  run(f, last, PX_STATE_DONE);
}

static void needs_that_have_ended_hold_nothing(Fixture *f, gconstpointer data) {
  int64_t done = enqueue(f, NULL, NULL, 10, 0);
  run(f, done, PX_STATE_DONE);
  int64_t failed = enqueue(f, NULL, NULL, 10, 0);
  run(f, failed, PX_STATE_FAILED);
  g_assert_cmpint(state_of(f, enqueue_behind(f, &done, 1, PX_WAIT_DONE)), ==, PX_STATE_PENDING);
  g_assert_cmpint(state_of(f, enqueue_behind(f, &failed, 1, PX_WAIT_ENDED)), ==, PX_STATE_PENDING);
}

static void need_that_has_failed_holds_and_is_told(Fixture *f, gconstpointer data) {
  int64_t failed = enqueue(f, NULL, NULL, 10, 0);
  int64_t done = enqueue(f, NULL, NULL, 20, 0);
  run(f, failed, PX_STATE_FAILED);
  const int64_t needs[] = {done, failed};
  int64_t last = enqueue_behind(f, needs, 2, PX_WAIT_DONE);
  run(f, done, PX_STATE_DONE);
  g_autoptr(PxJob) held = px_job_get(f->db, last, NULL);
  g_assert_cmpint(held->state, ==, PX_STATE_WAITING);
  g_assert_cmpint(held->held_by, ==, failed);
  g_autoptr(GPtrArray) waiting = px_job_list(f->db, &(PxListFilter){.state = "waiting"}, NULL);
  g_assert_cmpuint(waiting->len, ==, 1);
  g_assert_cmpint(((const PxJob *)waiting->pdata[0])->held_by, ==, failed);
  by_hand(f, px_job_again, failed);
  g_autoptr(PxJob) hopeful = px_job_get(f->db, last, NULL);
  g_assert_cmpint(hopeful->held_by, ==, 0);
  run(f, failed, PX_STATE_DONE);
  run(f, last, PX_STATE_DONE);
}

static void need_that_was_cancelled_cancels(Fixture *f, gconstpointer data) {
  int64_t cancelled = enqueue(f, NULL, NULL, 10, 0);
  by_hand(f, px_job_cancel, cancelled);
  int64_t open = enqueue(f, NULL, NULL, 10, 0);
  const int64_t needs[] = {cancelled, open};
  int64_t held = enqueue_behind(f, needs, 2, PX_WAIT_DONE);
  g_autoptr(PxJob) job = px_job_get(f->db, held, NULL);
  g_assert_cmpint(job->state, ==, PX_STATE_CANCELLED);
  g_assert_nonnull(strstr(job->error, "was cancelled"));
  g_assert_cmpint(state_of(f, enqueue_behind(f, &held, 1, PX_WAIT_DONE)), ==, PX_STATE_CANCELLED);
  g_assert_cmpint(state_of(f, enqueue_behind(f, &cancelled, 1, PX_WAIT_ENDED)), ==, PX_STATE_PENDING);
}

/* One that waits for others already, and is waited for. */
static void need_added_later_cancels_too(Fixture *f, gconstpointer data) {
  int64_t open = enqueue(f, NULL, NULL, 10, 0);
  int64_t cancelled = enqueue(f, NULL, NULL, 10, 0);
  int64_t held = enqueue_behind(f, &open, 1, PX_WAIT_DONE);
  int64_t last = enqueue_behind(f, &held, 1, PX_WAIT_DONE);
  by_hand(f, px_job_cancel, cancelled);
  g_autoptr(PxJob) job = px_job_get(f->db, held, NULL);
  begin(f);
  g_assert_true(px_job_wait(f->db, job, cancelled, PX_WAIT_DONE, NOW, NULL));
  commit(f);
  g_assert_cmpint(state_of(f, held), ==, PX_STATE_CANCELLED);
  g_assert_cmpint(state_of(f, last), ==, PX_STATE_CANCELLED);
}

static void retried_one_does_not_wait_for_a_cancelled_need(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t last = enqueue_behind(f, &first, 1, PX_WAIT_DONE);
  by_hand(f, px_job_cancel, first);
  g_autoptr(GError) error = NULL;
  begin(f);
  g_assert_false(px_job_again(f->db, last, NOW, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  px_db_rollback(f->db);
  by_hand(f, px_job_again, first);
  by_hand(f, px_job_again, last);
  run(f, first, PX_STATE_DONE);
  run(f, last, PX_STATE_DONE);
}

static void all_needs_count_when_one_that_was_cancelled_is_retried(Fixture *f, gconstpointer data) {
  int64_t cancelled = enqueue(f, NULL, NULL, 10, 0);
  by_hand(f, px_job_cancel, cancelled);
  int64_t open = enqueue(f, NULL, NULL, 20, 0);
  const int64_t needs[] = {cancelled, open};
  int64_t last = enqueue_behind(f, needs, 2, PX_WAIT_DONE);
  by_hand(f, px_job_again, cancelled);
  by_hand(f, px_job_again, last);
  run(f, cancelled, PX_STATE_DONE);
  g_assert_cmpint(state_of(f, last), ==, PX_STATE_WAITING);
  run(f, open, PX_STATE_DONE);
  run(f, last, PX_STATE_DONE);
}

static void failed_need_holds_until_it_is_done(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t last = enqueue_behind(f, &first, 1, PX_WAIT_DONE);
  run(f, first, PX_STATE_FAILED);
  g_assert_null(claim(f, NULL, NOW));
  by_hand(f, px_job_again, first);
  run(f, first, PX_STATE_DONE);
  run(f, last, PX_STATE_DONE);
}

static void set_done_releases(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t last = enqueue_behind(f, &first, 1, PX_WAIT_DONE);
  run(f, first, PX_STATE_FAILED);
  by_hand(f, px_job_set_done, first);
  run(f, last, PX_STATE_DONE);
}

static void cancel_cascades(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t second = enqueue_behind(f, &first, 1, PX_WAIT_DONE);
  int64_t third = enqueue_behind(f, &second, 1, PX_WAIT_DONE);
  int64_t end = enqueue_behind(f, &third, 1, PX_WAIT_ENDED);
  by_hand(f, px_job_cancel, first);
  g_assert_cmpint(state_of(f, second), ==, PX_STATE_CANCELLED);
  g_autoptr(PxJob) job = px_job_get(f->db, third, NULL);
  g_assert_cmpint(job->state, ==, PX_STATE_CANCELLED);
  g_assert_nonnull(strstr(job->error, "cancelled"));
  run(f, end, PX_STATE_DONE);
}

static void end_runs_after_failed_and_cancelled_ones(Fixture *f, gconstpointer data) {
  const int64_t needs[] = {enqueue(f, NULL, NULL, 1, 0), enqueue(f, NULL, NULL, 2, 0), enqueue(f, NULL, NULL, 3, 0)};
  int64_t end = enqueue_behind(f, needs, 3, PX_WAIT_ENDED);
  run(f, needs[0], PX_STATE_FAILED);
  run(f, needs[1], PX_STATE_DONE);
  g_assert_cmpint(state_of(f, end), ==, PX_STATE_WAITING);
  by_hand(f, px_job_cancel, needs[2]);
  run(f, end, PX_STATE_DONE);
}

static void end_runs_again_behind_a_retried_need(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t end = enqueue_behind(f, &first, 1, PX_WAIT_ENDED);
  run(f, first, PX_STATE_FAILED);
  run(f, end, PX_STATE_DONE);
  by_hand(f, px_job_again, first);
  g_assert_cmpint(state_of(f, end), ==, PX_STATE_WAITING);
  run(f, first, PX_STATE_DONE);
  run(f, end, PX_STATE_DONE);
}

static void need_is_not_retried_while_its_end_runs(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t end = enqueue_behind(f, &first, 1, PX_WAIT_ENDED);
  run(f, first, PX_STATE_FAILED);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->id, ==, end);
  g_autoptr(GError) error = NULL;
  begin(f);
  g_assert_false(px_job_again(f->db, first, NOW, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  px_db_rollback(f->db);
}

static void cancelled_one_waits_again_when_it_is_retried(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t last = enqueue_behind(f, &first, 1, PX_WAIT_DONE);
  by_hand(f, px_job_cancel, last);
  by_hand(f, px_job_again, last);
  g_assert_cmpint(state_of(f, last), ==, PX_STATE_WAITING);
  run(f, first, PX_STATE_DONE);
  run(f, last, PX_STATE_DONE);
}

static void started_one_takes_no_needs(Fixture *f, gconstpointer data) {
  (void)enqueue(f, NULL, NULL, 10, 0);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  int64_t other = enqueue(f, NULL, NULL, 10, 0);
  g_autoptr(GError) error = NULL;
  begin(f);
  g_assert_false(px_job_wait(f->db, job, other, PX_WAIT_DONE, NOW, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  g_clear_error(&error);
  g_assert_false(px_job_wait(f->db, job, 99, PX_WAIT_DONE, NOW, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_NOT_FOUND);
  px_db_rollback(f->db);
}

/* A dead worker's job counts as neither. */
static void a_need_that_died_still_holds(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  int64_t end = enqueue_behind(f, &first, 1, PX_WAIT_ENDED);
  PxWorker *own = f->worker;
  f->worker = px_worker_open(f->db, NULL);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  px_worker_close(f->worker);
  f->worker = own;
  run(f, first, PX_STATE_DONE);
  run(f, end, PX_STATE_DONE);
}

/* The end of one of many must not look at the others. */
static void thousands_are_awaited_cheaply(Fixture *f, gconstpointer data) {
  enum { N = 2000 };
  g_autoptr(PxJob) end = px_job_new("finish", "root.pattern.import", NULL);
  begin(f);
  g_assert_true(px_job_enqueue(f->db, end, NOW, NULL));
  for (int i = 0; i < N; i++) {
    g_autoptr(PxJob) chunk = px_job_new("chunk", "root.pattern.import", NULL);
    g_assert_true(px_job_enqueue(f->db, chunk, NOW, NULL) && px_job_wait(f->db, end, chunk->id, PX_WAIT_ENDED, NOW, NULL));
  }
  commit(f);
  begin(f);
  for (int64_t id = end->id + 1; id <= end->id + N; id++) {
    g_assert_cmpint(state_of(f, end->id), ==, PX_STATE_WAITING);
    g_assert_true(px_job_set_done(f->db, id, NOW, NULL));
  }
  commit(f);
  run(f, end->id, PX_STATE_DONE);
}

static void released_one_counts_nothing(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, NULL, NULL, 10, 0);
  g_autoptr(PxJob) old = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_release(f->db, old, NULL));
  commit(f);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->id, ==, id);
  g_assert_cmpint(job->retries + job->deaths, ==, 0);
  begin(f);
  g_assert_true(px_job_release(f->db, old, NULL)); /* it is the later attempt's by now */
  commit(f);
  g_assert_cmpint(state_of(f, id), ==, PX_STATE_STARTED);
}

void add_needs(void) {
  ADD("needs/runs_when_all_are_done", runs_when_all_needs_are_done);
  ADD("needs/that_have_ended_hold_nothing", needs_that_have_ended_hold_nothing);
  ADD("needs/that_has_failed_holds_and_is_told", need_that_has_failed_holds_and_is_told);
  ADD("needs/that_was_cancelled_cancels", need_that_was_cancelled_cancels);
  ADD("needs/added_later_cancels_too", need_added_later_cancels_too);
  ADD("needs/retried_one_does_not_wait_for_a_cancelled_one", retried_one_does_not_wait_for_a_cancelled_need);
  ADD("needs/all_count_when_a_cancelled_one_is_retried", all_needs_count_when_one_that_was_cancelled_is_retried);
  ADD("needs/failed_one_holds_until_it_is_done", failed_need_holds_until_it_is_done);
  ADD("needs/set_done_releases", set_done_releases);
  ADD("needs/cancel_cascades", cancel_cascades);
  ADD("needs/end_runs_after_failed_and_cancelled_ones", end_runs_after_failed_and_cancelled_ones);
  ADD("needs/end_runs_again_behind_a_retried_one", end_runs_again_behind_a_retried_need);
  ADD("needs/not_retried_while_its_end_runs", need_is_not_retried_while_its_end_runs);
  ADD("needs/cancelled_waits_again_when_it_is_retried", cancelled_one_waits_again_when_it_is_retried);
  ADD("needs/started_takes_none", started_one_takes_no_needs);
  ADD("needs/one_that_died_still_holds", a_need_that_died_still_holds);
  ADD("needs/thousands_are_awaited_cheaply", thousands_are_awaited_cheaply);
  ADD("job/released_counts_nothing", released_one_counts_nothing);
}
