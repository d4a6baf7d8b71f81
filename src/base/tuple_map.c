/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tuple_map.h"

#include <xxhash.h>

#define FIRST_SIZE 64

void px_tuple_map_init(PxTupleMap *map) {
  *map = (PxTupleMap){0};
}

void px_tuple_map_done(PxTupleMap *map) {
  g_free(map->entries);
  *map = (PxTupleMap){0};
}

void px_tuple_map_clear(PxTupleMap *map) {
  if (map->used)
    memset(map->entries, 0, map->size * sizeof *map->entries);
  map->used = 0;
}

static size_t encoded_size(const PxValue *value) {
  size_t head = 1;
  switch ((PxValueKind)value->kind) {
  case PX_NULL:
    return head;
  case PX_INTEGER:
  case PX_REAL:
    return head + sizeof value->integer;
  case PX_TEXT:
  case PX_BLOB:
    return head + sizeof value->len + value->len;
  }
  return head;
}

static char *encode(char *to, const PxValue *value) {
  *to++ = (char)value->kind;
  switch ((PxValueKind)value->kind) {
  case PX_NULL:
    return to;
  case PX_INTEGER:
  case PX_REAL:
    memcpy(to, &value->integer, sizeof value->integer);
    return to + sizeof value->integer;
  case PX_TEXT:
  case PX_BLOB:
    memcpy(to, &value->len, sizeof value->len);
    memcpy(to + sizeof value->len, value->text, value->len);
    return to + sizeof value->len + value->len;
  }
  return to;
}

PxTuple px_tuple_encode(PxArena *arena, const PxValue *values, size_t n) {
  size_t size = 0;
  for (size_t i = 0; i < n; i++)
    size += encoded_size(&values[i]);
  char *bytes = px_arena_alloc(arena, size);
  char *to = bytes;
  for (size_t i = 0; i < n; i++)
    to = encode(to, &values[i]);
  return (PxTuple){.bytes = bytes, .len = (uint32_t)size, .hash = XXH3_64bits(bytes, size)};
}

static PxTupleEntry *probe(const PxTupleMap *map, PxTuple tuple) {
  size_t at = (size_t)tuple.hash & (map->size - 1);
  for (;;) {
    PxTupleEntry *entry = &map->entries[at];
    if (!entry->key)
      return entry;
    if (entry->hash == tuple.hash && entry->len == tuple.len && memcmp(entry->key, tuple.bytes, tuple.len) == 0)
      return entry;
    at = (at + 1) & (map->size - 1);
  }
}

PxTupleEntry *px_tuple_map_find(const PxTupleMap *map, PxTuple tuple) {
  if (!map->used)
    return NULL;
  PxTupleEntry *entry = probe(map, tuple);
  return entry->key ? entry : NULL;
}

static void grow(PxTupleMap *map) {
  PxTupleMap bigger = {.size = map->size ? map->size * 2 : FIRST_SIZE, .used = map->used};
  bigger.entries = g_new0(PxTupleEntry, bigger.size);
  for (size_t i = 0; i < map->size; i++) {
    const PxTupleEntry *entry = &map->entries[i];
    if (entry->key)
      *probe(&bigger, (PxTuple){.bytes = entry->key, .len = entry->len, .hash = entry->hash}) = *entry;
  }
  g_free(map->entries);
  *map = bigger;
}

PxTupleEntry *px_tuple_map_add(PxTupleMap *map, PxTuple tuple, uint32_t value, bool *ret_new) {
  if ((map->used + 1) * 3 > map->size * 2)
    grow(map);
  PxTupleEntry *entry = probe(map, tuple);
  *ret_new = !entry->key;
  if (*ret_new) {
    *entry = (PxTupleEntry){.key = tuple.bytes, .hash = tuple.hash, .len = tuple.len, .value = value};
    map->used++;
  }
  return entry;
}
