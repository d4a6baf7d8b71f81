/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/clean.h"
#include "command/command.h"
#include "command/open.h"
#include "command/output.h"

#include <stdio.h>

static gboolean dry_run;

static const GOptionEntry OPTIONS[] = {
  {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Say what would be removed", NULL},
  {NULL},
};

static int run(const PxCommandLine *line, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.dry_run = dry_run}, error);
  PxCleaned cleaned;
  if (!project || !px_clean(project, &cleaned, error))
    return 2;
  if (line->json) {
    g_autoptr(json_t) object = json_object();
    json_object_set_new(object, "jobs", px_json_count(cleaned.jobs));
    json_object_set_new(object, "files", px_json_count(cleaned.files));
    json_object_set_new(object, "attachments", px_json_count(cleaned.attachments));
    json_object_set_new(object, "stripped", px_json_count(cleaned.stripped));
    json_object_set_new(object, "blobs", px_json_count(cleaned.blobs));
    json_object_set_new(object, "bytes", px_json_count(cleaned.bytes));
    px_print_json(object);
  } else if (!line->quiet) {
    g_autofree char *jobs = px_count_text(cleaned.jobs, "job");
    g_autofree char *files = px_count_text(cleaned.files, "file");
    g_autofree char *attachments = px_count_text(cleaned.attachments, "attachment");
    g_autofree char *stripped = px_count_text(cleaned.stripped, "attachment");
    g_autofree char *blobs = px_count_text(cleaned.blobs, "blob");
    g_autofree char *bytes = px_count_text(cleaned.bytes, "byte");
    printf("%s: %s, %s, %s, %s (%s); %s kept without the bytes\n", dry_run ? "would be removed" : "removed", jobs, files, attachments, blobs, bytes,
           stripped);
  }
  return 0;
}

const PxCommand px_command_clean = {
  .name = "clean",
  .summary = "Remove what has ended long ago: keep_jobs, keep_files",
  .help = "Jobs that are done or were cancelled before keep_jobs (30 days), files and attachments before keep_files\n"
          "(nothing by default), and what is in the filestore for nobody. What failed or waits stays. serve does it\n"
          "every day.\n\n"
          "Example:\n"
          "  pattimpex clean --dry-run\n",
  .options = OPTIONS,
  .run = run,
};
