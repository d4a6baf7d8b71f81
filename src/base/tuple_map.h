/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A map from tuples of values to a number. Keys are bytes in an arena. */
#include "base/arena.h"
#include "base/value.h"

#include <stdbool.h>

typedef struct {
  const char *key;
  uint64_t hash;
  uint32_t len;
  uint32_t value;
} PxTupleEntry;

typedef struct {
  PxTupleEntry *entries; /* open addressing, a power of two; key NULL: free */
  size_t size;
  size_t used;
} PxTupleMap;

typedef struct {
  const char *bytes;
  uint32_t len;
  uint64_t hash;
} PxTuple;

void px_tuple_map_init(PxTupleMap *map);
void px_tuple_map_done(PxTupleMap *map);
void px_tuple_map_clear(PxTupleMap *map);

/* The bytes that stand for n canonical values: equal exactly when the values are. In arena. */
PxTuple px_tuple_encode(PxArena *arena, const PxValue *values, size_t n);
/* The entry of tuple, or NULL. */
PxTupleEntry *px_tuple_map_find(const PxTupleMap *map, PxTuple tuple);
/* The entry of tuple, made with value when there was none (*ret_new). The bytes of tuple must outlive the map's content. */
PxTupleEntry *px_tuple_map_add(PxTupleMap *map, PxTuple tuple, uint32_t value, bool *ret_new);
