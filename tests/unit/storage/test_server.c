/* SPDX-License-Identifier: Apache-2.0 */
#include "test_server.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define STARTS 500 /* looks at the port, 20 ms apart */

static bool is_free(unsigned port) {
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
  (void)close(fd);
  return ok;
}

/* None of those that Linux gives to connections (ip_local_port_range): one that just goes out could take it before the server does. */
unsigned server_free_port(void) {
  unsigned port;
  do
    port = (unsigned)g_random_int_range(10000, 32768);
  while (!is_free(port));
  return port;
}

static bool answers(unsigned port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
  (void)close(fd);
  return ok;
}

/* The rights of root to everything are taken away, so that rights are what they are for anybody; it ends with this program. */
static void child_set_up(gpointer data) {
  (void)prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
  (void)prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0);
  (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

GPid server_spawn(const char *const *command, unsigned port) {
  GPid server = 0;
  g_assert_true(g_spawn_async("/", (char **)(uintptr_t)command, NULL,
                              G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, child_set_up, NULL, &server,
                              NULL));
  for (unsigned i = 0; !answers(port); i++) {
    g_assert_cmpuint(i, <, STARTS);
    g_usleep(20000);
  }
  return server;
}
