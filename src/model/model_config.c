/* SPDX-License-Identifier: Apache-2.0 */
/* The section models: of the configuration. What the schema cannot say: names, labels, orders, inverses. */
#include "base/text.h"
#include "model/schema_private.h"

#include <stdint.h>

/* models: NAME: */
typedef struct {
  char *table;
  char *label;
  bool hide;
  const PxConfigNode *order;
  const PxConfigNode *fields;
} ModelEntry;

static const PxKey model_keys[] = {
  {.name = "table", .type = PX_KEY_STRING, .offset = offsetof(ModelEntry, table)},
  {.name = "label", .type = PX_KEY_STRING, .offset = offsetof(ModelEntry, label)},
  {.name = "hide", .type = PX_KEY_BOOLEAN, .offset = offsetof(ModelEntry, hide)},
  {.name = "order", .type = PX_KEY_NODE, .offset = offsetof(ModelEntry, order)},
  {.name = "fields", .type = PX_KEY_NODE, .offset = offsetof(ModelEntry, fields)},
};

/* models: NAME: fields: NAME: */
typedef struct {
  char *column;
  char *label;
  bool hide;
  int type; /* index in type_choices, which is a PxType; -1: not given */
  const PxConfigNode *selection;
  char *one2many;
  char *many2many;
  char *through;
  char *from;
  char *to;
} FieldEntry;

static const char *const type_choices[] = {"integer", "decimal", "boolean", "date", "datetime", "text", "binary", "json", NULL};

static const PxKey field_keys[] = {
  {.name = "column", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, column)},
  {.name = "label", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, label)},
  {.name = "hide", .type = PX_KEY_BOOLEAN, .offset = offsetof(FieldEntry, hide)},
  {.name = "type", .type = PX_KEY_CHOICE, .offset = offsetof(FieldEntry, type), .choices = type_choices},
  {.name = "selection", .type = PX_KEY_NODE, .offset = offsetof(FieldEntry, selection)},
  {.name = "one2many", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, one2many)},
  {.name = "many2many", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, many2many)},
  {.name = "through", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, through)},
  {.name = "from", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, from)},
  {.name = "to", .type = PX_KEY_STRING, .offset = offsetof(FieldEntry, to)},
};

static void model_entry_done(ModelEntry *entry) {
  g_free(entry->table);
  g_free(entry->label);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ModelEntry, model_entry_done)

