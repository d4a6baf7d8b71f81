/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For the files of storage/ that drive one kind of store. A driver does what its table says, plainly; numbering, dry runs, name
 * checks and retries are done above it in storage.c. A driver may over-return nothing: what it lists is what is there. */
#include "storage/bytes_private.h"
#include "storage/storage.h"

/* A file to be put. */
typedef struct {
  const char *path;
  const char *name;
  int fd;
  uint64_t size;
  bool replace;
  const char *tmp_suffix; /* what its name ends in until it is whole */
} PxPut;

/* One of several files that are to be put together. */
typedef struct {
  PxPut put;
  bool decided;  /* out: it was put, or error says why not */
  GError *error; /* out; the caller's */
} PxPutting;
/* What drivers read ahead of files that are expected, at most: files at once, bytes of one, bytes together. */
#define PX_MOST_EARLY 64u
#define PX_MOST_EARLY_BYTES_OF_ONE ((uint64_t)256 * 1024)
#define PX_MOST_EARLY_BYTES ((size_t)4 * 1024 * 1024)

/* As many are given at once, at most. */
#define PX_MOST_PUTTINGS 256u
#define PX_MOST_PUTTING_BYTES ((uint64_t)4 * 1024 * 1024)

typedef struct {
  const char *type;  /* as in the configuration: "file" */
  const PxKey *keys; /* of its settings, besides type */
  size_t n_keys;
  size_t settings_size;
  bool connects; /* to a server, and keeps the connection until close */
  void (*defaults)(void *settings);
  void (*check_settings)(void *settings, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints);
  void (*free_settings)(void *settings);
  const char *(*risk)(const void *settings); /* what is told at each run; static text, NULL: nothing. The function may be NULL too */
  char *(*place)(const void *settings);      /* for people: no secret in it; caller frees */

  /* Must not reach out before the first of the calls below. Never fails. pace is for what put sends, and for how much may be read before it is asked
   * for, and lives until close; what is read is paced above. */
  void *(*open)(const void *settings, PxPace *pace);
  void (*close)(void *self);
  bool (*list)(void *self, const char *path, PxFileVisit visit, void *data,
               GError **error); /* every entry, any order, not of directories beneath; PX_ERROR_NOT_FOUND: there is no such path */
  /* NULL: there is nothing to be won. The files that open_read will be asked for next, in this order (path is clean); they replace those of the call
   * before. It must not reach out yet, and never fails: open_read then begins to open and to read some of those that follow, in bounded memory and
   * within pace, and tells of each what it is at that time. A file that was begun and did not go well is opened once more, plainly. Any other call
   * may come between; what was begun may be given up by it. files live until the next call of expect, or close. */
  void (*expect)(void *self, const PxExpected *files, size_t n);
  /* One reading at a time, and no other call meanwhile. What it gives is the driver's own, freed by close_read. */
  void *(*open_read)(void *self, const char *path, const char *name, PxFileInfo *ret_info, GError **error);
  ssize_t (*read)(void *self, void *reading, void *buffer, size_t size, GError **error); /* sizes are checked above */
  void (*close_read)(void *self, void *reading);
  /* Atomic: the whole new file or the old state. replace false: PX_ERROR_EXISTS when there is one. */
  bool (*put)(void *self, const PxPut *put, GError **error);
  /* NULL: there is nothing to be won. Puts several files (no two of the same path and name), each as put does, at once: those whose name is free, and
   * those that replace something of another size. What else is at a name needs a closer look: that file is left undecided, with nothing of it there,
   * and so may be any other; who called puts it by itself. A lost connection is the error of those that it hit. */
  void (*put_all)(void *self, PxPutting *puttings, size_t n);
  bool (*move)(void *self, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error);
  bool (*remove)(void *self, const char *path, const char *name, GError **error);
  /* px_storage_put_off(), px_storage_settle(); both NULL: what was moved or removed is as safe as it will be. */
  void (*put_off)(void *self);
  bool (*settle)(void *self, GError **error);
  bool (*check)(void *self, bool probe, GError **error);
  bool (*host_key)(void *self, bool trust, char **ret_key, bool *ret_known, GError **error); /* NULL: there is none */
  const char *host_key_setting; /* the key of the configuration that it can be written as */
} PxStorageDriver;

extern const PxStorageDriver px_file_storage;
extern const PxStorageDriver px_ftp_storage;
extern const PxStorageDriver px_s3_storage;
extern const PxStorageDriver px_sftp_storage;

/* Errors that all drivers say alike, of a place as messages call it; always false. PX_ERROR_EXISTS. PX_ERROR_NOT_FOUND: doing is "list", "open" ... */
bool px_storage_exists(GError **error, const char *place);
bool px_storage_not_found(GError **error, const char *place, const char *doing);
/* Why an entry of this kind (S_IFMT; 0: not known) is not taken; NULL: it is a regular file. */
const char *px_storage_why_no_file(mode_t mode);
