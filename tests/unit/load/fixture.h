/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A database in memory and files as text, for the tests of load/. */
#include "load/load.h"

typedef struct {
  PxDb *db;
  PxSchema *schema;
  PxPattern pattern;
  bool expect_new;     /* px_loader_expect_new() of every loader */
  PxRecorder recorder; /* NULL after fixture_open() */
  void *recorder_data;
  PxPatternLimit limits[4];
  PxArena *arena;     /* of defaults */
  GPtrArray *headers; /* PxHeader * of defaults */
} Fixture;

/* Makes the tables of sql, reads the schema; the pattern is an empty one of model. */
void fixture_open(Fixture *fixture, const char *sql, const char *model);
/* The same in the database of url. */
void fixture_open_on(Fixture *fixture, const char *url, const char *sql, const char *model);
void fixture_close(Fixture *fixture);
/* The records that a path of relations ("partner_ids.tag_ids") leads to must match domain; may be called again. */
void fixture_limit(Fixture *fixture, const char *path, const char *domain);

/* The pattern, or the one of the items of a one2many (NULL: the pattern), gives new records these defaults: headers and values parted by ';'. Called
 * once for each. */
void fixture_defaults(Fixture *fixture, const char *one2many, const char *headers, const char *values);

/* What loading a file came to. */
typedef struct {
  PxCounts counts;
  char *messages; /* "row column type message", a line each */
  char *error;    /* of the whole load; NULL: none */
} Outcome;

/* Loads lines in chunks of chunk_rows (0: one chunk). Their cells are parted by ';', ~ being one that the row does not have; the first line is the
 * header. */
Outcome fixture_load(Fixture *fixture, const char *const *lines, size_t n_lines, size_t chunk_rows, bool row_by_row);
void outcome_done(Outcome *outcome);

/* All rows of a query, cells parted by '|', a line each. Caller frees. */
char *fixture_query(Fixture *fixture, const char *sql);

/* A file, and what loading it must come to. */
typedef struct {
  const char *lines[8];
  PxPurgeMode purge; /* of the pattern */
  bool update_links;
  const char *limits[6]; /* path and domain after one another */
  const char *messages;  /* NULL: not compared */
  const char *query, *rows;
  PxCounts counts; /* rows is not compared */
} FixtureCase;

/* Loads it in waves, and again row by row. */
void fixture_check(const char *sql, const char *model, const FixtureCase *test);
