/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How often a job that failed for a reason that may pass is tried again, and after which pauses. */
#include "config/config.h"

#define PX_RETRY_TRIES 5 /* in all, when nothing is said */

typedef struct PxRetry PxRetry;

/* node: {tries: 10, base: 10s, cap: 1h}, and/or a table {1: 10s, 5: 1m, 10: [2m, 5m]}: from that try on wait so long, a list is a range. NULL or
 * null: the default. what is how messages call it: "import task partners-in". Complains with places; NULL is the default too. Caller frees. */
PxRetry *px_retry_read(const PxConfigNode *node, const char *what, PxComplaints *complaints);
void px_retry_free(PxRetry *retry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PxRetry, px_retry_free)
/* Of what is not a task's: 51 tries, which take two days. Borrowed. */
const PxRetry *px_retry_patient(void);
/* Whether there is another try behind the n-th (from 1). retry NULL: the default. */
bool px_retry_again(const PxRetry *retry, uint64_t n);
/* The pause behind the n-th try, in microseconds: at random from 3/4 of it to all of it, or within a list's range, so that what failed together is
 * not tried together. */
int64_t px_retry_pause(const PxRetry *retry, uint64_t n);
