/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From the command line to an open project. */
#include "command/command.h"
#include "flow/project.h"

typedef struct {
  bool dry_run;
  bool no_files;            /* the command touches no bytes */
  bool no_history;          /* nor our own tables */
  PxComplaints *complaints; /* px_project_open(); NULL: an error is an error */
} PxCommandOpen;

PxProject *px_command_open(const PxCommandLine *line, const PxCommandOpen *how, GError **error) G_GNUC_WARN_UNUSED_RESULT;
