/* SPDX-License-Identifier: Apache-2.0 */
/* Our own tables: sql/migrate/0001.sql, 0002.sql ... each applied once, in a transaction of its own with the row that says so. */
#include "db/db_driver.h"

static const char *migration_text(const PxDb *db, unsigned version) {
  char name[32];
  g_snprintf(name, sizeof name, "migrate/%04u", version);
  return px_db_sql_text(db, name);
}

static unsigned newest_version(const PxDb *db) {
  unsigned version = 0;
  while (migration_text(db, version + 1))
    version++;
  return version;
}

/* 0: none of our tables is there yet. */
static bool read_version(PxDb *db, unsigned *ret_version, GError **error) {
  bool has_table;
  if (!db->driver->has_table(db, "pattimpex_schema_version", &has_table, error))
    return false;
  *ret_version = 0;
  if (!has_table)
    return true;
  PxStmt *stmt = px_db_named(db, "schema_version", error);
  if (!stmt || px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  *ret_version = (unsigned)px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  return true;
}

static bool apply(PxDb *db, unsigned version, GError **error) {
  if (version == 1 && !db->driver->exec(db, px_db_sql_text(db, "schema_version_create"), error))
    return false;
  if (!db->driver->exec(db, migration_text(db, version), error)) {
    g_prefix_error(error, "migrate/%04u.sql: ", version);
    return false;
  }
  PxStmt *stmt = px_db_named(db, "schema_version_add", error);
  if (!stmt)
    return false;
  px_stmt_bind_integer(stmt, 0, version);
  return px_stmt_run(stmt, error);
}

/* PostgreSQL lets any number of transactions write at once. */
static bool lock(PxDb *db, GError **error) {
  PxStmt *stmt = px_db_dialect(db) == PX_DIALECT_POSTGRES ? px_db_named(db, "migrate_lock", error) : NULL;
  return px_db_dialect(db) != PX_DIALECT_POSTGRES || (stmt && px_stmt_run(stmt, error));
}

/* In the caller's write transaction. Another process may have come first, so the version is read again. */
static bool apply_next(PxDb *db, unsigned newest, unsigned *version, GError **error) {
  if (!lock(db, error) || !read_version(db, version, error))
    return false;
  if (*version >= newest)
    return true;
  if (!apply(db, *version + 1, error))
    return false;
  ++*version;
  return true;
}

bool px_db_migrate(PxDb *db, GError **error) {
  unsigned newest = newest_version(db);
  unsigned version;
  if (!read_version(db, &version, error))
    return false;
  while (version < newest) {
    if (!px_db_begin(db, PX_TX_WRITE, error))
      return false;
    if (!apply_next(db, newest, &version, error) || !px_db_commit(db, error)) {
      px_db_rollback(db);
      return false;
    }
  }
  if (version > newest) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
                "the pattimpex tables of this database are of version %u, this program knows versions up to %u: use the newer program", version,
                newest);
    return false;
  }
  return true;
}
