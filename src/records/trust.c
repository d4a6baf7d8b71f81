/* SPDX-License-Identifier: Apache-2.0 */
/* trust_references: the triggers of foreign keys are not asked about references of which it is known that they hold. A server that plays a replica
 * (session_replication_role) fires no triggers, so whatever else is kept by triggers must not be there. */
#include "base/tuple_map.h"
#include "records/records_private.h"

/* What is known of a table. */
typedef struct {
  int64_t n, last;      /* its triggers, and the newest of them, when it was looked at */
  bool allowed;         /* no triggers but those of foreign keys are skipped */
  bool referred;        /* others refer to something else of it than the id, which a change must not break */
  const PxField **keys; /* one a foreign key; NULL: it is no many2one */
  size_t n_keys;
} Trust;

static void free_trust(gpointer data) {
  Trust *trust = data;
  g_free(trust->keys);
  g_free(trust);
}

/* ---- what is known of a table */

static bool ask(PxDb *db, const char *name, bool *ret_answer, GError **error) {
  PxStmt *stmt = px_db_named(db, name, error);
  if (!stmt || px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  *ret_answer = px_stmt_integer(stmt, 0) != 0;
  px_stmt_reset(stmt);
  return true;
}

/* *ret_why: why the user may not; NULL: he may. */
static bool may_play_replica(PxDb *db, const char **ret_why, GError **error) {
  bool may, grantable = false;
  if (!ask(db, "trust_is_superuser", &may, error) || (!may && !ask(db, "trust_grantable", &grantable, error)) ||
      (grantable && !ask(db, "trust_may_set", &may, error)))
    return false;
  *ret_why = may ? NULL
             : grantable
               ? "the user of the database URL may not skip triggers: GRANT SET ON PARAMETER session_replication_role"
               : "the user of the database URL may not skip triggers: before PostgreSQL 15 only a superuser may, and nobody can be given the"
                 " right to: use a superuser, or a newer server";
  return true;
}

bool px_records_trust_obstacles(PxDb *db, const PxModel *model, GPtrArray *reasons, GError **error) {
  const char *why;
  if (!may_play_replica(db, &why, error))
    return false;
  if (why)
    g_ptr_array_add(reasons, g_strdup(why));
  PxStmt *stmt = px_db_named(db, "trust_obstacles", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, model->sql_table);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    g_ptr_array_add(reasons, px_stmt_dup_text(stmt, 0));
  return step == PX_STEP_DONE;
}

/* A statement about the table of a model, at its one row; NULL with error. To be reset. */
static PxStmt *ask_about(PxDb *db, const char *name, const PxModel *model, GError **error) {
  PxStmt *stmt = px_db_named(db, name, error);
  if (!stmt)
    return NULL;
  px_stmt_bind_text(stmt, 0, model->sql_table);
  return px_stmt_step(stmt, error) == PX_STEP_ROW ? stmt : NULL;
}

static bool is_table(PxDb *db, const PxModel *model, int64_t oid, bool *ret_is, GError **error) {
  PxStmt *stmt = ask_about(db, "trust_table", model, error);
  if (!stmt)
    return false;
  *ret_is = px_stmt_integer(stmt, 0) == oid;
  px_stmt_reset(stmt);
  return true;
}

/* The many2one that a foreign key is; NULL: it is none. */
static bool take_key(PxDb *db, const PxModel *model, PxStmt *stmt, const PxField **ret_field, GError **error) {
  g_autofree char *column = px_stmt_dup_text(stmt, 1);
  g_autofree char *other = px_stmt_dup_text(stmt, 3);
  const PxField *field = column ? px_model_column(model, column) : NULL;
  bool is_key = field && field->type == PX_TYPE_MANY2ONE && g_strcmp0(field->target->id->column, other) == 0;
  if (is_key && !is_table(db, field->target, px_stmt_integer(stmt, 2), &is_key, error))
    return false;
  *ret_field = is_key ? field : NULL;
  return true;
}

/* fields: PxField *, one a foreign key, NULL where it is no many2one; names: those of these, may be NULL. */
static bool read_keys(PxDb *db, const PxModel *model, GPtrArray *fields, GPtrArray *names, GError **error) {
  PxStmt *stmt = px_db_named(db, "trust_keys", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, model->sql_table);
  PxStep step;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    const PxField *field;
    if (!take_key(db, model, stmt, &field, error))
      return false;
    g_ptr_array_add(fields, (gpointer)(uintptr_t)field);
    if (!field && names)
      g_ptr_array_add(names, px_stmt_dup_text(stmt, 0));
  }
  return step == PX_STEP_DONE;
}

