/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The filestore: bytes in our care, addressed by their sha256. Blobs are 0600 in 0700 directories: ab/cdef.... */
#include "storage/storage.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PxFilestore PxFilestore;

#define PX_SHA256_CHARS 64 /* of the name of a blob; no other name is as long */

/* Makes the directory where it is missing. dry_run: new blobs go to a temporary directory that px_filestore_close() removes. */
PxFilestore *px_filestore_open(const char *directory, bool dry_run, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where bytes are kept that are not in a directory: a table of functions of whoever keeps them. A name is a sha256, or that of a spool. */
typedef struct {
  /* The n files, each from its beginning to its end, under their names: all of them, or none. Names that are there are touched, and are not
   * written. */
  bool (*put)(void *data, const char *const *names, const int *fds, size_t n, GError **error);
  /* Writes them to a file. PX_ERROR_NOT_FOUND. */
  bool (*get)(void *data, const char *name, int to, GError **error);
  /* Names that begin with prefix and were not put or touched after before, behind a name ("": from the first); some of them (PxKeptBytes *, freed
   * with the array), none: there are no more. */
  GPtrArray *(*old)(void *data, const char *prefix, const char *behind, int64_t before, GError **error);
  /* Unless it was put or touched since. */
  bool (*remove)(void *data, const char *name, int64_t before, GError **error);
} PxByteKeeper;
typedef struct {
  char *name;
  uint64_t size;
} PxKeptBytes;
void px_kept_bytes_free(PxKeptBytes *kept);
/* A filestore over a keeper: what is written and read goes through files of a temporary directory of this process, which px_filestore_close()
 * removes. where: for messages, "in the database"; data is to outlive it. */
PxFilestore *px_filestore_open_kept(const PxByteKeeper *keeper, void *data, const char *where, bool dry_run, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void px_filestore_close(PxFilestore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxFilestore, px_filestore_close)

typedef struct {
  char sha256[PX_SHA256_CHARS + 1];
  uint64_t size;
} PxBlob;

/* Reads fd to its end into the store: temporary name, fsync of file and directory, rename. A blob that is there already is touched,
 * so that a collector leaves it. PX_ERROR_TRANSIENT: disk full. */
bool px_filestore_add(PxFilestore *store, int fd, PxBlob *ret_blob, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a file of a storage; PX_ERROR_TRANSIENT as px_storage_read() has it, too. */
bool px_filestore_add_reading(PxFilestore *store, PxReading *reading, PxBlob *ret_blob, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A new blob that is written piece by piece: *ret_fd belongs to the store until commit or abandon. */
typedef struct PxNewBlob PxNewBlob;
PxNewBlob *px_filestore_begin(PxFilestore *store, int *ret_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_filestore_commit(PxNewBlob *blob, PxBlob *ret_blob, GError **error) G_GNUC_WARN_UNUSED_RESULT; /* frees blob in any case */
void px_filestore_abandon(PxNewBlob *blob);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxNewBlob, px_filestore_abandon)
/* Several blobs that become safe together. */
typedef struct PxBlobBatch PxBlobBatch;
PxBlobBatch *px_filestore_batch_begin(PxFilestore *store);
/* As px_filestore_add_reading(), but before the commit it is not in the store. An error leaves out this file alone. PX_ERROR_OUR_DISK: it cannot be
 * written here. */
bool px_filestore_batch_add(PxBlobBatch *batch, PxReading *reading, PxBlob *ret_blob, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One sync of the whole file system for the bytes of all and one for their names, where it is known to do that (else fsync one by one); with an
 * error some may be in the store. Frees batch in any case. PX_ERROR_OUR_DISK; PX_ERROR_TRANSIENT where somebody else keeps the bytes. */
bool px_filestore_batch_commit(PxBlobBatch *batch, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_filestore_batch_abandon(PxBlobBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxBlobBatch, px_filestore_batch_abandon)
/* Whether somebody needs a blob; false: an error. */
typedef bool (*PxBlobNeeded)(const char *sha256, bool *ret_needed, void *data, GError **error);
typedef struct {
  uint64_t blobs, bytes;
} PxCollected;
/* Removes the blobs that were neither written nor touched after before (microseconds since the epoch) and that nobody needs. One at a time may
 * collect. A dry run only counts. */
bool px_filestore_collect(PxFilestore *store, int64_t before, PxBlobNeeded needed, void *data, PxCollected *ret_collected, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A read-only descriptor, caller closes. PX_ERROR_NOT_FOUND. */
int px_filestore_read(PxFilestore *store, const char *sha256, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- spools: the rows of one file in several parts, until they are loaded. spools/NAME/PART, 0600 in 0700 directories; they are there whole
 * or not at all. Not in a dry run. */

typedef struct PxNewSpools PxNewSpools;
/* n files to be written to: *ret_fds[0 .. n) belong to the store until commit or abandon. name: of letters, digits and "-", never used before. */
PxNewSpools *px_filestore_spools_begin(PxFilestore *store, const char *name, unsigned n, const int **ret_fds, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* fsync, rename, fsync; frees spools in any case. PX_ERROR_TRANSIENT: disk full. */
bool px_filestore_spools_commit(PxNewSpools *spools, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_filestore_spools_abandon(PxNewSpools *spools);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxNewSpools, px_filestore_spools_abandon)
/* A read-only descriptor, caller closes. PX_ERROR_NOT_FOUND. */
int px_filestore_spool_read(PxFilestore *store, const char *name, unsigned part, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Harmless when there are none. */
void px_filestore_spools_remove(PxFilestore *store, const char *name);
/* The names (char *) of spools that were made more than a day before now_s, for the caller to remove those that nobody wants. Half-written ones
 * of that age are removed at once. */
GPtrArray *px_filestore_spools_old(PxFilestore *store, int64_t now_s);
