/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

const char *const px_log_levels[] = {"debug", "info", "warning", "error", NULL};
const char *const px_log_formats[] = {"text", "json", NULL};

static PxLogFormat used_format = PX_LOG_TEXT;
static PxLogLevel used_level = PX_LOG_INFO;
static char *used_worker;

void px_log_init(PxLogFormat format, PxLogLevel level) {
  used_format = format;
  used_level = level;
}

void px_log_set_worker(const char *worker) {
  g_free(used_worker);
  used_worker = g_strdup(worker);
}

/* RFC 3339 in UTC with milliseconds. */
static char *time_text(int64_t now) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
  g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
  return g_strdup_printf("%s.%03dZ", seconds, (int)(now % G_USEC_PER_SEC / 1000));
}

static json_t *text_or_null(const char *text) {
  if (!text)
    return json_null();
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  return json_string(valid);
}

/* Every key is in every line, so that a reader needs no cases. */
static char *json_line(const char *time, PxLogLevel level, const char *worker, const PxLogSubject *subject, const char *text) {
  json_t *line = json_object();
  json_object_set_new(line, "time", json_string(time));
  json_object_set_new(line, "level", json_string(px_log_levels[level]));
  json_object_set_new(line, "worker", text_or_null(worker));
  json_object_set_new(line, "job", subject->job ? json_integer(subject->job) : json_null());
  json_object_set_new(line, "task", text_or_null(subject->task));
  json_object_set_new(line, "file", text_or_null(subject->file));
  json_object_set_new(line, "text", text_or_null(text));
  char *out = json_dumps(line, JSON_COMPACT);
  json_decref(line);
  return out;
}

/* Values with blanks are quoted, so that a line can be taken apart again. */
static void append_word(GString *out, const char *key, const char *value) {
  if (!value)
    return;
  bool quote = !*value || strpbrk(value, " \t\n\"=");
  g_string_append_printf(out, " %s=%s", key, quote ? "\"" : "");
  px_text_append_line(out, value);
  if (quote)
    g_string_append_c(out, '"');
}

static char *text_line(const char *time, PxLogLevel level, const char *worker, const PxLogSubject *subject, const char *text) {
  GString *out = g_string_new(time);
  g_string_append_printf(out, " %s", px_log_levels[level]);
  append_word(out, "worker", worker);
  if (subject->job)
    g_string_append_printf(out, " job=%" G_GINT64_FORMAT, subject->job);
  append_word(out, "task", subject->task);
  append_word(out, "file", subject->file);
  g_string_append(out, ": ");
  px_text_append_line(out, text);
  return g_string_free(out, FALSE);
}

char *px_log_line(PxLogFormat format, PxLogLevel level, int64_t now, const char *worker, const PxLogSubject *subject, const char *text) {
  static const PxLogSubject nothing = {0};
  g_autofree char *time = time_text(now);
  if (!subject)
    subject = &nothing;
  return format == PX_LOG_JSON ? json_line(time, level, worker, subject, text) : text_line(time, level, worker, subject, text);
}

/* One write a line: those of several processes on one pipe or file do not mix. */
static void put_line(const char *line) {
  g_autofree char *ended = g_strconcat(line, "\n", NULL);
  size_t size = strlen(ended);
  for (size_t done = 0; done < size;) {
    ssize_t n = write(STDERR_FILENO, ended + done, size - done);
    if (n < 0 && errno != EINTR)
      return; /* nobody listens any more; the work goes on */
    if (n > 0)
      done += (size_t)n;
  }
}

void px_log(PxLogLevel level, const PxLogSubject *subject, const char *format, ...) {
  if (level < used_level)
    return;
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *line = px_log_line(used_format, level, g_get_real_time(), used_worker, subject, text);
  put_line(line);
}
