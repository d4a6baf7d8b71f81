/* SPDX-License-Identifier: Apache-2.0 */
/* Chunk -> waves -> writes. What the database refuses is bisected over rows, never over statements. */
#include "load/load_private.h"

#define LEAST_WINDOW 16 /* rows asked for at once where waves are short */

/* PX_ERROR_REFUSED: the pattern trusts references of a table that does not allow it. SQLite has nothing to skip. */
static bool check_trust(const PxLoader *loader, GError **error) {
  const PxLoadPlan *plan = &loader->plan;
  for (size_t m = 0; plan->pattern->trust_references && px_records_in_sets(loader->records) && m < plan->n_models; m++) {
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func(g_free);
    if (!px_records_trust_obstacles(loader->db, plan->models[m].model, reasons, error))
      return false;
    if (reasons->len == 0)
      continue;
    g_ptr_array_add(reasons, NULL);
    g_autofree char *text = g_strjoinv("; ", (char **)reasons->pdata);
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "trust_references is not possible with the table %s: %s", plan->models[m].model->table, text);
    return false;
  }
  return true;
}

PxLoader *px_loader_new(PxDb *db, const PxSchema *schema, const PxPattern *pattern, const PxHeader *header, GError **error) {
  g_autoptr(PxLoader) loader = g_new0(PxLoader, 1);
  loader->db = db;
  loader->records = px_records_new(db, schema);
  loader->plan_arena = px_arena_new();
  loader->chunk_arena = px_arena_new();
  loader->wave_arena = px_arena_new();
  loader->rows = g_array_new(FALSE, FALSE, sizeof(PxLoadRow));
  loader->messages = g_ptr_array_new();
  if (!px_load_plan_init(&loader->plan, loader->records, pattern, header, loader->plan_arena, error) || !check_trust(loader, error) ||
      !px_load_assume_init(loader, error))
    return NULL;
  px_wave_init(&loader->wave, &loader->plan);
  return g_steal_pointer(&loader);
}

void px_loader_free(PxLoader *loader) {
  if (!loader)
    return;
  px_wave_done(&loader->wave, &loader->plan);
  px_records_free(loader->records);
  px_arena_free(loader->plan_arena);
  px_arena_free(loader->chunk_arena);
  px_arena_free(loader->wave_arena);
  g_clear_pointer(&loader->readers, g_hash_table_unref);
  g_array_unref(loader->rows);
  g_ptr_array_unref(loader->messages);
  g_free(loader->values);
  g_free(loader->states);
  g_free(loader->items);
  g_clear_pointer(&loader->referred, g_hash_table_unref);
  g_free(loader);
}

size_t px_loader_rows(const PxLoader *loader) {
  return loader->rows->len;
}

void px_loader_set_row_by_row(PxLoader *loader, bool row_by_row) {
  loader->row_by_row = row_by_row;
}

void px_loader_set_now(PxLoader *loader, int64_t now) {
  px_records_set_now(loader->records, now);
}

void px_loader_set_nested(PxLoader *loader, bool nested) {
  loader->nested = nested;
}

void px_loader_clear(PxLoader *loader) {
  g_array_set_size(loader->rows, 0);
  g_ptr_array_set_size(loader->messages, 0);
  px_arena_reset(loader->chunk_arena);
  px_arena_reset(loader->wave_arena);
  loader->counts = (PxCounts){0};
  loader->first_row = 0;
  loader->last_row = 0;
}

bool px_loader_cut(PxLoader *loader, uint64_t n, uint64_t *ret_row) {
  uint64_t failed = 0;
  *ret_row = 0;
  for (size_t i = 0; i < loader->rows->len; i++) {
    const PxLoadRow *row = px_loader_row(loader, i);
    failed += row->outcome == PX_OUTCOME_FAILED;
    if (failed < n)
      continue;
    *ret_row = row->number;
    if (row->number == loader->last_row)
      return false;
    loader->counts.skipped = row->skipped;
    loader->counts.rows = i + 1 + row->skipped;
    loader->last_row = row->number;
    g_array_set_size(loader->rows, (guint)i + 1);
    return true;
  }
  return false;
}

/* ---- waves */

/* Rows [first, end) in waves. Where waves turn out short, fewer rows are asked for at once: each is asked for again in the next wave. */
static bool load_waves(PxLoader *loader, size_t first, size_t end, size_t *ret_bad, GError **error) {
  bool single = loader->row_by_row || loader->plan.opaque;
  size_t window = single ? 1 : end - first;
  while (first < end) {
    size_t asked = MIN(end, first + window);
    size_t wave_end;
    if (!px_load_wave(loader, first, asked, &wave_end, ret_bad, error))
      return false;
    window = single ? 1 : wave_end == asked ? window * 2 : MAX((wave_end - first) * 2, LEAST_WINDOW);
    first = wave_end;
  }
  return px_db_check_deferred(loader->db, error);
}

/* ---- bisecting */

/* The row that ended the transaction is marked, so that the next try leaves it out; where it is not known, the next try goes row by row. */
static void mark_dead(PxLoader *loader, size_t first, size_t end, size_t bad, const GError *error) {
  if (end - first == 1)
    bad = first;
  px_load_lose_row(loader, bad, error);
}

/* What became of one try to load a range. */
typedef enum { TRY_DONE, TRY_REFUSED, TRY_ERROR } Try;

