/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"

#include "db/db_driver.h"
#include "px-sql.h"

static const struct {
  const char *scheme;
  const PxDbDriver *driver;
} drivers[] = {{"sqlite:", &px_db_sqlite}, {"postgresql:", &px_db_postgres}, {"postgres:", &px_db_postgres}};

static void free_statement(gpointer data) {
  PxStmt *stmt = data;
  stmt->driver->free_stmt(stmt);
}

PxDb *px_db_open(const PxDbOptions *options, GError **error) {
  const PxDbDriver *driver = NULL;
  const char *address = "";
  for (size_t i = 0; i < G_N_ELEMENTS(drivers) && !driver; i++)
    if (g_str_has_prefix(options->url, drivers[i].scheme)) {
      driver = drivers[i].driver;
      address = options->url + strlen(drivers[i].scheme);
    }
  if (!*address) { /* the URL itself is not shown: it may hold a password */
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
                "database: write sqlite: and the path of the database file, such as sqlite:shop.db, or postgresql://user@host/database");
    return NULL;
  }
  PxDb *db = driver->open(options, address, error);
  if (!db)
    return NULL;
  db->driver = driver;
  db->url = g_strdup(options->url);
  db->dry_run = options->dry_run;
  db->guard_writes = options->dry_run;
  /* Not bounded: the texts are our fixed files and those that records makes; it forgets what files could make without end. So a caller may
   * keep its PxStmt as long as the connection. */
  db->statements = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_statement);
  db->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return db;
}

void px_db_close(PxDb *db) {
  if (!db)
    return;
  px_db_rollback(db);
  px_db_end_held(db);
  g_hash_table_unref(db->named);
  g_hash_table_unref(db->statements);
  for (size_t i = 0; i < G_N_ELEMENTS(db->refusal_text); i++)
    g_free(db->refusal_text[i]);
  g_strfreev(db->refusal_columns);
  g_free(db->url);
  db->driver->close(db);
}

PxDialect px_db_dialect(const PxDb *db) {
  return db->driver->dialect;
}

bool px_db_is_pooled(const PxDb *db) {
  return db->pooled;
}

bool px_db_is_dry_run(const PxDb *db) {
  return db->dry_run;
}

const char *px_db_path(const PxDb *db) {
  return db->driver->path(db);
}

bool px_db_has_waiters(const PxDb *db) {
  return db->driver->has_waiters(db);
}

void px_db_interrupt(PxDb *db) {
  db->driver->interrupt(db);
}

PxDb *px_db_open_other(const PxDb *db, unsigned answer_ms, GError **error) {
  return px_db_open(&(PxDbOptions){.url = db->url, .dry_run = db->dry_run, .answer_ms = answer_ms}, error);
}

void px_db_cut(PxDb *db) {
  if (db->driver->cut)
    db->driver->cut(db);
}

void px_db_wait(PxDb *db, PxDbWait *ret_wait) {
  *ret_wait = (PxDbWait){0};
  if (db->driver->wait)
    db->driver->wait(db, ret_wait);
}

void px_db_limit_idle(PxDb *db, unsigned ms) {
  if (db->driver->limit_idle)
    db->driver->limit_idle(db, ms);
}

bool px_db_prefer_indexes(PxDb *db, GError **error) {
  return !db->driver->prefer_indexes || db->driver->prefer_indexes(db, error);
}

bool px_db_keep_plans(PxDb *db, GError **error) {
  return !db->driver->keep_plans || db->driver->keep_plans(db, error);
}

int px_db_listen(PxDb *db) {
  return db->driver->listen(db);
}

void px_db_heard(PxDb *db) {
  db->driver->heard(db);
}

bool px_db_check_deferred(PxDb *db, GError **error) {
  return db->driver->check_deferred(db, error);
}

uint64_t px_db_changes(const PxDb *db) {
  return db->driver->changes(db);
}

/* ---- statements */

PxDbCounts px_db_counts(const PxDb *db) {
  return db->counts;
}

PxStmt *px_db_prepare(PxDb *db, const char *sql, GError **error) {
  PxStmt *stmt = g_hash_table_lookup(db->statements, sql);
  if (stmt) {
    px_stmt_reset(stmt);
    return stmt;
  }
  stmt = db->driver->prepare(db, sql, error);
  db->counts.prepared++;
  if (stmt)
    g_hash_table_insert(db->statements, stmt->text, stmt);
  return stmt;
}

PxStmt *px_db_prepare_batch(PxDb *db, const char *sql) {
  return db->driver->prepare_batch(db, sql);
}

void px_db_forget(PxDb *db, PxStmt *stmt) {
  if (g_hash_table_lookup(db->statements, stmt->text) == stmt)
    g_hash_table_remove(db->statements, stmt->text);
  else
    db->driver->free_stmt(stmt);
}

