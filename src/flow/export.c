/* SPDX-License-Identifier: Apache-2.0 */
/* READ SECOND: the way of records into a file, one call a step.
 *
 *   this file   records -> file in the filestore -> attachment and pattern file
 *   upload.c    attachment -> storage, at once or when its own schedule says so
 */
#include "flow/flow_private.h"

#include "base/file.h"
#include "base/hook.h"
#include "extract/extract.h"
#include "flow/paths.h"

#include <string.h>

typedef struct {
  PxWork *work;
  const char *name;
} Progress;

static void progress_of_rows(uint64_t rows, uint64_t total, void *data) {
  const Progress *to = data;
  PxProgress progress = {.name = to->name, .step = "export", .rows = rows, .rows_total = total};
  px_work_progress(to->work, &progress);
}

bool px_export_rows(PxWork *work, const PxExportQuery *query, int fd, uint64_t *ret_rows, GError **error) {
  PxProject *project = work->project;
  Progress progress = {work, query->pattern->name};
  const PxExtractOptions options = {.domain = query->filter,
                                    .only = query->only,
                                    .order = query->order,
                                    .order_descending = query->order_descending,
                                    .n_order = query->n_order,
                                    .now = px_project_now(project),
                                    .header_only = query->header_only,
                                    .progress = progress_of_rows,
                                    .data = &progress};
  /* External ids are kept in a table of ours, which may not be there yet where nothing else is kept. */
  if (query->pattern->external_ids && !(px_db_migrate(project->db, error) && px_records_begin_names(project->db, error)))
    return false;
  if (!px_db_begin(project->db, PX_TX_READ, error))
    return false;
  return px_transaction_end(project->db, px_extract(project->db, project->schema, query->pattern, &options, fd, ret_rows, error), error);
}

bool px_export_store_names(const PxProject *project, const PxPattern *pattern, GError **error) {
  return !pattern->external_ids || px_records_store_names(project->db, error);
}

/* ---- compressed and encrypted */

/* What the file in an archive is called. */
static char *member_name(const char *name, const PxWrap *wrap) {
  g_autofree char *packed = wrap->encrypt_to ? px_openpgp_plain_name(name) : g_strdup(name);
  bool has_suffix = px_pack_of_name(packed) == wrap->compress;
  return g_strndup(packed, strlen(packed) - (has_suffix ? strlen(px_pack_suffix(wrap->compress)) : 0));
}

static bool write_packed(PxWork *work, const PxExportQuery *query, const PxWrap *wrap, const char *name, int fd, uint64_t *ret_rows, GError **error) {
  if (wrap->compress == PX_PACK_NONE)
    return px_export_rows(work, query, fd, ret_rows, error);
  g_autofree char *member = member_name(name, wrap);
  PX_PATH_FD plain = px_temporary_file(error);
  return plain >= 0 && px_export_rows(work, query, plain, ret_rows, error) && px_pack(wrap->compress, plain, member, fd, error);
}

bool px_export_write(PxWork *work, const PxExportQuery *query, const PxWrap *wrap, const char *name, int fd, uint64_t *ret_rows, GError **error) {
  if (!wrap->encrypt_to)
    return write_packed(work, query, wrap, name, fd, ret_rows, error);
  PX_PATH_FD plain = px_temporary_file(error);
  return plain >= 0 && write_packed(work, query, wrap, name, plain, ret_rows, error) &&
         px_openpgp_encrypt(wrap->openpgp, plain, fd, wrap->encrypt_to, wrap->sign_with, error);
}

/* ---- the step of a task */

static char *plain_name(const PxWork *work, const PxTask *task, GError **error) {
  if (!task->file_name)
    return g_strdup_printf("%s.%s", task->pattern->name, px_format_name(task->pattern->format.format));
  const PxTemplateValues values = {.task = task->name, .now = px_project_now(work->project), .timezone = work->project->timezone};
  return px_template_render(task->file_name, &values, error);
}

static PxWrap wrap_of(const PxTask *task) {
  return (PxWrap){.compress = task->compress, .encrypt_to = task->encrypt_to, .sign_with = task->sign_with, .openpgp = task->openpgp};
}

