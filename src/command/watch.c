/* SPDX-License-Identifier: Apache-2.0 */
#include "command/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* What a terminal obeys (ECMA-48, and the private modes of xterm): a second screen, no cursor, lines cut at the edge; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_REST_OF_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define LINES 24 /* of a terminal that does not say */

typedef struct {
  int signals; /* signalfd */
  sigset_t mask_before;
  bool screen; /* standard output is a terminal */
  bool keys;   /* standard input too */
  struct termios before;
} Watch;

/* ---- the terminal */

static void take_keys(const Watch *watch) {
  struct termios raw = watch->before;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static void put(const char *text) {
  fputs(text, stdout);
  fflush(stdout);
}

bool px_watch_is_screen(void) {
  return isatty(STDOUT_FILENO);
}

static bool begin(Watch *watch, GError **error) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGCONT);
  sigaddset(&mask, SIGWINCH);
  watch->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (watch->signals < 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_INTERNAL, "signalfd: %s", g_strerror(errno));
    return false;
  }
  (void)sigprocmask(SIG_BLOCK, &mask, &watch->mask_before);
  watch->screen = px_watch_is_screen();
  watch->keys = watch->screen && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &watch->before) == 0;
  if (watch->keys)
    take_keys(watch);
  if (watch->screen)
    put(ENTER);
  return true;
}

static void end(const Watch *watch) {
  if (watch->screen)
    put(LEAVE);
  if (watch->keys)
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &watch->before);
  (void)close(watch->signals);
  (void)sigprocmask(SIG_SETMASK, &watch->mask_before, NULL);
}

/* ---- drawing */

char *px_watch_fit(const char *text, unsigned lines) {
  const char *end = text;
  for (unsigned n = 0; n < lines && *end; n++) {
    end += strcspn(end, "\n");
    end += *end == '\n';
  }
  size_t len = (size_t)(end - text);
  return g_strndup(text, len > 0 && text[len - 1] == '\n' ? len - 1 : len);
}

static void show(const Watch *watch, const char *text) {
  if (!watch->screen) {
    put(text);
    return;
  }
  struct winsize size;
  unsigned lines = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : LINES;
  g_autofree char *fitting = px_watch_fit(text, lines);
  g_auto(GStrv) rows = g_strsplit(fitting, "\n", -1);
  g_autofree char *drawn = g_strjoinv(CLEAR_REST_OF_LINE "\r\n", rows);
  g_autofree char *all = g_strconcat(HOME, drawn, CLEAR_REST_OF_LINE CLEAR_BELOW, NULL);
  put(all);
}

/* ---- waiting */

typedef enum { AGAIN, STOP } Next;

static Next hear_signals(const Watch *watch) {
  struct signalfd_siginfo info;
  Next next = AGAIN;
  while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM)
      next = STOP;
    else if (info.ssi_signo == SIGCONT && watch->keys) {
      take_keys(watch); /* the shell had its own way with the terminal meanwhile */
      put(ENTER);
    }
  }
  return next;
}

static Next hear_keys(Watch *watch) {
  char keys[64];
  ssize_t n = read(STDIN_FILENO, keys, sizeof keys);
  if (n > 0 && (memchr(keys, 'q', (size_t)n) || memchr(keys, 'Q', (size_t)n)))
    return STOP;
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    return STOP; /* the terminal is gone */
  return AGAIN;
}

/* Until the time is over, or something is to be drawn at once. */
static Next wait_for(Watch *watch, int64_t every) {
  struct pollfd sources[] = {{.fd = watch->signals, .events = POLLIN}, {.fd = watch->keys ? STDIN_FILENO : -1, .events = POLLIN}};
  int64_t until = g_get_monotonic_time() + every;
  int64_t left;
  while ((left = until - g_get_monotonic_time()) > 0) {
    int ready = poll(sources, G_N_ELEMENTS(sources), (int)MIN((left + 999) / 1000, G_MAXINT));
    if (ready < 0 && errno != EINTR)
      return STOP;
    if (ready <= 0)
      continue;
    if (sources[0].revents)
      return hear_signals(watch);
    if ((sources[1].revents & (POLLHUP | POLLERR)) || hear_keys(watch) == STOP)
      return STOP;
  }
  return AGAIN;
}

bool px_watch(int64_t every, PxWatchDraw draw, void *data, GError **error) {
  Watch watch = {0};
  bool drawn = true;
  if (!begin(&watch, error))
    return false;
  do {
    g_autofree char *text = draw(data, error);
    drawn = text != NULL;
    if (drawn)
      show(&watch, text);
  } while (drawn && !ferror(stdout) && wait_for(&watch, every) == AGAIN);
  end(&watch);
  return drawn;
}
