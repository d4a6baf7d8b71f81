/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the keepers of bytes share: a row a name, told when somebody wanted it last, by which the collector goes. */
#include "db/db.h"
#include "storage/filestore.h"

typedef struct {
  int64_t id; /* 0: there is none */
  uint64_t size;
  int64_t touched; /* microseconds since the epoch */
} PxBlobRow;
bool px_blob_find(PxDb *db, const char *name, PxBlobRow *ret_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In a transaction. */
bool px_blob_touch(PxDb *db, const char *name, int64_t at, bool *ret_there, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A new row, or the one that is there is touched; at once, unless the caller has a transaction. So is the next but one. */
bool px_blob_note(PxDb *db, const char *name, uint64_t size, int64_t at, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PxByteKeeper.old */
GPtrArray *px_blob_old(PxDb *db, const char *prefix, const char *behind, int64_t before, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes what belongs to a row that is being removed, while nobody else can touch the row. */
typedef bool (*PxBlobGone)(const char *name, void *data, GError **error);
/* PxByteKeeper.remove; gone: may be NULL. */
bool px_blob_remove(PxDb *db, const char *name, int64_t before, PxBlobGone gone, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
