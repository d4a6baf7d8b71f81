/* SPDX-License-Identifier: Apache-2.0 */
#include "model/domain.h"

#include "base/text.h"
#include "model/convert.h"
#include "model/convert_private.h"
#include "model/domain_private.h"

#define MAX_DEPTH 1000 /* of prefix operators: one for each | of a long list of alternatives */

/* A domain owns its arena; the nodes beneath it are borrowed. */
typedef struct {
  PxDomain domain;
  PxArena *arena;
  GTimeZone *timezone; /* NULL: UTC */
} Root;

typedef struct {
  const PxModel *model;
  PxArena *arena;
  GTimeZone *timezone;
  const PxLiteral *list;
  size_t next;
  unsigned depth;
  GError **error;
} Compiler;

typedef struct {
  const char *name;
  PxOperator op;
} OperatorName;

static const OperatorName operators[] = {
  {"=", PX_OP_EQ},
  {"!=", PX_OP_NE},
  {"<", PX_OP_LT},
  {"<=", PX_OP_LE},
  {">", PX_OP_GT},
  {">=", PX_OP_GE},
  {"in", PX_OP_IN},
  {"not in", PX_OP_NOT_IN},
  {"like", PX_OP_LIKE},
  {"ilike", PX_OP_ILIKE},
  {"not like", PX_OP_NOT_LIKE},
  {"not ilike", PX_OP_NOT_ILIKE},
  {"=like", PX_OP_EQ_LIKE},
  {"=ilike", PX_OP_EQ_ILIKE},
  {"child_of", PX_OP_CHILD_OF},
  {"==", PX_OP_EQ},
  {"<>", PX_OP_NE},
};

#define N_SHOWN_OPERATORS 15 /* the others are second names */

static bool is_list_operator(PxOperator op) {
  return op == PX_OP_IN || op == PX_OP_NOT_IN;
}

static bool is_order_operator(PxOperator op) {
  return op == PX_OP_LT || op == PX_OP_LE || op == PX_OP_GT || op == PX_OP_GE;
}

static bool is_like_operator(PxOperator op) {
  return op >= PX_OP_LIKE && op <= PX_OP_EQ_ILIKE;
}

static const char *operator_name(PxOperator op) {
  for (size_t i = 0; i < G_N_ELEMENTS(operators); i++)
    if (operators[i].op == op)
      return operators[i].name;
  return "?";
}

/* ---- field, operator, value */

static bool find_operator(Compiler *c, const PxLiteral *literal, PxOperator *ret_op) {
  if (literal->kind != PX_LITERAL_TEXT) {
    px_literal_complain(literal, c->error, "the operator of a condition is a text, such as '='");
    return false;
  }
  g_autofree char *lower = g_ascii_strdown(literal->text, -1);
  const char *names[N_SHOWN_OPERATORS];
  for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
    if (i < N_SHOWN_OPERATORS)
      names[i] = operators[i].name;
    if (g_str_equal(operators[i].name, lower)) {
      *ret_op = operators[i].op;
      return true;
    }
  }
  g_autofree char *quoted = px_text_quote(literal->text, literal->len);
  g_autofree char *meant = px_text_did_you_mean(lower, names, N_SHOWN_OPERATORS);
  px_literal_complain(literal, c->error, "%s is no operator%s", quoted, meant);
  return false;
}

static const PxField *find_field(const PxModel *model, const char *name) {
  return g_str_equal(name, "id") || g_str_equal(name, ".id") ? model->id : px_model_field(model, name);
}

/* One step of a path; NULL after a complaint. */
static const PxField *find_step(Compiler *c, const PxLiteral *literal, const PxModel *model, const char *name, bool last) {
  const PxField *field = find_field(model, name);
  g_autofree char *quoted = px_text_quote(name, strlen(name));
  if (!field) {
    g_autofree char *meant = px_model_did_you_mean(model, name);
    px_literal_complain(literal, c->error, "%s has no field %s%s", model->name, quoted, meant);
    return NULL;
  }
  if (!last && !px_type_is_relation(field->type)) {
    px_literal_complain(literal, c->error, "%s is no relation: no field can follow it", quoted);
    return NULL;
  }
  return field;
}

