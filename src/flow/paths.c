/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/paths.h"

#include "base/file.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_SIZE ((size_t)256 * 1024)

void px_path_close_fd(const int *fd) {
  if (*fd >= 0)
    (void)close(*fd);
}

bool px_path_fail(const char *path, const char *doing, PxError code, GError **error) {
  g_set_error(error, PX_ERROR, (int)code, "%s: cannot %s: %s", path, doing, g_strerror(errno));
  return false;
}

bool px_path_is_standard(const char *path) {
  return strcmp(path, "-") == 0;
}

int px_path_open(const char *path, GError **error) {
  int fd = px_path_is_standard(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    (void)close(fd);
    fd = -1;
    errno = EISDIR;
  }
  if (fd < 0)
    (void)px_path_fail(path, "open", PX_ERROR_NOT_FOUND, error);
  return fd;
}

static bool copy(int from, int to, const char *path, GError **error) {
  g_autofree char *buffer = g_malloc(COPY_SIZE);
  for (;;) {
    ssize_t n = read(from, buffer, COPY_SIZE);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return px_path_fail(path, "read", PX_ERROR_TRANSIENT, error);
    if (n == 0)
      return true;
    if (!px_write_all(to, buffer, (size_t)n, NULL, error)) {
      g_prefix_error(error, "%s: ", path);
      return false;
    }
  }
}

static bool is_file(const char *path) {
  struct stat status;
  return !px_path_is_standard(path) && (stat(path, &status) < 0 || S_ISREG(status.st_mode));
}

static int begin_beside(const char *path, char **ret_temporary, GError **error) {
  g_autofree char *temporary = g_strdup_printf("%s.pattimpex-XXXXXX", path);
  int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0666);
  if (fd < 0)
    (void)px_path_fail(path, "make", PX_ERROR_UNREACHABLE, error);
  else
    *ret_temporary = g_steal_pointer(&temporary);
  return fd;
}

static bool end_beside(int fd, const char *path, const char *temporary, bool whole, GError **error) {
  bool done = whole && ((fsync(fd) == 0 && rename(temporary, path) == 0) || px_path_fail(path, "write", PX_ERROR_TRANSIENT, error));
  if (!done)
    (void)unlink(temporary);
  return done;
}

bool px_path_deliver(int fd, const char *path, GError **error) {
  if (lseek(fd, 0, SEEK_SET) < 0)
    return px_path_fail(path, "read again", PX_ERROR_INTERNAL, error);
  if (px_path_is_standard(path))
    return copy(fd, STDOUT_FILENO, "standard output", error);
  if (!is_file(path)) { /* a pipe or a device is written to, not replaced */
    PX_PATH_FD device = open(path, O_WRONLY | O_CLOEXEC);
    return device < 0 ? px_path_fail(path, "open", PX_ERROR_UNREACHABLE, error) : copy(fd, device, path, error);
  }
  g_autofree char *temporary = NULL;
  PX_PATH_FD out = begin_beside(path, &temporary, error);
  return out >= 0 && end_beside(out, path, temporary, copy(fd, out, path, error), error);
}

int px_path_begin(const char *path, char **ret_temporary, GError **error) {
  *ret_temporary = NULL;
  return is_file(path) ? begin_beside(path, ret_temporary, error) : px_temporary_file(error);
}

bool px_path_end(int fd, const char *path, char *temporary, bool whole, GError **error) {
  g_autofree char *owned = temporary;
  return owned ? end_beside(fd, path, owned, whole, error) : whole && px_path_deliver(fd, path, error);
}

char *px_path_name(const char *path) {
  return px_path_is_standard(path) ? g_strdup("stdin") : g_path_get_basename(path);
}

int px_path_seekable(int fd, const char *path, uint64_t *ret_size, GError **error) {
  struct stat status;
  int out = -1;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && lseek(fd, 0, SEEK_SET) == 0) {
    out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  } else {
    out = px_temporary_file(error);
    if (out >= 0 && !copy(fd, out, path, error)) {
      (void)close(out);
      return -1;
    }
  }
  *ret_size = out >= 0 && fstat(out, &status) == 0 ? (uint64_t)status.st_size : 0;
  return out;
}

char *px_path_sha256(int fd, const char *path, GError **error) {
  char sha256[65];
  if (lseek(fd, 0, SEEK_SET) < 0 || !px_storage_digest_fd(fd, sha256, NULL) || lseek(fd, 0, SEEK_SET) < 0) {
    (void)px_path_fail(path, "read", PX_ERROR_TRANSIENT, error);
    return NULL;
  }
  return g_strdup(sha256);
}
