/* SPDX-License-Identifier: Apache-2.0 */
/* Several new blobs that become safe together: an fsync a file costs more than the file, when it is small. */
#include "base/hook.h"
#include "storage/bytes_private.h"
#include "storage/filestore_private.h"
#include "storage/storage_private.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#define TOGETHER 4 /* fewer are not worth what others wrote on the same file system */
#define EXT4 0xEF53
#define XFS 0x58465342
#define BTRFS 0x9123683EU
#define PREFIXES 256

typedef struct {
  PxBlob blob;
  char *name;
  int fd;
} Waiting;

struct PxBlobBatch {
  PxFilestore *store;
  int directory;   /* of the temporary files; -1: nothing was added yet */
  GArray *waiting; /* Waiting */
};

/* ---- what makes them safe */

/* syncfs(2) tells of errors since Linux 5.8. What is not known to hand it on to the disk (FUSE, overlays, network file systems) gets an fsync a
 * file. */
static bool syncs_whole(int fd) {
  struct statfs about;
  struct utsname kernel;
  char *point = NULL;
  if (fstatfs(fd, &about) < 0 || uname(&kernel) < 0)
    return false;
  guint64 major = g_ascii_strtoull(kernel.release, &point, 10);
  guint64 minor = *point == '.' ? g_ascii_strtoull(point + 1, NULL, 10) : 0;
  bool tells = major > 5 || (major == 5 && minor >= 8);
  return tells && (about.f_type == EXT4 || about.f_type == XFS || about.f_type == BTRFS);
}

static bool fail(const PxBlobBatch *batch, const char *doing, GError **error) {
  return px_filestore_fail(error, PX_ERROR_OUR_DISK, px_filestore_writable_directory(batch->store), doing);
}

static bool sync_whole(const PxBlobBatch *batch, GError **error) {
  return syncfs(batch->directory) == 0 || fail(batch, "write new blobs to the disk", error);
}

static bool sync_bytes(const PxBlobBatch *batch, bool whole, GError **error) {
  if (whole)
    return sync_whole(batch, error);
  for (guint i = 0; i < batch->waiting->len; i++)
    if (fsync(g_array_index(batch->waiting, Waiting, i).fd) < 0)
      return fail(batch, "write new blobs to the disk", error);
  return true;
}

/* ---- their names */

static bool give_name(const PxBlobBatch *batch, const Waiting *waiting, GError **error) {
  bool made;
  PX_AUTO_FD directory = px_filestore_open_prefix(batch->store, waiting->blob.sha256, &made);
  if (directory < 0)
    return fail(batch, "write in it", error);
  if (px_filestore_touch(directory, waiting->blob.sha256, waiting->blob.size)) {
    (void)unlinkat(batch->directory, waiting->name, 0);
    return true;
  }
  if (renameat(batch->directory, waiting->name, directory, waiting->blob.sha256 + 2) < 0)
    return fail(batch, "rename a new blob", error);
  px_hook("filestore.renamed");
  return true;
}

static unsigned prefix_of(const Waiting *waiting) {
  return (unsigned)(g_ascii_xdigit_value(waiting->blob.sha256[0]) * 16 + g_ascii_xdigit_value(waiting->blob.sha256[1]));
}

/* Also of blobs that were there: whoever put them there may not have come as far as this. */
static bool sync_names(const PxBlobBatch *batch, bool whole, GError **error) {
  bool seen[PREFIXES] = {false};
  if (whole)
    return sync_whole(batch, error);
  for (guint i = 0; i < batch->waiting->len; i++) {
    const Waiting *waiting = &g_array_index(batch->waiting, Waiting, i);
    bool made;
    if (seen[prefix_of(waiting)])
      continue;
    PX_AUTO_FD directory = px_filestore_open_prefix(batch->store, waiting->blob.sha256, &made);
    if (directory < 0)
      return fail(batch, "open a directory of blobs", error);
    if (!px_bytes_sync_directory(directory, error))
      return false;
    seen[prefix_of(waiting)] = true;
  }
  return px_filestore_sync_root(batch->store, error);
}

/* No name is given before its bytes are safe: a name stands for the whole blob. */
static bool keep_here(const PxBlobBatch *batch, GError **error) {
  bool dry = batch->store->dry_fd >= 0;
  bool whole = batch->waiting->len >= TOGETHER && syncs_whole(batch->directory);
  if (!dry && !sync_bytes(batch, whole, error))
    return false;
  px_hook("filestore.written");
  for (guint i = 0; i < batch->waiting->len; i++)
    if (!give_name(batch, &g_array_index(batch->waiting, Waiting, i), error))
      return false;
  return dry || sync_names(batch, whole, error);
}

