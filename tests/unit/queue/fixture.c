/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <glib/gstdio.h>

void begin(Fixture *f) {
  g_assert_true(px_db_begin(f->db, PX_TX_WRITE, NULL));
}

void commit(Fixture *f) {
  g_autoptr(GError) error = NULL;
  bool done = px_db_commit(f->db, &error);
  g_assert_no_error(error);
  g_assert_true(done);
}

PxDb *open_other(const Fixture *f) {
  g_autoptr(GError) error = NULL;
  PxDb *db = px_db_open(&(PxDbOptions){.url = f->url, .create = true}, &error);
  g_assert_no_error(error);
  return db;
}

void set_up(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  if (data == OVER_POSTGRES) {
    f->url = px_test_postgres_new();
  } else {
    f->directory = g_dir_make_tmp("px-queue-XXXXXX", NULL);
    f->url = g_strdup_printf("sqlite:%s/q.db", f->directory);
  }
  f->db = open_other(f);
  g_assert_true(px_db_migrate(f->db, &error));
  f->worker = px_worker_open(f->db, &error);
  g_assert_no_error(error);
}

void tear_down(Fixture *f, gconstpointer data) {
  px_worker_close(f->worker);
  px_db_close(f->db);
  if (!f->directory) {
    px_test_postgres_drop(f->url);
    return;
  }
  g_autoptr(GDir) entries = g_dir_open(f->directory, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(entries))) {
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    (void)g_unlink(path);
  }
  (void)g_rmdir(f->directory);
  g_free(f->url);
  g_free(f->directory);
}

int64_t enqueue(Fixture *f, const char *task, const char *identity, int64_t priority, int64_t eta) {
  g_autoptr(PxJob) job = px_job_new("fetch", "root.fetch", task);
  job->identity = g_strdup(identity);
  job->priority = priority;
  job->eta = eta;
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  commit(f);
  return job->id;
}

PxJob *claim(Fixture *f, const char *const *tasks, int64_t now) {
  g_autoptr(GError) error = NULL;
  PxJob *job = NULL;
  g_assert_true(px_job_claim(f->db, f->worker, tasks, now, &job, &error));
  g_assert_no_error(error);
  return job;
}
