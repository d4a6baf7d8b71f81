/* SPDX-License-Identifier: Apache-2.0 */
/* Bad rows on their way back: an error file in the format of the file itself, uploaded to error_path. A file that was refused as a whole comes back
 * as a text
 * that says why. */
#include "report/report.h"

#include "base/file.h"
#include "base/hook.h"
#include "flow/flow_private.h"

#include <limits.h>
#include <unistd.h>

typedef struct {
  PxFileMessages *stored; /* with history */
  const GPtrArray *kept;  /* without */
  guint next;
  GError *problem;
} Source;

static bool next_message(const PxMessage **ret_message, void *data) {
  Source *source = data;
  if (!source->stored) {
    if (!source->kept || source->next >= source->kept->len)
      return false;
    *ret_message = source->kept->pdata[source->next++];
    return true;
  }
  return !source->problem && px_file_messages_next(source->stored, ret_message, &source->problem) > 0;
}

bool px_report_write(PxProject *project, const PxPattern *pattern, int blob, PxSummary *summary, int fd, uint64_t *ret_rows, GError **error) {
  g_autoptr(PxFileMessages) stored = summary->file_id ? px_file_messages_open(project->db, summary->file_id) : NULL;
  Source source = {.stored = stored, .kept = summary->messages};
  char *note = NULL;
  bool done = px_report_error_file(blob, &pattern->format, px_pattern_header_rows(pattern), pattern->error_rows_all, next_message, &source, fd,
                                   ret_rows, &note, error);
  g_free(summary->note);
  summary->note = note;
  if (!source.problem)
    return done;
  if (done)
    g_propagate_error(error, source.problem);
  else
    g_error_free(source.problem);
  return false;
}

/* ---- a refused file */

static bool add_line(const PxMessage *message, void *data) {
  GString *text = data;
  if (message->row)
    g_string_append_printf(text, "row %" G_GUINT64_FORMAT ": ", message->row);
  if (message->column)
    g_string_append_printf(text, "%s: ", message->column);
  g_string_append_printf(text, "%s\n", message->message);
  return true;
}

static bool write_refusal(PxProject *project, const PxSummary *summary, int fd, GError **error) {
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "%s was not imported:\n", summary->name);
  return px_summary_messages(project, summary, add_line, text, error) &&
         px_write_all(fd, text->str, text->len, "what goes back to the partner", error);
}

/* ---- the step */

bool px_report_of_file(PxProject *project, PxPatternFile *file, const char *sha256, int fd, char **ret_note, GError **error) {
  g_autoptr(PxSummary) summary = px_summary_new(file);
  if (file->state == PX_STATE_REFUSED)
    return write_refusal(project, summary, fd, error);
  g_autoptr(PxPatterns) kept = px_patterns_from_snapshot(file->pattern, file->snapshot, project->schema, project->timezone, error);
  int blob = kept ? px_filestore_read(project->filestore, sha256, error) : -1;
  if (blob < 0)
    return false;
  uint64_t rows;
  bool done = px_report_write(project, px_patterns_get(kept, file->pattern), blob, summary, fd, &rows, error);
  (void)close(blob);
  *ret_note = g_steal_pointer(&summary->note);
  return done;
}

static bool write_blob(PxWork *work, PxPatternFile *file, const PxAttachment *about, PxBlob *ret_blob, GError **error) {
  PxProject *project = work->project;
  int fd;
  g_autoptr(PxNewBlob) new_blob = px_filestore_begin(project->filestore, &fd, error);
  if (!new_blob || !px_report_of_file(project, file, about->sha256, fd, &work->note, error))
    return false;
  if (!file->error)
    file->error = g_strdup(work->note);
  return px_filestore_commit(g_steal_pointer(&new_blob), ret_blob, error);
}

char *px_name_with(const char *name, const char *suffix) {
  size_t len = strlen(name);
  size_t most = NAME_MAX - strlen(suffix);
  if (len > most)
    len = (size_t)(g_utf8_find_prev_char(name, name + most + 1) - name);
  return g_strdup_printf("%.*s%s", (int)len, name, suffix);
}

/* Why a file was refused is a text beside its name. */
char *px_report_name(const PxPatternFile *file) {
  return file->state == PX_STATE_REFUSED ? px_name_with(file->name, ".txt") : g_strdup(file->name);
}

static PxAttachment *new_attachment(const PxTask *task, const PxPatternFile *file, const PxAttachment *about, const PxBlob *blob) {
  g_autofree char *name = px_report_name(file);
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_ERROR, name);
  attachment->task = g_strdup(task->name);
  attachment->parent_id = file->attachment_id;
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  attachment->storage = g_strdup(task->storage);
  attachment->path = px_task_beneath(task, task->error_path, about->path ? about->path : "");
  attachment->on_exists = PX_EXISTS_NUMBER;
  return attachment;
}

bool px_report_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  g_autoptr(PxPatternFile) file = px_file_get(project->db, work->job->file_id, error);
  if (!file)
    return false;
  work->name = px_report_name(file);
  const PxTask *task = px_project_task(project, work->job->task, error);
  if (!task)
    return false;
  PxBlob blob = {0};
  g_autoptr(PxAttachment) about = px_attachment_get(project->db, file->attachment_id, error);
  if (!about || (task->error_path && !write_blob(work, file, about, &blob, error))) /* it may be out of the configuration by now */
    return false;
  px_hook("report-stored");
  int64_t now = px_project_now(project);
  g_autoptr(PxAttachment) attachment = task->error_path ? new_attachment(task, file, about, &blob) : NULL;
  if (!px_work_begin(work, error))
    return false;
  bool ok = !attachment || (px_attachment_add(project->db, attachment, now, error) && px_work_enqueue_attachment(project, attachment, now, error));
  ok = ok && (!file->error || px_file_store(project->db, file, now, error)); /* a note on the error file */
  bool done = px_transaction_end(project->db, ok && px_job_done(project->db, work->job, now, error), error);
  px_hook("report-committed");
  return done;
}
