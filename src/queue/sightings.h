/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files of storages that were listed and may still be written to: since when, by our clock, each has been as it is. They are forgotten when they are
 * taken or gone. */
#include "base/error.h"
#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  char *place;    /* of the file in its storage */
  char *identity; /* size, time and what else the storage tells of it */
  int64_t since;  /* microseconds since the epoch: when it was listed like this first */
} PxSighting;

void px_sighting_free(PxSighting *sighting);

/* Those of a task (PxSighting *, freed with the array). */
GPtrArray *px_sightings_of(PxDb *db, const char *task, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In the caller's transaction, in place of what was known of those places; on a server with one statement. */
bool px_sightings_store(PxDb *db, const char *task, const PxSighting *const *sightings, size_t n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_sightings_forget(PxDb *db, const char *task, const char *const *places, size_t n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
