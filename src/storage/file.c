/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hook.h"
#include "storage/bytes_private.h"
#include "storage/file_private.h"
#include "storage/name_private.h"
#include "storage/storage_driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define SECOND_NS INT64_C(1000000000)
#define IDENTITY_BYTES 64

typedef struct {
  char *directory;
} Settings;

typedef struct {
  const Settings *settings;
  PxPace *pace;
  int root;             /* -1 until the first call */
  char *swept;          /* the directory whose leftover temporary files are gone, NULL: none */
  GHashTable *unsynced; /* the directories (char *) that px_storage_settle() syncs; NULL: each is at once */
  char *name;           /* of the file opened last, and what its PxFileInfo points to */
  char identity[IDENTITY_BYTES];
} File;

/* ---- settings */

static const PxKey keys[] = {
  {.name = "directory", .type = PX_KEY_STRING, .offset = offsetof(Settings, directory), .required = true},
};

static void check_settings(void *data, const PxConfig *config, const PxConfigNode *node, PxComplaints *complaints) {
  Settings *settings = data;
  if (!settings->directory)
    return;
  if (!*settings->directory)
    px_complain(complaints, px_node_get(node, "directory"), "directory: must not be empty; write . for the directory of the configuration");
  char *resolved = px_config_resolve_path(config, settings->directory);
  g_free(settings->directory);
  settings->directory = resolved;
}

static void free_settings(void *data) {
  Settings *settings = data;
  g_free(settings->directory);
}

static char *place_of(const void *data) {
  const Settings *settings = data;
  return g_strdup(settings->directory);
}

/* ---- errors */

static PxError code_of(int failure) {
  static const struct {
    int failure;
    PxError code;
  } codes[] = {
    {ENOENT, PX_ERROR_NOT_FOUND}, {EEXIST, PX_ERROR_EXISTS},    {ELOOP, PX_ERROR_REFUSED},    {ENOTDIR, PX_ERROR_REFUSED},
    {EXDEV, PX_ERROR_REFUSED},    {EISDIR, PX_ERROR_REFUSED},   {ENXIO, PX_ERROR_REFUSED},    {ENAMETOOLONG, PX_ERROR_REFUSED},
    {ENOSPC, PX_ERROR_TRANSIENT}, {EDQUOT, PX_ERROR_TRANSIENT}, {EFBIG, PX_ERROR_TRANSIENT},  {EINTR, PX_ERROR_TRANSIENT},
    {EAGAIN, PX_ERROR_TRANSIENT}, {EBUSY, PX_ERROR_TRANSIENT},  {EMFILE, PX_ERROR_TRANSIENT}, {ENFILE, PX_ERROR_TRANSIENT},
    {ENOMEM, PX_ERROR_TRANSIENT},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
    if (codes[i].failure == failure)
      return codes[i].code;
  }
  return PX_ERROR_UNREACHABLE;
}

static const char *hint_of(int failure) {
  switch (failure) {
  case ELOOP:
    return "symbolic links are not followed";
  case EACCES:
  case EPERM:
    return "give pattimpex the right to it";
  case ENOSPC:
  case EDQUOT:
    return "make room and run again";
  default:
    return NULL;
  }
}

/* From errno. name may be NULL: path itself. */
static bool fail(GError **error, const char *path, const char *name, const char *doing) {
  int failure = errno;
  const char *hint = hint_of(failure);
  g_autofree char *place = px_name_place(path, name);
  g_set_error(error, PX_ERROR, (int)code_of(failure), "%s: cannot %s: %s%s%s", place, doing, g_strerror(failure), hint ? "; " : "", hint ? hint : "");
  return false;
}

static bool refuse(GError **error, const char *path, const char *name, const char *why) {
  g_autofree char *place = px_name_place(path, name);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: %s", place, why);
  return false;
}

/* ---- opening */

static void *file_open(const void *settings, PxPace *pace) {
  File *file = g_new0(File, 1);
  file->settings = settings;
  file->pace = pace;
  file->root = -1;
  return file;
}

static void file_close(void *self) {
  File *file = self;
  px_fd_clear(&file->root);
  g_clear_pointer(&file->unsynced, g_hash_table_unref);
  g_free(file->swept);
  g_free(file->name);
  g_free(file);
}

