/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What storages.c tells storage.c. */
#include "storage/storage_driver.h"

typedef struct {
  char *name;
  char *type;
  char *renamed_from;            /* may be NULL */
  const PxStorageDriver *driver; /* NULL: the type is unknown, which has been complained of */
  void *settings;
} PxStorageConfig;

/* The storage of that name, or NULL. */
const PxStorageConfig *px_storages_find(const PxStorages *storages, const char *name);
/* PX_ERROR_CONFIG: there is none of that name. */
void px_storages_set_unknown(const PxStorages *storages, const char *name, GError **error);
