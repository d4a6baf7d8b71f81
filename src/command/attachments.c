/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/list.h"
#include "command/open.h"
#include "command/run_report.h"

#include <stdio.h>

#define RUN_LIMIT 200

static gboolean pending;

static const GOptionEntry OPTIONS[] = {
  {"pending", 'p', 0, G_OPTION_ARG_NONE, &pending, "run: all that wait, at most --limit of them (default 200)", NULL},
  {NULL},
};

static json_t *attachment_to_json(gconstpointer row, GTimeZone *timezone) {
  const PxAttachment *attachment = row;
  json_t *object = json_object();
  json_object_set_new(object, "id", json_integer(attachment->id));
  json_object_set_new(object, "direction", px_json_text(px_direction_name(attachment->direction)));
  json_object_set_new(object, "state", px_json_text(px_state_name(attachment->state)));
  json_object_set_new(object, "name", px_json_text(attachment->name));
  json_object_set_new(object, "task", px_json_text(attachment->task));
  json_object_set_new(object, "upload_task", px_json_text(attachment->upload_task));
  json_object_set_new(object, "pattern", px_json_text(attachment->pattern));
  json_object_set_new(object, "size", px_json_count(attachment->size));
  json_object_set_new(object, "sha256", px_json_text(*attachment->sha256 ? attachment->sha256 : NULL));
  json_object_set_new(object, "storage", px_json_text(attachment->storage));
  json_object_set_new(object, "path", px_json_text(attachment->path));
  json_object_set_new(object, "remote_action", px_json_text(px_remote_action_name(attachment->remote_action)));
  json_object_set_new(object, "moved_to", px_json_text(attachment->moved_to));
  json_object_set_new(object, "parent", attachment->parent_id ? json_integer(attachment->parent_id) : json_null());
  json_object_set_new(object, "created", px_json_time(attachment->created, timezone));
  json_object_set_new(object, "changed", px_json_time(attachment->changed, timezone));
  json_object_set_new(object, "error", px_json_text(attachment->error));
  return object;
}

static int show(const PxCommandLine *line, const PxProject *project, GError **error) {
  static const PxColumn columns[] = {
    {"id", "Attachment"},         {"name", "Name"},    {"direction", "Direction"},
    {"state", "State"},           {"task", "Task"},    {"upload_task", "Upload task"},
    {"pattern", "Pattern"},       {"size", "Bytes"},   {"sha256", "SHA-256"},
    {"storage", "Storage"},       {"path", "Path"},    {"remote_action", "Remote file"},
    {"moved_to", "Moved to"},     {"parent", "About"}, {"created", "Created", true},
    {"changed", "Changed", true}, {"error", "Error"},
  };
  int64_t id = 0;
  if (!px_command_id(line->args[0], "attachment", &id, error))
    return 2;
  g_autoptr(PxAttachment) attachment = px_attachment_get(project->db, id, error);
  if (!attachment)
    return 2;
  g_autoptr(json_t) object = attachment_to_json(attachment, project->timezone);
  px_print_object(line->json, object, columns, G_N_ELEMENTS(columns));
  return 0;
}

static int list(const PxCommandLine *line, const PxProject *project, GError **error) {
  static const PxColumn columns[] = {{"id", "ID"},      {"direction", "DIRECTION"}, {"state", "STATE"},           {"name", "NAME"},  {"task", "TASK"},
                                     {"size", "BYTES"}, {"moved_to", "MOVED TO"},   {"created", "CREATED", true}, {"error", "ERROR"}};
  static const PxListing listing = {px_attachment_list, attachment_to_json, columns, G_N_ELEMENTS(columns), "No attachments."};
  return px_list_print(line, project, &listing, error);
}

/* Runs what is queued; tasks NULL: of all. */
static int run_queued(const PxCommandLine *line, PxProject *project, const char *const *tasks, GError **error) {
  g_autoptr(PxRunReport) report = px_run_report_new(project, line);
  PxRunOptions run_options = {.tasks = tasks, .report = px_run_report_job, .progress = px_run_report_progress, .data = report};
  PxRunResult result = {0};
  if (!px_run_jobs(project, &run_options, &result, error))
    return 2;
  px_run_report_end(report, &result);
  return px_run_exit_status(&result);
}

static int run_attachments(const PxCommandLine *line, PxProject *project, GError **error) {
  unsigned n = line->n_args - 1;
  if ((n > 0) == pending) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "attachments run: which ones? Give their numbers, or --pending for all that wait");
    return 2;
  }
  g_autofree int64_t *ids = g_new0(int64_t, n);
  for (unsigned i = 0; i < n; i++) {
    if (!px_command_id(line->args[i + 1], "attachment", &ids[i], error))
      return 2;
  }
  uint64_t limit = 0;
  uint64_t queued = 0;
  if (!px_list_limit(RUN_LIMIT, &limit, error) || !px_attachments_queue(project, ids, n, limit, &queued, error))
    return 2;
  return run_queued(line, project, NULL, error);
}

static int add_attachment(const PxCommandLine *line, PxProject *project, GError **error) {
  const char *task = line->args[1];
  int64_t id = 0;
  if (!px_attachment_add_by_hand(project, task, line->args[2], &id, error))
    return 2;
  if (!line->json && !line->quiet)
    printf("attachment %" G_GINT64_FORMAT " added to %s\n", id, task);
  return run_queued(line, project, (const char *const[]){task, NULL}, error);
}

static int run(const PxCommandLine *line, GError **error) {
  if (!px_list_check(false, error))
    return 2;
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){0}, error);
  if (!project)
    return 2;
  if (line->n_args == 0)
    return list(line, project, error);
  if (g_str_equal(line->args[0], "run"))
    return run_attachments(line, project, error);
  if (g_str_equal(line->args[0], "add") && line->n_args == 3)
    return add_attachment(line, project, error);
  if (line->n_args == 1)
    return show(line, project, error);
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "attachments: usage: pattimpex attachments [ID | run ID... | run --pending | add TASK FILE]");
  return 2;
}

const PxCommand px_command_attachments = {
  .name = "attachments",
  .arguments = "[ID | run ID... | run --pending | add TASK FILE]",
  .summary = "List the files in our care, show one, work on those that wait, or add one by hand",
  .help = "Bytes that were fetched or are to be sent. Tasks with process: manual leave theirs pending until\n"
          "they are run here.\n\n"
          "Examples:\n"
          "  pattimpex attachments --state pending\n"
          "  pattimpex attachments run 4 5\n"
          "  pattimpex attachments run --pending --limit 200\n"
          "  pattimpex attachments add partners-in corrected.csv\n",
  .options = px_list_options,
  .more_options = OPTIONS,
  .max_args = 1001,
  .run = run,
};
