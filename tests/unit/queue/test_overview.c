/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/overview.h"

#include "fixture.h"
#include "suites.h"

#include <unistd.h>

static void workers_are_seen_while_they_live(Fixture *f, gconstpointer data) {
  PxWorker *other = px_worker_open(f->db, NULL);
  px_worker_describe(f->worker, "worker 10");
  px_worker_describe(other, "worker 2");
  px_worker_doing(other, 7, "importing a.csv, rows 1-10");
  g_autoptr(GPtrArray) all = px_worker_list(f->db);
  g_assert_cmpuint(all->len, ==, 2);
  const PxWorkerSeen *first = all->pdata[0];
  const PxWorkerSeen *second = all->pdata[1];
  g_assert_cmpstr(first->what, ==, "worker 2");
  g_assert_cmpstr(first->name, ==, px_worker_name(other));
  g_assert_cmpint(first->job, ==, 7);
  g_assert_cmpstr(first->doing, ==, "importing a.csv, rows 1-10");
  g_assert_true(first->lives);
  g_assert_cmpint(first->pid, ==, getpid());
  g_assert_cmpstr(second->what, ==, "worker 10");
  g_assert_cmpint(second->job, ==, 0);
  px_worker_leave(other); /* its file stays, its lock is free */
  g_autoptr(GPtrArray) left = px_worker_list(f->db);
  g_assert_cmpuint(left->len, ==, 2);
  g_assert_false(((const PxWorkerSeen *)left->pdata[0])->lives);
}

static void workers_without_files_are_none(Fixture *f, gconstpointer data) {
  g_autoptr(PxDb) memory = px_db_open(&(PxDbOptions){.url = "sqlite::memory:"}, NULL);
  g_autoptr(GPtrArray) all = px_worker_list(memory);
  g_assert_cmpuint(all->len, ==, 0);
}

static const PxChannelTally *only_channel(Fixture *f, int64_t now, GPtrArray **ret_all) {
  g_autoptr(GError) error = NULL;
  *ret_all = px_channel_tallies(f->db, now, &error);
  g_assert_no_error(error);
  g_assert_cmpuint((*ret_all)->len, ==, 1);
  return (*ret_all)->pdata[0];
}

static void queue_is_counted_by_state(Fixture *f, gconstpointer data) {
  g_autoptr(GPtrArray) all = NULL;
  (void)enqueue(f, "a", NULL, 10, NOW - 5);
  (void)enqueue(f, "b", NULL, 20, NOW - 2);
  (void)enqueue(f, "c", NULL, 20, NOW + 5);
  g_autoptr(PxJob) started = claim(f, NULL, NOW);
  const PxChannelTally *tally = only_channel(f, NOW, &all);
  g_assert_cmpstr(tally->channel, ==, "root.fetch");
  g_assert_cmpuint(tally->started, ==, 1);
  g_assert_cmpuint(tally->due, ==, 1);
  g_assert_cmpuint(tally->later, ==, 1);
  g_assert_cmpint(tally->oldest_due, ==, NOW - 2);
  g_autoptr(GPtrArray) jobs = px_started_jobs(f->db, NULL);
  g_assert_cmpuint(jobs->len, ==, 1);
  const PxStartedJob *job = jobs->pdata[0];
  g_assert_cmpstr(job->owner, ==, px_worker_name(f->worker));
  g_assert_cmpint(job->started, ==, NOW);
  g_assert_null(job->file);
}

static void failures_are_counted_whatever_is_listed(Fixture *f, gconstpointer data) {
  for (int i = 0; i < 3; i++) {
    (void)enqueue(f, "a", NULL, 10, 0);
    g_autoptr(PxJob) job = claim(f, NULL, NOW);
    begin(f);
    g_assert_true(px_job_fail(f->db, job, "broken", NOW + i, NULL));
    commit(f);
  }
  uint64_t failed;
  uint64_t jobs;
  g_autoptr(GPtrArray) newest = px_failure_list(f->db, 0, 2, &failed, &jobs, NULL);
  g_assert_cmpuint(newest->len, ==, 2);
  g_assert_cmpuint(failed, ==, 3);
  g_assert_cmpuint(jobs, ==, 3);
  g_assert_cmpint(((const PxFailure *)newest->pdata[0])->at, ==, NOW + 2);
  g_autoptr(GPtrArray) late = px_failure_list(f->db, NOW + 1, 0, &failed, &jobs, NULL);
  g_assert_cmpuint(late->len, ==, 2);
  g_assert_cmpuint(failed, ==, 2);
}

void add_overview(void) {
  ADD("overview/workers_are_seen_while_they_live", workers_are_seen_while_they_live);
  ADD_SQLITE("overview/workers_without_files_are_none", workers_without_files_are_none);
  ADD("overview/queue_is_counted_by_state", queue_is_counted_by_state);
  ADD("overview/failures_are_counted_whatever_is_listed", failures_are_counted_whatever_is_listed);
}
