/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a file, for the partner who sent it: a small document in receipt_path. A file that is imported again gets its receipt replaced. */
#include "flow/flow_private.h"

#include "base/file.h"
#include "base/hook.h"

#include <jansson.h>

#define MOST_MESSAGES 100 /* of bad rows in one receipt; the error file has them all */

static const char *const suffixes[] = {[PX_RECEIPT_JSON] = ".receipt.json", [PX_RECEIPT_TEXT] = ".receipt.txt"};

typedef struct {
  PxProject *project;
  const PxTask *task;
  const PxPatternFile *file;
  const PxAttachment *about;
  const PxAttachment *first; /* of a duplicate: the task's file that has the same content or name; else NULL */
} Receipt;

static char *time_text(const Receipt *receipt, int64_t when) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = utc ? g_date_time_to_timezone(utc, receipt->project->timezone) : NULL;
  return local ? g_date_time_format(local, "%Y-%m-%dT%H:%M:%S%:z") : g_strdup("");
}

/* Of a duplicate by its name nobody knows the bytes. */
static const char *sha256_of(const PxAttachment *about) {
  return *about->sha256 ? about->sha256 : NULL;
}

static char *place_text(const PxAttachment *about) {
  return about->path && *about->path ? g_strconcat(about->path, "/", about->name, NULL) : g_strdup(about->name);
}

/* ---- JSON */

static bool add_message(const PxMessage *message, void *data) {
  json_t *list = data;
  json_array_append_new(list, json_pack("{s:o, s:s?, s:s}", "row", message->row ? json_integer((json_int_t)message->row) : json_null(), "column",
                                        message->column, "message", message->message));
  return json_array_size(list) < MOST_MESSAGES;
}

static json_t *first_to_json(const Receipt *receipt) {
  const PxAttachment *first = receipt->first;
  g_autofree char *when = first ? time_text(receipt, first->created) : NULL;
  return first ? json_pack("{s:s, s:s, s:s}", "file", first->name, "path", first->path ? first->path : "", "time", when) : json_null();
}

static char *as_json(const Receipt *receipt, const PxSummary *summary, GError **error) {
  const PxPatternFile *file = receipt->file;
  const PxCounts *counts = &file->counts;
  g_autofree char *when = time_text(receipt, file->ended);
  json_t *messages = json_array();
  json_t *root =
    json_pack("{s:s, s:s, s:s?, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:s, s:o}", "file", file->name, "path",
              receipt->about->path ? receipt->about->path : "", "sha256", sha256_of(receipt->about), "size", (json_int_t)receipt->about->size, "task",
              receipt->task->name, "state", px_state_name(file->state), "rows", (json_int_t)counts->rows, "created", (json_int_t)counts->created,
              "updated", (json_int_t)counts->updated, "unchanged", (json_int_t)counts->unchanged, "failed", (json_int_t)counts->failed, "skipped",
              (json_int_t)counts->skipped, "error", file->error, "time", when, "messages", messages);
  if (root && file->state == PX_STATE_DUPLICATE) {
    json_object_set_new(root, "duplicate_by", json_string(sha256_of(receipt->about) ? "content" : "name"));
    json_object_set_new(root, "duplicate_of", first_to_json(receipt));
  }
  char *text = root && px_summary_messages(receipt->project, summary, add_message, messages, error) ? json_dumps(root, JSON_INDENT(2)) : NULL;
  if (root && !text && error && !*error)
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the receipt of %s cannot be written as JSON", file->name);
  if (!root)
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the receipt of %s has a text that is not UTF-8", file->name);
  json_decref(root);
  return text;
}

/* ---- text */

typedef struct {
  GString *text;
  unsigned n;
} Lines;

static bool add_line(const PxMessage *message, void *data) {
  Lines *lines = data;
  g_autofree char *line = px_message_line(message);
  g_string_append_printf(lines->text, "%s\n", line);
  return ++lines->n < MOST_MESSAGES;
}

/* What has happened. Caller frees. */
static char *line_of(const Receipt *receipt, const PxSummary *summary) {
  if (summary->state != PX_STATE_DUPLICATE)
    return px_summary_line(summary);
  if (!receipt->first)
    return g_strdup_printf("%s: was imported before, and is not again", summary->name);
  g_autofree char *place = place_text(receipt->first);
  g_autofree char *when = time_text(receipt, receipt->first->created);
  return g_strdup_printf("%s: the same %s as %s of %s, %s", summary->name, sha256_of(receipt->about) ? "content" : "name", place, when,
                         sha256_of(receipt->about) ? "which is not imported again" : "so it was not read");
}

