/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hook.h"

#ifdef PX_TEST_HOOKS
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void log_hook(const char *path, const char *name) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    return;
  g_autofree char *line = g_strconcat(name, "\n", NULL);
  if (write(fd, line, strlen(line)) < 0)
    g_printerr("pattimpex: %s: hook log: cannot write\n", path);
  (void)close(fd);
}

void px_hook(const char *name) {
  static unsigned reached;
  const char *path = g_getenv("PATTIMPEX_HOOK_LOG");
  if (path)
    log_hook(path, name);
  const char *at = g_getenv("PATTIMPEX_KILL_AT");
  if (at && g_ascii_strtoull(at, NULL, 10) == ++reached)
    (void)raise(SIGKILL);
}
#endif
