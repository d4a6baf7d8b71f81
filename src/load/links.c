/* SPDX-License-Identifier: Apache-2.0 */
/* many2many, and the children that a row does not name. */
#include "load/load_private.h"

/* ---- what is there now */

/* The records that were found for the items of a place. */
static size_t found_ids(PxLoader *loader, const PxLoadPlace *place, size_t *rows, PxId *ids) {
  size_t n = 0;
  for (size_t row = loader->wave.first; row < loader->wave.end; row++) {
    const PxItemFacts *facts = px_wave_item(loader, row, place);
    if (!px_loader_item(loader, row, place)->given || px_id_is_none(facts->record.id))
      continue;
    rows[n] = row;
    ids[n++] = facts->record.id;
  }
  return n;
}

bool px_load_read_relations(PxLoader *loader, const PxLoadPlace *place, GError **error) {
  PxArena *arena = loader->wave_arena;
  bool purge = loader->plan.pattern->purge_one2many && place->n_children > 0;
  if (!place->n_links && !purge)
    return true;
  size_t room = loader->wave.end - loader->wave.first;
  size_t *rows = PX_LOAD_ARRAY(arena, size_t, room);
  PxId *ids = PX_LOAD_ARRAY(arena, PxId, room);
  size_t n = found_ids(loader, place, rows, ids);
  size_t n_relations = place->n_links + (purge ? place->n_children : 0);
  for (size_t r = 0; r < n_relations; r++) {
    const PxField *field = r < place->n_links ? place->links[r].field : place->children[r - place->n_links].field;
    PxIdList *lists = PX_LOAD_ARRAY(arena, PxIdList, n);
    if (!px_records_related(loader->records, field, ids, n, arena, lists, error))
      return false;
    for (size_t i = 0; i < n; i++) {
      PxItemFacts *facts = px_wave_item(loader, rows[i], place);
      if (!facts->related)
        facts->related = PX_LOAD_ARRAY(arena, PxIdList, place->n_links + place->n_children);
      facts->related[r] = lists[i];
    }
  }
  return true;
}

/* ---- many2many */

static bool contains(const PxId *ids, size_t n, PxId id) {
  for (size_t i = 0; i < n; i++)
    if (px_id_equal(ids[i], id))
      return true;
  return false;
}

/* The records that references of a many2many name, each once. */
static PxIdList named(PxLoader *loader, const unsigned *references, size_t n, size_t row) {
  PxIdList list = {.ids = PX_LOAD_ARRAY(loader->wave_arena, PxId, n)};
  for (size_t i = 0; i < n; i++) {
    PxId id = px_id_from_value(px_loader_values(loader, row)[loader->plan.references[references[i]].slot]);
    if (!px_id_is_none(id) && !contains(list.ids, list.n, id))
      list.ids[list.n++] = id;
  }
  return list;
}

/* What is inactive, and therefore in no export, is neither unlinked nor purged because a row does not name it. */
static bool is_hidden(const PxIdList *list, size_t i) {
  return list->hidden && list->hidden[i];
}

static void add_changes(GArray *changes, const PxField *field, PxId from, const PxIdList *in, const PxIdList *but_not) {
  for (size_t i = 0; i < in->n; i++) {
    PxLinkChange change = {.field = field, .from = from, .to = in->ids[i]};
    if (!is_hidden(in, i) && !contains(but_not->ids, but_not->n, in->ids[i]))
      g_array_append_val(changes, change);
  }
}

bool px_load_has_links(PxLoader *loader, const PxLoadLinks *links, size_t row) {
  for (size_t i = 0; i < links->n_references; i++)
    if (px_loader_states(loader, row)[links->references[i]] != PX_REFERENCE_ABSENT)
      return true;
  return false;
}

bool px_load_decide_links(PxLoader *loader, const PxLoadPlace *place, size_t row) {
  PxWave *wave = &loader->wave;
  const PxItemFacts *facts = px_wave_item(loader, row, place);
  guint before = wave->links->len + wave->unlinks->len;
  for (size_t i = 0; i < place->n_links; i++) {
    const PxLoadLinks *links = &place->links[i];
    bool present = px_load_has_links(loader, links, row);
    /* A many2many none of whose columns the row has is left alone; a new record has the default. */
    if (!present && !px_id_is_none(facts->record.id))
      continue;
    PxIdList wanted = present ? named(loader, links->references, links->n_references, row) : named(loader, links->defaults, links->n_defaults, row);
    PxIdList now = facts->related ? facts->related[i] : (PxIdList){0};
    add_changes(wave->links, links->field, facts->id, &wanted, &now);
    if (!loader->plan.pattern->update_many2many)
      add_changes(wave->unlinks, links->field, facts->id, &now, &wanted);
  }
  return wave->links->len + wave->unlinks->len > before;
}

/* ---- purge */

/* So are children none of whose columns the row has. */
static bool children_present(PxLoader *loader, const PxLoadChildren *children, size_t row) {
  for (size_t i = 0; i < children->n_places; i++)
    if (px_loader_item(loader, row, &loader->plan.places[children->places[i]])->present)
      return true;
  return false;
}

static bool is_named(PxLoader *loader, const PxLoadChildren *children, size_t row, PxId id) {
  for (size_t i = 0; i < children->n_places; i++)
    if (px_id_equal(px_wave_item(loader, row, &loader->plan.places[children->places[i]])->record.id, id))
      return true;
  return false;
}

/* Whether the row names a record as an item of any list, or is about it. */
static bool is_named_anywhere(PxLoader *loader, unsigned model, size_t row, PxId id) {
  for (size_t p = 0; p < loader->plan.n_places; p++)
    if (loader->plan.places[p].model == model && px_id_equal(px_wave_item(loader, row, &loader->plan.places[p])->record.id, id))
      return true;
  return false;
}

/* A record that the row names elsewhere is not deleted: it moves there, or is only detached. */
static void add_purge(PxLoader *loader, const PxLoadChildren *children, size_t row, PxId id) {
  const PxField *field = children->field;
  PxPurge purge = {.field = field, .child = id, .deletes = field->inverse->required || loader->plan.pattern->purge_one2many == PX_PURGE_DELETE};
  if (purge.deletes && is_named_anywhere(loader, children->model, row, id)) {
    if (field->inverse->required)
      return;
    purge.deletes = false;
  }
  g_array_append_val(loader->wave.purges, purge);
}

bool px_load_decide_purge(PxLoader *loader, const PxLoadPlace *place, size_t row) {
  const PxItemFacts *facts = px_wave_item(loader, row, place);
  guint before = loader->wave.purges->len;
  if (!loader->plan.pattern->purge_one2many || !facts->related)
    return false;
  for (size_t i = 0; i < place->n_children; i++) {
    const PxIdList *now = &facts->related[place->n_links + i];
    for (size_t c = 0; c < now->n && children_present(loader, &place->children[i], row); c++)
      if (!is_hidden(now, c) && !is_named(loader, &place->children[i], row, now->ids[c]))
        add_purge(loader, &place->children[i], row, now->ids[c]);
  }
  return loader->wave.purges->len > before;
}
