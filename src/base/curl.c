/* SPDX-License-Identifier: Apache-2.0 */
#include "base/curl.h"

CURL *px_curl_new(GError **error) {
  static gsize initialised;
  if (g_once_init_enter(&initialised))
    g_once_init_leave(&initialised, curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
  CURL *curl = initialised == 1 ? curl_easy_init() : NULL;
  if (!curl)
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcurl does not start");
  return curl;
}

void px_curl_set_safe(CURL *curl, const char *protocols) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

void px_curl_add_header(PxHeaders **headers, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *header = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  *headers = curl_slist_append(*headers, header);
  g_assert(*headers);
}

PxError px_curl_error_code(CURLcode result) {
  switch (result) {
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_USE_SSL_FAILED:
  case CURLE_URL_MALFORMAT:
  case CURLE_LOGIN_DENIED:
    return PX_ERROR_CONFIG;
  case CURLE_ABORTED_BY_CALLBACK:
    return PX_ERROR_STOPPED;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_OPERATION_TIMEDOUT:
    return PX_ERROR_UNREACHABLE;
  default:
    return PX_ERROR_TRANSIENT;
  }
}
