/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Removing what has ended long ago, in portions: each call is a part of a short transaction of the caller's. What failed or waits stays. before:
 * microseconds since the epoch. */
#include "queue/queue.h"

/* Jobs that are done or cancelled; *ret_n how many, less than limit: there are no more. */
bool px_clean_jobs(PxDb *db, int64_t before, uint64_t limit, uint64_t *ret_n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Notices whose jobs are gone. */
bool px_clean_notices(PxDb *db, int64_t before, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Pattern files with their chunks, once their jobs are gone. */
bool px_clean_files(PxDb *db, int64_t before, uint64_t limit, uint64_t *ret_n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether a row has to stay because its name or content keeps others away; task may be NULL. */
typedef bool (*PxKeepsRow)(const char *task, PxDirection direction, void *data);
typedef struct {
  uint64_t removed;
  uint64_t stripped; /* the row stays without its bytes: keeps said so, or the row is a remote file's that is still there */
  int64_t last;      /* the last id that was looked at: where the next portion begins; 0: there are no more */
} PxCleanedAttachments;
/* Attachments behind an id, once their files, jobs and error files are gone. */
bool px_clean_attachments(PxDb *db, int64_t behind, int64_t before, int64_t now, uint64_t limit, PxKeepsRow keeps, void *data,
                          PxCleanedAttachments *ret_cleaned, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether an attachment needs a blob of the filestore. */
bool px_blob_is_needed(PxDb *db, const char *sha256, bool *ret_needed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
