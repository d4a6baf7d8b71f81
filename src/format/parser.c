/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's side. The parser may have been taken over by the file it reads, so nothing that comes out of the pipe is believed. */
#include "format/parser.h"

#include "base/file.h"
#include "format/child.h"
#include "format/parser_private.h"
#include "format/starter.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LEN ((uint64_t)1 << 28) /* of a cell, and so of a row */

struct PxParser {
  pid_t pid; /* 0: reaped */
  int pipe;
  uint64_t max_batch; /* bytes */
  uint64_t last_row;
  bool ended;
};

/* ---- start */

static GPtrArray *arguments(const PxFormatOptions *options, unsigned header_rows, uint64_t first_row, uint64_t place, bool spill) {
  GPtrArray *argv = px_child_arguments("parser", options);
  px_child_add_number(argv, "header_rows", header_rows);
  px_child_add_number(argv, "first_row", first_row);
  px_child_add_number(argv, "place", place);
  if (options->json_lines)
    px_child_add_number(argv, "json_lines", 1);
  if (options->all_columns)
    px_child_add_number(argv, "all_columns", 1);
  if (spill)
    px_child_add_number(argv, "spill", 1);
  return argv;
}

/* The parser may open no file, so it is given one, where a format may need it. -1: it must do without. */
static int open_spill(const PxFormatOptions *options) {
  if (options->format != PX_FORMAT_XLSX)
    return -1;
  int fd = px_temporary_file(NULL);
  return fd >= 0 ? px_child_move_up(fd) : fd;
}

PxParser *px_parser_start(int fd, const PxFormatOptions *options, unsigned header_rows, uint64_t first_row, uint64_t place, GError **error) {
  int in;
  int out;
  if (!px_child_pipe(&in, &out)) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot make a pipe for the parser: %s", g_strerror(errno));
    return NULL;
  }
  pid_t pid;
  int spill = open_spill(options);
  g_autoptr(GPtrArray) argv = arguments(options, header_rows, first_row, place, spill >= 0);
  const int fds[] = {fd, out, -1, spill};
  int problem = px_starter_spawn(argv, fds, G_N_ELEMENTS(fds), &pid);
  close(out);
  if (spill >= 0)
    close(spill);
  if (problem) {
    close(in);
    g_set_error(error, PX_ERROR, problem == EAGAIN || problem == ENOMEM ? PX_ERROR_TRANSIENT : PX_ERROR_INTERNAL, "cannot start the parser: %s",
                g_strerror(problem));
    return NULL;
  }
  PxParser *parser = g_new0(PxParser, 1);
  *parser = (PxParser){.pid = pid, .pipe = in, .last_row = first_row > 0 ? first_row - 1 : 0};
  parser->max_batch = sizeof(PxRowBatch) + PX_ROW_BATCH_BYTES + sizeof(PxBatchRow) + MIN(options->max_row_bytes, MAX_LEN) +
                      MIN(options->max_cells, MAX_LEN) * sizeof(PxBatchCell);
  return parser;
}

void px_parser_rest(void) {
  px_starter_end();
}

/* ---- the end */

static void kill_and_reap(PxParser *parser) {
  int status;
  if (parser->pid == 0)
    return;
  (void)kill(parser->pid, SIGKILL);
  (void)px_child_reap(&parser->pid, &status);
}

void px_parser_free(PxParser *parser) {
  if (!parser)
    return;
  kill_and_reap(parser);
  close(parser->pipe);
  g_free(parser);
}

static void tell_death(PxParser *parser, GError **error) {
  int status;
  uint64_t row = parser->last_row + 1;
  bool known = px_child_reap(&parser->pid, &status);
  if (known && WIFSIGNALED(status))
    px_starter_end();
  if (!known)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the parser of the file is gone near row %" PRIu64, row);
  else if (WIFSIGNALED(status) && px_child_own_fault(WTERMSIG(status)))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the parser of the file died near row %" PRIu64 " (signal %d, %s): nothing from there on was read",
                row, WTERMSIG(status), strsignal(WTERMSIG(status)));
  else if (WIFSIGNALED(status))
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the parser of the file was killed near row %" PRIu64 " (signal %d, %s)", row, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
  else
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the parser of the file ended near row %" PRIu64 " with exit status %d", row,
                WEXITSTATUS(status));
}

