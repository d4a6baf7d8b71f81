/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/queue.h"

#include <glib/gstdio.h>

#define NOW G_GINT64_CONSTANT(1700000000000000)

typedef struct {
  char *directory;
  char *path;
  PxDb *db;
  PxWorker *worker;
} Fixture;

static void begin(Fixture *f) {
  g_assert_true(px_db_begin(f->db, PX_TX_WRITE, NULL));
}

static void commit(Fixture *f) {
  g_autoptr(GError) error = NULL;
  bool done = px_db_commit(f->db, &error);
  g_assert_no_error(error);
  g_assert_true(done);
}

static void set_up(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  f->directory = g_dir_make_tmp("px-queue-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "q.db", NULL);
  g_autofree char *url = g_strconcat("sqlite:", f->path, NULL);
  const PxDbOptions options = {.url = url, .create = true};
  f->db = px_db_open(&options, &error);
  g_assert_no_error(error);
  g_assert_true(px_db_migrate(f->db, &error));
  f->worker = px_worker_open(f->db, &error);
  g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer data) {
  px_worker_close(f->worker);
  px_db_close(f->db);
  g_autoptr(GDir) entries = g_dir_open(f->directory, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(entries))) {
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    (void)g_unlink(path);
  }
  (void)g_rmdir(f->directory);
  g_free(f->path);
  g_free(f->directory);
}

static int64_t enqueue(Fixture *f, const char *task, const char *identity, int64_t priority, int64_t eta) {
  g_autoptr(PxJob) job = px_job_new("fetch", "root.fetch", task);
  job->identity = g_strdup(identity);
  job->priority = priority;
  job->eta = eta;
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  commit(f);
  return job->id;
}

static PxJob *claim(Fixture *f, const char *const *tasks, int64_t now) {
  g_autoptr(GError) error = NULL;
  PxJob *job = NULL;
  g_assert_true(px_job_claim(f->db, f->worker, tasks, now, &job, &error));
  g_assert_no_error(error);
  return job;
}

/* ---- jobs */

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
  g_assert_true(px_job_later(f->db, old, NOW, "busy", NULL));
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
  g_assert_nonnull(strstr(job->error, "died 2 times"));
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
  g_autofree char *left = g_strconcat(f->path, "-worker-1-00000000", NULL);
  g_assert_true(g_file_set_contents(left, "", 0, NULL));
  g_autoptr(PxWorker) other = px_worker_open(f->db, NULL);
  g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
  g_autofree char *own = g_strconcat(f->path, "-worker-", px_worker_name(f->worker), NULL);
  g_assert_true(g_file_test(own, G_FILE_TEST_EXISTS));
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

/* ---- attachments */

static PxAttachment *add_attachment(Fixture *f, const char *name, const char *key, const char *sha256, GError **error) {
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->task = g_strdup("in");
  attachment->pattern = g_strdup("partner");
  attachment->remote_key = g_strdup(key);
  attachment->remote_action = key ? PX_REMOTE_PENDING : PX_REMOTE_NONE;
  attachment->sha256 = g_strdup(sha256);
  attachment->size = 5;
  begin(f);
  bool added = px_attachment_add(f->db, attachment, NOW, error);
  commit(f);
  return added ? g_steal_pointer(&attachment) : NULL;
}

static void same_remote_file_is_held_once(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxAttachment) first = add_attachment(f, "a.csv", "key", "s1", NULL);
  g_assert_null(add_attachment(f, "a.csv", "key", "s1", &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_EXISTS);
  g_autoptr(PxAttachment) other_bytes = add_attachment(f, "a.csv", "key", "s2", NULL);
  g_assert_nonnull(other_bytes);
  bool known;
  g_assert_true(px_attachment_known(f->db, "in", "key", &known, NULL));
  g_assert_true(known);
  g_clear_pointer(&first->remote_key, g_free);
  first->remote_action = PX_REMOTE_DONE;
  begin(f);
  g_assert_true(px_attachment_store_remote(f->db, first, NOW, NULL));
  commit(f);
  g_autoptr(PxAttachment) again = add_attachment(f, "a.csv", "key", "s1", NULL);
  g_assert_nonnull(again);
}

