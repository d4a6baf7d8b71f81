/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSH's server on a free port of the loopback, for this program alone: own configuration, own keys, nothing of the system's. */
#include "test_sshd.h"

#include "test_storage.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSHD "/usr/sbin/sshd"
#define STARTS 500 /* looks at the port, 20 ms apart */

static char *directory;
static GPid server;
static unsigned port;

const char *sshd_directory(void) {
  return directory;
}

unsigned sshd_port(void) {
  return port;
}

const char *sshd_user(void) {
  const struct passwd *user = getpwuid(geteuid());
  return user ? user->pw_name : NULL;
}

static unsigned free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, len), ==, 0);
  g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &len), ==, 0);
  (void)close(fd);
  return ntohs(address.sin_port);
}

static bool answers(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
  (void)close(fd);
  return ok;
}

static char *in_directory(const char *name) {
  return g_build_filename(directory, name, NULL);
}

void sshd_make_key(const char *name, const char *type, const char *passphrase) {
  g_autofree char *path = in_directory(name);
  const char *const command[] = {"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path, NULL};
  int status = -1;
  g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_cmpint(status, ==, 0);
}

char *sshd_read(const char *name) {
  g_autofree char *path = in_directory(name);
  char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  return text;
}

void sshd_write(const char *name, const char *text) {
  g_autofree char *path = in_directory(name);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* The rights of root to everything are taken away, so that rights are what they are for anybody; it ends with this program. */
static void child_set_up(gpointer data) {
  (void)prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
  (void)prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0);
  (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

static void write_known_hosts(void) {
  g_autofree char *key = sshd_read("host.pub");
  g_autofree char *line = g_strdup_printf("[127.0.0.1]:%u %s", port, key);
  sshd_write("known_hosts", line);
}

static void start(void) {
  static const char *const keys[] = {"user.pub", "rsa.pub", "locked.pub"};
  g_autoptr(GString) authorized = g_string_new(NULL);
  sshd_make_key("host", "ed25519", "");
  sshd_make_key("other", "ed25519", "");
  sshd_make_key("user", "ed25519", "");
  sshd_make_key("rsa", "rsa", "");
  sshd_make_key("locked", "ed25519", "open sesame");
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    g_autofree char *key = sshd_read(keys[i]);
    g_string_append(authorized, key);
  }
  sshd_write("authorized_keys", authorized->str);
  port = free_port();
  write_known_hosts();
  g_autofree char *text = g_strdup_printf("Port %u\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/authorized_keys\nPidFile none\n"
                                          "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
                                          "KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\nMaxStartups 100\n",
                                          port, directory, directory);
  sshd_write("config", text);
  g_autofree char *config = in_directory("config");
  g_autofree char *log = in_directory("log");
  const char *const command[] = {SSHD, "-D", "-f", config, "-E", log, NULL};
  if (geteuid() == 0)
    (void)mkdir("/run/sshd", 0755); /* compiled into it: the empty directory that it shuts itself in */
  g_assert_true(g_spawn_async("/", (char **)(uintptr_t)command, NULL, G_SPAWN_DO_NOT_REAP_CHILD, child_set_up, NULL, &server, NULL));
  for (unsigned i = 0; !answers(); i++) {
    g_assert_cmpuint(i, <, STARTS);
    g_usleep(20000);
  }
}

char *sshd_config(const char *served) {
  if (!directory) {
    if (access(SSHD, X_OK) != 0)
      return NULL;
    directory = g_dir_make_tmp("sshd-XXXXXX", NULL);
    g_assert_nonnull(directory);
    start();
  }
  return g_strdup_printf("host: 127.0.0.1, port: %u, user: %s, key_file: %s/user, known_hosts: %s/known_hosts, directory: %s", port, sshd_user(),
                         directory, directory, served);
}

/* Children of the server, by what the kernel tells of its main thread. */
void sshd_end_sessions(void) {
  g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", server, server);
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_auto(GStrv) pids = g_strsplit(g_strstrip(text), " ", -1);
  g_assert_nonnull(pids[0]);
  for (char **pid = pids; *pid; pid++)
    g_assert_cmpint(kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), SIGKILL), ==, 0);
}

void sshd_stop(void) {
  if (!directory)
    return;
  (void)kill(server, SIGTERM);
  (void)waitpid(server, NULL, 0);
  remove_tree(directory);
  g_free(directory);
}
