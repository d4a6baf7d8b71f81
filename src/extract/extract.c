/* SPDX-License-Identifier: Apache-2.0 */
#include "extract/extract_private.h"

#define PROGRESS_ROWS 1000 /* between two calls of progress */

/* ---- the header */

static PxCell *header_row(PxArena *arena, const PxPattern *pattern, bool labels) {
  PxCell *cells = px_arena_new_array(arena, PxCell, pattern->n_fields);
  for (size_t i = 0; i < pattern->n_fields; i++) {
    const PxExportField *field = &pattern->fields[i];
    const char *text = labels ? field->label : field->custom ? field->custom : field->header;
    cells[i] = (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = PX_CELL_TEXT};
  }
  return cells;
}

static bool write_header(PxWriter *writer, PxRecords *records, const PxPattern *pattern, PxArena *arena, GError **error) {
  bool labels = px_pattern_header_rows(pattern) == 2;
  const PxCell *rows[2];
  size_t n = 0;
  if (labels)
    rows[n++] = header_row(arena, pattern, true);
  rows[n++] = header_row(arena, pattern, false);
  size_t n_tabs = pattern->format.format == PX_FORMAT_XLSX ? pattern->n_tabs : 0;
  PxTab *tabs = NULL;
  return (!n_tabs || px_extract_tabs(records, pattern, arena, &tabs, error)) &&
         px_writer_begin(writer, rows, n, pattern->n_fields, tabs, n_tabs, error);
}

/* ---- the rows */

/* The pattern's columns as the paths of a query, its order where the caller gives none. */
static PxRecordQuery make_query(PxArena *arena, const PxPattern *pattern, const PxExtractOptions *options) {
  PxLookupPath *paths = px_arena_new_array(arena, PxLookupPath, pattern->n_fields);
  for (size_t i = 0; i < pattern->n_fields; i++)
    paths[i] = (PxLookupPath){.path = pattern->fields[i].path, .n_path = pattern->fields[i].n_path};
  const PxField *active = pattern->model->active;
  bool by_caller = options->n_order > 0;
  return (PxRecordQuery){
    .paths = paths,
    .n_paths = pattern->n_fields,
    .domain = options->domain,
    .with_inactive = !active || (options->domain && px_domain_names(options->domain, active)),
    .order = by_caller ? options->order : pattern->order,
    .order_descending = by_caller ? options->order_descending : pattern->order_descending,
    .n_order = by_caller ? options->n_order : pattern->n_order,
  };
}

static bool write_row(PxWriter *writer, const PxPattern *pattern, const PxConvertOptions *convert, const PxValue *values, PxCell *cells,
                      PxArena *arena, GError **error) {
  px_arena_reset(arena);
  for (size_t i = 0; i < pattern->n_fields; i++) {
    const PxExportField *field = &pattern->fields[i];
    cells[i] = px_field_format(field->path[field->n_path - 1], convert, arena, values[i]);
  }
  return px_writer_row(writer, cells, pattern->n_fields, error);
}

static bool write_rows(PxWriter *writer, PxRecordCursor *cursor, const PxPattern *pattern, const PxExtractOptions *options, uint64_t total,
                       uint64_t *ret_rows, GError **error) {
  g_autoptr(PxArena) arena = px_arena_new();
  g_autofree PxCell *cells = g_new(PxCell, pattern->n_fields);
  PxConvertOptions convert = pattern->convert;
  /* A native number has no decimal mark to choose. */
  convert.decimal_comma = convert.decimal_comma && pattern->format.format == PX_FORMAT_CSV;
  const PxValue *values;
  int more;
  while ((more = px_record_cursor_next(cursor, &values, error)) > 0) {
    if (!write_row(writer, pattern, &convert, values, cells, arena, error))
      return false;
    if (++*ret_rows % PROGRESS_ROWS == 0 && options->progress)
      options->progress(*ret_rows, total, options->data);
  }
  if (more == 0 && options->progress)
    options->progress(*ret_rows, total, options->data);
  return more == 0;
}

static bool extract_rows(PxRecords *records, PxWriter *writer, const PxPattern *pattern, const PxExtractOptions *options, PxArena *arena,
                         uint64_t *ret_rows, GError **error) {
  PxRecordQuery query = make_query(arena, pattern, options);
  uint64_t total = 0;
  if (options->progress && !px_records_count(records, pattern->model, &query, &total, error))
    return false;
  g_autoptr(PxRecordCursor) cursor = px_records_open(records, pattern->model, &query, error);
  return cursor && write_rows(writer, cursor, pattern, options, total, ret_rows, error);
}

bool px_extract(PxDb *db, const PxSchema *schema, const PxPattern *pattern, const PxExtractOptions *options, int fd, uint64_t *ret_rows,
                GError **error) {
  if (pattern->export_problem) {
    g_set_error_literal(error, PX_ERROR, PX_ERROR_CONFIG, pattern->export_problem);
    return false;
  }
  g_autoptr(PxArena) arena = px_arena_new();
  g_autoptr(PxWriter) writer = px_writer_open(fd, &pattern->format, pattern->name, error);
  g_autoptr(PxRecords) records = px_records_new(db, schema);
  uint64_t rows = 0;
  if (!writer || !write_header(writer, records, pattern, arena, error))
    return false;
  if (!options->header_only && !extract_rows(records, writer, pattern, options, arena, &rows, error))
    return false;
  if (!px_writer_end(writer, error))
    return false;
  *ret_rows = rows;
  return true;
}
