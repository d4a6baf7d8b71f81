/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of. What has happened becomes a row in the transaction in which it happens, with the job that tells: one mail for all that
 * happens to a task within mail.digest, one POST to the webhook for each. They happen at least once, with the same id each time. */
#include "flow/notice_private.h"

#include "base/hook.h"
#include "base/text.h"

/* Behind all else where one worker does everything; mails before posts, of which there may be many. */
#define PRIORITY_OF_MAIL 1000
#define PRIORITY_OF_POST 1001
#define PROBLEMS_TOLD 5u
#define TOLD_AGAIN G_TIME_SPAN_DAY /* microseconds */

char **px_notice_recipients(const PxProject *project, const char *task_name) {
  const PxTask *task = task_name ? px_tasks_get(project->tasks, task_name) : NULL;
  char **emails = task && task->failure_emails ? task->failure_emails : project->notices->failure_emails;
  return emails && *emails && project->notices->mail ? emails : NULL;
}

/* A job that mails has an identity: there is one a task. One that posts has none. */
static bool mails(const PxJob *job) {
  return job->identity != NULL;
}

/* ---- something has happened: in the caller's transaction */

static bool enqueue_mail(const PxProject *project, const char *task, int64_t now, GError **error) {
  int64_t sent;
  if (!px_notice_last_mail(project->db, task, &sent, error))
    return false;
  g_autoptr(PxJob) job = px_work_new_job(project, "notice", task, task ? task : "");
  job->priority = PRIORITY_OF_MAIL;
  job->eta = sent && sent <= now ? MAX(now, sent + project->notices->mail->digest) : now;
  return px_job_enqueue(project->db, job, now, error);
}

static bool enqueue_post(const PxProject *project, const PxNotice *notice, int64_t now, GError **error) {
  g_autoptr(PxJob) job = px_work_new_job(project, "notice", notice->task, "");
  g_clear_pointer(&job->identity, g_free);
  job->priority = PRIORITY_OF_POST;
  return px_job_enqueue(project->db, job, now, error) && px_notice_by_webhook(project->db, notice->id, job->id, error);
}

bool px_notice_tell(const PxProject *project, PxNotice *notice, int64_t now, GError **error) {
  bool mail = px_notice_recipients(project, notice->task) != NULL;
  bool post = project->notices->webhook != NULL;
  if (project->dry_run || !(mail || post))
    return true;
  return px_notice_add(project->db, notice, mail, now, error) && (!mail || enqueue_mail(project, notice->task, now, error)) &&
         (!post || enqueue_post(project, notice, now, error));
}

/* What has happened since a mail was made, and is not in it. */
static bool enqueue_rest(const PxProject *project, const char *task, int64_t now, GError **error) {
  bool waits;
  if (!px_notice_waits(project->db, task, &waits, error))
    return false;
  return !waits || !project->notices->mail || enqueue_mail(project, task, now, error);
}

bool px_notice_of_job(const PxProject *project, const PxJob *job, int64_t now, GError **error) {
  if (strcmp(job->kind, "notice") == 0) /* nobody is told of that by the way that does not work */
    return !mails(job) || (px_notice_leave(project->db, job, error) && enqueue_rest(project, job->task, now, error));
  if (strcmp(job->kind, "chunk") == 0) /* the end of its file tells */
    return true;
  g_autoptr(PxNotice) notice = px_notice_new(job->file_id ? "file" : job->attachment_id ? "attachment" : "task", job->task, job->error);
  notice->job_id = job->id;
  notice->attachment_id = job->attachment_id;
  notice->file_id = job->file_id;
  return px_notice_tell(project, notice, now, error);
}

bool px_notice_of_file(const PxProject *project, const PxPatternFile *file, int64_t now, GError **error) {
  g_autoptr(PxNotice) notice = px_notice_new("file", file->task, NULL);
  notice->attachment_id = file->attachment_id;
  notice->file_id = file->id;
  return px_notice_tell(project, notice, now, error);
}

/* "a.csv: not taken: ..."; of several files the first. NULL: all of them may pass. Caller frees. */
static char *why_of_problems(const GPtrArray *problems) {
  g_autoptr(GString) texts = g_string_new(NULL);
  guint n = 0;
  for (guint i = 0; problems && i < problems->len; i++) {
    const PxProblem *problem = problems->pdata[i];
    if (!problem->passing && n++ < PROBLEMS_TOLD)
      g_string_append_printf(texts, "%s%s", n > 1 ? "; " : "", problem->text);
  }
  if (n < 2)
    return n ? g_strdup(texts->str) : NULL;
  return g_strdup_printf("%u files could not be taken or put away: %s%s", n, texts->str, n > PROBLEMS_TOLD ? " ..." : "");
}

