/* SPDX-License-Identifier: Apache-2.0 */
/* The sections import_tasks, export_tasks and upload_tasks of a configuration. */
#include "base/text.h"
#include "task/task.h"
#include "task/task_private.h"

#include <fnmatch.h>

static const char *const kind_names[] = {"import", "export", "upload"};
static const char *const sections[] = {"import_tasks", "export_tasks", "upload_tasks"};

static const char *const exists_choices[] = {"number", "replace", "fail", NULL};
static const char *const after_choices[] = {"keep", "rename", "move", "move_rename", "delete", NULL};
static const char *const duplicates_choices[] = {"no", "name", "content", NULL};
static const char *const catch_up_choices[] = {"once", "all", "none", NULL};
static const char *const scope_choices[] = {"task", "all", NULL};
static const char *const receipt_choices[] = {"json", "text", NULL};
static const char *const compress_choices[] = {"no", "gzip", "zip", NULL}; /* as PxPacking */
static const char *const order_choices[] = {"name", "-name", "time", "-time", NULL};

#define NOT_SAID UINT64_MAX

/* A task as written; texts that mean more are read afterwards. */
typedef struct {
  char *storage, *path, *schedule, *renamed_from, *pattern, *files, *move_path, *new_name, *error_path, *process, *file_name, *upload_schedule,
    *upload_task, *starting, *files_regex, *ready_file, *receipt_path, *sign_with;
  char **failure_emails, **order, **signed_by, **encrypt_to;
  int on_exists, after_import, avoid_duplicates, scope, catch_up, pick_order, receipt_format, compress;
  bool active, skip_empty, recursive, archives, decrypt;
  uint64_t max_files;
  char *channel;
  uint64_t priority;
  const PxConfigNode *retry, *expect;
  int64_t stable_for;
  const PxConfigNode *filter;
} Raw;

#define STRING(key, member)                                                                                                                          \
  { .name = (key), .type = PX_KEY_STRING, .offset = offsetof(Raw, member) }
#define CHOICE(key, member, words)                                                                                                                   \
  { .name = (key), .type = PX_KEY_CHOICE, .offset = offsetof(Raw, member), .choices = (words) }
#define OF_EVERY_TASK                                                                                                                                \
  STRING("storage", storage), STRING("path", path), STRING("schedule", schedule), STRING("starting", starting),                                      \
    CHOICE("catch_up", catch_up, catch_up_choices), STRING("renamed_from", renamed_from), CHOICE("on_exists", on_exists, exists_choices),            \
    {.name = "active", .type = PX_KEY_BOOLEAN, .offset = offsetof(Raw, active)}, STRING("channel", channel),                                         \
    {.name = "priority", .type = PX_KEY_UNSIGNED, .offset = offsetof(Raw, priority), .max = 1000000},                                                \
    {.name = "retry", .type = PX_KEY_NODE, .offset = offsetof(Raw, retry)}, {                                                                        \
    .name = "failure_emails", .type = PX_KEY_STRINGS, .offset = offsetof(Raw, failure_emails)                                                        \
  }

static const PxKey import_keys[] = {
  OF_EVERY_TASK,
  STRING("pattern", pattern),
  STRING("files", files),
  STRING("files_regex", files_regex),
  STRING("ready_file", ready_file),
  CHOICE("order", pick_order, order_choices),
  {.name = "decrypt", .type = PX_KEY_BOOLEAN, .offset = offsetof(Raw, decrypt)},
  {.name = "signed_by", .type = PX_KEY_STRINGS, .offset = offsetof(Raw, signed_by)},
  {.name = "archives", .type = PX_KEY_BOOLEAN, .offset = offsetof(Raw, archives)},
  {.name = "recursive", .type = PX_KEY_BOOLEAN, .offset = offsetof(Raw, recursive)},
  {.name = "max_files", .type = PX_KEY_UNSIGNED, .offset = offsetof(Raw, max_files), .max = 1000000000},
  CHOICE("after_import", after_import, after_choices),
  STRING("move_path", move_path),
  STRING("new_name", new_name),
  CHOICE("avoid_duplicates", avoid_duplicates, duplicates_choices),
  CHOICE("scope", scope, scope_choices),
  STRING("error_path", error_path),
  STRING("receipt_path", receipt_path),
  CHOICE("receipt_format", receipt_format, receipt_choices),
  {.name = "stable_for", .type = PX_KEY_DURATION, .offset = offsetof(Raw, stable_for)},
  STRING("process", process),
  {.name = "expect", .type = PX_KEY_NODE, .offset = offsetof(Raw, expect)},
};

