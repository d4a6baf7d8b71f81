/* SPDX-License-Identifier: Apache-2.0 */
/* Tables become models: which tables, which fields; and what others ask of the result. */
#include "base/text.h"
#include "model/schema_private.h"

struct PxSchema {
  PxArena *arena;
  GPtrArray *models; /* of PxModel, by name */
  GArray *left_out;
  bool has_schemas; /* the database has them */
};

/* ---- drafts */

static void free_draft(gpointer data) {
  PxDraft *draft = data;
  g_ptr_array_unref(draft->columns);
  g_ptr_array_unref(draft->relations);
  g_free(draft);
}

PxDraft *px_build_draft(const PxSchemaBuild *build, const char *model_name) {
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    if (g_str_equal(draft->model->name, model_name))
      return draft;
  }
  return NULL;
}

PxDraft *px_build_draft_of_table(const PxSchemaBuild *build, const char *table) {
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    if (g_ascii_strcasecmp(draft->table->name, table) == 0)
      return draft;
  }
  return NULL;
}

const PxTable *px_build_table(const PxSchemaBuild *build, const char *table) {
  for (guint i = 0; i < build->tables->len; i++) {
    const PxTable *candidate = build->tables->pdata[i];
    if (g_ascii_strcasecmp(candidate->name, table) == 0)
      return candidate;
  }
  return NULL;
}

static PxField *find_field(const GPtrArray *fields, const char *name) {
  for (guint i = 0; i < fields->len; i++) {
    PxField *field = fields->pdata[i];
    if (g_str_equal(field->name, name))
      return field;
  }
  return NULL;
}

PxField *px_draft_field(const PxDraft *draft, const char *name) {
  PxField *field = find_field(draft->columns, name);
  return field ? field : find_field(draft->relations, name);
}

PxField *px_draft_column(const PxDraft *draft, const char *column) {
  for (guint i = 0; i < draft->columns->len; i++) {
    PxField *field = draft->columns->pdata[i];
    if (g_ascii_strcasecmp(field->column, column) == 0)
      return field;
  }
  return NULL;
}

const char *px_table_column(const PxTable *table, const char *column) {
  for (guint i = 0; i < table->columns->len; i++) {
    const PxTableColumn *candidate = table->columns->pdata[i];
    if (g_ascii_strcasecmp(candidate->name, column) == 0)
      return candidate->name;
  }
  return NULL;
}

char *px_draft_did_you_mean(const PxDraft *draft, const char *name) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < draft->columns->len; i++)
    g_ptr_array_add(names, (gpointer)(uintptr_t)((const PxField *)draft->columns->pdata[i])->name);
  for (guint i = 0; i < draft->relations->len; i++)
    g_ptr_array_add(names, (gpointer)(uintptr_t)((const PxField *)draft->relations->pdata[i])->name);
  return px_text_did_you_mean(name, (const char *const *)names->pdata, names->len);
}

const char *px_label_of(PxArena *arena, const char *name) {
  char *label = px_arena_strndup(arena, name, strlen(name));
  g_strdelimit(label, "_", ' ');
  label[0] = g_ascii_toupper(label[0]);
  return label;
}

/* People see the record, not its number: country_id is "Country". */
static const char *label_of_relation(PxArena *arena, const char *name) {
  size_t len = strlen(name);
  bool suffix = len > 3 && g_str_has_suffix(name, "_id");
  return px_label_of(arena, px_arena_strndup(arena, name, suffix ? len - 3 : len));
}

/* ---- which tables are models */

static const PxTableColumn *only_key_column(const PxTable *table, unsigned *ret_n) {
  const PxTableColumn *found = NULL;
  *ret_n = 0;
  for (guint i = 0; i < table->columns->len; i++) {
    const PxTableColumn *column = table->columns->pdata[i];
    if (!column->key_place)
      continue;
    found = column;
    ++*ret_n;
  }
  return *ret_n == 1 ? found : NULL;
}

static void set_type(PxDialect dialect, PxField *field, const char *declared, bool strict) {
  if (dialect == PX_DIALECT_POSTGRES)
    px_field_set_type_postgres(field, declared);
  else
    px_field_set_type(field, declared, strict);
}

