/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's side: it reads foreign bytes and has nothing to lose but itself. */
#include "format/parser.h"

#include "base/text.h"
#include "format/child.h"
#include "format/parser_private.h"
#include "format/reader.h"
#include "format/starter.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOB STDIN_FILENO
#define PIPE STDOUT_FILENO
#define ADDRESS_SPACE ((uint64_t)1024 * 1024 * 1024)

typedef struct {
  PxFormatOptions options;
  uint64_t header_rows, first_row, place;
  uint64_t json_lines, all_columns;
  uint64_t spill; /* whether there is PX_PARSER_SPILL */
} Order;

/* ---- what it may do */

static void confine(const Order *order) {
  const PxChildLimits limits = {
    .memory = ADDRESS_SPACE + 6 * MIN(order->options.max_row_bytes, ADDRESS_SPACE),
    .file_bytes = order->spill ? order->options.max_member_bytes : 0,
    .seconds = 1,
  };
  px_child_confine(&limits);
}

/* ---- what it is to do */

static bool take_option(Order *order, const char *name, const char *value) {
  const struct {
    const char *name;
    uint64_t *number;
  } own[] = {
    {"spill", &order->spill},         {"json_lines", &order->json_lines}, {"all_columns", &order->all_columns}, {"header_rows", &order->header_rows},
    {"first_row", &order->first_row}, {"place", &order->place},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
    if (strcmp(name, own[i].name) == 0)
      return g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, own[i].number, NULL);
  return px_child_take_option(&order->options, name, value);
}

static bool take_order(int argc, char **argv, Order *ret_order, GError **error) {
  *ret_order = (Order){.place = UINT64_MAX};
  px_format_options_init(&ret_order->options, PX_FORMAT_CSV);
  for (int i = 2; i < argc; i++) {
    g_auto(GStrv) pair = g_strsplit(argv[i], "=", 2);
    if (g_strv_length(pair) != 2 || !take_option(ret_order, pair[0], pair[1])) {
      g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "parser: %s: this command is the program's own, not for people", argv[i]);
      return false;
    }
  }
  return true;
}

/* ---- what it says */

/* A loader that has gone away is SIGPIPE, which ends this process; so does any other failure to speak to it. */
static void send_frame(PxFrameType type, const void *head, size_t head_size, const void *bytes, size_t size) {
  PxFrame frame = {.magic = PX_FRAME_MAGIC, .type = type, .length = head_size + size};
  struct iovec parts[3] = {{&frame, sizeof(frame)}, {(void *)(uintptr_t)head, head_size}, {(void *)(uintptr_t)bytes, size}};
  size_t first = 0;
  while (first < G_N_ELEMENTS(parts)) {
    ssize_t n = writev(PIPE, parts + first, (int)(G_N_ELEMENTS(parts) - first));
    if (n < 0 && errno != EINTR)
      _exit(4);
    size_t done = n < 0 ? 0 : (size_t)n;
    for (; first < G_N_ELEMENTS(parts) && done >= parts[first].iov_len; first++)
      done -= parts[first].iov_len;
    if (first < G_N_ELEMENTS(parts)) {
      parts[first].iov_base = (char *)parts[first].iov_base + done;
      parts[first].iov_len -= done;
    }
  }
}

static void send_error(const GError *error) {
  uint32_t code = error->domain == PX_ERROR ? (uint32_t)error->code : (uint32_t)PX_ERROR_INTERNAL;
  send_frame(PX_FRAME_ERROR, &code, sizeof(code), error->message, MIN(strlen(error->message), PX_FRAME_MAX_ERROR));
}

static void send_rows(PxBatchBuilder *builder, const PxReader *reader) {
  if (px_batch_builder_rows(builder) == 0)
    return;
  size_t size;
  const PxRowBatch *batch = px_batch_builder_finish(builder, px_reader_bytes_done(reader), px_reader_tell(reader), &size);
  send_frame(PX_FRAME_BATCH, NULL, 0, batch, size);
}

