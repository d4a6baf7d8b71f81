/* SPDX-License-Identifier: Apache-2.0 */
/* trust_references: the triggers of foreign keys are not asked about references of which it is known that they hold. A server that plays a replica
 * (session_replication_role) fires no triggers, so whatever else is kept by triggers must not be there. */
#include "base/tuple_map.h"
#include "records/records_private.h"

/* What is known of a table. */
typedef struct {
  int64_t n, last;      /* its triggers, and the newest of them, when it was looked at */
  bool allowed;         /* no triggers but those of foreign keys are skipped */
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

static bool may_play_replica(PxDb *db, bool *ret_may, GError **error) {
  return ask(db, "trust_is_superuser", ret_may, error) && (*ret_may || ask(db, "trust_may_set", ret_may, error));
}

bool px_records_trust_obstacles(PxDb *db, const PxModel *model, GPtrArray *reasons, GError **error) {
  bool may;
  if (!may_play_replica(db, &may, error))
    return false;
  if (!may)
    g_ptr_array_add(reasons, g_strdup("the user of the database URL may not skip triggers: GRANT SET ON PARAMETER session_replication_role"));
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
  if (!px_records_trust_obstacles(records->db, model, reasons, error) || !read_keys(records->db, model, fields, NULL, error))
    return NULL;
  now.allowed = reasons->len == 0;
  now.n_keys = fields->len;
  now.keys = (const PxField **)g_memdup2(fields->pdata, fields->len * sizeof *now.keys);
  known = g_memdup2(&now, sizeof now);
  g_hash_table_insert(records->trusts, (gpointer)(uintptr_t)model, known);
  return known;
}

/* ---- whether the references hold */

/* Which write is to be looked at; SIZE_MAX: the rows have NULL. False: only the trigger knows whether the key holds. */
static bool find_write(const PxWrites *writes, const uint64_t *mask, const PxField *field, size_t *ret_write) {
  size_t w = 0;
  while (w < writes->n_fields && writes->fields[w] != field)
    w++;
  *ret_write = SIZE_MAX;
  if (!field || w == writes->n_fields || !px_mask_has(mask, w))
    return field && !field->has_default && !field->read_only;
  *ret_write = w;
  return writes->proved[w];
}

/* The distinct values of a write, in arena. */
static size_t collect(const PxWrites *writes, const size_t *rows, size_t n, size_t w, PxArena *arena, PxValue **ret_values) {
  PxTupleMap map;
  px_tuple_map_init(&map);
  *ret_values = px_arena_new_array(arena, PxValue, n);
  for (size_t i = 0; i < n; i++) {
    const PxValue *value = &writes->values[rows[i]][w];
    bool is_new = false;
    if (value->kind != PX_NULL)
      (void)px_tuple_map_add(&map, px_tuple_encode(arena, value, 1), 0, &is_new);
    if (is_new)
      (*ret_values)[map.used - 1] = *value;
  }
  size_t n_values = map.used;
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

static bool lock_all(PxRecords *records, const PxWrites *writes, const Trust *trust, const uint64_t *mask, const size_t *rows, size_t n,
                     bool *ret_all, GError **error) {
  g_autoptr(PxArena) arena = px_arena_new();
  *ret_all = true;
  for (size_t k = 0; *ret_all && k < trust->n_keys; k++) {
    size_t w;
    PxValue *ids = NULL;
    *ret_all = find_write(writes, mask, trust->keys[k], &w);
    size_t n_ids = *ret_all && w != SIZE_MAX ? collect(writes, rows, n, w, arena, &ids) : 0;
    if (n_ids && !lock_parents(records, writes->fields[w]->target, ids, n_ids, ret_all, error))
      return false;
  }
  return true;
}

bool px_trust_rows(PxRecords *records, const PxWrites *writes, const uint64_t *mask, const size_t *rows, size_t n, bool *ret_trusted,
                   GError **error) {
  *ret_trusted = false;
  if (!writes->proved)
    return true;
  const Trust *trust = trust_of(records, writes->model, error);
  if (!trust)
    return false;
  return !trust->allowed || trust->n_keys == 0 || lock_all(records, writes, trust, mask, rows, n, ret_trusted, error);
}

bool px_trust_begin(PxRecords *records, GError **error) {
  return px_db_exec(records->db, "SET LOCAL session_replication_role = replica", error);
}

bool px_trust_end(PxRecords *records, GError **error) {
  return px_db_exec(records->db, "SET LOCAL session_replication_role TO DEFAULT", error);
}
