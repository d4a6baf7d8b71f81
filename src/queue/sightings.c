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

static void values_to_store(gconstpointer row, PxValue *ret_values) {
  const PxSighting *sighting = row;
  ret_values[0] = px_value_string(sighting->place);
  ret_values[1] = px_value_string(sighting->identity);
  ret_values[2] = px_value_integer(sighting->since);
}

static bool store_one(PxDb *db, const char *task, const PxSighting *sighting, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "sighting_store", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_row(&binder, sighting, 3, values_to_store);
  return px_run_bound(&binder, error);
}

static bool forget_one(PxDb *db, const char *task, const char *place, GError **error) {
  PxBinder binder;
  if (!px_queue_statement(db, "sighting_forget", &binder, error))
    return false;
  px_bind_text(&binder, task);
  px_bind_text(&binder, place);
  return px_run_bound(&binder, error);
}

bool px_sightings_store(PxDb *db, const char *task, const PxSighting *const *sightings, size_t n, GError **error) {
  if (n && px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    PxBinder binder;
    if (!px_queue_statement(db, "sightings_store", &binder, error))
      return false;
    px_bind_text(&binder, task);
    g_autofree PxValue *values = px_bind_rows(&binder, (const gconstpointer *)sightings, n, 3, values_to_store);
    return px_run_bound(&binder, error);
  }
  for (size_t i = 0; i < n; i++)
    if (!store_one(db, task, sightings[i], error))
      return false;
  return true;
}

bool px_sightings_forget(PxDb *db, const char *task, const char *const *places, size_t n, GError **error) {
  if (n && px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    PxBinder binder;
    if (!px_queue_statement(db, "sightings_forget", &binder, error))
      return false;
    px_bind_text(&binder, task);
    g_autofree PxValue *values = px_bind_texts(&binder, places, n);
    return px_run_bound(&binder, error);
  }
  for (size_t i = 0; i < n; i++)
    if (!forget_one(db, task, places[i], error))
      return false;
  return true;
}
