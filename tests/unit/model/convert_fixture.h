/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Cells and what they must come to, as tables. main() makes the arena. */
#include "model/convert.h"

#include <stdio.h>

static PxArena *arena;
static PxConvertOptions plain;
static const char *why;
static const char *kind_of_problem;

static PxField make_field(PxType type, PxStorageClass storage) {
  return (PxField){.name = "f", .label = "F", .type = type, .storage = storage};
}

static PxCell make_cell(PxCellKind kind, const char *text) {
  return (PxCell){.ptr = text, .len = (uint32_t)strlen(text), .kind = (uint8_t)kind};
}

static bool convert(const PxField *field, const PxConvertOptions *options, PxCellKind kind, const char *text, PxValue *ret_value) {
  why = NULL;
  bool ok = px_field_convert(field, options, arena, make_cell(kind, text), ret_value, &kind_of_problem, &why);
  g_assert_true(ok == (why == NULL));
  return ok;
}

static void check_text(const char *text, size_t len, const char *expected) {
  g_autofree char *copy = g_strndup(text, len);
  g_assert_cmpstr(copy, ==, expected);
}

static void check_value(const PxValue *value, const char *expected) {
  char number[64];
  switch ((PxValueKind)value->kind) {
  case PX_NULL:
    g_assert_cmpstr("NULL", ==, expected);
    return;
  case PX_INTEGER:
    snprintf(number, sizeof(number), "i%lld", (long long)value->integer);
    g_assert_cmpstr(number, ==, expected);
    return;
  case PX_REAL:
    snprintf(number, sizeof(number), "r%.17g", value->real);
    g_assert_cmpstr(number, ==, expected);
    return;
  case PX_TEXT:
  case PX_BLOB:
    check_text(value->text, value->len, expected);
    return;
  }
  g_assert_not_reached();
}

typedef struct {
  const char *text;
  const char *expected; /* NULL: it fails */
  PxCellKind kind;
} Row;

static void check_rows_with(const PxField *field, const PxConvertOptions *options, const Row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    PxCellKind kind = rows[i].kind ? rows[i].kind : PX_CELL_TEXT;
    PxValue value;
    bool ok = convert(field, options, kind, rows[i].text, &value);
    if (!rows[i].expected && ok)
      g_error("'%s' should fail", rows[i].text);
    if (rows[i].expected && !ok)
      g_error("'%s': %s", rows[i].text, why);
    if (ok)
      check_value(&value, rows[i].expected);
  }
}

#define CHECK(field, ...) CHECK_WITH(field, &plain, __VA_ARGS__)
#define CHECK_WITH(field, options, ...)                                                                                                              \
  do {                                                                                                                                               \
    static const Row rows_[] = {__VA_ARGS__};                                                                                                        \
    check_rows_with((field), (options), rows_, G_N_ELEMENTS(rows_));                                                                                 \
  } while (0)
