/* SPDX-License-Identifier: Apache-2.0 */
#include "task/task.h"

typedef struct {
  PxDb *db;
  PxConfig *config;
  PxSchema *schema;
  PxPatterns *patterns;
  PxStorages *storages;
  PxTasks *tasks;
  PxComplaints *complaints;
} Fixture;

static const char base[] = "storages:\n"
                           "  drop: {type: file, directory: /nowhere}\n"
                           "patterns:\n"
                           "  partner: {model: partner, format: csv, fields: [{field: email, key: true}, name]}\n";

static void set_up(Fixture *f, gconstpointer data) {
  const PxDbOptions options = {.url = "sqlite::memory:", .create = true};
  f->db = px_db_open(&options, NULL);
  g_assert_true(px_db_exec(f->db, "CREATE TABLE partner (id integer PRIMARY KEY, name text, email text UNIQUE, active boolean)", NULL));
  f->complaints = px_complaints_new();
}

static void tear_down(Fixture *f, gconstpointer data) {
  px_tasks_free(f->tasks);
  px_patterns_free(f->patterns);
  px_storages_free(f->storages);
  px_schema_free(f->schema);
  px_config_free(f->config);
  px_complaints_free(f->complaints);
  px_db_close(f->db);
}

static void read_tasks(Fixture *f, const char *sections) {
  g_autoptr(GError) error = NULL;
  g_autofree char *text = g_strconcat(base, sections, NULL);
  f->config = px_config_parse(text, "test.yaml", &error);
  g_assert_no_error(error);
  f->schema = px_schema_read(f->db, f->config, f->complaints, &error);
  g_assert_no_error(error);
  f->storages = px_storages_read(f->config, f->complaints);
  f->patterns = px_patterns_read(f->config, f->schema, NULL, f->complaints);
  g_assert_cmpuint(px_complaints_errors(f->complaints), ==, 0);
  f->tasks = px_tasks_read(f->config, f->patterns, f->storages, f->complaints);
}

static void defaults(Fixture *f, gconstpointer data) {
  read_tasks(f, "import_tasks: {in: {storage: drop}}\nexport_tasks: {out: {storage: drop, pattern: partner}}\n");
  g_assert_cmpuint(px_complaints_count(f->complaints), ==, 0);
  const PxTask *in = px_tasks_get(f->tasks, "in");
  g_assert_cmpint(in->kind, ==, PX_TASK_IMPORT);
  g_assert_true(in->active);
  g_assert_cmpstr(in->path, ==, "");
  g_assert_cmpint(in->after_import, ==, PX_AFTER_KEEP);
  g_assert_cmpint(in->on_exists, ==, PX_EXISTS_NUMBER);
  g_assert_cmpint(in->stable_for, ==, 2 * G_TIME_SPAN_SECOND);
  g_assert_cmpint(in->process, ==, PX_PROCESS_NOW);
  g_assert_true(px_task_takes(in, "anything"));
  const PxTask *out = px_tasks_get(f->tasks, "out");
  g_assert_cmpint(out->on_exists, ==, PX_EXISTS_REPLACE);
  g_assert_null(out->file_name);
  g_assert_null(out->upload_schedule);
}

static void every_key(Fixture *f, gconstpointer data) {
  read_tasks(f, "import_tasks:\n"
                "  in:\n"
                "    storage: drop\n"
                "    path: ./in//\n"
                "    files: '*.csv'\n"
                "    recursive: true\n"
                "    order: -time\n"
                "    max_files: 7\n"
                "    ready_file: '${obj.stem}.ok'\n"
                "    pattern: partner\n"
                "    after_import: move_rename\n"
                "    move_path: done\n"
                "    new_name: '${obj.stem}-${obj.id}${obj.suffix}'\n"
                "    avoid_duplicates: content\n"
                "    scope: all\n"
                "    error_path: errors\n"
                "    on_exists: fail\n"
                "    stable_for: 1m\n"
                "    process: '0 3 * * *'\n"
                "    schedule: every 30 minutes\n"
                "    active: false\n"
                "    renamed_from: old\n"
                "    failure_emails: [ops@example.com]\n"
                "upload_tasks: {evening: {storage: drop, path: out, schedule: '@daily'}}\n"
                "export_tasks:\n"
                "  out:\n"
                "    pattern: partner\n"
                "    filter: \"[('email', '!=', False)]\"\n"
                "    order: [-name, id]\n"
                "    file_name: 'p-${date:%Y}.csv'\n"
                "    upload_task: evening\n"
                "    skip_empty: true\n");
  g_assert_cmpuint(px_complaints_count(f->complaints), ==, 0);
  const PxTask *in = px_tasks_get(f->tasks, "in");
  g_assert_cmpstr(in->path, ==, "in");
  g_assert_true(px_task_takes(in, "a.csv"));
  g_assert_false(px_task_takes(in, "a.txt"));
  g_assert_false(px_task_takes(in, ".a.csv"));
  g_autofree char *ready = px_task_ready_name(in, "a.csv");
  g_assert_cmpstr(ready, ==, "a.ok");
  g_autofree char *beneath = px_task_beneath(in, in->move_path, "in/x/y");
  g_assert_cmpstr(beneath, ==, "done/x/y");
  g_autofree char *beside = px_task_beneath(in, in->move_path, "inner/x");
  g_assert_cmpstr(beside, ==, "done");
  g_assert_true(in->by_time && in->descending);
  g_assert_cmpuint(in->max_files, ==, 7);
  g_assert_cmpint(in->process, ==, PX_PROCESS_SCHEDULE);
  g_assert_cmpstr(px_schedule_text(in->schedule), ==, "every 30 minutes");
  g_assert_false(in->active);
  const PxTask *out = px_tasks_get(f->tasks, "out");
  g_assert_true(out->upload_task == px_tasks_get(f->tasks, "evening"));
  g_assert_cmpuint(out->n_order, ==, 2);
  g_assert_true(out->order_descending[0]);
  g_assert_nonnull(out->filter);
}

