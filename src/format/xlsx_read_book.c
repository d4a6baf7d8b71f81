/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: relationships, workbook, styles. */
#include "format/xlsx_read_private.h"

#include "base/text.h"

#include <expat.h>
#include <string.h>

#define MAX_PART ((uint64_t)32 * 1024 * 1024)
#define PIECE ((size_t)64 * 1024)
#define MAX_SHEETS 10000
#define MAX_STYLES 1000000
#define SHOWN_SHEETS 10 /* in a message */

/* ---- a small part through expat */

typedef struct {
  const PxXlsxHandlers *handlers;
  void *data;
  XML_Parser parser;
  size_t depth;
  bool doctype;
} Small;

static const char *without_prefix(const char *name) {
  const char *colon = strchr(name, ':');
  return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes) {
  Small *small = data;
  if (++small->depth > PX_XML_MAX_DEPTH)
    XML_StopParser(small->parser, XML_FALSE);
  else if (small->handlers->start)
    small->handlers->start(small->data, without_prefix(name), attributes);
}

static void XMLCALL on_end(void *data, const XML_Char *name) {
  Small *small = data;
  small->depth--;
  if (small->handlers->end)
    small->handlers->end(small->data, without_prefix(name));
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_internal) {
  Small *small = data;
  small->doctype = true;
  XML_StopParser(small->parser, XML_FALSE);
}

static bool refuse_small(const Small *small, const char *part, GError **error) {
  if (small->doctype)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: it has a DOCTYPE, which no spreadsheet program writes and XML bombs are made of", part);
  else if (small->depth > PX_XML_MAX_DEPTH)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: broken XML: more than %d elements within one another", part, PX_XML_MAX_DEPTH);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: broken XML in line %lu: %s", part, XML_GetCurrentLineNumber(small->parser),
                XML_ErrorString(XML_GetErrorCode(small->parser)));
  return false;
}

static bool feed(Small *small, PxZipStream *stream, const char *part, GError **error) {
  size_t len;
  do {
    void *piece = XML_GetBuffer(small->parser, (int)PIECE);
    if (!piece) {
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "out of memory for %s", part);
      return false;
    }
    if (!px_zip_stream_read(stream, piece, PIECE, &len, error))
      return false;
    if (XML_ParseBuffer(small->parser, (int)len, len < PIECE) != XML_STATUS_OK)
      return refuse_small(small, part, error);
  } while (len == PIECE);
  return true;
}

bool px_xlsx_small_part(const PxZip *zip, const char *part, const PxXlsxHandlers *handlers, void *data, GError **error) {
  const PxZipMember *member = px_zip_find(zip, part);
  if (!member) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "this is no XLSX workbook: the archive has no part %s", part);
    return false;
  }
  if (member->size > MAX_PART) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s has %" G_GUINT64_FORMAT " bytes: a workbook's has less than %" G_GUINT64_FORMAT, part,
                member->size, MAX_PART);
    return false;
  }
  g_autoptr(PxZipStream) stream = px_zip_stream_open(zip, member, error);
  if (!stream)
    return false;
  Small small = {.handlers = handlers, .data = data, .parser = XML_ParserCreate(NULL)};
  XML_SetUserData(small.parser, &small);
  XML_SetElementHandler(small.parser, on_start, on_end);
  XML_SetStartDoctypeDeclHandler(small.parser, on_doctype);
  bool ok = feed(&small, stream, part, error);
  XML_ParserFree(small.parser);
  return ok;
}

const char *px_xlsx_small_attribute(const char **attributes, const char *name) {
  for (; *attributes; attributes += 2)
    if (strcmp(without_prefix(attributes[0]), name) == 0)
      return attributes[1];
  return NULL;
}

static bool is_true(const char *value) {
  return value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || strcmp(value, "on") == 0);
}

/* ---- relationships (ECMA-376 part 2, 6.5) */

