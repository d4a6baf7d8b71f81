/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the domain language share: a domain as written, before it is held against a model. */
#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "model/domain.h"

typedef enum {
  PX_LITERAL_NONE,
  PX_LITERAL_FALSE,
  PX_LITERAL_TRUE,
  PX_LITERAL_NUMBER,
  PX_LITERAL_TEXT,
  PX_LITERAL_TIME,
  PX_LITERAL_LIST
} PxLiteralKind;

typedef struct PxLiteral PxLiteral;
struct PxLiteral {
  PxLiteralKind kind;
  const char *text; /* of a text without its escapes, of a number or a time (today - 7d) as written; with a NUL behind */
  size_t len;
  const PxLiteral *items; /* of a list or tuple */
  size_t n_items;
  const char *source; /* the whole text it stands in, and where; NULL: in a configuration */
  size_t offset;
  const PxConfigNode *node;
};

/* The literal of a text in Python's writing, or of YAML; in arena. NULL: PX_ERROR_CONFIG with the place. */
const PxLiteral *px_literal_parse(PxArena *arena, const char *text, GError **error);
const PxLiteral *px_literal_from_node(PxArena *arena, const PxConfigNode *node, GError **error);
/* PX_ERROR_CONFIG: "character 12: ..." or "file:3: ...". */
void px_literal_complain(const PxLiteral *literal, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* ---- today and now (domain_time.c) */

/* Whether a text is meant so: today, now, "today - 7d". */
bool px_domain_time_begins(const char *text);
/* The value (PX_DOMAIN_TIME) for a date or datetime field; in arena. day_end: a whole day means its last moment. False: *ret_problem says what is
 * wrong. zone is borrowed; NULL: UTC. */
bool px_domain_time_read(PxArena *arena, const char *text, const PxField *field, GTimeZone *zone, bool day_end, PxValue *ret_value,
                         const char **ret_problem);
