/* SPDX-License-Identifier: Apache-2.0 */
#include "format/parser.h"
#include "suites.h"

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "parser") == 0) /* the parser process is this program again */
    return px_parser_main(argc, argv);
  g_test_init(&argc, &argv, NULL);
  add_fetch_tests();
  add_pick_tests();
  add_remote_tests();
  add_import_tests();
  add_run_tests();
  add_schedule_tests();
  add_upload_tests();
  add_expect_tests();
  return g_test_run();
}
