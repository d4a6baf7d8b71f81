/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What each file of this test program adds. */
void add_blob_storage(void);
void add_blobs(void);
void add_channels(void);
void add_clean(void);
void add_counters(void);
void add_ends(void);
void add_jobs(void);
void add_needs(void);
void add_notices(void);
void add_overview(void);
void add_servers(void);
void add_sets(void);
void add_tries(void);
