/* SPDX-License-Identifier: Apache-2.0 */
/* What the database refused, in the user's words. */
#include "load/load_private.h"

/* The column of a field in the place whose record was refused, or in the first that has one. */
static const PxHeaderColumn *column_of(const PxLoader *loader, const PxField *field) {
  const PxLoadPlan *plan = &loader->plan;
  const PxHeaderColumn *first = NULL;
  for (size_t p = 0; p < plan->n_places; p++)
    for (size_t w = 0; w < plan->places[p].n_writes; w++) {
      const PxHeaderColumn *column = plan->places[p].writes[w] == field ? plan->places[p].write_columns[w] : NULL;
      if (column && (!first || &plan->places[p] == loader->wave.refused))
        first = column;
    }
  return first;
}

/* The written model whose table the database named. */
static const PxModel *model_of(const PxLoadPlan *plan, const PxRefusal *refusal) {
  const PxModel *found = NULL;
  for (size_t i = 0; refusal->table && i < plan->n_models; i++) {
    const PxModel *model = plan->models[i].model;
    if (px_model_is_table(model, refusal->schema, refusal->table) && (!found || model->schema)) /* the schema makes it certain */
      found = model;
  }
  return found;
}

/* The column to blame: of the fields of the rule, the first in the file. */
static const PxHeaderColumn *blamed(const PxLoader *loader, const PxRefusal *refusal, const char **ret_label) {
  const PxHeaderColumn *first = NULL;
  *ret_label = NULL;
  const PxModel *model = model_of(&loader->plan, refusal);
  if (!model)
    return NULL;
  for (size_t i = 0; refusal->columns && refusal->columns[i]; i++) {
    const PxField *field = px_model_column(model, refusal->columns[i]);
    if (!field)
      continue;
    *ret_label = i == 0 && !refusal->columns[1] ? field->label : NULL;
    const PxHeaderColumn *column = column_of(loader, field);
    if (column && (!first || column->column < first->column))
      first = column;
  }
  return first;
}

static void complain_purge(PxLoader *loader, PxLoadRow *row, PxStage stage) {
  const PxField *field = loader->wave.refused_purge;
  px_row_complain(
    loader, row, stage, NULL, field->label, "foreign_key",
    "a %s that the row does not name cannot be removed, because other records refer to it; name it in the row, or take these away first",
    field->target->label);
}

/* ---- rules */

/* SQLite tells a CHECK by its name or, where it has none, its text, and an index by its name. */
static const PxRule *rule_of(const PxLoadPlan *plan, const char *constraint, const PxModel **ret_model) {
  for (size_t m = 0; constraint && m < plan->n_models; m++) {
    const PxModel *model = plan->models[m].model;
    for (size_t i = 0; i < model->n_rules; i++)
      if (g_strcmp0(model->rules[i].name, constraint) == 0 || g_str_equal(model->rules[i].text, constraint)) {
        *ret_model = model;
        return &model->rules[i];
      }
  }
  return NULL;
}

/* The place of the row whose record of model was refused: where that is not known, the only one that writes such; NULL: there are several. */
static const PxLoadPlace *refused_place(PxLoader *loader, size_t index, const PxModel *model) {
  const PxLoadPlan *plan = &loader->plan;
  if (loader->wave.refused && px_place_model(plan, loader->wave.refused) == model)
    return loader->wave.refused;
  const PxLoadPlace *only = NULL;
  for (size_t p = 0; p < plan->n_places; p++) {
    const PxLoadPlace *place = &plan->places[p];
    if (px_place_model(plan, place) != model || !px_loader_item(loader, index, place)->given)
      continue;
    if (only)
      return NULL;
    only = place;
  }
  return only;
}

/* What the row gives to a field, for people; NULL: nothing, or it is not known to which record. */
static const char *value_of(PxLoader *loader, size_t index, const PxModel *model, const PxField *field) {
  const PxLoadPlace *place = refused_place(loader, index, model);
  bool known = place && index >= loader->wave.first && index < loader->wave.end;
  for (size_t w = 0; known && w < place->n_writes; w++) {
    if (place->writes[w] != field)
      continue;
    PxValue value = px_load_value(loader, place, index, w, px_id_is_none(px_wave_item(loader, index, place)->record.id));
    return value.kind <= PX_BLOB ? px_load_describe_written(loader, index, place, field, &value) : NULL;
  }
  return NULL;
}

/* "Quantity 9, Limit 2": what the rule is about, with the values that the row has for it. */
static char *rule_values(PxLoader *loader, size_t index, const PxModel *model, const PxRule *rule) {
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < rule->n_fields; i++) {
    const char *value = value_of(loader, index, model, rule->fields[i]);
    bool alone = rule->n_fields == 1 && value;
    g_string_append_printf(text, "%s%s%s%s", i ? ", " : "", alone ? "" : rule->fields[i]->label, value && !alone ? " " : "", value ? value : "");
  }
  return g_string_free(text, FALSE);
}

