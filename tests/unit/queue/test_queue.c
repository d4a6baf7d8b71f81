/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "suites.h"

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
  g_assert_true(px_attachments_known(f->db, "in", (const char *[]){"key"}, 1, &known, NULL));
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
  static const char *const names[] = {"b.csv", "a.csv", "a.csv"};
  static const char *const paths[] = {"in", "in", "elsewhere"};
  g_autoptr(PxAttachment) first = add_attachment(f, "a.csv", NULL, "s1", NULL);
  bool known[3];
  static const char *const contents[] = {"s2", "s1", "s1"};
  int64_t ids[3];
  g_assert_true(px_db_exec(f->db, "UPDATE pattimpex_attachment SET path = 'in'", NULL));
  g_assert_true(px_attachments_named(f->db, names, NULL, 3, "in", known, NULL));
  g_assert_true(!known[0] && known[1] && known[2]);
  g_assert_true(px_attachments_named(f->db, names, paths, 3, NULL, known, NULL));
  g_assert_true(!known[0] && known[1] && !known[2]);
  g_assert_true(px_attachments_named(f->db, names, NULL, 3, "other", known, NULL));
  g_assert_true(!known[0] && !known[1] && !known[2]);
  g_assert_true(px_attachment_find_name(f->db, "a.csv", "in", "in", &ids[0], NULL) && ids[0] == first->id);
  g_assert_true(px_attachment_find_name(f->db, "a.csv", "elsewhere", NULL, &ids[0], NULL) && ids[0] == 0);
  g_assert_true(px_attachments_find_content(f->db, contents, 3, NULL, ids, NULL));
  g_assert_true(ids[0] == 0 && ids[1] == first->id && ids[2] == first->id);
  g_assert_true(px_attachments_find_content(f->db, contents, 3, "other", ids, NULL));
  g_assert_true(ids[0] == 0 && ids[1] == 0 && ids[2] == 0);
}

static void finds_several_remote_files_at_once(Fixture *f, gconstpointer data) {
  static const char *const keys[] = {"none", "in/b\n{\"1,2\"}", "in/a\n1", ""};
  g_autoptr(PxAttachment) a = add_attachment(f, "a", keys[2], "s1", NULL);
  g_autoptr(PxAttachment) b = add_attachment(f, "b", keys[1], "s2", NULL);
  bool known[G_N_ELEMENTS(keys)] = {true, false, false, true};
  g_assert_true(px_attachments_known(f->db, "in", keys, G_N_ELEMENTS(keys), known, NULL));
  g_assert_true(!known[0] && known[1] && known[2] && !known[3]);
  g_assert_true(px_attachments_known(f->db, "other", keys, G_N_ELEMENTS(keys), known, NULL));
  g_assert_true(!known[0] && !known[1] && !known[2] && !known[3]);
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

/* ---- chunks that are planned */

static void plan(Fixture *f, const PxPatternFile *file, unsigned part, uint64_t first, uint64_t last, uint64_t rows) {
  char spool[] = "1-1";
  const PxPlannedChunk planned = {
    .part = part, .spool = spool, .place = first, .chunk = {.file_id = file->id, .first_row = first, .last_row = last, .counts.rows = rows}};
  begin(f);
  g_assert_true(px_chunk_plan(f->db, &planned, NOW, NULL));
  commit(f);
}

static PxPlannedChunk *next_of(Fixture *f, const PxPatternFile *file, unsigned part) {
  PxPlannedChunk *next = NULL;
  g_assert_true(px_chunk_next(f->db, file->id, part, &next, NULL));
  return next;
}

static void finish_planned(Fixture *f, PxPlannedChunk *planned, uint64_t bad_row) {
  PxMessage bad = {.row = bad_row, .type = "check", .message = "no"};
  g_autoptr(GPtrArray) messages = g_ptr_array_new();
  g_ptr_array_add(messages, &bad);
  planned->chunk.counts.failed = 1;
  begin(f);
  g_assert_true(px_chunk_done(f->db, planned, messages, NOW, NULL));
  commit(f);
}

static void planned_chunks_come_part_by_part_in_order(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxPatternFile) file = add_file(f, attachment->id);
  plan(f, file, 1, 9, 11, 2);
  plan(f, file, 1, 2, 6, 3);
  plan(f, file, 2, 3, 10, 4);
  g_autoptr(PxPlannedChunk) first = next_of(f, file, 1);
  g_assert_cmpuint(first->chunk.first_row, ==, 2);
  g_assert_cmpint(first->state, ==, PX_STATE_PENDING);
  begin(f);
  g_assert_true(px_chunk_give(f->db, first->id, 77, NULL));
  commit(f);
  g_autoptr(PxPlannedChunk) given = px_chunk_of_job(f->db, 77, NULL);
  g_assert_cmpint(given->id, ==, first->id);
  g_assert_cmpuint(given->chunk.counts.rows, ==, 3);
  g_autoptr(PxPlannedChunk) second = next_of(f, file, 1);
  g_assert_cmpuint(second->chunk.first_row, ==, 9);
  g_assert_cmpuint(second->place, ==, 9);
  g_assert_null(next_of(f, file, 3));
}