/* NULL: it is a model. Else why not, in arena. */
static const char *why_no_model(PxDialect dialect, const PxTable *table, PxArena *arena) {
  if (table->no_table)
    return table->no_table;
  unsigned n;
  const PxTableColumn *key = only_key_column(table, &n);
  if (n == 0)
    return "it has no primary key";
  if (!key)
    return px_arena_printf(arena, "its primary key has %u columns", n);
  PxField field = {0};
  set_type(dialect, &field, key->declared, table->strict);
  if (field.storage != PX_STORE_INTEGER && field.form != PX_FORM_UUID)
    return px_arena_printf(arena, "its primary key %s is %s (%s)", key->name,
                           dialect == PX_DIALECT_POSTGRES ? "neither an integer nor a uuid" : "no integer",
                           *key->declared ? key->declared : "no type");
  return NULL;
}

/* The draft of the model whose primary key is what a foreign key of one column refers to; NULL: another column, or no model. */
static PxDraft *target_of(const PxSchemaBuild *build, const PxTableKey *key) {
  PxDraft *draft = key->columns->len == 1 ? px_build_draft_of_table(build, key->to_table) : NULL;
  unsigned n;
  const PxTableColumn *id = draft ? only_key_column(draft->table, &n) : NULL;
  const char *to = key->to_columns->pdata[0];
  return id && (!to || g_ascii_strcasecmp(to, id->name) == 0) ? draft : NULL;
}

static PxDraft *target_of_column(const PxSchemaBuild *build, const PxTable *table, const char *column) {
  for (guint i = 0; i < table->keys->len; i++) {
    const PxTableKey *key = table->keys->pdata[i];
    PxDraft *target = g_ascii_strcasecmp(key->columns->pdata[0], column) == 0 ? target_of(build, key) : NULL;
    if (target)
      return target;
  }
  return NULL;
}

static bool add_junction(PxSchemaBuild *build, const PxTable *table) {
  PxJunction junction = {.table = table};
  if (table->no_table || table->columns->len != 2)
    return false;
  for (guint i = 0; i < 2; i++) {
    junction.column[i] = ((const PxTableColumn *)table->columns->pdata[i])->name;
    junction.draft[i] = target_of_column(build, table, junction.column[i]);
    if (!junction.draft[i])
      return false;
  }
  g_array_append_val(build->junctions, junction);
  return true;
}

static void add_draft(PxSchemaBuild *build, const PxTable *table) {
  PxDraft *draft = g_new0(PxDraft, 1);
  draft->model = px_arena_new_array(build->arena, PxModel, 1);
  draft->model->name = draft->model->table = table->name;
  draft->model->schema = table->schema;
  draft->model->sql_table = table->quoted;
  draft->model->label = table->comment ? table->comment : px_label_of(build->arena, px_table_bare_name(table));
  draft->model->has_triggers = table->has_triggers;
  draft->model->autoincrement = table->autoincrement;
  draft->model->sequence = table->sequence;
  draft->model->read_only = table->read_only;
  draft->table = table;
  draft->columns = g_ptr_array_new();
  draft->relations = g_ptr_array_new();
  g_ptr_array_add(build->drafts, draft);
}

/* Columns that no pattern can use, so that nobody looks for them in vain. */
static void leave_columns_out(PxSchemaBuild *build, const PxTable *table) {
  for (guint i = 0; i < table->columns->len; i++) {
    const PxTableColumn *column = table->columns->pdata[i];
    PxLeftOut left_out = {.table = px_arena_printf(build->arena, "%s.%s", table->name, column->name), .reason = column->refused};
    if (column->refused)
      g_array_append_val(build->left_out, left_out);
  }
}

