/* SPDX-License-Identifier: Apache-2.0 */
/* What is put into the queue together. */
#include "fixture.h"
#include "queue/sightings.h"
#include "suites.h"

static void free_attachment(gpointer attachment) {
  px_attachment_free(attachment);
}

static void free_job(gpointer job) {
  px_job_free(job);
}

/* Files of the numbers [from, from + n). */
static GPtrArray *new_attachments(unsigned from, unsigned n) {
  GPtrArray *attachments = g_ptr_array_new_with_free_func(free_attachment);
  for (unsigned i = from; i < from + n; i++) {
    g_autofree char *name = g_strdup_printf("%u, \"{}\\.csv", i);
    PxAttachment *attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
    attachment->task = g_strdup("in");
    attachment->sha256 = g_strdup_printf("s%u", i);
    attachment->remote_key = g_strdup_printf("key\n%u", i);
    attachment->remote_action = PX_REMOTE_PENDING;
    attachment->path = i % 2 ? g_strdup("") : NULL;
    attachment->size = i;
    g_ptr_array_add(attachments, attachment);
  }
  return attachments;
}

static void add(Fixture *f, const GPtrArray *attachments) {
  g_autoptr(GError) error = NULL;
  begin(f);
  bool added = px_attachments_add(f->db, (PxAttachment *const *)attachments->pdata, attachments->len, NOW, &error);
  g_assert_no_error(error);
  g_assert_true(added);
  commit(f);
}

static const PxAttachment *nth(const GPtrArray *attachments, guint i) {
  return attachments->pdata[i];
}

static void attachments_get_ids_in_their_order(Fixture *f, gconstpointer data) {
  g_autoptr(GPtrArray) attachments = new_attachments(0, 20);
  add(f, attachments);
  for (guint i = 0; i < attachments->len; i++) {
    g_autoptr(PxAttachment) stored = px_attachment_get(f->db, nth(attachments, i)->id, NULL);
    g_assert_cmpstr(stored->name, ==, nth(attachments, i)->name);
    g_assert_cmpstr(stored->path, ==, nth(attachments, i)->path);
    g_assert_cmpstr(stored->remote_key, ==, nth(attachments, i)->remote_key);
    g_assert_cmpuint(stored->size, ==, i);
    g_assert_cmpint(stored->created, ==, NOW);
    g_assert_null(stored->pattern);
    g_assert_true(i == 0 || nth(attachments, i)->id > nth(attachments, i - 1)->id);
  }
}

static void attachments_that_are_there_are_left_out(Fixture *f, gconstpointer data) {
  g_autoptr(GPtrArray) first = new_attachments(2, 1);
  g_autoptr(GPtrArray) all = new_attachments(0, 4);
  g_autoptr(GPtrArray) twice = new_attachments(9, 1);
  add(f, first);
  g_ptr_array_extend_and_steal(twice, new_attachments(9, 1));
  add(f, all);
  add(f, twice);
  g_assert_true(nth(all, 0)->id && nth(all, 1)->id && nth(all, 3)->id);
  g_assert_cmpint(nth(all, 2)->id, ==, 0);
  g_assert_true(nth(twice, 0)->id && !nth(twice, 1)->id);
}

static void remote_actions_are_stored_for_each(Fixture *f, gconstpointer data) {
  g_autoptr(GPtrArray) attachments = new_attachments(0, 3);
  add(f, attachments);
  for (guint i = 0; i < 2; i++) {
    PxAttachment *attachment = attachments->pdata[i];
    attachment->remote_action = PX_REMOTE_DONE;
    g_clear_pointer(&attachment->remote_key, g_free);
    attachment->moved_to = i ? g_strdup("done/1") : NULL;
  }
  begin(f);
  g_assert_true(px_attachments_store_remote(f->db, (PxAttachment *const *)attachments->pdata, 2, NOW + 1, NULL));
  commit(f);
  g_autoptr(PxAttachment) second = px_attachment_get(f->db, nth(attachments, 1)->id, NULL);
  g_autoptr(PxAttachment) third = px_attachment_get(f->db, nth(attachments, 2)->id, NULL);
  g_assert_cmpint(second->remote_action, ==, PX_REMOTE_DONE);
  g_assert_cmpstr(second->moved_to, ==, "done/1");
  g_assert_null(second->remote_key);
  g_assert_cmpint(second->changed, ==, NOW + 1);
  g_assert_cmpint(third->remote_action, ==, PX_REMOTE_PENDING);
  g_assert_cmpint(third->changed, ==, NOW);
}

/* ---- jobs */

static GPtrArray *new_jobs(const char *const *identities) {
  GPtrArray *jobs = g_ptr_array_new_with_free_func(free_job);
  for (; *identities; identities++) {
    PxJob *job = px_job_new("import", "root", "in");
    job->identity = **identities ? g_strdup(*identities) : NULL;
    g_ptr_array_add(jobs, job);
  }
  return jobs;
}

