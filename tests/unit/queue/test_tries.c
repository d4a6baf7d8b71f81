/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "suites.h"

static void later(Fixture *f, const char *why, int64_t now) {
  g_autoptr(PxJob) job = claim(f, NULL, now);
  begin(f);
  g_assert_true(px_job_later(f->db, job, now, why, now, NULL));
  commit(f);
}

static void failed_one_tells_all_its_tries(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  later(f, "the server does not answer", NOW);
  later(f, "no space left", NOW + 1);
  later(f, "the server does not answer", NOW + 2);
  g_autoptr(PxJob) pending = px_job_get(f->db, id, NULL);
  g_assert_cmpstr(pending->error, ==, "the server does not answer");
  g_autoptr(PxJob) job = claim(f, NULL, NOW + 3);
  begin(f);
  g_assert_true(px_job_fail(f->db, job, "no space left", NOW + 3, NULL));
  commit(f);
  g_autoptr(PxJob) failed = px_job_get(f->db, id, NULL);
  g_assert_cmpstr(failed->error, ==, "the server does not answer (2 times)\nno space left (2 times)");
  size_t n;
  g_autoptr(PxJobTry) tries = px_job_tries(failed, &n);
  g_assert_cmpuint(n, ==, 2);
  g_assert_cmpint(tries[1].first, ==, NOW + 1);
  g_assert_cmpint(tries[1].last, ==, NOW + 3);
}

static void failed_at_once_tells_only_why(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_fail(f->db, job, "broken", NOW, NULL));
  commit(f);
  g_autoptr(PxJob) failed = px_job_get(f->db, job->id, NULL);
  g_assert_cmpstr(failed->error, ==, "broken");
}

static void endless_tries_stay_few(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  for (int i = 0; i < 50; i++) {
    g_autofree char *why = g_strdup_printf("error %d", i);
    later(f, why, NOW);
  }
  g_autoptr(PxJob) job = px_job_get(f->db, id, NULL);
  size_t n;
  g_autoptr(PxJobTry) tries = px_job_tries(job, &n);
  g_assert_cmpuint(n, ==, 20);
  g_assert_cmpstr(tries[0].error, ==, "error 0");
  g_assert_cmpstr(tries[19].error, ==, "error 49");
}

static void renamed_task_takes_its_queued_job_along(Fixture *f, gconstpointer data) {
  int64_t id = enqueue(f, "old", "fetch:old", 10, NOW + 1000);
  begin(f);
  g_assert_true(px_history_rename(f->db, PX_HISTORY_TASK, "old", "new", NULL));
  commit(f);
  g_assert_cmpint(enqueue(f, "new", "fetch:new", 10, NOW), ==, id);
  (void)enqueue(f, "old", "fetch:old", 10, 0);
  begin(f); /* both have a job by now */
  g_assert_true(px_history_rename(f->db, PX_HISTORY_TASK, "old", "new", NULL));
  commit(f);
}

void add_tries(void) {
  ADD("tries/failed_one_tells_all", failed_one_tells_all_its_tries);
  ADD("tries/failed_at_once_tells_only_why", failed_at_once_tells_only_why);
  ADD("tries/endless_ones_stay_few", endless_tries_stay_few);
  ADD("history/renamed_task_takes_its_queued_job_along", renamed_task_takes_its_queued_job_along);
}
