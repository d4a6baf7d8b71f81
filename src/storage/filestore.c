/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/filestore_private.h"

#include "base/hook.h"
#include "storage/bytes_private.h"
#include "storage/storage_private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_DIRECTORY "tmp"
#define PASSING "pattimpex-bytes-"
#define PRETENDED "pattimpex-dry-run-"
#define LEFT_AFTER_S 60

struct PxNewBlob {
  PxFilestore *store;
  int fd;
  int directory; /* of the temporary files */
  char *name;
};

bool px_filestore_fail(GError **error, PxError code, const char *directory, const char *doing) {
  g_set_error(error, PX_ERROR, (int)code, "filestore %s: cannot %s: %s", directory, doing, g_strerror(errno));
  return false;
}

/* ---- open and close */

static bool open_main(PxFilestore *store, bool dry_run, GError **error) {
  if (!dry_run && g_mkdir_with_parents(store->directory, 0700) < 0)
    return px_filestore_fail(error, PX_ERROR_UNREACHABLE, store->directory, "make it");
  store->fd = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (store->fd < 0 && !(dry_run && errno == ENOENT))
    return px_filestore_fail(error, PX_ERROR_UNREACHABLE, store->directory, "open it");
  if (dry_run)
    return true;
  bool is_new = mkdirat(store->fd, TEMPORARY_DIRECTORY, 0700) == 0;
  if (!is_new && errno != EEXIST)
    return px_filestore_fail(error, PX_ERROR_UNREACHABLE, store->directory, "write in it");
  PX_AUTO_FD parent = is_new ? openat(store->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (parent >= 0 && (!px_bytes_sync_directory(store->fd, error) || !px_bytes_sync_directory(parent, error)))
    return false;
  PX_AUTO_FD temporary = openat(store->fd, TEMPORARY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (temporary >= 0)
    px_bytes_sweep(temporary, PX_NEW_BLOB, g_get_real_time() / G_USEC_PER_SEC);
  return true;
}

/* Whether a directory for passing bytes has no process any more: each locks its own as long as it lives. One that is just being made is not locked
 * yet. */
static bool is_left_behind(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_uid == geteuid() && g_get_real_time() / G_USEC_PER_SEC - status.st_mtime > LEFT_AFTER_S &&
         flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Removes what processes that were killed have left in the folder for temporary files. */
static void sweep_temporary(void) {
  g_autoptr(GDir) folder = g_dir_open(g_get_tmp_dir(), 0, NULL);
  for (const char *name; folder && (name = g_dir_read_name(folder));) {
    if (!g_str_has_prefix(name, PASSING) && !g_str_has_prefix(name, PRETENDED))
      continue;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), name, NULL);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
      continue;
    if (!is_left_behind(fd)) {
      px_fd_clear(&fd);
      continue;
    }
    px_bytes_remove_all(fd, 2);
    (void)g_rmdir(path);
  }
}

static bool open_dry(PxFilestore *store, GError **error) {
  g_autoptr(GError) problem = NULL;
  sweep_temporary();
  store->dry_directory = g_dir_make_tmp(store->keeper && !store->pretends ? PASSING "XXXXXX" : PRETENDED "XXXXXX", &problem);
  if (!store->dry_directory) {
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "filestore: %s; set TMPDIR to a directory that can be written", problem->message);
    return false;
  }
  store->dry_fd = open(store->dry_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (store->dry_fd >= 0)
    (void)flock(store->dry_fd, LOCK_EX | LOCK_NB); /* where that cannot be, nobody else can and takes it for left */
  if (store->dry_fd < 0 || mkdirat(store->dry_fd, TEMPORARY_DIRECTORY, 0700) < 0)
    return px_filestore_fail(error, PX_ERROR_UNREACHABLE, store->dry_directory, "open it");
  return true;
}

PxFilestore *px_filestore_open(const char *directory, bool dry_run, GError **error) {
  g_autoptr(PxFilestore) store = g_new0(PxFilestore, 1);
  *store = (PxFilestore){.directory = g_strdup(directory), .fd = -1, .dry_fd = -1};
  if (!open_main(store, dry_run, error) || (dry_run && !open_dry(store, error)))
    return NULL;
  return g_steal_pointer(&store);
}

PxFilestore *px_filestore_open_kept(const PxByteKeeper *keeper, void *data, const char *where, bool dry_run, GError **error) {
  g_autoptr(PxFilestore) store = g_new0(PxFilestore, 1);
  *store =
    (PxFilestore){.directory = g_strdup(where), .fd = -1, .dry_fd = -1, .keeper = keeper, .keeper_data = data, .pretends = dry_run, .spool_fd = -1};
  return open_dry(store, error) ? g_steal_pointer(&store) : NULL;
}

void px_filestore_close(PxFilestore *store) {
  if (!store)
    return;
  if (store->keeper)
    px_fd_clear(&store->spool_fd);
  g_free(store->spool);
  if (store->dry_fd >= 0)
    px_bytes_remove_all(store->dry_fd, 2);
  if (store->dry_directory)
    (void)g_rmdir(store->dry_directory);
  px_fd_clear(&store->fd);
  g_free(store->dry_directory);
  g_free(store->directory);
  g_free(store);
}

/* ---- new blobs */

static int writable(const PxFilestore *store) {
  return store->dry_fd >= 0 ? store->dry_fd : store->fd;
}

const char *px_filestore_writable_directory(const PxFilestore *store) {
  return store->dry_directory ? store->dry_directory : store->directory;
}

int px_filestore_open_temporary(const PxFilestore *store, GError **error) {
  int fd = openat(writable(store), TEMPORARY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, px_filestore_writable_directory(store), "write in it");
  return fd;
}

int px_filestore_new_file(const PxFilestore *store, int directory, char **ret_name, GError **error) {
  int fd = px_bytes_temporary(directory, PX_NEW_BLOB, "", 0600, ret_name);
  if (fd < 0)
    (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, px_filestore_writable_directory(store), "write in it");
  return fd;
}

PxNewBlob *px_filestore_begin(PxFilestore *store, int *ret_fd, GError **error) {
  g_autofree char *name = NULL;
  PX_AUTO_FD directory = px_filestore_open_temporary(store, error);
  int fd = directory >= 0 ? px_filestore_new_file(store, directory, &name, error) : -1;
  if (fd < 0)
    return NULL;
  PxNewBlob *blob = g_new(PxNewBlob, 1);
  *blob = (PxNewBlob){.store = store, .fd = fd, .directory = px_fd_steal(&directory), .name = g_steal_pointer(&name)};
  *ret_fd = fd;
  return blob;
}

static void new_blob_free(PxNewBlob *blob) {
  px_fd_clear(&blob->fd);
  px_fd_clear(&blob->directory);
  g_free(blob->name);
  g_free(blob);
}

void px_filestore_abandon(PxNewBlob *blob) {
  if (!blob)
    return;
  (void)unlinkat(blob->directory, blob->name, 0);
  new_blob_free(blob);
}

int px_filestore_open_prefix(const PxFilestore *store, const char *sha256, bool *ret_made) {
  const char prefix[] = {sha256[0], sha256[1], 0};
  int fd = openat(writable(store), prefix, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  *ret_made = fd < 0 && errno == ENOENT;
  if (!*ret_made)
    return fd;
  if (mkdirat(writable(store), prefix, 0700) < 0 && errno != EEXIST)
    return -1;
  return openat(writable(store), prefix, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool px_filestore_sync_root(const PxFilestore *store, GError **error) {
  return px_bytes_sync_directory(writable(store), error);
}

bool px_filestore_touch(int directory, const char *sha256, uint64_t size) {
  struct stat status;
  const char *name = sha256 + 2;
  return utimensat(directory, name, NULL, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode) && (uint64_t)status.st_size == size;
}

/* Gives the bytes their name. The temporary name is gone when this returns true, unless the blob was there before. */
static bool place(PxNewBlob *new, const PxBlob *blob, bool *ret_was_there, GError **error) {
  bool made;
  PX_AUTO_FD directory = px_filestore_open_prefix(new->store, blob->sha256, &made);
  if (directory < 0)
    return px_filestore_fail(error, PX_ERROR_TRANSIENT, px_filestore_writable_directory(new->store), "write in it");
  if (made && !px_filestore_sync_root(new->store, error))
    return false;
  *ret_was_there = px_filestore_touch(directory, blob->sha256, blob->size);
  if (!*ret_was_there) {
    if (!px_bytes_sync(new->fd, error))
      return false;
    px_hook("filestore.written");
    if (renameat(new->directory, new->name, directory, blob->sha256 + 2) < 0)
      return px_filestore_fail(error, PX_ERROR_TRANSIENT, px_filestore_writable_directory(new->store), "rename a new blob");
    px_hook("filestore.renamed");
  }
  return px_bytes_sync_directory(directory, error);
}

/* Frees new in any case. */
static bool keep(PxNewBlob *new, const PxBlob *blob, PxBlob *ret_blob, GError **error) {
  bool was_there = true;
  bool elsewhere = new->store->keeper && !new->store->pretends;
  bool ok = elsewhere ? px_kept_put(new->store, blob->sha256, new->fd, error) : place(new, blob, &was_there, error);
  if (ok && !was_there)
    new_blob_free(new);
  else
    px_filestore_abandon(new);
  if (ok)
    *ret_blob = *blob;
  return ok;
}

bool px_filestore_commit(PxNewBlob *new, PxBlob *ret_blob, GError **error) {
  PxBlob blob;
  if (lseek(new->fd, 0, SEEK_SET) < 0 || !px_bytes_copy(new->fd, -1, UINT64_MAX, blob.sha256, &blob.size, error)) {
    g_prefix_error(error, "filestore %s: ", px_filestore_writable_directory(new->store));
    px_filestore_abandon(new);
    return false;
  }
  return keep(new, &blob, ret_blob, error);
}

bool px_filestore_add(PxFilestore *store, int fd, PxBlob *ret_blob, GError **error) {
  PxBlob blob;
  int new_fd;
  PxNewBlob *new = px_filestore_begin(store, &new_fd, error);
  if (!new)
    return false;
  if (px_bytes_copy(fd, new_fd, UINT64_MAX, blob.sha256, &blob.size, error))
    return keep(new, &blob, ret_blob, error);
  g_prefix_error(error, "filestore %s: ", px_filestore_writable_directory(store));
  px_filestore_abandon(new);
  return false;
}

static ssize_t pull_reading(void *source, void *buffer, size_t size, GError **error) {
  return px_storage_read(source, buffer, size, error);
}

bool px_filestore_pump(const PxFilestore *store, PxReading *reading, int fd, PxBlob *ret_blob, GError **error) {
  if (px_bytes_pump(pull_reading, reading, fd, UINT64_MAX, ret_blob->sha256, &ret_blob->size, error))
    return true;
  if (!reading->failed)
    g_prefix_error(error, "filestore %s: ", px_filestore_writable_directory(store));
  return false;
}

bool px_filestore_add_reading(PxFilestore *store, PxReading *reading, PxBlob *ret_blob, GError **error) {
  PxBlob blob;
  int new_fd;
  PxNewBlob *new = px_filestore_begin(store, &new_fd, error);
  if (!new)
    return false;
  if (px_filestore_pump(store, reading, new_fd, &blob, error))
    return keep(new, &blob, ret_blob, error);
  px_filestore_abandon(new);
  return false;
}

/* ---- reading */

static bool is_sha256(const char *text) {
  return strspn(text, "0123456789abcdef") == PX_SHA256_CHARS && text[PX_SHA256_CHARS] == 0;
}

int px_filestore_read(PxFilestore *store, const char *sha256, GError **error) {
  const int places[] = {store->dry_fd, store->fd};
  g_autofree char *path = is_sha256(sha256) ? g_strdup_printf("%.2s/%s", sha256, sha256 + 2) : NULL;
  errno = ENOENT;
  for (size_t i = 0; path && i < G_N_ELEMENTS(places); i++) {
    int fd = places[i] >= 0 ? openat(places[i], path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0)
      return fd;
  }
  if (store->keeper && path && errno == ENOENT)
    return px_kept_read(store, sha256, error);
  if (errno == ENOENT) {
    g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "filestore %s: the blob %s is gone: give the file again, or bring the filestore back",
                store->directory, sha256);
    return -1;
  }
  g_autofree char *doing = g_strdup_printf("open the blob %s", sha256);
  (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, store->directory, doing);
  return -1;
}
