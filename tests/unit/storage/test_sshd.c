/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSH's server on a free port of the loopback, for this program alone: own configuration, own keys, nothing of the system's. */
#include "test_sshd.h"

#include "test_server.h"
#include "test_storage.h"

#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSHD "/usr/sbin/sshd"

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
  port = server_free_port();
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
  server = server_spawn(command, port);
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
