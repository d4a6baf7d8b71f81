/* SPDX-License-Identifier: Apache-2.0 */
#include "format/spill.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

int px_spill_file(void) {
  int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd >= 0)
    return fd;
  g_autofree char *name = g_build_filename(g_get_tmp_dir(), "pattimpex-XXXXXX", NULL); /* a file system without O_TMPFILE */
  fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    unlink(name);
  return fd;
}
