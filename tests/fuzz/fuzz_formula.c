/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a formula: what refers to no cell that moves stays as it is; a shift that moves nothing changes nothing. */
#include "fuzz.h"

#include "format/xlsx_shift.h"

#include <string.h>

static void check_same(const PxShift *shift, const PxFormulaPlace *place, const char *text, size_t len, unsigned unless) {
  g_autoptr(GString) to = g_string_new(NULL);
  unsigned done = px_shift_formula(shift, place, text, len, to);
  if (!(done & unless) && (to->len != len || memcmp(to->str, text, len) != 0))
    g_error("\"%.*s\" became \"%s\"", (int)len, text, to->str);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint32_t kept[] = {4, 5, 9};
  static const PxShift column = {.sheet = "Data", .columns = 1};
  static const PxShift rows = {.sheet = "Data", .columns = 1, .drops = true, .header_rows = 1, .last_row = 10, .kept = kept, .n_kept = 3};
  static const PxFormulaPlace own = {.own = true};
  static const PxFormulaPlace other = {0};
  static const PxFormulaPlace copied = {.own = true, .rows = -3, .columns = 20000};
  /* Exact, so that a read too far is seen. */
  g_autofree char *text = g_malloc(size + !size);
  memcpy(text, data, size);
  if (!g_utf8_validate(text, (gssize)size, NULL))
    return 0;
  check_same(&column, &other, text, size, PX_SHIFT_MET);
  check_same(&column, &own, text, size, PX_SHIFT_MET);
  check_same(&rows, &own, text, size, PX_SHIFT_MET);
  g_autoptr(GString) to = g_string_new(NULL);
  (void)px_shift_formula(&rows, &copied, text, size, to);
  g_string_truncate(to, 0);
  if (!px_shift_sqref(&rows, text, size, to) && to->len > 0)
    g_error("nothing is left, and yet \"%s\"", to->str);
  return 0;
}
