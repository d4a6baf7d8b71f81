/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan WAY FILE: reads a JSON list of objects one way and prints how many objects and values it saw. bench/json_scan.py measures it.
 *
 * ours      px_reader_next(), every cell looked at; the file is read twice, as the keys are the header
 * process   the same through a parser process and checked row batches, as an import does
 * jansson   json_load_file() and a walk over the document, which is whole in memory
 */
#include "format/parser.h"
#include "format/reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  uint64_t objects, values;
} Counts;

static void count_cell(Counts *counts, unsigned kind) {
  counts->values += kind != PX_CELL_ABSENT;
}

static bool scan_ours(const char *file, Counts *counts, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  g_autoptr(PxReader) reader = px_reader_open(fd, &options, error);
  px_format_options_done(&options);
  PxReadResult result = reader ? PX_READ_ROW : PX_READ_ERROR;
  while (result == PX_READ_ROW) {
    PxRow row;
    result = px_reader_next(reader, &row, error);
    if (result != PX_READ_ROW || row.number == 0)
      continue;
    counts->objects++;
    for (size_t i = 0; i < row.n_cells; i++)
      count_cell(counts, row.cells[i].kind);
  }
  close(fd);
  return result == PX_READ_END;
}

static bool scan_process(const char *file, Counts *counts, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_JSON);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, 1, 0, 0, error);
  px_format_options_done(&options);
  close(fd);
  g_autoptr(GError) failure = NULL;
  for (bool header = true; parser; header = false) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &failure);
    if (!batch)
      break;
    if (header)
      continue;
    counts->objects += batch->n_rows;
    for (uint32_t i = 0; i < batch->n_cells; i++)
      count_cell(counts, px_row_batch_cells(batch)[i].len_kind & 15);
  }
  bool ok = parser && !failure;
  if (failure)
    g_propagate_error(error, g_steal_pointer(&failure));
  return ok;
}

static bool scan_jansson(const char *file, Counts *counts, GError **error) {
  json_error_t problem;
  json_t *list = json_load_file(file, JSON_REJECT_DUPLICATES, &problem);
  for (size_t i = 0; i < json_array_size(list); i++) {
    counts->objects++;
    counts->values += json_object_size(json_array_get(list, i));
  }
  json_decref(list);
  return list != NULL;
}

static const struct {
  const char *name;
  bool (*scan)(const char *file, Counts *counts, GError **error);
} ways[] = {{"ours", scan_ours}, {"process", scan_process}, {"jansson", scan_jansson}};

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return px_parser_main(argc, argv);
  for (size_t i = 0; argc == 3 && i < G_N_ELEMENTS(ways); i++) {
    if (strcmp(argv[1], ways[i].name) != 0)
      continue;
    Counts counts = {0};
    g_autoptr(GError) error = NULL;
    bool ok = ways[i].scan(argv[2], &counts, &error);
    if (!ok)
      fprintf(stderr, "json_scan: %s\n", error ? error->message : "failed");
    printf("%" PRIu64 " %" PRIu64 "\n", counts.objects, counts.values);
    return ok ? 0 : 1;
  }
  fprintf(stderr, "json_scan: WAY FILE, where WAY is known here\n");
  return 2;
}
