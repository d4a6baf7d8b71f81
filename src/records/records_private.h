/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of records/ share. */
#include "records/records.h"

struct PxRecords {
  PxDb *db;
  const PxSchema *schema;
  GPtrArray *lookups;     /* PxLookup, owned */
  GHashTable *statements; /* GBytes (model, verb, mask) -> PxStmt, for writes */
};

void px_lookup_free(PxLookup *lookup);

/* Joins of a SELECT, made as paths ask for them: each distinct prefix of relations is joined once. The base table is t0. */
typedef struct PxJoins PxJoins;
PxJoins *px_joins_new(PxDb *db, const PxModel *model);
void px_joins_free(PxJoins *joins);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxJoins, px_joins_free)
/* Appends the column that path leads to ("t2"."code") to sql. */
void px_joins_column(PxJoins *joins, GString *sql, const PxField *const *path, size_t n_path);
/* Appends FROM and its joins. */
void px_joins_from(const PxJoins *joins, GString *sql);
/* Appends ORDER BY: these fields of the base table's model (n 0: the model's own order), then the id. */
void px_joins_order(PxJoins *joins, GString *sql, const PxField *const *fields, const bool *descending, size_t n);

/* Appends the condition of a domain over the columns of the table called alias; values are appended to parameters (PxValue, views of
 * the domain and of texts owned by it). */
void px_domain_sql(PxDb *db, GString *sql, const char *alias, const PxDomain *domain, GArray *parameters, GPtrArray *texts);
