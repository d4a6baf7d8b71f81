/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Descriptors and the bytes behind them, for the files of storage/. */
#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* Closes a descriptor and leaves errno alone. */
static inline void px_fd_clear(int *fd) {
  int saved = errno;
  if (*fd >= 0)
    (void)close(*fd);
  *fd = -1;
  errno = saved;
}

/* Takes a descriptor out of the variable that would close it. */
static inline int px_fd_steal(int *fd) {
  int taken = *fd;
  *fd = -1;
  return taken;
}

/* int that is closed at the end of its block, unless it is negative by then. */
#define PX_AUTO_FD __attribute__((cleanup(px_fd_clear))) int

/* So many bytes a second and no more, of all threads that share it. */
typedef struct {
  uint64_t limit; /* 0: as fast as it goes */
  int64_t due;    /* when what went so far may have gone */
} PxPace;
/* How many of so many bytes are to go at once, so that they flow evenly. */
size_t px_pace_piece(const PxPace *pace, size_t bytes);
/* Bytes went: sleeps until they may have gone. */
void px_pace_spend(PxPace *pace, size_t bytes);

/* The next bytes of a source, at most size of them; 0 at its end, -1 with an error. */
typedef ssize_t (*PxPull)(void *source, void *buffer, size_t size, GError **error);
/* Reads source to its end, or until it has given more than limit bytes, and writes to to (-1: nowhere). ret_sha256 may be NULL.
 * PX_ERROR_TRANSIENT where it cannot be written (a full disk is told in plain words), and what pull says. */
bool px_bytes_pump(PxPull pull, void *source, int to, uint64_t limit, char *ret_sha256, uint64_t *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A descriptor as a source that is read no faster than its pace allows. */
typedef struct {
  int fd;
  PxPace *pace;
} PxPacedFd;
/* A PxPull of a PxPacedFd. PX_ERROR_TRANSIENT. */
ssize_t px_bytes_pull_paced(void *source, void *buffer, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of a descriptor, from where it stands. Both errors are PX_ERROR_TRANSIENT. */
bool px_bytes_copy(int from, int to, uint64_t limit, char *ret_sha256, uint64_t *ret_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* fsync of what was written to fd. PX_ERROR_TRANSIENT. */
bool px_bytes_sync(int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* fsync of a directory, so that its names outlive a power cut. File systems that cannot are taken as they are. */
bool px_bytes_sync_directory(int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A new file in directory whose name is prefix and random digits; caller frees *ret_name. -1 and errno when there is none. */
int px_bytes_temporary(int directory, const char *prefix, const char *suffix, unsigned mode, char **ret_name) G_GNUC_WARN_UNUSED_RESULT;
/* Removes the files of directory whose names begin with prefix and that were last written more than a day before now_s. */
void px_bytes_sweep(int directory, const char *prefix, int64_t now_s);
/* Removes what is in the directory fd (which is closed), so many levels deep, but not the directory itself. */
void px_bytes_remove_all(int fd, unsigned levels);
