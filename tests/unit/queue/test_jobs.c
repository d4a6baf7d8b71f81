/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "suites.h"

static void claims_by_priority_then_eta(Fixture *f, gconstpointer data) {
  int64_t late = enqueue(f, "a", NULL, 20, NOW - 5);
  int64_t second = enqueue(f, "b", NULL, 10, NOW);
  int64_t first = enqueue(f, "c", NULL, 10, NOW - 1);
  (void)enqueue(f, "d", NULL, 1, NOW + 1);
  const int64_t expected[] = {first, second, late};
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autoptr(PxJob) job = claim(f, NULL, NOW);
    g_assert_cmpint(job->id, ==, expected[i]);
    g_assert_cmpint(job->attempt, ==, 1);
    g_assert_cmpint(job->state, ==, PX_STATE_STARTED);
  }
  g_assert_null(claim(f, NULL, NOW));
}

static void claims_only_named_tasks(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, 0);
  int64_t wanted = enqueue(f, "b", NULL, 10, 0);
  const char *const tasks[] = {"x", "b", NULL};
  g_autoptr(PxJob) job = claim(f, tasks, NOW);
  g_assert_cmpint(job->id, ==, wanted);
  g_assert_null(claim(f, tasks, NOW));
}

static void identity_holds_back_a_second_job(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, "a", "fetch:a", 10, NOW + 1000);
  g_assert_cmpint(enqueue(f, "a", "fetch:a", 10, NOW), ==, first);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->id, ==, first); /* brought forward */
  g_assert_cmpint(enqueue(f, "a", "fetch:a", 10, NOW), ==, first);
  begin(f);
  g_assert_true(px_job_done(f->db, job, NOW, NULL));
  commit(f);
  g_assert_cmpint(enqueue(f, "a", "fetch:a", 10, NOW), !=, first);
}

static void fence_stops_an_older_attempt(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) old = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_fence(f->db, old, NULL));
  g_assert_true(px_job_later(f->db, old, NOW, "busy", NOW, NULL));
  commit(f);
  g_autoptr(PxJob) fresh = claim(f, NULL, NOW);
  g_assert_cmpint(fresh->id, ==, old->id);
  g_assert_cmpint(fresh->retries, ==, 1);
  begin(f);
  g_autoptr(GError) error = NULL;
  g_assert_false(px_job_fence(f->db, old, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_FENCED);
  g_assert_true(px_job_fence(f->db, fresh, NULL));
  commit(f);
}

/* Another worker takes the job and dies. */
static int64_t die_with_a_job(Fixture *f) {
  PxWorker *own = f->worker;
  f->worker = px_worker_open(f->db, NULL);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  px_worker_close(f->worker); /* its lock is free */
  f->worker = own;
  return job ? job->id : 0;
}

static void job_of_a_living_worker_is_left_alone(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxWorker) other = px_worker_open(f->db, NULL);
  PxWorker *own = f->worker;
  f->worker = other;
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  f->worker = own;
  g_assert_nonnull(job);
  g_assert_null(claim(f, NULL, NOW));
}

static void job_of_a_dead_worker_is_free_then_fails(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  g_assert_cmpint(die_with_a_job(f), ==, id);
  g_assert_cmpint(die_with_a_job(f), ==, id);
  g_assert_null(claim(f, NULL, NOW));
  g_autoptr(PxJob) job = px_job_get(f->db, id, NULL);
  g_assert_cmpint(job->state, ==, PX_STATE_FAILED);
  g_assert_nonnull(strstr(job->error, "died while at this job (fetch) (2 times)"));
}

/* The fixture's worker is killed: its file stays, unlocked. */
static void die(Fixture *f, PxWorker *next) {
  g_autofree char *path = g_strdup(px_worker_file(f->worker));
  g_autofree char *words = NULL;
  gsize size;
  g_assert_true(g_file_get_contents(path, &words, &size, NULL));
  px_worker_close(f->worker);
  g_assert_true(g_file_set_contents(path, words, (gssize)size, NULL));
  f->worker = next;
}

