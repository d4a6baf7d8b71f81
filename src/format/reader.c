/* SPDX-License-Identifier: Apache-2.0 */
#include "format/reader.h"

#include "format/reader_driver.h"

static const PxReaderDriver *const drivers[] = {
  [PX_FORMAT_CSV] = &px_csv_reader, [PX_FORMAT_XLSX] = &px_xlsx_reader, [PX_FORMAT_JSON] = &px_json_reader};

struct PxReader {
  const PxReaderDriver *driver;
  void *self;
};

PxReader *px_reader_open(int fd, const PxFormatOptions *options, GError **error) {
  return px_reader_open_at(fd, options, 0, UINT64_MAX, error);
}

PxReader *px_reader_open_at(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, GError **error) {
  const PxReaderDriver *driver = drivers[options->format];
  void *self = driver->open(fd, options, number, place, error);
  if (!self)
    return NULL;
  PxReader *reader = g_new0(PxReader, 1);
  *reader = (PxReader){.driver = driver, .self = self};
  return reader;
}

void px_reader_close(PxReader *reader) {
  if (!reader)
    return;
  reader->driver->close(reader->self);
  g_free(reader);
}

PxReadResult px_reader_next(PxReader *reader, PxRow *ret_row, GError **error) {
  return reader->driver->next(reader->self, ret_row, error);
}

bool px_reader_keep_columns(PxReader *reader, const uint32_t *columns, size_t n) {
  if (!reader->driver->keep_columns)
    return false;
  reader->driver->keep_columns(reader->self, columns, n);
  return true;
}

uint64_t px_reader_tell(const PxReader *reader) {
  return reader->driver->tell(reader->self);
}

bool px_reader_from_1904(const PxReader *reader) {
  return reader->driver->from_1904 && reader->driver->from_1904(reader->self);
}

uint64_t px_reader_bytes_done(const PxReader *reader) {
  return reader->driver->bytes_done(reader->self);
}
