/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files that read the schema share. The way: tables of the database (schema_sqlite.c, schema_pg.c) -> drafts of models with their columns
 * (schema.c, schema_type.c, schema_pg_type.c) -> what the configuration says (model_config.c) -> relations (schema_relation.c) -> PxSchema. */
#include "base/arena.h"
#include "model/model.h"

/* ---- the database's tables, before they are models; strings live in the schema's arena */

typedef struct {
  const char *name;
  const char *declared;     /* type as written, "" for none */
  const char *default_text; /* an expression of SQL; NULL: none */
  const char *collation;
  bool not_null;
  bool generated;
  bool is_enum;        /* its type is one */
  unsigned key_place;  /* in the primary key, from 1; 0: not in it */
  const char *comment; /* for people; NULL: none */
  const char *refused; /* why no pattern can use it; NULL: it can */
} PxTableColumn;

/* A foreign key. */
typedef struct {
  const char *to_table;
  GPtrArray *columns;    /* of char * */
  GPtrArray *to_columns; /* of char *; an element is NULL where the primary key is meant */
  int64_t oid;           /* PostgreSQL */
} PxTableKey;

typedef struct {
  const char *name;
  GPtrArray *columns; /* of char * */
  bool is_primary_key;
  bool is_plain; /* whole columns under their own collation; else its rule is the database's to judge */
} PxTableUnique;

/* CHECK (column IN (values)), and nothing else in it. */
typedef struct {
  const char *column;
  GPtrArray *values; /* of char * */
} PxTableChoice;

/* A CHECK, or a UNIQUE index that is not plain. */
typedef struct {
  const char *name; /* NULL: it has none */
  const char *text;
  GPtrArray *columns; /* of char *: those that it names */
} PxTableRule;

typedef struct {
  const char *name;   /* as people write it: "orders", or "sales.orders" of a schema of the configuration */
  const char *schema; /* of the second kind; NULL */
  const char *quoted; /* as SQL has it */
  const char *sql;
  const char *no_table; /* "it is a view" ...; NULL for a table */
  const char *comment;  /* for people; NULL: none */
  const char *sequence; /* that gives the primary key its values; NULL: none */
  bool strict;
  bool read_only; /* a view */
  bool has_triggers;
  bool autoincrement;
  GPtrArray *columns; /* of PxTableColumn */
  GPtrArray *keys;    /* of PxTableKey */
  GPtrArray *uniques; /* of PxTableUnique */
  GPtrArray *choices; /* of PxTableChoice */
  GPtrArray *rules;   /* of PxTableRule */
} PxTable;

void px_table_free(PxTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxTable, px_table_free)
/* schema: NULL for a table that is found without. */
PxTable *px_table_new(PxDb *db, PxArena *arena, const char *schema, const char *name);
/* Its name without the schema. */
const char *px_table_bare_name(const PxTable *table);

/* All tables by name, ours aside. NULL on error; elements are freed with the array. */
GPtrArray *px_tables_read_sqlite(PxDb *db, PxArena *arena, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Those that the search path finds without a schema, and those of schemas (ends with NULL), which are called by it. */
GPtrArray *px_tables_read_postgres(PxDb *db, PxArena *arena, const char *const *schemas, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A column of the row, kept in arena; NULL stays NULL. */
char *px_row_text(PxStmt *stmt, unsigned column, PxArena *arena);

/* Adds a rule whose text (an expression, or what stands behind ON TABLE of an index) names columns of the table. */
void px_table_add_rule(PxTable *table, PxArena *arena, const char *name, const char *text);
/* What only the text of CREATE TABLE says: choices, other rules, AUTOINCREMENT, constraints that replace rows. */
void px_table_read_sql(PxTable *table, PxArena *arena);
/* text is an expression of literals and operators, without names and functions. *ret_word: its value where it is one bare word, which
 * SQLite takes for a text (DEFAULT draft); else NULL. */
bool px_sql_is_constant(const char *text, char **ret_word);
/* The same of an expression as PostgreSQL writes it: one literal. */
bool px_pg_is_constant(const char *text);
/* Adds a choice where the expression of a CHECK is none but column = ANY (literals); column NULL: the one that it names, else it is called VALUE. */
void px_pg_add_choice(PxTable *table, PxArena *arena, const char *column, const char *text);

/* ---- drafts */

typedef struct {
  PxModel *model;
  const PxTable *table;
  GPtrArray *columns;       /* of PxField, in the order of table->columns */
  GPtrArray *relations;     /* of PxField: one2many, many2many */
  const PxConfigNode *node; /* its entry of models:, or NULL */
} PxDraft;

/* A table of two foreign keys. */
typedef struct {
  const PxTable *table;
  const char *column[2];
  PxDraft *draft[2];
} PxJunction;

typedef struct {
  PxArena *arena;
  GPtrArray *tables; /* of PxTable */
  GPtrArray *drafts; /* of PxDraft, by table */
  GArray *junctions; /* of PxJunction */
  GArray *left_out;  /* of PxLeftOut */
  PxComplaints *complaints;
} PxSchemaBuild;

typedef struct {
  const char *table;
  const char *reason;
} PxLeftOut;

PxDraft *px_build_draft(const PxSchemaBuild *build, const char *model_name);
PxDraft *px_build_draft_of_table(const PxSchemaBuild *build, const char *table);
const PxTable *px_build_table(const PxSchemaBuild *build, const char *table);
/* By the name that patterns use; columns and relations. */
PxField *px_draft_field(const PxDraft *draft, const char *name);
PxField *px_draft_column(const PxDraft *draft, const char *column);
/* The column's name as the table writes it (SQLite ignores case in names), or NULL. */
const char *px_table_column(const PxTable *table, const char *column);
char *px_draft_did_you_mean(const PxDraft *draft, const char *name);

/* "some_name" as people read it: "Some name". In arena. */
const char *px_label_of(PxArena *arena, const char *name);

/* ---- schema_type.c */

/* Type, storage, length, precision, zone of a declared type; strict: of a STRICT table. */
void px_field_set_type(PxField *field, const char *declared, bool strict);
/* Of a type as format_type() of PostgreSQL writes it. */
void px_field_set_type_postgres(PxField *field, const char *declared);
/* How columns of that type compare their values, as a collation of SQLite; "" where only the database knows. */
const char *px_pg_collation_of(const char *declared, bool deterministic);
/* Default and, for a type that can have one, selection. */
bool px_field_set_default(PxField *field, PxDb *db, PxArena *arena, const char *default_text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_field_set_choices(PxField *field, PxArena *arena, const PxTable *table);

/* ---- schema_relation.c */

/* Foreign keys become many2one. */
void px_build_many2one(PxSchemaBuild *build);
/* A field of draft that is an inverse or a junction; its name must be free. */
PxField *px_build_one2many(PxSchemaBuild *build, PxDraft *draft, const char *name, const PxDraft *child, const PxField *inverse);
PxField *px_build_many2many(PxSchemaBuild *build, PxDraft *draft, const char *name, const PxDraft *target, const PxTable *through, const char *from,
                            const char *to);
/* Those that the configuration does not name. */
void px_build_default_relations(PxSchemaBuild *build);

/* ---- model_config.c */

/* In this order: names of models; fields that are columns; the relations that are named, after px_build_many2one(); the rest, when all
 * fields are there. */
void px_model_config_names(PxSchemaBuild *build, const PxConfigNode *models);
void px_model_config_columns(PxSchemaBuild *build);
void px_model_config_relations(PxSchemaBuild *build);
void px_model_config_rest(PxSchemaBuild *build);
