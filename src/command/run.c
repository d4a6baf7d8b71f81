/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/open.h"
#include "command/progress.h"
#include "command/run_report.h"

#include <unistd.h>

#define DEFAULT_WAIT_SECONDS 10

static gboolean dry_run;
static int wait_seconds = DEFAULT_WAIT_SECONDS;

static const GOptionEntry OPTIONS[] = {
  {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Do everything, then roll it back: no file is moved or sent", NULL},
  {"wait", 'w', 0, G_OPTION_ARG_INT, &wait_seconds, "How long to wait for files that are being written and for stores out of reach (default 10)",
   "SECONDS"},
  {NULL},
};

static void warn_of_risks(const PxProject *project) {
  for (size_t i = 0; i < px_storages_count(project->storages); i++) {
    const char *risk = px_storages_risk(project->storages, i);
    if (risk)
      (void)fprintf(stderr, "pattimpex: warning: storage %s: %s\n", px_storages_name(project->storages, i), risk);
  }
}

static int run(const PxCommandLine *line, GError **error) {
  if (wait_seconds < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "run: --wait %d is no time to wait", wait_seconds);
    return 2;
  }
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.dry_run = dry_run}, error);
  if (!project)
    return 2;
  warn_of_risks(project);
  g_autoptr(PxRunReport) report = px_run_report_new(project, line);
  PxRunOptions options = {
    .tasks = line->n_args > 0 ? line->args : NULL,
    .wait_limit = wait_seconds * G_USEC_PER_SEC,
    .report = px_run_report_job,
    .progress = px_run_report_progress,
    .data = report,
  };
  PxRunResult result = {0};
  if (!px_run(project, &options, &result, error))
    return 2;
  px_run_report_end(report, &result);
  return px_run_exit_status(&result);
}

const PxCommand px_command_run = {
  .name = "run",
  .arguments = "[TASK...]",
  .summary = "Run tasks now, with all that follows from them",
  .help = "All active import and export tasks where none is named, whatever their schedule says. One failing\n"
          "task, file or row never stops the others.\n\n"
          "Examples:\n"
          "  pattimpex run\n"
          "  pattimpex run partners-in --json\n"
          "  pattimpex run --dry-run\n",
  .options = OPTIONS,
  .max_args = 1000,
  .run = run,
};
