/* SPDX-License-Identifier: Apache-2.0 */
/* What notices say: to people in a mail, to programs as JSON. */
#include "flow/notice_private.h"

#include <jansson.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_MESSAGES 10 /* of a file; the error file has them all */
#define MOST_NOTICES 50  /* of a mail */
#define MOST_PARTS 10

void px_notice_text_free(PxNoticeText *text) {
  if (!text)
    return;
  g_free(text->subject);
  g_free(text->body);
  g_ptr_array_unref(text->parts);
  g_free(text);
}

static void free_part(gpointer part) {
  px_mail_part_free(part);
}

/* ---- one notice */

/* What a notice is about; each may be NULL. */
typedef struct {
  PxPatternFile *file;
  PxAttachment *attachment;
  PxSummary *summary;
} Subject;

static void subject_clear(Subject *subject) {
  px_file_free(subject->file);
  px_attachment_free(subject->attachment);
  px_summary_free(subject->summary);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Subject, subject_clear)

/* Rows that have been removed since are not missed. */
static bool is_gone(GError **problem, GError **error) {
  if (!*problem || g_error_matches(*problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_clear_error(problem);
    return true;
  }
  g_propagate_error(error, g_steal_pointer(problem));
  return false;
}

static bool find_subject(const PxProject *project, const PxNotice *notice, Subject *subject, GError **error) {
  g_autoptr(GError) problem = NULL;
  if (notice->file_id)
    subject->file = px_file_get(project->db, notice->file_id, &problem);
  if (!is_gone(&problem, error))
    return false;
  if (notice->attachment_id)
    subject->attachment = px_attachment_get(project->db, notice->attachment_id, &problem);
  if (!is_gone(&problem, error))
    return false;
  if (subject->file)
    subject->summary = px_summary_new(subject->file);
  return true;
}

/* One line: what has happened. Caller frees. */
static char *headline(const PxNotice *notice, const Subject *subject) {
  const PxPatternFile *file = subject->file;
  const char *name = file ? file->name : subject->attachment ? subject->attachment->name : NULL;
  if (notice->why)
    return name ? g_strdup_printf("%s: %s", name, notice->why) : g_strdup(notice->why);
  if (!file)
    return g_strdup("a file failed that is not kept any more");
  if (file->state == PX_STATE_REFUSED)
    return g_strdup_printf("%s was refused", file->name);
  return g_strdup_printf("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " rows failed%s%s", file->name, file->counts.failed, file->counts.rows,
                         file->error ? ": " : "", file->error ? file->error : "");
}

typedef struct {
  GString *out;
  unsigned n;
} Lines;

static bool add_message(const PxMessage *message, void *data) {
  Lines *lines = data;
  if (lines->n++ == MOST_MESSAGES) {
    g_string_append(lines->out, "  ...\n");
    return false;
  }
  g_string_append(lines->out, "  ");
  if (message->row)
    g_string_append_printf(lines->out, "row %" G_GUINT64_FORMAT ": ", message->row);
  if (message->column)
    g_string_append_printf(lines->out, "%s: ", message->column);
  g_string_append_printf(lines->out, "%s\n", message->message);
  return true;
}

/* Where a person can look at it; NULL: nowhere. Caller frees. */
static char *link_of(const PxProject *project, const PxNotice *notice) {
  const char *base = project->notices->base_url;
  g_autofree char *task = notice->task ? g_uri_escape_string(notice->task, NULL, FALSE) : NULL;
  if (!base)
    return NULL;
  if (notice->file_id)
    return g_strdup_printf("%s/files/%" G_GINT64_FORMAT, base, notice->file_id);
  if (notice->attachment_id)
    return g_strdup_printf("%s/attachments/%" G_GINT64_FORMAT, base, notice->attachment_id);
  return task ? g_strdup_printf("%s/tasks/%s", base, task) : g_strdup(base);
}

static char *time_text(const PxProject *project, int64_t when) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC);
  g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, project->timezone);
  return g_date_time_format(local, "%Y-%m-%d %H:%M:%S");
}

/* ---- the error file */

static GBytes *read_all(int fd, size_t limit) {
  off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || (uint64_t)size > limit)
    return NULL;
  char *bytes = g_malloc((gsize)size);
  if (pread(fd, bytes, (size_t)size, 0) == size)
    return g_bytes_new_take(bytes, (gsize)size);
  g_free(bytes);
  return NULL;
}

/* NULL: it is too large, or cannot be written; the mail goes without it. */
static GBytes *error_file(PxProject *project, const Subject *subject, size_t limit) {
  if (!subject->file || subject->file->kind != PX_FILE_IMPORT || !subject->attachment || subject->attachment->size > limit || !project->filestore)
    return NULL;
  g_autoptr(GError) problem = NULL;
  g_autofree char *note = NULL;
  int fd = memfd_create("error-file", MFD_CLOEXEC);
  if (fd < 0)
    return NULL;
  GBytes *bytes = px_report_of_file(project, subject->file, subject->attachment->sha256, fd, &note, &problem) ? read_all(fd, limit) : NULL;
  (void)close(fd);
  return bytes;
}

