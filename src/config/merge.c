/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

#include <stdlib.h>
#include <string.h>

static bool is_plain_map(const PxConfigNode *node) {
  return px_node_type(node) == PX_NODE_MAP && !px_secrets_is_file(node);
}

PxConfigNode *px_config_merge(PxConfig *config, PxConfigNode *base, PxConfigNode *over) {
  if (!over || !base)
    return over ? over : base;
  if (!is_plain_map(base) || !is_plain_map(over))
    return over;
  PxConfigNode *node = px_arena_new_array(config->arena, PxConfigNode, 1);
  *node = *over;
  node->keys = px_arena_new_array(config->arena, const char *, base->n + over->n + 1);
  node->items = px_arena_new_array(config->arena, PxConfigNode *, base->n + over->n + 1);
  node->n = base->n;
  g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < base->n; i++) {
    node->keys[i] = base->keys[i];
    node->items[i] = base->items[i];
    g_hash_table_insert(places, (void *)(uintptr_t)base->keys[i], GSIZE_TO_POINTER(i));
  }
  for (size_t i = 0; i < over->n; i++) {
    void *place;
    if (g_hash_table_lookup_extended(places, over->keys[i], NULL, &place)) {
      node->items[GPOINTER_TO_SIZE(place)] = px_config_merge(config, node->items[GPOINTER_TO_SIZE(place)], over->items[i]);
    } else {
      node->keys[node->n] = over->keys[i];
      node->items[node->n++] = over->items[i];
    }
  }
  return node;
}

/* ---- files and what they include */

typedef struct {
  PxConfig *config;
  PxComplaints *complaints;
  GPtrArray *shown; /* the files that are being read, outermost first: their names as people wrote them ... */
  GPtrArray *real;  /* ... and as the file system knows them */
  unsigned n_files;
} Loader;

static PxConfigNode *load_file(Loader *loader, const char *path, const PxConfigNode *included_by);

/* Whether path is being read already, or too much has been; complains. */
static bool must_not_read(Loader *loader, const char *path, const char *real, const PxConfigNode *included_by) {
  for (unsigned i = 0; i < loader->real->len; i++) {
    if (strcmp(real, g_ptr_array_index(loader->real, i)) != 0)
      continue;
    g_autoptr(GString) way = g_string_new(NULL);
    for (unsigned j = i; j < loader->shown->len; j++)
      g_string_append_printf(way, "%s -> ", (const char *)g_ptr_array_index(loader->shown, j));
    px_complain(loader->complaints, included_by, "include: files include one another in a circle: %s%s", way->str, path);
    return true;
  }
  if (++loader->n_files > PX_CONFIG_MAX_FILES) {
    px_complain(loader->complaints, included_by, "include: more than %u files", PX_CONFIG_MAX_FILES);
    return true;
  }
  return false;
}

/* Merges what the value of include: names into *tree, in order. */
static void load_includes(Loader *loader, const char *path, const PxConfigNode *include, PxConfigNode **tree) {
  size_t n = px_node_type(include) == PX_NODE_SEQUENCE ? include->n : 1;
  for (size_t i = 0; i < n; i++) {
    const PxConfigNode *item = px_node_type(include) == PX_NODE_SEQUENCE ? include->items[i] : include;
    const char *text = px_node_text(item);
    if (!text || !*text) {
      px_complain(loader->complaints, item, "include: must be a path or a list of paths");
      continue;
    }
    const char *name = px_secrets_expand(loader->config, item, text, loader->complaints);
    if (!name)
      continue;
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *target = g_path_is_absolute(name) || strcmp(directory, ".") == 0 ? g_strdup(name) : g_build_filename(directory, name, NULL);
    *tree = px_config_merge(loader->config, *tree, load_file(loader, target, item));
  }
}

/* The same map without its key include. */
static void drop_include(PxConfigNode *map) {
  size_t kept = 0;
  for (size_t i = 0; i < map->n; i++) {
    if (strcmp(map->keys[i], "include") == 0)
      continue;
    map->keys[kept] = map->keys[i];
    map->items[kept++] = map->items[i];
  }
  map->n = kept;
}

