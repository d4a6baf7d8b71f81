/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The progress bar: one line on standard error, and nothing at all where that is no terminal. */
#include "flow/flow.h"

/* The line for a person after elapsed microseconds, cut at width characters. Caller frees. */
char *px_progress_text(const PxProgress *progress, int64_t elapsed_us, unsigned width);

typedef int64_t (*PxClock)(void); /* microseconds, never going back */

typedef struct PxProgressBar PxProgressBar;

/* A bar on the terminal at fd, or NULL when fd is none or wanted is false: the other functions take NULL and do nothing. */
PxProgressBar *px_progress_bar_new(int fd, bool wanted, PxClock clock);
/* A PxProgressFunc: data is the bar. Draws, at most ten times a second; another name or step begins anew. */
void px_progress_bar_show(const PxProgress *progress, void *data);
/* Wipes the line, so that something can be printed; the next call draws it again. */
void px_progress_bar_hide(PxProgressBar *bar);
void px_progress_bar_free(PxProgressBar *bar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxProgressBar, px_progress_bar_free)
