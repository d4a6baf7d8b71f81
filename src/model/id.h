/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A record's id: an integer of 64 bits or a uuid (PostgreSQL), opaque outside model/. */
#include "base/arena.h"
#include "base/value.h"

typedef enum { PX_ID_KIND_NONE, PX_ID_KIND_INTEGER, PX_ID_KIND_UUID } PxIdKind;

typedef struct {
  uint64_t word[2]; /* the integer in the first; of a uuid the bytes in their order, the first one highest */
  uint32_t kind;    /* PxIdKind */
} PxId;

#define PX_ID_NONE ((PxId){.kind = PX_ID_KIND_NONE})
#define PX_ID_TEXT_SIZE 37 /* of any id as text, with the NUL */

static inline PxId px_id_from_integer(int64_t integer) {
  return (PxId){.word = {(uint64_t)integer}, .kind = PX_ID_KIND_INTEGER};
}

static inline bool px_id_is_none(PxId id) {
  return id.kind == PX_ID_KIND_NONE;
}

static inline bool px_id_is_uuid(PxId id) {
  return id.kind == PX_ID_KIND_UUID;
}

static inline bool px_id_equal(PxId a, PxId b) {
  return a.word[0] == b.word[0] && a.word[1] == b.word[1] && a.kind == b.kind;
}

/* As the database orders ids of one model. */
int px_id_compare(PxId a, PxId b);

/* The uuid of a text of 36 characters, in any case; none: it is not that. */
PxId px_id_from_uuid(const char *text, size_t len);
/* The same, or an integer, as people write it. */
PxId px_id_from_text(const char *text);
/* Writes id as people read it: "12", a uuid as PostgreSQL shows it, "" for none. */
void px_id_write(PxId id, char text[PX_ID_TEXT_SIZE]);
PxValue px_id_uuid_to_value(PxArena *arena, PxId id);

/* The value to bind (of a uuid its text, in arena, which may be NULL where ids are integers), and back from what a statement gave (NULL: none). */
static inline PxValue px_id_to_value(PxArena *arena, PxId id) {
  if (px_id_is_uuid(id))
    return px_id_uuid_to_value(arena, id);
  return px_id_is_none(id) ? px_value_null() : px_value_integer((int64_t)id.word[0]);
}

static inline PxId px_id_from_value(PxValue value) {
  if (value.kind == PX_INTEGER)
    return px_id_from_integer(value.integer);
  return value.kind == PX_TEXT ? px_id_from_uuid(value.text, value.len) : PX_ID_NONE;
}
