/* SPDX-License-Identifier: Apache-2.0 */
/* A filestore whose bytes are files of a storage. */
#include "queue/blobs.h"

#include "fixture.h"
#include "suites.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* sha256 of "hello" */
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

typedef struct {
  char *directory; /* of the storage */
  PxConfig *config;
  PxStorages *storages;
  PxBlobStorage *blobs;
  PxFilestore *store;
} Place;

static Place open_place(Fixture *f) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  Place place = {.directory = g_dir_make_tmp("px-blobs-XXXXXX", NULL)};
  g_autofree char *text = g_strdup_printf("storages: {depot: {type: file, directory: '%s'}}\n", place.directory);
  place.config = px_config_parse(text, "test.yaml", &error);
  place.storages = px_storages_read(place.config, complaints);
  place.blobs = px_blob_storage_new(f->db, place.storages, "depot");
  place.store = px_filestore_open_kept(&px_blob_storage_keeper, place.blobs, "in the storage depot", false, &error);
  g_assert_no_error(error);
  return place;
}

static void place_clear(Place *place) {
  px_filestore_close(place->store);
  px_blob_storage_free(place->blobs);
  px_storages_free(place->storages);
  px_config_free(place->config);
  static const char *const folders[] = {"2c", "spools"};
  for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_autofree char *folder = g_build_filename(place->directory, folders[i], NULL);
    (void)g_rmdir(folder);
  }
  g_assert_cmpint(g_rmdir(place->directory), ==, 0); /* all that was put has been removed */
  g_free(place->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static char *file_of(const Place *place, const char *name) {
  return g_build_filename(place->directory, name, NULL);
}

static void add_hello(Place *place) {
  g_autoptr(GError) error = NULL;
  PxBlob blob;
  int fd;
  g_autoptr(PxNewBlob) new_blob = px_filestore_begin(place->store, &fd, &error);
  g_assert_cmpint(write(fd, "hello", 5), ==, 5);
  bool added = px_filestore_commit(g_steal_pointer(&new_blob), &blob, &error);
  g_assert_no_error(error);
  g_assert_true(added);
  g_assert_cmpstr(blob.sha256, ==, HELLO);
}

static void assert_text(int fd, const char *expected) {
  char text[16] = "";
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(read(fd, text, sizeof text - 1), ==, (ssize_t)strlen(expected));
  g_assert_cmpstr(text, ==, expected);
  g_assert_cmpint(close(fd), ==, 0);
}

static void touch_all(Fixture *f, int64_t at) {
  g_autofree char *sql = g_strdup_printf("UPDATE pattimpex_blob SET touched = %" G_GINT64_FORMAT, at);
  g_assert_true(px_db_exec(f->db, sql, NULL));
}

static bool is_needed(const char *sha256, bool *ret_needed, void *data, GError **error) {
  *ret_needed = false;
  return true;
}

static uint64_t collected(Place *place, int64_t before) {
  PxCollected collected;
  g_assert_true(px_filestore_collect(place->store, before, is_needed, NULL, &collected, NULL));
  return collected.blobs;
}

static void bytes_are_files_until_nobody_needs_them(Fixture *f, gconstpointer data) {
  g_auto(Place) place = open_place(f);
  g_autofree char *file = file_of(&place, "2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  add_hello(&place);
  add_hello(&place);
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "hello");
  assert_text(px_filestore_read(place.store, HELLO, NULL), "hello");
  g_assert_cmpuint(collected(&place, g_get_real_time() - G_TIME_SPAN_HOUR), ==, 0);
  g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
  g_assert_cmpuint(collected(&place, g_get_real_time() + G_TIME_SPAN_HOUR), ==, 1);
  g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
}

/* A program was killed between a file and its row. */
static void old_row_is_not_believed(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_auto(Place) place = open_place(f);
  g_autofree char *file = file_of(&place, "2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  add_hello(&place);
  g_assert_cmpint(g_unlink(file), ==, 0);
  touch_all(f, g_get_real_time() - 2 * G_TIME_SPAN_HOUR);
  g_assert_cmpint(px_filestore_read(place.store, HELLO, &error), ==, -1);
  g_assert_error(error, PX_ERROR, PX_ERROR_NOT_FOUND);
  add_hello(&place);
  assert_text(px_filestore_read(place.store, HELLO, NULL), "hello");
  g_assert_cmpint(g_unlink(file), ==, 0);
  g_assert_cmpuint(collected(&place, g_get_real_time() + G_TIME_SPAN_HOUR), ==, 1); /* the file that it would remove is gone */
  g_assert_cmpuint(collected(&place, g_get_real_time() + G_TIME_SPAN_HOUR), ==, 0);
}

static void other_bytes_are_told(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_auto(Place) place = open_place(f);
  g_autofree char *file = file_of(&place, "2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  add_hello(&place);
  g_assert_true(g_file_set_contents(file, "hullo", 5, NULL));
  g_assert_cmpint(px_filestore_read(place.store, HELLO, &error), ==, -1);
  g_assert_error(error, PX_ERROR, PX_ERROR_UNREACHABLE);
  g_assert_nonnull(strstr(error->message, "in the storage depot"));
  touch_all(f, 0);
  add_hello(&place); /* and mended, when the file comes once more */
  assert_text(px_filestore_read(place.store, HELLO, NULL), "hello");
  g_assert_cmpuint(collected(&place, g_get_real_time() + G_TIME_SPAN_HOUR), ==, 1);
}

static void spools_come_and_go(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_auto(Place) place = open_place(f);
  const int *fds;
  g_autoptr(PxNewSpools) spools = px_filestore_spools_begin(place.store, "7-1", 2, &fds, &error);
  g_assert_cmpint(write(fds[0], "xx", 2), ==, 2);
  g_assert_cmpint(write(fds[1], "yyy", 3), ==, 3);
  g_assert_true(px_filestore_spools_commit(g_steal_pointer(&spools), &error));
  assert_text(px_filestore_spool_read(place.store, "7-1", 1, &error), "yyy");
  assert_text(px_filestore_spool_read(place.store, "7-1", 0, &error), "xx");
  g_autoptr(GPtrArray) old = px_filestore_spools_old(place.store, g_get_real_time() / G_USEC_PER_SEC + 2 * 24 * 60 * 60);
  g_assert_cmpuint(old->len, ==, 1);
  g_assert_cmpstr(old->pdata[0], ==, "7-1");
  px_filestore_spools_remove(place.store, "7-1");
  g_assert_cmpint(px_filestore_spool_read(place.store, "8-1", 0, NULL), ==, -1);
}

void add_blob_storage(void) {
  ADD("blob_storage/files_until_nobody_needs_them", bytes_are_files_until_nobody_needs_them);
  ADD("blob_storage/old_row_is_not_believed", old_row_is_not_believed);
  ADD("blob_storage/other_bytes_are_told", other_bytes_are_told);
  ADD("blob_storage/spools_come_and_go", spools_come_and_go);
}
