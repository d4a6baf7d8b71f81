/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of load/ share.
 *
 * A row of a file is a small tree of records: the record of the row at the root, the items of its one2many beneath. Each place of that tree is
 * planned once (PxLoadPlace); a row fills places with items.
 *
 * plan.c      header -> places: slots, references, the ways to find a record
 * defaults.c  what the pattern gives to new records
 * limits.c    which records the pattern lets a reference find
 * watch.c     what must be unique, and what later rows may see of a record
 * rows.c      cells -> values of the slots, with what does not fit
 * reference.c references -> ids, asked of the database in batches
 * assume.c    what need not be asked of new records
 * resolve.c   items -> records, and who has what must be unique
 * links.c     many2many and the children that a row does not name
 * overlay.c   what the rows of the wave make and change, as later rows would see it
 * item.c      one item: what it writes, what is wrong with it
 * wave.c      row after row, until one must wait for what the wave writes
 * write.c     the writes of a wave
 * tell.c      what is written, told to a recorder
 * refusal.c   what the database refused, in the user's words
 * lost.c      rows that made the database end a transaction
 * load.c      chunk -> waves, bisected where the database refuses
 */
#include "base/arena.h"
#include "base/tuple_map.h"
#include "load/load.h"

/* A slot holds the value of a cell, or this: there is a message about it, and it takes part in nothing. */
#define PX_SLOT_BAD 255u
/* Or this: the row does not have the column (a JSON object without the key). The row is loaded as if the file did not have it: nothing is
 * written, and it is no condition of a lookup. */
#define PX_SLOT_ABSENT PX_RECORDS_ANY

/* An array in arena that is never of nothing, so that a pointer to it can be kept. */
#define PX_LOAD_ARRAY(arena, type, n) px_arena_new_array(arena, type, (n) + 1)

/* ---- the plan: made once of the header */

typedef struct PxLoadPlace PxLoadPlace;

/* A column of the file that is read into a slot. */
typedef struct {
  const PxHeaderColumn *column;
  const PxField *field; /* converts it; NULL: an external id */
  unsigned slot;
  unsigned place;
  int reference; /* the reference that it is a part of, or -1 */
  const PxConvertOptions *convert;
  bool key; /* part of the natural key of its place */
} PxLoadColumn;

/* A many2one, or one item of a many2many: looked for by one or several cells. */
typedef struct {
  const PxHeaderNode *node;
  unsigned place;
  const PxLookup *lookup;
  const PxLookupPath *paths;  /* of the lookup */
  const PxLoadColumn **parts; /* one a path */
  const PxField **fields;     /* what each part is compared as */
  size_t n_parts;
  unsigned slot;   /* where the id goes */
  bool key;        /* part of the natural key of its place */
  bool is_default; /* of the pattern: only new records heed it, and only they complain of it */
  bool limited;    /* by domains of the pattern: it may refer to some records only */
  bool live;       /* it reads a model that the file writes, so what rows write can change the answer */
  int model;       /* live and only by fields of one written model: the overlay of that model can answer; else -1 */
  int watch;       /* of that model */
} PxLoadReference;

/* A set of fields of a written model whose values decide what later rows see: those of a key, of a simple live reference, of a UNIQUE. The
 * fields are in the order of the model. */
typedef struct {
  const PxField **fields;
  size_t n;
  bool unique;            /* no two records have the same; else only looked up by */
  bool computed;          /* some field is a generated column: only the database knows what it will hold */
  const PxLookup *lookup; /* of a unique */
} PxLoadWatch;

/* A model that the file writes. */
typedef struct {
  const PxModel *model;
  PxLoadWatch *watches;
  size_t n_watches;
} PxLoadModel;

/* How a place writes the fields of a watch of its model. */
typedef struct {
  int *writes;                  /* where each field is among the writes of the place, or -1 */
  int *reads;                   /* where each field's stored value is among the reads of the place */
  const PxHeaderColumn *column; /* to blame: the first of the file that writes one of the fields; NULL: none does */
} PxPlaceWatch;

/* The items of one many2many of a place. */
typedef struct {
  const PxField *field;
  unsigned *references;
  size_t n_references;
  unsigned *defaults; /* references of the pattern's defaults */
  size_t n_defaults;
} PxLoadLinks;

