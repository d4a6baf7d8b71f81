/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/output.h"
#include "daemon/daemon.h"
#include "flow/flow.h"

#include <stdio.h>

static gboolean effective;
static gboolean offline;
static char *mail_to;
static gboolean webhook;

static const GOptionEntry OPTIONS[] = {
  {"effective", 'e', 0, G_OPTION_ARG_NONE, &effective, "Only print the configuration as merged, with the origin of each value, secrets hidden", NULL},
  {"offline", 0, 0, G_OPTION_ARG_NONE, &offline, "Leave the storages alone", NULL},
  {"mail", 0, 0, G_OPTION_ARG_FILENAME, &mail_to, "Only send a test mail, by the server of mail:", "ADDRESS"},
  {"webhook", 0, 0, G_OPTION_ARG_NONE, &webhook, "Only post a test to the webhook", NULL},
  {NULL},
};

/* ---- telling */

static void print_json(const PxComplaints *complaints) {
  json_t *array = json_array();
  for (size_t i = 0; i < px_complaints_count(complaints); i++) {
    const PxComplaint *complaint = px_complaints_at(complaints, i);
    json_t *object = json_object();
    json_object_set_new(object, "file", px_json_text(complaint->file));
    json_object_set_new(object, "line", complaint->line ? px_json_count(complaint->line) : json_null());
    json_object_set_new(object, "level", px_json_text(complaint->is_warning ? "warning" : "error"));
    json_object_set_new(object, "text", px_json_text(complaint->text));
    json_array_append_new(array, object);
  }
  g_autoptr(json_t) all = json_object();
  json_object_set_new(all, "errors", px_json_count(px_complaints_errors(complaints)));
  json_object_set_new(all, "warnings", px_json_count(px_complaints_count(complaints) - px_complaints_errors(complaints)));
  json_object_set_new(all, "complaints", array);
  px_print_json(all);
}

static void print_good(const PxCommandLine *line, const PxProject *project, size_t warnings) {
  g_autofree char *models = px_count_text(px_schema_count(project->schema), "model");
  g_autofree char *storages = px_count_text(px_storages_count(project->storages), "storage");
  g_autofree char *patterns = px_count_text(px_patterns_count(project->patterns), "pattern");
  g_autofree char *tasks = px_count_text(px_tasks_count(project->tasks), "task");
  g_autofree char *warned = warnings > 0 ? px_count_text(warnings, "warning") : NULL;
  printf("%s is good: %s, %s, %s, %s%s%s\n", line->configs[0], models, storages, patterns, tasks, warned ? "; " : "", warned ? warned : "");
}

/* Warnings are what check has to report; errors are left to who prints errors. */
static void print_warnings(const PxComplaints *complaints) {
  for (size_t i = 0; i < px_complaints_count(complaints); i++) {
    const PxComplaint *complaint = px_complaints_at(complaints, i);
    if (!complaint->is_warning)
      continue;
    g_autofree char *text = px_complaint_text(complaint);
    g_autofree char *safe = px_output_line(text);
    puts(safe);
  }
}

static int tell(const PxCommandLine *line, const PxProject *project, const PxComplaints *complaints, unsigned unreachable, GError **error) {
  size_t errors = px_complaints_errors(complaints);
  if (line->json)
    print_json(complaints);
  else
    print_warnings(complaints);
  if (errors == 0) {
    if (!line->json && !line->quiet)
      print_good(line, project, px_complaints_count(complaints));
    return 0;
  }
  g_autoptr(GError) wrong = NULL;
  (void)px_complaints_to_error(complaints, &wrong);
  /* Where only stores are out of reach the configuration may be right. */
  g_set_error_literal(error, PX_ERROR, errors == unreachable ? PX_ERROR_UNREACHABLE : PX_ERROR_CONFIG, wrong->message);
  return 2;
}

/* ---- the command */

static PxConfig *load_config(const PxCommandLine *line, GError **error) {
  return px_config_load(line->configs, g_strv_length((char **)(uintptr_t)line->configs), error);
}

static int print_effective(const PxCommandLine *line, GError **error) {
  g_autoptr(PxConfig) config = load_config(line, error);
  if (!config)
    return 2;
  g_autofree char *text = line->json ? px_config_dump_json(config) : px_config_dump(config);
  fputs(text, stdout);
  return 0;
}

static int send_test(const PxCommandLine *line, GError **error) {
  const PxProjectOptions options = {.paths = line->configs, .n_paths = g_strv_length((char **)(uintptr_t)line->configs), .no_files = true};
  g_autoptr(PxProject) project = px_project_open(&options, NULL, error);
  if (!project || (mail_to && !px_notice_test_mail(project, mail_to, error)) || (webhook && !px_notice_test_webhook(project, error)))
    return 2;
  if (line->json) {
    g_autoptr(json_t) object = json_pack("{s:s?, s:b}", "mail", mail_to, "webhook", webhook);
    px_print_json(object);
    return 0;
  }
  if (mail_to)
    printf("the mail server has taken a test mail to %s\n", mail_to);
  if (webhook)
    printf("the webhook has taken a test\n");
  return 0;
}

static int run(const PxCommandLine *line, GError **error) {
  if (effective)
    return print_effective(line, error);
  if (mail_to || webhook)
    return send_test(line, error);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  PxProjectOptions options = {.paths = line->configs, .n_paths = g_strv_length((char **)(uintptr_t)line->configs)};
  g_autoptr(PxProject) project = px_project_open(&options, complaints, error);
  if (!project)
    return 2;
  unsigned unreachable = 0;
  /* What the configuration says wrong comes first: with it corrected the rest can be asked. */
  px_daemon_check(project->config, complaints);
  if (px_complaints_errors(complaints) == 0 && !px_project_check(project, complaints, offline ? NULL : &unreachable, error))
    return 2;
  return tell(line, project, complaints, unreachable, error);
}

const PxCommand px_command_check = {
  .name = "check",
  .arguments = "",
  .summary = "Check the configuration, the schema, the storages and the keys",
  .help = "Everything that is wrong is told at once, with file and line. Makes the program's own tables, and\n"
          "puts a probe file into each storage and takes it away.\n\n"
          "Examples:\n"
          "  pattimpex check\n"
          "  pattimpex check --offline\n"
          "  pattimpex check --mail ops@example.com\n"
          "  pattimpex -c pattimpex.yaml -c staging.yaml check --effective\n",
  .options = OPTIONS,
  .run = run,
};
