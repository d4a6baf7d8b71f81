/* SPDX-License-Identifier: Apache-2.0 */
/* Putting files: under which name, whether it is there already, one by one or several at once. */
#include "storage/name_private.h"
#include "storage/storage_private.h"

#include <string.h>

typedef enum { TARGET_ABSENT, TARGET_SAME, TARGET_OTHER } Target;

typedef struct {
  char *path; /* clean */
  int fd;
  uint64_t size;
  char *sha256; /* NULL: nobody needed it yet */
  PxOnExists on_exists;
} Put;

static bool digest_of_put(Put *put, GError **error) {
  char sha256[65];
  if (put->sha256)
    return true;
  if (lseek(put->fd, 0, SEEK_SET) < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read: %s", g_strerror(errno));
    return false;
  }
  if (!px_storage_digest_fd(put->fd, sha256, error))
    return false;
  put->sha256 = g_strdup(sha256);
  return true;
}

/* What is at path/name now. put NULL: nothing is the same. */
static bool look_at(PxStorage *storage, const char *path, const char *name, Put *put, Target *ret, GError **error) {
  g_autoptr(GError) problem = NULL;
  PxFileInfo info;
  g_autoptr(PxReading) reading = px_storage_begin_read(storage, path, name, &info, &problem);
  *ret = TARGET_OTHER;
  if (!reading) {
    if (g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND))
      *ret = TARGET_ABSENT;
    else if (!g_error_matches(problem, PX_ERROR, PX_ERROR_REFUSED)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
    return true;
  }
  if (!put || info.size != put->size)
    return true;
  char found[65];
  uint64_t found_size;
  if (!digest_of_put(put, error) || !px_bytes_pump(px_storage_pull, reading, -1, put->size, found, &found_size, error))
    return false;
  if (strcmp(found, put->sha256) == 0)
    *ret = TARGET_SAME;
  return true;
}

bool px_storage_is_free(PxStorage *storage, const char *path, const char *name, bool *ret_free, GError **error) {
  Target target;
  bool ok = look_at(storage, path, name, NULL, &target, error);
  *ret_free = ok && target == TARGET_ABSENT;
  return ok;
}

bool px_storage_exists_at(const char *path, const char *name, GError **error) {
  g_autofree char *place = px_name_place(path, name);
  return px_storage_exists(error, place);
}

/* Puts it under this very name. PX_ERROR_EXISTS where another is there and may not be replaced. */
static bool put_as(PxStorage *storage, Put *put, const char *name, GError **error) {
  Target target;
  if (!look_at(storage, put->path, name, put, &target, error))
    return false;
  if (target == TARGET_SAME)
    return true;
  if (target == TARGET_OTHER && put->on_exists != PX_EXISTS_REPLACE)
    return px_storage_exists_at(put->path, name, error);
  g_autoptr(GError) problem = NULL;
  const PxPut given = {.path = put->path,
                       .name = name,
                       .fd = put->fd,
                       .size = put->size,
                       .replace = put->on_exists == PX_EXISTS_REPLACE,
                       .tmp_suffix = storage->tmp_suffix};
  if (storage->dry_run || storage->driver->put(storage->self, &given, &problem))
    return true;
  /* It came between the look and the put; it is ours where the answer to the first of two tries was lost. */
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS) && look_at(storage, put->path, name, put, &target, NULL) && target == TARGET_SAME)
    return true;
  g_propagate_error(error, g_steal_pointer(&problem));
  return false;
}

/* Under the first name that it may have. */
static bool put_somewhere(PxStorage *storage, Put *put, const char *name, char **ret_name, GError **error) {
  for (unsigned number = 0; number < PX_MOST_NUMBERS; number++) {
    g_autoptr(GError) problem = NULL;
    g_autofree char *candidate = px_name_numbered(name, number);
    if (put_as(storage, put, candidate, &problem)) {
      if (ret_name)
        *ret_name = g_steal_pointer(&candidate);
      return true;
    }
    if (put->on_exists != PX_EXISTS_NUMBER || !g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return false;
    }
  }
  return px_storage_exists_at(put->path, name, error);
}

static void put_clear(Put *put) {
  g_free(put->path);
  g_free(put->sha256);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Put, put_clear)

bool px_storage_put(PxStorage *storage, const char *path, const char *name, int fd, uint64_t size, const char *sha256, PxOnExists on_exists,
                    char **ret_name, GError **error) {
  g_auto(Put) put = {.fd = fd, .size = size, .sha256 = g_strdup(sha256), .on_exists = on_exists};
  return px_storage_clean_place(storage, path, name, false, &put.path, error) &&
         (put_somewhere(storage, &put, name, ret_name, error) || px_storage_failed(storage, error));
}

