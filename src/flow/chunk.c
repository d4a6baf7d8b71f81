/* SPDX-License-Identifier: Apache-2.0 */
/* process_multi, after the split (split.c): a job loads a chunk and makes the job of the next one of its part; another one waits for all of them
 * and ends the file. */
#include "base/hook.h"
#include "flow/flow_private.h"
#include "flow/spool.h"

#include <unistd.h>

/* ---- jobs */

/* A job that goes on with the file of another one, before other files get their turn. */
static PxJob *new_job(const PxProject *project, const char *kind, const PxJob *of, int64_t subject) {
  g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, subject);
  PxJob *job = px_work_new_job(project, kind, of->task, text);
  bool follows = strcmp(of->kind, "import") != 0;
  job->priority = of->priority - !follows;
  job->attachment_id = of->attachment_id;
  job->file_id = of->file_id;
  return job;
}

bool px_chunk_let_finish_wait(PxProject *project, const PxJob *job, GError **error) {
  g_autoptr(PxJob) finish = new_job(project, "finish", job, job->file_id);
  int64_t now = px_project_now(project);
  return px_job_enqueue(project->db, finish, now, error) && px_job_wait(project->db, finish, job->id, PX_WAIT_ENDED, now, error);
}

bool px_chunk_enqueue_next(PxProject *project, const PxJob *of, unsigned part, GError **error) {
  g_autoptr(PxPlannedChunk) next = NULL;
  if (!px_chunk_next(project->db, of->file_id, part, &next, error))
    return false;
  if (!next)
    return true;
  g_autoptr(PxJob) job = new_job(project, "chunk", of, next->id);
  return px_job_enqueue(project->db, job, px_project_now(project), error) && px_chunk_give(project->db, next->id, job->id, error) &&
         px_chunk_let_finish_wait(project, job, error);
}

/* ---- a chunk */

typedef struct {
  PxImport import;
  PxPlannedChunk *planned;
  PxSpool *spool;
  GPtrArray *batches; /* PxRowBatch *: what the loader looks at */
} Chunk;

static void chunk_clear(Chunk *chunk) {
  px_import_done(&chunk->import);
  px_planned_chunk_free(chunk->planned);
  px_spool_free(chunk->spool);
  g_ptr_array_unref(chunk->batches);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Chunk, chunk_clear)

static const PxRowBatch *next_batch(const Chunk *chunk, GError **error) {
  g_autofree PxRowBatch *batch = px_spool_next(chunk->spool, error);
  if (!batch)
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "the spool %s ends before its chunk", chunk->planned->spool);
  else
    g_ptr_array_add(chunk->batches, batch);
  return g_steal_pointer(&batch);
}

static bool read_header(Chunk *chunk, GError **error) {
  PxImport *import = &chunk->import;
  const PxRowBatch *batch = next_batch(chunk, error);
  if (!batch)
    return false;
  g_autoptr(PxNames) names = px_names_read(batch, 0);
  return px_import_take_header(import, names, error);
}

static bool read_rows(Chunk *chunk, GError **error) {
  uint64_t wanted = chunk->planned->chunk.counts.rows;
  if (!px_spool_seek(chunk->spool, chunk->planned->place, error))
    return false;
  for (uint64_t n = 0; n < wanted;) {
    const PxRowBatch *batch = next_batch(chunk, error);
    if (!batch)
      return false;
    px_loader_add(chunk->import.loader, batch, 0, batch->n_rows);
    n += batch->n_rows;
  }
  return true;
}

/* What was refused at the split would have been refused there: it changed meanwhile. */
static bool cannot_go_on(const PxImport *import, GError **error) {
  const PxMessage *first = import->messages->pdata[0];
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "the file cannot be continued: %s", first->message);
  return false;
}

static bool open_chunk(Chunk *chunk, GError **error) {
  PxImport *import = &chunk->import;
  PxProject *project = import->work->project;
  int fd = px_filestore_spool_read(project->filestore, chunk->planned->spool, chunk->planned->part - 1, error);
  if (fd < 0)
    return false;
  chunk->spool = px_spool_open(fd);
  if (!px_import_take_pattern(import, error) || !read_header(chunk, error))
    return false;
  return import->messages->len ? cannot_go_on(import, error) : read_rows(chunk, error);
}

/* In the transaction. A file that somebody has ended meanwhile is not continued. */
static bool load_chunk(PxImport *import, void *data, GError **error) {
  Chunk *chunk = data;
  PxProject *project = import->work->project;
  const PxJob *job = import->work->job;
  PxLoadResult result = {0};
  if (!px_loader_load(import->loader, &result, error))
    return false;
  int64_t now = px_project_now(project);
  chunk->planned->chunk.counts = result.counts;
  g_autoptr(PxPatternFile) file = px_file_get(project->db, job->file_id, error);
  if (!file || !px_chunk_done(project->db, chunk->planned, result.messages, now, error))
    return false;
  if (file->state == PX_STATE_STARTED && !px_chunk_enqueue_next(project, job, chunk->planned->part, error))
    return false;
  return px_job_done(project->db, job, now, error);
}

