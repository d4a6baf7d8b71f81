/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files that read patterns share. The way: pattern.c goes through the sections, filters.c reads named filters, pattern_config.c reads one
 * pattern, pattern_fields.c its list of fields; when all are read pattern_columns.c makes their columns. */
#include "base/arena.h"
#include "pattern/pattern.h"

/* What the reading of a pattern needs, and where its complaints go. */
typedef struct {
  const PxConfigNode *section; /* the patterns that others may refer to */
  const PxConfigNode *filters;
  const PxSchema *schema;
  GTimeZone *timezone;
  PxArena *arena;
  GPtrArray *domains; /* PxDomain *: those that patterns point to */
  GPtrArray *headers; /* PxHeader *: those of defaults */
  GHashTable *nodes;  /* PxExportField * and the PxPatternName * of unknown columns -> its PxConfigNode, for complaints about it */
  PxComplaints *complaints;
  bool takes_values; /* what is read is the configuration itself: its {value: SQL} may be run */
} PxPatternReader;

/* Fills pattern from its map. False: it has no model and is of no use. */
bool px_pattern_read(const PxPatternReader *reader, const char *name, const PxConfigNode *node, PxPattern *pattern);
/* Fills pattern->fields and export_problem from the sequence "fields"; pattern->model is known. */
void px_pattern_read_fields(const PxPatternReader *reader, const PxConfigNode *fields, PxPattern *pattern);
/* Fills what the fields of all patterns (PxPattern *) come to: columns, root, tabs. */
void px_patterns_make_columns(const PxPatternReader *reader, GPtrArray *patterns);

/* Fills pattern->names from the map "headers"; pattern->model and header are known. */
void px_pattern_read_names(const PxPatternReader *reader, const PxConfigNode *node, PxPattern *pattern);
/* Warns of names for columns that neither the model nor the pattern has; the columns of the pattern are known. */
void px_pattern_warn_names(const PxPatternReader *reader, const PxPattern *pattern);
/* Fills pattern->defaults from the map "defaults"; pattern->model is known. */
void px_pattern_read_defaults(const PxPatternReader *reader, const PxConfigNode *node, PxPattern *pattern);

/* ---- how cells are read and written */

/* The keys of a pattern and of a field that say so. */
typedef struct {
  char *thousands;
  bool decimal_comma, excel_serials;
  const PxConfigNode *booleans, *date_format, *datetime_format;
} PxConvertSettings;

#define PX_CONVERT_KEY(settings, member, key, kind)                                                                                                  \
  { .name = key, .type = kind, .offset = offsetof(settings, convert) + offsetof(PxConvertSettings, member) }
/* For the table of a struct that has PxConvertSettings as its member convert. */
#define PX_CONVERT_KEYS(settings)                                                                                                                    \
  PX_CONVERT_KEY(settings, thousands, "thousands", PX_KEY_STRING), PX_CONVERT_KEY(settings, decimal_comma, "decimal_comma", PX_KEY_BOOLEAN),         \
    PX_CONVERT_KEY(settings, excel_serials, "excel_serials", PX_KEY_BOOLEAN), PX_CONVERT_KEY(settings, booleans, "booleans", PX_KEY_NODE),           \
    PX_CONVERT_KEY(settings, date_format, "date_format", PX_KEY_NODE), PX_CONVERT_KEY(settings, datetime_format, "datetime_format", PX_KEY_NODE)

/* What the settings of a map say, beside those of base. what is how messages call the map: "pattern X", "pattern X: field Y". */
PxConvertOwn px_pattern_read_convert(const PxPatternReader *reader, const PxConfigNode *node, const char *what, const PxConvertSettings *settings,
                                     const PxConvertOptions *base);

/* ---- filters */

/* Complains of what is wrong with the section. */
void px_filters_check(const PxConfigNode *filters, const PxSchema *schema, GTimeZone *timezone, PxComplaints *complaints);
/* The filter that a text names; NULL: it is a domain. Where there is none of that name, *error is set. */
const char *px_filters_name(const PxConfigNode *filters, const char *text, GError **error);
/* timezone as of px_domain_parse(). */
PxDomain *px_filters_domain(const PxConfigNode *filters, GTimeZone *timezone, const PxModel *model, const char *text, GError **error);
PxDomain *px_filters_domain_from_node(const PxConfigNode *filters, GTimeZone *timezone, const PxModel *model, const PxConfigNode *node,
                                      GError **error);
