/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3_sign_private.h"

#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SHA256_BYTES 32

typedef struct {
  unsigned char bytes[SHA256_BYTES];
} Digest;

/* What is freed here was a secret. */
static void forget(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  g_free(text);
}

void px_s3_keys_clear(PxS3Keys *keys) {
  g_free(keys->access_key);
  forget(keys->secret_key);
  forget(keys->token);
  *keys = (PxS3Keys){0};
}

/* ---- requests */

static void pair_clear(void *data) {
  PxS3Pair *pair = data;
  g_free(pair->name);
  g_free(pair->value);
}

static GArray *pairs_new(void) {
  GArray *pairs = g_array_new(FALSE, FALSE, sizeof(PxS3Pair));
  g_array_set_clear_func(pairs, pair_clear);
  return pairs;
}

static void pairs_add(GArray *pairs, const char *name, const char *value) {
  PxS3Pair pair = {.name = g_strdup(name), .value = g_strdup(value)};
  g_array_append_val(pairs, pair);
}

PxS3Request *px_s3_request_new(const char *method, const char *host, const char *path) {
  PxS3Request *request = g_new0(PxS3Request, 1);
  *request = (PxS3Request){.method = method, .host = g_strdup(host), .path = g_strdup(path), .query = pairs_new(), .headers = pairs_new()};
  return request;
}

void px_s3_request_free(PxS3Request *request) {
  if (!request)
    return;
  g_free(request->host);
  g_free(request->path);
  g_array_unref(request->query);
  g_array_unref(request->headers);
  g_free(request);
}

void px_s3_request_query(PxS3Request *request, const char *name, const char *value) {
  if (value)
    pairs_add(request->query, name, value);
}

void px_s3_request_header(PxS3Request *request, const char *name, const char *value) {
  if (value)
    pairs_add(request->headers, name, value);
}

/* ---- encoding */

char *px_s3_encode(const char *text, char keep) {
  GString *encoded = g_string_sized_new(strlen(text));
  for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
    if (g_ascii_isalnum(*p) || strchr("-._~", *p) || *p == (unsigned char)keep)
      g_string_append_c(encoded, (char)*p);
    else
      g_string_append_printf(encoded, "%%%02X", *p);
  }
  return g_string_free(encoded, FALSE);
}

static int compare_pairs(const void *a, const void *b) {
  const PxS3Pair *one = a;
  const PxS3Pair *other = b;
  int order = strcmp(one->name, other->name);
  return order ? order : strcmp(one->value, other->value);
}

/* Encoded, and ordered by what they are then. */
static char *canonical_query(const PxS3Request *request) {
  g_autoptr(GArray) encoded = pairs_new();
  GString *text = g_string_new(NULL);
  for (unsigned i = 0; i < request->query->len; i++) {
    const PxS3Pair *pair = &g_array_index(request->query, PxS3Pair, i);
    PxS3Pair one = {.name = px_s3_encode(pair->name, 0), .value = px_s3_encode(pair->value, 0)};
    g_array_append_val(encoded, one);
  }
  g_array_sort(encoded, compare_pairs);
  for (unsigned i = 0; i < encoded->len; i++) {
    const PxS3Pair *pair = &g_array_index(encoded, PxS3Pair, i);
    g_string_append_printf(text, "%s%s=%s", i ? "&" : "", pair->name, pair->value);
  }
  return g_string_free(text, FALSE);
}

char *px_s3_request_target(const PxS3Request *request) {
  g_autofree char *path = px_s3_encode(request->path, '/');
  g_autofree char *query = canonical_query(request);
  return g_strconcat(path, *query ? "?" : "", query, NULL);
}

/* ---- the canonical request */

/* Without blanks around it, and one for many inside. */
static void append_trimmed(GString *text, const char *value) {
  bool blank = false;
  for (const char *p = value; *p; p++) {
    if (*p == ' ' || *p == '\t') {
      blank = true;
      continue;
    }
    if (blank && p > value && text->str[text->len - 1] != ':')
      g_string_append_c(text, ' ');
    blank = false;
    g_string_append_c(text, *p);
  }
}

