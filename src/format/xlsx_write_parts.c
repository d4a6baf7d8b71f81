/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the package besides the sheets: they hold names and numbers only, and are short. */
#include "base/utf8.h"
#include "format/xlsx_write_private.h"

#include <inttypes.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define RELATIONS "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/"
#define CONTENT "application/vnd.openxmlformats-officedocument.spreadsheetml."

/* ---- names of sheets */

static bool is_taken(const char *name, char *const *before, size_t n) {
  g_autofree char *folded = g_utf8_casefold(name, -1);
  for (size_t i = 0; i < n; i++) {
    g_autofree char *other = g_utf8_casefold(before[i], -1);
    if (g_str_equal(folded, other))
      return true;
  }
  return g_str_equal(folded, "history"); /* Excel keeps this name for itself */
}

/* The beginning of text that has at most so many UTF-16 units. */
static char *first_units(const char *text, size_t units) {
  const char *at = text;
  while (*at) {
    size_t needs = g_utf8_get_char(at) >= 0x10000 ? 2 : 1;
    if (needs > units)
      break;
    units -= needs;
    at += px_utf8_char_len(*at);
  }
  return g_strndup(text, (gsize)(at - text));
}

static void replace_edges(char *name) {
  size_t len = strlen(name);
  if (len && name[0] == '\'')
    name[0] = '_';
  if (len && name[len - 1] == '\'')
    name[len - 1] = '_';
}

char *px_xlsx_sheet_name(const char *text, char *const *before, size_t n) {
  g_autofree char *clean = g_utf8_make_valid(text, -1);
  for (char *c = clean; *c; c++)
    if (strchr("[]:*?/\\", *c) || g_ascii_iscntrl(*c))
      *c = '_';
  g_strstrip(clean);
  char *name = first_units(*clean ? clean : "Sheet", PX_XLSX_NAME_CHARS);
  replace_edges(name);
  for (unsigned number = 2; is_taken(name, before, n); number++) {
    g_autofree char *ending = g_strdup_printf(" (%u)", number);
    g_autofree char *start = first_units(*clean ? clean : "Sheet", PX_XLSX_NAME_CHARS - strlen(ending));
    g_free(name);
    name = g_strconcat(start, ending, NULL);
    replace_edges(name);
  }
  return name;
}

/* ---- parts */

static char *content_types(char *const *names, size_t n) {
  GString *xml = g_string_new(HEAD "<Types xmlns=\"" PACKAGE "content-types\">"
                                   "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
                                   "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
                                   "<Override PartName=\"/xl/workbook.xml\" ContentType=\"" CONTENT "sheet.main+xml\"/>"
                                   "<Override PartName=\"/xl/styles.xml\" ContentType=\"" CONTENT "styles+xml\"/>");
  for (size_t i = 1; i <= n; i++)
    g_string_append_printf(xml, "<Override PartName=\"/xl/worksheets/sheet%zu.xml\" ContentType=\"" CONTENT "worksheet+xml\"/>", i);
  return g_string_free(g_string_append(xml, "</Types>"), FALSE);
}

static char *package_relations(char *const *names, size_t n) {
  return g_strdup(HEAD "<Relationships xmlns=\"" PACKAGE "relationships\">"
                       "<Relationship Id=\"rId1\" Type=\"" RELATIONS "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>");
}

static char *workbook(char *const *names, size_t n) {
  GString *xml =
    g_string_new(HEAD "<workbook xmlns=\"" MAIN "\" xmlns:r=\"" RELATIONS "\"><workbookPr/><bookViews><workbookView/></bookViews><sheets>");
  for (size_t i = 0; i < n; i++) {
    g_autofree char *name = g_markup_escape_text(names[i], -1);
    g_string_append_printf(xml, "<sheet name=\"%s\" sheetId=\"%zu\" r:id=\"rId%zu\"/>", name, i + 1, i + 1);
  }
  return g_string_free(g_string_append(xml, "</sheets></workbook>"), FALSE);
}

