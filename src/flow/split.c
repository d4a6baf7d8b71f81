/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/split.h"

#include "base/hook.h"
#include "base/text.h"
#include "base/tuple_map.h"
#include "flow/spool.h"
#include "model/convert.h"
#include "pattern/independence.h"

#define MEMORY ((size_t)8 * 1024 * 1024) /* of all parts, before they are written */
#define RUN 1000
#define CHUNK_BYTES ((uint64_t)4 * 1024 * 1024)

/* A cell whose value decides on the part. */
typedef struct {
  unsigned column;
  const PxField *field;
  PxConvertOptions convert;
} KeyCell;

typedef struct {
  PxBatchBuilder *builder;
  uint64_t written;     /* bytes of its spool */
  PxPlannedChunk chunk; /* that is being filled; chunk.chunk.counts.rows 0: none */
  uint64_t chunk_bytes;
} Part;

struct PxSplit {
  PxImport *import;
  GArray *key; /* KeyCell */
  Part *parts; /* n_parts; NULL: nothing is to be spread */
  unsigned n_parts;
  GArray *chunks; /* PxPlannedChunk, without spool */
  PxNewSpools *spools;
  const int *fds;
  char *name; /* of the spools */
  PxArena *arena;
  GArray *cells; /* PxCell of the row at hand */
  uint64_t rows;
  uint64_t chunk_rows;
};

PxSplit *px_split_new(PxImport *import) {
  PxSplit *split = g_new0(PxSplit, 1);
  split->import = import;
  split->key = g_array_new(FALSE, FALSE, sizeof(KeyCell));
  split->chunks = g_array_new(FALSE, FALSE, sizeof(PxPlannedChunk));
  split->cells = g_array_new(FALSE, FALSE, sizeof(PxCell));
  split->arena = px_arena_new();
  split->chunk_rows = import->pattern->chunk_size ? import->pattern->chunk_size : PX_CHUNK_MOST_ROWS;
  return split;
}

/* Gives up: the rows are loaded one after the other. */
static void drop_parts(PxSplit *split) {
  g_clear_pointer(&split->spools, px_filestore_spools_abandon);
  for (unsigned i = 0; split->parts && i < split->n_parts; i++)
    px_batch_builder_free(split->parts[i].builder);
  g_clear_pointer(&split->parts, g_free);
}

void px_split_free(PxSplit *split) {
  if (!split)
    return;
  drop_parts(split);
  g_array_unref(split->key);
  g_array_unref(split->chunks);
  g_array_unref(split->cells);
  px_arena_free(split->arena);
  g_free(split->name);
  g_free(split);
}

/* ---- the header */

static void add_key_cells(PxSplit *split, const PxHeaderNode *node, bool whole) {
  for (size_t i = 0; i < node->n_columns; i++)
    if (whole || node->columns[i].key) {
      const PxPattern *pattern = split->import->pattern;
      const PxHeaderColumn *column = &node->columns[i];
      const KeyCell cell = {.column = column->column,
                            .field = column->field,
                            .convert = px_convert_options_with(&pattern->convert, px_pattern_convert(pattern, column->path))};
      g_array_append_val(split->key, cell);
    }
  for (size_t i = 0; i < node->n_children; i++)
    if (whole || node->children[i]->key)
      add_key_cells(split, node->children[i], true);
}

static bool write_batch(PxSplit *split, unsigned index, GError **error) {
  size_t size;
  Part *part = &split->parts[index];
  const PxRowBatch *batch = px_batch_builder_finish(part->builder, 0, 0, &size);
  if (!px_spool_write(split->fds[index], batch, error))
    return false;
  part->written += sizeof size + size;
  return true;
}

