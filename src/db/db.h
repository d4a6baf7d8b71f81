/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One connection to the target database, whatever it is. The tables of people and our own pattimpex_* tables live in it. */
#include "base/error.h"
#include "base/value.h"

#include <glib.h>

typedef struct PxDb PxDb;
typedef struct PxStmt PxStmt; /* belongs to its connection, prepared once for each text, never freed by the caller */

typedef enum { PX_DIALECT_SQLITE, PX_DIALECT_POSTGRES } PxDialect;

typedef struct {
  /* sqlite:PATH; a relative path starts in the working directory; sqlite::memory: is a database that close forgets. postgresql://... as libpq knows
   * it, with its environment (PGHOST ...) and service files. */
  const char *url;
  bool dry_run;         /* every transaction happens and all is rolled back at close; nothing is ever committed */
  bool create;          /* make the database when it is missing (a dry run never does); else PX_ERROR_UNREACHABLE */
  uint64_t cache_bytes; /* SQLite: page cache; 0: 16 MiB */
  unsigned busy_ms;     /* how long to wait for another writer before PX_ERROR_TRANSIENT; 0: a minute */
  unsigned answer_ms;   /* PostgreSQL: a connection whose server does not answer for so long is lost; 0: it is waited for */
} PxDbOptions;

/* SQLite: WAL, synchronous=FULL, foreign_keys=ON, a busy handler of our own. PostgreSQL: UTC, ISO dates, synchronous_commit=on; a connection that is
 * lost outside a transaction is made again when it is needed. PX_ERROR_UNREACHABLE (missing, unreadable, no database, corrupt), PX_ERROR_TRANSIENT
 * (locked), PX_ERROR_CONFIG (unknown scheme, wrong URL). No message holds a part of the URL that may be secret. */
