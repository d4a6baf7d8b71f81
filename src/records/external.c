/* SPDX-License-Identifier: Apache-2.0 */
/* External ids: stable text names of records, kept in our own table. */
#include "records/records_private.h"

#include <string.h>

#define OWN_MODULE "__import__"

void px_external_split(const PxValue *value, PxValue *ret_module, PxValue *ret_name) {
  const char *dot = memchr(value->text, '.', value->len);
  if (!dot) {
    *ret_module = px_value_string(OWN_MODULE);
    *ret_name = *value;
    return;
  }
  size_t before = (size_t)(dot - value->text);
  *ret_module = px_value_text(value->text, before);
  *ret_name = px_value_text(dot + 1, value->len - before - 1);
}

bool px_external_is_name(const char *text, size_t len) {
  const char *dot = memchr(text, '.', len);
  return len && dot != text && (!dot || dot + 1 < text + len);
}

PxValue px_external_canonical(PxArena *arena, PxValue name) {
  if (memchr(name.text, '.', name.len))
    return name;
  size_t len = strlen(OWN_MODULE ".") + name.len;
  char *text = px_arena_alloc(arena, len);
  memcpy(text, OWN_MODULE ".", strlen(OWN_MODULE "."));
  memcpy(text + strlen(OWN_MODULE "."), name.text, name.len);
  return px_value_text(text, len);
}
