/* SPDX-License-Identifier: Apache-2.0 */
/* A file -> the lines of a plan, read by the parser process as every file is. */
#include "flow/plan.h"
#include "format/parser.h"

#define NOT_A_PLAN "this is no plan that import --plan wrote"

struct PxPlanReader {
  PxParser *parser;
  PxRowBatch *batch;
  size_t next;
  int columns[PX_PLAN_COLUMNS]; /* where each stands in the file; -1: it does not have it */
  PxPlanLine line;
  GString *texts;
};

static bool refuse(GError **error, const char *why) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: make it again", why);
  return false;
}

/* The next row, NULL at the end. */
static const PxBatchRow *next_row(PxPlanReader *reader, GError **error) {
  while (!reader->batch || reader->next >= reader->batch->n_rows) {
    g_free(reader->batch);
    reader->next = 0;
    reader->batch = px_parser_next(reader->parser, error);
    if (!reader->batch)
      return NULL;
  }
  return px_row_batch_rows(reader->batch) + reader->next++;
}

static bool read_header(PxPlanReader *reader, GError **error) {
  g_autoptr(GError) problem = NULL;
  const PxBatchRow *row = next_row(reader, &problem);
  if (problem) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  for (size_t c = 0; c < PX_PLAN_COLUMNS; c++) {
    reader->columns[c] = -1;
    for (uint32_t i = 0; row && i < row->n_cells; i++) {
      PxCell cell = px_row_batch_cell(reader->batch, row, i);
      if (cell.len == strlen(px_plan_columns[c]) && memcmp(cell.ptr, px_plan_columns[c], cell.len) == 0)
        reader->columns[c] = (int)i;
    }
    if (reader->columns[c] < 0)
      return refuse(error, NOT_A_PLAN);
  }
  return true;
}

PxPlanReader *px_plan_reader_open(int fd, const PxFormatOptions *options, GError **error) {
  g_autoptr(PxPlanReader) reader = g_new0(PxPlanReader, 1);
  reader->texts = g_string_new(NULL);
  reader->parser = px_parser_start(fd, options, 1, 0, UINT64_MAX, error);
  return reader->parser && read_header(reader, error) ? g_steal_pointer(&reader) : NULL;
}

void px_plan_reader_close(PxPlanReader *reader) {
  if (!reader)
    return;
  px_parser_free(reader->parser);
  g_free(reader->batch);
  g_string_free(reader->texts, TRUE);
  g_free(reader);
}

bool px_plan_reader_next(PxPlanReader *reader, const PxPlanLine **ret_line, GError **error) {
  const PxBatchRow *row = next_row(reader, error);
  size_t offsets[PX_PLAN_COLUMNS];
  if (!row)
    return false;
  g_string_truncate(reader->texts, 0);
  for (size_t c = 0; c < PX_PLAN_COLUMNS; c++) {
    offsets[c] = reader->texts->len;
    if ((uint32_t)reader->columns[c] < row->n_cells) {
      PxCell cell = px_row_batch_cell(reader->batch, row, (uint32_t)reader->columns[c]);
      g_string_append_len(reader->texts, cell.ptr, cell.len);
    }
    g_string_append_c(reader->texts, '\0');
  }
  reader->line.number = row->number;
  for (size_t c = 0; c < PX_PLAN_COLUMNS; c++)
    reader->line.cells[c] = reader->texts->str + offsets[c];
  *ret_line = &reader->line;
  return true;
}

/* ---- the whole of it */

void px_plan_add_checksum(GChecksum *checksum, const char *const *cells) {
  for (size_t i = 0; i < PX_PLAN_COLUMNS; i++)
    g_checksum_update(checksum, (const guchar *)cells[i], (gssize)strlen(cells[i]) + 1);
}

void px_plan_head_done(PxPlanHead *head) {
  g_free(head->version);
  g_free(head->schema);
  g_free(head->pattern);
  g_free(head->file);
}

static void keep_text(char **text, const char *value) {
  g_free(*text);
  *text = g_strdup(value);
}

static void keep_fact(PxPlanHead *head, const char *field, const char *value) {
  struct {
    const char *field;
    char **text;
    uint64_t *count;
  } const facts[] = {
    {"version", &head->version, NULL},
    {"schema", &head->schema, NULL},
    {"pattern", &head->pattern, NULL},
    {"file", &head->file, NULL},
    {"created", NULL, &head->counts.created},
    {"updated", NULL, &head->counts.updated},
    {"unchanged", NULL, &head->counts.unchanged},
    {"failed", NULL, &head->counts.failed},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
    if (!g_str_equal(facts[i].field, field))
      continue;
    if (facts[i].text)
      keep_text(facts[i].text, value);
    else
      *facts[i].count = g_ascii_strtoull(value, NULL, 10);
  }
}

/* *ret_ended: line is the last one, and what it says of those before it is true. */
static bool check_end(const PxPlanLine *line, uint64_t lines, GChecksum *checksum, bool *ret_ended, GError **error) {
  const char *field = line->cells[PX_PLAN_FIELD];
  const char *value = line->cells[PX_PLAN_NEW];
  if (g_str_equal(field, "lines"))
    return g_ascii_strtoull(value, NULL, 10) == lines || refuse(error, "the plan does not have all of its lines");
  g_autoptr(GChecksum) all = g_checksum_copy(checksum);
  *ret_ended = g_str_equal(value, g_checksum_get_string(all));
  return *ret_ended || refuse(error, "the plan is not as it was written, somebody or some program has changed it");
}

bool px_plan_check(int fd, const PxFormatOptions *options, PxPlanHead *ret_head, GError **error) {
  g_autoptr(PxPlanReader) reader = px_plan_reader_open(fd, options, error);
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  g_autoptr(GError) problem = NULL;
  const PxPlanLine *line;
  bool ended = false;
  if (!reader)
    return false;
  for (uint64_t lines = 0; px_plan_reader_next(reader, &line, &problem); lines++) {
    const char *action = line->cells[PX_PLAN_ACTION];
    if (ended)
      return refuse(error, "the plan goes on behind its end");
    if (g_str_equal(action, PX_PLAN_HEAD))
      keep_fact(ret_head, line->cells[PX_PLAN_FIELD], line->cells[PX_PLAN_NEW]);
    if (g_str_equal(action, PX_PLAN_END) && !check_end(line, lines, checksum, &ended, error))
      return false;
    px_plan_add_checksum(checksum, line->cells);
  }
  if (problem) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  if (!ret_head->version || !ret_head->schema)
    return refuse(error, NOT_A_PLAN);
  return ended || refuse(error, "the plan does not have its last line");
}
