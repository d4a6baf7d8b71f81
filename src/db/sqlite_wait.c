/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for one's turn to write, and being seen to wait. SQLite serves writers at random, so one that begins its next transaction
 * at once would starve the others: a loader asks px_db_has_waiters() between its transactions and pauses. Who waits holds a read lock on
 * the first byte of DATABASE-pattimpex-wait, who asks tests whether a write lock could be had. The locks belong to the open file
 * description (fcntl(2), F_OFD_SETLK), so two connections of one process see each other, and a process that dies waits no more. */
#include "db/sqlite_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLEEP_MIN_US 500
#define SLEEP_MAX_US 20000

void px_sqlite_wait_init(PxSqliteWait *wait, const char *database) {
  *wait = (PxSqliteWait){.path = database ? g_strconcat(database, "-pattimpex-wait", NULL) : NULL, .fd = -1};
}

void px_sqlite_wait_done(PxSqliteWait *wait) {
  if (wait->fd >= 0)
    close(wait->fd);
  g_free(wait->path);
}

static struct flock first_byte(short type) {
  return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
}

/* The file gets the permissions of the database: who may write the one may wait for it. */
int px_sqlite_lock_file(const char *path, const char *database) {
  struct stat status;
  mode_t mode = stat(database, &status) == 0 ? status.st_mode & 0666 : 0600;
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd >= 0)
    (void)fchmod(fd, mode); /* the umask shall not shut others out */
  else if (errno == EEXIST)
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  return fd;
}

static int open_lock_file(const PxSqliteWait *wait) {
  g_autofree char *database = g_strndup(wait->path, strlen(wait->path) - strlen("-pattimpex-wait"));
  return px_sqlite_lock_file(wait->path, database);
}

void px_sqlite_wait_enter(PxSqliteWait *wait) {
  if (!wait->path || wait->locked)
    return;
  if (wait->fd < 0)
    wait->fd = open_lock_file(wait);
  struct flock lock = first_byte(F_RDLCK);
  wait->locked = wait->fd >= 0 && fcntl(wait->fd, F_OFD_SETLK, &lock) == 0;
}

/* Closing the file as well means that a lock file which somebody removed is not held on to. */
void px_sqlite_wait_leave(PxSqliteWait *wait) {
  if (wait->fd >= 0)
    close(wait->fd);
  wait->fd = -1;
  wait->locked = false;
}

bool px_sqlite_wait_any(const PxSqliteWait *wait) {
  int fd = wait->path ? open(wait->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
  if (fd < 0)
    return false; /* nobody has ever waited */
  struct flock lock = first_byte(F_WRLCK);
  bool any = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return any;
}

int px_sqlite_busy(void *data, int n_calls) {
  PxSqlite *sqlite = data;
  int64_t now = g_get_monotonic_time();
  if (n_calls == 0)
    sqlite->busy_deadline = now + sqlite->busy_limit;
  bool interrupted = sqlite->interrupted != 0;
  sqlite->interrupted = 0;
  if (now >= sqlite->busy_deadline || interrupted)
    return 0;
  if (sqlite->wants_to_write)
    px_sqlite_wait_enter(&sqlite->wait);
  /* Random, so that two who wait for the same moment do not meet again and again. */
  int64_t longest = MIN((int64_t)SLEEP_MIN_US << MIN(n_calls, 16), SLEEP_MAX_US);
  int64_t pause = g_random_int_range(SLEEP_MIN_US / 2, (gint32)longest + 1);
  g_usleep((gulong)MIN(pause, sqlite->busy_deadline - now));
  return 1;
}
