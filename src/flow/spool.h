/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Row batches in a nameless file: what was parsed once need not be parsed again. */
#include "base/error.h"
#include "base/row_batch.h"

typedef struct PxSpool PxSpool;

/* NULL: there is no room for one; the caller does without. */
PxSpool *px_spool_new(void);
void px_spool_free(PxSpool *spool);
/* Behind those that are there. False: the disk is full; the spool is of no use any more. */
bool px_spool_add(PxSpool *spool, const PxRowBatch *batch) G_GNUC_WARN_UNUSED_RESULT;
/* From now on the first batch is next. */
bool px_spool_rewind(PxSpool *spool) G_GNUC_WARN_UNUSED_RESULT;
/* The next batch, caller frees; NULL without error: there are no more. */
PxRowBatch *px_spool_next(PxSpool *spool, GError **error);
