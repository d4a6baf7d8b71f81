/* SPDX-License-Identifier: Apache-2.0 */
#include "test_storage.h"

#include "storage/file_private.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Puts text as out/a.csv; gives the name it got, NULL with an error. */
static char *put(PxStorage *storage, const char *text, PxOnExists on_exists, GError **error) {
  g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  char *name = NULL;
  int fd = text_fd(text);
  bool ok = px_storage_put(storage, "out", "a.csv", fd, strlen(text), sha256, on_exists, &name, error);
  (void)close(fd);
  g_assert_cmpint(ok, ==, name != NULL);
  return name;
}

static void assert_put(PxStorage *storage, const char *text, PxOnExists on_exists, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_autofree char *name = put(storage, text, on_exists, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(name, ==, expected);
}

static void replace(Fixture *fixture, const void *data) {
  assert_put(fixture->storage, "one", PX_EXISTS_REPLACE, "a.csv");
  assert_put(fixture->storage, "two", PX_EXISTS_REPLACE, "a.csv");
  assert_file(fixture, "out/a.csv", "two");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "out/ out/a.csv");
}

static void number(Fixture *fixture, const void *data) {
  assert_put(fixture->storage, "one", PX_EXISTS_NUMBER, "a.csv");
  assert_put(fixture->storage, "two", PX_EXISTS_NUMBER, "a-1.csv");
  assert_put(fixture->storage, "drei", PX_EXISTS_NUMBER, "a-2.csv");
  assert_put(fixture->storage, "two", PX_EXISTS_NUMBER, "a-1.csv");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "out/ out/a-1.csv out/a-2.csv out/a.csv");
}

static void refuse(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  assert_put(fixture->storage, "one", PX_EXISTS_FAIL, "a.csv");
  g_autofree char *name = put(fixture->storage, "two", PX_EXISTS_FAIL, &error);
  assert_fails(name != NULL, &error, PX_ERROR_EXISTS, "storage drop: out/a.csv: there is a file of that name already");
  assert_file(fixture, "out/a.csv", "one");
  assert_put(fixture->storage, "one", PX_EXISTS_FAIL, "a.csv");
}

static void without_renameat2(Fixture *fixture, const void *data) {
  px_file_quirks = PX_FILE_NO_RENAMEAT2 | PX_FILE_NO_OPENAT2;
  number(fixture, data);
}

static void same_bytes_are_not_written_again(Fixture *fixture, const void *data) {
  struct stat before;
  struct stat after;
  g_autofree char *path = g_build_filename(fixture->drop, "out/a.csv", NULL);
  assert_put(fixture->storage, "one", PX_EXISTS_REPLACE, "a.csv");
  g_assert_cmpint(stat(path, &before), ==, 0);
  assert_put(fixture->storage, "one", PX_EXISTS_REPLACE, "a.csv");
  g_assert_cmpint(stat(path, &after), ==, 0);
  g_assert_cmpuint(before.st_ino, ==, after.st_ino);
}

static void a_checksum_that_nobody_gave_is_found_out(Fixture *fixture, const void *data) {
  const char *const texts[] = {"one", "one", "two"};
  const bool expected[] = {true, true, false};
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GError) error = NULL;
    int fd = text_fd(texts[i]);
    g_assert_cmpint(lseek(fd, 2, SEEK_SET), ==, 2);
    g_assert_cmpint(px_storage_put(fixture->storage, "out", "a.csv", fd, 3, NULL, PX_EXISTS_FAIL, NULL, &error), ==, expected[i]);
    g_assert_cmpint(g_error_matches(error, PX_ERROR, PX_ERROR_EXISTS), ==, !expected[i]);
    (void)close(fd);
  }
  assert_file(fixture, "out/a.csv", "one");
}

static void over_a_link(Fixture *fixture, const void *data) {
  g_autofree char *outside = g_build_filename(fixture->directory, "outside", NULL);
  g_autofree char *path = g_build_filename(fixture->drop, "out/a.csv", NULL);
  g_assert_true(g_file_set_contents(outside, "keep", -1, NULL));
  make_directory(fixture, "out");
  g_assert_cmpint(symlink(outside, path), ==, 0);
  assert_put(fixture->storage, "one", PX_EXISTS_REPLACE, "a.csv");
  assert_file(fixture, "../outside", "keep");
  assert_file(fixture, "out/a.csv", "one");
  g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK));
}

static void over_a_directory(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  make_directory(fixture, "out/a.csv");
  g_autofree char *name = put(fixture->storage, "one", PX_EXISTS_REPLACE, &error);
  assert_fails(name != NULL, &error, PX_ERROR_REFUSED, "out/a.csv");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "out/ out/a.csv/");
}

static void names(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  static const char *const bad[] = {"a/b", "..", "", "a\nb", ".pattimpex-5"};
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
    assert_fails(px_storage_put(fixture->storage, "", bad[i], -1, 0, "", PX_EXISTS_NUMBER, NULL, &error), &error, PX_ERROR_REFUSED,
                 "storage drop: \"");
  g_autofree char *names_now = tree(fixture);
  g_assert_cmpstr(names_now, ==, "");
}