static void sort_tables_out(PxSchemaBuild *build, PxDialect dialect) {
  g_autoptr(GPtrArray) others = g_ptr_array_new();
  for (guint i = 0; i < build->tables->len; i++) {
    PxTable *table = build->tables->pdata[i];
    if (why_no_model(dialect, table, build->arena)) {
      g_ptr_array_add(others, table);
    } else {
      add_draft(build, table);
      leave_columns_out(build, table);
    }
  }
  for (guint i = 0; i < others->len; i++) { /* when all models are known */
    const PxTable *table = others->pdata[i];
    PxLeftOut left_out = {.table = table->name, .reason = why_no_model(dialect, table, build->arena)};
    if (add_junction(build, table)) {
      const PxJunction *junction = &g_array_index(build->junctions, PxJunction, build->junctions->len - 1);
      left_out.reason =
        px_arena_printf(build->arena, "it is the many2many between %s and %s", junction->draft[0]->table->name, junction->draft[1]->table->name);
    }
    g_array_append_val(build->left_out, left_out);
  }
}

/* ---- fields of a table */

static PxCollation collation_of(const char *name) {
  static const char *const names[] = {
    [PX_COLLATE_BINARY] = "BINARY", [PX_COLLATE_NOCASE] = "NOCASE", [PX_COLLATE_RTRIM] = "RTRIM", [PX_COLLATE_CITEXT] = "CITEXT"};
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (g_ascii_strcasecmp(name, names[i]) == 0)
      return (PxCollation)i;
  return PX_COLLATE_OTHER;
}

static bool add_column(PxSchemaBuild *build, PxDraft *draft, const PxTableColumn *column, PxDb *db, GError **error) {
  PxField *field = px_arena_new_array(build->arena, PxField, 1);
  field->name = field->column = column->name;
  field->label = column->comment ? column->comment : px_label_of(build->arena, column->name);
  field->model = draft->model;
  set_type(px_db_dialect(db), field, column->declared, draft->table->strict);
  field->read_only = column->generated || draft->table->read_only;
  field->refused = column->refused;
  field->hidden = column->refused != NULL;
  field->collation = column->is_enum ? PX_COLLATE_BINARY : collation_of(column->collation);
  field->is_enum = column->is_enum;
  g_ptr_array_add(draft->columns, field);
  if (column->key_place) { /* the only one: it takes its value by itself */
    draft->model->id = field;
    if (field->form == PX_FORM_UUID)
      draft->model->new_uuid = column->default_text ? column->default_text : "gen_random_uuid()";
    else
      field->type = PX_TYPE_INTEGER;
    return true;
  }
  field->required = column->not_null && !column->refused;
  px_field_set_choices(field, build->arena, draft->table);
  return column->generated || px_field_set_default(field, db, build->arena, column->default_text, error);
}

static bool add_columns(PxSchemaBuild *build, PxDb *db, GError **error) {
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    for (guint c = 0; c < draft->table->columns->len; c++) {
      if (!add_column(build, draft, draft->table->columns->pdata[c], db, error)) {
        g_prefix_error(error, "table %s: ", draft->table->name);
        return false;
      }
    }
  }
  return true;
}

void px_build_many2one(PxSchemaBuild *build) {
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    for (guint c = 0; c < draft->columns->len; c++) {
      PxField *field = draft->columns->pdata[c];
      PxDraft *target = field == draft->model->id ? NULL : target_of_column(build, draft->table, field->column);
      if (!target)
        continue;
      field->type = PX_TYPE_MANY2ONE;
      if (!((const PxTableColumn *)draft->table->columns->pdata[c])->comment)
        field->label = label_of_relation(build->arena, field->name);
      field->target = target->model;
      field->selection = NULL;
      field->n_selection = 0;
    }
  }
}

/* ---- the finished model */

static int by_name(gconstpointer a, gconstpointer b) {
  return strcmp((*(PxField *const *)a)->name, (*(PxField *const *)b)->name);
}

static int by_model_name(gconstpointer a, gconstpointer b) {
  return strcmp((*(PxModel *const *)a)->name, (*(PxModel *const *)b)->name);
}

