/* SPDX-License-Identifier: Apache-2.0 */
/* A file is read twice: once for the keys that its items have, which are the header, and whether it is whole; then item by item. */
#include "base/error.h"
#include "format/json_private.h"
#include "format/reader_driver.h"

#include <inttypes.h>

#define READ_SIZE ((size_t)256 * 1024)
#define BOM "\xEF\xBB\xBF"

typedef struct {
  PxJsonWindow window;
  PxJsonKeys keys;
  PxJsonScan scan;
  PxCell *cells;
  bool is_list; /* [ ... ], else one object after the other */
  bool header;  /* is next */
  bool ended;
  uint64_t number; /* of the item that was read last */
  uint64_t begin;  /* of the items in the file, behind [ */
  size_t max_item_bytes;
} JsonReader;

static void json_close(void *self) {
  JsonReader *reader = self;
  px_json_window_done(&reader->window);
  px_json_keys_done(&reader->keys);
  g_array_unref(reader->scan.escaped);
  g_string_free(reader->scan.key, TRUE);
  g_string_free(reader->scan.problem, TRUE);
  g_free(reader->scan.numbers);
  g_free(reader->cells);
  g_free(reader);
}

static uint64_t json_tell(const void *self) {
  const JsonReader *reader = self;
  return reader->window.offset + reader->window.at;
}

/* ---- between items */

static bool refuse(const JsonReader *reader, size_t at, const char *what, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "byte %" PRIu64 ": %s", reader->window.offset + at, what);
  if (reader->number > 0)
    g_prefix_error(error, "behind item %" PRIu64 ", ", reader->number);
  return false;
}

/* Goes on to what is not blank, from at; more of the file is read as it takes. *ret_at: where in the window; a zero byte: the end of the file. */
static bool pass_blanks(JsonReader *reader, size_t at, size_t *ret_at, GError **error) {
  PxJsonWindow *window = &reader->window;
  for (;;) {
    size_t next = (size_t)(px_json_blanks(window->bytes + at) - window->bytes);
    if (next < window->len || window->at_end) {
      *ret_at = next;
      return true;
    }
    /* Blanks need not stay in the window; what is known of them is that they are there. */
    window->at = next;
    if (!px_json_window_fill(window, error))
      return false;
    at = window->at;
  }
}

/* Behind the place at hand (behind [, or an item): to the next item, or the end. */
static bool find_item(JsonReader *reader, GError **error) {
  PxJsonWindow *window = &reader->window;
  size_t at;
  if (!pass_blanks(reader, window->at, &at, error))
    return false;
  char c = window->bytes[at];
  if (reader->is_list && c == ']') {
    window->at = at + 1;
    reader->ended = true;
    if (!pass_blanks(reader, window->at, &at, error))
      return false;
    window->at = at;
    return at == window->len || refuse(reader, at, "more behind the end of the list", error);
  }
  if (reader->is_list && reader->number > 0) {
    if (c != ',')
      return refuse(reader, at, c ? "a comma or the end of the list (]) is expected behind an item" : "the file ends within the list: it was cut off",
                    error);
    if (!pass_blanks(reader, at + 1, &at, error))
      return false;
    c = window->bytes[at];
  }
  window->at = at;
  if (!reader->is_list && at == window->len)
    reader->ended = true;
  else if (c == '\0')
    return refuse(reader, at, "the file ends within the list: it was cut off", error);
  else if (c != '{')
    return refuse(reader, at, "an object is expected: a file is a list of objects, or one object a line", error);
  return true;
}

/* ---- items */

static bool refuse_long_item(const JsonReader *reader, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
              "item %" PRIu64 ", byte %" PRIu64 ": longer than %zu bytes: a quote that is not closed, or limits: row_bytes is too small",
              reader->number + 1, reader->window.offset + reader->window.at, reader->max_item_bytes);
  return false;
}

/* The item that begins where the window is. */
static bool scan_item(JsonReader *reader, GError **error) {
  PxJsonWindow *window = &reader->window;
  PxJsonScan *scan = &reader->scan;
  for (;;) {
    const char *start = window->bytes + window->at;
    scan->at_end = window->at_end;
    PxJsonResult result = px_json_scan_item(scan, start);
    /* Whether an item is too long must not hang on how much of it has been read. */
    if ((size_t)(MAX(scan->at, scan->reach) - start) > reader->max_item_bytes)
      return refuse_long_item(reader, error);
    if (result == PX_JSON_BAD) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "item %" PRIu64 ", byte %" PRIu64 ": %s", reader->number + 1,
                  window->offset + (size_t)(scan->at - window->bytes), scan->problem->str);
      return false;
    }
    if (result == PX_JSON_ITEM) {
      window->at = (size_t)(scan->at - window->bytes);
      reader->number++;
      return true;
    }
    if (!px_json_window_fill(window, error)) {
      g_prefix_error(error, "item %" PRIu64 ", ", reader->number + 1);
      return false;
    }
  }
}

