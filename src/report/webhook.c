/* SPDX-License-Identifier: Apache-2.0 */
/* One POST to the webhook, signed. */
#include "report/notice.h"
#include "report/transfer_private.h"

#include "base/error.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* HEX of the HMAC-SHA256 of "TIMESTAMP.BODY". Caller frees. */
static char *signature(const char *secret, const char *timestamp, const char *body) {
  g_autofree char *text = g_strconcat(timestamp, ".", body, NULL);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text), digest, &len))
    return NULL;
  GString *hex = g_string_new(NULL);
  for (unsigned i = 0; i < len; i++)
    g_string_append_printf(hex, "%02x", digest[i]);
  return g_string_free(hex, FALSE);
}

static bool judge(long status, const char *url, GError **error) {
  if (status >= 200 && status < 300)
    return true;
  bool busy = status >= 500 || status == 408 || status == 425 || status == 429;
  g_autofree char *host = px_transfer_host(url);
  g_set_error(error, PX_ERROR, busy ? PX_ERROR_TRANSIENT : PX_ERROR_REFUSED, "webhook %s: answered %ld", host, status);
  return false;
}

bool px_webhook_send(const PxWebhookSettings *settings, const char *id, int64_t now, const char *body, const volatile sig_atomic_t *stop,
                     GError **error) {
  g_autofree char *timestamp = g_strdup_printf("%" G_GINT64_FORMAT, now / G_USEC_PER_SEC);
  g_autofree char *hex = signature(settings->secret, timestamp, body);
  if (!hex) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcrypto does not sign");
    return false;
  }
  g_autoptr(CURL) curl = px_transfer_new(settings->url, "http,https", settings->ca_file, settings->timeout, error);
  if (!curl)
    return false;
  g_autoptr(PxHeaders) headers = NULL;
  px_curl_add_header(&headers, "Content-Type: application/json");
  px_curl_add_header(&headers, "Pattimpex-Id: %s", id);
  px_curl_add_header(&headers, "Pattimpex-Timestamp: %s", timestamp);
  px_curl_add_header(&headers, "Pattimpex-Signature: sha256=%s", hex);
  px_curl_add_header(&headers, "Expect:"); /* libcurl would wait for a word of the server before a larger body */
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "pattimpex");
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
  long status;
  return px_transfer_run(curl, "webhook", settings->url, stop, &status, error) && judge(status, settings->url, error);
}
