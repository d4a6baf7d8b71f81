/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "queue/clean.h"
#include "suites.h"

#define DAY G_TIME_SPAN_DAY

static int64_t ended_job(Fixture *f, PxState state, int64_t when) {
  int64_t id = enqueue(f, "a", NULL, 10, 0);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(state == PX_STATE_DONE ? px_job_done(f->db, job, when, NULL) : px_job_fail(f->db, job, "broken", when, NULL));
  commit(f);
  return id;
}

static uint64_t clean_jobs(Fixture *f, int64_t before, uint64_t limit) {
  g_autoptr(GError) error = NULL;
  uint64_t n = 0;
  begin(f);
  bool done = px_clean_jobs(f->db, before, limit, &n, &error);
  g_assert_no_error(error);
  g_assert_true(done);
  commit(f);
  return n;
}

static bool has_job(Fixture *f, int64_t id) {
  g_autoptr(PxJob) job = px_job_get(f->db, id, NULL);
  return job != NULL;
}

static void jobs_go_that_ended_well_long_ago(Fixture *f, gconstpointer data) {
  int64_t old = ended_job(f, PX_STATE_DONE, NOW - 40 * DAY);
  int64_t young = ended_job(f, PX_STATE_DONE, NOW - 10 * DAY);
  int64_t failed = ended_job(f, PX_STATE_FAILED, NOW - 40 * DAY);
  int64_t pending = enqueue(f, "a", NULL, 10, NOW + DAY);
  g_assert_cmpuint(clean_jobs(f, NOW - 30 * DAY, 10), ==, 1);
  g_assert_false(has_job(f, old));
  g_assert_true(has_job(f, young) && has_job(f, failed) && has_job(f, pending));
}

static void jobs_go_in_portions(Fixture *f, gconstpointer data) {
  for (int i = 0; i < 3; i++)
    (void)ended_job(f, PX_STATE_DONE, NOW - DAY);
  g_assert_cmpuint(clean_jobs(f, NOW, 2), ==, 2);
  g_assert_cmpuint(clean_jobs(f, NOW, 2), ==, 1);
}

/* It runs again when the failed one is retried. */
static void job_stays_with_a_failed_one_that_it_ends(Fixture *f, gconstpointer data) {
  int64_t first = enqueue(f, NULL, NULL, 10, 0);
  g_autoptr(PxJob) end = px_job_new("finish", "root.pattern.import", NULL);
  begin(f);
  g_assert_true(px_job_enqueue(f->db, end, NOW, NULL) && px_job_wait(f->db, end, first, PX_WAIT_ENDED, NOW, NULL));
  commit(f);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_fail(f->db, one, "broken", NOW - DAY, NULL));
  commit(f);
  g_autoptr(PxJob) two = claim(f, NULL, NOW);
  begin(f);
  g_assert_true(px_job_done(f->db, two, NOW - DAY, NULL));
  commit(f);
  g_assert_cmpuint(clean_jobs(f, NOW, 10), ==, 0);
  begin(f);
  g_assert_true(px_job_set_done(f->db, first, NOW - DAY, NULL));
  commit(f);
  g_assert_cmpuint(clean_jobs(f, NOW, 10), ==, 2);
}

/* ---- files and attachments */

static int64_t add_attachment(Fixture *f, const char *name, const char *key, PxState state, int64_t when) {
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->task = g_strdup("in");
  attachment->state = state;
  attachment->remote_key = g_strdup(key);
  attachment->sha256 = g_strdup(name);
  begin(f);
  g_assert_true(px_attachment_add(f->db, attachment, when, NULL));
  commit(f);
  return attachment->id;
}

static int64_t add_file(Fixture *f, int64_t attachment_id, int64_t previous_id, PxState state, int64_t when) {
  g_autoptr(PxPatternFile) file = px_file_new(PX_FILE_IMPORT, "partner");
  file->snapshot = g_strdup("{}");
  file->snapshot_hash = g_strdup("");
  file->attachment_id = attachment_id;
  file->previous_id = previous_id;
  begin(f);
  g_assert_true(px_file_add(f->db, file, when, NULL));
  const PxChunk chunk = {.file_id = file->id, .first_row = 2, .last_row = 9};
  g_assert_true(px_chunk_add(f->db, &chunk, NULL, when, NULL));
  file->state = state;
  g_assert_true(px_file_store(f->db, file, when, NULL));
  commit(f);
  return file->id;
}

