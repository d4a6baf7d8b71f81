/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/counters.h"

#include "fixture.h"
#include "suites.h"

static const PxCount *find(const GPtrArray *counts, PxCounter what, const char *kind, const char *task, const char *outcome) {
  for (guint i = 0; i < counts->len; i++) {
    const PxCount *one = counts->pdata[i];
    if (one->what == what && !strcmp(one->kind, kind) && !strcmp(one->task, task) && !strcmp(one->outcome, outcome))
      return one;
  }
  g_error("nothing is counted as %s %s %s", kind, task, outcome);
}

static GPtrArray *list(Fixture *f) {
  g_autoptr(GError) error = NULL;
  GPtrArray *counts = px_counter_list(f->db, &error);
  g_assert_no_error(error);
  return counts;
}

static void add(Fixture *f, uint64_t n, uint64_t amount) {
  g_assert_true(px_counter_add(f->db, PX_COUNT_SENT, "drop", "out", NULL, n, amount, NULL));
}

static void counts_are_added_up(Fixture *f, gconstpointer data) {
  begin(f);
  add(f, 1, 100);
  add(f, 2, 5);
  add(f, 0, 7);
  commit(f);
  g_autoptr(GPtrArray) counts = list(f);
  const PxCount *sent = find(counts, PX_COUNT_SENT, "drop", "out", "");
  g_assert_cmpuint(sent->n, ==, 3);
  g_assert_cmpuint(sent->amount, ==, 105);
}

static void what_is_rolled_back_is_not_counted(Fixture *f, gconstpointer data) {
  begin(f);
  add(f, 1, 1);
  px_db_rollback(f->db);
  g_autoptr(GPtrArray) counts = list(f);
  g_assert_cmpuint(counts->len, ==, 0);
}

static void end_job(Fixture *f, int64_t took, bool fails) {
  (void)enqueue(f, "a", NULL, 10, NOW - 5);
  g_autoptr(PxJob) job = claim(f, NULL, NOW + 2 * G_USEC_PER_SEC);
  int64_t now = job->started + took;
  begin(f);
  g_assert_true(fails ? px_job_fail(f->db, job, "broken", now, NULL) : px_job_done(f->db, job, now, NULL));
  commit(f);
}

static void jobs_are_counted_with_their_durations(Fixture *f, gconstpointer data) {
  end_job(f, 100000, false);
  end_job(f, 100001, false);
  end_job(f, 2 * G_TIME_SPAN_HOUR, true);
  g_autoptr(GPtrArray) counts = list(f);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB, "fetch", "a", "done")->n, ==, 2);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB, "fetch", "a", "done")->amount, ==, 200001);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB, "fetch", "a", "failed")->n, ==, 1);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB_TIME, "fetch", "", "0.1")->n, ==, 1);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB_TIME, "fetch", "", "1")->n, ==, 1);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB_TIME, "fetch", "", "+Inf")->n, ==, 1);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB_WAIT, "fetch", "", "")->n, ==, 3);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB_WAIT, "fetch", "", "")->amount, ==, 3 * 2 * G_USEC_PER_SEC);
}

static void clock_that_is_put_back_takes_nothing_away(Fixture *f, gconstpointer data) {
  end_job(f, -5 * G_USEC_PER_SEC, false);
  g_autoptr(GPtrArray) counts = list(f);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB, "fetch", "a", "done")->amount, ==, 0);
  g_assert_cmpuint(find(counts, PX_COUNT_JOB_TIME, "fetch", "", "0.1")->n, ==, 1);
}

static void what_no_worker_ended_is_not_counted(Fixture *f, gconstpointer data) {
  int64_t one = enqueue(f, "a", NULL, 10, NOW);
  int64_t other = enqueue(f, "a", NULL, 10, NOW);
  begin(f);
  g_assert_true(px_job_cancel(f->db, one, NOW, NULL));
  g_assert_true(px_job_set_done(f->db, other, NOW, NULL));
  commit(f);
  g_autoptr(GPtrArray) counts = list(f);
  g_assert_cmpuint(counts->len, ==, 0);
}

static void tries_are_counted(Fixture *f, gconstpointer data) {
  (void)enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_later(f->db, job, NOW + 5, "does not answer", NOW, NULL));
  commit(f);
  g_autoptr(GPtrArray) counts = list(f);
  g_assert_cmpuint(counts->len, ==, 1);
  g_assert_cmpuint(find(counts, PX_COUNT_RETRY, "fetch", "a", "")->n, ==, 1);
}

void add_counters(void) {
  ADD("counters/counts_are_added_up", counts_are_added_up);
  ADD("counters/what_is_rolled_back_is_not_counted", what_is_rolled_back_is_not_counted);
  ADD("counters/jobs_are_counted_with_their_durations", jobs_are_counted_with_their_durations);
  ADD("counters/clock_that_is_put_back_takes_nothing_away", clock_that_is_put_back_takes_nothing_away);
  ADD("counters/what_no_worker_ended_is_not_counted", what_no_worker_ended_is_not_counted);
  ADD("counters/tries_are_counted", tries_are_counted);
}
