/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as objects whose keys are the header's names: a list of them, one a line, or lines alone. */
#include "base/error.h"
#include "base/file.h"
#include "format/json_private.h"
#include "format/json_write_private.h"
#include "format/writer_driver.h"

#include <string.h>

#define BUFFER_BYTES ((size_t)64 * 1024)

typedef struct {
  int fd;
  bool lines;
  bool nested;
  bool any;         /* row has been written */
  GPtrArray *names; /* "name": of each column; NULL: one without a name, which is left out */
  PxJsonTree *tree; /* nested; else NULL */
  GString *out;
} JsonWriter;

/* ---- text */

void px_json_put_string(GString *out, const char *text, size_t len) {
  const char *end = text + len;
  g_string_append_c(out, '"');
  for (const char *plain = text;; text++) {
    unsigned char c = text < end ? (unsigned char)*text : 0;
    if (text < end && c >= 0x20 && c != '"' && c != '\\')
      continue;
    g_string_append_len(out, plain, text - plain);
    if (text == end)
      break;
    plain = text + 1;
    if (c == '"' || c == '\\')
      g_string_append_printf(out, "\\%c", c);
    else if (c == '\n' || c == '\r' || c == '\t')
      g_string_append(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else
      g_string_append_printf(out, "\\u%04x", c);
  }
  g_string_append_c(out, '"');
}

/* What a database calls a number may be none of JSON's: Infinity. */
static bool is_number(const PxCell *cell) {
  char copy[64];
  if (cell->len >= sizeof copy)
    return false;
  memcpy(copy, cell->ptr, cell->len);
  copy[cell->len] = '\0';
  const char *end = px_json_number_end(copy);
  return end && end == copy + cell->len;
}

void px_json_put_cell(GString *out, const PxCell *cell) {
  if (cell->len == 0)
    g_string_append_len(out, "null", 4);
  else if (cell->kind == PX_CELL_BOOLEAN || (cell->kind == PX_CELL_NUMBER && is_number(cell)))
    g_string_append_len(out, cell->ptr, cell->len);
  else
    px_json_put_string(out, cell->ptr, cell->len);
}

/* ---- the driver */

static void json_close(void *self) {
  JsonWriter *writer = self;
  g_ptr_array_unref(writer->names);
  px_json_tree_free(writer->tree);
  g_string_free(writer->out, TRUE);
  g_free(writer);
}

static void *json_open(int fd, const PxFormatOptions *options, const char *title, GError **error) {
  JsonWriter *writer = g_new0(JsonWriter, 1);
  writer->fd = fd;
  writer->lines = options->json_lines;
  writer->nested = options->json_nested;
  writer->names = g_ptr_array_new_with_free_func(g_free);
  writer->out = g_string_sized_new(BUFFER_BYTES + BUFFER_BYTES / 4);
  return writer;
}

/* The last header row has the names; labels above it have no place in JSON. */
static bool json_begin(void *self, const PxCell *const *headers, size_t n_headers, size_t n_columns, const PxTab *tabs, size_t n_tabs,
                       GError **error) {
  JsonWriter *writer = self;
  if (n_headers == 0)
    return true;
  const PxCell *header = headers[n_headers - 1];
  if (writer->nested)
    writer->tree = px_json_tree_new(header, n_columns);
  for (size_t i = 0; i < n_columns && !writer->nested; i++) {
    g_autoptr(GString) name = g_string_new(NULL);
    px_json_put_string(name, header[i].ptr, header[i].len);
    g_string_append(name, ": ");
    g_ptr_array_add(writer->names, header[i].len ? g_strdup(name->str) : NULL);
  }
  return true;
}

static void put_flat(const JsonWriter *writer, const PxCell *cells, size_t n_cells) {
  GString *out = writer->out;
  bool any = false;
  g_string_append_c(out, '{');
  for (size_t i = 0; i < n_cells && i < writer->names->len; i++) {
    const char *name = writer->names->pdata[i];
    if (!name || cells[i].kind == PX_CELL_ABSENT)
      continue;
    if (any)
      g_string_append_len(out, ", ", 2);
    g_string_append(out, name);
    px_json_put_cell(out, &cells[i]);
    any = true;
  }
  g_string_append_c(out, '}');
}

static bool flush(JsonWriter *writer, size_t at_least, GError **error) {
  if (writer->out->len < at_least)
    return true;
  bool written = px_write_all(writer->fd, writer->out->str, writer->out->len, "the file", error);
  g_string_truncate(writer->out, 0);
  return written;
}

static bool json_row(void *self, const PxCell *cells, size_t n_cells, GError **error) {
  JsonWriter *writer = self;
  if (!writer->lines)
    g_string_append(writer->out, writer->any ? ",\n" : "[\n");
  writer->any = true;
  if (writer->tree)
    px_json_tree_put(writer->tree, writer->out, cells, n_cells);
  else
    put_flat(writer, cells, n_cells);
  if (writer->lines)
    g_string_append_c(writer->out, '\n');
  return flush(writer, BUFFER_BYTES, error);
}

static bool json_end(void *self, GError **error) {
  JsonWriter *writer = self;
  if (!writer->lines)
    g_string_append(writer->out, writer->any ? "\n]\n" : "[]\n");
  return flush(writer, 1, error);
}

const PxWriterDriver px_json_writer = {
  .name = "json",
  .open = json_open,
  .close = json_close,
  .begin = json_begin,
  .row = json_row,
  .end = json_end,
};
