/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A typed value on its way to or from the database. What it means (boolean, date, ...) is the field's to say. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum { PX_NULL, PX_INTEGER, PX_REAL, PX_TEXT, PX_BLOB } PxValueKind;

/* Sixteen bytes, a view: text and blob point into an arena, a row batch or a statement's row. Booleans are the
 * integers 0 and 1, dates and datetimes ISO text. */
typedef struct {
  uint32_t kind; /* PxValueKind */
  uint32_t len;  /* bytes of text and blob */
  union {
    int64_t integer;
    double real;
    const char *text;
  };
} PxValue;

static inline PxValue px_value_null(void) {
  return (PxValue){.kind = PX_NULL};
}

static inline PxValue px_value_integer(int64_t integer) {
  return (PxValue){.kind = PX_INTEGER, .integer = integer};
}

static inline PxValue px_value_real(double real) {
  return (PxValue){.kind = PX_REAL, .real = real};
}

static inline PxValue px_value_text(const char *text, size_t len) {
  return (PxValue){.kind = PX_TEXT, .len = (uint32_t)len, .text = text};
}

/* text may be NULL: the null value. */
static inline PxValue px_value_string(const char *text) {
  return text ? px_value_text(text, strlen(text)) : px_value_null();
}

static inline PxValue px_value_blob(const void *bytes, size_t len) {
  return (PxValue){.kind = PX_BLOB, .len = (uint32_t)len, .text = bytes};
}

/* The same kind and the same bytes; NULL equals NULL. */
static inline bool px_value_equal(const PxValue *a, const PxValue *b) {
  if (a->kind != b->kind)
    return false;
  switch ((PxValueKind)a->kind) {
  case PX_NULL:
    return true;
  case PX_INTEGER:
    return a->integer == b->integer;
  case PX_REAL:
    return !(a->real < b->real) && !(a->real > b->real);
  case PX_TEXT:
  case PX_BLOB:
    return a->len == b->len && (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
  }
  return false;
}
