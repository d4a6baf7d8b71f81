/* SPDX-License-Identifier: Apache-2.0 */
/* tests/s3/server.js on a free port of the loopback, for this program alone. */
#include "test_s3d.h"

#include "test_storage.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static GPid server;
static unsigned port;

unsigned s3d_port(void) {
  return port;
}

static void child_set_up(gpointer data) {
  (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

/* It says its port when it listens. */
static void start(void) {
  const char *const command[] = {"node", PX_S3_SERVER, g_get_tmp_dir(), NULL};
  g_autoptr(GError) error = NULL;
  char line[16] = "";
  int out = -1;
  (void)g_spawn_async_with_pipes("/", (char **)(uintptr_t)command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, child_set_up, NULL, &server,
                                 NULL, &out, NULL, &error);
  g_assert_no_error(error);
  for (size_t n = 0; n + 1 < sizeof line && !strchr(line, '\n'); n++)
    g_assert_cmpint(read(out, line + n, 1), ==, 1); /* none: ./dev test installs what it needs in tests/s3 */
  (void)close(out);
  port = (unsigned)g_ascii_strtoull(line, NULL, 10);
  g_assert_cmpuint(port, >, 0);
  g_autofree char *secret = g_build_filename(g_get_tmp_dir(), "secret", NULL);
  g_assert_true(g_file_set_contents(secret, "S3RVER", -1, NULL));
}

char *s3d_config(const char *served) {
  if (!port)
    start();
  const char *directory = served + strlen(g_get_tmp_dir()) + 1;
  return g_strdup_printf("endpoint: 'http://127.0.0.1:%u', bucket: files, access_key: S3RVER, secret_key: {file: %s/secret}, directory: %s", port,
                         g_get_tmp_dir(), directory);
}

void s3d_stop(void) {
  if (!port)
    return;
  (void)kill(server, SIGTERM);
  (void)waitpid(server, NULL, 0);
}
