/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/row_batch.h"
#include "suites.h"

#include <string.h>

static PxCell text_cell(const char *text) {
  return (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = PX_CELL_TEXT};
}

/* Two rows of two cells and a blank row; in a block of its exact size. Caller frees. */
static PxRowBatch *sample(size_t *ret_size) {
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  const PxCell first[] = {text_cell("ab"), text_cell("é")};
  const PxCell second[] = {{.kind = PX_CELL_EMPTY}, {.ptr = "1.5", .len = 3, .kind = PX_CELL_NUMBER}};
  px_batch_builder_add(builder, 2, 20, first, 2);
  px_batch_builder_add(builder, 3, 30, NULL, 0);
  px_batch_builder_add(builder, 4, 40, second, 2);
  const PxRowBatch *batch = px_batch_builder_finish(builder, 99, 50, ret_size);
  return g_memdup2(batch, *ret_size);
}

static void what_goes_in_comes_out(void) {
  size_t size;
  g_autofree PxRowBatch *batch = sample(&size);
  g_autoptr(GError) error = NULL;
  g_assert_true(px_row_batch_check(batch, size, &error));
  g_assert_cmpuint(batch->n_rows, ==, 3);
  g_assert_cmpuint(batch->source_done, ==, 99);
  g_assert_cmpuint(batch->next_place, ==, 50);
  const PxBatchRow *rows = px_row_batch_rows(batch);
  g_assert_cmpuint(rows[2].number, ==, 4);
  g_assert_cmpuint(rows[1].n_cells, ==, 0);
  g_assert_cmpuint(rows[2].place, ==, 40);
  PxCell cell = px_row_batch_cell(batch, &rows[0], 1);
  g_assert_true(cell.len == 2 && cell.kind == PX_CELL_TEXT && memcmp(cell.ptr, "é", 2) == 0);
  cell = px_row_batch_cell(batch, &rows[2], 0);
  g_assert_true(cell.len == 0 && cell.kind == PX_CELL_EMPTY);
  cell = px_row_batch_cell(batch, &rows[2], 1);
  g_assert_true(cell.len == 3 && cell.kind == PX_CELL_NUMBER && memcmp(cell.ptr, "1.5", 3) == 0);
}

static void empty_batch(void) {
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  size_t size;
  const PxRowBatch *batch = px_batch_builder_finish(builder, 0, 0, &size);
  g_assert_cmpuint(size, ==, sizeof(PxRowBatch));
  g_assert_true(px_row_batch_check(batch, size, NULL));
}

static void cells_of_every_length(void) {
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  g_autofree char *text = g_malloc(100);
  for (unsigned i = 0; i < 100; i++)
    text[i] = (char)(' ' + i % 90);
  for (uint32_t len = 0; len <= 100; len++) {
    const PxCell cell = {.ptr = text + 100 - len, .len = len, .kind = PX_CELL_TEXT};
    px_batch_builder_add(builder, len + 1, 0, &cell, 1);
  }
  size_t size;
  const PxRowBatch *batch = px_batch_builder_finish(builder, 0, 0, &size);
  g_assert_true(px_row_batch_check(batch, size, NULL));
  for (uint32_t len = 0; len <= 100; len++) {
    PxCell cell = px_row_batch_cell(batch, &px_row_batch_rows(batch)[len], 0);
    g_assert_cmpuint(cell.len, ==, len);
    g_assert_true(memcmp(cell.ptr, text + 100 - len, len) == 0);
  }
}

static void full_when_it_has_grown(void) {
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  const PxCell cell = text_cell("0123456789");
  uint64_t number = 0;
  while (!px_batch_builder_full(builder))
    px_batch_builder_add(builder, ++number, 0, &cell, 1);
  size_t size;
  g_assert_cmpuint(px_batch_builder_rows(builder), ==, number);
  const PxRowBatch *batch = px_batch_builder_finish(builder, 0, 0, &size);
  g_assert_cmpuint(size, >, PX_ROW_BATCH_BYTES);
  g_assert_cmpuint(size, <, PX_ROW_BATCH_BYTES + 100);
  g_assert_true(px_row_batch_check(batch, size, NULL));
  g_assert_cmpuint(px_batch_builder_rows(builder), ==, 0);
}

static void wrong_size_is_seen(void) {
  size_t size;
  g_autofree PxRowBatch *batch = sample(&size);
  g_autoptr(GError) error = NULL;
  for (size_t shorter = 0; shorter < size; shorter++) {
    g_autofree PxRowBatch *part = shorter ? g_memdup2(batch, shorter) : NULL;
    g_assert_false(px_row_batch_check(part, shorter, NULL));
  }
  g_autofree PxRowBatch *longer = g_malloc0(size + 8);
  memcpy(longer, batch, size);
  g_assert_false(px_row_batch_check(longer, size + 8, &error));
  g_assert_error(error, PX_ERROR, PX_ERROR_INTERNAL);
}

/* The parts of the sample. */
typedef struct {
  PxRowBatch *batch;
  PxBatchRow *rows;
  PxBatchCell *cells;
  char *bytes;
} Parts;

