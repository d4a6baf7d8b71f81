/* SPDX-License-Identifier: Apache-2.0 */
/* The order in the file: the small parts and the tabs, all known when the first call comes, then the main sheet, row by row. The head of a
 * sheet, which has the widths of the columns, waits for the first rows. */
#include "format/xlsx_write_private.h"
#include "format/zip_write.h"

#include <inttypes.h>

#define SAMPLE_ROWS 100                    /* that make the widths */
#define SAMPLE_BYTES ((size_t)1024 * 1024) /* or fewer, where they are long */
#define BUFFER_BYTES ((size_t)128 * 1024)
#define MORE_ROWS 1000 /* that a list validation covers below the records */
#define MIN_WIDTH 9    /* of a column, in characters */
#define MAX_WIDTH 60
#define MARGIN 2

typedef struct {
  char name[3];
  uint8_t name_len;
  unsigned width; /* of the widest cell so far */
  bool is_text;   /* whatever stands in it */
  char *header;   /* for messages; NULL: none */
} Column;

/* A sheet on its way into its member. */
typedef struct {
  PxZipWriter *zip;
  const char *name;
  PxXlsxXml xml;   /* of rows that are not in the member yet */
  GArray *columns; /* Column */
  uint64_t n_rows;
  size_t n_headers;
  bool is_main;
  bool has_head; /* the member has what stands before the rows */
} Sheet;

typedef struct {
  PxZipWriter *zip;
  GPtrArray *names; /* of the sheets, the main one first */
  GArray *tabs;     /* PxXlsxTab */
  Sheet sheet;      /* the main one */
  bool *is_text;    /* of its first n_columns columns */
  size_t n_columns;
} XlsxWriter;

/* ---- a sheet */

static void column_done(void *column) {
  g_free(((Column *)column)->header);
}

static void sheet_done(Sheet *sheet) {
  g_free(sheet->xml.bytes);
  if (sheet->columns)
    g_array_unref(sheet->columns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sheet, sheet_done)

static bool sheet_begin(Sheet *sheet, PxZipWriter *zip, const char *name, size_t number, size_t n_headers, GError **error) {
  *sheet = (Sheet){.zip = zip, .name = name, .n_headers = n_headers, .is_main = number == 1};
  sheet->columns = g_array_new(FALSE, TRUE, sizeof(Column));
  g_array_set_clear_func(sheet->columns, column_done);
  g_autofree char *member = g_strdup_printf("xl/worksheets/sheet%zu.xml", number);
  return px_zip_writer_begin(zip, member, true, error);
}

static bool add_text(PxZipWriter *zip, const char *text, GError **error) {
  return px_zip_writer_add(zip, text, strlen(text), error);
}

static bool add_rows(Sheet *sheet, GError **error) {
  bool ok = px_zip_writer_add(sheet->zip, sheet->xml.bytes, sheet->xml.len, error);
  sheet->xml.len = 0;
  return ok;
}

static void append_widths(GString *head, const GArray *columns) {
  if (columns->len == 0)
    return;
  g_string_append(head, "<cols>");
  for (guint i = 0; i < columns->len; i++) {
    const Column *column = &g_array_index(columns, Column, i);
    g_string_append_printf(head, "<col min=\"%u\" max=\"%u\" width=\"%u\"", i + 1, i + 1, CLAMP(column->width + MARGIN, MIN_WIDTH, MAX_WIDTH));
    if (column->is_text)
      g_string_append_printf(head, " style=\"%d\"", PX_XLSX_TEXT);
    g_string_append(head, " customWidth=\"1\"/>");
  }
  g_string_append(head, "</cols>");
}

static bool add_head(Sheet *sheet, GError **error) {
  g_autoptr(GString) head = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                                         "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetViews><sheetView");
  g_string_append(head, sheet->is_main ? " tabSelected=\"1\" workbookViewId=\"0\">" : " workbookViewId=\"0\">");
  if (sheet->n_headers)
    g_string_append_printf(head,
                           "<pane ySplit=\"%zu\" topLeftCell=\"A%zu\" activePane=\"bottomLeft\" state=\"frozen\"/><selection pane=\"bottomLeft\" "
                           "activeCell=\"A%zu\" sqref=\"A%zu\"/>",
                           sheet->n_headers, sheet->n_headers + 1, sheet->n_headers + 1, sheet->n_headers + 1);
  g_string_append(head, "</sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/>");
  append_widths(head, sheet->columns);
  g_string_append(head, "<sheetData>");
  sheet->has_head = true;
  return px_zip_writer_add(sheet->zip, head->str, head->len, error) && add_rows(sheet, error);
}

