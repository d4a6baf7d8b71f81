/* SPDX-License-Identifier: Apache-2.0 */
/* retry, cancel, set-done: on files, attachments and jobs. */
#include "command/command.h"
#include "command/open.h"
#include "command/progress.h"
#include "command/run_report.h"
#include "command/summary.h"

#include <stdio.h>
#include <unistd.h>

static gboolean failed_only;

static const GOptionEntry RETRY_OPTIONS[] = {
  {"failed", 'f', 0, G_OPTION_ARG_NONE, &failed_only, "Of a file: only the rows that failed", NULL},
  {NULL},
};

static const char *const SUBJECT_NAMES[] = {"file", "attachment", "job"};

/* What the arguments name: "7 8" and "file 7 8" are files, "job 3" is a job. */
typedef struct {
  PxSubject subject;
  int64_t *ids;
  unsigned n;
} Subjects;

static void subjects_clear(Subjects *subjects) {
  g_free(subjects->ids);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Subjects, subjects_clear)

static bool parse_subjects(const PxCommandLine *line, Subjects *ret_subjects, GError **error) {
  const char *const *args = line->args;
  unsigned n = line->n_args;
  PxSubject subject = PX_SUBJECT_FILE;
  for (unsigned i = 0; i < G_N_ELEMENTS(SUBJECT_NAMES); i++) {
    if (g_str_equal(args[0], SUBJECT_NAMES[i])) {
      subject = (PxSubject)i;
      args++;
      n--;
      break;
    }
  }
  if (n == 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: which %s? Give its number", SUBJECT_NAMES[subject]);
    return false;
  }
  g_autofree int64_t *ids = g_new0(int64_t, n);
  for (unsigned i = 0; i < n; i++) {
    if (!px_command_id(args[i], SUBJECT_NAMES[subject], &ids[i], error))
      return false;
  }
  *ret_subjects = (Subjects){.subject = subject, .ids = g_steal_pointer(&ids), .n = n};
  return true;
}

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

typedef bool (*Settle)(PxProject *project, PxSubject subject, int64_t id, GError **error);

static int settle_all(const PxCommandLine *line, Settle settle, const char *state, GError **error) {
  g_auto(Subjects) subjects = {0};
  if (!parse_subjects(line, &subjects, error))
    return 2;
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  if (!project)
    return 2;
  g_autoptr(json_t) done = json_array();
  g_autoptr(GError) all = NULL;
  for (unsigned i = 0; i < subjects.n; i++) {
    GError *one = NULL;
    if (!settle(project, subjects.subject, subjects.ids[i], &one)) {
      add_error(&all, one);
      continue;
    }
    json_array_append_new(
      done, json_pack("{s:s, s:I, s:s}", "subject", SUBJECT_NAMES[subjects.subject], "id", (json_int_t)subjects.ids[i], "state", state));
    if (!line->json && !line->quiet)
      printf("%s %" G_GINT64_FORMAT " is %s\n", SUBJECT_NAMES[subjects.subject], subjects.ids[i], state);
  }
  if (line->json)
    px_print_json(done);
  if (!all)
    return 0;
  g_propagate_error(error, g_steal_pointer(&all));
  return 2;
}

static int run_cancel(const PxCommandLine *line, GError **error) {
  return settle_all(line, px_cancel, "cancelled", error);
}

static int run_set_done(const PxCommandLine *line, GError **error) {
  return settle_all(line, px_set_done, "done", error);
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

static int retry_files(const PxCommandLine *line, PxProject *project, const Subjects *subjects, GError **error) {
  g_autoptr(json_t) summaries = json_array();
  g_autoptr(GError) all = NULL;
  int status = 0;
  for (unsigned i = 0; i < subjects->n; i++) {
    GError *one = NULL;
    PxProgressBar *bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet, g_get_monotonic_time);
    g_autoptr(PxSummary) summary = px_retry_file(project, subjects->ids[i], failed_only, px_progress_bar_show, bar, &one);
    px_progress_bar_free(bar);
    if (summary)
      status = MAX(status, px_summary_exit_status(summary));
    if (!summary || !print_retry(line, project, summary, summaries, &one))
      add_error(&all, one);
  }
  if (line->json)
    px_print_json(subjects->n == 1 && json_array_size(summaries) == 1 ? json_array_get(summaries, 0) : summaries);
  if (!all)
    return status;
  g_propagate_error(error, g_steal_pointer(&all));
  return 2;
}

/* Attachments and jobs go back to the queue, which is then worked off. */
static int retry_queued(const PxCommandLine *line, PxProject *project, const Subjects *subjects, GError **error) {
  for (unsigned i = 0; i < subjects->n; i++) {
    bool again =
      subjects->subject == PX_SUBJECT_JOB ? px_retry_job(project, subjects->ids[i], error) : px_retry_attachment(project, subjects->ids[i], error);
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
  g_auto(Subjects) subjects = {0};
  if (!parse_subjects(line, &subjects, error))
    return 2;
  if (failed_only && subjects.subject != PX_SUBJECT_FILE) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "retry: --failed is for files: only they have rows");
    return 2;
  }
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){0}, error);
  if (!project)
    return 2;
  return subjects.subject == PX_SUBJECT_FILE ? retry_files(line, project, &subjects, error) : retry_queued(line, project, &subjects, error);
}

#define SUBJECT_ARGUMENTS "[file | attachment | job] ID..."

const PxCommand px_command_retry = {
  .name = "retry",
  .arguments = SUBJECT_ARGUMENTS,
  .summary = "Do it again: import stored files, or run failed attachments and jobs",
  .help = "A file is imported again from the bytes that were kept; the try before stays to be looked at.\n"
          "A number alone is that of a file, as in pattimpex files.\n\n"
          "Examples:\n"
          "  pattimpex retry 7\n"
          "  pattimpex retry 7 --failed\n"
          "  pattimpex retry job 12 13\n",
  .options = RETRY_OPTIONS,
  .min_args = 1,
  .max_args = 1001,
  .run = run_retry,
};

const PxCommand px_command_cancel = {
  .name = "cancel",
  .arguments = SUBJECT_ARGUMENTS,
  .summary = "Give up files, attachments or jobs that wait or have failed",
  .help = "Files and attachments take their jobs along. A number alone is that of a file.\n\n"
          "Example:\n"
          "  pattimpex cancel attachment 4 5\n",
  .min_args = 1,
  .max_args = 1001,
  .run = run_cancel,
};

const PxCommand px_command_set_done = {
  .name = "set-done",
  .arguments = SUBJECT_ARGUMENTS,
  .summary = "Mark files, attachments or jobs as done by hand",
  .help = "For what waits or has failed and was settled otherwise. A number alone is that of a file.\n\n"
          "Example:\n"
          "  pattimpex set-done job 12\n",
  .min_args = 1,
  .max_args = 1001,
  .run = run_set_done,
};
