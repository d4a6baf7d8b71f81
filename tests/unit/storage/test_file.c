/* SPDX-License-Identifier: Apache-2.0 */
#include "test_storage.h"

#include "storage/file_private.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool opens(PxStorage *storage, const char *path, const char *name, GError **error) {
  PxFileInfo info;
  g_autoptr(PxReading) reading = px_storage_open_read(storage, path, name, &info, error);
  return reading != NULL;
}

/* Each name, with "!" where it is refused. */
static bool note(const PxFileInfo *file, void *data) {
  GString *names = data;
  g_string_append_printf(names, "%s%s%s", names->len ? " " : "", file->name, file->refused ? "!" : "");
  return true;
}

static void assert_list(PxStorage *storage, const char *path, bool leftovers, const char *expected) {
  g_autoptr(GString) names = g_string_new(NULL);
  g_autoptr(GError) error = NULL;
  g_assert_true(px_storage_list(storage, path, leftovers, note, names, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(names->str, ==, expected);
}

static void link_in(const Fixture *fixture, const char *target, const char *name) {
  g_autofree char *path = g_build_filename(fixture->drop, name, NULL);
  g_assert_cmpint(symlink(target, path), ==, 0);
}

static void listing(Fixture *fixture, const void *data) {
  write_file(fixture, "b.csv", "");
  write_file(fixture, "a.csv", "");
  write_file(fixture, ".hidden", "");
  write_file(fixture, ".pattimpex-12", "");
  write_file(fixture, ".pattimpex-7.part", "");
  write_file(fixture, ".pattimpex-tmp-0123", "");
  bool has_bad_name = !driver_lacks(data, LACKS_LINE_ENDS);
  if (has_bad_name)
    write_file(fixture, "bad\nname", "");
  write_file(fixture, "Z", "");
  make_directory(fixture, "in/deep");
  assert_list(fixture->storage, "", false, has_bad_name ? "Z a.csv b.csv bad\nname!" : "Z a.csv b.csv");
  assert_list(fixture->storage, "", true, ".pattimpex-12 .pattimpex-7.part");
  assert_list(fixture->storage, "in", false, "");
  assert_list(fixture->storage, "none/at/all", false, "");
}

static bool stop(const PxFileInfo *file, void *data) {
  ++*(unsigned *)data;
  return false;
}

static void listing_stops(Fixture *fixture, const void *data) {
  unsigned n = 0;
  write_file(fixture, "a", "");
  write_file(fixture, "b", "");
  g_assert_true(px_storage_list(fixture->storage, "", false, stop, &n, NULL));
  g_assert_cmpuint(n, ==, 1);
}

static void odd_files(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  if (data && driver_lacks(data, LACKS_KINDS)) {
    g_test_skip("the server tells nothing of links and pipes");
    return;
  }
  g_autofree char *fifo = g_build_filename(fixture->drop, "fifo", NULL);
  g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
  link_in(fixture, "fifo", "link");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  (void)g_snprintf(address.sun_path, sizeof address.sun_path, "%s/sock", fixture->drop);
  g_assert_cmpint(bind(s, (struct sockaddr *)&address, sizeof address), ==, 0);
  (void)close(s);
  assert_list(fixture->storage, "", false, "fifo! link! sock!");
  assert_fails(opens(fixture->storage, "", "fifo", &error), &error, PX_ERROR_REFUSED, "storage drop: fifo: it is a pipe");
  assert_fails(opens(fixture->storage, "", "link", &error), &error, PX_ERROR_REFUSED, "symbolic link");
  assert_fails(opens(fixture->storage, "", "sock", &error), &error, PX_ERROR_REFUSED, "sock");
  assert_fails(opens(fixture->storage, "", "gone", &error), &error, PX_ERROR_NOT_FOUND, "gone");
  assert_fails(px_storage_move(fixture->storage, "", "fifo", "", "x", &error), &error, PX_ERROR_REFUSED, "pipe");
}

static void opened(Fixture *fixture, const void *data) {
  PxFileInfo info;
  struct stat status;
  make_directory(fixture, "in");
  write_file(fixture, "in/a.csv", "hello");
  g_autoptr(PxReading) reading = px_storage_open_read(fixture->storage, "in/", "a.csv", &info, NULL);
  g_assert_nonnull(reading);
  g_autofree char *path = g_build_filename(fixture->drop, "in/a.csv", NULL);
  g_assert_cmpint(stat(path, &status), ==, 0);
  char text[8];
  g_assert_cmpint(px_storage_read(reading, text, sizeof text, NULL), ==, 5);
  g_assert_cmpstr(info.name, ==, "a.csv");
  g_assert_cmpuint(info.size, ==, 5);
  g_assert_cmpint(info.mtime_ns / 1000000000, ==, status.st_mtim.tv_sec);
  g_assert_cmpint(info.mtime_ns % 1000000000, ==, status.st_mtim.tv_nsec);
  g_assert_null(info.refused);
  g_autofree char *inode = g_strdup_printf("%lu:", (unsigned long)status.st_ino);
  g_assert_true(g_str_has_prefix(info.identity, inode));
}

static void whole_second_is_coarse(Fixture *fixture, const void *data) {
  PxFileInfo info;
  write_file(fixture, "a", "");
  g_autofree char *path = g_build_filename(fixture->drop, "a", NULL);
  const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  g_autoptr(PxReading) reading = px_storage_open_read(fixture->storage, "", "a", &info, NULL);
  g_assert_nonnull(reading);
  g_assert_cmpint(info.mtime_precision_ns, ==, INT64_C(2000000000));
}

/* Symbolic links lead nowhere, neither as a directory on the way nor as the file; nor does "..". */
static void cannot_leave(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  if (data && driver_lacks(data, LACKS_KINDS)) {
    g_test_skip("the server tells nothing of links and pipes");
    return;
  }
  g_autofree char *outside = g_build_filename(fixture->directory, "outside", NULL);
  g_assert_true(g_file_set_contents(outside, "secret", -1, NULL));
  link_in(fixture, "..", "up");
  link_in(fixture, outside, "file");
  make_directory(fixture, "in");
  link_in(fixture, "in", "inside");
  PxStorage *storage = fixture->storage;
  assert_fails(opens(storage, "up", "outside", &error), &error, PX_ERROR_REFUSED, "up/outside");
  assert_fails(opens(storage, "", "file", &error), &error, PX_ERROR_REFUSED, "file");
  assert_fails(opens(storage, "..", "outside", &error), &error, PX_ERROR_CONFIG, "..");
  assert_fails(opens(storage, "", "../outside", &error), &error, PX_ERROR_REFUSED, "/");
  assert_fails(opens(storage, fixture->directory, "outside", &error), &error, PX_ERROR_CONFIG, "begins with /");
  assert_fails(px_storage_list(storage, "up", false, note, NULL, &error), &error, PX_ERROR_REFUSED, "up");
  assert_fails(px_storage_list(storage, "inside", false, note, NULL, &error), &error, PX_ERROR_REFUSED, "inside");
  write_file(fixture, "mine", "");
  assert_fails(px_storage_move(storage, "", "mine", "up/new", "mine", &error), &error, PX_ERROR_REFUSED, "storage drop: up");
  assert_fails(px_storage_move(storage, "up", "outside", "", "mine2", &error), &error, PX_ERROR_REFUSED, "up/outside");
  assert_fails(px_storage_remove(storage, "up", "outside", &error), &error, PX_ERROR_REFUSED, "up/outside");
  int fd = text_fd("x");
  assert_fails(px_storage_put(storage, "up/new", "x", fd, 1, "", PX_EXISTS_REPLACE, NULL, &error), &error, PX_ERROR_REFUSED, "storage drop: up");
  (void)close(fd);
}

static void cannot_leave_without_openat2(Fixture *fixture, const void *data) {
  px_file_quirks = PX_FILE_NO_OPENAT2;
  cannot_leave(fixture, data);
  opened(fixture, data);
}

static void move(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  write_file(fixture, "a.csv", "one");
  write_file(fixture, "b.csv", "two");
  PxStorage *storage = fixture->storage;
  g_assert_true(px_storage_move(storage, "", "a.csv", "done/deep", ".pattimpex-1", &error));
  g_assert_no_error(error);
  assert_file(fixture, "done/deep/.pattimpex-1", "one");
  assert_fails(px_storage_move(storage, "", "a.csv", "", "c", &error), &error, PX_ERROR_NOT_FOUND, "a.csv");
  assert_fails(px_storage_move(storage, "none", "a.csv", "", "c", &error), &error, PX_ERROR_NOT_FOUND, "none/a.csv");
  assert_fails(px_storage_move(storage, "", "b.csv", "done/deep", ".pattimpex-1", &error), &error, PX_ERROR_EXISTS, "done/deep/.pattimpex-1");
  assert_file(fixture, "b.csv", "two");
  assert_file(fixture, "done/deep/.pattimpex-1", "one");
}

static void move_numbered(Fixture *fixture, const void *data) {
  static const char *const expected[] = {"a.tar.gz", "a.tar-1.gz", "a.tar-2.gz"};
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_autofree char *name = NULL;
    write_file(fixture, "x", expected[i]);
    g_assert_true(px_storage_move_numbered(fixture->storage, "", "x", "done", "a.tar.gz", &name, NULL));
    g_assert_cmpstr(name, ==, expected[i]);
  }
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "done/ done/a.tar-1.gz done/a.tar-2.gz done/a.tar.gz");
}

