/* SPDX-License-Identifier: Apache-2.0 */
#include "format/parser.h"
#include "format/parser_private.h"
#include "format/starter.h"
#include "rows.h"
#include "suites.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- a parser that has been taken over: what the option sheet says, it does */

static void say(const void *bytes, size_t size) {
  if (write(STDOUT_FILENO, bytes, size) != (ssize_t)size)
    _exit(9);
}

static void say_frame(uint32_t type, uint64_t length) {
  PxFrame frame = {.magic = PX_FRAME_MAGIC, .type = type, .length = length};
  say(&frame, sizeof(frame));
}

static void say_batch(bool broken) {
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  const PxCell cell = {.ptr = "x", .len = 1, .kind = PX_CELL_TEXT};
  px_batch_builder_add(builder, 7, 70, &cell, 1);
  size_t size;
  const PxRowBatch *batch = px_batch_builder_finish(builder, 1, 1, &size);
  g_autofree PxRowBatch *copy = g_memdup2(batch, size);
  copy->n_rows += broken;
  say_frame(PX_FRAME_BATCH, size);
  say(copy, size);
}

int evil_parser(const char *what) {
  if (g_str_has_prefix(what, "signal ")) {
    int number = (int)g_ascii_strtoull(what + 7, NULL, 10);
    (void)signal(number, SIG_DFL);
    say_batch(false);
    (void)raise(number);
  } else if (strcmp(what, "exit") == 0) {
    return 3;
  } else if (strcmp(what, "magic") == 0) {
    say("0123456789abcdef", sizeof(PxFrame));
  } else if (strcmp(what, "type") == 0) {
    say_frame(77, 0);
  } else if (strcmp(what, "long") == 0) {
    say_frame(PX_FRAME_BATCH, UINT64_MAX);
  } else if (strcmp(what, "long error") == 0) {
    say_frame(PX_FRAME_ERROR, PX_FRAME_MAX_ERROR + 5);
  } else if (strcmp(what, "short") == 0) {
    say_frame(PX_FRAME_BATCH, 3);
  } else if (strcmp(what, "broken") == 0) {
    say_batch(true);
  } else if (strcmp(what, "bad error") == 0) {
    uint32_t code = PX_ERROR_FENCED;
    say_frame(PX_FRAME_ERROR, sizeof(code) + 3);
    say(&code, sizeof(code));
    say("\xFF\x01x", 3);
  } else if (strcmp(what, "open") == 0) {
    for (int fd = 2; fd < 1000; fd++)
      if (fd > 2 && fcntl(fd, F_GETFD) >= 0)
        raise(SIGSEGV);
    if (g_getenv("PATH"))
      raise(SIGSEGV);
    say_frame(PX_FRAME_END, 0);
    return 0;
  } else if (strcmp(what, "endless") == 0) {
    for (;;)
      say_batch(false);
  }
  for (;;)
    pause();
}

/* ---- tests */

static void append_batch(GString *out, const PxRowBatch *batch) {
  const PxBatchRow *rows = px_row_batch_rows(batch);
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    g_string_append_printf(out, "%" PRIu64 "@%" PRIu64, rows[i].number, rows[i].place);
    for (uint32_t c = 0; c < rows[i].n_cells; c++) {
      PxCell cell = px_row_batch_cell(batch, &rows[i], c);
      g_string_append_c(out, c == 0 ? ' ' : '|');
      g_string_append_len(out, cell.ptr, cell.len);
    }
    g_string_append_c(out, '\n');
  }
  g_string_append_printf(out, "-> %" PRIu64 "\n", batch->next_place);
}

static char *drain(PxParser *parser, GError **error) {
  GString *out = g_string_new(NULL);
  for (;;) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, error);
    if (!batch)
      break;
    append_batch(out, batch);
  }
  g_assert_null(px_parser_next(parser, NULL));
  return g_string_free(out, FALSE);
}

static char *parsed(const char *text, unsigned header_rows, uint64_t first_row, uint64_t place, GError **error) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  int fd = test_file(text, strlen(text));
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, header_rows, first_row, place, error);
  g_assert_nonnull(parser);
  close(fd);
  px_format_options_done(&options);
  return drain(parser, error);
}

static const char text[] = "h1,h2\na,b\n\nc,d\n";

