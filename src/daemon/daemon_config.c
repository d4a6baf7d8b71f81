/* SPDX-License-Identifier: Apache-2.0 */
/* The sections serve: and log: of the configuration. */
#include "daemon/daemon_private.h"

#define DEFAULT_STOP_TIMEOUT (30 * G_TIME_SPAN_SECOND)
#define DEFAULT_WORKER_LEASE (30 * G_TIME_SPAN_SECOND)
#define SHORTEST_LEASE G_TIME_SPAN_SECOND
#define DEFAULT_WORKER_MEMORY ((uint64_t)1024 * 1024 * 1024) /* a worker has some 20 to 60 MiB */

typedef struct {
  uint64_t workers;
  int64_t stop_timeout;
  int64_t worker_lease;
  uint64_t worker_memory;
} Serve;

typedef struct {
  int format, level;
} Log;

static const PxKey serve_keys[] = {
  {.name = "workers", .type = PX_KEY_UNSIGNED, .offset = offsetof(Serve, workers), .min = 1, .max = PX_MOST_WORKERS},
  {.name = "stop_timeout", .type = PX_KEY_DURATION, .offset = offsetof(Serve, stop_timeout)},
  {.name = "worker_lease", .type = PX_KEY_DURATION, .offset = offsetof(Serve, worker_lease)},
  {.name = "worker_memory", .type = PX_KEY_SIZE, .offset = offsetof(Serve, worker_memory)},
};
static const PxKey log_keys[] = {
  {.name = "format", .type = PX_KEY_CHOICE, .offset = offsetof(Log, format), .choices = px_log_formats},
  {.name = "level", .type = PX_KEY_CHOICE, .offset = offsetof(Log, level), .choices = px_log_levels},
};

/* A word of the command line. */
static void choose(const char *option, const char *word, const char *const *choices, int *choice, PxComplaints *complaints) {
  if (!word)
    return;
  for (int i = 0; choices[i]; i++)
    if (g_str_equal(word, choices[i])) {
      *choice = i;
      return;
    }
  g_autofree char *known = g_strjoinv(", ", (char **)(uintptr_t)choices);
  px_complain(complaints, NULL, "%s %s: write one of %s", option, word, known);
}

void px_daemon_settings_read(const PxDaemonOptions *options, const PxConfig *config, PxDaemonSettings *ret_settings, PxComplaints *complaints) {
  const PxConfigNode *root = px_config_root(config);
  Serve serve = {.workers = MIN(g_get_num_processors(), PX_MOST_WORKERS),
                 .stop_timeout = DEFAULT_STOP_TIMEOUT,
                 .worker_lease = DEFAULT_WORKER_LEASE,
                 .worker_memory = DEFAULT_WORKER_MEMORY};
  Log log = {.format = PX_LOG_TEXT, .level = PX_LOG_INFO};
  px_config_read(px_node_get(root, "serve"), serve_keys, G_N_ELEMENTS(serve_keys), &serve, "serve", complaints);
  px_config_read(px_node_get(root, "log"), log_keys, G_N_ELEMENTS(log_keys), &log, "log", complaints);
  if (serve.worker_lease < SHORTEST_LEASE)
    px_complain(complaints, px_node_get(px_node_get(root, "serve"), "worker_lease"), "serve: worker_lease: a second at least");
  choose("--log-format", options->log_format, px_log_formats, &log.format, complaints);
  choose("--log-level", options->log_level, px_log_levels, &log.level, complaints);
  if (options->workers > PX_MOST_WORKERS)
    px_complain(complaints, NULL, "--workers %u: at most %d", options->workers, PX_MOST_WORKERS);
  *ret_settings = (PxDaemonSettings){.workers = options->workers ? options->workers : (unsigned)serve.workers,
                                     .stop_timeout = serve.stop_timeout,
                                     .worker_lease = serve.worker_lease,
                                     .worker_memory = serve.worker_memory,
                                     .log_format = (PxLogFormat)log.format,
                                     .log_level = (PxLogLevel)log.level};
}

void px_daemon_check(const PxConfig *config, PxComplaints *complaints) {
  PxDaemonSettings settings;
  px_daemon_settings_read(&(PxDaemonOptions){0}, config, &settings, complaints);
}
