/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "queue/clean.h"
#include "suites.h"

#define DAY G_TIME_SPAN_DAY

static int64_t enqueue_in(Fixture *f, const char *kind, const char *channel) {
  g_autoptr(PxJob) job = px_job_new(kind, channel, NULL);
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  commit(f);
  return job->id;
}

static int64_t claimed(Fixture *f) {
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  return job ? job->id : 0;
}

static void workers_leave_notices_to_the_notifier(Fixture *f, gconstpointer data) {
  int64_t notice = enqueue_in(f, "notice", PX_CHANNEL_NOTICE);
  px_worker_claims(f->worker, PX_CLAIMS_WORK);
  g_assert_cmpint(claimed(f), ==, 0);
  int64_t fetch = enqueue_in(f, "fetch", "root.fetch");
  px_worker_claims(f->worker, PX_CLAIMS_NOTICES);
  g_assert_cmpint(claimed(f), ==, notice);
  g_assert_cmpint(claimed(f), ==, 0);
  px_worker_claims(f->worker, PX_CLAIMS_WORK);
  g_assert_cmpint(claimed(f), ==, fetch);
}

static void one_notice_runs_at_a_time(Fixture *f, gconstpointer data) {
  int64_t notice = enqueue_in(f, "notice", PX_CHANNEL_NOTICE);
  (void)enqueue_in(f, "notice", PX_CHANNEL_NOTICE);
  g_assert_cmpint(claimed(f), ==, notice);
  g_assert_cmpint(claimed(f), ==, 0);
  g_assert_cmpint(enqueue_in(f, "fetch", "root.fetch"), ==, claimed(f));
}

static PxNotice *add_notice(Fixture *f, bool mail, int64_t when) {
  PxNotice *notice = px_notice_new("task", "in", "broken");
  begin(f);
  g_assert_true(px_notice_add(f->db, notice, mail, when, NULL));
  commit(f);
  return notice;
}

static guint n_of_job(Fixture *f, int64_t job) {
  g_autoptr(GPtrArray) all = px_notice_of_job_id(f->db, job, NULL);
  return all->len;
}

static void collect(Fixture *f, int64_t job) {
  begin(f);
  g_assert_true(px_notice_collect(f->db, "in", job, NULL));
  commit(f);
}

static void mail_has_the_same_at_every_try(Fixture *f, gconstpointer data) {
  g_autoptr(PxNotice) one = add_notice(f, true, NOW);
  collect(f, 7);
  g_autoptr(PxNotice) other = add_notice(f, true, NOW);
  collect(f, 7);
  g_assert_cmpuint(n_of_job(f, 7), ==, 1);
  bool waits;
  g_assert_true(px_notice_waits(f->db, "in", &waits, NULL) && waits);
  begin(f);
  g_assert_true(px_notice_mailed(f->db, "in", 7, NOW, NULL));
  commit(f);
  g_assert_cmpuint(n_of_job(f, 7), ==, 0);
  collect(f, 8);
  g_assert_cmpuint(n_of_job(f, 8), ==, 1);
}

static void old_ones_go_when_their_jobs_are_gone(Fixture *f, gconstpointer data) {
  int64_t job = enqueue_in(f, "notice", PX_CHANNEL_NOTICE);
  g_autoptr(PxNotice) waits = add_notice(f, true, NOW - 2 * DAY);
  g_autoptr(PxNotice) has_job = add_notice(f, false, NOW - 2 * DAY);
  g_autoptr(PxNotice) has_none = add_notice(f, false, NOW - 2 * DAY);
  begin(f);
  g_assert_true(px_notice_by_webhook(f->db, has_job->id, job, NULL));
  g_assert_true(px_notice_by_webhook(f->db, has_none->id, job + 1, NULL));
  g_assert_true(px_clean_notices(f->db, NOW - DAY, NULL));
  commit(f);
  g_assert_cmpuint(n_of_job(f, job), ==, 1);
  g_assert_cmpuint(n_of_job(f, job + 1), ==, 0);
  collect(f, job);
  g_assert_cmpuint(n_of_job(f, job), ==, 2);
}

void add_notices(void) {
  ADD("notice/workers_leave_notices_to_the_notifier", workers_leave_notices_to_the_notifier);
  ADD("notice/one_notice_runs_at_a_time", one_notice_runs_at_a_time);
  ADD("notice/mail_has_the_same_at_every_try", mail_has_the_same_at_every_try);
  ADD("notice/old_ones_go_when_their_jobs_are_gone", old_ones_go_when_their_jobs_are_gone);
}
