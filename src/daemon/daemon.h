/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The program running by itself: a supervisor with its scheduler and workers, or one of them alone.
 *
 * The supervisor is single-threaded and holds the configuration, nothing else: no database handle, no TLS library, no thread. It forks, so that what
 * it starts again a month later has the very configuration that was checked, whatever the file says by then. */
#include "config/config.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const char *const *paths; /* of configuration files; NULL-terminated */
  unsigned workers;         /* 0: as configured, else one a core */
  const char *log_format;   /* NULL: as configured */
  const char *log_level;    /* NULL: as configured */
  bool no_schedules;        /* only what is queued runs: for copies of a database */
} PxDaemonOptions;

/* Each runs until it is told to stop and returns the exit status; what happens is in the log. Errors: PX_ERROR_CONFIG, PX_ERROR_UNREACHABLE before
 * the work began. */
int px_daemon_serve(const PxDaemonOptions *options, GError **error);
int px_daemon_worker(const PxDaemonOptions *options, GError **error);
int px_daemon_scheduler(const PxDaemonOptions *options, GError **error);

/* Complains of the sections serve: and log:. */
void px_daemon_check(const PxConfig *config, PxComplaints *complaints);

/* Of main(), before anything else: the title of a process is written over its arguments. */
void px_title_keep(int argc, char **argv);
