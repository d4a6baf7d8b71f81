/* SPDX-License-Identifier: Apache-2.0 */
/* A filestore whose bytes somebody else keeps. */
#include "storage/bytes_private.h"
#include "storage/filestore_private.h"

#include <fcntl.h>
#include <string.h>

#define SPOOL "spool:"

void px_kept_bytes_free(PxKeptBytes *kept) {
  if (!kept)
    return;
  g_free(kept->name);
  g_free(kept);
}

/* A file without a name. */
static int scratch(PxFilestore *store, GError **error) {
  g_autofree char *name = NULL;
  int fd = px_bytes_temporary(store->dry_fd, "kept-", "", 0600, &name);
  if (fd < 0)
    (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, store->dry_directory, "write in it");
  else
    (void)unlinkat(store->dry_fd, name, 0);
  return fd;
}

static bool is_whole(PxFilestore *store, const char *name, int fd, GError **error) {
  char sha256[PX_SHA256_CHARS + 1];
  uint64_t size;
  if (strlen(name) != PX_SHA256_CHARS)
    return true;
  if (lseek(fd, 0, SEEK_SET) < 0 || !px_bytes_copy(fd, -1, UINT64_MAX, sha256, &size, error))
    return false;
  if (strcmp(sha256, name) == 0)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s: the bytes of the blob %s are not those that were stored: restore it from a backup",
              store->directory, name);
  return false;
}

int px_kept_read(PxFilestore *store, const char *name, GError **error) {
  PX_AUTO_FD fd = scratch(store, error);
  if (fd < 0 || !store->keeper->get(store->keeper_data, name, fd, error) || !is_whole(store, name, fd, error))
    return -1;
  (void)lseek(fd, 0, SEEK_SET);
  return px_fd_steal(&fd);
}

bool px_kept_put(PxFilestore *store, const char *name, int fd, GError **error) {
  return store->pretends || store->keeper->put(store->keeper_data, &name, &fd, 1, error);
}

/* ---- what nobody needs */

static bool collect_some(PxFilestore *store, const GPtrArray *some, int64_t before, PxBlobNeeded needed, void *data, PxCollected *collected,
                         GError **error) {
  for (guint i = 0; i < some->len; i++) {
    const PxKeptBytes *kept = some->pdata[i];
    bool wanted = true;
    if (strlen(kept->name) == PX_SHA256_CHARS && !needed(kept->name, &wanted, data, error))
      return false;
    if (wanted)
      continue;
    if (!store->pretends && !store->keeper->remove(store->keeper_data, kept->name, before, error))
      return false;
    collected->blobs++;
    collected->bytes += kept->size;
  }
  return true;
}

bool px_kept_collect(PxFilestore *store, int64_t before, PxBlobNeeded needed, void *data, PxCollected *ret_collected, GError **error) {
  g_autofree char *behind = g_strdup("");
  for (;;) {
    g_autoptr(GPtrArray) some = store->keeper->old(store->keeper_data, "", behind, before, error);
    if (!some || some->len == 0)
      return some != NULL;
    if (!collect_some(store, some, before, needed, data, ret_collected, error))
      return false;
    g_free(behind);
    behind = g_strdup(((const PxKeptBytes *)some->pdata[some->len - 1])->name);
  }
}

/* ---- spools */

bool px_kept_put_spools(PxFilestore *store, const char *name, const int *fds, unsigned n, GError **error) {
  g_auto(GStrv) names = g_new0(char *, n + 1);
  for (unsigned i = 0; i < n; i++)
    names[i] = g_strdup_printf(SPOOL "%s/%u", name, i);
  return store->keeper->put(store->keeper_data, (const char *const *)names, fds, n, error);
}

/* Each chunk of a part reads on in it: the last one is kept. */
int px_kept_read_spool(PxFilestore *store, const char *name, unsigned part, GError **error) {
  g_autofree char *spool = g_strdup_printf(SPOOL "%s/%u", name, part);
  if (g_strcmp0(spool, store->spool) != 0) {
    px_fd_clear(&store->spool_fd);
    g_clear_pointer(&store->spool, g_free);
    store->spool_fd = px_kept_read(store, spool, error);
    if (store->spool_fd < 0)
      return -1;
    store->spool = g_steal_pointer(&spool);
  }
  char path[32];
  g_snprintf(path, sizeof path, "/proc/self/fd/%d", store->spool_fd);
  int fd = open(path, O_RDONLY | O_CLOEXEC); /* with a place of its own */
  if (fd < 0)
    (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, store->directory, "open a spool");
  return fd;
}

static GPtrArray *old_spools(PxFilestore *store, const char *prefix, int64_t before) {
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)px_kept_bytes_free);
  g_autofree char *behind = g_strdup("");
  for (;;) {
    g_autoptr(GPtrArray) some = store->keeper->old(store->keeper_data, prefix, behind, before, NULL);
    if (!some || some->len == 0)
      return all;
    g_free(behind);
    behind = g_strdup(((const PxKeptBytes *)some->pdata[some->len - 1])->name);
    g_ptr_array_extend_and_steal(all, g_steal_pointer(&some));
  }
}

void px_kept_remove_spools(PxFilestore *store, const char *name) {
  g_autofree char *prefix = g_strdup_printf(SPOOL "%s/", name);
  g_autoptr(GPtrArray) parts = old_spools(store, prefix, G_MAXINT64);
  for (guint i = 0; i < parts->len; i++)
    (void)store->keeper->remove(store->keeper_data, ((const PxKeptBytes *)parts->pdata[i])->name, G_MAXINT64, NULL);
}

GPtrArray *px_kept_old_spools(PxFilestore *store, int64_t before) {
  g_autoptr(GPtrArray) parts = old_spools(store, SPOOL, before);
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < parts->len; i++) {
    const char *name = ((const PxKeptBytes *)parts->pdata[i])->name + strlen(SPOOL);
    const char *slash = strrchr(name, '/');
    if (slash && strcmp(slash, "/0") == 0) /* each once */
      g_ptr_array_add(names, g_strndup(name, (gsize)(slash - name)));
  }
  return names;
}
