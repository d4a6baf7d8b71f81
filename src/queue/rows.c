/* SPDX-License-Identifier: Apache-2.0 */
/* Values into statements, rows out of them, and the words that stand for states. */
#include "queue/queue_private.h"

static const char *const state_names[PX_N_STATES] = {"pending", "started", "done", "failed", "refused", "cancelled", "duplicate", "waiting"};
static const char *const direction_names[] = {"import", "export", "error", "receipt"};
static const char *const remote_names[] = {"none", "pending", "taken", "done"};
static const char *const file_kind_names[] = {"import", "export"};

const char *px_state_name(PxState state) {
  return state_names[state];
}

bool px_state_from_name(const char *name, PxState *ret_state) {
  for (size_t i = 0; i < G_N_ELEMENTS(state_names); i++)
    if (strcmp(state_names[i], name) == 0) {
      *ret_state = (PxState)i;
      return true;
    }
  return false;
}

const char *px_direction_name(PxDirection direction) {
  return direction_names[direction];
}

const char *px_remote_action_name(PxRemoteAction action) {
  return remote_names[action];
}

const char *px_file_kind_name(PxFileKind kind) {
  return file_kind_names[kind];
}

/* ---- into statements */

bool px_queue_statement(PxDb *db, const char *name, PxBinder *ret_binder, GError **error) {
  *ret_binder = (PxBinder){.stmt = px_db_named(db, name, error)};
  return ret_binder->stmt != NULL;
}

void px_bind_integer(PxBinder *binder, int64_t value) {
  px_stmt_bind_integer(binder->stmt, binder->next++, value);
}

void px_bind_text(PxBinder *binder, const char *text) {
  px_stmt_bind_text(binder->stmt, binder->next++, text);
}

PxValue px_id_value(int64_t id) {
  return id ? px_value_integer(id) : px_value_null();
}

void px_bind_id(PxBinder *binder, int64_t id) {
  PxValue value = px_id_value(id);
  px_stmt_bind(binder->stmt, binder->next++, &value);
}

void px_bind_counts(PxBinder *binder, const PxCounts *counts) {
  const uint64_t all[] = {counts->rows, counts->created, counts->updated, counts->unchanged, counts->failed, counts->skipped};
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    px_bind_integer(binder, (int64_t)all[i]);
}

void px_bind_filter(PxBinder *binder, const char *text) {
  px_bind_text(binder, text);
  px_bind_text(binder, text);
}

char *px_like_part(const char *text) {
  if (!text)
    return NULL;
  GString *like = g_string_new("%");
  for (; *text; text++) {
    if (strchr("%_\\", *text))
      g_string_append_c(like, '\\');
    g_string_append_c(like, g_ascii_tolower(*text));
  }
  g_string_append_c(like, '%');
  return g_string_free(like, FALSE);
}

void px_bind_limit(PxBinder *binder, uint64_t limit) {
  px_bind_integer(binder, limit && limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
}

void px_bind_row(PxBinder *binder, gconstpointer row, size_t n_columns, PxRowValues values_of) {
  g_autofree PxValue *values = g_new(PxValue, n_columns);
  values_of(row, values);
  for (size_t i = 0; i < n_columns; i++)
    px_stmt_bind(binder->stmt, binder->next++, &values[i]);
}

PxValue *px_bind_rows(PxBinder *binder, const gconstpointer *rows, size_t n, size_t n_columns, PxRowValues values_of) {
  g_autofree PxValue *of_row = g_new(PxValue, n_columns);
  PxValue *columns = g_new(PxValue, n * n_columns);
  for (size_t i = 0; i < n; i++) {
    values_of(rows[i], of_row);
    for (size_t column = 0; column < n_columns; column++)
      columns[column * n + i] = of_row[column];
  }
  for (size_t column = 0; column < n_columns; column++)
    px_stmt_bind_array(binder->stmt, binder->next++, columns + column * n, n);
  return columns;
}

PxValue *px_bind_texts(PxBinder *binder, const char *const *texts, size_t n) {
  PxValue *values = g_new(PxValue, n);
  for (size_t i = 0; i < n; i++)
    values[i] = px_value_string(texts ? texts[i] : NULL);
  px_stmt_bind_array(binder->stmt, binder->next++, values, n);
  return values;
}

bool px_run_bound(PxBinder *binder, GError **error) {
  return px_stmt_run(binder->stmt, error);
}

bool px_run_for_id(PxBinder *binder, int64_t *ret_value, GError **error) {
  PxStep step = px_stmt_step(binder->stmt, error);
  if (step == PX_STEP_ERROR)
    return false;
  *ret_value = 0;
  if (step == PX_STEP_DONE)
    return true;
  *ret_value = px_stmt_integer(binder->stmt, 0);
  return px_stmt_run(binder->stmt, error);
}

bool px_run_for_ids(PxBinder *binder, size_t n, int64_t *ret_values, GError **error) {
  PxStep step;
  memset(ret_values, 0, n * sizeof *ret_values);
  while ((step = px_stmt_step(binder->stmt, error)) == PX_STEP_ROW)
    ret_values[px_stmt_integer(binder->stmt, 0) - 1] = px_stmt_integer(binder->stmt, 1);
  return step == PX_STEP_DONE;
}

/* ---- out of them */

int64_t px_column_integer(PxColumns *columns) {
  return px_stmt_integer(columns->stmt, columns->next++);
}

char *px_column_text(PxColumns *columns) {
  return px_stmt_dup_text(columns->stmt, columns->next++);
}

void px_column_counts(PxColumns *columns, PxCounts *ret_counts) {
  uint64_t *const all[] = {&ret_counts->rows,      &ret_counts->created, &ret_counts->updated,
                           &ret_counts->unchanged, &ret_counts->failed,  &ret_counts->skipped};
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
    *all[i] = (uint64_t)px_column_integer(columns);
}

PxState px_column_state(PxColumns *columns) {
  g_autofree char *name = px_column_text(columns);
  PxState state = PX_STATE_FAILED;
  (void)(name && px_state_from_name(name, &state));
  return state;
}

int px_column_word(PxColumns *columns, const char *const *words, size_t n) {
  g_autofree char *name = px_column_text(columns);
  for (size_t i = 0; i < n; i++)
    if (g_strcmp0(name, words[i]) == 0)
      return (int)i;
  return 0;
}

gpointer px_read_text(PxColumns *columns) {
  return px_column_text(columns);
}

gpointer px_read_id(PxColumns *columns) {
  int64_t *id = g_new(int64_t, 1);
  *id = px_column_integer(columns);
  return id;
}

GPtrArray *px_read_rows(PxBinder *binder, PxReadRow read, GDestroyNotify free_row, GError **error) {
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_row);
  PxStep step;
  while ((step = px_stmt_step(binder->stmt, error)) == PX_STEP_ROW) {
    PxColumns columns = {.stmt = binder->stmt};
    g_ptr_array_add(rows, read(&columns));
  }
  return step == PX_STEP_DONE ? g_steal_pointer(&rows) : NULL;
}

gpointer px_read_row(PxBinder *binder, PxReadRow read, const char *what, int64_t id, GError **error) {
  PxStep step = px_stmt_step(binder->stmt, error);
  if (step == PX_STEP_ERROR)
    return NULL;
  if (step == PX_STEP_DONE) {
    g_set_error(error, PX_ERROR, PX_ERROR_NOT_FOUND, "there is no %s %" G_GINT64_FORMAT, what, id);
    return NULL;
  }
  PxColumns columns = {.stmt = binder->stmt};
  gpointer row = read(&columns);
  px_stmt_reset(binder->stmt);
  return row;
}
