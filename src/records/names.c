/* SPDX-License-Identifier: Apache-2.0 */
/* The external ids that an export writes. Those it gives to records that have none cannot be stored in its read snapshot: a temporary
 * table remembers them, so that any number of them takes no memory. */
#include "records/records_private.h"

#define EXPORT_MODULE "__export__"

bool px_records_begin_names(PxDb *db, GError **error) {
  if (px_db_is_pooled(db)) {
    g_set_error(error, PX_ERROR, PX_ERROR_CONFIG,
                "external ids are exported over a connection of its own: name the server itself in \"database\", not its pooler");
    return false;
  }
  return px_db_exec(
    db,
    "CREATE TEMP TABLE IF NOT EXISTS pattimpex_new_name (name text NOT NULL PRIMARY KEY, model text NOT NULL, res_id bigint NOT NULL, res_key text);"
    "DELETE FROM pattimpex_new_name",
    error);
}

typedef struct {
  PxStmt *find;  /* the name of a record */
  PxStmt *taken; /* whether some record has a name of our module */
  PxStmt *add;
} Statements;

static bool prepare(PxDb *db, Statements *statements, GError **error) {
  statements->find = px_db_prepare(db,
                                   "SELECT module || '.' || name FROM pattimpex_external_id WHERE model = ? AND res_id = ? "
                                   "ORDER BY module = '" EXPORT_MODULE "', module, name LIMIT 1",
                                   error);
  if (statements->find)
    statements->taken = px_db_prepare(db, "SELECT 1 FROM pattimpex_external_id WHERE module = '" EXPORT_MODULE "' AND name = ?", error);
  if (statements->taken)
    statements->add =
      px_db_prepare(db, "INSERT INTO pattimpex_new_name (name, model, res_id, res_key) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", error);
  if (statements->add)
    px_stmt_temporary(statements->add);
  return statements->add != NULL;
}

/* TABLE_ID, or TABLE_ID-2 ... where a record that came from another database has that name. */
static bool new_name(const Statements *statements, const PxModel *model, PxId id, PxArena *arena, PxValue *ret_name, GError **error) {
  bool is_uuid = px_id_is_uuid(id);
  PxValue value = px_id_to_value(arena, id);
  PxValue null = px_value_null();
  PxValue zero = px_value_integer(0);
  char text[PX_ID_TEXT_SIZE];
  px_id_write(id, text);
  for (unsigned i = 1;; i++) {
    const char *suffix = i > 1 ? px_arena_printf(arena, "-%u", i) : "";
    char *name = px_arena_printf(arena, EXPORT_MODULE ".%s_%s%s", model->table, text, suffix);
    PxValue bare = px_value_string(name + strlen(EXPORT_MODULE "."));
    px_stmt_bind(statements->taken, 0, &bare);
    PxStep step = px_stmt_step(statements->taken, error);
    if (step == PX_STEP_ERROR)
      return false;
    if (step == PX_STEP_ROW) {
      px_stmt_reset(statements->taken);
      continue;
    }
    px_stmt_bind(statements->add, 0, &bare);
    px_stmt_bind_text(statements->add, 1, model->table);
    px_stmt_bind(statements->add, 2, is_uuid ? &zero : &value);
    px_stmt_bind(statements->add, 3, is_uuid ? &value : &null);
    *ret_name = px_value_string(name);
    return px_stmt_run(statements->add, error);
  }
}

/* SQLite: one record after the other. */
static bool name_each(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, PxArena *arena, PxValue *ret_names, GError **error) {
  Statements statements = {0};
  if (!prepare(records->db, &statements, error))
    return false;
  px_stmt_bind_text(statements.find, 0, model->table);
  for (size_t i = 0; i < n; i++) {
    if (px_id_is_none(ids[i]))
      continue;
    PxValue id = px_id_to_value(arena, ids[i]);
    px_stmt_bind(statements.find, 1, &id);
    PxStep step = px_stmt_step(statements.find, error);
    if (step == PX_STEP_ERROR || (step == PX_STEP_DONE && !new_name(&statements, model, ids[i], arena, &ret_names[i], error)))
      return false;
    if (step == PX_STEP_ROW) {
      ret_names[i] = px_value_copy(arena, px_stmt_value(statements.find, 0));
      px_stmt_reset(statements.find);
    }
  }
  return true;
}

/* ---- PostgreSQL: a question for all of them */

#define FIND_ALL(column, type)                                                                                                                       \
  "SELECT own.place, found.name FROM unnest(CAST(? AS " type "[])) WITH ORDINALITY AS own (id, place) CROSS JOIN LATERAL ("                          \
  "SELECT module || '.' || name AS name FROM pattimpex_external_id WHERE " column " = own.id AND model = ? "                                         \
  "ORDER BY module = '" EXPORT_MODULE "', module, name LIMIT 1) AS found"

/* Those whose name of our module another record has. */
#define FIND_TAKEN                                                                                                                                   \
  "SELECT own.place FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS own (id, place) JOIN pattimpex_external_id AS e "                              \
  "ON e.module = '" EXPORT_MODULE "' AND e.name = CAST(? AS text) || '_' || own.id"

/* A record that stands there twice gets one. */
#define ADD_ALL(column, type)                                                                                                                        \
  "INSERT INTO pattimpex_new_name (name, model, res_id, res_key) SELECT DISTINCT CAST(? AS text) || '_' || id, CAST(? AS text), " column " "         \
  "FROM unnest(CAST(? AS " type "[])) AS own (id) WHERE id IS NOT NULL ON CONFLICT DO NOTHING"

