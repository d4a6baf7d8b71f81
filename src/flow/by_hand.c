/* SPDX-License-Identifier: Apache-2.0 */
/* `import` and `export` by hand: the same steps, with a job that is this program's from the start; or (no history) without any row of ours. */
#include "flow/flow_private.h"

#include "base/file.h"
#include "base/hook.h"
#include "flow/paths.h"
#include "flow/plan.h"
#include "format/pack.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- import */

/* Runs the step of a job that is ours. Its failure is this command's. */
static bool run_own_job(PxWork *work, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxState state;
  work->by_hand = true;
  if (!px_run_job(work, false, &state, &problem, error))
    return false;
  if (state == PX_STATE_DONE)
    return true;
  if (problem)
    g_propagate_error(error, g_steal_pointer(&problem));
  else
    g_set_error(error, PX_ERROR, PX_ERROR_FENCED, "another worker has taken over job %" G_GINT64_FORMAT, work->job->id);
  return false;
}

static PxJob *new_own_job(const PxProject *project, const char *kind, int64_t attachment_id, int64_t file_id) {
  g_autofree char *subject = g_strdup_printf("%" G_GINT64_FORMAT, attachment_id);
  PxJob *job = px_work_new_job(project, kind, NULL, subject);
  job->attachment_id = attachment_id;
  job->file_id = file_id;
  return job;
}

/* One transaction: the attachment and its job, which this program has from the start. */
static PxJob *add_import(PxProject *project, const PxWorker *worker, PxAttachment *attachment, GError **error) {
  int64_t now = px_project_now(project);
  g_autoptr(PxJob) job = NULL;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return NULL;
  bool ok = px_attachment_add(project->db, attachment, now, error);
  job = new_own_job(project, "import", attachment->id, 0);
  ok = ok && px_job_enqueue_started(project->db, job, worker, now, error);
  return px_transaction_end(project->db, ok, error) ? g_steal_pointer(&job) : NULL;
}

static bool write_error_file(PxProject *project, const PxPattern *pattern, int blob, PxSummary *summary, const char *path, GError **error) {
  if (summary->state == PX_STATE_REFUSED || summary->counts.failed == 0)
    return true;
  PX_PATH_FD out = px_temporary_file(error);
  uint64_t rows;
  if (out < 0 || !px_report_write(project, pattern, blob, summary, out, &rows, error) || !px_path_deliver(out, path, error))
    return false;
  summary->error_file = g_strdup(path);
  return true;
}

typedef struct {
  PxProject *project;
  const PxImportByHand *options;
  const PxPattern *pattern;
  const PxWorker *worker; /* NULL: no history */
  PxAttachment *attachment;
  int64_t archive;  /* the attachment that it was in; 0: none */
  int blob;         /* its bytes; -1: none */
  PxPlan *plan;     /* NULL: none is wanted */
  PxLostRows *lost; /* what the tries before found out */
} Hand;

static PxSummary *try_with_history(const Hand *hand, PxWork *work, GError **error) {
  g_autoptr(PxJob) job = add_import(hand->project, hand->worker, hand->attachment, error);
  if (!job)
    return NULL;
  px_hook("by-hand-added");
  work->job = job;
  bool done = run_own_job(work, error);
  work->job = NULL;
  return done ? g_steal_pointer(&work->summary) : NULL;
}

static PxSummary *try_without_history(const Hand *hand, PxWork *work, GError **error) {
  g_auto(PxImport) import = {.work = work, .pattern = hand->pattern, .blob = fcntl(hand->blob, F_DUPFD_CLOEXEC, 0)};
  import.file = px_import_new_file(hand->pattern, hand->attachment);
  return px_import_file(&import, error) ? g_steal_pointer(&work->summary) : NULL;
}

/* When the database itself ends the transaction of a dry run because of a row, all is begun again and that row is known to fail. */
static PxSummary *import_again(Hand *hand, GError **error) {
  PxDb *db = hand->project->db;
  for (;;) {
    g_autoptr(GError) problem = NULL;
    unsigned known = px_lost_rows_known(hand->lost);
    g_auto(PxWork) work = {.project = hand->project,
                           .worker = hand->worker,
                           .progress = hand->options->progress,
                           .data = hand->options->data,
                           .lost = g_steal_pointer(&hand->lost),
                           .plan = hand->plan};
    if (hand->plan && !px_plan_begin(hand->plan, error))
      return NULL;
    g_autoptr(PxSummary) summary = (hand->worker ? try_with_history : try_without_history)(hand, &work, &problem);
    if (summary)
      return g_steal_pointer(&summary);
    if (!px_db_lost_dry_run(db) || px_lost_rows_known(work.lost) == known) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return NULL;
    }
    px_db_rollback(db);
    if (!px_db_again_dry_run(db, error))
      return NULL;
    hand->lost = g_steal_pointer(&work.lost);
  }
}