PxDb *px_db_open(const PxDbOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_db_close(PxDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxDb, px_db_close)
PxDialect px_db_dialect(const PxDb *db);
bool px_db_is_dry_run(const PxDb *db);
/* A pooler that hands out the server's sessions by transactions stands between: no temporary table outlives one. */
bool px_db_is_pooled(const PxDb *db);
/* What the names of our lock files begin with: the path of the database file; on PostgreSQL a path in a folder of this user on this machine, made
 * when it is asked for, the same for all whose URL names the same database. NULL where there is none. Borrowed. */
const char *px_db_path(const PxDb *db);
/* Another connection to the same database. */
PxDb *px_db_open_other(const PxDb *db, unsigned answer_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whoever waits for an answer of the server loses the connection: PX_ERROR_TRANSIENT. May be called by another thread. SQLite: nothing. */
void px_db_cut(PxDb *db);
/* How a connection waits for its server. SQLite never does. */
typedef struct {
  uint64_t number; /* of this wait; 0: it waits for nothing, or that cannot be told */
  uint64_t moved;  /* bytes that have come and gone over the connection so far */
  int64_t process; /* of the server, that is waited for, and since when it is there: microseconds of Unix time */
  int64_t process_begun;
} PxDbWait;
/* May be called by another thread. */
void px_db_wait(PxDb *db, PxDbWait *ret_wait);
/* A transaction in which nothing is said for so long is rolled back by the server, with the connection; 0: never. Also after it was made again.
 * SQLite: nothing. */
void px_db_limit_idle(PxDb *db, unsigned ms);

/* Makes and migrates the pattimpex_* tables (sql/migrate/NNNN.sql); does nothing when they are of this version. Outside a transaction.
 * PX_ERROR_CONFIG: they are newer than the program. */
bool px_db_migrate(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- transactions
 *
 * A statement that fails leaves a transaction of SQLite as it was before; on PostgreSQL nothing works in it any more until px_db_rollback_to() or
 * px_db_rollback(): who wants to go on after a refusal takes a savepoint before.
 *
 * In a dry run the first write opens one transaction for the life of the connection; those of the caller are savepoints in it. When the
 * database ends a transaction by itself there, all that the dry run did is gone, not only the caller's part; nothing more can be written
 * (PX_ERROR_ROLLED_BACK) until px_db_again_dry_run() begins it again with our tables as they are. */

typedef enum {
  PX_TX_READ,       /* one snapshot */
  PX_TX_WRITE,      /* IMMEDIATE on SQLite, READ COMMITTED on PostgreSQL */
  PX_TX_WRITE_SOON, /* the same; losing what it does, with a machine or server that crashes, is harmless: its commit does not wait
                     * for the disk. What is committed later never is there without it */
} PxTxKind;

bool px_db_lost_dry_run(const PxDb *db);
bool px_db_again_dry_run(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_db_begin(PxDb *db, PxTxKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PX_ERROR_CONSTRAINT: a deferred constraint. After an error the transaction is the caller's to roll back, though PostgreSQL has done so. */
bool px_db_commit(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In a write transaction: what can be looked up by an index is, though the table looks empty. Others may be filling it at this moment, and a plan
 * that reads it as a whole for each row never ends then; so it is with the plans that foreign keys keep. SQLite: it is so anyway. */
bool px_db_prefer_indexes(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In a transaction with nothing but px_db_named(): each statement keeps one plan, whatever its parameters, which goes by indexes where it can, also
 * for the order of its rows (ORDER BY id + 0: not there). For statements whose planning takes longer than they do. SQLite: it is so anyway. */
bool px_db_keep_plans(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_db_rollback(PxDb *db); /* harmless when there is no transaction */
/* False when the database ended the transaction by itself (ROLLBACK in a trigger, disk full ...). */
bool px_db_in_transaction(const PxDb *db);
/* Savepoints nest; the innermost is meant. */
bool px_db_savepoint(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_db_release(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_db_rollback_to(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT; /* and ends the savepoint */
/* Makes deferred constraints speak now: PX_ERROR_CONSTRAINT when one is violated. */
bool px_db_check_deferred(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether another connection waits to write (SQLite: the lock file DATABASE-pattimpex-wait). Cheap: one to three system calls. Never on
 * PostgreSQL, where writers wait for rows, not for turns. */
bool px_db_has_waiters(const PxDb *db);

/* Makes the statement that is running, or waiting for a lock, fail: PX_ERROR_STOPPED or PX_ERROR_TRANSIENT. What begins later works. May be
 * called by a signal handler. */
void px_db_interrupt(PxDb *db);

/* ---- waking one another */

/* In a write transaction: when it commits, those who listen are woken. */
void px_db_notify(PxDb *db);
/* A descriptor that poll(2) finds readable after a notification; it belongs to the connection. -1: there is none, so look from time to time;
 * which is wise in any case, since a notification may get lost. */
int px_db_listen(PxDb *db);
/* Takes what was readable. Afterwards look, then wait. */
void px_db_heard(PxDb *db);

/* ---- statements */

/* sql has ? parameters, whose type PostgreSQL infers from where they stand: CAST(? AS text) where it cannot. The same text gives the same
 * statement, reset. */
PxStmt *px_db_prepare(PxDb *db, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For a statement over arrays: it is planned anew each time it runs, since the best way depends on how many values there are, and is not
 * remembered: px_db_forget() frees it. What is wrong with sql is told when it runs. PostgreSQL only. */
PxStmt *px_db_prepare_batch(PxDb *db, const char *sql);
/* Frees a statement of px_db_prepare() that is not asked for again, or of px_db_prepare_batch(); it must not be running. */
void px_db_forget(PxDb *db, PxStmt *stmt);
/* One of db/sql/NAME.sql, prepared. */
PxStmt *px_db_named(PxDb *db, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Parameters count from 0. Text and blobs are not copied: they must live until the statement has been stepped to its end. */
void px_stmt_bind(PxStmt *stmt, unsigned parameter, const PxValue *value);
void px_stmt_bind_integer(PxStmt *stmt, unsigned parameter, int64_t value);
void px_stmt_bind_text(PxStmt *stmt, unsigned parameter, const char *text); /* NULL: the null value */
/* The parameter is an array of n values: the statement says of what type ("unnest(CAST(? AS bigint[]))"). They are not copied. PostgreSQL only. */
void px_stmt_bind_array(PxStmt *stmt, unsigned parameter, const PxValue *values, size_t n);
typedef enum { PX_STEP_ROW, PX_STEP_DONE, PX_STEP_ERROR } PxStep;
/* Runs to the next row. After DONE or ERROR the statement is reset and can be bound and run again. */
PxStep px_stmt_step(PxStmt *stmt, GError **error);
/* Columns of the row, from 0: views until the next step. */
PxValue px_stmt_value(PxStmt *stmt, unsigned column);
int64_t px_stmt_integer(PxStmt *stmt, unsigned column); /* NULL: 0 */
char *px_stmt_dup_text(PxStmt *stmt, unsigned column);  /* NULL: NULL; caller frees */
/* For tests, which show whatever a query gives. */
unsigned px_stmt_n_columns(PxStmt *stmt);
/* The SQL it was prepared from. Borrowed. */
const char *px_stmt_text(const PxStmt *stmt);
/* Gives up before the last row. */
void px_stmt_reset(PxStmt *stmt);
/* Steps to the end, dropping rows. */
bool px_stmt_run(PxStmt *stmt, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What the statement writes is a table of CREATE TEMP TABLE: it may run in a read transaction. */
void px_stmt_temporary(PxStmt *stmt);
/* Its rows may be more than memory should hold: in a transaction they come in portions. To be said before the first step. */
void px_stmt_stream(PxStmt *stmt);
/* Rows into a table in the fastest way. columns: "a, b", names quoted; cells: row after row. Checks and triggers are those of INSERT; rules and row-level
 * security are not heeded, or refused. PostgreSQL only. */
bool px_db_copy(PxDb *db, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Rows that the last statement inserted, updated or deleted. */
uint64_t px_db_changes(const PxDb *db);
/* For tests: what the connection has done so far, since how a batch is loaded shows in what it comes to. A statement that is asked for again is not
 * prepared again. */
typedef struct {
  uint64_t prepared; /* statements */
  uint64_t run;      /* how often one was begun */
} PxDbCounts;
PxDbCounts px_db_counts(const PxDb *db);
/* Any number of statements, no parameters, no queries. */
bool px_db_exec(PxDb *db, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- refusals */

typedef enum { PX_REFUSED_OTHER, PX_REFUSED_NOT_NULL, PX_REFUSED_UNIQUE, PX_REFUSED_CHECK, PX_REFUSED_FOREIGN_KEY, PX_REFUSED_TRIGGER } PxRefusalKind;

/* What the last PX_ERROR_CONSTRAINT of this connection was about. Strings live until the next one. A value that the database cannot work with
 * (malformed JSON in a CHECK, text in a STRICT integer column) is PX_REFUSED_OTHER. */
typedef struct {
  PxRefusalKind kind;
  const char *table;          /* NULL: not known */
  const char *schema;         /* of the table, on PostgreSQL; NULL: not known */
  const char *const *columns; /* NULL-terminated; may be empty */
  const char *constraint;     /* its name or text; NULL: not known */
  const char *message;        /* the database's own words */
  size_t row;                 /* of a px_db_copy(), from 0; SIZE_MAX: not known */
} PxRefusal;
const PxRefusal *px_db_refusal(const PxDb *db);
/* What the database should have said itself: a refusal PX_REFUSED_TRIGGER with this message, and PX_ERROR_CONSTRAINT. */
void px_db_refuse_silence(PxDb *db, const char *message, GError **error);

/* ---- names */

/* name as an identifier of SQL, quoted: the only place that does. Appends to sql. */
void px_db_quote(const PxDb *db, GString *sql, const char *name);

/* SQLite: the collation of a column ("BINARY", "NOCASE" ...). Lives as long as the connection's schema: copy it. */
bool px_sqlite_column_collation(PxDb *db, const char *table, const char *column, const char **ret_collation, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* ---- expressions that people write */

/* Whether a text is one SQL expression over a row of table (as SQL has it, quoted): it reads these columns (NULL at the end) by their plain names
 * and nothing else, has no parameter, no SELECT, no aggregate or window, and calls no function with side effects. Then "(" text ")" may stand in a
 * SELECT from that table alone, called px_record. It is compiled, not run. PX_ERROR_CONFIG: what is wrong with it. */
bool px_db_check_expression(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
