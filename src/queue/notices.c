/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of, until it has been told. */
#include "queue/queue_private.h"

PxNotice *px_notice_new(const char *event, const char *task, const char *why) {
  PxNotice *notice = g_new0(PxNotice, 1);
  notice->event = g_strdup(event);
  notice->task = g_strdup(task);
  notice->why = g_strdup(why);
  return notice;
}

void px_notice_free(PxNotice *notice) {
  if (!notice)
    return;
  g_free(notice->event);
  g_free(notice->task);
  g_free(notice->why);
  g_free(notice);
}

static void free_row(gpointer notice) {
  px_notice_free(notice);
}

bool px_notice_add(PxDb *db, PxNotice *notice, bool mail, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "notice_add", &binder, error))
    return false;
  notice->created = now;
  px_bind_text(&binder, notice->event);
  px_bind_text(&binder, notice->task);
  px_bind_id(&binder, notice->job_id);
  px_bind_id(&binder, notice->attachment_id);
  px_bind_id(&binder, notice->file_id);
  px_bind_text(&binder, notice->why);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, mail);
  return px_run_for_id(&binder, &notice->id, error);
}

/* A statement of integers and then, maybe, a text and an integer. */
static bool run(PxDb *db, const char *statement, int64_t first, const char *text, int64_t last, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  px_bind_integer(&binder, first);
  if (text)
    px_bind_text(&binder, text);
  if (last)
    px_bind_integer(&binder, last);
  return px_run_bound(&binder, error);
}

bool px_notice_by_webhook(PxDb *db, int64_t id, int64_t job_id, GError **error) {
  return run(db, "notice_by_webhook", job_id, NULL, id, error);
}

bool px_notice_collect(PxDb *db, const char *task, int64_t job_id, GError **error) {
  return run(db, "notice_collect", job_id, task ? task : "", job_id, error);
}

static gpointer read_notice(PxColumns *columns) {
  PxNotice *notice = g_new0(PxNotice, 1);
  notice->id = px_column_integer(columns);
  notice->event = px_column_text(columns);
  notice->task = px_column_text(columns);
  notice->job_id = px_column_integer(columns);
  notice->attachment_id = px_column_integer(columns);
  notice->file_id = px_column_integer(columns);
  notice->why = px_column_text(columns);
  notice->created = px_column_integer(columns);
  return notice;
}

GPtrArray *px_notice_of_job_id(PxDb *db, int64_t job_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "notice_of_job", &binder, error))
    return NULL;
  px_bind_integer(&binder, job_id);
  px_bind_integer(&binder, job_id);
  return px_read_rows(&binder, read_notice, free_row, error);
}

static bool ask(PxDb *db, const char *statement, const char *task, int64_t *ret_value, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  px_bind_text(&binder, task ? task : "");
  return px_run_for_id(&binder, ret_value, error);
}

bool px_notice_mailed(PxDb *db, const char *task, int64_t job_id, int64_t now, GError **error) {
  PxBinder binder;
  if (!run(db, "notice_mailed", job_id, NULL, 0, error) || !px_queue_statement(db, "mail_sent", &binder, error))
    return false;
  px_bind_text(&binder, task ? task : "");
  px_bind_integer(&binder, now);
  return px_run_bound(&binder, error);
}

bool px_notice_leave(PxDb *db, const PxJob *job, GError **error) {
  PxBinder binder;
  g_autofree char *identity = g_strdup_printf("notice:%s#%" G_GINT64_FORMAT, job->task ? job->task : "", job->id);
  if (!px_queue_statement(db, "notice_leave", &binder, error))
    return false;
  px_bind_text(&binder, identity);
  px_bind_integer(&binder, job->id);
  return px_run_bound(&binder, error);
}

bool px_notice_waits(PxDb *db, const char *task, bool *ret_waits, GError **error) {
  int64_t found;
  if (!ask(db, "notice_waiting", task, &found, error))
    return false;
  *ret_waits = found != 0;
  return true;
}

bool px_notice_last_told(PxDb *db, const PxNotice *notice, int64_t *ret_told, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "notice_told", &binder, error))
    return false;
  px_bind_text(&binder, notice->event);
  px_bind_text(&binder, notice->task);
  px_bind_text(&binder, notice->why);
  return px_run_for_id(&binder, ret_told, error);
}

bool px_notice_last_mail(PxDb *db, const char *task, int64_t *ret_sent, GError **error) {
  return ask(db, "mail_last", task, ret_sent, error);
}
