/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "suites.h"

#define SECOND G_TIME_SPAN_SECOND

/* Everything that two workers on two connections need. */
typedef struct {
  PxConfig *config;
  PxChannels *channels;
  PxDb *db;
  PxWorker *worker;
} Other;

static PxChannels *read_channels(const char *text, PxConfig **ret_config, PxComplaints *complaints) {
  g_autofree char *yaml = g_strdup_printf("channels: \"%s\"\n", text);
  *ret_config = px_config_parse(yaml, "test.yaml", NULL);
  return px_channels_read(px_node_get(px_config_root(*ret_config), "channels"), complaints);
}

/* Both workers heed the same channels, as programs on one database do. */
static void other_open(Other *other, Fixture *f, const char *text) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  other->channels = read_channels(text, &other->config, complaints);
  g_assert_cmpuint(px_complaints_errors(complaints), ==, 0);
  other->db = open_other(f);
  other->worker = px_worker_open(other->db, NULL);
  px_worker_heed(f->worker, other->channels);
  px_worker_heed(other->worker, other->channels);
}

static void other_done(Other *other) {
  px_worker_close(other->worker);
  px_db_close(other->db);
  px_channels_free(other->channels);
  px_config_free(other->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Other, other_done)

static PxJob *claim_other(Other *other, int64_t now) {
  PxJob *job = NULL;
  g_assert_true(px_job_claim(other->db, other->worker, NULL, now, &job, NULL));
  return job;
}

static int64_t enqueue_in(Fixture *f, const char *channel, int64_t priority, int64_t eta) {
  g_autoptr(PxJob) job = px_job_new("fetch", channel, NULL);
  job->priority = priority;
  job->eta = eta;
  begin(f);
  g_assert_true(px_job_enqueue(f->db, job, NOW, NULL));
  commit(f);
  return job->id;
}

static void end(Fixture *f, PxJob *job, PxState state) {
  begin(f);
  g_assert_true(state == PX_STATE_DONE     ? px_job_done(f->db, job, NOW, NULL)
                : state == PX_STATE_FAILED ? px_job_fail(f->db, job, "broken", NOW, NULL)
                                           : px_job_later(f->db, job, NOW + SECOND, "busy", NOW, NULL));
  commit(f);
}

#define ASSERT_JOB(job, expected)                                                                                                                    \
  do {                                                                                                                                               \
    g_assert_nonnull(job);                                                                                                                           \
    g_assert_cmpint((job)->id, ==, expected);                                                                                                        \
  } while (0)

static void a_full_channel_is_passed_over(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root:4,root.a:1");
  int64_t first = enqueue_in(f, "root.a", 1, 0);
  int64_t second = enqueue_in(f, "root.a", 1, 0);
  int64_t elsewhere = enqueue_in(f, "root.b", 9, 0);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  ASSERT_JOB(one, first);
  g_autoptr(PxJob) two = claim_other(&other, NOW);
  ASSERT_JOB(two, elsewhere);
  end(f, one, PX_STATE_DONE);
  g_autoptr(PxJob) three = claim(f, NULL, NOW);
  ASSERT_JOB(three, second);
}

static void a_channel_bounds_those_beneath_it(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root.a:1,a.b:1");
  int64_t first = enqueue_in(f, "root.a.b", 1, 0);
  (void)enqueue_in(f, "root.a.c", 1, 0); /* not named: it counts to root.a */
  (void)enqueue_in(f, "root.a", 1, 0);
  int64_t free_one = enqueue_in(f, "root.ab", 9, 0); /* no part of root.a */
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  ASSERT_JOB(one, first);
  g_autoptr(PxJob) two = claim_other(&other, NOW);
  ASSERT_JOB(two, free_one);
}

static void root_bounds_all(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root:1");
  (void)enqueue_in(f, "root.a", 1, 0);
  (void)enqueue_in(f, "root.b", 1, 0);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  g_assert_nonnull(one);
  g_assert_null(claim_other(&other, NOW));
}

static void a_dead_worker_leaves_its_slot(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root:1");
  int64_t id = enqueue_in(f, "root.a", 1, 0);
  g_autoptr(PxJob) lost = claim_other(&other, NOW);
  ASSERT_JOB(lost, id);
  g_assert_null(claim(f, NULL, NOW));
  g_clear_pointer(&other.worker, px_worker_close);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  ASSERT_JOB(job, id);
}

static void throttle_pauses_between_starts(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root.a:2:throttle=2");
  int64_t first = enqueue_in(f, "root.a", 1, 0);
  int64_t second = enqueue_in(f, "root.a", 1, 0);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  ASSERT_JOB(one, first);
  g_assert_null(claim_other(&other, NOW + SECOND));
  g_autoptr(PxJob) two = claim_other(&other, NOW + 2 * SECOND);
  ASSERT_JOB(two, second);
}

static void sequential_waits_for_the_next_try(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root.a:1:sequential");
  int64_t first = enqueue_in(f, "root.a", 1, 0);
  int64_t second = enqueue_in(f, "root.a", 1, 0);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  ASSERT_JOB(one, first);
  end(f, one, PX_STATE_PENDING);
  g_assert_null(claim(f, NULL, NOW));
  g_autoptr(PxJob) again = claim(f, NULL, NOW + SECOND);
  ASSERT_JOB(again, first);
  end(f, again, PX_STATE_DONE);
  g_autoptr(PxJob) two = claim(f, NULL, NOW + SECOND);
  ASSERT_JOB(two, second);
}

static void sequential_is_held_by_a_failed_job(Fixture *f, gconstpointer data) {
  g_auto(Other) other = {0};
  other_open(&other, f, "root.a:sequential");
  int64_t first = enqueue_in(f, "root.a.x", 1, 0);
  int64_t second = enqueue_in(f, "root.a", 1, 0);
  int64_t elsewhere = enqueue_in(f, "root.b", 5, 0);
  g_autoptr(PxJob) one = claim(f, NULL, NOW);
  ASSERT_JOB(one, first);
  end(f, one, PX_STATE_FAILED);
  g_autoptr(PxJob) passed = claim(f, NULL, NOW);
  ASSERT_JOB(passed, elsewhere);
  g_assert_null(claim(f, NULL, NOW));
  begin(f);
  g_assert_true(px_job_cancel(f->db, first, NOW, NULL));
  commit(f);
  g_autoptr(PxJob) two = claim(f, NULL, NOW);
  ASSERT_JOB(two, second);
}

/* ---- reading them */

static void what_is_wrong_is_told(Fixture *f, gconstpointer data) {
  static const struct {
    const char *text, *told;
  } cases[] = {
    {"root:4,root.a:4x", "channels: \"root.a:4x\": the capacity is a number"},
    {"root:0", "\"root:0\": the capacity"},
    {"root:4:sequental", "did you mean sequential?"},
    {"root.a:1:throttle", "throttle needs the pause"},
    {"root.a:1:throttle=soon", "throttle needs the pause"},
    {"root.a:2:sequential", "its capacity is 1"},
    {"root.a:1,a:2", "\"a:2\": this channel is named twice"},
    {"root..a:1", "\"root..a:1\": a channel is called"},
    {"root:2,root.a:5", "never runs more than 2 jobs"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(PxComplaints) complaints = px_complaints_new();
    g_autoptr(PxConfig) config = NULL;
    g_autoptr(PxChannels) channels = read_channels(cases[i].text, &config, complaints);
    g_assert_nonnull(channels);
    g_assert_cmpuint(px_complaints_count(complaints), ==, 1);
    const PxComplaint *complaint = px_complaints_at(complaints, 0);
    g_assert_cmpstr(complaint->file, ==, "test.yaml");
    if (!strstr(complaint->text, cases[i].told))
      g_error("%s: told \"%s\", not \"%s\"", cases[i].text, complaint->text, cases[i].told);
  }
}

static void nothing_given_is_no_limit(Fixture *f, gconstpointer data) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxChannels) channels = px_channels_read(NULL, complaints);
  g_assert_nonnull(channels);
  px_worker_heed(f->worker, channels);
  int64_t id = enqueue_in(f, "root.a", 1, 0);
  g_autoptr(PxJob) job = claim(f, NULL, NOW);
  ASSERT_JOB(job, id);
  px_worker_heed(f->worker, NULL);
}

