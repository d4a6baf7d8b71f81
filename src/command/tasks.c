/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/open.h"
#include "command/output.h"
#include "command/yaml.h"
#include "flow/flow.h"

#include <stdio.h>

static json_t *enabled_to_json(PxEnabled enabled) {
  return enabled == PX_ENABLED_AS_CONFIGURED ? json_null() : json_boolean(enabled == PX_ENABLED_YES);
}

static json_t *task_to_json(const PxProject *project, const PxTask *task, GError **error) {
  g_auto(PxTaskStatus) status = {0};
  if (!px_task_status(project, task, &status, error))
    return NULL;
  json_t *object = json_object();
  json_object_set_new(object, "task", px_json_text(task->name));
  json_object_set_new(object, "kind", px_json_text(px_task_kind_name(task->kind)));
  json_object_set_new(object, "configured", json_boolean(status.configured));
  json_object_set_new(object, "enabled", enabled_to_json(status.enabled));
  json_object_set_new(object, "runs", json_boolean(status.runs));
  json_object_set_new(object, "pattern", px_json_text(task->pattern ? task->pattern->name : NULL));
  json_object_set_new(object, "storage", px_json_text(task->storage));
  json_object_set_new(object, "path", px_json_text(task->path));
  json_object_set_new(object, "schedule", px_json_text(task->schedule ? px_schedule_text(task->schedule) : NULL));
  json_object_set_new(object, "next_run", px_json_time(status.next_run, project->timezone));
  const PxSchedule *held = task->process_schedule ? task->process_schedule : task->upload_schedule;
  json_object_set_new(object, "held_schedule", px_json_text(held ? px_schedule_text(held) : NULL));
  json_object_set_new(object, "next_held", px_json_time(status.next_held, project->timezone));
  g_autofree char *expects = task->expect ? px_expect_text(task->expect) : NULL;
  json_object_set_new(object, "expect", px_json_text(expects));
  json_object_set_new(object, "next_expected", px_json_time(status.next_expected, project->timezone));
  json_object_set_new(object, "last_due", px_json_time(status.last_due, project->timezone));
  json_object_set_new(object, "last_due_state", px_json_text(status.last_due ? px_due_state_name(status.last_due_state) : NULL));
  json_object_set_new(object, "last_run", px_json_time(status.last_run, project->timezone));
  json_object_set_new(object, "last_state", px_json_text(status.last_run ? px_state_name(status.last_state) : NULL));
  json_object_set_new(object, "last_error", px_json_text(status.last_error));
  return object;
}

/* What the configuration and the database say, in a word for people. */
static void add_active_text(json_t *object) {
  const json_t *enabled = json_object_get(object, "enabled");
  bool configured = json_is_true(json_object_get(object, "configured"));
  const char *text = configured ? "yes" : "no";
  if (json_is_boolean(enabled))
    text = json_is_true(enabled) ? (configured ? "yes (enabled)" : "yes (enabled, no in the file)")
                                 : (configured ? "no (disabled, yes in the file)" : "no (disabled)");
  json_object_set_new(object, "active", px_json_text(text));
}

static int list(const PxCommandLine *line, const PxProject *project, GError **error) {
  static const PxColumn columns[] = {
    {"task", "TASK"},         {"kind", "KIND"},           {"active", "ACTIVE"},           {"pattern", "PATTERN"},      {"storage", "STORAGE"},
    {"schedule", "SCHEDULE"}, {"next_run", "NEXT", true}, {"last_run", "LAST RUN", true}, {"last_state", "LAST STATE"}};
  g_autoptr(json_t) rows = json_array();
  for (size_t i = 0; i < px_tasks_count(project->tasks); i++) {
    json_t *object = task_to_json(project, px_tasks_at(project->tasks, i), error);
    if (!object)
      return 2;
    if (!line->json)
      add_active_text(object);
    json_array_append_new(rows, object);
  }
  px_print_rows(line->json, rows, columns, G_N_ELEMENTS(columns), "No tasks.");
  return 0;
}

