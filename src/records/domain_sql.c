/* SPDX-License-Identifier: Apache-2.0 */
/* Domains as SQL conditions, values always bound. What a condition means where a value is NULL follows Odoo: "!=" and "not in" hold for
 * records without the value, and a boolean that is NULL is false. */
#include "records/records_private.h"

#include <string.h>

typedef struct {
  PxDb *db;
  int64_t now;
  GString *sql;
  GArray *parameters;
  GPtrArray *texts;
} Context;

static void column(Context *context, const char *alias, const PxField *field) {
  if (alias)
    g_string_append_printf(context->sql, "%s.", alias);
  px_db_quote(context->db, context->sql, field->column);
}

static void bind(Context *context, const PxValue *value) {
  PxValue bound = *value;
  if (value->kind == PX_DOMAIN_TIME) {
    g_ptr_array_add(context->texts, px_domain_time_at(value, context->now));
    bound = px_value_string(context->texts->pdata[context->texts->len - 1]);
  }
  g_array_append_val(context->parameters, bound);
}

/* What stands for a value that is compared with a field. PostgreSQL takes a ? for the type of the column, which a larger number, or a fraction, may
 * not be. */
static const char *placeholder(const Context *context, const PxField *field, const PxValue *value) {
  if (px_db_dialect(context->db) != PX_DIALECT_POSTGRES || !px_field_holds_integers(field))
    return "?";
  return value->kind == PX_REAL ? "CAST(? AS numeric)" : "CAST(? AS bigint)";
}

/* The column as a text, for LIKE; and where its type, an enum or json, has no values, or no =, for what people may write. */
static void text_column(Context *context, const char *alias, const PxField *field) {
  bool is_postgres = px_db_dialect(context->db) == PX_DIALECT_POSTGRES;
  g_string_append(context->sql, is_postgres ? "CAST(" : "");
  column(context, alias, field);
  g_string_append(context->sql, is_postgres ? " AS text)" : "");
}

static void compared_column(Context *context, const char *alias, const PxField *field) {
  bool as_text = field->is_enum || (field->collation == PX_COLLATE_OTHER && field->type == PX_TYPE_JSON);
  (as_text ? text_column : column)(context, alias, field);
}

/* column = one value, or IS NULL; a boolean that is not set counts as false. */
static void equal(Context *context, const char *alias, const PxField *field, const PxValue *value, bool negate) {
  bool boolean = field->type == PX_TYPE_BOOLEAN;
  bool is_false = value->kind == PX_NULL || (boolean && value->kind == PX_INTEGER && value->integer == 0);
  if (boolean) {
    g_string_append(context->sql, "coalesce(");
    column(context, alias, field);
    g_string_append_printf(context->sql, ", FALSE) %s %s", negate ? "<>" : "=", is_false ? "FALSE" : "TRUE");
    return;
  }
  if (is_false) {
    column(context, alias, field);
    g_string_append(context->sql, negate ? " IS NOT NULL" : " IS NULL");
    return;
  }
  if (negate)
    g_string_append_c(context->sql, '(');
  compared_column(context, alias, field);
  g_string_append_printf(context->sql, " %s %s", negate ? "<>" : "=", placeholder(context, field, value));
  bind(context, value);
  if (negate) {
    g_string_append(context->sql, " OR ");
    column(context, alias, field);
    g_string_append(context->sql, " IS NULL)");
  }
}

/* The rule for booleans that are not set, value by value. */
static void in_booleans(Context *context, const char *alias, const PxDomain *leaf, bool negate) {
  for (size_t i = 0; i < leaf->n_values; i++) {
    g_string_append(context->sql, i == 0 ? "" : negate ? " AND " : " OR ");
    equal(context, alias, leaf->path[leaf->n_path - 1], &leaf->values[i], negate);
  }
}

