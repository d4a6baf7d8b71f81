/* SPDX-License-Identifier: Apache-2.0 */
#include "report/transfer_private.h"

#include "base/error.h"

#include <string.h>

#define CONNECT_TIMEOUT (10 * G_TIME_SPAN_SECOND)

static size_t drop(char *bytes, size_t size, size_t n, void *data) {
  return size * n;
}

CURL *px_transfer_new(const char *url, const char *protocols, const char *ca_file, int64_t timeout, GError **error) {
  CURL *curl = px_curl_new(error);
  if (!curl)
    return NULL;
  px_curl_set_safe(curl, protocols);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(MIN(timeout, CONNECT_TIMEOUT) / 1000));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout / 1000));
  if (ca_file)
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
  return curl;
}

char *px_transfer_host(const char *url) {
  const char *host = strstr(url, "://");
  host = host ? host + 3 : url;
  return g_strndup(host, strcspn(host, "/?#"));
}

/* Whether the same may work another time: also with servers that are busy. */
static PxError code_of(CURLcode result, long status) {
  PxError code = px_curl_error_code(result);
  if (result == CURLE_LOGIN_DENIED && status >= 400 && status < 500)
    return PX_ERROR_TRANSIENT;
  return code == PX_ERROR_TRANSIENT && status >= 500 && status < 600 ? PX_ERROR_REFUSED : code;
}

static int look_for_stop(void *data, curl_off_t down, curl_off_t downloaded, curl_off_t up, curl_off_t uploaded) {
  return **(const volatile sig_atomic_t **)data != 0;
}

bool px_transfer_run(CURL *curl, const char *what, const char *url, const volatile sig_atomic_t *stop, long *ret_status, GError **error) {
  char words[CURL_ERROR_SIZE] = "";
  if (stop) {
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
  CURLcode result = curl_easy_perform(curl);
  *ret_status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
  if (result == CURLE_OK)
    return true;
  g_autofree char *host = px_transfer_host(url);
  g_autofree char *answer = *ret_status ? g_strdup_printf(" (it answered %ld)", *ret_status) : g_strdup("");
  g_set_error(error, PX_ERROR, (int)code_of(result, *ret_status), "%s %s: %s%s", what, host, *words ? words : curl_easy_strerror(result), answer);
  return false;
}
