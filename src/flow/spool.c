/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/spool.h"

#include "base/file.h"

#include <errno.h>
#include <unistd.h>

struct PxSpool {
  int fd;
  bool kept; /* it may have been made by another program */
};

PxSpool *px_spool_new(void) {
  int fd = px_temporary_file(NULL);
  if (fd < 0)
    return NULL;
  PxSpool *spool = g_new0(PxSpool, 1);
  spool->fd = fd;
  return spool;
}

void px_spool_free(PxSpool *spool) {
  if (!spool)
    return;
  (void)close(spool->fd);
  g_free(spool);
}

bool px_spool_write(int fd, const PxRowBatch *batch, GError **error) {
  uint64_t size = px_row_batch_size(batch);
  return px_write_all(fd, &size, sizeof size, "the rows of the file", error) && px_write_all(fd, batch, size, "the rows of the file", error);
}

bool px_spool_add(PxSpool *spool, const PxRowBatch *batch) {
  return px_spool_write(spool->fd, batch, NULL);
}

PxSpool *px_spool_open(int fd) {
  PxSpool *spool = g_new(PxSpool, 1);
  *spool = (PxSpool){.fd = fd, .kept = true};
  return spool;
}

bool px_spool_seek(PxSpool *spool, uint64_t place, GError **error) {
  if (lseek(spool->fd, (off_t)place, SEEK_SET) >= 0)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "a spool cannot be read: %s", g_strerror(errno));
  return false;
}

bool px_spool_rewind(PxSpool *spool) {
  return lseek(spool->fd, 0, SEEK_SET) == 0;
}

/* How much of size bytes could be read. */
static size_t read_some(int fd, void *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t n = read(fd, (char *)bytes + done, size - done);
    if (n == 0 || (n < 0 && errno != EINTR))
      break;
    done += n < 0 ? 0 : (size_t)n;
  }
  return done;
}

PxRowBatch *px_spool_next(PxSpool *spool, GError **error) {
  uint64_t size;
  size_t head = read_some(spool->fd, &size, sizeof size);
  if (head == 0)
    return NULL;
  g_autofree PxRowBatch *batch = head == sizeof size ? g_try_malloc(size) : NULL;
  if (batch && read_some(spool->fd, batch, size) == size)
    return !spool->kept || px_row_batch_check(batch, size, error) ? g_steal_pointer(&batch) : NULL;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the temporary file of the rows that were read cannot be read again");
  return NULL;
}
