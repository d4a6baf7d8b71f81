/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory that lives as long as a chunk: allocated piece by piece, freed all at once. */
#include "base/value.h"

#include <glib.h>
#include <stddef.h>

typedef struct PxArena PxArena;

/* A new arena. Caller frees with px_arena_free(). */
PxArena *px_arena_new(void);
void px_arena_free(PxArena *arena);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxArena, px_arena_free)

/* size bytes, aligned for any type, not cleared; valid until px_arena_reset(). Ends the process when memory is out. */
void *px_arena_alloc(PxArena *arena, size_t size);
void *px_arena_alloc0(PxArena *arena, size_t size);
/* A copy of len bytes with a NUL behind. */
char *px_arena_strndup(PxArena *arena, const char *text, size_t len);
char *px_arena_printf(PxArena *arena, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* value with its text or blob in the arena. */
PxValue px_value_copy(PxArena *arena, PxValue value);
/* Forgets everything allocated; keeps one block for the next round. */
void px_arena_reset(PxArena *arena);
/* Bytes handed out since the last reset. */
size_t px_arena_used(const PxArena *arena);

#define px_arena_new_array(arena, type, n) ((type *)px_arena_alloc0((arena), sizeof(type) * (size_t)(n)))
