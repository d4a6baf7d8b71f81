/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Rows -> records. The outcome is always that of loading the rows one by one in file order (design section 6). */
#include "base/message.h"
#include "base/row_batch.h"
#include "pattern/header.h"
#include "pattern/pattern.h"
#include "records/records.h"

typedef struct PxLoader PxLoader;

typedef struct {
  PxCounts counts;
  GPtrArray *messages; /* PxMessage *, of the chunk, in the order of rows; owned by the loader, until px_loader_clear() */
  uint64_t first_row;  /* of the chunk, as a person counts */
  uint64_t last_row;
} PxLoadResult;

/* db, schema, pattern and header must outlive the loader. PX_ERROR_REFUSED: the header has parts that this version cannot load. */
PxLoader *px_loader_new(PxDb *db, const PxSchema *schema, const PxPattern *pattern, const PxHeader *header, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_loader_free(PxLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxLoader, px_loader_free)

/* Adds the rows [first_row, first_row + n_rows) of a batch to the chunk: converts them, outside any transaction. The batch must live
 * until px_loader_clear(). */
void px_loader_add(PxLoader *loader, const PxRowBatch *batch, size_t first_row, size_t n_rows);
size_t px_loader_rows(const PxLoader *loader);

/* Loads the chunk inside the caller's write transaction. Row problems are messages in the result, never errors. PX_ERROR_ROLLED_BACK: the
 * transaction has to be rolled back (or the database has done so), because of one row, which is remembered: begin again and call again; that row
 * then fails with its message. Any other error: roll back; the chunk can be loaded again. */
bool px_loader_load(PxLoader *loader, PxLoadResult *ret_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After a load: takes the rows behind the n-th that failed out of the chunk, those that were skipped too. *ret_row: its number; 0: fewer failed.
 * True: there were such rows, so what was loaded is to be rolled back and loaded again. */
bool px_loader_cut(PxLoader *loader, uint64_t n, uint64_t *ret_row);

/* The caller's transaction holds more than the chunk (a whole file, a dry run): it is never asked to be rolled back because of a refused row.
 * Slower. A trigger that says ROLLBACK still ends it. */
void px_loader_set_nested(PxLoader *loader, bool nested);

/* Rows that made the database end a transaction (PX_ERROR_ROLLED_BACK). A loader that is given them remembers them over px_loader_clear(), so that
 * all chunks of the transaction can be begun again; another loader of the same file can be given them too. The caller's, outlives the loader. */
typedef struct PxLostRows PxLostRows;
PxLostRows *px_lost_rows_new(void);
void px_lost_rows_free(PxLostRows *lost);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxLostRows, px_lost_rows_free)
/* Grows with each try that failed because of a row; lost may be NULL. */
unsigned px_lost_rows_known(const PxLostRows *lost);
void px_loader_set_lost_rows(PxLoader *loader, PxLostRows *lost);

/* ---- what is written, as it is written: the plan of a dry run */

typedef enum {
  PX_CHANGE_FIND,   /* nothing is changed: the record (none: no record, or several) that has these values; what the changes behind it rely on */
  PX_CHANGE_CREATE, /* a field may have no line, and then has its default */
  PX_CHANGE_UPDATE,
  PX_CHANGE_DETACH, /* a purged child loses its parent */
  PX_CHANGE_DELETE, /* a purged child; fields: all that it had */
  PX_CHANGE_LINK,   /* new_value: the id of the record that is linked by a many2many */
  PX_CHANGE_UNLINK, /* old_value: the same */
  PX_CHANGE_NAME,   /* the record gets an external id */
} PxChangeKind;

typedef struct {
  const PxField *const *path; /* of the model; FIND: relations may lead to the field. The last one NULL: the external id */
  size_t n_path;
  PxValue old_value, new_value; /* FIND: what is looked for is the new value */
  const char *said;             /* what the row says of a relation ("FR"); NULL */
} PxFieldChange;

typedef struct {
  PxChangeKind kind;
  uint64_t row; /* as a person counts */
  const PxModel *model;
  PxId id;
  const char *name; /* of the record, for people: its key, or its name; NULL */
  const PxFieldChange *fields;
  size_t n_fields;
} PxChange;

/* Everything is a view that lives until the call returns. */
typedef bool (*PxRecorder)(void *data, const PxChange *change, GError **error);
/* Tells every change just before it is written, in the order of the writes. A savepoint or transaction that is rolled back takes changes back that
 * were told: what the recorder keeps must be in the same transaction. What triggers and ON DELETE do is not told. data outlives the loader. */
void px_loader_set_recorder(PxLoader *loader, PxRecorder recorder, void *data);

/* What today and now are in domains of the pattern, microseconds since the epoch; without it what the system's clock says. */
void px_loader_set_now(PxLoader *loader, int64_t now);

/* Sentences (char *) about records that the defaults of the pattern refer to and that are not there, or there several times: none where all is
 * well. */
GPtrArray *px_load_missing_defaults(PxDb *db, const PxSchema *schema, const PxPattern *pattern, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Rows as one wave and savepoint each: for tests that compare. */
void px_loader_set_row_by_row(PxLoader *loader, bool row_by_row);

/* All records of the file that were loaded before, by other loaders, were new: those of the next chunk may well be, too. */
void px_loader_expect_new(PxLoader *loader);

/* Forgets the chunk. */
void px_loader_clear(PxLoader *loader);
