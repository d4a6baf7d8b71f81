/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What commands print on standard output: everything is a JSON value first, which people get as a table. */
#include "base/text.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A column of a table for people. */
typedef struct {
  const char *key; /* of the objects */
  const char *title;
  bool is_time; /* people see it without the T and the zone */
} PxColumn;

/* rows (an array of objects) as a table: numbers to the right, true as yes, null and what is missing as nothing, lists joined by commas.
 * The last column is cut nowhere; control characters are shown as \xNN. empty is said when there are no rows. Caller frees. */
char *px_output_table(const json_t *rows, const PxColumn *columns, size_t n_columns, const char *empty);
/* One object, a line a column that has a value. Caller frees. */
char *px_output_object(const json_t *object, const PxColumn *columns, size_t n_columns);

/* Prints rows or object as JSON or for people. */
void px_print_rows(bool as_json, const json_t *rows, const PxColumn *columns, size_t n_columns, const char *empty);
void px_print_object(bool as_json, const json_t *object, const PxColumn *columns, size_t n_columns);
/* text on one line, control characters shown as \xNN. Caller frees. */
char *px_output_line(const char *text);
void px_print_json(const json_t *value);

/* text may be NULL or hold foreign bytes: then null, or the text with its bad bytes replaced. Never NULL. */
json_t *px_json_text(const char *text);
/* Microseconds since the epoch as "2026-11-23T05:43:46+01:00"; 0: null. */
json_t *px_json_time(int64_t us, GTimeZone *timezone);
static inline json_t *px_json_count(uint64_t n) {
  return json_integer((json_int_t)n);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)
