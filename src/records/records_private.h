/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of records/ share. */
#include "model/convert.h"
#include "records/records.h"

/* The calls that take batches, as a database does them best: rows.c loops a prepared statement, for a database in this process; sets.c sends one
 * statement for all, with arrays. Their contracts are those of the functions of records.h with the same name. */
typedef struct {
  /* Into found, which is cleared; without what the limits leave out. */
  bool (*find)(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error);
  bool (*find_external)(PxRecords *records, const PxValue *names, size_t n, PxArena *arena, PxId *ret_ids, const char **ret_tables, GError **error);
  bool (*add_external)(PxRecords *records, const PxModel *model, const PxValue *names, const PxId *ids, size_t n, GError **error);
  bool (*take_ids)(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error);
  bool (*create)(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error);
  bool (*update)(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error);
  bool (*link)(PxRecords *records, const PxLinkChange *changes, size_t n, bool link, GError **error);
  /* Runs sql, an UPDATE or DELETE that ends in a column, for the rows that have one of ids there. first: its first parameter; NULL: it has none.
   * type: of the column. */
  bool (*for_ids)(PxRecords *records, const char *sql, const char *first, const char *type, const PxId *ids, size_t n, GError **error);
  const char *update_verb; /* "UPDATE " */
} PxBatches;

struct PxRecords {
  PxDb *db;
  const PxSchema *schema;
  const PxBatches *batches;
  int64_t now;            /* 0: the system's clock */
  GPtrArray *lookups;     /* PxLookup, owned */
  GHashTable *statements; /* GBytes (model, verb, mask) -> PxStmt, for writes */
  GHashTable *trusts;     /* trust.c: PxModel -> whether it may be written without triggers; NULL: none yet */
};

typedef struct PxJoins PxJoins;

extern const PxBatches px_batches_rows;
extern const PxBatches px_batches_sets;

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
/* Appends what follows a column that is to be one of the ids of model in such a parameter: " IN (...)". */
void px_ids_sql(const PxDb *db, GString *sql, const PxModel *model);
/* The type of ids in SQL: "bigint", "uuid". */
const char *px_ids_type(const PxModel *model);

void px_lookup_free(PxLookup *lookup);
/* The paths whose value in tuple is NULL; *ret_any: those that are no condition. */
uint64_t px_lookup_mask(const PxLookup *lookup, const PxValue *tuple, uint64_t *ret_any);
/* A path over a one2many or many2many meets a record as often as it has items that match. */
bool px_lookup_meets_twice(const PxLookup *lookup);
/* Appends the limits, separator in front of them, and binds what they compare with. */
void px_lookup_limits_sql(PxLookup *lookup, PxJoins *joins, GString *sql, const char *separator);
void px_lookup_bind_limits(const PxLookup *lookup, PxStmt *stmt, unsigned first);
/* The read fields of a statement's row, from column first on: values in arena, their bytes in one piece. */
PxValue *px_lookup_copy_row(const PxLookup *lookup, PxStmt *stmt, unsigned first, PxArena *arena);
/* rows_find.c: one after the other; and one of them, found is cleared before. */
bool px_rows_find(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_rows_find_one(PxLookup *lookup, const PxValue *tuple, PxArena *arena, PxFound *found, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* find_scan.c: answers all tuples by one reading of the table. */
bool px_lookup_scan(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *ret_found, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* rows_write.c */
bool px_rows_take_ids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_rows_create(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_rows_update(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* sets_find.c, sets_write.c: the same by one statement for all. */
bool px_sets_find(PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *found, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_sets_take_ids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_sets_create(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_sets_update(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* sets.c: runs a statement of px_db_prepare_batch() and frees it. */
bool px_sets_run(PxRecords *records, PxStmt *stmt, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The type of the array that values of a column are sent as, to be compared with it (wide enough for any value that the column cannot hold) or to be
 * written to it. Appends " CAST(? AS TYPE[])". */
void px_sets_array(GString *sql, const PxField *field, bool compared);

/* trust.c: whether all references of these rows (indexes into writes), which have one mask and are written by one statement, hold, so that no trigger
 * has to be asked about them. If so the records that they refer to are locked until the transaction ends. */
bool px_trust_new(PxRecords *records, const PxWrites *writes, const uint64_t *mask, const size_t *rows, size_t n, bool *ret_trusted, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
bool px_trust_changed(PxRecords *records, const PxWrites *writes, const uint64_t *mask, const size_t *rows, size_t n, bool *ret_trusted,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* In between no trigger is fired. After an error in between the caller's savepoint or transaction has to be rolled back, which ends it too. */
bool px_trust_begin(PxRecords *records, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_trust_end(PxRecords *records, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "module.name" or "name": the first dot parts them, as in the Odoo modules. */
void px_external_split(const PxValue *value, PxValue *ret_module, PxValue *ret_name);

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
/* Whether any table is joined so far. */
bool px_joins_any(const PxJoins *joins);
/* Appends FROM and its joins. */
void px_joins_from(const PxJoins *joins, GString *sql);
/* Appends ORDER BY: these fields of the base table's model (n 0: the model's own order), then the id. */
void px_joins_order(PxJoins *joins, GString *sql, const PxField *const *fields, const bool *descending, size_t n);

/* Appends the condition of a domain over the columns of the table called alias; values are appended to parameters (PxValue, views of
 * the domain and of texts owned by it). */
void px_domain_sql(PxRecords *records, GString *sql, const char *alias, const PxDomain *domain, GArray *parameters, GPtrArray *texts);