/* What a new record has in a field that its row does not have. */
typedef struct {
  bool given;
  int reference; /* whose record it is, or -1 */
  PxValue value;
} PxLoadDefault;

/* A cell of a reference that is the same in every row. */
typedef struct {
  PxLoadColumn column;
  PxValue value;
} PxLoadConstant;

/* The children of one one2many of a place: which places are its items. */
typedef struct {
  const PxField *field;
  unsigned *places;
  size_t n_places;
  unsigned model; /* of the children, among the written models */
  int watch;      /* of that model, over the field that names the parent: who comes and goes. To purge; else -1 */
} PxLoadChildren;

struct PxLoadPlace {
  unsigned index;
  const PxHeaderNode *node;
  const PxLoadPlace *parent; /* NULL: the root */
  const PxPattern *pattern;  /* whose defaults hold here; NULL: none */
  unsigned model;            /* among the written models */
  unsigned first_slot;       /* slot first_slot + w is written to writes[w] */
  const PxField **writes;
  const PxHeaderColumn **write_columns; /* the column to blame for it; NULL: the parent's id */
  bool *write_is_key;                   /* it found the record, so it is not written to it */
  bool *proved;                         /* what is written is the id of a record that was looked for, or is the parent */
  size_t n_writes;
  PxLoadDefault *defaults;            /* one a write; NULL: the pattern gives none */
  size_t words;                       /* of a mask over the writes */
  int parent_write;                   /* which write is the parent's id, or -1 */
  const PxLoadColumn *db_id, *ext_id; /* or NULL */
  const PxLookup *by_id;
  const PxLookup *by_key;           /* NULL: no natural key */
  int key_watch;                    /* its fields (and, beneath a parent, the parent), or -1 */
  unsigned *key_slots;              /* one a field of that watch */
  bool key_writes_itself;           /* the key's slots are what a new record gets: no plain column stands beside them */
  const PxHeaderColumn *key_column; /* the first of the key, to blame */
  const PxField **reads;            /* of each record that is found: the writes first, then what the watches need */
  size_t n_reads;
  PxPlaceWatch *watches;   /* one a watch of the model */
  const PxField **missing; /* NOT NULL fields without default that the file does not have */
  size_t n_missing;
  PxLoadLinks *links;
  size_t n_links;
  PxLoadChildren *children;
  size_t n_children;
};

typedef struct {
  const PxPattern *pattern;
  PxLoadColumn *columns;
  size_t n_columns;
  PxLoadConstant *constants;
  size_t n_constants;
  unsigned *absent; /* slots that no column of the file fills */
  size_t n_absent;
  size_t n_slots;
  size_t width; /* columns of the file */
  PxLoadReference *references;
  size_t n_references;
  PxLoadPlace *places; /* parents before their children; the root first */
  size_t n_places;
  PxLoadModel *models;
  size_t n_models;
  bool opaque; /* triggers: nobody can say what a row changes */
} PxLoadPlan;

