/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
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
static char **signed_by;

static const GOptionEntry OPTIONS[] = {
  {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Do everything, then roll it back", NULL},
  {"error-file", 'e', 0, G_OPTION_ARG_FILENAME, &error_file, "Write the bad rows with their reasons to FILE, or into a folder (bad/)", "FILE"},
  {"plan", 'p', 0, G_OPTION_ARG_FILENAME, &plan, "With --dry-run: write what would change to FILE (.csv, .xlsx, .json)", "FILE"},
  {"apply", 0, 0, G_OPTION_ARG_FILENAME, &apply, "Make exactly the changes of a plan", "PLAN"},
  {"signed-by", 0, 0, G_OPTION_ARG_STRING_ARRAY, &signed_by,
   "Take it only when it is signed by the OpenPGP key of this fingerprint; more: any of them", "KEY"},
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

typedef struct {
  const PxProject *project;
  const PxCommandLine *line;
  PxProgressBar *bar;
  PxSummary all; /* of the files in an archive: sums */
  uint64_t n, refused, failed;
  json_t *files; /* those, as objects */
} Imported;

static void imported_clear(Imported *imported) {
  g_free(imported->all.name);
  g_free(imported->all.pattern);
  json_decref(imported->files);
  px_progress_bar_free(imported->bar);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Imported, imported_clear)

static void count(Imported *imported, const PxSummary *summary) {
  PxCounts *sums = &imported->all.counts;
  const PxCounts *counts = &summary->counts;
  sums->rows += counts->rows;
  sums->created += counts->created;
  sums->updated += counts->updated;
  sums->unchanged += counts->unchanged;
  sums->failed += counts->failed;
  sums->skipped += counts->skipped;
  imported->n++;
  imported->refused += summary->state == PX_STATE_REFUSED;
  imported->failed += summary->state != PX_STATE_DONE;
  if (summary->archive && !imported->all.name) {
    imported->all.name = g_strdup(summary->archive);
    imported->all.pattern = g_strdup(summary->pattern);
  }
}

/* Refused: nothing was changed. */
static int exit_status(const Imported *imported) {
  return imported->refused == imported->n ? 2 : imported->failed ? 1 : 0;
}

static bool print_json(Imported *imported, const PxSummary *summary, GError **error) {
  g_autoptr(json_t) object = px_summary_to_json(summary);
  if (!summary->archive)
    return px_summary_print_json(imported->project, summary, object, error);
  json_t *messages = px_summary_messages_to_json(imported->project, summary, error);
  if (!messages)
    return false;
  json_object_set_new(object, "messages", messages);
  json_array_append(imported->files, object);
  return true;
}

static bool print_text(const PxProject *project, const PxSummary *summary, GError **error) {
  g_autofree char *text = px_summary_line(summary);
  g_autofree char *safe = px_output_line(text);
  puts(safe);
  if (!px_summary_print_messages(project, summary, PX_MESSAGES_SHOWN, error))
    return false;
  if (summary->error_file) {
    g_autofree char *path = px_output_line(summary->error_file);
    printf("Bad rows: %s\n", path);
  }
  if (summary->note) {
    g_autofree char *note = px_output_line(summary->note);
    printf("Note: %s\n", note);
  }
  return true;
}

static bool take(PxSummary *given, void *data, GError **error) {
  Imported *imported = data;
  g_autoptr(PxSummary) summary = given;
  count(imported, summary);
  if (imported->line->json)
    return print_json(imported, summary, error);
  px_progress_bar_hide(imported->bar);
  return imported->line->quiet || print_text(imported->project, summary, error);
}

static void print_all(Imported *imported) {
  static const PxState states[] = {PX_STATE_DONE, PX_STATE_FAILED, PX_STATE_REFUSED};
  bool is_archive = imported->all.name;
  imported->all.kind = PX_FILE_IMPORT;
  imported->all.state = states[exit_status(imported)];
  imported->all.members = imported->n;
  if (imported->line->json && is_archive) {
    g_autoptr(json_t) object = px_summary_to_json(&imported->all);
    json_object_set(object, "files", imported->files);
    json_object_set_new(object, "messages", json_array());
    px_print_json(object);
  }
  if (imported->line->json || imported->line->quiet)
    return;
  if (is_archive) {
    g_autofree char *files = px_count_text(imported->n, "file");
    g_autofree char *name = px_output_line(imported->all.name);
    printf("%s: %s in it\n", name, files);
  }
  if (plan && imported->refused == 0)
    printf("Plan: %s\n", plan);
  if (imported->project->dry_run)
    puts("Dry run: nothing was kept.");
}

static bool import_or_apply(PxProject *project, Imported *imported, GError **error) {
  const char *const *args = (const char *const *)imported->line->args;
  const PxPlanByHand planned = {.file = apply, .progress = px_progress_bar_show, .data = imported->bar};
  const PxImportByHand options = {
    .pattern = apply ? NULL : args[0],
    .file = apply ? NULL : args[1],
    .error_file = error_file,
    .signed_by = signed_by,
    .no_history = no_history,
    .plan = plan,
    .take = take,
    .take_data = imported,
    .progress = px_progress_bar_show,
    .data = imported->bar,
  };
  if (!apply)
    return px_import_by_hand(project, &options, error);
  PxSummary *summary = px_apply_plan(project, &planned, error);
  return summary && take(summary, imported, error);
}

static bool run_import(const PxCommandLine *line, int *ret_status, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.dry_run = dry_run, .no_history = no_history}, error);
  if (!project)
    return false;
  g_auto(Imported) imported = {.project = project,
                               .line = line,
                               .bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet, g_get_monotonic_time),
                               .files = json_array()};
  bool done = import_or_apply(project, &imported, error);
  px_progress_bar_hide(imported.bar);
  if (!done)
    return false;
  *ret_status = exit_status(&imported);
  print_all(&imported);
  return true;
}

