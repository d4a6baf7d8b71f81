/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a person is told about a row, and how a run is counted. A bad row is not an error: it is a message. */
#include <glib.h>
#include <stdint.h>

/* One complaint about one row. Strings are UTF-8, owned by whoever made the list (an arena, or the list itself). */
typedef struct {
  uint64_t row;        /* as a person sees it in the file: the header is row 1; 0: the file as a whole */
  const char *column;  /* the header to blame, stripped, as the file has it; NULL when no single column is */
  const char *field;   /* the label of the field; NULL when there is none */
  const char *type;    /* a word of docs/messages.md: conversion, required, length, range, selection, key_empty,
                          not_found, too_many, unique, check, foreign_key, trigger, database, not_allowed,
                          extra_cells, header, file, limit */
  const char *message; /* one sentence for a person, with the value */
} PxMessage;

/* All counts are of rows of the file; records of nested relations are not counted. */
typedef struct {
  uint64_t rows; /* rows read below the header, skipped ones too */
  uint64_t created;
  uint64_t updated;
  uint64_t unchanged;
  uint64_t failed;
  uint64_t skipped;
} PxCounts;

void px_counts_add(PxCounts *counts, const PxCounts *more);

/* A copy of message with its own strings. Caller frees with px_message_free(). */
PxMessage *px_message_copy(const PxMessage *message);
void px_message_free(PxMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxMessage, px_message_free)