/* Everything is in arena. PX_ERROR_REFUSED: the header has a part that cannot be loaded. */
bool px_load_plan_init(PxLoadPlan *plan, PxRecords *records, const PxPattern *pattern, const PxHeader *header, PxArena *arena, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* How many columns a node has, with those beneath it. */
size_t px_load_count_columns(const PxHeaderNode *node);
/* The path of each of them from the node's model, in paths (as many as there are columns); prefix, depth: the way to the node. */
void px_load_collect_paths(PxArena *arena, const PxHeaderNode *node, const PxField *const *prefix, size_t depth, PxLookupPath *paths, size_t *n);

/* limits.c: the domains of the pattern that hold for a reference, as PxLookupLimit; in arena. */
const PxLookupLimit *px_load_limits(const PxLoadPlan *plan, const PxLoadReference *reference, PxArena *arena, size_t *ret_n);
/* Whether what rows write can change what a domain holds for. */
bool px_load_domain_reads_written(const PxLoadPlan *plan, const PxDomain *domain);

/* defaults.c. The pattern that writes the items of a one2many; NULL: none. */
const PxPattern *px_load_items_pattern(const PxPattern *pattern, const PxField *one2many);
/* Adds how many cells and references the defaults of pattern, and of the items beneath node, come to. */
void px_load_count_defaults(const PxPattern *pattern, const PxHeaderNode *node, size_t *n_columns, size_t *n_references);
/* How many writes or links the defaults may add to a place. */
size_t px_load_room_for_defaults(const PxPattern *pattern);
/* Writes of fields that the file does not have, behind those of the file; then, when the slots of all writes are counted, what is written. */
void px_load_add_default_writes(PxLoadPlan *plan, PxLoadPlace *place, PxArena *arena);
void px_load_add_defaults(PxLoadPlan *plan, PxLoadPlace *place, PxArena *arena);

/* watch.c: the watch of a model over these fields, made when there is none yet. */
int px_load_add_watch(PxLoadPlan *plan, PxArena *arena, unsigned model, const PxField *const *fields, size_t n);
/* Watches for every UNIQUE of the written models. */
void px_load_watch_uniques(PxLoadPlan *plan, PxArena *arena);
/* What each place reads and writes of the watches of its model; after all watches are there. */
void px_load_place_watches(PxLoadPlan *plan, PxRecords *records, PxArena *arena);
const PxLookup *px_load_lookup(PxRecords *records, const PxModel *model, const PxField *const *fields, size_t n, const PxField *const *reads,
                               size_t n_reads);

static inline const PxModel *px_place_model(const PxLoadPlan *plan, const PxLoadPlace *place) {
  return plan->models[place->model].model;
}

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
  bool dead;        /* it ended a transaction: it fails with the message it has and is not tried again */
  uint8_t outcome;  /* PxOutcome of the last attempt */
  uint32_t skipped; /* rows of the chunk before it that say nothing */
} PxLoadRow;

/* What a row says of a place. */
typedef struct {
  bool given;     /* some cell of the place, or beneath it, is not empty; the root is always given */
  bool present;   /* the row has some column of the place, or beneath it, if only empty cells */
  bool key_given; /* some cell of its key is not empty */
} PxLoadItem;

typedef enum { PX_REFERENCE_ABSENT, PX_REFERENCE_EMPTY, PX_REFERENCE_GIVEN, PX_REFERENCE_BAD } PxReferenceState;

/* ---- a wave: a run of rows whose effects do not meet */

/* What is known of an item: first what the database says, then what was decided. */
typedef struct {
  PxFound record; /* with the values of place.reads; its values are NULL only when it is none */
  PxId id;        /* decided: of its record, also of a new one; none: not decided */
  bool sought;    /* false: what it is looked for by is bad, or there is nothing to look by */
  bool by_key;
  bool ext_known; /* the external id it gives exists */
  PxId ext_record;
  PxFound *conflicts; /* one a watch of the model: who has the tuple that the item would leave */
  PxIdList *related;  /* what the record is linked to now, one a many2many of the place; then, to purge, its children, one a one2many */
} PxItemFacts;

typedef struct {
  PxFound *references;       /* one a reference; of live references only */
  PxTuple *reference_tuples; /* bytes NULL: not looked for */
  PxItemFacts *items;        /* one a place */
} PxRowFacts;

/* What the rows of the wave make and change in one model. */
typedef struct {
  PxTupleMap *maps; /* one a watch: tuple -> what became of it, see overlay.c */
  bool *unknown;    /* one a watch: some new record has a value there that only the database knows */
  PxTupleMap ids;   /* records that the wave writes */
} PxOverlayModel;

/* What the tuple of a note is, where it is not that of a watch. */
enum { PX_NOTE_ID = -1, PX_NOTE_EXTERNAL = -2 };

/* The same of the row that is being decided, until it is known that it has no fault. */
typedef struct {
  unsigned model;
  int watch; /* or PX_NOTE_... */
  bool is_new, unknown;
  uint32_t record; /* is_new: among the new records of the wave */
  PxTuple tuple;
} PxOverlayNote;

typedef struct {
  PxOverlayModel *models;
  PxTupleMap externals; /* external ids that the wave makes */
  GArray *notes;        /* PxOverlayNote */
  size_t n_effects;     /* rows so far that write something */
} PxOverlay;

/* Items to write, of one place, in file order. */
typedef struct {
  size_t n;
  size_t *rows;
  PxId *ids;
  const PxValue **values;
  uint64_t *masks;
} PxWriteList;