static const PxKey export_keys[] = {
  OF_EVERY_TASK,
  {.name = "pattern", .type = PX_KEY_STRING, .offset = offsetof(Raw, pattern), .required = true},
  {.name = "filter", .type = PX_KEY_NODE, .offset = offsetof(Raw, filter)},
  {.name = "order", .type = PX_KEY_STRINGS, .offset = offsetof(Raw, order)},
  STRING("file_name", file_name),
  STRING("upload_schedule", upload_schedule),
  STRING("upload_task", upload_task),
  {.name = "encrypt_to", .type = PX_KEY_STRINGS, .offset = offsetof(Raw, encrypt_to)},
  STRING("sign_with", sign_with),
  CHOICE("compress", compress, compress_choices),
  {.name = "skip_empty", .type = PX_KEY_BOOLEAN, .offset = offsetof(Raw, skip_empty)},
};

static const PxKey upload_keys[] = {OF_EVERY_TASK};

static const struct {
  const PxKey *keys;
  size_t n_keys;
  PxOnExists on_exists;
} kinds[] = {
  {import_keys, G_N_ELEMENTS(import_keys), PX_EXISTS_NUMBER},
  {export_keys, G_N_ELEMENTS(export_keys), PX_EXISTS_REPLACE},
  {upload_keys, G_N_ELEMENTS(upload_keys), PX_EXISTS_REPLACE},
};

struct PxTasks {
  PxOpenPgp openpgp;
  GPtrArray *tasks; /* PxTask *, in the order of the sections and of the file */
};

/* What the top of the configuration says for all tasks. */
typedef struct {
  const PxConfigNode *schedule; /* NULL: none */
  int catch_up;
} Defaults;

/* What reading one task needs. */
typedef struct {
  PxTasks *tasks;
  const PxPatterns *patterns;
  const PxStorages *storages;
  PxComplaints *complaints;
  Defaults defaults;
  const PxConfigNode *node; /* the task's section */
  const char *what;         /* "import task partners-in" */
} Reader;