static bool find_all(PxRecords *records, const PxModel *model, const char *list, PxArena *arena, PxValue *ret_names, GError **error) {
  PxStmt *stmt = px_db_prepare(records->db, px_model_has_uuids(model) ? FIND_ALL("res_key", "text") : FIND_ALL("res_id", "bigint"), error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, list);
  px_stmt_bind_text(stmt, 1, model->table);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    ret_names[px_stmt_integer(stmt, 0) - 1] = px_value_copy(arena, px_stmt_value(stmt, 1));
  return step == PX_STEP_DONE;
}

static bool is_nameless(const PxId *ids, const PxValue *names, size_t i) {
  return !px_id_is_none(ids[i]) && names[i].kind == PX_NULL;
}

/* Names those of missing (none: has one) of which another record has the name, and makes them none. */
static bool name_taken(PxRecords *records, const PxModel *model, PxId *missing, size_t n, PxArena *arena, PxValue *ret_names, GError **error) {
  Statements statements = {0};
  g_autofree char *list = px_ids_as_list(records->db, missing, n);
  PxStmt *stmt = prepare(records->db, &statements, error) ? px_db_prepare(records->db, FIND_TAKEN, error) : NULL;
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, list);
  px_stmt_bind_text(stmt, 1, model->table);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    size_t i = (size_t)px_stmt_integer(stmt, 0) - 1;
    if (!new_name(&statements, model, missing[i], arena, &ret_names[i], error)) {
      px_stmt_reset(stmt);
      return false;
    }
    missing[i] = PX_ID_NONE;
  }
  return step == PX_STEP_DONE;
}

static bool name_rest(PxRecords *records, const PxModel *model, const PxId *missing, size_t n, PxArena *arena, PxValue *ret_names, GError **error) {
  g_autofree char *list = px_ids_as_list(records->db, missing, n);
  PxStmt *stmt =
    px_db_prepare(records->db, px_model_has_uuids(model) ? ADD_ALL("0, id", "text") : ADD_ALL("id, CAST(NULL AS text)", "bigint"), error);
  if (!stmt)
    return false;
  px_stmt_temporary(stmt);
  px_stmt_bind_text(stmt, 0, model->table);
  px_stmt_bind_text(stmt, 1, model->table);
  px_stmt_bind_text(stmt, 2, list);
  for (size_t i = 0; i < n; i++) {
    char text[PX_ID_TEXT_SIZE];
    px_id_write(missing[i], text);
    if (*text)
      ret_names[i] = px_value_string(px_arena_printf(arena, EXPORT_MODULE ".%s_%s", model->table, text));
  }
  return px_stmt_run(stmt, error);
}

static bool name_all(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, PxArena *arena, PxValue *ret_names, GError **error) {
  g_autofree char *list = px_ids_as_list(records->db, ids, n);
  if (!find_all(records, model, list, arena, ret_names, error))
    return false;
  g_autofree PxId *missing = g_new(PxId, n);
  bool any = false;
  for (size_t i = 0; i < n; i++) {
    missing[i] = is_nameless(ids, ret_names, i) ? ids[i] : PX_ID_NONE;
    any |= is_nameless(ids, ret_names, i);
  }
  return !any || (name_taken(records, model, missing, n, arena, ret_names, error) && name_rest(records, model, missing, n, arena, ret_names, error));
}

bool px_records_names(PxRecords *records, const PxModel *model, const PxId *ids, size_t n, PxArena *arena, PxValue *ret_names, GError **error) {
  for (size_t i = 0; i < n; i++)
    ret_names[i] = px_value_null();
  bool is_sqlite = px_db_dialect(records->db) == PX_DIALECT_SQLITE;
  return (is_sqlite ? name_each : name_all)(records, model, ids, n, arena, ret_names, error);
}

/* Whether every record that got a name still has it: another export may have given the same ones, another file other ones. */
static bool check_names(PxDb *db, GError **error) {
  PxStmt *stmt = px_db_prepare(
    db,
    "SELECT name FROM pattimpex_new_name n WHERE NOT EXISTS (SELECT 1 FROM pattimpex_external_id e "
    "WHERE e.module = '" EXPORT_MODULE
    "' AND e.name = n.name AND e.model = n.model AND e.res_id = n.res_id AND coalesce(e.res_key, '') = coalesce(n.res_key, '')) LIMIT 1",
    error);
  PxStep step = stmt ? px_stmt_step(stmt, error) : PX_STEP_ERROR;
  if (step != PX_STEP_ROW)
    return step == PX_STEP_DONE;
  g_autofree char *name = px_stmt_dup_text(stmt, 0);
  px_stmt_reset(stmt);
  g_set_error(error, PX_ERROR, PX_ERROR_TRANSIENT, "the external id " EXPORT_MODULE ".%s was given to another record while the file was written",
              name);
  return false;
}

bool px_records_store_names(PxDb *db, GError **error) {
  PxStmt *stmt =
    px_db_prepare(db,
                  "INSERT INTO pattimpex_external_id (module, name, model, res_id, res_key) SELECT '" EXPORT_MODULE "', name, model, res_id, res_key "
                  "FROM pattimpex_new_name WHERE TRUE ON CONFLICT DO NOTHING",
                  error);
  return stmt && px_stmt_run(stmt, error) && check_names(db, error);
}
