/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A record's id: opaque outside model/ (a 64-bit integer today, uuid later). */
#include "base/value.h"

typedef struct {
  uint64_t word[2];
} PxId;

#define PX_ID_NONE ((PxId){{0, 0}})

static inline PxId px_id_from_integer(int64_t integer) {
  return (PxId){{(uint64_t)integer, 1}};
}

static inline bool px_id_is_none(PxId id) {
  return id.word[1] == 0;
}

static inline bool px_id_equal(PxId a, PxId b) {
  return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

/* The value to bind, and back from what a statement gave (NULL: none). */
static inline PxValue px_id_to_value(PxId id) {
  return px_id_is_none(id) ? px_value_null() : px_value_integer((int64_t)id.word[0]);
}

static inline PxId px_id_from_value(PxValue value) {
  return value.kind == PX_INTEGER ? px_id_from_integer(value.integer) : PX_ID_NONE;
}
