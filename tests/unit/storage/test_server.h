/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Real servers that the tests start. */
#include <glib.h>

unsigned server_free_port(void);
/* Starts it without root's rights to all files, and waits until something answers on that port of the loopback. It ends with this program. */
GPid server_spawn(const char *const *command, unsigned port);
