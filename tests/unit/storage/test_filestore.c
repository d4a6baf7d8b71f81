/* SPDX-License-Identifier: Apache-2.0 */
#include "test_storage.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define HELLO_PATH "2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* The filestore is the fixture's drop/store, so that the helpers see its files. */
static PxFilestore *open_store(const Fixture *fixture, bool dry_run) {
  g_autofree char *path = g_build_filename(fixture->drop, "store", NULL);
  g_autoptr(GError) error = NULL;
  PxFilestore *store = px_filestore_open(path, dry_run, &error);
  g_assert_no_error(error);
  return store;
}

static void add(PxFilestore *store, const char *text, PxBlob *ret_blob) {
  g_autoptr(GError) error = NULL;
  int fd = text_fd(text);
  g_assert_true(px_filestore_add(store, fd, ret_blob, &error));
  g_assert_no_error(error);
  (void)close(fd);
}

static void assert_blob(PxFilestore *store, const char *sha256, const char *text) {
  char found[64] = "";
  int fd = px_filestore_read(store, sha256, NULL);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(read(fd, found, sizeof found - 1), ==, (gssize)strlen(text));
  g_assert_cmpstr(found, ==, text);
  (void)close(fd);
}

static mode_t mode_of(const Fixture *fixture, const char *name) {
  struct stat status;
  g_autofree char *path = g_build_filename(fixture->drop, name, NULL);
  g_assert_cmpint(stat(path, &status), ==, 0);
  return status.st_mode & 0777;
}

static void add_and_read(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  PxBlob blob;
  add(store, "hello", &blob);
  g_assert_cmpstr(blob.sha256, ==, HELLO_SHA256);
  g_assert_cmpuint(blob.size, ==, 5);
  assert_blob(store, HELLO_SHA256, "hello");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "store/ store/2c/ store/" HELLO_PATH " store/tmp/");
  g_assert_cmpint(mode_of(fixture, "store"), ==, 0700);
  g_assert_cmpint(mode_of(fixture, "store/2c"), ==, 0700);
  g_assert_cmpint(mode_of(fixture, "store/" HELLO_PATH), ==, 0600);
}

static void known_blob_is_touched(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  g_autofree char *path = g_build_filename(fixture->drop, "store", HELLO_PATH, NULL);
  const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  struct stat before;
  struct stat after;
  PxBlob blob;
  add(store, "hello", &blob);
  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  g_assert_cmpint(stat(path, &before), ==, 0);
  add(store, "hello", &blob);
  g_assert_cmpstr(blob.sha256, ==, HELLO_SHA256);
  g_assert_cmpint(stat(path, &after), ==, 0);
  g_assert_cmpuint(before.st_ino, ==, after.st_ino);
  g_assert_cmpint(after.st_mtim.tv_sec, >, 1000);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "store/ store/2c/ store/" HELLO_PATH " store/tmp/");
}

static void broken_blob_is_healed(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  PxBlob blob;
  add(store, "hello", &blob);
  write_file(fixture, "store/" HELLO_PATH, "hel");
  add(store, "hello", &blob);
  assert_blob(store, HELLO_SHA256, "hello");
}

static void empty(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  PxBlob blob;
  add(store, "", &blob);
  g_assert_cmpuint(blob.size, ==, 0);
  assert_blob(store, blob.sha256, "");
}

static void piece_by_piece(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  int fd = -1;
  PxBlob blob;
  PxNewBlob *new = px_filestore_begin(store, &fd, NULL);
  g_assert_cmpint(write(fd, "hel", 3), ==, 3);
  g_assert_cmpint(write(fd, "lo", 2), ==, 2);
  g_assert_true(px_filestore_commit(new, &blob, NULL));
  g_assert_cmpstr(blob.sha256, ==, HELLO_SHA256);
  assert_blob(store, HELLO_SHA256, "hello");
  px_filestore_abandon(px_filestore_begin(store, &fd, NULL));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "store/ store/2c/ store/" HELLO_PATH " store/tmp/");
}

