/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hook.h"

#ifdef PX_TEST_HOOKS
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Appends text to a file; how many bytes are in it then, 0: it cannot be written. */
static guint64 append(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    return 0;
  if (write(fd, text, strlen(text)) < 0)
    g_printerr("pattimpex: %s: hook: cannot write\n", path);
  off_t end = lseek(fd, 0, SEEK_CUR);
  (void)close(fd);
  return end > 0 ? (guint64)end : 0;
}

static bool is_in(const char *numbers, guint64 number) {
  g_auto(GStrv) list = g_strsplit(numbers, ",", -1);
  for (char **one = list; *one; one++)
    if (g_ascii_strtoull(*one, NULL, 10) == number)
      return true;
  return false;
}

/* "NAME:N" */
static bool is_nth(const char *wanted, const char *name) {
  static guint64 reached;
  size_t len = strlen(name);
  if (strncmp(wanted, name, len) != 0 || wanted[len] != ':')
    return false;
  return g_ascii_strtoull(wanted + len + 1, NULL, 10) == ++reached;
}

void px_hook(const char *name) {
  static guint64 reached;
  const char *path = g_getenv("PATTIMPEX_HOOK_LOG");
  if (path) {
    g_autofree char *line = g_strconcat(name, "\n", NULL);
    (void)append(path, line);
  }
  const char *pause = g_getenv("PATTIMPEX_PAUSE_AT");
  if (pause && is_nth(pause, name))
    (void)raise(SIGSTOP);
  const char *kill_at = g_getenv("PATTIMPEX_KILL_AT");
  const char *count = g_getenv("PATTIMPEX_KILL_COUNT");
  if (kill_at && is_in(kill_at, count ? append(count, ".") : ++reached))
    (void)raise(SIGKILL);
}

void px_hook_about(const char *name, const char *subject) {
  const char *at = g_getenv("PATTIMPEX_CRASH_AT");
  size_t len = strlen(name);
  if (at && strncmp(at, name, len) == 0 && at[len] == ':' && strcmp(at + len + 1, subject) == 0)
    (void)raise(SIGSEGV);
}
#endif
