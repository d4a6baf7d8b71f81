/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL driver: connections, transactions, waking. A connection belongs to one thread. */
#include "base/host.h"
#include "db/pg_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_BUSY_MS 60000u
#define CHANNEL "pattimpex"

static PxPg *pg_of(PxDb *db) {
  return (PxPg *)db;
}

/* ---- opening */

#define URL_HELP "write postgresql://user@host:port/database, with % codes for special characters in its parts"

/* What libpq says of a URL that it cannot read may hold parts of a password, but for the name of a parameter. */
static void set_url_error(const char *message, GError **error) {
  static const char unknown[] = "invalid URI query parameter: \"";
  const char *name = message && g_str_has_prefix(message, unknown) ? message + strlen(unknown) : "";
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
  if (len > 0 && name[len] == '"')
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
                "database: there is no parameter \"%.*s\" of a PostgreSQL URL: see \"Parameter Key Words\" of libpq", (int)len, name);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "database: this is no URL of PostgreSQL: %s", URL_HELP);
}

/* libpq shows what it takes for a port or the name of the database, which is the rest of a password that holds a bare @, / or ?. */
static bool may_be_shown(const PQconninfoOption *options) {
  for (; options->keyword; options++) {
    const char *value = options->val ? options->val : "";
    if (g_str_equal(options->keyword, "port") && strspn(value, "0123456789,") != strlen(value))
      return false;
    if ((g_str_equal(options->keyword, "dbname") || g_str_equal(options->keyword, "host")) && strchr(value, '@'))
      return false;
  }
  return true;
}

static bool check_url(const char *url, GError **error) {
  char *message = NULL;
  PQconninfoOption *options = PQconninfoParse(url, &message);
  bool good = options && may_be_shown(options);
  if (!good)
    set_url_error(message, error);
  PQconninfoFree(options);
  PQfreemem(message);
  return good;
}

static void ignore_notice(void *data, const char *message) {
}

/* A peer that does not answer is given up after a minute, what the URL and the environment say goes before. */
static PGconn *connect_to(const char *url, const char *connect_timeout) {
  const char *names[] = {"fallback_application_name",
                         "keepalives_idle",
                         "keepalives_interval",
                         "keepalives_count",
                         "tcp_user_timeout",
                         connect_timeout || !g_getenv("PGCONNECT_TIMEOUT") ? "connect_timeout" : "",
                         "dbname",
                         "client_encoding",
                         NULL};
  const char *values[] = {"pattimpex", "30", "10", "3", "60000", connect_timeout ? connect_timeout : "30", url, "UTF8", NULL};
  const char *known_names[G_N_ELEMENTS(names)] = {NULL};
  const char *known_values[G_N_ELEMENTS(names)] = {NULL};
  for (size_t i = 0, n = 0; names[i]; i++) {
    if (*names[i]) {
      known_names[n] = names[i];
      known_values[n++] = values[i];
    }
  }
  PGconn *conn = PQconnectdbParams(known_names, known_values, 1);
  PQsetNoticeProcessor(conn, ignore_notice, NULL);
  return conn;
}

/* Values come and go in one form, whatever the server's settings are; a commit is on the disk. The default of random_page_cost is that of disks that
 * turn, for which the planner reads whole tables to look up a few records; what people have set stays. */
static char *settings_of(const PxPg *pg) {
  const char *set = pg->db.pooled ? "SET LOCAL" : "SET SESSION";
  const char *is_local = pg->db.pooled ? "true" : "false";
  return g_strdup_printf("%s datestyle = 'ISO, YMD'; %s intervalstyle = postgres; %s timezone = 'UTC'; %s bytea_output = hex;"
                         "%s extra_float_digits = 1; %s standard_conforming_strings = on; %s cursor_tuple_fraction = 1;"
                         "%s lock_timeout = %u; %s default_transaction_read_only = %s; %s idle_in_transaction_session_timeout = %u;"
                         "SELECT set_config('synchronous_commit', 'on', %s) WHERE current_setting('synchronous_commit') IN ('off', 'local');"
                         "SELECT set_config('random_page_cost', '1.1', %s) WHERE current_setting('random_page_cost') = '4';",
                         set, set, set, set, set, set, set, set, pg->busy_ms, set, pg->db.dry_run ? "on" : "off", set, pg->idle_ms, is_local,
                         is_local);
}

/* The server is to see as soon as we do that a network has lost the connection: until then it keeps what the transaction has locked. What people have
 * set stays. Not through a pooler, whose connections the server has. */
static const char server_keepalives[] =
  "SELECT set_config(s.name, v.value, false) FROM pg_settings AS s JOIN (VALUES ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'),"
  " ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '60000')) AS v (name, value) ON s.name = v.name WHERE s.source = 'default'";

