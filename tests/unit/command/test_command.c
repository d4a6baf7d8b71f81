/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"

/* What the command under test was run with, as one line. */
static char *seen;
static gboolean flag;
static char *word;

static int record(const PxCommandLine *line, GError **error) {
  g_autofree char *configs = g_strjoinv("+", (char **)(uintptr_t)line->configs);
  g_autofree char *args = g_strjoinv(",", (char **)(uintptr_t)line->args);
  g_free(seen);
  seen = g_strdup_printf("%s|%s%s%s|%s|%s", configs, line->json ? "j" : "", line->quiet ? "q" : "", flag ? "f" : "", word ? word : "", args);
  return 7;
}

static const GOptionEntry OPTIONS[] = {
  {"flag", 'f', 0, G_OPTION_ARG_NONE, &flag, "A flag", NULL},
  {"word", 'w', 0, G_OPTION_ARG_FILENAME, &word, "A word", "WORD"},
  {NULL},
};
static const PxCommand SHOW = {
  .name = "show", .arguments = "[A] [B]", .summary = "Show", .help = "", .options = OPTIONS, .max_args = 2, .run = record};
static const PxCommand TAKE = {
  .name = "take", .arguments = "A", .summary = "Take", .help = "", .min_args = 1, .max_args = 1, .no_json = true, .run = record};
static const PxCommand *const COMMANDS[] = {&SHOW, &TAKE, NULL};

/* Runs a command line; the status is 7 when the command ran, and seen says with what. */
static int run(const char *line, GError **error) {
  flag = FALSE;
  g_clear_pointer(&word, g_free);
  g_clear_pointer(&seen, g_free);
  int argc;
  g_auto(GStrv) argv = NULL;
  g_assert_true(g_shell_parse_argv(line, &argc, &argv, NULL));
  g_autofree char **vector = g_memdup2(argv, sizeof(char *) * ((size_t)argc + 1));
  return px_command_main(COMMANDS, argc, vector, error);
}

static void check_runs(const char *line, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(run(line, &error), ==, 7);
  g_assert_no_error(error);
  g_assert_cmpstr(seen, ==, expected);
}

static void check_refused(const char *line, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(run(line, &error), !=, 7);
  g_assert_error(error, PX_ERROR, PX_ERROR_USAGE);
  g_assert_cmpstr(error->message, ==, expected);
}

static void global_options_stand_anywhere(void) {
  check_runs("pattimpex -c a.yaml --json show -q x y", "a.yaml|jq||x,y");
  check_runs("pattimpex show x --json -c a.yaml y -c b.yaml", "a.yaml+b.yaml|j||x,y");
}

static void config_has_a_default(void) {
  check_runs("pattimpex show", "pattimpex.yaml|||");
}

static void environment_stands_in_for_options(void) {
  g_assert_true(g_setenv("PATTIMPEX_CONFIG", "a.yaml:b.yaml", TRUE));
  g_assert_true(g_setenv("PATTIMPEX_JSON", "1", TRUE));
  g_assert_true(g_setenv("PATTIMPEX_QUIET", "0", TRUE));
  check_runs("pattimpex show", "a.yaml+b.yaml|j||");
  check_runs("pattimpex show -c c.yaml", "c.yaml|j||");
  g_unsetenv("PATTIMPEX_CONFIG");
  g_unsetenv("PATTIMPEX_JSON");
  g_unsetenv("PATTIMPEX_QUIET");
}

static void options_of_the_command(void) {
  check_runs("pattimpex show --flag -w Größe x", "pattimpex.yaml|f|Größe|x");
}

static void dashes_end_options(void) {
  check_runs("pattimpex show -- --flag", "pattimpex.yaml|||--flag");
}

static void single_dash_is_an_argument(void) {
  check_runs("pattimpex take -", "pattimpex.yaml|||-");
}

static void unknown_commands_get_a_hint(void) {
  check_refused("pattimpex shaw", "command line: unknown command shaw (did you mean show?), see pattimpex help");
  check_refused("pattimpex help xyzzy", "command line: unknown command xyzzy, see pattimpex help");
}

static void arguments_are_counted(void) {
  check_refused("pattimpex take", "take: something is missing, usage: pattimpex take A");
  check_refused("pattimpex show a b c", "show: too many arguments, usage: pattimpex show [A] [B]");
}

static void unknown_options_are_refused(void) {
  check_refused("pattimpex take a --json", "take: Unknown option --json (try --help)");
  check_refused("pattimpex --nonsense take a", "command line: Unknown option --nonsense (try --help)");
}

static void ids_are_positive_numbers(void) {
  g_autoptr(GError) error = NULL;
  int64_t id = 0;
  g_assert_true(px_command_id("42", "job", &id, &error));
  g_assert_cmpint(id, ==, 42);
  g_assert_false(px_command_id("4x", "job", &id, &error));
  g_assert_cmpstr(error->message, ==, "command line: 4x is no number of a job");
  g_clear_error(&error);
  g_assert_false(px_command_id("0", "job", &id, &error));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/command/line/global_options_stand_anywhere", global_options_stand_anywhere);
  g_test_add_func("/command/line/config_has_a_default", config_has_a_default);
  g_test_add_func("/command/line/environment_stands_in_for_options", environment_stands_in_for_options);
  g_test_add_func("/command/line/options_of_the_command", options_of_the_command);
  g_test_add_func("/command/line/dashes_end_options", dashes_end_options);
  g_test_add_func("/command/line/single_dash_is_an_argument", single_dash_is_an_argument);
  g_test_add_func("/command/line/unknown_commands_get_a_hint", unknown_commands_get_a_hint);
  g_test_add_func("/command/line/arguments_are_counted", arguments_are_counted);
  g_test_add_func("/command/line/unknown_options_are_refused", unknown_options_are_refused);
  g_test_add_func("/command/line/ids_are_positive_numbers", ids_are_positive_numbers);
  int status = g_test_run();
  g_free(seen);
  g_free(word);
  return status;
}
