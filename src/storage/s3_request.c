/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3_private.h"

#include <string.h>

#define TRIES 3u
#define FIRST_WAIT (100 * G_TIME_SPAN_MILLISECOND)
#define MOST_ANSWERED (16u * 1024 * 1024) /* bytes; a page of a thousand keys of 1024 bytes, each as %XX, has less */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void px_s3_answer_clear(PxS3Answer *answer) {
  if (answer->body)
    g_string_free(answer->body, TRUE);
  g_free(answer->code);
  *answer = (PxS3Answer){0};
}

void px_s3_done(PxS3 *s3) {
  px_s3_hang_up(s3);
  px_exchange_close(s3->exchange);
  px_s3_credentials_clear(&s3->credentials);
}

static const char *host_of(const PxS3Settings *settings) {
  return strstr(settings->endpoint, "://") + 3;
}

PxS3Request *px_s3_request(const PxS3 *s3, const char *method, const char *key) {
  const PxS3Settings *settings = s3->settings;
  bool by_host = settings->addressing == PX_S3_ADDRESS_HOST;
  g_autofree char *host = g_strconcat(by_host ? settings->bucket : "", by_host ? "." : "", host_of(settings), NULL);
  g_autofree char *path = g_strconcat("/", by_host ? "" : settings->bucket, by_host || !key ? "" : "/", key ? key : "", NULL);
  return px_s3_request_new(method, host, path);
}

const char *px_s3_header(const PxS3 *s3, const char *name) {
  return s3->exchange ? px_exchange_header(s3->exchange, name) : NULL;
}

/* ---- one try */

static bool has_header(const PxS3Request *request, const char *name) {
  for (unsigned i = 0; i < request->headers->len; i++) {
    if (strcmp(g_array_index(request->headers, PxS3Pair, i).name, name) == 0)
      return true;
  }
  return false;
}

/* libcurl would add a type of its own to what it takes for a form. */
static PxHeaders *headers_of(const PxS3Request *request) {
  PxHeaders *headers = NULL;
  for (unsigned i = 0; i < request->headers->len; i++) {
    const PxS3Pair *pair = &g_array_index(request->headers, PxS3Pair, i);
    px_curl_add_header(&headers, "%s: %s", pair->name, pair->value);
  }
  if (!has_header(request, "content-type"))
    px_curl_add_header(&headers, "Content-Type:");
  return headers;
}

static void set_method(PxS3 *s3, CURL *curl, const PxS3Request *request, const PxS3Body *body) {
  bool is_get = strcmp(request->method, "GET") == 0;
  if (body && !body->text)
    px_exchange_upload(s3->exchange, body->fd, body->offset, body->length);
  else if (strcmp(request->method, "HEAD") == 0)
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  else if (!is_get) {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (strcmp(request->method, "DELETE") != 0) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? body->text : "");
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(body ? strlen(body->text) : 0));
    }
  }
}

static bool connect_to(PxS3 *s3, GError **error) {
  const PxS3Settings *settings = s3->settings;
  if (!s3->exchange)
    s3->exchange = px_exchange_open(&settings->exchange, s3->pace, "http,https", host_of(settings), error);
  return s3->exchange && px_s3_credentials_find(&s3->credentials, settings, error);
}

/* An answer that is no success is read to its end. keep: one that is, is not. */
static bool read_answer(PxS3 *s3, bool keep, PxS3Answer *ret, GError **error) {
  g_autofree char *piece = NULL;
  ssize_t got;
  *ret = (PxS3Answer){.status = px_exchange_status(s3->exchange), .body = g_string_new(NULL)};
  bool is_success = ret->status >= 200 && ret->status < 300;
  if (keep && is_success)
    return true;
  piece = g_malloc(65536);
  while ((got = px_exchange_read(s3->exchange, piece, 65536, error)) > 0) {
    if (ret->body->len + (size_t)got > MOST_ANSWERED) {
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the answer is longer than %u bytes", host_of(s3->settings), MOST_ANSWERED);
      got = -1;
      break;
    }
    g_string_append_len(ret->body, piece, got);
  }
  px_exchange_end(s3->exchange);
  if (got == 0 && !is_success)
    ret->code = px_s3_read_element(ret->body->str, ret->body->len, "Code");
  return got == 0;
}

