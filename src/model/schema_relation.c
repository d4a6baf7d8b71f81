/* SPDX-License-Identifier: Apache-2.0 */
/* Relations that no column has: the inverse of a many2one, and both sides of a junction. */
#include "model/schema_private.h"

static PxField *add_relation(PxSchemaBuild *build, PxDraft *draft, const char *name, PxType type, const PxDraft *target) {
  PxField *field = px_arena_new_array(build->arena, PxField, 1);
  field->name = px_arena_strndup(build->arena, name, strlen(name));
  field->label = px_label_of(build->arena, name);
  field->type = type;
  field->model = draft->model;
  field->target = target->model;
  g_ptr_array_add(draft->relations, field);
  return field;
}

PxField *px_build_one2many(PxSchemaBuild *build, PxDraft *draft, const char *name, const PxDraft *child, const PxField *inverse) {
  PxField *field = add_relation(build, draft, name, PX_TYPE_ONE2MANY, child);
  field->inverse = inverse;
  return field;
}

/* Whether what is linked to one record can stand in the way of what is linked to another. */
static bool is_shared(const PxTable *junction, const char *from) {
  bool shared = junction->has_triggers;
  for (guint i = 0; i < junction->uniques->len; i++) {
    const PxTableUnique *unique = junction->uniques->pdata[i];
    bool own = false;
    for (guint k = 0; unique->is_plain && k < unique->columns->len; k++)
      own |= g_ascii_strcasecmp(unique->columns->pdata[k], from) == 0;
    shared |= !own;
  }
  return shared;
}

PxField *px_build_many2many(PxSchemaBuild *build, PxDraft *draft, const char *name, const PxDraft *target, const PxTable *through, const char *from,
                            const char *to) {
  PxField *field = add_relation(build, draft, name, PX_TYPE_MANY2MANY, target);
  field->through = through->name;
  field->sql_through = through->quoted;
  field->from = from;
  field->to = to;
  field->through_shared = is_shared(through, from);
  return field;
}

/* The first of name, other and numbered others that no field of draft has. Caller frees. */
static char *free_name(const PxDraft *draft, const char *name, const char *other) {
  if (!px_draft_field(draft, name))
    return g_strdup(name);
  char *candidate = g_strdup(other);
  for (unsigned n = 2; px_draft_field(draft, candidate); n++) {
    g_free(candidate);
    candidate = g_strdup_printf("%s_%u", other, n);
  }
  return candidate;
}

/* What the names of relations to a model are made of: without the schema of its table, which has no place in them. */
static const char *stem_of(const PxModel *model) {
  bool is_own = model->schema && g_str_equal(model->name, model->table);
  return is_own ? model->name + strlen(model->schema) + 1 : model->name;
}

/* ---- one2many */

static bool has_one2many(const PxDraft *draft, const PxField *inverse) {
  for (guint i = 0; i < draft->relations->len; i++)
    if (((const PxField *)draft->relations->pdata[i])->inverse == inverse)
      return true;
  return false;
}

static unsigned count_many2one(const PxDraft *draft, const PxModel *target) {
  unsigned n = 0;
  for (guint i = 0; i < draft->columns->len; i++)
    n += ((const PxField *)draft->columns->pdata[i])->target == target;
  return n;
}

static void add_inverse(PxSchemaBuild *build, const PxDraft *child, const PxField *inverse) {
  PxDraft *parent = px_build_draft(build, inverse->target->name);
  if (has_one2many(parent, inverse))
    return;
  g_autofree char *plain = g_strdup_printf("%s_ids", stem_of(child->model));
  g_autofree char *with_column = g_strdup_printf("%s_%s_ids", stem_of(child->model), inverse->name);
  g_autofree char *name = free_name(parent, count_many2one(child, inverse->target) > 1 ? with_column : plain, with_column);
  px_build_one2many(build, parent, name, child, inverse);
}

/* ---- many2many */

static bool has_many2many(const PxDraft *draft, const PxJunction *junction, unsigned from) {
  for (guint i = 0; i < draft->relations->len; i++) {
    const PxField *field = draft->relations->pdata[i];
    if (field->through && g_ascii_strcasecmp(field->through, junction->table->name) == 0 &&
        g_ascii_strcasecmp(field->from, junction->column[from]) == 0)
      return true;
  }
  return false;
}

/* How many ways lead from one model to the other; a junction of a model with itself leads there and back. */
static unsigned count_junctions(const PxSchemaBuild *build, const PxDraft *from, const PxDraft *to) {
  unsigned n = 0;
  for (guint i = 0; i < build->junctions->len; i++) {
    const PxJunction *junction = &g_array_index(build->junctions, PxJunction, i);
    n += junction->draft[0] == from && junction->draft[1] == to;
    n += junction->draft[1] == from && junction->draft[0] == to;
  }
  return n;
}

static void add_side(PxSchemaBuild *build, const PxJunction *junction, unsigned from) {
  unsigned to = 1 - from;
  PxDraft *draft = junction->draft[from];
  const PxDraft *target = junction->draft[to];
  if (has_many2many(draft, junction, from))
    return;
  bool is_own = draft == target;
  g_autofree char *plain = g_strdup_printf("%s_ids", stem_of(target->model));
  g_autofree char *with_table = g_strdup_printf("%s_%s%s%s_ids", stem_of(target->model), px_table_bare_name(junction->table), is_own ? "_" : "",
                                                is_own ? junction->column[to] : "");
  g_autofree char *name = free_name(draft, count_junctions(build, draft, target) > 1 ? with_table : plain, with_table);
  px_build_many2many(build, draft, name, target, junction->table, junction->column[from], junction->column[to]);
}

void px_build_default_relations(PxSchemaBuild *build) {
  for (guint i = 0; i < build->drafts->len; i++) {
    const PxDraft *child = build->drafts->pdata[i];
    for (guint c = 0; c < child->columns->len; c++) {
      const PxField *field = child->columns->pdata[c];
      if (field->type == PX_TYPE_MANY2ONE)
        add_inverse(build, child, field);
    }
  }
  for (guint i = 0; i < build->junctions->len; i++) {
    const PxJunction *junction = &g_array_index(build->junctions, PxJunction, i);
    add_side(build, junction, 0);
    add_side(build, junction, 1);
  }
}
