/* SPDX-License-Identifier: Apache-2.0 */
/* `import` and `export` by hand: the same steps, with a job that is this program's from the start; or (no history) without any row of ours. */
#include "flow/flow_private.h"

#include "base/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_SIZE ((size_t)256 * 1024)

static void close_fd(const int *fd) {
  if (*fd >= 0)
    (void)close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

/* ---- files by their paths */

static bool fail_path(const char *path, const char *doing, PxError code, GError **error) {
  g_set_error(error, PX_ERROR, (int)code, "%s: cannot %s: %s", path, doing, g_strerror(errno));
  return false;
}

static bool is_standard(const char *path) {
  return strcmp(path, "-") == 0;
}

static int open_input(const char *path, GError **error) {
  int fd = is_standard(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    (void)close(fd);
    fd = -1;
    errno = EISDIR;
  }
  if (fd < 0)
    (void)fail_path(path, "open", PX_ERROR_NOT_FOUND, error);
  return fd;
}

static bool copy(int from, int to, const char *path, GError **error) {
  g_autofree char *buffer = g_malloc(COPY_SIZE);
  for (;;) {
    ssize_t n = read(from, buffer, COPY_SIZE);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail_path(path, "read", PX_ERROR_TRANSIENT, error);
    if (n == 0)
      return true;
    for (ssize_t done = 0; done < n;) {
      ssize_t written = write(to, buffer + done, (size_t)(n - done));
      if (written < 0 && errno != EINTR)
        return fail_path(path, "write", PX_ERROR_TRANSIENT, error);
      done += MAX(written, 0);
    }
  }
}

/* A file without a name, in the directory for temporary files. */
static int open_nameless(GError **error) {
  const char *directory = g_get_tmp_dir();
  int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    g_autofree char *path = g_build_filename(directory, "pattimpex-XXXXXX", NULL);
    fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
      (void)unlink(path);
  }
  if (fd < 0)
    (void)fail_path(directory, "make a temporary file (set TMPDIR)", PX_ERROR_TRANSIENT, error);
  return fd;
}

/* The bytes of fd (from its beginning) as the file path, whole or not at all; "-" is standard output. */
static bool deliver(int fd, const char *path, GError **error) {
  if (lseek(fd, 0, SEEK_SET) < 0)
    return fail_path(path, "read again", PX_ERROR_INTERNAL, error);
  if (is_standard(path))
    return copy(fd, STDOUT_FILENO, "standard output", error);
  struct stat status;
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) { /* a pipe or a device is written to, not replaced */
    AUTO_FD device = open(path, O_WRONLY | O_CLOEXEC);
    return device < 0 ? fail_path(path, "open", PX_ERROR_UNREACHABLE, error) : copy(fd, device, path, error);
  }
  g_autofree char *temporary = g_strdup_printf("%s.pattimpex-XXXXXX", path);
  AUTO_FD out = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (out < 0)
    return fail_path(path, "make", PX_ERROR_UNREACHABLE, error);
  bool done = copy(fd, out, path, error);
  if (done && (fsync(out) < 0 || rename(temporary, path) < 0))
    done = fail_path(path, "write", PX_ERROR_TRANSIENT, error);
  if (!done)
    (void)unlink(temporary);
  return done;
}

/* ---- import */

