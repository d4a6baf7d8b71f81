/* SPDX-License-Identifier: Apache-2.0 */
#include "zip_make.h"

#include "format/reader_driver.h"
#include "format/xlsx_read_private.h"
#include "rows.h"

#include <inttypes.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <unistd.h>

#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/relationships"

static void put(GByteArray *out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++, value >>= 8) {
    guint8 byte = (guint8)value;
    g_byte_array_append(out, &byte, 1);
  }
}

static void put_text(GByteArray *out, const char *text, size_t len) {
  g_byte_array_append(out, (const guint8 *)text, (guint)len);
}

typedef struct {
  uint32_t crc, packed, size, start;
} Place;

static GByteArray *pack(const TestMember *member, size_t len) {
  GByteArray *packed = g_byte_array_new();
  if (member->stored) {
    put_text(packed, member->text, len);
    return packed;
  }
  struct isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  g_byte_array_set_size(packed, (guint)(len + len / 2 + 1000));
  stream.next_in = (uint8_t *)(uintptr_t)member->text;
  stream.avail_in = (uint32_t)len;
  stream.next_out = packed->data;
  stream.avail_out = packed->len;
  stream.end_of_stream = 1;
  g_assert_cmpint(isal_deflate_stateless(&stream), ==, COMP_OK);
  g_byte_array_set_size(packed, stream.total_out);
  return packed;
}

static Place put_member(GByteArray *out, const TestMember *member) {
  size_t len = member->len ? member->len : strlen(member->text);
  const char *name = member->local_name ? member->local_name : member->name;
  g_autoptr(GByteArray) packed = pack(member, len);
  Place place = {
    .crc = crc32_gzip_refl(0, (const unsigned char *)member->text, len), .packed = packed->len, .size = (uint32_t)len, .start = out->len};
  put(out, 0x04034B50, 4);
  put(out, 20, 2);
  put(out, member->flags | (member->streamed ? 8 : 0), 2);
  put(out, member->method ? member->method : member->stored ? 0 : 8, 2);
  put(out, 0, 4);
  put(out, member->streamed ? 0 : place.crc ^ member->local_crc_xor, 4);
  put(out, member->wide ? 0xFFFFFFFF : member->streamed ? 0 : place.packed, 4);
  put(out, member->wide ? 0xFFFFFFFF : member->streamed ? 0 : place.size + (uint32_t)member->local_size_off, 4);
  put(out, strlen(name), 2);
  put(out, member->wide ? 20 : 0, 2);
  put_text(out, name, strlen(name));
  if (member->wide) {
    put(out, 1, 2);
    put(out, 16, 2);
    put(out, member->streamed ? 0 : place.size, 8);
    put(out, member->streamed ? 0 : place.packed, 8);
  }
  put_text(out, (const char *)packed->data, packed->len);
  if (member->streamed) {
    put(out, 0x08074B50, 4);
    put(out, place.crc ^ member->local_crc_xor, 4);
    put(out, place.packed, member->wide ? 8 : 4);
    put(out, place.size, member->wide ? 8 : 4);
  }
  return place;
}

static void put_entry(GByteArray *out, const TestMember *member, const Place *place) {
  put(out, 0x02014B50, 4);
  put(out, 20, 2);
  put(out, 20, 2);
  put(out, member->flags | (member->streamed ? 8 : 0), 2);
  put(out, member->method ? member->method : member->stored ? 0 : 8, 2);
  put(out, 0, 4);
  put(out, place->crc ^ member->crc_xor, 4);
  put(out, member->wide ? 0xFFFFFFFF : place->packed + (uint32_t)member->packed_off, 4);
  put(out, member->wide ? 0xFFFFFFFF : place->size + (uint32_t)member->size_off, 4);
  put(out, strlen(member->name), 2);
  put(out, member->wide ? 20 : 0, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 0, 4);
  put(out, place->start + (uint32_t)member->start_off, 4);
  put_text(out, member->name, strlen(member->name));
  if (member->wide) {
    put(out, 1, 2);
    put(out, 16, 2);
    put(out, place->size, 8);
    put(out, place->packed, 8);
  }
}

static GByteArray *make(const TestMember *members, size_t n, bool wide) {
  GByteArray *out = g_byte_array_new();
  g_autofree Place *places = g_new(Place, n + 1);
  for (size_t i = 0; i < n; i++)
    places[i] = put_member(out, &members[i]);
  uint32_t directory = out->len;
  for (size_t i = 0; i < n; i++)
    put_entry(out, &members[i], &places[i]);
  uint32_t end = out->len;
  if (wide) {
    put(out, 0x06064B50, 4);
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, 0, 8);
    put(out, n, 8);
    put(out, n, 8);
    put(out, end - directory, 8);
    put(out, directory, 8);
    put(out, 0x07064B50, 4);
    put(out, 0, 4);
    put(out, end, 8);
    put(out, 1, 4);
  }
  put(out, 0x06054B50, 4);
  put(out, 0, 4);
  put(out, wide ? 0xFFFF : n, 2);
  put(out, wide ? 0xFFFF : n, 2);
  put(out, wide ? 0xFFFFFFFF : end - directory, 4);
  put(out, wide ? 0xFFFFFFFF : directory, 4);
  put(out, 0, 2);
  return out;
}

