/* SPDX-License-Identifier: Apache-2.0 */
/* What the database refused, in the user's words. */
#include "load/load_private.h"

static const PxHeaderColumn *column_of(const PxLoadPlan *plan, const PxField *field) {
  for (size_t p = 0; p < plan->n_places; p++)
    for (size_t w = 0; w < plan->places[p].n_writes; w++)
      if (plan->places[p].writes[w] == field && plan->places[p].write_columns[w])
        return plan->places[p].write_columns[w];
  return NULL;
}

/* The written model whose table the database named. */
static const PxModel *model_of(const PxLoadPlan *plan, const char *table) {
  for (size_t i = 0; table && i < plan->n_models; i++)
    if (g_ascii_strcasecmp(table, plan->models[i].model->table) == 0)
      return plan->models[i].model;
  return NULL;
}

/* The column to blame: of the fields of the rule, the first in the file. */
static const PxHeaderColumn *blamed(const PxLoadPlan *plan, const PxRefusal *refusal, const char **ret_label) {
  const PxHeaderColumn *first = NULL;
  *ret_label = NULL;
  const PxModel *model = model_of(plan, refusal->table);
  if (!model)
    return NULL;
  for (size_t i = 0; refusal->columns && refusal->columns[i]; i++) {
    const PxField *field = px_model_column(model, refusal->columns[i]);
    if (!field)
      continue;
    *ret_label = i == 0 && !refusal->columns[1] ? field->label : NULL;
    const PxHeaderColumn *column = column_of(plan, field);
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

void px_load_complain_refusal(PxLoader *loader, size_t index, const GError *error) {
  const PxLoadPlan *plan = &loader->plan;
  const PxRefusal *refusal = px_db_refusal(loader->db);
  PxLoadRow *row = px_loader_row(loader, index);
  /* A row that ended a transaction keeps what was said when it did. */
  PxStage stage = row->dead ? PX_STAGE_CONVERT : PX_STAGE_ATTEMPT;
  const PxModel *model = refusal ? model_of(plan, refusal->table) : NULL;
  const char *label = NULL;
  const PxHeaderColumn *column = refusal ? blamed(plan, refusal, &label) : NULL;
  row->outcome = PX_OUTCOME_FAILED;
  switch (refusal ? refusal->kind : PX_REFUSED_OTHER) {
  case PX_REFUSED_NOT_NULL:
    px_row_complain(loader, row, stage, column, label, "required", "must not be empty");
    return;
  case PX_REFUSED_UNIQUE:
    px_row_complain(loader, row, stage, column, label, "unique", "used by another %s already (%s)", (model ? model : plan->models[0].model)->label,
                    refusal->message);
    return;
  case PX_REFUSED_CHECK:
    px_row_complain(loader, row, stage, NULL, NULL, "check", "the row breaks the rule %s of the database",
                    refusal->constraint ? refusal->constraint : refusal->message);
    return;
  case PX_REFUSED_FOREIGN_KEY:
    if (loader->wave.refused_purge) {
      complain_purge(loader, row, stage);
      return;
    }
    px_row_complain(loader, row, stage, column, label, "foreign_key", "a record that the row refers to is not there");
    return;
  case PX_REFUSED_TRIGGER:
    px_row_complain(loader, row, stage, NULL, NULL, "trigger", "%s", refusal->message);
    return;
  case PX_REFUSED_OTHER:
    break;
  }
  px_row_complain(loader, row, stage, NULL, NULL, "database", "%s", refusal && refusal->message ? refusal->message : error->message);
}
