/* SPDX-License-Identifier: Apache-2.0 */
#include "command/open.h"

PxProject *px_command_open(const PxCommandLine *line, const PxCommandOpen *how, GError **error) {
  PxProjectOptions options = {
    .paths = line->configs,
    .n_paths = g_strv_length((char **)(uintptr_t)line->configs),
    .dry_run = how->dry_run,
    .no_files = how->no_files || how->no_history,
    .no_migrate = how->no_history,
  };
  return px_project_open(&options, how->complaints, error);
}
