/* SPDX-License-Identifier: Apache-2.0 */
/* COPY ... FROM STDIN in its text format ("COPY", File Formats, of PostgreSQL's manual). */
#include "db/pg_private.h"

#include <string.h>

#define PIECE (1 << 20) /* bytes that libpq is given at once */

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
      if (!append_cell(text, &cells[column * n_rows + row]))
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
static bool send_rows(PGconn *conn, const GString *text) {
  bool sent = true;
  for (size_t at = 0; sent && at < text->len; at += PIECE)
    sent = PQputCopyData(conn, text->str + at, (int)MIN(text->len - at, (size_t)PIECE)) == 1;
  return PQputCopyEnd(conn, sent ? NULL : "not sent as a whole") == 1 && sent;
}

bool px_pg_copy(PxDb *db, const char *sql, const PxValue *cells, size_t n_columns, size_t n_rows, GError **error) {
  PxPg *pg = (PxPg *)db;
  g_autoptr(GString) text = g_string_new(NULL);
  if (!append_rows(text, cells, n_columns, n_rows)) {
    px_pg_refuse_zero(pg, error);
    return false;
  }
  if (db->guard_writes && !px_db_guard_write(db, error))
    return false;
  pg->interrupted = 0;
  px_pg_begin_wait(pg);
  PGresult *result = PQexec(pg->conn, sql);
  bool done = PQresultStatus(result) == PGRES_COPY_IN;
  if (done) {
    PQclear(result);
    done = send_rows(pg->conn, text);
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
