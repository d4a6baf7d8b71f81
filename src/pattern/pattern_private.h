/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files that read patterns share. The way: pattern.c goes through the section, pattern_config.c reads one pattern,
 * pattern_fields.c its list of fields. */
#include "base/arena.h"
#include "pattern/pattern.h"

/* What the reading of a pattern needs, and where its complaints go. */
typedef struct {
  const PxConfigNode *section; /* the other patterns; NULL: there are none (a snapshot) */
  const PxSchema *schema;
  GTimeZone *timezone;
  PxArena *arena;
  PxComplaints *complaints;
} PxPatternReader;

/* Fills pattern from its map. False: it has no model and is of no use. */
bool px_pattern_read(const PxPatternReader *reader, const char *name, const PxConfigNode *node, PxPattern *pattern);
/* Fills pattern->fields and export_problem from the sequence "fields"; pattern->model is known. */
void px_pattern_read_fields(const PxPatternReader *reader, const PxConfigNode *fields, PxPattern *pattern);