static void disk_full(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  g_autoptr(GError) error = NULL;
  struct rlimit old;
  PxBlob blob;
  g_autofree char *big = g_strnfill(100000, 'x');
  int fd = text_fd(big);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
  const struct rlimit small = {.rlim_cur = 4096, .rlim_max = old.rlim_max};
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  bool ok = px_filestore_add(store, fd, &blob, &error);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
  (void)close(fd);
  assert_fails(ok, &error, PX_ERROR_TRANSIENT, "make room and run again");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "store/ store/tmp/");
}

static void missing(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  g_autoptr(GError) error = NULL;
  static const char *const none[] = {HELLO_SHA256, "", "../../etc/passwd", "2c"};
  for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
    assert_fails(px_filestore_read(store, none[i], &error) >= 0, &error, PX_ERROR_NOT_FOUND, "give the file again");
}

static void dry_run(Fixture *fixture, const void *data) {
  PxBlob blob;
  {
    g_autoptr(PxFilestore) store = open_store(fixture, false);
    add(store, "hello", &blob);
  }
  g_autofree char *before = tree(fixture);
  g_autoptr(PxFilestore) dry = open_store(fixture, true);
  assert_blob(dry, HELLO_SHA256, "hello");
  add(dry, "other", &blob);
  assert_blob(dry, blob.sha256, "other");
  g_autofree char *after = tree(fixture);
  g_assert_cmpstr(before, ==, after);
}

static unsigned dry_directories(void) {
  unsigned n = 0;
  g_autoptr(GDir) directory = g_dir_open(g_get_tmp_dir(), 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(directory)))
    n += g_str_has_prefix(name, "pattimpex-dry-run-") ? 1 : 0;
  return n;
}

static void dry_run_of_none(Fixture *fixture, const void *data) {
  PxBlob blob;
  PxFilestore *dry = open_store(fixture, true);
  g_assert_cmpuint(dry_directories(), ==, 1);
  add(dry, "hello", &blob);
  assert_blob(dry, HELLO_SHA256, "hello");
  px_filestore_close(dry);
  g_assert_cmpuint(dry_directories(), ==, 0);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "");
}

static void old_temporary_files_go(Fixture *fixture, const void *data) {
  px_filestore_close(open_store(fixture, false));
  write_file(fixture, "store/tmp/blob-old", "");
  write_file(fixture, "store/tmp/blob-new", "");
  g_autofree char *path = g_build_filename(fixture->drop, "store/tmp/blob-old", NULL);
  const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
  px_filestore_close(open_store(fixture, false));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "store/ store/tmp/ store/tmp/blob-new");
}

static void cannot_be_made(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  write_file(fixture, "file", "");
  g_autofree char *path = g_build_filename(fixture->drop, "file/store", NULL);
  g_autoptr(PxFilestore) store = px_filestore_open(path, false, &error);
  assert_fails(store != NULL, &error, PX_ERROR_UNREACHABLE, "file/store: cannot make it");
}

/* ---- batches */

static bool add_to(PxBlobBatch *batch, const Fixture *fixture, const char *name, PxBlob *ret_blob, GError **error) {
  PxFileInfo info;
  g_autoptr(PxReading) reading = px_storage_open_read(fixture->storage, "", name, &info, error);
  g_assert_nonnull(reading);
  return px_filestore_batch_add(batch, reading, ret_blob, error);
}

static void batch_is_there_with_its_commit(Fixture *fixture, const void *data) {
  enum { MANY = 300 };
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  g_autoptr(GError) error = NULL;
  PxBlob blobs[MANY];
  add(store, "text 7", &blobs[7]); /* one that is there before */
  PxBlobBatch *batch = px_filestore_batch_begin(store);
  for (unsigned i = 0; i < MANY; i++) {
    g_autofree char *text = g_strdup_printf("text %u", i % (MANY - 1)); /* and one twice */
    write_file(fixture, "file", text);
    g_assert_true(add_to(batch, fixture, "file", &blobs[i], &error));
  }
  g_assert_cmpint(px_filestore_read(store, blobs[0].sha256, NULL), ==, -1);
  g_assert_true(px_filestore_batch_commit(batch, &error));
  g_assert_no_error(error);
  for (unsigned i = 0; i < MANY; i++) {
    g_autofree char *text = g_strdup_printf("text %u", i % (MANY - 1));
    assert_blob(store, blobs[i].sha256, text);
  }
  g_autofree char *names = tree(fixture);
  g_assert_nonnull(strstr(names, " store/tmp/"));
  g_assert_null(strstr(names, "store/tmp/blob"));
}

