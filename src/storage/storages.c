/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/name_private.h"
#include "storage/storage_private.h"

#include "base/text.h"

#include <string.h>

#define MOST_SUFFIX 64u /* bytes */

struct PxStorages {
  GPtrArray *list; /* PxStorageConfig */
};

static const PxStorageDriver *const drivers[] = {&px_file_storage, &px_ftp_storage, &px_s3_storage, &px_sftp_storage};

static const PxStorageDriver *find_driver(const char *type) {
  for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
    if (strcmp(drivers[i]->type, type) == 0)
      return drivers[i];
  }
  return NULL;
}

static void storage_config_free(void *data) {
  PxStorageConfig *storage = data;
  if (storage->driver)
    storage->driver->free_settings(storage->settings);
  g_free(storage->settings);
  g_free(storage->renamed_from);
  g_free(storage->tmp_suffix);
  g_free(storage->type);
  g_free(storage->name);
  g_free(storage);
}

static void complain_of_type(const PxConfigNode *node, const char *what, PxComplaints *complaints) {
  g_autofree const char **types = g_new0(const char *, G_N_ELEMENTS(drivers) + 1);
  for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++)
    types[i] = drivers[i]->type;
  const PxConfigNode *type = px_node_get(node, "type");
  const char *text = px_node_text(type);
  g_autofree char *known = g_strjoinv(", ", (char **)(uintptr_t)types);
  g_autofree char *shown = px_node_shown(type);
  g_autofree char *hint = text ? px_text_did_you_mean(text, types, G_N_ELEMENTS(drivers)) : g_strdup("");
  if (px_node_type(type) == PX_NODE_NULL)
    px_complain(complaints, node, "%s: \"type\" is missing; it is one of: %s", what, known);
  else
    px_complain(complaints, type, "%s: %s is no type of storage%s; it is one of: %s", what, shown, hint, known);
}

/* The keys of every storage and those of its driver are one table, so that an unknown key is told once and "did you mean"
 * knows all. The driver's go to settings by way of an offset from storage. */
static void read_keys(PxStorageConfig *storage, const PxConfigNode *node, const char *what, PxComplaints *complaints) {
  const PxStorageDriver *driver = storage->driver;
  size_t settings = sizeof(PxStorageConfig);
  settings += (_Alignof(max_align_t) - settings % _Alignof(max_align_t)) % _Alignof(max_align_t);
  const PxKey common[] = {
    {.name = "type", .type = PX_KEY_STRING, .offset = offsetof(PxStorageConfig, type)},
    {.name = "renamed_from", .type = PX_KEY_STRING, .offset = offsetof(PxStorageConfig, renamed_from)},
    {.name = "bandwidth_limit", .type = PX_KEY_SIZE, .offset = offsetof(PxStorageConfig, bandwidth_limit)},
    {.name = "tmp_suffix", .type = PX_KEY_STRING, .offset = offsetof(PxStorageConfig, tmp_suffix)},
    {.name = "path_must_exist", .type = PX_KEY_BOOLEAN, .offset = offsetof(PxStorageConfig, path_must_exist)},
  };
  size_t n_keys = G_N_ELEMENTS(common) + driver->n_keys;
  g_autofree PxKey *keys = g_new(PxKey, n_keys);
  memcpy(keys, common, sizeof common);
  for (size_t i = 0; i < driver->n_keys; i++) {
    keys[G_N_ELEMENTS(common) + i] = driver->keys[i];
    keys[G_N_ELEMENTS(common) + i].offset += settings;
  }
  g_autofree char *both = g_malloc0(settings + driver->settings_size);
  memcpy(both, storage, sizeof *storage);
  if (driver->defaults)
    driver->defaults(both + settings);
  px_config_read(node, keys, n_keys, both, what, complaints);
  memcpy(storage, both, sizeof *storage);
  storage->settings = g_memdup2(both + settings, driver->settings_size);
}

/* It stands behind a name of ours, which takes its room. */
static void check_suffix(const PxStorageConfig *storage, const PxConfigNode *node, const char *what, PxComplaints *complaints) {
  const char *problem = storage->tmp_suffix && *storage->tmp_suffix ? px_name_problem_of_own(storage->tmp_suffix) : NULL;
  if (!problem && storage->tmp_suffix && strlen(storage->tmp_suffix) > MOST_SUFFIX)
    problem = "it is longer than 64 bytes";
  if (problem)
    px_complain(complaints, px_node_get(node, "tmp_suffix"), "%s: tmp_suffix: %s", what, problem);
}

