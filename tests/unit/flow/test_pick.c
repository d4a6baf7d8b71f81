/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a task takes when. */
#include "suites.h"

#define TASK(more) "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done" more "}}\n"
#define SIGHTINGS "SELECT count(*) FROM pattimpex_sighting"

static const char plain[] = TASK("");
static const char hour[] = TASK(", stable_for: 1h");
static const char at_once[] = TASK(", stable_for: 0");
static const char often[] = TASK(", schedule: every second");
static const char row[] = "email#key,name\ncarol@x.test,Carol\n";

/* A file that another machine's clock dates: ahead of ours by a day. */
static void write_foreign(const Fixture *f, const char *path, const char *text) {
  fixture_write(f, path, text, -86400);
}

static void foreign_clock_needs_two_listings(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", row);
  (void)fixture_run(f);
  f->now += 2 * G_TIME_SPAN_SECOND - 1;
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/in/a.csv"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment"), ==, 0);
  f->now += 1;
  PxRunResult result = fixture_run(f);
  g_assert_cmpint(px_run_exit_status(&result), ==, 0);
  g_assert_true(fixture_exists(f, "drop/done/a.csv"));
  g_assert_cmpint(fixture_ask(f, SIGHTINGS), ==, 0);
}

static void change_between_listings_begins_anew(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", "email#key,name\n");
  (void)fixture_run(f);
  f->now += G_TIME_SPAN_HOUR - 1;
  write_foreign(f, "drop/in/a.csv", row);
  (void)fixture_run(f);
  f->now += G_TIME_SPAN_HOUR - 1;
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/in/a.csv"));
  f->now += 1;
  (void)fixture_run(f);
  g_autofree char *moved = fixture_read(f, "drop/done/a.csv");
  g_assert_cmpstr(moved, ==, row);
}

static void our_clock_that_is_put_back_begins_anew(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", row);
  (void)fixture_run(f);
  f->now -= G_TIME_SPAN_HOUR;
  (void)fixture_run(f);
  f->now += 2 * G_TIME_SPAN_SECOND;
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/done/a.csv"));
}

static void file_that_is_gone_is_forgotten(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", row);
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, SIGHTINGS), ==, 1);
  g_autofree char *path = fixture_path(f, "drop/in/a.csv");
  g_assert_cmpint(g_unlink(path), ==, 0);
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, SIGHTINGS), ==, 0);
}

static void without_stable_for_one_listing_is_enough(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", row);
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/done/a.csv"));
}

/* When the fetch job that a fetch leaves behind is due; 0: it left none. */
static int64_t due_after_fetch(Fixture *f, bool lists_again) {
  g_autoptr(PxWorker) worker = px_worker_open(f->project->db, NULL);
  g_autoptr(PxJob) job = fixture_job(f, worker, "fetch", "in", 0, 0);
  g_auto(PxWork) work = {.project = f->project, .worker = worker, .job = job, .lists_again = lists_again};
  g_assert_true(px_fetch_step(&work, NULL));
  return fixture_ask(f, "SELECT coalesce(max(eta), 0) FROM pattimpex_job WHERE kind = 'fetch' AND state = 'pending'");
}

static void new_file_makes_serve_list_again(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", row);
  g_assert_cmpint(due_after_fetch(f, true), ==, f->now + 2 * G_TIME_SPAN_SECOND + 1);
}

static void what_is_due_before_is_not_held_back(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", row);
  g_assert_cmpint(due_after_fetch(f, true), ==, 0);
}

static void growing_file_is_listed_again_once(Fixture *f, gconstpointer data) {
  write_foreign(f, "drop/in/a.csv", "email#key,");
  g_assert_cmpint(due_after_fetch(f, false), ==, 0);
  write_foreign(f, "drop/in/a.csv", row);
  g_assert_cmpint(due_after_fetch(f, true), ==, 0);
}

void add_pick_tests(void) {
#define ADD(path, tasks, function) g_test_add("/flow/pick/" path, Fixture, tasks, fixture_set_up, function, fixture_tear_down)
  ADD("foreign_clock_needs_two_listings", plain, foreign_clock_needs_two_listings);
  ADD("change_between_listings_begins_anew", hour, change_between_listings_begins_anew);
  ADD("our_clock_that_is_put_back_begins_anew", plain, our_clock_that_is_put_back_begins_anew);
  ADD("file_that_is_gone_is_forgotten", plain, file_that_is_gone_is_forgotten);
  ADD("without_stable_for_one_listing_is_enough", at_once, without_stable_for_one_listing_is_enough);
  ADD("new_file_makes_serve_list_again", plain, new_file_makes_serve_list_again);
  ADD("what_is_due_before_is_not_held_back", often, what_is_due_before_is_not_held_back);
  ADD("growing_file_is_listed_again_once", plain, growing_file_is_listed_again_once);
#undef ADD
}