static bool keep_elsewhere(const PxBlobBatch *batch, GError **error) {
  g_autofree const char **names = g_new(const char *, batch->waiting->len);
  g_autofree int *fds = g_new(int, batch->waiting->len);
  for (guint i = 0; i < batch->waiting->len; i++) {
    const Waiting *waiting = &g_array_index(batch->waiting, Waiting, i);
    names[i] = waiting->blob.sha256;
    fds[i] = waiting->fd;
  }
  return batch->store->keeper->put(batch->store->keeper_data, names, fds, batch->waiting->len, error);
}

/* ---- the batch */

PxBlobBatch *px_filestore_batch_begin(PxFilestore *store) {
  PxBlobBatch *batch = g_new(PxBlobBatch, 1);
  *batch = (PxBlobBatch){.store = store, .directory = -1, .waiting = g_array_new(FALSE, FALSE, sizeof(Waiting))};
  return batch;
}

/* It is our disk that does not take the file: says what it would take. */
static void blame_disk(const PxBlobBatch *batch, const PxReading *reading, GError **problem, GError **error) {
  struct statfs about;
  GError *told = g_steal_pointer(problem);
  if (told->code == PX_ERROR_TRANSIENT) {
    const char *directory = px_filestore_writable_directory(batch->store);
    told->code = PX_ERROR_OUR_DISK;
    if (statfs(directory, &about) == 0) {
      char *text = g_strdup_printf("%s (the file has %" G_GUINT64_FORMAT " bytes; %" G_GUINT64_FORMAT " are free)", told->message,
                                   (guint64)reading->size, (guint64)about.f_bavail * (guint64)about.f_bsize);
      g_free(told->message);
      told->message = text;
    }
  }
  g_propagate_error(error, told);
}

/* The new file, with what reading has; caller closes, and frees *ret_name. -1 with an error. */
static int write_new(PxBlobBatch *batch, PxReading *reading, PxBlob *ret_blob, char **ret_name, GError **error) {
  if (batch->directory < 0)
    batch->directory = px_filestore_open_temporary(batch->store, error);
  PX_AUTO_FD fd = batch->directory >= 0 ? px_filestore_new_file(batch->store, batch->directory, ret_name, error) : -1;
  if (fd < 0 || px_filestore_pump(batch->store, reading, fd, ret_blob, error))
    return px_fd_steal(&fd);
  (void)unlinkat(batch->directory, *ret_name, 0);
  return -1;
}

bool px_filestore_batch_add(PxBlobBatch *batch, PxReading *reading, PxBlob *ret_blob, GError **error) {
  g_autoptr(GError) problem = NULL;
  g_autofree char *name = NULL;
  PX_AUTO_FD fd = write_new(batch, reading, ret_blob, &name, &problem);
  if (fd < 0) {
    if (reading->failed)
      g_propagate_error(error, g_steal_pointer(&problem));
    else
      blame_disk(batch, reading, &problem, error);
    return false;
  }
  (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* the disk begins while the next one comes */
  const Waiting waiting = {.blob = *ret_blob, .name = g_steal_pointer(&name), .fd = px_fd_steal(&fd)};
  g_array_append_val(batch->waiting, waiting);
  return true;
}

void px_filestore_batch_abandon(PxBlobBatch *batch) {
  if (!batch)
    return;
  for (guint i = 0; i < batch->waiting->len; i++) {
    Waiting *waiting = &g_array_index(batch->waiting, Waiting, i);
    (void)unlinkat(batch->directory, waiting->name, 0); /* it is gone by now when it got its name */
    px_fd_clear(&waiting->fd);
    g_free(waiting->name);
  }
  px_fd_clear(&batch->directory);
  g_array_unref(batch->waiting);
  g_free(batch);
}

bool px_filestore_batch_commit(PxBlobBatch *batch, GError **error) {
  bool elsewhere = batch->store->keeper && !batch->store->pretends;
  g_autoptr(GError) problem = NULL;
  bool ok = batch->waiting->len == 0 || (elsewhere ? keep_elsewhere(batch, &problem) : keep_here(batch, &problem));
  px_filestore_batch_abandon(batch);
  if (ok)
    return true;
  if (!elsewhere && problem->code == PX_ERROR_TRANSIENT)
    problem->code = PX_ERROR_OUR_DISK;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}
