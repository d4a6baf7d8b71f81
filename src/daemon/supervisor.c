/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: one thread, one poll(2). It starts processes, starts again what dies, hears signals, tells systemd. */
#include "daemon/supervisor_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_GRACE (5 * G_TIME_SPAN_SECOND)  /* over stop_timeout: a process ends itself before */
#define HASTY_GRACE (3 * G_TIME_SPAN_SECOND) /* after a second wish to stop */
#define LONGEST_POLL (10 * G_TIME_SPAN_SECOND)
#define LONGEST_SILENCE (60 * G_TIME_SPAN_SECOND) /* an idle process beats more often; a busy one may take its time */

static PxPlace *checker_of(PxSupervisor *supervisor) {
  return &supervisor->places[PX_KIND_CHECK];
}

/* ---- the configuration */

static bool load(PxSupervisor *supervisor, GError **error) {
  const PxDaemonOptions *options = supervisor->options;
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  supervisor->next_config = px_config_load(options->paths, g_strv_length((char **)(uintptr_t)options->paths), error);
  if (!supervisor->next_config)
    return false;
  px_daemon_settings_read(options, supervisor->next_config, &supervisor->next_settings, complaints);
  if (px_complaints_to_error(complaints, error))
    return true;
  g_clear_pointer(&supervisor->next_config, px_config_free);
  return false;
}

/* Which places are wanted by the settings in use. */
static void want_places(PxSupervisor *supervisor) {
  supervisor->places[PX_KIND_SCHEDULER].wanted = !supervisor->options->no_schedules;
  supervisor->places[PX_KIND_NOTIFIER].wanted = true;
  for (unsigned i = 0; i < PX_MOST_WORKERS; i++)
    supervisor->places[PX_PLACE_WORKERS + i].wanted = i < supervisor->settings.workers;
}

static void use_next_config(PxSupervisor *supervisor) {
  px_config_free(supervisor->config);
  supervisor->config = g_steal_pointer(&supervisor->next_config);
  supervisor->settings = supervisor->next_settings;
  px_log_init(supervisor->settings.log_format, supervisor->settings.log_level);
  want_places(supervisor);
}

/* What runs ends after its job and is started again, with the new configuration. */
static void renew_processes(PxSupervisor *supervisor) {
  for (size_t i = 1; i < PX_N_PLACES; i++) {
    supervisor->places[i].deaths = 0;
    px_place_signal(&supervisor->places[i], SIGHUP);
  }
}

static void end_reload(PxSupervisor *supervisor) {
  g_clear_pointer(&supervisor->status, g_free);
  px_notify("READY=1");
}

static void checked(PxSupervisor *supervisor, int status) {
  bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (supervisor->stopping)
    return;
  if (good) {
    bool first = !supervisor->up;
    use_next_config(supervisor);
    supervisor->up = true;
    if (first)
      return;
    renew_processes(supervisor);
    px_log(PX_LOG_INFO, NULL, "the configuration was read again");
  } else if (supervisor->up) {
    g_clear_pointer(&supervisor->next_config, px_config_free);
    px_log(PX_LOG_ERROR, NULL, "the new configuration is not used; the old one stays");
  } else {
    px_log(PX_LOG_ERROR, NULL, "nothing was started");
    supervisor->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 4;
    supervisor->stopping = 1;
    return;
  }
  end_reload(supervisor);
}

static void reload(PxSupervisor *supervisor) {
  g_autoptr(GError) error = NULL;
  supervisor->again = checker_of(supervisor)->pid != 0;
  if (supervisor->stopping || supervisor->again)
    return;
  g_autofree char *lines = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
  px_notify(lines);
  if (load(supervisor, &error)) {
    px_place_start(supervisor, checker_of(supervisor));
    return;
  }
  g_auto(GStrv) complaints = g_strsplit(error->message, "\n", -1);
  for (char **complaint = complaints; *complaint; complaint++)
    px_log(PX_LOG_ERROR, NULL, "%s", *complaint);
  px_log(PX_LOG_ERROR, NULL, "the new configuration is not used; the old one stays");
  end_reload(supervisor);
}

/* ---- stopping */

