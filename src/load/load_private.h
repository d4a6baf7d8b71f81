/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of load/ share: the plan made of the header, the rows of a chunk, and the overlay of a wave.
 *
 * plan.c     header -> plan: slots, references, the ways to find a record, what must be unique
 * rows.c     cells -> values of the slots, with what does not fit
 * resolve.c  references and keys -> ids, asked of the database in batches
 * wave.c     row after row: what it does, or what is wrong with it, or that the wave ends before it
 * overlay.c  what the rows of the wave make and change, as later rows would see it
 * refusal.c  what the database refused, in the user's words
 * load.c     chunk -> waves -> writes, bisected where the database refuses
 */
#include "base/arena.h"
#include "load/load.h"
#include "load/tuple_map.h"

/* A slot holds the value of a cell, or this: there is a message about it, and it takes part in nothing. */
#define PX_SLOT_BAD 255u

/* ---- the plan: made once of the header */

/* A column of the file that is read into a slot. */
typedef struct {
  const PxHeaderColumn *column;
  const PxField *field; /* converts it; NULL: an external id */
  unsigned slot;
  int reference;        /* the reference that it is a part of, or -1 */
  bool key;             /* part of the row's natural key */
} PxLoadColumn;

/* A many2one of the row: looked for by one or several cells. */
typedef struct {
  const PxHeaderNode *node;
  const PxLookup *lookup;
  const PxLoadColumn **parts; /* one a path of the lookup */
  const PxField **fields;     /* what each part is compared as */
  size_t n_parts;
  unsigned slot;              /* where the id goes */
  bool key;                   /* part of the row's natural key */
  bool self;                  /* it reads the root model, so what the rows write can change the answer */
  int watch;                  /* self and only by fields of the root model: the overlay can answer; else -1 */
} PxLoadReference;

/* A set of fields of the root model whose values decide what later rows of a wave see: those of the key, of a simple self
 * reference, of a UNIQUE. The fields are in the order of the model. */
typedef struct {
  const PxField **fields;
  int *writes;              /* where each field is among the writes, or -1 */
  int *reads;               /* where each field's stored value is among the reads */
  size_t n;
  bool unique;              /* no two records have the same; else only looked up by */
  bool computed;            /* some field is a generated column: only the database knows what it will hold */
  const PxLookup *lookup;   /* of a unique */
  const PxHeaderColumn *column; /* to blame: the first of the file that writes one of the fields; NULL: none does */
} PxLoadWatch;

typedef struct {
  const PxModel *model;
  const PxPattern *pattern;
  PxLoadColumn *columns;
  size_t n_columns;
  size_t n_slots;
  size_t width;              /* columns of the file */
  const PxField **writes;    /* slot w is written to writes[w] */
  const PxHeaderColumn **write_columns; /* the column to blame for it */
  bool *write_is_key;        /* it found the record, so it is not written to it */
  size_t n_writes;
  size_t words;              /* of a mask over the writes */
  PxLoadReference *references;
  size_t n_references;
  const PxLoadColumn *db_id, *ext_id; /* or NULL */
  const PxLookup *by_id;
  const PxLookup *by_key;    /* NULL: no natural key */
  int key_watch;             /* its fields, or -1 */
  unsigned *key_slots;       /* one a field of that watch */
  bool key_writes_itself;    /* the key's slots are what a new record gets: no plain column stands beside them */
  const PxHeaderColumn *key_column; /* the first of the key, to blame */
  const PxField **reads;     /* of each record that is found: the writes first, then what the watches need */
  size_t n_reads;
  PxLoadWatch *watches;
  size_t n_watches;
  const PxField **missing;   /* NOT NULL fields without default that the file does not have */
  size_t n_missing;
} PxLoadPlan;

