/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the type s3, and files of credentials. What servers do is in tests/flows/test_s3_faults.py. */
#include "storage/s3_private.h"

#include "test_storage.h"

static PxStorages *read_settings(const char *settings, PxComplaints *complaints) {
  g_autofree char *text = g_strdup_printf("storages: {drop: {type: s3, %s}}", settings);
  g_autoptr(PxConfig) config = px_config_parse(text, "t", NULL);
  g_assert_nonnull(config);
  return px_storages_read(config, complaints);
}

static void assert_complains(const char *settings, const char *part) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = read_settings(settings, complaints);
  g_autoptr(GError) error = NULL;
  g_test_message("%s", settings);
  assert_fails(px_complaints_to_error(complaints, &error), &error, PX_ERROR_CONFIG, part);
}

static void mistakes(void) {
  assert_complains("directory: x", "bucket");
  assert_complains("bucket: a/b", "the name of a bucket alone");
  assert_complains("bucket: ab", "3 to 63 characters");
  assert_complains("bucket: a..b", "no empty part");
  assert_complains("bucket: abc, directory: a/../b", "directory: ");
  assert_complains("bucket: abc, endpoint: s3.example.com", "must begin with https://");
  assert_complains("bucket: abc, endpoint: 'https://s3.example.com/abc'", "https://HOST or https://HOST:PORT alone");
  assert_complains("bucket: abc, endpoint: 'https://u:p@s3.example.com'", "https://HOST or https://HOST:PORT alone");
  assert_complains("bucket: abc, access_key: a", "belong together");
  assert_complains("bucket: abc, access_key: a, secret_key: b, profile: c", "says another place");
  assert_complains("bucket: abc, session_token: a", "belongs to an access_key");
  assert_complains("bucket: abc, part_size: 1MiB", "part_size: from 5MiB to 5GiB");
  assert_complains("bucket: abc, copy_limit: 6GiB", "copy_limit: from 5MiB to 5GiB");
  assert_complains("bucket: abc, acl: \"a\\r\\nb\"", "acl: has a line break");
  assert_complains("bucket: abc, kms_key: a", "kms_key: belongs to");
  assert_complains("bucket: abc, addressing: virtual", "addressing");
  assert_complains("bucket: abc, timeout: 0s", "must be more than 0");
  assert_complains("buckett: abc", "did you mean bucket?");
}

static void assert_place(const char *settings, const char *expected) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxStorages) storages = read_settings(settings, complaints);
  g_autoptr(GError) error = NULL;
  (void)px_complaints_to_error(complaints, &error);
  g_assert_no_error(error);
  g_autofree char *place = px_storages_place(storages, 0);
  g_assert_cmpstr(place, ==, expected);
}

static void places(void) {
  assert_place("bucket: abc, region: eu-west-3, directory: /a/b/", "s3://abc/a/b");
  assert_place("bucket: abc, endpoint: 'https://s3.eu-west-3.amazonaws.com/'", "s3://abc");
  assert_place("bucket: abc, endpoint: 'https://MinIO.example.com:443/', directory: /a//b/./c/", "s3://abc/a/b/c at https://minio.example.com");
  assert_place("bucket: abc, endpoint: 'http://minio.example.com:80'", "s3://abc at http://minio.example.com");
  assert_place("bucket: abc, endpoint: 'http://minio.example.com:443'", "s3://abc at http://minio.example.com:443");
  assert_place("bucket: abc, endpoint: 'https://minio.example.com:9000', directory: x", "s3://abc/x at https://minio.example.com:9000");
}

/* Where a request goes to. */
static void assert_addressed(const char *endpoint, const char *bucket, PxS3Addressing addressing, const char *host, const char *target) {
  PxS3Settings settings = {.endpoint = (char *)(uintptr_t)endpoint, .bucket = (char *)(uintptr_t)bucket, .addressing = addressing};
  const PxS3 s3 = {.settings = &settings};
  g_autoptr(PxS3Request) request = px_s3_request(&s3, "GET", "a b");
  g_autoptr(PxS3Request) of_bucket = px_s3_request(&s3, "GET", NULL);
  g_autofree char *found = px_s3_request_target(request);
  g_autofree char *bucket_found = px_s3_request_target(of_bucket);
  g_assert_cmpstr(request->host, ==, host);
  g_assert_cmpstr(found, ==, target);
  g_assert_cmpstr(bucket_found, ==, addressing == PX_S3_ADDRESS_HOST ? "/" : "/abc");
}

static void addresses(void) {
  assert_addressed("https://s3.example.com:9000", "abc", PX_S3_ADDRESS_PATH, "s3.example.com:9000", "/abc/a%20b");
  assert_addressed("https://s3.example.com:9000", "abc", PX_S3_ADDRESS_HOST, "abc.s3.example.com:9000", "/a%20b");
}

static void assert_value(const char *profile, const char *name, const char *expected) {
  static const char text[] = "# aws\n"
                             "outside = 1\n"
                             "[default]\n"
                             "aws_access_key_id=A\r\n"
                             "aws_secret_access_key = b=c/d+e= \n"
                             "s3 =\n"
                             "  region = nested\n"
                             "; region = comment\n"
                             "[profile shop]\n"
                             "region = eu-west-3\n"
                             "[ other ]\n"
                             "region=us-west-2";
  g_autofree char *found = px_s3_profile_value(text, profile, name);
  g_assert_cmpstr(found, ==, expected);
}

static void profiles(void) {
  assert_value("default", "aws_access_key_id", "A");
  assert_value("default", "aws_secret_access_key", "b=c/d+e=");
  assert_value("default", "region", NULL);
  assert_value("default", "outside", NULL);
  assert_value("shop", "region", "eu-west-3");
  assert_value("other", "region", "us-west-2");
  assert_value("nobody", "region", NULL);
}

void add_s3_tests(void) {
  g_test_add_func("/storage/s3/mistakes", mistakes);
  g_test_add_func("/storage/s3/places", places);
  g_test_add_func("/storage/s3/addresses", addresses);
  g_test_add_func("/storage/s3/profiles", profiles);
}
