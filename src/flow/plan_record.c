/* SPDX-License-Identifier: Apache-2.0 */
/* Changes -> lines of a plan. They are kept in a temporary table of the dry run's own transaction: what the loader rolls back takes its lines along,
 * and any number of them takes no memory. */
#include "base/file.h"
#include "flow/paths.h"
#include "flow/plan.h"
#include "format/writer.h"

struct PxPlan {
  PxProject *project;
  PxPlanIds *ids;
  PxArena *arena;
  uint64_t step, line; /* the last ones; those that were rolled back left gaps */
};

PxPlan *px_plan_new(PxProject *project) {
  PxPlan *plan = g_new0(PxPlan, 1);
  plan->project = project;
  plan->arena = px_arena_new();
  return plan;
}

void px_plan_free(PxPlan *plan) {
  if (!plan)
    return;
  px_plan_ids_free(plan->ids);
  px_arena_free(plan->arena);
  g_free(plan);
}

static bool begin(PxPlan *plan, GError **error) {
  PxDb *db = plan->project->db;
  px_plan_ids_free(plan->ids);
  plan->ids = px_plan_ids_new(db, plan->project->schema, error);
  plan->step = 0;
  return plan->ids &&
         px_db_exec(db,
                    "CREATE TEMP TABLE IF NOT EXISTS pattimpex_plan (line integer PRIMARY KEY, step bigint, row_number bigint, action text,"
                    " model text, record text, name text, field text, old_value text, new_value text, says text);"
                    "CREATE TEMP TABLE IF NOT EXISTS pattimpex_plan_find (what text NOT NULL PRIMARY KEY);"
                    "DELETE FROM pattimpex_plan; DELETE FROM pattimpex_plan_find",
                    error);
}

bool px_plan_begin(PxPlan *plan, GError **error) {
  return px_db_begin(plan->project->db, PX_TX_WRITE, error) && px_transaction_end(plan->project->db, begin(plan, error), error);
}

/* ---- recording */

static bool add_line(PxPlan *plan, const PxChange *change, const char *const *texts, GError **error) {
  PxStmt *stmt = px_db_prepare(plan->project->db,
                               "INSERT INTO pattimpex_plan (step, row_number, action, model, record, name, field, old_value, new_value, says, line)"
                               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                               error);
  if (!stmt)
    return false;
  px_stmt_bind_integer(stmt, PX_PLAN_STEP, (int64_t)plan->step);
  px_stmt_bind_integer(stmt, PX_PLAN_ROW, (int64_t)change->row);
  for (unsigned i = PX_PLAN_ACTION; i < PX_PLAN_COLUMNS; i++)
    px_stmt_bind_text(stmt, i, texts[i]);
  px_stmt_bind_integer(stmt, PX_PLAN_COLUMNS, (int64_t)++plan->line);
  return px_stmt_run(stmt, error);
}

static const PxField *last_field(const PxFieldChange *field) {
  return field->path[field->n_path - 1];
}

/* Whether the same was found before, and is in the plan already. */
static bool is_known(PxPlan *plan, const PxChange *change, const char *record, bool *ret_known, GError **error) {
  g_autoptr(GString) what = g_string_new(change->model->name);
  g_string_append_printf(what, "\n%s", record);
  for (size_t i = 0; i < change->n_fields; i++) {
    const PxFieldChange *field = &change->fields[i];
    g_string_append_printf(what, "\n%s\n%s", px_plan_path_text(plan->arena, field->path, field->n_path),
                           px_plan_value_text(plan->ids, plan->arena, last_field(field), field->new_value));
  }
  PxStmt *stmt = px_db_prepare(plan->project->db, "INSERT INTO pattimpex_plan_find (what) VALUES (?) ON CONFLICT DO NOTHING", error);
  if (!stmt)
    return false;
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, what->str, (gssize)what->len);
  px_stmt_bind_text(stmt, 0, hash); /* an index of PostgreSQL holds no long text */
  if (!px_stmt_run(stmt, error))
    return false;
  *ret_known = px_db_changes(plan->project->db) == 0;
  return true;
}

