/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/ids.h"
#include "command/open.h"
#include "command/progress.h"
#include "command/summary.h"

#include <stdio.h>
#include <unistd.h>

#define UNKNOWN_SHOWN 20 /* ids that are told on a terminal */

static gboolean no_history;
static char *output;
static char *filter;
static char *ids_text;
static char *ids_file;
static char *compress;
static char **encrypt_to;
static char *sign_with;

static const GOptionEntry EXPORT_OPTIONS[] = {
  {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Where to write (default PATTERN.FORMAT); \"-\" is standard output", "FILE"},
  {"filter", 'f', 0, G_OPTION_ARG_FILENAME, &filter, "Which records, a domain (default: all active ones)", "DOMAIN"},
  {"ids", 0, 0, G_OPTION_ARG_STRING, &ids_text, "Only the records of these database ids (1,2,3), inactive ones too", "IDS"},
  {"ids-from", 0, 0, G_OPTION_ARG_FILENAME, &ids_file,
   "The same from a file: one id a line, or the first column of a CSV file; \"-\" is standard input", "FILE"},
  {"compress", 0, 0, G_OPTION_ARG_STRING, &compress, "gzip or zip (default: what the name of FILE says, .gz or .zip)", "HOW"},
  {"encrypt-to", 0, 0, G_OPTION_ARG_STRING_ARRAY, &encrypt_to, "Encrypt it for the OpenPGP key of this fingerprint; may be given again", "KEY"},
  {"sign-with", 0, 0, G_OPTION_ARG_STRING, &sign_with, "Sign it with this OpenPGP key; with --encrypt-to", "KEY"},
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

/* NULL in *ret_ids: all records. */
static bool read_ids(GArray **ret_ids, GError **error) {
  g_autoptr(GArray) ids = ids_text || ids_file ? g_array_new(FALSE, FALSE, sizeof(PxId)) : NULL;
  if ((ids_text && !px_ids_from_text(ids, ids_text, error)) || (ids_file && !px_ids_from_file(ids, ids_file, error)))
    return false;
  *ret_ids = g_steal_pointer(&ids);
  return true;
}

/* On standard error: the file itself may go to standard output. */
static void warn_of_unknown(const PxSummary *summary) {
  const GArray *unknown = summary->unknown_ids;
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; unknown && i < MIN(unknown->len, UNKNOWN_SHOWN); i++) {
    char id[PX_ID_TEXT_SIZE];
    px_id_write(g_array_index(unknown, PxId, i), id);
    g_string_append_printf(text, "%s%s", i ? ", " : "", id);
  }
  if (text->len)
    fprintf(stderr, "pattimpex: no record has the id %s%s\n", text->str, unknown->len > UNKNOWN_SHOWN ? " ..." : "");
}

static json_t *unknown_to_json(const GArray *unknown) {
  json_t *list = json_array();
  for (guint i = 0; i < unknown->len; i++) {
    PxId id = g_array_index(unknown, PxId, i);
    char text[PX_ID_TEXT_SIZE];
    px_id_write(id, text);
    json_array_append_new(list, px_id_is_uuid(id) ? json_string(text) : json_integer(px_id_to_value(NULL, id).integer));
  }
  return list;
}

static void print_summary(const PxCommandLine *line, const PxSummary *summary, const char *path, bool header_only) {
  if (line->json) {
    g_autoptr(json_t) object = px_summary_to_json(summary);
    json_object_set_new(object, "output", px_json_text(path));
    if (summary->unknown_ids)
      json_object_set_new(object, "unknown_ids", unknown_to_json(summary->unknown_ids));
    px_print_json(object);
    return;
  }
  g_autofree char *text = header_only ? g_strdup_printf("%s: ready to be filled in", path) : px_summary_line(summary);
  g_autofree char *safe = px_output_line(text);
  puts(safe);
}

/* Ours, for the word on the command line. */
static bool read_compress(PxPacking *ret, GError **error) {
  *ret = !compress ? PX_PACK_NONE : g_str_equal(compress, "zip") ? PX_PACK_ZIP : PX_PACK_GZIP;
  if (!compress || *ret == PX_PACK_ZIP || g_str_equal(compress, "gzip"))
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "export: --compress %s: it is gzip or zip", compress);
  return false;
}

static bool check_keys(GError **error) {
  for (char **key = encrypt_to; key && *key; key++)
    if (!px_command_key("export: --encrypt-to", *key, error))
      return false;
  if (!sign_with || encrypt_to)
    return !sign_with || px_command_key("export: --sign-with", sign_with, error);
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "export: --sign-with needs --encrypt-to: only what is encrypted is signed");
  return false;
}

static int write_file(const PxCommandLine *line, bool header_only, GError **error) {
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_history = no_history || header_only}, error);
  if (!project)
    return 2;
  PxPacking packing;
  g_autofree char *plain = output ? g_strdup(output) : default_name(project, line->args[0], error);
  g_autofree char *path = plain && read_compress(&packing, error) && check_keys(error) ? px_export_output(plain, encrypt_to, &packing, error) : NULL;
  g_autoptr(GArray) ids = NULL;
  if (!path || !read_ids(&ids, error))
    return 2;
  bool to_stdout = g_str_equal(path, "-");
  PxProgressBar *bar = px_progress_bar_new(STDERR_FILENO, !line->json && !line->quiet && !to_stdout, g_get_monotonic_time);
  PxExportByHand options = {
    .pattern = line->args[0],
    .output = path,
    .filter = filter,
    .ids = ids,
    .no_history = no_history || header_only,
    .header_only = header_only,
    .compress = packing,
    .encrypt_to = encrypt_to,
    .sign_with = sign_with,
    .progress = px_progress_bar_show,
    .data = bar,
  };
  g_autoptr(PxSummary) summary = px_export_by_hand(project, &options, error);
  px_progress_bar_free(bar);
  if (!summary)
    return 2;
  if (!to_stdout && (line->json || !line->quiet))
    print_summary(line, summary, path, header_only);
  warn_of_unknown(summary);
  return summary->unknown_ids && summary->unknown_ids->len ? 1 : px_summary_exit_status(summary);
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
          "With --ids or --ids-from only the records of these ids (and, with --filter, of those the ones that\n"
          "match), in the pattern's order as ever, not in that of the list. Ids of no record are told, the others\n"
          "are exported, and the exit status is 1.\n\n"
          "A FILE that ends in .gz or .zip is compressed; --compress says so where there is no such name.\n"
          "--encrypt-to encrypts it with the keys of the section openpgp, and puts .gpg behind its name.\n\n"
          "Examples:\n"
          "  pattimpex export partner\n"
          "  pattimpex export partner -o french.csv --filter \"[('country_id.code', '=', 'FR')]\"\n"
          "  pattimpex export partner --ids 12,14,17\n"
          "  pattimpex export partner -o partners.csv.gz\n"
          "  pattimpex export partner --compress zip --encrypt-to 4F5C0C6F1A1B2E9D8A7B6C5D4E3F2A1B0C9D8E7F\n"
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
