/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a PostgreSQL database, from its catalogues: a fixed number of questions, however many tables there are. */
#include "model/schema_private.h"

typedef struct {
  PxDb *db;
  PxArena *arena;
  GPtrArray *tables;
  GHashTable *by_oid; /* int64_t -> PxTable */
  GHashTable *enums;  /* int64_t of the type -> GPtrArray of char * */
  PxValue *schemas;   /* those that tables are called by */
  size_t n_schemas;
} Reader;

typedef void (*TakeRow)(Reader *reader, PxTable *table, PxStmt *stmt);

/* A question about all tables; its parameter is the list of schemas. */
static PxStmt *ask(Reader *reader, const char *name, GError **error) {
  PxStmt *stmt = px_db_named(reader->db, name, error);
  if (stmt)
    px_stmt_bind_array(stmt, 0, reader->schemas, reader->n_schemas);
  return stmt;
}

/* Every row that begins with the oid of a table that is read. */
static bool each_row(Reader *reader, const char *name, TakeRow take, GError **error) {
  PxStmt *stmt = ask(reader, name, error);
  if (!stmt)
    return false;
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    int64_t oid = px_stmt_integer(stmt, 0);
    PxTable *table = g_hash_table_lookup(reader->by_oid, &oid);
    if (table)
      take(reader, table, stmt);
  }
  return step == PX_STEP_DONE;
}

/* ---- tables */

static const char *why_no_table(const char *kind, bool partition, bool readable) {
  if (!readable)
    return "the user of the database URL may not read it";
  if (partition)
    return "it is a partition of another table";
  return g_str_equal(kind, "f") ? "it is a foreign table" : NULL;
}

/* A comment may be long: its first line is a label. */
static const char *label_of(PxStmt *stmt, unsigned column, PxArena *arena) {
  char *comment = px_row_text(stmt, column, arena);
  if (comment)
    comment[strcspn(comment, "\r\n")] = '\0';
  return comment && *comment ? comment : NULL;
}

static void add_table(Reader *reader, PxStmt *stmt) {
  g_autofree char *name = px_stmt_dup_text(stmt, 1);
  g_autofree char *kind = px_stmt_dup_text(stmt, 2);
  int64_t oid = px_stmt_integer(stmt, 0);
  PxTable *table = px_table_new(reader->db, reader->arena, px_row_text(stmt, 7, reader->arena), name);
  table->no_table = why_no_table(kind, px_stmt_integer(stmt, 3) != 0, px_stmt_integer(stmt, 6) != 0);
  table->read_only = g_str_equal(kind, "v") || g_str_equal(kind, "m");
  table->has_triggers = px_stmt_integer(stmt, 4) != 0;
  table->comment = label_of(stmt, 5, reader->arena);
  g_ptr_array_add(reader->tables, table);
  g_hash_table_insert(reader->by_oid, g_memdup2(&oid, sizeof oid), table);
}

/* Names are compared as on SQLite. */
static void leave_twins_out(const GPtrArray *tables) {
  for (guint i = 0; i < tables->len; i++)
    for (guint k = 0; k < i; k++) {
      PxTable *one = tables->pdata[i];
      PxTable *other = tables->pdata[k];
      if (g_ascii_strcasecmp(one->name, other->name) == 0)
        one->no_table = other->no_table = "the name of another table is the same but for capitals";
    }
}

