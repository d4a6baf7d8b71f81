/* SPDX-License-Identifier: Apache-2.0 */
#include "model/id.h"

#include <inttypes.h>
#include <stdio.h>

#define UUID_LENGTH (PX_ID_TEXT_SIZE - 1)

int px_id_compare(PxId a, PxId b) {
  if (!px_id_is_uuid(a) || !px_id_is_uuid(b))
    return (int64_t)a.word[0] < (int64_t)b.word[0] ? -1 : (int64_t)a.word[0] > (int64_t)b.word[0];
  for (size_t i = 0; i < 2; i++)
    if (a.word[i] != b.word[i])
      return a.word[i] < b.word[i] ? -1 : 1;
  return 0;
}

PxId px_id_from_uuid(const char *text, size_t len) {
  PxId id = {.kind = PX_ID_KIND_UUID};
  unsigned digits = 0;
  if (len != UUID_LENGTH)
    return PX_ID_NONE;
  for (size_t i = 0; i < len; i++) {
    bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    int digit = g_ascii_xdigit_value(text[i]);
    if (is_hyphen ? text[i] != '-' : digit < 0)
      return PX_ID_NONE;
    if (is_hyphen)
      continue;
    id.word[digits / 16] = id.word[digits / 16] << 4 | (uint64_t)digit;
    digits++;
  }
  return id;
}

PxId px_id_from_text(const char *text) {
  gint64 integer;
  if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    return px_id_from_integer(integer);
  return px_id_from_uuid(text, strlen(text));
}

void px_id_write(PxId id, char text[PX_ID_TEXT_SIZE]) {
  text[0] = '\0';
  if (px_id_is_uuid(id))
    (void)snprintf(text, PX_ID_TEXT_SIZE, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, id.word[0] >> 32,
                   id.word[0] >> 16 & 0xFFFF, id.word[0] & 0xFFFF, id.word[1] >> 48, id.word[1] & UINT64_C(0xFFFFFFFFFFFF));
  else if (!px_id_is_none(id))
    (void)snprintf(text, PX_ID_TEXT_SIZE, "%" PRId64, (int64_t)id.word[0]);
}

PxValue px_id_uuid_to_value(PxArena *arena, PxId id) {
  char *text = px_arena_alloc(arena, PX_ID_TEXT_SIZE);
  px_id_write(id, text);
  return px_value_text(text, UUID_LENGTH);
}
