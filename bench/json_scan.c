/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan WAY FILE: reads a JSON list of objects one way and prints how many objects and values it saw, and bytes of them where we read.
 * bench/json_scan.py measures it.
 *
 * ours      px_reader_next(), every cell looked at; the file is read twice, as the keys are the header
 * process   the same through a parser process and checked row batches, as an import does
 * jansson   json_loadf() and a walk over the document, which is whole in memory
 */
#include "scan.h"

#include <jansson.h>

static bool scan_ours(int fd, Counts *counts, GError **error) {
  return scan_with_reader(fd, PX_FORMAT_JSON, counts, error);
}

static bool scan_process(int fd, Counts *counts, GError **error) {
  return scan_with_process(fd, PX_FORMAT_JSON, counts, error);
}

static bool scan_jansson(int fd, Counts *counts, GError **error) {
  json_error_t problem;
  FILE *file = fdopen(dup(fd), "rb"); /* json_loadfd() reads byte by byte */
  json_t *list = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
  fclose(file);
  for (size_t i = 0; i < json_array_size(list); i++) {
    counts->rows++;
    counts->cells += json_object_size(json_array_get(list, i));
  }
  json_decref(list);
  return list != NULL;
}

int main(int argc, char **argv) {
  static const ScanWay ways[] = {{"ours", scan_ours}, {"process", scan_process}, {"jansson", scan_jansson}};
  return scan_main("json_scan", ways, G_N_ELEMENTS(ways), argc, argv);
}
