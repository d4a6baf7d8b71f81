/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "base/arena.h"
#include "base/text.h"
#include "format/parser.h"
#include "format/writer.h"
#include "report/report_private.h"

#define ERROR_COLUMN "#Error"
#define ERROR_LABEL "Error"
#define SHEET_COLUMNS 16384 /* of a workbook, ours too */

typedef struct {
  PxFormatOptions options; /* of the report */
  PxWriter *writer;
  unsigned header_rows;
  bool all_rows;
  PxMessageSource source;
  void *data;
  const PxMessage *next; /* the first message that is not written yet; NULL: there is none */
  PxArena *arena;        /* of the header */
  GPtrArray *headers;    /* PxCell arrays in arena, one a header row */
  size_t n_columns;      /* of the widest header row, the error column not counted */
  GArray *is_error;      /* bool a column: an error column of before */
  GString *text;         /* of the error cell at hand */
  GArray *cells;         /* PxCell of the row at hand */
  guint most_cells;      /* of a row */
  bool cut;              /* some row had more */
  uint64_t rows;
} Report;

static void report_done(Report *report) {
  px_format_options_done(&report->options);
  px_writer_close(report->writer);
  px_arena_free(report->arena);
  g_ptr_array_unref(report->headers);
  g_array_unref(report->is_error);
  g_array_unref(report->cells);
  g_string_free(report->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, report_done)

static PxCell text_cell(const char *text, size_t len) {
  return (PxCell){.ptr = text, .len = (uint32_t)len, .kind = len ? PX_CELL_TEXT : PX_CELL_EMPTY};
}

/* ---- messages */

static void advance(Report *report) {
  if (!report->source(&report->next, report->data))
    report->next = NULL;
}

/* A label stands in front of the message already; without one the column does. */
void px_report_append(GString *text, const PxMessage *message) {
  bool labelled = message->field && g_str_has_prefix(message->message, message->field);
  if (text->len)
    g_string_append_c(text, '\n');
  if (!labelled && message->column)
    g_string_append_printf(text, "%s: ", message->column);
  g_string_append(text, message->message);
}

/* The messages of a row into the error cell; those of rows before it, which the file does not have, are passed over. */
static void take_messages(Report *report, uint64_t row) {
  g_string_truncate(report->text, 0);
  while (report->next && report->next->row < row)
    advance(report);
  for (; report->next && report->next->row == row; advance(report))
    px_report_append(report->text, report->next);
}

/* ---- header */

static void copy_header(Report *report, const PxRowBatch *batch, const PxBatchRow *row) {
  PxCell *cells = px_arena_new_array(report->arena, PxCell, row->n_cells + 1);
  for (uint32_t i = 0; i < row->n_cells; i++) {
    PxCell cell = px_row_batch_cell(batch, row, i);
    cells[i] = text_cell(px_arena_strndup(report->arena, cell.ptr, cell.len), cell.len);
  }
  /* A PxCell without bytes behind the last one marks the end. */
  cells[row->n_cells] = (PxCell){0};
  g_ptr_array_add(report->headers, cells);
  report->n_columns = MAX(report->n_columns, row->n_cells);
}

static bool is_error_name(PxCell cell) {
  const char *text = cell.ptr;
  size_t len = cell.len;
  px_text_strip(&text, &len);
  return len == strlen(ERROR_COLUMN) && g_ascii_strncasecmp(text, ERROR_COLUMN, len) == 0;
}

/* The cells of a row behind an error cell, without the error columns of before. */
static void add_cell(Report *report, size_t column, PxCell cell) {
  if (column < report->is_error->len && g_array_index(report->is_error, bool, column))
    return;
  if (report->cells->len < report->most_cells)
    g_array_append_val(report->cells, cell);
  else
    report->cut = true;
}

static void start_row(Report *report, PxCell error_cell) {
  g_array_set_size(report->cells, 0);
  g_array_append_val(report->cells, error_cell);
}

static void find_error_columns(Report *report) {
  const PxCell *technical = report->headers->pdata[report->headers->len - 1];
  for (size_t i = 0; technical[i].ptr; i++) {
    bool is_error = is_error_name(technical[i]);
    g_array_append_val(report->is_error, is_error);
  }
}

static bool write_header(Report *report, GError **error) {
  const PxCell *rows[2];
  size_t n_cells = 0;
  guint n = report->headers->len;
  if (n)
    find_error_columns(report);
  for (guint h = 0; h < n; h++) {
    const PxCell *cells = report->headers->pdata[h];
    bool ended = false;
    start_row(report, h + 1 < n ? text_cell(ERROR_LABEL, strlen(ERROR_LABEL)) : text_cell(ERROR_COLUMN, strlen(ERROR_COLUMN)));
    for (size_t i = 0; i < report->n_columns; i++) {
      ended = ended || !cells[i].ptr;
      add_cell(report, i, ended ? text_cell("", 0) : cells[i]);
    }
    n_cells = report->cells->len;
    PxCell *copy = px_arena_new_array(report->arena, PxCell, n_cells);
    memcpy(copy, report->cells->data, n_cells * sizeof(PxCell));
    rows[h] = copy;
  }
  return px_writer_begin(report->writer, rows, n, n_cells, NULL, 0, error);
}

/* ---- rows */

static bool write_cells(Report *report, GError **error) {
  return px_writer_row(report->writer, &g_array_index(report->cells, PxCell, 0), report->cells->len, error);
}

static bool write_row(Report *report, const PxRowBatch *batch, const PxBatchRow *row, GError **error) {
  take_messages(report, row->number);
  bool bad = report->text->len > 0;
  report->rows += bad;
  if (!bad && !report->all_rows)
    return true;
  px_report_fit(&report->options, report->text);
  start_row(report, text_cell(report->text->str, report->text->len));
  for (uint32_t i = 0; i < row->n_cells; i++)
    add_cell(report, i, px_row_batch_cell(batch, row, i));
  return write_cells(report, error);
}

static bool write_batch(Report *report, const PxRowBatch *batch, GError **error) {
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const PxBatchRow *row = &px_row_batch_rows(batch)[i];
    bool is_header = report->headers->len < report->header_rows;
    if (is_header) {
      copy_header(report, batch, row);
      if (report->headers->len == report->header_rows && !write_header(report, error))
        return false;
    } else if (!write_row(report, batch, row, error)) {
      return false;
    }
  }
  return true;
}

