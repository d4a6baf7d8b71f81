/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration that reads well may still get wrong: defaults that are not there, storages that do not answer, names that were lost. */
#include "flow/check_private.h"
#include "load/load.h"
#include "pattern/independence.h"

const PxConfigNode *px_section_of(const PxConfig *config, const char *section, const char *name) {
  return px_node_get(px_node_get(px_config_root(config), section), name);
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
      px_warn(complaints, px_node_get(px_section_of(project->config, "patterns", pattern->name), "defaults"), "pattern %s: defaults: %s",
              pattern->name, (const char *)missing->pdata[m]);
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
    px_warn(complaints, px_node_get(px_section_of(project->config, "patterns", pattern->name), "process_multi"),
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
    const PxConfigNode *node = px_node_get(px_section_of(project->config, "patterns", pattern->name), "trust_references");
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
    px_complain(complaints, px_section_of(project->config, "storages", name), "%s", problem->message);
    *ret_unreachable += g_error_matches(problem, PX_ERROR, PX_ERROR_UNREACHABLE) || g_error_matches(problem, PX_ERROR, PX_ERROR_TRANSIENT);
  }
}

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

/* ---- all of it */

bool px_project_check(const PxProject *project, PxComplaints *complaints, unsigned *ret_unreachable, GError **error) {
  if (ret_unreachable)
    check_storages(project, complaints, ret_unreachable);
  check_partitions(project, complaints);
  check_openpgp(project, complaints);
  return check_defaults(project, complaints, error) && check_trust(project, complaints, error) && px_check_searches(project, complaints, error) &&
         px_project_warn_lost_names(project, complaints, error);
}