/* A plan is written in the dry run that it is of. */
static PxSummary *import_by_hand(Hand *hand, GError **error) {
  const char *path = hand->options->plan;
  g_autoptr(PxPlan) plan = path ? px_plan_new(hand->project) : NULL;
  hand->plan = plan;
  g_autoptr(PxSummary) summary = import_again(hand, error);
  if (!summary || !path || summary->state == PX_STATE_REFUSED)
    return g_steal_pointer(&summary);
  const char *known = hand->attachment->sha256;
  g_autofree char *sha256 = known ? g_strdup(known) : px_path_sha256(hand->blob, hand->options->file, error);
  return sha256 && px_plan_save(plan, summary, sha256, path, error) ? g_steal_pointer(&summary) : NULL;
}

static PxSummary *import_with_history(Hand *hand, int fd, GError **error) {
  PxFilestore *filestore = hand->project->filestore;
  PxBlob blob;
  if (!px_filestore_add(filestore, fd, &blob, error))
    return NULL;
  hand->attachment->pattern = g_strdup(hand->pattern->name);
  hand->attachment->sha256 = g_strdup(blob.sha256);
  hand->attachment->size = blob.size;
  hand->blob = px_filestore_read(filestore, blob.sha256, error);
  return hand->blob >= 0 ? import_by_hand(hand, error) : NULL;
}

static PxSummary *import_without_history(Hand *hand, int fd, GError **error) {
  hand->blob = px_path_seekable(fd, hand->options->file, &hand->attachment->size, error);
  return hand->blob >= 0 ? import_by_hand(hand, error) : NULL;
}

/* Imports fd under that name; error_file: NULL: none. */
static PxSummary *import_one(Hand *hand, const char *name, int fd, const char *error_file, GError **error) {
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->parent_id = hand->archive;
  hand->attachment = attachment;
  g_autoptr(PxSummary) summary = (hand->worker ? import_with_history : import_without_history)(hand, fd, error);
  PX_PATH_FD blob = hand->blob;
  hand->attachment = NULL;
  hand->blob = -1;
  if (!summary || !error_file)
    return g_steal_pointer(&summary);
  return write_error_file(hand->project, hand->pattern, blob, summary, error_file, error) ? g_steal_pointer(&summary) : NULL;
}

/* ---- what lies in archives */

static bool is_folder(const char *path) {
  return g_str_has_suffix(path, "/") || g_file_test(path, G_FILE_TEST_IS_DIR);
}

static bool check_places(const PxImportByHand *options, const PxOpened *opened, GError **error) {
  const char *wrong = NULL;
  if (opened->members->len < 2)
    return true;
  if (options->plan)
    wrong = "a plan is of one file; take them out and plan each";
  else if (options->error_file && !is_folder(options->error_file))
    wrong = "name a folder for their bad rows, --error-file FOLDER/";
  if (wrong)
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: there are %u files in it: %s", options->file, opened->members->len, wrong);
  return !wrong;
}

/* Where the bad rows of a member go. Two of one name may come from two folders of an archive. NULL: nowhere. Caller frees. */
static char *error_path(const PxImportByHand *options, const char *name, GHashTable *taken) {
  if (!options->error_file || !is_folder(options->error_file))
    return g_strdup(options->error_file);
  (void)g_mkdir_with_parents(options->error_file, 0777); /* where that fails, writing in it tells why */
  char *path = g_build_filename(options->error_file, name, NULL);
  for (unsigned n = 1; g_hash_table_contains(taken, path); n++) {
    g_autofree char *numbered = g_strdup_printf("%u-%s", n, name);
    g_free(path);
    path = g_build_filename(options->error_file, numbered, NULL);
  }
  g_hash_table_add(taken, g_strdup(path));
  return path;
}