static void death_tells_what_was_done(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  for (int i = 0; i < 2; i++) {
    PxWorker *own = f->worker;
    f->worker = px_worker_open(f->db, NULL);
    g_autoptr(PxJob) job = claim(f, NULL, NOW);
    g_assert_cmpint(job->id, ==, id);
    px_worker_doing(f->worker, id, "importing orders.csv, rows 2001-3000");
    px_worker_mark_signal(f->worker, 11);
    die(f, own);
  }
  g_assert_null(claim(f, NULL, NOW));
  g_autoptr(PxJob) job = px_job_get(f->db, id, NULL);
  g_assert_cmpint(job->state, ==, PX_STATE_FAILED);
  g_assert_cmpstr(job->error, ==, "worker died (signal 11) while importing orders.csv, rows 2001-3000 (2 times)");
}

static void death_counts_only_for_the_running_job(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, "a", NULL, 10, 0);
  int64_t second = enqueue(f, "a", NULL, 10, 0);
  PxWorker *own = f->worker;
  f->worker = px_worker_open(f->db, NULL);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  g_autoptr(PxJob) two = claim(f, NULL, NOW);
  px_worker_doing(f->worker, second, NULL);
  die(f, own);
  g_autoptr(PxJob) again = claim(f, NULL, NOW);
  g_assert_cmpint(again->id, ==, first);
  g_assert_cmpint(again->deaths, ==, 0);
  g_autoptr(PxJob) blamed = px_job_get(f->db, second, NULL);
  g_assert_cmpint(blamed->deaths, ==, 1);
}

static unsigned three_at_once(const char *kind) {
  return 3;
}

static void batch_is_handed_out_one_by_one(Fixture *f, gconstpointer data) {
  g_autoptr(PxWorker) other = px_worker_open(f->db, NULL);
  px_worker_batch(f->worker, three_at_once);
  const int64_t ids[] = {enqueue(f, "a", NULL, 10, 0), enqueue(f, "a", NULL, 10, 0), enqueue(f, "a", NULL, 10, 0), enqueue(f, "a", NULL, 10, 0)};
  int64_t better = enqueue(f, "a", NULL, 20, 0); /* another priority: not in the batch */
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  g_assert_cmpint(one->id, ==, ids[0]);
  PxWorker *own = f->worker;
  f->worker = other;
  g_autoptr(PxJob) four = claim(f, NULL, NOW);
  g_assert_cmpint(four->id, ==, ids[3]);
  g_autoptr(PxJob) five = claim(f, NULL, NOW);
  g_assert_cmpint(five->id, ==, better);
  g_assert_null(claim(f, NULL, NOW));
  f->worker = own;
  g_autoptr(PxJob) two = claim(f, NULL, NOW);
  g_assert_cmpint(two->id, ==, ids[1]);
  g_assert_true(px_job_release_held(f->db, f->worker, NULL));
  px_worker_batch(f->worker, NULL);
  g_autoptr(PxJob) three = claim(f, NULL, NOW);
  g_assert_cmpint(three->id, ==, ids[2]);
  g_assert_cmpint(three->deaths + three->retries, ==, 0);
}

static void rest_of_a_batch_survives_a_death(Fixture *f, gconstpointer data) {
  const int64_t ids[] = {enqueue(f, "a", NULL, 10, 0), enqueue(f, "a", NULL, 10, 0), enqueue(f, "a", NULL, 10, 0)};
  for (int i = 0; i < 2; i++) {
    PxWorker *own = f->worker;
    f->worker = px_worker_open(f->db, NULL);
    px_worker_batch(f->worker, three_at_once);
    g_autoptr(PxJob) job = claim(f, NULL, NOW);
    g_assert_cmpint(job->id, ==, ids[0]);
    px_worker_doing(f->worker, job->id, NULL);
    die(f, own);
  }
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->id, ==, ids[1]);
  g_assert_cmpint(job->deaths, ==, 0);
  g_autoptr(PxJob) failed = px_job_get(f->db, ids[0], NULL);
  g_assert_cmpint(failed->state, ==, PX_STATE_FAILED);
}

