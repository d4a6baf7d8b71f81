/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs do, as lines of the log. */
#include "daemon/daemon_private.h"

#define MESSAGES_OF_A_FILE 3

static PxLogSubject subject_of(const PxJob *job, const char *file) {
  return (PxLogSubject){.task = job->task, .file = file, .job = job->id};
}

void px_log_claimed(const PxJob *job, const char *file) {
  const PxLogSubject subject = subject_of(job, file);
  px_log(PX_LOG_DEBUG, &subject, "%s begins, attempt %" G_GINT64_FORMAT, job->kind, job->attempt);
}

typedef struct {
  const PxLogSubject *subject;
  unsigned n;
} Messages;

static bool log_message(const PxMessage *message, void *data) {
  Messages *messages = data;
  if (messages->n++ == MESSAGES_OF_A_FILE) {
    px_log(PX_LOG_WARNING, messages->subject, "... and more, see pattimpex files");
    return false;
  }
  g_autofree char *line = px_message_line(message);
  px_log(PX_LOG_WARNING, messages->subject, "%s", line);
  return true;
}

static void log_messages(const PxProject *project, const PxSummary *summary, const PxLogSubject *subject) {
  g_autoptr(GError) problem = NULL;
  Messages messages = {.subject = subject};
  if (!px_summary_messages(project, summary, log_message, &messages, &problem))
    px_log(PX_LOG_WARNING, subject, "%s", problem->message);
}

static PxLogLevel level_of(const PxJobReport *report) {
  if (report->state == PX_STATE_FAILED)
    return PX_LOG_ERROR;
  bool bad = report->state != PX_STATE_DONE || (report->summary && report->summary->state != PX_STATE_DONE);
  return bad ? PX_LOG_WARNING : PX_LOG_INFO;
}

static char *text_of(const PxJobReport *report) {
  if (report->state == PX_STATE_STARTED)
    return g_strdup_printf("%s belongs to another worker by now", report->kind);
  char *line = px_job_line(report);
  return line ? line : g_strdup_printf("%s done", report->kind);
}

void px_log_given_back(const PxJob *job, const char *file) {
  const PxLogSubject subject = subject_of(job, file);
  if (job->state == PX_STATE_FAILED)
    px_log(PX_LOG_ERROR, &subject, "%s failed: %s", job->kind, job->error);
  else
    px_log(PX_LOG_WARNING, &subject, "%s is run again: %s", job->kind, job->error);
}

/* A file has its line of its own, so that it can be looked for. */
static void log_problems(const PxJobReport *report) {
  for (guint i = 0; report->problems && i < report->problems->len; i++) {
    const PxProblem *problem = report->problems->pdata[i];
    const PxLogSubject subject = subject_of(report->job, problem->file);
    px_log(PX_LOG_WARNING, &subject, "%s", problem->text);
  }
}

void px_log_job(const PxProject *project, const PxJobReport *report, const char *file) {
  const PxSummary *summary = report->summary;
  const char *name = summary ? summary->name : report->name;
  const PxLogSubject subject = subject_of(report->job, name ? name : file);
  g_autofree char *text = text_of(report);
  px_log(level_of(report), &subject, "%s", text);
  if (summary && summary->state != PX_STATE_DONE)
    log_messages(project, summary, &subject);
  log_problems(report);
}
