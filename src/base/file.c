/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

bool px_fail_to_write(const char *what, GError **error) {
  int failure = errno;
  bool is_full = failure == ENOSPC || failure == EDQUOT || failure == EFBIG;
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "cannot write%s%s: %s%s", what ? " " : "", what ? what : "", g_strerror(failure),
              is_full ? "; make room and run again" : "");
  return false;
}

bool px_write_all(int fd, const void *bytes, size_t size, const char *what, GError **error) {
  for (size_t done = 0; done < size;) {
    ssize_t n = write(fd, (const char *)bytes + done, size - done);
    if (n < 0 && errno != EINTR)
      return px_fail_to_write(what, error);
    done += n > 0 ? (size_t)n : 0;
  }
  return true;
}

int px_temporary_file(GError **error) {
  const char *directory = g_get_tmp_dir();
  int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd >= 0)
    return fd;
  g_autofree char *name = g_build_filename(directory, "pattimpex-XXXXXX", NULL); /* a file system without O_TMPFILE */
  fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
  int failure = errno;
  if (fd >= 0)
    (void)unlink(name);
  else
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: cannot make a temporary file (set TMPDIR to a directory with room): %s", directory,
                g_strerror(failure));
  errno = failure;
  return fd;
}
