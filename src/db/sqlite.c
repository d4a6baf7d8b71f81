/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite driver: opening, and statements. A connection belongs to one thread. */
#include "db/sqlite_private.h"

#define DEFAULT_CACHE_BYTES (16u << 20)
#define DEFAULT_BUSY_MS 60000u
#define JOURNAL_SIZE_LIMIT (64 << 20) /* what a large transaction leaves of its log on the disk */

typedef struct {
  PxStmt stmt;
  sqlite3_stmt *raw;
  bool writes;
  int bind_code; /* the first parameter since the last run that could not be bound */
} SqliteStmt;

static PxSqlite *sqlite_of(PxDb *db) {
  return (PxSqlite *)db;
}

static sqlite3 *handle_of(const PxDb *db) {
  return ((const PxSqlite *)db)->handle;
}

static SqliteStmt *stmt_of(PxStmt *stmt) {
  return (SqliteStmt *)stmt;
}

/* ---- opening */

static bool open_exec(sqlite3 *handle, const char *path, const char *sql, GError **error) {
  int code = sqlite3_exec(handle, sql, NULL, NULL, NULL);
  if (code != SQLITE_OK)
    px_sqlite_open_error(handle, code, path, error);
  return code == SQLITE_OK;
}

/* The database may do what its tables say, not more: no other files, no writing of its schema behind its back. The schema stays trusted,
 * because SQLite 3.40 else refuses the triggers by which people fill their FTS5 tables, and this program adds no function to abuse. */
static bool harden(sqlite3 *handle, const char *path, GError **error) {
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  int code = sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
  if (code != SQLITE_OK)
    px_sqlite_open_error(handle, code, path, error);
  return code == SQLITE_OK;
}

/* Two who open a fresh database at once both read its header and want to change it: SQLite then tells one that it is busy without asking
 * the busy handler ("Register A Callback To Handle SQLITE_BUSY Errors": it could be a deadlock). Nothing is held between the tries. */
static bool switch_to_wal(PxSqlite *sqlite, const char *path, GError **error) {
  const char *pragma = "PRAGMA journal_mode = WAL";
  int64_t deadline = g_get_monotonic_time() + sqlite->busy_limit;
  int code = sqlite3_exec(sqlite->handle, pragma, NULL, NULL, NULL);
  while ((code & 0xff) == SQLITE_BUSY && g_get_monotonic_time() < deadline && px_sqlite_busy(sqlite, 0))
    code = sqlite3_exec(sqlite->handle, pragma, NULL, NULL, NULL);
  if (code != SQLITE_OK)
    px_sqlite_open_error(sqlite->handle, code, path, error);
  return code == SQLITE_OK;
}

static bool configure(PxSqlite *sqlite, const PxDbOptions *options, const char *path, GError **error) {
  sqlite3 *handle = sqlite->handle;
  uint64_t cache_bytes = options->cache_bytes ? options->cache_bytes : DEFAULT_CACHE_BYTES;
  g_autofree char *pragmas = g_strdup_printf("PRAGMA synchronous = FULL; PRAGMA cache_size = -%" G_GUINT64_FORMAT ";"
                                             "PRAGMA journal_size_limit = %d;",
                                             MAX(cache_bytes / 1024, 1), JOURNAL_SIZE_LIMIT);
  /* The first look at the file: here it turns out whether it is a database. */
  if (!harden(handle, path, error) || !open_exec(handle, path, pragmas, error) ||
      !open_exec(handle, path, "SELECT count(*) FROM sqlite_schema", error))
    return false;
  if (sqlite3_db_readonly(handle, "main") == 1) {
    px_sqlite_open_error(NULL, SQLITE_READONLY, path, error);
    return false;
  }
  /* A dry run leaves the file as it is; other journals only let readers wait. */
  return options->dry_run || switch_to_wal(sqlite, path, error);
}

