/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "format/openpgp.h"

#include "base/text.h"
#include "px-config.h"

#include <stdint.h>
#include <stdio.h>

/* The options that every command knows, and where they go. */
typedef struct {
  char **configs;
  gboolean json;
  gboolean quiet;
  gboolean help;
  gboolean version;
  char **rest;
} Globals;

static void globals_clear(Globals *globals) {
  g_strfreev(globals->configs);
  g_strfreev(globals->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Globals, globals_clear)

/* Strings are taken as file names, so that no locale recodes them: all text is UTF-8. */
static void add_global_options(GOptionContext *context, Globals *globals, bool with_json) {
  const GOptionEntry always[] = {
    {"config", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &globals->configs, "Configuration (default ./pattimpex.yaml); of several, the later win", "FILE"},
    {"quiet", 'q', 0, G_OPTION_ARG_NONE, &globals->quiet, "No progress bar, no summary", NULL},
    {"help", 'h', 0, G_OPTION_ARG_NONE, &globals->help, "Show this help", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &globals->rest, NULL, NULL},
    {NULL},
  };
  const GOptionEntry json[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &globals->json, "Answer as JSON", NULL},
    {NULL},
  };
  g_option_context_add_main_entries(context, always, NULL);
  if (with_json)
    g_option_context_add_main_entries(context, json, NULL);
}

static bool parse_options(GOptionContext *context, const char *what, int *argc, char ***argv, GError **error) {
  g_autoptr(GError) wrong = NULL;
  g_option_context_set_help_enabled(context, FALSE);
  if (g_option_context_parse(context, argc, argv, &wrong))
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: %s (try --help)", what, wrong->message);
  return false;
}

static bool environment_says(const char *name) {
  const char *value = g_getenv(name);
  return value && *value && !g_str_equal(value, "0");
}

/* What was not given on the command line comes from the environment, else from the defaults. */
static void apply_environment(Globals *globals) {
  const char *configs = g_getenv("PATTIMPEX_CONFIG");
  if (!globals->configs && configs && *configs)
    globals->configs = g_strsplit(configs, ":", -1);
  if (!globals->configs)
    globals->configs = g_strsplit("pattimpex.yaml", ":", -1);
  globals->json = globals->json || environment_says("PATTIMPEX_JSON");
  globals->quiet = globals->quiet || environment_says("PATTIMPEX_QUIET");
}

static const PxCommand *find_command(const PxCommand *const *commands, const char *name, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (size_t i = 0; commands[i]; i++) {
    if (g_str_equal(commands[i]->name, name))
      return commands[i];
    g_ptr_array_add(names, (char *)(uintptr_t)commands[i]->name);
  }
  g_autofree char *hint = px_text_did_you_mean(name, (const char *const *)names->pdata, names->len);
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: unknown command %s%s, see pattimpex help", name, hint);
  return NULL;
}

static void print_overview(const PxCommand *const *commands) {
  printf("Usage: pattimpex [-c FILE] COMMAND [OPTION...]\n\n"
         "Keeps a database in step with files: imports and exports records by patterns.\n\nCommands:\n");
  for (size_t i = 0; commands[i]; i++)
    printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
  printf("\nOptions of every command (and their environment twins):\n"
         "  -c, --config FILE  PATTIMPEX_CONFIG   Configuration; of several, the later win (a list with : in the variable)\n"
         "  --json             PATTIMPEX_JSON=1   Answer as JSON, where a command lists or reports\n"
         "  -q, --quiet        PATTIMPEX_QUIET=1  No progress bar, no summary\n"
         "\nExit status: 0 done, 1 finished with failed rows, files or jobs, 2 wrong usage or configuration,\n"
         "3 storage or database out of reach, 4 internal.\n"
         "\nTry: pattimpex init shop && cd shop && pattimpex run\n"
         "More on one command: pattimpex help COMMAND\n");
}

static void print_command_help(const PxCommand *command, GOptionContext *context) {
  g_autofree char *options = g_strchomp(g_option_context_get_help(context, TRUE, NULL));
  /* GLib's own usage line knows nothing of commands: what counts begins behind it. */
  const char *list = strstr(options, "\n\n");
  printf("Usage: pattimpex %s [OPTION...] %s\n\n%s.\n%s%s\n%s\n", command->name, command->arguments, command->summary, *command->help ? "\n" : "",
         command->help, list ? list + 2 : options);
}