static void header_comes_first(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *rows = parsed(text, 1, 0, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(rows, ==, "1@0 h1|h2\n-> 6\n2@6 a|b\n3@10\n4@11 c|d\n-> 15\n");
  g_autofree char *none = parsed("", 1, 0, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(none, ==, "");
  g_autofree char *short_one = parsed("h\n", 2, 0, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(short_one, ==, "1@0 h\n-> 2\n");
}

static void resumes_behind_the_header(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *by_place = parsed(text, 1, 4, 11, &error);
  g_assert_cmpstr(by_place, ==, "1@0 h1|h2\n-> 6\n4@11 c|d\n-> 15\n");
  g_autofree char *by_number = parsed(text, 1, 4, UINT64_MAX, &error);
  g_assert_cmpstr(by_number, ==, by_place);
  g_autofree char *at_end = parsed(text, 1, 5, 15, &error);
  g_assert_cmpstr(at_end, ==, "1@0 h1|h2\n-> 6\n");
  g_autofree char *from_first = parsed(text, 1, 2, 6, &error);
  g_assert_cmpstr(from_first, ==, "1@0 h1|h2\n-> 6\n2@6 a|b\n3@10\n4@11 c|d\n-> 15\n");
  g_assert_no_error(error);
}

static void complaint_comes_behind_its_rows(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *rows = parsed("h\na\n\"b\n", 1, 0, 0, &error);
  g_assert_cmpstr(rows, ==, "1@0 h\n-> 2\n2@2 a\n-> 4\n");
  g_assert_error(error, PX_ERROR, PX_ERROR_REFUSED);
  g_assert_cmpstr(error->message, ==, "row 3, column 1: the quote \" is opened and the file ends before it is closed");
}

static void many_batches(void) {
  g_autoptr(GString) file = g_string_new("h\n");
  for (unsigned i = 0; i < 100000; i++)
    g_string_append_printf(file, "%u,some text\n", i);
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  int fd = test_file(file->str, file->len);
  g_autoptr(GError) error = NULL;
  g_autoptr(PxParser) parser = px_parser_start(fd, &options, 1, 0, 0, &error);
  g_assert_no_error(error);
  uint64_t rows = 0;
  uint64_t done = 0;
  unsigned batches = 0;
  for (;; batches++) {
    g_autofree PxRowBatch *batch = px_parser_next(parser, &error);
    if (!batch)
      break;
    g_assert_cmpuint(px_row_batch_rows(batch)[0].number, ==, rows + 1);
    rows += batch->n_rows;
    g_assert_cmpuint(batch->source_done, >=, done);
    done = batch->source_done;
  }
  g_assert_no_error(error);
  g_assert_cmpuint(rows, ==, 100001);
  g_assert_cmpuint(done, ==, file->len);
  g_assert_cmpuint(batches, >, 5);
  close(fd);
  px_format_options_done(&options);
}

static PxParser *start_evil(const char *what) {
  PxFormatOptions options;
  px_format_options_init(&options, PX_FORMAT_CSV);
  options.sheet = g_strconcat("evil ", what, NULL);
  int fd = test_file(text, strlen(text));
  PxParser *parser = px_parser_start(fd, &options, 1, 0, 0, NULL);
  g_assert_nonnull(parser);
  close(fd);
  px_format_options_done(&options);
  return parser;
}

static void check_evil(const char *what, int code, const char *message) {
  g_autoptr(PxParser) parser = start_evil(what);
  g_autoptr(GError) error = NULL;
  g_free(drain(parser, &error));
  g_assert_error(error, PX_ERROR, code);
  g_assert_nonnull(strstr(error->message, message));
}

static void crash_refuses_the_file(void) {
  static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGSYS};
  for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
    g_autofree char *what = g_strdup_printf("signal %d", signals[i]);
    g_autofree char *message = g_strdup_printf("died near row 8 (signal %d", signals[i]);
    check_evil(what, PX_ERROR_REFUSED, message);
  }
}

static void kill_from_outside_is_transient(void) {
  check_evil("signal 9", PX_ERROR_TRANSIENT, "was killed near row 8");
  check_evil("signal 15", PX_ERROR_TRANSIENT, "was killed near row 8");
  check_evil("exit", PX_ERROR_INTERNAL, "exit status 3");
}

static void nonsense_is_refused(void) {
  check_evil("magic", PX_ERROR_REFUSED, "a wrong mark");
  check_evil("type", PX_ERROR_REFUSED, "an unknown kind of frame");
  check_evil("long", PX_ERROR_REFUSED, "a batch of a wrong length");
  check_evil("short", PX_ERROR_REFUSED, "a batch of a wrong length");
  check_evil("long error", PX_ERROR_REFUSED, "a complaint of a wrong length");
  check_evil("broken", PX_ERROR_REFUSED, "broken row batch");
  check_evil("bad error", PX_ERROR_INTERNAL, "x");
}

static void parser_has_nothing_else(void) {
  g_autoptr(PxParser) parser = start_evil("open");
  g_autoptr(GError) error = NULL;
  g_free(drain(parser, &error));
  g_assert_no_error(error);
}

static void can_be_left_in_the_middle(void) {
  g_autoptr(PxParser) parser = start_evil("endless");
  g_autofree PxRowBatch *batch = px_parser_next(parser, NULL);
  g_assert_nonnull(batch);
}

/* ---- the one that waits to start the next */

static bool is_starter(const char *pid) {
  g_autofree char *path = g_strdup_printf("/proc/%s/cmdline", pid);
  g_autofree char *words = NULL;
  gsize len;
  return g_file_get_contents(path, &words, &len, NULL) && len > sizeof PX_STARTER && strcmp(words + len - sizeof PX_STARTER, PX_STARTER) == 0;
}

/* 0: there is none. */
static pid_t find_starter(void) {
  g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
  g_autofree char *text_of_pids = NULL;
  g_assert_true(g_file_get_contents(path, &text_of_pids, NULL, NULL));
  g_auto(GStrv) pids = g_strsplit(g_strstrip(text_of_pids), " ", -1);
  for (char **pid = pids; *pid; pid++)
    if (is_starter(*pid))
      return (pid_t)g_ascii_strtoll(*pid, NULL, 10);
  return 0;
}

static void check_parsed(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *got = parsed(text, 1, 0, 0, &error);
  g_assert_no_error(error);
  g_assert_nonnull(strstr(got, "c|d"));
}

static void second_parser_has_a_starter(void) {
  px_parser_rest();
  check_parsed();
  g_assert_cmpint(find_starter(), ==, 0);
  check_parsed();
  pid_t starter = find_starter();
  g_assert_cmpint(starter, !=, 0);
  check_parsed();
  g_assert_cmpint(find_starter(), ==, starter);
  px_parser_rest();
  g_assert_cmpint(find_starter(), ==, 0);
  check_parsed();
}

static void starter_that_was_killed_is_missed_by_no_file(void) {
  px_parser_rest();
  check_parsed();
  check_parsed();
  pid_t starter = find_starter();
  g_assert_cmpint(kill(starter, SIGKILL), ==, 0);
  check_parsed();
  check_parsed();
  check_parsed();
  g_assert_cmpint(find_starter(), !=, starter);
}

/* What a crash may have told of the memory is of no use for the next one. */
static void crash_ends_the_starter(void) {
  check_parsed();
  check_parsed();
  g_assert_cmpint(find_starter(), !=, 0);
  check_evil("signal 11", PX_ERROR_REFUSED, "died near row 8");
  g_assert_cmpint(find_starter(), ==, 0);
  check_parsed();
}

static void is_the_child_of_who_wants_it(void) {
  check_parsed();
  check_parsed();
  g_autoptr(PxParser) parser = start_evil("endless");
  g_assert_cmpint(find_starter(), !=, 0);
  g_autofree PxRowBatch *batch = px_parser_next(parser, NULL);
  g_assert_nonnull(batch);
  px_parser_rest(); /* no end of those that it has started */
  g_autofree PxRowBatch *next = px_parser_next(parser, NULL);
  g_assert_nonnull(next);
}

void add_parser_tests(void) {
  g_test_add_func("/format/parser/header_comes_first", header_comes_first);
  g_test_add_func("/format/parser/resumes_behind_the_header", resumes_behind_the_header);
  g_test_add_func("/format/parser/complaint_comes_behind_its_rows", complaint_comes_behind_its_rows);
  g_test_add_func("/format/parser/many_batches", many_batches);
  g_test_add_func("/format/parser/crash_refuses_the_file", crash_refuses_the_file);
  g_test_add_func("/format/parser/kill_from_outside_is_transient", kill_from_outside_is_transient);
  g_test_add_func("/format/parser/nonsense_is_refused", nonsense_is_refused);
  g_test_add_func("/format/parser/parser_has_nothing_else", parser_has_nothing_else);
  g_test_add_func("/format/parser/can_be_left_in_the_middle", can_be_left_in_the_middle);
  g_test_add_func("/format/parser/second_parser_has_a_starter", second_parser_has_a_starter);
  g_test_add_func("/format/parser/starter_that_was_killed_is_missed_by_no_file", starter_that_was_killed_is_missed_by_no_file);
  g_test_add_func("/format/parser/crash_ends_the_starter", crash_ends_the_starter);
  g_test_add_func("/format/parser/is_the_child_of_who_wants_it", is_the_child_of_who_wants_it);
}