static void small_batch_too(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  PxBlob blob;
  PxBlobBatch *batch = px_filestore_batch_begin(store);
  write_file(fixture, "file", "hello");
  g_assert_true(add_to(batch, fixture, "file", &blob, NULL));
  g_assert_true(px_filestore_batch_commit(batch, NULL));
  g_assert_true(px_filestore_batch_commit(px_filestore_batch_begin(store), NULL));
  assert_blob(store, HELLO_SHA256, "hello");
}

static void batch_without_commit_leaves_nothing(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  PxBlob blob;
  PxBlobBatch *batch = px_filestore_batch_begin(store);
  write_file(fixture, "file", "hello");
  g_assert_true(add_to(batch, fixture, "file", &blob, NULL));
  px_filestore_batch_abandon(batch);
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "file store/ store/tmp/");
}

static void file_that_cannot_be_stored_leaves_the_batch(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture, false);
  g_autoptr(GError) error = NULL;
  struct rlimit old;
  PxBlob blob;
  PxBlobBatch *batch = px_filestore_batch_begin(store);
  g_autofree char *big = g_strnfill(100000, 'x');
  write_file(fixture, "big", big);
  write_file(fixture, "file", "hello");
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
  const struct rlimit small = {.rlim_cur = 4096, .rlim_max = old.rlim_max};
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  bool ok = add_to(batch, fixture, "big", &blob, &error);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
  assert_fails(ok, &error, PX_ERROR_OUR_DISK, "make room and run again (the file has 100000 bytes; ");
  g_assert_true(add_to(batch, fixture, "file", &blob, NULL));
  g_assert_true(px_filestore_batch_commit(batch, NULL));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "big file store/ store/2c/ store/" HELLO_PATH " store/tmp/");
}

static void batch_of_a_dry_run(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) dry = open_store(fixture, true);
  PxBlob blob;
  PxBlobBatch *batch = px_filestore_batch_begin(dry);
  write_file(fixture, "file", "hello");
  g_assert_true(add_to(batch, fixture, "file", &blob, NULL));
  g_assert_true(px_filestore_batch_commit(batch, NULL));
  assert_blob(dry, HELLO_SHA256, "hello");
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "file");
}

void add_filestore_tests(void) {
  ADD("/filestore/batch/is_there_with_its_commit", batch_is_there_with_its_commit);
  ADD("/filestore/batch/of_one_or_none", small_batch_too);
  ADD("/filestore/batch/without_commit_leaves_nothing", batch_without_commit_leaves_nothing);
  ADD("/filestore/batch/file_that_cannot_be_stored_leaves_the_others", file_that_cannot_be_stored_leaves_the_batch);
  ADD("/filestore/batch/of_a_dry_run", batch_of_a_dry_run);
  ADD("/filestore/add_and_read", add_and_read);
  ADD("/filestore/known_blob_is_touched", known_blob_is_touched);
  ADD("/filestore/broken_blob_is_healed", broken_blob_is_healed);
  ADD("/filestore/empty_blob", empty);
  ADD("/filestore/piece_by_piece", piece_by_piece);
  ADD("/filestore/disk_full", disk_full);
  ADD("/filestore/missing_blob", missing);
  ADD("/filestore/dry_run_writes_nothing_in_it", dry_run);
  ADD("/filestore/dry_run_without_directory", dry_run_of_none);
  ADD("/filestore/old_temporary_files_go", old_temporary_files_go);
  ADD("/filestore/cannot_be_made", cannot_be_made);
}
