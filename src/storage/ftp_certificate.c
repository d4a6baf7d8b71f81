/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of a server: which key it has, and whether that key is known. A file has a line "HOST:PORT SHA256:..." for each that was trusted by
 * hand; whoever signed the certificate does not matter then. */
#include "storage/ftp_private.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the file */

static char *name_of(const PxFtpSettings *settings) {
  return g_strdup_printf("%s:%u", settings->host, px_ftp_port(settings));
}

bool px_ftp_known_certificates(const PxFtpSettings *settings, char ***ret_known, GError **error) {
  g_autofree char *text = NULL;
  g_autofree char *name = name_of(settings);
  g_autoptr(GError) problem = NULL;
  g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
  *ret_known = NULL;
  if (!g_file_get_contents(settings->known_certificates, &text, NULL, &problem)) {
    if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      return true;
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "known_certificates cannot be read: %s", problem->message);
    return false;
  }
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++) {
    const char *key = strchr(*line, ' ');
    if (key && (size_t)(key - *line) == strlen(name) && g_ascii_strncasecmp(*line, name, strlen(name)) == 0 && g_str_has_prefix(key + 1, "SHA256:"))
      g_ptr_array_add(known, g_strchomp(g_strdup(key + 1)));
  }
  if (known->len == 0)
    return true;
  g_ptr_array_add(known, NULL);
  *ret_known = (char **)g_ptr_array_free(g_steal_pointer(&known), FALSE);
  return true;
}

static bool write_down(const PxFtpSettings *settings, const char *key, GError **error) {
  g_autofree char *name = name_of(settings);
  g_autofree char *line = g_strdup_printf("%s %s\n", name, key);
  g_autofree char *folder = g_path_get_dirname(settings->known_certificates);
  PX_AUTO_FD fd = -1;
  if (g_mkdir_with_parents(folder, 0700) == 0)
    fd = open(settings->known_certificates, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line))
    return px_bytes_sync(fd, error);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "the certificate cannot be written to %s: %s", settings->known_certificates, g_strerror(errno));
  return false;
}

/* ---- the certificate */

/* SHA256: and what a pin has: the hash of the public key, so that a certificate that is renewed with its key stays known. Caller frees. */
static char *key_of(const char *pem) {
  BIO *bio = BIO_new_mem_buf(pem, -1);
  X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  unsigned char *bytes = NULL;
  int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes) : -1;
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned hash_len = 0;
  char *key = NULL;
  if (len > 0 && EVP_Digest(bytes, (size_t)len, hash, &hash_len, EVP_sha256(), NULL) == 1) {
    g_autofree char *text = g_base64_encode(hash, hash_len);
    text[strcspn(text, "=")] = 0;
    key = g_strconcat("SHA256:", text, NULL);
  }
  OPENSSL_free(bytes);
  X509_free(certificate);
  BIO_free(bio);
  return key;
}

/* Shakes hands as somebody that no server knows. *ret_key NULL: it came to no certificate. */
static CURLcode shake_hands(PxFtp *ftp, char **ret_key, GError **error) {
  struct curl_certinfo *found = NULL;
  *ret_key = NULL;
  px_ftp_begin(ftp);
  CURL *curl = px_ftp_request(ftp, NULL);
  curl_easy_setopt(curl, CURLOPT_USERNAME, "anonymous");
  curl_easy_setopt(curl, CURLOPT_PASSWORD, "");
  curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  (void)!px_exchange_perform(px_ftp_exchange(ftp), NULL, 0, error);
  if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &found) == CURLE_OK && found && found->num_of_certs > 0) {
    for (const struct curl_slist *line = found->certinfo[0]; line && !*ret_key; line = line->next)
      *ret_key = g_str_has_prefix(line->data, "Cert:") ? key_of(line->data + strlen("Cert:")) : NULL;
  }
  return px_exchange_result(px_ftp_exchange(ftp));
}

/* What the settings say of it, in *ret_result; or, checked by nothing, its key. */
static bool ask(const PxFtpSettings *settings, bool is_checked, CURLcode *ret_result, char **ret_key, GError **error) {
  PxPace pace = {0};
  PxFtpSettings asked = *settings;
  g_autoptr(GError) problem = NULL;
  if (!is_checked) {
    asked.exchange.tls_verify = false;
    asked.exchange.certificate = NULL;
  }
  PxFtp *ftp = px_ftp_open(&asked, &pace);
  bool ok = px_ftp_prepare(ftp, is_checked, error);
  if (ok)
    *ret_result = shake_hands(ftp, ret_key, &problem);
  px_ftp_close(ftp);
  if (!ok || is_checked || *ret_key)
    return ok;
  if (problem)
    g_propagate_error(error, g_steal_pointer(&problem));
  else
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "the server has shown no certificate");
  return false;
}

static bool is_pinned(char **pins, const char *key) {
  for (char **pin = pins; pin && *pin; pin++) {
    if (g_str_has_prefix(*pin, key)) /* with or without "=" */
      return true;
  }
  return false;
}

bool px_ftp_certificate(const PxFtpSettings *settings, bool trust, char **ret_key, bool *ret_known, GError **error) {
  g_autofree char *key = NULL;
  g_autofree char *checked_key = NULL;
  g_auto(GStrv) known = NULL;
  CURLcode result = CURLE_OK;
  if (settings->tls == PX_FTP_NO_TLS) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "a server without TLS (tls: none) has no certificate");
    return false;
  }
  if (!ask(settings, false, &result, &key, error) || !px_ftp_known_certificates(settings, &known, error))
    return false;
  char **pins = settings->exchange.certificate ? settings->exchange.certificate : known;
  if (pins && !is_pinned(pins, key)) {
    g_autofree char *all = g_strjoinv(", ", pins);
    g_set_error(
      error, PX_ERROR, PX_ERROR_CONFIG,
      "the server shows the key %s, but %s is known: somebody may be in between, or it has a new key. Ask the partner, and only if the key is "
      "theirs correct %s",
      key, all, settings->exchange.certificate ? "\"certificate\"" : settings->known_certificates);
    return false;
  }
  *ret_known = pins != NULL;
  if (!pins && settings->exchange.tls_verify) {
    if (!ask(settings, true, &result, &checked_key, error))
      return false;
    *ret_known = checked_key && result != CURLE_PEER_FAILED_VERIFICATION && result != CURLE_SSL_CONNECT_ERROR;
  }
  if (trust && !*ret_known && !write_down(settings, key, error))
    return false;
  *ret_key = g_steal_pointer(&key);
  return true;
}
