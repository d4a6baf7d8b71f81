/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows on their way from the parser to the loader: one flat, position-independent block.
 *
 * The block crosses a process border, so its reader trusts nothing in it: px_row_batch_check() looks at every count and
 * offset before any of the other functions is used on it. The same bytes are the spool of parallel loading.
 */
#include "base/cell.h"

#include <glib.h>

#define PX_ROW_BATCH_BYTES ((size_t)512 * 1024) /* a batch is closed when it has grown past this */

typedef struct {
  uint64_t number;     /* the row as a person sees it; the header is row 1 */
  uint64_t place;      /* where the row begins in the source, for px_reader_open_at(); UINT64_MAX: not known */
  uint32_t first_cell; /* index into the cells */
  uint32_t n_cells;
} PxBatchRow;

typedef struct {
  uint32_t offset;   /* into the bytes */
  uint32_t len_kind; /* length << 4 | PxCellKind; a cell has less than 256 MiB */
} PxBatchCell;

/* The block: this head, then n_rows PxBatchRow, n_cells PxBatchCell, n_bytes bytes. */
typedef struct {
  uint32_t magic;
  uint32_t n_rows;
  uint32_t n_cells;
  uint32_t n_bytes;
  uint32_t from_1904;   /* 1: the days of the source's native numbers are counted from 1904 */
  uint32_t unused;      /* 0 */
  uint64_t source_done; /* bytes of the source that have been read when the batch was closed */
  uint64_t next_place;  /* where the row behind the last one begins; UINT64_MAX: not known */
} PxRowBatch;

/* ---- making one */

typedef struct PxBatchBuilder PxBatchBuilder;

PxBatchBuilder *px_batch_builder_new(void);
void px_batch_builder_free(PxBatchBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxBatchBuilder, px_batch_builder_free)

/* Adds a row; the cells are copied. */
void px_batch_builder_add(PxBatchBuilder *builder, uint64_t number, uint64_t place, const PxCell *cells, size_t n_cells);
/* Says so of all batches that are made from here on. */
void px_batch_builder_from_1904(PxBatchBuilder *builder, bool from_1904);
/* Whether the batch should be sent before more is added. */
bool px_batch_builder_full(const PxBatchBuilder *builder);
/* Bytes that the block would have now. */
size_t px_batch_builder_size(const PxBatchBuilder *builder);
size_t px_batch_builder_rows(const PxBatchBuilder *builder);
/* Makes the block and empties the builder. The block belongs to the builder and lives until the next call of one of its
 * functions; *ret_size is its size in bytes. */
const PxRowBatch *px_batch_builder_finish(PxBatchBuilder *builder, uint64_t source_done, uint64_t next_place, size_t *ret_size);

/* ---- reading one */

/* Whether size bytes at batch are a batch whose every count and offset stays inside. PX_ERROR_INTERNAL when not. */
bool px_row_batch_check(const PxRowBatch *batch, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

static inline const PxBatchRow *px_row_batch_rows(const PxRowBatch *batch) {
  return (const PxBatchRow *)(batch + 1);
}

static inline const PxBatchCell *px_row_batch_cells(const PxRowBatch *batch) {
  return (const PxBatchCell *)(px_row_batch_rows(batch) + batch->n_rows);
}

static inline const char *px_row_batch_bytes(const PxRowBatch *batch) {
  return (const char *)(px_row_batch_cells(batch) + batch->n_cells);
}

static inline size_t px_row_batch_size(const PxRowBatch *batch) {
  return (size_t)(px_row_batch_bytes(batch) - (const char *)batch) + batch->n_bytes;
}

static inline PxCell px_row_batch_cell(const PxRowBatch *batch, const PxBatchRow *row, uint32_t i) {
  const PxBatchCell *cell = px_row_batch_cells(batch) + row->first_cell + i;
  return (PxCell){.ptr = px_row_batch_bytes(batch) + cell->offset, .len = cell->len_kind >> 4, .kind = cell->len_kind & 15};
}
