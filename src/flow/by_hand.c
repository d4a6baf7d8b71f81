/* SPDX-License-Identifier: Apache-2.0 */
/* `import` and `export` by hand: the same steps, with a job that is this program's from the start; or (no history) without any row of ours. */
#include "flow/flow_private.h"

#include "base/file.h"
#include "base/hook.h"
#include "flow/paths.h"
#include "flow/plan.h"

#include <fcntl.h>
#include <unistd.h>

/* ---- import */

/* Runs the step of a job that is ours. Its failure is this command's. */
static bool run_own_job(PxWork *work, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxState state;
  work->by_hand = true;
  if (!px_run_job(work, false, &state, &problem, error))
    return false;
  if (state == PX_STATE_DONE)
    return true;
  if (problem)
    g_propagate_error(error, g_steal_pointer(&problem));
  else
    g_set_error(error, PX_ERROR, PX_ERROR_FENCED, "another worker has taken over job %" G_GINT64_FORMAT, work->job->id);
  return false;
}

static PxJob *new_own_job(const PxProject *project, const char *kind, int64_t attachment_id, int64_t file_id) {
  g_autofree char *subject = g_strdup_printf("%" G_GINT64_FORMAT, attachment_id);
  PxJob *job = px_work_new_job(project, kind, NULL, subject);
  job->attachment_id = attachment_id;
  job->file_id = file_id;
  return job;
}

/* One transaction: the attachment and its job, which this program has from the start. */
static PxJob *add_import(PxProject *project, const PxWorker *worker, PxAttachment *attachment, GError **error) {
  int64_t now = px_project_now(project);
  g_autoptr(PxJob) job = NULL;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return NULL;
  bool ok = px_attachment_add(project->db, attachment, now, error);
  job = new_own_job(project, "import", attachment->id, 0);
  ok = ok && px_job_enqueue_started(project->db, job, worker, now, error);
  return px_transaction_end(project->db, ok, error) ? g_steal_pointer(&job) : NULL;
}

static bool write_error_file(PxProject *project, const PxPattern *pattern, int blob, PxSummary *summary, const char *path, GError **error) {
  if (summary->state == PX_STATE_REFUSED || summary->counts.failed == 0)
    return true;
  PX_PATH_FD out = px_temporary_file(error);
  uint64_t rows;
  return out >= 0 && px_report_write(project, pattern, blob, summary, out, &rows, error) && px_path_deliver(out, path, error);
}

typedef struct {
  PxProject *project;
  const PxImportByHand *options;
  const PxPattern *pattern;
  const PxWorker *worker; /* NULL: no history */
  PxAttachment *attachment;
  int blob;         /* without history */
  PxPlan *plan;     /* NULL: none is wanted */
  PxLostRows *lost; /* what the tries before found out */
} Hand;

static PxSummary *try_with_history(const Hand *hand, PxWork *work, GError **error) {
  g_autoptr(PxJob) job = add_import(hand->project, hand->worker, hand->attachment, error);
  if (!job)
    return NULL;
  px_hook("by-hand-added");
  work->job = job;
  bool done = run_own_job(work, error);
  work->job = NULL;
  return done ? g_steal_pointer(&work->summary) : NULL;
}

static PxSummary *try_without_history(const Hand *hand, PxWork *work, GError **error) {
  g_auto(PxImport) import = {.work = work, .pattern = hand->pattern, .blob = fcntl(hand->blob, F_DUPFD_CLOEXEC, 0)};
  import.file = px_import_new_file(hand->pattern, hand->attachment);
  return px_import_file(&import, error) ? g_steal_pointer(&work->summary) : NULL;
}

/* When the database itself ends the transaction of a dry run because of a row, all is begun again and that row is known to fail. */
static PxSummary *import_again(Hand *hand, GError **error) {
  PxDb *db = hand->project->db;
  for (;;) {
    g_autoptr(GError) problem = NULL;
    unsigned known = px_lost_rows_known(hand->lost);
    g_auto(PxWork) work = {.project = hand->project,
                           .worker = hand->worker,
                           .progress = hand->options->progress,
                           .data = hand->options->data,
                           .lost = g_steal_pointer(&hand->lost),
                           .plan = hand->plan};
    if (hand->plan && !px_plan_begin(hand->plan, error))
      return NULL;
    g_autoptr(PxSummary) summary = (hand->worker ? try_with_history : try_without_history)(hand, &work, &problem);
    if (summary)
      return g_steal_pointer(&summary);
    if (!px_db_lost_dry_run(db) || px_lost_rows_known(work.lost) == known) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return NULL;
    }
    px_db_rollback(db);
    if (!px_db_again_dry_run(db, error))
      return NULL;
    hand->lost = g_steal_pointer(&work.lost);
  }
}

