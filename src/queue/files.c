/* SPDX-License-Identifier: Apache-2.0 */
/* Pattern files: how an attachment was read or written by a pattern. */
#include "queue/queue_private.h"

static const char *const kind_words[] = {"import", "export"};

PxPatternFile *px_file_new(PxFileKind kind, const char *pattern) {
  PxPatternFile *file = g_new0(PxPatternFile, 1);
  file->kind = kind;
  file->pattern = g_strdup(pattern);
  return file;
}

void px_file_free(PxPatternFile *file) {
  if (!file)
    return;
  g_free(file->task);
  g_free(file->name);
  g_free(file->pattern);
  g_free(file->snapshot);
  g_free(file->snapshot_hash);
  g_free(file->error);
  g_free(file);
}

static void free_row(gpointer row) {
  px_file_free(row);
}

static gpointer read_file(PxColumns *columns) {
  PxPatternFile *file = g_new0(PxPatternFile, 1);
  file->id = px_column_integer(columns);
  file->kind = (PxFileKind)px_column_word(columns, kind_words, G_N_ELEMENTS(kind_words));
  file->state = px_column_state(columns);
  file->attachment_id = px_column_integer(columns);
  file->previous_id = px_column_integer(columns);
  file->failed_only = px_column_integer(columns) != 0;
  file->task = px_column_text(columns);
  file->name = px_column_text(columns);
  file->pattern = px_column_text(columns);
  file->snapshot = px_column_text(columns);
  file->snapshot_hash = px_column_text(columns);
  px_column_counts(columns, &file->counts);
  file->rows_total = (uint64_t)px_column_integer(columns);
  file->bytes_done = (uint64_t)px_column_integer(columns);
  file->bytes_total = (uint64_t)px_column_integer(columns);
  file->error = px_column_text(columns);
  file->created = px_column_integer(columns);
  file->started = px_column_integer(columns);
  file->ended = px_column_integer(columns);
  return file;
}

bool px_file_add(PxDb *db, PxPatternFile *file, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "file_add", &binder, error))
    return false;
  file->created = now;
  px_bind_text(&binder, px_file_kind_name(file->kind));
  px_bind_text(&binder, px_state_name(file->state));
  px_bind_integer(&binder, file->attachment_id);
  px_bind_id(&binder, file->previous_id);
  px_bind_integer(&binder, file->failed_only);
  px_bind_text(&binder, file->task);
  px_bind_text(&binder, file->pattern);
  px_bind_text(&binder, file->snapshot);
  px_bind_text(&binder, file->snapshot_hash);
  px_bind_counts(&binder, &file->counts);
  px_bind_integer(&binder, (int64_t)file->rows_total);
  px_bind_integer(&binder, (int64_t)file->bytes_done);
  px_bind_integer(&binder, (int64_t)file->bytes_total);
  px_bind_text(&binder, file->error);
  px_bind_integer(&binder, file->created);
  px_bind_integer(&binder, file->started);
  px_bind_integer(&binder, file->ended);
  return px_run_for_id(&binder, &file->id, error) && (!file->ended || px_counter_file_ended(db, file->id, error));
}

PxPatternFile *px_file_get(PxDb *db, int64_t id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "file_get", &binder, error))
    return NULL;
  px_bind_integer(&binder, id);
  return px_read_row(&binder, read_file, "pattern file", id, error);
}

GPtrArray *px_file_list(PxDb *db, const PxListFilter *filter, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "file_list", &binder, error))
    return NULL;
  px_bind_filter(&binder, filter->state);
  px_bind_filter(&binder, filter->task);
  px_bind_filter(&binder, filter->kind);
  g_autofree char *like = px_like_part(filter->error);
  px_bind_filter(&binder, like);
  px_bind_integer(&binder, filter->since);
  px_bind_limit(&binder, filter->limit);
  return px_read_rows(&binder, read_file, free_row, error);
}

bool px_file_store(PxDb *db, PxPatternFile *file, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "file_store", &binder, error))
    return false;
  if (file->state != PX_STATE_PENDING && !file->started)
    file->started = now;
  if (file->state != PX_STATE_PENDING && file->state != PX_STATE_STARTED)
    file->ended = now;
  px_bind_text(&binder, px_state_name(file->state));
  px_bind_counts(&binder, &file->counts);
  px_bind_integer(&binder, (int64_t)file->rows_total);
  px_bind_integer(&binder, (int64_t)file->bytes_done);
  px_bind_integer(&binder, (int64_t)file->bytes_total);
  px_bind_text(&binder, file->error);
  px_bind_integer(&binder, file->started);
  px_bind_integer(&binder, file->ended);
  px_bind_integer(&binder, file->id);
  return px_run_bound(&binder, error);
}

GPtrArray *px_file_last_rows(PxDb *db, const char *task, int64_t but, uint64_t n, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "file_last_rows", &binder, error))
    return NULL;
  px_bind_text(&binder, task);
  px_bind_integer(&binder, but);
  px_bind_integer(&binder, (int64_t)n);
  return px_read_rows(&binder, px_read_id, g_free, error);
}
