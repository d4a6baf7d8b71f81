/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Row batches in a nameless file: what was parsed once need not be parsed again. */
#include "base/error.h"
#include "base/row_batch.h"

typedef struct PxSpool PxSpool;

/* NULL: there is no room for one; the caller does without. */
PxSpool *px_spool_new(void);
void px_spool_free(PxSpool *spool);
/* One that is kept in a file: fd is its, from now on. To be read only; each batch is checked. */
PxSpool *px_spool_open(int fd);
/* From now on the batch at place (bytes from the beginning) is next. */
bool px_spool_seek(PxSpool *spool, uint64_t place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Appends a batch to a file that px_spool_open() will read: its size, as uint64_t, and the batch. PX_ERROR_TRANSIENT. */
bool px_spool_write(int fd, const PxRowBatch *batch, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Behind those that are there. False: the disk is full; the spool is of no use any more. */
bool px_spool_add(PxSpool *spool, const PxRowBatch *batch) G_GNUC_WARN_UNUSED_RESULT;
/* From now on the first batch is next. */
bool px_spool_rewind(PxSpool *spool) G_GNUC_WARN_UNUSED_RESULT;
/* The next batch, caller frees; NULL without error: there are no more. */
PxRowBatch *px_spool_next(PxSpool *spool, GError **error);
