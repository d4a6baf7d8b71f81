/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For the files of format/ that write one format: the table behind format/writer.h. */
#include "format/writer.h"

typedef struct {
  const char *name;
  void *(*open)(int fd, const PxFormatOptions *options, const char *title, GError **error);
  void (*close)(void *self);
  void (*text_columns)(void *self, const bool *is_text, size_t n_columns); /* NULL: ignored */
  bool (*begin)(void *self, const PxCell *const *headers, size_t n_headers, size_t n_columns, const PxTab *tabs, size_t n_tabs, GError **error);
  bool (*row)(void *self, const PxCell *cells, size_t n_cells, GError **error);
  bool (*end)(void *self, GError **error);
} PxWriterDriver;

extern const PxWriterDriver px_csv_writer;
extern const PxWriterDriver px_xlsx_writer;
extern const PxWriterDriver px_json_writer;
