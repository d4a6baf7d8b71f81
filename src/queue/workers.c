/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs jobs. A worker's life is a lock of the kernel on a file of its own: PATH-worker-PID-RANDOM beside the database. In the file, each at its
 * place: a line for people, the last words ("stopped", "signal 11"), and the job at work with what is done for it. Nothing waits for a disk: it is
 * for those who outlive the worker, not the machine. Where the database is a server, a worker has a row there too (worker_rows.c): who finds its
 * file on this machine, with a lock that is free, need not wait until its lease is over; for all others that is what counts. */
#include "base/host.h"
#include "queue/overview.h"
#include "queue/queue_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct PxWorker {
  char *name;
  char *path; /* NULL: a database without files, which nobody else sees */
  int fd;
  const PxChannels *channels; /* borrowed; NULL: no limits */
  PxBatchOf batch_of;         /* NULL: one job at a time */
  GPtrArray *held;            /* PxJob *: claimed and not handed out yet, the last one first */
  GPtrArray *given_back;      /* PxJob *: of dead workers, not told of yet */
  PxPresence *presence;       /* NULL: files alone tell of it */
  PxClaims claims;
  PxJobFailed failed; /* NULL: nobody asks */
  void *failed_data;
};

#define STOPPED "stopped\n"
#define SIGNAL "signal "

/* Places in the file, and its size. */
enum { AT_NAME = 0, AT_WORDS = 128, AT_JOB = 160, FILE_SIZE = AT_JOB + 32 + sizeof((PxLastWords *)NULL)->doing };

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static struct sigaction before[G_N_ELEMENTS(crashes)];
static const PxWorker *volatile crashing; /* whose last words they are */

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

/* Last words are for those who give its jobs back; in doubt there are jobs. */
static bool has_jobs(PxDb *db, const char *name) {
  PxBinder binder;
  int64_t job = 0;
  if (!px_queue_statement(db, "job_of_owner", &binder, NULL))
    return true;
  px_bind_text(&binder, name);
  return !px_run_for_id(&binder, &job, NULL) || job;
}

/* The names of all whose file is there (char *, freed with the array). */
static GPtrArray *names_of_files(PxDb *db) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *prefix_path = lock_path(db, "");
  if (!prefix_path)
    return names;
  g_autofree char *prefix = g_path_get_basename(prefix_path);
  g_autofree char *directory = g_path_get_dirname(prefix_path);
  g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
  const char *entry;
  while (entries && (entry = g_dir_read_name(entries)))
    if (g_str_has_prefix(entry, prefix))
      g_ptr_array_add(names, g_strdup(entry + strlen(prefix)));
  return names;
}

/* Files of workers that were killed while they had no job. */
static void remove_left_files(PxDb *db) {
  g_autoptr(GPtrArray) names = names_of_files(db);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = lock_path(db, names->pdata[i]);
    if (!has_jobs(db, names->pdata[i]))
      remove_when_dead(path);
  }
}

bool px_worker_is_dead(PxDb *db, const char *name, PxLease lease) {
  g_autofree char *path = lock_path(db, name);
  if (!path || lease == PX_LEASE_OVER)
    return lease != PX_LEASE_HOLDS;
  bool dead;
  int fd = lock_left_file(path, &dead);
  if (fd >= 0)
    (void)close(fd);
  return dead && (fd >= 0 || lease == PX_LEASE_NONE); /* no file may mean another machine */
}

void px_worker_forget(PxDb *db, const char *name) {
  g_autofree char *path = lock_path(db, name);
  if (has_jobs(db, name))
    return;
  if (px_db_dialect(db) == PX_DIALECT_POSTGRES)
    px_worker_rows_forget(db, name);
  if (path)
    remove_when_dead(path);
}

/* What is in its file; false: there is none, or it is somebody else's. */
static bool read_file_of(PxDb *db, const char *name, char text[FILE_SIZE + 1]) {
  g_autofree char *path = lock_path(db, name);
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  memset(text, 0, FILE_SIZE + 1);
  if (fd < 0)
    return false;
  (void)!pread(fd, text, FILE_SIZE, 0);
  (void)close(fd);
  return true;
}

static void words_of_row(PxDb *db, const char *name, PxLastWords *words) {
  if (px_db_dialect(db) != PX_DIALECT_POSTGRES)
    return;
  g_autoptr(GPtrArray) rows = px_worker_rows(db, name);
  for (guint i = 0; i < rows->len; i++) {
    const PxWorkerRow *row = rows->pdata[i];
    words->stopped = row->stopped;
    words->job = row->job;
    g_strlcpy(words->doing, row->doing, sizeof words->doing);
  }
}

