/* SPDX-License-Identifier: Apache-2.0 */
#include "base/row_batch.h"

#include "base/error.h"
#include "base/utf8.h"

#include <string.h>

#define MAGIC UINT32_C(0x31425850) /* "PXB1" where the low byte comes first */
#define MAX_LEN ((uint32_t)1 << 28)

G_STATIC_ASSERT(sizeof(PxRowBatch) == 40);
G_STATIC_ASSERT(sizeof(PxBatchRow) == 24);
G_STATIC_ASSERT(sizeof(PxBatchCell) == 8);
G_STATIC_ASSERT(PX_CELL_KINDS <= 16);

struct PxBatchBuilder {
  PxBatchRow *rows;
  PxBatchCell *cells;
  char *bytes;
  size_t n_rows, n_cells, n_bytes;
  size_t rows_room, cells_room, bytes_room;
  char *block;
  size_t block_room;
  bool from_1904;
};

PxBatchBuilder *px_batch_builder_new(void) {
  return g_new0(PxBatchBuilder, 1);
}

void px_batch_builder_free(PxBatchBuilder *builder) {
  if (!builder)
    return;
  g_free(builder->rows);
  g_free(builder->cells);
  g_free(builder->bytes);
  g_free(builder->block);
  g_free(builder);
}

static void *make_room(void *array, size_t *room, size_t need, size_t size) {
  if (need <= *room)
    return array;
  *room = MAX(need, *room * 2 + 256);
  return g_realloc_n(array, *room, size);
}

/* Most cells are a few bytes long, and for those a call of memcpy costs more than the copy. */
static void copy_cell(char *to, const char *from, size_t len) {
  if (len > 16) {
    memcpy(to, from, len);
  } else if (len >= 8) {
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + len - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + len - 8, &tail, 8);
  } else if (len >= 4) {
    uint32_t head, tail;
    memcpy(&head, from, 4);
    memcpy(&tail, from + len - 4, 4);
    memcpy(to, &head, 4);
    memcpy(to + len - 4, &tail, 4);
  } else {
    for (size_t i = 0; i < len; i++)
      to[i] = from[i];
  }
}

void px_batch_builder_add(PxBatchBuilder *builder, uint64_t number, uint64_t place, const PxCell *cells, size_t n_cells) {
  size_t n_bytes = 0;
  for (size_t i = 0; i < n_cells; i++) {
    g_assert(cells[i].len < MAX_LEN && cells[i].kind < PX_CELL_KINDS && (cells[i].len == 0 || cells[i].kind != PX_CELL_ABSENT));
    n_bytes += cells[i].len;
  }
  g_assert(n_cells < G_MAXUINT32 - builder->n_cells && n_bytes < G_MAXUINT32 - builder->n_bytes && builder->n_rows < G_MAXUINT32);
  builder->rows = make_room(builder->rows, &builder->rows_room, builder->n_rows + 1, sizeof(PxBatchRow));
  builder->cells = make_room(builder->cells, &builder->cells_room, builder->n_cells + n_cells, sizeof(PxBatchCell));
  builder->bytes = make_room(builder->bytes, &builder->bytes_room, builder->n_bytes + n_bytes, 1);
  builder->rows[builder->n_rows++] =
    (PxBatchRow){.number = number, .place = place, .first_cell = (uint32_t)builder->n_cells, .n_cells = (uint32_t)n_cells};
  PxBatchCell *out = n_cells ? builder->cells + builder->n_cells : NULL;
  size_t at = builder->n_bytes;
  for (size_t i = 0; i < n_cells; i++) {
    uint32_t len = cells[i].len;
    out[i] = (PxBatchCell){.offset = (uint32_t)at, .len_kind = len << 4 | (len || cells[i].kind == PX_CELL_ABSENT ? cells[i].kind : PX_CELL_EMPTY)};
    if (len)
      copy_cell(builder->bytes + at, cells[i].ptr, len);
    at += len;
  }
  builder->n_cells += n_cells;
  builder->n_bytes = at;
}

void px_batch_builder_from_1904(PxBatchBuilder *builder, bool from_1904) {
  builder->from_1904 = from_1904;
}

