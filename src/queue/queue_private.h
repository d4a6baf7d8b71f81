/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of queue/ share: binding and reading rows. */
#include "queue/counters.h"
#include "queue/queue.h"

/* Binds one value after the other. */
typedef struct {
  PxStmt *stmt;
  unsigned next;
} PxBinder;

/* The named statement, ready to be bound; false when there is none. */
bool px_queue_statement(PxDb *db, const char *name, PxBinder *ret_binder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_bind_integer(PxBinder *binder, int64_t value);
void px_bind_text(PxBinder *binder, const char *text);
/* 0 is the null value: an id that is none. */
void px_bind_id(PxBinder *binder, int64_t id);
/* rows, created, updated, unchanged, failed, skipped */
void px_bind_counts(PxBinder *binder, const PxCounts *counts);
/* A LIKE pattern for texts that have this one in them, in small letters; NULL for NULL. Caller frees. */
char *px_like_part(const char *text);
/* Twice each, as "NULL or equal" takes them; limit 0 is none. */
void px_bind_filter(PxBinder *binder, const char *text);
void px_bind_limit(PxBinder *binder, uint64_t limit);
bool px_run_bound(PxBinder *binder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Runs a statement that returns one integer at most; *ret_value 0 when it returns none or NULL. */
bool px_run_for_id(PxBinder *binder, int64_t *ret_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads one column after the other. */
typedef struct {
  PxStmt *stmt;
  unsigned next;
} PxColumns;

int64_t px_column_integer(PxColumns *columns);
char *px_column_text(PxColumns *columns);
void px_column_counts(PxColumns *columns, PxCounts *ret_counts);
/* An unknown word is PX_STATE_FAILED: a newer program's, which this one leaves alone. */
PxState px_column_state(PxColumns *columns);
/* The index of the word, 0 when it is none of them. */
int px_column_word(PxColumns *columns, const char *const *words, size_t n);

/* All rows of a bound statement, made by read and freed with the array. */
typedef gpointer (*PxReadRow)(PxColumns *columns);
/* A PxReadRow for rows of one text. */
gpointer px_read_text(PxColumns *columns);
GPtrArray *px_read_rows(PxBinder *binder, PxReadRow read, GDestroyNotify free_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The one row, or PX_ERROR_NOT_FOUND with what and id. */
gpointer px_read_row(PxBinder *binder, PxReadRow read, const char *what, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A PxReadRow for rows of one id: an int64_t * to be freed. */
gpointer px_read_id(PxColumns *columns);

/* The columns of every job_*.sql that returns jobs. */
gpointer px_read_job(PxColumns *columns);
void px_free_job_row(gpointer row);
/* Stores the end of a job and releases what waited for it. */
bool px_job_store_end(PxDb *db, int64_t id, PxState state, const char *why, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before a job that may be started ends, and behind rows that were stored. */
bool px_counter_job_ended(PxDb *db, int64_t id, PxState state, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_counter_rows(PxDb *db, int64_t file_id, const PxCounts *counts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remembers a try that failed, in the struct. */
void px_job_tried(PxJob *job, const char *why, int64_t now);
/* All that it said, a line each. Caller frees. */
char *px_job_tries_text(const PxJob *job);

/* A job has ended in this state: what waited for that gets on. */
bool px_job_needs_met(PxDb *db, int64_t id, PxState state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Cancels what waits until a job that was cancelled is done, and what waits for those. */
bool px_job_cancel_held(PxDb *db, int64_t id, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A job that had ended runs again: what waited for its end waits again. */
bool px_job_needs_again(PxDb *db, int64_t id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many jobs of a kind it claims at once, and those that it has not handed out yet (PxJob *, the last one first). */
unsigned px_worker_batch_of(const PxWorker *worker, const char *kind);
GPtrArray *px_worker_held(const PxWorker *worker);
/* Jobs of dead workers that it gave back and has not told of yet (PxJob *). */
GPtrArray *px_worker_given_back(const PxWorker *worker);
const PxChannels *px_worker_channels(const PxWorker *worker);
PxClaims px_worker_claims_which(const PxWorker *worker);
/* What a dead worker left in its file. */
typedef struct {
  bool stopped;    /* it was told to end */
  int signal;      /* that ended it; 0: not known */
  int64_t job;     /* that it was running; 0: not known */
  char doing[240]; /* "importing orders.csv, rows 2001-3000", or "" */
} PxLastWords;
void px_worker_last_words(PxDb *db, const char *name, PxLastWords *ret_words);
/* When its jobs have been given back: nothing is to be known of it any more. */
void px_worker_forget(PxDb *db, const char *name);
/* Whether the worker of that name is dead. db says where lock files are. */
bool px_worker_is_dead(PxDb *db, const char *name);

/* chunks.c: a JSON array of [row, column, field, type, message]; NULL when there are none. Caller frees with free(). */
char *px_messages_to_json(const GPtrArray *messages);
/* In a transaction: the worker's owner hears of a job that its claim has failed. */
bool px_worker_tell_failure(const PxWorker *worker, PxDb *db, const PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
