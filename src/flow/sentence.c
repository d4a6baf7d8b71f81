/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a file or a job, in a sentence: for the lines of `run` and for the log. */
#include "base/text.h"
#include "flow/flow.h"

static void append_kind(GString *out, uint64_t n, const char *what) {
  if (n == 0)
    return;
  g_autofree char *digits = px_group_digits(n);
  g_string_append_printf(out, "%s%s %s", out->len > 0 ? ", " : "", digits, what);
}

static char *import_counts(const PxCounts *counts) {
  g_autoptr(GString) out = g_string_new(NULL);
  append_kind(out, counts->created, "created");
  append_kind(out, counts->updated, "updated");
  append_kind(out, counts->unchanged, "unchanged");
  append_kind(out, counts->failed, "failed");
  append_kind(out, counts->skipped, "skipped");
  g_autofree char *rows = px_count_text(counts->rows, "row");
  return out->len > 0 ? g_strdup_printf("%s (%s)", out->str, rows) : g_strdup("no rows");
}

char *px_summary_line(const PxSummary *summary) {
  GString *out = g_string_new(summary->name);
  if (summary->state == PX_STATE_REFUSED) {
    g_string_append(out, ": refused, nothing was changed");
  } else if (summary->members) {
    g_autofree char *files = px_count_text(summary->members, "file");
    g_string_append_printf(out, ": %s in it", files);
  } else if (summary->kind == PX_FILE_EXPORT) {
    g_autofree char *records = px_count_text(summary->counts.rows, "record");
    g_string_append_printf(out, ": %s exported", records);
  } else {
    g_autofree char *counts = import_counts(&summary->counts);
    g_string_append_printf(out, ": %s", counts);
  }
  /* Why a file was refused is told by its messages. */
  if (summary->error && summary->state != PX_STATE_REFUSED)
    g_string_append_printf(out, ": %s", summary->error);
  return g_string_free(out, FALSE);
}

char *px_message_line(const PxMessage *message) {
  GString *out = g_string_new(NULL);
  if (message->row > 0)
    g_string_append_printf(out, "row %" G_GUINT64_FORMAT, message->row);
  if (message->column)
    g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", message->column);
  g_string_append_printf(out, "%s%s", out->len > 0 ? ": " : "", message->message);
  return g_string_free(out, FALSE);
}

static void append_files(GString *out, uint64_t n, const char *what) {
  if (n == 0)
    return;
  g_autofree char *count = px_count_text(n, "file");
  g_string_append_printf(out, "%s%s %s", out->len > 0 ? ", " : "", count, what);
}

static char *fetch_line(const PxJobReport *job) {
  GString *out = g_string_new(NULL);
  append_files(out, job->fetched, "fetched");
  append_files(out, job->duplicates, "left as duplicates");
  append_files(out, job->waiting, "still being written");
  append_files(out, job->unready, "not ready yet");
  append_files(out, job->left, "left for the next run");
  append_files(out, job->known, "imported before");
  if (out->len == 0)
    g_string_append(out, "nothing to fetch");
  if (job->missing_path)
    g_string_append_printf(out, ": the storage has no folder %s", job->missing_path);
  return g_string_free(out, FALSE);
}

/* What a job that is done says; NULL: nothing that a person waits for. */
static char *done_line(const PxJobReport *job) {
  if (g_str_equal(job->kind, "fetch"))
    return fetch_line(job);
  if (job->summary)
    return px_summary_line(job->summary);
  if (g_str_equal(job->kind, "upload") && job->name)
    return g_strdup_printf("sent %s", job->name);
  if (g_str_equal(job->kind, "receipt") && job->name)
    return g_strdup_printf("the receipt goes out as %s", job->name);
  if (g_str_equal(job->kind, "report") && job->name)
    return g_strdup_printf("the bad rows go back as %s", job->name);
  return NULL;
}

char *px_job_line(const PxJobReport *job) {
  if (job->state == PX_STATE_PENDING)
    return g_strdup_printf("%s is tried again later: %s", job->kind, job->error ? job->error : "out of reach");
  if (job->error && !job->summary)
    return g_strdup_printf("%s failed: %s", job->kind, job->error);
  return done_line(job);
}
