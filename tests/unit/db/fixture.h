/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A database file in a folder of its own, that goes with the test. */
#include "db/db.h"

#include <glib.h>
#include <glib/gstdio.h>

typedef struct {
  char *folder;
  char *path;
  char *url;
  PxDb *db;
} Fixture;

#define assert_code(error, expected)                                                                                                                 \
  do {                                                                                                                                               \
    g_assert_error(error, PX_ERROR, expected);                                                                                                       \
    g_clear_error(&error);                                                                                                                           \
  } while (0)

static inline PxDb *open_url(const char *url, bool create) {
  g_autoptr(GError) error = NULL;
  PxDb *db = px_db_open(&(PxDbOptions){.url = url, .create = create, .busy_ms = 20000}, &error);
  g_assert_no_error(error);
  return db;
}

static inline void set_up(Fixture *f, gconstpointer data) {
  f->folder = g_dir_make_tmp("px-db-XXXXXX", NULL);
  f->path = g_build_filename(f->folder, "test.db", NULL);
  f->url = g_strconcat("sqlite:", f->path, NULL);
  f->db = open_url(f->url, true);
}

static inline void tear_down(Fixture *f, gconstpointer data) {
  g_clear_pointer(&f->db, px_db_close);
  g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    g_remove(path);
  }
  g_rmdir(f->folder);
  g_free(f->folder);
  g_free(f->path);
  g_free(f->url);
}

static inline void exec(PxDb *db, const char *sql) {
  g_autoptr(GError) error = NULL;
  bool ok = px_db_exec(db, sql, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
}

static inline PxStmt *prepare(PxDb *db, const char *sql) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = px_db_prepare(db, sql, &error);
  g_assert_no_error(error);
  return stmt;
}

static inline int64_t one_integer(PxDb *db, const char *sql) {
  g_autoptr(GError) error = NULL;
  PxStmt *stmt = prepare(db, sql);
  PxStep step = px_stmt_step(stmt, &error);
  g_assert_no_error(error);
  g_assert_cmpint(step, ==, PX_STEP_ROW);
  int64_t integer = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return integer;
}

static inline void begin(PxDb *db, PxTxKind kind) {
  g_autoptr(GError) error = NULL;
  bool ok = px_db_begin(db, kind, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
}

static inline void commit(PxDb *db) {
  g_autoptr(GError) error = NULL;
  bool ok = px_db_commit(db, &error);
  g_assert_no_error(error);
  g_assert_true(ok);
}
