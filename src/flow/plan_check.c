/* SPDX-License-Identifier: Apache-2.0 */
/* Has the database moved since the plan was made? */
#include "flow/plan.h"

void px_plan_moved(PxPlanTarget *target, const PxPlanStep *step, const PxField *field, const char *format, ...) {
  if (++target->n_moved > PX_PLAN_MOST_MOVED)
    return;
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autoptr(GString) text = g_string_new(step->model->label);
  if (*step->record)
    g_string_append_printf(text, " %s", step->record);
  if (*step->name)
    g_string_append_printf(text, " (%s)", step->name);
  g_string_append_printf(text, ": %s", what);
  const PxMessage message = {.row = step->row, .field = field ? field->label : NULL, .type = "moved", .message = text->str};
  g_ptr_array_add(target->moved, px_message_copy(&message));
}

static const PxField *last_field(const PxLookupPath *path) {
  return path->path[path->n_path - 1];
}

/* ---- a step that finds */

/* The finder of the step's paths; of an external id its record's id is compared. */
static const PxLookup *finder(PxPlanTarget *target, const PxPlanStep *step) {
  g_autoptr(GString) key = g_string_new(step->model->name);
  PxLookupPath *paths = px_arena_new_array(target->arena, PxLookupPath, step->n_fields);
  for (size_t i = 0; i < step->n_fields; i++) {
    const PxLookupPath *path = &step->paths[i];
    g_string_append_printf(key, "\n%s", px_plan_path_text(target->arena, path->path, path->n_path));
    const PxField **fields = px_arena_new_array(target->arena, const PxField *, path->n_path);
    memcpy(fields, path->path, path->n_path * sizeof(const PxField *));
    if (!fields[path->n_path - 1])
      fields[path->n_path - 1] = (path->n_path > 1 ? fields[path->n_path - 2]->target : step->model)->id;
    paths[i] = (PxLookupPath){.path = fields, .n_path = path->n_path};
  }
  const PxLookup *lookup = g_hash_table_lookup(target->finders, key->str);
  if (lookup)
    return lookup;
  lookup = px_records_lookup(target->records, step->model, paths, step->n_fields, NULL, 0);
  g_hash_table_insert(target->finders, g_strdup(key->str), (void *)(uintptr_t)lookup);
  return lookup;
}

/* External ids among the values become the ids of their records; *ret_known false: there is no record of that name. */
static bool settle_externals(PxPlanTarget *target, const PxPlanStep *step, PxValue *values, bool *ret_known, GError **error) {
  *ret_known = true;
  for (size_t i = 0; i < step->n_fields; i++) {
    const PxLookupPath *path = &step->paths[i];
    values[i] = step->values[i];
    if (last_field(path))
      continue;
    const PxModel *model = path->n_path > 1 ? path->path[path->n_path - 2]->target : step->model;
    const char *table;
    PxId id;
    if (!px_records_find_external(target->records, &step->values[i], 1, target->arena, &id, &table, error))
      return false;
    *ret_known &= table && g_str_equal(table, model->table);
    values[i] = px_id_to_value(target->arena, id);
  }
  return true;
}

/* "Code FR" */
static char *sought_text(const PxPlanTarget *target, const PxPlanStep *step) {
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < step->n_fields; i++) {
    const PxField *field = last_field(&step->paths[i]);
    g_string_append_printf(text, "%s%s %s", i ? ", " : "", field ? field->label : "external id",
                           px_plan_value_text(target->ids, target->arena, field, step->values[i]));
  }
  return g_string_free(text, FALSE);
}

static bool expect_found(PxPlanTarget *target, const PxPlanStep *step, GError **error) {
  PxValue *values = px_arena_new_array(target->arena, PxValue, step->n_fields);
  bool known;
  PxFound found = {0};
  if (!settle_externals(target, step, values, &known, error))
    return false;
  if (known && !px_records_find(target->records, finder(target, step), values, 1, target->arena, &found, error))
    return false;
  if (px_id_equal(found.id, step->id))
    return true;
  g_autofree char *sought = sought_text(target, step);
  char now[PX_ID_TEXT_SIZE];
  px_id_write(found.id, now);
  if (found.too_many)
    px_plan_moved(target, step, NULL, "several records have %s now", sought);
  else if (px_id_is_none(found.id))
    px_plan_moved(target, step, NULL, "no record has %s now", sought);
  else if (px_id_is_none(step->id))
    px_plan_moved(target, step, NULL, "there was no record with %s, now %s is there", sought, now);
  else
    px_plan_moved(target, step, NULL, "another record has %s now, %s", sought, now);
  return true;
}

