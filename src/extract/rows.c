/* SPDX-License-Identifier: Apache-2.0 */
/* Records -> rows, a page at a time: the cursor gives the records, fill.c what they have. */
#include "extract/extract_private.h"

#define PROGRESS_ROWS 1000                   /* between two calls of progress */
#define PAGE_ROWS 500                        /* of a page at most, */
#define PAGE_CELLS ((size_t)64 * 1024)       /* of rows of many columns about so many, */
#define PAGE_BYTES ((size_t)2 * 1024 * 1024) /* of large values so much */

typedef struct {
  PxWriter *writer;
  const PxPattern *pattern;
  const PxExtractOptions *options;
  const PxExtractPlan *plan;
  PxExtractPage page;
  GArray *values;   /* PxValue of the records of the page */
  size_t page_rows; /* how many records make it full */
  uint64_t total;
  uint64_t rows; /* written */
} Rows;

static bool names_active(const PxPattern *pattern, const PxExtractOptions *options) {
  const PxField *active = pattern->model->active;
  return active && options->domain && px_domain_names(options->domain, active);
}

/* The plan's paths as a query, the pattern's order where the caller gives none. */
static PxRecordQuery make_query(const PxPattern *pattern, const PxExtractOptions *options, const PxExtractPlan *plan) {
  bool by_caller = options->n_order > 0;
  return (PxRecordQuery){
    .paths = plan->paths,
    .n_paths = plan->n_paths,
    .domain = options->domain,
    .only = options->only,
    .with_inactive = !pattern->model->active || options->only || names_active(pattern, options),
    .order = by_caller ? options->order : pattern->order,
    .order_descending = by_caller ? options->order_descending : pattern->order_descending,
    .n_order = by_caller ? options->n_order : pattern->n_order,
  };
}

static bool write_page(Rows *rows, size_t n, GError **error) {
  size_t width = rows->pattern->n_columns;
  PxCell *cells = px_arena_new_array(rows->page.arena, PxCell, n * width);
  PxCell **places = px_arena_new_array(rows->page.arena, PxCell *, n);
  for (size_t i = 0; i < n; i++)
    places[i] = cells + i * width;
  if (!px_extract_fill(&rows->page, rows->plan, (const PxValue *)(void *)rows->values->data, places, n, error))
    return false;
  for (size_t i = 0; i < n; i++) {
    if (!px_writer_row(rows->writer, places[i], width, error))
      return false;
    if (++rows->rows % PROGRESS_ROWS == 0 && rows->options->progress)
      rows->options->progress(rows->rows, rows->total, rows->options->data);
  }
  px_arena_reset(rows->page.arena);
  g_array_set_size(rows->values, 0);
  return true;
}

static bool write_pages(Rows *rows, PxRecordCursor *cursor, GError **error) {
  const PxValue *values;
  size_t n = 0;
  int more;
  while ((more = px_record_cursor_next(cursor, &values, error)) > 0) {
    for (size_t i = 0; i < rows->plan->n_paths; i++) {
      PxValue value = px_value_copy(rows->page.arena, values[i]);
      g_array_append_val(rows->values, value);
    }
    n++;
    if (n < rows->page_rows && px_arena_used(rows->page.arena) < PAGE_BYTES)
      continue;
    if (!write_page(rows, n, error))
      return false;
    n = 0;
  }
  return more == 0 && (n == 0 || write_page(rows, n, error));
}

/* "malformed JSON" of a value that one record has. */
static void say_computed(const PxPattern *pattern, GError **error) {
  if (pattern->computes && error && g_error_matches(*error, PX_ERROR, PX_ERROR_CONSTRAINT))
    g_prefix_error(error, "pattern %s: a value of its computed columns cannot be worked out: ", pattern->name);
}

bool px_extract_rows(PxRecords *records, PxWriter *writer, const PxPattern *pattern, const PxExtractOptions *options, uint64_t *ret_rows,
                     GError **error) {
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(PxArena) page_arena = px_arena_new();
  g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(PxValue));
  Rows rows = {
    .writer = writer,
    .pattern = pattern,
    .options = options,
    .plan = px_extract_plan(arena, pattern->root),
    .page = {.records = records, .convert = &pattern->convert, .with_inactive = names_active(pattern, options), .arena = page_arena},
    .values = values,
    .page_rows = CLAMP(PAGE_CELLS / MAX(pattern->n_columns, 1), 1, PAGE_ROWS),
  };
  const PxRecordQuery query = make_query(pattern, options, rows.plan);
  if (options->progress && !px_records_count(records, pattern->model, &query, &rows.total, error))
    return false;
  g_autoptr(PxRecordCursor) cursor = px_records_open(records, pattern->model, &query, error);
  if (!cursor || !write_pages(&rows, cursor, error)) {
    say_computed(pattern, error);
    return false;
  }
  if (options->progress)
    options->progress(rows.rows, rows.total, options->data);
  *ret_rows = rows.rows;
  return true;
}
