/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A database with our tables, and a worker: a file in a folder of its own, or one of the PostgreSQL server. */
#include "postgres.h"
#include "queue/queue.h"

#define OVER_SQLITE ((gconstpointer)0)
#define OVER_POSTGRES ((gconstpointer)1)

#define NOW G_GINT64_CONSTANT(1700000000000000)

typedef struct {
  char *directory; /* SQLite; NULL: PostgreSQL */
  char *url;
  PxDb *db;
  PxWorker *worker;
} Fixture;

void set_up(Fixture *f, gconstpointer data);
void tear_down(Fixture *f, gconstpointer data);
/* A test of what the headers of queue/ promise, whatever the database is. */
#define ADD(path, function)                                                                                                                          \
  do {                                                                                                                                               \
    ADD_SQLITE(path, function);                                                                                                                      \
    ADD_POSTGRES(path, function);                                                                                                                    \
  } while (0)
#define ADD_SQLITE(path, function) g_test_add("/queue/sqlite/" path, Fixture, OVER_SQLITE, set_up, function, tear_down)
#define ADD_POSTGRES(path, function) g_test_add("/queue/postgres/" path, Fixture, OVER_POSTGRES, set_up, function, tear_down)

void begin(Fixture *f);
void commit(Fixture *f);
/* Another connection. Caller closes. */
PxDb *open_other(const Fixture *f);
/* In a transaction of its own; the job's id. */
int64_t enqueue(Fixture *f, const char *task, const char *identity, int64_t priority, int64_t eta);
/* By the fixture's worker; NULL: none is due. */
PxJob *claim(Fixture *f, const char *const *tasks, int64_t now);
