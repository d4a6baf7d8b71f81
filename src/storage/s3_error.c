/* SPDX-License-Identifier: Apache-2.0 */
/* What S3 says when it says no ("Error responses" of the S3 API reference), in words of what to do. */
#include "storage/s3_private.h"

#include <string.h>

typedef struct {
  const char *code;
  PxError error;
  const char *advice; /* "%s": the setting or the name that it is about */
} Meaning;

static const Meaning meanings[] = {
  {"NoSuchKey", PX_ERROR_NOT_FOUND, "No such file or directory"},
  {"NoSuchBucket", PX_ERROR_UNREACHABLE, "there is no bucket of that name; make it, or correct the setting \"bucket\", or say create_bucket: true"},
  {"NoSuchUpload", PX_ERROR_TRANSIENT, "the upload is gone: somebody or a rule of the bucket has removed it"},
  {"AccessDenied", PX_ERROR_UNREACHABLE, "Permission denied; give pattimpex the right to it"},
  {"AllAccessDisabled", PX_ERROR_UNREACHABLE, "the bucket is closed; ask its owner"},
  {"InvalidAccessKeyId", PX_ERROR_CONFIG, "the access key is not known there; correct it"},
  {"SignatureDoesNotMatch", PX_ERROR_CONFIG, "the secret key is not that of the access key; correct it"},
  {"InvalidToken", PX_ERROR_CONFIG, "the session token is not valid; get another"},
  {"ExpiredToken", PX_ERROR_CONFIG, "the session token has expired; get another"},
  {"TokenRefreshRequired", PX_ERROR_CONFIG, "the session token has expired; get another"},
  {"AuthorizationHeaderMalformed", PX_ERROR_CONFIG, "the signature is for another region; correct the setting \"region\""},
  {"PermanentRedirect", PX_ERROR_CONFIG, "the bucket is in another region; correct the settings \"region\" and \"endpoint\""},
  {"TemporaryRedirect", PX_ERROR_TRANSIENT, "the bucket is on its way to another place; or correct the setting \"region\""},
  {"IllegalLocationConstraintException", PX_ERROR_CONFIG, "the bucket is in another region; correct the setting \"region\""},
  {"RequestTimeTooSkewed", PX_ERROR_UNREACHABLE, "the clocks of this machine and of the server differ too much; set the clock that is wrong"},
  {"SlowDown", PX_ERROR_TRANSIENT, "the server wants fewer requests; it is tried again"},
  {"InternalError", PX_ERROR_TRANSIENT, "the server has failed; it is tried again"},
  {"ServiceUnavailable", PX_ERROR_TRANSIENT, "the server is too busy; it is tried again"},
  {"RequestTimeout", PX_ERROR_TRANSIENT, "the bytes came too slowly; it is tried again"},
  {"OperationAborted", PX_ERROR_TRANSIENT, "somebody else changes it at the same time; it is tried again"},
  {"ConditionalRequestConflict", PX_ERROR_TRANSIENT, "somebody else writes it at the same time; it is tried again"},
  {"IncompleteBody", PX_ERROR_TRANSIENT, "not all bytes arrived; it is tried again"},
  {"BadDigest", PX_ERROR_TRANSIENT, "other bytes arrived than were sent; it is tried again"},
  {"XAmzContentSHA256Mismatch", PX_ERROR_TRANSIENT, "other bytes arrived than were sent; it is tried again"},
  {"QuotaExceeded", PX_ERROR_TRANSIENT, "No space left on device; make room and run again"},
  {"XMinioStorageFull", PX_ERROR_TRANSIENT, "No space left on device; make room and run again"},
  {"InvalidObjectState", PX_ERROR_REFUSED, "it lies in an archive; restore it first"},
  {"KeyTooLongError", PX_ERROR_REFUSED, "its name with its path is longer than 1024 bytes"},
  {"EntityTooLarge", PX_ERROR_REFUSED, "it is larger than the server takes at once; set a smaller \"part_size\""},
  {"EntityTooSmall", PX_ERROR_CONFIG, "its parts are smaller than the server takes; set a larger \"part_size\""},
  {"InvalidBucketName", PX_ERROR_CONFIG, "the server does not take that name of a bucket; correct the setting \"bucket\""},
};

