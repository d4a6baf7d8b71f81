/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The two ways of the data, as commands call them. */
#include "flow/project.h"

/* ---- progress */

typedef struct {
  const char *name; /* of the file or task at work */
  const char *step; /* "check", "import", "export", "upload", ... */
  uint64_t rows;
  uint64_t rows_total; /* 0: not known */
  uint64_t bytes;
  uint64_t bytes_total; /* 0: not known */
} PxProgress;
typedef void (*PxProgressFunc)(const PxProgress *progress, void *data);

/* ---- what came of a file */

typedef struct {
  PxFileKind kind;
  PxState state;         /* done, failed or refused (design section 8); failed: rows or the whole file */
  PxCounts counts;       /* of an export: rows only */
  int64_t file_id;       /* the pattern file; 0: no history */
  int64_t attachment_id; /* 0: no history */
  char *name;
  char *task; /* NULL: by hand */
  char *pattern;
  char *error;         /* what ended the file as a whole; NULL */
  uint64_t members;    /* of an archive: the files in it, imported by jobs of their own; else 0 */
  char *archive;       /* by hand: the archive that it was in; NULL: none */
  char *error_file;    /* by hand: where its bad rows were written; NULL: nowhere */
  char *note;          /* what to know of the error file that was written; NULL */
  char *hint;          /* what the file may have been meant to say; NULL, and of a file of before */
  GArray *unknown_ids; /* PxId: of an export of chosen records those that there are not; NULL: not asked */
  GPtrArray *messages; /* PxMessage *, only where there is no history; else NULL: px_summary_messages() reads them */
} PxSummary;

void px_summary_free(PxSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxSummary, px_summary_free)

/* "partners.csv: 12 created, 6 updated, 8 failed (26 rows)"; the counts that are zero are left out. Caller frees. */
char *px_summary_line(const PxSummary *summary);
/* "row 4, country_id|code: ..." Caller frees. */
char *px_message_line(const PxMessage *message);

