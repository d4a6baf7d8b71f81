/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an answer of S3: what is taken for a page has a key and an ETag for each file, and a token only where it says that there is more. */
#include "fuzz.h"

#include "storage/s3_xml_private.h"

static void check_page(const char *text, size_t len) {
  g_auto(PxS3Page) page = {0};
  g_autoptr(GError) error = NULL;
  bool ok = px_s3_read_page(text, len, &page, &error);
  g_assert_true(ok == (error == NULL));
  if (!ok)
    return;
  for (unsigned i = 0; i < page.entries->len; i++) {
    const PxS3Entry *entry = &g_array_index(page.entries, PxS3Entry, i);
    g_assert_true(entry->key && entry->etag && entry->size <= INT64_MAX);
  }
  g_autofree char *root = px_s3_read_root(text, len);
  g_assert_nonnull(root);
  g_autofree char *truncated = px_s3_read_element(text, len, "IsTruncated");
  g_assert_true(!page.next || truncated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const names[] = {"Code", "UploadId", "Message"};
  const char *text = (const char *)data;
  check_page(text, size);
  g_autofree char *root = px_s3_read_root(text, size);
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *found = px_s3_read_element(text, size, names[i]);
    g_assert_true(!found || root);
  }
  return 0;
}
