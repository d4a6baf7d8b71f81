/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bytes_private.h"
#include "storage/filestore_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SPOOLS_DIRECTORY "spools"
#define TEMPORARY_PREFIX "."
#define DAY_S (24 * 60 * 60)

struct PxNewSpools {
  PxFilestore *store;
  int parent;    /* SPOOLS_DIRECTORY */
  int directory; /* the new one, by its temporary name */
  char *name;
  char *temporary;
  int *fds;
  unsigned n;
};

static int open_directory(int at, const char *name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory of all spools, made when it is missing. */
static int open_parent(const PxFilestore *store) {
  int top = store->keeper ? store->dry_fd : store->fd;
  int fd = open_directory(top, SPOOLS_DIRECTORY);
  if (fd >= 0 || errno != ENOENT)
    return fd;
  if (mkdirat(top, SPOOLS_DIRECTORY, 0700) < 0 && errno != EEXIST)
    return -1;
  (void)fsync(top);
  return open_directory(top, SPOOLS_DIRECTORY);
}

static void remove_tree(int parent, const char *name) {
  int fd = open_directory(parent, name);
  if (fd >= 0)
    px_bytes_remove_all(fd, 1);
  (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static bool make_files(PxNewSpools *spools) {
  remove_tree(spools->parent, spools->temporary);
  if (mkdirat(spools->parent, spools->temporary, 0700) < 0)
    return false;
  spools->directory = open_directory(spools->parent, spools->temporary);
  for (unsigned i = 0; spools->directory >= 0 && i < spools->n; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "%u", i);
    spools->fds[i] = openat(spools->directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (spools->fds[i] < 0)
      return false;
  }
  return spools->directory >= 0;
}

static void spools_free(PxNewSpools *spools) {
  for (unsigned i = 0; i < spools->n; i++)
    px_fd_clear(&spools->fds[i]);
  px_fd_clear(&spools->directory);
  px_fd_clear(&spools->parent);
  g_free(spools->fds);
  g_free(spools->name);
  g_free(spools->temporary);
  g_free(spools);
}

PxNewSpools *px_filestore_spools_begin(PxFilestore *store, const char *name, unsigned n, const int **ret_fds, GError **error) {
  PxNewSpools *spools = g_new(PxNewSpools, 1);
  *spools = (PxNewSpools){.store = store, .directory = -1, .name = g_strdup(name), .fds = g_new(int, n), .n = n};
  spools->temporary = g_strconcat(TEMPORARY_PREFIX, name, NULL);
  for (unsigned i = 0; i < n; i++)
    spools->fds[i] = -1;
  spools->parent = open_parent(store);
  if (spools->parent >= 0 && make_files(spools)) {
    *ret_fds = spools->fds;
    return spools;
  }
  (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, store->directory, "write in it");
  px_filestore_spools_abandon(spools);
  return NULL;
}

static bool commit(PxNewSpools *spools, GError **error) {
  for (unsigned i = 0; i < spools->n; i++)
    if (!px_bytes_sync(spools->fds[i], error))
      return false;
  if (!px_bytes_sync_directory(spools->directory, error))
    return false;
  if (renameat(spools->parent, spools->temporary, spools->parent, spools->name) < 0)
    return px_filestore_fail(error, PX_ERROR_TRANSIENT, spools->store->directory, "rename new spools");
  return px_bytes_sync_directory(spools->parent, error);
}

bool px_filestore_spools_commit(PxNewSpools *spools, GError **error) {
  if (spools->store->keeper) {
    bool put = px_kept_put_spools(spools->store, spools->name, spools->fds, spools->n, error);
    px_filestore_spools_abandon(spools);
    return put;
  }
  if (!commit(spools, error)) {
    px_filestore_spools_abandon(spools);
    return false;
  }
  spools_free(spools);
  return true;
}

void px_filestore_spools_abandon(PxNewSpools *spools) {
  if (!spools)
    return;
  if (spools->parent >= 0)
    remove_tree(spools->parent, spools->temporary);
  spools_free(spools);
}

int px_filestore_spool_read(PxFilestore *store, const char *name, unsigned part, GError **error) {
  if (store->keeper)
    return px_kept_read_spool(store, name, part, error);
  g_autofree char *path = g_strdup_printf(SPOOLS_DIRECTORY "/%s/%u", name, part);
  int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0)
    return fd;
  if (errno == ENOENT)
    g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "filestore %s: %s is gone, and with it rows that were not loaded yet: retry the whole file",
                store->directory, path);
  else
    (void)px_filestore_fail(error, PX_ERROR_TRANSIENT, store->directory, "open a spool");
  return -1;
}

void px_filestore_spools_remove(PxFilestore *store, const char *name) {
  if (store->keeper) {
    px_kept_remove_spools(store, name);
    return;
  }
  PX_AUTO_FD parent = open_directory(store->fd, SPOOLS_DIRECTORY);
  if (parent >= 0)
    remove_tree(parent, name);
}

static bool is_old(int parent, const char *name, int64_t now_s) {
  struct stat status;
  return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) && status.st_mtim.tv_sec < now_s - DAY_S;
}

GPtrArray *px_filestore_spools_old(PxFilestore *store, int64_t now_s) {
  if (store->keeper)
    return px_kept_old_spools(store, (now_s - DAY_S) * G_USEC_PER_SEC);
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  int parent = open_directory(store->fd, SPOOLS_DIRECTORY);
  DIR *stream = parent >= 0 ? fdopendir(parent) : NULL;
  if (!stream) {
    px_fd_clear(&parent);
    return names;
  }
  struct dirent *entry;
  while ((entry = readdir(stream))) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !is_old(parent, name, now_s))
      continue;
    if (g_str_has_prefix(name, TEMPORARY_PREFIX))
      remove_tree(parent, name);
    else
      g_ptr_array_add(names, g_strdup(name));
  }
  (void)closedir(stream);
  return names;
}
