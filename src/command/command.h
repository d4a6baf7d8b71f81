/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The commands: one table entry a command, one file each. The framework parses options and counts arguments before a command runs. */
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the user gave, global options taken out. */
typedef struct {
  const char *const *configs; /* -c, PATTIMPEX_CONFIG, or ./pattimpex.yaml; NULL-terminated, at least one */
  bool json;                  /* --json, PATTIMPEX_JSON */
  bool quiet;                 /* --quiet, PATTIMPEX_QUIET: no progress, no summary for people */
  const char *const *args;    /* without the name of the command; NULL-terminated */
  unsigned n_args;
} PxCommandLine;

typedef struct {
  const char *name;
  const char *arguments;       /* for the usage line: "PATTERN FILE" */
  const char *summary;         /* one line, no full stop */
  const char *help;            /* more sentences and examples */
  const GOptionEntry *options; /* of this command alone, or NULL; they write into variables of its file */
  const GOptionEntry *more_options;
  unsigned min_args, max_args; /* max_args 0 with min_args 0: none */
  bool no_json;                /* neither lists nor reports */
  /* The exit status of design section 8. What goes wrong as a whole is an error, and the status is then the error's. */
  int (*run)(const PxCommandLine *line, GError **error);
} PxCommand;

/* Runs the command that argv names, or shows help or version. commands ends with NULL. */
int px_command_main(const PxCommand *const *commands, int argc, char **argv, GError **error);

/* ---- for the files of command/ */

/* A number of a command line: an id. PX_ERROR_USAGE when it is none; what says of what ("job"). */
bool px_command_id(const char *text, const char *what, int64_t *ret_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether key is the fingerprint of an OpenPGP key. PX_ERROR_USAGE when it is none; option: "export: --sign-with". */
bool px_command_key(const char *option, const char *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

extern const PxCommand px_command_attachments;
extern const PxCommand px_command_cancel;
extern const PxCommand px_command_check;
extern const PxCommand px_command_clean;
extern const PxCommand px_command_export;
extern const PxCommand px_command_files;
extern const PxCommand px_command_headers;
extern const PxCommand px_command_import;
extern const PxCommand px_command_init;
extern const PxCommand px_command_jobs;
extern const PxCommand px_command_metrics;
extern const PxCommand px_command_models;
extern const PxCommand px_command_retry;
extern const PxCommand px_command_run;
extern const PxCommand px_command_scheduler;
extern const PxCommand px_command_serve;
extern const PxCommand px_command_set_done;
extern const PxCommand px_command_status;
extern const PxCommand px_command_storage;
extern const PxCommand px_command_tasks;
extern const PxCommand px_command_template;
extern const PxCommand px_command_worker;