static void field_entry_done(FieldEntry *entry) {
  g_free(entry->column);
  g_free(entry->label);
  g_free(entry->one2many);
  g_free(entry->many2many);
  g_free(entry->through);
  g_free(entry->from);
  g_free(entry->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FieldEntry, field_entry_done)

/* A field entry on its way: where it is and what it says. */
typedef struct {
  PxSchemaBuild *build;
  PxDraft *draft;
  const char *name;
  const PxConfigNode *node;
  const FieldEntry *entry;
} Place;

static void complain(const Place *place, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void complain(const Place *place, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  px_complain(place->build->complaints, place->node, "model %s: field %s: %s", place->draft->model->name, place->name, text);
}

static const char *keep(const PxSchemaBuild *build, const char *text) {
  return px_arena_strndup(build->arena, text, strlen(text));
}

/* Keys of an entry are complained of once, by the pass that comes first; the others look at the same map again. */
static void read_map(const PxConfigNode *node, const PxKey *keys, size_t n_keys, void *target, const char *what, PxComplaints *complaints) {
  if (px_node_type(node) != PX_NODE_NULL) /* "partner:" alone says nothing */
    px_config_read(node, keys, n_keys, target, what, complaints);
}

static void read_model_entry(const PxConfigNode *node, const char *name, ModelEntry *entry, PxComplaints *complaints) {
  g_autofree char *what = g_strdup_printf("model %s", name);
  read_map(node, model_keys, G_N_ELEMENTS(model_keys), entry, what, complaints);
}

typedef void (*FieldPass)(const Place *place);

/* pass for every field entry of every model. tell: complaints about keys are wanted. */
static void each_field(PxSchemaBuild *build, FieldPass pass, bool tell) {
  g_autoptr(PxComplaints) untold = px_complaints_new();
  PxComplaints *complaints = tell ? build->complaints : untold;
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    g_auto(ModelEntry) model = {0};
    read_model_entry(draft->node, draft->model->name, &model, untold);
    if (tell && model.fields && px_node_type(model.fields) != PX_NODE_MAP && px_node_type(model.fields) != PX_NODE_NULL)
      px_complain(complaints, model.fields, "model %s: fields: must be a map: NAME: {label: ...}", draft->model->name);
    size_t n = px_node_type(model.fields) == PX_NODE_MAP ? px_node_count(model.fields) : 0;
    for (size_t f = 0; f < n; f++) {
      const char *name = px_node_key_at(model.fields, f);
      g_auto(FieldEntry) entry = {.type = -1};
      g_autofree char *what = g_strdup_printf("model %s: field %s", draft->model->name, name);
      read_map(px_node_at(model.fields, f), field_keys, G_N_ELEMENTS(field_keys), &entry, what, complaints);
      pass(&(Place){.build = build, .draft = draft, .name = name, .node = px_node_at(model.fields, f), .entry = &entry});
    }
  }
}

/* ---- names of models */

static char *table_hint(const PxSchemaBuild *build, const char *name) {
  for (guint i = 0; i < build->left_out->len; i++) {
    const PxLeftOut *left_out = &g_array_index(build->left_out, PxLeftOut, i);
    if (g_ascii_strcasecmp(left_out->table, name) == 0)
      return g_strdup_printf(": %s", left_out->reason);
  }
  g_autofree const char **names = g_new(const char *, build->drafts->len + 1);
  for (guint i = 0; i < build->drafts->len; i++)
    names[i] = ((const PxDraft *)build->drafts->pdata[i])->table->name;
  return px_text_did_you_mean(name, names, build->drafts->len);
}

static void read_model(PxSchemaBuild *build, const char *name, const PxConfigNode *node) {
  g_auto(ModelEntry) entry = {0};
  read_model_entry(node, name, &entry, build->complaints);
  const char *table = entry.table ? entry.table : name;
  PxDraft *draft = px_build_draft_of_table(build, table);
  if (!draft) {
    g_autofree char *hint = table_hint(build, table);
    px_complain(build->complaints, node, "model %s: the database has no table %s that is a model%s", name, table, hint);
    return;
  }
  if (draft->node) {
    px_complain(build->complaints, node, "model %s: table %s is the model %s already", name, table, draft->model->name);
    return;
  }
  draft->node = node;
  draft->model->name = keep(build, name);
  draft->model->hidden = entry.hide;
  if (entry.label)
    draft->model->label = keep(build, entry.label);
  else if (!draft->table->comment)
    draft->model->label = px_label_of(build->arena, name);
}

/* A table without an entry may have the name that an entry gives to another one. */
static void check_clash(PxSchemaBuild *build, const PxDraft *draft) {
  for (guint i = 0; i < build->drafts->len; i++) {
    const PxDraft *other = build->drafts->pdata[i];
    if (other != draft && !other->node && g_str_equal(other->model->name, draft->model->name))
      px_complain(build->complaints, draft->node, "model %s: the table %s has this name; give that one another name in models:", draft->model->name,
                  other->table->name);
  }
}

void px_model_config_names(PxSchemaBuild *build, const PxConfigNode *models) {
  if (!models || px_node_type(models) == PX_NODE_NULL)
    return;
  if (px_node_type(models) != PX_NODE_MAP) {
    px_complain(build->complaints, models, "models: must be a map: NAME: {label: ...}");
    return;
  }
  for (size_t i = 0; i < px_node_count(models); i++)
    read_model(build, px_node_key_at(models, i), px_node_at(models, i));
  for (guint i = 0; i < build->drafts->len; i++) {
    const PxDraft *draft = build->drafts->pdata[i];
    if (draft->node)
      check_clash(build, draft);
  }
}

/* ---- fields that are columns */

static void set_label(const Place *place, PxField *field) {
  if (place->entry->label)
    field->label = keep(place->build, place->entry->label);
  field->hidden = place->entry->hide;
}

static bool may_have_selection(const PxField *field) {
  return field->type == PX_TYPE_TEXT || field->type == PX_TYPE_INTEGER || field->type == PX_TYPE_DECIMAL;
}

static PxSelection *find_choice(PxSelection *selection, size_t n, const char *value) {
  for (size_t i = 0; i < n; i++)
    if (g_str_equal(selection[i].value, value))
      return &selection[i];
  return NULL;
}

static char *choices_text(const PxField *field) {
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < field->n_selection; i++)
    g_string_append_printf(text, "%s%s", i ? ", " : "", field->selection[i].value);
  return g_string_free(text, FALSE);
}

