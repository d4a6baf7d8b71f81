/* SPDX-License-Identifier: Apache-2.0 */
#include "records/records_private.h"

typedef struct {
  unsigned parent; /* the alias it hangs on */
  const PxField *field;
  bool junction; /* the table between the two sides of a many2many */
} Join;

struct PxJoins {
  PxDb *db;
  const PxModel *model;
  GArray *joins; /* Join; number i is alias t(i + 1) */
};

PxJoins *px_joins_new(PxDb *db, const PxModel *model) {
  PxJoins *joins = g_new0(PxJoins, 1);
  joins->db = db;
  joins->model = model;
  joins->joins = g_array_new(FALSE, FALSE, sizeof(Join));
  return joins;
}

void px_joins_free(PxJoins *joins) {
  if (!joins)
    return;
  g_array_unref(joins->joins);
  g_free(joins);
}

static unsigned find_join(PxJoins *joins, unsigned parent, const PxField *field, bool junction) {
  for (unsigned i = 0; i < joins->joins->len; i++) {
    const Join *join = &g_array_index(joins->joins, Join, i);
    if (join->parent == parent && join->field == field && join->junction == junction)
      return i + 1;
  }
  Join join = {.parent = parent, .field = field, .junction = junction};
  g_array_append_val(joins->joins, join);
  return joins->joins->len;
}

unsigned px_joins_table(PxJoins *joins, const PxField *const *path, size_t n_path) {
  unsigned alias = 0;
  for (size_t i = 0; i < n_path; i++) {
    if (path[i]->type == PX_TYPE_MANY2MANY)
      alias = find_join(joins, alias, path[i], true);
    alias = find_join(joins, alias, path[i], false);
  }
  return alias;
}

bool px_joins_any(const PxJoins *joins) {
  return joins->joins->len > 0;
}

void px_joins_column(PxJoins *joins, GString *sql, const PxField *const *path, size_t n_path) {
  /* The id of the record a many2one refers to stands in the many2one's own column. */
  if (n_path > 1 && path[n_path - 2]->type == PX_TYPE_MANY2ONE && path[n_path - 1] == path[n_path - 2]->target->id)
    n_path--;
  unsigned alias = px_joins_table(joins, path, n_path - 1);
  g_string_append_printf(sql, "t%u.", alias);
  px_db_quote(joins->db, sql, path[n_path - 1]->column);
}

/* In a SELECT of its own the expression's plain names are columns of the one record, whatever else is joined. */
static void append_expression(const PxJoins *joins, GString *sql, const char *expression) {
  g_string_append_printf(sql, "(SELECT (%s) FROM ", expression);
  g_string_append(sql, joins->model->sql_table);
  g_string_append(sql, " AS px_record WHERE px_record.");
  px_db_quote(joins->db, sql, joins->model->id->column);
  g_string_append(sql, " = t0.");
  px_db_quote(joins->db, sql, joins->model->id->column);
  g_string_append_c(sql, ')');
}

void px_joins_value(PxJoins *joins, GString *sql, const PxLookupPath *path) {
  if (path->expression)
    append_expression(joins, sql, path->expression);
  else
    px_joins_column(joins, sql, path->path, path->n_path);
}

/* The columns by which a table is joined: of itself, and of the table it hangs on. */
static void join_columns(const Join *join, const char **ret_own, const char **ret_other) {
  const PxField *field = join->field;
  if (join->junction) {
    *ret_own = field->from;
    *ret_other = field->model->id->column;
  } else if (field->type == PX_TYPE_MANY2ONE) {
    *ret_own = field->target->id->column;
    *ret_other = field->column;
  } else if (field->type == PX_TYPE_ONE2MANY) {
    *ret_own = field->inverse->column;
    *ret_other = field->model->id->column;
  } else {
    *ret_own = field->target->id->column;
    *ret_other = field->to;
  }
}

void px_joins_from(const PxJoins *joins, GString *sql) {
  g_string_append(sql, " FROM ");
  g_string_append(sql, joins->model->sql_table);
  g_string_append(sql, " t0");
  for (unsigned i = 0; i < joins->joins->len; i++) {
    const Join *join = &g_array_index(joins->joins, Join, i);
    const char *own;
    const char *other;
    join_columns(join, &own, &other);
    g_string_append(sql, " LEFT JOIN ");
    g_string_append(sql, join->junction ? join->field->sql_through : join->field->target->sql_table);
    g_string_append_printf(sql, " t%u ON t%u.", i + 1, i + 1);
    px_db_quote(joins->db, sql, own);
    g_string_append_printf(sql, " = t%u.", join->parent);
    px_db_quote(joins->db, sql, other);
  }
}

void px_joins_order(PxJoins *joins, GString *sql, const PxField *const *fields, const bool *descending, size_t n) {
  const PxModel *model = joins->model;
  if (n == 0) {
    fields = model->order;
    descending = model->order_descending;
    n = model->n_order;
  }
  g_string_append(sql, " ORDER BY ");
  for (size_t i = 0; i < n; i++) {
    px_joins_column(joins, sql, &fields[i], 1);
    g_string_append(sql, descending && descending[i] ? " DESC, " : ", ");
  }
  /* The id behind it makes the order whole: two exports of the same records are the same file. */
  px_joins_column(joins, sql, &model->id, 1);
}
