/* SPDX-License-Identifier: Apache-2.0 */
/* xlsx_write WAY FILE ROWS: writes a workbook of 10 columns (seven of text, two of numbers, one of dates) one way. bench/xlsx_write.py
 * measures it.
 *
 * ours           px_writer_row()
 * libxlsxwriter  in constant-memory mode, where it was installed when this was built
 * floor          FILE is the XML of a sheet: it is deflated by ISA-L at level 1 and thrown away; ROWS is not looked at
 */
#include "format/writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_XLSXWRITER
#include <xlsxwriter.h>
#endif

#define COLUMNS 10
#define DIFFERENT 4096 /* rows that are made before the clock matters; more than the window of deflate holds */
#define LEVEL_BUFFER ISAL_DEF_LVL1_DEFAULT

static const char *const headers[COLUMNS] = {"ref#key", "name", "email", "phone", "street", "zip", "city", "country_id|code", "credit", "since"};
static const PxCellKind kinds[COLUMNS] = {PX_CELL_TEXT,   PX_CELL_TEXT, PX_CELL_TEXT, PX_CELL_TEXT,   PX_CELL_TEXT,
                                          PX_CELL_NUMBER, PX_CELL_TEXT, PX_CELL_TEXT, PX_CELL_NUMBER, PX_CELL_DATE};

static PxCell cell_of(char *text, PxCellKind kind) {
  return (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = (uint8_t)kind};
}

static PxCell *make_rows(void) {
  static const char *const words[] = {"Müller", "Dupont", "Smith", "Garcia", "Rossi", "Novak", "Jansen", "Kowalski"};
  static const char *const countries[] = {"BE", "FR", "DE"};
  g_autoptr(GRand) chance = g_rand_new_with_seed(1);
  PxCell *cells = g_new(PxCell, (size_t)DIFFERENT * COLUMNS);
  for (int i = 0; i < DIFFERENT; i++) {
    int n = g_rand_int_range(chance, 0, 100000000);
    const char *word = words[g_rand_int_range(chance, 0, 8)];
    char *texts[COLUMNS] = {
      g_strdup_printf("REF%08d", n),
      g_strdup_printf("%s %d", word, n % 977),
      g_strdup_printf("user%d@example.com", n),
      g_strdup_printf("+32 2 %06d", n % 1000000),
      g_strdup_printf(i % 100 ? "%s street %d" : "%s street, <%d> & co", word, n % 90),
      g_strdup_printf("%d", 1000 + n % 9000),
      g_strdup(n % 7 ? "Namur" : "Liège"),
      g_strdup(countries[n % 3]),
      g_strdup_printf("%d.%02d", n % 10000, 1 + n % 9),
      g_strdup_printf("20%02d-0%d-1%d", n % 26, n % 9 + 1, n % 9),
    };
    for (int c = 0; c < COLUMNS; c++)
      cells[i * COLUMNS + c] = cell_of(texts[c], kinds[c]);
  }
  return cells;
}

static bool write_ours(const char *path, uint64_t rows, GError **error) {
  g_autofree PxCell *cells = make_rows();
  PxCell header[COLUMNS];
  const PxCell *const header_rows = header;
  for (int c = 0; c < COLUMNS; c++)
    header[c] = cell_of((char *)(uintptr_t)headers[c], PX_CELL_TEXT);
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_XLSX);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_autoptr(PxWriter) writer = px_writer_open(fd, &options, "partner", error);
  bool ok = writer && px_writer_begin(writer, &header_rows, 1, COLUMNS, NULL, 0, error);
  for (uint64_t i = 0; ok && i < rows; i++)
    ok = px_writer_row(writer, cells + i % DIFFERENT * COLUMNS, COLUMNS, error);
  ok = ok && px_writer_end(writer, error);
  px_format_options_done(&options);
  close(fd);
  return ok;
}

