/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/open.h"
#include "command/progress.h"
#include "command/summary.h"

#include <stdio.h>
#include <unistd.h>

static gboolean no_history;
static char *output;
static char *filter;

static const GOptionEntry EXPORT_OPTIONS[] = {
  {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Where to write (default PATTERN.FORMAT); \"-\" is standard output", "FILE"},
  {"filter", 'f', 0, G_OPTION_ARG_FILENAME, &filter, "Which records, a domain (default: all active ones)", "DOMAIN"},
  {"no-history", 0, 0, G_OPTION_ARG_NONE, &no_history, "Keep neither the file nor its result (for pipes)", NULL},
  {NULL},
};

static const GOptionEntry TEMPLATE_OPTIONS[] = {
  {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Where to write; \"-\" is standard output", "FILE"},
  {NULL},
};

static char *default_name(const PxProject *project, const char *pattern_name, GError **error) {
  const PxPattern *pattern = px_project_pattern(project, pattern_name, error);
  return pattern ? g_strdup_printf("%s.%s", pattern->name, px_format_name(pattern->format.format)) : NULL;
}

static void print_summary(const PxCommandLine *line, const PxSummary *summary, const char *path, bool header_only) {
  if (line->json) {
    g_autoptr(json_t) object = px_summary_to_json(summary);
    json_object_set_new(object, "output", px_json_text(path));
    px_print_json(object);
    return;
  }
  g_autofree char *text = header_only ? g_strdup_printf("%s: ready to be filled in", path) : px_summary_line(summary);
  g_autofree char *safe = px_output_line(text);
  puts(safe);
}

static int write_file(const PxCommandLine *line, bool header_only, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_history = no_history || header_only}, error);
  if (!project)
    return 2;
  g_autofree char *path = output ? g_strdup(output) : default_name(project, line->args[0], error);
  if (!path)
    return 2;
  bool to_stdout = g_str_equal(path, "-");
  PxProgressBar *bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet && !to_stdout, g_get_monotonic_time);
  PxExportByHand options = {
    .pattern = line->args[0],
    .output = path,
    .filter = filter,
    .no_history = no_history || header_only,
    .header_only = header_only,
    .progress = px_progress_bar_show,
    .data = bar,
  };
  g_autoptr(PxSummary) summary = px_export_by_hand(project, &options, error);
  px_progress_bar_free(bar);
  if (!summary)
    return 2;
  if (!to_stdout && (line->json || !line->quiet))
    print_summary(line, summary, path, header_only);
  return px_summary_exit_status(summary);
}

static int run_export(const PxCommandLine *line, GError **error) {
  if (line->json && output && g_str_equal(output, "-")) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "export: --json and -o - both want standard output");
    return 2;
  }
  return write_file(line, false, error);
}

static int run_template(const PxCommandLine *line, GError **error) {
  if (!output) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "template: where to? Give -o FILE");
    return 2;
  }
  return write_file(line, true, error);
}

const PxCommand px_command_export = {
  .name = "export",
  .arguments = "PATTERN",
  .summary = "Export records now",
  .help = "The records of the pattern's model that match the filter, inactive ones only where the filter names\n"
          "active. The file is whole or not there at all.\n\n"
          "Examples:\n"
          "  pattimpex export partner\n"
          "  pattimpex export partner -o french.csv --filter \"[('country_id.code', '=', 'FR')]\"\n"
          "  pattimpex export partner -o - --no-history | head\n",
  .options = EXPORT_OPTIONS,
  .min_args = 1,
  .max_args = 1,
  .run = run_export,
};

const PxCommand px_command_template = {
  .name = "template",
  .arguments = "PATTERN -o FILE",
  .summary = "Write an empty file of a pattern",
  .help = "Its header and no records: for people to fill in and to import.\n\n"
          "Example:\n"
          "  pattimpex template partner -o partners-to-fill.csv\n",
  .options = TEMPLATE_OPTIONS,
  .min_args = 1,
  .max_args = 1,
  .run = run_template,
};
