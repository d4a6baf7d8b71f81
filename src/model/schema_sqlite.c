/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a SQLite database, from its pragmas and sqlite_schema. */
#include "model/schema_private.h"

PxTable *px_table_new(PxDb *db, PxArena *arena, const char *schema, const char *name) {
  PxTable *table = g_new0(PxTable, 1);
  g_autoptr(GString) quoted = g_string_new(NULL);
  if (schema) {
    px_db_quote(db, quoted, schema);
    g_string_append_c(quoted, '.');
  }
  px_db_quote(db, quoted, name);
  table->quoted = px_arena_strndup(arena, quoted->str, quoted->len);
  table->schema = schema;
  table->name = px_arena_printf(arena, "%s%s%s", schema ? schema : "", schema ? "." : "", name);
  table->columns = g_ptr_array_new();
  table->keys = g_ptr_array_new();
  table->uniques = g_ptr_array_new();
  table->choices = g_ptr_array_new();
  table->rules = g_ptr_array_new();
  return table;
}

const char *px_table_bare_name(const PxTable *table) {
  return table->schema ? table->name + strlen(table->schema) + 1 : table->name;
}

void px_table_free(PxTable *table) {
  if (!table)
    return;
  for (guint i = 0; i < table->keys->len; i++) {
    const PxTableKey *key = table->keys->pdata[i];
    g_ptr_array_unref(key->columns);
    g_ptr_array_unref(key->to_columns);
  }
  for (guint i = 0; i < table->uniques->len; i++)
    g_ptr_array_unref(((const PxTableUnique *)table->uniques->pdata[i])->columns);
  for (guint i = 0; i < table->choices->len; i++)
    g_ptr_array_unref(((const PxTableChoice *)table->choices->pdata[i])->values);
  for (guint i = 0; i < table->rules->len; i++)
    g_ptr_array_unref(((const PxTableRule *)table->rules->pdata[i])->columns);
  g_ptr_array_unref(table->rules);
  g_ptr_array_unref(table->columns);
  g_ptr_array_unref(table->keys);
  g_ptr_array_unref(table->uniques);
  g_ptr_array_unref(table->choices);
  g_free(table);
}

char *px_row_text(PxStmt *stmt, unsigned column, PxArena *arena) {
  PxValue value = px_stmt_value(stmt, column);
  return value.kind == PX_TEXT ? px_arena_strndup(arena, value.text, value.len) : NULL;
}

static PxStmt *query(PxDb *db, const char *name, const char *parameter, GError **error) {
  PxStmt *stmt = px_db_named(db, name, error);
  if (stmt && parameter)
    px_stmt_bind_text(stmt, 0, parameter);
  return stmt;
}

static bool read_columns(PxDb *db, PxTable *table, PxArena *arena, GError **error) {
  PxStmt *stmt = query(db, "sqlite_columns", table->name, error);
  if (!stmt)
    return false;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    PxTableColumn *column = px_arena_new_array(arena, PxTableColumn, 1);
    column->name = px_row_text(stmt, 0, arena);
    column->declared = px_row_text(stmt, 1, arena);
    if (!column->declared)
      column->declared = "";
    column->not_null = px_stmt_integer(stmt, 2) != 0;
    column->default_text = px_row_text(stmt, 3, arena);
    column->key_place = (unsigned)px_stmt_integer(stmt, 4);
    column->generated = px_stmt_integer(stmt, 5) != 0;
    const char *collation;
    if (!px_sqlite_column_collation(db, table->name, column->name, &collation, error)) {
      px_stmt_reset(stmt);
      return false;
    }
    column->collation = px_arena_strndup(arena, collation, strlen(collation));
    g_ptr_array_add(table->columns, column);
  }
  return step == PX_STEP_DONE;
}

