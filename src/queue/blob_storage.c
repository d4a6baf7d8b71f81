/* SPDX-License-Identifier: Apache-2.0 */
/* A filestore whose bytes are files of a storage: blobs as ab/cdef..., spools in spools/. Rows without pieces tell which are there, so nothing is
 * ever listed, and no clock of a server is believed. */
#include "queue/blobs.h"

#include "base/hook.h"
#include "queue/blobs_private.h"

#include <string.h>
#include <unistd.h>

#define ROW "storage/" /* what the names of its rows begin with: those of a filestore in the database do not */

/* A row that was touched so lately stands for bytes that are there. What an older one stands for may be on its way, or may have gone with a program
 * that was killed: it is put once more, which leaves alone what is there. */
#define TRUSTED G_TIME_SPAN_HOUR
/* As old as this is the row of bytes on their way: not to be trusted yet, but younger than what the collector removes (24 hours). */
#define ON_ITS_WAY (12 * G_TIME_SPAN_HOUR)

struct PxBlobStorage {
  PxDb *db;
  const PxStorages *storages;
  char *name;
  PxStorage *storage; /* its own: a task may be reading from one of that name */
};

PxBlobStorage *px_blob_storage_new(PxDb *db, const PxStorages *storages, const char *name) {
  PxBlobStorage *self = g_new0(PxBlobStorage, 1);
  *self = (PxBlobStorage){.db = db, .storages = storages, .name = g_strdup(name)};
  return self;
}

void px_blob_storage_rest(PxBlobStorage *self) {
  g_clear_pointer(&self->storage, px_storage_close);
}

void px_blob_storage_free(PxBlobStorage *self) {
  if (!self)
    return;
  px_blob_storage_rest(self);
  g_free(self->name);
  g_free(self);
}

static PxStorage *storage_of(PxBlobStorage *self, GError **error) {
  if (self->storage && px_storage_keeps_connection(self->storage))
    return self->storage;
  g_clear_pointer(&self->storage, px_storage_close);
  self->storage = px_storage_open(self->storages, self->name, false, error);
  return self->storage;
}

static char *row_of(const char *name) {
  return g_strconcat(ROW, name, NULL);
}

/* "abcdef...": ab/cdef...; "spool:7-1/0": spools/7-1-0. Caller frees both. */
static char *place_of(const char *name, char **ret_path) {
  if (strlen(name) == PX_SHA256_CHARS) {
    *ret_path = g_strndup(name, 2);
    return g_strdup(name + 2);
  }
  *ret_path = g_strdup("spools");
  return g_strdelimit(g_strdup(strchr(name, ':') + 1), "/", '-');
}

static bool send(PxBlobStorage *self, const char *name, int fd, uint64_t size, GError **error) {
  PxStorage *storage = storage_of(self, error);
  g_autofree char *path = NULL;
  g_autofree char *file = place_of(name, &path);
  const char *sha256 = strlen(name) == PX_SHA256_CHARS ? name : NULL;
  return storage && px_storage_put(storage, path, file, fd, size, sha256, PX_EXISTS_REPLACE, NULL, error);
}

static bool put_one(PxBlobStorage *self, const char *name, int fd, GError **error) {
  g_autofree char *row = row_of(name);
  uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);
  PxBlobRow known;
  if (!px_blob_find(self->db, row, &known, error))
    return false;
  int64_t now = g_get_real_time();
  bool trusted = known.id && known.touched > now - TRUSTED;
  if (!px_blob_note(self->db, row, size, trusted ? now : now - ON_ITS_WAY, error))
    return false;
  if (trusted)
    return true;
  px_hook("filestore.noted");
  if (!send(self, name, fd, size, error))
    return false;
  px_hook("filestore.sent");
  return px_blob_note(self->db, row, size, g_get_real_time(), error);
}

static bool put(void *data, const char *const *names, const int *fds, size_t n, GError **error) {
  for (size_t i = 0; i < n; i++)
    if (!put_one(data, names[i], fds[i], error))
      return false;
  return true;
}

static bool get(void *data, const char *name, int to, GError **error) {
  PxBlobStorage *self = data;
  PxStorage *storage = storage_of(self, error);
  g_autofree char *path = NULL;
  g_autofree char *file = place_of(name, &path);
  PxFileInfo info;
  g_autoptr(PxReading) reading = storage ? px_storage_open_read(storage, path, file, &info, error) : NULL;
  if (reading)
    return px_storage_copy_to(reading, to, error);
  if (storage && error && g_error_matches(*error, PX_ERROR, PX_ERROR_NOT_FOUND))
    g_prefix_error(error, "filestore in the storage %s, give the file again, or bring it back from a backup: ", self->name);
  return false;
}

static GPtrArray *old(void *data, const char *prefix, const char *behind, int64_t before, GError **error) {
  const PxBlobStorage *self = data;
  g_autofree char *first = row_of(prefix);
  g_autofree char *last = row_of(behind);
  GPtrArray *some = px_blob_old(self->db, first, last, before, error);
  for (guint i = 0; some && i < some->len; i++) {
    PxKeptBytes *kept = some->pdata[i];
    memmove(kept->name, kept->name + strlen(ROW), strlen(kept->name + strlen(ROW)) + 1);
  }
  return some;
}

/* A file that is gone already is one of a program that was killed behind this. */
static bool remove_file(const char *row, void *data, GError **error) {
  PxStorage *storage = storage_of(data, error);
  g_autoptr(GError) problem = NULL;
  g_autofree char *path = NULL;
  g_autofree char *file = place_of(row + strlen(ROW), &path);
  if (!storage)
    return false;
  if (px_storage_remove(storage, path, file, &problem) || g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

static bool remove_bytes(void *data, const char *name, int64_t before, GError **error) {
  PxBlobStorage *self = data;
  g_autofree char *row = row_of(name);
  return px_blob_remove(self->db, row, before, remove_file, self, error);
}

const PxByteKeeper px_blob_storage_keeper = {.put = put, .get = get, .old = old, .remove = remove_bytes};
