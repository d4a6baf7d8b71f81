/* SPDX-License-Identifier: Apache-2.0 */
/* Chunk after chunk: filled and converted outside a transaction, loaded in one that also keeps the result and the place behind it. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "base/text.h"

/* Microseconds that a transaction aims at, and the rows that it has at most. On SQLite others wait for their turn meanwhile (design section 6); on a
 * server they wait for single records, and what a transaction takes by itself, such as each record's first lock, counts for more. */
#define CHUNK_TIME 100000
#define SERVER_CHUNK_TIME 300000
#define SERVER_MOST_ROWS (2 * PX_CHUNK_MOST_ROWS)
#define FIRST_ROWS 1000
#define LEAST_ROWS 200
#define PAUSE_STEP 1000 /* microseconds */
#define PAUSE_LIMIT 50000

/* How many rows the next chunk has, after one of n rows took so long. */
static uint64_t next_rows(const PxImport *import, uint64_t n, int64_t took) {
  bool on_server = px_db_dialect(import->work->project->db) != PX_DIALECT_SQLITE;
  if (import->pattern->chunk_size)
    return import->pattern->chunk_size;
  if (!n)
    return FIRST_ROWS;
  double wanted = (double)n * (on_server ? SERVER_CHUNK_TIME : CHUNK_TIME) / (double)MAX(took, 1);
  return CLAMP((uint64_t)CLAMP(wanted, (double)n / 2, (double)n * 2), LEAST_ROWS, on_server ? SERVER_MOST_ROWS : PX_CHUNK_MOST_ROWS);
}

/* Other programs get their turn at the database. */
static void let_others_in(PxDb *db) {
  for (int64_t waited = 0; waited < PAUSE_LIMIT && px_db_has_waiters(db); waited += PAUSE_STEP)
    g_usleep(PAUSE_STEP);
}

static void keep_messages(PxImport *import, const GPtrArray *messages) {
  for (guint i = 0; i < messages->len; i++)
    g_ptr_array_add(import->messages, px_message_copy(messages->pdata[i]));
}

/* The sentence that the summary has. */
static void say_stopped(PxImport *import, uint64_t row) {
  g_autofree char *failed = px_count_text(import->pattern->max_errors, "failed row");
  g_free(import->file->error);
  import->file->error = g_strdup_printf("stopped after %s (max_errors), at row %" G_GUINT64_FORMAT ": %s, those behind it were not looked at", failed,
                                        row, import->pattern->abort ? "nothing was imported" : "the good rows before it are imported");
}

bool px_import_load(PxImport *import, uint64_t failed, PxLoadResult *result, bool *ret_stop, GError **error) {
  PxDb *db = import->work->project->db;
  uint64_t limit = import->pattern->max_errors;
  uint64_t row;
  *ret_stop = false;
  if (!limit)
    return px_loader_load(import->loader, result, error);
  if (!px_db_savepoint(db, error) || !px_loader_load(import->loader, result, error))
    return false;
  bool cut = px_loader_cut(import->loader, limit > failed ? limit - failed : 1, &row);
  *ret_stop = cut || (row && !px_feed_at_end(import->feed));
  if (*ret_stop)
    say_stopped(import, row);
  if (!cut)
    return px_db_release(db, error);
  return px_db_rollback_to(db, error) && px_loader_load(import->loader, result, error);
}

/* The chunk's result beside its records, in the same transaction. */
static bool store_chunk(PxImport *import, PxChunk *chunk, const GPtrArray *messages, bool last, GError **error) {
  PxWork *work = import->work;
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  chunk->file_id = import->file->id;
  import->file->bytes_done = px_feed_bytes_done(import->feed);
  if (!px_chunk_add(db, chunk, messages, now, error))
    return false;
  if (last)
    return px_import_end(import, import->file->counts.failed ? PX_STATE_FAILED : PX_STATE_DONE, error);
  bool recovered = work->job->deaths || work->job->retries;
  return px_file_store(db, import->file, now, error) && (!recovered || px_job_progress(db, work->job, error));
}