/* The values of a CHECK stay as they are and get labels; without a CHECK the configuration is the selection. */
static void set_selection(const Place *place, PxField *field) {
  const PxConfigNode *node = place->entry->selection;
  bool is_map = px_node_type(node) == PX_NODE_MAP;
  size_t n_known = field->n_selection;
  size_t n = n_known;
  PxSelection *selection = px_arena_new_array(place->build->arena, PxSelection, n_known + px_node_count(node) + 1);
  for (size_t i = 0; i < n_known; i++)
    selection[i] = field->selection[i];
  for (size_t i = 0; i < px_node_count(node); i++) {
    const PxConfigNode *item = px_node_at(node, i);
    const char *value = is_map ? px_node_key_at(node, i) : px_node_text(item);
    const char *label = is_map && px_node_type(item) == PX_NODE_NULL ? value : px_node_text(item);
    PxSelection *choice = value ? find_choice(selection, n, value) : NULL;
    if (!value || !label) {
      complain(place, "selection: write {value: label} or a list of values");
    } else if (choice) {
      choice->label = keep(place->build, label);
    } else if (n_known) {
      g_autofree char *allowed = choices_text(field);
      px_complain(place->build->complaints, item, "model %s: field %s: selection: the database refuses %s: its CHECK allows %s",
                  place->draft->model->name, place->name, value, allowed);
    } else {
      selection[n++] = (PxSelection){.value = keep(place->build, value), .label = keep(place->build, label)};
    }
  }
  field->selection = n ? selection : NULL;
  field->n_selection = n;
}

static void set_type(const Place *place, PxField *field) {
  if (field->type == PX_TYPE_MANY2ONE || field == place->draft->model->id) {
    complain(place, "type: a %s keeps its type", field->type == PX_TYPE_MANY2ONE ? "many2one" : "primary key");
    return;
  }
  field->type = (PxType)place->entry->type;
  if (!may_have_selection(field)) {
    field->selection = NULL;
    field->n_selection = 0;
  }
}

static bool is_relation_entry(const FieldEntry *entry) {
  return entry->one2many || entry->many2many;
}

static void complain_of_no_column(const Place *place, const char *column) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < place->draft->columns->len; i++)
    g_ptr_array_add(names, (gpointer)(uintptr_t)((const PxField *)place->draft->columns->pdata[i])->column);
  g_autofree char *hint = px_text_did_you_mean(column, (const char *const *)names->pdata, names->len);
  complain(place, "the table %s has no column %s%s", place->draft->table->name, column, hint);
}

static void rename_column(const Place *place) {
  PxField *field = px_draft_column(place->draft, place->entry->column);
  if (!field)
    complain_of_no_column(place, place->entry->column);
  else if (!g_str_equal(field->name, field->column) && !g_str_equal(field->name, place->name))
    complain(place, "the column %s is the field %s already", field->column, field->name);
  else
    field->name = keep(place->build, place->name);
}

/* When all names are given, two may be the same: a field was called as a column that kept its name. */
static void check_renames(PxSchemaBuild *build, const PxDraft *draft) {
  for (guint i = 0; i < draft->columns->len; i++) {
    const PxField *field = draft->columns->pdata[i];
    const PxField *first = px_draft_field(draft, field->name);
    if (first != field)
      px_complain(build->complaints, draft->node, "model %s: field %s: both the columns %s and %s have this name", draft->model->name, field->name,
                  first->column, field->column);
  }
}

/* The column field that an entry is about; NULL: it is about none. */
static PxField *entry_column(const Place *place) {
  PxField *field = NULL;
  if (is_relation_entry(place->entry))
    return NULL;
  if (place->entry->column) {
    field = px_draft_column(place->draft, place->entry->column);
    return field && g_str_equal(field->name, place->name) ? field : NULL;
  }
  field = px_draft_field(place->draft, place->name);
  return !field && g_str_equal(place->name, "id") ? px_draft_column(place->draft, place->draft->model->id->column) : field;
}

static void read_rename(const Place *place) {
  if (place->entry->column && !is_relation_entry(place->entry))
    rename_column(place);
}

