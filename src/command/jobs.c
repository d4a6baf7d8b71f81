/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/list.h"
#include "command/open.h"

#include <stdio.h>

static json_t *job_to_json(gconstpointer row, GTimeZone *timezone) {
  const PxJob *job = row;
  json_t *object = json_object();
  json_object_set_new(object, "id", json_integer(job->id));
  json_object_set_new(object, "kind", px_json_text(job->kind));
  json_object_set_new(object, "state", px_json_text(px_state_name(job->state)));
  json_object_set_new(object, "task", px_json_text(job->task));
  json_object_set_new(object, "channel", px_json_text(job->channel));
  json_object_set_new(object, "priority", json_integer(job->priority));
  json_object_set_new(object, "attachment", job->attachment_id ? json_integer(job->attachment_id) : json_null());
  json_object_set_new(object, "file", job->file_id ? json_integer(job->file_id) : json_null());
  json_object_set_new(object, "retries", json_integer(job->retries));
  json_object_set_new(object, "not_before", px_json_time(job->eta, timezone));
  json_object_set_new(object, "created", px_json_time(job->created, timezone));
  json_object_set_new(object, "started", px_json_time(job->started, timezone));
  json_object_set_new(object, "ended", px_json_time(job->ended, timezone));
  json_object_set_new(object, "held_by", job->held_by ? json_integer(job->held_by) : json_null());
  g_autofree char *held = job->held_by ? g_strdup_printf("waits for job %" G_GINT64_FORMAT ", which has failed", job->held_by) : NULL;
  json_object_set_new(object, "error", px_json_text(job->error ? job->error : held));
  return object;
}

#define NEEDS_SHOWN 20

static void add_tries(const PxProject *project, const PxJob *job, json_t *object) {
  size_t n;
  g_autoptr(PxJobTry) tries = px_job_tries(job, &n);
  json_t *all = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(all, json_pack("{s:o, s:I, s:o, s:o}", "error", px_json_text(tries[i].error), "times", (json_int_t)tries[i].times, "first",
                                         px_json_time(tries[i].first, project->timezone), "last", px_json_time(tries[i].last, project->timezone)));
  json_object_set_new(object, "tries", all);
}

/* For people, a line a message. */
static void print_tries(const json_t *tries) {
  size_t i;
  const json_t *one;
  json_array_foreach(tries, i, one) {
    g_autofree char *error = px_output_line(json_string_value(json_object_get(one, "error")));
    printf("  %s  %s (%" JSON_INTEGER_FORMAT ")\n", json_string_value(json_object_get(one, "last")), error,
           json_integer_value(json_object_get(one, "times")));
  }
}

static bool add_needs(const PxProject *project, const PxJob *job, json_t *object, GError **error) {
  if (job->waits == 0)
    return true;
  g_autoptr(GArray) needs = px_job_needs(project->db, job->id, NEEDS_SHOWN, error);
  if (!needs)
    return false;
  json_t *ids = json_array();
  for (guint i = 0; i < needs->len; i++)
    json_array_append_new(ids, json_integer(g_array_index(needs, int64_t, i)));
  json_object_set_new(object, "waits", json_integer(job->waits));
  json_object_set_new(object, "waits_for", ids);
  return true;
}

static int show(const PxCommandLine *line, const PxProject *project, GError **error) {
  static const PxColumn columns[] = {
    {"id", "Job"},
    {"kind", "Kind"},
    {"state", "State"},
    {"task", "Task"},
    {"channel", "Channel"},
    {"priority", "Priority"},
    {"attachment", "Attachment"},
    {"file", "File"},
    {"retries", "Retries"},
    {"not_before", "Not before", true},
    {"created", "Created", true},
    {"started", "Started", true},
    {"ended", "Ended", true},
    {"waits", "Waits for"},
    {"waits_for", "First of them"},
    {"error", "Error"},
  };
  int64_t id = 0;
  if (!px_command_id(line->args[0], "job", &id, error))
    return 2;
  g_autoptr(PxJob) job = px_job_get(project->db, id, error);
  if (!job)
    return 2;
  g_autoptr(json_t) object = job_to_json(job, project->timezone);
  add_tries(project, job, object);
  if (!add_needs(project, job, object, error))
    return 2;
  px_print_object(line->json, object, columns, G_N_ELEMENTS(columns));
  if (!line->json)
    print_tries(json_object_get(object, "tries"));
  return 0;
}

static int run(const PxCommandLine *line, GError **error) {
  static const PxColumn columns[] = {
    {"id", "ID"}, {"kind", "KIND"}, {"state", "STATE"}, {"task", "TASK"}, {"file", "FILE"}, {"created", "CREATED", true}, {"error", "ERROR"}};
  static const PxListing listing = {px_job_list, job_to_json, columns, G_N_ELEMENTS(columns), "No jobs."};
  if (!px_list_check(true, error))
    return 2;
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  if (!project)
    return 2;
  return line->n_args == 1 ? show(line, project, error) : px_list_print(line, project, &listing, error);
}

const PxCommand px_command_jobs = {
  .name = "jobs",
  .arguments = "[ID]",
  .summary = "List jobs, or show one",
  .help = "Units of work in the queue: fetch, import, report, receipt, export, upload, process, clean. States: waiting (for\n"
          "other jobs), pending, started, done, failed, cancelled. Their order, channels and retries: docs/jobs.md.\n\n"
          "Examples:\n"
          "  pattimpex jobs --state failed\n"
          "  pattimpex jobs --channel upload --error timeout --since 2h\n"
          "  pattimpex jobs 12\n",
  .options = px_list_options,
  .max_args = 1,
  .run = run,
};