static void stop(PxSupervisor *supervisor) {
  int64_t now = g_get_monotonic_time();
  supervisor->stopping++;
  if (supervisor->stopping == 1) {
    supervisor->kill_at = now + supervisor->settings.stop_timeout + KILL_GRACE;
    px_log(PX_LOG_INFO, NULL, "stopping; what runs has %.0f s", (double)supervisor->settings.stop_timeout / G_TIME_SPAN_SECOND);
    px_notify("STOPPING=1\nSTATUS=stopping");
  } else {
    supervisor->kill_at = MIN(supervisor->kill_at, now + HASTY_GRACE);
    px_log(PX_LOG_WARNING, NULL, "stopping at once");
  }
  for (size_t i = 0; i < PX_N_PLACES; i++)
    px_place_signal(&supervisor->places[i], supervisor->stopping == 1 ? SIGTERM : SIGALRM); /* a second SIGTERM may be one with the first */
}

static bool any_runs(const PxSupervisor *supervisor) {
  for (size_t i = 0; i < PX_N_PLACES; i++)
    if (supervisor->places[i].pid)
      return true;
  return false;
}

static void kill_late(PxSupervisor *supervisor, int64_t now) {
  if (!supervisor->stopping || now < supervisor->kill_at)
    return;
  for (size_t i = 0; i < PX_N_PLACES; i++)
    px_place_signal(&supervisor->places[i], SIGKILL);
  supervisor->kill_at = now + G_TIME_SPAN_SECOND;
}

/* ---- processes that end, stop, go on */

static PxPlace *place_of(PxSupervisor *supervisor, pid_t pid) {
  for (size_t i = 0; i < PX_N_PLACES; i++)
    if (supervisor->places[i].pid == pid)
      return &supervisor->places[i];
  return NULL;
}

static void reap(PxSupervisor *supervisor) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
    PxPlace *place = place_of(supervisor, pid);
    if (!place)
      continue;
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
      place->stopped = WIFSTOPPED(status);
      continue;
    }
    px_place_ended(supervisor, place, status);
    if (place->kind == PX_KIND_CHECK)
      checked(supervisor, status);
  }
}

/* Starts what is wanted and not there; when to look again. */
static int64_t start_missing(PxSupervisor *supervisor, int64_t now) {
  int64_t next = now + LONGEST_POLL;
  for (size_t i = 1; supervisor->up && !supervisor->stopping && i < PX_N_PLACES; i++) {
    PxPlace *place = &supervisor->places[i];
    if (!place->wanted || place->pid)
      continue;
    if (place->next_start <= now)
      px_place_start(supervisor, place);
    else
      next = MIN(next, place->next_start);
  }
  return next;
}

/* ---- what systemd is told */

typedef struct {
  unsigned wanted, ready, busy, ill;
} Health;

static Health look(PxSupervisor *supervisor, int64_t now) {
  Health health = {0};
  for (size_t i = 1; i < PX_N_PLACES; i++) {
    PxPlace *place = &supervisor->places[i];
    if (!place->wanted)
      continue;
    PxLife life = (PxLife)atomic_load(&place->slot->life);
    place->ready = place->pid && life != PX_LIFE_STARTING;
    if (place->ready)
      px_place_hold(place);
    bool silent = life != PX_LIFE_BUSY && now - atomic_load(&place->slot->beat) > LONGEST_SILENCE;
    health.wanted++;
    health.ready += place->ready;
    health.busy += place->kind == PX_KIND_WORKER && place->ready && life == PX_LIFE_BUSY;
    health.ill += !place->pid || place->stopped || silent;
  }
  return health;
}

static void tell_status(PxSupervisor *supervisor, const Health *health) {
  unsigned workers = supervisor->settings.workers;
  g_autofree char *ill = health->ill ? g_strdup_printf(", %u of %u processes do not run", health->ill, health->wanted) : g_strdup("");
  g_autofree char *status =
    g_strdup_printf("STATUS=%u of %u workers busy%s%s", health->busy, workers, supervisor->options->no_schedules ? ", no schedules" : "", ill);
  if (g_strcmp0(status, supervisor->status) == 0)
    return;
  px_notify(status);
  g_free(supervisor->status);
  supervisor->status = g_steal_pointer(&status);
}

