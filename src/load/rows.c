/* SPDX-License-Identifier: Apache-2.0 */
/* Cells -> values of the slots. Outside any transaction: it asks the database nothing. */
#include "base/text.h"
#include "load/load_private.h"

#include <stdarg.h>

/* ---- messages */

void px_row_complain(PxLoader *loader, PxLoadRow *row, PxStage stage, const PxHeaderColumn *column, const char *label, const char *type,
                     const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  PxRowMessage *message = px_arena_alloc0(loader->chunk_arena, sizeof *message);
  message->stage = stage;
  message->message = (PxMessage){
    .row = row->number,
    .column = column ? column->header : NULL,
    .field = label,
    .type = type,
    .message = label ? px_arena_printf(loader->chunk_arena, "%s: %s", label, text) : px_arena_strndup(loader->chunk_arena, text, strlen(text)),
  };
  if (row->last)
    row->last->next = message;
  else
    row->messages = message;
  row->last = message;
}

void px_row_say(PxLoader *loader, PxLoadRow *row, PxStage stage, const PxMessage *message) {
  PxArena *arena = loader->chunk_arena;
  PxRowMessage *copy = px_arena_alloc0(arena, sizeof *copy);
  copy->stage = stage;
  copy->message = (PxMessage){
    .row = message->row,
    .column = message->column ? px_arena_strndup(arena, message->column, strlen(message->column)) : NULL,
    .field = message->field ? px_arena_strndup(arena, message->field, strlen(message->field)) : NULL,
    .type = px_arena_strndup(arena, message->type, strlen(message->type)),
    .message = px_arena_strndup(arena, message->message, strlen(message->message)),
  };
  if (row->last)
    row->last->next = copy;
  else
    row->messages = copy;
  row->last = copy;
}

void px_row_forget(PxLoadRow *row, PxStage stage) {
  PxRowMessage **link = &row->messages;
  row->last = NULL;
  while (*link) {
    if ((*link)->stage >= stage) {
      *link = (*link)->next;
    } else {
      row->last = *link;
      link = &(*link)->next;
    }
  }
}

const char *px_load_describe(PxArena *arena, const PxValue *value) {
  switch ((PxValueKind)value->kind) {
  case PX_NULL:
    return "nothing";
  case PX_INTEGER:
    return px_arena_printf(arena, "%" G_GINT64_FORMAT, value->integer);
  case PX_REAL:
    return px_arena_printf(arena, "%.15g", value->real);
  case PX_TEXT:
  case PX_BLOB: {
    g_autofree char *quoted = px_text_quote(value->text, value->len);
    return px_arena_strndup(arena, quoted, strlen(quoted));
  }
  }
  return "";
}

/* ---- converting */

static bool is_blank(PxCell cell) {
  const char *text = cell.ptr;
  size_t len = cell.len;
  if (len)
    px_text_strip(&text, &len);
  return len == 0;
}

static void note_present(PxLoader *loader, size_t index, const PxLoadColumn *column, bool given) {
  const PxLoadPlace *place = &loader->plan.places[column->place];
  px_loader_item(loader, index, place)->key_given |= column->key && given;
  for (; place; place = place->parent) {
    PxLoadItem *item = px_loader_item(loader, index, place);
    item->present = true;
    item->given |= given;
  }
  if (column->reference < 0)
    return;
  uint8_t *state = &px_loader_states(loader, index)[column->reference];
  if (*state == PX_REFERENCE_ABSENT)
    *state = PX_REFERENCE_EMPTY;
  if (*state == PX_REFERENCE_EMPTY && given)
    *state = PX_REFERENCE_GIVEN;
}

static bool convert_external(PxLoader *loader, PxLoadRow *row, const PxLoadColumn *column, PxCell cell, PxValue *value) {
  const char *text = cell.ptr;
  size_t len = cell.len;
  px_text_strip(&text, &len);
  *value = px_value_text(text, len);
  if (cell.kind != PX_CELL_ERROR && cell.kind != PX_CELL_FORMULA && px_external_is_name(text, len))
    return true;
  px_row_complain(loader, row, PX_STAGE_CONVERT, column->column, NULL, "conversion", "%s is no external id: write module.name, or a name alone",
                  px_load_describe(loader->chunk_arena, value));
  return false;
}

