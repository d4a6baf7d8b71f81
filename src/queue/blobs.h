/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `filestore: database`: the bytes of attachments, and spools, as rows in pieces. A put is a transaction of its own, unless the caller has one. */
#include "db/db.h"
#include "storage/filestore.h"

/* data is a PxDb *. */
extern const PxByteKeeper px_blob_keeper;

/* `filestore: NAME` of a storage: the bytes are files there. Rows tell which they are, and are written before and behind a put, by themselves unless
 * the caller has a transaction: what is put and then not needed is the collector's. All is borrowed and is to outlive it. */
typedef struct PxBlobStorage PxBlobStorage;
PxBlobStorage *px_blob_storage_new(PxDb *db, const PxStorages *storages, const char *name);
void px_blob_storage_free(PxBlobStorage *self);
/* Nothing will be wanted for some time: lets go of the connection. */
void px_blob_storage_rest(PxBlobStorage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxBlobStorage, px_blob_storage_free)

/* data is a PxBlobStorage *. */
extern const PxByteKeeper px_blob_storage_keeper;