static bool try(PxS3 *s3, PxS3Request *request, const PxS3Body *body, bool keep, PxS3Answer *ret, GError **error) {
  const PxS3Settings *settings = s3->settings;
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  if (!connect_to(s3, error))
    return false;
  const PxS3Signer signer = {.keys = &s3->credentials.keys, .region = settings->region, .service = "s3", .now = now};
  if (signer.keys->access_key)
    px_s3_sign(request, &signer, body ? body->sha256 : EMPTY_SHA256);
  g_autofree char *target = px_s3_request_target(request);
  size_t scheme = (size_t)(host_of(settings) - settings->endpoint);
  g_autofree char *url = g_strdup_printf("%.*s%s%s", (int)scheme, settings->endpoint, request->host, target);
  g_autoptr(PxHeaders) headers = headers_of(request);
  CURL *curl = px_exchange_new(s3->exchange, url);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  set_method(s3, curl, request, body);
  bool ok = px_exchange_start(s3->exchange, error) && read_answer(s3, keep, ret, error);
  if (!ok)
    px_exchange_end(s3->exchange);
  return ok;
}

/* ---- several of them */

/* Where the answer to a write got lost, the write may have happened, and the next one would find its own file in the way. */
static bool may_repeat(const PxS3Request *request) {
  return strcmp(request->method, "POST") != 0 && !has_header(request, "if-none-match");
}

/* A server that is silent has had all the time that the settings give it. */
static bool is_lost(const PxS3 *s3, const GError *problem) {
  return g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT) && s3->exchange && px_exchange_silence(s3->exchange) < s3->settings->exchange.timeout;
}

static bool is_expired(const PxS3 *s3, const PxS3Answer *answer) {
  return answer->code && strcmp(answer->code, "ExpiredToken") == 0 && s3->credentials.expires_s != 0;
}

static bool call(PxS3 *s3, PxS3Request *request, const PxS3Body *body, bool keep, PxS3Answer *ret, GError **error) {
  for (unsigned n = 1;; n++) {
    g_autoptr(GError) problem = NULL;
    px_s3_answer_clear(ret);
    bool answered = try(s3, request, body, keep, ret, &problem);
    bool again = answered ? px_s3_is_passing(ret) || is_expired(s3, ret) : is_lost(s3, problem) && may_repeat(request);
    if (again && n < TRIES) {
      if (answered && is_expired(s3, ret))
        px_s3_credentials_clear(&s3->credentials);
      g_usleep(FIRST_WAIT << (n - 1));
      continue;
    }
    s3->lacks_bucket = answered && ret->code && strcmp(ret->code, "NoSuchBucket") == 0;
    if (!answered) {
      px_s3_answer_clear(ret);
      g_propagate_error(error, g_steal_pointer(&problem));
    }
    return answered;
  }
}

bool px_s3_call(PxS3 *s3, PxS3Request *request, const PxS3Body *body, PxS3Answer *ret, GError **error) {
  return call(s3, request, body, false, ret, error);
}

bool px_s3_start(PxS3 *s3, PxS3Request *request, PxS3Answer *ret, GError **error) {
  return call(s3, request, NULL, true, ret, error);
}

void px_s3_look_for_error(PxS3Answer *answer) {
  g_autofree char *root = answer->status == 200 ? px_s3_read_root(answer->body->str, answer->body->len) : NULL;
  if (!root || strcmp(root, "Error") != 0)
    return;
  answer->status = 500;
  g_free(answer->code);
  answer->code = px_s3_read_element(answer->body->str, answer->body->len, "Code");
}
