/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What records are: the schema of the database seen as models. Made once, then immutable. */
#include "base/value.h"
#include "config/config.h"
#include "db/db.h"

typedef struct PxSchema PxSchema;
typedef struct PxModel PxModel;
typedef struct PxField PxField;

typedef enum {
  PX_TYPE_INTEGER,
  PX_TYPE_DECIMAL,
  PX_TYPE_BOOLEAN,
  PX_TYPE_DATE,
  PX_TYPE_DATETIME,
  PX_TYPE_TEXT,
  PX_TYPE_BINARY,
  PX_TYPE_JSON,
  PX_TYPE_MANY2ONE,
  PX_TYPE_ONE2MANY,
  PX_TYPE_MANY2MANY,
} PxType;

/* How the database compares the text of a column. */
typedef enum {
  PX_COLLATE_BINARY,
  PX_COLLATE_NOCASE, /* ASCII */
  PX_COLLATE_RTRIM,
  PX_COLLATE_CITEXT, /* as NOCASE where all is ASCII, else only the database knows */
  PX_COLLATE_OTHER,  /* only the database knows */
} PxCollation;

/* What a column does to a value that is stored in it (SQLite 3 "Determination Of Column Affinity"). */
typedef enum {
  PX_STORE_AS_IS,
  PX_STORE_TEXT,
  PX_STORE_NUMERIC,
  PX_STORE_INTEGER,
  PX_STORE_REAL,
  PX_STORE_FLOAT, /* PostgreSQL: real, of 4 bytes */
  PX_STORE_EXACT, /* PostgreSQL: numeric, whose every digit counts */
} PxStorageClass;

/* The form in which PostgreSQL shows a text, whatever it was given as. */
typedef enum { PX_FORM_FREE, PX_FORM_UUID, PX_FORM_TIME } PxTextForm;

typedef struct {
  const char *value;
  const char *label; /* the value itself where none is given */
} PxSelection;

struct PxField {
  const char *name;   /* as patterns call it */
  const char *column; /* of the table; NULL for one2many and many2many */
  const char *label;  /* for people; the name with blanks and a capital where none is given */
  PxType type;
  const PxModel *model;
  unsigned index;      /* among model->fields */
  bool required;       /* NOT NULL */
  bool read_only;      /* generated column */
  bool hidden;         /* models: fields: hide: true; px_model_field() does not find it, px_model_column() does */
  const char *refused; /* hidden, because no pattern can use it: why; else NULL */
  bool has_default;
  bool default_is_constant; /* then default_value is it, as the column stores it; false without a default */
  PxValue default_value;
  unsigned max_chars;        /* varchar(n); 0: no limit */
  unsigned precision, scale; /* numeric(p, s); precision 0: none declared */
  bool with_zone;            /* datetime with a time zone */
  PxCollation collation;
  PxStorageClass storage;
  unsigned bytes; /* of an integer of PostgreSQL that has fewer than 8; 0: it has 64 bits */
  PxTextForm form;
  bool is_enum;
  const char *sql_type;         /* PostgreSQL: the type beneath its domain, without length and the like, as CAST() takes it; NULL: SQLite */
  const PxSelection *selection; /* NULL: free */
  size_t n_selection;
  /* relations */
  const PxModel *target;           /* of every relation */
  const PxField *inverse;          /* one2many: the many2one of the target */
  const char *through, *from, *to; /* many2many: junction table, its column for this model's id, its column for the target's */
  const char *sql_through;         /* the table as SQL has it, quoted */
  bool through_shared;             /* the junction has triggers, or a UNIQUE that holds between records of this model */
};

/* A UNIQUE constraint or index over whole columns. */
typedef struct {
  const char *name; /* may be an automatic one */
  const PxField *const *fields;
  size_t n_fields;
} PxUnique;

/* A foreign key that is no many2one: of several columns, or to others than the primary key. */
typedef struct {
  const PxField *const *fields;
  const PxField *const *to; /* one a field */
  size_t n_fields;
} PxForeignKey;

/* A CHECK, or a UNIQUE index of expressions or of some rows: a rule that is the database's to judge. */
typedef struct {
  const char *name; /* NULL: it has none */
  const char *text; /* as the schema has it */
  const PxField *const *fields;
  size_t n_fields;
} PxRule;

