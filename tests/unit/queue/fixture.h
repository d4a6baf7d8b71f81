/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A database file with our tables, and a worker. */
#include "queue/queue.h"

#define NOW G_GINT64_CONSTANT(1700000000000000)

typedef struct {
  char *directory;
  char *path;
  PxDb *db;
  PxWorker *worker;
} Fixture;

void set_up(Fixture *f, gconstpointer data);
void tear_down(Fixture *f, gconstpointer data);
#define ADD(path, function) g_test_add("/queue/" path, Fixture, NULL, set_up, function, tear_down)

void begin(Fixture *f);
void commit(Fixture *f);
/* In a transaction of its own; the job's id. */
int64_t enqueue(Fixture *f, const char *task, const char *identity, int64_t priority, int64_t eta);
/* By the fixture's worker; NULL: none is due. */
PxJob *claim(Fixture *f, const char *const *tasks, int64_t now);
