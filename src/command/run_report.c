/* SPDX-License-Identifier: Apache-2.0 */
#include "command/run_report.h"

#include "command/progress.h"
#include "command/summary.h"

#include <stdio.h>
#include <unistd.h>

struct PxRunReport {
  const PxProject *project;
  bool as_json;
  bool quiet;
  PxProgressBar *bar;
  json_t *jobs;
};

PxRunReport *px_run_report_new(const PxProject *project, const PxCommandLine *line) {
  PxRunReport *report = g_new0(PxRunReport, 1);
  *report = (PxRunReport){.project = project, .as_json = line->json, .quiet = line->quiet, .jobs = json_array()};
  report->bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet, g_get_monotonic_time);
  return report;
}

void px_run_report_free(PxRunReport *report) {
  if (!report)
    return;
  px_progress_bar_free(report->bar);
  json_decref(report->jobs);
  g_free(report);
}

void px_run_report_progress(const PxProgress *progress, void *data) {
  PxRunReport *report = data;
  px_progress_bar_show(progress, report->bar);
}

/* ---- for scripts */

static json_t *problems_to_json(const GPtrArray *problems) {
  json_t *array = json_array();
  for (guint i = 0; problems && i < problems->len; i++)
    json_array_append_new(array, px_json_text(((const PxProblem *)problems->pdata[i])->text));
  return array;
}

static json_t *job_to_json(const PxJobReport *job) {
  json_t *object = json_object();
  json_object_set_new(object, "kind", px_json_text(job->kind));
  json_object_set_new(object, "task", px_json_text(job->task));
  json_object_set_new(object, "state", px_json_text(px_state_name(job->state)));
  json_object_set_new(object, "error", px_json_text(job->error));
  json_object_set_new(object, "name", px_json_text(job->name));
  if (g_str_equal(job->kind, "fetch")) {
    json_object_set_new(object, "fetched", px_json_count(job->fetched));
    json_object_set_new(object, "waiting", px_json_count(job->waiting));
    json_object_set_new(object, "duplicates", px_json_count(job->duplicates));
    json_object_set_new(object, "known", px_json_count(job->known));
    json_object_set_new(object, "unready", px_json_count(job->unready));
    json_object_set_new(object, "left", px_json_count(job->left));
    if (job->missing_path)
      json_object_set_new(object, "missing_path", px_json_text(job->missing_path));
  }
  if (job->note)
    json_object_set_new(object, "note", px_json_text(job->note));
  if (job->summary)
    json_object_set_new(object, "file", px_summary_to_json(job->summary));
  json_object_set_new(object, "problems", problems_to_json(job->problems));
  return object;
}

/* ---- for people */

#define MESSAGES_OF_A_FILE 3

static void print_line(const char *task, const char *text) {
  g_autofree char *safe = px_output_line(text);
  printf("%s: %s\n", task ? task : "by hand", safe);
}

static void print_job(const PxRunReport *report, const PxJobReport *job) {
  g_autofree char *text = px_job_line(job);
  if (text)
    print_line(job->task, text);
  if (job->summary && job->summary->state != PX_STATE_DONE) {
    g_autoptr(GError) error = NULL;
    if (!px_summary_print_messages(report->project, job->summary, MESSAGES_OF_A_FILE, &error))
      print_line(job->task, error->message);
  }
  if (job->note)
    print_line(job->task, job->note);
  for (guint i = 0; job->problems && i < job->problems->len; i++)
    print_line(job->task, ((const PxProblem *)job->problems->pdata[i])->text);
}

void px_run_report_job(const PxJobReport *job, void *data) {
  PxRunReport *report = data;
  if (report->as_json) {
    json_array_append_new(report->jobs, job_to_json(job));
    return;
  }
  if (report->quiet)
    return;
  px_progress_bar_hide(report->bar);
  print_job(report, job);
  /* The next job may take its time: what is known is shown now, in a pipe too. */
  (void)fflush(stdout);
}

/* ---- totals */

static void append_count(GString *out, const char *between, uint64_t n, const char *thing, const char *what) {
  if (n == 0)
    return;
  g_autofree char *count = px_count_text(n, thing);
  g_string_append_printf(out, "%s%s %s", out->len > 0 ? between : "", count, what);
}

static void print_total(const PxRunReport *report, const PxRunResult *result) {
  g_autoptr(GString) out = g_string_new(NULL);
  append_count(out, ", ", result->files_done, "file", "imported");
  append_count(out, ", ", result->files_failed, "file", "imported in part");
  append_count(out, ", ", result->files_refused, "file", "refused");
  if (out->len == 0)
    g_string_append(out, "no file imported");
  append_count(out, "; ", result->rows_failed, "row", "failed");
  append_count(out, "; ", result->problems, "file", "could not be taken or put away");
  append_count(out, "; ", result->jobs_failed, "job", "failed, see pattimpex jobs --state failed");
  append_count(out, "; ", result->jobs_left, "job", "left for later");
  printf("%s%s\n", out->str, report->project->dry_run ? " (dry run: nothing was kept)" : "");
}

void px_run_report_end(PxRunReport *report, const PxRunResult *result) {
  if (!report->as_json) {
    px_progress_bar_hide(report->bar);
    if (!report->quiet)
      print_total(report, result);
    return;
  }
  g_autoptr(json_t) object = json_object();
  json_object_set(object, "jobs", report->jobs);
  json_object_set_new(object, "dry_run", json_boolean(report->project->dry_run));
  json_object_set_new(object, "jobs_done", px_json_count(result->jobs_done));
  json_object_set_new(object, "jobs_failed", px_json_count(result->jobs_failed));
  json_object_set_new(object, "jobs_left", px_json_count(result->jobs_left));
  json_object_set_new(object, "files_done", px_json_count(result->files_done));
  json_object_set_new(object, "files_failed", px_json_count(result->files_failed));
  json_object_set_new(object, "files_refused", px_json_count(result->files_refused));
  json_object_set_new(object, "rows_failed", px_json_count(result->rows_failed));
  json_object_set_new(object, "problems", px_json_count(result->problems));
  px_print_json(object);
}
