/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is in our care, as rows of our own tables: attachments, pattern files with their chunks, jobs, the state of tasks.
 *
 * Unless a function says that it makes its own transaction, it works inside the caller's. Times are microseconds since the epoch
 * (UTC); 0: never. Ids begin at 1; 0: none. Row structs own their strings; NULL stands for NULL.
 */
#include "base/error.h"
#include "base/message.h"
#include "db/db.h"
#include "queue/channels.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One list of states for all rows. Attachments: pending, done, failed, refused, cancelled, duplicate. Pattern files: pending, started, done, failed
 * (rows or
 * the whole), refused, cancelled. Chunks: done. Jobs: waiting, pending, started, done, failed, cancelled. */
typedef enum {
  PX_STATE_PENDING,
  PX_STATE_STARTED,
  PX_STATE_DONE,
  PX_STATE_FAILED,
  PX_STATE_REFUSED,
  PX_STATE_CANCELLED,
  PX_STATE_DUPLICATE,
  PX_STATE_WAITING, /* for other jobs */
} PxState;
#define PX_N_STATES (PX_STATE_WAITING + 1)

/* "pending", ... as stored and shown. */
const char *px_state_name(PxState state);
bool px_state_from_name(const char *name, PxState *ret_state);

/* What a list shows: newest first. */
typedef struct {
  const char *state;   /* a name of PxState; NULL: all */
  const char *task;    /* NULL: all */
  const char *kind;    /* of a job, a file or (direction) an attachment; NULL: all */
  const char *channel; /* of jobs: this one and those beneath it; NULL: all */
  const char *error;   /* a part of it, in any case; NULL: all */
  int64_t since;       /* ended, or else queued, at or after this; of attachments: changed. 0: all */
  uint64_t limit;      /* 0: no limit */
} PxListFilter;

/* ---- attachments: one file in our care */

typedef enum {
  PX_DIRECTION_IMPORT,
  PX_DIRECTION_EXPORT,
  PX_DIRECTION_ERROR /* bad rows on their way back */,
  PX_DIRECTION_RECEIPT /* what came of a file */
} PxDirection;
const char *px_direction_name(PxDirection direction);

/* What is still to be done with the remote file after the fetch (design section 3). */
typedef enum {
  PX_REMOTE_NONE,    /* nothing: the task keeps the file, or there is none */
  PX_REMOTE_PENDING, /* not renamed yet, or renamed and not yet compared */
  PX_REMOTE_TAKEN,   /* renamed to remote_held and compared; the last step (move, rename, delete) is missing */
  PX_REMOTE_DONE,
} PxRemoteAction;
const char *px_remote_action_name(PxRemoteAction action);

typedef struct {
  int64_t id;
  PxDirection direction;
  PxState state;
  char *name;        /* as the file is called for people */
  char *task;        /* NULL: by hand */
  char *upload_task; /* of an export; NULL: its own task uploads */
  char *pattern;     /* NULL: only kept */
  char *sha256;      /* "": of a duplicate by its name, which was never read */
  uint64_t size;
  char *storage; /* where it was found, or where it goes; NULL: by hand */
  char *path;
  int on_exists;     /* PxOnExists of storage/storage.h, of an upload */
  int64_t parent_id; /* of an error file or a receipt: the attachment that it is about */
  char *remote_key;  /* the remote file's identity while it must not be fetched again; NULL: free */
  PxRemoteAction remote_action;
  char *remote_held; /* what the remote file is called by now: .pattimpex-N */
  char *moved_to;    /* where it ended, or as what it was uploaded: path/name */
  char *error;
  int64_t created, changed;
} PxAttachment;

PxAttachment *px_attachment_new(PxDirection direction, const char *name);
void px_attachment_free(PxAttachment *attachment);
void px_free_attachment_row(gpointer attachment); /* the same, of arrays */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxAttachment, px_attachment_free)

