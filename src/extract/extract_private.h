/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of extract share. */
#include "extract/extract.h"

/* The tabs of the pattern, pattern->n_tabs of them, with the values of now, distinct and not empty; in arena. */
bool px_extract_tabs(PxRecords *records, const PxPattern *pattern, PxArena *arena, PxTab **ret_tabs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