/* column IN (all values but NULL); whether that is among them. Not every database knows a list of nothing. */
static bool in_placeholders(Context *context, const char *alias, const PxField *field, const PxDomain *leaf, bool negate) {
  size_t n = 0;
  for (size_t i = 0; i < leaf->n_values; i++) {
    if (leaf->values[i].kind == PX_NULL)
      continue;
    if (n++ == 0) {
      compared_column(context, alias, field);
      g_string_append(context->sql, negate ? " NOT IN (" : " IN (");
    } else {
      g_string_append(context->sql, ", ");
    }
    g_string_append(context->sql, placeholder(context, field, &leaf->values[i]));
    bind(context, &leaf->values[i]);
  }
  g_string_append(context->sql, n ? ")" : negate ? "TRUE" : "FALSE");
  return n < leaf->n_values;
}

/* One IN, because a list may be longer than an expression may be deep, and what it means for NULL. */
static void in_values(Context *context, const char *alias, const PxDomain *leaf, bool negate) {
  const PxField *field = leaf->path[leaf->n_path - 1];
  bool has_null = in_placeholders(context, alias, field, leaf, negate);
  if (!negate && !has_null)
    return;
  bool both = negate && has_null;
  g_string_append(context->sql, both ? " AND " : " OR ");
  column(context, alias, field);
  g_string_append(context->sql, both ? " IS NOT NULL" : " IS NULL");
}

static void in_list(Context *context, const char *alias, const PxDomain *leaf, bool negate) {
  if (leaf->n_values == 0) {
    g_string_append(context->sql, negate ? "TRUE" : "FALSE");
    return;
  }
  bool booleans = leaf->path[leaf->n_path - 1]->type == PX_TYPE_BOOLEAN;
  g_string_append_c(context->sql, '(');
  (booleans ? in_booleans : in_values)(context, alias, leaf, negate);
  g_string_append_c(context->sql, ')');
}

static void compare(Context *context, const char *alias, const PxField *field, const char *operator, const PxValue * value) {
  column(context, alias, field);
  g_string_append_printf(context->sql, " %s %s", operator, placeholder(context, field, value));
  bind(context, value);
}

/* A LIKE pattern as one of GLOB, which minds case on SQLite where LIKE does not. */
static char *glob_pattern(const char *like, size_t len, bool anywhere) {
  GString *glob = g_string_new(anywhere ? "*" : "");
  for (size_t i = 0; i < len; i++) {
    char c = like[i];
    if (c == '%' || c == '_')
      g_string_append_c(glob, c == '%' ? '*' : '?');
    else if (c == '\\' && i + 1 < len)
      g_string_append_printf(glob, strchr("*?[", like[i + 1]) ? "[%c]" : "%c", like[i + 1]), i++;
    else
      g_string_append_printf(glob, strchr("*?[", c) ? "[%c]" : "%c", c);
  }
  if (anywhere)
    g_string_append_c(glob, '*');
  return g_string_free(glob, FALSE);
}

static void like(Context *context, const char *alias, const PxField *field, const PxValue *value, bool fold, bool anywhere, bool negate) {
  bool is_postgres = px_db_dialect(context->db) == PX_DIALECT_POSTGRES;
  bool globs = !fold && !is_postgres;
  char *pattern =
    globs ? glob_pattern(value->text, value->len, anywhere) : g_strdup_printf(anywhere ? "%%%.*s%%" : "%.*s", (int)value->len, value->text);
  g_ptr_array_add(context->texts, pattern);
  PxValue parameter = px_value_string(pattern);
  g_string_append_c(context->sql, '(');
  text_column(context, alias, field);
  g_string_append(context->sql, negate ? " NOT " : " ");
  g_string_append(context->sql, globs ? "GLOB ?" : fold && is_postgres ? "ILIKE ? ESCAPE '\\'" : "LIKE ? ESCAPE '\\'");
  bind(context, &parameter);
  if (negate || (anywhere && value->len == 0)) { /* nothing is a part of everything */
    g_string_append(context->sql, " OR ");
    column(context, alias, field);
    g_string_append(context->sql, " IS NULL");
  }
  g_string_append_c(context->sql, ')');
}

static unsigned enter(Context *context, const char *alias, const PxField *relation, const PxField *next);
static void close_all(Context *context, unsigned n);