/* What is put off is there at once, but for a machine that crashes; a folder that is gone meanwhile needs no sync. */
static void what_is_put_off_is_settled(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxStorage *storage = fixture->storage;
  make_directory(fixture, "in");
  make_directory(fixture, "gone");
  write_file(fixture, "in/a", "one");
  write_file(fixture, "in/b", "two");
  write_file(fixture, "gone/c", "three");
  px_storage_put_off(storage);
  g_assert_true(px_storage_move(storage, "in", "a", "done", "a", NULL));
  g_assert_true(px_storage_remove(storage, "in", "b", NULL));
  g_assert_true(px_storage_move(storage, "gone", "c", "done", "c", NULL));
  g_autofree char *gone = g_build_filename(fixture->drop, "gone", NULL);
  g_assert_cmpint(rmdir(gone), ==, 0);
  g_assert_true(px_storage_settle(storage, &error));
  g_assert_no_error(error);
  g_assert_true(px_storage_settle(storage, &error));
  g_assert_true(px_storage_move(storage, "done", "c", "in", "c", NULL));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "done/ done/a in/ in/c");
}

static void long_names_are_cut(Fixture *fixture, const void *data) {
  g_autoptr(GString) longest = g_string_new("x");
  for (unsigned i = 0; i < 125; i++)
    g_string_append(longest, "é");
  g_string_append(longest, ".csv");
  g_assert_cmpuint(longest->len, ==, 255);
  for (unsigned i = 0; i < 2; i++) {
    g_autofree char *name = NULL;
    write_file(fixture, "x", "");
    g_assert_true(px_storage_move_numbered(fixture->storage, "", "x", "done", longest->str, &name, NULL));
    g_assert_true(g_utf8_validate(name, -1, NULL));
    g_assert_cmpuint(strlen(name), <=, 255);
    g_assert_true(g_str_has_suffix(name, i ? "-1.csv" : "é.csv"));
  }
}

