/* SPDX-License-Identifier: Apache-2.0 */
/* csv_scan WAY FILE: reads a CSV one way and prints how many rows, cells and bytes of cells it saw. bench/csv_scan.py measures it.
 *
 * ours      px_reader_next(), every cell looked at
 * process   the same through a parser process and checked row batches, as an import does
 * libcsv    csv_parse() of libcsv, where it was installed when this was built
 * lines     a loop over memchr for line ends, as `wc -l` does
 */
#include "format/parser.h"
#include "format/reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_LIBCSV
#include <csv.h>
#endif

typedef struct {
  uint64_t rows, cells, bytes;
} Counts;

static bool scan_ours(int fd, Counts *counts, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  g_autoptr(PxReader) reader = px_reader_open(fd, &options, error);
  px_format_options_done(&options);
  PxReadResult result = reader ? PX_READ_ROW : PX_READ_ERROR;
  while (result == PX_READ_ROW) {
    PxRow row;
    result = px_reader_next(reader, &row, error);
    if (result != PX_READ_ROW)
      break;
    counts->rows++;
    counts->cells += row.n_cells;
    for (size_t i = 0; i < row.n_cells; i++)
      counts->bytes += row.cells[i].len;
  }
  return result == PX_READ_END;
}

static bool scan_process(int fd, Counts *counts, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, 1, 0, 0, error);
  px_format_options_done(&options);
  g_autoptr(GError) failure = NULL;
  while (parser) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &failure);
    if (!batch)
      break;
    counts->rows += batch->n_rows;
    counts->cells += batch->n_cells;
    counts->bytes += batch->n_bytes;
  }
  bool ok = parser && !failure;
  if (failure)
    g_propagate_error(error, g_steal_pointer(&failure));
  return ok;
}

#ifdef HAVE_LIBCSV
static void on_cell(void *cell, size_t len, void *data) {
  Counts *counts = data;
  counts->cells++;
  counts->bytes += len;
}

static void on_row(int end, void *data) {
  Counts *counts = data;
  counts->rows++;
}

static bool scan_libcsv(int fd, Counts *counts, GError **error) {
  struct csv_parser parser;
  static char buffer[256 * 1024];
  ssize_t n;
  (void)csv_init(&parser, 0);
  while ((n = read(fd, buffer, sizeof(buffer))) > 0)
    if (csv_parse(&parser, buffer, (size_t)n, on_cell, on_row, counts) != (size_t)n)
      return false;
  (void)csv_fini(&parser, on_cell, on_row, counts);
  csv_free(&parser);
  return n == 0;
}
#endif

static bool scan_lines(int fd, Counts *counts, GError **error) {
  static char buffer[256 * 1024];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof(buffer))) > 0)
    for (const char *at = buffer; (at = memchr(at, '\n', (size_t)(buffer + n - at))); at++)
      counts->rows++;
  return n == 0;
}

static const struct {
  const char *name;
  bool (*scan)(int fd, Counts *counts, GError **error);
} ways[] = {
  {"ours", scan_ours},
  {"process", scan_process},
#ifdef HAVE_LIBCSV
  {"libcsv", scan_libcsv},
#endif
  {"lines", scan_lines},
};

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return px_parser_main(argc, argv);
  int fd = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
  for (size_t i = 0; fd >= 0 && i < G_N_ELEMENTS(ways); i++) {
    if (strcmp(argv[1], ways[i].name) != 0)
      continue;
    Counts counts = {0};
    g_autoptr(GError) error = NULL;
    bool ok = ways[i].scan(fd, &counts, &error);
    if (!ok)
      fprintf(stderr, "csv_scan: %s\n", error ? error->message : "failed");
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts.rows, counts.cells, counts.bytes);
    return ok ? 0 : 1;
  }
  fprintf(stderr, "csv_scan: WAY FILE, where WAY is known here and FILE can be read\n");
  return 2;
}
