/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Records -> rows of a pattern, written by a PxWriter as they come: constant memory. */
#include "format/writer.h"
#include "pattern/pattern.h"
#include "records/records.h"

typedef struct {
  const PxDomain *domain;      /* NULL: all active records */
  const PxIdList *only;        /* these records (as far as they match domain), inactive ones too; NULL: all */
  const PxField *const *order; /* of the pattern's model; n_order 0: the model's order, else by id */
  const bool *order_descending;
  size_t n_order;
  int64_t now;                                                 /* what today and now are in domains; 0: what the system's clock says */
  bool header_only;                                            /* template: no rows */
  void (*progress)(uint64_t rows, uint64_t total, void *data); /* may be NULL; now and then */
  void *data;
} PxExtractOptions;

/* Writes a whole file of pattern to fd. The caller's read transaction around it is the snapshot; where pattern->external_ids,
 * px_records_begin_names() comes before it and px_records_store_names() behind. *ret_rows: records written. */
bool px_extract(PxDb *db, const PxSchema *schema, const PxPattern *pattern, const PxExtractOptions *options, int fd, uint64_t *ret_rows,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
