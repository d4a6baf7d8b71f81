/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/text.h"
#include "command/command.h"
#include "command/open.h"
#include "command/output.h"
#include "model/convert.h"

#include <stdio.h>

static json_t *field_names(const PxField *const *fields, size_t n) {
  json_t *names = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(names, px_json_text(fields[i]->name));
  return names;
}

/* Each key as "code" or "country_id + code". */
static json_t *unique_keys(const PxModel *model) {
  json_t *keys = json_array();
  for (size_t i = 0; i < model->n_uniques; i++) {
    GString *key = g_string_new(NULL);
    for (size_t f = 0; f < model->uniques[i].n_fields; f++)
      g_string_append_printf(key, "%s%s", f > 0 ? " + " : "", model->uniques[i].fields[f]->name);
    json_array_append_new(keys, px_json_text(key->str));
    g_string_free(key, TRUE);
  }
  return keys;
}

static size_t visible_fields(const PxModel *model) {
  size_t n = 0;
  for (size_t i = 0; i < model->n_fields; i++)
    n += !model->fields[i]->hidden;
  return n;
}

static json_t *model_summary(const PxModel *model) {
  json_t *object = json_object();
  json_object_set_new(object, "model", px_json_text(model->name));
  json_object_set_new(object, "label", px_json_text(model->label));
  json_object_set_new(object, "table", px_json_text(model->table));
  json_object_set_new(object, "fields", json_integer((json_int_t)visible_fields(model)));
  json_object_set_new(object, "keys", unique_keys(model));
  return object;
}

/* ---- one model */

/* "Country (country)", or what the relation goes through. */
static char *relation_text(const PxField *field) {
  switch (field->type) {
  case PX_TYPE_MANY2ONE:
    return g_strdup(field->target->name);
  case PX_TYPE_ONE2MANY:
    return g_strdup_printf("%s.%s", field->target->name, field->inverse->name);
  case PX_TYPE_MANY2MANY:
    return g_strdup_printf("%s by %s", field->target->name, field->through);
  default:
    return NULL;
  }
}

static char *type_text(const PxField *field) {
  if (field->max_chars > 0)
    return g_strdup_printf("%s(%u)", px_type_name(field->type), field->max_chars);
  if (field->precision > 0)
    return g_strdup_printf("%s(%u,%u)", px_type_name(field->type), field->precision, field->scale);
  return g_strdup(px_type_name(field->type));
}

static json_t *default_of(const PxField *field, PxArena *arena) {
  if (!field->has_default)
    return json_null();
  if (!field->default_is_constant)
    return px_json_text("(by the database)");
  PxCell cell = px_field_format(field, &(PxConvertOptions){0}, arena, field->default_value);
  g_autofree char *text = g_strndup(cell.ptr ? cell.ptr : "", cell.len);
  return px_json_text(text);
}

static json_t *selection_of(const PxField *field) {
  json_t *selection = json_array();
  for (size_t i = 0; i < field->n_selection; i++)
    json_array_append_new(
      selection, json_pack("{s:o, s:o}", "value", px_json_text(field->selection[i].value), "label", px_json_text(field->selection[i].label)));
  return selection;
}

static json_t *field_to_json(const PxField *field, PxArena *arena) {
  g_autofree char *type = type_text(field);
  g_autofree char *relation = relation_text(field);
  json_t *object = json_object();
  json_object_set_new(object, "field", px_json_text(field->name));
  json_object_set_new(object, "label", px_json_text(field->label));
  json_object_set_new(object, "type", px_json_text(type));
  json_object_set_new(object, "column", px_json_text(field->column));
  json_object_set_new(object, "required", json_boolean(field->required));
  json_object_set_new(object, "read_only", json_boolean(field->read_only));
  json_object_set_new(object, "default", default_of(field, arena));
  json_object_set_new(object, "relation", px_json_text(relation));
  json_object_set_new(object, "selection", selection_of(field));
  return object;
}

/* "contact (Contact), invoice (Invoice Address)" */
static char *selection_text(const json_t *selection) {
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < json_array_size(selection); i++) {
    const char *value = json_string_value(json_object_get(json_array_get(selection, i), "value"));
    const char *label = json_string_value(json_object_get(json_array_get(selection, i), "label"));
    g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", value);
    if (g_strcmp0(value, label) != 0)
      g_string_append_printf(out, " (%s)", label);
  }
  return g_string_free(out, FALSE);
}

/* What relates or limits a field is one column for people. */
static void add_notes(json_t *fields) {
  for (size_t i = 0; i < json_array_size(fields); i++) {
    json_t *field = json_array_get(fields, i);
    g_autofree char *selection = selection_text(json_object_get(field, "selection"));
    const char *relation = json_string_value(json_object_get(field, "relation"));
    g_autofree char *notes = g_strconcat(relation ? "-> " : "", relation ? relation : "", selection,
                                         json_is_true(json_object_get(field, "read_only")) ? "read only" : "", NULL);
    json_object_set_new(field, "notes", px_json_text(notes));
  }
}