/* Everything is in arena. PX_ERROR_REFUSED: the header has a part that cannot be loaded. */
bool px_load_plan_init(PxLoadPlan *plan, PxRecords *records, const PxPattern *pattern, const PxHeader *header, PxArena *arena, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* ---- the rows of a chunk */

typedef enum { PX_STAGE_CONVERT, PX_STAGE_CHUNK, PX_STAGE_ATTEMPT } PxStage; /* how long a message stays true */

typedef struct PxRowMessage PxRowMessage;
struct PxRowMessage {
  PxRowMessage *next;
  PxMessage message;
  PxStage stage;
};

typedef enum { PX_OUTCOME_FAILED, PX_OUTCOME_CREATED, PX_OUTCOME_UPDATED, PX_OUTCOME_UNCHANGED } PxOutcome;

typedef struct {
  uint64_t number;
  PxRowMessage *messages; /* in the order they were added */
  PxRowMessage *last;
  bool key_given;         /* some cell of the key is not empty */
  bool dead;              /* it ended a transaction: it fails with the message it has and is not tried again */
  uint8_t outcome;        /* PxOutcome of the last attempt */
} PxLoadRow;

typedef enum { PX_REFERENCE_EMPTY, PX_REFERENCE_GIVEN, PX_REFERENCE_BAD } PxReferenceState;

/* ---- a wave: a run of rows whose effects do not meet */

/* What the database knows of a row, asked for a range of rows at once. */
typedef struct {
  PxFound record;       /* with the values of plan.reads */
  bool sought;          /* false: what it is looked for by is bad, or there is nothing to look by */
  bool by_key;
  bool ext_known;       /* the external id it gives exists, for ext_record */
  PxId ext_record;
  PxTuple key;          /* by_key: the tuple */
  PxFound *references;  /* one a reference; of self references only */
  PxTuple *reference_tuples; /* bytes NULL: not looked for */
  PxFound *conflicts;   /* one a watch: who has the tuple that the row would leave */
} PxRowFacts;

/* What the rows of the wave make and change, as a later row would see it. */
typedef struct {
  PxTupleMap *maps;     /* one a watch: tuple -> what became of it, see overlay.c */
  bool *unknown;        /* one a watch: some new record has a value there that only the database knows */
  PxTupleMap ids;       /* records that the wave writes */
  PxTupleMap externals; /* external ids that the wave makes */
  size_t n_effects;     /* rows so far that write something */
} PxOverlay;

/* Rows to write, in file order. */
typedef struct {
  size_t n;
  size_t *rows;
  PxId *ids;
  const PxValue **values;
  uint64_t *masks;
} PxWriteList;

typedef struct {
  size_t first, end;    /* rows that were asked for; the wave may end earlier */
  PxRowFacts *facts;    /* of row first + i */
  PxId *new_ids;        /* for the creates, in order */
  size_t n_new_ids;
  PxOverlay overlay;
  PxWriteList creates, updates;
  size_t n_externals;   /* external ids to add */
  PxValue *external_names;
  PxId *external_ids;
} PxWave;

struct PxLoader {
  PxDb *db;
  PxRecords *records;
  PxLoadPlan plan;
  PxArena *plan_arena;
  PxArena *chunk_arena; /* values and messages */
  PxArena *wave_arena;
  GArray *rows;         /* PxLoadRow */
  PxValue *values;      /* n_slots a row */
  uint8_t *states;      /* PxReferenceState, n_references a row */
  size_t room;          /* rows that values and states have room for */
  PxCounts counts;      /* rows and skipped */
  uint64_t first_row, last_row;
  bool row_by_row;
  bool nested;          /* the caller's transaction holds more than the chunk */
  bool careful;         /* the database refuses rows of this file: use savepoints */
  size_t refusals;      /* of the last careful load */
  GPtrArray *messages;  /* PxMessage * of the last load */
  PxWave wave;
};

static inline PxLoadRow *px_loader_row(PxLoader *loader, size_t row) {
  return &g_array_index(loader->rows, PxLoadRow, row);
}

static inline PxValue *px_loader_values(PxLoader *loader, size_t row) {
  return loader->values + row * loader->plan.n_slots;
}

static inline uint8_t *px_loader_states(PxLoader *loader, size_t row) {
  return loader->states + row * loader->plan.n_references;
}

static inline bool px_mask_has(const uint64_t *mask, size_t i) {
  return mask[i / 64] >> (i % 64) & 1;
}

static inline void px_mask_set(uint64_t *mask, size_t i) {
  mask[i / 64] |= (uint64_t)1 << (i % 64);
}

/* column and label may be NULL. The text becomes "LABEL: text". */
void px_row_complain(PxLoader *loader, PxLoadRow *row, PxStage stage, const PxHeaderColumn *column, const char *label, const char *type,
                     const char *format, ...) G_GNUC_PRINTF(7, 8);
/* Forgets what was said at this stage and later ones. */
void px_row_forget(PxLoadRow *row, PxStage stage);
/* A value as messages show it, in arena. */
const char *px_load_describe(PxArena *arena, const PxValue *value);

/* Resolves the references whose answer no row of the file can change, for all rows of the chunk. */
bool px_load_resolve_fixed(PxLoader *loader, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Asks the database for all that rows [first, end) look for; the answers are the facts of a new wave. */
bool px_load_resolve_range(PxLoader *loader, size_t first, size_t end, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Why the reference of a row has no answer. */
void px_load_complain_reference(PxLoader *loader, size_t row, const PxLoadReference *reference, bool too_many, PxStage stage);
/* The canonical tuple of a watch that a row leaves when it is written with mask: into values (watch->n of them). False: a part is bad
 * or known to the database alone. old: the stored values of plan.reads, NULL for a new record with that id. */
bool px_load_tuple_after(PxLoader *loader, const PxLoadWatch *watch, size_t row, const uint64_t *mask, const PxValue *old, PxId id, PxValue *values);
/* What a row would write to the record that old is of (NULL: a new one), without complaints. */
void px_load_mask(PxLoader *loader, size_t row, bool by_key, const PxValue *old, uint64_t *mask);

void px_overlay_init(PxOverlay *overlay, const PxLoadPlan *plan);
void px_overlay_done(PxOverlay *overlay, const PxLoadPlan *plan);
void px_overlay_clear(PxOverlay *overlay, const PxLoadPlan *plan);
typedef enum { PX_SEEN_NOTHING, PX_SEEN_NEW, PX_SEEN_NEW_TWICE, PX_SEEN_CHANGED } PxSeen;
/* What the wave did to the records with this tuple; *ret_create: the index among the creates of the one that is new. */
PxSeen px_overlay_look(const PxOverlay *overlay, size_t watch, PxTuple tuple, size_t *ret_create);
void px_overlay_note_new(PxOverlay *overlay, size_t watch, PxTuple tuple, size_t create);
void px_overlay_note_changed(PxOverlay *overlay, size_t watch, PxTuple tuple);
bool px_overlay_writes(const PxOverlay *overlay, PxArena *arena, PxId id);
void px_overlay_note_id(PxOverlay *overlay, PxArena *arena, PxId id);

/* Goes through the rows of the wave until one must wait for what the wave writes; *ret_end is the row behind the last. */
void px_load_plan_wave(PxLoader *loader, size_t *ret_end);

/* Why the database refused row, in the user's words. */
void px_load_complain_refusal(PxLoader *loader, size_t row, const GError *error);
