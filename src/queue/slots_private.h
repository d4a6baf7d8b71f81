/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which job may start. */
#include "queue/channels_private.h"
#include "queue/queue_private.h"

/* The job whose turn it is. */
typedef struct {
  int64_t id; /* 0: there is none */
  char *channel, *kind;
  int64_t priority, eta;
  bool contended; /* another claim may take the room in its channels: the answer holds only when they are locked */
} PxTurn;
void px_turn_clear(PxTurn *turn);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxTurn, px_turn_clear)

typedef struct {
  PxDb *db;
  const PxChannels *channels; /* NULL: no limits */
  PxClaims claims;
  const char *const *tasks; /* NULL: any */
  int64_t now;
  /* char *: channels in which the worker had a job until this very transaction; NULL: none. For all others it still has it, so that nobody takes its
   * place there. */
  const GPtrArray *kept;
} PxSlotsQuery;
/* The pending job that is due, first in line and in channels with room. */
bool px_slots_next(const PxSlotsQuery *query, PxTurn *ret_turn, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Locks the limited ones among the channels of a job of the channel called name, where rows are locked one by one, until the transaction ends.
 * waits: for others who have; else *ret_locked may be false. Who holds some already must not wait for more. */
bool px_slots_lock(PxDb *db, const PxChannels *channels, const char *name, bool waits, bool *ret_locked, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether jobs of a channel start one at a time: it, or one above it, is sequential or throttled. */
bool px_slots_are_paced(const PxChannels *channels, const char *name);
/* Remembers the start of a job in the throttled ones of its channels. */
bool px_slots_started(PxDb *db, const PxChannels *channels, const PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