static void read_column(const Place *place) {
  PxField *field = entry_column(place);
  if (!field)
    return;
  if (place->entry->column)
    field->label = px_label_of(place->build->arena, field->name);
  set_label(place, field);
  if (place->entry->type >= 0)
    set_type(place, field);
  if (!place->entry->selection)
    return;
  if (may_have_selection(field))
    set_selection(place, field);
  else
    complain(place, "selection: a %s has none", px_type_name(field->type));
}

void px_model_config_columns(PxSchemaBuild *build) {
  each_field(build, read_rename, true);
  for (guint i = 0; i < build->drafts->len; i++)
    check_renames(build, build->drafts->pdata[i]);
  each_field(build, read_column, false);
}

/* ---- relations */

static void complain_of_model(const Place *place, const char *key, const char *name) {
  g_autofree const char **names = g_new(const char *, place->build->drafts->len + 1);
  for (guint i = 0; i < place->build->drafts->len; i++)
    names[i] = ((const PxDraft *)place->build->drafts->pdata[i])->model->name;
  g_autofree char *hint = px_text_did_you_mean(name, names, place->build->drafts->len);
  complain(place, "%s: there is no model %s%s", key, name, hint);
}

static void read_one2many(const Place *place) {
  const char *text = place->entry->one2many;
  const char *dot = strrchr(text, '.');
  if (!dot) {
    complain(place, "one2many: write MODEL.FIELD, the many2one of the other model that leads here");
    return;
  }
  g_autofree char *model_name = g_strndup(text, (gsize)(dot - text));
  PxDraft *child = px_build_draft(place->build, model_name);
  if (!child) {
    complain_of_model(place, "one2many", model_name);
    return;
  }
  PxField *inverse = px_draft_field(child, dot + 1);
  if (!inverse) {
    g_autofree char *hint = px_draft_did_you_mean(child, dot + 1);
    complain(place, "one2many: model %s has no field %s%s", model_name, dot + 1, hint);
  } else if (inverse->type != PX_TYPE_MANY2ONE || inverse->target != place->draft->model) {
    complain(place, "one2many: %s is no many2one to %s", text, place->draft->model->name);
  } else {
    set_label(place, px_build_one2many(place->build, place->draft, place->name, child, inverse));
  }
}

/* The junctions that lead from here to target, and a side of them. */
static unsigned count_ways(const Place *place, const PxDraft *target, const PxJunction **ret_junction, unsigned *ret_from) {
  unsigned n = 0;
  for (guint i = 0; i < place->build->junctions->len; i++) {
    const PxJunction *junction = &g_array_index(place->build->junctions, PxJunction, i);
    const FieldEntry *entry = place->entry;
    for (unsigned from = 0; from < 2; from++) {
      if (junction->draft[from] != place->draft || junction->draft[1 - from] != target ||
          (entry->through && g_ascii_strcasecmp(entry->through, junction->table->name) != 0) ||
          (entry->from && g_ascii_strcasecmp(entry->from, junction->column[from]) != 0) ||
          (entry->to && g_ascii_strcasecmp(entry->to, junction->column[1 - from]) != 0))
        continue;
      *ret_junction = junction;
      *ret_from = from;
      n++;
    }
  }
  return n;
}

/* A table that the schema does not show as a junction (no foreign keys, more columns) is one when the configuration says so. */
static void read_named_junction(const Place *place, const PxDraft *target) {
  const FieldEntry *entry = place->entry;
  const PxTable *table = px_build_table(place->build, entry->through);
  if (!table || table->no_table) {
    complain(place, "through: the database has no table %s", entry->through);
    return;
  }
  const char *from = px_table_column(table, entry->from);
  const char *to = px_table_column(table, entry->to);
  if (!from || !to)
    complain(place, "%s: the table %s has no column %s", from ? "to" : "from", entry->through, from ? entry->to : entry->from);
  else
    set_label(place, px_build_many2many(place->build, place->draft, place->name, target, table, from, to));
}

