/* SPDX-License-Identifier: Apache-2.0 */
/* What the pattern gives to new records in columns that the file, or the row, does not have. A scalar is written with the item; a relation is a
 * reference like any other, whose cells are the same in every row. */
#include "load/load_private.h"

const PxPattern *px_load_items_pattern(const PxPattern *pattern, const PxField *one2many) {
  for (size_t i = 0; pattern && i < pattern->n_fields; i++)
    if (pattern->fields[i].n_path == 1 && pattern->fields[i].path[0] == one2many)
      return pattern->fields[i].items;
  return NULL;
}

void px_load_count_defaults(const PxPattern *pattern, const PxHeaderNode *node, size_t *n_columns, size_t *n_references) {
  if (pattern && pattern->defaults) {
    *n_columns += px_load_count_columns(pattern->defaults->root);
    *n_references += pattern->defaults->root->n_children;
  }
  for (size_t i = 0; i < node->n_children; i++)
    if (node->children[i]->kind == PX_NODE_ONE2MANY)
      px_load_count_defaults(px_load_items_pattern(pattern, node->children[i]->field), node->children[i], n_columns, n_references);
}

size_t px_load_room_for_defaults(const PxPattern *pattern) {
  return pattern && pattern->defaults ? pattern->defaults->root->n_columns + pattern->defaults->root->n_children : 0;
}

/* The write of a field, made when the file does not have it: its slot is absent in each row. */
static size_t write_of(PxLoadPlan *plan, PxLoadPlace *place, const PxField *field) {
  for (size_t w = 0; w < place->n_writes; w++)
    if (place->writes[w] == field)
      return w;
  place->writes[place->n_writes] = field;
  plan->absent[plan->n_absent++] = place->first_slot + (unsigned)place->n_writes;
  return place->n_writes++;
}

void px_load_add_default_writes(PxLoadPlan *plan, PxLoadPlace *place, PxArena *arena) {
  if (!place->pattern || !place->pattern->defaults)
    return;
  const PxHeaderNode *root = place->pattern->defaults->root;
  for (size_t i = 0; i < root->n_columns; i++)
    (void)write_of(plan, place, root->columns[i].field);
  for (size_t i = 0; i < root->n_children; i++)
    if (root->children[i]->kind == PX_NODE_MANY2ONE)
      (void)write_of(plan, place, root->children[i]->field);
  place->defaults = PX_LOAD_ARRAY(arena, PxLoadDefault, place->n_writes);
}

/* The cells of a reference: each row has them. */
static void add_parts(PxLoadPlan *plan, const PxLoadPlace *place, const PxHeaderNode *node, int reference) {
  for (size_t i = 0; i < node->n_columns; i++) {
    const PxHeaderColumn *column = &node->columns[i];
    PxLoadConstant *constant = &plan->constants[plan->n_constants++];
    *constant = (PxLoadConstant){
      .column = {.column = column, .field = column->field, .slot = (unsigned)plan->n_slots++, .place = place->index, .reference = reference},
      .value = place->pattern->defaults->values[column->column]};
    if (column->kind == PX_COLUMN_EXT_ID)
      constant->column.field = NULL;
  }
  for (size_t i = 0; i < node->n_children; i++)
    add_parts(plan, place, node->children[i], reference);
}

static unsigned add_reference(PxLoadPlan *plan, const PxLoadPlace *place, const PxHeaderNode *node) {
  unsigned index = (unsigned)plan->n_references++;
  plan->references[index] = (PxLoadReference){.node = node, .place = place->index, .is_default = true, .slot = (unsigned)plan->n_slots++};
  add_parts(plan, place, node, (int)index);
  return index;
}

static void add_link(PxLoadPlan *plan, PxLoadPlace *place, const PxHeaderNode *node, PxArena *arena) {
  PxLoadLinks *links = NULL;
  for (size_t i = 0; i < place->n_links && !links; i++)
    if (place->links[i].field == node->field)
      links = &place->links[i];
  if (!links) {
    links = &place->links[place->n_links++];
    *links = (PxLoadLinks){.field = node->field};
  }
  if (!links->defaults)
    links->defaults = PX_LOAD_ARRAY(arena, unsigned, place->pattern->defaults->root->n_children);
  links->defaults[links->n_defaults++] = add_reference(plan, place, node);
}

void px_load_add_defaults(PxLoadPlan *plan, PxLoadPlace *place, PxArena *arena) {
  if (!place->defaults)
    return;
  const PxHeaderNode *root = place->pattern->defaults->root;
  for (size_t i = 0; i < root->n_columns; i++) {
    const PxHeaderColumn *column = &root->columns[i];
    size_t w = write_of(plan, place, column->field);
    place->defaults[w] =
      (PxLoadDefault){.given = (int)w != place->parent_write, .reference = -1, .value = place->pattern->defaults->values[column->column]};
  }
  for (size_t i = 0; i < root->n_children; i++) {
    const PxHeaderNode *child = root->children[i];
    if (child->kind == PX_NODE_MANY2MANY) {
      add_link(plan, place, child, arena);
      continue;
    }
    size_t w = write_of(plan, place, child->field);
    if ((int)w != place->parent_write) /* an item has the parent that it stands in */
      place->defaults[w] = (PxLoadDefault){.given = true, .reference = (int)add_reference(plan, place, child)};
  }
}

void px_load_set_defaults(PxLoader *loader, size_t index) {
  const PxLoadPlan *plan = &loader->plan;
  PxValue *values = px_loader_values(loader, index);
  for (size_t i = 0; i < plan->n_absent; i++)
    values[plan->absent[i]].kind = PX_SLOT_ABSENT;
  for (size_t i = 0; i < plan->n_constants; i++) {
    values[plan->constants[i].column.slot] = plan->constants[i].value;
    px_loader_states(loader, index)[plan->constants[i].column.reference] = PX_REFERENCE_GIVEN;
  }
}

static void complain(PxLoader *loader, size_t row, unsigned index) {
  const PxLoadReference *reference = &loader->plan.references[index];
  if (px_loader_values(loader, row)[reference->slot].kind != PX_SLOT_BAD)
    return;
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t part = 0; part < reference->n_parts; part++) {
    const PxLoadColumn *column = reference->parts[part];
    g_string_append_printf(text, "%s%s %s", part ? ", " : "", column->field ? column->field->label : "external id",
                           px_load_describe(loader->wave_arena, &px_loader_values(loader, row)[column->slot]));
  }
  px_row_complain(loader, px_loader_row(loader, row), PX_STAGE_ATTEMPT, NULL, reference->node->field->label, "not_found",
                  "the pattern's default is no single %s: %s", reference->node->model->label, text->str);
}

void px_load_complain_defaults(PxLoader *loader, const PxLoadPlace *place, size_t row) {
  const PxValue *values = px_loader_values(loader, row) + place->first_slot;
  for (size_t w = 0; place->defaults && w < place->n_writes; w++)
    if (values[w].kind == PX_SLOT_ABSENT && place->defaults[w].given && place->defaults[w].reference >= 0)
      complain(loader, row, (unsigned)place->defaults[w].reference);
  for (size_t i = 0; i < place->n_links; i++)
    for (size_t d = 0; d < place->links[i].n_defaults && !px_load_has_links(loader, &place->links[i], row); d++)
      complain(loader, row, place->links[i].defaults[d]);
}
