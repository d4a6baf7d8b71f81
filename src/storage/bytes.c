/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bytes_private.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/stat.h>

#define PIECE_BYTES ((size_t)256 * 1024)
#define FLUSH_BYTES (UINT64_C(16) * 1024 * 1024) /* written without the disk having begun */
#define DAY_S (24 * 60 * 60)
#define NAME_TRIES 100
#define PIECES_A_SECOND 10

size_t px_pace_piece(const PxPace *pace, size_t bytes) {
  return pace->limit ? (size_t)MIN(bytes, MAX(pace->limit / PIECES_A_SECOND, 1)) : bytes;
}

void px_pace_spend(PxPace *pace, size_t bytes) {
  static GMutex lock; /* threads that send parts of one file share a pace */
  if (!pace->limit)
    return;
  g_mutex_lock(&lock);
  int64_t now = g_get_monotonic_time();
  int64_t due = MAX(pace->due, now) + (int64_t)((double)bytes * G_USEC_PER_SEC / (double)pace->limit);
  pace->due = due;
  g_mutex_unlock(&lock);
  g_usleep((gulong)(due - now));
}

static ssize_t pull_fd(void *source, void *buffer, size_t size, GError **error) {
  ssize_t got;
  do
    got = read(*(const int *)source, buffer, size);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot read: %s", g_strerror(errno));
  return got;
}

ssize_t px_bytes_pull_paced(void *source, void *buffer, size_t size, GError **error) {
  PxPacedFd *paced = source;
  ssize_t got = pull_fd(&paced->fd, buffer, px_pace_piece(paced->pace, size), error);
  px_pace_spend(paced->pace, (size_t)MAX(got, 0));
  return got;
}

typedef struct {
  PxPull pull;
  void *data;
} Source;

static bool pump_pieces(const Source *source, int to, uint64_t limit, EVP_MD_CTX *digest, uint64_t *ret_size, GError **error) {
  g_autofree char *piece = g_malloc(PIECE_BYTES);
  uint64_t flushed = 0;
  *ret_size = 0;
  while (*ret_size <= limit) {
    ssize_t got = source->pull(source->data, piece, PIECE_BYTES, error);
    if (got < 0)
      return false;
    if (got == 0)
      break;
    if (digest && EVP_DigestUpdate(digest, piece, (size_t)got) != 1) {
      g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcrypto cannot go on with SHA-256");
      return false;
    }
    if (to >= 0 && !px_write_all(to, piece, (size_t)got, NULL, error))
      return false;
    *ret_size += (uint64_t)got;
    if (to >= 0 && *ret_size - flushed >= FLUSH_BYTES) { /* the disk writes while the rest comes, so that the sync at the end is short */
      (void)sync_file_range(to, 0, 0, SYNC_FILE_RANGE_WRITE);
      flushed = *ret_size;
    }
  }
  return true;
}

static bool finish_digest(EVP_MD_CTX *digest, char *ret_sha256, GError **error) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  if (EVP_DigestFinal_ex(digest, bytes, &len) != 1) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcrypto cannot finish SHA-256");
    return false;
  }
  for (unsigned i = 0; i < len; i++)
    (void)g_snprintf(ret_sha256 + 2 * i, 3, "%02x", bytes[i]);
  return true;
}

bool px_bytes_copy(int from, int to, uint64_t limit, char *ret_sha256, uint64_t *ret_size, GError **error) {
  return px_bytes_pump(pull_fd, &from, to, limit, ret_sha256, ret_size, error);
}

bool px_bytes_pump(PxPull pull, void *data, int to, uint64_t limit, char *ret_sha256, uint64_t *ret_size, GError **error) {
  const Source source = {.pull = pull, .data = data};
  if (!ret_sha256)
    return pump_pieces(&source, to, limit, NULL, ret_size, error);
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  bool ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
  if (!ok)
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "libcrypto has no SHA-256");
  ok = ok && pump_pieces(&source, to, limit, digest, ret_size, error) && finish_digest(digest, ret_sha256, error);
  EVP_MD_CTX_free(digest);
  return ok;
}

bool px_bytes_sync(int fd, GError **error) {
  return fsync(fd) == 0 || px_fail_to_write(NULL, error);
}

bool px_bytes_sync_directory(int fd, GError **error) {
  return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS || px_fail_to_write(NULL, error);
}

int px_bytes_temporary(int directory, const char *prefix, const char *suffix, unsigned mode, char **ret_name) {
  for (unsigned i = 0; i < NAME_TRIES; i++) {
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
      return -1;
    g_autofree char *name = g_strdup_printf("%s%016" G_GINT64_MODIFIER "x%s", prefix, number, suffix);
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0)
      *ret_name = g_steal_pointer(&name);
    if (fd >= 0 || errno != EEXIST)
      return fd;
  }
  return -1;
}

void px_bytes_sweep(int directory, const char *prefix, int64_t now_s) {
  int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
  if (!stream) {
    px_fd_clear(&fd);
    return;
  }
  struct dirent *entry;
  while ((entry = readdir(stream))) {
    struct stat status;
    if (g_str_has_prefix(entry->d_name, prefix) && fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
        status.st_mtim.tv_sec < now_s - DAY_S)
      (void)unlinkat(fd, entry->d_name, 0);
  }
  (void)closedir(stream);
}

void px_bytes_remove_all(int fd, unsigned levels) {
  DIR *stream = fdopendir(fd);
  if (!stream) {
    px_fd_clear(&fd);
    return;
  }
  struct dirent *entry;
  while ((entry = readdir(stream))) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    int below = levels > 1 ? openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (below >= 0)
      px_bytes_remove_all(below, levels - 1);
    (void)unlinkat(fd, entry->d_name, below >= 0 ? AT_REMOVEDIR : 0);
  }
  (void)closedir(stream);
}