static char *rule_name(const PxRule *rule) {
  bool in_brackets = g_str_has_prefix(rule->text, "(") && g_str_has_suffix(rule->text, ")"); /* as PostgreSQL keeps them */
  return rule->name ? g_strdup_printf(in_brackets ? "%s %s" : "%s (%s)", rule->name, rule->text) : g_strdup(rule->text);
}

static void complain_check(PxLoader *loader, size_t index, PxStage stage, const PxRefusal *refusal) {
  const PxModel *model;
  const PxRule *rule = rule_of(&loader->plan, refusal->constraint, &model);
  PxLoadRow *row = px_loader_row(loader, index);
  if (!rule || !rule->n_fields) {
    px_row_complain(loader, row, stage, NULL, NULL, "check", "the row breaks the rule %s of the database",
                    refusal->constraint ? refusal->constraint : refusal->message);
    return;
  }
  g_autofree char *values = rule_values(loader, index, model, rule);
  g_autofree char *name = rule_name(rule);
  px_row_complain(loader, row, stage, NULL, rule->n_fields == 1 ? rule->fields[0]->label : NULL, "check", "%s %s the rule %s of the database", values,
                  rule->n_fields == 1 ? "breaks" : "break", name);
}

static void complain_unique(PxLoader *loader, size_t index, PxStage stage, const PxRefusal *refusal) {
  const PxModel *model = model_of(&loader->plan, refusal);
  const PxRule *rule = rule_of(&loader->plan, refusal->constraint, &model);
  PxLoadRow *row = px_loader_row(loader, index);
  const char *label = NULL;
  const PxHeaderColumn *column = blamed(loader, refusal, &label);
  if (!rule || !rule->n_fields) {
    px_row_complain(loader, row, stage, column, label, "unique", "used by another %s already (%s)",
                    (model ? model : loader->plan.models[0].model)->label, refusal->message);
    return;
  }
  for (size_t i = 0; i < rule->n_fields; i++) {
    const PxHeaderColumn *of_field = column_of(loader, rule->fields[i]);
    if (of_field && (!column || of_field->column < column->column))
      column = of_field;
  }
  g_autofree char *values = rule_values(loader, index, model, rule);
  px_row_complain(loader, row, stage, column, rule->n_fields == 1 ? rule->fields[0]->label : NULL, "unique",
                  "%s %s used by another %s already, by the rule %s of the database", values, rule->n_fields == 1 ? "is" : "are", model->label,
                  rule->name);
}

/* ---- foreign keys */

static const PxLookup *lookup_of(PxLoader *loader, const PxForeignKey *key) {
  if (!loader->referred)
    loader->referred = g_hash_table_new(g_direct_hash, g_direct_equal);
  const PxLookup *lookup = g_hash_table_lookup(loader->referred, key);
  if (lookup)
    return lookup;
  lookup = px_load_lookup(loader->records, key->to[0]->model, key->to, key->n_fields, NULL, 0);
  g_hash_table_insert(loader->referred, (gpointer)(uintptr_t)key, (gpointer)(uintptr_t)lookup);
  return lookup;
}

/* Whether there is a record that the values refer to; also where that cannot be found out. */
static bool is_there(PxLoader *loader, const PxForeignKey *key, const PxValue *values) {
  PxFound found = {0};
  return !px_records_find(loader->records, lookup_of(loader, key), values, 1, loader->wave_arena, &found, NULL) || found.too_many ||
         !px_id_is_none(found.id);
}

/* What a row writes to the columns of a key, and which write is the first of them. False: it does not write them all, or one is NULL, which
 * refers to nothing. */
static bool written_key(PxLoader *loader, const PxLoadPlace *place, size_t index, const PxForeignKey *key, PxValue *values, size_t *ret_write) {
  bool is_new = px_id_is_none(px_wave_item(loader, index, place)->record.id);
  for (size_t i = 0; i < key->n_fields; i++) {
    size_t w = 0;
    while (w < place->n_writes && place->writes[w] != key->fields[i])
      w++;
    if (w == place->n_writes)
      return false;
    values[i] = px_load_value(loader, place, index, w, is_new);
    if (values[i].kind == PX_NULL || values[i].kind > PX_BLOB)
      return false;
    *ret_write = i ? MIN(*ret_write, w) : w;
  }
  return true;
}

static void complain_key(PxLoader *loader, const PxLoadPlace *place, size_t index, PxStage stage, const PxForeignKey *key, const PxValue *values,
                         size_t write) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (size_t i = 0; i < key->n_fields; i++)
    g_string_append_printf(text, "%s%s %s", i ? " and " : "", key->to[i]->label, px_load_describe(loader->wave_arena, &values[i]));
  px_row_complain(loader, px_loader_row(loader, index), stage, place->write_columns[write], place->writes[write]->label, "foreign_key",
                  "no %s has %s", key->to[0]->model->label, text->str);
}

/* Whether these are the columns that the database told. */
static bool is_told(const PxForeignKey *key, const PxRefusal *refusal) {
  if (!refusal->table || !px_model_is_table(key->fields[0]->model, refusal->schema, refusal->table) ||
      g_strv_length((char **)(uintptr_t)refusal->columns) != key->n_fields)
    return false;
  for (size_t i = 0; i < key->n_fields; i++)
    if (!g_strv_contains(refusal->columns, key->fields[i]->column))
      return false;
  return true;
}

