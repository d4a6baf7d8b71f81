/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite says, as our errors and refusals. The texts are those of SQLite 3.40 ("Result and Error Codes"). */
#include "db/sqlite_private.h"

#define SHOWN_SQL 200 /* bytes */

typedef struct {
  int code; /* primary result code */
  PxError error;
  const char *format; /* %s: SQLite's message, then the database */
} Meaning;

/* Codes that do not depend on the statement; all others mean that a statement of ours is wrong. */
static const Meaning meanings[] = {
  {SQLITE_BUSY, PX_ERROR_TRANSIENT, "%s (%s): another process holds the lock; try again when it is done"},
  {SQLITE_PROTOCOL, PX_ERROR_TRANSIENT, "%s (%s): another process holds the lock; try again when it is done"},
  {SQLITE_INTERRUPT, PX_ERROR_STOPPED, "%s (%s)"},
  {SQLITE_NOMEM, PX_ERROR_TRANSIENT, "%s (%s)"},
  {SQLITE_FULL, PX_ERROR_TRANSIENT, "%s (%s): make room on the disk, then try again"},
  {SQLITE_IOERR, PX_ERROR_TRANSIENT, "%s (%s): the disk does not read or write as it should"},
  {SQLITE_CANTOPEN, PX_ERROR_UNREACHABLE, "%s %s: check that the file and its folder exist and may be read and written"},
  {SQLITE_PERM, PX_ERROR_UNREACHABLE, "%s (%s): check that the file and its folder may be read and written"},
  {SQLITE_READONLY, PX_ERROR_UNREACHABLE, "%s (%s): give this user the right to write to the file and its folder"},
  {SQLITE_NOTADB, PX_ERROR_UNREACHABLE, "%s: %s: write the path of a SQLite database"},
  {SQLITE_CORRUPT, PX_ERROR_UNREACHABLE, "%s: %s: restore it from a backup, or try the command .recover of sqlite3 on a copy"},
};

static const Meaning *meaning_of(int code) {
  for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
    if (meanings[i].code == (code & 0xff))
      return &meanings[i];
  return NULL;
}

static const char *path_of(const PxSqlite *sqlite) {
  const char *path = px_db_path(&sqlite->db);
  return path ? path : "database in memory";
}

static void set_meaning(const Meaning *meaning, const char *message, const char *path, GError **error) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* from the table above */
  g_set_error(error, PX_ERROR, (int)meaning->error, meaning->format, message, path);
#pragma GCC diagnostic pop
}

static void set_wrong_sql(sqlite3 *handle, const char *sql, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s, in \"%.*s\"", sqlite3_errmsg(handle), SHOWN_SQL, sql);
}

/* ---- refusals */

static const char *after(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0 ? text + strlen(start) : NULL;
}

/* "table.a, table.b": one table in all of them, so a comma in a name does no harm. */
static void parse_columns(const char *list, char **ret_table, char ***ret_columns) {
  const char *dot = strchr(list, '.');
  if (!dot)
    return;
  *ret_table = g_strndup(list, (gsize)(dot - list));
  g_autofree char *between = g_strdup_printf(", %s.", *ret_table);
  *ret_columns = g_strsplit(dot + 1, between, -1);
}

static PxRefusalKind kind_of(int code, const char *message) {
  switch (code) {
  case SQLITE_CONSTRAINT_NOTNULL:
    return PX_REFUSED_NOT_NULL;
  case SQLITE_CONSTRAINT_UNIQUE:
  case SQLITE_CONSTRAINT_PRIMARYKEY:
  case SQLITE_CONSTRAINT_ROWID:
    return PX_REFUSED_UNIQUE;
  case SQLITE_CONSTRAINT_CHECK:
    return PX_REFUSED_CHECK;
  case SQLITE_CONSTRAINT_FOREIGNKEY:
    return PX_REFUSED_FOREIGN_KEY;
  case SQLITE_CONSTRAINT_TRIGGER: /* ON DELETE RESTRICT is made of a trigger too */
    return g_str_equal(message, "FOREIGN KEY constraint failed") ? PX_REFUSED_FOREIGN_KEY : PX_REFUSED_TRIGGER;
  default:
    return PX_REFUSED_OTHER;
  }
}

static void refuse(PxSqlite *sqlite, int code, const char *message) {
  PxRefusalKind kind = kind_of(code, message);
  char *table = NULL;
  char **columns = NULL;
  char *constraint = NULL;
  const char *rest;
  if ((rest = after(message, "UNIQUE constraint failed: index '"))) {
    constraint = g_strndup(rest, strlen(rest) - 1);
  } else if ((rest = after(message, "UNIQUE constraint failed: ")) || (rest = after(message, "NOT NULL constraint failed: "))) {
    parse_columns(rest, &table, &columns);
  } else if ((rest = after(message, "CHECK constraint failed: "))) {
    constraint = g_strdup(rest);
  } else if (code == SQLITE_CONSTRAINT_DATATYPE && (rest = strstr(message, " column "))) { /* "cannot store TEXT value in INTEGER column t.c" */
    parse_columns(rest + strlen(" column "), &table, &columns);
  }
  px_db_refuse(&sqlite->db, kind, table, columns, constraint, message);
}

/* A row that is refused, not a statement that is wrong: constraints, and values with which a CHECK, a trigger or a generated column
 * cannot work ("malformed JSON", "integer overflow"). */
static bool is_refusal(int code, const char *message) {
  switch (code & 0xff) {
  case SQLITE_CONSTRAINT:
    return code != SQLITE_CONSTRAINT_COMMITHOOK;
  case SQLITE_MISMATCH:
  case SQLITE_TOOBIG:
    return true;
  case SQLITE_ERROR: /* a statement may be compiled anew when it is stepped */
    return !g_str_has_prefix(message, "no such ") && !strstr(message, "syntax error");
  default:
    return false;
  }
}

/* ---- errors */

void px_sqlite_step_error(PxSqlite *sqlite, const char *sql, GError **error) {
  int code = sqlite3_extended_errcode(sqlite->handle);
  const char *message = sqlite3_errmsg(sqlite->handle);
  const Meaning *meaning = meaning_of(code);
  bool is_lost = sqlite->db.tx_open && sqlite3_get_autocommit(sqlite->handle);
  if (meaning) {
    set_meaning(meaning, message, path_of(sqlite), error);
  } else if (!is_refusal(code, message)) {
    set_wrong_sql(sqlite->handle, sql, error);
  } else {
    refuse(sqlite, code, message);
    g_set_error(error, PX_ERROR, is_lost ? PX_ERROR_ROLLED_BACK : PX_ERROR_CONSTRAINT, "%s", message);
  }
}

void px_sqlite_prepare_error(PxSqlite *sqlite, const char *sql, GError **error) {
  const Meaning *meaning = meaning_of(sqlite3_extended_errcode(sqlite->handle));
  if (meaning)
    set_meaning(meaning, sqlite3_errmsg(sqlite->handle), path_of(sqlite), error);
  else
    set_wrong_sql(sqlite->handle, sql, error);
}

void px_sqlite_open_error(sqlite3 *handle, int code, const char *path, GError **error) {
  const Meaning *meaning = meaning_of(code);
  const char *message = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  if (meaning)
    set_meaning(meaning, message, path, error);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "cannot open the database %s: %s", path, message);
}
