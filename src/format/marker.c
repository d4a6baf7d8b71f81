/* SPDX-License-Identifier: Apache-2.0 */
#include "format/marker.h"

#include "base/file.h"
#include "format/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define BLOB 0
#define OUT 1
#define TEXTS 3
#define REPLY 4
#define SPILL 5

#define ADDRESS_SPACE ((uint64_t)1024 * 1024 * 1024)
#define REPLY_MAGIC UINT32_C(0x4D425850)
#define DONE UINT32_MAX
#define MAX_REPLY 4096 /* bytes of its text */

/* What comes back, and a text: the note, or the complaint. */
typedef struct {
  uint32_t magic;
  uint32_t code; /* DONE or a PxError */
  uint64_t rows;
  uint32_t length;
} Reply;

/* ---- the caller's side */

static bool take_reply(int fd, pid_t pid, PxMarkResult *ret_result, GError **error) {
  Reply reply = {0};
  char text[MAX_REPLY];
  int status = 0;
  bool came = px_child_read(fd, &reply, sizeof(reply));
  bool whole = came && reply.magic == REPLY_MAGIC && reply.length <= sizeof(text) && px_child_read(fd, text, reply.length);
  if (came && !whole)
    (void)kill(pid, SIGKILL);
  bool reaped = px_child_reap(&pid, &status);
  if (!whole || !reaped)
    return px_child_refuse_death(status, "the process that writes the errors into the workbook", error);
  g_autofree char *valid = g_utf8_make_valid(text, (gssize)reply.length);
  if (reply.code != DONE) {
    bool expected = reply.code == PX_ERROR_CONFIG || reply.code == PX_ERROR_REFUSED || reply.code == PX_ERROR_TRANSIENT;
    g_set_error_literal(error, PX_ERROR, expected ? (int)reply.code : PX_ERROR_INTERNAL, valid);
    return false;
  }
  if (status != 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the process that writes the errors into the workbook failed behind its end (wait status %d)",
                status);
    return false;
  }
  *ret_result = (PxMarkResult){.rows = reply.rows, .note = reply.length > 0 ? g_steal_pointer(&valid) : NULL};
  return true;
}

bool px_marker_run(int blob, int texts, int out, const PxFormatOptions *options, const PxMarkOptions *mark, PxMarkResult *ret_result,
                   GError **error) {
  int in;
  int reply;
  pid_t pid;
  if (!px_child_pipe(&in, &reply)) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot make a pipe: %s", g_strerror(errno));
    return false;
  }
  int spill = px_temporary_file(NULL);
  g_autoptr(GPtrArray) argv = px_child_arguments("marker", options);
  px_child_add_number(argv, "header_rows", mark->header_rows);
  px_child_add_number(argv, "all_rows", mark->all_rows);
  px_child_add_number(argv, "spill", spill >= 0);
  const int fds[] = {[BLOB] = blob, [OUT] = out, [STDERR_FILENO] = -1, [TEXTS] = texts, [REPLY] = reply, [SPILL] = spill};
  int high[G_N_ELEMENTS(fds)];
  for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
    high[i] = fds[i] >= 0 ? px_child_move_up(dup(fds[i])) : -1;
  int problem = px_child_spawn(argv, high, G_N_ELEMENTS(high), &pid);
  for (size_t i = 0; i < G_N_ELEMENTS(high); i++)
    if (high[i] >= 0)
      close(high[i]);
  close(reply);
  if (spill >= 0)
    close(spill);
  bool ok = false;
  if (problem)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot start the process that writes errors into workbooks: %s", g_strerror(problem));
  else
    ok = take_reply(in, pid, ret_result, error);
  close(in);
  return ok;
}

/* ---- the marker's side */

typedef struct {
  PxFormatOptions options;
  uint64_t header_rows, all_rows, spill;
} Order;

static bool take_order(int argc, char **argv, Order *order, GError **error) {
  const struct {
    const char *name;
    uint64_t *number;
  } own[] = {{"header_rows", &order->header_rows}, {"all_rows", &order->all_rows}, {"spill", &order->spill}};
  for (int i = 2; i < argc; i++) {
    g_auto(GStrv) pair = g_strsplit(argv[i], "=", 2);
    bool known = false;
    for (size_t k = 0; k < G_N_ELEMENTS(own) && g_strv_length(pair) == 2; k++)
      if (strcmp(own[k].name, pair[0]) == 0)
        known = g_ascii_string_to_unsigned(pair[1], 10, 0, 2, own[k].number, NULL);
    if (!known && !(g_strv_length(pair) == 2 && px_child_take_option(&order->options, pair[0], pair[1]))) {
      g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "marker: %s: this command is the program's own, not for people", argv[i]);
      return false;
    }
  }
  return true;
}

static void send_reply(const Reply *reply, const char *text) {
  char bytes[sizeof(*reply) + MAX_REPLY];
  memcpy(bytes, reply, sizeof(*reply));
  memcpy(bytes + sizeof(*reply), text, reply->length);
  size_t size = sizeof(*reply) + reply->length;
  if (write(REPLY, bytes, size) != (ssize_t)size) /* a pipe takes so few bytes at once or not at all */
    _exit(4);
}

int px_marker_main(int argc, char **argv) {
  Order order = {.header_rows = 1};
  PxMarkResult result = {0};
  g_autoptr(GError) error = NULL;
  px_format_options_init(&order.options, PX_FORMAT_XLSX);
  bool done = take_order(argc, argv, &order, &error);
  if (done) {
    /* What is written is at most a little more than what is read. */
    const PxChildLimits limits = {.memory = ADDRESS_SPACE, .file_bytes = 2 * MIN(order.options.max_member_bytes, (uint64_t)1 << 40), .seconds = 4};
    const PxMarkOptions mark = {.header_rows = (unsigned)order.header_rows, .all_rows = order.all_rows > 0};
    px_child_confine(&limits);
    order.options.spill_fd = order.spill ? SPILL : -1;
    done = px_xlsx_mark(BLOB, TEXTS, OUT, &order.options, &mark, &result, &error);
  }
  const char *text = done ? result.note : error->message;
  Reply reply = {.magic = REPLY_MAGIC, .code = done ? DONE : (uint32_t)error->code, .rows = result.rows};
  reply.length = text ? (uint32_t)MIN(strlen(text), MAX_REPLY) : 0;
  send_reply(&reply, text ? text : "");
  g_free(result.note);
  px_format_options_done(&order.options);
  return done ? 0 : 2;
}