static PxSummary *import_member(Hand *hand, const PxOpened *opened, const PxUnpacked *member, const char *error_file, GError **error) {
  if (opened->members->len == 1)
    return import_one(hand, member->name, opened->fd, error_file, error);
  PX_PATH_FD fd = px_temporary_file(error);
  if (fd < 0 || !px_opened_copy(opened->fd, fd, member->size, error) || lseek(fd, 0, SEEK_SET) < 0)
    return NULL;
  PxSummary *summary = import_one(hand, member->name, fd, error_file, error);
  if (!summary)
    g_prefix_error(error, "%s in %s: ", member->name, hand->options->file);
  return summary;
}

static bool import_members(Hand *hand, const PxOpened *opened, GError **error) {
  const PxImportByHand *options = hand->options;
  g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < opened->members->len; i++) {
    const PxUnpacked *member = &g_array_index(opened->members, PxUnpacked, i);
    g_autofree char *error_file = error_path(options, member->name, taken);
    PxSummary *summary = import_member(hand, opened, member, error_file, error);
    if (!summary)
      return false;
    summary->archive = opened->is_archive ? px_path_name(options->file) : NULL;
    if (!options->take(summary, options->take_data, error))
      return false;
  }
  return true;
}

/* What lay in it is imported beneath it, so that the history has what was given to us, signatures and all. */
static bool keep_archive(Hand *hand, int fd, const char *name, GError **error) {
  PxDb *db = hand->project->db;
  PxBlob blob;
  if (lseek(fd, 0, SEEK_SET) < 0)
    return px_path_fail(hand->options->file, "read again", PX_ERROR_INTERNAL, error);
  if (!px_filestore_add(hand->project->filestore, fd, &blob, error))
    return false;
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->state = PX_STATE_DONE;
  attachment->pattern = g_strdup(hand->pattern->name);
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  if (!px_db_begin(db, PX_TX_WRITE, error) || !px_transaction_end(db, px_attachment_add(db, attachment, px_project_now(hand->project), error), error))
    return false;
  hand->archive = attachment->id;
  px_hook("by-hand-archive");
  return true;
}

/* The history of a dry run is forgotten, and may be forgotten while it goes on. */
static bool keeps_archive(const Hand *hand, const PxOpened *opened) {
  return hand->worker && opened->was_packed && !hand->project->dry_run;
}

static bool import_packed(Hand *hand, int fd, GError **error) {
  const PxImportByHand *options = hand->options;
  const char *path = options->file;
  g_autofree char *name = px_path_name(path);
  uint64_t size;
  if (px_path_is_standard(path) && options->signed_by) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "import: --signed-by needs a file: standard input is taken as it is");
    return false;
  }
  if (px_path_is_standard(path)) { /* has no name that would say what it is */
    PxSummary *summary = import_one(hand, name, fd, hand->options->error_file, error);
    return summary && hand->options->take(summary, hand->options->take_data, error);
  }
  g_auto(PxOpened) opened = {.fd = px_path_seekable(fd, path, &size, error)};
  PX_PATH_FD given = opened.fd < 0 ? -1 : fcntl(opened.fd, F_DUPFD_CLOEXEC, 0);
  return opened.fd >= 0 && px_open_by_hand(hand->project, &hand->pattern->format, name, options->signed_by, &opened, error) &&
         check_places(options, &opened, error) && (!keeps_archive(hand, &opened) || keep_archive(hand, given, name, error)) &&
         import_members(hand, &opened, error);
}

bool px_import_by_hand(PxProject *project, const PxImportByHand *options, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, options->pattern, error);
  if (!pattern)
    return false;
  PX_PATH_FD fd = px_path_open(options->file, error);
  if (fd < 0)
    return false;
  g_autoptr(PxWorker) worker = options->no_history ? NULL : px_worker_open(project->db, error);
  if (!worker && !options->no_history)
    return false;
  Hand hand = {.project = project, .options = options, .pattern = pattern, .worker = worker, .blob = -1};
  return import_packed(&hand, fd, error);
}

/* Rows of chunks that were not loaded have no messages, so they would be left out. */
static bool check_chunks(const PxProject *project, int64_t file_id, GError **error) {
  g_autoptr(GPtrArray) chunks = px_chunk_planned(project->db, file_id, error);
  for (guint i = 0; chunks && i < chunks->len; i++)
    if (((const PxPlannedChunk *)chunks->pdata[i])->state != PX_STATE_DONE) {
      g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                  "pattern file %" G_GINT64_FORMAT " has chunks that were not loaded: retry their jobs, or the file without --failed", file_id);
      return false;
    }
  return chunks != NULL;
}