/* PostgreSQL says which foreign key it is, SQLite does not: those that are no many2one, whose records were looked for, are tried. */
static bool is_broken(PxLoader *loader, const PxRefusal *refusal, const PxForeignKey *key, const PxValue *values) {
  return refusal->constraint ? is_told(key, refusal) : !is_there(loader, key, values);
}

static bool complain_reference(PxLoader *loader, size_t index, PxStage stage, const PxRefusal *refusal) {
  const PxLoadPlan *plan = &loader->plan;
  bool any = false;
  for (size_t p = 0; p < plan->n_places; p++) {
    const PxLoadPlace *place = &plan->places[p];
    const PxModel *model = px_place_model(plan, place);
    bool known = px_loader_item(loader, index, place)->given && index >= loader->wave.first && index < loader->wave.end;
    for (size_t k = 0; known && k < model->n_foreign_keys; k++) {
      const PxForeignKey *key = &model->foreign_keys[k];
      PxValue *values = PX_LOAD_ARRAY(loader->wave_arena, PxValue, key->n_fields);
      size_t write = 0;
      if (key->n_fields > PX_LOOKUP_MAX_PATHS || !written_key(loader, place, index, key, values, &write) || !is_broken(loader, refusal, key, values))
        continue;
      any = true;
      complain_key(loader, place, index, stage, key, values, write);
    }
  }
  return any;
}

static void complain_foreign_key(PxLoader *loader, size_t index, PxStage stage, const PxRefusal *refusal, const PxHeaderColumn *column,
                                 const char *label) {
  PxLoadRow *row = px_loader_row(loader, index);
  if (loader->wave.refused_purge)
    complain_purge(loader, row, stage);
  else if (px_db_in_transaction(loader->db) && complain_reference(loader, index, stage, refusal))
    return;
  else if (refusal->constraint && !*refusal->columns) /* others refer to what it changes */
    px_row_complain(loader, row, stage, NULL, NULL, "foreign_key", "%s", refusal->message);
  else
    px_row_complain(loader, row, stage, column, label, "foreign_key", "a record that the row refers to is not there");
}

/* ---- values */

/* PostgreSQL says what is wrong with a value, not of which column it is: those are tried whose types may refuse one. */
static bool complain_value(PxLoader *loader, size_t index, PxStage stage) {
  const PxLoadPlan *plan = &loader->plan;
  bool any = false;
  if (px_db_dialect(loader->db) != PX_DIALECT_POSTGRES || index < loader->wave.first || index >= loader->wave.end)
    return false;
  for (size_t p = 0; p < plan->n_places; p++) {
    const PxLoadPlace *place = &plan->places[p];
    for (size_t w = 0; px_loader_item(loader, index, place)->given && w < place->n_writes; w++) {
      const PxField *field = place->writes[w];
      PxValue value = px_load_value(loader, place, index, w, px_id_is_none(px_wave_item(loader, index, place)->record.id));
      bool takes = true;
      const char *why;
      if (field->target || value.kind > PX_BLOB || !px_records_takes(loader->records, field, &value, loader->wave_arena, &takes, &why, NULL) || takes)
        continue;
      any = true;
      px_row_complain(loader, px_loader_row(loader, index), stage, place->write_columns[w], field->label, "conversion", "%s is refused: %s",
                      px_load_describe(loader->wave_arena, &value), why);
    }
  }
  return any;
}

void px_load_complain_refusal(PxLoader *loader, size_t index, const GError *error) {
  const PxRefusal *refusal = px_db_refusal(loader->db);
  PxLoadRow *row = px_loader_row(loader, index);
  /* A row that ended a transaction keeps what was said when it did. */
  PxStage stage = row->dead ? PX_STAGE_CONVERT : PX_STAGE_ATTEMPT;
  const char *label = NULL;
  const PxHeaderColumn *column = refusal ? blamed(loader, refusal, &label) : NULL;
  row->outcome = PX_OUTCOME_FAILED;
  switch (refusal ? refusal->kind : PX_REFUSED_OTHER) {
  case PX_REFUSED_NOT_NULL:
    px_row_complain(loader, row, stage, column, label, "required", "must not be empty");
    return;
  case PX_REFUSED_UNIQUE:
    complain_unique(loader, index, stage, refusal);
    return;
  case PX_REFUSED_CHECK:
    complain_check(loader, index, stage, refusal);
    return;
  case PX_REFUSED_FOREIGN_KEY:
    complain_foreign_key(loader, index, stage, refusal, column, label);
    return;
  case PX_REFUSED_TRIGGER:
    px_row_complain(loader, row, stage, NULL, NULL, "trigger", "%s", refusal->message);
    return;
  case PX_REFUSED_OTHER:
    break;
  }
  g_autofree char *said = g_strdup(refusal && refusal->message ? refusal->message : error->message);
  if (!px_db_in_transaction(loader->db) || !complain_value(loader, index, stage))
    px_row_complain(loader, row, stage, NULL, NULL, "database", "%s", said);
}