static json_t *model_to_json(const PxModel *model) {
  g_autoptr(PxArena) arena = px_arena_new();
  json_t *fields = json_array();
  for (size_t i = 0; i < model->n_fields; i++)
    if (!model->fields[i]->hidden)
      json_array_append_new(fields, field_to_json(model->fields[i], arena));
  json_t *object = json_object();
  json_object_set_new(object, "model", px_json_text(model->name));
  json_object_set_new(object, "label", px_json_text(model->label));
  json_object_set_new(object, "table", px_json_text(model->table));
  json_object_set_new(object, "id", px_json_text(model->id->column));
  json_object_set_new(object, "keys", unique_keys(model));
  json_object_set_new(object, "order", field_names(model->order, model->n_order));
  json_object_set_new(object, "fields", fields);
  return object;
}

static void print_model(bool as_json, const PxModel *model) {
  g_autoptr(json_t) object = model_to_json(model);
  if (as_json) {
    px_print_json(object);
    return;
  }
  static const PxColumn head[] = {{"model", "Model"}, {"label", "Label"}, {"table", "Table"}, {"keys", "Unique"}, {"order", "Order"}};
  static const PxColumn columns[] = {{"field", "FIELD"},       {"label", "LABEL"},     {"type", "TYPE"},
                                     {"required", "REQUIRED"}, {"default", "DEFAULT"}, {"notes", "VALUES"}};
  json_t *fields = json_object_get(object, "fields");
  add_notes(fields);
  px_print_object(false, object, head, G_N_ELEMENTS(head));
  puts("");
  px_print_rows(false, fields, columns, G_N_ELEMENTS(columns), "no fields");
}

/* ---- all models */

static json_t *left_out(const PxSchema *schema) {
  json_t *rows = json_array();
  for (size_t i = 0; i < px_schema_left_out_count(schema); i++) {
    const char *reason = NULL;
    const char *table = px_schema_left_out(schema, i, &reason);
    json_array_append_new(rows, json_pack("{s:o, s:o}", "table", px_json_text(table), "reason", px_json_text(reason)));
  }
  return rows;
}

static void print_models(bool as_json, const PxSchema *schema) {
  g_autoptr(json_t) models = json_array();
  for (size_t i = 0; i < px_schema_count(schema); i++) {
    if (!px_schema_at(schema, i)->hidden)
      json_array_append_new(models, model_summary(px_schema_at(schema, i)));
  }
  g_autoptr(json_t) others = left_out(schema);
  if (as_json) {
    g_autoptr(json_t) object = json_pack("{s:O, s:O}", "models", models, "left_out", others);
    px_print_json(object);
    return;
  }
  static const PxColumn columns[] = {{"model", "MODEL"}, {"label", "LABEL"}, {"table", "TABLE"}, {"fields", "FIELDS"}, {"keys", "UNIQUE"}};
  static const PxColumn reasons[] = {{"table", "NO MODEL"}, {"reason", "BECAUSE"}};
  px_print_rows(false, models, columns, G_N_ELEMENTS(columns), "The database has no table that could be a model.");
  if (json_array_size(others) > 0) {
    puts("");
    px_print_rows(false, others, reasons, G_N_ELEMENTS(reasons), "");
  }
}

static int run(const PxCommandLine *line, GError **error) {
  /* Who mends a pattern looks here for the names: what is wrong elsewhere is in nobody's way. */
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  g_autoptr(PxProject) project = px_command_open(line, &(PxCommandOpen){.no_history = true, .complaints = complaints}, error);
  if (!project)
    return 2;
  size_t wrong = px_complaints_errors(complaints);
  if (wrong > 0 && !line->quiet) {
    g_autofree char *errors = px_count_text(wrong, "error");
    g_printerr("pattimpex: the configuration has %s: pattimpex check tells more\n", errors);
  }
  if (line->n_args == 0) {
    print_models(line->json, project->schema);
    return 0;
  }
  const PxModel *model = px_schema_model(project->schema, line->args[0]);
  if (!model) {
    g_autofree char *hint = px_schema_did_you_mean(project->schema, line->args[0]);
    g_set_error(error, PX_ERROR, PX_ERROR_USAGE, "models: no model %s%s", line->args[0], hint);
    return 2;
  }
  print_model(line->json, model);
  return 0;
}

const PxCommand px_command_models = {
  .name = "models",
  .arguments = "[MODEL]",
  .summary = "Show the models, or the fields of one",
  .help = "As read from the schema of the database and the section \"models\" of the configuration.\n\n"
          "Examples:\n"
          "  pattimpex models\n"
          "  pattimpex models partner --json\n",
  .max_args = 1,
  .run = run,
};
