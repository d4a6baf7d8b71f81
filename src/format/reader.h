/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Bytes -> rows, for every format. A reader runs in the parser process (format/parser.h); only tests and the parser
 * itself open one.
 */
#include "base/cell.h"
#include "format/format.h"

typedef struct {
  uint64_t number;     /* as a person sees it; the header is row 1; a blank line is a row, a cell of two lines is not two */
  uint64_t place;      /* where the row begins, for px_reader_open_at(); UINT64_MAX: not known */
  const PxCell *cells; /* views that live until the next call */
  size_t n_cells;
} PxRow;

typedef struct PxReader PxReader;

/* Opens the blob at fd (seekable, from its beginning). The fd stays the caller's and must outlive the reader.
 * PX_ERROR_REFUSED: it is not of that format, the encoding is unknown. */
PxReader *px_reader_open(int fd, const PxFormatOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, going on before the row with this number and place (both from a PxRow of the same bytes and options). When place
 * is UINT64_MAX the rows before are read and dropped. */
PxReader *px_reader_open_at(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_reader_close(PxReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxReader, px_reader_close)

typedef enum { PX_READ_ROW, PX_READ_END, PX_READ_ERROR } PxReadResult;

/* The next row. A blank line is a row of no cells. PX_READ_ERROR: PX_ERROR_REFUSED with "row N: ..." (invalid bytes, unclosed
 * quote, NUL byte, limit). The bytes are valid UTF-8 without NUL. */
PxReadResult px_reader_next(PxReader *reader, PxRow *ret_row, GError **error);
/* From now on only these n columns (ascending, from 0 on) are given, close together. false: this format gives them all. */
bool px_reader_keep_columns(PxReader *reader, const uint32_t *columns, size_t n) G_GNUC_WARN_UNUSED_RESULT;
/* Where the row that px_reader_next() would give begins; UINT64_MAX: this format cannot say. */
uint64_t px_reader_tell(const PxReader *reader);
/* Whether the days of native numbers are counted from 1904, as some workbooks do. */
bool px_reader_from_1904(const PxReader *reader);
/* Bytes of the source that have been used, for progress. */
uint64_t px_reader_bytes_done(const PxReader *reader);
