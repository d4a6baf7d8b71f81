/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Something that is printed again and again: on a terminal always at the same place, elsewhere one after the other. */
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is shown now; NULL: an error. Caller frees. */
typedef char *(*PxWatchDraw)(void *data, GError **error);

/* Prints at once and then every so many microseconds, until SIGINT, SIGTERM or (on a terminal) q; the terminal is left as it was. draw's error
 * ends it: false. */
bool px_watch(int64_t every, PxWatchDraw draw, void *data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether it goes to a terminal. */
bool px_watch_is_screen(void);
/* text as a terminal of so many lines has room for it; without its last line end. Caller frees. */
char *px_watch_fit(const char *text, unsigned lines);
