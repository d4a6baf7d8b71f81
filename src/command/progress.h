/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The progress bar: one line on standard error, and nothing at all where that is no terminal. */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How far something is. done and total are of the same unit (bytes of the source, records); total 0: not known. */
typedef struct {
  const char *what; /* the file's name */
  uint64_t rows;
  uint64_t done;
  uint64_t total;
} PxProgress;

/* The line for a person after elapsed microseconds, fitting into width characters. Caller frees. */
char *px_progress_text(const PxProgress *progress, int64_t elapsed_us, unsigned width);

typedef int64_t (*PxClock)(void); /* microseconds, never going back */

typedef struct PxProgressBar PxProgressBar;

/* A bar on the terminal at fd, or NULL when fd is none or wanted is false: the other functions take NULL and do nothing. */
PxProgressBar *px_progress_bar_new(int fd, bool wanted, PxClock clock);
/* Draws, at most ten times a second. */
void px_progress_bar_update(PxProgressBar *bar, const PxProgress *progress);
/* Wipes the line. */
void px_progress_bar_free(PxProgressBar *bar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxProgressBar, px_progress_bar_free)
