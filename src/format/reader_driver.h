/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For the files of format/ that read one format: the table behind format/reader.h. */
#include "format/reader.h"

typedef struct {
  const char *name;
  void *(*open)(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, GError **error);
  void (*close)(void *self);
  PxReadResult (*next)(void *self, PxRow *ret_row, GError **error);
  void (*keep_columns)(void *self, const uint32_t *columns, size_t n); /* NULL: it cannot */
  uint64_t (*tell)(const void *self);
  uint64_t (*bytes_done)(const void *self);
  bool (*from_1904)(const void *self); /* NULL: never */
} PxReaderDriver;

extern const PxReaderDriver px_csv_reader;
extern const PxReaderDriver px_xlsx_reader;
extern const PxReaderDriver px_json_reader;
