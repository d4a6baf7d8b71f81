/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A pattern: an ordered list of export fields of one model, and options. */
#include "config/config.h"
#include "format/format.h"
#include "model/convert.h"
#include "model/domain.h"
#include "model/model.h"
#include "pattern/header.h"

typedef enum { PX_HEADER_TECHNICAL, PX_HEADER_DESCRIPTION_AND_TECH, PX_HEADER_CUSTOM } PxHeaderStyle;

/* purge_one2many: what becomes of children that a row does not name. */
typedef enum {
  PX_PURGE_NO,     /* false: they stay */
  PX_PURGE_DETACH, /* true: detached, deleted where their many2one must not be empty */
  PX_PURGE_DELETE, /* delete */
} PxPurgeMode;

typedef struct PxPattern PxPattern;

/* The values that columns allow: a sheet of their own and a list validation, in formats that have these. Columns of the same field and
 * filter share one. */
typedef struct {
  const char *name;     /* for people: "Country Code", "(european)" */
  const PxField *field; /* of the records of model; where that is NULL, the selection itself */
  const PxModel *model;
  const PxDomain *domain;      /* tab_filter, else the field's domain; NULL: all active records */
  const char *filter;          /* its name or text, to tell it from others; NULL: none */
  const PxConvertOwn *convert; /* of the column; may be NULL */
} PxPatternTab;

/* A column that the database computes of a record: exports write it, imports skip it. */
typedef struct {
  const char *name;         /* of its column */
  const char *expression;   /* SQL over the record; NULL in a pattern that is not read from the configuration itself */
  const PxField *as;        /* says how values are written; NULL: as what they are */
  const PxConfigNode *node; /* of its entry */
} PxPatternComputed;

/* One entry of "fields": a path of relations that ends in a scalar, ".id" or "id", or in a one2many that another pattern writes. */
typedef struct {
  const PxField **path; /* relations, then the scalar field (the id field for ".id"; NULL at the end for "id") */
  size_t n_path;
  bool key;                          /* on the first segment */
  const char *custom;                /* header: of the field; NULL: technical */
  uint64_t occurrences;              /* of the one2many or many2many that the path begins with; 1 for other paths */
  const char *sub;                   /* the pattern of the one2many; NULL: the path ends in a scalar */
  const PxPattern *items;            /* that pattern; NULL also when it is wrong */
  const PxPatternTab *tab;           /* NULL: any value is allowed */
  const PxConvertOwn *convert;       /* NULL: nothing of its own */
  const PxDomain *domain;            /* of the records that the last relation may refer to; NULL: any */
  const PxPatternComputed *computed; /* instead of a path */
} PxExportField;

/* One column of an export. */
typedef struct {
  const char *header;      /* technical: "country_id#key|code", "child_ids|2|name" */
  const char *label;       /* for people: "Country|Country Code" */
  const char *custom;      /* with header: custom; NULL: technical */
  const PxPatternTab *tab; /* one of pattern->tabs; NULL: any value is allowed */
  bool computed;           /* ignored when the file comes back */
} PxExportColumn;

/* Which records a relation may refer to: an import finds no others. */
typedef struct {
  const PxField *const *path; /* relations, from the pattern's model; of those of the last one's records the domain is */
  size_t n_path;
  const PxDomain *domain;
} PxPatternLimit;

typedef struct PxExportNode PxExportNode;

/* A value of a record. */
typedef struct {
  const PxField *const *path; /* many2one fields, then the scalar field, as above */
  size_t n_path;
  unsigned column;                   /* from the first one of the node */
  const PxConvertOwn *convert;       /* may be NULL */
  const PxPatternComputed *computed; /* instead of a path */
} PxExportValue;

/* The first items of a one2many or many2many, side by side. */
typedef struct {
  const PxField *const *path; /* many2one fields to the record that has them, then the list */
  size_t n_path;
  unsigned column; /* of the first item, from the first one of the node */
  unsigned occurrences;
  const PxExportNode *item;
} PxExportList;

/* What an export reads of a record, and where it stands in the row: the record of the row, or an item of a list. */
struct PxExportNode {
  const PxModel *model;
  PxExportValue *values;
  size_t n_values;
  PxExportList *lists;
  size_t n_lists;
  unsigned width; /* how many columns */
};

/* What new records have in columns that the file lacks. */
typedef struct {
  const PxHeaderNode *root; /* as if each were a column of a file, many2one and many2many beneath */
  const PxValue *values;    /* one a column, as stored; of an external id its text */
} PxPatternDefaults;

/* Names of one's own for a column, whether the pattern has it or not. */
typedef struct {
  const char *column;       /* as the configuration has it: "country_id#key|code" */
  const char *path;         /* the same without #key */
  const char *const *names; /* the first is written, all are read; NULL at the end */
} PxPatternName;

