/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/open.h"
#include "command/output.h"
#include "command/yaml.h"

#include <stdio.h>

static char *write_path;

static const GOptionEntry OPTIONS[] = {
  {"write", 'w', 0, G_OPTION_ARG_FILENAME, &write_path, "Put the names into this file, whose other patterns stay", "FILE"},
  {NULL},
};

/* ---- the names of a pattern as they would be */

typedef struct {
  const char *column;
  char *name;
  const PxPatternName *own; /* its further names are kept; NULL: none */
  const char *state;        /* own, new, gone */
} Line;

static void free_line(gpointer data) {
  Line *line = data;
  g_free(line->name);
  g_free(line);
}

static void add_line(GPtrArray *lines, const char *column, char *name, const PxPatternName *own, const char *state) {
  Line *line = g_new(Line, 1);
  *line = (Line){.column = column, .name = name, .own = own, .state = state};
  g_ptr_array_add(lines, line);
}

static bool is_called(const GPtrArray *lines, const char *name) {
  for (guint i = 0; i < lines->len; i++)
    if (g_str_equal(((const Line *)lines->pdata[i])->name, name))
      return true;
  return false;
}

/* The label, where no other column has it. */
static char *proposal(const GPtrArray *lines, const PxExportColumn *column) {
  g_autofree char *name = g_strdelimit(g_strdup(column->label), "|", ' ');
  return is_called(lines, name) ? g_strdup(column->header) : g_steal_pointer(&name);
}

static bool has_column(const PxPattern *pattern, const PxPatternName *name) {
  for (size_t i = 0; i < pattern->n_columns; i++)
    if (*pattern->columns[i].header && px_pattern_name(pattern, pattern->columns[i].header) == name)
      return true;
  return false;
}

static GPtrArray *make_lines(const PxPattern *pattern) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(free_line);
  for (size_t i = 0; i < pattern->n_columns; i++) {
    const PxExportColumn *column = &pattern->columns[i];
    if (*column->header && (column->custom || column->computed))
      add_line(lines, column->header, g_strdup(column->custom ? column->custom : column->header), px_pattern_name(pattern, column->header), "own");
  }
  for (size_t i = 0; i < pattern->n_columns; i++) {
    const PxExportColumn *column = &pattern->columns[i];
    if (*column->header && !column->custom && !column->computed)
      add_line(lines, column->header, proposal(lines, column), NULL, "new");
  }
  for (size_t i = 0; i < pattern->n_names; i++)
    if (!has_column(pattern, &pattern->names[i]))
      add_line(lines, pattern->names[i].column, g_strdup(pattern->names[i].names[0]), &pattern->names[i], "gone");
  return lines;
}

/* ---- as YAML */

static void append_text(GString *out, const char *text) {
  g_autoptr(json_t) string = px_json_text(text);
  char *quoted = json_dumps(string, JSON_ENCODE_ANY);
  g_string_append(out, quoted);
  free(quoted);
}

static void append_names(GString *out, const Line *line) {
  bool several = line->own && line->own->names[1];
  g_string_append(out, several ? "[" : "");
  append_text(out, line->name);
  for (const char *const *more = several ? line->own->names + 1 : NULL; more && *more; more++) {
    g_string_append(out, ", ");
    append_text(out, *more);
  }
  g_string_append(out, several ? "]" : "");
}

static void append_pattern(GString *out, const PxPattern *pattern) {
  g_autoptr(GPtrArray) lines = make_lines(pattern);
  g_string_append(out, "  ");
  append_text(out, pattern->name);
  g_string_append(out, ":\n    headers:\n");
  for (guint i = 0; i < lines->len; i++) {
    const Line *line = lines->pdata[i];
    g_string_append(out, "      ");
    append_text(out, line->column);
    g_string_append(out, ": ");
    append_names(out, line);
    g_string_append(out, g_str_equal(line->state, "new")    ? "  # new\n"
                         : g_str_equal(line->state, "gone") ? "  # no column of the pattern now\n"
                                                            : "\n");
  }
}

/* ---- the file that keeps names */

static bool only_has(const PxConfigNode *map, const char *key) {
  return px_node_type(map) == PX_NODE_MAP && px_node_count(map) == 1 && g_str_equal(px_node_key_at(map, 0), key);
}

static bool is_asked(const GPtrArray *patterns, const char *name) {
  for (guint i = 0; i < patterns->len; i++)
    if (g_str_equal(((const PxPattern *)patterns->pdata[i])->name, name))
      return true;
  return false;
}