/* The last lock on a dry run: whatever is committed is rolled back instead ("Commit And Rollback Notification Callbacks"). */
static int refuse_commit(void *data) {
  return 1;
}

static void sqlite_close(PxDb *db) {
  PxSqlite *sqlite = sqlite_of(db);
  sqlite3_close_v2(sqlite->handle); /* also frees what a failed open left */
  px_sqlite_wait_done(&sqlite->wait);
  px_sqlite_wake_done(sqlite);
  g_free(sqlite);
}

/* Counting its memory takes SQLite a lock at each allocation: a tenth of an import, for figures that nobody reads. */
static void configure_library(void) {
  static gsize done;
  if (g_once_init_enter(&done)) {
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* too late, and harmless, where the library is in use already */
    g_once_init_leave(&done, 1);
  }
}

static PxDb *sqlite_open(const PxDbOptions *options, const char *path, GError **error) {
  bool in_memory = g_str_equal(path, ":memory:");
  bool create = in_memory || (options->create && !options->dry_run);
  if (!create && !g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "there is no database %s: correct \"database:\" in the configuration, or make it", path);
    return NULL;
  }
  configure_library();
  PxSqlite *sqlite = g_new0(PxSqlite, 1);
  px_sqlite_wait_init(&sqlite->wait, NULL);
  sqlite->busy_limit = (int64_t)(options->busy_ms ? options->busy_ms : DEFAULT_BUSY_MS) * 1000;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (create ? SQLITE_OPEN_CREATE : 0);
  int code = sqlite3_open_v2(path, &sqlite->handle, flags, NULL);
  if (code != SQLITE_OK) {
    px_sqlite_open_error(sqlite->handle, code, path, error);
    sqlite_close(&sqlite->db);
    return NULL;
  }
  sqlite3_busy_handler(sqlite->handle, px_sqlite_busy, sqlite);
  if (!configure(sqlite, options, path, error)) {
    sqlite_close(&sqlite->db);
    return NULL;
  }
  if (options->dry_run)
    sqlite3_commit_hook(sqlite->handle, refuse_commit, NULL);
  if (!in_memory)
    px_sqlite_wait_init(&sqlite->wait, sqlite3_db_filename(sqlite->handle, "main"));
  return &sqlite->db;
}

static const char *sqlite_path(const PxDb *db) {
  const char *path = sqlite3_db_filename(handle_of(db), "main");
  return path && *path ? path : NULL;
}

/* ---- transactions */

static bool sqlite_begin(PxDb *db, PxTxKind kind, GError **error) {
  PxSqlite *sqlite = sqlite_of(db);
  PxStmt *stmt = px_db_prepare(db, kind == PX_TX_READ ? "BEGIN" : "BEGIN IMMEDIATE", error);
  if (!stmt)
    return false;
  stmt_of(stmt)->writes = false; /* SQLite counts BEGIN IMMEDIATE among what writes */
  sqlite->wants_to_write = kind != PX_TX_READ;
  bool begun = px_stmt_run(stmt, error);
  sqlite->wants_to_write = false;
  px_sqlite_wait_leave(&sqlite->wait);
  return begun;
}

