/* SPDX-License-Identifier: Apache-2.0 */
/* Waking who waits for something to do. Who listens watches the file DATABASE-pattimpex-wake by inotify(7); who commits what others wait
 * for opens it for writing and closes it again, which is an event though nothing is written. Nobody ever listened: there is no file. */
#include "db/sqlite_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

static char *wake_path(const PxSqlite *sqlite) {
  const char *path = px_db_path(&sqlite->db);
  return path ? g_strconcat(path, "-pattimpex-wake", NULL) : NULL;
}

void px_sqlite_wake(const PxSqlite *sqlite) {
  g_autofree char *path = wake_path(sqlite);
  int fd = path ? open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  if (fd >= 0)
    close(fd);
}

static bool watch(const PxSqlite *sqlite, int inotify) {
  g_autofree char *path = wake_path(sqlite);
  int fd = path ? px_sqlite_lock_file(path, px_db_path(&sqlite->db)) : -1;
  if (fd < 0)
    return false;
  close(fd);
  return inotify_add_watch(inotify, path, IN_CLOSE_WRITE) >= 0;
}

int px_sqlite_listen(PxSqlite *sqlite) {
  if (sqlite->listens)
    return sqlite->wake;
  sqlite->wake = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  sqlite->listens = sqlite->wake >= 0 && watch(sqlite, sqlite->wake);
  return sqlite->listens ? sqlite->wake : -1;
}

void px_sqlite_heard(PxSqlite *sqlite) {
  _Alignas(struct inotify_event) char events[4096];
  bool gone = false;
  ssize_t n;
  while (sqlite->listens && (n = read(sqlite->wake, events, sizeof events)) > 0)
    for (ssize_t at = 0; at < n;) {
      const struct inotify_event *event = (const void *)(events + at);
      gone |= (event->mask & IN_IGNORED) != 0;
      at += (ssize_t)(sizeof *event + event->len);
    }
  if (gone) /* somebody removed the file */
    (void)watch(sqlite, sqlite->wake);
}

void px_sqlite_wake_done(PxSqlite *sqlite) {
  if (sqlite->listens)
    close(sqlite->wake);
}
