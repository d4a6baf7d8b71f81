/* SPDX-License-Identifier: Apache-2.0 */
/* What need not be asked of new records: their ids, where the database gives them and nobody else wants to know; and whether they are new, where
 * all before them were. On a server both cost about as much as half of writing the record. */
#include "load/load_private.h"

#define LEAST_ROWS 4     /* of a chunk whose keys are not looked for: it may have to be tried three times */
#define MOST_WANTED 1024 /* chunks */

/* ---- ids */

static bool needs_ids(const PxLoadPlan *plan) {
  const PxLoadPlace *root = &plan->places[0];
  /* A key that is written to it: so each new record has a field at least. */
  if (plan->n_places > 1 || root->db_id || root->ext_id || root->n_links || !root->by_key || !root->key_writes_itself)
    return true;
  for (size_t i = 0; i < plan->n_references; i++)
    if (plan->references[i].live)
      return true;
  return false;
}

/* ---- keys */

static bool is_in_key(const PxLoadWatch *watch, const PxField *field) {
  for (size_t i = 0; i < watch->n; i++)
    if (watch->fields[i] == field)
      return true;
  return false;
}

/* Whether the database refuses a second record with the key of the root. */
static bool is_refused_twice(const PxLoadPlan *plan) {
  const PxLoadPlace *root = &plan->places[0];
  const PxModel *model = px_place_model(plan, root);
  if (!root->by_key || root->by_id || !root->key_writes_itself || model->has_triggers)
    return false;
  for (size_t u = 0; u < model->n_uniques; u++) {
    size_t n = 0;
    while (n < model->uniques[u].n_fields && is_in_key(&plan->models[root->model].watches[root->key_watch], model->uniques[u].fields[n]))
      n++;
    if (n == model->uniques[u].n_fields)
      return true;
  }
  return false;
}

bool px_load_assume_init(PxLoader *loader, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  bool on_server = px_records_in_sets(loader->records);
  loader->assumption = (PxAssumption){.possible = on_server && plan->pattern->create && !plan->opaque && is_refused_twice(plan), .wanted = 1};
  return needs_ids(plan) || px_records_numbers_itself(loader->records, plan->models[0].model, &loader->numbers_itself, error);
}

void px_load_assume(PxLoader *loader) {
  PxAssumption *assumption = &loader->assumption;
  assumption->made = assumption->possible && assumption->new_chunks >= assumption->wanted && loader->rows->len >= LEAST_ROWS && !loader->recorder &&
                     !loader->row_by_row;
}

bool px_load_assumed_wrongly(PxLoader *loader) {
  PxAssumption *assumption = &loader->assumption;
  const PxRefusal *refusal = px_db_refusal(loader->db);
  if (!assumption->made || !refusal || refusal->kind != PX_REFUSED_UNIQUE)
    return false;
  assumption->new_chunks = 0;
  assumption->wanted = MIN(assumption->wanted * 2, MOST_WANTED);
  return true;
}

void px_load_assume_loaded(PxLoader *loader, const PxCounts *counts) {
  bool all_new = counts->created && !counts->updated && !counts->unchanged;
  loader->assumption.new_chunks = all_new ? loader->assumption.new_chunks + 1 : 0;
}

void px_loader_expect_new(PxLoader *loader) {
  loader->assumption.new_chunks = loader->assumption.wanted;
}

/* NULL differs from NULL for a UNIQUE, but finds it here. */
static bool has_empty_keys(PxLoader *loader, const PxLoadPlace *place) {
  const PxLoadWatch *watch = &loader->plan.models[place->model].watches[place->key_watch];
  for (size_t row = loader->wave.first; row < loader->wave.end; row++)
    for (size_t i = 0; i < watch->n; i++) {
      uint32_t kind = px_loader_values(loader, row)[place->key_slots[i]].kind;
      if (kind == PX_NULL || kind == PX_SLOT_ABSENT)
        return true;
    }
  return false;
}

bool px_load_assumes_new(PxLoader *loader, const PxLoadPlace *place) {
  /* Behind the first wave keys of the chunk itself may be met. */
  return loader->assumption.made && !place->parent && loader->wave.first == 0 && !has_empty_keys(loader, place);
}
