/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of jobs and the steps that do them. run.c and later the daemon loop over jobs; nothing else knows this table. */
#include "flow/flow_private.h"

static const PxWorkKind kinds[] = {
  {"fetch", "root.fetch", 10, px_fetch_step},            /* storage -> attachments */
  {"import", "root.pattern.import", 10, px_import_step}, /* attachment -> records */
  {"chunk", "root.pattern.import", 10, px_chunk_step},   /* process_multi: rows of one part -> records */
  {"finish", "root.pattern.import", 10, px_finish_step}, /* process_multi: when all chunks have ended */
  {"report", "root.pattern.report", 10, px_report_step}, /* bad rows -> attachment */
  {"export", "root.pattern.export", 20, px_export_step}, /* records -> attachment */
  {"upload", "root.upload", 10, px_upload_step},         /* attachment -> storage */
  {"process", "root.process", 30, px_process_step},      /* attachments that were held -> their jobs */
};

const PxWorkKind *px_work_kind(const char *kind) {
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (strcmp(kinds[i].kind, kind) == 0)
      return &kinds[i];
  return NULL;
}

const char *px_work_task_kind(const PxTask *task) {
  static const char *const of_tasks[] = {[PX_TASK_IMPORT] = "fetch", [PX_TASK_EXPORT] = "export", [PX_TASK_UPLOAD] = "process"};
  return of_tasks[task->kind];
}

PxJob *px_work_new_job(const char *kind, const char *task, const char *subject) {
  const PxWorkKind *step = px_work_kind(kind);
  PxJob *job = px_job_new(kind, step->channel, task);
  job->priority = step->priority;
  job->identity = g_strdup_printf("%s:%s", kind, subject);
  return job;
}

bool px_work_enqueue_attachment(PxDb *db, const PxAttachment *attachment, int64_t now, GError **error) {
  const char *kind = attachment->direction == PX_DIRECTION_IMPORT ? "import" : "upload";
  g_autofree char *subject = g_strdup_printf("%" G_GINT64_FORMAT, attachment->id);
  g_autoptr(PxJob) job = px_work_new_job(kind, attachment->task, subject);
  job->attachment_id = attachment->id;
  return px_job_enqueue(db, job, now, error);
}

bool px_work_begin(const PxWork *work, GError **error) {
  PxDb *db = work->project->db;
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  if (!work->job || px_job_fence(db, work->job, error))
    return true;
  px_db_rollback(db);
  return false;
}

bool px_transaction_end(PxDb *db, bool ok, GError **error) {
  if (ok && px_db_commit(db, error))
    return true;
  px_db_rollback(db);
  return false;
}

void px_work_problem(PxWork *work, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (!work->report.problems)
    work->report.problems = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(work->report.problems, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

void px_work_progress(const PxWork *work, const PxProgress *progress) {
  if (work->progress)
    work->progress(progress, work->data);
}

void px_work_done(PxWork *work) {
  px_summary_free(work->summary);
  g_free(work->name);
  px_lost_rows_free(work->lost);
  g_clear_pointer(&work->report.problems, g_ptr_array_unref);
}
