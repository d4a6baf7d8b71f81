/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

void fixture_open(Fixture *fixture, const char *sql, const char *model) {
  fixture_open_on(fixture, "sqlite::memory:", sql, model);
}

void fixture_open_on(Fixture *fixture, const char *url, const char *sql, const char *model) {
  g_autoptr(GError) error = NULL;
  PxDbOptions options = {.url = url, .create = true};
  *fixture = (Fixture){0};
  fixture->db = px_db_open(&options, &error);
  g_assert_no_error(error);
  g_assert_true(px_db_migrate(fixture->db, &error));
  bool made = px_db_exec(fixture->db, sql, &error);
  g_assert_no_error(error);
  g_assert_true(made);
  g_autoptr(PxComplaints) complaints = px_complaints_new();
  fixture->schema = px_schema_read(fixture->db, NULL, complaints, &error);
  g_assert_no_error(error);
  fixture->pattern = (PxPattern){.name = "test", .model = px_schema_model(fixture->schema, model), .create = true, .update = true};
  g_assert_nonnull(fixture->pattern.model);
  fixture->arena = px_arena_new();
  fixture->headers = g_ptr_array_new_with_free_func((GDestroyNotify)px_header_free);
}

void fixture_limit(Fixture *fixture, const char *path, const char *domain) {
  g_autoptr(GError) error = NULL;
  g_auto(GStrv) names = g_strsplit(path, ".", 0);
  size_t n = g_strv_length(names);
  const PxField **fields = g_new(const PxField *, n);
  const PxModel *model = fixture->pattern.model;
  for (size_t i = 0; i < n; i++) {
    fields[i] = px_model_field(model, names[i]);
    g_assert_nonnull(fields[i]);
    model = fields[i]->target;
  }
  g_assert_cmpuint(fixture->pattern.n_limits, <, G_N_ELEMENTS(fixture->limits));
  PxPatternLimit *limit = &fixture->limits[fixture->pattern.n_limits++];
  *limit = (PxPatternLimit){.path = fields, .n_path = n, .domain = px_domain_parse(model, domain, NULL, &error)};
  g_assert_no_error(error);
  fixture->pattern.limits = fixture->limits;
}

static PxCell cell_of(const char *text) {
  PxCellKind kind = g_str_equal(text, "~") ? PX_CELL_ABSENT : *text ? PX_CELL_TEXT : PX_CELL_EMPTY;
  return (PxCell){.ptr = text, .len = kind == PX_CELL_TEXT ? (uint32_t)strlen(text) : 0, .kind = (uint8_t)kind};
}

/* The pattern of the items; items have one field of the parent's pattern. */
static PxPattern *item_pattern(Fixture *fixture, const char *one2many) {
  PxPattern *items = px_arena_new_array(fixture->arena, PxPattern, 1);
  PxExportField *field = px_arena_new_array(fixture->arena, PxExportField, 1);
  field->path = px_arena_new_array(fixture->arena, const PxField *, 1);
  field->path[0] = px_model_field(fixture->pattern.model, one2many);
  g_assert_nonnull(field->path[0]);
  field->n_path = 1;
  field->items = items;
  items->model = field->path[0]->target;
  fixture->pattern.fields = field;
  fixture->pattern.n_fields = 1;
  return items;
}

static void set_default(Fixture *fixture, const PxHeaderNode *node, char **texts, PxValue *values) {
  for (size_t i = 0; i < node->n_columns; i++) {
    const PxHeaderColumn *column = &node->columns[i];
    const char *type;
    const char *problem;
    const PxConvertOptions options = {0};
    PxCell cell = cell_of(px_arena_strndup(fixture->arena, texts[column->column], strlen(texts[column->column])));
    if (column->field)
      g_assert_true(px_field_convert(column->field, &options, fixture->arena, cell, &values[column->column], &type, &problem));
    else
      values[column->column] = px_value_text(cell.ptr, cell.len);
  }
  for (size_t i = 0; i < node->n_children; i++)
    set_default(fixture, node->children[i], texts, values);
}

