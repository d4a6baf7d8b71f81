/* SPDX-License-Identifier: Apache-2.0 */
/* COPY ... FROM STDIN: in its binary format where it can be, else in its text format ("COPY", File Formats, of PostgreSQL's manual). */
#include "db/pg_private.h"

#include <string.h>

#define PIECE (1 << 20) /* bytes that libpq is given at once */
#define LEAST_BINARY 16 /* rows: for fewer it costs more to ask for their types */

/* What would end a cell or a row, or begins an escape. */
static void append_text(GString *text, const char *bytes, size_t len) {
  for (const char *end = bytes + len; bytes < end; bytes++) {
    const char *at = bytes;
    while (at < end && *at != '\\' && *at != '\t' && *at != '\n' && *at != '\r')
      at++;
    g_string_append_len(text, bytes, at - bytes);
    if (at == end)
      return;
    g_string_append_c(text, '\\');
    g_string_append_c(text, *at == '\t' ? 't' : *at == '\n' ? 'n' : *at == '\r' ? 'r' : '\\');
    bytes = at;
  }
}

static bool append_cell(GString *text, const PxValue *value) {
  switch ((PxValueKind)value->kind) {
  case PX_NULL:
    g_string_append(text, "\\N");
    return true;
  case PX_BLOB:
    g_string_append(text, "\\\\x");
    px_pg_append_hex(text, value->text, value->len);
    return true;
  case PX_TEXT:
    append_text(text, value->text, value->len);
    return !px_pg_holds_zero(value);
  case PX_INTEGER:
  case PX_REAL:
    break;
  }
  return px_pg_append_value(text, value);
}

static bool append_rows(GString *text, const PxValue *cells, size_t n_columns, size_t n_rows) {
  for (size_t row = 0; row < n_rows; row++)
    for (size_t column = 0; column < n_columns; column++) {
      if (!append_cell(text, &cells[row * n_columns + column]))
        return false;
      g_string_append_c(text, column + 1 < n_columns ? '\t' : '\n');
    }
  return true;
}

/* A result that is no success, or NULL; the connection takes statements again. */
static PGresult *end_of_copy(PGconn *conn, PxPg *pg) {
  PGresult *failed = NULL;
  for (PGresult *result; (result = PQgetResult(conn));) {
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
      pg->changes = g_ascii_strtoull(PQcmdTuples(result), NULL, 10);
    else if (!failed) {
      failed = result;
      continue;
    }
    PQclear(result);
  }
  return failed;
}

/* False: the connection is lost; what the server said before is the answer of end_of_copy(). */
static bool send_rows(PGconn *conn, const GString *data) {
  bool sent = true;
  for (size_t at = 0; sent && at < data->len; at += PIECE)
    sent = PQputCopyData(conn, data->str + at, (int)MIN(data->len - at, (size_t)PIECE)) == 1;
  return PQputCopyEnd(conn, sent ? NULL : "not sent as a whole") == 1 && sent;
}

/* The types of the columns beneath their domains, as they are now: the table cannot be altered until the transaction ends. NULL: an error. */
static PGresult *describe(PxPg *pg, const char *sql, GError **error) {
  PGresult *result = px_pg_exec_prepare(pg, "", sql);
  if (PQresultStatus(result) == PGRES_COMMAND_OK) {
    PQclear(result);
    px_pg_begin_wait(pg);
    result = PQdescribePrepared(pg->conn, "");
    px_pg_end_wait(pg);
  }
  if (PQresultStatus(result) == PGRES_COMMAND_OK)
    return result;
  px_pg_result_error(pg, result, sql, error);
  PQclear(result);
  return NULL;
}

/* False: there is an error. *ret_binary false: some value is one for the text, be it wrong, so that the server judges it. */
static bool append_binary(PxPg *pg, GString *data, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows,
                          bool *ret_binary, GError **error) {
  g_autofree char *sql = g_strdup_printf("SELECT %s FROM %s", columns, table);
  g_autofree Oid *types = g_new(Oid, n_columns);
  PGresult *described = describe(pg, sql, error);
  if (!described)
    return false;
  for (size_t i = 0; i < n_columns; i++)
    types[i] = PQftype(described, (int)i);
  PQclear(described);
  *ret_binary = px_pg_append_binary_rows(data, types, cells, n_columns, n_rows);
  return true;
}

static bool append_data(PxPg *pg, GString *data, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows,
                        bool *ret_binary, GError **error) {
  *ret_binary = false;
  if (n_rows >= LEAST_BINARY && !append_binary(pg, data, table, columns, cells, n_columns, n_rows, ret_binary, error))
    return false;
  if (*ret_binary)
    return true;
  g_string_truncate(data, 0);
  if (append_rows(data, cells, n_columns, n_rows))
    return true;
  px_pg_refuse_zero(pg, error);
  return false;
}

bool px_pg_copy(PxDb *db, const char *table, const char *columns, const PxValue *cells, size_t n_columns, size_t n_rows, GError **error) {
  PxPg *pg = (PxPg *)db;
  g_autoptr(GString) data = g_string_new(NULL);
  bool binary;
  if ((db->guard_writes && !px_db_guard_write(db, error)) || !append_data(pg, data, table, columns, cells, n_columns, n_rows, &binary, error))
    return false;
  g_autofree char *sql = g_strdup_printf("COPY %s (%s) FROM STDIN%s", table, columns, binary ? " (FORMAT binary)" : "");
  pg->interrupted = 0;
  px_pg_begin_wait(pg);
  PGresult *result = PQexec(pg->conn, sql);
  bool done = PQresultStatus(result) == PGRES_COPY_IN;
  if (done) {
    PQclear(result);
    done = send_rows(pg->conn, data);
    result = end_of_copy(pg->conn, pg);
    done = done && !result;
  }
  px_pg_end_wait(pg);
  if (!done)
    px_pg_result_error(pg, result, sql, error);
  PQclear(result);
  px_pg_keep_notifications(pg);
  return done;
}
