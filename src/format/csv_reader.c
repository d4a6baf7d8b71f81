/* SPDX-License-Identifier: Apache-2.0 */
/* The window slides over the file: rows are read out of it, and when one does not end in it, the row moves to the front and more is
 * read behind. It grows only for a row that is longer than it is, up to the limit of a row. */
#include "format/csv_private.h"
#include "format/reader_driver.h"

#include <string.h>

#define READ_SIZE ((size_t)128 * 1024)
#define FIRST_CAPACITY ((size_t)64)

typedef struct {
  PxCsvSource *source;
  PxCsvWindow window;
  char *block; /* the window's bytes and the pads around them */
  PxCsvScan scan;
  uint64_t number; /* of the row that was read last */
  uint64_t place;  /* of the next row in the source */
  bool has_places;
  bool is_plain; /* a byte of the window is one of the source */
  size_t max_row_bytes;
} CsvReader;

static void csv_close(void *self) {
  CsvReader *reader = self;
  px_csv_source_close(reader->source);
  px_csv_scan_done(&reader->scan);
  g_free(reader->block);
  g_free(reader);
}

static bool set_capacity(CsvReader *reader, size_t capacity, GError **error) {
  char *block = g_try_realloc(reader->block, capacity + (size_t)2 * PX_CSV_PAD);
  if (!block) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "out of memory for a row of %zu bytes", capacity);
    return false;
  }
  memset(block, 0, PX_CSV_PAD);
  reader->block = block;
  reader->window.bytes = block + PX_CSV_PAD;
  reader->window.capacity = capacity;
  return true;
}

static uint64_t csv_tell(const void *self) {
  const CsvReader *reader = self;
  return reader->has_places ? reader->place : UINT64_MAX;
}

static uint64_t csv_bytes_done(const void *self) {
  const CsvReader *reader = self;
  return reader->has_places ? csv_tell(self) : px_csv_source_offset(reader->source);
}

static PxReadResult refuse_long_row(const CsvReader *reader, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
              "row %" G_GUINT64_FORMAT ": longer than %zu bytes: a quote that is not closed, or no line ends, or max_row_bytes is too small",
              reader->number + 1, reader->max_row_bytes);
  return PX_READ_ERROR;
}

static void prefix_place(const CsvReader *reader, GError **error) {
  g_prefix_error(error, "row %" G_GUINT64_FORMAT ", column %zu: ", reader->number + 1, reader->scan.n_cells + 1);
}

/* What is wrong with the row that ends the reading. Whether a complaint about bytes behind the limit is seen depends on how much has been
 * read, so the limit comes first. */
static PxReadResult refuse_row(const CsvReader *reader, PxCsvScanResult result, GError **error) {
  size_t row_bytes = (result == PX_CSV_MORE ? reader->window.len : reader->scan.row_end) - reader->scan.row_start;
  if (row_bytes > reader->max_row_bytes)
    return refuse_long_row(reader, error);
  if (result == PX_CSV_TOO_MANY) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "row %" G_GUINT64_FORMAT ": more than %zu cells: is the delimiter right? Else raise max_cells",
                reader->number + 1, reader->scan.max_cells);
    return PX_READ_ERROR;
  }
  const char *quote = reader->scan.quote.bytes;
  int quote_len = reader->scan.quote.len;
  if (result == PX_CSV_MORE)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the quote %.*s is opened and the file ends before it is closed", quote_len, quote);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "text after the closing quote %.*s: a quote inside a quoted cell is written twice", quote_len,
                quote);
  prefix_place(reader, error);
  return PX_READ_ERROR;
}