void fixture_defaults(Fixture *fixture, const char *one2many, const char *headers, const char *values) {
  PxPattern *pattern = one2many ? item_pattern(fixture, one2many) : &fixture->pattern;
  g_auto(GStrv) names = g_strsplit(headers, ";", -1);
  g_auto(GStrv) texts = g_strsplit(values, ";", -1);
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  PxHeader *header = px_header_compile(pattern->model, (const char *const *)names, g_strv_length(names), 0, problems);
  g_assert_nonnull(header);
  g_ptr_array_add(fixture->headers, header);
  PxPatternDefaults *defaults = px_arena_new_array(fixture->arena, PxPatternDefaults, 1);
  PxValue *converted = px_arena_new_array(fixture->arena, PxValue, g_strv_length(names));
  set_default(fixture, px_header_root(header), texts, converted);
  *defaults = (PxPatternDefaults){.root = px_header_root(header), .values = converted};
  pattern->defaults = defaults;
}

void fixture_close(Fixture *fixture) {
  g_ptr_array_unref(fixture->headers);
  px_arena_free(fixture->arena);
  for (size_t i = 0; i < fixture->pattern.n_limits; i++) {
    g_free((gpointer)(uintptr_t)fixture->limits[i].path);
    px_domain_free((PxDomain *)(uintptr_t)fixture->limits[i].domain);
  }
  px_schema_free(fixture->schema);
  px_db_close(fixture->db);
}

static void add_messages(GString *text, const GPtrArray *messages) {
  for (guint i = 0; i < messages->len; i++) {
    const PxMessage *message = g_ptr_array_index(messages, i);
    g_string_append_printf(text, "%" G_GUINT64_FORMAT " %s %s %s\n", message->row, message->column ? message->column : "-", message->type,
                           message->message);
  }
}

/* As the flow does: a transaction that the database ended is begun again. */
static bool load_chunk(Fixture *fixture, PxLoader *loader, Outcome *outcome, GString *messages) {
  for (;;) {
    g_autoptr(GError) error = NULL;
    PxLoadResult result;
    g_assert_true(px_db_begin(fixture->db, PX_TX_WRITE, &error));
    if (px_loader_load(loader, &result, &error)) {
      g_assert_true(px_db_commit(fixture->db, &error));
      px_counts_add(&outcome->counts, &result.counts);
      add_messages(messages, result.messages);
      px_loader_clear(loader);
      return true;
    }
    px_db_rollback(fixture->db);
    if (!g_error_matches(error, PX_ERROR, PX_ERROR_ROLLED_BACK)) {
      outcome->error = g_strdup(error->message);
      return false;
    }
  }
}

static void add_line(PxBatchBuilder *builder, const char *line, uint64_t number) {
  g_auto(GStrv) cells = g_strsplit(line, ";", -1);
  size_t n = g_strv_length(cells);
  g_autofree PxCell *row = g_new(PxCell, n + 1);
  for (size_t i = 0; i < n; i++)
    row[i] = cell_of(cells[i]);
  px_batch_builder_add(builder, number, UINT64_MAX, row, n);
}

