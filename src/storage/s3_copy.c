/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that the server makes, in one request or, above its limit, part by part. */
#include "storage/s3_private.h"

#include <string.h>

/* "bucket/key" as the header x-amz-copy-source has it. */
static char *source_of(const PxS3 *s3, const char *key) {
  g_autofree char *plain = g_strconcat("/", s3->settings->bucket, "/", key, NULL);
  return px_s3_encode(plain, '/');
}

/* 412 can mean either condition: the source is another by now, or the target is there. */
static bool copy_failed(PxS3 *s3, const PxS3Answer *answer, const char *to, const char *place, GError **error) {
  if (answer->status != 412 && (!answer->code || strcmp(answer->code, "PreconditionFailed") != 0))
    return px_s3_fail(error, s3, answer, place, "move a file to this name");
  g_auto(PxS3Object) now = {0};
  if (px_s3_head(s3, to, place, "move a file to this name", &now, NULL))
    return px_storage_exists(error, place);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the file has changed while it was moved; it is tried again", place);
  return false;
}

static bool copy_whole(PxS3 *s3, const char *from, const PxS3Object *object, const char *to, const char *place, bool *ret_again, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "PUT", to);
  g_auto(PxS3Answer) answer = {0};
  g_autofree char *source = source_of(s3, from);
  g_autofree char *etag = px_s3_condition(object);
  px_s3_request_header(request, "x-amz-copy-source", source);
  px_s3_request_header(request, "x-amz-copy-source-if-match", etag);
  px_s3_add_wishes(request, s3->settings);
  px_s3_add_condition(request, s3->copies_anyway);
  *ret_again = false;
  if (!px_s3_call(s3, request, NULL, &answer, error))
    return false;
  px_s3_look_for_error(&answer);
  if (answer.status == 200)
    return true;
  *ret_again = px_s3_knows_no_conditions(&answer, &s3->copies_anyway);
  return *ret_again || copy_failed(s3, &answer, to, place, error);
}

typedef struct {
  const char *from, *etag; /* as the headers have them */
  uint64_t size, part_size;
} Source;

static bool copy_part(PxS3 *s3, const PxS3Upload *upload, unsigned number, const void *data, char **ret_etag, GError **error) {
  const Source *source = data;
  uint64_t offset = (number - 1) * source->part_size;
  uint64_t last = MIN(offset + source->part_size, source->size) - 1;
  g_autofree char *range = g_strdup_printf("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, (guint64)offset, (guint64)last);
  const PxS3Part part = {.from = source->from, .etag = source->etag, .range = range};
  return px_s3_upload_part(s3, upload, number, &part, ret_etag, error);
}

static bool copy_parts(PxS3 *s3, PxS3Upload *upload, const char *from, const PxS3Object *object, GError **error) {
  g_autofree char *key = source_of(s3, from);
  g_autofree char *etag = px_s3_condition(object);
  const Source source = {
    .from = key, .etag = etag, .size = object->size, .part_size = MAX(s3->settings->copy_limit, object->size / PX_S3_MOST_PARTS + 1)};
  return px_s3_upload_parts(s3, upload, (unsigned)((source.size + source.part_size - 1) / source.part_size), copy_part, &source, error);
}

static bool copy_by_parts(PxS3 *s3, const char *from, const PxS3Object *object, const char *to, const char *place, GError **error) {
  PxS3Upload upload = {.key = to, .place = place};
  g_autoptr(PxS3Request) request = px_s3_request(s3, "POST", to);
  for (unsigned i = 0; i + 1 < object->kept->len; i += 2)
    px_s3_request_header(request, object->kept->pdata[i], object->kept->pdata[i + 1]);
  px_s3_add_wishes(request, s3->settings);
  bool ok =
    px_s3_upload_begin(s3, request, &upload, error) && copy_parts(s3, &upload, from, object, error) && px_s3_upload_end(s3, &upload, false, error);
  if (!ok)
    px_s3_upload_abort(s3, &upload);
  return ok;
}

bool px_s3_copy(PxS3 *s3, const char *from, const PxS3Object *object, const char *to, const char *place, GError **error) {
  bool again;
  if (object->size > s3->settings->copy_limit)
    return copy_by_parts(s3, from, object, to, place, error);
  do {
    if (!copy_whole(s3, from, object, to, place, &again, error))
      return false;
  } while (again);
  return true;
}