/* More of the row that does not end in the window. */
static PxReadResult read_on(CsvReader *reader, GError **error) {
  PxCsvWindow *window = &reader->window;
  size_t row_start = reader->scan.row_start;
  if (window->at_end)
    return refuse_row(reader, PX_CSV_MORE, error);
  if (window->len - row_start >= reader->max_row_bytes + 2) /* not even CR LF can be missing */
    return refuse_long_row(reader, error);
  if (row_start > 0) {
    memmove(window->bytes, window->bytes + row_start, window->filled - row_start);
    window->len -= row_start;
    window->filled -= row_start;
    px_csv_scan_rewind(&reader->scan, 0);
  }
  if (window->capacity - window->filled < MAX(PX_CSV_MIN_ROOM, window->capacity / 4) && !set_capacity(reader, window->capacity * 2, error))
    return PX_READ_ERROR;
  switch (px_csv_source_fill(reader->source, window, error)) {
  case PX_CSV_FILL_BAD:
    prefix_place(reader, error);
    return PX_READ_ERROR;
  case PX_CSV_FILL_ERROR:
    return PX_READ_ERROR;
  case PX_CSV_FILL_MORE:
    reader->place += px_csv_source_skipped(reader->source);
    break;
  }
  memset(window->bytes + window->filled, 0, PX_CSV_PAD);
  px_csv_scan_rewind(&reader->scan, 0);
  return PX_READ_ROW;
}

static PxReadResult give_row(CsvReader *reader, size_t row_start, PxRow *ret_row) {
  *ret_row = (PxRow){
    .number = ++reader->number,
    .place = csv_tell(reader),
    .cells = reader->scan.cells,
    .n_cells = reader->scan.n_cells,
  };
  size_t len = reader->scan.row_start - row_start;
  reader->place += reader->is_plain ? len : px_csv_source_span(reader->source, reader->window.bytes + row_start, len);
  if (G_UNLIKELY(reader->scan.doubled))
    px_csv_scan_undouble(&reader->scan);
  return PX_READ_ROW;
}

static PxReadResult csv_next(void *self, PxRow *ret_row, GError **error) {
  CsvReader *reader = self;
  for (;;) {
    size_t row_start = reader->scan.row_start;
    switch (px_csv_scan_row(&reader->scan, &reader->window)) {
    case PX_CSV_ROW:
      if (G_UNLIKELY(reader->scan.row_end - row_start > reader->max_row_bytes))
        return refuse_long_row(reader, error);
      return give_row(reader, row_start, ret_row);
    case PX_CSV_END:
      return PX_READ_END;
    case PX_CSV_AFTER_QUOTE:
      return refuse_row(reader, PX_CSV_AFTER_QUOTE, error);
    case PX_CSV_TOO_MANY:
      return refuse_row(reader, PX_CSV_TOO_MANY, error);
    case PX_CSV_MORE:
      break;
    }
    PxReadResult more = read_on(reader, error);
    if (more != PX_READ_ROW)
      return more;
  }
}

static bool skip_rows_before(CsvReader *reader, uint64_t number, GError **error) {
  while (reader->number + 1 < number) {
    PxRow row;
    switch (csv_next(reader, &row, error)) {
    case PX_READ_ERROR:
      return false;
    case PX_READ_END:
      return true;
    case PX_READ_ROW:
      break;
    }
  }
  return true;
}

void *px_csv_reader_open_sized(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, bool portable,
                               GError **error) {
  PxCsvMark delimiter;
  PxCsvMark quote;
  if (!px_csv_marks(options, &delimiter, &quote, error))
    return NULL;
  PxCsvSource *source = px_csv_source_open(fd, options->encoding, read_size, error);
  if (!source)
    return NULL;
  CsvReader *reader = g_new0(CsvReader, 1);
  reader->source = source;
  reader->max_row_bytes = (size_t)CLAMP(options->max_row_bytes, 1, PX_CSV_MAX_ROW_BYTES);
  px_csv_scan_init(&reader->scan, &delimiter, &quote, (size_t)CLAMP(options->max_cells, 1, G_MAXUINT32 / 2), portable);
  reader->has_places = px_csv_source_has_places(source);
  reader->is_plain = px_csv_source_is_plain(source);
  if (number > 1 && place != UINT64_MAX && reader->has_places) {
    px_csv_source_seek(source, place);
    reader->place = place;
    reader->number = number - 1;
  }
  if (!set_capacity(reader, MAX(read_size, FIRST_CAPACITY), error) || !skip_rows_before(reader, number, error)) {
    csv_close(reader);
    return NULL;
  }
  return reader;
}

static void *csv_open(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, GError **error) {
  return px_csv_reader_open_sized(fd, options, number, place, READ_SIZE, false, error);
}

const PxReaderDriver px_csv_reader = {
  .name = "csv",
  .open = csv_open,
  .close = csv_close,
  .next = csv_next,
  .tell = csv_tell,
  .bytes_done = csv_bytes_done,
};
