/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For the authors of database drivers, and for the files of this room that stand over them. Callers include db/db.h.
 *
 * A driver is one static const table. Its connection and its statements are its own structs that begin with the ones
 * below; open and prepare allocate them, close and free_stmt free them. db.c, tx.c and migrate.c do what is the same
 * for every database: the cache of statements, the nesting of transactions, the dry run, the migrations.
 *
 * Errors: a constraint that refuses a row is PX_ERROR_CONSTRAINT, after px_db_refuse() said which; when it ended the
 * transaction too, PX_ERROR_ROLLED_BACK. What may work later is PX_ERROR_TRANSIENT. Wrong SQL is PX_ERROR_INTERNAL.
 */
#include "db/db.h"

typedef struct PxDbDriver PxDbDriver;

struct PxDb {
  const PxDbDriver *driver;
  char *url;
  bool dry_run;
  bool tx_open; /* a caller is between begin and commit; the database may have ended it meanwhile */
  PxTxKind tx_kind;
  bool held;              /* dry run: the transaction that is never committed is open, the caller's is a savepoint in it */
  unsigned savepoints;    /* of the caller, inside its transaction */
  bool wakes;             /* the transaction that is open: px_db_notify() was called */
  bool pooled;            /* the driver's: only a transaction stays with one session of the server */
  bool soon;              /* the transaction that is open is PX_TX_WRITE_SOON */
  bool guard_writes;      /* px_db_guard_write() must be asked before a statement that writes */
  GHashTable *statements; /* text -> PxStmt, which owns the text */
  GHashTable *named;      /* name of a file of sql/ -> PxStmt, borrowed from statements */
  PxDbCounts counts;
  PxRefusal refusal;
  char *refusal_text[4]; /* owns table, constraint, message, schema */
  char **refusal_columns;
};

struct PxStmt {
  const PxDbDriver *driver;
  PxDb *db;
  char *text;
  bool running;   /* it has been stepped, and there may be more rows */
  bool temporary; /* what it writes is a temporary table: no transaction guards it */
  bool streams;   /* its rows are more than memory should hold */
};

struct PxDbDriver {
  PxDialect dialect;

  /* address is the URL of the options without its scheme. The common part of the connection is filled in by px_db_open(). */
  PxDb *(*open)(const PxDbOptions *options, const char *address, GError **error);
  /* Rolls back what is open. Every statement has been freed before. */
  void (*close)(PxDb *db);
  const char *(*path)(const PxDb *db);

  /* Starts a real transaction; waits for its turn. The other commands (COMMIT, ROLLBACK, SAVEPOINT ...) are statements. */
  bool (*begin)(PxDb *db, PxTxKind kind, GError **error);
  /* What the database itself says. */
  bool (*in_transaction)(const PxDb *db);
  bool (*check_deferred)(PxDb *db, GError **error);
  bool (*has_waiters)(const PxDb *db);
  void (*interrupt)(PxDb *db); /* from a signal handler */
  /* Outside a transaction: whether the commits that follow need not wait for the disk; NULL: begin sees to it. */
  void (*set_soon)(PxDb *db, bool soon);
  /* px_db_cut(), px_db_wait(), px_db_limit_idle(), px_db_prefer_indexes(), px_db_keep_plans(); NULL: nothing to be done. */
  void (*cut)(PxDb *db);
  void (*wait)(PxDb *db, PxDbWait *ret_wait);
  void (*limit_idle)(PxDb *db, unsigned ms);
  bool (*prefer_indexes)(PxDb *db, GError **error);
  bool (*keep_plans)(PxDb *db, GError **error);
  /* After the commit of a transaction that called px_db_notify(). */
  void (*notify)(PxDb *db);
  int (*listen)(PxDb *db);
  void (*heard)(PxDb *db);

  /* One statement with ? parameters. Never called twice for one text. Owns a copy of the text when it succeeds. */
  PxStmt *(*prepare)(PxDb *db, const char *sql, GError **error);
  PxStmt *(*prepare_batch)(PxDb *db, const char *sql); /* NULL: the database has no arrays */
  void (*free_stmt)(PxStmt *stmt);
  /* Hot: called for every value and every row. A parameter that cannot be bound makes the next step fail. */
  void (*bind)(PxStmt *stmt, unsigned parameter, const PxValue *value);
  void (*bind_array)(PxStmt *stmt, unsigned parameter, const PxValue *values, size_t n); /* NULL: the database has no arrays */
  PxStep (*step)(PxStmt *stmt, GError **error);
  PxValue (*value)(PxStmt *stmt, unsigned column);
  unsigned (*n_columns)(PxStmt *stmt);
  void (*reset)(PxStmt *stmt);
  bool (*copy)(PxDb *db, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows,
               GError **error); /* NULL: there is no COPY */
  uint64_t (*changes)(const PxDb *db);
  /* Several statements at once, none of them a query. */
  bool (*exec)(PxDb *db, const char *sql, GError **error);

  bool (*has_table)(PxDb *db, const char *table, bool *ret_has, GError **error);
  /* px_db_check_expression(); parentheses and quotes are balanced, there are no comments. */
  bool (*check_expression)(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error);
};

extern const PxDbDriver px_db_sqlite;
extern const PxDbDriver px_db_postgres;

/* ---- for drivers */

/* Before a statement that writes runs while db->guard_writes: opens the transaction of a dry run, refuses (a bug: PX_ERROR_INTERNAL) a
 * write in a read transaction. */
bool px_db_guard_write(PxDb *db, GError **error);
/* Keeps what px_db_refusal() gives. Takes table, columns (NULL: none) and constraint; copies message. */
void px_db_refuse(PxDb *db, PxRefusalKind kind, char *table, char **columns, char *constraint, const char *message);

/* ---- tx.c, for db.c */

void px_db_end_held(PxDb *db);

/* ---- migrate.c and db.c */

/* The text of sql/NAME.sql, on PostgreSQL of sql/pg/NAME.sql where there is one; NULL when there is no such file. Lives as long as the program. */
const char *px_db_sql_text(const PxDb *db, const char *name);
