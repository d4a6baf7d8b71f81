/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks that are known before they are loaded. In each part of a file one has a job at a time: the next one gets its own when that is done. */
#include "queue/queue_private.h"

void px_planned_chunk_free(PxPlannedChunk *planned) {
  if (!planned)
    return;
  g_free(planned->spool);
  g_free(planned->error);
  g_free(planned);
}

static void free_row(gpointer row) {
  px_planned_chunk_free(row);
}

static gpointer read_planned(PxColumns *columns) {
  PxPlannedChunk *planned = g_new0(PxPlannedChunk, 1);
  planned->id = px_column_integer(columns);
  planned->state = px_column_state(columns);
  planned->part = (unsigned)px_column_integer(columns);
  planned->spool = px_column_text(columns);
  planned->place = (uint64_t)px_column_integer(columns);
  planned->job_id = px_column_integer(columns);
  planned->error = px_column_text(columns);
  planned->chunk.file_id = px_column_integer(columns);
  planned->chunk.first_row = (uint64_t)px_column_integer(columns);
  planned->chunk.last_row = (uint64_t)px_column_integer(columns);
  px_column_counts(columns, &planned->chunk.counts);
  return planned;
}

bool px_chunk_plan(PxDb *db, const PxPlannedChunk *planned, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_plan", &binder, error))
    return false;
  px_bind_integer(&binder, planned->chunk.file_id);
  px_bind_integer(&binder, (int64_t)planned->chunk.first_row);
  px_bind_integer(&binder, (int64_t)planned->chunk.last_row);
  px_bind_integer(&binder, (int64_t)planned->chunk.counts.rows);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, planned->part);
  px_bind_text(&binder, planned->spool);
  px_bind_integer(&binder, (int64_t)planned->place);
  return px_run_bound(&binder, error);
}

PxPlannedChunk *px_chunk_of_job(PxDb *db, int64_t job_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_of_job", &binder, error))
    return NULL;
  px_bind_integer(&binder, job_id);
  return px_read_row(&binder, read_planned, "chunk of job", job_id, error);
}

bool px_chunk_next(PxDb *db, int64_t file_id, unsigned part, PxPlannedChunk **ret_planned, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_next", &binder, error))
    return false;
  px_bind_integer(&binder, file_id);
  px_bind_integer(&binder, part);
  g_autoptr(GPtrArray) rows = px_read_rows(&binder, read_planned, NULL, error);
  if (!rows)
    return false;
  *ret_planned = rows->len ? rows->pdata[0] : NULL;
  return true;
}

bool px_chunk_give(PxDb *db, int64_t id, int64_t job_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_give", &binder, error))
    return false;
  px_bind_integer(&binder, job_id);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}

static bool store_done(PxDb *db, const PxPlannedChunk *planned, const char *messages, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_done", &binder, error))
    return false;
  px_bind_counts(&binder, &planned->chunk.counts);
  px_bind_text(&binder, messages);
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, planned->id);
  return px_run_bound(&binder, error);
}

bool px_chunk_done(PxDb *db, const PxPlannedChunk *planned, const GPtrArray *messages, int64_t now, GError **error) {
  char *json = px_messages_to_json(messages);
  bool stored = store_done(db, planned, json, now, error);
  free(json);
  PxBinder binder;
  if (!stored || !px_queue_statement(db, "file_add_counts", &binder, error))
    return false;
  px_bind_counts(&binder, &planned->chunk.counts);
  px_bind_integer(&binder, (int64_t)planned->chunk.counts.rows);
  px_bind_integer(&binder, planned->chunk.file_id);
  return px_run_bound(&binder, error) && px_counter_rows(db, planned->chunk.file_id, &planned->chunk.counts, error);
}

bool px_chunk_cancel(PxDb *db, int64_t file_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_cancel", &binder, error))
    return false;
  px_bind_integer(&binder, file_id);
  return px_run_bound(&binder, error);
}

GPtrArray *px_chunk_planned(PxDb *db, int64_t file_id, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "chunk_planned", &binder, error))
    return NULL;
  px_bind_integer(&binder, file_id);
  return px_read_rows(&binder, read_planned, free_row, error);
}

bool px_chunk_spool_wanted(PxDb *db, const char *spool, bool *ret_wanted, GError **error) {
  PxBinder binder;
  int64_t found;
  if (!px_queue_statement(db, "chunk_spool_wanted", &binder, error))
    return false;
  px_bind_text(&binder, spool);
  if (!px_run_for_id(&binder, &found, error))
    return false;
  *ret_wanted = found != 0;
  return true;
}
