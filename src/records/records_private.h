/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of records/ share. */
#include "model/convert.h"
#include "records/records.h"

struct PxRecords {
  PxDb *db;
  const PxSchema *schema;
  int64_t now;            /* 0: the system's clock */
  GPtrArray *lookups;     /* PxLookup, owned */
  GHashTable *statements; /* GBytes (model, verb, mask) -> PxStmt, for writes */
};

typedef struct PxJoins PxJoins;

struct PxLookup {
  PxRecords *records;
  unsigned index; /* among the lookups of its records */
  const PxModel *model;
  PxLookupPath *paths;
  size_t n_paths;
  const PxField **read;
  size_t n_read;
  PxLookupLimit *limits;
  size_t n_limits;
  const PxLookup *unlimited; /* the same without them; NULL: there are none */
  GArray *limit_values;      /* PxValue: the parameters of the limits, behind those of the paths */
  GPtrArray *limit_texts;
  GHashTable *statements; /* mask of NULL cells -> PxStmt */
  PxStmt *without_null;   /* the statement of mask 0, asked for most */
  PxStmt *between;        /* whether any record lies between two values; NULL: cannot be asked */
  bool between_made;
  bool scans, scans_known; /* the database has no index for it */
  PxStmt *scan;            /* reads all records */
};

/* Any number of ids (none: NULL, which no record has) as one parameter, for px_ids_sql(). Caller frees. */
char *px_ids_as_list(const PxDb *db, const PxId *ids, size_t n);
/* What follows a column that is to be one of the ids of such a parameter: " IN (...)". */
const char *px_ids_sql(const PxDb *db);

void px_lookup_free(PxLookup *lookup);
/* A path over a one2many or many2many meets a record as often as it has items that match. */
bool px_lookup_meets_twice(const PxLookup *lookup);
/* Appends the limits, separator in front of them, and binds what they compare with. */
void px_lookup_limits_sql(PxLookup *lookup, PxJoins *joins, GString *sql, const char *separator);
void px_lookup_bind_limits(const PxLookup *lookup, PxStmt *stmt, unsigned first);
/* The read fields of a statement's row, from column first on: values in arena, their bytes in one piece. */
PxValue *px_lookup_copy_row(const PxLookup *lookup, PxStmt *stmt, unsigned first, PxArena *arena);
/* find_scan.c: answers all tuples by one reading of the table. */
bool px_lookup_scan(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *ret_found, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Joins of a SELECT, made as paths ask for them: each distinct prefix of relations is joined once. The base table is t0. */
PxJoins *px_joins_new(PxDb *db, const PxModel *model);
void px_joins_free(PxJoins *joins);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxJoins, px_joins_free)
/* Appends the column that path leads to ("t2"."code") to sql. */
void px_joins_column(PxJoins *joins, GString *sql, const PxField *const *path, size_t n_path);
/* Appends what is read of a record: the column of the path, or its expression. */
void px_joins_value(PxJoins *joins, GString *sql, const PxLookupPath *path);
/* The alias of the table whose record a path of relations leads to. */
unsigned px_joins_table(PxJoins *joins, const PxField *const *path, size_t n_path);
/* Appends FROM and its joins. */
void px_joins_from(const PxJoins *joins, GString *sql);
/* Appends ORDER BY: these fields of the base table's model (n 0: the model's own order), then the id. */
void px_joins_order(PxJoins *joins, GString *sql, const PxField *const *fields, const bool *descending, size_t n);

/* Appends the condition of a domain over the columns of the table called alias; values are appended to parameters (PxValue, views of
 * the domain and of texts owned by it). */
void px_domain_sql(PxRecords *records, GString *sql, const char *alias, const PxDomain *domain, GArray *parameters, GPtrArray *texts);
