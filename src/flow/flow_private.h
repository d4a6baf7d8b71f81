/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of flow/ share. A step is the work of one job; it ends its job in its last transaction. */
#include "flow/flow.h"
#include "load/load.h"
#include "queue/ends.h"

/* ---- steps */

typedef struct {
  PxProject *project;
  const PxWorker *worker;  /* NULL: by hand without history */
  PxJob *job;              /* NULL: by hand without history */
  bool by_hand;            /* a command runs the job and waits for it */
  bool lists_again;        /* as PxRunOptions has it */
  bool may_end_later;      /* px_work_ends_later() */
  PxProgressFunc progress; /* may be NULL */
  void *data;
  PxLostRows *lost;    /* of an import; NULL: none known */
  struct PxPlan *plan; /* of a dry run: is told of every change; borrowed; NULL: none */
  /* what came of it */
  PxSummary *summary; /* import, export */
  char *name;         /* report, upload */
  char *note;         /* report */
  PxJobReport report; /* fetch: its counts and problems */
  /* for the counters */
  const char *storage; /* of the step; NULL: none. Outlives the work */
  bool at_storage;     /* it is asked for something just now */
  uint64_t storage_errors;
  bool ends_later, ran_task; /* px_work_ends_later() */
} PxWork;

void px_work_done(PxWork *work);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxWork, px_work_done)