/* ---- the claim's cost */

static char *plan_of(PxDb *db, const char *statement) {
  PxStmt *named = px_db_named(db, statement, NULL);
  g_autofree char *sql = g_strconcat("EXPLAIN QUERY PLAN ", px_stmt_text(named), NULL);
  PxStmt *stmt = px_db_prepare(db, sql, NULL);
  GString *plan = g_string_new(NULL);
  while (px_stmt_step(stmt, NULL) == PX_STEP_ROW) {
    g_autofree char *line = px_stmt_dup_text(stmt, 3);
    g_string_append_printf(plan, "%s\n", line);
  }
  return g_string_free(plan, FALSE);
}

/* However many jobs have ended, nothing that runs at every claim looks at them. */
static void claims_use_indexes(Fixture *f, gconstpointer data) {
  static const char *const statements[] = {"job_due",      "job_heads", "job_failed_channels", "job_running", "job_first",      "job_owners",
                                           "job_of_owner", "job_claim", "job_need_met",        "job_fence",   "job_of_identity"};
  for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
    g_autofree char *plan = plan_of(f->db, statements[i]);
    g_auto(GStrv) lines = g_strsplit(plan, "\n", -1);
    for (char **line = lines; *line; line++)
      if (g_str_has_prefix(*line, "SCAN ") && !strstr(*line, "USING") && !strstr(*line, "SCAN c") && !strstr(*line, "CONSTANT"))
        g_error("%s: %s", statements[i], *line);
  }
}

void add_channels(void) {
  ADD("channels/a_full_one_is_passed_over", a_full_channel_is_passed_over);
  ADD("channels/one_bounds_those_beneath_it", a_channel_bounds_those_beneath_it);
  ADD("channels/root_bounds_all", root_bounds_all);
  ADD("channels/a_dead_worker_leaves_its_slot", a_dead_worker_leaves_its_slot);
  ADD_SQLITE("channels/throttle_pauses_between_starts", throttle_pauses_between_starts);
  ADD("channels/sequential_waits_for_the_next_try", sequential_waits_for_the_next_try);
  ADD("channels/sequential_is_held_by_a_failed_job", sequential_is_held_by_a_failed_job);
  ADD_SQLITE("channels/what_is_wrong_is_told", what_is_wrong_is_told);
  ADD("channels/nothing_given_is_no_limit", nothing_given_is_no_limit);
  ADD_SQLITE("job/claims_use_indexes", claims_use_indexes);
}