static bool end_job(PxWork *work, GError **error) {
  PxProject *project = work->project;
  return px_work_begin(work, error) && px_transaction_end(project->db, px_job_done(project->db, work->job, px_project_now(project), error), error);
}

static void tell_progress(PxWork *work, const PxPatternFile *before, const PxChunk *chunk) {
  const PxProgress progress = {.name = before->name,
                               .step = "import",
                               .rows = before->counts.rows + chunk->counts.rows,
                               .rows_total = before->rows_total,
                               .bytes = before->bytes_done,
                               .bytes_total = before->bytes_total};
  px_work_progress(work, &progress);
}

bool px_chunk_step(PxWork *work, GError **error) {
  g_auto(Chunk) chunk = {.import = {.work = work, .blob = -1}, .batches = g_ptr_array_new_with_free_func(g_free)};
  PxImport *import = &chunk.import;
  PxDb *db = work->project->db;
  import->file = px_file_get(db, work->job->file_id, error);
  chunk.planned = import->file ? px_chunk_of_job(db, work->job->id, error) : NULL;
  if (!chunk.planned)
    return false;
  if (import->file->state != PX_STATE_STARTED)
    return end_job(work, error);
  px_work_doing(work, "importing %s, rows from %" G_GUINT64_FORMAT, import->file->name, chunk.planned->chunk.first_row);
  if (!open_chunk(&chunk, error))
    return false;
  px_hook("part-filled");
  if (!px_import_commit(import, load_chunk, &chunk, error))
    return false;
  px_hook("part-committed");
  tell_progress(work, import->file, &chunk.planned->chunk);
  return true;
}

/* ---- the end of the file */

/* What a list shows of chunks that were not loaded; how many there are. */
static unsigned note_missing(PxPatternFile *file, const GPtrArray *chunks) {
  const PxPlannedChunk *first = NULL;
  unsigned missing = 0;
  for (guint i = 0; i < chunks->len; i++) {
    const PxPlannedChunk *planned = chunks->pdata[i];
    if (planned->state == PX_STATE_DONE)
      continue;
    missing++;
    if (!first || (!first->job_id && planned->job_id))
      first = planned;
  }
  if (first) {
    g_free(file->error);
    file->error = g_strdup_printf("%u of %u chunks were not loaded: rows from %" G_GUINT64_FORMAT " on: %s; retry job %" G_GINT64_FORMAT, missing,
                                  chunks->len, first->chunk.first_row, first->error ? first->error : px_state_name(first->state), first->job_id);
  }
  return missing;
}

/* Spools that a split left that was killed, and those of files that nobody goes on with. What cannot be removed now is another time. */
static void sweep_spools(const PxProject *project) {
  g_autoptr(GPtrArray) names = px_filestore_spools_old(project->filestore, px_project_now(project) / G_USEC_PER_SEC);
  for (guint i = 0; i < names->len; i++) {
    bool wanted;
    if (px_chunk_spool_wanted(project->db, names->pdata[i], &wanted, NULL) && !wanted)
      px_filestore_spools_remove(project->filestore, names->pdata[i]);
  }
}

static bool end_file(PxImport *import, const GPtrArray *chunks, unsigned *ret_missing, GError **error) {
  PxPatternFile *file = import->file;
  g_clear_pointer(&file->error, g_free);
  *ret_missing = note_missing(file, chunks);
  if (!*ret_missing)
    file->bytes_done = file->bytes_total;
  return px_import_end(import, *ret_missing || file->counts.failed ? PX_STATE_FAILED : PX_STATE_DONE, error);
}

bool px_finish_step(PxWork *work, GError **error) {
  PxProject *project = work->project;
  g_auto(PxImport) import = {.work = work, .blob = -1};
  unsigned missing;
  import.file = px_file_get(project->db, work->job->file_id, error);
  import.attachment = import.file ? px_attachment_get(project->db, import.file->attachment_id, error) : NULL;
  if (!import.attachment)
    return false;
  if (import.file->state != PX_STATE_STARTED)
    return end_job(work, error);
  g_autoptr(GPtrArray) chunks = px_chunk_planned(project->db, import.file->id, error);
  px_hook("finish-begun");
  if (!chunks || !px_work_begin(work, error) || !px_transaction_end(project->db, end_file(&import, chunks, &missing, error), error))
    return false;
  px_hook("finish-committed");
  const PxPlannedChunk *any = chunks->len && !missing ? chunks->pdata[0] : NULL;
  if (any)
    px_filestore_spools_remove(project->filestore, any->spool);
  sweep_spools(project);
  work->summary = px_summary_new(import.file);
  return true;
}
