/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The only room that makes SQL for people's tables. Calls take batches; on SQLite one prepared statement is looped inside. */
#include "base/arena.h"
#include "model/domain.h"
#include "model/id.h"
#include "model/model.h"

typedef struct PxRecords PxRecords;

PxRecords *px_records_new(PxDb *db, const PxSchema *schema);
/* What today and now are in domains, microseconds since the epoch; 0, as in the beginning: what the system's clock says when a domain is asked. */
void px_records_set_now(PxRecords *records, int64_t now);
void px_records_free(PxRecords *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxRecords, px_records_free)
/* Whether a batch is one statement to the database, which does not see its rows one after the other. */
bool px_records_in_sets(const PxRecords *records);

/* ---- finding by values */

/* A path that a lookup compares: relations (of an x2many any item may match), then a scalar or many2one field (compared by id) of the last model. */
typedef struct {
  const PxField *const *path;
  size_t n_path;
  const char *expression; /* instead of a path, where records are read: SQL over the record that px_db_check_expression() found good */
} PxLookupPath;

#define PX_LOOKUP_MAX_PATHS 64

typedef struct PxLookup PxLookup; /* a compiled question: model, paths; belongs to its PxRecords */

const PxLookup *px_records_lookup(PxRecords *records, const PxModel *model, const PxLookupPath *paths, size_t n_paths, const PxField *const *read,
                                  size_t n_read);

/* Of what is looked for only those records count whose domain holds for the record that a path of relations leads to. */
typedef struct {
  const PxField *const *path; /* from the model of the lookup; n_path 0: the record itself */
  size_t n_path;
  const PxDomain *domain; /* borrowed */
} PxLookupLimit;
const PxLookup *px_records_limited_lookup(PxRecords *records, const PxModel *model, const PxLookupPath *paths, size_t n_paths,
                                          const PxLookupLimit *limits, size_t n_limits);

/* The answer for one tuple. */
typedef struct {
  PxId id; /* none: not found, or too many */
  bool too_many;
  bool excluded;   /* not found, but there is one that the limits leave out */
  PxValue *values; /* of the read fields of the one record found, in arena; NULL when none is found or nothing is read */
} PxFound;

/* The kind of a value in a tuple that is no condition: any record matches. */
#define PX_RECORDS_ANY 254u

/* For each of n tuples (n_paths values each, one behind the other): which record has all of them. NULL matches NULL. Inactive
 * records are found too. */