static bool open_root(File *file, GError **error) {
  if (file->root < 0)
    file->root = open(file->settings->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file->root >= 0)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "its directory %s: %s; %s", file->settings->directory, g_strerror(errno),
              errno == ENOENT ? "make it, or correct the setting \"directory\"" : "correct the setting \"directory\" or the rights");
  return false;
}

/* The directory path for writing in it; -1 with an error. */
static int make_directory(File *file, const char *path, GError **error) {
  if (!open_root(file, error))
    return -1;
  int fd = px_beneath_make_directory(file->root, path);
  if (fd < 0)
    (void)fail(error, path, NULL, "open or make this directory");
  return fd;
}

/* ---- what a file is */

static bool is_file_system(const uint64_t *magics, size_t n, int fd) {
  struct statfs system;
  if (fstatfs(fd, &system) < 0)
    return false;
  for (size_t i = 0; i < n; i++) {
    if (((uint64_t)system.f_type & 0xFFFFFFFF) == magics[i])
      return true;
  }
  return false;
}

/* Where another machine may write, with its own clock, the time of a change says little. Overlays are of what is beneath them, most often local. */
static bool is_local(int fd) {
  static const uint64_t local[] = {0xEF53 /* ext4 */,         0x58465342 /* XFS */,
                                   0x9123683E /* Btrfs */,    0x01021994 /* tmpfs */,
                                   0x2FC12FC1 /* ZFS */,      0xF2F52010 /* F2FS */,
                                   0xCA451A4E /* bcachefs */, 0x794C7630 /* overlay */,
                                   0x4D44 /* FAT */,          0x2011BAB0 /* exFAT */,
                                   0x52654973 /* ReiserFS */, 0x3153464A /* JFS */,
                                   0x5346544E /* NTFS */,     0x858458F6 /* ramfs */};
  return is_file_system(local, G_N_ELEMENTS(local), fd);
}

/* Time stamps of local file systems are kept in nanoseconds but taken from the kernel's tick, at most 10 ms long. Where the
 * file system is unknown, or shows whole seconds (as ext3 and copies of old files do), two seconds: FAT has nothing finer. */
static int64_t mtime_precision(int fd, const struct stat *status) {
  static const uint64_t fine[] = {
    0xEF53 /* ext4 */, 0x58465342 /* XFS */, 0x9123683E /* Btrfs */, 0x01021994 /* tmpfs */, 0x2FC12FC1 /* ZFS */, 0xF2F52010 /* F2FS */,
    0xCA451A4E /* bcachefs */};
  bool is_fine = status->st_mtim.tv_nsec != 0 && is_file_system(fine, G_N_ELEMENTS(fine), fd);
  return is_fine ? SECOND_NS / 100 : 2 * SECOND_NS;
}

/* fd: the file, or the directory it is in. identity: IDENTITY_BYTES, which the result points to. */
static PxFileInfo info_of(int fd, const char *name, const struct stat *status, char *identity) {
  (void)g_snprintf(identity, IDENTITY_BYTES, "%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT ".%09ld", (guint64)status->st_ino,
                   (gint64)status->st_ctim.tv_sec, (long)status->st_ctim.tv_nsec);
  return (PxFileInfo){
    .name = name,
    .size = (uint64_t)status->st_size,
    .mtime_ns = (int64_t)status->st_mtim.tv_sec * SECOND_NS + status->st_mtim.tv_nsec,
    .mtime_precision_ns = mtime_precision(fd, status),
    .identity = identity,
    .refused = S_ISDIR(status->st_mode) ? NULL : px_storage_why_no_file(status->st_mode),
    .is_directory = S_ISDIR(status->st_mode),
    .clock_is_ours = is_local(fd),
  };
}

/* false: the caller has seen enough. An entry that has gone meanwhile is none. */
static bool visit_entry(int directory, const struct dirent *entry, PxFileVisit visit, void *data) {
  char identity[IDENTITY_BYTES];
  struct stat status;
  if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
    return true;
  if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return true;
  PxFileInfo info = info_of(directory, entry->d_name, &status, identity);
  return visit(&info, data);
}

