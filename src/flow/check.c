/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration that reads well may still get wrong: keys that nothing keeps unique, storages that do not answer, names that were lost. */
#include "flow/project.h"
#include "load/load.h"
#include "pattern/independence.h"

/* ---- keys */

static const PxConfigNode *section_of(const PxConfig *config, const char *section, const char *name) {
  return px_node_get(px_node_get(px_config_root(config), section), name);
}

static bool is_key(const PxPattern *pattern, const PxField *field) {
  for (size_t i = 0; i < pattern->n_fields; i++) {
    if (pattern->fields[i].key && pattern->fields[i].n_path > 0 && pattern->fields[i].path[0] == field)
      return true;
  }
  return false;
}

/* Whether the database itself sees to it that no two records have the same key. */
static bool key_is_unique(const PxPattern *pattern) {
  for (size_t i = 0; i < pattern->model->n_uniques; i++) {
    const PxUnique *unique = &pattern->model->uniques[i];
    size_t n = 0;
    while (n < unique->n_fields && is_key(pattern, unique->fields[n]))
      n++;
    if (n == unique->n_fields)
      return true;
  }
  return is_key(pattern, pattern->model->id);
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

/* The columns of a table that some index begins with. */
static bool read_leaders(const PxProject *project, const char *table, GPtrArray **ret_leaders, GError **error) {
  PxStmt *stmt = px_db_named(project->db, "index_leaders", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, table);
  *ret_leaders = g_ptr_array_new_with_free_func(g_free);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    g_ptr_array_add(*ret_leaders, px_stmt_dup_text(stmt, 0));
  return step == PX_STEP_DONE;
}

static bool key_is_indexed(const PxProject *project, const PxPattern *pattern, bool *ret_indexed, GError **error) {
  g_autoptr(GPtrArray) leaders = NULL;
  if (!read_leaders(project, pattern->model->table, &leaders, error))
    return false;
  *ret_indexed = false;
  for (guint i = 0; i < leaders->len; i++) {
    const PxField *field = px_model_column(pattern->model, leaders->pdata[i]);
    *ret_indexed = *ret_indexed || (field && is_key(pattern, field));
  }
  return true;
}

static bool check_key(const PxProject *project, const PxPattern *pattern, PxComplaints *complaints, GError **error) {
  g_autofree char *key = key_text(pattern);
  if (!*key || key_is_unique(pattern))
    return true;
  const PxConfigNode *node = section_of(project->config, "patterns", pattern->name);
  px_warn(complaints, node, "pattern %s: nothing in the database keeps its key (%s) unique: a row that matches two records will fail", pattern->name,
          key);
  bool indexed = false;
  if (!key_is_indexed(project, pattern, &indexed, error))
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
  if (!read_leaders(project, table, &leaders, error))
    return false;
  for (guint i = 0; i < leaders->len; i++)
    if (g_ascii_strcasecmp(leaders->pdata[i], column) == 0)
      return true;
  px_warn(complaints, section_of(project->config, "patterns", pattern->name),
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

/* ---- defaults */

/* Only warned of: a file may make the record before it needs it. */
static bool check_defaults(const PxProject *project, PxComplaints *complaints, GError **error) {
  for (size_t i = 0; i < px_patterns_count(project->patterns); i++) {
    const PxPattern *pattern = px_patterns_at(project->patterns, i);
    g_autoptr(GPtrArray) missing = px_load_missing_defaults(project->db, project->schema, pattern, error);
    if (!missing)
      return false;
    for (guint m = 0; m < missing->len; m++)
      px_warn(complaints, px_node_get(section_of(project->config, "patterns", pattern->name), "defaults"), "pattern %s: defaults: %s", pattern->name,
              (const char *)missing->pdata[m]);
  }
  return true;
}

/* ---- process_multi */

static void check_partitions(const PxProject *project, PxComplaints *complaints) {
  for (size_t i = 0; i < px_patterns_count(project->patterns); i++) {
    const PxPattern *pattern = px_patterns_at(project->patterns, i);
    g_autoptr(GPtrArray) reasons = pattern->partitions ? px_pattern_own_obstacles(pattern) : NULL;
    if (!reasons || reasons->len == 0)
      continue;
    g_ptr_array_add(reasons, NULL);
    g_autofree char *text = g_strjoinv("; ", (char **)reasons->pdata);
    px_warn(complaints, px_node_get(section_of(project->config, "patterns", pattern->name), "process_multi"),
            "pattern %s: process_multi has no effect, the rows are loaded one after the other: %s", pattern->name, text);
  }
}

/* ---- trust_references */

/* The models whose records the pattern writes: its own, and those of lists that end in fields. */
static void collect_written(const PxPattern *pattern, GPtrArray *models) {
  if (!g_ptr_array_find(models, pattern->model, NULL))
    g_ptr_array_add(models, (gpointer)(uintptr_t)pattern->model);
  for (size_t i = 0; i < pattern->n_fields; i++) {
    const PxExportField *entry = &pattern->fields[i];
    for (size_t p = 0; p < entry->n_path && entry->path[p] && entry->path[p]->type == PX_TYPE_ONE2MANY; p++)
      if (!g_ptr_array_find(models, entry->path[p]->target, NULL))
        g_ptr_array_add(models, (gpointer)(uintptr_t)entry->path[p]->target);
    if (entry->items)
      collect_written(entry->items, models);
  }
}

static bool complain_of_trust(const PxProject *project, const PxPattern *pattern, const PxConfigNode *node, PxComplaints *complaints,
                              GError **error) {
  g_autoptr(GPtrArray) models = g_ptr_array_new();
  collect_written(pattern, models);
  for (guint m = 0; m < models->len; m++) {
    const PxModel *model = models->pdata[m];
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    if (!px_records_trust_obstacles(project->db, model, reasons, error) || !px_records_untrusted_keys(project->db, model, keys, error))
      return false;
    for (guint i = 0; i < reasons->len; i++)
      px_complain(complaints, node, "pattern %s: trust_references is not possible with the table %s: %s", pattern->name, model->table,
                  (const char *)reasons->pdata[i]);
    for (guint i = 0; i < keys->len && !reasons->len; i++)
      px_warn(complaints, node, "pattern %s: trust_references has no effect on the table %s: its foreign key %s does not refer to a record by its id",
              pattern->name, model->table, (const char *)keys->pdata[i]);
  }
  return true;
}

static bool check_trust(const PxProject *project, PxComplaints *complaints, GError **error) {
  for (size_t i = 0; i < px_patterns_count(project->patterns); i++) {
    const PxPattern *pattern = px_patterns_at(project->patterns, i);
    const PxConfigNode *node = px_node_get(section_of(project->config, "patterns", pattern->name), "trust_references");
    if (!pattern->trust_references)
      continue;
    if (px_db_dialect(project->db) == PX_DIALECT_SQLITE)
      px_warn(complaints, node, "pattern %s: trust_references has no effect: SQLite has no triggers of foreign keys that could be skipped",
              pattern->name);
    else if (!complain_of_trust(project, pattern, node, complaints, error))
      return false;
  }
  return true;
}

/* ---- storages */

/* Each storage is asked; those that do not answer are told and counted, and the others are asked all the same. */
static void check_storages(const PxProject *project, PxComplaints *complaints, unsigned *ret_unreachable) {
  *ret_unreachable = 0;
  for (size_t i = 0; i < px_storages_count(project->storages); i++) {
    const char *name = px_storages_name(project->storages, i);
    g_autoptr(GError) problem = NULL;
    g_autoptr(PxStorage) storage = px_storage_open(project->storages, name, false, &problem);
    if (storage && px_storage_check(storage, true, &problem))
      continue;
    px_complain(complaints, section_of(project->config, "storages", name), "%s", problem->message);
    *ret_unreachable += g_error_matches(problem, PX_ERROR, PX_ERROR_UNREACHABLE) || g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT);
  }
}

/* ---- all of it */

/* ---- OpenPGP */

static void check_openpgp_key(const PxTask *task, const char *fingerprint, bool secret, PxComplaints *complaints) {
  g_autoptr(GError) error = NULL;
  if (!px_openpgp_check(task->openpgp, fingerprint, secret, &error))
    px_complain(complaints, task->node, "%s task %s: %s", px_task_kind_name(task->kind), task->name, error->message);
}

static void check_openpgp(const PxProject *project, PxComplaints *complaints) {
  for (size_t i = 0; i < px_tasks_count(project->tasks); i++) {
    const PxTask *task = px_tasks_at(project->tasks, i);
    for (char **key = task->signed_by; key && *key; key++)
      check_openpgp_key(task, *key, false, complaints);
    for (char **key = task->encrypt_to; key && *key; key++)
      check_openpgp_key(task, *key, false, complaints);
    if (task->sign_with)
      check_openpgp_key(task, task->sign_with, true, complaints);
  }
}

bool px_project_check(const PxProject *project, PxComplaints *complaints, unsigned *ret_unreachable, GError **error) {
  if (ret_unreachable)
    check_storages(project, complaints, ret_unreachable);
  check_partitions(project, complaints);
  check_openpgp(project, complaints);
  return check_defaults(project, complaints, error) && check_trust(project, complaints, error) && check_keys(project, complaints, error) &&
         check_lists(project, complaints, error) && px_project_warn_lost_names(project, complaints, error);
}
