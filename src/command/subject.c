/* SPDX-License-Identifier: Apache-2.0 */
/* retry, cancel, set-done: on files, attachments and jobs. */
#include "command/choose.h"
#include "command/open.h"
#include "command/progress.h"
#include "command/run_report.h"
#include "command/summary.h"

#include <stdio.h>
#include <unistd.h>

static gboolean failed_only;

static const GOptionEntry OPTIONS[] = {PX_CHOOSE_YES, {NULL}};

static const GOptionEntry RETRY_OPTIONS[] = {
  PX_CHOOSE_YES,
  {"failed", 'f', 0, G_OPTION_ARG_NONE, &failed_only, "Of a file: only the rows that failed", NULL},
  {NULL},
};

/* Several errors become one, a line each; its code is the first one's. */
static void add_error(GError **all, GError *one) {
  if (!*all) {
    g_propagate_error(all, one);
    return;
  }
  g_autofree char *both = g_strconcat((*all)->message, "\n", one->message, NULL);
  g_free((*all)->message);
  (*all)->message = g_steal_pointer(&both);
  g_error_free(one);
}

/* ---- cancel, set-done */

#define OPEN (1U << PX_STATE_WAITING | 1U << PX_STATE_PENDING | 1U << PX_STATE_FAILED | 1U << PX_STATE_REFUSED)

typedef bool (*Settle)(PxProject *project, PxSubject subject, int64_t id, GError **error);

/* What filters find; nothing when the person says no. */
static bool find(const PxCommandLine *line, const PxProject *project, unsigned states, const char *doing, PxChosen *chosen, GError **error) {
  bool yes;
  if (!px_choose_find(project, states, chosen, error) || !px_choose_ask(line, chosen, doing, &yes, error))
    return false;
  if (!yes)
    chosen->n = 0;
  else if (chosen->n == 0 && !line->json && !line->quiet)
    printf("No %ss are found by that.\n", px_subject_name(chosen->subject));
  return true;
}

static int settle_all(const PxCommandLine *line, Settle settle, const char *doing, const char *state, GError **error) {
  g_auto(PxChosen) chosen = {0};
  if (!px_choose(line, &chosen, error))
    return 2;
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  if (!project || !find(line, project, OPEN, doing, &chosen, error))
    return 2;
  const char *name = px_subject_name(chosen.subject);
  g_autoptr(json_t) done = json_array();
  g_autoptr(GError) all = NULL;
  for (unsigned i = 0; i < chosen.n; i++) {
    GError *one = NULL;
    if (!settle(project, chosen.subject, chosen.ids[i], &one)) {
      add_error(&all, one);
      continue;
    }
    json_array_append_new(done, json_pack("{s:s, s:I, s:s}", "subject", name, "id", (json_int_t)chosen.ids[i], "state", state));
    if (!line->json && !line->quiet)
      printf("%s %" G_GINT64_FORMAT " is %s\n", name, chosen.ids[i], state);
  }
  if (line->json)
    px_print_json(done);
  if (!all)
    return 0;
  g_propagate_error(error, g_steal_pointer(&all));
  return 2;
}

static int run_cancel(const PxCommandLine *line, GError **error) {
  return settle_all(line, px_cancel, "cancel", "cancelled", error);
}

static int run_set_done(const PxCommandLine *line, GError **error) {
  return settle_all(line, px_set_done, "set-done", "done", error);
}

/* ---- retry */

static bool print_retry(const PxCommandLine *line, const PxProject *project, const PxSummary *summary, json_t *all, GError **error) {
  if (line->json) {
    json_t *messages = px_summary_messages_to_json(project, summary, error);
    if (!messages)
      return false;
    json_t *object = px_summary_to_json(summary);
    json_object_set_new(object, "messages", messages);
    json_array_append_new(all, object);
    return true;
  }
  if (line->quiet)
    return true;
  g_autofree char *text = px_summary_line(summary);
  g_autofree char *safe = px_output_line(text);
  puts(safe);
  return px_summary_print_messages(project, summary, PX_MESSAGES_SHOWN, error);
}

