/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3_xml_private.h"

#include "test_storage.h"

#define LIST "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
#define FILE_AT(key, size)                                                                                                                           \
  "<Contents><Key>" key "</Key><LastModified>2009-10-12T17:50:30.123Z</LastModified><ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag>"       \
  "<Size>" size "</Size><StorageClass>STANDARD</StorageClass></Contents>"

static bool reads(const char *text, PxS3Page *ret, GError **error) {
  return px_s3_read_page(text, strlen(text), ret, error);
}

static void page(void) {
  g_auto(PxS3Page) page = {0};
  g_autoptr(GError) error = NULL;
  g_assert_true(reads(LIST "<EncodingType>url</EncodingType>" FILE_AT("in/a%2Bb+c%25%C3%A9%0A.csv", "434234")
                        FILE_AT("in/b", "0") "<IsTruncated>true</IsTruncated><NextContinuationToken>1/a+b=</NextContinuationToken>"
                                             "<CommonPrefixes><Prefix>in/d+%26/</Prefix></CommonPrefixes></ListBucketResult>",
                      &page, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(page.entries->len, ==, 2);
  const PxS3Entry *entry = &g_array_index(page.entries, PxS3Entry, 0);
  g_assert_cmpstr(entry->key, ==, "in/a+b c%é\n.csv");
  g_assert_cmpstr(entry->etag, ==, "fba9dede5f27731c9771645a39863328");
  g_assert_cmpuint(entry->size, ==, 434234);
  g_assert_cmpint(entry->mtime_s, ==, 1255369830);
  g_assert_cmpstr(page.next, ==, "1/a+b=");
  g_assert_cmpuint(page.folders->len, ==, 1);
  g_assert_cmpstr(page.folders->pdata[0], ==, "in/d &/");
}

/* Servers that do not know encoding-type give keys as they are. */
static void plain_keys(void) {
  g_auto(PxS3Page) page = {0};
  g_assert_true(reads(LIST FILE_AT("in/a+b%41 &amp; c", "1") "<IsTruncated>false</IsTruncated></ListBucketResult>", &page, NULL));
  g_assert_cmpstr(g_array_index(page.entries, PxS3Entry, 0).key, ==, "in/a+b%41 & c");
  g_assert_null(page.next);
}

static void bad_pages(void) {
  static const char *const texts[] = {
    "",
    "<html><body>It works!</body></html>",
    LIST FILE_AT("a", "1"),
    LIST FILE_AT("a", "-1") "</ListBucketResult>",
    LIST FILE_AT("a", "x") "</ListBucketResult>",
    LIST "<Contents><Size>1</Size></Contents></ListBucketResult>",
    LIST "<EncodingType>url</EncodingType>" FILE_AT("a%zz", "1") "</ListBucketResult>",
    LIST "<EncodingType>url</EncodingType>" FILE_AT("a%00", "1") "</ListBucketResult>",
    LIST "<IsTruncated>true</IsTruncated></ListBucketResult>",
    "<!DOCTYPE a [<!ENTITY b \"b\">]>" LIST FILE_AT("&b;", "1") "</ListBucketResult>",
    "<a><a><a><a><a><a><a><a><a>deep</a></a></a></a></a></a></a></a></a>",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_auto(PxS3Page) page = {0};
    g_autoptr(GError) error = NULL;
    assert_fails(reads(texts[i], &page, &error), &error, PX_ERROR_TRANSIENT, "no listing of S3");
  }
}

static void errors(void) {
  const char *text = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Resource>/b/a</Resource></Error>";
  g_autofree char *code = px_s3_read_element(text, strlen(text), "Code");
  g_autofree char *root = px_s3_read_root(text, strlen(text));
  g_assert_cmpstr(code, ==, "NoSuchKey");
  g_assert_cmpstr(root, ==, "Error");
  g_assert_null(px_s3_read_element(text, strlen(text), "Region"));
  g_assert_null(px_s3_read_element(text, strlen(text) - 1, "Code"));
  g_assert_null(px_s3_read_root("no XML", 6));
}

void add_s3_xml_tests(void) {
  g_test_add_func("/storage/s3/xml/page", page);
  g_test_add_func("/storage/s3/xml/plain_keys", plain_keys);
  g_test_add_func("/storage/s3/xml/bad_pages", bad_pages);
  g_test_add_func("/storage/s3/xml/errors", errors);
}
