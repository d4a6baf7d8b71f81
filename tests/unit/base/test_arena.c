/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "suites.h"

#include <stdint.h>
#include <string.h>

static void aligned_and_apart(void) {
  g_autoptr(PxArena) arena = px_arena_new();
  char *before = px_arena_alloc(arena, 1);
  memset(before, 'x', 1);
  for (size_t size = 1; size < 3000; size += 7) {
    char *bytes = px_arena_alloc(arena, size);
    g_assert_cmpuint((uintptr_t)bytes % 16, ==, 0);
    memset(bytes, 'y', size);
    g_assert_true(*before == 'x');
  }
  g_assert_true(*before == 'x');
}

static void huge_pieces(void) {
  g_autoptr(PxArena) arena = px_arena_new();
  char *small = px_arena_alloc0(arena, 10);
  char *huge = px_arena_alloc0(arena, (size_t)20 * 1024 * 1024);
  huge[20 * 1024 * 1024 - 1] = 1;
  g_assert_true(small[9] == '\0');
  px_arena_reset(arena);
  g_assert_cmpuint(px_arena_used(arena), ==, 0);
  memset(px_arena_alloc(arena, 100), 1, 100);
  g_assert_cmpuint(px_arena_used(arena), >=, 100);
}

static void strings(void) {
  g_autoptr(PxArena) arena = px_arena_new();
  g_assert_cmpstr(px_arena_strndup(arena, "abcdef", 3), ==, "abc");
  g_assert_cmpstr(px_arena_strndup(arena, NULL, 0), ==, "");
  g_assert_cmpstr(px_arena_printf(arena, "%d %s", 5, "x"), ==, "5 x");
  uint64_t *numbers = px_arena_new_array(arena, uint64_t, 4);
  g_assert_cmpuint(numbers[3], ==, 0);
}

void add_arena_tests(void) {
  g_test_add_func("/base/arena/aligned_and_apart", aligned_and_apart);
  g_test_add_func("/base/arena/huge_pieces", huge_pieces);
  g_test_add_func("/base/arena/strings", strings);
}
