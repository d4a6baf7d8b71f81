/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <glib.h>

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_csv_tests();
  return g_test_run();
}