static const char *resource_text(const char *folder, const char *name) {
  g_autofree char *path = g_strdup_printf("/pattimpex/sql/%s%s.sql", folder, name);
  g_autoptr(GBytes) bytes = g_resource_lookup_data(px_sql_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  return bytes ? g_bytes_get_data(bytes, NULL) : NULL; /* not compressed: a view of the program's own bytes, with a NUL behind */
}

const char *px_db_sql_text(const PxDb *db, const char *name) {
  const char *own = px_db_dialect(db) == PX_DIALECT_POSTGRES ? resource_text("pg/", name) : NULL;
  return own ? own : resource_text("", name);
}

PxStmt *px_db_named(PxDb *db, const char *name, GError **error) {
  PxStmt *stmt = g_hash_table_lookup(db->named, name);
  if (stmt) {
    px_stmt_reset(stmt);
    return stmt;
  }
  const char *text = px_db_sql_text(db, name);
  if (!text) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "there is no src/db/sql/%s.sql in this program", name);
    return NULL;
  }
  stmt = px_db_prepare(db, text, error);
  if (stmt)
    g_hash_table_insert(db->named, g_strdup(name), stmt);
  else
    g_prefix_error(error, "%s.sql: ", name);
  return stmt;
}

void px_stmt_bind(PxStmt *stmt, unsigned parameter, const PxValue *value) {
  stmt->driver->bind(stmt, parameter, value);
}

void px_stmt_bind_integer(PxStmt *stmt, unsigned parameter, int64_t value) {
  stmt->driver->bind(stmt, parameter, &(PxValue){.kind = PX_INTEGER, .integer = value});
}

void px_stmt_bind_text(PxStmt *stmt, unsigned parameter, const char *text) {
  PxValue value = px_value_string(text);
  stmt->driver->bind(stmt, parameter, &value);
}

void px_stmt_bind_array(PxStmt *stmt, unsigned parameter, const PxValue *values, size_t n) {
  stmt->driver->bind_array(stmt, parameter, values, n);
}

bool px_db_copy(PxDb *db, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows, GError **error) {
  db->counts.run++;
  return db->driver->copy(db, table, columns, cells, n_columns, n_rows, error);
}

PxStep px_stmt_step(PxStmt *stmt, GError **error) {
  stmt->db->counts.run += !stmt->running;
  PxStep step = stmt->driver->step(stmt, error);
  stmt->running = step == PX_STEP_ROW;
  return step;
}

PxValue px_stmt_value(PxStmt *stmt, unsigned column) {
  return stmt->driver->value(stmt, column);
}

int64_t px_stmt_integer(PxStmt *stmt, unsigned column) {
  PxValue value = stmt->driver->value(stmt, column);
  return value.kind == PX_INTEGER ? value.integer : value.kind == PX_REAL ? (int64_t)value.real : 0;
}

char *px_stmt_dup_text(PxStmt *stmt, unsigned column) {
  PxValue value = stmt->driver->value(stmt, column);
  switch ((PxValueKind)value.kind) {
  case PX_NULL:
    return NULL;
  case PX_INTEGER:
    return g_strdup_printf("%" G_GINT64_FORMAT, value.integer);
  case PX_REAL:
    return g_strdup_printf("%.15g", value.real);
  case PX_TEXT:
  case PX_BLOB:
    return g_strndup(value.text, value.len);
  }
  return NULL;
}

const char *px_stmt_text(const PxStmt *stmt) {
  return stmt->text;
}

unsigned px_stmt_n_columns(PxStmt *stmt) {
  return stmt->driver->n_columns(stmt);
}

void px_stmt_reset(PxStmt *stmt) {
  stmt->driver->reset(stmt);
  stmt->running = false;
}

void px_stmt_temporary(PxStmt *stmt) {
  stmt->temporary = true;
}

void px_stmt_stream(PxStmt *stmt) {
  stmt->streams = true;
}

bool px_stmt_run(PxStmt *stmt, GError **error) {
  PxStep step;
  do
    step = px_stmt_step(stmt, error);
  while (step == PX_STEP_ROW);
  return step == PX_STEP_DONE;
}

bool px_db_exec(PxDb *db, const char *sql, GError **error) {
  /* A dry run cannot see what the text does before it has been done. */
  if (db->dry_run && !px_db_guard_write(db, error))
    return false;
  return db->driver->exec(db, sql, error);
}

/* ---- refusals */

void px_db_refuse(PxDb *db, PxRefusalKind kind, char *table, char **columns, char *constraint, const char *message) {
  for (size_t i = 0; i < G_N_ELEMENTS(db->refusal_text); i++)
    g_free(db->refusal_text[i]);
  g_strfreev(db->refusal_columns);
  db->refusal_text[0] = table;
  db->refusal_text[1] = constraint;
  db->refusal_text[2] = g_strdup(message);
  db->refusal_text[3] = NULL;
  db->refusal_columns = columns ? columns : g_new0(char *, 1);
  db->refusal = (PxRefusal){
    .kind = kind,
    .table = table,
    .columns = (const char *const *)db->refusal_columns,
    .constraint = constraint,
    .message = db->refusal_text[2],
    .row = SIZE_MAX,
  };
}

const PxRefusal *px_db_refusal(const PxDb *db) {
  return &db->refusal;
}

void px_db_refuse_silence(PxDb *db, const char *message, GError **error) {
  px_db_refuse(db, PX_REFUSED_TRIGGER, NULL, NULL, NULL, message);
  g_set_error(error, PX_ERROR, PX_ERROR_CONSTRAINT, "%s", message);
}

/* ---- names */

void px_db_quote(const PxDb *db, GString *sql, const char *name) {
  g_string_append_c(sql, '"');
  for (const char *c = name; *c; c++) {
    if (*c == '"')
      g_string_append_c(sql, '"');
    g_string_append_c(sql, *c);
  }
  g_string_append_c(sql, '"');
}
