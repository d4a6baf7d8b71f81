/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Requests to a server by libcurl, one at a time, for the drivers that speak FTP or HTTP: the connection is kept from one to the next, bytes are
 * pulled as they are wanted, and nothing waits for longer than the settings say. Errors have no address and no secret in them. */
#include "base/curl.h"
#include "storage/bytes_private.h"
#include "storage/storage_driver.h"

typedef enum { PX_TLS_1_2, PX_TLS_1_3, PX_TLS_1_1, PX_TLS_1_0 } PxTlsVersion;

typedef struct {
  char *ca_file;                    /* NULL: the system's */
  int tls_min;                      /* PxTlsVersion */
  bool tls_not_1_3;                 /* not above 1.2, unless tls_min says so; no key of its own */
  bool tls_verify;                  /* false: any certificate will do */
  char **certificate;               /* SHA256:... of the public key, any of them, instead of who signed it; NULL: not pinned */
  int64_t connect_timeout, timeout; /* microseconds: until connected (FTP: and logged in); without any progress */
} PxExchangeSettings;

/* The rows of a driver's table of keys, but for certificate; member is its PxExchangeSettings. */
#define PX_EXCHANGE_KEYS(settings, member)                                                                                                           \
  {.name = "ca_file", .type = PX_KEY_STRING, .offset = offsetof(settings, member.ca_file)},                                                          \
    {.name = "tls_min", .type = PX_KEY_CHOICE, .offset = offsetof(settings, member.tls_min), .choices = px_exchange_tls_words},                      \
    {.name = "tls_verify", .type = PX_KEY_BOOLEAN, .offset = offsetof(settings, member.tls_verify)},                                                 \
    {.name = "connect_timeout", .type = PX_KEY_DURATION, .offset = offsetof(settings, member.connect_timeout)}, {                                    \
    .name = "timeout", .type = PX_KEY_DURATION, .offset = offsetof(settings, member.timeout)                                                         \
  }
extern const char *const px_exchange_tls_words[];

void px_exchange_defaults(PxExchangeSettings *settings);
void px_exchange_check_settings(PxExchangeSettings *settings, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints);
/* As PxStorageDriver.risk has it. */
const char *px_exchange_risk(const PxExchangeSettings *settings);
void px_exchange_clear_settings(PxExchangeSettings *settings);

typedef struct PxExchange PxExchange;

/* where: how messages call the server, "host" or "host port N"; protocols as CURLOPT_PROTOCOLS_STR has them; pace is for what is
 * sent. Nothing goes out yet. settings and pace must outlive it. */
PxExchange *px_exchange_open(const PxExchangeSettings *settings, PxPace *pace, const char *protocols, const char *where, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Also hangs up. */
void px_exchange_close(PxExchange *exchange);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxExchange, px_exchange_close)

/* ---- one request: new, options of the protocol set by curl_easy_setopt() on the handle, then performed or started, read and ended */

/* The request before is ended and its options are forgotten, but not the connection. Lists handed to the handle must live until the end. */
CURL *px_exchange_new(PxExchange *exchange, const char *url);
/* It sends length bytes of fd from offset, which is read where it is wanted and stays the caller's. */
void px_exchange_upload(PxExchange *exchange, int fd, uint64_t offset, uint64_t length);
/* Until the first bytes of the answer are there, or its end; by then its status and headers are known. An answer that says no, in words of HTTP, is
 * none of these errors: PX_ERROR_UNREACHABLE: no connection; PX_ERROR_CONFIG: certificate or login; PX_ERROR_TRANSIENT: lost, or silent for too
 * long, or fewer bytes than announced, or fd cannot be read. */
bool px_exchange_start(PxExchange *exchange, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The next bytes of the answer, at most size (more than 0) of them; 0: its end, and it is whole; -1 with an error. */
ssize_t px_exchange_read(PxExchange *exchange, void *buffer, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Cancels it where it is not at its end; then the connection of FTP or HTTP/1 is closed. */
void px_exchange_end(PxExchange *exchange);
/* From another thread: what goes on, and whatever is started until this is taken back, ends with PX_ERROR_STOPPED. */
void px_exchange_stop(PxExchange *exchange, bool stop);
/* start, read all, end. The answer is added to body (NULL: dropped); PX_ERROR_TRANSIENT: it has more than most bytes. */
bool px_exchange_perform(PxExchange *exchange, GString *body, size_t most, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- what came back, until the next px_exchange_new() */

/* HTTP: the status. FTP: the last code. 0: no answer. */
long px_exchange_status(const PxExchange *exchange);
/* HTTP: the value of a header of the last answer, NULL: there is none. Borrowed. */
const char *px_exchange_header(const PxExchange *exchange, const char *name);
/* All lines as they came, without their ends: the headers of the last answer of HTTP; what an FTP server said. */
const GPtrArray *px_exchange_lines(const PxExchange *exchange);
/* Why it failed, CURLE_OK: it did not, or is still going on. */
CURLcode px_exchange_result(const PxExchange *exchange);
/* Microseconds since anything came or went. */
int64_t px_exchange_silence(const PxExchange *exchange);
