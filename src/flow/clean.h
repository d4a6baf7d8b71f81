/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Removing what has ended long ago: keep_jobs, keep_files. */
#include "flow/project.h"

typedef struct {
  uint64_t jobs, files, attachments;
  uint64_t stripped; /* attachments whose rows stay without their bytes */
  uint64_t blobs, bytes;
} PxCleaned;

/* Portion by portion, each a short transaction; a job of its own every day, or by hand. */
bool px_clean(PxProject *project, PxCleaned *ret_cleaned, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Queues the job of the day (UTC) when nobody has yet, from the second day on: for schedulers, as often as they look. */
bool px_clean_tick(PxProject *project, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
