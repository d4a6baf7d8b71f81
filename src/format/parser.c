/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's side. The parser may have been taken over by the file it reads, so nothing that comes out of the pipe is believed. */
#include "format/parser.h"

#include "format/parser_private.h"
#include "format/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES (1024 * 1024)
#define MAX_LEN ((uint64_t)1 << 28) /* of a cell, and so of a row */

struct PxParser {
  pid_t pid; /* 0: reaped */
  int pipe;
  uint64_t max_batch; /* bytes */
  uint64_t last_row;
  bool ended;
};

/* ---- start */

static void add_option(GPtrArray *argv, const char *name, const char *value) {
  if (value)
    g_ptr_array_add(argv, g_strconcat(name, "=", value, NULL));
}

static void add_number(GPtrArray *argv, const char *name, uint64_t value) {
  g_ptr_array_add(argv, g_strdup_printf("%s=%" PRIu64, name, value));
}

static GPtrArray *arguments(const PxFormatOptions *options, unsigned header_rows, uint64_t first_row, uint64_t place) {
  GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(argv, g_strdup("pattimpex"));
  g_ptr_array_add(argv, g_strdup("parser"));
  add_option(argv, "format", px_format_name(options->format));
  add_option(argv, "delimiter", options->delimiter);
  add_option(argv, "quote", options->quote);
  add_option(argv, "encoding", options->encoding);
  add_option(argv, "sheet", options->sheet);
  add_number(argv, "max_row_bytes", options->max_row_bytes);
  add_number(argv, "max_cells", options->max_cells);
  add_number(argv, "max_members", options->max_members);
  add_number(argv, "max_member_bytes", options->max_member_bytes);
  add_number(argv, "max_ratio", options->max_ratio);
  add_number(argv, "max_text_bytes", options->max_text_bytes);
  add_number(argv, "max_depth", options->max_depth);
  add_number(argv, "string_memory", options->string_memory);
  add_number(argv, "header_rows", header_rows);
  add_number(argv, "first_row", first_row);
  add_number(argv, "place", place);
  g_ptr_array_add(argv, NULL);
  return argv;
}

/* Above the child's own, so that setting up those does not overwrite it. */
static int move_up(int fd) {
  int high = fcntl(fd, F_DUPFD_CLOEXEC, PX_PARSER_SPILL + 1);
  int problem = errno;
  close(fd);
  errno = problem;
  return high;
}

static bool make_pipe(int *ret_read, int *ret_write) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return false;
  int in = move_up(ends[0]);
  int out = move_up(ends[1]);
  if (in < 0 || out < 0) {
    if (in >= 0)
      close(in);
    if (out >= 0)
      close(out);
    return false;
  }
  (void)fcntl(out, F_SETPIPE_SZ, PIPE_BYTES); /* a wish: fewer switches between the two processes */
  *ret_read = in;
  *ret_write = out;
  return true;
}

/* Starts the program again with the blob as 0, the pipe as 1, the file for what does not fit in memory (-1: none) as 3 and no environment,
 * where secrets may be. errno, or 0. */
static int spawn(int blob, int out, int spill, char *const *argv, pid_t *ret_pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t all;
  sigset_t none;
  char *const no_environment[] = {NULL};
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, blob, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
#ifndef PX_SANITIZED
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#endif
  if (spill >= 0)
    posix_spawn_file_actions_adddup2(&files, spill, PX_PARSER_SPILL);
  posix_spawn_file_actions_addclosefrom_np(&files, spill >= 0 ? PX_PARSER_SPILL + 1 : PX_PARSER_SPILL);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  int problem = posix_spawn(ret_pid, "/proc/self/exe", &files, &attributes, argv, no_environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return problem;
}

/* The parser may open no file, so it is given one, where a format may need it. -1: it must do without. */
static int open_spill(const PxFormatOptions *options) {
  if (options->format != PX_FORMAT_XLSX)
    return -1;
  int fd = px_spill_file();
  return fd >= 0 ? move_up(fd) : fd;
}

PxParser *px_parser_start(int fd, const PxFormatOptions *options, unsigned header_rows, uint64_t first_row, uint64_t place, GError **error) {
  if (!px_format_readable(options->format, error))
    return NULL;
  int in;
  int out;
  if (!make_pipe(&in, &out)) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot make a pipe for the parser: %s", g_strerror(errno));
    return NULL;
  }
  g_autoptr(GPtrArray) argv = arguments(options, header_rows, first_row, place);
  pid_t pid;
  int spill = open_spill(options);
  if (spill >= 0)
    g_ptr_array_insert(argv, (gint)argv->len - 1, g_strdup("spill=1"));
  int problem = spawn(fd, out, spill, (char *const *)argv->pdata, &pid);
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

/* ---- the end */

/* The child's wait status; false when someone else has reaped it. */
static bool reap(PxParser *parser, int *ret_status) {
  pid_t pid;
  do
    pid = waitpid(parser->pid, ret_status, 0);
  while (pid < 0 && errno == EINTR);
  bool known = pid == parser->pid;
  parser->pid = 0;
  return known;
}

static void kill_and_reap(PxParser *parser) {
  int status;
  if (parser->pid == 0)
    return;
  (void)kill(parser->pid, SIGKILL);
  (void)reap(parser, &status);
}

void px_parser_free(PxParser *parser) {
  if (!parser)
    return;
  kill_and_reap(parser);
  close(parser->pipe);
  g_free(parser);
}

/* Signals that the file brought about: it would do so again, so the file is refused. Any other one came from outside. */
static bool is_own_fault(int signal) {
  static const int faults[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGSYS, SIGFPE, SIGTRAP, SIGXCPU, SIGXFSZ};
  for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
    if (faults[i] == signal)
      return true;
  return false;
}

static void tell_death(PxParser *parser, GError **error) {
  int status;
  uint64_t row = parser->last_row + 1;
  if (!reap(parser, &status))
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the parser of the file is gone near row %" PRIu64, row);
  else if (WIFSIGNALED(status) && is_own_fault(WTERMSIG(status)))
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
  else if (!reap(parser, &status) || status == 0)
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