size_t px_batch_builder_size(const PxBatchBuilder *builder) {
  return sizeof(PxRowBatch) + builder->n_rows * sizeof(PxBatchRow) + builder->n_cells * sizeof(PxBatchCell) + builder->n_bytes;
}

bool px_batch_builder_full(const PxBatchBuilder *builder) {
  return px_batch_builder_size(builder) > PX_ROW_BATCH_BYTES;
}

size_t px_batch_builder_rows(const PxBatchBuilder *builder) {
  return builder->n_rows;
}

static char *append(char *to, const void *from, size_t size) {
  if (size)
    memcpy(to, from, size);
  return to + size;
}

const PxRowBatch *px_batch_builder_finish(PxBatchBuilder *builder, uint64_t source_done, uint64_t next_place, size_t *ret_size) {
  size_t size = px_batch_builder_size(builder);
  builder->block = make_room(builder->block, &builder->block_room, size, 1);
  PxRowBatch head = {
    .magic = MAGIC,
    .n_rows = (uint32_t)builder->n_rows,
    .n_cells = (uint32_t)builder->n_cells,
    .n_bytes = (uint32_t)builder->n_bytes,
    .from_1904 = builder->from_1904,
    .source_done = source_done,
    .next_place = next_place,
  };
  char *end = append(builder->block, &head, sizeof(head));
  end = append(end, builder->rows, builder->n_rows * sizeof(PxBatchRow));
  end = append(end, builder->cells, builder->n_cells * sizeof(PxBatchCell));
  append(end, builder->bytes, builder->n_bytes);
  builder->n_rows = builder->n_cells = builder->n_bytes = 0;
  *ret_size = size;
  return (const PxRowBatch *)(const void *)builder->block;
}

/* Rows share no cells and cells share no bytes, so that a small block cannot stand for a huge amount of work. */
static bool rows_fit(const PxRowBatch *batch) {
  const PxBatchRow *rows = px_row_batch_rows(batch);
  uint32_t next = 0;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    if (rows[i].first_cell != next || rows[i].n_cells > batch->n_cells - next)
      return false;
    next += rows[i].n_cells;
  }
  return next == batch->n_cells;
}

static bool cells_fit(const PxRowBatch *batch) {
  const PxBatchCell *cells = px_row_batch_cells(batch);
  const char *bytes = px_row_batch_bytes(batch);
  uint32_t next = 0;
  for (uint32_t i = 0; i < batch->n_cells; i++) {
    uint32_t len = cells[i].len_kind >> 4;
    uint32_t kind = cells[i].len_kind & 15;
    bool nothing = kind == PX_CELL_EMPTY || kind == PX_CELL_ABSENT;
    if (cells[i].offset != next || len > batch->n_bytes - next || kind >= PX_CELL_KINDS || nothing != (len == 0))
      return false;
    /* All bytes together are UTF-8, so each cell is when none begins inside a character. */
    if (len && ((unsigned char)bytes[next] & 0xC0) == 0x80)
      return false;
    next += len;
  }
  return next == batch->n_bytes;
}

static const char *complaint(const PxRowBatch *batch, size_t size) {
  if ((uintptr_t)batch % _Alignof(PxRowBatch))
    return "it is not aligned";
  if (size < sizeof(PxRowBatch))
    return "it is shorter than its head";
  if (batch->magic != MAGIC)
    return "its mark is wrong";
  if (batch->from_1904 > 1 || batch->unused)
    return "its head says what it cannot";
  uint64_t want = sizeof(PxRowBatch) + (uint64_t)batch->n_rows * sizeof(PxBatchRow) + (uint64_t)batch->n_cells * sizeof(PxBatchCell) + batch->n_bytes;
  if (want != size)
    return "its size and its counts differ";
  if (!rows_fit(batch))
    return "a row's cells are not where they must be";
  if (px_utf8_prefix(px_row_batch_bytes(batch), batch->n_bytes) != batch->n_bytes)
    return "its bytes are not UTF-8 or hold a NUL";
  if (!cells_fit(batch))
    return "a cell's kind or bytes are not what they must be";
  return NULL;
}

bool px_row_batch_check(const PxRowBatch *batch, size_t size, GError **error) {
  const char *what = complaint(batch, size);
  if (what)
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "broken row batch of %zu bytes: %s", size, what);
  return !what;
}