static void messages_of_parts_come_in_the_order_of_rows(Fixture *f, gconstpointer data) {
  static const uint64_t rows[] = {5, 7, 9};
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxPatternFile) file = add_file(f, attachment->id);
  plan(f, file, 1, 2, 6, 3);
  plan(f, file, 1, 9, 11, 2);
  plan(f, file, 2, 3, 10, 4);
  g_autoptr(GPtrArray) chunks = px_chunk_planned(f->db, file->id, NULL);
  finish_planned(f, chunks->pdata[2], rows[2]);
  finish_planned(f, chunks->pdata[0], rows[0]);
  finish_planned(f, chunks->pdata[1], rows[1]);
  g_autoptr(PxFileMessages) messages = px_file_messages_open(f->db, file->id);
  const PxMessage *message;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_assert_cmpint(px_file_messages_next(messages, &message, NULL), ==, 1);
    g_assert_cmpuint(message->row, ==, rows[i]);
  }
  g_assert_cmpint(px_file_messages_next(messages, &message, NULL), ==, 0);
  g_autoptr(PxPatternFile) counted = px_file_get(f->db, file->id, NULL);
  g_assert_cmpuint(counted->counts.rows, ==, 9);
  g_assert_cmpuint(counted->counts.failed, ==, 3);
}

static void spool_is_wanted_until_its_file_has_an_end(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxPatternFile) file = add_file(f, attachment->id);
  bool wanted;
  plan(f, file, 1, 2, 6, 3);
  g_assert_true(px_chunk_spool_wanted(f->db, "1-1", &wanted, NULL));
  g_assert_true(wanted);
  begin(f);
  g_assert_true(px_chunk_cancel(f->db, file->id, NULL));
  commit(f);
  g_assert_true(px_chunk_spool_wanted(f->db, "1-1", &wanted, NULL));
  g_assert_false(wanted);
}

static void failed_chunk_leaves_its_file_to_the_jobs_that_go_on(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) attachment = add_attachment(f, "a.csv", NULL, "s1", NULL);
  g_autoptr(PxPatternFile) file = add_file(f, attachment->id);
  g_autoptr(PxJob) chunk = px_job_new("chunk", "root", "in");
  g_autoptr(PxJob) finish = px_job_new("finish", "root", "in");
  chunk->file_id = finish->file_id = file->id;
  chunk->attachment_id = finish->attachment_id = attachment->id;
  begin(f);
  g_assert_true(px_job_enqueue_started(f->db, chunk, f->worker, NOW, NULL));
  g_assert_true(px_job_enqueue(f->db, finish, NOW, NULL));
  g_assert_true(px_job_wait(f->db, finish, chunk->id, PX_WAIT_ENDED, NOW, NULL));
  g_assert_true(px_job_fail(f->db, chunk, "no disk", NOW, NULL));
  commit(f);
  g_autoptr(PxPatternFile) open = px_file_get(f->db, file->id, NULL);
  g_assert_cmpint(open->state, ==, PX_STATE_STARTED);
  g_autoptr(PxAttachment) pending = px_attachment_get(f->db, attachment->id, NULL);
  g_assert_cmpint(pending->state, ==, PX_STATE_PENDING);
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
  ADD("attachment/same_remote_file_is_held_once", same_remote_file_is_held_once);
  ADD("attachment/finds_names_and_contents", finds_names_and_contents);
  ADD("attachment/finds_several_remote_files_at_once", finds_several_remote_files_at_once);
  ADD("attachment/waiting_ones_have_no_job", waiting_ones_have_no_job);
  ADD("file/failed_job_fails_its_file_and_attachment", failed_job_fails_its_file_and_attachment);
  ADD("chunk/planned_chunks_come_part_by_part_in_order", planned_chunks_come_part_by_part_in_order);
  ADD("chunk/messages_of_parts_come_in_the_order_of_rows", messages_of_parts_come_in_the_order_of_rows);
  ADD("chunk/spool_is_wanted_until_its_file_has_an_end", spool_is_wanted_until_its_file_has_an_end);
  ADD("chunk/failed_chunk_leaves_its_file_to_the_jobs_that_go_on", failed_chunk_leaves_its_file_to_the_jobs_that_go_on);
  ADD("chunk/messages_come_back_in_the_order_of_rows", messages_come_back_in_the_order_of_rows);
  ADD("task/state_is_kept_over_the_configuration", task_state_is_kept_over_the_configuration);
  ADD("history/moves_to_the_new_name", history_moves_to_the_new_name);
  add_blob_storage();
  add_blobs();
  add_channels();
  add_clean();
  add_counters();
  add_ends();
  add_jobs();
  add_needs();
  add_notices();
  add_overview();
  add_servers();
  add_sets();
  add_tries();
  return g_test_run();
}
