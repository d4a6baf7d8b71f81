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

typedef struct PxPattern PxPattern;

/* The values that a column allows: a sheet of their own and a list validation, in formats that have these. Columns of the same field and
 * filter share one. */
typedef struct {
  const char *name;     /* for people: "Country Code" */
  const PxField *field; /* of the records of model; where that is NULL, the selection itself */
  const PxModel *model;
  PxDomain *domain;   /* tab_filter; NULL: all active records */
  const char *filter; /* its text, to tell it from others */
} PxPatternTab;

/* One export field: a path of relations that ends in a scalar, ".id" or "id". In this version every relation of a path is a
 * many2one; a pattern with others has an export_problem. */
typedef struct {
  const PxField **path; /* many2one fields, then the scalar field (the id field for ".id"; NULL at the end for "id") */
  size_t n_path;
  bool key;                /* on the first segment */
  const char *header;      /* technical: "country_id#key|code" */
  const char *label;       /* for people: "Country|Country Code" */
  const char *custom;      /* header: of the field; NULL: technical */
  const PxPatternTab *tab; /* of pattern->tabs; NULL: any value is allowed */
} PxExportField;

struct PxPattern {
  const char *name;
  const PxModel *model;
  PxFormatOptions format;
  PxHeaderStyle header;
  PxExportField *fields; /* may be none: for imports the file's header says all */
  size_t n_fields;
  PxPatternTab *tabs; /* each of at least one field */
  size_t n_tabs;
  bool create, update; /* default true */
  bool abort;          /* on_error: abort */
  bool error_rows_all; /* error_file: all | bad (the default) */
  bool update_many2many;
  bool purge_one2many;
  uint64_t chunk_size; /* rows; 0: as many as fit the time a chunk should take */
  uint64_t max_errors; /* 0: no limit */
  PxConvertOptions convert;
  const PxField *const *order; /* of exports; n_order 0: the model's order */
  const bool *order_descending;
  size_t n_order;
  const char *export_problem; /* why this version cannot export by the pattern (imports may be fine); NULL: it can */
  const char *renamed_from;   /* NULL: never */
  const char *snapshot;       /* the pattern's section as one line of JSON: kept with a pattern file */
};

typedef struct PxPatterns PxPatterns;
/* Reads the section "patterns" of config, complaining with places. timezone is borrowed. */
PxPatterns *px_patterns_read(const PxConfig *config, const PxSchema *schema, GTimeZone *timezone, PxComplaints *complaints);
void px_patterns_free(PxPatterns *patterns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxPatterns, px_patterns_free)
size_t px_patterns_count(const PxPatterns *patterns);
const PxPattern *px_patterns_at(const PxPatterns *patterns, size_t i);
/* NULL when there is none of that name. */
const PxPattern *px_patterns_get(const PxPatterns *patterns, const char *name);
char *px_patterns_did_you_mean(const PxPatterns *patterns, const char *name);
/* A pattern as a pattern file kept it. PX_ERROR_CONFIG when the schema does not have its model or fields any more. */
PxPatterns *px_patterns_from_snapshot(const char *name, const char *snapshot, const PxSchema *schema, GTimeZone *timezone, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Rows above the data: 1, or 2 with labels. */
unsigned px_pattern_header_rows(const PxPattern *pattern);
/* Compiles the header of a file of this pattern: px_header_compile() after px_pattern_translate_header(), with messages and
 * px_header_name() in the file's own names. */
PxHeader *px_pattern_compile_header(const PxPattern *pattern, const char *const *headers, size_t n, uint64_t row, GPtrArray *messages);
/* Brings the header names of a file to technical ones (custom headers are recognised); in place, strings borrowed from either. */
void px_pattern_translate_header(const PxPattern *pattern, const char **headers, size_t n);