static void clear_raw(Raw *raw) {
  char *const owned[] = {raw->storage,     raw->path,     raw->schedule,    raw->renamed_from, raw->pattern,      raw->files,
                         raw->move_path,   raw->new_name, raw->error_path,  raw->process,      raw->file_name,    raw->upload_schedule,
                         raw->upload_task, raw->starting, raw->files_regex, raw->ready_file,   raw->receipt_path, raw->sign_with};
  for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
    g_free(owned[i]);
  g_strfreev(raw->failure_emails);
  g_free(raw->channel);
  g_strfreev(raw->order);
  g_strfreev(raw->signed_by);
  g_strfreev(raw->encrypt_to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Raw, clear_raw)

static const PxConfigNode *place_of(const Reader *reader, const char *key) {
  const PxConfigNode *node = px_node_get(reader->node, key);
  return node ? node : reader->node;
}

static void complain_error(const Reader *reader, const char *key, const GError *error) {
  px_complain(reader->complaints, place_of(reader, key), "%s: %s: %s", reader->what, key, error->message);
}

/* ---- single settings */

static PxSchedule *read_schedule(const Reader *reader, const char *key, const char *text) {
  g_autoptr(GError) error = NULL;
  PxSchedule *schedule = text ? px_schedule_parse(text, &error) : NULL;
  if (error)
    complain_error(reader, key, error);
  return schedule;
}

static bool is_by_hand(const char *text) {
  return g_ascii_strcasecmp(text, "none") == 0 || g_ascii_strcasecmp(text, "manual") == 0;
}

/* The task's own schedule, or the one at the top, which has been complained of there. */
static PxSchedule *read_main_schedule(const Reader *reader, const Raw *raw) {
  g_autoptr(GError) error = NULL;
  const char *all = px_node_text(reader->defaults.schedule);
  g_autoptr(PxSchedule) schedule = NULL;
  if (raw->schedule)
    schedule = is_by_hand(raw->schedule) ? NULL : read_schedule(reader, "schedule", raw->schedule);
  else if (all && !is_by_hand(all))
    schedule = px_schedule_parse(all, &error);
  g_clear_error(&error);
  if (raw->starting && schedule && !px_schedule_start(schedule, raw->starting, &error))
    complain_error(reader, "starting", error);
  else if (raw->starting && !schedule && (!raw->schedule || is_by_hand(raw->schedule)))
    px_warn(reader->complaints, place_of(reader, "starting"), "%s: starting has no effect without a schedule", reader->what);
  return g_steal_pointer(&schedule);
}

static PxTemplate *read_template(const Reader *reader, const char *key, const char *text, PxTemplateUse use) {
  g_autoptr(GError) error = NULL;
  PxTemplate *template = text ? px_template_parse(text, use, &error) : NULL;
  if (error)
    complain_error(reader, key, error);
  return template;
}

/* A path without blanks around and slashes at its ends; complains of one that leaves the storage. */
static char *read_path(const Reader *reader, const char *key, const char *text) {
  g_auto(GStrv) parts = g_strsplit(text, "/", -1);
  g_autoptr(GStrvBuilder) kept = g_strv_builder_new();
  bool wrong = *text == '/';
  for (char **part = parts; *part; part++) {
    wrong |= strcmp(*part, "..") == 0;
    if (**part && strcmp(*part, ".") != 0)
      g_strv_builder_add(kept, *part);
  }
  if (wrong)
    px_complain(reader->complaints, place_of(reader, key),
                "%s: %s: a path is relative to the storage's directory and stays in it: write it without %s", reader->what, key,
                *text == '/' ? "the leading /" : "..");
  g_auto(GStrv) words = g_strv_builder_end(kept);
  return g_strjoinv("/", words);
}

static char *read_optional_path(const Reader *reader, const char *key, const char *text) {
  return text ? read_path(reader, key, text) : NULL;
}

static void check_emails(const Reader *reader, char **emails) {
  for (char **email = emails; email && *email; email++) {
    if (!px_text_is_address(*email))
      px_complain(reader->complaints, place_of(reader, "failure_emails"),
                  "%s: failure_emails: \"%s\" is no address: write one such as ops@example.com", reader->what, *email);
  }
}

/* How its jobs stand in the queue. */
static void read_queueing(const Reader *reader, PxTask *task, const Raw *raw) {
  task->priority = raw->priority == NOT_SAID ? -1 : (int64_t)raw->priority;
  task->retry = px_retry_read(raw->retry, reader->what, reader->complaints);
  task->channel = raw->channel ? px_config_parse_channel(raw->channel) : NULL;
  if (raw->channel && !task->channel)
    px_complain(reader->complaints, place_of(reader, "channel"), "%s: channel: \"%s\" is no name of a channel: write one such as root.pattern.import",
                reader->what, raw->channel);
}

static void check_storage(const Reader *reader, const char *name) {
  size_t n = px_storages_count(reader->storages);
  g_autofree const char **names = g_new0(const char *, n + 1);
  for (size_t i = 0; i < n; i++) {
    names[i] = px_storages_name(reader->storages, i);
    if (strcmp(names[i], name) == 0)
      return;
  }
  g_autofree char *hint = px_text_did_you_mean(name, names, n);
  px_complain(reader->complaints, place_of(reader, "storage"), "%s: there is no storage \"%s\"%s", reader->what, name, hint);
}

static const PxPattern *read_pattern(const Reader *reader, const char *name) {
  const PxPattern *pattern = px_patterns_get(reader->patterns, name);
  if (!pattern) {
    g_autofree char *hint = px_patterns_did_you_mean(reader->patterns, name);
    px_complain(reader->complaints, place_of(reader, "pattern"), "%s: there is no pattern \"%s\"%s", reader->what, name, hint);
  }
  return pattern;
}

/* ---- OpenPGP */

static void check_fingerprint(const Reader *reader, const char *key, const char *text) {
  if (!px_openpgp_is_fingerprint(text))
    px_complain(reader->complaints, place_of(reader, key), "%s: %s: \"%s\" is no fingerprint: write all 40 digits, as gpg --list-keys shows them",
                reader->what, key, text);
}

/* NULL: there are none. */
static char **read_fingerprints(const Reader *reader, const char *key, char ***words) {
  char **list = g_steal_pointer(words);
  if (list && !*list)
    px_complain(reader->complaints, place_of(reader, key), "%s: %s: the list is empty: write the fingerprint of a key", reader->what, key);
  for (char **word = list; word && *word; word++)
    check_fingerprint(reader, key, *word);
  return list;
}

static void read_decryption(const Reader *reader, PxTask *task, Raw *raw) {
  task->decrypt = raw->decrypt;
  task->signed_by = read_fingerprints(reader, "signed_by", &raw->signed_by);
  if (task->signed_by && !task->decrypt)
    px_complain(reader->complaints, place_of(reader, "signed_by"), "%s: signed_by needs decrypt: true", reader->what);
  if (task->decrypt && !raw->pattern)
    px_warn(reader->complaints, place_of(reader, "decrypt"), "%s: decrypt has no effect without a pattern", reader->what);
}

static void read_encryption(const Reader *reader, PxTask *task, Raw *raw) {
  task->encrypt_to = read_fingerprints(reader, "encrypt_to", &raw->encrypt_to);
  task->sign_with = g_steal_pointer(&raw->sign_with);
  if (task->sign_with)
    check_fingerprint(reader, "sign_with", task->sign_with);
  if (task->sign_with && !task->encrypt_to)
    px_complain(reader->complaints, place_of(reader, "sign_with"), "%s: sign_with needs encrypt_to: only what is encrypted is signed", reader->what);
}

/* ---- import tasks */

static void read_process(const Reader *reader, PxTask *task, const char *text) {
  if (!text || strcmp(text, "now") == 0)
    return;
  task->process = strcmp(text, "manual") == 0 ? PX_PROCESS_MANUAL : PX_PROCESS_SCHEDULE;
  if (task->process == PX_PROCESS_SCHEDULE)
    task->process_schedule = read_schedule(reader, "process", text);
}

/* Which settings an after_import needs, and which have no effect with it. */
static void check_after_import(const Reader *reader, const PxTask *task, const Raw *raw) {
  static const struct {
    bool moves, renames;
  } needs[] = {
    [PX_AFTER_RENAME] = {.renames = true},
    [PX_AFTER_MOVE] = {.moves = true},
    [PX_AFTER_MOVE_RENAME] = {.moves = true, .renames = true},
    [PX_AFTER_DELETE] = {false, false},
  };
  bool moves = needs[task->after_import].moves;
  bool renames = needs[task->after_import].renames;
  const char *word = after_choices[task->after_import];
  if (moves && !raw->move_path)
    px_complain(reader->complaints, reader->node, "%s: after_import: %s needs move_path: the folder in the storage where imported files go",
                reader->what, word);
  if (renames && !raw->new_name)
    px_complain(reader->complaints, reader->node, "%s: after_import: %s needs new_name, such as \"${obj.stem}-${obj.create_date}${obj.suffix}\"",
                reader->what, word);
  if (!moves && raw->move_path)
    px_warn(reader->complaints, place_of(reader, "move_path"), "%s: move_path has no effect with after_import: %s", reader->what, word);
  if (!renames && raw->new_name)
    px_warn(reader->complaints, place_of(reader, "new_name"), "%s: new_name has no effect with after_import: %s", reader->what, word);
  if (moves && task->move_path && strcmp(task->move_path, task->path) == 0)
    px_complain(reader->complaints, place_of(reader, "move_path"),
                "%s: move_path is the folder that files are fetched from: each would be imported again for ever; write another one", reader->what);
}

/* A whole name has to match, so that "a.csv" is not "data.csv.part". */
static GRegex *read_regex(const Reader *reader, const char *text) {
  g_autoptr(GError) error = NULL;
  g_autofree char *whole = text ? g_strdup_printf("\\A(?:%s)\\z", text) : NULL;
  GRegex *alone = text ? g_regex_new(text, 0, 0, &error) : NULL;
  g_autoptr(GRegex) checked = alone;
  GRegex *regex = alone ? g_regex_new(whole, G_REGEX_OPTIMIZE, 0, &error) : NULL;
  if (error)
    complain_error(reader, "files_regex", error);
  return regex;
}

/* Which files, and in which order. */
static void read_files(const Reader *reader, PxTask *task, Raw *raw) {
  task->files = g_steal_pointer(&raw->files);
  task->files_regex = read_regex(reader, raw->files_regex);
  task->ready_file = read_template(reader, "ready_file", raw->ready_file, PX_TEMPLATE_READY);
  task->recursive = raw->recursive;
  task->archives = raw->archives;
  task->max_files = raw->max_files;
  task->by_time = g_str_has_suffix(order_choices[raw->pick_order], "time");
  task->descending = order_choices[raw->pick_order][0] == '-';
  if (task->files && raw->files_regex)
    px_complain(reader->complaints, place_of(reader, "files_regex"), "%s: files and files_regex both say which files are taken: write one of them",
                reader->what);
}

/* A folder in which something is put for the partner. */
static char *read_folder_back(const Reader *reader, const PxTask *task, const char *key, const char *text, const char *what) {
  char *path = read_optional_path(reader, key, text);
  if (path && strcmp(path, task->path) == 0)
    px_complain(reader->complaints, place_of(reader, key),
                "%s: %s is the folder that files are fetched from: %s would come back for ever; write another one", reader->what, key, what);
  if (path && !task->pattern && !px_node_text(px_node_get(reader->node, "pattern")))
    px_warn(reader->complaints, place_of(reader, key), "%s: %s has no effect without a pattern", reader->what, key);
  return path;
}

static void read_feedback(const Reader *reader, PxTask *task, const Raw *raw) {
  task->error_path = read_folder_back(reader, task, "error_path", raw->error_path, "bad rows");
  task->receipt_path = read_folder_back(reader, task, "receipt_path", raw->receipt_path, "receipts");
  task->receipt_format = (PxReceiptFormat)raw->receipt_format;
  if (!task->receipt_path && px_node_get(reader->node, "receipt_format"))
    px_warn(reader->complaints, place_of(reader, "receipt_format"), "%s: receipt_format has no effect without receipt_path", reader->what);
}

static void read_import(const Reader *reader, PxTask *task, Raw *raw) {
  read_files(reader, task, raw);
  read_decryption(reader, task, raw);
  task->after_import = (PxAfterImport)raw->after_import;
  task->move_path = read_optional_path(reader, "move_path", raw->move_path);
  task->new_name = read_template(reader, "new_name", raw->new_name, PX_TEMPLATE_FETCHED);
  task->avoid_duplicates = (PxDuplicates)raw->avoid_duplicates;
  task->scope = (PxScope)raw->scope;
  task->stable_for = raw->stable_for;
  if (!task->storage)
    px_complain(reader->complaints, reader->node, "%s: storage is missing: the name of a storage that files are fetched from", reader->what);
  if (raw->pattern)
    task->pattern = read_pattern(reader, raw->pattern);
  if (task->pattern && task->pattern->model->read_only)
    px_complain(reader->complaints, place_of(reader, "pattern"), "%s: the records of %s, a view, are exported, not imported", reader->what,
                task->pattern->model->name);
  read_process(reader, task, raw->process);
  task->expect = px_expect_read(raw->expect, reader->what, reader->complaints);
  check_after_import(reader, task, raw);
  read_feedback(reader, task, raw);
}

/* ---- export tasks */

static void read_order(const Reader *reader, PxTask *task, char **words) {
  size_t n = words ? g_strv_length(words) : 0;
  task->order = g_new0(const PxField *, n + 1);
  task->order_descending = g_new0(bool, n + 1);
  for (size_t i = 0; i < n; i++) {
    bool descending = words[i][0] == '-';
    const char *name = words[i] + descending;
    const PxField *field = px_model_field(task->pattern->model, name);
    if (!field || px_field_is_x2many(field)) {
      g_autofree char *hint = field ? g_strdup("") : px_model_did_you_mean(task->pattern->model, name);
      px_complain(reader->complaints, place_of(reader, "order"), "%s: order: %s has no field \"%s\" to order by%s", reader->what,
                  task->pattern->model->name, name, hint);
      continue;
    }
    task->order[task->n_order] = field;
    task->order_descending[task->n_order++] = descending;
  }
}

static void read_filter(const Reader *reader, PxTask *task, const PxConfigNode *node) {
  g_autoptr(GError) error = NULL;
  task->filter = node ? px_patterns_domain_from_node(reader->patterns, task->pattern->model, node, &error) : NULL;
  if (error)
    complain_error(reader, "filter", error);
}

static const PxTask *read_upload_task(const Reader *reader, const char *name) {
  const PxTask *task = px_tasks_get(reader->tasks, name);
  if (task && task->kind == PX_TASK_UPLOAD)
    return task;
  px_complain(reader->complaints, place_of(reader, "upload_task"), "%s: upload_tasks has no \"%s\"", reader->what, name);
  return NULL;
}

static void read_export(const Reader *reader, PxTask *task, Raw *raw) {
  if (raw->pattern)
    task->pattern = read_pattern(reader, raw->pattern);
  if (task->pattern) {
    read_filter(reader, task, raw->filter);
    read_order(reader, task, raw->order);
  }
  task->file_name = read_template(reader, "file_name", raw->file_name, PX_TEMPLATE_EXPORTED);
  task->upload_schedule = read_schedule(reader, "upload_schedule", raw->upload_schedule);
  task->skip_empty = raw->skip_empty;
  task->compress = (PxPacking)raw->compress;
  read_encryption(reader, task, raw);
  if (!raw->upload_task)
    return;
  task->upload_task = read_upload_task(reader, raw->upload_task);
  if (raw->storage || raw->upload_schedule)
    px_complain(reader->complaints, place_of(reader, "upload_task"),
                "%s: the upload task has the storage, the path and the schedule: write them there, not here", reader->what);
}

static void read_upload(const Reader *reader, PxTask *task) {
  if (!task->storage)
    px_complain(reader->complaints, reader->node, "%s: storage is missing: the name of a storage that files are sent to", reader->what);
}

/* ---- all of them */

static void free_task(gpointer data) {
  PxTask *task = data;
  char *const owned[] = {task->storage, task->path, task->renamed_from, task->files, task->move_path, task->error_path, task->receipt_path};
  for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
    g_free(owned[i]);
  g_strfreev(task->failure_emails);
  g_strfreev(task->signed_by);
  g_strfreev(task->encrypt_to);
  g_free(task->sign_with);
  g_free(task->channel);
  px_retry_free(task->retry);
  px_schedule_free(task->schedule);
  px_schedule_free(task->process_schedule);
  px_expect_free(task->expect);
  px_schedule_free(task->upload_schedule);
  g_clear_pointer(&task->files_regex, g_regex_unref);
  px_template_free(task->ready_file);
  px_template_free(task->new_name);
  px_template_free(task->file_name);
  px_domain_free(task->filter);
  g_free(task->order);
  g_free(task->order_descending);
  g_free(task);
}

static void read_task(Reader *reader, PxTaskKind kind, const char *name) {
  g_auto(Raw) raw = {.active = true,
                     .archives = true,
                     .priority = NOT_SAID,
                     .on_exists = (int)kinds[kind].on_exists,
                     .stable_for = 2 * G_TIME_SPAN_SECOND,
                     .catch_up = reader->defaults.catch_up};
  g_autofree char *what = g_strdup_printf("%s task %s", kind_names[kind], name);
  reader->what = what;
  if (px_tasks_get(reader->tasks, name)) {
    px_complain(reader->complaints, reader->node, "%s: there is another task of that name: names are unique over %s, %s and %s", what, sections[0],
                sections[1], sections[2]);
    return;
  }
  px_config_read(reader->node, kinds[kind].keys, kinds[kind].n_keys, &raw, what, reader->complaints);
  PxTask *task = g_new0(PxTask, 1);
  g_ptr_array_add(reader->tasks->tasks, task);
  task->kind = kind;
  task->name = name;
  task->node = reader->node;
  task->openpgp = &reader->tasks->openpgp;
  task->active = raw.active;
  task->on_exists = (PxOnExists)raw.on_exists;
  task->path = read_path(reader, "path", raw.path ? raw.path : "");
  task->schedule = read_main_schedule(reader, &raw);
  task->catch_up = (PxCatchUp)raw.catch_up;
  task->storage = g_steal_pointer(&raw.storage);
  task->renamed_from = g_steal_pointer(&raw.renamed_from);
  task->failure_emails = g_steal_pointer(&raw.failure_emails);
  check_emails(reader, task->failure_emails);
  read_queueing(reader, task, &raw);
  if (task->storage)
    check_storage(reader, task->storage);
  if (kind == PX_TASK_IMPORT)
    read_import(reader, task, &raw);
  else if (kind == PX_TASK_EXPORT)
    read_export(reader, task, &raw);
  else
    read_upload(reader, task);
}

static void read_default_catch_up(Reader *reader, const PxConfigNode *node) {
  for (int i = 0; catch_up_choices[i]; i++)
    if (g_strcmp0(px_node_text(node), catch_up_choices[i]) == 0) {
      reader->defaults.catch_up = i;
      return;
    }
  g_autofree char *shown = px_node_shown(node);
  px_complain(reader->complaints, node, "catch_up: %s is none of once, all, none", shown);
}

static void read_defaults(Reader *reader, const PxConfigNode *root) {
  g_autoptr(GError) error = NULL;
  const PxConfigNode *catch_up = px_node_get(root, "catch_up");
  if (px_node_type(catch_up) != PX_NODE_NULL)
    read_default_catch_up(reader, catch_up);
  const PxConfigNode *node = px_node_get(root, "schedule");
  if (px_node_type(node) == PX_NODE_NULL)
    return;
  const char *text = px_node_text(node);
  reader->defaults.schedule = node;
  g_autoptr(PxSchedule) parsed = is_by_hand(text ? text : "") ? NULL : px_schedule_parse(text ? text : "", &error);
  if (error)
    px_complain(reader->complaints, node, "schedule: %s", error->message);
}

PxTasks *px_tasks_read(const PxConfig *config, const PxPatterns *patterns, const PxStorages *storages, PxComplaints *complaints) {
  PxTasks *tasks = g_new0(PxTasks, 1);
  tasks->tasks = g_ptr_array_new_with_free_func(free_task);
  Reader reader = {.tasks = tasks, .patterns = patterns, .storages = storages, .complaints = complaints};
  read_defaults(&reader, px_config_root(config));
  px_openpgp_read(&tasks->openpgp, config, complaints);
  static const PxTaskKind order[] = {PX_TASK_UPLOAD, PX_TASK_IMPORT, PX_TASK_EXPORT}; /* exports refer to uploads */
  for (size_t k = 0; k < G_N_ELEMENTS(order); k++) {
    const PxConfigNode *section = px_node_get(px_config_root(config), sections[order[k]]);
    if (section && px_node_type(section) != PX_NODE_MAP && px_node_type(section) != PX_NODE_NULL)
      px_complain(complaints, section, "%s: write the name of each task, and beneath it its settings", sections[order[k]]);
    for (size_t i = 0; px_node_type(section) == PX_NODE_MAP && i < px_node_count(section); i++) {
      reader.node = px_node_at(section, i);
      read_task(&reader, order[k], px_node_key_at(section, i));
    }
  }
  return tasks;
}

void px_tasks_free(PxTasks *tasks) {
  if (!tasks)
    return;
  g_ptr_array_unref(tasks->tasks);
  px_openpgp_clear(&tasks->openpgp);
  g_free(tasks);
}

const PxOpenPgp *px_tasks_openpgp(const PxTasks *tasks) {
  return &tasks->openpgp;
}

size_t px_tasks_count(const PxTasks *tasks) {
  return tasks->tasks->len;
}

const PxTask *px_tasks_at(const PxTasks *tasks, size_t i) {
  return tasks->tasks->pdata[i];
}

const PxTask *px_tasks_get(const PxTasks *tasks, const char *name) {
  for (guint i = 0; i < tasks->tasks->len; i++)
    if (strcmp(px_tasks_at(tasks, i)->name, name) == 0)
      return px_tasks_at(tasks, i);
  return NULL;
}

char *px_tasks_did_you_mean(const PxTasks *tasks, const char *name) {
  g_autofree const char **names = g_new0(const char *, tasks->tasks->len + 1);
  for (guint i = 0; i < tasks->tasks->len; i++)
    names[i] = px_tasks_at(tasks, i)->name;
  return px_text_did_you_mean(name, names, tasks->tasks->len);
}

const char *px_task_kind_name(PxTaskKind kind) {
  return kind_names[kind];
}

bool px_task_takes(const PxTask *task, const char *name) {
  if (task->files_regex)
    return g_regex_match(task->files_regex, name, 0, NULL);
  return !task->files || fnmatch(task->files, name, FNM_PERIOD) == 0;
}

char *px_task_ready_name(const PxTask *task, const char *name) {
  const PxTemplateValues values = {.name = name};
  return task->ready_file ? px_template_render(task->ready_file, &values, NULL) : NULL;
}

char *px_task_beneath(const PxTask *task, const char *folder, const char *path) {
  size_t n = strlen(task->path);
  bool is_beneath = task->recursive && strncmp(path, task->path, n) == 0 && path[n] && (n == 0 || path[n] == '/');
  const char *rest = is_beneath ? path + n + (n > 0) : "";
  return g_strconcat(folder, *folder && *rest ? "/" : "", rest, NULL);
}