/* Behind the place where the file could not be read further stands why: in a column that is ignored when the file is sent again. */
static bool write_stop(Report *report, const char *why, GError **error) {
  if (report->headers->len < report->header_rows)
    return write_header(report, error);
  g_string_assign(report->text, why);
  px_report_fit(&report->options, report->text);
  start_row(report, text_cell(report->text->str, report->text->len));
  return write_cells(report, error);
}

static bool copy_rows(Report *report, int blob_fd, const PxFormatOptions *options, GError **error) {
  g_autoptr(PxParser) parser = px_parser_start(blob_fd, options, report->header_rows, 0, 0, error);
  if (!parser)
    return false;
  for (;;) {
    g_autoptr(GError) problem = NULL;
    g_autofree PxRowBatch *batch = px_parser_next(parser, &problem);
    if (g_error_matches(problem, PX_ERROR, PX_ERROR_REFUSED))
      return write_stop(report, problem->message, error);
    if (problem) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    if (!batch)
      return report->headers->len == report->header_rows || write_header(report, error);
    if (!write_batch(report, batch, error))
      return false;
  }
}

bool px_report_write_rows(const PxErrorFile *file, uint64_t *ret_rows, GError **error) {
  g_auto(Report) report = {
    .header_rows = file->header_rows,
    .all_rows = file->all_rows,
    .source = file->source,
    .data = file->data,
    .arena = px_arena_new(),
    .headers = g_ptr_array_new(),
    .is_error = g_array_new(FALSE, FALSE, sizeof(bool)),
    .text = g_string_new(NULL),
    .cells = g_array_new(FALSE, FALSE, sizeof(PxCell)),
    .most_cells = file->options->format == PX_FORMAT_XLSX ? SHEET_COLUMNS : G_MAXUINT,
  };
  px_report_options(file->blob_fd, file->options, &report.options);
  report.writer = px_writer_open(file->out_fd, &report.options, "errors", error);
  if (!report.writer)
    return false;
  advance(&report);
  if (!copy_rows(&report, file->blob_fd, file->options, error) || !px_writer_end(report.writer, error))
    return false;
  *ret_rows = report.rows;
  if (file->ret_cut)
    *file->ret_cut = report.cut;
  return true;
}

bool px_report_error_file(int blob_fd, const PxFormatOptions *options, unsigned header_rows, bool all_rows, PxMessageSource source, void *data,
                          int out_fd, uint64_t *ret_rows, char **ret_note, GError **error) {
  const PxErrorFile file = {
    .blob_fd = blob_fd, .options = options, .header_rows = header_rows, .all_rows = all_rows, .source = source, .data = data, .out_fd = out_fd};
  *ret_note = NULL;
  return options->format == PX_FORMAT_XLSX ? px_report_write_book(&file, ret_rows, ret_note, error) : px_report_write_rows(&file, ret_rows, error);
}
