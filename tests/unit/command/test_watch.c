/* SPDX-License-Identifier: Apache-2.0 */
#include "command/watch.h"

static void check(const char *text, unsigned lines, const char *expected) {
  g_autofree char *fitting = px_watch_fit(text, lines);
  g_assert_cmpstr(fitting, ==, expected);
}

static void text_is_cut_below(void) {
  check("a\nb\nc\n", 2, "a\nb");
  check("a\nb\nc\n", 3, "a\nb\nc");
}

static void short_text_stays_as_it_is(void) {
  check("a\nb\n", 24, "a\nb");
  check("a\n\n", 24, "a\n");
  check("a", 24, "a");
  check("", 24, "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/command/watch/text_is_cut_below", text_is_cut_below);
  g_test_add_func("/command/watch/short_text_stays_as_it_is", short_text_stays_as_it_is);
  return g_test_run();
}
