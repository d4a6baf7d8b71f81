/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of a wave make and change. A tuple's entry says what a later row that looks for it would find besides the database: one new
 * record, several, or records that the wave changes and only the written database can tell. What the row at hand does is noted beside it until the
 * row is known to have no fault; its own later items see it already. */
#include "load/load_private.h"

#define NEW_TWICE UINT32_MAX
#define CHANGED (UINT32_MAX - 1)

void px_overlay_init(PxOverlay *overlay, const PxLoadPlan *plan) {
  overlay->models = g_new0(PxOverlayModel, plan->n_models);
  for (size_t i = 0; i < plan->n_models; i++) {
    overlay->models[i].maps = g_new0(PxTupleMap, plan->models[i].n_watches + 1);
    overlay->models[i].unknown = g_new0(bool, plan->models[i].n_watches + 1);
  }
  overlay->notes = g_array_new(FALSE, FALSE, sizeof(PxOverlayNote));
}

void px_overlay_done(PxOverlay *overlay, const PxLoadPlan *plan) {
  for (size_t i = 0; overlay->models && i < plan->n_models; i++) {
    for (size_t w = 0; w < plan->models[i].n_watches; w++)
      px_tuple_map_done(&overlay->models[i].maps[w]);
    px_tuple_map_done(&overlay->models[i].ids);
    g_free(overlay->models[i].maps);
    g_free(overlay->models[i].unknown);
  }
  g_free(overlay->models);
  px_tuple_map_done(&overlay->externals);
  g_clear_pointer(&overlay->notes, g_array_unref);
}

void px_overlay_clear(PxOverlay *overlay, const PxLoadPlan *plan) {
  for (size_t i = 0; i < plan->n_models; i++) {
    for (size_t w = 0; w < plan->models[i].n_watches; w++) {
      px_tuple_map_clear(&overlay->models[i].maps[w]);
      overlay->models[i].unknown[w] = false;
    }
    px_tuple_map_clear(&overlay->models[i].ids);
  }
  px_tuple_map_clear(&overlay->externals);
  px_overlay_drop(overlay);
  overlay->n_effects = 0;
}

/* ---- looking */