static char *workbook_relations(char *const *names, size_t n) {
  GString *xml = g_string_new(HEAD "<Relationships xmlns=\"" PACKAGE "relationships\">");
  for (size_t i = 1; i <= n; i++)
    g_string_append_printf(xml, "<Relationship Id=\"rId%zu\" Type=\"" RELATIONS "/worksheet\" Target=\"worksheets/sheet%zu.xml\"/>", i, i);
  g_string_append_printf(xml, "<Relationship Id=\"rId%zu\" Type=\"" RELATIONS "/styles\" Target=\"styles.xml\"/></Relationships>", n + 1);
  return g_string_free(xml, FALSE);
}

/* The formats of PxXlsxStyle, in its order. */
static char *styles(char *const *names, size_t n) {
  return g_strdup(HEAD
                  "<styleSheet xmlns=\"" MAIN "\">"
                  "<numFmts count=\"3\"><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\"/>"
                  "<numFmt numFmtId=\"165\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/>"
                  "<numFmt numFmtId=\"166\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss.000\"/></numFmts>"
                  "<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font>"
                  "<font><b/><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font></fonts>"
                  "<fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>"
                  "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
                  "<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>"
                  "<cellXfs count=\"6\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>"
                  "<xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/>"
                  "<xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>"
                  "<xf numFmtId=\"165\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>"
                  "<xf numFmtId=\"166\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>"
                  "<xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs>"
                  "<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>");
}

const PxXlsxPart px_xlsx_parts[] = {
  {"[Content_Types].xml", content_types}, /* first, so that the file is known for what it is by its first bytes */
  {"_rels/.rels", package_relations},
  {"xl/workbook.xml", workbook},
  {"xl/_rels/workbook.xml.rels", workbook_relations},
  {"xl/styles.xml", styles},
  {NULL},
};

/* ---- list validations */

static void append_columns(GString *xml, const PxXlsxTab *tab, uint64_t first, uint64_t last) {
  for (size_t i = 0; i < tab->n_columns; i++) {
    char name[3];
    int len = px_xlsx_column_name(tab->columns[i], name);
    g_string_append_printf(xml, "%s%.*s%" PRIu64 ":%.*s%" PRIu64, i ? " " : "", len, name, first, len, name, last);
  }
}

static void append_validation(GString *xml, const PxXlsxTab *tab, uint64_t first, uint64_t last) {
  g_autofree char *escaped = g_markup_escape_text(tab->name, -1);
  g_auto(GStrv) pieces = g_strsplit(tab->name, "'", -1);
  g_autofree char *doubled = g_strjoinv("''", pieces);
  g_autofree char *quoted = g_markup_escape_text(doubled, -1);
  g_string_append(xml, "<dataValidation type=\"list\" allowBlank=\"1\" showInputMessage=\"1\" showErrorMessage=\"1\" sqref=\"");
  append_columns(xml, tab, first, last);
  g_string_append_printf(xml,
                         "\" errorTitle=\"Not an allowed value\" error=\"The allowed values are in the sheet %s.\">"
                         "<formula1>'%s'!$A$2:$A$%zu</formula1></dataValidation>",
                         escaped, quoted, tab->n_values + 1);
}

char *px_xlsx_validations(const PxXlsxTab *tabs, size_t n, uint64_t first, uint64_t last) {
  unsigned count = 0;
  GString *xml = g_string_new(NULL);
  for (size_t i = 0; i < n; i++) {
    if (!tabs[i].n_values || !tabs[i].n_columns)
      continue;
    append_validation(xml, &tabs[i], first, last);
    count++;
  }
  if (!count)
    return g_string_free(xml, FALSE);
  g_autofree char *start = g_strdup_printf("<dataValidations count=\"%u\">", count);
  return g_string_free(g_string_append(g_string_prepend(xml, start), "</dataValidations>"), FALSE);
}
