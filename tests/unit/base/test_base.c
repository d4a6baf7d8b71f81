/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <glib.h>

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_arena_tests();
  add_file_tests();
  add_log_tests();
  add_row_batch_tests();
  add_text_tests();
  return g_test_run();
}