static bool check_options(const PxCommandLine *line, GError **error) {
  const char *wrong = NULL;
  if (apply && (line->n_args > 0 || plan || error_file || no_history || signed_by))
    wrong = "--apply takes a plan and nothing else, but --dry-run";
  else if (!apply && line->n_args < 2)
    wrong = "name a pattern and a file";
  else if (plan && !dry_run)
    wrong = "--plan is what a dry run would do: add --dry-run";
  if (wrong)
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "import: %s; see pattimpex help import", wrong);
  for (char **key = signed_by; !wrong && key && *key; key++)
    if (!px_command_key("import: --signed-by", *key, error))
      return false;
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
          "A .zip or .gz is opened, and each file in it imported, with bad rows of its own (--error-file names a\n"
          "folder); a .gpg, .pgp or .asc is decrypted first, with the keys of the section openpgp; with --signed-by\n"
          "only what one of these keys has signed is imported. The exit status is 2 when all that is in it was\n"
          "refused, 1 when rows or files failed. --json has them as \"files\".\n\n"
          "A plan has a line for each change that a dry run makes: action, record, field, old and new value, row.\n"
          "--apply makes these changes and no others, all or none: it refuses when a record has changed or gone\n"
          "meanwhile, or one that the plan would make or refers to is not as it was.\n\n"
          "Examples:\n"
          "  pattimpex import partner partners.csv\n"
          "  pattimpex import partner partners.csv --dry-run\n"
          "  pattimpex import partner partners.csv --error-file bad.csv --json\n"
          "  pattimpex import partner partners.zip --error-file bad/\n"
          "  pattimpex import partner partners.csv.gz\n"
          "  pattimpex import partner partners.csv --dry-run --plan plan.xlsx\n"
          "  pattimpex import --apply plan.xlsx\n",
  .options = OPTIONS,
  .max_args = 2,
  .run = run,
};
