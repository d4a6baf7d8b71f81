/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/clean.h"

#include "queue/queue_private.h"

static GPtrArray *old_ones(PxDb *db, const char *statement, int64_t before, uint64_t limit, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return NULL;
  px_bind_integer(&binder, before);
  px_bind_limit(&binder, limit);
  return px_read_rows(&binder, px_read_id, g_free, error);
}

/* Runs a statement for an id, which it takes n times. */
static bool run_for(PxDb *db, const char *statement, int64_t id, unsigned n, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, error))
    return false;
  for (unsigned i = 0; i < n; i++)
    px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}

bool px_clean_jobs(PxDb *db, int64_t before, uint64_t limit, uint64_t *ret_n, GError **error) {
  g_autoptr(GPtrArray) ids = old_ones(db, "job_old", before, limit, error);
  for (guint i = 0; ids && i < ids->len; i++) {
    int64_t id = *(int64_t *)ids->pdata[i];
    if (!run_for(db, "job_remove_needs", id, 2, error) || !run_for(db, "job_remove", id, 1, error))
      return false;
  }
  *ret_n = ids ? ids->len : 0;
  return ids != NULL;
}

bool px_clean_notices(PxDb *db, int64_t before, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "notice_old", &binder, error))
    return false;
  px_bind_integer(&binder, before);
  return px_run_bound(&binder, error);
}

bool px_clean_files(PxDb *db, int64_t before, uint64_t limit, uint64_t *ret_n, GError **error) {
  static const char *const statements[] = {"file_remove_chunks", "file_remove_before", "file_remove"};
  g_autoptr(GPtrArray) ids = old_ones(db, "file_old", before, limit, error);
  for (guint i = 0; ids && i < ids->len; i++)
    for (size_t k = 0; k < G_N_ELEMENTS(statements); k++)
      if (!run_for(db, statements[k], *(int64_t *)ids->pdata[i], 1, error))
        return false;
  *ret_n = ids ? ids->len : 0;
  return ids != NULL;
}

/* ---- attachments */

typedef struct {
  int64_t id;
  PxDirection direction;
  char *task;
  bool is_remote; /* of a remote file that is still there */
} Old;

static void free_old(gpointer data) {
  Old *old = data;
  g_free(old->task);
  g_free(old);
}

static gpointer read_old(PxColumns *columns) {
  static const char *const directions[] = {"import", "export", "error"};
  Old *old = g_new0(Old, 1);
  old->id = px_column_integer(columns);
  old->direction = (PxDirection)px_column_word(columns, directions, G_N_ELEMENTS(directions));
  old->task = px_column_text(columns);
  old->is_remote = px_column_integer(columns) != 0;
  return old;
}

static bool strip(PxDb *db, int64_t id, int64_t now, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "attachment_strip", &binder, error))
    return false;
  px_bind_integer(&binder, now);
  px_bind_integer(&binder, id);
  return px_run_bound(&binder, error);
}

bool px_clean_attachments(PxDb *db, int64_t behind, int64_t before, int64_t now, uint64_t limit, PxKeepsRow keeps, void *data,
                          PxCleanedAttachments *ret_cleaned, GError **error) {
  PxBinder binder;
  *ret_cleaned = (PxCleanedAttachments){0};
  if (!px_queue_statement(db, "attachment_old", &binder, error))
    return false;
  px_bind_integer(&binder, behind);
  px_bind_integer(&binder, before);
  px_bind_limit(&binder, limit);
  g_autoptr(GPtrArray) all = px_read_rows(&binder, read_old, free_old, error);
  for (guint i = 0; all && i < all->len; i++) {
    const Old *old = all->pdata[i];
    bool stays = old->is_remote || keeps(old->task, old->direction, data);
    if (!(stays ? strip(db, old->id, now, error) : run_for(db, "attachment_remove", old->id, 1, error)))
      return false;
    ret_cleaned->stripped += stays;
    ret_cleaned->removed += !stays;
    ret_cleaned->last = old->id;
  }
  if (all && all->len < limit)
    ret_cleaned->last = 0;
  return all != NULL;
}

bool px_blob_is_needed(PxDb *db, const char *sha256, bool *ret_needed, GError **error) {
  PxBinder binder;
  int64_t found;
  if (!px_queue_statement(db, "attachment_of_blob", &binder, error))
    return false;
  px_bind_text(&binder, sha256);
  if (!px_run_for_id(&binder, &found, error))
    return false;
  *ret_needed = found != 0;
  return true;
}
