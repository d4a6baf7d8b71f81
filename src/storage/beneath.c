/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bytes_private.h"
#include "storage/file_private.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define RACE_TRIES 8

unsigned px_file_quirks;

/* openat2(2): EAGAIN says that a rename went on meanwhile, and to try again. */
static int open_at_once(int root, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  if (px_file_quirks & PX_FILE_NO_OPENAT2) {
    errno = ENOSYS;
    return -1;
  }
  long fd = -1;
  for (unsigned i = 0; i < RACE_TRIES; i++) {
    fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN)
      break;
  }
  return (int)fd;
}

static bool is_outside(const char *part) {
  return strcmp(part, "..") == 0 || *part == 0;
}

/* Part by part, for kernels before 5.6 and sandboxes that forbid openat2. */
static int open_by_parts(int root, const char *path, int flags) {
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  PX_AUTO_FD directory = fcntl(root, F_DUPFD_CLOEXEC, 0);
  for (char **part = parts; directory >= 0; part++) {
    if (is_outside(*part)) {
      errno = EXDEV;
      return -1;
    }
    if (!part[1])
      return openat(directory, *part, flags | O_NOFOLLOW);
    int next = openat(directory, *part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    px_fd_clear(&directory);
    directory = next;
  }
  return -1;
}

int px_beneath_open(int root, const char *path, int flags) {
  const char *at = *path ? path : ".";
  int fd = open_at_once(root, at, flags | O_CLOEXEC);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
    return fd;
  return open_by_parts(root, at, flags | O_CLOEXEC);
}

/* The directory name in directory, made when it is missing. */
static int make_part(int directory, const char *name) {
  int fd = px_beneath_open(directory, name, O_RDONLY | O_DIRECTORY);
  if (fd >= 0 || errno != ENOENT)
    return fd;
  if (mkdirat(directory, name, 0755) < 0 && errno != EEXIST)
    return -1;
  (void)fsync(directory);
  return px_beneath_open(directory, name, O_RDONLY | O_DIRECTORY);
}

int px_beneath_make_directory(int root, const char *path) {
  int whole = px_beneath_open(root, path, O_RDONLY | O_DIRECTORY);
  if (whole >= 0 || errno != ENOENT)
    return whole;
  g_auto(GStrv) parts = g_strsplit(path, "/", -1);
  PX_AUTO_FD directory = fcntl(root, F_DUPFD_CLOEXEC, 0);
  for (char **part = parts; *part && directory >= 0; part++) {
    int next = make_part(directory, *part);
    px_fd_clear(&directory);
    directory = next;
  }
  return px_fd_steal(&directory);
}

static int rename_no_replace(int from_directory, const char *from, int to_directory, const char *to) {
  if (px_file_quirks & PX_FILE_NO_RENAMEAT2) {
    errno = ENOSYS;
    return -1;
  }
  return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

static bool is_same_file(int from_directory, const char *from, int to_directory, const char *to) {
  struct stat a;
  struct stat b;
  return fstatat(from_directory, from, &a, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(to_directory, to, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
         a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_nlink > 1;
}

int px_beneath_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
  if (rename_no_replace(from_directory, from, to_directory, to) == 0)
    return 0;
  if (errno != ENOSYS && errno != EINVAL)
    return -1;
  /* A process that died between the two calls left both names of the one file; it is finished here. */
  if (linkat(from_directory, from, to_directory, to, 0) < 0 && !(errno == EEXIST && is_same_file(from_directory, from, to_directory, to)))
    return -1;
  return unlinkat(from_directory, from, 0);
}
