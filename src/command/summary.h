/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What came of a file, for people and for scripts. */
#include "command/output.h"
#include "flow/flow.h"

/* The object of design section 8, without "messages". */
json_t *px_summary_to_json(const PxSummary *summary);
/* All messages as an array. NULL with error. */
json_t *px_summary_messages_to_json(const PxProject *project, const PxSummary *summary, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Prints the object with all messages as its last member; they are not held in memory. */
bool px_summary_print_json(const PxProject *project, const PxSummary *summary, const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Prints the first messages, and where the others are. */
#define PX_MESSAGES_SHOWN 10
bool px_summary_print_messages(const PxProject *project, const PxSummary *summary, uint64_t most, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* 0 done, 1 failed, 2 refused. */
int px_summary_exit_status(const PxSummary *summary);
