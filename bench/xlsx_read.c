/* SPDX-License-Identifier: Apache-2.0 */
/* xlsx_read WAY FILE [ROWS]: reads a workbook one way and prints how many rows, cells and bytes of cells it saw, or makes one.
 * bench/xlsx_read.py measures it.
 *
 * inline, shared   make a workbook of ROWS rows with libxlsxwriter, its text in the cells or in shared strings
 * floor            inflate and checksum the sheet and the shared strings by ISA-L, whole, and no more
 * ours             px_reader_next(), every cell looked at
 * process          the same through a parser process and checked row batches, as an import does
 * expat            the same inflate, then expat, counting cells
 */
#include "format/zip_private.h"
#include "scan.h"

#include <expat.h>
#include <stdlib.h>
#ifdef HAVE_XLSXWRITER
#include <xlsxwriter.h>
#endif

#define WINDOW ((size_t)256 * 1024)

static const char *const big_parts[] = {"xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"};

static PxZip *open_zip(int fd, GError **error) {
  const PxZipLimits limits = {.max_members = 100, .max_member_bytes = UINT64_MAX, .max_ratio = 1000};
  return px_zip_open(fd, &limits, error);
}

/* Hands each window of the big parts to take. */
static bool inflate_parts(int fd, bool (*take)(const char *bytes, size_t len, bool last, void *data), void *data, GError **error) {
  g_autoptr(PxZip) zip = open_zip(fd, error);
  g_autofree char *window = g_malloc(WINDOW);
  for (size_t i = 0; zip && i < G_N_ELEMENTS(big_parts); i++) {
    const PxZipMember *member = px_zip_find(zip, big_parts[i]);
    g_autoptr(PxZipStream) stream = member ? px_zip_stream_open(zip, member, error) : NULL;
    for (size_t len = stream ? WINDOW : 0; len == WINDOW;)
      if (!px_zip_stream_read(stream, window, WINDOW, &len, error) || !take(window, len, len < WINDOW, data))
        return false;
  }
  return zip != NULL;
}

static bool count_bytes(const char *bytes, size_t len, bool last, void *data) {
  Counts *counts = data;
  counts->bytes += len;
  return true;
}

static bool read_floor(int fd, Counts *counts, GError **error) {
  return inflate_parts(fd, count_bytes, counts, error);
}

static bool read_ours(int fd, Counts *counts, GError **error) {
  return scan_with_reader(fd, PX_FORMAT_XLSX, counts, error);
}

static bool read_process(int fd, Counts *counts, GError **error) {
  return scan_with_process(fd, PX_FORMAT_XLSX, counts, error);
}

/* ---- expat */

typedef struct {
  XML_Parser parser;
  Counts *counts;
} Expat;

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes) {
  Counts *counts = ((Expat *)data)->counts;
  counts->rows += strcmp(name, "row") == 0;
  counts->cells += strcmp(name, "c") == 0;
}

static void XMLCALL on_text(void *data, const XML_Char *text, int len) {
  ((Expat *)data)->counts->bytes += (uint64_t)len;
}

static bool parse_window(const char *bytes, size_t len, bool last, void *data) {
  Expat *expat = data;
  if (!expat->parser) {
    expat->parser = XML_ParserCreate(NULL);
    XML_SetUserData(expat->parser, expat);
    XML_SetElementHandler(expat->parser, on_start, NULL);
    XML_SetCharacterDataHandler(expat->parser, on_text);
  }
  bool ok = XML_Parse(expat->parser, bytes, (int)len, last) == XML_STATUS_OK;
  if (last)
    g_clear_pointer(&expat->parser, XML_ParserFree);
  return ok;
}

static bool read_expat(int fd, Counts *counts, GError **error) {
  Expat expat = {.counts = counts};
  return inflate_parts(fd, parse_window, &expat, error);
}

/* ---- making one */

#ifdef HAVE_XLSXWRITER
static int make(const char *file, uint32_t rows, bool shared) {
  static const char *const headers[] = {"ref#key", "name", "email", "phone", "street", "zip", "city", "country_id|code", "credit", "since"};
  static const char *const words[] = {"Müller", "Dupont", "Smith", "Garcia", "Rossi", "Novak", "Jansen", "Kowalski"};
  static const char *const countries[] = {"BE", "FR", "DE"};
  lxw_workbook_options options = {.constant_memory = !shared};
  lxw_workbook *book = workbook_new_opt(file, &options);
  lxw_worksheet *sheet = workbook_add_worksheet(book, "partner");
  lxw_format *date = workbook_add_format(book);
  format_set_num_format(date, "yyyy-mm-dd");
  for (lxw_col_t i = 0; i < 10; i++)
    worksheet_write_string(sheet, 0, i, headers[i], NULL);
  for (uint32_t i = 1; i <= rows; i++) {
    const char *word = words[i * 7 % 8];
    char texts[5][64];
    g_snprintf(texts[0], sizeof texts[0], "REF%08u", i);
    g_snprintf(texts[1], sizeof texts[1], "%s %u", word, i % 977);
    g_snprintf(texts[2], sizeof texts[2], "user%u@example.com", i);
    g_snprintf(texts[3], sizeof texts[3], "+32 2 %06u", i % 1000000);
    g_snprintf(texts[4], sizeof texts[4], "%s street %u", word, i % 90);
    for (lxw_col_t j = 0; j < 5; j++)
      worksheet_write_string(sheet, i, j, texts[j], NULL);
    worksheet_write_number(sheet, i, 5, 1000 + i % 9000, NULL);
    worksheet_write_string(sheet, i, 6, i % 7 ? "Namur" : "Liège", NULL);
    worksheet_write_string(sheet, i, 7, countries[i % 3], NULL);
    worksheet_write_number(sheet, i, 8, i % 10000 + (i % 100) / 100.0, NULL);
    worksheet_write_number(sheet, i, 9, 36526 + i % 9000, date);
  }
  return workbook_close(book) == LXW_NO_ERROR ? 0 : 1;
}
#endif

int main(int argc, char **argv) {
  static const ScanWay ways[] = {{"floor", read_floor}, {"ours", read_ours}, {"process", read_process}, {"expat", read_expat}};
#ifdef HAVE_XLSXWRITER
  if (argc == 4)
    return make(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), strcmp(argv[1], "shared") == 0);
#endif
  return scan_main("xlsx_read", ways, G_N_ELEMENTS(ways), argc, argv);
}
