/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The plan of a dry run: every change of an import as a line of a file, and such a file applied.
 *
 * plan_text.c    values <-> text that reads back exactly
 * plan_ids.c     ids of new records <-> text
 * plan_record.c  changes -> lines, as the loader tells them
 * plan_read.c    file -> lines
 * plan_check.c   does the database still have what the plan relies on?
 * plan_apply.c   lines -> records
 * plan_history.c what is kept of a plan that was applied
 *
 * A line: action, model, record and so on, see the columns. Lines of one step are one change, a line a field. The first lines (action "plan") say what
 * the plan is of, the last ones (action "end") how many lines there are and what their checksum is: a plan that was cut or edited is refused. A step of
 * action "find" changes nothing: the record that the import found (or none), which must be the same when the plan is applied.
 *
 * A record that the plan makes is "new:N": on SQLite the N-th id above those that its table has at the start, on PostgreSQL the N-th that it makes.
 */
#include "flow/flow_private.h"

typedef enum {
  PX_PLAN_STEP,
  PX_PLAN_ROW,
  PX_PLAN_ACTION,
  PX_PLAN_MODEL,
  PX_PLAN_RECORD,
  PX_PLAN_NAME, /* of the record, for people */
  PX_PLAN_FIELD,
  PX_PLAN_OLD,
  PX_PLAN_NEW,
  PX_PLAN_SAYS, /* what the row says of a relation, for people */
  PX_PLAN_COLUMNS
} PxPlanColumn;

extern const char *const px_plan_columns[PX_PLAN_COLUMNS];
#define PX_PLAN_VERSION "1"
#define PX_PLAN_HEAD "plan"
#define PX_PLAN_END "end"
/* The word of an action, and back (-1: none). */
const char *px_plan_action(PxChangeKind kind);
int px_plan_action_from(const char *word);

/* A hash of all that a plan relies on in a schema. Caller frees. */
char *px_plan_schema_hash(const PxSchema *schema);
/* The format of a plan by the end of its name. PX_ERROR_USAGE. */
bool px_plan_format(const char *path, PxFormatOptions *ret_options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- plan_ids.c */

/* Which ids are those of new records. */
typedef struct PxPlanIds PxPlanIds;
/* In the write transaction that begins it all. */
PxPlanIds *px_plan_ids_new(PxDb *db, const PxSchema *schema, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_plan_ids_free(PxPlanIds *ids);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPlanIds, px_plan_ids_free)
/* To record: a new record has this id. Before anything is told of it. */
void px_plan_ids_made(PxPlanIds *ids, const PxModel *model, PxId id);
/* To apply: takes the id of the record that a step makes. */
bool px_plan_ids_make(PxPlanIds *ids, const PxModel *model, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "12", "new:3"; none: "". In arena. model NULL: no new one. */
const char *px_plan_id_text(const PxPlanIds *ids, PxArena *arena, const PxModel *model, PxId id);
/* False: it is no id, or of no record that was made. */
bool px_plan_id_from(const PxPlanIds *ids, const PxModel *model, const char *text, PxId *ret_id);

/* ---- plan_text.c */

/* A value of a field (NULL: an external id) as text; NULL is "". In arena. */
const char *px_plan_value_text(const PxPlanIds *ids, PxArena *arena, const PxField *field, PxValue value);
/* False: it is no such text. */
bool px_plan_value_from(const PxPlanIds *ids, PxArena *arena, const PxField *field, const char *text, PxValue *ret_value);
/* Text for people, so that it can stand in the file beside these. In arena. */
const char *px_plan_plain_text(PxArena *arena, const char *text);
/* Of a path: "country_id|code"; the database id is ".id", the external id "id". */
const char *px_plan_path_text(PxArena *arena, const PxField *const *path, size_t n);
/* NULL: the model has no such path. */
const PxField *const *px_plan_path_from(PxArena *arena, const PxModel *model, const char *text, size_t *ret_n);

/* ---- plan_record.c */

typedef struct PxPlan PxPlan;
PxPlan *px_plan_new(PxProject *project);
void px_plan_free(PxPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPlan, px_plan_free)
/* Before each try of the import: forgets what was recorded. */
bool px_plan_begin(PxPlan *plan, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A PxRecorder. */
bool px_plan_record(void *plan, const PxChange *change, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After the import, in the same dry run: writes the plan to the file path. sha256: of the imported file. */
bool px_plan_save(PxPlan *plan, const PxSummary *summary, const char *sha256, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- plan_read.c */

typedef struct {
  uint64_t number;                    /* in the plan, as a person counts */
  const char *cells[PX_PLAN_COLUMNS]; /* never NULL */
} PxPlanLine;

typedef struct PxPlanReader PxPlanReader;
PxPlanReader *px_plan_reader_open(int fd, const PxFormatOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_plan_reader_close(PxPlanReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPlanReader, px_plan_reader_close)
/* The next line; it lives until the next call. False: no more, or *error. */
bool px_plan_reader_next(PxPlanReader *reader, const PxPlanLine **ret_line, GError **error);

/* What the first lines say. */
typedef struct {
  char *version, *schema, *pattern, *file;
  PxCounts counts;
} PxPlanHead;
void px_plan_head_done(PxPlanHead *head);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxPlanHead, px_plan_head_done)
/* Reads the whole plan once. PX_ERROR_REFUSED: it is no plan, or not as it was written. */
bool px_plan_check(int fd, const PxFormatOptions *options, PxPlanHead *ret_head, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds a line to the checksum of a plan. */
void px_plan_add_checksum(GChecksum *checksum, const char *const *cells);

/* ---- plan_check.c */

/* One change, as the plan has it. */
typedef struct {
  PxChangeKind kind;
  uint64_t row;
  const PxModel *model;
  PxId id;
  const char *record, *name; /* as the plan has them; "" */
  PxLookupPath *paths;
  PxValue *values;  /* new ones */
  const char **old; /* as text */
  size_t n_fields;
} PxPlanStep;

/* A plan that is being applied. */
typedef struct {
  PxProject *project;
  PxRecords *records;
  PxPlanIds *ids;
  PxArena *arena;      /* of a step */
  PxArena *names;      /* of the paths in finders */
  GHashTable *readers; /* PxModel -> PxLookup of all its columns by id */
  GHashTable *finders; /* paths as text -> PxLookup */
  GPtrArray *moved;    /* PxMessage *: what is not as the plan has it; at most PX_PLAN_MOST_MOVED */
  uint64_t n_moved;
} PxPlanTarget;

#define PX_PLAN_MOST_MOVED 100

void px_plan_moved(PxPlanTarget *target, const PxPlanStep *step, const PxField *field, const char *format, ...) G_GNUC_PRINTF(4, 5);
/* Whether the database is as the step wants it; if not, says so to moved. False in *ret_there: the record is not there at all. */
bool px_plan_expect(PxPlanTarget *target, const PxPlanStep *step, bool *ret_there, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- plan_history.c */

/* The pattern file of a plan that is being applied. Caller frees. */
PxPatternFile *px_plan_new_file(PxProject *project, const PxPlanHead *head, const char *name);
/* In the caller's write transaction: file as its state and counts are now, with an attachment of these bytes. messages: why it was refused; NULL:
 * it was not. */
bool px_plan_keep(PxProject *project, PxPatternFile *file, const PxBlob *blob, const GPtrArray *messages, GError **error) G_GNUC_WARN_UNUSED_RESULT;
