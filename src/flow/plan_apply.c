/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a plan -> records: step after step, in one transaction, and only when the database is in every step as the plan has it. */
#include "flow/paths.h"
#include "flow/plan.h"

#include <unistd.h>

#define PROGRESS_STEPS 1000 /* between two calls of progress */

static void free_message(gpointer message) {
  px_message_free(message);
}

static void target_done(PxPlanTarget *target) {
  g_clear_pointer(&target->ids, px_plan_ids_free);
  g_clear_pointer(&target->records, px_records_free);
  px_arena_free(target->arena);
  g_hash_table_unref(target->readers);
  g_hash_table_unref(target->finders);
  g_clear_pointer(&target->moved, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PxPlanTarget, target_done)

static PxPlanTarget new_target(PxProject *project) {
  return (PxPlanTarget){
    .project = project,
    .records = px_records_new(project->db, project->schema),
    .arena = px_arena_new(),
    .readers = g_hash_table_new(g_direct_hash, g_direct_equal),
    .finders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    .moved = g_ptr_array_new_with_free_func(free_message),
  };
}

/* ---- writing */

static bool write_fields(PxPlanTarget *target, const PxPlanStep *step, GError **error) {
  const PxField **fields = px_arena_new_array(target->arena, const PxField *, step->n_fields + 1);
  size_t words = px_mask_words(step->n_fields + 1);
  uint64_t *mask = px_arena_new_array(target->arena, uint64_t, words);
  for (size_t i = 0; i < step->n_fields; i++) {
    fields[i] = step->paths[i].path[0];
    mask[i / 64] |= (uint64_t)1 << (i % 64);
  }
  const PxValue *values = step->values;
  const PxWrites writes = {
    .model = step->model, .fields = fields, .n_fields = step->n_fields, .n_rows = 1, .ids = &step->id, .values = &values, .masks = mask};
  size_t bad;
  return step->kind == PX_CHANGE_CREATE ? px_records_create(target->records, &writes, &bad, error)
                                        : px_records_update(target->records, &writes, &bad, error);
}

static bool write_link(PxPlanTarget *target, const PxPlanStep *step, GError **error) {
  const PxField *field = step->paths[0].path[0];
  PxLinkChange link = {.field = field, .from = step->id, .to = px_id_from_value(step->values[0])};
  if (step->kind == PX_CHANGE_UNLINK && !px_plan_id_from(target->ids, field->target, step->old[0], &link.to))
    return true;
  return px_records_link(target->records, &link, 1, step->kind == PX_CHANGE_LINK, error);
}

static bool write_step(PxPlanTarget *target, const PxPlanStep *step, GError **error) {
  switch (step->kind) {
  case PX_CHANGE_FIND:
    return true;
  case PX_CHANGE_CREATE:
  case PX_CHANGE_UPDATE:
    return write_fields(target, step, error);
  case PX_CHANGE_DETACH:
    return px_records_detach(target->records, step->paths[0].path[0], &step->id, 1, error);
  case PX_CHANGE_DELETE:
    return px_records_delete(target->records, step->model, &step->id, 1, error);
  case PX_CHANGE_LINK:
  case PX_CHANGE_UNLINK:
    return write_link(target, step, error);
  case PX_CHANGE_NAME:
    return px_records_add_external(target->records, step->model, &step->values[0], &step->id, 1, error);
  }
  return true;
}

/* What the database refuses now and did not when the plan was made is a move, too. */
static bool run_step(PxPlanTarget *target, const PxPlanStep *step, GError **error) {
  PxDb *db = target->project->db;
  g_autoptr(GError) problem = NULL;
  bool there;
  if (!px_plan_expect(target, step, &there, error))
    return false;
  if (!there || step->kind == PX_CHANGE_FIND)
    return true;
  /* The steps behind one that is refused are looked at, too; SQLite needs no savepoint for that. */
  bool guarded = px_db_dialect(db) == PX_DIALECT_POSTGRES;
  if (guarded && !px_db_savepoint(db, error))
    return false;
  if (write_step(target, step, &problem))
    return !guarded || px_db_release(db, error);
  if (!g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT) && !g_error_matches(problem, PX_ERROR, PX_ERROR_ROLLED_BACK)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  px_plan_moved(target, step, NULL, "%s", problem->message);
  return !guarded || px_db_rollback_to(db, error);
}

/* ---- lines -> steps */

static bool broken(const PxPlanLine *line, GError **error) {
  g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "row %" G_GUINT64_FORMAT " of the plan cannot be read: make the plan again", line->number);
  return false;
}

static const char *copy_text(const PxPlanTarget *target, const char *text) {
  return px_arena_strndup(target->arena, text, strlen(text));
}

