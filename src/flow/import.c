/* SPDX-License-Identifier: Apache-2.0 */
/* READ FIRST: the way of a file into the database, one call a step.
 *
 *   fetch.c          storage -> attachment, its bytes in the filestore
 *   remote_action.c  what becomes of the file in the storage
 *   this file        attachment -> pattern file -> chunks -> records
 *   split.c          with process_multi: attachment -> pattern file -> chunks of several parts, each loaded by a job of its own: chunk.c
 *   archive.c        an archive, an encrypted file -> an attachment for each file in it, imported like any other
 *   report.c         bad rows -> error file, back to the storage by upload.c
 *
 * Each transaction leaves a state from which the job goes on: a program that is killed anywhere finds the pattern file, the last chunk and the
 * place behind it.
 */
#include "flow/flow_private.h"

#include "base/hook.h"
#include "flow/split.h"

#include <unistd.h>

bool px_import_step(PxWork *work, GError **error) {
  g_auto(PxImport) import = {.work = work, .blob = -1};
  if (!px_import_open(&import, error) || !px_import_look(&import, error))
    return false;
  return import.wrapping ? px_import_unwrap(&import, error) : px_import_file(&import, error);
}

/* Where the file goes on; row 0: at its beginning. */
static bool find_place(const PxImport *import, uint64_t *ret_row, uint64_t *ret_place, GError **error) {
  PxChunk last;
  bool found = false;
  if (import->work->job && !px_chunk_last(import->work->project->db, import->file->id, &last, &found, error))
    return false;
  *ret_row = found ? last.next_row : 0;
  *ret_place = found ? last.next_place : 0;
  return true;
}

static bool load(PxImport *import, uint64_t row, uint64_t place, GError **error) {
  if (!px_feed_start(import->feed, row, place, error))
    return false;
  return import->pattern->abort ? px_import_load_whole(import, error) : px_import_load_chunks(import, error);
}

/* Partners rarely write marks: then each row makes a record, or collides with the one that it should have changed. */
static char *hint_of_keys(const PxImport *import) {
  const PxHeaderColumn *column = import->header ? px_pattern_unmarked_key(import->pattern, import->header) : NULL;
  if (!column || import->file->counts.created + import->file->counts.failed == 0)
    return NULL;
  return g_strdup_printf(
    "pattern %s has %s as key, but this header does not mark it, so each row is a new record: call the column %s#key (or give it "
    "a name of your own, with header: custom)",
    import->pattern->name, column->path, column->path);
}

bool px_import_file(PxImport *import, GError **error) {
  uint64_t row;
  uint64_t place;
  if (!find_place(import, &row, &place, error) || !px_import_check(import, row, place, error))
    return false;
  bool refused = import->messages && import->messages->len > 0;
  if (!refused && import->split && px_split_is_useful(import->split))
    return px_split_store(import->split, error);
  if (!(refused ? px_import_refuse(import, error) : load(import, row, place, error)))
    return false;
  import->work->summary = px_summary_new(import->file);
  import->work->summary->hint = hint_of_keys(import);
  if (!import->work->job)
    import->work->summary->messages = g_steal_pointer(&import->messages);
  return true;
}

/* ---- opening: the attachment, the pattern file, the pattern as it was at the start, the blob */

PxPatternFile *px_import_new_file(const PxPattern *pattern, const PxAttachment *attachment) {
  PxPatternFile *file = px_file_new(PX_FILE_IMPORT, pattern->name);
  file->state = PX_STATE_STARTED;
  file->snapshot = g_strdup(pattern->snapshot);
  file->snapshot_hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, pattern->snapshot, -1);
  file->attachment_id = attachment->id;
  file->name = g_strdup(attachment->name);
  file->task = g_strdup(attachment->task);
  file->bytes_total = attachment->size;
  return file;
}

/* The first transaction of the job: there is a pattern file, and the job knows it. Without it the job begins anew. */
static bool start_file(PxImport *import, GError **error) {
  PxWork *work = import->work;
  PxDb *db = work->project->db;
  int64_t now = px_project_now(work->project);
  if (!import->attachment->pattern) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "attachment %" G_GINT64_FORMAT " (%s) has no pattern to be imported by", import->attachment->id,
                import->attachment->name);
    return false;
  }
  const PxPattern *pattern = px_project_pattern(work->project, import->attachment->pattern, error);
  if (!pattern)
    return false;
  import->file = px_import_new_file(pattern, import->attachment);
  import->file->started = now;
  if (!px_work_begin_soon(work, error))
    return false;
  bool ok = px_file_add(db, import->file, now, error);
  work->job->file_id = import->file->id;
  return px_transaction_end(db, ok && px_job_store_subject(db, work->job, error), error);
}

/* A retry of only the rows that failed: their numbers, from the try before. */
static bool find_failed_rows(PxImport *import, GError **error) {
  PxDb *db = import->work->project->db;
  g_autoptr(PxFileMessages) messages = px_file_messages_open(db, import->file->previous_id);
  import->only_rows = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  const PxMessage *message;
  uint64_t last = 0;
  int found;
  while ((found = px_file_messages_next(messages, &message, error)) > 0)
    if (message->row > last) {
      last = message->row;
      g_array_append_val(import->only_rows, last);
    }
  return found == 0;
}

bool px_import_take_pattern(PxImport *import, GError **error) {
  const PxProject *project = import->work->project;
  const PxPatternFile *file = import->file;
  import->kept = px_patterns_from_snapshot(file->pattern, file->snapshot, project->schema, project->timezone, error);
  if (import->kept)
    import->pattern = px_patterns_get(import->kept, file->pattern);
  return import->kept != NULL;
}

bool px_import_open(PxImport *import, GError **error) {
  PxWork *work = import->work;
  PxProject *project = work->project;
  import->attachment = px_attachment_get(project->db, work->job->attachment_id, error);
  if (!import->attachment)
    return false;
  px_work_doing(work, "importing %s", import->attachment->name);
  if (work->job->file_id)
    import->file = px_file_get(project->db, work->job->file_id, error);
  else if (!start_file(import, error))
    return false;
  if (!import->file)
    return false;
  px_hook("import-file");
  import->file->state = PX_STATE_STARTED;
  if (!px_import_take_pattern(import, error))
    return false;
  if (import->file->failed_only && !find_failed_rows(import, error))
    return false;
  import->blob = px_filestore_read(project->filestore, import->attachment->sha256, error);
  return import->blob >= 0;
}

void px_import_done(PxImport *import) {
  px_split_free(import->split);
  px_loader_free(import->loader);
  px_feed_free(import->feed);
  px_header_free(import->header);
  px_patterns_free(import->kept);
  px_file_free(import->file);
  px_attachment_free(import->attachment);
  g_clear_pointer(&import->only_rows, g_array_unref);
  g_clear_pointer(&import->messages, g_ptr_array_unref);
  if (import->blob >= 0)
    (void)close(import->blob);
}
