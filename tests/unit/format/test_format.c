/* SPDX-License-Identifier: Apache-2.0 */
#include "format/parser.h"
#include "format/starter.h"
#include "suites.h"

#include <glib.h>
#include <string.h>

#define EVIL "sheet=evil "

static int parser_main(int argc, char **argv) {
  for (int i = 2; i < argc; i++)
    if (g_str_has_prefix(argv[i], EVIL))
      return evil_parser(argv[i] + strlen(EVIL));
  return px_parser_main(argc, argv);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[2], PX_STARTER) == 0)
    return px_starter_main(parser_main);
  if (argc > 1 && strcmp(argv[1], "parser") == 0)
    return parser_main(argc, argv);
  g_test_init(&argc, &argv, NULL);
  add_csv_tests();
  add_options_tests();
  add_parser_tests();
  add_writer_tests();
  return g_test_run();
}
