/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "pattern/pattern_private.h"

struct PxPatterns {
  PxArena *arena;              /* the patterns and what they point to, format options and domains aside */
  GPtrArray *patterns;         /* PxPattern * */
  GPtrArray *domains;          /* PxDomain * */
  GPtrArray *headers;          /* PxHeader * */
  const PxConfigNode *filters; /* NULL: there are none */
  GTimeZone *timezone;         /* borrowed; NULL: UTC */
};

static PxPatterns *new_patterns(const PxConfigNode *filters, GTimeZone *timezone) {
  PxPatterns *patterns = g_new0(PxPatterns, 1);
  patterns->arena = px_arena_new();
  patterns->patterns = g_ptr_array_new();
  patterns->domains = g_ptr_array_new_with_free_func((GDestroyNotify)px_domain_free);
  patterns->headers = g_ptr_array_new_with_free_func((GDestroyNotify)px_header_free);
  patterns->filters = filters;
  patterns->timezone = timezone;
  return patterns;
}

static void read_one(PxPatterns *patterns, const PxPatternReader *reader, const char *name, const PxConfigNode *node) {
  PxPattern *pattern = px_arena_new_array(patterns->arena, PxPattern, 1);
  if (px_pattern_read(reader, name, node, pattern))
    g_ptr_array_add(patterns->patterns, pattern);
}

/* The patterns of the section; before them one that stands elsewhere, unless its name is NULL. */
static void read_patterns(PxPatterns *patterns, PxPatternReader *reader, const char *name, const PxConfigNode *node) {
  g_autoptr(GHashTable) nodes = g_hash_table_new(g_direct_hash, g_direct_equal);
  reader->filters = patterns->filters;
  reader->arena = patterns->arena;
  reader->domains = patterns->domains;
  reader->headers = patterns->headers;
  reader->nodes = nodes;
  if (name)
    read_one(patterns, reader, name, node);
  for (size_t i = 0; i < px_node_count(reader->section); i++)
    read_one(patterns, reader, px_node_key_at(reader->section, i), px_node_at(reader->section, i));
  px_patterns_make_columns(reader, patterns->patterns);
}

static bool is_map(const PxConfigNode *section, PxComplaints *complaints) {
  if (px_node_type(section) == PX_NODE_MAP || px_node_type(section) == PX_NODE_NULL)
    return true;
  px_complain(complaints, section, "patterns: a map of names and patterns is expected");
  return false;
}

PxPatterns *px_patterns_read(const PxConfig *config, const PxSchema *schema, GTimeZone *timezone, PxComplaints *complaints) {
  const PxConfigNode *section = px_node_get(px_config_root(config), "patterns");
  PxPatterns *patterns = new_patterns(px_node_get(px_config_root(config), "filters"), timezone);
  PxPatternReader reader = {.schema = schema, .timezone = timezone, .complaints = complaints, .takes_values = true};
  if (is_map(section, complaints))
    reader.section = section;
  px_filters_check(patterns->filters, schema, timezone, complaints);
  read_patterns(patterns, &reader, NULL, NULL);
  return patterns;
}

PxPatterns *px_patterns_from_snapshot(const char *name, const char *snapshot, const PxSchema *schema, GTimeZone *timezone, GError **error) {
  g_autoptr(PxConfig) config = px_config_parse(snapshot, "snapshot", error);
  if (!config)
    return NULL;
  const PxConfigNode *root = px_config_root(config);
  g_autoptr(PxPatterns) patterns = new_patterns(px_node_get(root, "filters"), timezone);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  PxPatternReader reader = {.section = px_node_get(root, "patterns"), .schema = schema, .timezone = timezone, .complaints = complaints};
  read_patterns(patterns, &reader, name, px_node_get(root, "pattern"));
  patterns->filters = NULL;
  if (!px_complaints_to_error(complaints, error)) {
    g_prefix_error(error, "the pattern %s as it was when the file came does not fit the database any more: ", name);
    return NULL;
  }
  return g_steal_pointer(&patterns);
}

