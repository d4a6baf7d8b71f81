/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Lists of ids as people give them. */
#include "model/id.h"

#include <glib.h>

/* Appends to ids (PxId) those of a text: "1,2,3". PX_ERROR_USAGE. */
bool px_ids_from_text(GArray *ids, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Appends those of a file ("-": standard input): one a line, or the first column of a CSV file; a first line that is none is taken for its header.
 * PX_ERROR_NOT_FOUND, PX_ERROR_USAGE with file and line. */
bool px_ids_from_file(GArray *ids, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