static bool convert_field(PxLoader *loader, PxLoadRow *row, const PxLoadColumn *column, PxCell cell, bool from_1904, PxValue *value) {
  const PxConvertOptions *options = column->convert;
  PxConvertOptions options_1904;
  if (from_1904) {
    options_1904 = *options;
    options_1904.from_1904 = true;
    options = &options_1904;
  }
  const char *type = NULL;
  const char *problem = NULL;
  if (px_field_convert(column->field, options, loader->chunk_arena, cell, value, &type, &problem))
    return true;
  px_row_complain(loader, row, PX_STAGE_CONVERT, column->column, column->field->label, type, "%s", problem);
  return false;
}

static void convert_cell(PxLoader *loader, PxLoadRow *row, size_t index, const PxLoadColumn *column, PxCell cell, bool from_1904) {
  PxValue *value = &px_loader_values(loader, index)[column->slot];
  if (column->field ? convert_field(loader, row, column, cell, from_1904, value) : convert_external(loader, row, column, cell, value))
    return;
  value->kind = PX_SLOT_BAD;
  if (column->reference >= 0)
    px_loader_states(loader, index)[column->reference] = PX_REFERENCE_BAD;
}

/* Cells behind the header's last column must hold nothing in CSV, where a missing quote shows like that; in a sheet they are a column
 * without a name, which is ignored. */
static bool has_extra(const PxLoader *loader, const PxRowBatch *batch, const PxBatchRow *row) {
  if (loader->plan.pattern->format.format != PX_FORMAT_CSV)
    return false;
  for (uint32_t i = (uint32_t)loader->plan.width; i < row->n_cells; i++)
    if (!is_blank(px_row_batch_cell(batch, row, i)))
      return true;
  return false;
}

static void make_room(PxLoader *loader, size_t rows) {
  if (rows <= loader->room)
    return;
  loader->room = MAX(rows, loader->room * 2);
  loader->values = g_renew(PxValue, loader->values, loader->room * MAX(loader->plan.n_slots, 1));
  loader->states = g_renew(uint8_t, loader->states, loader->room * MAX(loader->plan.n_references, 1));
  loader->items = g_renew(PxLoadItem, loader->items, loader->room * loader->plan.n_places);
}

/* Whether the row says anything; if so its values stand in the slots of the next row. */
static bool convert_row(PxLoader *loader, const PxRowBatch *batch, const PxBatchRow *source, PxLoadRow *row) {
  size_t index = loader->rows->len;
  bool any = false;
  PxValue *values = px_loader_values(loader, index);
  memset(px_loader_states(loader, index), PX_REFERENCE_ABSENT, loader->plan.n_references);
  memset(loader->items + index * loader->plan.n_places, 0, loader->plan.n_places * sizeof *loader->items);
  for (size_t i = 0; i < loader->plan.n_slots; i++)
    values[i].kind = PX_NULL;
  px_load_set_defaults(loader, index);
  for (size_t i = 0; i < loader->plan.n_columns; i++) {
    const PxLoadColumn *column = &loader->plan.columns[i];
    uint32_t at = column->column->column;
    PxCell cell = at < source->n_cells ? px_row_batch_cell(batch, source, at) : (PxCell){.ptr = ""};
    if (cell.kind == PX_CELL_ABSENT) {
      values[column->slot].kind = PX_SLOT_ABSENT;
      continue;
    }
    bool blank = is_blank(cell);
    any |= !blank;
    note_present(loader, index, column, !blank);
    if (!blank || (column->field && column->field->type == PX_TYPE_BOOLEAN))
      convert_cell(loader, row, index, column, cell, batch->from_1904);
  }
  loader->items[index * loader->plan.n_places].given = true;
  if (has_extra(loader, batch, source)) {
    any = true;
    px_row_complain(loader, row, PX_STAGE_CONVERT, NULL, NULL, "extra_cells", "the row has %u cells, the header only %zu; is a quote missing?",
                    source->n_cells, loader->plan.width);
  }
  return any;
}

void px_loader_add(PxLoader *loader, const PxRowBatch *batch, size_t first_row, size_t n_rows) {
  make_room(loader, loader->rows->len + n_rows);
  const PxBatchRow *rows = px_row_batch_rows(batch) + first_row;
  for (size_t i = 0; i < n_rows; i++) {
    PxLoadRow row = {.number = rows[i].number};
    if (!loader->first_row)
      loader->first_row = row.number;
    loader->last_row = row.number;
    row.skipped = (uint32_t)loader->counts.skipped;
    loader->counts.rows++;
    if (!convert_row(loader, batch, &rows[i], &row)) {
      loader->counts.skipped++;
      continue;
    }
    px_load_recall_row(loader, &row);
    g_array_append_val(loader->rows, row);
  }
}