bool px_records_untrusted_keys(PxDb *db, const PxModel *model, GPtrArray *names, GError **error) {
  g_autoptr(GPtrArray) fields = g_ptr_array_new();
  return read_keys(db, model, fields, names, error);
}

/* The lock keeps others from adding a trigger until the transaction ends; those that were added since the last one show. */
static bool look_at(PxRecords *records, const PxModel *model, Trust *ret_now, GError **error) {
  g_autofree char *lock = g_strdup_printf("LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE", model->sql_table);
  if (!px_db_exec(records->db, lock, error))
    return false;
  PxStmt *stmt = ask_about(records->db, "trust_triggers", model, error);
  if (!stmt)
    return false;
  *ret_now = (Trust){.n = px_stmt_integer(stmt, 0), .last = px_stmt_integer(stmt, 1)};
  px_stmt_reset(stmt);
  return true;
}

static bool is_referred(PxDb *db, const PxModel *model, bool *ret_is, GError **error) {
  PxStmt *stmt = px_db_named(db, "trust_referred", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, model->id->column);
  px_stmt_bind_text(stmt, 1, model->sql_table);
  if (px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  *ret_is = px_stmt_integer(stmt, 0) != 0;
  px_stmt_reset(stmt);
  return true;
}

/* What is known of the table now; it lives until the next call for it. */
static const Trust *trust_of(PxRecords *records, const PxModel *model, GError **error) {
  Trust now;
  if (!look_at(records, model, &now, error))
    return NULL;
  if (!records->trusts)
    records->trusts = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_trust);
  Trust *known = g_hash_table_lookup(records->trusts, model);
  if (known && known->n == now.n && known->last == now.last)
    return known;
  g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) fields = g_ptr_array_new();
  if (!px_records_trust_obstacles(records->db, model, reasons, error) || !read_keys(records->db, model, fields, NULL, error) ||
      !is_referred(records->db, model, &now.referred, error))
    return NULL;
  now.allowed = reasons->len == 0;
  now.n_keys = fields->len;
  now.keys = (const PxField **)g_memdup2(fields->pdata, fields->len * sizeof *now.keys);
  known = g_memdup2(&now, sizeof now);
  g_hash_table_insert(records->trusts, (gpointer)(uintptr_t)model, known);
  return known;
}

/* ---- whether the references hold */

/* Rows with one mask. */
typedef struct {
  const PxWrites *writes;
  const uint64_t *mask;
  const size_t *rows;
  size_t n;
  bool are_new;
} Rows;

/* Which write is to be looked at; SIZE_MAX: the rows have NULL, or keep what they have. False: only the trigger knows whether the key holds. */
static bool find_write(const Rows *rows, const PxField *field, size_t *ret_write) {
  const PxWrites *writes = rows->writes;
  size_t w = 0;
  while (w < writes->n_fields && writes->fields[w] != field)
    w++;
  *ret_write = SIZE_MAX;
  if (!field || w == writes->n_fields || !px_mask_has(rows->mask, w))
    return field && (!rows->are_new || (!field->has_default && !field->read_only));
  *ret_write = w;
  return writes->proved[w];
}

