/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs jobs. A worker's life is a lock of the kernel on a file of its own: PATH-worker-PID-RANDOM beside the database. What is in the file: a
 * line for people, then the last words. */
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
  off_t words;                /* where the last words go */
};

#define STOPPED "stopped\n"
#define SIGNAL "signal "
#define MOST_TEXT 256

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

/* What a worker wrote; "" when there is nothing. Caller frees. */
static char *read_text(int fd) {
  char text[MOST_TEXT];
  ssize_t n = pread(fd, text, sizeof text, 0);
  return g_strndup(text, n > 0 ? (gsize)n : 0);
}

static const char *words_of(const char *text) {
  const char *end = strchr(text, '\n');
  return end ? end + 1 : "";
}

static void remove_when_dead(const char *path) {
  bool dead;
  int fd = lock_left_file(path, &dead);
  if (fd < 0)
    return;
  (void)unlink(path);
  (void)close(fd);
}

/* Last words are for those who give its jobs back; in doubt there are jobs. */
static bool has_jobs(PxDb *db, const char *name) {
  PxBinder binder;
  int64_t job = 0;
  if (!px_queue_statement(db, "job_of_owner", &binder, NULL))
    return true;
  px_bind_text(&binder, name);
  return !px_run_for_id(&binder, &job, NULL) || job;
}

/* Files of workers that were killed while they had no job. */
static void remove_left_files(PxDb *db) {
  g_autofree char *prefix_path = lock_path(db, "");
  g_autofree char *prefix = g_path_get_basename(prefix_path);
  g_autofree char *directory = g_path_get_dirname(prefix_path);
  g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
  const char *entry;
  while (entries && (entry = g_dir_read_name(entries)))
    if (g_str_has_prefix(entry, prefix) && !has_jobs(db, entry + strlen(prefix))) {
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

void px_worker_forget(PxDb *db, const char *name) {
  g_autofree char *path = lock_path(db, name);
  if (path)
    remove_when_dead(path);
}

static char *last_words(PxDb *db, const char *name) {
  g_autofree char *path = lock_path(db, name);
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  if (fd < 0)
    return g_strdup("");
  g_autofree char *text = read_text(fd);
  (void)close(fd);
  return g_strdup(words_of(text));
}

bool px_worker_was_stopped(PxDb *db, const char *name) {
  g_autofree char *words = last_words(db, name);
  return g_str_has_prefix(words, STOPPED);
}

int px_worker_signal(PxDb *db, const char *name) {
  g_autofree char *words = last_words(db, name);
  return g_str_has_prefix(words, SIGNAL) ? atoi(words + strlen(SIGNAL)) : 0;
}

void px_worker_describe(PxWorker *worker, const char *what) {
  if (worker->fd < 0)
    return;
  g_autofree char *line = g_strdup_printf("%.100s\n", what);
  if (pwrite(worker->fd, line, strlen(line), 0) == (ssize_t)strlen(line))
    worker->words = (off_t)strlen(line);
}

void px_worker_mark_stopped(const PxWorker *worker) {
  static const char words[] = STOPPED;
  if (worker->fd >= 0)
    (void)!pwrite(worker->fd, words, sizeof words - 1, worker->words);
}

void px_worker_mark_signal(const PxWorker *worker, int signal) {
  char words[] = SIGNAL "00\n";
  words[sizeof SIGNAL - 1] = (char)('0' + signal / 10 % 10);
  words[sizeof SIGNAL] = (char)('0' + signal % 10);
  if (worker->fd >= 0)
    (void)!pwrite(worker->fd, words, sizeof words - 1, worker->words);
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
    if (try_lock(worker, db)) {
      px_worker_describe(worker, "command");
      return g_steal_pointer(&worker);
    }
  g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "cannot lock %s: %s; the directory of the database must be writable", worker->path,
              g_strerror(errno));
  return NULL;
}

static void end(PxWorker *worker) {
  if (worker->fd >= 0)
    (void)close(worker->fd);
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

void px_worker_close(PxWorker *worker) {
  if (!worker)
    return;
  if (worker->fd >= 0)
    (void)unlink(worker->path);
  end(worker);
}

void px_worker_leave(PxWorker *worker) {
  px_worker_mark_stopped(worker);
  end(worker);
}

const char *px_worker_name(const PxWorker *worker) {
  return worker->name;
}