void px_patterns_free(PxPatterns *patterns) {
  if (!patterns)
    return;
  for (guint i = 0; i < patterns->patterns->len; i++) {
    PxPattern *pattern = patterns->patterns->pdata[i];
    px_format_options_done(&pattern->format);
  }
  g_ptr_array_free(patterns->patterns, TRUE);
  g_ptr_array_free(patterns->domains, TRUE);
  g_ptr_array_free(patterns->headers, TRUE);
  px_arena_free(patterns->arena);
  g_free(patterns);
}

/* ---- computed columns */

static const char **columns_of(const PxModel *model) {
  const char **columns = g_new0(const char *, model->n_fields + 1);
  size_t n = 0;
  for (size_t i = 0; i < model->n_fields; i++)
    if (model->fields[i]->column && !model->fields[i]->hidden)
      columns[n++] = model->fields[i]->column;
  return columns;
}

static bool check_value(const PxPattern *pattern, const PxPatternComputed *computed, PxDb *db, PxComplaints *complaints, GError **error) {
  g_autofree const char **columns = columns_of(pattern->model);
  g_autoptr(GError) problem = NULL;
  if (px_db_check_expression(db, pattern->model->sql_table, columns, computed->expression, &problem))
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_CONFIG)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  px_complain(complaints, computed->node, "pattern %s: value %s: %s", pattern->name, computed->name, problem->message);
  return true;
}

bool px_patterns_check_values(const PxPatterns *patterns, PxDb *db, PxComplaints *complaints, GError **error) {
  for (size_t i = 0; i < px_patterns_count(patterns); i++) {
    const PxPattern *pattern = px_patterns_at(patterns, i);
    for (size_t f = 0; f < pattern->n_fields; f++) {
      const PxPatternComputed *computed = pattern->fields[f].computed;
      if (computed && computed->expression && !check_value(pattern, computed, db, complaints, error))
        return false;
    }
  }
  return true;
}

/* ---- use */

PxDomain *px_patterns_domain(const PxPatterns *patterns, const PxModel *model, const char *text, GError **error) {
  return px_filters_domain(patterns->filters, patterns->timezone, model, text, error);
}

PxDomain *px_patterns_domain_from_node(const PxPatterns *patterns, const PxModel *model, const PxConfigNode *node, GError **error) {
  return px_filters_domain_from_node(patterns->filters, patterns->timezone, model, node, error);
}

size_t px_patterns_count(const PxPatterns *patterns) {
  return patterns->patterns->len;
}

const PxPattern *px_patterns_at(const PxPatterns *patterns, size_t i) {
  return patterns->patterns->pdata[i];
}

const PxPattern *px_patterns_get(const PxPatterns *patterns, const char *name) {
  for (size_t i = 0; i < px_patterns_count(patterns); i++)
    if (g_str_equal(px_patterns_at(patterns, i)->name, name))
      return px_patterns_at(patterns, i);
  return NULL;
}

char *px_patterns_did_you_mean(const PxPatterns *patterns, const char *name) {
  size_t n = px_patterns_count(patterns);
  g_autofree const char **names = g_new(const char *, n + 1);
  for (size_t i = 0; i < n; i++)
    names[i] = px_patterns_at(patterns, i)->name;
  return px_text_did_you_mean(name, names, n);
}

unsigned px_pattern_header_rows(const PxPattern *pattern) {
  /* An object has no place for labels above its keys. */
  return pattern->header == PX_HEADER_DESCRIPTION_AND_TECH && pattern->format.format != PX_FORMAT_JSON ? 2 : 1;
}

PxHeader *px_pattern_compile_header(const PxPattern *pattern, const char *const *headers, const bool *only_nulls, size_t n, uint64_t row,
                                    GPtrArray *messages) {
  g_autofree const char **technical = g_new(const char *, n + 1);
  g_autoptr(GPtrArray) completed = g_ptr_array_new_with_free_func(g_free);
  for (size_t i = 0; i < n; i++)
    technical[i] = headers[i];
  px_pattern_translate_header(pattern, technical, n);
  for (size_t i = 0; only_nulls && i < n; i++) {
    char *by_id = only_nulls[i] ? px_header_relation_by_id(pattern->model, technical[i]) : NULL;
    if (!by_id)
      continue;
    g_ptr_array_add(completed, by_id);
    technical[i] = by_id;
  }
  return px_header_compile_named(pattern->model, technical, headers, n, row, messages);
}
