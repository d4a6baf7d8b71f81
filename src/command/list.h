/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the lists of files, attachments and jobs have in common, and the commands that act on what such a list shows. */
#include "command/command.h"
#include "command/output.h"
#include "flow/project.h"

/* --state, --task, --kind, --channel, --error, --since, --limit */
extern const GOptionEntry px_list_options[];

/* What can be said of these options before anything is open. PX_ERROR_USAGE: no such state or channel; --channel where nothing has one. */
bool px_list_check(bool has_channels, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What these options say; strings are borrowed from them. PX_ERROR_USAGE: there is no such time. */
bool px_list_filter(const PxProject *project, PxListFilter *ret_filter, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether any of them is given, --limit aside. */
bool px_list_is_filtered(void);
/* The time that --since says: a span of time before now, a day, or a day with a time of day. PX_ERROR_USAGE. */
bool px_list_since(const PxProject *project, const char *said, int64_t *ret_since, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* --limit; 0: no limit. */
bool px_list_limit(uint64_t otherwise, uint64_t *ret_limit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef json_t *(*PxRowToJson)(gconstpointer row, GTimeZone *timezone);

/* One kind of rows. */
typedef struct {
  GPtrArray *(*list)(PxDb *db, const PxListFilter *filter, GError **error);
  PxRowToJson to_json;
  const PxColumn *columns;
  size_t n_columns;
  const char *empty; /* "No jobs." */

} PxListing;
/* Prints what the options ask for. The exit status. */
int px_list_print(const PxCommandLine *line, const PxProject *project, const PxListing *listing, GError **error);
