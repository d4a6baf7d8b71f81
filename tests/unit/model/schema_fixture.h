/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A schema from SQL and a configuration, both in the test. */
#include "model/model.h"

#include <glib.h>

typedef struct {
  PxDb *db;
  PxConfig *config;
  PxComplaints *complaints;
  PxSchema *schema;
} Read;

static inline Read read_schema_of(const char *url, const char *sql, const char *yaml) {
  g_autoptr(GError) error = NULL;
  Read read = {.complaints = px_complaints_new()};
  read.db = px_db_open(&(PxDbOptions){.url = url}, &error);
  g_assert_no_error(error);
  bool made = px_db_exec(read.db, sql, &error);
  g_assert_no_error(error);
  g_assert_true(made);
  if (yaml) {
    read.config = px_config_parse(yaml, "test.yaml", &error);
    g_assert_no_error(error);
  }
  read.schema = px_schema_read(read.db, read.config, read.complaints, &error);
  g_assert_no_error(error);
  return read;
}

static inline Read read_schema(const char *sql, const char *yaml) {
  return read_schema_of("sqlite::memory:", sql, yaml);
}

static inline void read_done(Read *read) {
  px_schema_free(read->schema);
  px_complaints_free(read->complaints);
  px_config_free(read->config);
  px_db_close(read->db);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Read, read_done)

static inline const PxModel *model_of(const Read *read, const char *name) {
  const PxModel *model = px_schema_model(read->schema, name);
  g_assert_nonnull(model);
  return model;
}

static inline const PxField *field_of(const Read *read, const char *model, const char *name) {
  const PxField *field = px_model_field(model_of(read, model), name);
  if (!field)
    g_error("model %s has no field %s", model, name);
  return field;
}

/* "file:line: text" of every complaint, a line each. */
static inline void assert_complaints(const Read *read, const char *expected) {
  g_autoptr(GString) all = g_string_new(NULL);
  for (size_t i = 0; i < px_complaints_count(read->complaints); i++) {
    const PxComplaint *complaint = px_complaints_at(read->complaints, i);
    g_string_append_printf(all, "%u: %s\n", complaint->line, complaint->text);
  }
  g_assert_cmpstr(all->str, ==, expected);
}
