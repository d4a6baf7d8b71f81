/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors are AWS's: the examples of the S3 API reference (24 May 2013), and of the Signature Version 4 test suite (30 August 2015). */
#include "storage/s3_sign_private.h"

#include "test_storage.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static PxS3Keys example = {.access_key = (char *)(uintptr_t) "AKIAIOSFODNN7EXAMPLE",
                           .secret_key = (char *)(uintptr_t) "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
static PxS3Keys suite = {.access_key = (char *)(uintptr_t) "AKIDEXAMPLE",
                         .secret_key = (char *)(uintptr_t) "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

/* What it is that is signed stands in the message where the signature is another. */
static void assert_signature(const PxS3Request *request, const PxS3Signer *signer, const char *payload, const char *expected) {
  g_autofree char *authorization = px_s3_authorization(request, signer, payload);
  g_autofree char *canonical = px_s3_canonical_request(request, payload);
  if (!g_str_has_suffix(authorization, expected))
    g_error("%s\n%s", authorization, canonical);
  g_date_time_unref(signer->now);
}

typedef struct {
  const char *method, *path;
  const char *query[4], *headers[6]; /* names and values */
  const char *payload, *signature;
} Vector;

static PxS3Request *request_of(const Vector *vector, const char *host) {
  PxS3Request *request = px_s3_request_new(vector->method, host, vector->path);
  for (size_t i = 0; i < G_N_ELEMENTS(vector->query) && vector->query[i]; i += 2)
    px_s3_request_query(request, vector->query[i], vector->query[i + 1]);
  for (size_t i = 0; i < G_N_ELEMENTS(vector->headers) && vector->headers[i]; i += 2)
    px_s3_request_header(request, vector->headers[i], vector->headers[i + 1]);
  return request;
}

static void s3_examples(void) {
  static const Vector vectors[] = {
    {"GET", "/test.txt", {NULL}, {"range", "bytes=0-9"}, EMPTY, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT",
     "/test$file.text",
     {NULL},
     {"date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class", "REDUCED_REDUNDANCY"},
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET", "/", {"lifecycle", ""}, {NULL}, EMPTY, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET", "/", {"prefix", "J", "max-keys", "2"}, {NULL}, EMPTY, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
    g_autoptr(PxS3Request) request = request_of(&vectors[i], "examplebucket.s3.amazonaws.com");
    const PxS3Signer signer = {.keys = &example, .region = "us-east-1", .service = "s3", .now = g_date_time_new_utc(2013, 5, 24, 0, 0, 0)};
    px_s3_sign(request, &signer, vectors[i].payload);
    px_s3_sign(request, &signer, vectors[i].payload); /* another try of the same */
    assert_signature(request, &signer, vectors[i].payload, vectors[i].signature);
  }
}

static void suite_examples(void) {
  static const Vector vectors[] = {
    {"GET", "/", {NULL}, {NULL}, EMPTY, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"POST", "/", {NULL}, {NULL}, EMPTY, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"GET", "/", {"Param2", "value2", "Param1", "value1"}, {NULL}, EMPTY, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"GET", "/", {"Param1", "value1"}, {NULL}, EMPTY, "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"GET", "/\xe1\x88\xb4", {NULL}, {NULL}, EMPTY, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"GET",
     "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     {NULL},
     {NULL},
     EMPTY,
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"GET",
     "/",
     {"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
     {NULL},
     EMPTY,
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"GET",
     "/",
     {NULL},
     {"my-header1", " value1", "my-header2", " \"a   b   c\""},
     EMPTY,
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
    g_autoptr(PxS3Request) request = request_of(&vectors[i], "example.amazonaws.com");
    const PxS3Signer signer = {.keys = &suite, .region = "us-east-1", .service = "service", .now = g_date_time_new_utc(2015, 8, 30, 12, 36, 0)};
    px_s3_request_header(request, "x-amz-date", "20150830T123600Z");
    assert_signature(request, &signer, vectors[i].payload, vectors[i].signature);
  }
}

static void names(void) {
  static const char *const paths[][2] = {
    {"/b/with blank.csv", "/b/with%20blank.csv"},
    {"/b/a+b%c.csv", "/b/a%2Bb%25c.csv"},
    {"/b/Größe/é.csv", "/b/Gr%C3%B6%C3%9Fe/%C3%A9.csv"},
    {"/b/..a/.b~c_d-e", "/b/..a/.b~c_d-e"},
    {"/b/quote'\"$&=;:,@!*()?#[]\\", "/b/quote%27%22%24%26%3D%3B%3A%2C%40%21%2A%28%29%3F%23%5B%5D%5C"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(PxS3Request) request = px_s3_request_new("GET", "h", paths[i][0]);
    g_autofree char *target = px_s3_request_target(request);
    g_assert_cmpstr(target, ==, paths[i][1]);
  }
  g_autoptr(PxS3Request) request = px_s3_request_new("GET", "h", "/b");
  px_s3_request_query(request, "prefix", "a b/+");
  px_s3_request_query(request, "left out", NULL);
  px_s3_request_query(request, "delimiter", "/");
  px_s3_request_query(request, "uploads", "");
  g_autofree char *target = px_s3_request_target(request);
  g_assert_cmpstr(target, ==, "/b?delimiter=%2F&prefix=a%20b%2F%2B&uploads=");
}

static void session(void) {
  PxS3Keys keys = {.access_key = g_strdup("A"), .secret_key = g_strdup("S"), .token = g_strdup("T")};
  g_autoptr(GDateTime) now = g_date_time_new_utc(2026, 1, 2, 3, 4, 5);
  const PxS3Signer signer = {.keys = &keys, .region = "r", .service = "s3", .now = now};
  g_autoptr(PxS3Request) request = px_s3_request_new("GET", "h", "/b");
  px_s3_sign(request, &signer, EMPTY);
  const PxS3Pair *last = &g_array_index(request->headers, PxS3Pair, request->headers->len - 1);
  g_assert_cmpuint(request->headers->len, ==, 4);
  g_assert_cmpstr(last->name, ==, "authorization");
  g_assert_true(g_str_has_prefix(last->value, "AWS4-HMAC-SHA256 Credential=A/20260102/r/s3/aws4_request,"
                                              "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,Signature="));
  px_s3_keys_clear(&keys);
  g_assert_null(keys.secret_key);
}

void add_s3_sign_tests(void) {
  g_test_add_func("/storage/s3/sign/examples_of_s3", s3_examples);
  g_test_add_func("/storage/s3/sign/examples_of_the_suite", suite_examples);
  g_test_add_func("/storage/s3/sign/names", names);
  g_test_add_func("/storage/s3/sign/session", session);
}