/* The headers that are signed, ordered, with host; authorization is none of them. */
static GArray *signed_headers(const PxS3Request *request) {
  GArray *headers = pairs_new();
  pairs_add(headers, "host", request->host);
  for (unsigned i = 0; i < request->headers->len; i++) {
    const PxS3Pair *pair = &g_array_index(request->headers, PxS3Pair, i);
    if (strcmp(pair->name, "authorization") != 0)
      pairs_add(headers, pair->name, pair->value);
  }
  g_array_sort(headers, compare_pairs);
  return headers;
}

static char *header_names(const GArray *headers) {
  GString *names = g_string_new(NULL);
  for (unsigned i = 0; i < headers->len; i++)
    g_string_append_printf(names, "%s%s", i ? ";" : "", g_array_index(headers, PxS3Pair, i).name);
  return g_string_free(names, FALSE);
}

char *px_s3_canonical_request(const PxS3Request *request, const char *payload) {
  g_autoptr(GArray) headers = signed_headers(request);
  g_autofree char *path = px_s3_encode(request->path, '/');
  g_autofree char *query = canonical_query(request);
  g_autofree char *names = header_names(headers);
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "%s\n%s\n%s\n", request->method, path, query);
  for (unsigned i = 0; i < headers->len; i++) {
    const PxS3Pair *pair = &g_array_index(headers, PxS3Pair, i);
    g_string_append_printf(text, "%s:", pair->name);
    append_trimmed(text, pair->value);
    g_string_append_c(text, '\n');
  }
  g_string_append_printf(text, "\n%s\n%s", names, payload);
  return g_string_free(text, FALSE);
}

/* ---- the signature */

static Digest hmac(const void *key, size_t key_len, const char *text) {
  Digest digest;
  gsize len = sizeof digest.bytes;
  GHmac *context = g_hmac_new(G_CHECKSUM_SHA256, key, key_len);
  g_hmac_update(context, (const unsigned char *)text, -1);
  g_hmac_get_digest(context, digest.bytes, &len);
  g_hmac_unref(context);
  return digest;
}

static Digest next(const Digest *key, const char *text) {
  return hmac(key->bytes, sizeof key->bytes, text);
}

static Digest signing_key(const PxS3Signer *signer, const char *date) {
  g_autofree char *first = g_strconcat("AWS4", signer->keys->secret_key, NULL);
  Digest key = hmac(first, strlen(first), date);
  explicit_bzero(first, strlen(first));
  key = next(&key, signer->region);
  key = next(&key, signer->service);
  return next(&key, "aws4_request");
}

char *px_s3_authorization(const PxS3Request *request, const PxS3Signer *signer, const char *payload) {
  g_autofree char *canonical = px_s3_canonical_request(request, payload);
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, canonical, -1);
  g_autofree char *date = g_date_time_format(signer->now, "%Y%m%d");
  g_autofree char *time = g_date_time_format(signer->now, "%Y%m%dT%H%M%SZ");
  g_autofree char *scope = g_strdup_printf("%s/%s/%s/aws4_request", date, signer->region, signer->service);
  g_autofree char *to_sign = g_strdup_printf(ALGORITHM "\n%s\n%s\n%s", time, scope, hash);
  g_autoptr(GArray) headers = signed_headers(request);
  g_autofree char *names = header_names(headers);
  Digest key = signing_key(signer, date);
  Digest signature = next(&key, to_sign);
  explicit_bzero(&key, sizeof key);
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, ALGORITHM " Credential=%s/%s,SignedHeaders=%s,Signature=", signer->keys->access_key, scope, names);
  for (size_t i = 0; i < sizeof signature.bytes; i++)
    g_string_append_printf(text, "%02x", signature.bytes[i]);
  return g_string_free(text, FALSE);
}

static void set_header(PxS3Request *request, const char *name, const char *value) {
  for (unsigned i = request->headers->len; i-- > 0;) {
    if (strcmp(g_array_index(request->headers, PxS3Pair, i).name, name) == 0)
      g_array_remove_index(request->headers, i);
  }
  px_s3_request_header(request, name, value);
}

void px_s3_sign(PxS3Request *request, const PxS3Signer *signer, const char *payload) {
  g_autofree char *time = g_date_time_format(signer->now, "%Y%m%dT%H%M%SZ");
  set_header(request, "x-amz-content-sha256", payload);
  set_header(request, "x-amz-date", time);
  set_header(request, "x-amz-security-token", signer->keys->token);
  g_autofree char *authorization = px_s3_authorization(request, signer, payload);
  set_header(request, "authorization", authorization);
}
