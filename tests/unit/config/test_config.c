/* SPDX-License-Identifier: Apache-2.0 */
#include "test_config.h"

PxConfig *parsed(const char *text) {
  g_autoptr(GError) error = NULL;
  PxConfig *config = px_config_parse(text, "t", &error);
  g_assert_no_error(error);
  return config;
}

void assert_contains(const char *text, const char *part) {
  if (!strstr(text, part))
    g_error("\"%s\" does not contain \"%s\"", text, part);
}

void assert_refused(const char *text, const char *part) {
  g_autoptr(GError) error = NULL;
  g_autoptr(PxConfig) config = px_config_parse(text, "t", &error);
  g_assert_null(config);
  g_assert_error(error, PX_ERROR, PX_ERROR_CONFIG);
  assert_contains(error->message, part);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_parse_tests();
  add_load_tests();
  add_read_tests();
  return g_test_run();
}
