/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A temporary file for what does not fit in memory. It has no name, so nobody else finds it and it goes with its last descriptor. */

/* In the directory for temporary files; -1: errno says why not. Caller closes. */
int px_spill_file(void);
