/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a row batch: what the check lets through can be read to its last cell, and holds no more cells and bytes than it is big. */
#include "fuzz.h"

#include "base/row_batch.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* Exact, so that a read too far is seen. */
  g_autofree PxRowBatch *batch = g_malloc0(size + !size);
  memcpy(batch, data, size);
  if (!px_row_batch_check(batch, size, NULL))
    return 0;
  size_t seen = 0;
  for (uint32_t r = 0; r < batch->n_rows; r++) {
    const PxBatchRow *row = &px_row_batch_rows(batch)[r];
    for (uint32_t c = 0; c < row->n_cells; c++) {
      PxCell cell = px_row_batch_cell(batch, row, c);
      seen += sizeof(PxBatchCell) + cell.len;
      if (cell.kind >= PX_CELL_KINDS || (cell.len && !g_utf8_validate(cell.ptr, cell.len, NULL)))
        g_error("row %u, cell %u is none", r, c);
    }
  }
  if (seen > size)
    g_error("%zu bytes of cells in a batch of %zu", seen, size);
  return 0;
}