/* The ids of the records with these ids or names, and of all beneath them. */
static void tree(Context *context, const PxDomain *leaf) {
  const PxModel *model = leaf->parent->model;
  g_string_append(context->sql, "WITH RECURSIVE px_tree (px_id) AS (SELECT ");
  column(context, NULL, model->id);
  g_string_append(context->sql, " FROM ");
  g_string_append(context->sql, model->sql_table);
  g_string_append(context->sql, " WHERE FALSE");
  for (size_t i = 0; i < leaf->n_values; i++) {
    g_string_append(context->sql, " OR ");
    bool is_uuid = px_model_has_uuids(model) && px_id_is_uuid(px_id_from_value(leaf->values[i]));
    if (leaf->values[i].kind == PX_TEXT && !is_uuid)
      like(context, NULL, px_model_field(model, "name"), &leaf->values[i], true, true, false);
    else
      compare(context, NULL, model->id, "=", &leaf->values[i]);
  }
  g_string_append(context->sql, " UNION SELECT px_child.");
  px_db_quote(context->db, context->sql, model->id->column);
  g_string_append(context->sql, " FROM ");
  g_string_append(context->sql, model->sql_table);
  g_string_append(context->sql, " px_child JOIN px_tree ON px_child.");
  px_db_quote(context->db, context->sql, leaf->parent->column);
  g_string_append(context->sql, " = px_id) SELECT px_id FROM px_tree");
}

static void child_of(Context *context, const char *alias, const PxDomain *leaf) {
  const PxField *last = leaf->path[leaf->n_path - 1];
  unsigned open = 0;
  if (px_field_is_x2many(last)) {
    open = enter(context, alias, last, NULL);
    alias = NULL;
    last = last->target->id;
  }
  column(context, alias, last);
  g_string_append(context->sql, " IN (");
  tree(context, leaf);
  close_all(context, open + 1);
}

static void scalar_leaf(Context *context, const char *alias, const PxDomain *leaf) {
  const PxField *field = leaf->path[leaf->n_path - 1];
  const PxValue *value = leaf->values;
  switch (leaf->op) {
  case PX_OP_EQ:
    return equal(context, alias, field, value, false);
  case PX_OP_NE:
    return equal(context, alias, field, value, true);
  case PX_OP_LT:
    return compare(context, alias, field, "<", value);
  case PX_OP_LE:
    return compare(context, alias, field, "<=", value);
  case PX_OP_GT:
    return compare(context, alias, field, ">", value);
  case PX_OP_GE:
    return compare(context, alias, field, ">=", value);
  case PX_OP_IN:
    return in_list(context, alias, leaf, false);
  case PX_OP_NOT_IN:
    return in_list(context, alias, leaf, true);
  case PX_OP_LIKE:
    return like(context, alias, field, value, false, true, false);
  case PX_OP_ILIKE:
    return like(context, alias, field, value, true, true, false);
  case PX_OP_NOT_LIKE:
    return like(context, alias, field, value, false, true, true);
  case PX_OP_NOT_ILIKE:
    return like(context, alias, field, value, true, true, true);
  case PX_OP_EQ_LIKE:
    return like(context, alias, field, value, false, false, false);
  case PX_OP_EQ_ILIKE:
    return like(context, alias, field, value, true, false, false);
  case PX_OP_CHILD_OF:
    return child_of(context, alias, leaf);
  }
}

/* ---- relations */

/* Opens a subselect over the records that a relation leads to: the condition on them is to follow, and so many closing parentheses. Items that are
 * inactive count only where the condition is about that. */
