/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/open.h"
#include "command/progress.h"
#include "command/summary.h"

#include <stdio.h>
#include <unistd.h>

static gboolean dry_run;
static gboolean no_history;
static char *error_file;

static const GOptionEntry OPTIONS[] = {
  {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Do everything, then roll it back", NULL},
  {"error-file", 'e', 0, G_OPTION_ARG_FILENAME, &error_file, "Write the bad rows with their reasons to FILE", "FILE"},
  {"no-history", 0, 0, G_OPTION_ARG_NONE, &no_history, "Keep neither the file nor its result (for pipes)", NULL},
  {NULL},
};

/* The answer to scripts where the file was not even opened: a summary all the same. */
static void print_refusal(const GError *refusal) {
  g_autoptr(json_t) summary = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:[{s:n, s:n, s:n, s:s, s:o}]}", "state", "refused", "rows", 0,
                                        "created", 0, "updated", 0, "unchanged", 0, "failed", 0, "skipped", 0, "messages", "row", "column", "field",
                                        "type", "file", "message", px_json_text(refusal->message));
  px_print_json(summary);
}

static bool print_json(const PxProject *project, const PxSummary *summary, GError **error) {
  g_autoptr(json_t) object = px_summary_to_json(summary);
  return px_summary_print_json(project, summary, object, error);
}

static bool print_text(const PxProject *project, const PxSummary *summary, GError **error) {
  g_autofree char *text = px_summary_line(summary);
  g_autofree char *safe = px_output_line(text);
  puts(safe);
  if (!px_summary_print_messages(project, summary, PX_MESSAGES_SHOWN, error))
    return false;
  if (project->dry_run)
    puts("Dry run: nothing was kept.");
  else if (error_file && summary->counts.failed > 0)
    printf("Bad rows: %s\n", error_file);
  if (summary->note) {
    g_autofree char *note = px_output_line(summary->note);
    printf("Note: %s\n", note);
  }
  return true;
}

static bool import_file(const PxCommandLine *line, int *ret_status, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.dry_run = dry_run, .no_history = no_history}, error);
  if (!project)
    return false;
  PxProgressBar *bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet, g_get_monotonic_time);
  PxImportByHand options = {
    .pattern = line->args[0],
    .file = line->args[1],
    .error_file = error_file,
    .no_history = no_history,
    .progress = px_progress_bar_show,
    .data = bar,
  };
  g_autoptr(PxSummary) summary = px_import_by_hand(project, &options, error);
  px_progress_bar_free(bar);
  if (!summary)
    return false;
  *ret_status = px_summary_exit_status(summary);
  if (line->json)
    return print_json(project, summary, error);
  return line->quiet || print_text(project, summary, error);
}

static int run(const PxCommandLine *line, GError **error) {
  int status = 0;
  g_autoptr(GError) refusal = NULL;
  if (import_file(line, &status, &refusal))
    return status;
  if (line->json && px_error_exit_status(refusal) == 2)
    print_refusal(refusal);
  g_propagate_error(error, g_steal_pointer(&refusal));
  return 2;
}

const PxCommand px_command_import = {
  .name = "import",
  .arguments = "PATTERN FILE",
  .summary = "Import one file now",
  .help = "FILE is read by PATTERN; \"-\" is standard input. Good rows are imported, bad rows are told with\n"
          "their reasons and can be written to an error file, corrected and imported again.\n\n"
          "Examples:\n"
          "  pattimpex import partner partners.csv\n"
          "  pattimpex import partner partners.csv --dry-run\n"
          "  pattimpex import partner partners.csv --error-file bad.csv --json\n",
  .options = OPTIONS,
  .min_args = 2,
  .max_args = 2,
  .run = run,
};