PxSummary *px_retry_file(PxProject *project, int64_t file_id, bool failed_only, PxProgressFunc progress, void *data, GError **error) {
  g_autoptr(PxPatternFile) old = px_file_get(project->db, file_id, error);
  if (!old)
    return NULL;
  bool allowed = old->kind == PX_FILE_IMPORT && old->state != PX_STATE_PENDING && old->state != PX_STATE_STARTED &&
                 !(failed_only && old->state == PX_STATE_REFUSED);
  if (!allowed) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "pattern file %" G_GINT64_FORMAT " is %s (%s): %s", file_id, px_state_name(old->state),
                px_file_kind_name(old->kind),
                old->state == PX_STATE_REFUSED ? "it was refused as a whole, so try it without --failed"
                                               : "only an import that has ended can be tried again");
    return NULL;
  }
  if (px_plan_is_of(old)) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "pattern file %" G_GINT64_FORMAT " is a plan: apply it again by import --apply, or make a new one",
                file_id);
    return NULL;
  }
  if (failed_only && !check_chunks(project, file_id, error))
    return NULL;
  const PxPattern *pattern = px_project_pattern(project, old->pattern, error);
  g_autoptr(PxAttachment) attachment = pattern ? px_attachment_get(project->db, old->attachment_id, error) : NULL;
  g_autoptr(PxWorker) worker = attachment ? px_worker_open(project->db, error) : NULL;
  if (!worker || !px_db_begin(project->db, PX_TX_WRITE, error))
    return NULL;
  g_autoptr(PxPatternFile) file = px_import_new_file(pattern, attachment);
  file->previous_id = file_id;
  file->failed_only = failed_only;
  int64_t now = px_project_now(project);
  bool ok = px_file_add(project->db, file, now, error);
  g_autoptr(PxJob) job = new_own_job(project, "import", attachment->id, file->id);
  ok = ok && px_job_enqueue_started(project->db, job, worker, now, error);
  if (!px_transaction_end(project->db, ok, error))
    return NULL;
  px_hook("retry-added");
  g_auto(PxWork) work = {.project = project, .worker = worker, .job = job, .progress = progress, .data = data};
  return run_own_job(&work, error) ? g_steal_pointer(&work.summary) : NULL;
}

/* ---- export */

static bool keep_export(PxProject *project, const PxPattern *pattern, const char *output, int fd, uint64_t rows, PxSummary **ret_summary,
                        GError **error) {
  PxBlob blob;
  if (lseek(fd, 0, SEEK_SET) < 0)
    return px_path_fail(output, "read again", PX_ERROR_INTERNAL, error);
  if (!px_filestore_add(project->filestore, fd, &blob, error))
    return false;
  int64_t now = px_project_now(project);
  g_autofree char *name = px_path_is_standard(output) ? g_strdup("stdout") : g_path_get_basename(output);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_EXPORT, name);
  attachment->state = PX_STATE_DONE;
  attachment->pattern = g_strdup(pattern->name);
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  g_autoptr(PxPatternFile) file = px_import_new_file(pattern, attachment);
  file->kind = PX_FILE_EXPORT;
  file->state = PX_STATE_DONE;
  file->counts.rows = file->rows_total = rows;
  file->bytes_done = blob.size;
  file->started = file->ended = now;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  bool ok = px_export_store_names(project, pattern, error) && px_attachment_add(project->db, attachment, now, error);
  file->attachment_id = attachment->id;
  if (!px_transaction_end(project->db, ok && px_file_add(project->db, file, now, error), error))
    return false;
  *ret_summary = px_summary_new(file);
  return true;
}

/* Without history too: a file that names a record by an id that the database does not know would make another one when it comes back. */
static bool keep_names(PxProject *project, const PxPattern *pattern, GError **error) {
  if (!pattern->external_ids)
    return true;
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return false;
  return px_transaction_end(project->db, px_export_store_names(project, pattern, error), error);
}

/* The first of the ids that no record of the model can have. */
static bool check_ids(const GArray *ids, const PxModel *model, GError **error) {
  for (guint i = 0; i < ids->len; i++) {
    char text[PX_ID_TEXT_SIZE];
    px_id_write(g_array_index(ids, PxId, i), text);
    if (px_id_is_uuid(g_array_index(ids, PxId, i)) == px_model_has_uuids(model))
      continue;
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "\"%s\" is no id of %s: its ids are %s", text, model->name,
                px_model_has_uuids(model) ? "uuids" : "integers");
    return false;
  }
  return true;
}