bool px_plan_record(void *data, const PxChange *change, GError **error) {
  PxPlan *plan = data;
  px_arena_reset(plan->arena);
  if (change->kind == PX_CHANGE_CREATE)
    px_plan_ids_made(plan->ids, change->model, change->id);
  const char *texts[PX_PLAN_COLUMNS] = {
    [PX_PLAN_ACTION] = px_plan_action(change->kind),
    [PX_PLAN_MODEL] = change->model->name,
    [PX_PLAN_RECORD] = px_plan_id_text(plan->ids, plan->arena, change->model, change->id),
    [PX_PLAN_NAME] = px_plan_plain_text(plan->arena, change->name),
    [PX_PLAN_FIELD] = "",
    [PX_PLAN_OLD] = "",
    [PX_PLAN_NEW] = "",
    [PX_PLAN_SAYS] = "",
  };
  bool known = false;
  if (change->kind == PX_CHANGE_FIND && !is_known(plan, change, texts[PX_PLAN_RECORD], &known, error))
    return false;
  if (known)
    return true;
  plan->step++;
  if (change->n_fields == 0)
    return add_line(plan, change, texts, error);
  for (size_t i = 0; i < change->n_fields; i++) {
    const PxFieldChange *field = &change->fields[i];
    texts[PX_PLAN_FIELD] = px_plan_path_text(plan->arena, field->path, field->n_path);
    texts[PX_PLAN_OLD] = px_plan_value_text(plan->ids, plan->arena, last_field(field), field->old_value);
    texts[PX_PLAN_NEW] = px_plan_value_text(plan->ids, plan->arena, last_field(field), field->new_value);
    texts[PX_PLAN_SAYS] = px_plan_plain_text(plan->arena, field->said);
    if (!add_line(plan, change, texts, error))
      return false;
  }
  return true;
}

/* ---- the file */

typedef struct {
  PxWriter *writer;
  GChecksum *checksum;
  uint64_t lines;
} Out;

static bool write_line(Out *out, const char *const *texts, GError **error) {
  PxCell cells[PX_PLAN_COLUMNS];
  for (size_t i = 0; i < PX_PLAN_COLUMNS; i++) {
    size_t len = strlen(texts[i]);
    PxCellKind kind = i <= PX_PLAN_ROW ? PX_CELL_NUMBER : PX_CELL_TEXT;
    cells[i] = (PxCell){.ptr = texts[i], .len = (uint32_t)len, .kind = (uint8_t)(len ? kind : PX_CELL_EMPTY)};
  }
  px_plan_add_checksum(out->checksum, texts);
  out->lines++;
  return px_writer_row(out->writer, cells, PX_PLAN_COLUMNS, error);
}

static bool write_fact(Out *out, const char *action, const char *field, const char *value, GError **error) {
  const char *texts[PX_PLAN_COLUMNS];
  for (size_t i = 0; i < PX_PLAN_COLUMNS; i++)
    texts[i] = "";
  texts[PX_PLAN_ACTION] = action;
  texts[PX_PLAN_FIELD] = field;
  texts[PX_PLAN_NEW] = value;
  return write_line(out, texts, error);
}

static bool write_count(Out *out, const char *action, const char *field, uint64_t count, GError **error) {
  char text[32];
  g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, count);
  return write_fact(out, action, field, text, error);
}

