/* SPDX-License-Identifier: Apache-2.0 */
/* The storage: keys that look like paths. There are no directories; a path is there when any key begins with it. */
#include "storage/s3_private.h"

#include "base/hook.h"
#include "storage/name_private.h"

#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define PRECISION_NS (2 * SECOND_NS) /* a listing has milliseconds, the headers of an object have whole seconds: they are what both can tell */

typedef struct {
  PxS3 s3;
  char *name; /* of the file opened last, with its ETag */
  char *etag;
  PxS3Early *early;
} Storage;

typedef struct {
  char *key;
  char *place;
  PxS3Object object;
  uint64_t got;
  bool started;
  char *bytes; /* of a file that was read early; NULL: it was not */
} Reading;

/* ---- places */

char *px_s3_key(const PxS3 *s3, const char *path, const char *name) {
  const char *directory = s3->settings->directory;
  return g_strconcat(directory, *directory ? "/" : "", path, *path ? "/" : "", name ? name : "", NULL);
}

static char *plain_etag(const char *header, bool *ret_weak) {
  *ret_weak = header && g_str_has_prefix(header, "W/");
  return px_s3_unquote(!header ? "" : *ret_weak ? header + 2 : header);
}

char *px_s3_condition(const PxS3Object *object) {
  return *object->etag && !object->is_weak ? g_strdup_printf("\"%s\"", object->etag) : NULL;
}

/* ---- life */

static void *s3_open(const void *settings, PxPace *pace) {
  Storage *self = g_new0(Storage, 1);
  self->s3 = (PxS3){.settings = settings, .pace = pace};
  self->early = px_s3_early_new();
  return self;
}

static void s3_close(void *data) {
  Storage *self = data;
  px_s3_early_free(self->early);
  px_s3_done(&self->s3);
  g_free(self->name);
  g_free(self->etag);
  g_free(self);
}

/* ---- listing */

/* One page; token NULL: the first. most: "1000". */
static bool read_page(PxS3 *s3, const char *prefix, const char *place, const char *token, const char *most, PxS3Page *ret, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "GET", NULL);
  g_auto(PxS3Answer) answer = {0};
  px_s3_request_query(request, "list-type", "2");
  px_s3_request_query(request, "delimiter", "/");
  px_s3_request_query(request, "encoding-type", "url");
  px_s3_request_query(request, "max-keys", most);
  px_s3_request_query(request, "prefix", prefix);
  px_s3_request_query(request, "continuation-token", token);
  if (!px_s3_call(s3, request, NULL, &answer, error))
    return false;
  if (answer.status != 200)
    return px_s3_fail(error, s3, &answer, place, "list");
  bool ok = px_s3_read_page(answer.body->str, answer.body->len, ret, error);
  if (!ok)
    g_prefix_error(error, "%s: cannot list: ", place);
  return ok;
}

typedef struct {
  const char *prefix;
  PxFileVisit visit;
  void *data;
  bool more, seen; /* the caller wants more; there was anything at all */
} Listing;

/* The key "in/" stands for a directory that somebody wanted to see: it is no file. */
static void visit_page(Listing *listing, const PxS3Page *page) {
  size_t skip = strlen(listing->prefix);
  for (unsigned i = 0; i < page->entries->len && listing->more; i++) {
    const PxS3Entry *entry = &g_array_index(page->entries, PxS3Entry, i);
    if (!g_str_has_prefix(entry->key, listing->prefix))
      continue;
    listing->seen = true;
    if (!entry->key[skip] || strchr(entry->key + skip, '/'))
      continue;
    const PxFileInfo info = {.name = entry->key + skip,
                             .size = entry->size,
                             .mtime_ns = entry->mtime_s * SECOND_NS,
                             .mtime_precision_ns = PRECISION_NS,
                             .identity = entry->etag,
                             .is_whole = true};
    listing->more = listing->visit(&info, listing->data);
  }
  for (unsigned i = 0; i < page->folders->len && listing->more; i++) {
    const char *folder = page->folders->pdata[i];
    if (!g_str_has_prefix(folder, listing->prefix) || strlen(folder) < skip + 2)
      continue;
    listing->seen = true;
    g_autofree char *name = g_strndup(folder + skip, strlen(folder) - skip - 1);
    const PxFileInfo info = {.name = name, .identity = "", .is_directory = true};
    listing->more = listing->visit(&info, listing->data);
  }
}