static int retry_files(const PxCommandLine *line, PxProject *project, const PxChosen *chosen, GError **error) {
  g_autoptr(json_t) summaries = json_array();
  g_autoptr(GError) all = NULL;
  int status = 0;
  for (unsigned i = 0; i < chosen->n; i++) {
    GError *one = NULL;
    PxProgressBar *bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet, g_get_monotonic_time);
    g_autoptr(PxSummary) summary = px_retry_file(project, chosen->ids[i], failed_only, px_progress_bar_show, bar, &one);
    px_progress_bar_free(bar);
    if (summary)
      status = MAX(status, px_summary_exit_status(summary));
    if (!summary || !print_retry(line, project, summary, summaries, &one))
      add_error(&all, one);
  }
  if (line->json)
    px_print_json(chosen->n == 1 && json_array_size(summaries) == 1 ? json_array_get(summaries, 0) : summaries);
  if (!all)
    return status;
  g_propagate_error(error, g_steal_pointer(&all));
  return 2;
}

/* Attachments and jobs go back to the queue, which is then worked off. */
static int retry_queued(const PxCommandLine *line, PxProject *project, const PxChosen *chosen, GError **error) {
  for (unsigned i = 0; i < chosen->n; i++) {
    bool again =
      chosen->subject == PX_SUBJECT_JOB ? px_retry_job(project, chosen->ids[i], error) : px_retry_attachment(project, chosen->ids[i], error);
    if (!again)
      return 2;
  }
  g_autoptr(PxRunReport) report = px_run_report_new(project, line);
  PxRunOptions options = {.report = px_run_report_job, .progress = px_run_report_progress, .data = report};
  PxRunResult result = {0};
  if (!px_run_jobs(project, &options, &result, error))
    return 2;
  px_run_report_end(report, &result);
  return px_run_exit_status(&result);
}

static int run_retry(const PxCommandLine *line, GError **error) {
  g_auto(PxChosen) chosen = {0};
  if (!px_choose(line, &chosen, error))
    return 2;
  if (failed_only && chosen.subject != PX_SUBJECT_FILE) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "retry: --failed is for files: only they have rows");
    return 2;
  }
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){0}, error);
  if (!project || !find(line, project, 1U << PX_STATE_FAILED, "retry", &chosen, error))
    return 2;
  if (chosen.n == 0) {
    if (line->json)
      puts("[]");
    return 0;
  }
  return chosen.subject == PX_SUBJECT_FILE ? retry_files(line, project, &chosen, error) : retry_queued(line, project, &chosen, error);
}

#define SUBJECT_ARGUMENTS "[file | attachment | job] [ID...]"

const PxCommand px_command_retry = {
  .name = "retry",
  .arguments = SUBJECT_ARGUMENTS,
  .summary = "Do it again: import stored files, or run failed attachments and jobs",
  .help = "A file is imported again from the bytes that were kept; the try before stays to be looked at.\n"
          "A number alone is that of a file, as in pattimpex files. Instead of numbers, filters: all failed ones\n"
          "that they find; how many these are is said and asked on a terminal, elsewhere --yes is needed.\n\n"
          "Examples:\n"
          "  pattimpex retry 7\n"
          "  pattimpex retry 7 --failed\n"
          "  pattimpex retry job 12 13\n"
          "  pattimpex retry job --task partners-in --error \"does not answer\" --since 2h --yes\n",
  .options = px_list_options,
  .more_options = RETRY_OPTIONS,
  .max_args = 1001,
  .run = run_retry,
};

const PxCommand px_command_cancel = {
  .name = "cancel",
  .arguments = SUBJECT_ARGUMENTS,
  .summary = "Give up files, attachments or jobs that wait or have failed",
  .help = "Files and attachments take their jobs along, jobs those that wait for them. A number alone is that\n"
          "of a file. Instead of numbers, filters: all that wait or have failed and that they find, see retry.\n\n"
          "Example:\n"
          "  pattimpex cancel attachment 4 5\n"
          "  pattimpex cancel job --state pending --channel upload\n",
  .options = px_list_options,
  .more_options = OPTIONS,
  .max_args = 1001,
  .run = run_cancel,
};

const PxCommand px_command_set_done = {
  .name = "set-done",
  .arguments = SUBJECT_ARGUMENTS,
  .summary = "Mark files, attachments or jobs as done by hand",
  .help = "For what waits or has failed and was settled otherwise; jobs that waited for it go on. A number alone is\n"
          "that of a file. Instead of numbers, filters: see retry.\n\n"
          "Example:\n"
          "  pattimpex set-done job 12\n",
  .options = px_list_options,
  .more_options = OPTIONS,
  .max_args = 1001,
  .run = run_set_done,
};
