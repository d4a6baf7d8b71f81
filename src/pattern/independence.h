/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* process_multi: whether the rows of a file may be loaded in several places at once. They may when rows with different keys cannot meet:
 * neither writes what the other reads, nor anything that must be unique between them. */
#include "pattern/pattern.h"

/* What keeps rows with different natural keys from being independent: char *, a sentence each, freed with the array; empty: nothing does. What
 * is assumed: a CHECK or a default looks at nothing but its row, and nobody else changes the records meanwhile. */
GPtrArray *px_pattern_obstacles(const PxPattern *pattern, const PxHeader *header);
/* The same for the columns that the pattern itself lists; NULL: it lists none, each file's header decides. */
GPtrArray *px_pattern_own_obstacles(const PxPattern *pattern);