static void finds_names_and_contents(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) first = add_attachment(f, "a.csv", NULL, "s1", NULL);
  int64_t id;
  g_assert_true(px_attachment_find_name(f->db, "a.csv", "in", &id, NULL));
  g_assert_cmpint(id, ==, first->id);
  g_assert_true(px_attachment_find_name(f->db, "a.csv", "other", &id, NULL));
  g_assert_cmpint(id, ==, 0);
  g_assert_true(px_attachment_find_content(f->db, "s1", NULL, &id, NULL));
  g_assert_cmpint(id, ==, first->id);
}

static void waiting_ones_have_no_job(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) first = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxAttachment) second = add_attachment(f, "b.csv", NULL, "s2", NULL);
  g_autoptr(PxJob) job = px_job_new("import", "root", "in");
  job->attachment_id = first->id;
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  commit(f);
  g_autoptr(GPtrArray) waiting = px_attachment_waiting(f->db, "in", 0, NULL);
  g_assert_cmpuint(waiting->len, ==, 1);
  g_assert_cmpint(((const PxAttachment *)waiting->pdata[0])->id, ==, second->id);
}

/* ---- pattern files and chunks */

static PxPatternFile *add_file(Fixture *f, int64_t attachment_id) {
  PxPatternFile *file = px_file_new(PX_FILE_IMPORT, "partner");
  file->state = PX_STATE_STARTED;
  file->attachment_id = attachment_id;
  file->snapshot = g_strdup("{}");
  file->snapshot_hash = g_strdup("h");
  begin(f);
  g_assert_true(px_file_add(f->db, file, NOW, NULL));
  commit(f);
  return file;
}

static void failed_job_fails_its_file_and_attachment(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxPatternFile) file = add_file(f, attachment->id);
  g_autoptr(PxJob) job = px_job_new("import", "root", "in");
  job->attachment_id = attachment->id;
  job->file_id = file->id;
  begin(f);
  g_assert_true(px_job_enqueue_started(f->db, job, f->worker, NOW, NULL));
  g_assert_true(px_job_fail(f->db, job, "no disk", NOW, NULL));
  commit(f);
  g_autoptr(PxPatternFile) failed = px_file_get(f->db, file->id, NULL);
  g_assert_cmpint(failed->state, ==, PX_STATE_FAILED);
  g_assert_cmpstr(failed->error, ==, "no disk");
  g_assert_cmpstr(failed->name, ==, "a.csv");
  g_autoptr(PxAttachment) gone = px_attachment_get(f->db, attachment->id, NULL);
  g_assert_cmpint(gone->state, ==, PX_STATE_FAILED);
}

static void messages_come_back_in_the_order_of_rows(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxPatternFile) file = add_file(f, attachment->id);
  PxMessage bad = {.row = 3, .column = "a|b", .field = "A", .type = "conversion", .message = "\"x\" is no ü"};
  PxMessage worse = {.row = 9, .type = "check", .message = "no"};
  g_autoptr(GPtrArray) one = g_ptr_array_new();
  g_ptr_array_add(one, &bad);
  g_autoptr(GPtrArray) two = g_ptr_array_new();
  g_ptr_array_add(two, &worse);
  const PxChunk chunks[] = {{.file_id = file->id, .first_row = 2, .last_row = 4, .next_row = 5, .next_place = 77},
                            {.file_id = file->id, .first_row = 5, .last_row = 7, .next_row = 8, .next_place = 99},
                            {.file_id = file->id, .first_row = 8, .last_row = 9, .next_row = 10, .next_place = UINT64_MAX}};
  begin(f);
  g_assert_true(px_chunk_add(f->db, &chunks[0], one, NOW, NULL));
  g_assert_true(px_chunk_add(f->db, &chunks[1], NULL, NOW, NULL));
  g_assert_true(px_chunk_add(f->db, &chunks[2], two, NOW, NULL));
  commit(f);
  PxChunk last;
  bool found;
  g_assert_true(px_chunk_last(f->db, file->id, &last, &found, NULL));
  g_assert_true(found);
  g_assert_cmpuint(last.next_row, ==, 10);
  g_assert_true(last.next_place == UINT64_MAX);
  g_autoptr(PxFileMessages) messages = px_file_messages_open(f->db, file->id);
  const PxMessage *message;
  g_assert_cmpint(px_file_messages_next(messages, &message, NULL), ==, 1);
  g_assert_cmpuint(message->row, ==, 3);
  g_assert_cmpstr(message->column, ==, "a|b");
  g_assert_cmpstr(message->message, ==, "\"x\" is no ü");
  g_assert_cmpint(px_file_messages_next(messages, &message, NULL), ==, 1);
  g_assert_cmpuint(message->row, ==, 9);
  g_assert_null(message->column);
  g_assert_cmpint(px_file_messages_next(messages, &message, NULL), ==, 0);
}