static void relation_done(void *data) {
  PxXlsxRelation *relation = data;
  g_free(relation->id);
  g_free(relation->type);
  g_free(relation->target);
}

typedef struct {
  const char *folder; /* that targets are relative to */
  GArray *relations;
} Relations;

/* The member that a target means. */
static char *resolve(const char *folder, const char *target) {
  g_autofree char *plain = g_uri_unescape_string(target, NULL);
  g_autofree char *path = *target == '/' ? g_strdup(plain ? plain : target) : g_strconcat("/", folder, "/", plain ? plain : target, NULL);
  g_autofree char *whole = g_canonicalize_filename(path, "/");
  return g_strdup(whole + strspn(whole, "/"));
}

static void take_relation(void *data, const char *name, const char **attributes) {
  Relations *self = data;
  if (strcmp(name, "Relationship") != 0)
    return;
  const char *mode = px_xlsx_small_attribute(attributes, "TargetMode");
  const char *target = px_xlsx_small_attribute(attributes, "Target");
  PxXlsxRelation relation = {.id = g_strdup(px_xlsx_small_attribute(attributes, "Id")),
                             .type = g_strdup(px_xlsx_small_attribute(attributes, "Type"))};
  if (target && g_strcmp0(mode, "External") != 0)
    relation.target = resolve(self->folder, target);
  g_array_append_val(self->relations, relation);
}

GArray *px_xlsx_relations(const PxZip *zip, const char *part, GError **error) {
  static const PxXlsxHandlers handlers = {.start = take_relation};
  g_autofree char *folder = g_path_get_dirname(part);
  g_autofree char *base = g_path_get_basename(part);
  bool is_top = strcmp(folder, ".") == 0;
  g_autofree char *name = is_top ? g_strconcat("_rels/", *part ? base : "", ".rels", NULL) : g_strconcat(folder, "/_rels/", base, ".rels", NULL);
  g_autoptr(GArray) relations = g_array_new(FALSE, FALSE, sizeof(PxXlsxRelation));
  g_array_set_clear_func(relations, relation_done);
  Relations self = {.folder = is_top ? "" : folder, .relations = relations};
  if (px_zip_find(zip, name) && !px_xlsx_small_part(zip, name, &handlers, &self, error))
    return NULL;
  return g_steal_pointer(&relations);
}

/* The first relation of a type (its last word: the rest differs between the editions of the standard). */
static const PxXlsxRelation *relation_of_type(const GArray *relations, const char *type) {
  for (guint i = 0; i < relations->len; i++) {
    const PxXlsxRelation *relation = &g_array_index(relations, PxXlsxRelation, i);
    const char *last = relation->type ? strrchr(relation->type, '/') : NULL;
    if (last && strcmp(last + 1, type) == 0 && relation->target)
      return relation;
  }
  return NULL;
}

static const PxXlsxRelation *relation_of_id(const GArray *relations, const char *id) {
  for (guint i = 0; i < relations->len; i++) {
    const PxXlsxRelation *relation = &g_array_index(relations, PxXlsxRelation, i);
    if (g_strcmp0(relation->id, id) == 0)
      return relation;
  }
  return NULL;
}

/* ---- the workbook (18.2) */

typedef struct {
  char *name, *relation;
  bool hidden;
} Sheet;

static void sheet_done(void *data) {
  Sheet *sheet = data;
  g_free(sheet->name);
  g_free(sheet->relation);
}

typedef struct {
  GArray *sheets;
  bool is_workbook, from_1904;
} Workbook;