static GArray *unknown_ids(PxProject *project, const PxModel *model, const PxIdList *only, GError **error) {
  g_autoptr(PxRecords) records = px_records_new(project->db, project->schema);
  g_autoptr(GArray) unknown = g_array_new(FALSE, FALSE, sizeof(PxId));
  return px_records_unknown(records, model, only, unknown, error) ? g_steal_pointer(&unknown) : NULL;
}

/* Of what goes to standard output: for a .zip. */
static char *default_name(const PxPattern *pattern) {
  return g_strdup_printf("%s.%s", pattern->name, px_format_name(pattern->format.format));
}

char *px_export_output(const char *path, bool is_encrypted, PxPacking *compress, GError **error) {
  if (px_path_is_standard(path))
    return g_strdup(path);
  g_autofree char *open = px_openpgp_plain_name(path);
  bool says_encrypted = strcmp(open, path) != 0;
  PxPacking says = px_pack_of_name(open);
  if (says_encrypted && !is_encrypted) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: for whom is it to be encrypted? Add --encrypt-to FINGERPRINT", path);
    return NULL;
  }
  if (*compress != PX_PACK_NONE && says != PX_PACK_NONE && says != *compress) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: its name says %s, but --compress another; change one of the two", path,
                px_pack_suffix(says) + 1);
    return NULL;
  }
  if (*compress == PX_PACK_NONE)
    *compress = says;
  const char *ending = says_encrypted ? path + strlen(open) : is_encrypted ? PX_OPENPGP_SUFFIX : "";
  return g_strconcat(open, says == *compress ? "" : px_pack_suffix(*compress), ending, NULL);
}

PxSummary *px_export_by_hand(PxProject *project, const PxExportByHand *options, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, options->pattern, error);
  if (!pattern)
    return NULL;
  g_autoptr(PxDomain) filter = NULL;
  if (options->filter) {
    filter = px_patterns_domain(project->patterns, pattern->model, options->filter, error);
    if (!filter) {
      g_prefix_error(error, "the filter: ");
      return NULL;
    }
  }
  PxIdList only = {0};
  PxId nobody = PX_ID_NONE;
  if (options->ids && !check_ids(options->ids, pattern->model, error))
    return NULL;
  if (options->ids)
    only = (PxIdList){.ids = options->ids->len ? &g_array_index(options->ids, PxId, 0) : &nobody, .n = options->ids->len};
  bool chosen = options->ids != NULL;
  g_autoptr(GArray) unknown = chosen ? unknown_ids(project, pattern->model, &only, error) : NULL;
  if (chosen && !unknown)
    return NULL;
  const PxExportQuery query = {.pattern = pattern, .filter = filter, .only = chosen ? &only : NULL, .header_only = options->header_only};
  const PxWrap wrap = {
    .compress = options->compress, .encrypt_to = options->encrypt_to, .sign_with = options->sign_with, .openpgp = px_tasks_openpgp(project->tasks)};
  g_auto(PxWork) work = {.project = project, .progress = options->progress, .data = options->data};
  g_autofree char *name = px_path_is_standard(options->output) ? default_name(pattern) : px_path_name(options->output);
  PX_PATH_FD out = px_temporary_file(error);
  uint64_t rows;
  if (out < 0 || !px_export_write(&work, &query, &wrap, name, out, &rows, error))
    return NULL;
  g_autoptr(PxSummary) summary = NULL;
  if (options->no_history || options->header_only) {
    if (!keep_names(project, pattern, error))
      return NULL;
    const PxPatternFile file = {.kind = PX_FILE_EXPORT, .state = PX_STATE_DONE, .counts = {.rows = rows}};
    summary = px_summary_new(&file);
    summary->pattern = g_strdup(pattern->name);
    summary->name = g_strdup(options->output);
  }
  /* Delivered first: the history tells of no file that is not there. */
  if (!px_path_deliver(out, options->output, error) || (!summary && !keep_export(project, pattern, options->output, out, rows, &summary, error)))
    return NULL;
  if (summary) /* always, which gcc cannot see at -O3 */
    summary->unknown_ids = g_steal_pointer(&unknown);
  return g_steal_pointer(&summary);
}