void px_worker_last_words(PxDb *db, const char *name, PxLastWords *ret_words) {
  char text[FILE_SIZE + 1];
  *ret_words = (PxLastWords){0};
  if (!read_file_of(db, name, text)) {
    words_of_row(db, name, ret_words);
    return;
  }
  ret_words->stopped = g_str_has_prefix(text + AT_WORDS, STOPPED);
  if (g_str_has_prefix(text + AT_WORDS, SIGNAL))
    ret_words->signal = (int)g_ascii_strtoll(text + AT_WORDS + strlen(SIGNAL), NULL, 10);
  char *end;
  ret_words->job = g_ascii_strtoll(text + AT_JOB, &end, 10);
  if (*end == ' ')
    g_strlcpy(ret_words->doing, end + 1, sizeof ret_words->doing);
}

/* ---- seen by others */

void px_worker_seen_free(PxWorkerSeen *seen) {
  if (!seen)
    return;
  g_free(seen->name);
  g_free(seen->host);
  g_free(seen->what);
  g_free(seen->doing);
  g_free(seen);
}

static void free_seen(gpointer row) {
  px_worker_seen_free(row);
}

static PxWorkerSeen *see_file(PxDb *db, const char *name) {
  char text[FILE_SIZE + 1];
  PxLastWords words;
  bool readable = read_file_of(db, name, text);
  px_worker_last_words(db, name, &words);
  PxWorkerSeen *seen = g_new0(PxWorkerSeen, 1);
  seen->name = g_strdup(name);
  /* Nothing is there while it begins, or when the file is another user's. */
  size_t len = strcspn(text + AT_NAME, "\n");
  seen->what = readable && len > 0 ? g_utf8_make_valid(text + AT_NAME, (gssize)len) : g_strdup("worker");
  seen->pid = g_ascii_strtoll(name, NULL, 10);
  seen->lives = !px_worker_is_dead(db, name, PX_LEASE_NONE);
  seen->job = words.job;
  seen->doing = g_strdup(words.doing);
  return seen;
}

/* What its file says, where that is here, is newer than its row. */
static PxWorkerSeen *see_row(PxDb *db, const PxWorkerRow *row) {
  char text[FILE_SIZE + 1];
  PxWorkerSeen *seen;
  if (read_file_of(db, row->name, text)) {
    seen = see_file(db, row->name);
  } else {
    seen = g_new0(PxWorkerSeen, 1);
    seen->name = g_strdup(row->name);
    seen->what = g_strdup(row->what);
    seen->pid = g_ascii_strtoll(row->name, NULL, 10);
    seen->job = row->job;
    seen->doing = g_strdup(row->doing);
  }
  seen->lives = !px_worker_is_dead(db, row->name, row->lives ? PX_LEASE_HOLDS : PX_LEASE_OVER);
  seen->host = g_strdup(row->host);
  return seen;
}

/* "worker 2" before "worker 10". */
static int by_what(gconstpointer a, gconstpointer b) {
  const PxWorkerSeen *one = *(const PxWorkerSeen *const *)a;
  const PxWorkerSeen *other = *(const PxWorkerSeen *const *)b;
  g_autofree char *key = g_utf8_collate_key_for_filename(one->what, -1);
  g_autofree char *other_key = g_utf8_collate_key_for_filename(other->what, -1);
  int order = g_strcmp0(one->host, other->host);
  order = order ? order : strcmp(key, other_key);
  return order ? order : strcmp(one->name, other->name);
}

GPtrArray *px_worker_list(PxDb *db) {
  bool has_rows = px_db_dialect(db) == PX_DIALECT_POSTGRES;
  g_autoptr(GPtrArray) found = has_rows ? px_worker_rows(db, NULL) : names_of_files(db);
  GPtrArray *all = g_ptr_array_new_with_free_func(free_seen);
  for (guint i = 0; i < found->len; i++)
    g_ptr_array_add(all, has_rows ? see_row(db, found->pdata[i]) : see_file(db, found->pdata[i]));
  g_ptr_array_sort(all, by_what);
  return all;
}

/* ---- told by itself */

void px_worker_describe(PxWorker *worker, const char *what) {
  char line[AT_WORDS] = "";
  g_snprintf(line, sizeof line, "%.100s\n", what);
  if (worker->fd >= 0)
    (void)!pwrite(worker->fd, line, sizeof line, AT_NAME);
  if (worker->presence)
    px_presence_describe(worker->presence, what);
}

