/* SPDX-License-Identifier: Apache-2.0 */
#include "tests.h"

#include <glib.h>

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_statement_tests();
  add_tx_tests();
  add_refusal_tests();
  add_shared_tests();
  add_wake_tests();
  add_postgres_tests();
  add_expression_tests();
  return g_test_run();
}