static bool find_path(Compiler *c, const PxLiteral *literal, PxDomain *leaf) {
  if (literal->kind != PX_LITERAL_TEXT || literal->len == 0) {
    px_literal_complain(literal, c->error, "a condition begins with the name of a field, such as 'country_id.code'");
    return false;
  }
  g_auto(GStrv) names = g_strsplit(literal->text[0] == '.' ? literal->text + 1 : literal->text, ".", 0);
  leaf->n_path = g_strv_length(names);
  leaf->path = px_arena_new_array(c->arena, const PxField *, leaf->n_path);
  const PxModel *model = c->model;
  for (size_t i = 0; i < leaf->n_path; i++) {
    leaf->path[i] = find_step(c, literal, model, names[i], i + 1 == leaf->n_path);
    if (!leaf->path[i])
      return false;
    model = leaf->path[i]->target;
  }
  return true;
}

static bool convert(Compiler *c, const PxLiteral *literal, const PxField *field, PxValue *ret_value) {
  const PxConvertOptions options = {.timezone = c->timezone};
  PxCell cell = {.ptr = literal->text, .len = (uint32_t)literal->len, .kind = literal->kind == PX_LITERAL_NUMBER ? PX_CELL_NUMBER : PX_CELL_TEXT};
  const char *type;
  const char *problem;
  if (px_field_convert(field, &options, c->arena, cell, ret_value, &type, &problem))
    return true;
  if (field->type == PX_TYPE_MANY2ONE && literal->kind == PX_LITERAL_TEXT)
    px_literal_complain(literal, c->error, "%s is compared by database id: %s; for a field of its record write %s.FIELD", field->name, problem,
                        field->name);
  else
    px_literal_complain(literal, c->error, "%s: %s", field->name, problem);
  return false;
}

/* A day stands for a moment of itself: "> day" and "<= day" mean its end, all else its beginning. */
static bool means_day_end(const PxField *field, PxOperator op) {
  return field->type == PX_TYPE_DATETIME && (op == PX_OP_GT || op == PX_OP_LE);
}

static bool is_time(const PxField *field, const PxLiteral *literal) {
  bool has_times = field->type == PX_TYPE_DATE || field->type == PX_TYPE_DATETIME;
  return literal->kind == PX_LITERAL_TIME || (has_times && literal->kind == PX_LITERAL_TEXT && px_domain_time_begins(literal->text));
}

static bool read_time(Compiler *c, const PxLiteral *literal, const PxField *field, PxOperator op, PxValue *ret_value) {
  const char *problem;
  if (field->type != PX_TYPE_DATE && field->type != PX_TYPE_DATETIME) {
    px_literal_complain(literal, c->error, "%s is a date, and %s is %s", literal->text, field->name, px_type_name(field->type));
    return false;
  }
  if (px_domain_time_read(c->arena, literal->text, field, c->timezone, means_day_end(field, op), ret_value, &problem))
    return true;
  g_autofree char *quoted = px_text_quote(literal->text, literal->len);
  px_literal_complain(literal, c->error, "%s: %s: %s", field->name, quoted, problem);
  return false;
}

static bool read_typed(Compiler *c, const PxLiteral *literal, const PxField *field, PxOperator op, PxValue *ret_value) {
  PxLiteral day_end = *literal;
  if (!means_day_end(field, op) || px_time_check_date(literal->text, literal->len) != PX_TIME_OK)
    return convert(c, literal, field, ret_value);
  day_end.text = px_arena_printf(c->arena, "%s 23:59:59.999999", literal->text);
  day_end.len = strlen(day_end.text);
  return convert(c, &day_end, field, ret_value);
}

