/* SPDX-License-Identifier: Apache-2.0 */
/* Row after row, until one must wait for what the wave writes. */
#include "load/load_private.h"

/* How far the lists of the wave were filled before a row: what a row without effect leaves them at. */
typedef struct {
  guint new_records, links, unlinks, purges, externals;
  size_t *creates, *updates, *used_ids;
} Mark;

void px_wave_init(PxWave *wave, const PxLoadPlan *plan) {
  px_overlay_init(&wave->overlay, plan);
  wave->new_ids = g_new0(PxId *, plan->n_models);
  wave->n_new_ids = g_new0(size_t, plan->n_models);
  wave->n_used_ids = g_new0(size_t, plan->n_models);
  wave->creates = g_new0(PxWriteList, plan->n_places);
  wave->updates = g_new0(PxWriteList, plan->n_places);
  wave->new_records = g_array_new(FALSE, FALSE, sizeof(PxNewRecord));
  wave->links = g_array_new(FALSE, FALSE, sizeof(PxLinkChange));
  wave->unlinks = g_array_new(FALSE, FALSE, sizeof(PxLinkChange));
  wave->purges = g_array_new(FALSE, FALSE, sizeof(PxPurge));
  wave->externals = g_array_new(FALSE, FALSE, sizeof(PxNewExternal));
}

static void free_array(GArray *array) {
  if (array)
    g_array_unref(array);
}

void px_wave_done(PxWave *wave, const PxLoadPlan *plan) {
  px_overlay_done(&wave->overlay, plan);
  g_free(wave->new_ids);
  g_free(wave->n_new_ids);
  g_free(wave->n_used_ids);
  g_free(wave->creates);
  g_free(wave->updates);
  free_array(wave->new_records);
  free_array(wave->links);
  free_array(wave->unlinks);
  free_array(wave->purges);
  free_array(wave->externals);
}

static PxWriteList new_list(PxArena *arena, size_t n, size_t words) {
  return (PxWriteList){
    .rows = px_arena_alloc(arena, n * sizeof(size_t)),
    .ids = px_arena_alloc(arena, n * sizeof(PxId)),
    .values = px_arena_alloc(arena, n * sizeof(PxValue *)),
    .masks = px_arena_alloc(arena, n * words * sizeof(uint64_t)),
  };
}

static void new_lists(PxLoader *loader) {
  const PxLoadPlan *plan = &loader->plan;
  PxWave *wave = &loader->wave;
  size_t n = wave->end - wave->first;
  size_t words = 0;
  for (size_t p = 0; p < plan->n_places; p++) {
    const PxLoadPlace *place = &plan->places[p];
    size_t found = 0;
    for (size_t row = wave->first; row < wave->end; row++)
      found += !px_id_is_none(px_wave_item(loader, row, place)->record.id);
    wave->creates[p] = new_list(loader->wave_arena, n - found, place->words);
    wave->updates[p] = new_list(loader->wave_arena, found, place->words);
    words = MAX(words, place->words);
  }
  wave->mask = PX_LOAD_ARRAY(loader->wave_arena, uint64_t, words);
  g_array_set_size(wave->new_records, 0);
  g_array_set_size(wave->links, 0);
  g_array_set_size(wave->unlinks, 0);
  g_array_set_size(wave->purges, 0);
  wave->refused_purge = NULL;
  wave->refused = NULL;
  g_array_set_size(wave->externals, 0);
}

/* ---- a row */

static void set_mark(const PxWave *wave, const PxLoadPlan *plan, Mark *mark) {
  mark->new_records = wave->new_records->len;
  mark->links = wave->links->len;
  mark->unlinks = wave->unlinks->len;
  mark->purges = wave->purges->len;
  mark->externals = wave->externals->len;
  memcpy(mark->used_ids, wave->n_used_ids, plan->n_models * sizeof *mark->used_ids);
  for (size_t p = 0; p < plan->n_places; p++) {
    mark->creates[p] = wave->creates[p].n;
    mark->updates[p] = wave->updates[p].n;
  }
}

static void return_to_mark(PxWave *wave, const PxLoadPlan *plan, const Mark *mark) {
  g_array_set_size(wave->new_records, mark->new_records);
  g_array_set_size(wave->links, mark->links);
  g_array_set_size(wave->unlinks, mark->unlinks);
  g_array_set_size(wave->purges, mark->purges);
  g_array_set_size(wave->externals, mark->externals);
  memcpy(wave->n_used_ids, mark->used_ids, plan->n_models * sizeof *mark->used_ids);
  for (size_t p = 0; p < plan->n_places; p++) {
    wave->creates[p].n = mark->creates[p];
    wave->updates[p].n = mark->updates[p];
  }
  px_overlay_drop(&wave->overlay);
}

/* What a row did, when beneath changed says whether any item beneath the root did something. */
static PxOutcome row_outcome(PxOutcome root, bool beneath) {
  return root == PX_OUTCOME_UNCHANGED && beneath ? PX_OUTCOME_UPDATED : root;
}