static bool begin_step(PxPlanTarget *target, const PxPlanLine *line, PxPlanStep *step, GError **error) {
  int kind = px_plan_action_from(line->cells[PX_PLAN_ACTION]);
  *step = (PxPlanStep){
    .kind = (PxChangeKind)MAX(kind, 0),
    .row = g_ascii_strtoull(line->cells[PX_PLAN_ROW], NULL, 10),
    .model = px_schema_model(target->project->schema, line->cells[PX_PLAN_MODEL]),
    .record = copy_text(target, line->cells[PX_PLAN_RECORD]),
    .name = copy_text(target, line->cells[PX_PLAN_NAME]),
  };
  if (step->model && step->kind == PX_CHANGE_CREATE && !px_plan_ids_make(target->ids, step->model, step->record, error))
    return false;
  return (kind >= 0 && step->model && px_plan_id_from(target->ids, step->model, line->cells[PX_PLAN_RECORD], &step->id)) || broken(line, error);
}

/* A field more; the arrays grow by doubling, in the arena. */
static void make_room(PxPlanTarget *target, PxPlanStep *step) {
  size_t n = step->n_fields;
  if (n & (n - 1))
    return;
  PxLookupPath *paths = px_arena_new_array(target->arena, PxLookupPath, n ? 2 * n : 1);
  PxValue *values = px_arena_new_array(target->arena, PxValue, n ? 2 * n : 1);
  const char **old = px_arena_new_array(target->arena, const char *, n ? 2 * n : 1);
  for (size_t i = 0; i < n; i++) {
    paths[i] = step->paths[i];
    values[i] = step->values[i];
    old[i] = step->old[i];
  }
  step->paths = paths;
  step->values = values;
  step->old = old;
}

static bool add_field(PxPlanTarget *target, const PxPlanLine *line, PxPlanStep *step, GError **error) {
  PxArena *arena = target->arena;
  const char *text = line->cells[PX_PLAN_FIELD];
  PxLookupPath path = {0};
  PxValue value;
  if (!*text)
    return step->kind == PX_CHANGE_CREATE || broken(line, error);
  path.path = px_plan_path_from(arena, step->model, text, &path.n_path);
  if (!path.path || (step->kind != PX_CHANGE_FIND && path.n_path != 1) ||
      (!path.path[path.n_path - 1] && step->kind != PX_CHANGE_FIND && step->kind != PX_CHANGE_NAME) ||
      !px_plan_value_from(target->ids, arena, path.path[path.n_path - 1], line->cells[PX_PLAN_NEW], &value))
    return broken(line, error);
  make_room(target, step);
  step->paths[step->n_fields] = path;
  step->values[step->n_fields] = value;
  step->old[step->n_fields++] = copy_text(target, line->cells[PX_PLAN_OLD]);
  return true;
}

typedef struct {
  PxPlanTarget *target;
  PxPlanStep step;
  char *number; /* of the step at hand; NULL: none */
  uint64_t steps;
} Run;

static bool end_step(Run *run, GError **error) {
  if (!run->number)
    return true;
  g_clear_pointer(&run->number, g_free);
  run->steps++;
  return run_step(run->target, &run->step, error);
}

static bool take_line(Run *run, const PxPlanLine *line, GError **error) {
  const char *number = line->cells[PX_PLAN_STEP];
  if (!*number) /* the head or the end */
    return end_step(run, error);
  if (!run->number || !g_str_equal(number, run->number)) {
    if (!end_step(run, error))
      return false;
    px_arena_reset(run->target->arena);
    run->number = g_strdup(number);
    if (!begin_step(run->target, line, &run->step, error))
      return false;
  }
  return add_field(run->target, line, &run->step, error);
}

/* In the transaction. */
static bool run_plan(PxPlanTarget *target, int fd, const PxFormatOptions *options, const PxPlanHead *head, const PxPlanByHand *by, GError **error) {
  PxDb *db = target->project->db;
  g_autoptr(PxPlanReader) reader = px_plan_reader_open(fd, options, error);
  g_autoptr(GError) problem = NULL;
  Run run = {.target = target};
  const PxPlanLine *line;
  bool ok = reader && (target->ids = px_plan_ids_new(db, target->project->schema, error));
  while (ok && px_db_in_transaction(db) && px_plan_reader_next(reader, &line, &problem)) {
    ok = take_line(&run, line, error);
    if (by->progress && line->number % PROGRESS_STEPS == 0)
      by->progress(&(PxProgress){.name = head->file, .step = "apply", .rows = line->number}, by->data);
  }
  ok = ok && !problem && (!px_db_in_transaction(db) || end_step(&run, error));
  g_free(run.number);
  if (problem)
    g_propagate_error(error, g_steal_pointer(&problem));
  return ok;
}

/* ---- all of it */

