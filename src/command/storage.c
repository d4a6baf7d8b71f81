/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at storages and at what is in them, by hand. Only the configuration is read: no database is needed. */
#include "storage/storage.h"
#include "command/command.h"
#include "command/output.h"
#include "flow/paths.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static gboolean all;
static gboolean no_probe;
static gboolean yes;
static char *output;
static char *on_exists;

static const GOptionEntry OPTIONS[] = {
  {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "ls: also the files that a task has taken and not yet put away (.pattimpex-N)", NULL},
  {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "get: where to, a file or a folder (default the same name here); - is standard output", "FILE"},
  {"on-exists", 0, 0, G_OPTION_ARG_STRING, &on_exists, "put: what if there is one: fail (default), replace, or number: name-1.csv", "WORD"},
  {"no-probe", 0, 0, G_OPTION_ARG_NONE, &no_probe, "check: only connect and list; write nothing", NULL},
  {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "trust: the key that is shown is trusted from now on", NULL},
  {NULL},
};

#define USAGE "[ls NAME [PATH] | get NAME PATH | put NAME FILE... [PATH] | rm NAME PATH... | check [NAME...] | trust NAME]"

static int usage(GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "storage: usage: pattimpex storage " USAGE);
  return 2;
}

/* "in/deep/a.csv" is the file a.csv of in/deep. Caller frees both. */
static void split_place(const char *place, char **ret_path, char **ret_name) {
  const char *slash = strrchr(place, '/');
  *ret_path = slash ? g_strndup(place, (size_t)(slash - place)) : g_strdup("");
  *ret_name = g_strdup(slash ? slash + 1 : place);
}

/* What was done with files, told one by one; as JSON one object, or, where there may be any number, an array at the end. */
typedef struct {
  const PxCommandLine *line;
  json_t *rows; /* NULL: there is one */
} Done;

static void tell_done(const Done *done, const char *what, const char *place) {
  const char *storage = done->line->args[1];
  if (done->line->json) {
    g_autoptr(json_t) object = json_object();
    json_object_set_new(object, "storage", px_json_text(storage));
    json_object_set_new(object, what, px_json_text(place));
    if (done->rows)
      json_array_append(done->rows, object);
    else
      px_print_json(object);
  } else if (!done->line->quiet) {
    g_autofree char *safe = px_output_line(place);
    printf("%s: %s %s\n", storage, what, safe);
  }
}

/* Also where something failed on the way: what was done was done. */
static void done_clear(Done *done) {
  if (done->rows && done->line->json)
    px_print_json(done->rows);
  json_decref(done->rows);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Done, done_clear)

/* ---- the storages themselves */

static int list_storages(const PxCommandLine *line, const PxStorages *storages) {
  static const PxColumn columns[] = {{"name", "NAME"}, {"type", "TYPE"}, {"place", "PLACE"}};
  g_autoptr(json_t) rows = json_array();
  for (size_t i = 0; i < px_storages_count(storages); i++) {
    g_autofree char *place = px_storages_place(storages, i);
    json_t *row = json_object();
    json_object_set_new(row, "name", px_json_text(px_storages_name(storages, i)));
    json_object_set_new(row, "type", px_json_text(px_storages_type(storages, i)));
    json_object_set_new(row, "place", px_json_text(place));
    json_array_append_new(rows, row);
  }
  px_print_rows(line->json, rows, columns, G_N_ELEMENTS(columns), "No storages.");
  return 0;
}

static bool is_asked_for(const PxCommandLine *line, const char *name) {
  return line->n_args == 1 || g_strv_contains(line->args + 1, name);
}