static void move_without_renameat2(Fixture *fixture, const void *data) {
  px_file_quirks = PX_FILE_NO_RENAMEAT2;
  move(fixture, data);
}

/* A process that died between link and unlink left both names. */
static void half_a_move_is_finished(Fixture *fixture, const void *data) {
  px_file_quirks = PX_FILE_NO_RENAMEAT2;
  write_file(fixture, "a", "one");
  g_autofree char *a = g_build_filename(fixture->drop, "a", NULL);
  g_autofree char *b = g_build_filename(fixture->drop, "b", NULL);
  g_assert_cmpint(link(a, b), ==, 0);
  g_assert_true(px_storage_move(fixture->storage, "", "a", "", "b", NULL));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "b");
}

static void move_to_another_device(Fixture *fixture, const void *data) {
  PxFileInfo before;
  PxFileInfo after;
  write_file(fixture, "old", "old");
  px_storage_close_read(px_storage_open_read(fixture->storage, "", "old", &before, NULL));
  px_file_quirks = PX_FILE_OTHER_DEVICE;
  g_assert_true(px_storage_move(fixture->storage, "", "old", "there", "new", NULL));
  px_storage_close_read(px_storage_open_read(fixture->storage, "there", "new", &after, NULL));
  g_assert_cmpint(before.mtime_ns, ==, after.mtime_ns);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "there/ there/new");
  assert_file(fixture, "there/new", "old");
}

