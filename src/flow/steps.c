/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of jobs and the steps that do them. run.c and later the daemon loop over jobs; nothing else knows this table. */
#include "flow/flow_private.h"

#define PRIORITY 20 /* when neither the task nor the pattern says another */

static const PxWorkKind kinds[] = {
  {"fetch", "root.fetch", 0, px_fetch_step, false},                                 /* storage -> attachments */
  {"import", "root.pattern.import", 0, px_import_step, true},                       /* attachment -> records */
  {"chunk", "root.pattern.import", 0, px_chunk_step, true},                         /* process_multi: rows of one part -> records */
  {"finish", "root.pattern.import", 0, px_finish_step, true},                       /* process_multi: when all chunks have ended */
  {"report", "root.pattern.report", 0, px_report_step, false},                      /* bad rows -> attachment */
  {"receipt", "root.pattern.report", 0, px_receipt_step, false},                    /* what came of a file -> attachment */
  {"export", "root.pattern.export", 10, px_export_step, true},                      /* records -> attachment */
  {"upload", "root.upload", 0, px_upload_step, false, 64, NULL},                    /* attachment -> storage */
  {"process", "root.process", 20, px_process_step, false, 100, px_process_may_end}, /* attachments that were held -> their jobs */
  {"expect", "root.process", 5, px_expect_step, false},                             /* a file that is due -> a notice when it has not come */
  {"notice", PX_CHANNEL_NOTICE, 0, px_notice_step, false},                          /* failures -> mail, webhook */
  {"clean", "root.clean", 30, px_clean_step, false},                                /* what has ended long ago */
};

const PxWorkKind *px_work_kind(const char *kind) {
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (strcmp(kinds[i].kind, kind) == 0)
      return &kinds[i];
  return NULL;
}

unsigned px_work_batch_of(const char *kind) {
  const PxWorkKind *known = px_work_kind(kind);
  return known && known->batch ? known->batch : 1;
}

const char *px_work_task_kind(const PxTask *task) {
  static const char *const of_tasks[] = {[PX_TASK_IMPORT] = "fetch", [PX_TASK_EXPORT] = "export", [PX_TASK_UPLOAD] = "process"};
  return of_tasks[task->kind];
}

static void place(PxJob *job, const PxTask *task, const PxWorkKind *kind) {
  const PxPattern *pattern = task->pattern;
  if (task->priority >= 0)
    job->priority = task->priority + kind->behind;
  else if (pattern && pattern->priority >= 0)
    job->priority = pattern->priority + kind->behind;
  const char *channel = task->channel ? task->channel : pattern ? pattern->channel : NULL;
  if (channel && kind->of_pattern) {
    g_free(job->channel);
    job->channel = g_strdup(channel);
  }
}

PxJob *px_work_new_job(const PxProject *project, const char *kind, const char *task_name, const char *subject) {
  const PxWorkKind *step = px_work_kind(kind);
  const PxTask *task = task_name ? px_tasks_get(project->tasks, task_name) : NULL;
  PxJob *job = px_job_new(kind, step->channel, task_name);
  job->priority = PRIORITY + step->behind;
  job->identity = g_strdup_printf("%s:%s", kind, subject);
  if (task)
    place(job, task, step);
  return job;
}

/* An upload task says how what is sent by it stands in the queue. */
static void place_upload(PxJob *job, const PxTask *upload) {
  if (upload->priority >= 0)
    job->priority = upload->priority;
  if (upload->channel) {
    g_free(job->channel);
    job->channel = g_strdup(upload->channel);
  }
}

static PxJob *new_attachment_job(const PxProject *project, const PxAttachment *attachment) {
  bool imports = attachment->direction == PX_DIRECTION_IMPORT;
  g_autofree char *subject = g_strdup_printf("%" G_GINT64_FORMAT, attachment->id);
  PxJob *job = px_work_new_job(project, imports ? "import" : "upload", attachment->task, subject);
  const PxTask *upload = attachment->upload_task && !imports ? px_tasks_get(project->tasks, attachment->upload_task) : NULL;
  if (upload)
    place_upload(job, upload);
  job->attachment_id = attachment->id;
  return job;
}

bool px_work_enqueue_attachment(const PxProject *project, const PxAttachment *attachment, int64_t now, GError **error) {
  g_autoptr(PxJob) job = new_attachment_job(project, attachment);
  return px_job_enqueue(project->db, job, now, error);
}

bool px_work_enqueue_attachments(const PxProject *project, const GPtrArray *attachments, int64_t now, GError **error) {
  g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(px_free_job_row);
  for (guint i = 0; i < attachments->len; i++)
    g_ptr_array_add(jobs, new_attachment_job(project, attachments->pdata[i]));
  return px_jobs_enqueue(project->db, (PxJob *const *)jobs->pdata, jobs->len, now, error);
}

static bool begin(const PxWork *work, PxTxKind kind, GError **error) {
  PxDb *db = work->project->db;
  if (!px_db_begin(db, kind, error))
    return false;
  if (!work->job || px_job_fence(db, work->job, error))
    return true;
  px_db_rollback(db);
  return false;
}

bool px_work_begin(const PxWork *work, GError **error) {
  return begin(work, PX_TX_WRITE, error);
}

bool px_work_begin_soon(const PxWork *work, GError **error) {
  return begin(work, PX_TX_WRITE_SOON, error);
}

bool px_work_ends_later(PxWork *work, bool of_task) {
  work->ends_later = work->may_end_later && work->job;
  work->ran_task = of_task;
  return work->ends_later;
}

bool px_transaction_end(PxDb *db, bool ok, GError **error) {
  if (ok && px_db_commit(db, error))
    return true;
  px_db_rollback(db);
  return false;
}

static void free_problem(gpointer data) {
  PxProblem *problem = data;
  g_free(problem->file);
  g_free(problem->text);
  g_free(problem);
}

PxProblem *px_work_problem(PxWork *work, const char *file, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  PxProblem *problem = g_new(PxProblem, 1);
  *problem = (PxProblem){.file = g_strdup(file), .text = g_strdup_printf("%s: %s", file, text)};
  if (!work->report.problems)
    work->report.problems = g_ptr_array_new_with_free_func(free_problem);
  g_ptr_array_add(work->report.problems, problem);
  return problem;
}

void px_work_doing(const PxWork *work, const char *format, ...) {
  if (!work->worker || !work->job)
    return;
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  px_worker_doing(work->worker, work->job->id, text);
}

void px_work_progress(const PxWork *work, const PxProgress *progress) {
  if (work->progress)
    work->progress(progress, work->data);
}

void px_work_done(PxWork *work) {
  px_summary_free(work->summary);
  g_free(work->name);
  g_free(work->note);
  px_lost_rows_free(work->lost);
  g_clear_pointer(&work->report.problems, g_ptr_array_unref);
}
