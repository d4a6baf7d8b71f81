/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/bytes_private.h"
#include "storage/name_private.h"
#include "storage/storage_private.h"

#include <string.h>
#include <sys/stat.h>

#define MOST_LEVELS 32u /* of folders in folders */

PxStorage *px_storage_open(const PxStorages *storages, const char *name, bool dry_run, GError **error) {
  const PxStorageConfig *config = px_storages_find(storages, name);
  if (!config || !config->driver) {
    px_storages_set_unknown(storages, name, error);
    return NULL;
  }
  PxStorage *storage = g_new0(PxStorage, 1);
  *storage = (PxStorage){.name = g_strdup(name),
                         .driver = config->driver,
                         .dry_run = dry_run,
                         .path_must_exist = config->path_must_exist,
                         .tmp_suffix = g_strdup(config->tmp_suffix ? config->tmp_suffix : ""),
                         .pace = {.limit = config->bandwidth_limit}};
  storage->self = config->driver->open(config->settings, &storage->pace);
  return storage;
}

void px_storage_close(PxStorage *storage) {
  if (!storage)
    return;
  storage->driver->close(storage->self);
  if (storage->expected)
    g_array_unref(storage->expected);
  g_free(storage->name);
  g_free(storage->tmp_suffix);
  g_free(storage);
}

bool px_storage_keeps_connection(const PxStorage *storage) {
  return storage->driver->connects;
}

/* ---- what is common to the calls */

bool px_storage_failed(const PxStorage *storage, GError **error) {
  g_prefix_error(error, "storage %s: ", storage->name);
  return false;
}

static bool clean_path(const PxStorage *storage, const char *path, char **ret_path, GError **error) {
  const char *problem = px_name_clean_path(path, ret_path);
  if (!problem)
    return true;
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "path \"%s\": %s", path, problem);
  return px_storage_failed(storage, error);
}

bool px_storage_clean_place(const PxStorage *storage, const char *path, const char *name, bool is_ours, char **ret_path, GError **error) {
  const char *problem = is_ours ? px_name_problem_of_own(name) : px_storage_name_problem(name);
  if (!problem)
    return clean_path(storage, path, ret_path, error);
  g_autofree char *shown = g_strescape(name, NULL);
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "\"%s\": %s", shown, problem);
  return px_storage_failed(storage, error);
}

/* ---- listing */

typedef struct {
  GArray *files; /* PxFileInfo, their strings owned */
  bool leftovers;
} Listing;

static void info_clear(void *data) {
  PxFileInfo *info = data;
  g_free((void *)(uintptr_t)info->name);
  g_free((void *)(uintptr_t)info->identity);
}

static GArray *new_infos(void) {
  GArray *infos = g_array_new(FALSE, FALSE, sizeof(PxFileInfo));
  g_array_set_clear_func(infos, info_clear);
  return infos;
}

static PxFileInfo checked(const PxFileInfo *info) {
  PxFileInfo checked = *info;
  const char *problem = px_name_problem_of_own(info->name);
  checked.refused = problem ? problem : info->refused;
  return checked;
}

static void keep(GArray *infos, const PxFileInfo *info) {
  PxFileInfo kept = checked(info);
  kept.name = g_strdup(info->name);
  kept.identity = g_strdup(info->identity);
  g_array_append_val(infos, kept);
}

static bool collect(const PxFileInfo *info, void *data) {
  Listing *listing = data;
  if (!info->is_directory && (listing->leftovers ? px_name_is_leftover(info->name) : info->name[0] != '.'))
    keep(listing->files, info);
  return true;
}

/* A path that is missing is empty, unless the storage says otherwise. */
static bool list_driver(PxStorage *storage, const char *path, PxFileVisit visit, void *data, bool *ret_missing, GError **error) {
  g_autoptr(GError) problem = NULL;
  *ret_missing = false;
  if (storage->driver->list(storage->self, path, visit, data, &problem))
    return true;
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_NOT_FOUND)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  *ret_missing = true;
  if (storage->path_must_exist)
    g_set_error(error, PX_ERROR, PX_ERROR_UNREACHABLE, "%s; make it, correct the path, or leave out path_must_exist", problem->message);
  return !storage->path_must_exist;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const PxFileInfo *)a)->name, ((const PxFileInfo *)b)->name);
}