static PxReadResult json_next(void *self, PxRow *ret_row, GError **error) {
  JsonReader *reader = self;
  if (reader->header) {
    reader->header = false;
    const GArray *columns = reader->keys.columns;
    *ret_row = (PxRow){.place = 0, .cells = &g_array_index(columns, PxCell, 0), .n_cells = columns->len};
    return PX_READ_ROW;
  }
  if (reader->ended)
    return PX_READ_END;
  uint64_t place = json_tell(reader);
  if (!find_item(reader, error))
    return PX_READ_ERROR;
  if (reader->ended)
    return PX_READ_END;
  if (!scan_item(reader, error))
    return PX_READ_ERROR;
  px_json_scan_unescape(&reader->scan);
  *ret_row = (PxRow){.number = reader->number, .place = place, .cells = reader->cells, .n_cells = reader->keys.columns->len};
  return PX_READ_ROW;
}

/* ---- open */

/* Where the items begin, and in which of the two ways they stand. */
static bool find_begin(JsonReader *reader, const PxFormatOptions *options, GError **error) {
  PxJsonWindow *window = &reader->window;
  do {
    if (!px_json_window_fill(window, error))
      return false;
  } while (window->len < strlen(BOM) && !window->at_end);
  size_t at = strncmp(window->bytes, BOM, strlen(BOM)) == 0 ? strlen(BOM) : 0;
  if (!pass_blanks(reader, at, &at, error))
    return false;
  char c = window->bytes[at];
  reader->is_list = c == '[';
  if (c == '\0' && !options->json_lines)
    return refuse(reader, at, "the file is empty: a list without objects is []", error);
  if (c && c != '[' && c != '{')
    return refuse(reader, at, "this is no JSON file: it begins with neither [ nor {", error);
  window->at = at + reader->is_list;
  reader->begin = json_tell(reader);
  return true;
}

static bool read_keys(JsonReader *reader, GError **error) {
  while (find_item(reader, error)) {
    if (reader->ended) {
      px_json_keys_number(&reader->keys);
      return true;
    }
    if (!scan_item(reader, error))
      return false;
  }
  return false;
}

static bool take_columns(JsonReader *reader, const PxFormatOptions *options, GError **error) {
  guint n = reader->keys.columns->len;
  if (n > options->max_cells) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "the items have %u different keys (items of lists counted), more than a row may hold: raise limits: cells", n);
    return false;
  }
  reader->cells = g_new(PxCell, n);
  reader->scan.cells = reader->cells;
  reader->scan.numbers = g_malloc_n(n, sizeof *reader->scan.numbers);
  return true;
}

/* Before item number, which begins at place where that is known. */
static bool go_to(JsonReader *reader, uint64_t number, uint64_t place, GError **error) {
  uint64_t total = reader->number;
  bool known = number > 1 && place != UINT64_MAX;
  reader->header = number == 0;
  reader->number = known ? number - 1 : 0;
  reader->ended = number > total && number > 1;
  px_json_window_seek(&reader->window, known ? place : reader->begin);
  while (!reader->ended && reader->number + 1 < number) {
    PxRow row;
    if (json_next(reader, &row, error) == PX_READ_ERROR)
      return false;
  }
  return true;
}

void *px_json_reader_open_sized(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, size_t read_size, GError **error) {
  JsonReader *reader = g_new0(JsonReader, 1);
  px_json_keys_init(&reader->keys, options);
  reader->max_item_bytes = (size_t)CLAMP(options->max_row_bytes, 1, PX_JSON_MAX_ITEM_BYTES);
  reader->scan = (PxJsonScan){
    .keys = &reader->keys,
    .escaped = g_array_new(FALSE, FALSE, sizeof(int)),
    .key = g_string_new(NULL),
    .problem = g_string_new(NULL),
    .max_depth = (size_t)CLAMP(options->max_depth, 1, PX_JSON_MAX_DEPTH),
  };
  bool ok = px_json_window_open(&reader->window, fd, read_size, error) && find_begin(reader, options, error) && read_keys(reader, error) &&
            take_columns(reader, options, error) && go_to(reader, number, place, error);
  if (ok)
    return reader;
  json_close(reader);
  return NULL;
}

static void *json_open(int fd, const PxFormatOptions *options, uint64_t number, uint64_t place, GError **error) {
  return px_json_reader_open_sized(fd, options, number, place, READ_SIZE, error);
}

const PxReaderDriver px_json_reader = {
  .name = "json",
  .open = json_open,
  .close = json_close,
  .next = json_next,
  .tell = json_tell,
  .bytes_done = json_tell,
};
