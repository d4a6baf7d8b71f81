/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Threads beside the main one, to which all signals go. */
#include <glib.h>

/* Runs func(data); the caller joins it (g_thread_join). name: as it is seen in ps, at most 15 bytes. */
GThread *px_thread_start(const char *name, GThreadFunc func, void *data);
