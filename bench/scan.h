/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the programs that read a file one way or another have in common: our two ways, the counts, and the choice of a way. */
#include "format/parser.h"
#include "format/reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Cells: those that are there. */
typedef struct {
  uint64_t rows, cells, bytes;
} Counts;

typedef struct {
  const char *name;
  bool (*scan)(int fd, Counts *counts, GError **error);
} ScanWay;

/* px_reader_next(), every cell looked at. JSON has a header that is no row of the file. */
static inline bool scan_with_reader(int fd, PxFormat format, Counts *counts, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, format);
  g_autoptr(PxReader) reader = px_reader_open(fd, &options, error);
  px_format_options_done(&options);
  PxReadResult result = reader ? PX_READ_ROW : PX_READ_ERROR;
  while (result == PX_READ_ROW) {
    PxRow row;
    result = px_reader_next(reader, &row, error);
    if (result != PX_READ_ROW || row.number == 0)
      continue;
    counts->rows++;
    for (size_t i = 0; i < row.n_cells; i++) {
      counts->cells += row.cells[i].kind != PX_CELL_ABSENT;
      counts->bytes += row.cells[i].len;
    }
  }
  return result == PX_READ_END;
}

/* The same through a parser process and checked row batches, as an import does; the first batch of JSON is its header. */
static inline bool scan_with_process(int fd, PxFormat format, Counts *counts, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, format);
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, 1, 0, 0, error);
  px_format_options_done(&options);
  g_autoptr(GError) failure = NULL;
  for (bool header = format == PX_FORMAT_JSON; parser; header = false) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &failure);
    if (!batch)
      break;
    if (header)
      continue;
    counts->rows += batch->n_rows;
    counts->bytes += batch->n_bytes;
    for (uint32_t i = 0; i < batch->n_cells; i++)
      counts->cells += (px_row_batch_cells(batch)[i].len_kind & 15) != PX_CELL_ABSENT;
  }
  bool ok = parser && !failure;
  if (failure)
    g_propagate_error(error, g_steal_pointer(&failure));
  return ok;
}

/* The program NAME WAY FILE: prints rows, cells and bytes. Also the parser's process, which is this program again. */
static inline int scan_main(const char *name, const ScanWay *ways, size_t n_ways, int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return px_parser_main(argc, argv);
  int fd = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
  for (size_t i = 0; fd >= 0 && i < n_ways; i++) {
    if (strcmp(argv[1], ways[i].name) != 0)
      continue;
    Counts counts = {0};
    g_autoptr(GError) error = NULL;
    bool ok = ways[i].scan(fd, &counts, &error);
    if (!ok)
      fprintf(stderr, "%s: %s: %s\n", name, argv[2], error ? error->message : "failed");
    else
      printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts.rows, counts.cells, counts.bytes);
    return ok ? 0 : 1;
  }
  fprintf(stderr, "%s: WAY FILE, where WAY is known here and FILE can be read\n", name);
  return 2;
}