/* Each spool begins with the header, so that a chunk can be loaded without the file. */
static bool write_headers(PxSplit *split, const PxNames *header, GError **error) {
  const GPtrArray *names = header->names;
  g_autofree PxCell *cells = g_new0(PxCell, names->len + 1);
  for (guint i = 0; i < names->len; i++) {
    size_t len = strlen(names->pdata[i]);
    cells[i] = (PxCell){.ptr = names->pdata[i],
                        .len = (uint32_t)len,
                        .kind = !len                    ? PX_CELL_EMPTY
                                : header->only_nulls[i] ? PX_CELL_NULLS
                                                        : PX_CELL_TEXT};
  }
  for (unsigned i = 0; i < split->n_parts; i++) {
    px_batch_builder_add(split->parts[i].builder, header->row, UINT64_MAX, cells, names->len);
    if (!write_batch(split, i, error))
      return false;
  }
  return true;
}

static bool is_independent(const PxSplit *split, const PxHeader *header) {
  g_autoptr(GPtrArray) reasons = px_pattern_obstacles(split->import->pattern, header);
  return reasons->len == 0;
}

static bool wants(const PxNames *names, void *data, bool *ret_wants, GError **error) {
  PxImport *import = data;
  PxSplit *split = import->split;
  *ret_wants = false;
  g_autoptr(PxHeader) header = names ? px_import_compile_header(import, names) : NULL;
  if (!header || !is_independent(split, header))
    return true;
  add_key_cells(split, px_header_root(header), false);
  split->n_parts = import->pattern->partitions;
  split->name = g_strdup_printf("%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, import->file->id, import->work->job->attempt);
  split->spools = px_filestore_spools_begin(import->work->project->filestore, split->name, split->n_parts, &split->fds, error);
  if (!split->spools)
    return false;
  split->parts = g_new0(Part, split->n_parts);
  for (unsigned i = 0; i < split->n_parts; i++)
    split->parts[i].builder = px_batch_builder_new();
  *ret_wants = true;
  return write_headers(split, names, error);
}

/* ---- the rows */

/* A value that does not fit makes its row fail wherever it is loaded. */
static PxValue key_value(const PxSplit *split, const KeyCell *key, PxCell cell, bool from_1904) {
  const char *text = cell.ptr;
  size_t len = cell.len;
  const char *type;
  const char *problem;
  PxValue value = px_value_null();
  PxConvertOptions options = key->convert;
  options.from_1904 = from_1904;
  if (len)
    px_text_strip(&text, &len);
  if ((len || key->field->type == PX_TYPE_BOOLEAN) && !px_field_convert(key->field, &options, split->arena, cell, &value, &type, &problem))
    return px_value_null();
  return px_field_canonical(key->field, split->arena, value);
}

/* Numbers and codes that count up are neighbours in the database's index: those of a run go into the same part, so that parts do not take turns at
 * its pages. */
static PxValue run_of(PxValue key) {
  if (key.kind == PX_INTEGER)
    return px_value_integer(key.integer / RUN);
  for (unsigned run = RUN; key.kind == PX_TEXT && run > 1 && key.len > 0 && g_ascii_isdigit(key.text[key.len - 1]); run /= 10)
    key.len--;
  return key;
}

/* The part of a row; false: it lacks a column of the key, so it may be any record's. */
static bool find_part(const PxSplit *split, const PxRowBatch *batch, const PxBatchRow *row, unsigned *ret_part) {
  PxValue *values = px_arena_new_array(split->arena, PxValue, split->key->len);
  for (guint i = 0; i < split->key->len; i++) {
    const KeyCell *key = &g_array_index(split->key, KeyCell, i);
    PxCell cell = key->column < row->n_cells ? px_row_batch_cell(batch, row, key->column) : (PxCell){.ptr = ""};
    if (cell.kind == PX_CELL_ABSENT)
      return false;
    values[i] = key_value(split, key, cell, batch->from_1904);
  }
  values[split->key->len - 1] = run_of(values[split->key->len - 1]);
  *ret_part = (unsigned)(px_tuple_encode(split->arena, values, split->key->len).hash % split->n_parts);
  return true;
}

static bool close_chunk(PxSplit *split, unsigned index, GError **error) {
  Part *part = &split->parts[index];
  if (!part->chunk.chunk.counts.rows)
    return true;
  if (px_batch_builder_rows(part->builder) && !write_batch(split, index, error))
    return false;
  g_array_append_val(split->chunks, part->chunk);
  part->chunk = (PxPlannedChunk){0};
  part->chunk_bytes = 0;
  return true;
}

static bool add_row(PxSplit *split, const PxRowBatch *batch, const PxBatchRow *row, unsigned index, GError **error) {
  Part *part = &split->parts[index];
  PxChunk *chunk = &part->chunk.chunk;
  if (!chunk->counts.rows) {
    part->chunk.part = index + 1;
    part->chunk.place = part->written;
    chunk->first_row = row->number;
  }
  g_array_set_size(split->cells, row->n_cells);
  for (uint32_t i = 0; i < row->n_cells; i++) {
    PxCell cell = px_row_batch_cell(batch, row, i);
    part->chunk_bytes += cell.len;
    g_array_index(split->cells, PxCell, i) = cell;
  }
  px_batch_builder_from_1904(part->builder, batch->from_1904);
  px_batch_builder_add(part->builder, row->number, UINT64_MAX, (const PxCell *)(const void *)split->cells->data, row->n_cells);
  chunk->last_row = row->number;
  chunk->counts.rows++;
  if (chunk->counts.rows >= split->chunk_rows || part->chunk_bytes >= CHUNK_BYTES)
    return close_chunk(split, index, error);
  return px_batch_builder_size(part->builder) < MEMORY / split->n_parts || write_batch(split, index, error);
}

static bool take_rows(const PxRowBatch *batch, size_t first, size_t n, void *data, GError **error) {
  PxSplit *split = ((PxImport *)data)->split;
  const PxBatchRow *rows = px_row_batch_rows(batch);
  px_arena_reset(split->arena);
  for (size_t i = first; split->parts && i < first + n; i++) {
    unsigned part;
    split->rows++;
    if (!find_part(split, batch, &rows[i], &part))
      drop_parts(split);
    else if (!add_row(split, batch, &rows[i], part, error))
      return false;
  }
  return true;
}

const PxFeedSink px_split_sink = {.wants = wants, .rows = take_rows};

bool px_split_is_useful(const PxSplit *split) {
  return split->parts && split->rows > split->chunk_rows;
}

/* ---- the end */

/* In the transaction. */
static bool plan_chunks(PxSplit *split, GError **error) {
  PxImport *import = split->import;
  PxProject *project = import->work->project;
  import->file->bytes_done = 0;
  if (!px_file_store(project->db, import->file, px_project_now(project), error))
    return false;
  for (guint i = 0; i < split->chunks->len; i++) {
    PxPlannedChunk *planned = &g_array_index(split->chunks, PxPlannedChunk, i);
    planned->chunk.file_id = import->file->id;
    planned->spool = split->name;
    if (!px_chunk_plan(project->db, planned, px_project_now(project), error))
      return false;
  }
  for (unsigned part = 1; part <= split->n_parts; part++)
    if (!px_chunk_enqueue_next(project, import->work->job, part, error))
      return false;
  return px_job_done(project->db, import->work->job, px_project_now(project), error);
}

bool px_split_store(PxSplit *split, GError **error) {
  PxWork *work = split->import->work;
  for (unsigned i = 0; i < split->n_parts; i++)
    if (!close_chunk(split, i, error))
      return false;
  if (!px_filestore_spools_commit(g_steal_pointer(&split->spools), error))
    return false;
  px_hook("split-written");
  bool done = px_work_begin(work, error) && px_transaction_end(work->project->db, plan_chunks(split, error), error);
  if (done)
    px_hook("split-committed");
  else
    px_filestore_spools_remove(work->project->filestore, split->name);
  return done;
}
