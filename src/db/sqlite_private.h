/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the SQLite driver share. */
#include "db/db_driver.h"

#include <signal.h>
#include <sqlite3.h>

/* The lock file beside a database by which those who wait to write are seen; see sqlite_wait.c. */
typedef struct {
  char *path; /* NULL: a database in memory, nobody waits */
  int fd;     /* -1: not open */
  bool locked;
} PxSqliteWait;

typedef struct {
  PxDb db;
  sqlite3 *handle;
  int64_t busy_limit;    /* microseconds */
  int64_t busy_deadline; /* of the wait that is going on */
  bool wants_to_write;   /* a BEGIN IMMEDIATE is running: waiting is to be seen by others */
  PxSqliteWait wait;
  volatile sig_atomic_t interrupted; /* the next wait for the lock fails */
  bool listens;
  int wake; /* of inotify, where listens */
} PxSqlite;

/* ---- sqlite_wait.c */

void px_sqlite_wait_init(PxSqliteWait *wait, const char *database);
void px_sqlite_wait_done(PxSqliteWait *wait);
/* Before the first sleep of a writer, and when its turn has come or it gives up. Without the file (read-only folder) it waits unseen. */
void px_sqlite_wait_enter(PxSqliteWait *wait);
void px_sqlite_wait_leave(PxSqliteWait *wait);
bool px_sqlite_wait_any(const PxSqliteWait *wait);
/* For sqlite3_busy_handler(); data is the PxSqlite. */
int px_sqlite_busy(void *data, int n_calls);

/* Opens (makes) a lock file beside the database, with its permissions; -1: errno. */
int px_sqlite_lock_file(const char *path, const char *database);

/* ---- sqlite_wake.c */

void px_sqlite_wake(const PxSqlite *sqlite);
int px_sqlite_listen(PxSqlite *sqlite);
void px_sqlite_heard(PxSqlite *sqlite);
void px_sqlite_wake_done(PxSqlite *sqlite);

/* ---- sqlite_expression.c */

bool px_sqlite_check_expression(PxDb *db, const char *table, const char *const *columns, const char *expression, GError **error);

/* ---- sqlite_error.c */

/* The error for what sqlite3_step(), sqlite3_exec() or sqlite3_prepare_v3() of handle just failed with. sql: shown where it is to blame. */
void px_sqlite_step_error(PxSqlite *sqlite, const char *sql, GError **error);
void px_sqlite_prepare_error(PxSqlite *sqlite, const char *sql, GError **error);
/* The same while the database is being opened; handle may be NULL. */
void px_sqlite_open_error(sqlite3 *handle, int code, const char *path, GError **error);