bool px_storage_list(PxStorage *storage, const char *path, bool leftovers, PxFileVisit visit, void *data, GError **error) {
  g_autofree char *clean = NULL;
  bool missing;
  if (!clean_path(storage, path, &clean, error))
    return false;
  g_autoptr(GArray) files = new_infos();
  Listing listing = {.files = files, .leftovers = leftovers};
  if (!list_driver(storage, clean, collect, &listing, &missing, error))
    return px_storage_failed(storage, error);
  g_array_sort(files, compare_names);
  for (unsigned i = 0; i < files->len; i++) {
    if (!visit(&g_array_index(files, PxFileInfo, i), data))
      break;
  }
  return true;
}

typedef struct {
  PxStorage *storage;
  PxFolderWanted wants;
  PxTreeVisit visit;
  void *data;
  const char *path; /* that is listed now */
  GArray *folders;  /* PxFileInfo: those in it */
  bool stopped;
} Tree;

static bool walk(Tree *tree, const char *path, unsigned level, bool *ret_missing, GError **error);

static bool enter(Tree *tree, const char *path, const PxFileInfo *folder, unsigned level, GError **error) {
  bool missing; /* by now: then it is empty */
  g_autofree char *beneath = g_strconcat(path, *path ? "/" : "", folder->name, NULL);
  PxFileInfo refused = *folder;
  if (!tree->wants || !tree->wants(beneath, tree->data))
    return true;
  if (!refused.refused && level >= MOST_LEVELS)
    refused.refused = "the folder lies too deep";
  if (!refused.refused)
    return walk(tree, beneath, level + 1, &missing, error);
  tree->stopped = !tree->visit(path, &refused, tree->data);
  return true;
}

static bool pass_on(const PxFileInfo *info, void *data) {
  Tree *tree = data;
  if (info->name[0] == '.')
    return true;
  if (info->is_directory) {
    if (tree->wants)
      keep(tree->folders, info);
    return true;
  }
  const PxFileInfo file = checked(info);
  tree->stopped = !tree->visit(tree->path, &file, tree->data);
  return !tree->stopped;
}

static bool walk(Tree *tree, const char *path, unsigned level, bool *ret_missing, GError **error) {
  g_autoptr(GArray) folders = new_infos();
  tree->path = path;
  tree->folders = folders;
  if (!list_driver(tree->storage, path, pass_on, tree, ret_missing, error))
    return false;
  g_array_sort(folders, compare_names);
  for (unsigned i = 0; i < folders->len && !tree->stopped; i++) {
    if (!enter(tree, path, &g_array_index(folders, PxFileInfo, i), level, error))
      return false;
  }
  return true;
}

bool px_storage_list_tree(PxStorage *storage, const char *path, PxFolderWanted wants, PxTreeVisit visit, void *data, bool *ret_missing,
                          GError **error) {
  g_autofree char *clean = NULL;
  Tree tree = {.storage = storage, .wants = wants, .visit = visit, .data = data};
  if (!clean_path(storage, path, &clean, error))
    return false;
  return walk(&tree, clean, 1, ret_missing, error) || px_storage_failed(storage, error);
}

/* ---- reading */

static void expected_clear(void *data) {
  PxExpected *file = data;
  g_free((void *)(uintptr_t)file->path);
  g_free((void *)(uintptr_t)file->name);
}

/* Those that may be opened at all. */
static GArray *copy_expected(const PxExpected *files, size_t n) {
  GArray *copies = g_array_sized_new(FALSE, FALSE, sizeof(PxExpected), (guint)n);
  g_array_set_clear_func(copies, expected_clear);
  for (size_t i = 0; i < n; i++) {
    char *path = NULL;
    if (px_name_problem_of_own(files[i].name) || px_name_clean_path(files[i].path, &path))
      continue;
    const PxExpected copy = {.path = path, .name = g_strdup(files[i].name), .size = files[i].size};
    g_array_append_val(copies, copy);
  }
  return copies;
}

