/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A project in a folder of its own: a database, a folder of a partner, a clock in the test's hand. */
#include "flow/flow_private.h"
#include "postgres.h"

#define NOW G_GINT64_CONSTANT(1700000000000000)

typedef struct {
  char *directory;
  char *url; /* of the database; NULL: shop.db in the folder */
  PxProject *project;
  int64_t now;
  bool work_takes_time; /* the clock is a second further for each partner that there is */
} Fixture;

void fixture_set_up(Fixture *f, gconstpointer tasks); /* tasks: text of the configuration behind the patterns; NULL: none */
/* The same over a database of the PostgreSQL server. */
void fixture_set_up_postgres(Fixture *f, gconstpointer tasks);
void fixture_tear_down(Fixture *f, gconstpointer data);
/* Closes and opens the project again, with dry_run or not. */
void fixture_reopen(Fixture *f, bool dry_run);

char *fixture_path(const Fixture *f, const char *path);
/* A file below the folder, last changed so many seconds before the clock. */
void fixture_write(const Fixture *f, const char *path, const char *text, int64_t age);
bool fixture_exists(const Fixture *f, const char *path);
/* Its text, "" when it is missing. Caller frees. */
char *fixture_read(const Fixture *f, const char *path);
/* One integer from the database. */
int64_t fixture_ask(const Fixture *f, const char *sql);
void fixture_exec(const Fixture *f, const char *sql);
/* px_run() of everything, without waiting. */
PxRunResult fixture_run(const Fixture *f);
/* A claimed job of a kind on an attachment or task, as the worker loop has it. */
PxJob *fixture_job(const Fixture *f, const PxWorker *worker, const char *kind, const char *task, int64_t attachment_id, int64_t file_id);