static unsigned enter(Context *context, const char *alias, const PxField *relation, const PxField *next) {
  const PxModel *target = relation->target;
  bool to_many = px_field_is_x2many(relation);
  column(context, alias, to_many ? relation->model->id : relation);
  g_string_append(context->sql, " IN (SELECT ");
  if (relation->type == PX_TYPE_MANY2MANY) {
    px_db_quote(context->db, context->sql, relation->from);
    g_string_append(context->sql, " FROM ");
    g_string_append(context->sql, relation->sql_through);
    g_string_append(context->sql, " WHERE ");
    px_db_quote(context->db, context->sql, relation->to);
    g_string_append(context->sql, " IN (SELECT ");
  }
  column(context, NULL, relation->type == PX_TYPE_ONE2MANY ? relation->inverse : target->id);
  g_string_append(context->sql, " FROM ");
  g_string_append(context->sql, target->sql_table);
  g_string_append(context->sql, " WHERE ");
  if (to_many && target->active && next != target->active) {
    PxValue one = px_value_integer(1);
    compare(context, NULL, target->active, "=", &one);
    g_string_append(context->sql, " AND ");
  }
  return relation->type == PX_TYPE_MANY2MANY ? 2 : 1;
}

static void close_all(Context *context, unsigned n) {
  while (n--)
    g_string_append_c(context->sql, ')');
}

/* Whether one of these items is there, active or not; for a NULL among the values, whether there is none at all. */
static void list_leaf(Context *context, const char *alias, const PxDomain *leaf) {
  const PxField *list = leaf->path[leaf->n_path - 1];
  const PxField *id = list->target->id;
  bool negate = leaf->op == PX_OP_NE || leaf->op == PX_OP_NOT_IN;
  g_string_append(context->sql, negate ? "NOT coalesce(" : "coalesce(");
  unsigned open = enter(context, alias, list, list->target->active);
  bool or_none = in_placeholders(context, NULL, id, leaf, false);
  close_all(context, open);
  g_string_append(context->sql, ", FALSE)");
  if (!or_none)
    return;
  g_string_append(context->sql, negate ? " AND coalesce(" : " OR NOT coalesce(");
  open = enter(context, alias, list, list->target->active);
  column(context, NULL, id);
  g_string_append(context->sql, " IS NOT NULL");
  close_all(context, open);
  g_string_append(context->sql, ", FALSE)");
}

/* A path over relations: some record at its end matches. */
static void leaf_sql(Context *context, const char *alias, const PxDomain *leaf) {
  const char *qualifier = alias;
  unsigned open = 0;
  for (size_t i = 0; i + 1 < leaf->n_path; i++) {
    open += enter(context, qualifier, leaf->path[i], leaf->path[i + 1]);
    qualifier = NULL;
  }
  bool list = px_field_is_x2many(leaf->path[leaf->n_path - 1]);
  g_string_append_c(context->sql, '(');
  if (list && leaf->op != PX_OP_CHILD_OF)
    list_leaf(context, qualifier, leaf);
  else
    scalar_leaf(context, qualifier, leaf);
  close_all(context, open + 1);
}

static void domain_sql(Context *context, const char *alias, const PxDomain *domain) {
  if (domain->kind == PX_DOMAIN_LEAF)
    return leaf_sql(context, alias, domain);
  if (domain->kind == PX_DOMAIN_NOT) {
    /* NOT over NULL is NULL: what is unknown is not true, so its opposite holds. */
    g_string_append(context->sql, "NOT coalesce(");
    domain_sql(context, alias, domain->children[0]);
    g_string_append(context->sql, ", FALSE)");
    return;
  }
  if (domain->n_children == 0) {
    g_string_append(context->sql, domain->kind == PX_DOMAIN_AND ? "TRUE" : "FALSE");
    return;
  }
  g_string_append_c(context->sql, '(');
  for (size_t i = 0; i < domain->n_children; i++) {
    g_string_append(context->sql, i == 0 ? "" : domain->kind == PX_DOMAIN_AND ? " AND " : " OR ");
    domain_sql(context, alias, domain->children[i]);
  }
  g_string_append_c(context->sql, ')');
}

void px_domain_sql(PxRecords *records, GString *sql, const char *alias, const PxDomain *domain, GArray *parameters, GPtrArray *texts) {
  int64_t now = records->now ? records->now : g_get_real_time();
  Context context = {.db = records->db, .now = now, .sql = sql, .parameters = parameters, .texts = texts};
  domain_sql(&context, alias, domain);
}