static void add_columns(Sheet *sheet, size_t n) {
  while (sheet->columns->len < n) {
    Column column = {0};
    column.name_len = px_xlsx_column_name(sheet->columns->len, column.name);
    g_array_append_val(sheet->columns, column);
  }
}

static bool check_limits(const Sheet *sheet, size_t n_cells, GError **error) {
  static const char advice[] = "narrow the export by a filter, or choose the format CSV";
  if (G_UNLIKELY(sheet->n_rows == PX_XLSX_ROWS))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "sheet %s: row %d: a sheet of a workbook has %d rows at most: %s", sheet->name, PX_XLSX_ROWS + 1,
                PX_XLSX_ROWS, advice);
  else if (G_UNLIKELY(n_cells > PX_XLSX_COLUMNS))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "sheet %s: row %" PRIu64 ": %zu cells: a sheet of a workbook has %d columns at most: %s",
                sheet->name, sheet->n_rows + 1, n_cells, PX_XLSX_COLUMNS, "leave columns out of the pattern, or choose the format CSV");
  else
    return true;
  return false;
}

static void refuse_text(const Sheet *sheet, const Column *column, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
              "sheet %s: row %" PRIu64
              ", column %.*s%s%s%s: the text is longer than the %d characters that a cell of a workbook holds: leave the column out of "
              "the pattern, or choose the format CSV",
              sheet->name, sheet->n_rows, column->name_len, column->name, column->header ? " (" : "", column->header ? column->header : "",
              column->header ? ")" : "", PX_XLSX_CHARS);
}

static void take_widths(Sheet *sheet, const PxCell *cells, size_t n) {
  for (size_t i = 0; i < n; i++) {
    Column *column = &g_array_index(sheet->columns, Column, i);
    unsigned width = cells[i].len ? px_xlsx_cell_width(&cells[i]) : 0;
    column->width = MAX(column->width, width);
  }
}

static bool put_cells(Sheet *sheet, const char *row, uint8_t row_len, const PxCell *cells, size_t n, GError **error) {
  bool header = sheet->n_rows <= sheet->n_headers;
  const Column *columns = &g_array_index(sheet->columns, Column, 0);
  for (size_t i = 0; i < n; i++) {
    PxXlsxPlace place = {.column = columns[i].name, .column_len = columns[i].name_len, .row = row, .row_len = row_len};
    if (G_UNLIKELY(!px_xlsx_put_cell(&sheet->xml, place, &cells[i], header))) {
      refuse_text(sheet, &columns[i], error);
      return false;
    }
  }
  return true;
}

static void put_xml(PxXlsxXml *xml, const char *text, size_t len) {
  memcpy(px_xlsx_reserve(xml, len), text, len);
  xml->len += len;
}

static bool sheet_row(Sheet *sheet, const PxCell *cells, size_t n_cells, GError **error) {
  if (!check_limits(sheet, n_cells, error))
    return false;
  add_columns(sheet, n_cells);
  char row[16];
  uint8_t row_len = (uint8_t)g_snprintf(row, sizeof(row), "%" PRIu64, ++sheet->n_rows);
  put_xml(&sheet->xml, "<row r=\"", 8);
  put_xml(&sheet->xml, row, row_len);
  put_xml(&sheet->xml, "\">", 2);
  if (!put_cells(sheet, row, row_len, cells, n_cells, error))
    return false;
  put_xml(&sheet->xml, "</row>", 6);
  if (sheet->has_head)
    return sheet->xml.len < BUFFER_BYTES || add_rows(sheet, error);
  take_widths(sheet, cells, n_cells);
  bool enough = sheet->n_rows >= SAMPLE_ROWS + sheet->n_headers || sheet->xml.len >= SAMPLE_BYTES;
  return !enough || add_head(sheet, error);
}

/* more: what stands behind the rows */
static bool sheet_end(Sheet *sheet, const char *more, GError **error) {
  return (sheet->has_head ? add_rows(sheet, error) : add_head(sheet, error)) && add_text(sheet->zip, "</sheetData>", error) &&
         add_text(sheet->zip, more, error) && add_text(sheet->zip, "</worksheet>", error) && px_zip_writer_end(sheet->zip, error);
}

/* ---- the workbook */

static void tab_done(void *tab) {
  g_free((unsigned *)(uintptr_t)((PxXlsxTab *)tab)->columns);
}

static void xlsx_close(void *self) {
  XlsxWriter *writer = self;
  sheet_done(&writer->sheet);
  g_ptr_array_unref(writer->names);
  g_array_unref(writer->tabs);
  px_zip_writer_free(writer->zip);
  g_free(writer->is_text);
  g_free(writer);
}