void px_worker_doing(const PxWorker *worker, int64_t job, const char *doing) {
  char line[FILE_SIZE - AT_JOB] = "";
  g_snprintf(line, sizeof line, "%" G_GINT64_FORMAT " %s", job, doing ? doing : "");
  if (worker->fd >= 0)
    (void)!pwrite(worker->fd, line, sizeof line, AT_JOB);
  if (worker->presence)
    px_presence_doing(worker->presence, job, doing);
}

static void write_stopped(int fd) {
  static const char words[] = STOPPED;
  if (fd >= 0)
    (void)!pwrite(fd, words, sizeof words - 1, AT_WORDS);
}

void px_worker_mark_stopped(const PxWorker *worker) {
  write_stopped(worker->fd);
}

static void write_signal(int fd, int signal) {
  char words[] = SIGNAL "00\n";
  words[sizeof SIGNAL - 1] = (char)('0' + signal / 10 % 10);
  words[sizeof SIGNAL] = (char)('0' + signal % 10);
  if (fd >= 0)
    (void)!pwrite(fd, words, sizeof words - 1, AT_WORDS);
}

void px_worker_mark_signal(const PxWorker *worker, int signal) {
  write_signal(worker->fd, signal);
}

const char *px_worker_file(const PxWorker *worker) {
  return worker->path;
}

int px_worker_hold(const char *file) {
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0)
    return fd;
  if (fd >= 0)
    (void)close(fd);
  return -1;
}

void px_worker_tell_end(const char *file, int signal) {
  int fd = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  char told = '\0';
  if (fd < 0)
    return;
  if (!signal)
    write_stopped(fd);
  else if (pread(fd, &told, 1, AT_WORDS) != 1 || !told)
    write_signal(fd, signal);
  (void)close(fd);
}

/* Tells it, then leaves the crash to whoever had it before. */
static void on_crash(int signal) {
  const PxWorker *worker = crashing;
  if (worker)
    px_worker_mark_signal(worker, signal);
  for (size_t i = 0; i < G_N_ELEMENTS(crashes); i++)
    if (crashes[i] == signal)
      (void)sigaction(signal, &before[i], NULL);
  (void)raise(signal);
}

static void watch_crashes(const PxWorker *worker) {
  static bool installed;
  crashing = worker;
  if (installed)
    return;
  installed = true;
  static char stack[65536]; /* a stack that is full cannot tell of it */
  stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  stack_t other;
  if (sigaltstack(NULL, &other) == 0 && other.ss_flags & SS_DISABLE)
    (void)sigaltstack(&own, NULL);
  struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
  for (size_t i = 0; i < G_N_ELEMENTS(crashes); i++)
    (void)sigaction(crashes[i], &action, &before[i]);
}

static void take_name(PxWorker *worker, PxDb *db) {
  g_free(worker->name);
  g_free(worker->path);
  bool alone = px_db_dialect(db) != PX_DIALECT_POSTGRES;
  worker->name = g_strdup_printf("%d-%08x%s%s", (int)getpid(), g_random_int(), alone ? "" : "@", alone ? "" : px_host_name());
  g_strdelimit(worker->name, "/", '_'); /* it is a part of the name of a file */
  worker->path = lock_path(db, worker->name);
}

static bool try_lock(PxWorker *worker, PxDb *db) {
  take_name(worker, db);
  worker->fd = open(worker->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (worker->fd < 0)
    return false;
  if (flock(worker->fd, LOCK_SH | LOCK_NB) == 0 && same_file(worker->fd, worker->path)) /* shared: px_worker_hold() */
    return true;
  (void)close(worker->fd);
  worker->fd = -1;
  return false;
}

static bool lock_own_file(PxWorker *worker, PxDb *db) {
  remove_left_files(db);
  for (unsigned tries = 0; tries < 10; tries++)
    if (try_lock(worker, db))
      return true;
  return false;
}

PxWorker *px_worker_open(PxDb *db, GError **error) {
  g_autoptr(PxWorker) worker = g_new0(PxWorker, 1);
  worker->fd = -1;
  worker->held = g_ptr_array_new_with_free_func(px_free_job_row);
  worker->given_back = g_ptr_array_new_with_free_func(px_free_job_row);
  bool has_row = px_db_dialect(db) == PX_DIALECT_POSTGRES;
  bool locked = px_db_path(db) && lock_own_file(worker, db);
  if (!locked && !has_row && px_db_path(db)) {
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "cannot lock %s: %s; the directory of the database must be writable", worker->path,
                g_strerror(errno));
    return NULL;
  }
  if (!locked) {
    take_name(worker, db);
    g_clear_pointer(&worker->path, g_free);
  }
  /* What a dry run does is seen by nobody. */
  if (has_row && !px_db_is_dry_run(db) && !(worker->presence = px_presence_open(db, worker->name, error)))
    return NULL;
  px_worker_describe(worker, "command");
  watch_crashes(worker);
  return g_steal_pointer(&worker);
}