static bool read_value(Compiler *c, const PxLiteral *literal, const PxField *field, PxOperator op, PxValue *ret_value) {
  bool is_boolean = field->type == PX_TYPE_BOOLEAN;
  *ret_value = px_value_null();
  if (is_time(field, literal))
    return read_time(c, literal, field, op, ret_value);
  switch (literal->kind) {
  case PX_LITERAL_NONE:
    break;
  case PX_LITERAL_TRUE:
  case PX_LITERAL_FALSE:
    if (is_boolean)
      *ret_value = px_value_integer(literal->kind == PX_LITERAL_TRUE);
    if (is_boolean || literal->kind == PX_LITERAL_FALSE)
      break;
    px_literal_complain(literal, c->error, "True is a value of booleans only, and %s is none", field->name);
    return false;
  case PX_LITERAL_NUMBER:
  case PX_LITERAL_TEXT:
    if (field->type == PX_TYPE_BINARY || field->type == PX_TYPE_JSON) {
      px_literal_complain(literal, c->error, "%s is %s: it can only be compared with None", field->name, px_type_name(field->type));
      return false;
    }
    /* Text that cells would strip or limit is compared as it stands. */
    if (is_like_operator(op) || (field->type == PX_TYPE_TEXT && !field->selection && field->form != PX_FORM_UUID))
      *ret_value = px_value_text(literal->text, literal->len);
    else if (!read_typed(c, literal, field, op, ret_value))
      return false;
    break;
  case PX_LITERAL_TIME:
    break;
  case PX_LITERAL_LIST:
    px_literal_complain(literal, c->error, is_list_operator(op) ? "a value of the list is a list itself" : "a list goes with in and not in");
    return false;
  }
  if (ret_value->kind == PX_NULL && (is_order_operator(op) || is_like_operator(op))) {
    px_literal_complain(literal, c->error, "%s needs a value", operator_name(op));
    return false;
  }
  return true;
}

/* The values of a list, or the one that stands alone. */
static bool read_each(Compiler *c, const PxLiteral *literal, PxDomain *leaf, bool (*read)(Compiler *, const PxLiteral *, PxDomain *, PxValue *)) {
  bool is_list = literal->kind == PX_LITERAL_LIST;
  const PxLiteral *values = is_list ? literal->items : literal;
  leaf->n_values = is_list ? literal->n_items : 1;
  leaf->values = px_arena_new_array(c->arena, PxValue, leaf->n_values);
  for (size_t i = 0; i < leaf->n_values; i++)
    if (!read(c, &values[i], leaf, &leaf->values[i]))
      return false;
  return true;
}

static bool read_plain_value(Compiler *c, const PxLiteral *literal, PxDomain *leaf, PxValue *ret_value) {
  const PxField *last = leaf->path[leaf->n_path - 1];
  return read_value(c, literal, px_field_is_x2many(last) ? last->target->id : last, leaf->op, ret_value);
}

static bool is_id(const Compiler *c, const PxLiteral *literal, const PxModel *model) {
  static const PxConvertOptions options = {0};
  PxCell cell = {.ptr = literal->text, .len = (uint32_t)literal->len, .kind = PX_CELL_TEXT};
  const char *type;
  const char *problem;
  PxValue value;
  return px_field_convert(model->id, &options, c->arena, cell, &value, &type, &problem);
}

/* A record that others are beneath: its id, or its name. */
static bool read_root(Compiler *c, const PxLiteral *literal, PxDomain *leaf, PxValue *ret_value) {
  const PxModel *model = leaf->parent->model;
  if (literal->kind == PX_LITERAL_NUMBER || (px_model_has_uuids(model) && literal->kind == PX_LITERAL_TEXT && is_id(c, literal, model)))
    return convert(c, literal, model->id, ret_value);
  const PxField *name = px_model_field(model, "name");
  if (literal->kind != PX_LITERAL_TEXT || !name || name->type != PX_TYPE_TEXT) {
    px_literal_complain(literal, c->error, "child_of needs the database id%s of a record of %s, or a list of them", name ? " or the name" : "",
                        model->name);
    return false;
  }
  *ret_value = px_value_text(literal->text, literal->len);
  return true;
}