/* A pooler hands out numbers of processes of its own. */
static bool find_pooler(PxPg *pg, GError **error) {
  static const char sql[] = "SELECT pid, CAST(extract(epoch FROM backend_start) * 1000000 AS bigint) FROM pg_stat_get_activity(pg_backend_pid())";
  PGresult *result = px_pg_exec(pg, sql);
  bool known = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
  if (known) {
    int64_t process = g_ascii_strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    pg->db.pooled = process != PQbackendPID(pg->conn);
    g_mutex_lock(&pg->socket_lock);
    pg->process = pg->db.pooled ? 0 : process;
    pg->process_begun = g_ascii_strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    g_mutex_unlock(&pg->socket_lock);
  } else {
    px_pg_result_error(pg, result, sql, error);
  }
  PQclear(result);
  return known;
}

/* What a pooled session is set to would be there for whoever gets it next. */
static bool configure(PxPg *pg, GError **error) {
  if (!find_pooler(pg, error))
    return false;
  g_free(pg->settings);
  pg->settings = settings_of(pg);
  return pg->db.pooled || (px_pg_command(pg, pg->settings, error) && px_pg_command(pg, server_keepalives, error));
}

bool px_pg_begin(PxPg *pg, const char *begin, const char *more, GError **error) {
  g_autofree char *sql = g_strconcat(begin, ";", pg->db.pooled ? pg->settings : "", more, NULL);
  return px_pg_command(pg, sql, error);
}

/* While we have a descriptor of it no other thread can take what libpq has closed, and somebody else has opened, for the connection. */
static void hold_socket(PxPg *pg) {
  g_mutex_lock(&pg->socket_lock);
  pg->socket = fcntl(PQsocket(pg->conn), F_DUPFD_CLOEXEC, 0);
  atomic_store(&pg->cut, false);
  g_mutex_unlock(&pg->socket_lock);
}

static void drop_socket(PxPg *pg) {
  if (pg->socket >= 0)
    (void)close(pg->socket);
  pg->socket = -1;
  pg->process = 0;
}

/* The state of a connection that has just been made, or not. */
static bool begin_session(PxPg *pg, GError **error) {
  if (PQstatus(pg->conn) != CONNECTION_OK) {
    g_autofree char *message = g_strstrip(g_strdup(PQerrorMessage(pg->conn)));
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "cannot open the database: %s", message);
    return false;
  }
  pg->generation++;
  hold_socket(pg);
  g_string_truncate(pg->dropped, 0);
  PQfreeCancel(pg->cancel);
  pg->cancel = PQgetCancel(pg->conn);
  g_free(pg->name);
  pg->name = g_strdup_printf("%s on %s", PQdb(pg->conn), PQhost(pg->conn));
  return configure(pg, error);
}

static void pg_close(PxDb *db) {
  PxPg *pg = pg_of(db);
  PQfreeCancel(pg->cancel);
  drop_socket(pg);
  PQfinish(pg->conn);
  if (pg->listens) {
    close(pg->epoll);
    close(pg->event);
  }
  g_string_free(pg->dropped, TRUE);
  g_free(pg->deferred[0]);
  g_free(pg->deferred[1]);
  g_free(pg->settings);
  g_mutex_clear(&pg->socket_lock);
  g_free(pg->path);
  g_free(pg->name);
  g_free(pg);
}

static PxDb *pg_open(const PxDbOptions *options, const char *address, GError **error) {
  if (!check_url(options->url, error))
    return NULL;
  PxPg *pg = g_new0(PxPg, 1);
  pg->db.dry_run = options->dry_run;
  pg->busy_ms = options->busy_ms ? options->busy_ms : DEFAULT_BUSY_MS;
  pg->answer_ms = options->answer_ms;
  pg->socket = -1;
  g_mutex_init(&pg->socket_lock);
  pg->dropped = g_string_new(NULL);
  char seconds[16];
  g_snprintf(seconds, sizeof seconds, "%u", MAX(options->answer_ms / 1000, 2)); /* libpq takes no less */
  pg->conn = connect_to(options->url, options->answer_ms ? seconds : NULL);
  if (begin_session(pg, error))
    return &pg->db;
  pg_close(&pg->db);
  return NULL;
}

/* A folder that nobody else can write into. */
static bool own_folder(const char *folder) {
  struct stat is;
  if (mkdir(folder, 0700) != 0 && errno != EEXIST)
    return false;
  return lstat(folder, &is) == 0 && S_ISDIR(is.st_mode) && is.st_uid == geteuid() && (is.st_mode & 077) == 0;
}

