/* SPDX-License-Identifier: Apache-2.0 */
/* Workers of a database that is a server: their rows, and the thread that keeps them alive. */
#include "base/host.h"
#include "base/thread.h"
#include "queue/queue_private.h"

#include <time.h>

#define LEASE (30 * G_TIME_SPAN_SECOND)
#define SIGNS 3 /* of life in the time of a lease */

typedef struct {
  char what[104], doing[240];
  int64_t job;
} Said;

struct PxPresence {
  PxDb *db; /* of the worker: only to be cut by the thread */
  char *name;
  GMutex lock; /* of all below */
  GCond change;
  GThread *thread;
  PxDb *own; /* of the thread; NULL: not connected */
  int64_t lease;
  int64_t last; /* before the last sign of life that arrived was sent */
  Said said;
  PxDbWait wait;      /* of db, as it was last seen; these three are the thread's own */
  int64_t unmoved;    /* since when it is so */
  int64_t not_worked; /* since when the server's process is seen not to work for it; 0: it is not */
  bool news;          /* the row is to say something else before the next claim */
  bool ends;
  int64_t looked; /* when the worker last looked for dead ones; not under the lock */
};

/* Microseconds that go on while the machine sleeps. */
static int64_t clock_now(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* ---- signs of life */

static bool write_sign(PxDb *db, const char *name, const Said *said, int64_t lease, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "worker_beat", &binder, error))
    return false;
  px_bind_text(&binder, name);
  px_bind_text(&binder, px_host_name());
  px_bind_text(&binder, said->what);
  px_bind_integer(&binder, 0);
  px_bind_integer(&binder, said->job);
  px_bind_text(&binder, said->doing);
  px_bind_integer(&binder, lease);
  return px_run_bound(&binder, error);
}

static bool run_for(PxDb *db, const char *statement, const char *name) {
  PxBinder binder;
  if (!px_queue_statement(db, statement, &binder, NULL))
    return false;
  if (name)
    px_bind_text(&binder, name);
  return px_run_bound(&binder, NULL);
}

/* ---- the worker's own connection, over which nothing may come any more though signs of life arrive */

static bool ask_session(PxDb *own, const char *statement, const PxDbWait *wait, int64_t *ret_answer) {
  PxBinder binder;
  if (!px_queue_statement(own, statement, &binder, NULL))
    return false;
  px_bind_integer(&binder, wait->process);
  px_bind_integer(&binder, wait->process_begun);
  return px_run_for_id(&binder, ret_answer, NULL);
}

/* When the worker has waited for a lease, and no byte has come or gone, the server is asked; when its process has gone, or has waited for the
 * worker for a lease more, neither will ever hear of the other. */
static void look_after(PxPresence *presence, PxDb *own, int64_t lease) {
  PxDbWait wait;
  int64_t now = clock_now(), works;
  px_db_wait(presence->db, &wait);
  bool same = wait.number && wait.number == presence->wait.number && wait.moved == presence->wait.moved && wait.process == presence->wait.process;
  if (!same) {
    presence->wait = wait;
    presence->unmoved = now;
    presence->not_worked = 0;
  }
  if (!same || now - presence->unmoved < lease || !ask_session(own, "session_works", &wait, &works))
    return;
  if (works || !presence->not_worked)
    presence->not_worked = works ? 0 : now;
  if (!presence->not_worked || now - presence->not_worked < lease)
    return;
  px_db_cut(presence->db);
  (void)ask_session(own, "session_end", &wait, &works); /* what it has locked others need */
  presence->wait = (PxDbWait){0};
}

/* ---- the thread */

/* With the lock, which is not held while the server is spoken to. Whether the sign arrived. */
static bool give_sign(PxPresence *presence) {
  Said said = presence->said;
  int64_t lease = presence->lease;
  int64_t sent = clock_now();
  PxDb *own = presence->own;
  g_mutex_unlock(&presence->lock);
  PxDb *made = own ? NULL : px_db_open_other(presence->db, (unsigned)(lease / SIGNS / 1000), NULL);
  own = own ? own : made;
  bool arrived = own && write_sign(own, presence->name, &said, lease, NULL);
  if (arrived)
    look_after(presence, own, lease);
  g_mutex_lock(&presence->lock);
  presence->own = own;
  if (arrived)
    presence->last = MAX(presence->last, sent);
  return arrived;
}

static void forget_connection(PxPresence *presence) {
  px_db_close(presence->own);
  presence->own = NULL;
}

static gpointer live(gpointer data) {
  PxPresence *presence = data;
  bool cut = false;
  g_mutex_lock(&presence->lock);
  int64_t pause = presence->lease / SIGNS;
  while (!presence->ends) {
    if (g_cond_wait_until(&presence->change, &presence->lock, g_get_monotonic_time() + pause)) {
      pause = presence->lease / SIGNS;
      continue;
    }
    bool arrived = give_sign(presence);
    pause = arrived ? presence->lease / SIGNS : MIN(presence->lease / 10, G_TIME_SPAN_SECOND);
    if (!arrived)
      forget_connection(presence);
    bool lost = clock_now() - presence->last > presence->lease;
    if (lost && !cut)
      px_db_cut(presence->db);
    cut = lost;
  }
  forget_connection(presence);
  g_mutex_unlock(&presence->lock);
  return NULL;
}