static bool file_list(void *self, const char *path, PxFileVisit visit, void *data, GError **error) {
  File *file = self;
  if (!open_root(file, error))
    return false;
  int fd = px_beneath_open(file->root, path, O_RDONLY | O_DIRECTORY);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    px_fd_clear(&fd);
    return fail(error, path, NULL, "list");
  }
  struct dirent *entry;
  do {
    errno = 0;
    entry = readdir(stream);
  } while (entry && visit_entry(fd, entry, visit, data));
  bool ok = entry || errno == 0 || fail(error, path, NULL, "list");
  (void)closedir(stream);
  return ok;
}

static void *file_open_read(void *self, const char *path, const char *name, PxFileInfo *ret_info, GError **error) {
  File *file = self;
  if (!open_root(file, error))
    return NULL;
  g_autofree char *whole = px_name_place(path, name);
  /* O_NONBLOCK: opening a pipe or a file that another program leases must not hang. */
  PX_AUTO_FD fd = px_beneath_open(file->root, whole, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  if (fd < 0 && errno == EACCES) {
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: cannot open: %s; give pattimpex the right to read it", whole, g_strerror(errno));
    return NULL;
  }
  if (fd < 0 || fstat(fd, &status) < 0) {
    (void)fail(error, path, name, "open");
    return NULL;
  }
  const char *refused = px_storage_why_no_file(status.st_mode);
  if (refused) {
    (void)refuse(error, path, name, refused);
    return NULL;
  }
  g_free(file->name);
  file->name = g_strdup(name);
  *ret_info = info_of(fd, file->name, &status, file->identity);
  int *reading = g_new(int, 1);
  *reading = px_fd_steal(&fd);
  return reading;
}

static ssize_t file_read(void *self, void *reading, void *buffer, size_t size, GError **error) {
  const File *file = self;
  ssize_t got;
  do
    got = read(*(const int *)reading, buffer, size);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot read: %s", file->name, g_strerror(errno));
  return got;
}

static void file_close_read(void *self, void *reading) {
  px_fd_clear(reading);
  g_free(reading);
}

/* ---- writing */

/* Temporary files of puts that died, once a directory. Their age is told by the file system's own clock. */
static void sweep(File *file, const char *path, int directory, int newest) {
  struct stat status;
  if ((file->swept && strcmp(file->swept, path) == 0) || fstat(newest, &status) < 0)
    return;
  px_bytes_sweep(directory, PX_TEMPORARY_PREFIX, status.st_mtim.tv_sec);
  g_free(file->swept);
  file->swept = g_strdup(path);
}

/* Writes all of from, which has size bytes, for the file path/name. */
static bool fill(int to, PxPacedFd from, const char *path, const char *name, uint64_t size, GError **error) {
  g_autofree char *place = px_name_place(path, name);
  uint64_t copied;
  if (lseek(from.fd, 0, SEEK_SET) < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "%s: cannot rewind what is to be written: %s", place, g_strerror(errno));
    return false;
  }
  if (!px_bytes_pump(px_bytes_pull_paced, &from, to, size, NULL, &copied, error) || (copied == size && !px_bytes_sync(to, error))) {
    g_prefix_error(error, "%s: ", place);
    return false;
  }
  if (copied != size) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: %s than the %" G_GUINT64_FORMAT " bytes it had; it changed while it was copied", place,
                copied > size ? "more" : "fewer", (guint64)size);
    return false;
  }
  return true;
}

static bool publish(int directory, const char *temporary, const char *path, const char *name, bool replace, GError **error) {
  px_hook("storage.put.written");
  int result = replace ? renameat(directory, temporary, directory, name) : px_beneath_rename_new(directory, temporary, directory, name);
  if (result < 0)
    return fail(error, path, name, "write");
  px_hook("storage.put.renamed");
  return true;
}

static bool file_put(void *self, const PxPut *put, GError **error) {
  File *file = self;
  const char *path = put->path;
  const char *name = put->name;
  g_autofree char *temporary = NULL;
  PX_AUTO_FD directory = make_directory(file, path, error);
  if (directory < 0)
    return false;
  PX_AUTO_FD new = px_bytes_temporary(directory, PX_TEMPORARY_PREFIX, put->tmp_suffix, 0644, &temporary);
  if (new < 0)
    return fail(error, path, name, "write");
  sweep(file, path, directory, new);
  if (fill(new, (PxPacedFd){put->fd, file->pace}, path, name, put->size, error) && publish(directory, temporary, path, name, put->replace, error))
    return px_bytes_sync_directory(directory, error);
  (void)unlinkat(directory, temporary, 0);
  return false;
}