/* A sign of life only when all is well: else systemd is to start everything anew. When the next one is due. */
static int64_t tell_systemd(PxSupervisor *supervisor, int64_t now) {
  Health health = look(supervisor, now);
  if (!supervisor->up || supervisor->stopping)
    return now + LONGEST_POLL;
  if (!supervisor->told_ready && health.ready == health.wanted) {
    supervisor->told_ready = true;
    px_log(PX_LOG_INFO, NULL, "ready: %u worker%s%s", supervisor->settings.workers, supervisor->settings.workers == 1 ? "" : "s",
           supervisor->options->no_schedules ? ", no schedules" : "");
    px_notify("READY=1");
  }
  tell_status(supervisor, &health);
  if (!supervisor->watchdog)
    return now + LONGEST_POLL;
  if (now >= supervisor->next_sign && !health.ill) {
    px_notify("WATCHDOG=1");
    supervisor->next_sign = now + supervisor->watchdog / 2;
  }
  return MAX(supervisor->next_sign, now + G_TIME_SPAN_SECOND / 2);
}

/* ---- the loop */

static void hear_signals(PxSupervisor *supervisor) {
  struct signalfd_siginfo heard;
  while (read(supervisor->signals, &heard, sizeof heard) == (ssize_t)sizeof heard) {
    if (heard.ssi_signo == SIGHUP)
      reload(supervisor);
    else if (heard.ssi_signo == SIGTERM || heard.ssi_signo == SIGINT)
      stop(supervisor);
  }
  reap(supervisor); /* one SIGCHLD may stand for several */
  if (supervisor->again && !checker_of(supervisor)->pid)
    reload(supervisor);
}

static void loop(PxSupervisor *supervisor) {
  while (!supervisor->stopping || any_runs(supervisor)) {
    int64_t now = g_get_monotonic_time();
    kill_late(supervisor, now);
    int64_t next = MIN(start_missing(supervisor, now), tell_systemd(supervisor, now));
    if (supervisor->stopping)
      next = MIN(next, supervisor->kill_at);
    struct pollfd wait[] = {{.fd = supervisor->signals, .events = POLLIN}, {.fd = supervisor->bell, .events = POLLIN}};
    (void)poll(wait, G_N_ELEMENTS(wait), (int)(MAX(next - now, 0) / 1000) + 1);
    uint64_t rings;
    (void)!read(supervisor->bell, &rings, sizeof rings);
    hear_signals(supervisor);
  }
}

static bool set_up(PxSupervisor *supervisor, GError **error) {
  static const int heard[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < G_N_ELEMENTS(heard); i++)
    sigaddset(&set, heard[i]);
  (void)sigprocmask(SIG_BLOCK, &set, NULL);
  (void)signal(SIGPIPE, SIG_IGN);
  supervisor->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  supervisor->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  void *shared = mmap(NULL, PX_N_PLACES * sizeof(PxSlot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (supervisor->signals < 0 || supervisor->bell < 0 || shared == MAP_FAILED) {
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the supervisor cannot start: %s", g_strerror(errno));
    return false;
  }
  supervisor->slots = shared;
  for (unsigned i = 0; i < PX_N_PLACES; i++) {
    PxKind kind = (PxKind)MIN(i, PX_PLACE_WORKERS);
    unsigned number = kind == PX_KIND_WORKER ? i - PX_PLACE_WORKERS + 1 : 0;
    supervisor->places[i] = (PxPlace){.kind = kind, .number = number, .slot = &supervisor->slots[i], .life = -1};
  }
  return true;
}

static void clear(PxSupervisor *supervisor) {
  px_config_free(supervisor->config);
  px_config_free(supervisor->next_config);
  g_free(supervisor->status);
  if (supervisor->slots)
    (void)munmap(supervisor->slots, PX_N_PLACES * sizeof(PxSlot));
  g_free(supervisor);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxSupervisor, clear)

int px_daemon_serve(const PxDaemonOptions *options, GError **error) {
  g_autoptr(PxSupervisor) supervisor = g_new0(PxSupervisor, 1);
  supervisor->options = options;
  supervisor->watchdog = px_notify_watchdog();
  if (!load(supervisor, error) || !set_up(supervisor, error))
    return 2;
  px_log_init(supervisor->next_settings.log_format, supervisor->next_settings.log_level);
  px_log_set_worker("supervisor");
  px_title_set("supervisor");
  supervisor->settings = supervisor->next_settings;
  px_place_start(supervisor, checker_of(supervisor));
  loop(supervisor);
  px_log(PX_LOG_INFO, NULL, "stopped");
  return supervisor->exit_status;
}