/* Nothing is below path: is it a file, or is it missing? */
static bool nothing_there(Storage *self, const char *path, const char *place, GError **error) {
  g_auto(PxS3Object) object = {0};
  g_autofree char *key = px_s3_key(&self->s3, "", path);
  if (px_s3_head(&self->s3, key, place, "list", &object, NULL))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: cannot list: it is a file, no directory", place);
  else
    (void)px_storage_not_found(error, place, "list");
  return false;
}

/* A bucket that is made when something is written is empty until then. */
static bool no_page(const Storage *self, const char *place, GError **problem, GError **error) {
  if (self->s3.lacks_bucket && self->s3.settings->create_bucket)
    (void)px_storage_not_found(error, place, "list");
  else
    g_propagate_error(error, g_steal_pointer(problem));
  return false;
}

/* A page is visited when the whole of it is there, so that no file comes twice where a page is asked for again. */
static bool s3_list(void *data, const char *path, PxFileVisit visit, void *visit_data, GError **error) {
  Storage *self = data;
  g_autofree char *prefix = px_s3_key(&self->s3, path, NULL);
  g_autofree char *place = px_name_place(path, NULL);
  g_autofree char *token = NULL;
  g_autoptr(GError) problem = NULL;
  Listing listing = {.prefix = prefix, .visit = visit, .data = visit_data, .more = true};
  do {
    g_auto(PxS3Page) page = {0};
    if (!read_page(&self->s3, prefix, place, token, "1000", &page, &problem))
      return no_page(self, place, &problem, error);
    visit_page(&listing, &page);
    g_free(token);
    token = g_steal_pointer(&page.next);
  } while (token && listing.more);
  return listing.seen || !*path || nothing_there(self, path, place, error);
}

/* ---- what is there */

void px_s3_object_clear(PxS3Object *object) {
  g_free(object->etag);
  if (object->kept)
    g_ptr_array_unref(object->kept);
  *object = (PxS3Object){0};
}

static void keep_headers(PxS3 *s3, PxS3Object *object) {
  static const char *const names[] = {"cache-control", "content-disposition", "content-encoding", "content-language", "content-type"};
  const GPtrArray *lines = px_exchange_lines(s3->exchange);
  object->kept = g_ptr_array_new_with_free_func(g_free);
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    const char *value = px_s3_header(s3, names[i]);
    if (!value)
      continue;
    g_ptr_array_add(object->kept, g_strdup(names[i]));
    g_ptr_array_add(object->kept, g_strdup(value));
  }
  for (unsigned i = 0; i < lines->len; i++) {
    const char *line = lines->pdata[i];
    const char *colon = strchr(line, ':');
    if (!colon || g_ascii_strncasecmp(line, "x-amz-meta-", strlen("x-amz-meta-")) != 0)
      continue;
    g_autofree char *name = g_strndup(line, (size_t)(colon - line));
    g_ptr_array_add(object->kept, g_ascii_strdown(name, -1));
    g_ptr_array_add(object->kept, g_strstrip(g_strdup(colon + 1)));
  }
}

bool px_s3_take_object(PxS3 *s3, const char *place, PxS3Object *ret, GError **error) {
  const char *length = px_s3_header(s3, "content-length");
  const char *modified = px_s3_header(s3, "last-modified");
  time_t when = modified ? curl_getdate(modified, NULL) : -1;
  if (!length || !g_ascii_string_to_unsigned(length, 10, 0, INT64_MAX, &ret->size, NULL)) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: the server does not tell how many bytes it has", place);
    return false;
  }
  ret->mtime_s = when < 0 ? 0 : (int64_t)when;
  ret->etag = plain_etag(px_s3_header(s3, "etag"), &ret->is_weak);
  keep_headers(s3, ret);
  return true;
}

/* Whoever may not list a bucket is not told whether a key is in it: both are denied. */
static bool denied(PxS3 *s3, const char *key, const char *place, const char *doing, GError **error) {
  g_auto(PxS3Page) page = {0};
  g_autoptr(GError) problem = NULL;
  if (!read_page(s3, key, place, NULL, "1", &page, &problem))
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE,
                "%s: cannot %s: Permission denied; give pattimpex the right to list the bucket and to read what is in it", place, doing);
  else if (page.entries->len > 0 && strcmp(g_array_index(page.entries, PxS3Entry, 0).key, key) == 0)
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: cannot %s: Permission denied; give pattimpex the right to read it", place, doing);
  else
    (void)px_storage_not_found(error, place, doing);
  return false;
}