/* A plan is written in the dry run that it is of. */
static PxSummary *import_by_hand(Hand *hand, GError **error) {
  const char *path = hand->options->plan;
  g_autoptr(PxPlan) plan = path ? px_plan_new(hand->project) : NULL;
  hand->plan = plan;
  g_autoptr(PxSummary) summary = import_again(hand, error);
  if (!summary || !path || summary->state == PX_STATE_REFUSED)
    return g_steal_pointer(&summary);
  const char *known = hand->attachment->sha256;
  g_autofree char *sha256 = known ? g_strdup(known) : px_path_sha256(hand->blob, hand->options->file, error);
  return sha256 && px_plan_save(plan, summary, sha256, path, error) ? g_steal_pointer(&summary) : NULL;
}

static PxSummary *import_with_history(PxProject *project, const PxImportByHand *options, const PxPattern *pattern, int fd, GError **error) {
  PxBlob blob;
  g_autoptr(PxWorker) worker = px_worker_open(project->db, error);
  if (!worker || !px_filestore_add(project->filestore, fd, &blob, error))
    return NULL;
  g_autofree char *name = px_path_name(options->file);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->pattern = g_strdup(pattern->name);
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  Hand hand = {.project = project, .options = options, .pattern = pattern, .worker = worker, .attachment = attachment};
  g_autoptr(PxSummary) summary = import_by_hand(&hand, error);
  if (summary && options->error_file) {
    PX_PATH_FD stored = px_filestore_read(project->filestore, blob.sha256, error);
    if (stored < 0 || !write_error_file(project, pattern, stored, summary, options->error_file, error))
      return NULL;
  }
  return g_steal_pointer(&summary);
}

static PxSummary *import_without_history(PxProject *project, const PxImportByHand *options, const PxPattern *pattern, int fd, GError **error) {
  g_autofree char *name = px_path_name(options->file);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  PX_PATH_FD blob = px_path_seekable(fd, options->file, &attachment->size, error);
  if (blob < 0)
    return NULL;
  Hand hand = {.project = project, .options = options, .pattern = pattern, .attachment = attachment, .blob = blob};
  g_autoptr(PxSummary) summary = import_by_hand(&hand, error);
  if (summary && options->error_file && !write_error_file(project, pattern, blob, summary, options->error_file, error))
    return NULL;
  return g_steal_pointer(&summary);
}

PxSummary *px_import_by_hand(PxProject *project, const PxImportByHand *options, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, options->pattern, error);
  if (!pattern)
    return NULL;
  PX_PATH_FD fd = px_path_open(options->file, error);
  if (fd < 0)
    return NULL;
  return options->no_history ? import_without_history(project, options, pattern, fd, error)
                             : import_with_history(project, options, pattern, fd, error);
}

/* Rows of chunks that were not loaded have no messages, so they would be left out. */
static bool check_chunks(const PxProject *project, int64_t file_id, GError **error) {
  g_autoptr(GPtrArray) chunks = px_chunk_planned(project->db, file_id, error);
  for (guint i = 0; chunks && i < chunks->len; i++)
    if (((const PxPlannedChunk *)chunks->pdata[i])->state != PX_STATE_DONE) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                  "pattern file %" G_GINT64_FORMAT " has chunks that were not loaded: retry their jobs, or the file without --failed", file_id);
      return false;
    }
  return chunks != NULL;
}

PxSummary *px_retry_file(PxProject *project, int64_t file_id, bool failed_only, PxProgressFunc progress, void *data, GError **error) {
  g_autoptr(PxPatternFile) old = px_file_get(project->db, file_id, error);
  if (!old)
    return NULL;
  bool allowed = old->kind == PX_FILE_IMPORT && old->state != PX_STATE_PENDING && old->state != PX_STATE_STARTED &&
                 !(failed_only && old->state == PX_STATE_REFUSED);
  if (!allowed) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "pattern file %" G_GINT64_FORMAT " is %s (%s): %s", file_id, px_state_name(old->state),
                px_file_kind_name(old->kind),
                old->state == PX_STATE_REFUSED ? "it was refused as a whole, so try it without --failed"
                                               : "only an import that has ended can be tried again");
    return NULL;
  }
  if (px_plan_is_of(old)) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "pattern file %" G_GINT64_FORMAT " is a plan: apply it again by import --apply, or make a new one",
                file_id);
    return NULL;
  }
  if (failed_only && !check_chunks(project, file_id, error))
    return NULL;
  const PxPattern *pattern = px_project_pattern(project, old->pattern, error);
  g_autoptr(PxAttachment) attachment = pattern ? px_attachment_get(project->db, old->attachment_id, error) : NULL;
  g_autoptr(PxWorker) worker = attachment ? px_worker_open(project->db, error) : NULL;
  if (!worker || !px_db_begin(project->db, PX_TX_WRITE, error))
    return NULL;
  g_autoptr(PxPatternFile) file = px_import_new_file(pattern, attachment);
  file->previous_id = file_id;
  file->failed_only = failed_only;
  int64_t now = px_project_now(project);
  bool ok = px_file_add(project->db, file, now, error);
  g_autoptr(PxJob) job = new_own_job(project, "import", attachment->id, file->id);
  ok = ok && px_job_enqueue_started(project->db, job, worker, now, error);
  if (!px_transaction_end(project->db, ok, error))
    return NULL;
  px_hook("retry-added");
  g_auto(PxWork) work = {.project = project, .worker = worker, .job = job, .progress = progress, .data = data};
  return run_own_job(&work, error) ? g_steal_pointer(&work.summary) : NULL;
}