static char *as_text(const Receipt *receipt, const PxSummary *summary, GError **error) {
  const PxAttachment *about = receipt->about;
  g_autoptr(GString) text = g_string_new(NULL);
  g_autofree char *line = line_of(receipt, summary);
  g_autofree char *place = place_text(about);
  g_autofree char *when = time_text(receipt, receipt->file->ended);
  g_string_append_printf(text, "%s\n\nfile    %s\nsize    %" G_GUINT64_FORMAT "\nsha256  %s\nstate   %s\ntime    %s\n", line, place,
                         (guint64)about->size, sha256_of(about) ? about->sha256 : "-", px_state_name(receipt->file->state), when);
  g_string_append_printf(text,
                         "rows    %" G_GUINT64_FORMAT "\ncreated %" G_GUINT64_FORMAT "\nupdated %" G_GUINT64_FORMAT "\nunchanged %" G_GUINT64_FORMAT
                         "\nfailed  %" G_GUINT64_FORMAT "\nskipped %" G_GUINT64_FORMAT "\n\n",
                         (guint64)summary->counts.rows, (guint64)summary->counts.created, (guint64)summary->counts.updated,
                         (guint64)summary->counts.unchanged, (guint64)summary->counts.failed, (guint64)summary->counts.skipped);
  Lines lines = {.text = text};
  return px_summary_messages(receipt->project, summary, add_line, &lines, error) ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* ---- the step */

static bool write_blob(const Receipt *receipt, PxBlob *ret_blob, GError **error) {
  int fd;
  g_autoptr(PxSummary) summary = px_summary_new(receipt->file);
  char *text = receipt->task->receipt_format == PX_RECEIPT_TEXT ? as_text(receipt, summary, error) : as_json(receipt, summary, error);
  g_autofree char *owned = text;
  g_autoptr(PxNewBlob) blob = text ? px_filestore_begin(receipt->project->filestore, &fd, error) : NULL;
  return blob && px_write_all(fd, text, strlen(text), "the receipt", error) && px_filestore_commit(g_steal_pointer(&blob), ret_blob, error);
}

/* The receipt of an earlier try is replaced where it lies. *ret_before NULL: there is none. */
static bool find_before(const Receipt *receipt, PxAttachment **ret_before, GError **error) {
  int64_t id;
  *ret_before = NULL;
  if (!px_attachment_find_receipt(receipt->project->db, receipt->about->id, &id, error))
    return false;
  if (!id)
    return true;
  g_autoptr(PxAttachment) before = px_attachment_get(receipt->project->db, id, error);
  if (!before)
    return false;
  if (before->state == PX_STATE_PENDING) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s, the receipt of the try before, is still on its way", before->name);
    return false;
  }
  if (before->moved_to)
    *ret_before = g_steal_pointer(&before);
  return true;
}

static PxAttachment *new_attachment(const Receipt *receipt, const PxAttachment *before, const PxBlob *blob) {
  const PxTask *task = receipt->task;
  g_autofree char *name = before ? g_path_get_basename(before->moved_to) : px_name_with(receipt->file->name, suffixes[task->receipt_format]);
  PxAttachment *attachment = px_attachment_new(PX_DIRECTION_RECEIPT, name);
  attachment->task = g_strdup(task->name);
  attachment->parent_id = receipt->about->id;
  attachment->sha256 = g_strdup(blob->sha256);
  attachment->size = blob->size;
  attachment->storage = g_strdup(before ? before->storage : task->storage);
  attachment->path = before ? g_strdup(before->path) : px_task_beneath(task, task->receipt_path, receipt->about->path ? receipt->about->path : "");
  attachment->on_exists = before ? PX_EXISTS_REPLACE : PX_EXISTS_NUMBER;
  return attachment;
}

/* A duplicate has no pattern file: what there is to say of it as one. */
static PxPatternFile *file_of_duplicate(const PxAttachment *about) {
  PxPatternFile *file = px_file_new(PX_FILE_IMPORT, about->pattern);
  file->state = PX_STATE_DUPLICATE;
  file->attachment_id = about->id;
  file->name = g_strdup(about->name);
  file->ended = about->created;
  return file;
}

/* Nobody hears of the files of another task. *ret_first NULL: there is none. */
static bool find_first(const PxProject *project, const PxTask *task, const PxAttachment *about, PxAttachment **ret_first, GError **error) {
  int64_t id;
  *ret_first = NULL;
  if (!(sha256_of(about) ? px_attachments_find_content(project->db, (const char *const[]){about->sha256}, 1, task->name, &id, error)
                         : px_attachment_find_name(project->db, about->name, task->recursive ? about->path : NULL, task->name, &id, error)))
    return false;
  *ret_first = id ? px_attachment_get(project->db, id, error) : NULL;
  return !id || *ret_first;
}

/* What came of the file, or that it came again. */
static bool find_subject(const PxWork *work, const PxTask *task, PxPatternFile **ret_file, PxAttachment **ret_about, PxAttachment **ret_first,
                         GError **error) {
  PxDb *db = work->project->db;
  if (work->job->file_id) {
    *ret_file = px_file_get(db, work->job->file_id, error);
    *ret_about = *ret_file ? px_attachment_get(db, (*ret_file)->attachment_id, error) : NULL;
    return *ret_about;
  }
  *ret_about = px_attachment_get(db, work->job->attachment_id, error);
  *ret_file = *ret_about ? file_of_duplicate(*ret_about) : NULL;
  return *ret_about && find_first(work->project, task, *ret_about, ret_first, error);
}

bool px_receipt_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  g_autoptr(PxPatternFile) file = NULL;
  g_autoptr(PxAttachment) about = NULL;
  g_autoptr(PxAttachment) first = NULL;
  const PxTask *task = px_project_task(project, work->job->task, error);
  if (!task || !find_subject(work, task, &file, &about, &first, error))
    return false;
  const Receipt receipt = {.project = project, .task = task, .file = file, .about = about, .first = first};
  g_autoptr(PxAttachment) before = NULL;
  PxBlob blob;
  if (task->receipt_path && (!find_before(&receipt, &before, error) || !write_blob(&receipt, &blob, error)))
    return false;
  px_hook("receipt-stored");
  int64_t now = px_project_now(project);
  g_autoptr(PxAttachment) attachment = task->receipt_path ? new_attachment(&receipt, before, &blob) : NULL;
  work->name = attachment ? g_strdup(attachment->name) : NULL;
  if (!px_work_begin(work, error))
    return false;
  bool ok = !attachment || (px_attachment_add(project->db, attachment, now, error) && px_work_enqueue_attachment(project, attachment, now, error));
  bool done = px_transaction_end(project->db, ok && px_job_done(project->db, work->job, now, error), error);
  px_hook("receipt-committed");
  return done;
}