/* A process that died before it removed the source left the copy with its time; any other file of that name is no copy. */
static void half_a_copy_is_finished(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  const struct timespec times[] = {{.tv_sec = 1000, .tv_nsec = 5}, {.tv_sec = 1000, .tv_nsec = 5}};
  static const char *const names[] = {"a", "done/a", "b", "done/b"};
  static const char *const texts[] = {"one", "one", "one", "two"};
  make_directory(fixture, "done");
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(fixture->drop, names[i], NULL);
    write_file(fixture, names[i], texts[i]);
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  }
  px_file_quirks = PX_FILE_OTHER_DEVICE;
  g_assert_true(px_storage_move(fixture->storage, "", "a", "done", "a", NULL));
  assert_fails(px_storage_move(fixture->storage, "", "b", "done", "b", &error), &error, PX_ERROR_EXISTS, "done/b");
  g_autofree char *left = tree(fixture);
  g_assert_cmpstr(left, ==, "b done/ done/a done/b");
}

/* With a file system of its own that is really there, small enough to fill. */
static void real_other_device(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *mounted = g_build_filename(fixture->drop, "small", NULL);
  make_directory(fixture, "small");
  if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", mounted, "tmpfs", 0, "size=64k") < 0) {
    g_test_skip("needs the right to mount");
    return;
  }
  g_autofree char *big = g_strnfill(200000, 'x');
  write_file(fixture, "a", "one");
  write_file(fixture, "big", big);
  PxStorage *storage = fixture->storage;
  g_assert_true(px_storage_move(storage, "", "a", "small", "a", &error));
  assert_fails(px_storage_move(storage, "", "big", "small", "big", &error), &error, PX_ERROR_TRANSIENT, "make room and run again");
  assert_file(fixture, "small/a", "one");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "big small/ small/a");
  g_assert_cmpint(umount2(mounted, MNT_DETACH), ==, 0);
}

static void numbered_to_another_device(Fixture *fixture, const void *data) {
  px_file_quirks = PX_FILE_OTHER_DEVICE;
  move_numbered(fixture, data);
}

static void remove_file(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  make_directory(fixture, "in");
  write_file(fixture, "in/a", "");
  g_assert_true(px_storage_remove(fixture->storage, "in", "a", NULL));
  assert_fails(px_storage_remove(fixture->storage, "in", "a", &error), &error, PX_ERROR_NOT_FOUND, "in/a");
  assert_fails(px_storage_remove(fixture->storage, "none", "a", &error), &error, PX_ERROR_NOT_FOUND, "none/a");
}

static void remove_directory(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  make_directory(fixture, "in");
  assert_fails(px_storage_remove(fixture->storage, "", "in", &error), &error, PX_ERROR_REFUSED, "in");
}

static void check(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  g_assert_true(px_storage_check(fixture->storage, true, &error));
  g_assert_true(px_storage_check(fixture->storage, false, &error));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "");
}

void add_file_tests(void) {
  add_for_all("listing", listing);
  add_for_all("listing_stops_when_told", listing_stops);
  add_for_trees("pipes_and_links_are_refused", odd_files);
  ADD("/storage/file/opened", opened);
  ADD("/storage/file/whole_second_is_coarse", whole_second_is_coarse);
  add_for_trees("cannot_leave", cannot_leave);
  ADD("/storage/file/cannot_leave_without_openat2", cannot_leave_without_openat2);
  add_for_all("move_never_overwrites", move);
  add_for_all("move_numbered", move_numbered);
  ADD("/storage/file/what_is_put_off_is_settled", what_is_put_off_is_settled);
  add_for_all("long_names_are_cut", long_names_are_cut);
  ADD("/storage/file/move_without_renameat2", move_without_renameat2);
  ADD("/storage/file/half_a_move_is_finished", half_a_move_is_finished);
  ADD("/storage/file/move_to_another_device", move_to_another_device);
  ADD("/storage/file/half_a_copy_is_finished", half_a_copy_is_finished);
  ADD("/storage/file/real_other_device", real_other_device);
  ADD("/storage/file/numbered_to_another_device", numbered_to_another_device);
  add_for_all("remove", remove_file);
  add_for_trees("remove_directory", remove_directory);
  add_for_all("check", check);
}
