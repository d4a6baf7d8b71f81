/* SPDX-License-Identifier: Apache-2.0 */
/* An upload by parts, several of them on their way at once. What is sent is read where libcurl wants it, so that memory does not grow with the size
 * of a part. */
#include "storage/s3_private.h"

#include <string.h>

void px_s3_upload_clear(PxS3Upload *upload) {
  g_free(upload->id);
  if (upload->etags)
    g_ptr_array_unref(upload->etags);
  *upload = (PxS3Upload){.key = upload->key, .place = upload->place};
}

bool px_s3_upload_begin(PxS3 *s3, PxS3Request *request, PxS3Upload *upload, GError **error) {
  g_auto(PxS3Answer) answer = {0};
  px_s3_request_query(request, "uploads", "");
  if (!px_s3_call(s3, request, NULL, &answer, error))
    return false;
  if (answer.status != 200)
    return px_s3_fail(error, s3, &answer, upload->place, "write");
  upload->id = px_s3_read_element(answer.body->str, answer.body->len, "UploadId");
  upload->etags = g_ptr_array_new_with_free_func(g_free);
  if (upload->id && *upload->id)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot write: the server's answer to an upload by parts is none that is known",
              upload->place);
  return false;
}

bool px_s3_upload_part(PxS3 *s3, const PxS3Upload *upload, unsigned number, const PxS3Part *part, char **ret_etag, GError **error) {
  g_autofree char *text = g_strdup_printf("%u", number);
  g_autoptr(PxS3Request) request = px_s3_request(s3, "PUT", upload->key);
  g_auto(PxS3Answer) answer = {0};
  px_s3_request_query(request, "partNumber", text);
  px_s3_request_query(request, "uploadId", upload->id);
  if (part->body)
    px_s3_request_header(request, "content-md5", part->body->md5);
  px_s3_request_header(request, "x-amz-copy-source", part->from);
  px_s3_request_header(request, "x-amz-copy-source-range", part->range);
  px_s3_request_header(request, "x-amz-copy-source-if-match", part->etag);
  if (!px_s3_call(s3, request, part->body, &answer, error))
    return false;
  px_s3_look_for_error(&answer);
  if (answer.status != 200)
    return px_s3_fail(error, s3, &answer, upload->place, part->body ? "write" : "copy");
  *ret_etag = part->body ? g_strdup(px_s3_header(s3, "etag")) : px_s3_read_element(answer.body->str, answer.body->len, "ETag");
  if (*ret_etag)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the server's answer to a part has no ETag", upload->place);
  return false;
}

/* ---- several parts at once */

typedef struct {
  PxS3Upload *upload;
  PxS3SendPart send;
  const void *data;
  GMutex lock;     /* of what is below */
  GError *problem; /* the first */
} Parts;

static bool send_part(PxS3 *s3, unsigned i, void *data) {
  Parts *parts = data;
  GError *problem = NULL;
  if (parts->send(s3, parts->upload, i + 1, parts->data, (char **)&parts->upload->etags->pdata[i], &problem))
    return true;
  g_mutex_lock(&parts->lock);
  if (!parts->problem)
    parts->problem = g_steal_pointer(&problem);
  g_mutex_unlock(&parts->lock);
  g_clear_error(&problem);
  return false;
}

bool px_s3_upload_parts(PxS3 *s3, PxS3Upload *upload, unsigned count, PxS3SendPart send, const void *data, GError **error) {
  Parts parts = {.upload = upload, .send = send, .data = data};
  g_ptr_array_set_size(upload->etags, (int)count);
  g_mutex_init(&parts.lock);
  px_s3_share_out(s3, count, send_part, &parts);
  g_mutex_clear(&parts.lock);
  if (!parts.problem)
    return true;
  g_propagate_error(error, parts.problem);
  return false;
}

/* ---- the end */

static bool complete_once(PxS3 *s3, PxS3Upload *upload, const PxS3Body *body, bool replace, bool *ret_again, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "POST", upload->key);
  g_auto(PxS3Answer) answer = {0};
  px_s3_request_query(request, "uploadId", upload->id);
  px_s3_request_header(request, "content-type", "application/xml");
  if (!replace)
    px_s3_add_condition(request, s3->writes_anyway);
  if (!px_s3_call(s3, request, body, &answer, error))
    return false;
  px_s3_look_for_error(&answer);
  return px_s3_judge_write(s3, &answer, replace, upload->place, "write", ret_again, error);
}

bool px_s3_upload_end(PxS3 *s3, PxS3Upload *upload, bool replace, GError **error) {
  bool again;
  g_autoptr(GString) text = g_string_new("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
  for (unsigned i = 0; i < upload->etags->len; i++) {
    g_autofree char *escaped = g_markup_escape_text(upload->etags->pdata[i], -1);
    g_string_append_printf(text, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", i + 1, escaped);
  }
  g_string_append(text, "</CompleteMultipartUpload>");
  PxS3Body body = {.text = text->str};
  g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body.text, -1);
  (void)g_strlcpy(body.sha256, sha256, sizeof body.sha256);
  do {
    if (!complete_once(s3, upload, &body, replace, &again, error))
      return false;
  } while (again);
  px_s3_upload_clear(upload);
  return true;
}

void px_s3_upload_abort(PxS3 *s3, PxS3Upload *upload) {
  if (upload->id) {
    g_autoptr(PxS3Request) request = px_s3_request(s3, "DELETE", upload->key);
    g_auto(PxS3Answer) answer = {0};
    px_s3_request_query(request, "uploadId", upload->id);
    (void)!px_s3_call(s3, request, NULL, &answer, NULL);
  }
  px_s3_upload_clear(upload);
}