/* ---- what was moved or removed becomes safe */

static bool sync_or_put_off(const File *file, int directory, const char *path, GError **error) {
  if (!file->unsynced)
    return px_bytes_sync_directory(directory, error);
  g_hash_table_add(file->unsynced, g_strdup(path));
  return true;
}

static void file_put_off(void *self) {
  File *file = self;
  if (!file->unsynced)
    file->unsynced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static bool file_settle(void *self, GError **error) {
  File *file = self;
  g_autoptr(GHashTable) unsynced = g_steal_pointer(&file->unsynced);
  GHashTableIter paths;
  gpointer path;
  if (!unsynced)
    return true;
  g_hash_table_iter_init(&paths, unsynced);
  while (g_hash_table_iter_next(&paths, &path, NULL)) {
    PX_AUTO_FD directory = px_beneath_open(file->root, path, O_RDONLY | O_DIRECTORY);
    if (directory < 0 && errno == ENOENT) /* somebody has removed it since */
      continue;
    if (directory < 0)
      return fail(error, path, NULL, "write to the disk what was moved");
    if (!px_bytes_sync_directory(directory, error))
      return false;
  }
  return true;
}

/* ---- moving */

typedef struct {
  int directory;
  const char *path;
  const char *name;
} Place;

static bool same_status(const struct stat *a, const struct stat *b) {
  return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int open_at(const Place *place, struct stat *ret_status) {
  PX_AUTO_FD fd = openat(place->directory, place->name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat(fd, ret_status) < 0)
    return -1;
  if (!S_ISREG(ret_status->st_mode)) {
    errno = ENXIO;
    return -1;
  }
  return px_fd_steal(&fd);
}

/* Whether to is the copy that a move left which died before it removed its source: the same time to the nanosecond, the same
 * bytes. Nothing is lost where it is not. */
static bool was_copied(const Place *from, const Place *to) {
  struct stat a;
  struct stat b;
  char a_sha256[65];
  char b_sha256[65];
  uint64_t size;
  PX_AUTO_FD from_fd = open_at(from, &a);
  PX_AUTO_FD to_fd = open_at(to, &b);
  return from_fd >= 0 && to_fd >= 0 && same_status(&a, &b) && px_bytes_copy(from_fd, -1, UINT64_MAX, a_sha256, &size, NULL) &&
         px_bytes_copy(to_fd, -1, UINT64_MAX, b_sha256, &size, NULL) && strcmp(a_sha256, b_sha256) == 0;
}

/* A copy under a temporary name, with the mode and time of the original; its name is the caller's to free and to remove. */
static bool copy_file(const Place *from, const Place *to, struct stat *ret_status, char **ret_temporary, GError **error) {
  PX_AUTO_FD in = open_at(from, ret_status);
  if (in < 0)
    return fail(error, from->path, from->name, "open");
  PX_AUTO_FD out = px_bytes_temporary(to->directory, PX_TEMPORARY_PREFIX, "", 0600, ret_temporary);
  if (out < 0)
    return fail(error, to->path, to->name, "write");
  PxPace unlimited = {0};
  struct timespec times[] = {ret_status->st_atim, ret_status->st_mtim};
  if (!fill(out, (PxPacedFd){in, &unlimited}, to->path, to->name, (uint64_t)ret_status->st_size, error))
    return false;
  (void)fchmod(out, ret_status->st_mode & 0777);
  (void)futimens(out, times);
  return px_bytes_sync(out, error);
}

/* The source goes only when the whole copy has its name, and only if it is still what was copied. */
static bool move_copy(const Place *from, const Place *to, GError **error) {
  struct stat copied;
  struct stat now;
  g_autofree char *temporary = NULL;
  if (was_copied(from, to))
    return unlinkat(from->directory, from->name, 0) == 0 || fail(error, from->path, from->name, "remove after it was copied");
  bool ok = copy_file(from, to, &copied, &temporary, error);
  if (ok && px_beneath_rename_new(to->directory, temporary, to->directory, to->name) < 0)
    ok = fail(error, to->path, to->name, "move a file to this name");
  if (!ok) {
    if (temporary)
      (void)unlinkat(to->directory, temporary, 0);
    return false;
  }
  px_hook("storage.copied");
  if (!px_bytes_sync_directory(to->directory, error))
    return false;
  if (fstatat(from->directory, from->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
    return fail(error, from->path, from->name, "remove after it was copied");
  if (now.st_ino == copied.st_ino && same_status(&now, &copied))
    return unlinkat(from->directory, from->name, 0) == 0 || fail(error, from->path, from->name, "remove after it was copied");
  (void)unlinkat(to->directory, to->name, 0);
  g_autofree char *place = px_name_place(from->path, from->name);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: changed while it was moved", place);
  return false;
}

static bool move_between(const File *file, const Place *from, const Place *to, GError **error) {
  struct stat status;
  if (fstatat(from->directory, from->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return fail(error, from->path, from->name, "move");
  const char *refused = px_storage_why_no_file(status.st_mode);
  if (refused)
    return refuse(error, from->path, from->name, refused);
  bool is_elsewhere = px_file_quirks & PX_FILE_OTHER_DEVICE;
  if (!is_elsewhere && px_beneath_rename_new(from->directory, from->name, to->directory, to->name) < 0) {
    is_elsewhere = errno == EXDEV;
    if (!is_elsewhere)
      return fail(error, to->path, to->name, "move a file to this name");
  }
  if (is_elsewhere && !move_copy(from, to, error))
    return false;
  px_hook("storage.moved");
  return sync_or_put_off(file, to->directory, to->path, error) &&
         (strcmp(from->path, to->path) == 0 || sync_or_put_off(file, from->directory, from->path, error));
}

static bool file_move(void *self, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error) {
  File *file = self;
  if (!open_root(file, error))
    return false;
  PX_AUTO_FD from_directory = px_beneath_open(file->root, from_path, O_RDONLY | O_DIRECTORY);
  if (from_directory < 0)
    return fail(error, from_path, from_name, "move");
  PX_AUTO_FD to_directory = make_directory(file, to_path, error);
  if (to_directory < 0)
    return false;
  Place from = {.directory = from_directory, .path = from_path, .name = from_name};
  Place to = {.directory = to_directory, .path = to_path, .name = to_name};
  return move_between(file, &from, &to, error);
}

static bool file_remove(void *self, const char *path, const char *name, GError **error) {
  File *file = self;
  if (!open_root(file, error))
    return false;
  PX_AUTO_FD directory = px_beneath_open(file->root, path, O_RDONLY | O_DIRECTORY);
  if (directory < 0 || unlinkat(directory, name, 0) < 0)
    return fail(error, path, name, "remove");
  return sync_or_put_off(file, directory, path, error);
}

/* ---- checking */

static bool see_one(const PxFileInfo *info, void *data) {
  return false;
}

static bool file_check(void *self, bool probe, GError **error) {
  File *file = self;
  g_autofree char *temporary = NULL;
  if (!file_list(file, "", see_one, NULL, error))
    return false;
  if (!probe)
    return true;
  PX_AUTO_FD fd = px_bytes_temporary(file->root, PX_TEMPORARY_PREFIX, "", 0600, &temporary);
  if (fd < 0)
    return fail(error, "", NULL, "write in it");
  bool written = write(fd, "\n", 1) == 1;
  if (!written)
    (void)fail(error, "", NULL, "write in it");
  if (unlinkat(file->root, temporary, 0) < 0 && written)
    return fail(error, "", NULL, "remove a file of it");
  return written;
}

const PxStorageDriver px_file_storage = {
  .type = "file",
  .keys = keys,
  .n_keys = G_N_ELEMENTS(keys),
  .settings_size = sizeof(Settings),
  .check_settings = check_settings,
  .free_settings = free_settings,
  .place = place_of,
  .open = file_open,
  .close = file_close,
  .list = file_list,
  .open_read = file_open_read,
  .read = file_read,
  .close_read = file_close_read,
  .put = file_put,
  .move = file_move,
  .remove = file_remove,
  .put_off = file_put_off,
  .settle = file_settle,
  .check = file_check,
};
