/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files by their descriptors. */
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes all of the bytes, as often as it takes. what is behind "cannot write " in the message ("the file"); NULL: the caller says where.
 * PX_ERROR_TRANSIENT; of a full disk also what to do. */
bool px_write_all(int fd, const void *bytes, size_t size, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* That error of errno, for other calls that put bytes on a disk. Always false. */
bool px_fail_to_write(const char *what, GError **error);

/* A temporary file for what does not fit in memory, in the directory for such. It has no name, so nobody else finds it and it goes with its last
 * descriptor. -1: PX_ERROR_TRANSIENT, and errno. Caller closes. */
int px_temporary_file(GError **error);