static void finish_fields(PxSchemaBuild *build, PxDraft *draft) {
  PxModel *model = draft->model;
  model->n_fields = draft->columns->len + draft->relations->len;
  const PxField **fields = px_arena_new_array(build->arena, const PxField *, model->n_fields);
  unsigned n = 1;
  g_ptr_array_sort(draft->relations, by_name);
  for (guint i = 0; i < draft->columns->len; i++) {
    PxField *field = draft->columns->pdata[i];
    field->index = field == model->id ? 0 : n++;
    fields[field->index] = field;
    if (field->type == PX_TYPE_BOOLEAN && g_str_equal(field->name, "active"))
      model->active = field;
  }
  for (guint i = 0; i < draft->relations->len; i++) {
    PxField *field = draft->relations->pdata[i];
    field->index = n++;
    fields[field->index] = field;
  }
  model->fields = fields;
}

static void finish_uniques(PxSchemaBuild *build, PxDraft *draft) {
  PxModel *model = draft->model;
  PxUnique *uniques = px_arena_new_array(build->arena, PxUnique, MAX(draft->table->uniques->len, 1));
  for (guint i = 0; i < draft->table->uniques->len; i++) {
    const PxTableUnique *unique = draft->table->uniques->pdata[i];
    if (unique->is_primary_key)
      continue;
    if (!unique->is_plain) {
      model->has_hidden_uniques = true;
      continue;
    }
    const PxField **fields = px_arena_new_array(build->arena, const PxField *, unique->columns->len);
    for (guint c = 0; c < unique->columns->len; c++)
      fields[c] = px_draft_column(draft, unique->columns->pdata[c]);
    uniques[model->n_uniques++] = (PxUnique){.name = unique->name, .fields = fields, .n_fields = unique->columns->len};
  }
  model->uniques = uniques;
}

static void finish_foreign_keys(PxSchemaBuild *build, PxDraft *draft) {
  const GPtrArray *keys = draft->table->keys;
  PxForeignKey *finished = px_arena_new_array(build->arena, PxForeignKey, MAX(keys->len, 1));
  for (guint i = 0; i < keys->len; i++) {
    const PxTableKey *key = keys->pdata[i];
    PxDraft *target = px_build_draft_of_table(build, key->to_table);
    const PxField **fields = px_arena_new_array(build->arena, const PxField *, key->columns->len);
    const PxField **to = px_arena_new_array(build->arena, const PxField *, key->columns->len);
    bool known = target != NULL;
    for (guint c = 0; c < key->columns->len && known; c++) {
      const char *to_column = key->to_columns->pdata[c]; /* NULL: the primary key, which the whole of a many2one refers to */
      fields[c] = px_draft_column(draft, key->columns->pdata[c]);
      to[c] = to_column ? px_draft_column(target, to_column) : NULL;
      known = fields[c] && to[c];
    }
    if (known && (key->columns->len > 1 || fields[0]->type != PX_TYPE_MANY2ONE))
      finished[draft->model->n_foreign_keys++] = (PxForeignKey){.fields = fields, .to = to, .n_fields = key->columns->len};
  }
  draft->model->foreign_keys = finished;
}

static void finish_rules(PxSchemaBuild *build, PxDraft *draft) {
  const GPtrArray *rules = draft->table->rules;
  PxRule *finished = px_arena_new_array(build->arena, PxRule, MAX(rules->len, 1));
  for (guint i = 0; i < rules->len; i++) {
    const PxTableRule *rule = rules->pdata[i];
    const PxField **fields = px_arena_new_array(build->arena, const PxField *, MAX(rule->columns->len, 1));
    for (guint c = 0; c < rule->columns->len; c++)
      fields[c] = px_draft_column(draft, rule->columns->pdata[c]);
    finished[i] = (PxRule){.name = rule->name, .text = rule->text, .fields = fields, .n_fields = rule->columns->len};
  }
  draft->model->rules = finished;
  draft->model->n_rules = rules->len;
}

static PxSchema *finish(PxSchemaBuild *build) {
  PxSchema *schema = g_new0(PxSchema, 1);
  schema->models = g_ptr_array_new();
  for (guint i = 0; i < build->drafts->len; i++) {
    PxDraft *draft = build->drafts->pdata[i];
    finish_fields(build, draft);
    finish_uniques(build, draft);
    finish_foreign_keys(build, draft);
    finish_rules(build, draft);
    g_ptr_array_add(schema->models, draft->model);
  }
  g_ptr_array_sort(schema->models, by_model_name);
  schema->arena = g_steal_pointer(&build->arena);
  schema->left_out = g_steal_pointer(&build->left_out);
  return schema;
}

