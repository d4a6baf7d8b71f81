/* SPDX-License-Identifier: Apache-2.0 */
/* on_error: abort. All chunks in one transaction; when a row fails it is rolled back, and the messages are stored in a second one. */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "flow/held.h"

/* Everything, in the transaction that is open. */
static bool load_all(PxImport *import, PxHeld *held, GError **error) {
  uint64_t n = import->pattern->chunk_size ? import->pattern->chunk_size : PX_CHUNK_MOST_ROWS;
  PxCounts *counts = &import->whole_counts;
  bool stop;
  do {
    PxChunk chunk;
    if (!px_feed_fill(import->feed, import->loader, import->only_rows, n, &chunk, error))
      return false;
    if (!chunk.first_row)
      return true;
    PxLoadResult result = {0};
    if (!px_import_load(import, counts->failed, &result, &stop, error))
      return false;
    chunk.counts = result.counts;
    if (stop)
      chunk.last_row = result.last_row;
    if (!px_held_add(held, &chunk, result.messages, error))
      return false;
    px_counts_add(counts, &result.counts);
    px_loader_clear(import->loader);
    px_feed_release(import->feed);
    px_import_progress(import, "import", counts->rows, px_feed_bytes_done(import->feed));
  } while (!stop && !px_feed_at_end(import->feed));
  return true;
}

/* When the database itself ends the transaction, the rows before are gone with the one to blame: all is begun again, and that row is known to have
 * failed. */
static bool load_all_again(PxImport *import, PxHeld *held, GError **error) {
  PxDb *db = import->work->project->db;
  for (;;) {
    unsigned known = px_lost_rows_known(import->work->lost);
    g_autoptr(GError) problem = NULL;
    if (!px_import_begin(import, error))
      return false;
    if (load_all(import, held, &problem))
      return true;
    px_db_rollback(db);
    if (px_lost_rows_known(import->work->lost) == known || px_db_lost_dry_run(db)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    import->whole_counts = (PxCounts){0};
    px_loader_clear(import->loader);
    px_feed_release(import->feed);
    if (!px_held_clear(held, error) || !px_feed_start(import->feed, 0, 0, error))
      return false;
  }
}

/* Nothing was written, so no row was. */
static void forget_writes(PxCounts *counts) {
  counts->created = counts->updated = counts->unchanged = 0;
}

static void keep_messages(PxImport *import, const GPtrArray *messages) {
  for (guint i = 0; i < messages->len; i++)
    g_ptr_array_add(import->messages, px_message_copy(messages->pdata[i]));
}

/* Chunk after chunk: the messages of one are in memory. */
static bool store_chunks(PxImport *import, PxHeld *held, bool rolled_back, GError **error) {
  PxWork *work = import->work;
  PxChunk chunk;
  int more;
  if (!px_held_rewind(held, error))
    return false;
  for (;;) {
    g_autoptr(GPtrArray) messages = NULL;
    more = px_held_next(held, &chunk, &messages, error);
    if (more <= 0)
      return more == 0;
    chunk.file_id = import->file->id;
    if (rolled_back)
      forget_writes(&chunk.counts);
    if (!work->job)
      keep_messages(import, messages);
    else if (!px_chunk_add(work->project->db, &chunk, messages, px_project_now(work->project), error))
      return false;
  }
}

static bool store(PxImport *import, PxHeld *held, bool rolled_back, GError **error) {
  PxPatternFile *file = import->file;
  file->counts = import->whole_counts;
  file->bytes_done = px_feed_bytes_done(import->feed);
  PxState state = file->counts.failed ? PX_STATE_FAILED : PX_STATE_DONE;
  if (!store_chunks(import, held, rolled_back, error))
    return false;
  if (import->work->job)
    return px_import_end(import, state, error);
  file->state = state;
  return true;
}

bool px_import_load_whole(PxImport *import, GError **error) {
  PxDb *db = import->work->project->db;
  g_autoptr(PxHeld) held = px_held_new(error);
  if (!held || !load_all_again(import, held, error))
    return false;
  bool roll_back = import->whole_counts.failed > 0;
  if (roll_back) {
    px_db_rollback(db);
    px_hook("whole-rolled-back");
    forget_writes(&import->whole_counts);
    if (!px_work_begin(import->work, error))
      return false;
  }
  bool done = px_transaction_end(db, store(import, held, roll_back, error), error);
  px_hook("whole-committed");
  return done;
}