static bool deflate_only(const char *path, uint64_t rows, GError **error) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0)
    return false;
  size_t size = (size_t)status.st_size;
  uint8_t *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  close(fd);
  static uint8_t level_buffer[LEVEL_BUFFER];
  static uint8_t output[128 * 1024];
  struct isal_zstream stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = level_buffer;
  stream.level_buf_size = sizeof(level_buffer);
  stream.next_in = bytes;
  stream.avail_in = (uint32_t)size;
  stream.end_of_stream = 1;
  uint64_t packed = 0;
  do {
    stream.next_out = output;
    stream.avail_out = sizeof(output);
    if (isal_deflate(&stream) != COMP_OK)
      return false;
    packed += sizeof(output) - stream.avail_out;
  } while (stream.avail_out == 0);
  printf("%" PRIu64 "\n", packed);
  return true;
}

#ifdef HAVE_XLSXWRITER
static bool write_peer(const char *path, uint64_t rows, GError **error) {
  g_autofree PxCell *cells = make_rows();
  double numbers[DIFFERENT][2];
  lxw_datetime dates[DIFFERENT];
  for (int i = 0; i < DIFFERENT; i++) {
    const PxCell *row = &cells[i * COLUMNS];
    numbers[i][0] = g_ascii_strtod(row[5].ptr, NULL);
    numbers[i][1] = g_ascii_strtod(row[8].ptr, NULL);
    const char *day = row[9].ptr; /* YYYY-MM-DD */
    dates[i] = (lxw_datetime){
      .year = (int)g_ascii_strtoll(day, NULL, 10), .month = (int)g_ascii_strtoll(day + 5, NULL, 10), .day = (int)g_ascii_strtoll(day + 8, NULL, 10)};
  }
  lxw_workbook_options options = {.constant_memory = LXW_TRUE};
  lxw_workbook *book = workbook_new_opt(path, &options);
  lxw_worksheet *sheet = workbook_add_worksheet(book, "partner");
  lxw_format *bold = workbook_add_format(book);
  format_set_bold(bold);
  lxw_format *date = workbook_add_format(book);
  format_set_num_format(date, "yyyy-mm-dd");
  worksheet_freeze_panes(sheet, 1, 0);
  for (uint16_t c = 0; c < COLUMNS; c++)
    worksheet_write_string(sheet, 0, c, headers[c], bold);
  for (uint64_t i = 0; i < rows; i++)
    for (uint16_t c = 0; c < COLUMNS; c++) {
      lxw_row_t at = (lxw_row_t)(i + 1);
      uint64_t from = i % DIFFERENT;
      if (kinds[c] == PX_CELL_TEXT)
        worksheet_write_string(sheet, at, c, cells[from * COLUMNS + c].ptr, NULL);
      else if (kinds[c] == PX_CELL_NUMBER)
        worksheet_write_number(sheet, at, c, numbers[from][c == 8], NULL);
      else
        worksheet_write_datetime(sheet, at, c, &dates[from], date);
    }
  return workbook_close(book) == LXW_NO_ERROR;
}
#else
static bool write_peer(const char *path, uint64_t rows, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "libxlsxwriter was not installed when this was built");
  return false;
}
#endif

static const struct {
  const char *name;
  bool (*run)(const char *path, uint64_t rows, GError **error);
} ways[] = {{"ours", write_ours}, {"floor", deflate_only}, {"libxlsxwriter", write_peer}};

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  for (size_t i = 0; argc == 4 && i < G_N_ELEMENTS(ways); i++) {
    if (!g_str_equal(argv[1], ways[i].name))
      continue;
    if (ways[i].run(argv[2], g_ascii_strtoull(argv[3], NULL, 10), &error))
      return 0;
    fprintf(stderr, "xlsx_write: %s\n", error ? error->message : "it does not work");
    return 1;
  }
  fprintf(stderr, "usage: xlsx_write ours|floor|libxlsxwriter FILE ROWS\n");
  return 2;
}