/* The distinct ids that a write has, in arena, but for those of records that the same statement makes: they are there when it is done. */
static size_t collect(const Rows *rows, size_t w, PxArena *arena, PxValue **ret_values) {
  const PxWrites *writes = rows->writes;
  PxTupleMap map;
  bool is_new;
  px_tuple_map_init(&map);
  for (size_t i = 0; rows->are_new && writes->ids && writes->fields[w]->target == writes->model && i < rows->n; i++) {
    PxValue own = px_id_to_value(arena, writes->ids[rows->rows[i]]);
    (void)px_tuple_map_add(&map, px_tuple_encode(arena, &own, 1), 0, &is_new);
  }
  size_t n_own = map.used;
  *ret_values = px_arena_new_array(arena, PxValue, rows->n);
  for (size_t i = 0; i < rows->n; i++) {
    const PxValue *value = &writes->values[rows->rows[i]][w];
    is_new = false;
    if (value->kind != PX_NULL)
      (void)px_tuple_map_add(&map, px_tuple_encode(arena, value, 1), 0, &is_new);
    if (is_new)
      (*ret_values)[map.used - n_own - 1] = *value;
  }
  size_t n_values = map.used - n_own;
  px_tuple_map_done(&map);
  return n_values;
}

/* Locks the records that the rows refer to, so that they stay until the transaction ends, as the trigger does; *ret_all: they are all there. */
static bool lock_parents(PxRecords *records, const PxModel *parent, const PxValue *ids, size_t n, bool *ret_all, GError **error) {
  g_autoptr(GString) sql = g_string_new("SELECT count(*) FROM (SELECT 1 FROM ");
  g_string_append(sql, parent->sql_table);
  g_string_append(sql, " WHERE ");
  px_db_quote(records->db, sql, parent->id->column);
  g_string_append(sql, " = ANY (");
  px_sets_array(sql, parent->id, true);
  g_string_append(sql, ") FOR KEY SHARE) AS locked");
  PxStmt *stmt = px_db_prepare_batch(records->db, sql->str);
  px_stmt_bind_array(stmt, 0, ids, n);
  bool done = px_stmt_step(stmt, error) == PX_STEP_ROW;
  *ret_all = done && px_stmt_integer(stmt, 0) == (int64_t)n;
  px_db_forget(records->db, stmt);
  return done;
}

static bool lock_all(PxRecords *records, const Rows *rows, const Trust *trust, bool *ret_all, GError **error) {
  g_autoptr(PxArena) arena = px_arena_new();
  *ret_all = true;
  for (size_t k = 0; *ret_all && k < trust->n_keys; k++) {
    size_t w;
    PxValue *ids = NULL;
    *ret_all = find_write(rows, trust->keys[k], &w);
    size_t n_ids = *ret_all && w != SIZE_MAX ? collect(rows, w, arena, &ids) : 0;
    if (n_ids && !lock_parents(records, rows->writes->fields[w]->target, ids, n_ids, ret_all, error))
      return false;
  }
  return true;
}

/* Else no trigger is fired anyway. */
static bool writes_reference(const Rows *rows) {
  bool any = false;
  for (size_t w = 0; w < rows->writes->n_fields; w++)
    any = any || (rows->writes->proved[w] && px_mask_has(rows->mask, w));
  return any;
}

static bool trust_rows(PxRecords *records, const Rows *rows, bool *ret_trusted, GError **error) {
  *ret_trusted = false;
  if (!rows->writes->proved || (!rows->are_new && !writes_reference(rows)))
    return true;
  const Trust *trust = trust_of(records, rows->writes->model, error);
  if (!trust)
    return false;
  bool may = trust->allowed && trust->n_keys > 0 && (rows->are_new || !trust->referred);
  return !may || lock_all(records, rows, trust, ret_trusted, error);
}

bool px_trust_new(PxRecords *records, const PxWrites *writes, const uint64_t *mask, const size_t *rows, size_t n, bool *ret_trusted, GError **error) {
  return trust_rows(records, &(Rows){writes, mask, rows, n, true}, ret_trusted, error);
}

bool px_trust_changed(PxRecords *records, const PxWrites *writes, const uint64_t *mask, const size_t *rows, size_t n, bool *ret_trusted,
                      GError **error) {
  return trust_rows(records, &(Rows){writes, mask, rows, n, false}, ret_trusted, error);
}

bool px_trust_begin(PxRecords *records, GError **error) {
  return px_db_exec(records->db, "SET LOCAL session_replication_role = replica", error);
}

bool px_trust_end(PxRecords *records, GError **error) {
  return px_db_exec(records->db, "SET LOCAL session_replication_role TO DEFAULT", error);
}
