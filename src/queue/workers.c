/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs jobs. A worker's life is a lock of the kernel on a file of its own: PATH-worker-PID-RANDOM beside the database. */
#include "queue/queue_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct PxWorker {
  char *name;
  char *path; /* NULL: a database without files, which nobody else sees */
  int fd;
  const PxChannels *channels; /* borrowed; NULL: no limits */
};

static char *lock_path(PxDb *db, const char *name) {
  const char *path = px_db_path(db);
  return path ? g_strdup_printf("%s-worker-%s", path, name) : NULL;
}

/* Whether path still is the file that fd has open: a cleaner may have removed it before it was locked. */
static bool same_file(int fd, const char *path) {
  struct stat opened;
  struct stat named;
  return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Locks the file at path when nobody holds it; -1 with *ret_dead when there is no such file, -1 without when its worker lives. */
static int lock_left_file(const char *path, bool *ret_dead) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  *ret_dead = fd < 0 && errno == ENOENT;
  if (fd < 0)
    return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    *ret_dead = true;
    return fd;
  }
  (void)close(fd);
  return -1;
}

static void remove_when_dead(const char *path) {
  bool dead;
  int fd = lock_left_file(path, &dead);
  if (fd < 0)
    return;
  (void)unlink(path);
  (void)close(fd);
}

/* Files of workers that were killed while they had no job. */
static void remove_left_files(PxDb *db) {
  g_autofree char *prefix_path = lock_path(db, "");
  g_autofree char *prefix = g_path_get_basename(prefix_path);
  g_autofree char *directory = g_path_get_dirname(prefix_path);
  g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
  const char *entry;
  while (entries && (entry = g_dir_read_name(entries)))
    if (g_str_has_prefix(entry, prefix)) {
      g_autofree char *path = g_build_filename(directory, entry, NULL);
      remove_when_dead(path);
    }
}

bool px_worker_is_dead(PxDb *db, const char *name) {
  g_autofree char *path = lock_path(db, name);
  if (!path)
    return true;
  bool dead;
  int fd = lock_left_file(path, &dead);
  if (fd >= 0)
    (void)close(fd);
  return dead;
}

static bool try_lock(PxWorker *worker, PxDb *db) {
  g_free(worker->name);
  g_free(worker->path);
  worker->name = g_strdup_printf("%d-%08x", (int)getpid(), g_random_int());
  worker->path = lock_path(db, worker->name);
  worker->fd = open(worker->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (worker->fd < 0)
    return false;
  if (flock(worker->fd, LOCK_EX | LOCK_NB) == 0 && same_file(worker->fd, worker->path))
    return true;
  (void)close(worker->fd);
  worker->fd = -1;
  return false;
}

PxWorker *px_worker_open(PxDb *db, GError **error) {
  g_autoptr(PxWorker) worker = g_new0(PxWorker, 1);
  worker->fd = -1;
  if (!px_db_path(db)) {
    worker->name = g_strdup_printf("%d-%08x", (int)getpid(), g_random_int());
    return g_steal_pointer(&worker);
  }
  remove_left_files(db);
  for (unsigned tries = 0; tries < 10; tries++)
    if (try_lock(worker, db))
      return g_steal_pointer(&worker);
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "cannot lock %s: %s; the directory of the database must be writable", worker->path,
              g_strerror(errno));
  return NULL;
}

void px_worker_close(PxWorker *worker) {
  if (!worker)
    return;
  if (worker->fd >= 0) {
    (void)unlink(worker->path);
    (void)close(worker->fd);
  }
  g_free(worker->name);
  g_free(worker->path);
  g_free(worker);
}

void px_worker_heed(PxWorker *worker, const PxChannels *channels) {
  worker->channels = channels;
}

const PxChannels *px_worker_channels(const PxWorker *worker) {
  return worker->channels;
}

const char *px_worker_name(const PxWorker *worker) {
  return worker->name;
}
