/* SPDX-License-Identifier: Apache-2.0 */
#include "extract/extract_private.h"

static PxCell *header_row(PxArena *arena, const PxPattern *pattern, bool labels) {
  PxCell *cells = px_arena_new_array(arena, PxCell, pattern->n_columns);
  for (size_t i = 0; i < pattern->n_columns; i++) {
    const PxExportColumn *column = &pattern->columns[i];
    const char *text = labels ? column->label : column->custom ? column->custom : column->header;
    cells[i] = (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = PX_CELL_TEXT};
  }
  return cells;
}

static void mark_text(const PxExportNode *node, size_t from, bool *is_text) {
  for (size_t i = 0; i < node->n_values; i++) {
    const PxExportValue *value = &node->values[i];
    const PxField *const *last = value->computed ? &value->computed->as : value->n_path ? &value->path[value->n_path - 1] : NULL;
    bool is_name = last && !*last && !value->computed;
    is_text[from + value->column] = is_name || (last && *last && (*last)->type == PX_TYPE_TEXT);
  }
  for (size_t i = 0; i < node->n_lists; i++) {
    const PxExportList *list = &node->lists[i];
    for (size_t item = 0; item < list->occurrences; item++)
      mark_text(list->item, from + list->column + item * list->item->width, is_text);
  }
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
  bool *is_text = px_arena_new_array(arena, bool, pattern->n_columns);
  memset(is_text, 0, pattern->n_columns * sizeof *is_text);
  if (pattern->root)
    mark_text(pattern->root, 0, is_text);
  px_writer_text_columns(writer, is_text, pattern->n_columns);
  return (!n_tabs || px_extract_tabs(records, pattern, arena, &tabs, error)) &&
         px_writer_begin(writer, rows, n, pattern->n_columns, tabs, n_tabs, error);
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
  px_records_set_now(records, options->now);
  if (!writer || !write_header(writer, records, pattern, arena, error))
    return false;
  if (!options->header_only && !px_extract_rows(records, writer, pattern, options, &rows, error))
    return false;
  if (!px_writer_end(writer, error))
    return false;
  *ret_rows = rows;
  return true;
}