bool px_records_find(PxRecords *records, const PxLookup *lookup, const PxValue *tuples, size_t n, PxArena *arena, PxFound *ret_found, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* External ids: "module.name" or "name" (module __import__). ret_model: the table they belong to (in arena), NULL when there is no such id. */
bool px_records_find_external(PxRecords *records, const PxValue *names, size_t n, PxArena *arena, PxId *ret_ids, const char **ret_tables,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether a text can be one: a module and a name, none of them empty. */
bool px_external_is_name(const char *text, size_t len);
/* The same external id with its module, so that two of them can be compared; in arena, or the value itself. */
PxValue px_external_canonical(PxArena *arena, PxValue name);
bool px_records_add_external(PxRecords *records, const PxModel *model, const PxValue *names, const PxId *ids, size_t n, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* ---- writing */

/* Takes n ids for new records, in order; must be in the transaction that creates them. */
bool px_records_take_ids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether new records of model have the ids that px_records_take_ids() would give them when none are given: who has no need to know them need not
 * take any. Each of them must have a field then. */
bool px_records_numbers_itself(PxRecords *records, const PxModel *model, bool *ret_does, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A batch of rows to write: row i writes values[i * n_fields + f] to fields[f] where its bit f is set in mask[i * mask_words ...]. */
typedef struct {
  const PxModel *model;
  const PxField *const *fields;
  size_t n_fields;
  size_t n_rows;
  const PxId *ids;              /* NULL: of new records of a model that numbers them itself */
  const PxValue *const *values; /* a pointer a row */
  const uint64_t *masks;        /* px_mask_words(n_fields) words a row */
  const bool *proved; /* trust_references; one a field: its ids are those of records that were found or made in this transaction. NULL: every
                                 * reference is for the database to check */
} PxWrites;

static inline size_t px_mask_words(size_t n_fields) {
  return (n_fields + 63) / 64;
}

static inline bool px_mask_has(const uint64_t *mask, size_t i) {
  return mask[i / 64] >> (i % 64) & 1;
}

/* In the order of the rows. On PX_ERROR_CONSTRAINT *ret_bad_row is the row that was refused, SIZE_MAX when the database does not
 * say; what was written before it is the savepoint's to undo. */
bool px_records_create(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_records_update(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* PostgreSQL: appends to reasons (char *) why the references of records of model cannot be trusted: what else its triggers keep, privileges that
 * the user lacks. None: px_records_create() skips the triggers of foreign keys for rows whose references are all proved; so does px_records_update()
 * where no foreign key refers to anything but the id of model. */
bool px_records_trust_obstacles(PxDb *db, const PxModel *model, GPtrArray *reasons, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends to names (char *) the foreign keys of model that are no many2one: new records of it are never trusted, nor changes of these. */
bool px_records_untrusted_keys(PxDb *db, const PxModel *model, GPtrArray *names, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After the database has refused a value: whether the type of the field's column takes it; *ret_why (in arena) says why not. Leaves the transaction
 * as it is. SQLite's take all. */
bool px_records_takes(PxRecords *records, const PxField *field, const PxValue *value, PxArena *arena, bool *ret_takes, const char **ret_why,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- relations */

typedef struct {
  PxId *ids;
  size_t n;
  bool *hidden; /* one an id: it is not active; NULL: records of its model always are */
} PxIdList;

/* For each of n records: what it is linked to by a many2many, or which records refer to it by the inverse of a one2many; in the order of ids, in
 * arena. */
bool px_records_related(PxRecords *records, const PxField *field, const PxId *ids, size_t n, PxArena *arena, PxIdList *ret_lists, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Two records that a many2many links. */
typedef struct {
  const PxField *field;
  PxId from, to;
} PxLinkChange;
/* Links them, or unlinks them. */
bool px_records_link(PxRecords *records, const PxLinkChange *changes, size_t n, bool link, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Empties a many2one of records. */
bool px_records_detach(PxRecords *records, const PxField *many2one, const PxId *ids, size_t n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Deletes records, their links by many2many and their external ids. */
bool px_records_delete(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- reading in order: exports */

typedef struct PxRecordCursor PxRecordCursor;

/* Opens a cursor over the records of model that match domain (NULL: all), in order; paths say what is read of each (the last
 * field of a path may be the id field; a path through an empty many2one gives NULL). The transaction around it is the snapshot. order: fields of
 * the model; n_order 0: the model's own order. */
typedef struct {
  const PxLookupPath *paths;
  size_t n_paths;
  const PxDomain *domain;
  const PxIdList *only; /* of these records those that match; NULL: of all */
  bool with_inactive;
  const PxField *const *order;
  const bool *order_descending;
  size_t n_order;
} PxRecordQuery;
PxRecordCursor *px_records_open(PxRecords *records, const PxModel *model, const PxRecordQuery *query, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 1: *ret_values are the paths' values, views until the next call; 0: no more; -1: error. */
int px_record_cursor_next(PxRecordCursor *cursor, const PxValue **ret_values, GError **error);
void px_record_cursor_close(PxRecordCursor *cursor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxRecordCursor, px_record_cursor_close)
/* Appends to unknown (PxId) those of ids that no record of model has, in their order, each once. */
bool px_records_unknown(PxRecords *records, const PxModel *model, const PxIdList *ids, GArray *unknown, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_records_count(PxRecords *records, const PxModel *model, const PxRecordQuery *query, uint64_t *ret_count, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* ---- reading what records have: exports */

typedef struct {
  const PxLookupPath *paths; /* as of a PxRecordQuery */
  size_t n_paths;
  bool with_inactive;
  uint64_t limit; /* of the items of one record */
} PxItemQuery;

/* For each of n records (none among them has none) the first items of a one2many or many2many, in the order of their model: what the paths read of
 * them is appended to values (PxValue, text in arena), ret_counts says how many items each record has. */
bool px_records_items(PxRecords *records, const PxField *field, const PxItemQuery *query, const PxId *ids, size_t n, PxArena *arena, GArray *values,
                      size_t *ret_counts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- external ids of exports
 *
 * A record without one gets __export__.TABLE_ID. These are remembered beside the snapshot, in a temporary table, and stored when the
 * file is there: begin, names ... names, store. */

/* Outside a transaction; forgets what is remembered. */
bool px_records_begin_names(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The external id of each of n records (NULL for none), in arena. */
bool px_records_names(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, PxArena *arena, PxValue *ret_names, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* In a write transaction. PX_ERROR_TRANSIENT: another record has taken one of the names meanwhile. */
bool px_records_store_names(PxDb *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
