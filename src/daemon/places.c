/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a supervisor: forked, heard of, started again. */
#include "daemon/supervisor_private.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MIN (100 * G_TIME_SPAN_MILLISECOND) /* before a process that died is started again; doubled each time */
#define PAUSE_MAX (30 * G_TIME_SPAN_SECOND)
#define LONG_LIFE G_TIME_SPAN_MINUTE /* who lived so long begins anew */
#define MOST_DEATHS 10               /* a minute; then the rest of the minute is waited for */

char *px_place_name(const PxPlace *place) {
  static const char *const names[] = {"checker", "scheduler", "notifier"};
  if (place->kind == PX_KIND_WORKER)
    return g_strdup_printf("worker %u", place->number);
  return g_strdup(names[place->kind]);
}

/* ---- in the new process */

static void limit_core(void) {
  const struct rlimit none = {0}; /* a core would hold secrets and records */
  (void)setrlimit(RLIMIT_CORE, &none);
}

/* Of its own group, so that Ctrl-C on a terminal is the supervisor's to hear; it ends when the supervisor does, however that ends. */
static void become_child(const PxSupervisor *supervisor, pid_t parent) {
  sigset_t none;
  for (size_t i = 0; i < PX_N_PLACES; i++)
    if (supervisor->places[i].life >= 0)
      (void)close(supervisor->places[i].life); /* it would hold the others for as long as it lives */
  (void)setpgid(0, 0);
  (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(0);
  limit_core();
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int live(const PxSupervisor *supervisor, const PxPlace *place) {
  const PxDaemonProcess process = {
    .config = supervisor->config,
    .settings = &supervisor->settings,
    .number = place->number,
    .claims = place->kind == PX_KIND_NOTIFIER ? PX_CLAIMS_NOTICES : PX_CLAIMS_WORK,
    .slot = place->slot,
    .bell = supervisor->bell,
  };
  if (place->kind == PX_KIND_CHECK)
    return px_checker_live(supervisor->next_config, supervisor->options);
  px_stop_install(supervisor->settings.stop_timeout);
  return place->kind == PX_KIND_SCHEDULER ? px_scheduler_live(&process) : px_worker_live(&process);
}

/* ---- in the supervisor */

static void plan_start(PxPlace *place, int64_t now) {
  int64_t pause = MIN(PAUSE_MIN << MIN(place->deaths, 12), PAUSE_MAX);
  place->next_start = now + pause;
  if (now - place->first_death > G_TIME_SPAN_MINUTE) {
    place->first_death = now;
    place->recent_deaths = 0;
  }
  if (++place->recent_deaths < MOST_DEATHS)
    return;
  place->next_start = MAX(place->next_start, place->first_death + G_TIME_SPAN_MINUTE);
  g_autofree char *name = px_place_name(place);
  px_log(PX_LOG_ERROR, NULL, "%s ended %u times within a minute", name, place->recent_deaths);
}

void px_place_start(PxSupervisor *supervisor, PxPlace *place) {
  pid_t parent = getpid();
  g_autofree char *name = px_place_name(place);
  memset(place->slot, 0, sizeof *place->slot);
  place->started = g_get_monotonic_time();
  atomic_store(&place->slot->beat, place->started);
  pid_t pid = fork();
  if (pid == 0) {
    become_child(supervisor, parent);
    px_log_set_worker(name);
    _exit(live(supervisor, place));
  }
  if (pid < 0) {
    px_log(PX_LOG_ERROR, NULL, "%s cannot be started: %s", name, g_strerror(errno));
    plan_start(place, place->started);
    place->deaths++;
    return;
  }
  place->pid = pid;
  place->ready = place->leaves = place->killed = place->stopped = false;
  px_log(PX_LOG_DEBUG, NULL, "%s started, pid %d", name, (int)pid);
}

/* "ended with status 3" */
static char *end_text(int status) {
  if (WIFSIGNALED(status))
    return g_strdup_printf("died by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return g_strdup_printf("ended with status %d", WEXITSTATUS(status));
}

static void tell_death(const PxPlace *place, int status, int64_t now) {
  g_autofree char *name = px_place_name(place);
  g_autofree char *end = end_text(status);
  g_autofree char *doing = g_strndup(place->slot->doing, PX_DOING);
  g_autofree char *again = place->wanted ? g_strdup_printf("; started again in %.1f s", (double)(place->next_start - now) / 1e6) : g_strdup("");
  PxSlot *slot = place->slot;
  slot->job_task[sizeof slot->job_task - 1] = slot->job_file[sizeof slot->job_file - 1] = '\0'; /* it may have died of writing them */
  const PxLogSubject subject = {.job = slot->job, .task = *slot->job_task ? slot->job_task : NULL, .file = *slot->job_file ? slot->job_file : NULL};
  px_log(PX_LOG_ERROR, &subject, "%s (pid %d) %s while: %s%s", name, (int)place->pid, end, *doing ? doing : "starting", again);
}

static void let_go(PxPlace *place) {
  if (place->life >= 0)
    (void)close(place->life);
  place->life = -1;
}

void px_place_hold(PxPlace *place) {
  if (strcmp(place->held, place->slot->file) != 0) /* it has lost the database, and come back as another one */
    let_go(place);
  if (place->life >= 0 || !*place->slot->file)
    return;
  g_strlcpy(place->held, place->slot->file, sizeof place->held);
  place->life = px_worker_hold(place->held);
}

void px_place_ended(PxSupervisor *supervisor, PxPlace *place, int status) {
  int64_t now = g_get_monotonic_time();
  bool may_end = place->leaves || place->kind == PX_KIND_CHECK || atomic_load(&place->slot->life) == PX_LIFE_LEAVING;
  bool well = may_end && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (now - place->started > LONG_LIFE)
    place->deaths = 0;
  place->next_start = now;
  if (!well && place->kind != PX_KIND_CHECK && !supervisor->stopping) {
    plan_start(place, now);
    place->deaths++;
  }
  if (!well && place->kind != PX_KIND_CHECK)
    tell_death(place, status, now);
  if (WIFSIGNALED(status) && *place->slot->file)
    px_worker_tell_end(place->slot->file, place->killed ? 0 : WTERMSIG(status));
  let_go(place);
  *place->slot->file = '\0';
  place->pid = 0;
  place->ready = false;
}

void px_place_signal(PxPlace *place, int signal) {
  if (!place->pid)
    return;
  place->leaves = true;
  place->killed |= signal == SIGKILL;
  (void)kill(signal == SIGKILL ? -place->pid : place->pid, signal);
}
