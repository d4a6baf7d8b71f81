/* SPDX-License-Identifier: Apache-2.0 */
/* serve, and its processes alone: worker, scheduler. */
#include "command/command.h"
#include "daemon/daemon.h"

static int workers;
static gboolean no_schedules;
static char *log_format;
static char *log_level;

#define LOG_OPTIONS                                                                                                                                  \
  {"log-format", 0, 0, G_OPTION_ARG_STRING, &log_format, "text or json (default: log: {format: ...}, else text)", "FORMAT"}, {                       \
    "log-level", 0, 0, G_OPTION_ARG_STRING, &log_level, "debug, info, warning or error (default: log: {level: ...}, else info)", "LEVEL"             \
  }

static const GOptionEntry SERVE_OPTIONS[] = {
  {"workers", 'w', 0, G_OPTION_ARG_INT, &workers, "How many workers (default: serve: {workers: ...}, else one a core)", "N"},
  {"no-schedules", 0, 0, G_OPTION_ARG_NONE, &no_schedules, "Start no task by itself: for copies of a production database", NULL},
  LOG_OPTIONS,
  {NULL},
};
static const GOptionEntry ALONE_OPTIONS[] = {LOG_OPTIONS, {NULL}};

static bool take_options(const PxCommandLine *line, PxDaemonOptions *ret_options, GError **error) {
  if (workers < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "serve: --workers %d is no number of workers", workers);
    return false;
  }
  *ret_options = (PxDaemonOptions){
    .paths = line->configs, .workers = (unsigned)workers, .log_format = log_format, .log_level = log_level, .no_schedules = no_schedules};
  return true;
}

static int run(const PxCommandLine *line, int (*daemon)(const PxDaemonOptions *, GError **), GError **error) {
  PxDaemonOptions options;
  return take_options(line, &options, error) ? daemon(&options, error) : 2;
}

static int serve(const PxCommandLine *line, GError **error) {
  return run(line, px_daemon_serve, error);
}

static int worker(const PxCommandLine *line, GError **error) {
  return run(line, px_daemon_worker, error);
}

static int scheduler(const PxCommandLine *line, GError **error) {
  return run(line, px_daemon_scheduler, error);
}

const PxCommand px_command_serve = {
  .name = "serve",
  .arguments = "",
  .summary = "Run by itself: schedules, and workers for what is queued",
  .help = "Starts a scheduler and workers, starts again what dies, and logs to standard error until it is told to\n"
          "stop. SIGHUP reads the configuration again; a bad one is told and not used. SIGTERM and Ctrl-C let what\n"
          "runs come to an end within stop_timeout (30 s); a second one does not wait.\n\n"
          "Examples:\n"
          "  pattimpex serve\n"
          "  pattimpex serve --workers 2 --log-format json\n"
          "  pattimpex serve --no-schedules\n",
  .options = SERVE_OPTIONS,
  .no_json = true,
  .run = serve,
};

const PxCommand px_command_worker = {
  .name = "worker",
  .arguments = "",
  .summary = "Run what is queued, one job after the other: a worker of serve, alone",
  .help = "Any number of them may work on one database, beside serve too. Signals are those of serve, but SIGHUP\n"
          "ends it after its job.\n\n"
          "Examples:\n"
          "  pattimpex worker --log-format json\n",
  .options = ALONE_OPTIONS,
  .no_json = true,
  .run = worker,
};

const PxCommand px_command_scheduler = {
  .name = "scheduler",
  .arguments = "",
  .summary = "Queue tasks when they are due: the scheduler of serve, alone",
  .help = "Any number of them may work on one database: what is due is queued once.\n\n"
          "Examples:\n"
          "  pattimpex scheduler --log-level debug\n",
  .options = ALONE_OPTIONS,
  .no_json = true,
  .run = scheduler,
};