static bool check_head(const PxPlanTarget *target, const PxPlanHead *head, const char *path, GError **error) {
  g_autofree char *schema = px_plan_schema_hash(target->project->schema);
  if (!g_str_equal(head->version, PX_PLAN_VERSION))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED, "%s: another version of pattimpex made this plan: make it again", path);
  else if (!g_str_equal(head->schema, schema))
    g_set_error(error, PX_ERROR, PX_ERROR_REFUSED,
                "%s: the plan was made for another schema: tables, columns or relations are not what they were; make it again", path);
  else
    return true;
  return false;
}

static void tell_more(PxPlanTarget *target) {
  if (target->n_moved <= PX_PLAN_MOST_MOVED)
    return;
  g_autofree char *text = g_strdup_printf("and %" G_GUINT64_FORMAT " more differences", target->n_moved - PX_PLAN_MOST_MOVED);
  const PxMessage message = {.type = "moved", .message = text};
  g_ptr_array_add(target->moved, px_message_copy(&message));
}

static void take_counts(PxPatternFile *file, const PxCounts *counts) {
  file->counts = (PxCounts){.created = counts->created, .updated = counts->updated, .rows = counts->created + counts->updated};
}

/* The changes and their history, in the transaction that is open. A dry run has none. */
static bool commit(const PxPlanTarget *target, PxPatternFile *file, const PxBlob *blob, GError **error) {
  PxProject *project = target->project;
  file->state = PX_STATE_DONE;
  return (project->dry_run || px_plan_keep(project, file, blob, NULL, error)) && px_db_commit(project->db, error);
}

/* What is left of the transaction is undone; that it was refused is kept. */
static bool refuse(const PxPlanTarget *target, PxPatternFile *file, const PxBlob *blob, GError **error) {
  PxProject *project = target->project;
  file->id = file->attachment_id = 0;
  file->counts = (PxCounts){0};
  file->state = PX_STATE_REFUSED;
  return project->dry_run || (px_db_begin(project->db, PX_TX_WRITE, error) &&
                              px_transaction_end(project->db, px_plan_keep(project, file, blob, target->moved, error), error));
}

/* Commits when nothing has moved. */
static bool end_transaction(PxPlanTarget *target, PxPatternFile *file, const PxBlob *blob, GError **error) {
  PxDb *db = target->project->db;
  g_autoptr(GError) problem = NULL;
  if (target->n_moved == 0 && commit(target, file, blob, &problem))
    return true;
  px_db_rollback(db);
  if (problem && !g_error_matches(problem, PX_ERROR, PX_ERROR_CONSTRAINT)) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
  }
  if (problem) {
    const PxMessage message = {.type = "moved", .message = problem->message};
    g_ptr_array_add(target->moved, px_message_copy(&message));
    target->n_moved++;
  }
  tell_more(target);
  return refuse(target, file, blob, error);
}

static PxSummary *summarize(PxPlanTarget *target, const PxPatternFile *file) {
  PxSummary *summary = px_summary_new(file);
  if (!file->id) /* else they are in the history */
    summary->messages = g_steal_pointer(&target->moved);
  return summary;
}

static bool keep_bytes(PxProject *project, int fd, const char *path, PxBlob *ret_blob, GError **error) {
  if (project->dry_run)
    return true;
  if (lseek(fd, 0, SEEK_SET) < 0)
    return px_path_fail(path, "read again", PX_ERROR_INTERNAL, error);
  return px_filestore_add(project->filestore, fd, ret_blob, error);
}

static PxSummary *apply(PxProject *project, const PxPlanByHand *by, int fd, const PxFormatOptions *options, GError **error) {
  g_auto(PxPlanTarget) target = new_target(project);
  g_auto(PxPlanHead) head = {0};
  PxBlob blob = {0};
  if (!px_plan_check(fd, options, &head, error) || !check_head(&target, &head, by->file, error) || !keep_bytes(project, fd, by->file, &blob, error))
    return NULL;
  g_autofree char *name = px_path_name(by->file);
  g_autoptr(PxPatternFile) file = px_plan_new_file(project, &head, name);
  take_counts(file, &head.counts);
  if (!px_db_begin(project->db, PX_TX_WRITE, error))
    return NULL;
  if (!run_plan(&target, fd, options, &head, by, error)) {
    px_db_rollback(project->db);
    return NULL;
  }
  return end_transaction(&target, file, &blob, error) ? summarize(&target, file) : NULL;
}

PxSummary *px_apply_plan(PxProject *project, const PxPlanByHand *by, GError **error) {
  PxFormatOptions options;
  if (!px_plan_format(by->file, &options, error))
    return NULL;
  uint64_t size;
  PX_PATH_FD given = px_path_open(by->file, error);
  PX_PATH_FD fd = given < 0 ? -1 : px_path_seekable(given, by->file, &size, error);
  PxSummary *summary = fd < 0 ? NULL : apply(project, by, fd, &options, error);
  px_format_options_done(&options);
  return summary;
}
