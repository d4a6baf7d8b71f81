/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Objects of S3 and of the servers that speak like it, by their REST interface (S3 API reference, 2006-03-01). */
#include "storage/exchange_private.h"
#include "storage/s3_sign_private.h"
#include "storage/s3_xml_private.h"

/* ---- settings */

typedef enum { PX_S3_ADDRESS_AUTO, PX_S3_ADDRESS_PATH, PX_S3_ADDRESS_HOST } PxS3Addressing;
typedef enum { PX_S3_FROM_ANY, PX_S3_FROM_ENVIRONMENT, PX_S3_FROM_FILE, PX_S3_FROM_ROLE, PX_S3_FROM_NOBODY } PxS3Source;

typedef struct {
  PxExchangeSettings exchange;
  char *endpoint; /* "https://host[:port]" */
  char *region;
  char *bucket;
  char *directory;        /* what all keys begin with; neither begins nor ends with "/" */
  int addressing;         /* PxS3Addressing; never AUTO once it is checked */
  PxS3Keys keys;          /* written in the configuration; access_key NULL: source says */
  int source;             /* PxS3Source */
  char *profile;          /* NULL: AWS_PROFILE, or "default" */
  char *credentials_file; /* NULL: AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials */
  char *acl, *cache_control, *content_type, *server_side_encryption, *kms_key, *storage_class; /* NULL: not said */
  uint64_t part_size, copy_limit, parts_at_once;
  bool create_bucket;
} PxS3Settings;

extern const PxKey px_s3_keys[26];
void px_s3_defaults(void *data);
void px_s3_check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints);
char *px_s3_place(const void *data);
void px_s3_free_settings(void *data);

/* ---- credentials */

/* Where they came from last and until when they hold; all zero at first. */
typedef struct {
  PxS3Keys keys;
  int64_t expires_s; /* since the epoch; 0: never */
} PxS3Credentials;

void px_s3_credentials_clear(PxS3Credentials *credentials);
void px_s3_credentials_copy(PxS3Credentials *ret, const PxS3Credentials *credentials);
/* Keys that hold for some minutes more at least, found anew where they do not. access_key NULL: requests are not signed. PX_ERROR_CONFIG: there are
 * none, told with where was looked; PX_ERROR_UNREACHABLE, PX_ERROR_TRANSIENT: whoever gives them out does not answer. */
