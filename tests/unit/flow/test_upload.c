/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that are done together: each ends by itself. */
#include "suites.h"

#include "storage/storage.h"

#include <unistd.h>

#define N 6
#define JOBS "SELECT count(*) FROM pattimpex_job WHERE kind = 'upload'"

/* Writes a file into the filestore, and its attachment and job. */
static void queue(const Fixture *f, const char *storage, const char *name, size_t size) {
  g_autoptr(GError) error = NULL;
  PxBlob blob;
  int fd;
  g_autofree char *text = g_strnfill(size, *name);
  g_autoptr(PxNewBlob) new = px_filestore_begin(f->project->filestore, &fd, &error);
  g_assert_cmpint(write(fd, text, size), ==, (gssize)size);
  g_assert_true(px_filestore_commit(g_steal_pointer(&new), &blob, &error));
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_EXPORT, name);
  attachment->storage = g_strdup(storage);
  attachment->path = g_strdup("out");
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  attachment->on_exists = PX_EXISTS_FAIL;
  g_assert_true(px_db_begin(f->project->db, PX_TX_WRITE, &error));
  bool ok = px_attachment_add(f->project->db, attachment, f->now, &error) && px_work_enqueue_attachment(f->project, attachment, f->now, &error);
  g_assert_true(px_transaction_end(f->project->db, ok, &error));
}

static void queue_all(const Fixture *f) {
  for (unsigned i = 0; i < N; i++) {
    g_autofree char *name = g_strdup_printf("%u.csv", i);
    queue(f, "drop", name, 10 + i);
  }
}

/* What happened, in its order: "+ID" a job begins, "=ID" it is told of. */
typedef struct {
  Fixture *f;
  GString *log;
} Told;

static void note_begin(const PxJob *job, void *data) {
  g_string_append_printf(((Told *)data)->log, "+%" G_GINT64_FORMAT " ", job->id);
}

static void note_end(const PxJobReport *report, void *data) {
  g_string_append_printf(((Told *)data)->log, "=%" G_GINT64_FORMAT "%s ", report->job->id, report->state == PX_STATE_DONE ? "" : "!");
}

/* Until nothing is due; what was told, caller frees. */
static char *work(Fixture *f, PxProgressFunc progress) {
  g_autoptr(PxWorker) worker = px_worker_open(f->project->db, NULL);
  Told told = {.f = f, .log = g_string_new(NULL)};
  const PxRunOptions options = {.claimed = note_begin, .report = note_end, .progress = progress, .data = &told};
  bool ran = true;
  px_worker_batch(worker, px_work_batch_of);
  g_autoptr(PxRunner) runner = px_runner_new(f->project, worker, &options);
  while (ran && !px_project_stopped(f->project, NULL))
    g_assert_true(px_runner_next(runner, &ran, NULL));
  g_assert_true(px_runner_end(runner, NULL));
  return g_string_free(told.log, FALSE);
}

static void go_together(Fixture *f, gconstpointer data) {
  queue_all(f);
  g_autofree char *told = work(f, NULL);
  g_assert_cmpstr(told, ==, "+1 +2 +3 +4 +5 +6 =1 =2 =3 =4 =5 =6 ");
  g_autofree char *text = fixture_read(f, "drop/out/5.csv");
  g_assert_cmpstr(text, ==, "555555555555555");
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'done'"), ==, N);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE state = 'done' AND moved_to LIKE 'out/%.csv'"), ==, N);
  g_assert_cmpint(fixture_ask(f, "SELECT sum(n) FROM pattimpex_counter WHERE subject = 'sent'"), ==, N);
  g_assert_cmpint(fixture_ask(f, "SELECT sum(amount) FROM pattimpex_counter WHERE subject = 'sent'"), ==, 10 + 11 + 12 + 13 + 14 + 15);
}

static void one_fails_alone(Fixture *f, gconstpointer data) {
  g_autofree char *out = fixture_path(f, "drop/out");
  g_assert_cmpint(g_mkdir_with_parents(out, 0755), ==, 0);
  fixture_write(f, "drop/out/2.csv", "another", 60);
  queue_all(f);
  g_autofree char *told = work(f, NULL);
  g_assert_cmpstr(told, ==, "+1 +2 +3 +4 +5 +6 =1 =2 =3! =4 =5 =6 ");
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'done'"), ==, N - 1);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'failed' AND error LIKE '%out/2.csv: there is a file of that name already'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE state = 'failed' AND name = '2.csv'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT sum(n) FROM pattimpex_counter WHERE subject = 'storage_error'"), ==, 1);
}