static bool read_child_of(Compiler *c, const PxLiteral *literal, PxDomain *leaf) {
  const PxField *last = leaf->path[leaf->n_path - 1];
  const PxModel *model = px_type_is_relation(last->type) ? last->target : last == last->model->id ? last->model : NULL;
  if (!model) {
    px_literal_complain(literal, c->error, "child_of goes with a relation or with id, and %s is %s", last->name, px_type_name(last->type));
    return false;
  }
  leaf->parent = last->target == last->model && last->type == PX_TYPE_MANY2ONE ? last : px_model_field(model, "parent_id");
  if (leaf->parent == last) /* along this very field: the records themselves are meant, the one it begins with too */
    leaf->path[leaf->n_path - 1] = model->id;
  if (leaf->parent && leaf->parent->type == PX_TYPE_MANY2ONE && leaf->parent->target == model)
    return read_each(c, literal, leaf, read_root);
  px_literal_complain(literal, c->error, "child_of follows the many2one parent_id of %s to itself, and there is none", model->name);
  return false;
}

/* ---- records by name */

/* Whether texts that stand for records are their names: none is a number or False, and some is no id. */
static bool are_names(const Compiler *c, const PxLiteral *literal, const PxDomain *leaf) {
  const PxField *field = leaf->path[leaf->n_path - 1];
  bool is_list = literal->kind == PX_LITERAL_LIST;
  bool any = is_like_operator(leaf->op);
  const PxField *name = px_type_is_relation(field->type) ? px_model_field(field->target, "name") : NULL;
  if (!name || name->type != PX_TYPE_TEXT || is_order_operator(leaf->op) || is_list != is_list_operator(leaf->op))
    return false;
  for (size_t i = 0; i < (is_list ? literal->n_items : 1); i++) {
    const PxLiteral *value = is_list ? &literal->items[i] : literal;
    if (value->kind != PX_LITERAL_TEXT)
      return false;
    any = any || !is_id(c, value, field->target);
  }
  return any;
}

/* A relation held against names: one of its records has such a name; for a negative operator: none has. */
static bool read_names(Compiler *c, const PxLiteral *literal, PxDomain *leaf) {
  static const PxOperator positive[] = {
    [PX_OP_NE] = PX_OP_EQ, [PX_OP_NOT_IN] = PX_OP_IN, [PX_OP_NOT_LIKE] = PX_OP_LIKE, [PX_OP_NOT_ILIKE] = PX_OP_ILIKE};
  bool negative = leaf->op == PX_OP_NE || leaf->op == PX_OP_NOT_IN || leaf->op == PX_OP_NOT_LIKE || leaf->op == PX_OP_NOT_ILIKE;
  PxDomain *condition = leaf;
  if (negative) {
    condition = px_arena_new_array(c->arena, PxDomain, 1);
    *condition = *leaf;
    condition->op = positive[leaf->op];
    *leaf = (PxDomain){.kind = PX_DOMAIN_NOT, .children = px_arena_new_array(c->arena, PxDomain *, 1), .n_children = 1};
    leaf->children[0] = condition;
  }
  const PxField **path = px_arena_new_array(c->arena, const PxField *, condition->n_path + 1);
  memcpy(path, condition->path, condition->n_path * sizeof *path);
  path[condition->n_path] = px_model_field(path[condition->n_path - 1]->target, "name");
  condition->path = path;
  condition->n_path++;
  return read_each(c, literal, condition, read_plain_value);
}