typedef struct {
  PxId id;
  unsigned place;
} PxNewRecord;

typedef struct {
  const PxField *field; /* the one2many whose child is removed */
  PxId child;
  bool deletes; /* else it is detached */
} PxPurge;

typedef struct {
  PxValue name;
  PxId id;
  unsigned place;
} PxNewExternal;

typedef struct {
  size_t first, end; /* rows that were asked for; the wave may end earlier */
  PxRowFacts *facts; /* of row first + i */
  PxId **new_ids;    /* one array a model, in order */
  size_t *n_new_ids, *n_used_ids;
  PxOverlay overlay;
  PxWriteList *creates, *updates; /* one a place */
  GArray *new_records;            /* PxNewRecord */
  GArray *links, *unlinks;        /* PxLinkChange */
  GArray *purges;                 /* PxPurge */
  GArray *externals;              /* PxNewExternal */
  uint64_t *mask;                 /* of the item at hand */
  const PxField *refused_purge;   /* the database refused to remove children of this one2many */
  const PxLoadPlace *refused;     /* the database refused records of this place; NULL: something else */
} PxWave;

/* That no record has any key of a chunk, so that nobody has to look: a UNIQUE of the database refuses the chunk where it is wrong, and then it is
 * loaded again. */
typedef struct {
  bool possible;       /* such a UNIQUE is there */
  bool made;           /* for the load at hand */
  unsigned new_chunks; /* in a row in which all records were new */
  unsigned wanted;     /* so many before it is made; more after each time that it was wrong */
} PxAssumption;