static bool get_failed(PxS3 *s3, const PxS3Answer *answer, const char *key, const char *place, const char *doing, GError **error) {
  if (answer->status == 403 && (!answer->code || !*answer->code || strcmp(answer->code, "AccessDenied") == 0))
    return denied(s3, key, place, doing, error);
  return px_s3_fail(error, s3, answer, place, doing);
}

/* The answer to HEAD says little of what is wrong: one byte is asked for, for the words. */
static bool head_failed(PxS3 *s3, const char *key, const char *place, const char *doing, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "GET", key);
  g_auto(PxS3Answer) answer = {0};
  px_s3_request_header(request, "range", "bytes=0-0");
  if (!px_s3_call(s3, request, NULL, &answer, error))
    return false;
  return get_failed(s3, &answer, key, place, doing, error);
}

bool px_s3_head(PxS3 *s3, const char *key, const char *place, const char *doing, PxS3Object *ret, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "HEAD", key);
  g_auto(PxS3Answer) answer = {0};
  if (!px_s3_call(s3, request, NULL, &answer, error))
    return false;
  if (answer.status == 200)
    return px_s3_take_object(s3, place, ret, error);
  return answer.status == 404 ? px_s3_fail(error, s3, &answer, place, doing) : head_failed(s3, key, place, doing, error);
}

/* ---- reading */

static void reading_free(Reading *reading) {
  g_free(reading->key);
  g_free(reading->place);
  px_s3_object_clear(&reading->object);
  g_free(reading->bytes);
  g_free(reading);
}

static void s3_expect(void *data, const PxExpected *files, size_t n) {
  Storage *self = data;
  px_s3_early_expect(self->early, files, n, px_pace_piece(self->s3.pace, PX_MOST_EARLY_BYTES));
  if (n == 0)
    px_s3_hang_up(&self->s3);
}

static void *s3_open_read(void *data, const char *path, const char *name, PxFileInfo *ret_info, GError **error) {
  Storage *self = data;
  g_autofree char *key = px_s3_key(&self->s3, path, name);
  g_autofree char *place = px_name_place(path, name);
  PxS3Object object = {0};
  char *bytes = px_s3_early_take(self->early, &self->s3, path, name, &object);
  if (!bytes && !px_s3_head(&self->s3, key, place, "open", &object, error))
    return NULL;
  Reading *reading = g_new0(Reading, 1);
  *reading = (Reading){.key = g_steal_pointer(&key), .place = g_steal_pointer(&place), .object = object, .bytes = bytes};
  g_free(self->name);
  g_free(self->etag);
  self->name = g_strdup(name);
  self->etag = g_strdup(object.etag);
  *ret_info = (PxFileInfo){.name = self->name,
                           .size = object.size,
                           .mtime_ns = object.mtime_s * SECOND_NS,
                           .mtime_precision_ns = PRECISION_NS,
                           .identity = self->etag,
                           .is_whole = true};
  return reading;
}

/* The very object that was opened, or none. */
static bool start_reading(Storage *self, Reading *reading, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(&self->s3, "GET", reading->key);
  g_auto(PxS3Answer) answer = {0};
  g_autofree char *etag = px_s3_condition(&reading->object);
  px_s3_request_header(request, "if-match", etag);
  if (!px_s3_start(&self->s3, request, &answer, error))
    return false;
  reading->started = answer.status == 200;
  if (answer.status != 412)
    return reading->started || get_failed(&self->s3, &answer, reading->key, reading->place, "read", error);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: it was changed after it was opened; it is tried again", reading->place);
  return false;
}

static ssize_t read_early(Reading *reading, void *buffer, size_t size) {
  size_t n = MIN(size, (size_t)(reading->object.size - reading->got));
  memcpy(buffer, reading->bytes + reading->got, n);
  reading->got += n;
  return (ssize_t)n;
}

static ssize_t s3_read(void *data, void *state, void *buffer, size_t size, GError **error) {
  Storage *self = data;
  Reading *reading = state;
  if (reading->bytes)
    return read_early(reading, buffer, size);
  if (!reading->started && !start_reading(self, reading, error))
    return -1;
  ssize_t got = px_exchange_read(self->s3.exchange, buffer, size, error);
  if (got < 0)
    g_prefix_error(error, "%s: ", reading->place);
  return got;
}

