/* SPDX-License-Identifier: Apache-2.0 */
#include "report/transfer_private.h"

#include "base/error.h"

#include <string.h>

#define CONNECT_TIMEOUT (10 * G_TIME_SPAN_SECOND)

static size_t drop(char *bytes, size_t size, size_t n, void *data) {
  return size * n;
}

CURL *px_transfer_new(const char *url, const char *protocols, const char *ca_file, int64_t timeout, GError **error) {
  static gsize initialised;
  if (g_once_init_enter(&initialised))
    g_once_init_leave(&initialised, curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
  CURL *curl = initialised == 1 ? curl_easy_init() : NULL;
  if (!curl) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcurl does not start");
    return NULL;
  }
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(MIN(timeout, CONNECT_TIMEOUT) / 1000));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout / 1000));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (ca_file)
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
  return curl;
}

void px_transfer_header(PxHeaders **headers, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *header = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  *headers = curl_slist_append(*headers, header);
  g_assert(*headers);
}

char *px_transfer_host(const char *url) {
  const char *host = strstr(url, "://");
  host = host ? host + 3 : url;
  return g_strndup(host, strcspn(host, "/?#"));
}

/* Whether the same may work another time: the network, and servers that are busy. */
static PxError code_of(CURLcode result, long status) {
  switch (result) {
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_USE_SSL_FAILED:
  case CURLE_URL_MALFORMAT:
    return PX_ERROR_CONFIG;
  case CURLE_LOGIN_DENIED:
    return status >= 400 && status < 500 ? PX_ERROR_TRANSIENT : PX_ERROR_CONFIG;
  case CURLE_ABORTED_BY_CALLBACK:
    return PX_ERROR_STOPPED;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_OPERATION_TIMEDOUT:
    return PX_ERROR_UNREACHABLE;
  default:
    return status >= 500 && status < 600 ? PX_ERROR_REFUSED : PX_ERROR_TRANSIENT;
  }
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
