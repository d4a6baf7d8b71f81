/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `filestore: database`: the bytes of attachments, and spools, as rows in pieces. A put is a transaction of its own, unless the caller has one. */
#include "db/db.h"
#include "storage/filestore.h"

/* data is a PxDb *. */
extern const PxByteKeeper px_blob_keeper;
