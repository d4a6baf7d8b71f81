/* SPDX-License-Identifier: Apache-2.0 */
/* make_libxlsxwriter FILE shared|constant: a workbook with what the library writes in ways of its own. */
#include <string.h>
#include <xlsxwriter.h>

int main(int argc, char **argv) {
  lxw_workbook_options options = {.constant_memory = strcmp(argv[2], "constant") == 0};
  lxw_workbook *book = workbook_new_opt(argv[1], &options);
  lxw_worksheet *sheet = workbook_add_worksheet(book, "Partner");
  lxw_format *date = workbook_add_format(book);
  lxw_format *bold = workbook_add_format(book);
  lxw_datetime at = {.year = 2020, .month = 1, .day = 5, .hour = 12, .min = 30, .sec = 1.5};
  lxw_rich_string_tuple first = {.format = NULL, .string = "ri"};
  lxw_rich_string_tuple second = {.format = bold, .string = "ch"};
  lxw_rich_string_tuple *rich[] = {&first, &second, NULL};
  format_set_num_format(date, "dd/mm/yyyy hh:mm:ss.000");
  format_set_bold(bold);
  worksheet_write_string(sheet, 0, 0, "name", bold);
  worksheet_write_string(sheet, 0, 1, "at", bold);
  worksheet_write_string(sheet, 1, 0, "Müller & <Söhne> _x0041_", NULL);
  worksheet_write_datetime(sheet, 1, 1, &at, date);
  worksheet_write_number(sheet, 1, 2, 0.1 + 0.2, NULL);
  worksheet_write_number(sheet, 1, 3, 1e21, NULL);
  worksheet_write_boolean(sheet, 1, 4, 1, NULL);
  worksheet_write_formula_num(sheet, 2, 0, "=1+2", NULL, 3);
  worksheet_write_formula_str(sheet, 2, 1, "=\"a\"&\"b\"", NULL, "ab");
  worksheet_write_rich_string(sheet, 2, 2, rich, NULL);
  worksheet_write_blank(sheet, 2, 5, bold);
  worksheet_write_string(sheet, 4, 0, " two\nlines ", NULL);
  return workbook_close(book);
}