/* With what compress: and encrypt_to: put behind it, unless file_name has that already. */
static char *file_name(const PxWork *work, const PxTask *task, GError **error) {
  g_autofree char *plain = plain_name(work, task, error);
  if (!plain)
    return NULL;
  g_autofree char *open = task->encrypt_to ? px_openpgp_plain_name(plain) : g_strdup(plain);
  bool is_packed = px_pack_of_name(open) == task->compress;
  g_autofree char *packed = is_packed ? g_strdup(open) : px_name_with(open, px_pack_suffix(task->compress));
  return task->encrypt_to ? px_name_with(packed, PX_OPENPGP_SUFFIX) : g_steal_pointer(&packed);
}

/* The file, whole and synced; *ret_rows how many records are in it. */
static bool write_blob(PxWork *work, const PxTask *task, const char *name, PxBlob *ret_blob, uint64_t *ret_rows, GError **error) {
  const PxExportQuery query = {
    .pattern = task->pattern, .filter = task->filter, .order = task->order, .order_descending = task->order_descending, .n_order = task->n_order};
  int fd;
  const PxWrap wrap = wrap_of(task);
  g_autoptr(PxNewBlob) blob = px_filestore_begin(work->project->filestore, &fd, error);
  if (!blob || !px_export_write(work, &query, &wrap, name, fd, ret_rows, error))
    return false;
  return px_filestore_commit(g_steal_pointer(&blob), ret_blob, error);
}

static PxAttachment *new_attachment(const PxTask *task, const char *name, const PxBlob *blob) {
  const PxTask *uploads = task->upload_task ? task->upload_task : task;
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_EXPORT, name);
  attachment->state = uploads->storage ? PX_STATE_PENDING : PX_STATE_DONE;
  attachment->task = g_strdup(task->name);
  attachment->upload_task = task->upload_task ? g_strdup(task->upload_task->name) : NULL;
  attachment->pattern = g_strdup(task->pattern->name);
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  attachment->storage = g_strdup(uploads->storage);
  attachment->path = g_strdup(uploads->path);
  attachment->on_exists = (int)uploads->on_exists;
  return attachment;
}

/* In the transaction: the external ids that are in the file, the attachment, the pattern file, the upload. */
static bool store(PxWork *work, const PxTask *task, PxAttachment *attachment, PxPatternFile *file, GError **error) {
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  if (!px_export_store_names(work->project, task->pattern, error) || !px_attachment_add(db, attachment, now, error))
    return false;
  file->attachment_id = attachment->id;
  if (!px_file_add(db, file, now, error))
    return false;
  bool at_once = attachment->state == PX_STATE_PENDING && !task->upload_task && !task->upload_schedule;
  return !at_once || px_work_enqueue_attachment(work->project, attachment, now, error);
}

static bool end_step(PxWork *work, GError **error) {
  PxDb *db = work->project->db;
  return px_task_state_ran(db, work->job->task, work->job->started, PX_STATE_DONE, NULL, error) &&
         px_job_done(db, work->job, px_project_now(work->project), error);
}

static PxPatternFile *new_file(const PxWork *work, const PxPattern *pattern, const PxAttachment *attachment, uint64_t rows) {
  PxPatternFile *file = px_import_new_file(pattern, attachment);
  file->kind = PX_FILE_EXPORT;
  file->state = PX_STATE_DONE;
  file->counts.rows = file->rows_total = rows;
  file->bytes_done = file->bytes_total;
  file->started = work->job->started;
  file->ended = px_project_now(work->project);
  return file;
}

bool px_export_step(PxWork *work, GError **error) {
  PxDb *db = work->project->db;
  const PxTask *task = px_project_task(work->project, work->job->task, error);
  g_autofree char *name = task ? file_name(work, task, error) : NULL;
  if (!name)
    return false;
  PxBlob blob;
  uint64_t rows;
  if (!write_blob(work, task, name, &blob, &rows, error))
    return false;
  px_hook("export-stored");
  g_autoptr(PxAttachment) attachment = new_attachment(task, name, &blob);
  g_autoptr(PxPatternFile) file = new_file(work, task->pattern, attachment, rows);
  bool skip = rows == 0 && task->skip_empty;
  if (!px_work_begin(work, error))
    return false;
  bool ok = (skip || store(work, task, attachment, file, error)) && end_step(work, error);
  if (!px_transaction_end(db, ok, error))
    return false;
  px_hook("export-committed");
  if (!skip)
    work->summary = px_summary_new(file);
  return true;
}
