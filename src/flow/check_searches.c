/* SPDX-License-Identifier: Apache-2.0 */
/* How records will be searched for, and what the database has for it. */
#include "flow/check_private.h"

/* How records are found. */
typedef struct {
  const PxPattern *pattern;
  const PxField *parent; /* of items: among those of one record, by this relation to it; NULL: among all */
} Search;

static bool has_task(const PxProject *project, const PxPattern *pattern) {
  for (size_t i = 0; i < px_tasks_count(project->tasks); i++)
    if (px_tasks_at(project->tasks, i)->pattern == pattern)
      return true;
  return false;
}

/* A pattern that other patterns write the items of a list with, and no task uses by itself, finds records only in that list. */
static Search search_of(const PxProject *project, const PxPattern *pattern) {
  Search search = {.pattern = pattern};
  for (size_t i = 0; i < px_patterns_count(project->patterns) && !has_task(project, pattern); i++) {
    const PxPattern *other = px_patterns_at(project->patterns, i);
    for (size_t f = 0; f < other->n_fields; f++)
      if (other->fields[f].items == pattern)
        search.parent = other->fields[f].path[other->fields[f].n_path - 1]->inverse;
  }
  return search;
}

static bool is_key(const PxPattern *pattern, const PxField *field) {
  for (size_t i = 0; i < pattern->n_fields; i++) {
    if (pattern->fields[i].key && pattern->fields[i].n_path > 0 && pattern->fields[i].path[0] == field)
      return true;
  }
  return false;
}

static bool searches_by(const Search *search, const PxField *field) {
  return field == search->parent || is_key(search->pattern, field);
}

/* Whether the database itself sees to it that no two records have the same key. */
static bool key_is_unique(const Search *search) {
  const PxModel *model = search->pattern->model;
  for (size_t i = 0; i < model->n_uniques; i++) {
    const PxUnique *unique = &model->uniques[i];
    size_t n = 0;
    while (n < unique->n_fields && searches_by(search, unique->fields[n]))
      n++;
    if (n == unique->n_fields)
      return true;
  }
  return is_key(search->pattern, model->id);
}

/* The fields of the key, each once: "country_id, code". */
static char *key_text(const PxPattern *pattern) {
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < pattern->model->n_fields; i++) {
    const PxField *field = pattern->model->fields[i];
    if (is_key(pattern, field))
      g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", field->name);
  }
  return g_string_free(out, FALSE);
}

/* The columns of a table that some index begins with; sql: the table as SQL has it. */
static bool read_leaders(const PxProject *project, const char *table, const char *sql, GPtrArray **ret_leaders, GError **error) {
  PxStmt *stmt = px_db_named(project->db, "index_leaders", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, px_db_dialect(project->db) == PX_DIALECT_POSTGRES ? sql : table);
  *ret_leaders = g_ptr_array_new_with_free_func(g_free);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    g_ptr_array_add(*ret_leaders, px_stmt_dup_text(stmt, 0));
  return step == PX_STEP_DONE;
}

static bool key_is_indexed(const PxProject *project, const Search *search, bool *ret_indexed, GError **error) {
  g_autoptr(GPtrArray) leaders = NULL;
  if (!read_leaders(project, search->pattern->model->table, search->pattern->model->sql_table, &leaders, error))
    return false;
  *ret_indexed = false;
  for (guint i = 0; i < leaders->len; i++) {
    const PxField *field = px_model_column(search->pattern->model, leaders->pdata[i]);
    *ret_indexed = *ret_indexed || (field && searches_by(search, field));
  }
  return true;
}

static bool check_key(const PxProject *project, const PxPattern *pattern, PxComplaints *complaints, GError **error) {
  g_autofree char *key = key_text(pattern);
  const Search search = search_of(project, pattern);
  if (!*key || key_is_unique(&search))
    return true;
  const PxConfigNode *node = px_section_of(project->config, "patterns", pattern->name);
  px_warn(complaints, node, "pattern %s: nothing in the database keeps its key (%s) unique: a row that matches two records will fail", pattern->name,
          key);
  bool indexed = false;
  if (!key_is_indexed(project, &search, &indexed, error))
    return false;
  if (!indexed)
    px_warn(complaints, node, "pattern %s: no index of table %s begins with a column of its key (%s): each search reads the whole table",
            pattern->name, pattern->model->table, key);
  return true;
}

static bool check_keys(const PxProject *project, PxComplaints *complaints, GError **error) {
  for (size_t i = 0; i < px_patterns_count(project->patterns); i++) {
    if (!check_key(project, px_patterns_at(project->patterns, i), complaints, error))
      return false;
  }
  return true;
}

/* ---- lists */

/* The items of the records of a chunk or page are asked for together, and without an index that reads the whole table each time. */
static bool check_list(const PxProject *project, const PxPattern *pattern, const PxField *list, PxComplaints *complaints, GError **error) {
  bool links = list->type == PX_TYPE_MANY2MANY;
  const char *table = links ? list->through : list->target->table;
  const char *column = links ? list->from : list->inverse->column;
  g_autoptr(GPtrArray) leaders = NULL;
  if (!read_leaders(project, table, links ? list->sql_through : list->target->sql_table, &leaders, error))
    return false;
  for (guint i = 0; i < leaders->len; i++)
    if (g_ascii_strcasecmp(leaders->pdata[i], column) == 0)
      return true;
  px_warn(complaints, px_section_of(project->config, "patterns", pattern->name),
          "pattern %s: no index of table %s begins with %s: what records have in %s is found by reading the whole table", pattern->name, table,
          column, list->name);
  return true;
}

static bool check_lists(const PxProject *project, PxComplaints *complaints, GError **error) {
  for (size_t i = 0; i < px_patterns_count(project->patterns); i++) {
    const PxPattern *pattern = px_patterns_at(project->patterns, i);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (size_t f = 0; f < pattern->n_fields; f++) {
      const PxField *first = pattern->fields[f].n_path ? pattern->fields[f].path[0] : NULL;
      if (first && px_field_is_x2many(first) && g_hash_table_add(seen, (gpointer)(uintptr_t)first) &&
          !check_list(project, pattern, first, complaints, error))
        return false;
    }
  }
  return true;
}

bool px_check_searches(const PxProject *project, PxComplaints *complaints, GError **error) {
  return check_keys(project, complaints, error) && check_lists(project, complaints, error);
}