static void take_workbook(void *data, const char *name, const char **attributes) {
  Workbook *self = data;
  if (strcmp(name, "workbook") == 0) {
    self->is_workbook = true;
  } else if (strcmp(name, "workbookPr") == 0) {
    self->from_1904 = is_true(px_xlsx_small_attribute(attributes, "date1904"));
  } else if (strcmp(name, "sheet") == 0 && self->sheets->len < MAX_SHEETS) {
    const char *state = px_xlsx_small_attribute(attributes, "state");
    const char *called = px_xlsx_small_attribute(attributes, "name");
    Sheet sheet = {.name = g_strdup(called ? called : ""),
                   .relation = g_strdup(px_xlsx_small_attribute(attributes, "id")),
                   .hidden = state && strcmp(state, "visible") != 0};
    g_array_append_val(self->sheets, sheet);
  }
}

/* Blanks around and case are none. */
static bool same_name(const char *one, const char *other) {
  size_t one_len = strlen(one);
  size_t other_len = strlen(other);
  px_text_strip(&one, &one_len);
  px_text_strip(&other, &other_len);
  g_autofree char *left = g_utf8_casefold(one, (gssize)one_len);
  g_autofree char *right = g_utf8_casefold(other, (gssize)other_len);
  return strcmp(left, right) == 0;
}

static const char *part_of_sheet(const GArray *relations, const Sheet *sheet) {
  const PxXlsxRelation *relation = sheet->relation ? relation_of_id(relations, sheet->relation) : NULL;
  const char *last = relation && relation->type ? strrchr(relation->type, '/') : NULL;
  return last && strcmp(last, "/worksheet") == 0 ? relation->target : NULL;
}

static bool refuse_sheet(const GArray *sheets, const GArray *relations, const char *wanted, GError **error) {
  g_autoptr(GString) names = g_string_new(NULL);
  guint shown = 0;
  for (guint i = 0; i < sheets->len && shown < SHOWN_SHEETS; i++) {
    const Sheet *sheet = &g_array_index(sheets, Sheet, i);
    g_autofree char *name = px_text_quote(sheet->name, strlen(sheet->name));
    if (part_of_sheet(relations, sheet))
      g_string_append_printf(names, "%s%s", shown++ ? ", " : "", name);
  }
  if (!wanted || shown == 0)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the workbook has no sheet with cells");
  else
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "the workbook has no sheet called \"%s\"; it has %s%s: rename the sheet, or change sheet or "
                "tab_to_import of the pattern",
                wanted, names->str, sheets->len > SHOWN_SHEETS ? " and more" : "");
  return false;
}

/* The sheet that is wanted: by its name; else the first one that people see, or when all are hidden the first. */
static bool choose_sheet(PxXlsxBook *book, const GArray *sheets, const GArray *relations, const char *wanted, GError **error) {
  const Sheet *chosen = NULL;
  for (guint i = 0; i < sheets->len; i++) {
    const Sheet *sheet = &g_array_index(sheets, Sheet, i);
    bool fits = part_of_sheet(relations, sheet) && (!wanted || same_name(sheet->name, wanted));
    if (fits && (!chosen || (chosen->hidden && !sheet->hidden)))
      chosen = sheet;
  }
  if (!chosen)
    return refuse_sheet(sheets, relations, wanted, error);
  book->sheet = g_strdup(chosen->name);
  book->sheet_part = g_strdup(part_of_sheet(relations, chosen));
  return true;
}

/* ---- styles (18.8): what makes a number a date */

typedef struct {
  GHashTable *codes; /* number format -> code */
  GArray *styles;    /* uint8_t */
  bool in_cells;
} Styles;

static unsigned number_of(const char **attributes, const char *name) {
  const char *value = px_xlsx_small_attribute(attributes, name);
  return value ? (unsigned)(g_ascii_strtoull(value, NULL, 10) & 0xFFFFFFF) : 0;
}

