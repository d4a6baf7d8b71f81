/* SPDX-License-Identifier: Apache-2.0 */
/* on_error: abort. All chunks in one transaction; when a row fails it is rolled back, and the messages are stored in a second one. */
#include "flow/flow_private.h"

#include "base/hook.h"

/* What is stored of a chunk, for either transaction. */
typedef struct {
  PxChunk chunk;
  GPtrArray *messages; /* PxMessage *; NULL: none */
} Part;

static void clear_part(gpointer data) {
  g_clear_pointer(&((Part *)data)->messages, g_ptr_array_unref);
}

static void free_message(gpointer message) {
  px_message_free(message);
}

static void add_part(GArray *parts, const PxChunk *chunk, const PxLoadResult *result) {
  Part part = {.chunk = *chunk};
  part.chunk.counts = result->counts;
  if (result->messages && result->messages->len) {
    part.messages = g_ptr_array_new_with_free_func(free_message);
    for (guint i = 0; i < result->messages->len; i++)
      g_ptr_array_add(part.messages, px_message_copy(result->messages->pdata[i]));
  }
  g_array_append_val(parts, part);
}

/* Everything, in the transaction that is open. */
static bool load_all(PxImport *import, GArray *parts, GError **error) {
  uint64_t n = import->pattern->chunk_size ? import->pattern->chunk_size : PX_CHUNK_MOST_ROWS;
  PxCounts *counts = &import->whole_counts;
  do {
    PxChunk chunk;
    if (!px_feed_fill(import->feed, import->loader, import->only_rows, n, &chunk, error))
      return false;
    if (!chunk.first_row)
      return true;
    PxLoadResult result = {0};
    if (!px_loader_load(import->loader, &result, error))
      return false;
    add_part(parts, &chunk, &result);
    px_counts_add(counts, &result.counts);
    px_loader_clear(import->loader);
    px_feed_release(import->feed);
    px_import_progress(import, "import", counts->rows, px_feed_bytes_done(import->feed));
  } while (!px_feed_at_end(import->feed) && !px_import_too_many_errors(import, counts->failed));
  return true;
}

/* When the database itself ends the transaction, the rows before are gone with the one to blame: all is begun again, and that row is known to have
 * failed. */
static bool load_all_again(PxImport *import, GArray *parts, GError **error) {
  PxDb *db = import->work->project->db;
  for (;;) {
    unsigned known = px_lost_rows_known(import->work->lost);
    g_autoptr(GError) problem = NULL;
    if (!px_work_begin(import->work, error))
      return false;
    if (load_all(import, parts, &problem))
      return true;
    px_db_rollback(db);
    if (px_lost_rows_known(import->work->lost) == known || px_db_lost_dry_run(db)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    g_array_set_size(parts, 0);
    import->whole_counts = (PxCounts){0};
    px_loader_clear(import->loader);
    px_feed_release(import->feed);
    if (!px_feed_start(import->feed, 0, 0, error))
      return false;
  }
}

/* The second transaction: nothing was written, so no row was. */
static void forget_writes(PxImport *import, GArray *parts) {
  for (guint i = 0; i < parts->len; i++) {
    PxCounts *counts = &g_array_index(parts, Part, i).chunk.counts;
    counts->created = counts->updated = counts->unchanged = 0;
  }
  PxCounts *counts = &import->whole_counts;
  counts->created = counts->updated = counts->unchanged = 0;
}

static bool store(PxImport *import, const GArray *parts, GError **error) {
  PxWork *work = import->work;
  PxPatternFile *file = import->file;
  file->counts = import->whole_counts;
  file->bytes_done = px_feed_bytes_done(import->feed);
  PxState state = file->counts.failed ? PX_STATE_FAILED : PX_STATE_DONE;
  for (guint i = 0; i < parts->len; i++) {
    Part *part = &g_array_index(parts, Part, i);
    part->chunk.file_id = file->id;
    if (work->job && !px_chunk_add(work->project->db, &part->chunk, part->messages, px_project_now(work->project), error))
      return false;
    for (guint k = 0; !work->job && part->messages && k < part->messages->len; k++)
      g_ptr_array_add(import->messages, px_message_copy(part->messages->pdata[k]));
  }
  if (work->job)
    return px_import_end(import, state, error);
  file->state = state;
  return true;
}

bool px_import_load_whole(PxImport *import, GError **error) {
  PxDb *db = import->work->project->db;
  g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
  g_array_set_clear_func(parts, clear_part);
  if (!load_all_again(import, parts, error))
    return false;
  if (import->whole_counts.failed) {
    px_db_rollback(db);
    px_hook("whole-rolled-back");
    forget_writes(import, parts);
    if (!px_work_begin(import->work, error))
      return false;
  }
  bool done = px_transaction_end(db, store(import, parts, error), error);
  px_hook("whole-committed");
  return done;
}
