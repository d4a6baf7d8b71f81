/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Domains: conditions over the records of a model, Odoo's language (design section 5). */
#include "model/model.h"

typedef enum {
  PX_OP_EQ,
  PX_OP_NE,
  PX_OP_LT,
  PX_OP_LE,
  PX_OP_GT,
  PX_OP_GE,
  PX_OP_IN,
  PX_OP_NOT_IN,
  PX_OP_LIKE,
  PX_OP_ILIKE,
  PX_OP_NOT_LIKE,
  PX_OP_NOT_ILIKE,
  PX_OP_EQ_LIKE,
  PX_OP_EQ_ILIKE,
  PX_OP_CHILD_OF,
} PxOperator;

typedef enum { PX_DOMAIN_AND, PX_DOMAIN_OR, PX_DOMAIN_NOT, PX_DOMAIN_LEAF } PxDomainKind;

typedef struct PxDomain PxDomain;
struct PxDomain {
  PxDomainKind kind;
  PxDomain **children; /* AND, OR: any number (AND of none is true); NOT: one */
  size_t n_children;
  /* LEAF */
  const PxField **path; /* relations, then the field that is compared: a one2many or many2many by the ids of its items */
  size_t n_path;
  PxOperator op;
  PxValue *values; /* typed for the field; IN and CHILD_OF: any number, else one. NULL stands for False and None */
  size_t n_values;
  const PxField *parent; /* CHILD_OF: the many2one of a model to itself; a text is (a part of) the name of its records */
};

/* The kind of a value of a date or datetime that depends on when it is asked for: today, now, with offsets. */
#define PX_DOMAIN_TIME 253u
/* What the column stores at that time; now: microseconds since the epoch. Caller frees. */
char *px_domain_time_at(const PxValue *value, int64_t now);

/* Parses the text of a domain for a model. timezone: of today, now, and datetimes without an offset; NULL: UTC. PX_ERROR_CONFIG telling the place
 * ("character 12: ..."), unknown fields with "did you mean". Caller frees. */
PxDomain *px_domain_parse(const PxModel *model, const char *text, GTimeZone *timezone, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same from YAML: a scalar with the text, or lists. NULL node: the empty domain. */
PxDomain *px_domain_from_node(const PxModel *model, const PxConfigNode *node, GTimeZone *timezone, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void px_domain_free(PxDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxDomain, px_domain_free)
/* Whether a leaf compares this field of the model itself (exports leave inactive records out unless the domain names active). */
bool px_domain_names(const PxDomain *domain, const PxField *field);
