/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions and savepoints, the same for every driver, and what a dry run makes of them: one transaction that begins with the
 * first thing that writes and is rolled back at close, in which the caller's transactions are savepoints. */
#include "db/db_driver.h"

#define CALLERS_TRANSACTION "px_transaction"

static bool run(PxDb *db, const char *command, GError **error) {
  PxStmt *stmt = px_db_prepare(db, command, error);
  return stmt && px_stmt_run(stmt, error);
}

static bool run_savepoint(PxDb *db, const char *command, unsigned depth, GError **error) {
  char text[64];
  g_snprintf(text, sizeof text, "%s px_%u", command, depth);
  return run(db, text, error);
}

static void set_soon(PxDb *db, bool soon) {
  if (db->soon != soon && db->driver->set_soon)
    db->driver->set_soon(db, soon);
  db->soon = soon;
}

static void ended(PxDb *db) {
  set_soon(db, false);
  db->tx_open = false;
  db->savepoints = 0;
  db->wakes = false;
  db->guard_writes = db->dry_run;
}

bool px_db_in_transaction(const PxDb *db) {
  return db->tx_open && db->driver->in_transaction(db);
}

/* The transaction that a dry run never commits. */
static bool hold(PxDb *db, GError **error) {
  if (px_db_lost_dry_run(db)) {
    g_set_error(error, PX_ERROR, PX_ERROR_ROLLED_BACK, "the database ended the transaction of the dry run, nothing that it did before is there");
    return false;
  }
  if (db->held)
    return true;
  db->held = db->driver->begin(db, PX_TX_WRITE, error);
  return db->held;
}

bool px_db_lost_dry_run(const PxDb *db) {
  return db->held && !db->driver->in_transaction(db);
}

bool px_db_again_dry_run(PxDb *db, GError **error) {
  g_assert(db->dry_run && !px_db_in_transaction(db));
  px_db_end_held(db);
  ended(db);
  return px_db_migrate(db, error);
}

void px_db_end_held(PxDb *db) {
  if (db->held && db->driver->in_transaction(db))
    (void)run(db, "ROLLBACK", NULL);
  db->held = false;
}

bool px_db_guard_write(PxDb *db, GError **error) {
  if (px_db_in_transaction(db)) {
    if (db->tx_kind != PX_TX_READ)
      return true;
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a statement that writes was run in a read transaction");
    return false;
  }
  return !db->dry_run || hold(db, error);
}

static bool require_transaction(PxDb *db, GError **error) {
  if (px_db_in_transaction(db))
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_ROLLED_BACK, "the transaction has been rolled back");
  return false;
}

bool px_db_begin(PxDb *db, PxTxKind kind, GError **error) {
  if (px_db_in_transaction(db)) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a transaction was begun inside another one");
    return false;
  }
  if (db->dry_run && (kind != PX_TX_READ || db->held)) {
    if (!hold(db, error) || !run(db, "SAVEPOINT " CALLERS_TRANSACTION, error))
      return false;
  } else {
    set_soon(db, kind == PX_TX_WRITE_SOON);
    if (!db->driver->begin(db, kind, error)) {
      set_soon(db, false);
      return false;
    }
  }
  db->tx_open = true;
  db->tx_kind = kind;
  db->savepoints = 0;
  db->guard_writes = db->dry_run || kind == PX_TX_READ;
  return true;
}

bool px_db_commit(PxDb *db, GError **error) {
  if (!require_transaction(db, error))
    return false;
  /* Releasing a savepoint does not ask deferred constraints, committing does. */
  bool done = db->held ? px_db_check_deferred(db, error) && run(db, "RELEASE " CALLERS_TRANSACTION, error) : run(db, "COMMIT", error);
  bool wakes = done && db->wakes && !db->dry_run;
  if (done)
    ended(db);
  if (wakes)
    db->driver->notify(db);
  return done;
}

void px_db_rollback(PxDb *db) {
  if (px_db_in_transaction(db)) {
    if (!db->held)
      (void)run(db, "ROLLBACK", NULL);
    else if (run(db, "ROLLBACK TO " CALLERS_TRANSACTION, NULL))
      (void)run(db, "RELEASE " CALLERS_TRANSACTION, NULL);
  }
  ended(db);
}

void px_db_notify(PxDb *db) {
  db->wakes = px_db_in_transaction(db);
}

bool px_db_savepoint(PxDb *db, GError **error) {
  if (!require_transaction(db, error) || !run_savepoint(db, "SAVEPOINT", db->savepoints, error))
    return false;
  db->savepoints++;
  return true;
}

bool px_db_release(PxDb *db, GError **error) {
  g_assert(db->savepoints > 0 || !px_db_in_transaction(db));
  if (!require_transaction(db, error) || !run_savepoint(db, "RELEASE", db->savepoints - 1, error))
    return false;
  db->savepoints--;
  return true;
}

bool px_db_rollback_to(PxDb *db, GError **error) {
  g_assert(db->savepoints > 0 || !px_db_in_transaction(db));
  return require_transaction(db, error) && run_savepoint(db, "ROLLBACK TO", db->savepoints - 1, error) && px_db_release(db, error);
}