static void progress_forgives_deaths(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  g_assert_cmpint(die_with_a_job(f), ==, id);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->deaths, ==, 1);
  begin(f);
  g_assert_true(px_job_progress(f->db, job, NULL));
  commit(f);
  g_autoptr(PxJob) stored = px_job_get(f->db, id, NULL);
  g_assert_cmpint(stored->deaths, ==, 0);
}

static void killed_idle_worker_leaves_no_file(Fixture *f, gconstpointer data) {
  g_autofree char *left = g_strconcat(px_db_path(f->db), "-worker-1-00000000", NULL);
  g_assert_true(g_file_set_contents(left, "", 0, NULL));
  g_autoptr(PxWorker) other = px_worker_open(f->db, NULL);
  g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
  g_assert_true(g_file_test(px_worker_file(f->worker), G_FILE_TEST_EXISTS));
}

static void left_jobs_are_counted_by_task(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, NOW + 7);
  (void)enqueue(f, "b", NULL, 10, 0);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_fail(f->db, job, "broken", NOW, NULL));
  commit(f);
  PxJobsLeft left;
  g_assert_true(px_jobs_left(f->db, NULL, NOW, &left, NULL));
  g_assert_cmpuint(left.pending, ==, 1);
  g_assert_cmpint(left.next_eta, ==, NOW + 7);
  g_assert_cmpuint(left.failed, ==, 1);
  const char *const tasks[] = {"b", NULL};
  g_assert_true(px_jobs_left(f->db, tasks, NOW, &left, NULL));
  g_assert_cmpuint(left.pending, ==, 0);
}

static void by_hand_only_what_the_state_allows(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  int64_t id = enqueue(f, "a", "fetch:a", 10, 0);
  begin(f);
  g_assert_false(px_job_again(f->db, id, NOW, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  g_clear_error(&error);
  g_assert_true(px_job_cancel(f->db, id, NOW, NULL));
  g_assert_true(px_job_again(f->db, id, NOW, NULL));
  g_assert_false(px_job_cancel(f->db, 99, NOW, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_NOT_FOUND);
  commit(f);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  g_assert_cmpint(job->id, ==, id);
}

void add_jobs(void) {
  ADD("job/claims_by_priority_then_eta", claims_by_priority_then_eta);
  ADD("job/claims_only_named_tasks", claims_only_named_tasks);
  ADD("job/identity_holds_back_a_second_job", identity_holds_back_a_second_job);
  ADD("job/fence_stops_an_older_attempt", fence_stops_an_older_attempt);
  ADD("job/of_a_living_worker_is_left_alone", job_of_a_living_worker_is_left_alone);
  ADD("job/of_a_dead_worker_is_free_then_fails", job_of_a_dead_worker_is_free_then_fails);
  ADD("job/death_tells_what_was_done", death_tells_what_was_done);
  ADD("job/death_counts_only_for_the_running_one", death_counts_only_for_the_running_job);
  ADD("job/batch_is_handed_out_one_by_one", batch_is_handed_out_one_by_one);
  ADD("job/rest_of_a_batch_survives_a_death", rest_of_a_batch_survives_a_death);
  ADD("job/progress_forgives_deaths", progress_forgives_deaths);
  ADD("job/left_ones_are_counted_by_task", left_jobs_are_counted_by_task);
  ADD("job/by_hand_only_what_the_state_allows", by_hand_only_what_the_state_allows);
  ADD("worker/killed_when_idle_leaves_no_file", killed_idle_worker_leaves_no_file);
}
