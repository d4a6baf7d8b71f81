/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What mail.c and webhook.c share of libcurl. */
#include "base/curl.h"

#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(curl_mime, curl_mime_free)

/* A handle that checks certificates, speaks only these protocols, and gives up in time; protocols as CURLOPT_PROTOCOLS_STR has them. NULL: out of
 * memory. */
CURL *px_transfer_new(const char *url, const char *protocols, const char *ca_file, int64_t timeout, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Transfers; what it says of a failure begins with "WHAT HOST: ". The host is that of url, nothing else of it is told. *ret_status is the server's last
 * answer, 0: none. PX_ERROR_STOPPED within a second or so when *stop is not 0. */
bool px_transfer_run(CURL *curl, const char *what, const char *url, const volatile sig_atomic_t *stop, long *ret_status, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* "HOST:PORT" of an address. Caller frees. */
char *px_transfer_host(const char *url);
