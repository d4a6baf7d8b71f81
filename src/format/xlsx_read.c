/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of workbooks: opens the archive, finds the sheet, reads the shared strings, gives the rows. */
#include "format/reader_driver.h"
#include "format/xlsx_read_private.h"

#include <inttypes.h>

#define HEADER_ROWS 2 /* no header has more rows */

typedef struct {
  PxZip *zip;
  PxXlsxBook book;
  PxXlsxStrings *strings;
  PxXlsxSheet *sheet;
  uint64_t strings_size; /* packed */
  uint64_t number;       /* the last row that was given */
  PxRow ahead;           /* a row that waits until those before it have been given; number 0: none */
} XlsxReader;

static void xlsx_close(void *self) {
  XlsxReader *reader = self;
  px_xlsx_sheet_close(reader->sheet);
  px_xlsx_strings_free(reader->strings);
  px_xlsx_book_done(&reader->book);
  px_zip_close(reader->zip);
  g_free(reader);
}

/* What goes wrong between two rows is told with the row that it comes before. */
static PxReadResult tell_row(const XlsxReader *reader, GError **error) {
  g_prefix_error(error, "row %" PRIu64 ": ", reader->number + 1);
  return PX_READ_ERROR;
}

/* The rows of the header are given even when the sheet does not have them, so that the second row of a file is its second one here too; of
 * the others only those that are there. */
static PxReadResult xlsx_next(void *self, PxRow *ret_row, GError **error) {
  XlsxReader *reader = self;
  PxRow row = reader->ahead;
  if (row.number == 0) {
    PxReadResult result = px_xlsx_sheet_next(reader->sheet, &row, error);
    if (result != PX_READ_ROW)
      return result == PX_READ_ERROR ? tell_row(reader, error) : result;
  }
  bool is_missing = reader->number < HEADER_ROWS && row.number > reader->number + 1;
  reader->ahead = is_missing ? row : (PxRow){0};
  *ret_row = is_missing ? (PxRow){.number = reader->number + 1, .place = UINT64_MAX} : row;
  reader->number = ret_row->number;
  return PX_READ_ROW;
}

static bool read_strings(XlsxReader *reader, const PxFormatOptions *options, const PxXlsxKnobs *knobs, GError **error) {
  const char *part = reader->book.strings_part;
  if (!part)
    return true;
  reader->strings = px_xlsx_strings_new((size_t)MIN(options->string_memory, G_MAXINT32), options->spill_fd);
  if (!px_xlsx_strings_read(reader->strings, reader->zip, part, options, knobs, error))
    return false;
  reader->strings_size = px_zip_find(reader->zip, part)->packed;
  return true;
}

static bool skip_rows_before(XlsxReader *reader, uint64_t number, GError **error) {
  while (reader->number + 1 < number) {
    PxRow row;
    PxReadResult result = xlsx_next(reader, &row, error);
    if (result != PX_READ_ROW)
      return result == PX_READ_END;
    if (row.number >= number) {
      reader->ahead = row;
      reader->number = row.number - 1;
      break;
    }
  }
  return true;
}

static bool open_parts(XlsxReader *reader, int fd, const PxFormatOptions *options, const PxXlsxKnobs *knobs, GError **error) {
  const PxZipLimits limits = {
    .max_members = options->max_members, .max_member_bytes = options->max_member_bytes, .max_ratio = MAX(options->max_ratio, 1)};
  if (!px_xlsx_check_kind(fd, error))
    return false;
  reader->zip = px_zip_open(fd, &limits, error);
  if (!reader->zip || !px_xlsx_book_read(&reader->book, reader->zip, options->sheet, error) || !read_strings(reader, options, knobs, error))
    return false;
  reader->sheet = px_xlsx_sheet_open(reader->zip, &reader->book, reader->strings, options, knobs, error);
  return reader->sheet != NULL;
}

void *px_xlsx_reader_open_with(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, const PxXlsxKnobs *knobs, GError **error) {
  XlsxReader *reader = g_new0(XlsxReader, 1);
  if (!open_parts(reader, fd, options, knobs, error) || !skip_rows_before(reader, number, error)) {
    xlsx_close(reader);
    return NULL;
  }
  return reader;
}

static void *xlsx_open(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, GError **error) {
  const PxXlsxKnobs usual = {0};
  return px_xlsx_reader_open_with(fd, options, number, place, &usual, error);
}

static void xlsx_keep_columns(void *self, const uint32_t *columns, size_t n) {
  XlsxReader *reader = self;
  px_xlsx_sheet_keep_columns(reader->sheet, columns, n);
}

static uint64_t xlsx_tell(const void *self) {
  return UINT64_MAX; /* a compressed part is read from its beginning */
}

static uint64_t xlsx_bytes_done(const void *self) {
  const XlsxReader *reader = self;
  return reader->strings_size + px_xlsx_sheet_used(reader->sheet);
}

static bool xlsx_from_1904(const void *self) {
  const XlsxReader *reader = self;
  return reader->book.from_1904;
}

const PxReaderDriver px_xlsx_reader = {
  .name = "xlsx",
  .open = xlsx_open,
  .close = xlsx_close,
  .next = xlsx_next,
  .keep_columns = xlsx_keep_columns,
  .tell = xlsx_tell,
  .bytes_done = xlsx_bytes_done,
  .from_1904 = xlsx_from_1904,
};