static void s3_close_read(void *data, void *state) {
  Storage *self = data;
  Reading *reading = state;
  if (reading->started)
    px_exchange_end(self->s3.exchange);
  reading_free(reading);
}

/* ---- writing */

bool px_s3_make_bucket(PxS3 *s3, GError **error) {
  const PxS3Settings *settings = s3->settings;
  g_autoptr(PxS3Request) request = px_s3_request(s3, "PUT", NULL);
  g_auto(PxS3Answer) answer = {0};
  g_autofree char *escaped = g_markup_escape_text(settings->region, -1);
  g_autofree char *text = strcmp(settings->region, "us-east-1") == 0
                            ? g_strdup("")
                            : g_strdup_printf("<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>%s"
                                              "</LocationConstraint></CreateBucketConfiguration>",
                                              escaped);
  g_autofree char *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  PxS3Body body = {.text = text};
  (void)g_strlcpy(body.sha256, sha256, sizeof body.sha256);
  if (!px_s3_call(s3, request, &body, &answer, error))
    return false;
  bool is_ours = answer.code && strcmp(answer.code, "BucketAlreadyOwnedByYou") == 0;
  return answer.status == 200 || is_ours || px_s3_fail(error, s3, &answer, settings->bucket, "make this bucket");
}

/* Whether the bucket was missing, as problem says, and is there now; problem is gone then. */
static bool made_bucket(Storage *self, GError **problem, GError **error) {
  bool wanted = self->s3.settings->create_bucket && self->s3.lacks_bucket;
  if (wanted && px_s3_make_bucket(&self->s3, error)) {
    g_clear_error(problem);
    return true;
  }
  if (!wanted)
    g_propagate_error(error, g_steal_pointer(problem));
  return false;
}

static bool s3_put(void *data, const PxPut *put, GError **error) {
  Storage *self = data;
  g_autofree char *key = px_s3_key(&self->s3, put->path, put->name);
  g_autofree char *place = px_name_place(put->path, put->name);
  g_autoptr(GError) problem = NULL;
  if (px_s3_put(&self->s3, key, place, put->fd, put->size, put->replace, &problem))
    return true;
  return made_bucket(self, &problem, error) && px_s3_put(&self->s3, key, place, put->fd, put->size, put->replace, error);
}

static void s3_put_all(void *data, PxPutting *puttings, size_t n) {
  Storage *self = data;
  px_s3_put_all(&self->s3, puttings, n);
}

/* ---- moving, removing */

bool px_s3_delete(PxS3 *s3, const char *key, const char *place, GError **error) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "DELETE", key);
  g_auto(PxS3Answer) answer = {0};
  if (!px_s3_call(s3, request, NULL, &answer, error))
    return false;
  return answer.status == 204 || answer.status == 200 || answer.status == 404 || px_s3_fail(error, s3, &answer, place, "remove");
}

static ssize_t pull_object(void *source, void *buffer, size_t size, GError **error) {
  return px_exchange_read(source, buffer, size, error);
}

static bool digest_of(PxS3 *s3, const char *key, char ret_sha256[65]) {
  g_autoptr(PxS3Request) request = px_s3_request(s3, "GET", key);
  g_auto(PxS3Answer) answer = {0};
  uint64_t size;
  if (!px_s3_start(s3, request, &answer, NULL))
    return false;
  bool ok = answer.status == 200 && px_bytes_pump(pull_object, s3->exchange, -1, UINT64_MAX, ret_sha256, &size, NULL);
  px_exchange_end(s3->exchange);
  return ok;
}

typedef struct {
  const char *key, *name;
  PxS3Object object;
} End;

/* A move is a copy and a removal. A process that died between the two left both, one of them under a name that is ours alone, the same bytes. ETags
 * are equal where they are made of the bytes alone; else (encrypted by a key, uploaded in parts) the bytes are read. */
static bool is_our_copy(PxS3 *s3, const End *from, const End *to) {
  bool is_ours = px_name_is_leftover(from->name) || px_name_is_leftover(to->name);
  char one[65];
  char other[65];
  if (!is_ours || strcmp(from->key, to->key) == 0 || from->object.size != to->object.size || to->object.mtime_s < from->object.mtime_s)
    return false;
  if (*from->object.etag && strcmp(from->object.etag, to->object.etag) == 0)
    return true;
  return digest_of(s3, from->key, one) && digest_of(s3, to->key, other) && strcmp(one, other) == 0;
}

