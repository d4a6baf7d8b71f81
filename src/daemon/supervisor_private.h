/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the supervisor share. */
#include "daemon/daemon_private.h"

typedef enum { PX_KIND_CHECK, PX_KIND_SCHEDULER, PX_KIND_NOTIFIER, PX_KIND_WORKER } PxKind;

/* A place for a process: the checker's, the scheduler's, the notifier's, one for each worker. */
typedef struct {
  PxKind kind;
  unsigned number; /* of a worker, from 1 */
  bool wanted;     /* is started again when it ends */
  pid_t pid;       /* 0: not running */
  int life;        /* px_worker_hold(): others learn of its death when we have told why; -1: not held */
  char held[256];  /* the file that it is of */
  bool leaves;     /* was told to end: nobody wonders when it does */
  bool killed;     /* because it did not end in time */
  bool ready;
  bool stopped;        /* by SIGSTOP */
  int64_t started;     /* times are monotonic microseconds */
  int64_t next_start;  /* when it is to be started; 0: at once */
  unsigned deaths;     /* in a row */
  int64_t first_death; /* of those within the last minute */
  unsigned recent_deaths;
  PxSlot *slot;
} PxPlace;

#define PX_PLACE_WORKERS ((unsigned)PX_KIND_WORKER) /* one place of each other kind comes first */
#define PX_N_PLACES (PX_PLACE_WORKERS + PX_MOST_WORKERS)

typedef struct {
  const PxDaemonOptions *options;
  PxConfig *config; /* in use */
  PxDaemonSettings settings;
  PxConfig *next_config; /* is being checked */
  PxDaemonSettings next_settings;
  PxPlace places[PX_N_PLACES];
  PxSlot *slots; /* shared with the processes */
  int signals;   /* signalfd */
  int bell;      /* eventfd */
  bool up;       /* the configuration was good once: processes run */
  bool told_ready;
  bool again;        /* SIGHUP came while a configuration was being checked */
  unsigned stopping; /* how often it was told to */
  int64_t kill_at;   /* while stopping; monotonic microseconds */
  int64_t watchdog;  /* how often systemd wants a sign of life; 0: never */
  int64_t next_sign;
  char *status; /* the last line that was told */
  int exit_status;
} PxSupervisor;

/* ---- places.c */

/* "worker 2". Caller frees. */
char *px_place_name(const PxPlace *place);
/* Forks; what runs there has the configuration as it is now (of the checker: as it may become). */
void px_place_start(PxSupervisor *supervisor, PxPlace *place);
/* It ended: says so, and when it is started again. */
/* It runs: nobody gives its jobs back before px_place_ended(). */
void px_place_hold(PxPlace *place);
void px_place_ended(PxSupervisor *supervisor, PxPlace *place, int status);
/* SIGKILL: with what it started. */
void px_place_signal(PxPlace *place, int signal);

/* ---- checker.c: a process that opens what a configuration names and tells what is wrong, so that the supervisor opens nothing */

/* Exit status 0: it can be used. */
int px_checker_live(const PxConfig *config, const PxDaemonOptions *options);