struct PxModel {
  const char *name;      /* as patterns call it */
  const char *table;     /* as people write it: NAME, or SCHEMA.NAME of a schema of the configuration */
  const char *schema;    /* of the second kind; NULL */
  const char *sql_table; /* as SQL has it, quoted */
  const char *label;
  const PxField *const *fields; /* id first, columns in the table's order, then one2many and many2many by name; hidden ones too */
  size_t n_fields;
  const PxField *id;           /* the primary key */
  const PxField *active;       /* a boolean field called active, or NULL */
  const PxField *const *order; /* models: order: ; n_order 0: by id */
  const bool *order_descending;
  size_t n_order;
  const PxUnique *uniques; /* without the primary key */
  size_t n_uniques;
  const PxForeignKey *foreign_keys;
  size_t n_foreign_keys;
  const PxRule *rules;
  size_t n_rules;
  bool has_triggers;       /* or UNIQUE ... ON CONFLICT REPLACE | IGNORE: rows may change behind our back */
  bool has_hidden_uniques; /* partial or expression indexes, or under another collation: their rules are the database's to judge */
  bool autoincrement;      /* ids are never used twice */
  const char *sequence;    /* PostgreSQL: that gives new records their ids, quoted for nextval(); NULL: none */
  const char *new_uuid;    /* the expression of SQL that gives new records their uuids; NULL: ids are integers */
  bool read_only;          /* a view: records are only exported */
  bool hidden;             /* models: hide: true; known to relations, not listed */
};

/* Reads the schema of db (on PostgreSQL the tables that the search path finds, and those of the list "schemas" of config), then the section "models"
 * of config (NULL: none). Complaints with place for what the section says
 * wrong; the schema is given all the same. PX_ERROR_UNREACHABLE and the like from db. Our own pattimpex_* tables are not seen.
 *
 * A model is a table whose primary key is one column of integer affinity, rowid or not, or a uuid of PostgreSQL, or a view that has such a column
 * id. A
 * foreign key of one column to the primary key of a model is a many2one, any other a plain column. A table of two such columns and nothing else,
 * without a primary key of one column, is a many2many. Default names: CHILD_ids (CHILD_COLUMN_ids where a child has several) and OTHER_ids
 * (OTHER_JUNCTION_ids). */
PxSchema *px_schema_read(PxDb *db, const PxConfig *config, PxComplaints *complaints, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_schema_free(PxSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxSchema, px_schema_free)
size_t px_schema_count(const PxSchema *schema);
const PxModel *px_schema_at(const PxSchema *schema, size_t i);
/* By name; NULL when there is none. */
const PxModel *px_schema_model(const PxSchema *schema, const char *name);
/* " (did you mean X?)", or "". Caller frees. */
char *px_schema_did_you_mean(const PxSchema *schema, const char *name);
/* Tables that are no models, and why. */
size_t px_schema_left_out_count(const PxSchema *schema);
const char *px_schema_left_out(const PxSchema *schema, size_t i, const char **ret_reason);

/* By the name that patterns use; "id" is the primary key where no column has that name. NULL: none, or hidden. */
const PxField *px_model_field(const PxModel *model, const char *name);
const PxField *px_model_column(const PxModel *model, const char *column);
/* " (did you mean X?)", or why the field that has this very name cannot be used, or "". Caller frees. */
char *px_model_did_you_mean(const PxModel *model, const char *name);

/* Whether its table is the one that the database calls so; schema NULL: not told. */
bool px_model_is_table(const PxModel *model, const char *schema, const char *table);

/* "integer", "many2one" ... */
const char *px_type_name(PxType type);
static inline bool px_type_is_relation(PxType type) {
  return type >= PX_TYPE_MANY2ONE;
}
/* The ids of its records are uuids, else integers. */
static inline bool px_model_has_uuids(const PxModel *model) {
  return model->id->form == PX_FORM_UUID;
}
/* Of its ids, or of integers. */
static inline bool px_field_holds_integers(const PxField *field) {
  return field->type == PX_TYPE_INTEGER || (field->type == PX_TYPE_MANY2ONE && field->form != PX_FORM_UUID);
}
static inline bool px_field_is_x2many(const PxField *field) {
  return field->type == PX_TYPE_ONE2MANY || field->type == PX_TYPE_MANY2MANY;
}
