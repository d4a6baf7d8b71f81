/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host.h"

#include <glib.h>

const char *px_host_name(void) {
  const char *given = g_getenv("PATTIMPEX_HOST");
  return given && *given ? given : g_get_host_name();
}
