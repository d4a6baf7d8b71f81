/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/sightings.h"

#include "queue/queue_private.h"

void px_sighting_free(PxSighting *sighting) {
  if (!sighting)
    return;
  g_free(sighting->place);
  g_free(sighting->identity);
  g_free(sighting);
}

static void free_row(gpointer row) {
  px_sighting_free(row);
}

static gpointer read_sighting(PxColumns *columns) {
  PxSighting *sighting = g_new0(PxSighting, 1);
  sighting->place = px_column_text(columns);
  sighting->identity = px_column_text(columns);
  sighting->since = px_column_integer(columns);
  return sighting;
}

GPtrArray *px_sightings_of(PxDb *db, const char *task, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "sighting_list", &binder, error))
    return NULL;
  px_bind_text(&binder, task);
  return px_read_rows(&binder, read_sighting, free_row, error);
}

bool px_sighting_store(PxDb *db, const char *task, const PxSighting *sighting, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "sighting_store", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, sighting->place);
  px_bind_text(&binder, sighting->identity);
  px_bind_integer(&binder, sighting->since);
  return px_run_bound(&binder, error);
}

bool px_sighting_forget(PxDb *db, const char *task, const char *place, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "sighting_forget", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, place);
  return px_run_bound(&binder, error);
}
