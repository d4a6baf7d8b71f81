/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tasks: what is fetched from or sent to which storage, with which pattern, when. */
#include "format/openpgp.h"
#include "format/pack.h"
#include "model/domain.h"
#include "pattern/pattern.h"
#include "storage/storage.h"
#include "task/expect.h"
#include "task/retry.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- schedules */

typedef struct PxSchedule PxSchedule;

/* "every 30 minutes" (seconds, minutes, hours, days, weeks, months), a cron expression of five fields (names, ranges, lists, steps; as in cron, day of
 * month and day of week are ORed when neither begins with *), or @hourly @daily @weekly @monthly @yearly. Seconds, minutes and hours are counted from
 * the epoch, so that all machines agree; days begin at midnight of the time zone, weeks on Monday, months on the first. PX_ERROR_CONFIG telling what
 * to write instead. Caller frees. */
PxSchedule *px_schedule_parse(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* starting: "2026-01-31" or "2026-01-31 06:00[:00]" by the local clock: nothing is due before, and "every" is counted from then, keeping the time of
 * day. PX_ERROR_CONFIG. */
bool px_schedule_start(PxSchedule *schedule, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_schedule_free(PxSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxSchedule, px_schedule_free)
const char *px_schedule_text(const PxSchedule *schedule);
/* The first time due strictly after this one, in microseconds since the epoch; 0: never (31 February).
 * Where the clock changes, as Debian's cron does: a fixed time that the clock leaves out is due when it goes on, one that comes twice is due the
 * first time only; with * in its minutes or hours a schedule is due whenever the clock shows its time. "every 2 hours" knows no clock. */
int64_t px_schedule_next(const PxSchedule *schedule, GTimeZone *timezone, int64_t after);
/* The last time due after one and not after another; 0: none. */
int64_t px_schedule_latest(const PxSchedule *schedule, GTimeZone *timezone, int64_t after, int64_t until);

/* ---- templates: names of files, with ${...} */

typedef struct PxTemplate PxTemplate;

/* What may stand in a template. */
typedef enum {
  PX_TEMPLATE_FETCHED,  /* obj: the file that was fetched */
  PX_TEMPLATE_EXPORTED, /* there is no obj yet */
  PX_TEMPLATE_READY,    /* the name of another file beside obj, which is not fetched yet: made of its name alone */
} PxTemplateUse;

/* PX_ERROR_CONFIG for anything but ${obj.name}, .stem, .suffix, .id, .checksum, .create_date[:%fmt], ${task.name}, ${date[:%fmt]}, saying what to
 * write instead. Caller frees. */
PxTemplate *px_template_parse(const char *text, PxTemplateUse use, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_template_free(PxTemplate *template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxTemplate, px_template_free)

typedef struct {
  const char *name; /* of the file; NULL for exports */
  int64_t id;
  const char *checksum;
  int64_t created; /* microseconds */
  const char *task;
  int64_t now;
  GTimeZone *timezone;
} PxTemplateValues;
/* The name; caller frees. PX_ERROR_CONFIG when it cannot be a file's name (px_storage_name_problem). */
char *px_template_render(const PxTemplate *template, const PxTemplateValues *values, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- tasks */

typedef enum { PX_TASK_IMPORT, PX_TASK_EXPORT, PX_TASK_UPLOAD } PxTaskKind;
const char *px_task_kind_name(PxTaskKind kind); /* "import", "export", "upload" */

typedef enum { PX_AFTER_KEEP, PX_AFTER_RENAME, PX_AFTER_MOVE, PX_AFTER_MOVE_RENAME, PX_AFTER_DELETE } PxAfterImport;
typedef enum { PX_DUPLICATES_NO, PX_DUPLICATES_NAME, PX_DUPLICATES_CONTENT } PxDuplicates;
typedef enum { PX_RECEIPT_JSON, PX_RECEIPT_TEXT } PxReceiptFormat;
typedef enum { PX_SCOPE_TASK, PX_SCOPE_ALL } PxScope;
typedef enum { PX_PROCESS_NOW, PX_PROCESS_MANUAL, PX_PROCESS_SCHEDULE } PxProcess;

/* What becomes of times that were due while nothing was running. */
typedef enum { PX_CATCH_UP_ONCE /* one run for all of them */, PX_CATCH_UP_ALL /* a run each */, PX_CATCH_UP_NONE } PxCatchUp;

typedef struct PxTask PxTask;
struct PxTask {
  PxTaskKind kind;
  const char *name;
  const PxConfigNode *node; /* its section: for showing and copying */
  bool active;              /* as configured; the database may say otherwise (px_task_state_get) */
  char *storage;            /* NULL: an export that another task uploads, or that is only kept */
  char *path;               /* "" : the storage's directory */
  PxOnExists on_exists;
  PxSchedule *schedule;     /* NULL: only by hand */
  PxCatchUp catch_up;       /* of all its schedules */
  char *renamed_from;       /* NULL */
  char **failure_emails;    /* NULL: none */
  int64_t priority;         /* of its jobs, lower runs first; -1: not said */
  char *channel;            /* of its import, export or upload jobs; NULL: not said */
  PxRetry *retry;           /* NULL: the default */
  const PxOpenPgp *openpgp; /* its keys; those of all tasks */
  const PxPattern *pattern; /* import: NULL: only fetched; upload: NULL */

  /* import */
  char *files;         /* fnmatch; NULL: all */
  GRegex *files_regex; /* of whole names; NULL: all */
  bool recursive;
  bool by_time, descending; /* the order in which files are taken: by name, or by their last change */
  uint64_t max_files;       /* of one run; 0: no limit */
  PxTemplate *ready_file;   /* the name of what must lie beside a file before it is taken; NULL: nothing */
  PxAfterImport after_import;
  char *move_path;
  PxTemplate *new_name;
  PxDuplicates avoid_duplicates;
  PxScope scope;
  bool decrypt;       /* files are encrypted with OpenPGP */
  char **signed_by;   /* fingerprints, one of which has to have signed what is decrypted; NULL: nobody */
  bool archives;      /* .zip and .gz are opened, and what is in them imported */
  char *error_path;   /* NULL: bad rows are not sent back */
  char *receipt_path; /* NULL: nobody gets a receipt */
  PxReceiptFormat receipt_format;
  int64_t stable_for; /* microseconds */
  PxProcess process;
  PxSchedule *process_schedule;
  PxExpect *expect; /* NULL: nothing */

  /* export */
  PxDomain *filter; /* NULL: all active records */
  const PxField **order;
  bool *order_descending;
  size_t n_order;
  PxTemplate *file_name;       /* NULL: PATTERN.FORMAT */
  PxSchedule *upload_schedule; /* NULL: at once */
  const PxTask *upload_task;   /* NULL: this one uploads by itself */
  bool skip_empty;
  PxPacking compress;
  char **encrypt_to; /* fingerprints; NULL: it is not encrypted */
  char *sign_with;   /* NULL: it is not signed */
};

typedef struct PxTasks PxTasks;
/* Reads the sections import_tasks, export_tasks, upload_tasks. What they refer to is borrowed. Complains with places. */
PxTasks *px_tasks_read(const PxConfig *config, const PxPatterns *patterns, const PxStorages *storages, PxComplaints *complaints);
void px_tasks_free(PxTasks *tasks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxTasks, px_tasks_free)
/* The keys of the section openpgp. */
const PxOpenPgp *px_tasks_openpgp(const PxTasks *tasks);
size_t px_tasks_count(const PxTasks *tasks);
const PxTask *px_tasks_at(const PxTasks *tasks, size_t i);
/* NULL when there is none of that name; names are unique over the three sections. */
const PxTask *px_tasks_get(const PxTasks *tasks, const char *name);
/* " (did you mean X?)", or "". Caller frees. */
char *px_tasks_did_you_mean(const PxTasks *tasks, const char *name);
/* Whether the task takes a remote file of this name. */
bool px_task_takes(const PxTask *task, const char *name);
/* What must lie beside a file of this name before it is taken; NULL: nothing, or it would be a name that no file can have. Caller frees. */
char *px_task_ready_name(const PxTask *task, const char *name);
/* Where in folder (move_path, error_path) a file goes that was found in path: with recursive: in the same sub-folder as it was. Caller frees. */
char *px_task_beneath(const PxTask *task, const char *folder, const char *path);