PxPresence *px_presence_open(PxDb *db, const char *name, GError **error) {
  PxPresence *presence = g_new0(PxPresence, 1);
  presence->db = db;
  presence->name = g_strdup(name);
  presence->lease = LEASE;
  presence->last = clock_now();
  g_strlcpy(presence->said.what, "command", sizeof presence->said.what);
  g_mutex_init(&presence->lock);
  g_cond_init(&presence->change);
  px_worker_rows_forget(db, NULL);
  px_db_limit_idle(db, LEASE / 1000);
  if (write_sign(db, name, &presence->said, presence->lease, error)) {
    presence->thread = px_thread_start("presence", live, presence);
    return presence;
  }
  px_presence_close(presence, PX_PRESENCE_LEFT);
  return NULL;
}

void px_presence_close(PxPresence *presence, PxPresenceEnd how) {
  if (!presence)
    return;
  g_mutex_lock(&presence->lock);
  presence->ends = true;
  if (presence->own)
    px_db_cut(presence->own); /* it may wait for a server that does not answer */
  g_cond_signal(&presence->change);
  g_mutex_unlock(&presence->lock);
  if (presence->thread)
    g_thread_join(presence->thread);
  if (how != PX_PRESENCE_LEFT)
    (void)run_for(presence->db, how == PX_PRESENCE_STOPPED ? "worker_stopped" : "worker_ended", presence->name);
  g_mutex_clear(&presence->lock);
  g_cond_clear(&presence->change);
  g_free(presence->name);
  g_free(presence);
}

void px_presence_describe(PxPresence *presence, const char *what) {
  g_mutex_lock(&presence->lock);
  g_strlcpy(presence->said.what, what, sizeof presence->said.what);
  presence->news = true;
  g_mutex_unlock(&presence->lock);
}

void px_presence_doing(PxPresence *presence, int64_t job, const char *doing) {
  g_mutex_lock(&presence->lock);
  presence->said.job = job;
  g_strlcpy(presence->said.doing, doing ? doing : "", sizeof presence->said.doing);
  g_mutex_unlock(&presence->lock);
}

bool px_presence_must_look(const PxPresence *presence) {
  return clock_now() - presence->looked >= MIN(presence->lease / 10, G_TIME_SPAN_SECOND);
}

bool px_presence_looks_around(PxPresence *presence) {
  bool looks = px_presence_must_look(presence);
  if (looks)
    presence->looked = clock_now();
  return looks;
}

bool px_presence_renew(PxPresence *presence, PxDb *db, GError **error) {
  g_mutex_lock(&presence->lock);
  Said said = presence->said;
  int64_t lease = presence->lease;
  int64_t sent = clock_now();
  bool fresh = sent - presence->last < lease * 2 / SIGNS && !presence->news;
  g_mutex_unlock(&presence->lock);
  if (fresh)
    return true;
  if (!write_sign(db, presence->name, &said, lease, error))
    return false;
  g_mutex_lock(&presence->lock);
  presence->last = MAX(presence->last, sent);
  presence->news = false;
  g_mutex_unlock(&presence->lock);
  return true;
}

void px_presence_lease(PxPresence *presence, int64_t microseconds) {
  g_mutex_lock(&presence->lock);
  presence->lease = microseconds;
  presence->news = true;
  g_cond_signal(&presence->change);
  g_mutex_unlock(&presence->lock);
  px_db_limit_idle(presence->db, (unsigned)(microseconds / 1000));
  (void)!px_presence_renew(presence, presence->db, NULL); /* else the next claim does */
}

/* ---- seen by others */

static gpointer read_worker(PxColumns *columns) {
  PxWorkerRow *row = g_new0(PxWorkerRow, 1);
  row->name = px_column_text(columns);
  row->host = px_column_text(columns);
  row->what = px_column_text(columns);
  row->stopped = px_column_integer(columns) == 1;
  row->job = px_column_integer(columns);
  row->doing = px_column_text(columns);
  row->lives = px_column_integer(columns) == 1;
  return row;
}

static void free_worker(gpointer data) {
  PxWorkerRow *row = data;
  g_free(row->name);
  g_free(row->host);
  g_free(row->what);
  g_free(row->doing);
  g_free(row);
}

GPtrArray *px_worker_rows(PxDb *db, const char *name) {
  PxBinder binder;
  GPtrArray *rows = NULL;
  if (px_queue_statement(db, "worker_list", &binder, NULL)) {
    px_bind_filter(&binder, name);
    rows = px_read_rows(&binder, read_worker, free_worker, NULL);
  }
  return rows ? rows : g_ptr_array_new_with_free_func(free_worker);
}

void px_worker_rows_stop(PxDb *db, const char *name) {
  (void)run_for(db, "worker_stopped", name);
}

void px_worker_rows_forget(PxDb *db, const char *name) {
  (void)run_for(db, name ? "worker_forget" : "worker_tidy", name);
}