/* Inserts and sets id. PX_ERROR_EXISTS: this very remote file (task, remote_key and sha256) is in the queue already. */
bool px_attachment_add(PxDb *db, PxAttachment *attachment, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of several, their ids in their order; on a server with one statement. The id of one that is in the queue already is 0 then. */
bool px_attachments_add(PxDb *db, PxAttachment *const *attachments, size_t n, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PX_ERROR_NOT_FOUND. Caller frees. */
PxAttachment *px_attachment_get(PxDb *db, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of PxAttachment *, freed with the array. */
GPtrArray *px_attachment_list(PxDb *db, const PxListFilter *filter, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of each of n files of a listing whether the queue holds it for a task: this very one. */
bool px_attachments_known(PxDb *db, const char *task, const char *const *remote_keys, size_t n, bool *ret_known, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same of import attachments of its name, in any folder (paths NULL) or in its own, of one task or (NULL) of all; duplicates do not count. */
bool px_attachments_named(PxDb *db, const char *const *names, const char *const *paths, size_t n, const char *task, bool *ret_known, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The first of them of a name; *ret_id 0: there is none. */
bool px_attachment_find_name(PxDb *db, const char *name, const char *path, const char *task, int64_t *ret_id, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Of each of n contents the first import attachment, of one task or (NULL) of all; 0: there is none. Duplicates do not count. */
bool px_attachments_find_content(PxDb *db, const char *const *sha256s, size_t n, const char *task, int64_t *ret_ids, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The last receipt for an attachment; *ret_id 0: none. */
bool px_attachment_find_receipt(PxDb *db, int64_t parent_id, int64_t *ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Attachments of a task whose remote action is pending or taken, oldest first. */
GPtrArray *px_attachment_unsettled(PxDb *db, const char *task, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Pending attachments that no job works on, oldest first: of an import task (direction import) or of what uploads (export, error: task is the
 * upload task or the task itself); task NULL: of all. limit 0: all. */
GPtrArray *px_attachment_waiting(PxDb *db, const char *task, uint64_t limit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Which of n tasks has such attachments; on a server with one statement. */
bool px_attachment_tasks_waiting(PxDb *db, const char *const *tasks, size_t n, bool *ret_waiting, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores remote_action, remote_held, remote_key, moved_to as they are in the struct. */
bool px_attachment_store_remote(PxDb *db, const PxAttachment *attachment, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_attachments_store_remote(PxDb *db, PxAttachment *const *attachments, size_t n, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* error may be NULL; moved_to NULL: as it is. */
bool px_attachment_set_state(PxDb *db, int64_t id, PxState state, const char *why, const char *moved_to, int64_t now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* ---- pattern files: an attachment read or written by a pattern */

typedef enum { PX_FILE_IMPORT, PX_FILE_EXPORT } PxFileKind;
const char *px_file_kind_name(PxFileKind kind);

typedef struct {
  int64_t id;
  PxFileKind kind;
  PxState state;
  int64_t attachment_id;
  int64_t previous_id; /* the try before this one */
  bool failed_only;    /* only the rows that failed in the previous try */
  char *task;
  char *name; /* of the attachment */
  char *pattern;
  char *snapshot; /* the pattern as it was at the start: one line of JSON */
  char *snapshot_hash;
  PxCounts counts;     /* so far */
  uint64_t rows_total; /* 0: not counted yet */
  uint64_t bytes_done, bytes_total;
  char *error; /* what ended it, besides the messages of rows */
  int64_t created, started, ended;
} PxPatternFile;

PxPatternFile *px_file_new(PxFileKind kind, const char *pattern);
void px_file_free(PxPatternFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPatternFile, px_file_free)

/* Inserts and sets id; one that has ended already is counted as such. */
bool px_file_add(PxDb *db, PxPatternFile *file, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
PxPatternFile *px_file_get(PxDb *db, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *px_file_list(PxDb *db, const PxListFilter *filter, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores state, counts, totals, progress and error as they are in the struct; an end state sets ended. */
bool px_file_store(PxDb *db, PxPatternFile *file, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- chunks: runs of consecutive rows that were loaded together */

typedef struct {
  int64_t file_id;
  uint64_t first_row, last_row; /* as a person counts; 0: about the file as a whole */
  PxCounts counts;
  uint64_t next_row, next_place; /* where the next chunk begins: for px_parser_start() */
} PxChunk;

/* Stores a chunk with its messages (PxMessage *; may be NULL or empty). */
bool px_chunk_add(PxDb *db, const PxChunk *chunk, const GPtrArray *messages, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The last chunk of a file; *ret_found false when there is none. */
bool px_chunk_last(PxDb *db, int64_t file_id, PxChunk *ret_chunk, bool *ret_found, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- chunks that are planned before they are loaded: rows of one part of a file, each loaded by a job of its own */

typedef struct {
  int64_t id;
  PxState state; /* done, cancelled; else its job's, pending while it has none */
  unsigned part; /* from 1 */
  char *spool;   /* where its rows are kept, and where there they begin */
  uint64_t place;
  int64_t job_id; /* 0: it is not its turn yet */
  char *error;    /* of its job */
  PxChunk chunk;  /* file_id, first_row, last_row, counts: while it is not done only rows */
} PxPlannedChunk;

void px_planned_chunk_free(PxPlannedChunk *planned);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPlannedChunk, px_planned_chunk_free)

bool px_chunk_plan(PxDb *db, const PxPlannedChunk *planned, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PX_ERROR_NOT_FOUND. Caller frees. */
PxPlannedChunk *px_chunk_of_job(PxDb *db, int64_t job_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The chunk of a part whose turn it is; *ret_planned NULL: there is none. Caller frees. */
bool px_chunk_next(PxDb *db, int64_t file_id, unsigned part, PxPlannedChunk **ret_planned, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The job that loads it. */
bool px_chunk_give(PxDb *db, int64_t id, int64_t job_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* It is loaded: stores its counts and messages, and adds the counts to those of its file. */
bool px_chunk_done(PxDb *db, const PxPlannedChunk *planned, const GPtrArray *messages, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Nobody loads what is left of a file. */
bool px_chunk_cancel(PxDb *db, int64_t file_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The planned chunks of a file (PxPlannedChunk *, freed with the array), by their first rows. */
GPtrArray *px_chunk_planned(PxDb *db, int64_t file_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the rows of a spool may still be needed. */
bool px_chunk_spool_wanted(PxDb *db, const char *spool, bool *ret_wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The messages of a file in the order of rows: one chunk of each part is in memory at a time, no statement stays open between calls. */
typedef struct PxFileMessages PxFileMessages;
PxFileMessages *px_file_messages_open(PxDb *db, int64_t file_id);
/* 1: *ret_message is borrowed until the next call; 0: no more; -1: error. */
int px_file_messages_next(PxFileMessages *messages, const PxMessage **ret_message, GError **error);
void px_file_messages_close(PxFileMessages *messages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxFileMessages, px_file_messages_close)

/* ---- workers: who runs jobs, and whether they live */

/* SQLite: a worker holds a lock of the kernel on a file of its own beside the database; when the process ends, however it ends, the lock is
 * free: no heartbeat is written. Where the database is a server there is a row with a lease on the server's clock as well: open inserts it, a
 * thread with a connection of its own renews the lease, close removes it. A worker is dead when its lease is over, or, for those on its
 * machine, when its file is free. One that was thought dead, and goes on, can commit nothing for its jobs (px_job_fence()). Callers see no
 * difference: jobs of a dead worker are given back by the next claim. The database connection is to outlive it. */
typedef struct PxWorker PxWorker;
PxWorker *px_worker_open(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_worker_close(PxWorker *worker);
/* Closes it as one that was stopped, without a word to the database: the jobs that it still has go back as they were. */
void px_worker_leave(PxWorker *worker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxWorker, px_worker_close)
const char *px_worker_name(const PxWorker *worker);
/* The limits that its claims heed from now on; borrowed, to outlive it. NULL: none. All who work on a database are meant to have the
 * same. */
void px_worker_heed(PxWorker *worker, const PxChannels *channels);
/* Which jobs it claims; all at first. The channel of notices is not beneath root and has room for one, whatever is configured: its jobs wait for
 * servers of others, and no other job ever waits for them. */
#define PX_CHANNEL_NOTICE "notice"
typedef enum { PX_CLAIMS_ALL, PX_CLAIMS_WORK /* no notices */, PX_CLAIMS_NOTICES } PxClaims;
void px_worker_claims(PxWorker *worker, PxClaims claims);
/* How long it is held to live when nothing is heard of it, where the database is a server; 30 s at first. */
void px_worker_lease(PxWorker *worker, int64_t microseconds);
/* Whether it is this worker that does what only one is to do at a time, such as "scheduler": at its first asking when nobody else does, and from then on
 * while its lease holds. A database that is a file has no leaders: always true. */
bool px_worker_leads(const PxWorker *worker, PxDb *db, const char *role, bool *ret_leads, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A worker of this process that was left while the database was not there: its jobs need not wait until its lease is over. */
void px_worker_bury(PxDb *db, const char *name);
/* What others see of it: "worker 2". */
void px_worker_describe(PxWorker *worker, const char *what);
/* How many jobs of a kind are claimed at once; at least 1. The next claims hand out the rest without a transaction; each runs alone. Only for kinds
 * whose jobs are short: others wait behind them. A death counts only for the one that px_worker_doing() names, the rest goes back. */
typedef unsigned (*PxBatchOf)(const char *kind);
void px_worker_batch(PxWorker *worker, PxBatchOf batch_of);
/* What it is at, for those who give the job back should it die: "importing orders.csv, rows 2001-3000"; NULL: nothing to tell. Crashes (a signal such
 * as SIGSEGV) of a process with a worker are told there by themselves. */
void px_worker_doing(const PxWorker *worker, int64_t job, const char *doing);
/* Its last words, which outlive it: it was told to end, or ended by a signal. Both may be called by a signal handler. A job of a worker that was
 * stopped goes back as it was. */
void px_worker_mark_stopped(const PxWorker *worker);
/* For who started it: the file of its life (NULL: none; borrowed); a descriptor that keeps it from being found dead until it is closed (-1: it is
 * dead already); and the signal that has ended it, which a SIGKILL keeps it from telling itself (0: it was stopped), to be told before that. */
const char *px_worker_file(const PxWorker *worker);
int px_worker_hold(const char *file);
void px_worker_tell_end(const char *file, int signal);
void px_worker_mark_signal(const PxWorker *worker, int signal);

/* ---- jobs */

#define PX_JOB_MAX_DEATHS 2 /* a job that took its worker with it this often fails */

typedef struct {
  int64_t id;
  char *kind;       /* a name of flow/steps.c: fetch, import, report, export, upload, process */
  char *channel;    /* "root.pattern.import" */
  int64_t priority; /* lower runs first; default 20 */
  int64_t eta;      /* not before */
  int64_t attempt;  /* raised by each claim: what the fence compares */
  int64_t retries, deaths;
  char *identity; /* only one waiting, pending or started job has it; NULL: any number */
  PxState state;
  char *task; /* NULL: by hand */
  int64_t attachment_id, file_id;
  char *owner; /* the worker */
  char *error;
  int64_t created, started, ended;
  int64_t waits;   /* how many jobs it waits for */
  int64_t held_by; /* the first of them that has failed and must be done; 0: none. Of px_job_get() and px_job_list() */
  char *tries;     /* what it said at each try: px_job_tries(); NULL: nothing */
} PxJob;

PxJob *px_job_new(const char *kind, const char *channel, const char *task);
void px_job_free(PxJob *job);
void px_free_job_row(gpointer job); /* the same, of arrays */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxJob, px_job_free)

/* Inserts and sets id. When a waiting, pending or started job has the same identity nothing is inserted: id becomes that job's,
 * and a pending one's eta is brought forward. */
bool px_job_enqueue(PxDb *db, PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of several, in their order; on a server with one statement, and one or two more for each whose identity another job has. */
bool px_jobs_enqueue(PxDb *db, PxJob *const *jobs, size_t n, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Inserts the job as started by worker: for commands that run it themselves. */
bool px_job_enqueue_started(PxDb *db, PxJob *job, const PxWorker *worker, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- jobs that wait for others
 *
 * A job with open needs is waiting; when the last of them is met it becomes pending, in the transaction that ended what it waited for. The end
 * of one of thousands of needed jobs costs two statements, whatever their number; who is last is decided by the row of the job that waits, so
 * that it is released once. A needed job that ends well meets both kinds of need. One that fails holds PX_WAIT_DONE until it is run again and
 * done, set done or cancelled by hand; cancelling it cancels those that wait for PX_WAIT_DONE, and what waits for them. PX_WAIT_ENDED is met
 * by failed and cancelled too. When a job that had ended is run again by hand, what waited for PX_WAIT_ENDED of it waits once more and then
 * runs again, also when it was done before: such jobs (the finish of a file) must be made to be repeated. */
typedef enum { PX_WAIT_DONE, PX_WAIT_ENDED } PxJobWait;
/* Lets a waiting or pending job (id set: it is in the queue) wait for another one; sets its state and waits. No need when that has ended so
 * already; when it must be done and was cancelled, the job is cancelled too, with what waits for it. To be called in the transaction that enqueues
 * the job, or while another need keeps it waiting: the job that splits a file enqueues finish, lets it wait for the splitting job itself, and adds
 * chunk after chunk. PX_ERROR_REFUSED: the job has begun. PX_ERROR_NOT_FOUND: there is no job needs_id. */
bool px_job_wait(PxDb *db, PxJob *job, int64_t needs_id, PxJobWait when, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The ids (int64_t) of what a job still waits for, lowest first; limit 0: all. Caller frees. */
GArray *px_job_needs(PxDb *db, int64_t id, uint64_t limit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- claiming and ending */

/* Claims the next job that is due (by priority, eta, id) and whose channels have room, in a transaction of its own; first gives back
 * the jobs of dead workers. tasks NULL: any job, else one of these tasks (NULL-terminated). *ret_job NULL: none is due. Caller
 * frees. */
bool px_job_claim(PxDb *db, const PxWorker *worker, const char *const *tasks, int64_t now, PxJob **ret_job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the next claim hands out a job that was claimed before, without a question to the database. */
bool px_job_is_held(const PxWorker *worker);
/* The jobs of dead workers that the last claims gave back (PxJob *; may be empty; freed with the array): state failed, or pending to be run again;
 * error tells how the worker died. They are told once. */
GPtrArray *px_worker_take_given_back(const PxWorker *worker);
/* Several jobs (PxJob *) that were handed out, each as px_job_release() does it, in one transaction. */
bool px_jobs_release(PxDb *db, const GPtrArray *jobs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Gives back what was claimed in a batch and not handed out: before a worker ends. A transaction of its own. */
bool px_job_release_held(PxDb *db, const PxWorker *worker, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The first statement of every later transaction of a job: PX_ERROR_FENCED when the job is not this attempt's any more. */
bool px_job_fence(PxDb *db, const PxJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores attachment_id and file_id. */
bool px_job_store_subject(PxDb *db, const PxJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The job got on: deaths before do not count any more. */
bool px_job_progress(PxDb *db, PxJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The job's end; belongs to its last transaction. */
bool px_job_done(PxDb *db, const PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends it as failed, and with it the pattern file and the attachment that it was working on when they have no end yet.
 * job->error tells all its tries then. */
bool px_job_fail(PxDb *db, PxJob *job, const char *why, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Called in the transaction of a claim for each job that it fails, because its workers died: behind px_job_fail(). */
typedef bool (*PxJobFailed)(PxDb *db, const PxJob *job, int64_t now, void *data, GError **error);
void px_worker_on_failure(PxWorker *worker, PxJobFailed failed, void *data);
/* Gives a claimed job back as it was: pending, neither a retry nor a death. For a graceful stop; nothing happens when it is not this attempt's
 * any more. */
bool px_job_release(PxDb *db, const PxJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Gives it back until eta. Its retries are counted. */
bool px_job_later(PxDb *db, PxJob *job, int64_t eta, const char *why, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a job said at its tries, each message once. */
typedef struct {
  char *error; /* NULL: behind the last one */
  uint64_t times;
  int64_t first, last;
} PxJobTry;
PxJobTry *px_job_tries(const PxJob *job, size_t *ret_n);
void px_job_tries_free(PxJobTry *tries);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxJobTry, px_job_tries_free)

/* The name of the file that a job works on; NULL: none, or it cannot be told. Caller frees. */
char *px_job_file_name(PxDb *db, const PxJob *job);
PxJob *px_job_get(PxDb *db, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *px_job_list(PxDb *db, const PxListFilter *filter, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The waiting, pending or started job that has an identity; 0: none. */
bool px_job_of_identity(PxDb *db, const char *identity, int64_t *ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The waiting, pending and started jobs that work on an attachment or a pattern file (0: not asked for). */
GPtrArray *px_job_active(PxDb *db, int64_t attachment_id, int64_t file_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  uint64_t waiting, pending, started, failed;
  int64_t next_eta; /* of the pending ones; 0: none */
} PxJobsLeft;
/* How many jobs of these tasks (NULL: of all) are not done; failed counts those that ended at or after since. */
bool px_jobs_left(PxDb *db, const char *const *tasks, int64_t since, PxJobsLeft *ret_left, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By hand, on a job that is no one's: cancel and set done (waiting, pending, failed), run again (failed, cancelled). What waits for it
 * follows. The caller's write transaction. PX_ERROR_REFUSED when its state does not allow it, PX_ERROR_NOT_FOUND. */
bool px_job_cancel(PxDb *db, int64_t id, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_job_set_done(PxDb *db, int64_t id, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_job_again(PxDb *db, int64_t id, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- the state of tasks, over the configuration */

typedef enum { PX_ENABLED_AS_CONFIGURED = -1, PX_ENABLED_NO = 0, PX_ENABLED_YES = 1 } PxEnabled;

typedef struct {
  PxEnabled enabled;
  int64_t last_run;   /* when its last job began */
  PxState last_state; /* how that ended; pending: it has not */
  char *last_error;
} PxTaskState;

void px_task_state_done(PxTaskState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxTaskState, px_task_state_done)
/* A task without a row: as configured, never run. */
bool px_task_state_get(PxDb *db, const char *task, PxTaskState *ret_state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_task_state_enable(PxDb *db, const char *task, PxEnabled enabled, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_task_state_ran(PxDb *db, const char *task, int64_t at, PxState state, const char *why, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- when tasks were due: unique by task, kind of job and time, whoever decides */

typedef enum {
  PX_DUE_BEGIN,   /* counting begins here: a new task, or a new schedule */
  PX_DUE_QUEUED,  /* there is a job */
  PX_DUE_SKIPPED, /* the run before was still going */
  PX_DUE_MISSED,  /* nothing was running then, and it is not caught up */
} PxDueState;
const char *px_due_state_name(PxDueState state);

typedef struct {
  int64_t due; /* 0: none */
  PxDueState state;
  char *schedule; /* as it was written then */
} PxDue;
void px_due_done(PxDue *due);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxDue, px_due_done)

/* The last one that is not after a time. */
bool px_due_last(PxDb *db, const char *task, const char *kind, int64_t until, PxDue *ret_due, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *ret_added false: it was decided before. */
bool px_due_add(PxDb *db, const char *task, const char *kind, const PxDue *due, int64_t now, bool *ret_added, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Removes what is older than a day, but for the last two, and what is more than a day ahead:
 * a clock that was wrong by less finds what was decided. */
bool px_due_tidy(PxDb *db, const char *task, const char *kind, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_due_forget(PxDb *db, const char *task, const char *kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- what is expected of files */

/* A file of a task that has come since a time; *ret_id 0: none. */
bool px_attachment_since(PxDb *db, const char *task, int64_t since, int64_t *ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* How many rows the last files of a task had, n of them at most, but for one: int64_t *, the newest first, freed with the array. */
GPtrArray *px_file_last_rows(PxDb *db, const char *task, int64_t but, uint64_t n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- notices: what people are told of, by mail and webhook */

typedef struct {
  int64_t id;
  char *event; /* file, attachment, task, late, small, stuck */
  char *task;  /* NULL: it belongs to none */
  int64_t job_id, attachment_id, file_id;
  char *why; /* NULL: the pattern file tells */
  int64_t created;
} PxNotice;
PxNotice *px_notice_new(const char *event, const char *task, const char *why);
void px_notice_free(PxNotice *notice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxNotice, px_notice_free)

/* Inserts and sets id; with mail it waits for the mail about its task. */
bool px_notice_add(PxDb *db, PxNotice *notice, bool mail, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_notice_by_webhook(PxDb *db, int64_t id, int64_t job_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A job takes all that waits for a mail about a task (NULL: about none), unless it has taken some before. */
bool px_notice_collect(PxDb *db, const char *task, int64_t job_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What a job mails or posts: PxNotice *, oldest first. */
GPtrArray *px_notice_of_job_id(PxDb *db, int64_t job_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The mail of a job has gone out. */
bool px_notice_mailed(PxDb *db, const char *task, int64_t job_id, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A job that mails has failed: its identity is its own from now on, so that others about the task are made. */
bool px_notice_leave(PxDb *db, const PxJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* When the same (event, task, why) was last told; 0: never, or that is forgotten. */
bool px_notice_last_told(PxDb *db, const PxNotice *notice, int64_t *ret_told, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether something waits for a mail about a task, and is in none yet. */
bool px_notice_waits(PxDb *db, const char *task, bool *ret_waits, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* When a task (NULL: none) was last mailed about; 0: never. */
bool px_notice_last_mail(PxDb *db, const char *task, int64_t *ret_sent, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- names with history */

typedef enum { PX_HISTORY_TASK, PX_HISTORY_PATTERN, PX_HISTORY_STORAGE } PxHistoryKind;
/* The names that our tables know: NULL-terminated, caller frees with g_strfreev(). */
char **px_history_names(PxDb *db, PxHistoryKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* renamed_from: gives the history of one name to another. */
bool px_history_rename(PxDb *db, PxHistoryKind kind, const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