/* Calls visit for each message in the order of rows; it returns false to stop. A refused file has at least one. */
typedef bool (*PxMessageVisit)(const PxMessage *message, void *data);
bool px_summary_messages(const PxProject *project, const PxSummary *summary, PxMessageVisit visit, void *data, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The summary of a pattern file of before. PX_ERROR_NOT_FOUND. */
PxSummary *px_summary_of_file(const PxProject *project, int64_t file_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- by hand */

/* Takes the summary of one file. false with an error: no other is imported. */
typedef bool (*PxSummaryTake)(PxSummary *summary, void *data, GError **error);

typedef struct {
  const char *pattern;
  const char *file;       /* a path, or "-": standard input */
  const char *error_file; /* a path: gets the bad rows; NULL: none. Written only when there are any. Of an archive with several files: a folder */
  char *const *signed_by; /* fingerprints, one of which has to have signed it; NULL: whoever */
  bool no_history;        /* leave no row of ours */
  const char *plan;       /* a path: gets the plan of what a dry run would change; NULL: none. Not written for a file that is refused */
  PxSummaryTake take;
  void *take_data;
  PxProgressFunc progress; /* may be NULL */
  void *data;              /* of progress */
} PxImportByHand;

/* Imports one file now; of an archive or an encrypted file, by its name, each that is in it. A bad or refused file is no error: its summary tells.
 * PX_ERROR_REFUSED: what it lies in cannot be opened, or was not signed as it has to be; PX_ERROR_USAGE: several files have no place for one error
 * file or one plan. */
bool px_import_by_hand(PxProject *project, const PxImportByHand *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  const char *file;        /* a plan, as a dry run wrote it */
  PxProgressFunc progress; /* may be NULL */
  void *data;
} PxPlanByHand;

/* Makes exactly the changes of a plan, all in one transaction. Where the database is not any more what it was when the plan was made, the summary is
 * refused, its messages tell what has moved, and nothing is changed. PX_ERROR_REFUSED: it is no plan, it was edited, or it is of another schema. */
PxSummary *px_apply_plan(PxProject *project, const PxPlanByHand *by, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  const char *pattern;
  const char *output; /* a path (written under a temporary name, then renamed), or "-": standard output */
  const char *filter; /* the text of a domain; NULL: all active records */
  const GArray *ids;  /* PxId: only these records, inactive ones too, as far as they match the filter; NULL: all */
  bool no_history;
  bool header_only; /* template */
  PxPacking compress;
  char *const *encrypt_to; /* fingerprints; NULL: it is not encrypted */
  const char *sign_with;   /* fingerprint; NULL: it is not signed */
  PxProgressFunc progress;
  void *data;
} PxExportByHand;
/* Where an export to path goes: what it is compressed and encrypted with is put behind it, unless it says so already. *compress NONE: as path says.
 * PX_ERROR_USAGE: path says something else. Caller frees. */
char *px_export_output(const char *path, bool is_encrypted, PxPacking *compress, GError **error);
PxSummary *px_export_by_hand(PxProject *project, const PxExportByHand *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Imports the stored bytes of a pattern file again; failed_only: only the rows that failed. The try before stays. */
PxSummary *px_retry_file(PxProject *project, int64_t file_id, bool failed_only, PxProgressFunc progress, void *data, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A failed attachment (an upload, an import whose job failed) is pending again, with its job. Run it with px_run_jobs(). */
bool px_retry_attachment(PxProject *project, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_retry_job(PxProject *project, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends what is pending (or failed) by hand: pattern files and attachments take their jobs along. PX_ERROR_REFUSED, PX_ERROR_NOT_FOUND. */
typedef enum { PX_SUBJECT_FILE, PX_SUBJECT_ATTACHMENT, PX_SUBJECT_JOB } PxSubject;
bool px_cancel(PxProject *project, PxSubject subject, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_set_done(PxProject *project, PxSubject subject, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives a file to an import task, as if it had been fetched; *ret_id is the attachment. With process: now its job is queued: px_run_jobs() runs it.
 * */
bool px_attachment_add_by_hand(PxProject *project, const char *task, const char *file, int64_t *ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Queues the work on pending attachments: these (n_ids of them), or at most limit of all that wait (n_ids 0; limit 0: all). *ret_queued: how many. */
bool px_attachments_queue(PxProject *project, const int64_t *ids, size_t n_ids, uint64_t limit, uint64_t *ret_queued, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* ---- running tasks and jobs */

/* A file that could not be taken or put away. */
typedef struct {
  char *file;
  char *text;   /* a sentence, which names it */
  bool passing; /* the next run may find it otherwise: nobody is told of it */
} PxProblem;

/* What a job did: told when it has ended. Strings are borrowed. */
typedef struct {
  const char *kind;         /* fetch, import, chunk, finish, report, receipt, export, upload, process */
  const char *task;         /* NULL: by hand */
  const PxJob *job;         /* as it was claimed */
  PxState state;            /* done, failed; pending: it is tried again later; started: it was another worker's by then */
  const char *error;        /* NULL */
  const PxSummary *summary; /* of import and export; else NULL */
  const char *name;         /* the file of an upload or report; else NULL */
  const char *note;         /* of report: what of the workbook could not be kept as it was; NULL: nothing */
  uint64_t fetched;         /* of fetch: files taken */
  uint64_t waiting;         /* of fetch: files that may still be written to */
  uint64_t unready;         /* of fetch: files whose ready files are not there yet */
  uint64_t left;            /* of fetch: files that are left for the next run (max_files) */
  uint64_t duplicates;      /* of fetch */
  uint64_t known;           /* of fetch: kept files that were imported before */
  int64_t stable_at;        /* of fetch: when the last waiting file may be taken; 0: none waits */
  int64_t again_at;         /* of fetch: when the last of those that were seen for the first time may be; 0: none */
  const char *missing_path; /* of fetch: the storage has no such folder; NULL: it has */
  GPtrArray *problems;      /* PxProblem *; NULL: none */
} PxJobReport;

/* What a job did, in a sentence; NULL: nothing that a person waits for. Caller frees. */
char *px_job_line(const PxJobReport *job);

typedef struct {
  const char *const *tasks; /* NULL-terminated; NULL: all active import and export tasks, and jobs by hand that were left */
  int64_t
    wait_limit; /* how long in all to wait for jobs that are tried again later and for files that may still be written to, in microseconds; 0: not */
  bool lists_again; /* a task that saw new files which may still be written to is run again when they may be taken, due or not */
  void (*claimed)(const PxJob *job, void *data);         /* a job begins, or begins once more; may be NULL */
  void (*report)(const PxJobReport *report, void *data); /* may be NULL */
  void (*given_back)(const PxJob *job, void *data);      /* of a worker that died: px_worker_take_given_back(); may be NULL */
  PxProgressFunc progress;                               /* may be NULL */
  void *data;
} PxRunOptions;

typedef struct {
  uint64_t jobs_done, jobs_failed;
  uint64_t jobs_left; /* pending: out of reach for now */
  uint64_t files_done, files_failed, files_refused;
  uint64_t rows_failed;
  uint64_t problems;
} PxRunResult;

/* Enqueues a job for each task, then runs until nothing that follows from them is left. A failing task, file or job is told and counted, never an
 * error. PX_ERROR_CONFIG: a task
 * that is not there. */
bool px_run(PxProject *project, const PxRunOptions *options, PxRunResult *ret_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Runs what is queued for these tasks (NULL: all) without enqueuing anything. */
bool px_run_jobs(PxProject *project, const PxRunOptions *options, PxRunResult *ret_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Queues a job for each task that is due: by its schedule, by process: of an import task, by upload_schedule of an export task. now is microseconds
 * since the epoch; *ret_next when to call it again at the latest (0: nothing is ever due); look again sooner when the configuration has changed or a
 * task was enabled. A transaction for each decision: any number of schedulers may call it, a time that is due is decided by one of them.
 *
 * A new task or a new schedule begins to count now; a task that is not active does not count. What was missed follows catch_up; a run that is still
 * going is not started again. A clock that is put back finds what it has decided within a day. */
/* A PxBatchOf of the queue: how many jobs of a kind a worker claims at once. */
unsigned px_work_batch_of(const char *kind);
bool px_schedules_tick(PxProject *project, int64_t now, int64_t *ret_next, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The jobs that a worker claims, one after the other: claimed, run, told as the options say (wait_limit means nothing here). project and worker are
 * to outlive it. */
typedef struct PxRunner PxRunner;
PxRunner *px_runner_new(PxProject *project, const PxWorker *worker, const PxRunOptions *options);
void px_runner_free(PxRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxRunner, px_runner_free)
/* The next job that is due. *ret_ran false: none is. A job that left nothing in the database ends with the next call, with others of its kind, and is
 * told of then; so that call is to come at once. False only when the database fails: the worker cannot go on. */
bool px_runner_next(PxRunner *runner, bool *ret_ran, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Before the worker is closed: writes what is still to be written, and gives back what was claimed and not begun. */
bool px_runner_end(PxRunner *runner, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 0, 1 or 3 (design section 8). */
int px_run_exit_status(const PxRunResult *result);

/* ---- notices */

/* People are told of jobs that fail because their workers died: found by this worker's claims. project must outlive worker. */
void px_notices_watch(PxProject *project, PxWorker *worker);
/* Sends a mail now, or posts to the webhook, to see whether it arrives. */
bool px_notice_test_webhook(const PxProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_notice_test_mail(const PxProject *project, const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- tasks as `tasks` shows them */

typedef struct {
  bool configured;       /* active: in the configuration */
  PxEnabled enabled;     /* what the database says over it */
  bool runs;             /* both together */
  int64_t next_run;      /* 0: no schedule, or not running */
  int64_t next_expected; /* when its next file is there at the latest (expect:); 0: as above */
  int64_t next_held;     /* when what it holds goes on (process:, upload_schedule:); 0: as above */
  int64_t last_due;      /* by its schedule; 0: never yet */
  PxDueState last_due_state;
  int64_t last_run; /* 0: never */
  PxState last_state;
  char *last_error;
} PxTaskStatus;
void px_task_status_done(PxTaskStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxTaskStatus, px_task_status_done)
bool px_task_status(const PxProject *project, const PxTask *task, PxTaskStatus *ret_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_task_enable(PxProject *project, const char *task, PxEnabled enabled, GError **error) G_GNUC_WARN_UNUSED_RESULT;