/* One mistake each, and a word that its complaint says. */
static const struct {
  const char *sections, *word;
} mistakes[] = {
  {"import_tasks: {in: {path: in}}", "storage is missing"},
  {"import_tasks: {in: {storage: drp}}", "drop"},
  {"import_tasks: {in: {storage: drop, pattern: partnr}}", "did you mean partner"},
  {"import_tasks: {in: {storage: drop, patern: partner}}", "pattern"},
  {"import_tasks: {in: {storage: drop, after_import: move}}", "move_path"},
  {"import_tasks: {in: {storage: drop, after_import: rename}}", "new_name"},
  {"import_tasks: {in: {storage: drop, path: in, after_import: move, move_path: in/}}", "for ever"},
  {"import_tasks: {in: {storage: drop, path: in, pattern: partner, error_path: in}}", "for ever"},
  {"import_tasks: {in: {storage: drop, path: ../in}}", ".."},
  {"import_tasks: {in: {storage: drop, files_regex: '('}}", "files_regex"},
  {"import_tasks: {in: {storage: drop, files: a, files_regex: a}}", "write one of them"},
  {"import_tasks: {in: {storage: drop, ready_file: '${date}.done'}}", "${obj.stem}"},
  {"import_tasks: {in: {storage: drop, ready_file: done}}", "the same for every file"},
  {"import_tasks: {in: {storage: drop, order: newest}}", "-time"},
  {"import_tasks: {in: {storage: drop, path: /in}}", "leading /"},
  {"import_tasks: {in: {storage: drop, schedule: soon}}", "every 30 minutes"},
  {"import_tasks: {in: {storage: drop, process: later}}", "every 30 minutes"},
  {"import_tasks: {in: {storage: drop, schedule: every 5 fortnights}}", "weeks or months"},
  {"import_tasks: {in: {storage: drop, schedule: '0 6 * * monday-fri'}}", "mon-fri"},
  {"import_tasks: {in: {storage: drop, schedule: every day, starting: tomorrow}}", "2026-01-31 06:00"},
  {"import_tasks: {in: {storage: drop, catch_up: twice}}", "once"},
  {"schedule: soon\nimport_tasks: {in: {storage: drop}}", "every 30 minutes"},
  {"catch_up: twice\nimport_tasks: {in: {storage: drop}}", "once"},
  {"import_tasks: {in: {storage: drop, failure_emails: [ops]}}", "ops@example.com"},
  {"import_tasks: {in: {storage: drop, after_import: rename, new_name: '${obj.nme}'}}", "obj.name"},
  {"import_tasks: {a: {storage: drop}}\nexport_tasks: {a: {storage: drop, pattern: partner}}", "another task"},
  {"export_tasks: {out: {storage: drop}}", "pattern"},
  {"export_tasks: {out: {storage: drop, pattern: partner, filter: \"[('nam', '=', 'x')]\"}}", "name"},
  {"export_tasks: {out: {storage: drop, pattern: partner, order: [nam]}}", "name"},
  {"export_tasks: {out: {pattern: partner, upload_task: night}}", "night"},
  {"export_tasks: {out: {storage: drop, pattern: partner, file_name: '${obj.name}'}}", "task.name"},
  {"upload_tasks: {night: {path: out}}", "storage is missing"},
  {"import_tasks: [in]", "import_tasks"},
};

static void mistake_is_told(Fixture *f, gconstpointer data) {
  size_t i = GPOINTER_TO_SIZE(data);
  read_tasks(f, mistakes[i].sections);
  g_assert_cmpuint(px_complaints_errors(f->complaints), ==, 1);
  const PxComplaint *complaint = px_complaints_at(f->complaints, 0);
  g_assert_cmpstr(complaint->file, ==, "test.yaml");
  g_assert_cmpuint(complaint->line, >, 4);
  if (!strstr(complaint->text, mistakes[i].word))
    g_error("\"%s\" does not say \"%s\"", complaint->text, mistakes[i].word);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/task/config/defaults", Fixture, NULL, set_up, defaults, tear_down);
  g_test_add("/task/config/every_key", Fixture, NULL, set_up, every_key, tear_down);
  for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
    g_autofree char *path = g_strdup_printf("/task/config/mistake/%02zu", i);
    g_test_add(path, Fixture, GSIZE_TO_POINTER(i), set_up, mistake_is_told, tear_down);
  }
  return g_test_run();
}
