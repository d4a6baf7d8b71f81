/* SPDX-License-Identifier: Apache-2.0 */
/* A filestore in the database. */
#include "queue/blobs.h"

#include "fixture.h"
#include "suites.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define LARGE (600 * 1024) /* several pieces */

static PxFilestore *open_store(Fixture *f) {
  g_autoptr(GError) error = NULL;
  PxFilestore *store = px_filestore_open_kept(&px_blob_keeper, f->db, "in the database", false, &error);
  g_assert_no_error(error);
  return store;
}

static PxBlob add(PxFilestore *store, char fill, size_t size) {
  g_autoptr(GError) error = NULL;
  PxBlob blob;
  int fd;
  g_autofree char *bytes = g_malloc(size + 1);
  memset(bytes, fill, size);
  g_autoptr(PxNewBlob) new_blob = px_filestore_begin(store, &fd, &error);
  g_assert_no_error(error);
  g_assert_cmpint(write(fd, bytes, size), ==, (ssize_t)size);
  g_assert_true(px_filestore_commit(g_steal_pointer(&new_blob), &blob, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(blob.size, ==, size);
  return blob;
}

static void assert_is(int fd, char fill, size_t size) {
  g_autofree char *bytes = g_malloc(size + 1);
  g_autofree char *expected = g_malloc(size + 1);
  memset(expected, fill, size);
  g_assert_cmpint(fd, >=, 0);
  size_t len = 0;
  for (ssize_t n; (n = read(fd, bytes + len, size + 1 - len)) > 0;)
    len += (size_t)n;
  g_assert_cmpuint(len, ==, size);
  g_assert_cmpint(memcmp(bytes, expected, size), ==, 0);
  g_assert_cmpint(close(fd), ==, 0);
}

static int64_t count(Fixture *f, const char *table) {
  g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM pattimpex_%s", table);
  PxStmt *stmt = px_db_prepare(f->db, sql, NULL);
  g_assert_cmpint(px_stmt_step(stmt, NULL), ==, PX_STEP_ROW);
  int64_t n = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return n;
}

static void bytes_come_back_elsewhere(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  PxBlob large;
  PxBlob empty;
  {
    g_autoptr(PxFilestore) store = open_store(f);
    large = add(store, 'a', LARGE);
    empty = add(store, 'b', 0);
    (void)add(store, 'a', LARGE); /* once more */
  }
  g_assert_cmpint(count(f, "blob"), ==, 2);
  g_autoptr(PxFilestore) store = open_store(f);
  assert_is(px_filestore_read(store, large.sha256, &error), 'a', LARGE);
  assert_is(px_filestore_read(store, empty.sha256, &error), 'b', 0);
  empty.sha256[0] = empty.sha256[0] == '0' ? '1' : '0';
  g_assert_cmpint(px_filestore_read(store, empty.sha256, &error), ==, -1);
  g_assert_error(error, PX_ERROR, PX_ERROR_NOT_FOUND);
}

static void other_bytes_are_told(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxFilestore) store = open_store(f);
  PxBlob blob = add(store, 'a', LARGE);
  g_assert_true(px_db_exec(f->db, "UPDATE pattimpex_blob_piece SET bytes = (SELECT bytes FROM pattimpex_blob_piece WHERE n = 2) WHERE n = 2", NULL));
  assert_is(px_filestore_read(store, blob.sha256, &error), 'a', LARGE);
  (void)add(store, 'c', LARGE);
  g_assert_true(px_db_exec(f->db,
                           "UPDATE pattimpex_blob_piece SET bytes = (SELECT p.bytes FROM pattimpex_blob_piece AS p WHERE p.blob_id = 2 AND p.n = 0)"
                           " WHERE blob_id = 1 AND n = 0",
                           NULL));
  g_assert_cmpint(px_filestore_read(store, blob.sha256, &error), ==, -1);
  g_assert_error(error, PX_ERROR, PX_ERROR_UNREACHABLE);
}

static bool is_needed(const char *sha256, bool *ret_needed, void *data, GError **error) {
  *ret_needed = strcmp(sha256, data) == 0;
  return true;
}

static void what_nobody_needs_is_removed_when_it_is_old(Fixture *f, gconstpointer data) {
  g_autoptr(PxFilestore) store = open_store(f);
  PxBlob wanted = add(store, 'a', 10);
  (void)add(store, 'b', LARGE);
  PxCollected collected;
  g_assert_true(px_filestore_collect(store, NOW, is_needed, wanted.sha256, &collected, NULL)); /* all are younger */
  g_assert_cmpuint(collected.blobs, ==, 0);
  g_assert_true(px_filestore_collect(store, g_get_real_time() + G_TIME_SPAN_HOUR, is_needed, wanted.sha256, &collected, NULL));
  g_assert_cmpuint(collected.blobs, ==, 1);
  g_assert_cmpuint(collected.bytes, ==, LARGE);
  g_assert_cmpint(count(f, "blob"), ==, 1);
  g_assert_cmpint(count(f, "blob_piece"), ==, 1);
}

static void spools_are_there_whole_and_go(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  {
    g_autoptr(PxFilestore) store = open_store(f);
    const int *fds;
    g_autoptr(PxNewSpools) spools = px_filestore_spools_begin(store, "7-1", 2, &fds, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(fds[0], "xx", 2), ==, 2);
    g_assert_cmpint(write(fds[1], "yyy", 3), ==, 3);
    g_assert_true(px_filestore_spools_commit(g_steal_pointer(&spools), &error));
  }
  g_autoptr(PxFilestore) store = open_store(f);
  assert_is(px_filestore_spool_read(store, "7-1", 1, &error), 'y', 3);
  assert_is(px_filestore_spool_read(store, "7-1", 1, &error), 'y', 3); /* from its beginning */
  assert_is(px_filestore_spool_read(store, "7-1", 0, &error), 'x', 2);
  g_autoptr(GPtrArray) young = px_filestore_spools_old(store, g_get_real_time() / G_USEC_PER_SEC);
  g_assert_cmpuint(young->len, ==, 0);
  g_autoptr(GPtrArray) old = px_filestore_spools_old(store, g_get_real_time() / G_USEC_PER_SEC + 2 * 24 * 60 * 60);
  g_assert_cmpuint(old->len, ==, 1);
  g_assert_cmpstr(old->pdata[0], ==, "7-1");
  px_filestore_spools_remove(store, "7-1");
  g_assert_cmpint(count(f, "blob"), ==, 0);
}

static void dry_run_keeps_nothing(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxFilestore) real = open_store(f);
  PxBlob there = add(real, 'a', 10);
  g_autoptr(PxFilestore) store = px_filestore_open_kept(&px_blob_keeper, f->db, "in the database", true, &error);
  g_assert_no_error(error);
  PxBlob blob = add(store, 'b', 20);
  assert_is(px_filestore_read(store, blob.sha256, &error), 'b', 20);
  assert_is(px_filestore_read(store, there.sha256, &error), 'a', 10);
  g_assert_cmpint(count(f, "blob"), ==, 1);
}