/* Removes what was moved, unless other bytes have come under its name since: they stay, a new file. */
static bool remove_moved(PxS3 *s3, const char *key, const PxS3Object *moved, const char *place, GError **error) {
  g_auto(PxS3Object) now = {0};
  g_autoptr(GError) problem = NULL;
  if (px_s3_head(s3, key, place, "move", &now, &problem))
    return strcmp(now.etag, moved->etag) != 0 || now.size != moved->size || px_s3_delete(s3, key, place, error);
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

static void end_clear(End *end) {
  g_free((char *)(uintptr_t)end->key);
  px_s3_object_clear(&end->object);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(End, end_clear)

static bool s3_move(void *data, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error) {
  Storage *self = data;
  PxS3 *s3 = &self->s3;
  g_auto(End) from = {.key = px_s3_key(&self->s3, from_path, from_name), .name = from_name};
  g_auto(End) to = {.key = px_s3_key(&self->s3, to_path, to_name), .name = to_name};
  g_autofree char *from_place = px_name_place(from_path, from_name);
  g_autofree char *to_place = px_name_place(to_path, to_name);
  g_autoptr(GError) problem = NULL;
  if (!px_s3_head(s3, from.key, from_place, "move", &from.object, error))
    return false;
  bool is_there = px_s3_head(s3, to.key, to_place, "move a file to this name", &to.object, &problem);
  if (!is_there && !g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  if (is_there && !is_our_copy(s3, &from, &to))
    return px_storage_exists(error, to_place);
  if (!is_there && !px_s3_copy(s3, from.key, &from.object, to.key, to_place, error))
    return false;
  px_hook("storage.copied");
  if (!remove_moved(s3, from.key, &from.object, from_place, error))
    return false;
  px_hook("storage.moved");
  return true;
}

static bool s3_remove(void *data, const char *path, const char *name, GError **error) {
  Storage *self = data;
  g_auto(PxS3Object) object = {0};
  g_autofree char *key = px_s3_key(&self->s3, path, name);
  g_autofree char *place = px_name_place(path, name);
  return px_s3_head(&self->s3, key, place, "remove", &object, error) && px_s3_delete(&self->s3, key, place, error);
}

/* ---- checking */

/* An empty file under a name that nobody has. */
static bool probe(Storage *self, GError **error) {
  g_autofree char *name = NULL;
  if (!px_name_temporary("", &name, error))
    return false;
  g_autofree char *key = px_s3_key(&self->s3, "", name);
  return px_s3_put(&self->s3, key, "its directory", -1, 0, true, error) && px_s3_delete(&self->s3, key, "its directory", error);
}

static bool list_some(Storage *self, GError **error) {
  g_auto(PxS3Page) page = {0};
  g_autofree char *prefix = px_s3_key(&self->s3, "", NULL);
  return read_page(&self->s3, prefix, "its directory", NULL, "1", &page, error);
}

static bool s3_check(void *data, bool with_probe, GError **error) {
  Storage *self = data;
  g_autoptr(GError) problem = NULL;
  if (list_some(self, &problem) || (with_probe && made_bucket(self, &problem, error)))
    return !with_probe || probe(self, error);
  if (problem)
    g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

static const char *s3_risk(const void *data) {
  const PxS3Settings *settings = data;
  return px_exchange_risk(&settings->exchange);
}

const PxStorageDriver px_s3_storage = {
  .type = "s3",
  .keys = px_s3_keys,
  .n_keys = G_N_ELEMENTS(px_s3_keys),
  .settings_size = sizeof(PxS3Settings),
  .connects = true,
  .defaults = px_s3_defaults,
  .check_settings = px_s3_check_settings,
  .free_settings = px_s3_free_settings,
  .risk = s3_risk,
  .place = px_s3_place,
  .open = s3_open,
  .close = s3_close,
  .list = s3_list,
  .expect = s3_expect,
  .open_read = s3_open_read,
  .read = s3_read,
  .close_read = s3_close_read,
  .put = s3_put,
  .put_all = s3_put_all,
  .move = s3_move,
  .remove = s3_remove,
  .check = s3_check,
};