static int64_t job_id(const GPtrArray *jobs, guint i) {
  return ((const PxJob *)jobs->pdata[i])->id;
}

/* A job that waits for later comes sooner, as when it is put in alone. */
static void jobs_of_one_identity_are_one(Fixture *f, gconstpointer data) {
  g_autoptr(GPtrArray) jobs = new_jobs((const char *const[]){"a", "there", "", "a", "", "b", NULL});
  int64_t there = enqueue(f, "in", "there", 10, NOW + 50);
  begin(f);
  g_assert_true(px_jobs_enqueue(f->db, (PxJob *const *)jobs->pdata, jobs->len, NOW, NULL));
  commit(f);
  g_assert_cmpint(job_id(jobs, 1), ==, there);
  g_assert_cmpint(job_id(jobs, 3), ==, job_id(jobs, 0));
  g_assert_cmpint(job_id(jobs, 2), !=, job_id(jobs, 4));
  g_assert_cmpint(job_id(jobs, 0), <, job_id(jobs, 5));
  g_autoptr(PxJob) sooner = px_job_get(f->db, there, NULL);
  g_assert_cmpint(sooner->eta, ==, NOW);
  PxJobsLeft left;
  g_assert_true(px_jobs_left(f->db, NULL, 0, &left, NULL));
  g_assert_cmpuint(left.pending, ==, 5);
}

/* ---- sightings */

static void sightings_are_kept_by_their_places(Fixture *f, gconstpointer data) {
  char a[] = "in/a", b[] = "in/b", c[] = "in/c", old[] = "1", new[] = "2";
  const PxSighting first[] = {{a, old, 1}, {b, old, 1}};
  const PxSighting second[] = {{b, new, 2}, {c, new, 2}, {c, new, 2}};
  begin(f);
  g_assert_true(px_sightings_store(f->db, "in", (const PxSighting *const[]){&first[0], &first[1]}, 2, NULL));
  g_assert_true(px_sightings_store(f->db, "in", (const PxSighting *const[]){&second[0], &second[1], &second[2]}, 3, NULL));
  g_assert_true(px_sightings_forget(f->db, "other", (const char *const[]){b}, 1, NULL));
  g_assert_true(px_sightings_forget(f->db, "in", (const char *const[]){a, "in/none"}, 2, NULL));
  commit(f);
  g_autoptr(GPtrArray) left = px_sightings_of(f->db, "in", NULL);
  g_assert_cmpuint(left->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint(((const PxSighting *)left->pdata[i])->since, ==, 2);
}

/* ---- what it comes to */

static uint64_t count_statements(Fixture *f, unsigned from, unsigned n) {
  g_autoptr(GPtrArray) attachments = new_attachments(from, n);
  g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(free_job);
  g_autofree const char **contents = g_new(const char *, n);
  g_autofree int64_t *ids = g_new(int64_t, n);
  uint64_t before = px_db_counts(f->db).run;
  for (unsigned i = 0; i < n; i++)
    contents[i] = nth(attachments, i)->sha256;
  g_assert_true(px_attachments_find_content(f->db, contents, n, NULL, ids, NULL));
  add(f, attachments);
  for (unsigned i = 0; i < n; i++) {
    PxJob *job = px_job_new("import", "root", "in");
    job->attachment_id = nth(attachments, i)->id;
    job->identity = g_strdup_printf("import:%u", from + i);
    g_ptr_array_add(jobs, job);
  }
  begin(f);
  g_assert_true(px_jobs_enqueue(f->db, (PxJob *const *)jobs->pdata, n, NOW, NULL));
  g_assert_true(px_attachments_store_remote(f->db, (PxAttachment *const *)attachments->pdata, n, NOW, NULL));
  g_assert_true(px_sightings_forget(f->db, "in", contents, n, NULL));
  commit(f);
  return px_db_counts(f->db).run - before;
}

static void more_files_are_no_more_statements(Fixture *f, gconstpointer data) {
  g_assert_cmpuint(count_statements(f, 0, 10), ==, count_statements(f, 10, 100));
}

void add_sets(void) {
  ADD("sets/attachments_get_ids_in_their_order", attachments_get_ids_in_their_order);
  ADD("sets/attachments_that_are_there_are_left_out", attachments_that_are_there_are_left_out);
  ADD("sets/remote_actions_are_stored_for_each", remote_actions_are_stored_for_each);
  ADD("sets/jobs_of_one_identity_are_one", jobs_of_one_identity_are_one);
  ADD("sets/sightings_are_kept_by_their_places", sightings_are_kept_by_their_places);
  ADD_POSTGRES("sets/more_files_are_no_more_statements", more_files_are_no_more_statements);
}
