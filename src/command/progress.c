/* SPDX-License-Identifier: Apache-2.0 */
#include "command/progress.h"

#include "command/output.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_US (G_USEC_PER_SEC / 10)
#define SETTLED_US G_USEC_PER_SEC /* before that a rate says nothing */
#define BAR_CELLS 24

struct PxProgressBar {
  int fd;
  PxClock clock;
  int64_t started;
  int64_t drawn;
  bool visible;
  char *subject; /* name and step: when they change, counting begins anew */
};

/* Bytes where they are known: they are counted before rows are. */
static double part_done(const PxProgress *progress) {
  uint64_t total = progress->bytes_total ? progress->bytes_total : progress->rows_total;
  uint64_t done = progress->bytes_total ? progress->bytes : progress->rows;
  return total > 0 ? MIN(1.0, (double)done / (double)total) : -1;
}

static char *subject_of(const PxProgress *progress) {
  return g_strjoin(" ", progress->step, progress->name, NULL);
}

static char *time_left(int64_t us) {
  int64_t seconds = (us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
  if (seconds >= 3600)
    return g_strdup_printf("%d:%02d:%02d left", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
  return g_strdup_printf("%d:%02d left", (int)(seconds / 60), (int)(seconds % 60));
}

static void append_bar(GString *out, double part) {
  int full = (int)(part * BAR_CELLS);
  g_string_append(out, "  [");
  for (int i = 0; i < BAR_CELLS; i++)
    g_string_append_c(out, i < full ? '#' : '-');
  g_string_append_printf(out, "] %3d %%", (int)(part * 100));
}

static void append_rows(GString *out, uint64_t n, int64_t elapsed_us) {
  g_autofree char *rows = px_count_text(n, "row");
  g_string_append_printf(out, "  %s", rows);
  if (elapsed_us < SETTLED_US)
    return;
  g_autofree char *rate = px_group_digits((uint64_t)((double)n * G_USEC_PER_SEC / (double)elapsed_us));
  g_string_append_printf(out, "  %s rows/s", rate);
}

char *px_progress_text(const PxProgress *progress, int64_t elapsed_us, unsigned width) {
  g_autofree char *subject = subject_of(progress);
  GString *out = g_string_new(subject);
  double part = part_done(progress);
  if (part >= 0)
    append_bar(out, part);
  if (progress->rows > 0)
    append_rows(out, progress->rows, elapsed_us);
  if (elapsed_us >= SETTLED_US && part > 0 && part < 1) {
    g_autofree char *left = time_left((int64_t)((double)elapsed_us * (1 - part) / part));
    g_string_append_printf(out, "  %s", left);
  }
  if (g_utf8_strlen(out->str, -1) > (glong)width)
    g_string_truncate(out, (gsize)(g_utf8_offset_to_pointer(out->str, (glong)width) - out->str));
  return g_string_free(out, FALSE);
}

PxProgressBar *px_progress_bar_new(int fd, bool wanted, PxClock clock) {
  if (!wanted || !isatty(fd))
    return NULL;
  PxProgressBar *bar = g_new0(PxProgressBar, 1);
  *bar = (PxProgressBar){.fd = fd, .clock = clock};
  return bar;
}

static void draw(PxProgressBar *bar, const char *text) {
  g_autofree char *line = g_strconcat("\r\033[K", text, NULL);
  /* A terminal that is gone takes the bar with it, not the import. */
  bar->visible = write(bar->fd, line, strlen(line)) >= 0 && *text;
}

void px_progress_bar_show(const PxProgress *progress, void *data) {
  PxProgressBar *bar = data;
  if (!bar)
    return;
  int64_t now = bar->clock();
  g_autofree char *subject = subject_of(progress);
  if (g_strcmp0(subject, bar->subject) != 0) {
    g_free(bar->subject);
    bar->subject = g_steal_pointer(&subject);
    bar->started = now;
  } else if (bar->visible && now - bar->drawn < REDRAW_US) {
    return;
  }
  struct winsize size;
  unsigned width = ioctl(bar->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
  g_autofree char *text = px_progress_text(progress, now - bar->started, width);
  draw(bar, text);
  bar->drawn = now;
}

void px_progress_bar_hide(PxProgressBar *bar) {
  if (bar && bar->visible)
    draw(bar, "");
}

void px_progress_bar_free(PxProgressBar *bar) {
  if (!bar)
    return;
  px_progress_bar_hide(bar);
  g_free(bar->subject);
  g_free(bar);
}
