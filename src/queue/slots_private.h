/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which job may start. */
#include "queue/channels_private.h"
#include "queue/queue_private.h"

/* The job whose turn it is. */
typedef struct {
  int64_t id; /* 0: there is none */
  char *channel, *kind;
  int64_t priority;
} PxTurn;
void px_turn_clear(PxTurn *turn);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxTurn, px_turn_clear)

/* The pending job of these tasks (NULL: any) that is due, first in line and in channels with room. channels NULL: no limits. */
bool px_slots_next(PxDb *db, const PxChannels *channels, PxClaims claims, const char *const *tasks, int64_t now, PxTurn *ret_turn, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Whether jobs of a channel start one at a time: it, or one above it, is sequential or throttled. */
bool px_slots_are_paced(const PxChannels *channels, const char *name);
/* Remembers the start of a job in the throttled ones of its channels. */
bool px_slots_started(PxDb *db, const PxChannels *channels, const PxJob *job, int64_t now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
