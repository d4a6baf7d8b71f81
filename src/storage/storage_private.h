/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What storages.c tells storage.c, and storage.c the filestore. */
#include "storage/storage_driver.h"

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
