/* SPDX-License-Identifier: Apache-2.0 */
/* What PostgreSQL says, as our errors and refusals: "Appendix A. PostgreSQL Error Codes", "54.8. Error and Notice Message Fields". */
#include "db/pg_private.h"

#include <string.h>

#define SHOWN_SQL 200 /* bytes */

typedef struct {
  const char *state; /* SQLSTATE, or what it begins with */
  PxError error;
  const char *advice;
} Meaning;

/* The first that fits; what is not here means that a statement of ours is wrong. */
static const Meaning meanings[] = {
  {"08", PX_ERROR_TRANSIENT, "the connection was lost; try again"},
  {"25P02", PX_ERROR_ROLLED_BACK, "nothing more can be done in this transaction"},
  {"25P03", PX_ERROR_TRANSIENT, "the connection was lost; try again"},
  {"28", PX_ERROR_UNREACHABLE, "check the user of the database URL, and pg_hba.conf"},
  {"3D", PX_ERROR_UNREACHABLE, "correct \"database:\" in the configuration, or make it"},
  {"40", PX_ERROR_TRANSIENT, "another transaction was in the way; try again"},
  {"42501", PX_ERROR_CONFIG, "give the user of the database URL this right"},
  {"53100", PX_ERROR_TRANSIENT, "make room on the server's disk, then try again"},
  {"53", PX_ERROR_TRANSIENT, "the server is short of something; try again later"},
  {"55006", PX_ERROR_TRANSIENT, "try again when it is free"},
  {"55P03", PX_ERROR_TRANSIENT, "another transaction holds the lock; try again when it is done"},
  {"57014", PX_ERROR_TRANSIENT, "somebody, or a time limit of the server, has stopped the statement; try again"},
  {"57", PX_ERROR_TRANSIENT, "the server was stopped; try again"},
  {"58", PX_ERROR_TRANSIENT, "the server's disk does not read or write as it should"},
  {"XX001", PX_ERROR_UNREACHABLE, "restore the database from a backup"},
  {"XX002", PX_ERROR_UNREACHABLE, "REINDEX the index"},
};

static const Meaning *meaning_of(const char *state) {
  for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
    if (g_str_has_prefix(state, meanings[i].state))
      return &meanings[i];
  return NULL;
}

static const char *field_of(const PGresult *result, int field) {
  const char *text = PQresultErrorField(result, field);
  return text ? text : "";
}

/* ---- refusals */

static bool is_from(const PGresult *result, const char *function) {
  return g_str_equal(field_of(result, PG_DIAG_SOURCE_FUNCTION), function);
}

/* A row that is refused, not a statement that is wrong: constraints, and values with which a column, a CHECK or a trigger cannot work. Whatever
 * a trigger raises is its own word, but for what it asks to be tried again. */
static bool is_refusal(const PGresult *result, const char *state) {
  if (is_from(result, "exec_stmt_raise"))
    return !g_str_has_prefix(state, "40");
  return g_str_has_prefix(state, "22") || g_str_has_prefix(state, "23") || g_str_has_prefix(state, "44") || g_str_has_prefix(state, "54") ||
         g_str_has_prefix(state, "P0") || g_str_equal(state, "428C9") || is_from(result, "ExecWithCheckOptions");
}

static PxRefusalKind kind_of(const PGresult *result, const char *state) {
  static const struct {
    const char *state;
    PxRefusalKind kind;
  } kinds[] = {{"23502", PX_REFUSED_NOT_NULL},    {"23505", PX_REFUSED_UNIQUE},      {"23514", PX_REFUSED_CHECK},
               {"23503", PX_REFUSED_FOREIGN_KEY}, {"23001", PX_REFUSED_FOREIGN_KEY}, {"P0", PX_REFUSED_TRIGGER}};
  if (is_from(result, "exec_stmt_raise"))
    return PX_REFUSED_TRIGGER;
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (g_str_has_prefix(state, kinds[i].state))
      return kinds[i].kind;
  return PX_REFUSED_OTHER;
}

/* The name at *p, in double quotes where it needs them; NULL: there is an expression. */
static char *take_name(const char **p) {
  GString *name = g_string_new(NULL);
  const char *c = *p;
  if (*c == '"') {
    for (c++; *c && (*c != '"' || c[1] == '"'); c++) {
      c += *c == '"';
      g_string_append_c(name, *c);
    }
    c += *c == '"';
  } else {
    for (; g_ascii_isalnum(*c) || *c == '_' || *c == '$' || (unsigned char)*c >= 0x80; c++)
      g_string_append_c(name, *c);
  }
  *p = c;
  if (name->len > 0)
    return g_string_free(name, FALSE);
  g_string_free(name, TRUE);
  return NULL;
}

/* The columns of "Key (a, "b, c")=(1, 2) already exists.", in whatever language; none where there are expressions among them. */
static char **parse_columns(const char *detail) {
  const char *p = strchr(detail, '(');
  g_autoptr(GPtrArray) columns = g_ptr_array_new_with_free_func(g_free);
  while (p) {
    p++;
    char *name = take_name(&p);
    if (!name)
      return NULL;
    g_ptr_array_add(columns, name);
    if (g_str_has_prefix(p, ")=("))
      break;
    if (!g_str_has_prefix(p, ", "))
      return NULL;
    p++; /* and the blank */
  }
  if (columns->len == 0)
    return NULL;
  g_ptr_array_add(columns, NULL);
  return (char **)g_ptr_array_free(g_steal_pointer(&columns), FALSE);
}