static PxStorageConfig *read_one(const PxConfig *config, const char *name, const PxConfigNode *node, PxComplaints *complaints) {
  PxStorageConfig *storage = g_new0(PxStorageConfig, 1);
  storage->name = g_strdup(name);
  g_autofree char *what = g_strdup_printf("storage %s", name);
  if (px_node_type(node) != PX_NODE_MAP) {
    g_autofree char *shown = px_node_shown(node);
    px_complain(complaints, node, "%s: %s, but a map with \"type\" is expected", what, shown);
    return storage;
  }
  const char *type = px_node_text(px_node_get(node, "type"));
  storage->driver = type ? find_driver(type) : NULL;
  if (!storage->driver) {
    complain_of_type(node, what, complaints);
    return storage;
  }
  read_keys(storage, node, what, complaints);
  check_suffix(storage, node, what, complaints);
  if (storage->driver->check_settings)
    storage->driver->check_settings(storage->settings, config, node, complaints);
  return storage;
}

static void check_renames(const PxStorages *storages, const PxConfigNode *section, PxComplaints *complaints) {
  for (unsigned i = 0; i < storages->list->len; i++) {
    const PxStorageConfig *storage = g_ptr_array_index(storages->list, i);
    if (storage->renamed_from && px_storages_find(storages, storage->renamed_from))
      px_complain(complaints, px_node_get(px_node_get(section, storage->name), "renamed_from"),
                  "storage %s: renamed_from: there is a storage %s still; remove one of the two", storage->name, storage->renamed_from);
  }
}

PxStorages *px_storages_read(const PxConfig *config, PxComplaints *complaints) {
  PxStorages *storages = g_new0(PxStorages, 1);
  storages->list = g_ptr_array_new_with_free_func(storage_config_free);
  const PxConfigNode *section = px_node_get(px_config_root(config), "storages");
  if (px_node_type(section) != PX_NODE_MAP && px_node_type(section) != PX_NODE_NULL) {
    px_complain(complaints, section, "storages: must be a map of names, each with \"type\" and its settings");
    return storages;
  }
  for (size_t i = 0; i < px_node_count(section); i++)
    g_ptr_array_add(storages->list, read_one(config, px_node_key_at(section, i), px_node_at(section, i), complaints));
  check_renames(storages, section, complaints);
  return storages;
}

void px_storages_free(PxStorages *storages) {
  if (!storages)
    return;
  g_ptr_array_unref(storages->list);
  g_free(storages);
}

size_t px_storages_count(const PxStorages *storages) {
  return storages->list->len;
}

const char *px_storages_name(const PxStorages *storages, size_t i) {
  return ((const PxStorageConfig *)g_ptr_array_index(storages->list, i))->name;
}

const char *px_storages_type(const PxStorages *storages, size_t i) {
  return ((const PxStorageConfig *)g_ptr_array_index(storages->list, i))->type;
}

char *px_storages_place(const PxStorages *storages, size_t i) {
  const PxStorageConfig *storage = g_ptr_array_index(storages->list, i);
  return storage->driver ? storage->driver->place(storage->settings) : NULL;
}

const char *px_storages_risk(const PxStorages *storages, size_t i) {
  const PxStorageConfig *storage = g_ptr_array_index(storages->list, i);
  return storage->driver && storage->driver->risk ? storage->driver->risk(storage->settings) : NULL;
}

const PxStorageConfig *px_storages_find(const PxStorages *storages, const char *name) {
  for (unsigned i = 0; i < storages->list->len; i++) {
    const PxStorageConfig *storage = g_ptr_array_index(storages->list, i);
    if (strcmp(storage->name, name) == 0)
      return storage;
  }
  return NULL;
}

void px_storages_set_unknown(const PxStorages *storages, const char *name, GError **error) {
  size_t n = storages->list->len;
  g_autofree const char **names = g_new0(const char *, n + 1);
  for (size_t i = 0; i < n; i++)
    names[i] = px_storages_name(storages, i);
  g_autofree char *hint = px_text_did_you_mean(name, names, n);
  g_set_error(error, PX_ERROR, PX_ERROR_CONFIG, "storage %s: there is none of that name under \"storages\"%s", name, hint);
}