/* ---- a step that changes what is there */

static size_t stored_fields(const PxModel *model, PxArena *arena, const PxField *const **ret_fields) {
  const PxField **fields = px_arena_new_array(arena, const PxField *, model->n_fields);
  size_t n = 0;
  for (size_t i = 0; i < model->n_fields; i++)
    if (model->fields[i]->column)
      fields[n++] = model->fields[i];
  *ret_fields = fields;
  return n;
}

static const PxLookup *reader(PxPlanTarget *target, const PxModel *model, const PxField *const *fields, size_t n) {
  const PxLookup *lookup = g_hash_table_lookup(target->readers, model);
  if (lookup)
    return lookup;
  const PxLookupPath path = {.path = &model->id, .n_path = 1};
  lookup = px_records_lookup(target->records, model, &path, 1, fields, n);
  g_hash_table_insert(target->readers, (void *)(uintptr_t)model, (void *)(uintptr_t)lookup);
  return lookup;
}

static void compare(PxPlanTarget *target, const PxPlanStep *step, const PxField *field, const char *old, PxValue stored) {
  const char *now = px_plan_value_text(target->ids, target->arena, field, stored);
  if (!g_str_equal(now, old))
    px_plan_moved(target, step, field, "%s is %s now, it was %s", field->label, *now ? now : "empty", *old ? old : "empty");
}

static bool expect_stored(PxPlanTarget *target, const PxPlanStep *step, bool *ret_there, GError **error) {
  const PxField *const *fields;
  size_t n = stored_fields(step->model, target->arena, &fields);
  PxValue id = px_id_to_value(target->arena, step->id);
  PxFound found;
  if (!px_records_find(target->records, reader(target, step->model, fields, n), &id, 1, target->arena, &found, error))
    return false;
  *ret_there = !px_id_is_none(found.id);
  if (!*ret_there)
    px_plan_moved(target, step, NULL, "the record is gone");
  for (size_t i = 0; *ret_there && i < step->n_fields; i++)
    for (size_t f = 0; f < n; f++)
      if (fields[f] == last_field(&step->paths[i]))
        compare(target, step, fields[f], step->old[i], found.values[f]);
  return true;
}

/* ---- links and external ids */

static bool is_linked(const PxIdList *list, PxId id) {
  for (size_t i = 0; i < list->n; i++)
    if (px_id_equal(list->ids[i], id))
      return true;
  return false;
}

static bool expect_link(PxPlanTarget *target, const PxPlanStep *step, bool *ret_there, GError **error) {
  const PxField *field = last_field(&step->paths[0]);
  const char *other = step->kind == PX_CHANGE_UNLINK ? step->old[0] : px_plan_value_text(target->ids, target->arena, field, step->values[0]);
  PxIdList list;
  PxId id;
  if (!px_plan_id_from(target->ids, field->target, other, &id))
    id = PX_ID_NONE;
  if (!px_records_related(target->records, field, &step->id, 1, target->arena, &list, error))
    return false;
  bool linked = is_linked(&list, id);
  *ret_there = linked == (step->kind == PX_CHANGE_UNLINK);
  if (!*ret_there)
    px_plan_moved(target, step, field, "%s: %s %s", field->label, other, linked ? "is linked already" : "is not linked any more");
  return true;
}

static bool expect_free_name(PxPlanTarget *target, const PxPlanStep *step, bool *ret_there, GError **error) {
  const char *table;
  PxId id;
  if (!px_records_find_external(target->records, &step->values[0], 1, target->arena, &id, &table, error))
    return false;
  *ret_there = !table;
  if (table)
    px_plan_moved(target, step, NULL, "the external id %s is taken by now", px_plan_value_text(target->ids, target->arena, NULL, step->values[0]));
  return true;
}

bool px_plan_expect(PxPlanTarget *target, const PxPlanStep *step, bool *ret_there, GError **error) {
  *ret_there = true;
  switch (step->kind) {
  case PX_CHANGE_FIND:
    return expect_found(target, step, error);
  case PX_CHANGE_CREATE:
    return true;
  case PX_CHANGE_UPDATE:
  case PX_CHANGE_DETACH:
  case PX_CHANGE_DELETE:
    return expect_stored(target, step, ret_there, error);
  case PX_CHANGE_LINK:
  case PX_CHANGE_UNLINK:
    return expect_link(target, step, ret_there, error);
  case PX_CHANGE_NAME:
    return expect_free_name(target, step, ret_there, error);
  }
  return true;
}