static bool same_tuple(PxTuple a, PxTuple b) {
  return a.hash == b.hash && a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

static PxSeen add_seen(PxSeen before, PxSeen more) {
  if (before == PX_SEEN_CHANGED || more == PX_SEEN_CHANGED)
    return PX_SEEN_CHANGED;
  return before == PX_SEEN_NOTHING ? more : PX_SEEN_NEW_TWICE;
}

PxSeen px_overlay_look(const PxOverlay *overlay, unsigned model, int watch, PxTuple tuple, uint32_t *ret_record) {
  const PxTupleEntry *entry = px_tuple_map_find(&overlay->models[model].maps[watch], tuple);
  PxSeen seen = PX_SEEN_NOTHING;
  if (entry) {
    seen = entry->value == NEW_TWICE ? PX_SEEN_NEW_TWICE : entry->value == CHANGED ? PX_SEEN_CHANGED : PX_SEEN_NEW;
    *ret_record = entry->value;
  }
  for (guint i = 0; i < overlay->notes->len; i++) {
    const PxOverlayNote *note = &g_array_index(overlay->notes, PxOverlayNote, i);
    if (note->model != model || note->watch != watch || note->unknown || !same_tuple(note->tuple, tuple))
      continue;
    seen = add_seen(seen, note->is_new ? PX_SEEN_NEW : PX_SEEN_CHANGED);
    *ret_record = note->record;
  }
  return seen;
}

bool px_overlay_is_empty(const PxOverlay *overlay, unsigned model, int watch) {
  const PxOverlayModel *written = &overlay->models[model];
  return !written->maps[watch].used && !written->unknown[watch] && !overlay->notes->len;
}

bool px_overlay_is_unknown(const PxOverlay *overlay, unsigned model, int watch) {
  if (overlay->models[model].unknown[watch])
    return true;
  for (guint i = 0; i < overlay->notes->len; i++) {
    const PxOverlayNote *note = &g_array_index(overlay->notes, PxOverlayNote, i);
    if (note->model == model && note->watch == watch && note->unknown)
      return true;
  }
  return false;
}

static PxTuple id_tuple(PxArena *arena, PxId id) {
  PxValue value = px_id_to_value(arena, id);
  return px_tuple_encode(arena, &value, 1);
}

static bool is_noted(const PxOverlay *overlay, unsigned model, int kind, PxTuple tuple) {
  for (guint i = 0; i < overlay->notes->len; i++) {
    const PxOverlayNote *note = &g_array_index(overlay->notes, PxOverlayNote, i);
    if (note->model == model && note->watch == kind && same_tuple(note->tuple, tuple))
      return true;
  }
  return false;
}

bool px_overlay_writes(const PxOverlay *overlay, PxArena *arena, unsigned model, PxId id) {
  if (!overlay->models[model].ids.used && !overlay->notes->len)
    return false;
  PxTuple tuple = id_tuple(arena, id);
  return px_tuple_map_find(&overlay->models[model].ids, tuple) || is_noted(overlay, model, PX_NOTE_ID, tuple);
}

bool px_overlay_makes_external(const PxOverlay *overlay, PxTuple name) {
  return px_tuple_map_find(&overlay->externals, name) || is_noted(overlay, 0, PX_NOTE_EXTERNAL, name);
}

/* ---- noting */

void px_overlay_note_new(PxOverlay *overlay, unsigned model, int watch, PxTuple tuple, uint32_t record) {
  PxOverlayNote note = {.model = model, .watch = watch, .is_new = true, .record = record, .tuple = tuple};
  g_array_append_val(overlay->notes, note);
}

void px_overlay_note_changed(PxOverlay *overlay, unsigned model, int watch, PxTuple tuple) {
  PxOverlayNote note = {.model = model, .watch = watch, .tuple = tuple};
  g_array_append_val(overlay->notes, note);
}

void px_overlay_note_unknown(PxOverlay *overlay, unsigned model, int watch) {
  PxOverlayNote note = {.model = model, .watch = watch, .unknown = true};
  g_array_append_val(overlay->notes, note);
}

void px_overlay_note_id(PxOverlay *overlay, PxArena *arena, unsigned model, PxId id) {
  PxOverlayNote note = {.model = model, .watch = PX_NOTE_ID, .tuple = id_tuple(arena, id)};
  g_array_append_val(overlay->notes, note);
}

void px_overlay_note_external(PxOverlay *overlay, PxTuple name) {
  PxOverlayNote note = {.watch = PX_NOTE_EXTERNAL, .tuple = name};
  g_array_append_val(overlay->notes, note);
}

static PxTupleMap *map_of(PxOverlay *overlay, const PxOverlayNote *note) {
  if (note->watch == PX_NOTE_EXTERNAL)
    return &overlay->externals;
  PxOverlayModel *model = &overlay->models[note->model];
  return note->watch == PX_NOTE_ID ? &model->ids : &model->maps[note->watch];
}

static void keep_note(PxOverlay *overlay, const PxOverlayNote *note) {
  bool is_new;
  if (note->unknown) {
    overlay->models[note->model].unknown[note->watch] = true;
    return;
  }
  PxTupleEntry *entry = px_tuple_map_add(map_of(overlay, note), note->tuple, note->is_new ? note->record : CHANGED, &is_new);
  if (is_new)
    return;
  entry->value = note->is_new && entry->value != CHANGED ? NEW_TWICE : CHANGED;
}

void px_overlay_keep(PxOverlay *overlay) {
  for (guint i = 0; i < overlay->notes->len; i++)
    keep_note(overlay, &g_array_index(overlay->notes, PxOverlayNote, i));
  px_overlay_drop(overlay);
}

void px_overlay_drop(PxOverlay *overlay) {
  g_array_set_size(overlay->notes, 0);
}