/* "PRAGMA synchronous": with NORMAL a commit in WAL mode is not synced, but by the next one that is. */
static void sqlite_set_soon(PxDb *db, bool soon) {
  (void)sqlite3_exec(handle_of(db), soon ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", NULL, NULL, NULL);
}

static bool sqlite_in_transaction(const PxDb *db) {
  return !sqlite3_get_autocommit(handle_of(db));
}

static bool sqlite_check_deferred(PxDb *db, GError **error) {
  int unresolved = 0;
  int highest = 0;
  sqlite3_db_status(handle_of(db), SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved, &highest, 0);
  if (unresolved == 0)
    return true;
  px_db_refuse(db, PX_REFUSED_FOREIGN_KEY, NULL, NULL, NULL, "FOREIGN KEY constraint failed");
  g_set_error(error, PX_ERROR, PX_ERROR_CONSTRAINT, "FOREIGN KEY constraint failed");
  return false;
}

static bool sqlite_has_waiters(const PxDb *db) {
  return px_sqlite_wait_any(&((const PxSqlite *)db)->wait);
}

static void sqlite_interrupt(PxDb *db) {
  sqlite_of(db)->interrupted = 1;
  sqlite3_interrupt(handle_of(db));
}

static void sqlite_notify(PxDb *db) {
  px_sqlite_wake(sqlite_of(db));
}

static int sqlite_listen(PxDb *db) {
  return px_sqlite_listen(sqlite_of(db));
}

static void sqlite_heard(PxDb *db) {
  px_sqlite_heard(sqlite_of(db));
}

/* ---- statements */

static PxStmt *sqlite_prepare(PxDb *db, const char *sql, GError **error) {
  sqlite3_stmt *raw = NULL;
  if (sqlite3_prepare_v3(handle_of(db), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, NULL) != SQLITE_OK || !raw) {
    px_sqlite_prepare_error(sqlite_of(db), sql, error);
    return NULL;
  }
  SqliteStmt *stmt = g_new0(SqliteStmt, 1);
  stmt->stmt = (PxStmt){.driver = &px_db_sqlite, .db = db, .text = g_strdup(sql)};
  stmt->raw = raw;
  stmt->writes = !sqlite3_stmt_readonly(raw);
  return &stmt->stmt;
}

static void sqlite_free_stmt(PxStmt *base) {
  SqliteStmt *stmt = stmt_of(base);
  sqlite3_finalize(stmt->raw);
  g_free(stmt->stmt.text);
  g_free(stmt);
}

static int bind_value(sqlite3_stmt *raw, int i, const PxValue *value) {
  switch ((PxValueKind)value->kind) {
  case PX_INTEGER:
    return sqlite3_bind_int64(raw, i, value->integer);
  case PX_TEXT: /* a NULL pointer would be the null value */
    return sqlite3_bind_text64(raw, i, value->text ? value->text : "", value->len, SQLITE_STATIC, SQLITE_UTF8);
  case PX_REAL:
    return sqlite3_bind_double(raw, i, value->real);
  case PX_BLOB:
    return sqlite3_bind_blob64(raw, i, value->text ? value->text : "", value->len, SQLITE_STATIC);
  case PX_NULL:
    break;
  }
  return sqlite3_bind_null(raw, i);
}

static void sqlite_bind(PxStmt *base, unsigned parameter, const PxValue *value) {
  SqliteStmt *stmt = stmt_of(base);
  int code = bind_value(stmt->raw, (int)parameter + 1, value);
  if (G_UNLIKELY(code != SQLITE_OK) && stmt->bind_code == SQLITE_OK)
    stmt->bind_code = code;
}

static void sqlite_reset(PxStmt *base) {
  SqliteStmt *stmt = stmt_of(base);
  stmt->bind_code = SQLITE_OK;
  sqlite3_reset(stmt->raw); /* repeats the error of the last step, which has been told */
}

static PxStep bind_failed(SqliteStmt *stmt, GError **error) {
  if ((stmt->bind_code & 0xff) == SQLITE_TOOBIG) {
    px_db_refuse(stmt->stmt.db, PX_REFUSED_OTHER, NULL, NULL, NULL, "string or blob too big");
    g_set_error(error, PX_ERROR, PX_ERROR_CONSTRAINT, "string or blob too big");
  } else {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a parameter of \"%s\" was not bound: %s", stmt->stmt.text, sqlite3_errstr(stmt->bind_code));
  }
  sqlite_reset(&stmt->stmt);
  return PX_STEP_ERROR;
}