GByteArray *test_zip(const TestMember *members, size_t n) {
  return make(members, n, false);
}

GByteArray *test_zip64(const TestMember *members, size_t n) {
  return make(members, n, true);
}

/* ---- workbooks */

#define RELATION(id, type, target) "<Relationship Id=\"" id "\" Type=\"" OFFICE "/" type "\" Target=\"" target "\"/>"
#define RELATIONS(all) "<?xml version=\"1.0\"?><Relationships xmlns=\"" PACKAGE "\">" all "</Relationships>"

GByteArray *test_book(const TestBook *book) {
  bool whole = strstr(book->sheet, "<sheetData") || strstr(book->sheet, ":sheetData") || strstr(book->sheet, "<?");
  g_autofree char *sheet =
    whole ? g_strdup(book->sheet) : g_strconcat("<worksheet xmlns=\"" MAIN "\"><sheetData>", book->sheet, "</sheetData></worksheet>", NULL);
  const char *workbook =
    "<workbook xmlns=\"" MAIN "\" xmlns:r=\"" OFFICE "\"><sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";
  const char *relations = RELATIONS(RELATION("rId1", "worksheet", "worksheets/sheet1.xml") RELATION("rId2", "styles", "styles.xml")
                                      RELATION("rId3", "sharedStrings", "sharedStrings.xml"));
  const TestMember members[] = {
    {.name = "_rels/.rels", .text = RELATIONS(RELATION("rId1", "officeDocument", "xl/workbook.xml"))},
    {.name = "xl/workbook.xml", .text = book->workbook ? book->workbook : workbook},
    {.name = "xl/_rels/workbook.xml.rels", .text = book->workbook_rels ? book->workbook_rels : relations},
    {.name = "xl/worksheets/sheet1.xml", .text = sheet},
    {.name = "xl/styles.xml", .text = book->styles ? book->styles : "<styleSheet xmlns=\"" MAIN "\"/>"},
    {.name = "xl/sharedStrings.xml", .text = book->strings ? book->strings : "<sst xmlns=\"" MAIN "\"/>"},
  };
  return test_zip(members, G_N_ELEMENTS(members));
}

/* ---- rows */

static void append_row(GString *out, const PxRow *row) {
  g_string_append_printf(out, "%" PRIu64, row->number);
  for (size_t i = 0; i < row->n_cells; i++) {
    const PxCell *cell = &row->cells[i];
    g_assert_true((cell->kind == PX_CELL_EMPTY) == (cell->len == 0));
    g_string_append_c(out, i ? '|' : ' ');
    if (cell->len)
      g_string_append_printf(out, "%c:%.*s", ".TNBDMEF"[cell->kind], (int)cell -> len, cell -> ptr);
  }
  g_string_append_c(out, '\n');
}

char *test_fd_rows(int fd, const PxFormatOptions *options, uint64_t number, size_t window, bool general) {
  GString *out = g_string_new(NULL);
  g_autoptr(GError) error = NULL;
  const PxXlsxKnobs knobs = {.window = window, .general = general};
  void *reader = px_xlsx_reader_open_with(fd, options, number, UINT64_MAX, &knobs, &error);
  PxReadResult result = reader ? PX_READ_ROW : PX_READ_ERROR;
  while (result == PX_READ_ROW) {
    PxRow row;
    result = px_xlsx_reader.next(reader, &row, &error);
    if (result == PX_READ_ROW)
      append_row(out, &row);
  }
  if (result == PX_READ_ERROR) {
    g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_string_append_printf(out, "! %s", error->message);
  }
  if (reader)
    px_xlsx_reader.close(reader);
  return g_string_free(out, FALSE);
}

char *test_book_rows(const GByteArray *bytes, const PxFormatOptions *options) {
  static const size_t windows[] = {1, 2, 3, 5, 7, 16, 61, 64, 100, 1000};
  PxFormatOptions usual;
  px_format_options_init(&usual, PX_FORMAT_XLSX);
  const PxFormatOptions *chosen = options ? options : &usual;
  int fd = test_file((const char *)bytes->data, bytes->len);
  char *rows = test_fd_rows(fd, chosen, 0, 0, true);
  g_autofree char *fast = test_fd_rows(fd, chosen, 0, 0, false);
  g_assert_cmpstr(fast, ==, rows);
  for (size_t i = 0; i < G_N_ELEMENTS(windows); i++) {
    g_autofree char *small = test_fd_rows(fd, chosen, 0, windows[i], i % 2);
    g_assert_cmpstr(small, ==, rows);
  }
  close(fd);
  px_format_options_done(&usual);
  return rows;
}