static const char *pg_path(const PxDb *db) {
  PxPg *pg = (PxPg *)(uintptr_t)db;
  g_autofree char *folder = g_strdup_printf("%s/pattimpex-%u", g_get_tmp_dir(), (unsigned)geteuid());
  if (pg->path || !own_folder(folder))
    return pg->path;
  g_autofree char *where = g_strdup_printf("%s %s %s %s", PQhost(pg->conn), PQport(pg->conn), PQdb(pg->conn), px_host_name());
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, where, -1);
  pg->path = g_strdup_printf("%s/%.16s", folder, hash);
  return pg->path;
}

/* ---- the connection */

static bool listen_again(PxPg *pg, GError **error) {
  struct epoll_event readable = {.events = EPOLLIN};
  /* A socket that was closed has left the set by itself. */
  return epoll_ctl(pg->epoll, EPOLL_CTL_ADD, PQsocket(pg->conn), &readable) == 0 && px_pg_command(pg, "LISTEN " CHANNEL, error);
}

bool px_pg_revive(PxPg *pg, GError **error) {
  if (PQstatus(pg->conn) == CONNECTION_OK)
    return true;
  g_mutex_lock(&pg->socket_lock);
  drop_socket(pg);
  PQreset(pg->conn);
  g_mutex_unlock(&pg->socket_lock);
  return begin_session(pg, error) && (!pg->listens || listen_again(pg, error));
}

bool px_pg_command(PxPg *pg, const char *sql, GError **error) {
  if (!*sql)
    return true;
  PGresult *result = px_pg_exec(pg, sql);
  ExecStatusType status = PQresultStatus(result);
  bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (!done)
    px_pg_result_error(pg, result, sql, error);
  PQclear(result);
  px_pg_keep_notifications(pg);
  return done;
}

/* ---- transactions */

static void forget_deferred(PxPg *pg) {
  g_clear_pointer(&pg->deferred[0], g_free);
  g_clear_pointer(&pg->deferred[1], g_free);
}

static bool pg_begin(PxDb *db, PxTxKind kind, GError **error) {
  PxPg *pg = pg_of(db);
  const char *sql = kind == PX_TX_READ ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
  const char *more = kind == PX_TX_WRITE_SOON ? "SET LOCAL synchronous_commit = off" : "";
  forget_deferred(pg);
  g_autoptr(GError) first = NULL;
  if (px_pg_begin(pg, sql, more, &first))
    return true;
  if (PQstatus(pg->conn) != CONNECTION_OK) /* nothing has been lost with it */
    return px_pg_revive(pg, error) && px_pg_begin(pg, sql, more, error);
  g_propagate_error(error, g_steal_pointer(&first));
  return false;
}