/* ---- several */

typedef struct {
  PxStorage *storage;
  PxStopAsked stopped;
  void *data;
  bool doubtful; /* something failed that may be the server's doing: whether it answers is to be found out before it is asked for more */
  GError *rest;  /* why what is left is not tried; NULL: it is */
} Several;

static void note_failure(Several *several, const GError *error) {
  several->doubtful |= g_error_matches(error, PX_ERROR, PX_ERROR_TRANSIENT) || g_error_matches(error, PX_ERROR, PX_ERROR_UNREACHABLE);
}

static bool goes_on(Several *several) {
  bool asks = several->doubtful && !several->rest;
  several->doubtful = false;
  return !several->rest && (!asks || px_storage_check(several->storage, false, &several->rest)) &&
         !(several->stopped && several->stopped(several->data, &several->rest));
}

static void put_one_of(Several *several, PxUpload *upload) {
  if (!goes_on(several))
    upload->error = g_error_copy(several->rest);
  else if (!px_storage_put(several->storage, upload->path, upload->name, upload->fd, upload->size, upload->sha256, upload->on_exists,
                           &upload->ret_name, &upload->error))
    note_failure(several, upload->error);
}

static PxPutting putting_of(const PxStorage *storage, const PxUpload *upload, const char *clean) {
  return (PxPutting){.put = {.path = clean,
                             .name = upload->name,
                             .fd = upload->fd,
                             .size = upload->size,
                             .replace = upload->on_exists == PX_EXISTS_REPLACE,
                             .tmp_suffix = storage->tmp_suffix}};
}

/* Those that may be put together: ret_of[i] is the upload of the i-th; their paths live as long as places. What is wrong with another is told when it
 * is put by itself. */
static GArray *choose(const PxStorage *storage, PxUpload *uploads, size_t n, GHashTable *places, PxUpload **ret_of) {
  GArray *puttings = g_array_sized_new(FALSE, FALSE, sizeof(PxPutting), (guint)n);
  for (size_t i = 0; i < n; i++) {
    char *clean = NULL;
    if (!px_storage_clean_place(storage, uploads[i].path, uploads[i].name, false, &clean, NULL))
      continue;
    const PxPutting putting = putting_of(storage, &uploads[i], clean);
    g_autofree char *place = px_name_place(clean, uploads[i].name);
    if (g_hash_table_contains(places, place)) {
      g_free(clean);
      continue;
    }
    g_hash_table_insert(places, g_steal_pointer(&place), clean);
    ret_of[puttings->len] = &uploads[i];
    g_array_append_val(puttings, putting);
  }
  return puttings;
}

static void take_outcome(Several *several, const PxPutting *putting, PxUpload *upload) {
  if (!putting->decided)
    return;
  if (!putting->error) {
    upload->ret_name = g_strdup(upload->name);
    return;
  }
  g_propagate_error(&upload->error, putting->error);
  (void)px_storage_failed(several->storage, &upload->error);
  note_failure(several, upload->error);
}

static void put_together(Several *several, PxUpload *uploads, size_t n) {
  PxStorage *storage = several->storage;
  PxUpload *of[PX_MOST_PUTTINGS] = {NULL};
  g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GArray) puttings = choose(storage, uploads, n, places, of);
  if (puttings->len < 2 || !goes_on(several))
    return;
  storage->driver->put_all(storage->self, (PxPutting *)(void *)puttings->data, puttings->len);
  for (guint i = 0; i < puttings->len; i++)
    take_outcome(several, &g_array_index(puttings, PxPutting, i), of[i]);
}

/* How many of them are put at once. */
static size_t next_few(const PxUpload *uploads, size_t n) {
  uint64_t bytes = 0;
  size_t few = 0;
  while (few < MIN(n, PX_MOST_PUTTINGS) && (few == 0 || uploads[few].size <= PX_MOST_PUTTING_BYTES - MIN(bytes, PX_MOST_PUTTING_BYTES)))
    bytes += uploads[few++].size;
  return few;
}

bool px_storage_put_all(PxStorage *storage, PxUpload *uploads, size_t n, PxStopAsked stopped, void *data) {
  Several several = {.storage = storage, .stopped = stopped, .data = data};
  bool together = storage->driver->put_all && !storage->dry_run;
  bool all = true;
  for (size_t at = 0; at < n;) {
    size_t end = at + next_few(uploads + at, n - at);
    if (together && end - at > 1)
      put_together(&several, uploads + at, end - at);
    for (; at < end; at++) {
      if (!uploads[at].ret_name && !uploads[at].error)
        put_one_of(&several, &uploads[at]);
      all &= !uploads[at].error;
    }
  }
  g_clear_error(&several.rest);
  return all;
}