/* Every one is asked; the first error decides the exit status. */
static int check(const PxCommandLine *line, const PxStorages *storages, GError **error) {
  static const PxColumn columns[] = {{"name", "NAME"}, {"ok", "OK"}, {"error", "ERROR"}};
  g_autoptr(json_t) rows = json_array();
  g_autoptr(GError) first = NULL;
  unsigned failed = 0;
  for (unsigned i = 1; i < line->n_args; i++) {
    g_autoptr(PxStorage) named = px_storage_open(storages, line->args[i], false, error);
    if (!named)
      return 2;
  }
  for (size_t i = 0; i < px_storages_count(storages); i++) {
    const char *name = px_storages_name(storages, i);
    g_autoptr(GError) problem = NULL;
    if (!is_asked_for(line, name))
      continue;
    g_autoptr(PxStorage) storage = px_storage_open(storages, name, false, &problem);
    bool ok = storage && px_storage_check(storage, !no_probe, &problem);
    json_t *row = json_object();
    json_object_set_new(row, "name", px_json_text(name));
    json_object_set_new(row, "ok", json_boolean(ok));
    json_object_set_new(row, "error", px_json_text(problem ? problem->message : NULL));
    json_array_append_new(rows, row);
    failed += !ok;
    if (!ok && !first)
      first = g_steal_pointer(&problem);
  }
  if (line->json || !line->quiet)
    px_print_rows(line->json, rows, columns, G_N_ELEMENTS(columns), "No storages.");
  if (!first)
    return 0;
  g_set_error(error, PX_ERROR, first->code, "storage check: %u of %zu storages cannot be used", failed, json_array_size(rows));
  return 2;
}

/* ---- what is in one */

static bool is_pattern(const char *name) {
  return strpbrk(name, "*?[");
}

static bool means(const char *pattern, const char *name) {
  return fnmatch(pattern, name, FNM_PERIOD) == 0;
}

typedef struct {
  const char *pattern; /* NULL: all */
  GPtrArray *rows;     /* json_t */
} Listing;

static void add_row(Listing *listing, const char *name, const PxFileInfo *file, bool is_folder) {
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  json_t *row = json_object();
  json_object_set_new(row, "name", px_json_text(name));
  json_object_set_new(row, "size", is_folder ? json_null() : px_json_count(file->size));
  json_object_set_new(row, "modified", is_folder ? json_null() : px_json_time(file->mtime_ns / 1000, utc));
  json_object_set_new(row, "refused", px_json_text(file ? file->refused : NULL));
  json_object_set_new(row, "folder", json_boolean(is_folder));
  g_ptr_array_add(listing->rows, row);
}

static bool add_file(const PxFileInfo *file, void *data) {
  Listing *listing = data;
  if (!listing->pattern || means(listing->pattern, file->name))
    add_row(listing, file->name, file, false);
  return true;
}

static bool add_file_of_tree(const char *path, const PxFileInfo *file, void *data) {
  return add_file(file, data);
}

/* Told, and not gone into. */
static bool add_folder(const char *path, void *data) {
  Listing *listing = data;
  g_autofree char *name = g_path_get_basename(path);
  g_autofree char *shown = g_strconcat(name, "/", NULL);
  if (!listing->pattern || means(listing->pattern, name))
    add_row(listing, shown, NULL, true);
  return false;
}

static int by_name(const void *a, const void *b) {
  const json_t *one = *(const json_t *const *)a;
  const json_t *other = *(const json_t *const *)b;
  return strcmp(json_string_value(json_object_get(one, "name")), json_string_value(json_object_get(other, "name")));
}

static void free_row(gpointer row) {
  json_decref(row);
}

static json_t *sorted(GPtrArray *rows) {
  json_t *array = json_array();
  g_ptr_array_sort(rows, by_name);
  for (guint i = 0; i < rows->len; i++)
    json_array_append(array, rows->pdata[i]);
  return array;
}

/* What a listing refuses may be a file. */
static bool list_file(PxStorage *storage, const char *path, const char *name, Listing *listing) {
  PxFileInfo info;
  g_autoptr(PxReading) reading = *name ? px_storage_open_read(storage, path, name, &info, NULL) : NULL;
  if (reading)
    add_row(listing, name, &info, false);
  return reading;
}

