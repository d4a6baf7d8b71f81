/* SPDX-License-Identifier: Apache-2.0 */
/* FTP servers on free ports of the loopback, for this program alone: own configuration, nothing of the system's. vsftpd runs as whoever runs the
 * tests, so it has no logins but the anonymous one; pyftpdlib has a user and a password. */
#include "test_ftpd.h"

#include "test_server.h"
#include "test_storage.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define VSFTPD "/usr/sbin/vsftpd"
#define PYTHON "/usr/bin/python3"

typedef enum { PLAIN, EXPLICIT, IMPLICIT, ALONE, PYTHON_SERVER, SERVERS } Which;

static char *directory;
static char *certificate;
static struct {
  GPid pid;
  unsigned port;
} servers[SERVERS];

static void make_directory_of_servers(void) {
  if (directory)
    return;
  directory = g_dir_make_tmp("ftpd-XXXXXX", NULL);
  g_assert_nonnull(directory);
  certificate = g_build_filename(directory, "certificate", NULL);
  const char *const command[] = {"openssl",
                                 "req",
                                 "-x509",
                                 "-newkey",
                                 "ec",
                                 "-pkeyopt",
                                 "ec_paramgen_curve:prime256v1",
                                 "-nodes",
                                 "-days",
                                 "2",
                                 "-subj",
                                 "/CN=localhost",
                                 "-addext",
                                 "subjectAltName=DNS:localhost,IP:127.0.0.1",
                                 "-keyout",
                                 certificate,
                                 "-out",
                                 certificate,
                                 NULL};
  int status = -1;
  g_assert_true(
    g_spawn_sync(NULL, (char **)(uintptr_t)command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_cmpint(status, ==, 0);
}

const char *ftpd_certificate(void) {
  make_directory_of_servers();
  return certificate;
}

static char *vsftpd_text(Which which) {
  static const char *const tls[] = {[PLAIN] = "", [EXPLICIT] = "implicit_ssl=NO\n", [IMPLICIT] = "implicit_ssl=YES\n"};
  g_autofree char *of_tls = which == PLAIN || which == ALONE
                              ? g_strdup(which == ALONE ? "max_per_ip=1\n" : "")
                              : g_strdup_printf("ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n"
                                                "rsa_cert_file=%s\nssl_ciphers=HIGH\n%s",
                                                certificate, tls[which]);
  return g_strdup_printf(
    "listen=YES\nlisten_address=127.0.0.1\nlisten_port=%u\nbackground=NO\nrun_as_launching_user=YES\nseccomp_sandbox=NO\nisolate=NO\n"
    "isolate_network=NO\nconnect_from_port_20=NO\nsecure_chroot_dir=%s\nanonymous_enable=YES\nno_anon_password=YES\nlocal_enable=NO\n"
    "anon_root=/\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_world_readable_only=NO\n"
    "anon_umask=022\nwrite_enable=YES\nxferlog_enable=NO\nport_enable=YES\n%s",
    servers[which].port, directory, of_tls);
}

static void start_vsftpd(Which which) {
  g_autofree char *text = vsftpd_text(which);
  g_autofree char *config = g_strdup_printf("%s/vsftpd-%u", directory, (unsigned)which);
  g_assert_true(g_file_set_contents(config, text, -1, NULL));
  const char *const command[] = {VSFTPD, config, NULL};
  servers[which].pid = server_spawn(command, servers[which].port);
}

static void start_pyftpd(void) {
  g_autofree char *port = g_strdup_printf("%u", servers[PYTHON_SERVER].port);
  const char *const command[] = {PYTHON, "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", port, "-w", "-d", "/", "-u", "shop", "-P", "open sesame", NULL};
  servers[PYTHON_SERVER].pid = server_spawn(command, servers[PYTHON_SERVER].port);
}

static bool is_there(Which which) {
  if (which != PYTHON_SERVER)
    return access(VSFTPD, X_OK) == 0;
  const char *const command[] = {PYTHON, "-c", "import pyftpdlib", NULL};
  int status = -1;
  return g_spawn_sync(NULL, (char **)(uintptr_t)command, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL, &status, NULL) && status == 0;
}

static bool start(Which which) {
  if (servers[which].port)
    return true;
  if (!is_there(which))
    return false;
  make_directory_of_servers();
  servers[which].port = server_free_port();
  if (which == PYTHON_SERVER)
    start_pyftpd();
  else
    start_vsftpd(which);
  return true;
}

static char *config_of(Which which, const char *more, const char *served) {
  return start(which) ? g_strdup_printf("host: 127.0.0.1, port: %u, directory: %s, %s", servers[which].port, served, more) : NULL;
}

char *vsftpd_plain_config(const char *served) {
  return config_of(PLAIN, "user: anonymous, tls: none", served);
}

char *vsftpd_alone_config(const char *served) {
  return config_of(ALONE, "user: anonymous, tls: none", served);
}

char *vsftpd_explicit_config(const char *served) {
  g_autofree char *more = g_strdup_printf("user: anonymous, ca_file: %s", ftpd_certificate());
  return config_of(EXPLICIT, more, served);
}

char *vsftpd_implicit_config(const char *served) {
  g_autofree char *more = g_strdup_printf("user: anonymous, tls: implicit, ca_file: %s", ftpd_certificate());
  return config_of(IMPLICIT, more, served);
}

char *pyftpd_config(const char *served) {
  /* the password is a secret of the environment: only such are not warned of */
  return config_of(PYTHON_SERVER, "user: shop, password: open sesame, tls: none", served);
}

void ftpd_stop(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(servers); i++) {
    if (servers[i].pid > 0) {
      (void)kill(servers[i].pid, SIGTERM);
      (void)waitpid(servers[i].pid, NULL, 0);
    }
  }
  if (directory)
    remove_tree(directory);
  g_free(directory);
  g_free(certificate);
}
