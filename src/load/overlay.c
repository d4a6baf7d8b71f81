/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of a wave make and change. A tuple's entry says what a later row that looks for it would find besides the database:
 * one new record (its index among the creates), several, or records that the wave changes and only the written database can tell. */
#include "load/load_private.h"

#define NEW_TWICE UINT32_MAX
#define CHANGED (UINT32_MAX - 1)

void px_overlay_init(PxOverlay *overlay, const PxLoadPlan *plan) {
  overlay->maps = g_new0(PxTupleMap, plan->n_watches + 1);
  overlay->unknown = g_new0(bool, plan->n_watches + 1);
  px_tuple_map_init(&overlay->ids);
  px_tuple_map_init(&overlay->externals);
}

void px_overlay_done(PxOverlay *overlay, const PxLoadPlan *plan) {
  for (size_t i = 0; overlay->maps && i < plan->n_watches; i++)
    px_tuple_map_done(&overlay->maps[i]);
  g_free(overlay->maps);
  g_free(overlay->unknown);
  px_tuple_map_done(&overlay->ids);
  px_tuple_map_done(&overlay->externals);
}

void px_overlay_clear(PxOverlay *overlay, const PxLoadPlan *plan) {
  for (size_t i = 0; i < plan->n_watches; i++) {
    px_tuple_map_clear(&overlay->maps[i]);
    overlay->unknown[i] = false;
  }
  px_tuple_map_clear(&overlay->ids);
  px_tuple_map_clear(&overlay->externals);
  overlay->n_effects = 0;
}

PxSeen px_overlay_look(const PxOverlay *overlay, size_t watch, PxTuple tuple, size_t *ret_create) {
  const PxTupleEntry *entry = px_tuple_map_find(&overlay->maps[watch], tuple);
  if (!entry)
    return PX_SEEN_NOTHING;
  if (entry->value == NEW_TWICE)
    return PX_SEEN_NEW_TWICE;
  if (entry->value == CHANGED)
    return PX_SEEN_CHANGED;
  *ret_create = entry->value;
  return PX_SEEN_NEW;
}

void px_overlay_note_new(PxOverlay *overlay, size_t watch, PxTuple tuple, size_t create) {
  bool is_new;
  PxTupleEntry *entry = px_tuple_map_add(&overlay->maps[watch], tuple, (uint32_t)create, &is_new);
  if (!is_new && entry->value != CHANGED)
    entry->value = NEW_TWICE;
}

void px_overlay_note_changed(PxOverlay *overlay, size_t watch, PxTuple tuple) {
  bool is_new;
  px_tuple_map_add(&overlay->maps[watch], tuple, CHANGED, &is_new)->value = CHANGED;
}

static PxTuple id_tuple(PxArena *arena, PxId id) {
  PxValue value = px_id_to_value(id);
  return px_tuple_encode(arena, &value, 1);
}

bool px_overlay_writes(const PxOverlay *overlay, PxArena *arena, PxId id) {
  return overlay->ids.used && px_tuple_map_find(&overlay->ids, id_tuple(arena, id));
}

void px_overlay_note_id(PxOverlay *overlay, PxArena *arena, PxId id) {
  bool is_new;
  px_tuple_map_add(&overlay->ids, id_tuple(arena, id), 0, &is_new);
}