/* A name, or a list of them. */
static char **read_schema_names(const PxConfigNode *node, PxComplaints *complaints) {
  g_autoptr(GStrvBuilder) names = g_strv_builder_new();
  bool is_list = px_node_type(node) == PX_NODE_SEQUENCE;
  for (size_t i = 0; i < (is_list ? px_node_count(node) : 1); i++) {
    const PxConfigNode *item = is_list ? px_node_at(node, i) : node;
    if (px_node_text(item))
      g_strv_builder_add(names, px_node_text(item));
    else if (px_node_type(item) != PX_NODE_NULL)
      px_complain(complaints, item, "schemas: must be a list of names: [sales, stock]");
  }
  return g_strv_builder_end(names);
}

/* Complains of schemas that there are not. */
static bool check_schemas(const PxSchemaBuild *build, PxDb *db, const PxConfigNode *node, char **schemas, GError **error) {
  g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
  PxStmt *stmt = px_db_named(db, "pg_schemas", error);
  PxStep step = PX_STEP_ERROR;
  while (stmt && (step = px_stmt_step(stmt, error)) == PX_STEP_ROW)
    g_ptr_array_add(known, px_stmt_dup_text(stmt, 0));
  for (char **name = schemas; step == PX_STEP_DONE && *name; name++) {
    if (g_ptr_array_find_with_equal_func(known, *name, g_str_equal, NULL))
      continue;
    g_autofree char *hint = px_text_did_you_mean(*name, (const char *const *)known->pdata, known->len);
    px_complain(build->complaints, node, "schemas: there is no schema %s that the user of the database URL may look into%s", *name, hint);
  }
  return step == PX_STEP_DONE;
}

static bool read_tables(PxSchemaBuild *build, PxDb *db, const PxConfig *config, GError **error) {
  const PxConfigNode *node = config ? px_node_get(px_config_root(config), "schemas") : NULL;
  g_auto(GStrv) schemas = read_schema_names(node, build->complaints);
  if (px_db_dialect(db) == PX_DIALECT_POSTGRES) {
    if (*schemas && !check_schemas(build, db, node, schemas, error))
      return false;
    build->tables = px_tables_read_postgres(db, build->arena, (const char *const *)schemas, error);
  } else {
    if (*schemas)
      px_complain(build->complaints, node, "schemas: only PostgreSQL has them");
    build->tables = px_tables_read_sqlite(db, build->arena, error);
  }
  return build->tables != NULL;
}

static bool build_models(PxSchemaBuild *build, PxDb *db, const PxConfig *config, GError **error) {
  if (!read_tables(build, db, config, error))
    return false;
  sort_tables_out(build, px_db_dialect(db));
  px_model_config_names(build, config ? px_node_get(px_config_root(config), "models") : NULL);
  if (!add_columns(build, db, error))
    return false;
  px_build_many2one(build);
  px_model_config_columns(build);
  px_model_config_relations(build);
  px_build_default_relations(build);
  px_model_config_rest(build);
  return true;
}

static PxSchema *read_schema(PxDb *db, const PxConfig *config, PxComplaints *complaints, GError **error) {
  PxSchemaBuild build = {
    .arena = px_arena_new(),
    .drafts = g_ptr_array_new_with_free_func(free_draft),
    .junctions = g_array_new(FALSE, FALSE, sizeof(PxJunction)),
    .left_out = g_array_new(FALSE, FALSE, sizeof(PxLeftOut)),
    .complaints = complaints,
  };
  PxSchema *schema = build_models(&build, db, config, error) ? finish(&build) : NULL;
  if (schema)
    schema->has_schemas = px_db_dialect(db) == PX_DIALECT_POSTGRES;
  if (build.tables)
    g_ptr_array_unref(build.tables);
  g_ptr_array_unref(build.drafts);
  g_array_unref(build.junctions);
  if (build.left_out)
    g_array_unref(build.left_out);
  px_arena_free(build.arena);
  return schema;
}