static void read_many2many(const Place *place) {
  const FieldEntry *entry = place->entry;
  const PxDraft *target = px_build_draft(place->build, entry->many2many);
  if (!target) {
    complain_of_model(place, "many2many", entry->many2many);
    return;
  }
  const PxJunction *junction = NULL;
  unsigned from = 0;
  unsigned n = count_ways(place, target, &junction, &from);
  if (n == 1)
    set_label(place, px_build_many2many(place->build, place->draft, place->name, target, junction->table, junction->column[from],
                                        junction->column[1 - from]));
  else if (entry->through && entry->from && entry->to)
    read_named_junction(place, target);
  else
    complain(place, "many2many: say which table links %s and %s: through: TABLE, from: COLUMN, to: COLUMN", place->draft->model->name,
             entry->many2many);
}

static void read_relation(const Place *place) {
  const FieldEntry *entry = place->entry;
  bool links = entry->through || entry->from || entry->to;
  if (!is_relation_entry(entry)) {
    if (links)
      complain(place, "through, from and to belong to many2many: MODEL");
  } else if ((entry->one2many && (entry->many2many || links)) || entry->column || entry->selection || entry->type >= 0) {
    complain(place, "a relation has label, hide and either one2many or many2many, through, from and to");
  } else if (px_draft_field(place->draft, place->name)) {
    complain(place, "the table %s has a column of this name", place->draft->table->name);
  } else if (entry->one2many) {
    read_one2many(place);
  } else {
    read_many2many(place);
  }
}

void px_model_config_relations(PxSchemaBuild *build) {
  each_field(build, read_relation, false);
}

/* ---- what needs all fields */

/* Labels of relations that have their default name, and names of nothing. */
static void read_rest(const Place *place) {
  const FieldEntry *entry = place->entry;
  if (is_relation_entry(entry) || entry->column)
    return;
  PxField *field = entry_column(place);
  if (!field) {
    g_autofree char *hint = px_draft_did_you_mean(place->draft, place->name);
    complain(place, "the table %s has no such column%s", place->draft->table->name, hint);
  } else if (px_field_is_x2many(field)) {
    set_label(place, field);
    if (entry->selection || entry->type >= 0)
      complain(place, "a %s has only label and hide", px_type_name(field->type));
  }
}

static void read_order_item(PxSchemaBuild *build, PxDraft *draft, const PxConfigNode *item, GPtrArray *fields, GArray *descending) {
  const char *text = px_node_text(item);
  bool is_descending = text && *text == '-';
  const char *name = is_descending ? text + 1 : text;
  PxField *field = name ? px_draft_field(draft, name) : NULL;
  if (!name) {
    px_complain(build->complaints, item, "model %s: order: write the names of fields, - before one for descending", draft->model->name);
  } else if (!field) {
    g_autofree char *hint = px_draft_did_you_mean(draft, name);
    px_complain(build->complaints, item, "model %s: order: there is no field %s%s", draft->model->name, name, hint);
  } else if (!field->column) {
    px_complain(build->complaints, item, "model %s: order: %s is a %s, which has no order", draft->model->name, name, px_type_name(field->type));
  } else {
    g_ptr_array_add(fields, field);
    g_array_append_val(descending, is_descending);
  }
}

static void read_order(PxSchemaBuild *build, PxDraft *draft) {
  g_autoptr(PxComplaints) untold = px_complaints_new();
  g_auto(ModelEntry) entry = {0};
  read_model_entry(draft->node, draft->model->name, &entry, untold);
  if (!entry.order)
    return;
  g_autoptr(GPtrArray) fields = g_ptr_array_new();
  g_autoptr(GArray) descending = g_array_new(FALSE, FALSE, sizeof(bool));
  if (px_node_type(entry.order) == PX_NODE_SEQUENCE)
    for (size_t i = 0; i < px_node_count(entry.order); i++)
      read_order_item(build, draft, px_node_at(entry.order, i), fields, descending);
  else
    read_order_item(build, draft, entry.order, fields, descending);
  const PxField **order = px_arena_new_array(build->arena, const PxField *, fields->len + 1);
  bool *order_descending = px_arena_new_array(build->arena, bool, fields->len + 1);
  for (guint i = 0; i < fields->len; i++) {
    order[i] = fields->pdata[i];
    order_descending[i] = g_array_index(descending, bool, i);
  }
  draft->model->order = order;
  draft->model->order_descending = order_descending;
  draft->model->n_order = fields->len;
}

void px_model_config_rest(PxSchemaBuild *build) {
  each_field(build, read_rest, false);
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    if (draft->node)
      read_order(build, draft);
  }
}
