/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/sftp_private.h"

#include <string.h>

#define PORT 22
#define CONNECT_TIMEOUT (20 * G_USEC_PER_SEC)
#define TIMEOUT (60 * G_USEC_PER_SEC)
#define CONNECTIONS 4
#define MOST_CONNECTIONS 16
#define ACCEPT_NEW "accept-new"
#define FINGERPRINT "SHA256:"
#define FINGERPRINT_CHARS 43 /* 32 bytes in base64 without its padding */

static const char *const algorithms[] = {[PX_SSH_DEFAULT] = "default", [PX_SSH_STRICT] = "strict", [PX_SSH_LEGACY] = "legacy", NULL};

#define AT(member) offsetof(PxSftpSettings, member)

const PxKey px_sftp_keys[15] = {
  {.name = "host", .type = PX_KEY_STRING, .offset = AT(ssh.host), .required = true},
  {.name = "port", .type = PX_KEY_UNSIGNED, .offset = AT(ssh.port), .min = 1, .max = 65535},
  {.name = "user", .type = PX_KEY_STRING, .offset = AT(ssh.user), .required = true},
  {.name = "password", .type = PX_KEY_STRING, .offset = AT(ssh.password)},
  {.name = "key_file", .type = PX_KEY_STRING, .offset = AT(ssh.key_file)},
  {.name = "key", .type = PX_KEY_STRING, .offset = AT(ssh.key)},
  {.name = "key_passphrase", .type = PX_KEY_STRING, .offset = AT(ssh.key_passphrase)},
  {.name = "agent", .type = PX_KEY_BOOLEAN, .offset = AT(ssh.agent)},
  {.name = "known_hosts", .type = PX_KEY_STRING, .offset = AT(ssh.known_hosts)},
  {.name = "host_key", .type = PX_KEY_STRINGS, .offset = AT(ssh.host_key)},
  {.name = "algorithms", .type = PX_KEY_CHOICE, .offset = AT(ssh.algorithms), .choices = algorithms},
  {.name = "connect_timeout", .type = PX_KEY_DURATION, .offset = AT(ssh.connect_timeout)},
  {.name = "timeout", .type = PX_KEY_DURATION, .offset = AT(ssh.timeout)},
  {.name = "directory", .type = PX_KEY_STRING, .offset = AT(directory)},
  {.name = "connections", .type = PX_KEY_UNSIGNED, .offset = AT(connections), .min = 1, .max = MOST_CONNECTIONS},
};

void px_sftp_defaults(void *data) {
  PxSftpSettings *settings = data;
  settings->ssh.port = PORT;
  settings->ssh.connect_timeout = CONNECT_TIMEOUT;
  settings->ssh.timeout = TIMEOUT;
  settings->connections = CONNECTIONS;
}

static void resolve(const PxConfig *config, char **path) {
  char *resolved = px_config_resolve_path(config, *path);
  g_free(*path);
  *path = resolved;
}

static void check_login(const PxSshSettings *ssh, const PxConfigNode *node, PxComplaints *complaints) {
  const PxConfigNode *key = px_node_get(node, "key");
  if (!ssh->password && !ssh->key_file && !ssh->key && !ssh->agent)
    px_complain(complaints, node, "nothing says how to log in: write key_file, key, password, or agent: true");
  if (ssh->key_file && ssh->key)
    px_complain(complaints, key, "key: key_file says another one; remove one of the two");
  if (key && !px_node_is_secret(key))
    px_complain(complaints, key, "key: a private key must not stand in the configuration: write ${NAME} or {file: PATH}, or use key_file");
}

static bool is_fingerprint(const char *text) {
  const char *blank = strchr(text, ' ');
  const char *fingerprint = blank ? blank + 1 : text;
  return g_str_has_prefix(fingerprint, FINGERPRINT) && strlen(fingerprint) == strlen(FINGERPRINT) + FINGERPRINT_CHARS;
}

static void check_host_key(const PxSshSettings *ssh, const PxConfigNode *node, PxComplaints *complaints) {
  const PxConfigNode *at = px_node_get(node, "host_key");
  size_t n = ssh->host_key ? g_strv_length(ssh->host_key) : 0;
  if (at && px_node_type(at) == PX_NODE_SEQUENCE && n == 0)
    px_complain(complaints, at, "host_key: the list is empty; write the fingerprint of the server's key, SHA256:...");
  for (size_t i = 0; i < n; i++) {
    const char *text = ssh->host_key[i];
    if (n == 1 && strcmp(text, ACCEPT_NEW) == 0)
      px_warn(complaints, at,
              "host_key: accept-new trusts whatever answers first; write the fingerprint of the server's key instead once it is known");
    else if (!is_fingerprint(text))
      px_complain(complaints, at,
                  "host_key: \"%s\" is no fingerprint: write SHA256:... or TYPE SHA256:..., as check and ssh-keygen -l show it, or accept-new alone",
                  text);
  }
}

void px_sftp_check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints) {
  PxSftpSettings *settings = data;
  PxSshSettings *ssh = &settings->ssh;
  if (!ssh->known_hosts)
    ssh->known_hosts = g_strdup("~/.ssh/known_hosts");
  resolve(config, &ssh->known_hosts);
  if (ssh->key_file)
    resolve(config, &ssh->key_file);
  if (!settings->directory)
    settings->directory = g_strdup("");
  if (ssh->host && (!*ssh->host || strpbrk(ssh->host, "@/ ")))
    px_complain(complaints, px_node_get(node, "host"),
                "host: a name or an address alone; what else there is has keys of its own: user, port, directory");
  if (ssh->user && !*ssh->user)
    px_complain(complaints, px_node_get(node, "user"), "user: must not be empty");
  if (ssh->connect_timeout <= 0 || ssh->timeout <= 0)
    px_complain(complaints, node, "connect_timeout and timeout must be more than 0");
  check_login(ssh, node, complaints);
  check_host_key(ssh, node, complaints);
}

char *px_sftp_place(const void *data) {
  const PxSftpSettings *settings = data;
  g_autofree char *port = settings->ssh.port == PORT ? g_strdup("") : g_strdup_printf(":%" G_GUINT64_FORMAT, (guint64)settings->ssh.port);
  return g_strdup_printf("sftp://%s%s%s%s", settings->ssh.host, port, *settings->directory && *settings->directory != '/' ? "/~/" : "",
                         settings->directory);
}

void px_sftp_free_settings(void *data) {
  PxSftpSettings *settings = data;
  PxSshSettings *ssh = &settings->ssh;
  g_free(settings->directory);
  g_free(ssh->host);
  g_free(ssh->user);
  g_free(ssh->password);
  g_free(ssh->key_file);
  g_free(ssh->key);
  g_free(ssh->key_passphrase);
  g_free(ssh->known_hosts);
  g_strfreev(ssh->host_key);
}
