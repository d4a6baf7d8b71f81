/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define GRACE_SECONDS 3 /* for rolling back and giving the job back after the timeout */

static volatile sig_atomic_t after_job;
static volatile sig_atomic_t now;
static volatile sig_atomic_t seconds_over; /* since the deadline, the first one begun; 0: not yet */
static unsigned timeout_seconds;
static PxDb *volatile watched_db;
static const PxWorker *volatile watched_worker;

/* In a signal handler, as all below until the next rule. */
static void over(void) {
  if (seconds_over++ == GRACE_SECONDS)
    (void)raise(SIGKILL); /* it has marked its job as one that was stopped */
  if (watched_worker)
    px_worker_mark_stopped(watched_worker);
  if (watched_db)
    px_db_interrupt(watched_db); /* each second again: one that comes between two statements stops neither */
  (void)alarm(1);
}

static void on_signal(int signal) {
  int saved = errno;
  if (signal == SIGHUP)
    after_job = 1;
  else if (signal == SIGALRM || (now && !seconds_over)) {
    now = 1;
    over();
  } else if (!now) {
    now = 1;
    (void)alarm(timeout_seconds);
  }
  errno = saved;
}

/* ---- */

static sigset_t our_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGALRM);
  return set;
}

void px_stop_install(int64_t timeout) {
  static const int signals[] = {SIGHUP, SIGTERM, SIGINT, SIGALRM};
  sigset_t set = our_signals();
  timeout_seconds = (unsigned)MAX((timeout + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND, 1);
  struct sigaction action = {.sa_handler = on_signal, .sa_mask = set, .sa_flags = SA_RESTART};
  for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
    (void)sigaction(signals[i], &action, NULL);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

PxStop px_stop_wanted(void) {
  if (now)
    return PX_STOP_NOW;
  return after_job ? PX_STOP_AFTER_JOB : PX_STOP_NOT;
}

const volatile sig_atomic_t *px_stop_flag(void) {
  return &now;
}

void px_stop_watch(PxDb *db, const PxWorker *worker) {
  watched_worker = worker;
  watched_db = db;
}

void px_stop_wait(int fd, int64_t microseconds) {
  sigset_t set = our_signals();
  sigset_t before;
  (void)sigprocmask(SIG_BLOCK, &set, &before);
  if (px_stop_wanted() == PX_STOP_NOT) {
    struct pollfd wait = {.fd = fd, .events = POLLIN}; /* poll(2) ignores a descriptor of -1 */
    struct timespec span = {.tv_sec = microseconds / G_USEC_PER_SEC, .tv_nsec = microseconds % G_USEC_PER_SEC * 1000};
    (void)ppoll(&wait, 1, &span, &before);
  }
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
}
