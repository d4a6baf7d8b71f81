/* SPDX-License-Identifier: Apache-2.0 */
/* The writes of a wave: what is removed, new records place after place (parents before their children), changes, links. */
#include "load/load_private.h"

/* The row's slots, or a copy of them with the defaults of a new record. */
static const PxValue *written_values(PxLoader *loader, const PxLoadPlace *place, bool is_new, size_t row) {
  if (!is_new || !place->defaults)
    return px_loader_values(loader, row) + place->first_slot;
  PxValue *values = PX_LOAD_ARRAY(loader->wave_arena, PxValue, place->n_writes);
  for (size_t w = 0; w < place->n_writes; w++)
    values[w] = px_load_value(loader, place, row, w, true);
  return values;
}

void px_wave_add_write(PxLoader *loader, const PxLoadPlace *place, PxWriteList *list, size_t row, PxId id, const uint64_t *mask) {
  list->rows[list->n] = row;
  list->ids[list->n] = id;
  list->values[list->n] = written_values(loader, place, list == &loader->wave.creates[place->index], row);
  memcpy(list->masks + list->n * place->words, mask, place->words * sizeof *mask);
  list->n++;
}

typedef bool (*WriteFunc)(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error);

static bool write_list(PxLoader *loader, const PxLoadPlace *place, const PxWriteList *list, WriteFunc write, size_t *ret_bad, GError **error) {
  bool unnumbered = list == &loader->wave.creates[place->index] && loader->numbers_itself && !loader->recorder;
  PxWrites writes = {
    .model = px_place_model(&loader->plan, place),
    .fields = place->writes,
    .n_fields = place->n_writes,
    .n_rows = list->n,
    .ids = unnumbered ? NULL : list->ids,
    .values = list->values,
    .masks = list->masks,
    .proved = loader->plan.pattern->trust_references ? place->proved : NULL,
  };
  size_t bad = SIZE_MAX;
  if (!list->n || write(loader->records, &writes, &bad, error))
    return true;
  *ret_bad = bad == SIZE_MAX ? SIZE_MAX : list->rows[bad];
  return false;
}

static bool write_places(PxLoader *loader, const PxWriteList *lists, WriteFunc write, size_t *ret_bad, GError **error) {
  for (size_t p = 0; p < loader->plan.n_places; p++) {
    loader->wave.refused = &loader->plan.places[p];
    if (!write_list(loader, loader->wave.refused, &lists[p], write, ret_bad, error))
      return false;
  }
  loader->wave.refused = NULL;
  return true;
}

/* Children that nobody names: those that follow one another and go the same way in one call. One by one where they are told: what goes with one
 * that is deleted before it is no change of its own. */
static bool purge(PxLoader *loader, GError **error) {
  const PxPurge *purges = (const PxPurge *)(const void *)loader->wave.purges->data;
  size_t n = loader->wave.purges->len;
  PxId *ids = PX_LOAD_ARRAY(loader->wave_arena, PxId, n);
  for (size_t first = 0, end; first < n; first = end) {
    const PxField *field = purges[first].field;
    bool deletes = purges[first].deletes;
    for (end = first; end < n && purges[end].field == field && purges[end].deletes == deletes && (end == first || !loader->recorder); end++) {
      ids[end - first] = purges[end].child;
      if (!px_load_tell_purge(loader, deletes ? PX_CHANGE_DELETE : PX_CHANGE_DETACH, field, purges[end].child, error))
        return false;
    }
    loader->wave.refused_purge = field;
    if (deletes ? !px_records_delete(loader->records, field->target, ids, end - first, error)
                : !px_records_detach(loader->records, field->inverse, ids, end - first, error))
      return false;
  }
  loader->wave.refused_purge = NULL;
  return true;
}

static bool change_links(PxLoader *loader, const GArray *changes, bool link, GError **error) {
  return px_records_link(loader->records, (const PxLinkChange *)(const void *)changes->data, changes->len, link, error);
}

static bool add_externals(PxLoader *loader, GError **error) {
  const GArray *externals = loader->wave.externals;
  PxValue *names = PX_LOAD_ARRAY(loader->wave_arena, PxValue, externals->len);
  PxId *ids = PX_LOAD_ARRAY(loader->wave_arena, PxId, externals->len);
  for (unsigned p = 0; externals->len && p < loader->plan.n_places; p++) {
    size_t n = 0;
    for (guint i = 0; i < externals->len; i++) {
      const PxNewExternal *external = &g_array_index(externals, PxNewExternal, i);
      if (external->place != p)
        continue;
      names[n] = external->name;
      ids[n++] = external->id;
    }
    if (n && !px_records_add_external(loader->records, px_place_model(&loader->plan, &loader->plan.places[p]), names, ids, n, error))
      return false;
  }
  return true;
}

bool px_wave_write(PxLoader *loader, size_t *ret_bad, GError **error) {
  PxWave *wave = &loader->wave;
  return px_load_tell_finds(loader, error) && purge(loader, error) && px_load_tell_writes(loader, error) &&
         write_places(loader, wave->creates, px_records_create, ret_bad, error) &&
         write_places(loader, wave->updates, px_records_update, ret_bad, error) && change_links(loader, wave->unlinks, false, error) &&
         change_links(loader, wave->links, true, error) && add_externals(loader, error);
}