/* Runs the step of a job that is ours. Its failure is this command's. */
static bool run_own_job(PxWork *work, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxState state;
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

static char *name_of(const char *path) {
  return is_standard(path) ? g_strdup("stdin") : g_path_get_basename(path);
}

static PxJob *new_own_job(const char *kind, int64_t attachment_id, int64_t file_id) {
  g_autofree char *subject = g_strdup_printf("%" G_GINT64_FORMAT, attachment_id);
  PxJob *job = px_work_new_job(kind, NULL, subject);
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
  job = new_own_job("import", attachment->id, 0);
  ok = ok && px_job_enqueue_started(project->db, job, worker, now, error);
  return px_transaction_end(project->db, ok, error) ? g_steal_pointer(&job) : NULL;
}

static bool write_error_file(PxProject *project, const PxPattern *pattern, int blob, PxSummary *summary, const char *path, GError **error) {
  if (summary->state == PX_STATE_REFUSED || summary->counts.failed == 0)
    return true;
  AUTO_FD out = open_nameless(error);
  uint64_t rows;
  return out >= 0 && px_report_write(project, pattern, blob, summary, out, &rows, error) && deliver(out, path, error);
}

typedef struct {
  PxProject *project;
  const PxImportByHand *options;
  const PxPattern *pattern;
  const PxWorker *worker; /* NULL: no history */
  PxAttachment *attachment;
  int blob;         /* without history */
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
static PxSummary *import_by_hand(Hand *hand, GError **error) {
  PxDb *db = hand->project->db;
  for (;;) {
    g_autoptr(GError) problem = NULL;
    unsigned known = px_lost_rows_known(hand->lost);
    g_auto(PxWork)
      work = {.project = hand->project, .progress = hand->options->progress, .data = hand->options->data, .lost = g_steal_pointer(&hand->lost)};
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

static PxSummary *import_with_history(PxProject *project, const PxImportByHand *options, const PxPattern *pattern, int fd, GError **error) {
  PxBlob blob;
  g_autoptr(PxWorker) worker = px_worker_open(project->db, error);
  if (!worker || !px_filestore_add(project->filestore, fd, UINT64_MAX, &blob, error))
    return NULL;
  g_autofree char *name = name_of(options->file);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  attachment->pattern = g_strdup(pattern->name);
  attachment->sha256 = g_strdup(blob.sha256);
  attachment->size = blob.size;
  Hand hand = {.project = project, .options = options, .pattern = pattern, .worker = worker, .attachment = attachment};
  g_autoptr(PxSummary) summary = import_by_hand(&hand, error);
  if (summary && options->error_file) {
    AUTO_FD stored = px_filestore_read(project->filestore, blob.sha256, error);
    if (stored < 0 || !write_error_file(project, pattern, stored, summary, options->error_file, error))
      return NULL;
  }
  return g_steal_pointer(&summary);
}

/* A pipe is copied, because a file is read more than once. */
static int seekable(int fd, const char *path, uint64_t *ret_size, GError **error) {
  struct stat status;
  int out = -1;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && lseek(fd, 0, SEEK_SET) == 0) {
    out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  } else {
    out = open_nameless(error);
    if (out >= 0 && !copy(fd, out, path, error)) {
      (void)close(out);
      return -1;
    }
  }
  *ret_size = out >= 0 && fstat(out, &status) == 0 ? (uint64_t)status.st_size : 0;
  return out;
}

static PxSummary *import_without_history(PxProject *project, const PxImportByHand *options, const PxPattern *pattern, int fd, GError **error) {
  g_autofree char *name = name_of(options->file);
  g_autoptr(PxAttachment) attachment = px_attachment_new(PX_DIRECTION_IMPORT, name);
  AUTO_FD blob = seekable(fd, options->file, &attachment->size, error);
  if (blob < 0)
    return NULL;
  Hand hand = {.project = project, .options = options, .pattern = pattern, .attachment = attachment, .blob = blob};
  g_autoptr(PxSummary) summary = import_by_hand(&hand, error);
  if (summary && options->error_file && !write_error_file(project, pattern, blob, summary, options->error_file, error))
    return NULL;
  return g_steal_pointer(&summary);
}

PxSummary *px_import_by_hand(PxProject *project, const PxImportByHand *options, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, options->pattern, error);
  if (!pattern)
    return NULL;
  AUTO_FD fd = open_input(options->file, error);
  if (fd < 0)
    return NULL;
  return options->no_history ? import_without_history(project, options, pattern, fd, error)
                             : import_with_history(project, options, pattern, fd, error);
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
  g_autoptr(PxJob) job = new_own_job("import", attachment->id, file->id);
  ok = ok && px_job_enqueue_started(project->db, job, worker, now, error);
  if (!px_transaction_end(project->db, ok, error))
    return NULL;
  px_hook("retry-added");
  g_auto(PxWork) work = {.project = project, .job = job, .progress = progress, .data = data};
  return run_own_job(&work, error) ? g_steal_pointer(&work.summary) : NULL;
}

/* ---- export */

static bool keep_export(PxProject *project, const PxPattern *pattern, const char *output, int fd, uint64_t rows, PxSummary **ret_summary,
                        GError **error) {
  PxBlob blob;
  if (lseek(fd, 0, SEEK_SET) < 0)
    return fail_path(output, "read again", PX_ERROR_INTERNAL, error);
  if (!px_filestore_add(project->filestore, fd, UINT64_MAX, &blob, error))
    return false;
  int64_t now = px_project_now(project);
  g_autofree char *name = is_standard(output) ? g_strdup("stdout") : g_path_get_basename(output);
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
  const PxExportQuery query = {.pattern = pattern, .filter = filter, .header_only = options->header_only};
  g_auto(PxWork) work = {.project = project, .progress = options->progress, .data = options->data};
  AUTO_FD out = open_nameless(error);
  uint64_t rows;
  if (out < 0 || !px_export_rows(&work, &query, out, &rows, error))
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
  if (!deliver(out, options->output, error) || (!summary && !keep_export(project, pattern, options->output, out, rows, &summary, error)))
    return NULL;
  return g_steal_pointer(&summary);
}
