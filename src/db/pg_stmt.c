/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of PostgreSQL. Parameters go as text, whose type the server infers from where they stand, and answers come as text; so a value means
 * what it means in psql. An answer is taken whole, which leaves the connection free for other statements between its rows; a statement
 * that px_stmt_stream() was said of comes in portions from a cursor of the server. */
#include "db/pg_private.h"

#include <string.h>

#define PORTION 2000 /* rows of a cursor that are held at once */

/* pg_type.dat of PostgreSQL 15 */
enum {
  OID_BOOL = 16,
  OID_BYTEA = 17,
  OID_INT8 = 20,
  OID_INT2 = 21,
  OID_INT4 = 23,
  OID_OID = 26,
  OID_FLOAT4 = 700,
  OID_FLOAT8 = 701,
  OID_BPCHAR = 1042
};
enum { OID_NUMERIC = 1700 };

typedef struct {
  PxValue value;
  const PxValue *items; /* of an array; NULL: it is none */
  size_t n_items;
} PgParameter;

typedef struct {
  PxStmt stmt;
  char *sql; /* with $1 */
  PxPgKind kind;
  bool is_batch;   /* not prepared on the server */
  unsigned number; /* of its name on the server */
  unsigned generation;
  unsigned n_parameters;
  PgParameter *bound;
  bool bound_too_many;
  PGresult *result; /* NULL: it is not running */
  int row;
  bool cursor;       /* there is one on the server */
  GPtrArray *blobs;  /* of the row, decoded */
  const char **sent; /* the parameters as libpq wants them */
  int *lengths, *formats;
  GString *text; /* of the parameters */
} PgStmt;

static PxPg *pg_of(PgStmt *stmt) {
  return (PxPg *)stmt->stmt.db;
}

static bool is_prepared(const PgStmt *stmt) {
  return !stmt->is_batch && !stmt->stmt.db->pooled && (stmt->kind == PX_PG_READS || stmt->kind == PX_PG_WRITES);
}

/* ---- preparing */

static void name_of(const PgStmt *stmt, char name[24]) {
  g_snprintf(name, 24, "px_%u", stmt->number);
}

static bool prepare_on_server(PgStmt *stmt, GError **error) {
  PxPg *pg = pg_of(stmt);
  char name[24];
  if (pg->dropped->len > 0) {
    PQclear(px_pg_exec(pg, pg->dropped->str)); /* in a transaction that has failed they stay until the connection ends */
    g_string_truncate(pg->dropped, 0);
  }
  stmt->number = ++pg->last_statement;
  name_of(stmt, name);
  PGresult *result = px_pg_exec_prepare(pg, name, stmt->sql);
  bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
  if (done)
    stmt->generation = pg->generation;
  else
    px_pg_result_error(pg, result, stmt->stmt.text, error);
  PQclear(result);
  return done;
}

/* On this connection; where it was lost, and no transaction with it, on the next one. */
static bool ensure_prepared(PgStmt *stmt, GError **error) {
  PxPg *pg = pg_of(stmt);
  if (!pg->db.tx_open && !pg->db.held && !px_pg_revive(pg, error))
    return false;
  return !is_prepared(stmt) || stmt->generation == pg->generation || prepare_on_server(stmt, error);
}

static PgStmt *new_stmt(PxDb *db, const char *sql) {
  PgStmt *stmt = g_new0(PgStmt, 1);
  stmt->stmt = (PxStmt){.driver = &px_db_postgres, .db = db, .text = g_strdup(sql)};
  stmt->kind = px_pg_kind(sql);
  stmt->sql = px_pg_number_parameters(sql, &stmt->n_parameters);
  stmt->bound = g_new0(PgParameter, stmt->n_parameters);
  stmt->sent = g_new0(const char *, stmt->n_parameters);
  stmt->lengths = g_new0(int, stmt->n_parameters);
  stmt->formats = g_new0(int, stmt->n_parameters);
  stmt->text = g_string_new(NULL);
  stmt->blobs = g_ptr_array_new_with_free_func(PQfreemem);
  return stmt;
}

