/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the filestore share. */
#include "storage/filestore.h"

#define PX_NEW_BLOB "blob-" /* what names of temporary files begin with */

struct PxFilestore {
  char *directory;
  int fd;                     /* -1: a dry run, and the directory is not there */
  char *dry_directory;        /* where new blobs of a dry run go; NULL: no dry run */
  int dry_fd;                 /* -1 */
  const PxByteKeeper *keeper; /* NULL: the bytes are in the directory; else dry_directory is where they pass through */
  void *keeper_data;
  bool pretends; /* a dry run of a keeper: nothing is put */
  char *spool;   /* the name of the spool that was read last */
  int spool_fd;  /* -1 */
};

/* ---- filestore_kept.c: the same calls, over a keeper */

/* A descriptor of its own of what a keeper has, read from its beginning; the bytes are compared with their sha256 when the name is one. */
int px_kept_read(PxFilestore *store, const char *name, GError **error);
bool px_kept_put(PxFilestore *store, const char *name, int fd, GError **error);
bool px_kept_collect(PxFilestore *store, int64_t before, PxBlobNeeded needed, void *data, PxCollected *ret_collected, GError **error);
bool px_kept_put_spools(PxFilestore *store, const char *name, const int *fds, unsigned n, GError **error);
int px_kept_read_spool(PxFilestore *store, const char *name, unsigned part, GError **error);
void px_kept_remove_spools(PxFilestore *store, const char *name);
GPtrArray *px_kept_old_spools(PxFilestore *store, int64_t before);

/* ---- filestore.c: new blobs */

const char *px_filestore_writable_directory(const PxFilestore *store);
/* The directory of temporary files, and a new file in it: caller closes, and frees *ret_name. -1 with an error. */
int px_filestore_open_temporary(const PxFilestore *store, GError **error);
int px_filestore_new_file(const PxFilestore *store, int directory, char **ret_name, GError **error);
/* The directory "ab" of a blob "abcdef...", made when it is missing (*ret_made: its own name is not safe yet). -1, errno. */
int px_filestore_open_prefix(const PxFilestore *store, const char *sha256, bool *ret_made);
bool px_filestore_sync_root(const PxFilestore *store, GError **error);
/* Writes what reading has to fd. */
bool px_filestore_pump(const PxFilestore *store, PxReading *reading, int fd, PxBlob *ret_blob, GError **error);
/* Whether the whole blob is there; touches it, so that a collector that is about to look leaves it. */
bool px_filestore_touch(int directory, const char *sha256, uint64_t size);

bool px_filestore_fail(GError **error, PxError code, const char *directory, const char *doing);
