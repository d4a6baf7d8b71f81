/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an import task expects of its files: when, and how large. */
#include "config/config.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PxExpect PxExpect;

/* node: {by: "07:00", after: "19:00", days: mon-fri, min_rows: 100}. NULL or null: nothing is expected. what is how messages call it: "import task
 * partners-in". Complains with places. Caller frees. */
PxExpect *px_expect_read(const PxConfigNode *node, const char *what, PxComplaints *complaints);
void px_expect_free(PxExpect *expect);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxExpect, px_expect_free)
/* The schedule of by:, NULL: no time is said. */
const struct PxSchedule *px_expect_schedule(const PxExpect *expect);
/* From when on a file counts for the one that was due at a time: midnight of that day, or after: the last time of the clock before. */
int64_t px_expect_since(const PxExpect *expect, GTimeZone *timezone, int64_t due);
/* False: it is compared with the files before. 0: any number will do. */
bool px_expect_min_rows(const PxExpect *expect, uint64_t *ret_rows);
/* "07:00" */
const char *px_expect_by(const PxExpect *expect);
/* "by 07:00 mon-fri, 100 rows or more". Caller frees. */
char *px_expect_text(const PxExpect *expect);