/* Two of them are the same. */
static void batch_is_there_with_its_commit(Fixture *f, gconstpointer data) {
  static const char *const texts[] = {"one", "two", "one", ""};
  g_autoptr(GError) error = NULL;
  g_autoptr(PxFilestore) store = open_store(f);
  g_autofree char *directory = g_dir_make_tmp("px-blobs-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(directory, "file", NULL);
  g_autofree char *text = g_strdup_printf("storages: {drop: {type: file, directory: '%s'}}\n", directory);
  g_autoptr(PxConfig) config = px_config_parse(text, "test.yaml", &error);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  g_autoptr(PxStorage) storage = px_storage_open(storages, "drop", false, &error);
  PxBlob blobs[G_N_ELEMENTS(texts)];
  PxBlobBatch *batch = px_filestore_batch_begin(store);
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    PxFileInfo info;
    g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
    g_autoptr(PxReading) reading = px_storage_open_read(storage, "", "file", &info, &error);
    g_assert_true(px_filestore_batch_add(batch, reading, &blobs[i], &error));
  }
  g_assert_cmpint(count(f, "blob"), ==, 0);
  g_assert_true(px_filestore_batch_commit(batch, &error));
  g_assert_cmpint(count(f, "blob"), ==, 3);
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    char found[8] = "";
    int fd = px_filestore_read(store, blobs[i].sha256, &error);
    g_assert_cmpint(read(fd, found, sizeof found - 1), ==, (ssize_t)strlen(texts[i]));
    g_assert_cmpstr(found, ==, texts[i]);
    (void)close(fd);
  }
  (void)g_unlink(path);
  (void)g_rmdir(directory);
}

void add_blobs(void) {
  ADD("blobs/batch_is_there_with_its_commit", batch_is_there_with_its_commit);
  ADD("blobs/come_back_elsewhere", bytes_come_back_elsewhere);
  ADD("blobs/that_were_changed_are_told", other_bytes_are_told);
  ADD("blobs/that_nobody_needs_are_removed_when_old", what_nobody_needs_is_removed_when_it_is_old);
  ADD("blobs/spools_are_there_whole_and_go", spools_are_there_whole_and_go);
  ADD("blobs/dry_run_keeps_nothing", dry_run_keeps_nothing);
}