static void wrong_size(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  int fd = text_fd("four");
  assert_fails(px_storage_put(fixture->storage, "", "a", fd, 5, "", PX_EXISTS_NUMBER, NULL, &error), &error, PX_ERROR_TRANSIENT,
               "fewer than the 5 bytes");
  assert_fails(px_storage_put(fixture->storage, "", "a", fd, 3, "", PX_EXISTS_NUMBER, NULL, &error), &error, PX_ERROR_TRANSIENT,
               "more than the 3 bytes");
  (void)close(fd);
  g_autofree char *names_now = tree(fixture);
  g_assert_cmpstr(names_now, ==, "");
}

static void disk_full(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  struct rlimit old;
  assert_put(fixture->storage, "old", PX_EXISTS_REPLACE, "a.csv");
  g_autofree char *big = g_strnfill(100000, 'x');
  int fd = text_fd(big);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
  const struct rlimit small = {.rlim_cur = 4096, .rlim_max = old.rlim_max};
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  bool ok = px_storage_put(fixture->storage, "out", "a.csv", fd, 100000, "", PX_EXISTS_REPLACE, NULL, &error);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
  (void)close(fd);
  assert_fails(ok, &error, PX_ERROR_TRANSIENT, "make room and run again");
  assert_file(fixture, "out/a.csv", "old");
  g_autofree char *names_now = tree(fixture);
  g_assert_cmpstr(names_now, ==, "out/ out/a.csv");
}

static void old_temporary_files_go(Fixture *fixture, const void *data) {
  make_directory(fixture, "out");
  write_file(fixture, "out/.pattimpex-tmp-old", "");
  write_file(fixture, "out/.pattimpex-tmp-new", "");
  write_file(fixture, "out/.pattimpex-5", "");
  const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  static const char *const old[] = {"out/.pattimpex-tmp-old", "out/.pattimpex-5"};
  for (size_t i = 0; i < G_N_ELEMENTS(old); i++) {
    g_autofree char *path = g_build_filename(fixture->drop, old[i], NULL);
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  }
  assert_put(fixture->storage, "one", PX_EXISTS_REPLACE, "a.csv");
  g_autofree char *names_now = tree(fixture);
  g_assert_cmpstr(names_now, ==, "out/ out/.pattimpex-5 out/.pattimpex-tmp-new out/a.csv");
}

static void dry_run(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  make_directory(fixture, "out");
  write_file(fixture, "out/a.csv", "old");
  g_autofree char *before = tree(fixture);
  assert_put(fixture->dry, "new", PX_EXISTS_REPLACE, "a.csv");
  assert_put(fixture->dry, "new", PX_EXISTS_NUMBER, "a-1.csv");
  g_autofree char *refused = put(fixture->dry, "new", PX_EXISTS_FAIL, &error);
  assert_fails(refused != NULL, &error, PX_ERROR_EXISTS, "out/a.csv");
  g_assert_true(px_storage_move(fixture->dry, "out", "a.csv", "done", "b.csv", NULL));
  assert_fails(px_storage_move(fixture->dry, "out", "a.csv", "out", "a.csv", &error), &error, PX_ERROR_EXISTS, "out/a.csv");
  assert_fails(px_storage_move(fixture->dry, "out", "b.csv", "out", "c.csv", &error), &error, PX_ERROR_NOT_FOUND, "out/b.csv");
  g_autofree char *name = NULL;
  g_assert_true(px_storage_move_numbered(fixture->dry, "out", "a.csv", "out", "a.csv", &name, NULL));
  g_assert_cmpstr(name, ==, "a-1.csv");
  g_assert_true(px_storage_remove(fixture->dry, "out", "a.csv", NULL));
  g_assert_true(px_storage_check(fixture->dry, true, NULL));
  g_autofree char *after = tree(fixture);
  g_assert_cmpstr(before, ==, after);
  assert_file(fixture, "out/a.csv", "old");
}

void add_put_tests(void) {
  add_for_all("put_replace", replace);
  add_for_all("put_number", number);
  add_for_all("put_fail", refuse);
  ADD("/storage/put/without_renameat2", without_renameat2);
  add_for_all("put_same_bytes_are_not_written_again", same_bytes_are_not_written_again);
  add_for_all("put_a_checksum_that_nobody_gave_is_found_out", a_checksum_that_nobody_gave_is_found_out);
  add_for_trees("put_over_a_link", over_a_link);
  add_for_trees("put_over_a_directory", over_a_directory);
  add_for_all("put_bad_names", names);
  add_for_all("put_wrong_size_leaves_nothing", wrong_size);
  ADD("/storage/put/disk_full_leaves_the_old_file", disk_full);
  add_for_trees("put_old_temporary_files_go", old_temporary_files_go);
  add_for_all("put_dry_run_writes_nothing", dry_run);
}