static bool list_folder(PxStorage *storage, const char *folder, Listing *listing, bool *ret_missing, GError **error) {
  *ret_missing = false;
  return (!all || px_storage_list(storage, folder, true, add_file, listing, error)) &&
         px_storage_list_tree(storage, folder, add_folder, add_file_of_tree, listing, ret_missing, error);
}

/* PATH is a folder, in one what a pattern means, or a file. */
static int ls(const PxCommandLine *line, PxStorage *storage, GError **error) {
  static const PxColumn columns[] = {{"size", "BYTES"}, {"modified", "MODIFIED (UTC)", true}, {"name", "NAME"}, {"refused", "NOT TAKEN"}};
  const char *place = line->n_args > 2 ? line->args[2] : "";
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  bool missing;
  split_place(place, &path, &name);
  const char *folder = is_pattern(name) ? path : place;
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_row);
  Listing listing = {.pattern = is_pattern(name) ? name : NULL, .rows = rows};
  g_autoptr(GError) problem = NULL;
  if (!list_folder(storage, folder, &listing, &missing, &problem) && !list_file(storage, path, name, &listing)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return 2;
  }
  g_autoptr(json_t) array = sorted(rows);
  g_autofree char *nothing =
    missing ? g_strdup_printf("No files: there is no folder %s.", *folder ? folder : "of the storage") : g_strdup("No files.");
  g_autofree char *safe = px_output_line(nothing);
  px_print_rows(line->json, array, columns, G_N_ELEMENTS(columns), safe);
  return 0;
}

/* What a name means: size as it was listed; path is borrowed. */
static PxExpected *new_found(const char *path, const char *name, uint64_t size) {
  PxExpected *found = g_new(PxExpected, 1);
  *found = (PxExpected){.path = path, .name = g_strdup(name), .size = size};
  return found;
}

static void free_found(gpointer data) {
  PxExpected *found = data;
  g_free((void *)(uintptr_t)found->name);
  g_free(found);
}

static bool keep_found(const PxFileInfo *file, void *data) {
  g_ptr_array_add(data, new_found(NULL, file->name, file->size));
  return true;
}

static gboolean is_called(gconstpointer found, gconstpointer name) {
  return g_str_equal(((const PxExpected *)found)->name, name);
}

/* The files in path (borrowed) that name means, PxExpected *: itself, or, as a pattern, those of that name. PX_ERROR_NOT_FOUND: none. */
static GPtrArray *expand(PxStorage *storage, const char *path, const char *name, GError **error) {
  g_autoptr(GPtrArray) there = g_ptr_array_new_with_free_func(free_found);
  g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_found);
  if (is_pattern(name) && !px_storage_list(storage, path, false, keep_found, there, error))
    return NULL;
  if (!is_pattern(name) || g_ptr_array_find_with_equal_func(there, name, is_called, NULL)) {
    g_ptr_array_add(found, new_found(path, name, 0));
    return g_steal_pointer(&found);
  }
  for (guint i = 0; i < there->len; i++) {
    const PxExpected *file = there->pdata[i];
    if (means(name, file->name))
      g_ptr_array_add(found, new_found(path, file->name, file->size));
  }
  if (found->len > 0)
    return g_steal_pointer(&found);
  g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "%s%s%s: there is no file that this means", path, *path ? "/" : "", name);
  return NULL;
}

static bool is_folder_here(const char *path) {
  return path && (g_str_has_suffix(path, "/") || g_file_test(path, G_FILE_TEST_IS_DIR));
}