static bool write_head(PxPlan *plan, Out *out, const PxSummary *summary, const char *sha256, GError **error) {
  g_autofree char *schema = px_plan_schema_hash(plan->project->schema);
  g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(px_project_now(plan->project) / G_USEC_PER_SEC);
  g_autofree char *made = g_date_time_format_iso8601(now);
  const PxCounts *counts = &summary->counts;
  px_arena_reset(plan->arena);
  return write_fact(out, PX_PLAN_HEAD, "version", PX_PLAN_VERSION, error) &&
         write_fact(out, PX_PLAN_HEAD, "pattern", px_plan_plain_text(plan->arena, summary->pattern), error) &&
         write_fact(out, PX_PLAN_HEAD, "file", px_plan_plain_text(plan->arena, summary->name), error) &&
         write_fact(out, PX_PLAN_HEAD, "sha256", sha256, error) && write_fact(out, PX_PLAN_HEAD, "schema", schema, error) &&
         write_fact(out, PX_PLAN_HEAD, "made", made, error) && write_count(out, PX_PLAN_HEAD, "created", counts->created, error) &&
         write_count(out, PX_PLAN_HEAD, "updated", counts->updated, error) && write_count(out, PX_PLAN_HEAD, "unchanged", counts->unchanged, error) &&
         write_count(out, PX_PLAN_HEAD, "failed", counts->failed, error);
}

static bool write_lines(PxPlan *plan, Out *out, GError **error) {
  PxStmt *stmt = px_db_prepare(plan->project->db,
                               "SELECT CAST(step AS text), CAST(row_number AS text), action, model, record, name, field, old_value, new_value, says"
                               " FROM pattimpex_plan ORDER BY line",
                               error);
  if (stmt)
    px_stmt_stream(stmt);
  PxStep step = stmt ? PX_STEP_ROW : PX_STEP_ERROR;
  while (step == PX_STEP_ROW && (step = px_stmt_step(stmt, error)) == PX_STEP_ROW) {
    const char *texts[PX_PLAN_COLUMNS];
    px_arena_reset(plan->arena);
    for (unsigned i = 0; i < PX_PLAN_COLUMNS; i++) {
      PxValue value = px_stmt_value(stmt, i);
      texts[i] = px_arena_strndup(plan->arena, value.text, value.len);
    }
    if (!write_line(out, texts, error)) {
      px_stmt_reset(stmt);
      return false;
    }
  }
  return step == PX_STEP_DONE;
}

static bool write_all(PxPlan *plan, Out *out, const PxSummary *summary, const char *sha256, GError **error) {
  PxCell header[PX_PLAN_COLUMNS];
  const PxCell *headers[] = {header};
  for (size_t i = 0; i < PX_PLAN_COLUMNS; i++)
    header[i] = (PxCell){.ptr = px_plan_columns[i], .len = (uint32_t)strlen(px_plan_columns[i]), .kind = PX_CELL_TEXT};
  if (!px_writer_begin(out->writer, headers, 1, PX_PLAN_COLUMNS, NULL, 0, error) || !write_head(plan, out, summary, sha256, error) ||
      !write_lines(plan, out, error) || !write_count(out, PX_PLAN_END, "lines", out->lines, error))
    return false;
  g_autoptr(GChecksum) all = g_checksum_copy(out->checksum);
  return write_fact(out, PX_PLAN_END, "sha256", g_checksum_get_string(all), error) && px_writer_end(out->writer, error);
}

static bool write_file(PxPlan *plan, const PxSummary *summary, const char *sha256, const PxFormatOptions *options, int fd, GError **error) {
  g_autoptr(PxWriter) writer = px_writer_open(fd, options, "plan", error);
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  Out out = {.writer = writer, .checksum = checksum};
  if (!writer || !px_db_begin(plan->project->db, PX_TX_READ, error))
    return false;
  return px_transaction_end(plan->project->db, write_all(plan, &out, summary, sha256, error), error);
}

bool px_plan_save(PxPlan *plan, const PxSummary *summary, const char *sha256, const char *path, GError **error) {
  PxFormatOptions options;
  if (!px_plan_format(path, &options, error))
    return false;
  PX_PATH_FD fd = px_temporary_file(error);
  bool done = fd >= 0 && write_file(plan, summary, sha256, &options, fd, error) && px_path_deliver(fd, path, error);
  px_format_options_done(&options);
  if (!done)
    g_prefix_error(error, "the plan: ");
  return done;
}
