/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What storages.c tells storage.c, and storage.c the filestore. */
#include "storage/storage_driver.h"

struct PxStorage {
  char *name;
  const PxStorageDriver *driver;
  void *self;
  bool dry_run;
  bool path_must_exist;
  char *tmp_suffix;
  PxPace pace;
  GArray *expected; /* PxExpected, their strings owned; NULL: none */
};

struct PxReading {
  PxStorage *storage;
  void *driver; /* the driver's own */
  char *place;  /* of the file, for messages */
  uint64_t size, got;
  bool failed; /* it gave an error: the bytes did not come, whoever writes them is not to blame */
};

typedef struct {
  char *name;
  char *type;
  char *renamed_from;            /* may be NULL */
  uint64_t bandwidth_limit;      /* bytes a second; 0: none */
  char *tmp_suffix;              /* what names of files end in until they are whole */
  bool path_must_exist;          /* a path that is missing is an error, not empty */
  const PxStorageDriver *driver; /* NULL: the type is unknown, which has been complained of */
  void *settings;
} PxStorageConfig;

/* The storage of that name, or NULL. */
const PxStorageConfig *px_storages_find(const PxStorages *storages, const char *name);
/* PX_ERROR_CONFIG: there is none of that name. */
void px_storages_set_unknown(const PxStorages *storages, const char *name, GError **error);

/* ---- what is common to the calls */

#define PX_MOST_NUMBERS 100000u /* of names that are numbered */

/* Says whose error it is; always false. */
bool px_storage_failed(const PxStorage *storage, GError **error);
/* A path and a name that may be handed to a driver. is_ours: the name may be one that only the program gives. Caller frees *ret_path. */
bool px_storage_clean_place(const PxStorage *storage, const char *path, const char *name, bool is_ours, char **ret_path, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* As px_storage_open_read(), but path is clean and errors do not name the storage; the same of px_storage_read(), as a PxPull of a PxReading. */
PxReading *px_storage_begin_read(PxStorage *storage, const char *path, const char *name, PxFileInfo *ret_info, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
ssize_t px_storage_pull(void *source, void *buffer, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether nothing is at path/name; path is clean. */
bool px_storage_is_free(PxStorage *storage, const char *path, const char *name, bool *ret_free, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PX_ERROR_EXISTS of path/name; always false. */
bool px_storage_exists_at(const char *path, const char *name, GError **error);
