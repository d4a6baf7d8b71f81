/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the lists of files, attachments and jobs have in common: --state, --task, --kind, --limit. */
#include "command/output.h"
#include "queue/queue.h"

extern const GOptionEntry px_list_options[];

/* What these options say; strings are borrowed from them. PX_ERROR_USAGE: there is no such state. */
bool px_list_filter(PxListFilter *ret_filter, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --limit; 0: no limit. */
bool px_list_limit(uint64_t otherwise, uint64_t *ret_limit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef json_t *(*PxRowToJson)(gconstpointer row, GTimeZone *timezone);
json_t *px_list_to_json(const GPtrArray *rows, PxRowToJson to_json, GTimeZone *timezone);