static bool read_keys(PxDb *db, PxTable *table, PxArena *arena, GError **error) {
  PxStmt *stmt = query(db, "sqlite_foreign_keys", table->name, error);
  if (!stmt)
    return false;
  PxTableKey *key = NULL;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    if (px_stmt_integer(stmt, 0) == 0) { /* its first column */
      key = px_arena_new_array(arena, PxTableKey, 1);
      key->to_table = px_row_text(stmt, 1, arena);
      key->columns = g_ptr_array_new();
      key->to_columns = g_ptr_array_new();
      g_ptr_array_add(table->keys, key);
    }
    if (key) {
      g_ptr_array_add(key->columns, px_row_text(stmt, 2, arena));
      g_ptr_array_add(key->to_columns, px_row_text(stmt, 3, arena));
    }
  }
  return step == PX_STEP_DONE;
}

static const PxTableColumn *column_called(const PxTable *table, const char *name) {
  for (guint i = 0; name && i < table->columns->len; i++) {
    const PxTableColumn *column = table->columns->pdata[i];
    if (g_ascii_strcasecmp(column->name, name) == 0)
      return column;
  }
  return NULL;
}

static bool read_unique_columns(PxDb *db, const PxTable *table, PxTableUnique *unique, PxArena *arena, GError **error) {
  PxStmt *stmt = query(db, "sqlite_index_columns", unique->name, error);
  if (!stmt)
    return false;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    char *name = px_row_text(stmt, 0, arena); /* NULL: an expression */
    g_autofree char *collation = px_stmt_dup_text(stmt, 1);
    const PxTableColumn *column = column_called(table, name);
    if (!column || g_ascii_strcasecmp(column->collation, collation) != 0)
      unique->is_plain = false;
    else
      g_ptr_array_add(unique->columns, name);
  }
  return step == PX_STEP_DONE;
}

static bool read_uniques(PxDb *db, PxTable *table, PxArena *arena, GError **error) {
  PxStmt *stmt = query(db, "sqlite_unique_indexes", table->name, error);
  if (!stmt)
    return false;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    PxTableUnique *unique = px_arena_new_array(arena, PxTableUnique, 1);
    unique->name = px_row_text(stmt, 0, arena);
    unique->is_primary_key = px_stmt_integer(stmt, 1) != 0;
    unique->is_plain = px_stmt_integer(stmt, 2) == 0; /* not partial */
    unique->columns = g_ptr_array_new();
    g_ptr_array_add(table->uniques, unique);
    char *sql = px_row_text(stmt, 3, arena);
    if (!read_unique_columns(db, table, unique, arena, error)) {
      px_stmt_reset(stmt);
      return false;
    }
    const char *list = sql && !unique->is_plain ? strchr(sql, '(') : NULL;
    if (list)
      px_table_add_rule(table, arena, unique->name, list);
  }
  return step == PX_STEP_DONE;
}

static bool read_table(PxDb *db, PxTable *table, PxArena *arena, GError **error) {
  if (!read_columns(db, table, arena, error) || !read_keys(db, table, arena, error) || !read_uniques(db, table, arena, error))
    return false;
  if (table->sql)
    px_table_read_sql(table, arena);
  return true;
}

static const char *no_table(const char *type) {
  if (g_str_equal(type, "table"))
    return NULL;
  return g_str_equal(type, "view") ? "it is a view" : "it is a virtual table";
}

GPtrArray *px_tables_read_sqlite(PxDb *db, PxArena *arena, GError **error) {
  g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)px_table_free);
  PxStmt *stmt = query(db, "sqlite_tables", NULL, error);
  if (!stmt)
    return NULL;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    g_autofree char *name = px_stmt_dup_text(stmt, 0);
    g_autofree char *type = px_stmt_dup_text(stmt, 1);
    PxTable *table = px_table_new(db, arena, NULL, name);
    table->no_table = no_table(type);
    table->strict = px_stmt_integer(stmt, 2) != 0;
    table->has_triggers = px_stmt_integer(stmt, 3) != 0;
    table->sql = px_row_text(stmt, 4, arena);
    g_ptr_array_add(tables, table);
  }
  if (step != PX_STEP_DONE)
    return NULL;
  for (guint i = 0; i < tables->len; i++) {
    PxTable *table = tables->pdata[i];
    if (!table->no_table && !read_table(db, table, arena, error))
      return NULL;
  }
  return g_steal_pointer(&tables);
}