/* Decides on all items of a row. Its purge changes more than any overlay tells, so it makes a wave of its own. */
static PxDecision decide_row(PxLoader *loader, size_t index, PxOutcome *ret_outcome) {
  PxOutcome root = PX_OUTCOME_FAILED;
  bool beneath = false;
  for (size_t p = 0; p < loader->plan.n_places; p++) {
    PxOutcome outcome;
    if (px_load_decide_item(loader, &loader->plan.places[p], index, false, &outcome) == PX_MUST_WAIT)
      return PX_MUST_WAIT;
    if (loader->wave.purges->len && index > loader->wave.first)
      return PX_MUST_WAIT;
    if (p == 0)
      root = outcome;
    else
      beneath |= outcome == PX_OUTCOME_CREATED || outcome == PX_OUTCOME_UPDATED;
  }
  *ret_outcome = row_outcome(root, beneath);
  return PX_DECIDED;
}

static PxDecision plan_row(PxLoader *loader, size_t index, Mark *mark) {
  PxWave *wave = &loader->wave;
  PxLoadRow *row = px_loader_row(loader, index);
  PxOutcome outcome;
  row->outcome = PX_OUTCOME_FAILED;
  if (row->dead)
    return PX_DECIDED;
  set_mark(wave, &loader->plan, mark);
  if (decide_row(loader, index, &outcome) == PX_MUST_WAIT) {
    return_to_mark(wave, &loader->plan, mark);
    px_row_forget(row, PX_STAGE_ATTEMPT);
    return PX_MUST_WAIT;
  }
  if (row->messages) {
    return_to_mark(wave, &loader->plan, mark);
    return PX_DECIDED;
  }
  row->outcome = (uint8_t)outcome;
  wave->overlay.n_effects += outcome != PX_OUTCOME_UNCHANGED;
  px_overlay_keep(&wave->overlay);
  return PX_DECIDED;
}

/* ---- a row step by step: its items depend on one another, so each place is asked for when the places before it are written */

static bool resolve_places(PxLoader *loader, GError **error) {
  for (size_t p = 0; p < loader->plan.n_places; p++)
    if (!px_load_resolve_place(loader, &loader->plan.places[p], error))
      return false;
  return true;
}

static bool load_step(PxLoader *loader, size_t index, const PxLoadPlace *place, PxOutcome *outcome, GError **error) {
  px_overlay_clear(&loader->wave.overlay, &loader->plan);
  if (!px_load_resolve_place(loader, place, error) || !px_load_take_ids(loader, error))
    return false;
  new_lists(loader);
  (void)px_load_decide_item(loader, place, index, true, outcome);
  size_t bad;
  return px_loader_row(loader, index)->messages || px_wave_write(loader, &bad, error);
}

static bool load_steps(PxLoader *loader, size_t index, GError **error) {
  PxLoadRow *row = px_loader_row(loader, index);
  PxOutcome root = PX_OUTCOME_FAILED;
  bool beneath = false;
  row->outcome = PX_OUTCOME_FAILED;
  px_wave_start(loader, index, index + 1);
  if (row->dead)
    return true;
  /* What the row names is known before the first step: the rest may be purged. */
  if (!resolve_places(loader, error))
    return false;
  px_row_forget(row, PX_STAGE_ATTEMPT);
  for (size_t p = 0; p < loader->plan.n_places; p++) {
    PxOutcome outcome;
    if (!load_step(loader, index, &loader->plan.places[p], &outcome, error))
      return false;
    if (p == 0)
      root = outcome;
    else
      beneath |= outcome == PX_OUTCOME_CREATED || outcome == PX_OUTCOME_UPDATED;
  }
  if (!row->messages)
    row->outcome = (uint8_t)row_outcome(root, beneath);
  return true;
}

/* Under a savepoint: a fault of a late item undoes what the earlier ones wrote. */
static bool load_alone(PxLoader *loader, size_t index, size_t *ret_bad, GError **error) {
  if (!px_db_savepoint(loader->db, error))
    return false;
  *ret_bad = index;
  if (load_steps(loader, index, error))
    return px_loader_row(loader, index)->messages ? px_db_rollback_to(loader->db, error) : px_db_release(loader->db, error);
  if (px_db_in_transaction(loader->db) && !px_db_rollback_to(loader->db, NULL))
    g_prefix_error(error, "a savepoint was lost: ");
  return false;
}

/* ---- a wave */

bool px_load_wave(PxLoader *loader, size_t first, size_t end, size_t *ret_end, size_t *ret_bad, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  *ret_end = first + 1;
  if (plan->n_places > 1 && plan->opaque)
    return load_alone(loader, first, ret_bad, error);
  px_wave_start(loader, first, end);
  if (!resolve_places(loader, error) || !px_load_take_ids(loader, error))
    return false;
  new_lists(loader);
  Mark mark = {.creates = PX_LOAD_ARRAY(loader->wave_arena, size_t, plan->n_places),
               .updates = PX_LOAD_ARRAY(loader->wave_arena, size_t, plan->n_places),
               .used_ids = PX_LOAD_ARRAY(loader->wave_arena, size_t, plan->n_models)};
  size_t row = first;
  while (row < end && !loader->wave.purges->len && plan_row(loader, row, &mark) == PX_DECIDED)
    row++;
  if (row == first)
    return load_alone(loader, first, ret_bad, error);
  *ret_end = loader->wave.end = row;
  return px_wave_write(loader, ret_bad, error);
}
