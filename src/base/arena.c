/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)256 * 1024)
#define ALIGNMENT ((size_t)16)

typedef struct Block {
  struct Block *next;
  size_t size;
  size_t used;
  _Alignas(16) char bytes[];
} Block;

struct PxArena {
  Block *head; /* the block that is being filled; the full ones hang behind it */
  size_t used;
};

PxArena *px_arena_new(void) {
  return g_new0(PxArena, 1);
}

static void free_blocks(Block *block) {
  while (block) {
    Block *next = block->next;
    g_free(block);
    block = next;
  }
}

void px_arena_free(PxArena *arena) {
  if (!arena)
    return;
  free_blocks(arena->head);
  g_free(arena);
}

static Block *add_block(PxArena *arena, size_t size) {
  size_t room = MAX(size, BLOCK_SIZE);
  Block *block = g_malloc(sizeof(Block) + room);
  block->size = room;
  block->used = 0;
  block->next = arena->head;
  arena->head = block;
  return block;
}

void *px_arena_alloc(PxArena *arena, size_t size) {
  size_t aligned = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  g_assert(aligned >= size);
  Block *block = arena->head;
  if (!block || block->size - block->used < aligned)
    block = add_block(arena, aligned);
  void *bytes = block->bytes + block->used;
  block->used += aligned;
  arena->used += aligned;
  return bytes;
}

void *px_arena_alloc0(PxArena *arena, size_t size) {
  return memset(px_arena_alloc(arena, size), 0, size);
}

char *px_arena_strndup(PxArena *arena, const char *text, size_t len) {
  char *copy = px_arena_alloc(arena, len + 1);
  if (len)
    memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

char *px_arena_printf(PxArena *arena, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  return px_arena_strndup(arena, text, strlen(text));
}

PxValue px_value_copy(PxArena *arena, PxValue value) {
  if (value.kind == PX_TEXT || value.kind == PX_BLOB)
    value.text = px_arena_strndup(arena, value.text, value.len);
  return value;
}

void px_arena_reset(PxArena *arena) {
  Block *keep = arena->head;
  if (keep) {
    free_blocks(keep->next);
    keep->next = NULL;
    keep->used = 0;
    /* A block made for one huge value is not kept for ever. */
    if (keep->size > BLOCK_SIZE * 16) {
      g_free(keep);
      arena->head = NULL;
    }
  }
  arena->used = 0;
}

size_t px_arena_used(const PxArena *arena) {
  return arena->used;
}
