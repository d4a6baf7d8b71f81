/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Archives as a test wants them, also wrong ones, and the rows that the reader makes of them. */
#include "format/format.h"

#include <glib.h>

typedef struct {
  const char *name;
  const char *text; /* NUL ends it, unless len says more */
  size_t len;
  bool stored;
  bool streamed; /* sizes and checksum stand behind the data */
  bool wide;     /* zip64: the sizes stand in the extra field */
  /* lies of the directory and of the member's own header */
  const char *local_name;
  int size_off, packed_off, start_off, local_size_off;
  uint32_t crc_xor, local_crc_xor;
  uint16_t flags, method; /* method: 0 is the true one */
} TestMember;

GByteArray *test_zip(const TestMember *members, size_t n);
/* The same with the zip64 end records. */
GByteArray *test_zip64(const TestMember *members, size_t n);

/* Parts of a workbook; NULL: the usual one, or none. */
typedef struct {
  const char *sheet; /* the whole part, or the rows alone */
  const char *strings, *styles, *workbook, *workbook_rels;
} TestBook;

GByteArray *test_book(const TestBook *book);

/* Rows as text, "2 T:a|N:5", the error as "! message" in the last line; whatever the window and with and without short cuts they are the same,
 * or the program ends. Caller frees. */
char *test_book_rows(const GByteArray *bytes, const PxFormatOptions *options);
char *test_fd_rows(int fd, const PxFormatOptions *options, uint64_t number, size_t window, bool general);