PxStmt *px_pg_prepare(PxDb *db, const char *sql, GError **error) {
  PgStmt *stmt = new_stmt(db, sql);
  stmt->number = ++pg_of(stmt)->last_statement; /* of its cursor */
  if (ensure_prepared(stmt, error))
    return &stmt->stmt;
  px_pg_free_stmt(&stmt->stmt);
  return NULL;
}

PxStmt *px_pg_prepare_batch(PxDb *db, const char *sql) {
  PgStmt *stmt = new_stmt(db, sql);
  stmt->is_batch = true;
  return &stmt->stmt;
}

void px_pg_free_stmt(PxStmt *base) {
  PgStmt *stmt = (PgStmt *)base;
  PxPg *pg = pg_of(stmt);
  px_pg_reset(base);
  if (stmt->generation == pg->generation && is_prepared(stmt))
    g_string_append_printf(pg->dropped, "DEALLOCATE px_%u;", stmt->number);
  g_ptr_array_unref(stmt->blobs);
  g_string_free(stmt->text, TRUE);
  g_free(stmt->sent);
  g_free(stmt->lengths);
  g_free(stmt->formats);
  g_free(stmt->bound);
  g_free(stmt->sql);
  g_free(stmt->stmt.text);
  g_free(stmt);
}

/* ---- parameters */

void px_pg_bind(PxStmt *base, unsigned parameter, const PxValue *value) {
  PgStmt *stmt = (PgStmt *)base;
  if (parameter < stmt->n_parameters)
    stmt->bound[parameter] = (PgParameter){.value = *value};
  else
    stmt->bound_too_many = true;
}

void px_pg_bind_array(PxStmt *base, unsigned parameter, const PxValue *values, size_t n) {
  static const PxValue nothing;
  PgStmt *stmt = (PgStmt *)base;
  if (parameter < stmt->n_parameters)
    stmt->bound[parameter] = (PgParameter){.items = values ? values : &nothing, .n_items = n};
  else
    stmt->bound_too_many = true;
}

static bool append_parameter(PgStmt *stmt, const PgParameter *parameter, GError **error) {
  bool done =
    parameter->items ? px_pg_append_array(stmt->text, parameter->items, parameter->n_items) : px_pg_append_value(stmt->text, &parameter->value);
  if (!done)
    px_pg_refuse_zero(pg_of(stmt), error);
  g_string_append_c(stmt->text, '\0');
  return done;
}

static bool encode_parameters(PgStmt *stmt, GError **error) {
  g_autofree size_t *starts = g_new(size_t, stmt->n_parameters + 1); /* not pointers yet: the buffer may move */
  g_string_truncate(stmt->text, 0);
  for (unsigned i = 0; i < stmt->n_parameters; i++) {
    starts[i] = stmt->text->len;
    if (!append_parameter(stmt, &stmt->bound[i], error))
      return false;
  }
  for (unsigned i = 0; i < stmt->n_parameters; i++) {
    const PxValue *value = &stmt->bound[i].value;
    bool is_array = stmt->bound[i].items != NULL;
    bool is_blob = !is_array && value->kind == PX_BLOB;
    const char *bytes = value->text ? value->text : "";
    stmt->sent[i] = !is_array && value->kind == PX_NULL ? NULL : is_blob ? bytes : stmt->text->str + starts[i];
    stmt->lengths[i] = is_blob ? (int)value->len : 0;
    stmt->formats[i] = is_blob; /* binary */
  }
  return true;
}

/* ---- running */

static PGresult *declare_cursor(PgStmt *stmt) {
  PxPg *pg = pg_of(stmt);
  g_autofree char *sql = g_strdup_printf("DECLARE px_%u NO SCROLL CURSOR FOR %s", stmt->number, stmt->sql);
  PGresult *result = px_pg_exec_params(pg, sql, (int)stmt->n_parameters, stmt->sent, stmt->lengths, stmt->formats);
  stmt->cursor = PQresultStatus(result) == PGRES_COMMAND_OK;
  return result;
}

static PGresult *fetch(PgStmt *stmt) {
  char sql[64];
  g_snprintf(sql, sizeof sql, "FETCH FORWARD %d FROM px_%u", PORTION, stmt->number);
  return px_pg_exec(pg_of(stmt), sql);
}

