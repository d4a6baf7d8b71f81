/* SPDX-License-Identifier: Apache-2.0 */
/* What libssh is told before it connects, and whether the server that answers is the one that is meant. */
#include "storage/ssh_private.h"

#include <libssh/libssh.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

#define ACCEPT_NEW "accept-new"
#define FINGERPRINT "SHA256:"

/* ---- options */

/* strict: what is preferred today alone. legacy: also what libssh's own defaults leave out since 0.10, for servers that nobody can renew; what it
 * does not have itself is left out by it. */
static const char strict_kex[] = "curve25519-sha256,curve25519-sha256@libssh.org,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512";
static const char strict_keys[] = "ssh-ed25519,rsa-sha2-512,rsa-sha2-256";
static const char strict_hmacs[] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";
static const char legacy_kex[] =
  "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group18-sha512,"
  "diffie-hellman-group16-sha512,diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256,diffie-hellman-group14-sha1,"
  "diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1";
static const char legacy_keys[] = "ssh-ed25519,ecdsa-sha2-nistp521,ecdsa-sha2-nistp384,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-rsa";
/* AES in Galois/Counter Mode costs a quarter of ChaCha20 where the processor has instructions for it, and more where it has none. */
static const char gcm_first[] = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com";
static const char gcm_last[] = "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com";
static const char counter_ciphers[] = "aes256-ctr,aes192-ctr,aes128-ctr";
static const char legacy_ciphers[] = "aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc";
static const char legacy_hmacs[] =
  "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1-etm@openssh.com,hmac-sha1";

typedef struct {
  enum ssh_options_e option;
  const void *value;
} Option;

static bool set_all(ssh_session session, const Option *options, size_t n, GError **error) {
  for (size_t i = 0; i < n; i++) {
    if (options[i].value && ssh_options_set(session, options[i].option, options[i].value) < 0) {
      g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "libssh does not take a setting of this storage: %s", ssh_get_error(session));
      return false;
    }
  }
  return true;
}

static bool processor_has_aes(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
  return getauxval(AT_HWCAP) & HWCAP_AES && getauxval(AT_HWCAP) & HWCAP_PMULL;
#else
  return false;
#endif
}

static bool set_ciphers(ssh_session session, PxSshAlgorithms algorithms, GError **error) {
  g_autoptr(GString) ciphers = g_string_new(processor_has_aes() ? gcm_first : gcm_last);
  if (algorithms != PX_SSH_STRICT)
    g_string_append_printf(ciphers, ",%s", counter_ciphers);
  if (algorithms == PX_SSH_LEGACY)
    g_string_append_printf(ciphers, ",%s", legacy_ciphers);
  const Option options[] = {{SSH_OPTIONS_CIPHERS_C_S, ciphers->str}, {SSH_OPTIONS_CIPHERS_S_C, ciphers->str}};
  return set_all(session, options, G_N_ELEMENTS(options), error);
}

static bool set_algorithms(ssh_session session, PxSshAlgorithms algorithms, GError **error) {
  bool strict = algorithms == PX_SSH_STRICT;
  if (!set_ciphers(session, algorithms, error))
    return false;
  if (algorithms == PX_SSH_DEFAULT)
    return true;
  const Option options[] = {
    {SSH_OPTIONS_KEY_EXCHANGE, strict ? strict_kex : legacy_kex},
    {SSH_OPTIONS_HOSTKEYS, strict ? strict_keys : legacy_keys},
    {SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, strict ? strict_keys : legacy_keys},
    {SSH_OPTIONS_HMAC_C_S, strict ? strict_hmacs : legacy_hmacs},
    {SSH_OPTIONS_HMAC_S_C, strict ? strict_hmacs : legacy_hmacs},
  };
  return set_all(session, options, G_N_ELEMENTS(options), error);
}

static bool is_pinned(const PxSshSettings *settings) {
  return settings->host_key && strcmp(settings->host_key[0], ACCEPT_NEW) != 0;
}

/* The types of the pinned keys, so that the server shows one of these and not its favourite; NULL: a fingerprint stands alone. */
static char *pinned_types(const PxSshSettings *settings) {
  g_autoptr(GString) types = g_string_new(NULL);
  for (char **key = settings->host_key; *key; key++) {
    const char *blank = strchr(*key, ' ');
    if (!blank)
      return NULL;
    g_autofree char *type = g_strndup(*key, (size_t)(blank - *key));
    g_string_append_printf(types, "%s%s", types->len ? "," : "", strcmp(type, "ssh-rsa") == 0 ? "rsa-sha2-512,rsa-sha2-256" : type);
  }
  return g_string_free(g_steal_pointer(&types), FALSE);
}

