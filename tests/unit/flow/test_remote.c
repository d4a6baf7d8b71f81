/* SPDX-License-Identifier: Apache-2.0 */
/* Remote files: what is taken when, and what becomes of them. */
#include "suites.h"

static const char move[] = "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done}}\n";
static const char rename_[] = "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: rename, new_name: 'seen-${obj.name}'}}\n";
static const char content[] =
  "import_tasks: {in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, avoid_duplicates: content}}\n";
static const char row[] = "email#key,name\ncarol@x.test,Carol\n";
static const char other_row[] = "email#key,name\ndave@x.test,Dave\n";

/* The attachment of a file in in/ with these bytes, as after the fetch was committed. */
static PxAttachment *fetched_as(Fixture *f, const char *name, const char *text, PxRemoteAction action) {
  PxFileInfo info;
  g_autofree char *path = g_strconcat("drop/in/", name, NULL);
  PxBlob blob;
  PxDb *db = f->project->db;
  const PxTask *task = px_tasks_get(f->project->tasks, "in");
  fixture_write(f, path, text, 60);
  g_autoptr(PxStorage) storage = px_storage_open(f->project->storages, "drop", false, NULL);
  g_autoptr(PxReading) reading = px_storage_open_read(storage, "in", name, &info, NULL);
  g_assert_true(px_filestore_add_reading(f->project->filestore, reading, &blob, NULL));
  PxAttachment *attachment = px_fetch_attachment(task, "in", name, &blob);
  attachment->remote_key = px_remote_key("in", &info);
  attachment->remote_action = action;
  attachment->state = PX_STATE_DONE;
  g_assert_true(px_db_begin(db, PX_TX_WRITE, NULL));
  g_assert_true(px_attachment_add(db, attachment, f->now, NULL));
  if (action == PX_REMOTE_TAKEN) {
    attachment->remote_held = g_strdup_printf(".pattimpex-%" G_GINT64_FORMAT, attachment->id);
    g_assert_true(px_attachment_store_remote(db, attachment, f->now, NULL));
  }
  g_assert_true(px_db_commit(db, NULL));
  return attachment;
}

static PxAttachment *fetched(Fixture *f, const char *text, PxRemoteAction action) {
  return fetched_as(f, "a.csv", text, action);
}

static void rename_file(const Fixture *f, const char *from, const char *to) {
  g_autofree char *old = fixture_path(f, from);
  g_autofree char *new = fixture_path(f, to);
  g_assert_cmpint(g_rename(old, new), ==, 0);
}

static void young_file_waits(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", row, 1);
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/in/a.csv"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment"), ==, 0);
  f->now += 1 * G_TIME_SPAN_SECOND;
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/done/a.csv"));
}

static void other_bytes_are_a_new_attachment(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) old = fetched(f, row, PX_REMOTE_PENDING);
  fixture_write(f, "drop/in/a.csv", other_row, 30); /* between the reading and the renaming */
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE remote_action = 'done'"), ==, 2);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name = 'Dave'"), ==, 1);
  g_autofree char *moved = fixture_read(f, "drop/done/a.csv");
  g_assert_cmpstr(moved, ==, other_row);
}

static void goes_on_after_the_first_rename(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) old = fetched(f, row, PX_REMOTE_PENDING);
  rename_file(f, "drop/in/a.csv", "drop/in/.pattimpex-1");
  fixture_write(f, "drop/in/a.csv", other_row, 30); /* dropped again meanwhile */
  (void)fixture_run(f);
  g_autofree char *first = fixture_read(f, "drop/done/a.csv");
  g_assert_cmpstr(first, ==, row);
  g_autofree char *second = fixture_read(f, "drop/done/a-1.csv");
  g_assert_cmpstr(second, ==, other_row);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment"), ==, 2);
}

static void taken_and_put_away_is_done(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) old = fetched(f, row, PX_REMOTE_TAKEN);
  rename_file(f, "drop/in/a.csv", "drop/elsewhere.csv");
  PxRunResult result = fixture_run(f);
  g_assert_cmpint(px_run_exit_status(&result), ==, 0);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE remote_action = 'done' AND remote_key IS NULL"), ==, 1);
}