static void *xlsx_open(int fd, const PxFormatOptions *options, const char *title, GError **error) {
  XlsxWriter *writer = g_new0(XlsxWriter, 1);
  writer->zip = px_zip_writer_new(fd);
  writer->names = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(writer->names, px_xlsx_sheet_name(title, NULL, 0));
  writer->tabs = g_array_new(FALSE, FALSE, sizeof(PxXlsxTab));
  g_array_set_clear_func(writer->tabs, tab_done);
  return writer;
}

static void add_tab(XlsxWriter *writer, const PxTab *tab) {
  char *name = px_xlsx_sheet_name(tab->name, (char *const *)writer->names->pdata, writer->names->len);
  g_ptr_array_add(writer->names, name);
  PxXlsxTab copy = {
    .name = name,
    .columns = g_memdup2(tab->columns, tab->n_columns * sizeof(*tab->columns)),
    .n_columns = tab->n_columns,
    .n_values = tab->n_values,
  };
  g_array_append_val(writer->tabs, copy);
}

static bool write_parts(const XlsxWriter *writer, GError **error) {
  for (const PxXlsxPart *part = px_xlsx_parts; part->name; part++) {
    g_autofree char *xml = part->make((char *const *)writer->names->pdata, writer->names->len);
    if (!px_zip_writer_begin(writer->zip, part->name, false, error) || !add_text(writer->zip, xml, error) || !px_zip_writer_end(writer->zip, error))
      return false;
  }
  return true;
}

static bool write_tab(const XlsxWriter *writer, size_t number, const PxTab *tab, GError **error) {
  g_auto(Sheet) sheet = {0};
  const PxCell header = {.ptr = tab->name, .len = (uint32_t)strlen(tab->name), .kind = PX_CELL_TEXT};
  bool ok = sheet_begin(&sheet, writer->zip, writer->names->pdata[number - 1], number, 1, error) && sheet_row(&sheet, &header, 1, error);
  for (size_t i = 0; ok && i < tab->n_values; i++)
    ok = sheet_row(&sheet, &tab->values[i], 1, error);
  return ok && sheet_end(&sheet, "", error);
}

static void take_headers(Sheet *sheet, const PxCell *header, size_t n) {
  for (size_t i = 0; i < n; i++)
    g_array_index(sheet->columns, Column, i).header = header[i].len ? g_strndup(header[i].ptr, header[i].len) : NULL;
}

static void xlsx_text_columns(void *self, const bool *is_text, size_t n_columns) {
  XlsxWriter *writer = self;
  g_free(writer->is_text);
  writer->is_text = g_memdup2(is_text, n_columns * sizeof *is_text);
  writer->n_columns = n_columns;
}

static bool xlsx_begin(void *self, const PxCell *const *headers, size_t n_headers, size_t n_columns, const PxTab *tabs, size_t n_tabs,
                       GError **error) {
  XlsxWriter *writer = self;
  Sheet *sheet = &writer->sheet;
  for (size_t i = 0; i < n_tabs; i++)
    add_tab(writer, &tabs[i]);
  if (!write_parts(writer, error))
    return false;
  for (size_t i = 0; i < n_tabs; i++)
    if (!write_tab(writer, i + 2, &tabs[i], error))
      return false;
  if (!sheet_begin(sheet, writer->zip, writer->names->pdata[0], 1, n_headers, error))
    return false;
  add_columns(sheet, writer->n_columns);
  for (size_t i = 0; i < writer->n_columns; i++)
    g_array_index(sheet->columns, Column, i).is_text = writer->is_text[i];
  for (size_t i = 0; i < n_headers; i++)
    if (!sheet_row(sheet, headers[i], n_columns, error))
      return false;
  if (n_headers)
    take_headers(sheet, headers[n_headers - 1], n_columns);
  return true;
}

static bool xlsx_row(void *self, const PxCell *cells, size_t n_cells, GError **error) {
  return sheet_row(&((XlsxWriter *)self)->sheet, cells, n_cells, error);
}

static bool xlsx_end(void *self, GError **error) {
  XlsxWriter *writer = self;
  const Sheet *sheet = &writer->sheet;
  uint64_t first = sheet->n_headers + 1;
  uint64_t last = MIN(MAX(sheet->n_rows, sheet->n_headers) + MORE_ROWS, PX_XLSX_ROWS);
  g_autofree char *validations = px_xlsx_validations((const PxXlsxTab *)writer->tabs->data, writer->tabs->len, first, last);
  return sheet_end(&writer->sheet, validations, error) && px_zip_writer_finish(writer->zip, error);
}

const PxWriterDriver px_xlsx_writer = {
  .name = "xlsx",
  .open = xlsx_open,
  .close = xlsx_close,
  .text_columns = xlsx_text_columns,
  .begin = xlsx_begin,
  .row = xlsx_row,
  .end = xlsx_end,
};