bool px_ssh_set_options(PxSshSession *session, const PxSshSettings *settings, int fd, GError **error) {
  const unsigned port = (unsigned)settings->port;
  const int yes = 1;
  const int quiet = SSH_LOG_NOLOG;
  const bool no_config = false;
  g_autofree char *types = is_pinned(settings) ? pinned_types(settings) : NULL;
  const Option options[] = {
    {SSH_OPTIONS_LOG_VERBOSITY, &quiet},
    {SSH_OPTIONS_PROCESS_CONFIG, &no_config}, /* what stands in ~/.ssh/config is not what this configuration says */
    {SSH_OPTIONS_HOST, settings->host},
    {SSH_OPTIONS_PORT, &port},
    {SSH_OPTIONS_USER, settings->user},
    {SSH_OPTIONS_FD, &fd},
    {SSH_OPTIONS_NODELAY, &yes},
    {SSH_OPTIONS_COMPRESSION, "no"},
    {SSH_OPTIONS_KNOWNHOSTS, is_pinned(settings) ? "/dev/null" : settings->known_hosts},
    {SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null"},
    {SSH_OPTIONS_HOSTKEYS, types},
  };
  return set_algorithms(session, (PxSshAlgorithms)settings->algorithms, error) && set_all(session, options, G_N_ELEMENTS(options), error);
}

/* ---- the key */

char *px_ssh_host_key_text(PxSshSession *session) {
  ssh_key key = NULL;
  unsigned char *hash = NULL;
  size_t len = 0;
  char *text = NULL;
  if (ssh_get_server_publickey(session, &key) != SSH_OK)
    return NULL;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len) == 0) {
    char *fingerprint = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
    text = fingerprint ? g_strdup_printf("%s %s", ssh_key_type_to_char(ssh_key_type(key)), fingerprint) : NULL;
    ssh_string_free_char(fingerprint);
    ssh_clean_pubkey_hash(&hash);
  }
  ssh_key_free(key);
  return text;
}

/* shown: "TYPE SHA256:..."; pinned: the same, or without the type. */
static bool is_same_key(const char *pinned, const char *shown) {
  return strcmp(pinned, strchr(pinned, ' ') ? shown : strstr(shown, FINGERPRINT)) == 0;
}

static bool check_pinned(const PxSshSettings *settings, const char *shown, GError **error) {
  for (char **pinned = settings->host_key; *pinned; pinned++) {
    if (is_same_key(*pinned, shown))
      return true;
  }
  g_autofree char *all = g_strjoinv(", ", settings->host_key);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
              "the server shows the key %s, but \"host_key\" is %s: somebody may be in between, or it has a new key; nothing was sent to it. Ask the "
              "partner, and only if the key is theirs write it as \"host_key\"",
              shown, all);
  return false;
}

static bool accept_new(PxSshSession *session, const PxSshSettings *settings, GError **error) {
  if (ssh_session_update_known_hosts(session) == SSH_OK)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "the server's key cannot be written to %s: %s; make that file writable", settings->known_hosts,
              ssh_get_error(session));
  return false;
}

static bool is_unknown(const PxSshSettings *settings, const char *shown, GError **error) {
  g_autofree char *ask =
    g_strdup_printf("ssh-keyscan -p %" G_GUINT64_FORMAT " %s >> %s", (guint64)settings->port, settings->host, settings->known_hosts);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
              "the server's key %s is not in %s. Compare it with what the partner says; if it is theirs, write host_key: \"%s\", or trust it "
              "(pattimpex storage trust, or %s)",
              shown, settings->known_hosts, shown, ask);
  return false;
}

static bool has_changed(const PxSshSettings *settings, const char *shown, GError **error) {
  g_set_error(
    error, PX_ERROR, PX_ERROR_CONFIG,
    "the server shows the key %s, which is not the one of %s: somebody may be in between, or it has a new key; nothing was sent to it. Ask the "
    "partner, and only if the key is theirs replace it: ssh-keygen -R \"[%s]:%" G_GUINT64_FORMAT "\" -f %s, then add the new one",
    shown, settings->known_hosts, settings->host, (guint64)settings->port, settings->known_hosts);
  return false;
}

bool px_ssh_ask_host_key(PxSshSession *session, const PxSshSettings *settings, bool trust, bool *ret_known, GError **error) {
  g_autoptr(GError) problem = NULL;
  enum ssh_known_hosts_e found = is_pinned(settings) ? SSH_KNOWN_HOSTS_OK : ssh_session_is_known_server(session);
  *ret_known = found == SSH_KNOWN_HOSTS_OK;
  if (found == SSH_KNOWN_HOSTS_UNKNOWN || found == SSH_KNOWN_HOSTS_NOT_FOUND)
    return !trust || accept_new(session, settings, error);
  return px_ssh_check_host_key(session, settings, error);
}

bool px_ssh_check_host_key(PxSshSession *session, const PxSshSettings *settings, GError **error) {
  g_autofree char *shown = px_ssh_host_key_text(session);
  if (!shown) {
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "the server has shown no key");
    return false;
  }
  if (is_pinned(settings))
    return check_pinned(settings, shown, error);
  switch (ssh_session_is_known_server(session)) {
  case SSH_KNOWN_HOSTS_OK:
    return true;
  case SSH_KNOWN_HOSTS_CHANGED:
  case SSH_KNOWN_HOSTS_OTHER:
    return has_changed(settings, shown, error);
  case SSH_KNOWN_HOSTS_UNKNOWN:
  case SSH_KNOWN_HOSTS_NOT_FOUND:
    return settings->host_key ? accept_new(session, settings, error) : is_unknown(settings, shown, error);
  case SSH_KNOWN_HOSTS_ERROR:
    break;
  }
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "%s cannot be read: %s", settings->known_hosts, ssh_get_error(session));
  return false;
}