static int show(const PxCommandLine *line, const PxProject *project, GError **error) {
  static const PxColumn columns[] = {{"task", "Task"},
                                     {"kind", "Kind"},
                                     {"active", "Active"},
                                     {"pattern", "Pattern"},
                                     {"storage", "Storage"},
                                     {"path", "Path"},
                                     {"schedule", "Schedule"},
                                     {"next_run", "Next", true},
                                     {"held_schedule", "Held until"},
                                     {"next_held", "Goes on", true},
                                     {"expect", "Expects"},
                                     {"next_expected", "Next expected", true},
                                     {"last_due", "Last due", true},
                                     {"last_due_state", "It was"},
                                     {"last_run", "Last run", true},
                                     {"last_state", "Last state"},
                                     {"last_error", "Last error"}};
  const PxTask *task = px_project_task(project, line->args[0], error);
  g_autoptr(json_t) object = task ? task_to_json(project, task, error) : NULL;
  if (!object)
    return 2;
  if (!line->json)
    add_active_text(object);
  px_print_object(line->json, object, columns, G_N_ELEMENTS(columns));
  return 0;
}

static int enable(const PxCommandLine *line, PxProject *project, bool enabled, GError **error) {
  const char *name = line->args[1];
  if (!px_project_task(project, name, error) || !px_task_enable(project, name, enabled ? PX_ENABLED_YES : PX_ENABLED_NO, error))
    return 2;
  if (line->json) {
    g_autoptr(json_t) object = json_pack("{s:s, s:b}", "task", name, "enabled", enabled);
    px_print_json(object);
  } else if (!line->quiet) {
    printf("%s is %s, whatever the configuration says\n", name, enabled ? "enabled" : "disabled");
  }
  return 0;
}

/* The keys of task under a new name, inactive until somebody has looked at it. */
static void print_copy(const PxTask *task, const char *name) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_string_append_printf(out, "%s_tasks:\n  %s:\n    active: false\n", px_task_kind_name(task->kind), name);
  for (size_t i = 0; i < px_node_count(task->node); i++) {
    const char *key = px_node_key_at(task->node, i);
    if (g_str_equal(key, "active") || g_str_equal(key, "renamed_from"))
      continue;
    px_yaml_append_pair(out, key, px_node_at(task->node, i), 4);
  }
  fputs(out->str, stdout);
}

static int duplicate(const PxCommandLine *line, const PxProject *project, GError **error) {
  const PxTask *task = px_project_task(project, line->args[1], error);
  if (!task)
    return 2;
  if (px_tasks_get(project->tasks, line->args[2])) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "tasks duplicate: there is a task %s already", line->args[2]);
    return 2;
  }
  print_copy(task, line->args[2]);
  return 0;
}

static int run(const PxCommandLine *line, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_files = true}, error);
  if (!project)
    return 2;
  if (line->n_args == 0)
    return list(line, project, error);
  if (line->n_args == 1)
    return show(line, project, error);
  if (line->n_args == 2 && g_str_equal(line->args[0], "enable"))
    return enable(line, project, true, error);
  if (line->n_args == 2 && g_str_equal(line->args[0], "disable"))
    return enable(line, project, false, error);
  if (line->n_args == 3 && g_str_equal(line->args[0], "duplicate"))
    return duplicate(line, project, error);
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "tasks: usage: pattimpex tasks [TASK | enable TASK | disable TASK | duplicate TASK NEW]");
  return 2;
}

const PxCommand px_command_tasks = {
  .name = "tasks",
  .arguments = "[TASK | enable TASK | disable TASK | duplicate TASK NEW]",
  .summary = "List tasks, show, enable or disable one, or print a copy of it",
  .help = "Enabling and disabling is kept in the database and goes over active: in the configuration.\n\n"
          "Examples:\n"
          "  pattimpex tasks\n"
          "  pattimpex tasks disable partners-in\n"
          "  pattimpex tasks duplicate partners-in partners-in-2 >> more-tasks.yaml\n",
  .max_args = 3,
  .run = run,
};
