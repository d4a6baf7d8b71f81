/* SPDX-License-Identifier: Apache-2.0 */
#include "format/writer.h"

#include "format/writer_driver.h"

static const PxWriterDriver *const drivers[] = {
  [PX_FORMAT_CSV] = &px_csv_writer, [PX_FORMAT_XLSX] = &px_xlsx_writer, [PX_FORMAT_JSON] = &px_json_writer};

struct PxWriter {
  const PxWriterDriver *driver;
  void *self;
};

PxWriter *px_writer_open(int fd, const PxFormatOptions *options, const char *title, GError **error) {
  const PxWriterDriver *driver = drivers[options->format];
  void *self = driver->open(fd, options, title, error);
  if (!self)
    return NULL;
  PxWriter *writer = g_new0(PxWriter, 1);
  *writer = (PxWriter){.driver = driver, .self = self};
  return writer;
}

void px_writer_close(PxWriter *writer) {
  if (!writer)
    return;
  writer->driver->close(writer->self);
  g_free(writer);
}

void px_writer_text_columns(PxWriter *writer, const bool *is_text, size_t n_columns) {
  if (writer->driver->text_columns)
    writer->driver->text_columns(writer->self, is_text, n_columns);
}

bool px_writer_begin(PxWriter *writer, const PxCell *const *headers, size_t n_headers, size_t n_columns, const PxTab *tabs, size_t n_tabs,
                     GError **error) {
  return writer->driver->begin(writer->self, headers, n_headers, n_columns, tabs, n_tabs, error);
}

bool px_writer_row(PxWriter *writer, const PxCell *cells, size_t n_cells, GError **error) {
  return writer->driver->row(writer->self, cells, n_cells, error);
}

bool px_writer_end(PxWriter *writer, GError **error) {
  return writer->driver->end(writer->self, error);
}