static PGresult *execute_once(PgStmt *stmt) {
  PxPg *pg = pg_of(stmt);
  char name[24];
  if (!is_prepared(stmt))
    return px_pg_exec_params(pg, stmt->sql, (int)stmt->n_parameters, stmt->sent, stmt->lengths, stmt->formats);
  name_of(stmt, name);
  return px_pg_exec_prepared(pg, name, (int)stmt->n_parameters, stmt->sent, stmt->lengths, stmt->formats);
}

/* Through a pooler our settings hold in a transaction only. */
static PGresult *execute_alone(PgStmt *stmt) {
  PxPg *pg = pg_of(stmt);
  g_autoptr(GError) problem = NULL;
  if (!px_pg_begin(pg, pg->db.dry_run ? "BEGIN READ ONLY" : "BEGIN", "", &problem))
    return PQmakeEmptyPGresult(pg->conn, PGRES_FATAL_ERROR);
  PGresult *result = execute_once(stmt);
  bool good = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
  PGresult *end = px_pg_exec(pg, good ? "COMMIT" : "ROLLBACK");
  if (!good || PQresultStatus(end) == PGRES_COMMAND_OK) {
    PQclear(end);
    return result;
  }
  PQclear(result);
  return end;
}

static PGresult *execute(PgStmt *stmt) {
  PxPg *pg = pg_of(stmt);
  if (stmt->kind == PX_PG_TRANSACTION || stmt->kind == PX_PG_COMMITS)
    return px_pg_exec(pg, stmt->sql);
  if (pg->db.pooled && PQtransactionStatus(pg->conn) == PQTRANS_IDLE)
    return execute_alone(stmt);
  if (stmt->is_batch || !stmt->stmt.streams || PQtransactionStatus(pg->conn) != PQTRANS_INTRANS)
    return execute_once(stmt);
  PGresult *declared = declare_cursor(stmt);
  if (!stmt->cursor)
    return declared;
  PQclear(declared);
  return fetch(stmt);
}

static void count_changes(PgStmt *stmt) {
  const char *count = PQcmdTuples(stmt->result);
  if (stmt->kind == PX_PG_WRITES)
    pg_of(stmt)->changes = g_ascii_strtoull(count, NULL, 10);
}

/* A COMMIT of a transaction that has failed rolls it back and calls that a success. */
static bool is_committed(const PgStmt *stmt) {
  return stmt->kind != PX_PG_COMMITS || g_str_equal(PQcmdStatus(stmt->result), "COMMIT");
}

static bool take_result(PgStmt *stmt, PGresult *result, GError **error) {
  PxPg *pg = pg_of(stmt);
  ExecStatusType status = PQresultStatus(result);
  stmt->result = result;
  stmt->row = -1;
  px_pg_keep_notifications(pg);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    /* "cached plan must not change result type": the table has changed, the next run prepares it anew. */
    if (state && g_str_equal(state, "0A000"))
      stmt->generation = 0;
    px_pg_result_error(pg, result, stmt->stmt.text, error);
    return false;
  }
  if (!is_committed(stmt)) {
    g_set_error(error, PX_ERROR, PX_ERROR_ROLLED_BACK, "the transaction has been rolled back");
    return false;
  }
  count_changes(stmt);
  return true;
}

static bool is_allowed(PgStmt *stmt, GError **error) {
  PxDb *db = stmt->stmt.db;
  if (stmt->bound_too_many) {
    stmt->bound_too_many = false;
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a parameter of \"%s\" was not bound: it has %u", stmt->stmt.text, stmt->n_parameters);
    return false;
  }
  if (db->held && stmt->kind == PX_PG_COMMITS) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a dry run was told to commit");
    return false;
  }
  return stmt->kind != PX_PG_WRITES || !db->guard_writes || stmt->stmt.temporary || px_db_guard_write(db, error);
}

static bool start(PgStmt *stmt, GError **error) {
  if (!is_allowed(stmt, error) || !ensure_prepared(stmt, error) || !encode_parameters(stmt, error))
    return false;
  pg_of(stmt)->interrupted = 0;
  return take_result(stmt, execute(stmt), error);
}

