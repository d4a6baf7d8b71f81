/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a configuration names, opened in the order in which one thing needs another. */
#include "flow/project.h"

#include "base/text.h"
#include "format/parser.h"

/* The keys at the top of a configuration. Sections are read by their rooms. */
typedef struct {
  char *database, *filestore, *timezone, *channels; /* channels: for its type only */
  int64_t keep_jobs, keep_files;
  const PxConfigNode *section;
} Top;

#define KEEP_JOBS (30 * G_TIME_SPAN_DAY)

#define SECTION(key)                                                                                                                                 \
  { .name = (key), .type = PX_KEY_NODE, .offset = offsetof(Top, section) }

static const PxKey keys[] = {
  {.name = "database", .type = PX_KEY_STRING, .offset = offsetof(Top, database), .required = true},
  {.name = "filestore", .type = PX_KEY_STRING, .offset = offsetof(Top, filestore)},
  {.name = "timezone", .type = PX_KEY_STRING, .offset = offsetof(Top, timezone)},
  {.name = "channels", .type = PX_KEY_STRING, .offset = offsetof(Top, channels)},
  {.name = "keep_jobs", .type = PX_KEY_DURATION, .offset = offsetof(Top, keep_jobs)},
  {.name = "keep_files", .type = PX_KEY_DURATION, .offset = offsetof(Top, keep_files)},
  SECTION("mail"),
  SECTION("webhook"),
  SECTION("failure_emails"),
  SECTION("base_url"),
  SECTION("schedule"),
  SECTION("catch_up"),
  SECTION("include"),
  SECTION("serve"),
  SECTION("log"),
  SECTION("openpgp"),
  SECTION("schemas"),
  SECTION("models"),
  SECTION("storages"),
  SECTION("filters"),
  SECTION("patterns"),
  SECTION("import_tasks"),
  SECTION("export_tasks"),
  SECTION("upload_tasks"),
};