/* Other storages, large files and files whose job saw a worker die are not kept from other workers, and go by themselves. */
static void others_do_not_wait(Fixture *f, gconstpointer data) {
  queue(f, "drop", "a", 10);
  queue(f, "gone", "b", 10);
  queue(f, "drop", "c", 5000000);
  queue(f, "drop", "d", 10);
  queue(f, "drop", "e", 10);
  fixture_exec(f, "UPDATE pattimpex_job SET deaths = 1 WHERE id = 4");
  g_autofree char *told = work(f, NULL);
  g_assert_cmpstr(told, ==, "+1 +5 =1 =5 +2 =2! +3 =3 +4 =4 ");
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'done'"), ==, 4);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'pending' AND retries = 1"), ==, 1);
}

static void take_the_third_away(const PxProgress *progress, void *data) {
  const Told *told = data;
  if (g_str_equal(progress->name, "2.csv"))
    fixture_exec(told->f, "UPDATE pattimpex_job SET attempt = attempt + 1 WHERE id = 3");
}

static void fenced_one_is_left_alone(Fixture *f, gconstpointer data) {
  queue_all(f);
  g_autofree char *told = work(f, take_the_third_away);
  g_assert_cmpstr(told, ==, "+1 +2 +3 +4 +5 +6 =1 =2 =3! =4 =5 =6 ");
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'done'"), ==, N - 1);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'started' AND id = 3"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT sum(n) FROM pattimpex_counter WHERE subject = 'sent'"), ==, N - 1);
}

static volatile sig_atomic_t stop;

static void stop_at_third(const PxProgress *progress, void *data) {
  stop = stop || g_str_equal(progress->name, "2.csv");
}

/* Nobody is to blame: the jobs are as they were. */
static void stopped_ones_go_back(Fixture *f, gconstpointer data) {
  queue_all(f);
  stop = 0;
  f->project->stop = &stop;
  g_autofree char *told = work(f, stop_at_third);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'pending' AND retries = 0 AND deaths = 0"), ==, N);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_counter WHERE subject = 'storage_error'"), ==, 0);
  f->project->stop = NULL;
  g_autofree char *rest = work(f, NULL);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'done'"), ==, N);
}

/* Their common transaction is refused: each is tried by itself, where it is told. */
static void refused_together_end_alone(Fixture *f, gconstpointer data) {
  queue_all(f);
  fixture_exec(f, "CREATE TRIGGER no_third BEFORE UPDATE OF state ON pattimpex_attachment WHEN NEW.name = '2.csv' AND NEW.state = 'done' "
                  "BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  g_autofree char *told = work(f, NULL);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state = 'done'"), ==, N - 1);
  g_assert_cmpint(fixture_ask(f, JOBS " AND state <> 'done' AND error LIKE '%not this one%'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT sum(n) FROM pattimpex_counter WHERE subject = 'sent'"), ==, N - 1);
  for (unsigned i = 0; i < N; i++) {
    g_autofree char *place = g_strdup_printf("drop/out/%u.csv", i);
    g_assert_true(fixture_exists(f, place));
  }
}

void add_upload_tests(void) {
#define ADD_SQLITE(function) g_test_add("/flow/upload/sqlite/" #function, Fixture, NULL, fixture_set_up, function, fixture_tear_down)
#define ADD_POSTGRES(function) g_test_add("/flow/upload/postgres/" #function, Fixture, NULL, fixture_set_up_postgres, function, fixture_tear_down)
#define ADD(function)                                                                                                                                \
  do {                                                                                                                                               \
    ADD_SQLITE(function);                                                                                                                            \
    ADD_POSTGRES(function);                                                                                                                          \
  } while (0)
  ADD(go_together);
  ADD(one_fails_alone);
  ADD(others_do_not_wait);
  ADD(fenced_one_is_left_alone);
  ADD(stopped_ones_go_back);
  ADD_SQLITE(refused_together_end_alone);
#undef ADD
#undef ADD_POSTGRES
#undef ADD_SQLITE
}