struct PxLoader {
  PxDb *db;
  PxRecords *records;
  PxLoadPlan plan;
  PxArena *plan_arena;
  PxArena *chunk_arena; /* values and messages */
  PxArena *wave_arena;
  GArray *rows;      /* PxLoadRow */
  PxValue *values;   /* n_slots a row */
  uint8_t *states;   /* PxReferenceState, n_references a row */
  PxLoadItem *items; /* n_places a row */
  size_t room;       /* rows that the three have room for */
  PxCounts counts;   /* rows and skipped */
  uint64_t first_row, last_row;
  PxLostRows *lost; /* NULL: remembered with the chunk only */
  bool row_by_row;
  bool nested;         /* the caller's transaction holds more than the chunk */
  PxRecorder recorder; /* NULL: nobody is told */
  void *recorder_data;
  GHashTable *referred; /* PxForeignKey -> PxLookup by what it refers to; NULL: none yet */
  GHashTable *readers;  /* to tell: PxModel -> PxLookup of all its fields by id; NULL: none yet */
  bool numbers_itself;  /* nobody needs the ids of new records, so the database gives them */
  PxAssumption assumption;
  bool careful;        /* the database refuses rows of this file: use savepoints */
  size_t refusals;     /* of the last careful load */
  GPtrArray *messages; /* PxMessage * of the last load */
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

static inline PxLoadItem *px_loader_item(PxLoader *loader, size_t row, const PxLoadPlace *place) {
  return &loader->items[row * loader->plan.n_places + place->index];
}

static inline PxItemFacts *px_wave_item(PxLoader *loader, size_t row, const PxLoadPlace *place) {
  return &loader->wave.facts[row - loader->wave.first].items[place->index];
}

static inline void px_mask_set(uint64_t *mask, size_t i) {
  mask[i / 64] |= (uint64_t)1 << (i % 64);
}

/* Whether a row gives something for a slot of a column, good or bad; column may be NULL. */
static inline bool px_loader_gives(PxLoader *loader, const PxLoadColumn *column, size_t row) {
  uint32_t kind = column ? px_loader_values(loader, row)[column->slot].kind : PX_NULL;
  return kind != PX_NULL && kind != PX_SLOT_ABSENT;
}

/* What an item has for write w: a new record has the default where the row does not have the column. */
static inline PxValue px_load_value(PxLoader *loader, const PxLoadPlace *place, size_t row, size_t w, bool is_new) {
  const PxValue *values = px_loader_values(loader, row);
  PxValue value = values[place->first_slot + w];
  if (value.kind != PX_SLOT_ABSENT || !is_new || !place->defaults || !place->defaults[w].given)
    return value;
  int reference = place->defaults[w].reference;
  return reference < 0 ? place->defaults[w].value : values[loader->plan.references[reference].slot];
}

/* defaults.c: sets the slots of a row that no column of the file fills. */
void px_load_set_defaults(PxLoader *loader, size_t index);
/* Complains of the defaults that a new record would have and that no record was found for. */
void px_load_complain_defaults(PxLoader *loader, const PxLoadPlace *place, size_t row);
/* links.c: whether the row has a column of a many2many. */
bool px_load_has_links(PxLoader *loader, const PxLoadLinks *links, size_t row);

/* column and label may be NULL. The text becomes "LABEL: text". */
void px_row_complain(PxLoader *loader, PxLoadRow *row, PxStage stage, const PxHeaderColumn *column, const char *label, const char *type,
                     const char *format, ...) G_GNUC_PRINTF(7, 8);
/* Adds a message that is made already; its strings are copied. */
void px_row_say(PxLoader *loader, PxLoadRow *row, PxStage stage, const PxMessage *message);
/* Forgets what was said at this stage and later ones. */
void px_row_forget(PxLoadRow *row, PxStage stage);
/* A value as messages show it, in arena. */
const char *px_load_describe(PxArena *arena, const PxValue *value);
/* The same of what a place writes to a field: a record that the row's cells name as they name it, not by its number. */
const char *px_load_describe_written(PxLoader *loader, size_t row, const PxLoadPlace *place, const PxField *field, const PxValue *value);

/* lost.c: the row made the database end the transaction; SIZE_MAX: it is not known which one. */
void px_load_lose_row(PxLoader *loader, size_t index, const GError *error);
/* A row that is known to do so is dead from the start. */
void px_load_recall_row(PxLoader *loader, PxLoadRow *row);

/* ---- asking the database */

/* reference.c: the external ids that rows have in a column. */
typedef struct {
  size_t *rows; /* indexes into the chunk */
  PxValue *names;
  PxId *ids;
  const char **tables; /* NULL: not known */
  size_t n;
} PxExternals;
bool px_load_find_externals(PxLoader *loader, const PxLoadColumn *column, size_t first, size_t end, PxExternals *ret, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void px_load_complain_other_model(PxLoader *loader, size_t row, const PxLoadColumn *column, const PxValue *name, const char *table, PxStage stage);
/* Resolves the references whose answer no row of the file can change, for all rows of the chunk. */
bool px_load_resolve_fixed(PxLoader *loader, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The live references of a place; the wave's overlay may change the answers when the row's turn comes. */
bool px_load_resolve_live(PxLoader *loader, const PxLoadPlace *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Why the reference of a row has no answer. */
void px_load_complain_reference(PxLoader *loader, size_t row, const PxLoadReference *reference, const PxFound *found, PxStage stage);

/* links.c: what the records that were found are linked to, and have as children. */
bool px_load_read_relations(PxLoader *loader, const PxLoadPlace *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What an item changes in its many2many; whether it changes any. */
bool px_load_decide_links(PxLoader *loader, const PxLoadPlace *place, size_t row);
/* The children of a one2many that the row does not name are to be removed; whether there are any. */
bool px_load_decide_purge(PxLoader *loader, const PxLoadPlace *place, size_t row);

/* resolve.c: starts a wave over rows [first, end). */
void px_wave_start(PxLoader *loader, size_t first, size_t end);
/* Asks the database for all that the items of a place look for. */
bool px_load_resolve_place(PxLoader *loader, const PxLoadPlace *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ids for what may turn out to be new. */
bool px_load_take_ids(PxLoader *loader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* assume.c: what the loader may assume of new records; once, when the plan is made. */
bool px_load_assume_init(PxLoader *loader, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the chunk is loaded without a look for its keys. */
void px_load_assume(PxLoader *loader);
/* The load of the chunk was refused; whether that may be because of the assumption, which is then not made for a while. */
bool px_load_assumed_wrongly(PxLoader *loader);
/* The chunk was loaded. */
void px_load_assume_loaded(PxLoader *loader, const PxCounts *counts);
/* Whether the keys of a place are not looked for in this wave. */
bool px_load_assumes_new(PxLoader *loader, const PxLoadPlace *place);

/* ---- overlay.c */

void px_overlay_init(PxOverlay *overlay, const PxLoadPlan *plan);
void px_overlay_done(PxOverlay *overlay, const PxLoadPlan *plan);
void px_overlay_clear(PxOverlay *overlay, const PxLoadPlan *plan);
typedef enum { PX_SEEN_NOTHING, PX_SEEN_NEW, PX_SEEN_NEW_TWICE, PX_SEEN_CHANGED } PxSeen;
/* What the wave, and the row so far, did to the records with this tuple; *ret_record: which of the new records of the wave it is. */
PxSeen px_overlay_look(const PxOverlay *overlay, unsigned model, int watch, PxTuple tuple, uint32_t *ret_record);
/* Whether neither the wave nor the row has anything to say of a watch. */
bool px_overlay_is_empty(const PxOverlay *overlay, unsigned model, int watch);
bool px_overlay_is_unknown(const PxOverlay *overlay, unsigned model, int watch);
bool px_overlay_writes(const PxOverlay *overlay, PxArena *arena, unsigned model, PxId id);
void px_overlay_note_new(PxOverlay *overlay, unsigned model, int watch, PxTuple tuple, uint32_t record);
void px_overlay_note_changed(PxOverlay *overlay, unsigned model, int watch, PxTuple tuple);
void px_overlay_note_unknown(PxOverlay *overlay, unsigned model, int watch);
void px_overlay_note_id(PxOverlay *overlay, PxArena *arena, unsigned model, PxId id);
void px_overlay_note_external(PxOverlay *overlay, PxTuple name);
bool px_overlay_makes_external(const PxOverlay *overlay, PxTuple name);
/* The notes of the row become the wave's, or are forgotten. */
void px_overlay_keep(PxOverlay *overlay);
void px_overlay_drop(PxOverlay *overlay);

/* ---- item.c */

typedef enum { PX_DECIDED, PX_MUST_WAIT } PxDecision;

/* Decides on an item: notes its effects, or complains. PX_MUST_WAIT: it depends on what the wave, or its own row, writes. */
PxDecision px_load_decide_item(PxLoader *loader, const PxLoadPlace *place, size_t row, bool alone, PxOutcome *ret_outcome);
/* What an item would write to the record that old is of (NULL: a new one), without complaints. */
void px_load_mask(PxLoader *loader, const PxLoadPlace *place, size_t row, bool by_key, const PxValue *old, uint64_t *mask);
/* The canonical tuple of a watch that an item leaves when it is written with mask: into values (watch->n of them). False: a part is bad or known
 * to the database alone. old: the stored values of place.reads, NULL for a new record with that id. */
bool px_load_tuple_after(PxLoader *loader, const PxLoadPlace *place, int watch, size_t row, const uint64_t *mask, const PxValue *old, PxId id,
                         PxValue *values);
/* Whether an item written with mask gives the watch another tuple; old NULL: it is new. */
bool px_load_touches(const PxPlaceWatch *watch, size_t n, const uint64_t *mask, const PxValue *old);

/* ---- wave.c, write.c */

/* Plans and writes the rows of [first, end) that can go together; *ret_end is the row behind the last of them. *ret_bad: the row that the database
 * refused, where it is known. */
bool px_load_wave(PxLoader *loader, size_t first, size_t end, size_t *ret_end, size_t *ret_bad, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_wave_add_write(PxLoader *loader, const PxLoadPlace *place, PxWriteList *list, size_t row, PxId id, const uint64_t *mask);
bool px_wave_write(PxLoader *loader, size_t *ret_bad, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_wave_init(PxWave *wave, const PxLoadPlan *plan);
void px_wave_done(PxWave *wave, const PxLoadPlan *plan);

/* tell.c: to the recorder, where there is one: what the wave relies on, a purge (kind: DETACH or DELETE), what the wave creates and updates. */
bool px_load_tell_finds(PxLoader *loader, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_load_tell_purge(PxLoader *loader, PxChangeKind kind, const PxField *one2many, PxId child, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool px_load_tell_writes(PxLoader *loader, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Why the database refused row, in the user's words. */
void px_load_complain_refusal(PxLoader *loader, size_t index, const GError *error);