static void clear_top(Top *top) {
  g_free(top->database);
  g_free(top->filestore);
  g_free(top->timezone);
  g_free(top->channels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Top, clear_top)

static int64_t system_now(void *data) {
  return g_get_real_time();
}

int64_t px_project_now(const PxProject *project) {
  return project->now(project->now_data);
}

bool px_project_stopped(const PxProject *project, GError **error) {
  if (!project->stop || !*project->stop)
    return false;
  g_set_error(error, PX_ERROR, PX_ERROR_STOPPED, "stopped; it goes on when the program runs again");
  return true;
}

/* ---- opening */

static GTimeZone *read_timezone(const PxConfig *config, const char *name, PxComplaints *complaints) {
  if (!name)
    return g_time_zone_new_utc();
  GTimeZone *timezone = g_time_zone_new_identifier(name);
  if (timezone)
    return timezone;
  px_complain(complaints, px_node_get(px_config_root(config), "timezone"),
              "timezone: \"%s\" is not known: write a name of the time zone database such as Europe/Paris", name);
  return g_time_zone_new_utc();
}

static PxDb *open_db(const PxProjectOptions *options, const PxConfig *config, const char *database, GError **error) {
  static const char scheme[] = "sqlite:";
  g_autofree char *url = NULL;
  if (g_str_has_prefix(database, scheme) && !g_str_equal(database, "sqlite::memory:")) {
    g_autofree char *path = px_config_resolve_path(config, database + strlen(scheme));
    url = g_strconcat(scheme, path, NULL);
  }
  const PxDbOptions db_options = {.url = url ? url : database, .dry_run = options->dry_run, .create = options->create_database};
  g_autoptr(PxDb) db = px_db_open(&db_options, error);
  if (db && !options->no_migrate && !px_db_migrate(db, error))
    return NULL;
  return g_steal_pointer(&db);
}

static PxFilestore *new_filestore(PxProject *project, const char *said, GError **error) {
  if (g_str_equal(said, "database"))
    return px_filestore_open_kept(&px_blob_keeper, project->db, "in the database", project->dry_run, error);
  for (size_t i = 0; i < px_storages_count(project->storages); i++) {
    if (!g_str_equal(said, px_storages_name(project->storages, i)))
      continue;
    g_autofree char *where = g_strdup_printf("in the storage %s", said);
    project->blobs = px_blob_storage_new(project->db, project->storages, said);
    return px_filestore_open_kept(&px_blob_storage_keeper, project->blobs, where, project->dry_run, error);
  }
  g_autofree char *directory = px_config_resolve_path(project->config, said);
  return px_filestore_open(directory, project->dry_run, error);
}

/* ---- renamed_from */

static const char *const task_sections[] = {"import_tasks", "export_tasks", "upload_tasks", NULL};
static const char *const pattern_sections[] = {"patterns", NULL};
static const char *const storage_sections[] = {"storages", NULL};
static const char *const *const sections_of[] = {task_sections, pattern_sections, storage_sections};
static const char *const words[] = {"task", "pattern", "storage"};

static bool rename_one(PxDb *db, PxHistoryKind kind, const char *from, const char *to, GError **error) {
  if (!px_db_begin(db, PX_TX_WRITE, error))
    return false;
  if (px_history_rename(db, kind, from, to, error) && px_db_commit(db, error))
    return true;
  px_db_rollback(db);
  return false;
}

static bool rename_section(PxDb *db, PxHistoryKind kind, const PxConfigNode *section, const char *const *known, GError **error) {
  for (size_t i = 0; px_node_type(section) == PX_NODE_MAP && i < px_node_count(section); i++) {
    const char *from = px_node_text(px_node_get(px_node_at(section, i), "renamed_from"));
    if (from && g_strv_contains(known, from) && !rename_one(db, kind, from, px_node_key_at(section, i), error))
      return false;
  }
  return true;
}

static bool rename_history(const PxProject *project, GError **error) {
  for (PxHistoryKind kind = PX_HISTORY_TASK; kind <= PX_HISTORY_STORAGE; kind++) {
    g_auto(GStrv) known = px_history_names(project->db, kind, error);
    if (!known)
      return false;
    for (const char *const *section = sections_of[kind]; *section; section++)
      if (!rename_section(project->db, kind, px_node_get(px_config_root(project->config), *section), (const char *const *)known, error))
        return false;
  }
  return true;
}

bool px_project_warn_lost_names(const PxProject *project, PxComplaints *complaints, GError **error) {
  const PxConfigNode *root = px_config_root(project->config);
  for (PxHistoryKind kind = PX_HISTORY_TASK; kind <= PX_HISTORY_STORAGE; kind++) {
    g_auto(GStrv) known = px_history_names(project->db, kind, error);
    if (!known)
      return false;
    for (char **name = known; *name; name++) {
      bool there = false;
      for (const char *const *section = sections_of[kind]; *section; section++)
        there |= px_node_get(px_node_get(root, *section), *name) != NULL;
      if (!there)
        px_warn(complaints, NULL,
                "%s %s has a history but is not in the configuration any more; if it has another name now, write renamed_from: %s there", words[kind],
                *name, *name);
    }
  }
  return true;
}

/* ---- all of it */

/* Once is enough. */
static void warn_of_emails(const PxProject *project, PxComplaints *complaints) {
  for (size_t i = 0; !project->notices->mail && i < px_tasks_count(project->tasks); i++) {
    const PxTask *task = px_tasks_at(project->tasks, i);
    if (!task->failure_emails || !*task->failure_emails)
      continue;
    px_warn(complaints, px_node_get(task->node, "failure_emails"), "%s task %s: failure_emails has no effect without mail: (server and from)",
            px_task_kind_name(task->kind), task->name);
    return;
  }
}

static bool read_sections(PxProject *project, PxComplaints *complaints, GError **error) {
  project->schema = px_schema_read(project->db, project->config, complaints, error);
  if (!project->schema)
    return false;
  project->storages = px_storages_read(project->config, complaints);
  project->patterns = px_patterns_read(project->config, project->schema, project->timezone, complaints);
  if (!px_patterns_check_values(project->patterns, project->db, complaints, error))
    return false;
  project->tasks = px_tasks_read(project->config, project->patterns, project->storages, complaints);
  project->notices = px_notices_read(project->config, complaints);
  warn_of_emails(project, complaints);
  return true;
}

static bool open_all(PxProject *project, const PxProjectOptions *options, PxComplaints *complaints, bool shows_all, GError **error) {
  g_auto(Top) top = {.keep_jobs = KEEP_JOBS};
  px_config_read(px_config_root(project->config), keys, G_N_ELEMENTS(keys), &top, "the configuration", complaints);
  project->timezone = read_timezone(project->config, top.timezone, complaints);
  project->keep_jobs = top.keep_jobs;
  project->keep_files = top.keep_files;
  project->channels = px_channels_read(px_node_get(px_config_root(project->config), "channels"), complaints);
  if (!top.database)
    return px_complaints_to_error(complaints, error);
  project->db = open_db(options, project->config, top.database, error);
  if (!project->db || !read_sections(project, complaints, error))
    return false;
  if (px_complaints_errors(complaints) > 0)
    return shows_all || px_complaints_to_error(complaints, error);
  if (!options->no_migrate && !rename_history(project, error))
    return false;
  if (!options->no_files)
    project->filestore = new_filestore(project, top.filestore ? top.filestore : "filestore", error);
  return options->no_files || project->filestore;
}

static void close_storage(void *storage) {
  px_storage_close(storage);
}

PxProject *px_project_open(const PxProjectOptions *options, PxComplaints *complaints, GError **error) {
  g_autoptr(PxComplaints) own = px_complaints_new();
  g_autoptr(PxProject) project = g_new0(PxProject, 1);
  project->dry_run = options->dry_run;
  project->in_use = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_storage);
  project->now = options->now ? options->now : system_now;
  project->now_data = options->now_data;
  project->stop = options->stop;
  if (!options->config)
    project->own_config = px_config_load(options->paths, options->n_paths, error);
  project->config = options->config ? options->config : project->own_config;
  if (!project->config || !open_all(project, options, complaints ? complaints : own, complaints != NULL, error))
    return NULL;
  return g_steal_pointer(&project);
}

