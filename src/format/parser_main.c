/* SPDX-License-Identifier: Apache-2.0 */
/* The parser's side: it reads foreign bytes and has nothing to lose but itself. */
#include "format/parser.h"
#include "format/parser_private.h"
#include "format/reader.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOB STDIN_FILENO
#define PIPE STDOUT_FILENO
#define ADDRESS_SPACE ((uint64_t)1024 * 1024 * 1024)

typedef struct {
  PxFormatOptions options;
  uint64_t header_rows, first_row, place;
  uint64_t spill; /* whether there is PX_PARSER_SPILL */
} Order;

/* ---- what it may do */

static void limit(__rlimit_resource_t resource, uint64_t most) {
  struct rlimit limits = {.rlim_cur = (rlim_t)most, .rlim_max = (rlim_t)most};
  (void)setrlimit(resource, &limits); /* only ever lowers; where it is refused the limit is lower already */
}

/* Far more than any file needs: what loops for ever ends by SIGXCPU. */
static uint64_t cpu_seconds(void) {
  struct stat blob;
  return fstat(BLOB, &blob) == 0 ? 60 + (uint64_t)blob.st_size / 1000000 : 60;
}

static void confine(const Order *order) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, cpu_seconds());
  limit(RLIMIT_FSIZE, order->spill ? order->options.max_member_bytes : 0);
  limit(RLIMIT_NOFILE, 16); /* iconv opens its tables */
#ifndef PX_SANITIZED
  limit(RLIMIT_AS, ADDRESS_SPACE + 6 * MIN(order->options.max_row_bytes, ADDRESS_SPACE));
  limit(RLIMIT_NPROC, 0);
  (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* ---- what it is to do */

static bool take_option(Order *order, const char *name, const char *value) {
  PxFormatOptions *options = &order->options;
  const struct {
    const char *name;
    char **text;
    uint64_t *number;
  } known[] = {
    {"delimiter", &options->delimiter, NULL},
    {"quote", &options->quote, NULL},
    {"encoding", &options->encoding, NULL},
    {"sheet", &options->sheet, NULL},
    {"max_row_bytes", NULL, &options->max_row_bytes},
    {"max_cells", NULL, &options->max_cells},
    {"max_members", NULL, &options->max_members},
    {"max_member_bytes", NULL, &options->max_member_bytes},
    {"max_ratio", NULL, &options->max_ratio},
    {"max_text_bytes", NULL, &options->max_text_bytes},
    {"max_depth", NULL, &options->max_depth},
    {"string_memory", NULL, &options->string_memory},
    {"spill", NULL, &order->spill},
    {"header_rows", NULL, &order->header_rows},
    {"first_row", NULL, &order->first_row},
    {"place", NULL, &order->place},
  };
  if (strcmp(name, "format") == 0)
    return px_format_from_name(value, &options->format);
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    if (strcmp(name, known[i].name) != 0)
      continue;
    if (known[i].number)
      return g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, known[i].number, NULL);
    g_free(*known[i].text);
    *known[i].text = g_strdup(value);
    return true;
  }
  return false;
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

/* Sends rows, from number first on, until the file or most rows are at an end. A complaint goes behind the rows that came before it. */
static PxReadResult send_some(PxReader *reader, PxBatchBuilder *builder, uint64_t first, uint64_t most, GError **error) {
  PxReadResult result = PX_READ_ROW;
  for (uint64_t i = 0; i < most; i++) {
    PxRow row;
    result = px_reader_next(reader, &row, error);
    if (result != PX_READ_ROW)
      break;
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
  /* The header is a batch of its own, so that the loader can go to work on it while the rows are being read. */
  PxReadResult result = send_some(reader, builder, 0, order->header_rows, error);
  /* Where there is a place to go on from, the rows before it need not be read. */
  if (result == PX_READ_ROW && order->first_row > order->header_rows + 1 && order->place != UINT64_MAX) {
    px_reader_close(reader);
    reader = px_reader_open_at(BLOB, &order->options, order->first_row, order->place, error);
    if (!reader)
      return false;
  }
  if (result == PX_READ_ROW)
    result = send_some(reader, builder, order->first_row, UINT64_MAX, error);
  return result != PX_READ_ERROR;
}

int px_parser_main(int argc, char **argv) {
  Order order;
  g_autoptr(GError) error = NULL;
  bool done = take_order(argc, argv, &order, &error);
  if (done) {
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
