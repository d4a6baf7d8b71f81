/* SPDX-License-Identifier: Apache-2.0 */
/* Files that will be asked for, read with the one that is asked for, over several connections: each is one request and one answer. Of a file that
 * does not go as it was listed nothing is said here: it is opened plainly when its turn comes. */
#include "storage/name_private.h"
#include "storage/s3_private.h"

#include <string.h>

typedef struct {
  const PxExpected *expected;
  PxS3Object object;
  char *bytes; /* NULL: it was not read */
} File;

struct PxS3Early {
  const PxExpected *files;
  size_t n, next; /* the first that was not begun */
  uint64_t most;
  GQueue begun; /* File, in their order */
};

static void file_free(void *data) {
  File *file = data;
  px_s3_object_clear(&file->object);
  g_free(file->bytes);
  g_free(file);
}

PxS3Early *px_s3_early_new(void) {
  PxS3Early *early = g_new0(PxS3Early, 1);
  g_queue_init(&early->begun);
  return early;
}

void px_s3_early_expect(PxS3Early *early, const PxExpected *files, size_t n, uint64_t most) {
  g_queue_clear_full(&early->begun, file_free);
  early->files = files;
  early->n = n;
  early->next = 0;
  early->most = most;
}

void px_s3_early_free(PxS3Early *early) {
  px_s3_early_expect(early, NULL, 0, 0);
  g_free(early);
}

/* What the answer says of the object is of these very bytes. */
static bool read_file(PxS3 *s3, unsigned i, void *data) {
  File *file = ((GPtrArray *)data)->pdata[i];
  g_autofree char *key = px_s3_key(s3, file->expected->path, file->expected->name);
  g_autoptr(PxS3Request) request = px_s3_request(s3, "GET", key);
  g_auto(PxS3Answer) answer = {0};
  g_auto(PxS3Object) object = {0};
  if (!px_s3_call(s3, request, NULL, &answer, NULL))
    return false;
  bool is_whole = answer.status == 200 && px_s3_take_object(s3, file->expected->name, &object, NULL) && object.size == answer.body->len;
  if (!is_whole || object.size != file->expected->size)
    return true;
  file->bytes = g_string_free(g_steal_pointer(&answer.body), FALSE);
  file->object = object;
  object = (PxS3Object){0};
  return true;
}

static bool is_meant(const PxExpected *expected, const char *path, const char *name) {
  return strcmp(expected->name, name) == 0 && strcmp(expected->path, path) == 0;
}

/* The file that is asked for now and those behind it, as far as they have room. */
static void begin(PxS3Early *early, PxS3 *s3) {
  g_autoptr(GPtrArray) files = g_ptr_array_new();
  uint64_t bytes = 0;
  for (; early->next < early->n && files->len < PX_MOST_EARLY; early->next++) {
    const PxExpected *expected = &early->files[early->next];
    if (expected->size > PX_MOST_EARLY_BYTES_OF_ONE)
      continue;
    if (bytes + expected->size > early->most)
      break;
    bytes += expected->size;
    File *file = g_new0(File, 1);
    file->expected = expected;
    g_queue_push_tail(&early->begun, file);
    g_ptr_array_add(files, file);
  }
  px_s3_share_out(s3, files->len, read_file, files);
}

/* Whether it is one of those that were not begun yet; those before it are not asked for any more. */
static bool is_next(PxS3Early *early, const char *path, const char *name) {
  for (size_t i = early->next; i < early->n; i++)
    if (is_meant(&early->files[i], path, name)) {
      early->next = i;
      return early->files[i].size <= MIN(PX_MOST_EARLY_BYTES_OF_ONE, early->most);
    }
  return false;
}

static bool is_begun(const PxS3Early *early, const char *path, const char *name) {
  for (const GList *at = early->begun.head; at; at = at->next)
    if (is_meant(((const File *)at->data)->expected, path, name))
      return true;
  return false;
}

char *px_s3_early_take(PxS3Early *early, PxS3 *s3, const char *path, const char *name, PxS3Object *ret_object) {
  if (!is_begun(early, path, name)) {
    if (!is_next(early, path, name))
      return NULL;
    g_queue_clear_full(&early->begun, file_free);
    begin(early, s3);
  }
  File *file;
  while (!is_meant((file = g_queue_pop_head(&early->begun))->expected, path, name))
    file_free(file);
  char *bytes = g_steal_pointer(&file->bytes);
  if (bytes) {
    *ret_object = file->object;
    file->object = (PxS3Object){0};
  }
  file_free(file);
  return bytes;
}
