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
static char *plan;
static char *apply;

static const GOptionEntry OPTIONS[] = {
  {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Do everything, then roll it back", NULL},
  {"error-file", 'e', 0, G_OPTION_ARG_FILENAME, &error_file, "Write the bad rows with their reasons to FILE", "FILE"},
  {"plan", 'p', 0, G_OPTION_ARG_FILENAME, &plan, "With --dry-run: write what would change to FILE (.csv, .xlsx, .json)", "FILE"},
  {"apply", 0, 0, G_OPTION_ARG_FILENAME, &apply, "Make exactly the changes of a plan", "PLAN"},
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
  if (plan && summary->state != PX_STATE_REFUSED)
    printf("Plan: %s\n", plan);
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

static PxSummary *import_or_apply(PxProject *project, const PxCommandLine *line, GError **error) {
  PxProgressBar *bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet, g_get_monotonic_time);
  const PxPlanByHand planned = {.file = apply, .progress = px_progress_bar_show, .data = bar};
  const PxImportByHand options = {
    .pattern = apply ? NULL : line->args[0],
    .file = apply ? NULL : line->args[1],
    .error_file = error_file,
    .no_history = no_history,
    .plan = plan,
    .progress = px_progress_bar_show,
    .data = bar,
  };
  PxSummary *summary = apply ? px_apply_plan(project, &planned, error) : px_import_by_hand(project, &options, error);
  px_progress_bar_free(bar);
  return summary;
}

static bool run_import(const PxCommandLine *line, int *ret_status, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.dry_run = dry_run, .no_history = no_history}, error);
  g_autoptr(PxSummary) summary = project ? import_or_apply(project, line, error) : NULL;
  if (!summary)
    return false;
  *ret_status = px_summary_exit_status(summary);
  if (line->json)
    return print_json(project, summary, error);
  return line->quiet || print_text(project, summary, error);
}

static bool check_options(const PxCommandLine *line, GError **error) {
  const char *wrong = NULL;
  if (apply && (line->n_args > 0 || plan || error_file || no_history))
    wrong = "--apply takes a plan and nothing else, but --dry-run";
  else if (!apply && line->n_args < 2)
    wrong = "name a pattern and a file";
  else if (plan && !dry_run)
    wrong = "--plan is what a dry run would do: add --dry-run";
  if (wrong)
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "import: %s; see pattimpex help import", wrong);
  return !wrong;
}

static int run(const PxCommandLine *line, GError **error) {
  int status = 0;
  g_autoptr(GError) refusal = NULL;
  if (!check_options(line, error))
    return 2;
  if (run_import(line, &status, &refusal))
    return status;
  if (line->json && px_error_exit_status(refusal) == 2)
    print_refusal(refusal);
  g_propagate_error(error, g_steal_pointer(&refusal));
  return 2;
}

const PxCommand px_command_import = {
  .name = "import",
  .arguments = "PATTERN FILE | --apply PLAN",
  .summary = "Import one file now",
  .help = "FILE is read by PATTERN; \"-\" is standard input. Good rows are imported, bad rows are told with\n"
          "their reasons and can be written to an error file, corrected and imported again.\n\n"
          "A plan has a line for each change that a dry run makes: action, record, field, old and new value, row.\n"
          "--apply makes these changes and no others, all or none: it refuses when a record has changed or gone\n"
          "meanwhile, or one that the plan would make or refers to is not as it was.\n\n"
          "Examples:\n"
          "  pattimpex import partner partners.csv\n"
          "  pattimpex import partner partners.csv --dry-run\n"
          "  pattimpex import partner partners.csv --error-file bad.csv --json\n"
          "  pattimpex import partner partners.csv --dry-run --plan plan.xlsx\n"
          "  pattimpex import --apply plan.xlsx\n",
  .options = OPTIONS,
  .max_args = 2,
  .run = run,
};
