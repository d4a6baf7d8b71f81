/* SPDX-License-Identifier: Apache-2.0 */
#include "test_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static PxFilestore *open_store(const Fixture *fixture) {
  g_autofree char *path = g_build_filename(fixture->drop, "store", NULL);
  g_autoptr(GError) error = NULL;
  PxFilestore *store = px_filestore_open(path, false, &error);
  g_assert_no_error(error);
  return store;
}

static PxNewSpools *begin(PxFilestore *store, const char *name) {
  g_autoptr(GError) error = NULL;
  const int *fds;
  PxNewSpools *spools = px_filestore_spools_begin(store, name, 2, &fds, &error);
  g_assert_no_error(error);
  g_assert_cmpint(write(fds[0], "zero", 4), ==, 4);
  g_assert_cmpint(write(fds[1], "one", 3), ==, 3);
  return spools;
}

static void make(PxFilestore *store, const char *name) {
  g_autoptr(GError) error = NULL;
  bool made = px_filestore_spools_commit(begin(store, name), &error);
  g_assert_no_error(error);
  g_assert_true(made);
}

static mode_t mode_of(const Fixture *fixture, const char *name) {
  struct stat status;
  g_autofree char *path = g_build_filename(fixture->drop, "store/spools", name, NULL);
  g_assert_cmpint(stat(path, &status), ==, 0);
  return status.st_mode & 0777;
}

static void are_there_when_committed(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture);
  char found[8] = "";
  g_autoptr(PxNewSpools) spools = begin(store, "7-1");
  g_assert_cmpint(px_filestore_spool_read(store, "7-1", 1, NULL), ==, -1);
  g_assert_true(px_filestore_spools_commit(g_steal_pointer(&spools), NULL));
  int fd = px_filestore_spool_read(store, "7-1", 1, NULL);
  g_assert_cmpint(read(fd, found, sizeof found), ==, 3);
  g_assert_cmpstr(found, ==, "one");
  (void)close(fd);
  g_assert_cmpint(mode_of(fixture, ""), ==, 0700);
  g_assert_cmpint(mode_of(fixture, "7-1"), ==, 0700);
  g_assert_cmpint(mode_of(fixture, "7-1/0"), ==, 0600);
}

static void abandoned_leave_nothing(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture);
  px_filestore_spools_abandon(begin(store, "7-1"));
  g_autofree char *names = tree(fixture);
  g_assert_cmpstr(names, ==, "store/ store/spools/ store/tmp/");
}

static void removed_are_told_so(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture);
  g_autoptr(GError) error = NULL;
  make(store, "7-1");
  px_filestore_spools_remove(store, "7-1");
  px_filestore_spools_remove(store, "7-1");
  g_assert_cmpint(px_filestore_spool_read(store, "7-1", 0, &error), ==, -1);
  g_assert_error(error, PX_ERROR, PX_ERROR_NOT_FOUND);
  g_assert_nonnull(strstr(error->message, "retry the whole file"));
}

static void make_old(const Fixture *fixture, const char *name) {
  g_autofree char *path = g_build_filename(fixture->drop, "store/spools", name, NULL);
  const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static void old_ones_are_named_and_half_written_ones_removed(Fixture *fixture, const void *data) {
  g_autoptr(PxFilestore) store = open_store(fixture);
  make(store, "7-1");
  make(store, "8-2");
  g_autoptr(PxNewSpools) half = begin(store, "9-1");
  make_old(fixture, "7-1");
  make_old(fixture, ".9-1");
  g_autoptr(GPtrArray) names = px_filestore_spools_old(store, g_get_real_time() / G_USEC_PER_SEC);
  g_assert_cmpuint(names->len, ==, 1);
  g_assert_cmpstr(names->pdata[0], ==, "7-1");
  g_autofree char *all = tree(fixture);
  g_assert_null(strstr(all, ".9-1"));
}

void add_spools_tests(void) {
  ADD("/filestore/spools/are_there_when_committed", are_there_when_committed);
  ADD("/filestore/spools/abandoned_leave_nothing", abandoned_leave_nothing);
  ADD("/filestore/spools/removed_are_told_so", removed_are_told_so);
  ADD("/filestore/spools/old_ones_are_named_and_half_written_ones_removed", old_ones_are_named_and_half_written_ones_removed);
}