static PxConfigNode *read_one(Loader *loader, const char *path, const PxConfigNode *included_by) {
  size_t len = 0;
  g_autofree char *problem = NULL;
  g_autofree char *text = px_config_read_file(path, PX_CONFIG_MAX_BYTES, &len, &problem);
  if (!text && included_by)
    px_complain(loader->complaints, included_by, "include: cannot read %s: %s", path, problem);
  else if (!text)
    px_complain_at(loader->complaints, path, 0, "cannot read this configuration: %s", problem);
  if (!text)
    return NULL;
  const char *file = px_arena_strndup(loader->config->arena, path, strlen(path));
  PxConfigNode *tree = px_yaml_parse(loader->config, text, len, file, loader->complaints);
  if (tree && tree->type != PX_NODE_MAP && tree->type != PX_NODE_NULL) {
    px_complain(loader->complaints, tree, "a configuration is a map: \"key: value\" on each line");
    return NULL;
  }
  return tree;
}

/* An empty file changes nothing, so it gives NULL as a broken one does; complaints tell them apart. */
static PxConfigNode *load_file(Loader *loader, const char *path, const PxConfigNode *included_by) {
  char *resolved = realpath(path, NULL);
  g_autofree char *real = g_strdup(resolved ? resolved : path);
  free(resolved);
  if (must_not_read(loader, path, real, included_by))
    return NULL;
  PxConfigNode *own = read_one(loader, path, included_by);
  if (px_node_type(own) != PX_NODE_MAP)
    return NULL;
  PxConfigNode *tree = NULL;
  const PxConfigNode *include = px_node_get(own, "include");
  if (include) {
    g_ptr_array_add(loader->shown, (void *)(uintptr_t)path);
    g_ptr_array_add(loader->real, real);
    load_includes(loader, path, include, &tree);
    g_ptr_array_set_size(loader->shown, (int)loader->shown->len - 1);
    g_ptr_array_set_size(loader->real, (int)loader->real->len - 1);
    drop_include(own);
  }
  return px_config_merge(loader->config, tree, own);
}

/* ---- a configuration as a whole */

static PxConfig *config_new(const char *directory) {
  PxConfig *config = g_new0(PxConfig, 1);
  config->arena = px_arena_new();
  config->directory = g_strdup(directory);
  return config;
}

/* Fills in the values of the environment, gives config away or frees it. */
static PxConfig *finish(PxConfig *config, PxComplaints *complaints, GError **error) {
  if (px_complaints_errors(complaints) == 0) {
    if (!config->root)
      config->root = px_arena_new_array(config->arena, PxConfigNode, 1);
    px_secrets_apply(config, complaints);
  }
  if (px_complaints_to_error(complaints, error))
    return config;
  px_config_free(config);
  return NULL;
}

PxConfig *px_config_load(const char *const *paths, size_t n, GError **error) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(GPtrArray) shown = g_ptr_array_new();
  g_autoptr(GPtrArray) real = g_ptr_array_new();
  g_autofree char *directory = n > 0 ? g_path_get_dirname(paths[0]) : g_strdup(".");
  PxConfig *config = config_new(directory);
  Loader loader = {.config = config, .complaints = complaints, .shown = shown, .real = real};
  for (size_t i = 0; i < n; i++)
    config->root = px_config_merge(config, config->root, load_file(&loader, paths[i], NULL));
  return finish(config, complaints, error);
}

PxConfig *px_config_parse(const char *text, const char *origin, GError **error) {
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  PxConfig *config = config_new(".");
  const char *file = px_arena_strndup(config->arena, origin, strlen(origin));
  config->root = px_yaml_parse(config, text, strlen(text), file, complaints);
  return finish(config, complaints, error);
}

void px_config_free(PxConfig *config) {
  if (!config)
    return;
  px_arena_free(config->arena);
  g_free(config->directory);
  g_free(config);
}

const PxConfigNode *px_config_root(const PxConfig *config) {
  return config->root;
}

char *px_config_resolve_path(const PxConfig *config, const char *path) {
  if (strcmp(path, "~") == 0 || g_str_has_prefix(path, "~/"))
    return g_build_filename(g_get_home_dir(), path + 1, NULL);
  if (g_path_is_absolute(path) || strcmp(config->directory, ".") == 0)
    return g_strdup(path);
  return g_build_filename(config->directory, path, NULL);
}
