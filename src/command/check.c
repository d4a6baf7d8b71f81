/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/output.h"
#include "flow/project.h"

#include <stdio.h>

static gboolean effective;

static const GOptionEntry OPTIONS[] = {
  {"effective", 'e', 0, G_OPTION_ARG_NONE, &effective, "Only print the configuration as merged, with the origin of each value, secrets hidden", NULL},
  {NULL},
};

/* ---- keys */

static const PxConfigNode *section_of(const PxConfig *config, const char *section, const char *name) {
  return px_node_get(px_node_get(px_config_root(config), section), name);
}

static bool is_key(const PxPattern *pattern, const PxField *field) {
  for (size_t i = 0; i < pattern->n_fields; i++) {
    if (pattern->fields[i].key && pattern->fields[i].n_path > 0 && pattern->fields[i].path[0] == field)
      return true;
  }
  return false;
}

/* Whether the database itself sees to it that no two records have the same key. */
static bool key_is_unique(const PxPattern *pattern) {
  for (size_t i = 0; i < pattern->model->n_uniques; i++) {
    const PxUnique *unique = &pattern->model->uniques[i];
    size_t n = 0;
    while (n < unique->n_fields && is_key(pattern, unique->fields[n]))
      n++;
    if (n == unique->n_fields)
      return true;
  }
  return is_key(pattern, pattern->model->id);
}

/* The fields of the key, each once: "country_id, code". */
static char *key_text(const PxPattern *pattern) {
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < pattern->model->n_fields; i++) {
    const PxField *field = pattern->model->fields[i];
    if (is_key(pattern, field))
      g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", field->name);
  }
  return g_string_free(out, FALSE);
}

/* Whether some index begins with a field of the key. */
static bool key_is_indexed(const PxProject *project, const PxPattern *pattern, bool *ret_indexed, GError **error) {
  PxStmt *stmt = px_db_named(project->db, "sqlite_index_leaders", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, pattern->model->table);
  *ret_indexed = false;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    g_autofree char *column = px_stmt_dup_text(stmt, 0);
    const PxField *field = px_model_column(pattern->model, column);
    *ret_indexed = *ret_indexed || (field && is_key(pattern, field));
  }
  return step == PX_STEP_DONE;
}

static bool check_key(const PxProject *project, const PxPattern *pattern, PxComplaints *complaints, GError **error) {
  g_autofree char *key = key_text(pattern);
  if (!*key || key_is_unique(pattern))
    return true;
  const PxConfigNode *node = section_of(project->config, "patterns", pattern->name);
  px_warn(complaints, node, "pattern %s: nothing in the database keeps its key (%s) unique: a row that matches two records will fail", pattern->name,
          key);
  bool indexed = false;
  if (!key_is_indexed(project, pattern, &indexed, error))
    return false;
  if (!indexed)
    px_warn(complaints, node, "pattern %s: no index of table %s begins with a column of its key (%s): each search reads the whole table",
            pattern->name, pattern->model->table, key);
  return true;
}

static bool check_keys(const PxProject *project, PxComplaints *complaints, GError **error) {
  for (size_t i = 0; i < px_patterns_count(project->patterns); i++) {
    if (!check_key(project, px_patterns_at(project->patterns, i), complaints, error))
      return false;
  }
  return true;
}

/* ---- storages */

/* Each storage is asked; those that do not answer are told and counted, and the others are asked all the same. */
static void check_storages(const PxProject *project, PxComplaints *complaints, unsigned *ret_unreachable) {
  for (size_t i = 0; i < px_storages_count(project->storages); i++) {
    const char *name = px_storages_name(project->storages, i);
    g_autoptr(GError) problem = NULL;
    g_autoptr(PxStorage) storage = px_storage_open(project->storages, name, false, &problem);
    if (storage && px_storage_check(storage, true, &problem))
      continue;
    px_complain(complaints, section_of(project->config, "storages", name), "%s", problem->message);
    *ret_unreachable += g_error_matches(problem, PX_ERROR, PX_ERROR_UNREACHABLE) || g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT);
  }
}

/* ---- telling */

static char *complaint_text(const PxComplaint *complaint) {
  g_autofree char *place = NULL;
  if (complaint->file && complaint->line > 0)
    place = g_strdup_printf("%s:%u: ", complaint->file, complaint->line);
  else if (complaint->file)
    place = g_strdup_printf("%s: ", complaint->file);
  return g_strdup_printf("%s%s%s", place ? place : "", complaint->is_warning ? "warning: " : "", complaint->text);
}

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
    g_autofree char *text = complaint_text(complaint);
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
  g_autofree char *text = px_config_dump(config);
  fputs(text, stdout);
  return 0;
}

static int run(const PxCommandLine *line, GError **error) {
  if (effective)
    return print_effective(line, error);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  PxProjectOptions options = {.paths = line->configs, .n_paths = g_strv_length((char **)(uintptr_t)line->configs)};
  g_autoptr(PxProject) project = px_project_open(&options, complaints, error);
  if (!project)
    return 2;
  unsigned unreachable = 0;
  /* What the configuration says wrong comes first: with it corrected the rest can be asked. */
  if (px_complaints_errors(complaints) == 0) {
    check_storages(project, complaints, &unreachable);
    if (!check_keys(project, complaints, error) || !px_project_warn_lost_names(project, complaints, error))
      return 2;
  }
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
          "  pattimpex -c pattimpex.yaml -c staging.yaml check --effective\n",
  .options = OPTIONS,
  .run = run,
};
