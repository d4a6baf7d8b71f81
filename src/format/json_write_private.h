/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the json_write*.c files share. */
#include "base/cell.h"

#include <glib.h>
#include <stdbool.h>

/* text in double quotes, with the escapes that RFC 8259 wants. */
void px_json_put_string(GString *out, const char *text, size_t len);
void px_json_put_cell(GString *out, const PxCell *cell);

/* The header as groups and lists: "country_id|code" is a key code in an object country_id, "child_ids|2|name" the key name of the second
 * object in a list child_ids. */
typedef struct PxJsonTree PxJsonTree;
PxJsonTree *px_json_tree_new(const PxCell *header, size_t n_columns);
void px_json_tree_free(PxJsonTree *tree);
/* A row as an object; a list leaves out items without a value. */
void px_json_tree_put(const PxJsonTree *tree, GString *out, const PxCell *cells, size_t n_cells);
