/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files that a person names on the command line: "-" is standard input or output. */
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

void px_path_close_fd(const int *fd);
#define PX_PATH_FD __attribute__((cleanup(px_path_close_fd))) int

/* Sets "PATH: cannot DOING: why" of errno; false. */
bool px_path_fail(const char *path, const char *doing, PxError code, GError **error);
bool px_path_is_standard(const char *path);
/* The name that a file goes by in lists. Caller frees. */
char *px_path_name(const char *path);
/* For reading; -1 with PX_ERROR_NOT_FOUND. Caller closes. */
int px_path_open(const char *path, GError **error);
/* A descriptor of the same bytes that can be read more than once, from their beginning: a pipe is copied. -1 with error. Caller closes. */
int px_path_seekable(int fd, const char *path, uint64_t *ret_size, GError **error);
/* The bytes of fd (from its beginning) as the file path, whole or not at all. A pipe or a device is written to, not replaced. */
bool px_path_deliver(int fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of bytes that are yet to come: a file that is written to, beside path where that is or will be a file (then *ret_temporary is its name),
 * else px_temporary_file(). -1 with error. px_path_end() closes nothing, and frees temporary. */
int px_path_begin(const char *path, char **ret_temporary, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Gives them their name; whole false: they go. */
bool px_path_end(int fd, const char *path, char *temporary, bool whole, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* SHA-256 of all bytes of fd, as hexadecimal text; its position is then the beginning. NULL with error; caller frees. */
char *px_path_sha256(int fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