/* 'insert or update on table "t" violates foreign key constraint "t_p_fkey"': where a third name stands, the row is one that others refer to,
 * and the key is theirs. */
static bool is_of_own_key(const char *message) {
  unsigned quotes = 0;
  for (; *message; message++)
    quotes += *message == '"';
  return quotes == 4;
}

static char *known(const char *text) {
  return *text ? g_strdup(text) : NULL;
}

static char **columns_of(const PGresult *result, PxRefusalKind kind) {
  const char *column = field_of(result, PG_DIAG_COLUMN_NAME);
  const char *detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);
  if (*column) {
    char **columns = g_new0(char *, 2);
    columns[0] = g_strdup(column);
    return columns;
  }
  if (kind == PX_REFUSED_UNIQUE || (kind == PX_REFUSED_FOREIGN_KEY && is_of_own_key(field_of(result, PG_DIAG_MESSAGE_PRIMARY))))
    return parse_columns(detail);
  return NULL;
}

/* "COPY t, line 3" and the like, in whatever language. */
static size_t row_of_copy(const PGresult *result, const char *sql) {
  if (!g_str_has_prefix(sql, "COPY "))
    return SIZE_MAX;
  const char *p = sql + strlen("COPY ");
  g_autofree char *first = take_name(&p);
  g_autofree char *second = *p == '.' ? (p++, take_name(&p)) : NULL; /* behind the schema */
  const char *table = second ? second : first;
  g_autofree char *prefix = g_strdup_printf("COPY %s, ", table);
  g_auto(GStrv) lines = g_strsplit(field_of(result, PG_DIAG_CONTEXT), "\n", -1);
  for (char **line = lines; *line; line++) {
    if (!g_str_has_prefix(*line, prefix))
      continue;
    const char *number = *line + strlen(prefix) + strcspn(*line + strlen(prefix), "0123456789");
    return *number ? (size_t)g_ascii_strtoull(number, NULL, 10) - 1 : SIZE_MAX;
  }
  return SIZE_MAX;
}

static void refuse(PxPg *pg, const PGresult *result, const char *state, const char *sql, GError **error) {
  PxRefusalKind kind = kind_of(result, state);
  const char *message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *detail = field_of(result, PG_DIAG_MESSAGE_DETAIL);
  /* The failing row as a whole is no news to who sent it. */
  bool tells = *detail && (kind == PX_REFUSED_UNIQUE || kind == PX_REFUSED_FOREIGN_KEY || kind == PX_REFUSED_TRIGGER);
  g_autofree char *both = g_strdup_printf("%s%s%s", message, tells ? ": " : "", tells ? detail : "");
  px_db_refuse(&pg->db, kind, known(field_of(result, PG_DIAG_TABLE_NAME)), columns_of(result, kind), known(field_of(result, PG_DIAG_CONSTRAINT_NAME)),
               both);
  pg->db.refusal.schema = pg->db.refusal_text[3] = known(field_of(result, PG_DIAG_SCHEMA_NAME));
  pg->db.refusal.row = row_of_copy(result, sql);
  g_set_error(error, PX_ERROR, PX_ERROR_CONSTRAINT, "%s", both);
}

void px_pg_refuse_zero(PxPg *pg, GError **error) {
  static const char message[] = "PostgreSQL stores no text with the character of number 0";
  px_db_refuse(&pg->db, PX_REFUSED_OTHER, NULL, NULL, NULL, message);
  g_set_error(error, PX_ERROR, PX_ERROR_CONSTRAINT, "%s", message);
}

/* ---- errors */

static void set_wrong_sql(const char *message, const char *sql, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s, in \"%.*s\"", message, SHOWN_SQL, sql);
}

/* What libpq says of a connection that is lost: "FATAL:  why", where it stood, and what that may mean. Caller frees. */
static char *first_line(const char *text) {
  char *line = g_strndup(text, strcspn(text, "\n"));
  const char *colon = strstr(line, ":  ");
  if (colon)
    memmove(line, colon + strlen(":  "), strlen(colon + strlen(":  ")) + 1);
  return g_strstrip(line);
}

void px_pg_result_error(PxPg *pg, const PGresult *result, const char *sql, GError **error) {
  const char *state = field_of(result, PG_DIAG_SQLSTATE);
  const char *message = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  if (PQstatus(pg->conn) != CONNECTION_OK) {
    g_autofree char *lost = first_line(atomic_load(&pg->cut) ? "nothing more came over the connection, which was given up"
                                       : *message            ? message
                                                             : PQerrorMessage(pg->conn));
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s (%s): the connection was lost; try again", lost, pg->name);
    return;
  }
  bool ours = g_str_equal(state, "57014") && pg->interrupted;
  const Meaning *meaning = meaning_of(state);
  if (ours) {
    pg->interrupted = 0;
    g_set_error(error, PX_ERROR, PX_ERROR_STOPPED, "%s (%s)", message, pg->name);
  } else if (is_refusal(result, state)) {
    refuse(pg, result, state, sql, error);
  } else if (g_str_equal(state, "25006") && pg->db.tx_kind == PX_TX_READ && px_db_in_transaction(&pg->db)) {
    set_wrong_sql("a statement that writes was run in a read transaction", sql, error);
  } else if (g_str_equal(state, "25006")) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s (%s): this server only reads; is it a standby?", message, pg->name);
  } else if (meaning) {
    g_set_error(error, PX_ERROR, (int)meaning->error, "%s (%s): %s", message, pg->name, meaning->advice);
  } else {
    set_wrong_sql(*message ? message : PQerrorMessage(pg->conn), sql, error);
  }
}