static uint64_t clean_files(Fixture *f, int64_t before) {
  uint64_t n = 0;
  begin(f);
  g_assert_true(px_clean_files(f->db, before, 10, &n, NULL));
  commit(f);
  return n;
}

static bool keeps_all(const char *task, PxDirection direction, void *data) {
  return *(const bool *)data;
}

static PxCleanedAttachments clean_attachments(Fixture *f, int64_t before, bool keep) {
  PxCleanedAttachments cleaned;
  begin(f);
  g_assert_true(px_clean_attachments(f->db, 0, before, NOW, 10, keeps_all, &keep, &cleaned, NULL));
  commit(f);
  return cleaned;
}

static void files_go_before_their_attachments(Fixture *f, gconstpointer data) {
  int64_t attachment = add_attachment(f, "a.csv", NULL, PX_STATE_DONE, NOW - 9 * DAY);
  (void)add_file(f, attachment, 0, PX_STATE_DONE, NOW - 9 * DAY);
  g_assert_cmpuint(clean_attachments(f, NOW, false).removed, ==, 0);
  g_assert_cmpuint(clean_files(f, NOW - 10 * DAY), ==, 0);
  g_assert_cmpuint(clean_files(f, NOW), ==, 1);
  g_assert_cmpuint(clean_attachments(f, NOW, false).removed, ==, 1);
}

static void failed_file_stays_until_a_later_try_is_done(Fixture *f, gconstpointer data) {
  int64_t attachment = add_attachment(f, "a.csv", NULL, PX_STATE_DONE, NOW - 9 * DAY);
  int64_t failed = add_file(f, attachment, 0, PX_STATE_FAILED, NOW - 9 * DAY);
  g_assert_cmpuint(clean_files(f, NOW), ==, 0);
  (void)add_file(f, attachment, failed, PX_STATE_DONE, NOW - 8 * DAY);
  g_assert_cmpuint(clean_files(f, NOW), ==, 2);
}

static void kept_remote_file_stays_known_without_its_bytes(Fixture *f, gconstpointer data) {
  (void)add_attachment(f, "a.csv", "key", PX_STATE_DONE, NOW - 9 * DAY);
  (void)add_attachment(f, "b.csv", NULL, PX_STATE_FAILED, NOW - 9 * DAY);
  g_assert_cmpuint(clean_attachments(f, NOW, false).stripped, ==, 1);
  bool known;
  bool needed;
  g_assert_true(px_attachments_known(f->db, "in", (const char *[]){"key"}, 1, &known, NULL));
  g_assert_true(known);
  g_assert_true(px_blob_is_needed(f->db, "a.csv", &needed, NULL));
  g_assert_false(needed);
  g_assert_true(px_blob_is_needed(f->db, "b.csv", &needed, NULL));
  g_assert_true(needed);
  g_assert_cmpuint(clean_attachments(f, NOW, false).stripped, ==, 0);
}

static void names_that_keep_duplicates_away_stay(Fixture *f, gconstpointer data) {
  bool known;
  (void)add_attachment(f, "a.csv", NULL, PX_STATE_DONE, NOW - 9 * DAY);
  g_assert_cmpuint(clean_attachments(f, NOW, true).stripped, ==, 1);
  g_assert_true(px_attachments_named(f->db, (const char *[]){"a.csv"}, NULL, 1, "in", &known, NULL));
  g_assert_true(known);
}

void add_clean(void) {
  ADD("clean/jobs_go_that_ended_well_long_ago", jobs_go_that_ended_well_long_ago);
  ADD("clean/jobs_go_in_portions", jobs_go_in_portions);
  ADD("clean/job_stays_with_a_failed_one_that_it_ends", job_stays_with_a_failed_one_that_it_ends);
  ADD("clean/files_go_before_their_attachments", files_go_before_their_attachments);
  ADD("clean/failed_file_stays_until_a_later_try_is_done", failed_file_stays_until_a_later_try_is_done);
  ADD("clean/kept_remote_file_stays_known_without_its_bytes", kept_remote_file_stays_known_without_its_bytes);
  ADD("clean/names_that_keep_duplicates_away_stay", names_that_keep_duplicates_away_stay);
}
