/* SPDX-License-Identifier: Apache-2.0 */
/* The command table -> the exit status. Errors are printed here and nowhere below. */
#include "command/command.h"
#include "daemon/daemon.h"
#include "format/marker.h"
#include "format/pack.h"
#include "format/parser.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

static const PxCommand *const COMMANDS[] = {
  &px_command_init,
  &px_command_check,
  &px_command_models,
  &px_command_import,
  &px_command_export,
  &px_command_template,
  &px_command_headers,
  &px_command_run,
  &px_command_serve,
  &px_command_worker,
  &px_command_scheduler,
  &px_command_status,
  &px_command_metrics,
  &px_command_tasks,
  &px_command_files,
  &px_command_attachments,
  &px_command_jobs,
  &px_command_retry,
  &px_command_cancel,
  &px_command_clean,
  &px_command_set_done,
  &px_command_storage,
  NULL,
};

/* A line of the message is a complaint of its own. */
static void print_error(const GError *error) {
  g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
  for (size_t i = 0; lines[i]; i++) {
    if (*lines[i])
      fprintf(stderr, "pattimpex: %s\n", lines[i]);
  }
}

/* Batches of half a MiB come and go all the time: to give their pages back and to be given new ones takes a tenth of an import. */
static void keep_freed_pages(void) {
#ifdef __GLIBC__
  (void)mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
  (void)mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
}

int main(int argc, char **argv) {
  /* Foreign syntax is read in a process of its own, which must not touch anything of the commands (design section 4). */
  if (argc > 1 && g_str_equal(argv[1], "parser"))
    return px_parser_main(argc, argv);
  if (argc > 1 && g_str_equal(argv[1], "marker"))
    return px_marker_main(argc, argv);
  if (argc > 1 && g_str_equal(argv[1], "unpacker"))
    return px_unpacker_main(argc, argv);
  px_title_keep(argc, argv);
  keep_freed_pages();
  g_autoptr(GError) error = NULL;
  int status = px_command_main(COMMANDS, argc, argv, &error);
  if (error) {
    print_error(error);
    status = px_error_exit_status(error);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "pattimpex: standard output: %s\n", g_strerror(errno));
    status = status ? status : 3;
  }
  return status;
}