bool px_notice_of_problems(const PxProject *project, const char *task, const GPtrArray *problems, int64_t now, GError **error) {
  g_autofree char *why = why_of_problems(problems);
  if (!why)
    return true;
  g_autoptr(PxNotice) notice = px_notice_new("stuck", task, why);
  int64_t told;
  if (!px_notice_last_told(project->db, notice, &told, error))
    return false;
  bool is_news = !told || told > now || now - told >= TOLD_AGAIN;
  return !is_news || px_notice_tell(project, notice, now, error);
}

static bool tell_of_dead_job(PxDb *db, const PxJob *job, int64_t now, void *data, GError **error) {
  return px_notice_of_job(data, job, now, error);
}

void px_notices_watch(PxProject *project, PxWorker *worker) {
  px_worker_on_failure(worker, tell_of_dead_job, project);
}

/* ---- the step */

/* In one transaction: it has been told, and the next mail when something has happened since. */
static bool end_step(PxWork *work, bool mailed, GError **error) {
  PxDb *db = work->project->db;
  const PxJob *job = work->job;
  int64_t now = px_project_now(work->project);
  if (!px_work_begin(work, error))
    return false;
  bool ok = (!mailed || px_notice_mailed(db, job->task, job->id, now, error)) && px_job_done(db, job, now, error);
  ok = ok && (!mailed || enqueue_rest(work->project, job->task, now, error));
  bool done = px_transaction_end(db, ok, error);
  px_hook("notice-committed");
  return done;
}

static bool collect(PxWork *work, GError **error) {
  PxDb *db = work->project->db;
  if (!px_work_begin(work, error))
    return false;
  bool done = px_transaction_end(db, px_notice_collect(db, work->job->task, work->job->id, error), error);
  px_hook("notice-collected");
  return done;
}

static bool send_mail(PxWork *work, const GPtrArray *notices, GError **error) {
  const PxProject *project = work->project;
  const PxJob *job = work->job;
  char **to = px_notice_recipients(project, job->task);
  if (!to || notices->len == 0) /* the configuration has changed */
    return true;
  g_autoptr(PxNoticeText) text = px_notice_text(work->project, notices, error);
  if (!text)
    return false;
  g_autofree char *id = g_strdup_printf("pattimpex.%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT, job->id, job->created);
  const PxMail mail = {
    .to = (const char *const *)to, .subject = text->subject, .body = text->body, .id = id, .date = px_project_now(project), .parts = text->parts};
  return px_mail_send(project->notices->mail, &mail, project->stop, error);
}

static bool post(PxWork *work, const GPtrArray *notices, GError **error) {
  const PxProject *project = work->project;
  if (!project->notices->webhook || notices->len == 0)
    return true;
  g_autofree char *id = NULL;
  g_autofree char *body = px_notice_json(project, notices->pdata[0], &id, error);
  return body && px_webhook_send(project->notices->webhook, id, px_project_now(project), body, project->stop, error);
}

bool px_notice_step(PxWork *work, GError **error) {
  bool is_mail = mails(work->job);
  work->name = g_strdup(is_mail ? "mail" : "webhook");
  if (is_mail && !collect(work, error))
    return false;
  g_autoptr(GPtrArray) notices = px_notice_of_job_id(work->project->db, work->job->id, error);
  if (!notices)
    return false;
  bool told = work->project->dry_run || (is_mail ? send_mail(work, notices, error) : post(work, notices, error));
  px_hook("notice-sent");
  return told && end_step(work, is_mail, error);
}

/* ---- a test */

bool px_notice_test_mail(const PxProject *project, const char *address, GError **error) {
  if (!project->notices->mail) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there is no mail: in the configuration: write its server and from");
    return false;
  }
  if (!px_text_is_address(address)) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s is no address: write one such as ops@example.com", address);
    return false;
  }
  int64_t now = px_project_now(project);
  g_autofree char *id = g_strdup_printf("pattimpex.test.%" G_GINT64_FORMAT, now);
  const char *const to[] = {address, NULL};
  const PxMail mail = {.to = to,
                       .subject = "pattimpex: a test",
                       .body = "This mail was asked for by a person, to see whether notices arrive. They do.\n",
                       .id = id,
                       .date = now};
  return px_mail_send(project->notices->mail, &mail, project->stop, error);
}

bool px_notice_test_webhook(const PxProject *project, GError **error) {
  if (!project->notices->webhook) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there is no webhook: in the configuration: write its url and secret");
    return false;
  }
  int64_t now = px_project_now(project);
  g_autofree char *id = g_strdup_printf("test.%" G_GINT64_FORMAT, now);
  g_autofree char *body = g_strdup_printf("{\"id\":\"%s\",\"event\":\"test\"}", id);
  return px_webhook_send(project->notices->webhook, id, now, body, project->stop, error);
}