PxSchema *px_schema_read(PxDb *db, const PxConfig *config, PxComplaints *complaints, GError **error) {
  /* One snapshot: another process may be changing the schema. */
  bool own = !px_db_in_transaction(db);
  if (own && !px_db_begin(db, PX_TX_READ, error))
    return NULL;
  PxSchema *schema = read_schema(db, config, complaints, error);
  if (own)
    px_db_rollback(db);
  return schema;
}

void px_schema_free(PxSchema *schema) {
  if (!schema)
    return;
  g_ptr_array_unref(schema->models);
  g_array_unref(schema->left_out);
  px_arena_free(schema->arena);
  g_free(schema);
}

/* ---- what others ask */

size_t px_schema_count(const PxSchema *schema) {
  return schema->models->len;
}

const PxModel *px_schema_at(const PxSchema *schema, size_t i) {
  return schema->models->pdata[i];
}

const PxModel *px_schema_model(const PxSchema *schema, const char *name) {
  for (guint i = 0; i < schema->models->len; i++) {
    const PxModel *model = schema->models->pdata[i];
    if (g_str_equal(model->name, name))
      return model;
  }
  return NULL;
}

bool px_model_is_table(const PxModel *model, const char *schema, const char *table) {
  const char *name = model->schema ? model->table + strlen(model->schema) + 1 : model->table;
  return g_ascii_strcasecmp(name, table) == 0 && (!schema || !model->schema || g_str_equal(schema, model->schema));
}

/* Of "sales.orders" the schema, where no model has it; NULL: it has none, or there are such models. Caller frees. */
static char *unnamed_schema(const PxSchema *schema, const char *name) {
  const char *dot = strchr(name, '.');
  g_autofree char *prefix = dot && schema->has_schemas ? g_strndup(name, (gsize)(dot - name)) : NULL;
  for (guint i = 0; prefix && i < schema->models->len; i++)
    if (g_strcmp0(((const PxModel *)schema->models->pdata[i])->schema, prefix) == 0)
      return NULL;
  return g_steal_pointer(&prefix);
}

char *px_schema_did_you_mean(const PxSchema *schema, const char *name) {
  g_autofree char *unnamed = unnamed_schema(schema, name);
  if (unnamed)
    return g_strdup_printf(" (tables of other schemas than those of the search path are models where they are named: schemas: [%s])", unnamed);
  g_autofree const char **names = g_new(const char *, schema->models->len + 1);
  size_t n = 0;
  for (guint i = 0; i < schema->models->len; i++) {
    const PxModel *model = schema->models->pdata[i];
    if (!model->hidden)
      names[n++] = model->name;
  }
  return px_text_did_you_mean(name, names, n);
}

size_t px_schema_left_out_count(const PxSchema *schema) {
  return schema->left_out->len;
}

const char *px_schema_left_out(const PxSchema *schema, size_t i, const char **ret_reason) {
  const PxLeftOut *left_out = &g_array_index(schema->left_out, PxLeftOut, i);
  *ret_reason = left_out->reason;
  return left_out->table;
}

const PxField *px_model_field(const PxModel *model, const char *name) {
  for (size_t i = 0; i < model->n_fields; i++)
    if (!model->fields[i]->hidden && g_str_equal(model->fields[i]->name, name))
      return model->fields[i];
  return g_str_equal(name, "id") ? model->id : NULL;
}

const PxField *px_model_column(const PxModel *model, const char *column) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const PxField *field = model->fields[i];
    if (field->column && g_ascii_strcasecmp(field->column, column) == 0)
      return field;
  }
  return NULL;
}

char *px_model_did_you_mean(const PxModel *model, const char *name) {
  const PxField *column = px_model_column(model, name);
  if (column && column->refused)
    return g_strdup_printf(" that a pattern could use: %s", column->refused);
  g_autofree const char **names = g_new(const char *, model->n_fields);
  size_t n = 0;
  for (size_t i = 0; i < model->n_fields; i++)
    if (!model->fields[i]->hidden)
      names[n++] = model->fields[i]->name;
  return px_text_did_you_mean(name, names, n);
}
