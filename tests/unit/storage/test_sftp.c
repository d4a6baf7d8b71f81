/* SPDX-License-Identifier: Apache-2.0 */
/* What only a server over a network has: who it is, who we are, and that it goes away. */
#include "test_sshd.h"
#include "test_storage.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static Other other_open(char *settings) {
  Other other = other_of_type("sftp", settings);
  g_free(settings);
  return other;
}

/* "host, port and directory" of the server of the tests, then more. */
static char *with(const Fixture *fixture, const char *more, ...) G_GNUC_PRINTF(2, 3);
static char *with(const Fixture *fixture, const char *more, ...) {
  va_list arguments;
  va_start(arguments, more);
  g_autofree char *rest = g_strdup_vprintf(more, arguments);
  va_end(arguments);
  return g_strdup_printf("host: 127.0.0.1, port: %u, directory: %s, %s", sshd_port(), fixture->drop, rest);
}

static void assert_works(char *settings) {
  g_autoptr(GError) error = NULL;
  g_auto(Other) other = other_open(settings);
  bool ok = px_storage_check(other.storage, true, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
}

static void assert_refuses(char *settings, int code, const char *part) {
  g_autoptr(GError) error = NULL;
  g_auto(Other) other = other_open(settings);
  bool ok = px_storage_check(other.storage, true, &error);
  g_assert_true(!error || !strstr(error->message, "sesame"));
  assert_fails(ok, &error, code, part);
}

/* The fingerprint of a key of the server's directory. Caller frees. */
static char *fingerprint(const char *name) {
  g_autofree char *path = g_build_filename(sshd_directory(), name, NULL);
  const char *const command[] = {"ssh-keygen", "-l", "-E", "sha256", "-f", path, NULL};
  g_autofree char *out = NULL;
  g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, NULL));
  g_auto(GStrv) words = g_strsplit(out, " ", -1);
  return g_strdup(words[1]);
}

/* ---- who it is */