static bool pg_in_transaction(const PxDb *db) {
  PGTransactionStatusType status = PQtransactionStatus(((const PxPg *)db)->conn);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

/* The constraints that speak at the commit, as SET CONSTRAINTS takes them: all of them, then those that can be put off again; a name stands for
 * every constraint of its schema that has it. */
static bool read_deferred(PxPg *pg, GError **error) {
  PxStmt *stmt = px_db_named(&pg->db, "deferred_constraints", error);
  if (!stmt || px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  for (unsigned i = 0; i < 2; i++) {
    g_autofree char *names = px_stmt_dup_text(stmt, i);
    pg->deferred[i] = names ? g_strdup_printf("SET CONSTRAINTS %s %s", names, i ? "DEFERRED" : "IMMEDIATE") : g_strdup("");
  }
  px_stmt_reset(stmt);
  return true;
}

static bool pg_check_deferred(PxDb *db, GError **error) {
  PxPg *pg = pg_of(db);
  if (!pg->deferred[0] && !read_deferred(pg, error))
    return false;
  return px_pg_command(pg, pg->deferred[0], error) && px_pg_command(pg, pg->deferred[1], error);
}

/* Writers do not wait for one another's transactions, only for rows. */
static bool pg_has_waiters(const PxDb *db) {
  return false;
}

static void pg_interrupt(PxDb *db) {
  PxPg *pg = pg_of(db);
  char message[256];
  pg->interrupted = 1;
  (void)PQcancel(pg->cancel, message, sizeof message);
}

static void pg_cut(PxDb *db) {
  px_pg_cut(pg_of(db));
}

static void pg_wait(PxDb *db, PxDbWait *ret_wait) {
  px_pg_wait(pg_of(db), ret_wait);
}

static void pg_limit_idle(PxDb *db, unsigned ms) {
  PxPg *pg = pg_of(db);
  pg->idle_ms = ms;
  g_free(pg->settings);
  pg->settings = settings_of(pg);
  if (!pg->db.pooled)
    (void)px_pg_command(pg, pg->settings, NULL); /* a connection that was lost is told with the next one */
}

/* A table that is small when a plan is made may be large when it is used; and compiling pays for no such statement, though a table that has to be
 * read as a whole seems to cost so much then that the planner would. */
#define BY_INDEX "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"

static bool pg_prefer_indexes(PxDb *db, GError **error) {
  return px_pg_command(pg_of(db), BY_INDEX, error);
}

/* What an index has in its order is taken from there: while a larger one is full of entries of rows that went, the planner would rather sort those
 * of a smaller one. */
static bool pg_keep_plans(PxDb *db, GError **error) {
  return px_pg_command(pg_of(db), BY_INDEX "; SET LOCAL enable_sort = off; SET LOCAL plan_cache_mode = force_generic_plan", error);
}

/* ---- waking one another */

/* Behind the commit, not in it: a transaction that notifies is committed while no other one that does can be. */
static void pg_notify(PxDb *db) {
  (void)px_pg_command(pg_of(db), "NOTIFY " CHANNEL, NULL);
}

static int pg_listen(PxDb *db) {
  PxPg *pg = pg_of(db);
  if (pg->listens)
    return pg->epoll;
  if (pg->db.pooled)
    return -1;
  pg->epoll = epoll_create1(EPOLL_CLOEXEC);
  pg->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event readable = {.events = EPOLLIN};
  pg->listens = pg->epoll >= 0 && pg->event >= 0 && epoll_ctl(pg->epoll, EPOLL_CTL_ADD, pg->event, &readable) == 0 && listen_again(pg, NULL);
  if (pg->listens)
    return pg->epoll;
  if (pg->epoll >= 0)
    close(pg->epoll);
  if (pg->event >= 0)
    close(pg->event);
  return -1;
}

static bool take_notifications(PxPg *pg) {
  bool any = false;
  for (PGnotify *notification; (notification = PQnotifies(pg->conn)); any = true)
    PQfreemem(notification);
  return any;
}

void px_pg_keep_notifications(PxPg *pg) {
  if (pg->listens && take_notifications(pg))
    (void)eventfd_write(pg->event, 1);
}

static void pg_heard(PxDb *db) {
  PxPg *pg = pg_of(db);
  if (!pg->listens)
    return;
  eventfd_t count;
  (void)eventfd_read(pg->event, &count);
  if (PQconsumeInput(pg->conn))
    (void)take_notifications(pg);
  else
    (void)px_pg_revive(pg, NULL); /* the server has gone: listen to the next one, or be told at the next statement */
}

/* ---- statements */

static bool pg_exec(PxDb *db, const char *sql, GError **error) {
  if (db->dry_run && px_pg_commits(sql)) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a dry run was told to commit");
    return false;
  }
  return px_pg_command(pg_of(db), sql, error);
}

static uint64_t pg_changes(const PxDb *db) {
  return ((const PxPg *)db)->changes;
}

static bool pg_has_table(PxDb *db, const char *table, bool *ret_has, GError **error) {
  /* Not to_regclass(), which may answer from what the connection remembers. */
  PxStmt *stmt = px_db_prepare(db, "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = ? AND pg_table_is_visible(oid))", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, table);
  if (px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  *ret_has = px_stmt_integer(stmt, 0) != 0;
  px_stmt_reset(stmt);
  return true;
}

const PxDbDriver px_db_postgres = {
  .dialect = PX_DIALECT_POSTGRES,
  .open = pg_open,
  .close = pg_close,
  .path = pg_path,
  .begin = pg_begin,
  .in_transaction = pg_in_transaction,
  .check_deferred = pg_check_deferred,
  .has_waiters = pg_has_waiters,
  .interrupt = pg_interrupt,
  .cut = pg_cut,
  .wait = pg_wait,
  .limit_idle = pg_limit_idle,
  .prefer_indexes = pg_prefer_indexes,
  .keep_plans = pg_keep_plans,
  .notify = pg_notify,
  .listen = pg_listen,
  .heard = pg_heard,
  .prepare = px_pg_prepare,
  .prepare_batch = px_pg_prepare_batch,
  .free_stmt = px_pg_free_stmt,
  .bind = px_pg_bind,
  .bind_array = px_pg_bind_array,
  .step = px_pg_step,
  .value = px_pg_value,
  .n_columns = px_pg_n_columns,
  .reset = px_pg_reset,
  .copy = px_pg_copy,
  .changes = pg_changes,
  .exec = pg_exec,
  .has_table = pg_has_table,
  .check_expression = px_pg_check_expression,
};
