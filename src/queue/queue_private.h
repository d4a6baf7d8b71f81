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
PxValue px_id_value(int64_t id);
void px_bind_id(PxBinder *binder, int64_t id);
/* rows, created, updated, unchanged, failed, skipped */
void px_bind_counts(PxBinder *binder, const PxCounts *counts);
/* A LIKE pattern for texts that have this one in them, in small letters; NULL for NULL. Caller frees. */
char *px_like_part(const char *text);
/* Twice each, as "NULL or equal" takes them; limit 0 is none. */
void px_bind_filter(PxBinder *binder, const char *text);
void px_bind_limit(PxBinder *binder, uint64_t limit);
/* The values of a row, as many as its statement has columns. They refer to the row. */
typedef void (*PxRowValues)(gconstpointer row, PxValue *ret_values);
void px_bind_row(PxBinder *binder, gconstpointer row, size_t n_columns, PxRowValues values_of);
/* n rows as arrays, a parameter a column, as unnest() takes them. Caller frees, when the statement has been stepped to its end. PostgreSQL only. */
PxValue *px_bind_rows(PxBinder *binder, const gconstpointer *rows, size_t n, size_t n_columns, PxRowValues values_of) G_GNUC_WARN_UNUSED_RESULT;
/* n texts as an array, or (NULL) as many null values; the same. */
PxValue *px_bind_texts(PxBinder *binder, const char *const *texts, size_t n) G_GNUC_WARN_UNUSED_RESULT;
bool px_run_bound(PxBinder *binder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Runs a statement that returns one integer at most; *ret_value 0 when it returns none or NULL. */
bool px_run_for_id(PxBinder *binder, int64_t *ret_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a statement about n things, that returns the places, from 1, of those for which it has an integer, and these. */
bool px_run_for_ids(PxBinder *binder, size_t n, int64_t *ret_values, GError **error) G_GNUC_WARN_UNUSED_RESULT;

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
/* Stores the end of a job and releases what waited for it. */
bool px_job_store_end(PxDb *db, int64_t id, PxState state, const char *why, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Before a job that may be started ends, and behind rows that were stored. */
bool px_counter_job_ended(PxDb *db, int64_t id, PxState state, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of jobs as they were claimed; their rows may have ended before. PostgreSQL only. */
bool px_counter_jobs_ended(PxDb *db, const PxJob *const *jobs, size_t n, PxState state, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
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
/* In a transaction that is to be durable: what is next, when nobody holds it back. kept: the channels (char *) of jobs of the worker that end in it,
 * in which it had a place, so that nobody else is asked whether there is one. */
bool px_job_claim_along(PxDb *db, const PxWorker *worker, const GPtrArray *kept, const char *const *tasks, int64_t now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Whether the next claim is to look for dead workers, so that nothing should be claimed along before. */
bool px_job_must_look(PxDb *db, const PxWorker *worker, bool *ret_must, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The transaction of a claim is rolled back. */
void px_job_claim_failed(const PxWorker *worker);
const PxChannels *px_worker_channels(const PxWorker *worker);
PxClaims px_worker_claims_which(const PxWorker *worker);
/* Where the database is a server: the lease is renewed when that has not been done for some time, so that what is claimed now is not given to
 * another one at once. */
bool px_worker_renew(const PxWorker *worker, PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether it is time to look for dead workers though there are jobs to be claimed. */
bool px_worker_looks_around(const PxWorker *worker);
/* Whether that would say so now. */
bool px_worker_must_look(const PxWorker *worker);
/* What a dead worker left in its file, or in its row. */
typedef struct {
  bool stopped;    /* it was told to end */
  int signal;      /* that ended it; 0: not known */
  int64_t job;     /* that it was running; 0: not known */
  char doing[240]; /* "importing orders.csv, rows 2001-3000", or "" */
} PxLastWords;
void px_worker_last_words(PxDb *db, const char *name, PxLastWords *ret_words);
/* When its jobs have been given back: nothing is to be known of it any more. */
void px_worker_forget(PxDb *db, const char *name);
/* What the database knows of a worker's life (job_owners.sql). */
typedef enum { PX_LEASE_NONE /* there are no leases */, PX_LEASE_HOLDS, PX_LEASE_OVER } PxLease;
/* Whether the worker of that name is dead: its lease is over, or its lock file is free. db says where lock files are. */
bool px_worker_is_dead(PxDb *db, const char *name, PxLease lease);

/* ---- worker_rows.c: workers of a database that is a server. A row each, kept alive by a thread with a connection of its own; when it cannot, and
 * the lease is over, the connection of the worker is cut: nothing that is done on it could be committed. So it is when over that connection, and no
 * other, nothing comes any more. */
typedef struct PxPresence PxPresence;
/* db is the worker's, to outlive it. */
PxPresence *px_presence_open(PxDb *db, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
typedef enum {
  PX_PRESENCE_ENDED,   /* the row is removed */
  PX_PRESENCE_STOPPED, /* its lease is over, for its jobs to go back as they were */
  PX_PRESENCE_LEFT,    /* nothing is said to a server that may not be there */
} PxPresenceEnd;
void px_presence_close(PxPresence *presence, PxPresenceEnd how);
void px_presence_lease(PxPresence *presence, int64_t microseconds);
/* Is in the row with the next sign of life. */
void px_presence_describe(PxPresence *presence, const char *what);
void px_presence_doing(PxPresence *presence, int64_t job, const char *doing);
bool px_presence_must_look(const PxPresence *presence);
bool px_presence_looks_around(PxPresence *presence);
bool px_presence_renew(PxPresence *presence, PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What rows tell of a worker, or (name NULL) of all. */
typedef struct {
  char *name, *host, *what, *doing;
  bool stopped, lives;
  int64_t job;
} PxWorkerRow;
GPtrArray *px_worker_rows(PxDb *db, const char *name);
/* Its lease is over, and its jobs are to go back as they were. */
void px_worker_rows_stop(PxDb *db, const char *name);
/* Removes rows that nobody needs: of one worker, or (name NULL) of all whose lease is over. */
void px_worker_rows_forget(PxDb *db, const char *name);

/* chunks.c: a JSON array of [row, column, field, type, message]; NULL when there are none. Caller frees with free(). */
char *px_messages_to_json(const GPtrArray *messages);
/* In a transaction: the worker's owner hears of a job that its claim has failed. */
bool px_worker_tell_failure(const PxWorker *worker, PxDb *db, const PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
