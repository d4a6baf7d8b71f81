/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that tell what is in a filestore. */
#include "queue/blobs_private.h"

#include "queue/queue_private.h"

#define SOME 500 /* names that are listed at once */

bool px_blob_find(PxDb *db, const char *name, PxBlobRow *ret_row, GError **error) {
  PxBinder binder;
  *ret_row = (PxBlobRow){0};
  if (!px_queue_statement(db, "blob_find", &binder, error))
    return false;
  px_bind_text(&binder, name);
  PxStep step = px_stmt_step(binder.stmt, error);
  if (step == PX_STEP_ROW) {
    *ret_row = (PxBlobRow){
      .id = px_stmt_integer(binder.stmt, 0), .size = (uint64_t)px_stmt_integer(binder.stmt, 1), .touched = px_stmt_integer(binder.stmt, 2)};
    px_stmt_reset(binder.stmt);
  }
  return step != PX_STEP_ERROR;
}

bool px_blob_touch(PxDb *db, const char *name, int64_t at, bool *ret_there, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "blob_touch", &binder, error))
    return false;
  px_bind_integer(&binder, at);
  px_bind_text(&binder, name);
  if (!px_run_bound(&binder, error))
    return false;
  *ret_there = px_db_changes(db) == 1;
  return true;
}

static bool note(PxDb *db, const char *name, uint64_t size, int64_t at, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "blob_note", &binder, error))
    return false;
  px_bind_text(&binder, name);
  px_bind_integer(&binder, (int64_t)size);
  px_bind_integer(&binder, at);
  return px_run_bound(&binder, error);
}

static bool end(PxDb *db, bool own, bool done, GError **error) {
  done = done && (!own || px_db_commit(db, error));
  if (!done && own)
    px_db_rollback(db);
  return done;
}

bool px_blob_note(PxDb *db, const char *name, uint64_t size, int64_t at, GError **error) {
  bool own = !px_db_in_transaction(db);
  if (own && !px_db_begin(db, PX_TX_WRITE, error))
    return false;
  return end(db, own, note(db, name, size, at, error), error);
}

static gpointer read_kept(PxColumns *columns) {
  PxKeptBytes *kept = g_new0(PxKeptBytes, 1);
  kept->name = px_column_text(columns);
  kept->size = (uint64_t)px_column_integer(columns);
  return kept;
}

static void free_kept(gpointer row) {
  px_kept_bytes_free(row);
}

GPtrArray *px_blob_old(PxDb *db, const char *prefix, const char *behind, int64_t before, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "blob_old", &binder, error))
    return NULL;
  px_bind_text(&binder, behind);
  px_bind_filter(&binder, prefix);
  px_bind_integer(&binder, before);
  px_bind_limit(&binder, SOME);
  return px_read_rows(&binder, read_kept, free_kept, error);
}

static bool remove_row(PxDb *db, const char *name, int64_t before, bool *ret_removed, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "blob_remove", &binder, error))
    return false;
  px_bind_text(&binder, name);
  px_bind_integer(&binder, before);
  if (!px_run_bound(&binder, error))
    return false;
  *ret_removed = px_db_changes(db) > 0;
  return true;
}

bool px_blob_remove(PxDb *db, const char *name, int64_t before, PxBlobGone gone, void *data, GError **error) {
  bool own = !px_db_in_transaction(db);
  bool removed = false;
  if (own && !px_db_begin(db, PX_TX_WRITE, error))
    return false;
  bool done = remove_row(db, name, before, &removed, error) && (!gone || !removed || gone(name, data, error));
  return end(db, own, done, error);
}