/* Remembers a file that could not be taken or put away: "FILE: text". What is returned is borrowed. */
PxProblem *px_work_problem(PxWork *work, const char *file, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Says what is done for the job, in case that the worker dies of it: "importing orders.csv, rows 2001-3000". Cheap: once a chunk. */
void px_work_doing(const PxWork *work, const char *format, ...) G_GNUC_PRINTF(2, 3);
void px_work_progress(const PxWork *work, const PxProgress *progress);

/* A step that has nothing to write but the end of its job leaves that to who runs it, when this says so: it is written with the ends of others.
 * of_task: its task has run by it, and well. What the step read may not be so any more then: kinds for which that matters have may_end. */
bool px_work_ends_later(PxWork *work, bool of_task);

/* One entry of the table in steps.c. */
typedef struct {
  const char *kind;
  const char *channel;
  int64_t behind; /* what is added to the task's priority: exports come after imports, so that what was imported is in them */
  bool (*run)(PxWork *work, GError **error);
  bool of_pattern;  /* its channel may be the pattern's or the task's */
  unsigned batch;   /* short jobs: how many are claimed at once; 0: one */
  PxMayEnd may_end; /* of those among the ends that are of this kind; NULL: what a step read, before it said that it ends later, still holds */
} PxWorkKind;

/* NULL when this program does not know the kind. */
const PxWorkKind *px_work_kind(const char *kind);

bool px_fetch_step(PxWork *work, GError **error);
bool px_import_step(PxWork *work, GError **error);
bool px_chunk_step(PxWork *work, GError **error);
bool px_finish_step(PxWork *work, GError **error);
bool px_report_step(PxWork *work, GError **error);
bool px_receipt_step(PxWork *work, GError **error);
bool px_export_step(PxWork *work, GError **error);
bool px_upload_step(PxWork *work, GError **error);
bool px_process_step(PxWork *work, GError **error);
bool px_process_may_end(PxDb *db, PxEnd *ends, size_t n, void *data, GError **error);
bool px_clean_step(PxWork *work, GError **error);
bool px_notice_step(PxWork *work, GError **error);
bool px_expect_step(PxWork *work, GError **error);

/* Uploads to one storage, not too much of them, that are done at once. */
typedef struct PxUploads PxUploads;
PxUploads *px_uploads_new(PxProject *project);
void px_uploads_free(PxUploads *uploads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxUploads, px_uploads_free)
/* false: the job is not to be done with those that were added before, or not with others at all. */
bool px_uploads_add(PxUploads *uploads, const PxJob *job) G_GNUC_WARN_UNUSED_RESULT;
typedef enum {
  PX_UPLOAD_DONE,
  PX_UPLOAD_FAILED,   /* with problem; px_fail_job() is still to be called */
  PX_UPLOAD_NOT_OURS, /* it is another worker's by now */
  PX_UPLOAD_AGAIN,    /* it could not be ended together with others: the step is to be run */
} PxUploadState;
typedef struct {
  PxUploadState state;
  GError *problem; /* caller frees */
} PxUploadEnd;
/* Sends them and ends their jobs, those that went well in one transaction. works: of the jobs in their order, as many as ends. */
void px_uploads_run(const PxUploads *uploads, PxWork *const *works, PxUploadEnd *ret_ends);

/* The kind of job that a task begins with. */
const char *px_work_task_kind(const PxTask *task);
/* Whether a task runs by itself: its configuration, and the database over it. */
bool px_task_runs(const PxTask *task, const PxTaskState *state);
/* In the caller's transaction: when it runs again, its schedules begin to count anew. */
bool px_schedule_forget(PxProject *project, const PxTask *task, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* How long ago the task was due by one of its schedules while nobody has begun it: not even decided, or queued only; 0: nothing is late. */
bool px_schedule_late(const PxProject *project, const PxTask *task, int64_t now, int64_t *ret_late, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A job of a kind, with the channel and priority that its task says and the identity KIND:SUBJECT; subject is a task's name or an id. */
PxJob *px_work_new_job(const PxProject *project, const char *kind, const char *task, const char *subject);
/* Queues the work on a pending attachment: its import or its upload. In the caller's transaction. */
bool px_work_enqueue_attachment(const PxProject *project, const PxAttachment *attachment, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of several (PxAttachment *). */
bool px_work_enqueue_attachments(const PxProject *project, const GPtrArray *attachments, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Begins a write transaction of the step's job, with its fence. */
bool px_work_begin(const PxWork *work, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, of PX_TX_WRITE_SOON. */
bool px_work_begin_soon(const PxWork *work, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Commits when ok, else rolls back; whether all went well. */
bool px_transaction_end(PxDb *db, bool ok, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs one job that has been claimed and sees to its failure. False only when the database fails; report (may be NULL) is told what came of it.
 * *ret_state:
 * done, failed, pending (later) or started (it was another worker's by then). */
bool px_run_job(PxWork *work, bool may_try_later, PxState *ret_state, GError **ret_job_error, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, from there on where the step has failed with that problem, which is taken. */
bool px_fail_job(PxWork *work, GError *problem, bool may_try_later, PxState *ret_state, GError **ret_job_error, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

PxSummary *px_summary_new(const PxPatternFile *file);

/* ---- fetching */

/* The identity of a remote file (design section 3). Caller frees. */
char *px_remote_key(const char *path, const PxFileInfo *info);
/* Finishes what is still to be done with the remote file of an attachment: PxRemoteAction pending or taken. What stands in the way is a problem of
 * the
 * step; an error is a storage or database out of reach. */
bool px_remote_action(PxWork *work, PxStorage *storage, const PxTask *task, PxAttachment *attachment, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of several (PxAttachment *). */
bool px_remote_actions(PxWork *work, PxStorage *storage, const PxTask *task, const GPtrArray *attachments, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In the caller's transaction: the attachment of a file that a task fetched, and its job when the task says so. */
bool px_fetch_add(PxWork *work, const PxTask *task, PxAttachment *attachment, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A new attachment as a task's settings want it, not yet in the queue. */
PxAttachment *px_fetch_attachment(const PxTask *task, const char *path, const char *name, const PxBlob *blob);
/* Where its avoid_duplicates looks: a task, NULL: all. */
const char *px_fetch_scope(const PxTask *task);

/* ---- rows of a file, chunk by chunk */

/* The header of a file. */
typedef struct {
  GPtrArray *names; /* char *, stripped */
  bool *only_nulls; /* of each whether its column has nothing but null (PX_CELL_NULLS) */
  uint64_t row;     /* where it stands */
} PxNames;

PxNames *px_names_read(const PxRowBatch *batch, size_t row);
void px_names_free(PxNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxNames, px_names_free)

typedef struct PxFeed PxFeed;

/* blob and pattern must outlive the feed. */
PxFeed *px_feed_new(int blob, const PxPattern *pattern);
void px_feed_free(PxFeed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxFeed, px_feed_free)

typedef void (*PxFeedProgress)(uint64_t rows, uint64_t bytes, void *data);
/* Who takes the rows while the file is read the first time. */
typedef struct {
  /* Asked once, with the header (NULL: there is none): whether it wants them at all. */
  bool (*wants)(const PxNames *names, void *data, bool *ret_wants, GError **error);
  bool (*rows)(const PxRowBatch *batch, size_t first, size_t n, void *data, GError **error);
} PxFeedSink;
/* Reads the whole file once, so that broken syntax is known before the first row is loaded: PX_ERROR_REFUSED. A small file is kept and not read
 * again;
 * of a large one *ret_rows stays 0 unless sink takes the rows: it is not known. size: of the blob. sink: NULL: none; it and progress are given
 * data. */
bool px_feed_check(PxFeed *feed, uint64_t size, const PxFeedSink *sink, PxFeedProgress progress, void *data, uint64_t *ret_rows, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Begins with the rows: all of them (row 0), or from (row, place) on. */
bool px_feed_start(PxFeed *feed, uint64_t row, uint64_t place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After check or start; NULL: the file has no header. */
const PxNames *px_feed_header(const PxFeed *feed);
/* Gives the next rows, at most n, to the loader; only: the numbers of rows that are wanted (sorted uint64_t), NULL: all. ret_chunk: first_row (0:
 * there was no row left), last_row,
 * next_row, next_place. */
bool px_feed_fill(PxFeed *feed, PxLoader *loader, const GArray *only, uint64_t n, PxChunk *ret_chunk, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the last fill gave the last rows. */
bool px_feed_at_end(const PxFeed *feed);
uint64_t px_feed_bytes_done(const PxFeed *feed);
/* After px_loader_clear(): the loader's rows are not needed any more. */
void px_feed_release(PxFeed *feed);

/* ---- importing */

#define PX_CHUNK_MOST_ROWS 10000 /* more gain nothing and cost memory: bench/results/2026-11-23-chunk_size.txt */

typedef struct PxSplit PxSplit; /* flow/split.h */

/* Files in the file, which are to be imported in its place. */
typedef enum { PX_WRAPPED_NOT, PX_WRAPPED_OPENPGP, PX_WRAPPED_ARCHIVE } PxWrapping;

typedef struct {
  PxWork *work;
  PxWrapping wrapping;
  PxPatternFile *file;      /* in memory only when there is no history */
  PxAttachment *attachment; /* NULL: no history */
  PxPatterns *kept;         /* owns pattern when it comes from the snapshot */
  const PxPattern *pattern;
  int blob; /* -1: not open yet */
  PxFeed *feed;
  PxHeader *header;
  PxLoader *loader;
  PxSplit *split;        /* process_multi; NULL: the rows are not to be spread */
  GArray *only_rows;     /* failed_only: uint64_t, sorted; else NULL */
  GPtrArray *messages;   /* PxMessage *: why the file is refused; without history: all of them */
  uint64_t chunk_rows;   /* how many the next chunk aims at */
  PxCounts whole_counts; /* on_error: abort; of the transaction that may be rolled back */
} PxImport;

void px_import_done(PxImport *import);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxImport, px_import_done)

/* The whole import of an open file; px_import_step() is this with history. */
bool px_import_file(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Sets wrapping: whether it is encrypted, or an archive that its task wants to be opened. */
bool px_import_look(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Makes an attachment with its job of each file in it. */
bool px_import_unwrap(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The attachment, the pattern file and its pattern, the blob. */
bool px_import_open(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The pattern as the file has kept it. */
bool px_import_take_pattern(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The header that these names make, and the loader; what makes the file refused is in messages. */
bool px_import_take_header(PxImport *import, const PxNames *names, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The header alone; NULL: it is refused. Caller frees. */
PxHeader *px_import_compile_header(const PxImport *import, const PxNames *names);
/* Reads the file once and compiles its header. What makes it refused is in messages. */
bool px_import_check(PxImport *import, uint64_t resume_row, uint64_t resume_place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Chunk after chunk, each in a transaction; or (on_error: abort) all in one. The last one ends the file. */
bool px_import_load_chunks(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_import_load_whole(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Begins a transaction of the job that records are written in. */
bool px_import_begin(const PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A transaction of the job in which load works with the rows of the loader. A row that makes the database end it is marked, and it is begun again. */
typedef bool (*PxImportLoad)(PxImport *import, void *data, GError **error);
bool px_import_commit(PxImport *import, PxImportLoad load, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* plan_history.c: whether a pattern file is a plan that was applied: there is no pattern that could read it again. */
bool px_plan_is_of(const PxPatternFile *file);
/* In the transaction: loads the rows of the loader, up to the one with which the file has max_errors failed rows; failed: those of the chunks before.
 * *ret_stop: it stops there, and says so. */
bool px_import_load(PxImport *import, uint64_t failed, PxLoadResult *result, bool *ret_stop, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores the refusal. */
bool px_import_refuse(PxImport *import, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In the caller's transaction: the end of the file, of its attachment and of the job, and the job that sends bad rows back. */
bool px_import_end(PxImport *import, PxState state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_import_progress(PxImport *import, const char *step, uint64_t rows, uint64_t bytes);

/* In the caller's transaction: the job of the chunk of a part (from 1) whose turn it is, if there is one; of: a job that works on the same file. */
bool px_chunk_enqueue_next(PxProject *project, const PxJob *of, unsigned part, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In the caller's transaction: the job that ends the file waits for the job of a chunk. */
bool px_chunk_let_finish_wait(PxProject *project, const PxJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a file that a person names is, once it is taken out of what it lies in. */
typedef struct {
  int fd;          /* the bytes of all members, one behind the other */
  GArray *members; /* PxUnpacked (format/pack.h) */
  bool is_archive; /* there may be any number of them */
  bool was_packed; /* or encrypted: they are not the file itself */
} PxOpened;
void px_opened_clear(PxOpened *opened);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxOpened, px_opened_clear)
/* By its name: decrypts .gpg, .pgp, .asc (signed_by as px_openpgp_decrypt() has it), then unpacks .zip, .gz; any other is its own only member.
 * opened: fd, which can be read more than once. Errors as px_openpgp_decrypt() and px_unpack() have them. */
bool px_open_by_hand(const PxProject *project, const PxFormatOptions *limits, const char *name, char *const *signed_by, PxOpened *opened,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The next size bytes. */
bool px_opened_copy(int from, int to, uint64_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A new pattern file for an attachment, with the pattern as it is now. */
PxPatternFile *px_import_new_file(const PxPattern *pattern, const PxAttachment *attachment);

/* ---- exporting */

typedef struct {
  const PxPattern *pattern;
  const PxDomain *filter;
  const PxIdList *only; /* NULL: all */
  const PxField *const *order;
  const bool *order_descending;
  size_t n_order;
  bool header_only;
} PxExportQuery;
/* Writes a whole file to fd, in one snapshot that is closed at the end. */
bool px_export_rows(PxWork *work, const PxExportQuery *query, int fd, uint64_t *ret_rows, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a file is put into on its way out. */
typedef struct {
  PxPacking compress;
  char *const *encrypt_to; /* NULL: it is not encrypted */
  const char *sign_with;   /* NULL: it is not signed */
  const PxOpenPgp *openpgp;
} PxWrap;
/* The same as px_export_rows(), compressed first, then encrypted; name: of what becomes of it. */
bool px_export_write(PxWork *work, const PxExportQuery *query, const PxWrap *wrap, const char *name, int fd, uint64_t *ret_rows, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* In a write transaction: the external ids that px_export_rows() gave to records without one. */
bool px_export_store_names(const PxProject *project, const PxPattern *pattern, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The rows of a file with their messages, in the file's own format; nothing is written when no row is bad. Sets summary->note. */
bool px_report_write(PxProject *project, const PxPattern *pattern, int blob, PxSummary *summary, int fd, uint64_t *ret_rows, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* What a person gets back of a file of before: its bad rows, or why it was refused; and what that is called (caller frees). *ret_note (NULL
 * before): what of a workbook could not be kept; caller frees. */
bool px_report_of_file(PxProject *project, PxPatternFile *file, const char *sha256, int fd, char **ret_note, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
char *px_report_name(const PxPatternFile *file);
/* name with suffix behind it, name cut so that both together can be a file's. Caller frees. */
char *px_name_with(const char *name, const char *suffix);

/* ---- notices: in the transaction in which it happens */

/* Nothing when nobody wants to know. */
bool px_notice_tell(const PxProject *project, PxNotice *notice, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A job has failed for good: behind px_job_fail(). */
bool px_notice_of_job(const PxProject *project, const PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Files that a task could not take or put away (PxProblem *; NULL: none); the same is told once a day. */
bool px_notice_of_problems(const PxProject *project, const char *task, const GPtrArray *problems, int64_t now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A file has ended with failed rows, or was refused. */
bool px_notice_of_file(const PxProject *project, const PxPatternFile *file, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- what tasks expect: in the caller's transaction */

/* The task's file is due: its folder is looked at, and then it is decided whether it is late. */
bool px_expect_enqueue(const PxProject *project, const PxTask *task, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An import has ended: people are told when it had too few rows. */
bool px_expect_check_size(const PxProject *project, const PxPatternFile *file, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
