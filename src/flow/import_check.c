/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a file before its first row is loaded: its syntax is whole, its header means something. */
#include "flow/flow_private.h"
#include "flow/split.h"

#include "base/hook.h"
#include "flow/plan.h"

static void free_message(gpointer message) {
  px_message_free(message);
}

static void refuse(GPtrArray *messages, const char *type, uint64_t row, const char *text) {
  const PxMessage message = {.row = row, .type = type, .message = text};
  g_ptr_array_add(messages, px_message_copy(&message));
}

/* An error of the file itself becomes a message; false: it is another one. */
static bool refuse_by_error(PxImport *import, GError **problem, GError **error) {
  if (!g_error_matches(*problem, PX_ERROR, PX_ERROR_REFUSED)) {
    g_propagate_error(error, g_steal_pointer(problem));
    return false;
  }
  refuse(import->messages, "file", 0, (*problem)->message);
  return true;
}

void px_import_progress(PxImport *import, const char *step, uint64_t rows, uint64_t bytes) {
  PxProgress progress = {.name = import->file->name,
                         .step = step,
                         .rows = rows,
                         .rows_total = import->file->rows_total,
                         .bytes = bytes,
                         .bytes_total = import->file->bytes_total};
  px_work_progress(import->work, &progress);
}

static void progress_of_check(uint64_t rows, uint64_t bytes, void *data) {
  px_import_progress(data, "check", rows, bytes);
}

/* NULL: it is refused, and messages say why. */
static PxHeader *compile_header(const PxImport *import, const PxNames *names, GPtrArray *messages) {
  if (!names || names->names->len == 0) {
    refuse(messages, "header", 0, "the file has no header: its first row must name the columns");
    return NULL;
  }
  guint n = names->names->len;
  g_autofree const char **headers = g_new(const char *, n);
  for (guint i = 0; i < n; i++)
    headers[i] = names->names->pdata[i];
  g_autoptr(PxHeader) header = px_pattern_compile_header(import->pattern, headers, names->only_nulls, n, names->row, messages);
  if (!header || px_header_root(header)->first)
    return g_steal_pointer(&header);
  refuse(messages, "header", names->row, "no column of the header is a field of the model");
  return NULL;
}

PxHeader *px_import_compile_header(const PxImport *import, const PxNames *names) {
  g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(free_message);
  return compile_header(import, names, messages);
}

static bool names_external_ids(const PxHeaderNode *node) {
  for (size_t i = 0; i < node->n_columns; i++)
    if (node->columns[i].kind == PX_COLUMN_EXT_ID)
      return true;
  for (size_t i = 0; i < node->n_children; i++)
    if (names_external_ids(node->children[i]))
      return true;
  return false;
}

static bool make_loader(PxImport *import, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxProject *project = import->work->project;
  /* External ids are kept in a table of ours, which may not be there yet where nothing else is kept. */
  if (!import->work->job && names_external_ids(px_header_root(import->header)) && !px_db_migrate(project->db, error))
    return false;
  import->loader = px_loader_new(project->db, project->schema, import->pattern, import->header, &problem);
  if (!import->loader)
    return refuse_by_error(import, &problem, error);
  px_loader_set_now(import->loader, px_project_now(project));
  if (!import->work->lost)
    import->work->lost = px_lost_rows_new();
  px_loader_set_lost_rows(import->loader, import->work->lost);
  px_loader_set_nested(import->loader, import->pattern->abort);
  const PxCounts *before = &import->file->counts;
  if (before->created && !before->updated && !before->unchanged)
    px_loader_expect_new(import->loader);
  if (import->work->plan)
    px_loader_set_recorder(import->loader, px_plan_record, import->work->plan);
  return true;
}

bool px_import_take_header(PxImport *import, const PxNames *names, GError **error) {
  if (!import->messages)
    import->messages = g_ptr_array_new_with_free_func(free_message);
  import->header = compile_header(import, names, import->messages);
  return !import->header || make_loader(import, error);
}

/* What a person waits for, and what may have to be begun again as a whole, goes the straight way. */
static bool may_split(const PxImport *import) {
  const PxWork *work = import->work;
  return import->pattern->partitions && work->job && !work->by_hand && !work->project->dry_run && !import->only_rows;
}

static bool read_file(PxImport *import, GError **error) {
  if (may_split(import))
    import->split = px_split_new(import);
  return px_feed_check(import->feed, import->file->bytes_total, import->split ? &px_split_sink : NULL, progress_of_check, import,
                       &import->file->rows_total, error);
}

bool px_import_check(PxImport *import, uint64_t resume_row, uint64_t resume_place, GError **error) {
  g_autoptr(GError) problem = NULL;
  import->messages = g_ptr_array_new_with_free_func(free_message);
  import->feed = px_feed_new(import->blob, import->pattern);
  /* What was loaded before a kill had been checked then; the header is read again in any case. */
  if (!(resume_row ? px_feed_start(import->feed, resume_row, resume_place, &problem) : read_file(import, &problem)))
    return refuse_by_error(import, &problem, error);
  px_hook("import-checked");
  return px_import_take_header(import, px_feed_header(import->feed), error);
}

/* What a list shows of it: the first message. */
static void keep_reason(PxImport *import) {
  const PxMessage *first = import->messages->pdata[0];
  guint more = import->messages->len - 1;
  g_free(import->file->error);
  import->file->error = more ? g_strdup_printf("%s (and %u more)", first->message, more) : g_strdup(first->message);
}

bool px_import_refuse(PxImport *import, GError **error) {
  PxWork *work = import->work;
  PxProject *project = work->project;
  keep_reason(import);
  if (import->file->counts.rows > 0) { /* its schema changed between two parts of it */
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "the file cannot be continued: %s", import->file->error);
    return false;
  }
  if (!work->job) {
    import->file->state = PX_STATE_REFUSED;
    return true;
  }
  if (!px_work_begin(work, error))
    return false;
  const PxChunk whole = {.file_id = import->file->id, .next_place = UINT64_MAX};
  bool ok = px_chunk_add(project->db, &whole, import->messages, px_project_now(project), error) && px_import_end(import, PX_STATE_REFUSED, error);
  return px_transaction_end(project->db, ok, error);
}