void px_storage_expect(PxStorage *storage, const PxExpected *files, size_t n) {
  if (!storage->driver->expect)
    return;
  GArray *before = storage->expected;
  storage->expected = n ? copy_expected(files, n) : NULL;
  storage->driver->expect(storage->self, storage->expected ? (const PxExpected *)storage->expected->data : NULL,
                          storage->expected ? storage->expected->len : 0);
  if (before)
    g_array_unref(before);
}

PxReading *px_storage_begin_read(PxStorage *storage, const char *path, const char *name, PxFileInfo *ret_info, GError **error) {
  void *driver = storage->driver->open_read(storage->self, path, name, ret_info, error);
  if (!driver)
    return NULL;
  PxReading *reading = g_new0(PxReading, 1);
  *reading = (PxReading){.storage = storage, .driver = driver, .place = g_strconcat(path, *path ? "/" : "", name, NULL), .size = ret_info->size};
  return reading;
}

PxReading *px_storage_open_read(PxStorage *storage, const char *path, const char *name, PxFileInfo *ret_info, GError **error) {
  g_autofree char *clean = NULL;
  if (!px_storage_clean_place(storage, path, name, true, &clean, error))
    return NULL;
  PxReading *reading = px_storage_begin_read(storage, clean, name, ret_info, error);
  if (!reading)
    (void)px_storage_failed(storage, error);
  return reading;
}

ssize_t px_storage_pull(void *source, void *buffer, size_t size, GError **error) {
  PxReading *reading = source;
  PxStorage *storage = reading->storage;
  ssize_t got = storage->driver->read(storage->self, reading->driver, buffer, px_pace_piece(&storage->pace, size), error);
  px_pace_spend(&storage->pace, (size_t)MAX(got, 0));
  if (got > 0)
    reading->got += (uint64_t)got;
  reading->failed = got < 0 || reading->got > reading->size || (got == 0 && reading->got < reading->size);
  if (!reading->failed)
    return got;
  if (got >= 0)
    g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "%s: there are %s than the %" G_GUINT64_FORMAT " bytes it had; it is still being written",
                reading->place, got == 0 ? "fewer" : "more", (guint64)reading->size);
  return -1;
}

ssize_t px_storage_read(PxReading *reading, void *buffer, size_t size, GError **error) {
  ssize_t got = px_storage_pull(reading, buffer, size, error);
  if (got < 0)
    (void)px_storage_failed(reading->storage, error);
  return got;
}

bool px_storage_digest(PxReading *reading, char ret_sha256[65], GError **error) {
  uint64_t size;
  return px_bytes_pump(px_storage_pull, reading, -1, UINT64_MAX, ret_sha256, &size, error) || px_storage_failed(reading->storage, error);
}

bool px_storage_digest_fd(int fd, char ret_sha256[65], GError **error) {
  uint64_t size;
  return px_bytes_copy(fd, -1, UINT64_MAX, ret_sha256, &size, error);
}

bool px_storage_copy_to(PxReading *reading, int fd, GError **error) {
  uint64_t size;
  return px_bytes_pump(px_storage_pull, reading, fd, UINT64_MAX, NULL, &size, error) || px_storage_failed(reading->storage, error);
}

void px_storage_close_read(PxReading *reading) {
  if (!reading)
    return;
  reading->storage->driver->close_read(reading->storage->self, reading->driver);
  g_free(reading->place);
  g_free(reading);
}

/* ---- moving */

typedef struct {
  const char *from_path;
  const char *from_name;
  const char *to_path;
} Move;

static bool pretend_move(PxStorage *storage, const Move *move, const char *to_name, GError **error) {
  PxFileInfo info;
  bool is_free;
  PxReading *from = px_storage_begin_read(storage, move->from_path, move->from_name, &info, error);
  px_storage_close_read(from);
  if (!from || !px_storage_is_free(storage, move->to_path, to_name, &is_free, error))
    return false;
  return is_free || px_storage_exists_at(move->to_path, to_name, error);
}