/* The next portion of a cursor; none after one that was not full. */
static bool refill(PgStmt *stmt, GError **error) {
  if (!stmt->cursor || PQntuples(stmt->result) < PORTION)
    return true;
  g_clear_pointer(&stmt->result, PQclear);
  return take_result(stmt, fetch(stmt), error);
}

PxStep px_pg_step(PxStmt *base, GError **error) {
  PgStmt *stmt = (PgStmt *)base;
  g_ptr_array_set_size(stmt->blobs, 0);
  bool good = stmt->result || start(stmt, error);
  if (good && ++stmt->row < PQntuples(stmt->result))
    return PX_STEP_ROW;
  good = good && refill(stmt, error);
  if (good && stmt->row < 0 && PQntuples(stmt->result) > 0) {
    stmt->row = 0;
    return PX_STEP_ROW;
  }
  px_pg_reset(base);
  return good ? PX_STEP_DONE : PX_STEP_ERROR;
}

void px_pg_reset(PxStmt *base) {
  PgStmt *stmt = (PgStmt *)base;
  PxPg *pg = pg_of(stmt);
  g_clear_pointer(&stmt->result, PQclear);
  g_ptr_array_set_size(stmt->blobs, 0);
  if (stmt->cursor && PQtransactionStatus(pg->conn) == PQTRANS_INTRANS) {
    char sql[32];
    g_snprintf(sql, sizeof sql, "CLOSE px_%u", stmt->number);
    PQclear(px_pg_exec(pg, sql));
  }
  stmt->cursor = false;
}

/* ---- rows */

/* A decimal that a double holds to its last digit is one, as on SQLite; else its digits are kept. */
static PxValue numeric_value(const char *text, size_t len) {
  const char *p = text + (*text == '-');
  size_t digits = 0;
  const char *point = strchr(text, '.');
  for (const char *c = p; *c; c++)
    digits += g_ascii_isdigit(*c) != 0;
  if (strspn(p, "0123456789.") != strlen(p)) /* NaN, Infinity */
    return px_value_text(text, len);
  bool whole = !point || strspn(point + 1, "0") == strlen(point + 1);
  if (whole && digits - (point ? strlen(point + 1) : 0) <= 18)
    return px_value_integer(g_ascii_strtoll(text, NULL, 10));
  return digits <= 15 ? px_value_real(g_ascii_strtod(text, NULL)) : px_value_text(text, len);
}

static PxValue blob_value(PgStmt *stmt, const char *text) {
  size_t len = 0;
  unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &len);
  if (!bytes)
    return px_value_null();
  g_ptr_array_add(stmt->blobs, bytes);
  return px_value_blob(bytes, len);
}

static size_t without_blanks(const char *text, size_t len) {
  while (len && text[len - 1] == ' ')
    len--;
  return len;
}

PxValue px_pg_value(PxStmt *base, unsigned column) {
  PgStmt *stmt = (PgStmt *)base;
  if (PQgetisnull(stmt->result, stmt->row, (int)column))
    return px_value_null();
  const char *text = PQgetvalue(stmt->result, stmt->row, (int)column);
  size_t len = (size_t)PQgetlength(stmt->result, stmt->row, (int)column);
  switch (PQftype(stmt->result, (int)column)) {
  case OID_BOOL:
    return px_value_integer(*text == 't');
  case OID_INT2:
  case OID_INT4:
  case OID_INT8:
  case OID_OID:
    return px_value_integer(g_ascii_strtoll(text, NULL, 10));
  case OID_FLOAT4:
  case OID_FLOAT8:
    return px_value_real(g_ascii_strtod(text, NULL));
  case OID_NUMERIC:
    return numeric_value(text, len);
  case OID_BYTEA:
    return blob_value(stmt, text);
  case OID_BPCHAR: /* blanks at the end mean nothing */
    return px_value_text(text, without_blanks(text, len));
  default:
    return px_value_text(text, len);
  }
}

unsigned px_pg_n_columns(PxStmt *base) {
  return (unsigned)PQnfields(((PgStmt *)base)->result);
}