/* What is replaced has to be named. */
static bool get_one(const Done *done, PxStorage *storage, const PxExpected *file, GError **error) {
  PxFileInfo info;
  const char *name = file->name;
  bool into = is_folder_here(output);
  g_autofree char *to = into ? g_build_filename(output, name, NULL) : g_strdup(output ? output : name);
  if ((into || !output) && g_file_test(to, G_FILE_TEST_EXISTS)) {
    g_set_error(error, PX_ERROR, PX_ERROR_EXISTS, "%s: there is a file of that name already; say where to with -o", to);
    return false;
  }
  if (into && g_mkdir_with_parents(output, 0777) < 0)
    return px_path_fail(output, "make", PX_ERROR_UNREACHABLE, error);
  g_autoptr(PxReading) reading = px_storage_open_read(storage, file->path, name, &info, error);
  char *temporary = NULL;
  PX_PATH_FD fd = reading ? px_path_begin(to, &temporary, error) : -1;
  if (fd < 0 || !px_path_end(fd, to, temporary, px_storage_copy_to(reading, fd, error), error))
    return false;
  if (!px_path_is_standard(to))
    tell_done(done, "got", to);
  return true;
}

/* Those that follow are begun while one is taken. */
static bool get_all(const Done *done, PxStorage *storage, const GPtrArray *files, GError **error) {
  g_autofree PxExpected *expected = g_new(PxExpected, files->len);
  bool ok = true;
  for (guint i = 0; i < files->len; i++)
    expected[i] = *(const PxExpected *)files->pdata[i];
  if (files->len > 1)
    px_storage_expect(storage, expected, files->len);
  for (guint i = 0; ok && i < files->len; i++)
    ok = get_one(done, storage, &expected[i], error);
  px_storage_expect(storage, NULL, 0);
  return ok;
}

static int get(const PxCommandLine *line, PxStorage *storage, GError **error) {
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  split_place(line->args[2], &path, &name);
  g_auto(Done) done = {.line = line, .rows = is_pattern(name) ? json_array() : NULL};
  g_autoptr(GPtrArray) files = expand(storage, path, name, error);
  if (!files)
    return 2;
  if (files->len > 1 && output && !is_folder_here(output)) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "storage get: %u files are meant: name a folder for them, -o FOLDER/", files->len);
    return 2;
  }
  return get_all(&done, storage, files, error) ? 0 : 2;
}

static bool read_on_exists(PxOnExists *ret, GError **error) {
  static const char *const words[] = {[PX_EXISTS_NUMBER] = "number", [PX_EXISTS_REPLACE] = "replace", [PX_EXISTS_FAIL] = "fail"};
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (g_str_equal(on_exists ? on_exists : "fail", words[i])) {
      *ret = (PxOnExists)i;
      return true;
    }
  }
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "storage put: --on-exists %s: it is fail, replace or number", on_exists);
  return false;
}

#define TOGETHER 256u /* files that are open at once */

/* A file that is to be put; upload borrows from the rest. */
typedef struct {
  int fd;
  char *path, *name;
} Given;

static void given_clear(void *data) {
  Given *given = data;
  px_path_close_fd(&given->fd);
  g_free(given->path);
  g_free(given->name);
}

static bool open_given(const char *file, const char *to, PxOnExists how, Given *given, PxUpload *ret_upload, GError **error) {
  uint64_t size = 0;
  PX_PATH_FD in = px_path_open(file, error);
  *given = (Given){.fd = in < 0 ? -1 : px_path_seekable(in, file, &size, error)};
  split_place(to, &given->path, &given->name);
  if (!*given->name) {
    g_free(given->name);
    given->name = px_path_name(file);
  }
  *ret_upload = (PxUpload){.path = given->path, .name = given->name, .fd = given->fd, .size = size, .on_exists = how};
  return given->fd >= 0;
}

static void tell_put(const Done *done, PxUpload *upload, GPtrArray *problems) {
  if (upload->error) {
    g_ptr_array_add(problems, upload->error);
    return;
  }
  g_autofree char *name = upload->ret_name;
  g_autofree char *place = g_strconcat(upload->path, *upload->path ? "/" : "", name, NULL);
  tell_done(done, "put", place);
}