static void attach(PxProject *project, const Subject *subject, GPtrArray *parts, GString *body) {
  uint64_t left = project->notices->mail->attach;
  for (guint i = 0; i < parts->len; i++)
    left -= g_bytes_get_size(((const PxMailPart *)parts->pdata[i])->bytes);
  bool has_one = subject->file && (subject->file->counts.failed || subject->file->state == PX_STATE_REFUSED);
  if (!has_one || !project->notices->mail->attach)
    return;
  GBytes *bytes = parts->len < MOST_PARTS ? error_file(project, subject, left) : NULL;
  if (!bytes) {
    g_string_append_printf(body, "  (the error file is not attached: too large; see pattimpex files %" G_GINT64_FORMAT ")\n", subject->file->id);
    return;
  }
  PxMailPart *part = g_new0(PxMailPart, 1);
  part->name = px_report_name(subject->file);
  part->bytes = bytes;
  g_ptr_array_add(parts, part);
}

/* ---- a mail */

static bool add_paragraph(PxProject *project, const PxNotice *notice, GString *body, GPtrArray *parts, char **ret_headline, GError **error) {
  g_auto(Subject) subject = {0};
  if (!find_subject(project, notice, &subject, error))
    return false;
  g_autofree char *line = headline(notice, &subject);
  g_autofree char *when = time_text(project, notice->created);
  g_autofree char *link = link_of(project, notice);
  Lines lines = {.out = body};
  g_string_append_printf(body, "%s  %s\n", when, line);
  if (subject.summary && !px_summary_messages(project, subject.summary, add_message, &lines, error))
    return false;
  attach(project, &subject, parts, body);
  if (link)
    g_string_append_printf(body, "  %s\n", link);
  g_string_append_c(body, '\n');
  *ret_headline = g_steal_pointer(&line);
  return true;
}

PxNoticeText *px_notice_text(PxProject *project, const GPtrArray *notices, GError **error) {
  g_autoptr(PxNoticeText) text = g_new0(PxNoticeText, 1);
  g_autoptr(GString) summary = g_string_new(NULL);
  g_autofree char *what = NULL;
  text->parts = g_ptr_array_new_with_free_func(free_part);
  for (guint i = 0; i < MIN(notices->len, MOST_NOTICES); i++) {
    g_autofree char *line = NULL;
    if (!add_paragraph(project, notices->pdata[i], summary, text->parts, &line, error))
      return NULL;
    if (!what)
      what = g_steal_pointer(&line);
  }
  if (notices->len > MOST_NOTICES)
    g_string_append_printf(summary, "... and %u more: see pattimpex files and pattimpex jobs --state failed\n", notices->len - MOST_NOTICES);
  if (notices->len > 1) {
    g_free(what);
    what = g_strdup_printf("%u notices", notices->len);
  }
  const PxNotice *first = notices->pdata[0];
  g_autofree char *date = time_text(project, px_project_now(project));
  const PxNoticeValues values = {
    .task = first->task ? first->task : "by hand", .what = what, .summary = summary->str, .date = date, .count = notices->len};
  text->subject = px_notice_fill(project->notices->mail->subject, &values);
  text->body = px_notice_fill(project->notices->mail->body, &values);
  return g_steal_pointer(&text);
}

/* ---- JSON */

static json_t *text_to_json(const char *text) {
  g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
  return valid ? json_string(valid) : json_null();
}

static bool message_to_json(const PxMessage *message, void *data) {
  json_t *all = data;
  if (json_array_size(all) == MOST_MESSAGES)
    return false;
  json_t *one = json_object();
  json_object_set_new(one, "row", message->row ? json_integer((json_int_t)message->row) : json_null());
  json_object_set_new(one, "column", text_to_json(message->column));
  json_object_set_new(one, "message", text_to_json(message->message));
  json_array_append_new(all, one);
  return true;
}

static bool file_to_json(const PxProject *project, const Subject *subject, json_t *object, GError **error) {
  const PxPatternFile *file = subject->file;
  json_t *messages = json_array();
  json_t *about = json_object();
  json_object_set_new(object, "file", about);
  json_object_set_new(about, "id", json_integer(file->id));
  json_object_set_new(about, "name", text_to_json(file->name));
  json_object_set_new(about, "state", text_to_json(px_state_name(file->state)));
  json_object_set_new(about, "rows", json_integer((json_int_t)file->counts.rows));
  json_object_set_new(about, "failed", json_integer((json_int_t)file->counts.failed));
  json_object_set_new(about, "messages", messages);
  return px_summary_messages(project, subject->summary, message_to_json, messages, error);
}

char *px_notice_json(const PxProject *project, const PxNotice *notice, char **ret_id, GError **error) {
  g_auto(Subject) subject = {0};
  if (!find_subject(project, notice, &subject, error))
    return NULL;
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(notice->created / G_USEC_PER_SEC);
  g_autofree char *iso = g_date_time_format_iso8601(time);
  g_autofree char *line = headline(notice, &subject);
  g_autofree char *link = link_of(project, notice);
  g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT, notice->id, notice->created);
  json_t *object = json_object();
  json_object_set_new(object, "id", text_to_json(id));
  json_object_set_new(object, "event", text_to_json(notice->event));
  json_object_set_new(object, "task", text_to_json(notice->task));
  json_object_set_new(object, "time", text_to_json(iso));
  json_object_set_new(object, "text", text_to_json(line));
  json_object_set_new(object, "url", text_to_json(link));
  json_object_set_new(object, "job", notice->job_id ? json_integer(notice->job_id) : json_null());
  json_object_set_new(object, "attachment", notice->attachment_id ? json_integer(notice->attachment_id) : json_null());
  bool ok = !subject.file || file_to_json(project, &subject, object, error);
  char *dumped = ok ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(object);
  char *text = g_strdup(dumped);
  free(dumped);
  if (text)
    *ret_id = g_steal_pointer(&id);
  return text;
}
