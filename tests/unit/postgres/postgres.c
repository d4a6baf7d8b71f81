/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres.h"

#include <gio/gio.h>
#include <libpq-fe.h>
#include <unistd.h>

static char *server_url;
static GSubprocess *server; /* for the rest of the process: with it goes the pipe */

/* It ends when its standard input does, which is when this process ends, however it does. */
static char *start_server(void) {
  g_autoptr(GError) error = NULL;
  server = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/usr/bin/python3", PX_POSTGRES_HELPER, NULL);
  g_assert_no_error(error);
  GInputStream *out = g_subprocess_get_stdout_pipe(server);
  g_autoptr(GDataInputStream) lines = g_data_input_stream_new(out);
  char *url = g_data_input_stream_read_line(lines, NULL, NULL, NULL);
  if (!url)
    g_error("no PostgreSQL server: %s says why above", PX_POSTGRES_HELPER);
  return url;
}

static void run(const char *verb, const char *name, const char *options) {
  PGconn *conn = PQconnectdb(server_url);
  g_autofree char *sql = g_strdup_printf("%s DATABASE %s %s", verb, name, options);
  PGresult *result = PQexec(conn, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK)
    g_error("%s: %s", sql, PQerrorMessage(conn));
  PQclear(result);
  PQfinish(conn);
}

char *px_test_postgres_new(void) {
  static unsigned counter;
  if (!server_url)
    server_url = g_getenv("PATTIMPEX_POSTGRES") ? g_strdup(g_getenv("PATTIMPEX_POSTGRES")) : start_server();
  g_autofree char *name = g_strdup_printf("unit_%d_%u", (int)getpid(), ++counter);
  run("CREATE", name, "TEMPLATE template0");
  const char *slash = strrchr(server_url, '/');
  return g_strdup_printf("%.*s/%s", (int)(slash - server_url), server_url, name);
}

void px_test_postgres_drop(char *url) {
  if (url)
    run("DROP", strrchr(url, '/') + 1, "WITH (FORCE)");
  g_free(url);
}
