/* SPDX-License-Identifier: Apache-2.0 */
/* csv_scan WAY FILE: reads a CSV one way and prints how many rows, cells and bytes of cells it saw. bench/csv_scan.py measures it.
 *
 * ours      px_reader_next(), every cell looked at
 * process   the same through a parser process and checked row batches, as an import does
 * libcsv    csv_parse() of libcsv, where it was installed when this was built
 * lines     a loop over memchr for line ends, as `wc -l` does
 */
#include "scan.h"

#ifdef HAVE_LIBCSV
#include <csv.h>
#endif

static bool scan_ours(int fd, Counts *counts, GError **error) {
  return scan_with_reader(fd, PX_FORMAT_CSV, counts, error);
}

static bool scan_process(int fd, Counts *counts, GError **error) {
  return scan_with_process(fd, PX_FORMAT_CSV, counts, error);
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

int main(int argc, char **argv) {
  static const ScanWay ways[] = {
    {"ours", scan_ours},
    {"process", scan_process},
#ifdef HAVE_LIBCSV
    {"libcsv", scan_libcsv},
#endif
    {"lines", scan_lines},
  };
  return scan_main("csv_scan", ways, G_N_ELEMENTS(ways), argc, argv);
}
