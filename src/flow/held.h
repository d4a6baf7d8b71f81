/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What chunks came to, held in a nameless file until it can be stored: however many messages there are, memory stays as it is. */
#include "queue/queue.h"

typedef struct PxHeld PxHeld;

/* PX_ERROR_TRANSIENT here and below: there is no room for temporary files. */
PxHeld *px_held_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_held_free(PxHeld *held);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxHeld, px_held_free)
/* Behind those that are there. messages (PxMessage *) may be NULL. */
bool px_held_add(PxHeld *held, const PxChunk *chunk, const GPtrArray *messages, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Forgets all. */
bool px_held_clear(PxHeld *held, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* From now on the first chunk is next. */
bool px_held_rewind(PxHeld *held, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 1: the next chunk and its messages (PxMessage *; caller unrefs); 0: there are no more; -1: error. */
int px_held_next(PxHeld *held, PxChunk *ret_chunk, GPtrArray **ret_messages, GError **error);