static bool check_arguments(const PxCommand *command, unsigned n_args, char **args, GError **error) {
  for (unsigned i = 0; i < n_args; i++) {
    if (!g_utf8_validate(args[i], -1, NULL)) {
      g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: argument %u is not UTF-8", command->name, i + 1);
      return false;
    }
  }
  if (n_args >= command->min_args && n_args <= command->max_args)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: %s, usage: pattimpex %s %s", command->name,
              n_args < command->min_args ? "something is missing" : "too many arguments", command->name, command->arguments);
  return false;
}

/* before: the global options that stood in front of the command's name. */
static int run_command(const PxCommand *command, const Globals *before, int argc, char **argv, GError **error) {
  g_auto(Globals) globals = {.json = before->json, .quiet = before->quiet};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  if (command->options)
    g_option_context_add_main_entries(context, command->options, NULL);
  if (command->more_options)
    g_option_context_add_main_entries(context, command->more_options, NULL);
  add_global_options(context, &globals, !command->no_json);
  if (!parse_options(context, command->name, &argc, &argv, error))
    return 2;
  if (globals.help) {
    print_command_help(command, context);
    return 0;
  }
  if (!globals.configs)
    globals.configs = g_strdupv(before->configs);
  apply_environment(&globals);
  unsigned n_args = globals.rest ? g_strv_length(globals.rest) : 0;
  if (!check_arguments(command, n_args, globals.rest, error))
    return 2;
  static const char *const none[] = {NULL};
  PxCommandLine line = {
    .configs = (const char *const *)globals.configs,
    .json = globals.json,
    .quiet = globals.quiet,
    .args = globals.rest ? (const char *const *)globals.rest : none,
    .n_args = n_args,
  };
  return command->run(&line, error);
}

/* help COMMAND is COMMAND --help; topic NULL: the overview. */
static int run_help(const PxCommand *const *commands, char *topic, GError **error) {
  if (!topic) {
    print_overview(commands);
    return 0;
  }
  const PxCommand *command = find_command(commands, topic, error);
  if (!command)
    return 2;
  char *arguments[] = {topic, (char[]){"--help"}, NULL};
  return run_command(command, &(Globals){0}, 2, arguments, error);
}

int px_command_main(const PxCommand *const *commands, int argc, char **argv, GError **error) {
  g_auto(Globals) globals = {0};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  const GOptionEntry version[] = {{"version", 'V', 0, G_OPTION_ARG_NONE, &globals.version, "Show the version", NULL}, {NULL}};
  /* Options in front of the command are global; those behind it are parsed with the command's own. */
  g_option_context_set_strict_posix(context, TRUE);
  g_option_context_add_main_entries(context, version, NULL);
  add_global_options(context, &globals, true);
  if (!parse_options(context, "command line", &argc, &argv, error))
    return 2;
  if (globals.version) {
    printf("pattimpex %s\n", PX_VERSION);
    return 0;
  }
  int n = globals.rest ? (int)g_strv_length(globals.rest) : 0;
  if (n > 0 && g_str_equal(globals.rest[0], "help"))
    return run_help(commands, globals.rest[1], error);
  if (globals.help)
    return run_help(commands, n > 0 ? globals.rest[0] : NULL, error);
  if (n == 0) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: no command given, see pattimpex help");
    return 2;
  }
  const PxCommand *command = find_command(commands, globals.rest[0], error);
  /* The parser of options moves pointers about in the vector it is given, so it gets one that owns nothing. */
  g_autofree char **arguments = g_memdup2(globals.rest, sizeof(char *) * ((size_t)n + 1));
  return command ? run_command(command, &globals, n, arguments, error) : 2;
}

bool px_command_id(const char *text, const char *what, int64_t *ret_id, GError **error) {
  guint64 id;
  if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &id, NULL)) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "command line: %s is no number of a %s", text, what);
    return false;
  }
  *ret_id = (int64_t)id;
  return true;
}

bool px_command_key(const char *option, const char *key, GError **error) {
  if (px_openpgp_is_fingerprint(key))
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s %s: give the whole fingerprint of a key, 40 digits; gpg --list-keys shows them", option, key);
  return false;
}
