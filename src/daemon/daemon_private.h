/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of daemon/ share. */
#include "base/log.h"
#include "daemon/daemon.h"
#include "flow/flow.h"

#include <stdatomic.h>
#include <sys/types.h>

#define PX_MOST_WORKERS 256

/* ---- daemon_config.c */

typedef struct {
  unsigned workers;
  int64_t stop_timeout;   /* microseconds */
  int64_t worker_lease;   /* microseconds; px_worker_lease() */
  uint64_t worker_memory; /* bytes; a worker of a supervisor that has more after a job is replaced. 0: none is */
  PxLogFormat log_format;
  PxLogLevel log_level;
} PxDaemonSettings;

/* What options say goes over what the configuration says. */
void px_daemon_settings_read(const PxDaemonOptions *options, const PxConfig *config, PxDaemonSettings *ret_settings, PxComplaints *complaints);

/* ---- title.c */

/* What ps shows: "pattimpex: ..." */
void px_title_set(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* ---- notify.c */

/* sd_notify(3): lines such as "READY=1"; nothing happens where nobody wants to know. */
void px_notify(const char *lines);
/* Microseconds between two signs of life that systemd waits for; 0: it does not. */
int64_t px_notify_watchdog(void);

/* ---- processes: what a supervisor and the process that it forked share */

typedef enum { PX_LIFE_STARTING, PX_LIFE_IDLE, PX_LIFE_BUSY, PX_LIFE_LEAVING /* by itself: another one is to take its place */ } PxLife;

#define PX_DOING 96

/* In memory that both see. */
typedef struct {
  _Atomic int life;     /* PxLife */
  _Atomic int64_t beat; /* the last sign of life, monotonic microseconds */
  char doing[PX_DOING]; /* written by the process; a reader may see it half changed, so it is always ended by a 0 */
  char file[256];       /* of a worker: px_worker_file(); "": none, or its path is longer than that */
  /* of the job at work, read when the process has died: what the log says of it; 0 and "": none */
  int64_t job;
  char job_task[128], job_file[256];
} PxSlot;

typedef struct {
  const PxConfig *config;
  const PxDaemonSettings *settings;
  unsigned number; /* of a worker; 0: it runs alone */
  PxClaims claims; /* of a worker, or the notifier */
  PxSlot *slot;    /* NULL: alone */
  int bell;        /* eventfd that tells the supervisor to look; -1: alone */
} PxDaemonProcess;

/* Tells the supervisor, and ps, what this process is at. what: "worker 2"; subject: what a line of the log about its death names; NULL: nothing. */
void px_process_says(const PxDaemonProcess *process, PxLife life, const char *what, const char *doing, const PxLogSubject *subject);
/* An idle process lives. */
void px_process_beats(const PxDaemonProcess *process);

/* ---- stop.c: being told to end
 *
 * SIGHUP: after the present job. SIGTERM, SIGINT: at the next place where the job can be left; after stop_timeout what the database does is
 * interrupted, and three seconds later the process ends itself. A second SIGTERM: that timeout is over; so says SIGALRM, whether or not the first
 * was heard yet. */

typedef enum { PX_STOP_NOT, PX_STOP_AFTER_JOB, PX_STOP_NOW } PxStop;
void px_stop_install(int64_t timeout);
PxStop px_stop_wanted(void);
/* For PxProjectOptions. */
const volatile sig_atomic_t *px_stop_flag(void);
/* What is interrupted and marked; NULL: nothing any more. */
void px_stop_watch(PxDb *db, const PxWorker *worker);
/* Waits for a wish to stop, fd (-1: none) or the time; does nothing when there is a wish already. */
void px_stop_wait(int fd, int64_t microseconds);

/* ---- outage.c: a database that goes away and comes back */

/* A process that has worked before fails for want of the database: it is waited for, a little longer each time. */
typedef struct {
  int64_t pause; /* microseconds; 0: the database is there */
  char *left;    /* what the process was called in the database before */
} PxOutage;
void px_outage_clear(PxOutage *outage);
/* Takes presence: a worker whose database has gone; and tells of it when that is there again. */
void px_outage_leave(PxOutage *outage, PxWorker *presence);
void px_outage_return(PxOutage *outage, PxDb *db);
/* Whether it was waited for, and what failed is to be tried again: db (NULL: it was never opened) is a server, error says that it cannot be reached,
 * and nobody wants the process to end. */
bool px_outage_wait(PxOutage *outage, const PxDaemonProcess *process, const char *name, const PxDb *db, const GError *error);
/* It is there. */
void px_outage_end(PxOutage *outage);

/* ---- worker.c, scheduler.c: the life of a process; the exit status, 0 when it was told to end */

int px_worker_live(const PxDaemonProcess *process);
int px_scheduler_live(const PxDaemonProcess *process);

/* ---- job_log.c */

/* file: that the job works on; NULL: none. */
void px_log_claimed(const PxJob *job, const char *file);
void px_log_job(const PxProject *project, const PxJobReport *report, const char *file);
/* A job that a dead worker has left. */
void px_log_given_back(const PxJob *job, const char *file);