/* ---- batches */

static void refuse_nonsense(PxParser *parser, const char *what, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "the parser of the file sent what no parser sends near row %" PRIu64 ": %s", parser->last_row + 1,
              what);
  kill_and_reap(parser);
}

/* Reads size bytes; when they do not come, says why. */
static bool read_all(PxParser *parser, void *to, size_t size, GError **error) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(parser->pipe, (char *)to + done, size - done);
    if (n > 0) {
      done += (size_t)n;
    } else if (n == 0) {
      tell_death(parser, error);
      return false;
    } else if (errno != EINTR) {
      g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "cannot read from the parser: %s", g_strerror(errno));
      return false;
    }
  }
  return true;
}

static PxRowBatch *take_batch(PxParser *parser, uint64_t length, GError **error) {
  if (length < sizeof(PxRowBatch) || length > parser->max_batch) {
    refuse_nonsense(parser, "a batch of a wrong length", error);
    return NULL;
  }
  g_autofree PxRowBatch *batch = g_try_malloc(length);
  if (!batch) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "out of memory for a batch of %" PRIu64 " bytes", length);
    return NULL;
  }
  if (!read_all(parser, batch, length, error))
    return NULL;
  g_autoptr(GError) broken = NULL;
  if (!px_row_batch_check(batch, length, &broken)) {
    refuse_nonsense(parser, broken->message, error);
    return NULL;
  }
  if (batch->n_rows > 0)
    parser->last_row = px_row_batch_rows(batch)[batch->n_rows - 1].number;
  return g_steal_pointer(&batch);
}

static void take_error(PxParser *parser, uint64_t length, GError **error) {
  char text[PX_FRAME_MAX_ERROR];
  uint32_t code;
  if (length < sizeof(code) || length > sizeof(code) + sizeof(text)) {
    refuse_nonsense(parser, "a complaint of a wrong length", error);
    return;
  }
  size_t len = length - sizeof(code);
  if (!read_all(parser, &code, sizeof(code), error) || !read_all(parser, text, len, error))
    return;
  g_autofree char *message = g_utf8_make_valid(text, (gssize)len);
  bool expected = code == PX_ERROR_CONFIG || code == PX_ERROR_REFUSED || code == PX_ERROR_TRANSIENT;
  g_set_error_literal(error, PX_ERROR, expected ? (int)code : PX_ERROR_INTERNAL, message);
}

static void take_end(PxParser *parser, uint64_t length, GError **error) {
  int status;
  if (length != 0)
    refuse_nonsense(parser, "more behind the end", error);
  else if (!px_child_reap(&parser->pid, &status) || status == 0)
    return;
  else
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the parser of the file failed behind its end (wait status %d)", status);
}

PxRowBatch *px_parser_next(PxParser *parser, GError **error) {
  PxFrame frame;
  PxRowBatch *batch = NULL;
  if (parser->ended)
    return NULL;
  if (!read_all(parser, &frame, sizeof(frame), error))
    parser->ended = true;
  else if (frame.magic != PX_FRAME_MAGIC)
    refuse_nonsense(parser, "a wrong mark", error);
  else if (frame.type == PX_FRAME_BATCH)
    batch = take_batch(parser, frame.length, error);
  else if (frame.type == PX_FRAME_ERROR)
    take_error(parser, frame.length, error);
  else if (frame.type == PX_FRAME_END)
    take_end(parser, frame.length, error);
  else
    refuse_nonsense(parser, "an unknown kind of frame", error);
  parser->ended = batch == NULL;
  return batch;
}
