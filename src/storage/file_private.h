/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How the file driver reaches its files, and what tests may take from it. */
#include <stdbool.h>

/* For tests: what the kernel is taken to be unable to do. */
enum {
  PX_FILE_NO_OPENAT2 = 1 << 0,   /* openat2 says ENOSYS */
  PX_FILE_NO_RENAMEAT2 = 1 << 1, /* renameat2 says ENOSYS */
  PX_FILE_OTHER_DEVICE = 1 << 2, /* every directory is on a file system of its own */
};
extern unsigned px_file_quirks;

/* All of these give -1 and errno. A path is relative, clean (no empty, "." or ".." parts), "" for root itself; no part of
 * it may be a symbolic link (ELOOP, ENOTDIR), so that it cannot leave root. */

int px_beneath_open(int root, const char *path, int flags);
/* A directory, made (0755 less umask) with those above it where it is missing. */
int px_beneath_make_directory(int root, const char *path);
/* Renames, never over another file: EEXIST. EXDEV: not on one file system. */
int px_beneath_rename_new(int from_directory, const char *from, int to_directory, const char *to);
