/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the PostgreSQL driver share. */
#include "db/db_driver.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdatomic.h>

typedef struct {
  PxDb db;
  PGconn *conn;
  PGcancel *cancel;                  /* of conn; PQcancel() may be called by a signal handler */
  char *name;                        /* "shop on db.example.com", for messages: nothing of the URL that could be secret */
  unsigned busy_ms;                  /* how long a lock is waited for */
  unsigned generation;               /* raised with each connection: what was prepared on another one is gone */
  unsigned last_statement;           /* number in its name */
  GString *dropped;                  /* DEALLOCATE of statements that were freed, for the next time that something is prepared */
  uint64_t changes;                  /* of the last statement that writes */
  volatile sig_atomic_t interrupted; /* what is cancelled next was cancelled by us */
  char *deferred[2];                 /* SET CONSTRAINTS ... of this transaction, there and back; "": there are none; NULL: not known yet */
  char *settings;                    /* what each transaction of a pooled connection begins with */
  bool listens;
  unsigned answer_ms;       /* how long an answer is waited for; 0: without an end */
  unsigned idle_ms;         /* px_db_limit_idle() */
  uint64_t waits;           /* how often the server has been waited for */
  _Atomic uint64_t waiting; /* which of these it is now; 0: none */
  _Atomic bool cut;         /* this connection was */
  GMutex socket_lock;       /* of these; held while it connects again */
  int socket;               /* a descriptor of our own of that of conn, which libpq may close; -1: none */
  int64_t process;          /* the server's that conn talks to, and since when it is there; 0: not known */
  int64_t process_begun;
  char *path;       /* px_db_path(); NULL: not asked for yet, or there is none */
  int epoll, event; /* where it listens: readable after a notification; event: one came with the answer of a statement */
} PxPg;

/* ---- pg_sql.c */

typedef enum {
  PX_PG_READS,
  PX_PG_WRITES,
  PX_PG_TRANSACTION, /* BEGIN, SAVEPOINT, RELEASE, ROLLBACK: not prepared, works in a transaction that has failed */
  PX_PG_COMMITS,     /* COMMIT, END, PREPARE TRANSACTION: the same */
} PxPgKind;

/* What the first statement of sql does. */
PxPgKind px_pg_kind(const char *sql);
/* Whether any of the statements in sql commits. */
bool px_pg_commits(const char *sql);
/* sql with $1, $2 ... for ?, which in strings, names and comments stay as they are; so the operators ?, ?| and ?& of jsonb cannot be written.
 * Caller frees. */
char *px_pg_number_parameters(const char *sql, unsigned *ret_n);

/* ---- pg.c */

/* Connects again where the connection was lost and no transaction with it. PX_ERROR_UNREACHABLE. */
bool px_pg_revive(PxPg *pg, GError **error);
/* Begins a transaction, by this command, with our settings, and what more is said then. */
bool px_pg_begin(PxPg *pg, const char *begin, const char *more, GError **error);
/* A command without parameters and rows; also several in one text. */
bool px_pg_command(PxPg *pg, const char *sql, GError **error);
/* Notifications that came with the answer of a statement make the descriptor readable that listens. */
void px_pg_keep_notifications(PxPg *pg);

/* ---- pg_wait.c */

/* PQexec(), PQprepare(), PQexecPrepared(); where answers have a limit and none comes, the connection is lost. */
PGresult *px_pg_exec(PxPg *pg, const char *sql);
PGresult *px_pg_exec_prepare(PxPg *pg, const char *name, const char *sql);
PGresult *px_pg_exec_params(PxPg *pg, const char *sql, int n, const char *const *values, const int *lengths, const int *formats);
PGresult *px_pg_exec_prepared(PxPg *pg, const char *name, int n, const char *const *values, const int *lengths, const int *formats);
/* Around all else in which the server is waited for. */
void px_pg_begin_wait(PxPg *pg);
void px_pg_end_wait(PxPg *pg);
/* Whoever waits for an answer loses the connection. From any thread, as the next one. */
void px_pg_cut(PxPg *pg);
void px_pg_wait(PxPg *pg, PxDbWait *ret_wait);

/* ---- pg_stmt.c */

PxStmt *px_pg_prepare(PxDb *db, const char *sql, GError **error);
PxStmt *px_pg_prepare_batch(PxDb *db, const char *sql);
void px_pg_free_stmt(PxStmt *base);
void px_pg_bind(PxStmt *base, unsigned parameter, const PxValue *value);
void px_pg_bind_array(PxStmt *base, unsigned parameter, const PxValue *values, size_t n);
PxStep px_pg_step(PxStmt *base, GError **error);
PxValue px_pg_value(PxStmt *base, unsigned column);
unsigned px_pg_n_columns(PxStmt *base);
void px_pg_reset(PxStmt *base);

/* ---- pg_value.c: values as PostgreSQL reads them */

/* What value is as text; of a blob or NULL nothing, since these go otherwise. False: no text of PostgreSQL can hold it. */
bool px_pg_append_value(GString *text, const PxValue *value);
/* The same of an array; a blob is hexadecimal ("Array Input and Output Syntax", "bytea Hex Format"). */
bool px_pg_append_array(GString *text, const PxValue *values, size_t n);

/* The digits behind the "\\x" of a blob. */
void px_pg_append_hex(GString *text, const char *bytes, size_t len);
/* Whether a text has the character of number 0, which PostgreSQL stores in none. */
bool px_pg_holds_zero(const PxValue *value);

/* ---- pg_copy.c */

bool px_pg_copy(PxDb *db, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows, GError **error);

/* ---- pg_binary.c */

/* Appends what COPY ... (FORMAT binary) reads, into columns of these types; cells: row after row. False: a type is not known, or a value is one that
 * only its text says; what is appended then is worth nothing. */
bool px_pg_append_binary_rows(GString *out, const Oid *types, const PxValue *cells, size_t n_columns, size_t n_rows);

/* ---- pg_expression.c */

bool px_pg_check_expression(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error);

/* ---- pg_error.c */

/* The error of a result that is none, NULL when there is not even that. sql: shown where it is to blame. */
void px_pg_result_error(PxPg *pg, const PGresult *result, const char *sql, GError **error);
/* A text that cannot even be sent: px_pg_holds_zero(). */
void px_pg_refuse_zero(PxPg *pg, GError **error);
