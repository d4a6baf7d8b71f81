/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an object: in one request, or by parts that become one object at the end. S3 shows nothing of either before it is whole.
 *
 * What is sent is hashed before: its SHA-256 is part of the signature, so that a server refuses bytes that were changed on their way (over http,
 * too), and nothing has been sent yet where the file has fewer or more bytes than it should. Content-MD5 is for servers that do not look at the
 * former. */
#include "storage/s3_private.h"

#include "base/hook.h"
#include "storage/name_private.h"

#include <openssl/evp.h>
#include <string.h>

#define PIECE_BYTES (256 * 1024)

/* ---- what is sent */

/* A context of that digest; NULL where this machine's libcrypto has none (FIPS has no MD5). */
static EVP_MD_CTX *digest_new(const EVP_MD *kind) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context && EVP_DigestInit_ex(context, kind, NULL) == 1)
    return context;
  EVP_MD_CTX_free(context);
  return NULL;
}

static void finish_sha256(EVP_MD_CTX *context, char ret[65]) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  (void)EVP_DigestFinal_ex(context, bytes, &len);
  for (unsigned i = 0; i < len && i < 32; i++)
    (void)g_snprintf(ret + (size_t)i * 2, 3, "%02x", bytes[i]);
}

static char *finish_md5(EVP_MD_CTX *context) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  return context && EVP_DigestFinal_ex(context, bytes, &len) == 1 ? g_base64_encode(bytes, len) : NULL;
}

/* Reads length bytes from offset; *ret_got may be fewer. */
static bool hash_range(const PxS3Body *body, EVP_MD_CTX *sha256, EVP_MD_CTX *md5, uint64_t *ret_got, GError **error) {
  g_autofree unsigned char *piece = g_malloc(PIECE_BYTES);
  for (*ret_got = 0; *ret_got < body->length;) {
    ssize_t got = pread(body->fd, piece, (size_t)MIN(body->length - *ret_got, PIECE_BYTES), (off_t)(body->offset + *ret_got));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read: %s", g_strerror(errno));
    if (got <= 0)
      return got == 0;
    (void)EVP_DigestUpdate(sha256, piece, (size_t)got);
    if (md5)
      (void)EVP_DigestUpdate(md5, piece, (size_t)got);
    *ret_got += (uint64_t)got;
  }
  return true;
}

static bool wrong_size(const char *place, const char *what, uint64_t size, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: there are %s than the %" G_GUINT64_FORMAT " bytes it should have; nothing was written", place,
              what, (guint64)size);
  return false;
}

/* The part of fd that begins at offset: its hashes. size: of the whole. */
static bool prepare(PxS3Body *body, uint64_t size, const char *place, GError **error) {
  uint64_t got = 0;
  char more;
  EVP_MD_CTX *sha256 = digest_new(EVP_sha256());
  EVP_MD_CTX *md5 = digest_new(EVP_md5());
  bool ok = sha256 && hash_range(body, sha256, md5, &got, error);
  if (ok) {
    finish_sha256(sha256, body->sha256);
    g_free(body->md5);
    body->md5 = finish_md5(md5);
  } else if (sha256)
    g_prefix_error(error, "%s: ", place);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcrypto has no SHA-256");
  EVP_MD_CTX_free(sha256);
  EVP_MD_CTX_free(md5);
  if (!ok)
    return false;
  if (got < body->length)
    return wrong_size(place, "fewer", size, error);
  if (body->offset + body->length == size && pread(body->fd, &more, 1, (off_t)size) > 0)
    return wrong_size(place, "more", size, error);
  return true;
}

static void body_clear(PxS3Body *body) {
  g_free(body->md5);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxS3Body, body_clear)

/* ---- what kind of file it is */

/* By the end of its name, for whoever opens it in a browser: IANA's media types. */
static const char *content_type(const PxS3Settings *settings, const char *key) {
  static const struct {
    const char *suffix, *type;
  } types[] = {
    {".csv", "text/csv"},
    {".txt", "text/plain"},
    {".tsv", "text/tab-separated-values"},
    {".json", "application/json"},
    {".jsonl", "application/x-ndjson"},
    {".xml", "application/xml"},
    {".html", "text/html"},
    {".pdf", "application/pdf"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".zip", "application/zip"},
    {".gz", "application/gzip"},
    {".gpg", "application/pgp-encrypted"},
    {".pgp", "application/pgp-encrypted"},
  };
  if (settings->content_type)
    return settings->content_type;
  for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
    size_t len = strlen(types[i].suffix);
    if (strlen(key) > len && g_ascii_strcasecmp(key + strlen(key) - len, types[i].suffix) == 0)
      return types[i].type;
  }
  return "application/octet-stream";
}

void px_s3_add_wishes(PxS3Request *request, const PxS3Settings *settings) {
  px_s3_request_header(request, "x-amz-acl", settings->acl);
  px_s3_request_header(request, "x-amz-server-side-encryption", settings->server_side_encryption);
  px_s3_request_header(request, "x-amz-server-side-encryption-aws-kms-key-id", settings->kms_key);
  px_s3_request_header(request, "x-amz-storage-class", settings->storage_class);
}

static void add_kind(PxS3Request *request, const PxS3Settings *settings, const char *key) {
  px_s3_request_header(request, "content-type", content_type(settings, key));
  px_s3_request_header(request, "cache-control", settings->cache_control);
  px_s3_add_wishes(request, settings);
}

/* ---- conditions */

/* As various servers say it; where it was something else that they did not like, they say so again. */
bool px_s3_knows_no_conditions(const PxS3Answer *answer, bool *anyway) {
  static const char *const codes[] = {"NotImplemented", "InvalidArgument", "InvalidRequest", NULL};
  bool unknown = answer->status == 501 || (answer->status == 400 && answer->code && g_strv_contains(codes, answer->code));
  if (*anyway || !unknown)
    return false;
  *anyway = true;
  return true;
}