static PxStep sqlite_step(PxStmt *base, GError **error) {
  SqliteStmt *stmt = stmt_of(base);
  if (G_UNLIKELY(stmt->bind_code != SQLITE_OK))
    return bind_failed(stmt, error);
  if (G_UNLIKELY(stmt->writes && base->db->guard_writes) && !base->temporary && !px_db_guard_write(base->db, error))
    return PX_STEP_ERROR;
  int code = sqlite3_step(stmt->raw);
  if (code == SQLITE_ROW)
    return PX_STEP_ROW;
  if (G_UNLIKELY(code != SQLITE_DONE))
    px_sqlite_step_error(sqlite_of(base->db), base->text, error);
  sqlite3_reset(stmt->raw);
  return code == SQLITE_DONE ? PX_STEP_DONE : PX_STEP_ERROR;
}

static PxValue sqlite_value(PxStmt *base, unsigned column) {
  /* The column is looked up once; its connection is this thread's alone, which is all that an unprotected value asks for. */
  sqlite3_value *value = sqlite3_column_value(stmt_of(base)->raw, (int)column);
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    return px_value_integer(sqlite3_value_int64(value));
  case SQLITE_FLOAT:
    return px_value_real(sqlite3_value_double(value));
  case SQLITE_TEXT: {
    const char *text = (const char *)sqlite3_value_text(value); /* before the length: it may have to be converted */
    return px_value_text(text, (size_t)sqlite3_value_bytes(value));
  }
  case SQLITE_BLOB: {
    const void *bytes = sqlite3_value_blob(value);
    return px_value_blob(bytes, (size_t)sqlite3_value_bytes(value));
  }
  default:
    return px_value_null();
  }
}

static unsigned sqlite_n_columns(PxStmt *base) {
  return (unsigned)sqlite3_column_count(stmt_of(base)->raw);
}

static uint64_t sqlite_changes(const PxDb *db) {
  return (uint64_t)sqlite3_changes64(handle_of(db));
}

static bool sqlite_exec(PxDb *db, const char *sql, GError **error) {
  if (sqlite3_exec(handle_of(db), sql, NULL, NULL, NULL) == SQLITE_OK)
    return true;
  px_sqlite_step_error(sqlite_of(db), sql, error);
  return false;
}

/* ---- schema */

static bool sqlite_has_table(PxDb *db, const char *table, bool *ret_has, GError **error) {
  PxStmt *stmt = px_db_prepare(db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, table);
  PxStep step = px_stmt_step(stmt, error);
  px_stmt_reset(stmt);
  *ret_has = step == PX_STEP_ROW;
  return step != PX_STEP_ERROR;
}

bool px_sqlite_column_collation(PxDb *db, const char *table, const char *column, const char **ret_collation, GError **error) {
  int code = sqlite3_table_column_metadata(handle_of(db), "main", table, column, NULL, ret_collation, NULL, NULL, NULL);
  if (code == SQLITE_OK)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s.%s: %s", table, column, sqlite3_errmsg(handle_of(db)));
  return false;
}

const PxDbDriver px_db_sqlite = {
  .dialect = PX_DIALECT_SQLITE,
  .open = sqlite_open,
  .close = sqlite_close,
  .path = sqlite_path,
  .begin = sqlite_begin,
  .in_transaction = sqlite_in_transaction,
  .check_deferred = sqlite_check_deferred,
  .has_waiters = sqlite_has_waiters,
  .set_soon = sqlite_set_soon,
  .interrupt = sqlite_interrupt,
  .notify = sqlite_notify,
  .listen = sqlite_listen,
  .heard = sqlite_heard,
  .prepare = sqlite_prepare,
  .free_stmt = sqlite_free_stmt,
  .bind = sqlite_bind,
  .step = sqlite_step,
  .value = sqlite_value,
  .n_columns = sqlite_n_columns,
  .reset = sqlite_reset,
  .changes = sqlite_changes,
  .exec = sqlite_exec,
  .has_table = sqlite_has_table,
  .check_expression = px_sqlite_check_expression,
};
