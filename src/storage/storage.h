/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where files are, for callers. Paths are relative to the storage's directory and cannot leave it; "" is the directory itself. */
#include "base/error.h"
#include "config/config.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct PxStorage PxStorage;

/* Reads the section "storages" of a configuration: name -> PxStorageConfig. Complains of everything that is wrong. */
typedef struct PxStorages PxStorages;
PxStorages *px_storages_read(const PxConfig *config, PxComplaints *complaints);
void px_storages_free(PxStorages *storages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxStorages, px_storages_free)
size_t px_storages_count(const PxStorages *storages);
const char *px_storages_name(const PxStorages *storages, size_t i);
const char *px_storages_type(const PxStorages *storages, size_t i);
/* Where it is, for people: a directory, "sftp://host/directory". Never a secret. Caller frees. */
char *px_storages_place(const PxStorages *storages, size_t i);
/* What people are told at each run, not only by check: that nobody knows who the server is. Static text; NULL: nothing. */
const char *px_storages_risk(const PxStorages *storages, size_t i);
/* A storage by name; nothing is opened before the first call on it. dry_run: put, move and remove only pretend.
 * PX_ERROR_CONFIG when there is none of that name. */
PxStorage *px_storage_open(const PxStorages *storages, const char *name, bool dry_run, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_storage_close(PxStorage *storage);
/* Whether it is worth to be kept open for the next job: it is on a server. A connection that was silent for long is not relied on. */
bool px_storage_keeps_connection(const PxStorage *storage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxStorage, px_storage_close)

/* One file of a listing, or the file just opened. */
typedef struct {
  const char *name; /* one path component */
  uint64_t size;
  int64_t mtime_ns; /* since the epoch */
  int64_t mtime_precision_ns;
  const char *identity; /* what else the store knows of these very bytes: "inode:ctime", ETag, version; may be "". A move changes a ctime */
  const char *refused;  /* why this name or kind cannot be taken (control bytes, too long, no regular file); NULL: it can */
  bool is_directory;    /* then only name and refused say something */
  bool clock_is_ours;   /* mtime_ns was taken from this machine's clock: a local file system */
  bool is_whole;        /* the store never shows a file that is still being written (S3) */
} PxFileInfo;

typedef bool (*PxFileVisit)(const PxFileInfo *file, void *data); /* false: stop the listing */

/* Calls visit for each file directly in path, in order of their names. Hidden names (leading "."), directories and the leading
 * ".pattimpex-" are left out, unless leftovers is true: then only the ".pattimpex-" ones come. A path that is missing lists
 * as empty, unless path_must_exist is set. PX_ERROR_UNREACHABLE; PX_ERROR_REFUSED: path is no directory, or has a symbolic link in it. */
bool px_storage_list(PxStorage *storage, const char *path, bool leftovers, PxFileVisit visit, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the files of a folder are wanted; path: from the storage's directory. */
typedef bool (*PxFolderWanted)(const char *path, void *data);
typedef bool (*PxTreeVisit)(const char *path, const PxFileInfo *file, void *data); /* false: stop the listing */
/* The same, but in the order in which the store tells them, none of them held, for path and, unless wants is NULL, all folders beneath it that are
 * not hidden and that it wants, each behind the files it lies beside, in the order of their names. visit must not call the storage. Folders that
 * cannot be entered (their names, too many levels) are given to visit as refused. *ret_missing: there is no such path. */
bool px_storage_list_tree(PxStorage *storage, const char *path, PxFolderWanted wants, PxTreeVisit visit, void *data, bool *ret_missing,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file that will be read; size: as it was listed. */
typedef struct {
  const char *path;
  const char *name;
  uint64_t size;
} PxExpected;
/* The files that will be opened next, in this order, so that a store that can begin with several at once need not be waited for each time. They
 * need not be opened, other calls may come between, and what is wrong with one is told when it is opened or read. n 0: no more, which is to be said
 * at the end. Copied. */
void px_storage_expect(PxStorage *storage, const PxExpected *files, size_t n);
/* A file that is being read. No other call on its storage until it is closed. */
typedef struct PxReading PxReading;
/* Opens path/name and tells what it is as opened (never what a listing said); no byte is asked for before the first read. NULL with an error:
 * PX_ERROR_NOT_FOUND, PX_ERROR_REFUSED. *ret_info strings live until the next call on storage. */
PxReading *px_storage_open_read(PxStorage *storage, const char *path, const char *name, PxFileInfo *ret_info, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The next bytes, at most size of them (more than 0). 0: the end, and the file had exactly the bytes that *ret_info said. -1: an error;
 * PX_ERROR_TRANSIENT: the connection was lost, or there are fewer or more bytes. */
ssize_t px_storage_read(PxReading *reading, void *buffer, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The sha256 (lower case hex) of what is left to be read. */
bool px_storage_digest(PxReading *reading, char ret_sha256[65], GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a descriptor of any file, from where it stands. PX_ERROR_TRANSIENT, and errno. */
bool px_storage_digest_fd(int fd, char ret_sha256[65], GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes what is left to be read to fd. PX_ERROR_TRANSIENT. */
bool px_storage_copy_to(PxReading *reading, int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_storage_close_read(PxReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxReading, px_storage_close_read)

typedef enum { PX_EXISTS_NUMBER, PX_EXISTS_REPLACE, PX_EXISTS_FAIL } PxOnExists;

/* Puts the bytes of fd (from its beginning, size of them) as path/name: temporary name in the same directory, fsync, rename.
 * Missing directories are made. PX_EXISTS_NUMBER: name-1.csv, name-2.csv ... when there is one; PX_EXISTS_FAIL: PX_ERROR_EXISTS.
 * Skipped when the target has the same bytes: their size and sha256 (lower case hex; NULL: found out only where it is needed). *ret_name (may be
 * NULL): the name it got, caller frees. */
bool px_storage_put(PxStorage *storage, const char *path, const char *name, int fd, uint64_t size, const char *sha256, PxOnExists on_exists,
                    char **ret_name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One of several files that are put together; what is in it is borrowed. */
typedef struct {
  const char *path, *name;
  int fd;
  uint64_t size;
  const char *sha256;
  PxOnExists on_exists;
  /* out */
  char *ret_name; /* the name it got, caller frees; NULL: it was not put */
  GError *error;  /* why not, caller frees */
} PxUpload;
/* Whether what goes on is to end soon, and the error that says so (PX_ERROR_STOPPED). */
typedef bool (*PxStopAsked)(void *data, GError **error);
/* Puts several files, each as px_storage_put() does it and with its own outcome, at once as far as the storage wins by that; two of the same name go
 * in their order. Once the server is found not to answer, the rest is not tried: that is the error of each of them. stopped (NULL: nobody
 * asks; it is given data) is asked from time to time; what was not begun by then has its error. Whether all were put. */
bool px_storage_put_all(PxStorage *storage, PxUpload *uploads, size_t n, PxStopAsked stopped, void *data);
/* Moves a file. Never overwrites: PX_ERROR_EXISTS. Missing directories are made. PX_ERROR_NOT_FOUND when from is not there. */
bool px_storage_move(PxStorage *storage, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same, to the first free of to_name, stem-1.suffix, stem-2.suffix ...; *ret_name: which it was, caller frees. */
bool px_storage_move_numbered(PxStorage *storage, const char *from_path, const char *from_name, const char *to_path, const char *to_name,
                              char **ret_name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_storage_remove(PxStorage *storage, const char *path, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Files are moved and removed from here on that need not be safe one by one: a machine that crashes may leave them as they were until
 * px_storage_settle(), which makes all of it safe and is to be called in any case. */
void px_storage_put_off(PxStorage *storage);
bool px_storage_settle(PxStorage *storage, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the storage answers and its directory can be listed and, where probe says so, written. */
bool px_storage_check(PxStorage *storage, bool probe, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The key by which a server is recognised, "TYPE SHA256:...", caller frees; nothing is sent to it. *ret_known: it is trusted already. trust: it is
 * from now on. PX_ERROR_CONFIG: another one is known. PX_ERROR_USAGE: this type of storage has none. */
bool px_storage_host_key(PxStorage *storage, bool trust, char **ret_key, bool *ret_known, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The setting that such a key can be written as: "host_key". NULL: this type of storage has none. */
const char *px_storage_host_key_setting(const PxStorage *storage);

/* Whether name may be a file's name: one path component, no '/', "..", control bytes, leading ".pattimpex-", at most 255 bytes.
 * NULL when it may, else why not (static text). */
const char *px_storage_name_problem(const char *name);
