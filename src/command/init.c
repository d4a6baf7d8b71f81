/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/shop.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>

#define RESOURCES "/pattimpex/shop/"
#define IN "drop/in/"
#define AGE_SECONDS 60

/* The files of examples/shop that are written as they are. */
static const char *const FILES[] = {"pattimpex.yaml",  "more-tasks.yaml", "staging.yaml",     IN "partners.csv", IN "partners-with-errors.csv",
                                    IN "products.csv", IN "orders.csv",   IN "contacts.xlsx", IN "stock.json"};

static bool fail(GError **error, const char *path) {
  int reason = errno;
  g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: %s", path, g_strerror(reason));
  return false;
}

/* Nothing is ever overwritten: the directory is made, or there and empty. */
static bool make_directory(const char *directory, GError **error) {
  if (g_mkdir_with_parents(directory, 0755) != 0)
    return fail(error, directory);
  g_autoptr(GDir) dir = g_dir_open(directory, 0, error);
  if (!dir)
    return false;
  g_autofree char *first = NULL;
  for (const char *name; (name = g_dir_read_name(dir));) {
    if (first && strcmp(name, first) > 0)
      continue;
    g_free(first);
    first = g_strdup(name);
  }
  if (first)
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "%s: is not empty (there is %s); name a new directory", directory, first);
  return !first;
}

static bool write_example(const char *directory, const char *name, GError **error) {
  g_autofree char *resource = g_strconcat(RESOURCES, name, NULL);
  g_autoptr(GBytes) bytes = g_resource_lookup_data(px_shop_get_resource(), resource, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  if (!bytes)
    return false;
  g_autofree char *path = g_build_filename(directory, name, NULL);
  g_autofree char *parent = g_path_get_dirname(path);
  if (g_mkdir_with_parents(parent, 0755) != 0)
    return fail(error, parent);
  return g_file_set_contents_full(path, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), G_FILE_SET_CONTENTS_NONE, 0644, error);
}

/* A file that has just changed may still be written to and is left alone for stable_for (2 s): these were dropped a minute ago. */
static bool make_older(const char *directory, const char *name, GError **error) {
  g_autofree char *path = g_build_filename(directory, name, NULL);
  struct timespec now;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  const struct timespec then[2] = {{.tv_sec = now.tv_sec - AGE_SECONDS}, {.tv_sec = now.tv_sec - AGE_SECONDS}};
  return utimensat(AT_FDCWD, path, then, 0) == 0 || fail(error, path);
}

static bool run_script(PxDb *db, const char *name, GError **error) {
  g_autofree char *resource = g_strconcat(RESOURCES, name, NULL);
  g_autoptr(GBytes) bytes = g_resource_lookup_data(px_shop_get_resource(), resource, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  if (!bytes)
    return false;
  g_autofree char *sql = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
  return px_db_exec(db, sql, error);
}

static bool make_database(const char *directory, GError **error) {
  g_autofree char *url = g_strdup_printf("sqlite:%s/shop.db", directory);
  g_autoptr(PxDb) db = px_db_open(&(PxDbOptions){.url = url, .create = true}, error);
  return db && px_db_begin(db, PX_TX_WRITE, error) && run_script(db, "schema.sql", error) && run_script(db, "data.sql", error) &&
         px_db_commit(db, error);
}

static bool make_shop(const char *directory, GError **error) {
  if (!make_directory(directory, error) || !make_database(directory, error))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
    if (!write_example(directory, FILES[i], error))
      return false;
    if (g_str_has_prefix(FILES[i], IN) && !make_older(directory, FILES[i], error))
      return false;
  }
  return true;
}

static int run(const PxCommandLine *line, GError **error) {
  const char *directory = line->n_args > 0 ? line->args[0] : "shop";
  if (!make_shop(directory, error))
    return 2;
  if (line->quiet)
    return 0;
  printf("A shop is ready in %s: shop.db with partners, products and orders, files of partners in drop/in,\n"
         "and pattimpex.yaml, which explains itself. Go on with:\n\n"
         "  cd %s\n"
         "  pattimpex check                    is everything right?\n"
         "  pattimpex run --dry-run            what would happen?\n"
         "  pattimpex run                      import drop/in, export to drop/out\n"
         "  pattimpex files                    what was read and written\n"
         "  head drop/errors/*                 the bad rows, each with its reasons\n",
         directory, directory);
  return 0;
}

const PxCommand px_command_init = {
  .name = "init",
  .arguments = "[DIR]",
  .summary = "Make an example to play with: a shop",
  .help = "A configuration, a SQLite database with schema and records, and files to import, in DIR (default\n"
          "shop), which must not exist or be empty.\n\n"
          "Example:\n"
          "  pattimpex init shop && cd shop && pattimpex run\n",
  .max_args = 1,
  .no_json = true,
  .run = run,
};