static bool move_to(PxStorage *storage, const Move *move, const char *to_name, GError **error) {
  if (storage->dry_run)
    return pretend_move(storage, move, to_name, error);
  return storage->driver->move(storage->self, move->from_path, move->from_name, move->to_path, to_name, error);
}

bool px_storage_move(PxStorage *storage, const char *from_path, const char *from_name, const char *to_path, const char *to_name, GError **error) {
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;
  if (!px_storage_clean_place(storage, from_path, from_name, true, &from, error) ||
      !px_storage_clean_place(storage, to_path, to_name, true, &to, error))
    return false;
  const Move move = {.from_path = from, .from_name = from_name, .to_path = to};
  return move_to(storage, &move, to_name, error) || px_storage_failed(storage, error);
}

bool px_storage_move_numbered(PxStorage *storage, const char *from_path, const char *from_name, const char *to_path, const char *to_name,
                              char **ret_name, GError **error) {
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;
  if (!px_storage_clean_place(storage, from_path, from_name, true, &from, error) ||
      !px_storage_clean_place(storage, to_path, to_name, true, &to, error))
    return false;
  const Move move = {.from_path = from, .from_name = from_name, .to_path = to};
  for (unsigned number = 0; number < PX_MOST_NUMBERS; number++) {
    g_autoptr(GError) problem = NULL;
    g_autofree char *candidate = px_name_numbered(to_name, number);
    if (move_to(storage, &move, candidate, &problem)) {
      if (ret_name)
        *ret_name = g_steal_pointer(&candidate);
      return true;
    }
    if (!g_error_matches(problem, PX_ERROR, PX_ERROR_EXISTS)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return px_storage_failed(storage, error);
    }
  }
  (void)px_storage_exists_at(to, to_name, error);
  return px_storage_failed(storage, error);
}

/* ---- the rest */

void px_storage_put_off(PxStorage *storage) {
  if (storage->driver->put_off)
    storage->driver->put_off(storage->self);
}

bool px_storage_settle(PxStorage *storage, GError **error) {
  return !storage->driver->settle || storage->driver->settle(storage->self, error) || px_storage_failed(storage, error);
}

bool px_storage_remove(PxStorage *storage, const char *path, const char *name, GError **error) {
  g_autofree char *clean = NULL;
  if (!px_storage_clean_place(storage, path, name, true, &clean, error))
    return false;
  if (!storage->dry_run)
    return storage->driver->remove(storage->self, clean, name, error) || px_storage_failed(storage, error);
  PxFileInfo info;
  g_autoptr(PxReading) reading = px_storage_begin_read(storage, clean, name, &info, error);
  return reading || px_storage_failed(storage, error);
}

bool px_storage_check(PxStorage *storage, bool probe, GError **error) {
  return storage->driver->check(storage->self, probe && !storage->dry_run, error) || px_storage_failed(storage, error);
}

bool px_storage_host_key(PxStorage *storage, bool trust, char **ret_key, bool *ret_known, GError **error) {
  if (storage->driver->host_key)
    return storage->driver->host_key(storage->self, trust && !storage->dry_run, ret_key, ret_known, error) || px_storage_failed(storage, error);
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "a storage of the type %s has no key", storage->driver->type);
  return px_storage_failed(storage, error);
}

const char *px_storage_host_key_setting(const PxStorage *storage) {
  return storage->driver->host_key_setting;
}

/* ---- for drivers */

bool px_storage_exists(GError **error, const char *place) {
  g_set_error(error, PX_ERROR, PX_ERROR_EXISTS, "%s: there is a file of that name already", place);
  return false;
}

bool px_storage_not_found(GError **error, const char *place, const char *doing) {
  g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "%s: cannot %s: No such file or directory", place, doing);
  return false;
}

const char *px_storage_why_no_file(mode_t mode) {
  switch (mode & S_IFMT) {
  case 0: /* some servers tell no kinds */
  case S_IFREG:
    return NULL;
  case S_IFLNK:
    return "it is a symbolic link, which is not followed";
  case S_IFIFO:
    return "it is a pipe, no regular file";
  case S_IFSOCK:
    return "it is a socket, no regular file";
  case S_IFDIR:
    return "it is a directory";
  default:
    return "it is a device, no regular file";
  }
}