void px_s3_add_condition(PxS3Request *request, bool anyway) {
  if (!anyway)
    px_s3_request_header(request, "if-none-match", "*");
}

bool px_s3_judge_write(PxS3 *s3, const PxS3Answer *answer, bool replace, const char *place, const char *doing, bool *ret_again, GError **error) {
  *ret_again = !replace && px_s3_knows_no_conditions(answer, &s3->writes_anyway);
  if (*ret_again || (answer->status >= 200 && answer->status < 300))
    return true;
  if (answer->status == 412 || (answer->code && strcmp(answer->code, "PreconditionFailed") == 0))
    return px_storage_exists(error, place);
  return px_s3_fail(error, s3, answer, place, doing);
}

/* ---- in one request */

static bool put_once(PxS3 *s3, const char *key, const char *place, const PxS3Body *body, bool replace, bool *ret_again, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "PUT", key);
  g_auto(PxS3Answer) answer = {0};
  add_kind(request, s3->settings, key);
  px_s3_request_header(request, "content-md5", body->md5);
  if (!replace)
    px_s3_add_condition(request, s3->writes_anyway);
  return px_s3_call(s3, request, body, &answer, error) && px_s3_judge_write(s3, &answer, replace, place, "write", ret_again, error);
}

static bool put_whole(PxS3 *s3, const char *key, const char *place, int fd, uint64_t size, bool replace, GError **error) {
  g_auto(PxS3Body) body = {.fd = fd, .length = size};
  bool again;
  if (!prepare(&body, size, place, error))
    return false;
  px_hook("storage.put.written");
  do {
    if (!put_once(s3, key, place, &body, replace, &again, error))
      return false;
  } while (again);
  px_hook("storage.put.renamed");
  return true;
}

/* ---- by parts */

typedef struct {
  int fd;
  uint64_t size, part_size;
} Source;

static bool put_part(PxS3 *s3, const PxS3Upload *upload, unsigned number, const void *data, char **ret_etag, GError **error) {
  const Source *source = data;
  uint64_t offset = (number - 1) * source->part_size;
  g_auto(PxS3Body) body = {.fd = source->fd, .offset = offset, .length = MIN(source->part_size, source->size - offset)};
  const PxS3Part part = {.body = &body};
  return prepare(&body, source->size, upload->place, error) && px_s3_upload_part(s3, upload, number, &part, ret_etag, error);
}

static bool put_by_parts(PxS3 *s3, const char *key, const char *place, int fd, uint64_t size, bool replace, GError **error) {
  PxS3Upload upload = {.key = key, .place = place};
  g_autoptr(PxS3Request) request = px_s3_request(s3, "POST", key);
  add_kind(request, s3->settings, key);
  const Source source = {.fd = fd, .size = size, .part_size = MAX(s3->settings->part_size, size / PX_S3_MOST_PARTS + 1)};
  unsigned count = (unsigned)((size + source.part_size - 1) / source.part_size);
  bool ok = px_s3_upload_begin(s3, request, &upload, error) && px_s3_upload_parts(s3, &upload, count, put_part, &source, error);
  if (ok)
    px_hook("storage.put.written");
  ok = ok && px_s3_upload_end(s3, &upload, replace, error);
  if (!ok)
    px_s3_upload_abort(s3, &upload);
  else
    px_hook("storage.put.renamed");
  return ok;
}

bool px_s3_write(PxS3 *s3, const char *key, const char *place, int fd, uint64_t size, bool replace, GError **error) {
  return size > s3->settings->part_size ? put_by_parts(s3, key, place, fd, size, replace, error)
                                        : put_whole(s3, key, place, fd, size, replace, error);
}

bool px_s3_put(PxS3 *s3, const char *key, const char *place, int fd, uint64_t size, bool replace, GError **error) {
  if (!replace) {
    g_auto(PxS3Object) object = {0};
    g_autoptr(GError) problem = NULL;
    if (px_s3_head(s3, key, place, "write", &object, &problem))
      return px_storage_exists(error, place);
    if (!g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
  }
  return px_s3_write(s3, key, place, fd, size, replace, error);
}

/* ---- several */

/* What is there and has its size may be the same: whoever asked looks at it. So it is with a bucket that has to be made first. */
static bool put_one_of(PxS3 *s3, unsigned i, void *data) {
  PxPutting *putting = (PxPutting *)data + i;
  const PxPut *put = &putting->put;
  g_autofree char *key = px_s3_key(s3, put->path, put->name);
  g_autofree char *place = px_name_place(put->path, put->name);
  g_auto(PxS3Object) object = {0};
  g_autoptr(GError) problem = NULL;
  if (put->size > s3->settings->part_size)
    return true;
  bool is_there = px_s3_head(s3, key, place, "write", &object, &problem);
  if (is_there && (!put->replace || object.size == put->size))
    return true;
  if (is_there || g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_clear_error(&problem);
    putting->decided = px_s3_write(s3, key, place, put->fd, put->size, put->replace, &problem);
  }
  if (!problem || g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS) || s3->lacks_bucket)
    return true;
  putting->decided = true;
  bool is_lost = g_error_matches(problem, PX_ERROR, PX_ERROR_UNREACHABLE) || g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT);
  g_propagate_error(&putting->error, g_steal_pointer(&problem));
  return !is_lost;
}

void px_s3_put_all(PxS3 *s3, PxPutting *puttings, size_t n) {
  px_s3_share_out(s3, (unsigned)n, put_one_of, puttings);
}