/* The patterns that the file keeps names of and that are not asked for stay as they are. */
static bool append_others(GString *out, const GPtrArray *patterns, GError **error) {
  g_autofree char *text = NULL;
  if (!g_file_test(write_path, G_FILE_TEST_EXISTS))
    return true;
  if (!g_file_get_contents(write_path, &text, NULL, error))
    return false;
  g_autoptr(PxConfig) config = px_config_parse(text, write_path, error);
  if (!config)
    return false;
  const PxConfigNode *root = px_config_root(config);
  const PxConfigNode *section = px_node_get(root, "patterns");
  bool fits = px_node_count(root) == 0 || only_has(root, "patterns");
  for (size_t i = 0; fits && i < px_node_count(section); i++) {
    const PxConfigNode *pattern = px_node_at(section, i);
    fits = only_has(pattern, "headers");
    if (fits && !is_asked(patterns, px_node_key_at(section, i))) {
      g_string_append(out, "  ");
      append_text(out, px_node_key_at(section, i));
      g_string_append(out, ":\n");
      px_yaml_append(out, pattern, 4);
    }
  }
  if (!fits)
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE,
                "%s has more than patterns: NAME: headers: and stays as it is; give a file of its own, and include: it", write_path);
  return fits;
}

static bool write_names(const GString *yaml, const GPtrArray *patterns, bool quiet, GError **error) {
  g_autoptr(GString) text = g_string_new("# Names of columns, kept by: pattimpex headers --write. The configuration includes this file.\n");
  g_string_append(text, yaml->str);
  if (!append_others(text, patterns, error) || !g_file_set_contents(write_path, text->str, (gssize)text->len, error))
    return false;
  if (!quiet)
    printf("%s: the names of %u pattern%s; it counts when the configuration has include: %s\n", write_path, patterns->len,
           patterns->len == 1 ? "" : "s", write_path);
  return true;
}

/* ---- the command */

static bool add_pattern(GPtrArray *patterns, const PxProject *project, const char *name, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, name, error);
  if (!pattern)
    return false;
  if (pattern->header == PX_HEADER_CUSTOM) {
    g_ptr_array_add(patterns, (gpointer)(uintptr_t)pattern);
    return true;
  }
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "pattern %s has no names of its own: they come with header: custom", name);
  return false;
}

static bool collect(const PxCommandLine *line, const PxProject *project, GPtrArray *patterns, GError **error) {
  for (unsigned i = 0; i < line->n_args; i++)
    if (!add_pattern(patterns, project, line->args[i], error))
      return false;
  for (size_t i = 0; line->n_args == 0 && i < px_patterns_count(project->patterns); i++) {
    const PxPattern *pattern = px_patterns_at(project->patterns, i);
    if (pattern->header == PX_HEADER_CUSTOM)
      g_ptr_array_add(patterns, (gpointer)(uintptr_t)pattern);
  }
  return true;
}

static json_t *rows_of(const GPtrArray *patterns) {
  json_t *rows = json_array();
  for (guint p = 0; p < patterns->len; p++) {
    const PxPattern *pattern = patterns->pdata[p];
    g_autoptr(GPtrArray) lines = make_lines(pattern);
    for (guint i = 0; i < lines->len; i++) {
      const Line *line = lines->pdata[i];
      json_t *row = json_object();
      json_object_set_new(row, "pattern", px_json_text(pattern->name));
      json_object_set_new(row, "column", px_json_text(line->column));
      json_object_set_new(row, "name", px_json_text(line->name));
      json_object_set_new(row, "state", px_json_text(line->state));
      json_array_append_new(rows, row);
    }
  }
  return rows;
}

static int run(const PxCommandLine *line, GError **error) {
  const PxCommandOpen how = {.no_files = true, .no_history = true};
  g_autoptr(PxProject) project = px_command_open(line, &how, error);
  g_autoptr(GPtrArray) patterns = g_ptr_array_new();
  if (!project || !collect(line, project, patterns, error))
    return -1;
  g_autoptr(GString) yaml = g_string_new("patterns:\n");
  for (guint i = 0; i < patterns->len; i++)
    append_pattern(yaml, patterns->pdata[i]);
  if (write_path && !write_names(yaml, patterns, line->quiet || line->json, error))
    return -1;
  if (line->json) {
    g_autoptr(json_t) rows = rows_of(patterns);
    px_print_json(rows);
  } else if (!write_path) {
    fputs(yaml->str, stdout);
  }
  return 0;
}

const PxCommand px_command_headers = {
  .name = "headers",
  .arguments = "[PATTERN...]",
  .summary = "Show or keep the own names of a pattern's columns",
  .help = "For patterns with header: custom; without PATTERN all of them. Each column of the pattern has a line: its name, or for a new\n"
          "column a proposal made of labels. Names of columns that are no more stay, so that none is lost when fields change and\n"
          "come back. The lines are headers: of the configuration, to be pasted, or kept with --write in a file that it includes.\n\n"
          "Examples:\n"
          "  pattimpex headers card\n"
          "  pattimpex headers card --write names.yaml\n",
  .options = OPTIONS,
  .max_args = 100,
  .run = run,
};