/* Loads [first, end) under a savepoint. TRY_REFUSED: nothing of it is left; *ret_bad is the row, where the database says which. */
static Try try_range(PxLoader *loader, size_t first, size_t end, size_t *ret_bad, GError **error) {
  g_autoptr(GError) problem = NULL;
  *ret_bad = SIZE_MAX;
  if (!px_db_savepoint(loader->db, error))
    return TRY_ERROR;
  if (load_waves(loader, first, end, ret_bad, &problem))
    return px_db_release(loader->db, error) ? TRY_DONE : TRY_ERROR;
  if (px_db_in_transaction(loader->db) && g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT)) {
    bool alone = end - first == 1;
    /* To say why, the database may have to be asked: SQLite as the row left it, PostgreSQL when nothing of it is left. */
    bool before = px_db_dialect(loader->db) == PX_DIALECT_SQLITE;
    if (alone && before)
      px_load_complain_refusal(loader, first, problem);
    if (!px_db_rollback_to(loader->db, error))
      return TRY_ERROR;
    if (alone && !before)
      px_load_complain_refusal(loader, first, problem);
    return TRY_REFUSED;
  }
  if (g_error_matches(problem, PX_ERROR, PX_ERROR_ROLLED_BACK))
    mark_dead(loader, first, end, *ret_bad, problem);
  g_propagate_error(error, g_steal_pointer(&problem));
  return TRY_ERROR;
}

/* Loads [first, end) whole, or in the parts that the database takes. A row that is refused alone has its message. After a refusal the next
 * parts are small and grow again, so that many bad rows do not cost a search of the whole range each. */
static bool load_range(PxLoader *loader, size_t first, size_t end, GError **error) {
  size_t span = end - first;
  while (first < end) {
    size_t stop = MIN(end, first + span);
    size_t bad;
    switch (try_range(loader, first, stop, &bad, error)) {
    case TRY_DONE:
      first = stop;
      span *= 2;
      continue;
    case TRY_ERROR:
      return false;
    case TRY_REFUSED:
      loader->refusals++;
      break;
    }
    if (stop - first == 1) {
      first = stop;
      continue;
    }
    bool known = bad >= first && bad < stop;
    size_t middle = known ? bad : first + (stop - first) / 2;
    span = MAX((middle - first) * 2, known ? LEAST_WINDOW : 1);
    if (middle > first && !load_range(loader, first, middle, error))
      return false;
    if (known && !load_range(loader, middle, middle + 1, error))
      return false;
    first = known ? middle + 1 : middle;
  }
  return true;
}

/* ---- a chunk */

static void count_row(PxCounts *counts, const PxLoadRow *row) {
  switch ((PxOutcome)row->outcome) {
  case PX_OUTCOME_FAILED:
    counts->failed++;
    return;
  case PX_OUTCOME_CREATED:
    counts->created++;
    return;
  case PX_OUTCOME_UPDATED:
    counts->updated++;
    return;
  case PX_OUTCOME_UNCHANGED:
    counts->unchanged++;
    return;
  }
}

static void collect_result(PxLoader *loader, PxLoadResult *result) {
  g_ptr_array_set_size(loader->messages, 0);
  *result = (PxLoadResult){.counts = loader->counts, .messages = loader->messages, .first_row = loader->first_row, .last_row = loader->last_row};
  for (size_t i = 0; i < loader->rows->len; i++) {
    PxLoadRow *row = px_loader_row(loader, i);
    count_row(&result->counts, row);
    for (PxRowMessage *message = row->messages; message; message = message->next)
      g_ptr_array_add(loader->messages, &message->message);
  }
}

/* Most chunks have no row that the database refuses, and a savepoint is dear on SQLite: it writes a page to the statement journal for each
 * update of a foreign key beneath it. So a chunk is tried without one where the caller can begin its transaction again. */
static bool load_boldly(PxLoader *loader, GError **error) {
  g_autoptr(GError) problem = NULL;
  size_t bad = SIZE_MAX;
  if (load_waves(loader, 0, loader->rows->len, &bad, &problem))
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT)) {
    if (g_error_matches(problem, PX_ERROR, PX_ERROR_ROLLED_BACK))
      mark_dead(loader, 0, loader->rows->len, bad, problem);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  if (!px_load_assumed_wrongly(loader))
    loader->careful = true;
  g_set_error(error, PX_ERROR, PX_ERROR_ROLLED_BACK, "the database refused a row: %s", problem->message);
  return false;
}

static bool load_carefully(PxLoader *loader, GError **error) {
  loader->refusals = 0;
  if (!load_range(loader, 0, loader->rows->len, error))
    return false;
  /* Files with rows that are refused have them in many places: only a chunk without one makes bold again. */
  loader->careful = loader->refusals > 0;
  return true;
}

bool px_loader_load(PxLoader *loader, PxLoadResult *ret_result, GError **error) {
  for (size_t i = 0; i < loader->rows->len; i++)
    px_row_forget(px_loader_row(loader, i), PX_STAGE_CHUNK);
  if (!px_load_resolve_fixed(loader, error))
    return false;
  bool careful = loader->careful || loader->nested;
  loader->assumption.made = false;
  if (!careful)
    px_load_assume(loader);
  if (loader->rows->len && !(careful ? load_carefully : load_boldly)(loader, error))
    return false;
  collect_result(loader, ret_result);
  px_load_assume_loaded(loader, &ret_result->counts);
  return true;
}
