/* SPDX-License-Identifier: Apache-2.0 */
/* The allowed values of columns. */
#include "extract/extract_private.h"

#include <string.h>

typedef struct {
  PxArena *arena;
  GArray *cells;    /* PxCell, their text in arena */
  GHashTable *seen; /* that text */
} Values;

static void values_done(Values *values) {
  g_array_unref(values->cells);
  g_hash_table_unref(values->seen);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Values, values_done)

static void add(Values *values, PxCell cell) {
  char *text = px_arena_strndup(values->arena, cell.ptr, cell.len);
  if (cell.len == 0 || !g_hash_table_add(values->seen, text))
    return;
  cell.ptr = text;
  g_array_append_val(values->cells, cell);
}

static void add_selection(Values *values, const PxField *field) {
  for (size_t i = 0; i < field->n_selection; i++) {
    const char *value = field->selection[i].value;
    add(values, (PxCell){.ptr = value, .len = (uint32_t)strlen(value), .kind = PX_CELL_TEXT});
  }
}

static bool add_records(Values *values, PxRecords *records, const PxPatternTab *tab, const PxConvertOptions *convert, GError **error) {
  const PxLookupPath path = {.path = &tab->field, .n_path = 1};
  const PxField *active = tab->model->active;
  const PxRecordQuery query = {
    .paths = &path,
    .n_paths = 1,
    .domain = tab->domain,
    .with_inactive = !active || (tab->domain && px_domain_names(tab->domain, active)),
  };
  g_autoptr(PxArena) scratch = px_arena_new();
  g_autoptr(PxRecordCursor) cursor = px_records_open(records, tab->model, &query, error);
  if (!cursor)
    return false;
  const PxValue *value;
  int more;
  while ((more = px_record_cursor_next(cursor, &value, error)) > 0) {
    px_arena_reset(scratch);
    add(values, px_field_format(tab->field, convert, scratch, *value));
  }
  return more == 0;
}

static bool read_tab(PxRecords *records, const PxPattern *pattern, const PxPatternTab *tab, PxArena *arena, PxTab *ret_tab, GError **error) {
  g_auto(Values) values = {.arena = arena, .cells = g_array_new(FALSE, FALSE, sizeof(PxCell)), .seen = g_hash_table_new(g_str_hash, g_str_equal)};
  const PxConvertOptions convert = px_convert_options_with(&pattern->convert, tab->convert);
  if (!tab->model)
    add_selection(&values, tab->field);
  else if (!add_records(&values, records, tab, &convert, error))
    return false;
  unsigned *columns = px_arena_new_array(arena, unsigned, pattern->n_columns);
  *ret_tab = (PxTab){.name = tab->name, .columns = columns, .n_values = values.cells->len};
  for (size_t i = 0; i < pattern->n_columns; i++)
    if (pattern->columns[i].tab == tab)
      columns[ret_tab->n_columns++] = (unsigned)i;
  PxCell *cells = px_arena_new_array(arena, PxCell, values.cells->len);
  for (guint i = 0; i < values.cells->len; i++)
    cells[i] = g_array_index(values.cells, PxCell, i);
  ret_tab->values = cells;
  return true;
}

bool px_extract_tabs(PxRecords *records, const PxPattern *pattern, PxArena *arena, PxTab **ret_tabs, GError **error) {
  *ret_tabs = px_arena_new_array(arena, PxTab, pattern->n_tabs);
  for (size_t i = 0; i < pattern->n_tabs; i++)
    if (!read_tab(records, pattern, pattern->tabs[i], arena, &(*ret_tabs)[i], error))
      return false;
  return true;
}