static bool read_values(Compiler *c, const PxLiteral *literal, PxDomain *leaf) {
  const PxField *field = leaf->path[leaf->n_path - 1];
  if (leaf->op == PX_OP_CHILD_OF)
    return read_child_of(c, literal, leaf);
  if (are_names(c, literal, leaf))
    return read_names(c, literal, leaf);
  bool is_list = is_list_operator(leaf->op);
  if (is_list && literal->kind != PX_LITERAL_LIST) {
    px_literal_complain(literal, c->error, "%s needs a list of values", operator_name(leaf->op));
    return false;
  }
  if (is_like_operator(leaf->op) && field->type != PX_TYPE_TEXT) {
    px_literal_complain(literal, c->error, "%s compares texts, and %s is %s", operator_name(leaf->op), field->name, px_type_name(field->type));
    return false;
  }
  if (px_field_is_x2many(field) && is_order_operator(leaf->op)) {
    px_literal_complain(literal, c->error, "%s is a %s: it has no order; for a field of its records write %s.FIELD", field->name,
                        px_type_name(field->type), field->name);
    return false;
  }
  if (!is_list && literal->kind == PX_LITERAL_LIST) {
    px_literal_complain(literal, c->error, "a list goes with in and not in");
    return false;
  }
  return read_each(c, literal, leaf, read_plain_value);
}

/* (1, '=', 1) is always true, (0, '=', 1) never: Odoo writes such. */
static bool is_constant(const PxLiteral *literal, PxDomain *leaf) {
  const PxLiteral *items = literal->items;
  if (items[0].kind != PX_LITERAL_NUMBER || items[2].kind != PX_LITERAL_NUMBER || items[1].kind != PX_LITERAL_TEXT || strcmp(items[1].text, "=") != 0)
    return false;
  *leaf = (PxDomain){.kind = strcmp(items[0].text, items[2].text) == 0 ? PX_DOMAIN_AND : PX_DOMAIN_OR};
  return true;
}

static bool compile_leaf(Compiler *c, const PxLiteral *literal, PxDomain *leaf) {
  leaf->kind = PX_DOMAIN_LEAF;
  if (literal->n_items != 3) {
    px_literal_complain(literal, c->error, "a condition has three parts: field, operator, value");
    return false;
  }
  if (is_constant(literal, leaf))
    return true;
  return find_path(c, &literal->items[0], leaf) && find_operator(c, &literal->items[1], &leaf->op) && read_values(c, &literal->items[2], leaf);
}

/* ---- and, or, not */

static size_t n_merged(const PxDomain *domain, PxDomainKind kind) {
  return domain->kind == kind ? domain->n_children : 1;
}

static void add_merged(PxDomain *domain, PxDomain *child) {
  if (child->kind != domain->kind) {
    domain->children[domain->n_children++] = child;
    return;
  }
  for (size_t i = 0; i < child->n_children; i++)
    domain->children[domain->n_children++] = child->children[i];
}

static PxDomain *compile_expression(Compiler *c, const PxLiteral *before);

static PxDomain *compile_operator(Compiler *c, const PxLiteral *literal) {
  static const struct {
    const char *name;
    PxDomainKind kind;
  } prefixes[] = {{"&", PX_DOMAIN_AND}, {"|", PX_DOMAIN_OR}, {"!", PX_DOMAIN_NOT}};
  size_t i = 0;
  while (i < G_N_ELEMENTS(prefixes) && !g_str_equal(prefixes[i].name, literal->text))
    i++;
  if (i == G_N_ELEMENTS(prefixes)) {
    g_autofree char *quoted = px_text_quote(literal->text, literal->len);
    px_literal_complain(literal, c->error, "%s is no condition and none of & | !: a domain is a list of conditions [('field', '=', 'value')]",
                        quoted);
    return NULL;
  }
  if (c->depth == MAX_DEPTH) {
    px_literal_complain(literal, c->error, "more than %d operators apply to one another", MAX_DEPTH);
    return NULL;
  }
  c->depth++;
  PxDomain *domain = px_arena_new_array(c->arena, PxDomain, 1);
  domain->kind = prefixes[i].kind;
  PxDomain *first = compile_expression(c, literal);
  PxDomain *second = first && domain->kind != PX_DOMAIN_NOT ? compile_expression(c, literal) : NULL;
  c->depth--;
  if (!first || (!second && domain->kind != PX_DOMAIN_NOT))
    return NULL;
  domain->children = px_arena_new_array(c->arena, PxDomain *, n_merged(first, domain->kind) + (second ? n_merged(second, domain->kind) : 0));
  if (!second) {
    domain->children[domain->n_children++] = first;
    return domain;
  }
  add_merged(domain, first);
  add_merged(domain, second);
  return domain;
}