/* Where an answer has no code: HEAD has no body, and proxies have words of their own. */
static const struct {
  long status;
  const char *code;
} codes[] = {
  {301, "PermanentRedirect"}, {307, "TemporaryRedirect"},  {403, "AccessDenied"},       {404, "NoSuchKey"},          {429, "SlowDown"},
  {500, "InternalError"},     {502, "ServiceUnavailable"}, {503, "ServiceUnavailable"}, {504, "ServiceUnavailable"}, {507, "QuotaExceeded"},
};

static const char *code_of(const PxS3Answer *answer) {
  if (answer->code && *answer->code)
    return answer->code;
  for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
    if (codes[i].status == answer->status)
      return codes[i].code;
  }
  return "";
}

static const Meaning *meaning_of(const PxS3Answer *answer) {
  const char *code = code_of(answer);
  for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++) {
    if (strcmp(meanings[i].code, code) == 0)
      return &meanings[i];
  }
  return NULL;
}

bool px_s3_is_passing(const PxS3Answer *answer) {
  const Meaning *meaning = meaning_of(answer);
  bool is_full = answer->status == 507 || (meaning && strstr(meaning->advice, "make room"));
  return answer->status >= 500 ? answer->status != 501 && !is_full
                               : meaning && meaning->error == PX_ERROR_TRANSIENT && answer->status != 307 && !is_full;
}

/* One line of what the server wrote, and not much of it: it may be a proxy's page. NULL: nothing; Ceph writes an empty one then. */
static char *message_of(const PxS3Answer *answer) {
  char *message = answer->body ? px_s3_read_element(answer->body->str, answer->body->len, "Message") : NULL;
  if (message && !*message)
    g_clear_pointer(&message, g_free);
  for (char *p = message; p && *p; p++) {
    if (g_ascii_iscntrl(*p))
      *p = ' ';
  }
  if (message && strlen(message) > 300) {
    char *cut = g_utf8_substring(message, 0, MIN(250, g_utf8_strlen(message, -1)));
    g_free(message);
    return cut;
  }
  return message;
}

bool px_s3_fail(GError **error, const PxS3 *s3, const PxS3Answer *answer, const char *place, const char *doing) {
  const Meaning *meaning = meaning_of(answer);
  g_autofree char *message = message_of(answer);
  const char *region = px_s3_header(s3, "x-amz-bucket-region");
  g_autofree char *told = !region && answer->body ? px_s3_read_element(answer->body->str, answer->body->len, "Region") : NULL;
  bool is_elsewhere = meaning && strstr(meaning->advice, "\"region\"") && (region || told);
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "%s: cannot %s: ", place, doing);
  if (meaning)
    g_string_append(text, meaning->advice);
  else if (!message && s3->settings->server_side_encryption && answer->status == 400)
    g_string_append(text, "the server does not say why; perhaps it encrypts nothing, or only what comes over https: see \"server_side_encryption\"");
  else
    g_string_append_printf(text, "the server says: %s", message ? message : answer->code && *answer->code ? answer->code : "nothing");
  if (is_elsewhere)
    g_string_append_printf(text, ": it is %s", region ? region : told);
  if (!meaning || (meaning->error != PX_ERROR_NOT_FOUND && answer->code && *answer->code))
    g_string_append_printf(text, " (%ld%s%s)", answer->status, answer->code && *answer->code ? " " : "", answer->code ? answer->code : "");
  g_set_error_literal(error, PX_ERROR, meaning ? (int)meaning->error : (int)(answer->status >= 500 ? PX_ERROR_TRANSIENT : PX_ERROR_UNREACHABLE),
                      text->str);
  g_string_free(text, TRUE);
  return false;
}
