/* SPDX-License-Identifier: Apache-2.0 */
/* What is due is queued, once. */
#include "flow/clean.h"
#include "suites.h"

#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR G_TIME_SPAN_HOUR
#define BEGIN (NOW - NOW % HOUR) /* on the hour */

#define IMPORT "storage: drop, path: in, pattern: partner"
static const char half_hours[] = "import_tasks: {in: {" IMPORT ", schedule: every 30 minutes}}\n";
static const char half_hours_all[] = "import_tasks: {in: {" IMPORT ", schedule: every 30 minutes, catch_up: all}}\n";
static const char half_hours_none[] = "catch_up: none\nimport_tasks: {in: {" IMPORT ", schedule: every 30 minutes}}\n";
static const char held[] = "import_tasks: {in: {" IMPORT ", process: every 2 hours}}\n"
                           "export_tasks: {out: {pattern: partner, storage: drop, path: out, upload_schedule: every 2 hours}}\n";
static const char by_default[] = "schedule: every 30 minutes\n"
                                 "import_tasks: {in: {" IMPORT "}, other: {" IMPORT ", schedule: manual}}\n"
                                 "export_tasks: {out: {pattern: partner, schedule: every 2 hours}}\n";

/* Looks at a time, given in minutes since BEGIN; when to look next, in the same. */
static int64_t tick(Fixture *f, int64_t minutes) {
  g_autoptr(GError) error = NULL;
  int64_t next = 0;
  f->now = BEGIN + minutes * MINUTE;
  bool done = px_schedules_tick(f->project, f->now, &next, &error);
  g_assert_no_error(error);
  g_assert_true(done);
  return next ? (next - BEGIN) / MINUTE : 0;
}

static int64_t jobs(Fixture *f) {
  return fixture_ask(f, "SELECT count(*) FROM pattimpex_job");
}

static void end_jobs(Fixture *f) {
  fixture_exec(f, "UPDATE pattimpex_job SET state = 'done'");
}

static void new_task_begins_to_count_now(Fixture *f, gconstpointer data) {
  g_assert_cmpint(tick(f, 10), ==, 30);
  g_assert_cmpint(jobs(f), ==, 0);
  g_assert_cmpint(tick(f, 30), ==, 60);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE kind = 'fetch' AND task = 'in' AND state = 'pending'"), ==, 1);
}

static void time_is_due_once_whoever_looks(Fixture *f, gconstpointer data) {
  tick(f, 10);
  tick(f, 30);
  end_jobs(f);
  fixture_reopen(f, false); /* another scheduler, or the same again */
  g_assert_cmpint(tick(f, 30), ==, 60);
  tick(f, 31);
  g_assert_cmpint(jobs(f), ==, 1);
}