/* Each for itself: problems has the errors. */
static void put_few(const Done *done, PxStorage *storage, const char *const *files, unsigned n, const char *to, PxOnExists how, GPtrArray *problems) {
  g_autoptr(GArray) given = g_array_sized_new(FALSE, TRUE, sizeof(Given), n);
  g_autofree PxUpload *uploads = g_new(PxUpload, n);
  unsigned n_open = 0;
  g_array_set_clear_func(given, given_clear);
  g_array_set_size(given, n);
  for (unsigned i = 0; i < n; i++) {
    GError *problem = NULL;
    if (open_given(files[i], to, how, &g_array_index(given, Given, i), &uploads[n_open], &problem))
      n_open++;
    else
      g_ptr_array_add(problems, problem);
  }
  (void)px_storage_put_all(storage, uploads, n_open, NULL, NULL);
  for (unsigned i = 0; i < n_open; i++)
    tell_put(done, &uploads[i], problems);
}

static void free_problem(gpointer data) {
  g_error_free(data);
}

/* The first as it is, with what else there was. */
static int put_failed(const GPtrArray *problems, GError **error) {
  enum { MOST_TOLD = 10 };
  const GError *first = problems->pdata[0];
  g_autoptr(GString) text = g_string_new(first->message);
  for (guint i = 1; i < MIN(problems->len, MOST_TOLD); i++)
    g_string_append_printf(text, "\n%s", ((const GError *)problems->pdata[i])->message);
  if (problems->len > MOST_TOLD)
    g_string_append_printf(text, "\nand %u more files were not put", problems->len - MOST_TOLD);
  g_set_error_literal(error, first->domain, first->code, text->str);
  return 2;
}

static bool stop_at_once(const char *path, const PxFileInfo *file, void *data) {
  return false;
}

/* A folder that cannot be listed is told by the put. */
static bool is_folder_there(PxStorage *storage, const char *path) {
  bool missing;
  return px_storage_list_tree(storage, path, NULL, stop_at_once, NULL, &missing, NULL) && !missing;
}

/* PATH is the file, or the folder: one that is there, or with a / at its end; several files go to a folder. */
static int put(const PxCommandLine *line, PxStorage *storage, GError **error) {
  PxOnExists how;
  const char *place = line->n_args > 3 ? line->args[line->n_args - 1] : "";
  unsigned end = line->n_args > 3 ? line->n_args - 1 : 3;
  if (!read_on_exists(&how, error))
    return 2;
  bool into = !*place || g_str_has_suffix(place, "/");
  bool found = !into && is_folder_there(storage, place);
  if (end > 3 && !into && !found) {
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "storage put: where do %u files go? There is no folder %s; with a / at its end, %s/, it is made",
                end - 2, place, place);
    return 2;
  }
  g_autofree char *to = g_strconcat(place, found ? "/" : "", NULL);
  g_auto(Done) done = {.line = line, .rows = end > 3 ? json_array() : NULL};
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(free_problem);
  for (unsigned i = 2; i < end; i += TOGETHER)
    put_few(&done, storage, &line->args[i], MIN(end - i, TOGETHER), to, how, problems);
  return problems->len ? put_failed(problems, error) : 0;
}

static bool rm_one(const Done *done, PxStorage *storage, const char *place, GError **error) {
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  split_place(place, &path, &name);
  g_autoptr(GPtrArray) files = expand(storage, path, name, error);
  for (guint i = 0; files && i < files->len; i++) {
    const PxExpected *file = files->pdata[i];
    g_autofree char *removed = g_strconcat(path, *path ? "/" : "", file->name, NULL);
    if (!px_storage_remove(storage, path, file->name, error))
      return false;
    tell_done(done, "removed", removed);
  }
  return files;
}

static int rm(const PxCommandLine *line, PxStorage *storage, GError **error) {
  bool is_one = line->n_args == 3 && !is_pattern(line->args[2]);
  g_auto(Done) done = {.line = line, .rows = is_one ? NULL : json_array()};
  for (unsigned i = 2; i < line->n_args; i++)
    if (!rm_one(&done, storage, line->args[i], error))
      return 2;
  return 0;
}