/* ---- export */

static bool keep_export(PxProject *project, const PxPattern *pattern, const char *output, int fd, uint64_t rows, PxSummary **ret_summary,
                        GError **error) {
  PxBlob blob;
  if (lseek(fd, 0, SEEK_SET) < 0)
    return px_path_fail(output, "read again", PX_ERROR_INTERNAL, error);
  if (!px_filestore_add(project->filestore, fd, &blob, error))
    return false;
  int64_t now = px_project_now(project);
  g_autofree char *name = px_path_is_standard(output) ? g_strdup("stdout") : g_path_get_basename(output);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_EXPORT, name);
  attachment->state = PX_STATE_DONE;
  attachment->pattern = g_strdup(pattern->name);
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  g_autoptr(PxPatternFile) file = px_import_new_file(pattern, attachment);
  file->kind = PX_FILE_EXPORT;
  file->state = PX_STATE_DONE;
  file->counts.rows = file->rows_total = rows;
  file->bytes_done = blob.size;
  file->started = file->ended = now;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool ok = px_export_store_names(project, pattern, error) && px_attachment_add(project->db, attachment, now, error);
  file->attachment_id = attachment->id;
  if (!px_transaction_end(project->db, ok && px_file_add(project->db, file, now, error), error))
    return false;
  *ret_summary = px_summary_new(file);
  return true;
}

/* Without history too: a file that names a record by an id that the database does not know would make another one when it comes back. */
static bool keep_names(PxProject *project, const PxPattern *pattern, GError **error) {
  if (!pattern->external_ids)
    return true;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, px_export_store_names(project, pattern, error), error);
}

/* The first of the ids that no record of the model can have. */
static bool check_ids(const GArray *ids, const PxModel *model, GError **error) {
  for (guint i = 0; i < ids->len; i++) {
    char text[PX_ID_TEXT_SIZE];
    px_id_write(g_array_index(ids, PxId, i), text);
    if (px_id_is_uuid(g_array_index(ids, PxId, i)) == px_model_has_uuids(model))
      continue;
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "\"%s\" is no id of %s: its ids are %s", text, model->name,
                px_model_has_uuids(model) ? "uuids" : "integers");
    return false;
  }
  return true;
}

static GArray *unknown_ids(PxProject *project, const PxModel *model, const PxIdList *only, GError **error) {
  g_autoptr(PxRecords) records = px_records_new(project->db, project->schema);
  g_autoptr(GArray) unknown = g_array_new(FALSE, FALSE, sizeof(PxId));
  return px_records_unknown(records, model, only, unknown, error) ? g_steal_pointer(&unknown) : NULL;
}

PxSummary *px_export_by_hand(PxProject *project, const PxExportByHand *options, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, options->pattern, error);
  if (!pattern)
    return NULL;
  g_autoptr(PxDomain) filter = NULL;
  if (options->filter) {
    filter = px_patterns_domain(project->patterns, pattern->model, options->filter, error);
    if (!filter) {
      g_prefix_error(error, "the filter: ");
      return NULL;
    }
  }
  PxIdList only = {0};
  PxId nobody = PX_ID_NONE;
  if (options->ids && !check_ids(options->ids, pattern->model, error))
    return NULL;
  if (options->ids)
    only = (PxIdList){.ids = options->ids->len ? &g_array_index(options->ids, PxId, 0) : &nobody, .n = options->ids->len};
  bool chosen = options->ids != NULL;
  g_autoptr(GArray) unknown = chosen ? unknown_ids(project, pattern->model, &only, error) : NULL;
  if (chosen && !unknown)
    return NULL;
  const PxExportQuery query = {.pattern = pattern, .filter = filter, .only = chosen ? &only : NULL, .header_only = options->header_only};
  g_auto(PxWork) work = {.project = project, .progress = options->progress, .data = options->data};
  PX_PATH_FD out = px_temporary_file(error);
  uint64_t rows;
  if (out < 0 || !px_export_rows(&work, &query, out, &rows, error))
    return NULL;
  g_autoptr(PxSummary) summary = NULL;
  if (options->no_history || options->header_only) {
    if (!keep_names(project, pattern, error))
      return NULL;
    const PxPatternFile file = {.kind = PX_FILE_EXPORT, .state = PX_STATE_DONE, .counts = {.rows = rows}};
    summary = px_summary_new(&file);
    summary->pattern = g_strdup(pattern->name);
    summary->name = g_strdup(options->output);
  }
  /* Delivered first: the history tells of no file that is not there. */
  if (!px_path_deliver(out, options->output, error) || (!summary && !keep_export(project, pattern, options->output, out, rows, &summary, error)))
    return NULL;
  if (summary) /* always, which gcc cannot see at -O3 */
    summary->unknown_ids = g_steal_pointer(&unknown);
  return g_steal_pointer(&summary);
}
