/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all users of libcurl share. */
#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>

typedef struct curl_slist PxHeaders;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxHeaders, curl_slist_free_all)

/* A handle; libcurl is started with the first. NULL: PX_ERROR_INTERNAL. */
CURL *px_curl_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Certificates are checked, nobody's ~/.netrc is read, only these protocols are spoken (as CURLOPT_PROTOCOLS_STR has them). */
void px_curl_set_safe(CURL *curl, const char *protocols);
void px_curl_add_header(PxHeaders **headers, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What a failure means to whoever may try again: PX_ERROR_CONFIG, _UNREACHABLE, _STOPPED, else _TRANSIENT. */
PxError px_curl_error_code(CURLcode result);