static void end(PxWorker *worker) {
  if (crashing == worker)
    crashing = NULL;
  if (worker->fd >= 0)
    (void)close(worker->fd);
  g_clear_pointer(&worker->held, g_ptr_array_unref);
  g_clear_pointer(&worker->given_back, g_ptr_array_unref);
  g_free(worker->name);
  g_free(worker->path);
  g_free(worker);
}

void px_worker_heed(PxWorker *worker, const PxChannels *channels) {
  worker->channels = channels;
}

void px_worker_batch(PxWorker *worker, PxBatchOf batch_of) {
  worker->batch_of = batch_of;
}

unsigned px_worker_batch_of(const PxWorker *worker, const char *kind) {
  return worker->batch_of ? worker->batch_of(kind) : 1;
}

GPtrArray *px_worker_held(const PxWorker *worker) {
  return worker->held;
}

GPtrArray *px_worker_given_back(const PxWorker *worker) {
  return worker->given_back;
}

GPtrArray *px_worker_take_given_back(const PxWorker *worker) {
  GPtrArray *taken = g_ptr_array_new_with_free_func(px_free_job_row);
  while (worker->given_back->len > 0)
    g_ptr_array_add(taken, g_ptr_array_steal_index(worker->given_back, 0));
  return taken;
}

void px_worker_claims(PxWorker *worker, PxClaims claims) {
  worker->claims = claims;
}

PxClaims px_worker_claims_which(const PxWorker *worker) {
  return worker->claims;
}

const PxChannels *px_worker_channels(const PxWorker *worker) {
  return worker->channels;
}

void px_worker_close(PxWorker *worker) {
  if (!worker)
    return;
  bool holds = worker->held && worker->held->len > 0;
  if (holds)
    px_worker_mark_stopped(worker); /* its file tells that they are to go back as they were */
  else if (worker->fd >= 0)
    (void)unlink(worker->path);
  px_presence_close(worker->presence, holds ? PX_PRESENCE_STOPPED : PX_PRESENCE_ENDED);
  end(worker);
}

void px_worker_leave(PxWorker *worker) {
  px_worker_mark_stopped(worker);
  px_presence_close(worker->presence, PX_PRESENCE_LEFT);
  end(worker);
}

void px_worker_lease(PxWorker *worker, int64_t microseconds) {
  if (worker->presence)
    px_presence_lease(worker->presence, microseconds);
}

bool px_worker_leads(const PxWorker *worker, PxDb *db, const char *role, bool *ret_leads, GError **error) {
  PxBinder binder;
  *ret_leads = true;
  if (!worker->presence)
    return true;
  if (!px_presence_renew(worker->presence, db, error) || !px_queue_statement(db, "leader_take", &binder, error))
    return false;
  px_bind_text(&binder, role);
  px_bind_text(&binder, worker->name);
  int64_t leads;
  bool asked = px_run_for_id(&binder, &leads, error);
  *ret_leads = asked && leads;
  return asked;
}

void px_worker_bury(PxDb *db, const char *name) {
  if (px_db_dialect(db) == PX_DIALECT_POSTGRES)
    px_worker_rows_stop(db, name);
}

bool px_worker_looks_around(const PxWorker *worker) {
  return !worker->presence || px_presence_looks_around(worker->presence);
}

bool px_worker_must_look(const PxWorker *worker) {
  return !worker->presence || px_presence_must_look(worker->presence);
}

bool px_worker_renew(const PxWorker *worker, PxDb *db, GError **error) {
  return !worker->presence || px_presence_renew(worker->presence, db, error);
}

const char *px_worker_name(const PxWorker *worker) {
  return worker->name;
}

void px_worker_on_failure(PxWorker *worker, PxJobFailed failed, void *data) {
  worker->failed = failed;
  worker->failed_data = data;
}

bool px_worker_tell_failure(const PxWorker *worker, PxDb *db, const PxJob *job, int64_t now, GError **error) {
  return !worker->failed || worker->failed(db, job, now, worker->failed_data, error);
}
