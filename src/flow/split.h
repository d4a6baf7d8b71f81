/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* process_multi: the rows of a file, spread over several parts while the file is read the first time. All rows with the same natural key are in one
 * part, in the order of the file. */
#include "flow/flow_private.h"

/* Takes rows from a feed for one import, which must outlive it. */
PxSplit *px_split_new(PxImport *import);
void px_split_free(PxSplit *split); /* NULL is harmless; what was written and not stored is removed */

/* For px_feed_check() with a PxImport that has a split: whether rows with this header may be spread, and the rows. */
extern const PxFeedSink px_split_sink;

/* After the last row: whether there is more than one chunk's worth, and nothing that keeps the rows from being spread. */
bool px_split_is_useful(const PxSplit *split);
/* Makes the parts last, then in one transaction the chunks, the jobs for the first of each part, the one that waits for all, and the end of the
 * import's own job. */
bool px_split_store(PxSplit *split, GError **error) G_GNUC_WARN_UNUSED_RESULT;
