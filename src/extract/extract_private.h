/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of extract share. */
#include "extract/extract.h"

/* The tabs of the pattern, pattern->n_tabs of them, with the values of now, distinct and not empty; in arena. */
bool px_extract_tabs(PxRecords *records, const PxPattern *pattern, PxArena *arena, PxTab **ret_tabs, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the rows of the records. */
bool px_extract_rows(PxRecords *records, PxWriter *writer, const PxPattern *pattern, const PxExtractOptions *options, uint64_t *ret_rows,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- what is read of the records of one node of the pattern */

typedef struct PxExtractPlan PxExtractPlan;
struct PxExtractPlan {
  const PxExportNode *node;
  PxLookupPath *paths; /* of each value (of the record behind an external id, its id), then of each list the id of the record that has it */
  size_t n_paths;
  const PxExtractPlan **items; /* of each list */
};

const PxExtractPlan *px_extract_plan(PxArena *arena, const PxExportNode *node);

/* What filling needs besides the records at hand. */
typedef struct {
  PxRecords *records;
  const PxConvertOptions *convert;
  bool with_inactive; /* items too */
  PxArena *arena;     /* of one page of rows */
} PxExtractPage;

/* Fills the cells of n records of a plan: values are n times n_paths, cells[i] is where the node begins in the row of record i. */
bool px_extract_fill(const PxExtractPage *page, const PxExtractPlan *plan, const PxValue *values, PxCell *const *cells, size_t n, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