static void unknown_host(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  g_autofree char *print = fingerprint("host.pub");
  sshd_write("empty", "");
  assert_refuses(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/empty", sshd_user(), top, top), PX_ERROR_CONFIG, print);
  assert_refuses(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/none", sshd_user(), top, top), PX_ERROR_CONFIG, "ssh-keyscan -p ");
}

static void another_host(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  g_autofree char *key = sshd_read("other.pub");
  g_autofree char *line = g_strdup_printf("[127.0.0.1]:%u %s", sshd_port(), key);
  sshd_write("wrong", line);
  assert_refuses(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/wrong", sshd_user(), top, top), PX_ERROR_CONFIG,
                 "somebody may be in between");
  assert_refuses(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/wrong, host_key: accept-new", sshd_user(), top, top), PX_ERROR_CONFIG,
                 "ssh-keygen -R");
}

static void trusted_host(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(top, "trusted", NULL);
  g_autofree char *print = fingerprint("host.pub");
  g_autofree char *expected = g_strconcat("ssh-ed25519 ", print, NULL);
  (void)unlink(path);
  for (unsigned round = 0; round < 3; round++) {
    g_autofree char *key = NULL;
    bool known = false;
    g_auto(Other) other = other_open(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/trusted", sshd_user(), top, top));
    g_assert_true(px_storage_host_key(other.storage, round == 1, &key, &known, &error));
    g_assert_cmpstr(key, ==, expected);
    g_assert_cmpint(known, ==, round == 2);
    g_assert_cmpint(px_storage_check(other.storage, false, NULL), ==, round > 0);
  }
  g_autofree char *key = NULL;
  bool known = false;
  g_auto(Other) other = other_open(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/wrong", sshd_user(), top, top));
  g_autofree char *wrong = sshd_read("other.pub");
  g_autofree char *line = g_strdup_printf("[127.0.0.1]:%u %s", sshd_port(), wrong);
  sshd_write("wrong", line);
  assert_fails(px_storage_host_key(other.storage, true, &key, &known, &error), &error, PX_ERROR_CONFIG, "somebody may be in between");
}

static void accepted_host(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  g_autofree char *path = g_build_filename(top, "new", NULL);
  (void)unlink(path);
  assert_works(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/new, host_key: [accept-new]", sshd_user(), top, top));
  assert_works(with(fixture, "user: %s, key_file: %s/user, known_hosts: %s/new", sshd_user(), top, top));
}

static void pinned_host(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  g_autofree char *right = fingerprint("host.pub");
  g_autofree char *wrong = fingerprint("other.pub");
  assert_works(with(fixture, "user: %s, key_file: %s/user, host_key: '%s'", sshd_user(), top, right));
  assert_works(with(fixture, "user: %s, key_file: %s/user, host_key: ['%s', 'ssh-ed25519 %s']", sshd_user(), top, wrong, right));
  assert_refuses(with(fixture, "user: %s, key_file: %s/user, host_key: '%s'", sshd_user(), top, wrong), PX_ERROR_CONFIG, right);
  assert_refuses(with(fixture, "user: %s, key_file: %s/user, host_key: 'ssh-rsa %s'", sshd_user(), top, right), PX_ERROR_UNREACHABLE,
                 "127.0.0.1 port");
}

/* ---- who we are */

static void keys(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  const char *user = sshd_user();
  assert_works(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/rsa", user, top, top));
  assert_works(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/locked, key_passphrase: open sesame", user, top, top));
  assert_works(with(fixture, "user: %s, known_hosts: %s/known_hosts, key: {file: %s/user}", user, top, top));
  assert_works(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/user, algorithms: strict", user, top, top));
  assert_works(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/rsa, algorithms: legacy", user, top, top));
}

static void bad_keys(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  const char *user = sshd_user();
  assert_refuses(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/locked, key_passphrase: sesame", user, top, top), PX_ERROR_CONFIG,
                 "\"key_passphrase\" is not its passphrase");
  assert_refuses(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/locked", user, top, top), PX_ERROR_CONFIG,
                 "write \"key_passphrase\"");
  assert_refuses(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/gone", user, top, top), PX_ERROR_CONFIG, "gone is not there");
  assert_refuses(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/config", user, top, top), PX_ERROR_CONFIG, "is no private key");
  assert_refuses(with(fixture, "user: %s, known_hosts: %s/known_hosts, key_file: %s/other", user, top, top), PX_ERROR_CONFIG,
                 "refuses the login of user");
  assert_refuses(with(fixture, "user: nobody-at-all, known_hosts: %s/known_hosts, password: sesame", top), PX_ERROR_CONFIG, "it takes: a key");
}

static void agent(Fixture *fixture, const void *data) {
  g_autofree char *socket_path = g_build_filename(fixture->directory, "agent", NULL);
  g_autofree char *key = g_build_filename(sshd_directory(), "user", NULL);
  const char *const start[] = {"ssh-agent", "-D", "-a", socket_path, NULL};
  const char *const add[] = {"ssh-add", "-q", key, NULL};
  GPid pid;
  g_assert_true(g_spawn_async(NULL, (char **)(uintptr_t)start, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, &pid, NULL));
  for (unsigned i = 0; access(socket_path, F_OK) != 0; i++) {
    g_assert_cmpuint(i, <, 500);
    g_usleep(20000);
  }
  (void)g_setenv("SSH_AUTH_SOCK", socket_path, TRUE);
  const char *top = sshd_directory();
  assert_refuses(with(fixture, "user: %s, known_hosts: %s/known_hosts, agent: true", sshd_user(), top), PX_ERROR_CONFIG,
                 "with the keys of the agent");
  g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)add, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  assert_works(with(fixture, "user: %s, known_hosts: %s/known_hosts, agent: true", sshd_user(), top));
  g_unsetenv("SSH_AUTH_SOCK");
  (void)kill(pid, SIGTERM);
}

/* ---- that it is there */

static int listen_on_loopback(unsigned *ret_port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, len) + listen(fd, 5), ==, 0);
  g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &len), ==, 0);
  *ret_port = ntohs(address.sin_port);
  return fd;
}

static void out_of_reach(Fixture *fixture, const void *data) {
  unsigned port;
  int fd = listen_on_loopback(&port);
  assert_refuses(g_strdup_printf("host: 127.0.0.1, port: %u, user: u, password: sesame, connect_timeout: 1s", port), PX_ERROR_UNREACHABLE,
                 "no answer while logging in");
  (void)close(fd);
  assert_refuses(g_strdup_printf("host: 127.0.0.1, port: %u, user: u, password: sesame", port), PX_ERROR_UNREACHABLE, "cannot be connected to");
  assert_refuses(g_strdup("host: nowhere.invalid, user: u, password: sesame"), PX_ERROR_UNREACHABLE, "nowhere.invalid cannot be found");
}

static void directory_of_the_login(Fixture *fixture, const void *data) {
  const char *top = sshd_directory();
  g_auto(Other) other = other_open(
    g_strdup_printf("host: 127.0.0.1, port: %u, user: %s, key_file: %s/user, known_hosts: %s/known_hosts", sshd_port(), sshd_user(), top, top));
  g_assert_true(px_storage_check(other.storage, false, NULL));
}

/* The server's process of this connection ends half-way; the next call has a new connection. */
static void lost_and_found(Fixture *fixture, const void *data) {
  g_autoptr(GError) error = NULL;
  PxFileInfo info;
  char byte;
  g_assert_true(px_storage_check(fixture->storage, false, NULL));
  g_autofree char *text = g_strnfill(20000000, 'x');
  write_file(fixture, "big", text);
  {
    g_autoptr(PxReading) reading = px_storage_open_read(fixture->storage, "", "big", &info, NULL);
    g_assert_cmpint(px_storage_read(reading, &byte, 1, NULL), ==, 1);
    sshd_end_sessions();
    char sha256[65];
    assert_fails(px_storage_digest(reading, sha256, &error), &error, PX_ERROR_TRANSIENT, "the connection was lost");
  }
  g_autoptr(PxReading) again = px_storage_open_read(fixture->storage, "", "big", &info, &error);
  g_assert_no_error(error);
  char sha256[65];
  g_assert_true(px_storage_digest(again, sha256, NULL));
}

/* libssh closes the socket of a connection that was lost: the number is somebody else's then, who must keep it. */
static void lost_descriptor(Fixture *fixture, const void *data) {
  g_autofree char *text = g_strnfill(20000000, 'x');
  write_file(fixture, "big", text);
  unsigned before = count_names("/proc/self/fd");
  int others[8];
  for (unsigned round = 0; round < 2; round++) {
    PxFileInfo info;
    g_autofree char *settings = sshd_config(fixture->drop);
    g_auto(Other) other = other_open(g_steal_pointer(&settings));
    g_assert_true(px_storage_check(other.storage, false, NULL));
    if (round == 1) {
      char sha256[65];
      g_autoptr(PxReading) reading = px_storage_open_read(other.storage, "", "big", &info, NULL);
      sshd_end_sessions();
      g_assert_false(px_storage_digest(reading, sha256, NULL));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
      others[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    px_storage_close(g_steal_pointer(&other.storage));
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++)
      g_assert_cmpint(close(others[i]), ==, 0);
    g_assert_cmpuint(count_names("/proc/self/fd"), ==, before);
  }
}

static void assert_complains(const char *settings, const char *part) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autofree char *text = g_strdup_printf("storages: {drop: {type: sftp, host: h, user: u, %s}}", settings);
  g_autoptr(PxConfig) config = px_config_parse(text, "t", NULL);
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  g_autoptr(GError) error = NULL;
  assert_fails(px_complaints_to_error(complaints, &error), &error, PX_ERROR_CONFIG, part);
}

static void mistakes(void) {
  assert_complains("directory: x", "nothing says how to log in: write key_file, key, password, or agent: true");
  assert_complains("key: some text", "a private key must not stand in the configuration");
  assert_complains("key_file: a, key: b", "key_file says another one");
  assert_complains("agent: true, port: 70000", "port");
  assert_complains("agent: true, host_key: 'MD5:00'", "\"MD5:00\" is no fingerprint");
  assert_complains("agent: true, host_key: [accept-new, 'SHA256:x']", "\"accept-new\" is no fingerprint");
  assert_complains("agent: true, algorithms: old", "old");
  assert_complains("agent: true, timeout: 0s", "must be more than 0");
  assert_complains("agent: true, passwort: x", "did you mean password?");
}

#define ADD_SFTP(path, function) g_test_add(path, Fixture, driver, fixture_set_up, function, fixture_tear_down)

void add_sftp_tests(const Driver *driver) {
  g_test_add_func("/storage/sftp/mistakes", mistakes);
  ADD_SFTP("/storage/sftp/host/unknown", unknown_host);
  ADD_SFTP("/storage/sftp/host/another", another_host);
  ADD_SFTP("/storage/sftp/host/accepted", accepted_host);
  ADD_SFTP("/storage/sftp/host/trusted", trusted_host);
  ADD_SFTP("/storage/sftp/host/pinned", pinned_host);
  ADD_SFTP("/storage/sftp/login/keys", keys);
  ADD_SFTP("/storage/sftp/login/bad_keys", bad_keys);
  ADD_SFTP("/storage/sftp/login/agent", agent);
  ADD_SFTP("/storage/sftp/out_of_reach", out_of_reach);
  ADD_SFTP("/storage/sftp/directory_of_the_login", directory_of_the_login);
  ADD_SFTP("/storage/sftp/lost_and_found", lost_and_found);
  ADD_SFTP("/storage/sftp/lost_descriptor_is_left_alone", lost_descriptor);
}