static void check_broken(void (*breaks)(const Parts *p)) {
  size_t size;
  g_autofree PxRowBatch *batch = sample(&size);
  Parts parts = {.batch = batch, .rows = (PxBatchRow *)(batch + 1)};
  parts.cells = (PxBatchCell *)(parts.rows + batch->n_rows);
  parts.bytes = (char *)(parts.cells + batch->n_cells);
  breaks(&parts);
  g_assert_false(px_row_batch_check(batch, size, NULL));
}

static void magic(const Parts *p) {
  p->batch->magic++;
}

static void rows_up(const Parts *p) {
  p->batch->n_rows++;
}

static void rows_max(const Parts *p) {
  p->batch->n_rows = UINT32_MAX;
}

static void cells_up(const Parts *p) {
  p->batch->n_cells++;
}

static void cells_for_bytes(const Parts *p) {
  p->batch->n_cells--;
  p->batch->n_bytes += 8;
}

static void rows_for_cells(const Parts *p) {
  p->batch->n_rows--;
  p->batch->n_cells += 3;
}

static void row_from(const Parts *p) {
  p->rows[2].first_cell = 3;
}

static void row_again(const Parts *p) {
  p->rows[2].first_cell = 0;
}

static void row_many(const Parts *p) {
  p->rows[0].n_cells = UINT32_MAX;
}

static void row_few(const Parts *p) {
  p->rows[2].n_cells = 1;
}

static void cell_offset(const Parts *p) {
  p->cells[3].offset = UINT32_MAX;
}

static void cell_again(const Parts *p) {
  p->cells[3].offset = 0;
}

static void cell_len(const Parts *p) {
  p->cells[3].len_kind = UINT32_MAX;
}

static void cell_kind(const Parts *p) {
  p->cells[3].len_kind = 3 << 4 | PX_CELL_KINDS;
}

static void cell_empty_with_text(const Parts *p) {
  p->cells[3].len_kind = 3 << 4 | PX_CELL_EMPTY;
}

static void cell_text_without(const Parts *p) {
  p->cells[2].len_kind = PX_CELL_TEXT;
}

static void utf8(const Parts *p) {
  p->bytes[2] = '\xFF';
}

static void nul(const Parts *p) {
  p->bytes[0] = '\0';
}

static void cut_character(const Parts *p) {
  p->cells[0].len_kind = 3 << 4 | PX_CELL_TEXT;
  p->cells[1].offset = 3;
  p->cells[1].len_kind = 1 << 4 | PX_CELL_TEXT;
}

static void every_count_and_offset_is_looked_at(void) {
  check_broken(magic);
  check_broken(rows_up);
  check_broken(rows_max);
  check_broken(cells_up);
  check_broken(cells_for_bytes);
  check_broken(rows_for_cells);
  check_broken(row_from);
  check_broken(row_again);
  check_broken(row_many);
  check_broken(row_few);
  check_broken(cell_offset);
  check_broken(cell_again);
  check_broken(cell_len);
  check_broken(cell_kind);
  check_broken(cell_empty_with_text);
  check_broken(cell_text_without);
  check_broken(utf8);
  check_broken(nul);
  check_broken(cut_character);
}

static void alignment_is_looked_at(void) {
  size_t size;
  g_autofree PxRowBatch *batch = sample(&size);
  g_autofree char *block = g_malloc(size + 1);
  memcpy(block + 1, batch, size);
  const void *crooked = block + 1;
  g_assert_false(px_row_batch_check(crooked, size, NULL));
}

/* Whatever bit is turned, either the check sees it or all cells can still be read. */
static void turned_bits_do_no_harm(void) {
  size_t size;
  g_autofree PxRowBatch *batch = sample(&size);
  for (size_t bit = 0; bit < size * 8; bit++) {
    g_autofree PxRowBatch *copy = g_memdup2(batch, size);
    ((unsigned char *)copy)[bit / 8] ^= (unsigned char)(1 << bit % 8);
    if (!px_row_batch_check(copy, size, NULL))
      continue;
    for (uint32_t r = 0; r < copy->n_rows; r++) {
      const PxBatchRow *row = &px_row_batch_rows(copy)[r];
      for (uint32_t c = 0; c < row->n_cells; c++) {
        PxCell cell = px_row_batch_cell(copy, row, c);
        g_assert_true(cell.len == 0 || g_utf8_validate(cell.ptr, cell.len, NULL));
      }
    }
  }
}

void add_row_batch_tests(void) {
  g_test_add_func("/base/row_batch/what_goes_in_comes_out", what_goes_in_comes_out);
  g_test_add_func("/base/row_batch/empty_batch", empty_batch);
  g_test_add_func("/base/row_batch/cells_of_every_length", cells_of_every_length);
  g_test_add_func("/base/row_batch/full_when_it_has_grown", full_when_it_has_grown);
  g_test_add_func("/base/row_batch/wrong_size_is_seen", wrong_size_is_seen);
  g_test_add_func("/base/row_batch/every_count_and_offset_is_looked_at", every_count_and_offset_is_looked_at);
  g_test_add_func("/base/row_batch/alignment_is_looked_at", alignment_is_looked_at);
  g_test_add_func("/base/row_batch/turned_bits_do_no_harm", turned_bits_do_no_harm);
}