Outcome fixture_load(Fixture *fixture, const char *const *lines, size_t n_lines, size_t chunk_rows, bool row_by_row) {
  Outcome outcome = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func((GDestroyNotify)px_message_free);
  g_auto(GStrv) names = g_strsplit(lines[0], ";", -1);
  g_autoptr(PxHeader) header = px_header_compile(fixture->pattern.model, (const char *const *)names, g_strv_length(names), 1, problems);
  if (!header) {
    const PxMessage *problem = g_ptr_array_index(problems, 0);
    outcome.error = g_strdup(problem->message);
    return outcome;
  }
  g_autoptr(PxLoader) loader = px_loader_new(fixture->db, fixture->schema, &fixture->pattern, header, &error);
  if (!loader) {
    outcome.error = g_strdup(error->message);
    return outcome;
  }
  px_loader_set_row_by_row(loader, row_by_row);
  if (fixture->expect_new)
    px_loader_expect_new(loader);
  px_loader_set_recorder(loader, fixture->recorder, fixture->recorder_data);
  g_autoptr(PxBatchBuilder) builder = px_batch_builder_new();
  for (size_t i = 1; i < n_lines; i++)
    add_line(builder, lines[i], i + 1);
  size_t size;
  const PxRowBatch *batch = px_batch_builder_finish(builder, 0, UINT64_MAX, &size);
  g_assert_true(px_row_batch_check(batch, size, &error));
  GString *messages = g_string_new(NULL);
  size_t step = chunk_rows ? chunk_rows : MAX(n_lines, 1);
  for (size_t at = 0; at < batch->n_rows; at += step) {
    px_loader_add(loader, batch, at, MIN(step, batch->n_rows - at));
    if (!load_chunk(fixture, loader, &outcome, messages))
      break;
  }
  outcome.messages = g_string_free(messages, FALSE);
  return outcome;
}

void outcome_done(Outcome *outcome) {
  g_free(outcome->messages);
  g_free(outcome->error);
}

static void add_value(GString *text, const PxValue *value) {
  if (value->kind == PX_INTEGER)
    g_string_append_printf(text, "%" G_GINT64_FORMAT, value->integer);
  else if (value->kind == PX_REAL)
    g_string_append_printf(text, "%.15g", value->real);
  else if (value->kind == PX_TEXT || value->kind == PX_BLOB)
    g_string_append_len(text, value->text, value->len);
}

char *fixture_query(Fixture *fixture, const char *sql) {
  g_autoptr(GError) error = NULL;
  GString *text = g_string_new(NULL);
  PxStmt *stmt = px_db_prepare(fixture->db, sql, &error);
  g_assert_no_error(error);
  while (px_stmt_step(stmt, &error) == PX_STEP_ROW) {
    for (unsigned i = 0; i < px_stmt_n_columns(stmt); i++) {
      PxValue value = px_stmt_value(stmt, i);
      g_string_append(text, i ? "|" : "");
      add_value(text, &value);
    }
    g_string_append_c(text, '\n');
  }
  g_assert_no_error(error);
  return g_string_free(text, FALSE);
}

static void check_way(const char *sql, const char *model, const FixtureCase *test, bool row_by_row) {
  Fixture fixture;
  size_t n = 0;
  while (n < G_N_ELEMENTS(test->lines) && test->lines[n])
    n++;
  fixture_open(&fixture, sql, model);
  fixture.pattern.purge_one2many = test->purge;
  fixture.pattern.update_many2many = test->update_links;
  for (size_t i = 0; test->limits[i]; i += 2)
    fixture_limit(&fixture, test->limits[i], test->limits[i + 1]);
  Outcome outcome = fixture_load(&fixture, test->lines, n, 0, row_by_row);
  g_assert_cmpstr(outcome.error, ==, NULL);
  if (test->messages)
    g_assert_cmpstr(outcome.messages, ==, test->messages);
  g_autofree char *rows = fixture_query(&fixture, test->query);
  g_assert_cmpstr(rows, ==, test->rows);
  g_assert_cmpuint(outcome.counts.created, ==, test->counts.created);
  g_assert_cmpuint(outcome.counts.updated, ==, test->counts.updated);
  g_assert_cmpuint(outcome.counts.unchanged, ==, test->counts.unchanged);
  g_assert_cmpuint(outcome.counts.failed, ==, test->counts.failed);
  g_assert_cmpuint(outcome.counts.skipped, ==, test->counts.skipped);
  outcome_done(&outcome);
  fixture_close(&fixture);
}

void fixture_check(const char *sql, const char *model, const FixtureCase *test) {
  check_way(sql, model, test, false);
  check_way(sql, model, test, true);
}
