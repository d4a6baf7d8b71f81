/* SPDX-License-Identifier: Apache-2.0 */
/* Writing records: one COPY, INSERT or UPDATE for all rows that write the same columns. */
#include "records/records_private.h"

#include <string.h>

/* ---- ids */

static bool take_from_sequence(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) {
  PxStmt *stmt = px_db_named(records->db, "sequence_take", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, model->sequence);
  px_stmt_bind_integer(stmt, 1, (int64_t)n);
  PxStep step;
  size_t taken = 0;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    int64_t first = px_stmt_integer(stmt, 0);
    for (int64_t i = 0; i < px_stmt_integer(stmt, 1) && taken < n; i++)
      ret_ids[taken++] = px_id_from_integer(first + i);
  }
  return step == PX_STEP_DONE;
}

bool px_records_numbers_itself(PxRecords *records, const PxModel *model, bool *ret_does, GError **error) {
  *ret_does = false;
  if (!px_records_in_sets(records) || !model->sequence || model->has_triggers)
    return true;
  PxStmt *stmt = px_db_named(records->db, "sequence_is_default", error);
  if (!stmt)
    return false;
  px_stmt_bind_text(stmt, 0, model->sql_table);
  px_stmt_bind_text(stmt, 1, model->id->column);
  px_stmt_bind_text(stmt, 2, model->sequence);
  if (px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  *ret_does = px_stmt_integer(stmt, 0) != 0;
  px_stmt_reset(stmt);
  return true;
}

/* Nobody gives ids here, so who writes next counts on: others wait until this transaction ends. */
static bool take_behind_last(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) {
  g_autoptr(GString) lock = g_string_new("LOCK TABLE ");
  g_string_append(lock, model->sql_table);
  g_string_append(lock, " IN SHARE ROW EXCLUSIVE MODE");
  g_autoptr(GString) sql = g_string_new("SELECT greatest(max(");
  px_db_quote(records->db, sql, model->id->column);
  g_string_append(sql, "), 0) FROM ");
  g_string_append(sql, model->sql_table);
  if (!px_db_exec(records->db, lock->str, error))
    return false;
  PxStmt *stmt = px_db_prepare(records->db, sql->str, error);
  if (!stmt || px_stmt_step(stmt, error) != PX_STEP_ROW)
    return false;
  int64_t last = px_stmt_integer(stmt, 0);
  px_stmt_reset(stmt);
  for (size_t i = 0; i < n; i++)
    ret_ids[i] = px_id_from_integer(last + 1 + (int64_t)i);
  return true;
}

/* As the column's default makes them. */
static bool take_uuids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) {
  g_autofree char *sql = g_strdup_printf("SELECT CAST(%s AS uuid) FROM generate_series(1, CAST(? AS bigint))", model->new_uuid);
  PxStmt *stmt = px_db_prepare(records->db, sql, error);
  if (!stmt)
    return false;
  px_stmt_bind_integer(stmt, 0, (int64_t)n);
  PxStep step;
  size_t taken = 0;
  while ((step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    ret_ids[taken++] = px_id_from_value(px_stmt_value(stmt, 0));
  return step == PX_STEP_DONE;
}

bool px_sets_take_ids(PxRecords *records, const PxModel *model, size_t n, PxId *ret_ids, GError **error) {
  if (n == 0)
    return true;
  return (model->new_uuid ? take_uuids : model->sequence ? take_from_sequence : take_behind_last)(records, model, n, ret_ids, error);
}

/* ---- statements */

/* What rows with one mask write: the id, where it is given, then these fields. */
typedef struct {
  const PxWrites *writes;
  const uint64_t *mask;
  size_t *rows;
  size_t n;
} Group;

static void append_arrays(const Group *group, GString *sql) {
  g_string_append(sql, " FROM unnest(");
  px_sets_array(sql, group->writes->model->id, true);
  for (size_t f = 0; f < group->writes->n_fields; f++) {
    if (!px_mask_has(group->mask, f))
      continue;
    g_string_append(sql, ", ");
    px_sets_array(sql, group->writes->fields[f], false);
  }
  g_string_append(sql, ") AS given (id");
  for (size_t f = 0; f < group->writes->n_fields; f++)
    if (px_mask_has(group->mask, f))
      g_string_append_printf(sql, ", v%zu", f);
  g_string_append_c(sql, ')');
}

static void append_columns(PxDb *db, const Group *group, GString *sql) {
  const char *separator = "";
  if (group->writes->ids) {
    px_db_quote(db, sql, group->writes->model->id->column);
    separator = ", ";
  }
  for (size_t f = 0; f < group->writes->n_fields; f++) {
    if (!px_mask_has(group->mask, f))
      continue;
    g_string_append(sql, separator);
    px_db_quote(db, sql, group->writes->fields[f]->column);
    separator = ", ";
  }
}

/* All that COPY wants to be told beside the table. */
static void copy_sql(PxDb *db, const Group *group, GString *sql) {
  append_columns(db, group, sql);
}

static void insert_sql(PxDb *db, const Group *group, GString *sql) {
  g_string_append(sql, "INSERT INTO ");
  g_string_append(sql, group->writes->model->sql_table);
  g_string_append(sql, " (");
  append_columns(db, group, sql);
  /* The ids are taken from the sequence, so they may also be given where they are GENERATED ALWAYS. */
  g_string_append(sql, ") OVERRIDING SYSTEM VALUE SELECT id");
  for (size_t f = 0; f < group->writes->n_fields; f++)
    if (px_mask_has(group->mask, f))
      g_string_append_printf(sql, ", v%zu", f);
  append_arrays(group, sql);
}

static void update_sql(PxDb *db, const Group *group, GString *sql) {
  g_string_append(sql, "UPDATE ");
  g_string_append(sql, group->writes->model->sql_table);
  g_string_append(sql, " AS t");
  const char *separator = " SET ";
  for (size_t f = 0; f < group->writes->n_fields; f++) {
    if (!px_mask_has(group->mask, f))
      continue;
    g_string_append(sql, separator);
    px_db_quote(db, sql, group->writes->fields[f]->column);
    g_string_append_printf(sql, " = given.v%zu", f);
    separator = ", ";
  }
  append_arrays(group, sql);
  g_string_append(sql, " WHERE t.");
  px_db_quote(db, sql, group->writes->model->id->column);
  g_string_append(sql, " = given.id");
}

/* All ids, then all of the first field, then all of the second ... Caller frees. arena: of the ids. */
static PxValue *cells_of(PxArena *arena, const Group *group, size_t *ret_n_columns) {
  PxValue *cells = g_new(PxValue, group->n * (group->writes->n_fields + 1));
  PxValue *cell = cells;
  for (size_t i = 0; group->writes->ids && i < group->n; i++)
    *cell++ = px_id_to_value(arena, group->writes->ids[group->rows[i]]);
  for (size_t f = 0; f < group->writes->n_fields; f++)
    for (size_t i = 0; i < group->n && px_mask_has(group->mask, f); i++)
      *cell++ = group->writes->values[group->rows[i]][f];
  *ret_n_columns = (size_t)(cell - cells) / group->n;
  return cells;
}

/* Row after row, as they lie. */
static bool run_copy(PxRecords *records, const Group *group, const char *columns, GError **error) {
  const PxWrites *writes = group->writes;
  g_autoptr(PxArena) arena = px_arena_new();
  g_autofree PxValue *cells = g_new(PxValue, group->n * (writes->n_fields + 1));
  PxValue *cell = cells;
  for (size_t i = 0; i < group->n; i++) {
    if (writes->ids)
      *cell++ = px_id_to_value(arena, writes->ids[group->rows[i]]);
    for (size_t f = 0; f < writes->n_fields; f++)
      if (px_mask_has(group->mask, f))
        *cell++ = writes->values[group->rows[i]][f];
  }
  return px_db_copy(records->db, writes->model->sql_table, columns, cells, (size_t)(cell - cells) / group->n, group->n, error);
}

/* All of them were found a moment ago. */
static bool all_written(PxRecords *records, const Group *group, GError **error) {
  if (px_db_changes(records->db) >= group->n)
    return true;
  px_db_refuse_silence(records->db,
                       "the database left the record as it was: a policy (row-level security), a trigger or a rule does not let it be"
                       " written, or it is gone meanwhile",
                       error);
  return false;
}

typedef void (*SqlFunc)(PxDb *db, const Group *group, GString *sql);

/* Rules and row-level security let nothing be trusted. */
static bool trust_group(PxRecords *records, const Group *group, SqlFunc make_sql, bool *ret_trusted, GError **error) {
  *ret_trusted = false;
  if (make_sql == copy_sql)
    return px_trust_new(records, group->writes, group->mask, group->rows, group->n, ret_trusted, error);
  return make_sql != update_sql || px_trust_changed(records, group->writes, group->mask, group->rows, group->n, ret_trusted, error);
}

static bool run_arrays(PxRecords *records, const Group *group, const char *sql, GError **error) {
  size_t n_columns;
  g_autoptr(PxArena) arena = px_arena_new();
  g_autofree PxValue *cells = cells_of(arena, group, &n_columns);
  PxStmt *stmt = px_db_prepare_batch(records->db, sql);
  for (size_t c = 0; c < n_columns; c++)
    px_stmt_bind_array(stmt, (unsigned)c, cells + c * group->n, group->n);
  return px_sets_run(records, stmt, error);
}

static bool write_group(PxRecords *records, const Group *group, SqlFunc make_sql, GError **error) {
  g_autoptr(GString) sql = g_string_new(NULL);
  bool trusted;
  make_sql(records->db, group, sql);
  if (!trust_group(records, group, make_sql, &trusted, error) || (trusted && !px_trust_begin(records, error)))
    return false;
  bool done = (make_sql == copy_sql ? run_copy : run_arrays)(records, group, sql->str, error);
  return done && (!trusted || px_trust_end(records, error)) && (make_sql != update_sql || all_written(records, group, error));
}

static bool write_all(PxRecords *records, const PxWrites *writes, SqlFunc make_sql, size_t *ret_bad_row, GError **error) {
  size_t words = px_mask_words(writes->n_fields);
  g_autofree bool *written = g_new0(bool, writes->n_rows);
  g_autofree size_t *rows = g_new(size_t, writes->n_rows);
  *ret_bad_row = writes->n_rows == 1 ? 0 : SIZE_MAX;
  for (size_t first = 0; first < writes->n_rows; first++) {
    if (written[first])
      continue;
    Group group = {.writes = writes, .mask = writes->masks + first * words, .rows = rows};
    for (size_t i = first; i < writes->n_rows; i++) {
      if (written[i] || memcmp(writes->masks + i * words, group.mask, words * sizeof *group.mask) != 0)
        continue;
      written[i] = true;
      rows[group.n++] = i;
    }
    if (write_group(records, &group, make_sql, error))
      continue;
    size_t refused = px_db_refusal(records->db)->row;
    if (make_sql == copy_sql && refused < group.n)
      *ret_bad_row = rows[refused];
    return false;
  }
  return true;
}

static bool write_the_same_columns(const PxWrites *writes) {
  size_t words = px_mask_words(writes->n_fields);
  for (size_t i = 1; i < writes->n_rows; i++)
    if (memcmp(writes->masks + i * words, writes->masks, words * sizeof *writes->masks) != 0)
      return false;
  return true;
}

bool px_sets_create(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) {
  PxWrites numbered = *writes;
  g_autofree PxId *ids = NULL;
  if (!writes->ids && !write_the_same_columns(writes)) { /* or the database would number them group by group */
    numbered.ids = ids = g_new(PxId, writes->n_rows);
    if (!px_sets_take_ids(records, writes->model, writes->n_rows, ids, error))
      return false;
  }
  /* COPY knows no rules and no row-level security, which count as triggers here. */
  return write_all(records, &numbered, writes->model->has_triggers ? insert_sql : copy_sql, ret_bad_row, error);
}

bool px_sets_update(PxRecords *records, const PxWrites *writes, size_t *ret_bad_row, GError **error) {
  return write_all(records, writes, update_sql, ret_bad_row, error);
}
