/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What S3 answers, taken apart: small documents of elements that hold elements or text. */
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  char *key; /* decoded */
  uint64_t size;
  int64_t mtime_s;
  char *etag; /* without its quotes */
} PxS3Entry;

/* One page of ListObjectsV2. */
typedef struct {
  GArray *entries;    /* PxS3Entry */
  GPtrArray *folders; /* char *, common prefixes, decoded: they end in the delimiter */
  char *next;         /* the token of the next page; NULL: it is the last */
} PxS3Page;

void px_s3_page_clear(PxS3Page *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxS3Page, px_s3_page_clear)
/* PX_ERROR_TRANSIENT: it is no such answer, or not the whole of it. */
bool px_s3_read_page(const char *text, size_t len, PxS3Page *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An ETag without the quotes around it. Caller frees. */
char *px_s3_unquote(const char *text);
/* What an element anywhere in the answer says; NULL: there is none, or the text is no XML. Caller frees. */
char *px_s3_read_element(const char *text, size_t len, const char *name);
/* The name of the outermost element, "Error" for one; NULL: it is no XML. Caller frees. */
char *px_s3_read_root(const char *text, size_t len);
