/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Processes of ours that read foreign bytes: our own program again under a hidden command, with the descriptors that it is given, limits, and
 * nothing else. For the files of format/. */
#include "format/format.h"

#include <sys/types.h>

/* The address sanitizer wants all of the address space, a process of its own that looks for leaks, and someone who reads its reports. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PX_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define PX_SANITIZED
#endif

#define PX_CHILD_FIRST 8 /* descriptors of the parent's that a child is to get have at least this number */

/* ---- the parent's side */

/* fd again with a number that setting up a child does not overwrite; fd is closed. -1: errno. */
int px_child_move_up(int fd);
bool px_child_pipe(int *ret_read, int *ret_write);
/* NULL-terminated words of the hidden command and the options that matter to a reader; the last word is NULL. */
GPtrArray *px_child_arguments(const char *command, const PxFormatOptions *options);
/* In front of the NULL. */
void px_child_add_number(GPtrArray *argv, const char *name, uint64_t value);
/* fds[i] becomes descriptor i of the child, -1: it has none (2 is /dev/null); no environment, where secrets may be. errno, or 0. */
int px_child_spawn(const GPtrArray *argv, const int *fds, int n_fds, pid_t *ret_pid);
/* Waits for its end; *pid is 0 afterwards. false: someone else has reaped it. */
bool px_child_reap(pid_t *pid, int *ret_status);
/* Whether the file brought a death by this signal about: it would do so again. Any other one came from outside. */
bool px_child_own_fault(int signal);

/* All of size bytes of what it says; false: there are fewer. */
bool px_child_read(int fd, void *to, size_t size);
/* An error for a child that ended without an answer; what: "the process that ...". PX_ERROR_REFUSED where the file brought it about,
 * PX_ERROR_TRANSIENT where it was killed from outside. */
bool px_child_refuse_death(int status, const char *what, GError **error);

/* ---- the child's side */

/* Takes "name=value" when it is one of px_child_arguments(). */
bool px_child_take_option(PxFormatOptions *options, const char *name, const char *value);

typedef struct {
  uint64_t memory;     /* bytes */
  uint64_t file_bytes; /* that it may write in a file */
  uint64_t seconds;    /* of the processor a megabyte of the blob at descriptor 0, and 60 */
} PxChildLimits;

void px_child_confine(const PxChildLimits *limits);