PxStorage *px_project_storage(PxProject *project, const char *name, GError **error) {
  PxStorage *storage = g_hash_table_lookup(project->in_use, name);
  if (storage && px_storage_keeps_connection(storage))
    return storage;
  storage = px_storage_open(project->storages, name, project->dry_run, error);
  if (storage)
    g_hash_table_replace(project->in_use, g_strdup(name), storage);
  return storage;
}

void px_project_rest(PxProject *project) {
  px_parser_rest();
  g_hash_table_remove_all(project->in_use);
  if (project->blobs)
    px_blob_storage_rest(project->blobs);
}

void px_project_close(PxProject *project) {
  if (!project)
    return;
  px_parser_rest();
  g_hash_table_unref(project->in_use);
  px_filestore_close(project->filestore);
  px_blob_storage_free(project->blobs);
  px_tasks_free(project->tasks);
  px_notices_free(project->notices);
  px_patterns_free(project->patterns);
  px_storages_free(project->storages);
  px_schema_free(project->schema);
  px_db_close(project->db);
  px_config_free(project->own_config);
  g_clear_pointer(&project->timezone, g_time_zone_unref);
  px_channels_free(project->channels);
  g_free(project);
}

#define MOST_NAMES 20

/* Where no name is close, all of them: "; there are a, b". */
static char *names_known(char *meant, size_t n, const char *(*name_at)(const void *, size_t), const void *list) {
  if (*meant || n == 0)
    return meant;
  GString *names = g_string_new("; there ");
  g_string_append(names, n == 1 ? "is " : "are ");
  for (size_t i = 0; i < MIN(n, MOST_NAMES); i++)
    g_string_append_printf(names, "%s%s", i ? ", " : "", name_at(list, i));
  g_string_append(names, n > MOST_NAMES ? " ..." : "");
  g_free(meant);
  return g_string_free(names, FALSE);
}

static const char *pattern_name(const void *patterns, size_t i) {
  return px_patterns_at(patterns, i)->name;
}

static const char *task_name(const void *tasks, size_t i) {
  return px_tasks_at(tasks, i)->name;
}

const PxPattern *px_project_pattern(const PxProject *project, const char *name, GError **error) {
  const PxPattern *pattern = px_patterns_get(project->patterns, name);
  if (!pattern) {
    g_autofree char *hint =
      names_known(px_patterns_did_you_mean(project->patterns, name), px_patterns_count(project->patterns), pattern_name, project->patterns);
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there is no pattern \"%s\"%s", name, hint);
  }
  return pattern;
}

const PxTask *px_project_task(const PxProject *project, const char *name, GError **error) {
  const PxTask *task = px_tasks_get(project->tasks, name);
  if (!task) {
    g_autofree char *hint = names_known(px_tasks_did_you_mean(project->tasks, name), px_tasks_count(project->tasks), task_name, project->tasks);
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "there is no task \"%s\"%s", name, hint);
  }
  return task;
}