static void renamed_file_is_not_fetched_again(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", row, 60);
  (void)fixture_run(f);
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/in/seen-a.csv"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment"), ==, 1);
}

static void kill_after_renaming_in_place_is_noticed(Fixture *f, gconstpointer data) {
  g_autoptr(PxAttachment) old = fetched(f, row, PX_REMOTE_TAKEN);
  fixture_exec(f, "UPDATE pattimpex_attachment SET moved_to = 'seen-a.csv'");
  rename_file(f, "drop/in/a.csv", "drop/in/seen-a.csv");
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment"), ==, 1);
  g_assert_true(fixture_exists(f, "drop/in/seen-a.csv"));
}

static void duplicate_is_read_once_and_left(Fixture *f, gconstpointer data) {
  fixture_write(f, "drop/in/a.csv", row, 60);
  fixture_write(f, "drop/in/b.csv", row, 60);
  (void)fixture_run(f);
  (void)fixture_run(f);
  g_assert_true(fixture_exists(f, "drop/in/b.csv"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE state = 'duplicate'"), ==, 1);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_file"), ==, 1);
}

/* Each of several comes to its own end. */
static void files_of_one_batch_end_each_in_its_way(Fixture *f, gconstpointer data) {
  static const char erin[] = "email#key,name\nerin@x.test,Erin\n";
  g_autoptr(PxAttachment) same = fetched_as(f, "a.csv", row, PX_REMOTE_PENDING);
  g_autoptr(PxAttachment) changed = fetched_as(f, "b.csv", erin, PX_REMOTE_PENDING);
  g_autoptr(PxAttachment) gone = fetched_as(f, "c.csv", erin, PX_REMOTE_PENDING);
  g_autoptr(PxAttachment) held = fetched_as(f, "d.csv", erin, PX_REMOTE_TAKEN);
  g_autoptr(PxAttachment) other = fetched_as(f, "e.csv", row, PX_REMOTE_PENDING);
  g_autofree char *held_path = g_strconcat("drop/in/", held->remote_held, NULL);
  g_autofree char *gone_path = fixture_path(f, "drop/in/c.csv");
  fixture_write(f, "drop/in/b.csv", other_row, 30);
  rename_file(f, "drop/in/d.csv", held_path);
  g_assert_cmpint(g_unlink(gone_path), ==, 0);
  (void)fixture_run(f);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE remote_action = 'done'"), ==, 6);
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM pattimpex_attachment WHERE moved_to IS NOT NULL"), ==, 4);
  g_autofree char *moved = fixture_read(f, "drop/done/b.csv");
  g_assert_cmpstr(moved, ==, other_row);
  g_assert_true(fixture_exists(f, "drop/done/a.csv") && fixture_exists(f, "drop/done/d.csv") && fixture_exists(f, "drop/done/e.csv"));
  g_assert_false(fixture_exists(f, "drop/done/c.csv"));
  g_assert_cmpint(fixture_ask(f, "SELECT count(*) FROM partner WHERE name = 'Dave'"), ==, 1);
}

void add_remote_tests(void) {
#define ADD(path, tasks, function) g_test_add("/flow/remote/" path, Fixture, tasks, fixture_set_up, function, fixture_tear_down)
  ADD("young_file_waits", move, young_file_waits);
  ADD("other_bytes_are_a_new_attachment", move, other_bytes_are_a_new_attachment);
  ADD("files_of_one_batch_end_each_in_its_way", move, files_of_one_batch_end_each_in_its_way);
  ADD("goes_on_after_the_first_rename", move, goes_on_after_the_first_rename);
  ADD("taken_and_put_away_is_done", move, taken_and_put_away_is_done);
  ADD("renamed_file_is_not_fetched_again", rename_, renamed_file_is_not_fetched_again);
  ADD("kill_after_renaming_in_place_is_noticed", rename_, kill_after_renaming_in_place_is_noticed);
  ADD("duplicate_is_read_once_and_left", content, duplicate_is_read_once_and_left);
#undef ADD
}