/* The expression that begins at the next item; before is the operator that it is needed for. */
static PxDomain *compile_expression(Compiler *c, const PxLiteral *before) {
  if (c->next == c->list->n_items) {
    px_literal_complain(before, c->error, "%s needs %s behind it", before->text, g_str_equal(before->text, "!") ? "a condition" : "two conditions");
    return NULL;
  }
  const PxLiteral *literal = &c->list->items[c->next++];
  if (literal->kind == PX_LITERAL_TEXT)
    return compile_operator(c, literal);
  if (literal->kind != PX_LITERAL_LIST) {
    px_literal_complain(literal, c->error, "a condition is expected: ('field', '=', 'value')");
    return NULL;
  }
  PxDomain *leaf = px_arena_new_array(c->arena, PxDomain, 1);
  return compile_leaf(c, literal, leaf) ? leaf : NULL;
}

static bool compile(Compiler *c, PxDomain *domain) {
  domain->kind = PX_DOMAIN_AND;
  if (c->list->kind != PX_LITERAL_LIST) {
    px_literal_complain(c->list, c->error, "a domain is a list of conditions: [('field', '=', 'value')]");
    return false;
  }
  domain->children = px_arena_new_array(c->arena, PxDomain *, c->list->n_items);
  while (c->next < c->list->n_items) {
    PxDomain *child = compile_expression(c, NULL);
    if (!child)
      return false;
    domain->children[domain->n_children++] = child;
  }
  return true;
}

static PxDomain *finish(const PxModel *model, Root *root, const PxLiteral *list, GError **error) {
  Compiler c = {.model = model, .arena = root->arena, .timezone = root->timezone, .list = list, .error = error};
  if (list && compile(&c, &root->domain))
    return &root->domain;
  px_domain_free(&root->domain);
  return NULL;
}

static Root *new_root(GTimeZone *timezone) {
  Root *root = g_new0(Root, 1);
  root->timezone = timezone ? g_time_zone_ref(timezone) : NULL;
  root->arena = px_arena_new();
  return root;
}

PxDomain *px_domain_parse(const PxModel *model, const char *text, GTimeZone *timezone, GError **error) {
  Root *root = new_root(timezone);
  return finish(model, root, px_literal_parse(root->arena, text, error), error);
}

PxDomain *px_domain_from_node(const PxModel *model, const PxConfigNode *node, GTimeZone *timezone, GError **error) {
  if (px_node_type(node) == PX_NODE_NULL)
    return px_domain_parse(model, "", timezone, error);
  if (px_node_type(node) == PX_NODE_SCALAR) {
    PxDomain *domain = px_domain_parse(model, px_node_text(node), timezone, error);
    if (!domain)
      g_prefix_error(error, "%s:%u: ", px_node_file(node), px_node_line(node));
    return domain;
  }
  Root *root = new_root(timezone);
  return finish(model, root, px_literal_from_node(root->arena, node, error), error);
}

void px_domain_free(PxDomain *domain) {
  if (!domain)
    return;
  Root *root = (Root *)domain;
  px_arena_free(root->arena);
  g_clear_pointer(&root->timezone, g_time_zone_unref);
  g_free(root);
}

bool px_domain_names(const PxDomain *domain, const PxField *field) {
  if (domain->kind == PX_DOMAIN_LEAF)
    return domain->n_path == 1 && domain->path[0] == field;
  for (size_t i = 0; i < domain->n_children; i++)
    if (px_domain_names(domain->children[i], field))
      return true;
  return false;
}