/* The last row of the header. What it does not name is left out from here on, where the format can. */
static void add_names(PxReader *reader, PxBatchBuilder *builder, const PxRow *row) {
  g_autofree PxCell *named = g_new(PxCell, row->n_cells + 1);
  g_autofree uint32_t *columns = g_new(uint32_t, row->n_cells + 1);
  size_t n = 0;
  for (size_t i = 0; i < row->n_cells; i++) {
    const char *text = row->cells[i].ptr;
    size_t len = row->cells[i].len;
    if (len)
      px_text_strip(&text, &len);
    if (len == 0)
      continue;
    columns[n] = (uint32_t)i;
    named[n++] = row->cells[i];
  }
  if (n > 0 && px_reader_keep_columns(reader, columns, n))
    px_batch_builder_add(builder, row->number, row->place, named, n);
  else
    px_batch_builder_add(builder, row->number, row->place, row->cells, row->n_cells);
}

/* The header is a batch of its own, so that the loader can go to work on it while the rows are being read. */
static PxReadResult send_header(PxReader *reader, PxBatchBuilder *builder, const Order *order, GError **error) {
  PxReadResult result = PX_READ_ROW;
  for (uint64_t i = 1; i <= order->header_rows && result == PX_READ_ROW; i++) {
    PxRow row;
    result = px_reader_next(reader, &row, error);
    if (result != PX_READ_ROW)
      break;
    if (i == order->header_rows && !order->all_columns)
      add_names(reader, builder, &row);
    else
      px_batch_builder_add(builder, row.number, row.place, row.cells, row.n_cells);
  }
  send_rows(builder, reader);
  return result;
}

/* Sends rows, from number first on, until the file is at an end. A complaint goes behind the rows that came before it. */
static PxReadResult send_others(PxReader *reader, PxBatchBuilder *builder, uint64_t first, GError **error) {
  PxReadResult result;
  PxRow row;
  while ((result = px_reader_next(reader, &row, error)) == PX_READ_ROW) {
    if (row.number < first)
      continue;
    px_batch_builder_add(builder, row.number, row.place, row.cells, row.n_cells);
    if (px_batch_builder_full(builder))
      send_rows(builder, reader);
  }
  send_rows(builder, reader);
  return result;
}

static bool send_file(const Order *order, GError **error) {
  g_autoptr(PxReader) reader = px_reader_open(BLOB, &order->options, error);
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  if (!reader)
    return false;
  px_batch_builder_from_1904(builder, px_reader_from_1904(reader));
  PxReadResult result = send_header(reader, builder, order, error);
  /* Where there is a place to go on from, the rows before it need not be read. */
  if (result == PX_READ_ROW && order->first_row > order->header_rows + 1 && order->place != UINT64_MAX) {
    px_reader_close(reader);
    reader = px_reader_open_at(BLOB, &order->options, order->first_row, order->place, error);
    if (!reader)
      return false;
  }
  if (result == PX_READ_ROW)
    result = send_others(reader, builder, order->first_row, error);
  return result != PX_READ_ERROR;
}

int px_parser_main(int argc, char **argv) {
  Order order;
  g_autoptr(GError) error = NULL;
  if (argc == 3 && strcmp(argv[2], PX_STARTER) == 0)
    return px_starter_main(px_parser_main);
  bool done = take_order(argc, argv, &order, &error);
  if (done) {
    order.options.json_lines = order.json_lines;
    order.options.spill_fd = order.spill ? PX_PARSER_SPILL : PX_SPILL_NONE;
    confine(&order);
    done = send_file(&order, &error);
  }
  px_format_options_done(&order.options);
  if (done)
    send_frame(PX_FRAME_END, NULL, 0, NULL, 0);
  else
    send_error(error);
  return done ? 0 : 2;
}
