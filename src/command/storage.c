/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at storages and at what is in them, by hand. Only the configuration is read: no database is needed. */
#include "storage/storage.h"
#include "base/file.h"
#include "command/command.h"
#include "command/output.h"
#include "flow/paths.h"

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
  {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "get: where to (default the same name here); - is standard output", "FILE"},
  {"on-exists", 0, 0, G_OPTION_ARG_STRING, &on_exists, "put: what if there is one: fail (default), replace, or number: name-1.csv", "WORD"},
  {"no-probe", 0, 0, G_OPTION_ARG_NONE, &no_probe, "check: only connect and list; write nothing", NULL},
  {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "trust: the key that is shown is trusted from now on", NULL},
  {NULL},
};

#define USAGE "[ls NAME [PATH] | get NAME PATH | put NAME FILE [PATH] | rm NAME PATH... | check [NAME...] | trust NAME]"

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

static void print_done(const PxCommandLine *line, const char *storage, const char *what, const char *place) {
  if (line->json) {
    g_autoptr(json_t) object = json_object();
    json_object_set_new(object, "storage", px_json_text(storage));
    json_object_set_new(object, what, px_json_text(place));
    px_print_json(object);
  } else if (!line->quiet) {
    g_autofree char *safe = px_output_line(place);
    printf("%s: %s %s\n", storage, what, safe);
  }
}

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

static bool add_row(const PxFileInfo *file, void *data) {
  json_t *row = json_object();
  json_object_set_new(row, "name", px_json_text(file->name));
  json_object_set_new(row, "size", px_json_count(file->size));
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  json_object_set_new(row, "modified", px_json_time(file->mtime_ns / 1000, utc));
  json_object_set_new(row, "refused", px_json_text(file->refused));
  json_array_append_new(data, row);
  return true;
}

static int ls(const PxCommandLine *line, PxStorage *storage, GError **error) {
  static const PxColumn columns[] = {{"size", "BYTES"}, {"modified", "MODIFIED (UTC)", true}, {"name", "NAME"}, {"refused", "NOT TAKEN"}};
  const char *path = line->n_args > 2 ? line->args[2] : "";
  g_autoptr(json_t) rows = json_array();
  if ((all && !px_storage_list(storage, path, true, add_row, rows, error)) || !px_storage_list(storage, path, false, add_row, rows, error))
    return 2;
  px_print_rows(line->json, rows, columns, G_N_ELEMENTS(columns), "No files.");
  return 0;
}

static int get(const PxCommandLine *line, PxStorage *storage, GError **error) {
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  PxFileInfo info;
  split_place(line->args[2], &path, &name);
  const char *to = output ? output : name;
  if (!output && g_file_test(to, G_FILE_TEST_EXISTS)) {
    g_set_error(error, PX_ERROR, PX_ERROR_EXISTS, "%s: there is a file of that name already; say where to with -o", to);
    return 2;
  }
  g_autoptr(PxReading) reading = px_storage_open_read(storage, path, name, &info, error);
  PX_PATH_FD fd = reading ? px_temporary_file(error) : -1;
  if (fd < 0 || !px_storage_copy_to(reading, fd, error) || !px_path_deliver(fd, to, error))
    return 2;
  if (!px_path_is_standard(to))
    print_done(line, line->args[1], "got", to);
  return 0;
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

/* PATH is the file, or, with a / at its end, the directory. */
static int put(const PxCommandLine *line, PxStorage *storage, GError **error) {
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  g_autofree char *got = NULL;
  PxOnExists how;
  uint64_t size = 0;
  if (!read_on_exists(&how, error))
    return 2;
  const char *file = line->args[2];
  split_place(line->n_args > 3 ? line->args[3] : "", &path, &name);
  if (!*name) {
    g_free(name);
    name = px_path_name(file);
  }
  PX_PATH_FD in = px_path_open(file, error);
  PX_PATH_FD fd = in < 0 ? -1 : px_path_seekable(in, file, &size, error);
  g_autofree char *sha256 = fd < 0 ? NULL : px_path_sha256(fd, file, error);
  if (!sha256 || !px_storage_put(storage, path, name, fd, size, sha256, how, &got, error))
    return 2;
  g_autofree char *place = g_strconcat(path, *path ? "/" : "", got, NULL);
  print_done(line, line->args[1], "put", place);
  return 0;
}

static int rm(const PxCommandLine *line, PxStorage *storage, GError **error) {
  for (unsigned i = 2; i < line->n_args; i++) {
    g_autofree char *path = NULL;
    g_autofree char *name = NULL;
    split_place(line->args[i], &path, &name);
    if (!px_storage_remove(storage, path, name, error))
      return 2;
    print_done(line, line->args[1], "removed", line->args[i]);
  }
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

static const Action actions[] = {{"ls", 2, 3, ls}, {"get", 3, 3, get}, {"put", 3, 4, put}, {"rm", 3, 1000, rm}, {"trust", 2, 2, trust}};

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
  .help = "PATH is relative to the storage's directory and cannot leave it. put never leaves half a file, and\n"
          "replaces one only when told to. trust shows the key of a server (SFTP, FTP with TLS), before anything is\n"
          "sent to it, and with --yes adds it to those that are known. Nothing of it is kept in the history; no database is needed.\n\n"
          "Examples:\n"
          "  pattimpex storage\n"
          "  pattimpex storage check supplier\n"
          "  pattimpex storage trust supplier\n"
          "  pattimpex storage ls supplier in --json\n"
          "  pattimpex storage get supplier in/orders.csv -o -\n"
          "  pattimpex storage put supplier prices.xlsx out/ --on-exists replace\n"
          "  pattimpex storage rm supplier in/orders.csv\n",
  .options = OPTIONS,
  .max_args = 1000,
  .run = run,
};