struct PxPattern {
  const char *name;
  const PxModel *model;
  PxFormatOptions format;
  PxHeaderStyle header;
  PxExportField *fields; /* may be none: for imports the file's header says all */
  size_t n_fields;
  const PxExportColumn *columns; /* what fields come to, lists and patterns of their items written out */
  size_t n_columns;
  const PxExportNode *root;        /* NULL: an export has no columns */
  const PxPatternTab *const *tabs; /* each of at least one column */
  size_t n_tabs;
  const PxPatternLimit *limits; /* of fields, and of the patterns of their items */
  size_t n_limits;
  const PxPatternName *names; /* headers: */
  size_t n_names;
  const PxPatternDefaults *defaults; /* NULL: none */
  bool external_ids;                 /* some column is the external id of a record */
  bool computes;                     /* some column is computed */
  bool create, update;               /* default true */
  bool abort;                        /* on_error: abort */
  bool error_rows_all;               /* error_file: all | bad (the default) */
  bool update_many2many;
  bool trust_references; /* the database need not check references that were looked up */
  PxPurgeMode purge_one2many;
  uint64_t chunk_size; /* rows; 0: as many as fit the time a chunk should take */
  uint64_t max_errors; /* 0: no limit */
  unsigned partitions; /* process_multi: over how many the rows of a large file are spread; 0: one row after the other */
  PxConvertOptions convert;
  const PxField *const *order; /* of exports; n_order 0: the model's order */
  const bool *order_descending;
  size_t n_order;
  const char *export_problem; /* why nothing can be exported by the pattern (imports may be fine); NULL: it can */
  const char *renamed_from;   /* NULL: never */
  int64_t priority;           /* of its import and export jobs, where the task says none; -1: not said */
  const char *channel;        /* of these; NULL: not said */
  const char *snapshot;       /* the pattern's section and those of the patterns it refers to as one line of JSON: kept with a pattern file */
};

typedef struct PxPatterns PxPatterns;
/* Reads the sections "patterns" and "filters" of config, complaining with places. config and timezone are borrowed. */
PxPatterns *px_patterns_read(const PxConfig *config, const PxSchema *schema, GTimeZone *timezone, PxComplaints *complaints);
void px_patterns_free(PxPatterns *patterns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPatterns, px_patterns_free)
size_t px_patterns_count(const PxPatterns *patterns);
const PxPattern *px_patterns_at(const PxPatterns *patterns, size_t i);
/* NULL when there is none of that name. */
const PxPattern *px_patterns_get(const PxPatterns *patterns, const char *name);
char *px_patterns_did_you_mean(const PxPatterns *patterns, const char *name);
/* A pattern as a pattern file kept it, for imports: what it computes is not run, for only the configuration may say SQL. PX_ERROR_CONFIG when the
 * schema does not have its model or fields any more. */
PxPatterns *px_patterns_from_snapshot(const char *name, const char *snapshot, const PxSchema *schema, GTimeZone *timezone, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The domain that a text or node means for a model: a name of the section "filters", or a domain. Caller frees. PX_ERROR_CONFIG. */
PxDomain *px_patterns_domain(const PxPatterns *patterns, const PxModel *model, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
PxDomain *px_patterns_domain_from_node(const PxPatterns *patterns, const PxModel *model, const PxConfigNode *node, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Whether the database knows what the columns of {value: EXPRESSION} are made of: complains, with places. Nothing may be exported before. */
bool px_patterns_check_values(const PxPatterns *patterns, PxDb *db, PxComplaints *complaints, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The first column of a header that the pattern has as key, where nothing in the header finds records: no #key, .id or id. NULL: there is none, or
 * something does. Borrowed from header. */
const PxHeaderColumn *px_pattern_unmarked_key(const PxPattern *pattern, const PxHeader *header);
/* The names that headers: has for a column, whose #key does not count; NULL: none. */
const PxPatternName *px_pattern_name(const PxPattern *pattern, const char *column);
/* What a column (PxHeaderColumn.path) has of its own in how its cells are read; NULL: nothing. */
const PxConvertOwn *px_pattern_convert(const PxPattern *pattern, const char *path);
/* Rows above the data: 1, or 2 with labels. */
unsigned px_pattern_header_rows(const PxPattern *pattern);
/* Compiles the header of a file of this pattern: px_header_compile() after px_pattern_translate_header(), with messages and
 * PxHeaderColumn.header in the file's own names. only_nulls (NULL: none): columns that never have a value, so that a relation needs no field
 * there. */
PxHeader *px_pattern_compile_header(const PxPattern *pattern, const char *const *headers, const bool *only_nulls, size_t n, uint64_t row,
                                    GPtrArray *messages);
/* Brings the header names of a file to technical ones (custom headers are recognised, computed columns become "#"); in place, strings
 * borrowed from either. */
void px_pattern_translate_header(const PxPattern *pattern, const char **headers, size_t n);
