/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The header of a file, compiled once into a tree: which column is which field of which record (design section 5). */
#include "base/message.h"
#include "model/model.h"

typedef enum {
  PX_NODE_RECORD,    /* the root: the record of the row */
  PX_NODE_MANY2ONE,  /* the record that a many2one refers to: it is looked for, never made */
  PX_NODE_ONE2MANY,  /* one item: a nested record */
  PX_NODE_MANY2MANY, /* one item: looked for */
} PxHeaderNodeKind;

typedef enum {
  PX_COLUMN_FIELD, /* a scalar field */
  PX_COLUMN_DB_ID, /* .id */
  PX_COLUMN_EXT_ID /* id */
} PxColumnKind;

/* One column of the file that means something. */
typedef struct {
  unsigned column;    /* of the file, from 0 */
  const char *header; /* stripped, as the file has it */
  const char *path;   /* the fields alone, without marks and numbers: "child_ids|name" */
  PxColumnKind kind;
  const PxField *field; /* FIELD: the field; DB_ID: the model's id field; EXT_ID: NULL */
  bool key;             /* #key on this column (scalar fields of a RECORD or ONE2MANY node only) */
  bool in_key;          /* beneath a many2one that is part of the key */
} PxHeaderColumn;

typedef struct PxHeaderNode PxHeaderNode;
struct PxHeaderNode {
  PxHeaderNodeKind kind;
  const PxModel *model;
  const PxField *field;          /* the relation in the parent's model; NULL for the root */
  unsigned item;                 /* of an x2many, from 1; else 0 */
  bool key;                      /* a many2one that is part of its parent's natural key */
  const PxHeaderColumn *columns; /* in the file's order */
  size_t n_columns;
  const PxHeaderNode *const *children; /* in the order of their first columns */
  size_t n_children;
  const PxHeaderColumn *first; /* the first column of the file in this node or beneath it: the one to blame */
};

typedef struct PxHeader PxHeader;

/* Compiles n headers for a model. What is wrong (an unknown field, with "did you mean"; a relation without a sub-field, two equal
 * headers, an index without an x2many, #key on nothing) becomes messages of row "row" in the array (PxMessage, owned by it, type "header"), one a
 * column, and NULL is returned: the file is refused. Empty names and those beginning with # are ignored columns. */
PxHeader *px_header_compile(const PxModel *model, const char *const *headers, size_t n, uint64_t row, GPtrArray *messages);
/* The same for a file with names of its own: headers are the technical ones, names what the file says, for messages. */
PxHeader *px_header_compile_named(const PxModel *model, const char *const *headers, const char *const *names, size_t n, uint64_t row,
                                  GPtrArray *messages);
/* Where header ends in a relation, or an item of one, with no field behind it: the column that names the record by its database id. Caller frees;
 * NULL: it is another kind of column. */
char *px_header_relation_by_id(const PxModel *model, const char *header);
void px_header_free(PxHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxHeader, px_header_free)
const PxHeaderNode *px_header_root(const PxHeader *header);
/* How many columns the file's header has, ignored ones too. */
size_t px_header_width(const PxHeader *header);
