/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the csv_*.c files share: source (bytes of any encoding -> UTF-8) -> window -> scan (UTF-8 -> cells) -> reader. */
#include "format/format.h"
#include "format/reader.h"

/* Readable bytes in front of and behind a window's bytes, for the vector code. */
#define PX_CSV_PAD 64
/* A cell of a row batch has less than 256 MiB; so has a row. */
#define PX_CSV_MAX_ROW_BYTES (((uint64_t)1 << 28) - 1)

/* A delimiter or quote: one character. */
typedef struct {
  char bytes[4];
  uint8_t len; /* 0: there is none */
} PxCsvMark;

/* delimiter and quote of options; PX_ERROR_CONFIG when they are not one character each, or the same, or a line end. */
bool px_csv_marks(const PxFormatOptions *options, PxCsvMark *ret_delimiter, PxCsvMark *ret_quote, GError **error);
/* Whether encoding (NULL too) means the UTF-8 that needs no conversion. */
bool px_csv_is_utf8(const char *encoding);
/* Whether iconv knows the name and it has no //SUFFIX, which would change bytes silently. */
bool px_csv_check_encoding(const char *encoding, GError **error);

/* ---- the part of the file that is in memory */

typedef struct {
  char *bytes;
  size_t capacity;
  size_t len;    /* so many are whole characters, none of them NUL */
  size_t filled; /* behind them up to 3 bytes of a character whose rest has not been read */
  bool at_end;   /* nothing comes behind len */
} PxCsvWindow;

/* ---- source */

typedef struct PxCsvSource PxCsvSource;

/* read_size: how much is read at once. */
PxCsvSource *px_csv_source_open(int fd, const char *encoding, size_t read_size, GError **error);
void px_csv_source_close(PxCsvSource *source);
/* Whether it is known where in the source a character is: UTF-8, UTF-16, and encodings of one byte a character. */
bool px_csv_source_has_places(const PxCsvSource *source);
/* Before the first fill, where there are places: begin at this one. */
void px_csv_source_seek(PxCsvSource *source, uint64_t place);
/* Whether a byte of the window is a byte of the source. */
bool px_csv_source_is_plain(const PxCsvSource *source);
/* Bytes of the source that the last fill left out in front of the text: the byte order mark. */
uint64_t px_csv_source_skipped(const PxCsvSource *source);
/* How many bytes of the source this text was, where there are places. */
uint64_t px_csv_source_span(const PxCsvSource *source, const char *text, size_t len);
/* Bytes of the source read so far. */
uint64_t px_csv_source_offset(const PxCsvSource *source);

typedef enum {
  PX_CSV_FILL_MORE, /* there is more in the window, or it is at the end */
  PX_CSV_FILL_BAD,  /* the next byte is not of the encoding, or NUL; the message says which, not where */
  PX_CSV_FILL_ERROR,
} PxCsvFill;

#define PX_CSV_MIN_ROOM 32 /* more than a converter writes at once */
/* Adds to the window, which has room for at least so many bytes. */
PxCsvFill px_csv_source_fill(PxCsvSource *source, PxCsvWindow *window, GError **error);

/* ---- scan */

typedef struct PxCsvScan PxCsvScan;

/* Writes the offsets of delimiters, quotes (of each its last byte), CR and LF in bytes[from..to) and returns how many. */
typedef size_t (*PxCsvIndex)(const PxCsvScan *scan, const char *bytes, size_t from, size_t to, uint32_t *ret_marks);

struct PxCsvScan {
  PxCsvMark delimiter, quote;
  bool narrow; /* both are one byte long */
  PxCsvIndex index;
  uint32_t *marks; /* what index found in a block of the window */
  size_t n_marks, next_mark;
  size_t indexed; /* up to here */
  PxCell *cells;
  size_t n_cells, cells_room, max_cells;
  size_t row_start; /* of the row that is next, in the window */
  size_t row_end;   /* of the row that was read: where its line end begins; of a broken one: the mark that showed it */
  bool doubled;     /* some quoted cell of the row holds doubled quotes: px_csv_scan_undouble() */
};

typedef enum {
  PX_CSV_ROW,         /* cells[0..n_cells); row_start is that of the next row */
  PX_CSV_MORE,        /* the row does not end in the window; n_cells are whole */
  PX_CSV_END,         /* no row is left */
  PX_CSV_AFTER_QUOTE, /* something stands between a closing quote and the end of the cell */
  PX_CSV_TOO_MANY,    /* more than max_cells */
} PxCsvScanResult;

void px_csv_scan_init(PxCsvScan *scan, const PxCsvMark *delimiter, const PxCsvMark *quote, size_t max_cells, bool portable);
void px_csv_scan_done(PxCsvScan *scan);
/* The window's bytes have moved or grown; the next row begins at row_start. */
void px_csv_scan_rewind(PxCsvScan *scan, size_t row_start);
PxCsvScanResult px_csv_scan_row(PxCsvScan *scan, const PxCsvWindow *window);
/* Behind px_csv_scan_row(): makes one quote of two, in the window itself, whose bytes before row_start nobody needs any more. */
void px_csv_scan_undouble(PxCsvScan *scan);

/* ---- reader */

/* px_csv_reader.open with the size of a read and the choice of the scanner in the hands of a test. */
void *px_csv_reader_open_sized(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, bool portable,
                               GError **error);
