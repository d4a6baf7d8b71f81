/* SPDX-License-Identifier: Apache-2.0 */
/* The collector: removes blobs that nobody needs. A blob is taken aside before it is removed, looked at again, and put back when it is needed by
 * then, so that a fetch that finds the blob there and touches it does not lose it; one that finds it gone writes it anew. */
#include "storage/bytes_private.h"
#include "storage/filestore_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE "tmp/trash-"

typedef struct {
  PxFilestore *store;
  int64_t before; /* seconds */
  PxBlobNeeded needed;
  void *data;
  PxCollected *collected;
} Collector;

static bool is_old(const Collector *collector, const char *path, uint64_t *ret_size) {
  struct stat status;
  if (fstatat(collector->store->fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
    return false;
  *ret_size = (uint64_t)status.st_size;
  return status.st_mtim.tv_sec < collector->before;
}

/* A blob that was taken aside, by this collector or by one that was killed. */
static bool settle(const Collector *collector, const char *sha256, GError **error) {
  g_autofree char *path = g_strdup_printf("%.2s/%s", sha256, sha256 + 2);
  g_autofree char *aside = g_strconcat(ASIDE, sha256, NULL);
  int fd = collector->store->fd;
  bool needed;
  uint64_t size = 0;
  bool old = is_old(collector, aside, &size);
  if (!collector->needed(sha256, &needed, collector->data, error))
    return false;
  if (needed || !old) {
    (void)renameat(fd, aside, fd, path);
    return true;
  }
  if (unlinkat(fd, aside, 0) == 0) {
    collector->collected->blobs++;
    collector->collected->bytes += size;
  }
  return true;
}

static bool look_at(const Collector *collector, const char *sha256, GError **error) {
  g_autofree char *path = g_strdup_printf("%.2s/%s", sha256, sha256 + 2);
  g_autofree char *aside = g_strconcat(ASIDE, sha256, NULL);
  int fd = collector->store->fd;
  bool needed;
  uint64_t size;
  if (!is_old(collector, path, &size))
    return true;
  if (!collector->needed(sha256, &needed, collector->data, error))
    return false;
  if (needed)
    return true;
  if (collector->store->dry_directory) {
    collector->collected->blobs++;
    collector->collected->bytes += size;
    return true;
  }
  return renameat(fd, path, fd, aside) < 0 || settle(collector, sha256, error);
}

static bool is_hexadecimal(const char *text, size_t len) {
  return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

/* Calls visit for each entry of a directory that has so many hexadecimal digits behind the prefix. */
static bool walk(const Collector *collector, const char *directory, const char *skip, size_t digits,
                 bool (*visit)(const Collector *collector, const char *sha256, GError **error), GError **error) {
  int fd = openat(collector->store->fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    px_fd_clear(&fd);
    return true;
  }
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const struct dirent *entry;
  while ((entry = readdir(stream)))
    if (g_str_has_prefix(entry->d_name, skip) && is_hexadecimal(entry->d_name + strlen(skip), digits))
      g_ptr_array_add(names, g_strdup(entry->d_name + strlen(skip)));
  (void)closedir(stream);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *sha256 = g_strconcat(digits == 64 ? "" : directory, names->pdata[i], NULL);
    if (!visit(collector, sha256, error))
      return false;
  }
  return true;
}

bool px_filestore_collect(PxFilestore *store, int64_t before, PxBlobNeeded needed, void *data, PxCollected *ret_collected, GError **error) {
  *ret_collected = (PxCollected){0};
  if (store->keeper)
    return px_kept_collect(store, before, needed, data, ret_collected, error);
  const Collector collector = {.store = store, .before = before / G_USEC_PER_SEC, .needed = needed, .data = data, .collected = ret_collected};
  if (store->fd < 0)
    return true;
  if (!store->dry_directory && !walk(&collector, "tmp", "trash-", 64, settle, error))
    return false;
  for (unsigned i = 0; i < 256; i++) {
    char directory[3];
    g_snprintf(directory, sizeof directory, "%02x", i);
    if (!walk(&collector, directory, "", 62, look_at, error))
      return false;
  }
  return true;
}
