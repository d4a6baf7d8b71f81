/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/ftp_private.h"

#include <string.h>

#define FINGERPRINT "SHA256:"
#define CONNECTIONS 4
#define MOST_CONNECTIONS 16
#define FINGERPRINT_CHARS 43 /* 32 bytes in base64 without its padding */

static const char *const tls_words[] = {[PX_FTP_EXPLICIT] = "explicit", [PX_FTP_IMPLICIT] = "implicit", [PX_FTP_NO_TLS] = "none", NULL};

#define AT(member) offsetof(PxFtpSettings, member)

const PxKey px_ftp_keys[16] = {
  {.name = "host", .type = PX_KEY_STRING, .offset = AT(host), .required = true},
  {.name = "port", .type = PX_KEY_UNSIGNED, .offset = AT(port), .min = 1, .max = 65535},
  {.name = "user", .type = PX_KEY_STRING, .offset = AT(user), .required = true},
  {.name = "password", .type = PX_KEY_STRING, .offset = AT(password)},
  {.name = "tls", .type = PX_KEY_CHOICE, .offset = AT(tls), .choices = tls_words},
  {.name = "active", .type = PX_KEY_BOOLEAN, .offset = AT(active)},
  {.name = "active_address", .type = PX_KEY_STRING, .offset = AT(active_address)},
  {.name = "certificate", .type = PX_KEY_STRINGS, .offset = AT(exchange.certificate)},
  {.name = "known_certificates", .type = PX_KEY_STRING, .offset = AT(known_certificates)},
  {.name = "directory", .type = PX_KEY_STRING, .offset = AT(directory)},
  {.name = "connections", .type = PX_KEY_UNSIGNED, .offset = AT(connections), .min = 1, .max = MOST_CONNECTIONS},
  PX_EXCHANGE_KEYS(PxFtpSettings, exchange),
};

void px_ftp_defaults(void *data) {
  PxFtpSettings *settings = data;
  px_exchange_defaults(&settings->exchange);
  settings->connections = CONNECTIONS;
  /* Many servers take a data connection only where it resumes the session of the control connection; a ticket of TLS 1.3 is good for one. */
  settings->exchange.tls_not_1_3 = true;
}

unsigned px_ftp_port(const PxFtpSettings *settings) {
  if (settings->port)
    return (unsigned)settings->port;
  return settings->tls == PX_FTP_IMPLICIT ? 990 : 21;
}

/* What goes into a command must not become two. */
static void check_line(const char *text, const char *key, const PxConfigNode *node, PxComplaints *complaints) {
  for (const char *c = text; c && *c; c++) {
    if (g_ascii_iscntrl(*c)) {
      px_complain(complaints, px_node_get(node, key), "%s: it has a control character (a line end?) in it", key);
      return;
    }
  }
}

static void check_certificates(char **certificates, const PxConfigNode *node, PxComplaints *complaints) {
  for (char **pin = certificates; pin && *pin; pin++) {
    size_t len = strlen(*pin);
    if (!g_str_has_prefix(*pin, FINGERPRINT) || len < strlen(FINGERPRINT) + FINGERPRINT_CHARS || len > strlen(FINGERPRINT) + FINGERPRINT_CHARS + 1)
      px_complain(complaints, px_node_get(node, "certificate"),
                  "certificate: \"%s\" is no fingerprint: write SHA256:... as pattimpex storage trust shows it", *pin);
  }
}

/* https://github.com/curl/curl/issues/10666 */
static bool sends_in_clear(void) {
  unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  return version >= 0x075700 && version <= 0x075801;
}

static void check_tls(const PxFtpSettings *settings, const PxConfigNode *node, PxComplaints *complaints) {
  static const char *const of_tls[] = {"ca_file", "tls_min", "tls_verify", "certificate", "known_certificates"};
  if (settings->tls != PX_FTP_NO_TLS && settings->active && sends_in_clear())
    px_complain(complaints, px_node_get(node, "active"),
                "active: the libcurl of this system (%s) would send files in clear: write tls: none, or leave out active",
                curl_version_info(CURLVERSION_NOW)->version);
  if (settings->tls != PX_FTP_NO_TLS) {
    check_certificates(settings->exchange.certificate, node, complaints);
    return;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(of_tls); i++) {
    if (px_node_get(node, of_tls[i]))
      px_complain(complaints, px_node_get(node, of_tls[i]), "%s: has no meaning with tls: none", of_tls[i]);
  }
  if (settings->password)
    px_warn(complaints, px_node_get(node, "tls"), "tls: none: the password and all files cross the network in clear");
}

void px_ftp_check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints) {
  PxFtpSettings *settings = data;
  g_autofree char *known = settings->known_certificates;
  settings->known_certificates = px_config_resolve_path(config, known ? known : "~/.config/pattimpex/known_certificates");
  if (!settings->directory)
    settings->directory = g_strdup("");
  if (settings->host && (!*settings->host || strpbrk(settings->host, "@/ ")))
    px_complain(complaints, px_node_get(node, "host"),
                "host: a name or an address alone; what else there is has keys of its own: user, port, directory");
  if (settings->user && !*settings->user)
    px_complain(complaints, px_node_get(node, "user"), "user: must not be empty");
  check_line(settings->host, "host", node, complaints);
  check_line(settings->user, "user", node, complaints);
  check_line(settings->password, "password", node, complaints);
  check_line(settings->directory, "directory", node, complaints);
  check_line(settings->active_address, "active_address", node, complaints);
  px_exchange_check_settings(&settings->exchange, config, node, complaints);
  check_tls(settings, node, complaints);
}

const char *px_ftp_risk(const void *data) {
  const PxFtpSettings *settings = data;
  return px_exchange_risk(&settings->exchange);
}

char *px_ftp_place(const void *data) {
  const PxFtpSettings *settings = data;
  const char *brackets = strchr(settings->host, ':') ? "[]" : "";
  g_autofree char *port = settings->port ? g_strdup_printf(":%" G_GUINT64_FORMAT, (guint64)settings->port) : g_strdup("");
  return g_strdup_printf("%s://%.1s%s%s%s%s%s", settings->tls == PX_FTP_NO_TLS ? "ftp" : "ftps", brackets, settings->host, *brackets ? "]" : "", port,
                         *settings->directory && *settings->directory != '/' ? "/" : "", settings->directory);
}

void px_ftp_free_settings(void *data) {
  PxFtpSettings *settings = data;
  px_exchange_clear_settings(&settings->exchange);
  g_free(settings->host);
  g_free(settings->user);
  g_free(settings->password);
  g_free(settings->active_address);
  g_free(settings->known_certificates);
  g_free(settings->directory);
}