static void run_that_is_going_is_not_started_again(Fixture *f, gconstpointer data) {
  tick(f, 10);
  tick(f, 30);
  fixture_exec(f, "UPDATE pattimpex_job SET state = 'started', owner = 'x'");
  g_assert_cmpint(tick(f, 60), ==, 90);
  g_assert_cmpint(jobs(f), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_due WHERE state = 'skipped'"), ==, 1);
  end_jobs(f);
  tick(f, 90);
  g_assert_cmpint(jobs(f), ==, 2);
}

static void missed_times_are_one_run(Fixture *f, gconstpointer data) {
  tick(f, 10);
  g_assert_cmpint(tick(f, 200), ==, 210);
  g_assert_cmpint(jobs(f), ==, 1);
  end_jobs(f);
  tick(f, 210);
  g_assert_cmpint(jobs(f), ==, 2);
}

static void missed_times_are_a_run_each(Fixture *f, gconstpointer data) {
  tick(f, 10);
  for (int i = 1; i <= 3; i++) {                          /* one after the other */
    g_assert_cmpint(tick(f, 100), ==, i < 3 ? 100 : 120); /* 100: soon again */
    g_assert_cmpint(jobs(f), ==, i);
    end_jobs(f);
  }
  g_assert_cmpint(tick(f, 100), ==, 120);
  g_assert_cmpint(jobs(f), ==, 3);
}

static void missed_times_are_forgotten(Fixture *f, gconstpointer data) {
  tick(f, 10);
  g_assert_cmpint(tick(f, 100), ==, 120);
  g_assert_cmpint(jobs(f), ==, 0);
  tick(f, 121); /* a little late is not missed */
  g_assert_cmpint(jobs(f), ==, 1);
}

static void changed_schedule_does_not_run_for_the_past(Fixture *f, gconstpointer data) {
  tick(f, 10);
  tick(f, 30);
  end_jobs(f);
  g_autofree char *path = fixture_path(f, "pattimpex.yaml");
  g_autofree char *text = fixture_read(f, "pattimpex.yaml");
  g_auto(GStrv) parts = g_strsplit(text, "every 30 minutes", 2);
  g_autofree char *other = g_strjoinv("every 5 minutes", parts);
  g_assert_true(g_file_set_contents(path, other, -1, NULL));
  fixture_reopen(f, false);
  g_assert_cmpint(tick(f, 52), ==, 55);
  g_assert_cmpint(jobs(f), ==, 1);
  tick(f, 55);
  g_assert_cmpint(jobs(f), ==, 2);
}

static void clock_set_back_does_nothing_twice(Fixture *f, gconstpointer data) {
  tick(f, 10);
  for (int64_t minutes = 30; minutes <= 300; minutes += 30) {
    tick(f, minutes);
    end_jobs(f);
  }
  g_assert_cmpint(jobs(f), ==, 10);
  for (int64_t minutes = 65; minutes <= 300; minutes += 5)
    tick(f, minutes);
  g_assert_cmpint(jobs(f), ==, 10);
  tick(f, 330);
  g_assert_cmpint(jobs(f), ==, 11);
}

/* Forward by hours, and right again: one run for the leap, and the times in between as they come. */
static void clock_set_forward_is_no_storm_and_no_standstill(Fixture *f, gconstpointer data) {
  tick(f, 10);
  tick(f, 600);
  end_jobs(f);
  g_assert_cmpint(jobs(f), ==, 1);
  g_assert_cmpint(tick(f, 11), ==, 30);
  tick(f, 30);
  g_assert_cmpint(jobs(f), ==, 2);
}

static void clock_of_another_year_is_forgotten(Fixture *f, gconstpointer data) {
  int64_t year = 366 * 24 * 60;
  tick(f, 10);
  for (int i = 0; i < 4; i++) {
    tick(f, year + 30 * i);
    end_jobs(f);
  }
  int64_t before = jobs(f);
  g_assert_cmpint(tick(f, 20), ==, 30);
  tick(f, 30);
  g_assert_cmpint(jobs(f), ==, before + 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_due"), ==, 2);
}

static void disabled_task_does_not_count(Fixture *f, gconstpointer data) {
  tick(f, 10);
  g_assert_true(px_task_enable(f->project, "in", PX_ENABLED_NO, NULL));
  g_assert_cmpint(tick(f, 40), ==, 0);
  g_assert_true(px_task_enable(f->project, "in", PX_ENABLED_YES, NULL));
  g_assert_cmpint(tick(f, 50), ==, 60);
  g_assert_cmpint(jobs(f), ==, 0);
}

static void task_enabled_while_nobody_looked_begins_anew(Fixture *f, gconstpointer data) {
  tick(f, 10);
  g_assert_true(px_task_enable(f->project, "in", PX_ENABLED_NO, NULL));
  g_assert_true(px_task_enable(f->project, "in", PX_ENABLED_YES, NULL));
  tick(f, 50);
  g_assert_cmpint(jobs(f), ==, 0);
}

static void old_rows_are_removed(Fixture *f, gconstpointer data) {
  for (int64_t minutes = 10; minutes < 60 * 24 * 20; minutes += 60) {
    tick(f, minutes);
    end_jobs(f);
  }
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_due"), <=, 2 * 26);
  tick(f, 60 * 24 * 40);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_due"), ==, 2);
}

static void held_files_go_on_at_their_own_time(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", "email#key,name\nb@x.test,B\n", 60);
  tick(f, -120);
  f->now = NOW;
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 1);
  g_assert_false(fixture_exists(f, "drop/out/partner.csv"));
  tick(f, 120);
  PxRunResult result;
  g_assert_true(px_run_jobs(f->project, &(PxRunOptions){0}, &result, NULL));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner"), ==, 2);
  g_assert_true(fixture_exists(f, "drop/out/partner.csv"));
}

static void schedule_at_the_top_is_every_tasks(Fixture *f, gconstpointer data) {
  tick(f, 10);
  g_assert_cmpint(tick(f, 30), >, 30);
  g_assert_cmpint(jobs(f), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE task = 'in'"), ==, 1);
  tick(f, 120);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE task = 'out'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_job WHERE task = 'other'"), ==, 0);
}

static void task_tells_when_it_was_and_is_due(Fixture *f, gconstpointer data) {
  g_auto(PxTaskStatus) status = {0};
  tick(f, 10);
  g_assert_true(px_task_status(f->project, px_tasks_get(f->project->tasks, "in"), &status, NULL));
  g_assert_cmpint(status.last_due, ==, 0);
  g_assert_cmpint(status.next_run, ==, BEGIN + 30 * MINUTE);
  tick(f, 30);
  tick(f, 60);
  g_assert_true(px_task_status(f->project, px_tasks_get(f->project->tasks, "in"), &status, NULL));
  g_assert_cmpint(status.last_due, ==, BEGIN + HOUR);
  g_assert_cmpint(status.last_due_state, ==, PX_DUE_SKIPPED);
}

static void cleaning_is_queued_once_a_day(Fixture *f, gconstpointer data) {
  for (int hour = 0; hour <= 72; hour++) {
    g_assert_true(px_clean_tick(f->project, BEGIN + hour * HOUR, NULL) && px_clean_tick(f->project, BEGIN + hour * HOUR, NULL));
    g_assert_cmpint(jobs(f), <=, 1 + hour / 24);
    end_jobs(f);
  }
  g_assert_cmpint(jobs(f), ==, 3); /* not on the first day: there is nothing yet */
}

void add_schedule_tests(void) {
#define ADD(tasks, function) g_test_add("/flow/schedule/" #function, Fixture, tasks, fixture_set_up, function, fixture_tear_down)
  ADD(half_hours, new_task_begins_to_count_now);
  ADD(half_hours, time_is_due_once_whoever_looks);
  ADD(half_hours, run_that_is_going_is_not_started_again);
  ADD(half_hours, missed_times_are_one_run);
  ADD(half_hours_all, missed_times_are_a_run_each);
  ADD(half_hours_none, missed_times_are_forgotten);
  ADD(half_hours, changed_schedule_does_not_run_for_the_past);
  ADD(half_hours, clock_set_back_does_nothing_twice);
  ADD(half_hours, clock_set_forward_is_no_storm_and_no_standstill);
  ADD(half_hours, clock_of_another_year_is_forgotten);
  ADD(half_hours, disabled_task_does_not_count);
  ADD(half_hours, task_enabled_while_nobody_looked_begins_anew);
  ADD(half_hours, old_rows_are_removed);
  ADD(half_hours, task_tells_when_it_was_and_is_due);
  ADD(half_hours, cleaning_is_queued_once_a_day);
  ADD(held, held_files_go_on_at_their_own_time);
  ADD(by_default, schedule_at_the_top_is_every_tasks);
#undef ADD
}