typedef struct {
  PxChunk chunk;
  bool last;
} Next;

/* In the transaction. */
static bool load_and_store(PxImport *import, void *data, GError **error) {
  Next *next = data;
  PxLoadResult result = {0};
  bool stop;
  if (!px_import_load(import, import->file->counts.failed, &result, &stop, error))
    return false;
  next->chunk.counts = result.counts;
  if (stop)
    next->chunk.last_row = result.last_row;
  px_counts_add(&import->file->counts, &result.counts);
  next->last = stop || px_feed_at_end(import->feed);
  if (import->work->job)
    return store_chunk(import, &next->chunk, result.messages, next->last, error);
  if (result.messages)
    keep_messages(import, result.messages);
  return true;
}

bool px_import_begin(const PxImport *import, GError **error) {
  PxDb *db = import->work->project->db;
  if (!px_work_begin(import->work, error))
    return false;
  if (px_db_prefer_indexes(db, error))
    return true;
  px_db_rollback(db);
  return false;
}

/* As often as there are rows at most. */
bool px_import_commit(PxImport *import, PxImportLoad load, void *data, GError **error) {
  PxDb *db = import->work->project->db;
  for (size_t tries = px_loader_rows(import->loader);; tries--) {
    const PxCounts before = import->file->counts;
    g_autoptr(GError) problem = NULL;
    if (!px_import_begin(import, error))
      return false;
    if (px_transaction_end(db, load(import, data, &problem), &problem))
      return true;
    import->file->counts = before;
    if (tries == 0 || !g_error_matches(problem, PX_ERROR, PX_ERROR_ROLLED_BACK) || px_db_lost_dry_run(db)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
  }
}

/* A file without a row has no chunk. */
static bool end_without_chunk(PxImport *import, GError **error) {
  PxWork *work = import->work;
  PxState state = import->file->counts.failed ? PX_STATE_FAILED : PX_STATE_DONE;
  import->file->bytes_done = import->file->bytes_total;
  if (!work->job) {
    import->file->state = state;
    return true;
  }
  return px_work_begin(work, error) && px_transaction_end(work->project->db, px_import_end(import, state, error), error);
}

static void say_rows(const PxImport *import, const PxChunk *chunk) {
  if (!import->work->job)
    return;
  const char *name = import->attachment->name;
  if (chunk->last_row)
    px_work_doing(import->work, "importing %s, rows %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, name, chunk->first_row, chunk->last_row);
  else
    px_work_doing(import->work, "importing %s, rows after %" G_GUINT64_FORMAT, name, import->file->counts.rows);
  px_hook_about(chunk->last_row ? "rows-filled" : "rows-awaited", name);
}

bool px_import_load_chunks(PxImport *import, GError **error) {
  PxDb *db = import->work->project->db;
  uint64_t n = next_rows(import, 0, 0);
  for (Next next = {0}; !next.last;) {
    next.chunk = (PxChunk){0};
    say_rows(import, &next.chunk);
    if (!px_feed_fill(import->feed, import->loader, import->only_rows, n, &next.chunk, error))
      return false;
    if (!next.chunk.first_row)
      return end_without_chunk(import, error);
    say_rows(import, &next.chunk);
    px_hook("chunk-filled");
    int64_t began = g_get_monotonic_time();
    if (!px_import_commit(import, load_and_store, &next, error))
      return false;
    px_hook("chunk-committed");
    n = next_rows(import, n, g_get_monotonic_time() - began);
    px_loader_clear(import->loader);
    px_feed_release(import->feed);
    px_import_progress(import, "import", import->file->counts.rows, px_feed_bytes_done(import->feed));
    if (!next.last && px_project_stopped(import->work->project, error))
      return false;
    let_others_in(db);
  }
  if (!import->work->job)
    import->file->state = import->file->counts.failed ? PX_STATE_FAILED : PX_STATE_DONE;
  return true;
}
