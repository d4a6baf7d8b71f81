/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows -> bytes, for every format. A writer holds no more than a few rows. */
#include "base/cell.h"
#include "format/format.h"

/* An extra sheet of allowed values, and the columns of the main sheet whose list validation it is. Formats without sheets
 * ignore it. */
typedef struct {
  const char *name;
  const PxCell *values;
  size_t n_values;
  const unsigned *columns; /* of the main sheet, from 0 */
  size_t n_columns;
} PxTab;

typedef struct PxWriter PxWriter;

/* Bytes go to fd from its present position on; the fd stays the caller's. title: the name of the main sheet. */
PxWriter *px_writer_open(int fd, const PxFormatOptions *options, const char *title, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_writer_close(PxWriter *writer); /* frees; without px_writer_end() what was written is not a whole file */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxWriter, px_writer_close)

/* Before px_writer_begin(): the columns that hold text whatever stands in them, so that a person who edits the file keeps the zeros of "01234".
 * Formats whose cells have no format ignore it. */
void px_writer_text_columns(PxWriter *writer, const bool *is_text, size_t n_columns);
/* Once, first: the header rows (1, or 2 with labels above; each of n_columns cells; n_headers may be 0) and the tabs. */
bool px_writer_begin(PxWriter *writer, const PxCell *const *headers, size_t n_headers, size_t n_columns, const PxTab *tabs, size_t n_tabs,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A row; kinds decide how a cell is written (number, date, boolean). */
bool px_writer_row(PxWriter *writer, const PxCell *cells, size_t n_cells, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Writes what is left. After it the bytes are a whole file (not synced). PX_ERROR_TRANSIENT: the disk is full. */
bool px_writer_end(PxWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
