/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A request to S3 and its signature: AWS Signature Version 4 in the Authorization header ("Authenticating Requests: Using the Authorization Header" of
 * the S3 API reference). Nothing in here sends anything. */
#include <glib.h>
#include <stdbool.h>

typedef struct {
  char *access_key;
  char *secret_key;
  char *token; /* of a session; NULL: none */
} PxS3Keys;

void px_s3_keys_clear(PxS3Keys *keys);

typedef struct {
  char *name; /* of a header: lower case */
  char *value;
} PxS3Pair;

typedef struct {
  const char *method; /* static text */
  char *host;         /* as in the header Host */
  char *path;         /* as people write it: "/bucket/with blank.csv" */
  GArray *query;      /* PxS3Pair */
  GArray *headers;    /* PxS3Pair */
} PxS3Request;

/* Both of these own copies; path begins with "/". */
PxS3Request *px_s3_request_new(const char *method, const char *host, const char *path);
void px_s3_request_free(PxS3Request *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxS3Request, px_s3_request_free)
/* A value of NULL adds nothing. */
void px_s3_request_query(PxS3Request *request, const char *name, const char *value);
void px_s3_request_header(PxS3Request *request, const char *name, const char *value);

/* Every byte but the unreserved characters of RFC 3986 2.3 as %XX; keep: one more character that stays, or 0. Caller frees. */
char *px_s3_encode(const char *text, char keep);
/* The path and, behind "?", the query as they are signed and have to be sent, so that the server sees the same bytes. Caller frees. */
char *px_s3_request_target(const PxS3Request *request);

typedef struct {
  const PxS3Keys *keys;
  const char *region;
  const char *service; /* "s3" */
  GDateTime *now;      /* UTC */
} PxS3Signer;

/* The request as it is hashed. payload: the sha256 of the body in hex. Caller frees. */
char *px_s3_canonical_request(const PxS3Request *request, const char *payload);
/* What the header Authorization has to be. All headers that the request has are signed, and host; x-amz-date must be among them. Caller frees. */
char *px_s3_authorization(const PxS3Request *request, const PxS3Signer *signer, const char *payload);
/* Adds x-amz-content-sha256, x-amz-date, x-amz-security-token and authorization. What it had of them from an earlier try is replaced. */
void px_s3_sign(PxS3Request *request, const PxS3Signer *signer, const char *payload);