static bool read_tables(Reader *reader, GError **error) {
  PxStmt *stmt = ask(reader, "pg_tables", error);
  PxStep step = PX_STEP_ERROR;
  while (stmt && (step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    add_table(reader, stmt);
  leave_twins_out(reader->tables);
  return step == PX_STEP_DONE;
}

/* ---- columns */

static bool read_enums(Reader *reader, GError **error) {
  PxStmt *stmt = px_db_named(reader->db, "pg_enums", error);
  PxStep step = PX_STEP_ERROR;
  while (stmt && (step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    int64_t oid = px_stmt_integer(stmt, 0);
    GPtrArray *values = g_hash_table_lookup(reader->enums, &oid);
    if (!values) {
      values = g_ptr_array_new();
      g_hash_table_insert(reader->enums, g_memdup2(&oid, sizeof oid), values);
    }
    g_ptr_array_add(values, px_row_text(stmt, 1, reader->arena));
  }
  return step == PX_STEP_DONE;
}

static void add_enum(Reader *reader, PxTable *table, const char *column, int64_t type) {
  GPtrArray *values = g_hash_table_lookup(reader->enums, &type);
  if (!values)
    return;
  PxTableChoice *choice = px_arena_new_array(reader->arena, PxTableChoice, 1);
  *choice = (PxTableChoice){.column = column, .values = g_ptr_array_ref(values)};
  g_ptr_array_add(table->choices, choice);
}

static void add_column(Reader *reader, PxTable *table, PxStmt *stmt) {
  PxArena *arena = reader->arena;
  PxTableColumn *column = px_arena_new_array(arena, PxTableColumn, 1);
  *column = (PxTableColumn){
    .name = px_row_text(stmt, 1, arena),
    .declared = px_row_text(stmt, 2, arena),
    .not_null = px_stmt_integer(stmt, 5) != 0,
    .default_text = px_row_text(stmt, 6, arena),
    .generated = px_stmt_integer(stmt, 7) != 0,
    .key_place = (unsigned)px_stmt_integer(stmt, 9),
    .comment = label_of(stmt, 10, arena),
  };
  column->collation = px_pg_collation_of(column->declared, px_stmt_integer(stmt, 11) != 0);
  if (px_stmt_integer(stmt, 4) != 0)
    column->refused = px_arena_printf(arena, "it is an array (%s)", column->declared);
  char *sequence = px_row_text(stmt, 12, arena);
  if (sequence) {
    table->sequence = sequence;
    table->autoincrement = true;
  }
  column->is_enum = px_stmt_value(stmt, 3).kind != PX_NULL;
  add_enum(reader, table, column->name, px_stmt_integer(stmt, 3));
  g_ptr_array_add(table->columns, column);
}

/* The records of a view are told apart by a column id of integers or uuids. */
static void make_view(PxTable *view) {
  for (guint i = 0; i < view->columns->len; i++) {
    PxTableColumn *column = view->columns->pdata[i];
    PxField field = {0};
    px_field_set_type_postgres(&field, column->declared);
    if (g_str_equal(column->name, "id") && (field.storage == PX_STORE_INTEGER || field.form == PX_FORM_UUID))
      column->key_place = 1;
    if (column->key_place)
      return;
  }
  view->no_table = "it is a view without a column id of integers or uuids";
}

static void make_views(const GPtrArray *tables) {
  for (guint i = 0; i < tables->len; i++) {
    PxTable *table = tables->pdata[i];
    if (table->read_only && !table->no_table)
      make_view(table);
  }
}

/* ---- constraints; the rows of one stand together */

static void add_key_column(Reader *reader, PxTable *table, PxStmt *stmt) {
  int64_t oid = px_stmt_integer(stmt, 1);
  int64_t to = px_stmt_integer(stmt, 2);
  const PxTable *other = g_hash_table_lookup(reader->by_oid, &to);
  if (!other)
    return;
  PxTableKey *key = table->keys->len ? table->keys->pdata[table->keys->len - 1] : NULL;
  if (!key || key->oid != oid) {
    key = px_arena_new_array(reader->arena, PxTableKey, 1);
    *key = (PxTableKey){.to_table = other->name, .columns = g_ptr_array_new(), .to_columns = g_ptr_array_new(), .oid = oid};
    g_ptr_array_add(table->keys, key);
  }
  g_ptr_array_add(key->columns, px_row_text(stmt, 3, reader->arena));
  g_ptr_array_add(key->to_columns, px_row_text(stmt, 4, reader->arena));
}

static void add_unique_column(Reader *reader, PxTable *table, PxStmt *stmt) {
  PxArena *arena = reader->arena;
  char *name = px_row_text(stmt, 1, arena);
  char *column = px_row_text(stmt, 4, arena);
  PxTableUnique *unique = table->uniques->len ? table->uniques->pdata[table->uniques->len - 1] : NULL;
  bool is_first = !unique || !g_str_equal(unique->name, name);
  if (is_first) {
    unique = px_arena_new_array(arena, PxTableUnique, 1);
    *unique = (PxTableUnique){.name = name, .is_primary_key = px_stmt_integer(stmt, 2) != 0, .columns = g_ptr_array_new()};
    unique->is_plain = px_stmt_integer(stmt, 3) != 0;
    g_ptr_array_add(table->uniques, unique);
  }
  bool was_plain = unique->is_plain;
  unique->is_plain = was_plain && px_stmt_integer(stmt, 5) != 0;
  if (column && px_stmt_integer(stmt, 5) != 0)
    g_ptr_array_add(unique->columns, column);
  if (!unique->is_plain && (is_first || was_plain))
    px_table_add_rule(table, arena, name, px_row_text(stmt, 6, arena));
}

static void add_check(Reader *reader, PxTable *table, PxStmt *stmt) {
  PxArena *arena = reader->arena;
  const char *text = px_row_text(stmt, 2, arena);
  const char *column = px_row_text(stmt, 3, arena); /* of a domain */
  px_table_add_rule(table, arena, px_row_text(stmt, 1, arena), text);
  PxTableRule *rule = table->rules->pdata[table->rules->len - 1];
  if (column && !g_ptr_array_find_with_equal_func(rule->columns, column, g_str_equal, NULL))
    g_ptr_array_add(rule->columns, (gpointer)(uintptr_t)column);
  px_pg_add_choice(table, arena, column, text);
}

/* ---- all of it */

static bool read_all(Reader *reader, GError **error) {
  if (!read_tables(reader, error) || !read_enums(reader, error) || !each_row(reader, "pg_columns", add_column, error))
    return false;
  make_views(reader->tables);
  return each_row(reader, "pg_foreign_keys", add_key_column, error) && each_row(reader, "pg_unique_indexes", add_unique_column, error) &&
         each_row(reader, "pg_checks", add_check, error);
}

GPtrArray *px_tables_read_postgres(PxDb *db, PxArena *arena, const char *const *schemas, GError **error) {
  g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func((GDestroyNotify)px_table_free);
  g_autoptr(GHashTable) by_oid = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr(GHashTable) enums = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  Reader reader = {.db = db, .arena = arena, .tables = tables, .by_oid = by_oid, .enums = enums};
  reader.n_schemas = g_strv_length((char **)(uintptr_t)schemas);
  reader.schemas = px_arena_new_array(arena, PxValue, reader.n_schemas);
  for (size_t i = 0; i < reader.n_schemas; i++)
    reader.schemas[i] = px_value_string(schemas[i]);
  return read_all(&reader, error) ? g_steal_pointer(&tables) : NULL;
}