static void take_style(void *data, const char *name, const char **attributes) {
  Styles *self = data;
  if (strcmp(name, "numFmt") == 0) {
    const char *code = px_xlsx_small_attribute(attributes, "formatCode");
    if (code)
      g_hash_table_insert(self->codes, GUINT_TO_POINTER(number_of(attributes, "numFmtId")), g_strdup(code));
  } else if (strcmp(name, "cellXfs") == 0) {
    self->in_cells = true;
  } else if (self->in_cells && strcmp(name, "xf") == 0 && self->styles->len < MAX_STYLES) {
    unsigned id = number_of(attributes, "numFmtId");
    uint8_t style = (uint8_t)px_xlsx_style(id, g_hash_table_lookup(self->codes, GUINT_TO_POINTER(id)));
    g_array_append_val(self->styles, style);
  }
}

static void leave_style(void *data, const char *name) {
  Styles *self = data;
  if (strcmp(name, "cellXfs") == 0)
    self->in_cells = false;
}

static bool read_styles(PxXlsxBook *book, const PxZip *zip, const char *part, GError **error) {
  static const PxXlsxHandlers handlers = {.start = take_style, .end = leave_style};
  g_autoptr(GHashTable) codes = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  Styles self = {.codes = codes, .styles = g_array_new(FALSE, FALSE, 1)};
  bool ok = px_xlsx_small_part(zip, part, &handlers, &self, error);
  book->n_styles = self.styles->len;
  book->styles = (uint8_t *)g_array_free(self.styles, FALSE);
  return ok;
}

/* ---- the whole */

static bool refuse_other(const PxZip *zip, GError **error) {
  static const struct {
    const char *part, *what;
  } known[] = {
    {"xl/workbook.bin", "it is an XLSB workbook: open it in Excel and save it as XLSX"},
    {"content.xml", "it is an OpenDocument file: open it in a spreadsheet program and save it as XLSX"},
    {"word/document.xml", "it is a Word document: the table must come as XLSX or CSV"},
    {"ppt/presentation.xml", "it is a PowerPoint presentation: the table must come as XLSX or CSV"},
    {"Index/Document.iwa", "it is a Numbers document: export it as Excel (XLSX)"},
  };
  const char *what = "the zip archive holds no workbook: a file packed in an archive must be taken out of it first";
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (px_zip_find(zip, known[i].part))
      what = known[i].what;
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "this is no XLSX workbook: %s", what);
  return false;
}

static bool read_workbook(PxXlsxBook *book, const PxZip *zip, const char *part, const char *wanted, GError **error) {
  static const PxXlsxHandlers handlers = {.start = take_workbook};
  g_autoptr(GArray) relations = px_xlsx_relations(zip, part, error);
  g_autoptr(GArray) sheets = g_array_new(FALSE, FALSE, sizeof(Sheet));
  g_array_set_clear_func(sheets, sheet_done);
  Workbook self = {.sheets = sheets};
  if (!relations || !px_xlsx_small_part(zip, part, &handlers, &self, error))
    return false;
  if (!self.is_workbook)
    return refuse_other(zip, error);
  book->from_1904 = self.from_1904;
  const PxXlsxRelation *strings = relation_of_type(relations, "sharedStrings");
  const PxXlsxRelation *styles = relation_of_type(relations, "styles");
  book->strings_part = strings ? g_strdup(strings->target) : NULL;
  return choose_sheet(book, sheets, relations, wanted, error) && (!styles || read_styles(book, zip, styles->target, error));
}

bool px_xlsx_book_read(PxXlsxBook *book, const PxZip *zip, const char *wanted, GError **error) {
  g_autoptr(GArray) top = px_xlsx_relations(zip, "", error);
  if (!top)
    return false;
  const PxXlsxRelation *document = relation_of_type(top, "officeDocument");
  const char *part = document ? document->target : "xl/workbook.xml";
  if (!px_zip_find(zip, part) || g_str_has_suffix(part, ".bin"))
    return refuse_other(zip, error);
  return read_workbook(book, zip, part, wanted, error);
}

void px_xlsx_book_done(PxXlsxBook *book) {
  g_free(book->sheet);
  g_free(book->sheet_part);
  g_free(book->strings_part);
  g_free(book->styles);
  *book = (PxXlsxBook){0};
}