bool px_s3_credentials_find(PxS3Credentials *credentials, const PxS3Settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One value of a profile in a file like ~/.aws/credentials, from its text; NULL: there is none. Caller frees. */
char *px_s3_profile_value(const char *text, const char *profile, const char *name);
/* The setting of that name in ~/.aws/config (AWS_CONFIG_FILE). NULL: none. Caller frees. */
char *px_s3_shared_setting(const char *profile, const char *name);

/* ---- requests */

typedef struct {
  const PxS3Settings *settings;
  PxExchange *exchange; /* NULL: not opened yet */
  PxPace *pace;
  PxS3Credentials credentials;
  bool lacks_bucket; /* the last answer said so */
  /* The server has said that it knows no If-None-Match where something is written, or copied. */
  bool writes_anyway, copies_anyway;
  GPtrArray *crew; /* connections besides this one, of px_s3_share_out(); NULL: none */
} PxS3;

/* What is sent: text, or a part of a descriptor. */
typedef struct {
  const char *text; /* NULL: fd */
  int fd;
  uint64_t offset, length;
  char sha256[65];
  char *md5; /* base64; NULL: none is sent */
} PxS3Body;

typedef struct {
  long status;
  GString *body;
  char *code; /* as S3 calls it: "NoSuchKey"; "" where it was no error of S3 */
} PxS3Answer;

void px_s3_answer_clear(PxS3Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxS3Answer, px_s3_answer_clear)

void px_s3_done(PxS3 *s3);
/* A request for an object, or for the bucket itself where key is NULL. */
PxS3Request *px_s3_request(const PxS3 *s3, const char *method, const char *key);
/* Signs it, sends it and takes the whole answer; body NULL: it sends none. Answers and lost connections that another try may mend get a few of them;
 * conditional writes (If-None-Match) only where the server said that it did nothing. true: there was an answer, of whichever status. */
bool px_s3_call(PxS3 *s3, PxS3Request *request, const PxS3Body *body, PxS3Answer *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, but the body of an answer of 2xx is left to px_exchange_read(). */
bool px_s3_start(PxS3 *s3, PxS3Request *request, PxS3Answer *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A header of the last answer; NULL: it has none of that name. Borrowed. */
const char *px_s3_header(const PxS3 *s3, const char *name);
/* Whether a copy or a complete that was answered by 200 has an error in it all the same: then status and code are those of an error. */
void px_s3_look_for_error(PxS3Answer *answer);

/* ---- several at once */

/* One of them. false: the rest need not be begun. */
typedef bool (*PxS3Work)(PxS3 *s3, unsigned i, void *data);
/* Calls work for 0 to n - 1, as many at once as parts_at_once says, each thread with a connection (s3) of its own. Returns when all that was begun
 * has ended. */
void px_s3_share_out(PxS3 *s3, unsigned n, PxS3Work work, void *data);
/* These connections, but not its own, are closed. */
void px_s3_hang_up(PxS3 *s3);

/* ---- objects */

typedef struct {
  uint64_t size;
  int64_t mtime_s;
  char *etag;      /* without quotes; "": there is none */
  bool is_weak;    /* the etag stands for what is worth the same, so that no condition can be made of it */
  GPtrArray *kept; /* names and values of the headers that a copy by parts has to be given again */
} PxS3Object;

void px_s3_object_clear(PxS3Object *object);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxS3Object, px_s3_object_clear)
/* What is at key. PX_ERROR_NOT_FOUND; place and doing are for messages ("in/a.csv", "open"). */
bool px_s3_head(PxS3 *s3, const char *key, const char *place, const char *doing, PxS3Object *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The etag as a condition wants it; NULL: it can be none. Caller frees. */
char *px_s3_condition(const PxS3Object *object);
/* The same from the headers of the last answer. PX_ERROR_TRANSIENT: they do not tell its size. */
bool px_s3_take_object(PxS3 *s3, const char *place, PxS3Object *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_s3_delete(PxS3 *s3, const char *key, const char *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* size bytes of fd, whole or not at all. replace false: PX_ERROR_EXISTS. */
bool px_s3_put(PxS3 *s3, const char *key, const char *place, int fd, uint64_t size, bool replace, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, when it is known already whether something is there; PX_ERROR_EXISTS: it came meanwhile, where the server can tell. */
bool px_s3_write(PxS3 *s3, const char *key, const char *place, int fd, uint64_t size, bool replace, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PxStorageDriver.put_all. */
void px_s3_put_all(PxS3 *s3, PxPutting *puttings, size_t n);
/* A copy of from as it is in object; PX_ERROR_EXISTS; PX_ERROR_TRANSIENT: from is another by now. */
bool px_s3_copy(PxS3 *s3, const char *from, const PxS3Object *object, const char *to, const char *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_s3_make_bucket(PxS3 *s3, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The key of a file, or, ending in "/", what the keys in a directory begin with ("" for all). Caller frees. */
char *px_s3_key(const PxS3 *s3, const char *path, const char *name);

/* ---- files that will be asked for */

typedef struct PxS3Early PxS3Early;
PxS3Early *px_s3_early_new(void);
void px_s3_early_free(PxS3Early *early);
/* PxStorageDriver.expect; most: bytes that may be read ahead. */
void px_s3_early_expect(PxS3Early *early, const PxExpected *files, size_t n, uint64_t most);
/* Its bytes (caller frees) and what it is, read with others that come behind it. NULL: it is to be opened plainly. */
char *px_s3_early_take(PxS3Early *early, PxS3 *s3, const char *path, const char *name, PxS3Object *ret_object);

#define PX_S3_MOST_PARTS 10000u /* of an upload */
/* What a new object is given, however it comes to be: acl, encryption, class. */
void px_s3_add_wishes(PxS3Request *request, const PxS3Settings *settings);
/* The condition that nothing is there yet, unless anyway: the server is known not to know it. */
void px_s3_add_condition(PxS3Request *request, bool anyway);
/* Whether the answer says so, for the first time: then the write has to be sent again without, and the look before it is all that there is. */
bool px_s3_knows_no_conditions(const PxS3Answer *answer, bool *anyway);

/* An answer to a write: *ret_again where it is to be sent once more without its condition. PX_ERROR_EXISTS, or as px_s3_fail() has it. */
bool px_s3_judge_write(PxS3 *s3, const PxS3Answer *answer, bool replace, const char *place, const char *doing, bool *ret_again, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* What becomes of an upload by parts, by px_s3_put() and px_s3_copy(). */
typedef struct {
  const char *key, *place;
  char *id;
  GPtrArray *etags; /* char *, of the parts */
} PxS3Upload;
bool px_s3_upload_begin(PxS3 *s3, PxS3Request *request, PxS3Upload *upload, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* body, or a part of another object: from and "bytes=0-5". */
typedef struct {
  const PxS3Body *body; /* NULL: from, range */
  const char *from, *etag, *range;
} PxS3Part;
/* Sends or copies one part; number: from 1. Caller frees *ret_etag. */
bool px_s3_upload_part(PxS3 *s3, const PxS3Upload *upload, unsigned number, const PxS3Part *part, char **ret_etag, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Does so with part number of what data says; called in several threads, each with an s3 of its own. */
typedef bool (*PxS3SendPart)(PxS3 *s3, const PxS3Upload *upload, unsigned number, const void *data, char **ret_etag, GError **error);
/* All parts, parts_at_once of them at once. After one has failed for good no other is begun; none is on its way any more when this returns. */
bool px_s3_upload_parts(PxS3 *s3, PxS3Upload *upload, unsigned count, PxS3SendPart send, const void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_s3_upload_end(PxS3 *s3, PxS3Upload *upload, bool replace, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After a failure: nothing of it is left on the server. Also frees. */
void px_s3_upload_abort(PxS3 *s3, PxS3Upload *upload);
void px_s3_upload_clear(PxS3Upload *upload);

/* ---- errors */

/* What an answer that is no success means, with what to do; "place: cannot doing: ...". Always false. */
bool px_s3_fail(GError **error, const PxS3 *s3, const PxS3Answer *answer, const char *place, const char *doing);
/* Whether the same may work when tried at once again. */
bool px_s3_is_passing(const PxS3Answer *answer);