/* Shows the key; writes it down only when told to. */
static int trust(const PxCommandLine *line, PxStorage *storage, GError **error) {
  static const PxColumn columns[] = {{"storage", "Storage"}, {"key", "Key"}, {"trusted", "Trusted"}};
  g_autofree char *key = NULL;
  bool known = false;
  if (!px_storage_host_key(storage, yes, &key, &known, error))
    return 2;
  g_autoptr(json_t) object = json_object();
  json_object_set_new(object, "storage", px_json_text(line->args[1]));
  json_object_set_new(object, "key", px_json_text(key));
  json_object_set_new(object, "trusted", json_boolean(known || yes));
  px_print_object(line->json, object, columns, G_N_ELEMENTS(columns));
  if (!known && !yes && !line->json && !line->quiet)
    printf("\nCompare the key with what the partner says; if it is theirs: pattimpex storage trust %s --yes,\n"
           "or write in the configuration: %s: \"%s\"\n",
           line->args[1], px_storage_host_key_setting(storage), key);
  return 0;
}

/* ---- which of them */

typedef struct {
  const char *name;
  unsigned min_args, max_args;
  int (*run)(const PxCommandLine *line, PxStorage *storage, GError **error);
} Action;

static const Action actions[] = {{"ls", 2, 3, ls}, {"get", 3, 3, get}, {"put", 3, 1000, put}, {"rm", 3, 1000, rm}, {"trust", 2, 2, trust}};

static int act(const PxCommandLine *line, const PxStorages *storages, GError **error) {
  for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
    const Action *action = &actions[i];
    if (!g_str_equal(action->name, line->args[0]))
      continue;
    if (line->n_args < action->min_args || line->n_args > action->max_args)
      return usage(error);
    g_autoptr(PxStorage) storage = px_storage_open(storages, line->args[1], false, error);
    return storage ? action->run(line, storage, error) : 2;
  }
  return usage(error);
}

static int run(const PxCommandLine *line, GError **error) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxConfig) config = px_config_load(line->configs, g_strv_length((char **)(uintptr_t)line->configs), error);
  if (!config)
    return 2;
  g_autoptr(PxStorages) storages = px_storages_read(config, complaints);
  if (!px_complaints_to_error(complaints, error))
    return 2;
  if (line->n_args == 0)
    return list_storages(line, storages);
  return g_str_equal(line->args[0], "check") ? check(line, storages, error) : act(line, storages, error);
}

const PxCommand px_command_storage = {
  .name = "storage",
  .arguments = USAGE,
  .summary = "List storages, check them, or list, get, put and remove files in one by hand",
  .help = "PATH is relative to the storage's directory and cannot leave it. ls shows files and folders; ls, get and rm\n"
          "take a pattern as the last part of PATH (in quotes, or the shell takes it). put writes PATH, or into it where it\n"
          "is a folder (with a / at its end it is made); it never leaves half a file, and replaces one only when told to. Of\n"
          "several files each has its own outcome: one that cannot be put does not keep the others from it.\n"
          "trust shows the key of a server (SFTP, FTP with TLS), before anything is sent to it, and with --yes adds it to\n"
          "those that are known. Nothing of it is kept in the history; no database is needed.\n\n"
          "Examples:\n"
          "  pattimpex storage\n"
          "  pattimpex storage check supplier\n"
          "  pattimpex storage trust supplier\n"
          "  pattimpex storage ls supplier in --json\n"
          "  pattimpex storage ls supplier 'in/*.csv'\n"
          "  pattimpex storage get supplier in/orders.csv -o -\n"
          "  pattimpex storage get supplier 'in/*.csv' -o orders/\n"
          "  pattimpex storage put supplier prices.xlsx out/ --on-exists replace\n"
          "  pattimpex storage put supplier prices.xlsx stock.csv out/\n"
          "  pattimpex storage rm supplier in/orders.csv\n",
  .options = OPTIONS,
  .max_args = 1000,
  .run = run,
};