/* ---- tasks and names */

static void task_state_is_kept_over_the_configuration(Fixture *f, gconstpointer data) {
  g_auto(PxTaskState) state = {0};
  g_assert_true(px_task_state_get(f->db, "in", &state, NULL));
  g_assert_cmpint(state.enabled, ==, PX_ENABLED_AS_CONFIGURED);
  begin(f);
  g_assert_true(px_task_state_enable(f->db, "in", PX_ENABLED_NO, NULL));
  g_assert_true(px_task_state_ran(f->db, "in", NOW, PX_STATE_FAILED, "gone", NULL));
  commit(f);
  g_assert_true(px_task_state_get(f->db, "in", &state, NULL));
  g_assert_cmpint(state.enabled, ==, PX_ENABLED_NO);
  g_assert_cmpint(state.last_run, ==, NOW);
  g_assert_cmpstr(state.last_error, ==, "gone");
}

static void history_moves_to_the_new_name(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  begin(f);
  g_assert_true(px_task_state_ran(f->db, "in", NOW, PX_STATE_DONE, NULL, NULL));
  g_assert_true(px_history_rename(f->db, PX_HISTORY_TASK, "in", "into", NULL));
  g_assert_true(px_history_rename(f->db, PX_HISTORY_PATTERN, "partner", "contact", NULL));
  commit(f);
  g_auto(GStrv) tasks = px_history_names(f->db, PX_HISTORY_TASK, NULL);
  g_assert_cmpuint(g_strv_length(tasks), ==, 1);
  g_assert_cmpstr(tasks[0], ==, "into");
  g_auto(GStrv) patterns = px_history_names(f->db, PX_HISTORY_PATTERN, NULL);
  g_assert_cmpstr(patterns[0], ==, "contact");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add("/queue/" path, Fixture, NULL, set_up, function, tear_down)
  ADD("job/claims_by_priority_then_eta", claims_by_priority_then_eta);
  ADD("job/claims_only_named_tasks", claims_only_named_tasks);
  ADD("job/identity_holds_back_a_second_job", identity_holds_back_a_second_job);
  ADD("job/fence_stops_an_older_attempt", fence_stops_an_older_attempt);
  ADD("job/of_a_living_worker_is_left_alone", job_of_a_living_worker_is_left_alone);
  ADD("job/of_a_dead_worker_is_free_then_fails", job_of_a_dead_worker_is_free_then_fails);
  ADD("job/progress_forgives_deaths", progress_forgives_deaths);
  ADD("job/left_ones_are_counted_by_task", left_jobs_are_counted_by_task);
  ADD("job/by_hand_only_what_the_state_allows", by_hand_only_what_the_state_allows);
  ADD("worker/killed_when_idle_leaves_no_file", killed_idle_worker_leaves_no_file);
  ADD("attachment/same_remote_file_is_held_once", same_remote_file_is_held_once);
  ADD("attachment/finds_names_and_contents", finds_names_and_contents);
  ADD("attachment/waiting_ones_have_no_job", waiting_ones_have_no_job);
  ADD("file/failed_job_fails_its_file_and_attachment", failed_job_fails_its_file_and_attachment);
  ADD("chunk/messages_come_back_in_the_order_of_rows", messages_come_back_in_the_order_of_rows);
  ADD("task/state_is_kept_over_the_configuration", task_state_is_kept_over_the_configuration);
  ADD("history/moves_to_the_new_name", history_moves_to_the_new_name);
  return g_test_run();
}
